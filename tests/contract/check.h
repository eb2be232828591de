/* SPDX-License-Identifier: Apache-2.0
 *
 * contract/check.h: what the files of proalto-plugin-check share.
 *
 * check.c reads the command line and runs each case in a child of its own, so that a crash or a
 * hang is one failed case; cases_*.c hold the cases by kind; judge.c looks at results; settings.c
 * makes the values to open with.
 */
#ifndef CONTRACT_CHECK_H
#define CONTRACT_CHECK_H

#include "base/arena.h"
#include "support/fake_host.h"

#include <proalto/channel.h>
#include <proalto/plugin.h>

/* Planted where they must not leak from. */
#define PLANTED_PHONE "573009998877"
#define PLANTED_TEXT "zanahoria-secreta"
#define PLANTED_SECRET "clave-del-ensayo"

/* The plugin under test. */
struct subject {
	const pa_plugin *plugin;
	const pa_value *const *values; /* that it is opened with */
	void *self;                    /* in cases: opened */
	pa_str seeds[64];              /* bodies to begin from */
	size_t seeds_count;
	struct arena *arena;
};

/* A case looks and reports with fake_problem(). */
struct check_case {
	const char *name;
	void (*run)(const struct subject *subject);
};

/* The cases of a kind; ended by a NULL name. */
extern const struct check_case channel_cases[];
extern const struct check_case session_cases[];
extern const struct check_case backend_cases[];
extern const struct check_case nlp_cases[];
extern const struct check_case scanner_cases[];
extern const struct check_case transcriber_cases[];
extern const struct check_case timestamper_cases[];

/* ---- settings.c ---- */

/* One value for each option: from the file (NULL: none), else the default, else something that fits
 * the type. Ends the program with a sentence if the file is wrong. */
const pa_value *const *settings_make(struct arena *arena, const pa_plugin *plugin,
				     const char *path);

/* A file's bytes; ends the program if it can't be read. */
pa_str file_bytes(struct arena *arena, const char *path);

/* ---- judge.c ---- */

/* Status and error of an operation. Returns true for PA_OK. */
bool judge_status(const char *operation, pa_status status, const pa_error *err);

void judge_str(const char *what, pa_str text);
void judge_events(const char *operation, const pa_event *const *events, size_t count);
void judge_request(const char *operation, const pa_http_request *request);
void judge_outcome(const pa_outcome *outcome);

/* ---- noise.c ---- */

/* A repeatable generator. */
struct noise {
	uint64_t state;
};
uint32_t noise_below(struct noise *noise, uint32_t below);

/* Hostile texts: empty, NUL, 8-bit, broken UTF-8, control characters, huge ... */
extern const size_t hostile_count;
pa_str hostile_text(struct arena *arena, size_t which);

/* A seed with a few bytes changed, cut, doubled, or pure chance. */
pa_str noise_mutate(struct noise *noise, struct arena *arena, pa_str seed);

/* Runs the case's work on four threads at once. */
void in_parallel(void (*work)(const struct subject *subject, unsigned thread),
		 const struct subject *subject);

#endif
