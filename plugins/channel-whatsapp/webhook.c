/* SPDX-License-Identifier: Apache-2.0
 *
 * The envelope: object, entry[], changes[], value. Meta's "Webhooks overview" and the pages of the
 * fields.
 */
#include "reading.h"

#include <string.h>

/* Meta puts up to a thousand updates into one POST; persons beyond have no name. */
#define MAX_PEOPLE 1024

static pa_str phone_of_contact(const json_t *contact)
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
	const json_t *contacts = json_object_get(reading->value, "contacts");
	size_t count = json_array_size(contacts);

	if (count > MAX_PEOPLE)
		count = MAX_PEOPLE;
	reading->people_count = 0;
	if (!make_room_for_people(reading, count))
		return;
	for (size_t i = 0; i < count; i++) {
		const json_t *contact = json_array_get(contacts, i);

		reading->people[reading->people_count++] = (struct person){
			.phone = phone_of_contact(contact),
			.user_id = wa_text_at(contact, "user_id"),
			.device_key = wa_text_at(contact, "identity_key_hash"),
			.name = wa_text_at(json_object_get(contact, "profile"), "name"),
		};
	}
}

typedef void item_fn(struct reading *reading, const json_t *item);

/* Calls read for each item of the list; how many there were. */
static size_t each(struct reading *reading, const char *key, item_fn *read)
{
	const json_t *list = json_object_get(reading->value, key);
	size_t count = json_array_size(list);

	if (list != NULL && !json_is_array(list)) {
		reading_unknown(reading, list, (pa_str){key, strlen(key)});
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		if (reading->is_full)
			reading->lost++;
		else if (json_is_object(item))
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

static bool field_fits(const char *pattern, const char *field)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(pattern, field, len - 1) == 0;
	return strcmp(pattern, field) == 0;
}

static const struct field *field_find(const char *name)
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

static void change_read(struct reading *reading, const json_t *change)
{
	const char *name = json_string_value(json_object_get(change, "field"));
	const struct field *field = name ? field_find(name) : NULL;
	const json_t *metadata;

	reading->field = name ? name : "";
	reading->value = json_object_get(change, "value");
	metadata = json_object_get(reading->value, "metadata");
	reading->account = reading_keep(reading, wa_text_at(metadata, "phone_number_id"));
	if (field == NULL || !json_is_object(reading->value) || is_foreign(reading))
		reading_unknown(reading, change, (pa_str){reading->field, strlen(reading->field)});
	else
		field->read(reading);
}

static void entry_read(struct reading *reading, const json_t *entry)
{
	const json_t *changes = json_object_get(entry, "changes");

	reading->field = "";
	reading->account = (pa_str){NULL, 0};
	reading->entry_id = wa_text_at(entry, "id");
	reading->entry_at_ns = reading_time(entry, "time");
	if (!json_is_array(changes)) {
		reading_unknown(reading, entry, WA_STR("entry"));
		return;
	}
	for (size_t i = 0; i < json_array_size(changes) && !reading->is_full; i++)
		change_read(reading, json_array_get(changes, i));
}

static void root_read(struct reading *reading, const json_t *root)
{
	pa_str object = wa_text_at(root, "object");
	const json_t *entries = json_object_get(root, "entry");

	reading->field = "";
	if (!wa_equal(object, WA_STR("whatsapp_business_account")) || !json_is_array(entries)) {
		reading_unknown(reading, root, object);
		return;
	}
	for (size_t i = 0; i < json_array_size(entries) && !reading->is_full; i++)
		entry_read(reading, json_array_get(entries, i));
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
	json_t *root = NULL;
	pa_status status = wa_json_load(body, &root, err);

	if (status != PA_OK)
		return status;
	root_read(&reading, root);
	if (reading.is_full)
		status = add_overflow(&reading, err);
	json_decref(root);
	if (status != PA_OK)
		return status;
	*ret_events = reading.events;
	*ret_count = reading.count;
	return PA_OK;
}
