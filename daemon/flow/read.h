/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/read.h: from configuration trees (io/conf.h) to the model. Two passes, so that files may
 * refer to each other in any order: read_declare() learns the names, read_define() the contents.
 * Strings lie in the set's arena. What is wrong goes to problems; reading goes on.
 */
#ifndef FLOW_READ_H
#define FLOW_READ_H

#include "flow/model.h"
#include "io/conf.h"

struct reader {
	struct flow_set *set;
	struct flow_problems *problems;
	int64_t today; /* days: which documents are in force */
};

/* Texts and legal documents of one file. */
void read_texts(struct reader *reader, const struct conf_node *root);

/* The flow's name of one file, if it holds a flow. */
void read_declare(struct reader *reader, const struct conf_node *root);

/* Its steps, and its intents. */
void read_define(struct reader *reader, const struct conf_node *root);

/* Words that tell an intent. */
void read_intents(struct reader *reader, const struct conf_node *root);

/* When people attend. */
void read_hours(struct reader *reader, const struct conf_node *root);

/* ---- shared by these files ---- */

/* A member's text; absent (and a problem, if it is required) when it is missing or of another
 * kind. */
pa_str read_text_of(struct reader *reader, const struct conf_node *group, const char *name,
		    bool is_required);
int64_t read_integer_of(struct reader *reader, const struct conf_node *group, const char *name,
			int64_t fallback);
bool read_bool_of(struct reader *reader, const struct conf_node *group, const char *name);
/* A list's member; NULL when missing. */
const struct conf_node *read_list_of(struct reader *reader, const struct conf_node *group,
				     const char *name, bool is_required);
/* Complains about members that are not in the NULL-ended list. */
void read_known(struct reader *reader, const struct conf_node *group, const char *const *known);
const char *read_where(struct reader *reader, const struct conf_node *node);
/* A short name of lower-case letters, digits and _. */
bool read_name_is_good(struct reader *reader, const struct conf_node *node, pa_str name);

#endif
