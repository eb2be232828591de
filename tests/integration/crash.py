#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills proaltod, or PostgreSQL, or both, at random instants under load: crash.py [DRILLS] [SEED]

Many conversations run at once, each waiting for its answers. What was acknowledged must be answered,
and every turn done once; afterwards the database and the stand-ins' own logs are compared, message by
message. PostgreSQL keeps its promises here (fsync). One drill in three stops it with -m immediate.

Then a message that really kills the daemon: it is set aside, and everybody else is served.
"""

import os
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import collections
import queue
import random
import re
import threading
import time

import house as h
import tap
import webhook
from tap import check, equal, say

TALKERS = 24
PATIENCE_S = 60 * h.PATIENCE  # for one answer, with kills in between
SETTLE_S = 90 * h.PATIENCE
LATE = re.compile("Sigo con su mensaje|Perdón por la demora")
CLASS_REPLY = 1
UNCERTAIN_WAIT_S = 2
UNCERTAIN_WAIT_NS = UNCERTAIN_WAIT_S * 10**9
# The daemon starts, waits, and may first have to decide on another message of the conversation.
REPEAT_MAX_NS = int(12 * 10**9 * h.PATIENCE)


def ns_of(column):
	return f"(extract(epoch FROM {column}) * 1000000)::bigint * 1000"


class Deaths:
	"""What the store held each time the daemon was dead, when nothing changes it."""

	def __init__(self, house):
		self.house = house
		self.open = {}  # (outbox id, try) -> when that attempt was last found without an outcome, in ns,
		self.begun = {}  # ... and when it began
		self.owners = collections.defaultdict(set)  # conversation -> the nodes that have had it

	def note(self):
		tap.until(self.is_quiet, 20 * h.PATIENCE, "an end of what a dead daemon had begun")
		now = time.time_ns()
		for outbox, tries, begun in self.house.rows(f"SELECT id, tries, {ns_of('started_at')} FROM outbox"
							    " WHERE is_open AND state IN (1, 2)"):
			self.open[int(outbox), int(tries)] = now
			self.begun[int(outbox), int(tries)] = int(begun)
		self.note_owners()

	def is_quiet(self):
		return self.house.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'proalto'") == "0"

	def note_owners(self):
		for conversation, owner in self.house.rows("SELECT id, owner FROM conversation WHERE owner IS NOT NULL"):
			self.owners[int(conversation)].add(owner)


class Heard:
	"""Sorts what the Graph stand-in accepted: by person; posts of the same message apart."""

	def __init__(self, house):
		self.house = house
		self.queues = collections.defaultdict(queue.Queue)
		self.posts = collections.defaultdict(list)  # outbox id -> callbacks
		self.order = collections.defaultdict(list)  # address -> outbox ids, as first accepted
		self.problems = []
		self.late = 0
		self.seen = 0
		self.is_over = False
		self.thread = threading.Thread(target=self.run)

	def run(self):
		while not self.is_over:
			self.look()
			time.sleep(0.015)

	def look(self):
		for bubble in self.house.bubbles(self.seen):
			self.seen = bubble.n
			self.take(bubble)

	def take(self, bubble):
		callback = bubble.entry["callback"]
		outbox = int(callback.split(".")[0], 16)
		self.posts[outbox].append(callback)
		order = self.order[bubble.to]
		if len(self.posts[outbox]) > 1:
			if order[-1] != outbox:
				self.problems.append(f"message {outbox} was repeated after a later one")
			return
		order.append(outbox)
		if LATE.search(bubble.text):
			self.late += 1
			return
		self.queues[bubble.to].put(bubble)


class Talker(threading.Thread):
	"""One conversation after another, each to its end."""

	def __init__(self, load, number):
		super().__init__()
		self.load = load
		self.house = load.house
		self.dice = random.Random(load.seed * 1000 + number)

	def run(self):
		try:
			while not self.load.is_over:
				self.converse()
		except Exception as error:  # told by the main thread
			self.load.problems.append(f"{type(error).__name__}: {error}")

	# ---- one conversation ----------------------------------------------------------------------

	def send(self, message):
		self.load.count_again += self.house.deliver(webhook.of(self.person, message), PATIENCE_S) - 1

	def hear(self, pattern):
		try:
			bubble = self.load.heard.queues[self.address].get(timeout=PATIENCE_S)
		except queue.Empty:
			raise AssertionError(f"{self.address}: no answer; wanted {pattern}, after {self.talk[-3:]}")
		if not re.search(pattern, bubble.text, re.I | re.S):
			raise AssertionError(f"{self.address}: wanted {pattern}, got {bubble.text!r}, "
					     f"after {self.talk[-3:]}")
		return bubble

	def step(self, message, *patterns, cases=0, consents=0, jobs=0, job_patterns=()):
		"""The answers to a message, and what it must have done in the store."""
		self.talk.append(message.get("text", message["type"]))
		self.send(message)
		bubbles = [self.hear(pattern) for pattern in patterns]
		self.record.append(dict(replies=len(patterns), cases=cases, consents=consents, jobs=jobs))
		bubbles += [self.hear(pattern) for pattern in job_patterns]
		self.load.count_answered += 1
		return bubbles

	def text(self, text, *patterns, **more):
		return self.step(self.person.text(text), *patterns, **more)

	def tap(self, bubble, title, *patterns, **more):
		for kind, tap_id, name in bubble.options:
			if name == title:
				return self.step(self.person.tap(kind, tap_id, name), *patterns, **more)
		raise AssertionError(f"nothing to tap: {title}")

	def converse(self):
		is_customer = self.dice.random() < 0.3
		self.person = self.load.take_customer() if is_customer else self.house.stranger()
		if self.person is None:
			self.person, is_customer = self.house.stranger(), False
		self.address = "+" + self.person.phone
		self.talk, self.record = [], []
		self.load.records[self.address] = self.record
		_, question = self.text("hola", "Asistente Virtual", "autoriza")
		self.tap(question, "Sí, autorizo", "Gracias por su permiso", consents=1)
		self.text("mi saldo", "número de cédula")
		if is_customer:
			self.verify()
		else:
			self.guess()
		for _ in range(self.dice.randrange(2, 6)):
			if self.load.is_over:
				return
			self.dice.choice([self.menu, self.complain])()

	def verify(self):
		record = self.person.record
		self.text(record["document"], "Si esa cédula", jobs=1, job_patterns=["terminado en"])
		self.load.verified.append(self.address)
		end = time.monotonic() + 4
		while time.monotonic() < end:
			texts = self.house.all_sms(self.person.mobile)
			if texts:
				code = re.search(r"\b(\d{6})\b", texts[-1]["text"]).group(1)
				self.text(code, "identificó", "algo más")
				return
			time.sleep(0.1)
		# A code is never sent twice, so one that fell to a kill is lost.
		self.load.count_lost_codes += 1
		self.menu()

	def guess(self):
		self.text(f"1999{self.dice.randrange(700000, 799999)}", "Si esa cédula", jobs=1)
		self.text("100001", "2 intentos")
		self.text("100002", "1 intento")
		self.menu()

	def menu(self):
		self.text("menú", "ayudar")

	def complain(self):
		_, question = self.text("quiero poner una queja", "recibimos su queja", "contarme algo más", cases=1)
		self.tap(question, "No, gracias", "sigue abierto", "algo más")


class Load:
	def __init__(self, house, seed):
		self.house = house
		self.seed = seed
		self.heard = Heard(house)
		self.records = {}  # address -> what each of its messages must have done
		self.problems = []
		self.verified = []
		self.is_over = False
		self.count_drills = self.count_again = self.count_answered = self.count_lost_codes = 0
		self.deaths = Deaths(house)
		self.customers = [house.customer("credits = 1 AND states = 'ACTIVO' AND settled AND id > 100")
				  for _ in range(100)]
		self.lock = threading.Lock()
		self.talkers = [Talker(self, i) for i in range(TALKERS)]

	def take_customer(self):
		with self.lock:
			return self.customers.pop() if self.customers else None

	def begin(self):
		self.heard.thread.start()
		for talker in self.talkers:
			talker.start()

	def end(self):
		self.is_over = True
		for talker in self.talkers:
			talker.join()
		try:
			self.house.settle(SETTLE_S)
		finally:
			self.heard.is_over = True
			self.heard.thread.join()
		self.heard.look()
		self.deaths.note_owners()


# ---- the drills ------------------------------------------------------------------------------------

def kill_daemon(house, deaths):
	house.kill()
	deaths.note()
	house.start()


def crash_postgres(house, deaths):
	house.server.crash()


def crash_both(house, deaths):
	house.kill()
	house.server.halt()
	house.server.resume()
	deaths.note()
	house.start()


def drill(house, load, dice, number):
	time.sleep(dice.uniform(0.1, 0.7))
	if number % 4 == 3:  # statuses that come late, or never: outcomes stay uncertain
		house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
	else:
		house.graph.control("statuses", {"sent_ms": dice.randrange(0, 200), "delivered_ms": 250,
						 "read_ms": 300})
	# A little latency widens the window between a post's first byte and its stored outcome.
	house.graph.faults(latency_ms=dice.choice([0, 0, 5, 30]))
	what = kill_daemon if number % 3 else dice.choice([crash_postgres, crash_both])
	what(house, load.deaths)


def run_drills(house, drills, seed):
	dice = random.Random(seed)
	load = Load(house, seed)
	load.begin()
	start = time.monotonic()
	try:
		for number in range(1, drills + 1):
			drill(house, load, dice, number)
			load.count_drills += 1
			if load.problems:
				break
		house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
		house.graph.faults()
		house.wait_ready()
		time.sleep(0.5)
	finally:
		load.end()
	say(f"seed {seed}: {load.count_drills} drills in {time.monotonic() - start:.0f} s; {len(load.records)} "
	    f"conversations, {load.count_answered} messages answered, {load.count_again} sent again")
	return load


# ---- what must be so afterwards ----------------------------------------------------------------------

class Books:
	"""The store's view of it all, by address."""

	def __init__(self, house, load):
		rows = house.rows("SELECT id, conversation_id, reply_to_inbox, class, state, tries, is_secret, channel"
				  " FROM outbox ORDER BY id")
		names = {row[0]: row[1] for row in house.rows("SELECT number, name FROM channel")}
		self.outbox = {int(r[0]): dict(conversation=int(r[1]), inbox=int(r[2]), cls=int(r[3]), state=int(r[4]),
					       tries=int(r[5]), is_secret=r[6] == "t", channel=names[r[7]])
			       for r in rows}
		self.conversation = {}
		for address, ids in load.heard.order.items():
			self.conversation[address] = {self.outbox[i]["conversation"] for i in ids if i in self.outbox}
		self.inbox = collections.defaultdict(list)
		self.kinds = {}
		for row in house.rows("SELECT id, conversation_id, kind FROM inbox ORDER BY id"):
			self.inbox[int(row[1] or 0)].append(int(row[0]))
			self.kinds[int(row[0])] = int(row[2])
		self.replies = collections.Counter(o["inbox"] for o in self.outbox.values())
		self.cases = collections.Counter(int(r[0]) for r in house.rows("SELECT inbox_id FROM service_case"))
		self.epochs = {int(r[0]): int(r[1]) for r in house.rows("SELECT id, epoch FROM conversation")}
		self.attempts = {(int(r[0]), int(r[1])): int(r[2]) for r in house.rows(
			f"SELECT outbox_id, number, {ns_of('at')} FROM attempt")}
		self.consents = collections.Counter(int(r[0]) for r in house.rows("SELECT inbox_id FROM consent"))

	def messages(self, conversation):
		return [i for i in self.inbox[conversation] if self.kinds[i] == 1]

	def jobs(self, conversation):
		return [i for i in self.inbox[conversation] if self.kinds[i] == 100]


def answered(load, books):
	check(not load.problems, "not every acknowledged message was answered as it should be", *load.problems[:5])
	check(load.count_answered > 20, f"too little was said: {load.count_answered} messages")


def done_once(load, books):
	wrong = []
	for address, record in load.records.items():
		if not record:
			continue
		conversations = books.conversation[address]
		check(len(conversations) == 1, f"{len(conversations)} conversations of one person")
		conversation = conversations.pop()
		books.conversation[address] = {conversation}
		messages = books.messages(conversation)
		if len(messages) != len(record):
			wrong.append(f"{len(messages)} messages in the inbox, {len(record)} sent")
			continue
		for number, (inbox, wanted) in enumerate(zip(messages, record)):
			got = dict(replies=books.replies[inbox], cases=books.cases[inbox],
				   consents=books.consents[inbox])
			if any(got[key] != wanted[key] for key in got):
				wrong.append(f"message {number} of conversation {conversation}: {got}, wanted {wanted}")
		jobs, wanted_jobs = len(books.jobs(conversation)), sum(r["jobs"] for r in record)
		if jobs != wanted_jobs:
			wrong.append(f"{jobs} jobs in conversation {conversation}, wanted {wanted_jobs}")
	check(not wrong, f"{len(wrong)} turns were not done once", *wrong[:8])


def states_once(load, books):
	"""Each turn wrote its conversation's state once: the epoch counts those writes, and each new owner.
	A word on a delay is a turn without an event."""
	wrong = []
	delays = collections.Counter(o["conversation"] for o in books.outbox.values() if not o["inbox"])
	for address, record in load.records.items():
		for conversation in books.conversation[address]:
			writes = books.epochs[conversation] - len(load.deaths.owners[conversation])
			events = len(books.inbox[conversation]) + delays[conversation]
			# Nobody waits for the look-up of a guess: its turn may take the next message along.
			if not len(record) <= writes <= events:
				wrong.append(f"conversation {conversation}: {writes} states written in {events} events, "
					     f"{len(record)} of them messages")
	check(not wrong, f"{len(wrong)} conversations have other states than was said", *wrong[:8])


def codes_once(house, load, books):
	sms = [o for o in books.outbox.values() if o["channel"] == "sms"]
	check(all(o["is_secret"] for o in sms), "an SMS that is no code")
	equal(len(sms), len(load.verified), "code messages, one for each look-up of a customer")
	counted = int(house.sql("SELECT count(*) FROM code_sent"))
	asked = sum(r["jobs"] for record in load.records.values() for r in record)
	equal(counted, asked, "codes counted, one for each look-up, also for those that a kill cut off")
	texts = collections.Counter((m["to"], m["text"]) for m in house.all_sms())
	doubled = [to for (to, _), count in texts.items() if count > 1]
	check(not doubled, f"{len(doubled)} codes were sent twice")
	check(all(o["tries"] <= 1 for o in sms if o["state"] in (2, 3)), "a code that was tried twice was taken")
	equal(house.sql("SELECT count(*) FROM outbox WHERE is_secret AND NOT is_open AND payload IS NOT NULL"), "0",
	      "codes kept after their end")
	say(f"{len(sms)} codes, {load.count_lost_codes} of them lost to a kill")


def attempt_of(callback):
	outbox, _, number = callback.split(".")
	return int(outbox, 16), int(number, 16)


class Repeats:
	"""Attempts after the first: why each of them was made."""

	def __init__(self, house, load, books):
		self.load, self.books = load, books
		self.accepted = collections.Counter(attempt_of(callback) for callbacks in load.heard.posts.values()
						    for callback in callbacks)
		self.known = {}  # attempt -> when the daemon had first stored a status of it
		for status in house.graph.control("acknowledged"):
			self.known.setdefault(attempt_of(status["callback"]), status["at_ns"])

	def faults(self, outbox, number, at):
		"""What was wrong with making one of them."""
		before = (outbox, number - 1)
		death = self.load.deaths.open.get(before)
		if self.books.outbox[outbox]["cls"] != CLASS_REPLY or self.books.outbox[outbox]["is_secret"]:
			yield "what it is must not be repeated"
		if death is None:
			yield "at no death the attempt before it was under way"
			return
		if at < self.load.deaths.begun[before] + UNCERTAIN_WAIT_NS:
			yield f"{(at - self.load.deaths.begun[before]) / 1e9:.3f} s after it: nobody waited for a status"
		if at > death + REPEAT_MAX_NS:
			yield f"{(at - death) / 1e9:.3f} s after the last death that explains it"
		if self.known.get(before, at) < at:
			yield "a status had come"


def repeats_allowed(house, load, books):
	repeats = Repeats(house, load, books)
	doubled = [attempt for attempt, count in repeats.accepted.items() if count > 1]
	check(not doubled, "attempts went out twice", *doubled[:8])
	unknown = [a for a in repeats.accepted if a[1] > 1 and a not in books.attempts]
	check(not unknown, "attempts that the store does not know", *unknown[:8])
	wrong = [f"attempt {number} of message {outbox}: {fault}" for (outbox, number), at in books.attempts.items()
		 for fault in repeats.faults(outbox, number, at)]
	check(not wrong, "messages were repeated where they must not be", *wrong[:8])
	seen = sum((outbox, number - 1) in repeats.accepted for outbox, number in books.attempts)
	say(f"{len(books.attempts)} repeats among {len(repeats.accepted)} posts: the attempt before was accepted "
	    f"{seen} times, and {len(books.attempts) - seen} times not")


def nothing_lost(house, load, books):
	ours = [i for i, o in books.outbox.items() if o["channel"] == "whatsapp"]
	missing = [i for i in ours if i not in load.heard.posts]
	check(not missing, f"{len(missing)} messages never reached the provider",
	      *[f"{i}: {books.outbox[i]}" for i in missing[:5]])
	strange = [i for i in load.heard.posts if i not in books.outbox]
	check(not strange, f"{len(strange)} posts of messages that the store does not have")
	states = collections.Counter(books.outbox[i]["state"] for i in ours)
	equal(set(states), {3}, "states of our messages (3: sent)")


def in_order(load, books):
	wrong = [address for address, ids in load.heard.order.items() if ids != sorted(ids)]
	check(not wrong and not load.heard.problems, f"{len(wrong)} conversations are out of order",
	      *load.heard.problems[:5])


def nobody_set_aside(house):
	equal(house.sql("SELECT count(*) FROM set_aside"), "0", "events set aside")
	equal(house.sql("SELECT count(*) FROM plugin_charge"), "0", "plugins charged")
	equal(house.sql("SELECT count(*) FROM work"), "0", "work left")
	equal(house.sql("SELECT count(*) FROM outbox WHERE is_open"), "0", "messages left open")


# ---- an event that kills -----------------------------------------------------------------------------

def keep_alive(house, deaths):
	"""What systemd does: starts it again."""
	if house.process.poll() is not None:
		deaths.append(house.process.returncode)
		house.launch()


def poison(drills):
	plugin = os.path.join(h.B, "tests/plugins/deadly.so")
	check(os.path.exists(plugin), f"{plugin} was not built")
	with h.House(plugins=[plugin], customers=20,
		     settings={"bottom": 'language = { plugin = "deadly"; };'}) as house:
		victim, others = house.stranger(), [house.stranger() for _ in range(5)]
		for person in [victim] + others:
			person.says("hola")
			person.hears()
			person.hears()
		deaths = []
		body = webhook.of(victim, victim.text("abracadabra pata de cabra"))
		house.deliver(body, meanwhile=lambda: keep_alive(house, deaths))

		def is_set_aside():
			keep_alive(house, deaths)
			try:
				return house.sql("SELECT count(*) FROM set_aside") == "1"
			except h.postgres.SqlError:
				return False

		tap.until(is_set_aside, 40 * h.PATIENCE, "the event that kills is set aside")
		house.wait_ready()
		check(2 <= len(deaths) <= 3, f"it took {len(deaths)} deaths")
		check(all(code == -6 for code in deaths), f"the deaths were {deaths}, not abort()")
		equal(house.sql("SELECT count(*) FROM work"), "0", "work left")
		for person in others + [victim]:
			person.says("asesor")
			check("asesor" in person.hears().text, "somebody else is not served")
		check(house.process.poll() is None, "the daemon died again")
		check("deadly" in house.log(), "the journal does not name the plugin")
		check("abracadabra" not in house.log(), "the journal tells what was said")


def main():
	drills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
	seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
	with h.House(durable=True, core_apart=True, customers=400, settings={
		"whatsapp": {"uncertain_wait": f'"{UNCERTAIN_WAIT_S} s"'},
		"sms": {"uncertain_wait": f'"{UNCERTAIN_WAIT_S} s"'}}) as house:
		load = run_drills(house, drills, seed)
		books = Books(house, load)
		failed = tap.run([
			(f"after {drills} kills every acknowledged message was answered", lambda: answered(load, books)),
			("every turn was done once", lambda: done_once(load, books)),
			("every turn wrote its state once", lambda: states_once(load, books)),
			("codes were sent once, counted once and wiped", lambda: codes_once(house, load, books)),
			("nothing was lost", lambda: nothing_lost(house, load, books)),
			("posts were repeated only where allowed", lambda: repeats_allowed(house, load, books)),
			("the order was kept", lambda: in_order(load, books)),
			("no innocent event was set aside", lambda: nobody_set_aside(house)),
			("an event that kills the daemon is set aside", lambda: poison(drills)),
		])
		if failed:
			say(house.log_tail(40))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
