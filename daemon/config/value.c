/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "host/option.h"
#include "io/address.h"
#include "io/crypto.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_LEVEL 3 /* syslog's "error" */

typedef bool read_fn(struct reader *reader, const struct config_key *key,
		     const struct conf_node *node, void *field);

static bool complain(struct reader *reader, const struct conf_node *node, enum words words,
		     const char *first, const char *second)
{
	reader_error(reader, conf_where(reader->arena, node), words, first, second, NULL);
	return false;
}

const char *kind_words(struct arena *arena, enum conf_kind kind)
{
	static const enum words kinds[] = {
		[CONF_GROUP] = WORDS_KIND_GROUP, [CONF_LIST] = WORDS_KIND_LIST,
		[CONF_TEXT] = WORDS_KIND_TEXT,   [CONF_INTEGER] = WORDS_KIND_INTEGER,
		[CONF_REAL] = WORDS_KIND_REAL,   [CONF_BOOL] = WORDS_KIND_BOOL,
	};

	return words_say(arena, kinds[kind], NULL, NULL, NULL);
}

static const char *choice_list(struct arena *arena, const char *const *choices)
{
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(CONFIG_TEXT_MAX);

	for (size_t i = 0; choices[i]; i++)
		buf_format(&out, "%s\"%s\"", i ? ", " : "", choices[i]);
	return arena_copy(arena, buf_str(&out)).ptr;
}

const char *key_type_words(struct arena *arena, const struct config_key *key)
{
	static const enum words types[] = {
		[KEY_TEXT] = WORDS_KIND_TEXT,       [KEY_NAME] = WORDS_KIND_TEXT,
		[KEY_PATH] = WORDS_KIND_PATH,       [KEY_PATH_OR] = WORDS_KIND_PATH,
		[KEY_URL] = WORDS_KIND_URL,         [KEY_PROXY] = WORDS_KIND_TEXT,
		[KEY_NETWORKS] = WORDS_KIND_TEXT,   [KEY_SECRET] = WORDS_KIND_SECRET,
		[KEY_DATABASE] = WORDS_KIND_TEXT,   [KEY_MASTER] = WORDS_KIND_SECRET,
		[KEY_INTEGER] = WORDS_KIND_INTEGER, [KEY_REAL] = WORDS_KIND_REAL,
		[KEY_BOOL] = WORDS_KIND_BOOL,       [KEY_DURATION] = WORDS_KIND_DURATION,
		[KEY_SIZE] = WORDS_KIND_SIZE,       [KEY_CHOICE] = WORDS_KIND_CHOICE,
		[KEY_LEVEL] = WORDS_KIND_CHOICE,
	};
	const char *choices = key->choices ? choice_list(arena, key->choices) : NULL;

	return words_say(arena, types[key->type], choices, NULL, NULL);
}

const char *option_words(struct arena *arena, uint32_t type)
{
	static const enum words types[] = {
		[PA_OPT_TEXT] = WORDS_KIND_TEXT, [PA_OPT_NUMBER] = WORDS_KIND_INTEGER,
		[PA_OPT_BOOL] = WORDS_KIND_BOOL, [PA_OPT_DURATION] = WORDS_KIND_DURATION,
		[PA_OPT_URL] = WORDS_KIND_URL,   [PA_OPT_SECRET] = WORDS_KIND_SECRET,
		[PA_OPT_MAP] = WORDS_KIND_MAP,
	};

	return words_say(arena, types[type], NULL, NULL, NULL);
}

static bool is_kind(struct reader *reader, const struct config_key *key,
		    const struct conf_node *node, enum conf_kind wanted)
{
	if (node->kind == wanted)
		return true;
	reader_error(reader, conf_where(reader->arena, node), WORDS_WRONG_TYPE, key->path,
		     key_type_words(reader->arena, key), kind_words(reader->arena, node->kind));
	return false;
}

bool text_holds_password(pa_str text)
{
	pa_str host = PA_STR("://"), word = PA_STR("password");
	size_t at = str_find(text, host);

	if (at != SIZE_MAX) {
		pa_str rest = str_slice(text, at + host.len, SIZE_MAX);
		pa_str authority = str_split(&rest, '/');
		pa_str user = str_split(&authority, '@');

		if (!str_is_absent(authority) && str_find(user, PA_STR(":")) != SIZE_MAX)
			return true;
	}
	while ((at = str_find(text, word)) != SIZE_MAX) {
		text = str_slice(text, at + word.len, SIZE_MAX);
		if (str_starts(str_trim(text), PA_STR("=")))
			return true;
	}
	return false;
}

static bool read_plain(struct reader *reader, const struct config_key *key,
		       const struct conf_node *node, pa_str *ret)
{
	if (!is_kind(reader, key, node, CONF_TEXT))
		return false;
	if (node->text.len > CONFIG_TEXT_MAX) {
		reader_error(reader, conf_where(reader->arena, node), WORDS_OUT_OF_RANGE, key->path,
			     "0", "2048 bytes");
		return false;
	}
	if (text_holds_password(node->text))
		return complain(reader, node, WORDS_SECRET_PASSWORD, key->path, NULL);
	*ret = arena_copy(reader->arena, node->text);
	return true;
}

static bool read_text(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	bool may_be_empty = key->fallback && strcmp(key->fallback, "\"\"") == 0;
	pa_str text;

	if (!read_plain(reader, key, node, &text))
		return false;
	if (text.len == 0 && !may_be_empty)
		return complain(reader, node, WORDS_EMPTY, key->path, NULL);
	*(const char **)field = text.ptr;
	return true;
}

static bool read_name(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	pa_str text;

	if (!read_plain(reader, key, node, &text))
		return false;
	*(const char **)field = text.len ? text.ptr : NULL;
	return true;
}

static bool read_path(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	pa_str text;

	if (!read_plain(reader, key, node, &text))
		return false;
	if (text.len == 0 && key->type == KEY_PATH_OR) {
		*(const char **)field = NULL;
		return true;
	}
	if (!str_starts(text, PA_STR("/")))
		return complain(reader, node, WORDS_NOT_A_PATH, key->path, NULL);
	*(const char **)field = text.ptr;
	return true;
}

static bool read_url(struct reader *reader, const struct config_key *key,
		     const struct conf_node *node, void *field)
{
	pa_error err = ERROR_INIT;
	pa_str text;

	if (!read_plain(reader, key, node, &text))
		return false;
	if (http_url_check(text, &err) != PA_OK)
		return complain(reader, node, WORDS_BAD_URL, key->path, error_text(&err));
	*(const char **)field = text.ptr;
	return true;
}

static bool read_proxy(struct reader *reader, const struct config_key *key,
		       const struct conf_node *node, void *field)
{
	pa_error err = ERROR_INIT;

	if (!read_name(reader, key, node, field) || !*(const char **)field)
		return true;
	if (http_proxy_check(*(const char **)field, &err) != PA_OK)
		return complain(reader, node, WORDS_BAD_PROXY, key->path, error_text(&err));
	return true;
}

static bool read_networks(struct reader *reader, const struct config_key *key,
			  const struct conf_node *node, void *field)
{
	struct networks networks;
	pa_error err = ERROR_INIT;

	if (!read_name(reader, key, node, field) || !*(const char **)field)
		return true;
	if (networks_parse(*(const char **)field, &networks, &err) != PA_OK)
		return complain(reader, node, WORDS_BAD_PROXY, key->path, error_text(&err));
	return true;
}

static bool read_secret(struct reader *reader, const struct config_key *key,
			const struct conf_node *node, void *field)
{
	pa_str text = PA_STR_ABSENT;

	if (!is_kind(reader, key, node, CONF_TEXT))
		return false;
	if (node->text.len &&
	    !secret_read(reader, conf_where(reader->arena, node), key->path, node->text, &text))
		return false;
	*(const char **)field = text.ptr;
	return true;
}

static bool read_database(struct reader *reader, const struct config_key *key,
			  const struct conf_node *node, void *field)
{
	pa_str text;

	if (node->kind != CONF_TEXT || !secret_is_reference(node->text))
		return read_text(reader, key, node, field);
	if (!secret_read(reader, conf_where(reader->arena, node), key->path, node->text, &text))
		return false;
	*(const char **)field = text.ptr;
	return true;
}

/* One key, or two while one takes over from the other: a line each, the newest first. */
static bool master_parse(struct arena *arena, pa_str text, pa_str *ret)
{
	char *both = arena_alloc(arena, (size_t)2 * KEY_BYTES);
	size_t count = 0;
	pa_str rest = text;

	while (rest.len) {
		pa_str line = str_trim(str_split(&rest, '\n')), bytes;

		if (count == 2 || line.len != (size_t)2 * KEY_BYTES ||
		    hex_decode(arena, line, &bytes) != PA_OK)
			return false;
		memcpy(both + KEY_BYTES * count++, bytes.ptr, KEY_BYTES);
		bytes_wipe((char *)(uintptr_t)bytes.ptr, bytes.len);
	}
	*ret = (pa_str){both, KEY_BYTES * count};
	return count > 0;
}

static bool read_master(struct reader *reader, const struct config_key *key,
			const struct conf_node *node, void *field)
{
	pa_str text, bytes;

	if (!is_kind(reader, key, node, CONF_TEXT) ||
	    !secret_read(reader, conf_where(reader->arena, node), key->path, node->text, &text))
		return false;
	if (!master_parse(reader->arena, text, &bytes))
		return complain(reader, node, WORDS_BAD_MASTER_KEY, key->path, NULL);
	secret_keep(reader, bytes);
	*(pa_str *)field = bytes;
	return true;
}

/* A bound as the operator would write it. */
static const char *bound(struct arena *arena, const struct config_key *key, double value)
{
	static const struct {
		enum key_type type;
		double unit;
		const char *name;
	} units[] = {
		{KEY_DURATION, 3600000, " h"}, {KEY_DURATION, 60000, " min"},
		{KEY_DURATION, 1000, " s"},    {KEY_DURATION, 1, " ms"},
		{KEY_SIZE, 1048576, " MiB"},   {KEY_SIZE, 1024, " KiB"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		int64_t unit = (int64_t)units[i].unit;

		if (units[i].type == key->type && value >= units[i].unit &&
		    (int64_t)value % unit == 0)
			return arena_format(arena, "%.10g%s", value / units[i].unit, units[i].name)
				.ptr;
	}
	return arena_format(arena, "%.10g%s", value, key->type == KEY_DURATION ? " s" : "").ptr;
}

static bool in_range(struct reader *reader, const struct config_key *key,
		     const struct conf_node *node, double value)
{
	if (value >= key->least && value <= key->most)
		return true;
	reader_error(reader, conf_where(reader->arena, node), WORDS_OUT_OF_RANGE, key->path,
		     bound(reader->arena, key, key->least), bound(reader->arena, key, key->most));
	return false;
}

static bool put_integer(struct reader *reader, const struct config_key *key,
			const struct conf_node *node, int64_t value, void *field)
{
	if (!in_range(reader, key, node, (double)value))
		return false;
	*(int64_t *)field = value;
	return true;
}

static bool read_integer(struct reader *reader, const struct config_key *key,
			 const struct conf_node *node, void *field)
{
	return is_kind(reader, key, node, CONF_INTEGER) &&
	       put_integer(reader, key, node, node->integer, field);
}

static bool read_real(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	if (node->kind != CONF_INTEGER && !is_kind(reader, key, node, CONF_REAL))
		return false;
	if (!in_range(reader, key, node, node->real))
		return false;
	*(double *)field = node->real;
	return true;
}

static bool read_bool(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	if (!is_kind(reader, key, node, CONF_BOOL))
		return false;
	*(bool *)field = node->boolean;
	return true;
}

static bool read_duration(struct reader *reader, const struct config_key *key,
			  const struct conf_node *node, void *field)
{
	int64_t ms;

	if (!is_kind(reader, key, node, CONF_TEXT))
		return false;
	if (!duration_parse(node->text, &ms))
		return complain(reader, node, WORDS_NOT_A_DURATION, key->path, NULL);
	return put_integer(reader, key, node, ms, field);
}

static bool size_parse(pa_str text, int64_t *ret)
{
	static const struct {
		pa_str name;
		int shift;
	} units[] = {{{"KiB", 3}, 10}, {{"MiB", 3}, 20}};
	int64_t count;

	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!str_ends(text, units[i].name))
			continue;
		text = str_trim(str_slice(text, 0, text.len - units[i].name.len));
		if (!str_to_int64(text, &count) || count < 0 || count > INT32_MAX)
			return false;
		*ret = count << units[i].shift;
		return true;
	}
	return false;
}

static bool read_size(struct reader *reader, const struct config_key *key,
		      const struct conf_node *node, void *field)
{
	int64_t bytes;

	if (!is_kind(reader, key, node, CONF_TEXT))
		return false;
	if (!size_parse(node->text, &bytes))
		return complain(reader, node, WORDS_NOT_A_SIZE, key->path, NULL);
	return put_integer(reader, key, node, bytes, field);
}

static bool read_choice(struct reader *reader, const struct config_key *key,
			const struct conf_node *node, void *field)
{
	if (!is_kind(reader, key, node, CONF_TEXT))
		return false;
	for (unsigned i = 0; key->choices[i]; i++) {
		if (!str_equal(node->text, str_from(key->choices[i])))
			continue;
		if (key->type == KEY_LEVEL)
			*(int64_t *)field = FIRST_LEVEL + (int64_t)i;
		else
			*(unsigned *)field = i;
		return true;
	}
	return complain(reader, node, WORDS_NOT_A_CHOICE, key->path,
			choice_list(reader->arena, key->choices));
}

static read_fn *const readers[] = {
	[KEY_TEXT] = read_text,         [KEY_NAME] = read_name,
	[KEY_PATH] = read_path,         [KEY_PATH_OR] = read_path,
	[KEY_URL] = read_url,           [KEY_PROXY] = read_proxy,
	[KEY_NETWORKS] = read_networks, [KEY_SECRET] = read_secret,
	[KEY_DATABASE] = read_database, [KEY_MASTER] = read_master,
	[KEY_INTEGER] = read_integer,   [KEY_REAL] = read_real,
	[KEY_BOOL] = read_bool,         [KEY_DURATION] = read_duration,
	[KEY_SIZE] = read_size,         [KEY_CHOICE] = read_choice,
	[KEY_LEVEL] = read_choice,
};

void value_read(struct reader *reader, const struct config_key *key, const struct conf_node *node,
		void *base)
{
	readers[key->type](reader, key, node, (char *)base + key->offset);
}

void value_fallback(struct reader *reader, const struct config_key *key, void *base)
{
	const struct conf_node *root;
	pa_error err = ERROR_INIT;
	pa_str text;

	if (!key->fallback)
		return;
	text = arena_format(reader->arena, "value = %s;", key->fallback);
	/* Ours: a default that its own rules refuse is a bug, found by the unit test. */
	if (conf_read_text(reader->arena, text, key->path, &root, &err) != PA_OK)
		abort();
	value_read(reader, key, root->children[0], base);
}
