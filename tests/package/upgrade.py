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
from tap import check, equal

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
	write(CONF, inside.configuration(machine))
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


def upgraded(machine):
	before = show("MainPID")
	under_a_stream(machine, upgrade())
	equal(version(), machine.new, "the version")
	check(show("MainPID") != before, "another process")
	run("proaltoctl", "db", "status", "--dsn", OWNER_DSN, user="postgres")
	equal(sorted({of_file(package) for package in packages(CACHE)}), [machine.old], "what is kept to go back to")
	machine.is_greeted(machine.person())


def has_backup(machine):
	(dump,) = glob.glob(BACKUPS + "/*")
	equal((os.stat(dump).st_mode & 0o777, os.stat(BACKUPS).st_mode & 0o777), (0o600, 0o700), "who may read it")
	check("TABLE DATA proalto inbox" in run("pg_restore", "-l", dump), "it holds the messages")


TESTS = [
	("the previous version runs", previous_runs),
	("an upgrade that can't go on from the tables changes nothing", refused),
	("an upgrade from the previous version fails no webhook", upgraded),
	("it took a backup first", has_backup),
]

if __name__ == "__main__":
	inside.main(TESTS)
