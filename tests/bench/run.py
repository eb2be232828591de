#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the main job: see docs/performance.md. Run by make bench.

	run.py [--customers N] [--rate R] [--seconds S] [--warm-up S] [--latency-ms N] [--repeat N]
	       [--script FILE] [--conversations N]

A durable PostgreSQL, the demonstration core with N customers, proaltod with the shipped settings but for
the channels' rates, and the load generator, all on this machine. Prints one JSON line a run and the
median of each figure. --conversations: so many people have written before (history.sql).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/support"))

import house as houses
import webhook

# What docs/performance.md recommends to the administrator.
POSTGRES = " ".join(f"-c {setting}" for setting in (
	"shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "wal_compression=lz4"))
DOCUMENTS = 1000000000
MOBILES = 573000000000
SETTINGS = {
	"whatsapp": {"rate": "100000.0"},
	"sms": {"rate": "100000.0"},
	"work": {"quiet": '"1 s"', "quiet_max": '"3 s"'},
	"log": {"level": '"warning"'},
}


def make_house(customers):
	house = houses.House(durable=True, customers=customers, settings=SETTINGS, start=False,
			     pg_options=POSTGRES)
	core = house.server.psql("core_demo")
	core.rows(f"""UPDATE core_demo.cliente SET tip_doc = 'CC', num_doc = ({DOCUMENTS} + cod_cli - 101)::text,
		celular = ({MOBILES % 10**10} + cod_cli - 101)::text, fec_celular = '2020-01-01'
		WHERE cod_cli > 100""")
	core.rows("""INSERT INTO core_demo.credito SELECT 'B' || c.cod_cli, c.cod_cli, 1, 'ACTIVO', 5000000,
		250000, 36, current_date - 300, NULL FROM core_demo.cliente c WHERE cod_cli > 100
		AND NOT EXISTS (SELECT FROM core_demo.credito k WHERE k.cod_cli = c.cod_cli)""")
	core.rows("UPDATE core_demo.credito SET estado = 'ACTIVO' WHERE cod_cli > 100")
	core.rows("ANALYZE")
	return house


def point_to(house, port):
	"""Graph API and SMS gateway are the load generator's."""
	with open(house.config_path) as file:
		text = file.read()
	for peer in (house.graph, house.smsgw):
		text = text.replace(f"127.0.0.1:{peer.port}", f"127.0.0.1:{port}")
	with open(house.config_path, "w") as file:
		file.write(text)


def measure(args):
	# Who is never looked up need not be in the core.
	house = make_house(args.customers if "{document}" in open(args.script).read() else 1000)
	try:
		if args.conversations:
			house.server.run_file("proalto", os.path.join(TOP, "tests/bench/history.sql"),
					      conversations=args.conversations)
		port = houses.free_port()
		point_to(house, port)
		house.start()
		postmaster = open(os.path.join(house.server.directory, "data/postmaster.pid")).readline().strip()
		done = subprocess.run([
			os.path.join(houses.B, "tests/bench/whatsapp_load"),
			"--webhook", f"http://127.0.0.1:{house.port}/webhook/whatsapp", "--secret", houses.SECRET,
			"--phone-id", webhook.PHONE_ID, "--script", args.script, "--port", str(port),
			"--connections", "512", "--customers", str(args.customers), "--rate", str(args.rate),
			"--warm-up", str(args.warm_up), "--seconds", str(args.seconds),
			"--latency-ms", str(args.latency_ms), "--phone-base", str(MOBILES),
			"--mobile-base", str(MOBILES), "--document-base", str(DOCUMENTS),
			"--daemon-pid", str(house.process.pid), "--postgres-pid", postmaster,
		], stdout=subprocess.PIPE, text=True)
		if not done.stdout:
			raise SystemExit(f"the load generator ended with {done.returncode}\n{house.log_tail()}")
		return json.loads(done.stdout)
	finally:
		house.close()


def figures(report):
	return {
		"per_second": report["per_second"],
		"ack_p50": report["ack_ms"]["p50"], "ack_p99": report["ack_ms"]["p99"],
		"answer_p50": report["answer_ms"]["p50"], "answer_p99": report["answer_ms"]["p99"],
		"lost": report["lost"], "doubled": report["doubled"], "out_of_order": report["out_of_order"],
		"backlog_start": report["backlog_start"], "backlog_end": report["backlog_end"],
		"cpu_daemon": report["cpu_us_per_message"]["daemon"],
		"cpu_postgres": report["cpu_us_per_message"]["postgres"],
		**{f"rss_{when}": kib for when, kib in report["rss_anon_kib"].items()},
	}


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--customers", type=int, default=100000)
	parser.add_argument("--rate", type=float, default=3000)
	parser.add_argument("--seconds", type=int, default=60)
	parser.add_argument("--warm-up", type=int, default=10)
	parser.add_argument("--latency-ms", type=int, default=0)
	parser.add_argument("--repeat", type=int, default=3)
	parser.add_argument("--conversations", type=int, default=0)
	parser.add_argument("--script", default=os.path.join(TOP, "tests/bench/dialogue.txt"))
	args = parser.parse_args()
	runs = []
	for _ in range(args.repeat):
		runs.append(figures(measure(args)))
		print(json.dumps(runs[-1]), flush=True)
	print("median", json.dumps({name: statistics.median(run[name] for run in runs) for name in runs[0]}))


if __name__ == "__main__":
	main()
