/* SPDX-License-Identifier: Apache-2.0
 *
 * The id of a button as it comes back: any bytes, and any payload under a good tag. Nothing but
 * what was written is read back, and a turn stands either. In a new conversation no question is on
 * the table, so no tap is an answer to one: nothing is ever granted or refused. A button of ours
 * that only opens a flow is served however old it is, and the flow may take an optional permission
 * back ("no more offers"), which protects and needs no question.
 */
#include "turn_rig.h"

#include "flow/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONVERSATION 257

/* What an attacker can't make: a tag that fits. So that what lies behind it is reached. */
static pa_str with_tag(struct arena *arena, const struct turn_ports *ports, pa_str payload)
{
	int64_t conversation = CONVERSATION;
	pa_str tagged = arena_format(arena, "%8s%*s", "", (int)payload.len, "");
	char *bytes = arena_alloc(arena, payload.len + TAG_BYTES);
	uint8_t tag[TAG_BYTES];
	char *data = arena_copy(arena, tagged).len ? arena_alloc(arena, 8 + payload.len) : NULL;

	if (!data)
		abort();
	memcpy(data, &conversation, 8);
	if (payload.len)
		memcpy(data + 8, payload.ptr, payload.len);
	ports->tag(ports->arg, "tap", (pa_str){data, 8 + payload.len}, tag);
	if (payload.len)
		memcpy(bytes, payload.ptr, payload.len);
	memcpy(bytes + payload.len, tag, TAG_BYTES);
	return base64url_encode(arena, (pa_str){bytes, payload.len + TAG_BYTES});
}

/* The flow that a tagged button opens when no question is on the table; NOWHERE: none. */
static int opened_flow(const struct tap *tap)
{
	const struct flow_set *set = rig_set();
	int flow = set_find_flow(set, tap->flow), step;
	const struct step *asked;

	if (tap->waiting == WAIT_PICK)
		return set_find_flow(set, tap->option);
	if (tap->waiting != WAIT_STEP || flow == NOWHERE)
		return NOWHERE;
	step = flow_find_step(&set->flows[flow], tap->step);
	if (step == NOWHERE)
		return NOWHERE;
	asked = &set->flows[flow].steps[step];
	for (size_t i = 0; i < asked->options_count; i++)
		if (str_equal(asked->options[i].name, tap->option) &&
		    !asked->options[i].act.purpose.ptr)
			return asked->options[i].flow;
	return NOWHERE;
}

/* The consents are those that the opened flow takes back by its first step, and no others. */
static void check_consents(const struct turn_out *out, const struct tap *tap)
{
	int flow = tap ? opened_flow(tap) : NOWHERE;
	const struct step *first = flow == NOWHERE ? NULL : &rig_set()->flows[flow].steps[0];
	bool takes_back = first && first->verb == VERB_SAY && first->act.purpose.ptr;

	if (out->consents_count != takes_back)
		abort();
	if (takes_back && (!str_equal(out->consents[0].action, PA_STR("revoca")) ||
			   !str_equal(out->consents[0].purpose, first->act.purpose)))
		abort();
}

/* tap: what the id says, NULL if it is none of ours. */
static void run(struct arena *arena, const struct turn_ports *ports, pa_str id,
		const struct tap *tap)
{
	pa_event event = {.size = sizeof(event),
			  .kind = PA_EVENT_MESSAGE,
			  .message_kind = PA_IN_BUTTON,
			  .reply_id = id,
			  .id = PA_STR("m")};
	struct turn_event one = {.id = 1, .kind = TURN_CUSTOMER, .event = &event};
	struct turn_in in = {.now_ns = INT64_C(1795000000) * NS_PER_S,
			     .conversation = CONVERSATION,
			     .medium = PA_MEDIUM_CHAT,
			     .features = PA_FEATURE_BUTTONS | PA_FEATURE_LIST,
			     .limits = &rig_limits,
			     .state = PA_STR(""),
			     .events = &one,
			     .events_count = 1};
	struct turn_out out;
	pa_error err = ERROR_INIT;

	if (turn_run(rig_set(), &in, ports, arena, &out, &err) != PA_OK || out.consumed != 1)
		abort();
	check_consents(&out, tap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig rig = {0};
	struct turn_ports ports = rig_ports(&rig);
	pa_str bytes = {(const char *)data, size};
	struct arena *arena;
	struct tap tap;
	bool is_ours;
	pa_str id;

	if (size > 400)
		return 0;
	rig_set();
	arena = arena_new((size_t)16 << 20);
	if (tap_read(arena, &ports, CONVERSATION, bytes, &tap))
		abort(); /* nobody guesses a tag */
	run(arena, &ports, bytes, NULL);
	id = with_tag(arena, &ports, bytes);
	is_ours = tap_read(arena, &ports, CONVERSATION, id, &tap);
	if (is_ours && (tap.waiting >= WAIT_COUNT || !tap.option.ptr))
		abort();
	run(arena, &ports, id, is_ours ? &tap : NULL);
	arena_free(arena);
	return 0;
}
