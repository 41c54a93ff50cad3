/*
 * When an entry is due:
 *
 *	linked		never
 *	sought		about 4 s after it was lost; after each failure twice the
 *			wait, up to 60 s while it was lost less than ten minutes
 *			ago (a partition heals, a peer restarts), later up to
 *			ten minutes
 *	otherwise	every half an hour: does it still stand on our ring?
 *
 * An entry handed out is moved to its ceiling at once, so that a call under way
 * is not repeated; the failure, when it is known, brings it back to its wait.
 */
#include "core/link/remember.h"

#include <assert.h>

enum {
	VERSION		= 1,
	GROW		= 4,
	NEVER		= UINT32_MAX,
};

#define TICK_NS		(100 * NS_PER_MS)
#define FIRST_NS	(4 * NS_PER_S)
#define SOON_MAX_NS	(60 * NS_PER_S)
#define LATE_MAX_NS	(600 * NS_PER_S)
#define LATE_NS		(600 * NS_PER_S)
#define IDLE_NS		(1800 * NS_PER_S)

enum {
	IS_LINKED	= 1 << 0,	/* nothing to try */
	IS_SOUGHT	= 1 << 1,	/* try it soon, then again and again */
	IS_LOST		= 1 << 2,	/* parted without a goodbye: counts against REMEMBER_LOST */
	HAS_KEY		= 1 << 3,
};

enum { WRITTEN_LOST = 1 };

struct remembered {
	struct id id;
	uint8_t key[32];
	uint8_t addr[REMEMBER_AT][16];
	uint16_t port[REMEMBER_AT];
	uint8_t kind[REMEMBER_AT];	/* ENDPOINT_NONE: unused */
	uint8_t flags;
	uint8_t doubled;		/* how often the wait was doubled */
	uint32_t due;			/* ticks since birth, or NEVER */
	uint32_t since;			/* IS_SOUGHT: from then on, ticks since birth */
};
_Static_assert(sizeof(struct remembered) == 96, "24 of them at a million nodes");

void remember_init(struct remember *m)
{
	*m = (struct remember){ 0 };
}

void remember_done(struct remember *m, struct env *e)
{
	mem_put(&e->mem, m->entry, m->cap * sizeof(*m->entry));
	remember_init(m);
}

/* ---- when ---- */

/* Rounded up, so that nothing is due early. */
static uint32_t tick_after(const struct env *e, int64_t in_ns)
{
	int64_t ticks = (e->now_ns - e->birth_ns + in_ns + TICK_NS - 1) / TICK_NS;

	return ticks < NEVER ? (uint32_t)ticks : NEVER - 1;
}

/* The largest tick that has come. */
static uint32_t tick_now(const struct env *e)
{
	return tick_after(e, 1 - TICK_NS);
}

static int64_t ceiling(const struct remembered *k, const struct env *e)
{
	if (!(k->flags & IS_SOUGHT))
		return IDLE_NS;
	return (tick_now(e) - k->since) * TICK_NS < LATE_NS ? SOON_MAX_NS : LATE_MAX_NS;
}

static void postpone(struct remembered *k, struct env *e, int64_t span_ns)
{
	k->due = tick_after(e, random_around(&e->random, span_ns));
}

static void seek(struct remembered *k, struct env *e)
{
	k->flags = (uint8_t)((k->flags & ~IS_LINKED) | IS_SOUGHT);
	k->doubled = 0;
	k->since = tick_now(e);
}

/* ---- who ---- */

static struct remembered *find(const struct remember *m, struct id id)
{
	for (unsigned i = 0; i < m->count; i++)
		if (id_eq(m->entry[i].id, id))
			return &m->entry[i];
	return NULL;
}

static void remove_at(struct remember *m, unsigned i)
{
	m->count--;
	memmove(m->entry + i, m->entry + i + 1, (m->count - i) * sizeof(*m->entry));
}

/* The freshest stand last. */
static struct remembered *freshen(struct remember *m, struct remembered *k)
{
	struct remembered copy = *k;

	remove_at(m, (unsigned)(k - m->entry));
	m->entry[m->count] = copy;
	return &m->entry[m->count++];
}

/* The oldest entry with none of @without set, or the count. */
static unsigned oldest(const struct remember *m, uint8_t without)
{
	unsigned i = 0;

	while (i < m->count && m->entry[i].flags & without)
		i++;
	return i;
}

static bool has_room(struct remember *m, struct env *e, unsigned want)
{
	unsigned cap = (want + GROW - 1) / GROW * GROW;

	assert(want <= REMEMBER_MAX);
	return want <= m->cap || mem_grow(&e->mem, &m->entry, &m->cap, (uint16_t)cap, sizeof(*m->entry));
}

/* A place for one more at the end; NULL at the quota. */
static struct remembered *place(struct remember *m, struct env *e)
{
	if (m->count == REMEMBER_MAX) {
		unsigned i = oldest(m, IS_LOST | IS_LINKED);

		if (i == m->count)
			i = oldest(m, IS_LOST);
		assert(i < m->count);		/* at most REMEMBER_LOST are lost */
		remove_at(m, i);
	} else if (!has_room(m, e, m->count + 1u)) {
		return NULL;
	}
	m->birth_ns = e->birth_ns;
	return &m->entry[m->count++];
}

/* ---- contacts ---- */

static bool endpoint_of(const struct remembered *k, unsigned i, struct endpoint *out)
{
	*out = (struct endpoint){ .port = k->port[i], .kind = k->kind[i] };
	memcpy(out->addr, k->addr[i], sizeof(out->addr));
	return out->kind != ENDPOINT_NONE;
}

/* New endpoints stand before old ones; the last of too many is forgotten. */
static void learn(struct remembered *k, const struct contact *who)
{
	struct endpoint old[REMEMBER_AT], at[REMEMBER_AT];
	unsigned olds = 0, ats = 0;

	while (olds < REMEMBER_AT && endpoint_of(k, olds, &old[olds]))
		olds++;
	for (unsigned i = 0; i < who->ats + olds && ats < REMEMBER_AT; i++) {
		const struct endpoint *from = i < who->ats ? &who->at[i] : &old[i - who->ats];
		bool known = !endpoint_valid(from);

		for (unsigned j = 0; j < ats; j++)
			known |= endpoint_eq(&at[j], from);
		if (!known)
			at[ats++] = *from;
	}
	for (unsigned i = 0; i < ats; i++) {
		memcpy(k->addr[i], at[i].addr, sizeof(k->addr[i]));
		k->port[i] = at[i].port;
		k->kind[i] = at[i].kind;
	}
	if (who->has_key) {
		memcpy(k->key, who->key, sizeof(k->key));
		k->flags |= HAS_KEY;
	}
}

static bool callable(const struct contact *who)
{
	for (unsigned i = 0; who->has_id && i < who->ats; i++)
		if (endpoint_valid(&who->at[i]))
			return true;
	return false;
}

static struct contact contact_of(const struct remembered *k)
{
	struct contact c = { .id = k->id, .has_id = true, .has_key = k->flags & HAS_KEY };

	memcpy(c.key, k->key, sizeof(c.key));
	while (c.ats < REMEMBER_AT && endpoint_of(k, c.ats, &c.at[c.ats]))
		c.ats++;
	return c;
}

static struct remembered *newcomer(struct remember *m, struct env *e, const struct contact *who)
{
	struct remembered *k = callable(who) ? place(m, e) : NULL;

	if (k) {
		*k = (struct remembered){ .id = who->id };
		learn(k, who);
		postpone(k, e, IDLE_NS);
	}
	return k;
}

/* ---- what happened ---- */

static void bound_lost(struct remember *m, struct env *e)
{
	unsigned lost = 0, pick;

	for (unsigned i = 0; i < m->count; i++)
		lost += !!(m->entry[i].flags & IS_LOST);
	if (lost <= REMEMBER_LOST)
		return;
	assert(lost == REMEMBER_LOST + 1);
	/* not the one lost last: it is the likeliest to be back soon */
	pick = random_below(&e->random, REMEMBER_LOST);
	for (unsigned i = 0; i < m->count; i++)
		if (m->entry[i].flags & IS_LOST && !pick--) {
			remove_at(m, i);
			return;
		}
}

static void lose(struct remember *m, struct env *e, struct remembered *k)
{
	seek(k, e);
	k->flags |= IS_LOST;
	postpone(k, e, FIRST_NS);
	freshen(m, k);
	bound_lost(m, e);
}

void remember_add(struct remember *m, struct env *e, const struct contact *who, bool lost)
{
	struct remembered *k = find(m, who->id);

	if (k && who->has_id) {
		learn(k, who);
		k = freshen(m, k);
	} else {
		k = newcomer(m, e, who);
	}
	if (k && lost)
		lose(m, e, k);
}

void remember_met(struct remember *m, struct env *e, struct id id)
{
	struct remembered *k = find(m, id);

	(void)e;
	if (!k)
		return;
	k->flags = (uint8_t)((k->flags & HAS_KEY) | IS_LINKED);
	k->due = NEVER;
	freshen(m, k);
}

void remember_parted(struct remember *m, struct env *e, struct id id, bool lost)
{
	struct remembered *k = find(m, id);

	if (!k)
		return;
	if (lost) {
		lose(m, e, k);
	} else if (k->flags & IS_LINKED) {
		k->flags &= HAS_KEY;
		postpone(k, e, IDLE_NS);
		freshen(m, k);
	}
}

void remember_failed(struct remember *m, struct env *e, struct id id)
{
	struct remembered *k = find(m, id);
	int64_t max, span;

	if (!k || k->flags & IS_LINKED)
		return;
	max = ceiling(k, e);
	if (k->flags & IS_SOUGHT && FIRST_NS << k->doubled < max)
		k->doubled++;
	span = FIRST_NS << k->doubled;
	postpone(k, e, k->flags & IS_SOUGHT && span < max ? span : max);
}

void remember_forget(struct remember *m, struct id id)
{
	struct remembered *k = find(m, id);

	if (k)
		remove_at(m, (unsigned)(k - m->entry));
}

/* ---- whom to try ---- */

/* Is @a, which stands after @b, to be tried before it? At equal times the freshest of those not lost. */
static bool before(const struct remembered *a, const struct remembered *b)
{
	bool a_sought = a->flags & IS_SOUGHT, b_sought = b->flags & IS_SOUGHT;

	if (a_sought != b_sought)
		return a_sought;
	if (a->due != b->due)
		return a->due < b->due;
	return !(a->flags & IS_LOST) || b->flags & IS_LOST;
}

bool remember_due(struct remember *m, struct env *e, bool lost_only, struct contact *out)
{
	uint32_t now = tick_now(e);
	struct remembered *best = NULL;

	for (unsigned i = 0; i < m->count; i++) {
		struct remembered *k = &m->entry[i];

		if (k->due <= now && (!lost_only || k->flags & IS_LOST) && (!best || before(k, best)))
			best = k;
	}
	if (!best)
		return false;
	postpone(best, e, ceiling(best, e));
	*out = contact_of(best);
	return true;
}

int64_t remember_next_ns(const struct remember *m)
{
	uint32_t first = NEVER;

	for (unsigned i = 0; i < m->count; i++)
		if (m->entry[i].due < first)
			first = m->entry[i].due;
	return first == NEVER ? INT64_MAX : m->birth_ns + first * TICK_NS;
}

void remember_all_due(struct remember *m, struct env *e)
{
	for (unsigned i = 0; i < m->count; i++) {
		struct remembered *k = &m->entry[i];

		if (k->flags & IS_LINKED)
			continue;
		seek(k, e);
		k->due = tick_now(e);
	}
}

/* ---- stable storage ---- */

void remember_write(const struct remember *m, struct writer *w)
{
	write_u8(w, VERSION);
	write_u8(w, (uint8_t)m->count);
	for (unsigned i = 0; i < m->count; i++) {
		struct contact c = contact_of(&m->entry[i]);

		write_u8(w, m->entry[i].flags & IS_LOST ? WRITTEN_LOST : 0);
		contact_write(w, &c);
	}
}

struct blob {
	unsigned count;
	bool lost[REMEMBER_MAX];
	struct contact who[REMEMBER_MAX];
};

static enum drop parse(struct blob *b, struct bytes data)
{
	struct reader r = reader_of(data.at, data.len);
	uint8_t version = read_u8(&r);

	b->count = read_u8(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (version != VERSION)
		return DROP_VERSION;
	if (b->count > REMEMBER_MAX)
		return DROP_RANGE;
	for (unsigned i = 0; i < b->count; i++) {
		uint8_t flags = read_u8(&r);

		b->who[i] = contact_read(&r);
		b->lost[i] = flags & WRITTEN_LOST;
		if (!reader_ok(&r))
			return DROP_SHORT;
		if (flags & ~WRITTEN_LOST || !callable(&b->who[i]))
			return DROP_VALUE;
		for (unsigned j = 0; j < i; j++)
			if (id_eq(b->who[i].id, b->who[j].id))
				return DROP_VALUE;
	}
	return reader_done(&r) ? DROP_NONE : DROP_TRAILING;
}

enum drop remember_read(struct remember *m, struct env *e, struct bytes data)
{
	struct blob b;
	enum drop why = parse(&b, data);
	unsigned want;

	if (why != DROP_NONE)
		return why;
	want = m->count + b.count < REMEMBER_MAX ? m->count + b.count : REMEMBER_MAX;
	if (!has_room(m, e, want))
		return DROP_MEMORY;
	for (unsigned i = 0; i < b.count; i++) {
		struct remembered *k;

		if (find(m, b.who[i].id))
			continue;
		k = newcomer(m, e, &b.who[i]);
		seek(k, e);
		k->due = tick_now(e);
		if (b.lost[i]) {
			k->flags |= IS_LOST;
			bound_lost(m, e);
		}
	}
	return DROP_NONE;
}

bool remember_at(const struct remember *m, unsigned i, struct contact *out)
{
	if (i >= m->count)
		return false;
	*out = contact_of(&m->entry[i]);
	return true;
}

uint32_t remember_bytes(const struct remember *m)
{
	return (uint32_t)(m->cap * sizeof(*m->entry));
}
