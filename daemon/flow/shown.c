/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/buf.h"
#include "base/calendar.h"
#include "base/money.h"
#include "base/str.h"
#include "io/unicode.h"

#include <string.h>

#define LIST_MAX 8 /* as many as stand on one page of rows */
#define PAYROLL_MAX 80
#define ROW_TITLE 24

static pa_str last4(pa_str number)
{
	return number.len > 4 ? str_slice(number, number.len - 4, 4) : number;
}

/* Cut between two words, and not after "de la". */
static pa_str cut_at_word(pa_str text, size_t max)
{
	static const char *const tails[] = {" de", " del", " la", " las", " los",
					    " el", " y",   ",",   " -",   " "};
	pa_str cut = utf8_cut(text, max);

	if (cut.len == text.len)
		return text;
	while (cut.len && text.ptr[cut.len] != ' ')
		cut.len--;
	if (cut.len == 0)
		return utf8_cut(text, max);
	for (size_t i = 0; i < ARRAY_COUNT(tails); i++)
		if (str_ends(cut, str_from(tails[i]))) {
			cut.len -= strlen(tails[i]);
			i = SIZE_MAX; /* from the first one again */
		}
	return cut;
}

pa_str credit_name(struct arena *arena, const pa_credit *credit)
{
	pa_str payroll =
		credit->payroll.len ? cut_at_word(credit->payroll, PAYROLL_MAX) : PA_STR("Crédito");

	if (credit->number.len == 0)
		return payroll;
	return arena_format(arena, "%.*s, terminado en %.*s", PA_FMT(payroll),
			    PA_FMT(last4(credit->number)));
}

pa_str credit_title(struct arena *arena, const pa_credit *credit)
{
	pa_str tail = last4(credit->number);
	pa_str payroll = credit->payroll.len ? credit->payroll : PA_STR("Crédito");

	return arena_format(arena, "%.*s %.*s",
			    PA_FMT(cut_at_word(payroll, ROW_TITLE - 1 - utf8_length(tail))),
			    PA_FMT(tail));
}

pa_str join_labels(struct arena *arena, const pa_str *labels, size_t count)
{
	pa_str all = count ? labels[0] : PA_STR_ABSENT;

	for (size_t i = 1; i < count; i++)
		all = arena_format(arena, "%.*s%s%.*s", PA_FMT(all), i + 1 == count ? " y " : ", ",
				   PA_FMT(labels[i]));
	return all;
}

/* Shown as they come from the core; a debt below zero makes no sense and is not shown. */
static pa_str money(struct turn *t, pa_number number)
{
	return number.is_known && number.value >= 0 ? money_format(t->arena, number.value)
						    : PA_STR_ABSENT;
}

static pa_str count(struct turn *t, pa_number number)
{
	return number.is_known && number.value >= 0
		       ? arena_format(t->arena, "%lld", (long long)number.value)
		       : PA_STR_ABSENT;
}

/* Paid and pending must add up to the whole, where all three are told. */
static pa_str instalments(struct turn *t, pa_number number)
{
	const pa_credit *credit = t->credit;
	pa_number total = credit->instalments_total, paid = credit->instalments_paid,
		  pending = credit->instalments_pending;

	if (total.is_known && paid.is_known && paid.value > total.value)
		return PA_STR_ABSENT;
	if (total.is_known && pending.is_known && pending.value > total.value)
		return PA_STR_ABSENT;
	if (total.is_known && paid.is_known && pending.is_known &&
	    paid.value != total.value - pending.value)
		return PA_STR_ABSENT;
	return count(t, number);
}

static pa_str date(struct turn *t, pa_number number)
{
	const int64_t first = 0, last = 376200; /* 1970 to 2999 */

	return number.is_known && number.value > first && number.value < last
		       ? date_long(t->arena, number.value)
		       : PA_STR_ABSENT;
}

static pa_str text_or_absent(pa_str s)
{
	return s.len ? s : PA_STR_ABSENT;
}

static pa_str credit_list(struct turn *t)
{
	struct buf buf PA_CLEANUP(buf_done) = BUF_INIT(4096);

	for (size_t i = 0; i < t->credits_count && i < LIST_MAX; i++) {
		const pa_credit *credit = t->credits[i];
		pa_str balance = money(t, credit->balance);
		pa_str name = credit_name(t->arena, credit);

		buf_format(&buf, "%s• %.*s", i ? "\n" : "", PA_FMT(name));
		if (balance.ptr)
			buf_format(&buf, ": %.*s", PA_FMT(balance));
	}
	return arena_copy(t->arena, buf_str(&buf));
}

static pa_str missing_labels(struct turn *t)
{
	pa_str labels[VALUE_COUNT];
	size_t found = 0;

	for (size_t i = 0; i < VALUE_COUNT; i++)
		if ((t->missing & UINT64_C(1) << i) && value_table[i].label)
			labels[found++] = str_from(value_table[i].label);
	return join_labels(t->arena, labels, found);
}

static pa_str tries(struct turn *t)
{
	long long left = (long long)t->st.identity.tries_left;

	return arena_format(t->arena,
			    left == 1 ? "Le queda %lld intento" : "Le quedan %lld intentos", left);
}

static pa_str wish_label(struct turn *t)
{
	int flow = t->wish;

	if (flow == NOWHERE && t->st.depth)
		flow = t->st.frames[t->st.depth - 1].flow;
	return flow == NOWHERE ? PA_STR("lo que necesita") : t->set->flows[flow].label;
}

static pa_str credit_value(struct turn *t, enum value value)
{
	const pa_credit *credit = t->credit;
	const pa_discount *discount = t->discount;

	switch ((int)value) {
	case VALUE_CREDITO:
		return credit_name(t->arena, credit);
	case VALUE_SALDO:
		return money(t, credit->balance);
	case VALUE_CUOTA:
		return money(t, credit->instalment);
	case VALUE_PAGADAS:
		return instalments(t, credit->instalments_paid);
	case VALUE_PENDIENTES:
		return instalments(t, credit->instalments_pending);
	case VALUE_TOTAL:
		return count(t, credit->instalments_total);
	case VALUE_CORTE:
		return date(t, credit->cut_off);
	case VALUE_PAGADO:
		return date(t, credit->paid_on);
	case VALUE_DESCUENTO:
		return discount ? money(t, discount->amount) : PA_STR_ABSENT;
	case VALUE_DESCUENTO_FECHA:
		return discount ? date(t, discount->on) : PA_STR_ABSENT;
	default:
		return PA_STR_ABSENT;
	}
}

static pa_str amount_asked(struct turn *t)
{
	int64_t amount;

	if (!str_to_int64(state_recall(&t->st, PA_STR("pedido")), &amount))
		return PA_STR_ABSENT;
	return money_format(t->arena, amount);
}

static pa_str plain_value(struct turn *t, enum value value)
{
	switch ((int)value) {
	case VALUE_NOMBRE:
		return text_or_absent(t->st.identity.first_name);
	case VALUE_TERMINADA:
		return identity_last3(&t->st.identity);
	case VALUE_CREDITOS:
		return arena_format(t->arena, "%zu", t->credits_count);
	case VALUE_LISTA:
		return credit_list(t);
	case VALUE_RADICADO:
		return text_or_absent(t->st.cases[0].number);
	case VALUE_VENCE:
		return t->st.cases[0].due_ns ? date_long(t->arena, local_day(t->st.cases[0].due_ns))
					     : PA_STR_ABSENT;
	case VALUE_DESEO:
		return wish_label(t);
	case VALUE_OTROS:
		return t->others;
	case VALUE_INTENTOS:
		return tries(t);
	case VALUE_HORA:
		return hour_spoken(t->arena, t->st.identity.locked_until_ns + NS_PER_MINUTE - 1);
	case VALUE_CELULAR:
		return t->st.identity.is_registered ? t->st.identity.mobile_tail : PA_STR_ABSENT;
	case VALUE_CODIGO:
		return t->secret;
	case VALUE_PEDIDO:
		return amount_asked(t);
	case VALUE_ABRE:
		return opening_spoken(t->arena, t->in->now_ns,
				      hours_next(&t->set->hours, t->in->now_ns));
	case VALUE_HORARIO:
		return hours_spoken(t->arena, &t->set->hours);
	case VALUE_FALTAN:
		return missing_labels(t);
	default:
		return PA_STR_ABSENT;
	}
}

/* The check proved that a text is reached with the facts it needs; a session may have lapsed since,
 * so whose data it is is asserted here once more. */
static bool may_show(struct turn *t, uint32_t needs)
{
	if ((needs & FACT_VERIFIED) && !verified(t))
		return false;
	if ((needs & FACT_CREDIT) && !t->credit)
		return false;
	return !(needs & FACT_CREDITS) || t->has_credits;
}

void shown_values(struct turn *t, const struct text *text, pa_str values[VALUE_COUNT])
{
	for (int i = 0; text->values && i < VALUE_COUNT; i++) {
		uint32_t needs = value_table[i].needs;

		values[i] = PA_STR_ABSENT;
		if (!(text->values & UINT64_C(1) << i) || !may_show(t, needs))
			continue;
		values[i] = needs & FACT_CREDIT ? credit_value(t, (enum value)i)
						: plain_value(t, (enum value)i);
	}
}
