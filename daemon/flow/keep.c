/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "flow/redact.h"
#include "flow/run.h"

/* Nobody's file is looked at before he has agreed to the use of his data. */
bool file_is_kept(const struct turn *t, const pa_event *event)
{
	bool is_kind = event->message_kind == PA_IN_IMAGE || event->message_kind == PA_IN_DOCUMENT;

	return t->in->can_fetch && event->kind == PA_EVENT_MESSAGE && is_kind &&
	       event->media_id.len && !(event->flags & (PA_EVENT_ECHO | PA_EVENT_GROUP)) &&
	       !t->keeps_nothing && consent_has(t);
}

void file_refused(struct turn *t, pa_str why)
{
	static const struct {
		const char *why;
		enum engine_text text;
	} reasons[] = {
		{"other-type", TEXT_FILE_OTHER_TYPE},
		{"broken", TEXT_FILE_BROKEN},
		{"too-big", TEXT_FILE_TOO_BIG},
		{"too-many-pages", TEXT_FILE_TOO_MANY_PAGES},
		{"too-many-pixels", TEXT_FILE_TOO_MANY_PIXELS},
		{"encrypted", TEXT_FILE_ENCRYPTED},
		{"active", TEXT_FILE_ACTIVE},
		{"polyglot", TEXT_FILE_POLYGLOT},
		{"bomb", TEXT_FILE_BOMB},
		{"died", TEXT_FILE_DIED},
		{"too-many", TEXT_FILE_TOO_MANY},
	};

	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
		if (str_equal(why, str_from(reasons[i].why))) {
			emit(t, reasons[i].text);
			return;
		}
	emit(t, TEXT_FILE_GONE);
}

/* What came with an event beyond its text: place, contacts, a file's name and hash. That a file
 * came, and the provider's id of it, stays as the trace of what happened; a file that is kept has
 * these sealed in a row of its own, any other is gone at the provider within days. */
static void drop_beyond_text(pa_event *event)
{
	event->media_name = PA_STR_ABSENT;
	event->media_sha256 = PA_STR_ABSENT;
	event->detail = PA_STR_ABSENT;
}

static bool is_of_words(const pa_event *event)
{
	return event->message_kind == PA_IN_TEXT || event->message_kind == PA_IN_BUTTON ||
	       event->message_kind == PA_IN_ROW;
}

/* A tap's title is ours; of what a person wrote after a no, only what he wants in a case or as
 * proof of his answer stays (HD-01). */
static bool drops_text(const struct turn *t, const pa_event *event)
{
	bool is_wanted = t->out->cases_count || t->out->consents_count;

	if (t->keeps_nothing || event->message_kind == PA_IN_LOCATION ||
	    event->message_kind == PA_IN_CONTACTS)
		return true;
	return t->st.consent.is_refused && event->message_kind == PA_IN_TEXT && !is_wanted;
}

/* Of files, places and contacts the bot says that it doesn't keep them. */
static bool drops_rest(const struct turn *t, const pa_event *event)
{
	bool has_rest = event->media_id.len || event->media_name.len || event->detail.len;

	return t->keeps_nothing || (!is_of_words(event) && has_rest);
}

static pa_str kept_text(struct turn *t, const pa_event *event, unsigned *ret_what)
{
	return t->had_code ? redact_codes(t->arena, event->text, ret_what)
			   : redact_text(t->arena, event->text, ret_what);
}

static void keep_event(struct turn *t, size_t at)
{
	const pa_event *event = t->in->events[at].event;
	pa_event *kept = ARENA_NEW(t->arena, pa_event);
	unsigned what = 0;

	*kept = *event;
	if (event->kind != PA_EVENT_MESSAGE || (event->flags & PA_EVENT_ECHO))
		return;
	kept->text = kept_text(t, event, &what);
	if (drops_text(t, event)) {
		kept->text = PA_STR_ABSENT;
		what = event->text.len > 0;
	}
	if (!drops_rest(t, event) && !what)
		return;
	drop_beyond_text(kept);
	if (t->keeps_nothing)
		kept->media_id = PA_STR_ABSENT;
	t->out->redactions[t->out->redactions_count++] = (struct turn_redaction){at, kept};
}

void keep_events(struct turn *t, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++) {
		if (t->in->events[i].kind != TURN_CUSTOMER)
			continue;
		if (file_is_kept(t, t->in->events[i].event))
			t->out->files[t->out->files_count++] = i;
		keep_event(t, i);
	}
}
