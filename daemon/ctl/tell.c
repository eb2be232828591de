/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tell.h"

#include "base/str.h"
#include "ctl/ctl.h"

#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

const char *tell_age(struct arena *arena, int64_t ms)
{
	int64_t days = ms / DAY_MS, hours = ms / HOUR_MS, minutes = ms / MINUTE_MS;

	if (ms < MINUTE_MS)
		return arena_format(arena, "%lld s", (long long)(ms > 0 ? ms / SECOND_MS : 0)).ptr;
	if (ms < HOUR_MS)
		return arena_format(arena, "%lld min", (long long)minutes).ptr;
	if (ms < 2 * DAY_MS)
		return arena_format(arena, "%lld h %lld min", (long long)hours,
				    (long long)(minutes % 60))
			.ptr;
	return arena_format(arena, "%lld %s", (long long)days, ctl_say("días", "days")).ptr;
}

/* Both have the same offset, so it does not matter. */
static bool read_time(pa_str text, time_t *ret)
{
	char copy[32];
	struct tm tm = {0};

	if (!text.len || text.len >= sizeof(copy))
		return false;
	for (size_t i = 0; i < text.len; i++)
		copy[i] = text.ptr[i];
	copy[text.len] = '\0';
	if (!strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	*ret = timegm(&tm);
	return true;
}

bool tell_between(pa_str from, pa_str to, int64_t *ret_ms)
{
	time_t first, second;

	if (!read_time(from, &first) || !read_time(to, &second))
		return false;
	*ret_ms = (int64_t)(second - first) * SECOND_MS;
	return true;
}

/* Meta, "Error codes" of the Graph API and the Cloud API: those that need a person. */
static const struct meta_error {
	int64_t first, last;
	const char *es, *en;
} meta_errors[] = {
	{3, 3, "a la aplicación le falta un permiso", "the app lacks a permission"},
	{4, 4, "la aplicación llegó a su límite de llamadas", "the app reached its rate limit"},
	{10, 10, "a la aplicación le falta un permiso", "the app lacks a permission"},
	{33, 33, "el identificador de nuestro número no existe", "our phone number id is wrong"},
	{190, 190, "el token de acceso venció o no es válido",
	 "the access token expired or is not valid"},
	{200, 299, "a la aplicación le falta un permiso", "the app lacks a permission"},
	{368, 368, "Meta bloqueó la cuenta por una política",
	 "Meta blocked the account for a policy"},
	{80007, 80007, "la cuenta llegó a su límite de mensajes",
	 "the account reached its rate limit"},
	{130429, 130429, "se alcanzó el caudal máximo de mensajes", "throughput limit reached"},
	{131005, 131005, "Meta negó el acceso", "Meta denied access"},
	{131026, 131026, "la persona no se puede alcanzar por WhatsApp",
	 "the person can't be reached on WhatsApp"},
	{131031, 131031, "Meta bloqueó la cuenta", "Meta locked the account"},
	{131037, 131037, "el nombre para mostrar no está aprobado",
	 "the display name is not approved"},
	{131042, 131042, "hay un problema con el pago de la cuenta",
	 "the account has a payment problem"},
	{131045, 131045, "falló el registro de nuestro número",
	 "the registration of our number failed"},
	{131047, 131047, "pasaron más de 24 horas desde que la persona escribió",
	 "more than 24 hours since the person wrote"},
	{131048, 131048, "Meta limita nuestro número por correo no deseado",
	 "Meta limits our number for spam"},
	{131056, 131056, "demasiados mensajes a la misma persona",
	 "too many messages to one person"},
	{133010, 133010, "nuestro número no está registrado", "our number is not registered"},
};

static const char *meta_words(int64_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(meta_errors); i++)
		if (code >= meta_errors[i].first && code <= meta_errors[i].last)
			return ctl_say(meta_errors[i].es, meta_errors[i].en);
	return NULL;
}

const char *tell_error(struct arena *arena, pa_str plugin, int64_t code, pa_str reason)
{
	bool is_meta = str_equal(plugin, PA_STR("channel-whatsapp")) && code > 0;
	const char *words = is_meta ? meta_words(code) : NULL;

	if (words)
		return arena_format(arena, "%lld: %s", (long long)code, words).ptr;
	if (code)
		return arena_format(arena, "%lld: %.*s", (long long)code, PA_FMT(reason)).ptr;
	return arena_format(arena, "%.*s", PA_FMT(reason)).ptr;
}
