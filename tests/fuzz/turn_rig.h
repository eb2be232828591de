/* SPDX-License-Identifier: Apache-2.0
 *
 * turn_rig.h: the shipped flows and everything a turn asks of others, for the fuzz targets. The
 * programs run in the root of the tree.
 */
#ifndef TURN_RIG_H
#define TURN_RIG_H

#include "base/err.h"
#include "base/str.h"
#include "flow/model.h"
#include "flow/state.h"
#include "flow/turn.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_PHONE "573001234567"
#define RIG_DOCUMENT "41777888"
#define RIG_BALANCE "3.210.500"

struct rig {
	bool is_core_down;
	bool is_core_full;
	bool is_core_mad;
	bool is_quota_used_up;
	bool is_gateway_down;
	int64_t cases;
};

static inline pa_number rig_known(int64_t value)
{
	return (pa_number){.value = value, .is_known = 1};
}

static inline void rig_find(struct arena *arena, const struct core_question *q,
			    struct core_answer *ret)
{
	pa_customer *customer = ARENA_NEW(arena, pa_customer);
	const pa_customer **list = ARENA_ARRAY(arena, const pa_customer *, 1);

	*customer = (pa_customer){.size = sizeof(*customer),
				  .id = PA_STR("c-1"),
				  .document_type = PA_STR("CC"),
				  .document = PA_STR(RIG_DOCUMENT),
				  .first_name = PA_STR("Ana"),
				  .mobile = PA_STR(RIG_PHONE)};
	list[0] = customer;
	ret->customers = list;
	ret->count = str_equal(q->document, customer->document);
}

static inline void rig_credits(struct arena *arena, struct core_answer *ret)
{
	const pa_credit **list = ARENA_ARRAY(arena, const pa_credit *, 2);

	for (size_t i = 0; i < 2; i++) {
		pa_credit *credit = ARENA_NEW(arena, pa_credit);

		*credit = (pa_credit){.size = sizeof(*credit),
				      .state = PA_CREDIT_ACTIVE,
				      .id = i ? PA_STR("2") : PA_STR("1"),
				      .number = i ? PA_STR("10002") : PA_STR("10001"),
				      .payroll = PA_STR("Colpensiones"),
				      .balance = rig_known(3210500)};
		list[i] = credit;
	}
	ret->credits = list;
	ret->count = 2;
}

static inline pa_status rig_core(void *arg, struct arena *arena, const struct core_question *q,
				 struct core_answer *ret, pa_error *err)
{
	struct rig *rig = arg;

	(void)err;
	if (rig->is_core_full || rig->is_core_down || rig->is_core_mad)
		return rig->is_core_full ? PA_DEADLINE : rig->is_core_down ? PA_RETRY : PA_REJECTED;
	*ret = (struct core_answer){0};
	if (q->operation == CORE_FIND_CUSTOMER)
		rig_find(arena, q, ret);
	if (q->operation == CORE_CREDITS)
		rig_credits(arena, ret);
	return PA_OK;
}

static inline pa_status rig_classify(void *arg, struct arena *arena, pa_str text, pa_str question,
				     struct turn_intent *ret, size_t room, size_t *ret_count)
{
	(void)arg;
	(void)arena;
	(void)question;
	*ret_count = 0;
	if (text.len % 3 == 0 && room)
		ret[(*ret_count)++] = (struct turn_intent){PA_STR("saldo"), 900000};
	if (text.len % 6 == 0 && room > 1)
		ret[(*ret_count)++] = (struct turn_intent){PA_STR("estado"), 890000};
	return PA_OK;
}

static inline pa_status rig_locked(void *arg, pa_str person, int64_t now_ns, int64_t *ret)
{
	(void)arg;
	(void)person;
	(void)now_ns;
	*ret = 0;
	return PA_OK;
}

static inline pa_status rig_quota(void *arg, pa_str person, bool is_owner, int64_t now_ns,
				  int64_t event, bool *ret)
{
	(void)person;
	(void)is_owner;
	(void)now_ns;
	(void)event;
	*ret = !((struct rig *)arg)->is_quota_used_up;
	return PA_OK;
}

static inline pa_status rig_number(void *arg, int64_t now_ns, struct arena *arena, pa_str *ret)
{
	(void)now_ns;
	*ret = arena_format(arena, "PA-%lld", (long long)++((struct rig *)arg)->cases);
	return PA_OK;
}

static inline bool rig_healthy(void *arg, pa_str channel)
{
	(void)channel;
	return !((struct rig *)arg)->is_gateway_down;
}

static inline void rig_tag(void *arg, const char *purpose, pa_str data, uint8_t out[16])
{
	static const struct key root = {{9}};
	struct key key;

	(void)arg;
	key_derive(&root, purpose, &key);
	keyed_tag(&key, data, out);
}

static inline struct turn_ports rig_ports(struct rig *rig)
{
	return (struct turn_ports){.arg = rig,
				   .core = rig_core,
				   .classify = rig_classify,
				   .person_locked_until = rig_locked,
				   .code_quota_take = rig_quota,
				   .case_number = rig_number,
				   .channel_is_healthy = rig_healthy,
				   .tag = rig_tag};
}

static inline struct flow_options rig_options(void)
{
	return (struct flow_options){
		.flows_directory = "etc/flows",
		.texts_directory = "etc/texts",
		.house = {"ProAlto", "900123456-8", "Carrera 7 # 12-34, Bogotá", "601 234 5678",
			  "datos@proalto.example", "https://proalto.example/politica"},
		.identity = {.code_channel = "sms",
			     .code_ttl_ns = 5 * NS_PER_MINUTE,
			     .code_tries = 3,
			     .lock_ns = 30 * NS_PER_MINUTE,
			     .session_idle_ns = 15 * NS_PER_MINUTE,
			     .session_max_ns = 60 * NS_PER_MINUTE},
		.quiet_ns = NS_PER_S,
		.quiet_max_ns = 3 * NS_PER_S,
		.intent_threshold = 500000,
	};
}

/* The shipped set, loaded once. */
static inline struct flow_set *rig_set(void)
{
	static struct flow_set *set;
	struct flow_options options = rig_options();
	struct flow_problems problems = {0};
	pa_error err = ERROR_INIT;

	if (set)
		return set;
	if (crypto_init() != PA_OK)
		abort();
	problems.arena = arena_new((size_t)1 << 26);
	if (flow_set_load(&options, &set, &problems, &err) != PA_OK) {
		fprintf(stderr, "%s\n", error_text(&err));
		abort();
	}
	arena_free(problems.arena);
	return set;
}

static const pa_channel_limits rig_limits = {.size = sizeof(rig_limits),
					     .text = 4096,
					     .interactive_body = 1024,
					     .buttons = 3,
					     .button_title = 20,
					     .rows = 10,
					     .row_title = 24,
					     .row_description = 72,
					     .row_id_bytes = 200,
					     .list_button = 20};

#endif
