# SPDX-License-Identifier: Apache-2.0
"""Webhooks as Meta posts them ("messages webhook reference"), and how they are signed.

	body = webhook.of_message(webhook.text("wamid.1", "573001234567", "hola", at=1780000000))
	headers = webhook.sign(body_bytes, secret)
"""

import hashlib
import hmac
import itertools
import json
import os
import time

PHONE_ID = "106540352242922"
ACCOUNT = "104400000000077"
_serial = itertools.count(1)
_start = os.urandom(6).hex().upper()


def new_id():
	return f"wamid.T{_start}{next(_serial):08X}"


def dump(body):
	return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def sign(body, secret):
	return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def envelope(changes, account=ACCOUNT):
	return {"object": "whatsapp_business_account", "entry": [{"id": account, "changes": changes}]}


def change(messages=None, statuses=None, contacts=None, phone_id=PHONE_ID):
	value = {"messaging_product": "whatsapp",
		 "metadata": {"display_phone_number": "576015550199", "phone_number_id": phone_id}}
	if contacts:
		value["contacts"] = contacts
	if messages:
		value["messages"] = messages
	if statuses:
		value["statuses"] = statuses
	return {"field": "messages", "value": value}


class Person:
	"""Who writes: by phone, by business-scoped user id, or both."""

	def __init__(self, phone=None, user_id=None, name="Prueba"):
		self.phone = phone
		self.user_id = user_id
		self.name = name
		self.device_key = None

	def contact(self):
		contact = {"profile": {"name": self.name}}
		if self.phone:
			contact["wa_id"] = self.phone
		if self.user_id:
			contact["user_id"] = self.user_id
		if self.device_key:
			contact["identity_key_hash"] = self.device_key
		return contact

	def message(self, kind, content, at=None, message_id=None, context=None):
		message = {"id": message_id or new_id(), "timestamp": str(int(at or time.time())), "type": kind}
		if self.phone:
			message["from"] = self.phone
		if self.user_id:
			message["from_user_id"] = self.user_id
		if context:
			message["context"] = {"id": context}
		if content is not None:
			message[kind] = content
		return message

	def text(self, text, **more):
		return self.message("text", {"body": text}, **more)

	def tap(self, kind, tap_id, title, **more):
		return self.message("interactive", {"type": kind, kind: {"id": tap_id, "title": title}}, **more)

	def media(self, kind, media_id="1234567890", caption=None, sha256=None, **more):
		types = {"image": "image/jpeg", "document": "application/pdf", "audio": "audio/ogg; codecs=opus",
			 "video": "video/mp4", "sticker": "image/webp"}
		content = {"id": media_id, "mime_type": types[kind], "sha256": sha256 or "0" * 64}
		if kind == "audio":
			content["voice"] = True
		if kind == "document":
			content["filename"] = "archivo.pdf"
		if caption:
			content["caption"] = caption
		return self.message(kind, content, **more)

	def system(self, kind, **content):
		content = dict(content, type=kind, body="system")
		return self.message("system", content)


def of(person, *messages, phone_id=PHONE_ID):
	"""The webhook of one or more messages of one person."""
	return envelope([change(messages=list(messages), contacts=[person.contact()], phone_id=phone_id)])
