#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The master key is changed while two daemons on one PostgreSQL are under load.

Customers say what is to be done (script_turn.c) and write to both nodes in turn, as in nodes.py: an answer
counts the turns of its conversation, so a state that could not be opened would show.
"""

import os
import signal
import sys
import threading
import time

import nodes
import house as h
import tap
from tap import check, equal, until


def put_key(house, name, *keys):
	with open(os.path.join(house.folder, name), "w") as file:
		file.write("".join(key + "\n" for key in keys))


def get_key(house, name):
	with open(os.path.join(house.folder, name)) as file:
		return file.read().split()[0]


class Keys(nodes.Pair):
	"""Each node has its own file with keys."""

	def __init__(self, house):
		super().__init__(house)
		self.old = get_key(house, "master.key")
		self.new = os.urandom(32).hex()
		self.second.stop()
		with open(self.second.config_path) as file:
			text = file.read()
		with open(self.second.config_path, "w") as file:
			file.write(text.replace("/master.key", "/second.key"))
		self.put_second(self.old)
		self.second.start()

	def put_first(self, *keys):
		put_key(self.house, "master.key", *keys)

	def put_second(self, *keys):
		path = os.path.join(self.house.folder, "second.key")
		os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
		put_key(self.house, "second.key", *keys)

	def restart_second(self):
		self.second.stop()
		self.second.start()

	def in_force(self):
		return self.house.sql("SELECT encode(id, 'hex') FROM master_key ORDER BY since DESC NULLS LAST LIMIT 1")


def a_store_gets_its_key_once(keys):
	rows = keys.house.rows("SELECT is_first, finished_at IS NOT NULL FROM master_key")
	equal(rows, [["t", "t"]], "the store's keys")


def changed_under_load(keys):
	house, before = keys.house, keys.in_force()
	sealed = dict(house.rows("SELECT id, encode(sealed_key, 'hex') FROM contact"))
	crowd = nodes.Crowd(keys, people=10, rounds=60, pause=0.12)
	crowd.begin()
	time.sleep(1)
	keys.put_first(keys.new, keys.old)
	house.restart()
	time.sleep(3)
	equal(keys.in_force(), before, "the key in force while a node does not have the new one")
	equal(house.ask("status")["master_key"], "waiting for other nodes", "the node's word")
	keys.put_second(keys.new, keys.old)
	keys.restart_second()
	until(lambda: house.rows("SELECT encode(id, 'hex') FROM master_key WHERE finished_at IS NOT NULL") not in
	      ([], [[before]]), 60 * h.PATIENCE, "an end to the change")
	crowd.end()
	crowd.check()
	now = dict(house.rows("SELECT id, encode(sealed_key, 'hex') FROM contact"))
	equal([i for i in sealed if sealed[i] == now[i]], [], "contacts that were not sealed anew")
	equal(house.sql("SELECT count(*) FROM master_key"), "1", "keys that open the store")
	until(lambda: house.ask("status")["master_key"] == "settled", 10, "the node's word")
	for person in crowd.people:
		keys.says(0, person, "say later")
		equal(person.hears().text, "61 later", "the answer of a conversation that goes on")


HELD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::integer); RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION hold(1);
CREATE CONSTRAINT TRIGGER hold_end AFTER INSERT ON contact DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold(2);
"""


def a_commit_that_hangs(keys):
	"""A customer whose key was sealed under the old one just before that was struck out is committed long after, and
	had no number of a transaction until then: he is not left behind."""
	house, newest = keys.house, os.urandom(32).hex()
	finished = "SELECT count(*) FROM master_key WHERE finished_at IS NULL"
	house.rows("INSERT INTO node (id, name, alive_until) VALUES (-1, 'nobody', now() + interval '1 hour')")
	keys.put_first(newest, keys.new)
	keys.put_second(newest, keys.new)
	house.restart()
	keys.restart_second()
	house.rows(HELD)
	house.rows("SELECT pg_advisory_lock(i) FROM generate_series(1, 2) i")
	person = house.stranger()
	writes = threading.Thread(target=keys.says, args=(0, person, "say a"))
	writes.start()
	until(lambda: house.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1", 10 * h.PATIENCE,
	      "a customer who is being stored")
	house.rows("DELETE FROM node WHERE id = -1")
	until(lambda: house.sql("SELECT count(*) FROM master_key") == "1", 20 * h.PATIENCE, "an end of the old key")
	house.rows("SELECT pg_advisory_unlock(1)")
	try:
		time.sleep(4)
		equal(house.sql(finished), "1", "changes that are not over")
	finally:
		house.rows("SELECT pg_advisory_unlock(2)")
		writes.join()
		house.rows("DROP FUNCTION hold CASCADE")
	equal(person.hears(20).text, "1 a", "the answer")
	until(lambda: house.sql(finished) == "0", 20 * h.PATIENCE, "an end to the change")
	keys.new = newest
	the_old_one_goes(keys)
	keys.says(0, person, "say b")
	equal(person.hears().text, "2 b", "the answer under the new key alone")


def the_old_one_goes(keys):
	"""With the new key alone everything can be read: by both, of before and of now."""
	person = keys.house.stranger()
	keys.says(0, person, "say a")
	equal(person.hears().text, "1 a", "the answer")
	keys.put_first(keys.new)
	keys.put_second(keys.new)
	keys.house.restart()
	keys.restart_second()
	for i in range(4):
		keys.says(i % 2, person, f"say {i}")
		equal(person.hears().text, f"{i + 2} {i}", "the answer")
	check("can't be opened" not in keys.house.log(), "something could not be opened", keys.house.log_tail(60))


def the_old_one_is_refused(keys):
	keys.put_second(keys.old)
	keys.second.stop()
	size = len(keys.house.log())
	keys.second.process = h.subprocess.Popen(
		[os.path.join(h.B, "proaltod"), "--config", keys.second.config_path], stdin=h.subprocess.DEVNULL,
		stdout=open(keys.house.log_path, "ab"), stderr=h.subprocess.STDOUT, cwd=keys.second.folder)
	until(lambda: "is not a key of this store" in keys.house.log()[size:], 20 * h.PATIENCE, "a refusal")
	person = keys.house.stranger()
	equal(keys.post(1, h.webhook.of(person, person.text("say b"))) in (0, 503), True, "the webhook is refused")
	keys.put_second(keys.new)
	keys.restart_second()


def a_node_that_was_away(keys):
	"""Drained, it is not waited for; with a key of before it can't come back."""
	house, newest = keys.house, os.urandom(32).hex()
	person = house.stranger()
	keys.says(0, person, "say a")
	equal(person.hears().text, "1 a", "the answer")
	house.ctl("drain", "--reason", "prueba")
	before = keys.in_force()
	keys.put_second(newest, keys.new)
	keys.restart_second()
	until(lambda: house.rows("SELECT encode(id, 'hex') FROM master_key WHERE finished_at IS NOT NULL") not in
	      ([], [[before]]), 60 * h.PATIENCE, "an end to the change")
	size = len(house.log())
	house.ask("undrain", reason="prueba")
	until(lambda: "is not a key of this store" in house.log()[size:], 10 * h.PATIENCE, "a refusal")
	equal(keys.post(0, h.webhook.of(person, person.text("say b"))), 503, "the webhook of the node without the key")
	equal(house.sql(f"SELECT count(*) FROM node WHERE name = '{nodes.NAMES[0]}' AND alive_until > now()"), "0", "its leases")
	keys.says(1, person, "say b")
	equal(person.hears(20).text, "2 b", "the other one's answer")
	keys.put_first(newest, keys.new)
	house.restart()
	keys.says(0, person, "say c")
	equal(person.hears().text, "3 c", "the answer with the key")


def a_node_that_slept(keys):
	"""Taken for dead, it was not waited for: what another key seals by now it must not touch."""
	house, known = keys.house, keys.in_force()
	house.rows("UPDATE master_key SET id = substr(sha256(id), 1, 16)")
	try:
		equal([node.process.wait(10 * h.PATIENCE) for node in keys.nodes], [-signal.SIGABRT] * 2, "how they end")
	finally:
		house.rows(f"UPDATE master_key SET id = decode('{known}', 'hex')")
	check("that this node does not have" in house.log(), "the journal does not say why")
	house.start()
	keys.second.start()


TESTS = [
	("a store gets its key once", a_store_gets_its_key_once),
	("the master key is changed under load", changed_under_load),
	("the old key goes and nothing is missing", the_old_one_goes),
	("a commit that hangs leaves no key behind", a_commit_that_hangs),
	("the old key is refused", the_old_one_is_refused),
	("a node that slept through a change ends", a_node_that_slept),
	("a node that was away from a change is refused", a_node_that_was_away),
]


def main():
	with h.House() as house:
		keys = Keys(house)
		person = house.stranger()
		keys.says(0, person, "say first")
		person.hears()
		status = 1 if tap.run(TESTS, keys) else 0
		if status:
			tap.say(house.log_tail(60))
		if keys.second.stop() != 0:
			status = 1
	return status


if __name__ == "__main__":
	sys.exit(main())
