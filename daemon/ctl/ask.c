/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end of edge/control.h.
 */
#include "ctl/ctl.h"

#include "base/err.h"
#include "base/str.h"
#include "config/command_line.h"
#include "io/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)256 << 20)
#define ANSWER_TIME_S 60 /* a reload checks every flow */

/* Where the socket is, and nothing else: who may command the daemon may not be allowed to read its
 * secrets, and a configuration that is wrong just now says nothing about the daemon that runs. Of
 * one that can't be read at all, the usual one is guessed; another's could be anybody's. */
static int find_socket(const struct ctl *ctl, const char **ret)
{
	*ret = config_control_socket(ctl->config_path, ctl->arena);
	if (!*ret && strcmp(ctl->config_path, COMMAND_DEFAULT_CONFIG) == 0)
		*ret = CONFIG_CONTROL_SOCKET;
	if (*ret)
		return CTL_OK;
	return ctl_fail(ctl, CTL_FAILED, "%s: %s", ctl->config_path,
			ctl_say("no se puede leer, y dice dónde contesta el servicio",
				"can't be read, and says where the service answers"));
}

static int connect_to(struct ctl *ctl, const char *path, int *ret)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = ANSWER_TIME_S};

	if (strlen(path) >= sizeof(address.sun_path))
		return ctl_fail(ctl, CTL_FAILED, "%s: %s", path, strerrordesc_np(ENAMETOOLONG));
	memcpy(address.sun_path, path, strlen(path) + 1);
	*ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret >= 0 && connect(*ret, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    setsockopt(*ret, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
		return CTL_OK;
	return ctl_fail(ctl, CTL_NO_DAEMON, "%s: %s: %s",
			ctl_say("el servicio no contesta", "the service does not answer"), path,
			strerrordesc_np(errno));
}

static bool send_line(int fd, const struct json *request)
{
	struct buf line PA_CLEANUP(buf_done) = BUF_INIT(ANSWER_MAX);

	json_write(request, &line);
	buf_add_byte(&line, '\n');
	return send(fd, line.data, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
}

static bool receive_line(int fd, struct buf *out)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		buf_add(out, (pa_str){bytes, (size_t)n});
		if (out->is_over || bytes[n - 1] == '\n')
			break;
	}
	return out->len > 0 && !out->is_over && out->data[out->len - 1] == '\n';
}

static int read_answer(struct ctl *ctl, pa_str line, struct json **ret)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	pa_error err = ERROR_INIT;
	bool is_ok = false;
	pa_str text = PA_STR_ABSENT;

	if (json_parse(line, &answer, &err) != PA_OK)
		return ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
	if (!json_get_bool(answer, "ok", &is_ok) || !is_ok) {
		IGNORE_STATUS(!json_get_text(answer, "error", &text), "then there is no text");
		return ctl_fail(ctl, CTL_FAILED, "%.*s", PA_FMT(text));
	}
	*ret = answer;
	answer = NULL;
	return CTL_OK;
}

int ctl_ask(struct ctl *ctl, const struct json *request, struct json **ret)
{
	struct buf line PA_CLEANUP(buf_done) = BUF_INIT(ANSWER_MAX);
	int fd PA_CLEANUP(fd_done) = -1;
	const char *path;
	int status = find_socket(ctl, &path);

	if (status == CTL_OK)
		status = connect_to(ctl, path, &fd);
	if (status != CTL_OK)
		return status;
	/* Whoever may not command is hung up on. */
	if (!send_line(fd, request) || !receive_line(fd, &line))
		return ctl_fail(ctl, CTL_NO_DAEMON, "%s",
				ctl_say("el servicio colgó; ¿tiene permiso? (root, o los grupos "
					"proalto-view y proalto-admin)",
					"the service hung up; may you? (root, or the groups "
					"proalto-view and proalto-admin)"));
	return read_answer(ctl, buf_str(&line), ret);
}

int ctl_command(struct ctl *ctl, const char *command, struct json **ret)
{
	struct json *request PA_CLEANUP(json_done) = json_object_new();

	json_set_text(request, "command", str_from(command));
	return ctl_ask(ctl, request, ret);
}
