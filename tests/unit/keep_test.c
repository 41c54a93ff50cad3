/*
 * The small files a node lives on: what was written is read again, any damage is
 * seen, a file is whole or as it was, and secrets are nobody else's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/keep.h"
#include "tests/unit/own_dir.h"
#include "tests/unit/suites.h"

static void what_is_encoded_is_decoded(void)
{
	uint8_t data[300], *out;
	size_t len;

	for (size_t n = 0; n <= sizeof(data); n++) {
		char *text;

		memset(data, (int)n, sizeof(data));
		text = keep_encode("thing", (struct bytes){ data, n });
		CU_ASSERT_PTR_NULL_FATAL(keep_decode("thing", text, strlen(text), &out, &len));
		CU_ASSERT(len == n && !memcmp(out, data, n));
		free(out);
		free(text);
	}
}

static void it_is_text_of_short_lines(void)
{
	uint8_t data[200] = { 1 };
	char *text = keep_encode("thing", (struct bytes){ data, sizeof(data) });
	size_t in_line = 0;

	CU_ASSERT(!strncmp(text, "weft thing 1\n", 13));
	for (const char *c = text; *c; c++) {
		in_line = *c == '\n' ? 0 : in_line + 1;
		CU_ASSERT(in_line <= 64 && (*c == '\n' || (*c >= ' ' && *c <= '~')));
	}
	CU_ASSERT_EQUAL(in_line, 0);
	free(text);
}

static void every_changed_byte_is_seen(void)
{
	uint8_t data[100] = { 9, 8, 7 }, *out;
	char *text = keep_encode("thing", (struct bytes){ data, sizeof(data) });
	size_t all = strlen(text), len;

	for (size_t i = 0; i < all; i++) {
		char was = text[i];

		text[i] ^= 1;
		CU_ASSERT_PTR_NOT_NULL(keep_decode("thing", text, all, &out, &len));
		text[i] = was;
	}
	free(text);
}

static void every_cut_and_every_addition_is_seen(void)
{
	uint8_t data[100] = { 9, 8, 7 }, *out;
	char *text = keep_encode("thing", (struct bytes){ data, sizeof(data) });
	size_t all = strlen(text), len;

	for (size_t i = 0; i < all; i++)
		CU_ASSERT_PTR_NOT_NULL(keep_decode("thing", text, i, &out, &len));
	text = realloc(text, all + 2);
	strcpy(text + all, "\n");
	CU_ASSERT_PTR_NOT_NULL(keep_decode("thing", text, all + 1, &out, &len));
	free(text);
}

static void another_kind_and_another_version_are_said(void)
{
	uint8_t data[4] = { 1 }, *out;
	size_t len;
	char *text = keep_encode("card", (struct bytes){ data, sizeof(data) });

	CU_ASSERT_STRING_EQUAL(keep_decode("key", text, strlen(text), &out, &len), "of another kind");
	text[10] = '2';
	CU_ASSERT_STRING_EQUAL(keep_decode("card", text, strlen(text), &out, &len),
			       "of a version this program does not know");
	CU_ASSERT_STRING_EQUAL(keep_decode("card", "hello", 5, &out, &len), "not a file of weft's");
	CU_ASSERT_STRING_EQUAL(keep_decode("card", "", 0, &out, &len), "not a file of weft's");
	free(text);
}

static void a_file_comes_back(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "key");
	struct fail f = { 0 };
	uint8_t data[32] = { 42 }, *out;
	struct stat st;
	size_t len;

	CU_ASSERT_EQUAL(keep_read(path, "key", true, &out, &len, &f), KEEP_ABSENT);
	CU_ASSERT_FALSE(failed(&f));
	CU_ASSERT_TRUE_FATAL(keep_write(path, 0600, "key", (struct bytes){ data, 32 }, &f));
	CU_ASSERT(!stat(path, &st) && (st.st_mode & 07777) == 0600);
	CU_ASSERT_EQUAL_FATAL(keep_read(path, "key", true, &out, &len, &f), KEEP_GOOD);
	CU_ASSERT(len == 32 && !memcmp(out, data, 32));
	CU_ASSERT_EQUAL(own_dir_entries(dir), 1);
	free(out);
	free(path);
	own_dir_remove(dir);
}

static void a_mode_does_not_depend_on_umask(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "overlay");
	struct fail f = { 0 };
	mode_t old = umask(0777);
	struct stat st;

	CU_ASSERT_TRUE(keep_write(path, 0644, "overlay", (struct bytes){ (const uint8_t *)"x", 1 }, &f));
	umask(old);
	CU_ASSERT(!stat(path, &st) && (st.st_mode & 07777) == 0644);
	free(path);
	own_dir_remove(dir);
}

static void a_secret_that_others_may_read_is_refused(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "key");
	struct fail f = { 0 };
	uint8_t *out;
	size_t len;

	keep_write(path, 0640, "key", (struct bytes){ (const uint8_t *)"x", 1 }, &f);
	CU_ASSERT_EQUAL(keep_read(path, "key", true, &out, &len, &f), KEEP_BAD);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "chmod 600") && strstr(f.text[0], path));
	fail_done(&f);
	CU_ASSERT_EQUAL(keep_read(path, "key", false, &out, &len, &f), KEEP_GOOD);
	free(out);
	free(path);
	own_dir_remove(dir);
}

static void a_file_that_cannot_be_written_stays_as_it_was(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "peers");
	void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
	struct rlimit before, small;
	struct fail f = { 0 };
	uint8_t big[4096] = { 1 }, *out;
	size_t len;
	bool wrote;

	CU_ASSERT_TRUE_FATAL(keep_write(path, 0600, "peers", (struct bytes){ (const uint8_t *)"old", 3 }, &f));
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &small);
	wrote = keep_write(path, 0600, "peers", (struct bytes){ big, sizeof(big) }, &f);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, old);
	CU_ASSERT_FALSE(wrote);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], path));
	CU_ASSERT_EQUAL(own_dir_entries(dir), 1);
	fail_done(&f);
	CU_ASSERT_EQUAL_FATAL(keep_read(path, "peers", false, &out, &len, &f), KEEP_GOOD);
	CU_ASSERT(len == 3 && !memcmp(out, "old", 3));
	free(out);
	free(path);
	own_dir_remove(dir);
}

static void a_folder_in_place_of_a_file_is_said(void)
{
	char *dir = own_dir();
	struct fail f = { 0 };
	uint8_t *out;
	size_t len;

	CU_ASSERT_EQUAL(keep_read(dir, "key", false, &out, &len, &f), KEEP_BAD);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "Is a directory"));
	fail_done(&f);
	own_dir_remove(dir);
}

static void a_file_of_any_size_is_read_or_refused(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "weft.conf");
	struct fail f = { 0 };
	size_t sizes[] = { 0, 1, 4095, 4096, 4097, KEEP_MAX - 1, KEEP_MAX, KEEP_MAX + 1, 3 * KEEP_MAX };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = malloc(sizes[i] + 1), *back;
		size_t len;

		memset(text, 'x', sizes[i]);
		text[sizes[i]] = 0;
		CU_ASSERT_TRUE(keep_text_write(path, 0600, text, &f));
		if (sizes[i] < KEEP_MAX) {
			CU_ASSERT_EQUAL_FATAL(keep_text_read(path, &back, &len, &f), KEEP_GOOD);
			CU_ASSERT(len == sizes[i] && !strcmp(back, text));
			free(back);
		} else {
			CU_ASSERT_EQUAL(keep_text_read(path, &back, &len, &f), KEEP_BAD);
			fail_done(&f);
		}
		free(text);
	}
	free(path);
	own_dir_remove(dir);
}

static void a_lock_is_held_once(void)
{
	char *dir = own_dir(), *path = keep_path(dir, "lock");
	struct fail f = { 0 };
	int first = keep_lock(path, &f), second;

	CU_ASSERT_TRUE_FATAL(first >= 0);
	second = keep_lock(path, &f);
	CU_ASSERT_EQUAL(second, -1);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "held by another process"));
	fail_done(&f);
	close(first);
	second = keep_lock(path, &f);
	CU_ASSERT_TRUE(second >= 0);
	close(second);
	free(path);
	own_dir_remove(dir);
}

CU_TestInfo keep_tests[] = {
	{ "what is encoded is decoded, at every length", what_is_encoded_is_decoded },
	{ "it is text of short lines", it_is_text_of_short_lines },
	{ "every changed byte is seen", every_changed_byte_is_seen },
	{ "every cut and every addition is seen", every_cut_and_every_addition_is_seen },
	{ "another kind and another version are said", another_kind_and_another_version_are_said },
	{ "a file comes back", a_file_comes_back },
	{ "a mode does not depend on umask", a_mode_does_not_depend_on_umask },
	{ "a secret that others may read is refused", a_secret_that_others_may_read_is_refused },
	{ "a file that cannot be written stays as it was", a_file_that_cannot_be_written_stays_as_it_was },
	{ "a folder in place of a file is said", a_folder_in_place_of_a_file_is_said },
	{ "a file of any size is read or refused", a_file_of_any_size_is_read_or_refused },
	{ "a lock is held once", a_lock_is_held_once },
	CU_TEST_INFO_NULL
};
