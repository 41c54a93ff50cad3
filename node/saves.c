#include "node/saves.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/saved.h"

#define FIRST_LINE "weft saved 2\n"

enum {
	LINE		= sizeof(FIRST_LINE) - 1,
	HEAD		= LINE + SAVES_SALT,
	GROWN		= 4,		/* so many times its worth, and it is made anew ... */
	SMALL		= 64 << 10,	/* ... but not below this */
	WAITING		= 1 << 20,	/* bytes that wait for a full disk before only the last of each is kept */
	FILE_MOST	= 256 << 20,
	TRIES		= 3,		/* at once: where a new file cannot be made, a batch may still be added */
};

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

/* ---- what is kept --------------------------------------------------------------------- */

static size_t place_of(const struct saves *s, uint8_t kind, uint64_t part)
{
	size_t low = 0, high = s->items;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct saves_item *it = &s->item[mid];

		if (it->kind < kind || (it->kind == kind && it->part < part))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void drop(struct saves *s, size_t at)
{
	struct saves_item *it = &s->item[at];

	s->live -= SAVED_HEADER + it->len;
	free(it->data);
	memmove(it, it + 1, (--s->items - at) * sizeof(*it));
}

static void keep(struct saves *s, const struct saved *one)
{
	size_t at = place_of(s, one->kind, one->part);
	struct saves_item *it = &s->item[at];

	if (at < s->items && it->kind == one->kind && it->part == one->part) {
		if (it->len == one->data.len) {		/* most are, and nothing but their bytes changes */
			memcpy(it->data, one->data.at, one->data.len);
			return;
		}
		drop(s, at);
	}
	if (!one->data.len)
		return;
	if (s->items == s->room) {
		s->room = s->room ? 2 * s->room : 8;
		s->item = need(realloc(s->item, s->room * sizeof(*s->item)));
	}
	it = &s->item[at];
	memmove(it + 1, it, (s->items++ - at) * sizeof(*it));
	*it = (struct saves_item){ one->part, need(malloc(one->data.len)), (uint32_t)one->data.len, one->kind };
	memcpy(it->data, one->data.at, one->data.len);
	s->live += SAVED_HEADER + one->data.len;
}

static void write_items(const struct saves *s, struct writer *w)
{
	for (size_t i = 0; i < s->items; i++) {
		const struct saves_item *it = &s->item[i];

		saved_write(w, &(struct saved){ it->part, { it->data, it->len }, it->kind });
	}
}

struct bytes saves_all(const struct saves *s)
{
	uint8_t *buf = need(malloc(s->live ? s->live : 1));
	struct writer w = writer_of(buf, s->live);

	write_items(s, &w);
	return (struct bytes){ buf, s->live };
}

static void forget(struct saves *s)
{
	while (s->items)
		drop(s, s->items - 1);
}

/* ---- the file ------------------------------------------------------------------------- */

static uint64_t sum_of(const uint8_t salt[SAVES_SALT], const uint8_t *data, size_t len)
{
	uint8_t hash[crypto_generichash_blake2b_BYTES_MIN];
	struct reader r = reader_of(hash, sizeof(hash));

	crypto_generichash_blake2b(hash, sizeof(hash), data, len, salt, SAVES_SALT);
	return read_u64(&r);
}

/* The head of the batch of @len bytes at @batch, its own included. */
static void seal(const uint8_t salt[SAVES_SALT], uint8_t *batch, size_t len, uint64_t sequence)
{
	struct writer w = writer_of(batch, SAVES_BATCH), sum = writer_of(batch, 8);

	write_u64(&w, 0);
	write_u64(&w, sequence);
	write_u32(&w, (uint32_t)(len - SAVES_BATCH));
	write_u64(&sum, sum_of(salt, batch + 8, len - 8));
}

/* The length of the whole batch at @in, 0 if there is none; its sequence. */
static size_t batch_at(const struct saves *s, struct bytes in, uint64_t *sequence)
{
	struct reader r = reader_of(in.at, in.len);
	uint64_t sum = read_u64(&r);
	uint32_t len;

	*sequence = read_u64(&r);
	len = read_u32(&r);
	if (!reader_ok(&r) || len > reader_left(&r) || sum != sum_of(s->salt, in.at + 8, SAVES_BATCH - 8 + len))
		return 0;
	return SAVES_BATCH + len;
}

static bool take_batch(struct saves *s, const uint8_t *batch, size_t len)
{
	struct reader in = reader_of(batch + SAVES_BATCH, len - SAVES_BATCH);
	struct saved one;

	while (saved_next(&in, &one))
		keep(s, &one);
	return reader_ok(&in);
}

/* Is there a whole batch later than @last in what follows it? */
static bool later_in(const struct saves *s, struct bytes in, uint64_t last)
{
	uint64_t sequence, most = last + 1 + in.len / SAVES_BATCH;

	for (; in.len > SAVES_BATCH; in.at++, in.len--) {
		struct reader r = reader_of(in.at + 8, 8);

		sequence = read_u64(&r);
		if (sequence > last && sequence <= most && batch_at(s, in, &sequence))
			return true;
	}
	return false;
}

/* NULL, or what is wrong as half a sentence. */
static const char *take_file(struct saves *s, struct bytes in)
{
	uint64_t sequence;
	size_t len;

	if (in.len < HEAD || memcmp(in.at, FIRST_LINE, LINE))
		return "no journal that this program knows";
	memcpy(s->salt, in.at + LINE, SAVES_SALT);
	in.at += HEAD;
	in.len -= HEAD;
	while ((len = batch_at(s, in, &sequence)) && sequence == s->sequence + 1) {
		if (!take_batch(s, in.at, len))
			return "damaged";
		s->sequence = sequence;
		in.at += len;
		in.len -= len;
	}
	if (!s->sequence || later_in(s, in, s->sequence))
		return "damaged: it does not have the sums it had when it was written";
	return NULL;
}

/* The file's bytes; at NULL with errno in @err. */
static struct bytes file_read(const char *path, int *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *data = NULL;
	size_t used = 0;
	struct stat st;
	ssize_t n = 1;

	*err = 0;
	if (fd < 0 || fstat(fd, &st)) {
		*err = errno;
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST) {
		*err = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
	} else {
		data = need(malloc((size_t)st.st_size + 1));
		while (n > 0 && used < (size_t)st.st_size) {
			n = read(fd, data + used, (size_t)st.st_size - used);
			used += n > 0 ? (size_t)n : 0;
			n = n < 0 && errno == EINTR ? 1 : n;
		}
		*err = n < 0 ? errno : 0;
	}
	if (fd >= 0)
		close(fd);
	return (struct bytes){ data, used };
}

void saves_open(struct saves *s, const char *path, struct fail *warn)
{
	const char *wrong = NULL;
	struct bytes in;
	int err;

	*s = (struct saves){ .renew = true };
	scribe_open(&s->scribe, path);
	in = file_read(path, &err);
	if (!err)
		wrong = take_file(s, in);
	else if (err != ENOENT)
		wrong = strerror(err);
	free((void *)in.at);
	if (wrong) {
		forget(s);
		fail_add(warn, "cannot use %s: %s", path, wrong);
	}
}

int saves_start(struct saves *s)
{
	return scribe_start(&s->scribe);
}

void saves_close(struct saves *s)
{
	if (s->scribe.path)
		scribe_close(&s->scribe);
	forget(s);
	free(s->item);
	free(s->fresh.data);
	free(s->given.data);
	free(s->whole);
	sodium_memzero(s, sizeof(*s));
}

/* ---- writing -------------------------------------------------------------------------- */

static uint8_t *grow(struct saves_text *t, size_t bytes)
{
	size_t at = t->len ? t->len : SAVES_BATCH;

	if (at + bytes > t->room) {
		t->room = 2 * (at + bytes);
		t->data = need(realloc(t->data, t->room));
	}
	t->len = at + bytes;
	return t->data + at;
}

static void clear(struct saves_text *t)
{
	free(t->data);
	*t = (struct saves_text){ 0 };
}

void saves_put(struct saves *s, const struct save *save)
{
	struct saved one = { save->part, { save->data, save->len }, save->kind };
	struct writer w;

	keep(s, &one);
	s->last = save->token;
	if (s->renew && s->fresh.len > WAITING)
		s->fresh.len = SAVES_BATCH;		/* all of it will be written from what is kept */
	w = writer_of(grow(&s->fresh, SAVED_HEADER + save->len), SAVED_HEADER + save->len);
	saved_write(&w, &one);
	if (s->err && s->fresh.len > WAITING)
		s->renew = true;
}

/* The file as it would be were it made now: a salt of its own, one batch. */
static void give_whole(struct saves *s)
{
	size_t len = HEAD + SAVES_BATCH + s->live;
	struct writer w;

	s->whole = need(malloc(len));
	w = writer_of(s->whole, len);
	randombytes_buf(s->next_salt, SAVES_SALT);
	write_copy(&w, FIRST_LINE, LINE);
	write_copy(&w, s->next_salt, SAVES_SALT);
	write_space(&w, SAVES_BATCH);
	write_items(s, &w);
	seal(s->next_salt, s->whole + HEAD, SAVES_BATCH + s->live, 1);
	scribe_give(&s->scribe, s->whole, len, true);
}

static void give(struct saves *s)
{
	bool whole = s->renew || s->scribe.fd < 0 || s->scribe.size + s->fresh.len > s->compact_at;

	s->given = s->fresh;
	s->fresh = (struct saves_text){ 0 };
	s->under_way = s->last;
	if (whole) {
		give_whole(s);
		return;
	}
	seal(s->salt, s->given.data, s->given.len, s->sequence + 1);
	scribe_give(&s->scribe, s->given.data, s->given.len, false);
}

/* The piece under way is done, or failed with @err: what it was is to be written again, before what came since. */
static void taken(struct saves *s, int err)
{
	bool whole = s->whole != NULL;

	free(s->whole);
	s->whole = NULL;
	s->err = err;
	if (!err) {
		s->durable = s->under_way;
		s->sequence = whole ? 1 : s->sequence + 1;
		if (whole) {
			s->renew = false;
			memcpy(s->salt, s->next_salt, SAVES_SALT);
			s->compact_at = GROWN * s->scribe.size > SMALL ? GROWN * s->scribe.size : SMALL;
		}
		clear(&s->given);
		return;
	}
	s->failures++;
	if (whole && !s->renew && s->scribe.fd >= 0)
		s->compact_at *= 2;		/* there may be room for a batch where there is none for all */
	if (s->fresh.len)
		memcpy(grow(&s->given, s->fresh.len - SAVES_BATCH), s->fresh.data + SAVES_BATCH, s->fresh.len - SAVES_BATCH);
	clear(&s->fresh);
	s->fresh = s->given;
	s->given = (struct saves_text){ 0 };
}

bool saves_durable(struct saves *s, uint64_t *token)
{
	int err;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (scribe_take(&s->scribe, false, &err))
			taken(s, err);
		if (!scribe_idle(&s->scribe) || !s->fresh.len || (s->err && tries == TRIES - 1))
			break;
		give(s);
	}
	if (s->durable == s->told)
		return false;
	*token = s->told = s->durable;
	return true;
}

int saves_finish(struct saves *s)
{
	int err;

	scribe_hurry(&s->scribe);
	for (unsigned tries = 0; ; tries++) {
		if (scribe_take(&s->scribe, true, &err))
			taken(s, err);
		if (!s->fresh.len)
			return 0;
		if (s->err && tries >= TRIES - 1)
			return s->err;
		give(s);
	}
}
