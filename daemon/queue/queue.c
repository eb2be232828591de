/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/queue.h"

#include "flow/set.h"
#include "io/clock.h"
#include "io/log.h"
#include "media/fetcher.h"
#include "queue/prober.h"
#include "queue/session.h"

#include <stdlib.h>
#include <string.h>

#define WRITER_GAP_NS (4 * NS_PER_MS)
#define WRITER_BURST 16   /* a message, its answers and their receipts, two times over */
#define MOST_WAITING 4096 /* deliveries at the door */
#define MOST_IDLE_CONVERSATIONS 8192
#define SEND_OFF_NS (5 * NS_PER_S) /* at the end, for what is under way */

struct queue {
	struct queue_options options;
	struct conversations *conversations;
	struct writer *writer;
	struct dispatch *dispatch;
	struct workers *workers;
	struct intake *intake;
	struct keeper *keeper;
	struct fetcher *fetcher;
	struct prober *prober; /* NULL without a core */
	/* What queue_still_ns saw last: commits happen while there is a backlog. The main thread's.
	 */
	uint64_t seen_cycles;
	int64_t seen_at_ns;
};

/* ---- the writer tells ---- */

/* To its conversation, if that is here and nothing of it lies elsewhere. */
static void deliver(struct queue *queue, const struct event_item *event,
		    const struct accepted *accepted)
{
	bool is_ours = accepted->owner == writer_node(queue->writer);

	if (is_ours && !accepted->strays) {
		conversations_deliver(queue->conversations, event,
				      channel_by_number(queue->options.channels,
							conversation_channel(event->conversation)),
				      accepted);
		return;
	}
	keeper_take_strays(queue->keeper);
	if (!is_ours)
		keeper_tell_others(queue->keeper);
}

static void event_stored(void *arg, struct event_item *event, const struct accepted *accepted)
{
	struct queue *queue = arg;

	if (event->contact)
		atomic_store(&event->contact->is_stored, true);
	if (!accepted)
		meter_add(&event->post->channel->counts.duplicates, 1);
	else if (event->is_work)
		deliver(queue, event, accepted);
	contact_unref(event->contact);
}

static void event_refused(void *arg, struct event_item *event)
{
	(void)arg;
	if (event->contact && event->tags_count)
		atomic_store(&event->contact->is_stale, true);
	contact_unref(event->contact);
}

static void receipt_stored(void *arg, struct receipt_item *receipt,
			   const struct receipted *receipted)
{
	struct queue *queue = arg;

	meter_add(&receipt->post->channel->counts.receipts[receipt->status], 1);
	if (receipted)
		dispatch_receipt(queue->dispatch, receipted->conversation, receipted->outbox_id,
				 receipt->status);
}

/* The jobs of a committed turn wait in its conversation from now on. */
static void add_jobs(struct queue *queue, const struct turn_item *turn)
{
	struct claimed claimed = {.conversation = turn->conversation_id};

	for (size_t i = 0; i < turn->out.jobs_count; i++) {
		struct buf packed PA_CLEANUP(buf_done) = BUF_INIT((size_t)1 << 20);

		job_pack(&packed, turn->out.jobs[i].name, turn->out.jobs[i].payload);
		conversations_add(queue->conversations, &claimed, TURN_JOB, turn->job_ids[i],
				  buf_str(&packed));
	}
}

static void push_messages(struct queue *queue, const struct turn_item *turn)
{
	for (size_t i = 0; i < turn->outbounds_count; i++) {
		if (!channel_is_leased(turn->outbounds[i]->channel))
			keeper_tell_others(queue->keeper);
		dispatch_push(queue->dispatch, turn->outbounds[i]);
	}
}

static void give_up_turn(struct queue *queue, struct turn_item *turn)
{
	for (size_t i = 0; i < turn->outbounds_count; i++) {
		struct outbound *o = turn->outbounds[i];

		if (o->was_born_leaving)
			dispatch_release(queue->dispatch, o->conversation, o->channel);
		outbound_free(o);
	}
}

static void turn_ended(void *arg, struct turn_item *turn, enum turn_end end)
{
	struct queue *queue = arg;
	struct conversation *c = turn->conversation;

	if (end == TURN_COMMITTED) {
		add_jobs(queue, turn);
		push_messages(queue, turn);
		if (turn->files_count)
			fetcher_poke(queue->fetcher);
		conversations_committed(queue->conversations, turn);
	} else {
		give_up_turn(queue, turn);
		if (end == TURN_ENDED) {
			/* its events stay in the store */
		} else if (end == TURN_LOST) {
			conversations_lost(queue->conversations, c);
		} else if (!conversations_retry(queue->conversations, c)) {
			if (turn->last_event)
				keeper_set_aside(queue->keeper, turn->last_event,
						 "the store refuses its turn");
			conversations_drop_first(queue->conversations, c);
		}
	}
	flow_set_unref(turn->flows);
	arena_free(turn->arena);
}

static void attempt_stored(void *arg, struct outbound *outbound, bool may_go)
{
	dispatch_attempt_stored(((struct queue *)arg)->dispatch, outbound, may_go);
}

static void outcome_stored(void *arg, struct outbound *outbound)
{
	dispatch_outcome_stored(((struct queue *)arg)->dispatch, outbound);
}

/* ---- others tell ---- */

static void set_aside(void *arg, int64_t conversation, int64_t event, const char *reason)
{
	struct queue *queue = arg;

	log_error(LOG_IDS(.conversation = conversation, .event = event),
		  "an event fails again and again and is set aside");
	keeper_set_aside(queue->keeper, event, reason);
}

static void tell_disabled(const char *plugin, const char *what)
{
	log_error(LOG_IDS(.plugin = plugin),
		  "this plugin was running three times in ten minutes when the daemon died: %s is "
		  "disabled until the daemon is restarted later",
		  what);
}

static void disable_if(struct plugin *opened, const char *plugin, const char *what)
{
	if (!opened || strcmp(plugin_descriptor(opened)->name, plugin) != 0 ||
	    plugin_is_disabled(opened))
		return;
	plugin_disable(opened);
	tell_disabled(plugin, what);
}

static void disable_plugin(void *arg, const char *plugin)
{
	struct queue *queue = arg;

	for (size_t i = 0; i < queue->options.channels->count; i++) {
		struct channel *channel = &queue->options.channels->list[i];

		if (strcmp(channel->config->plugin, plugin) == 0 &&
		    !atomic_exchange(&channel->is_disabled, true))
			tell_disabled(plugin, channel->name);
	}
	disable_if(queue->options.backend, plugin, "the core");
	disable_if(queue->options.language, plugin, "language understanding");
}

void queue_core_slot(struct queue *queue)
{
	conversations_unpark(queue->conversations);
}

void queue_core_back(struct queue *queue)
{
	keeper_core_back(queue->keeper);
}

/* ---- a node that is to be idle ---- */

static size_t busy_conversations(struct queue *queue)
{
	struct conversations_count count = conversations_counts(queue->conversations);

	return count.queued + count.running + count.held + count.parked;
}

static bool is_idle(void *arg)
{
	struct queue *queue = arg;

	return !intake_unanswered(queue->intake) && !busy_conversations(queue);
}

static void set_door(void *arg, bool is_open)
{
	intake_shut(((struct queue *)arg)->intake, !is_open);
}

void queue_drain(struct queue *queue, bool is_wanted)
{
	keeper_drain(queue->keeper, is_wanted);
}

struct queue_drain_status queue_drain_status(struct queue *queue)
{
	return (struct queue_drain_status){.phase = keeper_phase(queue->keeper),
					   .deliveries = intake_unanswered(queue->intake),
					   .conversations = busy_conversations(queue),
					   .messages = dispatch_under_way(queue->dispatch)};
}

/* ---- life ---- */

static struct writer *start_writer(struct queue *queue)
{
	return writer_new(&(struct writer_options){.database = queue->options.config->database,
						   .ring = queue->options.ring,
						   .gap_ns = WRITER_GAP_NS,
						   .burst = WRITER_BURST,
						   .hooks = {.arg = queue,
							     .event_stored = event_stored,
							     .event_refused = event_refused,
							     .receipt_stored = receipt_stored,
							     .turn_ended = turn_ended,
							     .attempt_stored = attempt_stored,
							     .outcome_stored = outcome_stored}});
}

static struct workers *start_workers(struct queue *queue)
{
	const struct config *config = queue->options.config;

	return workers_new(&(struct workers_options){
		.count = (size_t)config->workers,
		.database = config->database,
		.ring = queue->options.ring,
		.conversations = queue->conversations,
		.writer = queue->writer,
		.dispatch = queue->dispatch,
		.channels = queue->options.channels,
		.core = queue->options.core,
		.language = queue->options.language,
		.language_threshold = config->language.threshold,
		.turn_deadline_ms = config->turn_deadline_ms,
		.quiet_ns = config->quiet_ms * NS_PER_MS,
		.quiet_max_ns = config->quiet_max_ms * NS_PER_MS,
		.owner_codes_per_hour = config->owner_codes_per_hour,
		.stranger_codes_per_hour = config->stranger_codes_per_hour,
		.flow_set = queue->options.flow_set,
		.flow_set_arg = queue->options.flow_set_arg,
		.set_aside = set_aside,
		.arg = queue});
}

static void file_told(void *arg)
{
	keeper_take_strays(((struct queue *)arg)->keeper);
}

static struct fetcher *start_fetcher(struct queue *queue)
{
	const struct config *config = queue->options.config;

	return fetcher_new(&(struct fetcher_options){
		.database = config->database,
		.ring = queue->options.ring,
		.channels = queue->options.channels,
		.http = queue->options.http,
		.writer = queue->writer,
		.inspector = {.program = config->file_inspector,
			      .limits = {.pixels = (uint64_t)config->file_max_pixels,
					 .pages = (uint32_t)config->file_max_pages}},
		.max_bytes = (uint64_t)config->file_max_bytes,
		.told = file_told,
		.arg = queue});
}

/* They take messages from the first moment on, whenever they are started. */
static void make_sessions(struct queue *queue)
{
	for (size_t i = 0; i < queue->options.channels->count; i++) {
		struct channel *channel = &queue->options.channels->list[i];

		if (channel->ops->shape == PA_SHAPE_SESSION)
			channel->session = session_new(channel, queue->intake, queue->dispatch);
	}
}

struct queue *queue_new(const struct queue_options *options)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		abort();
	queue->options = *options;
	queue->conversations = conversations_new(MOST_IDLE_CONVERSATIONS);
	queue->writer = start_writer(queue);
	queue->dispatch = dispatch_new(&(struct dispatch_options){.http = options->http,
								  .writer = queue->writer,
								  .channels = options->channels,
								  .ring = options->ring});
	queue->intake = intake_new(&(struct intake_options){.database = options->config->database,
							    .ring = options->ring,
							    .channels = options->channels,
							    .writer = queue->writer,
							    .conversations = queue->conversations,
							    .most_waiting = MOST_WAITING});
	make_sessions(queue);
	queue->fetcher = start_fetcher(queue);
	queue->workers = start_workers(queue);
	queue->keeper = keeper_new(&(struct keeper_options){.database = options->config->database,
							    .node_name = options->config->node,
							    .ring = options->ring,
							    .channels = options->channels,
							    .conversations = queue->conversations,
							    .dispatch = queue->dispatch,
							    .writer = queue->writer,
							    .last = options->last,
							    .last_count = options->last_count,
							    .disable_plugin = disable_plugin,
							    .is_idle = is_idle,
							    .set_door = set_door,
							    .arg = queue});
	queue->prober = prober_new(options->core);
	return queue;
}

void queue_open_sessions(struct queue *queue)
{
	for (size_t i = 0; i < queue->options.channels->count; i++)
		if (queue->options.channels->list[i].session)
			session_start(queue->options.channels->list[i].session);
}

static void free_sessions(struct queue *queue)
{
	for (size_t i = 0; i < queue->options.channels->count; i++) {
		session_free(queue->options.channels->list[i].session);
		queue->options.channels->list[i].session = NULL;
	}
}

/* In the order of a message's way: each stage ends when nothing can come from the one before. */
void queue_free(struct queue *queue, void (*end_http)(void *arg), void *arg)
{
	if (!queue)
		return;
	prober_free(queue->prober);
	fetcher_stop(queue->fetcher);
	keeper_stop(queue->keeper);
	conversations_stop(queue->conversations);
	workers_free(queue->workers);
	dispatch_stop(queue->dispatch, clock_monotonic_ns() + SEND_OFF_NS);
	for (size_t i = 0; i < queue->options.channels->count; i++)
		session_stop(queue->options.channels->list[i].session);
	intake_stop(queue->intake);
	end_http(arg);
	writer_free(queue->writer);
	fetcher_free(queue->fetcher);
	dispatch_free(queue->dispatch);
	free_sessions(queue);
	intake_free(queue->intake);
	conversations_free(queue->conversations);
	keeper_free(queue->keeper);
	free(queue);
}

void queue_renewed(struct queue *queue, struct channel *channel)
{
	dispatch_renewed(queue->dispatch, channel);
}

struct intake *queue_intake(struct queue *queue)
{
	return queue->intake;
}

struct writer *queue_writer(struct queue *queue)
{
	return queue->writer;
}

static int64_t writer_still_ns(struct queue *queue)
{
	uint64_t cycles = writer_cycles(queue->writer);
	int64_t now_ns = clock_monotonic_ns();

	if (cycles != queue->seen_cycles || writer_waits_for_store(queue->writer) ||
	    !writer_backlog(queue->writer)) {
		queue->seen_cycles = cycles;
		queue->seen_at_ns = now_ns;
	}
	return now_ns - queue->seen_at_ns;
}

int64_t queue_still_ns(struct queue *queue, const char **ret_what)
{
	int64_t writer_ns = writer_still_ns(queue);
	int64_t worker_ns = workers_still_ns(queue->workers);

	*ret_what = worker_ns > writer_ns ? "a worker" : "the writer";
	return worker_ns > writer_ns ? worker_ns : writer_ns;
}

struct queue_status queue_status(struct queue *queue)
{
	return (struct queue_status){.is_store_there = writer_is_ready(queue->writer),
				     .conversations = conversations_counts(queue->conversations),
				     .dispatch = dispatch_counts(queue->dispatch),
				     .intake = intake_counts(queue->intake),
				     .turns = workers_counts(queue->workers),
				     .rotation = keeper_rotation(queue->keeper),
				     .late = keeper_late_count(queue->keeper),
				     .unanswered = intake_unanswered(queue->intake),
				     .writer_backlog = writer_backlog(queue->writer),
				     .complaint = writer_complaint(queue->writer),
				     .writer = writer_counts(queue->writer),
				     .turns_took = workers_took(queue->workers),
				     .store = keeper_view(queue->keeper)};
}

struct outlet_report queue_outlet(struct queue *queue, const struct channel *channel)
{
	return dispatch_outlet(queue->dispatch, channel);
}
