/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl status: what the daemon tells of itself (daemon/status.c), for a person who was woken
 * by it; as JSON, for programs.
 */
#include "ctl/ctl.h"

#include "base/str.h"
#include "ctl/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_CAP ((size_t)2 << 20)
#define TROUBLE_CAP 4096
#define OLD_EVENT_MS INT64_C(60000)
#define OLD_MESSAGE_MS INT64_C(300000)

struct view {
	struct ctl *ctl;
	const struct json *said;
	struct buf out;      /* what follows the first lines */
	struct buf troubles; /* "; " between them */
};

/* ---- reading ---- */

/* "hace 3 min"; "nunca" if it never was. */
static const char *ago(const struct view *view, pa_str at)
{
	int64_t ms;

	if (!tell_between(at, json_text_of(view->said, "now"), &ms))
		return ctl_say("nunca", "never");
	return arena_format(view->ctl->arena, ctl_say("hace %s", "%s ago"),
			    tell_age(view->ctl->arena, ms))
		.ptr;
}

/* ---- writing ---- */

PA_PRINTF(2, 3) static void trouble(struct view *view, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_format(&view->troubles, "%s%s", view->troubles.len ? "; " : "", line);
}

static void label(struct view *view, const char *es, const char *en)
{
	const char *name = ctl_say(es, en);
	size_t width = 0;

	/* printf counts bytes, a terminal letters. */
	for (const char *at = name; *at; at++)
		width += ((unsigned char)*at & 0xc0) != 0x80;
	buf_format(&view->out, "%s%*s", name, width < 20 ? (int)(20 - width) : 1, "");
}

/* "3, la más antigua hace 2 min" */
static void write_waiting(struct view *view, int64_t count, int64_t oldest_ms)
{
	buf_format(&view->out, "%lld", (long long)count);
	if (count)
		buf_format(&view->out, ctl_say(", desde hace %s", ", for %s"),
			   tell_age(view->ctl->arena, oldest_ms));
	buf_add_byte(&view->out, '\n');
}

static void write_store(struct view *view)
{
	bool is_there = json_bool_of(view->said, "store");
	pa_str why = json_text_of(view->said, "store_error");

	label(view, "Base de datos", "Database");
	if (is_there && !why.len) {
		buf_format(&view->out, "%s\n", ctl_say("responde", "answers"));
		return;
	}
	buf_format(&view->out, "%s: %.*s\n",
		   is_there ? ctl_say("FALLA", "FAILS") : ctl_say("NO SIRVE", "OUT OF USE"),
		   PA_FMT(why));
	trouble(view, "%s",
		is_there
			? ctl_say("la base de datos falla", "the database fails")
			: ctl_say("la base de datos no sirve: los mensajes se rechazan con 503",
				  "the database is out of use: messages are turned away with 503"));
}

static void write_core(struct view *view)
{
	static const struct {
		const char *word, *es, *en;
	} states[] = {
		{"up", "responde", "answers"},
		{"trying", "se prueba de nuevo", "is tried again"},
		{"down", "NO RESPONDE", "DOES NOT ANSWER"},
		{"none", "no hay ninguno configurado", "none is configured"},
	};
	pa_str word = json_text_of(view->said, "core");

	label(view, "Sistema central", "Core system");
	if (json_bool_of(view->said, "core_disabled")) {
		buf_format(&view->out, "%s\n", ctl_say("DESACTIVADO", "DISABLED"));
		trouble(view, "%s",
			ctl_say("el complemento del sistema central está desactivado",
				"the core system's plugin is disabled"));
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(states); i++)
		if (str_equal(word, str_from(states[i].word)))
			buf_format(&view->out, "%s\n", ctl_say(states[i].es, states[i].en));
	if (str_equal(word, PA_STR("down")))
		trouble(view, "%s",
			ctl_say("el sistema central no responde",
				"the core system does not answer"));
}

static void write_queues(struct view *view)
{
	const struct json *said = view->said;
	int64_t events_ms = json_integer_of(said, "stored_events_oldest_ms");
	int64_t messages_ms = json_integer_of(said, "stored_messages_oldest_ms");
	int64_t aside = json_integer_of(said, "set_aside"),
		uncertain = json_integer_of(said, "uncertain_now");

	label(view, "Por atender", "To be served");
	write_waiting(view, json_integer_of(said, "stored_events"), events_ms);
	label(view, "Por enviar", "To be sent");
	write_waiting(view, json_integer_of(said, "stored_messages"), messages_ms);
	label(view, "En duda", "In doubt");
	buf_format(&view->out, "%lld%s\n", (long long)uncertain,
		   uncertain ? ctl_say(" (no se sabe si llegaron)",
				       " (nobody knows whether they arrived)")
			     : "");
	label(view, "Apartados", "Set aside");
	buf_format(&view->out, "%lld\n", (long long)aside);
	if (json_integer_of(said, "stored_events") && events_ms > OLD_EVENT_MS)
		trouble(view, "%s",
			ctl_say("hay mensajes recibidos sin atender", "messages wait for a turn"));
	if (json_integer_of(said, "stored_messages") && messages_ms > OLD_MESSAGE_MS)
		trouble(view, "%s", ctl_say("hay mensajes sin enviar", "messages wait to be sent"));
	if (aside)
		trouble(view, ctl_say("mensajes apartados: %lld", "messages set aside: %lld"),
			(long long)aside);
}

/* ---- channels ---- */

static const char *channel_state(struct view *view, const struct json *channel, pa_str name)
{
	int64_t paused_ms = json_integer_of(channel, "paused_ms");

	if (json_bool_of(channel, "disabled")) {
		trouble(view, ctl_say("el canal %.*s está desactivado", "channel %.*s is disabled"),
			PA_FMT(name));
		return ctl_say("DESACTIVADO: su complemento falló tres veces en diez minutos",
			       "DISABLED: its plugin failed three times in ten minutes");
	}
	if (!json_bool_of(channel, "healthy") || paused_ms > 0)
		trouble(view, ctl_say("el canal %.*s falla", "channel %.*s fails"), PA_FMT(name));
	if (paused_ms > 0)
		return arena_format(view->ctl->arena,
				    ctl_say("EN PAUSA: vuelve a probar en %s",
					    "PAUSED: tried again in %s"),
				    tell_age(view->ctl->arena, paused_ms + 999))
			.ptr;
	if (!json_bool_of(channel, "healthy"))
		return ctl_say("FALLA", "FAILS");
	return json_bool_of(channel, "leased")
		       ? ctl_say("bien", "well")
		       : ctl_say("bien; envía otro nodo", "well; another node sends");
}

static void write_channel(struct view *view, const struct json *channel)
{
	const struct json *error = json_get(channel, "last_error");
	pa_str name = json_text_of(channel, "name");

	buf_format(&view->out, "  %-16.*s  %s; %s %s\n", PA_FMT(name),
		   channel_state(view, channel, name), ctl_say("último envío", "last sent"),
		   ago(view, json_text_of(channel, "last_sent_at")));
	if (error)
		buf_format(
			&view->out, "  %-16s  %s %s: %s\n", "",
			ctl_say("último error", "last error"), ago(view, json_text_of(error, "at")),
			tell_error(view->ctl->arena, json_text_of(channel, "plugin"),
				   json_integer_of(error, "code"), json_text_of(error, "reason")));
}

static void write_channels(struct view *view)
{
	const struct json *channels = json_get(view->said, "channels");

	buf_format(&view->out, "%s\n", ctl_say("Canales", "Channels"));
	for (size_t i = 0; i < json_count(channels); i++)
		write_channel(view, json_at(channels, i));
}

/* ---- the rest ---- */

static void write_nodes(struct view *view)
{
	const struct json *nodes = json_get(view->said, "nodes");

	buf_format(&view->out, "%s\n", ctl_say("Nodos", "Nodes"));
	for (size_t i = 0; i < json_count(nodes); i++) {
		const struct json *node = json_at(nodes, i);

		buf_format(&view->out, "  %-16.*s  %s, %s %s\n", PA_FMT(json_text_of(node, "name")),
			   json_bool_of(node, "alive") ? ctl_say("activo", "alive")
						       : ctl_say("ausente", "away"),
			   ctl_say("arrancó", "started"),
			   ago(view, json_text_of(node, "started_at")));
	}
}

static void write_stuck(struct view *view)
{
	const struct json *calls = json_get(view->said, "stuck_calls");

	if (json_bool_of(view->said, "language_disabled"))
		trouble(view, "%s",
			ctl_say("el complemento de lenguaje está desactivado",
				"the language plugin is disabled"));
	for (size_t i = 0; i < json_count(calls); i++) {
		pa_str plugin = json_text_of(json_at(calls, i), "plugin");

		trouble(view,
			ctl_say("una llamada a %.*s no vuelve", "a call to %.*s does not return"),
			PA_FMT(plugin));
	}
}

/* Only while it is being changed. */
static void write_key(struct view *view)
{
	pa_str word = json_text_of(view->said, "master_key");

	if (!word.len || str_equal(word, PA_STR("settled")))
		return;
	label(view, "Llave maestra", "Master key");
	buf_format(&view->out, "%s (%.*s)\n", ctl_say("se está cambiando", "is being changed"),
		   PA_FMT(word));
}

static void write_reload(struct view *view)
{
	bool is_refused = json_bool_of(view->said, "last_reload_refused");
	pa_str at = json_text_of(view->said, "last_reload_at");

	label(view, "Última recarga", "Last reload");
	buf_format(&view->out, "%s%s\n", ago(view, at),
		   is_refused ? ctl_say(": RECHAZADA, sigue la configuración anterior",
					": REFUSED, the old configuration stays in force")
			      : "");
	if (is_refused)
		trouble(view, "%s",
			ctl_say("la configuración nueva se rechazó (proaltoctl check)",
				"the new configuration was refused (proaltoctl check)"));
}

static void write_counts(struct view *view)
{
	const struct json *said = view->said;

	label(view, "Desde el arranque", "Since the start");
	buf_format(&view->out,
		   ctl_say("%lld entregas recibidas (%lld rechazadas, %lld falsas), %lld turnos, "
			   "%lld mensajes enviados, %lld fallidos, %lld reintentos, %lld clientes "
			   "que esperaron 20 s\n",
			   "%lld deliveries received (%lld turned away, %lld forged), %lld turns, "
			   "%lld messages sent, %lld failed, %lld tried again, %lld customers who "
			   "waited 20 s\n"),
		   (long long)json_integer_of(said, "deliveries"),
		   (long long)json_integer_of(said, "deliveries_refused"),
		   (long long)json_integer_of(said, "deliveries_forged"),
		   (long long)json_integer_of(said, "turns"),
		   (long long)json_integer_of(said, "sent"),
		   (long long)json_integer_of(said, "failed"),
		   (long long)json_integer_of(said, "retried"),
		   (long long)json_integer_of(said, "late_answers"));
}

/* A node that others stand in for, before all else: to everyone who asks it something it says 503.
 * Returns true if it serves. */
static bool print_state(const struct json *said)
{
	pa_str state = json_text_of(said, "state");

	if (str_equal(state, PA_STR("drained")))
		printf("%s\n",
		       ctl_say("VACIADO: este nodo no recibe ni envía nada hasta «proaltoctl "
			       "undrain»",
			       "DRAINED: this node takes and sends nothing until "
			       "'proaltoctl undrain'"));
	else if (str_equal(state, PA_STR("draining")))
		printf("%s\n", ctl_say("VACIÁNDOSE: este nodo ya no recibe nada (proaltoctl drain)",
				       "DRAINING: this node takes nothing any more (proaltoctl "
				       "drain)"));
	else
		return true;
	return false;
}

/* What is to be read even by whoever reads nothing else. */
static const char *headline(const struct view *view, bool is_serving)
{
	if (view->troubles.len)
		return ctl_say("CON PROBLEMAS: ", "TROUBLE: ");
	return is_serving ? ctl_say("TODO EN ORDEN", "ALL IS WELL")
			  : ctl_say("SIN OTROS PROBLEMAS", "NO OTHER TROUBLE");
}

static int print_text(struct ctl *ctl, const struct json *said)
{
	struct view view = {.ctl = ctl,
			    .said = said,
			    .out = BUF_INIT(LINE_CAP),
			    .troubles = BUF_INIT(TROUBLE_CAP)};
	bool is_serving = print_state(said);

	write_store(&view);
	write_core(&view);
	write_queues(&view);
	write_channels(&view);
	write_nodes(&view);
	write_stuck(&view);
	write_key(&view);
	write_reload(&view);
	write_counts(&view);
	printf("proaltod %.*s, %s %.*s, %s %s\n", PA_FMT(json_text_of(said, "version")),
	       ctl_say("nodo", "node"), PA_FMT(json_text_of(said, "node")),
	       ctl_say("arrancó", "started"), ago(&view, json_text_of(said, "started_at")));
	printf("%s%.*s\n\n", headline(&view, is_serving), PA_FMT(buf_str(&view.troubles)));
	printf("%.*s", PA_FMT(buf_str(&view.out)));
	buf_done(&view.out);
	buf_done(&view.troubles);
	return CTL_OK;
}

int ctl_status(struct ctl *ctl, int argc, char *const *argv)
{
	struct json *answer PA_CLEANUP(json_done) = NULL;
	bool is_json = argc == 1 && strcmp(argv[0], "--json") == 0;
	int status;

	if (argc > 0 && !is_json)
		return ctl_usage(ctl);
	status = ctl_command(ctl, "status", &answer);
	if (status != CTL_OK)
		return status;
	if (!is_json)
		return print_text(ctl, answer);
	ctl_print_json(answer);
	return CTL_OK;
}
