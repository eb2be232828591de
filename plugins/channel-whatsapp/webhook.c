/* SPDX-License-Identifier: Apache-2.0
 *
 * The envelope: object, entry[], changes[], value. Meta's "Webhooks overview" and the pages of the
 * fields.
 */
#include "reading.h"

#include <string.h>

/* Meta puts up to a thousand updates into one POST; persons beyond have no name. */
#define MAX_PEOPLE 1024

static pa_str phone_of_contact(struct wa_value contact)
{
	pa_str phone = wa_text_at(contact, "wa_id");

	if (phone.len && phone.ptr[0] == '+')
		return (pa_str){phone.ptr + 1, phone.len - 1};
	return phone;
}

/* False if there is no memory for so many persons. */
static bool make_room_for_people(struct reading *reading, size_t count)
{
	struct person *people;

	if (count <= reading->people_room)
		return true;
	people = reading_alloc(reading, count * sizeof(*people));
	if (people == NULL)
		return false;
	reading->people = people;
	reading->people_room = count;
	return true;
}

/* Who wrote: matched to messages by phone or user id, never by place. */
static void people_read(struct reading *reading)
{
	struct wa_value contacts = wa_at(reading->value, "contacts");
	size_t count = 0;

	for (struct wa_value contact = wa_first(contacts);
	     contact.json != NULL && count < MAX_PEOPLE; contact = wa_next(contacts, contact))
		count++;
	reading->people_count = 0;
	if (!make_room_for_people(reading, count))
		return;
	for (struct wa_value contact = wa_first(contacts); reading->people_count < count;
	     contact = wa_next(contacts, contact))
		reading->people[reading->people_count++] = (struct person){
			.phone = phone_of_contact(contact),
			.user_id = wa_text_at(contact, "user_id"),
			.device_key = wa_text_at(contact, "identity_key_hash"),
			.name = wa_text_at(wa_at(contact, "profile"), "name"),
		};
}

typedef void item_fn(struct reading *reading, struct wa_value item);

/* Calls read for each item of the list; how many there were. */
static size_t each(struct reading *reading, const char *key, item_fn *read)
{
	struct wa_value list = wa_at(reading->value, key);
	size_t count = 0;

	if (wa_kind(list) != WA_ABSENT && wa_kind(list) != WA_ARRAY) {
		reading_unknown(reading, list, (pa_str){key, strlen(key)});
		return 1;
	}
	for (struct wa_value item = wa_first(list); item.json != NULL; item = wa_next(list, item)) {
		count++;
		if (reading->is_full)
			continue;
		if (wa_kind(item) == WA_OBJECT)
			read(reading, item);
		else
			reading_unknown(reading, item, (pa_str){key, strlen(key)});
	}
	return count;
}

static void change_messages(struct reading *reading)
{
	size_t count = 0;

	people_read(reading);
	count += each(reading, "messages", message_read);
	count += each(reading, "message_echoes", message_read_echo);
	count += each(reading, "statuses", status_read);
	count += each(reading, "errors", error_read);
	if (count == 0)
		reading_unknown(reading, reading->value, WA_STR("messages"));
}

static void change_preferences(struct reading *reading)
{
	people_read(reading);
	if (each(reading, "user_preferences", preference_read) == 0)
		reading_unknown(reading, reading->value, WA_STR("user_preferences"));
}

static void change_account(struct reading *reading)
{
	account_read(reading, true);
}

/* Old chats and address books of people who may not be customers: the fact is enough. */
static void change_sync(struct reading *reading)
{
	account_read(reading, false);
}

/* A name that ends in * stands for all that begin so. */
static const struct field {
	const char *name;
	void (*read)(struct reading *reading);
} fields[] = {
	{"messages", change_messages},
	{"smb_message_echoes", change_messages},
	{"user_preferences", change_preferences},
	{"message_template_*", change_account},
	{"template_category_update", change_account},
	{"account_*", change_account},
	{"phone_number_*", change_account},
	{"business_*", change_account},
	{"security", change_account},
	{"calls", change_account},
	{"flows", change_account},
	{"group_*", change_account},
	{"partner_solutions", change_account},
	{"payment_configuration_update", change_account},
	{"automatic_events", change_account},
	{"standby", change_sync},
	{"history", change_sync},
	{"smb_app_state_sync", change_sync},
};

static bool field_fits(const char *pattern, pa_str field)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] != '*')
		return wa_equal(field, (pa_str){pattern, len});
	return field.len >= len - 1 && memcmp(pattern, field.ptr, len - 1) == 0;
}

static const struct field *field_find(pa_str name)
{
	for (size_t i = 0; i < WA_COUNT(fields); i++)
		if (field_fits(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* Notices about another account come when one app serves several. */
static bool is_foreign(const struct reading *reading)
{
	return reading->account.ptr == NULL && reading->wa->business_account_id.len &&
	       !wa_equal(reading->entry_id, reading->wa->business_account_id);
}

static void change_read(struct reading *reading, struct wa_value change)
{
	pa_str name = wa_text_at(change, "field");
	const struct field *field = field_find(name);
	struct wa_value metadata;

	reading->field = name.ptr ? name : WA_STR("");
	reading->value = wa_at(change, "value");
	metadata = wa_at(reading->value, "metadata");
	reading->account = reading_keep(reading, wa_text_at(metadata, "phone_number_id"));
	if (field == NULL || wa_kind(reading->value) != WA_OBJECT || is_foreign(reading))
		reading_unknown(reading, change, reading->field);
	else
		field->read(reading);
}

static void entry_read(struct reading *reading, struct wa_value entry)
{
	struct wa_value changes = wa_at(entry, "changes");

	reading->field = WA_STR("");
	reading->account = (pa_str){NULL, 0};
	reading->entry_id = wa_text_at(entry, "id");
	reading->entry_at_ns = reading_time(entry, "time");
	if (wa_kind(changes) != WA_ARRAY) {
		reading_unknown(reading, entry, WA_STR("entry"));
		return;
	}
	for (struct wa_value change = wa_first(changes); change.json != NULL && !reading->is_full;
	     change = wa_next(changes, change))
		change_read(reading, change);
}

static void root_read(struct reading *reading, struct wa_value root)
{
	pa_str object = wa_text_at(root, "object");
	struct wa_value entries = wa_at(root, "entry");

	reading->field = WA_STR("");
	if (!wa_equal(object, WA_STR("whatsapp_business_account")) ||
	    wa_kind(entries) != WA_ARRAY) {
		reading_unknown(reading, root, object);
		return;
	}
	for (struct wa_value entry = wa_first(entries); entry.json != NULL && !reading->is_full;
	     entry = wa_next(entries, entry))
		entry_read(reading, entry);
}

/* The budget ended: one event more, outside of it, says so. */
static pa_status add_overflow(struct reading *reading, pa_error *err)
{
	pa_event *event = reading->wa->host->alloc(reading->call, sizeof(*event));

	if (reading->count == 0)
		return wa_fail(err, PA_REJECTED, "one item is too large for a call's memory");
	*event = (pa_event){
		.size = sizeof(*event),
		.kind = PA_EVENT_UNKNOWN,
		.type = wa_copy(reading->wa, reading->call, WA_STR("overflow")),
	};
	reading->is_full = false;
	reading->used = 0;
	event->unique = reading_fingerprint(reading, reading->value);
	reading_push(reading, event);
	return PA_OK;
}

pa_status wa_parse(void *self, pa_call *call, pa_str body, const pa_event *const **ret_events,
		   size_t *ret_count, pa_error *err)
{
	struct reading reading = {.wa = self, .call = call};
	struct wa_json *json = NULL;
	pa_status status = wa_json_load(body, &json, err);

	if (status != PA_OK)
		return status;
	root_read(&reading, wa_root(json));
	if (reading.is_full)
		status = add_overflow(&reading, err);
	wa_json_free(json);
	if (status != PA_OK)
		return status;
	*ret_events = reading.events;
	*ret_count = reading.count;
	return PA_OK;
}
