/* SPDX-License-Identifier: Apache-2.0
 *
 * .incbin reads from the directory make runs in, the top of the tree. The compiler's dependency
 * files don't see that; tests/browser.mk says it to make.
 */
#include "page_files.h"

#include <string.h>

/* clang-format off */
#define EMBED(name, file)                                                                          \
	__asm__(".section .rodata\n"                                                               \
		".global simulator_" #name "_begin\n"                                              \
		".hidden simulator_" #name "_begin\n"                                              \
		"simulator_" #name "_begin:\n"                                                     \
		".incbin \"plugins/channel-simulator/" file "\"\n"                                 \
		".global simulator_" #name "_end\n"                                                \
		".hidden simulator_" #name "_end\n"                                                \
		"simulator_" #name "_end:\n"                                                       \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char simulator_##name##_begin[];                                              \
	extern const char simulator_##name##_end[]
/* clang-format on */

EMBED(html, "page.html");
EMBED(css, "page.css");
EMBED(bubble, "bubble.js");
EMBED(js, "page.js");
EMBED(icon, "icon.svg");
EMBED(wall, "wall.svg");

static const struct page_file files[] = {
	{"/", "text/html; charset=utf-8", simulator_html_begin, simulator_html_end},
	{"/page.css", "text/css; charset=utf-8", simulator_css_begin, simulator_css_end},
	{"/bubble.js", "text/javascript; charset=utf-8", simulator_bubble_begin,
	 simulator_bubble_end},
	{"/page.js", "text/javascript; charset=utf-8", simulator_js_begin, simulator_js_end},
	{"/icon.svg", "image/svg+xml", simulator_icon_begin, simulator_icon_end},
	{"/wall.svg", "image/svg+xml", simulator_wall_begin, simulator_wall_end},
};

const struct page_file *page_file_find(const char *path)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!strcmp(files[i].path, path))
			return &files[i];
	}
	return NULL;
}
