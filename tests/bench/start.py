#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long proaltod takes from its start to READY=1 (sd_notify(3)), and how much memory of its own it has
when it is idle: see docs/performance.md. Run by make bench.

	start.py [--times N]

With the demonstration core and the channels of tests/support/house.py. One JSON line.
"""

import argparse
import json
import os
import re
import socket
import statistics
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/support"))

import house as houses

IDLE_S = 5


def ready_ms(house, notify):
	began = time.monotonic()
	house.launch()
	while b"READY=1" not in notify.recv(4096):
		pass
	return 1000 * (time.monotonic() - began)


def rss_anon_mb(pid):
	with open(f"/proc/{pid}/status") as file:
		return int(re.search(r"RssAnon:\s+(\d+) kB", file.read()).group(1)) / 1000


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--times", type=int, default=20)
	args = parser.parse_args()
	house = houses.House(start=False)
	try:
		with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
			path = os.path.join(house.folder, "notify")
			notify.bind(path)
			notify.settimeout(20)
			house.environment["NOTIFY_SOCKET"] = path
			times = []
			for _ in range(args.times):
				times.append(ready_ms(house, notify))
				house.kill()
			ready_ms(house, notify)
			house.wait_ready()
			time.sleep(IDLE_S)
			print(json.dumps({"ready_ms": {"p50": round(statistics.median(times), 1),
						       "max": round(max(times), 1)},
					  "rss_anon_mb": round(rss_anon_mb(house.process.pid), 1)}))
	finally:
		house.close()


if __name__ == "__main__":
	main()
