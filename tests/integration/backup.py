#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A house is lost and comes back on another PostgreSQL, from its backup and the code on paper.

Customers are in the middle of things when the backup is made; they go on where they were. Who was erased
after the backup stays erased. What is damaged, or opened with another code, touches nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import postgres
import tap
from tap import check, equal, until


class Vault:
	"""What the house leaves outside itself."""

	def __init__(self, house):
		self.house = house
		self.folder = house.folder + ".vault"
		os.mkdir(self.folder)
		self.codes = []
		self.server = None

	def path(self, name):
		return os.path.join(self.folder, name)

	def note_code(self, words):
		code = re.search(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b", words).group(0)
		path = self.path(f"code{len(self.codes)}")
		with open(path, "w") as file:
			file.write(code.lower().replace("-", " ") + "\n")  # as a person types it
		self.codes.append(path)
		return path

	def ctl(self, *args, path=None):
		"""Exit status and words. path: a folder with programs that come first."""
		environment = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}") if path else None
		done = subprocess.run([os.path.join(h.B, "proaltoctl"), "--config", self.house.config_path, *args],
				      env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
				      stdin=subprocess.DEVNULL)
		return done.returncode, done.stdout

	def refuses(self, words, *args, path=None):
		status, said = self.ctl(*args, path=path)
		equal(status, 1, f"the exit status of {args}: {said}")
		check(words in said, f"no {words!r} in: {said}")
		return said

	def secret(self, name):
		return os.path.join(self.house.folder, "proalto", name)

	def close(self):
		shutil.rmtree(self.folder, ignore_errors=True)
		if self.server:
			self.server.stop()


def consents(person):
	"""Says what he wants, and consents; then he is asked for his document."""
	person.says("saldo")
	person.taps(person.hears_all()[-1], "Sí, autorizo")
	person.hears_all()


def asks_for_code(person):
	person.says(person.document)
	person.hears_all()
	return person.house.sms_code(person.mobile)


def hears_balance(person, code):
	person.says(code)
	text = " ".join(bubble.text for bubble in person.hears_all())
	check("Le falta por pagar" in text, f"no balance: {text}")


def goes_on(person):
	person.says("menú")
	check(person.hears_all(), "an answer")


def fill(house, vault):
	"""Ana has consented and is asked for her document; Beto wants to be forgotten."""
	vault.ana = house.customer()
	consents(vault.ana)
	vault.beto = house.stranger()
	vault.beto.says("hola")
	vault.beto_outbox = int(vault.beto.hears_all()[-1].entry["callback"].split(".")[0], 16)


def secrets_lie_below_proalto(house):
	"""As in /etc: a restore writes files nowhere else."""
	write = house.write_config

	def write_config():
		write()
		with open(house.config_path) as file:
			text = file.read()
		with open(house.config_path, "w") as file:
			file.write(text.replace(f'"file:{house.folder}/', f'"file:{house.folder}/proalto/'))

	os.makedirs(os.path.join(house.folder, "proalto"), exist_ok=True)
	for name in ("master.key", "app", "app-old", "verify", "access", "sms", "receipts"):
		os.rename(os.path.join(house.folder, name), os.path.join(house.folder, "proalto", name))
	house.write_config = write_config
	house.write_config()


def no_backup_without_a_recovery_file(vault):
	vault.refuses("keys recovery", "backup", "--output", vault.path("one"))
	equal(os.path.exists(vault.path("one")), False, "a file was left")


def a_backup_under_load(vault):
	house = vault.house
	recovery = f'backup = {{ directory = "{vault.folder}"; keep = 2; recovery = "{house.folder}/proalto/recovery.json"; }};'
	house.settings["top"] = recovery
	house.write_config()
	vault.note_code(house.ctl("keys", "recovery"))
	fill(house, vault)
	problems = []

	def crowd():
		try:
			for _ in range(15):
				person = house.stranger()
				person.says("hola")
				person.hears()
		except Exception as error:  # told by the main thread
			problems.append(error)

	threads = [threading.Thread(target=crowd) for _ in range(3)]
	for thread in threads:
		thread.start()
	house.ctl("backup", "--output", vault.path("one"))
	for thread in threads:
		thread.join()
	equal(problems, [], "problems of those who wrote meanwhile")
	with open(vault.path("one"), "rb") as file:
		bytes_of = file.read()
	for secret in (h.ACCESS_TOKEN, h.SECRET, vault.beto.phone, "contact", "PGDMP"):
		check(secret.encode() not in bytes_of[1000:], f"{secret!r} can be read in the backup")
	equal(os.stat(vault.path("one")).st_mode & 0o777, 0o600, "the backup's mode")


def a_recovery_file_comes_after_its_code(vault):
	"""One whose code nobody saw takes no other's place, and the one before stays."""
	house = vault.house
	other = vault.path("other.json")
	said = house.ctl("keys", "recovery", "--output", other)
	check("no backup" in said or "ninguna copia de seguridad" in said, said)
	with open(other) as file:
		first = file.read()
	with open("/dev/full", "w") as full:
		done = subprocess.run([os.path.join(h.B, "proaltoctl"), "--config", house.config_path, "keys", "recovery",
				       "--output", other], stdout=full, stderr=subprocess.DEVNULL, timeout=60)
	equal(done.returncode, 1, "the exit status when nobody can read the code")
	with open(other) as file:
		equal(file.read(), first, "the file whose code is known")
	house.ctl("keys", "recovery", "--output", other)
	kept = [name for name in os.listdir(vault.folder) if name.startswith("other.json.")]
	equal(len(kept), 1, "files of before")
	with open(vault.path(kept[0])) as file:
		equal(file.read(), first, "the file of before")


def what_cannot_be_read_is_left_out(vault):
	odd = vault.secret("odd")
	with open(odd, "w") as file:
		file.truncate(5 << 20)  # longer than a file may be
	said = vault.refuses("left out", "backup", "--output", vault.path("three"))
	check(odd in said, said)
	os.remove(odd)
	check(os.path.getsize(vault.path("three")) > 10000, "a whole backup")


def only_some_are_kept(vault):
	for name, age in (("proalto-20200101T000000.backup.part", 90000), ("proalto-20200101T000001.backup.part", 60)):
		with open(vault.path(name), "w"):
			os.utime(vault.path(name), (time.time() - age, time.time() - age))
	for _ in range(3):
		vault.house.ctl("backup")
		time.sleep(1.1)  # their names tell seconds
	names = [name for name in os.listdir(vault.folder) if name.startswith("proalto-") and name.endswith(".backup")]
	equal(len(names), 2, f"backups in {names}")
	equal([name for name in os.listdir(vault.folder) if name.endswith(".part")],
	      ["proalto-20200101T000001.backup.part"], "unfinished files")


def beto_is_erased(vault):
	"""After the backup, while another run is about to write its list: only the list beside it knows."""
	house = vault.house
	vault.erased = house.sql(f"SELECT conversation_id / 256 FROM outbox WHERE id = {vault.beto_outbox}")
	house.rows("SELECT pg_advisory_lock(4822678189205111)")
	run = threading.Thread(target=house.ctl, args=("backup", "--erasures-only", "--output", vault.path("any")))
	run.start()
	until(lambda: house.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1", 20,
	      "a run that waits for the other")
	equal(house.sql(f"SELECT erase_contact({vault.erased}, now(), 'prueba')"), "1", "contacts erased")
	equal(house.sql(f"SELECT erase_contact({vault.erased}, now(), 'prueba')"), "0", "contacts erased twice")
	house.rows("SELECT pg_advisory_unlock(4822678189205111)")
	run.join()


def what_is_damaged_touches_nothing(vault):
	house = vault.house
	code = vault.codes[0]
	dsn = ["--dsn", f"host={house.server.host} port=5432 dbname=proalto user=proalto_owner"]
	with open(vault.path("one"), "rb") as file:
		whole = file.read()
	for name, data in (("cut", whole[:-40]), ("flipped", whole[:-3000] + b"?" + whole[-2999:])):
		with open(vault.path(name), "wb") as file:
			file.write(data)
	before = house.sql("SELECT count(*) FROM inbox")
	vault.refuses("cut off", "restore", vault.path("cut"), "--code-file", code, *dsn)
	vault.refuses("damaged", "restore", vault.path("flipped"), "--code-file", code, *dsn)
	with open(vault.path("wrong"), "w") as file:
		file.write("00000-00000-00000-00000-00000")
	vault.refuses("another code", "restore", vault.path("one"), "--code-file", vault.path("wrong"), *dsn)
	vault.refuses("stop it first", "restore", vault.path("one"), "--code-file", code, *dsn)
	house.stop()
	vault.refuses("--replace", "restore", vault.path("one"), "--code-file", code, *dsn)
	vault.refuses("--replace", "restore", vault.path("one"), "--code-file", code, "--replace", "--confirm", "otra",
		      *dsn)
	os.rename(vault.path("erasures.proalto"), vault.path("list"))
	vault.refuses("--no-erasures", "restore", vault.path("one"), "--code-file", code, *dsn)
	with open(vault.path("list"), "rb") as file:
		whole = file.read()
	with open(vault.path("erasures.proalto"), "wb") as file:
		file.write(whole[:-20])
	said = vault.refuses("cut off", "restore", vault.path("one"), "--code-file", code, *dsn)
	check("--no-erasures" not in said, f"bad advice: {said}")
	os.rename(vault.path("list"), vault.path("erasures.proalto"))
	equal(house.sql("SELECT count(*) FROM inbox"), before, "what is in the store")


def what_fails_leaves_the_store(vault):
	"""A pg_restore that can't read the dump, and one that fails when the store is aside already."""
	house = vault.house
	tools = vault.path("tools")
	os.mkdir(tools)
	before = house.sql("SELECT count(*) FROM inbox")
	args = ["restore", vault.path("one"), "--code-file", vault.codes[0], "--replace", "--confirm", "proalto",
		"--dsn", f"host={house.server.host} port=5432 dbname=proalto user=proalto_owner"]
	for script, words in (("exit 3", "exit status 3"),
			      ('case "$*" in *--list*) exec /usr/bin/pg_restore "$@";; *) exit 4;; esac', "as it was")):
		with open(os.open(os.path.join(tools, "pg_restore"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755),
			  "w") as file:
			file.write(f"#!/bin/sh\n{script}\n")
		vault.refuses(words, *args, path=tools)
		equal(house.sql("SELECT count(*) FROM inbox"), before, "what is in the store")
	equal(house.sql("SELECT to_regnamespace('proalto_before') IS NULL"), "t", "nothing is left aside")


def another_machine(vault):
	"""Nothing of the house is left but its core and the providers; the new PostgreSQL is empty."""
	house = vault.house
	gone = {}
	for folder, _, names in os.walk(house.folder):
		for name in names:
			if name in ("proalto.conf", "master.key", "app", "access", "sms", "recovery.json"):
				gone[name] = os.path.join(folder, name)
				os.remove(gone[name])
	shutil.rmtree(os.path.join(house.folder, "proalto"))
	old = house.server
	rights = house.sql("SELECT nspacl FROM pg_namespace WHERE nspname = 'proalto'")
	vault.server = postgres.Server()
	vault.server.run_file("postgres", os.path.join(h.TOP, "sql/roles.sql"))
	vault.server.make_database("proalto", "proalto_owner")
	args = ["restore", vault.path("one"), "--code-file", vault.codes[0], "--dsn",
		f"host={vault.server.host} port=5432 dbname=proalto user=proalto_owner"]
	status, said = vault.ctl(*args)
	equal(status, 0, said)
	equal([name for name, path in gone.items() if os.path.exists(path)], [], "what a drill installed")
	args += ["--install", "--replace", "--confirm", "proalto"]
	os.makedirs(gone["master.key"] + ".new")  # where it is to be written first
	said = vault.refuses("master.key", *args)
	check("is restored" in said or "ya está restaurada" in said, said)
	os.rmdir(gone["master.key"] + ".new")
	status, said = vault.ctl(*args)
	equal(status, 0, said)
	equal(vault.server.psql("proalto").one("SELECT nspacl FROM pg_namespace WHERE nspname = 'proalto'"), rights,
	      "who may use the schema")
	check("Erased again: 1." in said or "Suprimidos otra vez: 1." in said, said)
	equal([name for name, path in gone.items() if not os.path.exists(path)], [], "what did not come back")
	equal(os.stat(gone["master.key"]).st_mode & 0o777, 0o600, "the key's mode")
	old.halt()
	with open(house.config_path) as file:
		text = file.read()
	check(old.host in text, "the configuration came back")
	text = text.replace(f"host={old.host} port=5432 dbname=proalto", f"host={vault.server.host} port=5432 dbname=proalto")
	old.resume()  # the core is there
	with open(house.config_path, "w") as file:
		file.write(text)
	vault.old, house.server = old, vault.server
	house.start()


def they_go_on(vault):
	hears_balance(vault.ana, asks_for_code(vault.ana))


def the_erased_one_is_new(vault):
	house = vault.house
	equal(house.rows(f"SELECT sealed_key IS NULL, who IS NULL FROM contact WHERE id = {vault.erased}"), [["t", "t"]],
	      "the erased one's key and name")
	equal(house.sql(f"SELECT count(*) FROM erasure WHERE contact_id = {vault.erased}"), "1", "the list")
	vault.beto.says("hola")
	check(vault.beto.hears_all(), "an answer")
	equal(house.sql(f"SELECT count(*) FROM address WHERE contact_id = {vault.erased}"), "0", "his old addresses")


def with_a_damaged_file(vault, recovery, whole, *change):
	"""No key comes or goes while the recovery file can't be renewed; it is whole afterwards."""
	key = vault.secret("master.key")
	with open(key) as file:
		before = file.read()
	with open(recovery, "w") as file:
		file.write(whole[:40])
	vault.refuses("recovery", "keys", *change, "--no-restart")
	with open(recovery, "w") as file:
		file.write(whole)
	with open(key) as file:
		equal(file.read(), before, "the keys")


def the_key_is_changed_while_a_code_is_out(vault):
	"""A code sent before the change is taken after it; and a second node gets what it needs."""
	house = vault.house
	eva = house.customer()
	consents(eva)
	code = asks_for_code(eva)
	recovery = os.path.join(house.folder, "proalto/recovery.json")
	with open(recovery) as file:
		whole = file.read()
	with_a_damaged_file(vault, recovery, whole, "rotate")
	said = house.ctl("keys", "rotate", "--no-restart")
	check("node add" in said, said)
	vault.refuses("", "keys", "rotate", "--no-restart")
	vault.refuses("", "keys", "rotate", "--finish", "--no-restart")
	house.restart()
	until(lambda: "rotate --finish" in house.ctl("keys", "status"), 30 * h.PATIENCE, "an end to the change")
	hears_balance(eva, code)
	# As if rotate had ended before it renewed the file, which is still the old key's.
	with_a_damaged_file(vault, recovery, whole, "rotate", "--finish")
	house.ctl("keys", "rotate", "--finish", "--no-restart")
	with open(recovery) as file:
		check(file.read() != whole, "the recovery file is the old key's")
	with open(vault.secret("master.key")) as file:
		equal(len(file.read().split()), 1, "keys left")
	house.restart()
	goes_on(vault.ana)
	# The recovery file was renewed for the same code: a backup of now opens with it.
	house.ctl("backup", "--output", vault.path("two"))
	house.stop()
	status, said = vault.ctl("restore", vault.path("two"), "--code-file", vault.codes[0], "--replace", "--confirm",
				 "proalto", "--install", "--dsn",
				 f"host={house.server.host} port=5432 dbname=proalto user=proalto_owner")
	equal(status, 0, said)
	check(re.search(r"versi[oó]n \d+\.\d+", said), said)
	house.start()
	goes_on(vault.ana)


def another_node_gets_the_keys(vault):
	house = vault.house
	code = vault.note_code(house.ctl("node", "add", "--output", vault.path("bundle")))
	key = vault.secret("master.key")
	with open(key) as file:
		wanted = file.read().split()
	os.remove(key)
	vault.refuses("another code", "node", "import", vault.path("bundle"), "--code-file", vault.path("wrong"))
	vault.refuses("another kind", "node", "import", vault.path("one"), "--code-file", code)
	equal(os.path.exists(key), False, "a key was written")
	house.ctl("node", "import", vault.path("bundle"), "--code-file", code)
	with open(key) as file:
		equal(file.read().split(), wanted, "the key")
	equal(os.path.exists(key + ".before"), False, "a key was aside though there was none")
	with open(key, "w") as file:
		file.write("ab" * 32)
	with open(vault.secret("recovery.json"), "w") as file:
		file.write("{}")
	said = house.ctl("node", "import", vault.path("bundle"), "--code-file", code)
	check("the one that fits is " + vault.secret("recovery.json.restored") in said, said)
	with open(key) as file:
		equal(file.read().split(), wanted, "the key")
	with open(key + ".before") as file:
		equal(file.read(), "ab" * 32, "the key that was there")


def a_secret_outside_is_not_written(vault):
	"""Whatever an archive says: only below the configuration's own folder."""
	house = vault.house
	outside = os.path.join(vault.folder, "outside")
	os.rename(vault.secret("app-old"), outside)
	write = house.write_config
	write()
	with open(house.config_path) as file:
		text = file.read()
	with open(house.config_path, "w") as file:
		file.write(text.replace(vault.secret("app-old"), outside))
	code = vault.note_code(house.ctl("node", "add", "--output", vault.path("bundle2")))
	os.remove(outside)
	said = house.ctl("node", "import", vault.path("bundle2"), "--code-file", code)
	check(f"{outside}: " in said, said)
	equal(os.path.exists(outside), False, "it was written")


LURE = """
CREATE FUNCTION proalto.lure() RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE TABLE proalto.lure (n integer CHECK (proalto.lure()));
INSERT INTO proalto.lure VALUES (1);
GRANT SELECT ON proalto.lure TO proalto;
CREATE OR REPLACE FUNCTION proalto.lure() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
	BEGIN SET ROLE NONE; CREATE ROLE intruso SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN SET ROLE proalto_owner; EXCEPTION WHEN OTHERS THEN NULL; END;
	RETURN true; END $$;
CREATE FUNCTION proalto.lured() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM proalto.lure(); RETURN NEW; END $$;
CREATE TRIGGER lured BEFORE INSERT ON proalto.erasure FOR EACH ROW EXECUTE FUNCTION proalto.lured();
"""


def has_role(server, name):
	"""And that it takes no password for long."""
	return server.psql("postgres").rows("SELECT rolvaliduntil < now() + interval '61 s' FROM pg_roles"
					    f" WHERE rolname = '{name}'")


def a_forged_one_gains_nothing(vault):
	"""Its SQL runs while the rows come and while the erasures are applied; a superuser restores it."""
	house = vault.house
	address = f"127.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250 + 1}.7"
	server = postgres.Server(options=f"-c listen_addresses={address}")
	try:
		session = house.server.psql("proalto")
		session.rows(LURE)
		try:
			house.ctl("backup", "--output", vault.path("forged"))
			house.ctl("backup", "--erasures-only", "--output", vault.path("any"))
		finally:
			session.rows("DROP TABLE proalto.lure; DROP FUNCTION proalto.lure(), proalto.lured() CASCADE")
		rules = os.path.join(server.directory, "data/pg_hba.conf")
		with open(rules) as file:
			text = file.read()
		with open(rules, "w") as file:
			file.write(f"host all proalto_restore {address}/32 scram-sha-256\n" + text)
		server.psql("postgres").rows("SELECT pg_reload_conf()")
		server.run_file("postgres", os.path.join(h.TOP, "sql/roles.sql"))
		server.make_database("proalto", "proalto_owner")
		args = ["restore", vault.path("forged"), "--code-file", vault.codes[0], "--dsn",
			f"host={server.host} port=5432 dbname=proalto user=test"]
		no_other_way_in(vault)
		killed_in_between(vault, args)
		equal(has_role(server, "proalto_restore"), [["t"]], "what is left of one that was killed takes no password soon")
		status, said = vault.ctl(*args, "--replace", "--confirm", "proalto")
		equal(status, 0, said)
		equal(has_role(server, "proalto_restore"), [], "the login that is left")
		equal(has_role(server, "intruso"), [], "the role that its SQL wanted")
		equal(server.psql("proalto").rows("SELECT tableowner FROM pg_tables WHERE tablename = 'lure'"), [["proalto_owner"]],
		      "the owner")
		server.psql("proalto").rows("SELECT proalto.lure()")
		check(has_role(server, "intruso"), "the SQL is harmless: the test can't fail")
	finally:
		server.stop()


def no_other_way_in(vault):
	"""The house's own server listens on its socket only: nothing is touched."""
	house = vault.house
	before = house.sql("SELECT count(*) FROM inbox")
	vault.refuses("listen_addresses", "restore", vault.path("forged"), "--code-file", vault.codes[0], "--replace",
		      "--confirm", "proalto", "--dsn", f"host={house.server.host} port=5432 dbname=proalto user=test")
	equal(house.sql("SELECT count(*) FROM inbox"), before, "what is in the store")
	equal(has_role(house.server, "proalto_restore"), [], "the login that is left")


def killed_in_between(vault, args):
	tools = vault.path("hanging")
	os.mkdir(tools)
	with open(os.open(os.path.join(tools, "pg_restore"), os.O_WRONLY | os.O_CREAT, 0o755), "w") as file:
		file.write(f'#!/bin/sh\ncase "$*" in *--list*) exec /usr/bin/pg_restore "$@";; esac\n'
			   f'touch {tools}/began; exec sleep 20\n')
	process = subprocess.Popen([os.path.join(h.B, "proaltoctl"), "--config", vault.house.config_path, *args],
				   env=dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"), stdout=subprocess.DEVNULL,
				   stderr=subprocess.DEVNULL)
	until(lambda: os.path.exists(f"{tools}/began"), 30 * h.PATIENCE, "pg_restore")
	process.kill()
	process.wait()


TESTS = [
	("no backup without a recovery file", no_backup_without_a_recovery_file),
	("a backup under load, in which nothing can be read", a_backup_under_load),
	("a recovery file comes after its code", a_recovery_file_comes_after_its_code),
	("what can't be read is told and left out", what_cannot_be_read_is_left_out),
	("only some backups are kept", only_some_are_kept),
	("a person is erased after the backup", beto_is_erased),
	("what is damaged or not wanted touches nothing", what_is_damaged_touches_nothing),
	("what fails half-way leaves the store", what_fails_leaves_the_store),
	("a forged backup gains nothing by a superuser's restore", a_forged_one_gains_nothing),
	("a backup comes back on another PostgreSQL", another_machine),
	("customers go on where they were", they_go_on),
	("who was erased since stays erased", the_erased_one_is_new),
	("the key is changed while a code is out", the_key_is_changed_while_a_code_is_out),
	("another node gets the keys", another_node_gets_the_keys),
	("a secret outside of the configuration's folder is not written", a_secret_outside_is_not_written),
]


SLOW = (only_some_are_kept, the_key_is_changed_while_a_code_is_out, another_node_gets_the_keys,
	a_secret_outside_is_not_written)


def main():
	"""With "quick": what make check has time for."""
	chosen = [(name, test) for name, test in TESTS if sys.argv[1:] != ["quick"] or test not in SLOW]
	with h.House() as house:
		secrets_lie_below_proalto(house)
		vault = Vault(house)
		status = 1 if tap.run(chosen, vault) else 0
		if status:
			tap.say(house.log_tail(60))
		if getattr(vault, "old", None):
			house.server = vault.old
		vault.close()
	return status


if __name__ == "__main__":
	sys.exit(main())
