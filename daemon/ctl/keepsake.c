/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keepsake.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/credential.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define DEPTH_MAX 8
#define KEPT_MAX ((size_t)64 << 20) /* in memory, of all members together */

static const char config_name[] = "config";
static const pa_str file_prefix = {"file ", 5};
static const pa_str secret_prefix = {"secret ", 7};
static const pa_str file_reference = {"file:", 5};

/* /etc/proalto beside /etc/proalto.conf. */
static const char *own_folder(struct ctl *ctl)
{
	pa_str path = str_from(ctl->config_path);

	if (str_ends(path, PA_STR(".conf")))
		path.len -= strlen(".conf");
	return arena_copy(ctl->arena, path).ptr;
}

/* ---- in ---- */

static pa_status add(struct archive *archive, pa_str name, pa_str bytes, pa_error *err)
{
	pa_status status = archive_member(archive, name, err);

	return status == PA_OK ? archive_write(archive, bytes, err) : status;
}

static void leave_out(struct ctl *ctl, const char *path, const char *why, size_t *left_out)
{
	ctl_fail(ctl, CTL_OK, "%s: %s (%s)", path, ctl_say("queda por fuera", "is left out"), why);
	(*left_out)++;
}

static pa_status add_file(struct ctl *ctl, struct archive *archive, const char *path,
			  size_t *left_out, pa_error *err)
{
	struct stat about;
	pa_error why = ERROR_INIT;
	pa_str bytes;

	if (file_read(ctl->arena, path, FILE_MAX, &bytes, &why) != PA_OK ||
	    stat(path, &about) < 0) {
		leave_out(ctl, path, error_text(&why), left_out);
		return PA_OK;
	}
	return add(archive,
		   arena_format(ctl->arena, "file %o %s", (unsigned)about.st_mode & 0777, path),
		   bytes, err);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* Written just now, or a secret that a restore has replaced. */
static bool is_passing(pa_str name)
{
	return name.ptr[0] == '.' || str_ends(name, PA_STR(".new")) ||
	       str_find(name, PA_STR(".before")) != SIZE_MAX;
}

/* Folders and plain files; links are left out. */
static pa_status add_folder(struct ctl *ctl, struct archive *archive, const char *path, int depth,
			    size_t *left_out, pa_error *err)
{
	DIR *folder PA_CLEANUP(close_folder) = opendir(path);
	pa_status status = PA_OK;
	const struct dirent *entry;

	if (!folder && errno != ENOENT)
		leave_out(ctl, path, strerrordesc_np(errno), left_out);
	while (folder && status == PA_OK && (entry = readdir(folder))) {
		const char *inside = arena_format(ctl->arena, "%s/%s", path, entry->d_name).ptr;
		struct stat about;

		if (is_passing(str_from(entry->d_name)) || lstat(inside, &about) < 0)
			continue;
		if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX)
			status = add_folder(ctl, archive, inside, depth + 1, left_out, err);
		else if (S_ISREG(about.st_mode))
			status = add_file(ctl, archive, inside, left_out, err);
	}
	return status;
}

static pa_status add_secrets(struct ctl *ctl, struct archive *archive, pa_error *err)
{
	struct config_problems problems = {.arena = ctl->arena};
	struct config_secret *secrets;
	size_t count;
	pa_status status =
		config_secrets(ctl->config_path, ctl->arena, &secrets, &count, &problems, err);

	for (size_t i = 0; status == PA_OK && i < problems.count; i++)
		ctl_fail(ctl, CTL_OK, "%s: %s", problems.list[i].where, problems.list[i].what);
	for (size_t i = 0; status == PA_OK && i < count; i++)
		if (secrets[i].bytes.ptr)
			status = add(archive,
				     arena_format(ctl->arena, "secret %s", secrets[i].reference),
				     secrets[i].bytes, err);
	return status;
}

pa_status keepsake_pack(struct ctl *ctl, struct archive *archive, size_t *ret_left_out,
			pa_error *err)
{
	pa_str bytes;
	pa_status status = file_read(ctl->arena, ctl->config_path, FILE_MAX, &bytes, err);

	*ret_left_out = 0;
	if (status == PA_OK)
		status = add(archive, str_from(config_name), bytes, err);
	if (status == PA_OK)
		status = add_folder(ctl, archive, own_folder(ctl), 0, ret_left_out, err);
	return status == PA_OK ? add_secrets(ctl, archive, err) : status;
}

/* ---- out ---- */

static pa_status keep(struct ctl *ctl, struct archive *archive, pa_str name, struct kept **ret,
		      size_t *total, pa_error *err)
{
	struct buf bytes PA_CLEANUP(buf_done) = BUF_INIT(KEPT_MAX);
	struct kept *kept = ARENA_NEW(ctl->arena, struct kept);
	pa_str piece;
	pa_status status;

	kept->name = arena_copy(ctl->arena, name);
	do {
		status = archive_read(archive, &piece, err);
		if (status == PA_OK)
			buf_add(&bytes, piece);
	} while (status == PA_OK && piece.len);
	*total += bytes.len;
	if (status == PA_OK && (bytes.is_over || *total > KEPT_MAX))
		return error_set(err, PA_REJECTED, "the archive holds too much");
	kept->bytes = arena_copy(ctl->arena, buf_str(&bytes));
	kept->next = *ret;
	*ret = kept;
	return status;
}

pa_status keepsake_read(struct ctl *ctl, struct archive *archive, const char *skipped,
			struct kept **ret, pa_error *err)
{
	size_t total = 0;
	pa_str name;
	bool is_end;
	pa_status status;

	*ret = NULL;
	for (;;) {
		status = archive_next(archive, &name, &is_end, err);
		if (status != PA_OK || is_end)
			return status;
		if (!str_equal(name, str_from(skipped)))
			status = keep(ctl, archive, name, ret, &total, err);
		if (status != PA_OK)
			return status;
	}
}

static bool is_same(struct ctl *ctl, const char *path, pa_str bytes)
{
	pa_error err = ERROR_INIT;
	pa_str there;

	return file_read(ctl->arena, path, FILE_MAX, &there, &err) == PA_OK &&
	       str_equal(there, bytes);
}

/* One installation. */
struct installer {
	struct ctl *ctl;
	const struct kept *kept;
	struct config_secret *secrets; /* this machine's, before */
	size_t secret_count;
	const char *recovery; /* this machine's recovery file; "": not known */
};

/* Whoever has the lock can make an archive: it writes nowhere else. */
static bool is_inside(struct ctl *ctl, pa_str path)
{
	return str_starts(path, arena_format(ctl->arena, "%s/", own_folder(ctl))) &&
	       str_find(path, PA_STR("/../")) == SIZE_MAX;
}

/* What others may not read is the service's. Outside of /etc somebody tries things out, as himself.
 */
static pa_status write_for_service(struct ctl *ctl, const char *path, pa_str bytes, unsigned mode,
				   pa_error *err)
{
	const struct passwd *user = getpwnam(SERVICE_USER);
	bool is_new = access(path, F_OK) < 0;
	pa_status status = credential_write_file(ctl, path, bytes, mode, err);

	if (status != PA_OK || !is_new || (mode & S_IROTH) || !user || geteuid() != 0 ||
	    !str_starts(str_from(path), PA_STR("/etc/")))
		return status;
	return lchown(path, user->pw_uid, user->pw_gid) == 0
		       ? PA_OK
		       : error_set(err, PA_REJECTED, "%s: %s", path, strerrordesc_np(errno));
}

static void tell_recovery(const char *path, const char *restored)
{
	printf(ctl_say("ATENCIÓN: %s ya no corresponde a la llave maestra instalada; el que "
		       "corresponde es %s: póngalo en su lugar (mv), o haga otro: proaltoctl keys "
		       "recovery\n",
		       "NOTE: %s does not fit the master key that was installed; the one that fits "
		       "is %s: put it in its place (mv), or make another: proaltoctl keys "
		       "recovery\n"),
	       path, restored);
}

static pa_status install_file(const struct installer *in, const char *path, unsigned mode,
			      pa_str bytes, pa_error *err)
{
	const char *target = path;
	pa_status status;

	if (is_same(in->ctl, path, bytes))
		return PA_OK;
	if (access(path, F_OK) == 0)
		target = arena_format(in->ctl->arena, "%s.restored", path).ptr;
	status = write_for_service(in->ctl, target, bytes, mode, err);
	if (status != PA_OK)
		return status;
	printf("%s: %s\n", target, ctl_say("escrito", "written"));
	if (target != path && strcmp(path, in->recovery) == 0)
		tell_recovery(path, target);
	return PA_OK;
}

static pa_status install_named_file(const struct installer *in, pa_str name, pa_str bytes,
				    pa_error *err)
{
	pa_str path = str_slice(name, file_prefix.len, SIZE_MAX);
	pa_str digits = str_split(&path, ' ');
	unsigned mode = 0;

	for (size_t i = 0; i < digits.len; i++)
		mode = mode * 8 + (unsigned)(digits.ptr[i] - '0') % 8;
	if (!is_inside(in->ctl, path))
		return error_set(err, PA_REJECTED, "the archive names an odd file");
	return install_file(in, arena_copy(in->ctl->arena, path).ptr, mode & 0777, bytes, err);
}

/* The archive's configuration, or a file that it includes, has it between quotation marks. */
static bool is_named(const struct installer *in, const char *reference)
{
	pa_str quoted = arena_format(in->ctl->arena, "\"%s\"", reference);

	for (const struct kept *kept = in->kept; kept; kept = kept->next)
		if (!str_starts(kept->name, secret_prefix) &&
		    str_find(kept->bytes, quoted) != SIZE_MAX)
			return true;
	return false;
}

static bool is_there(const struct installer *in, const char *reference, pa_str bytes)
{
	for (size_t i = 0; i < in->secret_count; i++)
		if (strcmp(in->secrets[i].reference, reference) == 0)
			return in->secrets[i].bytes.ptr && str_equal(in->secrets[i].bytes, bytes);
	return false;
}

/* NULL: it can be written. */
static const char *why_not(const struct installer *in, const char *reference)
{
	pa_str text = str_from(reference);

	if (str_starts(text, PA_STR("env:")))
		return ctl_say("no se puede guardar una variable: póngala usted",
			       "a variable can't be stored: set it yourself");
	if (str_starts(text, file_reference) &&
	    (!is_inside(in->ctl, str_slice(text, file_reference.len, SIZE_MAX)) ||
	     !is_named(in, reference)))
		return ctl_say("no se escribe ahí: póngalo usted, si le corresponde",
			       "is not written there: put it there yourself, if it belongs there");
	return NULL;
}

static pa_status install_secret(const struct installer *in, pa_str name, pa_str bytes,
				pa_error *err)
{
	pa_str text = str_slice(name, secret_prefix.len, SIZE_MAX);
	const char *reference = arena_copy(in->ctl->arena, text).ptr;
	const char *why = why_not(in, reference);
	pa_status status;

	if (why)
		printf("%s: %s\n", reference, why);
	if (why || is_there(in, reference, bytes))
		return PA_OK;
	status = credential_put_aside(in->ctl, reference, err);
	if (status == PA_OK)
		status = str_starts(text, file_reference)
				 ? write_for_service(in->ctl, reference + file_reference.len, bytes,
						     0600, err)
				 : credential_store(in->ctl, reference, bytes, err);
	if (status == PA_OK)
		printf("%s: %s\n", reference, ctl_say("guardado", "stored"));
	return status;
}

/* Of a machine that is empty nothing is known, and nothing need be. */
static void look_around(struct installer *in)
{
	struct config_problems unseen = {.arena = in->ctl->arena};
	struct config_problems blind = {.arena = in->ctl->arena, .skips_secrets = true};
	struct config *config = NULL;
	pa_error err = ERROR_INIT;

	in->recovery = "";
	if (config_secrets(in->ctl->config_path, in->ctl->arena, &in->secrets, &in->secret_count,
			   &unseen, &err) != PA_OK)
		in->secret_count = 0;
	if (config_load(in->ctl->config_path, NULL, &config, &blind, &err) == PA_OK)
		in->recovery = arena_copy(in->ctl->arena, str_from(config->backup_recovery)).ptr;
	config_free(config);
}

pa_status keepsake_install(struct ctl *ctl, const struct kept *kept, pa_error *err)
{
	struct installer in = {.ctl = ctl, .kept = kept};
	pa_status status = PA_OK;

	look_around(&in);
	for (; kept && status == PA_OK; kept = kept->next) {
		if (str_equal(kept->name, str_from(config_name)))
			status = install_file(&in, ctl->config_path, 0644, kept->bytes, err);
		else if (str_starts(kept->name, file_prefix))
			status = install_named_file(&in, kept->name, kept->bytes, err);
		else if (str_starts(kept->name, secret_prefix))
			status = install_secret(&in, kept->name, kept->bytes, err);
	}
	return status;
}

pa_status keepsake_lock(struct ctl *ctl, const char *recovery_path, struct recovery_lock *ret,
			pa_error *err)
{
	pa_str text;

	if (access(recovery_path, F_OK) < 0)
		return error_set(err, PA_REJECTED, "%s: %s", recovery_path,
				 ctl_say("no está; hágalo con: proaltoctl keys recovery",
					 "is missing; make it: proaltoctl keys recovery"));
	if (file_read(ctl->arena, recovery_path, RECOVERY_FILE_MAX, &text, err) != PA_OK)
		return PA_REJECTED;
	return recovery_lock_of(ctl->arena, text, ret, err);
}
