/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/str.h"
#include "flow/redact.h"
#include "io/unicode.h"

#include <string.h>

#define TEXT_MAX 2000
#define GLOBAL_WORDS_MAX 3 /* in an open question, a global word must stand almost alone */
#define LATE_NS (30 * NS_PER_MINUTE)
#define DOCUMENT_DIGITS 7 /* what is shorter may be something else */
#define NEAR_PERCENT 80   /* a second reading so close makes it two */

bool message_is_late(const struct turn *t)
{
	return t->event && t->event->at_ns > 0 && t->in->now_ns - t->event->at_ns > LATE_NS;
}

static bool asks_open(struct turn *t)
{
	return t->st.waiting == WAIT_STEP && top_step(t)->verb == VERB_ASK &&
	       top_step(t)->ask == ASK_TEXT;
}

/* An amount is asked for, or may still be put right. */
static bool takes_amount(struct turn *t)
{
	const struct step *step = t->st.waiting == WAIT_STEP ? top_step(t) : NULL;

	return step && ((step->verb == VERB_ASK && step->ask == ASK_AMOUNT) ||
			(step->verb == VERB_CHOOSE && step->into.ptr));
}

static bool is_trouble(const struct turn *t, const struct intent *intent)
{
	return intent->flow != NOWHERE && t->set->flows[intent->flow].is_trouble;
}

/* Fraud, grief and the like come before all else; of several, the one that stands first in the
 * files. The flow that is dealing with it just now is left alone. */
const struct intent *message_trouble(struct turn *t)
{
	const struct intent *first = NULL;

	for (size_t i = 0; i < t->found_count; i++) {
		const struct intent *intent = t->found[i].intent;
		bool is_under_way = t->st.depth && top_frame(t)->flow == intent->flow;

		if (is_trouble(t, intent) && !is_under_way && (!first || intent < first))
			first = intent;
	}
	return first;
}

static const struct intent *find_global(struct turn *t)
{
	if (asks_open(t) && t->said.count > GLOBAL_WORDS_MAX)
		return NULL;
	for (size_t i = 0; i < t->found_count; i++)
		if (t->found[i].intent->is_global && !is_trouble(t, t->found[i].intent))
			return t->found[i].intent;
	return NULL;
}

const struct intent *message_urgent(struct turn *t)
{
	const struct intent *trouble = message_trouble(t), *global = find_global(t);

	if (trouble)
		return trouble;
	return global && global->flow != NOWHERE && global->flow == t->set->advisor ? global : NULL;
}

/* ---- reading ---- */

static bool has_digit(pa_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
			return true;
	return false;
}

static bool answers_question(struct turn *t)
{
	struct option options[OPTIONS_SHOWN_MAX];
	size_t count, which;
	int64_t amount;

	if (t->st.waiting == WAIT_NOTHING)
		return false;
	if (t->st.waiting == WAIT_CONSENT &&
	    consent_read(t->arena, t->said.text) != CONSENT_UNCLEAR)
		return true;
	if (t->st.waiting == WAIT_IDENTITY && has_digit(t->said.text))
		return true;
	if (takes_amount(t) && amount_read(&t->said, &amount) != AMOUNT_NONE)
		return true;
	if (t->st.waiting == WAIT_STEP && top_step(t)->verb == VERB_ASK)
		return false;
	count = question_options(t, options);
	return match_option(&t->said, options, count, &which) != MATCH_NONE;
}

static const struct intent *intent_named(const struct flow_set *set, pa_str name)
{
	for (size_t i = 0; i < set->intents_count; i++)
		if (str_equal(set->intents[i].name, name))
			return &set->intents[i];
	return NULL;
}

/* The language plugin is asked only for what the words alone did not tell. */
static void guess(struct turn *t)
{
	struct turn_intent readings[GUESSES_MAX];
	pa_str question = t->st.waiting == WAIT_STEP ? top_step(t)->name : PA_STR_ABSENT;
	size_t count = 0;

	if (t->ports->classify(t->ports->arg, t->arena, t->said.text, question, readings,
			       GUESSES_MAX, &count) != PA_OK)
		return;
	for (size_t i = 0; i < count && i < GUESSES_MAX; i++) {
		const struct intent *intent = intent_named(t->set, readings[i].name);
		bool is_near = (uint64_t)readings[i].confidence * 100 >=
			       (uint64_t)readings[0].confidence * NEAR_PERCENT;

		if (intent && is_near && readings[i].confidence >= t->set->options.intent_threshold)
			t->guesses[t->guesses_count++] = intent;
	}
}

bool message_read(struct turn *t, pa_str text)
{
	pa_str valid = verify_digits(t, utf8_repair(t->arena, utf8_cut(text, TEXT_MAX)));

	t->guesses_count = 0;
	said_split(t->arena, valid, &t->said);
	t->found_count = intents_find(t->set, &t->said, t->found);
	if (t->said.count == 0)
		return true;
	if (asks_open(t))
		return message_trouble(t) || find_global(t);
	if (t->found_count || answers_question(t) || has_digit(valid) || said_is_foreign(&t->said))
		return true;
	guess(t);
	return t->guesses_count > 0;
}

bool message_is_greeting(const struct turn *t)
{
	return t->found_count == 1 && t->found[0].intent->action == ACTION_GREETING;
}

/* Flows, another code and a mere hello. A service is the same however it is asked for; a complaint
 * or a question only in the same words; what is urgent is heard each time. 0: something else is
 * said. */
static int64_t hash_of_wishes(struct turn *t)
{
	pa_str names = PA_STR("");
	bool has_words = false;

	for (size_t i = 0; i < t->found_count; i++) {
		const struct intent *intent = t->found[i].intent;

		if (is_trouble(t, intent) ||
		    (intent->flow == NOWHERE && intent->action != ACTION_GREETING &&
		     intent->action != ACTION_RESEND))
			return 0;
		names = arena_format(t->arena, "%.*s %.*s", PA_FMT(names), PA_FMT(intent->name));
		has_words = has_words ||
			    (intent->flow != NOWHERE && !t->set->flows[intent->flow].needs_consent);
	}
	if (t->found_count == 0 ||
	    (message_is_greeting(t) && said_beyond(&t->said, t->found, t->found_count)))
		return 0;
	return (int64_t)str_hash(has_words ? t->said.folded : names);
}

bool message_is_repeated(struct turn *t)
{
	int64_t hash = asks_open(t) ? 0 : hash_of_wishes(t);
	/* "hola??" behind a request, with its question on the table, is impatience */
	bool is_same = hash == t->st.asked_hash ||
		       (message_is_greeting(t) && t->st.waiting != WAIT_NOTHING);
	bool is_repeated = hash && t->st.asked_hash && is_same &&
			   t->in->now_ns - t->st.asked_at_ns < REPEATED_NS;

	if (!is_repeated) {
		t->st.asked_hash = hash;
		t->st.asked_at_ns = t->in->now_ns;
	}
	return is_repeated;
}

/* ---- acting ---- */

static void perform(struct turn *t, const struct intent *intent)
{
	t->st.misses_meaning = 0;
	t->begin_flow = intent->step > 0 ? intent->flow : NOWHERE;
	t->begin_step = intent->step;
	if (intent->flow != NOWHERE)
		wish_take(t, intent->flow);
	else
		action_do(t, intent->action);
}

static void start_trouble(struct turn *t, const struct intent *intent)
{
	flows_drop(t);
	t->said.text = redact_text(t->arena, t->said.text, NULL);
	flow_start(t, intent->flow);
}

static bool answer_exactly(struct turn *t)
{
	struct option options[OPTIONS_SHOWN_MAX];
	size_t count = question_options(t, options);

	/* A typed yes to the consent question is read more strictly, by its own rules. */
	if (t->st.waiting == WAIT_CONSENT)
		count = 0;
	for (size_t i = 0; i < count; i++)
		if (match_exactly(&t->said, &options[i])) {
			question_answer(t, &options[i], false);
			return true;
		}
	return false;
}

static bool answer_loosely(struct turn *t)
{
	struct option options[OPTIONS_SHOWN_MAX];
	size_t count = question_options(t, options), which;
	enum match match = match_option(&t->said, options, count, &which);

	if (match == MATCH_NONE)
		return false;
	if (match == MATCH_ONE && options[which].act.purpose.ptr &&
	    consent_read(t->arena, t->said.text) == CONSENT_UNCLEAR)
		return false; /* no consent is given or refused but plainly (HD-03) */
	if (match == MATCH_SEVERAL || t->st.waiting == WAIT_CONSENT)
		question_repeat(t);
	else
		question_answer(t, &options[which], false);
	return true;
}

/* ---- wishes ---- */

static size_t wishes_said(struct turn *t, const struct intent *list[INTENTS_FOUND_MAX])
{
	size_t count = 0;

	/* what protects goes first: a complaint, a right */
	for (int is_second = 0; is_second < 2; is_second++)
		for (size_t i = 0; i < t->found_count; i++) {
			const struct intent *intent = t->found[i].intent;

			if (intent->flow != NOWHERE && !is_trouble(t, intent) &&
			    intent->is_global == !is_second)
				list[count++] = intent;
		}
	return count;
}

/* Several wishes in one message are done in turn; the order is told first. */
static void take_several(struct turn *t, const struct intent *const *list, size_t count)
{
	pa_str labels[INTENTS_FOUND_MAX];

	for (size_t i = 1; i < count; i++)
		labels[i - 1] = t->set->flows[list[i]->flow].label;
	t->others = join_labels(t->arena, labels, count - 1);
	t->wish = list[0]->flow;
	prefix(t, TEXT_WISHES);
	t->wish = NOWHERE;
	if (!consent_has(t) && t->set->flows[list[0]->flow].needs_consent)
		wish_note(t, list[0]->flow);
	for (size_t i = 1; i < count; i++)
		wish_note(t, list[i]->flow);
	wish_take(t, list[0]->flow);
}

static bool take_wishes(struct turn *t)
{
	const struct intent *list[INTENTS_FOUND_MAX];
	size_t count = wishes_said(t, list);

	if (count == 0)
		return false;
	t->st.misses_meaning = 0;
	if (count == 1)
		wish_take(t, list[0]->flow);
	else
		take_several(t, list, count);
	return true;
}

/* A complaint beside other wishes is done in turn with them. */
static bool is_one_of_several(struct turn *t, const struct intent *global)
{
	const struct intent *list[INTENTS_FOUND_MAX];

	if (global->flow == NOWHERE || global->flow == t->set->advisor || global->step ||
	    t->set->flows[global->flow].is_aside || asks_open(t))
		return false;
	return wishes_said(t, list) > 1;
}

static void ask_which(struct turn *t)
{
	t->st.picks_count = 0;
	for (size_t i = 0; i < t->guesses_count; i++)
		if (t->guesses[i]->flow != NOWHERE)
			t->st.picks[t->st.picks_count++] = t->guesses[i]->flow;
	question_ask(t, WAIT_PICK, t->set->engine[TEXT_WHICH]);
}

static bool take_guess(struct turn *t)
{
	if (t->guesses_count == 0)
		return false;
	if (t->guesses_count == 2 && t->guesses[0]->flow != NOWHERE &&
	    t->guesses[1]->flow != NOWHERE && t->guesses[0]->flow != t->guesses[1]->flow)
		ask_which(t);
	else
		perform(t, t->guesses[0]);
	return true;
}

static bool take_action(struct turn *t)
{
	for (size_t i = 0; i < t->found_count; i++)
		if (t->found[i].intent->action != ACTION_NONE) {
			perform(t, t->found[i].intent);
			return true;
		}
	return false;
}

/* ---- numbers out of place ---- */

/* He was handed to a person while this was asked, and answers all the same. */
static bool is_answer_after_all(struct turn *t)
{
	int wish = t->st.last_wish;

	return t->st.waiting == WAIT_NOTHING && wish != NOWHERE && consent_has(t) &&
	       t->set->flows[wish].steps[0].verb == VERB_VERIFY && t->st.cases_count &&
	       t->in->now_ns - t->st.cases[0].at_ns < NS_PER_HOUR && !message_is_late(t);
}

/* What the flow that was started would ask first is known. */
static void give_document(struct turn *t, const struct document *document)
{
	if (t->st.waiting != WAIT_IDENTITY)
		return;
	t->out->replies_count = t->out->question = 0;
	verify_document(t, document, false);
}

/* Another person's document ends the session and begins another verification. */
static bool other_document(struct turn *t)
{
	struct document document;

	if (t->st.waiting == WAIT_IDENTITY ||
	    document_read(t->arena, t->said.text, &document) != DOCUMENT_OK ||
	    strlen(document.number) < DOCUMENT_DIGITS)
		return false;
	if (is_answer_after_all(t)) {
		flow_start(t, t->st.last_wish);
		give_document(t, &document);
		return true;
	}
	if (!verified(t)) {
		prefix(t, TEXT_NUMBERS);
		if (t->st.waiting != WAIT_NOTHING)
			question_repeat(t);
		else
			action_do(t, ACTION_MENU);
		return true;
	}
	if (str_equal(str_from(document.number), str_from(t->st.identity.document.number))) {
		question_repeat(t);
		return true;
	}
	action_do(t, ACTION_OTHER_PERSON);
	if (t->st.waiting == WAIT_IDENTITY)
		prefix(t, TEXT_ID_OTHER);
	give_document(t, &document);
	return true;
}

static bool number_out_of_place(struct turn *t)
{
	char code[CODE_DIGITS + 1];
	bool is_bare = str_is_digits(str_trim(t->said.text));

	if (is_bare && code_read(t->said.text, code) == CODE_OK) {
		verify_stray(t);
		return true;
	}
	if (is_bare && t->said.text.len <= 2 && t->st.waiting == WAIT_STEP &&
	    top_step(t)->verb == VERB_CHOOSE) { /* no option has that number */
		miss_format(t, TEXT_NOT_UNDERSTOOD);
		return true;
	}
	return has_digit(t->said.text) && other_document(t);
}

/* ---- the order of readings ---- */

static bool answer_of_question(struct turn *t)
{
	int64_t amount;

	if (t->st.waiting == WAIT_IDENTITY)
		return has_digit(t->said.text) && verify_said(t);
	if (takes_amount(t) && amount_read(&t->said, &amount) != AMOUNT_NONE)
		return step_said(t);
	return asks_open(t) && step_said(t);
}

static bool last_resort(struct turn *t)
{
	if (t->st.waiting == WAIT_STEP && top_step(t)->verb == VERB_ASK)
		return step_said(t);
	if (t->st.waiting == WAIT_IDENTITY && t->st.identity.stage == STAGE_DOCUMENT)
		return verify_said(t);
	return false;
}

static void blot_secrets(struct turn *t)
{
	unsigned what;
	pa_str redacted = redact_text(t->arena, t->said.text, &what);

	/* a code that is awaited is the answer */
	if (t->st.waiting == WAIT_IDENTITY)
		what &= ~REDACTED_CODE;
	if (!(what & (REDACTED_SECRET | REDACTED_CODE)))
		return;
	t->had_secret = true;
	said_split(t->arena, redacted, &t->said);
	prefix(t, TEXT_SECRET);
}

void message_act(struct turn *t)
{
	const struct intent *trouble = message_trouble(t), *global;

	blot_secrets(t);
	if (t->said.count == 0) {
		action_do(t, ACTION_NOTHING);
		return;
	}
	if (trouble) {
		start_trouble(t, trouble);
		return;
	}
	if (t->st.waiting == WAIT_CONSENT && consent_said(t))
		return;
	if (answer_exactly(t))
		return;
	global = find_global(t);
	if (global && !is_one_of_several(t, global)) {
		perform(t, global);
		return;
	}
	if (answer_of_question(t) || take_wishes(t) || take_guess(t) || answer_loosely(t) ||
	    number_out_of_place(t) || take_action(t) || last_resort(t))
		return;
	if (said_is_foreign(&t->said))
		to_person(t, TEXT_FOREIGN, "otro_idioma");
	else
		miss_meaning(t);
}

/* ---- what is no text ---- */

static bool is_tap(const struct turn *t)
{
	return t->event->message_kind == PA_IN_BUTTON || t->event->message_kind == PA_IN_ROW;
}

/* The words under a photo say what is wanted. */
static bool caption_is_clear(struct turn *t)
{
	bool is_file = t->event->message_kind == PA_IN_IMAGE ||
		       t->event->message_kind == PA_IN_VIDEO ||
		       t->event->message_kind == PA_IN_DOCUMENT;

	if (!is_file || t->event->text.len == 0)
		return false;
	message_read(t, t->event->text);
	return t->found_count > 0;
}

bool message_read_other(struct turn *t)
{
	t->said = (struct said){0};
	t->found_count = 0;
	if (!is_tap(t))
		return caption_is_clear(t);
	if (t->event->text.len)
		message_read(t, t->event->text);
	return true;
}

void message_other(struct turn *t)
{
	static const enum engine_text texts[] = {
		[PA_IN_IMAGE] = TEXT_IN_FILE,        [PA_IN_VIDEO] = TEXT_IN_FILE,
		[PA_IN_DOCUMENT] = TEXT_IN_FILE,     [PA_IN_AUDIO] = TEXT_IN_AUDIO,
		[PA_IN_STICKER] = TEXT_IN_STICKER,   [PA_IN_LOCATION] = TEXT_IN_LOCATION,
		[PA_IN_CONTACTS] = TEXT_IN_CONTACTS, [PA_IN_FORM] = TEXT_IN_OTHER,
		[PA_IN_ORDER] = TEXT_IN_OTHER,       [PA_IN_EDIT] = TEXT_IN_EDIT,
		[PA_IN_UNSUPPORTED] = TEXT_IN_OTHER, [PA_IN_OTHER] = TEXT_IN_OTHER,
	};
	uint32_t kind = t->event->message_kind;
	enum engine_text thanks;

	if (is_tap(t)) {
		question_tap(t, t->event->reply_id);
		return;
	}
	if (kind == PA_IN_REVOKE) {
		no_answer(t, "a message was taken back");
		return;
	}
	if (kind == PA_IN_REACTION) { /* never consent, nor a yes; it may be a person who waits */
		if (t->st.waiting == WAIT_NOTHING)
			no_answer(t, "a reaction, and no question on the table");
		else
			question_repeat(t);
		return;
	}
	if (kind >= ARRAY_COUNT(texts) || kind < PA_IN_IMAGE)
		kind = PA_IN_OTHER;
	thanks = file_is_kept(t, t->event) ? TEXT_FILE_KEPT : texts[kind];
	if (caption_is_clear(t)) {
		prefix(t, thanks);
		message_act(t);
		return;
	}
	miss_kind(t, thanks);
}
