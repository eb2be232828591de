/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "flow/check.h"
#include "io/unicode.h"

/* WhatsApp's limits (reply buttons, list messages), in characters. */
#define BUTTONS 3
#define BUTTON_TITLE 20
#define ROW_TITLE 24
#define ROW_DESCRIPTION 72

static void check_title(const struct step *step, const char *what, pa_str title, size_t max,
			struct flow_problems *problems)
{
	size_t length = utf8_length(title);

	if (length > max)
		problem_add(problems, step->where,
			    "%s \"%.*s\" tiene %zu letras; WhatsApp permite %zu", what,
			    PA_FMT(title), length, max);
	if (title.ptr && length == 0)
		problem_add(problems, step->where, "%s está vacío", what);
}

static void check_option(const struct step *step, size_t i, struct flow_problems *problems)
{
	const struct option *option = &step->options[i];
	bool is_list = step->options_count > BUTTONS;

	check_title(step, is_list ? "el renglón" : "el botón", option->title,
		    is_list ? ROW_TITLE : BUTTON_TITLE, problems);
	if (option->description.ptr && !is_list)
		problem_add(problems, step->where, "un botón no lleva detalle");
	if (option->description.ptr)
		check_title(step, "el detalle", option->description, ROW_DESCRIPTION, problems);
	for (size_t k = 0; k < i; k++)
		if (str_equal(step->options[k].name, option->name) ||
		    str_equal(step->options[k].folded, option->folded))
			problem_add(problems, step->where,
				    "las opciones %zu y %zu tienen el mismo nombre o título", k + 1,
				    i + 1);
}

static void check_choose(const struct flow_set *set, const struct step *step,
			 struct flow_problems *problems)
{
	const struct option *last;

	for (size_t i = 0; i < step->options_count; i++)
		check_option(step, i, problems);
	if (step->button.ptr)
		check_title(step, "el botón de la lista", step->button, BUTTON_TITLE, problems);
	if (step->options_count <= BUTTONS)
		return;
	last = &step->options[step->options_count - 1];
	if (set->advisor == NOWHERE || last->flow != set->advisor)
		problem_add(problems, step->where,
			    "la última opción de una lista lleva al flujo \"asesor\"");
}

void check_step_shown(const struct flow_set *set, const struct step *step,
		      struct flow_problems *problems)
{
	const struct text *texts[] = {step->text, step->retry, step->missing};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (texts[i])
			text_measure(texts[i], TEXT_KIND_BODY, problems);
	if (step->verb == VERB_CHOOSE)
		check_choose(set, step, problems);
	if (step->verb == VERB_SAY && step->text && step->text->may_miss && !step->missing)
		problem_add(problems, step->where,
			    "el texto \"%.*s\" muestra datos que el sistema puede no tener: diga "
			    "en \"faltan\" qué se responde entonces",
			    PA_FMT(step->text->name));
}
