/*
 * health.c - is the ring right, and how long did it take after the last fault
 *
 * Rows of the series count joined nodes whose right neighbour, as they believe,
 * is the true one in their part, and rings: sets of joined nodes connected by
 * beliefs about left and right neighbours.
 *
 * Healed. After the last fault ended, once a second: everything is right at T if
 *	- every node that runs is joined, those younger than FRESH_NS apart;
 *	- every joined node's right neighbour is the true one, but for those whose
 *	  true one changed after the fault and less than FRESH_NS ago (churn goes on);
 *	- each part has one ring;
 *	- of the lookups asked in [T, T + CALM_NS) none was wrong or lost.
 * ring.healed_s is the least such T, from the end of the fault.
 */
#include "sim/world/inside.h"

#define FRESH_NS	(10 * NS_PER_S)
#define CALM_NS		(5 * NS_PER_S)

struct health {
	struct world *world;
	uint32_t *group;		/* union-find over hosts */
	int64_t right_ns;		/* the ring was right first, since the last bad lookup; NEVER_NS */
	int64_t bad_ns;			/* the latest asking of a lookup that was wrong or lost */
	int64_t end_ns;			/* of the last fault */
	bool healed;
};

struct health *health_new(struct world *w)
{
	struct health *k = g_new0(struct health, 1);

	k->world = w;
	k->group = g_new(uint32_t, w->hosts);
	k->right_ns = NEVER_NS;
	k->bad_ns = WORLD_NEVER;
	k->end_ns = faults_end_ns(w);
	if (!faults_count(w) || k->end_ns == NEVER_NS)
		k->healed = true;		/* there is nothing to heal from, or no time after it */
	return k;
}

void health_free(struct health *k)
{
	if (!k)
		return;
	g_free(k->group);
	g_free(k);
}

/* -- rings ---------------------------------------------------------------------------------------- */

static uint32_t root(uint32_t *group, uint32_t i)
{
	while (group[i] != i) {
		group[i] = group[group[i]];
		i = group[i];
	}
	return i;
}

static void join(struct health *k, uint32_t host, struct id believed)
{
	const struct owner *o = truth_find(k->world->truth, believed);
	uint32_t a, b;

	if (!o)
		return;
	a = root(k->group, host);
	b = root(k->group, o->host);
	if (a != b)
		k->group[MAX(a, b)] = MIN(a, b);
}

struct tally {
	uint64_t joined, right;		/* right: or excused, if excuses are taken */
	unsigned rings;
};

/* Did the true right neighbour of @o change, or @o itself begin, after @since_ns? */
static bool changed(const struct world *w, const struct owner *o, int64_t since_ns)
{
	return o->from_ns > since_ns || truth_next(w->truth, o)->from_ns > since_ns ||
	       truth_changed(w->truth, o, since_ns);
}

/* @since_ns: who changed after it is excused; NEVER_NS excuses nobody. */
static struct tally look(struct health *k, int64_t since_ns)
{
	struct world *w = k->world;
	struct tally t = { 0 };
	const struct owner *o;

	for (o = truth_first(w->truth); o; o = truth_after(w->truth, o->id))
		k->group[o->host] = o->host;
	for (o = truth_first(w->truth); o; o = truth_after(w->truth, o->id)) {
		const struct host *h = &w->host[o->host];
		struct look l;

		if (!h->node)
			continue;
		node_look(h->node, &l);
		t.joined++;
		t.right += id_eq(l.right, truth_next(w->truth, o)->id) ||
			   (since_ns != NEVER_NS && changed(w, o, since_ns));
		join(k, o->host, l.right);
		join(k, o->host, l.left);
	}
	for (o = truth_first(w->truth); o; o = truth_after(w->truth, o->id))
		t.rings += k->group[o->host] == o->host;
	return t;
}

void health_row(struct health *k, int64_t now_ns)
{
	struct metrics *m = k->world->shard[0].m;
	struct tally t = look(k, NEVER_NS);

	(void)now_ns;
	metrics_add(m, M_RING_CHECKED, (int64_t)t.joined);
	metrics_add(m, M_RING_SUCCESSOR_RIGHT, (int64_t)t.right);
	metrics_set(m, M_RING_COMPONENTS, t.rings);
}

/* -- healing -------------------------------------------------------------------------------------- */

static bool all_joined(const struct world *w, int64_t now_ns)
{
	for (uint32_t i = 0; i < w->hosts; i++) {
		const struct host *h = &w->host[i];

		if (h->state == HOST_UP && !(h->flags & HOST_JOINED) && now_ns - h->started_ns >= FRESH_NS)
			return false;
	}
	return true;
}

/* With nobody old enough to have to be joined nothing is proved. */
static bool all_right(struct health *k, int64_t now_ns)
{
	struct world *w = k->world;
	struct tally t;

	if (!truth_count(w->truth) || !all_joined(w, now_ns))
		return false;
	t = look(k, MAX(k->end_ns, now_ns - FRESH_NS));
	return t.right == t.joined && t.rings == parts_count(w->parts) &&
	       t.joined * 10 >= w->alive * 9;
}

void health_lookup(struct health *k, int64_t asked_ns, bool right)
{
	if (right)
		return;
	k->bad_ns = MAX(k->bad_ns, asked_ns);
	if (k->right_ns <= asked_ns && asked_ns < k->right_ns + CALM_NS)
		k->right_ns = NEVER_NS;
}

void health_second(struct health *k, int64_t now_ns)
{
	struct world *w = k->world;
	int64_t judged_ns = now_ns - w->scenario->lookups.timeout_ns;

	if (k->healed || now_ns < k->end_ns)
		return;
	if (k->right_ns == NEVER_NS && all_right(k, now_ns))
		k->right_ns = now_ns;
	if (k->right_ns == NEVER_NS)
		return;
	if (!w->scenario->lookups.every_ns || judged_ns >= k->right_ns + CALM_NS) {
		k->healed = true;
		metrics_set(w->shard[0].m, M_RING_HEALED, k->right_ns - k->end_ns);
	}
}
