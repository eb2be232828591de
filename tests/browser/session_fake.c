/* SPDX-License-Identifier: Apache-2.0 */
#include "session_fake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define VALUES_MAX 16
#define PORT_PATIENCE_MS 5000

struct chunk {
	struct chunk *next;
};

/* A call is the list of its allocations. */
struct pa_call {
	struct session_fake *fake;
	struct chunk *chunks;
};

/* A queued message and the memory of its texts. */
struct queued {
	pa_message message;
	pa_call memory;
	struct queued *next;
};

struct session_fake {
	const pa_plugin *plugin;
	void *self;
	pa_host host;
	struct session_fake_callbacks callbacks;
	pthread_t thread;
	bool is_running;
	pa_status result;
	pa_call run_call;

	pthread_mutex_t lock; /* guards queue */
	struct queued *queue;
	struct queued *taken;
	_Atomic bool is_stopping;
	_Atomic int refusals;
	_Atomic pa_status refusal;
	_Atomic int port;
	_Atomic int64_t turned_ns;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static void *fake_alloc(pa_call *call, size_t n)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + 16 + n);

	if (!chunk)
		abort();
	chunk->next = call->chunks;
	call->chunks = chunk;
	return (char *)chunk + 16;
}

static void free_chunks(pa_call *call)
{
	while (call->chunks) {
		struct chunk *next = call->chunks->next;

		free(call->chunks);
		call->chunks = next;
	}
}

static int64_t fake_remaining_ms(pa_call *call)
{
	(void)call;
	return 10000;
}

static int64_t fake_now_ns(pa_call *call)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + atomic_load(&call->fake->turned_ns);
}

static void fake_log(pa_call *call, uint32_t level, pa_str text)
{
	static const char mark[] = "http://127.0.0.1:";
	char line[512];
	const char *found;

	(void)level;
	snprintf(line, sizeof(line), "%.*s", (int)text.len, text.ptr);
	found = strstr(line, mark);
	if (found)
		atomic_store(&call->fake->port, (int)strtol(found + sizeof(mark) - 1, NULL, 10));
}

static void fake_random_bytes(pa_call *call, uint8_t *out, size_t n)
{
	(void)call;
	if (getrandom(out, n, 0) != (ssize_t)n)
		abort();
}

/* ---- the session ---- */

/* pa_session is the fake itself under the contract's name. */
static struct session_fake *fake_of(pa_session *session)
{
	return (struct session_fake *)(void *)session;
}

static pa_status fake_deliver(pa_session *session, pa_call *call, const pa_event *const *events,
			      size_t count, pa_error *err)
{
	struct session_fake *fake = fake_of(session);

	(void)call;
	(void)err;
	if (atomic_load(&fake->refusals) > 0) {
		atomic_fetch_sub(&fake->refusals, 1);
		return atomic_load(&fake->refusal);
	}
	for (size_t i = 0; i < count && fake->callbacks.event; i++)
		fake->callbacks.event(fake->callbacks.arg, fake, events[i]);
	return PA_OK;
}

static struct queued *take_first(struct session_fake *fake)
{
	struct queued *first;

	pthread_mutex_lock(&fake->lock);
	first = fake->queue;
	if (first) {
		fake->queue = first->next;
		first->next = fake->taken;
		fake->taken = first;
	}
	pthread_mutex_unlock(&fake->lock);
	return first;
}

static pa_status fake_next(pa_session *session, int64_t wait_ms, const pa_message **ret_message)
{
	struct session_fake *fake = fake_of(session);
	int64_t until_ms = monotonic_ms() + wait_ms;

	do {
		struct queued *first = take_first(fake);

		if (first) {
			*ret_message = &first->message;
			return PA_OK;
		}
		if (atomic_load(&fake->is_stopping))
			return PA_REJECTED;
		sleep_ms(5);
	} while (monotonic_ms() < until_ms);
	return PA_DEADLINE;
}

static void fake_outcome(pa_session *session, const pa_message *message, const pa_outcome *outcome)
{
	struct session_fake *fake = fake_of(session);

	if (fake->callbacks.outcome)
		fake->callbacks.outcome(fake->callbacks.arg, message, outcome);
}

static uint32_t fake_stopping(pa_session *session)
{
	return atomic_load(&fake_of(session)->is_stopping);
}

static pa_call *fake_begin_call(pa_session *session, int64_t deadline_ms)
{
	pa_call *call = calloc(1, sizeof(*call));

	(void)deadline_ms;
	if (!call)
		abort();
	call->fake = fake_of(session);
	return call;
}

static void fake_end_call(pa_session *session, pa_call *call)
{
	(void)session;
	free_chunks(call);
	free(call);
}

static const pa_session_host session_host = {
	.size = sizeof(pa_session_host),
	.deliver = fake_deliver,
	.next = fake_next,
	.outcome = fake_outcome,
	.stopping = fake_stopping,
	.begin_call = fake_begin_call,
	.end_call = fake_end_call,
};

/* ---- life ---- */

static pa_value value_of(const pa_option *option, const struct session_fake_options *options)
{
	pa_value value = {.size = sizeof(value)};
	const char *text = option->fallback;

	if (!strcmp(option->name, "address") && options->address)
		text = options->address;
	if (!strcmp(option->name, "customers_file") && options->customers_file)
		text = options->customers_file;
	if (text) {
		value.is_set = 1;
		value.text = (pa_str){text, strlen(text)};
		value.number = strtol(text, NULL, 10);
	}
	if (!strcmp(option->name, "port") && options->port >= 0)
		value.number = options->port;
	return value;
}

struct session_fake *session_fake_open(const pa_plugin *plugin,
				       const struct session_fake_options *options,
				       const struct session_fake_callbacks *callbacks,
				       pa_error *err)
{
	struct session_fake *fake = calloc(1, sizeof(*fake));
	pa_value values[VALUES_MAX];
	const pa_value *list[VALUES_MAX];
	pa_call call = {.fake = fake};
	pa_status status;

	if (!fake || plugin->options_count > VALUES_MAX)
		abort();
	fake->plugin = plugin;
	fake->callbacks = *callbacks;
	fake->host = (pa_host){
		.size = sizeof(pa_host),
		.alloc = fake_alloc,
		.remaining_ms = fake_remaining_ms,
		.now_ns = fake_now_ns,
		.log = fake_log,
		.random_bytes = fake_random_bytes,
	};
	pthread_mutex_init(&fake->lock, NULL);
	for (size_t i = 0; i < plugin->options_count; i++) {
		values[i] = value_of(plugin->options[i], options);
		list[i] = &values[i];
	}
	status = plugin->open(&fake->host, &call, list, &fake->self, err);
	free_chunks(&call);
	if (status == PA_OK)
		return fake;
	pthread_mutex_destroy(&fake->lock);
	free(fake);
	return NULL;
}

static void *run_main(void *arg)
{
	struct session_fake *fake = arg;
	const pa_channel_ops *ops = fake->plugin->ops;
	pa_error err = {.size = sizeof(err)};

	fake->run_call.fake = fake;
	fake->result = ops->run(fake->self, &fake->run_call, &session_host,
				(pa_session *)(void *)fake, &err);
	if (fake->result != PA_OK)
		fprintf(stderr, "# run: %.*s\n", (int)err.len, err.text);
	free_chunks(&fake->run_call);
	return NULL;
}

void session_fake_run(struct session_fake *fake)
{
	fake->is_running = pthread_create(&fake->thread, NULL, run_main, fake) == 0;
	if (!fake->is_running)
		abort();
}

static void free_queue(struct queued *queue)
{
	while (queue) {
		struct queued *next = queue->next;

		free_chunks(&queue->memory);
		free(queue);
		queue = next;
	}
}

pa_status session_fake_result(struct session_fake *fake)
{
	atomic_store(&fake->is_stopping, true);
	if (fake->is_running)
		pthread_join(fake->thread, NULL);
	fake->is_running = false;
	return fake->result;
}

void session_fake_stop(struct session_fake *fake)
{
	if (!fake)
		return;
	session_fake_result(fake);
	fake->plugin->close(fake->self);
	free_queue(fake->queue);
	free_queue(fake->taken);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

int session_fake_port(struct session_fake *fake)
{
	for (int waited_ms = 0; waited_ms < PORT_PATIENCE_MS && !atomic_load(&fake->port);
	     waited_ms += 5)
		sleep_ms(5);
	return atomic_load(&fake->port);
}

static pa_str copy_text(pa_call *call, pa_str text)
{
	char *copy;

	if (!text.ptr)
		return text;
	copy = fake_alloc(call, text.len + 1);
	memcpy(copy, text.ptr, text.len);
	return (pa_str){copy, text.len};
}

static void copy_choices(pa_call *call, pa_message *message)
{
	const pa_choice **list = fake_alloc(call, (message->choices_count + 1) * sizeof(*list));

	for (size_t i = 0; i < message->choices_count; i++) {
		pa_choice *choice = fake_alloc(call, sizeof(*choice));

		*choice = *message->choices[i];
		choice->id = copy_text(call, choice->id);
		choice->title = copy_text(call, choice->title);
		choice->description = copy_text(call, choice->description);
		choice->section = copy_text(call, choice->section);
		list[i] = choice;
	}
	message->choices = list;
}

static void copy_texts(pa_call *call, pa_message *message)
{
	pa_str *const texts[] = {
		&message->account,    &message->phone,       &message->user_id,
		&message->ref,        &message->header,      &message->body,
		&message->footer,     &message->list_button, &message->media_id,
		&message->media_name, &message->media_type,  &message->media_bytes,
		&message->reply_to,   &message->device_key,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = copy_text(call, *texts[i]);
}

void session_fake_send(struct session_fake *fake, const pa_message *message)
{
	struct queued *queued = calloc(1, sizeof(*queued));
	struct queued **link = &fake->queue;

	if (!queued)
		abort();
	queued->message = *message;
	copy_texts(&queued->memory, &queued->message);
	copy_choices(&queued->memory, &queued->message);
	pthread_mutex_lock(&fake->lock);
	while (*link)
		link = &(*link)->next;
	*link = queued;
	pthread_mutex_unlock(&fake->lock);
}

void session_fake_answer_with(struct session_fake *fake, pa_status status, int times)
{
	atomic_store(&fake->refusal, status);
	atomic_store(&fake->refusals, times);
}

void session_fake_turn_clock(struct session_fake *fake, int64_t ns)
{
	atomic_fetch_add(&fake->turned_ns, ns);
}
