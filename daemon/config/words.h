/* SPDX-License-Identifier: Apache-2.0
 *
 * config/words.h: what operators read from --check, --options and reloads, in Spanish or English.
 *
 *	problem->what = words_say(arena, WORDS_OUT_OF_RANGE, "1", "64", NULL);
 *
 * Spanish unless the environment asks for another language (LC_ALL, LC_MESSAGES, LANG: the first
 * that is set and not empty; nothing set is Spanish, "C" is English). setlocale is never called:
 * numbers and collation stay the same everywhere. Thread-safe as long as nobody changes the
 * environment.
 */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/arena.h"

enum words {
	WORDS_UNKNOWN_KEY,           /* key, the nearest known one */
	WORDS_UNKNOWN_KEY_ALONE,     /* key */
	WORDS_MISSING_KEY,           /* key */
	WORDS_WRONG_TYPE,            /* key, what is wanted, what was found */
	WORDS_OUT_OF_RANGE,          /* key, least, most */
	WORDS_NOT_A_DURATION,        /* key */
	WORDS_NOT_A_SIZE,            /* key */
	WORDS_NOT_A_CHOICE,          /* key, the choices */
	WORDS_NOT_A_PATH,            /* key */
	WORDS_EMPTY,                 /* key */
	WORDS_BAD_URL,               /* key, why */
	WORDS_BAD_PROXY,             /* key, why */
	WORDS_TOGETHER,              /* key, other key */
	WORDS_NO_AUTHORITIES,        /* key, key of the file */
	WORDS_BAD_NAME,              /* name */
	WORDS_TOO_MANY,              /* what, how many at most */
	WORDS_SECRET_LITERAL,        /* key */
	WORDS_SECRET_PASSWORD,       /* key */
	WORDS_SECRET_MISSING,        /* key, why */
	WORDS_SECRET_EMPTY,          /* key */
	WORDS_SECRET_NO_ENV,         /* key, variable */
	WORDS_SECRET_NO_CREDENTIALS, /* key, path, the other path */
	WORDS_SECRET_ENCRYPTED,      /* key, path */
	WORDS_SECRET_BAD_NAME,       /* key */
	WORDS_BAD_MASTER_KEY,        /* key */
	WORDS_PLUGIN_REFUSED,        /* why */
	WORDS_PLUGIN_LEFT_OUT,       /* name, why */
	WORDS_PLUGIN_KIND,           /* plugin, the kind that is wanted */
	WORDS_NO_CHANNELS,
	WORDS_NO_BACKENDS,
	WORDS_NO_CODE_CHANNEL,
	WORDS_CODE_CHANNEL_UNKNOWN, /* name */
	WORDS_CODE_CHANNEL_NO_SMS,  /* name */
	WORDS_BULKHEADS,            /* sum, workers */
	WORDS_LOOKUP_FULL,
	WORDS_LOOKUP_LINK,
	WORDS_DEMO_BESIDE_REAL, /* demo channel, real channel */
	WORDS_DEMO_NOT_SAID,    /* channel */
	WORDS_NOT_ABOVE,        /* lesser key, greater key */
	WORDS_IDLE_SUPERVISED,  /* key */
	WORDS_ACCOUNT_TWICE,    /* channel, other channel */
	WORDS_METRICS_REMOTE,   /* address */
	WORDS_CHECK_OK,         /* file */
	WORDS_CHECK_FAILED,     /* file, how many errors */
	WORDS_WARNING,
	WORDS_REQUIRED,
	WORDS_NEEDS_RESTART,
	WORDS_DEFAULT, /* value */
	WORDS_SECTION_CHANNEL,
	WORDS_SECTION_BACKEND,
	WORDS_SECTION_LANGUAGE,
	WORDS_KIND_GROUP,
	WORDS_KIND_LIST,
	WORDS_KIND_TEXT,
	WORDS_KIND_INTEGER,
	WORDS_KIND_REAL,
	WORDS_KIND_BOOL,
	WORDS_KIND_DURATION,
	WORDS_KIND_SIZE,
	WORDS_KIND_URL,
	WORDS_KIND_SECRET,
	WORDS_KIND_MAP,
	WORDS_KIND_CHOICE,
	WORDS_KIND_PATH,
	WORDS_USAGE,
	WORDS_USAGE_ARGUMENT, /* option */
	WORDS_USAGE_UNKNOWN,  /* argument */
	WORDS_COUNT,
};

/* True if operators are spoken to in Spanish. */
bool words_are_spanish(void);

/* The sentence with {1}, {2} and {3} replaced; arguments that it lacks may be NULL. */
const char *words_say(struct arena *arena, enum words words, const char *first, const char *second,
		      const char *third);

#endif
