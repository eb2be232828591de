/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_chat.h"

#include <dirent.h>
#include <unistd.h>

#define FILES_MAX 64

/* The shipped files, with one thing changed. */
struct files {
	struct arena *arena;
	struct flow_source list[FILES_MAX];
	size_t count;
	bool is_supervised; /* the house */
};

static pa_str file_text(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = arena_alloc(arena, 65536);
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, 65535, file);
	fclose(file);
	return (pa_str){text, len};
}

static void add_files(struct files *files, const char *directory, bool is_texts)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[600];

		if (!strstr(entry->d_name, ".conf"))
			continue;
		assert_true(files->count < FILES_MAX);
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		files->list[files->count++] = (struct flow_source){
			.name = arena_copy(files->arena, str_from(entry->d_name)).ptr,
			.text = file_text(files->arena, path),
			.is_texts = is_texts};
	}
	closedir(dir);
}

static void files_open(struct files *files)
{
	*files = (struct files){.arena = arena_new((size_t)64 << 20)};
	add_files(files, "etc/texts", true);
	add_files(files, "etc/flows", false);
}

static void files_change(struct files *files, const char *name, const char *from, const char *to)
{
	for (size_t i = 0; i < files->count; i++) {
		struct flow_source *source = &files->list[i];
		size_t at;

		if (strcmp(source->name, name) != 0)
			continue;
		at = str_find(source->text, str_from(from));
		if (at == SIZE_MAX)
			print_error("%s does not say %s\n", name, from);
		assert_true(at != SIZE_MAX);
		source->text = arena_format(
			files->arena, "%.*s%s%.*s", PA_FMT(str_slice(source->text, 0, at)), to,
			PA_FMT(str_slice(source->text, at + strlen(from), source->text.len)));
		return;
	}
	fail_msg("no file %s", name);
}

static pa_status files_load(struct files *files, struct flow_set **ret,
			    struct flow_problems *problems)
{
	struct flow_options options = chat_options();
	pa_error err = ERROR_INIT;

	options.is_supervised = files->is_supervised;
	*problems = (struct flow_problems){.arena = files->arena};
	return flow_set_load_sources(&options, files->list, files->count, ret, problems, &err);
}

static void test_shipped_files_are_whole(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *set = NULL;

	(void)state;
	files_open(&files);
	assert_int_equal(files_load(&files, &set, &problems), PA_OK);
	assert_int_equal(problems.count, 0);
	flow_set_unref(set);
	arena_free(files.arena);
}

static const struct {
	const char *file;
	const char *from;
	const char *to;
	const char *says;
} refused[] = {
	/* structure */
	{"saldo.conf", "sigue = \"creditos\"", "sigue = \"credito\"",
	 "el paso \"credito\" no existe"},
	{"saldo.conf", "verbo = \"verify\"", "verbo = \"verifica\"",
	 "el verbo \"verifica\" no existe"},
	{"saldo.conf", "\"saldo.pagado\"", "\"saldo.pagados\"",
	 "el texto \"saldo.pagados\" no existe"},
	{"saldo.conf", "sigue = \"cual\"; ", "", "falta \"sigue\""},
	{"saldo.conf", "texto = \"saldo.pagado\"; ", "", "falta \"texto\""},
	{"saldo.conf", "{ es = \"pagado\"; sigue = \"pagado\"; },", "",
	 "al paso \"pagado\" no se llega por ningún camino"},
	{"horario.conf", "\"8:00\"", "\"8\"", "es una hora de 0:00 a 24:00"},
	{"horario.conf", "\"8:00\"", "\"99999999999:00\"", "es una hora de 0:00 a 24:00"},
	{"horario.conf", "\"8:00\"", "\"18:00\"", "\"desde\" va antes de \"hasta\""},
	{"horario.conf", "\"lunes\"", "\"lúnes\"", "\"dias\" son de \"lunes\" a \"domingo\""},
	{"horario.conf", "\"lunes\"", "\"martes\"", "cada uno una vez"},
	{"horario.conf", "\"lunes\", \"martes\", \"miercoles\", \"jueves\", \"viernes\"", "",
	 "falta \"atencion\""},
	{"saldo.conf", "flujo = \"algo_mas\"", "flujo = \"nada_mas\"",
	 "el flujo \"nada_mas\" no existe"},
	{"saldo.conf", "que = \"credito\"", "que = \"pagos\"", "la consulta \"pagos\""},
	{"saldo.conf", "paso = \"decir\"", "paso = \"pagado\"", "está dos veces"},
	{"saldo.conf", "paso = \"decir\"", "paso = \"De cir\"", "letras minúsculas"},
	{"saldo.conf", "mira = \"estado_credito\"", "mira = \"estado\"", "la condición \"estado\""},
	{"saldo.conf", "boton = \"Ver créditos\"", "botton = \"Ver créditos\"",
	 "\"botton\" no existe aquí"},
	{"saldo.conf", "etiqueta = \"su saldo\";", "etiqueta = 3;", "no es del tipo"},
	{"saldo.conf", "pasos = (", "pasos = ((", "saldo.conf:"},
	{"asesor.conf", "flujo = \"asesor\"", "flujo = \"asesores\"", "falta el flujo \"asesor\""},
	{"asesor.conf", "dias = 1", "dias = 0", "días hábiles"},
	{"robot.conf", "sigue = \"fin\"", "sigue = \"decir\"", "da vueltas sin preguntar"},
	{"intenciones.conf", "flujo = \"contacto\"", "accion = \"menu\"",
	 "al flujo \"contacto\" no se llega"},
	{"intenciones.conf", "accion = \"atras\"", "accion = \"adelante\"",
	 "la acción \"adelante\" no existe"},
	{"intenciones.conf", "\"mi deuda\",", "\"asesor\",", "tienen la misma frase"},
	{"queja.conf", "flujo = \"queja\"", "flujo = \"menu\"", "ya existe"},
	/* data flow: nothing is shown without proof and a look-up in the same turn */
	{"saldo.conf", "verbo = \"verify\"; sigue",
	 "verbo = \"remember\"; guarda = \"x\"; "
	 "valor = \"y\"; sigue",
	 "falta haber confirmado la identidad"},
	{"saldo.conf",
	 "paso = \"detalle\"; verbo = \"fetch\"; que = \"credito\"; sigue = "
	 "\"estado\"; si_no = \"no_esta\"",
	 "paso = \"detalle\"; verbo = \"when\"; mira = \"consentimiento\"; casos = ( { es "
	 "= "
	 "\"si\"; sigue = \"estado\"; } ); si_no = \"no_esta\"",
	 "falta haber consultado el crédito en el mismo turno"},
	{"flujos.conf", "¿En qué le puedo ayudar?", "¿En qué le ayudo? Debe {saldo}.",
	 "falta haber confirmado la identidad"},
	{"flujos.conf", "¿Cuánto dinero necesita?\";", "¿Cuánto dinero? {radicado}\";",
	 "falta haber abierto un caso"},
	{"motor.conf", "Hola de nuevo.", "Hola {nombre}.", "\"saludo.otra_vez\" muestra un dato"},
	{"motor.conf", "Ese código no es.", "No es {codigo}.", "solo va por SMS"},
	{"saldo.conf", "; faltan = \"saldo.faltan\"", "", "diga en \"faltan\""},
	/* the channel's limits */
	{"menu.conf", "Estado de mi solicitud", "El estado de mi solicitud hoy",
	 "WhatsApp permite 24"},
	{"menu.conf", "En qué va el crédito que pidió",
	 "En qué va el crédito que usted nos pidió hace unos días por este chat o en una "
	 "oficina",
	 "WhatsApp permite 72"},
	{"enojo.conf", "Sí, con un asesor", "Sí, hablar con un asesor", "WhatsApp permite 20"},
	{"motor.conf", "boton_no = \"No autorizo\"", "boton_no = \"No autorizo usar mis datos\"",
	 "el máximo es 20"},
	{"menu.conf", "boton = \"Ver opciones\"", "boton = \"Ver todas las opciones\"",
	 "WhatsApp permite 20"},
	{"enojo.conf", "titulo = \"No, gracias\"; ", "titulo = \"No, gracias\"; detalle = \"x\"; ",
	 "un botón no lleva detalle"},
	{"menu.conf",
	 "{ opcion = \"asesor\"; titulo = \"Hablar con un asesor\"; flujo = "
	 "\"asesor\";",
	 "{ opcion = \"asesor\"; titulo = \"Hablar con un asesor\"; flujo = \"queja\";",
	 "la última opción de una lista lleva al flujo \"asesor\""},
	{"menu.conf", "titulo = \"Mis datos\"", "titulo = \"Mi saldo\"",
	 "el mismo nombre o título"},
	/* wording */
	{"motor.conf", "Le respondo apenas pueda.",
	 "Le respondo apenas pueda y mientras tanto le pido por favor que tenga un poco de "
	 "paciencia porque hay muchas personas.",
	 "el máximo es 20"},
	{"motor.conf", "Hola de nuevo.", "HOLA de nuevo.", "en mayúsculas: \"HOLA\""},
	{"motor.conf", "Hola de nuevo.", "Hola 👋 de nuevo 🙂.", "más de un emoji"},
	{"motor.conf", "Hola de nuevo.", "¡Hola! ¡Hola!", "más de una exclamación"},
	{"motor.conf", "Hola de nuevo.", "Su obligación está al día.", "diga \"crédito\""},
	{"motor.conf", "Hola de nuevo.", "¿Qué quieres hacer?", "diga \"quiere\""},
	/* BU-05, CO-11, EV-09, GE-02 */
	{"motor.conf", "Hola de nuevo.", "Lo vamos a reportar hoy.", "es una amenaza"},
	{"motor.conf", "Hola de nuevo.", "Es una mancha de por vida.", "es una amenaza"},
	{"motor.conf", "Hola de nuevo.", "Habrá embargo inmediato.", "es una amenaza"},
	{"motor.conf", "Hola de nuevo.", "Está en centrales de riesgo.",
	 "solo habla un texto legal"},
	{"motor.conf", "Hola de nuevo.", "¿Por qué no pagó?", "no se pregunta por qué"},
	{"motor.conf", "Hola de nuevo.", "Con firma digital.", "nadie más lo certifica"},
	{"motor.conf", "Hola de nuevo.", "Entidad vigilada.", "la casa no es vigilada"},
	{"legales.conf", "responde por sus datos", "es vigilada por la Superintendencia Financiera",
	 "la casa no es vigilada"},
	{"motor.conf", "Hola de nuevo.", "", "está vacío"},
	{"motor.conf", "su codigo es", "su código es", "quite á, í, ó, ú"},
	{"motor.conf", "Si no lo pidio, avisenos.",
	 "Si no lo pidio, avisenos ahora mismo por este mismo numero. Gracias.",
	 "el máximo es 160"},
	{"motor.conf", "Hola de nuevo.", "Hola {nadie}.", "{nadie}, que no existe"},
	{"motor.conf", "Hola de nuevo.", "Hola {nombre.", "abre { y no cierra }"},
	{"motor.conf", "	otra_vez = \"Hola de nuevo.\";", "",
	 "falta el texto \"saludo.otra_vez\""},
	/* legal texts (HD-10, HD-11) */
	{"legales.conf", "Serán para atender", "Serán solo para atender",
	 "un texto legal publicado no se edita"},
	{"legales.conf", "derechos = \"Usted", "derecho = \"Usted", "falta \"derechos\""},
	{"legales.conf", "Política completa: {politica}", "Pregunte por la política",
	 "le falta contenido en \"politica\""},
	{"legales.conf", "area = \"4.", "areas = \"4.", "falta \"area\""},
	{"legales.conf", "vigencia = \"6.", "vigencias = \"6.", "falta \"vigencia\""},
	{"legales.conf", "vigente_desde = \"2026-11-01\"", "vigente_desde = \"2026-13-01\"",
	 "debe ser una fecha"},
	{"legales.conf", "vigente_desde = \"2026-11-01\"", "vigente_desde = \"2999-01-01\"",
	 "falta el documento \"aviso\" en una versión vigente"},
	{"legales.conf", "sustancial = 1", "sustancial = 2", "y no al revés"},
	{"legales.conf", "documento = \"politica\"", "documento = \"politicas\"",
	 "\"politicas\" no existe"},
};

/* What is wrong is refused, with file and line and a sentence. */
static void test_what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct files files;
		struct flow_problems problems;
		struct flow_set *set = NULL;
		bool is_told = false;

		files_open(&files);
		files_change(&files, refused[i].file, refused[i].from, refused[i].to);
		if (files_load(&files, &set, &problems) != PA_REJECTED) {
			print_error("not refused: %s: %s\n", refused[i].file, refused[i].to);
			fail();
		}
		for (size_t k = 0; k < problems.count; k++) {
			char line[600];

			snprintf(line, sizeof(line), "%s: %s", problems.list[k].where,
				 problems.list[k].what);
			is_told = is_told || strstr(line, refused[i].says);
		}
		if (!is_told) {
			print_error("%s: nobody says \"%s\", but:\n", refused[i].file,
				    refused[i].says);
			for (size_t k = 0; k < problems.count; k++)
				print_error("  %s: %s\n", problems.list[k].where,
					    problems.list[k].what);
		}
		assert_true(is_told);
		arena_free(files.arena);
	}
}

/* GE-02: what only a supervised house may say. */
static void test_GE_02_a_supervised_house_may_say_so(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *set = NULL;

	(void)state;
	files_open(&files);
	files_change(&files, "motor.conf", "Hola de nuevo.",
		     "Somos una entidad vigilada por la Superintendencia Financiera.");
	assert_int_equal(files_load(&files, &set, &problems), PA_REJECTED);
	files.is_supervised = true;
	assert_int_equal(files_load(&files, &set, &problems), PA_OK);
	flow_set_unref(set);
	arena_free(files.arena);
}

static void test_all_problems_at_once_with_file_and_line(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *set = NULL;
	bool has_line = false;

	(void)state;
	files_open(&files);
	files_change(&files, "saldo.conf", "sigue = \"creditos\"", "sigue = \"x\"");
	files_change(&files, "menu.conf", "flujo = \"estado\"", "flujo = \"y\"");
	files_change(&files, "motor.conf", "Hola de nuevo.", "HOLA.");
	assert_int_equal(files_load(&files, &set, &problems), PA_REJECTED);
	assert_true(problems.count >= 3);
	for (size_t i = 0; i < problems.count; i++)
		has_line = has_line || strcmp(problems.list[i].where, "saldo.conf:5") == 0;
	assert_true(has_line);
	arena_free(files.arena);
}

static void test_unused_texts_are_a_warning(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *set = NULL;

	(void)state;
	files_open(&files);
	files_change(&files, "flujos.conf", "menu = {", "menu = { sobra = \"Nadie lo dice.\";");
	assert_int_equal(files_load(&files, &set, &problems), PA_OK);
	assert_int_equal(problems.count, 1);
	assert_true(problems.list[0].is_warning);
	flow_set_unref(set);
	arena_free(files.arena);
}

static void test_link_is_refused_without_the_public_page(void **state)
{
	struct flow_options options = chat_options();
	struct arena *arena = arena_new((size_t)64 << 20);
	struct flow_problems problems = {.arena = arena};
	struct flow_set *set = NULL;
	pa_error err = ERROR_INIT;

	(void)state;
	options.identity.lookup = IDENTITY_LINK;
	assert_int_equal(flow_set_load(&options, &set, &problems, &err), PA_REJECTED);
	assert_int_equal(problems.count, 1);
	options.identity.lookup = IDENTITY_FULL;
	options.flows_directory = "etc/nowhere";
	assert_int_equal(flow_set_load(&options, &set, &problems, &err), PA_REJECTED);
	arena_free(arena);
}

/* Loads the shipped folders with the house's own, which holds one file. */
static pa_status load_with_own(const char *name, pa_str text, bool is_texts,
			       struct flow_problems *problems, struct flow_set **ret, char *folder)
{
	struct flow_options options = chat_options();
	pa_error err = ERROR_INIT;
	char path[300];
	pa_status status;
	FILE *file;

	strcpy(folder, "/tmp/test_flow_set.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
	fclose(file);
	if (is_texts)
		options.own_texts_directory = folder;
	else
		options.own_flows_directory = folder;
	status = flow_set_load(&options, ret, problems, &err);
	unlink(path);
	rmdir(folder);
	return status;
}

static void test_a_file_of_the_house_replaces_the_shipped_one(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *set = NULL, *shipped = NULL;
	const char *const *own;
	char folder[64];

	(void)state;
	files_open(&files);
	assert_int_equal(files_load(&files, &shipped, &problems), PA_OK);
	files_change(&files, "motor.conf", "Hola de nuevo.", "Qué gusto leerle de nuevo.");
	for (size_t i = 0; i < files.count; i++) {
		if (strcmp(files.list[i].name, "motor.conf") != 0)
			continue;
		problems = (struct flow_problems){.arena = files.arena};
		assert_int_equal(load_with_own("motor.conf", files.list[i].text, true, &problems,
					       &set, folder),
				 PA_OK);
	}
	assert_int_equal(problems.count, 0);
	assert_int_equal(flow_set_own_files(set, &own), 1);
	assert_string_equal(own[0] + strlen(folder), "/motor.conf");
	assert_int_not_equal(flow_set_version(set), flow_set_version(shipped));
	flow_set_unref(set);
	flow_set_unref(shipped);
	arena_free(files.arena);
}

static void test_a_wrong_file_of_the_house_is_named(void **state)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct flow_problems problems = {.arena = arena};
	struct flow_set *set = NULL;
	char folder[64];

	(void)state;
	assert_int_equal(load_with_own("zzz.conf", PA_STR("flujo = \"zzz\";\npasos = ("), false,
				       &problems, &set, folder),
			 PA_REJECTED);
	assert_true(problems.count > 0);
	assert_int_equal(strncmp(problems.list[0].where, folder, strlen(folder)), 0);
	arena_free(arena);
}

/* A newer consent text, in force and with other purposes. */
static struct flow_set *load_newer_consent(struct files *files)
{
	static const char newer[] =
		"documentos = ( { documento = \"consentimiento\"; version = 2; "
		"vigente_desde = \"2026-11-02\"; sustancial = 2; sha256 = \"%s\"; "
		"partes = { pregunta = \"¿Permite que usemos sus datos?\"; }; } );";
	struct flow_problems problems;
	struct flow_set *set = NULL;
	uint8_t digest[DIGEST_BYTES];
	pa_str hex;

	files_open(files);
	sha256(PA_STR("¿Permite que usemos sus datos?"), digest);
	hex = hex_encode(files->arena, (pa_str){(char *)digest, sizeof(digest)});
	files->list[files->count++] =
		(struct flow_source){"z.conf", arena_format(files->arena, newer, hex.ptr), true};
	assert_int_equal(files_load(files, &set, &problems), PA_OK);
	return set;
}

static void test_HD_10_the_newest_version_in_force_counts(void **state)
{
	struct files files;
	struct flow_set *set = load_newer_consent(&files);

	(void)state;
	assert_int_equal(set->documents[DOC_CONSENT].version, 2);
	assert_int_equal(set->documents[DOC_NOTICE].version, 1);
	flow_set_unref(set);
	arena_free(files.arena);
}

/* Who said yes to older purposes is asked again before his data are used. */
static void test_HD_06_an_older_yes_is_asked_for_again(void **state)
{
	struct files files;
	struct flow_set *old;
	static struct chat c;

	(void)state;
	chat_open(&c);
	script(&c, "c hola", "t Sí, autorizo", "c salir");
	old = c.set;
	c.set = load_newer_consent(&files);
	flow_set_keep(c.set, old);
	flow_set_unref(old);
	script(&c, "c saldo", "b ¿Permite que usemos sus datos?", "n cédula?", "t Sí, autorizo",
	       "b ¿Cuál es su número de cédula?");
	assert_int_equal(c.consents, 2);
	assert_non_null(strstr(c.consent_version, "consentimiento-2 sha256:"));
	chat_close(&c);
	arena_free(files.arena);
}

static void test_versions_follow_contents(void **state)
{
	struct files files;
	struct flow_problems problems;
	struct flow_set *a = NULL, *b = NULL, *d = NULL;

	(void)state;
	files_open(&files);
	assert_int_equal(files_load(&files, &a, &problems), PA_OK);
	files_change(&files, "saldo.conf", "# Cuánto debe", "# Otra nota");
	assert_int_equal(files_load(&files, &b, &problems), PA_OK);
	assert_true(flow_set_version(a) == flow_set_version(b));
	files_change(&files, "motor.conf", "Hola de nuevo.", "Hola otra vez.");
	assert_int_equal(files_load(&files, &d, &problems), PA_OK);
	assert_true(flow_set_version(a) != flow_set_version(d));
	flow_set_keep(d, a);
	flow_set_unref(a);
	flow_set_unref(b);
	flow_set_unref(flow_set_ref(d));
	flow_set_unref(d);
	arena_free(files.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_files_are_whole),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_GE_02_a_supervised_house_may_say_so),
		cmocka_unit_test(test_all_problems_at_once_with_file_and_line),
		cmocka_unit_test(test_unused_texts_are_a_warning),
		cmocka_unit_test(test_link_is_refused_without_the_public_page),
		cmocka_unit_test(test_a_file_of_the_house_replaces_the_shipped_one),
		cmocka_unit_test(test_a_wrong_file_of_the_house_is_named),
		cmocka_unit_test(test_HD_10_the_newest_version_in_force_counts),
		cmocka_unit_test(test_HD_06_an_older_yes_is_asked_for_again),
		cmocka_unit_test(test_versions_follow_contents),
	};

	if (crypto_init() != PA_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
