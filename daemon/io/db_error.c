/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "io/db_conn.h"

#include <string.h>

#define HIDDEN "[hidden]"

struct state_class {
	const char *prefix;
	pa_status status;
};

/* PostgreSQL documentation, appendix A. What is not listed is final. */
static const struct state_class state_classes[] = {
	{"08", PA_RETRY},    /* connection exceptions */
	{"25006", PA_RETRY}, /* read-only: the primary has moved */
	{"25P03", PA_RETRY}, /* idle in transaction for too long */
	{"40", PA_RETRY},    /* serialization failure, deadlock */
	{"53", PA_RETRY},    /* out of disk, memory, connections */
	{"55P03", PA_RETRY}, /* lock not available */
	{"57", PA_RETRY},    /* cancelled, shutting down, starting up */
	{"58", PA_RETRY},    /* I/O error */
};

pa_status db_classify_state(const char *state)
{
	for (size_t i = 0; i < ARRAY_COUNT(state_classes); i++)
		if (strncmp(state, state_classes[i].prefix, strlen(state_classes[i].prefix)) == 0)
			return state_classes[i].status;
	return PA_REJECTED;
}

/* Replaces a secret wherever it stands in an error's text. */
static void hide_secret(pa_error *err, const char *secret)
{
	char old[sizeof(err->text)];
	size_t at = 0;
	const char *hit;

	if (!err || !secret || !*secret)
		return;
	while (at < err->len && (hit = strstr(err->text + at, secret)) != NULL) {
		at = (size_t)(hit - err->text);
		memcpy(old, err->text, sizeof(old));
		error_set(err, PA_OK, "%.*s%s%s", (int)at, old, HIDDEN, old + at + strlen(secret));
		at += strlen(HIDDEN);
	}
}

/* libpq ends its sentences with a line feed and may write several. */
static void one_line(pa_error *err)
{
	if (!err)
		return;
	for (uint32_t i = 0; i < err->len; i++)
		if ((unsigned char)err->text[i] < ' ')
			err->text[i] = ' ';
	while (err->len && err->text[err->len - 1] == ' ')
		err->text[--err->len] = '\0';
}

pa_status db_connection_lost(struct db *db, pa_error *err)
{
	db->is_unusable = true;
	memcpy(db->state, "08006", STATE_BYTES + 1);
	return error_set(err, PA_RETRY, "the connection to PostgreSQL was lost");
}

static const char *diagnosis(const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	return text ? text : "";
}

/* A statement failed. Only what can't hold data goes into the text: never DETAIL or CONTEXT, and of
 * class 22 ("invalid input: ...") not the message either. */
pa_status db_statement_failed(struct db *db, const char *name, const PGresult *result,
			      pa_error *err)
{
	const char *state = diagnosis(result, PG_DIAG_SQLSTATE);
	const char *position = diagnosis(result, PG_DIAG_STATEMENT_POSITION);
	const char *message = diagnosis(result, PG_DIAG_MESSAGE_PRIMARY);
	pa_status status;

	if (PQstatus(db->conn) == CONNECTION_BAD && !*state)
		return db_connection_lost(db, err);
	if (strlen(state) != STATE_BYTES)
		state = "XX000";
	memcpy(db->state, state, STATE_BYTES + 1);
	if (strncmp(state, "22", 2) == 0)
		message = "a value does not suit its type";
	status = error_set(err, db_classify_state(state), "%s: %s (SQLSTATE %s)%s%s", name, message,
			   state, *position ? " at character " : "", position);
	hide_secret(err, PQpass(db->conn));
	one_line(err);
	return status;
}

pa_status db_connection_error(const struct db *db, pa_status status, pa_error *err)
{
	error_set(err, status, "%s", PQerrorMessage(db->conn));
	hide_secret(err, PQpass(db->conn));
	one_line(err);
	return status;
}
