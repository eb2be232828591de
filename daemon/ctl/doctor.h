/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/doctor.h: the checks of proaltoctl doctor. Each is one function that adds what it found;
 * doctor.c runs each in a process of its own, all at once and for some seconds, so that one that
 * hangs or dies costs its own answer only. What can't be seen is HEALTH_UNKNOWN, with why.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "config/config.h"
#include "ctl/findings.h"
#include "io/http_client.h"

#define DOCTOR_REQUEST_MS 4000 /* a request to somebody else */

struct doctor {
	struct ctl *ctl;
	struct arena *arena;
	struct host *host;
	const struct config *config; /* accepted, secrets and all; NULL: it is not */
	const struct config *look;   /* the same, or without the secrets; NULL: not even that */
	const struct config_problems *problems; /* of config */
	const char *public_url; /* where providers reach the webhooks; NULL: not told */
	bool is_service; /* we are root or the service's user: what is refused to us is refused to
			    it */
};

typedef void doctor_fn(const struct doctor *doctor, struct findings *findings);

/* doctor_files.c */
doctor_fn doctor_config, doctor_file_mode, doctor_credentials, doctor_plugins, doctor_inspector,
	doctor_disk, doctor_certificates;
/* doctor_service.c */
doctor_fn doctor_unit, doctor_service;
/* doctor_store.c; these run as the service's user. */
doctor_fn doctor_store;
/* doctor_peers.c */
doctor_fn doctor_whatsapp, doctor_gateway, doctor_policy, doctor_public;

/* Warns from 30 days before, 7 days before it is critical. */
void doctor_certificate(struct findings *findings, const char *check, const char *what,
			int64_t ends_ns);

#endif
