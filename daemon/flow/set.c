/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/set.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "flow/check.h"
#include "flow/read.h"
#include "io/clock.h"
#include "io/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_BYTES_MAX ((size_t)64 << 20)
#define FILES_MAX 200

/* ---- problems ---- */

static void add(struct flow_problems *problems, const char *where, bool is_warning,
		const char *what)
{
	if (problems->count == problems->room) {
		size_t room = problems->room ? problems->room * 2 : 16;
		struct flow_problem *list = ARENA_ARRAY(problems->arena, struct flow_problem, room);

		if (problems->count)
			memcpy(list, problems->list, problems->count * sizeof(*list));
		problems->list = list;
		problems->room = room;
	}
	problems->list[problems->count++] = (struct flow_problem){
		.where = arena_copy(problems->arena, str_from(where)).ptr,
		.what = arena_copy(problems->arena, str_from(what)).ptr,
		.is_warning = is_warning,
	};
}

void problem_add(struct flow_problems *problems, const char *where, const char *format, ...)
{
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	add(problems, where, false, what);
}

void problem_warn(struct flow_problems *problems, const char *where, const char *format, ...)
{
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	add(problems, where, true, what);
}

size_t problems_errors(const struct flow_problems *problems)
{
	size_t errors = 0;

	for (size_t i = 0; i < problems->count; i++)
		errors += !problems->list[i].is_warning;
	return errors;
}

/* ---- loading ---- */

struct file {
	const struct conf_node *root;
	bool is_texts;
};

struct loading {
	struct reader reader;
	struct arena *trees;
	struct file files[FILES_MAX];
	size_t count;
	uint64_t hash;
};

static const char *copied(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, str_from(text)).ptr : "";
}

static struct flow_set *set_new(const struct flow_options *options)
{
	struct arena *arena = arena_new(SET_BYTES_MAX);
	struct flow_set *set = calloc(1, sizeof(*set));
	struct set_memory *memory = calloc(1, sizeof(*memory));
	struct flow_house *house;

	if (!set || !memory)
		abort();
	atomic_init(&memory->references, 1);
	memory->arena = arena;
	atomic_init(&set->references, 1);
	set->memory = memory;
	set->arena = arena;
	set->options = *options;
	set->options.flows_directory = copied(arena, options->flows_directory);
	set->options.texts_directory = copied(arena, options->texts_directory);
	set->options.own_flows_directory = copied(arena, options->own_flows_directory);
	set->options.own_texts_directory = copied(arena, options->own_texts_directory);
	house = &set->options.house;
	house->name = copied(arena, house->name);
	house->nit = copied(arena, house->nit);
	house->address = copied(arena, house->address);
	house->phone = copied(arena, house->phone);
	house->email = copied(arena, house->email);
	house->policy_url = copied(arena, house->policy_url);
	set->options.identity.code_channel = copied(arena, options->identity.code_channel);
	set->identity = set->options.identity;
	set->own = ARENA_ARRAY(arena, const char *, FILES_MAX);
	return set;
}

static void mix(struct loading *loading, pa_str bytes)
{
	loading->hash = (loading->hash ^ str_hash(bytes)) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The tree itself, so that comments and layout don't make another version. */
static void mix_tree(struct loading *loading, const struct conf_node *node)
{
	mix(loading, str_from(node->name ? node->name : "-"));
	mix(loading, (pa_str){(const char *)&node->integer, sizeof(node->integer)});
	mix(loading, node->text.ptr ? node->text : PA_STR(""));
	mix(loading, node->boolean ? PA_STR("1") : PA_STR("0"));
	for (size_t i = 0; i < node->count; i++)
		mix_tree(loading, node->children[i]);
}

static void add_root(struct loading *loading, const struct conf_node *root, bool is_texts)
{
	loading->files[loading->count++] = (struct file){root, is_texts};
	mix_tree(loading, root);
}

struct names {
	struct dirent **list;
	size_t count;
};

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_conf(const struct dirent *entry)
{
	pa_str name = str_from(entry->d_name);

	return name.len > 5 && name.ptr[0] != '.' && str_ends(name, PA_STR(".conf"));
}

/* The files of a folder by name; where it can't be read, none and a problem. Only the house's own
 * folder may be missing. */
static struct names list_folder(struct loading *loading, const char *folder, bool may_be_missing)
{
	struct names names = {0};
	int count = *folder ? scandir(folder, &names.list, is_conf, by_name) : 0;

	if (count < 0 && !(may_be_missing && (errno == ENOENT || errno == ENOTDIR)))
		problem_add(loading->reader.problems, folder, "no se puede leer: %s",
			    strerrordesc_np(errno));
	else if (count == 0 && !may_be_missing)
		problem_add(loading->reader.problems, folder, "no tiene archivos .conf");
	names.count = count > 0 ? (size_t)count : 0;
	return names;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static void read_file(struct loading *loading, const char *folder, const char *name, bool is_texts)
{
	const char *path = arena_format(loading->trees, "%s/%s", folder, name).ptr;
	const struct conf_node *root;
	pa_error err = ERROR_INIT;

	if (loading->count == FILES_MAX)
		problem_add(loading->reader.problems, path, "hay demasiados archivos");
	else if (conf_read_file(loading->trees, path, folder, &root, &err) != PA_OK)
		problem_add(loading->reader.problems, path, "%s", error_text(&err));
	else
		add_root(loading, root, is_texts);
}

static void note_own(struct flow_set *set, const char *folder, const char *name)
{
	if (set->own_count < FILES_MAX)
		set->own[set->own_count++] = arena_format(set->arena, "%s/%s", folder, name).ptr;
}

/* Both folders as one, in the order of the names: the house's file goes first, alone. */
static void read_folders(struct loading *loading, const char *shipped, const char *own,
			 bool is_texts)
{
	struct names theirs PA_CLEANUP(names_done) = list_folder(loading, shipped, false);
	struct names ours PA_CLEANUP(names_done) = list_folder(loading, own, true);
	size_t i = 0, k = 0;

	while (i < theirs.count || k < ours.count) {
		int order = i == theirs.count ? 1
			    : k == ours.count
				    ? -1
				    : strcmp(theirs.list[i]->d_name, ours.list[k]->d_name);

		if (order < 0) {
			read_file(loading, shipped, theirs.list[i++]->d_name, is_texts);
			continue;
		}
		note_own(loading->reader.set, own, ours.list[k]->d_name);
		read_file(loading, own, ours.list[k++]->d_name, is_texts);
		i += order == 0;
	}
}

static void build(struct loading *loading)
{
	struct reader *reader = &loading->reader;
	struct flow_set *set = reader->set;

	for (size_t i = 0; i < loading->count; i++)
		if (loading->files[i].is_texts)
			read_texts(reader, loading->files[i].root);
		else
			read_declare(reader, loading->files[i].root);
	for (size_t i = 0; i < loading->count; i++) {
		if (loading->files[i].is_texts)
			continue;
		read_define(reader, loading->files[i].root);
		read_intents(reader, loading->files[i].root);
		read_hours(reader, loading->files[i].root);
	}
	mix(loading, str_from(set->options.house.name));
	mix(loading, str_from(set->options.house.policy_url));
	set->version = loading->hash ? loading->hash : 1;
	check_set(set, reader->problems);
}

static pa_status finish(struct loading *loading, struct flow_set **ret, pa_error *err)
{
	struct flow_set *set = loading->reader.set;
	size_t errors;

	build(loading);
	arena_free(loading->trees);
	errors = problems_errors(loading->reader.problems);
	if (errors) {
		flow_set_unref(set);
		return error_set(err, PA_REJECTED, "the flows have %zu errors", errors);
	}
	*ret = set;
	return PA_OK;
}

static void begin(struct loading *loading, const struct flow_options *options,
		  struct flow_problems *problems)
{
	loading->reader = (struct reader){
		.set = set_new(options),
		.problems = problems,
		.today = local_day(clock_now_ns()),
	};
	loading->trees = arena_new(SET_BYTES_MAX);
	loading->hash = UINT64_C(0x70726f616c746f);
	if (options->identity.lookup == IDENTITY_LINK)
		problem_add(problems, "identity.lookup",
			    "\"link\" necesita la página pública, que esta versión no tiene; use "
			    "\"full\" o \"last4\"");
}

pa_status flow_set_load(const struct flow_options *options, struct flow_set **ret,
			struct flow_problems *problems, pa_error *err)
{
	struct loading *loading = ARENA_NEW(problems->arena, struct loading);

	begin(loading, options, problems);
	read_folders(loading, loading->reader.set->options.texts_directory,
		     loading->reader.set->options.own_texts_directory, true);
	read_folders(loading, loading->reader.set->options.flows_directory,
		     loading->reader.set->options.own_flows_directory, false);
	return finish(loading, ret, err);
}

pa_status flow_set_load_sources(const struct flow_options *options,
				const struct flow_source *sources, size_t count,
				struct flow_set **ret, struct flow_problems *problems,
				pa_error *err)
{
	struct loading *loading = ARENA_NEW(problems->arena, struct loading);

	begin(loading, options, problems);
	for (size_t i = 0; i < count && i < FILES_MAX; i++) {
		pa_error why = ERROR_INIT;
		const struct conf_node *root;

		if (conf_read_text(loading->trees, sources[i].text, sources[i].name, &root, &why) !=
		    PA_OK)
			problem_add(problems, sources[i].name, "%s", error_text(&why));
		else
			add_root(loading, root, sources[i].is_texts);
	}
	return finish(loading, ret, err);
}

/* ---- references ---- */

struct flow_set *flow_set_ref(struct flow_set *set)
{
	atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
	return set;
}

static void memory_unref(struct set_memory *memory)
{
	if (atomic_fetch_sub_explicit(&memory->references, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(memory->arena);
	free(memory);
}

void flow_set_unref(struct flow_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < OLDER_SETS_MAX; i++)
		flow_set_unref(set->older[i]);
	memory_unref(set->memory);
	free(set);
}

/* The same contents without the older sets, so that a chain never grows. */
static struct flow_set *bare_copy(const struct flow_set *set)
{
	struct flow_set *copy = malloc(sizeof(*copy));

	if (!copy)
		abort();
	memcpy(copy, set, sizeof(*copy));
	memset(copy->older, 0, sizeof(copy->older));
	atomic_init(&copy->references, 1);
	atomic_fetch_add_explicit(&copy->memory->references, 1, memory_order_relaxed);
	return copy;
}

void flow_set_keep(struct flow_set *set, struct flow_set *old)
{
	size_t kept = 0;

	if (old->version != set->version)
		set->older[kept++] = bare_copy(old);
	for (size_t i = 0; i < OLDER_SETS_MAX && kept < OLDER_SETS_MAX; i++)
		if (old->older[i] && old->older[i]->version != set->version)
			set->older[kept++] = bare_copy(old->older[i]);
}

size_t flow_set_own_files(const struct flow_set *set, const char *const **ret)
{
	*ret = set->own;
	return set->own_count;
}

uint64_t flow_set_version(const struct flow_set *set)
{
	return set->version;
}
