/* SPDX-License-Identifier: Apache-2.0
 *
 * page_files.h: the page and what belongs to it, as they lie in this directory, inside the shared
 * object: nothing to install beside it, nothing to fetch from elsewhere.
 */
#ifndef PAGE_FILES_H
#define PAGE_FILES_H

#include <stddef.h>

struct page_file {
	const char *path; /* as asked for: "/", "/page.css" */
	const char *type;
	const char *begin;
	const char *end;
};

/* The file at that path, or NULL. */
const struct page_file *page_file_find(const char *path);

#endif
