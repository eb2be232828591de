/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl inbox --json: what came in and how it was understood, read from the store itself, for
 * support and for tests. Opens what is sealed, so it needs the master key.
 */
#include "ctl/ctl.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/event_json.h"
#include "io/crypto.h"
#include "io/db.h"
#include "queue/codec.h"
#include "queue/contact.h"
#include "queue/rotation.h"

#include <stdio.h>
#include <string.h>

#define PAGE 500
#define PAGE_CAP ((size_t)512 << 20)
#define LINE_CAP ((size_t)64 << 20)

enum column { ID, AT, CHANNEL, KIND, CONTACT, SEALED_KEY, PAYLOAD, BODY };

struct listing {
	struct ctl *ctl;
	struct keyring *ring;
	struct db *db;
	int64_t after;
	int64_t limit;
	bool with_body;
	bool is_json;
};

static void config_done(struct config **config)
{
	config_free(*config);
}

static bool parse_count(const char *text, int64_t *ret)
{
	return text && str_to_int64(str_from(text), ret) && *ret >= 0;
}

static bool parse(int argc, char *const *argv, struct listing *ret)
{
	for (int i = 0; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--json") == 0)
			ret->is_json = true;
		else if (strcmp(argv[i], "--body") == 0)
			ret->with_body = true;
		else if ((strcmp(argv[i], "--after") == 0 && parse_count(value, &ret->after)) ||
			 (strcmp(argv[i], "--limit") == 0 && parse_count(value, &ret->limit)))
			i++;
		else
			return false;
	}
	return ret->is_json;
}

/* Sealed by the person's key, or by the house's if it was about nobody known. */
static bool open_sealed(const struct listing *listing, struct arena *arena,
			const struct contact *contact, pa_str context, pa_str sealed, pa_str *ret)
{
	if (contact && unseal(arena, &contact->key, context, sealed, ret) == PA_OK)
		return true;
	return unseal(arena, keyring_store(listing->ring), context, sealed, ret) == PA_OK;
}

static struct contact *open_contact(const struct listing *listing, const struct db_result *rows,
				    size_t row)
{
	struct contact *contact = NULL;

	if (db_is_null(rows, row, SEALED_KEY))
		return NULL;
	IGNORE_STATUS(contact_open(db_int64(rows, row, CONTACT), listing->ring,
				   db_str(rows, row, SEALED_KEY), PA_STR_ABSENT, &contact),
		      "its items are printed as unreadable");
	return contact;
}

/* ret_body: the raw body, if it was packed with the event. */
static void add_event(const struct listing *listing, struct arena *arena,
		      const struct contact *contact, const struct db_result *rows, size_t row,
		      struct json *line, pa_str *ret_body)
{
	bool is_receipt = db_int64(rows, row, KIND) == 0;
	pa_event event = {.kind = PA_EVENT_UNKNOWN};
	pa_str plain;

	*ret_body = PA_STR_ABSENT;
	if (db_is_null(rows, row, PAYLOAD)) {
		event_json(&event, line);
		return;
	}
	if (open_sealed(listing, arena, contact, is_receipt ? PA_STR("receipt") : PA_STR("inbox"),
			db_str(rows, row, PAYLOAD), &plain) &&
	    receipt_unpack(plain, &event, ret_body) == PA_OK)
		event_json(&event, line);
	else
		json_set_bool(line, "unreadable", true);
}

static void add_body(const struct listing *listing, struct arena *arena,
		     const struct contact *contact, const struct db_result *rows, size_t row,
		     struct json *line, pa_str body)
{
	if (!db_is_null(rows, row, BODY) &&
	    !open_sealed(listing, arena, contact, PA_STR("body"), db_str(rows, row, BODY), &body))
		body = PA_STR_ABSENT;
	json_set_text(line, "body", body);
}

static void print_row(const struct listing *listing, struct arena *arena,
		      const struct db_result *rows, size_t row)
{
	struct json *line PA_CLEANUP(json_done) = json_object_new();
	struct buf text PA_CLEANUP(buf_done) = BUF_INIT(LINE_CAP);
	struct contact *contact = open_contact(listing, rows, row);
	pa_str body;

	json_set_integer(line, "inbox", db_int64(rows, row, ID));
	json_set_text(line, "at", instant_iso(arena, db_time_ns(rows, row, AT)));
	json_set_text(line, "channel", db_str(rows, row, CHANNEL));
	add_event(listing, arena, contact, rows, row, line, &body);
	if (listing->with_body)
		add_body(listing, arena, contact, rows, row, line, body);
	contact_unref(contact);
	json_write(line, &text);
	buf_add_byte(&text, '\n');
	fwrite(text.data, 1, text.len, stdout);
}

/* Prints one page and moves on; *ret_more is false after the last. */
static pa_status print_page(struct listing *listing, bool *ret_more, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(PAGE_CAP);
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_INBOX_LIST);
	int64_t count = listing->limit < PAGE ? listing->limit : PAGE;
	pa_status status;

	db_bind_int64(params, listing->after);
	db_bind_int64(params, count);
	db_bind_bool(params, listing->with_body);
	status = db_run(listing->db, params, &rows, err);
	if (status != PA_OK)
		return status;
	for (size_t row = 0; row < db_rows(rows); row++) {
		print_row(listing, arena, rows, row);
		listing->after = db_int64(rows, row, ID);
	}
	listing->limit -= (int64_t)db_rows(rows);
	*ret_more = listing->limit > 0 && db_rows(rows) == (size_t)count;
	return PA_OK;
}

static int print_all(struct listing *listing)
{
	pa_error err = ERROR_INIT;
	bool more = listing->limit > 0;

	while (more)
		if (print_page(listing, &more, &err) != PA_OK)
			return ctl_fail(listing->ctl, CTL_FAILED, "%s", error_text(&err));
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

int ctl_inbox(struct ctl *ctl, int argc, char *const *argv)
{
	static const char *const sets[] = {"support", "keys", NULL};
	struct config *config PA_CLEANUP(config_done) = NULL;
	struct listing listing = {.ctl = ctl, .limit = INT64_MAX};
	pa_error err = ERROR_INIT;
	int status;

	if (!parse(argc, argv, &listing))
		return ctl_usage(ctl);
	if (crypto_init() != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "libsodium");
	status = ctl_config(ctl, &config);
	if (status != CTL_OK)
		return status;
	listing.ring = keyring_new(config->master_key);
	if (db_open(config->database, "proaltoctl", sets, &listing.db, &err) != PA_OK ||
	    rotation_look(
		    &(struct rotation){.ring = listing.ring, .db = listing.db, .arena = ctl->arena},
		    &err) != PA_OK)
		status = ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	else
		status = print_all(&listing);
	db_close(listing.db);
	keyring_free(listing.ring);
	return status;
}
