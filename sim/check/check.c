/*
 * check.c - when to look, and whom to tell
 *
 * One barrier at the shortest interval asked for: what shards noted since the
 * last one is put in order and judged, the census is taken once, and every
 * oracle that is due judges it. Oracles told to look after each step do so from
 * the engine's hook instead, which one shard can afford: nothing else runs then.
 */
#include "sim/check/check.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

#include "node/prog/fail.h"
#include "node/prog/scenario.h"
#include "sim/check/addresses.h"
#include "sim/check/bounds.h"
#include "sim/check/casts.h"
#include "sim/check/leftovers.h"
#include "sim/check/lengths.h"
#include "sim/check/look.h"
#include "sim/check/owners.h"
#include "sim/check/rings.h"
#include "sim/check/routes.h"
#include "sim/check/sights.h"
#include "sim/check/tables.h"
#include "sim/record/metrics.h"

enum { WALKS = 32, OWNERS_ASKED = 8, CHANCE_CHECK = 0x6f7261 };

#define CAST_WAIT	(20 * NS_PER_S)		/* retries and rescues of a broadcast are over by then */
#define CAST_LOSS_PPB	10000000u		/* 1 %: above, no share is promised (DESIGN section 5) */
#define CAST_SHARE_PPB	999000000u
#define EVERYBODY_PPB	1000000000u
#define CALM_NS		NS_PER_S		/* between broadcasts of one node's machines, on average */
#define FALLBACK_NS	(10 * NS_PER_S)		/* interval when nothing but hooks is asked for */

/** struct noted - something a hook saw, to be judged in the next barrier */
struct noted {
	int64_t at_ns;
	uint32_t host, size;		/* size: DRAWN: the ring's, as the drawer believes */
	struct id self, peer;
	uint64_t a, b;
	uint8_t kind;			/* enum record_kind, or one of the two below */
};
enum { NOTED_CAME = RECORD_KINDS, NOTED_WENT };

/** struct due - one oracle and when it looks next */
struct due {
	int64_t every_ns, next_ns;	/* every: 0 off, EVERY_STEP */
};
enum turn { TURN_RING, TURN_ROUTING, TURN_LINKS, TURN_BOUNDS, TURN_LEFTOVERS, TURNS };

struct check {
	struct world *world;
	const struct scenario_check *want;
	struct census census;
	struct limits limits;
	struct findings found;
	struct judge judge;
	struct rings_view view;
	int64_t moved_ns;		/* when members last came or went */
	struct due due[TURNS];
	bool every_step;		/* an oracle of the ring looks after each step */
	GArray **noted;			/* by shard */
	GArray *sorted;
	unsigned shards;
	struct addresses *addresses;	/* NULL: there is no network */
	int m_checks[ORACLES], m_violations[ORACLES];
	uint64_t told_checks[ORACLES], told_violations[ORACLES], told_drops;

	struct check_rings rings;
	struct check_routes routes;
	struct check_tables tables;
	struct check_lengths lengths;
	struct check_casts casts;
	struct check_bounds bounds;
	struct check_leftovers leftovers;
	struct check_owners owners;
};

/* ---- telling ---- */

static void tell(void *ctx, enum oracle o, int64_t at_ns, uint32_t node, const char *text)
{
	struct check *c = ctx;

	world_violation(c->world, 0, at_ns, node == FINDING_WORLD ? WORLD_NOBODY : node, oracle_name(o),
			"%s", text);
}

static void note_metrics(struct check *c)
{
	struct metrics *m = world_metrics(c->world, 0);

	for (unsigned o = 0; m && o < ORACLES; o++) {
		metrics_add(m, M_ORACLE_CHECKS, (int64_t)(c->found.checks[o] - c->told_checks[o]));
		metrics_add(m, c->m_checks[o], (int64_t)(c->found.checks[o] - c->told_checks[o]));
		metrics_add(m, c->m_violations[o], (int64_t)(c->found.violations[o] - c->told_violations[o]));
		c->told_checks[o] = c->found.checks[o];
		c->told_violations[o] = c->found.violations[o];
	}
	if (c->addresses)
		addresses_metrics(c->addresses);
}

/* ---- what hooks note ---- */

static void note(struct check *c, unsigned shard, struct noted n)
{
	g_array_append_val(c->noted[shard], n);
}

static void on_record(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct record *r)
{
	struct check *c = ctx;
	struct noted n = {
		.at_ns = now_ns, .host = host, .peer = r->peer, .a = r->a, .b = r->b, .kind = r->kind,
	};
	struct host_view v;
	struct look l;

	switch (r->kind) {
	case RECORD_DRAWN:
		if (!c->want->lengths)
			return;
		world_host(c->world, host, &v);
		if (!v.node)
			return;
		node_look(v.node, &l);
		n.self = l.id;
		n.size = l.size;
		note(c, shard, n);
		return;
	case RECORD_BROADCAST:
		if (c->want->broadcasts)
			note(c, shard, n);
		return;
	case RECORD_LOOKUP:
		if (c->want->routing_ns)
			note(c, shard, n);
		return;
	default:
		return;
	}
}

static void on_started(void *ctx, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct check *c = ctx;

	note(c, shard, (struct noted){ .at_ns = now_ns, .host = host, .kind = NOTED_CAME });
	if (c->addresses)
		sights_started(addresses_sights(c->addresses), shard, now_ns, host);
}

static void on_ended(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, bool graceful)
{
	struct check *c = ctx;

	note(c, shard, (struct noted){ .at_ns = now_ns, .host = host, .kind = NOTED_WENT });
	if (c->addresses)
		sights_ended(addresses_sights(c->addresses), shard, now_ns, host, graceful);
}

static void on_deed(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct deed *d)
{
	sights_deed(addresses_sights(((struct check *)ctx)->addresses), shard, now_ns, host, d);
}

static void on_frame(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct frame *f)
{
	sights_frame(addresses_sights(((struct check *)ctx)->addresses), shard, now_ns, host, f);
}

/* Each machine hears each broadcast of others at most once; exactly once where that is promised and none is shed. */
static void on_shout(void *ctx, int64_t now_ns, const struct shout_view *v)
{
	struct check *c = ctx;

	findings_checked(&c->found, ORACLE_BROADCASTS, 1);
	if (v->leaked)
		findings_add(&c->found, ORACLE_BROADCASTS, now_ns, v->host,
			     "its machine g%u heard broadcast %u of g%u, though the sender's node knew it was revoked", v->to,
			     v->token, v->from);
	if (v->times > 1)
		findings_add(&c->found, ORACLE_BROADCASTS, now_ns, v->host,
			     "its machine g%u heard broadcast %u of g%u twice, expected once", v->to, v->token, v->from);
	else if (!v->times && c->casts.all_ppb == EVERYBODY_PPB)
		findings_add(&c->found, ORACLE_BROADCASTS, now_ns, v->host,
			     "its machine g%u never heard broadcast %u of g%u, expected once", v->to, v->token, v->from);
}

static int by_time(const void *va, const void *vb)
{
	const struct noted *a = va, *b = vb;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return (a->host > b->host) - (a->host < b->host);
}

static void unsettle(struct check *c, int64_t now_ns)
{
	c->moved_ns = now_ns;
	casts_unsettle(&c->casts, now_ns);
}

/* Notes of one host are all in one shard, and g_array_sort() is stable, so the order is the same for any shards. */
static void judge_notes(struct check *c)
{
	g_array_set_size(c->sorted, 0);
	for (unsigned i = 0; i < c->shards; i++) {
		g_array_append_vals(c->sorted, c->noted[i]->data, c->noted[i]->len);
		g_array_set_size(c->noted[i], 0);
	}
	g_array_sort(c->sorted, by_time);
	for (unsigned i = 0; i < c->sorted->len; i++) {
		const struct noted *n = &g_array_index(c->sorted, struct noted, i);

		switch (n->kind) {
		case RECORD_DRAWN:
			lengths_drawn(&c->lengths, &c->limits, n->self, n->peer, n->size);
			break;
		case RECORD_BROADCAST:
			casts_heard(&c->casts, &c->census, &c->judge, n->at_ns, n->host, n->peer, n->a, n->b);
			break;
		case RECORD_LOOKUP:
			check_hops(&c->judge, n->at_ns, n->host, n->a, MAX(c->census.members, 2));
			break;
		default:
			casts_excuse(&c->casts, n->host);
			unsettle(c, n->at_ns);
		}
	}
}

/* ---- looking ---- */

static bool owns(const void *ctx, uint32_t row, struct id key)
{
	const struct check *c = ctx;
	struct host_view v;

	world_host(c->world, row, &v);
	return v.node && node_owns(v.node, key);
}

static bool went(const void *ctx, struct id id, struct went *out)
{
	const struct check *c = ctx;
	struct was was;

	if (!world_was(c->world, id, &was) || was.alive)
		return false;
	*out = (struct went){ .ended_ns = was.ended_ns, .goodbye = was.said_goodbye };
	return true;
}

static void take_turn(struct check *c, enum turn which, bool few)
{
	switch (which) {
	case TURN_RING:
		check_rings(&c->rings, &c->census, &c->judge, &c->view);
		break;
	case TURN_ROUTING:
		check_routes(&c->routes, &c->census, &c->judge, few ? 1 : WALKS);
		check_owners(&c->owners, &c->census, &c->judge, few ? 1 : OWNERS_ASKED);
		break;
	case TURN_LINKS:
		check_tables(&c->tables, &c->census, &c->judge);
		break;
	case TURN_BOUNDS:
		check_bounds(&c->bounds, &c->census, &c->judge);
		break;
	default:
		check_leftovers(&c->leftovers, &c->census, &c->judge);
	}
}

/* A host that changed its part need not hear what is under way. */
static void excuse_moved(struct check *c, const uint32_t *part, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++)
		if (part[i] != c->census.row[i].part)
			casts_excuse(&c->casts, i);
}

static void take_census(struct check *c)
{
	uint32_t rows = c->census.rows, members = c->census.members, *part = g_new(uint32_t, rows + 1);

	for (uint32_t i = 0; i < rows; i++)
		part[i] = c->census.row[i].part;
	look_all(&c->census, c->world);
	if (c->casts.casts)
		excuse_moved(c, part, rows);
	g_free(part);
	census_index(&c->census);
	if (c->census.members != members)
		unsettle(c, c->census.now_ns);
}

static void judge_hop_limit(struct check *c, int64_t now_ns)
{
	uint64_t drops = world_drops(c->world, DROP_HOPS);

	check_hop_limit(&c->judge, now_ns, drops - c->told_drops);
	c->told_drops = drops;
}

static void barrier(void *ctx, int64_t now_ns)
{
	struct check *c = ctx;

	judge_notes(c);
	take_census(c);
	for (unsigned i = 0; i < TURNS; i++) {
		struct due *d = &c->due[i];

		if (d->every_ns <= 0 || now_ns < d->next_ns)
			continue;
		take_turn(c, (enum turn)i, false);
		d->next_ns = now_ns + d->every_ns;
	}
	if (c->addresses)
		addresses_judge(c->addresses, now_ns, false);
	if (c->want->routing_ns)
		judge_hop_limit(c, now_ns);
	c->casts.whole = (c->want->ring_ns ? c->view.right : c->census.parts == 1) &&
		now_ns - c->moved_ns >= CASTS_SETTLE_NS;
	check_casts(&c->casts, &c->census, &c->judge, false);
	note_metrics(c);
}

static void on_stepped(void *ctx, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct check *c = ctx;

	if (c->addresses)
		sights_stepped(addresses_sights(c->addresses), shard, now_ns, host);
	if (!c->every_step)
		return;
	look_step(&c->census, c->world, host, now_ns);
	census_index(&c->census);
	for (unsigned i = 0; i < TURNS; i++)
		if (c->due[i].every_ns == EVERY_STEP)
			take_turn(c, (enum turn)i, true);
}

static void judge_lengths(struct check *c)
{
	struct metrics *m = world_metrics(c->world, 0);
	struct lengths_view v;
	double ks;

	check_lengths(&c->lengths, &c->census, &c->judge, &v);
	ks = MAX(v.drawn_ks, v.held_ks);
	if (ks >= 0 && m)
		metrics_set(m, M_LINK_LENGTH_KS, (int64_t)(ks * 1e9 + 0.5));
}

static void on_interval(void *ctx, int64_t now_ns, bool last)
{
	struct check *c = ctx;

	if (last) {
		if (c->want->routing_ns)
			judge_hop_limit(c, now_ns);
		judge_notes(c);
		take_census(c);
		for (unsigned i = 0; i < TURNS; i++)
			if (c->due[i].every_ns)
				take_turn(c, (enum turn)i, false);
		check_casts(&c->casts, &c->census, &c->judge, true);
		if (c->addresses)
			addresses_judge(c->addresses, now_ns, true);
		if (c->want->lengths)
			judge_lengths(c);
	}
	note_metrics(c);
}

/* ---- beginning and end ---- */

static void add_metrics(struct check *c)
{
	struct catalog *k = world_catalog(c->world);

	for (unsigned o = 0; o < ORACLES; o++) {
		char *checks = g_strdup_printf("oracle.%s.checks", oracle_name((enum oracle)o));
		char *broken = g_strdup_printf("oracle.%s.violations", oracle_name((enum oracle)o));

		c->m_checks[o] = catalog_add(k, METRIC_COUNTER, UNIT_NUMBER, M_NONE, checks,
					     oracle_promise((enum oracle)o));
		c->m_violations[o] = catalog_add(k, METRIC_COUNTER, UNIT_NUMBER, M_NONE, broken,
						 "where this did not hold");
		g_free(checks);
		g_free(broken);
	}
}

/* Everybody hears everything if nothing is lost, nobody goes, and machines broadcast less than any storm guard
 * sheds; at 1 % loss a share is promised. */
static uint32_t cast_share(const struct scenario *s)
{
	bool still = !s->fault.count && !dist_given(&s->churn.session) && !s->churn.trace &&
		!s->net.non_transitive_ppb;
	bool calm = !s->guests.shout_every_ns || s->guests.shout_every_ns >= CALM_NS * s->guests.per_node;

	if (!still || !calm || s->net.loss_ppb > CAST_LOSS_PPB || s->net.loss_burst > 1)
		return 0;
	return s->net.loss_ppb || s->net.corrupt_ppb || s->net.queue_bytes ? CAST_SHARE_PPB : EVERYBODY_PPB;
}

static int64_t plan(struct check *c)
{
	const int64_t every[TURNS] = {
		[TURN_RING] = c->want->ring_ns, [TURN_ROUTING] = c->want->routing_ns,
		[TURN_LINKS] = c->want->links_ns, [TURN_BOUNDS] = c->want->bounds_ns,
		[TURN_LEFTOVERS] = c->want->leftovers_ns,
	};
	int64_t shortest = FALLBACK_NS;

	for (unsigned i = 0; i < TURNS; i++) {
		c->due[i].every_ns = every[i];
		if (every[i] > 0)
			shortest = MIN(shortest, every[i]);
	}
	return shortest;
}

struct check *check_new(struct world *w, struct fail *f)
{
	const struct scenario *s = world_scenario(w);
	struct check *c = g_new0(struct check, 1);
	int64_t tick;
	struct watch watch = {
		.ctx = c, .record = on_record, .started = on_started, .ended = on_ended,
		.interval = on_interval,
	};

	c->world = w;
	c->want = &s->check;
	c->shards = world_shards(w);
	c->judge = (struct judge){ &c->limits, &c->found };
	census_init(&c->census);
	findings_init(&c->found, tell, c);
	look_limits(&c->limits, w);
	tick = plan(c);
	for (unsigned i = 0; i < TURNS; i++) {
		if (c->due[i].every_ns != EVERY_STEP)
			continue;
		if (c->shards > 1) {
			fail_add(f, "[check] asks for a look after every step, which works with one shard only; "
				 "accepted: run.shards = 1 and one thread, or an interval");
			check_free(c);
			return NULL;
		}
		watch.stepped = on_stepped;
		c->every_step = true;
	}
	c->noted = g_new(GArray *, c->shards);
	for (unsigned i = 0; i < c->shards; i++)
		c->noted[i] = g_array_new(FALSE, FALSE, sizeof(struct noted));
	c->sorted = g_array_new(FALSE, FALSE, sizeof(struct noted));
	c->routes.chance = chance_of(world_seed(w), CHANCE_CHECK, ORACLE_ROUTING);
	c->owners.chance = chance_of(world_seed(w), CHANCE_CHECK, ORACLE_OWNERS);
	c->lengths.chance = chance_of(world_seed(w), CHANCE_CHECK, ORACLE_LENGTHS);
	c->owners.owns = owns;
	c->owners.ctx = c;
	c->leftovers.went = went;
	c->leftovers.ctx = c;
	c->casts.wait_ns = CAST_WAIT;
	c->casts.all_ppb = cast_share(s);
	watch.shout = s->check.broadcasts ? on_shout : NULL;
	c->addresses = addresses_new(w, &c->judge, &c->census);
	if (c->addresses) {
		watch.stepped = on_stepped;
		watch.deed = on_deed;
		watch.frame = on_frame;
		addresses_catalog(c->addresses);
	}
	add_metrics(c);
	world_watch(w, &watch);
	world_every(w, tick, tick, barrier, c);
	return c;
}

void check_free(struct check *c)
{
	if (!c)
		return;
	for (unsigned i = 0; c->noted && i < c->shards; i++)
		g_array_free(c->noted[i], TRUE);
	if (c->sorted)
		g_array_free(c->sorted, TRUE);
	g_free(c->noted);
	check_rings_done(&c->rings);
	check_routes_done(&c->routes);
	check_tables_done(&c->tables);
	check_lengths_done(&c->lengths);
	check_casts_done(&c->casts);
	check_bounds_done(&c->bounds);
	check_leftovers_done(&c->leftovers);
	check_owners_done(&c->owners);
	addresses_free(c->addresses);
	findings_done(&c->found);
	census_done(&c->census);
	g_free(c);
}

void check_print(const struct check *c, FILE *to)
{
	for (unsigned o = 0; o < ORACLES; o++) {
		if (c->found.checks[o])
			fprintf(to, "  %-11s %12" PRIu64 " checks %8" PRIu64 " violations  %s\n",
				oracle_name((enum oracle)o), c->found.checks[o], c->found.violations[o],
				oracle_promise((enum oracle)o));
		if (c->found.undecided[o])
			fprintf(to, "  %-11s not decided: %s\n", oracle_name((enum oracle)o),
				c->found.undecided[o]);
	}
	if (c->addresses)
		addresses_print(c->addresses, to);
}
