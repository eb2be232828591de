/* SPDX-License-Identifier: Apache-2.0
 *
 * proalto/channel.h: what carries messages to and from customers.
 *
 * Two shapes share one descriptor, one kind of event and one kind of message:
 *
 *  PA_SHAPE_TRANSLATING, for protocols over HTTP: pure functions over bytes. The daemon owns
 * sockets, TLS, retries, rates, order and persistence. The functions hold no lock, keep no state
 * between calls (self is what open made of the options), and never block.
 *
 *  PA_SHAPE_SESSION, for protocols that hold a connection (SMPP, IMAP) or a listener (the
 * simulator): run() gets a thread of the daemon's and lives there. Events go in by
 * session->deliver(), which returns after they are durable: acknowledge to the peer only then.
 * Messages come by session->next(); each one taken is answered by session->outcome() exactly once.
 */
#ifndef PROALTO_CHANNEL_H
#define PROALTO_CHANNEL_H

#include <proalto/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PA_SHAPE_TRANSLATING 1u
#define PA_SHAPE_SESSION 2u

/* What a channel can carry (bits). A one-time code asks for SMS. */
#define PA_MEDIUM_CHAT 1u
#define PA_MEDIUM_SMS 2u
#define PA_MEDIUM_EMAIL 4u

/* What a channel can do (bits). */
#define PA_FEATURE_ECHOES_REF 1u /* receipts carry pa_message.ref back */
#define PA_FEATURE_BUTTONS 2u
#define PA_FEATURE_LIST 4u
#define PA_FEATURE_DOCUMENT 8u
#define PA_FEATURE_TEMPLATE 16u
#define PA_FEATURE_TYPING 32u
#define PA_FEATURE_WINDOW 64u /* free text only within 24 h of the customer's last message */
#define PA_FEATURE_DEMO 128u  /* for demonstrations: refused beside real channels or a real core */

/* The channel's own limits, in Unicode code points unless the name says bytes. 0: not supported. */
typedef struct pa_channel_limits {
	uint32_t size;
	uint32_t text;             /* body of a plain message */
	uint32_t interactive_body; /* body above buttons or a list */
	uint32_t header;
	uint32_t footer;
	uint32_t buttons; /* how many */
	uint32_t button_title;
	uint32_t button_id_bytes;
	uint32_t rows; /* how many in one list, over all its sections */
	uint32_t row_title;
	uint32_t row_description;
	uint32_t row_id_bytes;
	uint32_t list_button;
	uint32_t section_title;
	uint32_t caption;
	uint32_t ref_bytes; /* pa_message.ref */
} pa_channel_limits;

/* ---- what comes in ---- */

#define PA_EVENT_MESSAGE 1u /* a person did something */
#define PA_EVENT_STATUS 2u  /* what became of a message of ours */
#define PA_EVENT_SYSTEM 3u  /* the person's number, user id or device key changed */
#define PA_EVENT_ACCOUNT 4u /* about our account: templates, quality, restrictions ... */
#define PA_EVENT_ERROR 5u   /* an error of the provider without a message */
#define PA_EVENT_UNKNOWN 6u /* well formed and not understood: recorded */

#define PA_IN_TEXT 1u
#define PA_IN_IMAGE 2u
#define PA_IN_VIDEO 3u
#define PA_IN_DOCUMENT 4u
#define PA_IN_AUDIO 5u
#define PA_IN_STICKER 6u
#define PA_IN_LOCATION 7u
#define PA_IN_CONTACTS 8u
#define PA_IN_BUTTON 9u /* a reply button, ours or a template's: reply_id */
#define PA_IN_ROW 10u   /* a list row: reply_id */
#define PA_IN_FORM 11u  /* a form (WhatsApp Flow) filled in: detail holds its JSON text */
#define PA_IN_REACTION 12u
#define PA_IN_ORDER 13u
#define PA_IN_EDIT 14u
#define PA_IN_REVOKE 15u
#define PA_IN_UNSUPPORTED 16u
#define PA_IN_OTHER 17u

#define PA_STATUS_SENT 1u
#define PA_STATUS_DELIVERED 2u
#define PA_STATUS_READ 3u
#define PA_STATUS_PLAYED 4u
#define PA_STATUS_FAILED 5u
#define PA_STATUS_OTHER 6u

#define PA_SYSTEM_NUMBER_CHANGED 1u
#define PA_SYSTEM_USER_ID_CHANGED 2u
#define PA_SYSTEM_DEVICE_KEY_CHANGED 3u
#define PA_SYSTEM_OTHER 4u

/* Event flags (bits). */
#define PA_EVENT_FORWARDED 1u
#define PA_EVENT_GROUP 2u        /* from a group: no personal data in the answer */
#define PA_EVENT_VOICE 4u        /* a voice note, not a music file */
#define PA_EVENT_CODE_DENIED 8u  /* "I did not ask for this code" */
#define PA_EVENT_ECHO 16u        /* written by our own people elsewhere: not a customer's */
#define PA_EVENT_OWN_CONTACT 32u /* contacts: the person shared his own number on request */

/* One thing that happened. Which fields are set follows from kind and message_kind. */
typedef struct pa_event {
	uint32_t size;
	uint32_t kind;         /* PA_EVENT_MESSAGE and so on */
	uint32_t message_kind; /* PA_IN_*, for messages */
	uint32_t status;       /* PA_STATUS_*, for statuses */
	uint32_t system;       /* PA_SYSTEM_*, for system events */
	uint32_t flags;        /* PA_EVENT_FORWARDED and so on */
	int64_t at_ns;         /* the provider's time; 0 if it gave none */
	pa_str unique;         /* what makes this event this event; a second one is a duplicate */
	pa_str account;        /* which of our numbers: the provider's id of it */
	pa_str id;             /* the provider's message id */
	pa_str phone;    /* the person's, digits with country code, no plus; absent if unknown */
	pa_str user_id;  /* the provider's own id of the person; absent if unknown */
	pa_str name;     /* as the person calls himself: hostile text */
	pa_str type;     /* the provider's own word for the kind */
	pa_str text;     /* body or caption; title of a tap */
	pa_str reply_id; /* id of the button or row tapped */
	pa_str media_id;
	pa_str media_type; /* MIME type, as claimed */
	pa_str media_name; /* file name, as claimed: hostile text */
	pa_str media_sha256;
	pa_str context_id;   /* the message answered, quoted, reacted to, edited or revoked */
	pa_str ref;          /* statuses: pa_message.ref as it came back */
	pa_str error_title;  /* statuses and errors */
	pa_str error_detail; /* the same */
	int64_t error_code;  /* the same; 0: none */
	pa_str new_phone;    /* system events */
	pa_str new_user_id;
	pa_str previous_user_id;
	pa_str device_key; /* hash of the person's device key, if the provider tells it */
	pa_str detail;     /* what else is worth keeping, as JSON text */
} pa_event;

/* ---- what goes out ---- */

#define PA_OUT_TEXT 1u
#define PA_OUT_BUTTONS 2u
#define PA_OUT_LIST 3u
#define PA_OUT_DOCUMENT 4u
#define PA_OUT_IMAGE 5u
#define PA_OUT_TEMPLATE 6u
#define PA_OUT_READ_MARK 7u /* marks reply_to as read; PA_OUT_FLAG_TYPING shows "writing" too */

#define PA_OUT_FLAG_TYPING 1u

/* A button, or a row of a list. */
typedef struct pa_choice {
	uint32_t size;
	uint32_t reserved;
	pa_str id;
	pa_str title;
	pa_str description; /* rows only */
	pa_str section;     /* rows only: title of the section it opens or belongs to */
} pa_choice;

/* One message to one person. */
typedef struct pa_message {
	uint32_t size;
	uint32_t kind;   /* PA_OUT_* */
	uint32_t medium; /* one PA_MEDIUM_* */
	uint32_t flags;  /* PA_OUT_FLAG_* */
	pa_str account;  /* which of our numbers sends it */
	pa_str phone;    /* digits with country code, no plus; absent if only user_id is known */
	pa_str user_id;
	pa_str ref; /* our id of this attempt; comes back in receipts where the channel echoes it */
	pa_str header;
	pa_str body; /* or the caption */
	pa_str footer;
	pa_str list_button;
	const pa_choice *const *choices;
	size_t choices_count;
	pa_str media_id; /* a file uploaded before */
	pa_str media_name;
	pa_str media_type;
	pa_str media_bytes; /* the file itself: build() then makes the upload request */
	pa_str template_name;
	pa_str template_language;
	const pa_pair *const
		*params; /* template: name "body", "header", "url:0", "payload:1"; value */
	size_t params_count;
	pa_str reply_to;   /* provider's id of the message to quote or mark */
	pa_str device_key; /* deliver only if the person's device key is still this one */
} pa_message;

#define PA_OUTCOME_SENT 1u      /* accepted by the provider */
#define PA_OUTCOME_RETRY 2u     /* not accepted: again after after_ms */
#define PA_OUTCOME_WAIT 3u      /* not accepted, and all of scope must wait after_ms */
#define PA_OUTCOME_GIVE_UP 4u   /* final for this message */
#define PA_OUTCOME_ALARM 5u     /* final until a person mends it: scope stops */
#define PA_OUTCOME_UNCERTAIN 6u /* may have been accepted: nobody knows yet */
#define PA_OUTCOME_UPLOADED 7u  /* media_id is set: build() again with it */

#define PA_SCOPE_MESSAGE 1u
#define PA_SCOPE_RECIPIENT 2u
#define PA_SCOPE_ACCOUNT 3u

/* What became of one attempt. */
typedef struct pa_outcome {
	uint32_t size;
	uint32_t result; /* PA_OUTCOME_* */
	uint32_t scope;  /* PA_SCOPE_* */
	uint32_t reserved;
	int64_t after_ms;   /* RETRY, WAIT: 0 lets the daemon choose with back-off */
	int64_t code;       /* the provider's error code, 0: none */
	pa_str reason;      /* one short English sentence without personal data */
	pa_str external_id; /* the provider's id of the message */
	pa_str media_id;    /* UPLOADED */
} pa_outcome;

/* The daemon's side of a session-holding channel. Thread-safe: the plugin may call these from
 * threads of its own as long as run() has not returned. */
typedef struct pa_session pa_session;
typedef struct pa_session_host {
	uint32_t size;
	uint32_t reserved;

	/* Makes the events durable, then returns PA_OK; duplicates are swallowed silently.
	 * PA_RETRY: the store is away, tell the peer to come again. */
	pa_status (*deliver)(pa_session *session, pa_call *call, const pa_event *const *events,
			     size_t count, pa_error *err);

	/* The next message to send, waiting at most wait_ms. PA_OK: ret_message is set and lives
	 * until its outcome() was called. PA_DEADLINE: none came. PA_REJECTED: stop, the daemon is
	 * closing. */
	pa_status (*next)(pa_session *session, int64_t wait_ms, const pa_message **ret_message);

	/* What became of a message taken by next(). Returns when it is noted, not when durable. */
	void (*outcome)(pa_session *session, const pa_message *message, const pa_outcome *outcome);

	/* 1 when run() should return. */
	uint32_t (*stopping)(pa_session *session);

	/* A call for memory, time and logs on a thread of the plugin's own; end_call frees it. */
	pa_call *(*begin_call)(pa_session *session, int64_t deadline_ms);
	void (*end_call)(pa_session *session, pa_call *call);
} pa_session_host;

/* The operations of a channel. Translating channels leave run NULL; session channels leave the
 * functions from handshake to download_next NULL. */
typedef struct pa_channel_ops {
	uint32_t size;
	uint32_t shape;    /* PA_SHAPE_* */
	uint32_t media;    /* PA_MEDIUM_* bits */
	uint32_t features; /* PA_FEATURE_* bits */
	const pa_channel_limits *limits;

	/* Answers the provider's question whether we are we (a GET on the webhook's address).
	 * NULL: the channel has none. PA_REJECTED: answer 403. */
	pa_status (*handshake)(void *self, pa_call *call, const pa_http_request *request,
			       pa_http_response *ret_response, pa_error *err);

	/* PA_OK if the request really comes from the provider. Runs before anything is parsed and
	 * must not parse the body. PA_REJECTED: answer 403, keep nothing. */
	pa_status (*verify)(void *self, pa_call *call, const pa_http_request *request,
			    pa_error *err);

	/* Body to events. Never fails for one bad item: that becomes PA_EVENT_UNKNOWN beside its
	 * neighbours. PA_REJECTED: the body as a whole makes no sense; the daemon keeps it raw. */
	pa_status (*parse)(void *self, pa_call *call, pa_str body,
			   const pa_event *const **ret_events, size_t *ret_count, pa_error *err);

	/* Message to request. PA_REJECTED: the message breaks a limit of the channel; the error
	 * names it. A message with media_bytes and no media_id becomes the upload's request first.
	 */
	pa_status (*build)(void *self, pa_call *call, const pa_message *message,
			   pa_http_request *ret_request, pa_error *err);

	/* The answer to the request that build made of message, or its absence (response NULL,
	 * failure PA_HTTP_FAILED_*), to an outcome. Always PA_OK or PA_BUG. */
	pa_status (*interpret)(void *self, pa_call *call, const pa_message *message,
			       const pa_http_response *response, uint32_t failure,
			       pa_outcome *ret_outcome, pa_error *err);

	/* A request to the receipt address to status events, for providers that report at an
	 * address of their own. Must check that the request is genuine. NULL: statuses come through
	 * parse. */
	pa_status (*receipt)(void *self, pa_call *call, const pa_http_request *request,
			     const pa_event *const **ret_events, size_t *ret_count, pa_error *err);

	/* The request that asks where a received file lies, then, given its answer, the request
	 * that fetches it. NULL: the channel receives no files. */
	pa_status (*download)(void *self, pa_call *call, pa_str account, pa_str media_id,
			      pa_http_request *ret_request, pa_error *err);
	pa_status (*download_next)(void *self, pa_call *call, const pa_http_response *response,
				   pa_http_request *ret_request, pa_error *err);

	/* Lives on the daemon's thread until session->stopping(). Returns early only for good
	 * reason: the daemon runs it again with back-off. */
	pa_status (*run)(void *self, pa_call *call, const pa_session_host *session_host,
			 pa_session *session, pa_error *err);
} pa_channel_ops;

#ifdef __cplusplus
}
#endif

#endif
