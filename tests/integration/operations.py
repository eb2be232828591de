#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an operator does at night: queues, one conversation, messages that did not leave, events set aside,
channels in pause. Who may do what, and that each look and change is written down before it happens.
"""

import json
import os
import pwd
import subprocess
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
os.environ["B"] = os.path.join(os.environ.get("B", "build"), "tests/scripted")

import house as h
import tap
from tap import check, equal, until

WHY = "queja de la prueba"


def ctl(house, *args, given=None, user=None):
	"""Status and words of proaltoctl; as somebody else, by user and group."""
	command = [os.path.join(h.B, "proaltoctl"), "--config", house.config_path, *args]
	if user:
		command = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", *user, *command]
	done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
			      env=dict(os.environ, LC_ALL="C"))
	return done.returncode, done.stdout


def does(house, *args, **more):
	status, said = ctl(house, *args, **more)
	check(status == 0, f"proaltoctl {' '.join(args)}: {status}", said)
	return said


def tells(house, *args, **more):
	return json.loads(does(house, *args, "--json", **more))


def acts(house):
	return tells(house, "looks", "--limit", "1000")["items"]


def last_act(house):
	act = acts(house)[0]
	return act["action"], act["object"], act.get("conversation"), act["reason"]


def newest_conversation(house):
	"""Of the person who wrote last."""
	return int(house.sql("SELECT conversation_id FROM inbox WHERE kind < 100 ORDER BY id DESC LIMIT 1"))


def spoke(house, words="say hola"):
	person = house.stranger()
	person.says(words)
	person.hears()
	house.settle()
	return person, newest_conversation(house)


def failed(house, count=1, code=131026):
	"""A message that the provider refused, by its id."""
	person = house.stranger()
	house.graph.faults({"kind": "error", "count": count, "http": 400, "code": code})
	person.says("say hola")
	until(lambda: house.sql("SELECT count(*) FROM work") == "0" and house.is_idle(), 10 * h.PATIENCE, "an end to the work")
	found = house.rows("SELECT id, state FROM outbox ORDER BY id DESC LIMIT 1")[0]
	equal(found[1], "4", "the state of the message")
	return person, found[0]


# ---- looks ------------------------------------------------------------------------------------------

def a_conversation(house):
	person, number = spoke(house, "say secretos del saldo")
	told = tells(house, "conversation", "show", str(number), "--reason", WHY)["conversations"]
	equal(len(told), 1, "conversations")
	equal((told[0]["conversation"], told[0]["channel"], told[0]["node"]), (number, "whatsapp", "prueba"), "which one")
	equal([(m["direction"], m["text"]) for m in told[0]["messages"]],
	      [("in", "say secretos del saldo"), ("out", "1 secretos del saldo")], "its messages")
	equal(told[0]["messages"][1]["state"], "sent", "the state of the answer")
	equal(last_act(house), ("conversation.show", "conversation", number, WHY), "what was written down")
	equal((acts(house)[0]["uid"], acts(house)[0]["user"]), (os.getuid(), pwd.getpwuid(os.getuid()).pw_name), "who")
	# By the telephone, which is read from standard input and looked up by its keyed hash.
	told = tells(house, "conversation", "show", "--phone", "-", "--reason", WHY, given=f"+{person.phone}\n")["conversations"]
	equal([c["conversation"] for c in told], [number], "by the phone")
	told = tells(house, "conversation", "show", "--phone", "-", "--reason", WHY, given=f"{person.phone[2:5]} {person.phone[5:]}\n")
	equal([c["conversation"] for c in told["conversations"]], [number], "by the phone as people write it")
	status, said = ctl(house, "conversation", "show", "--phone", "-", "--reason", WHY, given="3009999999\n")
	equal((status, said), (1, "proaltoctl: conversation: there is no such conversation or case\n"), "somebody unknown")
	check("secretos del saldo" in does(house, "conversation", "show", str(number), "--reason", WHY), "it is told to people too")
	person.says("say hola\nuno\x1b]0;dos\x07\x1b[2J\u009b31mtres")
	person.hears()
	house.settle()
	shown = does(house, "conversation", "show", str(number), "--reason", WHY)
	check("\nuno ]0;dos  [2J 31mtres\n" in shown, "what a person writes commands no terminal", repr(shown))
	# A reason that names somebody is a line of standard input, before the telephone's.
	told = tells(house, "conversation", "show", "--phone", "-", "--reason", "-",
		     given=f"llamó doña Rosa\n+{person.phone}\n")["conversations"]
	equal([c["conversation"] for c in told], [number], "with a reason that is read")
	equal(last_act(house), ("conversation.show", "conversation", number, "llamó doña Rosa"), "the reason that was read")
	for nothing in ("", "\n", " \n"):
		equal(ctl(house, "conversation", "show", str(number), "--reason", "-", given=nothing)[0], 2,
		      f"the status without a reason: {nothing!r}")


def written_down_or_not_done(house):
	"""The database refuses the note: nothing is shown, nothing is changed."""
	person, number = spoke(house, "say nada de esto se ve")
	_, message = failed(house)
	house.rows("REVOKE INSERT ON operator_act FROM proalto")
	try:
		for args in (("conversation", "show", str(number)), ("inbox", "--json"), ("outbox", "retry", message),
			     ("conversation", "resume", str(number)), ("channel", "pause", "sms")):
			status, said = ctl(house, *args, "--reason", WHY)
			equal(status, 1, f"the status of {args}")
			check("nada de esto" not in said and person.phone not in said, f"{args} showed something", said)
		equal(house.sql(f"SELECT state FROM outbox WHERE id = {message}"), "4", "the message")
		equal(house.sql("SELECT count(*) FROM channel WHERE paused_at IS NOT NULL"), "0", "channels in pause")
		equal(house.sql("SELECT count(*) FROM inbox WHERE kind = 100"), "0", "words to conversations")
	finally:
		house.rows("GRANT INSERT ON operator_act TO proalto")


def a_store_that_cannot_write(house):
	"""A standby, or a full disk: what can't be written down isn't shown."""
	_, number = spoke(house)
	house.rows("ALTER ROLE proalto SET default_transaction_read_only = on")
	try:
		status, said = ctl(house, "conversation", "show", str(number), "--reason", WHY)
		equal(status, 1, "the status")
		check("read-only" in said and "hola" not in said, "what was said", said)
	finally:
		house.rows("ALTER ROLE proalto RESET default_transaction_read_only")
	does(house, "conversation", "show", str(number), "--reason", WHY)


def HD_33_each_look_is_kept(house):
	"""The note, its evidence and nothing readable in either."""
	_, number = spoke(house)
	kept = "SELECT count(*) FROM evidence_batch WHERE position('conversation.show'::bytea IN entries) > 0"
	before = house.sql(kept)
	does(house, "conversation", "show", str(number), "--reason", "un motivo que nadie lee")
	equal(int(house.sql(kept)), int(before) + 1, "rows of evidence")
	equal(house.sql("SELECT count(*) FROM operator_act WHERE position('motivo que'::bytea IN reason) > 0"), "0",
	      "reasons in the clear")


def who_may(house):
	if os.getuid() != 0:
		raise tap.Skip("only root can become somebody else")
	_, number = spoke(house, "say para el administrador")
	view, admin, other = ["--groups", "proalto-view"], ["--groups", "proalto-admin"], ["--clear-groups"]
	for group in ("proalto-view", "proalto-admin"):
		subprocess.run(["groupadd", "-f", group], check=True)
	house.stop()
	house.start()  # groups are looked up once
	for args in (("queues",), ("outbox", "list"), ("set-aside", "list"), ("status",)):
		does(house, *args, user=view)
		does(house, *args, user=admin)
		equal(ctl(house, *args, user=other)[0], 3, f"{args} of somebody in neither group")
	before = len(acts(house))
	for args in (("conversation", "show", str(number), "--reason", WHY), ("inbox", "--json", "--reason", WHY),
		     ("outbox", "retry", "5", "--reason", WHY), ("set-aside", "drop", "5", "--reason", WHY),
		     ("channel", "pause", "whatsapp", "--reason", WHY), ("looks",), ("log-level", "debug"), ("reload",)):
		status, said = ctl(house, *args, user=view)
		equal(status, 1, f"the status of {args} for who may only look")
		check("only root and the group" in said, f"what {args} said", said)
		equal(ctl(house, *args, user=other)[0], 3, f"the status of {args} for others")
	equal(len(acts(house)), before, "acts written down")
	check("para el administrador" in does(house, "conversation", "show", str(number), "--reason", WHY, user=admin),
	      "who may is shown it")
	equal(acts(house)[0]["user"], "nobody", "who looked")


# ---- changes ----------------------------------------------------------------------------------------

def failed_messages_go_again(house):
	person, message = failed(house)
	queues = tells(house, "queues")
	dead = [q for q in queues["dead_letters"] if (q["channel"], q["state"]) == ("whatsapp", "failed")]
	check(dead and dead[0]["count"] >= 1, "the message is counted", queues)
	listed = tells(house, "outbox", "list", "--state", "failed")["items"]
	check(int(message) in [item["id"] for item in listed], "it is listed", listed)
	equal(tells(house, "outbox", "retry", message, "--reason", WHY)["count"], 1, "messages that go again")
	equal(person.hears(15).text, "1 hola", "the message")
	house.settle()
	status, said = ctl(house, "outbox", "retry", message, "--reason", WHY)
	check(status == 1 and "no such message" in said, "one that was sent does not go again", said)
	action, thing, _, why = last_act(house)
	equal((action, thing, why), ("outbox.retry", message, WHY), "what was written down")


def failed_by_a_receipt(house):
	"""The provider took it, and told later that it could not deliver it: it did not arrive either."""
	house.graph.control("statuses", {"failed_code": 131026})
	person = house.stranger()
	person.says("say hola")
	person.hears()
	message, = house.rows("SELECT id FROM outbox ORDER BY id DESC LIMIT 1")[0]
	try:
		until(lambda: house.sql(f"SELECT statuses FROM outbox WHERE id = {message}") == "16", 10 * h.PATIENCE, "the status")
	finally:
		house.graph.control("statuses", {"failed_code": 0})
	house.settle()
	listed = tells(house, "outbox", "list", "--state", "failed")["items"]
	equal([(item["receipts"], item["reason"]) for item in listed if item["id"] == int(message)],
	      [(["failed"], "failed, by a receipt")], "it is listed")
	equal(tells(house, "outbox", "retry", "--channel", "whatsapp", "--state", "failed", "--reason", WHY)["count"], len(listed),
	      "messages that go again")
	equal(person.hears(15).text, "1 hola", "the message")
	until(lambda: house.rows(f"SELECT state, statuses FROM outbox WHERE id = {message}") == [["3", "7"]], 10 * h.PATIENCE,
	      "it was read")
	equal(ctl(house, "outbox", "retry", message, "--reason", WHY)[0], 1, "the status of one that arrived")
	equal(ctl(house, "outbox", "list", "--state", "sent")[0], 1, "a list of what arrived")


def who_was_erased_gets_nothing(house):
	person, message = failed(house)
	house.sql(f"SELECT erase_contact((SELECT conversation_id / 256 FROM outbox WHERE id = {message}), now(), 'prueba')")
	status, said = ctl(house, "outbox", "retry", message, "--reason", WHY)
	check(status == 1 and "was erased" in said, "the message of somebody erased does not go again", said)
	equal(tells(house, "outbox", "retry", "--channel", "whatsapp", "--state", "failed", "--reason", WHY)["count"], 0,
	      "messages that go again")


def many_at_once(house):
	for item in tells(house, "outbox", "list", "--state", "failed")["items"]:
		does(house, "outbox", "retry", str(item["id"]), "--reason", WHY)
	house.settle()
	people = [failed(house)[0] for _ in range(3)]
	equal(tells(house, "outbox", "retry", "--channel", "whatsapp", "--state", "failed", "--reason", WHY)["count"], 3,
	      "messages that go again")
	equal([person.hears(15).text for person in people], ["1 hola"] * 3, "the messages")
	house.settle()


def codes_never_go_again(house):
	_, message = failed(house)
	house.rows(f"UPDATE outbox SET is_secret = true WHERE id = {message}")
	equal(ctl(house, "outbox", "retry", message, "--reason", WHY)[0], 1, "the status")
	equal(house.sql(f"SELECT state FROM outbox WHERE id = {message}"), "4", "the state")
	told = tells(house, "conversation", "show", house.sql(f"SELECT conversation_id FROM outbox WHERE id = {message}"),
		     "--reason", WHY)["conversations"][0]["messages"][-1]
	check(told["secret"] and "text" not in told, "a code is not shown", told)


def paused(house):
	"""Nothing leaves, whatever waits is given up by a person's word, the rest goes afterwards in order."""
	does(house, "channel", "pause", "whatsapp", "--reason", WHY)
	until(lambda: not [c for c in house.ask("status")["channels"] if c["name"] == "whatsapp"][0]["leased"], 5 * h.PATIENCE,
	      "an end to the sending")
	person, other = house.stranger(), house.stranger()
	person.says("say uno")
	other.says("say no me lo manden")
	person.says("say dos")
	until(lambda: house.sql("SELECT count(*) FROM outbox WHERE is_open") == "3", 10 * h.PATIENCE, "three messages that wait")
	queues = tells(house, "queues")
	equal([(q["channel"], q["state"], q["count"]) for q in queues["messages"]], [("whatsapp", "waiting", 3)], "what waits")
	check([c for c in queues["channels"] if c["channel"] == "whatsapp"][0]["paused_at"], "the pause is told", queues)
	house.kill()
	house.start()  # it lasts
	unwanted = house.sql("SELECT o.id FROM outbox o WHERE is_open AND conversation_id = (SELECT conversation_id FROM outbox WHERE"
			     " is_open GROUP BY conversation_id HAVING count(*) = 1)")
	does(house, "outbox", "give-up", unwanted, "--reason", WHY)
	equal(house.rows(f"SELECT state, is_open FROM outbox WHERE id = {unwanted}"), [["6", "f"]], "what was given up")
	equal(person.bubbles() + other.bubbles(), [], "what left in the pause")
	does(house, "channel", "resume", "whatsapp", "--reason", WHY)
	equal([person.hears(15).text, person.hears(15).text], ["1 uno", "2 dos"], "what goes afterwards")
	house.settle()
	equal(other.bubbles(), [], "what was given up")
	equal(ctl(house, "channel", "resume", "whatsapp", "--reason", WHY)[0], 1, "a resume of what is not paused")


def uncertain_ones_are_settled(house):
	messages = [failed(house)[1] for _ in range(2)]
	house.rows(f"UPDATE outbox SET state = 2 WHERE id IN ({', '.join(messages)})")
	for message, word, state in zip(messages, ("sent", "failed"), ("3", "4")):
		does(house, "outbox", "settle", message, word, "--reason", WHY)
		equal(house.sql(f"SELECT state FROM outbox WHERE id = {message}"), state, "the state")
		equal(ctl(house, "outbox", "settle", message, word, "--reason", WHY)[0], 1, "once settled it is certain")


def set_aside(house):
	"""An event that was taken out of the way has its turn, or never will."""
	people = [house.stranger() for _ in range(2)]
	for person in people:
		house.kill()
		house.start()
		person.says("quiet;say al fin")
		house.kill()
		house.rows("WITH gone AS (DELETE FROM work RETURNING id, conversation_id, at) INSERT INTO set_aside"
			   " (id, conversation_id, inbox_at, at, reason) SELECT id, conversation_id, at, now(), 'de prueba' FROM gone")
	house.start()
	listed = tells(house, "set-aside", "list")["items"]
	equal([item["reason"] for item in listed], ["de prueba"] * 2, "the events set aside")
	equal(tells(house, "queues")["set_aside"], 2, "their count")
	does(house, "set-aside", "retry", str(listed[0]["id"]), "--reason", WHY)
	equal(people[0].hears(15).text, "1 al fin", "the answer")
	does(house, "set-aside", "drop", str(listed[1]["id"]), "--reason", WHY)
	house.settle()
	equal(tells(house, "set-aside", "list")["items"], [], "what is left")
	equal(people[1].bubbles(), [], "answers to what was dropped")
	equal(house.sql(f"SELECT count(*) FROM inbox WHERE id = {listed[1]['id']}"), "1", "what came in is kept")
	equal(last_act(house)[:2], ("set-aside.drop", str(listed[1]["id"])), "what was written down")


# ---- what is past its time ---------------------------------------------------------------------------

OLD, OLDER = "2003-02", "2003-01"  # nothing is kept that long
LAST_MONTH = 12  # an entry of evidence


def was_at_work_last_month(house):
	house.rows(f"INSERT INTO evidence_batch SELECT {LAST_MONTH}, date_trunc('month', now(), 'UTC') - interval '1 day', 1, 0, ''"
		   f" WHERE NOT EXISTS (SELECT FROM evidence_batch WHERE id = {LAST_MONTH})")


def retention(house):
	"""The nightly run's words, under its own role."""
	was_at_work_last_month(house)
	return does(house, "retention", "run", "--dsn", f"host={house.server.host} port=5432 dbname=proalto user=proalto_retention")


def backdate(house, months):
	"""Copies of all that there is, in months of long ago."""
	for month in months:
		for table in ("inbox", "outbox", "receipt"):
			columns = [row[0] for row in house.rows("SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
								f" AND attrelid = 'proalto.{table}'::regclass ORDER BY attnum")]
			picked = ", ".join(f"timestamptz '{month}-10 12:00Z'" if c == "at" else "false" if c == "is_open" else c for c in columns)
			house.rows(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {picked} FROM {table} WHERE at > now() - interval '1 day'")


def partitions(house, year):
	return [row[0] for row in house.rows(f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_{year}_[0-9]+$'"
					     " ORDER BY relname")]


def fields(packed):
	"""A packed record (base/pack.h) by its numbers: integers unzigzagged, slices as bytes."""
	def varint(at):
		value = shift = 0
		while True:
			value |= (packed[at] & 127) << shift
			shift += 7
			at += 1
			if packed[at - 1] < 128:
				return value, at

	at, found = 0, {}
	while at < len(packed):
		tag, at = varint(at)
		value, at = varint(at)
		if tag & 7 == 0:
			found[tag >> 3] = value >> 1 ^ -(value & 1)
		else:
			found[tag >> 3], at = packed[at:at + value], at + value
	return found


KEPT = ("consent", "evidence_batch", "contact", "conversation", "address", "inbox", "outbox", "receipt", "service_case",
	"operator_act")


def counts(house):
	return {table: int(house.sql(f"SELECT count(*) FROM {table}")) for table in KEPT}


def what_is_past_its_time_goes(house):
	person, _ = spoke(house)
	house.rows("INSERT INTO consent (id, at, contact_id, channel, purpose, action, text_version, inbox_id, hash) SELECT 5, '2003-01-05', id,"
		   " 1, 'servicio', 'otorga', 'x', 5, '' FROM contact LIMIT 1")
	house.rows("INSERT INTO service_case (id, number, at, conversation_id, inbox_id, kind, closed_at) SELECT 6 + i, 'R-' || i, '2003-01-05',"
		   " 256, 5, 'queja', CASE i WHEN 1 THEN timestamptz '2003-02-01' END FROM generate_series(1, 2) i")
	house.rows("INSERT INTO person_lock VALUES ('x', '2003-01-05'), ('y', now() + interval '1 hour')")
	house.rows("INSERT INTO operator_act VALUES (9, '2003-01-05', 0, 'x', 'inbox', 'x', NULL, '')")
	house.rows("INSERT INTO file (id, at, conversation_id, inbox_id, channel, state, due, expires) SELECT i, at, 256, i, 1, 1, at, at"
		   " FROM (VALUES (1, timestamptz '2003-01-05'), (2, now())) v(i, at)")
	house.rows("INSERT INTO file_piece SELECT id, 0, '' FROM file")
	was_at_work_last_month(house)
	before = counts(house)
	for parent in ("inbox", "outbox", "receipt"):
		for month in (OLDER, OLD):
			house.rows(f"CREATE TABLE {parent}_{month.replace('-', '_')} PARTITION OF {parent} FOR VALUES FROM ('{month}-01Z') TO"
				   f" (timestamptz '{month}-01Z' + interval '1 month')")
			house.rows(f"ALTER TABLE {parent}_{month.replace('-', '_')} OWNER TO proalto_owner")
	backdate(house, (OLDER, OLD))
	due = [(item["class"], item["table"]) for item in tells(house, "retention", "show")["due"]]
	equal(len([d for d in due if d[0] == "correspondence"]), 6, f"months that are due of {due}")
	retention(house)
	equal(partitions(house, 2003), [], "partitions of long ago")
	after = counts(house)
	for table in ("evidence_batch", "receipt"):  # its own came, and perhaps one of what was just said
		after[table] = min(after[table], before[table])
	equal({table: before[table] - after[table] for table in KEPT},
	      {table: {"service_case": 1, "operator_act": 1}.get(table, 0) for table in KEPT}, "rows that went")
	equal(house.sql("SELECT count(*) FROM person_lock WHERE person IN ('x', 'y')"), "1", "locks")
	equal(house.rows("SELECT file_id FROM file_piece"), [["2"]], "files whose pieces are left")
	equal(tells(house, "retention", "show")["due"], [], "what is still due")
	taken = tells(house, "retention", "show")["taken"]
	equal(sorted({item["class"] for item in taken}), ["case", "correspondence", "file", "lock", "operator_act"], "what was written down")
	equal(int(house.sql("SELECT count(*) FROM evidence_batch WHERE node = 0 AND position('correspondence'::bytea IN entries) > 0")), 6,
	      "evidence of the months")
	act, gone, at = house.rows("SELECT id, rows_count, (extract(epoch FROM at) * 1e6)::bigint FROM retention_act WHERE what = 'outbox_2003_01'")[0]
	packed = bytes.fromhex(house.sql(f"SELECT encode(entries, 'hex') FROM evidence_batch WHERE id = {act} + 1"))
	equal(fields(fields(packed)[1]), {1: 10, 2: int(act), 3: int(at) * 1000, 4: int(gone), 5: b"correspondence"}, "an entry of evidence")
	person.says("say sigue")
	equal(person.hears().text, "2 sigue", "an answer afterwards")


def raw_bodies_go_and_the_rest_stays(house):
	"""Four years ago: what came in is kept, not the bytes in which it came."""
	month = house.sql("SELECT to_char(now() - interval '4 years', 'YYYY-MM')")
	for parent in ("inbox", "receipt"):
		name = f"{parent}_{month.replace('-', '_')}"
		house.rows(f"CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ('{month}-01Z') TO (timestamptz '{month}-01Z' + interval '1 month')")
		house.rows(f"ALTER TABLE {name} OWNER TO proalto_owner")
	house.rows(f"INSERT INTO inbox SELECT 1e15::bigint + id, '{month}-10', channel, conversation_id, kind, body_of, payload, '\\x01' FROM inbox"
		   " WHERE kind < 100 AND at > now() - interval '1 day'")
	inbox = f"inbox_{month.replace('-', '_')}"
	house.rows(f"INSERT INTO {inbox} (id, at, channel, kind, payload, body) SELECT 2e15::bigint + i, '{month}-10', 1, 1, '\\x02', '\\x01'"
		   " FROM generate_series(1, 12000) i")
	kept = f"SELECT count(*), count(payload), count(body) FROM inbox WHERE at < timestamptz '{month}-10' + interval '1 day'"
	before = house.rows(kept)[0]
	check(int(before[2]) > 12000, "bodies of more than one step")
	retention(house)
	equal(house.rows(kept)[0], [before[0], before[1], "0"], "rows, contents and bodies")
	acts = house.rows(f"SELECT count(*) > 2, sum(rows_count), count(*) FILTER (WHERE is_last) FROM retention_act WHERE what = '{inbox}'")
	equal(acts[0], ["t", before[2], "1"], "steps, bodies that went, last steps")
	# As after a restore: what is left stands before the page at which the last step stopped.
	house.rows(f"UPDATE {inbox} SET body = '\\x01' WHERE id % 100 = 0")
	house.rows(f"UPDATE retention_act SET is_last = false, next_page = 1e6 WHERE what = '{inbox}'")
	retention(house)
	equal(house.rows(kept)[0], [before[0], before[1], "0"], "rows, contents and bodies after a restore")
	check(int(house.sql("SELECT count(body) FROM inbox WHERE at > now() - interval '1 day'")) > 0, "bodies of today went too")
	equal(retention(house), "", "what a second run takes")


def a_clock_that_is_ahead_takes_nothing(house):
	"""Nobody has done anything for a month, or not before a moment ago: rather the clock is wrong."""
	house.rows("CREATE TABLE inbox_2003_03 PARTITION OF inbox FOR VALUES FROM ('2003-03-01Z') TO ('2003-04-01Z')")
	house.rows("ALTER TABLE inbox_2003_03 OWNER TO proalto_owner")
	house.rows("UPDATE evidence_batch SET at = at - interval '40 days' WHERE at > now() - interval '31 days' AND node <> 0")
	try:
		equal(retention(house), "", "what was taken")
		equal(partitions(house, 2003), ["inbox_2003_03"], "the month")
	finally:
		house.rows("UPDATE evidence_batch SET at = at + interval '40 days' WHERE at > now() - interval '72 days' AND node <> 0")
	house.rows(f"UPDATE evidence_batch SET at = at - interval '40 days' WHERE id = {LAST_MONTH}")
	try:
		equal(retention(house), "", "what was taken when the service had gone on after the jump")
		equal(partitions(house, 2003), ["inbox_2003_03"], "the month")
	finally:
		house.rows(f"UPDATE evidence_batch SET at = at + interval '40 days' WHERE id = {LAST_MONTH}")
	retention(house)
	equal(partitions(house, 2003), [], "the month, by the right clock")


def work_that_waits_keeps_its_month(house):
	"""Somebody's event of long ago is still set aside, a message still to be sent: their months stay."""
	house.rows("CREATE TABLE inbox_2003_04 PARTITION OF inbox FOR VALUES FROM ('2003-04-01Z') TO ('2003-05-01Z')")
	house.rows("CREATE TABLE outbox_2003_04 PARTITION OF outbox FOR VALUES FROM ('2003-04-01Z') TO ('2003-05-01Z')")
	for table in ("inbox", "outbox"):
		house.rows(f"ALTER TABLE {table}_2003_04 OWNER TO proalto_owner")
	house.rows("INSERT INTO set_aside VALUES (77, 256, '2003-04-10', '2003-04-10', 'de prueba')")
	house.rows("INSERT INTO outbox (id, at, conversation_id, channel, class, is_open, is_secret, state, tries, reply_to_inbox)"
		   " VALUES (78, '2003-04-10', 256, 99, 1, true, false, 0, 0, 0)")
	retention(house)
	equal(partitions(house, 2003), ["inbox_2003_04", "outbox_2003_04"], "months that stay")
	house.rows("DELETE FROM set_aside WHERE id = 77")
	house.rows("UPDATE outbox SET is_open = false, state = 6 WHERE id = 78")
	retention(house)
	equal(partitions(house, 2003), [], "months that stay when it is done")


TESTS = [
	("a conversation is shown, by number and by phone", a_conversation),
	("what can't be written down is not done", written_down_or_not_done),
	("nor beside a store that can't write", a_store_that_cannot_write),
	("each act is evidence, and sealed", HD_33_each_look_is_kept),
	("who may only look, and who nothing at all", who_may),
	("a message that failed goes again", failed_messages_go_again),
	("one that failed by a receipt is one of them", failed_by_a_receipt),
	("many of them at once", many_at_once),
	("codes neither go again nor are shown", codes_never_go_again),
	("what was for somebody erased does not go", who_was_erased_gets_nothing),
	("a channel in pause", paused),
	("uncertain messages are settled by a person", uncertain_ones_are_settled),
	("events set aside are tried again, or dropped", set_aside),
	("what is past its time goes, and nothing else", what_is_past_its_time_goes),
	("raw bodies go, what was understood stays", raw_bodies_go_and_the_rest_stays),
	("a clock that is ahead takes nothing", a_clock_that_is_ahead_takes_nothing),
	("what waits keeps its month", work_that_waits_keeps_its_month),
]


def main():
	with h.House(customers=20) as house:
		return h.run(tap.chosen(TESTS), house)


if __name__ == "__main__":
	sys.exit(main())
