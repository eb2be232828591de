/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"
#include "identity/spoken.h"
#include "io/crypto.h"

#include <string.h>

/* Digits of what may be dictated in words: "mil gracias" is none. */
#define LAST4 4
#define DOCUMENT_LEAST 5
#define DOCUMENT_MOST 10

bool verified(const struct turn *t)
{
	return identity_is_verified(&t->st.identity, &t->set->identity, t->in->now_ns);
}

static bool asks_last4(const struct turn *t)
{
	return t->set->identity.lookup == IDENTITY_LAST4 && t->in->phone.len > 0 &&
	       !t->st.identity.wants_full;
}

static bool gateway_is_up(const struct turn *t)
{
	return t->ports->channel_is_healthy(t->ports->arg, str_from(t->set->identity.code_channel));
}

static void tell_lock(struct turn *t)
{
	question_clear(t);
	t->st.depth = 0;
	emit(t, TEXT_ID_LOCKED);
}

bool verify_tells_lock(struct turn *t)
{
	if (t->st.waiting != WAIT_NOTHING || !identity_locked_until(&t->st.identity, t->in->now_ns))
		return false;
	tell_lock(t);
	return true;
}

static void ask_document(struct turn *t)
{
	t->st.identity.stage = STAGE_DOCUMENT;
	question_ask(t, WAIT_IDENTITY,
		     t->set->engine[asks_last4(t) ? TEXT_ID_LAST4 : TEXT_ID_DOCUMENT]);
}

/* The neutral answer: the same words for everybody, before anybody was asked about him (SF-04). */
static void give_neutral_answer(struct turn *t, enum engine_text text)
{
	t->st.waiting = WAIT_IDENTITY;
	emit_job(t, "identity.lookup",
		 arena_format(t->arena, "%lld", (long long)t->st.identity.serial));
	question_ask(t, WAIT_IDENTITY, t->set->engine[text]);
	t->out->fact = "identity.asked";
}

/* The same document again while its code is awaited: no second code. */
static void repeat_code(struct turn *t)
{
	int64_t begun = t->st.identity.code_until_ns - t->set->identity.code_ttl_ns;

	if (t->in->now_ns - begun >= REPEATED_NS) {
		question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_CODE_WAITED]);
		return;
	}
	t->st.waiting = WAIT_IDENTITY;
	no_answer(t, "the same document again within seconds of its answer");
}

static void begin_document(struct turn *t, const struct document *document, bool is_last4,
			   enum engine_text text)
{
	struct document copy = *document; /* may lie in the state itself */

	if (!gateway_is_up(t)) { /* told to decoys alike */
		question_clear(t);
		t->st.depth = 0;
		emit(t, TEXT_ID_SMS_AWAY);
		return;
	}
	switch (identity_begin(&t->st.identity, &t->set->identity, &t->tags, &copy, is_last4,
			       t->in->now_ns)) {
	case BEGUN_LOCKED:
		question_clear(t);
		t->st.depth = 0;
		emit(t, TEXT_ID_LOCKED_NOW);
		return;
	case BEGUN_REPEATED:
		repeat_code(t);
		return;
	case BEGUN:
		break;
	}
	give_neutral_answer(t, text);
}

pa_str verify_digits(struct turn *t, pa_str text)
{
	bool is_code = t->st.identity.stage == STAGE_CODE;
	struct spoken_limits limits = {.least = is_code         ? CODE_DIGITS
						: asks_last4(t) ? LAST4
								: DOCUMENT_LEAST,
				       .most = is_code ? CODE_DIGITS : DOCUMENT_MOST,
				       .takes_round = is_code};

	return t->st.waiting == WAIT_IDENTITY ? spoken_numbers(t->arena, text, limits) : text;
}

void verify_begin(struct turn *t)
{
	struct identity *identity = &t->st.identity;

	if (identity_locked_until(identity, t->in->now_ns)) {
		tell_lock(t);
	} else if (t->in->medium == PA_MEDIUM_SMS) {
		/* A code never travels by the channel that asks for it. */
		to_person(t, TEXT_ID_BY_SMS, "identidad");
	} else if (identity->stage == STAGE_CODE && t->in->now_ns < identity->code_until_ns) {
		question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_CODE_WAITED]);
	} else if (identity->document.number[0] && !message_is_late(t)) {
		begin_document(t, &identity->document, identity->is_last4, TEXT_ID_SENT_KNOWN);
	} else {
		ask_document(t);
	}
}

void verify_repeat(struct turn *t)
{
	enum engine_text text = TEXT_ID_CODE_WAITED;

	if (t->st.identity.stage != STAGE_CODE)
		text = asks_last4(t) ? TEXT_ID_LAST4_RETRY : TEXT_ID_DOCUMENT_RETRY;
	question_ask(t, WAIT_IDENTITY, t->set->engine[text]);
}

void verify_document(struct turn *t, const struct document *document, bool is_last4)
{
	misses_reset(t);
	t->st.unlikely_document = PA_STR_ABSENT;
	begin_document(t, document, is_last4, TEXT_ID_SENT);
}

/* ---- what was typed for a document ---- */

static void unlikely(struct turn *t, const struct document *document)
{
	pa_str number = str_from(document->number);

	if (str_equal(number, t->st.unlikely_document)) { /* he insists: the core decides */
		verify_document(t, document, false);
		return;
	}
	t->st.unlikely_document = arena_copy(t->arena, number);
	miss_format(t, TEXT_ID_UNLIKELY);
}

void minor_found(struct turn *t)
{
	t->said.text = PA_STR(""); /* HD-08: nothing of what he sent is kept */
	t->keeps_nothing = true;
	identity_end(&t->st.identity);
	t->st.care_flow = set_find_flow(t->set, PA_STR("menor"));
	to_person(t, TEXT_ID_MINOR, "menor");
}

static bool document_said(struct turn *t)
{
	struct document document;

	switch (document_read(t->arena, t->said.text, &document)) {
	case DOCUMENT_OK:
		verify_document(t, &document, false);
		return true;
	case DOCUMENT_LAST4:
		if (asks_last4(t))
			verify_document(t, &document, true);
		else
			miss_format(t, TEXT_NOT_UNDERSTOOD);
		return true;
	case DOCUMENT_UNLIKELY:
		unlikely(t, &document);
		return true;
	case DOCUMENT_MINOR:
		minor_found(t);
		return true;
	case DOCUMENT_FOREIGN:
		to_person(t, TEXT_ID_FOREIGN, "identidad");
		return true;
	case DOCUMENT_LENGTH:
	case DOCUMENT_LETTERS:
		miss_format(t, TEXT_NOT_UNDERSTOOD);
		return true;
	case DOCUMENT_NONE:
		break;
	}
	return false;
}

/* ---- what was typed for a code ---- */

/* A lock of the person, made in another chat, refuses the right code too; here it must look like
 * any wrong one, so the hash becomes that of no code at all. */
static void honour_person_lock(struct turn *t)
{
	struct identity *identity = &t->st.identity;
	int64_t until = 0;

	if (t->ports->person_locked_until(
		    t->ports->arg, (pa_str){(const char *)identity->person, IDENTITY_TAG_BYTES},
		    t->in->now_ns, &until) != PA_OK ||
	    until > t->in->now_ns)
		random_fill(identity->code_hash, sizeof(identity->code_hash));
}

static void code_right(struct turn *t)
{
	t->out->fact = "identity.verified";
	misses_reset(t);
	question_clear(t);
	prefix(t, t->st.identity.first_name.len ? TEXT_ID_DONE : TEXT_ID_DONE_NAMELESS);
	if (t->st.depth)
		flow_run(t);
	else
		wish_serve_next(t);
}

/* Failures in the registered chat lock the person everywhere; elsewhere only this chat, so that a
 * stranger can't lock the owner out. */
static void code_locks(struct turn *t, const struct identity *before)
{
	if (before->is_registered) {
		t->out->lock_person = arena_copy(
			t->arena, (pa_str){(const char *)before->person, IDENTITY_TAG_BYTES});
		t->out->lock_until_ns = t->st.identity.locked_until_ns;
	}
	t->out->fact = "identity.locked";
	question_clear(t);
	t->st.depth = 0;
	emit(t, TEXT_ID_LOCKED_NOW);
}

static bool try_code(struct turn *t, const char *code)
{
	struct identity before = t->st.identity;

	honour_person_lock(t);
	switch (identity_try_code(&t->st.identity, &t->set->identity, &t->tags, code,
				  t->in->now_ns)) {
	case TRY_RIGHT:
		code_right(t);
		break;
	case TRY_WRONG:
		t->out->fact = "identity.wrong_code";
		question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_WRONG]);
		break;
	case TRY_EXPIRED:
		question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_EXPIRED]);
		break;
	case TRY_LOCKS:
		code_locks(t, &before);
		break;
	}
	return true;
}

/* He typed a document where a code is awaited: a mistyped one is put right, another one begins
 * anew. */
static bool document_instead(struct turn *t)
{
	struct document document;

	if (document_read(t->arena, t->said.text, &document) != DOCUMENT_OK ||
	    strlen(document.number) < CODE_DIGITS + 1)
		return false;
	verify_document(t, &document, false);
	return true;
}

static bool is_resident_card(struct turn *t)
{
	struct document document;

	return document_read(t->arena, t->said.text, &document) == DOCUMENT_OK &&
	       strcmp(document.type, "CE") == 0;
}

static bool code_said(struct turn *t)
{
	char code[CODE_DIGITS + 1];
	enum code_reading reading = code_read(t->said.text, code);
	bool is_done = true;

	if (reading == CODE_NONE)
		return false;
	if (is_resident_card(t)) /* "CE 345678" is no code */
		return document_said(t);
	if (reading == CODE_OK)
		is_done = try_code(t, code);
	else if (!document_instead(t))
		miss_format(t, TEXT_ID_CODE_RETRY);
	bytes_wipe(code, sizeof(code));
	return is_done;
}

bool verify_said(struct turn *t)
{
	bool has_digits = false;

	t->had_code = true; /* or a document: neither stays */
	for (size_t i = 0; i < t->said.text.len; i++)
		has_digits =
			has_digits || (t->said.text.ptr[i] >= '0' && t->said.text.ptr[i] <= '9');
	if (has_digits && message_is_late(t)) {
		verify_repeat(t);
		return true;
	}
	return t->st.identity.stage == STAGE_CODE ? code_said(t) : document_said(t);
}

/* ---- the buttons beside the question ---- */

void verify_resend(struct turn *t)
{
	if (t->st.identity.stage != STAGE_CODE) {
		question_repeat(t);
		return;
	}
	if (!gateway_is_up(t)) {
		prefix(t, TEXT_ID_SMS_AWAY);
		emit_prefixes(t);
		return;
	}
	identity_renew(&t->st.identity, &t->set->identity, t->in->now_ns);
	give_neutral_answer(t, TEXT_ID_SENT_AGAIN);
}

void verify_lost_mobile(struct turn *t)
{
	identity_end(&t->st.identity);
	to_person(t, TEXT_ID_LOST_MOBILE, "cambio_celular");
}

void verify_chosen(struct turn *t, pa_str option)
{
	if (str_equal(option, PA_STR("reenviar")))
		verify_resend(t);
	else
		verify_lost_mobile(t);
}

/* ---- from elsewhere ---- */

/* Told in the registered chat only: elsewhere it would say that a message was on its way. And of
 * the code that counts only: a word on the one before it may come hours later. */
void verify_undelivered(struct turn *t, pa_str serial)
{
	int64_t number;

	if (t->st.identity.stage != STAGE_CODE || !t->st.identity.is_registered ||
	    !str_to_int64(serial, &number) || number != t->st.identity.serial) {
		no_answer(t, "a code of no use any more could not be delivered");
		return;
	}
	t->st.identity.code_until_ns = 0;
	question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_SMS_FAILED]);
}

void verify_stray(struct turn *t)
{
	t->had_code = true;
	if (verify_tells_lock(t))
		return;
	if (identity_stray_code(&t->st.identity, &t->set->identity, t->in->now_ns)) {
		question_clear(t);
		t->st.depth = 0;
		t->out->fact = "identity.locked";
		emit(t, TEXT_ID_LOCKED_NOW);
		return;
	}
	prefix(t, TEXT_ID_STRAY);
	question_repeat(t);
}
