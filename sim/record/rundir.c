/*
 * rundir.c - PATH.partial first, PATH at the very end
 *
 * The partial directory is locked (flock) while its run lives, so that a second run
 * with the same PATH can tell a neighbour from the leftovers of a crash. Replacing
 * swaps old and new in one step (RENAME_EXCHANGE) and then removes the old one.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "sim/record/manifest.h"
#include "sim/record/rundir.h"

struct rundir {
	char *path;
	char *partial;
	enum rundir_mode mode;
	int lock;			/* the partial directory, open and locked */
};

/* What a run, or weft-report on it, may have put into a directory. */
static const char *const folders[] = { "samples", "figures" };
static const char *const endings[] = {
	".json", ".jsonl", ".csv", ".txt", ".ini", ".pcap", ".svg", ".gp", ".html",
};

static bool is_folder(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (!strcmp(name, folders[i]))
			return true;
	return false;
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
		if (g_str_has_suffix(name, endings[i]))
			return true;
	return false;
}

/*
 * The first entry below @fd that no run makes, or NULL; g_free() it. With @remove
 * everything that a run makes goes (only called after a pass that found no other).
 */
static char *foreign(int fd, bool top, bool remove)
{
	DIR *dir = fdopendir(dup(fd));
	char *found = NULL;
	struct dirent *e;

	if (!dir)
		return NULL;
	rewinddir(dir);
	while (!found && (e = readdir(dir))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (top && S_ISDIR(st.st_mode) && is_folder(e->d_name)) {
			int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			char *inner = sub >= 0 ? foreign(sub, false, remove) : NULL;

			if (inner)
				found = g_strconcat(e->d_name, "/", inner, NULL);
			else if (remove)
				unlinkat(fd, e->d_name, AT_REMOVEDIR);
			g_free(inner);
			if (sub >= 0)
				close(sub);
		} else if (S_ISREG(st.st_mode) && is_ours(e->d_name)) {
			if (remove)
				unlinkat(fd, e->d_name, 0);
		} else {
			found = g_strdup(e->d_name);
		}
	}
	closedir(dir);
	return found;
}

/* Remove the run directory @path: files a run makes, then the directory if that was all. */
static void remove_run(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	g_free(foreign(fd, true, true));
	close(fd);
	rmdir(path);
}

/* May what is at PATH go when the new run is whole? */
static bool replaceable(const char *path, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	char *other;
	bool ok = true;

	if (fd < 0) {
		if (errno == ENOENT)
			return true;
		fail_errno(f, "replace", path, errno);
		return false;
	}
	other = foreign(fd, true, false);
	if (other) {
		fail_add(f, "cannot replace %s: it holds %s, which no run makes", path, other);
		fail_hint(f, "choose another directory with -o, or remove it");
		ok = false;
	} else if (fstatat(fd, "manifest.json", &st, 0) && fstatat(fd, "sweep.csv", &st, 0)) {
		/* an empty directory is fine, a heap of csv files is somebody's */
		DIR *dir = fdopendir(fd);
		int entries = 0;

		if (dir)
			rewinddir(dir);
		while (dir && readdir(dir))
			entries++;
		if (dir)
			closedir(dir);
		fd = -1;
		if (entries > 2) {
			fail_add(f, "cannot replace %s: it is no run directory (no manifest.json)",
				 path);
			fail_hint(f, "choose another directory with -o, or remove it");
			ok = false;
		}
	}
	g_free(other);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool vacant(const char *path, struct fail *f)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return true;
		fail_errno(f, "create", path, errno);
		return false;
	}
	fail_add(f, "cannot create %s: it exists", path);
	fail_hint(f, "choose another directory with -o, or remove it");
	return false;
}

/* Make PATH.partial and lock it; leftovers go in mode RUNDIR_REPLACE. */
static bool occupy(struct rundir *d, struct fail *f)
{
	bool left = false;

	if (mkdir(d->partial, 0777)) {
		if (errno != EEXIST) {
			fail_errno(f, "create", d->partial, errno);
			return false;
		}
		left = true;
	}
	d->lock = open(d->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d->lock < 0) {
		fail_errno(f, "open", d->partial, errno);
		return false;
	}
	if (flock(d->lock, LOCK_EX | LOCK_NB)) {
		fail_add(f, "cannot write %s: another run is writing %s", d->path, d->partial);
		return false;
	}
	if (left && d->mode == RUNDIR_NEW) {
		fail_add(f, "cannot create %s: %s was left by a run that did not end", d->path,
			 d->partial);
		fail_hint(f, "look at it or remove it, or choose another directory with -o");
		return false;
	}
	if (left) {
		char *other = foreign(d->lock, true, false);

		if (other) {
			fail_add(f, "cannot reuse %s: it holds %s, which no run makes",
				 d->partial, other);
			g_free(other);
			return false;
		}
		g_free(foreign(d->lock, true, true));
	}
	/* seen now, not after an hour of simulation */
	if (faccessat(d->lock, ".", W_OK | X_OK, AT_EACCESS)) {
		fail_errno(f, "write into", d->partial, errno);
		return false;
	}
	return true;
}

static void rundir_free(struct rundir *d)
{
	if (d->lock >= 0)
		close(d->lock);
	g_free(d->partial);
	g_free(d->path);
	g_free(d);
}

struct rundir *rundir_create(const char *path, enum rundir_mode mode, struct fail *f)
{
	struct rundir *d = g_new0(struct rundir, 1);
	size_t len = strlen(path);
	char *above;
	bool ok;

	while (len > 1 && path[len - 1] == '/')
		len--;
	d->path = g_strndup(path, len);
	d->partial = g_strconcat(d->path, ".partial", NULL);
	d->mode = mode;
	d->lock = -1;
	if (!len || !strcmp(d->path, "/") || !strcmp(d->path, ".") || !strcmp(d->path, "..")) {
		fail_add(f, "'%s' cannot be a run directory; accepted: the name of a new directory",
			 path);
		rundir_free(d);
		return NULL;
	}
	above = g_path_get_dirname(d->path);
	ok = mode == RUNDIR_REPLACE ? replaceable(d->path, f) : vacant(d->path, f);
	if (ok && g_mkdir_with_parents(above, 0777)) {
		fail_errno(f, "create", above, errno);
		ok = false;
	}
	g_free(above);
	if (!ok || !occupy(d, f)) {
		rundir_free(d);
		return NULL;
	}
	return d;
}

char *rundir_file(const struct rundir *d, const char *name)
{
	return g_build_filename(d->partial, name, NULL);
}

const char *rundir_path(const struct rundir *d)
{
	return d->path;
}

FILE *rundir_open(struct rundir *d, const char *name, struct fail *f)
{
	const char *slash = strchr(name, '/');
	char *path = rundir_file(d, name);
	FILE *file = NULL;

	assert(is_ours(name));
	if (slash) {
		char *folder = g_strndup(name, (size_t)(slash - name));

		assert(is_folder(folder));
		if (mkdirat(d->lock, folder, 0777) && errno != EEXIST) {
			fail_errno(f, "create", path, errno);
			g_free(folder);
			g_free(path);
			return NULL;
		}
		g_free(folder);
	}
	file = fopen(path, "wxe");
	if (!file)
		fail_errno(f, "create", path, errno);
	g_free(path);
	return file;
}

bool rundir_check(struct rundir *d, FILE *file, const char *name, struct fail *f)
{
	char *path;

	errno = 0;
	if (!fflush(file) && !ferror(file))
		return true;
	path = rundir_file(d, name);
	fail_errno(f, "write", path, errno ? errno : EIO);
	g_free(path);
	return false;
}

bool rundir_close(struct rundir *d, FILE *file, const char *name, struct fail *f)
{
	bool ok = rundir_check(d, file, name, f);
	int err = 0;

	if (ok && fsync(fileno(file)) && errno != EINVAL && errno != EROFS)
		err = errno;
	if (fclose(file) && ok && !err)
		err = errno;
	if (err) {
		char *path = rundir_file(d, name);

		fail_errno(f, "write", path, err);
		g_free(path);
	}
	return ok && !err;
}

/* PATH.partial becomes PATH; what was there, if it may go, goes. */
static bool settle(struct rundir *d, struct fail *f)
{
	char *above;
	int fd;

	if (renameat2(AT_FDCWD, d->partial, AT_FDCWD, d->path, RENAME_NOREPLACE)) {
		if (errno == EINVAL)		/* a file system without the flag */
			errno = rename(d->partial, d->path) ? errno : 0;
		else if (errno == EEXIST && d->mode == RUNDIR_REPLACE && replaceable(d->path, f) &&
			 !renameat2(AT_FDCWD, d->partial, AT_FDCWD, d->path, RENAME_EXCHANGE)) {
			remove_run(d->partial);
			errno = 0;
		}
		if (errno) {
			if (!failed(f))
				fail_errno(f, "create", d->path, errno);
			fail_hint(f, "the results are in %s", d->partial);
			return false;
		}
	}
	above = g_path_get_dirname(d->path);
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	g_free(above);
	return true;
}

bool rundir_finish(struct rundir *d, const struct manifest *m, const struct metrics *cost,
		   struct fail *f)
{
	FILE *file;
	bool ok = false;
	char *text = manifest_text(m, cost, f);

	if (text && (file = rundir_open(d, "manifest.json", f))) {
		fputs(text, file);
		ok = rundir_close(d, file, "manifest.json", f);
		if (ok)
			ok = settle(d, f);
		else
			unlinkat(d->lock, "manifest.json", 0);
	}
	g_free(text);
	rundir_free(d);
	return ok;
}

void rundir_abandon(struct rundir *d)
{
	if (!d)
		return;
	remove_run(d->partial);
	rundir_free(d);
}
