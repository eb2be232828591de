/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect/ and media/inspector.c: sound files pass and come back clean; hostile ones, made and
 * mutated here, are refused with their reason, in this process (so that a sanitizer sees it) and by
 * the program in its sandbox.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "media/inspector.h"
#include "support/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/sandbox.h"

static const struct inspect_limits limits = {.pixels = 1000000, .pages = 5};
static int hostile; /* how many were refused */

/* build/tests/unit/test_inspect -> build/proalto-inspect */
static const char *program(void)
{
	static char path[PATH_MAX + 32];
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/proalto-inspect", self);
	return path;
}

static int file_of(const struct blob *blob)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, blob->bytes, blob->len), blob->len);
	return fd;
}

/* By the program. The clean picture, if any, goes to clean. */
static struct inspect_record by_program(const struct blob *blob, struct blob *clean)
{
	const struct inspector inspector = {.program = program(), .limits = limits};
	int file = file_of(blob), picture = -1;
	struct inspect_record record = {0};

	assert_int_equal(inspector_judge(&inspector, file, &record, &picture, NULL), PA_OK);
	close(file);
	assert_int_equal(picture >= 0, record.clean != 0);
	if (clean && picture >= 0) {
		*clean = (struct blob){calloc(1, record.clean), record.clean};
		assert_int_equal(read(picture, clean->bytes, clean->len), clean->len);
	}
	if (picture >= 0)
		close(picture);
	return record;
}

static struct inspect_record here(const struct blob *blob)
{
	struct inspect_result result;

	assert_true(inspect_prepare());
	inspect_bytes(blob->bytes, blob->len, &limits, &result);
	free(result.clean);
	return result.record;
}

static void expect_here(const char *name, const struct blob *blob, uint32_t verdict)
{
	uint32_t got = here(blob).verdict;

	if (got != verdict)
		fail_msg("%s: %s, not %s", name, inspect_verdict_word(got),
			 inspect_verdict_word(verdict));
}

/* Both must say so. Takes the blob. */
static void expect(const char *name, struct blob blob, uint32_t verdict)
{
	uint32_t got = by_program(&blob, NULL).verdict;
	/* A sanitizer makes the program slow: its time may be up before its measure is full. */
	bool is_late = sandbox_is_partial() && verdict == INSPECT_BOMB && got == INSPECT_DIED;

	expect_here(name, &blob, verdict);
	if (got != verdict && !is_late)
		fail_msg("%s: the program says %s, not %s", name, inspect_verdict_word(got),
			 inspect_verdict_word(verdict));
	hostile += verdict != INSPECT_SOUND;
	blob_done(&blob);
}

static void expect_sound(struct blob blob, uint32_t kind, uint32_t pages, uint32_t width)
{
	struct blob clean = {0};
	struct inspect_record record = by_program(&blob, &clean);

	assert_string_equal(inspect_verdict_word(record.verdict), "sound");
	assert_int_equal(record.kind, kind);
	assert_int_equal(record.pages, pages);
	assert_int_equal(record.width, width);
	if (kind != INSPECT_PDF) {
		assert_null(memmem(clean.bytes, clean.len, FILES_METADATA, strlen(FILES_METADATA)));
		expect_here("a picture made anew", &clean, INSPECT_SOUND);
	}
	blob_done(&clean);
	blob_done(&blob);
}

static void test_sound_files_pass(void **state)
{
	(void)state;
	expect_sound(files_jpeg(120, 80, 0), INSPECT_JPEG, 0, 120);
	expect_sound(files_jpeg(33, 17, FILES_GRAY), INSPECT_JPEG, 0, 33);
	expect_sound(files_jpeg(64, 64, FILES_PROGRESSIVE), INSPECT_JPEG, 0, 64);
	expect_sound(files_jpeg(64, 64, FILES_CMYK), INSPECT_JPEG, 0, 64);
	expect_sound(files_jpeg_with_comment(50, 50), INSPECT_JPEG, 0, 50);
	expect_sound(blob_append(files_jpeg(50, 50, 0), "\0\0\0", 3), INSPECT_JPEG, 0, 50);
	expect_sound(files_png(70, 20, 0), INSPECT_PNG, 0, 70);
	expect_sound(files_png(70, 20, FILES_GRAY), INSPECT_PNG, 0, 70);
	expect_sound(files_png(70, 20, FILES_ALPHA), INSPECT_PNG, 0, 70);
	expect_sound(files_png_with(70, 20, "tEXt", "Author\0" FILES_METADATA,
				    7 + strlen(FILES_METADATA)),
		     INSPECT_PNG, 0, 70);
	expect_sound(files_pdf(3, "", NULL), INSPECT_PDF, 3, 0);
	expect_sound(blob_append(files_pdf(1, "", NULL), "\r\n", 2), INSPECT_PDF, 1, 0);
	expect_sound(files_pdf(1, "/OpenAction [3 0 R /Fit]", NULL), INSPECT_PDF, 1, 0);
	expect_sound(files_pdf(1, "", "<</S /URI /URI (https://example.org)>>"), INSPECT_PDF, 1, 0);
}

/* Where the light corner is: a picture whose upper left quarter is white. */
static unsigned light_corner(const struct blob *blob)
{
	tjhandle reader = tjInitDecompress();
	int width, height, sampling, colours;
	unsigned corner = 0;
	uint8_t *pixels;

	assert_int_equal(tjDecompressHeader3(reader, blob->bytes, blob->len, &width, &height,
					     &sampling, &colours),
			 0);
	pixels = calloc((size_t)width * (size_t)height, 1);
	assert_int_equal(tjDecompress2(reader, blob->bytes, blob->len, pixels, width, 0, height,
				       TJPF_GRAY, 0),
			 0);
	for (unsigned i = 0; i < 4; i++) {
		size_t x = (size_t)width * (i % 2 ? 3 : 1) / 4;
		size_t y = (size_t)height * (i / 2 ? 3 : 1) / 4;

		if (pixels[y * (size_t)width + x] > 128)
			corner |= 1u << i;
	}
	free(pixels);
	tjDestroy(reader);
	return corner;
}

/* Upper left is 1, upper right 2, lower left 4, lower right 8. */
static void test_pictures_stand_upright(void **state)
{
	static const unsigned corners[] = {0, 1, 2, 8, 4, 1, 2, 8, 4};

	(void)state;
	for (uint8_t held = 1; held <= 8; held++) {
		struct blob blob = files_jpeg_held(64, 32, held, held % 2), clean = {0};
		struct inspect_record record = by_program(&blob, &clean);

		assert_int_equal(record.verdict, INSPECT_SOUND);
		assert_int_equal(record.width, held >= 5 ? 32 : 64);
		assert_int_equal(record.height, held >= 5 ? 64 : 32);
		assert_int_equal(light_corner(&clean), corners[held]);
		blob_done(&blob);
		blob_done(&clean);
	}
}

static void test_other_types(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} others[] = {
		{"a program for Windows", "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff", 14},
		{"a program for Linux", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0>\0", 20},
		{"a script", "#!/bin/sh\nrm -rf /\n", 19},
		{"a page", "<!DOCTYPE html><html><script>alert(1)</script></html>", 53},
		{"a drawing", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		 62},
		{"an archive", "PK\3\4\24\0\0\0\0\0", 10},
		{"an old office file", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", 12},
		{"a moving picture", "GIF89a\1\0\1\0\0\0\0;", 14},
		{"a bitmap", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18},
		{"a TIFF", "II*\0\10\0\0\0\0\0", 10},
		{"a WebP", "RIFF\x24\0\0\0WEBPVP8 ", 16},
		{"a HEIC",
		 "\0\0\0\x18"
		 "ftypheic\0\0\0\0mif1heic",
		 24},
		{"a film",
		 "\0\0\0\x18"
		 "ftypmp42\0\0\0\0mp42isom",
		 24},
		{"PostScript", "%!PS-Adobe-3.0\n", 15},
		{"compressed", "\x1f\x8b\10\0\0\0\0\0\0\3", 10},
		{"words", "hola", 4},
		{"zeros", "\0\0\0\0\0\0\0\0", 8},
		{"nothing", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		expect(others[i].name, blob_of(others[i].bytes, others[i].len), INSPECT_OTHER_TYPE);
}

static void test_broken_files(void **state)
{
	static const double parts[] = {0.2, 0.5, 0.8, 0.95};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		expect("half a JPEG", blob_cut(files_jpeg(120, 80, 0), parts[i]), INSPECT_BROKEN);
		expect("half a PNG", blob_cut(files_png(120, 80, 0), parts[i]), INSPECT_BROKEN);
	}
	expect("a JPEG without its data", files_jpeg_hollow(120, 80), INSPECT_BROKEN);
	expect("a PNG with a wrong check", blob_flip(files_png(50, 50, 0), 60), INSPECT_BROKEN);
	expect("a PNG without data", files_png_hollow(50, 50), INSPECT_BROKEN);
	expect("a PDF without pages", files_pdf(0, "", NULL), INSPECT_BROKEN);
	expect("a PDF's head alone", blob_of("%PDF-1.4\n%%EOF\n", 15), INSPECT_BROKEN);
	expect("a PDF whose table lies", files_pdf_shifted(), INSPECT_BROKEN);
	expect("a PDF whose page is nonsense",
	       files_pdf_stream("/Filter /FlateDecode", "nonsense", 8), INSPECT_BROKEN);
	expect("a PDF whose pages turn in a circle", files_pdf_circle(), INSPECT_BROKEN);
}

static void test_too_much(void **state)
{
	(void)state;
	expect("too many pixels", files_jpeg(1200, 900, 0), INSPECT_TOO_MANY_PIXELS);
	expect("too many pixels in a PNG", files_png(1200, 900, FILES_GRAY),
	       INSPECT_TOO_MANY_PIXELS);
	expect("a JPEG that claims to be huge", files_jpeg_claims(64, 64, 65000, 65000),
	       INSPECT_TOO_MANY_PIXELS);
	expect("a PNG that claims to be huge", files_png_claims(60000, 60000),
	       INSPECT_TOO_MANY_PIXELS);
	expect("too many pages", files_pdf(6, "", NULL), INSPECT_TOO_MANY_PAGES);
	expect("a huge picture in a PDF",
	       files_pdf_stream("/Subtype /Image /Width 60000 /Height 60000", "x", 1),
	       INSPECT_TOO_MANY_PIXELS);
	expect("a bomb in a PDF", files_pdf_bomb(300), INSPECT_BOMB);
}

static void test_what_acts(void **state)
{
	static const char *const actions[] = {
		"<</S /JavaScript /JS (app.alert(1))>>",
		"<</S /J#61vaScript /J#53 (app.alert(1))>>",
		"<</S /Launch /F (cmd.exe)>>",
		"<</S /GoToE /T <<>>>>",
		"<</S /GoToR /F (other.pdf)>>",
		"<</S /SubmitForm /F (https://example.org)>>",
		"<</S /ImportData /F (x.fdf)>>",
		"<</S /Rendition>>",
		"<</S /Movie>>",
		"<</S /Sound>>",
		"<</Type /Filespec /F (x.exe)>>",
		"<</EF <</F 3 0 R>>>>",
		"<</Subtype /FileAttachment>>",
		"<</Subtype /RichMedia>>",
		"[[[<</Next <</S /JavaScript /JS (x)>>>>]]]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
		expect(actions[i], files_pdf(1, "", actions[i]), INSPECT_ACTIVE);
	expect("opened at once", files_pdf(1, "/OpenAction <</S /JavaScript /JS (x)>>", NULL),
	       INSPECT_ACTIVE);
	expect("a name's script", files_pdf(1, "/Names <</JavaScript <</Names []>>>>", NULL),
	       INSPECT_ACTIVE);
	expect("files within", files_pdf(1, "/Names <</EmbeddedFiles <</Names []>>>>", NULL),
	       INSPECT_ACTIVE);
	expect("a form with its own language", files_pdf(1, "/AcroForm <</XFA (x)>>", NULL),
	       INSPECT_ACTIVE);
	expect("data from elsewhere", files_pdf_stream("/F (/etc/passwd)", "x", 1), INSPECT_ACTIVE);
}

static struct blob zip_behind(struct blob front)
{
	static const char zip[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

	return blob_append(front, zip, sizeof(zip));
}

static void test_two_in_one(void **state)
{
	struct blob in_comment;

	(void)state;
	expect("JPEG and ZIP", zip_behind(files_jpeg(50, 50, 0)), INSPECT_POLYGLOT);
	expect("PNG and ZIP", zip_behind(files_png(50, 50, 0)), INSPECT_POLYGLOT);
	expect("PDF and ZIP", zip_behind(files_pdf(1, "", NULL)), INSPECT_POLYGLOT);
	expect("JPEG and JPEG", blob_join(files_jpeg(50, 50, 0), files_jpeg(9, 9, 0)),
	       INSPECT_POLYGLOT);
	expect("JPEG and PDF", blob_join(files_jpeg(50, 50, 0), files_pdf(1, "", NULL)),
	       INSPECT_POLYGLOT);
	expect("PNG and page", blob_append(files_png(9, 9, 0), "<script>", 8), INSPECT_POLYGLOT);
	expect("PDF and page", blob_append(files_pdf(1, "", NULL), "<html>", 6), INSPECT_POLYGLOT);
	expect("PDF and zeros", blob_append(files_pdf(1, "", NULL), "\0\0\0\0", 4),
	       INSPECT_POLYGLOT);
	in_comment = files_pdf_stream("", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
	expect("PDF around ZIP", in_comment, INSPECT_POLYGLOT);
}

static void test_encrypted_pdf(void **state)
{
	(void)state;
	expect("encrypted, opens without a password", files_pdf_encrypted(""), INSPECT_ENCRYPTED);
	expect("encrypted with a password", files_pdf_encrypted("x"), INSPECT_ENCRYPTED);
}

/* Whatever is done to a sound file: no fault, and what passes is a file that passes again. */
static void test_mutations(void **state)
{
	struct blob (*const make[])(uint32_t seed) = {files_mutated_jpeg, files_mutated_png,
						      files_mutated_pdf};

	(void)state;
	for (uint32_t seed = 1; seed <= 600; seed++) {
		struct blob blob = make[seed % ARRAY_COUNT(make)](seed);
		uint32_t verdict = here(&blob).verdict;

		assert_true(verdict < INSPECT_DIED);
		if (seed <= 30)
			assert_int_equal(by_program(&blob, NULL).verdict, verdict);
		blob_done(&blob);
	}
}

/* ---- a program that is not as it should be ---- */

static struct inspect_record by_script(const char *script, int64_t patience_ms)
{
	char path[] = "/tmp/inspect.XXXXXX";
	struct inspector inspector = {
		.program = path, .limits = limits, .patience_ms = patience_ms};
	struct blob blob = files_pdf(1, "", NULL);
	struct inspect_record record = {0};
	int file = file_of(&blob), picture, fd = mkstemp(path);

	assert_true(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(inspector_judge(&inspector, file, &record, &picture, NULL), PA_OK);
	assert_int_equal(picture, -1);
	unlink(path);
	close(file);
	blob_done(&blob);
	return record;
}

static void test_a_program_that_lies_or_dies(void **state)
{
	static const char *const scripts[] = {
		"exit 1",
		"kill -SEGV $$",
		"true",
		"echo short",
		"head -c 40 /dev/zero",
		"head -c 100000 /dev/zero",
		/* sound, of kind PDF, but with a picture */
		"printf "
		"'diap\\0\\0\\0\\0\\3\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\4\\0\\0\\0\\0\\"
		"0\\0\\0abcd'",
		/* sound, of a kind that doesn't exist */
		"printf "
		"'diap\\0\\0\\0\\0\\11\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"
		"\\0\\0\\0'",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(scripts); i++)
		assert_int_equal(by_script(scripts[i], 0).verdict, INSPECT_DIED);
	assert_int_equal(by_script("exec sleep 100", 100).verdict, INSPECT_DIED);
	assert_int_equal(
		by_script("printf 'diap\\0\\0\\0\\0\\3\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0"
			  "\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'",
			  0)
			.verdict,
		INSPECT_SOUND);
}

/* Where the kernel or the unit refuses the sandbox, that is no verdict on the file. */
static void test_a_program_that_cannot_shut_itself_in(void **state)
{
	char path[] = "/tmp/inspect.XXXXXX";
	const struct inspector inspector = {.program = path, .limits = limits};
	struct inspect_record record;
	int file = memfd_create("test", MFD_CLOEXEC), picture, fd = mkstemp(path);

	(void)state;
	assert_true(dprintf(fd, "#!/bin/sh\nexit %d\n", INSPECT_EXIT_UNREADY) > 0);
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(inspector_judge(&inspector, file, &record, &picture, NULL), PA_RETRY);
	unlink(path);
	close(file);
}

static void test_a_program_that_is_not_there(void **state)
{
	const struct inspector inspector = {.program = "/nonexistent/inspect", .limits = limits};
	struct blob blob = files_pdf(1, "", NULL);
	struct inspect_record record;
	int file = file_of(&blob), picture;

	(void)state;
	assert_int_equal(inspector_judge(&inspector, file, &record, &picture, NULL), PA_RETRY);
	close(file);
	blob_done(&blob);
}

/* ---- the sandbox ---- */

static void try_open(void)
{
	IGNORE_STATUS(open("/etc/hostname", O_RDONLY), "tried");
}

static void try_socket(void)
{
	IGNORE_STATUS(socket(AF_INET, SOCK_STREAM, 0), "tried");
}

static void try_fork(void)
{
	IGNORE_STATUS(fork(), "tried");
}

static void try_exec(void)
{
	char *const nothing[] = {NULL};

	execve("/bin/true", nothing, nothing);
}

static void try_read(void)
{
	char byte;

	IGNORE_STATUS(read(STDIN_FILENO, &byte, 1) != 1, "tried");
}

static void try_error_output(void)
{
	IGNORE_STATUS(write(STDERR_FILENO, "x", 1) != 1, "tried");
}

static void try_code(void)
{
	IGNORE_STATUS(mmap(NULL, 4096, PROT_EXEC | PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			      NULL,
		      "tried");
}

static void try_map_file(void)
{
	IGNORE_STATUS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0) == NULL, "tried");
}

static void try_kill(void)
{
	IGNORE_STATUS(kill(getppid(), 0), "tried");
}

static void try_nothing(void)
{
}

static int sandboxed(void (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!sandbox_begin() || !sandbox_enter())
			_exit(2);
		attempt();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_sandbox(void **state)
{
	void (*const attempts[])(void) = {try_open, try_socket,   try_fork,
					  try_exec, try_read,     try_error_output,
					  try_code, try_map_file, try_kill};

	(void)state;
	assert_int_equal(sandboxed(try_nothing), 0);
	if (sandbox_is_partial())
		skip();
	for (size_t i = 0; i < ARRAY_COUNT(attempts); i++) {
		int status = sandboxed(attempts[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("attempt %zu ended with %x", i, (unsigned)status);
	}
}

static void test_there_were_enough(void **state)
{
	(void)state;
	assert_true(hostile >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_files_pass),
		cmocka_unit_test(test_pictures_stand_upright),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_broken_files),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_what_acts),
		cmocka_unit_test(test_two_in_one),
		cmocka_unit_test(test_encrypted_pdf),
		cmocka_unit_test(test_there_were_enough),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_a_program_that_lies_or_dies),
		cmocka_unit_test(test_a_program_that_cannot_shut_itself_in),
		cmocka_unit_test(test_a_program_that_is_not_there),
		cmocka_unit_test(test_sandbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
