/*
 * Link peers: what each is to us, what we want of it, what it wants of us.
 *
 * Every link has a use or goes. Uses are told to the peer (STATUS), so that a
 * link that one side needs is not closed by the other.
 */
#include <string.h>

#include "core/base/fixed.h"
#include "core/ring/label.h"
#include "core/ring/parts.h"

enum { SAID_NOTHING = 0xff, SAY_TRIES = 6 };
#define SAY_AGAIN_NS	(1 * NS_PER_S)
#define UNUSED_AFTER_MS	8000u
#define LEAF_MS		8000u
#define MERGE_MS	20000u		/* a peer called to see whether its ring is ours */
#define GONE_DEAD_MS	20000u
#define GONE_LEFT_MS	60000u
#define GONE_FAILED_MS	20000u

struct ring_peer *peer_at(struct ring *r, link_ref ref)
{
	return &r->peer[ref.slot];
}

link_ref peer_find(const struct ring *r, struct id id)
{
	for (unsigned i = 0; i < r->peers; i++)
		if (r->peer[i].up && id_eq(r->peer[i].id, id))
			return (link_ref){ (uint16_t)i };
	return LINK_NONE;
}

unsigned peers_using(const struct ring *r, uint8_t use)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->peers; i++)
		n += r->peer[i].up && r->peer[i].use & use;
	return n;
}

unsigned peers_wanting(const struct ring *r, uint8_t use)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->peers; i++)
		n += r->peer[i].up && r->peer[i].wants & use;
	return n;
}

static uint8_t status_flags(const struct ring *r)
{
	return (uint8_t)((r->state == RING_JOINED ? STATUS_JOINED : 0) |
			 (r->state >= RING_LEAVING ? STATUS_LEAVING : 0));
}

/* Say what we are and want. It is said again, a few times, until it is acknowledged. */
static void say(struct ring *r, struct env *e, unsigned slot)
{
	struct ring_peer *p = &r->peer[slot];
	struct writer w = links_message(e, r->links, (link_ref){ (uint16_t)slot }, MESSAGE_STATUS, 4);

	write_u8(&w, status_flags(r));
	write_u8(&w, p->use);
	write_u16(&w, near_log2_size(&r->near));
	links_sent(e, r->links, (link_ref){ (uint16_t)slot }, &w);
	p->said = p->use;
	if (p->unheard < SAY_TRIES)
		p->unheard++;
	timer_soon(e, RING_SAY, SAY_AGAIN_NS);
}

void peers_say_again(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->peers; i++)
		if (r->peer[i].up && r->peer[i].unheard && r->peer[i].unheard < SAY_TRIES)
			say(r, e, i);
}

void peers_status_ack(struct ring *r, struct env *e, link_ref ref, struct reader *in)
{
	struct ring_peer *p = peer_at(r, ref);
	uint8_t flags = read_u8(in), use = read_u8(in);

	if (!reader_ok(in))
		env_drop(e, DROP_SHORT);
	else if (flags == status_flags(r) && use == p->use)
		p->unheard = 0;
}

void peers_want(struct ring *r, struct env *e, link_ref ref, uint8_t use)
{
	struct ring_peer *p = peer_at(r, ref);

	p->use |= use;
	p->since_ms = env_ms(e);
	if (p->said != p->use) {
		say(r, e, ref.slot);
		gossip_table_changed(r, e);
	}
}

/* The log-densities that all link peers see, averaged (DESIGN section 5). */
void peers_size(struct ring *r, struct env *e)
{
	uint32_t sum, n;

	if (e->config->nodes) {
		if (!r->log2_size)
			r->log2_size = (uint16_t)(log2_q32(e->config->nodes) >> 24);
	} else {
		sum = near_log2_size(&r->near);
		n = sum ? 1 : 0;
		for (unsigned i = 0; i < r->peers; i++)
			if (r->peer[i].up && r->peer[i].log2_size) {
				sum += r->peer[i].log2_size;
				n++;
			}
		r->log2_size = (uint16_t)(n ? (sum + n / 2) / n : 0);
	}
	near_want(&r->near, e, r->log2_size);
}

/* A peer that stands on the ring is first-hand knowledge; so is that it does no longer. */
static void stands(struct ring *r, struct env *e, unsigned slot, bool stood)
{
	struct ring_peer *p = &r->peer[slot];
	struct contact c;

	if (!peer_stands(p))
		return;
	if (!links_contact(r->links, (link_ref){ (uint16_t)slot }, &c))
		c.ats = 0;
	if (near_add(&r->near, e, p->id, c.ats ? &c.at[0] : NULL, 1, (uint16_t)slot))
		gossip_changed(r, e, true);
	gossip_table_changed(r, e);
	if (!stood)
		gossip_table_send(r, e, (link_ref){ (uint16_t)slot });
}

/* The near neighbours on both sides get their use and every link its pace. */
void peers_review(struct ring *r, struct env *e)
{
	uint8_t rank[SIDES] = { 0, 0 };

	for (unsigned i = 0; i < r->peers; i++) {
		r->peer[i].was_near = !!(r->peer[i].use & USE_NEAR);
		r->peer[i].use &= (uint8_t)~(USE_NEAR | USE_RELAY);
	}
	for (unsigned i = 0; i < r->peers; i++) {
		link_ref relay = r->peer[i].up ? links_relay(r->links, (link_ref){ (uint16_t)i }) : LINK_NONE;

		if (link_ok(relay) && relay.slot < r->peers && r->peer[relay.slot].up)
			r->peer[relay.slot].use |= USE_RELAY;
	}
	for (int s = 0; r->placed && s < SIDES; s++)
		for (unsigned i = 0; i < r->near.count[s] && rank[s] < e->config->near; i++) {
			link_ref ref = peer_find(r, r->near.known[s][i].id);
			struct ring_peer *p;
			bool first;

			if (!link_ok(ref) || !peer_ok(peer_at(r, ref)))
				continue;
			p = peer_at(r, ref);
			first = !rank[s]++;
			if (first || !(p->use & USE_NEAR))
				links_pace(e, r->links, ref, first ? e->config->probe_next_ns :
							     e->config->probe_second_ns);
			p->use |= USE_NEAR;
		}
	for (unsigned i = 0; i < r->peers; i++) {
		struct ring_peer *p = &r->peer[i];

		if (!p->up)
			continue;
		if (p->use & USE_NEAR)
			p->since_ms = env_ms(e);
		else
			links_pace(e, r->links, (link_ref){ (uint16_t)i }, e->config->probe_far_ns);
		if (p->said != p->use) {
			say(r, e, i);
			gossip_table_changed(r, e);
		}
		if (p->vouches && !((p->use | p->wants) & USE_NEAR)) {
			near_orphan(&r->near, (uint16_t)i, false);
			p->vouches = 0;
		}
		if (p->use & USE_NEAR && !p->was_near)
			gossip_send(r, e, (link_ref){ (uint16_t)i });
	}
	/* the immediate ones last: one node may be first on one side and second on the other */
	for (int s = 0; s < SIDES; s++) {
		link_ref ref = ring_side(r, (enum side)s);

		if (link_ok(ref))
			links_pace(e, r->links, ref, e->config->probe_next_ns);
	}
}

void peers_up(struct ring *r, struct env *e, const struct news *n)
{
	struct ring_peer *p;
	struct contact c;

	if (n->link.slot >= r->peers &&
	    !mem_grow(&e->mem, &r->peer, &r->peers, (uint16_t)((n->link.slot | 3) + 1), sizeof(*r->peer))) {
		env_drop(e, DROP_MEMORY);
		links_close(e, r->links, n->link, END_FULL);
		return;
	}
	p = peer_at(r, n->link);
	*p = (struct ring_peer){
		.id = n->id, .up = 1, .said = SAID_NOTHING, .since_ms = env_ms(e),
	};
	near_back(&r->near, n->id);
	if (links_contact(r->links, n->link, &c))
		remember_add(&r->remember, e, &c, false);
	remember_met(&r->remember, e, n->id);
	demand_up(r, e, n->link);		/* first: a long link may be refused, one that traffic earned is not */
	longs_up(r, e, n->link);
	if (n->a && !p->use) {
		p->use |= USE_LEAF;
		p->merge = r->state == RING_JOINED;
	}
	r->changes += r->state < RING_JOINED;	/* a way in for mail */
	peers_review(r, e);
	if (p->said == SAID_NOTHING)
		say(r, e, n->link.slot);
	join_review(r, e);
}

static uint32_t gone_for(enum link_end why)
{
	switch (why) {
	case END_DEAD:
		return GONE_DEAD_MS;
	case END_LEAVE:
		return GONE_LEFT_MS;
	case END_UNREACHED:
		return GONE_FAILED_MS;
	default:
		return 0;
	}
}

static bool lost_without_goodbye(enum link_end why)
{
	return why == END_DEAD || why == END_UNREACHED || why == END_RESTARTED;
}

void peers_down(struct ring *r, struct env *e, const struct news *n)
{
	struct ring_peer *p = peer_at(r, n->link);
	bool stood = peer_stands(p), changed = false;

	p->up = 0;
	longs_down(r, e, n->link, n);
	switch (n->why) {
	case END_DEAD:
	case END_LEAVE:
	case END_RESTARTED:
	case END_UNREACHED:
		changed = near_del(&r->near, e, p->id, gone_for(n->why));
		break;
	default:
		break;
	}
	near_orphan(&r->near, n->link.slot, true);
	if (n->why == END_LEAVE)
		remember_forget(&r->remember, p->id);
	else
		remember_parted(&r->remember, e, p->id, lost_without_goodbye(n->why));
	mem_put(&e->mem, p->prefix, p->prefixes * sizeof(*p->prefix));
	*p = (struct ring_peer){ .id = ID_ZERO };
	route_link_gone(r, e, n->link);
	label_link_gone(r, e, n->link);
	if (r->state >= RING_LEAVING)
		return;
	if (changed)
		gossip_changed(r, e, true);
	if (stood)
		gossip_table_changed(r, e);
	peers_review(r, e);
	join_review(r, e);
	route_retry(r, e);
}

void peers_leaving(struct ring *r, struct env *e, link_ref ref, bool leaving)
{
	struct ring_peer *p = peer_at(r, ref);

	if (leaving != p->leaving)
		p->since_ms = env_ms(e);
	p->leaving = leaving;
}

/* A neighbour list says so: the STATUS that did was lost. */
void peers_joined(struct ring *r, struct env *e, link_ref ref)
{
	struct ring_peer *p = peer_at(r, ref);
	bool stood = peer_stands(p);

	if (p->member || p->leaving)
		return;
	p->member = 1;
	p->welcomed = 0;
	stands(r, e, ref.slot, stood);
	peers_review(r, e);
	join_review(r, e);
	if (!stood)
		route_retry(r, e);
}

void peers_status(struct ring *r, struct env *e, link_ref ref, struct reader *in)
{
	struct ring_peer *p = peer_at(r, ref);
	uint8_t flags = read_u8(in), wants = read_u8(in);
	uint16_t size = read_u16(in);
	bool stood = peer_stands(p);
	struct writer ack;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (size > NEAR_LOG2_MAX) {
		env_drop(e, DROP_RANGE);
		return;
	}
	ack = links_message(e, r->links, ref, MESSAGE_STATUS_ACK, 2);
	write_u8(&ack, flags);
	write_u8(&ack, wants);
	links_sent(e, r->links, ref, &ack);
	if (wants & USE_NEAR && !(p->wants & USE_NEAR) && !(p->use & USE_NEAR))
		gossip_send(r, e, ref);
	if (p->member && !(flags & STATUS_JOINED))
		p->welcomed = p->agreed = 0;	/* it lost its place and looks for it */
	p->member = !!(flags & STATUS_JOINED);
	peers_leaving(r, e, ref, flags & STATUS_LEAVING);
	p->wants = wants;
	p->log2_size = size;
	if (p->member)
		p->welcomed = 0;
	if (p->use & USE_LONG_OUT && p->drawn_size == 0)
		p->drawn_size = r->log2_size;
	/* a link that stays for another use may be a long one as well */
	if (wants == USE_LONG_OUT && !p->use && longs_full(r, e) &&
	    peers_wanting(r, USE_LONG_OUT) > 2 * longs_wanted(r, e)) {
		links_close(e, r->links, ref, END_REFUSED);
		return;
	}
	if (wants && !p->leaving)
		p->since_ms = env_ms(e);
	stands(r, e, ref.slot, stood);
	if (stood && !peer_stands(p)) {
		near_orphan(&r->near, ref.slot, true);
		gossip_changed(r, e, true);
	}
	peers_size(r, e);
	if (p->merge && p->member) {
		p->merge = 0;
		ask_find(r, e, r->self, FIND_NEAR, ref);
	}
	peers_review(r, e);
	join_review(r, e);
	if (!stood && peer_stands(p))
		route_retry(r, e);
}

void peers_close_unused(struct ring *r, struct env *e)
{
	uint32_t now = env_ms(e);
	uint16_t used;

	demand_keep(r, e);
	for (unsigned i = 0; i < r->peers; i++) {
		struct ring_peer *p = &r->peer[i];

		if (!p->up)
			continue;
		if (p->use & USE_LEAF && now - p->since_ms > (p->merge ? MERGE_MS : LEAF_MS) &&
		    r->state == RING_JOINED) {
			p->use &= (uint8_t)~USE_LEAF;
			say(r, e, i);
		}
		if (p->welcomed && !p->member && now - p->since_ms > UNUSED_AFTER_MS) {
			p->welcomed = 0;
			near_orphan(&r->near, (uint16_t)i, true);
			peers_review(r, e);
		}
		/* who said goodbye is gone by then; if it stays after all, it has to call again. One in doubt would not hear ours */
		if ((p->leaving || (!p->use && !p->wants && !p->doubted)) && now - p->since_ms > UNUSED_AFTER_MS)
			links_close(e, r->links, (link_ref){ (uint16_t)i }, END_UNWANTED);
	}
	links_trim(e, r->links);
	for (used = r->peers; used && !r->peer[used - 1].up;)
		used--;
	if (used + 4 < r->peers)
		mem_grow(&e->mem, &r->peer, &r->peers, (uint16_t)(used + 1), sizeof(*r->peer));
}
