/* own_dir.h - a private folder for one test, removed with what is in it */
#ifndef OWN_DIR_H
#define OWN_DIR_H

#include <sys/stat.h>

#include <CUnit/CUnit.h>
#include <glib.h>
#include <glib/gstdio.h>

static inline char *own_dir(void)
{
	char *dir = g_dir_make_tmp("weft-test-XXXXXX", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	return dir;
}

static inline unsigned own_dir_entries(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	unsigned n = 0;

	while (d && g_dir_read_name(d))
		n++;
	if (d)
		g_dir_close(d);
	return n;
}

/** own_dir_empty() - Remove all that is in @dir, folders in it too, and @dir */
static inline void own_dir_empty(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *path = g_build_filename(dir, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			own_dir_empty(path);
		else
			g_remove(path);
		g_free(path);
	}
	if (d)
		g_dir_close(d);
	g_rmdir(dir);
}

static inline void own_dir_remove(char *dir)
{
	own_dir_empty(dir);
	g_free(dir);
}

#endif /* OWN_DIR_H */
