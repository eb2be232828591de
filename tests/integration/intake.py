#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What comes in at the public port: who may deliver, what is stored of it, what is refused."""

import datetime
import json
import os
import socket
import sys
import urllib.parse

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal, until


def inbox(house, after=0):
	"""What was understood of each item."""
	text = house.ctl("inbox", "--json", "--reason", "prueba", "--after", str(after))
	return [json.loads(line) for line in text.splitlines()]


def last_id(house):
	return int(house.sql("SELECT coalesce(max(id), 0) FROM inbox"))


def counted(house, test):
	"""How many inbox rows the test makes."""
	before = int(house.sql("SELECT count(*) FROM inbox WHERE kind < 100"))
	test()
	return int(house.sql("SELECT count(*) FROM inbox WHERE kind < 100")) - before


# ---- the handshake ---------------------------------------------------------------------------------

def handshake(house):
	def ask(**query):
		return house.http.request("GET", "/webhook/whatsapp?" + urllib.parse.urlencode(query))

	good = {"hub.mode": "subscribe", "hub.verify_token": h.VERIFY_TOKEN, "hub.challenge": "1158201444"}
	status, body, headers = ask(**good)
	equal((status, body), (200, b"1158201444"), "the challenge")
	check(headers["Content-Type"].startswith("text/plain"), "a challenge that may be taken for a page")
	equal(ask(**dict(good, **{"hub.verify_token": "otra"}))[0], 403, "a wrong token")
	equal(ask(**dict(good, **{"hub.mode": "unsubscribe"}))[0], 403, "a wrong mode")
	equal(ask()[0], 403, "no query at all")


def other_paths(house):
	equal(house.http.request("GET", "/healthz")[0], 200, "/healthz")
	equal(house.http.request("GET", "/readyz")[0], 200, "/readyz")
	for path in ("/", "/webhook/", "/webhook/none", "/webhook/whatsapp/x", "/../etc/passwd", "/_control/x"):
		equal(house.http.request("GET", path)[0], 404, path)
	check(house.http.request("PUT", "/webhook/whatsapp", b"{}")[0] in (404, 405), "PUT to a webhook")


# ---- signatures ------------------------------------------------------------------------------------

def bad_signatures(house):
	person = house.stranger()
	body = webhook.dump(webhook.of(person, person.text("hola")))
	right = webhook.sign(body, h.SECRET)
	wrong = {"another secret": webhook.sign(body, "x"), "sha1": "sha1=" + right[7:],
		 "no digits": "sha256=", "too short": right[:-1], "too long": right + "0", "letters": "sha256=" + "z" * 64,
		 "another body": webhook.sign(body + b" ", h.SECRET), "empty": ""}

	def test():
		for name, signature in wrong.items():
			equal(house.post(body, headers={"X-Hub-Signature-256": signature}), 403, name)
		equal(house.http.request("POST", "/webhook/whatsapp", body)[0], 403, "no signature")

	equal(counted(house, test), 0, "rows stored of what was not signed")


def two_secrets(house):
	for secret in (h.SECRET, h.OLD_SECRET):
		person = house.stranger()
		equal(house.post(webhook.of(person, person.text("hola")), secret), 200, "during a rotation")
		check("Asistente" in person.hears().text, "no answer")


# ---- hostile bodies --------------------------------------------------------------------------------

def nested(depth):
	return b'{"object":"whatsapp_business_account","entry":' + b"[" * depth + b"]" * depth + b"}"


def broken_bodies(house):
	person = house.stranger()
	good = webhook.dump(webhook.of(person, person.text("hola")))
	bodies = {
		"empty": b"", "no JSON": b"hola", "cut off": good[:-10], "trailing": good + b"}", "a number": b"1",
		"null": b"null", "a list": b"[]", "deep": nested(5000), "very deep": nested(100000),
		"a huge number": b'{"object":"whatsapp_business_account","entry":' + b"9" * 100000 + b"}",
		"a huge exponent": b'{"object":"whatsapp_business_account","entry":1e999999}',
		"invalid UTF-8": good.replace(b"hola", b"ho\xff\xfela"),
		"overlong UTF-8": good.replace(b"hola", b"ho\xc0\xafla"),
		"a UTF-8 surrogate": good.replace(b"hola", b"ho\xed\xa0\x80la"),
		"a key twice": b'{"object":"x","object":"whatsapp_business_account","entry":[]}',
		"bytes": os.urandom(2000), "only NUL": b"\0" * 1000,
	}
	for number, (name, body) in enumerate(bodies.items()):
		marked = body
		rows = counted(house, lambda: check(house.post(marked) in (200, 400), f"{name} was not settled"))
		check(rows <= 1, f"{name}: {rows} rows")
		equal(counted(house, lambda: house.post(marked)), 0, f"{name}: rows of its repetition")
	check(house.is_answering(), "the daemon is gone")


WRONG = [None, 0, -1, 1e300, True, "", "x" * 3000, [], {}, [None], {"id": 5}, [[[]]], {"body": None}]


def wrong_types(house):
	"""Every value of a good webhook replaced by every kind of wrong one."""
	person = house.stranger()

	def replaced(value, path, wrong):
		if not path:
			return wrong
		copy = dict(value) if isinstance(value, dict) else list(value)
		copy[path[0]] = replaced(value[path[0]], path[1:], wrong)
		return copy

	def paths(value, before=()):
		yield before
		items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
		for key, inner in items:
			yield from paths(inner, before + (key,))

	good = webhook.of(person, person.tap("button_reply", "x", "Sí"))
	posts = 0
	for path in paths(good):
		for wrong in WRONG:
			status = house.post(replaced(good, path, wrong))
			check(status in (200, 400), f"{path} as {wrong!r}: {status}")
			posts += 1
	tap.say(f"{posts} bodies")
	check(house.is_answering(), "the daemon is gone")


def odd_texts(house):
	"""Nothing is lost of a text with a NUL, lone surrogates, marks, other scripts."""
	texts = ["a\0b", "lone \ud800 high", "lone \udc00 low", "\u202eoverridden", "e\u0301" * 50, "\U0001F600",
		 "\ufeffhola", "الحمد", "\u0000", "x" * 4096]
	for text in texts:
		person = house.stranger()
		after = last_id(house)
		# Meta escapes what is not ASCII; a lone surrogate can only be written so.
		body = json.dumps(webhook.of(person, person.text(text))).encode()
		equal(house.post(body), 200, f"{text[:20]!r}")
		items = inbox(house, after)
		kept = [item for item in items if item.get("text") is not None or item.get("event") == "unknown"]
		check(kept, f"nothing was kept of {text[:20]!r}", items)
		stored = house.ctl("inbox", "--json", "--reason", "prueba", "--body", "--after", str(after))
		check(json.dumps(text)[1:-1][:40] in stored or json.dumps(text)[1:-1][:40].replace("\\", "\\\\") in stored or
		      text[:40] in stored, f"the body received is not kept as it was: {text[:20]!r}", stored[:300])
	house.settle()
	check(house.is_answering(), "the daemon is gone")


def too_large(house):
	person = house.stranger()
	body = webhook.dump(webhook.of(person, person.text("x" * (5 << 20))))
	try:
		status = house.post(body)
	except (ConnectionError, BrokenPipeError):
		status = 413  # it hung up while we were still sending
	equal(status, 413, "5 MiB")
	just = webhook.of(person, *[person.text("x" * 3000) for _ in range(1000)])
	equal(house.post(just), 200, "3 MB, as Meta may send")
	check(house.is_answering(), "the daemon is gone")
	house.settle(60)


def slow_senders(house):
	"""Half a request, and then silence: it costs a connection for a while, and nobody else."""
	slow = []
	for _ in range(50):
		connection = socket.create_connection(("127.0.0.1", house.port))
		connection.sendall(b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
		slow.append(connection)
	person = house.stranger()
	person.says("hola")
	check("Asistente" in person.hears().text, "no answer beside slow senders")
	for connection in slow:
		connection.settimeout(12)
		try:
			answer = connection.recv(1000)
		except ConnectionResetError:
			answer = b""
		check(not answer or b" 408 " in answer or b" 400 " in answer, f"a slow sender got {answer[:40]!r}")
		connection.close()


def raw_http(house):
	"""Requests that are no HTTP, or too much of it."""
	for request in (b"\r\n\r\n", b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"A" * 100000 + b"\r\n\r\n",
			b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
			b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
			b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
			b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n"):
		with socket.create_connection(("127.0.0.1", house.port)) as connection:
			connection.settimeout(10)
			try:
				connection.sendall(request)
				connection.shutdown(socket.SHUT_WR)
				answer = connection.recv(1000)
				check(not answer or b" 4" in answer[:14] or b" 5" in answer[:14],
				      f"{request[:40]!r} got {answer[:60]!r}")
			except OSError:  # it hung up
				pass
	check(house.is_answering("/healthz"), "the daemon is gone")


# ---- batches, duplicates, statuses -----------------------------------------------------------------

def duplicates(house):
	person = house.stranger()
	body = webhook.of(person, person.text("hola"))
	equal(counted(house, lambda: [house.post(body) for _ in range(5)]), 1, "rows of five deliveries")
	equal(len(person.hears_all()), 2, "bubbles")
	house.restart()
	equal(counted(house, lambda: equal(house.post(body), 200, "a repetition")), 0, "rows after a restart")
	both = webhook.envelope(body["entry"][0]["changes"] + body["entry"][0]["changes"])
	equal(counted(house, lambda: house.post(both)), 0, "rows of the same message twice in one delivery")
	equal(person.hears_all(), [], "answers to repetitions")


def month_of_last(house):
	"""The partition in which the newest message lies."""
	return house.sql("SELECT tableoid::regclass FROM inbox ORDER BY id DESC LIMIT 1")


def duplicates_across_months(house):
	"""The inbox has a partition for each month, and what was seen before is known in the next one, too."""
	now = datetime.datetime.fromtimestamp(house.now(), datetime.timezone.utc)
	next_month = (now.replace(day=1, hour=0, minute=0, second=0) + datetime.timedelta(days=32)).replace(day=1)
	house.advance((next_month - now).total_seconds() - 3600)
	person, other = house.stranger(), house.stranger()
	body = webhook.of(person, person.text("hola"))
	equal(counted(house, lambda: house.post(body)), 1, "rows of a delivery")
	equal(len(person.hears_all()), 2, "bubbles")
	month = month_of_last(house)
	house.advance(2 * 3600)
	equal(counted(house, lambda: equal(house.post(body), 200, "a repetition")), 0, "rows in the next month")
	equal(person.hears_all(), [], "answers to a repetition")
	other.says("hola")
	check(month_of_last(house) != month, f"both lie in {month}")


def batches(house):
	people = [house.stranger() for _ in range(30)]
	changes = [webhook.change([person.text("hola")], contacts=[person.contact()]) for person in people]
	bad = [{"field": "messages", "value": None}, {"field": "messages"}, 5, None,
	       webhook.change([{"id": "wamid.bad"}]), webhook.change([None, 7, {}]),
	       {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
	       {"field": "nobody_knows", "value": {"a": 1}}]
	for i, item in enumerate(bad):
		changes.insert(3 * i, item)
	two_entries = webhook.envelope(changes[:20])
	two_entries["entry"] += webhook.envelope(changes[20:])["entry"]
	equal(house.post(two_entries), 200, "a batch with bad items")
	for person in people:
		check("Asistente" in person.hears().text, "one of the batch has no answer")


def unknown_kinds(house):
	after = last_id(house)
	body = webhook.envelope([{"field": "nobody_knows_this", "value": {"what": "ever"}},
				 {"field": "phone_number_quality_update", "value": {"event": "FLAGGED"}}])
	equal(house.post(body), 200, "unknown fields")
	kinds = [item["event"] for item in inbox(house, after) if item["event"] != "status"]
	equal(kinds, ["unknown", "account"], "what was recorded")
	person = house.stranger()
	equal(house.post(webhook.of(person, person.message("hologram", {"beam": 1}))), 200, "an unknown message")
	check("Asistente" in person.hears().text, "who sends what nobody knows gets no answer")


def statuses_go_forward(house):
	person = house.stranger()
	after = last_id(house)
	house.graph.control("statuses", {"sent_ms": 200, "delivered_ms": 100, "read_ms": 0, "double": True})
	person.says("hola")
	first = person.hears()
	outbox = int(first.entry["callback"].split(".")[0], 16)
	until(lambda: house.sql(f"SELECT statuses FROM outbox WHERE id = {outbox}") == "7", 10, "all three statuses")
	equal(house.sql(f"SELECT count(*) FROM receipt WHERE outbox_id = {outbox}"), "3", "receipts, each sent twice")
	equal(house.sql(f"SELECT state FROM outbox WHERE id = {outbox}"), "3", "state")
	listed = [json.loads(line) for line in
		  house.ctl("inbox", "--json", "--reason", "prueba", "--body", "--after", str(after)).splitlines()]
	bodies = [item["body"] for item in listed if item["event"] == "status" and item.get("ref") == first.entry["callback"]]
	equal(len(bodies), 3, "statuses listed")
	check(all(first.wamid in body for body in bodies), "a status lost its body")
	late = {"id": first.wamid, "status": "sent", "timestamp": str(int(house.now())), "recipient_id": person.phone,
		"biz_opaque_callback_data": first.entry["callback"]}
	equal(house.post(webhook.envelope([webhook.change(statuses=[late])])), 200, "a late status")
	equal(house.sql(f"SELECT count(*) FROM receipt WHERE outbox_id = {outbox}"), "3", "receipts")
	for odd in ({}, {"status": 5}, dict(late, biz_opaque_callback_data="zz"), dict(late, id=None),
		    dict(late, biz_opaque_callback_data="7fffffffffffffff.1.1"), dict(late, status="eaten")):
		equal(house.post(webhook.envelope([webhook.change(statuses=[odd])])), 200, f"an odd status: {odd}")
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15, "double": False})


# ---- who it is -------------------------------------------------------------------------------------

def contacts_of(house, after):
	return int(house.sql(f"SELECT count(*) FROM contact WHERE id > {after} AND merged_into IS NULL"))


def by_user_id(house):
	person = house.stranger(phone=False, user_id="CO.1A2B3C4D5E6F")
	person.says("hola")
	bubble = person.hears()
	equal(bubble.body.get("recipient"), "CO.1A2B3C4D5E6F", "the recipient")
	check("to" not in bubble.body, "a phone that nobody told us")


def phone_and_user_id_join(house):
	after = int(house.sql("SELECT max(id) FROM contact"))
	by_phone = house.stranger()
	by_phone.says("hola")
	question = by_phone.hears_all()[-1]
	by_phone.taps(question, "Sí, autorizo")
	by_phone.hears_all()
	both = h.Customer(house, by_phone.phone, "CO.AAAABBBBCCCC")
	both.seen = by_phone.seen
	both.says("menú")
	check("ayudar" in both.hears().text, "the consent was not known with both")
	by_id = h.Customer(house, None, "CO.AAAABBBBCCCC")
	by_id.seen = both.seen
	by_id.says("menú")
	heard = until(lambda: h.Customer.bubbles(both), 10, "an answer")
	check("ayudar" in heard[-1].text, "the consent was not known by the user id alone")
	equal(contacts_of(house, after), 1, "contacts of one person")


def two_contacts_become_one(house):
	after = int(house.sql("SELECT max(id) FROM contact"))
	by_phone, by_id = house.stranger(), house.stranger(phone=False, user_id="CO.DDDDEEEEFFFF")
	for person in (by_phone, by_id):
		person.says("hola")
		person.hears_all()
	equal(contacts_of(house, after), 2, "contacts before they are known as one")
	both = h.Customer(house, by_phone.phone, by_id.user_id)
	both.seen = max(by_phone.seen, by_id.seen)
	both.says("asesor")
	both.hears()
	equal(contacts_of(house, after), 1, "contacts afterwards")


def a_number_changes(house):
	after = int(house.sql("SELECT max(id) FROM contact"))
	person = house.stranger()
	person.says("hola")
	question = person.hears_all()[-1]
	person.taps(question, "Sí, autorizo")
	person.hears_all()
	old, new = person.phone, house.stranger_phone()
	told = last_id(house)
	person.posts(person.system("user_changed_number", wa_id=new))
	equal([(item["system"], item["phone"], item["new_phone"]) for item in inbox(house, told)
	       if item["event"] == "system"], [("number_changed", old, new)], "what proaltoctl inbox tells of it")
	person.phone = new
	person.says("menú")
	check("ayudar" in person.hears().text, "the consent was not known under the new number")
	equal(contacts_of(house, after), 1, "contacts of one person")
	somebody = h.Customer(house, old)
	somebody.seen = person.seen
	somebody.says("menú")
	check("ayudar" not in somebody.hears().text, "who has the old number now is taken for its last owner")


def inbox_tells(house):
	person = house.stranger()
	after = last_id(house)
	message = person.says("cuánto debo", context="wamid.antes")
	person.posts(person.tap("list_reply", "una-fila", "Una fila"))
	items = inbox(house, after)
	text = [item for item in items if item.get("text") == "cuánto debo"]
	check(text, "the text is not told", items)
	values = json.dumps(text[0])
	for wanted in (message, person.phone, "wamid.antes"):
		check(wanted in values, f"{wanted} is not told", values)
	check(any(item.get("reply_id") == "una-fila" for item in items), "the row's id is not told", items)
	person.sends("document", media_id="9988")
	house.settle()
	check(any(item.get("media_id") == "9988" for item in inbox(house, after)), "the media id is not told")


TESTS = [
	("the handshake", handshake),
	("other paths", other_paths),
	("bad signatures are refused with 403 and leave nothing", bad_signatures),
	("two secrets during a rotation", two_secrets),
	("broken bodies are settled and recorded once", broken_bodies),
	("every value replaced by every wrong type", wrong_types),
	("U+0000, lone surrogates and other texts are kept without loss", odd_texts),
	("too large is 413, large is taken", too_large),
	("slow senders hold up nobody", slow_senders),
	("requests that are hardly HTTP", raw_http),
	("duplicates, also after a restart", duplicates),
	("duplicates across months", duplicates_across_months),
	("a batch with bad items: everybody else is answered", batches),
	("unknown kinds are recorded", unknown_kinds),
	("statuses move forward only, doubled and out of order", statuses_go_forward),
	("a person known by user id alone", by_user_id),
	("phone and user id are joined to one contact", phone_and_user_id_join),
	("two contacts that turn out to be one", two_contacts_become_one),
	("a number changes hands", a_number_changes),
	("proaltoctl inbox tells what was understood", inbox_tells),
]


def main():
	with h.House(customers=20, settings={"listen": {"timeout": '"5 s"'}}) as house:
		return h.run(TESTS, house)


if __name__ == "__main__":
	sys.exit(main())
