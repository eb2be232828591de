#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Customers' files: fetched through the plugin, judged by proalto-inspect, kept sealed and once, or refused with
their own words; whatever dies or fails in between.
"""

import hashlib
import os
import signal
import stat
import sys

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import files
import house as h
import tap
from tap import check, equal, until

KEPT, REFUSED, GONE, SAME = 1, 2, 3, 4
MAX_BYTES = 300 << 10
SEALED_MORE = 17  # bytes a piece


def row(house, state, after):
	"""The one file newer than this; waits until it has this state."""
	def found():
		rows = house.rows("SELECT id, state, verdict, kind, pages, width, bytes, tries FROM file"
				  f" WHERE id > {after} AND state = {state}")
		return rows and dict(zip(("id", "state", "verdict", "kind", "pages", "width", "bytes", "tries"), rows[0]))

	return until(found, 15 * h.PATIENCE, f"a file in state {state}")


def last(house):
	return house.sql("SELECT coalesce(max(id), 0) FROM file")


def stored(house, file):
	return house.rows(f"SELECT count(*), coalesce(sum(length(bytes)), 0) FROM file_piece WHERE file_id = {file['id']}")[0]


def photo_is_kept(house):
	person, before = house.consented(), last(house)
	person.sends_file(files.png(side=64, metadata=b"where-it-was-taken"), "image")
	file = row(house, KEPT, before)
	equal((file["kind"], file["width"]), ("2", "64"), "what it is")
	check("Gracias por el archivo" in person.hears().text, "it was not acknowledged")
	pieces, size = stored(house, file)
	equal(int(size), int(file["bytes"]) + SEALED_MORE * int(pieces), "the sealed bytes")
	equal(house.sql("SELECT count(*) FROM file_piece WHERE position('IHDR'::bytea IN bytes) > 0"), "0", "pieces that are plain")


def large_file_in_pieces(house):
	person, before = house.consented(), last(house)
	content = files.pdf(padding=290 << 10)
	person.sends_file(content)
	file = row(house, KEPT, before)
	equal((file["kind"], file["pages"], int(file["bytes"])), ("3", "1", len(content)), "what it is")
	equal(stored(house, file)[0], "2", "its pieces")


def equal_files_once_a_person(house):
	person, other, before = house.consented(), house.consented(), last(house)
	content = files.png(seed=77)
	person.sends_file(content, "image")
	first = row(house, KEPT, before)
	person.sends_file(content, "image")
	again = row(house, SAME, first["id"])
	equal(house.sql(f"SELECT same_as FROM file WHERE id = {again['id']}"), first["id"], "the same as")
	equal(stored(house, again)[0], "0", "pieces of the second")
	house.settle()
	before = last(house)
	other.sends_file(content, "image")
	equal(stored(house, row(house, KEPT, before))[0], "1", "another person's pieces")


def refused(house, content, words, verdict):
	person, before = house.consented(), last(house)
	person.sends_file(content)
	file = row(house, REFUSED, before)
	equal(file["verdict"], str(verdict), "the verdict")
	equal(stored(house, file)[0], "0", "what is kept of it")
	heard = until(lambda: [b for b in person.bubbles() if words in b.text], 10 * h.PATIENCE, f"the words {words!r}")
	check(heard, "nothing was said")


def each_refusal_has_its_words(house):
	for content, words, verdict in (
		(files.program(), "no es una foto ni un PDF", 1),
		(files.png()[:-30], "dañado", 2),
		(files.pdf(padding=MAX_BYTES), "pesa demasiado", 3),
		(files.pdf(pages=4), "demasiadas páginas", 4),
		(files.png(side=400), "imagen es demasiado grande", 5),
		(files.encrypted_pdf(), "protegido con clave", 6),
		(files.acting_pdf(), "programas o archivos", 7),
		(files.png() + b"PK", "trae otro escondido", 8),
	):
		refused(house, content, words, verdict)


def more_than_enough_for_a_day(house):
	person, before = house.consented(), last(house)
	person.sends_file(files.png(seed=21), "image")
	first = row(house, KEPT, before)
	house.sql("INSERT INTO file (id, at, conversation_id, inbox_id, channel, state, due, expires) "
		  f"SELECT -n, f.at, f.conversation_id, -n, f.channel, 3, f.due, f.expires "
		  f"FROM file f, generate_series(1, 59) n WHERE f.id = {first['id']} RETURNING 1")
	person.sends_file(files.png(seed=22), "image")
	file = row(house, REFUSED, int(first["id"]))
	equal((file["verdict"], stored(house, file)[0]), ("11", "0"), "verdict and pieces")
	until(lambda: [b for b in person.bubbles() if "muchos archivos" in b.text], 10 * h.PATIENCE, "to be told")


def nothing_before_consent(house):
	person, before = house.stranger(), last(house)
	person.sends_file(files.png(seed=5), "image")
	person.hears_all()
	equal(last(house), before, "the last file")


def killed_while_it_fetches(house):
	person, before, content = house.consented(), last(house), files.png(seed=9)
	media_id = house.upload(content)
	house.graph.process.send_signal(signal.SIGSTOP)
	person.sends("image", media_id=media_id, sha256=hashlib.sha256(content).hexdigest())
	until(lambda: house.sql(f"SELECT count(*) FROM file WHERE id > {before} AND owner IS NOT NULL") == "1", 10 * h.PATIENCE,
	      "a file in hand")
	house.kill()
	house.graph.process.send_signal(signal.SIGCONT)
	house.start()
	file = row(house, KEPT, before)
	check(int(file["tries"]) >= 2, "it was not tried again")
	equal(stored(house, file)[0], "1", "its pieces")


def not_what_was_announced(house):
	person, before = house.consented(), last(house)
	person.sends_file(files.png(seed=11), "image", sha256="f" * 64)
	file = row(house, GONE, before)
	equal((file["tries"], stored(house, file)[0]), ("3", "0"), "tries and pieces")
	until(lambda: [b for b in person.bubbles() if "Envíelo otra vez" in b.text], 10 * h.PATIENCE, "to be asked for it again")


def unknown_to_the_provider(house):
	person, before = house.consented(), last(house)
	person.sends("image", media_id="404404")
	row(house, GONE, before)


def inspector_dies(house):
	"""Whatever becomes of the child, the daemon goes on."""
	path, before = os.path.join(house.folder, "inspector"), last(house)
	person = house.consented()
	with open(path, "w") as file:
		file.write("#!/bin/sh\nkill -SEGV $$\n")
	os.chmod(path, stat.S_IRWXU)
	house.settings["files"] = dict(house.settings["files"], inspector=f'"{path}"')
	house.write_config()
	house.restart()
	person.sends_file(files.png(seed=13), "image")
	equal(row(house, REFUSED, before)["verdict"], "10", "the verdict")
	until(lambda: [b for b in person.bubbles() if "No pude abrir" in b.text], 10 * h.PATIENCE, "the words")
	equal(house.stop(), 0, "the exit status")


TESTS = [
	("a photo is fetched, made anew and kept sealed", photo_is_kept),
	("a large file lies in pieces", large_file_in_pieces),
	("equal files are stored once a person", equal_files_once_a_person),
	("each refusal says what to send instead", each_refusal_has_its_words),
	("more than enough for a day is told", more_than_enough_for_a_day),
	("nothing is fetched before consent", nothing_before_consent),
	("killed while it fetches: fetched again and stored once", killed_while_it_fetches),
	("a file that is not what was announced is asked for again", not_what_was_announced),
	("so is one that the provider doesn't know", unknown_to_the_provider),
	("a child that dies is a refusal", inspector_dies),
]


def main():
	settings = {"files": {"max_bytes": '"300 KiB"', "max_pages": 3, "max_pixels": 100000}}
	with h.House(customers=20, settings=settings) as house:
		failed = tap.run(TESTS, house)
		if failed:
			tap.say(house.log_tail(40))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
