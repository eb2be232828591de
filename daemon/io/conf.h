/* SPDX-License-Identifier: Apache-2.0
 *
 * io/conf.h: files in libconfig's syntax as a read-only tree: the configuration, flows, texts. The
 * only user of libconfig.
 *
 *	const struct conf_node *root;
 *	status = conf_read_file(arena, "/etc/proalto.conf", "/etc/proalto.d", &root, &err);
 *	const struct conf_node *port = conf_find(conf_find(root, "listen"), "port");
 *	if (port && port->kind == CONF_INTEGER) ... port->integer, port->file, port->line
 *
 * The tree lies in the arena, which is all that keeps it alive; nothing of libconfig stays. Errors
 * say "file:line: what", and the first one ends the reading (libconfig gives no more). Everything
 * is bounded (CONF_MAX_*): past a bound the file is refused. @include "name" takes files of the one
 * directory given, by plain relative names. All text is valid UTF-8. Thread-safe: no state.
 * Bad at: writing, keeping comments, files larger than a person would write.
 */
#ifndef IO_CONF_H
#define IO_CONF_H

#include "base/arena.h"

#define CONF_MAX_BYTES ((size_t)1 << 20) /* of a file with all that it includes */
#define CONF_MAX_DEPTH 32                /* groups within groups */
#define CONF_MAX_NODES 50000

enum conf_kind {
	CONF_GROUP,   /* { name = value; ... } */
	CONF_LIST,    /* ( ... ) and [ ... ] */
	CONF_TEXT,    /* "..." */
	CONF_INTEGER, /* 12, 0x0c, 12L */
	CONF_REAL,    /* 1.5 */
	CONF_BOOL,    /* true, false */
};

struct conf_node {
	enum conf_kind kind;
	const char *name; /* NULL: the root, or an element of a list */
	pa_str text;      /* CONF_TEXT; a NUL stands behind it that is not counted */
	int64_t integer;  /* CONF_INTEGER */
	double real;      /* CONF_REAL, and CONF_INTEGER for who accepts both; always finite */
	bool boolean;     /* CONF_BOOL */
	const struct conf_node *const *children; /* CONF_GROUP and CONF_LIST, in their order */
	size_t count;
	const char *file; /* as opened: never NULL */
	int line;         /* 1 for the root */
};

/* Reads path and what it includes from include_dir (NULL: nothing may be included). PA_REJECTED:
 * can't be read, or the file is wrong. */
pa_status conf_read_file(struct arena *arena, const char *path, const char *include_dir,
			 const struct conf_node **ret, pa_error *err) PA_MUST_USE;

/* The same from memory; name stands for the file in errors. Nothing may be included. */
pa_status conf_read_text(struct arena *arena, pa_str text, const char *name,
			 const struct conf_node **ret, pa_error *err) PA_MUST_USE;

/* The member of a group by name; NULL if there is none, or if group is NULL or no group. */
const struct conf_node *conf_find(const struct conf_node *group, const char *name);

/* "file:line". */
const char *conf_where(struct arena *arena, const struct conf_node *node);

#endif
