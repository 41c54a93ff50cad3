#include "node/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "node/keep.h"

#define KEY_FILE	"key"
#define CARD_FILE	"card"
#define RUN_FILE	"run"
#define SAVED_FILE	"saved"
#define LOCK_FILE	"lock"

enum { RUN_BYTES = 8 + 1 + 2 + 2 + HOME_BOOT };

/* Read one file of the directory; KEEP_ABSENT becomes a message with @hint unless @hint is NULL. */
static enum keep take(const struct home *h, const char *name, bool secret, uint8_t **data, size_t *len,
		      const char *hint, struct fail *f)
{
	char *path = keep_path(h->path, name);
	enum keep how = keep_read(path, name, secret, data, len, f);

	if (how == KEEP_ABSENT && hint) {
		fail_add(f, "there is no %s", path);
		fail_hint(f, "%s", hint);
	}
	free(path);
	return how;
}

static bool wrong_size(const struct home *h, const char *name, struct fail *f)
{
	fail_add(f, "cannot use %s/%s: not of the right size", h->path, name);
	return false;
}

static bool read_key(struct home *h, struct fail *f)
{
	uint8_t *data;
	size_t len;
	bool right;

	if (take(h, KEY_FILE, true, &data, &len, "`weftctl net add` makes a node's directory, `weftctl key` its key alone",
		 f) != KEEP_GOOD)
		return false;
	right = len == KEY_BYTES;
	if (right)
		memcpy(h->seed, data, KEY_BYTES);
	sodium_memzero(data, len);
	free(data);
	return right || wrong_size(h, KEY_FILE, f);
}

static bool read_card(struct home *h, struct fail *f)
{
	struct reader r;
	struct cert leaf;
	uint8_t *data;
	size_t len;
	bool right;

	if (take(h, CARD_FILE, false, &data, &len,
		 "the overlay's signer makes it from the node's public key: `weftctl net admit`", f) != KEEP_GOOD)
		return false;
	right = len > KEY_BYTES && len <= KEY_BYTES + HOME_CHAIN;
	if (right) {
		memcpy(h->overlay, data, KEY_BYTES);
		h->chain_len = (uint16_t)(len - KEY_BYTES);
		memcpy(h->chain, data + KEY_BYTES, h->chain_len);
		r = reader_of(h->chain, h->chain_len);
		h->not_before = cert_decode(&r, &leaf) == FAULT_NONE ? leaf.not_before : 0;
	}
	free(data);
	return right || wrong_size(h, CARD_FILE, f);
}

static void read_boot(char boot[HOME_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, boot, HOME_BOOT - 1);

	if (fd >= 0)
		close(fd);
	boot[n > 0 ? n : 0] = 0;
}

/* incarnation 8 | clean 1 | ports 2, 2 | boot id, zero-filled */
static void read_run(struct home *h, struct fail *warn)
{
	struct reader r;
	char boot[HOME_BOOT];
	uint8_t *data;
	bool clean;
	size_t len;

	if (take(h, RUN_FILE, false, &data, &len, NULL, warn) != KEEP_GOOD)
		return;
	r = reader_of(data, len);
	h->incarnation = read_u64(&r);
	clean = read_u8(&r) == 1;
	h->port4 = read_u16(&r);
	h->port6 = read_u16(&r);
	read_copy(&r, boot, sizeof(boot));
	if (!reader_done(&r)) {
		h->incarnation = h->port4 = h->port6 = 0;
		wrong_size(h, RUN_FILE, warn);
	} else if (clean) {
		h->last = RUN_CLEAN;
	} else if (*h->boot && !memcmp(boot, h->boot, sizeof(boot))) {
		h->last = RUN_SAME_BOOT;
	}
	free(data);
}

static bool write_run(const struct home *h, bool clean, struct fail *f)
{
	char *path = keep_path(h->path, RUN_FILE);
	uint8_t buf[RUN_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	bool ok;

	write_u64(&w, h->incarnation);
	write_u8(&w, clean);
	write_u16(&w, h->port4);
	write_u16(&w, h->port6);
	write_copy(&w, h->boot, sizeof(h->boot));
	ok = keep_write(path, 0600, RUN_FILE, (struct bytes){ buf, writer_len(&w) }, f);
	free(path);
	return ok;
}

static bool private_dir(const char *path, struct fail *f)
{
	struct stat st;

	if (stat(path, &st)) {
		fail_add(f, "cannot use the state directory %s: %s", path, strerror(errno));
		if (errno == ENOENT)
			fail_hint(f, "`weftctl net add` makes one; [node] state says where it is");
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		fail_add(f, "%s is no directory; [node] state names the node's private directory", path);
		return false;
	}
	if (st.st_mode & 077) {
		fail_add(f, "other users may enter %s (mode %04o)", path, st.st_mode & 07777u);
		fail_hint(f, "chmod 700 %s", path);
		return false;
	}
	return true;
}

bool home_open(struct home *h, const char *path, struct fail *f, struct fail *warn)
{
	char *lock, *saved;

	*h = (struct home){ .path = strdup(path), .lock = -1 };
	if (!private_dir(path, f))
		return false;
	lock = keep_path(path, LOCK_FILE);
	h->lock = keep_lock(lock, f);
	free(lock);
	if (h->lock < 0 || !read_key(h, f) || !read_card(h, f))
		return false;
	read_boot(h->boot);
	read_run(h, warn);
	saved = keep_path(path, SAVED_FILE);
	saves_open(&h->saves, saved, warn);
	free(saved);
	return true;
}

bool home_begin(struct home *h, uint16_t port4, uint16_t port6, uint64_t utc, struct fail *f)
{
	h->incarnation = h->incarnation ? h->incarnation + 1 : utc ? utc : 1;
	h->port4 = port4;
	h->port6 = port6;
	return write_run(h, false, f);
}

bool home_end(struct home *h, struct fail *f)
{
	int err = saves_finish(&h->saves);

	if (err)
		fail_errno(f, "write", SAVED_FILE, err);
	return !err && write_run(h, true, f);
}

void home_close(struct home *h)
{
	if (h->lock >= 0)
		close(h->lock);
	saves_close(&h->saves);
	free(h->path);
	sodium_memzero(h, sizeof(*h));
	h->lock = -1;
}

/* ---- making one ----------------------------------------------------------------------- */

bool home_make(const char *path, const uint8_t seed[KEY_BYTES], struct fail *f)
{
	char *key;
	bool ok = false;

	if (!keep_dir(path, false, f) || !private_dir(path, f))
		return false;
	key = keep_path(path, KEY_FILE);
	if (!access(key, F_OK)) {
		fail_add(f, "%s is there already", key);
		fail_hint(f, "a new key is a new node; remove the old one if you mean it");
	} else {
		ok = keep_write(key, 0600, KEY_FILE, (struct bytes){ seed, KEY_BYTES }, f);
	}
	free(key);
	return ok;
}

bool home_seed(const char *path, uint8_t seed[KEY_BYTES], struct fail *f)
{
	struct home h = { .path = (char *)path };
	bool ok = read_key(&h, f);

	if (ok)
		memcpy(seed, h.seed, KEY_BYTES);
	sodium_memzero(h.seed, sizeof(h.seed));
	return ok;
}

struct bytes card_encode(uint8_t buf[KEY_BYTES + HOME_CHAIN], const uint8_t overlay[KEY_BYTES], struct bytes chain)
{
	memcpy(buf, overlay, KEY_BYTES);
	memcpy(buf + KEY_BYTES, chain.at, chain.len);
	return (struct bytes){ buf, KEY_BYTES + chain.len };
}

bool card_write(const char *file, const uint8_t overlay[KEY_BYTES], struct bytes chain, struct fail *f)
{
	uint8_t buf[KEY_BYTES + HOME_CHAIN];

	return keep_write(file, 0600, CARD_FILE, card_encode(buf, overlay, chain), f);
}
