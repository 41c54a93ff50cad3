/*
 * sights.c - what a step changed, found by comparing with the last look
 *
 * A step can change what its own node holds, keeps and resolves, and nothing
 * else can; so the hook after each step compares counts of changes, and only
 * when one has moved walks the node's tables and notes the differences. A
 * deadline by the node's clock becomes one of true time (world_when()); when the
 * clock begins to drift it is computed anew. Barriers walk all tables once more,
 * whatever the counts say: a count that forgets to grow hides nothing for long.
 *
 * Belief is what the node itself says (node_believes()). It ends by the deadline
 * the node goes by; where it says that it believes beyond that, there is no end
 * until it says otherwise.
 */
#include "sim/check/sights.h"

#include <string.h>

#include "core/vnet/vnet.h"
#include "sim/world/clock.h"
#include "sim/world/networks.h"

/** struct keeping - a slot of one node, as last seen */
struct keeping { uint64_t slot, state; };

/** struct resolving - a remote address that one node resolved in this life: its fence when last seen, and the newest */
struct resolving { struct ip ip; uint32_t network; struct fence fence, newest; };

/** struct seen - what was last seen of one host's node */
struct seen {
	struct id id;
	struct clock clock;
	GArray *holding, *keeping, *resolving;	/* NULL until there is one */
	int64_t started_ns;
	int64_t next_end_ns;		/* of what it believes in */
	uint32_t life, held_changes, slot_changes, remote_changes;
};

struct sights {
	struct world *world;
	struct seen *seen;		/* by host */
	uint32_t hosts;
	GArray **noted;			/* by shard */
	GArray *sorted;
	unsigned shards;
};

static void note(struct sights *l, unsigned shard, const struct sight *n)
{
	g_array_append_vals(l->noted[shard], n, 1);
}

static void note_holding(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, enum sight_kind kind,
			 const struct holding *h)
{
	struct sight n = { .at_ns = now_ns, .host = host, .kind = (uint8_t)kind, .id = l->seen[host].id };

	n.holding = *h;
	note(l, shard, &n);
}

static GArray *array(GArray **a, size_t size)
{
	if (!*a)
		*a = g_array_new(FALSE, TRUE, (guint)size);
	return *a;
}

/* The holding of that address; @at: where it was the last time, most likely */
static struct holding *holding_of(const struct seen *s, struct id network, const struct ip *ip, unsigned at)
{
	unsigned count = s->holding ? s->holding->len : 0;

	for (unsigned i = 0; i < count; i++) {
		struct holding *h = &g_array_index(s->holding, struct holding, (at + i) % count);

		if (ip_eq(&h->ip, ip) && id_eq(h->network, network))
			return h;
	}
	return NULL;
}

/* When a belief ends that a node says it has. In a barrier it spoke as of its last step, which may be long ago. */
static int64_t when(const struct sights *l, uint32_t host, int64_t now_ns, const struct holding *was,
		    int64_t until_node_ns, bool barrier)
{
	int64_t at_ns = world_when(l->world, host, until_node_ns);

	if (was->believed && was->until_ns == INT64_MAX && was->until_node_ns == until_node_ns)
		return INT64_MAX;
	return at_ns > now_ns || barrier ? at_ns : INT64_MAX;	/* it believes although it is past */
}

static void see_held(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct held *held,
		     bool believed, struct fence fence, unsigned at, bool barrier)
{
	struct seen *s = &l->seen[host];
	struct holding *h = holding_of(s, held->network, &held->lease.ip, at);
	struct holding was;

	if (!h) {
		struct holding fresh = { .network = held->network, .ip = held->lease.ip, .asked_ns = INT64_MAX };

		g_array_append_val(array(&s->holding, sizeof(fresh)), fresh);
		h = &g_array_index(s->holding, struct holding, s->holding->len - 1);
	}
	was = *h;
	h->there = true;
	h->keeps = held->keep;
	h->believed = believed;
	if (!believed) {
		if (was.believed && was.until_ns <= now_ns)
			note_holding(l, shard, now_ns, host, SIGHT_LAPSED, &was);
		else if (was.believed)
			note_holding(l, shard, now_ns, host, SIGHT_LETS_GO, &was);
		return;
	}
	h->fence = fence;
	h->until_ns = when(l, host, now_ns, &was, held->until_ns, barrier);
	h->until_node_ns = held->until_ns;
	if (was.believed && was.until_ns == h->until_ns && !fence_cmp(was.fence, fence))
		return;
	if (was.believed && was.until_ns <= now_ns && !barrier)
		note_holding(l, shard, now_ns, host, SIGHT_LAPSED, &was);
	if (h->until_ns > was.until_ns)
		h->asked_ns = INT64_MAX;
	note_holding(l, shard, now_ns, host, SIGHT_BELIEVES, h);
}

static void see_holdings(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n,
			 bool barrier)
{
	struct seen *s = &l->seen[host];
	struct fence fence;
	struct held held;

	for (unsigned i = 0; s->holding && i < s->holding->len; i++)
		g_array_index(s->holding, struct holding, i).there = false;
	for (unsigned i = 0; node_held(n, i, &held); i++) {
		fence = held.lease.fence;
		see_held(l, shard, now_ns, host, &held, node_believes(n, held.network, &held.lease.ip, &fence), fence, i,
			 barrier);
	}
	s->next_end_ns = INT64_MAX;
	for (unsigned i = 0; s->holding && i < s->holding->len;) {
		struct holding *h = &g_array_index(s->holding, struct holding, i);

		if (h->there) {
			if (h->believed)
				s->next_end_ns = MIN(s->next_end_ns, h->until_ns);
			i++;
			continue;
		}
		if (h->believed)
			note_holding(l, shard, now_ns, host,
				     h->until_ns <= now_ns ? SIGHT_LAPSED : SIGHT_LETS_GO, h);
		g_array_remove_index(s->holding, i);
	}
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static struct keeping keeping_of(const struct look_slot *k)
{
	struct keeping out = { mix(mix(k->slot.network.hi, k->slot.number), k->slot.kind), 1 };

	out.state = mix(out.state, (uint64_t)k->view.name.generation << 32 | k->view.name.number);
	out.state = mix(out.state, k->votes | k->sealed << 1 | k->complete << 2 | k->primary << 3);
	for (unsigned i = 0; i < k->view.members; i++)
		out.state = mix(out.state, k->view.member[i].id.hi);
	return out;
}

static bool was_so(const struct seen *s, struct keeping k, unsigned at)
{
	for (unsigned i = 0; i < s->keeping->len; i++) {
		struct keeping *old = &g_array_index(s->keeping, struct keeping, (at + i) % s->keeping->len);

		if (old->slot == k.slot)
			return old->state == k.state;
	}
	return false;
}

static void see_slots(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n)
{
	struct seen *s = &l->seen[host];
	GArray *fresh = g_array_new(FALSE, FALSE, sizeof(struct keeping));
	struct sight out = { .at_ns = now_ns, .host = host, .kind = SIGHT_SLOT, .id = s->id };

	array(&s->keeping, sizeof(struct keeping));
	for (unsigned i = 0; node_slot(n, i, &out.slot.look); i++) {
		struct keeping k = keeping_of(&out.slot.look);

		g_array_append_val(fresh, k);
		if (was_so(s, k, i))
			continue;
		out.slot.life = s->life;
		out.slot.started_ns = s->started_ns;
		note(l, shard, &out);
	}
	g_array_free(s->keeping, TRUE);
	s->keeping = fresh;
}

static uint32_t remote_changes(const struct sights *l, const struct node *n)
{
	uint32_t sum = 0;

	for (unsigned k = 0; k < networks_count(l->world); k++)
		sum += node_remote_changes(n, k);
	return sum;
}

static int by_address(const struct resolving *a, const struct resolving *b)
{
	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	if (a->ip.family != b->ip.family)
		return a->ip.family < b->ip.family ? -1 : 1;
	return memcmp(a->ip.at, b->ip.at, sizeof(a->ip.at));
}

/* What is known of @key's address, in order of addresses; new if need be */
static struct resolving *resolving_of(GArray *all, const struct resolving *key)
{
	guint from = 0, to = all->len;

	while (from < to) {
		guint half = from + (to - from) / 2;
		int c = by_address(&g_array_index(all, struct resolving, half), key);

		if (!c)
			return &g_array_index(all, struct resolving, half);
		if (c < 0)
			from = half + 1;
		else
			to = half;
	}
	g_array_insert_vals(all, from, key, 1);
	return &g_array_index(all, struct resolving, from);
}

static void see_remotes(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n)
{
	struct seen *s = &l->seen[host];
	struct look_remote r;

	array(&s->resolving, sizeof(struct resolving));
	for (unsigned k = 0; k < networks_count(l->world); k++)
		for (unsigned i = 0; node_remote(n, k, i, &r); i++) {
			struct resolving key = { .ip = r.ip, .network = k, .fence = r.fence, .newest = r.fence };
			struct resolving *known = resolving_of(s->resolving, &key);
			struct sight out = { .at_ns = now_ns, .host = host, .kind = SIGHT_SENT, .id = s->id };

			if (!fence_cmp(known->fence, r.fence))
				continue;
			out.sent.ip = r.ip;
			out.sent.newest = known->newest;
			out.sent.now = known->fence = r.fence;
			note(l, shard, &out);
			if (fence_cmp(known->newest, r.fence) < 0)
				known->newest = r.fence;
		}
}

static void forget(struct seen *s)
{
	GArray **all[] = { &s->holding, &s->keeping, &s->resolving };

	for (unsigned i = 0; i < 3; i++) {
		if (*all[i])
			g_array_free(*all[i], TRUE);
		*all[i] = NULL;
	}
	s->held_changes = s->slot_changes = s->remote_changes = 0;
}

static void see_node(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n, bool barrier)
{
	struct seen *s = &l->seen[host];
	struct clock clock = world_clock(l->world, host);
	uint32_t held = node_held_changes(n), slots = node_slot_changes(n), remotes = remote_changes(l, n);
	bool other_clock = clock.since_ns != s->clock.since_ns || clock.drift_ppb != s->clock.drift_ppb;

	if (barrier || held != s->held_changes || other_clock || now_ns >= s->next_end_ns)
		see_holdings(l, shard, now_ns, host, n, barrier);
	if (barrier || slots != s->slot_changes)
		see_slots(l, shard, now_ns, host, n);
	if (remotes != s->remote_changes)
		see_remotes(l, shard, now_ns, host, n);
	s->clock = clock;
	s->held_changes = held;
	s->slot_changes = slots;
	s->remote_changes = remotes;
}

void sights_started(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct seen *s = &l->seen[host];
	struct sight n = { .at_ns = now_ns, .host = host, .kind = SIGHT_STARTED };
	struct host_view v;

	world_host(l->world, host, &v);
	forget(s);
	s->id = n.id = v.id;
	note(l, shard, &n);
	s->life++;
	s->started_ns = now_ns;
	s->next_end_ns = INT64_MAX;
}

void sights_ended(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, bool graceful)
{
	struct seen *s = &l->seen[host];
	struct sight n = { .at_ns = now_ns, .host = host, .kind = SIGHT_ENDED, .graceful = graceful, .id = s->id };

	for (unsigned i = 0; s->holding && i < s->holding->len; i++)
		if (g_array_index(s->holding, struct holding, i).believed)
			note_holding(l, shard, now_ns, host, SIGHT_LETS_GO,
				     &g_array_index(s->holding, struct holding, i));
	note(l, shard, &n);
	forget(s);
}

void sights_stepped(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct host_view v;

	world_host(l->world, host, &v);
	if (v.node)
		see_node(l, shard, now_ns, host, v.node, false);
}

void sights_deed(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct deed *d)
{
	struct sight n = { .at_ns = now_ns, .host = host, .kind = SIGHT_DEED, .id = l->seen[host].id };
	struct holding *h;

	n.deed = *d;
	note(l, shard, &n);
	if (d->kind != OP_RENEW || d->verdict)
		return;
	h = holding_of(&l->seen[host], d->network, &d->ip, 0);
	if (h && h->asked_ns == INT64_MAX)
		h->asked_ns = now_ns;
}

static void note_answer(struct sights *l, unsigned shard, struct sight *n, const struct node *node)
{
	struct answer_case *a = &n->told.answer;
	const struct network_record *r = networks_record(l->world, n->told.network);
	struct look_remote remote;
	struct fence fence;

	a->own = node_believes(node, r->id, &a->answer.ip, &fence);
	for (unsigned i = 0; !a->resolved && node_remote(node, n->told.network, i, &remote); i++)
		if (ip_eq(&remote.ip, &a->answer.ip)) {
			a->resolved = true;
			a->owner = remote.owner;
		}
	note(l, shard, n);
}

void sights_frame(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct frame *f)
{
	struct guest_answer answer[ANSWERS_MAX];
	unsigned count = answers_read((struct bytes){ f->data, f->len }, answer);
	unsigned network = f->iface - 1u;		/* sim/world/networks.c */
	struct host_view v;

	if (!count || network >= networks_count(l->world))
		return;
	world_host(l->world, host, &v);
	for (unsigned i = 0; i < count && v.node; i++) {
		struct sight n = { .at_ns = now_ns, .host = host, .kind = SIGHT_ANSWER, .id = l->seen[host].id };

		n.told.network = network;
		n.told.answer = (struct answer_case){ .answer = answer[i], .host = host, .at_ns = now_ns };
		note_answer(l, shard, &n, v.node);
	}
}

/* ---- reading: barriers ---- */

static int by_time(const void *va, const void *vb)
{
	const struct sight *a = va, *b = vb;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return (a->host > b->host) - (a->host < b->host);
}

/* Notes of one host are all in one shard, and g_array_sort() is stable, so the order is the same for any shards. */
const GArray *sights_read(struct sights *l, int64_t now_ns)
{
	struct host_view v;

	for (uint32_t i = 0; i < l->hosts; i++) {
		world_host(l->world, i, &v);
		if (v.node)
			see_node(l, 0, now_ns, i, v.node, true);
	}
	g_array_set_size(l->sorted, 0);
	for (unsigned i = 0; i < l->shards; i++) {
		g_array_append_vals(l->sorted, l->noted[i]->data, l->noted[i]->len);
		g_array_set_size(l->noted[i], 0);
	}
	g_array_sort(l->sorted, by_time);
	return l->sorted;
}

struct sights *sights_new(struct world *w)
{
	struct sights *l = g_new0(struct sights, 1);

	l->world = w;
	l->hosts = world_hosts(w);
	l->shards = world_shards(w);
	l->seen = g_new0(struct seen, l->hosts);
	l->noted = g_new(GArray *, l->shards);
	for (unsigned i = 0; i < l->shards; i++)
		l->noted[i] = g_array_new(FALSE, FALSE, sizeof(struct sight));
	l->sorted = g_array_new(FALSE, FALSE, sizeof(struct sight));
	return l;
}

void sights_free(struct sights *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->hosts; i++)
		forget(&l->seen[i]);
	for (unsigned i = 0; i < l->shards; i++)
		g_array_free(l->noted[i], TRUE);
	g_array_free(l->sorted, TRUE);
	g_free(l->noted);
	g_free(l->seen);
	g_free(l);
}
