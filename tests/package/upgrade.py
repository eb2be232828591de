#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the previous version to this one, back, forward again, and away, in a booted system
(tests/package/boot starts this), as inside.py goes: each test goes on where the one before has ended.
"""

import glob
import os
import pwd
import re
import shutil

import house
import inside
import tap
from inside import CONF, SECRETS, STORE, files, run, show, sql, under_a_stream, write
from tap import check, equal, until

BUNDLE = inside.BUNDLE
PREVIOUS = "/srv/previous"
CACHE = "/var/cache/proalto"
BACKUPS = "/var/backups/proalto"
DEFAULTS = "/etc/default/proalto"
OWNER_DSN = "dbname=proalto options=-crole=proalto_owner"
LEFT = re.compile("|".join((inside.LEFT.pattern, DEFAULTS, BACKUPS + "(/.*)?")))


def version():
	"""Of the package, which must be whole."""
	said = run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "proalto")
	check(said.startswith("ii "), "the package is installed and configured", said)
	return said.split()[1]


def packages(folder):
	"""For apt, which takes them out of their order."""
	return glob.glob(folder + "/proalto_*.deb") + glob.glob(folder + "/proalto-simulator_*.deb")


def of_file(package):
	return run("dpkg-deb", "-f", package, "Version").strip()


def upgrade():
	return ["apt-get", "-q", "-y", "install", *packages(BUNDLE)]


def configuration(machine):
	"""The previous version's sample, edited, so that both versions take it: a section that is empty there has
	another name by now.
	"""
	with open("/usr/share/proalto/proalto.conf") as file:
		text = file.read()
	for old, new in (
		("100000000000001", inside.webhook.PHONE_ID),
		('#graph_url = "https://graph.facebook.com";', f'graph_url = "http://127.0.0.1:{machine.graph.port}";'),
		('"https://sms.example/v1/mensajes"', f'"http://127.0.0.1:{machine.smsgw.port}/sms"'),
		('"host=core.banco.example dbname=cartera user=proalto_lector sslmode=verify-full"',
		 '"host=127.0.0.1 dbname=core_demo user=proalto_core_reader"'),
	):
		check(old in text, f"the sample has {old}")
		text = text.replace(old, new)
	text = re.sub(r"\n\t\tsql = \{.*?\n\t\t\};", '\n\t\t@include "proalto/backend-postgres.demo.conf"',
		      text, flags=re.S)
	return re.sub(r"\nhttp_client = \{.*?\n\};", "", text, flags=re.S)


# ---- the tests -------------------------------------------------------------------------------------

def previous_runs(machine):
	"""Set up by hand, as its manual says."""
	if not os.path.isdir(PREVIOUS):
		machine.skipped = "the previous version's commit is not in this repository"
		raise tap.Skip(machine.skipped)
	write("/etc/apt/sources.list", f"deb [trusted=yes] file:{BUNDLE} ./\n")
	run("apt-get", "-q", "update")
	run("apt-get", "-q", "-y", "install", "postgresql")
	machine.files = files()
	run("apt-get", "-q", "-y", "install", *packages(PREVIOUS))
	machine.old, machine.new = version(), of_file(packages(BUNDLE)[0])
	check(machine.old != machine.new, f"both are {machine.new}")
	machine.start_peers()
	run("pg_dropcluster", "--stop", "15", "main")
	run("pg_createcluster", "--locale", "C.UTF-8", "--start", "15", "main")
	run("psql", "-q", "-f", "/usr/share/proalto/sql/roles.sql", user="postgres")
	run("createdb", "-O", "proalto_owner", "proalto", user="postgres")
	run("proaltoctl", "db", "migrate", "--dsn", OWNER_DSN, user="postgres")
	os.makedirs(STORE, mode=0o700, exist_ok=True)
	for name, value in SECRETS.items():
		inside.write_credential("proalto." + name, value)
	os.makedirs("/etc/proalto", exist_ok=True)
	shutil.copy("/usr/share/proalto/demo/backend-postgres.demo.conf", "/etc/proalto")
	write(CONF, configuration(machine))
	run("systemctl", "start", "proalto")
	machine.is_greeted(machine.person())


def refused(machine):
	"""What can't go on from these tables changes nothing, and the daemon serves."""
	write(DEFAULTS, "DATABASE_USER=nobody\n")
	said = run(*upgrade(), fails=True)
	check(DEFAULTS in said, "who can't see the database is told where to say how", said)
	os.remove(DEFAULTS)
	digest = sql("SELECT encode(sha256, 'hex') FROM proalto.schema_migration WHERE number = 1")
	sql("UPDATE proalto.schema_migration SET sha256 = sha256(sha256) WHERE number = 1")
	said = run(*upgrade(), fails=True)
	check("0001_store" in said and "changed" in said, "the migration that is another is named", said)
	sql(f"UPDATE proalto.schema_migration SET sha256 = decode('{digest}', 'hex') WHERE number = 1")
	equal((version(), show("ActiveState")), (machine.old, "active"), "version and state")
	check(not os.path.exists(BACKUPS), "no backup was begun")
	machine.is_greeted(machine.person())


def misconfigured(machine):
	"""What the new daemon would not take is found before the old one stops."""
	before = show("MainPID")
	with open(CONF) as file:
		good = file.read()
	write(CONF, good.replace('name = "ProAlto";', 'nombre = "ProAlto";'))
	said = run(*upgrade(), fails=True)
	check(f"{CONF}:" in said and "nombre" in said and "dpkg --configure -a" in said, "what is to be done", said)
	equal(show("MainPID"), before, "the process")
	machine.is_greeted(machine.person())
	write(CONF, good)


def upgraded(machine):
	before = show("MainPID")
	under_a_stream(machine, ["dpkg", "--configure", "-a"])
	equal(version(), machine.new, "the version")
	check(show("MainPID") != before, "another process")
	run("proaltoctl", "db", "status", "--dsn", OWNER_DSN, user="postgres")
	equal(sorted({of_file(package) for package in packages(CACHE)}), [machine.old], "what is kept to go back to")
	machine.is_greeted(machine.person())


def has_backup(machine):
	(dump,) = glob.glob(BACKUPS + "/*")
	equal((os.stat(dump).st_mode & 0o777, os.stat(BACKUPS).st_mode & 0o777), (0o600, 0o700), "who may read it")
	check("TABLE DATA proalto inbox" in run("pg_restore", "-l", dump), "it holds the messages")


def counts(database="proalto"):
	"""What comes in and goes out by our doing alone; receipts, and their evidence, are sent again."""
	return {table: int(sql(f"SELECT count(*) FROM proalto.{table} {where}", database)) for table, where in (
		("inbox", "WHERE kind BETWEEN 1 AND 99"), ("outbox", ""), ("consent", ""), ("service_case", ""))}


def sent(machine):
	"""How many messages the provider got, when nothing waits any more."""
	try:
		until(lambda: sql("SELECT count(*) FROM proalto.outbox WHERE is_open") == "0" and
		      sql("SELECT count(*) FROM proalto.work") == "0", 150, "nothing waits")
	except AssertionError as error:
		raise AssertionError("\n".join((str(error), sql("SELECT * FROM proalto.work LIMIT 5"), sql(
			"SELECT id, at, conversation_id, state, tries, statuses, not_after, started_at, finished_at "
			"FROM proalto.outbox WHERE is_open LIMIT 5")))) from None
	return len(machine.graph.control("messages?since=0"))


def rolled_back(machine):
	"""To the old daemon, on the new tables."""
	run("proaltoctl", "rollback", fails=True)  # nobody to ask
	equal(version(), machine.new, "the version")
	under_a_stream(machine, ["proaltoctl", "rollback", "--yes", "0"])
	equal(version(), machine.old, "the version")
	no_timer_has_failed()
	machine.is_greeted(machine.person())


def no_timer_has_failed():
	"""Not even for a moment: one whose files went while it was active would be called failed."""
	equal(run("systemctl", "list-units", "--failed", "--no-legend", "--plain", "*.timer").strip(), "", "failed timers")
	said = run("journalctl", "--no-pager", "-u", "proalto*.timer")
	check("vanished" not in said and "resources" not in said, "the journal of the timers", said)


def forward_again(machine):
	under_a_stream(machine, upgrade())
	equal(version(), machine.new, "the version")
	equal(show("ActiveState", "proalto-maintenance.timer"), "active", "the timer")
	machine.is_greeted(machine.person())


def announced(said):
	"""The last announcement: counts by table, and of messages."""
	last = said[said.rindex("is later than the backup"):]
	return ({table: int(count) for table, count in re.findall(r"^  (\w+) +(\d+)  ", last, re.M)},
		int(re.search(r"(\d+) messages in all", last).group(1)))


def to_backup(machine):
	"""What came later is announced, to the row, and nothing else is lost; nothing is sent twice, and who was
	erased stays so. The backup is of the old tables.
	"""
	backup = sorted(glob.glob(BACKUPS + "/*"))[0]
	erased = sql("SELECT min(id) FROM proalto.contact")
	sql(f"SELECT proalto.erase_contact({erased}, now(), 'prueba')")
	before = sent(machine)
	said = run("proaltoctl", "rollback", "--to-backup", backup, "--yes", "0", fails=True)
	check("Nothing was changed" in said, "more would be lost than allowed", said)
	equal((version(), show("ActiveState")), (machine.new, "active"), "version and state")

	_, messages = announced(said)
	said = run("proaltoctl", "rollback", "--to-backup", backup, "--yes", str(messages))
	lost, messages = announced(said)
	equal((version(), show("ActiveState")), (machine.old, "active"), "version and state")
	kept = counts(re.search(r"called (proalto_before_\w+) now", said).group(1))
	now = counts()
	equal({table: kept[table] - now[table] for table in kept}, {table: lost.get(table, 0) for table in kept},
	      "what was lost is what was announced")
	equal(messages, lost["inbox"] + lost["outbox"], "the messages")
	equal(sent(machine), before, "what the provider got")
	equal(sql(f"SELECT sealed_key IS NULL FROM proalto.contact WHERE id = {erased}"), "t", "the erased person")
	machine.is_greeted(machine.person())


def next_version(machine):
	"""This version's own tools prepare the next upgrade."""
	tree, following = "/srv/next", machine.new + "+next"
	run("dpkg-deb", "-R", glob.glob(BUNDLE + "/proalto_*.deb")[0], tree)
	with open(tree + "/DEBIAN/control") as file:
		control = file.read()
	write(tree + "/DEBIAN/control", control.replace(f"Version: {machine.new}\n", f"Version: {following}\n"))
	run("dpkg-deb", "-b", tree, "/srv/next.deb")
	under_a_stream(machine, ["apt-get", "-q", "-y", "install", "/srv/next.deb"])
	equal(version(), following, "the version")
	equal({of_file(package) for package in packages(CACHE)}, {machine.new}, "what is kept to go back to")


def purged(machine):
	run("apt-get", "-q", "-y", "purge", "proalto", "proalto-simulator")
	run("apt-get", "-q", "-y", "autoremove")
	left = sorted(path for path in files() - machine.files if not LEFT.fullmatch(path))
	equal(left, [], "files that stayed")
	check(not os.path.exists(CACHE), "the previous packages are gone")
	pwd.getpwnam("proalto")
	check(counts()["inbox"] > 100, "the database is whole")
	check(os.path.exists(f"{STORE}/proalto.master-key"), "its key is there")
	check(glob.glob(BACKUPS + "/*"), "the backups are there")


TESTS = [
	("the previous version runs", previous_runs),
	("an upgrade that can't go on from the tables changes nothing", refused),
	("one to a daemon that refuses the configuration leaves the old one serving", misconfigured),
	("it goes on when that is mended, and fails no webhook", upgraded),
	("it took a backup first", has_backup),
	("rollback goes back on the new tables, and fails no webhook", rolled_back),
	("an upgrade at one go fails no webhook", forward_again),
	("rollback to a backup loses what it has announced, and brings back nobody who was erased", to_backup),
	("forward again from there", forward_again),
	("to the version after this one", next_version),
	("purge leaves the user, the database, its keys and the backups", purged),
]

if __name__ == "__main__":
	inside.main(TESTS)
