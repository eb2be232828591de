/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl/setup.h: `proaltoctl setup`, in the order in which it happens:
 *
 *	setup.c           arguments, the order, what is said at the end
 *	setup_ask.c       the questions: answered by flags, by files, or by a person
 *	setup_check.c     answers against the real thing
 *	setup_database.c  roles, database, tables
 *	setup_keys.c      master key, recovery file, encrypted credentials
 *	setup_service.c   the service, and what Meta must know
 *
 * Each step does only what is missing, so it may be run again after any of them failed. Everything
 * lies in the arena of the run. Secrets are wiped by the end of the process only, which is near.
 */
#ifndef CTL_SETUP_H
#define CTL_SETUP_H

#include "ctl/ctl.h"
#include "io/conf.h"
#include "queue/keyring.h"

#define SETUP_SECRET_MAX 8192

/* What is asked; the order of setup_questions. */
enum setup_name {
	ASK_DATABASE,
	ASK_NAME,
	ASK_NIT,
	ASK_ADDRESS,
	ASK_PHONE,
	ASK_EMAIL,
	ASK_POLICY_URL,
	ASK_REGULATION,
	ASK_PHONE_ID,
	ASK_BUSINESS_ID,
	ASK_APP_SECRET,
	ASK_ACCESS_TOKEN,
	ASK_VERIFY_TOKEN,
	ASK_SMS_URL,
	ASK_SMS_SENDER,
	ASK_SMS_KEY,
	ASK_SMS_RECEIPT_TOKEN,
	ASK_CORE_CONNECTION,
	ASK_CORE_PASSWORD,
	ASK_CORE_QUERIES,
	ASK_PUBLIC_URL,
	ASK_COUNT
};

enum setup_kind {
	SETUP_KEY,    /* a key of the configuration */
	SETUP_WORD,   /* goes elsewhere */
	SETUP_SECRET, /* a credential */
	SETUP_TOKEN,  /* a credential that is made here */
};

#define SETUP_OPTIONAL 1u
#define SETUP_LEADER 2u /* without an answer its part is left for later */

enum setup_part { PART_STORE, PART_HOUSE, PART_WHATSAPP, PART_SMS, PART_CORE, PART_COUNT };

enum setup_verdict { SETUP_GOOD, SETUP_LATER, SETUP_BAD };

struct setup;

struct setup_question {
	const char
		*flag; /* --FLAG VALUE; of a secret: --secret FLAG=..., credential proalto.FLAG */
	enum setup_kind kind;
	enum setup_part part;
	unsigned flags;
	const char *path; /* of the key */
	const char *fallback;
	const char *es;
	const char *en;
	/* What is wrong with an answer, in the operator's language; NULL: nothing. */
	const char *(*complain)(struct setup *setup, pa_str answer);
	/* The real thing is asked; BAD prints why. */
	enum setup_verdict (*check)(struct setup *setup, pa_str answer);
};

extern const struct setup_question setup_questions[ASK_COUNT];

/* "--set PATH=VALUE". */
struct setup_set {
	const char *path;
	pa_str value;
	struct setup_set *next;
};

/* One line of what stays to be done by somebody. */
struct setup_note {
	const char *text;
	struct setup_note *next;
};

struct setup {
	struct ctl *ctl;
	struct arena *arena;

	/* arguments */
	bool is_interactive;
	bool replaces;
	bool starts;
	bool has_database; /* somebody else made it */
	bool new_password; /* of a role that has one */
	const char *superuser;
	const char *credentials; /* directory */
	const char *recovery_file;
	const char *recovery_code_file;
	const char *recover; /* a recovery file to take the key from */
	pa_str superuser_password;
	pa_str recovery_code;
	struct setup_set *sets;

	/* answers; absent: none */
	pa_str answers[ASK_COUNT];
	bool is_given[ASK_COUNT]; /* on the command line */
	bool is_off[PART_COUNT];
	pa_str database_secret; /* the whole connection string, if it holds a password */
	bool writes_database;   /* ... and is new */

	/* state */
	const struct conf_node *old; /* the configuration that is replaced */
	struct keyring *ring;        /* the master key; NULL: none yet, or elsewhere */
	bool has_key;                /* there is one, here or elsewhere, or one to recover */
	pa_str text;                 /* of the configuration */
	bool is_new;                 /* it is to be written */
	bool has_changed;            /* anything that a running service must take up */
	const char *missing;         /* flags without an answer, one a line; NULL: none */
	struct setup_note *notes;
};

/* ---- setup.c ---- */

void setup_say(const char *es, const char *en);
/* "  done: ..." and "  already there: ..."; what may be NULL. */
void setup_did(const char *es, const char *en, const char *what);
void setup_kept(const char *es, const char *en, const char *what);
/* Says it now and once more at the end. */
void setup_later(struct setup *setup, const char *text);

/* ---- setup_ask.c ---- */

/* Takes "--FLAG VALUE"; false if there is no such question. */
bool setup_take(struct setup *setup, const char *flag, const char *value);
/* Takes "NAME=file:/PATH" or "NAME=-". CTL_OK, or what ends the run after a message. */
int setup_take_secret(struct setup *setup, const char *argument);

/* Fill in what is missing of the configuration, and of its secrets once setup->text is there.
 * CTL_OK, or CTL_FAILED after a message. What has no answer without a person is noted in missing.
 */
int setup_ask_keys(struct setup *setup);
int setup_ask_secrets(struct setup *setup);

/* A person's answer; fails at the end of the input. */
int setup_read_line(struct setup *setup, const char *prompt, bool is_secret, pa_str *ret);

/* ---- setup_check.c ---- */

/* What a text of the configuration is, or will be by --set, or by default; NULL: empty. */
const char *setup_setting(struct setup *setup, const char *path);
const char *setup_complain_url(struct setup *setup, pa_str answer);
const char *setup_complain_database(struct setup *setup, pa_str answer);
enum setup_verdict setup_check_policy(struct setup *setup, pa_str answer);
enum setup_verdict setup_check_token(struct setup *setup, pa_str answer);
/* Whether Meta would find the webhook at the public address. */
void setup_check_public(struct setup *setup, pa_str verify_token);
/* The daemon's own judgement of a file: CTL_OK or CTL_FAILED, after it spoke. */
int setup_check_file(struct setup *setup, const char *path);

/* ---- setup_database.c ---- */

bool setup_database_is_local(struct setup *setup); /* over its socket, as the service's user */
/* Roles, database, tables, and a password if it takes one. Of a store that setup_accept_store()
 * refuses nothing is changed. */
int setup_database(struct setup *setup);

/* ---- setup_keys.c ---- */

bool setup_has_credential(struct setup *setup, const char *name);
/* What is encrypted under that name; absent if it can't be had. */
pa_str setup_credential_read(struct setup *setup, const char *name);
/* Fills in the ring, if there is a key or one to recover; as root, who alone sees credentials. */
int setup_find_key(struct setup *setup);
/* Whether the key that is here, or will be, goes with a store. is_used: something is sealed there;
 * is_other: under another key than the ring's. */
int setup_accept_store(struct setup *setup, bool is_used, bool is_other);
int setup_master_key(struct setup *setup);
int setup_credentials(struct setup *setup);
/* The connection string with the password that was made, if it is not stored yet. */
int setup_database_credential(struct setup *setup);
/* A word that nobody guesses. */
pa_str setup_random_word(struct setup *setup);

/* ---- setup_service.c ---- */

int setup_service(struct setup *setup);
void setup_tell_meta(struct setup *setup);

#endif
