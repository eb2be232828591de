#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The store's primary dies under load and its synchronous standby takes over: failover.py [ROUNDS] [SEED]

The daemon is told of both servers and finds the one that takes writes by itself. What was acknowledged
must be answered and every turn done once, as in crash.py, whose load and whose books these are. The
server that died comes back as the other one's standby and takes over in the next round.
"""

import os
import random
import sys
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))

import crash
import house as h
import postgres
import tap
import webhook
from tap import check, equal, say

LOAD_S = 3  # before and after each take-over
TABLES = ["inbox", "outbox", "receipt", "evidence_batch", "consent", "service_case", "contact", "node"]


class TwoServers(h.House):
	"""A house whose store has a standby. server is the primary, spare what follows it or is dead."""

	def __init__(self, **more):
		self.spare = None
		super().__init__(durable=True, core_apart=True, customers=400, start=False, **more)
		self.spare = postgres.Server(durable=True)
		self.spare.follow(self.server)

	def connect_to(self, *servers, more=""):
		self.settings["store"] = {"database": '"host={} port=5432 dbname=proalto user=proalto{}"'.format(
			",".join(server.host for server in servers), more)}
		self.write_config()

	def fail_over(self, meanwhile):
		"""Kills the primary; promotes the standby after meanwhile() has been called."""
		self.server.halt()
		meanwhile()
		self.spare.promote()
		self.server, self.spare = self.spare, self.server

	def close(self, failed=False):
		super().close(failed)
		if self.spare:
			self.spare.stop()


def a_standby_is_refused(house):
	"""Whatever the connection string asks for: the house needs a server that takes writes."""
	house.connect_to(house.spare, more=" target_session_attrs=any")
	try:
		house.ctl("db", "status")
	except AssertionError as error:
		check("read-only" in str(error) or "hot standby" in str(error), "the refusal does not say why", error)
	else:
		raise AssertionError("a standby was taken for the store")


def is_refused_meanwhile(house):
	"""A delivery is neither acknowledged nor dropped: its sender is told when to come again."""
	person = house.stranger()
	body = webhook.of(person, person.text("hola"))
	tap.until(lambda: not house.is_answering(), 20 * h.PATIENCE, "word that the store is away")
	status, _, headers = house.post(body, full=True)
	equal(status, 503, "the answer to a delivery without a store")
	check(int(headers["Retry-After"]) > 0, "no Retry-After")
	check(house.ask("status")["store"] is False, "status says that the store is there")


def run(house, rounds, seed):
	load = crash.Load(house, seed)
	start = time.monotonic()
	load.begin()
	try:
		for number in range(rounds):
			if number:
				house.spare.follow(house.server)
			time.sleep(LOAD_S)
			house.fail_over(lambda: is_refused_meanwhile(house))
			house.wait_ready()
			time.sleep(LOAD_S)
			load.count_drills += 1
			if load.problems:
				break
	finally:
		load.end()
	say(f"seed {seed}: {load.count_drills} take-overs in {time.monotonic() - start:.0f} s; {len(load.records)} "
	    f"conversations, {load.count_answered} messages answered, {load.count_again} sent again")
	return load


def the_daemon_lived(house, log):
	equal(house.starts, 1, "starts of the daemon")
	check("the store is away" in log and log.count("the store is there") >= 2, "the journal does not tell of it")


def ids_are_unique(house):
	"""Also those drawn from blocks of the new primary."""
	drawn = int(house.sql("SELECT last_value FROM id_block"))
	house.restart()
	person = house.stranger()
	person.says("hola")
	check("Asistente" in person.hears().text, "no answer after the restart")
	house.settle()
	check(int(house.sql("SELECT last_value FROM id_block")) > drawn, "no new block was drawn")
	every = " UNION ALL ".join(f"SELECT id FROM {table}" for table in TABLES)
	equal(house.rows(f"SELECT id FROM ({every}) i GROUP BY id HAVING count(*) > 1 LIMIT 5"), [], "ids given twice")


def main():
	rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
	seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
	with TwoServers() as house:
		refused = tap.run([("a standby is no store", lambda: a_standby_is_refused(house))])
		house.connect_to(house.server, house.spare)
		house.start()
		load = run(house, rounds, seed)
		log = house.log()
		books = crash.Books(house, load)
		failed = tap.run([
			(f"after {rounds} take-overs every acknowledged message was answered",
			 lambda: crash.answered(load, books)),
			("every turn was done once", lambda: crash.done_once(load, books)),
			("every turn wrote its state once", lambda: crash.states_once(load, books)),
			("codes were sent once, counted once and wiped", lambda: crash.codes_once(house, load, books)),
			("nothing was lost", lambda: crash.nothing_lost(house, load, books)),
			("nothing was posted twice", lambda: crash.repeats_allowed(house, load, books)),
			("the order was kept", lambda: crash.in_order(load, books)),
			("nothing is left", lambda: crash.nobody_set_aside(house)),
			("the daemon went on by itself", lambda: the_daemon_lived(house, log)),
			("ids stay unique", lambda: ids_are_unique(house)),
		])
		if failed:
			say(house.log_tail(40))
	return 1 if failed or refused else 0


if __name__ == "__main__":
	sys.exit(main())
