/* SPDX-License-Identifier: Apache-2.0
 *
 * A core that knows everybody who asks, unless it was told to misbehave: whoever has the document
 * 10..., has the mobile 57300 and the document's last seven digits, and one credit.
 */
#include <proalto/backend.h>

#include "unruly.h"

static char *copy(const pa_host *host, pa_call *call, const char *head, pa_str tail)
{
	size_t len = strlen(head);
	char *text = host->alloc(call, len + tail.len + 1);

	memcpy(text, head, len);
	memcpy(text + len, tail.ptr, tail.len);
	return text;
}

/* The services, for a fixture is opened once. */
static const pa_host *services;

static pa_status core_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			   void **ret_self, pa_error *err)
{
	services = host;
	return unruly_open(host, call, values, ret_self, err);
}

static pa_status core_is_demo(void *self, pa_call *call, uint32_t *ret_is_demo, pa_error *err)
{
	(void)self;
	(void)call;
	(void)err;
	*ret_is_demo = 1;
	return PA_OK;
}

static pa_status core_find_customer(void *self, pa_call *call, pa_str document_type,
				    pa_str document, const pa_customer **ret_customer,
				    pa_error *err)
{
	pa_customer *customer;
	pa_str tail = document;

	(void)document_type;
	(void)err;
	obey(self);
	*ret_customer = NULL;
	if (document.len != 10 || memcmp(document.ptr, "10", 2) != 0)
		return PA_OK;
	tail.ptr += 3;
	tail.len -= 3;
	customer = services->alloc(call, sizeof(*customer));
	customer->size = sizeof(*customer);
	customer->document_type = (pa_str){"CC", 2};
	customer->id = customer->document = (pa_str){copy(services, call, "", document), 10};
	customer->first_name = customer->name = (pa_str){"Ana", 3};
	customer->mobile = (pa_str){copy(services, call, "57300", tail), 12};
	*ret_customer = customer;
	return PA_OK;
}

static pa_status core_credits(void *self, pa_call *call, pa_str customer_id,
			      const pa_credit *const **ret_credits, size_t *ret_count,
			      pa_error *err)
{
	pa_credit *credit = services->alloc(call, sizeof(*credit));
	const pa_credit **list = services->alloc(call, sizeof(*list));

	(void)customer_id;
	(void)err;
	obey(self);
	credit->size = sizeof(*credit);
	credit->state = PA_CREDIT_ACTIVE;
	credit->id = credit->number = (pa_str){"L1", 2};
	credit->balance = (pa_number){1250000, 1, 0};
	list[0] = credit;
	*ret_credits = list;
	*ret_count = 1;
	return PA_OK;
}

static const pa_backend_ops ops = {.size = sizeof(ops),
				   .is_demo = core_is_demo,
				   .find_customer = core_find_customer,
				   .credits = core_credits};

PROALTO_PLUGIN(unruly) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_BACKEND,
	.name = "unruly",
	.version = "1",
	.summary = "A fixture of the tests.",
	.options = unruly_options,
	.options_count = 1,
	.open = core_open,
	.close = unruly_close,
	.ops = &ops,
};
