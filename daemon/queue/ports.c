/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/ports.h"

#include "base/calendar.h"
#include "base/err.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/connect.h"

#include <proalto/nlp.h>

#define CLASSIFY_MS 2000
#define SPEECHLESS_NS (30 * NS_PER_S)   /* after a call that did not come back */
#define CLASSIFY_CAP ((size_t)17 << 20) /* of which the plugin may take 16 MiB */

/* Waiting for PostgreSQL counts as moving. */
static void begin_wait(struct ports *ports)
{
	atomic_store(ports->moved_ns, 0);
}

static void end_wait(struct ports *ports)
{
	atomic_store(ports->moved_ns, clock_monotonic_ns());
}

static pa_status be_connected(struct ports *ports)
{
	static const char *const sets[] = {"worker", NULL};
	pa_error err = ERROR_INIT;
	pa_status status;

	if (ports->db && db_look(ports->db))
		return PA_OK;
	db_close(ports->db);
	ports->db = NULL;
	begin_wait(ports);
	status = queue_connect(ports->options->database, "proaltod worker", sets, &ports->db, &err);
	end_wait(ports);
	if (status != PA_OK)
		log_warning(LOG_NO_IDS, "a worker can't reach the store: %s", error_text(&err));
	ports->found_store_away |= status == PA_RETRY;
	return status;
}

static pa_status run(struct ports *ports, struct db_params *params, struct db_result **ret)
{
	pa_error err = ERROR_INIT;
	pa_status status;

	begin_wait(ports);
	status = db_run(ports->db, params, ret, &err);
	end_wait(ports);
	if (status != PA_OK)
		log_warning(LOG_NO_IDS, "a worker's question to the store failed: %s",
			    error_text(&err));
	ports->found_store_away |= status == PA_RETRY;
	return status;
}

/* The person sees that he is read and answered as soon as it may take a moment. */
static void mark_writing(struct ports *ports)
{
	if (ports->is_marked || !ports->conversation || ports->conversation->was_parked)
		return;
	ports->is_marked = true;
	dispatch_mark(ports->options->dispatch, ports->conversation->channel,
		      ports->conversation->contact, ports->last_provider_id);
}

static pa_status port_core(void *arg, struct arena *arena, const struct core_question *question,
			   struct core_answer *ret, pa_error *err)
{
	struct ports *ports = arg;
	struct core_question bounded = *question;
	pa_status status;

	if (!ports->options->core)
		return error_set(err, PA_RETRY, "no core system is configured");
	mark_writing(ports);
	bounded.until_ns = ports->until_ns;
	status = core_ask(ports->options->core, arena, &bounded, ret, err);
	if (status == PA_RETRY || status == PA_REJECTED)
		log_warning(LOG_IDS(.conversation = ports->conversation->id), "%s",
			    error_text(err));
	return status;
}

/* ---- language ---- */

/* One text on its way, in memory of its own: its thread may never come back. */
struct classifying {
	const pa_nlp_ops *ops;
	pa_str text;
	pa_str question;
	const pa_intent *const *intents;
	size_t count;
};

static pa_status run_classify(void *self, pa_call *call, void *arg, pa_error *err)
{
	struct classifying *c = arg;

	return c->ops->classify(self, call, c->text, c->question, &c->intents, &c->count, err);
}

static int64_t classify_until(const struct ports *ports)
{
	int64_t end_ns = clock_monotonic_ns() + CLASSIFY_MS * NS_PER_MS;

	return ports->until_ns < end_ns ? ports->until_ns : end_ns;
}

static size_t keep_intents(const struct ports *ports, struct arena *arena,
			   const struct classifying *c, struct turn_intent *ret, size_t room)
{
	double least = ports->options->language_threshold * 1e6;
	size_t kept = 0;

	for (size_t i = 0; i < c->count && kept < room; i++)
		if (c->intents[i]->confidence >= least)
			ret[kept++] = (struct turn_intent){arena_copy(arena, c->intents[i]->name),
							   c->intents[i]->confidence};
	return kept;
}

static pa_status port_classify(void *arg, struct arena *arena, pa_str text, pa_str question,
			       struct turn_intent *ret_intents, size_t room, size_t *ret_count)
{
	struct ports *ports = arg;
	struct plugin *language = ports->options->language;
	struct arena *own PA_CLEANUP(arena_done) = NULL;
	pa_error err = ERROR_INIT;
	struct classifying *c;
	pa_status status;

	if (!language || clock_monotonic_ns() < atomic_load(ports->speechless_ns))
		return PA_RETRY;
	mark_writing(ports);
	own = arena_new(CLASSIFY_CAP);
	c = ARENA_NEW(own, struct classifying);
	*c = (struct classifying){.ops = plugin_descriptor(language)->ops,
				  .text = arena_copy(own, text),
				  .question = arena_copy(own, question)};
	status = plugin_lend_call(language, &own,
				  &(struct lending){.what = "classify",
						    .run = run_classify,
						    .arg = c,
						    .deadline_ns = classify_until(ports)},
				  &err);
	if (!own) /* each further one would cost a thread */
		atomic_store(ports->speechless_ns, clock_monotonic_ns() + SPEECHLESS_NS);
	if (status != PA_OK) {
		plugin_error_clean(&err);
		log_warning(LOG_IDS(.plugin = plugin_instance(language)), "classify: %s",
			    error_text(&err));
		return PA_RETRY;
	}
	*ret_count = keep_intents(ports, arena, c, ret_intents, room);
	return PA_OK;
}

/* ---- the store ---- */

static pa_status port_person_locked_until(void *arg, pa_str person, int64_t now_ns, int64_t *ret)
{
	struct ports *ports = arg;
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params;
	pa_status status = be_connected(ports);
	int64_t until_ns;

	if (status != PA_OK)
		return status;
	params = db_params_new(ports->arena, SQL_PERSON_LOCKED_UNTIL);
	db_bind_bytes(params, person);
	status = run(ports, params, &result);
	if (status != PA_OK)
		return status;
	until_ns = db_rows(result) ? db_time_ns(result, 0, 0) : 0;
	*ret = until_ns > now_ns ? until_ns : 0;
	return PA_OK;
}

static pa_status port_code_quota_take(void *arg, pa_str person, bool is_owner, int64_t now_ns,
				      int64_t event, bool *ret_granted)
{
	struct ports *ports = arg;
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params;
	pa_status status = be_connected(ports);
	int64_t quota = is_owner ? ports->options->owner_codes_per_hour
				 : ports->options->stranger_codes_per_hour;

	if (status != PA_OK)
		return status;
	params = db_params_new(ports->arena, SQL_CODE_QUOTA_TAKE);
	db_bind_bytes(params, person);
	db_bind_bool(params, is_owner);
	db_bind_time(params, now_ns);
	db_bind_int32(params, (int32_t)quota);
	db_bind_int64(params, event);
	status = run(ports, params, &result);
	if (status == PA_OK)
		*ret_granted = db_bool(result, 0, 0);
	return status;
}

/* "2026-000123": short enough to be read out on the phone. */
static pa_status port_case_number(void *arg, int64_t now_ns, struct arena *arena, pa_str *ret)
{
	struct ports *ports = arg;
	struct db_result *result PA_CLEANUP(db_result_done) = NULL;
	pa_status status = be_connected(ports);

	if (status == PA_OK)
		status = run(ports, db_params_new(ports->arena, SQL_CASE_NUMBER_NEXT), &result);
	if (status == PA_OK)
		*ret = arena_format(arena, "%d-%06lld", date_from_days(local_day(now_ns)).year,
				    (long long)db_int64(result, 0, 0));
	return status;
}

static bool port_channel_is_healthy(void *arg, pa_str channel)
{
	struct ports *ports = arg;
	struct channel *found = channel_by_name(ports->options->channels, channel);

	return found && channel_is_healthy(found);
}

static void port_tag(void *arg, const char *purpose, pa_str data, uint8_t out[16])
{
	struct ports *ports = arg;

	keyring_tag(ports->options->ring, purpose, data, out);
}

struct turn_ports ports_table(struct ports *ports)
{
	return (struct turn_ports){
		.arg = ports,
		.core = port_core,
		.classify = port_classify,
		.person_locked_until = port_person_locked_until,
		.code_quota_take = port_code_quota_take,
		.case_number = port_case_number,
		.channel_is_healthy = port_channel_is_healthy,
		.tag = port_tag,
	};
}

void ports_done(struct ports *ports)
{
	db_close(ports->db);
	ports->db = NULL;
}
