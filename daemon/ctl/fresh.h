/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/fresh.h: the secrets that a configuration names, and which of them lie on the disk in a newer
 * version than the daemon has taken. Bad at: files that came with an old date (cp -p), and what the
 * asking user can't see.
 */
#ifndef CTL_FRESH_H
#define CTL_FRESH_H

#include "ctl/ctl.h"

#define FRESH_MAX 64

/* Their references, once each: "credential:NAME", "file:/PATH". */
struct references {
	pa_str list[FRESH_MAX];
	size_t count;
};

pa_status references_read(struct ctl *ctl, struct references *ret, pa_error *err) PA_MUST_USE;

/* status: the daemon's answer. What a reload takes is a file; a credential, systemd hands over at a
 * start. NULL: the daemon has what lies there. Otherwise what to type. */
const char *fresh_secret(struct ctl *ctl, pa_str reference, const struct json *status);

/* The systemd unit of this configuration: /etc/proalto-dos.conf is proalto@dos.service's. */
const char *fresh_unit(struct ctl *ctl);

#endif
