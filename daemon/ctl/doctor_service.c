/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon as systemd sees it, and as it tells of itself.
 */
#include "ctl/doctor.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/fresh.h"
#include "ctl/tell.h"
#include "io/child.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SAID_MAX 4096

/* ---- systemd ---- */

void doctor_unit(const struct doctor *doctor, struct findings *findings)
{
	const char *unit = fresh_unit(doctor->ctl);
	const char *const argv[] = {"systemctl", "show", "--property=ActiveState",
				    "--value",   unit,   NULL};
	pa_error err = ERROR_INIT;
	pa_str said;
	bool is_active;

	if (access("/run/systemd/system", F_OK) != 0) {
		findings_add(findings, "unit", HEALTH_UNKNOWN, NULL, "%s",
			     ctl_say("systemd no está a cargo de este equipo",
				     "systemd does not run this machine"));
		return;
	}
	if (child_run(doctor->arena, argv, PA_STR_ABSENT, SAID_MAX, &said, &err) != PA_OK) {
		findings_add(findings, "unit", HEALTH_UNKNOWN, NULL, "%s", error_text(&err));
		return;
	}
	said = str_trim(said);
	is_active = str_equal(said, PA_STR("active")) || str_equal(said, PA_STR("reloading"));
	findings_add(findings, "unit", is_active ? HEALTH_OK : HEALTH_CRITICAL,
		     is_active ? NULL
			       : "systemctl status proalto; journalctl -u proalto -e; sudo "
				 "systemctl start proalto",
		     "%s: %.*s", unit, PA_FMT(said));
}

/* ---- the control socket ---- */

static void judge_core(const struct json *said, struct findings *findings)
{
	pa_str word = json_text_of(said, "core");
	bool is_up = str_equal(word, PA_STR("up"));

	if (json_bool_of(said, "core_disabled"))
		findings_add(
			findings, "plugins-disabled", HEALTH_CRITICAL,
			"journalctl -u proalto -p err; sudo systemctl restart proalto", "%s",
			ctl_say("el complemento del sistema central está desactivado: hizo caer "
				"el servicio tres veces en diez minutos",
				"the core system's plugin is disabled: it brought the daemon "
				"down three times in ten minutes"));
	if (str_equal(word, PA_STR("none")))
		findings_add(findings, "core", HEALTH_WARNING, NULL, "%s",
			     ctl_say("no hay sistema central configurado: nadie se identifica",
				     "no core system is configured: nobody can be identified"));
	else
		findings_add(findings, "core", is_up ? HEALTH_OK : HEALTH_CRITICAL,
			     is_up ? NULL : "journalctl -u proalto -p warning", "%s",
			     is_up ? ctl_say("responde", "answers")
				   : ctl_say("no responde: a los clientes se les dice que esperen",
					     "does not answer: customers are told to wait"));
	if (json_bool_of(said, "language_disabled"))
		findings_add(findings, "plugins-disabled", HEALTH_WARNING,
			     "journalctl -u proalto -p err; sudo systemctl restart proalto", "%s",
			     ctl_say("el complemento de lenguaje está desactivado",
				     "the language plugin is disabled"));
}

static void judge_channel(const struct doctor *doctor, const struct json *channel,
			  struct findings *findings)
{
	const struct json *error = json_get(channel, "last_error");
	pa_str name = json_text_of(channel, "name");
	bool is_well =
		json_bool_of(channel, "healthy") && json_integer_of(channel, "paused_ms") == 0;

	if (json_bool_of(channel, "disabled"))
		findings_add(findings, "plugins-disabled", HEALTH_CRITICAL,
			     "journalctl -u proalto -p err; sudo systemctl restart proalto",
			     ctl_say("el canal %.*s está desactivado: su complemento hizo caer el "
				     "servicio tres veces en diez minutos",
				     "channel %.*s is disabled: its plugin brought the daemon down "
				     "three times in ten minutes"),
			     PA_FMT(name));
	else if (is_well)
		findings_add(findings, "channels", HEALTH_OK, NULL, "%.*s: %s", PA_FMT(name),
			     ctl_say("envía", "sends"));
	else
		findings_add(findings, "channels", HEALTH_CRITICAL, "proaltoctl status", "%.*s: %s",
			     PA_FMT(name),
			     tell_error(doctor->arena, json_text_of(channel, "plugin"),
					json_integer_of(error, "code"),
					json_text_of(error, "reason")));
}

/* Somebody has put a new one there and nobody has told the daemon. */
static void judge_secrets(const struct doctor *doctor, const struct json *said,
			  struct findings *findings)
{
	struct references references;
	pa_error err = ERROR_INIT;

	if (references_read(doctor->ctl, &references, &err) != PA_OK)
		return; /* doctor_credentials tells */
	for (size_t i = 0; i < references.count; i++) {
		const char *todo = fresh_secret(doctor->ctl, references.list[i], said);

		if (todo)
			findings_add(findings, "secrets", HEALTH_WARNING, todo, "%.*s: %s",
				     PA_FMT(references.list[i]),
				     ctl_say("en el disco hay uno más nuevo que el que se usa",
					     "there is a newer one on the disk than in use"));
	}
}

static void judge_answer(const struct doctor *doctor, const struct json *said,
			 struct findings *findings)
{
	const struct json *channels = json_get(said, "channels");
	const struct json *stuck = json_get(said, "stuck_calls");

	findings_add(findings, "service", HEALTH_OK, NULL, "proaltod %.*s, %s %.*s",
		     PA_FMT(json_text_of(said, "version")), ctl_say("nodo", "node"),
		     PA_FMT(json_text_of(said, "node")));
	if (!json_bool_of(said, "store") || json_text_of(said, "store_error").len)
		findings_add(findings, "service-store", HEALTH_CRITICAL, "proaltoctl status",
			     "%s %.*s",
			     ctl_say("el servicio no puede trabajar con la base:",
				     "the service can't work with the database:"),
			     PA_FMT(json_text_of(said, "store_error")));
	if (json_bool_of(said, "last_reload_refused"))
		findings_add(
			findings, "reload", HEALTH_WARNING, "sudo proaltoctl check", "%s",
			ctl_say("la última recarga se rechazó: sigue la configuración anterior",
				"the last reload was refused: the old configuration stays"));
	judge_secrets(doctor, said, findings);
	judge_core(said, findings);
	for (size_t i = 0; i < json_count(channels); i++)
		judge_channel(doctor, json_at(channels, i), findings);
	for (size_t i = 0; i < json_count(stuck); i++)
		findings_add(
			findings, "stuck", HEALTH_CRITICAL, "journalctl -u proalto -p err",
			ctl_say("una llamada a %.*s no vuelve", "a call to %.*s does not return"),
			PA_FMT(json_text_of(json_at(stuck, i), "plugin")));
}

/* Silence has a reason: no daemon, or no right to ask it. */
static void judge_silence(const struct doctor *doctor, int status, struct findings *findings)
{
	const char *path = config_control_socket(doctor->ctl->config_path, doctor->arena);
	bool is_there = path && access(path, F_OK) == 0;

	if (status != CTL_NO_DAEMON || !path)
		findings_add(findings, "service", HEALTH_UNKNOWN, NULL, "%s",
			     ctl_say("no se sabe dónde contesta", "nobody knows where it answers"));
	else if (is_there && !doctor->is_service)
		findings_add(
			findings, "service", HEALTH_UNKNOWN, "sudo proaltoctl doctor", "%s: %s",
			path,
			ctl_say("no contesta a este usuario (root, o el grupo proalto-admin)",
				"does not answer this user (root, or the group proalto-admin)"));
	else
		findings_add(findings, "service", HEALTH_CRITICAL,
			     "sudo systemctl start proalto; journalctl -u proalto -e", "%s: %s",
			     path,
			     ctl_say("el servicio no contesta", "the service does not answer"));
}

void doctor_service(const struct doctor *doctor, struct findings *findings)
{
	struct json *said PA_CLEANUP(json_done) = NULL;
	int status = ctl_command(doctor->ctl, "status", &said);

	if (status == CTL_OK)
		judge_answer(doctor, said, findings);
	else
		judge_silence(doctor, status, findings);
}
