/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/store_parts.h"

#include "base/str.h"
#include "media/fetcher.h"

#include <string.h>

static struct turn_item *turn_at(const struct batch *batch, size_t i)
{
	return (struct turn_item *)(void *)batch->items[ITEM_TURN][i];
}

static pa_status send_fence(struct commit *c, pa_error *err)
{
	size_t count = c->batch->count[ITEM_TURN];
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *epochs = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *states = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_TURN_FENCE);

	for (size_t i = 0; i < count; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		conversations[i] = turn->conversation_id;
		epochs[i] = turn->epoch;
		states[i] = turn->sealed_state;
	}
	db_bind_int64_array(params, conversations, count);
	db_bind_int64_array(params, epochs, count);
	db_bind_bytes_array(params, states, count);
	db_bind_int64(params, c->store->node);
	db_bind_int64(params, (int64_t)count);
	return commit_send(c, params, SQL_TURN_FENCE, err);
}

/* Columns of the outbox rows of a batch of turns. */
struct outbox_rows {
	int64_t *ids, *conversations, *inbox_ids, *not_after;
	int16_t *channels, *classes, *states, *tries;
	bool *is_secret;
	pa_str *payloads;
	pa_str *what_for;
	size_t count;
};

static void add_outbox_row(struct commit *c, struct outbox_rows *rows, struct turn_item *turn,
			   size_t k)
{
	struct outbound *outbound = turn->outbounds[k];
	size_t i = rows->count++;

	outbound->at_ns = c->now_ns;
	rows->ids[i] = outbound->id;
	rows->conversations[i] = outbound->conversation;
	rows->inbox_ids[i] = turn->last_event;
	rows->not_after[i] = outbound->not_after_ns;
	rows->channels[i] = outbound->channel->number;
	rows->classes[i] = (int16_t)outbound->class;
	rows->states[i] = outbound->was_born_leaving ? OUTBOX_UNDER_WAY : OUTBOX_WAITING;
	rows->tries[i] = outbound->was_born_leaving ? 1 : 0;
	rows->is_secret[i] = outbound->is_secret;
	rows->payloads[i] = turn->payloads[k];
	rows->what_for[i] = outbound->what_for;
	commit_note(c, EVIDENCE_COMPOSED, outbound->id, outbound->was_born_leaving,
		    turn->payloads[k]);
}

static pa_status send_outbox(struct commit *c, size_t count, pa_error *err)
{
	struct outbox_rows rows = {
		.ids = ARENA_ARRAY(c->arena, int64_t, count),
		.conversations = ARENA_ARRAY(c->arena, int64_t, count),
		.inbox_ids = ARENA_ARRAY(c->arena, int64_t, count),
		.not_after = ARENA_ARRAY(c->arena, int64_t, count),
		.channels = ARENA_ARRAY(c->arena, int16_t, count),
		.classes = ARENA_ARRAY(c->arena, int16_t, count),
		.states = ARENA_ARRAY(c->arena, int16_t, count),
		.tries = ARENA_ARRAY(c->arena, int16_t, count),
		.is_secret = ARENA_ARRAY(c->arena, bool, count),
		.payloads = ARENA_ARRAY(c->arena, pa_str, count),
		.what_for = ARENA_ARRAY(c->arena, pa_str, count),
	};
	struct db_params *params = db_params_new(c->arena, SQL_OUTBOX_INSERT);

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++)
		for (size_t k = 0; k < turn_at(c->batch, i)->outbounds_count; k++)
			add_outbox_row(c, &rows, turn_at(c->batch, i), k);
	db_bind_int64_array(params, rows.ids, count);
	db_bind_time(params, c->now_ns);
	db_bind_int64_array(params, rows.conversations, count);
	db_bind_int16_array(params, rows.channels, count);
	db_bind_int16_array(params, rows.classes, count);
	db_bind_bool_array(params, rows.is_secret, count);
	db_bind_int16_array(params, rows.states, count);
	db_bind_int16_array(params, rows.tries, count);
	db_bind_int64_array(params, rows.inbox_ids, count);
	db_bind_time_array(params, rows.not_after, count);
	db_bind_bytes_array(params, rows.payloads, count);
	db_bind_text_array(params, rows.what_for, count);
	return commit_send(c, params, SQL_OUTBOX_INSERT, err);
}

static pa_status send_consumed(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	struct db_params *params = db_params_new(c->arena, SQL_WORK_DELETE);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		memcpy(ids + at, turn->consumed, turn->consumed_count * sizeof(*ids));
		at += turn->consumed_count;
	}
	db_bind_int64_array(params, ids, count);
	return commit_send(c, params, SQL_WORK_DELETE, err);
}

static pa_status send_settled(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	struct db_params *params = db_params_new(c->arena, SQL_STRAYS_SETTLE);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++)
		if (turn_at(c->batch, i)->has_strays)
			ids[at++] = turn_at(c->batch, i)->conversation_id;
	db_bind_int64_array(params, ids, count);
	return commit_send(c, params, SQL_STRAYS_SETTLE, err);
}

static pa_status send_jobs(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *channels = ARENA_ARRAY(c->arena, int16_t, count);
	int16_t *kinds = ARENA_ARRAY(c->arena, int16_t, count);
	pa_str *payloads = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_EVENT_INSERT);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		for (size_t k = 0; k < turn->out.jobs_count; k++, at++) {
			ids[at] = turn->job_ids[k];
			conversations[at] = turn->conversation_id;
			channels[at] = conversation_channel(turn->conversation_id);
			kinds[at] = INBOX_JOB;
			payloads[at] = turn->job_payloads[k];
		}
	}
	db_bind_int64_array(params, ids, count);
	db_bind_time(params, c->now_ns);
	db_bind_int64_array(params, conversations, count);
	db_bind_int16_array(params, channels, count);
	db_bind_int16_array(params, kinds, count);
	db_bind_bytes_array(params, payloads, count);
	return commit_send(c, params, SQL_EVENT_INSERT, err);
}

static pa_status send_timers(struct commit *c, size_t count, bool is_set, pa_error *err)
{
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *names = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *due = ARENA_ARRAY(c->arena, int64_t, count);
	enum sql statement = is_set ? SQL_TIMER_SET : SQL_TIMER_DELETE;
	struct db_params *params = db_params_new(c->arena, statement);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		for (size_t k = 0; k < turn->out.timers_count; k++) {
			if ((turn->out.timers[k].due_ns != 0) != is_set)
				continue;
			conversations[at] = turn->conversation_id;
			names[at] = turn->out.timers[k].name;
			due[at++] = turn->out.timers[k].due_ns;
		}
	}
	if (!at)
		return PA_OK;
	db_bind_int64_array(params, conversations, at);
	db_bind_text_array(params, names, at);
	if (is_set)
		db_bind_time_array(params, due, at);
	return commit_send(c, params, statement, err);
}

/* The k-th consent of each turn: a conversation's chain grows by one link a statement. */
static pa_status send_consents(struct commit *c, size_t k, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *contacts = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *channels = ARENA_ARRAY(c->arena, int16_t, count);
	pa_str *purposes = ARENA_ARRAY(c->arena, pa_str, count);
	pa_str *actions = ARENA_ARRAY(c->arena, pa_str, count);
	pa_str *versions = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *questions = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *answers = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *words = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_CONSENT_INSERT);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		if (turn->out.consents_count <= k)
			continue;
		ids[at] = turn->consent_ids[k];
		contacts[at] = conversation_contact(turn->conversation_id);
		channels[at] = conversation_channel(turn->conversation_id);
		purposes[at] = turn->out.consents[k].purpose;
		actions[at] = turn->out.consents[k].action;
		versions[at] = turn->out.consents[k].text_version;
		questions[at] = turn->out.consents[k].question;
		answers[at] = turn->last_event;
		words[at] = turn->consent_words[k];
		commit_note(c, EVIDENCE_CONSENT, ids[at], 0, words[at]);
		at++;
	}
	db_bind_int64_array(params, ids, at);
	db_bind_time(params, c->now_ns);
	db_bind_int64_array(params, contacts, at);
	db_bind_int16_array(params, channels, at);
	db_bind_text_array(params, purposes, at);
	db_bind_text_array(params, actions, at);
	db_bind_text_array(params, versions, at);
	db_bind_int64_array(params, questions, at);
	db_bind_int64_array(params, answers, at);
	db_bind_bytes_array(params, words, at);
	return commit_send(c, params, SQL_CONSENT_INSERT, err);
}

static pa_status send_all_consents(struct commit *c, pa_error *err)
{
	pa_status status = PA_OK;

	for (size_t k = 0; status == PA_OK; k++) {
		size_t count = 0;

		for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++)
			count += turn_at(c->batch, i)->out.consents_count > k;
		if (!count)
			break;
		status = send_consents(c, k, count, err);
	}
	return status;
}

static pa_status send_cases(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *numbers = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *inbox_ids = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *kinds = ARENA_ARRAY(c->arena, pa_str, count);
	int64_t *due = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *summaries = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_CASE_INSERT);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		for (size_t k = 0; k < turn->out.cases_count; k++, at++) {
			ids[at] = turn->case_ids[k];
			numbers[at] = turn->out.cases[k].number;
			conversations[at] = turn->conversation_id;
			inbox_ids[at] = turn->last_event;
			kinds[at] = turn->out.cases[k].kind;
			due[at] = turn->out.cases[k].due_ns;
			summaries[at] = turn->case_summaries[k];
			commit_note(c, EVIDENCE_CASE, ids[at], 0, summaries[at]);
		}
	}
	db_bind_int64_array(params, ids, count);
	db_bind_time(params, c->now_ns);
	db_bind_text_array(params, numbers, count);
	db_bind_int64_array(params, conversations, count);
	db_bind_int64_array(params, inbox_ids, count);
	db_bind_text_array(params, kinds, count);
	db_bind_time_array(params, due, count);
	db_bind_bytes_array(params, summaries, count);
	return commit_send(c, params, SQL_CASE_INSERT, err);
}

static pa_status send_files(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *conversations = ARENA_ARRAY(c->arena, int64_t, count);
	int64_t *inbox_ids = ARENA_ARRAY(c->arena, int64_t, count);
	int16_t *channels = ARENA_ARRAY(c->arena, int16_t, count);
	int64_t *expire = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *claims = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_FILE_INSERT);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		for (size_t k = 0; k < turn->files_count; k++, at++) {
			ids[at] = turn->files[k].id;
			conversations[at] = turn->conversation_id;
			inbox_ids[at] = turn->files[k].inbox_id;
			channels[at] = conversation_channel(turn->conversation_id);
			expire[at] = c->now_ns + FILE_LIFE_NS;
			claims[at] = turn->files[k].claim;
		}
	}
	db_bind_int64_array(params, ids, count);
	db_bind_time(params, c->now_ns);
	db_bind_int64_array(params, conversations, count);
	db_bind_int64_array(params, inbox_ids, count);
	db_bind_int16_array(params, channels, count);
	db_bind_time_array(params, expire, count);
	db_bind_bytes_array(params, claims, count);
	return commit_send(c, params, SQL_FILE_INSERT, err);
}

static pa_status send_redactions(struct commit *c, size_t count, pa_error *err)
{
	int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
	pa_str *payloads = ARENA_ARRAY(c->arena, pa_str, count);
	struct db_params *params = db_params_new(c->arena, SQL_INBOX_REDACT);
	size_t at = 0;

	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		for (size_t k = 0; k < turn->redacted_count; k++, at++) {
			ids[at] = turn->redacted_ids[k];
			payloads[at] = turn->redacted_payloads[k];
		}
	}
	db_bind_int64_array(params, ids, count);
	db_bind_bytes_array(params, payloads, count);
	return commit_send(c, params, SQL_INBOX_REDACT, err);
}

static pa_status send_locks(struct commit *c, pa_error *err)
{
	size_t turns = c->batch->count[ITEM_TURN];
	pa_str *persons = ARENA_ARRAY(c->arena, pa_str, turns);
	int64_t *until = ARENA_ARRAY(c->arena, int64_t, turns);
	struct db_params *params;
	size_t count = 0;

	for (size_t i = 0; i < turns; i++) {
		const struct turn_out *out = &turn_at(c->batch, i)->out;
		size_t at = 0;

		if (!out->lock_person.ptr)
			continue;
		while (at < count && !str_equal(persons[at], out->lock_person))
			at++;
		persons[at] = out->lock_person;
		if (at == count)
			until[count++] = out->lock_until_ns;
		else if (out->lock_until_ns > until[at])
			until[at] = out->lock_until_ns;
	}
	if (!count)
		return PA_OK;
	params = db_params_new(c->arena, SQL_PERSON_LOCK_SET);
	db_bind_bytes_array(params, persons, count);
	db_bind_time_array(params, until, count);
	return commit_send(c, params, SQL_PERSON_LOCK_SET, err);
}

static void note_fact(struct commit *c, const struct turn_item *turn)
{
	if (!turn->out.fact)
		return;
	evidence_add(&c->evidence, &(struct evidence){.kind = EVIDENCE_FACT,
						      .id = turn->last_event,
						      .at_ns = c->now_ns,
						      .text = str_from(turn->out.fact)});
	c->entries++;
}

pa_status store_send_turns(struct commit *c, pa_error *err)
{
	size_t outbounds = 0, consumed = 0, jobs = 0, timers = 0, cases = 0, redactions = 0,
	       strays = 0, files = 0;
	pa_status status;

	if (!c->batch->count[ITEM_TURN])
		return PA_OK;
	status = send_fence(c, err);
	for (size_t i = 0; i < c->batch->count[ITEM_TURN]; i++) {
		struct turn_item *turn = turn_at(c->batch, i);

		outbounds += turn->outbounds_count;
		consumed += turn->consumed_count;
		jobs += turn->out.jobs_count;
		timers += turn->out.timers_count;
		cases += turn->out.cases_count;
		redactions += turn->redacted_count;
		strays += turn->has_strays;
		files += turn->files_count;
		note_fact(c, turn);
	}
	if (status == PA_OK)
		status = send_all_consents(c, err);
	if (status == PA_OK)
		status = send_locks(c, err);
	if (status == PA_OK && redactions)
		status = send_redactions(c, redactions, err);
	if (status == PA_OK && outbounds)
		status = send_outbox(c, outbounds, err);
	if (status == PA_OK && consumed)
		status = send_consumed(c, consumed, err);
	if (status == PA_OK && jobs)
		status = send_jobs(c, jobs, err);
	if (status == PA_OK && strays)
		status = send_settled(c, strays, err);
	if (status == PA_OK && timers)
		status = send_timers(c, timers, true, err);
	if (status == PA_OK && timers)
		status = send_timers(c, timers, false, err);
	if (status == PA_OK && cases)
		status = send_cases(c, cases, err);
	if (status == PA_OK && files)
		status = send_files(c, files, err);
	return status;
}
