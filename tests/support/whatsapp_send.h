/* SPDX-License-Identifier: Apache-2.0
 *
 * support/whatsapp_send.h: how the tests of channel-whatsapp's requests make messages and look at
 * what became of them. To be included after cmocka.h; one rig a program.
 */
#ifndef SUPPORT_WHATSAPP_SEND_H
#define SUPPORT_WHATSAPP_SEND_H

#include "base/arena.h"
#include "base/err.h"
#include "support/check.h"
#include "support/fake_host.h"
#include "support/whatsapp_rig.h"

#include <string.h>

#define PHONE "573005550142"
#define USER_ID "CO.13400000000000007919"

static struct rig rig;

/* A call of its own for each message. */
static inline pa_status build(const pa_message *message, pa_http_request *request, pa_error *err)
{
	rig_next_call(&rig);
	*err = (pa_error){.size = sizeof(*err)};
	return rig.ops->build(rig.self, rig.call, message, request, err);
}

/* A message of the kind to PHONE, without content. */
static inline pa_message message_of(uint32_t kind)
{
	return (pa_message){
		.size = sizeof(pa_message),
		.kind = kind,
		.medium = PA_MEDIUM_CHAT,
		.account = PA_STR(WHATSAPP_NUMBER),
		.phone = PA_STR(PHONE),
	};
}

static inline void expect_taken(const pa_message *message)
{
	pa_http_request request;
	pa_error err;

	if (build(message, &request, &err) != PA_OK)
		fail_msg("refused: %s", error_text(&err));
}

/* Refused with a text that has in_error in it and nobody's phone. */
static inline void expect_refused(const pa_message *message, const char *in_error)
{
	pa_http_request request;
	pa_error err;

	if (build(message, &request, &err) != PA_REJECTED)
		fail_msg("taken, though %s", in_error);
	if (!strstr(error_text(&err), in_error))
		fail_msg("\"%s\" does not say \"%s\"", error_text(&err), in_error);
	assert_false(fake_is_forbidden(str_from(error_text(&err))));
}

/* count times ñ: two bytes each, one character. */
static inline pa_str letters(struct arena *arena, size_t count)
{
	char *text = arena_alloc(arena, 2 * count + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + 2 * i, "\xc3\xb1", 2);
	return (pa_str){text, 2 * count};
}

static inline int open_rig(void **state)
{
	(void)state;
	fake_forbid(PHONE);
	fake_forbid(USER_ID);
	fake_forbid(WHATSAPP_TOKEN);
	whatsapp_rig_open(&rig, NULL, 0);
	return 0;
}

static inline int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	return (int)fake_problems();
}

#endif
