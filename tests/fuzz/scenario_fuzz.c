/* ON: node/prog */
/*
 * scenario_fuzz.c - any bytes as a scenario file, with overrides
 *
 * Input: lines "-s group.key=value" first, then the file. What the locator takes
 * GKeyFile must take too, with the same groups and keys. A file that is refused
 * has a message and leaves nothing behind; one that is taken is written, read
 * again, and then written the same.
 */
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "node/prog/locator.h"
#include "node/prog/scenario.h"

enum { SETS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool it_holds)
{
	if (!it_holds)
		__builtin_trap();
}

static void locator_and_gkeyfile_agree(const char *text, size_t len)
{
	struct fail f = { 0 };
	struct locator *l = locator_new("fuzz", text, len, &f);
	GKeyFile *k = g_key_file_new();
	const struct located *keys;
	unsigned count;
	gsize groups, in_all = 0;
	char **names;

	must((l != NULL) != failed(&f));
	if (l && len) {
		must(g_key_file_load_from_data(k, text, len, G_KEY_FILE_KEEP_TRANSLATIONS, NULL));
		keys = locator_keys(l, &count);
		for (unsigned i = 0; i < count; i++)
			must(g_key_file_has_key(k, keys[i].group, keys[i].key, NULL));
		names = g_key_file_get_groups(k, &groups);
		for (gsize i = 0; i < groups; i++) {
			gsize n;
			char **in = g_key_file_get_keys(k, names[i], &n, NULL);

			must(locator_group(l, names[i]) != 0);
			in_all += n;
			g_strfreev(in);
		}
		g_strfreev(names);
		must(in_all == count);
	}
	g_key_file_free(k);
	locator_free(l);
	fail_done(&f);
}

static void written_reads_back_the_same(const struct scenario *s)
{
	struct fail f = { 0 };
	char *first = scenario_write(s), *second;
	struct scenario *again = scenario_parse("again", first, strlen(first), "/", NULL, 0, &f);

	must(again != NULL);
	second = scenario_write(again);
	must(!strcmp(first, second));
	g_free(first);
	g_free(second);
	scenario_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *all = g_malloc(size + 1), *text = all, *line_end;
	const char *set[SETS_MAX];
	unsigned sets = 0;
	struct fail f = { 0 };
	struct scenario *s;
	size_t len;

	memcpy(all, data, size);
	all[size] = 0;
	while (sets < SETS_MAX && !strncmp(text, "-s ", 3) && (line_end = strchr(text, '\n'))) {
		*line_end = 0;
		set[sets++] = text + 3;
		text = line_end + 1;
	}
	len = size - (size_t)(text - all);
	locator_and_gkeyfile_agree(text, len);
	s = scenario_parse("fuzz.ini", text, len, "/data", set, sets, &f);
	must((s != NULL) != failed(&f));
	for (unsigned i = 0; i < f.count; i++)
		must(g_utf8_validate(f.text[i], -1, NULL) && *f.text[i]);
	if (s)
		written_reads_back_the_same(s);
	scenario_free(s);
	fail_done(&f);
	g_free(all);
	return 0;
}
