# SPDX-License-Identifier: Apache-2.0
"""The rival's answers: a thread a shard takes what waits, stores state and answers in one transaction, and
posts the answers, one person's in order. What was stored and not sent is sent after a restart."""

import http.client
import json
import select
import threading
import time

import psycopg2
from psycopg2.extras import Json, execute_values

import settings

BATCH = 50
CONSENT = """ProAlto, NIT 900.000.000-0, responde por sus datos.
Dirección: Calle de la Prueba 1, Bogotá. Correo: datos@proalto.example. Teléfono: +57 601 555 0000.

Con su permiso usaremos su número, sus datos de identidad y los de su crédito.
Serán para atender sus consultas y trámites por este chat. Guardaremos la conversación como soporte.

Usted puede conocer, actualizar, corregir o pedir que borremos sus datos. También puede retirar este permiso.
Para eso, escriba "mis datos" cuando quiera.

Política completa: https://proalto.example/datos

¿Autoriza este uso de sus datos?"""
SERVICES = ("Mi saldo", "Estado de mi solicitud", "Paz y salvo", "Renovar mi crédito", "Pedir un crédito", "Mis datos",
	    "Quejas y reclamos", "Reportar un fraude", "Hablar con un asesor")


def text(body):
	return {"type": "text", "text": {"body": body}}


def buttons(body, *choices):
	return {"type": "interactive", "interactive": {"type": "button", "body": {"text": body}, "action": {
		"buttons": [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in choices]}}}


def menu(body):
	rows = [{"id": f"servicio-{number}", "title": title} for number, title in enumerate(SERVICES)]
	return {"type": "interactive", "interactive": {"type": "list", "body": {"text": body}, "action": {
		"button": "Ver opciones", "sections": [{"title": "Servicios", "rows": rows}]}}}


def answer(state, message):
	"""New state and answers."""
	tapped = message.get("interactive", {}).get("button_reply", {}).get("id")
	said = message.get("text", {}).get("body", "").strip().casefold()
	if state is None:
		return "asked", [text("Hola. Soy el Asistente Virtual de ProAlto.\nSoy un programa, no una persona."
				      " Si prefiere una persona, escriba asesor."),
				 buttons(CONSENT, ("si", "Sí, autorizo"), ("no", "No autorizo"))]
	if state == "asked" and tapped != "si":
		return state, [buttons(CONSENT, ("si", "Sí, autorizo"), ("no", "No autorizo"))]
	if said == "privacidad":
		return "open", [text("Esta es la política de datos de ProAlto:\nhttps://proalto.example/datos\n"
				     'Para conocer, corregir o borrar sus datos, escriba "mis datos".'),
				menu("Toque una opción, o escriba con sus palabras lo que necesita.")]
	return "open", [menu("Soy un programa. ¿En qué le puedo ayudar?")]


class Graph:
	"""One kept connection."""

	def __init__(self):
		self.connection = http.client.HTTPConnection("127.0.0.1", settings.GRAPH_PORT, timeout=15)

	def post(self, number, phone, message):
		body = json.dumps({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+" + phone,
				   "biz_opaque_callback_data": str(number), **message}, separators=(",", ":"))
		self.connection.request("POST", f"/v19.0/{settings.PHONE_ID}/messages", body, {
			"Content-Type": "application/json", "Authorization": "Bearer " + settings.TOKEN})
		response = self.connection.getresponse()
		reply = json.loads(response.read())
		if response.status != 200:
			raise RuntimeError(f"Graph says {response.status}")
		return reply["messages"][0]["id"]


class Shard:
	def __init__(self, number):
		self.number = number
		self.database = psycopg2.connect(settings.DATABASE)
		self.ears = psycopg2.connect(settings.DATABASE)
		self.ears.autocommit = True
		self.ears.cursor().execute(f"LISTEN shard_{number}")
		self.graph = Graph()

	def take(self, cursor):
		"""Answers what waits; True if anything did."""
		cursor.execute("SELECT id, phone, message FROM inbox WHERE shard = %s AND done_at IS NULL"
			       " ORDER BY id LIMIT %s", (self.number, BATCH))
		waiting = cursor.fetchall()
		if not waiting:
			return False
		phones = list({phone for _, phone, _ in waiting})
		cursor.execute("SELECT phone, state FROM conversation WHERE phone = ANY (%s)", (phones,))
		states = dict(cursor.fetchall())
		answers = []
		for _, phone, message in waiting:
			states[phone], replies = answer(states.get(phone), message)
			answers += [(self.number, phone, Json(reply)) for reply in replies]
		execute_values(cursor, "INSERT INTO conversation (phone, state) VALUES %s ON CONFLICT (phone)"
			       " DO UPDATE SET state = excluded.state", [(phone, states[phone]) for phone in phones])
		execute_values(cursor, "INSERT INTO outbox (shard, phone, message) VALUES %s", answers)
		cursor.execute("UPDATE inbox SET done_at = now() WHERE id = ANY (%s)", ([row[0] for row in waiting],))
		return True

	def send(self, cursor):
		cursor.execute("SELECT id, phone, message FROM outbox WHERE shard = %s AND sent_at IS NULL ORDER BY id",
			       (self.number,))
		sent = [(number, self.graph.post(number, phone, message)) for number, phone, message in cursor.fetchall()]
		if sent:
			execute_values(cursor, "UPDATE outbox SET wamid = v.wamid, sent_at = now()"
				       " FROM (VALUES %s) v (id, wamid) WHERE outbox.id = v.id", sent)

	def wait(self):
		select.select([self.ears], [], [], 1)
		self.ears.poll()
		self.ears.notifies.clear()

	def work(self):
		with self.database, self.database.cursor() as cursor:
			was_busy = self.take(cursor)
		with self.database, self.database.cursor() as cursor:
			self.send(cursor)
		if not was_busy:
			self.wait()

	def run(self):
		while True:
			try:
				self.work()
			except (OSError, http.client.HTTPException, RuntimeError) as error:
				print(f"shard {self.number}: {error}", flush=True)
				self.graph = Graph()
				time.sleep(1)


def main(process):
	threads = [threading.Thread(target=Shard(process * settings.BOT_THREADS + i).run)
		   for i in range(settings.BOT_THREADS)]
	for thread in threads:
		thread.start()
