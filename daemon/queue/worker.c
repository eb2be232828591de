/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/worker.h"

#include "base/err.h"
#include "base/pack.h"
#include "flow/set.h"
#include "io/clock.h"
#include "io/log.h"
#include "media/fetcher.h"
#include "queue/codec.h"
#include "queue/flight.h"
#include "queue/ids.h"
#include "queue/ports.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TURN_ARENA_CAP ((size_t)64 << 20) /* calls to plugins have arenas of their own */
#define MAX_EVENTS 16                     /* of one turn */
#define MAX_MESSAGE ((size_t)17 << 20)
#define WINDOW_NS (24 * NS_PER_HOUR)
#define TURN_GRACE_NS (5 * NS_PER_S) /* past its time, for calls that do not come back */
#define JOB_NAME 1
#define JOB_PAYLOAD 2

struct worker {
	struct workers *workers;
	pthread_t thread;
	/* Monotonic: the turn's beginning, or PostgreSQL's last answer to it; 0: it has none to
	 * run, or waits for PostgreSQL. */
	_Atomic int64_t moved_ns;
};

struct workers {
	struct workers_options options;
	struct worker *list;
	_Atomic int64_t speechless_ns; /* monotonic: until then language is not asked */
	struct histogram took;
	_Atomic uint64_t turns;
	_Atomic uint64_t failures;
};

/* One turn being made. Everything lies in the arena, which goes to the writer with the effects. */
struct making {
	struct workers *workers;
	struct ports *ports;
	struct conversation *c;
	struct arena *arena;
	struct flow_set *flows; /* what the turn leaves points into it */
	const struct waiting *waiting[MAX_EVENTS];
	struct turn_event events[MAX_EVENTS];
	size_t count;
	struct turn_in in;
	struct turn_out out;
};

void job_pack(struct buf *out, pa_str name, pa_str payload)
{
	pack_str(out, JOB_NAME, name);
	pack_str(out, JOB_PAYLOAD, payload);
}

static bool job_unpack(pa_str packed, pa_str *ret_name, pa_str *ret_payload)
{
	struct unpack in = unpack_from(packed);

	while (unpack_next(&in)) {
		if (in.field == JOB_NAME)
			*ret_name = in.str;
		else if (in.field == JOB_PAYLOAD)
			*ret_payload = in.str;
	}
	return !in.is_broken;
}

/* ---- what the turn is given ---- */

static pa_status read_event(struct making *m, const struct waiting *w, struct turn_event *ret)
{
	pa_event *event;

	*ret = (struct turn_event){.id = w->id, .kind = w->kind};
	if (w->kind != TURN_CUSTOMER)
		return job_unpack(w->plain, &ret->name, &ret->payload) ? PA_OK : PA_BUG;
	event = ARENA_NEW(m->arena, pa_event);
	if (event_unpack(w->plain, event) != PA_OK)
		return PA_BUG;
	ret->event = event;
	m->ports->last_provider_id = event->id;
	if (event->kind == PA_EVENT_MESSAGE && event->at_ns > m->c->last_inbound_ns)
		m->c->last_inbound_ns = event->at_ns;
	return PA_OK;
}

static pa_status read_state(struct making *m, pa_str *ret)
{
	pa_str state = {m->c->state, m->c->state_len};

	if (!m->c->is_state_sealed || !state.len) {
		*ret = state;
		return PA_OK;
	}
	return unseal(m->arena, &m->c->contact->key, PA_STR("state"), state, ret);
}

static pa_status prepare(struct making *m, pa_error *err)
{
	const struct conversation *c = m->c;

	m->count = conversations_waiting(m->workers->options.conversations, m->c, m->waiting,
					 MAX_EVENTS);
	for (size_t i = 0; i < m->count; i++)
		if (read_event(m, m->waiting[i], &m->events[i]) != PA_OK)
			return error_set(err, PA_BUG, "an event can't be read");
	m->in = (struct turn_in){.now_ns = clock_now_ns(),
				 .conversation = c->id,
				 .contact = c->contact->id,
				 .channel = str_from(c->channel->name),
				 .medium = channel_medium(c->channel),
				 .features = c->channel->ops->features,
				 .limits = c->channel->ops->limits,
				 .phone = c->contact->phone,
				 .user_id = c->contact->user_id,
				 .events = m->events,
				 .events_count = m->count,
				 .can_fetch = c->channel->ops->download != NULL,
				 .quiet_is_over = c->quiet_is_over};
	if (read_state(m, &m->in.state) != PA_OK)
		return error_set(err, PA_BUG, "the state can't be opened");
	return PA_OK;
}

/* ---- what it leaves ---- */

static void address(const struct making *m, const struct channel *channel, pa_message *message)
{
	message->account = str_from(channel->config->account);
	message->size = sizeof(*message);
	if (message->phone.ptr)
		return;
	message->phone = m->c->contact->phone;
	message->user_id = m->c->contact->user_id;
	message->medium = channel_medium(channel);
}

static struct outbound *make_outbound(struct making *m, struct turn_reply *reply,
				      pa_str *ret_sealed)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(MAX_MESSAGE);
	struct channel *channel = m->c->channel;
	struct outbound *o;

	if (reply->channel.ptr)
		channel = channel_by_name(m->workers->options.channels, reply->channel);
	if (!channel)
		return NULL;
	address(m, channel, &reply->message);
	message_pack(&packed, &reply->message);
	if (packed.is_over)
		return NULL;
	o = outbound_new(buf_str(&packed), reply->what_for);
	o->id = ids_next();
	o->conversation = m->c->id;
	o->channel = channel;
	o->contact = contact_ref(m->c->contact);
	o->class = reply->class;
	o->kind = reply->message.kind;
	o->is_secret = reply->is_secret;
	o->not_after_ns = reply->not_after_ns;
	if (channel->ops->features & PA_FEATURE_WINDOW && channel == m->c->channel &&
	    m->c->last_inbound_ns)
		o->window_ns = m->c->last_inbound_ns + WINDOW_NS;
	*ret_sealed = seal_arena(m->arena, &m->c->contact->key, PA_STR("outbox"), buf_str(&packed));
	bytes_wipe(packed.data, packed.len);
	return o;
}

static pa_status make_outbounds(struct making *m, struct turn_item *turn)
{
	turn->outbounds = ARENA_ARRAY(m->arena, struct outbound *, m->out.replies_count);
	turn->payloads = ARENA_ARRAY(m->arena, pa_str, m->out.replies_count);
	for (size_t i = 0; i < m->out.replies_count; i++) {
		struct outbound *o = make_outbound(m, &m->out.replies[i], &turn->payloads[i]);

		if (!o)
			return PA_BUG;
		o->asked_ns = turn->outbounds_count ? 0 : turn->asked_ns;
		turn->outbounds[turn->outbounds_count++] = o;
		if (!o->id)
			return PA_RETRY;
	}
	return PA_OK;
}

/* The first message to each channel may be born leaving, if its way is free. */
static void reserve_ways(struct making *m, struct turn_item *turn)
{
	for (size_t i = 0; i < turn->outbounds_count; i++) {
		struct outbound *o = turn->outbounds[i];
		bool is_first = true;

		for (size_t k = 0; k < i; k++)
			is_first &= turn->outbounds[k]->channel != o->channel;
		if (is_first &&
		    dispatch_reserve(m->workers->options.dispatch, o->conversation, o->channel)) {
			o->was_born_leaving = true;
			o->tries = 1;
			o->state = OUTBOX_UNDER_WAY;
		}
	}
}

static pa_str seal_job(struct making *m, const struct turn_job *job)
{
	struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(MAX_MESSAGE);

	job_pack(&packed, job->name, job->payload);
	return seal_arena(m->arena, &m->c->contact->key, PA_STR("inbox"), buf_str(&packed));
}

static void make_redactions(struct making *m, struct turn_item *turn)
{
	const struct turn_out *out = &m->out;

	turn->redacted_ids = ARENA_ARRAY(m->arena, int64_t, out->redactions_count);
	turn->redacted_payloads = ARENA_ARRAY(m->arena, pa_str, out->redactions_count);
	for (size_t i = 0; i < out->redactions_count; i++) {
		struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(MAX_MESSAGE);
		size_t at = out->redactions[i].event;

		if (at >= m->count || !m->waiting[at]->id)
			continue;
		event_pack(&packed, out->redactions[i].kept);
		turn->redacted_ids[turn->redacted_count] = m->waiting[at]->id;
		turn->redacted_payloads[turn->redacted_count++] = seal_arena(
			m->arena, &m->c->contact->key, PA_STR("inbox"), buf_str(&packed));
	}
}

static pa_status make_records(struct making *m, struct turn_item *turn)
{
	const struct turn_out *out = &m->out;
	const struct key *key = &m->c->contact->key;
	bool has_ids = true;

	turn->job_ids = ARENA_ARRAY(m->arena, int64_t, out->jobs_count);
	turn->job_payloads = ARENA_ARRAY(m->arena, pa_str, out->jobs_count);
	for (size_t i = 0; i < out->jobs_count; i++) {
		has_ids &= (turn->job_ids[i] = ids_next()) != 0;
		turn->job_payloads[i] = seal_job(m, &out->jobs[i]);
	}
	turn->consent_ids = ARENA_ARRAY(m->arena, int64_t, out->consents_count);
	turn->consent_words = ARENA_ARRAY(m->arena, pa_str, out->consents_count);
	for (size_t i = 0; i < out->consents_count; i++) {
		has_ids &= (turn->consent_ids[i] = ids_next()) != 0;
		turn->consent_words[i] =
			seal_arena(m->arena, key, PA_STR("consent"), out->consents[i].words);
	}
	turn->case_ids = ARENA_ARRAY(m->arena, int64_t, out->cases_count);
	turn->case_summaries = ARENA_ARRAY(m->arena, pa_str, out->cases_count);
	for (size_t i = 0; i < out->cases_count; i++) {
		has_ids &= (turn->case_ids[i] = ids_next()) != 0;
		turn->case_summaries[i] =
			seal_arena(m->arena, key, PA_STR("case"), out->cases[i].summary);
	}
	return has_ids ? PA_OK : PA_RETRY;
}

static pa_status make_files(struct making *m, struct turn_item *turn)
{
	const struct turn_out *out = &m->out;

	turn->files = ARENA_ARRAY(m->arena, struct file_row, out->files_count);
	for (size_t i = 0; i < out->files_count; i++) {
		struct buf packed PA_CLEANUP(buf_done) = BUF_INIT(MAX_MESSAGE);
		struct file_row *row = &turn->files[turn->files_count];
		size_t at = out->files[i];

		if (at >= m->count || !m->waiting[at]->id)
			continue;
		file_claim_pack(&packed, m->events[at].event);
		*row = (struct file_row){ids_next(), m->waiting[at]->id,
					 seal_arena(m->arena, &m->c->contact->key, PA_STR("file"),
						    buf_str(&packed))};
		if (!row->id)
			return PA_RETRY;
		turn->files_count++;
	}
	return PA_OK;
}

static void note_consumed(struct making *m, struct turn_item *turn)
{
	turn->consumed = ARENA_ARRAY(m->arena, int64_t, m->count);
	for (size_t i = 0; i < m->out.consumed && i < m->count; i++) {
		turn->events_done++;
		if (!turn->asked_ns && m->waiting[i]->post)
			turn->asked_ns = m->waiting[i]->arrived_ns;
		if (!m->waiting[i]->id)
			continue;
		turn->consumed[turn->consumed_count++] = m->waiting[i]->id;
		turn->last_event = m->waiting[i]->id;
	}
}

static void turn_item_drop(struct turn_item *turn)
{
	for (size_t i = 0; i < turn->outbounds_count; i++)
		outbound_free(turn->outbounds[i]);
}

/* The state as it is stored: it knows the message that shows the question on the table. */
static void seal_state(struct making *m, struct turn_item *turn)
{
	const struct turn_out *out = &m->out;

	turn->state = out->state;
	if (out->question)
		turn->state = turn_state_with_question(m->arena, out->state,
						       turn->outbounds[out->question - 1]->id);
	turn->sealed_state =
		seal_arena(m->arena, &m->c->contact->key, PA_STR("state"), turn->state);
}

/* The effects go to the writer, with the arena and the flows. PA_RETRY: the store has given no ids.
 */
static pa_status put_effects(struct making *m)
{
	struct turn_item *turn = ARENA_NEW(m->arena, struct turn_item);
	pa_status status;

	turn->item.kind = ITEM_TURN;
	turn->arena = m->arena;
	turn->flows = m->flows;
	turn->conversation = m->c;
	turn->conversation_id = m->c->id;
	turn->epoch = m->c->epoch;
	turn->has_strays = atomic_load(&m->c->has_strays);
	turn->out = m->out;
	note_consumed(m, turn);
	make_redactions(m, turn);
	status = make_records(m, turn);
	if (status == PA_OK)
		status = make_files(m, turn);
	if (status == PA_OK)
		status = make_outbounds(m, turn);
	if (status != PA_OK) {
		turn_item_drop(turn);
		return status;
	}
	seal_state(m, turn);
	reserve_ways(m, turn);
	writer_put(m->workers->options.writer, &turn->item);
	return PA_OK;
}

/* ---- one turn ---- */

static void fail(struct making *m, const pa_error *err)
{
	struct workers *workers = m->workers;
	int64_t event = m->count ? m->waiting[0]->id : 0;
	int64_t conversation = m->c->id;

	atomic_fetch_add(&workers->failures, 1);
	log_error(LOG_IDS(.conversation = conversation, .event = event), "a turn failed: %s",
		  error_text(err));
	if (conversations_retry(workers->options.conversations, m->c))
		return;
	if (event)
		workers->options.set_aside(workers->options.arg, conversation, event,
					   error_text(err));
	conversations_drop_first(workers->options.conversations, m->c);
}

/* True if the arena and the flows went to the writer. */
static bool run_turn(struct making *m)
{
	struct workers *workers = m->workers;
	struct conversations *all = workers->options.conversations;
	struct turn_ports table = ports_table(m->ports);
	pa_error err = ERROR_INIT;
	pa_status status = prepare(m, &err);

	flight_note(m->c->id, m->count ? m->waiting[0]->id : 0);
	if (status == PA_OK)
		status = turn_run(m->flows, &m->in, &table, m->arena, &m->out, &err);
	atomic_fetch_add(&workers->turns, 1);
	if (m->ports->found_store_away) {
		conversations_wait(all, m->c);
		return false;
	}
	if (status != PA_OK) {
		fail(m, &err);
		return false;
	}
	if (m->out.park) {
		conversations_park(all, m->c);
		return false;
	}
	if (!m->out.consumed) {
		conversations_hold(all, m->c, workers->options.quiet_ns,
				   workers->options.quiet_max_ns);
		return false;
	}
	status = put_effects(m);
	if (status == PA_OK)
		return true;
	if (status == PA_RETRY) {
		conversations_wait(all, m->c);
		return false;
	}
	error_set(&err, PA_BUG, "a reply names no channel of ours or is too large");
	fail(m, &err);
	return false;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct workers *workers = worker->workers;
	struct ports ports = {.options = &workers->options,
			      .moved_ns = &worker->moved_ns,
			      .speechless_ns = &workers->speechless_ns};
	struct conversation *c;

	while ((c = conversations_next(workers->options.conversations))) {
		struct making *m;
		struct arena *arena = arena_new(TURN_ARENA_CAP);
		int64_t now_ns = clock_monotonic_ns();

		atomic_store(&worker->moved_ns, now_ns);
		m = ARENA_NEW(arena, struct making);
		*m = (struct making){
			.workers = workers,
			.ports = &ports,
			.c = c,
			.arena = arena,
			.flows = workers->options.flow_set(workers->options.flow_set_arg)};
		ports.arena = arena;
		ports.conversation = c;
		ports.until_ns = now_ns + workers->options.turn_deadline_ms * NS_PER_MS;
		ports.last_provider_id = PA_STR_ABSENT;
		ports.is_marked = false;
		ports.found_store_away = false;
		if (!run_turn(m)) {
			flow_set_unref(m->flows);
			arena_free(arena);
		}
		histogram_note(&workers->took, clock_monotonic_ns() - now_ns);
		flight_note(0, 0);
		atomic_store(&worker->moved_ns, 0);
	}
	ports_done(&ports);
	return NULL;
}

struct workers *workers_new(const struct workers_options *options)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers)
		abort();
	workers->options = *options;
	workers->list = calloc(options->count, sizeof(*workers->list));
	if (!workers->list)
		abort();
	for (size_t i = 0; i < options->count; i++) {
		struct worker *worker = &workers->list[i];

		worker->workers = workers;
		if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
			abort();
		pthread_setname_np(worker->thread, "worker");
	}
	return workers;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	for (size_t i = 0; i < workers->options.count; i++)
		pthread_join(workers->list[i].thread, NULL);
	free(workers->list);
	free(workers);
}

int64_t workers_still_ns(const struct workers *workers)
{
	int64_t allowed_ns = workers->options.turn_deadline_ms * NS_PER_MS + TURN_GRACE_NS;
	int64_t now_ns = clock_monotonic_ns();
	int64_t most_ns = 0;

	for (size_t i = 0; i < workers->options.count; i++) {
		int64_t moved_ns = atomic_load(&workers->list[i].moved_ns);

		if (moved_ns && now_ns - moved_ns - allowed_ns > most_ns)
			most_ns = now_ns - moved_ns - allowed_ns;
	}
	return most_ns;
}

const struct histogram *workers_took(const struct workers *workers)
{
	return &workers->took;
}

struct worker_counts workers_counts(const struct workers *workers)
{
	return (struct worker_counts){atomic_load(&workers->turns),
				      atomic_load(&workers->failures)};
}
