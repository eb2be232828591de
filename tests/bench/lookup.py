#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the time of an answer tells who is a customer: see docs/performance.md. Run by make bench.

	lookup.py [--each N]

A cédula is typed in three kinds of chat, in random order: the registered one of that customer (a code
goes out), a stranger's with an unknown number, and a stranger's with a customer's number. For each kind
prints how long the answer took and how long until the next message that the chat can see (the one a
wrong code gets), as one JSON line.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/support"))

import house as houses

KINDS = ("registered chat", "unknown number", "somebody else's number")


def answered_ms(person, act, count=1):
	"""From just before the webhook to the arrival of the last of so many answers."""
	start = time.time_ns()
	act()
	for _ in range(count):
		bubble = person.hears(30)
	return (bubble.entry["at_ns"] - start) / 1e6


def visit(house, kind):
	"""One chat up to the code; the two times."""
	customer = house.customer()
	person = customer if kind == KINDS[0] else house.stranger()
	document = "99" + str(random.randrange(10**6, 10**7)) if kind == KINDS[1] else customer.document
	person.says("Hola")
	person.hears()
	person.taps(person.hears(), "Sí, autorizo")
	person.hears_all()
	person.says("saldo")
	person.hears_all()
	first = answered_ms(person, lambda: person.says(document))
	house.settle()
	person.hears_all()
	wrong = answered_ms(person, lambda: person.says("000000"))
	return first, wrong


def summary(times):
	cuts = statistics.quantiles(times, n=100)
	return {"p10": round(cuts[9], 2), "p50": round(cuts[49], 2), "p90": round(cuts[89], 2),
		"p99": round(cuts[98], 2)}


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--each", type=int, default=200)
	args = parser.parse_args()
	house = houses.House(durable=True, customers=args.each * 2 + 2000, settings={"log": {"level": '"warning"'}})
	times = {kind: ([], []) for kind in KINDS}
	try:
		order = list(KINDS) * args.each
		random.Random(1).shuffle(order)
		for kind in order:
			for into, ms in zip(times[kind], visit(house, kind)):
				into.append(ms)
	finally:
		house.close()
	for kind, (first, wrong) in times.items():
		print(json.dumps({"kind": kind, "answer_ms": summary(first), "wrong_code_ms": summary(wrong)}))


if __name__ == "__main__":
	main()
