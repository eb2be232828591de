/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl doctor: says what is wrong and what to do, whatever else is down.
 */
#include "ctl/ctl.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/beside.h"
#include "ctl/doctor.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/file.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_MS 8000 /* then it is ended */
#define ANSWER_CAP ((size_t)1 << 20)

static const struct check {
	const char *name;
	doctor_fn *run;
	bool as_service; /* PostgreSQL asks who we are */
} checks[] = {
	{"config", doctor_config, false},
	{"config-mode", doctor_file_mode, false},
	{"credentials", doctor_credentials, false},
	{"unit", doctor_unit, false},
	{"service", doctor_service, false},
	{"database", doctor_store, true},
	{"whatsapp", doctor_whatsapp, false},
	{"sms", doctor_gateway, false},
	{"policy", doctor_policy, false},
	{"public", doctor_public, false},
	{"plugins", doctor_plugins, false},
	{"inspector", doctor_inspector, false},
	{"certificates", doctor_certificates, false},
	{"disk", doctor_disk, false},
};

/* A check under way. */
struct running {
	pid_t pid;
	int fd; /* -1: it has told all */
	struct buf said;
};

/* ---- in the child ---- */

/* Root becomes the service's user; on a machine that has none, there is nothing to become. */
static void become_service(void)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;

	if (user && (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
		     setuid(user->pw_uid) != 0))
		_exit(1);
}

static void write_all(int fd, pa_str text)
{
	while (text.len) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n <= 0)
			_exit(1);
		text = str_slice(text, (size_t)n, SIZE_MAX);
	}
}

_Noreturn static void run_check(const struct doctor *doctor, const struct check *check, int fd)
{
	struct findings findings = {.list = json_array_new()};
	struct buf text = BUF_INIT(ANSWER_CAP);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* What libraries and the other subcommands complain of is told as a finding. */
	if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
		_exit(1);
	if (check->as_service)
		become_service();
	check->run(doctor, &findings);
	json_write(findings.list, &text);
	write_all(fd, buf_str(&text));
	_exit(0);
}

/* ---- in the parent ---- */

static struct running start(const struct doctor *doctor, const struct check *check)
{
	struct running running = {.pid = -1, .fd = -1, .said = BUF_INIT(ANSWER_CAP)};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return running;
	running.pid = fork();
	if (running.pid == 0)
		run_check(doctor, check, ends[1]);
	close(ends[1]);
	running.fd = ends[0];
	return running;
}

static void hear(struct running *running)
{
	char bytes[4096];
	ssize_t n = read(running->fd, bytes, sizeof(bytes));

	if (n > 0) {
		buf_add(&running->said, (pa_str){bytes, (size_t)n});
		return;
	}
	close(running->fd);
	running->fd = -1;
}

/* Until all have told what they found, or the time is up. */
static void hear_all(struct running *running, size_t count)
{
	int64_t until_ns = clock_monotonic_ns() + CHECK_MS * NS_PER_MS;
	struct pollfd polled[ARRAY_COUNT(checks)];
	bool is_open = true;

	while (is_open && clock_monotonic_ns() < until_ns) {
		is_open = false;
		for (size_t i = 0; i < count; i++) {
			polled[i] = (struct pollfd){.fd = running[i].fd, .events = POLLIN};
			is_open |= running[i].fd >= 0;
		}
		if (is_open && poll(polled, count, 100) > 0)
			for (size_t i = 0; i < count; i++)
				if (polled[i].revents)
					hear(&running[i]);
	}
}

static void take(struct running *running, const struct check *check, struct findings *findings)
{
	bool is_late = running->fd >= 0;

	if (running->pid > 0 && is_late)
		kill(running->pid, SIGKILL);
	if (running->pid > 0)
		waitpid(running->pid, NULL, 0);
	if (is_late)
		close(running->fd);
	if (is_late || !findings_take(findings, buf_str(&running->said)))
		findings_add(findings, check->name, HEALTH_UNKNOWN, NULL, "%s",
			     is_late ? ctl_say("la revisión no terminó a tiempo",
					       "the check did not end in time")
				     : ctl_say("la revisión falló", "the check failed"));
	buf_done(&running->said);
}

static void run_all(const struct doctor *doctor, struct findings *findings)
{
	struct running running[ARRAY_COUNT(checks)];

	fflush(NULL);
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
		running[i] = start(doctor, &checks[i]);
	hear_all(running, ARRAY_COUNT(checks));
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
		take(&running[i], &checks[i], findings);
}

/* Root, the service's user, or whoever else runs a daemon of his own: its directory is his. */
static bool is_service(struct ctl *ctl)
{
	const struct passwd *user = getpwnam(SERVICE_USER);
	const char *socket = config_control_socket(ctl->config_path, ctl->arena);
	const char *slash = socket ? strrchr(socket, '/') : NULL;
	struct stat st;

	if (geteuid() == 0 || (user && geteuid() == user->pw_uid))
		return true;
	return slash &&
	       stat(arena_copy(ctl->arena, (pa_str){socket, (size_t)(slash - socket)}).ptr, &st) ==
		       0 &&
	       st.st_uid == geteuid();
}

/* As much of the configuration as can be had: whole; without its secrets; without its plugins. */
static void read_config(struct doctor *doctor, struct config_problems *problems,
			struct config *configs[3])
{
	const char *path = doctor->ctl->config_path;
	struct config_problems unseen = {.arena = doctor->arena, .skips_secrets = true};
	pa_error err = ERROR_INIT;

	problems->arena = doctor->arena;
	IGNORE_STATUS(config_load(path, NULL, &configs[0], &unseen, &err), "the next one tells");
	doctor->host = host_new(
		&(struct host_options){.directory = config_plugin_directory(path, doctor->arena),
				       .probe_path = beside_daemon(doctor->arena),
				       .check_owner = configs[0] && !configs[0]->demo});
	IGNORE_STATUS(config_load(path, doctor->host, &configs[2], problems, &err),
		      "doctor_config tells");
	if (!configs[2])
		IGNORE_STATUS(config_load(path, doctor->host, &configs[1], &unseen, &err),
			      "the one without plugins serves");
	doctor->config = configs[2];
	for (size_t i = 0; i < 3; i++)
		if (configs[i])
			doctor->look = configs[i];
	doctor->problems = problems;
}

static bool parse(struct doctor *doctor, int argc, char *const *argv, bool *ret_is_json)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			*ret_is_json = true;
		else if (strcmp(argv[i], "--public-url") == 0 && i + 1 < argc)
			doctor->public_url = argv[++i];
		else
			return false;
	}
	return true;
}

int ctl_doctor(struct ctl *ctl, int argc, char *const *argv)
{
	struct doctor doctor = {.ctl = ctl, .arena = ctl->arena, .is_service = is_service(ctl)};
	struct findings findings = {.list = json_array_new()};
	struct config_problems problems = {0};
	struct config *configs[3] = {NULL, NULL, NULL};
	enum health worst = HEALTH_UNKNOWN;
	bool is_json = false;

	if (!parse(&doctor, argc, argv, &is_json)) {
		json_done(&findings.list);
		ctl_usage(ctl);
		return HEALTH_UNKNOWN; /* Nagios would take a usage error's 2 for critical */
	}
	if (crypto_init() == PA_OK) {
		read_config(&doctor, &problems, configs);
		run_all(&doctor, &findings);
		worst = findings_print(findings.list, is_json);
	}
	for (size_t i = 0; i < 3; i++)
		config_free(configs[i]);
	host_free(doctor.host);
	json_done(&findings.list);
	return (int)worst;
}
