/*
 * Neighbour lists (NEAR) and link tables (TABLE).
 *
 * Both are sent when they change, never on a clock: what we know first-hand at
 * once, hearsay after a moment in which more may come together. A lost list is
 * noticed by its version, which every probe carries, and asked for (ASK).
 */
#include <string.h>

#include "core/ring/parts.h"

enum { LIST_MAX = 2 * NEAR_KNOW_MAX, TABLE_MAX = 255, NEAR_BYTES = 1080 };
#define FIRST_HAND_NS	(10 * NS_PER_MS)
#define HEARSAY_NS	(300 * NS_PER_MS)
#define TABLE_NS	(3 * NS_PER_S)

static void versions(struct ring *r)
{
	links_versions(r->links, r->near_version, r->table_version);
}

void gossip_changed(struct ring *r, struct env *e, bool first_hand)
{
	r->changes++;
	(void)r;
	timer_soon(e, RING_GOSSIP, first_hand ? FIRST_HAND_NS : HEARSAY_NS);
}

void gossip_table_changed(struct ring *r, struct env *e)
{
	(void)r;
	if (heap_due(&e->timers, RING_TABLE) == INT64_MAX)
		heap_set(&e->timers, &e->mem, RING_TABLE, e->now_ns + random_around(&e->random, TABLE_NS));
}

static bool near_peer(const struct ring_peer *p)
{
	return p->up && (p->use & USE_NEAR || p->wants & USE_NEAR);
}

/* Does the link to @p belong to our link table? Ways in and strangers do not. */
static bool in_table(const struct env *e, const struct ring_peer *p)
{
	uint8_t use = p->use | (e->config->one_way ? 0 : p->wants);

	return peer_stands(p) && use & (USE_NEAR | USE_LONG_OUT);
}

static uint32_t mix(uint32_t h, uint64_t v)
{
	return (uint32_t)((h ^ v ^ v >> 32) * 0x9e3779b1u) ^ h >> 15;
}

/* What our lists say, in one number: an unchanged list is not sent again. */
static uint32_t near_sum(const struct ring *r)
{
	uint32_t h = 1;

	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < r->near.count[s]; i++)
			if (r->near.known[s][i].hops < near_depth(&r->near))
				h = mix(mix(h, r->near.known[s][i].id.hi), (uint64_t)s);
	return mix(h, r->state == RING_JOINED);
}

static uint32_t table_sum(const struct ring *r, const struct env *e)
{
	uint32_t h = 0;			/* order does not matter: slots come and go */

	for (unsigned i = 0; i < r->peers; i++)
		if (in_table(e, &r->peer[i]))
			h += mix(1, r->peer[i].id.hi);
	return h;
}

/* Both sides in turn, nearest first, as far as the bytes go; nothing goes back to who told it. */
void gossip_write(const struct ring *r, const struct env *e, struct writer *w, link_ref to)
{
	struct id reader = r->peer[to.slot].id;
	unsigned rank[SIDES] = { 0, 0 }, count = 0, gones;
	struct id gone[NEAR_GONE];
	uint8_t *place;

	write_u8(w, r->near_version);
	write_u8(w, r->state == RING_JOINED ? STATUS_JOINED : 0);
	gones = near_gone(&r->near, e, gone, NEAR_GONE);
	write_u8(w, (uint8_t)gones);
	for (unsigned i = 0; i < gones; i++)
		write_id(w, gone[i]);
	place = write_space(w, 1);
	for (unsigned turn = 0; rank[LEFT] < r->near.count[LEFT] || rank[RIGHT] < r->near.count[RIGHT]; turn++) {
		enum side s = turn % 2 ? RIGHT : LEFT;
		const struct known *k;
		struct contact c;

		if (rank[s] >= r->near.count[s])
			continue;
		k = &r->near.known[s][rank[s]++];
		if (k->hops >= near_depth(&r->near) || k->told_by == to.slot || id_eq(k->id, reader))
			continue;
		if (s == RIGHT && near_find(&r->near, LEFT, k->id) && rank[LEFT] >= r->near.count[LEFT])
			continue;		/* a small ring: it stood on the other side */
		if (writer_len(w) + 45 > NEAR_BYTES)
			break;
		c = (struct contact){ .id = k->id, .has_id = true };
		if (endpoint_valid(&k->at)) {
			c.at[0] = k->at;
			c.ats = 1;
		}
		contact_write(w, &c);
		write_u8(w, k->hops);
		count++;
	}
	if (place)
		*place = (uint8_t)count;
}

void gossip_send(struct ring *r, struct env *e, link_ref ref)
{
	struct writer w = links_message(e, r->links, ref, MESSAGE_NEAR, NEAR_BYTES + 64);

	gossip_write(r, e, &w, ref);
	links_sent(e, r->links, ref, &w);
}

void gossip_table_send(struct ring *r, struct env *e, link_ref ref)
{
	struct writer w;
	unsigned count = 0;
	uint8_t *place;

	if (!e->config->lookahead)
		return;
	w = links_message(e, r->links, ref, MESSAGE_TABLE, 5 + 4 * TABLE_MAX);
	write_u8(&w, r->table_version);
	write_u16(&w, near_log2_size(&r->near));
	place = write_space(&w, 1);
	for (unsigned i = 0; i < r->peers && count < TABLE_MAX; i++)
		if (in_table(e, &r->peer[i]) && i != ref.slot) {
			write_u32(&w, id_prefix(r->peer[i].id));
			count++;
		}
	if (place)
		*place = (uint8_t)count;
	links_sent(e, r->links, ref, &w);
}

struct list {
	struct id id[LIST_MAX];
	unsigned count;
};

static bool kept(const void *list, struct id id)
{
	const struct list *l = list;

	for (unsigned i = 0; i < l->count; i++)
		if (id_eq(l->id[i], id))
			return true;
	return false;
}

/*
 * One of our links ends in a node that is said to be gone. Whoever says so waited
 * for it as long as a suspicion takes; if it was silent for us as well, we ask it,
 * for the turn of a link that is no neighbour's may come a minute later.
 */
static void doubt_told(struct ring *r, struct env *e, struct id gone)
{
	link_ref ref = peer_find(r, gone);
	struct link_view v;

	if (link_ok(ref) && links_view(r->links, ref, &v) &&
	    env_ms(e) - v.heard_ms >= (uint32_t)(e->config->suspect_ns / NS_PER_MS))
		links_doubt(e, r->links, ref);
}

void gossip_read(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct ring_peer *p = peer_at(r, from);
	uint8_t version = read_u8(in), flags = read_u8(in), gone = read_u8(in), count;
	struct list list = { .count = 0 };
	bool changed = false, vouches = near_peer(p);

	for (unsigned i = 0; i < gone && reader_ok(in); i++) {
		struct id id = read_id(in);

		if (!reader_ok(in) || !vouches || id_eq(id, p->id))
			continue;
		doubt_told(r, e, id);
		changed |= near_told_gone(&r->near, e, id);
	}
	count = read_u8(in);
	for (unsigned i = 0; i < count; i++) {
		struct contact c = contact_read(in);
		uint8_t hops = read_u8(in);

		if (!reader_ok(in) || !c.has_id || !hops) {
			env_drop(e, DROP_VALUE);
			return;
		}
		if (list.count < LIST_MAX)
			list.id[list.count++] = c.id;
		changed |= near_add(&r->near, e, c.id, c.ats ? &c.at[0] : NULL,
				    vouches ? (uint8_t)(hops + 1) : HEARSAY, vouches ? from.slot : UINT16_MAX);
	}
	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	changed |= near_retract(&r->near, from.slot, kept, &list);
	p->vouches = vouches;
	p->near_seen = version;
	p->has_near = 1;
	p->asked = 0;
	if (flags & STATUS_JOINED)
		peers_joined(r, e, from);
	if (changed) {
		gossip_changed(r, e, false);
		peers_size(r, e);
		peers_review(r, e);
		join_review(r, e);
	}
}

/* @table holds @count in order, smallest first; @new joins them. */
static void insert(uint32_t *table, unsigned count, uint32_t new)
{
	while (count && table[count - 1] > new) {
		table[count] = table[count - 1];
		count--;
	}
	table[count] = new;
}

void gossip_table_read(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct ring_peer *p = peer_at(r, from);
	uint8_t version = read_u8(in);
	uint16_t size = read_u16(in);
	uint8_t count = read_u8(in);

	if (reader_left(in) != 4u * count || !reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (size > NEAR_LOG2_MAX) {
		env_drop(e, DROP_RANGE);
		return;
	}
	p->log2_size = size;
	if (!e->config->lookahead)
		count = 0;
	if (count != p->prefixes && !mem_grow(&e->mem, &p->prefix, &p->prefixes, count, sizeof(*p->prefix))) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		insert(p->prefix, i, read_u32(in));
	p->table_seen = version;
	p->has_table = 1;
	p->asked = 0;
	peers_size(r, e);
}

static void ask(struct ring *r, struct env *e, link_ref ref, uint8_t what)
{
	struct writer w = links_message(e, r->links, ref, MESSAGE_ASK, 1);

	write_u8(&w, what);
	links_sent(e, r->links, ref, &w);
}

/* Some names nobody vouches for any more: do our neighbours? Their lists go out when they change, not when ours do. */
void gossip_ask_around(struct ring *r, struct env *e)
{
	bool any = false;

	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < r->near.count[s]; i++)
			any |= near_hearsay(&r->near.known[s][i]);
	for (unsigned i = 0; any && i < r->peers; i++)
		if (r->peer[i].up && r->peer[i].use & USE_NEAR)
			ask(r, e, (link_ref){ (uint16_t)i }, ASK_FOR_NEAR);
}

void gossip_ask_all(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->peers; i++)
		if (near_peer(&r->peer[i]))
			ask(r, e, (link_ref){ (uint16_t)i }, ASK_FOR_NEAR);
}

void gossip_asked(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	uint8_t what = read_u8(in);

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (what & ASK_FOR_NEAR)
		gossip_send(r, e, from);
	if (what & ASK_FOR_TABLE)
		gossip_table_send(r, e, from);
}

void gossip_versions(struct ring *r, struct env *e, const struct news *n)
{
	struct ring_peer *p = peer_at(r, n->link);
	uint8_t what = 0;

	if (near_peer(p) && (!p->has_near || p->near_seen != (uint8_t)n->a))
		what |= ASK_FOR_NEAR;
	if (e->config->lookahead && p->member && (!p->has_table || p->table_seen != (uint8_t)n->b))
		what |= ASK_FOR_TABLE;
	if (what)
		ask(r, e, n->link, what);
}

void gossip_timer(struct ring *r, struct env *e, uint16_t tag)
{
	bool near = tag == RING_GOSSIP;
	uint32_t sum = near ? near_sum(r) : table_sum(r, e);

	if (r->state >= RING_LEFT || sum == (near ? r->near_sum : r->table_sum))
		return;
	if (near) {
		r->near_version++;
		r->near_sum = sum;
	} else {
		r->table_version++;
		r->table_sum = sum;
	}
	versions(r);
	for (unsigned i = 0; i < r->peers; i++) {
		link_ref ref = { (uint16_t)i };

		if (near && near_peer(&r->peer[i]))
			gossip_send(r, e, ref);
		else if (!near && e->config->lookahead && peer_stands(&r->peer[i]))
			gossip_table_send(r, e, ref);
	}
}
