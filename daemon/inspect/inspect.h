/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect/inspect.h: whether a customer's file is what we accept: a picture (JPEG, PNG) or a PDF
 * that decodes to its end, is nothing else besides, and holds nothing that acts.
 *
 * This code opens what strangers wrote. It runs in proalto-inspect only, a program of its own
 * behind inspect/sandbox.h, never in the daemon: a fault of a decoder costs a file and nothing
 *else. The program takes the file on standard input (which can be mapped), the limits as arguments,
 *
 *	proalto-inspect PIXELS PAGES
 *
 * and writes to standard output (a file) one struct inspect_record, behind it the clean picture.
 * Whoever reads that distrusts it.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include "base/base.h"

#define INSPECT_MAGIC 0x70616964u
#define INSPECT_EXIT_UNREADY 69 /* it could not shut itself in, and has opened nothing */

/* Why a file is refused. The numbers are stored: they only grow. */
enum inspect_verdict {
	INSPECT_SOUND = 0,
	INSPECT_OTHER_TYPE = 1,      /* neither JPEG nor PNG nor PDF */
	INSPECT_BROKEN = 2,          /* does not decode to its end */
	INSPECT_TOO_BIG = 3,         /* bytes */
	INSPECT_TOO_MANY_PAGES = 4,  /* of a PDF */
	INSPECT_TOO_MANY_PIXELS = 5, /* of a picture, or of one within a PDF */
	INSPECT_ENCRYPTED = 6,       /* a PDF that wants a password, or that was given one */
	INSPECT_ACTIVE = 7,          /* a PDF with scripts, launch actions or files within */
	INSPECT_POLYGLOT = 8,  /* is another format besides, or has something behind its end */
	INSPECT_BOMB = 9,      /* grows beyond measure when it is unpacked */
	INSPECT_DIED = 10,     /* the program crashed, was killed or took too long */
	INSPECT_TOO_MANY = 11, /* it was not opened: the person has sent enough for a day */
	INSPECT_VERDICTS
};

enum inspect_kind {
	INSPECT_NOTHING = 0,
	INSPECT_JPEG = 1,
	INSPECT_PNG = 2,
	INSPECT_PDF = 3,
	INSPECT_KINDS
};

struct inspect_record {
	uint32_t magic;
	uint32_t verdict;
	uint32_t kind;
	uint32_t pages;  /* of a PDF */
	uint32_t width;  /* of a picture, in pixels */
	uint32_t height; /* the same */
	uint64_t clean;  /* bytes of the picture made anew, without metadata; 0: keep what came */
};

struct inspect_limits {
	uint64_t pixels; /* width * height */
	uint32_t pages;
};

struct inspect_result {
	struct inspect_record record;
	uint8_t *clean; /* record.clean bytes, for free() */
};

/* What content types are known by: once a process, before the sandbox. false: it is not there. */
bool inspect_prepare(void);

/* Judges a file. Thread-unsafe, for one file after the other. */
void inspect_bytes(const uint8_t *bytes, size_t len, const struct inspect_limits *limits,
		   struct inspect_result *ret);

#endif
