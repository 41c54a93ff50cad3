/*
 * replica_lab.h - members of slots under schedules nobody would wish for
 *
 * Clients ask the nodes of replica_world.h, time passes, and after every step an
 * oracle looks at whoever moved: one name, one content; believers one at a time.
 */
#ifndef REPLICA_LAB_H
#define REPLICA_LAB_H

#include "tests/unit/replica_world.h"

/* ---- the oracle ---- */

static inline uint64_t lab_mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
	a = (a ^ a >> 30) * 0xbf58476d1ce4e5b9u;
	return a ^ a >> 31;
}

/* Whoever says something under @key says @content, for ever. True: it is new */
static inline bool lab_same(struct lab *l, uint64_t key, uint64_t content, const char *rule)
{
	unsigned at = (unsigned)(key % SEEN_MAX);

	key |= 1;
	while (l->seen[at].key && l->seen[at].key != key)
		at = (at + 1) % SEEN_MAX;
	if (l->seen[at].key) {
		if (l->seen[at].content != content)
			lab_wrong(l, rule);
		return false;
	}
	if (l->seens++ > SEEN_MAX * 3 / 4)
		return false;
	l->seen[at].key = key;
	l->seen[at].content = content;
	return true;
}

static inline uint64_t *lab_bits(struct lab *l, uint64_t key)
{
	unsigned at = (unsigned)(key % SEEN_MAX);

	key |= 1;
	while (l->seen[at].key && l->seen[at].key != key)
		at = (at + 1) % SEEN_MAX;
	if (!l->seen[at].key) {
		l->seens++;
		l->seen[at].key = key;
	}
	return &l->seen[at].content;
}

static inline uint64_t view_key(const struct replica *r, struct view_name v, uint64_t salt)
{
	return lab_mix(lab_mix(lab_mix(salt, r->slot.number), r->slot.kind), (uint64_t)v.generation << 32 | v.number);
}

static inline void lab_dump(const struct lab *l, unsigned only);

static inline void lab_shape(struct lab *l, struct lab_node *n)
{
	const struct replicas *rs = n->dht ? n->dht->replicas : NULL;
	uint64_t shape = 0;

	for (unsigned i = 0; rs && i < rs->count; i++) {
		const struct replica *r = rs->at[i];

		shape = lab_mix(shape, r->slot.number);
		shape = lab_mix(shape, (uint64_t)r->view.name.number << 32 | r->promised);
		shape = lab_mix(shape, (uint64_t)(r->proven | r->complete << 1 | r->writer << 2 | r->unborn << 3 |
						  (r->rejoin != NULL) << 4 | (r->stage && r->stage->done) << 5));
	}
	if (shape == n->shape)
		return;
	n->shape = shape;
	printf("%10.3f node %u now:\n", (double)l->now_ns / 1e9, (unsigned)(n - l->node));
	lab_dump(l, (unsigned)(n - l->node));
}

static void lab_look(struct lab *l, struct lab_node *n)
{
	const struct replicas *rs = n->dht ? n->dht->replicas : NULL;
	unsigned me = (unsigned)(n - l->node);

	if (l->trace)
		lab_shape(l, n);
	for (unsigned i = 0; rs && i < rs->count; i++) {
		const struct replica *r = rs->at[i];
		uint64_t members = 0;
		const struct kept *k;

		if (!r->view.members)
			continue;
		for (unsigned j = 0; j < r->view.members; j++)
			members = lab_mix(members, r->view.member[j].id.hi);
		n->alone |= r->view.members == 1;
		if (r->promised)
			*lab_bits(l, view_key(r, r->view.name, 2)) |= 1u << me;
		snprintf(l->why, sizeof(l->why), "node %u slot %u/%u view %u.%u", me, r->slot.kind, (unsigned)r->slot.number,
			 r->view.name.generation, r->view.name.number);
		if (lab_same(l, view_key(r, r->view.name, 1), members, "one view name, two views")) {
			l->changes++;
			*lab_bits(l, view_key(r, r->view.name, 3)) = r->view.members;
			if (r->follows.number + r->follows.generation ||
			    (r->slot.kind == SLOT_ROOT && r->view.name.number)) {
				unsigned sealed = bits((unsigned)*lab_bits(l, view_key(r, r->follows, 2)));

				if (sealed < *lab_bits(l, view_key(r, r->follows, 3)) / 2 + 1)
					lab_wrong(l, "a view was installed by less than a majority");
			}
		}
		for (unsigned j = 0; j < r->store.count; j++) {
			k = &r->store.kept[j];
			if (!lab_same(l, lab_mix(view_key(r, k->stamp.view, 4), k->stamp.seq),
				      lab_mix(lab_mix(k->key, k->nonce), k->owner.hi), "one stamp, two records"))
				continue;
		}
	}
}

/* ---- clients ---- */

static inline uint64_t lab_ip(const struct ip *a)
{
	return ip_u32(a) & 63;
}

static inline struct lab_node *lab_pick(struct lab *l)
{
	for (unsigned t = 0; t < 20; t++) {
		struct lab_node *n = &l->node[lab_below(l, l->nodes)];

		if (n->dht)
			return n;
	}
	return NULL;
}

static inline int64_t lab_clock(const struct lab_node *n)
{
	return n->offset_ns + n->lab->now_ns + n->lab->now_ns / 1000000 * n->drift_ppm;
}

static inline void lab_send(struct lab *l, struct lab_ask *a)
{
	struct lab_node *n = &l->node[a->node];
	int at = lab_owner(n, slot_point(&a->op.slot));
	uint8_t flags = a->tries >= 2 ? QUESTION_URGENT : 0;

	a->bytes[0] = flags;
	if (!a->tries)				/* told again it is the same op: the slot counts from the first */
		a->first_ns = lab_clock(n);
	a->again_ns = l->now_ns + (300 + 400 * a->tries) * NS_PER_MS;
	a->tries++;
	if (at >= 0)
		lab_post(l, n->party->self.id, (unsigned)at, BODY_OP, (struct bytes){ 0 }, (struct bytes){ a->bytes, a->len });
}

static inline struct lab_belief *lab_belief(struct lab *l, uint64_t ip, unsigned node)
{
	for (unsigned i = 0; i < 64; i++)
		if (l->belief[i].on && l->belief[i].ip == ip && l->belief[i].node == node)
			return &l->belief[i];
	return NULL;
}

static inline bool lab_believes(const struct lab *l, const struct lab_belief *b)
{
	return b->on && lab_clock(&l->node[b->node]) < b->until_ns;
}

/* Two that believe in one address at this instant */
static inline void lab_beliefs(struct lab *l)
{
	for (unsigned i = 0; i < 64; i++)
		for (unsigned k = i + 1; k < 64; k++)
			if (l->belief[i].ip == l->belief[k].ip && l->belief[i].node != l->belief[k].node &&
			    lab_believes(l, &l->belief[i]) && lab_believes(l, &l->belief[k])) {
				snprintf(l->why, sizeof(l->why), "address %u, nodes %u and %u, grants %u and %u",
					 (unsigned)l->belief[i].ip, l->belief[i].node, l->belief[k].node,
					 (unsigned)l->belief[i].fence.grant, (unsigned)l->belief[k].fence.grant);
				lab_wrong(l, "two owners believe");
			}
}

static inline struct lab_ask *lab_op(struct lab *l, unsigned node, uint8_t kind, unsigned ip)
{
	struct lab_node *n = &l->node[node];
	struct lab_ask *a = NULL;
	struct question q = { 0 };
	struct writer w;
	struct lab_belief *b;

	for (unsigned i = 0; i < l->asks; i++)
		if (!l->ask[i].open)
			a = &l->ask[i];
		else if (l->ask[i].node == node && lab_ip(&l->ask[i].op.ip) == ip && kind != OP_GET)
			return NULL;			/* one write at a time for each */
	if (!a && l->asks < ASKS_MAX)
		a = &l->ask[l->asks++];
	if (!a || !n->dht)
		return NULL;
	if (kind == OP_CREATE_ANY)
		ip = 8 + lab_below(l, 40);
	b = lab_belief(l, ip, node);
	*a = (struct lab_ask){ .node = (uint8_t)node, .open = true, .asked_ns = l->now_ns, .ends_ns = l->now_ns + 8 * NS_PER_S };
	a->op = (struct op){
		.kind = kind, .asker = n->party->self.id, .nonce = ++l->nonce, .ip = ip_v4(0x0a000000 | ip),
		.client = kind == OP_CREATE_ANY ? l->nonce : 77, .term_s = 10,
	};
	a->op.slot = slot_of_ip(l->record.id, &a->op.ip);
	if (b)
		a->op.fence = b->fence;
	if (kind == OP_RELEASE && b)
		b->on = false;
	w = writer_of(a->bytes, sizeof(a->bytes));
	question_write(&w, &q);
	op_write(&w, &a->op, &l->suite, &n->party->self, (struct bytes){ n->party->chain, n->party->chain_len });
	if (w.bad)
		abort();
	a->len = (uint16_t)writer_len(&w);
	lab_send(l, a);
	return a;
}

static inline void lab_granted(struct lab *l, struct lab_ask *a, const struct lease *g)
{
	struct lab_node *n = &l->node[a->node];
	struct lab_belief *b = lab_belief(l, lab_ip(&g->ip), a->node);
	uint64_t grant = lab_mix(lab_mix(lab_mix(5, ip_u32(&g->ip) >> 6), g->fence.generation), g->fence.grant);
	uint64_t *high = lab_bits(l, lab_mix(6, lab_ip(&g->ip)));
	bool begins = !b;

	snprintf(l->why, sizeof(l->why), "node %u address %u grant %u.%u", a->node, (unsigned)lab_ip(&g->ip),
		 g->fence.generation, (unsigned)g->fence.grant);
	lab_same(l, grant, lab_mix(lab_mix(1, lab_ip(&g->ip)), a->node), "a grant number was given twice");
	if (begins && ((uint64_t)g->fence.generation << 40 | g->fence.grant) < *high)
		lab_wrong(l, "a fence went back");
	if (*high < ((uint64_t)g->fence.generation << 40 | g->fence.grant))
		*high = (uint64_t)g->fence.generation << 40 | g->fence.grant;
	for (unsigned i = 0; !b && i < 64; i++)
		if (!l->belief[i].on || !lab_believes(l, &l->belief[i]))
			b = &l->belief[i];
	if (!b)
		return;
	if (begins || !lab_believes(l, b))
		b->since_ns = l->now_ns;
	b->on = true;
	b->ip = lab_ip(&g->ip);
	b->node = a->node;
	b->fence = g->fence;
	b->until_ns = a->first_ns + term_held_ns(a->op.term_s, l->record.drift_ppm);
	l->granted++;
	l->last = g->fence;
	if (l->trace)
		printf("%10.3f grant %u.%u address %u to %u\n", (double)l->now_ns / 1e9, g->fence.generation,
		       (unsigned)g->fence.grant, (unsigned)b->ip, a->node);
	lab_beliefs(l);
	(void)n;
}

static void lab_answer(struct lab *l, unsigned node, struct bytes data)
{
	struct reader in = reader_of(data.at, data.len);
	struct lab_ask *a = NULL;
	struct told t;
	struct lease g = { 0 };

	if (!told_read(&in, &t)) {
		lab_wrong(l, "an answer nobody can read");
		return;
	}
	for (unsigned i = 0; i < l->asks; i++)
		if (l->ask[i].open && l->ask[i].node == node && l->ask[i].op.nonce == t.nonce)
			a = &l->ask[i];
	if (!a || !t.verdict || t.verdict == VERDICT_WAIT)
		return;
	a->open = false;
	l->answered++;
	l->said = t.verdict;
	if (t.tail.len) {
		in = reader_of(t.tail.at, t.tail.len);
		lease_read(&in, &g);
	}
	if (l->trace)
		printf("%10.3f node %u kind %u address %u: %s by %d in %u.%u, asked %.3f, holder %d fence %u\n",
		       (double)l->now_ns / 1e9, node, t.kind, (unsigned)lab_ip(&a->op.ip), verdict_text(t.verdict),
		       lab_named(l, t.primary), t.view.generation, t.view.number, (double)a->asked_ns / 1e9,
		       lab_named(l, g.holder), (unsigned)g.fence.grant);
	if (t.kind == OP_GET) {
		/* who believed from before the question until now must be the answer */
		for (unsigned i = 0; i < 64; i++) {
			const struct lab_belief *b = &l->belief[i];

			if (lab_believes(l, b) && b->ip == lab_ip(&a->op.ip) && b->since_ns < a->asked_ns &&
			    (t.verdict != VERDICT_OK || lab_named(l, g.holder) != b->node)) {
				snprintf(l->why, sizeof(l->why), "address %u node %u", (unsigned)b->ip, b->node);
				lab_wrong(l, "a read did not see the owner");
			}
		}
	} else if (t.verdict == VERDICT_OK && t.kind != OP_RELEASE) {
		lab_granted(l, a, &g);
	}
}

/* ---- time ---- */

/** lab_step() - The next thing happens; false if nothing will before @end_ns */
static inline bool lab_step(struct lab *l, int64_t end_ns)
{
	int64_t at = end_ns;
	int what = 0;
	unsigned which = 0;

	for (unsigned i = 0; i < l->mails; i++)
		if (l->mail[i].at_ns < at) {
			at = l->mail[i].at_ns;
			what = 1;
			which = i;
		}
	for (unsigned i = 0; i < l->nodes; i++) {
		struct lab_node *n = &l->node[i];

		if (!n->dht)
			continue;
		if (n->pendings && n->pending[0].at_ns < at) {
			at = n->pending[0].at_ns;
			what = 2;
			which = i;
		}
		if (n->timer_ns < at && (n->paused_ns > n->timer_ns ? n->paused_ns : n->timer_ns) < at) {
			at = n->paused_ns > n->timer_ns ? n->paused_ns : n->timer_ns;
			what = 3;
			which = i;
		}
	}
	if (l->ring_ns && l->ring_ns < at) {
		at = l->ring_ns;
		what = 5;
	}
	for (unsigned i = 0; i < l->asks; i++)
		if (l->ask[i].open && l->ask[i].again_ns < at) {
			at = l->ask[i].again_ns;
			what = 4;
			which = i;
		}
	if (at > l->now_ns)
		l->now_ns = at;
	switch (what) {
	case 1:
		lab_deliver(l, which);
		break;
	case 2:
		lab_saved(&l->node[which]);
		break;
	case 3:
		lab_timers(&l->node[which]);
		break;
	case 5:
		l->ring_ns = 0;
		for (unsigned i = 0; i < l->nodes; i++) {
			if (!l->node[i].dht || l->node[i].paused_ns > l->now_ns)
				continue;
			lab_enter(&l->node[i]);
			dht_ring(l->node[i].dht, &l->node[i].env);
			lab_leave(&l->node[i]);
		}
		break;
	case 4:
		if (l->now_ns >= l->ask[which].ends_ns)
			l->ask[which].open = false;
		else
			lab_send(l, &l->ask[which]);
		break;
	}
	return what && !l->wrong;
}

static inline void lab_run(struct lab *l, int64_t ns)
{
	int64_t end = l->now_ns + ns;

	while (lab_step(l, end))
		;
}

/** lab_dump() - who keeps what, for whoever reads a trace */
static inline void lab_dump(const struct lab *l, unsigned only)
{
	for (unsigned i = 0; i < l->nodes; i++) {
		const struct replicas *rs = l->node[i].dht && (only == i || only == NODES_MAX) ? l->node[i].dht->replicas : NULL;

		for (unsigned k = 0; rs && k < rs->count; k++) {
			const struct replica *r = rs->at[k];

			printf("    node %u slot %u/%u view %u.%u %s%s%s%s%s%s%s promised %u accepted %u stage %u%s doubt %d:", i,
			       r->slot.kind, (unsigned)r->slot.number, r->view.name.generation, r->view.name.number,
			       r->proven ? "proven " : "", r->complete ? "complete " : "", r->writer ? "writer " : "",
			       r->unborn ? "unborn " : "", r->change ? "change " : "", r->pull ? "pull " : "",
			       r->rejoin ? "rejoin " : "", (unsigned)r->promised, (unsigned)r->accepted,
			       r->stage ? (unsigned)r->stage->ballot : 0, r->stage && r->stage->done ? "!" : "", r->doubt_ns != 0);
			for (unsigned m = 0; m < r->view.members; m++)
				printf(" %d/%u", lab_named(l, r->view.member[m].id), (unsigned)r->view.member[m].life.count);
			printf("\n");
		}
	}
}

static inline struct party *lab_parties(void)
{
	static struct party p[NODES_MAX];

	if (!p[0].chain_len)
		for (unsigned i = 0; i < NODES_MAX; i++)
			party_init(&p[i], &suite_sodium, i + 1, 100);
	return p;
}

/** lab_sign() - the network's record as it is in @l->record now, for nodes that start from here on */
static inline void lab_sign(struct lab *l)
{
	uint8_t key[SIGN_BYTES];
	struct writer w = writer_of(l->blob, sizeof(l->blob));

	party_key(&suite_sodium, 100, key);
	if (!network_sign(&l->suite, key, &l->record, &w))
		abort();
	l->blob_len = writer_len(&w);
}

static inline struct lab *lab_new(uint64_t seed, unsigned nodes, unsigned founders, unsigned replicas)
{
	struct lab *l = calloc(1, sizeof(*l));
	struct party *p = lab_parties();
	uint8_t key[SIGN_BYTES];

	l->dice = seed;
	l->now_ns = 100 * NS_PER_S;
	l->nodes = nodes;
	l->suite = yes_suite();
	party_key(&suite_sodium, 100, key);
	network_defaults(&l->record);
	memcpy(l->record.key, key + KEY_BYTES, KEY_BYTES);
	memcpy(l->record.name, "lab", 4);
	memcpy(l->record.domain, "lab", 4);
	l->record.id = network_id(l->record.key);
	l->record.range4 = (struct ip_range){ ip_v4(0x0a000000), 24 };
	l->record.term_s = 10;
	l->record.drift_ppm = 1000;
	l->record.replicas = (uint8_t)replicas;
	l->record.founders = (uint8_t)founders;
	for (unsigned i = 0; i < founders; i++)
		l->record.founder[i] = p[i].self.id;
	lab_sign(l);
	for (unsigned i = 0; i < nodes; i++) {
		struct lab_node *n = &l->node[i];

		n->lab = l;
		n->party = &p[i];
		n->timer_ns = INT64_MAX;
		n->drift_ppm = (int64_t)lab_below(l, 2001) - 1000;
		n->offset_ns = (int64_t)lab_below(l, 1000) * NS_PER_S;
		n->fx.save = n->save;
		n->fx.max_saves = EFFECTS_ROOM;
		n->fx.bytes = malloc(EFFECTS_BYTES);
		n->fx.max_bytes = EFFECTS_BYTES;
	}
	return l;
}

static inline void lab_free(struct lab *l)
{
	for (unsigned i = 0; i < l->nodes; i++) {
		lab_crash(l, i);
		disk_clear(&l->node[i].disk);
		disk_clear(&l->node[i].old);
		free(l->node[i].fx.bytes);
	}
	while (l->mails)
		free(l->mail[--l->mails].data);
	free(l);
}

#endif /* REPLICA_LAB_H */
