/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/err.h"
#include "base/str.h"
#include "config/sample.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* ---- what is wrong with an answer ---- */

static const char *complain_digits(struct setup *setup, pa_str answer)
{
	(void)setup;
	return str_is_digits(answer) ? NULL : ctl_say("son solo cifras", "digits only");
}

static const char *complain_email(struct setup *setup, pa_str answer)
{
	(void)setup;
	return str_find(answer, PA_STR("@")) == SIZE_MAX
		       ? ctl_say("no es un correo", "not an e-mail address")
		       : NULL;
}

static const char *complain_nit(struct setup *setup, pa_str answer)
{
	pa_str number = str_slice(answer, 0, answer.len > 2 ? answer.len - 2 : 0);
	bool is_good = number.len && answer.ptr[number.len] == '-' &&
		       str_is_digits(str_slice(answer, number.len + 1, 1));

	(void)setup;
	for (size_t i = 0; is_good && i < number.len; i++)
		is_good = number.ptr[i] == '.' || str_is_digits(str_slice(number, i, 1));
	return is_good ? NULL
		       : ctl_say("el NIT va con dígito de verificación: 900.123.456-7",
				 "a NIT has its check digit: 900.123.456-7");
}

static const char *complain_regulation(struct setup *setup, pa_str answer)
{
	(void)setup;
	if (str_equal(answer, PA_STR("no_vigilada")) || str_equal(answer, PA_STR("vigilada")))
		return NULL;
	return ctl_say("es \"vigilada\" o \"no_vigilada\"", "is \"vigilada\" or \"no_vigilada\"");
}

/* The name of a file beside the configuration, which will include it. */
static const char *complain_queries(struct setup *setup, pa_str answer)
{
	const char *slash = strrchr(setup->ctl->config_path, '/');
	int len = slash ? (int)(slash - setup->ctl->config_path) : 1;
	const char *path = arena_format(setup->arena, "%.*s/%.*s", len,
					slash ? setup->ctl->config_path : ".", PA_FMT(answer))
				   .ptr;

	if (answer.ptr[0] == '/' || access(path, R_OK) != 0)
		return ctl_say("es el nombre de un archivo junto a la configuración: "
			       "proalto/consultas.conf",
			       "is the name of a file beside the configuration: "
			       "proalto/queries.conf");
	return NULL;
}

/* ---- the questions ---- */

const struct setup_question setup_questions[ASK_COUNT] = {
	[ASK_DATABASE] = {"database", SETUP_KEY, PART_STORE, 0, "store.database",
			  "dbname=proalto user=proalto", "Base de datos propia (cadena de libpq)",
			  "The house's own database (libpq's string)", setup_complain_database,
			  NULL},
	[ASK_NAME] = {"house-name", SETUP_KEY, PART_HOUSE, 0, "house.name", NULL,
		      "Nombre de la entidad, como lo leen los clientes",
		      "Name of the house, as customers read it", NULL, NULL},
	[ASK_NIT] = {"house-nit", SETUP_KEY, PART_HOUSE, 0, "house.nit", NULL,
		     "NIT con dígito de verificación", "NIT with its check digit", complain_nit,
		     NULL},
	[ASK_ADDRESS] = {"house-address", SETUP_KEY, PART_HOUSE, 0, "house.address", NULL,
			 "Dirección para peticiones", "Address for petitions", NULL, NULL},
	[ASK_PHONE] = {"house-phone", SETUP_KEY, PART_HOUSE, 0, "house.phone", NULL,
		       "Teléfono de atención", "Telephone for customers", NULL, NULL},
	[ASK_EMAIL] = {"house-email", SETUP_KEY, PART_HOUSE, 0, "house.email", NULL,
		       "Correo para reclamos de datos personales",
		       "E-mail for claims about personal data", complain_email, NULL},
	[ASK_POLICY_URL] = {"policy-url", SETUP_KEY, PART_HOUSE, 0, "house.policy_url", NULL,
			    "Dirección de la política de tratamiento de datos (https://...)",
			    "Address of the privacy policy (https://...)", setup_complain_url,
			    setup_check_policy},
	[ASK_REGULATION] = {"regulation", SETUP_KEY, PART_HOUSE, 0, "house.regulation",
			    "no_vigilada",
			    "¿La vigila la Superintendencia Financiera? (vigilada/no_vigilada)",
			    "Supervised by the Superintendencia Financiera? "
			    "(vigilada/no_vigilada)",
			    complain_regulation, NULL},
	[ASK_PHONE_ID] = {"whatsapp-phone-id", SETUP_KEY, PART_WHATSAPP, 0,
			  "channels.whatsapp.account", NULL,
			  "WhatsApp: identificador del número (phone_number_id)",
			  "WhatsApp: the number's id (phone_number_id)", complain_digits, NULL},
	[ASK_BUSINESS_ID] = {"whatsapp-business-id", SETUP_KEY, PART_WHATSAPP, SETUP_OPTIONAL,
			     "channels.whatsapp.business_account_id", NULL,
			     "WhatsApp: identificador de la cuenta (WABA; vacío: no se usa)",
			     "WhatsApp: the account's id (WABA; empty: not used)", complain_digits,
			     NULL},
	[ASK_APP_SECRET] = {"whatsapp-app-secret", SETUP_SECRET, PART_WHATSAPP, 0, NULL, NULL,
			    "WhatsApp: clave secreta de la aplicación",
			    "WhatsApp: the application's secret", NULL, NULL},
	[ASK_ACCESS_TOKEN] = {"whatsapp-access-token", SETUP_SECRET, PART_WHATSAPP, 0, NULL, NULL,
			      "WhatsApp: llave de acceso del usuario del sistema",
			      "WhatsApp: the system user's access token", NULL, setup_check_token},
	[ASK_VERIFY_TOKEN] = {"whatsapp-verify-token", SETUP_TOKEN, PART_WHATSAPP, 0, NULL, NULL,
			      NULL, NULL, NULL, NULL},
	[ASK_SMS_URL] = {"sms-url", SETUP_KEY, PART_SMS, SETUP_OPTIONAL | SETUP_LEADER,
			 "channels.sms.url", NULL,
			 "Pasarela de SMS: dirección a la que se entregan (vacío: más tarde)",
			 "SMS gateway: where messages are delivered (empty: later)",
			 setup_complain_url, NULL},
	[ASK_SMS_SENDER] = {"sms-sender", SETUP_KEY, PART_SMS, 0, "channels.sms.sender", NULL,
			    "Pasarela de SMS: código corto o nombre del remitente",
			    "SMS gateway: the sender's short code or name", NULL, NULL},
	[ASK_SMS_KEY] = {"sms-key", SETUP_SECRET, PART_SMS, 0, NULL, NULL, "Pasarela de SMS: llave",
			 "SMS gateway: key", NULL, NULL},
	[ASK_SMS_RECEIPT_TOKEN] = {"sms-receipt-token", SETUP_TOKEN, PART_SMS, 0, NULL, NULL, NULL,
				   NULL, NULL, NULL},
	[ASK_CORE_CONNECTION] = {"core-connection", SETUP_KEY, PART_CORE,
				 SETUP_OPTIONAL | SETUP_LEADER, "backends.core.connection", NULL,
				 "Sistema central en PostgreSQL: conexión, sin contraseña (vacío: "
				 "más tarde)",
				 "Core system in PostgreSQL: connection, without password (empty: "
				 "later)",
				 setup_complain_database, NULL},
	[ASK_CORE_PASSWORD] = {"core-password", SETUP_SECRET, PART_CORE, 0, NULL, NULL,
			       "Sistema central: contraseña", "Core system: password", NULL, NULL},
	[ASK_CORE_QUERIES] = {"core-queries", SETUP_WORD, PART_CORE, SETUP_OPTIONAL, NULL, NULL,
			      "Sistema central: archivo con sus consultas (vacío: las de muestra)",
			      "Core system: file with its queries (empty: the sample's)",
			      complain_queries, NULL},
	[ASK_PUBLIC_URL] =
		{"public-url", SETUP_WORD, PART_WHATSAPP, SETUP_OPTIONAL, NULL, NULL,
		 "Dirección pública de este servicio (https://bot.entidad.co; vacío: más "
		 "tarde)",
		 "Public address of this service (https://bot.example; empty: later)",
		 setup_complain_url, NULL},
};

/* ---- from the command line ---- */

static bool is_secret(const struct setup_question *question)
{
	return question->kind == SETUP_SECRET || question->kind == SETUP_TOKEN;
}

bool setup_take(struct setup *setup, const char *flag, const char *value)
{
	for (size_t i = 0; i < ASK_COUNT; i++) {
		if (is_secret(&setup_questions[i]) || strcmp(setup_questions[i].flag, flag) != 0)
			continue;
		setup->answers[i] = str_from(value);
		setup->is_given[i] = true;
		return true;
	}
	return false;
}

/* Where a secret of that name is kept; NULL if there is none. */
static pa_str *secret_place(struct setup *setup, pa_str name)
{
	for (size_t i = 0; i < ASK_COUNT; i++) {
		if (!is_secret(&setup_questions[i]) ||
		    !str_equal(name, str_from(setup_questions[i].flag)))
			continue;
		setup->is_given[i] = true;
		return &setup->answers[i];
	}
	if (str_equal(name, PA_STR("database"))) {
		setup->writes_database = true;
		return &setup->database_secret;
	}
	if (str_equal(name, PA_STR("superuser-password")))
		return &setup->superuser_password;
	return str_equal(name, PA_STR("recovery-code")) ? &setup->recovery_code : NULL;
}

static int read_secret(struct setup *setup, pa_str from, pa_str *ret)
{
	pa_error err = ERROR_INIT;
	pa_str text;

	if (str_equal(from, PA_STR("-")))
		return setup_read_line(setup, NULL, true, ret);
	if (!str_starts(from, PA_STR("file:/")))
		return ctl_usage(setup->ctl);
	if (file_read_private(setup->arena, from.ptr + strlen("file:"), SETUP_SECRET_MAX, &text,
			      &err) != PA_OK)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
	*ret = str_trim(text);
	return CTL_OK;
}

int setup_take_secret(struct setup *setup, const char *argument)
{
	pa_str from = str_from(argument);
	pa_str name = str_split(&from, '=');
	pa_str *place = secret_place(setup, name);
	int status;

	if (!place || str_is_absent(from))
		return ctl_usage(setup->ctl);
	status = read_secret(setup, from, place);
	if (status == CTL_OK && !place->len)
		return ctl_fail(setup->ctl, CTL_FAILED,
				ctl_say("el secreto %.*s está vacío", "the secret %.*s is empty"),
				PA_FMT(name));
	return status;
}

/* ---- from a person ---- */

/* Nobody looks over the shoulder; what is not a terminal echoes nothing. */
static bool hush(struct termios *before)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, before) != 0)
		return false;
	quiet = *before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

int setup_read_line(struct setup *setup, const char *prompt, bool is_secret_line, pa_str *ret)
{
	struct termios before;
	bool is_hushed = is_secret_line && hush(&before);
	char *line = arena_alloc(setup->arena, SETUP_SECRET_MAX);
	const char *got;

	if (prompt)
		printf("%s: ", prompt);
	fflush(stdout);
	got = fgets(line, SETUP_SECRET_MAX, stdin);
	if (is_hushed)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	if (!got)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s",
				ctl_say("se acabó la entrada", "the input ended"));
	*ret = str_trim(str_from(line));
	return CTL_OK;
}

/* What stands in the configuration that is replaced. */
static pa_str old_value(const struct setup *setup, const char *path)
{
	const struct conf_node *node = setup->old;
	pa_str rest = str_from(path);

	while (node && rest.len) {
		pa_str name = arena_copy(setup->arena, str_split(&rest, '.'));

		node = conf_find(node, name.ptr);
	}
	return node && node->kind == CONF_TEXT ? node->text : PA_STR_ABSENT;
}

static pa_str default_of(const struct setup *setup, const struct setup_question *question)
{
	pa_str old = question->path ? old_value(setup, question->path) : PA_STR_ABSENT;

	return old.len && !str_starts(old, PA_STR("credential:")) ? old
								  : str_from(question->fallback);
}

static const char *words_of(const struct setup *setup, const struct setup_question *question)
{
	const char *words = ctl_say(question->es, question->en);
	pa_str fallback = default_of(setup, question);

	return fallback.len ? arena_format(setup->arena, "%s [%.*s]", words, PA_FMT(fallback)).ptr
			    : words;
}

/* ---- one answer ---- */

static bool is_acceptable(struct setup *setup, const struct setup_question *question, pa_str answer)
{
	const char *complaint =
		question->complain && answer.len ? question->complain(setup, answer) : NULL;

	if (complaint) {
		fprintf(stderr, "  --%s: %s\n", question->flag, complaint);
		return false;
	}
	return !question->check || !answer.len || question->check(setup, answer) != SETUP_BAD;
}

static int ask_person(struct setup *setup, enum setup_name name)
{
	const struct setup_question *question = &setup_questions[name];

	for (;;) {
		pa_str answer = PA_STR_ABSENT;
		int status = setup_read_line(setup, words_of(setup, question),
					     question->kind == SETUP_SECRET, &answer);

		if (status != CTL_OK)
			return status;
		if (!answer.len && question->kind != SETUP_SECRET)
			answer = default_of(setup, question);
		if (!answer.len && question->flags & SETUP_OPTIONAL)
			return CTL_OK;
		if (!answer.len || !is_acceptable(setup, question, answer))
			continue;
		setup->answers[name] = answer;
		return CTL_OK;
	}
}

static void note_missing(struct setup *setup, const struct setup_question *question)
{
	bool secret = is_secret(question);

	setup->missing = arena_format(setup->arena, "%s  --%s%s%s\n",
				      setup->missing ? setup->missing : "", secret ? "secret " : "",
				      question->flag, secret ? "=file:/..." : " ...")
				 .ptr;
}

static int ask(struct setup *setup, enum setup_name name)
{
	const struct setup_question *question = &setup_questions[name];

	if (setup->is_given[name] && setup->answers[name].len)
		return is_acceptable(setup, question, setup->answers[name]) ? CTL_OK : CTL_FAILED;
	if (setup->is_interactive && !setup->is_given[name])
		return ask_person(setup, name);
	if (question->kind != SETUP_SECRET && !setup->is_given[name])
		setup->answers[name] = default_of(setup, question);
	if (!setup->answers[name].len && !(question->flags & SETUP_OPTIONAL))
		note_missing(setup, question);
	return CTL_OK;
}

int setup_ask_keys(struct setup *setup)
{
	for (enum setup_name i = 0; i < ASK_COUNT; i++) {
		const struct setup_question *question = &setup_questions[i];
		int status;

		if (is_secret(question) || setup->is_off[question->part] ||
		    (i == ASK_DATABASE && setup->database_secret.len))
			continue;
		status = ask(setup, i);
		if (status != CTL_OK)
			return status;
		if (question->flags & SETUP_LEADER && !setup->answers[i].len)
			setup->is_off[question->part] = true;
	}
	return CTL_OK;
}

/* ---- secrets ---- */

static int ask_secret(struct setup *setup, enum setup_name name)
{
	const struct setup_question *question = &setup_questions[name];

	if (!sample_mentions(
		    setup->text,
		    arena_format(setup->arena, "\"credential:proalto.%s\"", question->flag).ptr))
		return CTL_OK;
	if (!setup->is_given[name] && setup_has_credential(setup, question->flag)) {
		setup_kept("secreto", "secret", question->flag);
		return CTL_OK;
	}
	if (!setup->is_given[name] && question->kind == SETUP_TOKEN) {
		setup->answers[name] = setup_random_word(setup);
		return CTL_OK;
	}
	return ask(setup, name);
}

int setup_ask_secrets(struct setup *setup)
{
	for (enum setup_name i = 0; i < ASK_COUNT; i++) {
		int status = is_secret(&setup_questions[i]) ? ask_secret(setup, i) : CTL_OK;

		if (status != CTL_OK)
			return status;
	}
	return CTL_OK;
}
