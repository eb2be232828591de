#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs chats against the real daemon: tests/scenario/run.py [-k WORDS] [FILE.chat...]

A file holds chats; each begins with "== TITLE" and is a list of lines "WHO: WHAT". Lines that begin
with '#' explain. Each chat has a customer of the demonstration core of its own; all share a daemon, a
database and a clock, so a chat may turn the clock but not rely on what others left. Each begins on the morning
of a weekday.

	who: credits = 2 AND settled     somebody of the core (tests/support/house.py, PEOPLE)
	who: ... elsewhere               the same, but his chat is not the registered one
	who: stranger                    nobody of the core
	config: identity.lookup = "last4"    while this chat runs (the daemon reloads)

	customer: TEXT                   he writes; \\n is a line's end
	tap: TITLE                       he taps it in the newest bubble that offers it
	tap old: TITLE                   ... in the oldest
	flood: 30 TEXT                   he writes it that many times; what the bot says is taken
	burst: TEXT | TEXT               he writes both within a moment
	send: photo | voice | document | video | sticker | location | contacts | reaction | order |
	      unsupported | revoke | edit TEXT | group TEXT | caption TEXT | late TEXT (an hour old) |
	      album N (so many photos within a moment)
	device: KEY                      his messages carry this device key from now on
	system: number PHONE | key KEY   WhatsApp tells that his number or device key changed

	bot: TEXT                        the next bubble is exactly this
	bot: ~REGEX~                     ... or matches, case aside; !~REGEX~: does not match
	bot: ~REGEX~ [A | B | C]         ... and offers exactly these; [A | ...]: these among others
	answer: ~REGEX~ [A | B]          the same for all bubbles of this turn together
	bot: nothing                     the turn is over and there is no bubble more
	sms: ~REGEX~ | nothing           to the registered mobile, since the last "sms"; ~REGEX~ x3: three
	never: ~REGEX~                   no bubble of this chat so far matches
	case: KIND                       a case of that kind was opened in this chat, since the last "case"
	store: SQL => VALUE              one value of the store; {contact} and {conversation} are this chat's

	given: NAME                      what tests/scenario/given.chat has under that title happened before
	clock: +16m                      business time; s, m, h, d
	clock: to sunday 10:00           ... to the next such moment in Bogotá
	wait: the gateway is known to be down | up
	operator: resume REASON          proaltoctl, with the number of this chat's newest case
	core: down | up      gateway: down | up      daemon: restart | kill

"customer@ana", "tap@ana", "bot@ana" ... are another chat, of a stranger; "@owner" is the chat of the
registered mobile. In texts {cedula} {celular} {nombre} {cola} (the mobile's last two digits)
{terminada} (the document's last three) {saldo} {pagadas} {pendientes} {pagaduria} are the customer's,
{codigo} is the last code that came by SMS, {codigo_anterior} the one before, {codigo_malo} another one,
{ultimos4} the document's last digits, {otro_celular} a phone that nobody has.

What a bubble must never be is checked on every one: see rules().
"""

import argparse
import datetime
import glob
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

import files
import tap
import webhook
from house import House, Customer, fold

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MEDIA = {"voice": "audio", "video": "video", "sticker": "sticker"}
# What is behind it at the provider, whatever it is called.
FILES = {"photo": files.png, "document": files.pdf, "program": files.program, "encrypted": files.encrypted_pdf,
	 "acting": files.acting_pdf}
EMOJI = re.compile("[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF]")
# What tú would say.
TUTEO = re.compile(r"\b(tú|tu|tus|ti|contigo|puedes|tienes|quieres|debes|necesitas|dime|escríbeme)\b", re.I)
JARGON = re.compile(r"null|\bnan\b|[{}]|\$ ?-|%s|undefined|opción no válida|\bcore\b|error \d", re.I)


class Wrong(Exception):
	"""What came is not what the chat says."""


def rules(bubble, record):
	"""Conversation rules that hold for every message; returns what is broken."""
	text = bubble.text
	is_legal = "NIT" in text or "olítica" in text
	broken = []
	if len(text) > (1024 if is_legal else 600) and not (is_legal and bubble.kind == "text"):
		broken.append(f"{len(text)} letters")
	if len(EMOJI.findall(text)) > 1:
		broken.append("more than one emoji")
	for pattern, name in ((TUTEO, "tú"), (JARGON, "jargon")):
		found = pattern.search(text)
		if found:
			broken.append(f"{name}: {found.group(0)!r}")
	digits = re.sub(r"\D", "", text)
	for secret in (record.get("document"), (record.get("mobile") or "")[2:]):
		if secret and len(secret) > 5 and secret in digits:
			broken.append("a full document or phone")
	return broken


def money(value):
	return "$ " + f"{int(float(value)):,}".replace(",", ".")


class Chat:
	def __init__(self, house, title, lines, givens):
		self.house = house
		self.title = title
		self.lines = lines
		self.transcript = []
		self.people = {}
		self.heard = []       # every bubble taken, of all chats here
		self.record = {}
		self.sms_taken = 0
		self.case_after = 0
		self.undo = []
		self.has_open_ends = False  # an SMS goes on being tried
		self.givens = givens
		self.verbs = [verb for _, verb, _, _ in lines]

	# ---- the people ----------------------------------------------------------------------------

	def begin(self, who):
		accepted = self.house.graph.stats()["accepted"]
		if who == "stranger":
			main = self.house.stranger()
		else:
			is_elsewhere = who.endswith(" elsewhere")
			main = self.house.customer(who.removesuffix(" elsewhere"), chat=not is_elsewhere)
		main.seen = accepted
		self.record = main.record
		self.people["main"] = main
		self.start_accepted = accepted
		self.sms_taken = len(self.house.all_sms(self.mobile)) if self.mobile else 0
		self.case_after = int(self.house.sql("SELECT coalesce(max(id), 0) FROM service_case"))
		self.contact_after = int(self.house.sql("SELECT coalesce(max(id), 0) FROM contact"))

	@property
	def mobile(self):
		return self.record.get("mobile")

	def person(self, name):
		if name not in self.people:
			person = Customer(self.house, phone=self.mobile) if name == "owner" else self.house.stranger()
			person.seen = self.start_accepted
			self.people[name] = person
		return self.people[name]

	# ---- words ---------------------------------------------------------------------------------

	def code(self, before=0):
		texts = self.house.all_sms(self.mobile)
		if len(texts) <= before:
			raise Wrong("no code came by SMS")
		return re.search(r"\b(\d{6})\b", texts[-1 - before]["text"]).group(1)

	def words(self):
		record = self.record
		words = {"cedula": record.get("document"), "celular": record.get("mobile"),
			 "nombre": record.get("name"), "cola": record.get("mobile_tail"),
			 "pagadas": record.get("paid"), "pendientes": record.get("pending"),
			 "pagaduria": record.get("payroll"),
			 "terminada": (record.get("document") or "")[-3:],
			 "ultimos4": (record.get("document") or "")[-4:],
			 "otro_celular": self.house.stranger_phone() if "system" in self.verbs else None}
		if record.get("balance"):
			words["saldo"] = money(record["balance"])
		return words

	def fill(self, text, escape=False):
		if "{codigo}" in text:
			self.house.settle()
			text = text.replace("{codigo}", self.code())
		if "{codigo_anterior}" in text:
			text = text.replace("{codigo_anterior}", self.code(before=1))
		if "{codigo_malo}" in text:
			last = self.code() if self.mobile and self.house.all_sms(self.mobile) else "123456"
			text = text.replace("{codigo_malo}", f"{(int(last) + 1) % 1000000:06d}")
		for name, value in self.words().items():
			if value is not None:
				text = text.replace("{" + name + "}", re.escape(value) if escape else value)
		return text

	# ---- what people do ------------------------------------------------------------------------

	def no_more(self, person, name):
		"""Whatever the bot said before must have been expected."""
		left = person.bubbles() if self.has_open_ends else person.hears_all()
		if left:
			raise Wrong(f"the bot{name} said more than expected:\n" + self.show(left))

	def do_customer(self, person, text):
		person.says(self.fill(text).replace("\\n", "\n"))

	def do_burst(self, person, texts):
		for text in texts.split("|"):
			person.says(self.fill(text.strip()))

	def do_flood(self, person, what):
		number, text = what.split(" ", 1)
		for _ in range(int(number)):
			person.says(text)
		self.take(person.hears_all())

	def do_tap(self, person, title, oldest=False):
		title = self.fill(title)
		all_of_his = [b for b in self.heard if b.to in person.addresses()]
		for bubble in all_of_his if oldest else reversed(all_of_his):
			if any(fold(t) == fold(title) for t in bubble.titles()):
				person.taps(bubble, title)
				return
		raise Wrong(f"nothing that was shown has {title!r}")

	def do_send(self, person, what):
		kind, _, rest = what.partition(" ")
		rest, at = self.fill(rest), self.house.now()
		wamid = next((b.wamid for b in reversed(self.heard)), webhook.new_id())
		plain = {
			"location": ("location", {"latitude": 4.6, "longitude": -74.1}),
			"contacts": ("contacts", [{"name": {"formatted_name": "Otro"},
						   "phones": [{"phone": "+57 310 000 0000"}]}]),
			"reaction": ("reaction", {"message_id": wamid, "emoji": "\U0001F44D"}),
			"order": ("order", {"catalog_id": "1", "text": "esto", "product_items": []}),
			"unsupported": ("unsupported", {"type": "poll"}),
			"revoke": ("revoke", {"original_message_id": webhook.new_id()}),
			"edit": ("edit", {"original_message_id": webhook.new_id(),
					  "message": {"type": "text", "text": {"body": rest}}}),
		}
		if kind in FILES:
			person.sends_file(FILES[kind](), "image" if kind == "photo" else "document", at=at)
		elif kind in MEDIA:
			person.posts(person.media(MEDIA[kind], at=at))
		elif kind == "album":
			for seed in range(int(rest)):
				person.sends_file(files.png(seed=seed + 2), "image", at=at)
		elif kind == "caption":
			person.sends_file(files.png(), "image", at=at, caption=rest)
		elif kind == "group":
			person.posts(dict(person.text(rest, at=at), group_id="grupo-1"))
		elif kind == "late":
			person.posts(person.text(rest, at=at - 3600))
		else:
			person.posts(person.message(*plain[kind], at=at))

	def do_system(self, person, what):
		kind, value = self.fill(what).split()
		if kind == "number":
			person.posts(person.system("user_changed_number", wa_id=value))
			person.phone = value
		else:
			message = person.system("customer_identity_changed", customer=person.phone)
			message["identity"] = {"acknowledged": False, "hash": value,
					       "created_timestamp": message["timestamp"]}
			person.posts(message)

	# ---- what is expected ----------------------------------------------------------------------

	def show(self, bubbles):
		return "\n".join("      " + line for b in bubbles for line in ("bot: " + str(b)).splitlines())

	def take(self, bubbles):
		for bubble in bubbles:
			self.heard.append(bubble)
			self.transcript.append(self.show([bubble]))
			broken = rules(bubble, self.record)
			if broken:
				raise Wrong("this breaks the conversation rules: " + "; ".join(broken))

	def compare(self, wanted, text, titles):
		pattern, options = re.fullmatch(r"(.*?)\s*(?:\[([^\[\]]*)\])?", wanted, re.S).groups()
		pattern = pattern.strip()
		text = text.replace("\u00a0", " ").replace("\u202f", " ")
		if pattern.startswith("!~"):
			is_fine = not re.search(self.fill(pattern[2:-1], True), text, re.I | re.S)
		elif pattern.startswith("~"):
			is_fine = re.search(self.fill(pattern[1:-1], True), text, re.I | re.S)
		else:
			is_fine = not pattern or self.fill(pattern).replace("\\n", "\n") == text
		if not is_fine:
			raise Wrong(f"wanted: {wanted}")
		if options is None:
			return
		names = [name.strip() for name in self.fill(options).split("|") if name.strip()]
		if names and names[-1] == "...":
			missing = [n for n in names[:-1] if fold(n) not in [fold(t) for t in titles]]
			if missing:
				raise Wrong(f"these can't be tapped: {missing}")
		elif [fold(n) for n in names] != [fold(t) for t in titles]:
			raise Wrong(f"wanted to be offered: {names}")

	def expect_bot(self, person, wanted, name=""):
		if wanted == "nothing":
			self.no_more(person, name)
			return
		try:
			bubble = person.hears()
		except AssertionError:
			raise Wrong(f"the bot{name} said nothing; wanted: {wanted}")
		self.take([bubble])
		self.compare(wanted, bubble.text, bubble.titles())

	def expect_answer(self, person, wanted):
		bubbles = person.hears_all()
		if not bubbles:
			raise Wrong(f"the bot said nothing; wanted: {wanted}")
		self.take(bubbles)
		if len(bubbles) > 2 and not any("NIT" in b.text or "olítica" in b.text for b in bubbles):
			raise Wrong(f"{len(bubbles)} bubbles in one turn")
		offering = [b for b in bubbles if b.options]
		self.compare(wanted, "\n".join(b.text for b in bubbles), offering[-1].titles() if offering else [])

	def expect_sms(self, wanted):
		self.house.settle()
		texts = self.house.all_sms(self.mobile)[self.sms_taken:] if self.mobile else []
		for sms in texts:
			self.transcript.append("      sms: " + sms["text"])
		self.sms_taken += len(texts)
		if wanted == "nothing":
			if texts:
				raise Wrong("an SMS went out, and none was wanted")
			return
		pattern, times = re.fullmatch(r"(.*?)(?: x(\d+))?", wanted).groups()
		if len(texts) != int(times or 1):
			raise Wrong(f"{len(texts)} SMS went out; wanted: {wanted}")
		for sms in texts:
			self.compare(pattern, sms["text"], [])

	def expect_case(self, kind):
		self.house.settle()
		rows = self.house.rows(f"SELECT id, kind FROM service_case WHERE id > {self.case_after} ORDER BY id")
		self.case_after = int(rows[-1][0]) if rows else self.case_after
		kinds = [row[1] for row in rows]
		if kind == "none" and kinds or kind != "none" and kind not in kinds:
			raise Wrong(f"wanted a case {kind!r}; opened: {kinds}")

	def expect_store(self, what):
		query, _, wanted = what.rpartition("=>")
		contact = self.house.sql(f"SELECT min(id) FROM contact WHERE id > {self.contact_after}")
		if "{con" in query and contact is None:
			raise Wrong("the store has no contact of this chat")
		if contact:
			query = query.replace("{contact}", contact).replace("{conversation}", (
				self.house.sql(f"SELECT min(id) FROM conversation WHERE id / 256 = {contact}") or "0"))
		self.house.settle()
		got = self.house.sql(self.fill(query))
		if str(got) != wanted.strip():
			raise Wrong(f"{query.strip()} gives {got!r}, wanted {wanted.strip()!r}")

	# ---- the world -----------------------------------------------------------------------------

	@staticmethod
	def span(step):
		number, unit = re.fullmatch(r"\+(\d+)([smhd])", step).groups()
		return int(number) * UNITS[unit]

	def local_time(self):
		return datetime.datetime.fromtimestamp(self.house.now(), datetime.timezone(datetime.timedelta(hours=-5)))

	def until(self, moment):
		day, hour = moment.split()
		now = self.local_time()
		hours, minutes = map(int, hour.split(":"))
		then = now.replace(hour=hours, minute=minutes, second=0)
		then += datetime.timedelta(days=(DAYS.index(day) - now.weekday()) % 7)
		return (then - now).total_seconds() + (7 * UNITS["d"] if then < now else 0)

	def do_clock(self, step):
		self.turn_clock(self.until(step[3:]) if step.startswith("to ") else self.span(step))

	def turn_clock(self, seconds):
		"""What is due by then is done; the keeper looks once a second."""
		self.house.settle()
		self.house.advance(seconds)
		time.sleep(1.2)
		tap.until(lambda: self.house.sql("SELECT count(*) FROM timer WHERE due <= "
						 f"to_timestamp({self.house.now() - 1})") == "0", 20, "the timers")
		self.house.settle()

	def begin_in_the_morning(self):
		"""Nobody is reminded at night, and advisors have hours: a chat begins when all are awake."""
		now = self.local_time()
		if now.weekday() >= 5 or not 9 <= now.hour < 12:
			self.turn_clock(self.until(f"{DAYS[(now.weekday() + 1) % 5 if now.weekday() < 4 else 0]} 10:00"))

	def do_core(self, state):
		self.house.core_away(state == "down")
		if state == "down":
			self.undo.append(lambda: self.house.core_away(False))

	def do_gateway(self, state):
		entries = [{"kind": "error", "count": -1, "http": 503, "code": 0}] if state == "down" else []
		self.house.smsgw.faults(*entries)
		self.has_open_ends = state == "down"
		if state == "down":
			self.undo.append(lambda: self.house.smsgw.faults())

	def do_wait(self, what):
		"""Until the daemon's own view of its SMS channel is that."""
		wanted = what == "the gateway is known to be up"

		def is_so():
			channels = {c["name"]: c for c in self.house.ask("status")["channels"]}
			return channels["sms"]["healthy"] == wanted

		tap.until(is_so, 30, what)

	def do_daemon(self, what):
		self.house.settle()
		if what == "kill":
			self.house.kill()
			self.house.start()
		else:
			self.house.restart()

	def do_operator(self, what):
		verb, _, reason = what.partition(" ")
		self.house.settle()
		number = self.house.sql(f"SELECT number FROM service_case WHERE id > {self.contact_after} "
					"ORDER BY id DESC LIMIT 1")
		self.house.ctl("conversation", verb, number, "--reason", reason)
		tap.until(lambda: self.house.sql("SELECT count(*) FROM work") == "0", 20, "the operator's word is done")

	def do_config(self, what):
		key, _, value = what.partition("=")
		group, name = key.strip().split(".")
		self.house.configure(group, name, value.strip())
		self.undo.append(lambda: self.house.configure(group, name, None))

	# ---- the chat ------------------------------------------------------------------------------

	def note(self, number, verb, name, what):
		self.transcript.append(f"{number:4}  {verb}{'@' + name if name != 'main' else ''}: {what}")

	def step(self, verb, name, what):
		world = {"clock": self.do_clock, "core": self.do_core, "gateway": self.do_gateway,
			 "daemon": self.do_daemon, "wait": self.do_wait, "operator": self.do_operator, "sms": self.expect_sms, "case": self.expect_case,
			 "store": self.expect_store}
		acts = {"customer": self.do_customer, "tap": self.do_tap, "send": self.do_send,
			"system": self.do_system, "burst": self.do_burst, "flood": self.do_flood, "tap old": lambda p, w: self.do_tap(p, w, True)}
		if verb in world:
			world[verb](what)
		elif verb in acts:
			self.no_more(self.person(name), f"@{name}" if name != "main" else "")
			acts[verb](self.person(name), what)
		elif verb == "given":
			for number, inner, inner_name, inner_what in self.givens[what]:
				self.note(number, inner, inner_name, inner_what)
				self.step(inner, inner_name, inner_what)
		elif verb == "device":
			self.person(name).device_key = what
		elif verb == "bot":
			self.expect_bot(self.person(name), what, f"@{name}" if name != "main" else "")
		elif verb == "answer":
			self.expect_answer(self.person(name), what)
		elif verb == "never":
			self.house.settle()
			for bubble in self.heard:
				if re.search(self.fill(what.strip("~"), True), bubble.text, re.I | re.S):
					raise Wrong(f"was never to be said: {what}")
		else:
			raise Wrong(f"no such verb: {verb}")

	def run(self):
		lines = list(self.lines)
		who = "credits = 1 AND states = 'ACTIVO' AND settled"
		while lines and lines[0][1] in ("who", "config"):
			number, verb, _, what = lines.pop(0)
			if verb == "who":
				who = what
			else:
				self.do_config(what)
		self.begin_in_the_morning()
		self.begin(who)
		for number, verb, name, what in lines:
			self.note(number, verb, name, what)
			self.step(verb, name, what)
		for name, person in self.people.items():
			self.no_more(person, f"@{name}" if name != "main" else "")

	def play(self):
		try:
			self.run()
		except Wrong as wrong:
			raise AssertionError("the chat so far:\n" + "\n".join(self.transcript) +
					     f"\n  --> {wrong}")
		except AssertionError as error:
			raise AssertionError("the chat so far:\n" + "\n".join(self.transcript) +
					     f"\n  --> {error}\n" + self.house.log_tail(10))
		finally:
			for undo in reversed(self.undo):
				undo()


def read(path):
	"""[(title, [(line number, verb, name, what)])]"""
	chats = []
	with open(path) as file:
		for number, line in enumerate(file, 1):
			line = line.strip()
			if not line or line.startswith("#"):
				continue
			if line.startswith("== "):
				chats.append((line[3:], []))
				continue
			head, colon, what = line.partition(":")
			verb, _, name = head.partition("@")
			if not colon or not chats:
				raise SystemExit(f"{path}:{number}: not \"WHO: WHAT\"")
			chats[-1][1].append((number, verb.strip(), name.strip() or "main", what.strip()))
	return chats


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("-k", default="", help="only chats whose title has these words")
	parser.add_argument("-v", action="store_true", help="show every chat")
	parser.add_argument("files", nargs="*")
	args = parser.parse_args()
	here = os.path.dirname(os.path.abspath(__file__))
	given_path = os.path.join(here, "given.chat")
	givens = dict(read(given_path))
	paths = args.files or sorted(set(glob.glob(os.path.join(here, "*.chat"))) - {given_path})
	chats = [(os.path.basename(path)[:-5] + ": " + title, lines) for path in paths
		 for title, lines in read(path) if fold(args.k) in fold(title)]
	with House() as house:
		def test(title, lines):
			def play(house):
				chat = Chat(house, title, lines, givens)
				try:
					chat.play()
				finally:
					if args.v:
						tap.say("\n".join(chat.transcript))
			return play

		failed = tap.run([(title, test(title, lines)) for title, lines in chats], house)
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
