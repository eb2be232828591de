/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/err.h"
#include "base/str.h"
#include "io/child.h"
#include "io/crypto.h"
#include "io/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MAX 8192
#define NAME_MAX_BYTES 128

/* Where systemd itself looks for credentials (systemd.exec(5), LoadCredential=). */
#define CREDENTIAL_STORE "/etc/credstore"
#define ENCRYPTED_STORE "/etc/credstore.encrypted"

static const pa_str by_credential = {"credential:", 11};
static const pa_str by_file = {"file:", 5};
static const pa_str by_env = {"env:", 4};

/* Fits where a key is wanted, too. */
static const char no_secret[] = "0000000000000000000000000000000000000000000000000000000000000000";

bool secret_is_reference(pa_str text)
{
	return str_starts(text, by_credential) || str_starts(text, by_file) ||
	       str_starts(text, by_env);
}

void secret_keep(struct reader *reader, pa_str bytes)
{
	struct secret *secret = ARENA_NEW(reader->arena, struct secret);

	secret->bytes = bytes;
	secret->next = reader->loaded->secrets;
	reader->loaded->secrets = secret;
}

/* A file name or the name of a variable: nothing that could lead elsewhere. */
static bool is_plain_name(pa_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';

		if (!is_plain)
			return false;
	}
	return name.len > 0 && name.len <= NAME_MAX_BYTES && name.ptr[0] != '.';
}

/* One reading of one secret. */
struct source {
	struct reader *reader;
	const char *where;
	const char *key;
};

static bool missing(const struct source *source, const char *why)
{
	reader_error(source->reader, source->where, WORDS_SECRET_MISSING, source->key, why, NULL);
	return false;
}

static bool from_file(const struct source *source, const char *path, bool is_private, pa_str *ret)
{
	struct arena *arena = source->reader->arena;
	pa_error err = ERROR_INIT;
	pa_status status = is_private ? file_read_private(arena, path, SECRET_MAX, ret, &err)
				      : file_read(arena, path, SECRET_MAX, ret, &err);

	return status == PA_OK || missing(source, error_text(&err));
}

/* The file in the store of encrypted ones: the second daemon's are set apart by name, as
 * proalto@.service does: /etc/proalto-dos.conf has proalto-dos.master-key for proalto.master-key.
 */
const char *config_encrypted_credential(const char *path, pa_str name, struct arena *arena)
{
	static const pa_str prefix = {"proalto-", 8}, suffix = {".conf", 5}, own = {"proalto.", 8};
	const char *slash = strrchr(path, '/');
	pa_str file = str_from(slash ? slash + 1 : path);

	if (!str_starts(file, prefix) || !str_ends(file, suffix) || !str_starts(name, own))
		return arena_format(arena, ENCRYPTED_STORE "/%.*s", PA_FMT(name)).ptr;
	file.len -= suffix.len;
	return arena_format(arena, ENCRYPTED_STORE "/%.*s.%.*s", PA_FMT(file),
			    PA_FMT(str_slice(name, own.len, SIZE_MAX)))
		.ptr;
}

/* By hand, as root, what systemd would decrypt for the service. */
static bool from_encrypted(const struct source *source, const char *path, pa_str name, pa_str *ret)
{
	struct reader *reader = source->reader;
	const char *as = arena_format(reader->arena, "--name=%.*s", PA_FMT(name)).ptr;
	const char *const argv[] = {"systemd-creds", "decrypt", as, path, "-", NULL};
	pa_error err = ERROR_INIT;

	if (geteuid() != 0) {
		reader_error(reader, source->where, WORDS_SECRET_ENCRYPTED, source->key, path,
			     NULL);
		return false;
	}
	return child_run(reader->arena, argv, PA_STR_ABSENT, SECRET_MAX, ret, &err) == PA_OK ||
	       missing(source, error_text(&err));
}

/* By hand (proaltod --check) the credential is taken from where systemd would take it. */
static bool from_stores(const struct source *source, pa_str name, pa_str *ret)
{
	struct reader *reader = source->reader;
	const char *path = arena_format(reader->arena, CREDENTIAL_STORE "/%.*s", PA_FMT(name)).ptr;
	const char *encrypted = config_encrypted_credential(reader->path, name, reader->arena);

	if (access(path, F_OK) == 0)
		return from_file(source, path, true, ret);
	if (access(encrypted, F_OK) == 0 || errno == EACCES)
		return from_encrypted(source, encrypted, name, ret);
	reader_error(reader, source->where, WORDS_SECRET_NO_CREDENTIALS, source->key, path,
		     encrypted);
	return false;
}

/* Under systemd the credential lies in a directory made for the service alone (whose files may
 * belong to root and be readable by an access list, so their mode tells nothing). */
static bool from_credential(const struct source *source, pa_str name, pa_str *ret)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (!directory || !*directory)
		return from_stores(source, name, ret);
	return from_file(
		source, arena_format(source->reader->arena, "%s/%.*s", directory, PA_FMT(name)).ptr,
		false, ret);
}

static bool from_env(const struct source *source, pa_str name, pa_str *ret)
{
	const char *variable = arena_copy(source->reader->arena, name).ptr;
	const char *value = getenv(variable);

	if (!value) {
		reader_error(source->reader, source->where, WORDS_SECRET_NO_ENV, source->key,
			     variable, NULL);
		return false;
	}
	*ret = arena_copy(source->reader->arena, str_from(value));
	return true;
}

static bool find(const struct source *source, pa_str reference, pa_str *ret)
{
	pa_str colon = PA_STR(":");
	pa_str name = str_slice(reference, str_find(reference, colon) + 1, SIZE_MAX);

	if (str_starts(reference, by_file) && name.len > 0 && name.ptr[0] == '/')
		return from_file(source, name.ptr, true, ret);
	if (!str_starts(reference, by_file) && is_plain_name(name))
		return str_starts(reference, by_env) ? from_env(source, name, ret)
						     : from_credential(source, name, ret);
	reader_error(source->reader, source->where, WORDS_SECRET_BAD_NAME, source->key, NULL, NULL);
	return false;
}

bool secret_read(struct reader *reader, const char *where, const char *key, pa_str reference,
		 pa_str *ret)
{
	struct source source = {reader, where, key};
	pa_str raw, trimmed;

	if (!secret_is_reference(reference)) {
		reader_error(reader, where, WORDS_SECRET_LITERAL, key, NULL, NULL);
		return false;
	}
	if (reader->problems->skips_secrets) {
		*ret = str_from(no_secret);
		return true;
	}
	if (!find(&source, reference, &raw))
		return false;
	secret_keep(reader, raw);
	trimmed = str_trim(raw);
	if (trimmed.len == 0 || memchr(trimmed.ptr, '\0', trimmed.len)) {
		reader_error(reader, where, WORDS_SECRET_EMPTY, key, NULL, NULL);
		return false;
	}
	*ret = arena_copy(reader->arena, trimmed);
	secret_keep(reader, *ret);
	return true;
}

/* ---- all of a file's ---- */

#define SECRETS_MAX 500

struct gathering {
	struct reader *reader;
	struct arena *arena;
	struct config_secret *list;
	size_t count;
};

static bool is_gathered(const struct gathering *gathering, pa_str reference)
{
	for (size_t i = 0; i < gathering->count; i++)
		if (str_equal(str_from(gathering->list[i].reference), reference))
			return true;
	return false;
}

static void gather(struct gathering *gathering, const struct conf_node *node)
{
	struct config_secret *secret = &gathering->list[gathering->count];
	const char *where;
	pa_str bytes;

	for (size_t i = 0; i < node->count; i++)
		gather(gathering, node->children[i]);
	if (node->kind != CONF_TEXT || !secret_is_reference(node->text) ||
	    gathering->count == SECRETS_MAX || is_gathered(gathering, node->text))
		return;
	where = conf_where(gathering->arena, node);
	secret->reference = arena_copy(gathering->arena, node->text).ptr;
	secret->bytes = PA_STR_ABSENT;
	if (secret_read(gathering->reader, where, node->name ? node->name : "", node->text, &bytes))
		secret->bytes = bytes;
	gathering->count++;
}

pa_status config_secrets(const char *path, struct arena *arena, struct config_secret **ret,
			 size_t *ret_count, struct config_problems *problems, pa_error *err)
{
	struct reader reader = {.path = path,
				.loaded = ARENA_NEW(arena, struct loaded),
				.arena = arena,
				.problems = problems};
	struct gathering gathering = {
		.reader = &reader,
		.arena = arena,
		.list = ARENA_ARRAY(arena, struct config_secret, SECRETS_MAX + 1)};
	const struct conf_node *root;
	pa_status status = config_read_tree(path, arena, &root, err);

	if (status != PA_OK)
		return status;
	gather(&gathering, root);
	*ret = gathering.list;
	*ret_count = gathering.count;
	return PA_OK;
}
