/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/findings.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX 1024
#define OUT_CAP ((size_t)4 << 20)
#define KINDS 4

static const struct {
	const char *name; /* in JSON */
	const char *nagios;
	const char *es, *en;
} states[KINDS] = {
	[HEALTH_OK] = {"ok", "OK", "bien", "fine"},
	[HEALTH_WARNING] = {"warning", "WARNING", "AVISO", "WARNING"},
	[HEALTH_CRITICAL] = {"critical", "CRITICAL", "GRAVE", "CRITICAL"},
	[HEALTH_UNKNOWN] = {"unknown", "UNKNOWN", "no se sabe", "unknown"},
};

/* For people who read Spanish; programs know the checks by their own names, and so do the others.
 */
static const struct {
	const char *check, *es;
} subjects[] = {
	{"config", "configuración"},
	{"config-mode", "su permiso"},
	{"credentials", "credenciales"},
	{"unit", "unidad"},
	{"migrations", "migraciones"},
	{"locks", "bloqueos"},
	{"space", "espacio"},
	{"service", "servicio"},
	{"service-store", "servicio y base"},
	{"reload", "recarga"},
	{"core", "sistema central"},
	{"channels", "canales"},
	{"plugins", "complementos"},
	{"plugins-disabled", "desactivados"},
	{"plugin-charges", "muertes"},
	{"stuck", "llamadas"},
	{"database", "base de datos"},
	{"database-tls", "cifrado"},
	{"database-certificate", "certificado"},
	{"schema", "esquema"},
	{"durability", "durabilidad"},
	{"replication", "réplica"},
	{"clock-database", "reloj (base)"},
	{"clock-provider", "reloj (Meta)"},
	{"partitions", "particiones"},
	{"strays", "extraviadas"},
	{"queue-in", "entrada"},
	{"queue-out", "salida"},
	{"uncertain", "en duda"},
	{"set-aside", "apartadas"},
	{"nodes", "nodos"},
	{"token", "token"},
	{"token-expiry", "vencimiento"},
	{"sms", "SMS"},
	{"policy", "política"},
	{"public", "dirección pública"},
	{"certificates", "certificados"},
	{"disk", "disco"},
};

static const enum health worst_first[KINDS] = {HEALTH_CRITICAL, HEALTH_WARNING, HEALTH_UNKNOWN,
					       HEALTH_OK};

void findings_add(struct findings *findings, const char *check, enum health health,
		  const char *todo, const char *format, ...)
{
	struct json *finding = json_object_new();
	char sentence[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	json_set_text(finding, "check", str_from(check));
	json_set_text(finding, "state", str_from(states[health].name));
	json_set_text(finding, "what", str_from(sentence));
	json_set_text(finding, "do", str_from(todo));
	json_append(findings->list, finding);
}

static enum health health_of(const struct json *finding)
{
	pa_str state = json_text_of(finding, "state");

	for (size_t i = 0; i < KINDS; i++)
		if (str_equal(state, str_from(states[i].name)))
			return (enum health)i;
	return HEALTH_UNKNOWN;
}

static const char *zero_ended(pa_str value, char *out, size_t room)
{
	if (str_is_absent(value))
		return NULL;
	snprintf(out, room, "%.*s", PA_FMT(value));
	return out;
}

bool findings_take(struct findings *findings, pa_str answer)
{
	struct json *list PA_CLEANUP(json_done) = NULL;
	pa_error err = ERROR_INIT;

	if (json_parse(answer, &list, &err) != PA_OK)
		return false;
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *finding = json_at(list, i);
		char check[64], todo[SENTENCE_MAX];

		findings_add(findings,
			     zero_ended(json_text_of(finding, "check"), check, sizeof(check)),
			     health_of(finding),
			     zero_ended(json_text_of(finding, "do"), todo, sizeof(todo)), "%.*s",
			     PA_FMT(json_text_of(finding, "what")));
	}
	return true;
}

/* ---- for people ---- */

static pa_str subject_of(const struct json *finding)
{
	pa_str check = json_text_of(finding, "check");

	for (size_t i = 0; i < ARRAY_COUNT(subjects); i++)
		if (str_equal(check, str_from(subjects[i].check)))
			return str_from(ctl_say(subjects[i].es, subjects[i].check));
	return check;
}

/* printf counts bytes, a terminal letters. */
static void print_padded(pa_str word, size_t width)
{
	size_t letters = 0;

	for (size_t i = 0; i < word.len; i++)
		letters += ((unsigned char)word.ptr[i] & 0xc0) != 0x80;
	printf("%.*s%*s", PA_FMT(word), letters < width ? (int)(width - letters) : 1, "");
}

static size_t count_of(const struct json *list, enum health health)
{
	size_t count = 0;

	for (size_t i = 0; i < json_count(list); i++)
		count += health_of(json_at(list, i)) == health;
	return count;
}

static enum health worst_of(const struct json *list)
{
	for (size_t i = 0; i < KINDS; i++)
		if (count_of(list, worst_first[i]))
			return worst_first[i];
	return HEALTH_OK;
}

static bool was_named(const struct json *list, size_t at)
{
	const struct json *finding = json_at(list, at);

	for (size_t i = 0; i < at; i++)
		if (health_of(json_at(list, i)) == health_of(finding) &&
		    str_equal(subject_of(json_at(list, i)), subject_of(finding)))
			return true;
	return false;
}

/* "critical: token, schema" */
static void add_names(const struct json *list, enum health health, struct buf *out)
{
	const char *separator = "";

	if (!count_of(list, health))
		return;
	buf_format(out, "%s%s: ", out->len ? "; " : "",
		   ctl_say(states[health].es, states[health].en));
	for (size_t i = 0; i < json_count(list); i++) {
		if (health_of(json_at(list, i)) != health || was_named(list, i))
			continue;
		buf_format(out, "%s%.*s", separator, PA_FMT(subject_of(json_at(list, i))));
		separator = ", ";
	}
}

static void summarize(const struct json *list, struct buf *out)
{
	for (size_t i = 0; i < KINDS; i++)
		if (worst_first[i] != HEALTH_OK)
			add_names(list, worst_first[i], out);
	buf_format(out, "%s%zu %s", out->len ? "; " : "", count_of(list, HEALTH_OK),
		   ctl_say(states[HEALTH_OK].es, states[HEALTH_OK].en));
}

static void print_one(const struct json *finding)
{
	enum health health = health_of(finding);
	pa_str todo = json_text_of(finding, "do");

	print_padded(str_from(ctl_say(states[health].es, states[health].en)), 11);
	print_padded(subject_of(finding), 20);
	printf("%.*s\n", PA_FMT(json_text_of(finding, "what")));
	if (todo.len)
		printf("%31s-> %.*s\n", "", PA_FMT(todo));
}

static void print_text(const struct json *list, enum health worst, pa_str summary)
{
	printf("PROALTO %s: %.*s\n\n", states[worst].nagios, PA_FMT(summary));
	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < json_count(list); j++)
			if (health_of(json_at(list, j)) == worst_first[i])
				print_one(json_at(list, j));
}

static void print_json(const struct json *list, enum health worst, pa_str summary)
{
	struct json *all PA_CLEANUP(json_done) = json_object_new();
	struct findings copy = {.list = json_array_new()};
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(OUT_CAP);

	json_write(list, &out);
	IGNORE_STATUS(!findings_take(&copy, buf_str(&out)), "then there are none");
	buf_clear(&out);
	json_set_text(all, "state", str_from(states[worst].name));
	json_set_text(all, "summary", summary);
	json_set(all, "findings", copy.list);
	json_write(all, &out);
	printf("%.*s\n", PA_FMT(buf_str(&out)));
}

enum health findings_print(const struct json *list, bool is_json)
{
	struct buf summary PA_CLEANUP(buf_done) = BUF_INIT(OUT_CAP);
	enum health worst = worst_of(list);

	summarize(list, &summary);
	(is_json ? print_json : print_text)(list, worst, buf_str(&summary));
	return worst;
}
