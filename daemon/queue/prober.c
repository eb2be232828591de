/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/prober.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/log.h"
#include "queue/mailbox.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PAUSE_NS NS_PER_S
#define ARENA_CAP ((size_t)32 << 20)

struct prober {
	struct core *core;
	struct mailbox box; /* never holds anything: poked to end the pause */
	pthread_t thread;
	_Atomic bool is_stopping;
};

/* Nobody has this document. */
static void ask(struct prober *prober)
{
	const struct core_question question = {.operation = CORE_FIND_CUSTOMER,
					       .document_type = PA_STR("CC"),
					       .document = PA_STR("0")};
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct core_answer answer;
	pa_error err = ERROR_INIT;

	if (core_ask(prober->core, arena, &question, &answer, &err) == PA_OK)
		log_notice(LOG_NO_IDS, "the core answers again");
	else
		log_info(LOG_NO_IDS, "the core is still away: %s", error_text(&err));
}

static void *prober_main(void *arg)
{
	struct prober *prober = arg;

	while (!atomic_load(&prober->is_stopping)) {
		if (core_health(prober->core) == CORE_TRYING)
			ask(prober);
		mailbox_take(&prober->box, clock_monotonic_ns() + PAUSE_NS);
	}
	return NULL;
}

struct prober *prober_new(struct core *core)
{
	struct prober *prober;

	if (!core)
		return NULL;
	prober = calloc(1, sizeof(*prober));
	if (!prober)
		abort();
	prober->core = core;
	mailbox_init(&prober->box);
	if (pthread_create(&prober->thread, NULL, prober_main, prober) != 0)
		abort();
	pthread_setname_np(prober->thread, "prober");
	return prober;
}

void prober_free(struct prober *prober)
{
	if (!prober)
		return;
	atomic_store(&prober->is_stopping, true);
	mailbox_poke(&prober->box);
	pthread_join(prober->thread, NULL);
	mailbox_done(&prober->box);
	free(prober);
}
