# SPDX-License-Identifier: Apache-2.0
"""Files that customers send, made when they are wanted."""

import struct
import zlib


def png(side=32, seed=1, metadata=b""):
	"""A small picture; another seed is another picture."""
	def chunk(name, data):
		return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

	rows = b"".join(b"\0" + bytes((x * y * seed + seed) % 256 for x in range(side)) for y in range(side))
	text = chunk(b"tEXt", b"Comment\0" + metadata) if metadata else b""
	return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) + text +
		chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pdf(in_root=b"", in_trailer=b"", pages=1, padding=0):
	kids = b" ".join(b"%d 0 R" % (n + 3) for n in range(pages))
	objects = [b"<</Type /Catalog /Pages 2 0 R %s>>" % in_root,
		   b"<</Type /Pages /Count %d /Kids [%s]>>" % (pages, kids)]
	objects += [b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200]>>"] * pages
	out, offsets = b"%PDF-1.5\n%" + b"x" * padding + b"\n", []
	for number, body in enumerate(objects, 1):
		offsets.append(len(out))
		out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
	table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
	return out + (b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n"
		      % (len(objects) + 1, table, len(objects) + 1, in_trailer, len(out)))


def encrypted_pdf():
	words = b"<" + b"00" * 32 + b">"
	return pdf(in_trailer=b"/ID [<00> <00>] /Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O %s /U %s>>" % (words, words))


def program():
	return b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + b"\0" * 500


def acting_pdf():
	return pdf(in_root=b"/OpenAction <</S /JavaScript /JS (app.alert(1))>>")
