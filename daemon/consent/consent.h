/* SPDX-License-Identifier: Apache-2.0
 *
 * consent/consent.h: what counts as a yes to the use of personal data (Ley 1581 de 2012), and how a
 * yes is kept so that it can be proved later.
 *
 *	switch (consent_read(arena, text)) { case CONSENT_YES: ... }
 *	if (!consent_is_valid(&state->consent, document)) ... ask ...
 *
 * Only an affirmative act in reply to the question counts (HD-03): every word of the answer must be
 * known to belong to a yes, or it isn't one. Emoji, "ok", silence, a file, a voice note or going on
 * with the chat are none. The reading of taps is the flow's business. Pure, thread-safe.
 */
#ifndef CONSENT_CONSENT_H
#define CONSENT_CONSENT_H

#include "base/arena.h"

enum consent_answer { CONSENT_UNCLEAR, CONSENT_YES, CONSENT_NO };

/* Reads what a person typed in reply to the consent question. */
enum consent_answer consent_read(struct arena *arena, pa_str text);

/* A legal text, never edited in place (HD-10). */
struct consent_document {
	pa_str name;           /* "aviso", "consentimiento", "politica" */
	int64_t version;       /* 1, 2 ... */
	int64_t substantial;   /* the version since which its purposes are the same (HD-06) */
	int64_t effective_day; /* in force since */
	pa_str body;           /* as shown, the house's own data filled in */
	uint8_t digest[32];    /* SHA-256 of body */
};

/* What a conversation remembers of its holder's last answer. */
struct consent {
	int64_t version; /* of the question answered with yes; 0: none */
	int64_t at_ns;
	bool is_refused; /* the last answer was a no */
};

/* True if what was granted still covers what the document asks for (HD-06). */
bool consent_is_valid(const struct consent *consent, const struct consent_document *document);

/* "aviso 1, consentimiento 1, sha256 of each ...": which texts a person had in front of him. */
pa_str consent_texts_shown(struct arena *arena, const struct consent_document *const *documents,
			   size_t count);

#endif
