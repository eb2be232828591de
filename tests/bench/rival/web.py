# SPDX-License-Identifier: Apache-2.0
"""The rival's door: checks the signature, stores what came in, and only then says 200."""

import hashlib
import hmac
import threading

import psycopg2
from flask import Flask, abort, request
from psycopg2.extras import Json, execute_values

import settings

app = Flask(__name__)
local = threading.local()


def database():
	"""This thread's connection."""
	if getattr(local, "connection", None) is None or local.connection.closed:
		local.connection = psycopg2.connect(settings.DATABASE)
	return local.connection


def is_signed(body, header):
	wanted = "sha256=" + hmac.new(settings.SECRET, body, hashlib.sha256).hexdigest()
	return hmac.compare_digest(wanted, header or "")


def values_of(delivery):
	for entry in delivery.get("entry", ()):
		for change in entry.get("changes", ()):
			yield change.get("value", {})


def store(delivery):
	messages, receipts = [], []
	for value in values_of(delivery):
		for message in value.get("messages", ()):
			phone = message["from"]
			messages.append((message["id"], settings.shard_of(phone), phone, Json(message)))
		for status in value.get("statuses", ()):
			receipts.append((status["id"], status["status"]))
	with database() as connection, connection.cursor() as cursor:
		if messages:
			execute_values(cursor, "INSERT INTO inbox (wamid, shard, phone, message) VALUES %s"
				       " ON CONFLICT (wamid) DO NOTHING", messages)
			for shard in {message[1] for message in messages}:
				cursor.execute(f"NOTIFY shard_{shard}")
		if receipts:
			execute_values(cursor, "INSERT INTO receipt (wamid, status) VALUES %s"
				       " ON CONFLICT (wamid, status) DO NOTHING", receipts)


@app.post("/webhook/whatsapp")
def webhook():
	body = request.get_data()
	if not is_signed(body, request.headers.get("X-Hub-Signature-256")):
		abort(403)
	store(request.get_json())
	return "", 200
