/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/dispatch_parts.h"

#include "gate/gate.h"
#include "io/clock.h"
#include "io/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECIPIENTS 16384 /* slots for how often each was written to; a power of two */
#define FILE_WAIT_NS (4 * NS_PER_S)

/* How often a person was written to, and on which channel. */
struct recipient {
	int64_t conversation;
	struct rate rate;
};

/* Something that is not a message: a receipt. */
struct receipt_note {
	struct mail mail;
	int64_t conversation;
	int64_t outbox_id;
	uint32_t status;
};

static void post_step(struct dispatch *d, struct outbound *o, enum step step)
{
	o->step = (int)step;
	mailbox_put(&d->box, &o->mail);
}

/* ---- rates ---- */

static struct rate *recipient_rate(struct dispatch *d, int64_t conversation,
				   const struct channel *channel)
{
	uint64_t hash = (uint64_t)conversation * UINT64_C(0x9e3779b97f4a7c15);
	struct recipient *slot = &d->recipients[hash >> 32 & (RECIPIENTS - 1)];

	if (slot->conversation != conversation) {
		slot->conversation = conversation;
		slot->rate = rate_make(channel->config->recipient_pause_ms * NS_PER_MS,
				       channel->config->recipient_burst);
	}
	return &slot->rate;
}

/* 0: one message of this lane may go now. Otherwise how long it must wait. */
static int64_t take_rates(struct dispatch *d, int64_t conversation, const struct channel *channel,
			  int64_t now_ns)
{
	struct rate *recipient = recipient_rate(d, conversation, channel);
	int64_t wait_ns = rate_take(recipient, now_ns);

	if (wait_ns)
		return wait_ns;
	wait_ns = rate_take(&outlet_of(d, channel)->rate, now_ns);
	if (wait_ns)
		rate_return(recipient);
	return wait_ns;
}

/* ---- the way of one message; the lock is held unless said otherwise ---- */

void dispatch_decide(struct outbound *o, enum outbox_state state, bool is_open, const char *reason)
{
	struct outcome_item *outcome = &o->outcome;
	size_t len = strnlen(reason, sizeof(o->reason) - 1);

	memmove(o->reason, reason, len);
	o->reason[len] = '\0';
	o->state = state;
	outcome->state = state;
	outcome->is_open = is_open;
	outcome->reason = (pa_str){o->reason, len};
	outcome->external = (pa_str){o->external, o->external_len};
	if (!is_open)
		meter_add(&o->channel->counts.messages[state], 1);
}

static void put_outcome(struct dispatch *d, struct outbound *o)
{
	o->is_out = true;
	writer_put(d->options.writer, &o->outcome.item);
}

static struct gate_answer ask_gate(const struct outbound *o)
{
	return gate_ask(&(struct gate_question){
		.class = o->class,
		.now_ns = clock_now_ns(),
		.not_after_ns = o->not_after_ns,
		.window_ns = o->window_ns,
		.is_template = o->kind == PA_OUT_TEMPLATE,
		.is_disabled = atomic_load(&o->channel->is_disabled),
	});
}

static void refuse(struct dispatch *d, struct outbound *o, enum gate_reason reason)
{
	d->counts.refused++;
	meter_add(&o->channel->counts.gate[reason], 1);
	dispatch_decide(o, OUTBOX_REFUSED, false, gate_words[reason]);
	put_outcome(d, o);
}

void dispatch_settle(struct outbound *o)
{
	if (o->seen_statuses & SEEN(PA_STATUS_FAILED) && !(o->seen_statuses & SEEN_ARRIVED))
		dispatch_decide(o, OUTBOX_FAILED, false, "failed, by a receipt");
	else
		dispatch_decide(o, OUTBOX_SENT, false, "settled by a receipt");
}

/* No word came on whether an attempt arrived: its class decides. Returns true if it goes again. */
static bool end_uncertainty(struct dispatch *d, struct outbound *o)
{
	if (o->class == CLASS_RESPUESTA && !o->is_secret) {
		d->counts.possible_duplicates++;
		meter_add(&o->channel->counts.repeated, 1);
		log_warning(LOG_IDS(.conversation = o->conversation, .outbox = o->id),
			    "no word on whether a reply arrived: it is sent again");
		o->state = OUTBOX_WAITING;
		return true;
	}
	d->counts.uncertain++;
	dispatch_decide(o, OUTBOX_UNCERTAIN, false,
			"no word on whether it arrived, and it must not go twice");
	put_outcome(d, o);
	return false;
}

/* When the first message of a lane may go; 0: now. */
static int64_t not_before(struct dispatch *d, const struct lane *lane, const struct outbound *o,
			  int64_t now_ns)
{
	int64_t due = o->due_ns;
	int64_t settled_ns = o->uncertain_ns + o->channel->config->uncertain_wait_ms * NS_PER_MS;
	const struct outlet *outlet = outlet_of(d, lane->channel);

	if (o->state == OUTBOX_UNCERTAIN && settled_ns > due)
		due = settled_ns;
	if (o->state != OUTBOX_UNCERTAIN && outlet->paused_until_ns > due)
		due = outlet->paused_until_ns;
	return due > now_ns ? due : 0;
}

/* Another node sends on this channel now and finds the messages in the store. */
static void drop_lane(struct dispatch *d, struct lane *lane)
{
	struct outbound *o;

	while ((o = lanes_pop(lane)))
		outbound_free(o);
	lanes_delay(&d->lanes, lane, 0);
	lanes_tidy(&d->lanes, lane);
}

static void begin_attempt(struct dispatch *d, struct outbound *o)
{
	o->is_out = true;
	o->tries++;
	writer_put(d->options.writer, &o->attempt.item);
}

static void try_lane(struct dispatch *d, struct lane *lane)
{
	int64_t now_ns = clock_monotonic_ns();
	struct outbound *o = lane->first;
	struct gate_answer gate;
	int64_t due_ns, wait_ns;

	if (!o || o->is_out || lane->is_reserved) {
		lanes_tidy(&d->lanes, lane);
		return;
	}
	if (!channel_is_leased(lane->channel)) {
		drop_lane(d, lane);
		return;
	}
	if (atomic_load(&d->is_closing) && !o->is_next) {
		lanes_delay(&d->lanes, lane, 0);
		return;
	}
	if (atomic_load(&lane->channel->is_catching_up)) {
		lanes_delay(&d->lanes, lane, 0); /* until dispatch_resume() */
		return;
	}
	if (lane->file_id && lane->due_ns > now_ns)
		return;
	if (o->state == OUTBOX_UNCERTAIN && o->seen_statuses) {
		dispatch_settle(o);
		put_outcome(d, o);
		return;
	}
	due_ns = not_before(d, lane, o, now_ns);
	if (due_ns) {
		lanes_delay(&d->lanes, lane, due_ns);
		return;
	}
	if (o->state == OUTBOX_UNCERTAIN && !end_uncertainty(d, o))
		return;
	gate = ask_gate(o);
	o->outcome.gate = str_from(gate_words[gate.reason]);
	if (gate.verdict == GATE_REFUSE) {
		refuse(d, o, gate.reason);
		return;
	}
	wait_ns = o->is_next ? 0 : take_rates(d, lane->conversation, lane->channel, now_ns);
	if (wait_ns) {
		lanes_delay(&d->lanes, lane, now_ns + wait_ns);
		return;
	}
	lanes_delay(&d->lanes, lane, 0);
	lane->file_id = 0;
	if (o->is_next) {
		o->is_out = true;
		post_step(d, o, STEP_ATTEMPT_STORED);
	} else {
		begin_attempt(d, o);
	}
}

/* Whether an attempt may begin on a channel at all. */
static bool is_open_now(struct dispatch *d, const struct channel *channel, int64_t now_ns)
{
	return channel_is_leased(channel) && !atomic_load(&channel->is_catching_up) &&
	       !atomic_load(&channel->is_disabled) && !atomic_load(&d->is_closing) &&
	       outlet_of(d, channel)->paused_until_ns <= now_ns;
}

void dispatch_follow(struct dispatch *d, const struct outbound *o)
{
	struct outbound *next = o->next;
	int64_t now_ns = clock_monotonic_ns();

	if (o->state != OUTBOX_SENT || o->kind == PA_OUT_DOCUMENT || !next || next->is_out ||
	    next->is_next || next->state != OUTBOX_WAITING || next->due_ns > now_ns ||
	    !is_open_now(d, next->channel, now_ns) || ask_gate(next).verdict != GATE_SEND)
		return;
	if (!take_rates(d, next->conversation, next->channel, now_ns))
		begin_attempt(d, next);
}

/* ---- what comes to the thread ---- */

/* The way was kept free for it. False if it does not leave at once: the gate closed meanwhile, or a
 * sweep found an older message, which goes first. */
static bool enter_reserved(struct dispatch *d, struct lane *lane, struct outbound *o)
{
	struct gate_answer gate = ask_gate(o);

	lanes_insert(lane, o);
	lane->is_reserved = false;
	o->outcome.gate = str_from(gate_words[gate.reason]);
	if (lane->first != o) {
		o->is_next = true;
		try_lane(d, lane);
		return false;
	}
	o->is_out = true;
	if (gate.verdict != GATE_REFUSE)
		return true;
	refuse(d, o, gate.reason);
	return false;
}

/* Whether a sweep has found the message as well. Of one that is to leave at once it knows less. */
static bool is_in_hand(struct lane *lane, const struct outbound *o)
{
	struct outbound *found = lanes_message(lane, o->id);

	if (!found || !o->was_born_leaving || found->is_out)
		return found;
	lanes_remove(lane, found);
	outbound_free(found);
	return false;
}

static void on_push(struct dispatch *d, struct outbound *o)
{
	struct lane *lane;
	bool goes_now = false;

	pthread_mutex_lock(&d->lock);
	lane = lanes_find(&d->lanes, o->conversation, o->channel);
	lane->coming--;
	if (is_in_hand(lane, o)) {
		pthread_mutex_unlock(&d->lock);
		outbound_free(o);
		return;
	}
	if (o->was_born_leaving && lane->is_reserved && channel_is_leased(o->channel)) {
		goes_now = enter_reserved(d, lane, o);
	} else {
		if (o->was_born_leaving) /* the lease ran out during the commit */
			lane->is_reserved = false;
		lanes_insert(lane, o);
		try_lane(d, lane);
	}
	pthread_mutex_unlock(&d->lock);
	if (goes_now)
		dispatch_send(d, o);
}

/* What is done with a message is done: it leaves its lane. */
static void close_outbound(struct dispatch *d, struct lane *lane, struct outbound *o)
{
	lanes_remove(lane, o);
	if (o->state == OUTBOX_SENT && o->kind == PA_OUT_DOCUMENT &&
	    !(o->seen_statuses & ~SEEN(PA_STATUS_SENT))) {
		lane->file_id = o->id;
		lanes_delay(&d->lanes, lane, clock_monotonic_ns() + FILE_WAIT_NS);
	}
}

static void on_outcome_stored(struct dispatch *d, struct outbound *o)
{
	struct lane *lane;
	bool is_done = !o->outcome.is_open;

	pthread_mutex_lock(&d->lock);
	lane = lanes_find(&d->lanes, o->conversation, o->channel);
	o->is_out = false;
	if (is_done)
		close_outbound(d, lane, o);
	try_lane(d, lane);
	pthread_mutex_unlock(&d->lock);
	if (is_done)
		outbound_free(o);
}

/* The message is done by now, or another node's. */
static void on_attempt_denied(struct dispatch *d, struct outbound *o)
{
	struct lane *lane;

	pthread_mutex_lock(&d->lock);
	lane = lanes_find(&d->lanes, o->conversation, o->channel);
	lanes_remove(lane, o);
	try_lane(d, lane);
	pthread_mutex_unlock(&d->lock);
	outbound_free(o);
}

/* The outcome of the message before it is stored too, or will be: then it leaves. If the commit
 * took so long that another node sends on the channel now, that one finds the attempt and weighs
 * it. */
static void on_attempt_stored(struct dispatch *d, struct outbound *o)
{
	bool is_next;

	if (!channel_is_leased(o->channel)) {
		on_attempt_denied(d, o);
		return;
	}
	pthread_mutex_lock(&d->lock);
	is_next = lanes_find(&d->lanes, o->conversation, o->channel)->first != o;
	o->is_next = is_next;
	o->is_out = !is_next;
	pthread_mutex_unlock(&d->lock);
	if (!is_next)
		dispatch_send(d, o);
}

static void on_receipt(struct dispatch *d, const struct receipt_note *note)
{
	struct outbound *o;
	struct lane *lane;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->options.channels->count; i++) {
		lane = lanes_find(&d->lanes, note->conversation, &d->options.channels->list[i]);
		if (!lane)
			continue;
		if (lane->file_id == note->outbox_id && note->status != PA_STATUS_SENT) {
			lane->file_id = 0;
			lanes_delay(&d->lanes, lane, 0);
			try_lane(d, lane);
		} else if ((o = lanes_message(lane, note->outbox_id))) {
			o->seen_statuses |= SEEN(note->status);
			if (o->state == OUTBOX_UNCERTAIN)
				try_lane(d, lane);
		}
	}
	pthread_mutex_unlock(&d->lock);
}

static void on_step(struct dispatch *d, struct outbound *o)
{
	switch ((enum step)o->step) {
	case STEP_PUSH:
		on_push(d, o);
		return;
	case STEP_ATTEMPT_STORED:
		on_attempt_stored(d, o);
		return;
	case STEP_SEND_AGAIN:
		dispatch_send(d, o);
		return;
	case STEP_ATTEMPT_DENIED:
		on_attempt_denied(d, o);
		return;
	case STEP_OUTCOME_STORED:
		on_outcome_stored(d, o);
		return;
	}
	abort();
}

static void run_due(struct dispatch *d)
{
	struct lane *lane;

	pthread_mutex_lock(&d->lock);
	while ((lane = lanes_due(&d->lanes, clock_monotonic_ns()))) {
		lane->file_id = 0;
		try_lane(d, lane);
	}
	pthread_mutex_unlock(&d->lock);
}

static int64_t next_due(struct dispatch *d)
{
	int64_t due;

	pthread_mutex_lock(&d->lock);
	due = lanes_next_due(&d->lanes);
	pthread_mutex_unlock(&d->lock);
	return due;
}

static void *dispatch_main(void *arg)
{
	struct dispatch *d = arg;

	while (!atomic_load(&d->is_stopping)) {
		struct mail *mail = mailbox_take(&d->box, next_due(d));

		while (mail) {
			struct outbound *o = (struct outbound *)(void *)mail;

			mail = mail->next;
			on_step(d, o);
		}
		mail = mailbox_take(&d->receipts, 0);
		while (mail) {
			struct receipt_note *note = (struct receipt_note *)(void *)mail;

			mail = mail->next;
			on_receipt(d, note);
			free(note);
		}
		run_due(d);
	}
	return NULL;
}

/* ---- the door ---- */

bool dispatch_reserve(struct dispatch *d, int64_t conversation, struct channel *channel)
{
	int64_t now_ns = clock_monotonic_ns();
	bool is_free;

	pthread_mutex_lock(&d->lock);
	is_free = is_open_now(d, channel, now_ns) &&
		  !lanes_find(&d->lanes, conversation, channel) &&
		  take_rates(d, conversation, channel, now_ns) == 0;
	if (is_free)
		lanes_get(&d->lanes, conversation, channel)->is_reserved = true;
	pthread_mutex_unlock(&d->lock);
	return is_free;
}

void dispatch_release(struct dispatch *d, int64_t conversation, struct channel *channel)
{
	struct lane *lane;
	int64_t due_ns;

	pthread_mutex_lock(&d->lock);
	rate_return(recipient_rate(d, conversation, channel));
	rate_return(&outlet_of(d, channel)->rate);
	lane = lanes_find(&d->lanes, conversation, channel);
	due_ns = lanes_next_due(&d->lanes);
	if (lane && lane->is_reserved) {
		lane->is_reserved = false;
		try_lane(d, lane);
	}
	if (lanes_next_due(&d->lanes) < due_ns) /* until when the dispatcher sleeps */
		mailbox_poke(&d->box);
	pthread_mutex_unlock(&d->lock);
}

void dispatch_push(struct dispatch *d, struct outbound *o)
{
	/* Another node sends on this channel: it finds the message in the store. */
	if (!o->was_born_leaving && !channel_is_leased(o->channel)) {
		outbound_free(o);
		return;
	}
	/* From now on nobody finds the way free. */
	pthread_mutex_lock(&d->lock);
	lanes_get(&d->lanes, o->conversation, o->channel)->coming++;
	pthread_mutex_unlock(&d->lock);
	post_step(d, o, STEP_PUSH);
}

void dispatch_resume(struct dispatch *d)
{
	pthread_mutex_lock(&d->lock);
	lanes_wake(&d->lanes);
	pthread_mutex_unlock(&d->lock);
	mailbox_poke(&d->box);
}

void dispatch_renewed(struct dispatch *d, struct channel *channel)
{
	struct outlet *outlet = outlet_of(d, channel);

	pthread_mutex_lock(&d->lock);
	outlet->paused_until_ns = 0;
	outlet->pause_level = outlet->failures = 0;
	atomic_store(&channel->sick_until_ns, 0);
	lanes_hurry(&d->lanes, channel);
	pthread_mutex_unlock(&d->lock);
	mailbox_poke(&d->box);
}

void dispatch_forget(struct dispatch *d, const struct channel *channel)
{
	pthread_mutex_lock(&d->lock);
	lanes_forget(&d->lanes, channel);
	pthread_mutex_unlock(&d->lock);
}

void dispatch_attempt_stored(struct dispatch *d, struct outbound *o, bool may_go)
{
	post_step(d, o, may_go ? STEP_ATTEMPT_STORED : STEP_ATTEMPT_DENIED);
}

void dispatch_outcome_stored(struct dispatch *d, struct outbound *o)
{
	post_step(d, o, STEP_OUTCOME_STORED);
}

void dispatch_receipt(struct dispatch *d, int64_t conversation, int64_t outbox_id, uint32_t status)
{
	struct receipt_note *note;
	bool is_awaited = false;

	/* Most receipts are for messages that nobody waits for any more. */
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->options.channels->count && !is_awaited; i++)
		is_awaited = lanes_find(&d->lanes, conversation, &d->options.channels->list[i]);
	pthread_mutex_unlock(&d->lock);
	if (!is_awaited)
		return;
	note = calloc(1, sizeof(*note));
	if (!note)
		abort();
	note->conversation = conversation;
	note->outbox_id = outbox_id;
	note->status = status;
	mailbox_put(&d->receipts, &note->mail);
	mailbox_poke(&d->box);
}

bool dispatch_has(struct dispatch *d, int64_t conversation, const struct channel *channel,
		  int64_t outbox_id)
{
	struct lane *lane;
	bool has = false;

	pthread_mutex_lock(&d->lock);
	lane = lanes_find(&d->lanes, conversation, channel);
	if (lane) {
		has = lane->is_reserved || lane->file_id == outbox_id ||
		      lanes_message(lane, outbox_id);
	}
	pthread_mutex_unlock(&d->lock);
	return has;
}

struct dispatch_counts dispatch_counts(struct dispatch *d)
{
	struct dispatch_counts counts;

	pthread_mutex_lock(&d->lock);
	counts = d->counts;
	counts.waiting = d->lanes.count;
	pthread_mutex_unlock(&d->lock);
	return counts;
}

struct outlet_report dispatch_outlet(struct dispatch *d, const struct channel *channel)
{
	const struct outlet *outlet = outlet_of(d, channel);
	int64_t now_ns = clock_monotonic_ns();
	struct outlet_report report;

	pthread_mutex_lock(&d->lock);
	report = outlet->report;
	if (outlet->paused_until_ns > now_ns)
		report.paused_ms = (outlet->paused_until_ns - now_ns) / NS_PER_MS + 1;
	pthread_mutex_unlock(&d->lock);
	return report;
}

/* ---- life ---- */

struct dispatch *dispatch_new(const struct dispatch_options *options)
{
	struct dispatch *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->options = *options;
	d->outlets = calloc(options->channels->count, sizeof(*d->outlets));
	d->recipients = calloc(RECIPIENTS, sizeof(*d->recipients));
	if (!d->outlets || !d->recipients)
		abort();
	for (size_t i = 0; i < options->channels->count; i++) {
		double rate = options->channels->list[i].config->rate;

		d->outlets[i].rate =
			rate_make((int64_t)((double)NS_PER_S / rate), rate < 1 ? 1 : (int64_t)rate);
	}
	pthread_mutex_init(&d->lock, NULL);
	mailbox_init(&d->box);
	mailbox_init(&d->receipts);
	if (pthread_create(&d->thread, NULL, dispatch_main, d) != 0)
		abort();
	pthread_setname_np(d->thread, "dispatcher");
	return d;
}

size_t dispatch_under_way(struct dispatch *d)
{
	size_t count;

	pthread_mutex_lock(&d->lock);
	count = lanes_under_way(&d->lanes);
	pthread_mutex_unlock(&d->lock);
	return count;
}

void dispatch_hold(struct dispatch *d, bool is_held)
{
	atomic_store(&d->is_closing, is_held);
	if (!is_held)
		dispatch_resume(d);
}

void dispatch_stop(struct dispatch *d, int64_t until_ns)
{
	const struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};

	atomic_store(&d->is_closing, true);
	while (dispatch_under_way(d) && clock_monotonic_ns() < until_ns)
		nanosleep(&pause, NULL);
	atomic_store(&d->is_stopping, true);
	mailbox_poke(&d->box);
	pthread_join(d->thread, NULL);
}

void dispatch_free(struct dispatch *d)
{
	struct mail *mail;

	if (!d)
		return;
	/* Pushed and not yet in a lane; everything else lies in lanes. */
	mail = mailbox_take(&d->box, 0);
	while (mail) {
		struct outbound *o = (struct outbound *)(void *)mail;

		mail = mail->next;
		if (o->step == STEP_PUSH)
			outbound_free(o);
	}
	mail = mailbox_take(&d->receipts, 0);
	while (mail) {
		struct mail *next = mail->next;

		free(mail);
		mail = next;
	}
	lanes_done(&d->lanes);
	mailbox_done(&d->box);
	mailbox_done(&d->receipts);
	pthread_mutex_destroy(&d->lock);
	free(d->outlets);
	free(d->recipients);
	free(d);
}
