/* SPDX-License-Identifier: Apache-2.0
 *
 * support/whatsapp_rig.h: channel-whatsapp opened with invented credentials.
 */
#ifndef SUPPORT_WHATSAPP_RIG_H
#define SUPPORT_WHATSAPP_RIG_H

#include "support/channel_rig.h"

#define WHATSAPP_NUMBER "417700000000123"
#define WHATSAPP_SECRET "proalto-demo-secret"
#define WHATSAPP_SECRET_BEFORE "proalto-former-secret"
#define WHATSAPP_VERIFY "demo-verify-token"
#define WHATSAPP_TOKEN "demo-access-token"

/* The defaults and the above; more: further settings, which win. The program ends if that fails. */
void whatsapp_rig_open(struct rig *rig, const struct rig_setting *more, size_t count);

/* The same with what the test wants to see refused. */
pa_status whatsapp_rig_try(struct rig *rig, const struct rig_setting *more, size_t count,
			   pa_error *err);

#endif
