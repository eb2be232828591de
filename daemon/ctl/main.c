/* SPDX-License-Identifier: Apache-2.0
 *
 * proaltoctl: the operator's tool.
 */
#include "ctl/ctl.h"

#include "config/command_line.h"
#include "config/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_CAP ((size_t)256 << 20)

static const struct subcommand {
	const char *name;
	ctl_fn *run;
	const char *arguments;
	const char *es;
	const char *en;
} subcommands[] = {
	{"setup", ctl_setup,
	 "[--non-interactive] [--replace] [--CLAVE VALOR ...] [--secret NOMBRE=file:/RUTA ...]",
	 "prepara el servicio en este equipo: base de datos, llaves, configuración; "
	 "pregunta lo que falte y puede repetirse (proaltoctl(1) dice sus opciones)",
	 "prepares the service on this machine: database, keys, configuration; asks for what is "
	 "missing and may be repeated (proaltoctl(1) has its options)"},
	{"status", ctl_status, "[--json]", "cómo está el servicio: qué espera, qué falla y por qué",
	 "how the service is: what waits, what fails and why"},
	{"doctor", ctl_doctor, "[--json] [--public-url URL]",
	 "revisa todo (configuración, base, reloj, token, certificados, colas, permisos) y dice "
	 "qué "
	 "está mal y qué hacer; termina como Nagios lo espera: 0 bien, 1 aviso, 2 grave, 3 no se "
	 "sabe",
	 "looks at everything (configuration, database, clock, token, certificates, queues, "
	 "permissions) and says what is wrong and what to do; ends as Nagios wants: 0 fine, 1 "
	 "warning, 2 critical, 3 unknown"},
	{"reload", ctl_reload, "",
	 "vuelve a leer la configuración y los flujos; si algo está mal, lo dice y todo sigue "
	 "igual",
	 "reads configuration and flows again; says what is wrong, if anything, and changes "
	 "nothing"},
	{"check", ctl_check, "", "revisa la configuración (proaltod --check)",
	 "checks the configuration (proaltod --check)"},
	{"config", ctl_config_diff, "diff [--json]",
	 "lo que la casa cambió: claves que difieren de las de fábrica, y archivos propios de "
	 "flujos y textos",
	 "what the house changed: keys that differ from the defaults, and its own files of flows "
	 "and texts"},
	{"log-level", ctl_log_level, "error|warning|notice|info|debug",
	 "cambia lo que se anota en el diario, hasta el próximo arranque o reload",
	 "changes what is logged, until the next start or reload"},
	{"hosts", ctl_hosts, "[--json]",
	 "a qué equipos y puertos se conecta el servicio con esta configuración, para el "
	 "cortafuegos; "
	 "por la clave se sabe para qué (house.policy_url solo la mira quien revisa)",
	 "to which hosts and ports this configuration has the service connect, for the firewall; "
	 "the "
	 "key says what for (house.policy_url is looked at by checks only)"},
	{"queues", ctl_queues, "[--json]",
	 "qué espera turno, qué está por enviar y qué no salió, por canal y estado",
	 "what waits for a turn, what is to be sent and what did not leave, by channel and state"},
	{"outbox", ctl_outbox,
	 "list [--channel CANAL] [--state ESTADO] [--days N] [--limit N] [--json] |\n"
	 "    retry|give-up NÚMERO|--channel CANAL --state ESTADO [--days N] --reason TEXTO |\n"
	 "    settle NÚMERO sent|failed --reason TEXTO",
	 "los mensajes uno por uno; los que fallaron se envían de nuevo, los que esperan se "
	 "abandonan, y de los inciertos una persona dice qué pasó",
	 "the messages one by one; those that failed are sent again, those that wait are given up, "
	 "and of uncertain ones a person says what became of them"},
	{"set-aside", ctl_set_aside, "list [--json] | retry|drop NÚMERO --reason TEXTO",
	 "los mensajes que tumbaron el servicio y se apartaron: se intentan otra vez, o se "
	 "descartan",
	 "messages that killed the service and were set aside: tried again, or dropped"},
	{"channel", ctl_channel, "pause|resume CANAL --reason TEXTO",
	 "por un canal en pausa no sale nada, en ningún nodo; lo que llega se recibe y espera",
	 "nothing leaves on a paused channel, on any node; what comes in is taken and waits"},
	{"conversation", ctl_conversation,
	 "show NÚMERO|--phone - [--messages N] --reason TEXTO [--json] |\n"
	 "    resume NÚMERO --reason TEXTO",
	 "una conversación con sus últimos mensajes (datos personales; el celular se lee de la "
	 "entrada), o que el asistente siga donde solo seguía una persona (crisis, duelo, menor de "
	 "edad); el número es el de la conversación o el de su caso, y queda quién y por qué",
	 "a conversation with its last messages (personal data; the phone is read from standard "
	 "input), or lets the assistant go on where only a person went on (a crisis, grief, a "
	 "minor); the number is the conversation's or its case's, and who and why is kept"},
	{"inbox", ctl_inbox, "--json [--after N] [--limit N] [--body] --reason TEXTO",
	 "lo que llegó y cómo se entendió: un objeto JSON por línea (contiene datos personales); "
	 "--body agrega el cuerpo recibido; queda quién y por qué",
	 "what came in and how it was understood: a JSON object a line (holds personal data); "
	 "--body adds the body received; who and why is kept"},
	{"drain", ctl_drain, "--reason TEXTO [--wait SEGUNDOS] [--json] | show [--json]",
	 "este nodo no recibe más, termina lo que tiene y deja lo demás a los otros; espera a que "
	 "quede vacío (60 s); dura hasta undrain o el próximo arranque",
	 "this node takes no more, ends what it has and leaves the rest to the others; waits until "
	 "it is empty (60 s); lasts until undrain or the next start"},
	{"undrain", ctl_undrain, "--reason TEXTO [--wait SEGUNDOS] [--json]",
	 "este nodo vuelve a servir", "this node serves again"},
	{"looks", ctl_looks, "[--conversation NÚMERO] [--limit N] [--json]",
	 "quién miró datos de clientes o cambió algo, cuándo y por qué",
	 "who looked at customers' data or changed something, when and why"},
	{"retention", ctl_retention, "show [--limit N] [--json] | run [--dsn CADENA]",
	 "cuánto se guarda cada cosa y por qué, qué saldrá y qué salió; run lo saca (lo hace cada "
	 "noche "
	 "proalto-maintenance.timer, con el rol proalto_retention)",
	 "how long each thing is kept and why, what will go and what went; run takes it away "
	 "(proalto-maintenance.timer does each night, as the role proalto_retention)"},
	{"db", ctl_db, "check|index|migrate|status [--dsn CADENA] [--directory DIR] [--json]",
	 "check: si el esquema se puede poner al día ahora, y si no, por qué (no cambia nada); "
	 "migrate: lo pone al día; status: cómo está. Sin --dsn, la base de la configuración con "
	 "el rol "
	 "proalto_owner",
	 "check: whether the schema can be brought up to date now, and if not, why (changes "
	 "nothing); "
	 "migrate: does it; status: how it is. Without --dsn the configuration's database with the "
	 "role proalto_owner"},
	{"rollback", ctl_rollback, "[--package ARCHIVO]... [--to-backup ARCHIVO] [--yes N]",
	 "vuelve a los paquetes anteriores, con las tablas como están o con las de una copia; "
	 "--yes "
	 "contesta por usted y dice cuántos mensajes se pueden perder",
	 "goes back to the previous packages, on the tables as they are or on those of a backup; "
	 "--yes answers for you and says how many messages may be lost"},
	{"demo", ctl_demo, "[--port N]",
	 "una demostración en el navegador, con clientes inventados, sin internet ni cuenta en "
	 "Meta "
	 "(paquete proalto-simulator); Ctrl-C la termina",
	 "a demonstration in the browser, with invented customers, without internet or an account "
	 "at Meta (package proalto-simulator); Ctrl-C ends it"},
	{"backup", ctl_backup, "[--output ARCHIVO | --erasures-only] [--dsn CADENA]",
	 "copia de la base, la configuración y los secretos en un archivo que solo abre el código "
	 "de "
	 "recuperación, y a su lado la lista de supresiones; --erasures-only: solo la lista",
	 "a copy of database, configuration and secrets in one file that only the recovery code "
	 "opens, "
	 "and beside it the list of erasures; --erasures-only: that list alone"},
	{"restore", ctl_restore,
	 "COPIA [--code-file ARCHIVO] [--erasures ARCHIVO | --no-erasures] "
	 "[--dsn CADENA [--install]] [--replace [--confirm BASE]]",
	 "devuelve una copia, aquí o en otro equipo: revisa todo antes de tocar nada, no borra una "
	 "base con datos sin que se lo digan dos veces, y repite las supresiones",
	 "brings a backup back, here or on another machine: looks at everything before it touches "
	 "anything, deletes no data unless told twice, and repeats the erasures"},
	{"keys", ctl_keys,
	 "rotate [--finish] [--no-restart] | status | recovery [--output ARCHIVO]",
	 "cambia la llave maestra sin detener el servicio (--finish: retira la anterior), dice "
	 "cómo va, "
	 "o hace el archivo de recuperación y muestra su código una sola vez",
	 "changes the master key while the service works (--finish: removes the one before), says "
	 "how "
	 "far it is, or makes the recovery file and shows its code once"},
	{"node", ctl_node, "add --output ARCHIVO | import ARCHIVO [--code-file ARCHIVO]",
	 "lleva configuración y secretos a otro nodo, en un archivo que abre un código que se "
	 "muestra "
	 "una sola vez",
	 "carries configuration and secrets to another node, in a file that is opened by a code "
	 "shown "
	 "once"},
	{"clock", ctl_clock, "advance 16m",
	 "adelanta el reloj del servicio (solo en una demostración)",
	 "turns the service's clock on (in a demonstration only)"},
};

const char *ctl_say(const char *spanish, const char *english)
{
	return words_are_spanish() ? spanish : english;
}

static void print_subcommand(FILE *out, const struct subcommand *subcommand)
{
	fprintf(out, "  proaltoctl %s %s\n      %s\n", subcommand->name, subcommand->arguments,
		ctl_say(subcommand->es, subcommand->en));
}

static int print_help(FILE *out, int status)
{
	fputs(ctl_say("Uso: proaltoctl [--config ARCHIVO] SUBCOMANDO ...\n\n",
		      "Usage: proaltoctl [--config FILE] SUBCOMMAND ...\n\n"),
	      out);
	for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++)
		print_subcommand(out, &subcommands[i]);
	fputs(ctl_say("\nTermina con 0 si se hizo, 1 si no se pudo, 2 si los argumentos no sirven, "
		      "3 si el\nservicio no contesta.\n",
		      "\nEnds with 0 if it was done, 1 if it could not be, 2 if the arguments are "
		      "wrong, 3 if\nthe service does not answer.\n"),
	      out);
	return status;
}

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

int ctl_fail(const struct ctl *ctl, int status, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "proaltoctl: %s: ", ctl->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

int ctl_usage(const struct ctl *ctl)
{
	const struct subcommand *subcommand = find(ctl->name);

	fputs(ctl_say("Uso:\n", "Usage:\n"), stderr);
	if (subcommand)
		print_subcommand(stderr, subcommand);
	return CTL_USAGE;
}

/* --config may stand on either side of the subcommand. Removes it from the arguments. */
static bool take_config(struct ctl *ctl, int *argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--config") != 0) {
			argv[kept++] = argv[i];
			continue;
		}
		if (++i == *argc)
			return false;
		ctl->config_path = argv[i];
	}
	*argc = kept;
	return true;
}

static int run(struct ctl *ctl, const struct subcommand *subcommand, int argc, char **argv)
{
	ctl->name = subcommand->name;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_subcommand(stdout, subcommand);
			return CTL_OK;
		}
	}
	return subcommand->run(ctl, argc, argv);
}

int main(int argc, char **argv)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(ARENA_CAP);
	struct ctl ctl = {.arena = arena, .config_path = COMMAND_DEFAULT_CONFIG};
	const struct subcommand *subcommand;

	argc--;
	argv++;
	if (!take_config(&ctl, &argc, argv) || argc == 0)
		return print_help(stderr, CTL_USAGE);
	if (strcmp(argv[0], "--help") == 0)
		return print_help(stdout, CTL_OK);
	if (strcmp(argv[0], "--version") == 0) {
		puts("proaltoctl " PROALTO_VERSION);
		return CTL_OK;
	}
	subcommand = find(argv[0]);
	return subcommand ? run(&ctl, subcommand, argc - 1, argv + 1)
			  : print_help(stderr, CTL_USAGE);
}
