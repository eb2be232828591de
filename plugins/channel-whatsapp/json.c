/* SPDX-License-Identifier: Apache-2.0
 *
 * jsmn cuts the body into tokens, without a copy and without an allocation a value; check_text()
 * then sees to all that jsmn lets pass. Strings and numbers that are more than plain are left to
 * jansson, when somebody asks for them.
 */
#include "json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

/* As jansson has it. */
#define MAX_DEPTH 2048
/* Tokens are got in steps, between which the depth is looked at: at each bracket that closes, jsmn
 * walks up from the last token, which in a body of nothing but brackets would take forever. */
#define STEP 2048
/* Whole numbers of so many digits fit 64 bits. */
#define SAFE_DIGITS 18

struct wa_json {
	pa_str text; /* the body, or its mended copy */
	char *mended;
	int count;
	int room;
	jsmntok_t *tokens; /* once checked, an object's or array's parent is the token behind it */
	json_t *decoded;   /* an array of the strings that were; NULL: none yet */
};

static pa_str slice(const struct wa_json *json, int token)
{
	const jsmntok_t *t = &json->tokens[token];

	return (pa_str){json->text.ptr + t->start, (size_t)(t->end - t->start)};
}

static bool is_container(const jsmntok_t *token)
{
	return token->type == JSMN_OBJECT || token->type == JSMN_ARRAY;
}

/* ---- tokens ---- */

/* How many tokens stand open around the next one; a key counts as one, too. */
static int count_open(const struct wa_json *json, int token)
{
	int count = 0;

	for (; token >= 0; token = json->tokens[token].parent)
		count++;
	return count;
}

static bool make_room(struct wa_json *json)
{
	int step = json->text.len < STEP ? (int)json->text.len : STEP;
	int room = json->room + step;
	jsmntok_t *tokens = realloc(json->tokens, (size_t)room * sizeof(*tokens));

	if (tokens == NULL)
		return false;
	json->tokens = tokens;
	json->room = room;
	return true;
}

static pa_status tokenise(struct wa_json *json)
{
	jsmn_parser parser;
	int count = JSMN_ERROR_NOMEM;

	jsmn_init(&parser);
	while (count == JSMN_ERROR_NOMEM && count_open(json, parser.toksuper) <= 2 * MAX_DEPTH) {
		if (!make_room(json))
			return PA_RETRY;
		count = jsmn_parse(&parser, json->text.ptr, json->text.len, json->tokens,
				   (unsigned)json->room);
	}
	json->count = count;
	return count > 0 ? PA_OK : PA_REJECTED;
}

/* ---- the check ---- */

/* What may come next: a set. */
#define VALUE 1u
#define KEY 2u
#define COLON 4u
#define COMMA 8u
#define END 16u

struct check {
	struct wa_json *json;
	int next; /* token */
	int open; /* the innermost object or array; -1: none */
	int depth;
	unsigned wanted;
};

/* A number beyond jansson's range becomes a string. */
static bool check_number(jsmntok_t *token, pa_str text)
{
	json_error_t error;
	json_t *number;

	if (wa_is_digits(text, 1, SAFE_DIGITS) && (text.ptr[0] != '0' || text.len == 1))
		return true;
	number = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, &error);
	if (number == NULL && (json_error_code(&error) != json_error_numeric_overflow ||
			       error.position != token->end - token->start))
		return false;
	if (number == NULL)
		token->type = JSMN_STRING;
	json_decref(number);
	return true;
}

static bool check_primitive(jsmntok_t *token, pa_str text)
{
	if (text.ptr[0] == 't')
		return wa_equal(text, WA_STR("true"));
	if (text.ptr[0] == 'f')
		return wa_equal(text, WA_STR("false"));
	if (text.ptr[0] == 'n')
		return wa_equal(text, WA_STR("null"));
	return check_number(token, text);
}

/* The byte behind the token, or behind the bracket that opens it; 0: it has no place here. */
static size_t check_token(struct check *check)
{
	jsmntok_t *token = &check->json->tokens[check->next];
	bool is_key = check->wanted == KEY || check->wanted == (KEY | END);

	if (is_key ? token->type != JSMN_STRING : !(check->wanted & VALUE))
		return 0;
	check->wanted = is_key ? COLON : COMMA | END;
	if (is_container(token)) {
		token->parent = check->open;
		check->open = check->next;
		check->wanted = END | (token->type == JSMN_OBJECT ? KEY : VALUE);
		check->next++;
		return ++check->depth <= MAX_DEPTH ? (size_t)token->start + 1 : 0;
	}
	if (token->type == JSMN_STRING) {
		check->next++;
		return (size_t)token->end + 1;
	}
	return check_primitive(token, slice(check->json, check->next++)) ? (size_t)token->end : 0;
}

static bool check_end(struct check *check, char bracket)
{
	jsmntok_t *token = check->open < 0 ? NULL : &check->json->tokens[check->open];

	if (token == NULL || !(check->wanted & END) ||
	    bracket != (token->type == JSMN_OBJECT ? '}' : ']'))
		return false;
	check->open = token->parent;
	token->parent = check->next;
	check->depth--;
	check->wanted = check->open < 0 ? 0 : COMMA | END;
	return true;
}

/* What stands between tokens. */
static bool check_mark(struct check *check, char c)
{
	unsigned wanted = check->wanted;

	switch (c) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return true;
	case ':':
		check->wanted = VALUE;
		return wanted == COLON;
	case ',':
		if (!(wanted & COMMA))
			return false;
		check->wanted = check->json->tokens[check->open].type == JSMN_OBJECT ? KEY : VALUE;
		return true;
	default:
		return check_end(check, c);
	}
}

/* A string that was a number has no quotes. */
static bool is_quoted(const struct wa_json *json, int token)
{
	const jsmntok_t *t = &json->tokens[token];

	return t->type == JSMN_STRING && json->text.ptr[t->start - 1] == '"';
}

/* The token's place, quotes included. */
static size_t begin_of(const struct wa_json *json, int token)
{
	return (size_t)json->tokens[token].start - is_quoted(json, token);
}

static size_t end_of(const struct wa_json *json, int token)
{
	return (size_t)json->tokens[token].end + is_quoted(json, token);
}

/* RFC 8259, but for the insides of strings. ret_at: how far it holds. */
static bool check_text(struct wa_json *json, size_t *ret_at)
{
	struct check check = {.json = json, .open = -1, .wanted = VALUE};
	size_t at = 0;

	if (!is_container(&json->tokens[0]))
		return false;
	while (at < json->text.len) {
		*ret_at = at;
		if (check.next < json->count && at == begin_of(json, check.next)) {
			at = check_token(&check);
			if (at == 0)
				return false;
		} else if (!check_mark(&check, json->text.ptr[at++])) {
			return false;
		}
	}
	return check.wanted == 0;
}

/* ---- the document ---- */

static pa_status load(struct wa_json *json, pa_str text, size_t *ret_at)
{
	pa_status status;

	json->text = text;
	json->room = 0;
	status = tokenise(json);
	if (status == PA_OK && !check_text(json, ret_at))
		status = PA_REJECTED;
	return status;
}

/* jsmn refuses unknown escapes and a NUL in a string. */
static pa_status load_mended(struct wa_json *json, pa_str body, size_t *ret_at)
{
	size_t len = 0;

	json->mended = wa_mend(body, false, &len);
	if (json->mended == NULL)
		return PA_RETRY;
	return len <= INT_MAX ? load(json, (pa_str){json->mended, len}, ret_at) : PA_REJECTED;
}

pa_status wa_json_load(pa_str body, struct wa_json **ret, pa_error *err)
{
	struct wa_json *json;
	pa_status status;
	size_t at = 0;

	if (body.len == 0 || body.len > INT_MAX)
		return wa_fail(err, PA_REJECTED, "the body is empty or endless");
	json = calloc(1, sizeof(*json));
	status = json ? load(json, body, &at) : PA_RETRY;
	if (status == PA_REJECTED)
		status = load_mended(json, body, &at);
	if (status == PA_OK) {
		*ret = json;
		return PA_OK;
	}
	wa_json_free(json);
	if (status == PA_RETRY)
		return wa_fail(err, PA_RETRY, "no memory for the body");
	return wa_fail(err, PA_REJECTED, "the body is no JSON (byte %zu)", at);
}

void wa_json_free(struct wa_json *json)
{
	if (json == NULL)
		return;
	json_decref(json->decoded);
	free(json->tokens);
	free(json->mended);
	free(json);
}

/* ---- strings that are not plain ---- */

/* A jansson string, owned by the caller; NULL if there is no memory. jansson takes no NUL in a
 * key. */
static json_t *decode(pa_str quoted, bool is_key)
{
	size_t flags = JSON_DECODE_ANY | (is_key ? 0 : JSON_ALLOW_NUL);
	json_t *string = json_loadb(quoted.ptr, quoted.len, flags, NULL);
	char *mended;
	size_t len;

	if (string != NULL)
		return string;
	mended = wa_mend(quoted, is_key, &len);
	if (mended != NULL)
		string = json_loadb(mended, len, flags, NULL);
	free(mended);
	return string;
}

static pa_str with_quotes(pa_str inside)
{
	return (pa_str){inside.ptr - 1, inside.len + 2};
}

/* The text of a string that has to be decoded, borrowed from the document. */
static pa_str keep_decoded(struct wa_json *json, pa_str inside)
{
	json_t *string = decode(with_quotes(inside), false);

	if (json->decoded == NULL)
		json->decoded = json_array();
	if (json_array_append_new(json->decoded, string) < 0)
		return (pa_str){NULL, 0};
	return (pa_str){json_string_value(string), json_string_length(string)};
}

static bool key_equals(pa_str inside, pa_str key)
{
	json_t *string;
	bool is_equal;

	if (memchr(inside.ptr, '\\', inside.len) == NULL)
		return wa_equal(inside, key);
	string = decode(with_quotes(inside), true);
	is_equal = wa_equal((pa_str){json_string_value(string), json_string_length(string)}, key);
	json_decref(string);
	return is_equal;
}

/* ---- values ---- */

static const struct wa_value absent = {NULL, 0};

static bool is_type(struct wa_value value, jsmntype_t type)
{
	return value.json != NULL && value.json->tokens[value.token].type == type;
}

struct wa_value wa_root(struct wa_json *json)
{
	return (struct wa_value){json, 0};
}

enum wa_kind wa_kind(struct wa_value value)
{
	if (value.json == NULL)
		return WA_ABSENT;
	switch (value.json->tokens[value.token].type) {
	case JSMN_OBJECT:
		return WA_OBJECT;
	case JSMN_ARRAY:
		return WA_ARRAY;
	case JSMN_STRING:
		return WA_STRING;
	case JSMN_PRIMITIVE:
	case JSMN_UNDEFINED:
	default:
		break;
	}
	switch (slice(value.json, value.token).ptr[0]) {
	case 'n':
		return WA_NULL;
	case 't':
		return WA_TRUE;
	case 'f':
		return WA_FALSE;
	default:
		return WA_NUMBER;
	}
}

/* The token behind a value and all that is in it. */
static int behind(const struct wa_json *json, int token)
{
	return is_container(&json->tokens[token]) ? json->tokens[token].parent : token + 1;
}

struct wa_value wa_at(struct wa_value object, const char *key)
{
	struct wa_json *json = object.json;
	const pa_str wanted = {key, strlen(key)};
	int end;

	if (!is_type(object, JSMN_OBJECT))
		return absent;
	end = behind(json, object.token);
	for (int i = object.token + 1; i < end; i = behind(json, i + 1))
		if (key_equals(slice(json, i), wanted))
			return (struct wa_value){json, i + 1};
	return absent;
}

static struct wa_value element(struct wa_value array, int token)
{
	return token < behind(array.json, array.token) ? (struct wa_value){array.json, token}
						       : absent;
}

struct wa_value wa_first(struct wa_value array)
{
	return is_type(array, JSMN_ARRAY) ? element(array, array.token + 1) : absent;
}

struct wa_value wa_next(struct wa_value array, struct wa_value item)
{
	return element(array, behind(item.json, item.token));
}

pa_str wa_text(struct wa_value value)
{
	pa_str inside;

	if (!is_type(value, JSMN_STRING))
		return (pa_str){NULL, 0};
	inside = slice(value.json, value.token);
	return wa_is_plain(inside) ? inside : keep_decoded(value.json, inside);
}

pa_str wa_text_at(struct wa_value object, const char *key)
{
	return wa_text(wa_at(object, key));
}

bool wa_number_at(struct wa_value object, const char *key, int64_t max, int64_t *ret)
{
	struct wa_value value = wa_at(object, key);

	if (is_type(value, JSMN_PRIMITIVE))
		return wa_to_number(slice(value.json, value.token), max, ret);
	return wa_to_number(wa_text(value), max, ret);
}

/* ---- compact ---- */

static void write_token(struct wa_writer *writer, const struct wa_json *json, int token)
{
	const jsmntok_t *t = &json->tokens[token];
	pa_str text = slice(json, token);

	if (t->type == JSMN_STRING && wa_is_plain(text))
		wa_write_text(writer, text);
	else if (t->type == JSMN_STRING)
		wa_write_json(writer, decode(with_quotes(text), t->size > 0));
	else if (text.ptr[0] >= 'a' || wa_is_digits(text, 1, SAFE_DIGITS))
		wa_write(writer, text);
	else
		wa_write_json(writer, json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL));
}

/* What stands between tokens, without the blanks. */
static void write_marks(struct wa_writer *writer, const struct wa_json *json, size_t at, size_t end)
{
	for (; at < end; at++)
		if (strchr(" \t\r\n", json->text.ptr[at]) == NULL)
			wa_write(writer, (pa_str){json->text.ptr + at, 1});
}

void wa_write_value(struct wa_writer *writer, struct wa_value value)
{
	const struct wa_json *json = value.json;
	int end = behind(json, value.token);
	size_t at = begin_of(json, value.token);

	for (int i = value.token; i < end; i++) {
		if (is_container(&json->tokens[i]))
			continue;
		write_marks(writer, json, at, begin_of(json, i));
		write_token(writer, json, i);
		at = end_of(json, i);
	}
	write_marks(writer, json, at, end_of(json, value.token));
}
