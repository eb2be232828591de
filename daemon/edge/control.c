/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/control.h"

#include "base/err.h"
#include "base/str.h"

#include "io/wakeup.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define ANSWER_MAX ((size_t)1 << 20)
#define STORE_ANSWER_MAX ((size_t)160 << 20) /* a delivery's body, as JSON */
#define PEERS_MAX 16
#define JOBS_MAX 4         /* commands that ask the store, at a time */
#define PEER_TIME_MS 10000 /* of a whole connection, but for what waits for the store */
#define BACKLOG 16
#define GROUPS_MAX 256
#define SOCKET_MODE 0666 /* who may is asked of the kernel */
#define NO_GROUP ((gid_t)-1)
#define RIGHTS_MAX (CONTROL_VIEW + 1)

/* A command that asks the store, on a thread of its own. */
struct job {
	struct control *control; /* NULL: the place is free */
	struct peer *peer;       /* who waits; NULL: he has gone. The loop's */
	const struct control_command *command;
	struct json *request;
	struct json *reply;
	pa_error err;
	pa_status status;
	bool is_done; /* guarded by lock */
	pthread_t thread;
};

struct peer {
	struct control *control; /* NULL: the place is free */
	int fd;
	uid_t uid;       /* who it is ... */
	unsigned rights; /* ... and what he may: 1 << control_right */
	struct job *job; /* what he waits for; NULL: nothing */
	struct source *source;
	struct source *timer;
	struct buf in;
	struct buf out;
	size_t sent;
	bool is_ending; /* close when all is sent */
};

struct control {
	struct loop *loop;
	char *path;
	const struct control_command *commands;
	size_t commands_count;
	void *arg;
	gid_t groups[RIGHTS_MAX]; /* whose members have the right */
	int fd;
	struct source *source;
	struct source *done_source;
	struct peer peers[PEERS_MAX];
	struct job jobs[JOBS_MAX];
	pthread_mutex_t lock; /* guards done, and is_done of the jobs */
	struct wakeup done;
};

/* ---- who may -----------------------------------------------------------------------------------
 */

static bool is_member(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The rights of who has connected; 0: none. */
static unsigned rights_of(const struct control *control, int fd, uid_t *ret_uid)
{
	const unsigned all = 1u << CONTROL_ADMIN | 1u << CONTROL_VIEW;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	unsigned rights = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return 0;
	*ret_uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid())
		return all;
	for (size_t right = 0; right < RIGHTS_MAX; right++) {
		gid_t group = control->groups[right];

		if (group != NO_GROUP && (peer.gid == group || is_member(fd, group)))
			rights |= 1u << right;
	}
	return rights & 1u << CONTROL_ADMIN ? all : rights;
}

/* ---- one connection ----------------------------------------------------------------------------
 */

static void peer_end(struct peer *peer)
{
	source_free(peer->source);
	source_free(peer->timer);
	close(peer->fd);
	buf_done(&peer->in);
	buf_done(&peer->out);
	if (peer->job)
		peer->job->peer = NULL;
	*peer = (struct peer){.fd = -1};
}

static void peer_time_is_up(void *arg)
{
	struct peer *peer = arg;

	if (!peer->job)
		peer_end(peer);
}

static void answer(struct peer *peer, const struct json *reply)
{
	json_write(reply, &peer->out);
	buf_add_byte(&peer->out, '\n');
}

static void answer_error(struct peer *peer, const char *text)
{
	struct json *reply PA_CLEANUP(json_done) = json_object_new();

	json_set_bool(reply, "ok", false);
	json_set_text(reply, "error", str_from(text));
	answer(peer, reply);
}

static const struct control_command *find_command(const struct control *control, pa_str name)
{
	for (size_t i = 0; i < control->commands_count; i++)
		if (str_equal(name, str_from(control->commands[i].name)))
			return &control->commands[i];
	return NULL;
}

static void answer_result(struct peer *peer, pa_status status, struct json *reply,
			  const pa_error *err)
{
	if (status == PA_OK)
		answer(peer, reply);
	else
		answer_error(peer, error_text(err));
}

/* ---- commands that ask the store ---- */

static void *job_main(void *arg)
{
	struct job *job = arg;
	struct control *control = job->control;

	job->status = job->command->run(control->arg, job->request, job->reply, &job->err);
	pthread_mutex_lock(&control->lock);
	job->is_done = true;
	wakeup_send(&control->done);
	pthread_mutex_unlock(&control->lock);
	return NULL;
}

static void job_free(struct job *job)
{
	pthread_join(job->thread, NULL);
	json_done(&job->request);
	json_done(&job->reply);
	*job = (struct job){.control = NULL};
}

/* Takes the request over. False: too many of them already. */
static bool job_start(struct peer *peer, const struct control_command *command,
		      struct json **request)
{
	struct control *control = peer->control;

	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *job = &control->jobs[i];

		if (job->control)
			continue;
		*job = (struct job){.control = control,
				    .peer = peer,
				    .command = command,
				    .request = *request,
				    .reply = json_object_new(),
				    .err = ERROR_INIT};
		json_set_bool(job->reply, "ok", true);
		if (pthread_create(&job->thread, NULL, job_main, job) != 0)
			abort();
		pthread_setname_np(job->thread, "operator");
		peer->job = job;
		peer->out.cap = STORE_ANSWER_MAX;
		*request = NULL;
		return true;
	}
	return false;
}

/* ---- requests ---- */

static void serve_request(struct peer *peer, struct json **owned)
{
	const struct control *control = peer->control;
	struct json *request = *owned;
	struct json *reply PA_CLEANUP(json_done) = json_object_new();
	const struct control_command *command;
	pa_error err = ERROR_INIT;
	pa_status status;
	pa_str name;

	if (!json_get_text(request, "command", &name)) {
		answer_error(peer, "a request is an object with \"command\"");
		return;
	}
	command = find_command(control, name);
	if (!command) {
		answer_error(peer, "unknown command");
		return;
	}
	if (!(peer->rights & 1u << command->right)) {
		answer_error(peer, "only root and the group of the administrators may ask this");
		return;
	}
	json_set_integer(request, "uid", peer->uid);
	if (command->asks_store) {
		if (!job_start(peer, command, owned))
			answer_error(peer, "the service is busy with other operators; try again");
		return;
	}
	json_set_bool(reply, "ok", true);
	status = command->run(control->arg, request, reply, &err);
	answer_result(peer, status, reply, &err);
}

static void serve_line(struct peer *peer, pa_str line)
{
	struct json *request PA_CLEANUP(json_done) = NULL;
	pa_error err = ERROR_INIT;

	if (json_parse(line, &request, &err) == PA_OK)
		serve_request(peer, &request);
	else
		answer_error(peer, error_text(&err));
}

/* Serves the whole lines that have come, until one waits for the store; keeps the rest. */
static void serve_lines(struct peer *peer)
{
	pa_str rest = buf_str(&peer->in);
	size_t done = 0;

	while (!peer->job && rest.len && memchr(rest.ptr, '\n', rest.len)) {
		pa_str line = str_split(&rest, '\n');

		done += line.len + 1;
		serve_line(peer, line);
	}
	if (done)
		memmove(peer->in.data, peer->in.data + done, peer->in.len - done);
	peer->in.len -= done;
}

/* False if the connection is over. */
static bool peer_send(struct peer *peer)
{
	while (peer->sent < peer->out.len) {
		ssize_t n = send(peer->fd, peer->out.data + peer->sent, peer->out.len - peer->sent,
				 MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		peer->sent += (size_t)n;
	}
	buf_clear(&peer->out);
	peer->sent = 0;
	return !peer->is_ending || peer->job;
}

/* False if the connection broke. */
static bool peer_receive(struct peer *peer)
{
	char bytes[LINE_MAX_BYTES];
	ssize_t n = recv(peer->fd, bytes, sizeof(bytes), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		peer->is_ending = true;
		return true;
	}
	buf_add(&peer->in, (pa_str){bytes, (size_t)n});
	if (!peer->in.is_over)
		serve_lines(peer);
	if (peer->in.is_over || peer->out.is_over) {
		buf_clear(&peer->out);
		answer_error(peer,
			     peer->in.is_over ? "the line is too long" : "the answer is too long");
		peer->is_ending = true;
	}
	return true;
}

/* Sends what there is to send, and waits for what comes next. */
static void peer_go_on(struct peer *peer)
{
	if (!peer_send(peer)) {
		peer_end(peer);
		return;
	}
	source_set_events(peer->source, peer->out.len ? LOOP_WRITE : peer->job ? 0 : LOOP_READ);
}

static void on_peer(void *arg, unsigned events)
{
	struct peer *peer = arg;
	bool is_alive = true;

	/* One request line at a time: who does not read his answers is not heard. */
	if (events & LOOP_READ && peer->out.len == 0 && !peer->job)
		is_alive = peer_receive(peer);
	else if (events & LOOP_CLOSED)
		is_alive = false;
	if (is_alive)
		peer_go_on(peer);
	else
		peer_end(peer);
}

static void job_answer(struct job *job)
{
	struct peer *peer = job->peer;

	if (peer) {
		peer->job = NULL;
		answer_result(peer, job->status, job->reply, &job->err);
	}
	job_free(job);
	if (!peer)
		return;
	serve_lines(peer);
	if (peer->out.is_over) {
		buf_clear(&peer->out);
		answer_error(peer, "the answer is too long");
		peer->is_ending = true;
	}
	peer_go_on(peer);
}

static void on_done(void *arg, unsigned events)
{
	struct control *control = arg;

	(void)events;
	pthread_mutex_lock(&control->lock);
	wakeup_take(&control->done);
	pthread_mutex_unlock(&control->lock);
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *job = &control->jobs[i];
		bool is_done;

		pthread_mutex_lock(&control->lock);
		is_done = job->control && job->is_done;
		pthread_mutex_unlock(&control->lock);
		if (is_done)
			job_answer(job);
	}
}

/* ---- the socket --------------------------------------------------------------------------------
 */

static struct peer *free_place(struct control *control)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (!control->peers[i].control)
			return &control->peers[i];
	return NULL;
}

static void accept_peer(struct control *control, int fd)
{
	uid_t uid;
	unsigned rights = rights_of(control, fd, &uid);
	struct peer *peer = rights ? free_place(control) : NULL;

	if (!peer) {
		close(fd);
		return;
	}
	*peer = (struct peer){.control = control,
			      .fd = fd,
			      .uid = uid,
			      .rights = rights,
			      .in = BUF_INIT((size_t)2 * LINE_MAX_BYTES),
			      .out = BUF_INIT(ANSWER_MAX)};
	if (loop_add_fd(control->loop, fd, LOOP_READ, on_peer, peer, &peer->source, NULL) !=
		    PA_OK ||
	    loop_add_timer(control->loop, PEER_TIME_MS, PEER_TIME_MS, peer_time_is_up, peer,
			   &peer->timer, NULL) != PA_OK)
		peer_end(peer);
}

static void on_connection(void *arg, unsigned events)
{
	struct control *control = arg;
	int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0)
		accept_peer(control, fd);
}

static bool is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there =
		fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return is_there;
}

/* Nobody can connect before listen(), so the mode is right from the first connection on. */
static pa_status bind_path(struct control *control, const struct sockaddr_un *address)
{
	if (bind(control->fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return PA_RETRY;
	if (chmod(control->path, SOCKET_MODE) < 0)
		return PA_RETRY;
	return listen(control->fd, BACKLOG) < 0 ? PA_RETRY : PA_OK;
}

static pa_status open_socket(struct control *control, pa_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;

	if (strlen(control->path) >= sizeof(address.sun_path))
		return error_set(err, PA_REJECTED, "%s: longer than a socket's path may be",
				 control->path);
	memcpy(address.sun_path, control->path, strlen(control->path) + 1);
	if (lstat(control->path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (is_answered(&address))
			return error_set(err, PA_RETRY, "%s: another daemon listens there",
					 control->path);
		unlink(control->path);
	}
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0 || bind_path(control, &address) != PA_OK)
		return error_set(err, PA_RETRY, "%s: %s", control->path, strerrordesc_np(errno));
	if (loop_add_fd(control->loop, control->done.fd, LOOP_READ, on_done, control,
			&control->done_source, err) != PA_OK)
		return PA_RETRY;
	return loop_add_fd(control->loop, control->fd, LOOP_READ, on_connection, control,
			   &control->source, err);
}

static gid_t find_group(const char *name)
{
	const struct group *group = name ? getgrnam(name) : NULL;

	return group ? group->gr_gid : NO_GROUP;
}

pa_status control_new(const struct control_options *options, struct control **ret, pa_error *err)
{
	struct control *control = calloc(1, sizeof(*control));
	pa_status status;

	if (!control)
		abort();
	control->loop = options->loop;
	control->path = strdup(options->path);
	if (!control->path)
		abort();
	control->commands = options->commands;
	control->commands_count = options->commands_count;
	control->arg = options->arg;
	control->groups[CONTROL_ADMIN] = find_group(options->admin_group);
	control->groups[CONTROL_VIEW] = find_group(options->view_group);
	pthread_mutex_init(&control->lock, NULL);
	wakeup_open(&control->done);
	control->fd = -1;
	status = open_socket(control, err);
	if (status != PA_OK) {
		control_free(control);
		return status;
	}
	*ret = control;
	return PA_OK;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (control->peers[i].control)
			peer_end(&control->peers[i]);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (control->jobs[i].control)
			job_free(&control->jobs[i]);
	if (control->source)
		unlink(control->path);
	source_free(control->source);
	source_free(control->done_source);
	wakeup_close(&control->done);
	pthread_mutex_destroy(&control->lock);
	if (control->fd >= 0)
		close(control->fd);
	free(control->path);
	free(control);
}
