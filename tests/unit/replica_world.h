/*
 * replica_world.h - nodes with slots, and a world that does to them what worlds do
 *
 *	lab ──┬── node 0 ── struct dht ── disk: what is durable, and saves that are not yet
 *	      ├── node 1 ── ...
 *	      └── mail: late, out of order, twice, lost; cut by partitions
 *
 * The ring is what the lab says it is; a death or a cut is noticed after a
 * while. Each node's clock runs at its own rate. Everything follows from one
 * number. What goes by is told to lab_look() and lab_answer(), in replica_lab.h.
 */
#ifndef REPLICA_WORLD_H
#define REPLICA_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "core/dht/replica.h"
#include "tests/fuzz/yes_suite.h"
#include "tests/unit/party.h"

enum { NODES_MAX = 7, MAILS_MAX = 4096, ITEMS_MAX = 2048, PENDING_MAX = 2048, ASKS_MAX = 64, SEEN_MAX = 1 << 14 };

struct lab_mail {
	int64_t at_ns;
	struct id from;
	uint8_t to, body;
	uint16_t len;
	uint8_t *data;
};

struct lab_item {
	uint64_t part, token;
	int64_t at_ns;			/* pending: when it is durable */
	uint32_t len;
	uint8_t kind;
	uint8_t *data;
};

struct lab_disk {
	struct lab_item item[ITEMS_MAX];
	unsigned count;
};

struct lab;

struct lab_node {
	struct lab *lab;
	struct party *party;
	struct env env;
	struct effects fx;
	struct save save[EFFECTS_ROOM];
	struct dht *dht;		/* NULL: stopped */
	struct lab_disk disk, old;	/* old: a snapshot of it, once */
	struct lab_item pending[PENDING_MAX];
	unsigned pendings;
	int64_t drift_ppm, offset_ns, died_ns, cut_ns, paused_ns, timer_ns;
	uint8_t side;			/* of a partition; 0 = with everybody */
	bool lost;			/* its disk did not survive whole */
	bool alone;			/* was a view of one: its disk alone knew */
	unsigned changes;
	uint64_t shape;			/* of what it keeps, for traces */
};

/** struct lab_ask - one op by one client, until answered or given up */
struct lab_ask {
	struct op op;
	uint8_t bytes[700];
	uint16_t len;
	uint8_t node, tries;
	int64_t asked_ns, first_ns, again_ns, ends_ns;
	bool open;
};

struct lab_belief {
	uint64_t ip;			/* index */
	uint8_t node;
	struct fence fence;
	int64_t since_ns, until_ns;	/* of the node's clock */
	bool on;
};

struct lab {
	struct suite suite;
	struct network_record record;
	uint8_t blob[NETWORK_RECORD_MAX];
	size_t blob_len;
	unsigned nodes;
	struct lab_node node[NODES_MAX];
	int64_t now_ns, ring_ns;	/* ring_ns: a change is noticed */
	uint64_t dice;
	struct lab_mail mail[MAILS_MAX];
	unsigned mails;
	struct lab_ask ask[ASKS_MAX];
	unsigned asks;
	uint64_t nonce;
	unsigned loss_pm, twice_pm;	/* per mille */
	struct { uint64_t key, content; } seen[SEEN_MAX];	/* what was ever said under one name */
	unsigned seens;
	struct lab_belief belief[64];
	unsigned granted, answered, changes, steps, posted;
	uint8_t said;			/* the last verdict, and the last grant's fence */
	struct fence last;
	const char *wrong;		/* the first rule seen broken */
	char why[200];
	bool trace;
};

static inline uint64_t lab_dice(struct lab *l)
{
	uint64_t x = l->dice += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline unsigned lab_below(struct lab *l, unsigned n)
{
	return (unsigned)(lab_dice(l) % n);
}

static inline void lab_wrong(struct lab *l, const char *rule)
{
	if (!l->wrong) {
		l->wrong = rule;
		if (l->trace)
			printf("%10.3f WRONG %s %s\n", (double)l->now_ns / 1e9, rule, l->why);
	}
}

static inline int lab_named(const struct lab *l, struct id id)
{
	for (unsigned i = 0; i < l->nodes; i++)
		if (id_eq(l->node[i].party->self.id, id))
			return (int)i;
	return -1;
}

/* ---- the ring as it is seen ---- */

enum { NOTICE_MS = 2000 };

static inline bool lab_cut(const struct lab *l, unsigned a, unsigned b)
{
	return l->node[a].side != l->node[b].side;
}

static inline bool lab_seen_dead(const struct lab_node *n, unsigned i)
{
	const struct lab *l = n->lab;
	const struct lab_node *o = &l->node[i];
	int64_t cut = o->cut_ns > n->cut_ns ? o->cut_ns : n->cut_ns;

	if (!o->dht)
		return l->now_ns > o->died_ns + NOTICE_MS * NS_PER_MS;
	return lab_cut(l, (unsigned)(n - l->node), i) && l->now_ns > cut + NOTICE_MS * NS_PER_MS;
}

static inline unsigned lab_around(void *arg, struct id point, struct id *out, unsigned max)
{
	struct lab_node *n = arg;
	const struct lab *l = n->lab;
	unsigned count = 0;
	struct id all[NODES_MAX];

	for (unsigned i = 0; i < l->nodes; i++)
		if (!lab_seen_dead(n, i) && (l->node[i].dht || l->node[i].died_ns))
			all[count++] = l->node[i].party->self.id;
	for (unsigned i = 1; i < count; i++)
		for (unsigned k = i; k && id_less(id_distance(all[k], point), id_distance(all[k - 1], point)); k--) {
			struct id t = all[k];

			all[k] = all[k - 1];
			all[k - 1] = t;
		}
	if (count > max)
		count = max;
	memcpy(out, all, count * sizeof(*all));
	return count;
}

static inline bool lab_dead(void *arg, struct id id)
{
	struct lab_node *n = arg;
	int i = lab_named(n->lab, id);

	return i >= 0 && lab_seen_dead(n, (unsigned)i);
}

/* Whoever follows @point, as @n sees it; -1: nobody is there */
static inline int lab_owner(struct lab_node *n, struct id point)
{
	struct id all[NODES_MAX];
	unsigned count = lab_around(n, point, all, NODES_MAX), first = 0;

	for (unsigned i = 1; i < count; i++)
		if (id_less(id_clockwise(point, all[i]), id_clockwise(point, all[first])))
			first = i;
	return count ? lab_named(n->lab, all[first]) : -1;
}

static inline bool lab_owns(void *arg, struct id point)
{
	struct lab_node *n = arg;

	return lab_owner(n, point) == n - n->lab->node;
}

static inline bool lab_joined(void *arg)
{
	(void)arg;
	return true;
}

static inline bool lab_watches(void *arg, struct id id)
{
	(void)arg, (void)id;
	return true;
}

static const struct dht_eyes lab_eyes = { lab_around, lab_dead, lab_owns, lab_joined, lab_watches };

/* ---- mail ---- */

static inline void lab_post(struct lab *l, struct id from, unsigned to, uint8_t body, struct bytes head, struct bytes data)
{
	int sender = lab_named(l, from);
	unsigned copies = lab_below(l, 1000) < l->twice_pm ? 2 : 1;

	l->posted++;
	if ((unsigned)sender != to && lab_below(l, 1000) < l->loss_pm)
		return;
	while (copies-- && l->mails < MAILS_MAX) {
		struct lab_mail *m = &l->mail[l->mails++];
		unsigned ms = lab_below(l, 100) < 97 ? 1 + lab_below(l, 80) : 1 + lab_below(l, 4000);

		*m = (struct lab_mail){
			.at_ns = l->now_ns + ms * NS_PER_MS, .from = from, .to = (uint8_t)to, .body = body,
			.len = (uint16_t)(head.len + data.len), .data = malloc(head.len + data.len + 1),
		};
		if (head.len)
			memcpy(m->data, head.at, head.len);
		if (data.len)
			memcpy(m->data + head.len, data.at, data.len);
	}
}

static inline enum drop lab_wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
				 struct bytes data, const struct id *via)
{
	struct lab_node *n = arg;
	int at = mode == ROUTE_OWNER ? lab_owner(n, to) : lab_named(n->lab, to);

	(void)e, (void)via;
	if (at >= 0)
		lab_post(n->lab, n->party->self.id, (unsigned)at, body, head, data);
	return DROP_NONE;
}

/* ---- disks ---- */

static inline void disk_put(struct lab_disk *d, const struct lab_item *it)
{
	unsigned i = 0;

	while (i < d->count && (d->item[i].part != it->part || d->item[i].kind != it->kind))
		i++;
	if (i < d->count) {
		free(d->item[i].data);
		d->item[i] = d->item[--d->count];
	}
	if (!it->len) {
		free(it->data);
		return;
	}
	if (d->count < ITEMS_MAX)
		d->item[d->count++] = *it;
}

static inline void disk_clear(struct lab_disk *d)
{
	while (d->count)
		free(d->item[--d->count].data);
}

static inline void disk_copy(struct lab_disk *to, const struct lab_disk *from)
{
	disk_clear(to);
	for (unsigned i = 0; i < from->count; i++) {
		to->item[i] = from->item[i];
		to->item[i].data = malloc(from->item[i].len);
		memcpy(to->item[i].data, from->item[i].data, from->item[i].len);
	}
	to->count = from->count;
}

static inline int item_cmp(const void *a, const void *b)
{
	const struct lab_item *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

/* ---- nodes ---- */

static inline void lab_enter(struct lab_node *n)
{
	struct lab *l = n->lab;

	n->env.now_ns = n->offset_ns + l->now_ns + l->now_ns / 1000000 * n->drift_ppm;
	n->fx.saves = n->fx.records = n->fx.sends = 0;
	n->fx.used = 0;
	n->env.fx = &n->fx;
}

static void lab_look(struct lab *l, struct lab_node *n);

static inline void lab_leave(struct lab_node *n)
{
	struct lab *l = n->lab;

	for (unsigned i = 0; i < n->fx.saves; i++) {
		const struct save *s = &n->fx.save[i];
		int64_t last = n->pendings ? n->pending[n->pendings - 1].at_ns : 0;
		int64_t at = l->now_ns + lab_below(l, 15) * NS_PER_MS;

		if (n->pendings == PENDING_MAX)
			abort();
		n->pending[n->pendings++] = (struct lab_item){
			.part = s->part, .token = s->token, .kind = s->kind, .len = s->len,
			.data = malloc(s->len + 1), .at_ns = at > last ? at : last,
		};
		if (s->len)
			memcpy(n->pending[n->pendings - 1].data, s->data, s->len);
	}
	n->env.fx = NULL;
	n->timer_ns = heap_next(&n->env.timers);
	if (n->timer_ns != INT64_MAX) {		/* in the lab's time, rounded up */
		int64_t rate = 1000000 + n->drift_ppm, left = n->timer_ns - n->offset_ns;

		n->timer_ns = left / rate * 1000000 + left % rate * 1000000 / rate + NS_PER_MS;
	}
	l->steps++;
	lab_look(l, n);
}

static inline void lab_start(struct lab *l, unsigned i)
{
	static uint8_t saved[1 << 21];
	struct lab_node *n = &l->node[i];
	struct writer w = writer_of(saved, sizeof(saved));
	uint8_t seed[KEY_BYTES];

	qsort(n->disk.item, n->disk.count, sizeof(n->disk.item[0]), item_cmp);
	for (unsigned k = 0; k < n->disk.count; k++) {
		const struct lab_item *it = &n->disk.item[k];
		const struct saved s = { it->part, { it->data, it->len }, it->kind };

		saved_write(&w, &s);
	}
	n->env = n->party->env;
	n->env.suite = &l->suite;
	n->env.mem.quota = 64 << 20;
	n->env.mem.used = 0;
	for (unsigned k = 0; k < sizeof(seed); k += 8) {
		uint64_t x = lab_dice(l);

		memcpy(seed + k, &x, 8);
	}
	random_seed(&n->env.random, seed);
	lab_enter(n);
	heap_init(&n->env.timers, n->env.now_ns);
	n->env.birth_ns = n->env.now_ns;
	n->dht = dht_new(&n->env, NULL, &n->party->self);
	n->dht->wire = lab_wire;
	n->dht->wire_arg = n;
	n->dht->eyes = &lab_eyes;
	n->side = 0;
	n->cut_ns = n->paused_ns = 0;
	if (!dht_network(n->dht, &n->env, (struct bytes){ l->blob, l->blob_len },
			 (struct bytes){ n->party->chain, n->party->chain_len }))
		abort();
	dht_start(n->dht, &n->env, (struct bytes){ saved, writer_len(&w) }, RUN_UNKNOWN);
	lab_leave(n);
}

/* What was not durable is gone. */
static inline void lab_crash(struct lab *l, unsigned i)
{
	struct lab_node *n = &l->node[i];

	if (!n->dht)
		return;
	dht_free(n->dht, &n->env);
	heap_done(&n->env.timers, &n->env.mem);
	if (n->env.mem.used)
		lab_wrong(l, "memory was left behind");
	n->dht = NULL;
	n->died_ns = l->now_ns;
	l->ring_ns = l->now_ns + NOTICE_MS * NS_PER_MS + 1;
	n->timer_ns = INT64_MAX;
	while (n->pendings)
		free(n->pending[--n->pendings].data);
	for (unsigned k = 0; k < l->asks; k++)
		if (l->ask[k].node == i)
			l->ask[k].open = false;
	for (unsigned k = 0; k < 64; k++)
		if (l->belief[k].node == i)
			l->belief[k].on = false;
}

static inline void lab_saved(struct lab_node *n)
{
	struct lab_item it = n->pending[0];

	n->pendings--;
	memmove(n->pending, n->pending + 1, n->pendings * sizeof(it));
	disk_put(&n->disk, &it);
	lab_enter(n);
	dht_saved(n->dht, &n->env, it.token);
	lab_leave(n);
}

static inline void lab_timers(struct lab_node *n)
{
	uint16_t tag;

	lab_enter(n);
	for (unsigned k = 0; k < 32 && heap_pop(&n->env.timers, n->env.now_ns, &tag); k++)
		dht_timer(n->dht, &n->env, tag);
	lab_leave(n);
}

static void lab_answer(struct lab *l, unsigned node, struct bytes data);

static inline void lab_deliver(struct lab *l, unsigned i)
{
	struct lab_mail m = l->mail[i];
	struct lab_node *n = &l->node[m.to];
	struct ring_mail rm = { .to = n->party->self.id, .from = m.from, .body = m.body, .data = { m.data, m.len } };
	int from = lab_named(l, m.from);

	l->mail[i] = l->mail[--l->mails];
	if (n->dht && n->paused_ns > l->now_ns) {	/* it waits in the socket */
		m.at_ns = n->paused_ns + NS_PER_MS * lab_below(l, 5);
		l->mail[l->mails++] = m;
		return;
	}
	if (n->dht && !lab_cut(l, (unsigned)from, m.to)) {
		if (m.body == BODY_ANSWER) {
			lab_answer(l, m.to, rm.data);
		} else {
			lab_enter(n);
			dht_mail(n->dht, &n->env, &rm);
			lab_leave(n);
		}
	}
	free(m.data);
}

#endif /* REPLICA_WORLD_H */
