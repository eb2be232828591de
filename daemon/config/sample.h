/* SPDX-License-Identifier: Apache-2.0
 *
 * config/sample.h: a configuration made of the shipped one: its comments stay, values change.
 *
 *	struct sample_edit edit = {EDIT_SET, "house.name", name};
 *	status = sample_edit(arena, text, &edit, &text, &err);
 *
 * Knows the shape of the shipped file (a key a line, tabs, "name = {" and "};" on lines of their
 * own) and not libconfig's syntax. Pure. Texts lie in the arena. Bad at: files that people wrote.
 */
#ifndef CONFIG_SAMPLE_H
#define CONFIG_SAMPLE_H

#include "base/arena.h"

enum sample_edit_kind {
	EDIT_SET,     /* gives a key a value, of the kind that it shows; a text is quoted */
	EDIT_OFF,     /* makes a group a comment */
	EDIT_INCLUDE, /* puts @include "value" in a group's place */
};

struct sample_edit {
	enum sample_edit_kind kind;
	const char *path; /* "channels.whatsapp.account" */
	pa_str value;
};

/* PA_REJECTED: there is no such path of that kind, or the value is of another. */
pa_status sample_edit(struct arena *arena, pa_str text, const struct sample_edit *edit, pa_str *ret,
		      pa_error *err) PA_MUST_USE;

/* A text's value, whether it is set or shown in a comment as the default; absent: none. */
pa_str sample_value(struct arena *arena, pa_str text, const char *path);

/* Whether a line that is no comment holds the words. */
bool sample_mentions(pa_str text, const char *words);

#endif
