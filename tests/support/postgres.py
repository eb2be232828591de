# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL (tests/support/pg-temp) and sessions of psql.

	server = Server(durable=True)
	server.make_database("proalto", owner="proalto_owner")
	rows = server.psql("proalto").rows("SELECT 1, 'a'")   # [["1", "a"]]; NULL is None
	server.crash()                                         # what a power cut leaves behind
	server.stop()
"""

import csv
import io
import os
import re
import subprocess
import threading

import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "tests/support/pg-temp")
NULL = "\u2400"


class SqlError(Exception):
	pass


class Psql:
	"""One psql that stays; statements are run one by one, in autocommit. Thread-safe."""

	def __init__(self, host, database, user):
		self.lock = threading.Lock()
		self.serial = 0
		self.process = subprocess.Popen(
			["psql", "-X", "-q", "--csv", "-t", "-P", f"null={NULL}", "-h", host, "-p", "5432",
			 "-U", user, "-d", database],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

	def rows(self, sql):
		with self.lock:
			self.serial += 1
			mark = f"=== {self.serial} ==="
			try:
				self.process.stdin.write(sql.rstrip().rstrip(";") + f"\n;\n\\echo {mark}\n")
				self.process.stdin.flush()
			except BrokenPipeError:
				raise SqlError("psql is gone")
			lines = []
			for line in self.process.stdout:
				if line.rstrip("\n") == mark:
					break
				lines.append(line)
			else:
				raise SqlError("".join(lines) or "psql is gone")
		text = "".join(lines)
		if re.search(r"^(ERROR|FATAL|PANIC|psql: error|server closed)", text, re.M):
			raise SqlError(text.strip())
		return [[None if value == NULL else value for value in row]
			for row in csv.reader(io.StringIO(text))]

	def one(self, sql):
		rows = self.rows(sql)
		return rows[0][0] if rows else None

	def close(self):
		try:
			self.process.stdin.close()
		except BrokenPipeError:
			pass
		self.process.kill()
		self.process.wait()
		self.process.stdout.close()


class Server:
	def __init__(self, durable=False, options=""):
		self.environment = dict(os.environ, PG_TEMP_DURABLE="1" if durable else "0",
					PG_TEMP_OPTIONS=options)
		text = self._tool("start")
		self.directory = re.search(r"PG_TEMP_DIR='([^']+)'", text).group(1)
		self.host = self.directory
		self.sessions = {}

	def _tool(self, *args):
		done = subprocess.run([TOOL, *args], env=self.environment, stdout=subprocess.PIPE,
				      stderr=subprocess.PIPE, text=True)
		if done.returncode != 0:
			raise RuntimeError(f"pg-temp {args[0]}: {done.stderr}")
		return done.stdout

	def psql(self, database, user="test"):
		"""A session of its own for each database and user, kept; a new one after a crash."""
		key = (database, user)
		if key not in self.sessions:
			self.sessions[key] = Psql(self.host, database, user)
		return self.sessions[key]

	def run_file(self, database, path, user="test", **variables):
		args = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p", "5432", "-U", user,
			"-d", database, "-f", path]
		for name, value in variables.items():
			args += ["-v", f"{name}={value}"]
		done = subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
		if done.returncode != 0:
			raise SqlError(f"{path}: {done.stderr.strip()}")

	def make_database(self, name, owner=None):
		self.psql("postgres").rows(f"CREATE DATABASE {name}" + (f" OWNER {owner}" if owner else ""))

	def drop_sessions(self):
		for session in self.sessions.values():
			session.close()
		self.sessions = {}

	def crash(self):
		self.drop_sessions()
		self._tool("crash", self.directory)

	def halt(self):
		self.drop_sessions()
		self._tool("halt", self.directory)

	def is_running(self):
		"""False also of one that ended by itself."""
		with open(os.path.join(self.directory, "data/postmaster.pid")) as file:
			return os.path.exists(f"/proc/{int(file.readline())}")

	def resume(self):
		self._tool("resume", self.directory)

	def follow(self, primary):
		"""Becomes its synchronous standby: what it commits from now on is here too, or not acknowledged."""
		self.drop_sessions()
		self._tool("follow", self.directory, primary.directory)
		session = primary.psql("postgres")
		session.rows("ALTER SYSTEM SET synchronous_standby_names = '*'")
		session.rows("SELECT pg_reload_conf()")
		tap.until(lambda: session.rows("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), 20,
			  "a synchronous standby")

	def promote(self):
		self._tool("promote", self.directory)

	def stop(self):
		self.drop_sessions()
		self._tool("stop", self.directory)
