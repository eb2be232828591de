#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory and descriptors in the long run: soak.py [TURNS RELOADS RESTARTS]

So many turns under load, with the configuration read again and PostgreSQL restarted in between, evenly. At
rest after half of it, and at rest at the end, the daemon's anonymous memory and its open descriptors are
compared. In a long run they must not have grown by more than 2 %. A short one (20,000 turns) has hardly warmed
up: 10 % of its memory are some 200 bytes a turn.
"""

import os
import sys
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, say

TALKERS = 12
PEOPLE = 40  # a talker
LONG = 100000  # turns
GROWTH, SHORT_GROWTH = 1.02, 1.10
TEXTS = ["hola", "menú", "mi saldo", "1999700700", "000000", "asesor", "quiero poner una queja", "menú",
	 "no entiendo nada de esto", "gracias"]


def established():
	"""Inodes of TCP connections with somebody at the other end."""
	with open("/proc/net/tcp") as file:
		rows = [line.split() for line in file][1:]
	return {row[9] for row in rows if row[3] == "01"}


class Sample:
	"""The daemon at rest. Connections that both sides keep come and go with the load: they don't count."""

	def __init__(self, house):
		house.settle(120)
		time.sleep(3)
		folder = f"/proc/{house.process.pid}"
		with open(f"{folder}/status") as file:
			self.rss_kib = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
		kept = {f"socket:[{inode}]" for inode in established()}
		self.descriptors = sum(os.readlink(f"{folder}/fd/{fd}") not in kept for fd in os.listdir(f"{folder}/fd"))
		self.turns = house.ask("status")["turns"]

	def __str__(self):
		return f"{self.turns} turns: RssAnon {self.rss_kib} KiB, {self.descriptors} descriptors"


class Talker(threading.Thread):
	def __init__(self, soak):
		super().__init__()
		self.soak = soak
		self.people = [soak.house.stranger() for _ in range(PEOPLE)]

	def run(self):
		try:
			while not self.soak.is_over:
				for text in TEXTS:
					for person in self.people:
						if self.soak.is_over:
							return
						self.soak.may_go.wait()
						self.soak.house.deliver(webhook.of(person, person.text(text)))
		except Exception as error:  # told by the main thread
			self.soak.problems.append(f"{type(error).__name__}: {error}")


class Soak:
	def __init__(self, house, turns, reloads, restarts):
		self.house = house
		self.turns, self.reloads, self.restarts = turns, reloads, restarts
		self.done_reloads = self.done_restarts = 0
		self.problems = []
		self.is_over = False
		self.may_go = threading.Event()
		self.talkers = [Talker(self) for _ in range(TALKERS)]

	def disturb(self, turns):
		"""As many reloads and restarts as there should be by now."""
		share = min(1, turns / self.turns)
		if self.done_reloads < int(self.reloads * share):
			self.done_reloads += 1
			check(self.house.ask("reload").get("reloaded"), "a reload was refused")
		if self.done_restarts < int(self.restarts * share):
			self.done_restarts += 1
			self.house.server.crash()

	def run_to(self, turns):
		self.may_go.set()
		while True:
			now = self.house.ask("status")["turns"]
			self.disturb(now)
			check(not self.problems, "a talker has failed", *self.problems[:3])
			if now >= turns and self.done_reloads >= int(self.reloads * turns / self.turns) and \
			   self.done_restarts >= int(self.restarts * turns / self.turns):
				break
			time.sleep(0.05)
		self.may_go.clear()

	def run(self):
		for talker in self.talkers:
			talker.start()
		try:
			self.run_to(self.turns // 2)
			first = Sample(self.house)
			say(first)
			self.run_to(self.turns)
			last = Sample(self.house)
			say(last)
		finally:
			self.is_over = True
			self.may_go.set()
			for talker in self.talkers:
				talker.join()
		return first, last


def soak(turns, reloads, restarts):
	with h.House(core_apart=True, customers=20, settings={"log": {"level": '"error"'}}) as house:
		start = time.monotonic()
		first, last = Soak(house, turns, reloads, restarts).run()
		say(f"{time.monotonic() - start:.0f} s")
		check(house.starts == 1 and house.process.poll() is None, "the daemon did not live through it")
		growth = GROWTH if turns >= LONG else SHORT_GROWTH
		check(last.rss_kib <= first.rss_kib * growth, f"RssAnon grew from {first.rss_kib} to {last.rss_kib} KiB")
		check(last.descriptors <= first.descriptors * GROWTH,
		      f"descriptors grew from {first.descriptors} to {last.descriptors}")


def main():
	turns, reloads, restarts = [int(word) for word in sys.argv[1:4]] or (20000, 20, 5)
	return 1 if tap.run([(f"{turns} turns, {reloads} reloads and {restarts} restarts of PostgreSQL leave no trace",
			      lambda: soak(turns, reloads, restarts))]) else 0


if __name__ == "__main__":
	sys.exit(main())
