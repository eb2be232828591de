/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables are the list of metrics: a counter of a channel is a row, and so is a number of the
 * whole house. What does not fit into a table has a function.
 */
#include "metrics/collect.h"

#include "io/log.h"
#include "metrics/exposition.h"
#include "metrics/process.h"
#include "queue/session.h"

#include <stdio.h>

static double seconds(int64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* ---- channels ---- */

#define COUNT(field) offsetof(struct channel_counts, field)

static const struct {
	const char *name;
	size_t at;
	const char *help;
} channel_counters[] = {
	{"proalto_deliveries_total", COUNT(deliveries),
	 "Requests of the provider that were taken."},
	{"proalto_deliveries_refused_total", COUNT(refused),
	 "Requests answered 503, which the provider sends again: the store is away or behind."},
	{"proalto_deliveries_forged_total", COUNT(forged),
	 "Requests without the provider's signature, answered 403."},
	{"proalto_events_total", COUNT(events), "Events of people and of the account."},
	{"proalto_events_duplicate_total", COUNT(duplicates),
	 "Events that the provider had delivered before."},
	{"proalto_messages_repeated_total", COUNT(repeated),
	 "Replies sent again because nobody said whether they arrived."},
};

static const struct {
	const char *name;
	size_t at;
	const char *help;
} channel_histograms[] = {
	{"proalto_acknowledge_seconds", COUNT(acknowledged),
	 "From the arrival of a request to its acknowledgement, after the commit."},
	{"proalto_answer_begun_seconds", COUNT(begun),
	 "From the arrival of a message to when the first answer to it leaves."},
	{"proalto_answer_seconds", COUNT(answered),
	 "From the arrival of a message to when the provider has accepted the first answer to it."},
	{"proalto_provider_call_seconds", COUNT(calls),
	 "Requests to the provider that carry a message."},
};

/* Counters by a word: one meter a word, in the order of the words; NULL is none. */
static const char *const receipt_words[] = {[PA_STATUS_SENT] = "sent",
					    [PA_STATUS_DELIVERED] = "delivered",
					    [PA_STATUS_READ] = "read",
					    [PA_STATUS_PLAYED] = "played",
					    [PA_STATUS_FAILED] = "failed"};
static const char *const attempt_words[] = {
	[PA_OUTCOME_SENT] = "sent",   [PA_OUTCOME_RETRY] = "retry",
	[PA_OUTCOME_WAIT] = "wait",   [PA_OUTCOME_GIVE_UP] = "give_up",
	[PA_OUTCOME_ALARM] = "alarm", [PA_OUTCOME_UNCERTAIN] = "uncertain",
};
static const char *const message_words[] = {
	[OUTBOX_UNCERTAIN] = "uncertain",
	[OUTBOX_SENT] = "sent",
	[OUTBOX_FAILED] = "failed",
	[OUTBOX_REFUSED] = "refused",
};

static const struct {
	const char *name;
	const char *label;
	const char *const *words;
	size_t words_count;
	size_t at;
	const char *help;
} channel_words[] = {
	{"proalto_receipts_total", "status", receipt_words, ARRAY_COUNT(receipt_words),
	 COUNT(receipts), "What the provider said became of messages."},
	{"proalto_attempts_total", "result", attempt_words, ARRAY_COUNT(attempt_words),
	 COUNT(attempts), "Attempts to send, by what came of each."},
	{"proalto_messages_total", "state", message_words, ARRAY_COUNT(message_words),
	 COUNT(messages), "Messages for which nothing is left to be done, by what became of them."},
	{"proalto_gate_refusals_total", "reason", gate_words + 1, GATE_REASONS - 1,
	 COUNT(gate) + sizeof(meter), "Messages that the gate did not let out."},
};

static const meter *meter_at(const struct channel *channel, size_t at)
{
	return (const meter *)(const void *)((const char *)&channel->counts + at);
}

static void tell_channel_counters(const struct channels *channels, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(channel_counters); i++) {
		exposition_begin(out, channel_counters[i].name, "counter",
				 channel_counters[i].help);
		for (size_t c = 0; c < channels->count; c++)
			exposition_add(out, channel_counters[i].name,
				       LABELS({"channel", channels->list[c].name}),
				       (double)meter_read(meter_at(&channels->list[c],
								   channel_counters[i].at)));
	}
}

static void tell_channel_histograms(const struct channels *channels, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(channel_histograms); i++) {
		exposition_begin(out, channel_histograms[i].name, "histogram",
				 channel_histograms[i].help);
		for (size_t c = 0; c < channels->count; c++) {
			const char *counts = (const char *)&channels->list[c].counts;

			exposition_add_histogram(
				out, channel_histograms[i].name,
				LABELS({"channel", channels->list[c].name}),
				(const struct histogram *)(const void *)(counts +
									 channel_histograms[i].at));
		}
	}
}

static void tell_words(const struct channel *channel, size_t row, struct buf *out)
{
	const meter *meters = meter_at(channel, channel_words[row].at);

	for (size_t word = 0; word < channel_words[row].words_count; word++)
		if (channel_words[row].words[word])
			exposition_add(
				out, channel_words[row].name,
				LABELS({"channel", channel->name},
				       {channel_words[row].label, channel_words[row].words[word]}),
				(double)meter_read(&meters[word]));
}

static void tell_channel_words(const struct channels *channels, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(channel_words); i++) {
		exposition_begin(out, channel_words[i].name, "counter", channel_words[i].help);
		for (size_t c = 0; c < channels->count; c++)
			tell_words(&channels->list[c], i, out);
	}
}

static void tell_codes_of(const struct channel *channel, const char *name, struct buf *out)
{
	const struct channel_counts *counts = &channel->counts;
	char code[32];

	for (size_t i = 0; i < COUNTS_CODES && atomic_load(&counts->codes[i].code); i++) {
		snprintf(code, sizeof(code), "%lld",
			 (long long)atomic_load(&counts->codes[i].code));
		exposition_add(out, name, LABELS({"channel", channel->name}, {"code", code}),
			       (double)meter_read(&counts->codes[i].count));
	}
	exposition_add(out, name, LABELS({"channel", channel->name}, {"code", "other"}),
		       (double)meter_read(&counts->codes_other));
}

static void tell_codes(const struct channels *channels, struct buf *out)
{
	static const char name[] = "proalto_attempt_errors_total";

	exposition_begin(out, name, "counter",
			 "Attempts that were not accepted, by the provider's error code.");
	for (size_t c = 0; c < channels->count; c++)
		tell_codes_of(&channels->list[c], name, out);
}

static double is_healthy(const struct channel *channel)
{
	return channel_is_healthy(channel);
}

static double is_leased(const struct channel *channel)
{
	return channel_is_leased(channel);
}

static double calls_under_way(const struct channel *channel)
{
	return (double)atomic_load(&channel->counts.calls_under_way);
}

static const struct {
	const char *name;
	double (*value)(const struct channel *channel);
	const char *help;
} channel_gauges[] = {
	{"proalto_channel_healthy", is_healthy,
	 "1 while what is sent on the channel has a good chance to leave."},
	{"proalto_channel_leased", is_leased, "1 if it is this node that sends on the channel."},
	{"proalto_provider_calls_in_progress", calls_under_way,
	 "Requests to the provider that wait for its answer."},
};

static void tell_channel_gauges(const struct channels *channels, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(channel_gauges); i++) {
		exposition_begin(out, channel_gauges[i].name, "gauge", channel_gauges[i].help);
		for (size_t c = 0; c < channels->count; c++)
			exposition_add(out, channel_gauges[i].name,
				       LABELS({"channel", channels->list[c].name}),
				       channel_gauges[i].value(&channels->list[c]));
	}
}

/* Only channels that hold a session have one. */
static void tell_sessions(const struct channels *channels, struct buf *out)
{
	static const char name[] = "proalto_session_up";

	exposition_begin(out, name, "gauge",
			 "1 while the channel's own session with its provider lives.");
	for (size_t c = 0; c < channels->count; c++)
		if (channels->list[c].session)
			exposition_add(out, name, LABELS({"channel", channels->list[c].name}),
				       session_is_up(channels->list[c].session));
}

/* ---- HTTP ---- */

static void tell_http(const struct metrics_options *from, struct buf *out)
{
	const struct http_client_counts *client = http_client_counts(from->http);
	uint64_t ended = meter_read(&client->ended); /* before begun: it is never more */
	uint64_t begun = meter_read(&client->begun);

	exposition_tell(out, "proalto_http_connections", "gauge", "Connections to the public port.",
			(double)http_server_connections(from->server));
	exposition_tell(out, "proalto_http_connections_limit", "gauge",
			"The most that there may be.",
			(double)from->config->listen_max_connections);
	exposition_tell(out, "proalto_http_client_requests_total", "counter",
			"Requests to providers and core systems, of all kinds.", (double)begun);
	exposition_tell(out, "proalto_http_client_requests_in_progress", "gauge",
			"Those that wait for an answer.", (double)(begun - ended));
	exposition_tell(out, "proalto_http_client_connections_total", "counter",
			"Connections that were made for them: a kept one serves many.",
			(double)meter_read(&client->connections));
	if (from->tls)
		exposition_tell(out, "proalto_certificate_expiry_timestamp_seconds", "gauge",
				"When the public port's certificate ends, since 1970.",
				seconds(tls_ends_ns(from->tls)));
}

/* ---- the core ---- */

static void tell_core_calls(struct core *core, struct buf *out)
{
	static const char took[] = "proalto_core_call_seconds", made[] = "proalto_core_calls_total";
	static const char *const words[] = {[PA_OK] = "answered",
					    [PA_RETRY] = "away",
					    [PA_REJECTED] = "rejected",
					    [PA_DEADLINE] = "no_slot"};
	const char *name = core_name(core);

	exposition_begin(out, took, "histogram", "Questions to the core system, by operation.");
	for (int i = 1; i < CORE_OPERATIONS; i++)
		exposition_add_histogram(
			out, took,
			LABELS({"backend", name},
			       {"operation", core_operation_name((enum core_operation)i)}),
			&core_counts(core, (enum core_operation)i)->took);
	exposition_begin(
		out, made, "counter",
		"Questions to the core system, by what came of them; away: also those that "
		"were not asked, because the breaker is open.");
	for (int i = 1; i < CORE_OPERATIONS; i++)
		for (size_t word = 0; word < ARRAY_COUNT(words); word++)
			exposition_add(
				out, made,
				LABELS({"backend", name},
				       {"operation", core_operation_name((enum core_operation)i)},
				       {"result", words[word]}),
				(double)meter_read(
					&core_counts(core, (enum core_operation)i)->results[word]));
}

static void tell_core(struct core *core, struct buf *out)
{
	static const char state[] = "proalto_core_state";
	static const char *const states[] = {
		[CORE_UP] = "up", [CORE_TRYING] = "trying", [CORE_DOWN] = "down"};
	const struct label *backend = LABELS({"backend", core_name(core)});
	enum core_health health = core_health(core);
	unsigned calls, most;

	core_calls(core, &calls, &most);
	exposition_begin(out, state, "gauge",
			 "1 for the state in which the core system's breaker is.");
	for (size_t i = 0; i < ARRAY_COUNT(states); i++)
		exposition_add(out, state,
			       LABELS({"backend", core_name(core)}, {"state", states[i]}),
			       i == (size_t)health);
	exposition_begin(out, "proalto_core_calls_in_progress", "gauge",
			 "Questions that the core system has in hand.");
	exposition_add(out, "proalto_core_calls_in_progress", backend, calls);
	exposition_begin(out, "proalto_core_calls_limit", "gauge",
			 "Questions that it may have in hand at a time.");
	exposition_add(out, "proalto_core_calls_limit", backend, most);
	tell_core_calls(core, out);
}

/* ---- plugins ---- */

static void tell_plugin(struct buf *out, const char *plugin, const char *use, bool is_disabled)
{
	exposition_add(out, "proalto_plugin_disabled", LABELS({"plugin", plugin}, {"use", use}),
		       is_disabled);
}

static void tell_plugins(const struct metrics_options *from, struct buf *out)
{
	struct host_stuck call;

	exposition_begin(out, "proalto_plugin_disabled", "gauge",
			 "1 while the plugin is off because the daemon died in it three times.");
	for (size_t c = 0; c < from->channels->count; c++)
		tell_plugin(out, from->channels->list[c].config->plugin,
			    from->channels->list[c].name,
			    atomic_load(&from->channels->list[c].is_disabled));
	if (from->core)
		tell_plugin(out, plugin_descriptor(from->backend)->name, core_name(from->core),
			    plugin_is_disabled(from->backend));
	if (from->language)
		tell_plugin(out, plugin_descriptor(from->language)->name, "language",
			    plugin_is_disabled(from->language));
	exposition_tell(out, "proalto_stuck_calls", "gauge",
			"Calls to plugins that do not come back.",
			(double)host_stuck(from->host, from->config->stuck_after_ms, &call, 1));
}

/* ---- the queue ---- */

static void tell_conversations(const struct conversations_count *count, struct buf *out)
{
	static const char name[] = "proalto_conversations";
	const struct {
		const char *phase;
		size_t count;
	} phases[] = {
		{"queued", count->queued},
		{"running", count->running},
		{"held", count->held},
		{"parked", count->parked},
		{"idle",
		 count->in_memory - count->queued - count->running - count->held - count->parked},
	};

	exposition_begin(
		out, name, "gauge",
		"Conversations in memory: waiting for a worker, being served, waiting for a "
		"moment of quiet, waiting for a slot at the core, or idle.");
	for (size_t i = 0; i < ARRAY_COUNT(phases); i++)
		exposition_add(out, name, LABELS({"phase", phases[i].phase}),
			       (double)phases[i].count);
}

static void tell_writer(const struct writer_counts *counts, struct buf *out)
{
	static const char took[] = "proalto_commit_seconds", items[] = "proalto_commit_items_total";
	static const char *const words[ITEM_KINDS] = {[ITEM_EVENT] = "event",
						      [ITEM_RECEIPT] = "receipt",
						      [ITEM_TURN] = "turn",
						      [ITEM_ATTEMPT] = "attempt",
						      [ITEM_OUTCOME] = "outcome"};

	exposition_begin(out, took, "histogram", "Transactions of the writer.");
	exposition_add_histogram(out, took, NO_LABELS, &counts->took);
	exposition_begin(out, items, "counter", "What they held.");
	for (size_t i = 0; i < ITEM_KINDS; i++)
		exposition_add(out, items, LABELS({"kind", words[i]}),
			       (double)meter_read(&counts->items[i]));
	exposition_tell(out, "proalto_commits_failed_total", "counter",
			"Transactions that failed and were done again in parts.",
			(double)meter_read(&counts->failed));
}

static void tell_queue(const struct queue_status *status, struct buf *out)
{
	const struct {
		const char *name;
		const char *type;
		double value;
		const char *help;
	} numbers[] = {
		{"proalto_store_up", "gauge", status->is_store_there,
		 "1 while the database can be written, and deliveries are taken."},
		{"proalto_deliveries_unanswered", "gauge", (double)status->unanswered,
		 "Requests of providers that wait for their commit."},
		{"proalto_writer_waiting", "gauge", (double)status->writer_backlog,
		 "Things that wait for a transaction."},
		{"proalto_oldest_event_seconds", "gauge", seconds(status->conversations.oldest_ns),
		 "How long the customer who has waited longest on this node has waited for his "
		 "turn."},
		{"proalto_lanes", "gauge", (double)status->dispatch.waiting,
		 "Conversations with something on its way out."},
		{"proalto_turns_failed_total", "counter", (double)status->turns.failures,
		 "Turns that failed."},
		{"proalto_late_answers_total", "counter", (double)status->late,
		 "Customers who waited 20 seconds for an answer."},
	};

	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		exposition_tell(out, numbers[i].name, numbers[i].type, numbers[i].help,
				numbers[i].value);
	exposition_begin(out, "proalto_turn_seconds", "histogram",
			 "Turns of conversations, without their commit.");
	exposition_add_histogram(out, "proalto_turn_seconds", NO_LABELS, status->turns_took);
	tell_conversations(&status->conversations, out);
	tell_writer(status->writer, out);
}

/* ---- the store ---- */

/* How long ago, by business time; 0 for what is not, or is still to come. */
static double age(int64_t at_ns)
{
	int64_t now_ns = clock_now_ns();

	return at_ns && at_ns < now_ns ? seconds(now_ns - at_ns) : 0;
}

static void tell_outbox(const struct sample *sample, const struct channels *channels,
			struct buf *out)
{
	static const char open[] = "proalto_outbox_open",
			  oldest[] = "proalto_outbox_oldest_seconds";

	exposition_begin(out, open, "gauge",
			 "Messages of all nodes with something still to be done (10,000 at most).");
	for (size_t c = 0; c < channels->count; c++)
		exposition_add(out, open, LABELS({"channel", channels->list[c].name}),
			       (double)sample->outbox[c].open);
	exposition_begin(out, oldest, "gauge", "Age of the oldest of them.");
	for (size_t c = 0; c < channels->count; c++)
		exposition_add(out, oldest, LABELS({"channel", channels->list[c].name}),
			       age(sample->outbox[c].oldest_ns));
}

static void tell_store(const struct sample *sample, struct buf *out)
{
	const struct {
		const char *name;
		double value;
		const char *help;
	} numbers[] = {
		{"proalto_inbox_work", (double)sample->work,
		 "Events of all nodes that no turn has consumed (10,000 at most)."},
		{"proalto_inbox_oldest_seconds", age(sample->work_oldest_ns),
		 "Age of the oldest of them."},
		{"proalto_timers", (double)sample->timers,
		 "Timers of conversations (10,000 at most)."},
		{"proalto_timers_overdue_seconds", age(sample->timer_first_ns),
		 "How far the one most overdue is overdue."},
		{"proalto_events_set_aside", (double)sample->set_aside,
		 "Events set aside for a person to look at (10,000 at most)."},
		{"proalto_schema_version", (double)sample->schema,
		 "Number of the database's last migration."},
		{"proalto_nodes_alive", (double)sample->nodes, "Nodes that share the database."},
	};

	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		exposition_tell(out, numbers[i].name, "gauge", numbers[i].help, numbers[i].value);
}

/* ---- all ---- */

static void tell_build(struct buf *out)
{
	exposition_begin(out, "proalto_build_info", "gauge", "Always 1.");
	exposition_add(out, "proalto_build_info", LABELS({"version", PROALTO_VERSION}), 1);
}

static void tell_log(struct buf *out)
{
	static const char name[] = "proalto_log_lines_total";
	static const char *const levels[] = {
		[3] = "error", [4] = "warning", [5] = "notice", [6] = "info", [7] = "debug"};

	exposition_begin(out, name, "counter", "Lines written to the journal.");
	for (int level = 3; level < (int)ARRAY_COUNT(levels); level++)
		exposition_add(out, name, LABELS({"level", levels[level]}),
			       (double)log_count(level));
}

void collect(const struct metrics_options *from, struct sampler *sampler, struct buf *out)
{
	struct queue_status status = queue_status(from->queue);
	struct sample sample;

	tell_build(out);
	process_tell(out);
	tell_log(out);
	tell_queue(&status, out);
	tell_channel_counters(from->channels, out);
	tell_channel_words(from->channels, out);
	tell_codes(from->channels, out);
	tell_channel_histograms(from->channels, out);
	tell_channel_gauges(from->channels, out);
	tell_sessions(from->channels, out);
	tell_http(from, out);
	tell_plugins(from, out);
	if (from->core)
		tell_core(from->core, out);
	if (!sampler_look(sampler, &sample))
		return; /* nobody knows */
	tell_store(&sample, out);
	tell_outbox(&sample, from->channels, out);
}
