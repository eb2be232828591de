/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/money.h"
#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define PAGE_ROWS 8 /* beside "more" and the advisor */
#define REPEATED_TAP_NS (60 * NS_PER_S)
#define CREDIT_MARK "credito_"

/* ---- options ---- */

static struct option option_of(struct turn *t, const char *name, enum engine_text title)
{
	struct option option = {
		.name = str_from(name),
		.title = fill(t, t->set->engine[title]),
		.next = NOWHERE,
		.flow = NOWHERE,
		.action = NOWHERE,
	};

	option.folded = text_fold(t->arena, option.title);
	return option;
}

static struct option option_advisor(struct turn *t)
{
	struct option option = option_of(t, "asesor", TEXT_ADVISOR);

	option.flow = t->set->advisor;
	return option;
}

struct engine_option {
	const char *name;
	enum engine_text title;
	const char *word; /* what else says it; NULL: nothing */
};

static size_t engine_options(struct turn *t, const struct engine_option *list, size_t count,
			     struct option *options)
{
	for (size_t i = 0; i < count; i++) {
		pa_str *word = ARENA_NEW(t->arena, pa_str);

		options[i] = option_of(t, list[i].name, list[i].title);
		if (!list[i].word)
			continue;
		*word = str_from(list[i].word);
		options[i].words = word;
		options[i].words_count = 1;
	}
	return count;
}

/* The two readings of an amount, for the person to choose. */
static size_t amount_options(struct turn *t, struct option *options)
{
	static const struct {
		const char *name;
		int64_t times;
	} readings[] = {{"menor", 1}, {"mayor", AMOUNT_THOUSANDS}};

	for (size_t i = 0; i < ARRAY_COUNT(readings); i++) {
		options[i] = (struct option){
			.name = str_from(readings[i].name),
			.title = money_format(t->arena, t->st.amount_doubt * readings[i].times),
			.next = NOWHERE,
			.flow = NOWHERE,
			.action = NOWHERE};
		options[i].folded = text_fold(t->arena, options[i].title);
	}
	options[ARRAY_COUNT(readings)] = option_advisor(t);
	return ARRAY_COUNT(readings) + 1;
}

/* The credits that were shown, remembered as "title\nid" under numbered names. */
static size_t credit_options(struct turn *t, struct option *options)
{
	size_t count = 0;

	for (size_t i = 0; i < t->st.memory_count && count < OPTIONS_SHOWN_MAX - 2; i++) {
		pa_str rest = t->st.memory[i].value;

		if (!str_starts(t->st.memory[i].name, PA_STR(CREDIT_MARK)))
			continue;
		options[count] = (struct option){.name = t->st.memory[i].name,
						 .title = str_split(&rest, '\n'),
						 .next = top_step(t)->next,
						 .flow = NOWHERE,
						 .action = NOWHERE};
		options[count].folded = text_fold(t->arena, options[count].title);
		count++;
	}
	options[count++] = option_advisor(t);
	return count;
}

static size_t pick_options(struct turn *t, struct option *options)
{
	for (size_t i = 0; i < t->st.picks_count; i++) {
		const struct flow *flow = &t->set->flows[t->st.picks[i]];

		options[i] = (struct option){.name = flow->name,
					     .title = flow->label,
					     .folded = text_fold(t->arena, flow->label),
					     .next = NOWHERE,
					     .flow = t->st.picks[i],
					     .action = NOWHERE};
	}
	options[t->st.picks_count] = option_advisor(t);
	return t->st.picks_count + 1;
}

static size_t identity_options(struct turn *t, struct option *options)
{
	static const struct engine_option code[] = {{"reenviar", TEXT_ID_RESEND, NULL},
						    {"sin_celular", TEXT_ID_LOST, NULL}};
	size_t count = 0;

	if (t->st.identity.stage == STAGE_CODE)
		count = engine_options(t, code, ARRAY_COUNT(code), options);
	options[count++] = option_advisor(t);
	return count;
}

/* After two misses at an open question there is something to tap. */
static size_t way_out(struct turn *t, struct option *options)
{
	options[0] = option_advisor(t);
	options[1] = option_of(t, "menu", TEXT_MENU);
	options[1].action = ACTION_MENU;
	return 2;
}

size_t question_options(struct turn *t, struct option options[OPTIONS_SHOWN_MAX])
{
	static const struct engine_option consent[] = {{"si", TEXT_CONSENT_YES, NULL},
						       {"no", TEXT_CONSENT_NO, NULL},
						       {"politica", TEXT_CONSENT_POLICY, NULL}};
	static const struct engine_option yes_no[] = {{"si", TEXT_YES, NULL},
						      {"no", TEXT_NO, NULL}};
	static const struct engine_option draft[] = {{"seguir", TEXT_CONTINUE, "si"},
						     {"nuevo", TEXT_ANEW, "no"}};
	static const struct engine_option leave[] = {{"quedarse", TEXT_STAY, "no"},
						     {"salir", TEXT_LEAVE, "si"}};
	const struct step *step;

	switch (t->st.waiting) {
	case WAIT_STEP:
		step = top_step(t);
		if (t->st.amount_doubt)
			return amount_options(t, options);
		if (step->verb != VERB_CHOOSE)
			return t->st.misses_format >= 2 ? way_out(t, options) : 0;
		if (step->from_credits)
			return credit_options(t, options);
		memcpy(options, step->options, step->options_count * sizeof(*options));
		return step->options_count;
	case WAIT_CONSENT:
		return engine_options(t, consent, ARRAY_COUNT(consent), options);
	case WAIT_IDENTITY:
		return identity_options(t, options);
	case WAIT_EXIT:
		return engine_options(t, leave, ARRAY_COUNT(leave), options);
	case WAIT_PICK:
		return pick_options(t, options);
	case WAIT_DRAFT:
		return engine_options(t, draft, ARRAY_COUNT(draft), options);
	case WAIT_CORE_BACK:
		return engine_options(t, yes_no, ARRAY_COUNT(yes_no), options);
	case WAIT_NOTHING:
	case WAIT_COUNT:
		break;
	}
	return 0;
}

/* ---- showing ---- */

/* More options than a list has rows are shown by pages; the advisor stands on each, last. */
static size_t cut_page(struct turn *t, struct option *options, size_t count)
{
	size_t first = (size_t)t->st.page * PAGE_ROWS, shown;
	struct option last;

	if (count <= ROWS_MAX)
		return count;
	assert(count <= OPTIONS_SHOWN_MAX);
	last = options[count - 1];
	if (first >= count - 1)
		first = 0;
	shown = count - 1 - first < PAGE_ROWS ? count - 1 - first : PAGE_ROWS;
	memmove(options, options + first, shown * sizeof(*options));
	options[shown++] = option_of(t, "mas", TEXT_MORE);
	options[shown++] = last;
	return shown;
}

static void show(struct turn *t, pa_str body)
{
	struct option options[OPTIONS_SHOWN_MAX] = {0};
	size_t count = cut_page(t, options, question_options(t, options));
	pa_str button = t->st.waiting == WAIT_STEP ? top_step(t)->button : PA_STR_ABSENT;

	t->st.mark++;
	emit_question(t, body, options, count, button);
}

void question_ask(struct turn *t, enum waiting waiting, const struct text *text)
{
	t->st.waiting = waiting;
	t->st.page = 0;
	t->st.amount_doubt = 0;
	show(t, fill(t, text));
}

void question_clear(struct turn *t)
{
	t->st.waiting = WAIT_NOTHING;
	t->st.picks_count = 0;
	t->st.amount_doubt = 0;
}

void question_repeat(struct turn *t)
{
	static const enum engine_text texts[WAIT_COUNT] = {
		[WAIT_EXIT] = TEXT_EXIT,
		[WAIT_PICK] = TEXT_WHICH,
		[WAIT_DRAFT] = TEXT_DRAFT,
		[WAIT_CORE_BACK] = TEXT_CORE_BACK_VERIFY,
	};

	switch (t->st.waiting) {
	case WAIT_NOTHING:
	case WAIT_COUNT:
		if (t->prefixes_count || t->out->replies_count)
			emit_prefixes(t);
		else
			action_do(t, ACTION_MENU);
		return;
	case WAIT_STEP:
		show(t, fill(t, t->st.amount_doubt ? t->set->engine[TEXT_AMOUNT]
						   : top_step(t)->retry));
		return;
	case WAIT_CONSENT:
		consent_repeat(t);
		return;
	case WAIT_IDENTITY:
		verify_repeat(t);
		return;
	case WAIT_EXIT:
	case WAIT_PICK:
	case WAIT_DRAFT:
	case WAIT_CORE_BACK:
		show(t, fill(t, t->set->engine[texts[t->st.waiting]]));
		return;
	}
}

/* ---- answers ---- */

static void pick_chosen(struct turn *t, const struct option *option)
{
	question_clear(t);
	wish_take(t, option->flow);
}

/* The advisor beside the engine's own questions, and beside open ones. */
static bool is_way_out(struct turn *t, const struct option *option)
{
	if (option->flow == NOWHERE && option->action == NOWHERE)
		return false;
	if (t->st.waiting == WAIT_STEP)
		return top_step(t)->verb == VERB_ASK || top_step(t)->from_credits ||
		       t->st.amount_doubt;
	return t->st.waiting != WAIT_PICK;
}

static int64_t amount_chosen(const struct turn *t, const struct option *option)
{
	return t->st.amount_doubt *
	       (str_equal(option->name, PA_STR("mayor")) ? AMOUNT_THOUSANDS : 1);
}

void question_answer(struct turn *t, const struct option *option, bool is_tap)
{
	misses_reset(t);
	if (str_equal(option->name, PA_STR("mas")) && t->st.waiting == WAIT_STEP) {
		t->st.page++;
		question_repeat(t);
		return;
	}
	if (is_way_out(t, option)) {
		if (option->flow != NOWHERE)
			wish_take(t, option->flow);
		else
			action_do(t, (enum action)option->action);
		return;
	}
	switch (t->st.waiting) {
	case WAIT_STEP:
		if (t->st.amount_doubt)
			step_amount(t, amount_chosen(t, option));
		else
			step_chosen(t, option, is_tap);
		return;
	case WAIT_CONSENT:
		consent_chosen(t, option->name);
		return;
	case WAIT_IDENTITY:
		verify_chosen(t, option->name);
		return;
	case WAIT_EXIT:
		exit_chosen(t, option->name);
		return;
	case WAIT_PICK:
		pick_chosen(t, option);
		return;
	case WAIT_DRAFT:
		draft_chosen(t, option->name);
		return;
	case WAIT_CORE_BACK:
		core_back_chosen(t, option->name);
		return;
	case WAIT_NOTHING:
	case WAIT_COUNT:
		return;
	}
}

/* ---- taps ---- */

static bool is_on_table(struct turn *t, const struct tap *tap)
{
	if (t->st.waiting == WAIT_NOTHING || tap->waiting != t->st.waiting ||
	    tap->mark != t->st.mark)
		return false;
	if (tap->waiting != WAIT_STEP)
		return true;
	return str_equal(tap->flow, top_flow(t)->name) && str_equal(tap->step, top_step(t)->name);
}

static const struct option *find_option(const struct option *options, size_t count, pa_str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(options[i].name, name))
			return &options[i];
	return NULL;
}

static void answer_tap(struct turn *t, const struct tap *tap)
{
	struct option options[OPTIONS_SHOWN_MAX];
	size_t count = question_options(t, options);
	const struct option *option;

	options[count] = option_of(t, "mas", TEXT_MORE);
	option = find_option(options, count + (count > ROWS_MAX), tap->option);
	if (!option) {
		question_repeat(t);
		return;
	}
	t->st.tapped_mark = tap->mark;
	t->st.tapped_option = option->name;
	t->st.tapped_at_ns = t->in->now_ns;
	question_answer(t, option, true);
}

/* An option that only opens a flow does no harm however old it is: the flow itself asks for
 * whatever it needs. NOWHERE: this one is not of that kind. */
static int harmless_flow(struct turn *t, const struct tap *tap)
{
	int flow, step;
	const struct step *asked;

	if (tap->waiting == WAIT_PICK)
		return set_find_flow(t->set, tap->option);
	if (tap->waiting != WAIT_STEP)
		return str_equal(tap->option, PA_STR("asesor")) ? t->set->advisor : NOWHERE;
	flow = set_find_flow(t->set, tap->flow);
	step = flow == NOWHERE ? NOWHERE : flow_find_step(&t->set->flows[flow], tap->step);
	if (step == NOWHERE)
		return NOWHERE;
	asked = &t->set->flows[flow].steps[step];
	for (size_t i = 0; i < asked->options_count; i++)
		if (str_equal(asked->options[i].name, tap->option) &&
		    !asked->options[i].act.purpose.ptr)
			return asked->options[i].flow;
	return NOWHERE;
}

static void present_situation(struct turn *t)
{
	if (verify_tells_lock(t))
		return;
	prefix(t, TEXT_TAP_OLD);
	if (t->st.waiting == WAIT_NOTHING)
		action_do(t, ACTION_MENU);
	else
		question_repeat(t);
}

static bool is_repeated(const struct turn *t, const struct tap *tap)
{
	return tap->mark == t->st.tapped_mark && str_equal(tap->option, t->st.tapped_option) &&
	       t->in->now_ns - t->st.tapped_at_ns < REPEATED_TAP_NS;
}

void question_tap(struct turn *t, pa_str id)
{
	bool is_expired;
	struct tap tap;
	int flow;

	if (!tap_read(t->arena, t->ports, t->in->conversation, id, &tap)) {
		present_situation(t);
		return;
	}
	is_expired = tap.until_s < t->in->now_ns / NS_PER_S;
	if (is_on_table(t, &tap) && !is_expired) {
		answer_tap(t, &tap);
		return;
	}
	if (is_repeated(t, &tap)) {
		no_answer(t, "the same option tapped again");
		return;
	}
	if (tap.waiting == WAIT_CONSENT && str_equal(tap.option, PA_STR("politica"))) {
		action_do(t, ACTION_POLICY);
		return;
	}
	flow = harmless_flow(t, &tap);
	if (flow == NOWHERE)
		present_situation(t);
	else
		wish_take(t, flow);
}
