/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/read.h"

#include "base/calendar.h"
#include "base/str.h"
#include "io/crypto.h"

#include <string.h>

#define TEXTS_MAX 600
#define TEXT_BYTES_MAX 6000
#define DEPTH_MAX 4
#define POLICY_MAX 3800 /* a plain message of any channel holds it */

const char *read_where(struct reader *reader, const struct conf_node *node)
{
	return conf_where(reader->set->arena, node);
}

static const struct conf_node *member(struct reader *reader, const struct conf_node *group,
				      const char *name, enum conf_kind kind, bool is_required)
{
	const struct conf_node *node = conf_find(group, name);

	if (!node && is_required)
		problem_add(reader->problems, read_where(reader, group), "falta \"%s\"", name);
	if (node && node->kind != kind) {
		problem_add(reader->problems, read_where(reader, node),
			    "\"%s\" no es del tipo que se espera", name);
		return NULL;
	}
	return node;
}

pa_str read_text_of(struct reader *reader, const struct conf_node *group, const char *name,
		    bool is_required)
{
	const struct conf_node *node = member(reader, group, name, CONF_TEXT, is_required);

	if (!node)
		return PA_STR_ABSENT;
	if (node->text.len > TEXT_BYTES_MAX || memchr(node->text.ptr, '\0', node->text.len)) {
		problem_add(reader->problems, read_where(reader, node),
			    "\"%s\" es demasiado largo o tiene un carácter nulo", name);
		return PA_STR_ABSENT;
	}
	return arena_copy(reader->set->arena, node->text);
}

int64_t read_integer_of(struct reader *reader, const struct conf_node *group, const char *name,
			int64_t fallback)
{
	const struct conf_node *node = member(reader, group, name, CONF_INTEGER, false);

	return node ? node->integer : fallback;
}

bool read_bool_of(struct reader *reader, const struct conf_node *group, const char *name)
{
	const struct conf_node *node = member(reader, group, name, CONF_BOOL, false);

	return node && node->boolean;
}

const struct conf_node *read_list_of(struct reader *reader, const struct conf_node *group,
				     const char *name, bool is_required)
{
	return member(reader, group, name, CONF_LIST, is_required);
}

void read_known(struct reader *reader, const struct conf_node *group, const char *const *known)
{
	for (size_t i = 0; i < group->count; i++) {
		const char *const *k = known;
		const char *name = group->children[i]->name;

		while (name && *k && strcmp(name, *k) != 0)
			k++;
		if (name && !*k)
			problem_add(reader->problems, read_where(reader, group->children[i]),
				    "\"%s\" no existe aquí", name);
	}
}

bool read_name_is_good(struct reader *reader, const struct conf_node *node, pa_str name)
{
	bool is_good = name.len > 0 && name.len <= NAME_MAX_BYTES;

	for (size_t i = 0; i < name.len; i++)
		is_good = is_good &&
			  ((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
			   (name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '_');
	if (!is_good)
		problem_add(reader->problems, read_where(reader, node),
			    "el nombre \"%.*s\" debe tener de 1 a %d letras minúsculas sin tilde, "
			    "números o _",
			    PA_FMT(name), NAME_MAX_BYTES);
	return is_good;
}

/* ---- texts: groups of groups; their path is the name ---- */

static void add_text(struct reader *reader, const struct conf_node *node, pa_str name)
{
	struct flow_set *set = reader->set;
	struct text *text;

	for (size_t i = 0; i < set->texts_count; i++)
		if (str_equal(set->texts[i]->name, name)) {
			problem_add(reader->problems, read_where(reader, node),
				    "el texto \"%.*s\" ya está en %s", PA_FMT(name),
				    set->texts[i]->where);
			return;
		}
	if (set->texts_count == TEXTS_MAX || node->text.len > TEXT_BYTES_MAX) {
		problem_add(reader->problems, read_where(reader, node),
			    "demasiados textos, o uno demasiado largo");
		return;
	}
	text = ARENA_NEW(set->arena, struct text);
	text->name = arena_copy(set->arena, name);
	text->where = read_where(reader, node);
	text->source = arena_copy(set->arena, node->text);
	text_compile(set->arena, text, &set->options.house, &set->identity, reader->problems);
	set->texts[set->texts_count++] = text;
}

static void walk_texts(struct reader *reader, const struct conf_node *group, pa_str path, int depth)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct conf_node *node = group->children[i];
		pa_str name = arena_format(reader->set->arena, "%.*s%s%s", PA_FMT(path),
					   path.len ? "." : "", node->name ? node->name : "?");

		if (depth == 0 && node->name && strcmp(node->name, "documentos") == 0)
			continue;
		if (node->kind == CONF_GROUP && depth < DEPTH_MAX)
			walk_texts(reader, node, name, depth + 1);
		else if (node->kind == CONF_TEXT && depth > 0)
			add_text(reader, node, name);
		else
			problem_add(reader->problems, read_where(reader, node),
				    "\"%.*s\" debe ser un texto dentro de un grupo", PA_FMT(name));
	}
}

/* ---- legal documents ---- */

struct item_rule {
	const char *item;
	const char *must_show[4]; /* at least one of these, if any is given */
};

struct document_rule {
	const char *name;
	struct item_rule items[7]; /* NULL-ended; decreto 1377 de 2013, arts. 13 and 15 */
	size_t max;
};

static const struct document_rule document_rules[DOC_COUNT] = {
	[DOC_NOTICE] = {"aviso",
			{{"responsable", {"{correo}", "{telefono}", "{direccion}"}},
			 {"finalidad", {NULL}},
			 {"derechos", {"mis datos"}},
			 {"politica", {"{politica}"}}},
			1024},
	[DOC_CONSENT] = {"consentimiento", {{"pregunta", {"?"}}}, 600},
	[DOC_POLICY] = {"politica",
			{{"responsable", {"{correo}"}},
			 {"finalidad", {NULL}},
			 {"derechos", {NULL}},
			 {"area", {"{correo}", "{telefono}"}},
			 {"procedimiento", {NULL}},
			 {"vigencia", {NULL}}},
			POLICY_MAX},
};

static bool shows_one_of(pa_str text, const char *const *wanted)
{
	if (!wanted[0])
		return text.len > 0;
	for (size_t i = 0; i < 4 && wanted[i]; i++)
		if (str_find(text, str_from(wanted[i])) != SIZE_MAX)
			return true;
	return false;
}

/* The body of a document: its items in the order of the law, each in place (HD-11). */
static pa_str document_body(struct reader *reader, const struct conf_node *node,
			    const struct document_rule *rule)
{
	struct arena *arena = reader->set->arena;
	const struct conf_node *items = member(reader, node, "partes", CONF_GROUP, true);
	pa_str body = PA_STR("");

	for (size_t i = 0; items && rule->items[i].item; i++) {
		pa_str text = read_text_of(reader, items, rule->items[i].item, true);

		if (text.ptr && !shows_one_of(text, rule->items[i].must_show))
			problem_add(reader->problems, read_where(reader, items),
				    "al documento \"%s\" le falta contenido en \"%s\"", rule->name,
				    rule->items[i].item);
		body = arena_format(arena, "%.*s%s%.*s", PA_FMT(body), i ? "\n\n" : "",
				    PA_FMT(text));
	}
	return body;
}

static bool read_day(pa_str text, int64_t *ret)
{
	int64_t year, month, day;
	pa_str rest = text;
	struct date date;

	if (text.len != 10 || !str_to_int64(str_split(&rest, '-'), &year) ||
	    !str_to_int64(str_split(&rest, '-'), &month) || !str_to_int64(rest, &day))
		return false;
	date = (struct date){(int)year, (int)month, (int)day};
	*ret = date_is_valid(date) ? date_to_days(date) : 0;
	return date_is_valid(date);
}

/* What is declared must be what is there: a text in force is never edited in place (HD-10). The
 * digest is that of the items as written in the file. */
static void check_digest(struct reader *reader, const struct conf_node *node, pa_str body)
{
	pa_str declared = read_text_of(reader, node, "sha256", true), real;
	uint8_t digest[DIGEST_BYTES];

	sha256(body, digest);
	real = hex_encode(reader->set->arena, (pa_str){(char *)digest, sizeof(digest)});
	if (declared.ptr && !str_equal(declared, real))
		problem_add(reader->problems, read_where(reader, node),
			    "el documento cambió: un texto legal publicado no se edita; haga una "
			    "versión nueva. Su sha256 es %.*s",
			    PA_FMT(real));
}

static void keep_newest(struct reader *reader, enum document_name which,
			const struct consent_document *document, const struct text *text)
{
	struct consent_document *slot = &reader->set->documents[which];
	pa_str none[VALUE_COUNT] = {{0}};

	if (document->effective_day > reader->today || document->version <= slot->version)
		return;
	*slot = *document;
	slot->body = text_fill(reader->set->arena, text, none, NULL);
	sha256(slot->body, slot->digest);
}

static void read_document(struct reader *reader, const struct conf_node *node,
			  enum document_name which)
{
	static const char *const known[] = {
		"documento", "version", "vigente_desde", "sustancial", "sha256", "partes", NULL};
	const struct document_rule *rule = &document_rules[which];
	struct consent_document document = {
		.name = str_from(rule->name),
		.version = read_integer_of(reader, node, "version", 0),
	};
	struct text text = {.name = document.name,
			    .where = read_where(reader, node),
			    .source = document_body(reader, node, rule)};

	read_known(reader, node, known);
	document.substantial = read_integer_of(reader, node, "sustancial", document.version);
	if (document.version < 1 || document.substantial < 1 ||
	    document.substantial > document.version)
		problem_add(reader->problems, text.where,
			    "\"version\" y \"sustancial\" deben ser 1 o más, y no al revés");
	if (!read_day(read_text_of(reader, node, "vigente_desde", true), &document.effective_day))
		problem_add(reader->problems, text.where,
			    "\"vigente_desde\" debe ser una fecha como \"2026-11-20\"");
	check_digest(reader, node, text.source);
	text_compile(reader->set->arena, &text, &reader->set->options.house, &reader->set->identity,
		     reader->problems);
	if (text.values)
		problem_add(reader->problems, text.where,
			    "un documento legal solo lleva datos de la casa");
	else
		keep_newest(reader, which, &document, &text);
	if (text.source.len > rule->max + rule->max / 4)
		problem_add(reader->problems, text.where, "el documento es demasiado largo");
}

static void read_documents(struct reader *reader, const struct conf_node *list)
{
	for (size_t i = 0; i < list->count; i++) {
		pa_str name = read_text_of(reader, list->children[i], "documento", true);
		size_t which = 0;

		while (which < DOC_COUNT && !str_equal(name, str_from(document_rules[which].name)))
			which++;
		if (which < DOC_COUNT)
			read_document(reader, list->children[i], (enum document_name)which);
		else if (name.ptr)
			problem_add(reader->problems, read_where(reader, list->children[i]),
				    "el documento \"%.*s\" no existe", PA_FMT(name));
	}
}

void read_texts(struct reader *reader, const struct conf_node *root)
{
	const struct conf_node *documents = read_list_of(reader, root, "documentos", false);

	if (!reader->set->texts)
		reader->set->texts = ARENA_ARRAY(reader->set->arena, struct text *, TEXTS_MAX);
	if (documents)
		read_documents(reader, documents);
	walk_texts(reader, root, PA_STR(""), 0);
}
