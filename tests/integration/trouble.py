#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Providers, the core and the store in trouble: nothing is lost, the order is kept, honest answers."""

import os
import signal
import sys
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal, until


# How long the Graph API is down for a while; make kills has it down for a minute.
OUTAGE_S = float(os.environ.get("OUTAGE_S", "4"))


def outbox_id(bubble):
	return int(bubble.entry["callback"].split(".")[0], 16)


def greet(person):
	"""To the menu, consent given; the last bubble."""
	person.says("hola")
	question = person.hears_all()[-1]
	person.taps(question, "Sí, autorizo")
	return person.hears_all()[-1]


def to_code(house, person):
	"""To where the code is awaited; the code."""
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	person.says(person.document)
	house.settle()
	person.hears_all()
	return house.sms_code(person.mobile)


# ---- the Graph API ---------------------------------------------------------------------------------

def survive(house, during, seconds=30, people=8):
	"""Several people write while the Graph API misbehaves; everybody gets his answers in order, once."""
	everybody = [house.stranger() for _ in range(people)]
	before = house.graph.stats()
	during()
	start = house.bubbles(0)[-1].n if house.bubbles(0) else 0
	for person in everybody:
		person.seen = start
		person.says("hola")
	until(lambda: all(len({outbox_id(b) for b in person.bubbles()}) >= 2 for person in everybody),
	      seconds * h.PATIENCE, "two answers to everybody")
	house.settle(seconds)
	accepted = {person: person.bubbles() for person in everybody}
	for person, bubbles in accepted.items():
		check("Asistente" in bubbles[0].text, f"the first answer is {bubbles[0].text[:50]!r}")
		firsts = list(dict.fromkeys(outbox_id(b) for b in bubbles))
		equal(firsts, sorted(firsts), "order")
		equal(len(firsts), 2, "different answers")
	return accepted, {key: value - before[key] for key, value in house.graph.stats().items()}


def once(accepted):
	for bubbles in accepted.values():
		equal(len(bubbles), 2, "posts that were taken")


def refused_429(house):
	accepted, stats = survive(house, lambda: house.graph.faults(
		{"kind": "error", "http": 429, "code": 999, "count": 6}))
	once(accepted)
	equal(stats["faults"], 6, "faults")


def refused_130429(house):
	accepted, stats = survive(house, lambda: house.graph.faults(
		{"kind": "error", "http": 400, "code": 130429, "count": 6}))
	once(accepted)


def refused_pair_rate(house):
	accepted, stats = survive(house, lambda: house.graph.faults(
		{"kind": "error", "http": 400, "code": 131056, "count": 2}), seconds=60)
	once(accepted)


def server_errors(house):
	accepted, stats = survive(house, lambda: house.graph.faults(
		{"kind": "error", "http": 500, "code": 1, "count": 3}, {"kind": "error", "http": 503, "code": 2, "count": 3},
		{"kind": "error", "http": 502, "code": 131016, "count": 3}), seconds=60)
	once(accepted)


def closed_before(house):
	"""The connection closes before anything was accepted: uncertain, then sent again."""
	accepted, stats = survive(house, lambda: house.graph.faults({"kind": "drop_before", "count": 5}))
	once(accepted)


def closed_after(house):
	"""Accepted, then the connection closes: the status settles it, and nothing is sent twice."""
	accepted, stats = survive(house, lambda: house.graph.faults({"kind": "drop_after", "count": 5}))
	once(accepted)
	equal(stats["duplicates"], 0, "duplicates")


def closed_after_without_status(house):
	"""Accepted, and no word of it ever: a dialogue reply goes again after the wait, and is counted."""
	def during():
		house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
		house.graph.faults({"kind": "drop_after", "count": 2})

	before = house.ask("status")["possible_duplicates"]
	try:
		accepted, stats = survive(house, during)
	finally:
		house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	equal(sum(len(bubbles) - 2 for bubbles in accepted.values()), 2, "posts taken twice")
	check(house.ask("status")["possible_duplicates"] - before >= 2, "possible duplicates are not counted")


def hanging(house):
	accepted, stats = survive(house, lambda: house.graph.faults({"kind": "hang", "count": 3}), seconds=40)
	once(accepted)


def down_for_a_while(house):
	"""No connection at all, for so long that attempts fail again and again; then it is back."""
	people = [house.stranger() for _ in range(5)]
	house.settle()
	house.graph.stop()
	try:
		for person in people:
			equal(house.post(webhook.of(person, person.text("hola"))), 200, "intake while the Graph API is down")
		time.sleep(OUTAGE_S)
		equal(house.sql("SELECT count(*) FROM outbox WHERE is_open"), str(2 * len(people)), "answers that wait")
		check(int(house.sql("SELECT max(tries) FROM outbox WHERE is_open")) > 1, "nothing was tried again")
	finally:
		house.graph.start_again()
	house.settle(60 + OUTAGE_S)
	for person in people:
		bubbles = person.bubbles()
		equal(len(bubbles), 2, "answers: a connection that was refused leaves no doubt")
		check("Asistente" in bubbles[0].text and "NIT" in bubbles[1].text, "the order of the answers",
		      *[(b.entry["callback"], b.text[:30]) for b in bubbles])


def given_up(house):
	"""A recipient that can't be reached is given up at once; the next message goes."""
	person = house.stranger()
	person.seen = house.graph.stats()["accepted"]
	house.graph.faults({"kind": "error", "http": 400, "code": 131026, "count": 1})
	person.says("hola")
	check("NIT" in person.hears().text, "the message after the one that was given up")
	house.settle()
	equal(house.sql("SELECT count(*) FROM outbox WHERE state = 4 AND code = 131026"), "1", "given up, with its code")


def token_expired(house):
	"""An expired token is an alarm, not a loss: it goes on when there is a good one."""
	accepted, stats = survive(house, lambda: house.graph.faults(
		{"kind": "error", "http": 401, "code": 190, "count": 2}), seconds=120)
	once(accepted)


def failed_by_status(house):
	"""Accepted and then reported as failed: known, with its code."""
	person = house.stranger()
	person.seen = house.graph.stats()["accepted"]
	house.graph.control("statuses", {"failed_code": 131047})
	try:
		person.says("hola")
		bubble = person.hears()
		until(lambda: house.sql(f"SELECT statuses & 16 FROM outbox WHERE id = {outbox_id(bubble)}") == "16", 10,
		      "the failure")
		equal(house.sql(f"SELECT code FROM receipt WHERE outbox_id = {outbox_id(bubble)} AND status = 5"), "131047",
		      "the code of the failure")
	finally:
		house.graph.control("statuses", {"failed_code": 0})
	house.settle()


# ---- the SMS gateway -------------------------------------------------------------------------------

def sms_refused(house):
	"""An SMS that the gateway refuses for good: the owner is told, and may ask for another."""
	person = house.customer()
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	house.smsgw.faults({"kind": "error", "http": 400, "count": 1})
	person.says(person.document)
	until(lambda: any("no se pudo entregar" in b.text for b in person.bubbles()), 15 * h.PATIENCE, "the bad news")
	house.settle()
	bubble = person.hears_all()[-1]
	person.taps(bubble, "Enviar otro código")
	house.settle()
	person.hears_all()
	person.says(house.sms_code(person.mobile))
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance with the second code")


def sms_drops_after(house):
	"""A code whose fate is unknown is never sent twice."""
	person = house.customer()
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	house.smsgw.faults({"kind": "drop_after", "count": 1})
	person.says(person.document)
	house.sms(person.mobile)
	house.settle(30)
	equal(len(house.all_sms(person.mobile)), 1, "SMS")
	person.hears_all()
	person.says(house.sms_code(person.mobile))
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance with the code")


def failing_receipts(house, is_on):
	house.smsgw.control("receipts", {"after_ms": 500 if is_on else 10, "double": is_on,
					 "status": "failed" if is_on else "delivered"})


def gives_document(person, document):
	"""What he hears until his code, if there is one, was handed to the gateway."""
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	person.says(document)
	return [bubble.text for bubble in person.hears_all()]


def failures(house):
	return int(house.sql("SELECT count(*) FROM receipt WHERE status = 5"))


def sms_failed_later(house):
	"""Taken by the gateway, then reported as failed, and the daemon killed: the owner is told, once."""
	person, before = house.customer(), failures(house)
	failing_receipts(house, True)
	gives_document(person, person.document)
	until(lambda: failures(house) > before, 10 * h.PATIENCE, "the receipt")
	failing_receipts(house, False)
	house.kill()
	house.start()
	bubble = person.hears()
	check("no se pudo entregar" in bubble.text, f"no honest word: {bubble.text!r}")
	time.sleep(2)
	equal(person.bubbles(), [], "the same word again")
	person.taps(bubble, "Enviar otro código")
	house.settle()
	person.hears_all()
	person.says(house.sms_code(person.mobile, 2))
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance with the second code")


def sms_failed_of_others(house):
	"""Another chat with a customer's document hears what one with nobody's hears."""
	knowing, guessing, before = house.stranger(), house.stranger(), failures(house)
	failing_receipts(house, True)
	said = [gives_document(knowing, house.customer().document), gives_document(guessing, "1999777777")]
	until(lambda: failures(house) > before, 10 * h.PATIENCE, "the receipt")
	failing_receipts(house, False)
	time.sleep(2.5)
	equal(said[0] + [b.text for b in knowing.hears_all()], said[1] + [b.text for b in guessing.hears_all()],
	      "what the two hear")


def quota_is_taken_once(house):
	"""Killed between the quota and the code: the look-up runs again and takes no second one."""
	person = house.customer()
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	before = int(house.sql("SELECT count(*) FROM code_sent"))
	house.rows("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		   " $$ BEGIN RAISE 'not now' USING ERRCODE = '53100'; END $$")
	house.rows("CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.is_secret)"
		   " EXECUTE FUNCTION refuse()")
	try:
		person.says(person.document)
		until(lambda: int(house.sql("SELECT count(*) FROM code_sent")) > before, 10 * h.PATIENCE, "the quota")
		house.kill()
	finally:
		house.rows("DROP TRIGGER refuse ON outbox")
	house.start()
	house.sms(person.mobile)
	house.settle()
	equal(int(house.sql("SELECT count(*) FROM code_sent")) - before, 1, "codes taken from the quota")


def wait_for_receipts(house, how_long):
	"""Of an SMS whose fate is unknown; takes a restart."""
	house.settings["sms"]["uncertain_wait"] = f'"{how_long}"'
	house.write_config()
	house.restart()


def expired_code_is_wiped(house):
	"""A code whose fate is still open when its time is over: what could be read of it goes then."""
	person = house.customer()
	greet(person)
	person.says("mi saldo")
	person.hears_all()
	wait_for_receipts(house, "60 s")
	house.smsgw.process.send_signal(signal.SIGSTOP)
	try:
		person.says(person.document)
		until(lambda: house.rows("SELECT id FROM outbox WHERE is_secret AND is_open AND payload IS NOT NULL"),
		      10 * h.PATIENCE, "a code on its way")
		code = house.sql("SELECT id FROM outbox WHERE is_secret AND is_open")
		house.advance(6 * 60)
		until(lambda: house.rows(f"SELECT id FROM outbox WHERE id = {code} AND payload IS NULL"), 15 * h.PATIENCE,
		      "an end of what the code said")
		equal(house.sql(f"SELECT state FROM outbox WHERE id = {code}"), "6", "its state (6: dropped for its time)")
	finally:
		house.smsgw.process.send_signal(signal.SIGCONT)
		wait_for_receipts(house, "1 s")
	house.settle()


def codes_are_wiped(house):
	house.settle()
	equal(house.sql("SELECT count(*) FROM outbox WHERE is_secret AND payload IS NOT NULL"), "0", "codes that were kept")


# ---- the core --------------------------------------------------------------------------------------

def core_cut(house):
	"""The core's connections are cut in the middle: asked again over a new one."""
	person = house.customer()
	code = to_code(house, person)
	house.core_server.psql("postgres").rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
						" WHERE usename = 'proalto_core_reader'")
	person.says(code)
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance over a new connection")


def core_away(house):
	people = [house.customer() for _ in range(6)]
	codes = [to_code(house, person) for person in people]
	house.core_away(True)
	try:
		for person, code in zip(people, codes):
			person.says(code)
		for person in people:
			heard = "\n".join(b.text for b in person.hears_all())
			check("no responde" in heard and "$" not in heard, f"not an honest answer: {heard!r}")
		stranger = house.stranger()
		check("ayudar" in greet(stranger).text, "somebody who needs no core is not served")
	finally:
		house.core_away(False)
	house.advance(120)
	for person in people:
		until(lambda: any("Le falta por pagar" in b.text for b in person.bubbles()), 20 * h.PATIENCE,
		      "the promised answer")
		house.settle()
		equal(sum("Le falta por pagar" in b.text for b in person.hears_all()), 1, "promised answers")


def core_away_and_killed(house):
	"""The promise of an answer stands after a kill, though the core stays away for a while longer."""
	person = house.customer()
	code = to_code(house, person)
	lock = h.postgres.Psql(house.core_server.host, "core_demo", "test")
	lock.rows("BEGIN")
	lock.rows("LOCK TABLE core_demo.cliente, core_demo.credito IN ACCESS EXCLUSIVE MODE")
	try:
		person.says(code)
		check("no responde" in person.hears(20).text, "no honest answer")
		house.settle()
		person.hears_all()
		house.kill()
		house.start()
		time.sleep(4)
		equal(person.bubbles(), [], "an answer without a core")
	finally:
		lock.rows("ROLLBACK")
		lock.close()
	house.settle()
	house.advance(120)
	until(lambda: any("Le falta por pagar" in b.text for b in person.bubbles()), 20 * h.PATIENCE,
	      "the promised answer")
	house.settle()
	equal(sum("Le falta por pagar" in b.text for b in person.hears_all()), 1, "promised answers")


def core_slow(house):
	"""A core that hangs holds up only those who need it."""
	people = [house.customer() for _ in range(6)]
	codes = [to_code(house, person) for person in people]
	lock = h.postgres.Psql(house.core_server.host, "core_demo", "test")
	lock.rows("BEGIN")
	lock.rows("LOCK TABLE core_demo.credito IN ACCESS EXCLUSIVE MODE")
	try:
		for person, code in zip(people, codes):
			person.says(code)
		stranger = house.stranger()
		start = time.monotonic()
		stranger.says("hola")
		stranger.hears()
		check(time.monotonic() - start < 1 * h.PATIENCE, "somebody who needs no core waits for it")
		until(lambda: all(person.bubbles() for person in people), 30 * h.PATIENCE, "an answer to everybody")
	finally:
		lock.rows("ROLLBACK")
		lock.close()
	house.settle(40)
	house.advance(120)
	for person in people:
		until(lambda: any("Le falta por pagar" in b.text for b in person.bubbles()), 30 * h.PATIENCE, "a balance")
	house.settle(30)


def core_absurd(house):
	"""A name of five thousand letters and a birthday without end cost nobody his balance."""
	person = house.customer()
	house.core("UPDATE core_demo.cliente SET nombres = repeat('x', 5000), fec_nac = 'infinity'"
		   f" WHERE num_doc = '{person.document}'")
	code = to_code(house, person)
	person.says(code)
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance")
	for column in ("name", "birth_date"):
		equal(house.log().count(f"column {column} has values that make no sense"), 1, f"lines on {column}")


# ---- the store -------------------------------------------------------------------------------------

def store_away(house):
	"""PostgreSQL goes in the middle: 503 with Retry-After, /readyz and the journal say so; it recovers."""
	person = house.customer()
	code = to_code(house, person)
	body = webhook.of(person, person.text(code))
	house.server.halt()
	try:
		until(lambda: not house.is_answering(), 5, "/readyz that says no")
		status, text, headers = house.post(body, full=True)
		equal(status, 503, "a webhook without a store")
		check(int(headers["Retry-After"]) >= 1, "Retry-After is missing")
		equal(house.http.request("GET", "/healthz")[0], 200, "/healthz")
		check(house.process.poll() is None, "the daemon ended")
		equal(house.ask("status")["store"], False, "what status says of the store")
	finally:
		house.server.resume()
	house.wait_ready()
	house.deliver(body)
	check(any("Le falta por pagar" in b.text for b in person.hears_all()), "no balance after the store was back")


def store_away_at_start(house):
	person = house.stranger()
	house.stop()
	house.server.halt()
	try:
		house.launch()
		until(lambda: house.is_answering("/healthz"), 10 * h.PATIENCE, "a daemon that listens without a store")
		equal(house.http.request("GET", "/readyz")[0], 503, "/readyz")
		equal(house.post(webhook.of(person, person.text("hola"))), 503, "a webhook")
	finally:
		house.server.resume()
	house.wait_ready()
	person.says("hola")
	check("Asistente" in person.hears().text, "no answer after the store came")


def store_blinks(house):
	"""The store goes and comes while people write; each message is answered once."""
	people = [house.stranger() for _ in range(10)]
	for person in people:
		greet(person)
	bodies = [webhook.of(person, person.text("menú")) for person in people for _ in range(3)]
	threads = [threading.Thread(target=house.deliver, args=(body,)) for body in bodies]
	for thread in threads[:15]:
		thread.start()
	for _ in range(3):
		house.server.crash()
		time.sleep(0.3)
	for thread in threads[15:]:
		thread.start()
	for thread in threads:
		thread.join()
	house.wait_ready()
	for person in people:
		until(lambda: len(person.bubbles()) >= 3, 30 * h.PATIENCE, "three answers")
	house.settle(30)
	for person in people:
		equal(len({outbox_id(b) for b in person.hears_all()}), 3, "answers")
	equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")


def store_restarts(house):
	"""While nothing was going on: the first message after it is taken at once."""
	for _ in range(5):
		person = house.stranger()
		house.settle()
		house.server.crash()
		until(house.is_answering, 10 * h.PATIENCE, "/readyz")
		equal(house.post(webhook.of(person, person.text("hola"))), 200, "the first webhook after a restart")
		check("Asistente" in person.hears().text, "no answer")


def sessions_cut(house):
	"""Every connection to the store is cut, again and again."""
	person = house.stranger()
	house.deliver(webhook.of(person, person.text("hola")))
	person.taps(person.hears_all()[-1], "Sí, autorizo")
	person.hears()
	for _ in range(5):
		house.server.psql("postgres").rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
						   " WHERE usename = 'proalto'")
		house.deliver(webhook.of(person, person.text("menú")))
		check("ayudar" in person.hears(20).text, "no answer after the connections were cut")


# ---- reload and stop -------------------------------------------------------------------------------

def reload_good(house):
	house.configure("identity", "code_tries", "2")
	try:
		person = house.customer()
		to_code(house, person)
		person.says("000000")
		check("1 intento" in person.hears_all()[0].text, "the new number of tries is not in force")
	finally:
		house.configure("identity", "code_tries", None)


def reload_bad(house):
	"""A wrong configuration changes nothing, and everything wrong is told at once, with its line."""
	with open(house.config_path) as file:
		good = file.read()
	wrong = good.replace("demo = true;", "demo = true;\nnobody_knows = 1;").replace(
		'lookup = "full";', 'lookup = "sometimes";\n\tcode_tries = "three";')
	try:
		with open(house.config_path, "w") as file:
			file.write(wrong)
		answer = house.ask("reload")
		equal(answer["reloaded"], False, "a wrong configuration")
		report = "\n".join(answer["report"])
		for word in ("nobody_knows", "lookup", "code_tries", "proalto.conf:"):
			check(word in report, f"{word} is not told", report)
		with open(house.config_path, "w") as file:
			file.write(good + "\nchannels = {")
		equal(house.ask("reload")["reloaded"], False, "a broken file")
		person = house.stranger()
		check("ayudar" in greet(person).text, "the old configuration is not in force")
	finally:
		with open(house.config_path, "w") as file:
			file.write(good)
	equal(house.ask("reload")["reloaded"], True, "the good one again")


def reload_names_restarts(house):
	house.settings.setdefault("work", {})["workers"] = "9"
	house.write_config()
	answer = house.ask("reload")
	house.settings["work"].pop("workers")
	house.write_config()
	check("work.workers" in "\n".join(answer["report"]), "the key that needs a restart is not named", answer)


def reload_by_signal(house):
	lines = house.log().count("read again")
	house.process.send_signal(1)
	until(lambda: house.log().count("read again") > lines, 10, "a reload by SIGHUP")


def clean_stop(house):
	"""A stop answers all that wait; what was acknowledged is answered after the next start."""
	people = [house.stranger() for _ in range(40)]
	seen = house.graph.stats()["accepted"]
	house.graph.faults(latency_ms=100)
	answers = {}

	def write(number, person):
		person.seen = seen
		try:
			answers[number] = house.post(webhook.of(person, person.text("hola")))
		except (OSError, h.http.client.HTTPException) as error:
			answers[number] = type(error).__name__

	threads = [threading.Thread(target=write, args=pair) for pair in enumerate(people)]
	for thread in threads[:30]:
		thread.start()
	time.sleep(0.02)
	start = time.monotonic()
	house.process.terminate()
	for thread in threads[30:]:
		thread.start()
	for thread in threads:
		thread.join()
	equal(house.process.wait(20), 0, "exit status")
	check(time.monotonic() - start < 8 * h.PATIENCE, f"the stop took {time.monotonic() - start:.1f} s")
	house.graph.faults()
	odd = {n: a for n, a in answers.items() if a not in (200, 503) and n < 30}
	# Who comes when the door is shut finds nobody; who was inside gets an answer.
	inside = [a for a in odd.values() if a not in ("ConnectionRefusedError",)]
	check(not inside, f"no answer to some who waited: {inside}")
	house.start()
	for number, person in enumerate(people):
		if answers[number] == 200:
			check("Asistente" in person.hears(20).text, "acknowledged before the stop and never answered")
	house.settle()


def refuses_unlogged(house):
	"""A store that would forget is not used."""
	house.stop()
	house.sql("SELECT set_config('role', 'proalto_owner', false)")
	house.rows("CREATE UNLOGGED TABLE forgetful (a int)")
	try:
		house.launch()
		until(lambda: house.is_answering("/healthz") or house.process.poll() is not None, 10, "a start")
		time.sleep(1)
		check(not house.is_answering(), "an unlogged table in the store was accepted")
		check("forgetful" in house.log_tail(), "the journal does not name the unlogged table")
	finally:
		house.rows("DROP TABLE forgetful")
		house.rows("RESET role")
	if house.process.poll() is not None:
		house.launch()
	house.wait_ready()


TESTS = [
	("Graph API: 429", refused_429),
	("Graph API: 130429", refused_130429),
	("Graph API: 131056, too much to one person", refused_pair_rate),
	("Graph API: 5xx", server_errors),
	("Graph API: closes before it accepts", closed_before),
	("Graph API: closes after it accepted; the status settles it", closed_after),
	("Graph API: closes after it accepted, and no status comes", closed_after_without_status),
	("Graph API: hangs", hanging),
	("Graph API: down for a while", down_for_a_while),
	("Graph API: a recipient is given up, the next message goes", given_up),
	("Graph API: the token has expired", token_expired),
	("Graph API: accepted, then failed by status", failed_by_status),
	("SMS: refused for good", sms_refused),
	("SMS: of unknown fate is never sent twice", sms_drops_after),
	("SMS: taken, then failed by a receipt", sms_failed_later),
	("SMS: failed by a receipt, in another's chat", sms_failed_of_others),
	("SMS: a kill takes no second code from the quota", quota_is_taken_once),
	("SMS: a code is wiped when its time is over", expired_code_is_wiped),
	("SMS: codes are wiped", codes_are_wiped),
	("core: its connections are cut", core_cut),
	("core: away", core_away),
	("core: away, and the daemon killed", core_away_and_killed),
	("core: hangs", core_slow),
	("core: an absurd name and birthday", core_absurd),
	("store: away in the middle", store_away),
	("store: away at the start", store_away_at_start),
	("store: blinks", store_blinks),
	("store: restarts between two messages", store_restarts),
	("store: every connection is cut", sessions_cut),
	("store: an unlogged table is refused", refuses_unlogged),
	("reload: a good configuration", reload_good),
	("reload: a bad one changes nothing", reload_bad),
	("reload: keys that need a restart are named", reload_names_restarts),
	("reload: by signal", reload_by_signal),
	("stop: all that wait are answered", clean_stop),
]


def main():
	with h.House(durable=True, core_apart=True, customers=100,
		     settings={"sms": {"uncertain_wait": '"1 s"'}, "whatsapp": {"uncertain_wait": '"1 s"'}}) as house:
		return h.run(tap.chosen(TESTS), house)


if __name__ == "__main__":
	sys.exit(main())
