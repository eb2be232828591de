/* SPDX-License-Identifier: Apache-2.0
 *
 * Those whom the daemon talks to over HTTP, asked in its way: proxy, authorities and all.
 */
#include "ctl/doctor.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/tell.h"
#include "io/certificate.h"
#include "io/clock.h"

#include <string.h>
#include <time.h>

#define SKEW_WARN_S 60
#define SKEW_CRITICAL_S 300
#define TOKEN_WARN_DAYS 14
#define TOKEN_EXPIRED 190
#define DAY_S INT64_C(86400)

/* As the daemon's own; NULL after an unknown finding. */
static struct http_client *open_http(const struct doctor *doctor, const char *check,
				     struct findings *findings)
{
	const struct config *config = doctor->look;
	struct http_client *http = NULL;
	pa_error err = ERROR_INIT;

	if (config && http_client_new(
			      &(struct http_client_options){
				      .ca_file = config->ca_file,
				      .no_system_ca = !config->system_authorities,
				      .proxy = config->proxy,
				      .proxy_login = doctor->config ? config->proxy_login : NULL,
				      .no_proxy = config->no_proxy,
				      .user_agent = "proaltoctl/" PROALTO_VERSION},
			      &http, &err) == PA_OK)
		return http;
	findings_add(findings, check, HEALTH_UNKNOWN, NULL, "%s: %s",
		     ctl_say("no se puede preguntar", "it can't be asked"), error_text(&err));
	return NULL;
}

static void http_done(struct http_client **http)
{
	http_client_free(*http);
}

/* authorization: a header's value, or NULL. */
static pa_status ask(const struct doctor *doctor, struct http_client *http, const char *method,
		     const char *url, const char *authorization, pa_http_response *ret,
		     pa_error *err)
{
	const pa_pair header = {.name = PA_STR("Authorization"), .value = str_from(authorization)};
	const pa_pair *const headers[] = {&header};
	const pa_http_request request = {.size = sizeof(request),
					 .flags = PA_HTTP_NO_REDIRECT,
					 .method = str_from(method),
					 .url = str_from(url),
					 .headers = headers,
					 .headers_count = authorization ? 1 : 0};
	uint32_t failure;

	return http_client_call(http, &request, DOCTOR_REQUEST_MS, doctor->arena, ret, &failure,
				err);
}

/* ---- WhatsApp ---- */

/* A channel's setting, or what the plugin takes without one. */
static const char *setting(const struct config_channel *channel, const char *name,
			   const char *fallback)
{
	for (size_t i = 0; i < channel->settings_count; i++)
		if (strcmp(channel->settings[i].name, name) == 0 &&
		    channel->settings[i].value.text.len)
			return channel->settings[i].value.text.ptr;
	return fallback;
}

static void judge_clock(const pa_http_response *response, struct findings *findings)
{
	pa_str date = PA_STR_ABSENT;
	char copy[64];
	struct tm tm = {0};
	int64_t skew_s, size_s;

	for (size_t i = 0; i < response->headers_count; i++)
		if (str_equal(response->headers[i]->name, PA_STR("date")))
			date = response->headers[i]->value;
	if (!date.len || date.len >= sizeof(copy))
		return;
	memcpy(copy, date.ptr, date.len);
	copy[date.len] = '\0';
	if (!strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return;
	skew_s = (int64_t)timegm(&tm) - clock_now_ns() / NS_PER_S;
	size_s = skew_s < 0 ? -skew_s : skew_s;
	findings_add(findings, "clock-provider",
		     size_s > SKEW_CRITICAL_S ? HEALTH_CRITICAL
		     : size_s > SKEW_WARN_S   ? HEALTH_WARNING
					      : HEALTH_OK,
		     size_s > SKEW_WARN_S ? "timedatectl; chronyc tracking" : NULL,
		     ctl_say("el reloj del proveedor va %lld s aparte del de este equipo",
			     "the provider's clock is %lld s off this machine's"),
		     (long long)skew_s);
}

static const char *token_steps(void)
{
	return ctl_say(
		"Meta Business: Usuarios del sistema, Generar token (whatsapp_business_messaging, "
		"sin vencimiento); guárdelo: sudo systemd-creds encrypt "
		"--name=proalto.whatsapp-access-token - "
		"/etc/credstore.encrypted/proalto.whatsapp-access-token; sudo systemctl "
		"restart proalto",
		"Meta Business: System users, Generate token (whatsapp_business_messaging, "
		"never expiring); store it: sudo systemd-creds encrypt "
		"--name=proalto.whatsapp-access-token - "
		"/etc/credstore.encrypted/proalto.whatsapp-access-token; sudo systemctl "
		"restart proalto");
}

static void judge_refusal(const struct doctor *doctor, const struct json *answer, unsigned http,
			  struct findings *findings)
{
	const struct json *error = json_get(answer, "error");
	int64_t code = 0;

	if (!json_get_integer(error, "code", &code))
		code = 0;
	if (code == TOKEN_EXPIRED)
		findings_add(
			findings, "token", HEALTH_CRITICAL, token_steps(), "%s",
			tell_error(doctor->arena, PA_STR("channel-whatsapp"), code, PA_STR_ABSENT));
	else
		findings_add(findings, "token", HEALTH_CRITICAL, NULL, "HTTP %u, %s", http,
			     tell_error(doctor->arena, PA_STR("channel-whatsapp"), code,
					PA_STR("Graph API")));
}

/* What Meta says of the token itself. It may refuse to tell: then nothing is known. */
static void judge_expiry(const struct doctor *doctor, struct http_client *http, const char *base,
			 const char *token, const char *authorization, struct findings *findings)
{
	const char *url =
		arena_format(doctor->arena, "%s/debug_token?input_token=%s", base, token).ptr;
	struct json *answer PA_CLEANUP(json_done) = NULL;
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;
	int64_t expires_s, days;

	if (ask(doctor, http, "GET", url, authorization, &response, &err) != PA_OK ||
	    response.status != 200 || json_parse(response.body, &answer, &err) != PA_OK ||
	    !json_get_integer(json_get(answer, "data"), "expires_at", &expires_s)) {
		findings_add(findings, "token-expiry", HEALTH_UNKNOWN, NULL, "%s",
			     ctl_say("Meta no dice hasta cuándo vale",
				     "Meta does not tell until when it holds"));
		return;
	}
	days = (expires_s - clock_now_ns() / NS_PER_S) / DAY_S;
	if (expires_s == 0)
		findings_add(findings, "token-expiry", HEALTH_OK, NULL, "%s",
			     ctl_say("el token no vence", "the token does not expire"));
	else
		findings_add(
			findings, "token-expiry",
			days < TOKEN_WARN_DAYS ? HEALTH_WARNING : HEALTH_OK,
			days < TOKEN_WARN_DAYS ? token_steps() : NULL,
			ctl_say("el token vence el %.*s (%lld días)",
				"the token expires on %.*s (%lld days)"),
			PA_FMT(str_slice(instant_iso(doctor->arena, expires_s * NS_PER_S), 0, 10)),
			(long long)days);
}

/* In a URL only what needs no escape; Meta's tokens are letters and digits. */
static bool is_plain(const char *token)
{
	return strspn(token,
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.|") ==
	       strlen(token);
}

static void look_at_account(const struct doctor *doctor, const struct config_channel *channel,
			    struct http_client *http, struct findings *findings)
{
	const char *token = setting(channel, "access_token", "");
	const char *base = arena_format(doctor->arena, "%s/%s",
					setting(channel, "graph_url", "https://graph.facebook.com"),
					setting(channel, "graph_version", "v26.0"))
				   .ptr;
	const char *url =
		arena_format(doctor->arena, "%s/%s?fields=id", base, channel->account).ptr;
	const char *authorization = arena_format(doctor->arena, "Bearer %s", token).ptr;
	struct json *answer PA_CLEANUP(json_done) = NULL;
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;
	pa_str id;

	if (ask(doctor, http, "GET", url, authorization, &response, &err) != PA_OK) {
		findings_add(findings, "token", HEALTH_CRITICAL,
			     ctl_say("revise la salida a Internet: proaltoctl hosts",
				     "check the way out: proaltoctl hosts"),
			     "%s: %s", ctl_say("Meta no responde", "Meta does not answer"),
			     error_text(&err));
		return;
	}
	judge_clock(&response, findings);
	IGNORE_STATUS(json_parse(response.body, &answer, &err), "then it tells nothing");
	if (response.status != 200) {
		judge_refusal(doctor, answer, response.status, findings);
		return;
	}
	if (!json_get_text(answer, "id", &id) || !str_equal(id, str_from(channel->account)))
		findings_add(findings, "token", HEALTH_CRITICAL, NULL, "channels.%s.account: %s",
			     channel->name,
			     ctl_say("Meta contesta por otro número",
				     "Meta answers for another number"));
	else
		findings_add(findings, "token", HEALTH_OK, NULL, "%s: %s", channel->name,
			     ctl_say("Meta acepta el token y conoce el número",
				     "Meta accepts the token and knows the number"));
	if (is_plain(token))
		judge_expiry(doctor, http, base, token, authorization, findings);
}

void doctor_whatsapp(const struct doctor *doctor, struct findings *findings)
{
	struct http_client *http PA_CLEANUP(http_done) = NULL;

	if (!doctor->config) {
		findings_add(findings, "token", HEALTH_UNKNOWN, "sudo proaltoctl doctor", "%s",
			     ctl_say("el token no se puede leer", "the token can't be read"));
		return;
	}
	http = open_http(doctor, "token", findings);
	for (size_t i = 0; http && i < doctor->config->channels_count; i++)
		if (strcmp(doctor->config->channels[i].plugin, "channel-whatsapp") == 0)
			look_at_account(doctor, &doctor->config->channels[i], http, findings);
}

/* ---- others ---- */

/* Any answer will do: it is there. Only the top of the host is asked, for what lies below may act.
 */
static void look_for(const struct doctor *doctor, struct http_client *http, const char *check,
		     pa_str url, struct findings *findings)
{
	size_t scheme = str_find(url, PA_STR("://"));
	pa_str rest = str_slice(url, scheme == SIZE_MAX ? url.len : scheme + 3, SIZE_MAX);
	pa_str host = str_split(&rest, '/');
	const char *top =
		arena_format(doctor->arena, "%.*s://%.*s/", (int)scheme, url.ptr, PA_FMT(host)).ptr;
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;

	if (!host.len)
		return;
	if (ask(doctor, http, "HEAD", top, NULL, &response, &err) == PA_OK)
		findings_add(findings, check, HEALTH_OK, NULL, "%s: %s", top,
			     ctl_say("responde", "answers"));
	else
		findings_add(findings, check, HEALTH_CRITICAL,
			     ctl_say("revise la red y el cortafuegos: proaltoctl hosts",
				     "check network and firewall: proaltoctl hosts"),
			     "%s: %s", top, error_text(&err));
}

void doctor_gateway(const struct doctor *doctor, struct findings *findings)
{
	struct http_client *http PA_CLEANUP(http_done) = open_http(doctor, "sms", findings);

	for (size_t i = 0; http && i < doctor->look->channels_count; i++) {
		const struct config_channel *channel = &doctor->look->channels[i];

		if (strcmp(channel->plugin, "channel-sms-http") == 0)
			look_for(doctor, http, "sms", str_from(setting(channel, "url", "")),
				 findings);
	}
}

void doctor_policy(const struct doctor *doctor, struct findings *findings)
{
	struct http_client *http PA_CLEANUP(http_done) = open_http(doctor, "policy", findings);
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;
	bool is_there;

	if (!http)
		return;
	is_there = ask(doctor, http, "GET", doctor->look->house_policy_url, NULL, &response,
		       &err) == PA_OK &&
		   response.status < 400;
	findings_add(findings, "policy", is_there ? HEALTH_OK : HEALTH_WARNING,
		     is_there ? NULL
			      : ctl_say("publique la política, o corrija house.policy_url",
					"publish the policy, or correct house.policy_url"),
		     "%s: %s", doctor->look->house_policy_url,
		     is_there ? ctl_say("responde", "answers")
			      : ctl_say("no se puede leer, y a cada cliente se le envía",
					"can't be read, and every customer is sent there"));
}

void doctor_public(const struct doctor *doctor, struct findings *findings)
{
	pa_error err = ERROR_INIT;
	const char *host;
	int64_t ends_ns;
	long port;

	if (!doctor->public_url)
		return;
	if (!http_url_host(str_from(doctor->public_url), doctor->arena, &host, &port)) {
		findings_add(findings, "public", HEALTH_UNKNOWN, NULL, "%s: %s", doctor->public_url,
			     ctl_say("no es una dirección", "is no address"));
		return;
	}
	if (certificate_host_end(host, port, DOCTOR_REQUEST_MS, &ends_ns, &err) == PA_OK)
		doctor_certificate(findings, "public", host, ends_ns);
	else
		findings_add(findings, "public", HEALTH_CRITICAL, NULL, "%s", error_text(&err));
}
