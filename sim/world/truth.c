/*
 * Buckets are cut by the top bits of the id and hold their owners sorted by id,
 * then time. Nodes' ids are digests, so buckets fill evenly and every question
 * is answered within one or two of them. Periods that ended stay in place as
 * ghosts until truth_forget(): a lookup is judged after the fact.
 *
 * Equal times. Changes and questions carry the same nanosecond stamps, and what
 * happened first within one is not known here. A claim is judged kindly: who
 * owned up to or from an instant owned at it.
 */
#include "sim/world/truth.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

enum { PER_BUCKET = 8, FEWEST_BITS = 4, MOST_BITS = 24 };

struct bucket {
	struct owner *owner;
	uint16_t count, cap;
	uint16_t present;
};

struct truth {
	struct bucket *bucket;
	unsigned bits;
	uint32_t present, all;
	const struct parts *parts;
	int64_t keep_ns, swept_ns;
};

static size_t bucket_of(const struct truth *t, struct id id)
{
	return id.hi >> (64 - t->bits);
}

static size_t buckets(const struct truth *t)
{
	return (size_t)1 << t->bits;
}

struct truth *truth_new(const struct parts *parts, int64_t keep_ns)
{
	struct truth *t = g_new0(struct truth, 1);

	t->bits = FEWEST_BITS;
	t->bucket = g_new0(struct bucket, buckets(t));
	t->parts = parts;
	t->keep_ns = keep_ns;
	t->swept_ns = INT64_MIN;
	return t;
}

static void buckets_free(struct bucket *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		g_free(b[i].owner);
	g_free(b);
}

void truth_free(struct truth *t)
{
	if (!t)
		return;
	buckets_free(t->bucket, buckets(t));
	g_free(t);
}

/* The first place in @b whose owner does not come before (@id, @from_ns). */
static unsigned place(const struct bucket *b, struct id id, int64_t from_ns)
{
	unsigned i = 0;

	while (i < b->count && (id_less(b->owner[i].id, id) ||
				(id_eq(b->owner[i].id, id) && b->owner[i].from_ns < from_ns)))
		i++;
	return i;
}

static void put(struct bucket *b, unsigned at, const struct owner *o)
{
	if (b->count == b->cap) {
		b->cap = b->cap ? b->cap + b->cap / 2 + 1 : 4;
		b->owner = g_renew(struct owner, b->owner, b->cap);
	}
	memmove(&b->owner[at + 1], &b->owner[at], (b->count - at) * sizeof(*b->owner));
	b->owner[at] = *o;
	b->count++;
	b->present += o->until_ns == INT64_MAX;
}

static void grow(struct truth *t)
{
	struct bucket *old = t->bucket;
	size_t olds = buckets(t);

	t->bits += 2;
	t->bucket = g_new0(struct bucket, buckets(t));
	for (size_t i = 0; i < olds; i++) {
		for (unsigned k = 0; k < old[i].count; k++) {
			struct bucket *b = &t->bucket[bucket_of(t, old[i].owner[k].id)];

			put(b, b->count, &old[i].owner[k]);	/* they come in order */
		}
	}
	buckets_free(old, olds);
}

void truth_add(struct truth *t, struct id id, uint32_t host, int64_t now_ns)
{
	struct owner o = { .id = id, .from_ns = now_ns, .until_ns = INT64_MAX, .host = host };
	struct bucket *b;

	assert(!truth_find(t, id));
	if (t->all >= PER_BUCKET * buckets(t) && t->bits + 2 <= MOST_BITS)
		grow(t);
	b = &t->bucket[bucket_of(t, id)];
	put(b, place(b, id, INT64_MAX), &o);
	t->present++;
	t->all++;
}

bool truth_del(struct truth *t, struct id id, int64_t now_ns)
{
	struct owner *o = (struct owner *)truth_find(t, id);

	if (!o)
		return false;
	o->until_ns = now_ns;
	t->bucket[bucket_of(t, id)].present--;
	t->present--;
	return true;
}

void truth_forget(struct truth *t, int64_t now_ns)
{
	if (t->swept_ns != INT64_MIN && now_ns - t->swept_ns < t->keep_ns / 4)
		return;
	t->swept_ns = now_ns;
	for (size_t i = 0; i < buckets(t); i++) {
		struct bucket *b = &t->bucket[i];
		unsigned kept = 0;

		for (unsigned k = 0; k < b->count; k++) {
			const struct owner *o = &b->owner[k];

			if (o->until_ns == INT64_MAX || now_ns - o->until_ns <= t->keep_ns)
				b->owner[kept++] = *o;
		}
		t->all -= b->count - kept;
		b->count = (uint16_t)kept;
	}
}

uint32_t truth_count(const struct truth *t)
{
	return t->present;
}

/* The first owner now in bucket @i or a later one, NULL at the end of the id space. */
static const struct owner *first_from(const struct truth *t, size_t i)
{
	for (; i < buckets(t); i++) {
		const struct bucket *b = &t->bucket[i];

		if (!b->present)
			continue;
		for (unsigned k = 0; k < b->count; k++)
			if (b->owner[k].until_ns == INT64_MAX)
				return &b->owner[k];
	}
	return NULL;
}

static const struct owner *last_to(const struct truth *t, size_t end)
{
	for (size_t i = end; i-- > 0;) {
		const struct bucket *b = &t->bucket[i];

		if (!b->present)
			continue;
		for (unsigned k = b->count; k-- > 0;)
			if (b->owner[k].until_ns == INT64_MAX)
				return &b->owner[k];
	}
	return NULL;
}

const struct owner *truth_first(const struct truth *t)
{
	return first_from(t, 0);
}

/* The first owner now whose id is @id or greater (@equal), or greater only. */
static const struct owner *from(const struct truth *t, struct id id, bool equal)
{
	size_t i = bucket_of(t, id);
	const struct bucket *b = &t->bucket[i];

	for (unsigned k = 0; b->present && k < b->count; k++) {
		const struct owner *o = &b->owner[k];

		if (o->until_ns == INT64_MAX &&
		    (id_less(id, o->id) || (equal && id_eq(id, o->id))))
			return o;
	}
	return first_from(t, i + 1);
}

static const struct owner *before(const struct truth *t, struct id id)
{
	size_t i = bucket_of(t, id);
	const struct bucket *b = &t->bucket[i];

	for (unsigned k = b->count; b->present && k-- > 0;) {
		const struct owner *o = &b->owner[k];

		if (o->until_ns == INT64_MAX && id_less(o->id, id))
			return o;
	}
	return last_to(t, i);
}

const struct owner *truth_after(const struct truth *t, struct id id)
{
	return from(t, id, false);
}

const struct owner *truth_find(const struct truth *t, struct id id)
{
	const struct owner *o = from(t, id, true);

	return o && id_eq(o->id, id) ? o : NULL;
}

const struct owner *truth_owner(const struct truth *t, struct id key, uint32_t asker)
{
	uint32_t part = parts_now(t->parts, asker);
	const struct owner *o = from(t, key, true);

	for (uint32_t n = t->present; n; n--) {
		if (!o)
			o = truth_first(t);
		if (parts_now(t->parts, o->host) == part)
			return o;
		o = from(t, o->id, false);
	}
	return NULL;
}

const struct owner *truth_next(const struct truth *t, const struct owner *of)
{
	return truth_owner(t, id_add(of->id, (struct id){ 0, 1 }), of->host);
}

const struct owner *truth_prev(const struct truth *t, const struct owner *of)
{
	uint32_t part = parts_now(t->parts, of->host);
	const struct owner *o = of;

	for (uint32_t n = t->present; n; n--) {
		o = before(t, o->id);
		if (!o)
			o = last_to(t, buckets(t));
		if (parts_now(t->parts, o->host) == part)
			return o;
	}
	return of;
}

/* A walk over all periods, ended ones too, clockwise from a key. */
struct walk {
	const struct truth *t;
	size_t bucket;
	unsigned at;
	uint32_t left;			/* periods not visited yet */
};

static struct walk walk_from(const struct truth *t, struct id key)
{
	struct walk w = { .t = t, .bucket = bucket_of(t, key), .left = t->all };

	w.at = place(&t->bucket[w.bucket], key, INT64_MIN);
	return w;
}

static const struct owner *walk_next(struct walk *w)
{
	if (!w->left)
		return NULL;
	w->left--;
	while (w->at >= w->t->bucket[w->bucket].count) {
		w->bucket = (w->bucket + 1) & (buckets(w->t) - 1);
		w->at = 0;
	}
	return &w->t->bucket[w->bucket].owner[w->at++];
}

bool truth_changed(const struct truth *t, const struct owner *of, int64_t since_ns)
{
	const struct owner *next = truth_next(t, of), *o;
	struct walk w = walk_from(t, id_add(of->id, (struct id){ 0, 1 }));

	while ((o = walk_next(&w)) && o != next)
		if (o->until_ns != INT64_MAX && o->until_ns > since_ns)
			return true;
	return false;
}

/* Until when @at_ns is covered by those between @key and @who in @part; @at_ns itself if it is not. */
static int64_t covered(const struct truth *t, struct id key, struct id who,
		       const struct epoch *e, uint32_t part, int64_t at_ns)
{
	struct walk w = walk_from(t, key);
	const struct owner *o;
	int64_t until_ns = at_ns;

	while ((o = walk_next(&w)) && !id_eq(o->id, who)) {
		if (o->from_ns < at_ns && at_ns < o->until_ns && o->until_ns > until_ns &&
		    epoch_part(e, o->host) == part)
			until_ns = o->until_ns;
		if (until_ns == INT64_MAX)
			break;
	}
	return until_ns;
}

/* Does the period @o of the claimant give it the key within [from_ns, until_ns] of epoch @e? */
static bool owned_in(const struct truth *t, const struct owner *o, struct id key,
		     const struct epoch *e, uint32_t asker, int64_t from_ns, int64_t until_ns)
{
	uint32_t part = epoch_part(e, asker);
	int64_t at_ns = MAX(MAX(from_ns, o->from_ns), e->from_ns), next_ns;

	until_ns = MIN(MIN(until_ns, o->until_ns), e->until_ns);
	if (epoch_part(e, o->host) != part)
		return false;
	while (at_ns <= until_ns) {
		next_ns = covered(t, key, o->id, e, part, at_ns);
		if (next_ns == at_ns)
			return true;
		at_ns = next_ns;
	}
	return false;
}

bool truth_owned(const struct truth *t, struct id key, struct id who, uint32_t asker,
		 int64_t from_ns, int64_t until_ns)
{
	const struct bucket *b = &t->bucket[bucket_of(t, who)];

	for (unsigned i = place(b, who, INT64_MIN); i < b->count && id_eq(b->owner[i].id, who); i++) {
		const struct epoch *e = parts_epoch(t->parts, from_ns);

		for (; e && e->from_ns <= until_ns; e = parts_following(t->parts, e))
			if (owned_in(t, &b->owner[i], key, e, asker, from_ns, until_ns))
				return true;
	}
	return false;
}
