/* SPDX-License-Identifier: Apache-2.0
 *
 * The database, over a connection of our own: whatever becomes of the daemon.
 */
#include "ctl/doctor.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/tell.h"
#include "io/clock.h"
#include "io/db.h"
#include "io/schema.h"
#include "queue/overview.h"

#define OLD_EVENT_NS NS_PER_MINUTE
#define OLD_MESSAGE_NS (5 * NS_PER_MINUTE)
#define CLOCK_WARN_NS (2 * NS_PER_S)
#define CLOCK_CRITICAL_NS (30 * NS_PER_S)

enum server_column { VERSION, IS_DURABLE, HAS_NAMES, STANDBYS, CLOCK };

static void judge_wire(const struct db *db, struct findings *findings)
{
	struct db_tls tls = db_tls(db);

	if (tls.is_local)
		findings_add(findings, "database-tls", HEALTH_OK, NULL, "%s",
			     ctl_say("conexión local, sin red", "a local connection, no network"));
	else if (!tls.is_on)
		findings_add(findings, "database-tls", HEALTH_WARNING,
			     ctl_say("agregue sslmode=verify-full a store.database",
				     "add sslmode=verify-full to store.database"),
			     "%s",
			     ctl_say("la conexión a la base va sin cifrar",
				     "the connection to the database is not encrypted"));
	else if (!tls.is_verified)
		findings_add(
			findings, "database-tls", HEALTH_WARNING,
			ctl_say("agregue sslmode=verify-full y sslrootcert=/RUTA a "
				"store.database",
				"add sslmode=verify-full and sslrootcert=/PATH to "
				"store.database"),
			"%s",
			ctl_say("la conexión va cifrada, pero no se comprueba con qué servidor",
				"the connection is encrypted, but nobody checks to which "
				"server"));
	else
		findings_add(findings, "database-tls", HEALTH_OK, NULL, "%s",
			     ctl_say("cifrada y comprobada", "encrypted and verified"));
	if (tls.certificate_end_ns)
		doctor_certificate(findings, "database-certificate",
				   ctl_say("la base de datos", "the database"),
				   tls.certificate_end_ns);
}

static void judge_replication(const struct db_result *rows, struct findings *findings)
{
	long long standbys = (long long)db_int64(rows, 0, STANDBYS);

	if (!db_bool(rows, 0, HAS_NAMES))
		findings_add(
			findings, "replication", HEALTH_WARNING,
			ctl_say("configure un standby y synchronous_standby_names en "
				"PostgreSQL",
				"set up a standby and synchronous_standby_names in PostgreSQL"),
			ctl_say("no hay réplica síncrona (réplicas conectadas: %lld): si se "
				"pierde este disco, se pierde lo ya confirmado",
				"there is no synchronous standby (standbys connected: %lld): "
				"with this disk, what was acknowledged is lost"),
			standbys);
	else if (!standbys)
		findings_add(findings, "replication", HEALTH_CRITICAL,
			     ctl_say("levante la réplica; SELECT * FROM pg_stat_replication",
				     "bring the standby up; SELECT * FROM pg_stat_replication"),
			     "%s",
			     ctl_say("la réplica síncrona no está conectada: nada se confirma "
				     "hasta que vuelva",
				     "the synchronous standby is not connected: nothing commits "
				     "until it is back"));
	else
		findings_add(findings, "replication", HEALTH_OK, NULL, "%s: %lld",
			     ctl_say("réplicas conectadas", "standbys connected"), standbys);
}

static void judge_clock(int64_t theirs_ns, struct findings *findings)
{
	int64_t skew_ns = theirs_ns - clock_now_ns();
	int64_t size_ns = skew_ns < 0 ? -skew_ns : skew_ns;

	findings_add(findings, "clock-database",
		     size_ns > CLOCK_CRITICAL_NS ? HEALTH_CRITICAL
		     : size_ns > CLOCK_WARN_NS   ? HEALTH_WARNING
						 : HEALTH_OK,
		     size_ns > CLOCK_WARN_NS ? "timedatectl; chronyc tracking" : NULL,
		     ctl_say("el reloj de la base va %lld ms aparte del de este equipo",
			     "the database's clock is %lld ms off this machine's"),
		     (long long)(skew_ns / NS_PER_MS));
}

static pa_status look_at_server(struct db *db, struct arena *arena, struct findings *findings,
				pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_DOCTOR_SERVER), &rows, err);

	if (status != PA_OK)
		return status;
	findings_add(findings, "database", HEALTH_OK, NULL, "PostgreSQL %lld.%lld, %s",
		     (long long)db_int64(rows, 0, VERSION) / 10000,
		     (long long)db_int64(rows, 0, VERSION) % 10000, ctl_say("responde", "answers"));
	if (db_bool(rows, 0, IS_DURABLE))
		findings_add(
			findings, "durability", HEALTH_OK, NULL, "%s",
			ctl_say("lo confirmado queda en disco", "what is committed is on disk"));
	else
		findings_add(
			findings, "durability", HEALTH_CRITICAL,
			ctl_say("ponga fsync = on y full_page_writes = on en postgresql.conf; sudo "
				"systemctl reload postgresql",
				"set fsync = on and full_page_writes = on in postgresql.conf; sudo "
				"systemctl reload postgresql"),
			"%s",
			ctl_say("fsync o full_page_writes está apagado: un corte de luz "
				"pierde mensajes ya confirmados",
				"fsync or full_page_writes is off: a power cut loses messages "
				"that were acknowledged"));
	judge_replication(rows, findings);
	judge_clock(db_time_ns(rows, 0, CLOCK), findings);
	return PA_OK;
}

static pa_status look_at_partitions(struct db *db, struct arena *arena, struct findings *findings,
				    pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_DOCTOR_PARTITIONS);
	pa_status status;
	long long missing, stray;

	db_bind_time(params, clock_now_ns());
	status = db_run(db, params, &rows, err);
	if (status != PA_OK)
		return status;
	missing = (long long)db_int64(rows, 0, 0);
	stray = (long long)db_int64(rows, 0, 1);
	findings_add(findings, "partitions", missing ? HEALTH_CRITICAL : HEALTH_OK,
		     missing ? ctl_say("deje el servicio activo: las hace al arrancar y cada hora",
				       "leave the service running: it makes them at its start and "
				       "each hour")
			     : NULL,
		     ctl_say("particiones que faltan de los próximos meses: %lld",
			     "partitions of the next months that are missing: %lld"),
		     missing);
	findings_add(findings, "strays", stray ? HEALTH_CRITICAL : HEALTH_OK,
		     stray ? ctl_say("revise el reloj; luego mueva las filas a su mes",
				     "check the clock; then move the rows to their month")
			   : NULL,
		     ctl_say("filas en particiones por omisión: %lld",
			     "rows in default partitions: %lld"),
		     stray);
	return PA_OK;
}

/* A migration leaves out those of large months. */
static pa_status look_at_indexes(struct db *db, struct arena *arena, struct findings *findings,
				 pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	pa_status status = db_run(db, db_params_new(arena, SQL_DOCTOR_INDEXES), &rows, err);
	long long missing = status == PA_OK ? (long long)db_int64(rows, 0, 0) : 0;

	if (status == PA_OK)
		findings_add(findings, "indexes", missing ? HEALTH_WARNING : HEALTH_OK,
			     missing ? "sudo proaltoctl db index" : NULL,
			     ctl_say("índices que faltan en algunos meses: %lld",
				     "indexes that some months lack: %lld"),
			     missing);
	return status;
}

/* ---- the queue ---- */

static void judge_age(const char *check, const char *what, int64_t count, int64_t oldest_ns,
		      int64_t limit_ns, struct findings *findings)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)1 << 16);
	int64_t age_ns = count && oldest_ns ? clock_now_ns() - oldest_ns : 0;

	findings_add(findings, check,
		     age_ns > 10 * limit_ns ? HEALTH_CRITICAL
		     : age_ns > limit_ns    ? HEALTH_WARNING
					    : HEALTH_OK,
		     age_ns > limit_ns ? "proaltoctl status" : NULL,
		     ctl_say("%s: %lld, la más antigua hace %s", "%s: %lld, the oldest for %s"),
		     what, (long long)count, tell_age(arena, age_ns / NS_PER_MS));
}

static void judge_nodes(const struct overview *overview, struct findings *findings)
{
	size_t alive = 0;

	for (size_t i = 0; i < overview->nodes_count; i++)
		alive += overview->nodes[i].is_alive;
	findings_add(findings, "nodes", alive ? HEALTH_OK : HEALTH_CRITICAL,
		     alive ? NULL : "sudo systemctl start proalto",
		     ctl_say("nodos activos: %zu de %zu de la última semana",
			     "nodes alive: %zu of %zu of the last week"),
		     alive, overview->nodes_count);
}

static pa_status look_at_queue(struct db *db, struct arena *arena, struct findings *findings,
			       pa_error *err)
{
	struct overview overview;
	pa_status status = overview_read(db, arena, &overview, err);

	if (status != PA_OK)
		return status;
	judge_age("queue-in", ctl_say("entradas por atender", "events to be served"),
		  overview.events, overview.events_oldest_ns, OLD_EVENT_NS, findings);
	judge_age("queue-out", ctl_say("salidas por enviar", "answers to be sent"),
		  overview.messages, overview.messages_oldest_ns, OLD_MESSAGE_NS, findings);
	findings_add(findings, "uncertain", overview.uncertain ? HEALTH_WARNING : HEALTH_OK,
		     overview.uncertain ? "proaltoctl status" : NULL,
		     ctl_say("mensajes de los que no se sabe si llegaron: %lld",
			     "messages of which nobody knows whether they arrived: %lld"),
		     (long long)overview.uncertain);
	findings_add(findings, "set-aside", overview.set_aside ? HEALTH_WARNING : HEALTH_OK,
		     overview.set_aside ? "proaltoctl set-aside list" : NULL,
		     ctl_say("entradas apartadas: %lld", "events set aside: %lld"),
		     (long long)overview.set_aside);
	judge_nodes(&overview, findings);
	return PA_OK;
}

static pa_status look_at_charges(struct db *db, struct arena *arena, struct findings *findings,
				 pa_error *err)
{
	struct db_result *rows PA_CLEANUP(db_result_done) = NULL;
	struct db_params *params = db_params_new(arena, SQL_DOCTOR_CHARGES);
	pa_status status;

	db_bind_time(params, clock_now_ns());
	status = db_run(db, params, &rows, err);
	for (size_t i = 0; status == PA_OK && i < db_rows(rows); i++)
		findings_add(
			findings, "plugin-charges", HEALTH_CRITICAL, "journalctl -u proalto -p err",
			ctl_say("%.*s: el servicio murió tres veces en diez minutos llamándolo; "
				"queda desactivado",
				"%.*s: the daemon died three times in ten minutes in a call to "
				"it; it is disabled"),
			PA_FMT(db_str(rows, i, 0)));
	return status;
}

/* ---- the whole ---- */

static bool judge_schema(const struct schema *schema, struct findings *findings)
{
	pa_error err = ERROR_INIT;

	if (schema_judge(schema, &err) == PA_OK) {
		findings_add(findings, "schema",
			     schema->number < schema_newest() ? HEALTH_WARNING : HEALTH_OK,
			     schema->number < schema_newest()
				     ? "proaltoctl db check; proaltoctl db migrate"
				     : NULL,
			     ctl_say("esquema %04d; esta versión conoce del %04d al %04d",
				     "schema %04d; this version knows %04d to %04d"),
			     (int)schema->number, schema_oldest(), schema_newest());
		return true;
	}
	findings_add(
		findings, "schema", HEALTH_CRITICAL,
		schema->number < schema_oldest()
			? "proaltoctl db check; proaltoctl db migrate"
			: ctl_say("instale la versión nueva: sudo apt install ./proalto_*.deb",
				  "install the newer version: sudo apt install ./proalto_*.deb"),
		ctl_say("esquema %04d y esta versión necesita del %04d al %04d: no atiende",
			"schema %04d and this version wants %04d to %04d: it serves nobody"),
		(int)schema->number, schema_oldest(), schema_newest());
	return false;
}

static pa_status look_at_all(struct db *db, struct arena *arena, struct findings *findings,
			     pa_error *err)
{
	static const char *const sets[] = {"doctor", "overview", NULL};
	static pa_status (*const looks[])(struct db *, struct arena *, struct findings *,
					  pa_error *) = {look_at_server, look_at_partitions,
							 look_at_indexes, look_at_queue,
							 look_at_charges};
	struct schema schema;
	pa_status status;

	judge_wire(db, findings);
	status = schema_read(db, &schema, err);
	if (status != PA_OK || !judge_schema(&schema, findings) || schema.number == 0)
		return status;
	status = db_prepare(db, sets, err);
	for (size_t i = 0; i < ARRAY_COUNT(looks) && status == PA_OK; i++)
		status = looks[i](db, arena, findings, err);
	return status;
}

void doctor_store(const struct doctor *doctor, struct findings *findings)
{
	pa_error err = ERROR_INIT;
	struct db *db = NULL;
	pa_status status;

	if (!doctor->config) {
		findings_add(findings, "database", HEALTH_UNKNOWN, "sudo proaltoctl doctor", "%s",
			     ctl_say("no se ve con qué cadena de conexión se abre",
				     "it can't be seen with which connection string it is opened"));
		return;
	}
	status = db_open(doctor->config->database, "proaltoctl doctor", NULL, &db, &err);
	if (status == PA_REJECTED && !doctor->is_service)
		findings_add(findings, "database", HEALTH_UNKNOWN, "sudo proaltoctl doctor", "%s",
			     error_text(&err));
	else if (status != PA_OK)
		findings_add(
			findings, "database", HEALTH_CRITICAL,
			status == PA_RETRY
				? "systemctl status postgresql; journalctl -u postgresql"
				: ctl_say("revise store.database, el rol proalto y pg_hba.conf",
					  "check store.database, the role proalto and "
					  "pg_hba.conf"),
			"%s: %s", ctl_say("no se puede abrir", "can't be opened"),
			error_text(&err));
	else if (look_at_all(db, doctor->arena, findings, &err) != PA_OK)
		findings_add(findings, "database", HEALTH_CRITICAL, NULL, "%s", error_text(&err));
	db_close(db);
}
