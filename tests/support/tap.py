# SPDX-License-Identifier: Apache-2.0
"""Tests that print TAP (https://testanything.org).

	import tap

	def handshake(house): ...          # raises AssertionError (tap.check) where something is wrong

	tap.main([("the handshake is answered", handshake), ...], house)

A test that fails says why on lines that begin with '#', and the next one runs. Bad at: tests that
must not follow one that failed.
"""

import sys
import time
import traceback


class Skip(Exception):
	"""Raised by a test that can't be run here; its words say why."""


def check(condition, message, *details):
	"""AssertionError with a readable message unless condition holds."""
	if not condition:
		raise AssertionError("\n".join([message] + [str(detail) for detail in details]))


def equal(got, wanted, what):
	check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def until(condition, seconds, what):
	"""Waits until condition() is true and returns its value."""
	end = time.monotonic() + seconds
	while True:
		value = condition()
		if value:
			return value
		if time.monotonic() > end:
			raise AssertionError(f"{what}: not within {seconds} s")
		time.sleep(0.02)


def say(text):
	for line in str(text).splitlines():
		print("# " + line)
	sys.stdout.flush()


def result(number, name, error=None, skipped=None):
	mark = "not ok" if error else "ok"
	print(f"{mark} {number} - {name}" + (f" # skip {skipped}" if skipped else ""))
	if error:
		say(error)
	sys.stdout.flush()


def chosen(tests):
	"""Those of which a word of the command line is the function's name or stands in their own; all without words."""
	words = sys.argv[1:]
	return [(name, test) for name, test in tests
		if not words or any(word in name or word == test.__name__ for word in words)]


def run(tests, *args):
	"""Runs (name, function) pairs with args; returns how many failed: one, if there is none to run."""
	failed = 0 if tests else 1
	print(f"1..{len(tests)}")
	for number, (name, test) in enumerate(tests, 1):
		start = time.monotonic()
		try:
			test(*args)
			result(number, name)
		except Skip as reason:
			result(number, name, skipped=str(reason))
		except AssertionError as error:
			failed += 1
			place = traceback.extract_tb(error.__traceback__)[-1 if len(error.args) == 0 else 1:]
			where = "".join(f" {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in place[:1])
			result(number, name, f"{error}{where and ' at'}{where}")
		except Exception:  # a test that breaks is a test that fails
			failed += 1
			result(number, name, traceback.format_exc())
		if time.monotonic() - start > 10:
			say(f"took {time.monotonic() - start:.0f} s")
	return failed
