/* SPDX-License-Identifier: Apache-2.0
 *
 * backend-postgres: a core system whose data lie in PostgreSQL. What the house calls a customer or
 * a credit is said in the configuration, as one SQL statement an operation; this plugin runs it
 * (link.h, pool.h) and reads the result by column names (record.h).
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pool.h"

enum operation {
	IS_DEMO,
	FIND_CUSTOMER,
	FIND_BY_MOBILE,
	CREDITS,
	NEXT_DISCOUNTS,
	APPLICATIONS,
	RENEWAL_OFFERS,
	OBLIGATIONS,
	CHANGES_SINCE,
	OPERATIONS
};

/* More rows than this are no answer for a person, but a wrong statement. */
#define ROWS_MAX 200
#define PARAM_MAX 200

struct operation_kind {
	const char *name;
	enum record record;
	int params;
	size_t rows;
	bool is_snapshot;
};

static const struct operation_kind kinds[OPERATIONS] = {
	[IS_DEMO] = {"is_demo", RECORD_DEMO, 0, 1, false},
	[FIND_CUSTOMER] = {"find_customer", RECORD_CUSTOMER, 2, 1, false},
	[FIND_BY_MOBILE] = {"find_by_mobile", RECORD_CUSTOMER, 2, ROWS_MAX, false},
	[CREDITS] = {"credits", RECORD_CREDIT, 2, ROWS_MAX, false},
	[NEXT_DISCOUNTS] = {"next_discounts", RECORD_DISCOUNT, 2, ROWS_MAX, false},
	[APPLICATIONS] = {"applications", RECORD_APPLICATION, 2, ROWS_MAX, false},
	[RENEWAL_OFFERS] = {"renewal_offers", RECORD_OFFER, 2, ROWS_MAX, false},
	[OBLIGATIONS] = {"obligations", RECORD_OBLIGATION, 2, ROWS_MAX, true},
	[CHANGES_SINCE] = {"changes_since", RECORD_CHANGE, 2, ROWS_MAX, false},
};

struct backend {
	const pa_host *host;
	struct pool *pool;
	struct words words;
	char *sql[OPERATIONS];             /* NULL: not offered */
	_Atomic uint32_t told[OPERATIONS]; /* fields that were logged as dropped, a bit each */
};

/* ---- options ---- */

enum option { CONNECTION, PASSWORD, MAX_CONNECTIONS, SQL, STATE_WORDS };

static const char sql_help[] =
	"One SELECT an operation, by name; an operation without one is not offered. Parameters are "
	"texts; columns are found by name. "
	"find_customer: $1 document type, $2 document -> id, document_type, document, name, "
	"[first_name, mobile, email, mobile_since, birth_date]. "
	"find_by_mobile: $1 mobile, $2 last four digits of the document -> the same columns. "
	"The others: $1 customer id, $2 today in Colombia (YYYY-MM-DD). "
	"credits -> id, state, number, [payroll, balance, instalment, instalments_total, "
	"instalments_paid, instalments_pending, cut_off, disbursed_on, paid_on]. "
	"next_discounts -> credit_id, state, [on, amount]. "
	"applications -> id, stage, number, [filed_on, stage_since, expected_on, amount]. "
	"renewal_offers -> credit_id, is_eligible, [reason, amount, instalment, instalments, "
	"valid_until]. "
	"obligations -> credit_id, state, number, [balance, in_transit, is_codebtor, paid_on]. "
	"changes_since: $1 cursor, $2 limit -> cursor, [what, customer_id, object_id]; for the "
	"empty "
	"cursor one row with nothing but the cursor to go on from. "
	"is_demo: no parameter -> is_demo. "
	"Columns in brackets may be missing or NULL: unknown. Mobiles are digits with country "
	"code, "
	"money is whole pesos, dates are of type date.";

static const pa_option *const options[] = {
	[CONNECTION] = &(pa_option){.size = sizeof(pa_option),
				    .type = PA_OPT_TEXT,
				    .flags = PA_OPT_REQUIRED,
				    .name = "connection",
				    .help = "libpq connection string of the core, without "
					    "password. The role must "
					    "only read: a superuser is refused."},
	[PASSWORD] = &(pa_option){.size = sizeof(pa_option),
				  .type = PA_OPT_SECRET,
				  .name = "password",
				  .help = "The role's password, if the server asks for one."},
	[MAX_CONNECTIONS] =
		&(pa_option){.size = sizeof(pa_option),
			     .type = PA_OPT_NUMBER,
			     .name = "max_connections",
			     .fallback = "4",
			     .help = "Connections to the core at once, 1 to 64: as many as the "
				     "backend's max_calls, or fewer to spare the core."},
	[SQL] = &(pa_option){.size = sizeof(pa_option),
			     .type = PA_OPT_MAP,
			     .flags = PA_OPT_REQUIRED,
			     .name = "sql",
			     .help = sql_help},
	[STATE_WORDS] =
		&(pa_option){
			.size = sizeof(pa_option),
			.type = PA_OPT_MAP,
			.name = "state_words",
			.help = "The core's own words, separated by commas, for the states "
				"credit_active, _paid, _assigned, _disputed; discount_scheduled, "
				"_deducted, _received, _applied; application_received, _study, "
				"_approved, _disbursed, _refused; change_application, _credit, "
				"_discount. A list replaces the default (credit_active: activo, "
				"active)."},
};

/* A password inside the string would stand in the configuration in the clear. */
static pa_status check_connection(const char *connection, pa_error *err)
{
	char *why = NULL;
	PQconninfoOption *parts = PQconninfoParse(connection, &why);
	PQfreemem(why); /* it may quote the string */
	if (parts == NULL)
		return pg_fail(err, PA_REJECTED, "connection: not a libpq connection string");
	bool has_password = false;
	for (const PQconninfoOption *part = parts; part->keyword != NULL; part++)
		if (strcmp(part->keyword, "password") == 0 && part->val != NULL)
			has_password = true;
	PQconninfoFree(parts);
	if (has_password)
		return pg_fail(err, PA_REJECTED,
			       "connection holds a password: give it by the option password");
	return PA_OK;
}

static char *copy_text(pa_str text)
{
	char *copy = strndup(text.ptr ? text.ptr : "", text.len);
	if (copy == NULL)
		abort();
	return copy;
}

static void release_text(char **text)
{
	free(*text);
}

static void release_secret(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

static pa_status take_sql(struct backend *backend, const pa_pair *pair, pa_error *err)
{
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (strlen(kinds[i].name) != pair->name.len ||
		    memcmp(kinds[i].name, pair->name.ptr, pair->name.len) != 0)
			continue;
		if (pair->value.len == 0)
			return pg_fail(err, PA_REJECTED, "sql.%s is empty", kinds[i].name);
		free(backend->sql[i]);
		backend->sql[i] = copy_text(pair->value);
		return PA_OK;
	}
	return pg_fail(err, PA_REJECTED, "sql: there is no operation \"%.*s\"",
		       (int)(pair->name.len > 60 ? 60 : pair->name.len), pair->name.ptr);
}

static void backend_close(void *self)
{
	struct backend *backend = self;
	pg_pool_free(backend->pool);
	pg_words_done(&backend->words);
	for (size_t i = 0; i < OPERATIONS; i++)
		free(backend->sql[i]);
	free(backend);
}

static pa_status take_maps(struct backend *backend, const pa_value *const *values, pa_error *err)
{
	pa_status status = pg_words_init(&backend->words, values[STATE_WORDS]->pairs,
					 values[STATE_WORDS]->pairs_count, err);
	for (size_t i = 0; i < values[SQL]->pairs_count && status == PA_OK; i++)
		status = take_sql(backend, values[SQL]->pairs[i], err);
	return status;
}

static pa_status backend_open(const pa_host *host, pa_call *call, const pa_value *const *values,
			      void **ret_self, pa_error *err)
{
	(void)call;
	__attribute__((cleanup(release_text))) char *connection =
		copy_text(values[CONNECTION]->text);
	__attribute__((cleanup(release_secret))) char *password =
		values[PASSWORD]->is_set ? copy_text(values[PASSWORD]->text) : NULL;
	int64_t max = values[MAX_CONNECTIONS]->number;
	if (max < 1 || max > POOL_MAX)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyzer does not know cleanup */
		return pg_fail(err, PA_REJECTED, "max_connections must be from 1 to %d", POOL_MAX);
	pa_status status = check_connection(connection, err);
	if (status != PA_OK)
		return status;
	struct backend *backend = calloc(1, sizeof(*backend));
	if (backend == NULL)
		abort();
	backend->host = host;
	backend->pool = pg_pool_new(&(struct link_target){connection, password}, (size_t)max);
	status = take_maps(backend, values, err);
	if (status != PA_OK) {
		backend_close(backend);
		return status;
	}
	*ret_self = backend;
	return PA_OK;
}

/* ---- asking ---- */

struct question {
	struct backend *backend;
	pa_call *call;
	enum operation operation;
	pa_str params[LINK_PARAMS];
	size_t rows; /* 0: the operation's own limit */
};

static pa_status copy_params(const struct question *question, const char **texts, pa_error *err)
{
	for (size_t i = 0; i < LINK_PARAMS; i++) {
		pa_str param = question->params[i];
		if (param.len > PARAM_MAX ||
		    (param.len > 0 && memchr(param.ptr, '\0', param.len) != NULL))
			return pg_fail(err, PA_REJECTED,
				       "parameter $%zu is too long, or holds a NUL", i + 1);
		char *text = question->backend->host->alloc(question->call, param.len + 1);
		if (param.len > 0)
			memcpy(text, param.ptr, param.len);
		texts[i] = text;
	}
	return PA_OK;
}

static pa_status ask_pool(const struct question *question, const char *const *params,
			  struct reading *reading, pa_error *err)
{
	struct backend *backend = question->backend;
	const struct operation_kind *kind = &kinds[question->operation];
	const struct when when = {backend->host, question->call};
	const struct statement statement = {.name = kind->name,
					    .slot = question->operation,
					    .sql = backend->sql[question->operation],
					    .params = kind->params,
					    .is_snapshot = kind->is_snapshot};
	struct link *link = NULL;
	pa_status status = pg_pool_take(backend->pool, &when, &link, err);
	if (status != PA_OK)
		return status;
	status = pg_link_query(link, &when, &statement, params, reading, err);
	pg_pool_give(backend->pool, link, status == PA_OK);
	return status;
}

/* Each column once, however many people it is wrong of. */
static void tell_dropped(const struct question *question, const struct reading *reading)
{
	struct backend *backend = question->backend;
	uint32_t known = atomic_fetch_or(&backend->told[question->operation], reading->dropped);
	for (size_t i = 0; i < READING_FIELDS; i++) {
		if (!(reading->dropped & ~known & 1u << i))
			continue;
		char line[200];
		int len = snprintf(line, sizeof(line),
				   "%s: column %s has values that make no sense: they are left out",
				   kinds[question->operation].name,
				   pg_record_column(reading->record, i));
		backend->host->log(question->call, PA_LOG_WARNING, (pa_str){line, (size_t)len});
	}
}

static pa_status ask(const struct question *question, struct reading *reading, pa_error *err)
{
	const struct operation_kind *kind = &kinds[question->operation];
	const char *params[LINK_PARAMS];
	if (question->backend->sql[question->operation] == NULL)
		return pg_fail(err, PA_REJECTED, "%s: this core does not offer it", kind->name);
	pg_reading_init(reading, question->backend->host, question->call, &question->backend->words,
			kind->record, question->rows ? question->rows : kind->rows);
	pa_status status = copy_params(question, params, err);
	if (status == PA_OK)
		status = ask_pool(question, params, reading, err);
	if (status != PA_OK)
		pg_fail_prefix(err, kind->name);
	else
		pg_reading_sort(reading);
	tell_dropped(question, reading);
	return status;
}

#define COLOMBIA_BEHIND_UTC_S 18000L /* five hours */

/* Business time as a date of Colombia, which has no daylight saving. */
static pa_str today(const struct backend *backend, pa_call *call)
{
	time_t local = (time_t)(backend->host->now_ns(call) / 1000000000) - COLOMBIA_BEHIND_UTC_S;
	struct tm parts;
	gmtime_r(&local, &parts);
	char *text = backend->host->alloc(call, 16);
	return (pa_str){text, strftime(text, 16, "%Y-%m-%d", &parts)};
}

static pa_status ask_about(void *self, pa_call *call, enum operation operation, pa_str customer_id,
			   struct reading *reading, pa_error *err)
{
	struct question question = {.backend = self, .call = call, .operation = operation};
	question.params[0] = customer_id;
	question.params[1] = today(self, call);
	return ask(&question, reading, err);
}

static pa_status backend_is_demo(void *self, pa_call *call, uint32_t *ret_is_demo, pa_error *err)
{
	struct question question = {.backend = self, .call = call, .operation = IS_DEMO};
	if (question.backend->sql[IS_DEMO] == NULL) {
		*ret_is_demo = 0;
		return PA_OK;
	}
	struct reading reading = {0};
	pa_status status = ask(&question, &reading, err);
	if (status != PA_OK)
		return status;
	const struct demo_mark *mark = reading.count > 0 ? reading.rows[0] : NULL;
	*ret_is_demo = mark ? mark->is_demo : 0;
	return PA_OK;
}

static pa_status backend_find_customer(void *self, pa_call *call, pa_str document_type,
				       pa_str document, const pa_customer **ret_customer,
				       pa_error *err)
{
	struct question question = {.backend = self, .call = call, .operation = FIND_CUSTOMER};
	question.params[0] = document_type;
	question.params[1] = document;
	struct reading reading = {0};
	pa_status status = ask(&question, &reading, err);
	if (status == PA_OK)
		*ret_customer = reading.count > 0 ? reading.rows[0] : NULL;
	return status;
}

/* The rows as the array that the operation returns; both are arrays of pointers to structs. */
#define HAND_OUT(reading, ret_rows, ret_count)                                                     \
	do {                                                                                       \
		*(ret_rows) = (const void *)(reading).rows;                                        \
		*(ret_count) = (reading).count;                                                    \
	} while (0)

static pa_status backend_find_by_mobile(void *self, pa_call *call, pa_str mobile, pa_str last4,
					const pa_customer *const **ret_customers, size_t *ret_count,
					pa_error *err)
{
	struct question question = {.backend = self, .call = call, .operation = FIND_BY_MOBILE};
	question.params[0] = mobile;
	question.params[1] = last4;
	struct reading reading = {0};
	pa_status status = ask(&question, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_customers, ret_count);
	return status;
}

static pa_status backend_credits(void *self, pa_call *call, pa_str customer_id,
				 const pa_credit *const **ret_credits, size_t *ret_count,
				 pa_error *err)
{
	struct reading reading = {0};
	pa_status status = ask_about(self, call, CREDITS, customer_id, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_credits, ret_count);
	return status;
}

static pa_status backend_next_discounts(void *self, pa_call *call, pa_str customer_id,
					const pa_discount *const **ret_discounts, size_t *ret_count,
					pa_error *err)
{
	struct reading reading = {0};
	pa_status status = ask_about(self, call, NEXT_DISCOUNTS, customer_id, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_discounts, ret_count);
	return status;
}

static pa_status backend_applications(void *self, pa_call *call, pa_str customer_id,
				      const pa_application *const **ret_applications,
				      size_t *ret_count, pa_error *err)
{
	struct reading reading = {0};
	pa_status status = ask_about(self, call, APPLICATIONS, customer_id, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_applications, ret_count);
	return status;
}

static pa_status backend_renewal_offers(void *self, pa_call *call, pa_str customer_id,
					const pa_offer *const **ret_offers, size_t *ret_count,
					pa_error *err)
{
	struct reading reading = {0};
	pa_status status = ask_about(self, call, RENEWAL_OFFERS, customer_id, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_offers, ret_count);
	return status;
}

static pa_status backend_obligations(void *self, pa_call *call, pa_str customer_id,
				     const pa_obligation *const **ret_obligations,
				     size_t *ret_count, pa_error *err)
{
	struct reading reading = {0};
	pa_status status = ask_about(self, call, OBLIGATIONS, customer_id, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_obligations, ret_count);
	return status;
}

static pa_status backend_changes_since(void *self, pa_call *call, pa_str cursor, size_t limit,
				       const pa_change *const **ret_changes, size_t *ret_count,
				       pa_error *err)
{
	struct question question = {.backend = self, .call = call, .operation = CHANGES_SINCE};
	question.rows = limit < 1 ? 1 : limit > ROWS_MAX ? ROWS_MAX : limit;
	char *text = question.backend->host->alloc(call, 8);
	int len = snprintf(text, 8, "%zu", question.rows);
	question.params[0] = cursor;
	question.params[1] = (pa_str){text, (size_t)len};
	struct reading reading = {0};
	pa_status status = ask(&question, &reading, err);
	if (status == PA_OK)
		HAND_OUT(reading, ret_changes, ret_count);
	return status;
}

static const pa_backend_ops ops = {
	.size = sizeof(pa_backend_ops),
	.is_demo = backend_is_demo,
	.find_customer = backend_find_customer,
	.find_by_mobile = backend_find_by_mobile,
	.credits = backend_credits,
	.next_discounts = backend_next_discounts,
	.applications = backend_applications,
	.renewal_offers = backend_renewal_offers,
	.obligations = backend_obligations,
	.changes_since = backend_changes_since,
};

PROALTO_PLUGIN(backend_postgres) = {
	.size = sizeof(pa_plugin),
	.abi_major = PA_ABI_MAJOR,
	.abi_minor = PA_ABI_MINOR,
	.kind = PA_KIND_BACKEND,
	.name = "backend-postgres",
	.version = "1.0",
	.summary = "A core system in PostgreSQL: one configured SQL statement an operation.",
	.options = options,
	.options_count = sizeof(options) / sizeof(options[0]),
	.open = backend_open,
	.close = backend_close,
	.ops = &ops,
};
