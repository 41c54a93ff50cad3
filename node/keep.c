#include "node/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

enum { CHECK_BYTES = 16, CHECK_LINE = 2 + 16 + 1, LINE = 64, BASE64 = sodium_base64_VARIANT_ORIGINAL };
_Static_assert(crypto_generichash_blake2b_BYTES_MIN == CHECK_BYTES, "the shortest hash there is; half of it is printed");

/* ---- the format ----------------------------------------------------------------------- */

static void check_of(char out[CHECK_LINE + 1], const char *text, size_t len)
{
	uint8_t hash[CHECK_BYTES];
	char digits[2 * 8 + 1];

	crypto_generichash_blake2b(hash, sizeof(hash), (const uint8_t *)text, len, NULL, 0);
	sodium_bin2hex(digits, sizeof(digits), hash, 8);
	snprintf(out, CHECK_LINE + 1, "= %s\n", digits);
}

char *keep_encode(const char *kind, struct bytes data)
{
	size_t base = sodium_base64_encoded_len(data.len, BASE64);
	size_t room = strlen(kind) + 32 + base + base / LINE + 2 + CHECK_LINE + 1, at;
	char *text = malloc(room), *body = malloc(base);

	if (!text || !body)
		abort();
	sodium_bin2base64(body, base, data.at, data.len, BASE64);
	at = (size_t)snprintf(text, room, "weft %s %d\n", kind, KEEP_VERSION);
	for (size_t i = 0, left = strlen(body); left; ) {
		size_t n = left < LINE ? left : LINE;

		at += (size_t)snprintf(text + at, room - at, "%.*s\n", (int)n, body + i);
		i += n;
		left -= n;
	}
	check_of(text + at, text, at);
	sodium_memzero(body, base);
	free(body);
	return text;
}

const char *keep_decode(const char *kind, const char *text, size_t len, uint8_t **data, size_t *data_len)
{
	char first[64], check[CHECK_LINE + 1];
	size_t head, body;
	uint8_t *out;

	if (len >= KEEP_MAX)
		return "far too long";
	head = (size_t)snprintf(first, sizeof(first), "weft %s ", kind);
	if (len < head || memcmp(text, first, head))
		return len < 5 || memcmp(text, "weft ", 5) ? "not a file of weft's" : "of another kind";
	head = (size_t)snprintf(first, sizeof(first), "weft %s %d\n", kind, KEEP_VERSION);
	if (len < head || memcmp(text, first, head))
		return "of a version this program does not know";
	if (len < head + CHECK_LINE)
		return "cut short";
	body = len - CHECK_LINE;
	check_of(check, text, body);
	if (memcmp(text + body, check, CHECK_LINE))
		return "damaged: it does not have the sum it had when it was written";
	out = malloc(len);
	if (!out)
		abort();
	if (sodium_base642bin(out, len, text + head, body - head, "\n", data_len, NULL, BASE64)) {
		free(out);
		return "damaged: not base64";
	}
	*data = out;
	return NULL;
}

/* ---- files ---------------------------------------------------------------------------- */

static void say_errno(struct fail *f, const char *verb, const char *path, int err)
{
	fail_add(f, "cannot %s %s: %s", verb, path, strerror(err));
	if (err == ENOSPC || err == EDQUOT)
		fail_hint(f, "free some space there; nothing was changed");
	else if (err == EACCES || err == EPERM)
		fail_hint(f, "it needs permission there; is this the right user?");
}

char *keep_path(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

/* The rename is durable once the folder is. Some file systems cannot sync one: then it is. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int keep_file(const char *path, mode_t mode, const void *data, size_t len)
{
	char *part;
	int fd, err;

	if (asprintf(&part, "%s.part", path) < 0)
		abort();
	unlink(part);			/* of a run that was killed here; the lock keeps others away */
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	err = fd < 0 ? errno : 0;
	if (!err) {
		err = write_all(fd, data, len);
		if (!err && (fchmod(fd, mode) || (fsync(fd) && errno != EINVAL)))
			err = errno;
		if (close(fd) && !err)
			err = errno;
		if (!err && rename(part, path))
			err = errno;
		if (err)
			unlink(part);
		else
			sync_folder(path);
	}
	free(part);
	return err;
}

static bool write_file(const char *path, mode_t mode, const char *text, size_t len, struct fail *f)
{
	int err = keep_file(path, mode, text, len);

	if (err)
		say_errno(f, "write", path, err);
	return !err;
}

static bool others_may(const struct stat *st)
{
	return (st->st_mode & 077) || (st->st_uid != geteuid() && geteuid());
}

static char *room_for(char *old, size_t bytes)
{
	char *new = realloc(old, bytes);

	if (!new)
		abort();
	return new;
}

static enum keep read_file(const char *path, bool secret, char **text, size_t *len, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = fd < 0 ? errno : 0;
	size_t used = 0, room = 4096;
	struct stat st;
	char *out;

	if (err == ENOENT)
		return KEEP_ABSENT;
	if (!err && fstat(fd, &st))
		err = errno;
	if (!err && S_ISDIR(st.st_mode))
		err = EISDIR;
	if (!err)
		fcntl(fd, F_SETFL, 0);		/* opening must not wait for a pipe's writer, reading may */
	if (!err && secret && others_may(&st)) {
		fail_add(f, "%s is a secret that other users may touch (mode %04o, user %u)", path,
			 st.st_mode & 07777u, st.st_uid);
		fail_hint(f, "chmod 600 %s; if others may have read it, make a new one", path);
		close(fd);
		return KEEP_BAD;
	}
	out = room_for(NULL, room + 1);
	while (!err && used < KEEP_MAX) {
		ssize_t n = read(fd, out + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = errno;
		if (n <= 0)
			break;
		used += (size_t)n;
		if (used == room && room < KEEP_MAX)
			out = room_for(out, (room *= 2) + 1);
	}
	if (fd >= 0)
		close(fd);
	if (err) {
		free(out);
		say_errno(f, "read", path, err);
		return KEEP_BAD;
	}
	out[used] = 0;
	*text = out;
	*len = used;
	return KEEP_GOOD;
}

bool keep_write(const char *path, mode_t mode, const char *kind, struct bytes data, struct fail *f)
{
	char *text = keep_encode(kind, data);
	size_t len = strlen(text);
	bool ok = write_file(path, mode, text, len, f);

	sodium_memzero(text, len);
	free(text);
	return ok;
}

enum keep keep_read(const char *path, const char *kind, bool secret, uint8_t **data, size_t *len, struct fail *f)
{
	size_t text_len;
	char *text;
	const char *wrong;
	enum keep how = read_file(path, secret, &text, &text_len, f);

	if (how != KEEP_GOOD)
		return how;
	wrong = keep_decode(kind, text, text_len, data, len);
	sodium_memzero(text, text_len);
	free(text);
	if (!wrong)
		return KEEP_GOOD;
	fail_add(f, "cannot use %s: %s", path, wrong);
	return KEEP_BAD;
}

bool keep_text_write(const char *path, mode_t mode, const char *text, struct fail *f)
{
	return write_file(path, mode, text, strlen(text), f);
}

enum keep keep_text_read(const char *path, char **text, size_t *len, struct fail *f)
{
	enum keep how = read_file(path, false, text, len, f);

	if (how == KEEP_GOOD && *len == KEEP_MAX) {
		fail_add(f, "cannot use %s: larger than %d bytes", path, KEEP_MAX);
		free(*text);
		return KEEP_BAD;
	}
	return how;
}

bool keep_dir(const char *path, bool fresh, struct fail *f)
{
	if (!mkdir(path, 0700) && !chmod(path, 0700))
		return true;
	if (errno == EEXIST && !fresh)
		return true;
	if (errno == EEXIST)
		fail_add(f, "%s is there already; choose another folder or remove it", path);
	else
		say_errno(f, "make the folder", path, errno);
	return false;
}

int keep_lock(const char *path, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char pid[16] = "";
	ssize_t n;

	if (fd < 0) {
		say_errno(f, "lock", path, errno);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int err = errno;

		n = err == EWOULDBLOCK ? read(fd, pid, sizeof(pid) - 1) : 0;
		pid[n > 0 ? strspn(pid, "0123456789") : 0] = 0;
		if (err == EWOULDBLOCK)
			fail_add(f, "%s is held by another process%s%s: one at a time", path, *pid ? ", " : "", pid);
		else
			say_errno(f, "lock", path, err);
		close(fd);
		return -1;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || write(fd, pid, (size_t)n) != n)
		(void)!ftruncate(fd, 0);	/* a full disk: the pid is a courtesy, the lock holds */
	return fd;
}
