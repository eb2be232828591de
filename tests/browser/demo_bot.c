/* SPDX-License-Identifier: Apache-2.0
 *
 * demo_bot PORT CUSTOMERS_FILE: the simulator without the daemon, with a bot of a few rehearsed
 * lines behind it, so that the page can be looked at and driven by itself. Knows one person at a
 * time. Ends with SIGINT or SIGTERM.
 */
#include "session_fake.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE "482913"
#define THINK_MS 900
#define AFTER_MS 600

/* The next line depends on what was asked last. */
enum step { STEP_GREETING, STEP_CONSENT, STEP_MENU, STEP_DOCUMENT, STEP_CODE };

struct bot {
	enum step step;
	int refs;
	char mobile[32]; /* where the code goes: the registered mobile of the demonstration */
};

/* One page, one line (ISO 32000-1, 7.5); without a cross-reference table readers rebuild it. */
static const char certificate[] =
	"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 200]/Contents 4 0 R/Resources<<"
	"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	"4 0 obj<</Length 62>>stream\nBT /F 16 Tf 40 120 Td (Extracto de demostracion) Tj ET"
	"            \nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

static const pa_choice yes = {.size = sizeof(pa_choice),
			      .id = {"si", 2},
			      .title = {"Sí autorizo", sizeof("Sí autorizo") - 1}};
static const pa_choice no = {.size = sizeof(pa_choice),
			     .id = {"no", 2},
			     .title = {"No autorizo", sizeof("No autorizo") - 1}};
static const pa_choice policy = {.size = sizeof(pa_choice),
				 .id = {"politica", 8},
				 .title = {"Ver la política", sizeof("Ver la política") - 1}};

#define ROW(row_id, row_title, row_description, row_section)                                       \
	&(const pa_choice)                                                                         \
	{                                                                                          \
		.size = sizeof(pa_choice), .id = {row_id, sizeof(row_id) - 1},                     \
		.title = {row_title, sizeof(row_title) - 1},                                       \
		.description = {row_description, sizeof(row_description) - 1},                     \
		.section = {row_section, sizeof(row_section) - 1},                                 \
	}

static const pa_choice *const consent_choices[] = {&yes, &no, &policy};
static const pa_choice *const menu_rows[] = {
	ROW("saldo", "Saldo de mi crédito", "Cuánto debe y cuánto le falta", "Mi crédito"),
	ROW("paz", "Paz y salvo", "El papel que dice que ya no debe", "Mi crédito"),
	ROW("solicitud", "Mi solicitud", "En qué va el crédito que pidió", "Mi crédito"),
	ROW("renovar", "Renovar mi crédito", "Si puede pedir más, y cuánto", "Mi crédito"),
	ROW("documentos", "Enviar documentos", "Cédula, desprendible y otros", "Mi crédito"),
	ROW("datos", "Mis datos", "Verlos, cambiarlos o borrarlos", "Ayuda"),
	ROW("queja", "Peticiones y quejas", "Le damos un número de radicado", "Ayuda"),
	ROW("fraude", "Reportar un fraude", "Alguien usa su nombre o el nuestro", "Ayuda"),
	ROW("asesor", "Hablar con un asesor", "Una persona de ProAlto", "Ayuda"),
};

static pa_str text_of(const char *text)
{
	return (pa_str){text, strlen(text)};
}

static pa_message message_to(struct bot *bot, const pa_event *event, uint32_t kind, char *ref,
			     size_t room)
{
	snprintf(ref, room, "demo-%d", ++bot->refs);
	return (pa_message){
		.size = sizeof(pa_message),
		.kind = kind,
		.medium = PA_MEDIUM_CHAT,
		.phone = event->phone,
		.user_id = event->user_id,
		.ref = text_of(ref),
	};
}

static void say(struct bot *bot, struct session_fake *fake, const pa_event *event, const char *text)
{
	char ref[32];
	pa_message message = message_to(bot, event, PA_OUT_TEXT, ref, sizeof(ref));

	message.body = text_of(text);
	session_fake_send(fake, &message, THINK_MS);
}

static void ask_consent(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	char ref[32];
	pa_message message = message_to(bot, event, PA_OUT_BUTTONS, ref, sizeof(ref));

	say(bot, fake, event,
	    "Hola. Soy el *Asistente Virtual de ProAlto*: un programa, no una persona.");
	message.body = text_of("Para ayudarle necesito usar sus datos personales.\n"
			       "¿Nos autoriza a usarlos para atender su crédito?");
	message.footer = text_of("Puede retirar su permiso cuando quiera");
	message.choices = consent_choices;
	message.choices_count = sizeof(consent_choices) / sizeof(consent_choices[0]);
	session_fake_send(fake, &message, THINK_MS + AFTER_MS);
	bot->step = STEP_CONSENT;
}

static void show_menu(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	char ref[32];
	pa_message message = message_to(bot, event, PA_OUT_LIST, ref, sizeof(ref));

	message.body = text_of("Gracias. ¿En qué le ayudo?");
	message.list_button = text_of("Ver opciones");
	message.choices = menu_rows;
	message.choices_count = sizeof(menu_rows) / sizeof(menu_rows[0]);
	session_fake_send(fake, &message, THINK_MS);
	bot->step = STEP_MENU;
}

static void send_code(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	char ref[32];
	pa_message message = message_to(bot, event, PA_OUT_TEXT, ref, sizeof(ref));

	message.medium = PA_MEDIUM_SMS;
	message.phone = text_of(bot->mobile);
	message.body = text_of("ProAlto: su código para ver su saldo es " CODE
			       ". Vence en 5 minutos. Si no lo pidió, escriba a un asesor.");
	session_fake_send(fake, &message, AFTER_MS);
	say(bot, fake, event,
	    "Le enviamos un código de seis números por mensaje de texto.\n"
	    "Nadie le pedirá este código por llamada.\n¿Cuál es el código?");
	bot->step = STEP_CODE;
}

static void show_balance(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	char ref[32];
	pa_message message = message_to(bot, event, PA_OUT_DOCUMENT, ref, sizeof(ref));

	say(bot, fake, event,
	    "*Crédito por nómina de la Alcaldía*\nLe falta por pagar: *$ 3.210.500*\n"
	    "Cuotas pagadas: 12 de 36\nPróximo descuento: 30 de noviembre de 2026\n"
	    "_Datos del 20 de noviembre de 2026._");
	message.body = text_of("Su extracto.");
	message.media_name = text_of("extracto_demostracion.pdf");
	message.media_type = text_of("application/pdf");
	message.media_bytes = (pa_str){certificate, sizeof(certificate) - 1};
	session_fake_send(fake, &message, THINK_MS + AFTER_MS);
	show_menu(bot, fake, event);
}

static void read_it(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	char ref[32];
	pa_message mark = message_to(bot, event, PA_OUT_READ_MARK, ref, sizeof(ref));

	mark.flags = PA_OUT_FLAG_TYPING;
	mark.reply_to = event->id;
	session_fake_send(fake, &mark, 150);
}

static bool is_text(pa_str text, const char *expected)
{
	return text.len == strlen(expected) && !memcmp(text.ptr, expected, text.len);
}

static void answer(struct bot *bot, struct session_fake *fake, const pa_event *event)
{
	if (event->media_id.len)
		say(bot, fake, event, "Gracias, recibí su archivo. Sigamos donde íbamos.");
	else if (bot->step == STEP_GREETING || is_text(event->text, "hola"))
		ask_consent(bot, fake, event);
	else if (bot->step == STEP_CONSENT && is_text(event->reply_id, "si"))
		show_menu(bot, fake, event);
	else if (is_text(event->reply_id, "saldo")) {
		say(bot, fake, event, "¿Cuál es su número de cédula? Por ejemplo: 12345678");
		bot->step = STEP_DOCUMENT;
	} else if (bot->step == STEP_DOCUMENT)
		send_code(bot, fake, event);
	else if (bot->step == STEP_CODE && is_text(event->text, CODE))
		show_balance(bot, fake, event);
	else
		say(bot, fake, event, "No le entendí. Escriba *hola* para empezar de nuevo.");
}

static void on_event(void *arg, struct session_fake *fake, const pa_event *event)
{
	struct bot *bot = arg;

	if (event->kind != PA_EVENT_MESSAGE || event->message_kind == PA_IN_REACTION)
		return;
	read_it(bot, fake, event);
	answer(bot, fake, event);
}

static void on_outcome(void *arg, const pa_message *message, const pa_outcome *outcome)
{
	(void)arg;
	(void)message;
	if (outcome->result != PA_OUTCOME_SENT)
		fprintf(stderr, "refused: %.*s\n", (int)outcome->reason.len, outcome->reason.ptr);
}

int main(int argc, char **argv)
{
	struct bot bot = {.mobile = "573005550101"};
	const struct session_fake_options options = {
		.port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8765,
		.customers_file = argc > 2 ? argv[2] : NULL,
	};
	const struct session_fake_callbacks callbacks = {
		.arg = &bot, .event = on_event, .outcome = on_outcome};
	pa_error err = {.size = sizeof(err)};
	struct session_fake *fake;
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	fake = session_fake_open(&SIMULATOR_PLUGIN, &options, &callbacks, &err);
	if (!fake) {
		fprintf(stderr, "%.*s\n", (int)err.len, err.text);
		return 1;
	}
	session_fake_run(fake);
	printf("http://127.0.0.1:%d/\n", session_fake_port(fake));
	fflush(stdout);
	sigwait(&signals, &signal);
	session_fake_stop(fake);
	return 0;
}
