#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two nodes in trouble: node_drills.py [CASE...]

One of them killed every ten seconds, and a host whose clock jumps by an hour, PostgreSQL's too. Load and
checks are those of nodes.py: everything acknowledged is answered once and in order.
"""

import glob
import os
import sys
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))

import nodes
import house as h
import tap
from tap import check, equal, until

KILLS = 4
EVERY_S = 10
AWAY_S = 3  # until whoever looks after a node has started it again
HOUR_S = 3600
FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def start(pair, number):
	if number == 0:
		pair.house.start()
	else:
		pair.start(1)


def killed_in_turns():
	with h.House() as house:
		pair = nodes.Pair(house)
		crowd = nodes.Crowd(pair, people=12, rounds=80, pause=KILLS * EVERY_S / 80)
		crowd.begin()
		for number in range(KILLS):
			pair.kill(number % 2)
			time.sleep(AWAY_S)
			alive = house.rows("SELECT name FROM node WHERE alive_until > now()")
			check([nodes.NAMES[1 - number % 2]] in alive, "the store does not know who lives")
			start(pair, number % 2)
			time.sleep(EVERY_S - AWAY_S)
		crowd.end()
		crowd.check(90)
		equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")
		equal(pair.second.stop(), 0, "the second node's exit status")


class Clock:
	"""Of this host, as whoever runs in its environment sees it."""

	def __init__(self):
		libraries = glob.glob(FAKETIME)
		if not libraries:
			raise tap.Skip("libfaketime is missing")
		self.path = f"/tmp/pac.{os.getpid()}"
		self.environment = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": self.path,
				    "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
		self.turn(0)

	def turn(self, seconds):
		with open(self.path + ".new", "w") as file:
			file.write(f"{seconds:+d}\n")
		os.rename(self.path + ".new", self.path)

	def __enter__(self):
		os.environ["PG_TEMP_ENV"] = " ".join(f"{name}={value}" for name, value in self.environment.items())
		return self

	def __exit__(self, *_):
		del os.environ["PG_TEMP_ENV"]
		os.remove(self.path)


def clock_jumps():
	"""An hour ahead, and back again: what waits just then may change places. And a node that dies just before
	the clock goes back is not waited for."""
	with Clock() as clock, h.House(environment=clock.environment) as house:
		pair = nodes.Pair(house)
		crowd = nodes.Crowd(pair, people=10, rounds=80, pause=0.3)
		crowd.begin()
		time.sleep(4)
		clock.turn(HOUR_S)
		time.sleep(6)
		clock.turn(0)
		time.sleep(6)
		clock.turn(-HOUR_S)
		crowd.end()
		crowd.check(90, in_order=False)
		clock.turn(0)
		pair.make_sender(0)
		pair.kill(0)
		clock.turn(-HOUR_S)
		until(lambda: pair.senders() == [1, 1], 3 * nodes.ALIVE_S * h.PATIENCE, "a take-over after the clock went back")
		house.start()
		equal(pair.second.stop(), 0, "the second node's exit status")


DRILLS = [
	("two nodes, one of them killed every ten seconds", killed_in_turns),
	("the clock jumps by an hour", clock_jumps),
]


def main():
	return 1 if tap.run(tap.chosen(DRILLS)) else 0


if __name__ == "__main__":
	sys.exit(main())
