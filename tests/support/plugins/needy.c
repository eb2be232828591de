/* SPDX-License-Identifier: Apache-2.0 */
#define FIXTURE_NAME "needy"
#define FIXTURE_SCAN needy_scan
#include <proalto/scanner.h>

pa_status symbol_of_no_library(void);

static pa_status needy_scan(void *self, pa_call *call, pa_str file, uint32_t *ret_verdict,
			    pa_str *ret_name, pa_error *err)
{
	(void)self;
	(void)call;
	(void)file;
	(void)ret_verdict;
	(void)ret_name;
	(void)err;
	return symbol_of_no_library();
}

#include "fixture.h"
