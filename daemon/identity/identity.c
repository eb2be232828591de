/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include "base/calendar.h"
#include "base/str.h"
#include "io/crypto.h"

#include <stdio.h>
#include <string.h>

#define DOCUMENTS_AN_HOUR 5 /* different ones from one chat, before it is locked */
#define STRAY_CODES_MAX 3
#define CODES_BELOW 1000000u

bool identity_is_verified(const struct identity *identity, const struct identity_settings *settings,
			  int64_t now_ns)
{
	return identity->stage == STAGE_VERIFIED &&
	       now_ns - identity->seen_at_ns < settings->session_idle_ns &&
	       now_ns - identity->verified_at_ns < settings->session_max_ns;
}

void identity_end(struct identity *identity)
{
	struct identity kept = *identity;

	*identity = (struct identity){
		.serial = kept.serial,
		.locked_until_ns = kept.locked_until_ns,
		.tried_documents = kept.tried_documents,
		.tried_since_ns = kept.tried_since_ns,
		.stray_codes = kept.stray_codes,
		.tries_left = kept.tries_left, /* leaving and coming back gives none */
		.device_key = kept.device_key,
	};
	/* who was asked about last: another document counts, the same one does not */
	memcpy(identity->person, kept.person, sizeof(kept.person));
}

void identity_pause(struct identity *identity)
{
	struct document document = identity->document;
	bool is_last4 = identity->is_last4;

	identity_end(identity);
	identity->document = document;
	identity->is_last4 = is_last4;
}

pa_str identity_last3(const struct identity *identity)
{
	pa_str number = str_from(identity->document.number);

	if (number.len < 3)
		return PA_STR_ABSENT;
	return str_slice(number, number.len - 3, 3);
}

bool identity_lapse(struct identity *identity, const struct identity_settings *settings,
		    int64_t now_ns)
{
	if (identity->stage != STAGE_VERIFIED || identity_is_verified(identity, settings, now_ns))
		return false;
	identity_pause(identity);
	return true;
}

int64_t identity_locked_until(const struct identity *identity, int64_t now_ns)
{
	return identity->locked_until_ns > now_ns ? identity->locked_until_ns : 0;
}

void identity_person(const struct identity_tags *tags, const char *type, pa_str document,
		     uint8_t out[IDENTITY_TAG_BYTES])
{
	char data[sizeof(((struct document *)NULL)->type) + DOCUMENT_DIGITS_MAX + 2];
	int len = snprintf(data, sizeof(data), "%.3s:%.*s", type, DOCUMENT_DIGITS_MAX,
			   document.ptr ? document.ptr : "");
	size_t want = strlen(type) + 1 + document.len;

	tags->tag(tags->arg, "person", (pa_str){data, want < (size_t)len ? want : (size_t)len},
		  out);
}

static void set_decoy(struct identity *identity, const struct identity_settings *settings,
		      int64_t now_ns)
{
	random_fill(identity->code_hash, sizeof(identity->code_hash));
	identity->code_until_ns = now_ns + settings->code_ttl_ns;
	identity->is_looked_up = false;
	identity->serial++;
}

static void lock(struct identity *identity, const struct identity_settings *settings,
		 int64_t now_ns)
{
	identity_end(identity);
	identity->locked_until_ns = now_ns + settings->lock_ns;
	identity->tries_left = 0;
	identity->tried_documents = 0;
	identity->stray_codes = 0;
}

/* Counts a document that differs from the last one; true when there were too many. */
static bool count_document(struct identity *identity, const uint8_t person[IDENTITY_TAG_BYTES],
			   int64_t now_ns)
{
	if (now_ns - identity->tried_since_ns >= NS_PER_HOUR) {
		identity->tried_since_ns = now_ns;
		identity->tried_documents = 0;
	}
	if (memcmp(identity->person, person, IDENTITY_TAG_BYTES) != 0 ||
	    identity->tried_documents == 0)
		identity->tried_documents++;
	return identity->tried_documents > DOCUMENTS_AN_HOUR;
}

enum identity_begun identity_begin(struct identity *identity,
				   const struct identity_settings *settings,
				   const struct identity_tags *tags,
				   const struct document *document, bool is_last4, int64_t now_ns)
{
	uint8_t person[IDENTITY_TAG_BYTES];
	size_t len = strlen(document->number);
	bool is_same;

	identity_person(tags, is_last4 ? "L4" : document->type, (pa_str){document->number, len},
			person);
	is_same = memcmp(person, identity->person, sizeof(person)) == 0;
	if (identity->stage == STAGE_CODE && is_same && now_ns < identity->code_until_ns)
		return BEGUN_REPEATED;
	if (count_document(identity, person, now_ns)) {
		lock(identity, settings, now_ns);
		return BEGUN_LOCKED;
	}
	/* Tries are counted a person, so that asking for the same one again gives none back. */
	if (!is_same || identity->tries_left <= 0)
		identity->tries_left = settings->code_tries;
	identity->stage = STAGE_CODE;
	identity->document = *document;
	identity->is_last4 = is_last4;
	identity->is_registered = false;
	identity->mobile_tail = identity->customer_id = identity->first_name = PA_STR_ABSENT;
	memcpy(identity->person, person, sizeof(person));
	set_decoy(identity, settings, now_ns);
	return BEGUN;
}

void identity_renew(struct identity *identity, const struct identity_settings *settings,
		    int64_t now_ns)
{
	set_decoy(identity, settings, now_ns);
}

enum identity_match identity_match(const struct identity_settings *settings,
				   const pa_customer *customer, pa_str phone, int64_t now_ns,
				   bool *ret_is_registered)
{
	int64_t settled = local_day(now_ns) - settings->mobile_settle_days;

	*ret_is_registered = false;
	if (!customer)
		return MATCH_NOBODY;
	*ret_is_registered = phone.len > 0 && str_equal(phone, customer->mobile);
	if (customer->mobile.len == 0)
		return MATCH_NOBODY;
	if (customer->mobile_since.is_known && customer->mobile_since.value > settled)
		return MATCH_PERSON;
	return MATCH_SEND;
}

static void hash_code(const struct identity *identity, const struct identity_tags *tags,
		      const char *code, uint8_t out[IDENTITY_TAG_BYTES])
{
	char data[64];
	int len = snprintf(data, sizeof(data), "%lld:%lld:%.6s", (long long)tags->conversation,
			   (long long)identity->serial, code);

	tags->tag(tags->arg, "code", (pa_str){data, (size_t)len}, out);
	bytes_wipe(data, sizeof(data));
}

void identity_make_code(struct identity *identity, const struct identity_settings *settings,
			const struct identity_tags *tags, int64_t now_ns, char ret[CODE_DIGITS + 1])
{
	snprintf(ret, CODE_DIGITS + 1, "%06u", random_below(CODES_BELOW) % CODES_BELOW);
	hash_code(identity, tags, ret, identity->code_hash);
	identity->code_until_ns = now_ns + settings->code_ttl_ns;
}

static void verified(struct identity *identity, int64_t now_ns)
{
	identity->stage = STAGE_VERIFIED;
	identity->verified_at_ns = now_ns;
	identity->seen_at_ns = now_ns;
	identity->tries_left = 0;
	identity->tried_documents = 0;
	identity->stray_codes = 0;
	bytes_wipe(identity->code_hash, sizeof(identity->code_hash));
}

enum identity_try identity_try_code(struct identity *identity,
				    const struct identity_settings *settings,
				    const struct identity_tags *tags, const char *code,
				    int64_t now_ns)
{
	uint8_t hash[IDENTITY_TAG_BYTES];

	if (now_ns >= identity->code_until_ns)
		return TRY_EXPIRED;
	hash_code(identity, tags, code, hash);
	if (equal_constant_time((pa_str){(char *)hash, sizeof(hash)},
				(pa_str){(char *)identity->code_hash, sizeof(hash)})) {
		verified(identity, now_ns);
		return TRY_RIGHT;
	}
	if (--identity->tries_left > 0)
		return TRY_WRONG;
	lock(identity, settings, now_ns);
	return TRY_LOCKS;
}

bool identity_stray_code(struct identity *identity, const struct identity_settings *settings,
			 int64_t now_ns)
{
	if (++identity->stray_codes < STRAY_CODES_MAX)
		return false;
	lock(identity, settings, now_ns);
	return true;
}

bool identity_changed_hands(struct identity *identity)
{
	bool had_session = identity->stage == STAGE_VERIFIED;

	identity_end(identity);
	return had_session;
}

/* ---- as bytes ---- */

enum field {
	F_STAGE = 1,
	F_SERIAL,
	F_WANTS_FULL,
	F_LOOKED_UP,
	F_REGISTERED,
	F_TYPE,
	F_NUMBER,
	F_LAST4,
	F_PERSON,
	F_CODE_HASH,
	F_CODE_UNTIL,
	F_TRIES_LEFT,
	F_LOCKED_UNTIL,
	F_TRIED,
	F_TRIED_SINCE,
	F_STRAY,
	F_VERIFIED_AT,
	F_SEEN_AT,
	F_CUSTOMER,
	F_FIRST_NAME,
	F_MOBILE_TAIL,
	F_DEVICE_KEY,
};

static pa_str bytes_of(const uint8_t tag[IDENTITY_TAG_BYTES])
{
	return (pa_str){(const char *)tag, IDENTITY_TAG_BYTES};
}

void identity_pack(struct buf *out, const struct identity *identity)
{
	pack_int(out, F_STAGE, identity->stage);
	pack_int(out, F_SERIAL, identity->serial);
	pack_int(out, F_WANTS_FULL, identity->wants_full);
	pack_int(out, F_LOOKED_UP, identity->is_looked_up);
	pack_int(out, F_REGISTERED, identity->is_registered);
	if (identity->document.number[0]) {
		pack_str(out, F_TYPE, str_from(identity->document.type));
		pack_str(out, F_NUMBER, str_from(identity->document.number));
		pack_int(out, F_LAST4, identity->is_last4);
	}
	if (identity->stage == STAGE_CODE)
		pack_str(out, F_CODE_HASH, bytes_of(identity->code_hash));
	pack_str(out, F_PERSON, bytes_of(identity->person));
	pack_int(out, F_CODE_UNTIL, identity->code_until_ns);
	pack_int(out, F_TRIES_LEFT, identity->tries_left);
	pack_int(out, F_LOCKED_UNTIL, identity->locked_until_ns);
	pack_int(out, F_TRIED, identity->tried_documents);
	pack_int(out, F_TRIED_SINCE, identity->tried_since_ns);
	pack_int(out, F_STRAY, identity->stray_codes);
	pack_int(out, F_VERIFIED_AT, identity->verified_at_ns);
	pack_int(out, F_SEEN_AT, identity->seen_at_ns);
	pack_str(out, F_CUSTOMER, identity->customer_id);
	pack_str(out, F_FIRST_NAME, identity->first_name);
	pack_str(out, F_MOBILE_TAIL, identity->mobile_tail);
	pack_str(out, F_DEVICE_KEY, identity->device_key);
}

static void read_text(pa_str from, char *out, size_t room)
{
	size_t len = from.len < room ? from.len : room - 1;

	if (len)
		memcpy(out, from.ptr, len);
	out[len] = '\0';
}

static void read_tag(pa_str from, uint8_t out[IDENTITY_TAG_BYTES])
{
	if (from.len == IDENTITY_TAG_BYTES)
		memcpy(out, from.ptr, IDENTITY_TAG_BYTES);
}

static void read_integer(struct identity *to, uint32_t field, int64_t value)
{
	int64_t *const places[] = {
		[F_SERIAL] = &to->serial,         [F_CODE_UNTIL] = &to->code_until_ns,
		[F_TRIES_LEFT] = &to->tries_left, [F_LOCKED_UNTIL] = &to->locked_until_ns,
		[F_TRIED] = &to->tried_documents, [F_TRIED_SINCE] = &to->tried_since_ns,
		[F_STRAY] = &to->stray_codes,     [F_VERIFIED_AT] = &to->verified_at_ns,
		[F_SEEN_AT] = &to->seen_at_ns,
	};
	bool *const flags[] = {
		[F_WANTS_FULL] = &to->wants_full,
		[F_LOOKED_UP] = &to->is_looked_up,
		[F_REGISTERED] = &to->is_registered,
		[F_LAST4] = &to->is_last4,
	};

	if (field < ARRAY_COUNT(places) && places[field])
		*places[field] = value;
	if (field < ARRAY_COUNT(flags) && flags[field])
		*flags[field] = value != 0;
	if (field == F_STAGE && value >= STAGE_NOBODY && value <= STAGE_VERIFIED)
		to->stage = (enum identity_stage)value;
}

static void read_slice(struct identity *to, uint32_t field, pa_str value)
{
	pa_str *const places[] = {
		[F_CUSTOMER] = &to->customer_id,
		[F_FIRST_NAME] = &to->first_name,
		[F_MOBILE_TAIL] = &to->mobile_tail,
		[F_DEVICE_KEY] = &to->device_key,
	};

	if (field < ARRAY_COUNT(places) && places[field])
		*places[field] = value;
	if (field == F_TYPE)
		read_text(value, to->document.type, sizeof(to->document.type));
	if (field == F_NUMBER)
		read_text(value, to->document.number, sizeof(to->document.number));
	if (field == F_PERSON)
		read_tag(value, to->person);
	if (field == F_CODE_HASH)
		read_tag(value, to->code_hash);
}

bool identity_unpack(pa_str bytes, struct identity *ret)
{
	struct unpack in = unpack_from(bytes);

	*ret = (struct identity){0};
	while (unpack_next(&in)) {
		if (in.str.ptr)
			read_slice(ret, in.field, in.str);
		else
			read_integer(ret, in.field, in.integer);
	}
	return !in.is_broken;
}
