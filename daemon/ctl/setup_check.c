/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/err.h"
#include "base/str.h"
#include "config/sample.h"
#include "ctl/beside.h"
#include "io/address.h"
#include "io/child.h"
#include "io/db_admin.h"
#include "io/http_client.h"
#include "io/json.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000
#define PEERS_MAX 16       /* servers of one connection string */
#define GRAPH_NO_TOKEN 190 /* Graph API: the access token has expired, or is none */

/* ---- form ---- */

const char *setup_complain_url(struct setup *setup, pa_str answer)
{
	(void)setup;
	return http_url_check(answer, NULL) == PA_OK
		       ? NULL
		       : ctl_say("debe ser una dirección https://", "must be an address https://");
}

static bool is_loopback(const char *host)
{
	struct address address;

	return strcmp(host, "localhost") == 0 ||
	       (address_parse(str_from(host), &address) && address_is_loopback(&address));
}

/* What goes over a network is encrypted, and to the right server. */
const char *setup_complain_database(struct setup *setup, pa_str answer)
{
	struct arena *arena = setup->arena;
	const char *conninfo = answer.ptr;
	struct db_peer peers[PEERS_MAX];
	pa_str mode, password;
	size_t count, near = 0;

	if (str_find(answer, PA_STR("://")) != SIZE_MAX ||
	    !db_peers(conninfo, arena, peers, PEERS_MAX, &count) ||
	    db_conninfo_get(arena, conninfo, "sslmode", &mode, NULL) != PA_OK ||
	    db_conninfo_get(arena, conninfo, "password", &password, NULL) != PA_OK)
		return ctl_say("se escribe \"host=... dbname=... user=...\"",
			       "is written \"host=... dbname=... user=...\"");
	if (password.len)
		return ctl_say("va sin contraseña: es un secreto aparte (--secret)",
			       "takes no password: that is a secret of its own (--secret)");
	while (near < count && is_loopback(peers[near].host))
		near++;
	if (near == count || str_equal(mode, PA_STR("verify-full")))
		return NULL;
	return ctl_say("a otro servidor se va con sslmode=verify-full, y sslrootcert=/RUTA si su "
		       "autoridad no es del sistema",
		       "to another server with sslmode=verify-full, and sslrootcert=/PATH if its "
		       "authority is not the system's");
}

/* ---- HTTP ---- */

static void client_done(struct http_client **client)
{
	http_client_free(*client);
}

const char *setup_setting(struct setup *setup, const char *path)
{
	pa_str value = sample_value(setup->arena, setup->text, path);

	for (const struct setup_set *set = setup->sets; set; set = set->next)
		if (strcmp(set->path, path) == 0)
			value = set->value;
	return value.len ? value.ptr : NULL;
}

/* GETs the address the way the daemon would. 0: no answer; then *ret_why tells why. */
static uint32_t get(struct setup *setup, pa_str url, pa_str token, pa_str *ret_body,
		    const char **ret_why)
{
	const pa_pair bearer = {PA_STR("Authorization"),
				arena_format(setup->arena, "Bearer %.*s", PA_FMT(token))};
	const pa_pair *const headers[] = {&bearer};
	const pa_http_request request = {.size = sizeof(request),
					 .method = PA_STR("GET"),
					 .url = url,
					 .headers = headers,
					 .headers_count = token.len ? 1 : 0};
	struct http_client *client PA_CLEANUP(client_done) = NULL;
	pa_http_response response = {.size = sizeof(response)};
	pa_error err = ERROR_INIT;
	uint32_t failure;

	*ret_body = PA_STR_ABSENT;
	if (http_client_new(
		    &(struct http_client_options){
			    .ca_file = setup_setting(setup, "outbound.ca_file"),
			    .proxy = setup_setting(setup, "outbound.proxy"),
			    .no_proxy = setup_setting(setup, "outbound.no_proxy"),
			    .user_agent = "proaltoctl/" PROALTO_VERSION},
		    &client, &err) == PA_OK &&
	    http_client_call(client, &request, TIMEOUT_MS, setup->arena, &response, &failure,
			     &err) == PA_OK) {
		*ret_body = response.body;
		return response.status;
	}
	*ret_why = arena_copy(setup->arena, str_from(error_text(&err))).ptr;
	return 0;
}

enum setup_verdict setup_check_policy(struct setup *setup, pa_str answer)
{
	const char *why = "";
	pa_str body;
	uint32_t status = get(setup, answer, PA_STR_ABSENT, &body, &why);

	if (status >= 200 && status < 400) {
		setup_did("la política de datos responde", "the privacy policy answers", NULL);
		return SETUP_GOOD;
	}
	setup_later(setup,
		    arena_format(setup->arena,
				 ctl_say("que la política de datos se lea en %.*s (%s)",
					 "that the privacy policy is readable at %.*s (%s)"),
				 PA_FMT(answer),
				 status ? arena_format(setup->arena, "HTTP %u", status).ptr : why)
			    .ptr);
	return SETUP_LATER;
}

static int64_t graph_code(pa_str body)
{
	struct json *json PA_CLEANUP(json_done) = NULL;
	int64_t code = 0;

	if (body.len && json_parse(body, &json, NULL) == PA_OK)
		json_get_integer(json_get(json, "error"), "code", &code);
	return code;
}

static enum setup_verdict judge_token(struct setup *setup, uint32_t status, pa_str body,
				      const char *why)
{
	if (status == 200) {
		setup_did("la llave de acceso sirve para el número de WhatsApp",
			  "the access token is good for the WhatsApp number", NULL);
		return SETUP_GOOD;
	}
	if (status == 401 || graph_code(body) == GRAPH_NO_TOKEN) {
		fprintf(stderr, "  %s\n",
			ctl_say("Meta no acepta la llave de acceso: está vencida o no es la de "
				"este número",
				"Meta does not take the access token: it is expired, or not this "
				"number's"));
		return SETUP_BAD;
	}
	if (status == 400 || status == 403 || status == 404) {
		fprintf(stderr,
			ctl_say("  Meta no deja ver este número con esta llave (HTTP %u, error "
				"%lld)\n",
				"  Meta does not show this number to this token (HTTP %u, error "
				"%lld)\n"),
			status, (long long)graph_code(body));
		return SETUP_BAD;
	}
	setup_later(setup,
		    arena_format(setup->arena,
				 ctl_say("la llave de acceso de WhatsApp: Meta no contesta (%s)",
					 "WhatsApp's access token: Meta does not answer (%s)"),
				 status ? arena_format(setup->arena, "HTTP %u", status).ptr : why)
			    .ptr);
	return SETUP_LATER;
}

enum setup_verdict setup_check_token(struct setup *setup, pa_str answer)
{
	const char *base = setup_setting(setup, "channels.whatsapp.graph_url");
	const char *version = setup_setting(setup, "channels.whatsapp.graph_version");
	const char *account = setup_setting(setup, "channels.whatsapp.account");
	const char *why = "";
	pa_str body, url;
	uint32_t status;

	if (!base || !version || !account)
		return SETUP_LATER; /* a file that somebody laid out otherwise */
	url = arena_format(setup->arena, "%s/%s/%s?fields=verified_name", base, version, account);
	status = get(setup, url, answer, &body, &why);
	return judge_token(setup, status, body, why);
}

void setup_check_public(struct setup *setup, pa_str verify_token)
{
	const pa_str challenge = PA_STR("6840327");
	const char *why = "";
	pa_str base = setup->answers[ASK_PUBLIC_URL], body, url;
	uint32_t status;

	while (str_ends(base, PA_STR("/")))
		base.len--;
	url = arena_format(setup->arena,
			   "%.*s/webhook/whatsapp?hub.mode=subscribe&hub.challenge=%.*s"
			   "&hub.verify_token=%.*s",
			   PA_FMT(base), PA_FMT(challenge), PA_FMT(verify_token));
	status = get(setup, url, PA_STR_ABSENT, &body, &why);
	if (status == 200 && str_equal(str_trim(body), challenge)) {
		setup_did("el webhook responde en la dirección pública",
			  "the webhook answers at the public address", NULL);
		return;
	}
	setup_later(setup,
		    arena_format(setup->arena,
				 ctl_say("que %.*s llegue a este servicio (%s)",
					 "that %.*s reaches this service (%s)"),
				 PA_FMT(base),
				 status ? arena_format(setup->arena, "HTTP %u", status).ptr : why)
			    .ptr);
}

/* ---- the daemon ---- */

int setup_check_file(struct setup *setup, const char *path)
{
	const char *program = beside_daemon(setup->arena);
	const char *const argv[] = {program, "--config", path, "--check", NULL};
	pa_error err = ERROR_INIT;

	if (!program)
		return ctl_fail(setup->ctl, CTL_FAILED, "%s",
				ctl_say("no se encuentra proaltod", "proaltod is not found"));
	fflush(stdout);
	if (child_run(setup->arena, argv, PA_STR_ABSENT, 0, NULL, &err) == PA_OK)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "%s", error_text(&err));
}
