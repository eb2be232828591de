/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_host.h"

#include "base/err.h"
#include "base/str.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/http_client.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALL_CAP ((size_t)16 << 20)
#define FENCE 32
#define FENCE_BYTE 0xa5
#define DEAD_BYTE 0xdd
#define MAX_FORBIDDEN 8
#define MAX_GUARDS 256
#define MAX_PROBLEMS 6 /* printed; the rest is only counted */

struct piece {
	struct piece *next;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

struct pa_call {
	struct piece *pieces;
	size_t used;
	int64_t deadline_ns;
};

struct guard {
	void *map;
	size_t size;
};

static struct fake_plan plan;
static atomic_uint http_calls;
static atomic_uint problems;
static const char *forbidden[MAX_FORBIDDEN];
static _Thread_local struct guard guards[MAX_GUARDS];
static _Thread_local size_t guards_count;

void fake_problem(const char *format, ...)
{
	char line[1000];
	va_list args;

	if (atomic_fetch_add(&problems, 1) >= MAX_PROBLEMS)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	printf("#   %s\n", line);
}

unsigned fake_problems(void)
{
	return atomic_load(&problems);
}

void fake_forbid(const char *text)
{
	for (size_t i = 0; i < MAX_FORBIDDEN; i++) {
		if (forbidden[i])
			continue;
		forbidden[i] = text;
		return;
	}
	abort();
}

bool fake_is_forbidden(pa_str text)
{
	for (size_t i = 0; i < MAX_FORBIDDEN && forbidden[i]; i++) {
		if (str_find(text, str_from(forbidden[i])) != SIZE_MAX)
			return true;
	}
	return false;
}

/* ---- memory ---- */

static void *fake_alloc(pa_call *call, size_t n)
{
	struct piece *piece;

	if (n > CALL_CAP - call->used) {
		fake_problem("asked for more than %zu MiB in one call: the daemon would end",
			     CALL_CAP >> 20);
		exit(1);
	}
	call->used += n;
	piece = calloc(1, sizeof(*piece) + n + FENCE);
	if (!piece)
		abort();
	memset(piece->data + n, FENCE_BYTE, FENCE);
	piece->size = n;
	piece->next = call->pieces;
	call->pieces = piece;
	return piece->data;
}

pa_call *fake_call_new(int64_t deadline_ms)
{
	pa_call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	call->deadline_ns = clock_monotonic_ns() + deadline_ms * NS_PER_MS;
	return call;
}

static bool fence_holds(const struct piece *piece)
{
	for (size_t i = 0; i < FENCE; i++) {
		if (piece->data[piece->size + i] != FENCE_BYTE)
			return false;
	}
	return true;
}

void fake_call_free(pa_call *call)
{
	while (call->pieces) {
		struct piece *piece = call->pieces;

		call->pieces = piece->next;
		if (!fence_holds(piece))
			fake_problem("wrote past the end of %zu bytes it had allocated",
				     piece->size);
		memset(piece->data, DEAD_BYTE, piece->size);
		free(piece);
	}
	free(call);
}

/* room is len, or one more for a NUL. */
static pa_str guard(pa_str bytes, size_t room)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (room + page - 1) / page * page + page;
	char *map;

	if (!bytes.ptr)
		return bytes;
	if (guards_count == MAX_GUARDS)
		abort();
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + size - page, page, PROT_NONE) < 0)
		abort();
	guards[guards_count++] = (struct guard){map, size};
	map += size - page - room;
	if (bytes.len)
		memcpy(map, bytes.ptr, bytes.len);
	return (pa_str){map, bytes.len};
}

pa_str fake_guard(pa_str bytes)
{
	return guard(bytes, bytes.len);
}

pa_str fake_guard_text(pa_str text)
{
	return guard(text, text.len + 1);
}

void fake_guard_free(void)
{
	while (guards_count) {
		guards_count--;
		munmap(guards[guards_count].map, guards[guards_count].size);
	}
}

/* ---- services ---- */

static int64_t fake_remaining_ms(pa_call *call)
{
	int64_t left = call->deadline_ns - clock_monotonic_ns();

	return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static int64_t fake_now_ns(pa_call *call)
{
	(void)call;
	return clock_now_ns();
}

static void fake_log(pa_call *call, uint32_t level, pa_str text)
{
	(void)call;
	if (level != PA_LOG_ERROR && level != PA_LOG_WARNING && level != PA_LOG_INFO &&
	    level != PA_LOG_DEBUG)
		fake_problem("logged with the unknown level %u", level);
	if (text.len == 0 || text.len > 500)
		fake_problem("logged a line of %zu bytes", text.len);
	if (fake_is_forbidden(text))
		fake_problem("logged a secret or a personal datum");
}

static void fake_hmac(pa_call *call, pa_str key, pa_str data, uint8_t *out)
{
	(void)call;
	hmac_sha256(key, data, out);
}

static uint32_t fake_equal(pa_call *call, pa_str a, pa_str b)
{
	(void)call;
	return equal_constant_time(a, b);
}

static void fake_random(pa_call *call, uint8_t *out, size_t n)
{
	(void)call;
	random_fill(out, n);
}

static void check_outgoing(const pa_http_request *request)
{
	if (request->size < sizeof(*request))
		fake_problem("host->http got a request whose size is not set");
	if (http_url_check(request->url, NULL) != PA_OK)
		fake_problem("host->http got an address that the daemon does not allow");
}

static pa_status fake_http(pa_call *call, const pa_http_request *request,
			   pa_http_response *ret_response, uint32_t *ret_failure, pa_error *err)
{
	unsigned number = atomic_fetch_add(&http_calls, 1) + 1;
	bool is_failing = plan.fail_at && number >= plan.fail_at;

	if (plan.is_pure) {
		fake_problem("a translating channel called host->http");
		return error_set(err, PA_BUG, "a translating channel may not block for HTTP");
	}
	check_outgoing(request);
	if (fake_remaining_ms(call) == 0)
		return error_set(err, PA_DEADLINE, "the call's time is used up");
	if (is_failing && plan.failure != PA_OK) {
		*ret_failure = plan.reason;
		return error_set(err, plan.failure, "the check made this call fail");
	}
	*ret_response = (pa_http_response){.size = ret_response->size,
					   .status = plan.status ? plan.status : 200,
					   .body = plan.body};
	return PA_OK;
}

const pa_host *fake_host(void)
{
	static const pa_host host = {
		.size = sizeof(pa_host),
		.alloc = fake_alloc,
		.remaining_ms = fake_remaining_ms,
		.now_ns = fake_now_ns,
		.log = fake_log,
		.hmac_sha256 = fake_hmac,
		.equal_constant_time = fake_equal,
		.random_bytes = fake_random,
		.http = fake_http,
	};

	return &host;
}

void fake_plan(const struct fake_plan *next)
{
	plan = *next;
	atomic_store(&http_calls, 0);
}

unsigned fake_http_calls(void)
{
	return atomic_load(&http_calls);
}
