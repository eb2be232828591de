/* SPDX-License-Identifier: Apache-2.0
 *
 * support/plugins/fixture.h: what plugins that are made for tests have in common: a sound
 * descriptor. Those that must be refused break one thing of it, and are scanners:
 *
 *	#define FIXTURE_NAME "other-major"
 *	#define FIXTURE_MAJOR 2
 *	#include "fixture.h"
 *
 * Others bring operations of a kind, before it: FIXTURE_KIND and FIXTURE_OPS.
 */
#include <proalto/plugin.h>

#ifndef FIXTURE_MAJOR
#define FIXTURE_MAJOR PA_ABI_MAJOR
#endif
#ifndef FIXTURE_FLAGS
#define FIXTURE_FLAGS 0
#endif

static pa_status fixture_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			      void **ret_self, pa_error *err)
{
	(void)host;
	(void)call;
	(void)values;
	(void)err;
	*ret_self = NULL;
	return PA_OK;
}

static void fixture_close(void *self)
{
	(void)self;
}

#ifndef FIXTURE_OPS
#include <proalto/scanner.h>

#define FIXTURE_KIND PA_KIND_SCANNER
#define FIXTURE_OPS fixture_ops
#ifndef FIXTURE_SCAN
#define FIXTURE_SCAN fixture_scan
#endif

__attribute__((unused)) static pa_status fixture_scan(void *self, pa_call *call, pa_str file,
						      uint32_t *ret_verdict, pa_str *ret_name,
						      pa_error *err)
{
	(void)self;
	(void)call;
	(void)file;
	(void)err;
	*ret_verdict = PA_SCAN_CLEAN;
	*ret_name = (pa_str){NULL, 0};
	return PA_OK;
}

static const pa_scanner_ops fixture_ops = {.size = sizeof(fixture_ops), .scan = FIXTURE_SCAN};
#endif

PROALTO_PLUGIN(fixture) = {
	.size = sizeof(pa_plugin),
	.abi_major = FIXTURE_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = FIXTURE_KIND,
	.flags = FIXTURE_FLAGS,
	.name = FIXTURE_NAME,
	.version = "1",
	.summary = "A fixture of the tests.",
	.open = fixture_open,
	.close = fixture_close,
	.ops = &FIXTURE_OPS,
};
