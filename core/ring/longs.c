/*
 * Long links (Manku, Bawa, Raghavan, "Symphony", USITS 2003, section 3).
 *
 * A distance x is drawn from p(x) = 1 / (x ln n) on [1/n, 1]: x = n^(u - 1)
 * for a uniform u, that is 2^((u - 1) log2 n), all in fixed point. The owner of
 * the point at that distance clockwise is asked (FIND with LONG) and linked,
 * unless it is ourselves, a near neighbour, linked already, or has as many
 * incoming long links as it wants; then we draw again, a little later each
 * time. When the ring has become twice or half as large as it was when a link
 * was drawn, and stays so, links are drawn anew, one at a time.
 */
#include <string.h>

#include "core/base/fixed.h"
#include "core/ring/parts.h"

enum { DRAWS = 3 };			/* under way at the same time */
#define DRAW_STEP	(250 * NS_PER_MS)
#define DRAW_SLOWEST	(60 * NS_PER_S)
#define DRAW_LIFE	(20 * NS_PER_S)
#define DRIFT_NS	(300 * NS_PER_S)
#define DRIFT_LOOK	(60 * NS_PER_S)	/* between two looks whether links have drifted */

struct drawing {
	struct id point, owner;		/* owner zero = not known yet */
	int64_t until_ns;		/* 0 = free */
};

struct draw_state {
	struct drawing drawing[DRAWS];
	struct held { struct id point; uint16_t slot; } *held;
	uint16_t helds, cap;
	uint8_t failures;
};

static struct draw_state *state(struct ring *r, struct env *e)
{
	if (!r->draw)
		r->draw = mem_get(&e->mem, sizeof(*r->draw));
	return r->draw;
}

unsigned longs_wanted(const struct ring *r, const struct env *e)
{
	unsigned k = (r->log2_size + 511u) / 512u;	/* ceil(log2(n) / 2) */

	if (r->log2_size < 256 || (r->log2_size < 1100 && exp2_u64((int64_t)r->log2_size << 24) <= 2u * e->config->near + 1))
		return 0;			/* everybody is a near neighbour */
	return e->config->longs ? e->config->longs : k;
}

bool longs_full(const struct ring *r, const struct env *e)
{
	return e->config->cap && peers_wanting(r, USE_LONG_OUT) >= 2 * longs_wanted(r, e);
}

bool longs_point(const struct ring *r, uint16_t slot, struct id *out)
{
	for (unsigned i = 0; r->draw && i < r->draw->helds; i++)
		if (r->draw->held[i].slot == slot) {
			*out = r->draw->held[i].point;
			return true;
		}
	return false;
}

static struct id draw(struct ring *r, struct env *e)
{
	struct id far;

	if (e->config->draw == DRAW_UNIFORM) {
		far.hi = random_u64(&e->random);
		far.lo = random_u64(&e->random);
	} else {
		uint64_t loss = (uint64_t)r->log2_size * (random_u64(&e->random) >> 32) >> 8;

		far = id_exp2_q32(((int64_t)128 << 32) - 1 - (int64_t)loss);
	}
	return id_add(r->self, far);
}

static struct drawing *drawing_of(struct ring *r, struct id point)
{
	for (unsigned i = 0; r->draw && i < DRAWS; i++)
		if (r->draw->drawing[i].until_ns && id_eq(r->draw->drawing[i].point, point))
			return &r->draw->drawing[i];
	return NULL;
}

static void again(struct ring *r, struct env *e, struct drawing *d, bool failed)
{
	int64_t pause = DRAW_STEP;

	if (d)
		d->until_ns = 0;
	if (failed && r->draw->failures < 8)
		r->draw->failures++;
	if (failed)
		pause <<= r->draw->failures;
	timer_soon(e, RING_DRAW, random_around(&e->random, pause < DRAW_SLOWEST ? pause : DRAW_SLOWEST));
}

/* The link in @ref is the one drawn as @d. */
static void take(struct ring *r, struct env *e, struct drawing *d, link_ref ref)
{
	struct draw_state *s = r->draw;
	struct ring_peer *p = peer_at(r, ref);

	if (s->helds == s->cap && !mem_grow(&e->mem, &s->held, &s->cap, (uint16_t)(s->cap + 4), sizeof(*s->held))) {
		again(r, e, d, true);
		return;
	}
	s->held[s->helds++] = (struct held){ d->point, ref.slot };
	s->failures = 0;
	p->drawn_size = r->log2_size;
	env_record(e, RECORD_LONG, p->id, 0, 0);
	again(r, e, d, false);
	peers_want(r, e, ref, USE_LONG_OUT);
}

static void drift(struct ring *r, struct env *e)
{
	int oldest = -1;

	for (unsigned i = 0; i < r->peers; i++) {
		const struct ring_peer *p = &r->peer[i];
		int off = (int)p->drawn_size - (int)r->log2_size;

		if (p->up && p->use & USE_LONG_OUT && (off > 256 || off < -256))
			oldest = (int)i;
	}
	if (oldest < 0) {
		r->drift_ns = 0;
	} else if (!r->drift_ns) {
		r->drift_ns = e->now_ns;
	} else if (e->now_ns - r->drift_ns > DRIFT_NS) {
		struct ring_peer *p = &r->peer[oldest];

		p->use &= (uint8_t)~USE_LONG_OUT;
		for (unsigned i = 0; i < r->draw->helds; i++)
			if (r->draw->held[i].slot == oldest)
				r->draw->held[i--] = r->draw->held[--r->draw->helds];
		r->drift_ns = e->now_ns - DRIFT_NS + DRIFT_LOOK / 2;
		peers_review(r, e);
	}
}

void longs_timer(struct ring *r, struct env *e)
{
	struct draw_state *s = state(r, e);
	struct drawing *free = NULL;
	unsigned under_way = 0;

	if (!s || r->state != RING_JOINED)
		return;
	timer_soon(e, RING_DRAW, random_around(&e->random, DRIFT_LOOK));
	drift(r, e);
	for (unsigned i = 0; i < DRAWS; i++) {
		if (s->drawing[i].until_ns <= e->now_ns)
			s->drawing[i].until_ns = 0;
		if (s->drawing[i].until_ns)
			under_way++;
		else
			free = &s->drawing[i];
	}
	if (!free || peers_using(r, USE_LONG_OUT) + under_way >= longs_wanted(r, e))
		return;
	*free = (struct drawing){ .point = draw(r, e), .until_ns = e->now_ns + DRAW_LIFE };
	env_record(e, RECORD_DRAWN, free->point, 0, 0);
	if (ring_owns(r, free->point) || !ask_find(r, e, free->point, FIND_LONG, LINK_NONE))
		again(r, e, free, true);
	else
		timer_soon(e, RING_DRAW, random_around(&e->random, DRAW_STEP));
}

void longs_failed(struct ring *r, struct env *e, struct id point)
{
	struct drawing *d = drawing_of(r, point);

	if (d)
		again(r, e, d, true);
}

void longs_found(struct ring *r, struct env *e, struct id point, const struct contact *owner, bool refused)
{
	struct drawing *d = drawing_of(r, point);
	link_ref ref;

	if (!d)
		return;
	ref = peer_find(r, owner->id);
	if (refused)
		env_record(e, RECORD_REFUSED, owner->id, 0, 0);
	if (refused || id_eq(owner->id, r->self) ||
	    (link_ok(ref) && peer_at(r, ref)->use & (USE_NEAR | USE_LONG_OUT))) {
		again(r, e, d, true);
		return;
	}
	if (link_ok(ref)) {
		take(r, e, d, ref);
		return;
	}
	d->owner = owner->id;
	ref = links_call(e, r->links, owner);
	if (!link_ok(ref))
		again(r, e, d, true);
}

void longs_up(struct ring *r, struct env *e, link_ref ref)
{
	struct id id = peer_at(r, ref)->id;

	for (unsigned i = 0; r->draw && i < DRAWS; i++) {
		struct drawing *d = &r->draw->drawing[i];

		if (d->until_ns && id_eq(d->owner, id)) {
			take(r, e, d, ref);
			return;
		}
	}
}

void longs_down(struct ring *r, struct env *e, link_ref ref, const struct news *n)
{
	struct draw_state *s = r->draw;

	if (!s)
		return;
	for (unsigned i = 0; i < s->helds; i++)
		if (s->held[i].slot == ref.slot) {
			s->held[i] = s->held[--s->helds];
			if (n->why == END_REFUSED)
				env_record(e, RECORD_REFUSED, n->id, 0, 0);
			again(r, e, NULL, n->why == END_REFUSED);
			return;
		}
}

void longs_call_failed(struct ring *r, struct env *e, struct id owner)
{
	for (unsigned i = 0; r->draw && i < DRAWS; i++)
		if (r->draw->drawing[i].until_ns && id_eq(r->draw->drawing[i].owner, owner))
			again(r, e, &r->draw->drawing[i], true);
}

void longs_done(struct ring *r, struct env *e)
{
	if (r->draw)
		mem_put(&e->mem, r->draw->held, r->draw->cap * sizeof(*r->draw->held));
	mem_put(&e->mem, r->draw, sizeof(*r->draw));
	r->draw = NULL;
}

size_t longs_bytes(const struct ring *r)
{
	return r->draw ? sizeof(*r->draw) + r->draw->cap * sizeof(*r->draw->held) : 0;
}
