/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the plugin contract's major version 1, frozen (64-bit Debian). A line that fails
 * means: plugins in the field would break. Fields may be appended (add their lines and the new
 * size); everything else needs another PA_ABI_MAJOR and another file beside this one.
 */
#include <assert.h>
#include <stddef.h>

#include <proalto/backend.h>
#include <proalto/channel.h>
#include <proalto/http.h>
#include <proalto/nlp.h>
#include <proalto/plugin.h>
#include <proalto/scanner.h>
#include <proalto/timestamper.h>
#include <proalto/transcriber.h>
#include <proalto/types.h>

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, field, bytes)                                                                     \
	static_assert(offsetof(type, field) == (bytes), "place of " #type "." #field)
#define IS(name, value) static_assert((name) == (value), "value of " #name)

IS(PA_ABI_MAJOR, 1);

SIZE(pa_str, 16);
AT(pa_str, ptr, 0);
AT(pa_str, len, 8);

SIZE(pa_pair, 32);
AT(pa_pair, name, 0);
AT(pa_pair, value, 16);

SIZE(pa_error, 512);
AT(pa_error, size, 0);
AT(pa_error, len, 4);
AT(pa_error, text, 8);

SIZE(pa_http_request, 88);
AT(pa_http_request, size, 0);
AT(pa_http_request, flags, 4);
AT(pa_http_request, method, 8);
AT(pa_http_request, url, 24);
AT(pa_http_request, headers, 40);
AT(pa_http_request, headers_count, 48);
AT(pa_http_request, query, 56);
AT(pa_http_request, query_count, 64);
AT(pa_http_request, body, 72);

SIZE(pa_http_response, 40);
AT(pa_http_response, size, 0);
AT(pa_http_response, status, 4);
AT(pa_http_response, headers, 8);
AT(pa_http_response, headers_count, 16);
AT(pa_http_response, body, 24);

SIZE(pa_option, 40);
AT(pa_option, size, 0);
AT(pa_option, type, 4);
AT(pa_option, flags, 8);
AT(pa_option, reserved, 12);
AT(pa_option, name, 16);
AT(pa_option, fallback, 24);
AT(pa_option, help, 32);

SIZE(pa_value, 48);
AT(pa_value, size, 0);
AT(pa_value, is_set, 4);
AT(pa_value, text, 8);
AT(pa_value, number, 24);
AT(pa_value, pairs, 32);
AT(pa_value, pairs_count, 40);

SIZE(pa_host, 72);
AT(pa_host, size, 0);
AT(pa_host, reserved, 4);
AT(pa_host, alloc, 8);
AT(pa_host, remaining_ms, 16);
AT(pa_host, now_ns, 24);
AT(pa_host, log, 32);
AT(pa_host, hmac_sha256, 40);
AT(pa_host, equal_constant_time, 48);
AT(pa_host, random_bytes, 56);
AT(pa_host, http, 64);

SIZE(pa_plugin, 80);
AT(pa_plugin, size, 0);
AT(pa_plugin, abi_major, 4);
AT(pa_plugin, abi_minor, 6);
AT(pa_plugin, kind, 8);
AT(pa_plugin, flags, 12);
AT(pa_plugin, name, 16);
AT(pa_plugin, version, 24);
AT(pa_plugin, summary, 32);
AT(pa_plugin, options, 40);
AT(pa_plugin, options_count, 48);
AT(pa_plugin, open, 56);
AT(pa_plugin, close, 64);
AT(pa_plugin, ops, 72);

SIZE(pa_channel_limits, 64);
AT(pa_channel_limits, size, 0);
AT(pa_channel_limits, text, 4);
AT(pa_channel_limits, interactive_body, 8);
AT(pa_channel_limits, header, 12);
AT(pa_channel_limits, footer, 16);
AT(pa_channel_limits, buttons, 20);
AT(pa_channel_limits, button_title, 24);
AT(pa_channel_limits, button_id_bytes, 28);
AT(pa_channel_limits, rows, 32);
AT(pa_channel_limits, row_title, 36);
AT(pa_channel_limits, row_description, 40);
AT(pa_channel_limits, row_id_bytes, 44);
AT(pa_channel_limits, list_button, 48);
AT(pa_channel_limits, section_title, 52);
AT(pa_channel_limits, caption, 56);
AT(pa_channel_limits, ref_bytes, 60);

SIZE(pa_event, 392);
AT(pa_event, size, 0);
AT(pa_event, kind, 4);
AT(pa_event, message_kind, 8);
AT(pa_event, status, 12);
AT(pa_event, system, 16);
AT(pa_event, flags, 20);
AT(pa_event, at_ns, 24);
AT(pa_event, unique, 32);
AT(pa_event, account, 48);
AT(pa_event, id, 64);
AT(pa_event, phone, 80);
AT(pa_event, user_id, 96);
AT(pa_event, name, 112);
AT(pa_event, type, 128);
AT(pa_event, text, 144);
AT(pa_event, reply_id, 160);
AT(pa_event, media_id, 176);
AT(pa_event, media_type, 192);
AT(pa_event, media_name, 208);
AT(pa_event, media_sha256, 224);
AT(pa_event, context_id, 240);
AT(pa_event, ref, 256);
AT(pa_event, error_title, 272);
AT(pa_event, error_detail, 288);
AT(pa_event, error_code, 304);
AT(pa_event, new_phone, 312);
AT(pa_event, new_user_id, 328);
AT(pa_event, previous_user_id, 344);
AT(pa_event, device_key, 360);
AT(pa_event, detail, 376);

SIZE(pa_choice, 72);
AT(pa_choice, size, 0);
AT(pa_choice, reserved, 4);
AT(pa_choice, id, 8);
AT(pa_choice, title, 24);
AT(pa_choice, description, 40);
AT(pa_choice, section, 56);

SIZE(pa_message, 304);
AT(pa_message, size, 0);
AT(pa_message, kind, 4);
AT(pa_message, medium, 8);
AT(pa_message, flags, 12);
AT(pa_message, account, 16);
AT(pa_message, phone, 32);
AT(pa_message, user_id, 48);
AT(pa_message, ref, 64);
AT(pa_message, header, 80);
AT(pa_message, body, 96);
AT(pa_message, footer, 112);
AT(pa_message, list_button, 128);
AT(pa_message, choices, 144);
AT(pa_message, choices_count, 152);
AT(pa_message, media_id, 160);
AT(pa_message, media_name, 176);
AT(pa_message, media_type, 192);
AT(pa_message, media_bytes, 208);
AT(pa_message, template_name, 224);
AT(pa_message, template_language, 240);
AT(pa_message, params, 256);
AT(pa_message, params_count, 264);
AT(pa_message, reply_to, 272);
AT(pa_message, device_key, 288);

SIZE(pa_outcome, 80);
AT(pa_outcome, size, 0);
AT(pa_outcome, result, 4);
AT(pa_outcome, scope, 8);
AT(pa_outcome, reserved, 12);
AT(pa_outcome, after_ms, 16);
AT(pa_outcome, code, 24);
AT(pa_outcome, reason, 32);
AT(pa_outcome, external_id, 48);
AT(pa_outcome, media_id, 64);

SIZE(pa_session_host, 56);
AT(pa_session_host, size, 0);
AT(pa_session_host, reserved, 4);
AT(pa_session_host, deliver, 8);
AT(pa_session_host, next, 16);
AT(pa_session_host, outcome, 24);
AT(pa_session_host, stopping, 32);
AT(pa_session_host, begin_call, 40);
AT(pa_session_host, end_call, 48);

SIZE(pa_channel_ops, 96);
AT(pa_channel_ops, size, 0);
AT(pa_channel_ops, shape, 4);
AT(pa_channel_ops, media, 8);
AT(pa_channel_ops, features, 12);
AT(pa_channel_ops, limits, 16);
AT(pa_channel_ops, handshake, 24);
AT(pa_channel_ops, verify, 32);
AT(pa_channel_ops, parse, 40);
AT(pa_channel_ops, build, 48);
AT(pa_channel_ops, interpret, 56);
AT(pa_channel_ops, receipt, 64);
AT(pa_channel_ops, download, 72);
AT(pa_channel_ops, download_next, 80);
AT(pa_channel_ops, run, 88);

SIZE(pa_number, 16);
AT(pa_number, value, 0);
AT(pa_number, is_known, 8);
AT(pa_number, reserved, 12);

SIZE(pa_customer, 152);
AT(pa_customer, size, 0);
AT(pa_customer, reserved, 4);
AT(pa_customer, id, 8);
AT(pa_customer, document_type, 24);
AT(pa_customer, document, 40);
AT(pa_customer, name, 56);
AT(pa_customer, first_name, 72);
AT(pa_customer, mobile, 88);
AT(pa_customer, email, 104);
AT(pa_customer, mobile_since, 120);
AT(pa_customer, birth_date, 136);

SIZE(pa_credit, 184);
AT(pa_credit, size, 0);
AT(pa_credit, state, 4);
AT(pa_credit, id, 8);
AT(pa_credit, number, 24);
AT(pa_credit, payroll, 40);
AT(pa_credit, balance, 56);
AT(pa_credit, instalment, 72);
AT(pa_credit, instalments_total, 88);
AT(pa_credit, instalments_paid, 104);
AT(pa_credit, instalments_pending, 120);
AT(pa_credit, cut_off, 136);
AT(pa_credit, disbursed_on, 152);
AT(pa_credit, paid_on, 168);

SIZE(pa_discount, 56);
AT(pa_discount, size, 0);
AT(pa_discount, state, 4);
AT(pa_discount, credit_id, 8);
AT(pa_discount, on, 24);
AT(pa_discount, amount, 40);

SIZE(pa_application, 104);
AT(pa_application, size, 0);
AT(pa_application, stage, 4);
AT(pa_application, id, 8);
AT(pa_application, number, 24);
AT(pa_application, filed_on, 40);
AT(pa_application, stage_since, 56);
AT(pa_application, expected_on, 72);
AT(pa_application, amount, 88);

SIZE(pa_offer, 104);
AT(pa_offer, size, 0);
AT(pa_offer, is_eligible, 4);
AT(pa_offer, credit_id, 8);
AT(pa_offer, reason, 24);
AT(pa_offer, amount, 40);
AT(pa_offer, instalment, 56);
AT(pa_offer, instalments, 72);
AT(pa_offer, valid_until, 88);

SIZE(pa_obligation, 104);
AT(pa_obligation, size, 0);
AT(pa_obligation, state, 4);
AT(pa_obligation, credit_id, 8);
AT(pa_obligation, number, 24);
AT(pa_obligation, balance, 40);
AT(pa_obligation, in_transit, 56);
AT(pa_obligation, is_codebtor, 72);
AT(pa_obligation, paid_on, 88);

SIZE(pa_change, 56);
AT(pa_change, size, 0);
AT(pa_change, what, 4);
AT(pa_change, customer_id, 8);
AT(pa_change, object_id, 24);
AT(pa_change, cursor, 40);

SIZE(pa_backend_ops, 80);
AT(pa_backend_ops, size, 0);
AT(pa_backend_ops, reserved, 4);
AT(pa_backend_ops, is_demo, 8);
AT(pa_backend_ops, find_customer, 16);
AT(pa_backend_ops, find_by_mobile, 24);
AT(pa_backend_ops, credits, 32);
AT(pa_backend_ops, next_discounts, 40);
AT(pa_backend_ops, applications, 48);
AT(pa_backend_ops, renewal_offers, 56);
AT(pa_backend_ops, obligations, 64);
AT(pa_backend_ops, changes_since, 72);

SIZE(pa_intent, 24);
AT(pa_intent, size, 0);
AT(pa_intent, confidence, 4);
AT(pa_intent, name, 8);

SIZE(pa_nlp_ops, 16);
AT(pa_nlp_ops, size, 0);
AT(pa_nlp_ops, reserved, 4);
AT(pa_nlp_ops, classify, 8);

SIZE(pa_scanner_ops, 16);
AT(pa_scanner_ops, size, 0);
AT(pa_scanner_ops, reserved, 4);
AT(pa_scanner_ops, scan, 8);

SIZE(pa_transcriber_ops, 16);
AT(pa_transcriber_ops, size, 0);
AT(pa_transcriber_ops, reserved, 4);
AT(pa_transcriber_ops, transcribe, 8);

SIZE(pa_timestamper_ops, 16);
AT(pa_timestamper_ops, size, 0);
AT(pa_timestamper_ops, reserved, 4);
AT(pa_timestamper_ops, stamp, 8);

/* Values: they are stored, and compiled into plugins. */
IS(PA_OK, 0u);
IS(PA_RETRY, 1u);
IS(PA_REJECTED, 2u);
IS(PA_DEADLINE, 3u);
IS(PA_BUG, 4u);
IS(PA_HTTP_NO_REDIRECT, 1u);
IS(PA_HTTP_FAILED_BEFORE_SEND, 1u);
IS(PA_HTTP_FAILED_AFTER_SEND, 2u);
IS(PA_KIND_CHANNEL, 1u);
IS(PA_KIND_BACKEND, 2u);
IS(PA_KIND_NLP, 3u);
IS(PA_KIND_SCANNER, 4u);
IS(PA_KIND_TRANSCRIBER, 5u);
IS(PA_KIND_TIMESTAMPER, 6u);
IS(PA_FLAG_SERIAL, 1u);
IS(PA_OPT_TEXT, 1u);
IS(PA_OPT_NUMBER, 2u);
IS(PA_OPT_BOOL, 3u);
IS(PA_OPT_DURATION, 4u);
IS(PA_OPT_URL, 5u);
IS(PA_OPT_SECRET, 6u);
IS(PA_OPT_MAP, 7u);
IS(PA_OPT_REQUIRED, 1u);
IS(PA_LOG_ERROR, 3u);
IS(PA_LOG_WARNING, 4u);
IS(PA_LOG_INFO, 6u);
IS(PA_LOG_DEBUG, 7u);
IS(PA_SHAPE_TRANSLATING, 1u);
IS(PA_SHAPE_SESSION, 2u);
IS(PA_MEDIUM_CHAT, 1u);
IS(PA_MEDIUM_SMS, 2u);
IS(PA_MEDIUM_EMAIL, 4u);
IS(PA_FEATURE_ECHOES_REF, 1u);
IS(PA_FEATURE_BUTTONS, 2u);
IS(PA_FEATURE_LIST, 4u);
IS(PA_FEATURE_DOCUMENT, 8u);
IS(PA_FEATURE_TEMPLATE, 16u);
IS(PA_FEATURE_TYPING, 32u);
IS(PA_FEATURE_WINDOW, 64u);
IS(PA_FEATURE_DEMO, 128u);
IS(PA_EVENT_MESSAGE, 1u);
IS(PA_EVENT_STATUS, 2u);
IS(PA_EVENT_SYSTEM, 3u);
IS(PA_EVENT_ACCOUNT, 4u);
IS(PA_EVENT_ERROR, 5u);
IS(PA_EVENT_UNKNOWN, 6u);
IS(PA_IN_TEXT, 1u);
IS(PA_IN_IMAGE, 2u);
IS(PA_IN_VIDEO, 3u);
IS(PA_IN_DOCUMENT, 4u);
IS(PA_IN_AUDIO, 5u);
IS(PA_IN_STICKER, 6u);
IS(PA_IN_LOCATION, 7u);
IS(PA_IN_CONTACTS, 8u);
IS(PA_IN_BUTTON, 9u);
IS(PA_IN_ROW, 10u);
IS(PA_IN_FORM, 11u);
IS(PA_IN_REACTION, 12u);
IS(PA_IN_ORDER, 13u);
IS(PA_IN_EDIT, 14u);
IS(PA_IN_REVOKE, 15u);
IS(PA_IN_UNSUPPORTED, 16u);
IS(PA_IN_OTHER, 17u);
IS(PA_STATUS_SENT, 1u);
IS(PA_STATUS_DELIVERED, 2u);
IS(PA_STATUS_READ, 3u);
IS(PA_STATUS_PLAYED, 4u);
IS(PA_STATUS_FAILED, 5u);
IS(PA_STATUS_OTHER, 6u);
IS(PA_SYSTEM_NUMBER_CHANGED, 1u);
IS(PA_SYSTEM_USER_ID_CHANGED, 2u);
IS(PA_SYSTEM_DEVICE_KEY_CHANGED, 3u);
IS(PA_SYSTEM_OTHER, 4u);
IS(PA_EVENT_FORWARDED, 1u);
IS(PA_EVENT_GROUP, 2u);
IS(PA_EVENT_VOICE, 4u);
IS(PA_EVENT_CODE_DENIED, 8u);
IS(PA_EVENT_ECHO, 16u);
IS(PA_EVENT_OWN_CONTACT, 32u);
IS(PA_OUT_TEXT, 1u);
IS(PA_OUT_BUTTONS, 2u);
IS(PA_OUT_LIST, 3u);
IS(PA_OUT_DOCUMENT, 4u);
IS(PA_OUT_IMAGE, 5u);
IS(PA_OUT_TEMPLATE, 6u);
IS(PA_OUT_READ_MARK, 7u);
IS(PA_OUT_FLAG_TYPING, 1u);
IS(PA_OUTCOME_SENT, 1u);
IS(PA_OUTCOME_RETRY, 2u);
IS(PA_OUTCOME_WAIT, 3u);
IS(PA_OUTCOME_GIVE_UP, 4u);
IS(PA_OUTCOME_ALARM, 5u);
IS(PA_OUTCOME_UNCERTAIN, 6u);
IS(PA_OUTCOME_UPLOADED, 7u);
IS(PA_SCOPE_MESSAGE, 1u);
IS(PA_SCOPE_RECIPIENT, 2u);
IS(PA_SCOPE_ACCOUNT, 3u);
IS(PA_CREDIT_ACTIVE, 1u);
IS(PA_CREDIT_PAID, 2u);
IS(PA_CREDIT_ASSIGNED, 3u);
IS(PA_CREDIT_DISPUTED, 4u);
IS(PA_DISCOUNT_SCHEDULED, 1u);
IS(PA_DISCOUNT_DEDUCTED, 2u);
IS(PA_DISCOUNT_RECEIVED, 3u);
IS(PA_DISCOUNT_APPLIED, 4u);
IS(PA_APPLICATION_RECEIVED, 1u);
IS(PA_APPLICATION_STUDY, 2u);
IS(PA_APPLICATION_APPROVED, 3u);
IS(PA_APPLICATION_DISBURSED, 4u);
IS(PA_APPLICATION_REFUSED, 5u);
IS(PA_CHANGE_APPLICATION, 1u);
IS(PA_CHANGE_CREDIT, 2u);
IS(PA_CHANGE_DISCOUNT, 3u);
IS(PA_SCAN_CLEAN, 1u);
IS(PA_SCAN_INFECTED, 2u);
IS(PA_SCAN_UNKNOWN, 3u);
