/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/fresh.h"
#include "io/clock.h"
#include "io/db.h"
#include "io/tls.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PLAIN_STORE "/etc/credstore"
#define POSTGRESQL_HOME "/var/lib/postgresql"
#define CERTIFICATE_WARN_DAYS 30
#define CERTIFICATE_CRITICAL_DAYS 7
#define MIB ((uint64_t)1 << 20)

/* ---- the configuration ---- */

void doctor_config(const struct doctor *doctor, struct findings *findings)
{
	const struct config_problems *problems = doctor->problems;
	const char *path = doctor->ctl->config_path;
	size_t errors = 0;

	if (doctor->config) {
		findings_add(findings, "config", HEALTH_OK, NULL, "%s: %s", path,
			     ctl_say("se acepta", "is accepted"));
	} else if (access(path, R_OK) != 0 && errno == EACCES) {
		findings_add(findings, "config", HEALTH_UNKNOWN, "sudo proaltoctl doctor", "%s: %s",
			     path,
			     ctl_say("no se puede leer; use root", "can't be read; use root"));
		return;
	}
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->list[i];
		enum health health = problem->is_warning  ? HEALTH_WARNING
				     : doctor->is_service ? HEALTH_CRITICAL
							  : HEALTH_UNKNOWN;

		errors += !problem->is_warning;
		findings_add(findings, "config", health,
			     problem->is_warning ? NULL : "sudo proaltoctl check", "%s: %s",
			     problem->where, problem->what);
	}
	if (errors && doctor->is_service)
		findings_add(findings, "config", HEALTH_CRITICAL, NULL, "%s",
			     ctl_say("con esta configuración el servicio no vuelve a arrancar",
				     "with this configuration the service does not start again"));
}

/* Whoever may write it decides what root's service runs. */
void doctor_file_mode(const struct doctor *doctor, struct findings *findings)
{
	const char *path = doctor->ctl->config_path;
	struct stat st;

	if (stat(path, &st) != 0) {
		findings_add(findings, "config-mode", HEALTH_CRITICAL, "sudo proaltoctl setup",
			     "%s: %s", path, strerrordesc_np(errno));
		return;
	}
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)) {
		const char *todo =
			arena_format(doctor->arena, "sudo chown root %s; sudo chmod go-w %s", path,
				     path)
				.ptr;

		findings_add(findings, "config-mode", HEALTH_CRITICAL, todo, "%s: %s", path,
			     ctl_say("otros que root pueden cambiarla",
				     "others than root can change it"));
		return;
	}
	findings_add(findings, "config-mode", HEALTH_OK, NULL, "%s: %s", path,
		     ctl_say("solo root la cambia", "only root changes it"));
}

/* ---- credentials ---- */

static void judge_credential(const struct doctor *doctor, pa_str name, struct findings *findings)
{
	const char *sealed =
		config_encrypted_credential(doctor->ctl->config_path, name, doctor->arena);
	const char *plain = arena_format(doctor->arena, PLAIN_STORE "/%.*s", PA_FMT(name)).ptr;
	bool has_plain = access(plain, F_OK) == 0;
	bool has_sealed = access(sealed, F_OK) == 0;

	if (!has_sealed && errno == EACCES)
		findings_add(findings, "credentials", HEALTH_UNKNOWN, "sudo proaltoctl doctor",
			     "%.*s: %s", PA_FMT(name),
			     ctl_say("solo root lo ve", "only root can see it"));
	else if (has_plain)
		findings_add(findings, "credentials", HEALTH_WARNING,
			     arena_format(doctor->arena,
					  "sudo systemd-creds encrypt --name=%.*s %s %s && sudo "
					  "shred -u %s",
					  PA_FMT(name), plain, sealed, plain)
				     .ptr,
			     "%s: %s", plain,
			     ctl_say("el secreto está en claro", "the secret lies in the clear"));
	else if (!has_sealed)
		findings_add(findings, "credentials", HEALTH_CRITICAL,
			     arena_format(doctor->arena,
					  "sudo systemd-creds encrypt --name=%.*s - %s",
					  PA_FMT(name), sealed)
				     .ptr,
			     "%s: %s", sealed, ctl_say("falta", "is missing"));
	else
		findings_add(
			findings, "credentials", HEALTH_OK, NULL, "%.*s: %s", PA_FMT(name),
			ctl_say("está cifrada para este equipo", "is encrypted for this machine"));
}

void doctor_credentials(const struct doctor *doctor, struct findings *findings)
{
	static const pa_str prefix = {"credential:", 11};
	struct references references;
	pa_error err = ERROR_INIT;

	if (references_read(doctor->ctl, &references, &err) != PA_OK) {
		findings_add(findings, "credentials", HEALTH_UNKNOWN, NULL, "%s", error_text(&err));
		return;
	}
	for (size_t i = 0; i < references.count; i++)
		if (str_starts(references.list[i], prefix))
			judge_credential(doctor,
					 str_slice(references.list[i], prefix.len, SIZE_MAX),
					 findings);
}

/* ---- plugins ---- */

static void judge_plugin(const struct doctor *doctor, const char *plugin, bool is_optional,
			 struct findings *findings)
{
	const pa_plugin *descriptor;
	pa_error err = ERROR_INIT;

	if (host_describe(doctor->host, plugin, &descriptor, &err) != PA_OK)
		findings_add(findings, "plugins", is_optional ? HEALTH_WARNING : HEALTH_CRITICAL,
			     "sudo apt install --reinstall proalto", "%s", error_text(&err));
	else
		findings_add(findings, "plugins", HEALTH_OK, NULL, "%s %s, %s %u.%u", plugin,
			     descriptor->version, ctl_say("contrato", "contract"),
			     descriptor->abi_major, descriptor->abi_minor);
}

void doctor_plugins(const struct doctor *doctor, struct findings *findings)
{
	const struct config *look = doctor->look;

	if (!look) {
		findings_add(findings, "plugins", HEALTH_UNKNOWN, NULL, "%s",
			     ctl_say("la configuración no dice cuáles",
				     "the configuration does not tell which"));
		return;
	}
	for (size_t i = 0; i < look->channels_count; i++)
		judge_plugin(doctor, look->channels[i].plugin, look->channels[i].is_optional,
			     findings);
	for (size_t i = 0; i < look->backends_count; i++)
		judge_plugin(doctor, look->backends[i].plugin, look->backends[i].is_optional,
			     findings);
	if (look->language.plugin)
		judge_plugin(doctor, look->language.plugin, look->language.is_optional, findings);
}

/* Without it customers' files wait. */
void doctor_inspector(const struct doctor *doctor, struct findings *findings)
{
	const char *path = doctor->look ? doctor->look->file_inspector : NULL;

	if (!path)
		return;
	if (access(path, X_OK) != 0)
		findings_add(findings, "inspector", HEALTH_CRITICAL,
			     "sudo apt install --reinstall proalto", "%s: %s", path,
			     ctl_say("falta: los archivos de los clientes quedan en espera",
				     "is missing: customers' files wait"));
	else
		findings_add(
			findings, "inspector", HEALTH_OK, NULL, "%s: %s", path,
			ctl_say("revisa los archivos de los clientes", "judges customers' files"));
}

/* ---- disk ---- */

static void judge_disk(const char *path, uint64_t least, struct findings *findings)
{
	struct statvfs info;
	uint64_t free_bytes;
	unsigned percent;
	enum health health;

	if (statvfs(path, &info) != 0 || info.f_blocks == 0) {
		findings_add(findings, "disk", HEALTH_UNKNOWN, NULL, "%s: %s", path,
			     strerrordesc_np(errno));
		return;
	}
	free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
	percent = (unsigned)(100 * (uint64_t)info.f_bavail / info.f_blocks);
	health = percent < 3 || free_bytes < least / 8 ? HEALTH_CRITICAL
		 : percent < 10 || free_bytes < least  ? HEALTH_WARNING
						       : HEALTH_OK;
	findings_add(findings, "disk", health, health == HEALTH_OK ? NULL : "df -h; du -xhd2 /var",
		     ctl_say("%s: quedan %llu MiB libres (%u %%)", "%s: %llu MiB free (%u %%)"),
		     path, (unsigned long long)(free_bytes / MIB), percent);
}

static bool is_database_here(const struct doctor *doctor)
{
	struct db_peer peer;
	size_t count;

	return doctor->look && db_peers(doctor->look->database, doctor->arena, &peer, 1, &count) &&
	       count == 0;
}

void doctor_disk(const struct doctor *doctor, struct findings *findings)
{
	const char *socket = config_control_socket(doctor->ctl->config_path, doctor->arena);
	const char *slash = socket ? strrchr(socket, '/') : NULL;

	if (is_database_here(doctor))
		judge_disk(POSTGRESQL_HOME, 2048 * MIB, findings);
	judge_disk("/var/log", 256 * MIB, findings);
	if (slash && slash > socket)
		judge_disk(
			arena_copy(doctor->arena, (pa_str){socket, (size_t)(slash - socket)}).ptr,
			MIB, findings);
}

/* ---- certificates ---- */

void doctor_certificate(struct findings *findings, const char *check, const char *what,
			int64_t ends_ns)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)1 << 16);
	int64_t left_ns = ends_ns - clock_now_ns();
	int64_t days = left_ns / NS_PER_DAY;
	pa_str day = str_slice(instant_iso(arena, ends_ns), 0, 10);

	if (left_ns <= 0)
		findings_add(findings, check, HEALTH_CRITICAL,
			     ctl_say("renueve el certificado", "renew the certificate"),
			     ctl_say("%s: el certificado venció el %.*s",
				     "%s: the certificate expired on %.*s"),
			     what, PA_FMT(day));
	else
		findings_add(findings, check,
			     days < CERTIFICATE_CRITICAL_DAYS ? HEALTH_CRITICAL
			     : days < CERTIFICATE_WARN_DAYS   ? HEALTH_WARNING
							      : HEALTH_OK,
			     days < CERTIFICATE_WARN_DAYS
				     ? ctl_say("renueve el certificado", "renew the certificate")
				     : NULL,
			     ctl_say("%s: el certificado vale hasta el %.*s (%lld días)",
				     "%s: the certificate holds until %.*s (%lld days)"),
			     what, PA_FMT(day), (long long)days);
}

static void judge_file(const char *path, struct findings *findings)
{
	pa_error err = ERROR_INIT;
	int64_t ends_ns;

	if (tls_file_ends_ns(path, &ends_ns, &err) == PA_OK)
		doctor_certificate(findings, "certificates", path, ends_ns);
	else
		findings_add(findings, "certificates", HEALTH_CRITICAL, NULL, "%s",
			     error_text(&err));
}

void doctor_certificates(const struct doctor *doctor, struct findings *findings)
{
	if (doctor->look && doctor->look->certificate)
		judge_file(doctor->look->certificate, findings);
	if (doctor->look && doctor->look->ca_file)
		judge_file(doctor->look->ca_file, findings);
}
