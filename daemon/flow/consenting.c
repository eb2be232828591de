/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"
#include "io/crypto.h"

#include <string.h>

#define PURPOSE PA_STR("servicio") /* HD-04: necessary for the service, apart from all others */

bool consent_has(const struct turn *t)
{
	return consent_is_valid(&t->st.consent, &t->set->documents[DOC_CONSENT]);
}

static pa_str texts_shown(struct turn *t)
{
	const struct consent_document *both[] = {&t->set->documents[DOC_NOTICE],
						 &t->set->documents[DOC_CONSENT]};

	return consent_texts_shown(t->arena, both, ARRAY_COUNT(both));
}

static pa_str notice_and_question(struct turn *t)
{
	return arena_format(t->arena, "%.*s\n\n%.*s", PA_FMT(t->set->documents[DOC_NOTICE].body),
			    PA_FMT(t->set->documents[DOC_CONSENT].body));
}

static void show(struct turn *t, pa_str body)
{
	struct option options[OPTIONS_SHOWN_MAX];
	size_t count;

	t->st.waiting = WAIT_CONSENT;
	t->st.page = 0;
	t->st.mark++;
	count = question_options(t, options);
	emit_question(t, body, options, count, PA_STR_ABSENT);
}

/* The whole notice with the question below it (HD-13); what is said before stands apart. */
void consent_ask(struct turn *t)
{
	if (t->st.wishes_count) {
		t->wish = t->st.wishes[0];
		prefix(t, TEXT_CONSENT_FIRST);
		t->wish = NOWHERE;
	}
	emit_prefixes(t);
	show(t, notice_and_question(t));
}

void consent_repeat(struct turn *t)
{
	show(t, fill(t, t->set->engine[TEXT_CONSENT_AGAIN]));
}

static void granted(struct turn *t)
{
	const struct consent_document *document = &t->set->documents[DOC_CONSENT];

	emit_consent(t, "otorga", PURPOSE, texts_shown(t));
	t->st.consent = (struct consent){document->version, t->in->now_ns, false};
	t->out->fact = "consent.granted";
	question_clear(t);
	prefix(t, TEXT_CONSENT_THANKS);
	if (t->st.wishes_count)
		wish_serve_next(t);
	else
		action_do(t, ACTION_MENU);
}

/* What was wanted waits no longer: a later yes serves what is asked for then. */
static void refused(struct turn *t)
{
	emit_consent(t, "niega", PURPOSE, texts_shown(t));
	t->st.consent = (struct consent){.is_refused = true};
	t->out->fact = "consent.refused";
	question_clear(t);
	t->st.wishes_count = 0;
	identity_end(&t->st.identity);
	emit(t, TEXT_CONSENT_REFUSED);
}

void consent_chosen(struct turn *t, pa_str option)
{
	if (str_equal(option, PA_STR("si")))
		granted(t);
	else if (str_equal(option, PA_STR("no")))
		refused(t);
	else
		action_do(t, ACTION_POLICY);
}

void consent_act(struct turn *t, const struct consent_act *act, const struct text *text)
{
	uint8_t digest[DIGEST_BYTES];
	pa_str hex;

	if (!act->purpose.ptr)
		return;
	sha256(text->source, digest);
	hex = hex_encode(t->arena, (pa_str){(const char *)digest, sizeof(digest)});
	emit_consent(t, act->action, act->purpose,
		     arena_format(t->arena, "%.*s sha256:%.*s", PA_FMT(text->name), PA_FMT(hex)));
	if (!str_equal(act->purpose, PURPOSE) || strcmp(act->action, "otorga") == 0)
		return;
	t->st.consent = (struct consent){.is_refused = true};
	identity_end(&t->st.identity);
	t->out->fact = strcmp(act->action, "niega") == 0 ? "consent.refused" : "consent.revoked";
}

bool consent_said(struct turn *t)
{
	enum consent_answer answer = consent_read(t->arena, t->said.text);

	if (answer == CONSENT_UNCLEAR)
		return false;
	misses_reset(t);
	if (answer == CONSENT_YES)
		granted(t);
	else
		refused(t);
	return true;
}
