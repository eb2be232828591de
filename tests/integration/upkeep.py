#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The keeper beside tables of millions of rows: it goes on giving signs of life, once a second."""

import os
import re
import sys
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
from tap import check, equal, until

KEYS = 2_000_000   # of dedup, every second one past its time
SENT = 500_000     # messages that are done
WAITING = 50_000   # messages that are not, one a conversation
ALIVE_S = 10
MOST_BETWEEN_BEATS_S = 3


def statements(path):
	"""The statements of a file under sql/queries, by name."""
	with open(os.path.join(h.postgres.TOP, "sql/queries", path)) as file:
		parts = re.split(r"^-- name: (\w+)\n", file.read(), flags=re.M)[1:]
	return {name: re.sub(r"^--.*\n", "", text, flags=re.M) for name, text in zip(parts[::2], parts[1::2])}


def fill(house):
	"""One message that waits becomes many, each of a person of its own."""
	house.graph.process.send_signal(19)  # SIGSTOP: it answers nothing
	person = house.stranger()
	person.says("hola")
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


TESTS = [
	("a start with much to do", starts_with_much_to_do),
	("old keys are forgotten in bounded steps", forgets_in_bounded_steps),
	("and so is what lies in the small tables", small_tables_are_looked_through),
	("no statement of the keeper scans a large table", nothing_is_scanned),
]


def main():
	settings = {"whatsapp": {"rate": "1.0", "attempt_timeout": '"60 s"'}}
	with h.House(customers=20, settings=settings) as house:
		fill(house)
		failed = tap.run(TESTS, house)
		if failed:
			tap.say(house.log_tail(30))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
