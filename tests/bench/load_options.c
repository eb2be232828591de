/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/whatsapp_load.h"

#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_defaults(struct load *load)
{
	load->customers_count = 1000;
	load->active_max = 100;
	load->phone_base = load->mobile_base = 573000000000;
	load->document_base = 1000000000;
	load->measure_ns = 10 * NS_PER_S;
	load->patience_ns = 30 * NS_PER_S;
	load->run = (uint64_t)clock_now_ns() / 1000;
}

enum option_kind { IS_NUMBER, IS_TEXT, IS_SECONDS, IS_MS, IS_RATE, IS_PID };

struct option_rule {
	const char *name;
	enum option_kind kind;
	void *field;
};

static bool take_option(const struct option_rule *rule, const char *text)
{
	char *end = NULL;
	double number = strtod(text, &end);
	bool is_number = end != text && *end == '\0' && number >= 0;

	if (rule->kind == IS_TEXT) {
		*(const char **)rule->field = text;
		return true;
	}
	if (rule->kind == IS_NUMBER)
		*(uint64_t *)rule->field = (uint64_t)number;
	if (rule->kind == IS_SECONDS)
		*(int64_t *)rule->field = (int64_t)(number * (double)NS_PER_S);
	if (rule->kind == IS_MS)
		*(int64_t *)rule->field = (int64_t)(number * (double)NS_PER_MS);
	if (rule->kind == IS_RATE)
		*(double *)rule->field = number;
	if (rule->kind == IS_PID)
		*(pid_t *)rule->field = (pid_t)number;
	return is_number;
}

static bool usage(void)
{
	fputs("usage: whatsapp_load --webhook URL --secret S --phone-id ID --script FILE\n"
	      "       [--port N] [--customers N] [--active N | --rate MESSAGES/S] [--warm-up S]\n"
	      "       [--seconds S] [--patience S] [--latency-ms N] [--connections N]\n"
	      "       [--phone-base N] [--mobile-base N] [--document-base N]\n"
	      "       [--daemon-pid N] [--postgres-pid N]\n",
	      stderr);
	return false;
}

bool load_parse_options(struct load *load, struct others *others, int argc, char **argv)
{
	const struct option_rule rules[] = {
		{"--port", IS_NUMBER, &others->port},
		{"--connections", IS_NUMBER, &others->connections},
		{"--webhook", IS_TEXT, &others->webhook},
		{"--script", IS_TEXT, &others->script},
		{"--secret", IS_TEXT, &load->secret},
		{"--phone-id", IS_TEXT, &load->phone_id},
		{"--customers", IS_NUMBER, &load->customers_count},
		{"--active", IS_NUMBER, &load->active_max},
		{"--rate", IS_RATE, &load->rate},
		{"--warm-up", IS_SECONDS, &load->warm_ns},
		{"--seconds", IS_SECONDS, &load->measure_ns},
		{"--patience", IS_SECONDS, &load->patience_ns},
		{"--latency-ms", IS_MS, &load->latency_ns},
		{"--phone-base", IS_NUMBER, &load->phone_base},
		{"--mobile-base", IS_NUMBER, &load->mobile_base},
		{"--document-base", IS_NUMBER, &load->document_base},
		{"--daemon-pid", IS_PID, &load->daemon_pid},
		{"--postgres-pid", IS_PID, &load->postgres_pid},
	};

	set_defaults(load);
	others->connections = 64;
	for (int i = 1; i + 1 < argc; i += 2) {
		size_t rule = 0;

		while (rule < ARRAY_COUNT(rules) && strcmp(rules[rule].name, argv[i]) != 0)
			rule++;
		if (rule == ARRAY_COUNT(rules) || !take_option(&rules[rule], argv[i + 1]))
			return usage();
	}
	if (argc % 2 == 1 && others->webhook && others->script && load->secret && load->phone_id &&
	    load->customers_count > 0)
		return true;
	return usage();
}
