/*
 * belief.c - intervals of belief, laid side by side
 *
 * Two nodes' intervals for one address may touch, never overlap, be it for a
 * nanosecond; it does not matter who of them could reach whom, nor whether a
 * frame was sent meanwhile. There is no excuse for it and no time to settle: it
 * is the one promise of a lease.
 *
 * An interval ends by its own deadline unless something is told, so nothing
 * needs to be told when it does. Deadlines move when they are renewed, and when
 * the node's clock begins to drift; an end that moves later may run into an
 * interval that began meanwhile, so beliefs that are over are kept for a while
 * (KEPT), and each change is laid beside all others of its address.
 *
 * Whoever begins to believe does so under a fence above those of everybody
 * before: a late believer is then refused by all who have seen the newer one.
 */
#include "sim/check/belief.h"

#include <inttypes.h>
#include <string.h>

enum { KEPT = 64 };

static guint hash(const void *key)
{
	const struct believed *a = key;
	uint64_t h = a->network.hi ^ ip_low(&a->ip) * UINT64_C(0x9e3779b97f4a7c15);

	return (guint)(h ^ h >> 32);
}

static gboolean equal(const void *va, const void *vb)
{
	const struct believed *a = va, *b = vb;

	return ip_eq(&a->ip, &b->ip) && id_eq(a->network, b->network);
}

void beliefs_init(struct beliefs *b)
{
	*b = (struct beliefs){ .by_address = g_hash_table_new(hash, equal), .all = g_ptr_array_new() };
}

void beliefs_done(struct beliefs *b)
{
	if (!b->all)
		return;
	for (unsigned i = 0; i < b->all->len; i++) {
		struct believed *a = g_ptr_array_index(b->all, i);

		g_free(a->belief);
		g_free(a);
	}
	g_ptr_array_free(b->all, TRUE);
	g_hash_table_destroy(b->by_address);
	memset(b, 0, sizeof(*b));
}

static struct believed *find(const struct beliefs *b, struct id network, const struct ip *ip)
{
	struct believed key = { .network = network, .ip = *ip };

	return g_hash_table_lookup(b->by_address, &key);
}

static struct believed *at(struct beliefs *b, struct id network, const struct ip *ip)
{
	struct believed *a = find(b, network, ip);

	if (a)
		return a;
	a = g_new0(struct believed, 1);
	a->network = network;
	a->ip = *ip;
	g_ptr_array_add(b->all, a);
	g_hash_table_add(b->by_address, a);
	return a;
}

/* The belief of @host that stands at @at_ns, or NULL */
static struct belief *standing(struct believed *a, uint32_t host, int64_t at_ns)
{
	for (uint32_t i = a->beliefs; i-- > 0;)
		if (a->belief[i].host == host)
			return a->belief[i].until_ns > at_ns ? &a->belief[i] : NULL;
	return NULL;
}

static struct belief *begin(struct believed *a, int64_t at_ns)
{
	if (a->beliefs >= KEPT && a->belief[0].until_ns <= at_ns)	/* the oldest is over */
		memmove(&a->belief[0], &a->belief[1], --a->beliefs * sizeof(*a->belief));
	if (a->beliefs == a->cap) {
		a->cap = MAX(2, 2 * a->cap);
		a->belief = g_renew(struct belief, a->belief, a->cap);
	}
	return &a->belief[a->beliefs++];
}

static const char *ip_text(const struct ip *ip, char text[64])
{
	if (ip->family == 4)
		g_snprintf(text, 64, "%u.%u.%u.%u", ip->at[0], ip->at[1], ip->at[2], ip->at[3]);
	else
		g_snprintf(text, 64, "...:%04x:%04x:%04x:%04x", ip->at[8] << 8 | ip->at[9],
			   ip->at[10] << 8 | ip->at[11], ip->at[12] << 8 | ip->at[13],
			   ip->at[14] << 8 | ip->at[15]);
	return text;
}

void beliefs_reclaim(struct beliefs *b, struct id network)
{
	g_assert(b->reclaims < G_N_ELEMENTS(b->reclaim));
	b->reclaim[b->reclaims++] = network;
}

static bool may_conflict(const struct beliefs *b, const struct believed *a, const struct belief *x,
			 const struct belief *y)
{
	for (unsigned i = 0; i < b->reclaims; i++)
		if (id_eq(b->reclaim[i], a->network))
			return x->fence.generation != y->fence.generation;
	return false;
}

static void lay_side_by_side(struct beliefs *b, const struct believed *a, const struct judge *j, int64_t at_ns, struct belief *mine)
{
	char text[64];

	for (uint32_t i = 0; i < a->beliefs; i++) {
		struct belief *o = &a->belief[i];
		int64_t from_ns = MAX(o->from_ns, mine->from_ns), until_ns = MIN(o->until_ns, mine->until_ns);

		if (o == mine || (o->host == mine->host && id_eq(o->node, mine->node)) || from_ns >= until_ns ||
		    (o->told && mine->told))
			continue;
		o->told = mine->told = true;
		if (may_conflict(b, a, o, mine)) {
			b->conflicts++;
			continue;
		}
		findings_add(j->found, ORACLE_BELIEF, at_ns, mine->host,
			     "it believes in %s from %.6f s on under fence %u.%" PRIu64 ".%u, and n%u does until "
			     "%.6f s under %u.%" PRIu64 ".%u: %.6f s of two owners, expected none",
			     ip_text(&a->ip, text), (double)mine->from_ns / 1e9, mine->fence.generation,
			     mine->fence.grant, mine->fence.delegation, o->host, (double)o->until_ns / 1e9,
			     o->fence.generation, o->fence.grant, o->fence.delegation,
			     (double)(until_ns - from_ns) / 1e9);
	}
}

static void check_fence(struct believed *a, const struct judge *j, int64_t at_ns, const struct belief *mine)
{
	bool same = id_eq(a->newest_node, mine->node);
	int c = fence_cmp(mine->fence, a->newest);
	char text[64];

	findings_checked(j->found, ORACLE_FENCES, 1);
	if (c < 0 || (!c && !same))
		findings_add(j->found, ORACLE_FENCES, at_ns, mine->host,
			     "it believes in %s under fence %u.%" PRIu64 ".%u, but %u.%" PRIu64 ".%u was seen before, "
			     "expected a newer one", ip_text(&a->ip, text), mine->fence.generation, mine->fence.grant,
			     mine->fence.delegation, a->newest.generation, a->newest.grant, a->newest.delegation);
	if (c > 0) {
		a->newest = mine->fence;
		a->newest_node = mine->node;
	}
}

void check_sent(const struct judge *j, int64_t at_ns, uint32_t host, const struct ip *ip, struct fence newest,
		struct fence now)
{
	char text[64];

	findings_checked(j->found, ORACLE_FENCES, 1);
	if (fence_cmp(now, newest) < 0)
		findings_add(j->found, ORACLE_FENCES, at_ns, host,
			     "it sent to %s under fence %u.%" PRIu64 ".%u and now does under %u.%" PRIu64
			     ".%u, expected none that is older", ip_text(ip, text), newest.generation, newest.grant,
			     newest.delegation, now.generation, now.grant, now.delegation);
}

void beliefs_set(struct beliefs *b, const struct judge *j, int64_t at_ns, uint32_t host, struct id node,
		 struct id network, const struct ip *ip, struct fence fence, int64_t until_ns)
{
	struct believed *a = at(b, network, ip);
	struct belief *mine = standing(a, host, at_ns);
	bool fresh = !mine || !id_eq(mine->node, node), fenced = fresh || fence_cmp(mine->fence, fence);

	findings_checked(j->found, ORACLE_BELIEF, 1);
	if (until_ns <= at_ns && fresh)
		return;
	if (fresh) {
		if (mine)
			mine->until_ns = at_ns;
		mine = begin(a, at_ns);
		*mine = (struct belief){ .node = node, .host = host, .from_ns = at_ns };
		b->begun++;
	}
	mine->until_ns = MAX(until_ns, mine->from_ns);
	mine->fence = fence;
	lay_side_by_side(b, a, j, at_ns, mine);
	if (fenced)
		check_fence(a, j, at_ns, mine);
}

void beliefs_end(struct beliefs *b, int64_t at_ns, uint32_t host, struct id network, const struct ip *ip)
{
	struct believed *a = find(b, network, ip);
	struct belief *mine = a ? standing(a, host, at_ns) : NULL;

	if (mine)
		mine->until_ns = MAX(at_ns, mine->from_ns);
}

void beliefs_granted(struct beliefs *b, int64_t at_ns, uint32_t host, struct id node, struct id network,
		     const struct ip *ip)
{
	struct believed *a = at(b, network, ip);
	struct belief *mine = standing(a, host, at_ns);

	if (!mine || !id_eq(mine->node, node))
		*begin(a, at_ns) = (struct belief){ .node = node, .host = host, .from_ns = at_ns, .until_ns = at_ns };
}

bool beliefs_owner(const struct beliefs *b, struct id network, const struct ip *ip, struct id node, int64_t from_ns,
		   int64_t to_ns)
{
	const struct believed *a = find(b, network, ip);

	for (uint32_t i = 0; a && i < a->beliefs; i++)
		if (id_eq(a->belief[i].node, node) && a->belief[i].from_ns <= to_ns && a->belief[i].until_ns > from_ns)
			return true;
	return false;
}

bool beliefs_any(const struct beliefs *b, struct id network, const struct ip *ip, int64_t from_ns, int64_t to_ns)
{
	const struct believed *a = find(b, network, ip);

	for (uint32_t i = 0; a && i < a->beliefs; i++)
		if (a->belief[i].from_ns <= to_ns && a->belief[i].until_ns > from_ns)
			return true;
	return false;
}
