/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/model.h: the flow set in memory, for the room's own files (the rest of the daemon sees
 * flow/set.h). Built once by flow/read_*.c, proved by flow/check.c, then read-only.
 */
#ifndef FLOW_MODEL_H
#define FLOW_MODEL_H

#include "consent/consent.h"
#include "flow/hours.h"
#include "flow/set.h"
#include "flow/texts.h"
#include "flow/values.h"

#include <stdatomic.h>

/* Names are kept short so that a tap fits its 200 bytes. */
#define NAME_MAX_BYTES 24
#define OPTIONS_MAX 10
#define CASES_MAX 12

enum verb {
	VERB_SAY,
	VERB_ASK,
	VERB_CHOOSE,
	VERB_VERIFY,
	VERB_FETCH,
	VERB_WHEN,
	VERB_HAND_OVER,
	VERB_REMEMBER,
	VERB_GO,
};

enum ask_kind { ASK_TEXT, ASK_AMOUNT };
enum fetch_what { FETCH_CREDITS, FETCH_CREDIT };

/* What `when` looks at; QUESTION_MEMORY: something remembered. */
enum question {
	QUESTION_MEMORY,
	QUESTION_CONSENT,      /* "si", "no" */
	QUESTION_VERIFIED,     /* "si", "no" */
	QUESTION_CREDIT_STATE, /* "activo", "pagado", "cedido", "en_reclamo" */
	QUESTION_CREDIT_COUNT, /* "0", "1", ... */
	QUESTION_SUBJECT,      /* "falta": what the case is about may be asked; "sabido" */
};

#define NOWHERE (-1) /* a target that is not given */
#define THE_END (-2) /* "fin": the flow is over */

/* A consent that is given, refused or taken back by what a person does. */
struct consent_act {
	pa_str purpose;     /* absent: none */
	const char *action; /* "otorga", "niega", "revoca" */
};

struct option {
	pa_str name;
	pa_str title;
	pa_str description;
	pa_str folded;       /* title */
	const pa_str *words; /* what else says it, folded */
	size_t words_count;
	int next; /* step, or NOWHERE */
	int flow; /* to start, or NOWHERE */
	struct consent_act act;
	bool taps_only; /* binds the person: words alone don't do */
	int action;     /* one ACTION_*, or NOWHERE */
};

struct when_case {
	pa_str is;
	int next;
};

struct step {
	pa_str name;
	const char *where;
	enum verb verb;
	const struct text *text;
	const struct text *retry;   /* the question again, shorter, with an example */
	const struct text *missing; /* say: what the core did not tell */
	pa_str into;                /* ask, remember: name in the memory; choose: the amount
				     * there that a typed one corrects */
	pa_str value;               /* remember: what */
	struct consent_act act;     /* say */
	enum ask_kind ask;
	enum fetch_what what;
	enum question question;
	struct option *options; /* choose */
	size_t options_count;
	bool from_credits; /* choose: the options are the credits */
	pa_str button;     /* choose: opens the list */
	struct when_case *cases;
	size_t cases_count;
	pa_str kind;      /* hand_over: of the case */
	pa_str summary;   /* hand_over: from the memory; absent: the person's last words */
	int days;         /* hand_over: business days */
	bool is_single;   /* hand_over: asked for again within the hour, it is the same case */
	bool is_addition; /* hand_over: more about the case just opened */
	bool is_waited;   /* hand_over: somebody waits for a person: out of hours he is told */
	int next;
	int otherwise;  /* when: no case fits; fetch: nothing was found */
	int flow;       /* go */
	bool is_entry;  /* words may lead here */
	int most;       /* bubbles from here until the turn ends; set by the check */
	uint32_t facts; /* what holds when it begins; set by the check */
};

struct flow {
	pa_str name;
	const char *where;
	pa_str label;       /* "su saldo": how it is called in a sentence */
	bool needs_consent; /* to the use of personal data */
	bool keeps_draft;
	bool is_aside;      /* tells something and ends: the question on the table is asked again */
	bool is_trouble;    /* fraud, grief ...: comes before everything else */
	bool ends_session;  /* and only a person goes on */
	bool keeps_nothing; /* of what is said in it */
	bool serves_wishes; /* though only a person goes on, what is asked for is served */
	const struct text *after; /* what is said while only a person goes on */
	struct step *steps;
	size_t steps_count;
};

/* What the engine does itself when a person says so. */
enum action {
	ACTION_NONE,
	ACTION_GREETING,
	ACTION_MENU,
	ACTION_BACK,
	ACTION_EXIT,
	ACTION_THANKS,
	ACTION_NOT_ME,
	ACTION_OTHER_PERSON,
	ACTION_AUTHORIZE,
	ACTION_RESEND,
	ACTION_LOST_MOBILE,
	ACTION_POLICY,
	ACTION_WITHDRAW, /* no person is wanted any more */
	ACTION_NOTHING,  /* "ok", "jajaja": answers to nothing */
	ACTION_COUNT,
};

extern const char *const action_names[ACTION_COUNT];

struct phrase_word {
	pa_str text; /* its sound: word_sound() */
	uint64_t hash;
	bool is_stem; /* "certificad*" */
};

struct phrase {
	struct phrase_word *words;
	size_t count;
	bool is_whole; /* counts only where the message is hardly anything else */
};

struct intent {
	pa_str name;
	const char *where;
	int flow; /* or NOWHERE: then action */
	enum action action;
	pa_str step_name; /* where the flow begins; absent: at its first step */
	int step;
	bool is_global;     /* one word away in every state */
	bool holds_negated; /* "no ..." before it doesn't take it back */
	struct phrase *phrases;
	size_t phrases_count;
};

enum document_name { DOC_NOTICE, DOC_CONSENT, DOC_POLICY, DOC_COUNT };

#define OLDER_SETS_MAX 3

/* What a set and the bare copies that younger sets keep of it share. */
struct set_memory {
	atomic_uint references;
	struct arena *arena;
};

struct flow_set {
	atomic_uint references;
	struct set_memory *memory;
	struct arena *arena; /* memory's */
	uint64_t version;
	struct flow_options options; /* strings copied */
	struct identity_settings identity;
	struct flow *flows;
	size_t flows_count;
	struct intent *intents;
	size_t intents_count;
	struct text **texts;
	size_t texts_count;
	const struct text *engine[TEXT_COUNT];
	struct consent_document documents[DOC_COUNT]; /* the newest in force */
	int menu;                                     /* flow */
	int closing;                                  /* flow: "anything else?" */
	int advisor;                                  /* flow */
	struct hours hours;                           /* of people */
	const char **own;                             /* the house's own files */
	size_t own_count;
	struct flow_set *older[OLDER_SETS_MAX]; /* bare copies: they keep no older ones */
};

/* -1 if there is none. */
int set_find_flow(const struct flow_set *set, pa_str name);
int flow_find_step(const struct flow *flow, pa_str name);

void problem_add(struct flow_problems *problems, const char *where, const char *format, ...)
	PA_PRINTF(3, 4);
void problem_warn(struct flow_problems *problems, const char *where, const char *format, ...)
	PA_PRINTF(3, 4);
size_t problems_errors(const struct flow_problems *problems);

#endif
