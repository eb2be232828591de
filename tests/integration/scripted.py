#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The queue of the real daemon, made to do anything by customers who say what (script_turn.c).

Order, retries, rates, uncertainty, files, templates, quiet, the core's slots and return, late answers, a stolen
conversation, a store that refuses one of many, PostgreSQL gone in mid-load, clean ends, and events
that kill.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
os.environ["B"] = os.path.join(os.environ.get("B", "build"), "tests/scripted")

import house as h
import tap
import webhook
from tap import check, equal, until


def texts(customer, count, seconds=10):
	"""The next count messages' texts, without the person's own name for them."""
	return [customer.hears(seconds).text for _ in range(count)]


def silence(customer, seconds=0.5):
	time.sleep(seconds)
	equal([str(b) for b in customer.bubbles()], [], "messages that nobody asked for")


def is_set_aside(house):
	"""One event was, and is forgotten again."""
	until(lambda: house.sql("SELECT count(*) FROM set_aside") == "1", 15 * h.PATIENCE, "an event set aside")
	house.rows("DELETE FROM set_aside")


# ---- order ------------------------------------------------------------------------------------------

def bubbles_in_order(house):
	ana = house.stranger()
	house.graph.faults(latency_ms=30)
	ana.says("say a;say b;say c")
	ana.says("say d")
	equal(texts(ana, 4), ["1 a", "2 b", "3 c", "4 d"], "the bubbles")
	house.graph.faults()
	equal(house.graph.stats()["overlaps"], 0, "messages on their way at once to one person")


def retries_keep_order(house):
	ana = house.stranger()
	house.graph.faults({"kind": "error", "http": 500, "code": 131000, "count": 2})
	ana.says("say a;say b")
	equal(texts(ana, 2, 20), ["1 a", "2 b"], "the bubbles")
	equal(house.sql("SELECT count(*) FROM attempt WHERE result IS NULL"), "0", "attempts without end")


def giving_up_is_told(house):
	ana = house.stranger()
	house.graph.faults({"kind": "error", "http": 400, "code": 131026, "count": 1})
	ana.says("care a;say b")
	heard = texts(ana, 2)
	equal(heard[0], "2 b", "the message behind the one given up")
	equal(heard[1], "3 undelivered care", "what the conversation is told")


def files_wait_for_their_status(house):
	ana = house.stranger()
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 600, "read_ms": -1})
	ana.says("doc a;say b")
	first = ana.hears()
	second = ana.hears()
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	equal((first.kind, second.kind), ("document", "text"), "what came")
	check(second.entry["at_ns"] - first.entry["at_ns"] > 400e6, "the text did not wait for the file")


def files_wait_at_most_four_seconds(house):
	ana = house.stranger()
	house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
	ana.says("doc a;say b")
	first, second = ana.hears(), ana.hears()
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	waited = (second.entry["at_ns"] - first.entry["at_ns"]) / 1e9
	check(3.5 < waited < 8 * h.PATIENCE, f"the text waited {waited} s")


def templates_leave_whole(house):
	"""Through the store and back, as the provider knows it: the stand-in refuses any other."""
	house.graph.control("templates", {"aviso_pago": {"languages": ["es_CO"], "body": 1}})
	ana = house.stranger()
	ana.says("template aviso_pago;say b")
	heard = [ana.hears(), ana.hears()]
	house.graph.control("templates", {})
	equal(heard[0].body.get("template"), {
		"name": "aviso_pago", "language": {"code": "es_CO"},
		"components": [{"type": "body", "parameters": [{"type": "text", "text": "1 valor"}]}]},
	      "the template")
	equal(heard[1].text, "2 b", "what came behind it")


# ---- rates ------------------------------------------------------------------------------------------

RATE, BURST = 5, 5  # a second's messages may go at once
PAUSE = 1


class Paced:
	"""The house with other rates, which are read at a start."""

	def __init__(self, house, **rates):
		self.house, self.rates = house, rates

	def set(self, settings):
		self.house.settings["whatsapp"] = settings
		self.house.write_config()
		self.house.restart()

	def __enter__(self):
		self.kept = self.house.settings.get("whatsapp", {})
		self.set(dict(self.kept, **self.rates))

	def __exit__(self, *_):
		self.set(self.kept)


def seconds_between(first, last):
	return (last.entry["at_ns"] - first.entry["at_ns"]) / 1e9


def our_number_has_a_rate(house):
	with Paced(house, rate=f"{RATE}.0"):
		crowd = [house.stranger() for _ in range(2 * BURST + 1)]
		for customer in crowd:
			customer.says("say a")
		heard = sorted((customer.hears() for customer in crowd), key=lambda bubble: bubble.n)
	least = (len(crowd) - BURST) / RATE
	took = seconds_between(heard[0], heard[-1])
	check(took > 0.8 * least, f"{len(crowd)} messages went in {took} s, which takes {least}")


def each_person_has_a_rate(house):
	"""And nobody waits for another's."""
	with Paced(house, recipient_pause=f'"{PAUSE} s"', recipient_burst=1):
		ana, other = house.stranger(), house.stranger()
		ana.says("say a;say b;say c")
		first = ana.hears()
		other.says("say d")
		heard = [first, ana.hears(), ana.hears()]
		between = other.hears()
	for one, next_one in zip(heard, heard[1:]):
		pause = seconds_between(one, next_one)
		check(pause > 0.8 * PAUSE, f"the next message to him came {pause} s later")
	check(between.n < heard[2].n, "another person waited for his pause")


# ---- uncertainty ------------------------------------------------------------------------------------

def a_receipt_settles(house):
	ana = house.stranger()
	house.graph.faults({"kind": "drop_after", "count": 1})
	ana.says("say a;say b")
	equal(texts(ana, 2), ["1 a", "2 b"], "the bubbles")
	house.settle()
	silence(ana)
	equal(house.sql("SELECT count(*) FROM outbox WHERE reason = 'settled by a receipt'"), "1",
	      "messages settled by a receipt")


def silence_sends_again(house):
	ana = house.stranger()
	house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
	house.graph.faults({"kind": "drop_after", "count": 1})
	ana.says("say a")
	equal(texts(ana, 2), ["1 a", "1 a"], "the same again")
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	house.settle()


def a_code_is_never_sent_again(house):
	ana = house.stranger()
	mobile = house.stranger_phone()
	house.smsgw.control("receipts", {"after_ms": -1, "status": "delivered", "double": False})
	house.smsgw.faults({"kind": "drop_after", "count": 1})
	ana.says(f"secret {mobile}")
	house.settle(30)
	equal(len(house.all_sms(mobile)), 1, "codes sent")
	equal(house.sql("SELECT count(*) FROM outbox WHERE is_secret AND payload IS NOT NULL"), "0",
	      "codes kept")
	house.smsgw.control("receipts", {"after_ms": 10, "status": "delivered", "double": False})


def refuse_outcomes(house, is_on):
	"""The store takes no outcome, as when its disk is full."""
	if is_on:
		house.rows("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
			   " $$ BEGIN RAISE 'not now' USING ERRCODE = '53100'; END $$")
		house.rows("CREATE TRIGGER refuse BEFORE UPDATE OF external ON outbox FOR EACH ROW"
			   " EXECUTE FUNCTION refuse()")
	else:
		house.rows("DROP TRIGGER refuse ON outbox")


def killed_between_two_bubbles(house):
	"""The second leaves only behind the first one's stored outcome: whatever is said again is in order."""
	ana = house.stranger()
	house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
	refuse_outcomes(house, True)
	ana.says("say a;say b")
	equal(texts(ana, 1), ["1 a"], "the first bubble")
	silence(ana, 1)
	house.kill()
	refuse_outcomes(house, False)
	house.start()
	equal(texts(ana, 2), ["1 a", "2 b"], "what is said after the kill")
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	house.settle()
	silence(ana, 0.5)


def killed_with_a_receipt_in_the_store(house):
	"""The status came and was stored, the outcome was not: it isn't sent again."""
	ana = house.stranger()
	refuse_outcomes(house, True)
	ana.says("say a")
	equal(texts(ana, 1), ["1 a"], "the answer")
	until(lambda: house.sql("SELECT statuses FROM outbox ORDER BY id DESC LIMIT 1") == "7", 10, "receipts")
	house.kill()
	refuse_outcomes(house, False)
	house.start()
	house.settle()
	silence(ana, 1.5)


# ---- receipts by the gateway's id, and failures told -------------------------------------------------

def withhold_receipts(house):
	house.smsgw.control("receipts", {"after_ms": -1, "status": "delivered", "double": False})


def post_receipt(house, sms, status):
	answer = house.http.request("POST", f"/receipt/sms?token={h.RECEIPT_TOKEN}",
				    h.json.dumps({"id": sms["id"], "status": status}))
	equal(answer[0], 200, "the answer to a receipt")


def send_code(house, person):
	"""A code to a mobile of its own, without a receipt; what the gateway knows of it."""
	withhold_receipts(house)
	mobile = house.stranger_phone()
	person.says(f"secret {mobile}")
	return until(lambda: house.all_sms(mobile), 10 * h.PATIENCE, "the code")[0]


LAST_CODE = "(SELECT max(id) FROM outbox WHERE is_secret)"


def statuses_of_last(house):
	return house.sql(f"SELECT statuses FROM outbox WHERE id = {LAST_CODE}")


def receipts_of_last(house):
	return house.sql(f"SELECT count(*) FROM receipt WHERE outbox_id = {LAST_CODE}")


def receipts_by_id(house):
	"""In any order, each once."""
	sms = send_code(house, house.stranger())
	house.settle()
	for status in ("delivered", "sent", "delivered", "sent"):
		post_receipt(house, sms, status)
	equal(statuses_of_last(house), "3", "statuses: sent and delivered")
	equal(receipts_of_last(house), "2", "receipts kept")
	equal(house.sql("SELECT count(*) FROM early_receipt"), "0", "receipts that found no message")


def receipts_in_one_delivery(house):
	sms = send_code(house, house.stranger())
	house.settle()
	body = [{"id": sms["id"], "status": status} for status in ("delivered", "delivered", "sent")]
	answer = house.http.request("POST", f"/receipt/sms?token={h.RECEIPT_TOKEN}", h.json.dumps(body))
	equal(answer[0], 200, "the answer to receipts")
	equal(statuses_of_last(house), "3", "statuses")
	equal(receipts_of_last(house), "2", "receipts kept")


def a_receipt_before_the_outcome(house):
	"""The gateway tells, twice, before it has answered."""
	house.smsgw.control("receipts", {"after_ms": 5, "status": "delivered", "double": True})
	house.smsgw.faults(latency_ms=400)
	house.stranger().says(f"secret {house.stranger_phone()}")
	until(lambda: house.sql("SELECT count(*) FROM early_receipt") == "1", 5 * h.PATIENCE, "an early receipt")
	equal(statuses_of_last(house), "0", "statuses before the outcome")
	house.settle()
	house.smsgw.faults()
	equal(statuses_of_last(house), "2", "statuses after it")
	equal(receipts_of_last(house), "1", "receipts kept")


def a_receipt_before_a_late_outcome(house):
	"""The outcome was there and could not be stored."""
	refuse_outcomes(house, True)
	ana = house.stranger()
	sms = send_code(house, ana)
	post_receipt(house, sms, "failed")
	refuse_outcomes(house, False)
	house.settle()
	equal(statuses_of_last(house), "16", "statuses")
	equal(texts(ana, 1), ["1 undelivered care"], "what the conversation is told")


def a_receipt_of_nobodys(house):
	post_receipt(house, {"id": "sms-of-another-system"}, "delivered")
	equal(house.sql("SELECT count(*) FROM early_receipt"), "1", "receipts kept for a while")
	house.rows("DELETE FROM early_receipt")
	house.rows("DELETE FROM external_id WHERE outbox_id IS NULL")


def a_failure_by_receipt_is_told_once(house):
	ana = house.stranger()
	sms = send_code(house, ana)
	house.settle()
	for _ in range(3):
		post_receipt(house, sms, "failed")
	post_receipt(house, sms, "expired")
	equal(texts(ana, 1), ["1 undelivered care"], "what the conversation is told")
	silence(ana, 2)


def what_arrived_did_not_fail(house):
	ana = house.stranger()
	sms = send_code(house, ana)
	house.settle()
	post_receipt(house, sms, "delivered")
	post_receipt(house, sms, "failed")
	silence(ana, 2.5)


def a_failure_is_told_after_a_kill(house):
	"""Acknowledged, then killed: told once by the next start."""
	ana = house.stranger()
	sms = send_code(house, ana)
	house.settle()
	post_receipt(house, sms, "failed")
	house.kill()
	house.start()
	equal(texts(ana, 1), ["1 undelivered care"], "what the conversation is told")
	house.kill()
	house.start()
	post_receipt(house, sms, "failed")
	silence(ana, 2)


def a_failure_found_after_a_kill(house):
	"""The provider refused, the store did not hear of it; the next start asks again and is told."""
	ana = house.stranger()
	refuse_outcomes(house, True)
	house.graph.faults({"kind": "error", "http": 400, "code": 131026, "count": 2})
	faults = house.graph.stats()["faults"]
	ana.says("care a;say b")
	until(lambda: house.graph.stats()["faults"] > faults, 10, "the first refusal")
	time.sleep(0.3)
	house.kill()
	refuse_outcomes(house, False)
	house.start()
	equal(texts(ana, 2, 20), ["2 b", "3 undelivered care"], "what comes after the kill")
	house.graph.faults()
	silence(ana, 1.5)


def a_failed_status_is_told(house):
	"""WhatsApp: accepted, then failed by a status."""
	ana = house.stranger()
	house.graph.control("statuses", {"failed_code": 131026})
	ana.says("care a")
	equal(texts(ana, 1), ["1 a"], "the message")
	time.sleep(0.3)
	house.graph.control("statuses", {"failed_code": 0})
	equal(texts(ana, 1), ["2 undelivered care"], "what the conversation is told")
	silence(ana, 1.5)


# ---- turns ------------------------------------------------------------------------------------------

def quiet_is_waited_for(house):
	ana = house.stranger()
	ana.says("quiet;say a")
	silence(ana, 0.15)
	equal(texts(ana, 1), ["1 a"], "the answer after a moment")


def jobs_and_timers(house):
	ana = house.stranger()
	ana.says("job say b;timer say c;say a")
	equal(sorted(texts(ana, 3)), ["1 a", "2 b", "3 c"], "what was said, at once and later")
	house.settle()
	equal(house.sql("SELECT count(*) FROM timer"), "0", "timers left")


def a_rush_of_consents(house):
	crowd = [house.stranger() for _ in range(60)]
	threads = [threading.Thread(target=c.says, args=("consent;case;say a",)) for c in crowd]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	for customer in crowd:
		equal(texts(customer, 1), ["1 a"], "the answer")
	equal(house.sql("SELECT count(*) FROM consent"), "60", "consents")


def duplicates_in_one_delivery(house):
	ana = house.stranger()
	message = ana.text("say a", at=house.now())
	equal(house.post(webhook.of(ana, message, message)), 200, "the answer")
	equal(house.post(webhook.of(ana, message)), 200, "the answer")
	equal(texts(ana, 1), ["1 a"], "the answer")
	silence(ana)


def one_bad_turn_costs_only_itself(house):
	ana = house.stranger()
	ana.says("say a")
	equal(texts(ana, 1), ["1 a"], "the answer")
	house.settle()
	who = house.sql("SELECT max(id) FROM conversation")
	house.rows("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		   " $$ BEGIN RAISE 'never' USING ERRCODE = '23514'; END $$")
	house.rows("CREATE TRIGGER refuse BEFORE UPDATE OF state ON conversation FOR EACH ROW"
		   f" WHEN (new.id = {who}) EXECUTE FUNCTION refuse()")
	crowd = [house.stranger() for _ in range(10)]
	ana.says("say b")
	for customer in crowd:
		customer.says("say a")
	for customer in crowd:
		equal(texts(customer, 1), ["1 a"], "a neighbour's answer")
	is_set_aside(house)
	house.rows("DROP TRIGGER refuse ON conversation")
	ana.says("say c")
	equal(texts(ana, 1), ["2 c"], "the next answer")


def no_disk_is_nobodys_fault(house):
	ana = house.stranger()
	ana.says("say a")
	equal(texts(ana, 1), ["1 a"], "the answer")
	house.rows("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		   " $$ BEGIN RAISE 'no disk' USING ERRCODE = '53100'; END $$")
	house.rows("CREATE TRIGGER refuse BEFORE UPDATE OF state ON conversation FOR EACH ROW"
		   " EXECUTE FUNCTION refuse()")
	ana.says("say b")
	time.sleep(5)
	house.rows("DROP TRIGGER refuse ON conversation")
	equal(texts(ana, 1), ["2 b"], "the answer")
	equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")


def a_stolen_conversation(house):
	"""Another node took it and died: the turn is done once, here."""
	ana = house.stranger()
	ana.says("say a")
	equal(texts(ana, 1), ["1 a"], "the answer")
	house.settle()
	who = house.sql("SELECT max(id) FROM conversation")
	ana.says("sleep 700;say b")
	time.sleep(0.3)
	house.rows(f"UPDATE conversation SET owner = 1, epoch = epoch + 1 WHERE id = {who}")
	equal(texts(ana, 1), ["2 b"], "the answer")
	house.settle()
	silence(ana)


def a_failing_event_is_set_aside(house):
	ana = house.stranger()
	house.post(webhook.of(ana, ana.text("say a", at=house.now()), ana.text("fail", at=house.now()),
			      ana.text("say b", at=house.now())))
	equal(texts(ana, 2, 20), ["1 a", "2 b"], "the innocent ones' answers")
	is_set_aside(house)


def late_is_told(house):
	ana = house.stranger()
	ana.says("sleep 22500;say a")
	ana.says("say b")
	equal(texts(ana, 2, 40), ["1 a", "2 b"], "the answers")
	check(house.ask("status")["late_answers"] >= 1, "no alarm for a late answer")


def two_contacts_become_one(house):
	"""Known by user id with consent, and by phone without: the conversation with consent goes on."""
	ana = house.stranger()
	ana.says("say a;say a")
	equal(texts(ana, 2), ["1 a", "2 a"], "the answers to the phone")
	same = house.stranger(phone=False, user_id="CO.7391044820")
	same.says("consent;say a;say a;say a")
	equal(len(texts(same, 3)), 3, "the answers to the user id")
	time.sleep(0.1)
	ana.says("say a;say a;say a")
	equal(len(texts(ana, 3)), 3, "the answers to the phone")
	house.settle()
	both = h.Customer(house, phone=ana.phone, user_id=same.user_id)
	both.seen = max(ana.seen, same.seen)
	both.says("say b")
	equal(texts(both, 1), ["4 b"], "the conversation that goes on")
	house.restart()
	ana.seen = both.seen
	ana.says("say c")
	equal(texts(ana, 1), ["5 c"], "the same after a restart, by phone alone")


# ---- the core ---------------------------------------------------------------------------------------

def marks(house):
	stats = house.graph.stats()
	return stats["reads"], stats["typing"]


def he_sees_that_he_is_read(house):
	"""Once, as soon as the core is asked for him; not for what is answered at once."""
	ana = house.stranger()
	house.settle()
	before = marks(house)
	ana.says("say a")
	equal(texts(ana, 1), ["1 a"], "the answer")
	ana.says("core;core")
	equal(texts(ana, 2), ["2 core ok", "3 core ok"], "the answers that took the core")
	wanted = tuple(count + 1 for count in before)
	until(lambda: marks(house) == wanted, 5 * h.PATIENCE, "one mark as read, with the sign of writing")
	silence(ana)
	equal(marks(house), wanted, "marks as read, and signs of writing")



def slots_are_waited_for(house):
	house.core("CREATE OR REPLACE FUNCTION pg_temp.x() RETURNS int LANGUAGE sql AS 'SELECT 1'")
	crowd = [house.stranger() for _ in range(40)]
	for customer in crowd:
		customer.says("core")
	start = time.monotonic()
	for customer in crowd:
		equal(texts(customer, 1), ["1 core ok"], "the answer")
	check(time.monotonic() - start < 10 * h.PATIENCE, "somebody waited for a slot that was free")


def the_core_comes_back(house):
	ana = house.stranger()
	house.core_away(True)
	for i in range(6):
		ana.says("core")
		texts(ana, 1, 20)
	house.core_away(False)
	found = ana.hears(20).text
	check(found.endswith("core back"), f"the customer hears {found!r}")


def the_core_comes_back_after_a_kill(house):
	ana = house.stranger()
	house.core_away(True)
	ana.says("core")
	texts(ana, 1, 20)
	house.settle()
	house.kill()
	house.core_away(False)
	house.start()
	equal(texts(ana, 1), ["2 core back"], "what the customer hears")
	silence(ana, 2)


# ---- ends and beginnings ----------------------------------------------------------------------------

def crowd_says(house, crowd, rounds):
	"""Each customer's messages, one behind the other, delivered as Meta does."""
	def one(customer):
		for i in range(rounds):
			house.deliver(webhook.of(customer, customer.text(f"say {i}", at=house.now())))

	threads = [threading.Thread(target=one, args=(c,)) for c in crowd]
	for thread in threads:
		thread.start()
	return threads


def check_crowd(crowd, rounds):
	for customer in crowd:
		seen = [customer.hears(40).text]
		while seen[-1].split()[0] != str(rounds):
			seen.append(customer.hears(40).text)
		equal(seen, [f"{i + 1} {i}" for i in range(rounds)], "the answers")


def postgres_crashes(house):
	crowd = [house.stranger() for _ in range(12)]
	threads = crowd_says(house, crowd, 40)
	for _ in range(3):
		time.sleep(0.7)
		house.server.crash()
	for thread in threads:
		thread.join()
	check_crowd(crowd, 40)
	house.settle(40)
	equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")


def clean_stops(house):
	"""Nothing is lost, nothing twice, and nobody is left in doubt."""
	crowd = [house.stranger() for _ in range(12)]
	house.graph.faults(latency_ms=40)
	threads = crowd_says(house, crowd, 20)
	for _ in range(4):
		time.sleep(0.5)
		equal(house.stop(), 0, "the daemon's exit status")
		house.start()
	for thread in threads:
		thread.join()
	check_crowd(crowd, 20)
	house.graph.faults()
	house.settle(40)


def stops_with_the_store_away(house):
	ana = house.stranger()
	ana.says("sleep 300;say a")
	house.server.halt()
	time.sleep(1)
	equal(house.stop(), 0, "the daemon's exit status")
	house.server.resume()
	house.start()
	equal(texts(ana, 1), ["1 a"], "the answer")


def what_kills_is_set_aside(house):
	"""Death comes when the outcome of what was said before is stored: else it might rightly be said again."""
	for word in ("segv", "exit"):
		ana = house.stranger()
		innocent = house.stranger()
		house.deliver(webhook.of(ana, ana.text("say a;sleep 100", at=house.now()),
					 ana.text(f"sleep {int(500 * h.PATIENCE)};{word}", at=house.now())))
		innocent.says("sleep 650;say i")
		deaths = 0
		while deaths < 6:
			try:
				house.process.wait(6 * h.PATIENCE)
			except h.subprocess.TimeoutExpired:
				break
			deaths += 1
			house.launch()
		house.wait_ready()
		is_set_aside(house)
		equal(texts(ana, 1), ["1 a"], "the answer to what came before it")
		equal(texts(innocent, 1), ["1 i"], "the innocent one's answer")
		ana.says("say b")
		equal(texts(ana, 1), ["2 b"], "the answer to what came after it")


TESTS = [
	("bubbles leave in order, one at a time", bubbles_in_order),
	("what is tried again keeps its place", retries_keep_order),
	("what is given up is told", giving_up_is_told),
	("a file's status is waited for", files_wait_for_their_status),
	("but no longer than four seconds", files_wait_at_most_four_seconds),
	("a template leaves as it was made", templates_leave_whole),
	("our number has a rate", our_number_has_a_rate),
	("each person has a rate", each_person_has_a_rate),
	("a receipt settles what was uncertain", a_receipt_settles),
	("a reply of which no word came goes again", silence_sends_again),
	("a code does not", a_code_is_never_sent_again),
	("killed with a receipt in the store and no outcome", killed_with_a_receipt_in_the_store),
	("killed between two bubbles", killed_between_two_bubbles),
	("receipts by the gateway's id: any order, doubled", receipts_by_id),
	("receipts by the gateway's id: several in one delivery", receipts_in_one_delivery),
	("receipts by the gateway's id: before the answer", a_receipt_before_the_outcome),
	("receipts by the gateway's id: before the outcome is stored", a_receipt_before_a_late_outcome),
	("receipts by the gateway's id: of nobody's message", a_receipt_of_nobodys),
	("a failure told by a receipt is told once", a_failure_by_receipt_is_told_once),
	("what arrived did not fail", what_arrived_did_not_fail),
	("a failure is told after a kill", a_failure_is_told_after_a_kill),
	("a failure that is found after a kill is told", a_failure_found_after_a_kill),
	("a failed status is told", a_failed_status_is_told),
	("a moment of quiet is waited for", quiet_is_waited_for),
	("jobs and timers are done", jobs_and_timers),
	("sixty consents in one moment", a_rush_of_consents),
	("a duplicate within a delivery", duplicates_in_one_delivery),
	("one bad turn costs only itself", one_bad_turn_costs_only_itself),
	("a full disk is nobody's fault", no_disk_is_nobodys_fault),
	("a conversation that another node took", a_stolen_conversation),
	("of three events the failing one is set aside", a_failing_event_is_set_aside),
	("two contacts become one, and consent is kept", two_contacts_become_one),
	("an answer that is late is noticed", late_is_told),
	("he who asks the core sees that he is read", he_sees_that_he_is_read),
	("all who wait for a slot at the core get one", slots_are_waited_for),
	("the core comes back without being asked", the_core_comes_back),
	("and is told after a kill too", the_core_comes_back_after_a_kill),
	("PostgreSQL crashes under load", postgres_crashes),
	("clean stops under load", clean_stops),
	("a clean stop with the store away", stops_with_the_store_away),
	("what kills the daemon is set aside, and only that", what_kills_is_set_aside),
]


def main():
	settings = {"sms": {"uncertain_wait": '"1 s"'}}
	with h.House(core_apart=True, settings=settings) as house:
		status = 1 if tap.run(tap.chosen(TESTS), house) else 0
		if status or "SHOW" in os.environ:
			tap.say(house.log_tail(60))
		if house.process.poll() is None and house.stop() != 0:
			status = 1
		if "Sanitizer" in house.log() or "runtime error" in house.log():
			print("# the log tells of an error that a sanitizer found")
			tap.say(house.log())
			status = 1
		sys.exit(status)


main()
