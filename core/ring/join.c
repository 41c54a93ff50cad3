/*
 * Getting in, standing, leaving, and finding back.
 *
 * APART we call contacts and ask each ring we reach who stands where we would
 * (FIND of our own id). The answer names our neighbours-to-be; we link them and
 * ask both to let us stand between (ENTER). A neighbour that knows somebody
 * nearer says no and tells whom. When the nearest on both sides have agreed we
 * are joined: from then on we own (left, self], and not before, so that no key
 * ever has two owners who both followed these rules in one ring.
 *
 * Two who are both apart welcome each other by the same rules; alone for
 * FOUND_NS with nobody answering, a node is a ring of one. Rings of any size
 * merge because members keep calling peers they lost and configured endpoints,
 * and ask through them for their own place: an answer from strangers names
 * nearer neighbours, which are linked, and gossip does the rest.
 */
#include <string.h>

#include "core/base/fixed.h"
#include "core/ring/parts.h"

enum { NEAR_CALLS = 3, CONTACT_CALLS = 2, SEEK_CALLS = 8, LEAVE_TRIES = 8, SEEK_TRIES = 1, KEEP_REMEMBERED = 4096 };
#define JOIN_STEP	(400 * NS_PER_MS)
#define FIND_STEP	(1 * NS_PER_S)
#define FOUND_NS	(5 * NS_PER_S)
#define KEEP_NS		(10 * NS_PER_S)
#define DRAW_FIRST	(3 * NS_PER_S)		/* the neighbours' lists tell how large the ring is */
#define LEAVE_STEP	(300 * NS_PER_MS)
#define SAVE_FIRST	(10 * NS_PER_S)
#define SAVE_EVERY	(600 * NS_PER_S)
#define BOOT_MIN	(60 * NS_PER_S)
#define BOOT_SMALL	(480 * NS_PER_S)
#define BOOT_PER_SMALL	(20 * NS_PER_S)
#define BOOT_PER_NODE	(2 * NS_PER_S)

/* ---- contacts ---- */

/* Do we know who is there for a neighbour? Then it is on our ring. */
static bool neighbour_at(const struct ring *r, const struct endpoint *at)
{
	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < r->near.count[s]; i++)
			if (!near_hearsay(&r->near.known[s][i]) && endpoint_eq(&r->near.known[s][i].at, at))
				return true;
	return false;
}

static void call_bootstrap(struct ring *r, struct env *e)
{
	struct contact c = { .ats = 1 };

	if (!e->config->bootstraps)
		return;
	if (!r->boots_tried)
		r->boots_tried = (uint8_t)(1 + random_below(&e->random, 200));
	c.at[0] = e->config->bootstrap[r->boots_tried++ % e->config->bootstraps];
	if (!neighbour_at(r, &c.at[0]))
		links_call(e, r->links, &c);
}

/*
 * How often a member looks whether a configured endpoint stands on another ring: together about one in BOOT_PER_NODE;
 * in a small ring, where each call weighs more, one in BOOT_PER_SMALL.
 */
static int64_t bootstrap_pause(const struct ring *r)
{
	int64_t nodes = (int64_t)exp2_u64((int64_t)r->log2_size << 24), pause = nodes * BOOT_PER_SMALL;

	if (pause > BOOT_SMALL)
		pause = nodes * BOOT_PER_NODE > BOOT_SMALL ? nodes * BOOT_PER_NODE : BOOT_SMALL;
	return pause < BOOT_MIN ? BOOT_MIN : pause;
}

/* Remembered peers first, of whom many may be out of reach, and always one of the configured endpoints as well. */
static void call_contacts(struct ring *r, struct env *e)
{
	unsigned boots = e->config->bootstraps < CONTACT_CALLS ? e->config->bootstraps : CONTACT_CALLS;
	unsigned calls = r->remember.count ? SEEK_CALLS : CONTACT_CALLS;
	struct contact c;

	for (unsigned i = 0; i < calls; i++) {
		bool last = i + 1 == calls;

		if (!(last && boots) && remember_due(&r->remember, e, false, &c)) {
			links_call(e, r->links, &c);
		} else if (boots) {
			call_bootstrap(r, e);
			boots--;
		} else {
			break;
		}
	}
}

/* ---- near neighbours ---- */

/* Is the fate of @k, whom we would call, still open? */
static bool undecided(const struct known *k)
{
	return !k->tries;
}

/*
 * Call the nearest on each side until config.near of them are linked. Names
 * whose teller is gone do not count, and a few more are called at once: after a
 * mass failure most of them are dead.
 */
void join_call_near(struct ring *r, struct env *e)
{
	if (r->state == RING_IDLE || r->state >= RING_LEAVING || !r->placed)
		return;
	for (int s = 0; s < SIDES; s++) {
		unsigned linked = 0, calls = 0;

		for (unsigned i = 0; i < r->near.count[s] && linked < e->config->near && calls < NEAR_CALLS; i++) {
			struct known *k = &r->near.known[s][i];
			link_ref ref = peer_find(r, k->id);
			struct contact c;

			if (link_ok(ref)) {
				linked += peer_ok(peer_at(r, ref));
				continue;
			}
			if (!endpoint_valid(&k->at))
				continue;
			calls++;
			linked += k->hops != HEARSAY_ORPHAN && !k->tries;
			c = (struct contact){ .id = k->id, .has_id = true, .ats = 1, .at = { k->at } };
			if (!link_ok(links_find(r->links, k->id)))
				links_call(e, r->links, &c);
		}
	}
}

/*
 * The nearest linked neighbour on @side whom we may ask, LINK_NONE while
 * somebody nearer is being called.
 */
static link_ref beside(struct ring *r, enum side side)
{
	for (unsigned i = 0; i < r->near.count[side]; i++) {
		struct known *k = &r->near.known[side][i];
		link_ref ref = peer_find(r, k->id);

		if (link_ok(ref) && peer_ok(peer_at(r, ref)))
			return ref;
		if (!link_ok(ref) && undecided(k) && link_ok(links_find(r->links, k->id)))
			return LINK_NONE;
	}
	return LINK_NONE;
}

/* ---- states ---- */

static void tell_world_sides(struct ring *r, struct env *e)
{
	for (int s = 0; s < SIDES; s++) {
		link_ref ref = ring_side(r, (enum side)s);
		struct id id = link_ok(ref) ? peer_at(r, ref)->id : r->self;

		if (id_eq(id, r->side[s]))
			continue;
		r->side[s] = id;
		env_record(e, RECORD_NEIGHBOUR, id, (uint64_t)s, 0);
	}
}

static void tell_all(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->peers; i++)
		r->peer[i].said = 0xff;
	peers_review(r, e);
}

static void joined(struct ring *r, struct env *e)
{
	link_ref right = ring_side(r, RIGHT);

	r->changes++;
	r->state = RING_JOINED;
	r->placed = true;
	r->joined_ns = e->now_ns;
	r->contact_ns = e->now_ns - (int64_t)(random_u64(&e->random) % (uint64_t)bootstrap_pause(r));
	env_record(e, RECORD_JOINED, link_ok(right) ? peer_at(r, right)->id : r->self,
		   (uint64_t)((e->now_ns - r->start_ns) / NS_PER_MS), 0);
	heap_del(&e->timers, RING_JOIN);
	tell_world_sides(r, e);
	timer_soon(e, RING_DRAW, random_around(&e->random, DRAW_FIRST));
	timer_soon(e, RING_KEEP, random_around(&e->random, KEEP_NS / 2));
	timer_soon(e, RING_SAVE, random_around(&e->random, SAVE_FIRST));
	gossip_changed(r, e, true);
	tell_all(r, e);
	for (unsigned i = 0; i < r->peers; i++) {
		struct ring_peer *p = &r->peer[i];

		if (p->up && p->use == USE_LEAF && !p->wants && !p->merge)
			links_close(e, r->links, (link_ref){ (uint16_t)i }, END_UNWANTED);	/* a way in, needed no longer */
	}
	route_retry(r, e);
}

static void apart(struct ring *r, struct env *e)
{
	r->changes++;
	r->state = RING_APART;
	r->placed = false;
	r->alone_ns = e->now_ns;
	env_record(e, RECORD_APART, ID_ZERO, 0, 0);
	for (unsigned i = 0; i < r->peers; i++)
		r->peer[i].agreed = 0;
	remember_all_due(&r->remember, e);
	tell_all(r, e);
	timer_soon(e, RING_JOIN, 0);
}

static void send_enter(struct ring *r, struct env *e, link_ref to)
{
	struct writer w = links_message(e, r->links, to, MESSAGE_ENTER, 1);

	write_u8(&w, r->enter_nonce);
	links_sent(e, r->links, to, &w);
}

static void try_enter(struct ring *r, struct env *e)
{
	link_ref left = beside(r, LEFT), right = beside(r, RIGHT);

	if (!r->placed || !link_ok(left) || !link_ok(right)) {
		r->changes++;
		r->state = RING_APART;
		return;
	}
	if (r->state == RING_APART) {
		r->changes++;
		r->state = RING_ENTERING;
		r->enter_nonce++;
	}
	if (peer_at(r, left)->agreed && peer_at(r, right)->agreed) {
		joined(r, e);
		return;
	}
	if (r->enter_ns > e->now_ns && link_same(left, r->entering[LEFT]) && link_same(right, r->entering[RIGHT]))
		return;
	r->enter_ns = e->now_ns + JOIN_STEP;
	r->entering[LEFT] = left;
	r->entering[RIGHT] = right;
	if (!peer_at(r, left)->agreed)
		send_enter(r, e, left);
	if (!peer_at(r, right)->agreed && !link_same(left, right))
		send_enter(r, e, right);
}

/* All neighbours we knew on one side are gone, though others are linked: our place must be found anew. */
static bool side_lost(const struct ring *r)
{
	return link_ok(ring_side(r, RIGHT)) && (!link_ok(ring_near_side(r, LEFT)) || !link_ok(ring_near_side(r, RIGHT)));
}

/* Something about our place may have changed: links, neighbours, who stands. */
void join_review(struct ring *r, struct env *e)
{
	join_call_near(r, e);
	switch (r->state) {
	case RING_APART:
	case RING_ENTERING:
		if (links_count(r->links) && r->find_ns <= e->now_ns)
			timer_soon(e, RING_JOIN, 0);
		try_enter(r, e);
		break;
	case RING_JOINED:
		if (!link_ok(ring_side(r, RIGHT)) && !id_eq(r->side[RIGHT], r->self))
			apart(r, e);
		else if (side_lost(r) && r->find_ns <= e->now_ns)
			timer_soon(e, RING_JOIN, 0);
		break;
	default:
		return;
	}
	if (r->state == RING_JOINED)
		tell_world_sides(r, e);
}

/* Ask the next peer, members before others, who stands around our place. */
static void find_place(struct ring *r, struct env *e)
{
	link_ref to = LINK_NONE;
	unsigned turn = random_below(&e->random, r->peers ? r->peers : 1u);

	for (unsigned i = 0; i < r->peers; i++) {
		unsigned slot = (i + turn) % r->peers;

		if (!peer_ok(&r->peer[slot]))
			continue;
		if (!link_ok(to) || (r->peer[slot].member && !peer_at(r, to)->member))
			to = (link_ref){ (uint16_t)slot };
	}
	r->find_ns = e->now_ns + FIND_STEP;
	if (!link_ok(to))
		return;
	ask_find(r, e, r->self, FIND_NEAR, to);
}

void join_timer(struct ring *r, struct env *e)
{
	if (r->state == RING_JOINED && side_lost(r) && r->find_ns <= e->now_ns)
		find_place(r, e);
	if (r->state != RING_APART && r->state != RING_ENTERING)
		return;
	heap_set(&e->timers, &e->mem, RING_JOIN, e->now_ns + random_around(&e->random, JOIN_STEP));
	if (!links_count(r->links)) {
		bool hope = e->config->bootstraps || r->remember.count;

		if (!hope || e->now_ns - r->alone_ns > FOUND_NS) {
			joined(r, e);
			return;
		}
		if (r->contact_ns <= e->now_ns) {
			r->contact_ns = e->now_ns + 2 * NS_PER_S;
			call_contacts(r, e);
		}
		return;
	}
	r->alone_ns = e->now_ns;
	if (r->find_ns <= e->now_ns)
		find_place(r, e);
	join_review(r, e);
}

/* The neighbours of our place, as its present owner knows them. */
void join_found(struct ring *r, struct env *e, struct reader *in)
{
	uint8_t count = read_u8(in);
	bool stranger = false;
	struct id nearest = ID_ZERO;

	for (unsigned i = 0; i < count; i++) {
		struct contact c = contact_read(in);

		if (!reader_ok(in) || !c.has_id) {
			env_drop(e, DROP_VALUE);
			break;
		}
		if (near_add(&r->near, e, c.id, c.ats ? &c.at[0] : NULL, HEARSAY, UINT16_MAX) && !stranger) {
			stranger = true;
			nearest = c.id;
		}
	}
	if (stranger && r->state == RING_JOINED)
		env_record(e, RECORD_MERGE, nearest, 0, 0);
	r->placed = true;
	peers_size(r, e);
	peers_review(r, e);
	join_review(r, e);
}

/* ---- entering, seen from inside ---- */

/* Does anybody who stands on the ring stand between @id and us on the nearer side of it? */
static bool in_between(struct ring *r, struct id id, enum side s)
{
	link_ref ref = ring_side(r, s);
	struct id next;

	if (!link_ok(ref))
		return false;
	next = peer_at(r, ref)->id;
	if (id_eq(next, id))
		return false;
	return s == RIGHT ? id_between(next, r->self, id) : id_between(next, id, r->self);
}

void join_enter(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct ring_peer *p = peer_at(r, from);
	uint8_t nonce = read_u8(in);
	bool yes;
	struct writer w;
	struct contact c;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (r->state == RING_IDLE || r->state >= RING_LEAVING) {
		env_drop(e, DROP_STATE);
		return;
	}
	yes = !in_between(r, p->id, LEFT) || !in_between(r, p->id, RIGHT);
	w = links_message(e, r->links, from, MESSAGE_WELCOME, 1180);
	write_u8(&w, nonce);
	write_u8(&w, yes);
	gossip_write(r, e, &w, from);
	links_sent(e, r->links, from, &w);
	if (!yes || p->welcomed || p->member)
		return;
	p->welcomed = 1;
	p->since_ms = env_ms(e);
	if (near_add(&r->near, e, p->id, links_contact(r->links, from, &c) && c.ats ? &c.at[0] : NULL, 1, from.slot))
		gossip_changed(r, e, true);
	peers_review(r, e);
	join_review(r, e);
	route_retry(r, e);
}

void join_welcome(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	uint8_t nonce = read_u8(in), yes = read_u8(in);

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (nonce != r->enter_nonce || r->state != RING_ENTERING) {
		env_drop(e, DROP_STATE);
		return;
	}
	if (yes)
		peer_at(r, from)->agreed = 1;
	gossip_read(r, e, from, in);
	join_review(r, e);
}

/* ---- leaving ---- */

static void left(struct ring *r, struct env *e, bool handed)
{
	link_ref right = ring_side(r, RIGHT);
	struct id heir = link_ok(right) ? peer_at(r, right)->id : r->self;

	join_save(r, e);
	r->changes++;
	r->state = RING_LEFT;
	for (uint16_t i = 0; i < links_slots(r->links); i++)
		links_close(e, r->links, (link_ref){ i }, END_LEAVE);
	for (uint16_t t = TIMER_RING; t < RING_TIMERS; t++)
		heap_del(&e->timers, t);
	env_record(e, RECORD_LEFT, heir, handed, 0);
}

static void say_goodbye(struct ring *r, struct env *e, link_ref to)
{
	struct writer w = links_message(e, r->links, to, MESSAGE_LEAVE, 1180);

	gossip_write(r, e, &w, to);
	links_sent(e, r->links, to, &w);
}

void join_leave_timer(struct ring *r, struct env *e)
{
	link_ref right = ring_side(r, RIGHT), last = ring_side(r, LEFT);

	if (r->state != RING_LEAVING)
		return;
	if (!link_ok(right) || r->leave_tries++ >= LEAVE_TRIES) {
		left(r, e, false);
		return;
	}
	say_goodbye(r, e, right);
	if (link_ok(last) && !link_same(last, right))
		say_goodbye(r, e, last);
	heap_set(&e->timers, &e->mem, RING_LEAVE, e->now_ns + LEAVE_STEP);
}

void ring_stop(struct ring *r, struct env *e)
{
	link_ref right = ring_side(r, RIGHT);

	if (r->state >= RING_LEAVING)
		return;
	if (r->state != RING_JOINED || !link_ok(right)) {
		left(r, e, r->state != RING_JOINED);
		return;
	}
	r->changes++;
	r->state = RING_LEAVING;
	r->leave_tries = 0;
	env_record(e, RECORD_LEAVE, peer_at(r, right)->id, 0, 0);
	join_leave_timer(r, e);
}

void join_left(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct ring_peer *p = peer_at(r, from);
	struct writer w;

	gossip_read(r, e, from, in);
	if (!p->up)
		return;
	peers_leaving(r, e, from, true);
	near_del(&r->near, e, p->id, 60000);
	near_orphan(&r->near, from.slot, true);
	w = links_message(e, r->links, from, MESSAGE_LEAVE_ACK, 0);
	links_sent(e, r->links, from, &w);
	gossip_changed(r, e, true);
	peers_review(r, e);
	if (!link_ok(ring_side(r, RIGHT)))
		tell_world_sides(r, e);		/* the last one said goodbye: we are a ring of one, not lost */
	join_review(r, e);
	route_retry(r, e);
}

void join_left_ack(struct ring *r, struct env *e, link_ref from)
{
	if (r->state == RING_LEAVING && link_same(from, ring_side(r, RIGHT)))
		left(r, e, true);
	else
		env_drop(e, DROP_STATE);
}

/* ---- housekeeping ---- */

void join_save(struct ring *r, struct env *e)
{
	uint8_t buf[KEEP_REMEMBERED];
	struct writer w = writer_of(buf, sizeof(buf));

	remember_write(&r->remember, &w);
	if (!w.bad)
		env_save(e, SAVE_PEERS, 0, buf, (uint32_t)writer_len(&w));
	heap_set(&e->timers, &e->mem, RING_SAVE, e->now_ns + random_around(&e->random, SAVE_EVERY));
}

void join_keep(struct ring *r, struct env *e)
{
	struct contact c;

	heap_set(&e->timers, &e->mem, RING_KEEP, e->now_ns + random_around(&e->random, KEEP_NS));
	if (r->state != RING_JOINED)
		return;
	peers_close_unused(r, e);
	gossip_ask_around(r, e);
	if (near_age(&r->near))
		join_review(r, e);
	if (near_forgiven(&r->near, e))
		gossip_ask_all(r, e);
	peers_size(r, e);
	if (longs_wanted(r, e) > peers_using(r, USE_LONG_OUT))
		timer_soon(e, RING_DRAW, 0);
	if (remember_due(&r->remember, e, true, &c) && !link_ok(links_find(r->links, c.id))) {
		c.tries = SEEK_TRIES;
		links_call(e, r->links, &c);
	}
	if (!links_count(r->links)) {
		call_contacts(r, e);	/* a ring of one looks for company at every step */
	} else if (e->now_ns - r->contact_ns > bootstrap_pause(r)) {
		r->contact_ns = e->now_ns;
		call_bootstrap(r, e);
	}
}

void ring_address(struct ring *r, struct env *e)
{
	if (r->state == RING_IDLE || r->state >= RING_LEAVING || links_count(r->links))
		return;
	remember_all_due(&r->remember, e);
	call_contacts(r, e);
}

void ring_start(struct ring *r, struct env *e, struct bytes saved)
{
	if (r->state != RING_IDLE)
		return;
	if (saved.len)
		env_drop(e, remember_read(&r->remember, e, saved));
	r->changes++;
	r->state = RING_APART;
	r->start_ns = r->alone_ns = e->now_ns;
	r->contact_ns = e->now_ns + 2 * NS_PER_S;
	env_record(e, RECORD_START, ID_ZERO, r->remember.count, 0);
	call_contacts(r, e);
	heap_set(&e->timers, &e->mem, RING_JOIN, e->now_ns + random_around(&e->random, JOIN_STEP));
}
