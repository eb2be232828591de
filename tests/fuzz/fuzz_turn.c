/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole conversations of random events with the shipped flows, turn after turn, in a world that
 * fails at random. However it goes: every turn ends well, says two things at most within the
 * channel's limits, answers or says why not, never prints a document, and shows a balance only to
 * one who is verified.
 */
#include "turn_rig.h"

#include "io/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 120
#define TAPS_MAX 32

struct play {
	struct rig rig;
	const uint8_t *at;
	const uint8_t *end;
	int64_t now_ns;
	char *state;
	size_t state_len;
	char code[8];
	char taps[TAPS_MAX][204];
	size_t taps_count;
	char job[40];
	bool has_job;
	uint32_t features;
};

static const char *const phrases[] = {
	"hola",
	"saldo",
	"cuánto debo",
	"sí autorizo",
	"no autorizo",
	"asesor",
	"menú",
	"atrás",
	"salir",
	"política",
	"mis datos",
	"fraude",
	"queja",
	"no soy yo",
	"crédito nuevo",
	"3 millones",
	"1",
	"la segunda",
	"sí",
	"no",
	RIG_DOCUMENT,
	"79999999",
	"123456789",
	"TI 1032456789",
	"000000",
	"reenviar",
	"otra cedula",
	"se murió",
	"paz y salvo y saldo",
	"👍",
	"gracias",
	"asdf qwerty",
	"renovar",
	"autorizar",
	"robot",
	"me quiero morir",
	"mi clave es gato1234",
	"perdí el celular",
	"baja",
	"qué mal servicio",
	"hola",
	"mi saldo",
	"1.234",
	"el segundo",
	"no doy permiso",
	"cincuenta y dos millones uno",
};

static uint8_t take(struct play *p)
{
	return p->at < p->end ? *p->at++ : 0;
}

static void check_reply(const struct turn_reply *reply, bool is_verified)
{
	const pa_message *message = &reply->message;
	bool is_list = message->kind == PA_OUT_LIST;

	if (message->body.len == 0 || utf8_length(message->body) > 4096 ||
	    !utf8_is_valid(message->body))
		abort();
	if (message->choices_count > (is_list ? 10u : 3u) ||
	    (message->choices_count && utf8_length(message->body) > 1024))
		abort();
	for (size_t i = 0; i < message->choices_count; i++)
		if (utf8_length(message->choices[i]->title) > (is_list ? 24u : 20u) ||
		    message->choices[i]->title.len == 0 || message->choices[i]->id.len > 200)
			abort();
	if (str_find(message->body, PA_STR(RIG_DOCUMENT)) != SIZE_MAX)
		abort();
	if (!is_verified && str_find(message->body, PA_STR(RIG_BALANCE)) != SIZE_MAX)
		abort();
	if (message->medium == PA_MEDIUM_SMS && !reply->is_secret)
		abort();
}

static bool state_is_verified(pa_str bytes)
{
	struct state state;

	if (!state_unpack(bytes, rig_set(), &state))
		abort();
	return state.identity.stage == STAGE_VERIFIED;
}

static void note_reply(struct play *p, const struct turn_reply *reply)
{
	const pa_message *message = &reply->message;

	if (reply->is_secret) {
		size_t digits = 0;

		while (digits < message->body.len &&
		       (message->body.ptr[digits] < '0' || message->body.ptr[digits] > '9'))
			digits++;
		memcpy(p->code, message->body.ptr + digits, 6);
		return;
	}
	for (size_t i = 0; i < message->choices_count; i++) {
		size_t slot = p->taps_count++ % TAPS_MAX;

		memcpy(p->taps[slot], message->choices[i]->id.ptr, message->choices[i]->id.len);
		p->taps[slot][message->choices[i]->id.len] = '\0';
	}
}

static void commit(struct play *p, const struct turn_out *out)
{
	bool is_verified = state_is_verified(out->state);
	size_t bubbles = 0;

	for (size_t i = 0; i < out->replies_count; i++) {
		check_reply(&out->replies[i], is_verified);
		note_reply(p, &out->replies[i]);
		bubbles += out->replies[i].channel.ptr == NULL;
	}
	if (out->question > out->replies_count)
		abort();
	if (bubbles > 2 || (out->replies_count == 0 && !out->no_answer_ok))
		abort();
	for (size_t i = 0; i < out->cases_count; i++)
		if (str_find(out->cases[i].summary, PA_STR(RIG_DOCUMENT)) != SIZE_MAX)
			abort();
	for (size_t i = 0; i < out->jobs_count; i++) {
		snprintf(p->job, sizeof(p->job), "%.*s", PA_FMT(out->jobs[i].payload));
		p->has_job = true;
	}
	free(p->state);
	p->state = malloc(out->state.len + 1);
	if (!p->state)
		abort();
	if (out->state.len)
		memcpy(p->state, out->state.ptr, out->state.len);
	p->state_len = out->state.len;
}

static void turn(struct play *p, const struct turn_event *events, size_t count)
{
	struct turn_ports ports = rig_ports(&p->rig);
	struct arena *arena = arena_new((size_t)16 << 20);
	struct turn_in in = {.now_ns = p->now_ns,
			     .conversation = 257,
			     .medium = PA_MEDIUM_CHAT,
			     .features = p->features,
			     .limits = &rig_limits,
			     .phone = PA_STR(RIG_PHONE),
			     .state = {p->state ? p->state : "", p->state_len},
			     .events = events,
			     .events_count = count};
	struct turn_out out;
	pa_error err = ERROR_INIT;

	for (int again = 0; again < 2; again++) {
		if (turn_run(rig_set(), &in, &ports, arena, &out, &err) != PA_OK)
			abort();
		if (out.consumed > count)
			abort();
		if (out.consumed || out.park)
			break;
		if (!out.hold_until_ns || again)
			abort();
		in.quiet_is_over = true;
	}
	if (out.consumed)
		commit(p, &out);
	arena_free(arena);
}

static pa_str text_of(struct play *p, char *room, size_t size)
{
	uint8_t which = take(p);
	size_t len;

	if (which < ARRAY_COUNT(phrases))
		return str_from(phrases[which]);
	if (which < 60)
		return str_from(p->code);
	if (which < 70) /* two in one */
		return (pa_str){room, (size_t)snprintf(room, size, "%s %s",
						       phrases[take(p) % ARRAY_COUNT(phrases)],
						       phrases[take(p) % ARRAY_COUNT(phrases)])};
	len = which % 32;
	for (size_t i = 0; i < len; i++)
		room[i] = (char)take(p);
	return (pa_str){room, len};
}

static void customer(struct play *p, uint32_t kind)
{
	char room[200];
	pa_event event = {.size = sizeof(event),
			  .kind = PA_EVENT_MESSAGE,
			  .message_kind = kind,
			  .at_ns = p->now_ns,
			  .id = PA_STR("m")};
	struct turn_event one = {.id = 1, .kind = TURN_CUSTOMER, .event = &event};

	if (kind == PA_IN_TEXT)
		event.text = text_of(p, room, sizeof(room));
	if (kind == PA_IN_BUTTON && p->taps_count)
		event.reply_id = str_from(p->taps[take(p) % TAPS_MAX]);
	turn(p, &one, 1);
}

static void internal(struct play *p, enum turn_event_kind kind, const char *name)
{
	struct turn_event one = {.id = 2, .kind = kind, .name = str_from(name)};
	char payload[40];

	memcpy(payload, p->job, sizeof(payload));
	one.payload = str_from(payload);
	turn(p, &one, 1);
}

static void special(struct play *p, uint8_t what)
{
	static const uint8_t flags[] = {PA_EVENT_GROUP, PA_EVENT_ECHO};
	pa_event event = {.size = sizeof(event), .kind = PA_EVENT_SYSTEM, .at_ns = p->now_ns};
	struct turn_event one = {.id = 3, .kind = TURN_CUSTOMER, .event = &event};

	event.system = PA_SYSTEM_NUMBER_CHANGED + what % 4;
	if (what & 64) {
		event.kind = PA_EVENT_MESSAGE;
		event.message_kind = PA_IN_TEXT;
		event.flags = flags[what % 2];
		event.text = PA_STR("saldo");
	}
	turn(p, &one, 1);
}

static void step(struct play *p)
{
	uint8_t op = take(p);

	switch (op % 16) {
	case 0:
		p->now_ns += (int64_t)take(p) * 20 * NS_PER_S;
		return;
	case 1:
		p->rig.is_core_down = take(p) & 1;
		p->rig.is_core_full = false;
		return;
	case 2:
		op = take(p);
		p->rig.is_core_full = op & 1;
		p->rig.is_core_mad = op & 2;
		p->rig.is_quota_used_up = op & 4;
		p->rig.is_gateway_down = op & 8;
		return;
	case 3:
		customer(p, take(p) % 20);
		return;
	case 4:
		internal(p, TURN_TIMER, op & 16 ? "nucleo" : "recordatorio");
		return;
	case 5:
		internal(p, TURN_LATE, "");
		return;
	case 6:
		internal(p, TURN_UNDELIVERED, op & 16 ? "codigo 1" : "codigo 2");
		return;
	case 7:
		special(p, take(p));
		return;
	case 8:
	case 9:
		customer(p, PA_IN_BUTTON);
		return;
	default:
		customer(p, PA_IN_TEXT);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play play = {.at = data,
			    .end = data + size,
			    .now_ns = INT64_C(1795000000) * NS_PER_S,
			    .code = "424242",
			    .features = PA_FEATURE_BUTTONS | PA_FEATURE_LIST};

	rig_set();
	for (int i = 0; i < STEPS_MAX && play.at < play.end; i++) {
		play.now_ns += NS_PER_S * 5;
		step(&play);
		while (play.has_job && !play.rig.is_core_full) {
			play.has_job = false;
			internal(&play, TURN_JOB, "identity.lookup");
		}
	}
	free(play.state);
	return 0;
}
