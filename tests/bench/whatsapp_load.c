/* SPDX-License-Identifier: Apache-2.0
 *
 * whatsapp_load: customers, Graph API and SMS gateway in one process, around one daemon. Each
 * customer goes through the script: a signed webhook with one message; the answer, which the
 * daemon posts to us as if we were Meta; three status webhooks for it; the next message. Prints
 * what it measured as JSON. See tests/bench/README.md.
 */
#include "bench/whatsapp_load.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 200
#define SEEN_MAX 96 /* callback data remembered for each customer */

/* ---- webhooks ----------------------------------------------------------------------------------
 */

static void post_signed(struct load *load, pa_str body, post_fn *fn, void *arg)
{
	static const char digits[] = "0123456789abcdef";
	char headers[] = "Content-Type: application/json\r\nX-Hub-Signature-256: sha256="
			 "0000000000000000000000000000000000000000000000000000000000000000\r\n";
	char *hex = headers + sizeof(headers) - 3 - 64;
	uint8_t digest[DIGEST_BYTES];

	hmac_sha256(str_from(load->secret), body, digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	post(load->webhook, (pa_str){headers, sizeof(headers) - 1}, body, fn, arg);
}

static void open_envelope(const struct load *load, struct buf *body)
{
	buf_format(body,
		   "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1044\","
		   "\"changes\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":"
		   "\"whatsapp\",\"metadata\":{\"display_phone_number\":\"576015550199\","
		   "\"phone_number_id\":\"%s\"},",
		   load->phone_id);
}

static uint64_t index_of(const struct customer *customer)
{
	return (uint64_t)(customer - customer->load->customers);
}

/* A message on its way to the daemon. */
struct said {
	struct customer *customer;
	int64_t at_ns;
	uint16_t step;
};

static void say_now(struct said *said);

static void say_again(void *arg)
{
	say_now(arg);
}

static void on_said(void *arg, unsigned status, pa_str body)
{
	struct said *said = arg;
	struct load *load = said->customer->load;

	(void)body;
	if (status == 200 && load->is_measuring)
		histogram_add(&load->ack, clock_monotonic_ns() - said->at_ns);
	load->total.refused += status != 200;
	/* Its answer may have overtaken it. */
	if (status == 200 || said->step != said->customer->step)
		free(said);
	else
		loop_after(load->loop, RETRY_MS * NS_PER_MS, say_again, said);
}

static void write_content(const struct customer *customer, struct buf *body)
{
	const struct load *load = customer->load;
	const struct step *step = &load->script.steps[customer->step];
	uint64_t index = index_of(customer);

	if (step->kind == STEP_TAP) {
		buf_format(body,
			   "\"type\":\"interactive\",\"interactive\":{\"type\":\"button_reply\","
			   "\"button_reply\":{\"id\":\"%s\",\"title\":\"x\"}}",
			   customer->tap ? customer->tap : "");
		return;
	}
	buf_add(body, PA_STR("\"type\":\"text\",\"text\":{\"body\":\""));
	if (step->kind == STEP_CODE)
		buf_add(body, str_from(customer->code));
	else
		script_write_text(step, index, load->document_base + index, body);
	buf_add(body, PA_STR("\"}"));
}

/* The same id if it is said again. */
static void say_now(struct said *said)
{
	struct customer *customer = said->customer;
	struct load *load = customer->load;
	struct buf body PA_CLEANUP(buf_done) = BUF_INIT(8192);
	unsigned long long index = index_of(customer), phone = load->phone_base + index;

	open_envelope(load, &body);
	buf_format(&body,
		   "\"contacts\":[{\"profile\":{\"name\":\"C %llu\"},\"wa_id\":\"%llu\","
		   "\"user_id\":\"CO.%llu\"}],\"messages\":[{\"from\":\"%llu\",\"from_user_id\":"
		   "\"CO.%llu\",\"id\":\"wamid.HBgL%llxX%llxX%x\",\"timestamp\":\"%lld\",",
		   index, phone, phone, phone, phone, (unsigned long long)load->run, index,
		   (unsigned)customer->step, (long long)(clock_now_ns() / NS_PER_S));
	write_content(customer, &body);
	buf_add(&body, PA_STR("}]}}]}]}"));
	said->at_ns = clock_monotonic_ns();
	post_signed(load, buf_str(&body), on_said, said);
}

/* The message of the present step. */
static void say(struct customer *customer)
{
	struct said *said = calloc(1, sizeof(*said));

	if (!said)
		abort();
	*said = (struct said){.customer = customer, .step = customer->step};
	say_now(said);
}

/* ---- customers ---------------------------------------------------------------------------------
 */

static void start_some(struct load *load);

static void end_dialogue(struct customer *customer)
{
	struct load *load = customer->load;

	customer->is_done = true;
	load->running--;
	load->total.dialogues++;
	if (load->rate <= 0)
		start_some(load);
}

static void go_on(struct customer *customer)
{
	struct load *load = customer->load;
	const struct step *step = &load->script.steps[customer->step];

	if (customer->step == load->script.count) {
		end_dialogue(customer);
		return;
	}
	customer->wants_code = step->kind == STEP_CODE && !customer->code[0];
	if (customer->wants_code)
		return; /* goes on when the SMS comes */
	customer->answers_due = (uint16_t)step->answers;
	customer->said_ns = clock_monotonic_ns();
	load->total.said++;
	say(customer);
}

static bool start_one(struct load *load)
{
	if (load->is_over || load->next_customer == load->customers_count)
		return false;
	load->running++;
	go_on(&load->customers[load->next_customer++]);
	return true;
}

/* Closed loop: so many at any time. */
static void start_some(struct load *load)
{
	while (load->running < load->active_max && start_one(load))
		continue;
}

/* Open loop: by the clock, whatever the daemon does. */
static void start_by_clock(void *arg)
{
	struct load *load = arg;
	double due = (double)(clock_monotonic_ns() - load->begin_ns) / (double)NS_PER_S *
		     load->rate / (double)load->script.count;

	while ((double)load->next_customer < due && start_one(load))
		continue;
	if (!load->is_over && load->next_customer < load->customers_count)
		loop_after(load->loop, NS_PER_MS, start_by_clock, load);
}

/* ---- statuses ----------------------------------------------------------------------------------
 */

struct chain {
	struct customer *customer;
	unsigned stage;
	char wamid[48];
	char callback[128];
};

static const char *const stages[] = {"sent", "delivered", "read"};

static void send_status(void *arg);

static void on_status(void *arg, unsigned status, pa_str body)
{
	struct chain *chain = arg;
	struct load *load = chain->customer->load;

	(void)body;
	if (status != 200) {
		load->total.refused++;
		loop_after(load->loop, RETRY_MS * NS_PER_MS, send_status, chain);
		return;
	}
	load->total.statuses++;
	if (++chain->stage < ARRAY_COUNT(stages))
		send_status(chain);
	else
		free(chain);
}

static void send_status(void *arg)
{
	struct chain *chain = arg;
	struct load *load = chain->customer->load;
	struct buf body PA_CLEANUP(buf_done) = BUF_INIT(8192);
	unsigned long long phone = load->phone_base + index_of(chain->customer);

	open_envelope(load, &body);
	buf_format(&body,
		   "\"statuses\":[{\"id\":\"%s\",\"status\":\"%s\",\"timestamp\":\"%lld\","
		   "\"recipient_id\":\"%llu\",\"recipient_user_id\":\"CO.%llu\"",
		   chain->wamid, stages[chain->stage], (long long)(clock_now_ns() / NS_PER_S),
		   phone, phone);
	if (chain->callback[0])
		buf_format(&body, ",\"biz_opaque_callback_data\":\"%s\"", chain->callback);
	buf_add(&body, PA_STR("}]}}]}]}"));
	post_signed(load, buf_str(&body), on_status, chain);
}

/* ---- the Graph API -----------------------------------------------------------------------------
 */

/* What stands behind `"key":"` up to the next quote, as written. */
static pa_str json_text(pa_str body, pa_str key_and_quote)
{
	size_t at = str_find(body, key_and_quote);
	pa_str rest;

	if (at == SIZE_MAX)
		return PA_STR_ABSENT;
	rest = str_slice(body, at + key_and_quote.len, SIZE_MAX);
	return str_split(&rest, '"');
}

/* The i-th id among buttons or rows. */
static pa_str find_tap(pa_str body, unsigned index)
{
	size_t at = str_find(body, PA_STR("\"action\":"));
	pa_str id = PA_STR_ABSENT;

	body = at == SIZE_MAX ? PA_STR_ABSENT : str_slice(body, at, SIZE_MAX);
	for (unsigned i = 0; i <= index; i++) {
		id = json_text(body, PA_STR("\"id\":\""));
		if (str_is_absent(id))
			break;
		body.len -= (size_t)(id.ptr - body.ptr);
		body.ptr = id.ptr;
	}
	return id;
}

static bool is_seen(struct customer *customer, pa_str callback)
{
	uint32_t hash = (uint32_t)str_hash(callback);

	for (size_t i = 0; i < customer->seen_count; i++) {
		if (customer->seen[i] == hash)
			return true;
	}
	if (!customer->seen && !(customer->seen = calloc(SEEN_MAX, sizeof(*customer->seen))))
		abort();
	if (customer->seen_count < SEEN_MAX)
		customer->seen[customer->seen_count++] = hash;
	return false;
}

/* An accepted answer, on its way through Meta. */
struct answer {
	struct load *load;
	struct customer *customer;
	struct talk *talk;
	struct chain *chain;
	bool is_last; /* the customer goes on when he has it */
};

static void deliver(void *arg)
{
	struct answer *answer = arg;
	struct buf body PA_CLEANUP(buf_done) = BUF_INIT(1024);
	unsigned long long phone = answer->load->phone_base + index_of(answer->customer);

	buf_format(&body,
		   "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+%llu\","
		   "\"wa_id\":\"%llu\"}],\"messages\":[{\"id\":\"%s\"}]}",
		   phone, phone, answer->chain->wamid);
	talk_answer(answer->talk, 200, PA_STR("Content-Type: application/json\r\n"),
		    buf_str(&body));
	send_status(answer->chain);
	if (answer->is_last)
		go_on(answer->customer);
	free(answer);
}

/* True if it was the last answer that the step waited for. */
static bool take_answer(struct customer *customer, pa_str body, pa_str callback)
{
	struct load *load = customer->load;
	const struct step *step = &load->script.steps[customer->step];
	pa_str tap;

	if (!str_is_absent(callback) && is_seen(customer, callback)) {
		load->total.doubled++;
		return false;
	}
	if (customer->answers_due == 0) {
		load->total.unexpected++;
		return false;
	}
	if (--customer->answers_due)
		return false;
	if (step->expect[0] && str_find(body, str_from(step->expect)) == SIZE_MAX)
		load->total.mismatched++;
	load->total.answered++;
	load->last_answer_ns = clock_monotonic_ns();
	if (load->is_measuring)
		histogram_add(&load->answer, load->last_answer_ns - customer->said_ns);
	customer->step++;
	if (customer->step < load->script.count && step[1].kind == STEP_TAP) {
		tap = find_tap(body, step[1].tap);
		free(customer->tap);
		customer->tap = strndup(tap.ptr ? tap.ptr : "", tap.len);
	}
	return true;
}

static struct customer *customer_at(struct load *load, uint64_t number, uint64_t base)
{
	return number >= base && number - base < load->customers_count
		       ? &load->customers[number - base]
		       : NULL;
}

static void on_message(struct load *load, struct talk *talk)
{
	pa_str to = json_text(talk->body, PA_STR("\"to\":\"+"));
	pa_str callback = json_text(talk->body, PA_STR("\"biz_opaque_callback_data\":\""));
	struct customer *customer = NULL;
	struct answer *answer;
	uint64_t number;

	if (str_is_absent(to)) { /* a mark as read */
		talk_answer(talk, 200, PA_STR("Content-Type: application/json\r\n"),
			    PA_STR("{\"success\":true}"));
		return;
	}
	if (str_to_uint64(to, &number))
		customer = customer_at(load, number, load->phone_base);
	if (!customer) {
		talk_answer(talk, 400, PA_STR_ABSENT, PA_STR("{\"error\":{\"code\":131026}}"));
		return;
	}
	answer = calloc(1, sizeof(*answer));
	*answer = (struct answer){.load = load, .customer = customer, .talk = talk};
	answer->chain = calloc(1, sizeof(*answer->chain));
	answer->chain->customer = customer;
	snprintf(answer->chain->wamid, sizeof(answer->chain->wamid), "wamid.HBgM%llxX%llx",
		 (unsigned long long)load->run, (unsigned long long)++load->serial);
	snprintf(answer->chain->callback, sizeof(answer->chain->callback), "%.*s",
		 PA_FMT(callback));
	answer->is_last = take_answer(customer, talk->body, callback);
	if (load->latency_ns)
		loop_after(load->loop, load->latency_ns, deliver, answer);
	else
		deliver(answer);
}

/* ---- the SMS gateway ---------------------------------------------------------------------------
 */

/* The next run of exactly so many digits, whatever the format around it. */
static pa_str find_digits(pa_str text, size_t wanted)
{
	size_t run = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9') {
			run++;
			continue;
		}
		if (run == wanted)
			return str_slice(text, i - run, run);
		run = 0;
	}
	return PA_STR_ABSENT;
}

static void on_sms(struct load *load, struct talk *talk)
{
	pa_str to = find_digits(talk->body, 12), code = find_digits(talk->body, 6);
	struct customer *customer = NULL;
	uint64_t number;
	char answer[64];

	if (str_to_uint64(to, &number))
		customer = customer_at(load, number, load->mobile_base);
	snprintf(answer, sizeof(answer), "{\"id\":\"sms-%llu\",\"status\":\"accepted\"}",
		 (unsigned long long)++load->serial);
	talk_answer(talk, 200, PA_STR("Content-Type: application/json\r\n"), str_from(answer));
	if (!customer || str_is_absent(code))
		return;
	snprintf(customer->code, sizeof(customer->code), "%.*s", PA_FMT(code));
	if (customer->wants_code)
		go_on(customer);
}

static void on_talk(void *arg, struct talk *talk)
{
	struct load *load = arg;

	if (str_ends(talk->target, PA_STR("/messages")))
		on_message(load, talk);
	else
		on_sms(load, talk);
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static int64_t waiting(const struct load *load)
{
	return (int64_t)(load->total.said - load->total.answered);
}

static void sample_cpu(struct load *load, int64_t sign)
{
	load->cpu_own += sign * own_cpu_ns();
	if (load->daemon_pid)
		load->cpu_daemon += sign * process_cpu_ns(load->daemon_pid);
	if (load->postgres_pid)
		load->cpu_postgres += sign * process_cpu_ns(load->postgres_pid);
}

static void look_at_memory(void *arg)
{
	struct load *load = arg;
	int64_t kib = process_rss_anon_kib(load->daemon_pid);

	if (kib > load->rss_max)
		load->rss_max = kib;
	if (!load->is_over)
		loop_after(load->loop, NS_PER_S, look_at_memory, load);
}

static void wait_for_the_rest(void *arg)
{
	struct load *load = arg;

	if ((waiting(load) == 0 && poster_pending(load->webhook) == 0) ||
	    clock_monotonic_ns() - load->last_answer_ns > load->patience_ns)
		loop_stop(load->loop);
	else
		loop_after(load->loop, 20 * NS_PER_MS, wait_for_the_rest, load);
}

/* The end comes with the time, or with the last customer. */
static void watch_end(void *arg)
{
	struct load *load = arg;
	int64_t now = clock_monotonic_ns();
	bool is_used_up = load->next_customer == load->customers_count && load->running == 0;

	if (now - load->open_ns < load->measure_ns && !is_used_up &&
	    now - load->last_answer_ns < load->patience_ns) {
		loop_after(load->loop, 5 * NS_PER_MS, watch_end, load);
		return;
	}
	sample_cpu(load, 1);
	load->rss_end = process_rss_anon_kib(load->daemon_pid);
	load->measured_ns = now - load->open_ns;
	load->at_end = load->total;
	load->waiting_end = waiting(load);
	load->is_measuring = false;
	load->is_over = true;
	wait_for_the_rest(load);
}

static void begin_measuring(void *arg)
{
	struct load *load = arg;

	load->open_ns = load->last_answer_ns = clock_monotonic_ns();
	load->at_start = load->total;
	load->waiting_start = waiting(load);
	load->is_measuring = true;
	sample_cpu(load, -1);
	load->rss_begin = process_rss_anon_kib(load->daemon_pid);
	watch_end(load);
}

static void print_latency(const char *name, const struct histogram *histogram)
{
	printf("  \"%s\": {\"count\": %llu, \"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": "
	       "%.2f},\n",
	       name, (unsigned long long)histogram->count, histogram_ms(histogram, 0.5),
	       histogram_ms(histogram, 0.99), histogram_ms(histogram, 0.999),
	       (double)histogram->max_us / 1000);
}

static void print_report(const struct load *load)
{
	uint64_t answered = load->at_end.answered - load->at_start.answered;
	uint64_t statuses = load->at_end.statuses - load->at_start.statuses;
	double seconds = (double)load->measured_ns / (double)NS_PER_S;
	double per = answered ? 1000.0 * (double)answered : 1;

	printf("{\n  \"seconds\": %.2f,\n  \"messages\": %llu,\n  \"per_second\": %.1f,\n", seconds,
	       (unsigned long long)answered, (double)answered / seconds);
	printf("  \"statuses_per_second\": %.1f,\n", (double)statuses / seconds);
	print_latency("ack_ms", &load->ack);
	print_latency("answer_ms", &load->answer);
	printf("  \"dialogues\": %llu,\n  \"lost\": %lld,\n  \"doubled\": %llu,\n  "
	       "\"out_of_order\": "
	       "%llu,\n  \"unexpected\": %llu,\n  \"refused\": %llu,\n",
	       (unsigned long long)load->total.dialogues, (long long)waiting(load),
	       (unsigned long long)load->total.doubled, (unsigned long long)load->total.mismatched,
	       (unsigned long long)load->total.unexpected, (unsigned long long)load->total.refused);
	printf("  \"backlog_start\": %lld,\n  \"backlog_end\": %lld,\n",
	       (long long)load->waiting_start, (long long)load->waiting_end);
	printf("  \"cpu_us_per_message\": {\"daemon\": %.1f, \"postgres\": %.1f, \"generator\": "
	       "%.1f},\n",
	       (double)load->cpu_daemon / per, (double)load->cpu_postgres / per,
	       (double)load->cpu_own / per);
	printf("  \"rss_anon_kib\": {\"idle\": %lld, \"begin\": %lld, \"end\": %lld, "
	       "\"max\": %lld}\n}\n",
	       (long long)load->rss_idle, (long long)load->rss_begin, (long long)load->rss_end,
	       (long long)load->rss_max);
}

static bool set_up(struct load *load, const struct others *others)
{
	load->loop = loop_new();
	load->webhook = poster_new(load->loop, others->webhook, others->connections);
	load->customers = calloc(load->customers_count, sizeof(*load->customers));
	if (!load->webhook || !load->customers || !script_read(&load->script, others->script))
		return false;
	for (uint64_t i = 0; i < load->customers_count; i++)
		load->customers[i].load = load;
	serve_new(load->loop, (uint16_t)others->port, on_talk, load);
	return true;
}

int main(int argc, char **argv)
{
	static struct load the_load;
	struct load *load = &the_load;
	struct others others = {.port = 0};

	if (crypto_init() != PA_OK)
		return 1;
	if (!load_parse_options(load, &others, argc, argv))
		return 2;
	if (!set_up(load, &others))
		return 1;
	load->begin_ns = clock_monotonic_ns();
	load->rss_idle = process_rss_anon_kib(load->daemon_pid);
	loop_after(load->loop, load->warm_ns, begin_measuring, load);
	loop_after(load->loop, 0, look_at_memory, load);
	if (load->rate > 0)
		start_by_clock(load);
	else
		start_some(load);
	loop_run(load->loop);
	print_report(load);
	return waiting(load) == 0 && load->total.doubled == 0 ? 0 : 1;
}
