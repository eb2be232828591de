#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Is docs/compliance.md whole, and true as far as a program can see?

	make compliance

Prints TAP. Each requirement of the law has one line there, with a state; a test that a line names
must exist, and a line that says "met" must name one that itself names the requirement. A test is
named in backquotes: `tests/unit/test_x.c: test_y`, `tests/scenario/x.chat: the chat's title`, or
`tests/x.py: function`. Bad at: whether a test proves what the line says; that takes a reader.
"""

import glob
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGE = "docs/compliance.md"

sys.path.insert(0, os.path.join(TOP, "tests/support"))

import tap

# The requirements: how many there are of each kind, and where their numbers jump.
REQUIREMENTS = [f"{kind}-{number:02}" for kind, numbers in (
	("GE", range(1, 4)),    # profile and parameters
	("HD", [*range(1, 14), *range(20, 35)]),  # personal data
	("BU", range(1, 9)),    # credit bureaus
	("CO", range(1, 16)),   # contact
	("EV", range(1, 10)),   # evidence
	("SF", range(1, 10)),   # supervision: identity, sessions, logs
	("PQ", range(1, 7)),    # complaints
	("LB", range(1, 11)),   # payroll loans and certificates
	("AI", range(1, 8)),    # automated answers
	("RT", range(1, 5)),    # retention
	("CA", range(1, 3)),    # calendar
) for number in numbers]

# The bullets of each section of the conversation rules.
RULES = [f"{section}.{number}" for section, count in
	 ((1, 9), (2, 12), (3, 5), (4, 9), (5, 5), (6, 3), (7, 1), (8, 4)) for number in range(1, count + 1)]

STATES = ("met", "not yet", "does not apply")
KINDS = "|".join(sorted({name[:2] for name in REQUIREMENTS}))
ID = re.compile(rf"\b(?:{KINDS})-\d\d\b")
ROW = re.compile(r"^\| *((?:[A-Z]{2}-\d\d)|(?:\d\.\d+)) *\|(.*)\|(.*)\|$")
CITATION = re.compile(r"`(tests/[^`]*)`")


class Row:
	def __init__(self, line, name, asks, state):
		self.line, self.name, self.asks = line, name, asks.strip()
		self.state, _, self.why = (part.strip() for part in state.strip().partition(":"))
		self.citations = [tuple(text.partition(": ")[::2]) for text in CITATION.findall(state)]

	def __str__(self):
		return f"{PAGE}:{self.line}: {self.name}"


def text_of(path):
	with open(os.path.join(TOP, path), encoding="utf-8") as file:
		return file.read()


def read_page():
	lines = enumerate(text_of(PAGE).splitlines(), 1)
	return [Row(number, *match.groups()) for number, line in lines if (match := ROW.match(line))]


def has_test(path, name):
	"""True if that test is in that file, and run by it."""
	text = text_of(path)
	quoted = re.escape(name)
	if path.endswith(".c"):
		return re.search(rf"\b(?:cmocka_unit_test\w*|TEST|WITH_DB)\(\s*{quoted}\b", text)
	if path.endswith(".chat"):
		return re.search(rf"^== {quoted}$", text, re.M)
	return re.search(rf"^\s*def {quoted}\(", text, re.M)


def names_requirement(path, name):
	return name in text_of(path) or name.replace("-", "_") in text_of(path)


def complete(rows, wanted, what):
	names = [row.name for row in rows]
	missing = [name for name in wanted if name not in names]
	strange = [str(row) for row in rows if row.name not in wanted]
	twice = sorted({name for name in names if names.count(name) > 1})
	tap.check(not missing, f"{what} without a line: {' '.join(missing)}")
	tap.check(not strange, f"no such {what}: {' '.join(strange)}")
	tap.check(not twice, f"{what} with two lines: {' '.join(twice)}")


def requirements_are_all_there(rows):
	complete([row for row in rows if row.name[0].isalpha()], REQUIREMENTS, "requirement")


def rules_are_all_there(rows):
	complete([row for row in rows if row.name[0].isdigit()], RULES, "rule")


def every_line_has_a_state(rows):
	wrong = [str(row) for row in rows if row.state not in STATES or not row.why or not row.asks]
	tap.check(not wrong, f"say {' | '.join(STATES)}, a colon, and why:", *wrong)


def named_tests_exist(rows):
	wrong = []
	for row in rows:
		for path, name in row.citations:
			if not os.path.exists(os.path.join(TOP, path)):
				wrong.append(f"{row}: no file {path}")
			elif not name or not has_test(path, name):
				wrong.append(f"{row}: {path} has no test {name!r}")
	tap.check(not wrong, "tests that are named but don't exist:", *wrong)


def what_is_met_is_proved(rows):
	wrong = []
	for row in rows:
		if row.state != "met":
			continue
		if not row.citations:
			wrong.append(f"{row}: met, and no test is named")
		elif row.name[0].isalpha() and not any(names_requirement(path, row.name) for path, _ in row.citations):
			wrong.append(f"{row}: none of its tests mentions {row.name}")
	tap.check(not wrong, "not proved:", *wrong)


def tests_name_real_requirements(_):
	wrong = []
	for path in glob.glob(os.path.join(TOP, "tests/**/*.[ch]*"), recursive=True):
		relative = os.path.relpath(path, TOP)
		if not os.path.isfile(path) or re.search("/(corpus|data|__pycache__)/", relative):
			continue
		for name in sorted(set(ID.findall(text_of(relative))) - set(REQUIREMENTS)):
			wrong.append(f"{relative}: {name}")
	tap.check(not wrong, "requirements that don't exist:", *wrong)


def main():
	rows = read_page()
	failed = tap.run([
		("every requirement of the law has one line", requirements_are_all_there),
		("every rule of the conversation has one line", rules_are_all_there),
		("every line has a state and a reason", every_line_has_a_state),
		("every test that is named exists", named_tests_exist),
		("what is met is proved by a test that says so", what_is_met_is_proved),
		("tests name no requirement that doesn't exist", tests_name_real_requirements),
	], rows)
	for title, is_of in (("requirements", str.isalpha), ("rules", str.isdigit)):
		counts = [sum(row.state == state for row in rows if is_of(row.name[0])) for state in STATES]
		tap.say(f"{title}: " + ", ".join(f"{count} {state}" for count, state in zip(counts, STATES)))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
