/*
 * The ring's one switch: what link/ reports and what timers are due goes to the
 * part that knows. See parts.h for who does what.
 */
#include "core/ring/ring.h"

#include <string.h>

#include "core/ring/label.h"
#include "core/ring/parts.h"

enum { RELAYS_OFFERED = 3, FAILED_MS = 20000 };

void ring_init(struct ring *r, struct links *links, struct id self)
{
	*r = (struct ring){
		.self = self, .links = links, .side = { self, self }, .entering = { LINK_NONE, LINK_NONE },
		.near_version = 1, .table_version = 1,
	};
	near_init(&r->near, self);
	remember_init(&r->remember);
	links_versions(links, r->near_version, r->table_version);
}

void ring_done(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->peers; i++)
		mem_put(&e->mem, r->peer[i].prefix, r->peer[i].prefixes * sizeof(uint32_t));
	mem_put(&e->mem, r->peer, r->peers * sizeof(*r->peer));
	near_done(&r->near, e);
	remember_done(&r->remember, e);
	route_done(r, e);
	ask_done(r, e);
	longs_done(r, e);
	cast_done(r, e);
	label_done(r, e);
	demand_done(r, e);
}

link_ref ring_near_side(const struct ring *r, enum side side)
{
	for (unsigned i = 0; i < r->near.count[side]; i++) {
		link_ref ref = peer_find(r, r->near.known[side][i].id);

		if (link_ok(ref) && peer_stands(&r->peer[ref.slot]))
			return ref;
	}
	return LINK_NONE;
}

link_ref ring_side(const struct ring *r, enum side side)
{
	link_ref best = ring_near_side(r, side);
	struct id near = ID_MAX;

	if (link_ok(best))
		return best;
	for (unsigned i = 0; i < r->peers; i++) {
		struct id away = side == RIGHT ? id_clockwise(r->self, r->peer[i].id) :
						 id_clockwise(r->peer[i].id, r->self);

		if (peer_stands(&r->peer[i]) && id_less(away, near)) {
			near = away;
			best = (link_ref){ (uint16_t)i };
		}
	}
	return best;
}

/*
 * (left, self], where left is the nearest neighbour we are linked to or have
 * not yet given up calling: what may lie with somebody else is not claimed. A
 * name that nobody can call is nobody.
 */
bool ring_owns(const struct ring *r, struct id key)
{
	link_ref left;

	if (r->state != RING_JOINED && r->state != RING_LEAVING)
		return false;
	left = ring_side(r, LEFT);
	if (link_ok(left) && !id_within(key, r->peer[left.slot].id, r->self))
		return false;
	for (unsigned i = 0; i < r->near.count[LEFT]; i++) {
		const struct known *k = &r->near.known[LEFT][i];
		link_ref ref = peer_find(r, k->id);

		if (link_ok(ref) ? !peer_stands(&r->peer[ref.slot]) : k->tries > 0 || !endpoint_valid(&k->at))
			continue;
		if (!id_within(key, k->id, r->self))
			return false;
		break;
	}
	for (int s = 0; r->doubt_ms && s < SIDES; s++) {
		link_ref ref = ring_side(r, (enum side)s);
		struct link_view v;

		if (link_ok(ref) && links_view(r->links, ref, &v) && v.heard_ms < r->doubt_ms)
			return false;
	}
	return true;
}

static void message(struct ring *r, struct env *e, const struct news *n)
{
	struct reader in = reader_of(n->body.at, n->body.len);

	switch (n->message) {
	case MESSAGE_STATUS:
		peers_status(r, e, n->link, &in);
		break;
	case MESSAGE_STATUS_ACK:
		peers_status_ack(r, e, n->link, &in);
		break;
	case MESSAGE_NEAR:
		gossip_read(r, e, n->link, &in);
		break;
	case MESSAGE_TABLE:
		gossip_table_read(r, e, n->link, &in);
		break;
	case MESSAGE_ASK:
		gossip_asked(r, e, n->link, &in);
		break;
	case MESSAGE_ENTER:
		join_enter(r, e, n->link, &in);
		break;
	case MESSAGE_WELCOME:
		join_welcome(r, e, n->link, &in);
		break;
	case MESSAGE_LEAVE:
		join_left(r, e, n->link, &in);
		break;
	case MESSAGE_LEAVE_ACK:
		join_left_ack(r, e, n->link);
		break;
	case MESSAGE_ROUTE:
		route_input(r, e, n->link, &in);
		break;
	case MESSAGE_ROUTE_ACK:
		route_acked(r, e, n->link, &in);
		break;
	case MESSAGE_CAST:
		cast_input(r, e, n->link, &in);
		break;
	case MESSAGE_CAST_ACK:
		cast_acked(r, e, n->link, &in);
		break;
	case MESSAGE_LABEL:
	case MESSAGE_LABEL_ACK:
	case MESSAGE_LABEL_GONE:
		label_message(r, e, n);
		break;
	default:
		env_drop(e, DROP_MESSAGE);
	}
}

/* Does the peer in @slot have a link to @id as well, as far as we know? */
static bool shares(const struct ring *r, unsigned slot, struct id id)
{
	const struct ring_peer *p = &r->peer[slot];

	if (!p->up || p->doubted || id_eq(p->id, id))
		return false;
	for (unsigned i = 0; i < p->prefixes; i++)
		if (p->prefix[i] == id_prefix(id))
			return true;
	for (int s = 0; s < SIDES; s++) {
		const struct known *k = near_find(&r->near, (enum side)s, id);
		unsigned next = k ? (unsigned)(k - r->near.known[s]) + 1 : 0;

		if (k && k->told_by == slot)
			return true;
		/* the neighbour behind it, or the one that is our neighbour since it is lost */
		if (next < r->near.count[s] && id_eq(r->near.known[s][next].id, p->id))
			return true;
	}
	return false;
}

static unsigned offer_those(struct ring *r, struct env *e, link_ref ref, struct id id, bool known)
{
	unsigned offered = 0, turn = r->peers ? random_below(&e->random, r->peers) : 0;

	for (unsigned i = 0; i < r->peers && offered < RELAYS_OFFERED; i++) {
		unsigned slot = (i + turn) % r->peers;
		link_ref through = { (uint16_t)slot };

		if (slot == ref.slot || shares(r, slot, id) != known || !r->peer[slot].up || r->peer[slot].doubted ||
		    link_ok(links_relay(r->links, through)))
			continue;
		links_via(e, r->links, ref, through);
		offered++;
	}
	return offered;
}

/*
 * Offer a few neighbours we share with @id as relays, other ones each time. How
 * many there were. Tables tell of the links that hold the ring and of no others,
 * and not which of them are relayed themselves: for a neighbour on the ring, and
 * where traffic asks, any may be the one, if those known fail (@again).
 */
static unsigned offer_relays(struct ring *r, struct env *e, link_ref ref, struct id id, bool again)
{
	unsigned offered = offer_those(r, e, ref, id, true);

	if ((again || !offered) && (near_find(&r->near, LEFT, id) || near_find(&r->near, RIGHT, id) || demand_for(r, id)))
		offer_those(r, e, ref, id, false);
	return offered;
}

static void want_via(struct ring *r, struct env *e, const struct news *n)
{
	uint8_t buf[256];
	unsigned relays = offer_relays(r, e, n->link, n->id, n->a);
	struct contact self;
	struct writer w;

	for (int s = 0; s < SIDES; s++) {
		struct known *k = near_find(&r->near, (enum side)s, n->id);

		if (k && (n->a || !relays))
			k->tries = 1;		/* nothing waits for it any longer */
	}
	if (!n->a && r->state == RING_JOINED) {
		links_self(r->links, &self);
		w = route_open(r, buf, sizeof(buf), n->id, ROUTE_EXACT, BODY_MEET);
		contact_write(&w, &self);
		if (!w.bad)
			route_send(r, e, &w, LINK_NONE, NULL);
	}
	join_review(r, e);
	route_retry(r, e);
}

/* Was everything tried to reach @id, whom somebody named as our neighbour? Not so when a lost peer was only sought. */
static bool tried(const struct ring *r, struct id id)
{
	bool named = false;

	for (int s = 0; s < SIDES; s++) {
		const struct known *k = near_find(&r->near, (enum side)s, id);

		if (k && !k->tries)
			return false;
		named |= k != NULL;
	}
	return named;
}

static void failed(struct ring *r, struct env *e, const struct news *n)
{
	remember_failed(&r->remember, e, n->id);
	longs_call_failed(r, e, n->id);
	if (id_eq(n->id, ID_ZERO) || link_ok(peer_find(r, n->id)))
		return;
	if (n->why == END_UNREACHED && tried(r, n->id) && near_del(&r->near, e, n->id, FAILED_MS))
		gossip_changed(r, e, false);
	join_review(r, e);
	route_retry(r, e);
}

void ring_news(struct ring *r, struct env *e, const struct news *n)
{
	switch (n->kind) {
	case NEWS_UP:
		peers_up(r, e, n);
		break;
	case NEWS_DOWN:
		if (n->link.slot < r->peers && r->peer[n->link.slot].up)
			peers_down(r, e, n);
		break;
	case NEWS_FAILED:
		failed(r, e, n);
		break;
	case NEWS_MESSAGE:
		if (n->link.slot < r->peers && r->peer[n->link.slot].up)
			message(r, e, n);
		break;
	case NEWS_SUSPECT:
		r->peer[n->link.slot].doubted = 1;
		label_link_silent(r, e, n->link);	/* around a silent hop at once */
		if (n->a)
			offer_relays(r, e, n->link, n->id, true);
		break;
	case NEWS_ALIVE:
		r->peer[n->link.slot].doubted = 0;
		route_retry(r, e);
		break;
	case NEWS_VERSIONS:
		gossip_versions(r, e, n);
		break;
	case NEWS_DATA:
		label_data(r, e, n);
		break;
	case NEWS_WANT_VIA:
		want_via(r, e, n);
		break;
	}
}

void ring_timer(struct ring *r, struct env *e, uint16_t tag)
{
	switch (tag) {
	case RING_JOIN:
		join_timer(r, e);
		break;
	case RING_GOSSIP:
	case RING_TABLE:
		gossip_timer(r, e, tag);
		break;
	case RING_KEEP:
		join_keep(r, e);
		break;
	case RING_DRAW:
		longs_timer(r, e);
		break;
	case RING_ROUTE:
		route_timer(r, e);
		break;
	case RING_ASK:
		ask_timer(r, e);
		break;
	case RING_CAST:
		cast_timer(r, e);
		break;
	case RING_LEAVE:
		join_leave_timer(r, e);
		break;
	case RING_SAVE:
		join_save(r, e);
		break;
	case RING_LABEL:
		label_timer(r, e);
		break;
	case RING_SAY:
		peers_say_again(r, e);
		break;
	default:
		break;
	}
}

void ring_stalled(struct ring *r, struct env *e)
{
	r->doubt_ms = env_ms(e);
}

void ring_request(struct ring *r, struct env *e, const struct event *ev)
{
	struct contact c = { .ats = 1 };
	struct reply reply = { .token = ev->request.token, .tries = 1, .ask = ev->request.ask };

	switch (ev->request.ask) {
	case ASK_LOOKUP:
	case ASK_TRACE:
		ask_request(r, e, ev);
		return;
	case ASK_BROADCAST:
		cast_start(r, e, ev);
		return;
	case ASK_CONNECT:
		c.at[0] = ev->from;
		reply.answer = endpoint_valid(&ev->from) && link_ok(links_call(e, r->links, &c)) ?
			       ANSWER_OK : ANSWER_FAILED;
		break;
	default:
		reply.answer = ANSWER_FAILED;
	}
	env_reply(e, &reply);
}
