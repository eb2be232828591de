/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/code.h"

#include "base/err.h"
#include "base/str.h"
#include "io/file.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CODE_MAX 256

static bool read_line(char *line, size_t room, bool is_seen)
{
	struct termios before, unseen;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	bool is_read;

	if (is_terminal && !is_seen) {
		unseen = before;
		unseen.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
	}
	is_read = fgets(line, (int)room, stdin) != NULL;
	if (is_terminal && !is_seen) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	return is_read;
}

bool code_read(struct ctl *ctl, const char *path, pa_str *ret)
{
	char *line = arena_alloc(ctl->arena, CODE_MAX);
	pa_error err = ERROR_INIT;

	if (path) {
		if (file_read(ctl->arena, path, CODE_MAX, ret, &err) == PA_OK)
			return true;
		ctl_fail(ctl, CTL_FAILED, "%s", error_text(&err));
		return false;
	}
	if (isatty(STDIN_FILENO))
		fputs(ctl_say("Código de recuperación (no se verá): ",
			      "Recovery code (it won't be seen): "),
		      stderr);
	if (!read_line(line, CODE_MAX, false)) {
		ctl_fail(ctl, CTL_FAILED, "%s", ctl_say("falta el código", "no code was given"));
		return false;
	}
	*ret = str_from(line);
	return true;
}

bool code_confirm(const char *prompt, const char *wanted)
{
	char line[CODE_MAX];

	fputs(prompt, stderr);
	return read_line(line, sizeof(line), true) &&
	       str_equal(str_trim(str_from(line)), str_from(wanted));
}
