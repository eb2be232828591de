#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a house, played under load: drills.py [CASE...]

PostgreSQL away for a minute, a full disk, a token that the provider takes no longer, an adapter that
crashes on every call. Load and books are those of crash.py: nothing acknowledged is lost, no turn is
done twice, and status says what happens while it does.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))

import crash
import house as h
import tap
import webhook
from tap import check, equal, say, until

OUTAGE_S = 60
DISK_MB = 400
BEFORE_S = AFTER_S = 2  # of load
crash.PATIENCE_S = (OUTAGE_S + 90) * h.PATIENCE


def play(house, trouble, is_plugin_charged=False):
	"""Load, and in the middle of it trouble(house, deaths)."""
	load = crash.Load(house, random.randrange(1 << 30))
	start = time.monotonic()
	load.begin()
	try:
		time.sleep(BEFORE_S)
		trouble(house, load.deaths)
		house.wait_ready()
		time.sleep(AFTER_S)
	finally:
		load.end()
	say(f"{time.monotonic() - start:.0f} s; {len(load.records)} conversations, {load.count_answered} messages "
	    f"answered, {load.count_again} sent again")
	books = crash.Books(house, load)
	crash.answered(load, books)
	crash.done_once(load, books)
	crash.states_once(load, books)
	crash.codes_once(house, load, books)
	crash.nothing_lost(house, load, books)
	crash.in_order(load, books)
	if not is_plugin_charged:
		crash.nobody_set_aside(house)
	return load, books


def never_repeated(house, load, books):
	"""The daemon lived, so it knew what had become of each attempt."""
	crash.repeats_allowed(house, load, books)
	equal(house.starts, 1, "starts of the daemon")


def refuses_deliveries(house):
	"""Neither acknowledged nor dropped: the sender is told when to come again."""
	person = house.stranger()
	status, _, headers = house.post(webhook.of(person, person.text("hola")), full=True)
	if status != 503:
		return False
	check(int(headers["Retry-After"]) > 0, "no Retry-After")
	return True


# ---- PostgreSQL --------------------------------------------------------------------------------------

def postgres_away():
	"""For a minute."""
	def trouble(house, deaths):
		house.server.halt()
		until(lambda: house.ask("status")["store"] is False, 10 * h.PATIENCE, "status that tells of it")
		until(lambda: refuses_deliveries(house), 10 * h.PATIENCE, "503")
		time.sleep(OUTAGE_S)
		equal(house.http.request("GET", "/readyz")[0], 503, "/readyz")
		house.server.resume()

	with h.House(durable=True, core_apart=True, customers=400) as house:
		never_repeated(house, *play(house, trouble))
		check("the store is away" in house.log(), "the journal does not tell of it")


class SmallDisk:
	"""A file system of its own for what is made meanwhile."""

	def __enter__(self):
		if os.geteuid() != 0:
			raise tap.Skip("only root may mount a file system")
		self.path = tempfile.mkdtemp(prefix="pad.", dir="/tmp")
		done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=1777", "tmpfs", self.path],
				      stderr=subprocess.PIPE, text=True)
		if done.returncode != 0:
			os.rmdir(self.path)
			raise tap.Skip(f"no file system can be mounted here: {done.stderr.strip()}")
		os.environ["PG_TEMP_ROOT"] = self.path
		return self

	def fill(self):
		"""To the last byte; also when something else is given back meanwhile."""
		with open(os.path.join(self.path, "fill"), "ab", buffering=0) as file:
			for size in (1 << 20, 1 << 12, 1):
				try:
					while True:
						file.write(bytes(size))
				except OSError:
					pass

	def empty(self):
		os.remove(os.path.join(self.path, "fill"))

	def __exit__(self, *_):
		del os.environ["PG_TEMP_ROOT"]
		subprocess.run(["umount", self.path], check=True)
		os.rmdir(self.path)


def disk_full():
	"""PostgreSQL may end itself of it, and then somebody starts it again. The daemon goes on."""
	with SmallDisk() as disk, h.House(durable=True, core_apart=True, customers=400,
					  pg_options="-c max_wal_size=32MB -c min_wal_size=32MB") as house:
		def is_refusing():
			disk.fill()
			return refuses_deliveries(house)

		def trouble(house, deaths):
			until(is_refusing, 30 * h.PATIENCE, "503")
			end = time.monotonic() + 5
			while time.monotonic() < end:
				disk.fill()
				time.sleep(0.2)
			said = house.ask("status")
			check(not said["store"] or "No space left" in said.get("store_error", ""),
			      "status does not tell of it", said)
			disk.empty()
			for server in house.server, house.core_server:
				server.drop_sessions()
				if not server.is_running():
					say("PostgreSQL had ended")
					server.resume()

		never_repeated(house, *play(house, trouble))
		check("No space left" in house.log() or "the store is away" in house.log(), "the journal does not tell of it")


# ---- the provider, a plugin ----------------------------------------------------------------------------

TOKEN_EXPIRED = {"kind": "error", "http": 401, "code": 190, "count": -1}


def whatsapp(house):
	return next(channel for channel in house.ask("status")["channels"] if channel["name"] == "whatsapp")


def token_expired():
	"""Answers wait, deliveries are taken, and status says who has to do something. With a token that the
	provider takes, all goes out."""
	def trouble(house, deaths):
		house.graph.faults(TOKEN_EXPIRED)
		said = until(lambda: (lambda told: told["paused_ms"] > 0 and told)(whatsapp(house)), 10 * h.PATIENCE,
			     "a channel that is paused")
		equal(said["last_error"]["code"], 190, "the code that status tells")
		person = house.stranger()
		equal(house.post(webhook.of(person, person.text("hola"))), 200, "a delivery meanwhile")
		time.sleep(5)
		check(int(house.sql("SELECT count(*) FROM outbox WHERE is_open AND channel = (SELECT number FROM channel"
				    " WHERE name = 'whatsapp')")) > 0, "nothing waits")
		house.graph.faults()
		deaths.note_owners()
		house.restart()

	with h.House(durable=True, core_apart=True, customers=400) as house:
		load, _ = play(house, trouble)
		doubled = [outbox for outbox, posts in load.heard.posts.items() if len(posts) > 1]
		equal(doubled, [], "messages that were taken twice")
		check("the channel waits for a person" in house.log(), "the journal has no alarm")


def keep_alive(house, deaths, ends):
	"""What systemd does: starts it again."""
	if house.process.poll() is not None:
		deaths.note()
		ends.append(house.process.returncode)
		house.launch()


def adapter_crashes():
	"""On every delivery: three deaths, and the house goes on without that channel."""
	plugin = os.path.join(h.B, "tests/plugins/deadly-channel.so")
	channel = """	mala = {
		plugin = "deadly-channel";
	};"""
	ends = []

	def trouble(house, deaths):
		def is_off():
			keep_alive(house, deaths, ends)
			try:
				return house.post(b"{}", channel="mala") == 404
			except (OSError, h.http.client.HTTPException):
				return False

		until(is_off, 60 * h.PATIENCE, "an end of the channel")
		house.wait_ready()
		off = [told["name"] for told in house.ask("status")["channels"] if told["disabled"]]
		equal(off, ["mala"], "channels that status calls disabled")

	with h.House(durable=True, core_apart=True, customers=400, plugins=[plugin], channels=channel) as house:
		load, _ = play(house, trouble, is_plugin_charged=True)
		check(len(ends) >= 3 and set(ends) == {-signal.SIGABRT}, f"it died of {ends}")
		check("PROALTO_PLUGIN=deadly-channel" in house.log(), "the journal has no alarm")


DRILLS = [
	("PostgreSQL is away for a minute", postgres_away),
	("the disk is full", disk_full),
	("the token has expired", token_expired),
	("an adapter crashes on every call", adapter_crashes),
]


def main():
	return 1 if tap.run(tap.chosen(DRILLS)) else 0


if __name__ == "__main__":
	sys.exit(main())
