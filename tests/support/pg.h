/* SPDX-License-Identifier: Apache-2.0
 *
 * support/pg.h: a real PostgreSQL for a test program. A program that is not yet beside one starts
 * itself again under tests/support/with-postgres (from the top folder of the sources):
 *
 *	int main(int argc, char **argv) { pg_require(argv); ... }
 *
 * Connection strings then need a dbname at most: the rest stands in PGHOST and so on. The server is
 * shared by the tests that run under one with-postgres: use a database of your own.
 */
#ifndef SUPPORT_PG_H
#define SUPPORT_PG_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PG_WRAPPER "tests/support/with-postgres"
#define PG_TOOL "tests/support/pg-temp"

/* Returns only beside a server. */
static inline void pg_require(char **argv)
{
	char *const wrapped[] = {(char[]){PG_WRAPPER}, argv[0], NULL};

	if (getenv("PG_TEMP_DIR"))
		return;
	execv(PG_WRAPPER, wrapped);
	perror(PG_WRAPPER);
	exit(125);
}

/* Runs a command of pg-temp ("crash", "halt", "resume") on the server; 0 if all went well. */
static inline int pg_command(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "%s %s '%s'", PG_TOOL, command, getenv("PG_TEMP_DIR"));
	return system(line);
}

#endif
