/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include "base/err.h"
#include "base/str.h"
#include "config/command_line.h"
#include "io/child.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the plugin understands, and what an operator will want to know of his account. */
#define WEBHOOK_FIELDS                                                                             \
	"messages, message_template_status_update, message_template_quality_update,\n"             \
	"    template_category_update, phone_number_quality_update, phone_number_name_update,\n"   \
	"    account_update, account_alerts, business_capability_update, security,\n"              \
	"    user_preferences"

static int systemctl(struct setup *setup, const char *verb, const char *first, const char *second)
{
	const char *const argv[] = {"systemctl", verb, "--quiet", first, second, NULL};
	pa_error err = ERROR_INIT;

	if (child_run(setup->arena, argv, PA_STR_ABSENT, 0, NULL, &err) == PA_OK)
		return CTL_OK;
	return ctl_fail(setup->ctl, CTL_FAILED, "systemctl %s: %s", verb, error_text(&err));
}

static bool is_active(struct setup *setup)
{
	const char *const argv[] = {"systemctl", "is-active", "--quiet", "proalto.service", NULL};

	return child_run(setup->arena, argv, PA_STR_ABSENT, 0, NULL, NULL) == PA_OK;
}

/* systemd calls it active when it listens, even with its database away. */
static int ask_service(struct setup *setup)
{
	struct json *reply PA_CLEANUP(json_done) = NULL;
	bool has_store = false;
	int status = ctl_command(setup->ctl, "status", &reply);

	if (status != CTL_OK)
		return status;
	json_get_bool(reply, "store", &has_store);
	if (has_store)
		setup_did("el servicio está listo", "the service is ready", NULL);
	else
		setup_later(setup, ctl_say("el servicio arrancó, pero su base de datos no "
					   "responde: proaltoctl status",
					   "the service started, but its database does not answer: "
					   "proaltoctl status"));
	return CTL_OK;
}

int setup_service(struct setup *setup)
{
	if (!setup->starts || strcmp(setup->ctl->config_path, COMMAND_DEFAULT_CONFIG) != 0 ||
	    access("/run/systemd/system", F_OK) != 0) {
		setup_later(setup, ctl_say("arrancar el servicio: systemctl enable --now "
					   "proalto.socket proalto.service",
					   "start the service: systemctl enable --now "
					   "proalto.socket proalto.service"));
		return CTL_OK;
	}
	if (systemctl(setup, "enable", "proalto.socket", "proalto.service") != CTL_OK)
		return CTL_FAILED;
	/* One that waits because its old configuration was refused must not be waited for. */
	if (!setup->has_changed && is_active(setup))
		setup_kept("el servicio está en marcha", "the service runs", NULL);
	else if (systemctl(setup, "restart", "proalto.service", NULL) != CTL_OK)
		return CTL_FAILED;
	return ask_service(setup);
}

void setup_tell_meta(struct setup *setup)
{
	pa_str base = setup->answers[ASK_PUBLIC_URL];
	pa_str token = setup->answers[ASK_VERIFY_TOKEN];

	if (!token.len)
		token = setup_credential_read(setup, setup_questions[ASK_VERIFY_TOKEN].flag);
	if (!token.len)
		return; /* no WhatsApp, or its word is kept elsewhere */
	if (base.len)
		setup_check_public(setup, token);
	else
		base = str_from(ctl_say("https://SU-DIRECCIÓN-PÚBLICA", "https://YOUR-ADDRESS"));
	while (str_ends(base, PA_STR("/")))
		base.len--;
	printf("\n%s\n  %s\n    %.*s/webhook/whatsapp\n  %s\n    %.*s\n  %s\n    %s\n",
	       ctl_say("En el panel de Meta (su aplicación, WhatsApp, Configuración, Webhook) "
		       "escriba:",
		       "In Meta's dashboard (your app, WhatsApp, Configuration, Webhook) type:"),
	       ctl_say("URL de devolución de llamada:", "Callback URL:"), PA_FMT(base),
	       ctl_say("Token de verificación:", "Verify token:"), PA_FMT(token),
	       ctl_say("Campos a los que suscribirse:", "Fields to subscribe to:"), WEBHOOK_FIELDS);
}
