/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/check.h"

#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define UNVISITED UINT32_MAX
#define TURN_FACTS (FACT_CREDITS | FACT_CREDIT) /* gone when the person answers */
#define NOTICE_AND_QUESTION_MAX 1024            /* they stand in one interactive body */

static void add_way(int *ways, size_t *count, int next)
{
	if (next >= 0)
		ways[(*count)++] = next;
}

size_t step_ways(const struct step *step, int ways[CASES_MAX + OPTIONS_MAX + 2])
{
	size_t count = 0;

	add_way(ways, &count, step->next);
	add_way(ways, &count, step->otherwise);
	for (size_t i = 0; i < step->cases_count; i++)
		add_way(ways, &count, step->cases[i].next);
	for (size_t i = 0; i < step->options_count; i++)
		add_way(ways, &count, step->options[i].next);
	return count;
}

bool step_waits(const struct step *step)
{
	return step->verb == VERB_ASK || step->verb == VERB_CHOOSE || step->verb == VERB_VERIFY;
}

/* ---- what is known at each step ---- */

static uint32_t facts_after(const struct step *step, uint32_t facts, int next)
{
	switch (step->verb) {
	case VERB_VERIFY:
		return facts | FACT_VERIFIED | FACT_TAIL;
	case VERB_ASK:
		return facts & ~TURN_FACTS;
	case VERB_CHOOSE:
		return (facts & ~TURN_FACTS) | (step->from_credits ? FACT_CHOSEN : 0);
	case VERB_FETCH:
		if (next != step->next)
			return facts;
		return facts | FACT_CREDITS | (step->what == FETCH_CREDIT ? FACT_CREDIT : 0);
	case VERB_HAND_OVER:
		return facts | FACT_CASE;
	case VERB_SAY:
	case VERB_WHEN:
	case VERB_REMEMBER:
	case VERB_GO:
		break;
	}
	return facts;
}

static uint32_t facts_wanted(const struct step *step)
{
	switch (step->verb) {
	case VERB_FETCH:
		return FACT_VERIFIED | (step->what == FETCH_CREDIT ? FACT_CHOSEN : 0);
	case VERB_CHOOSE:
		return step->from_credits ? FACT_CREDITS : 0;
	case VERB_WHEN:
		if (step->question == QUESTION_CREDIT_STATE)
			return FACT_CREDIT;
		return step->question == QUESTION_CREDIT_COUNT ? FACT_CREDITS : 0;
	case VERB_HAND_OVER:
		return step->is_addition ? FACT_CASE : 0;
	case VERB_SAY:
	case VERB_ASK:
	case VERB_VERIFY:
	case VERB_REMEMBER:
	case VERB_GO:
		break;
	}
	return 0;
}

static const char *fact_name(uint32_t lacking)
{
	static const struct {
		uint32_t fact;
		const char *name;
	} names[] = {
		{FACT_VERIFIED, "haber confirmado la identidad (verify)"},
		{FACT_CREDIT, "haber consultado el crédito en el mismo turno (fetch credito)"},
		{FACT_CHOSEN, "haber elegido un crédito (choose con creditos)"},
		{FACT_CREDITS, "haber consultado los créditos en el mismo turno (fetch)"},
		{FACT_CASE, "haber abierto un caso (hand_over)"},
		{FACT_TAIL, "haber preguntado la cédula (verify)"},
		{FACT_SECRET, "ser el mensaje del código, que solo va por SMS"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (lacking & names[i].fact)
			return names[i].name;
	return "un dato que aquí no hay";
}

static void check_needs(const struct step *step, const struct text *text, uint32_t facts,
			struct flow_problems *problems)
{
	if (text && (text->needs & ~facts))
		problem_add(problems, step->where,
			    "el texto \"%.*s\" muestra un dato en un camino donde falta %s",
			    PA_FMT(text->name), fact_name(text->needs & ~facts));
}

static void check_facts(const struct step *step, struct flow_problems *problems)
{
	uint32_t after = facts_after(step, step->facts, step->next);
	uint32_t lacking = facts_wanted(step) & ~step->facts;

	if (lacking)
		problem_add(problems, step->where,
			    "el paso \"%.*s\" está en un camino donde falta %s", PA_FMT(step->name),
			    fact_name(lacking));
	check_needs(step, step->text, step->verb == VERB_HAND_OVER ? after : step->facts, problems);
	/* The question is repeated in a later turn, when nothing fetched is at hand. */
	check_needs(step, step->retry, step->facts & ~TURN_FACTS, problems);
	check_needs(step, step->missing, step->facts | FACT_MISSING, problems);
}

static void spread_facts(struct flow *flow)
{
	bool changed = true;

	for (size_t i = 0; i < flow->steps_count; i++)
		flow->steps[i].facts = UNVISITED;
	for (size_t i = 0; i < flow->steps_count; i++)
		if (i == 0 || flow->steps[i].is_entry)
			flow->steps[i].facts = FACT_WISH;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < flow->steps_count; i++) {
			const struct step *step = &flow->steps[i];
			int ways[CASES_MAX + OPTIONS_MAX + 2];
			size_t count = step_ways(step, ways);

			for (size_t k = 0; step->facts != UNVISITED && k < count; k++) {
				struct step *next = &flow->steps[ways[k]];
				uint32_t facts = facts_after(step, step->facts, ways[k]);

				changed = changed || (next->facts & facts) != next->facts;
				next->facts &= facts;
			}
		}
	}
}

static void check_paths(struct flow *flow, struct flow_problems *problems)
{
	spread_facts(flow);
	for (size_t i = 0; i < flow->steps_count; i++) {
		struct step *step = &flow->steps[i];

		if (step->facts == UNVISITED)
			problem_add(problems, step->where,
				    "al paso \"%.*s\" no se llega por ningún camino",
				    PA_FMT(step->name));
		else
			check_facts(step, problems);
	}
}

/* ---- circles, and how much is said in one turn ---- */

#define UNCOUNTED (-1)
#define COUNTING (-2)

static int most_bubbles(const struct flow_set *set, struct flow *flow, int at, bool *ret_circle);

static int bubbles_of(const struct step *step)
{
	return step->verb == VERB_SAY || step->verb == VERB_ASK || step->verb == VERB_CHOOSE ||
	       (step->verb == VERB_HAND_OVER && step->text);
}

static int most_after(const struct flow_set *set, struct flow *flow, const struct step *step,
		      bool *ret_circle)
{
	int ways[CASES_MAX + OPTIONS_MAX + 2], most = 0;
	size_t count;

	if (step->verb == VERB_GO)
		return step->flow < 0 || !set->flows[step->flow].steps_count
			       ? 0
			       : most_bubbles(set, &set->flows[step->flow], 0, ret_circle);
	count = step_ways(step, ways);
	for (size_t i = 0; i < count; i++) {
		int bubbles = most_bubbles(set, flow, ways[i], ret_circle);

		most = bubbles > most ? bubbles : most;
	}
	return most;
}

/* The most that is said from this step until the turn ends. */
static int most_bubbles(const struct flow_set *set, struct flow *flow, int at, bool *ret_circle)
{
	struct step *step = &flow->steps[at];
	int bubbles = bubbles_of(step);

	if (step->verb == VERB_ASK || (step->verb == VERB_CHOOSE && !step->from_credits))
		return bubbles;
	if (step->most == COUNTING)
		*ret_circle = true;
	if (step->most != UNCOUNTED)
		return step->most > 0 ? step->most : 0;
	step->most = COUNTING;
	/* One credit only is chosen without a question: then the turn goes on. */
	if (step->verb == VERB_CHOOSE)
		bubbles = 0;
	bubbles += most_after(set, flow, step, ret_circle);
	step->most = bubbles;
	return bubbles;
}

static void check_turns(const struct flow_set *set, struct flow *flow,
			struct flow_problems *problems)
{
	bool is_circle = false;

	for (size_t i = 0; i < flow->steps_count && !is_circle; i++) {
		int bubbles = most_bubbles(set, flow, (int)i, &is_circle);

		if (bubbles > BUBBLES_A_TURN)
			problem_add(problems, flow->steps[i].where,
				    "desde el paso \"%.*s\" se dicen %d mensajes seguidos; el "
				    "máximo es %d",
				    PA_FMT(flow->steps[i].name), bubbles, BUBBLES_A_TURN);
	}
	if (is_circle)
		problem_add(problems, flow->where,
			    "el flujo \"%.*s\" da vueltas sin preguntar nada", PA_FMT(flow->name));
}

/* ---- the whole ---- */

static void check_engine_texts(struct flow_set *set, struct flow_problems *problems)
{
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const struct engine_text_info *info = &engine_text_table[i];
		struct text *text = NULL;

		for (size_t k = 0; k < set->texts_count && !text; k++)
			if (str_equal(set->texts[k]->name, str_from(info->name)))
				text = set->texts[k];
		if (!text) {
			problem_add(problems, set->options.texts_directory, "falta el texto \"%s\"",
				    info->name);
			continue;
		}
		text->is_used = true;
		set->engine[i] = text;
		text_measure(text, info->kind, problems);
		if (text->needs & ~info->facts)
			problem_add(problems, text->where,
				    "el texto \"%s\" muestra un dato donde falta %s", info->name,
				    fact_name(text->needs & ~info->facts));
	}
}

static void check_documents(const struct flow_set *set, struct flow_problems *problems)
{
	static const char *const names[] = {"aviso", "consentimiento", "politica"};
	size_t both = utf8_length(set->documents[DOC_NOTICE].body) +
		      utf8_length(set->documents[DOC_CONSENT].body) + 2;

	for (size_t i = 0; i < DOC_COUNT; i++)
		if (set->documents[i].version == 0)
			problem_add(problems, set->options.texts_directory,
				    "falta el documento \"%s\" en una versión vigente", names[i]);
	if (both > NOTICE_AND_QUESTION_MAX)
		problem_add(problems, set->options.texts_directory,
			    "el aviso y la pregunta del consentimiento suman %zu letras; caben %d",
			    both, NOTICE_AND_QUESTION_MAX);
}

/* What is said while only a person goes on: of a case, and nothing else. */
static void check_after(const struct flow *flow, struct flow_problems *problems)
{
	if (!flow->after)
		return;
	text_measure(flow->after, TEXT_KIND_BODY, problems);
	if (flow->after->needs & ~FACT_CASE)
		problem_add(problems, flow->where,
			    "el texto \"%.*s\" muestra un dato donde falta %s",
			    PA_FMT(flow->after->name), fact_name(flow->after->needs & ~FACT_CASE));
}

static bool flow_is_used(const struct flow_set *set, int index)
{
	for (size_t i = 0; i < set->intents_count; i++)
		if (set->intents[i].flow == index)
			return true;
	for (size_t i = 0; i < set->flows_count; i++)
		for (size_t k = 0; k < set->flows[i].steps_count; k++) {
			const struct step *step = &set->flows[i].steps[k];
			bool leads = step->flow == index;

			for (size_t o = 0; o < step->options_count; o++)
				leads = leads || step->options[o].flow == index;
			if (leads)
				return true;
		}
	return index == set->menu || index == set->closing || index == set->advisor;
}

static int required_flow(struct flow_set *set, const char *name, struct flow_problems *problems)
{
	int index = set_find_flow(set, str_from(name));

	if (index == NOWHERE)
		problem_add(problems, set->options.flows_directory, "falta el flujo \"%s\"", name);
	return index;
}

static bool same_phrase(const struct phrase *a, const struct phrase *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!str_equal(a->words[i].text, b->words[i].text) ||
		    a->words[i].is_stem != b->words[i].is_stem)
			return false;
	return true;
}

static bool intents_share(const struct intent *a, const struct intent *b)
{
	for (size_t i = 0; i < a->phrases_count; i++)
		for (size_t k = 0; k < b->phrases_count; k++)
			if (same_phrase(&a->phrases[i], &b->phrases[k]))
				return true;
	return false;
}

static void check_intents(const struct flow_set *set, struct flow_problems *problems)
{
	for (size_t i = 0; i < set->intents_count; i++)
		for (size_t k = 0; k < i; k++)
			if (intents_share(&set->intents[i], &set->intents[k]))
				problem_add(problems, set->intents[i].where,
					    "las intenciones \"%.*s\" y \"%.*s\" tienen la misma "
					    "frase",
					    PA_FMT(set->intents[k].name),
					    PA_FMT(set->intents[i].name));
}

/* Words may begin a flow at a step of its own. */
static void check_entries(struct flow_set *set, struct flow_problems *problems)
{
	for (size_t i = 0; i < set->intents_count; i++) {
		struct intent *intent = &set->intents[i];

		if (!intent->step_name.ptr || intent->flow == NOWHERE)
			continue;
		intent->step = flow_find_step(&set->flows[intent->flow], intent->step_name);
		if (intent->step == NOWHERE) {
			problem_add(problems, intent->where, "el paso \"%.*s\" no existe",
				    PA_FMT(intent->step_name));
			intent->step = 0;
			continue;
		}
		set->flows[intent->flow].steps[intent->step].is_entry = true;
	}
}

static void check_forbidden(const struct flow_set *set, struct flow_problems *problems)
{
	bool is_supervised = set->options.is_supervised;

	for (size_t i = 0; i < set->texts_count; i++)
		text_forbid(set->texts[i]->where, set->texts[i]->source, false, is_supervised,
			    problems);
	for (size_t i = 0; i < DOC_COUNT; i++)
		text_forbid(set->options.texts_directory, set->documents[i].body, true,
			    is_supervised, problems);
}

static void check_hours(const struct flow_set *set, struct flow_problems *problems)
{
	for (size_t i = 0; i < WEEKDAYS; i++)
		if (set->hours.until[i])
			return;
	problem_add(problems, set->options.flows_directory,
		    "falta \"atencion\": cuándo atienden los asesores");
}

static void check_flows(struct flow_set *set, struct flow_problems *problems)
{
	check_entries(set, problems);
	for (size_t i = 0; i < set->flows_count; i++)
		for (size_t k = 0; k < set->flows[i].steps_count; k++)
			set->flows[i].steps[k].most = UNCOUNTED;
	for (size_t i = 0; i < set->flows_count; i++) {
		struct flow *flow = &set->flows[i];

		if (flow->steps_count == 0)
			continue;
		check_paths(flow, problems);
		check_turns(set, flow, problems);
		check_after(flow, problems);
		for (size_t k = 0; k < flow->steps_count; k++)
			check_step_shown(set, &flow->steps[k], problems);
		if (!flow_is_used(set, (int)i))
			problem_add(problems, flow->where,
				    "al flujo \"%.*s\" no se llega por ningún camino",
				    PA_FMT(flow->name));
	}
}

void check_set(struct flow_set *set, struct flow_problems *problems)
{
	/* Steps that point nowhere were told already; the walks rely on whole ones. */
	bool is_whole = problems_errors(problems) == 0;

	set->menu = required_flow(set, "menu", problems);
	set->closing = required_flow(set, "algo_mas", problems);
	set->advisor = required_flow(set, "asesor", problems);
	if (is_whole)
		check_flows(set, problems);
	check_engine_texts(set, problems);
	check_documents(set, problems);
	check_intents(set, problems);
	check_hours(set, problems);
	check_forbidden(set, problems);
	for (size_t i = 0; i < set->texts_count; i++)
		if (!set->texts[i]->is_used)
			problem_warn(problems, set->texts[i]->where, "nadie usa el texto \"%.*s\"",
				     PA_FMT(set->texts[i]->name));
}
