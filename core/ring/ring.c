/*
 * The ring's one switch: what link/ reports and what timers are due goes to the
 * part that knows. See parts.h for who does what.
 */
#include "core/ring/ring.h"

#include <string.h>

#include "core/ring/parts.h"

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
 * not yet given up calling: what may lie with somebody else is not claimed.
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

		if (link_ok(ref) ? !peer_stands(&r->peer[ref.slot]) : k->tries > 0)
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
	default:
		env_drop(e, DROP_MESSAGE);
	}
}

/* A linked member that has a link to @id as well, as far as we know. */
static link_ref common_neighbour(const struct ring *r, struct id id, link_ref not)
{
	link_ref told = LINK_NONE;

	for (unsigned i = 0; i < r->peers; i++) {
		const struct ring_peer *p = &r->peer[i];

		if (!p->up || p->doubted || i == not.slot)
			continue;
		for (unsigned j = 0; j < p->prefixes; j++)
			if (p->prefix[j] == id_prefix(id))
				return (link_ref){ (uint16_t)i };
	}
	for (int s = 0; s < SIDES; s++) {
		const struct known *k = near_find(&r->near, (enum side)s, id);

		if (k && k->told_by < r->peers && k->told_by != not.slot && r->peer[k->told_by].up)
			told = (link_ref){ k->told_by };
	}
	for (int s = 0; !link_ok(told) && s < SIDES; s++) {
		unsigned next = near_find(&r->near, (enum side)s, id) == &r->near.known[s][0];

		if (next < r->near.count[s] && !id_eq(r->near.known[s][next].id, id))
			told = peer_find(r, r->near.known[s][next].id);
		if (link_ok(told) && (link_same(told, not) || r->peer[told.slot].doubted))
			told = LINK_NONE;
	}
	return told;
}

static void want_via(struct ring *r, struct env *e, const struct news *n)
{
	uint8_t buf[256];
	link_ref through = common_neighbour(r, n->id, n->link);
	struct contact self;
	struct writer w;

	for (int s = 0; s < SIDES; s++) {
		struct known *k = near_find(&r->near, (enum side)s, n->id);

		if (k && (n->a || !link_ok(through)))
			k->tries = 1;		/* nothing waits for it any longer */
	}
	if (link_ok(through))
		links_via(e, r->links, n->link, through);
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

static void failed(struct ring *r, struct env *e, const struct news *n)
{
	remember_failed(&r->remember, e, n->id);
	longs_call_failed(r, e, n->id);
	if (id_eq(n->id, ID_ZERO) || link_ok(peer_find(r, n->id)))
		return;
	if (n->why == END_UNREACHED && near_del(&r->near, e, n->id, 20000))
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
		links_via(e, r->links, n->link, common_neighbour(r, n->id, n->link));
		break;
	case NEWS_ALIVE:
		r->peer[n->link.slot].doubted = 0;
		route_retry(r, e);
		break;
	case NEWS_VERSIONS:
		gossip_versions(r, e, n);
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
