/* SPDX-License-Identifier: Apache-2.0
 *
 * backend-postgres against a real PostgreSQL: every operation through the shipped mapping, absurd
 * rows, wrong statements, senseless options.
 */
#include <stdio.h>

#include "backend_postgres_rig.h"

/* ---- what the shipped mapping says about the showcase ---- */

struct person {
	const char *document;
	const char *name;
	const char *first_name;
	const char *mobile;
	const char *id;
};

static void finds_customers(void **state)
{
	(void)state;
	static const struct person people[] = {
		{"1999000001", "María Fernanda Gómez Peña", "María", "573005550001", "1"},
		{"1999000006", "Néstor Ramón Ñáñez Acuña", "Néstor", NULL, "6"},
		{"9990010", "Hernán Eduardo Mosquera Ordóñez", "Hernán", "573005550010", "10"},
		{"1999000907", "Celular De Palabra", "Celular", NULL, "17"},
	};
	void *self = open_shipped(2);
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		pa_call *call = call_begin(SECONDS(5));
		pa_error err = {.size = sizeof(err)};
		const pa_customer *found = NULL;
		assert_status(ops->find_customer(self, call, LITERAL("CC"),
						 text_of(people[i].document), &found, &err),
			      PA_OK, &err);
		assert_non_null(found);
		assert_int_equal(found->size, sizeof(pa_customer));
		assert_text(found->document, people[i].document);
		assert_text(found->document_type, "CC");
		assert_text(found->name, people[i].name);
		assert_text(found->first_name, people[i].first_name);
		assert_text(found->id, people[i].id);
		if (people[i].mobile)
			assert_text(found->mobile, people[i].mobile);
		else
			assert_null(found->mobile.ptr);
		call_end(call);
	}
	plugin->close(self);
}

static void reads_dates_of_a_customer(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_customer *found = NULL;
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("1999000007"), &found, &err),
		PA_OK, &err);
	assert_known(found->mobile_since, day(2026, 11, 19));
	assert_known(found->birth_date, day(1972, 12, 24));
	assert_null(found->email.ptr);
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("1999000006"), &found, &err),
		PA_OK, &err);
	assert_int_equal(found->mobile_since.is_known, 0);
	assert_known(found->birth_date, day(1949, 9, 8));
	assert_true(found->birth_date.value < 0);
	call_end(call);
	plugin->close(self);
}

static void finds_nobody(void **state)
{
	(void)state;
	static const char *const documents[] = {"1999999999", "", "' OR 1=1 --", "$1", "ñ", "\\"};
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		const pa_customer *found = (const pa_customer *)(const void *)documents;
		assert_status(ops->find_customer(self, call, LITERAL("CC"), text_of(documents[i]),
						 &found, &err),
			      PA_OK, &err);
		assert_null(found);
	}
	char longest[300];
	memset(longest, '1', sizeof(longest));
	const pa_customer *found = NULL;
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), (pa_str){longest, 300}, &found, &err),
		PA_REJECTED, &err);
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("1999\0001"), &found, &err),
		PA_REJECTED, &err);
	/* Not UTF-8: the server itself refuses it. */
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("\xff\xfe"), &found, &err),
		PA_REJECTED, &err);
	call_end(call);
	plugin->close(self);
}

static size_t count_by_mobile(void *self, const char *mobile, const char *last4)
{
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_customer *const *found = NULL;
	size_t count = 99;
	assert_status(ops->find_by_mobile(self, call, text_of(mobile), text_of(last4), &found,
					  &count, &err),
		      PA_OK, &err);
	for (size_t i = 0; i < count; i++)
		assert_text(found[i]->mobile, mobile);
	call_end(call);
	return count;
}

static void finds_by_mobile(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	assert_int_equal(count_by_mobile(self, "573005550001", "0001"), 1);
	assert_int_equal(count_by_mobile(self, "573005550001", "0002"), 0);
	assert_int_equal(count_by_mobile(self, "3005550001", "0001"), 0);
	assert_int_equal(count_by_mobile(self, "573005550018", "0908"), 2);
	plugin->close(self);
}

static void reads_credits(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_credit *const *credits = NULL;
	size_t count = 0;
	assert_status(ops->credits(self, call, LITERAL("2"), &credits, &count, &err), PA_OK, &err);
	assert_int_equal(count, 2);
	assert_text(credits[0]->number, "L0000102");
	assert_text(credits[1]->number, "L0000103");
	assert_text(credits[0]->payroll, "Pensiones La Sabana");
	assert_int_equal(credits[0]->state, PA_CREDIT_ACTIVE);
	assert_known(credits[0]->balance, 9590000);
	assert_known(credits[0]->instalment, 342500);
	assert_known(credits[0]->instalments_total, 60);
	assert_known(credits[0]->instalments_paid, 32);
	assert_known(credits[0]->instalments_pending, 28);
	assert_known(credits[0]->cut_off, day(2026, 11, 19));
	assert_known(credits[0]->disbursed_on, day(2024, 2, 14));
	assert_int_equal(credits[0]->paid_on.is_known, 0);

	assert_status(ops->credits(self, call, LITERAL("4"), &credits, &count, &err), PA_OK, &err);
	assert_int_equal(count, 1);
	assert_int_equal(credits[0]->state, PA_CREDIT_PAID);
	assert_known(credits[0]->balance, 0);
	assert_known(credits[0]->paid_on, day(2026, 6, 15));

	assert_status(ops->credits(self, call, LITERAL("8"), &credits, &count, &err), PA_OK, &err);
	assert_int_equal(credits[0]->state, PA_CREDIT_ASSIGNED);
	assert_int_equal(credits[0]->balance.is_known, 0);

	assert_status(ops->credits(self, call, LITERAL("9"), &credits, &count, &err), PA_OK, &err);
	assert_int_equal(credits[0]->state, PA_CREDIT_DISPUTED);

	assert_status(ops->credits(self, call, LITERAL("3"), &credits, &count, &err), PA_OK, &err);
	assert_int_equal(count, 0);
	call_end(call);
	plugin->close(self);
}

static void reads_next_discounts(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_discount *const *discounts = NULL;
	size_t count = 0;
	assert_status(ops->next_discounts(self, call, LITERAL("2"), &discounts, &count, &err),
		      PA_OK, &err);
	assert_int_equal(count, 2);
	assert_text(discounts[0]->credit_id, "L0000102");
	assert_int_equal(discounts[0]->state, PA_DISCOUNT_SCHEDULED);
	assert_known(discounts[0]->on, day(2026, 11, 28));
	assert_known(discounts[0]->amount, 342500);

	admin_do("INSERT INTO core_demo.pago VALUES ('L0000103', 6, 'DESCONTADO', '2026-11-19', "
		 "128000, NULL)");
	assert_status(ops->next_discounts(self, call, LITERAL("2"), &discounts, &count, &err),
		      PA_OK, &err);
	assert_int_equal(discounts[1]->state, PA_DISCOUNT_DEDUCTED);
	assert_status(ops->next_discounts(self, call, LITERAL("4"), &discounts, &count, &err),
		      PA_OK, &err);
	assert_int_equal(count, 0);
	call_end(call);
	plugin->close(self);
}

static void reads_applications_and_offers(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_application *const *applications = NULL;
	size_t count = 0;
	assert_status(ops->applications(self, call, LITERAL("5"), &applications, &count, &err),
		      PA_OK, &err);
	assert_int_equal(count, 1);
	assert_int_equal(applications[0]->stage, PA_APPLICATION_STUDY);
	assert_text(applications[0]->number, "S0000205");
	assert_known(applications[0]->filed_on, day(2026, 11, 16));
	assert_known(applications[0]->expected_on, day(2026, 11, 23));
	assert_known(applications[0]->amount, 12000000);

	const pa_offer *const *offers = NULL;
	assert_status(ops->renewal_offers(self, call, LITERAL("10"), &offers, &count, &err), PA_OK,
		      &err);
	assert_int_equal(count, 1);
	assert_int_equal(offers[0]->is_eligible, 1);
	assert_known(offers[0]->amount, 27993600);
	assert_null(offers[0]->reason.ptr);
	assert_status(ops->renewal_offers(self, call, LITERAL("1"), &offers, &count, &err), PA_OK,
		      &err);
	assert_int_equal(offers[0]->is_eligible, 0);
	assert_non_null(offers[0]->reason.ptr);
	assert_int_equal(offers[0]->amount.is_known, 0);
	call_end(call);
	plugin->close(self);
}

static void reads_obligations(void **state)
{
	(void)state;
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_obligation *const *obligations = NULL;
	size_t count = 0;
	assert_status(ops->obligations(self, call, LITERAL("9"), &obligations, &count, &err), PA_OK,
		      &err);
	assert_int_equal(count, 2);
	assert_text(obligations[0]->number, "L0000105");
	assert_known(obligations[0]->is_codebtor, 1);
	assert_known(obligations[0]->balance, 2630000);
	assert_known(obligations[0]->in_transit, 263000);
	assert_known(obligations[1]->is_codebtor, 0);
	assert_int_equal(obligations[1]->state, PA_CREDIT_DISPUTED);
	call_end(call);
	plugin->close(self);
}

/* The two halves of the statement see the core as it was when the first one looked. */
static void reads_obligations_in_one_snapshot(void **state)
{
	(void)state;
	admin_do("CREATE OR REPLACE FUNCTION core_demo.isolation() RETURNS text LANGUAGE sql "
		 "RETURN current_setting('transaction_isolation') || ' ' || "
		 "current_setting('transaction_read_only')");
	void *self = open_one(NULL, "obligations",
			      "SELECT 'x' AS credit_id, 'activo' AS state, "
			      "core_demo.isolation() AS number");
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_obligation *const *obligations = NULL;
	size_t count = 0;
	assert_status(ops->obligations(self, call, LITERAL("1"), &obligations, &count, &err), PA_OK,
		      &err);
	assert_text(obligations[0]->number, "repeatable read on");
	assert_int_equal(obligations[0]->balance.is_known, 0);
	call_end(call);
	plugin->close(self);
}

static const pa_change *const *changes_after(void *self, pa_call *call, const char *cursor,
					     size_t limit, size_t *ret_count)
{
	pa_error err = {.size = sizeof(err)};
	const pa_change *const *changes = NULL;
	assert_status(
		ops->changes_since(self, call, text_of(cursor), limit, &changes, ret_count, &err),
		PA_OK, &err);
	return changes;
}

static void follows_changes(void **state)
{
	(void)state;
	char cursor[64];
	void *self = open_shipped(1);
	pa_call *call = call_begin(SECONDS(5));
	size_t count = 0;
	const pa_change *const *changes = changes_after(self, call, "", 10, &count);
	assert_int_equal(count, 1);
	assert_int_equal(changes[0]->what, 0);
	(void)snprintf(cursor, sizeof(cursor), "%.*s", (int)changes[0]->cursor.len,
		       changes[0]->cursor.ptr);
	changes_after(self, call, cursor, 10, &count);
	assert_int_equal(count, 0);

	admin_do("UPDATE core_demo.solicitud SET etapa = 'APROBADA' WHERE num_sol = 'S0000205'");
	admin_do("UPDATE core_demo.pago SET estado = 'RECIBIDO' WHERE num_cre = 'L0000103' AND nro "
		 "= "
		 "6");
	changes = changes_after(self, call, cursor, 10, &count);
	assert_int_equal(count, 2);
	assert_int_equal(changes[0]->what, PA_CHANGE_APPLICATION);
	assert_text(changes[0]->customer_id, "5");
	assert_text(changes[0]->object_id, "S0000205");
	assert_int_equal(changes[1]->what, PA_CHANGE_DISCOUNT);
	assert_text(changes[1]->customer_id, "2");

	changes = changes_after(self, call, cursor, 1, &count);
	assert_int_equal(count, 1);
	(void)snprintf(cursor, sizeof(cursor), "%.*s", (int)changes[0]->cursor.len,
		       changes[0]->cursor.ptr);
	changes = changes_after(self, call, cursor, 10, &count);
	assert_int_equal(count, 1);
	assert_int_equal(changes[0]->what, PA_CHANGE_DISCOUNT);
	call_end(call);
	plugin->close(self);
}

static pa_status ask_demo(void *self, uint32_t *ret, pa_error *err)
{
	pa_call *call = call_begin(SECONDS(5));
	*err = (pa_error){.size = sizeof(*err)};
	pa_status status = ops->is_demo(self, call, ret, err);
	call_end(call);
	return status;
}

static void knows_a_demonstration(void **state)
{
	(void)state;
	pa_error err;
	uint32_t is_demo = 7;
	void *self = open_shipped(1);
	assert_status(ask_demo(self, &is_demo, &err), PA_OK, &err);
	assert_int_equal(is_demo, 1);
	plugin->close(self);

	self = open_one(NULL, "credits", "SELECT 1");
	assert_status(ask_demo(self, &is_demo, &err), PA_OK, &err);
	assert_int_equal(is_demo, 0);
	plugin->close(self);

	self = open_one(NULL, "is_demo", "SELECT true AS is_demo WHERE false");
	assert_status(ask_demo(self, &is_demo, &err), PA_OK, &err);
	assert_int_equal(is_demo, 0);
	plugin->close(self);

	is_demo = 7;
	self = open_one(NULL, "is_demo", "SELECT is_demo FROM core_real.core_info");
	assert_status(ask_demo(self, &is_demo, &err), PA_REJECTED, &err);
	assert_int_equal(is_demo, 7);
	plugin->close(self);
}

/* ---- absurd rows, wrong statements ---- */

static void meets_absurd_rows(void **state)
{
	(void)state;
	static const struct {
		const char *customer;
		pa_status status;
		const char *text;
	} cases[] = {
		{"11", PA_OK, NULL}, /* a negative balance is a number: the daemon judges it */
		{"12", PA_OK, NULL},
		{"13", PA_REJECTED, "credits: column balance"},
		{"14", PA_REJECTED, "credits: column state"},
		{"15", PA_OK, NULL}, /* the day without end is left out */
		{"20", PA_REJECTED, "credits: more than 200 rows"},
		{"21", PA_OK, NULL},
		{"x1", PA_REJECTED, "SQLSTATE 22P02"},
		{"99999999999999999999", PA_REJECTED, "SQLSTATE 22003"},
	};
	void *self = open_shipped(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pa_error err;
		size_t count = 0;
		pa_status status = ask_credits(self, SECONDS(5), cases[i].customer, &count, &err);
		assert_status(status, cases[i].status, &err);
		if (cases[i].text && !strstr(err.text, cases[i].text))
			fail_msg("%s: %s", cases[i].customer, err.text);
	}
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_customer *found = NULL;
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("1999000905"), &found, &err),
		PA_OK, &err);
	assert_non_null(found);
	assert_false(found->birth_date.is_known);
	assert_int_equal(found->document.len, 10);
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("1999000906"), &found, &err),
		PA_OK, &err);
	call_end(call);
	plugin->close(self);
}

#define PERSON                                                                                     \
	"SELECT 'k' AS id, 'CC' AS document_type, '1020304050' AS document, "                      \
	"'573001112233' AS mobile"

/* What nobody's balance depends on is left out, and named once. */
static void leaves_out_spare_nonsense(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		const char *text; /* NULL: taken, and nothing of it is there */
	} cases[] = {
		{PERSON ", repeat('4071', 1250) AS name, 'infinity'::date AS birth_date", NULL},
		{PERSON ", NULL AS name, '4071-02-30' AS birth_date", NULL},
		{PERSON ", '' AS name, repeat('4071', 600) AS first_name", NULL},
		{PERSON ", repeat('4071', 600) AS name, repeat('4071', 600) AS email", NULL},
		{PERSON, "column name is missing"},
		{PERSON ", 'Ana' AS name, 'infinity'::date AS mobile_since", "column mobile_since"},
		{"SELECT repeat('4071', 600) AS id, 'CC' AS document_type, '1' AS document, 'A' AS "
		 "name",
		 "column id"},
		{"SELECT 'k' AS id, 'CC' AS document_type, '4071x' AS document, 'A' AS name",
		 "column document"},
		{"SELECT 'k' AS id, 'CC' AS document_type, '1' AS document, 'A' AS name, '4071x' "
		 "AS "
		 "mobile",
		 "column mobile"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *self = open_one(NULL, "find_customer", cases[i].sql);
		pa_call *call = call_begin(SECONDS(5));
		for (int again = 0; again < 2; again++) {
			pa_error err = {.size = sizeof(err)};
			const pa_customer *found = NULL;
			pa_status status = ops->find_customer(self, call, LITERAL("CC"),
							      LITERAL("1020304050"), &found, &err);
			assert_status(status, cases[i].text ? PA_REJECTED : PA_OK, &err);
			assert_null(strstr(err.text, "4071"));
			if (cases[i].text && !strstr(err.text, cases[i].text))
				fail_msg("%s: %s", cases[i].sql, err.text);
			if (cases[i].text)
				continue;
			assert_null(found->name.ptr);
			assert_null(found->first_name.ptr);
			assert_null(found->email.ptr);
			assert_false(found->birth_date.is_known);
			assert_memory_equal(found->mobile.ptr, "573001112233", 12);
		}
		call_end(call);
		plugin->close(self);
	}
}

static void names_what_it_leaves_out_once(void **state)
{
	(void)state;
	void *self =
		open_one(NULL, "find_customer",
			 PERSON ", repeat('4071', 1250) AS name, 'infinity'::date AS birth_date");
	log_clear();
	for (int i = 0; i < 3; i++) {
		pa_call *call = call_begin(SECONDS(5));
		pa_error err = {.size = sizeof(err)};
		const pa_customer *found = NULL;
		assert_status(ops->find_customer(self, call, LITERAL("CC"), LITERAL("1020304050"),
						 &found, &err),
			      PA_OK, &err);
		call_end(call);
	}
	assert_string_equal(
		log_text(),
		"find_customer: column name has values that make no sense: they are "
		"left out\n"
		"find_customer: column birth_date has values that make no sense: they are "
		"left out\n");
	plugin->close(self);
}

#define GOOD "SELECT 'a' AS id, 'activo' AS state, 'n' AS number"

/* Each is a statement for credits, and what comes of it. The value 4071 must never show. */
static void judges_columns_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		pa_status status;
		const char *text;
	} cases[] = {
		{GOOD, PA_OK, ""},
		{GOOD ", NULL AS balance, NULL AS paid_on", PA_OK, ""},
		{GOOD ", 4071.00 AS balance", PA_OK, ""},
		{GOOD ", '-4071' AS balance", PA_OK, ""},
		{GOOD ", 9223372036854775807 AS balance", PA_OK, ""},
		{GOOD " WHERE false", PA_OK, ""},
		{"SELECT 'a' AS id, 'Activo ' AS state, 'n' AS number", PA_OK, ""},
		{"SELECT 'a' AS id, 'activo' AS state", PA_REJECTED, "column number is missing"},
		{"SELECT 'a' AS id, 'activo' AS state WHERE false", PA_REJECTED,
		 "column number is missing"},
		{"SELECT NULL AS id, 'activo' AS state, 'n' AS number", PA_REJECTED,
		 "column id has no value"},
		{"SELECT '  ' AS id, 'activo' AS state, 'n' AS number", PA_REJECTED,
		 "column id has no value"},
		{GOOD ", 1 AS balence", PA_REJECTED, "\"balence\""},
		{GOOD ", 1 AS balance, 2 AS balance", PA_REJECTED, "balance comes twice"},
		{GOOD ", 4071.50 AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '4071.' AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '4.071' AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '4071x' AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '' AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '-' AS balance", PA_REJECTED, "column balance"},
		{GOOD ", 'NaN'::numeric AS balance", PA_REJECTED, "column balance"},
		{GOOD ", 9223372036854775808 AS balance", PA_REJECTED, "column balance"},
		{GOOD ", 4071e20::float8 AS balance", PA_REJECTED, "column balance"},
		{GOOD ", true AS balance", PA_REJECTED, "column balance"},
		{GOOD ", '4071-02-30' AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", '2024-02-29'::date AS paid_on", PA_OK, ""},
		{GOOD ", '2023-02-29' AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", '2023-13-01' AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", '2023-1-001' AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", '0044-03-15 BC'::date AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", now() AS paid_on", PA_REJECTED, "column paid_on"},
		{GOOD ", repeat('4071', 600) AS payroll", PA_OK, ""},
		{"SELECT 'a' AS id, 'vendido 4071' AS state, 'n' AS number", PA_REJECTED,
		 "column state"},
		{GOOD " FROM generate_series(1, 200)", PA_OK, ""},
		{GOOD " FROM generate_series(1, 201)", PA_REJECTED, "more than 200 rows"},
		{GOOD " FROM core_demo.cuota", PA_REJECTED, "more than 200 rows"},
		{"SELEC 4071", PA_REJECTED, "42601"},
		{"SELECT 1; SELECT 2", PA_REJECTED, "42601"},
		{"SELECT id FROM nowhere", PA_REJECTED, "\"nowhere\" does not exist"},
		{"SELECT $1::text AS id, $2::text AS state, $3::text AS number", PA_REJECTED,
		 "uses $3"},
		{GOOD ", (4071 / (random() * 0)::int) AS balance", PA_REJECTED, "SQLSTATE 22012"},
		{GOOD ", ('4071' || random())::int AS balance", PA_REJECTED, "SQLSTATE 22P02"},
		{"COMMIT", PA_REJECTED, "gives no rows"},
		{"SHOW server_version", PA_REJECTED, "not one that is asked for"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *self = open_one(NULL, "credits", cases[i].sql);
		pa_error err;
		size_t count = 0;
		pa_status status = ask_credits(self, SECONDS(5), "1", &count, &err);
		if (status != cases[i].status || !strstr(err.text, cases[i].text))
			fail_msg("%s: status %u: %s", cases[i].sql, status, err.text);
		if (strstr(err.text, "4071") && !strstr(cases[i].sql, "SELEC 4071"))
			fail_msg("a value in an error: %s", err.text);
		plugin->close(self);
	}
}

static void refuses_two_customers_with_one_document(void **state)
{
	(void)state;
	void *self =
		open_one(NULL, "find_customer",
			 "SELECT i AS id, $1::text AS document_type, $2::text AS document, 'N' "
			 "AS name FROM generate_series(1, 2) AS i");
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_customer *found = NULL;
	assert_status(
		ops->find_customer(self, call, LITERAL("CC"), LITERAL("40710001"), &found, &err),
		PA_REJECTED, &err);
	assert_null(strstr(err.text, "4071"));
	call_end(call);
	plugin->close(self);
}

static void gives_today_of_colombia(void **state)
{
	(void)state;
	void *self = open_one(NULL, "credits",
			      "SELECT $1::text AS id, 'activo' AS state, 'n' AS number, $2::date "
			      "AS paid_on");
	pa_call *call = call_begin(SECONDS(5));
	pa_error err = {.size = sizeof(err)};
	const pa_credit *const *credits = NULL;
	size_t count = 0;
	assert_status(ops->credits(self, call, LITERAL("k"), &credits, &count, &err), PA_OK, &err);
	assert_known(credits[0]->paid_on, day(2026, 11, 20));
	call_end(call);
	plugin->close(self);
}

static void does_not_offer_what_has_no_statement(void **state)
{
	(void)state;
	void *self = open_one(NULL, "is_demo", "SELECT true AS is_demo");
	pa_error err;
	size_t count = 0;
	assert_status(ask_credits(self, SECONDS(5), "1", &count, &err), PA_REJECTED, &err);
	assert_non_null(strstr(err.text, "does not offer"));
	plugin->close(self);
}

static void refuses_senseless_options(void **state)
{
	(void)state;
	static const struct {
		const char *connection;
		int64_t max_connections;
		const char *operation;
		const char *sql;
		const char *state;
		const char *words;
		const char *text;
	} cases[] = {
		{"host=/x", 4, "credit", "SELECT 1", NULL, NULL, "\"credit\""},
		{"host=/x", 4, "credits", "", NULL, NULL, "sql.credits is empty"},
		{"host=/x", 65, "credits", "SELECT 1", NULL, NULL, "from 1 to 64"},
		{"host=/x", -1, "credits", "SELECT 1", NULL, NULL, "from 1 to 64"},
		{"host=/x password=4071", 4, "credits", "SELECT 1", NULL, NULL, "password"},
		{"postgresql://u:4071@h/d", 4, "credits", "SELECT 1", NULL, NULL, "password"},
		{"hots=4071", 4, "credits", "SELECT 1", NULL, NULL, "not a libpq"},
		{"host=/x", 4, "credits", "SELECT 1", "credit_sold", "x", "\"credit_sold\""},
		{"host=/x", 4, "credits", "SELECT 1", "credit_paid", " , ", "lists no word"},
		{"host=/x", 4, "credits", "SELECT 1", "credit_paid", "Activo", "already stands"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setup setup = {.connection = cases[i].connection,
				      .max_connections = cases[i].max_connections};
		map_add(&setup.sql, cases[i].operation, cases[i].sql);
		if (cases[i].state)
			map_add(&setup.words, cases[i].state, cases[i].words);
		void *self = NULL;
		pa_error err = {.size = sizeof(err)};
		assert_status(open_with(&setup, &self, &err), PA_REJECTED, &err);
		if (!strstr(err.text, cases[i].text) || strstr(err.text, "4071"))
			fail_msg("%zu: %s", i, err.text);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	rig_start(argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_customers),
		cmocka_unit_test(reads_dates_of_a_customer),
		cmocka_unit_test(finds_nobody),
		cmocka_unit_test(finds_by_mobile),
		cmocka_unit_test(reads_credits),
		cmocka_unit_test(reads_next_discounts),
		cmocka_unit_test(reads_applications_and_offers),
		cmocka_unit_test(reads_obligations),
		cmocka_unit_test(reads_obligations_in_one_snapshot),
		cmocka_unit_test(follows_changes),
		cmocka_unit_test(knows_a_demonstration),
		cmocka_unit_test(meets_absurd_rows),
		cmocka_unit_test(leaves_out_spare_nonsense),
		cmocka_unit_test(names_what_it_leaves_out_once),
		cmocka_unit_test(judges_columns_strictly),
		cmocka_unit_test(refuses_two_customers_with_one_document),
		cmocka_unit_test(gives_today_of_colombia),
		cmocka_unit_test(does_not_offer_what_has_no_statement),
		cmocka_unit_test(refuses_senseless_options),
	};
	return cmocka_run_group_tests_name("backend-postgres: answers", tests, NULL, NULL);
}
