#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""proaltoctl setup against a real PostgreSQL and the stand-in of the Graph API: by flags and by a
person at a terminal. systemd is not here: a script stands for systemd-creds, and writes what it should
encrypt as it is. The whole, with systemd: tests/package/inside.py."""

import glob
import http.server
import json
import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import postgres
import tap
import webhook
from tap import check, equal

DONE, FAILED, USAGE = 0, 1, 2  # exit statuses

CREDS = """#!/bin/sh
# encrypt --name=X - - | decrypt --name=X FILE -
case $1 in
encrypt) exec cat ;;
decrypt) exec cat "$3" ;;
esac
exit 1
"""


def lay_shipped_files():
	"""Where the programs look for them: beside their own folder."""
	for name in ("etc", "sql"):
		place = os.path.join(os.path.dirname(h.B), name)
		if not os.path.exists(place):
			os.symlink(os.path.join(h.TOP, name), place)


SECRETS = {"whatsapp-app-secret": h.SECRET, "whatsapp-access-token": h.ACCESS_TOKEN}


class Policy(http.server.BaseHTTPRequestHandler):
	def do_GET(self):
		self.send_response(200)
		self.end_headers()

	def log_message(self, *args):
		pass


class Machine:
	"""A server on which the packages were just installed."""

	def __init__(self):
		self.address = f"127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250 + 1}.8"
		self.server = postgres.Server(options=f"-c listen_addresses={self.address}")
		rules = os.path.join(self.server.directory, "data/pg_hba.conf")
		with open(rules) as file:
			text = file.read()
		with open(rules, "w") as file:
			file.write(f"host all proalto {self.address}/32 scram-sha-256\nhost all all {self.address}/32 trust\n{text}")
		self.server.psql("postgres").rows("SELECT pg_reload_conf()")
		self.folder = tempfile.mkdtemp(prefix="proalto-setup.")
		self.graph = h.Peer("graph", self.folder, "--token", h.ACCESS_TOKEN, "--phone-id", webhook.PHONE_ID)
		self.policy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Policy)
		threading.Thread(target=self.policy.serve_forever, daemon=True).start()
		self.write("bin/systemd-creds", CREDS, 0o755)
		for name, value in SECRETS.items():
			self.write("given/" + name, value + "\n", 0o600)
		self.number = 0

	def close(self):
		self.policy.shutdown()
		self.graph.stop()
		self.server.stop()
		shutil.rmtree(self.folder)

	def path(self, name):
		return os.path.join(self.folder, name)

	def write(self, name, text, mode=0o644):
		path = self.path(name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "w") as file:
			file.write(text)
		os.chmod(path, mode)
		return path

	def read(self, name):
		with open(self.path(name)) as file:
			return file.read()

	def fresh(self):
		"""Another such server, with the same PostgreSQL and a database of its own."""
		self.number += 1
		self.etc = self.path(f"etc{self.number}")
		self.store = self.path(f"credstore{self.number}")
		self.database = f"setup_{self.number}"
		os.makedirs(self.etc)
		os.makedirs(self.store)
		self.conf = os.path.join(self.etc, "proalto.conf")

	def answers(self):
		"""All that a house must say, by flags."""
		return {
			"--database": f"host={self.server.host} dbname={self.database} user=proalto",
			"--house-name": 'Crédito "Fácil" \\ S.A.',
			"--house-nit": "900.123.456-7",
			"--house-address": "Calle 1 # 2-3, Bogotá",
			"--house-phone": "+57 601 000 0000",
			"--house-email": "datos@proalto.example",
			"--policy-url": f"http://127.0.0.1:{self.policy.server_port}/datos",
			"--whatsapp-phone-id": webhook.PHONE_ID,
		}

	def settings(self):
		return ["--superuser-dsn", f"host={self.server.host} user=test", "--credentials", self.store,
			"--recovery-file", os.path.join(self.etc, "recovery.json"), "--no-start",
			"--set", f"channels.whatsapp.graph_url=http://127.0.0.1:{self.graph.port}",
			"--set", f"plugins.directory={h.B}/plugins",
			"--set", f"flows.directory={h.TOP}/etc/flows", "--set", f"flows.texts={h.TOP}/etc/texts"]

	def command(self, *arguments):
		return [os.path.join(h.B, "proaltoctl"), "--config", self.conf, "setup", *self.settings(), *arguments]

	def environment(self):
		"""The daemon's check finds the secrets where systemd would have put them."""
		return dict(os.environ, PATH=self.path("bin") + ":" + os.environ["PATH"], LC_ALL="es_CO.UTF-8",
			    CREDENTIALS_DIRECTORY=self.store)

	def run(self, *arguments):
		done = subprocess.run(self.command("--non-interactive", *arguments), stdin=subprocess.DEVNULL,
				      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
				      env=self.environment(), timeout=60 * h.PATIENCE)
		return done.returncode, done.stdout

	def by_flags(self, *more, without=()):
		words = [word for pair in self.answers().items() if pair[0] not in without for word in pair]
		secrets = [word for name in SECRETS for word in ("--secret", f"{name}=file:{self.path('given/' + name)}")
			   if name not in without]
		return self.run(*words, *secrets, "--recovery-code-file", os.path.join(self.etc, "code"), *more)

	def credential(self, name):
		with open(os.path.join(self.store, "proalto." + name)) as file:
			return file.read()

	def rows(self, sql, database=None):
		return self.server.psql(database or self.database).rows(sql)


class Person:
	"""Somebody at a terminal who reads each question before he answers."""

	def __init__(self, command, environment):
		self.said = ""
		self.read = 0
		self.pid, self.terminal = pty.fork()
		if self.pid == 0:
			os.execvpe(command[0], command, environment)

	def read_until(self, words):
		end = time.monotonic() + 60 * h.PATIENCE
		while words not in self.said[self.read:]:
			ready, _, _ = select.select([self.terminal], [], [], end - time.monotonic())
			check(ready, f"no {words!r} in", self.said)
			try:
				piece = os.read(self.terminal, 4096)
			except OSError:
				piece = b""
			check(piece, f"it ended without {words!r}", self.said)
			self.said += piece.decode()
		self.read = self.said.index(words, self.read) + len(words)

	def answers(self, question, answer):
		self.read_until(question)
		os.write(self.terminal, (answer + "\n").encode())

	def end(self):
		while True:
			try:
				piece = os.read(self.terminal, 4096)
			except OSError:
				piece = b""
			if not piece:
				break
			self.said += piece.decode()
		os.close(self.terminal)
		return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


# ---- by flags --------------------------------------------------------------------------------------

def names_all_that_is_missing(machine):
	machine.fresh()
	status, said = machine.run("--house-name", "ProAlto")
	equal(status, USAGE, "exit status")
	for flag in ("--house-nit", "--policy-url", "--whatsapp-phone-id", "--secret whatsapp-access-token=",
		     "--recovery-code-file"):
		check(flag in said, f"{flag} is not named", said)
	check("--house-name" not in said, "what was given is named", said)
	equal(os.listdir(machine.etc) + os.listdir(machine.store), [], "what was written")


def refuses_before_it_begins(machine):
	"""Nothing is made for an answer that is wrong."""
	machine.fresh()
	machine.write("given/wrong", "otra llave\n", 0o600)
	for more, words in (
		(["--whatsapp-phone-id", "+57 300"], "son solo cifras"),
		(["--database", "host=db.example dbname=x user=proalto"], "sslmode=verify-full"),
		(["--database", "hostaddr=192.0.2.1 dbname=x user=proalto"], "sslmode=verify-full"),
		(["--database", "host=/tmp,db.example dbname=x user=proalto"], "sslmode=verify-full"),
		(["--secret", f"whatsapp-access-token=file:{machine.path('given/wrong')}"],
		 "Meta no acepta la llave"),
		(["--set", "channels.whatsapp.no_such=1"], "no_such"),
	):
		status, said = machine.by_flags(*more)
		check(status in (FAILED, USAGE) and words in said, f"{more}: {status}, no {words!r}", said)
	equal(os.listdir(machine.etc) + os.listdir(machine.store), [], "what was written")
	equal(machine.rows(f"SELECT FROM pg_database WHERE datname = '{machine.database}'", "postgres"), [], "databases")


def makes_all(machine):
	machine.fresh()
	status, said = machine.by_flags()
	equal(status, DONE, "exit status of\n" + said)
	for words in ("la política de datos responde", "la llave de acceso sirve", "el servicio entra a su base",
		      "/webhook/whatsapp", machine.credential("whatsapp-verify-token"), "Queda pendiente"):
		check(words in said, f"it does not say {words!r}", said)
	for secret in (*SECRETS.values(), machine.credential("master-key")):
		check(secret not in said, "a secret is shown", said)
	equal(machine.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'proalto%' ORDER BY 1"),
	      [["proalto"], ["proalto_owner"], ["proalto_report"], ["proalto_retention"]], "roles")
	check(int(machine.rows("SELECT count(*) FROM proalto.schema_migration")[0][0]) > 0, "no migration")
	equal(machine.credential("whatsapp-access-token"), h.ACCESS_TOKEN, "the token")
	for name in os.listdir(machine.store):
		mode = os.stat(os.path.join(machine.store, name)).st_mode
		equal(stat.S_IMODE(mode), 0o600, f"mode of {name}")


def what_the_daemon_refuses_is_kept_as_a_draft(machine):
	"""Its answers are those of the next run."""
	machine.fresh()
	status, said = machine.by_flags("--set", "work.workers=1")
	equal(status, FAILED, "exit status of\n" + said)
	check("work.workers" in said, "it does not say what is wrong", said)
	check(not os.path.exists(machine.conf), "a wrong configuration is in its place")
	status, said = machine.run("--set", "work.workers=8")
	equal(status, DONE, "exit status of\n" + said)
	check(not os.path.exists(machine.conf + ".new"), "the draft stays")


def writes_the_sample_with_the_answers(machine):
	with open(machine.conf) as file:
		text = file.read()
	sample = open(os.path.join(h.TOP, "etc/proalto.conf")).read()
	check('name = "Crédito \\"Fácil\\" \\\\ S.A.";' in text, "the name is not quoted", text[:4000])
	check(f'recovery = "{machine.etc}/recovery.json";' in text, "backups don't find the recovery file")
	for value in SECRETS.values():
		check(value not in text, "a secret is in the configuration")
	missing = [line for line in sample.splitlines() if line.lstrip().startswith("# ") and line not in text]
	equal(missing, [], "comments that were lost")
	check("\t#sms = {" in text and "\t#core = {" in text, "what is for later is not left out")
	equal(stat.S_IMODE(os.stat(machine.conf).st_mode), 0o644, "its mode")
	equal(sorted(os.listdir(machine.etc)), ["code", "proalto.conf", "recovery.json"], "files")


def does_only_what_is_missing(machine):
	before = {name: machine.credential(name[8:]) for name in os.listdir(machine.store)}
	token = machine.credential("whatsapp-verify-token")
	with open(machine.conf) as file:
		text = file.read()
	os.remove(os.path.join(machine.store, "proalto.whatsapp-verify-token"))
	status, said = machine.run()
	equal(status, DONE, "exit status of\n" + said)
	for words in ("ya estaba: configuración", "ya estaba: base de datos", "ya estaba: tablas",
		      "ya estaba: llave maestra", "ya estaba: secreto whatsapp-app-secret"):
		check(words in said, f"it does not say {words!r}", said)
	check(machine.credential("whatsapp-verify-token") != token, "the lost token is made anew")
	del before["proalto.whatsapp-verify-token"]
	for name, value in before.items():
		equal(machine.credential(name[8:]), value, name)
	with open(machine.conf) as file:
		equal(file.read(), text, "the configuration")


def replaces_and_keeps_the_old(machine):
	with open(machine.conf) as file:
		old = file.read()
	status, said = machine.run("--replace", "--house-name", "Otra")
	equal(status, DONE, "exit status of\n" + said)
	with open(machine.conf) as file:
		text = file.read()
	check('name = "Otra";' in text and 'nit = "900.123.456-7";' in text, "answers of before are lost", text)
	kept = glob.glob(machine.conf + ".*")
	equal(len(kept), 1, "files of before")
	with open(kept[0]) as file:
		equal(file.read(), old, "the one of before")


def rotates_a_secret_that_is_given(machine):
	path = machine.write("given/new", "clave-nueva\n", 0o600)
	status, said = machine.run("--secret", "whatsapp-app-secret=file:" + path)
	equal(status, DONE, "exit status of\n" + said)
	equal(machine.credential("whatsapp-app-secret"), "clave-nueva", "the secret")
	os.chmod(path, 0o644)
	status, said = machine.run("--secret", "whatsapp-app-secret=file:" + path)
	equal(status, FAILED, "exit status with a file that anybody can read")
	check("clave-nueva" not in said, "it is shown", said)


def a_used_store_gets_no_other_key(machine):
	"""Its key comes back from the recovery file, on a machine that has none."""
	key = machine.credential("master-key")
	with open(os.path.join(machine.etc, "code")) as file:
		code = file.read()
	recovery = os.path.join(machine.etc, "recovery.json")
	check(key not in open(recovery).read(), "the key stands in the recovery file")
	machine.rows("INSERT INTO proalto.contact (id, created_at) VALUES (1, now())")
	os.remove(os.path.join(machine.store, "proalto.master-key"))
	other = os.path.join(machine.etc, "other.json")
	status, said = machine.run("--recovery-file", other, "--recovery-code-file", other + ".code")
	equal(status, FAILED, "exit status")
	check("--recover" in said, "it does not say what to do", said)
	check(not os.path.exists(other), "another key was made")
	path = machine.write("given/code", code.lower(), 0o600)
	status, said = machine.run("--recover", recovery, "--secret", "recovery-code=file:" + path)
	equal(status, DONE, "exit status of\n" + said)
	equal(machine.credential("master-key"), key, "the key")


def a_database_of_somebody_else_is_tried(machine):
	"""Its connection string may hold a password, and is a secret as a whole."""
	machine.fresh()
	words = f"host={machine.server.host} dbname=no_such_database user=proalto password=secreto-de-la-base\n"
	status, said = machine.by_flags("--database", "host=127.0.0.1 user=proalto", "--database-ready",
					"--secret", "database=file:" + machine.write("given/database", words, 0o600))
	equal(status, FAILED, "exit status without such a database")
	check("secreto-de-la-base" not in said, "the password is shown", said)
	equal(os.listdir(machine.etc) + os.listdir(machine.store), [], "what was written")
	made = f"setup_{machine.number - 1}"
	machine.rows("DELETE FROM proalto.contact", made)
	words = words.replace("no_such_database", made)
	status, said = machine.by_flags("--database", "host=127.0.0.1 user=proalto", "--database-ready",
					"--secret", "database=file:" + machine.write("given/database", words, 0o600))
	equal(status, DONE, "exit status of\n" + said)
	equal(machine.credential("database"), words.strip(), "the credential")
	with open(machine.conf) as file:
		check('database = "credential:proalto.database";' in file.read(), "it is not named")
	for more in ([], ["--replace"]):
		status, said = machine.run(*more)
		equal(status, DONE, f"exit status of {more} again\n" + said)
		check("secreto-de-la-base" not in said, "the password is shown", said)
	with open(machine.conf) as file:
		text = file.read()
	check('database = "credential:proalto.database";' in text and "secreto-de-la-base" not in text,
	      "after --replace it is not named, or stands there", text)


def another_machine_takes_no_password_away(machine):
	"""The role keeps its password, which other nodes use."""
	machine.fresh()
	status, said = machine.by_flags()
	equal(status, DONE, "exit status of\n" + said)
	used = machine.database
	kept = "SELECT rolpassword FROM pg_authid WHERE rolname = 'proalto'"
	machine.rows("INSERT INTO proalto.master_key (id, store_key, since) VALUES (decode(repeat('00', 16), 'hex'), '', now())")
	over_tcp = "host=127.0.0.1 user=proalto dbname="
	machine.fresh()
	try:
		status, said = machine.by_flags("--database", over_tcp + used)
		equal(status, FAILED, "exit status without a key of\n" + said)
		check("--recover" in said, "it does not say what to do", said)
		with open(os.path.join(machine.store, "proalto.master-key"), "w") as file:
			file.write("ab" * 32 + "\n")
		for more in ([], ["--new-password"]):
			status, said = machine.by_flags("--database", over_tcp + used, *more)
			equal(status, FAILED, "exit status with another key of\n" + said)
			check("sellada con otra llave maestra" in said, "it does not say why", said)
		equal(machine.rows(kept, "postgres"), [[None]], "the role's password")
		machine.rows("ALTER ROLE proalto PASSWORD 'la-de-los-otros-nodos'", "postgres")
		password = machine.rows(kept, "postgres")
		status, said = machine.by_flags("--database", over_tcp + machine.database)
		equal(status, FAILED, "exit status where the role has a password\n" + said)
		check("--secret database=" in said and "--new-password" in said, "it does not say what to do", said)
		equal(machine.rows(kept, "postgres"), password, "the role's password")
		equal(machine.rows(f"SELECT FROM pg_database WHERE datname = '{machine.database}'", "postgres"), [], "databases")
		# Nobody listens over TCP here: it changes the password, and no more.
		machine.by_flags("--database", over_tcp + machine.database, "--new-password")
		check(machine.rows(kept, "postgres") != password, "--new-password changes nothing")
	finally:
		machine.rows("ALTER ROLE proalto PASSWORD NULL", "postgres")


def a_run_that_ended_early_is_repeated(machine):
	"""After the role had its password: the next run knows it."""
	machine.fresh()
	over_tcp = f"host=127.0.0.1 hostaddr={machine.address} user=proalto dbname={machine.database}"
	recovery = os.path.join(machine.etc, "recovery.json")
	with open(recovery, "w"):
		pass
	try:
		status, said = machine.by_flags("--database", over_tcp)
		equal(status, FAILED, "exit status beside a recovery file of\n" + said)
		check("ya existe" in said, "it does not say why", said)
		stored = machine.credential("database")
		check(stored.startswith(over_tcp + " password="), "the role's password is not stored", over_tcp)
		os.remove(recovery)
		status, said = machine.by_flags("--database", over_tcp)
		equal(status, DONE, "exit status of\n" + said)
		equal(machine.credential("database"), stored, "the connection string")
		subprocess.run(["psql", "-XAtqc", "SELECT 1", stored], check=True, stdout=subprocess.DEVNULL)
	finally:
		machine.rows("ALTER ROLE proalto PASSWORD NULL", "postgres")


# ---- a person --------------------------------------------------------------------------------------

def asks_a_person(machine):
	machine.fresh()
	person = Person(machine.command(), machine.environment())
	given = machine.answers()
	person.answers("Base de datos propia", given["--database"])
	person.answers("Nombre de la entidad", given["--house-name"])
	person.answers("NIT", "900123456")
	person.answers("900.123.456-7", given["--house-nit"])
	person.answers("Dirección para peticiones: ", given["--house-address"])
	person.answers("Teléfono", given["--house-phone"])
	person.answers("Correo", given["--house-email"])
	person.answers("política de tratamiento", given["--policy-url"])
	person.answers("(vigilada/no_vigilada) [no_vigilada]: ", "")
	person.answers("phone_number_id", given["--whatsapp-phone-id"])
	person.answers("WABA", "")
	person.answers("Pasarela de SMS", "")
	person.answers("Sistema central", "")
	person.answers("Dirección pública", "")
	person.answers("clave secreta de la aplicación: ", SECRETS["whatsapp-app-secret"])
	person.answers("usuario del sistema: ", "llave-equivocada")
	person.read_until("Meta no acepta la llave")
	person.answers("usuario del sistema: ", SECRETS["whatsapp-access-token"])
	person.read_until("CÓDIGO DE RECUPERACIÓN")
	person.read_until("Escriba su último grupo para seguir: ")
	code = next(line.strip() for line in person.said.splitlines() if line.count("-") == 4 and len(line.strip()) == 29)
	os.write(person.terminal, b"XXXXX\n")
	person.answers("Escriba su último grupo para seguir: ", code[-5:].lower())
	equal(person.end(), DONE, "exit status of\n" + person.said)
	for secret in (*SECRETS.values(), "llave-equivocada", machine.credential("master-key")):
		check(secret not in person.said, "a secret is echoed", person.said)
	equal(machine.credential("whatsapp-access-token"), h.ACCESS_TOKEN, "the token")
	equal(json.load(open(os.path.join(machine.etc, "recovery.json")))["proalto_recovery"], 1, "the recovery file")


TESTS = [
	("without a person it names all that is missing", names_all_that_is_missing),
	("a wrong answer is refused before anything is made", refuses_before_it_begins),
	("what the daemon refuses is kept as a draft", what_the_daemon_refuses_is_kept_as_a_draft),
	("by flags it makes database, keys and configuration", makes_all),
	("the configuration is the sample with the answers", writes_the_sample_with_the_answers),
	("again, it does only what is missing", does_only_what_is_missing),
	("--replace keeps the old beside the new", replaces_and_keeps_the_old),
	("a secret that is given replaces the old", rotates_a_secret_that_is_given),
	("a used store gets no other key, but its own back", a_used_store_gets_no_other_key),
	("a database that somebody else made is tried", a_database_of_somebody_else_is_tried),
	("another machine takes nobody's password away", another_machine_takes_no_password_away),
	("a run that ended early is repeated", a_run_that_ended_early_is_repeated),
	("a person is asked", asks_a_person),
]


def main():
	lay_shipped_files()
	machine = Machine()
	try:
		return 1 if tap.run(tap.chosen(TESTS), machine) else 0
	finally:
		machine.close()


if __name__ == "__main__":
	sys.exit(main())
