#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The keeper: what a start takes up, however much of it and in whatever order it was stamped, and signs of
life once a second beside tables of millions of rows. Customers say what is to be done (script_turn.c).
"""

import os
import re
import signal
import struct
import sys
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
os.environ["B"] = os.path.join(os.environ.get("B", "build"), "tests/scripted")

import house as h
import tap
from tap import check, equal, until

KEYS = 2_000_000   # of dedup, every second one past its time
SENT = 500_000     # messages that are done
WAITING = 50_000   # messages that are not, one a conversation
ALIVE_S = 10
MOST_BETWEEN_BEATS_S = 3

COPIES = 600       # of an event or a message: together more than a job's memory may be (64 MiB)
LONG = 150_000     # bytes of one
FLIGHTS = 64       # places in the record of what was in hand
WORDS = 2000       # of other nodes, at once


def statements(path):
	"""The statements of a file under sql/queries, by name."""
	with open(os.path.join(h.postgres.TOP, "sql/queries", path)) as file:
		parts = re.split(r"^-- name: (\w+)\n", file.read(), flags=re.M)[1:]
	return {name: re.sub(r"^--.*\n", "", text, flags=re.M) for name, text in zip(parts[::2], parts[1::2])}


def fill(house):
	"""One message that waits becomes many, each of a person of its own."""
	house.graph.process.send_signal(signal.SIGSTOP)  # it answers nothing
	person = house.stranger()
	person.says("say hola")
	until(lambda: house.sql("SELECT count(*) FROM outbox WHERE is_open") != "0", 10 * h.PATIENCE, "a message")
	house.kill()
	house.rows("SET synchronous_commit = off")
	house.rows("INSERT INTO dedup SELECT sha256(int8send(i)), now() - (i % 2) * interval '30 days'"
		   f" FROM generate_series(1, {KEYS}) i")
	columns = ("channel, class, {open} AS is_open, is_secret, {state} AS state, 0 AS statuses, 0 AS tries, reply_to_inbox,"
		   " payload")
	one = "(SELECT * FROM outbox WHERE is_open ORDER BY id LIMIT 1) o"
	names = "channel, class, is_open, is_secret, state, statuses, tries, reply_to_inbox, payload"
	house.rows(f"INSERT INTO outbox (id, at, conversation_id, {names}) SELECT -i, at - interval '1 hour', conversation_id,"
		   f" {columns.format(open='false', state=3)} FROM {one}, generate_series(1, {SENT}) i")
	house.rows("INSERT INTO contact (id, created_at, sealed_key, who) SELECT 1e12::bigint + i, now(), sealed_key, who"
		   f" FROM contact, generate_series(1, {WAITING}) i WHERE id < 1e12")
	house.rows("INSERT INTO conversation (id, owner, epoch, last_inbound_at) SELECT (1e12::bigint + i) * 256 + id % 256,"
		   f" owner, 1, now() FROM conversation, generate_series(1, {WAITING}) i WHERE id < 256e12")
	house.rows(f"INSERT INTO outbox (id, at, conversation_id, {names}) SELECT 1e12::bigint + i, at - i * interval '1 ms', (1e12::bigint + i) * 256"
		   f" + conversation_id % 256, {columns.format(open='true', state=0)} FROM {one}, generate_series(1, {WAITING}) i")
	for table in ("external_id (tag, at)", "code_sent (person, at, is_owner, asked_by)",
		      "early_receipt (tag, at, status, id)"):
		more = {"external_id": "", "code_sent": ", true, i", "early_receipt": ", 2, i"}[table.split()[0]]
		house.rows(f"INSERT INTO {table} SELECT substr(sha256(int8send(i)), 1, 16), now() - (i % 2) * interval '30 days'"
			   f"{more} FROM generate_series(1, 1000) i")
	house.rows("ANALYZE")


def beats(house, seconds):
	"""The longest time between two signs of life."""
	longest, end = 0, time.monotonic() + seconds
	while time.monotonic() < end:
		left = house.sql("SELECT extract(epoch FROM alive_until - now()) FROM node WHERE alive_until > '-infinity'")
		longest = max(longest, ALIVE_S - float(left))
		time.sleep(0.1)
	return longest


def old_keys(house):
	return int(house.sql("SELECT count(*) FROM dedup WHERE at < now() - interval '20 days'"))


def starts_with_much_to_do(house):
	start = time.monotonic()
	house.start()
	tap.say(f"{WAITING} messages taken up in {time.monotonic() - start:.1f} s")
	waiting = house.ask("status")
	tap.say({key: value for key, value in waiting.items() if "wait" in key or "lane" in key})
	longest = beats(house, 8)
	tap.say(f"{longest:.2f} s between two signs of life at most")
	check(longest < MOST_BETWEEN_BEATS_S * h.PATIENCE, f"no sign of life for {longest:.1f} s")


def forgets_in_bounded_steps(house):
	before, start = old_keys(house), time.monotonic()
	longest = beats(house, 8)
	rate = (before - old_keys(house)) / (time.monotonic() - start)
	tap.say(f"{rate:.0f} keys forgotten a second; {longest:.2f} s between two signs of life at most")
	check(1000 < rate < 40_000, f"{rate:.0f} keys forgotten a second")
	check(longest < MOST_BETWEEN_BEATS_S * h.PATIENCE, f"no sign of life for {longest:.1f} s")
	equal(int(house.sql("SELECT count(*) FROM dedup WHERE at > now() - interval '1 day'")), KEYS // 2 + 1, "keys that stay")


def small_tables_are_looked_through(house):
	for table in ("external_id", "code_sent", "early_receipt"):
		equal(house.rows(f"SELECT count(*) FROM {table} WHERE at < now() - interval '20 days'")[0][0], "0", f"old rows in {table}")
		equal(house.rows(f"SELECT count(*) FROM {table}")[0][0], "500", f"rows in {table}")


def nothing_is_scanned(house):
	"""As prepared on empty tables, by the plans that are kept."""
	for name, value in (("enable_seqscan", "off"), ("enable_mergejoin", "off"), ("enable_bitmapscan", "off"),
			    ("plan_cache_mode", "force_generic_plan")):
		house.rows(f"SET {name} = {value}")
	for name, text in statements("keeper.sql").items():
		if name == "others_hear":
			continue
		count = max([int(n) for n in re.findall(r"\$(\d+)", text)], default=0)
		house.rows(f"PREPARE {name} AS {text}")
		arguments = f"({', '.join(['NULL'] * count)})" if count else ""
		plan = "\n".join(row[0] for row in house.rows(f"EXPLAIN EXECUTE {name}{arguments}"))
		scanned = re.findall(r"Seq Scan on (dedup|outbox\w*|inbox\w*|conversation|contact|timer|external_id|early_receipt)"
				     r"\b", plan)
		if name == "partitions_stray":  # which are empty, or there is an alarm
			scanned = [table for table in scanned if not table.endswith("_default")]
		check(not scanned, f"{name} scans {scanned}", plan)
		if name == "dedup_expire":
			check("Tid Range Scan" in plan, f"{name} is not bounded", plan)


# ---- what a start takes up --------------------------------------------------------------------------

def stop_in_time(house, person, text):
	"""Acknowledged, and the daemon dies before the second of quiet is over."""
	person.says("quiet;" + text)
	house.kill()
	equal(house.sql("SELECT count(*) FROM work"), "1", "events that wait")


def copy_person(house, count):
	"""The newest person becomes many; ids of the copies are 1e12 and more."""
	house.rows("SET synchronous_commit = off")
	house.rows("INSERT INTO contact (id, created_at, sealed_key, who) SELECT 1e12::bigint + i, now(), c.sealed_key, c.who"
		   f" FROM (SELECT * FROM contact WHERE id < 1e12 ORDER BY id DESC LIMIT 1) c, generate_series(1, {count}) i")
	house.rows("INSERT INTO conversation (id, owner, epoch, last_inbound_at) SELECT (1e12::bigint + i) * 256 + c.id % 256,"
		   " c.owner, 1, now() FROM (SELECT * FROM conversation WHERE id < 256e12 ORDER BY id DESC LIMIT 1) c,"
		   f" generate_series(1, {count}) i")


def copy_event(house, count):
	"""The event that waits becomes one of each copy."""
	house.rows("INSERT INTO inbox (id, at, channel, conversation_id, kind, payload) SELECT 1e12::bigint + i, at, channel,"
		   " (1e12::bigint + i) * 256 + conversation_id % 256, kind, payload FROM (SELECT n.* FROM inbox n JOIN work w"
		   f" ON w.id = n.id) one, generate_series(1, {count}) i")
	house.rows("INSERT INTO work (id, conversation_id, at) SELECT 1e12::bigint + i, (1e12::bigint + i) * 256"
		   f" + conversation_id % 256, at FROM work, generate_series(1, {count}) i")


def forget_copies(house):
	house.settle(60)
	house.rows("DELETE FROM inbox WHERE id > 1e12")
	house.rows("DELETE FROM outbox WHERE id > 1e12")
	house.rows("DELETE FROM conversation WHERE id > 256e12")
	house.rows("DELETE FROM contact WHERE id > 1e12")


def much_work(house):
	"""More than a job's memory may be, in many conversations and in one."""
	person = house.stranger()
	stop_in_time(house, person, "say a;" + "-" * LONG)
	copy_person(house, COPIES)
	copy_event(house, COPIES)
	house.rows("INSERT INTO inbox (id, at, channel, conversation_id, kind, payload) SELECT 2e12::bigint + i, n.at, n.channel,"
		   " n.conversation_id, n.kind, n.payload FROM inbox n JOIN work w ON w.id = n.id AND w.id < 1e12,"
		   f" generate_series(1, {COPIES}) i")
	house.rows("INSERT INTO work (id, conversation_id, at) SELECT 2e12::bigint + i, conversation_id, at FROM work,"
		   f" generate_series(1, {COPIES}) i WHERE id < 1e12")
	house.settings["work"] = {"quiet": '"1 ms"', "quiet_max": '"1 ms"'}
	house.write_config()
	start = time.monotonic()
	house.start()
	tap.say(f"{2 * COPIES * LONG >> 20} MiB of events taken up in {time.monotonic() - start:.1f} s")
	person.says("say the last")
	forget_copies(house)
	heard = [bubble.text for bubble in person.bubbles()]
	house.configure("work", "quiet_max", None)
	house.configure("work", "quiet", None)
	equal(len(heard), 2 * COPIES + 2, "answers")
	equal([text for text in heard if "last" in text], [f"{COPIES + 2} the last"], "the answer to what came afterwards")
	person.seen = person.bubbles()[-1].n


def much_to_send(house):
	house.graph.process.send_signal(signal.SIGSTOP)
	person = house.stranger()
	person.says("say a;say " + "-" * LONG)
	until(lambda: house.sql("SELECT count(*) FROM outbox WHERE is_open") == "2", 10 * h.PATIENCE, "the messages")
	house.kill()
	house.graph.process.send_signal(signal.SIGCONT)
	copy_person(house, COPIES)
	house.rows("INSERT INTO outbox (id, at, conversation_id, channel, class, is_open, is_secret, state, tries, reply_to_inbox,"
		   " payload) SELECT 1e12::bigint + i, at, (1e12::bigint + i) * 256 + conversation_id % 256, channel, class, true,"
		   " false, 0, 0, reply_to_inbox, payload FROM (SELECT * FROM outbox WHERE is_open ORDER BY length(payload) DESC"
		   f" LIMIT 1) o, generate_series(1, {COPIES}) i")
	house.start()
	equal(person.hears(20).text, "1 a", "the first message")
	forget_copies(house)


def stamped_by_a_clock_ahead(house):
	"""What another node's clock stamped, or our own before it was put back, goes first all the same."""
	person = house.stranger()
	stop_in_time(house, person, "say a")
	house.rows("UPDATE inbox SET at = at + interval '10 minutes' WHERE id IN (SELECT id FROM work)")
	house.rows("UPDATE work SET at = at + interval '10 minutes'")
	house.start()
	person.says("say b")
	equal([person.hears().text, person.hears().text], ["1 a", "2 b"], "the answers")


def charged_once(house):
	"""The store refuses to charge one of many events: the others are not charged again."""
	person = house.stranger()
	stop_in_time(house, person, "say a")
	copy_person(house, FLIGHTS)
	copy_event(house, FLIGHTS)
	# The first place of the record is left as it is: all others are full of events that had a fatal signal.
	record = struct.pack("<QI4x", 0x50414C544F464C31, FLIGHTS)
	for i in range(FLIGHTS):
		record += struct.pack("<qq48s?7x", 256 * 10**12, 10**12 + i + 1, b"channel-none" if i == 0 else b"", True)
	with open(os.path.join(house.folder, "flight"), "wb") as file:
		file.write(record)
	house.rows("CREATE SEQUENCE refusals")
	house.rows("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN IF NEW.id = 1e12::bigint + 32"
		   " AND nextval('proalto.refusals') <= 2 THEN RAISE 'not now'; END IF; RETURN NEW; END $$")
	house.rows("CREATE TRIGGER refuse BEFORE UPDATE ON work FOR EACH ROW EXECUTE FUNCTION refuse()")
	house.start()
	house.rows("DROP TRIGGER refuse ON work")
	check(int(house.sql("SELECT last_value FROM refusals")) > 2, "nothing was refused")
	equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")
	equal(house.sql("SELECT count(*) FROM plugin_charge"), "1", "charges of a plugin")
	forget_copies(house)
	equal(len(person.bubbles()), FLIGHTS + 1, "answers")


def messages_that_nobody_can_open(house):
	"""Of somebody erased, and damaged: dropped, and told once."""
	house.graph.process.send_signal(signal.SIGSTOP)
	people = [house.stranger() for _ in range(3)]
	for person in people:
		person.says("say a")
	until(lambda: house.sql("SELECT count(*) FROM outbox WHERE is_open") == "3", 10 * h.PATIENCE, "the messages")
	house.kill()
	house.graph.process.send_signal(signal.SIGCONT)
	erased, damaged, _ = [row[0] for row in house.rows("SELECT id FROM outbox WHERE is_open ORDER BY id")]
	house.rows(f"UPDATE contact SET sealed_key = NULL, who = NULL WHERE id = (SELECT conversation_id / 256 FROM outbox"
		   f" WHERE id = {erased})")
	house.rows(f"UPDATE outbox SET payload = '\\x00' WHERE id = {damaged}")
	house.start()
	house.settle()
	equal(house.rows(f"SELECT state, reason, payload IS NULL FROM outbox WHERE id IN ({erased}, {damaged}) ORDER BY id"),
	      [["6", "its contact was erased", "f"], ["6", "it can't be opened", "f"]], "what became of them")
	for what in ("its contact was erased", "it can't be opened"):
		equal(house.log().count(f"a message was dropped: {what}"), 1, f"words in the log on {what}")


def events_of_somebody_erased(house):
	"""A status comes when its person is erased by then: nobody can tell him, and nobody tries again and again."""
	house.graph.control("statuses", {"failed_code": 131026, "sent_ms": 2000})
	person = house.stranger()
	person.says("care a")
	person.hears()
	house.graph.control("statuses", {"failed_code": 0, "sent_ms": 5})
	outbox = "FROM outbox ORDER BY id DESC LIMIT 1"
	equal(house.sql(f"SELECT erase_contact((SELECT conversation_id / 256 {outbox}), now(), 'prueba')"), "1", "contacts erased")
	until(lambda: house.sql(f"SELECT statuses & 16 {outbox}") == "16", 10 * h.PATIENCE, "the status")
	said = until(lambda: house.rows("SELECT id, reason FROM set_aside"), 10 * h.PATIENCE, "an event set aside")
	equal([reason for _, reason in said], ["its contact was erased"], "why")
	house.ctl("set-aside", "retry", said[0][0], "--reason", "prueba")
	until(lambda: house.log().count("an event was set aside: its contact was erased") == 2, 10 * h.PATIENCE, "it again")
	equal(house.sql("SELECT count(*) FROM work"), "0", "work")
	check("key can't be opened" not in house.log(), "the journal tells of keys")
	house.ctl("set-aside", "drop", said[0][0], "--reason", "prueba")


def words_of_others(house):
	"""One look into the store for all that was said, not one a word."""
	commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'proalto'"
	time.sleep(1.5)
	before = int(house.sql(commits))
	house.rows(f"SELECT pg_notify('proalto', i::text) FROM generate_series(1, {WORDS}) i")
	time.sleep(4)
	commits = int(house.sql(commits)) - before
	tap.say(f"{commits} transactions after {WORDS} words")
	check(commits < WORDS / 4, f"{commits} transactions")


BACKLOG = [
	("a backlog larger than a job's memory", much_work),
	("messages larger than a job's memory", much_to_send),
	("work that a clock ahead stamped", stamped_by_a_clock_ahead),
	("a death is charged once", charged_once),
	("messages that nobody can open", messages_that_nobody_can_open),
	("events of somebody erased", events_of_somebody_erased),
	("many words of other nodes", words_of_others),
]
TESTS = [
	("a start with much to do", starts_with_much_to_do),
	("old keys are forgotten in bounded steps", forgets_in_bounded_steps),
	("and so is what lies in the small tables", small_tables_are_looked_through),
	("no statement of the keeper scans a large table", nothing_is_scanned),
]


def main():
	with h.House(customers=20) as house:
		failed = h.run(BACKLOG, house)
	settings = {"whatsapp": {"rate": "1.0", "attempt_timeout": '"60 s"'}}
	with h.House(customers=20, settings=settings) as house:
		fill(house)
		return h.run(TESTS, house) or failed


if __name__ == "__main__":
	sys.exit(main())
