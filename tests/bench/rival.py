#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what proaltod is compared with: the same menu dialogue by a bot on Flask, gunicorn and psycopg2
(tests/bench/rival/), in front of the same PostgreSQL and the same load generator. See docs/performance.md.

	rival.py [--rate R] [--seconds S] [--warm-up S] [--latency-ms N] [--customers N]

Prints one JSON line with run.py's figures; its memory is of all its processes, shared pages once. Needs
Debian's gunicorn, python3-flask and python3-psycopg2.
"""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/support"))

import house as houses
import postgres
import webhook
from run import MOBILES, POSTGRES, figures

RIVAL = os.path.join(TOP, "tests/bench/rival")
DATABASE = "rival"


class Rival:
	def __init__(self, graph_port):
		self.port = houses.free_port()
		self.folder = tempfile.mkdtemp(prefix="par.", dir="/tmp")
		self.server = postgres.Server(True, POSTGRES)
		self.server.make_database(DATABASE)
		self.server.run_file(DATABASE, os.path.join(RIVAL, "schema.sql"))
		self.log = open(os.path.join(self.folder, "log"), "ab")
		self.process = subprocess.Popen(
			["gunicorn", "--config", os.path.join(RIVAL, "gunicorn.conf.py"), "--chdir", RIVAL, "--bind", f"127.0.0.1:{self.port}", "web:app"],
			stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=dict(
				os.environ, PYTHONDONTWRITEBYTECODE="1", RIVAL_SECRET=houses.SECRET,
				RIVAL_DATABASE=f"host={self.server.host} port=5432 dbname={DATABASE} user=test",
				RIVAL_GRAPH_PORT=str(graph_port), RIVAL_PHONE_ID=webhook.PHONE_ID,
				RIVAL_TOKEN=houses.ACCESS_TOKEN))

	def wait_ready(self):
		http = houses.Http(self.port)
		end = time.monotonic() + 20
		while time.monotonic() < end:
			try:
				if http.request("POST", "/webhook/whatsapp", b"{}")[0] == 403:
					return
			except OSError:
				time.sleep(0.1)
		raise SystemExit("the rival does not start:\n" + self.log_tail())

	def log_tail(self):
		with open(self.log.name, errors="replace") as file:
			return file.read()[-3000:]

	def processes(self):
		"""gunicorn's and its children's ids."""
		found = subprocess.run(["ps", "-o", "pid=", "--pid", str(self.process.pid), "--ppid", str(self.process.pid)],
				       stdout=subprocess.PIPE, text=True, check=True)
		return found.stdout.split()

	def memory_kib(self):
		"""Their own memory: what several share is divided among them (proc(5), Pss_Anon)."""
		total = 0
		for pid in self.processes():
			with open(f"/proc/{pid}/smaps_rollup") as file:
				total += sum(int(line.split()[1]) for line in file if line.startswith("Pss_Anon:"))
		return total

	def close(self):
		self.process.send_signal(signal.SIGTERM)
		try:
			self.process.wait(10)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
		self.server.stop()
		shutil.rmtree(self.folder, ignore_errors=True)


def measure(args):
	port = houses.free_port()
	rival = Rival(port)
	try:
		rival.wait_ready()
		idle = rival.memory_kib()
		with open(os.path.join(rival.server.directory, "data/postmaster.pid")) as file:
			postmaster = file.readline().strip()
		load = subprocess.Popen([
			os.path.join(houses.B, "tests/bench/whatsapp_load"),
			"--webhook", f"http://127.0.0.1:{rival.port}/webhook/whatsapp", "--secret", houses.SECRET,
			"--phone-id", webhook.PHONE_ID, "--script", os.path.join(TOP, "tests/bench/menu.txt"),
			"--port", str(port), "--connections", str(args.connections), "--customers", str(args.customers),
			"--rate", str(args.rate), "--warm-up", str(args.warm_up), "--seconds", str(args.seconds),
			"--latency-ms", str(args.latency_ms), "--phone-base", str(MOBILES), "--mobile-base", str(MOBILES),
			"--daemon-pid", str(rival.process.pid), "--postgres-pid", postmaster,
		], stdout=subprocess.PIPE, text=True)
		report = json.loads(load.communicate()[0])
		if report["lost"]:
			print(rival.log_tail(), file=sys.stderr)
		report["rss_anon_kib"] = {"idle": idle, "end": rival.memory_kib()}
		return report
	finally:
		rival.close()


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--rate", type=float, default=400)
	parser.add_argument("--seconds", type=int, default=20)
	parser.add_argument("--warm-up", type=int, default=5)
	parser.add_argument("--latency-ms", type=int, default=0)
	parser.add_argument("--customers", type=int, default=100000)
	parser.add_argument("--connections", type=int, default=24)
	args = parser.parse_args()
	for module in ("flask", "psycopg2"):
		if not importlib.util.find_spec(module):
			raise SystemExit("apt-get install gunicorn python3-flask python3-psycopg2")
	print(json.dumps(figures(measure(args))))


if __name__ == "__main__":
	main()
