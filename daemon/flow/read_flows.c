/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/read.h"
#include "flow/understand.h"

#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define FLOWS_MAX 64
#define STEPS_MAX 60
#define INTENTS_MAX 100
#define PHRASES_MAX 200
#define PHRASE_WORDS_MAX 8
#define WORDS_MAX 30
#define DAYS_MAX 60

const char *const action_names[ACTION_COUNT] = {
	[ACTION_NONE] = "",
	[ACTION_GREETING] = "saludo",
	[ACTION_MENU] = "menu",
	[ACTION_BACK] = "atras",
	[ACTION_EXIT] = "salir",
	[ACTION_THANKS] = "gracias",
	[ACTION_NOT_ME] = "no_soy_yo",
	[ACTION_OTHER_PERSON] = "otra_persona",
	[ACTION_AUTHORIZE] = "autorizar",
	[ACTION_RESEND] = "reenviar",
	[ACTION_LOST_MOBILE] = "sin_celular",
	[ACTION_POLICY] = "politica",
	[ACTION_WITHDRAW] = "ya_no",
	[ACTION_NOTHING] = "nada",
};

int set_find_flow(const struct flow_set *set, pa_str name)
{
	for (size_t i = 0; i < set->flows_count; i++)
		if (str_equal(set->flows[i].name, name))
			return (int)i;
	return NOWHERE;
}

int flow_find_step(const struct flow *flow, pa_str name)
{
	for (size_t i = 0; i < flow->steps_count; i++)
		if (str_equal(flow->steps[i].name, name))
			return (int)i;
	return NOWHERE;
}

/* The index of a word in a NULL-ended list; a problem and 0 if it is not there. */
static size_t one_of(struct reader *reader, const struct conf_node *node, pa_str word,
		     const char *const *list, const char *what)
{
	if (word.ptr)
		for (size_t i = 0; list[i]; i++)
			if (str_equal(word, str_from(list[i])))
				return i;
	if (word.ptr)
		problem_add(reader->problems, read_where(reader, node), "%s \"%.*s\" no existe",
			    what, PA_FMT(word));
	return 0;
}

void read_declare(struct reader *reader, const struct conf_node *root)
{
	struct flow_set *set = reader->set;
	const struct conf_node *node = conf_find(root, "flujo");
	pa_str name;
	int before;

	if (!node)
		return;
	name = read_text_of(reader, root, "flujo", true);
	if (!set->flows)
		set->flows = ARENA_ARRAY(set->arena, struct flow, FLOWS_MAX);
	if (!name.ptr || !read_name_is_good(reader, node, name))
		return;
	before = set_find_flow(set, name);
	if (before != NOWHERE || set->flows_count == FLOWS_MAX) {
		problem_add(reader->problems, read_where(reader, node),
			    "el flujo \"%.*s\" ya existe, o hay demasiados", PA_FMT(name));
		return;
	}
	set->flows[set->flows_count++] =
		(struct flow){.name = name, .where = read_where(reader, node)};
}

/* ---- parts of a step ---- */

static const struct text *find_text(struct reader *reader, const struct conf_node *node,
				    const char *key, bool is_required)
{
	pa_str name = read_text_of(reader, node, key, is_required);

	if (!name.ptr)
		return NULL;
	for (size_t i = 0; i < reader->set->texts_count; i++)
		if (str_equal(reader->set->texts[i]->name, name)) {
			reader->set->texts[i]->is_used = true;
			return reader->set->texts[i];
		}
	problem_add(reader->problems, read_where(reader, node), "el texto \"%.*s\" no existe",
		    PA_FMT(name));
	return NULL;
}

/* A step of the same flow, or "fin". */
static int find_target(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		       const char *key, bool is_required)
{
	pa_str name = read_text_of(reader, node, key, is_required);
	int step;

	if (!name.ptr)
		return NOWHERE;
	if (str_equal(name, PA_STR("fin")))
		return THE_END;
	step = flow_find_step(flow, name);
	if (step == NOWHERE)
		problem_add(reader->problems, read_where(reader, node),
			    "el paso \"%.*s\" no existe en el flujo \"%.*s\"", PA_FMT(name),
			    PA_FMT(flow->name));
	return step;
}

static int find_flow(struct reader *reader, const struct conf_node *node, const char *key,
		     bool is_required)
{
	pa_str name = read_text_of(reader, node, key, is_required);
	int flow;

	if (!name.ptr)
		return NOWHERE;
	flow = set_find_flow(reader->set, name);
	if (flow == NOWHERE)
		problem_add(reader->problems, read_where(reader, node),
			    "el flujo \"%.*s\" no existe", PA_FMT(name));
	return flow;
}

static const pa_str *read_words(struct reader *reader, const struct conf_node *node,
				size_t *ret_count)
{
	const struct conf_node *list = read_list_of(reader, node, "palabras", false);
	size_t count = list ? list->count : 0;
	pa_str *words;

	*ret_count = 0;
	if (count > WORDS_MAX) {
		problem_add(reader->problems, read_where(reader, list), "demasiadas palabras");
		return NULL;
	}
	words = ARENA_ARRAY(reader->set->arena, pa_str, count + 1);
	for (size_t i = 0; i < count; i++)
		if (list->children[i]->kind == CONF_TEXT)
			words[(*ret_count)++] =
				text_fold(reader->set->arena, list->children[i]->text);
	return words;
}

static int read_action(struct reader *reader, const struct conf_node *node)
{
	pa_str name = read_text_of(reader, node, "accion", false);
	size_t action = ACTION_NONE + 1;

	if (!name.ptr)
		return NOWHERE;
	while (action < ACTION_COUNT && !str_equal(name, str_from(action_names[action])))
		action++;
	if (action < ACTION_COUNT)
		return (int)action;
	problem_add(reader->problems, read_where(reader, node), "la acción \"%.*s\" no existe",
		    PA_FMT(name));
	return NOWHERE;
}

static void read_act(struct reader *reader, const struct conf_node *node, struct consent_act *act)
{
	static const struct {
		const char *key;
		const char *action;
	} acts[] = {{"autoriza", "otorga"}, {"niega", "niega"}, {"retira", "revoca"}};

	for (size_t i = 0; i < ARRAY_COUNT(acts); i++) {
		pa_str purpose = read_text_of(reader, node, acts[i].key, false);

		if (purpose.ptr && act->purpose.ptr)
			problem_add(reader->problems, read_where(reader, node),
				    "autoriza, niega y retira van uno solo a la vez");
		if (purpose.ptr)
			*act = (struct consent_act){purpose, acts[i].action};
	}
}

static void read_option(struct reader *reader, const struct flow *flow,
			const struct conf_node *node, struct option *option)
{
	static const char *const known[] = {"opcion", "titulo",     "detalle", "palabras",
					    "sigue",  "flujo",      "accion",  "autoriza",
					    "niega",  "solo_toque", "retira",  NULL};

	read_known(reader, node, known);
	option->name = read_text_of(reader, node, "opcion", true);
	if (option->name.ptr)
		read_name_is_good(reader, node, option->name);
	option->title = read_text_of(reader, node, "titulo", true);
	option->description = read_text_of(reader, node, "detalle", false);
	option->folded = text_fold(reader->set->arena, option->title);
	option->words = read_words(reader, node, &option->words_count);
	option->next = find_target(reader, flow, node, "sigue", false);
	option->flow = find_flow(reader, node, "flujo", false);
	option->action = read_action(reader, node);
	read_act(reader, node, &option->act);
	option->taps_only = read_bool_of(reader, node, "solo_toque");
	if ((option->next != NOWHERE) + (option->flow != NOWHERE) + (option->action != NOWHERE) !=
	    1)
		problem_add(reader->problems, read_where(reader, node),
			    "una opción lleva uno de estos tres: sigue, flujo, accion");
}

static void read_options(struct reader *reader, const struct flow *flow,
			 const struct conf_node *node, struct step *step)
{
	const struct conf_node *list = read_list_of(reader, node, "opciones", true);

	if (!list)
		return;
	if (list->count < 2 || list->count > OPTIONS_MAX) {
		problem_add(reader->problems, read_where(reader, list),
			    "debe haber de 2 a %d opciones", OPTIONS_MAX);
		return;
	}
	step->options = ARENA_ARRAY(reader->set->arena, struct option, list->count);
	for (size_t i = 0; i < list->count; i++)
		read_option(reader, flow, list->children[i], &step->options[i]);
	step->options_count = list->count;
}

static void read_cases(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		       struct step *step)
{
	static const char *const known[] = {"es", "sigue", NULL};
	const struct conf_node *list = read_list_of(reader, node, "casos", true);

	if (!list || list->count == 0 || list->count > CASES_MAX) {
		problem_add(reader->problems, read_where(reader, node),
			    "\"when\" necesita de 1 a %d casos", CASES_MAX);
		return;
	}
	step->cases = ARENA_ARRAY(reader->set->arena, struct when_case, list->count);
	for (size_t i = 0; i < list->count; i++) {
		read_known(reader, list->children[i], known);
		step->cases[i].is = read_text_of(reader, list->children[i], "es", true);
		step->cases[i].next = find_target(reader, flow, list->children[i], "sigue", true);
	}
	step->cases_count = list->count;
}

/* ---- one reader a verb ---- */

typedef void read_verb(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		       struct step *step);

static void read_say(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		     struct step *step)
{
	step->text = find_text(reader, node, "texto", true);
	step->missing = find_text(reader, node, "faltan", false);
	read_act(reader, node, &step->act);
	step->next = find_target(reader, flow, node, "sigue", true);
}

static void read_ask(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		     struct step *step)
{
	static const char *const kinds[] = {"texto", "valor", NULL};

	step->text = find_text(reader, node, "texto", true);
	step->retry = find_text(reader, node, "ejemplo", true);
	step->ask = (enum ask_kind)one_of(reader, node, read_text_of(reader, node, "tipo", true),
					  kinds, "el tipo");
	step->into = read_text_of(reader, node, "guarda", true);
	if (step->into.ptr)
		read_name_is_good(reader, node, step->into);
	step->next = find_target(reader, flow, node, "sigue", true);
}

static void read_choose(struct reader *reader, const struct flow *flow,
			const struct conf_node *node, struct step *step)
{
	step->text = find_text(reader, node, "texto", true);
	step->retry = find_text(reader, node, "ejemplo", true);
	step->button = read_text_of(reader, node, "boton", false);
	step->into = read_text_of(reader, node, "corrige", false);
	step->from_credits = read_bool_of(reader, node, "creditos");
	if (!step->from_credits) {
		read_options(reader, flow, node, step);
		return;
	}
	step->next = find_target(reader, flow, node, "sigue", true);
}

static void read_verify(struct reader *reader, const struct flow *flow,
			const struct conf_node *node, struct step *step)
{
	step->next = find_target(reader, flow, node, "sigue", true);
}

static void read_fetch(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		       struct step *step)
{
	static const char *const whats[] = {"creditos", "credito", NULL};

	step->what = (enum fetch_what)one_of(reader, node, read_text_of(reader, node, "que", true),
					     whats, "la consulta");
	step->next = find_target(reader, flow, node, "sigue", true);
	step->otherwise = find_target(reader, flow, node, "si_no", true);
}

static void read_when(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		      struct step *step)
{
	static const char *const questions[] = {
		"memoria",          "consentimiento", "verificado", "estado_credito",
		"cuantos_creditos", "asunto",         NULL};

	step->question = (enum question)one_of(
		reader, node, read_text_of(reader, node, "mira", true), questions, "la condición");
	if (step->question == QUESTION_MEMORY)
		step->into = read_text_of(reader, node, "guarda", true);
	read_cases(reader, flow, node, step);
	step->otherwise = find_target(reader, flow, node, "si_no", true);
}

static void read_hand_over(struct reader *reader, const struct flow *flow,
			   const struct conf_node *node, struct step *step)
{
	int64_t days = read_integer_of(reader, node, "dias", 0);

	step->text = find_text(reader, node, "texto", true);
	step->kind = read_text_of(reader, node, "clase", true);
	step->summary = read_text_of(reader, node, "resumen", false);
	step->is_addition = read_bool_of(reader, node, "agrega");
	step->is_single = read_bool_of(reader, node, "unica");
	step->is_waited = read_bool_of(reader, node, "se_espera");
	step->next = find_target(reader, flow, node, "sigue", true);
	if (step->kind.ptr)
		read_name_is_good(reader, node, step->kind);
	if ((days < 1 && !step->is_addition) || days > DAYS_MAX)
		problem_add(reader->problems, read_where(reader, node),
			    "\"dias\" es el plazo en días hábiles, de 1 a %d", DAYS_MAX);
	else
		step->days = (int)days;
}

static void read_remember(struct reader *reader, const struct flow *flow,
			  const struct conf_node *node, struct step *step)
{
	step->into = read_text_of(reader, node, "guarda", true);
	step->value = read_text_of(reader, node, "valor", true);
	if (step->into.ptr)
		read_name_is_good(reader, node, step->into);
	step->next = find_target(reader, flow, node, "sigue", true);
}

static void read_go(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		    struct step *step)
{
	(void)flow;
	step->flow = find_flow(reader, node, "flujo", true);
}

#define KEYS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		"paso", "verbo", __VA_ARGS__, NULL                                                 \
	}

static void read_step(struct reader *reader, const struct flow *flow, const struct conf_node *node,
		      struct step *step)
{
	static const char *const names[] = {"say",  "ask",       "choose",   "verify", "fetch",
					    "when", "hand_over", "remember", "go",     NULL};
	const struct {
		read_verb *read;
		const char *const *keys;
	} verbs[] = {
		[VERB_SAY] = {read_say, KEYS("texto", "faltan", "retira", "niega", "sigue")},
		[VERB_ASK] = {read_ask, KEYS("texto", "ejemplo", "tipo", "guarda", "sigue")},
		[VERB_CHOOSE] = {read_choose, KEYS("texto", "ejemplo", "boton", "creditos",
						   "corrige", "opciones", "sigue")},
		[VERB_VERIFY] = {read_verify, KEYS("sigue")},
		[VERB_FETCH] = {read_fetch, KEYS("que", "sigue", "si_no")},
		[VERB_WHEN] = {read_when, KEYS("mira", "guarda", "casos", "si_no")},
		[VERB_HAND_OVER] = {read_hand_over, KEYS("texto", "clase", "resumen", "dias",
							 "agrega", "unica", "se_espera", "sigue")},
		[VERB_REMEMBER] = {read_remember, KEYS("guarda", "valor", "sigue")},
		[VERB_GO] = {read_go, KEYS("flujo")},
	};

	step->verb = (enum verb)one_of(reader, node, read_text_of(reader, node, "verbo", true),
				       names, "el verbo");
	read_known(reader, node, verbs[step->verb].keys);
	step->next = step->otherwise = step->flow = NOWHERE;
	verbs[step->verb].read(reader, flow, node, step);
}

static void name_steps(struct reader *reader, struct flow *flow, const struct conf_node *list)
{
	flow->steps = ARENA_ARRAY(reader->set->arena, struct step, list->count);
	for (size_t i = 0; i < list->count; i++) {
		const struct conf_node *node = list->children[i];
		pa_str name = read_text_of(reader, node, "paso", true);

		if (name.ptr && read_name_is_good(reader, node, name) &&
		    flow_find_step(flow, name) != NOWHERE)
			problem_add(reader->problems, read_where(reader, node),
				    "el paso \"%.*s\" está dos veces", PA_FMT(name));
		flow->steps[i] = (struct step){.name = name, .where = read_where(reader, node)};
		flow->steps_count = i + 1;
	}
}

void read_define(struct reader *reader, const struct conf_node *root)
{
	static const char *const known[] = {
		"flujo",   "etiqueta",      "consentimiento", "borrador",  "aparte",
		"urgente", "cierra_sesion", "pasos",          "no_guarda", "atiende",
		"despues", "intenciones",   "atencion",       NULL};
	const struct conf_node *name = conf_find(root, "flujo"), *list;
	int index =
		name && name->kind == CONF_TEXT ? set_find_flow(reader->set, name->text) : NOWHERE;
	struct flow *flow;

	read_known(reader, root, known);
	if (index == NOWHERE)
		return;
	flow = &reader->set->flows[index];
	if (flow->steps) /* a second file with the same name: told by read_declare */
		return;
	flow->label = read_text_of(reader, root, "etiqueta", true);
	flow->needs_consent =
		!conf_find(root, "consentimiento") || read_bool_of(reader, root, "consentimiento");
	flow->keeps_draft = read_bool_of(reader, root, "borrador");
	flow->is_aside = read_bool_of(reader, root, "aparte");
	flow->is_trouble = read_bool_of(reader, root, "urgente");
	flow->ends_session = read_bool_of(reader, root, "cierra_sesion");
	flow->keeps_nothing = read_bool_of(reader, root, "no_guarda");
	flow->serves_wishes = read_bool_of(reader, root, "atiende");
	flow->after = find_text(reader, root, "despues", false);
	list = read_list_of(reader, root, "pasos", true);
	if (!list || list->count == 0 || list->count > STEPS_MAX) {
		problem_add(reader->problems, flow->where,
			    "el flujo \"%.*s\" debe tener de 1 a %d pasos", PA_FMT(flow->name),
			    STEPS_MAX);
		return;
	}
	name_steps(reader, flow, list);
	for (size_t i = 0; i < list->count; i++)
		read_step(reader, flow, list->children[i], &flow->steps[i]);
}

/* ---- intents ---- */

static bool read_phrase(struct reader *reader, const struct conf_node *node, struct phrase *phrase)
{
	struct arena *arena = reader->set->arena;
	pa_str rest = node->kind == CONF_TEXT ? str_trim(node->text) : PA_STR_ABSENT;

	phrase->is_whole = str_starts(rest, PA_STR("="));
	phrase->words = ARENA_ARRAY(arena, struct phrase_word, PHRASE_WORDS_MAX);
	while (rest.len && phrase->count < PHRASE_WORDS_MAX) {
		pa_str raw = str_split(&rest, ' ');
		struct phrase_word *word = &phrase->words[phrase->count];

		word->is_stem = str_ends(raw, PA_STR("*"));
		word->text = word_sound(arena, text_fold(arena, raw));
		word->hash = str_hash(word->text);
		if (word->text.len)
			phrase->count++;
	}
	if (phrase->count == 0 || rest.len)
		problem_add(reader->problems, read_where(reader, node),
			    "una frase tiene de 1 a %d palabras", PHRASE_WORDS_MAX);
	return phrase->count > 0;
}

static void read_intent(struct reader *reader, const struct conf_node *node, struct intent *intent)
{
	static const char *const known[] = {"intencion", "flujo",      "paso",   "accion",
					    "siempre",   "aun_negada", "frases", NULL};
	const struct conf_node *list = read_list_of(reader, node, "frases", true);
	int action = read_action(reader, node);

	read_known(reader, node, known);
	intent->where = read_where(reader, node);
	intent->name = read_text_of(reader, node, "intencion", true);
	intent->flow = find_flow(reader, node, "flujo", false);
	intent->action = action == NOWHERE ? ACTION_NONE : (enum action)action;
	intent->step_name = read_text_of(reader, node, "paso", false);
	intent->is_global = read_bool_of(reader, node, "siempre");
	intent->holds_negated = read_bool_of(reader, node, "aun_negada");
	if ((intent->flow == NOWHERE) == (intent->action == ACTION_NONE))
		problem_add(reader->problems, intent->where,
			    "una intención lleva \"flujo\" o \"accion\", uno de los dos");
	if (!list || list->count > PHRASES_MAX) {
		problem_add(reader->problems, intent->where, "debe haber de 1 a %d frases",
			    PHRASES_MAX);
		return;
	}
	intent->phrases = ARENA_ARRAY(reader->set->arena, struct phrase, list->count + 1);
	for (size_t i = 0; i < list->count; i++)
		if (read_phrase(reader, list->children[i], &intent->phrases[intent->phrases_count]))
			intent->phrases_count++;
}

void read_intents(struct reader *reader, const struct conf_node *root)
{
	struct flow_set *set = reader->set;
	const struct conf_node *list = read_list_of(reader, root, "intenciones", false);

	if (!set->intents)
		set->intents = ARENA_ARRAY(set->arena, struct intent, INTENTS_MAX);
	for (size_t i = 0; list && i < list->count; i++) {
		if (set->intents_count == INTENTS_MAX) {
			problem_add(reader->problems, read_where(reader, list),
				    "hay más de %d intenciones", INTENTS_MAX);
			return;
		}
		read_intent(reader, list->children[i], &set->intents[set->intents_count++]);
	}
}
