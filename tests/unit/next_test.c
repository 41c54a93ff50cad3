/*
 * Every message arrives, whatever the lookahead tables say. Static rings are
 * built by hand from struct ring; messages walk from node to node by nothing
 * but next_hop(), and each hop is held against the rule it was taken by.
 */
#include <math.h>

#include "core/base/fixed.h"
#include "core/link/table.h"
#include "core/ring/parts.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

enum { NODES_MAX = 500, PEERS_MAX = 60, LINKED = 2 };

/** enum tables - what the lookahead tables of a world are worth */
enum tables {
	TABLES_TRUE,		/* where each peer's links lead now */
	TABLES_STALE,		/* a third of it is gone, a third leads elsewhere */
	TABLES_RANDOM,		/* no entry is right */
	TABLES_LIARS,		/* half of the peers claim a link to any key */
};

struct world {
	struct bare b;
	unsigned nodes;
	struct ring ring[NODES_MAX];		/* in order of ids */
	uint16_t linked[NODES_MAX][PEERS_MAX];	/* the node behind each slot */
};

static struct world w;

static uint32_t draw(uint32_t n)
{
	return random_below(&w.b.env.random, n);
}

static struct id any(void)
{
	struct id r = { random_u64(&w.b.env.random), 0 };

	r.lo = random_u64(&w.b.env.random);
	return r;
}

static int by_id(const void *a, const void *b)
{
	return id_cmp(*(const struct id *)a, *(const struct id *)b);
}

/* @from's end of a link that it wants for @use and the other for @wants. */
static void half_link(unsigned from, unsigned to, uint8_t use, uint8_t wants)
{
	struct ring *r = &w.ring[from];
	link_ref old = peer_find(r, w.ring[to].self);
	struct ring_peer *p = &r->peer[link_ok(old) ? old.slot : r->peers];

	if (!link_ok(old)) {
		w.linked[from][r->peers++] = (uint16_t)to;
		*p = (struct ring_peer){ .id = w.ring[to].self, .up = 1, .member = 1 };
	}
	p->use |= use;
	p->wants |= wants;
}

static void link_two(unsigned a, unsigned b, uint8_t use, uint8_t wants)
{
	if (a == b || w.ring[a].peers == PEERS_MAX || w.ring[b].peers == PEERS_MAX)
		return;
	half_link(a, b, use, wants);
	half_link(b, a, wants, use);
}

static unsigned owner(struct id key)
{
	unsigned i = 0;

	while (i < w.nodes && id_less(w.ring[i].self, key))
		i++;
	return i % w.nodes;
}

static struct id away(struct id at, struct id key)
{
	return w.b.config.one_way ? id_clockwise(at, key) : id_distance(at, key);
}

static unsigned nearest(struct id key)
{
	unsigned best = 0;

	for (unsigned i = 1; i < w.nodes; i++)
		if (id_less(away(w.ring[i].self, key), away(w.ring[best].self, key)))
			best = i;
	return best;
}

static int by_prefix(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Prefixes of the links that the peer in slot @i of node @n has, as far as @t is true. */
static void tell_table(unsigned n, unsigned i, enum tables t)
{
	struct ring_peer *p = &w.ring[n].peer[i];
	const struct ring *of = &w.ring[w.linked[n][i]];

	p->prefix = malloc(PEERS_MAX * sizeof(*p->prefix));
	for (unsigned j = 0; j < of->peers; j++) {
		uint8_t use = of->peer[j].use | (w.b.config.one_way ? 0 : of->peer[j].wants);
		uint32_t luck = !(use & (USE_NEAR | USE_LONG_OUT)) ? 0 : t == TABLES_TRUE ? 2 : t == TABLES_STALE ? draw(3) : 1;

		if (luck)
			p->prefix[p->prefixes++] = luck == 1 ? draw(UINT32_MAX) : id_prefix(of->peer[j].id);
	}
	qsort(p->prefix, p->prefixes, sizeof(*p->prefix), by_prefix);
}

/* Links to @near on each side and Symphony's draws. */
static void build(unsigned nodes, unsigned near, enum tables t, bool one_way, unsigned seed)
{
	struct id ids[NODES_MAX];

	memset(&w, 0, sizeof(w));
	bare_init(&w.b, seed);
	w.b.config.one_way = one_way;
	w.nodes = nodes;
	for (unsigned i = 0; i < nodes; i++)
		ids[i] = any();
	qsort(ids, nodes, sizeof(*ids), by_id);
	for (unsigned i = 0; i < nodes; i++) {
		w.ring[i].self = ids[i];
		w.ring[i].state = RING_JOINED;
		w.ring[i].peer = calloc(PEERS_MAX, sizeof(*w.ring[i].peer));
		near_init(&w.ring[i].near, ids[i]);
		for (unsigned d = 1; d <= NEAR_KNOW_MIN && d < nodes; d++)
			for (unsigned s = 0; s < SIDES; s++)
				near_add(&w.ring[i].near, &w.b.env, ids[(i + (s ? d : nodes - d)) % nodes], NULL, 1, 0);
	}
	for (unsigned i = 0; i < nodes; i++) {
		unsigned longs = (unsigned)ceil(log2(nodes) / 2);

		for (unsigned d = 1; d <= near && d < nodes; d++)
			link_two(i, (i + d) % nodes, USE_NEAR, USE_NEAR);
		for (unsigned l = 0; l < longs; l++) {
			int64_t e = (int64_t)((128 - log2(nodes) * draw(1 << 16) / 65536) * 4294967296.0);
			unsigned to = owner(id_add(ids[i], id_exp2_q32(e - 1)));

			link_two(i, to, USE_LONG_OUT, USE_LONG_IN);
		}
	}
	for (unsigned i = 0; i < nodes; i++)
		for (unsigned s = 0; s < w.ring[i].peers; s++)
			tell_table(i, s, t);
}

static void clear(void)
{
	for (unsigned i = 0; i < w.nodes; i++) {
		for (unsigned s = 0; s < w.ring[i].peers; s++)
			free(w.ring[i].peer[s].prefix);
		free(w.ring[i].peer);
		near_done(&w.ring[i].near, &w.b.env);
	}
	CU_ASSERT_TRUE(bare_done(&w.b));
}

static void lie_about(struct id key)
{
	for (unsigned i = 0; i < w.nodes; i++)
		for (unsigned s = 0; s < w.ring[i].peers; s++) {
			struct ring_peer *p = &w.ring[i].peer[s];

			p->prefixes = draw(2) ? 1 : 0;
			p->prefix[0] = id_prefix(key);
		}
}

/* ---- walking ---- */

/** struct walk - how a message went */
struct walk {
	enum next end;
	unsigned at, hops, loans, unpaid;	/* unpaid: hops without lookahead, for a table lied */
};

/* Did the hop from @here to @there keep the rule? */
static void check_hop(struct id here, struct id there, const struct way *was, const struct way *way, struct walk *k)
{
	struct id d = away(there, way->to);
	bool paid;

	if (way->flags & ROUTE_FINAL) {
		CU_ASSERT_TRUE(was->flags & ROUTE_FINAL ?
			       id_less(id_clockwise(way->to, there), id_clockwise(way->to, here)) :
			       id_within(way->to, here, there));
		return;
	}
	if (id_eq(there, way->to) && id_eq(was->least, way->least) && was->flags == way->flags)
		return;				/* a direct link to whom it is for */
	CU_ASSERT_FALSE(was->flags & ROUTE_FINAL);
	CU_ASSERT_FALSE(id_less(was->least, way->least));
	CU_ASSERT_FALSE(id_less(away(here, way->to), way->least));
	paid = id_less(away(here, way->to), was->least);
	if (way->flags & ROUTE_PLAIN) {
		CU_ASSERT_TRUE(was->flags & (ROUTE_OWED | ROUTE_PLAIN));
		CU_ASSERT_FALSE(paid || way->flags & ROUTE_OWED);
		CU_ASSERT_TRUE(id_less(d, away(here, way->to)));
		k->unpaid++;
	} else if (way->flags & ROUTE_OWED) {
		CU_ASSERT_TRUE(w.b.config.lookahead);
		CU_ASSERT_TRUE(paid || !(was->flags & (ROUTE_OWED | ROUTE_PLAIN)));
		k->loans++;
	} else {
		CU_ASSERT_TRUE(id_less(d, way->least));
	}
}

static struct walk walk(unsigned from, struct id to, uint8_t mode)
{
	struct way way = { .to = to, .least = ID_MAX, .flags = mode };
	struct walk k = { .at = from };

	for (;; k.hops++) {
		const struct ring *r = &w.ring[k.at];
		struct way was = way;
		link_ref next = LINK_NONE;

		CU_ASSERT_TRUE_FATAL(k.hops <= ROUTE_HOPS_MAX);
		k.end = next_hop(r, &w.b.env, &way, NULL, 0, &next);
		if (k.end != NEXT_LINK)
			return k;
		CU_ASSERT_TRUE_FATAL(next.slot < r->peers && !r->peer[next.slot].doubted);
		CU_ASSERT_TRUE(id_eq(way.to, to) && (way.flags & ROUTE_MODE_MASK) == mode);
		k.at = w.linked[k.at][next.slot];
		check_hop(r->self, w.ring[k.at].self, &was, &way, &k);
	}
}

/** struct tour - many walks in many worlds */
struct tour {
	enum tables tables;
	bool one_way, blind;			/* blind: without lookahead */
	unsigned doubt;				/* percent of the long links that were silent lately */
	unsigned walks, hops, most, loans, unpaid;	/* what was seen */
};

static void doubt_some(unsigned percent)
{
	for (unsigned i = 0; i < w.nodes; i++)
		for (unsigned s = 0; s < w.ring[i].peers; s++) {
			unsigned far = (w.linked[i][s] + w.nodes - i) % w.nodes;

			if (far != 1 && far != w.nodes - 1)
				w.ring[i].peer[s].doubted = draw(100) < percent;
		}
}

static void arrives(struct tour *t, struct id key, uint8_t mode)
{
	unsigned want = mode == ROUTE_NEAREST ? nearest(key) : owner(key);
	struct walk k = walk(draw(w.nodes), key, mode);

	CU_ASSERT_EQUAL(k.end, NEXT_HERE);
	CU_ASSERT_EQUAL(k.at, want);
	t->walks++;
	t->hops += k.hops;
	t->most = k.hops > t->most ? k.hops : t->most;
	t->loans += k.loans;
	t->unpaid += k.unpaid;
}

static void take(struct tour *t, uint8_t mode)
{
	static const unsigned SIZES[] = { 1, 2, 3, 4, 6, 50, 200, 500 };

	for (unsigned i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
		build(SIZES[i], 1 + i % 2, t->tables, t->one_way, 10 + i);
		w.b.config.lookahead = !t->blind;
		doubt_some(t->doubt);
		for (unsigned n = 0; n < (t->tables == TABLES_LIARS ? 100 : 400); n++) {
			struct id key = mode == ROUTE_EXACT ? w.ring[draw(SIZES[i])].self : any();

			if (t->tables == TABLES_LIARS)
				lie_about(key);
			arrives(t, key, mode);
		}
		clear();
	}
}

static struct tour both_ways(enum tables tables, uint8_t mode, unsigned doubt)
{
	struct tour t = { .tables = tables, .doubt = doubt };

	take(&t, mode);
	t.one_way = true;
	take(&t, mode);
	return t;
}

/* ---- whole walks ---- */

static void every_key_is_found_at_its_owner_whatever_the_tables_say(void)
{
	CU_ASSERT_TRUE(both_ways(TABLES_TRUE, ROUTE_OWNER, 0).most < 20);
	CU_ASSERT_TRUE(both_ways(TABLES_STALE, ROUTE_OWNER, 0).most < 60);
	CU_ASSERT_TRUE(both_ways(TABLES_RANDOM, ROUTE_OWNER, 0).most < 120);
	CU_ASSERT_TRUE(both_ways(TABLES_LIARS, ROUTE_OWNER, 0).most < 100);
}

static void every_node_is_found_by_its_id(void)
{
	both_ways(TABLES_TRUE, ROUTE_EXACT, 0);
	both_ways(TABLES_STALE, ROUTE_EXACT, 0);
	both_ways(TABLES_LIARS, ROUTE_EXACT, 0);
}

static void the_nearest_node_to_a_key_is_found(void)
{
	both_ways(TABLES_TRUE, ROUTE_NEAREST, 0);
	both_ways(TABLES_STALE, ROUTE_NEAREST, 0);
	both_ways(TABLES_RANDOM, ROUTE_NEAREST, 0);
}

static void messages_go_around_far_links_that_were_silent(void)
{
	both_ways(TABLES_TRUE, ROUTE_OWNER, 30);
	both_ways(TABLES_STALE, ROUTE_OWNER, 90);
	both_ways(TABLES_TRUE, ROUTE_NEAREST, 80);
}

static void with_true_tables_a_loan_is_paid_back_by_the_next_hop(void)
{
	struct tour seeing = both_ways(TABLES_TRUE, ROUTE_OWNER, 0);
	struct tour lied_to = both_ways(TABLES_RANDOM, ROUTE_OWNER, 0);

	CU_ASSERT_TRUE(seeing.loans > 100);
	CU_ASSERT_EQUAL(seeing.unpaid, 0);
	CU_ASSERT_TRUE(lied_to.unpaid > 100);
}

static void lookahead_shortens_the_way_and_without_it_there_are_no_loans(void)
{
	struct tour seeing = { .tables = TABLES_TRUE }, blind = { .tables = TABLES_TRUE, .blind = true };

	take(&seeing, ROUTE_OWNER);
	take(&blind, ROUTE_OWNER);
	CU_ASSERT_EQUAL(blind.loans, 0);
	CU_ASSERT_EQUAL(seeing.walks, blind.walks);
	CU_ASSERT_TRUE(seeing.hops * 10 < blind.hops * 9);
}

static void an_id_that_nobody_has_ends_beside_its_place(void)
{
	for (unsigned nodes = 2; nodes <= 300; nodes = nodes * 3 + 1) {
		build(nodes, LINKED, TABLES_STALE, false, nodes);
		for (unsigned i = 0; i < 300; i++) {
			struct id key = any();
			struct walk k = walk(draw(nodes), key, ROUTE_EXACT);

			CU_ASSERT_EQUAL(k.end, NEXT_NONE);
			CU_ASSERT_TRUE(k.at == owner(key) || (k.at + 1) % nodes == owner(key));
		}
		clear();
	}
}

/* ---- one hop ---- */

static struct id at(uint64_t hi)
{
	return (struct id){ hi, 0 };
}

/* A member at @self, linked to the @count ids in @peer, all of them its neighbours. */
static struct ring *stand(uint64_t self, const uint64_t *peer, unsigned count)
{
	memset(&w, 0, sizeof(w));
	bare_init(&w.b, 1);
	w.nodes = 1;
	w.ring[0] = (struct ring){ .self = at(self), .state = RING_JOINED };
	w.ring[0].peer = calloc(PEERS_MAX, sizeof(*w.ring[0].peer));
	near_init(&w.ring[0].near, at(self));
	for (unsigned i = 0; i < count; i++) {
		near_add(&w.ring[0].near, &w.b.env, at(peer[i]), NULL, 1, (uint16_t)i);
		w.ring[0].peer[w.ring[0].peers++] = (struct ring_peer){ .id = at(peer[i]), .up = 1, .member = 1 };
	}
	return &w.ring[0];
}

/* The slot a fresh message goes to, or minus enum next less one. */
static int goes(const struct ring *r, uint64_t to, uint8_t flags, int avoid)
{
	struct way way = { .to = at(to), .least = ID_MAX, .flags = flags };
	uint16_t slot = (uint16_t)avoid;
	link_ref next = LINK_NONE;
	enum next end = next_hop(r, &w.b.env, &way, &slot, avoid >= 0, &next);

	return end == NEXT_LINK ? next.slot : -1 - (int)end;
}

enum { HERE = -1 - NEXT_HERE, WAIT = -1 - NEXT_WAIT, NONE = -1 - NEXT_NONE, ANY = -1 };

static void an_owner_that_was_silent_is_waited_for(void)
{
	static const uint64_t PEER[] = { 2000, 3000, 500 };
	struct ring *r = stand(1000, PEER, 3);

	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), 0);
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, 0), WAIT);
	CU_ASSERT_EQUAL(goes(r, 2000, ROUTE_EXACT, 0), WAIT);
	r->peer[0].doubted = 1;
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), WAIT);
	CU_ASSERT_EQUAL(goes(r, 2500, ROUTE_OWNER, ANY), 1);
	clear();
}

static void one_who_leaves_or_is_no_member_carries_nothing(void)
{
	static const uint64_t PEER[] = { 2000, 3000, 500 };
	struct ring *r = stand(1000, PEER, 3);

	r->peer[0].leaving = 1;
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), 1);	/* its heir */
	r->peer[1].member = 0;
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), 2);	/* now the next one round the ring */
	r->peer[1].agreed = 1;
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), 1);
	r->peer[1].up = 0;
	CU_ASSERT_EQUAL(goes(r, 1500, ROUTE_OWNER, ANY), 2);
	clear();
}

static void a_final_message_only_moves_on_to_who_follows_the_key_more_closely(void)
{
	static const uint64_t PEER[] = { 900, 800, 700, 2000 };
	struct ring *r = stand(1000, PEER, 4);

	CU_ASSERT_EQUAL(goes(r, 950, ROUTE_OWNER | ROUTE_FINAL, ANY), HERE);
	CU_ASSERT_EQUAL(goes(r, 750, ROUTE_OWNER | ROUTE_FINAL, ANY), 1);
	CU_ASSERT_EQUAL(goes(r, 750, ROUTE_OWNER | ROUTE_FINAL, 1), WAIT);	/* it may be the owner */
	CU_ASSERT_EQUAL(goes(r, 650, ROUTE_OWNER | ROUTE_FINAL, ANY), 2);
	clear();
}

static void a_linked_node_is_reached_directly_by_its_id(void)
{
	static const uint64_t PEER[] = { 2000, 500, UINT64_MAX / 2, UINT64_MAX / 2 + 10 };
	struct ring *r = stand(1000, PEER, 4);

	CU_ASSERT_EQUAL(goes(r, 1000, ROUTE_EXACT, ANY), HERE);
	CU_ASSERT_EQUAL(goes(r, UINT64_MAX / 2, ROUTE_EXACT, ANY), 2);
	CU_ASSERT_EQUAL(goes(r, UINT64_MAX / 2, ROUTE_EXACT, 2), 3);	/* silent: by another one */
	clear();
}

static void who_has_not_joined_owns_nothing(void)
{
	static const uint64_t PEER[] = { 2000, 500 };
	struct ring *r = stand(1000, PEER, 2);

	CU_ASSERT_EQUAL(goes(r, 700, ROUTE_OWNER, ANY), HERE);
	r->state = RING_ENTERING;
	CU_ASSERT_NOT_EQUAL(goes(r, 700, ROUTE_OWNER, ANY), HERE);
	r->state = RING_APART;
	r->peer[0].up = r->peer[1].up = 0;
	CU_ASSERT_EQUAL(goes(r, 700, ROUTE_OWNER, ANY), WAIT);
	clear();
}

static void no_second_loan_is_given_before_the_first_is_paid(void)
{
	static const uint64_t PEER[] = { 100ull << 32, 90ull << 32, 300ull << 32 };
	static uint32_t there[] = { 201 };
	struct ring *r = stand(110ull << 32, PEER, 3);
	struct way way = { .to = at(200ull << 32), .least = at(80ull << 32), .flags = ROUTE_NEAREST };
	link_ref next;

	r->peer[1].prefix = memcpy(malloc(sizeof(there)), there, sizeof(there));
	r->peer[1].prefixes = 1;	/* 20 farther away than we are, and says it is linked beside the key */
	CU_ASSERT_EQUAL(next_hop(r, &w.b.env, &way, NULL, 0, &next), NEXT_LINK);
	CU_ASSERT_TRUE(next.slot == 1 && way.flags == (ROUTE_NEAREST | ROUTE_OWED));
	CU_ASSERT_TRUE(id_eq(way.least, at(80ull << 32)));
	CU_ASSERT_EQUAL(next_hop(r, &w.b.env, &way, NULL, 0, &next), NEXT_HERE);	/* none is nearer */
	w.b.config.lookahead = false;
	way.flags = ROUTE_NEAREST;
	CU_ASSERT_EQUAL(next_hop(r, &w.b.env, &way, NULL, 0, &next), NEXT_HERE);
	clear();
}

/* Where greedy takes the first of three, which of them carries when their round trips are these (ms)? */
static unsigned carrier(struct ring *r, unsigned first, unsigned second, unsigned third)
{
	struct way way = { .to = at(100ull << 32), .least = at(1000ull << 32), .flags = ROUTE_NEAREST };
	struct link link[3] = { { .state = LINK_UP }, { .state = LINK_UP }, { .state = LINK_UP } };
	struct links links = { .link = link, .slots = 3 };
	link_ref next;

	link[0].srtt_us = first * 1000;
	link[1].srtt_us = second * 1000;
	link[2].srtt_us = third * 1000;
	r->links = &links;
	CU_ASSERT_EQUAL(next_hop(r, &w.b.env, &way, NULL, 0, &next), NEXT_LINK);
	r->links = NULL;
	return next.slot;
}

static void of_peers_that_are_about_as_good_the_one_with_the_shortest_round_trip_carries(void)
{
	static const uint64_t PEER[] = { 500ull << 32, 520ull << 32, 990ull << 32 };
	struct ring *r = stand(1000ull << 32, PEER, 3);

	CU_ASSERT_EQUAL(carrier(r, 50, 50, 50), 0);
	CU_ASSERT_EQUAL(carrier(r, 200, 20, 200), 1);
	CU_ASSERT_EQUAL(carrier(r, 100, 120, 20), 0);		/* one bit more for 40 ms less: no gain */
	CU_ASSERT_EQUAL(carrier(r, 300, 280, 20), 2);
	clear();
}

CU_TestInfo next_tests[] = {
	{ "every key is found at its owner, whatever the tables say",
	  every_key_is_found_at_its_owner_whatever_the_tables_say },
	{ "every node is found by its id", every_node_is_found_by_its_id },
	{ "the nearest node to a key is found", the_nearest_node_to_a_key_is_found },
	{ "messages go around far links that were silent", messages_go_around_far_links_that_were_silent },
	{ "with true tables a loan is paid back by the next hop",
	  with_true_tables_a_loan_is_paid_back_by_the_next_hop },
	{ "lookahead shortens the way, and without it there are no loans",
	  lookahead_shortens_the_way_and_without_it_there_are_no_loans },
	{ "an id that nobody has ends beside its place", an_id_that_nobody_has_ends_beside_its_place },
	{ "an owner that was silent is waited for", an_owner_that_was_silent_is_waited_for },
	{ "one who leaves or is no member carries nothing", one_who_leaves_or_is_no_member_carries_nothing },
	{ "a final message only moves on to who follows the key more closely",
	  a_final_message_only_moves_on_to_who_follows_the_key_more_closely },
	{ "a linked node is reached directly by its id", a_linked_node_is_reached_directly_by_its_id },
	{ "who has not joined owns nothing", who_has_not_joined_owns_nothing },
	{ "of peers that are about as good the one with the shortest round trip carries",
	  of_peers_that_are_about_as_good_the_one_with_the_shortest_round_trip_carries },
	{ "no second loan is given before the first is paid",
	  no_second_loan_is_given_before_the_first_is_paid },
	CU_TEST_INFO_NULL
};
