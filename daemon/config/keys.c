/* SPDX-License-Identifier: Apache-2.0
 *
 * Every key of the configuration but the plugins' own. etc/proalto.conf shows each of them; a test
 * compares the two.
 */
#include "config/key.h"

#define SECONDS 1000.0
#define MINUTES (60 * SECONDS)
#define HOURS (60 * MINUTES)
#define KIB 1024.0
#define MIB (1024 * KIB)

#define AT(field) .offset = offsetof(struct config, field)
#define RANGE(low, high) .least = (low), .most = (high)
#define HELP(spanish, english) .es = (spanish), .en = (english)

static const char *const regulations[] = {"no_vigilada", "vigilada", NULL};
static const char *const lookups[] = {"full", "last4", "link", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};

static const struct config_key core_keys[] = {
	{"listen.address", KEY_TEXT, KEY_RESTART, AT(listen_address), .fallback = "\"127.0.0.1\"",
	 HELP("Dirección IP en la que se reciben los webhooks. Delante va el proxy con TLS.",
	      "IP address on which webhooks are received. The TLS proxy stands before it.")},
	{"listen.port", KEY_INTEGER, KEY_RESTART, AT(listen_port), RANGE(0, 65535), "8080",
	 HELP("Puerto. 0: uno libre cualquiera. Si systemd pasa un socket, se usa ese.",
	      "Port. 0: any free one. A socket passed by systemd is used instead.")},
	{"listen.max_body", KEY_SIZE, KEY_RESTART, AT(listen_max_body), RANGE(KIB, 64 * MIB),
	 "\"4 MiB\"",
	 HELP("Lo más que puede medir el cuerpo de una petición (Meta envía hasta 3 MB).",
	      "The most a request's body may measure (Meta sends up to 3 MB).")},
	{"listen.timeout", KEY_DURATION, KEY_RESTART, AT(listen_timeout_ms),
	 RANGE(SECONDS, 5 * MINUTES), "\"15 s\"",
	 HELP("Una conexión callada este tiempo se cierra.",
	      "A connection that is silent this long is closed.")},
	{"listen.max_connections", KEY_INTEGER, KEY_RESTART, AT(listen_max_connections),
	 RANGE(8, 60000), "2000",
	 HELP("Conexiones abiertas a la vez.", "Connections open at the same time.")},
	{"listen.max_per_address", KEY_INTEGER, KEY_RESTART, AT(listen_max_per_address),
	 RANGE(0, 60000), "0",
	 HELP("Conexiones a la vez de una dirección; la de quien se conecta, que con un proxy "
	      "delante "
	      "es la del proxy. 0: sin límite.",
	      "Connections of one address at a time; that of whoever connects, which is the "
	      "proxy's "
	      "if there is one in front. 0: no limit.")},
	{"listen.bad_requests", KEY_INTEGER, KEY_RESTART, AT(listen_bad_requests), RANGE(0, 60000),
	 "60",
	 HELP("Peticiones malas por minuto de una dirección (sin firma válida, a donde no hay "
	      "nada, "
	      "demasiado grandes): las que siguen reciben 429. Quien trajo una buena en la última "
	      "hora "
	      "no se limita. 0: sin límite.",
	      "Bad requests a minute of one address (not signed, to where nothing is, too large): "
	      "what follows hears 429. Who brought a good one within the hour is not limited. 0: "
	      "no "
	      "limit.")},
	{"listen.trusted_proxies", KEY_NETWORKS, KEY_RESTART, AT(trusted_proxies),
	 .fallback = "\"\"",
	 HELP("Direcciones o redes de los proxies que van delante, separadas por comas "
	      "(\"127.0.0.1, 10.1.0.0/16\"): solo a ellos se les cree la cabecera X-Forwarded-For. "
	      "Vacío: a nadie.",
	      "Addresses or networks of the proxies in front, separated by commas (\"127.0.0.1, "
	      "10.1.0.0/16\"): only their X-Forwarded-For is believed. Empty: nobody's.")},
	{"listen.certificate", KEY_PATH_OR, KEY_RESTART, AT(certificate), .fallback = "\"\"",
	 HELP("Certificado propio con su cadena (PEM), para recibir con TLS sin otro programa "
	      "delante. "
	      "Cuando el archivo cambia se toma solo. Vacío: sin TLS.",
	      "Own certificate with its chain (PEM), to receive by TLS without another program in "
	      "front. When the file changes it is taken by itself. Empty: no TLS.")},
	{"listen.key", KEY_PATH_OR, KEY_RESTART, AT(certificate_key), .fallback = "\"\"",
	 HELP("Su llave privada (PEM): un archivo que solo pueda leer su dueño, root o el usuario "
	      "del "
	      "servicio.",
	      "Its private key (PEM): a file that only its owner may read, root or the service's "
	      "user.")},
	{"control.socket", KEY_PATH, KEY_RESTART, AT(control_socket),
	 .fallback = "\"" CONFIG_CONTROL_SOCKET "\"",
	 HELP("Socket por el que proaltoctl habla con el servicio.",
	      "Socket by which proaltoctl talks to the service.")},
	{"metrics.address", KEY_TEXT, KEY_RESTART, AT(metrics_address), .fallback = "\"127.0.0.1\"",
	 HELP("Dirección IP en la que Prometheus lee las métricas (GET /metrics).",
	      "IP address on which Prometheus reads the metrics (GET /metrics).")},
	{"metrics.port", KEY_INTEGER, KEY_RESTART, AT(metrics_port), RANGE(0, 65535), "9469",
	 HELP("Puerto de las métricas. 0: no se ofrecen.", "Port of the metrics. 0: none.")},
	{"metrics.remote", KEY_BOOL, KEY_RESTART, AT(metrics_remote), .fallback = "false",
	 HELP("Permite que metrics.address no sea la del propio equipo. Las métricas no llevan "
	      "datos personales, pero tampoco piden contraseña.",
	      "Lets metrics.address be another than this host's own. The metrics hold no "
	      "personal data, but ask for no password either.")},
	{"store.database", KEY_DATABASE, KEY_RESTART, AT(database),
	 .fallback = "\"dbname=proalto user=proalto\"",
	 HELP("Cadena de conexión de libpq a la base de datos propia, sin contraseña; o una "
	      "referencia (\"credential:NOMBRE\") a un secreto que la contiene. De varios "
	      "servidores "
	      "(host=bd1,bd2) se usa el que acepta escrituras.",
	      "libpq's connection string of the house's own database, without a password; or a "
	      "reference (\"credential:NAME\") to a secret that holds it. Of several servers "
	      "(host=db1,db2) the one that takes writes is used.")},
	{"store.master_key", KEY_MASTER, KEY_REQUIRED | KEY_RESTART, AT(master_key),
	 HELP("Llave con la que se sella todo lo guardado: 64 cifras hexadecimales (openssl rand "
	      "-hex 32), o dos líneas mientras se cambia (proaltoctl keys rotate). Quien la "
	      "pierde, pierde los datos: guarde una copia fuera del equipo.",
	      "Key that seals all that is stored: 64 hexadecimal digits (openssl rand -hex 32), or "
	      "two lines while it is changed (proaltoctl keys rotate). "
	      "Who loses it loses the data: keep a copy elsewhere.")},
	{"store.node", KEY_NAME, KEY_RESTART, AT(node), .fallback = "\"\"",
	 HELP("Nombre de este nodo entre los que comparten la base. Vacío: el del equipo.",
	      "This node's name among those that share the database. Empty: the host's.")},
	{"backup.directory", KEY_PATH, 0, AT(backup_directory),
	 .fallback = "\"/var/lib/proalto/backups\"",
	 HELP("Dónde deja proaltoctl backup las copias. Mejor en otro equipo (un montaje): lo que "
	      "está aquí se pierde con este.",
	      "Where proaltoctl backup leaves the copies. Better on another machine (a mount): "
	      "what "
	      "is here is lost with this one.")},
	{"backup.keep", KEY_INTEGER, 0, AT(backup_keep), RANGE(1, 1000), "14",
	 HELP("Cuántas copias se guardan; las más viejas se borran.",
	      "How many copies are kept; the oldest go.")},
	{"backup.recovery", KEY_PATH, 0, AT(backup_recovery),
	 .fallback = "\"/etc/proalto/recovery.json\"",
	 HELP("Archivo de recuperación: las copias se sellan para su código, que no está en este "
	      "equipo.",
	      "Recovery file: copies are sealed for its code, which is not on this machine.")},
	{"files.max_bytes", KEY_SIZE, KEY_RESTART, AT(file_max_bytes), RANGE(64 * KIB, 100 * MIB),
	 "\"16 MiB\"",
	 HELP("Lo más que puede pesar un archivo de un cliente.",
	      "The most a customer's file may weigh.")},
	{"files.max_pixels", KEY_INTEGER, KEY_RESTART, AT(file_max_pixels), RANGE(100000, 40000000),
	 "32000000",
	 HELP("Lo más que puede medir una imagen, ancho por alto, también dentro de un PDF.",
	      "The most a picture may measure, width by height, within a PDF too.")},
	{"files.max_pages", KEY_INTEGER, KEY_RESTART, AT(file_max_pages), RANGE(1, 1000), "50",
	 HELP("Las páginas que puede tener un PDF.", "The pages that a PDF may have.")},
	{"files.inspector", KEY_PATH, KEY_RESTART, AT(file_inspector),
	 .fallback = "\"/usr/lib/proalto/proalto-inspect\"",
	 HELP("Programa que abre los archivos de los clientes, sin permisos para nada más.",
	      "Program that opens customers' files, with rights to nothing else.")},
	{"work.workers", KEY_INTEGER, KEY_RESTART, AT(workers), RANGE(2, 512), "16",
	 HELP("Hilos que atienden conversaciones. Más que la suma de max_calls de los backends.",
	      "Threads that serve conversations. More than the sum of the backends' max_calls.")},
	{"work.turn_deadline", KEY_DURATION, KEY_RESTART, AT(turn_deadline_ms),
	 RANGE(SECONDS, 2 * MINUTES), "\"20 s\"",
	 HELP("Plazo de un turno completo de conversación: lo que tome de más un sistema central "
	      "ya no se espera, y el cliente lo sabe.",
	      "Deadline of one whole turn: what a core system takes beyond it is not waited for, "
	      "and the customer is told.")},
	{"work.stuck_after", KEY_DURATION, KEY_RESTART, AT(stuck_after_ms),
	 RANGE(SECONDS, 10 * MINUTES), "\"30 s\"",
	 HELP("La llamada a un complemento que pasa de su plazo en este tiempo se da por perdida, "
	      "con su hilo.",
	      "A plugin's call this far past its deadline is written off, with its thread.")},
	{"work.stuck_calls", KEY_INTEGER, KEY_RESTART, AT(stuck_calls), RANGE(1, 64), "3",
	 HELP("Con tantas llamadas perdidas a la vez el servicio termina y vuelve a empezar.",
	      "With so many calls written off at a time the daemon ends, to start again.")},
	{"work.quiet", KEY_DURATION, 0, AT(quiet_ms), RANGE(0, 10 * SECONDS), "\"1 s\"",
	 HELP("Silencio que se espera antes de contestar a un texto que no se entiende por sí "
	      "solo, o a fotos, que pueden ser de un álbum.",
	      "Quiet that is awaited before answering a text not understood by itself, or photos, "
	      "which may be of an album.")},
	{"work.quiet_max", KEY_DURATION, 0, AT(quiet_max_ms), RANGE(0, 30 * SECONDS), "\"3 s\"",
	 HELP("Lo más que se espera ese silencio.", "The longest that quiet is awaited.")},
	{"house.name", KEY_TEXT, KEY_REQUIRED, AT(house_name),
	 HELP("Nombre de la entidad, como lo leen los clientes.",
	      "The house's name, as customers read it.")},
	{"house.nit", KEY_TEXT, KEY_REQUIRED, AT(house_nit),
	 HELP("NIT con dígito de verificación.", "NIT with its check digit.")},
	{"house.address", KEY_TEXT, KEY_REQUIRED, AT(house_address),
	 HELP("Dirección para peticiones y avisos de datos personales.",
	      "Address for petitions and notices on personal data.")},
	{"house.phone", KEY_TEXT, KEY_REQUIRED, AT(house_phone),
	 HELP("Teléfono de atención.", "Phone of customer service.")},
	{"house.email", KEY_TEXT, KEY_REQUIRED, AT(house_email),
	 HELP("Correo para consultas y reclamos de datos personales.",
	      "E-mail for questions and complaints on personal data.")},
	{"house.policy_url", KEY_URL, KEY_REQUIRED, AT(house_policy_url),
	 HELP("Política de tratamiento de datos personales, publicada.",
	      "The published policy on personal data.")},
	{"house.regulation", KEY_CHOICE, 0, AT(regulation), .fallback = "\"no_vigilada\"",
	 .choices = regulations,
	 HELP("Si la Superintendencia Financiera vigila a la entidad. Decide textos y plazos.",
	      "Whether the Superintendencia Financiera supervises the house. Decides texts and "
	      "terms.")},
	{"flows.directory", KEY_PATH, 0, AT(flows_directory),
	 .fallback = "\"/usr/share/proalto/flows\"",
	 HELP("Directorio de los flujos de conversación.", "Directory of the flows.")},
	{"flows.texts", KEY_PATH, 0, AT(texts_directory),
	 .fallback = "\"/usr/share/proalto/texts\"",
	 HELP("Directorio de los textos.", "Directory of the texts.")},
	{"flows.own_directory", KEY_PATH, 0, AT(own_flows_directory),
	 .fallback = "\"/etc/proalto/flows\"",
	 HELP("Flujos de la casa: un archivo de aquí reemplaza al del mismo nombre de "
	      "flows.directory; otro nombre es un archivo más. Puede no existir.",
	      "The house's flows: a file here replaces the one of the same name in "
	      "flows.directory; "
	      "another name is one more file. It need not exist.")},
	{"flows.own_texts", KEY_PATH, 0, AT(own_texts_directory),
	 .fallback = "\"/etc/proalto/texts\"",
	 HELP("Textos de la casa, del mismo modo.", "The house's texts, likewise.")},
	{"identity.lookup", KEY_CHOICE, 0, AT(lookup), .fallback = "\"last4\"", .choices = lookups,
	 HELP("Qué se pide para buscar al cliente: last4 (últimos cuatro dígitos, desde el chat "
	      "registrado), full (la cédula completa: va contra la política de Meta), link (página "
	      "pública: aún no disponible).",
	      "What is asked to look a customer up: last4 (last four digits, from the registered "
	      "chat), full (the whole number: goes against Meta's policy), link (public page: not "
	      "yet available).")},
	{"identity.code_channel", KEY_NAME, KEY_REQUIRED, AT(code_channel),
	 HELP("Canal que lleva los códigos de verificación: uno de \"channels\" que envíe SMS. "
	      "Vacío: ninguno todavía, y nadie puede identificarse.",
	      "Channel that carries verification codes: one of \"channels\" that sends SMS. Empty: "
	      "none yet, and nobody can be identified.")},
	{"identity.code_ttl", KEY_DURATION, 0, AT(code_ttl_ms), RANGE(MINUTES, 10 * MINUTES),
	 "\"5 min\"", HELP("Vida de un código.", "Life of a code.")},
	{"identity.code_tries", KEY_INTEGER, 0, AT(code_tries), RANGE(1, 5), "3",
	 HELP("Intentos con un código.", "Tries with one code.")},
	{"identity.lock", KEY_DURATION, 0, AT(lock_ms), RANGE(5 * MINUTES, 24 * HOURS),
	 "\"30 min\"",
	 HELP("Bloqueo después de gastar los intentos.", "Lock after the tries are used up.")},
	{"identity.session_idle", KEY_DURATION, 0, AT(session_idle_ms),
	 RANGE(MINUTES, 15 * MINUTES), "\"15 min\"",
	 HELP("Una identificación termina tras este silencio. Bajo regulation = \"vigilada\": 5 "
	      "min "
	      "si no se indica, y como máximo.",
	      "A verification ends after this silence. While regulation = \"vigilada\": 5 min if "
	      "not given, and at most.")},
	{"identity.session_max", KEY_DURATION, 0, AT(session_max_ms), RANGE(MINUTES, HOURS),
	 "\"60 min\"",
	 HELP("Una identificación termina en todo caso tras este tiempo.",
	      "A verification ends in any case after this time.")},
	{"identity.owner_codes_per_hour", KEY_INTEGER, 0, AT(owner_codes_per_hour), RANGE(1, 20),
	 "5",
	 HELP("Códigos por hora que puede pedir el titular desde su chat registrado.",
	      "Codes an hour that the holder may ask for from his registered chat.")},
	{"identity.stranger_codes_per_hour", KEY_INTEGER, 0, AT(stranger_codes_per_hour),
	 RANGE(0, 10), "3",
	 HELP("Códigos por hora a una persona que causan, juntos, todos los demás chats.",
	      "Codes an hour to one person caused by all other chats together.")},
	{"identity.mobile_settle_days", KEY_INTEGER, 0, AT(mobile_settle_days), RANGE(0, 90), "3",
	 HELP("Un celular cambiado hace menos días que estos pasa a un asesor.",
	      "A mobile changed fewer days ago than these goes to a person.")},
	{"plugins.directory", KEY_PATH, KEY_RESTART, AT(plugin_directory),
	 .fallback = "\"" CONFIG_PLUGIN_DIRECTORY "\"",
	 HELP("Directorio de los complementos: de root, y de nadie más la escritura.",
	      "Directory of the plugins: root's, and writable by nobody else.")},
	{"outbound.proxy", KEY_PROXY, KEY_RESTART, AT(proxy), .fallback = "\"\"",
	 HELP("Proxy de salida, con puerto: http://, https://, socks5:// o socks5h:// "
	      "(\"http://10.0.0.1:3128\"). Vacío: ninguno; las variables http_proxy y "
	      "semejantes del entorno no cuentan.",
	      "Outgoing proxy, with its port: http://, https://, socks5:// or socks5h:// "
	      "(\"http://10.0.0.1:3128\"). Empty: none; http_proxy and its like in the "
	      "environment don't count.")},
	{"outbound.proxy_login", KEY_SECRET, KEY_RESTART, AT(proxy_login), .fallback = "\"\"",
	 HELP("Dónde está el secreto con \"usuario:contraseña\" del proxy. Vacío: no los pide.",
	      "Where the secret with the proxy's \"user:password\" is. Empty: it asks for none.")},
	{"outbound.no_proxy", KEY_NAME, KEY_RESTART, AT(no_proxy), .fallback = "\"\"",
	 HELP("A qué se va sin el proxy: nombres, dominios o redes, separados por comas "
	      "(\"sms.banco.example,10.0.0.0/8\"). El propio equipo, siempre.",
	      "What is reached without the proxy: names, domains or networks, separated by commas "
	      "(\"sms.banco.example,10.0.0.0/8\"). This machine always is.")},
	{"outbound.ca_file", KEY_PATH_OR, KEY_RESTART, AT(ca_file), .fallback = "\"\"",
	 HELP("Autoridades de certificación de la entidad (PEM), además de las del sistema.",
	      "The house's certification authorities (PEM), besides the system's.")},
	{"outbound.system_authorities", KEY_BOOL, KEY_RESTART, AT(system_authorities),
	 .fallback = "true",
	 HELP("Si se confía en las autoridades del sistema. false: solo en las de ca_file.",
	      "Whether the system's authorities are trusted. false: only those of ca_file.")},
	{"log.level", KEY_LEVEL, 0, AT(log_level), .fallback = "\"info\"", .choices = levels,
	 HELP("Lo menos grave que se anota en el diario.", "The least grave that is logged.")},
	{"demo", KEY_BOOL, KEY_RESTART, AT(demo), .fallback = "false",
	 HELP("Demostración: permite channel-simulator y adelantar el reloj; exige que el sistema "
	      "central esté marcado como demostración.",
	      "Demonstration: allows channel-simulator and turning the clock; asks that the core "
	      "is marked as a demonstration.")},
};

#undef AT
#define AT(field) .offset = offsetof(struct config_channel, field)

static const struct config_key channel_keys[] = {
	{"plugin", KEY_TEXT, KEY_REQUIRED, AT(plugin),
	 HELP("Complemento: \"channel-whatsapp\", \"channel-sms-http\" ...",
	      "Plugin: \"channel-whatsapp\", \"channel-sms-http\" ...")},
	{"optional", KEY_BOOL, 0, AT(is_optional), .fallback = "false",
	 HELP("Si el complemento no se puede usar, seguir sin este canal.",
	      "If the plugin can't be used, go on without this channel.")},
	{"account", KEY_TEXT, 0, AT(account), .fallback = "\"\"",
	 HELP("Identificador de nuestro número en el proveedor (WhatsApp: phone_number_id).",
	      "The provider's id of our number (WhatsApp: phone_number_id).")},
	{"rate", KEY_REAL, 0, AT(rate), RANGE(0.01, 100000), "80.0",
	 HELP("Mensajes por segundo de la cuenta.", "Messages a second of the account.")},
	{"recipient_pause", KEY_DURATION, 0, AT(recipient_pause_ms), RANGE(0, HOURS), "\"6 s\"",
	 HELP("Pausa media entre dos mensajes a una persona.",
	      "Pause between two messages to one person, on average.")},
	{"recipient_burst", KEY_INTEGER, 0, AT(recipient_burst), RANGE(1, 1000), "20",
	 HELP("Mensajes seguidos a una persona antes de que cuente esa pausa.",
	      "Messages to one person that may go at once before that pause counts.")},
	{"attempt_timeout", KEY_DURATION, 0, AT(attempt_timeout_ms), RANGE(100, 2 * MINUTES),
	 "\"15 s\"",
	 HELP("Plazo de la respuesta del proveedor a un envío.",
	      "Deadline of the provider's answer to one attempt.")},
	{"uncertain_wait", KEY_DURATION, 0, AT(uncertain_wait_ms), RANGE(100, HOURS), "\"30 s\"",
	 HELP("Si no se sabe si un envío llegó, lo que se espera su estado antes de decidir.",
	      "If it is not known whether an attempt arrived: how long its status is awaited.")},
	{"give_up_after", KEY_DURATION, 0, AT(give_up_after_ms), RANGE(SECONDS, 72 * HOURS),
	 "\"4 h\"",
	 HELP("Los reintentos de un mensaje terminan tras este tiempo.",
	      "The retries of a message end after this time.")},
};

#undef AT
#define AT(field) .offset = offsetof(struct config_backend, field)

static const struct config_key backend_keys[] = {
	{"plugin", KEY_TEXT, KEY_REQUIRED, AT(plugin),
	 HELP("Complemento: \"backend-postgres\" ...", "Plugin: \"backend-postgres\" ...")},
	{"optional", KEY_BOOL, 0, AT(is_optional), .fallback = "false",
	 HELP("Si el complemento no se puede usar, seguir sin este sistema.",
	      "If the plugin can't be used, go on without this core.")},
	{"max_calls", KEY_INTEGER, 0, AT(max_calls), RANGE(1, 256), "4",
	 HELP("Consultas a la vez. La suma de todos debe ser menor que work.workers.",
	      "Calls at a time. The sum of all must be below work.workers.")},
	{"deadline", KEY_DURATION, 0, AT(deadline_ms), RANGE(100, MINUTES), "\"5 s\"",
	 HELP("Plazo de una consulta.", "Deadline of a call.")},
	{"breaker_after", KEY_INTEGER, 0, AT(breaker_after), RANGE(1, 100), "5",
	 HELP("Fallas seguidas tras las que se deja de preguntar.",
	      "Failures in a row after which it is asked no more.")},
	{"breaker_pause", KEY_DURATION, 0, AT(breaker_pause_ms), RANGE(100, 10 * MINUTES),
	 "\"15 s\"", HELP("Pausa antes de volver a preguntar.", "Pause before it is asked again.")},
};

#undef AT
#define AT(field) .offset = offsetof(struct config_language, field)

static const struct config_key language_keys[] = {
	{"plugin", KEY_NAME, 0, AT(plugin), .fallback = "\"\"",
	 HELP("Complemento que reconoce intenciones: \"nlp-linear\" ... Vacío: ninguno.",
	      "Plugin that recognises intents: \"nlp-linear\" ... Empty: none.")},
	{"optional", KEY_BOOL, 0, AT(is_optional), .fallback = "false",
	 HELP("Si el complemento no se puede usar, seguir sin él.",
	      "If the plugin can't be used, go on without it.")},
	{"threshold", KEY_REAL, 0, AT(threshold), RANGE(0, 1), "0.75",
	 HELP("Seguridad desde la que se cree en una intención, de 0 a 1.",
	      "Confidence from which an intent is believed, 0 to 1.")},
};

const struct config_table config_core_keys = {core_keys, ARRAY_COUNT(core_keys)};
const struct config_table config_channel_keys = {channel_keys, ARRAY_COUNT(channel_keys)};
const struct config_table config_backend_keys = {backend_keys, ARRAY_COUNT(backend_keys)};
const struct config_table config_language_keys = {language_keys, ARRAY_COUNT(language_keys)};
