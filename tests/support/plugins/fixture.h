/* SPDX-License-Identifier: Apache-2.0
 *
 * support/plugins/fixture.h: what the plugins that must be refused have in common: a sound scanner
 * descriptor, of which each breaks one thing.
 *
 *	#define FIXTURE_NAME "other-major"
 *	#define FIXTURE_MAJOR 2
 *	#include "fixture.h"
 */
#include <proalto/scanner.h>

#ifndef FIXTURE_MAJOR
#define FIXTURE_MAJOR PA_ABI_MAJOR
#endif
#ifndef FIXTURE_SCAN
#define FIXTURE_SCAN fixture_scan
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

PROALTO_PLUGIN(fixture) = {
	.size = sizeof(pa_plugin),
	.abi_major = FIXTURE_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_SCANNER,
	.flags = FIXTURE_FLAGS,
	.name = FIXTURE_NAME,
	.version = "1",
	.summary = "A fixture of the tests.",
	.open = fixture_open,
	.close = fixture_close,
	.ops = &fixture_ops,
};
