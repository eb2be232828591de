/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/state.h"

#include "base/pack.h"
#include "base/str.h"
#include "flow/turn.h"

#include <string.h>

#define STATE_BYTES_MAX ((size_t)256 << 10)

enum field {
	F_SET_VERSION = 1,
	F_WAITING,
	F_MARK,
	F_PAGE,
	F_MISSES_FORMAT,
	F_MISSES_MEANING,
	F_MISSES_KIND,
	F_FRAME,
	F_MEMORY,
	F_WISH,
	F_PICK,
	F_CONSENT_VERSION,
	F_CONSENT_AT,
	F_CONSENT_REFUSED,
	F_IDENTITY,
	F_PARKED_FLOW,
	F_PARKED_AT,
	F_DRAFT_FLOW,
	F_DRAFT_STEP,
	F_DRAFT_AT,
	F_DRAFT_MEMORY,
	F_CASE,
	F_CARE_FLOW,
	F_GREETED,
	F_LAST_IN,
	F_REMINDER_DUE,
	F_FLOOD_SINCE,
	F_FLOOD_COUNT,
	F_FLOODED,
	F_LATE_SAID,
	F_REMINDED,
	F_TAPPED_MARK,
	F_TAPPED_OPTION,
	F_TAPPED_AT,
	F_UNLIKELY,
	F_GROUP_TOLD,
	F_LAST_WISH,
	F_OPENING_TOLD,
	F_ASKED_HASH,
	F_ASKED_AT,
	F_AMOUNT_DOUBT,
	F_QUESTION,
	F_FLOOD_LAST,
	F_FLOOD_HEARD,
	F_COUNT,
};

enum { FRAME_FLOW = 1, FRAME_STEP, FRAME_HISTORY };
enum { MEMORY_NAME = 1, MEMORY_VALUE };
enum { CASE_NUMBER = 1, CASE_KIND, CASE_DUE, CASE_ADDITIONS, CASE_WITHDRAWN, CASE_AT };

void state_init(struct state *state)
{
	*state = (struct state){
		.parked_flow = NOWHERE,
		.draft_flow = NOWHERE,
		.draft_step = NOWHERE,
		.last_wish = NOWHERE,
		.care_flow = NOWHERE,
	};
}

/* ---- memory ---- */

pa_str state_recall(const struct state *state, pa_str name)
{
	for (size_t i = 0; i < state->memory_count; i++)
		if (str_equal(state->memory[i].name, name))
			return state->memory[i].value;
	return PA_STR_ABSENT;
}

void state_remember(struct state *state, pa_str name, pa_str value)
{
	size_t i = 0;

	value = str_slice(value, 0, MEMORY_VALUE_MAX);
	while (i < state->memory_count && !str_equal(state->memory[i].name, name))
		i++;
	if (!value.ptr) {
		if (i < state->memory_count)
			state->memory[i] = state->memory[--state->memory_count];
		return;
	}
	if (i == MEMORY_MAX)
		i = MEMORY_MAX - 1; /* the check bounds the names; only a foreign state gets here */
	if (i == state->memory_count)
		state->memory_count++;
	state->memory[i] = (struct memory){name, value};
}

static void pack_memory(struct buf *buf, const struct state *state)
{
	for (size_t i = 0; i < state->memory_count; i++) {
		size_t begin = pack_begin(buf, F_MEMORY);

		pack_str(buf, MEMORY_NAME, state->memory[i].name);
		pack_str(buf, MEMORY_VALUE, state->memory[i].value);
		pack_end(buf, begin);
	}
}

static bool read_memory(pa_str bytes, struct state *state)
{
	struct unpack in = unpack_from(bytes);
	struct memory memory = {0};

	while (unpack_next(&in)) {
		if (in.field == MEMORY_NAME)
			memory.name = in.str;
		if (in.field == MEMORY_VALUE)
			memory.value = in.str;
	}
	if (memory.name.ptr && memory.value.ptr)
		state_remember(state, memory.name, memory.value);
	return !in.is_broken;
}

pa_str state_pack_memory(struct arena *arena, const struct state *state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(STATE_BYTES_MAX);

	pack_memory(&buf, state);
	return arena_copy(arena, buf_str(&buf));
}

bool state_unpack_memory(pa_str bytes, struct state *state)
{
	struct unpack in = unpack_from(bytes);

	state->memory_count = 0;
	while (unpack_next(&in))
		if (in.field == F_MEMORY && !read_memory(in.str, state))
			return false;
	return !in.is_broken;
}

/* ---- frames ---- */

static pa_str flow_name(const struct flow_set *set, int flow)
{
	return flow >= 0 ? set->flows[flow].name : PA_STR_ABSENT;
}

static pa_str step_name(const struct flow_set *set, int flow, int step)
{
	return flow >= 0 && step >= 0 ? set->flows[flow].steps[step].name : PA_STR_ABSENT;
}

static void pack_frame(struct buf *buf, const struct flow_set *set, const struct frame *frame)
{
	size_t begin = pack_begin(buf, F_FRAME);

	pack_str(buf, FRAME_FLOW, flow_name(set, frame->flow));
	pack_str(buf, FRAME_STEP, step_name(set, frame->flow, frame->step));
	for (size_t i = 0; i < frame->history_count; i++)
		pack_str(buf, FRAME_HISTORY, step_name(set, frame->flow, frame->history[i]));
	pack_end(buf, begin);
}

static void read_frame_field(const struct unpack *in, const struct flow_set *set,
			     struct frame *frame)
{
	int step;

	if (in->field == FRAME_FLOW)
		frame->flow = set_find_flow(set, in->str);
	if (frame->flow == NOWHERE || in->field == FRAME_FLOW)
		return;
	step = flow_find_step(&set->flows[frame->flow], in->str);
	if (in->field == FRAME_STEP)
		frame->step = step;
	if (in->field == FRAME_HISTORY && step != NOWHERE && frame->history_count < HISTORY_MAX)
		frame->history[frame->history_count++] = step;
}

static bool read_frame(pa_str bytes, const struct flow_set *set, struct state *state)
{
	struct unpack in = unpack_from(bytes);
	struct frame frame = {.flow = NOWHERE, .step = NOWHERE};

	while (unpack_next(&in))
		read_frame_field(&in, set, &frame);
	if (frame.flow == NOWHERE || frame.step == NOWHERE)
		state->has_lost_flow = true;
	else if (state->depth < FRAMES_MAX)
		state->frames[state->depth++] = frame;
	return !in.is_broken;
}

/* ---- cases ---- */

static void pack_cases(struct buf *buf, const struct state *state)
{
	for (size_t i = 0; i < state->cases_count; i++) {
		size_t begin = pack_begin(buf, F_CASE);

		pack_str(buf, CASE_NUMBER, state->cases[i].number);
		pack_str(buf, CASE_KIND, state->cases[i].kind);
		pack_int(buf, CASE_DUE, state->cases[i].due_ns);
		pack_int(buf, CASE_ADDITIONS, state->cases[i].additions);
		pack_int(buf, CASE_AT, state->cases[i].at_ns);
		pack_int(buf, CASE_WITHDRAWN, state->cases[i].is_withdrawn);
		pack_end(buf, begin);
	}
}

static bool read_case(pa_str bytes, struct state *state)
{
	struct unpack in = unpack_from(bytes);
	struct open_case one = {0};

	while (unpack_next(&in)) {
		if (in.field == CASE_NUMBER)
			one.number = in.str;
		if (in.field == CASE_KIND)
			one.kind = in.str;
		if (in.field == CASE_DUE)
			one.due_ns = in.integer;
		if (in.field == CASE_ADDITIONS)
			one.additions = in.integer;
		if (in.field == CASE_AT)
			one.at_ns = in.integer;
		if (in.field == CASE_WITHDRAWN)
			one.is_withdrawn = in.integer != 0;
	}
	if (one.number.ptr && one.kind.ptr && state->cases_count < CASES_KEPT)
		state->cases[state->cases_count++] = one;
	return !in.is_broken;
}

/* ---- the whole ---- */

static void pack_lists(struct buf *buf, const struct flow_set *set, const struct state *state)
{
	for (size_t i = 0; i < state->depth; i++)
		pack_frame(buf, set, &state->frames[i]);
	pack_memory(buf, state);
	for (size_t i = 0; i < state->wishes_count; i++)
		pack_str(buf, F_WISH, flow_name(set, state->wishes[i]));
	for (size_t i = 0; i < state->picks_count; i++)
		pack_str(buf, F_PICK, flow_name(set, state->picks[i]));
}

static void pack_rest(struct buf *buf, const struct flow_set *set, const struct state *state)
{
	size_t begin = pack_begin(buf, F_IDENTITY);

	identity_pack(buf, &state->identity);
	pack_end(buf, begin);
	pack_int(buf, F_CONSENT_VERSION, state->consent.version);
	pack_int(buf, F_CONSENT_AT, state->consent.at_ns);
	pack_int(buf, F_CONSENT_REFUSED, state->consent.is_refused);
	pack_str(buf, F_PARKED_FLOW, flow_name(set, state->parked_flow));
	pack_int(buf, F_PARKED_AT, state->parked_at_ns);
	pack_str(buf, F_DRAFT_FLOW, flow_name(set, state->draft_flow));
	pack_str(buf, F_DRAFT_STEP, step_name(set, state->draft_flow, state->draft_step));
	pack_int(buf, F_DRAFT_AT, state->draft_at_ns);
	pack_str(buf, F_DRAFT_MEMORY, state->draft_memory);
	pack_str(buf, F_CARE_FLOW, flow_name(set, state->care_flow));
	pack_cases(buf, state);
	pack_str(buf, F_TAPPED_OPTION, state->tapped_option);
	pack_str(buf, F_UNLIKELY, state->unlikely_document);
	pack_str(buf, F_LAST_WISH, flow_name(set, state->last_wish));
}

pa_str state_pack(struct arena *arena, const struct flow_set *set, const struct state *state)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(STATE_BYTES_MAX);

	pack_int(&buf, F_SET_VERSION, state->waiting == WAIT_NOTHING ? 0 : (int64_t)set->version);
	pack_int(&buf, F_WAITING, state->waiting);
	pack_int(&buf, F_MARK, state->mark);
	pack_int(&buf, F_PAGE, state->page);
	pack_int(&buf, F_MISSES_FORMAT, state->misses_format);
	pack_int(&buf, F_MISSES_MEANING, state->misses_meaning);
	pack_int(&buf, F_MISSES_KIND, state->misses_kind);
	pack_int(&buf, F_GREETED, state->is_greeted);
	pack_int(&buf, F_LAST_IN, state->last_in_ns);
	pack_int(&buf, F_REMINDER_DUE, state->reminder_due_ns);
	pack_int(&buf, F_FLOOD_SINCE, state->flood_since_ns);
	pack_int(&buf, F_FLOOD_COUNT, state->flood_count);
	pack_int(&buf, F_FLOOD_LAST, state->flood_last_ns);
	pack_int(&buf, F_FLOOD_HEARD, state->flood_heard);
	pack_int(&buf, F_FLOODED, state->is_flooded);
	pack_int(&buf, F_LATE_SAID, state->is_late_said);
	pack_int(&buf, F_REMINDED, state->is_reminded);
	pack_int(&buf, F_TAPPED_MARK, state->tapped_mark);
	pack_int(&buf, F_TAPPED_AT, state->tapped_at_ns);
	pack_int(&buf, F_GROUP_TOLD, state->was_group_told);
	pack_int(&buf, F_OPENING_TOLD, state->opening_told_ns);
	pack_int(&buf, F_ASKED_HASH, state->asked_hash);
	pack_int(&buf, F_ASKED_AT, state->asked_at_ns);
	pack_int(&buf, F_AMOUNT_DOUBT, state->amount_doubt);
	pack_int(&buf, F_QUESTION, state->question_outbox);
	pack_lists(&buf, set, state);
	pack_rest(&buf, set, state);
	return arena_copy(arena, buf_str(&buf));
}

/* Of two values of a field the last one counts, so it is written behind all that is there. */
pa_str turn_state_with_question(struct arena *arena, pa_str state, int64_t outbox_id)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(STATE_BYTES_MAX + 32);

	buf_add(&buf, state);
	pack_int(&buf, F_QUESTION, outbox_id);
	return arena_copy(arena, buf_str(&buf));
}

static void read_integer(struct state *to, uint32_t field, int64_t value)
{
	int64_t *const places[F_COUNT] = {
		[F_MARK] = &to->mark,
		[F_PAGE] = &to->page,
		[F_MISSES_FORMAT] = &to->misses_format,
		[F_MISSES_MEANING] = &to->misses_meaning,
		[F_MISSES_KIND] = &to->misses_kind,
		[F_CONSENT_VERSION] = &to->consent.version,
		[F_CONSENT_AT] = &to->consent.at_ns,
		[F_PARKED_AT] = &to->parked_at_ns,
		[F_DRAFT_AT] = &to->draft_at_ns,
		[F_LAST_IN] = &to->last_in_ns,
		[F_REMINDER_DUE] = &to->reminder_due_ns,
		[F_FLOOD_SINCE] = &to->flood_since_ns,
		[F_FLOOD_COUNT] = &to->flood_count,
		[F_FLOOD_LAST] = &to->flood_last_ns,
		[F_FLOOD_HEARD] = &to->flood_heard,
		[F_TAPPED_MARK] = &to->tapped_mark,
		[F_TAPPED_AT] = &to->tapped_at_ns,
		[F_OPENING_TOLD] = &to->opening_told_ns,
		[F_ASKED_HASH] = &to->asked_hash,
		[F_ASKED_AT] = &to->asked_at_ns,
		[F_AMOUNT_DOUBT] = &to->amount_doubt,
		[F_QUESTION] = &to->question_outbox,
	};
	bool *const flags[F_COUNT] = {
		[F_CONSENT_REFUSED] = &to->consent.is_refused,
		[F_GREETED] = &to->is_greeted,
		[F_FLOODED] = &to->is_flooded,
		[F_LATE_SAID] = &to->is_late_said,
		[F_REMINDED] = &to->is_reminded,
		[F_GROUP_TOLD] = &to->was_group_told,
	};

	if (field < F_COUNT && places[field])
		*places[field] = value;
	if (field < F_COUNT && flags[field])
		*flags[field] = value != 0;
	if (field == F_SET_VERSION)
		to->set_version = (uint64_t)value;
	if (field == F_WAITING && value > WAIT_NOTHING && value < WAIT_COUNT)
		to->waiting = (enum waiting)value;
}

static void read_flow_into(pa_str name, const struct flow_set *set, int *list, size_t *count,
			   size_t room)
{
	int flow = set_find_flow(set, name);

	if (flow != NOWHERE && *count < room)
		list[(*count)++] = flow;
}

static bool read_slice(struct state *to, uint32_t field, pa_str value, const struct flow_set *set)
{
	switch (field) {
	case F_FRAME:
		return read_frame(value, set, to);
	case F_MEMORY:
		return read_memory(value, to);
	case F_IDENTITY:
		return identity_unpack(value, &to->identity);
	case F_WISH:
		read_flow_into(value, set, to->wishes, &to->wishes_count, WISHES_MAX);
		break;
	case F_PICK:
		read_flow_into(value, set, to->picks, &to->picks_count, PICKS_MAX);
		break;
	case F_PARKED_FLOW:
		to->parked_flow = set_find_flow(set, value);
		break;
	case F_LAST_WISH:
		to->last_wish = set_find_flow(set, value);
		break;
	case F_DRAFT_FLOW:
		to->draft_flow = set_find_flow(set, value);
		break;
	case F_DRAFT_STEP:
		if (to->draft_flow != NOWHERE)
			to->draft_step = flow_find_step(&set->flows[to->draft_flow], value);
		break;
	case F_DRAFT_MEMORY:
		to->draft_memory = value;
		break;
	case F_CASE:
		return read_case(value, to);
	case F_CARE_FLOW:
		to->care_flow = set_find_flow(set, value);
		break;
	case F_TAPPED_OPTION:
		to->tapped_option = value;
		break;
	case F_UNLIKELY:
		to->unlikely_document = value;
		break;
	default: /* written by another release */
		break;
	}
	return true;
}

bool state_unpack(pa_str bytes, const struct flow_set *set, struct state *ret)
{
	struct unpack in = unpack_from(bytes);

	state_init(ret);
	while (unpack_next(&in)) {
		if (!in.str.ptr)
			read_integer(ret, in.field, in.integer);
		else if (!read_slice(ret, in.field, in.str, set))
			return false;
	}
	if (ret->draft_step == NOWHERE)
		ret->draft_flow = NOWHERE;
	return !in.is_broken;
}

/* Of several frames the last one is on top. */
bool turn_place(pa_str state, pa_str *ret_flow, pa_str *ret_step, pa_str *ret_care)
{
	struct unpack in = unpack_from(state);

	*ret_flow = *ret_step = *ret_care = PA_STR_ABSENT;
	while (unpack_next(&in)) {
		if (in.field == F_CARE_FLOW)
			*ret_care = in.str;
		if (in.field != F_FRAME)
			continue;
		for (struct unpack frame = unpack_from(in.str); unpack_next(&frame);) {
			if (frame.field == FRAME_FLOW)
				*ret_flow = frame.str;
			else if (frame.field == FRAME_STEP)
				*ret_step = frame.str;
		}
	}
	return !in.is_broken;
}

bool state_version(pa_str bytes, uint64_t *ret)
{
	struct unpack in = unpack_from(bytes);

	*ret = 0;
	while (unpack_next(&in))
		if (in.field == F_SET_VERSION) {
			*ret = (uint64_t)in.integer;
			return true;
		}
	return !in.is_broken;
}
