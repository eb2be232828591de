#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""proaltoctl doctor and `db check` on a house in which each thing goes wrong once: what is wrong is
found, the rest is still looked at, and whoever may not see says so. And a schema that does not fit the
daemon: it takes nothing, says why, and goes on by itself."""

import contextlib
import datetime
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import Skip, check, equal, until

OK, WARNING, CRITICAL, UNKNOWN = range(4)  # exit statuses, as Nagios wants them
WORST_LAST = ["ok", "unknown", "warning", "critical"]
MIGRATIONS = os.path.join(h.TOP, "sql/migrations")


class Findings:
	"""What doctor said: the worst state of each check, and everything it told of it."""

	def __init__(self, status, text):
		self.status = status
		self.said = json.loads(text)
		self.text = text
		self.states, self.words = {}, {}
		for finding in self.said["findings"]:
			name = finding["check"]
			self.states[name] = max(self.states.get(name, "ok"), finding["state"], key=WORST_LAST.index)
			self.words[name] = self.words.get(name, "") + f"{finding['what']} -> {finding['do']}\n"

	def has(self, name, state, words=""):
		equal(self.states.get(name), state, f"state of {name}: {self.words.get(name)}")
		check(words in self.words[name], f"{name} does not say {words!r}", self.words[name])

	def __getitem__(self, name):
		return self.states.get(name)


def run(house, *args, user=None, locale="C"):
	command = [os.path.join(h.B, "proaltoctl"), "--config", house.config_path, *args]
	if user:
		command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
	return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
			      timeout=60 * h.PATIENCE, env=dict(os.environ, LC_ALL=locale))


def doctor(house, *args, **more):
	done = run(house, "doctor", "--json", *args, **more)
	return Findings(done.returncode, done.stdout)


@contextlib.contextmanager
def daemon_down(house):
	house.kill()
	try:
		yield
	finally:
		house.start()


# ---- a house in order --------------------------------------------------------------------------------

def in_order(house):
	found = doctor(house)
	for name in ("config", "config-mode", "service", "core", "channels", "database", "database-tls", "schema", "durability",
		     "clock-database", "clock-provider", "partitions", "strays", "queue-in", "queue-out", "uncertain",
		     "set-aside", "nodes", "token", "token-expiry", "sms", "plugins", "inspector"):
		found.has(name, "ok")
	found.has("replication", "warning", "synchronous_standby_names")
	found.has("policy", "warning", "house.policy_url")
	check(found["disk"], "the disk was not looked at")
	check(h.ACCESS_TOKEN not in found.text and h.SMS_TOKEN not in found.text, "a secret is told")


def index_is_missing(house):
	"""Some months lack one, as after an upgrade; it is made while the daemon serves."""
	house.rows("SET ROLE proalto_owner")
	house.rows("CREATE INDEX inbox_prueba ON ONLY inbox (kind)")
	try:
		doctor(house).has("indexes", "warning", "db index")
		dsn = f"host={house.server.host} port=5432 dbname=proalto user=proalto_owner"
		said = house.ctl("db", "index", "--dsn", dsn)
		check(re.search(r"^\[1/\d+\] inbox_\w+_prueba \(inbox_\w+, 0 MiB\)$", said, re.M), "it does not say what it makes", said)
		doctor(house).has("indexes", "ok")
		equal(len(house.ctl("db", "index", "--dsn", dsn).splitlines()), 1, "lines when there is nothing to do")
	finally:
		house.rows("DROP INDEX inbox_prueba")
		house.rows("RESET ROLE")


def for_people(house):
	done = run(house, "doctor", locale="es_CO.UTF-8")
	first = done.stdout.splitlines()[0]
	equal(first.split(":")[0], "PROALTO " + {1: "WARNING", 2: "CRITICAL"}[done.returncode], "the line for Nagios")
	check("réplica" in first and "política" in first, "the first line does not name what is wrong", first)
	check("no hay réplica síncrona" in done.stdout, "it is not in Spanish", done.stdout)
	equal(run(house, "doctor", "--nothing").returncode, UNKNOWN, "status of wrong arguments")


# ---- what is down ------------------------------------------------------------------------------------

def daemon_is_down(house):
	with daemon_down(house):
		house.server.psql("postgres").rows("ALTER SYSTEM SET synchronous_standby_names = 'nadie'")
		house.server.psql("postgres").rows("SELECT pg_reload_conf()")
		house.rows("SET synchronous_commit = local")
		house.rows("INSERT INTO work (id, conversation_id, at) VALUES (1, 256, now() - interval '2 hours')")
		house.rows("INSERT INTO set_aside (id, conversation_id, inbox_at, at, reason) VALUES (2, 256, now(), now(), 'x')")
		try:
			found = until(lambda: [f for f in [doctor(house)] if f["replication"] == "critical"], 10 * h.PATIENCE,
				      "the standby that is missed")[0]
		finally:
			house.server.psql("postgres").rows("ALTER SYSTEM RESET synchronous_standby_names")
			house.server.psql("postgres").rows("SELECT pg_reload_conf()")
			house.rows("DELETE FROM work")
			house.rows("DELETE FROM set_aside")
	equal(found.status, CRITICAL, "exit status")
	found.has("service", "critical", "systemctl start proalto")
	found.has("replication", "critical", "nothing commits")
	found.has("queue-in", "critical", "2 h 0 min")
	found.has("set-aside", "warning")
	found.has("database", "ok")
	found.has("token", "ok")


def database_is_down(house):
	house.server.halt()
	try:
		until(lambda: house.ask("status").get("store_error"), 20 * h.PATIENCE, "a daemon that notices")
		found = doctor(house)
	finally:
		house.server.resume()
	until(house.is_answering, 20 * h.PATIENCE, "the daemon to go on")
	found.has("database", "critical", "can't be opened")
	found.has("service-store", "critical", "proaltoctl status")
	found.has("token", "ok")


def provider_hangs(house):
	"""It costs its own answer only."""
	house.graph.process.send_signal(signal.SIGSTOP)
	try:
		found = doctor(house)
	finally:
		house.graph.process.send_signal(signal.SIGCONT)
	found.has("token", "critical", "Meta does not answer")
	found.has("database", "ok")
	found.has("service", "ok")


# ---- Meta --------------------------------------------------------------------------------------------

def token_expired(house):
	person = house.stranger()
	house.graph.faults({"kind": "error", "http": 401, "code": 190, "count": -1})
	try:
		person.says("hola")
		until(lambda: house.ask("status")["channels"][0]["paused_ms"], 10 * h.PATIENCE, "a channel that waits")
		found = doctor(house)
		status = run(house, "status", locale="es_CO.UTF-8").stdout
	finally:
		house.graph.faults()
	found.has("token", "critical", "systemd-creds encrypt --name=proalto.whatsapp-access-token")
	found.has("channels", "critical", "190: the access token expired")
	check("CON PROBLEMAS: el canal whatsapp falla" in status, "status does not say it at the top", status)
	check("190: el token de acceso venció o no es válido" in status, "status does not say why", status)


def secret_is_newer(house):
	"""What lies there and is not in use is told, until a reload takes it."""
	path = os.path.join(house.folder, "access")
	check(doctor(house)["secrets"] is None, "it tells of secrets that are in use")
	later = datetime.datetime.now().timestamp() + 5
	os.utime(path, (later, later))
	doctor(house).has("secrets", "warning", "systemctl reload proalto")
	said = run(house, "reload").stdout
	check(f"file:{path}: there is a newer one on the disk" in said, "the reload does not tell", said)
	os.utime(path)
	equal(run(house, "reload").returncode, OK, "status of the reload")
	check(doctor(house)["secrets"] is None, "it tells of a secret that was taken")


def token_and_clock(house):
	ends = datetime.datetime.now() + datetime.timedelta(days=5, hours=1)
	house.graph.control("token", {"ends_s": int(ends.timestamp()), "date_offset_s": -3600})
	try:
		found = doctor(house)
	finally:
		house.graph.control("token", {"ends_s": 0, "date_offset_s": 0})
	found.has("token-expiry", "warning", "(5 days)")
	found.has("clock-provider", "critical", "timedatectl")


# ---- the store ---------------------------------------------------------------------------------------

def refuses(house, words):
	"""The daemon, started anew, takes nothing and says why."""
	house.kill()
	house.launch()
	until(lambda: house.takes_commands() and words in house.ask("status").get("store_error", ""), 20 * h.PATIENCE,
	      f"a daemon that says {words!r}")
	equal(house.post(webhook.of(house.stranger(), house.stranger().text("hola"))), 503, "what a webhook is answered")


def schema_ahead(house):
	house.rows("UPDATE schema_serves SET since = 9000")
	try:
		doctor(house).has("schema", "critical", "install the newer version")
		refuses(house, "install the newer version again")
	finally:
		house.rows("UPDATE schema_serves SET since = 1")
	until(house.is_answering, 20 * h.PATIENCE, "the daemon to go on by itself")


def schema_behind(house):
	"""And a newer one that still serves it is none of its business."""
	house.rows("CREATE TABLE kept AS SELECT * FROM schema_migration WHERE number > 1")
	house.rows("DELETE FROM schema_migration WHERE number > 1")
	try:
		doctor(house).has("schema", "critical", "proaltoctl db migrate")
		refuses(house, "proaltoctl db migrate")
	finally:
		house.rows("INSERT INTO schema_migration SELECT * FROM kept")
		house.rows("DROP TABLE kept")
	house.rows("INSERT INTO schema_migration (number, name, sha256) VALUES (9000, '9000_more', sha256(''))")
	try:
		until(house.is_answering, 20 * h.PATIENCE, "the daemon to go on by itself")
		doctor(house).has("schema", "ok", "schema 9000")
	finally:
		house.rows("DELETE FROM schema_migration WHERE number = 9000")


def partitions(house):
	month = house.sql("SELECT to_char(now() + interval '1 month', 'YYYY_MM')")
	for _ in range(2):  # the daemon looks for itself when it starts, and may be before doctor
		house.rows(f"DROP TABLE receipt_{month}")
		house.rows("INSERT INTO inbox (id, at, channel, kind) VALUES (3, '2049-01-01', 1, 5)")
		try:
			found = doctor(house)
			was_missing = house.sql(f"SELECT to_regclass('proalto.receipt_{month}') IS NULL") == "t"
		finally:
			house.rows("DELETE FROM inbox_default")
			house.rows("SELECT make_partitions(now(), now() + interval '12 months')")
		if was_missing:
			break
	found.has("partitions", "critical", "missing: 1")
	found.has("strays", "critical", "partitions: 1")


def plugin_disabled(house):
	house.rows("INSERT INTO plugin_charge SELECT 'channel-sms-http', now() FROM generate_series(1, 3)")
	house.restart()
	try:
		found = doctor(house)
		status = run(house, "status").stdout
	finally:
		house.rows("DELETE FROM plugin_charge")
		house.restart()
	found.has("plugin-charges", "critical", "channel-sms-http")
	found.has("plugins-disabled", "critical", "sms")
	check("channel sms is disabled" in status, "status does not say it", status)


def database_check(house):
	def looked(*args):
		done = run(house, "db", "check", "--directory", MIGRATIONS, "--json", *args)
		return Findings(done.returncode, done.stdout)

	found = looked()
	equal(found.status, 0, "exit status of a good one")
	found.has("migrations", "ok", "0001_store")
	found.has("roles", "ok")
	holder = house.server.psql("proalto", "proalto_report")
	holder.rows("BEGIN")
	holder.rows("SELECT count(*) FROM proalto.report_day")
	good = house.sql("SELECT sha256 FROM schema_migration WHERE number = 1")
	house.rows("UPDATE schema_migration SET sha256 = sha256('') WHERE number = 1")
	try:
		held = looked()
	finally:
		holder.rows("ROLLBACK")
		house.rows(f"UPDATE schema_migration SET sha256 = '{good}' WHERE number = 1")
	equal(held.status, 1, "exit status of a bad one")
	held.has("locks", "critical", "pg_terminate_backend")
	held.has("migrations", "critical", "0001_store")
	other = looked("--dsn", f"host={house.server.host} dbname=proalto user=proalto")
	other.has("roles", "critical", "proalto_owner")


def root_needs_no_password(house):
	"""Debian's PostgreSQL takes a role from the unix user of its name only: root becomes postgres."""
	path = os.path.join(house.server.directory, "data/pg_hba.conf")
	session = house.server.psql("postgres")
	with open(path) as file:
		good = file.read()
	try:
		with open(path, "w") as file:
			file.write("local all all peer\n")
		session.rows("SELECT pg_reload_conf()")
		done = run(house, "db", "status", "--directory", MIGRATIONS)
	finally:
		with open(path, "w") as file:
			file.write(good)
		session.rows("SELECT pg_reload_conf()")
	equal(done.returncode, 1 if os.geteuid() else 0, f"exit status: {done.stderr}")


# ---- files -------------------------------------------------------------------------------------------

def wrong_mode(house):
	os.chmod(house.config_path, 0o666)
	try:
		found = doctor(house)
	finally:
		os.chmod(house.config_path, 0o644)
	found.has("config-mode", "critical", "chmod go-w")


def missing_credential(house):
	"""The configuration is refused, and what does not need its secrets is looked at all the same."""
	with open(house.config_path) as file:
		good = file.read()
	with open(house.config_path, "w") as file:
		file.write(good.replace(f"file:{house.folder}/sms", "credential:proalto.que-no-existe"))
	try:
		found = doctor(house)
	finally:
		house.write_config()
	found.has("credentials", "critical", "systemd-creds encrypt --name=proalto.que-no-existe")
	found.has("config", "critical", "proalto.que-no-existe")
	found.has("token", "unknown")
	found.has("service", "ok")
	found.has("sms", "ok")


def certificate(folder, days):
	path = os.path.join(folder, "cert.pem")
	subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
			str(days), "-subj", "/CN=localhost", "-keyout", path + ".key", "-out", path], check=True,
		       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	return path


def old_certificates(house):
	"""Of a file that is configured, and of the address at which providers reach us."""
	path = certificate(house.folder, 3)
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(path, path + ".key")
	server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
	server.socket = context.wrap_socket(server.socket, server_side=True)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	house.settings["bottom"] = f'outbound = {{ ca_file = "{path}"; }};'
	house.write_config()
	try:
		found = doctor(house, "--public-url", f"https://localhost:{server.server_port}/webhook/whatsapp")
	finally:
		server.shutdown()
		del house.settings["bottom"]
		house.write_config()
	found.has("certificates", "critical", "renew")
	found.has("public", "critical", "(2 days)")


def inspector_is_missing(house):
	before = house.settings.get("files", {})
	house.settings["files"] = {"inspector": '"/nonexistent/proalto-inspect"'}
	house.write_config()
	try:
		doctor(house).has("inspector", "critical", "reinstall")
	finally:
		house.settings["files"] = before
		house.write_config()


def many_authorities(house):
	"""A file as large as a system's."""
	path = certificate(house.folder, 300)
	with open(path) as file:
		good = file.read()
	with open(path, "w") as file:
		file.write(("# " + 70 * "x" + "\n") * 3000 + good)
	house.settings["bottom"] = f'outbound = {{ ca_file = "{path}"; }};'
	house.write_config()
	try:
		found = doctor(house)
	finally:
		del house.settings["bottom"]
		house.write_config()
	found.has("certificates", "ok", "cert.pem")


def without_rights(house):
	"""What is not seen is unknown, not wrong."""
	if os.geteuid() != 0:
		raise Skip("another user can be tried by root only")
	found = doctor(house, user="nobody")
	equal([name for name, state in found.states.items() if state == "critical"], [], "what is called critical")
	for name in ("config", "service", "database", "token"):
		found.has(name, "unknown")
	found.has("plugins", "ok")


TESTS = [
	("a house in order", in_order),
	("it is told to people, and to Nagios", for_people),
	("the daemon is down", daemon_is_down),
	("the token has expired", token_expired),
	("a secret on the disk is newer", secret_is_newer),
	("some months lack an index", index_is_missing),
	("it will soon, and the clock is wrong", token_and_clock),
	("a schema that no longer serves this daemon", schema_ahead),
	("partitions", partitions),
	("db check", database_check),
	("the tables by root's hand", root_needs_no_password),
	("a configuration that anybody may write", wrong_mode),
	("a credential that is missing", missing_credential),
	("certificates that end", old_certificates),
	("no program for customers' files", inspector_is_missing),
	("authorities in a large file", many_authorities),
	("somebody without rights", without_rights),
]
# These take longer: make drills.
DRILLS = [
	("the database is down", database_is_down),
	("a provider that hangs", provider_hangs),
	("a schema that is too old, and one newer that serves", schema_behind),
	("a disabled plugin", plugin_disabled),
]


def main():
	names = sys.argv[1:]
	tests = DRILLS if names == ["drills"] else tap.chosen(TESTS + DRILLS) if names else TESTS
	with h.House(durable=True, customers=20, settings={"identity": {"lookup": '"last4"'}}) as house:
		return h.run(tests, house)


if __name__ == "__main__":
	sys.exit(main())
