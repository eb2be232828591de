/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/run.h: a turn while it runs, for the room's own files. One turn, one thread, one arena.
 *
 * Who does what: turn.c takes events apart and puts the result together; message.c reads what a
 * person sent and decides; wishes.c starts, interrupts and resumes flows; steps.c executes verbs;
 * question.c shows the question on the table and takes options for it; consenting.c, verifying.c
 * hold the two dialogues that the law and the house ask for; recover.c is for what was not
 * understood; emit.c makes messages; shown.c finds the values that texts show;
 * keep.c tells what of the events may stay.
 */
#ifndef FLOW_RUN_H
#define FLOW_RUN_H

#include "flow/model.h"
#include "flow/state.h"
#include "flow/tap.h"
#include "flow/turn.h"
#include "flow/understand.h"

#define REPLIES_MAX 6
#define EFFECTS_MAX 6
#define PREFIXES_MAX 4
#define OPTIONS_SHOWN_MAX 64
#define GUESSES_MAX 2
#define ROWS_MAX 10
#define BUTTONS_MAX 3
#define REPEATED_NS (10 * NS_PER_S) /* the same again so soon was said before the answer came */

struct turn {
	const struct flow_set *set;
	const struct turn_in *in;
	const struct turn_ports *ports;
	struct arena *arena;
	struct turn_out *out;
	struct state st;
	struct identity_tags tags;

	/* the message at hand */
	const pa_event *event; /* NULL: none */
	struct said said;
	struct found_intent found[INTENTS_FOUND_MAX];
	size_t found_count;
	const struct intent *guesses[GUESSES_MAX]; /* of the language plugin, best first */
	size_t guesses_count;

	/* what is said before the next bubble, in the same one */
	pa_str prefixes[PREFIXES_MAX];
	size_t prefixes_count;

	/* from the core, in this turn only */
	const pa_credit *const *credits;
	size_t credits_count;
	bool has_credits;
	const pa_credit *credit;
	const pa_discount *discount;
	uint64_t missing; /* values that the last text lacked */

	int begin_flow; /* words lead into this one, at begin_step; NOWHERE: none */
	int begin_step;
	int wish;           /* what {deseo} names; NOWHERE: the top flow */
	pa_str others;      /* {otros} */
	pa_str secret;      /* {codigo}, while the SMS is written */
	bool had_code;      /* the message at hand held a one-time code */
	bool had_secret;    /* ... or something that had to be blotted out */
	bool keeps_nothing; /* of the message at hand (HD-08) */
	bool is_probe;      /* the core may still be away, and nobody wants to hear it again */
	bool is_parked;     /* no slot in the core: undo all and run again */
	bool has_failed;    /* the effects are too many, or a port failed: broken set */
	int steps_run;
};

/* ---- emit.c ---- */

/* Says a text in a bubble of its own; two bubbles a turn, more are merged. */
void emit_text(struct turn *t, const struct text *text);
void emit(struct turn *t, enum engine_text id);
/* Says it at the head of the next bubble. */
void prefix(struct turn *t, enum engine_text id);
/* What waits to be said becomes a bubble now. */
void emit_prefixes(struct turn *t);
/* A body above options: buttons, a list or numbers, as the channel can. */
void emit_question(struct turn *t, pa_str body, const struct option *options, size_t count,
		   pa_str list_button);
struct turn_reply *emit_reply(struct turn *t);
void emit_job(struct turn *t, const char *name, pa_str payload);
void emit_timer(struct turn *t, const char *name, int64_t due_ns);
void emit_consent(struct turn *t, const char *action, pa_str purpose, pa_str texts);
pa_str fill(struct turn *t, const struct text *text);
/* Nothing is sent, and that is right. */
void no_answer(struct turn *t, const char *reason);

/* ---- cases.c ---- */

/* Opens a case for so many business days: it is the one that {radicado} names. */
void emit_case(struct turn *t, pa_str kind, pa_str summary, int days);
/* True if one of that kind is still open: it is the one that {radicado} names from now on. */
bool case_again(struct turn *t, pa_str kind);
/* The same for the newest of that kind, however old. */
bool case_of_kind(struct turn *t, pa_str kind);
/* Adds to the case that {radicado} names. */
void emit_case_addition(struct turn *t, pa_str kind, pa_str summary);

/* Says a text to somebody who waits for a person: out of hours with the next opening, which is told
 * once as long as people are away. */
void emit_waiting(struct turn *t, const struct text *text);
/* True if a case was just opened and nothing tells what it is about, which may be used. */
bool subject_is_missing(const struct turn *t);

/* ---- care.c ---- */

/* After grief, a crisis, or a minor's message only a person goes on: true if that was said, and
 * what he wrote is with the case. Until one of our own people writes in the chat. */
bool care_answers(struct turn *t);
/* An operator lets the chat go on; by: who he is, and why. */
void care_resume(struct turn *t, pa_str by);

/* ---- shown.c ---- */

/* Finds the values that a text shows, absent where they are not known or may not be shown. */
void shown_values(struct turn *t, const struct text *text, pa_str values[VALUE_COUNT]);
/* "Colpensiones, terminado en 4821". */
pa_str credit_name(struct arena *arena, const pa_credit *credit);
/* The same in the room of a row. */
pa_str credit_title(struct arena *arena, const pa_credit *credit);
/* "su saldo, su renovación y sus datos". */
pa_str join_labels(struct arena *arena, const pa_str *labels, size_t count);

/* ---- question.c ---- */

/* Puts a question on the table and shows it. */
void question_ask(struct turn *t, enum waiting waiting, const struct text *text);
/* Shows the question on the table again: shorter, with an example. */
void question_repeat(struct turn *t);
/* The options of the question on the table; how many. */
size_t question_options(struct turn *t, struct option options[OPTIONS_SHOWN_MAX]);
/* An option of the question on the table was chosen. */
void question_answer(struct turn *t, const struct option *option, bool is_tap);
/* A tap, on this question or an older one. */
void question_tap(struct turn *t, pa_str id);
void question_clear(struct turn *t);

/* ---- consenting.c ---- */

bool consent_has(const struct turn *t);
/* A consent for something else than the service, or the service's taken back. text: the question.
 */
void consent_act(struct turn *t, const struct consent_act *act, const struct text *text);
void consent_ask(struct turn *t);
void consent_repeat(struct turn *t);
void consent_chosen(struct turn *t, pa_str option);
/* True if the text is an answer to the question. */
bool consent_said(struct turn *t);

/* ---- verifying.c ---- */

bool verified(const struct turn *t);
/* Where a document or a code is asked: the text with a number in words in digits. */
pa_str verify_digits(struct turn *t, pa_str text);
/* Begins to verify; the top frame's step goes on when it is done. */
void verify_begin(struct turn *t);
void verify_repeat(struct turn *t);
void verify_chosen(struct turn *t, pa_str option);
/* True if the text was an answer, right or wrong. */
bool verify_said(struct turn *t);
/* Starts over for a document typed in the middle of something else. */
void verify_document(struct turn *t, const struct document *document, bool is_last4);
void verify_resend(struct turn *t);
void verify_lost_mobile(struct turn *t);
/* He is a minor: only a person goes on. */
void minor_found(struct turn *t);
void verify_undelivered(struct turn *t, pa_str serial);

/* What the message with a code is for: this and the code's serial. */
#define CODE_FOR "codigo "
/* With nothing else on the table: tells that the chat is locked, if it is. */
bool verify_tells_lock(struct turn *t);
/* A code typed where none was asked for. */
void verify_stray(struct turn *t);

/* ---- lookup.c ---- */

/* The job after the neutral answer: core, limits, code. */
void lookup_run(struct turn *t, const struct turn_event *job);

/* ---- steps.c ---- */

/* Runs the top flow until it asks something or all is done. */
void flow_run(struct turn *t);
void flow_next(struct turn *t, int next);
struct frame *top_frame(struct turn *t);
const struct flow *top_flow(struct turn *t);
const struct step *top_step(struct turn *t);
/* A free text for an `ask`, or an amount that corrects the one a `choose` shows. True if it was an
 * answer; misses of format are told. */
bool step_said(struct turn *t);
void step_chosen(struct turn *t, const struct option *option, bool is_tap);
/* One of the two readings of an amount was chosen. */
void step_amount(struct turn *t, int64_t amount);

/* ---- wishes.c ---- */

/* The person wants this: starts it, interrupts for it or notes it, as the state asks. */
void wish_take(struct turn *t, int flow);
void wish_note(struct turn *t, int flow);
/* Starts a flow on top of what there is. */
void flow_start(struct turn *t, int flow);
/* The top flow is over: back to what it interrupted, on to the next wish, or nothing. */
void flow_over(struct turn *t);
/* Drops all flows; keeps a draft of the one that asks for it. */
void flows_drop(struct turn *t);
void wish_serve_next(struct turn *t);
void action_do(struct turn *t, enum action action);
void draft_chosen(struct turn *t, pa_str option);
void exit_chosen(struct turn *t, pa_str option);
/* The core is away: the wish is kept until it is back. */
void core_away(struct turn *t);
void core_is_back(struct turn *t);
void core_back_chosen(struct turn *t, pa_str option);
/* Asks the core; false if the turn must stop (parked or told to be away). */
bool core_ask_for(struct turn *t, const struct core_question *question, struct core_answer *ret,
		  pa_status *ret_status);

/* ---- keep.c ---- */

/* Whether the file that came with this is fetched and kept; if not, he is told so. */
bool file_is_kept(const struct turn *t, const pa_event *event);
/* One that was to be kept is not: why, and what to send instead. */
void file_refused(struct turn *t, pa_str why);

/* Notes what of these events may stay in the store: secrets, whole documents, places, contacts and
 * files go, and all that a minor sent. Once they are answered. */
void keep_events(struct turn *t, size_t at, size_t count);

/* ---- recover.c ---- */

void miss_format(struct turn *t, enum engine_text hint);
void miss_meaning(struct turn *t);
/* Something else than words: a photo, a place ... */
void miss_kind(struct turn *t, enum engine_text thanks);
void misses_reset(struct turn *t);
/* To a person, with a case of that kind: the one that is open, if there is one. */
void to_person(struct turn *t, enum engine_text text, const char *kind);

/* ---- message.c ---- */

/* Reads the text of so many events as one; true if it is clear by itself. */
bool message_read(struct turn *t, pa_str text);
/* Fraud, grief and the like in what was read; NULL: none. */
const struct intent *message_trouble(struct turn *t);
/* The same, or else the wish for a person: what is heard in a flood, too. */
const struct intent *message_urgent(struct turn *t);
/* Reads the words on a tap or under a file; true if it is clear by itself. */
bool message_read_other(struct turn *t);
/* True if it says nothing but hello. */
bool message_is_greeting(const struct turn *t);
/* True if it was written so long ago that the answer has to say so, and starts no code. */
bool message_is_late(const struct turn *t);
/* True if the same was asked for seconds ago: that answer is the answer. Notes what is asked for.
 */
bool message_is_repeated(struct turn *t);
/* Acts on what was read. */
void message_act(struct turn *t);
/* A message that is no text: taps, files, places, reactions ... */
void message_other(struct turn *t);

#endif
