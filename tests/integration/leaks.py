#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants cédulas, phones, codes, texts and tokens, and looks for them where they must not be: in the
journal at every level, in a dump of the store (also inside its binary columns) and in PostgreSQL's
own files and log (HD-34).
"""

import base64
import glob
import json
import os
import re
import subprocess
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal

WORDS = "palabras que nadie más escribe"


class Planted:
	"""What was said by whom."""

	def __init__(self, house):
		self.house = house
		self.needles = {}  # name -> text
		self.codes = []

	def plant(self, name, text):
		check(len(text) >= 6, f"{name} is too short to look for")
		self.needles[name] = text

	def talk(self):
		house = self.house
		self.owner(house.customer())
		self.elsewhere(house.customer(chat=False))
		self.stranger(house.stranger())
		self.by_user_id(house.stranger(phone=False, user_id="CO.F00D5EC4E7"))
		self.refused(house.stranger())
		self.forged()
		self.failing(house.customer())
		for name in ("SECRET", "OLD_SECRET", "VERIFY_TOKEN", "ACCESS_TOKEN", "SMS_TOKEN", "RECEIPT_TOKEN"):
			self.plant("the secret " + name, getattr(h, name))
		with open(os.path.join(house.folder, "master.key")) as file:
			self.plant("the master key", file.read())
		house.settle()
		self.sent_and_received()

	def sent_and_received(self):
		"""What the stand-ins know of it: whole texts, and ids by which providers could find them."""
		for sms in self.house.all_sms():
			self.plant(f"the SMS {sms['n']}", sms["text"])
			self.plant(f"the gateway's id of SMS {sms['n']}", sms["id"])
		sent = [bubble.wamid for bubble in self.house.bubbles()]
		items = [json.loads(line) for line in self.house.ctl("inbox", "--json", "--reason", "prueba", "--limit", "1000").splitlines()]
		received = [item["message_id"] for item in items if item["event"] == "message"]
		for what, ids in ("sent", sent), ("received", received):
			check(len(ids) > 10, f"too few ids of messages {what}")
			self.plant(f"ids of messages {what}", os.path.commonprefix(ids))

	def ask(self, person, document):
		person.says("hola")
		person.taps(person.hears_all()[-1], "Sí, autorizo")
		person.hears_all()
		person.says("mi saldo")
		person.hears_all()
		self.plant(f"a document of {person.phone}", document)
		if person.phone:
			self.plant(f"the phone {person.phone}", person.phone[2:])
		person.says(document)
		self.house.settle()
		person.hears_all()

	def code(self, mobile):
		code = self.house.sms_code(mobile, len(self.house.all_sms(mobile)))
		self.codes.append(code)
		return code

	def owner(self, person):
		self.ask(person, person.document)
		self.plant("a mobile", person.mobile[2:])
		person.says("mi código es " + self.code(person.mobile))
		heard = "\n".join(b.text for b in person.hears_all())
		self.plant("a balance", re.search(r"pagar: \$.([\d.]+)", heard).group(1))
		self.plant("a message id", person.says(WORDS + " uno"))
		person.hears_all()
		self.plant("a text", WORDS)
		person.posts(person.media("document", media_id="77665544332211", caption="mi recibo secreto 4711"))
		self.plant("a caption", "recibo secreto 4711")
		self.plant("a media id", "77665544332211")
		person.says("mi tarjeta es 4111 1111 1111 1111")
		self.plant("a card number", "4111 1111 1111 1111")
		self.plant("a card number's digits", "4111111111111111")
		person.says("quiero poner una queja por " + WORDS)
		person.hears_all()

	def elsewhere(self, person):
		self.ask(person, person.document)
		code = self.code(person.mobile)
		person.says(f"{(int(code) + 1) % 1000000:06d}")
		person.hears_all()

	def stranger(self, person):
		self.ask(person, "1999888777")
		person.says("123987")
		person.hears_all()

	def by_user_id(self, person):
		person.says(WORDS + " dos")
		self.plant("a user id", "F00D5EC4E7")
		person.hears_all()

	def refused(self, person):
		"""Whom the Graph API does not want: error paths speak, too."""
		self.plant("the phone of one who can't be reached", person.phone[2:])
		self.house.graph.faults({"kind": "error", "http": 400, "code": 131026, "count": 2},
					{"kind": "error", "http": 500, "code": 1, "count": 1})
		person.says(WORDS + " tres")
		self.house.settle(30)
		person.hears_all()

	def forged(self):
		body = webhook.dump(webhook.of(webhook.Person("573119998877"),
					       webhook.Person("573119998877").text(WORDS)))
		self.plant("the phone of a forged delivery", "3119998877")
		equal(self.house.post(body, "another secret"), 403, "a forged delivery")
		equal(self.house.post(body[:-3]), 200, "a broken delivery")

	def failing(self, person):
		"""A core and a gateway that fail: their errors must not quote what was asked."""
		self.ask(person, person.document)
		self.house.core_away(True)
		person.says(self.code(person.mobile))
		person.hears_all()
		self.house.core_away(False)
		self.house.smsgw.faults({"kind": "error", "http": 400, "count": 1})
		other = self.house.customer()
		other.says("hola")
		other.taps(other.hears_all()[-1], "Sí, autorizo")
		other.hears_all()
		other.says("mi saldo")
		other.hears_all()
		self.plant("a document of a code that was refused", other.document)
		other.says(other.document)
		self.house.settle(30)
		other.hears_all()

	# ---- where they are looked for -------------------------------------------------------------

	def forms(self, text):
		"""Ways in which a text may be written down."""
		plain = text.encode()
		yield plain
		yield base64.b64encode(plain).rstrip(b"=")[:-1]
		yield plain.hex().encode()
		yield text.encode("utf-16-le")

	def look(self, where, data, allowed=()):
		found = []
		for name, text in self.needles.items():
			if name in allowed:
				continue
			for form in self.forms(text):
				at = data.find(form)
				if at >= 0:
					found.append(f"{name} in {where}: ...{data[max(0, at - 60):at + 60]!r}")
					break
		check(not found, f"{len(found)} leaks", *found[:6])

	def look_for_codes(self, where, data):
		"""Codes have six digits, which chance writes too: alone, between characters of no number."""
		found = [code for code in self.codes
			 if re.search(rb"(?<![0-9A-Fa-f.])" + code.encode() + rb"(?![0-9A-Fa-f.])", data)]
		check(not found, f"codes in {where}")


def in_the_journal(house, planted):
	data = house.log().encode()
	check(b"listening" in data and data.count(b"\n") > 5, "the journal is nearly empty", data.decode())
	planted.look("the journal", data)
	planted.look_for_codes("the journal", data)


def decoded(dump):
	"""The dump with everything that is written as \\x... also as bytes."""
	pieces = [dump]
	for match in re.finditer(rb"\\\\?x((?:[0-9a-f]{2})+)", dump):
		pieces.append(bytes.fromhex(match.group(1).decode()))
	return b"\n".join(pieces)


def in_a_dump(house, planted):
	done = subprocess.run(["pg_dump", "-h", house.server.host, "-p", "5432", "-U", "test", "proalto"],
			      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
	equal(done.returncode, 0, f"pg_dump: {done.stderr[-300:]}")
	check(done.stdout.count(b"\n") > 200, "the dump is nearly empty")
	data = decoded(done.stdout)
	planted.look("a dump", data)
	planted.look_for_codes("a dump", data)


def in_the_files(house, planted):
	house.server.psql("postgres").rows("CHECKPOINT")
	folder = os.path.join(house.server.directory, "data")
	wal = [path for path in glob.glob(os.path.join(folder, "pg_wal", "*")) if os.path.isfile(path)]
	tables = house.server.psql("proalto").rows(
		"SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
		" WHERE nspname = 'proalto' AND relkind IN ('r', 'i', 't', 'S') UNION"
		" SELECT pg_relation_filepath(t.reltoastrelid) FROM pg_class t JOIN pg_namespace n"
		" ON n.oid = t.relnamespace WHERE nspname = 'proalto' AND t.reltoastrelid <> 0")
	tables = [os.path.join(folder, row[0]) for row in tables if row[0]]
	check(wal and len(tables) > 20, f"{len(wal)} WAL files and {len(tables)} tables")
	for path in wal + tables + [os.path.join(house.server.directory, "log")]:
		with open(path, "rb") as file:
			data = file.read()
		planted.look(os.path.basename(path), data)
		planted.look_for_codes(os.path.basename(path), data)
	tap.say(f"{len(wal)} WAL files, {len(tables)} tables and indexes")


def in_the_status(house, planted):
	data = (house.ctl("status") + house.ctl("status", "--json") + str(house.ask("status"))).encode()
	planted.look("proaltoctl status", data)
	for path in ("/readyz", "/healthz"):
		planted.look(path, house.http.request("GET", path)[1])


def in_the_flight_record(house, planted):
	house.kill()
	for name in os.listdir(house.folder):
		path = os.path.join(house.folder, name)
		if not os.path.isfile(path) or name in ("graph.jsonl", "graph.err", "smsgw.err", "proalto.conf") or \
		   os.stat(path).st_mode & 0o077 == 0 and name in ("master.key", "app", "app-old", "verify", "access",
								   "sms", "receipts"):
			continue
		with open(path, "rb") as file:
			planted.look(name, file.read())


def the_search_finds(house, planted):
	"""That the search would find what it looks for."""
	some = next(iter(planted.needles.values()))
	for data in (some.encode(), b"x" + some.encode().hex().encode(), base64.b64encode(some.encode())):
		try:
			planted.look("a plant", data)
		except AssertionError:
			continue
		raise AssertionError(f"{data!r} was not found")
	known = house.ctl("inbox", "--json", "--reason", "prueba", "--limit", "1000")
	check(WORDS in known, "what was planted never reached the store")
	check(len(planted.codes) >= 3, "too few codes")


def main():
	with h.House(durable=True, core_apart=True, customers=100, settings={
		"log": {"level": '"debug"'},
		"sms": {"uncertain_wait": '"1 s"', "give_up_after": '"5 s"'}}) as house:
		planted = Planted(house)
		planted.talk()
		failed = tap.run([
			("the search finds what it looks for", lambda: the_search_finds(house, planted)),
			("nothing in the journal, at the level of debug", lambda: in_the_journal(house, planted)),
			("nothing in a dump of the store", lambda: in_a_dump(house, planted)),
			("nothing in WAL, tables, indexes and PostgreSQL's log", lambda: in_the_files(house, planted)),
			("nothing in what status tells", lambda: in_the_status(house, planted)),
			("nothing in the record that outlives a kill", lambda: in_the_flight_record(house, planted)),
		])
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
