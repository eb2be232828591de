/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h: what WhatsApp would refuse, refused here too, so that nothing works in the
 * demonstration that fails on a phone.
 *
 *	const char *reason = limits_broken_by(message);
 *
 * The figures are those of the Cloud API (developers.facebook.com/docs/whatsapp/cloud-api,
 * "Messages" and "Interactive messages"), counted in Unicode code points, ids in bytes. An
 * interactive body has 1024 where Meta's pages disagree between 1024 and 4096.
 *
 * Threads: pure functions. Bad at: telling apart what a reader takes for one character (an emoji
 * of several code points counts as several).
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <proalto/channel.h>

extern const pa_channel_limits limits_whatsapp;

/* Meta's codes for what is refused here. */
#define LIMITS_CODE_PARAMETER 131009 /* "Parameter value is not valid" */
#define LIMITS_CODE_WINDOW 131047    /* "Re-engagement message": more than 24 h */

/* NULL if the message could be sent, otherwise why not: a sentence that lives forever. */
const char *limits_broken_by(const pa_message *message);

#endif
