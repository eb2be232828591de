/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/err.h"
#include "base/str.h"
#include "io/crypto.h"

#include <string.h>
#include <unistd.h>

#define CONFIG_CAP ((size_t)64 << 20)
#define NAME_MAX_LEN 32
#define HOST_NAME_ROOM 256
#define KEYS_MAX 128

static const char *const named_sections[] = {"channels", "backends", "language"};

/* ---- problems ---------------------------------------------------------------------------------
 */

static void add_problem(struct config_problems *problems, const char *where, const char *what,
			bool is_warning)
{
	struct config_problem *list = problems->list;

	if (problems->count == CONFIG_PROBLEMS_MAX)
		return;
	if (problems->count == problems->room) {
		problems->room = problems->room ? 2 * problems->room : 16;
		list = ARENA_ARRAY(problems->arena, struct config_problem, problems->room);
		for (size_t i = 0; i < problems->count; i++)
			list[i] = problems->list[i];
		problems->list = list;
	}
	list[problems->count++] = (struct config_problem){
		arena_copy(problems->arena, str_from(where)).ptr, what, is_warning};
}

void reader_problem(struct reader *reader, const char *where, bool is_warning, enum words words,
		    const char *first, const char *second, const char *third)
{
	if (!is_warning)
		reader->errors++;
	if (reader->problems->count < CONFIG_PROBLEMS_MAX)
		add_problem(reader->problems, where,
			    words_say(reader->problems->arena, words, first, second, third),
			    is_warning);
}

/* ---- the core's keys --------------------------------------------------------------------------
 */

/* "listen" of "listen.port"; absent for a key at the top. */
static pa_str key_group(struct arena *arena, const struct config_key *key)
{
	pa_str rest = str_from(key->path);
	pa_str group = str_split(&rest, '.');

	return str_is_absent(rest) ? PA_STR_ABSENT : arena_copy(arena, group);
}

static const struct conf_node *find_key(struct arena *arena, const struct conf_node *root,
					const struct config_key *key,
					const struct conf_node **ret_group)
{
	pa_str group = key_group(arena, key);

	*ret_group = group.ptr ? conf_find(root, group.ptr) : root;
	return conf_find(*ret_group, group.ptr ? key->path + group.len + 1 : key->path);
}

static void read_core(struct reader *reader, const struct conf_node *root)
{
	struct config *config = &reader->loaded->config;

	for (size_t i = 0; i < config_core_keys.count; i++) {
		const struct config_key *key = &config_core_keys.keys[i];
		const struct conf_node *group;
		const struct conf_node *node = find_key(reader->arena, root, key, &group);

		if (node)
			value_read(reader, key, node, config);
		else if (key->flags & KEY_REQUIRED)
			reader_error(reader, conf_where(reader->arena, group ? group : root),
				     WORDS_MISSING_KEY, key->path, NULL, NULL);
		else
			value_fallback(reader, key, config);
	}
}

static bool is_named_section(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(named_sections); i++)
		if (strcmp(named_sections[i], name) == 0)
			return true;
	return false;
}

/* True if there are keys below this name. */
static bool is_core_group(struct arena *arena, const char *name)
{
	for (size_t i = 0; i < config_core_keys.count; i++)
		if (str_equal(key_group(arena, &config_core_keys.keys[i]), str_from(name)))
			return true;
	return false;
}

static bool is_core_key(const char *path)
{
	for (size_t i = 0; i < config_core_keys.count; i++)
		if (strcmp(config_core_keys.keys[i].path, path) == 0)
			return true;
	return false;
}

static void unknown_core_key(struct reader *reader, const struct conf_node *node, const char *path)
{
	const char *known[ARRAY_COUNT(named_sections) + KEYS_MAX];
	size_t count = 0;

	assert(config_core_keys.count <= KEYS_MAX);
	for (size_t i = 0; i < config_core_keys.count; i++)
		known[count++] = config_core_keys.keys[i].path;
	for (size_t i = 0; i < ARRAY_COUNT(named_sections); i++)
		known[count++] = named_sections[i];
	section_unknown_key(reader, node, path, nearest_name(path, known, count));
}

static void want_group(struct reader *reader, const struct conf_node *node)
{
	reader_error(reader, conf_where(reader->arena, node), WORDS_WRONG_TYPE, node->name,
		     kind_words(reader->arena, CONF_GROUP), kind_words(reader->arena, node->kind));
}

static void check_core_group(struct reader *reader, const struct conf_node *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct conf_node *node = group->children[i];
		const char *path =
			arena_format(reader->arena, "%s.%s", group->name, node->name).ptr;

		if (!is_core_key(path))
			unknown_core_key(reader, node, path);
	}
}

static void check_names(struct reader *reader, const struct conf_node *root)
{
	for (size_t i = 0; i < root->count && reader->errors < CONFIG_PROBLEMS_MAX; i++) {
		const struct conf_node *node = root->children[i];
		bool is_core = is_core_group(reader->arena, node->name);

		if (!is_core && !is_named_section(node->name) && !is_core_key(node->name))
			unknown_core_key(reader, node, node->name);
		else if (!is_core_key(node->name) && node->kind != CONF_GROUP)
			want_group(reader, node);
		else if (is_core)
			check_core_group(reader, node);
	}
}

/* ---- channels, backends, language -------------------------------------------------------------
 */

/* It becomes part of an address, of rows in the store and of names in the journal. */
static bool is_good_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return name[0] >= 'a' && name[0] <= 'z' && !name[len] && len <= NAME_MAX_LEN;
}

static bool check_section(struct reader *reader, const struct conf_node *node)
{
	if (node->kind != CONF_GROUP) {
		want_group(reader, node);
		return false;
	}
	if (is_good_name(node->name))
		return true;
	reader_error(reader, conf_where(reader->arena, node), WORDS_BAD_NAME, node->name, NULL,
		     NULL);
	return false;
}

/* The sections of a kind; NULL if there are none, or too many to be read. */
static const struct conf_node *find_sections(struct reader *reader, const struct conf_node *root,
					     const char *name)
{
	const struct conf_node *group = conf_find(root, name);

	if (!group || group->kind != CONF_GROUP || group->count == 0)
		return NULL;
	if (group->count <= CONFIG_CHANNELS_MAX)
		return group;
	reader_error(reader, conf_where(reader->arena, group), WORDS_TOO_MANY, name, "200", NULL);
	return NULL;
}

static bool read_channel(struct reader *reader, const struct conf_node *group,
			 struct config_channel *channel, const pa_plugin **ret_descriptor)
{
	struct plugin_section section = {
		.table = &config_channel_keys, .group = group, .kind = PA_KIND_CHANNEL};

	if (!check_section(reader, group))
		return false;
	channel->name = arena_copy(reader->arena, str_from(group->name)).ptr;
	channel->where = conf_where(reader->arena, group);
	section_read_keys(reader, &config_channel_keys, group, channel->where, channel);
	section.plugin = channel->plugin;
	section.is_optional = channel->is_optional;
	if (!section_read_options(reader, &section))
		return false;
	channel->settings = section.settings;
	channel->settings_count = section.settings_count;
	*ret_descriptor = section.descriptor;
	return true;
}

/* Returns the plugins' descriptors, one for each channel that was kept. */
static const pa_plugin *const *read_channels(struct reader *reader, const struct conf_node *root)
{
	struct config *config = &reader->loaded->config;
	const struct conf_node *group = find_sections(reader, root, "channels");
	const pa_plugin **descriptors;
	struct config_channel *channels;

	if (!group)
		return NULL;
	channels = ARENA_ARRAY(reader->arena, struct config_channel, group->count);
	descriptors = ARENA_ARRAY(reader->arena, const pa_plugin *, group->count);
	for (size_t i = 0; i < group->count; i++) {
		size_t at = config->channels_count;

		if (read_channel(reader, group->children[i], &channels[at], &descriptors[at]))
			config->channels_count++;
	}
	config->channels = channels;
	return descriptors;
}

static bool read_backend(struct reader *reader, const struct conf_node *group,
			 struct config_backend *backend)
{
	struct plugin_section section = {
		.table = &config_backend_keys, .group = group, .kind = PA_KIND_BACKEND};

	if (!check_section(reader, group))
		return false;
	backend->name = arena_copy(reader->arena, str_from(group->name)).ptr;
	backend->where = conf_where(reader->arena, group);
	section_read_keys(reader, &config_backend_keys, group, backend->where, backend);
	section.plugin = backend->plugin;
	section.is_optional = backend->is_optional;
	if (!section_read_options(reader, &section))
		return false;
	backend->settings = section.settings;
	backend->settings_count = section.settings_count;
	return true;
}

static void read_backends(struct reader *reader, const struct conf_node *root)
{
	struct config *config = &reader->loaded->config;
	const struct conf_node *group = find_sections(reader, root, "backends");
	struct config_backend *backends;

	if (!group)
		return;
	backends = ARENA_ARRAY(reader->arena, struct config_backend, group->count);
	for (size_t i = 0; i < group->count; i++)
		if (read_backend(reader, group->children[i], &backends[config->backends_count]))
			config->backends_count++;
	config->backends = backends;
}

static void read_language(struct reader *reader, const struct conf_node *root)
{
	struct config_language *language = &reader->loaded->config.language;
	const struct conf_node *group = conf_find(root, "language");
	struct plugin_section section = {
		.table = &config_language_keys, .group = group, .kind = PA_KIND_NLP};

	language->where = conf_where(reader->arena, group ? group : root);
	section_read_keys(reader, &config_language_keys, group, language->where, language);
	if (!language->plugin || !group || group->kind != CONF_GROUP)
		return;
	section.plugin = language->plugin;
	section.is_optional = language->is_optional;
	if (!section_read_options(reader, &section)) {
		language->plugin = NULL;
		return;
	}
	language->settings = section.settings;
	language->settings_count = section.settings_count;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void fill_in(struct reader *reader, const struct conf_node *root)
{
	struct config *config = &reader->loaded->config;
	bool has_idle = conf_find(conf_find(root, "identity"), "session_idle") != NULL;
	char *name;

	if (!config->node) {
		name = arena_alloc(reader->arena, HOST_NAME_ROOM);
		if (gethostname(name, HOST_NAME_ROOM - 1) < 0)
			name[0] = '\0';
		config->node = name;
	}
	if (config->regulation == REGULATION_VIGILADA && !has_idle)
		config->session_idle_ms = CONFIG_IDLE_SUPERVISED_MS;
}

static void read_all(struct reader *reader, const struct conf_node *root)
{
	const pa_plugin *const *descriptors;

	check_names(reader, root);
	read_core(reader, root);
	descriptors = read_channels(reader, root);
	read_backends(reader, root);
	read_language(reader, root);
	fill_in(reader, root);
	cross_check(reader, root, descriptors);
}

/* Included names are relative to the file's own directory. */
static const char *include_directory(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_format(arena, "%.*s", (int)(slash - path), path).ptr;
}

pa_status config_read_tree(const char *path, struct arena *arena, const struct conf_node **ret,
			   pa_error *err)
{
	return conf_read_file(arena, path, include_directory(arena, path), ret, err);
}

/* "file:line: what" of the reader of files, as a problem. */
static void add_file_problem(struct config_problems *problems, const char *path,
			     const pa_error *err)
{
	pa_str text = str_from(error_text(err)), separator = PA_STR(": ");
	size_t at = str_find(text, separator);
	const char *where = path;

	if (at != SIZE_MAX) {
		where = arena_copy(problems->arena, str_slice(text, 0, at)).ptr;
		text = str_slice(text, at + separator.len, SIZE_MAX);
	}
	add_problem(problems, where, arena_copy(problems->arena, text).ptr, false);
}

pa_status config_load(const char *path, struct host *host, struct config **ret,
		      struct config_problems *problems, pa_error *err)
{
	struct arena *scratch PA_CLEANUP(arena_done) = arena_new(CONFIG_CAP);
	struct arena *arena = arena_new(CONFIG_CAP);
	struct loaded *loaded = ARENA_NEW(arena, struct loaded);
	struct reader reader = {
		.path = path, .loaded = loaded, .arena = arena, .problems = problems, .host = host};
	const struct conf_node *root;

	loaded->config.arena = arena;
	if (config_read_tree(path, scratch, &root, err) != PA_OK) {
		add_file_problem(problems, path, err);
		config_free(&loaded->config);
		return PA_REJECTED;
	}
	read_all(&reader, root);
	if (reader.errors) {
		config_free(&loaded->config);
		return error_set(err, PA_REJECTED, "%s: errors: %zu", path, reader.errors);
	}
	*ret = &loaded->config;
	return PA_OK;
}

/* One path of the file by itself; NULL if the file can't be read. */
static const char *path_alone(const char *path, const char *group, const char *key,
			      const char *fallback, struct arena *arena)
{
	struct arena *scratch PA_CLEANUP(arena_done) = arena_new(CONFIG_CAP);
	const struct conf_node *root, *node;
	pa_error err = ERROR_INIT;

	if (config_read_tree(path, scratch, &root, &err) != PA_OK)
		return NULL;
	node = conf_find(conf_find(root, group), key);
	if (!node || node->kind != CONF_TEXT || !str_starts(node->text, PA_STR("/")))
		return fallback;
	return arena_copy(arena, node->text).ptr;
}

const char *config_plugin_directory(const char *path, struct arena *arena)
{
	const char *found =
		path_alone(path, "plugins", "directory", CONFIG_PLUGIN_DIRECTORY, arena);

	return found ? found : CONFIG_PLUGIN_DIRECTORY;
}

const char *config_control_socket(const char *path, struct arena *arena)
{
	return path_alone(path, "control", "socket", CONFIG_CONTROL_SOCKET, arena);
}

const char *config_master_reference(const char *path, struct arena *arena)
{
	struct arena *scratch PA_CLEANUP(arena_done) = arena_new(CONFIG_CAP);
	const struct conf_node *root, *node;
	pa_error err = ERROR_INIT;

	if (config_read_tree(path, scratch, &root, &err) != PA_OK)
		return NULL;
	node = conf_find(conf_find(root, "store"), "master_key");
	return node && node->kind == CONF_TEXT ? arena_copy(arena, node->text).ptr : NULL;
}

void config_free(struct config *config)
{
	const struct loaded *loaded = (const struct loaded *)config;

	if (!config)
		return;
	for (const struct secret *secret = loaded->secrets; secret; secret = secret->next)
		/* The slice is read-only, the arena's memory under it is not. */
		bytes_wipe((void *)(uintptr_t)secret->bytes.ptr, secret->bytes.len);
	arena_free(config->arena);
}

void config_done(struct config **config)
{
	config_free(*config);
}
