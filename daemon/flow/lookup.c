/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens after the neutral answer was committed, unseen by the person: so its time tells
 * nobody whether a document is a customer's.
 */
#include "flow/run.h"

#include "base/calendar.h"
#include "base/str.h"
#include "io/crypto.h"

#include <string.h>

#define TAIL 2 /* digits of the mobile that its owner is shown */
#define NAME_MAX 60
#define ADULT_YEARS 18

static pa_str person_of(struct turn *t)
{
	return (pa_str){(const char *)t->st.identity.person, IDENTITY_TAG_BYTES};
}

/* The customer that the document means; NULL: none, or more than one. False: the turn is over. */
static bool find(struct turn *t, const pa_customer **ret)
{
	struct identity *identity = &t->st.identity;
	struct core_question question = {
		.operation = identity->is_last4 ? CORE_FIND_BY_MOBILE : CORE_FIND_CUSTOMER,
		.document_type = str_from(identity->document.type),
		.document = str_from(identity->document.number),
		.mobile = t->in->phone,
		.last4 = str_from(identity->document.number),
	};
	struct core_answer answer = {0};
	pa_status status;

	*ret = NULL;
	if (!core_ask_for(t, &question, &answer, &status))
		return false;
	/* Nonsense from the core is no customer: the decoy stays. */
	if (status == PA_OK && answer.count == 1)
		*ret = answer.customers[0];
	return true;
}

/* Locks and quotas are of the person, so last four digits become the whole document. */
static void know_person(struct turn *t, const pa_customer *customer)
{
	struct identity *identity = &t->st.identity;
	pa_str type = customer->document_type.len ? customer->document_type : PA_STR("CC");
	pa_str mobile = customer->mobile;

	if (identity->is_last4 && customer->document.len)
		identity_person(&t->tags, arena_copy(t->arena, type).ptr, customer->document,
				identity->person);
	identity->customer_id = customer->id;
	identity->first_name = str_slice(customer->first_name, 0, NAME_MAX);
	identity->mobile_tail =
		mobile.len > TAIL ? str_slice(mobile, mobile.len - TAIL, TAIL) : PA_STR_ABSENT;
}

static void send_code(struct turn *t)
{
	char code[CODE_DIGITS + 1];
	struct turn_reply *reply = emit_reply(t);

	identity_make_code(&t->st.identity, &t->set->identity, &t->tags, t->in->now_ns, code);
	t->secret = arena_copy(t->arena, str_from(code));
	bytes_wipe(code, sizeof(code));
	reply->message.body = fill(t, t->set->engine[TEXT_ID_SMS]);
	reply->message.medium = PA_MEDIUM_SMS;
	reply->class = CLASS_SEGURIDAD;
	reply->channel = str_from(t->set->identity.code_channel);
	reply->what_for =
		arena_format(t->arena, "%s%lld", CODE_FOR, (long long)t->st.identity.serial);
	reply->not_after_ns = t->st.identity.code_until_ns;
	reply->is_secret = true;
	t->secret = PA_STR_ABSENT;
	t->out->fact = "identity.code_sent";
}

/* The quota is taken for decoys too: the same work, whoever it is. */
static bool may_send(struct turn *t, bool is_owner, int64_t job)
{
	int64_t locked_until = 0;
	bool is_granted = false;

	if (t->ports->person_locked_until(t->ports->arg, person_of(t), t->in->now_ns,
					  &locked_until) != PA_OK)
		return false;
	if (t->ports->code_quota_take(t->ports->arg, person_of(t), is_owner, t->in->now_ns, job,
				      &is_granted) != PA_OK)
		return false;
	if (locked_until > t->in->now_ns) {
		if (is_owner)
			t->st.identity.locked_until_ns = locked_until;
		return false;
	}
	return is_granted;
}

/* Only the owner's own chat is told more than the neutral answer. */
static void refuse(struct turn *t, bool is_owner)
{
	if (!is_owner)
		return;
	question_clear(t);
	t->st.depth = 0;
	if (identity_locked_until(&t->st.identity, t->in->now_ns))
		emit(t, TEXT_ID_LOCKED);
	else
		emit(t, TEXT_ID_QUOTA);
}

/* HD-08: by the core's word. A birth date that makes no sense is none. */
static bool is_minor(const struct turn *t, const pa_customer *customer)
{
	struct date born, today = date_from_days(local_day(t->in->now_ns));
	int years;

	if (!customer || !customer->birth_date.is_known || customer->birth_date.value < 0)
		return false;
	born = date_from_days(customer->birth_date.value);
	years = today.year - born.year -
		(today.month < born.month || (today.month == born.month && today.day < born.day));
	return years >= 0 && years < ADULT_YEARS;
}

static void decide(struct turn *t, const pa_customer *customer, int64_t job)
{
	struct identity *identity = &t->st.identity;
	bool is_owner;
	enum identity_match match =
		identity_match(&t->set->identity, customer, t->in->phone, t->in->now_ns, &is_owner);
	bool is_free;
	struct turn_reply *code;

	if (customer)
		know_person(t, customer);
	identity->is_registered = is_owner;
	is_free = may_send(t, is_owner, job);
	if (is_minor(t, customer)) { /* elsewhere a decoy, like for everybody */
		if (is_owner)
			minor_found(t);
		return;
	}
	if (match == MATCH_PERSON && is_owner) {
		identity_end(identity);
		to_person(t, TEXT_ID_NEW_MOBILE, "identidad");
		return;
	}
	if (!is_free) {
		refuse(t, is_owner);
		return;
	}
	if (match != MATCH_SEND || !customer)
		return;
	send_code(t);
	code = &t->out->replies[t->out->replies_count - 1];
	code->message.phone = customer->mobile;
	if (is_owner)
		emit(t, TEXT_ID_WHERE);
}

/* The last four digits did not lead to one person: the chat is not the registered one, or they were
 * wrong. Either way the whole number is asked. */
static void ask_whole(struct turn *t)
{
	identity_end(&t->st.identity);
	t->st.identity.wants_full = true;
	t->st.identity.stage = STAGE_DOCUMENT;
	question_ask(t, WAIT_IDENTITY, t->set->engine[TEXT_ID_LAST4_FULL]);
}

void lookup_run(struct turn *t, const struct turn_event *job)
{
	struct identity *identity = &t->st.identity;
	const pa_customer *customer;
	int64_t serial;

	if (!str_to_int64(job->payload, &serial) || serial != identity->serial ||
	    identity->stage != STAGE_CODE || identity->is_looked_up) {
		no_answer(t, "a look-up that nobody waits for any more");
		return;
	}
	if (!find(t, &customer))
		return;
	identity->is_looked_up = true;
	if (identity->is_last4 && !customer) {
		ask_whole(t);
		return;
	}
	no_answer(t, "the neutral answer was given before");
	decide(t, customer, job->id);
}
