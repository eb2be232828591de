/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/dispatch_parts.h"

#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/unicode.h"
#include "queue/codec.h"
#include "queue/session.h"

#include <stdlib.h>
#include <string.h>

#define SEND_ARENA_CAP ((size_t)32 << 20)
#define REASON_ARENA_CAP ((size_t)64 << 10)
#define CALL_MS 2000 /* for the pure functions of a channel */
#define ALARM_PAUSE_NS (30 * NS_PER_S)
#define MAX_PAUSE_LEVEL 6
#define BACK_OFF_NS NS_PER_S
#define AGAIN_MS 1 /* at once: 0 would be back-off */
#define BACK_OFF_MAX_NS NS_PER_MINUTE
#define UNHEALTHY_AFTER 3 /* failures in a row */
#define SICK_NS (30 * NS_PER_S)
_Static_assert(sizeof(((struct outlet_report *)0)->reason) ==
		       sizeof(((struct outbound *)0)->reason),
	       "a reason fits");
#define MAX_AFTER_MS (INT64_C(24) * 3600 * 1000) /* a provider that asks for more gets this */

/* ---- results of attempts ---- */

static int64_t back_off_ns(const struct outbound *o)
{
	int64_t pause = BACK_OFF_NS;

	for (int i = 1; i < o->tries && pause < BACK_OFF_MAX_NS; i++)
		pause *= 2;
	return pause + (int64_t)random_below((uint32_t)(pause / 4));
}

/* The whole channel waits: the provider's throughput, or an alarm. Longer each time, but those that
 * were under way together count once. */
static void pause_channel(struct dispatch *d, struct outbound *o, int64_t for_ns)
{
	struct outlet *outlet = outlet_of(d, o->channel);
	int64_t now_ns = clock_monotonic_ns(), until_ns;

	if (!for_ns && now_ns < outlet->paused_until_ns)
		return;
	if (!for_ns)
		for_ns = BACK_OFF_NS << outlet->pause_level;
	if (outlet->pause_level < MAX_PAUSE_LEVEL)
		outlet->pause_level++;
	until_ns = now_ns + for_ns;
	if (until_ns > outlet->paused_until_ns)
		outlet->paused_until_ns = until_ns;
}

static bool is_worn_out(const struct outbound *o)
{
	return clock_monotonic_ns() - o->first_try_ns >
	       o->channel->config->give_up_after_ms * NS_PER_MS;
}

/* Not accepted, but it may be later. */
static void decide_again(struct dispatch *d, struct outbound *o, const pa_outcome *outcome)
{
	int64_t after_ms = outcome->after_ms < MAX_AFTER_MS ? outcome->after_ms : MAX_AFTER_MS;
	int64_t after_ns = after_ms > 0 ? after_ms * NS_PER_MS : 0;

	if (is_worn_out(o)) {
		dispatch_decide(o, OUTBOX_FAILED, false, o->reason);
		return;
	}
	d->counts.retried++;
	o->due_ns = clock_monotonic_ns();
	if (outcome->result == PA_OUTCOME_ALARM) { /* the channel's pause is its own */
		pause_channel(d, o, ALARM_PAUSE_NS);
		log_error(LOG_IDS(.channel = o->channel->name, .outbox = o->id),
			  "the channel waits for a person: %s (code %lld)", o->reason,
			  (long long)outcome->code);
		dispatch_decide(o, OUTBOX_WAITING, true, o->reason);
		return;
	}
	if (outcome->scope == PA_SCOPE_ACCOUNT) {
		pause_channel(d, o, after_ns);
	} else if (outcome->scope == PA_SCOPE_RECIPIENT && !after_ns) {
		/* Meta's rule for one recipient: 4^n seconds. */
		after_ns = NS_PER_S << 2 * (o->tries < 6 ? o->tries - 1 : 5);
	}
	o->due_ns += after_ns ? after_ns : back_off_ns(o);
	dispatch_decide(o, OUTBOX_WAITING, true, o->reason);
}

static void note_health(struct dispatch *d, struct outbound *o, bool is_good)
{
	struct outlet *outlet = outlet_of(d, o->channel);

	outlet->failures = is_good ? 0 : outlet->failures + 1;
	if (is_good)
		outlet->pause_level = 0;
	atomic_store(&o->channel->sick_until_ns,
		     outlet->failures < UNHEALTHY_AFTER ? 0 : clock_monotonic_ns() + SICK_NS);
}

static void keep_external(const struct dispatch *d, struct outbound *o, pa_str external)
{
	struct buf sealed = BUF_INIT(4096);

	seal(&o->contact->key, PA_STR("external"), external, &sealed);
	free(o->external);
	o->external = sealed.data;
	o->external_len = sealed.len;
	/* Where receipts echo our reference they need no other. */
	o->has_external_tag = !(o->channel->ops->features & PA_FEATURE_ECHOES_REF);
	if (o->has_external_tag)
		outbound_external_tag(d->options.ring, o->channel, external, o->external_tag);
}

static void decide_uncertain(struct outbound *o)
{
	if (o->seen_statuses) {
		dispatch_settle(o);
		return;
	}
	o->uncertain_ns = clock_monotonic_ns();
	dispatch_decide(o, OUTBOX_UNCERTAIN, true, o->reason);
}

static void count_attempt(struct outbound *o, const pa_outcome *outcome)
{
	struct channel_counts *counts = &o->channel->counts;

	if (outcome->result < ARRAY_COUNT(counts->attempts))
		meter_add(&counts->attempts[outcome->result], 1);
	if (outcome->result != PA_OUTCOME_SENT)
		counts_note_code(counts, outcome->code);
	else if (o->asked_ns)
		histogram_note(&counts->answered, clock_monotonic_ns() - o->asked_ns);
}

/* For whoever asks how the channel is. */
static void report(struct dispatch *d, const struct outbound *o, const pa_outcome *outcome)
{
	struct outlet_report *report = &outlet_of(d, o->channel)->report;

	if (outcome->result == PA_OUTCOME_SENT) {
		report->sent_ns = clock_now_ns();
		return;
	}
	report->failed_ns = clock_now_ns();
	report->code = outcome->code;
	memcpy(report->reason, o->reason, sizeof(report->reason));
}

static void decide_by_outcome(struct dispatch *d, struct outbound *o, const pa_outcome *outcome)
{
	count_attempt(o, outcome);
	report(d, o, outcome);
	switch (outcome->result) {
	case PA_OUTCOME_SENT:
		d->counts.sent++;
		note_health(d, o, true);
		dispatch_decide(o, OUTBOX_SENT, false, "");
		return;
	case PA_OUTCOME_RETRY:
	case PA_OUTCOME_WAIT:
	case PA_OUTCOME_ALARM:
		note_health(d, o, false);
		decide_again(d, o, outcome);
		return;
	case PA_OUTCOME_UNCERTAIN:
		note_health(d, o, false);
		decide_uncertain(o);
		return;
	default:
		d->counts.failed++;
		dispatch_decide(o, OUTBOX_FAILED, false, o->reason);
		return;
	}
}

/* A channel's words, as text that the store takes: whole characters, no NUL. */
static void keep_reason(struct outbound *o, pa_str reason)
{
	struct arena *arena PA_CLEANUP(arena_done) = NULL;
	pa_str text;
	size_t len;

	o->reason[0] = '\0';
	if (!reason.len)
		return;
	arena = arena_new(REASON_ARENA_CAP);
	text = utf8_repair(arena, str_slice(reason, 0, sizeof(o->reason)));
	len = text.len < sizeof(o->reason) ? text.len : sizeof(o->reason) - 1;
	while (len && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	if (len)
		memcpy(o->reason, text.ptr, len);
	o->reason[len] = '\0';
}

void dispatch_result(struct dispatch *d, struct outbound *o, const pa_outcome *outcome)
{
	struct outcome_item *item = &o->outcome;

	if (outcome->result == PA_OUTCOME_UPLOADED && outcome->media_id.len &&
	    outcome->media_id.len < sizeof(o->media_id) && !o->media_id[0]) {
		memcpy(o->media_id, outcome->media_id.ptr, outcome->media_id.len);
		o->step = STEP_SEND_AGAIN;
		mailbox_put(&d->box, &o->mail);
		return;
	}
	keep_reason(o, outcome->reason);
	item->result = outcome->result;
	item->code = outcome->code;
	if (outcome->external_id.len && outcome->external_id.len <= MAX_EXTERNAL)
		keep_external(d, o, outcome->external_id);
	pthread_mutex_lock(&d->lock);
	decide_by_outcome(d, o, outcome);
	writer_put(d->options.writer, &item->item);
	dispatch_follow(d, o);
	pthread_mutex_unlock(&d->lock);
}

/* Told once a row, not once a message. */
static void note_reach(struct channel *channel, const struct http_result *result)
{
	bool is_unreachable = !result->response;

	if (atomic_exchange(&channel->is_unreachable, is_unreachable) == is_unreachable)
		return;
	if (is_unreachable)
		log_warning(LOG_IDS(.channel = channel->name), "no answer from the provider: %s",
			    result->reason);
	else
		log_notice(LOG_IDS(.channel = channel->name), "the provider answers again");
}

/* On the HTTP client's thread. */
struct flight_request {
	struct dispatch *dispatch;
	struct outbound *outbound;
	struct arena *arena;       /* holds this, the message and the request */
	struct instance *instance; /* that built the request and reads the answer */
	int64_t begun_ns;
	pa_message message;
};

/* A person has mended it meanwhile: it goes again with what is in use now. */
static void forgive_alarm(const struct instance *instance, pa_outcome *outcome)
{
	if (outcome->result != PA_OUTCOME_ALARM || instance_is_current(instance))
		return;
	outcome->result = PA_OUTCOME_RETRY;
	outcome->scope = PA_SCOPE_MESSAGE;
	outcome->after_ms = AGAIN_MS;
}

static void on_answer(void *arg, const struct http_result *result)
{
	struct flight_request *request = arg;
	struct outbound *o = request->outbound;
	struct arena *arena = request->arena;
	pa_outcome outcome = {.size = sizeof(outcome), .result = PA_OUTCOME_UNCERTAIN};
	pa_error err = ERROR_INIT;
	pa_call *call = instance_call_begin(request->instance, arena, CALL_MS);

	if (!atomic_load(&request->dispatch->is_closing))
		note_reach(o->channel, result);
	histogram_note(&o->channel->counts.calls, clock_monotonic_ns() - request->begun_ns);
	atomic_fetch_sub(&o->channel->counts.calls_under_way, 1);
	if (!call ||
	    o->channel->ops->interpret(call_self(call), call, &request->message, result->response,
				       result->failure, &outcome, &err) != PA_OK) {
		outcome.result = PA_OUTCOME_UNCERTAIN;
		outcome.reason = PA_STR("the channel could not read the answer");
	} else {
		forgive_alarm(request->instance, &outcome);
	}
	if (!result->response && !outcome.reason.len)
		outcome.reason = str_from(result->reason);
	dispatch_result(request->dispatch, o, &outcome);
	if (call)
		plugin_call_end(call);
	arena_free(arena);
}

/* ---- sending; without the lock ---- */

static void fail_to_send(struct dispatch *d, struct outbound *o, uint32_t result, const char *why)
{
	dispatch_result(d, o,
			&(pa_outcome){.size = sizeof(pa_outcome),
				      .result = result,
				      .scope = PA_SCOPE_MESSAGE,
				      .reason = str_from(why)});
}

static pa_status prepare(struct outbound *o, struct arena *arena, pa_message *ret)
{
	if (message_unpack(arena, o->packed, ret) != PA_OK)
		return PA_BUG;
	ret->ref = outbound_ref(o, arena);
	if (o->media_id[0])
		ret->media_id = str_from(o->media_id);
	return PA_OK;
}

static void start_request(struct dispatch *d, struct outbound *o, struct flight_request *request)
{
	pa_http_request http = {.size = sizeof(http)};
	pa_error err = ERROR_INIT;
	pa_call *call = plugin_call_begin(o->channel->plugin, request->arena, CALL_MS);
	pa_status status = PA_DEADLINE;

	if (call) {
		status = o->channel->ops->build(call_self(call), call, &request->message, &http,
						&err);
		request->instance = plugin_call_keep(call);
		plugin_call_end(call);
		if (status != PA_OK)
			plugin_error_clean(&err);
	}
	if (status == PA_OK) {
		request->begun_ns = clock_monotonic_ns();
		atomic_fetch_add(&o->channel->counts.calls_under_way, 1);
		status = http_client_start(d->options.http, &http,
					   o->channel->config->attempt_timeout_ms, on_answer,
					   request, &err);
		if (status == PA_OK)
			return;
		atomic_fetch_sub(&o->channel->counts.calls_under_way, 1);
	}
	log_warning(LOG_IDS(.outbox = o->id, .channel = o->channel->name),
		    "a message can't be sent: %s", error_text(&err));
	fail_to_send(d, o, status == PA_DEADLINE ? PA_OUTCOME_RETRY : PA_OUTCOME_GIVE_UP,
		     error_text(&err));
	if (request->instance)
		instance_release(request->instance);
	arena_free(request->arena);
}

void dispatch_send(struct dispatch *d, struct outbound *o)
{
	struct arena *arena = arena_new(SEND_ARENA_CAP);
	struct flight_request *request = ARENA_NEW(arena, struct flight_request);

	if (!o->first_try_ns) {
		o->first_try_ns = clock_monotonic_ns();
		if (o->asked_ns)
			histogram_note(&o->channel->counts.begun, o->first_try_ns - o->asked_ns);
	}
	*request = (struct flight_request){.dispatch = d, .outbound = o, .arena = arena};
	if (prepare(o, arena, &request->message) != PA_OK) {
		fail_to_send(d, o, PA_OUTCOME_GIVE_UP, "the stored message can't be read");
		arena_free(arena);
		return;
	}
	if (!o->channel->session) {
		start_request(d, o, request);
	} else if (!session_push(o->channel->session, o, &request->message, arena)) {
		fail_to_send(d, o, PA_OUTCOME_RETRY, "the channel's session has ended");
		arena_free(arena);
	}
}
/* ---- marks ---- */

static void on_mark_answered(void *arg, const struct http_result *result)
{
	(void)arg;
	(void)result; /* best effort: the next message of ours says it all the same */
}

void dispatch_mark(struct dispatch *d, struct channel *channel, const struct contact *contact,
		   pa_str provider_id)
{
	struct arena *arena PA_CLEANUP(arena_done) = NULL;
	pa_message message = {.size = sizeof(message),
			      .kind = PA_OUT_READ_MARK,
			      .medium = channel_medium(channel),
			      .flags = PA_OUT_FLAG_TYPING,
			      .account = str_from(channel->config->account),
			      .phone = contact->phone,
			      .user_id = contact->user_id,
			      .reply_to = provider_id};
	pa_http_request http = {.size = sizeof(http)};
	pa_error err = ERROR_INIT;
	pa_call *call;
	pa_status status;

	if (!(channel->ops->features & PA_FEATURE_TYPING) || !provider_id.len ||
	    atomic_load(&channel->is_disabled))
		return;
	arena = arena_new(SEND_ARENA_CAP);
	if (channel->session) {
		session_mark(channel->session, &message);
		return;
	}
	call = plugin_call_begin(channel->plugin, arena, CALL_MS);
	if (!call)
		return;
	status = channel->ops->build(call_self(call), call, &message, &http, &err);
	plugin_call_end(call);
	if (status == PA_OK)
		IGNORE_STATUS(http_client_start(d->options.http, &http,
						channel->config->attempt_timeout_ms,
						on_mark_answered, NULL, &err),
			      "a mark is best effort");
}
