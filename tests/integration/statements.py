#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In which order PostgreSQL is asked for what, by its own log of every statement (SF-04).

The neutral answer to a document is committed before the core is asked whose it is: neither what the
core knows nor how long it takes can change whether, or when, a person hears it. Bad at: times.
"""

import os
import re
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
from tap import check

# The start of each statement with the values bound to it; and how long it took, told when it has ended.
LOGGED = "-c log_statement=all -c log_duration=on"
LINE = re.compile(r"^\S+ \S+ UTC \[(\d+)\] [^:]*?(?:LOG|DETAIL):  (.*)$")


class Statements:
	"""What was logged since this was made: (process, words), in order."""

	def __init__(self, house):
		self.path = os.path.join(house.server.directory, "log")
		self.start = os.path.getsize(self.path)

	def read(self):
		with open(self.path, encoding="utf-8", errors="replace") as file:
			file.seek(self.start)
			text = file.read()
		# A statement of several lines goes on behind a tab.
		matches = [LINE.match(line) for line in text.replace("\n\t", " ").split("\n")]
		return [match.groups() for match in matches if match]


def find(lines, what, start=0, process=None):
	"""The place of the first line that has what, from start on."""
	for place in range(start, len(lines)):
		if what in lines[place][1] and process in (None, lines[place][0]):
			return place
	raise AssertionError(f"not logged: {what}")


def committed(lines, outbox):
	"""The place at which the transaction that brought a message had ended."""
	values = find(lines, f"$1 = '{{{outbox}}}'", find(lines, "execute outbox_insert:"))
	process = lines[values][0]
	commit = find(lines, "execute commit:", values, process)
	return find(lines, "duration:", commit, process)


def neutral_answer_first(house, person, document):
	person.says("hola")
	person.taps(person.hears_all()[-1], "Sí, autorizo")
	person.hears_all()
	person.says("mi saldo")
	person.hears_all()
	statements = Statements(house)
	person.says(document)
	neutral = person.hears_all()[0]
	check("Si esa cédula" in neutral.text, f"not the neutral answer: {neutral.text!r}")
	lines = statements.read()
	end = committed(lines, int(neutral.entry["callback"].split(".")[0], 16))
	asked = find(lines, "execute find_customer:")
	check(f"'{document}'" in lines[asked + 1][1], "the core is asked about somebody else")
	check(end < asked, f"the core is asked in line {asked}, the neutral answer is committed in line {end}")


def main():
	with h.House(customers=20, pg_options=LOGGED) as house:
		customer, elsewhere = house.customer(), house.customer(chat=False)
		failed = tap.run([
			("the neutral answer to a customer is committed before the core is asked",
			 lambda: neutral_answer_first(house, customer, customer.document)),
			("... to a customer's document from another mobile",
			 lambda: neutral_answer_first(house, elsewhere, elsewhere.document)),
			("... to a document that nobody has",
			 lambda: neutral_answer_first(house, house.stranger(), "1999777777")),
		])
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
