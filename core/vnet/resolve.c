#include "core/vnet/resolve.h"

#include <string.h>

enum { NONE = UINT16_MAX, REST_BITS = 16 };

void resolver_init(struct resolver *s)
{
	*s = (struct resolver){ .remote = NULL };
	for (unsigned i = 0; i < REMOTE_BUCKETS; i++)
		s->bucket[i] = NONE;
}

void resolver_done(struct resolver *s, struct env *e)
{
	mem_put(&e->mem, s->remote, s->cap * sizeof(*s->remote));
	resolver_init(s);
}

static uint16_t *bucket(struct resolver *s, const struct ip *ip)
{
	uint32_t h = ip->family;

	for (unsigned i = 0; i < (ip->family == 4 ? 4 : 16); i++)
		h = (h ^ ip->at[i]) * 16777619u;	/* FNV-1a; what can be gained by collisions is bounded */
	return &s->bucket[(h ^ h >> 16) % REMOTE_BUCKETS];
}

_Static_assert(sizeof(struct remote) <= 120, "up to REMOTES_MAX in each network of a node");

struct remote *resolver_find(struct resolver *s, const struct ip *ip)
{
	for (uint16_t i = *bucket(s, ip); i != NONE; i = s->remote[i].next)
		if (ip_eq(&s->remote[i].ip, ip))
			return &s->remote[i];
	return NULL;
}

static void unlink_from_bucket(struct resolver *s, uint16_t place)
{
	uint16_t *at = bucket(s, &s->remote[place].ip);

	while (*at != place)
		at = &s->remote[*at].next;
	*at = s->remote[place].next;
}

/* The place of the entry unused for longest that nobody waits for, NONE if there is none. */
static uint16_t oldest(const struct resolver *s, const struct env *e)
{
	uint32_t now = env_ms(e), most = 0;
	uint16_t place = NONE;

	for (uint16_t i = 0; i < s->count; i++) {
		const struct remote *m = &s->remote[i];

		if (!m->held && !m->told && (place == NONE || now - m->used_ms > most)) {
			most = now - m->used_ms;
			place = i;
		}
	}
	return place;
}

struct remote *resolver_add(struct resolver *s, struct env *e, const struct ip *ip)
{
	struct remote *m = resolver_find(s, ip);
	uint16_t place, *at;

	if (m)
		return m;
	if (s->count < s->cap ||
	    (s->count < REMOTES_MAX &&
	     mem_grow(&e->mem, &s->remote, &s->cap, (uint16_t)(s->cap ? s->cap * 2 : 8), sizeof(*m)))) {
		place = s->count++;
	} else {
		place = oldest(s, e);
		if (place == NONE) {
			env_drop(e, DROP_FULL);
			return NULL;
		}
		unlink_from_bucket(s, place);
	}
	m = &s->remote[place];
	s->changes++;
	at = bucket(s, ip);
	*m = (struct remote){ .ip = *ip, .next = *at, .used_ms = env_ms(e), .doubt_ns = INT64_MIN / 2 };
	*at = place;
	return m;
}

enum advice resolver_advice(struct remote *m, const struct env *e)
{
	m->used_ms = env_ms(e);
	if (m->asking && e->now_ns - m->asked_ns > ASKED_NS)
		m->asking = 0;			/* no answer is going to come any more */
	if (m->state == REMOTE_FOUND && e->now_ns < m->until_ns && !m->doubted) {
		bool late = m->until_ns - e->now_ns < (m->until_ns - m->sure_ns) / 8;

		return late && !m->asking && e->now_ns - m->sure_ns > AHEAD_NS ? ADVICE_USE_LOOK : ADVICE_USE;
	}
	if (m->asking)
		return ADVICE_WAIT;
	if (m->state == REMOTE_NOBODY && e->now_ns < m->until_ns && !m->doubted)
		return ADVICE_NOBODY;
	return m->doubted ? ADVICE_GET : ADVICE_LOOK;
}

uint64_t resolver_asked(struct resolver *s, struct remote *m, const struct env *e, uint8_t kind)
{
	if (!m->asking)
		m->asked_ns = e->now_ns;
	m->asking = kind;
	m->question = ++s->questions;
	return (uint64_t)m->question << REST_BITS | (uint64_t)(m - s->remote);
}

bool resolver_doubt(struct remote *m, const struct env *e)
{
	if (m->asking == OP_GET || e->now_ns - m->doubt_ns < DOUBT_NS)
		return m->doubted;
	m->doubt_ns = e->now_ns;
	m->doubted = true;
	return true;
}

static enum answered nobody(struct remote *m, const struct env *e)
{
	m->state = REMOTE_NOBODY;
	m->doubted = false;
	m->sure_ns = e->now_ns;
	m->until_ns = e->now_ns + NOBODY_NS;
	return ANSWERED_NOBODY;
}

/* Is @l what the owner had when it signed the delegation that we go by? */
static bool lent_since(const struct remote *m, const struct env *e, const struct lease *l)
{
	struct fence f = l->fence;

	f.delegation++;
	return m->state == REMOTE_FOUND && m->fence.delegation && e->now_ns < m->until_ns && !fence_cmp(f, m->fence);
}

bool resolver_lent(struct resolver *s, const struct env *e, struct remote *m, const struct delegation *g)
{
	s->changes++;
	m->state = REMOTE_FOUND;
	m->owner = g->to;
	m->fence = g->fence;
	m->fence.delegation++;
	m->seen = fence_cmp(m->seen, m->fence) < 0 ? m->fence : m->seen;
	m->sure_ns = e->now_ns;
	m->until_ns = e->now_ns + (int64_t)g->left_ms * NS_PER_MS;
	m->doubted = false;
	return true;
}

enum answered resolver_answer(struct resolver *s, const struct env *e, uint64_t rest, const struct dht_done *d,
			      struct id self, struct remote **out)
{
	unsigned place = rest & ((1u << REST_BITS) - 1);
	struct remote *m = place < s->count ? &s->remote[place] : NULL;
	bool majority = d->kind == OP_GET;

	if (!m || !m->asking || m->question != rest >> REST_BITS)
		return ANSWERED_OTHER;
	*out = m;
	s->changes++;
	m->asking = 0;
	if (d->verdict == VERDICT_ABSENT)
		return m->state == REMOTE_FOUND && !majority ? ANSWERED_AGAIN : nobody(m, e);
	if (d->verdict != VERDICT_OK || !d->lease.ip.family) {
		if (m->state == REMOTE_FOUND && e->now_ns < m->until_ns && !majority)
			return ANSWERED_KEPT;
		return nobody(m, e);
	}
	if (!ip_eq(&d->lease.ip, &m->ip))
		return nobody(m, e);
	if (lent_since(m, e, &d->lease)) {	/* whom it went to has not written yet */
		m->doubted = false;
		return ANSWERED_KEPT;
	}
	if (fence_cmp(d->lease.fence, m->seen) < 0)
		return majority ? nobody(m, e) : ANSWERED_AGAIN;
	m->seen = d->lease.fence;
	if (id_eq(d->lease.holder, self))
		return nobody(m, e);
	m->state = REMOTE_FOUND;
	m->owner = d->lease.holder;
	m->fence = d->lease.fence;
	m->sure_ns = d->asked_ns;
	m->until_ns = d->asked_ns + (int64_t)d->lease.left_ms * NS_PER_MS;
	if (majority || m->doubt_ns < d->asked_ns)
		m->doubted = false;
	if (m->doubted)
		return ANSWERED_AGAIN;
	return e->now_ns < m->until_ns ? ANSWERED_FOUND : nobody(m, e);
}

enum answered resolver_owner(struct resolver *s, const struct env *e, uint64_t rest, const struct id *owner,
			     int64_t until_ns, struct remote **out)
{
	unsigned place = rest & ((1u << REST_BITS) - 1);
	struct remote *m = place < s->count ? &s->remote[place] : NULL;

	if (!m || !m->asking || m->question != rest >> REST_BITS)
		return ANSWERED_OTHER;
	*out = m;
	s->changes++;
	m->asking = 0;
	if (!owner || until_ns <= e->now_ns)
		return nobody(m, e);
	m->state = REMOTE_FOUND;
	m->owner = *owner;
	m->fence = m->seen = (struct fence){ 0 };
	m->sure_ns = m->asked_ns;
	m->until_ns = until_ns;
	m->doubted = false;
	return ANSWERED_FOUND;
}

void resolver_stale(struct resolver *s)
{
	s->changes++;
	for (uint16_t i = 0; i < s->count; i++)
		s->remote[i].until_ns = INT64_MIN;
}
