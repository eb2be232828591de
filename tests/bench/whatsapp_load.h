/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/whatsapp_load.h: the state of the load generator. whatsapp_load.c runs it,
 * load_options.c reads the command line.
 */
#ifndef TESTS_BENCH_WHATSAPP_LOAD_H
#define TESTS_BENCH_WHATSAPP_LOAD_H

#include "bench/load_report.h"
#include "bench/load_script.h"
#include "peers/loop.h"

struct load;

struct customer {
	struct load *load;
	uint16_t step;        /* the one that waits for its answers, or is to be said next */
	uint16_t answers_due; /* 0: nothing was asked */
	uint16_t seen_count;
	bool wants_code;
	bool is_done;
	char code[8];
	char *tap; /* what the next step taps, as it stood in the JSON */
	int64_t said_ns;
	uint32_t *seen; /* hashes of callback data */
};

struct counts {
	uint64_t said, answered, statuses, refused, doubled, unexpected, mismatched, dialogues;
};

struct load {
	struct loop *loop;
	struct poster *webhook;
	struct script script;
	struct customer *customers;
	uint64_t customers_count, next_customer, running, active_max;
	uint64_t phone_base, document_base, mobile_base;
	const char *phone_id, *secret;
	double rate; /* messages a second, open loop; 0: closed */
	int64_t latency_ns, warm_ns, measure_ns, patience_ns;
	int64_t begin_ns, open_ns, last_answer_ns;
	pid_t daemon_pid, postgres_pid;
	bool is_measuring, is_over;
	uint64_t serial, run;
	struct counts total, at_start, at_end;
	int64_t waiting_start, waiting_end;
	int64_t cpu_daemon, cpu_postgres, cpu_own, measured_ns;
	int64_t rss_idle, rss_begin, rss_end, rss_max; /* KiB */
	struct histogram ack, answer;
};

/* What only the start needs. */
struct others {
	uint64_t port, connections;
	const char *webhook, *script;
};

/* Fills in what the command line says, defaults for the rest. False: usage was printed. */
bool load_parse_options(struct load *load, struct others *others, int argc, char **argv);

#endif
