/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/request.h: a request to the daemon made of a subcommand's arguments, and its answer as JSON
 * or for people.
 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include "ctl/ctl.h"

/* An argument: "--limit 5" sets key to a number, "--reason x" to a text, "--body" to true;
 * "--reason -" reads its text, a line of the standard input. A name without dashes is one that
 * stands by itself, by its place. */
struct ctl_argument {
	const char *name;
	const char *key; /* NULL: nothing is sent */
	enum { CTL_TEXT, CTL_COUNT, CTL_FLAG } kind;
	bool is_needed;
};

/* What the arguments say; NULL if they make no sense. command is what the daemon is asked.
 * ret_json: whether --json was among them, which every subcommand knows. */
struct json *ctl_request(const char *command, const struct ctl_argument *arguments, size_t count,
			 int argc, char *const *argv, bool *ret_json);

/* Asks and prints: the answer as one line of JSON, or by print. */
typedef void ctl_print_fn(const struct json *answer);
int ctl_ask_and_print(struct ctl *ctl, const struct json *request, bool is_json,
		      ctl_print_fn *print);

/* Subcommands of a subcommand: "outbox retry". The first argument is its name. */
struct ctl_verb {
	const char *name;
	const char *command;
	const struct ctl_argument *arguments;
	size_t arguments_count;
	ctl_print_fn *print;
};
int ctl_verbs(struct ctl *ctl, const struct ctl_verb *verbs, size_t count, int argc,
	      char *const *argv);

/* One line of text for each object of a list: its members in columns under a heading. */
struct ctl_column {
	const char *key;
	const char *es;
	const char *en;
};
void ctl_print_table(const struct json *list, const struct ctl_column *columns, size_t count);

#endif
