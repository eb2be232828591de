/* SPDX-License-Identifier: Apache-2.0 */
#include "config/words.h"

#include "base/buf.h"
#include "base/str.h"
#include "io/unicode.h"

#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX 4096
#define ARGUMENT_MAX 200 /* code points: names in a file may be long, sentences not */

static const struct {
	const char *es;
	const char *en;
} sentences[WORDS_COUNT] = {
	[WORDS_UNKNOWN_KEY] = {"no existe la clave \"{1}\"; ¿quiso decir \"{2}\"?",
			       "there is no key \"{1}\"; did you mean \"{2}\"?"},
	[WORDS_UNKNOWN_KEY_ALONE] = {"no existe la clave \"{1}\"", "there is no key \"{1}\""},
	[WORDS_MISSING_KEY] = {"falta la clave \"{1}\"", "the key \"{1}\" is missing"},
	[WORDS_WRONG_TYPE] = {"\"{1}\" debe ser {2}, no {3}", "\"{1}\" must be {2}, not {3}"},
	[WORDS_OUT_OF_RANGE] = {"\"{1}\" debe estar entre {2} y {3}",
				"\"{1}\" must be between {2} and {3}"},
	[WORDS_NOT_A_DURATION] = {"\"{1}\" debe ser una duración: \"500 ms\", \"2 s\", \"5 min\", "
				  "\"1 h\"",
				  "\"{1}\" must be a duration: \"500 ms\", \"2 s\", \"5 min\", "
				  "\"1 h\""},
	[WORDS_NOT_A_SIZE] = {"\"{1}\" debe ser un tamaño: \"512 KiB\", \"4 MiB\"",
			      "\"{1}\" must be a size: \"512 KiB\", \"4 MiB\""},
	[WORDS_NOT_A_CHOICE] = {"\"{1}\" debe ser uno de: {2}", "\"{1}\" must be one of: {2}"},
	[WORDS_NOT_A_PATH] = {"\"{1}\" debe ser una ruta completa, que empiece por /",
			      "\"{1}\" must be a whole path, beginning with /"},
	[WORDS_EMPTY] = {"\"{1}\" no puede estar vacío", "\"{1}\" may not be empty"},
	[WORDS_BAD_URL] = {"\"{1}\" no es una dirección permitida (https, o http hacia el propio "
			   "equipo): {2}",
			   "\"{1}\" is not an allowed address (https, or http to this host): {2}"},
	[WORDS_BAD_PROXY] = {"\"{1}\" no sirve: {2}", "\"{1}\" is no good: {2}"},
	[WORDS_TOGETHER] = {"\"{1}\" y \"{2}\" van juntas", "\"{1}\" and \"{2}\" go together"},
	[WORDS_NO_AUTHORITIES] = {"\"{1}\" = false deja sin autoridades: indique \"{2}\"",
				  "\"{1}\" = false leaves no authorities: give \"{2}\""},
	[WORDS_BAD_NAME] = {"\"{1}\" no sirve de nombre: minúsculas, cifras y guiones, empezando "
			    "por letra, 32 como máximo",
			    "\"{1}\" is no good as a name: lower-case letters, digits and hyphens, "
			    "a letter first, 32 at most"},
	[WORDS_TOO_MANY] = {"demasiados elementos en \"{1}\": {2} como máximo",
			    "too many in \"{1}\": {2} at most"},
	[WORDS_SECRET_LITERAL] = {"\"{1}\" es un secreto y no se escribe aquí; indique dónde está: "
				  "\"credential:NOMBRE\", \"file:/RUTA\" o \"env:NOMBRE\"",
				  "\"{1}\" is a secret and is not written here; say where it is: "
				  "\"credential:NAME\", \"file:/PATH\" or \"env:NAME\""},
	[WORDS_SECRET_PASSWORD] = {"\"{1}\" lleva una contraseña escrita; póngala en un archivo "
				   "(passfile=/RUTA), o toda la cadena en \"credential:NOMBRE\" si "
				   "la clave lo permite",
				   "\"{1}\" holds a password; put it into a file "
				   "(passfile=/PATH), or the whole string into "
				   "\"credential:NAME\" if the key allows it"},
	[WORDS_SECRET_MISSING] = {"no se puede leer el secreto de \"{1}\": {2}",
				  "the secret of \"{1}\" can't be read: {2}"},
	[WORDS_SECRET_EMPTY] = {"el secreto de \"{1}\" está vacío",
				"the secret of \"{1}\" is empty"},
	[WORDS_SECRET_NO_ENV] = {"el secreto de \"{1}\" no está: la variable {2} no existe",
				 "the secret of \"{1}\" is missing: there is no variable {2}"},
	[WORDS_SECRET_NO_CREDENTIALS] =
		{"el secreto de \"{1}\" no está: ni en $CREDENTIALS_DIRECTORY (systemd, "
		 "LoadCredential=) ni en {2} ni en {3}",
		 "the secret of \"{1}\" is missing: neither in $CREDENTIALS_DIRECTORY (systemd, "
		 "LoadCredential=) nor in {2} nor in {3}"},
	[WORDS_SECRET_ENCRYPTED] =
		{"el secreto de \"{1}\" está cifrado para este equipo: solo root puede leer {2} "
		 "(use sudo)",
		 "the secret of \"{1}\" is encrypted for this machine: only root can read {2} (use "
		 "sudo)"},
	[WORDS_SECRET_BAD_NAME] = {"\"{1}\": el nombre del secreto no sirve",
				   "\"{1}\": the secret's name is no good"},
	[WORDS_BAD_MASTER_KEY] = {"el secreto de \"{1}\" debe tener 64 cifras hexadecimales "
				  "(openssl rand -hex 32), o dos líneas así mientras se cambia",
				  "the secret of \"{1}\" must be 64 hexadecimal digits "
				  "(openssl rand -hex 32), or two such lines while it is changed"},
	[WORDS_PLUGIN_REFUSED] = {"no se puede usar el complemento: {1}",
				  "the plugin can't be used: {1}"},
	[WORDS_PLUGIN_LEFT_OUT] = {"se sigue sin \"{1}\" (es opcional): {2}",
				   "going on without \"{1}\" (it is optional): {2}"},
	[WORDS_PLUGIN_KIND] = {"el complemento \"{1}\" es de otra clase; aquí va un {2}",
			       "the plugin \"{1}\" is of another kind; this wants a {2}"},
	[WORDS_NO_CHANNELS] = {"no hay canales: \"channels\" está vacío, nadie podría escribir",
			       "there are no channels: \"channels\" is empty, nobody could write"},
	[WORDS_NO_BACKENDS] = {"no hay sistema central: \"backends\" está vacío, nadie podrá "
			       "identificarse",
			       "there is no core system: \"backends\" is empty, nobody can be "
			       "identified"},
	[WORDS_NO_CODE_CHANNEL] = {"no hay canal de códigos: identity.code_channel está vacío, "
				   "nadie podrá identificarse",
				   "there is no channel for codes: identity.code_channel is empty, "
				   "nobody can be identified"},
	[WORDS_CODE_CHANNEL_UNKNOWN] = {"identity.code_channel: no hay un canal \"{1}\"",
					"identity.code_channel: there is no channel \"{1}\""},
	[WORDS_CODE_CHANNEL_NO_SMS] = {"identity.code_channel: el canal \"{1}\" no envía SMS",
				       "identity.code_channel: the channel \"{1}\" carries no SMS"},
	[WORDS_BULKHEADS] = {"la suma de max_calls de los backends ({1}) debe ser menor que "
			     "work.workers ({2}): si no, un sistema central lento detiene a todos",
			     "the sum of the backends' max_calls ({1}) must be below work.workers "
			     "({2}): or else a slow core stops everybody"},
	[WORDS_LOOKUP_FULL] = {"identity.lookup = \"full\" pide el número completo de la cédula en "
			       "el chat, lo que va contra la política de mensajería de Meta "
			       "(WhatsApp Business Messaging Policy); \"last4\" no",
			       "identity.lookup = \"full\" asks for the whole document number in "
			       "the chat, which goes against Meta's policy (WhatsApp Business "
			       "Messaging Policy); \"last4\" does not"},
	[WORDS_LOOKUP_LINK] = {"identity.lookup = \"link\" necesita la página pública, que esta "
			       "versión no trae; use \"last4\" o \"full\"",
			       "identity.lookup = \"link\" needs the public page, which this "
			       "version does not have; use \"last4\" or \"full\""},
	[WORDS_DEMO_BESIDE_REAL] = {"el canal \"{1}\" es de demostración y no puede estar junto a "
				    "un canal real (\"{2}\")",
				    "the channel \"{1}\" is for demonstrations and can't stand "
				    "beside a real one (\"{2}\")"},
	[WORDS_DEMO_NOT_SAID] = {"el canal \"{1}\" es de demostración: exige demo = true",
				 "the channel \"{1}\" is for demonstrations: it asks for "
				 "demo = true"},
	[WORDS_NOT_ABOVE] = {"\"{1}\" no puede ser mayor que \"{2}\"",
			     "\"{1}\" may not be above \"{2}\""},
	[WORDS_IDLE_SUPERVISED] = {"\"{1}\" es de 5 min como máximo cuando house.regulation es "
				   "\"vigilada\"",
				   "\"{1}\" is 5 min at most while house.regulation is "
				   "\"vigilada\""},
	[WORDS_ACCOUNT_TWICE] = {"los canales \"{1}\" y \"{2}\" usan la misma cuenta",
				 "the channels \"{1}\" and \"{2}\" use the same account"},
	[WORDS_METRICS_REMOTE] =
		{"metrics.address: \"{1}\" no es del propio equipo y las métricas "
		 "no piden contraseña; si es lo que quiere, metrics.remote = true",
		 "metrics.address: \"{1}\" is not this host's own, and metrics ask "
		 "for no password; if you want it so, metrics.remote = true"},
	[WORDS_CHECK_OK] = {"{1}: en orden", "{1}: in order"},
	[WORDS_CHECK_FAILED] = {"{1}: errores: {2}", "{1}: errors: {2}"},
	[WORDS_WARNING] = {"aviso", "warning"},
	[WORDS_REQUIRED] = {"obligatoria", "required"},
	[WORDS_NEEDS_RESTART] = {"cambiarla exige reiniciar", "needs a restart to change"},
	[WORDS_DEFAULT] = {"por omisión {1}", "default {1}"},
	[WORDS_SECTION_CHANNEL] = {"Cada grupo de \"channels\" (además de las opciones del "
				   "complemento: proaltod --options COMPLEMENTO):",
				   "Each group of \"channels\" (beside the plugin's own options: "
				   "proaltod --options PLUGIN):"},
	[WORDS_SECTION_BACKEND] = {"Cada grupo de \"backends\" (además de las opciones del "
				   "complemento):",
				   "Each group of \"backends\" (beside the plugin's own options):"},
	[WORDS_SECTION_LANGUAGE] = {"El grupo \"language\" (además de las opciones del "
				    "complemento):",
				    "The group \"language\" (beside the plugin's own options):"},
	[WORDS_KIND_GROUP] = {"un grupo { ... }", "a group { ... }"},
	[WORDS_KIND_LIST] = {"una lista", "a list"},
	[WORDS_KIND_TEXT] = {"un texto entre comillas", "a text in quotes"},
	[WORDS_KIND_INTEGER] = {"un número entero", "a whole number"},
	[WORDS_KIND_REAL] = {"un número", "a number"},
	[WORDS_KIND_BOOL] = {"true o false", "true or false"},
	[WORDS_KIND_DURATION] = {"una duración entre comillas (\"5 min\")",
				 "a duration in quotes (\"5 min\")"},
	[WORDS_KIND_SIZE] = {"un tamaño entre comillas (\"4 MiB\")",
			     "a size in quotes (\"4 MiB\")"},
	[WORDS_KIND_URL] = {"una dirección https entre comillas", "an https address in quotes"},
	[WORDS_KIND_SECRET] = {"una referencia a un secreto (\"credential:NOMBRE\")",
			       "a reference to a secret (\"credential:NAME\")"},
	[WORDS_KIND_MAP] =
		{"un grupo de nombres y textos, o una lista de parejas ((\"nombre\", \"texto\"), "
		 "...)",
		 "a group of names and texts, or a list of pairs ((\"name\", \"text\"), ...)"},
	[WORDS_KIND_CHOICE] = {"una palabra entre comillas: {1}", "a word in quotes: {1}"},
	[WORDS_KIND_PATH] = {"una ruta entre comillas", "a path in quotes"},
	[WORDS_USAGE] = {"Uso: proaltod [--config ARCHIVO] [--check]\n"
			 "     proaltod --options [COMPLEMENTO]\n"
			 "     proaltod --probe ARCHIVO | --version | --help\n"
			 "\n"
			 "Asistente de mensajería de ProAlto: el servicio.\n"
			 "\n"
			 "  --config ARCHIVO  la configuración (por omisión /etc/proalto.conf)\n"
			 "  --check           revisa la configuración, dice todo lo que está mal y "
			 "termina\n"
			 "  --options         las claves de la configuración, con tipo, valor por "
			 "omisión y\n"
			 "                    explicación; con COMPLEMENTO, las de un complemento\n"
			 "  --probe ARCHIVO   prueba un complemento y termina\n"
			 "  --version         la versión\n"
			 "  --help            esta ayuda\n"
			 "\n"
			 "Termina con 0 si todo está bien, 1 si no pudo arrancar, 2 si la "
			 "configuración o los\n"
			 "argumentos no sirven.\n",
			 "Usage: proaltod [--config FILE] [--check]\n"
			 "       proaltod --options [PLUGIN]\n"
			 "       proaltod --probe FILE | --version | --help\n"
			 "\n"
			 "ProAlto's messaging assistant: the service.\n"
			 "\n"
			 "  --config FILE  the configuration (default /etc/proalto.conf)\n"
			 "  --check        checks the configuration, says all that is wrong, and "
			 "ends\n"
			 "  --options      the keys of the configuration with type, default and "
			 "help;\n"
			 "                 with PLUGIN, those of a plugin\n"
			 "  --probe FILE   tries a plugin, and ends\n"
			 "  --version      the version\n"
			 "  --help         this help\n"
			 "\n"
			 "Ends with 0 if all is well, 1 if it could not start, 2 if the "
			 "configuration or the\n"
			 "arguments are wrong.\n"},
	[WORDS_USAGE_ARGUMENT] = {"{1} necesita un valor", "{1} wants a value"},
	[WORDS_USAGE_UNKNOWN] = {"argumento desconocido: {1}", "unknown argument: {1}"},
};

bool words_are_spanish(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strncmp(value, "es", 2) == 0;
	}
	return true;
}

const char *words_say(struct arena *arena, enum words words, const char *first, const char *second,
		      const char *third)
{
	const char *const arguments[] = {first, second, third};
	struct buf out PA_CLEANUP(buf_done) = BUF_INIT(SENTENCE_MAX);
	const char *at;

	assert(words < WORDS_COUNT);
	at = words_are_spanish() ? sentences[words].es : sentences[words].en;
	for (; *at; at++) {
		if (at[0] == '{' && at[1] >= '1' && at[1] <= '3' && at[2] == '}') {
			buf_add(&out, utf8_cut(str_from(arguments[at[1] - '1']), ARGUMENT_MAX));
			at += 2;
		} else {
			buf_add_byte(&out, (uint8_t)*at);
		}
	}
	return arena_copy(arena, buf_str(&out)).ptr;
}
