/* SPDX-License-Identifier: Apache-2.0
 *
 * Language, scanners, transcribers, time-stampers: bytes in, a judgement out.
 */
#include "contract/check.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"

#include <proalto/nlp.h>
#include <proalto/scanner.h>
#include <proalto/timestamper.h>
#include <proalto/transcriber.h>

#define MILLION 1000000u
#define QUICK_MS 1500

static pa_status run_nlp(const struct subject *subject, pa_call *call, pa_str text, pa_error *err)
{
	const pa_nlp_ops *ops = subject->plugin->ops;
	const pa_intent *const *intents = NULL;
	uint32_t before = MILLION;
	size_t count = 0;
	pa_status status =
		ops->classify(subject->self, call, text, PA_STR_ABSENT, &intents, &count, err);

	if (status == PA_OK && count > 1000)
		fake_problem("classify returned %zu intents", count);
	for (size_t i = 0; status == PA_OK && i < count && i < 1000; i++) {
		judge_str("classify", intents[i]->name);
		if (!intents[i]->name.len || intents[i]->confidence > before)
			fake_problem("classify: intent %zu has no name or a wrong confidence", i);
		before = intents[i]->confidence;
	}
	return status;
}

static pa_status run_scanner(const struct subject *subject, pa_call *call, pa_str text,
			     pa_error *err)
{
	const pa_scanner_ops *ops = subject->plugin->ops;
	pa_str name = PA_STR_ABSENT;
	uint32_t verdict = 0;
	pa_status status = ops->scan(subject->self, call, text, &verdict, &name, err);

	if (status == PA_OK && (verdict < PA_SCAN_CLEAN || verdict > PA_SCAN_UNKNOWN))
		fake_problem("scan: the verdict %u is unknown", verdict);
	judge_str("scan", name);
	return status;
}

static pa_status run_transcriber(const struct subject *subject, pa_call *call, pa_str text,
				 pa_error *err)
{
	const pa_transcriber_ops *ops = subject->plugin->ops;
	pa_str heard = PA_STR_ABSENT;
	uint32_t confidence = 0;
	pa_status status = ops->transcribe(subject->self, call, text, PA_STR("audio/ogg"), &heard,
					   &confidence, err);

	if (status == PA_OK && confidence > MILLION)
		fake_problem("transcribe: the confidence is %u", confidence);
	judge_str("transcribe", heard);
	return status;
}

static pa_status run_timestamper(const struct subject *subject, pa_call *call, pa_str text,
				 pa_error *err)
{
	static const uint8_t digest[32] = {1, 2, 3};
	const pa_timestamper_ops *ops = subject->plugin->ops;
	pa_str token = PA_STR_ABSENT;
	int64_t at_ns = 0;

	(void)text;
	pa_status status = ops->stamp(subject->self, call, digest, &token, &at_ns, err);

	if (status == PA_OK && (!token.len || at_ns <= 0))
		fake_problem("stamp: success without a token or a time");
	judge_str("stamp", token);
	return status;
}

static void run_one(const struct subject *subject, pa_str text, int64_t deadline_ms)
{
	static pa_status (*const by_kind[])(const struct subject *, pa_call *, pa_str,
					    pa_error *) = {
		[PA_KIND_NLP] = run_nlp,
		[PA_KIND_SCANNER] = run_scanner,
		[PA_KIND_TRANSCRIBER] = run_transcriber,
		[PA_KIND_TIMESTAMPER] = run_timestamper,
	};
	pa_call *call = fake_call_new(deadline_ms);
	pa_error err = ERROR_INIT;

	judge_status("the operation",
		     by_kind[subject->plugin->kind](subject, call, fake_guard(text), &err), &err);
	fake_call_free(call);
	fake_guard_free();
}

static void case_hostile(const struct subject *subject)
{
	for (size_t i = 0; i < hostile_count; i++)
		run_one(subject, hostile_text(subject->arena, i), 2000);
}

static void case_mutations(const struct subject *subject)
{
	struct noise noise = {.state = 424242};

	for (size_t i = 0; i < 500; i++) {
		struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)8 << 20);
		pa_str seed = subject->seeds_count ? subject->seeds[i % subject->seeds_count]
						   : PA_STR("quiero saber mi saldo, por favor");

		run_one(subject, noise_mutate(&noise, arena, seed), 2000);
	}
}

static void case_http_fails(const struct subject *subject)
{
	static const pa_status failures[] = {PA_RETRY, PA_REJECTED, PA_DEADLINE, PA_OK};

	for (size_t i = 0; i < ARRAY_COUNT(failures) * 4; i++) {
		fake_plan(&(struct fake_plan){.fail_at = (unsigned)(i % 4) + 1,
					      .failure = failures[i / 4],
					      .reason = PA_HTTP_FAILED_AFTER_SEND,
					      .status = 500,
					      .body = PA_STR("<html>")});
		run_one(subject, PA_STR("quiero saber mi saldo"), 2000);
	}
}

static void case_without_time(const struct subject *subject)
{
	int64_t begin = clock_monotonic_ns();

	run_one(subject, PA_STR("saldo"), 0);
	if (clock_monotonic_ns() - begin > QUICK_MS * NS_PER_MS)
		fake_problem("took long without having any time");
}

static void parallel_work(const struct subject *subject, unsigned thread)
{
	(void)thread;
	case_mutations(subject);
}

static void case_parallel(const struct subject *subject)
{
	in_parallel(parallel_work, subject);
}

#define CASES                                                                                      \
	{                                                                                          \
		{"bears hostile input", case_hostile}, {"bears mutilated input", case_mutations},  \
			{"bears each HTTP call failing in turn", case_http_fails},                 \
			{"is back at once when there is no time", case_without_time},              \
			{"works on four threads", case_parallel}, {NULL, NULL},                    \
	}
const struct check_case nlp_cases[] = CASES;
const struct check_case scanner_cases[] = CASES;
const struct check_case transcriber_cases[] = CASES;
const struct check_case timestamper_cases[] = CASES;
