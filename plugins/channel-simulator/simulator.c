/* SPDX-License-Identifier: Apache-2.0
 *
 * channel-simulator: WhatsApp and SMS of a demonstration, as a page in the browser of the machine
 * that the daemon runs on. A session-holding channel: messages and statuses take the same way
 * through intake, turn, gate and outbox as those of a real phone.
 */
#include "simulator.h"

#include "courier.h"
#include "customers.h"
#include "limits.h"
#include "web.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_MS 250 /* how late the end of a wait, or of the daemon, is noticed */

enum { OPTION_ADDRESS, OPTION_PORT, OPTION_ACCOUNT, OPTION_BUSINESS, OPTION_CUSTOMERS_FILE };

static const pa_option *const options[] = {
	[OPTION_ADDRESS] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_TEXT,
			.name = "address",
			.fallback = "127.0.0.1",
			.help = "Where the page is served. Only 127.0.0.1 is accepted: whoever "
				"reaches the page reads every chat.",
		},
	[OPTION_PORT] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_NUMBER,
			.name = "port",
			.fallback = "8765",
			.help = "The page's port; 0 takes any that is free and tells it in the "
				"journal.",
		},
	[OPTION_ACCOUNT] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_TEXT,
			.name = "account",
			.fallback = "simulator",
			.help = "The id under which the house's number is known.",
		},
	[OPTION_BUSINESS] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_TEXT,
			.name = "business_name",
			.fallback = "ProAlto",
			.help = "The name at the top of the chat.",
		},
	[OPTION_CUSTOMERS_FILE] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_TEXT,
			.name = "customers_file",
			.help = "JSON array of the customers that the page offers, each with "
				"label, "
				"document, mobile and try.",
		},
};

void sim_error(pa_error *err, const char *format, ...)
{
	va_list args;
	int len;

	if (!err)
		return;
	va_start(args, format);
	len = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (len < 0)
		len = 0;
	err->len = (size_t)len < sizeof(err->text) ? (uint32_t)len : sizeof(err->text) - 1;
}

pa_str sim_str(const char *text)
{
	return (pa_str){text, text ? strlen(text) : 0};
}

void sim_unref_json(json_t **json)
{
	json_decref(*json);
}

int64_t sim_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t sim_now_ns(const struct simulator *sim)
{
	pa_call *call = sim->session_host->begin_call(sim->session, SIM_CALL_MS);
	int64_t now_ns = sim->host->now_ns(call);

	sim->session_host->end_call(sim->session, call);
	return now_ns;
}

static void simulator_close(void *self)
{
	struct simulator *sim = self;

	if (!sim)
		return;
	store_free(sim->store);
	json_decref(sim->customers);
	free(sim->account);
	free(sim->business);
	pthread_mutex_destroy(&sim->lock);
	free(sim);
}

static pa_status check_values(const pa_value *const *values, pa_error *err)
{
	pa_str address = values[OPTION_ADDRESS]->text;
	int64_t port = values[OPTION_PORT]->number;

	if (address.len != 9 || memcmp(address.ptr, "127.0.0.1", 9) != 0) {
		sim_error(err, "address: the simulator listens on 127.0.0.1 only");
		return PA_REJECTED;
	}
	if (port < 0 || port > 65535) {
		sim_error(err, "port: 0 to 65535");
		return PA_REJECTED;
	}
	return PA_OK;
}

static pa_status simulator_open(const pa_host *host, pa_call *call, const pa_value *const *values,
				void **ret_self, pa_error *err)
{
	pa_status status = check_values(values, err);
	json_t *customers SIM_CLEANUP(sim_unref_json) = NULL;
	struct simulator *sim;
	uint64_t salt;

	if (status != PA_OK)
		return status;
	if (values[OPTION_CUSTOMERS_FILE]->is_set)
		status = customers_read(values[OPTION_CUSTOMERS_FILE]->text.ptr, &customers, err);
	if (status != PA_OK)
		return status;
	host->random_bytes(call, (uint8_t *)&salt, sizeof(salt));
	sim = sim_alloc(sizeof(*sim));
	sim->host = host;
	sim->port = (uint16_t)values[OPTION_PORT]->number;
	sim->account = sim_dup(values[OPTION_ACCOUNT]->text);
	sim->business = sim_dup(values[OPTION_BUSINESS]->text);
	sim->customers = customers ? json_incref(customers) : json_array();
	sim->store = store_new(salt, host->now_ns(call));
	pthread_mutex_init(&sim->lock, NULL);
	*ret_self = sim;
	return PA_OK;
}

static void announce(const struct simulator *sim, pa_call *call)
{
	char line[128];

	snprintf(line, sizeof(line), "The simulator's page is at http://127.0.0.1:%u/",
		 web_port(sim->web));
	sim->host->log(call, PA_LOG_INFO, sim_str(line));
}

static pa_status simulator_run(void *self, pa_call *call, const pa_session_host *session_host,
			       pa_session *session, pa_error *err)
{
	struct simulator *sim = self;
	pa_status status;

	sim->session_host = session_host;
	sim->session = session;
	status = courier_start(sim, err);
	if (status != PA_OK)
		return status;
	status = web_start(sim, err);
	if (status != PA_OK) {
		courier_stop(sim);
		return status;
	}
	announce(sim, call);
	while (!session_host->stopping(session)) {
		if (outgoing_step(sim, STEP_MS) == PA_REJECTED)
			break;
		web_wake_expired(sim);
	}
	web_stop(sim);
	courier_stop(sim);
	return PA_OK;
}

static const pa_channel_ops ops = {
	.size = sizeof(pa_channel_ops),
	.shape = PA_SHAPE_SESSION,
	.media = PA_MEDIUM_CHAT | PA_MEDIUM_SMS,
	.features = PA_FEATURE_ECHOES_REF | PA_FEATURE_BUTTONS | PA_FEATURE_LIST |
		    PA_FEATURE_DOCUMENT | PA_FEATURE_TYPING | PA_FEATURE_WINDOW | PA_FEATURE_DEMO,
	.limits = &limits_whatsapp,
	.run = simulator_run,
};

PROALTO_PLUGIN(channel_simulator) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_CHANNEL,
	.name = "channel-simulator",
	.version = "0.1.0",
	.summary = "WhatsApp and SMS of a demonstration, as a page on this machine's loopback.",
	.options = options,
	.options_count = sizeof(options) / sizeof(options[0]),
	.open = simulator_open,
	.close = simulator_close,
	.ops = &ops,
};
