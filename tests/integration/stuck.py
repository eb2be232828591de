#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What does not come back, what dies too often, and what systemd hears of it: a core and a language
plugin that misbehave when told so, and threads of the daemon and PostgreSQL that are held fast."""

import ctypes
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal, until

AWAY = "no responde"
STORE_AWAY = "La base de datos no responde"
DEADLINE = 1  # of a call to the core, in seconds; a second more until nobody waits for it
FIXTURES = [os.path.join(h.B, "tests/plugins", name) for name in ("unruly.so", "unruly-words.so")]


class Ear:
	"""The socket on which systemd would hear the daemon; what came, with its time."""

	def __init__(self, folder):
		self.path = os.path.join(folder, "notify")
		self.heard = []
		self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		self.socket.bind(self.path)
		threading.Thread(target=self.listen, daemon=True).start()

	def listen(self):
		while True:
			self.heard.append((time.monotonic(), self.socket.recv(4096).decode()))

	def feeds(self, seconds):
		"""How often the watchdog is fed from now on."""
		start = time.monotonic()
		time.sleep(seconds)
		return sum("WATCHDOG=1" in text for at, text in list(self.heard) if at >= start)

	def hears(self, words, since, seconds=10):
		"""Waits for a message with these words, after so many."""
		return until(lambda: next((text for _, text in self.heard[since:] if words in text), None),
			     seconds * h.PATIENCE, f"systemd hears {words}")

	def status(self):
		return next((text for _, text in reversed(list(self.heard)) if "STATUS=" in text), "")


class Unruly(h.House):
	"""A house whose core and language obey order()."""

	def __init__(self, deadline=DEADLINE, words=False, **work):
		self.folder_of_orders = tempfile.mkdtemp(prefix="pao.", dir="/tmp")
		self.ear = Ear(self.folder_of_orders)
		self.people = 0
		settings = {"work": {"stuck_after": '"2 s"', "turn_deadline": '"5 s"', **work}}
		if words:
			settings["bottom"] = f'language = {{ plugin = "unruly-words"; orders = "{self.orders("words")}"; }};'
		super().__init__(customers=1, plugins=FIXTURES, settings=settings,
				 environment={"NOTIFY_SOCKET": self.ear.path}, core=f'''
		plugin = "unruly";
		orders = "{self.orders("core")}";
		deadline = "{deadline} s";
		breaker_pause = "500 ms";''')

	def orders(self, whose):
		return os.path.join(self.folder_of_orders, whose)

	def order(self, what, whose="core"):
		with open(self.orders(whose) + ".new", "w") as file:
			file.write(what)
		os.rename(self.orders(whose) + ".new", self.orders(whose))

	def somebody(self):
		"""Somebody whom the core knows, at the question for his cédula."""
		self.people += 1
		mobile = f"573000000{self.people:03d}"
		person = h.Customer(self, phone=mobile, record={"document": "100" + mobile[-7:], "mobile": mobile})
		person.says("hola")
		person.taps(person.hears_all()[-1], "Sí, autorizo")
		person.hears_all()
		person.says("mi saldo")
		person.hears_all()
		return person

	def gets_balance(self, person):
		person.says(person.document)
		self.settle()
		person.hears_all()
		person.says(self.sms_code(person.mobile))
		check(any("1.250.000" in b.text for b in person.hears_all()), "no balance")

	def close(self, failed=False):
		super().close(failed)
		h.shutil.rmtree(self.folder_of_orders, ignore_errors=True)


def answers_in(person, seconds, words):
	"""Waits for an answer with these words; takes what came."""
	until(lambda: any(words in b.text for b in person.bubbles()), seconds * h.PATIENCE,
	      f"an answer with {words!r}")
	person.seen = person.bubbles()[-1].n


# ---- calls -----------------------------------------------------------------------------------------

def never_returns():
	with Unruly() as house:
		victim, other = house.somebody(), house.somebody()
		house.order("hang")
		victim.says(victim.document)
		answers_in(victim, DEADLINE + 2.5, AWAY)
		other.says("menú")
		answers_in(other, 2, "ayudar")
		stuck = until(lambda: house.ask("status")["stuck_calls"], 10 * h.PATIENCE, "a call written off")
		equal((stuck[0]["plugin"], stuck[0]["call"]), ("unruly", "find_customer"), "what is stuck")
		until(lambda: "unruly (find_customer)" in house.ear.status(), 10 * h.PATIENCE, "what systemd hears")
		check("its thread is written off, 1 of 3" in house.log(), "the journal does not tell of it")
		# Each trial of the breaker costs one more.
		until(lambda: house.process.poll() is not None, 30 * h.PATIENCE, "an end after three")
		equal(house.process.returncode, -signal.SIGABRT, "how it ended")
		check("ending: 3 calls do not come back, such as one to unruly (find_customer)" in house.log(),
		      "the journal does not say why")
		house.order("behave")
		house.start()
		house.gets_balance(house.somebody())
		house.advance(120)
		until(lambda: any("Ya" in b.text or "volvió" in b.text for b in victim.bubbles()), 20 * h.PATIENCE,
		      "word that the core is back")
		equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")


def returns_late():
	with Unruly() as house:
		victim = house.somebody()
		house.order("late 4000")
		victim.says(victim.document)
		answers_in(victim, DEADLINE + 2.5, AWAY)
		house.order("behave")
		until(lambda: "came back" in house.log(), 10 * h.PATIENCE, "the call's late return")
		house.settle()
		check("dropped" in house.log(), "the journal does not say what became of it")
		equal(house.all_sms(victim.mobile), [], "codes sent by the answer that came too late")
		equal(house.ask("status")["stuck_calls"], [], "what is stuck")
		victim.hears_all()
		house.gets_balance(house.somebody())
		until(lambda: house.ask("status")["core"] == "up", 10 * h.PATIENCE, "a core that is up again")
		victim.says("mi saldo")
		victim.hears_all()
		house.gets_balance(victim)
		equal(house.stop(), 0, "exit status")


def turn_has_a_deadline():
	with Unruly(deadline=20, turn_deadline='"1 s"') as house:
		victim = house.somebody()
		house.order("late 6000")
		victim.says(victim.document)
		answers_in(victim, 1 + 2.5, AWAY)


def language_never_returns():
	with Unruly(words=True) as house:
		people = [house.stranger() for _ in range(4)]
		for person in people:
			person.says("hola")
			person.taps(person.hears_all()[-1], "Sí, autorizo")
			person.hears_all()
		house.order("hang", "words")
		people[0].says("quisiera saber del asunto aquel de la otra vez")
		answers_in(people[0], 2 + 3.5, "")
		house.order("behave", "words")
		for person in people[1:]:
			person.says("quisiera saber del asunto aquel de la otra vez")
			answers_in(person, 3, "")
		stuck = until(lambda: house.ask("status")["stuck_calls"], 10 * h.PATIENCE, "a call written off")
		equal((stuck[0]["plugin"], stuck[0]["call"]), ("unruly-words", "classify"), "what is stuck")
		equal(house.stop(), 0, "exit status with a thread that never comes back")


# ---- deaths ----------------------------------------------------------------------------------------

def relaunch(house, deaths):
	if house.process.poll() is not None:
		deaths.append(house.process.returncode)
		house.launch()


def charges(house):
	try:
		return int(house.sql("SELECT count(*) FROM plugin_charge"))
	except h.postgres.SqlError:
		return 0


def dies_too_often(words):
	plugin = "unruly-words" if words else "unruly"
	with Unruly(words=words) as house:
		deaths = []
		people = [house.somebody() for _ in range(3)]
		house.order("die", "words" if words else "core")
		for person in people[:2]:
			text = "quisiera saber del asunto aquel de la otra vez" if words else person.document
			body = webhook.of(person, person.text(text))
			house.deliver(body, meanwhile=lambda: relaunch(house, deaths))
		until(lambda: relaunch(house, deaths) or len(deaths) >= 3, 60 * h.PATIENCE, "three deaths")
		house.wait_ready()
		until(lambda: charges(house) >= 3, 10 * h.PATIENCE, "three charges")
		# It is not called any more: else this would be the fourth.
		people[2].says("qué asunto tan raro es este" if words else people[2].document)
		answers_in(people[2], 20, "" if words else AWAY)
		status = house.ask("status")
		check(status["language_disabled" if words else "core_disabled"], "status does not say so", status)
		check(words or status["core"] == "down", "status says that the core is up")
		house.settle()
		check(house.process.poll() is None, "the daemon died again")
		equal(set(deaths), {-signal.SIGABRT}, "how it died")
		check(f"PROALTO_PLUGIN={plugin}" in house.log() and "is disabled until" in house.log(),
		      "the journal has no alarm")


# ---- the watchdog ----------------------------------------------------------------------------------

SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, tid):
	if libc.ptrace(request, tid, None, None) != 0:
		raise tap.Skip(f"ptrace: {os.strerror(ctypes.get_errno())}")


class Held:
	"""The daemon's threads of a name, which stand still meanwhile."""

	def __init__(self, house, name):
		folder = f"/proc/{house.process.pid}/task"
		self.tids = [int(tid) for tid in os.listdir(folder)
			     if open(f"{folder}/{tid}/comm").read().strip() == name]
		check(self.tids, f"no thread {name}")

	def __enter__(self):
		for tid in self.tids:
			ptrace(SEIZE, tid)
			ptrace(INTERRUPT, tid)
			os.waitpid(tid, WALL)

	def __exit__(self, *_):
		for tid in self.tids:
			ptrace(DETACH, tid)


def write_apart(person, text):
	"""Posts from another thread, for it may be long until it is answered."""
	body = webhook.of(person, person.text(text))
	thread = threading.Thread(target=person.house.deliver, args=(body,))
	thread.start()
	return thread


def fed_while_all_moves(house):
	feeds = house.ear.feeds(3)
	check(feeds >= 3, f"the watchdog is fed {feeds} times in 3 s")


def main_loop_hangs(house):
	with Held(house, "proaltod"):
		equal(house.ear.feeds(2), 0, "feeds while the main loop hangs")
	fed_while_all_moves(house)


def writer_hangs(house):
	person = house.stranger()
	with Held(house, "writer"):
		fed_while_all_moves(house)  # it has nothing to do
		thread = write_apart(person, "hola")
		time.sleep(6)
		equal(house.ear.feeds(2), 0, "feeds while the writer hangs")
	check("the writer does not move" in house.log(), "the journal does not say what hangs")
	thread.join()
	fed_while_all_moves(house)
	check("Asistente" in person.hears().text, "no answer afterwards")


def worker_hangs(house):
	person = house.somebody()
	house.order("late 600")
	person.says(person.document)
	time.sleep(0.3)
	with Held(house, "worker"):
		time.sleep(1 + 5 + 5 + 1)  # its turn's deadline, the grace, the stillness
		equal(house.ear.feeds(2), 0, "feeds while a worker hangs")
	house.order("behave")
	check("a worker does not move" in house.log(), "the journal does not say what hangs")
	fed_while_all_moves(house)
	house.settle()


def processes_of(server):
	"""PostgreSQL's processes, the postmaster first."""
	with open(os.path.join(server.directory, "data/postmaster.pid")) as file:
		first = int(file.readline())
	found = [first]
	for pid in filter(str.isdigit, os.listdir("/proc")):
		try:
			with open(f"/proc/{pid}/stat") as file:
				parent = int(file.read().rsplit(")", 1)[1].split()[1])
		except (OSError, ValueError):
			continue
		if parent == first:
			found.append(int(pid))
	return found


def store_hangs(house):
	"""PostgreSQL takes no breath, with work waiting for it, for longer than anything may stand still."""
	people = [house.stranger() for _ in range(4)]
	for person in people:  # known, so that what they write gets as far as the writer
		person.says("hola")
		person.hears_all()
	frozen = processes_of(house.server)
	threads = []
	try:
		for pid in frozen:
			os.kill(pid, signal.SIGSTOP)
		for person in people:
			threads.append(write_apart(person, "hola otra vez"))
			time.sleep(0.2)
		time.sleep(6)
		check(house.ear.feeds(4) >= 6, "the watchdog is not fed while PostgreSQL hangs")
	finally:
		for pid in frozen:
			os.kill(pid, signal.SIGCONT)
	for thread in threads:
		thread.join()
	check("does not move" not in house.log(), "the journal blames the daemon")
	for person in people:
		person.hears(20)
	check(house.process.poll() is None, "the daemon ended")


def store_is_away(house):
	house.server.halt()
	try:
		time.sleep(6)
		check(house.ear.feeds(4) >= 6, "the watchdog is not fed while PostgreSQL is away")
		until(lambda: STORE_AWAY in house.ear.status(), 10 * h.PATIENCE, "a status that tells of it")
	finally:
		house.server.resume()
	house.wait_ready()
	until(lambda: STORE_AWAY not in house.ear.status(), 10 * h.PATIENCE, "a status that tells of its return")


# ---- what else systemd hears -----------------------------------------------------------------------

def stops(house):
	since = len(house.ear.heard)
	equal(house.stop(), 0, "exit status")
	house.ear.hears("STOPPING=1", since)


def starts_with_the_store_away(house):
	"""Ready means listening: providers are told to come again, and the start does not fail."""
	stops(house)
	house.server.halt()
	since = len(house.ear.heard)
	try:
		house.launch()
		house.ear.hears("READY=1", since, 20)
		house.ear.hears(STORE_AWAY, since)
		equal(house.http.request("GET", "/readyz")[0], 503, "the answer to who looks whether it serves")
	finally:
		house.server.resume()
	house.wait_ready()


def reloads(house):
	"""A good file and a bad one: systemd waits from the first message, which bears its time, to the second."""
	for line in ("", "nada = ;"):
		house.settings["top"] = line
		house.write_config()
		since, earliest = len(house.ear.heard), time.monotonic_ns() // 1000
		house.process.send_signal(signal.SIGHUP)
		said = house.ear.hears("RELOADING=1", since)
		house.ear.hears("READY=1", since)
		at = int(re.search(r"^MONOTONIC_USEC=(\d+)$", said, re.M).group(1))
		check(earliest <= at <= time.monotonic_ns() // 1000, f"the time of the reload is {at}")
	check("the old configuration stays in force" in house.log(), "the bad file was taken")
	del house.settings["top"]
	house.write_config()


SYSTEMD = [
	("watchdog: fed while all moves", fed_while_all_moves),
	("watchdog: PostgreSQL hangs, with work waiting", store_hangs),
	("watchdog: PostgreSQL is away", store_is_away),
	("systemd hears of a start with PostgreSQL away", starts_with_the_store_away),
	("systemd hears of reloads", reloads),
	("watchdog: the main loop hangs", main_loop_hangs),
	("watchdog: the writer hangs", writer_hangs),
	("watchdog: a worker hangs", worker_hangs),
	("systemd hears of the end", stops),
]
CALLS = [
	("a call to the core never returns", never_returns),
	("a call to the core returns late", returns_late),
	("a turn has a deadline", turn_has_a_deadline),
	("a call to the language plugin never returns", language_never_returns),
	("a core that dies too often is disabled", lambda: dies_too_often(False)),
	("a language plugin that dies too often is disabled", lambda: dies_too_often(True)),
]


def main():
	calls, systemd = tap.chosen(CALLS), tap.chosen(SYSTEMD)
	failed = tap.run(calls) if calls else 0
	if systemd:
		with Unruly(turn_deadline='"1 s"') as house:
			failed += tap.run(systemd, house)
			if failed:
				tap.say(house.log_tail(30))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
