/*
 * leases.c - addresses asked for, kept and given back by nodes themselves, without machines
 *
 * Each joined node asks at exponential intervals: for an address that others ask
 * for in the same window of time (contended), for any, or for a random one. What
 * it is granted it keeps for `hold`, renews once in the middle of that or not,
 * and releases. Questions go through the node's control requests; the reply ends
 * them. Judged in the order of the journal:
 *
 *	majority side	the part of the underlay with more than half of the ring's
 *			members, when it was asked and when it was answered
 *	granted in 5 s	of asks on majority sides whose asker lived to see the end and
 *			was not told that the address is somebody else's, or that there is
 *			none left: those granted within 5 s
 *
 * An asker that ends, or is paused or put to sleep, takes its open questions along.
 */
#include <string.h>

#include "core/dht/op.h"
#include "sim/world/networks.h"
#include "sim/world/inside.h"

enum due { DUE_ASK, DUE_GET, DUE_RENEW, DUE_RELEASE };
enum how { HOW_ANY, HOW_RANDOM, HOW_CONTENDED, HOW_HELD };
enum mine_state { MINE_FREE, MINE_ASKED, MINE_HELD };

#define IN_TIME_NS	(5 * NS_PER_S)

struct mine {
	struct ip ip;
	uint32_t number;		/* of the ask it came by */
	uint8_t state;			/* enum mine_state */
	int64_t asked_ns;
};

struct leasing { uint32_t asks, draws; };

struct asked {
	struct pending_item item;
	uint32_t number;
	uint8_t what, how;		/* enum ask, enum how */
	bool majority;
};

/* id, kind, unit, whole, name, text */
#define LEASE_LIST(X)											\
	X(OPERATIONS, COUNTER, NUMBER, NONE, "lease.operations", "questions about addresses that were answered")	\
	X(ASKED, COUNTER, NUMBER, NONE, "lease.asked", "addresses asked for")				\
	X(CONTENDED, COUNTER, NUMBER, NONE, "lease.contended", "of them, asked for by others at the same time")	\
	X(ASKER_DIED, COUNTER, NUMBER, NONE, "lease.asker_died", "questions whose asker ended or stood still first")	\
	X(JUDGED, COUNTER, NUMBER, NONE, "lease.judged", "asks for an address answered, or not in time")	\
	X(GRANTED, RATIO, SHARE, JUDGED, "lease.granted", "granted")					\
	X(TAKEN, RATIO, SHARE, JUDGED, "lease.taken", "refused: somebody else's")			\
	X(FULL, RATIO, SHARE, JUDGED, "lease.full", "refused: no address is free, or no room")		\
	X(DENIED, RATIO, SHARE, JUDGED, "lease.denied", "refused for another reason")			\
	X(LOST, RATIO, SHARE, JUDGED, "lease.lost", "undecided in time")				\
	X(MAJORITY, COUNTER, NUMBER, NONE, "lease.majority",						\
	  "asks on majority sides that could be granted: not refused as taken or full")		\
	X(GRANTED_5S, RATIO, SHARE, MAJORITY, "lease.granted_5s", "of them, granted within 5 s")	\
	X(CREATE_TIME, HISTOGRAM, MS, NONE, "lease.create_ms", "from asking for an address to the grant")	\
	X(TAKEN_TIME, HISTOGRAM, MS, NONE, "lease.taken_ms", "from asking to hearing that it is somebody else's")	\
	X(RENEWED, COUNTER, NUMBER, NONE, "lease.renewed", "renewals on request that were granted")	\
	X(UNRENEWED, COUNTER, NUMBER, NONE, "lease.unrenewed", "refused, or not answered in time")	\
	X(RENEW_TIME, HISTOGRAM, MS, NONE, "lease.renew_ms", "from asking to renew to the grant")	\
	X(RELEASED, COUNTER, NUMBER, NONE, "lease.released", "addresses given back")			\
	X(UNRELEASED, COUNTER, NUMBER, NONE, "lease.unreleased", "refused, or not answered in time")	\
	X(GOT, COUNTER, NUMBER, NONE, "lease.got", "asks who has an address, answered")		\
	X(UNGOT, COUNTER, NUMBER, NONE, "lease.ungot", "not answered in time")				\
	X(GET_TIME, HISTOGRAM, MS, NONE, "lease.get_ms", "from asking who has an address to the answer")	\
	X(IDLE, COUNTER, NUMBER, NONE, "lease.idle", "times a node had its fill and did not ask")

enum lease_metric {
	LEASE_NONE = -1,
#define X(id, kind, unit, of, name, text) LEASE_##id,
	LEASE_LIST(X)
#undef X
	LEASE_METRICS
};

struct leases {
	const struct scenario_leases *set;
	const struct network_record *record;
	uint8_t network;		/* index */
	struct dist ask_every, get_every;
	uint64_t leasable, hot;		/* addresses; contended ones in each window */
	struct leasing *host;
	struct mine *mine;		/* set->most for each host */
	struct pending pending;
	int metric[LEASE_METRICS];
	/* who is on a majority side: counted anew once a second and in each epoch */
	uint32_t *members;
	uint32_t all;
	int64_t counted_ns, epoch_ns;
};

struct leases *leases_new(struct world *w)
{
	const struct scenario_leases *set = &w->scenario->leases;
	struct leases *k;

	if (!set->every_ns && !set->get_every_ns)
		return NULL;
	k = g_new0(struct leases, 1);
	k->set = set;
	for (unsigned i = 0; i < w->scenario->network.count; i++)
		if (scenario_network(w->scenario, i)->head.number == (unsigned)set->network)
			k->network = (uint8_t)i;
	k->record = networks_record(w, k->network);
	k->leasable = MAX(networks_leasable(k->record), 1);
	k->ask_every = exponential(set->every_ns);
	k->get_every = exponential(set->get_every_ns);
	if (set->contended_ppb)			/* asks of one window, over those for one address */
		k->hot = MAX(1, (uint64_t)((__int128)w->scenario->nodes.count * set->window_ns * set->contended_ppb /
					   ((__int128)set->every_ns * PPB_ONE * set->rivals)));
	k->host = g_new0(struct leasing, w->hosts);
	k->mine = g_new0(struct mine, w->hosts * (gsize)set->most);
	k->members = g_new0(uint32_t, w->hosts);
	k->counted_ns = INT64_MIN;
	pending_init(&k->pending, w->hosts, sizeof(struct asked));
	return k;
}

void leases_free(struct world *w)
{
	struct leases *k = w->leases;

	if (!k)
		return;
	pending_fini(&k->pending);
	g_free(k->members);
	g_free(k->host);
	g_free(k->mine);
	g_free(k);
	w->leases = NULL;
}

static int whole(const struct leases *k, int of)
{
	return of == LEASE_NONE ? M_NONE : k->metric[of];
}

void leases_catalog(struct world *w)
{
	struct leases *k = w->leases;

	if (!k)
		return;
#define X(id, kind, unit, of, name, text) \
	k->metric[LEASE_##id] = catalog_add(w->catalog, METRIC_##kind, UNIT_##unit, whole(k, LEASE_##of), name, text);
	LEASE_LIST(X)
#undef X
}

/* ---- asking, on the host's shard ---------------------------------------------------------------- */

static uint64_t draw(const struct world *w, struct host *h)
{
	uint32_t i = host_number(w, h);

	return host_chance(w, i, STREAM_LEASE, w->leases->host[i].draws++);
}

static void post(const struct world *w, struct lane *l, struct host *h, enum due what, int64_t at_ns, uint32_t number)
{
	uint32_t i = host_number(w, h);
	struct order *o = engine_payload(l, sizeof(*o));

	*o = (struct order){ .incarnation = h->incarnation, .what = what, .number = number };
	engine_post(l, i, i, CLASS_LEASE, MAX(at_ns, lane_now(l) + 1), o);
}

static void schedule(struct world *w, struct lane *l, struct host *h, enum due what)
{
	const struct dist *every = what == DUE_ASK ? &w->leases->ask_every : &w->leases->get_every;

	if (dist_given(every))
		post(w, l, h, what, lane_now(l) + dist_sample_ns(every, draw(w, h)), 0);
}

void leases_started(struct shard *s, struct lane *l, struct host *h)
{
	if (!s->world->leases)
		return;
	schedule(s->world, l, h, DUE_ASK);
	schedule(s->world, l, h, DUE_GET);
}

void leases_ended(struct shard *s, struct host *h)
{
	const struct leases *k = s->world->leases;

	if (k)
		memset(&k->mine[host_number(s->world, h) * (gsize)k->set->most], 0,
		       (gsize)k->set->most * sizeof(struct mine));
}

static struct mine *mine_of(const struct world *w, const struct host *h, uint32_t number)
{
	struct leases *k = w->leases;
	struct mine *m = &k->mine[host_number(w, h) * (gsize)k->set->most];

	for (int64_t i = 0; i < k->set->most; i++)
		if (m[i].state && m[i].number == number)
			return &m[i];
	return NULL;
}

static struct mine *room(const struct world *w, const struct host *h, int64_t now_ns)
{
	struct leases *k = w->leases;
	struct mine *m = &k->mine[host_number(w, h) * (gsize)k->set->most];

	for (int64_t i = 0; i < k->set->most; i++)
		if (!m[i].state || (m[i].state == MINE_ASKED && m[i].asked_ns + 2 * k->set->timeout_ns < now_ns))
			return &m[i];
	return NULL;
}

static uint64_t below(uint64_t draw_of, uint64_t n)
{
	return (uint64_t)((unsigned __int128)draw_of * n >> 64);
}

/* Which address, and how it was chosen. */
static enum how choose(struct world *w, struct host *h, int64_t now_ns, struct ip *ip)
{
	struct leases *k = w->leases;

	*ip = (struct ip){ .family = 4 };
	if (draw(w, h) % PPB_ONE < k->set->contended_ppb) {
		uint64_t window = (uint64_t)(now_ns / k->set->window_ns), which = below(draw(w, h), k->hot);

		*ip = networks_address(k->record, 4, below(host_chance(w, UINT32_MAX, STREAM_HOT, window * k->hot + which),
							   k->leasable));
		return HOW_CONTENDED;
	}
	if (draw(w, h) % PPB_ONE < k->set->any_ppb)
		return HOW_ANY;
	*ip = networks_address(k->record, 4, below(draw(w, h), k->leasable));
	return HOW_RANDOM;
}

static void ask(struct shard *s, struct lane *l, struct host *h, enum ask what, enum how how, const struct ip *ip,
		uint32_t number, uint32_t client)
{
	struct world *w = s->world;
	struct event ev = { .kind = EVENT_CONTROL };

	ev.request.ask = (uint8_t)what;
	ev.request.token = number;
	ev.request.ip = *ip;
	ev.request.client = (uint64_t)(host_number(w, h) + 1) << 32 | client;
	ev.request.network = w->leases->network;
	ev.request.timeout_ns = w->leases->set->timeout_ns;
	watch_note(s, lane_now(l), h, NOTE_LEASE_ASK, (struct id){ 0 }, number | (uint64_t)what << 32, (uint64_t)how);
	host_step(s, l, h, &ev, 1);
}

void leases_event(struct shard *s, struct lane *l, struct host *h, const struct order *o)
{
	struct world *w = s->world;
	struct leases *k = w->leases;
	struct leasing *x = &k->host[host_number(w, h)];
	struct mine *m;
	struct ip ip;
	enum how how;

	if (h->state == HOST_OFF || o->incarnation != h->incarnation)
		return;
	if (o->what == DUE_ASK || o->what == DUE_GET)
		schedule(w, l, h, (enum due)o->what);
	if (h->state != HOST_UP || !(h->flags & HOST_JOINED))
		return;
	switch ((enum due)o->what) {
	case DUE_ASK:
		m = room(w, h, lane_now(l));
		if (!m) {
			metrics_add(s->m, k->metric[LEASE_IDLE], 1);
			return;
		}
		how = choose(w, h, lane_now(l), &ip);
		*m = (struct mine){ .ip = ip, .number = ++x->asks, .state = MINE_ASKED, .asked_ns = lane_now(l) };
		ask(s, l, h, ASK_LEASE, how, &ip, m->number, m->number);
		return;
	case DUE_GET:
		ip = networks_address(k->record, 4, below(draw(w, h), k->leasable));
		ask(s, l, h, ASK_RESOLVE, HOW_RANDOM, &ip, ++x->asks, 0);
		return;
	case DUE_RENEW:
	case DUE_RELEASE:
		m = mine_of(w, h, (uint32_t)o->number);
		if (!m || m->state != MINE_HELD)
			return;
		ip = m->ip;
		if (o->what == DUE_RELEASE)
			m->state = MINE_FREE;
		ask(s, l, h, o->what == DUE_RELEASE ? ASK_RELEASE : ASK_RENEW, HOW_HELD, &ip, ++x->asks, m->number);
		return;
	}
}

void leases_reply(struct shard *s, struct lane *l, struct host *h, const struct reply *r)
{
	struct world *w = s->world;
	struct leases *k = w->leases;
	struct mine *m;
	int64_t hold_ns;

	if (!k)
		return;
	watch_note(s, lane_now(l), h, NOTE_LEASE_ANSWER, (struct id){ 0 }, (uint32_t)r->token | (uint64_t)r->ask << 32,
		   (uint64_t)r->verdict | (uint64_t)r->answer << 8);
	if (r->ask != ASK_LEASE)
		return;
	m = mine_of(w, h, (uint32_t)r->token);
	if (!m || m->state != MINE_ASKED)
		return;
	if (r->answer != ANSWER_OK) {
		m->state = MINE_FREE;
		return;
	}
	m->state = MINE_HELD;
	m->ip = r->ip;
	hold_ns = MAX(2, dist_sample_ns(&k->set->hold, draw(w, h)));
	if (hold_ns > 3650 * NS_PER_DAY)
		return;
	post(w, l, h, DUE_RELEASE, lane_now(l) + hold_ns, m->number);
	if (draw(w, h) % PPB_ONE < k->set->renew_ppb)
		post(w, l, h, DUE_RENEW, lane_now(l) + hold_ns / 2, m->number);
}

/* ---- judging, in the order of the journal --------------------------------------------------------- */

static bool on_majority(struct world *w, uint32_t host, int64_t now_ns)
{
	struct leases *k = w->leases;
	const struct epoch *e = parts_epoch(w->parts, now_ns);

	if (!e->part)
		return true;
	if (k->epoch_ns != e->from_ns || now_ns - k->counted_ns > NS_PER_S) {
		memset(k->members, 0, w->hosts * sizeof(*k->members));
		k->all = 0;
		for (const struct owner *o = truth_first(w->truth); o; o = truth_after(w->truth, o->id)) {
			k->members[epoch_part(e, o->host)]++;
			k->all++;
		}
		k->epoch_ns = e->from_ns;
		k->counted_ns = now_ns;
	}
	return 2 * k->members[epoch_part(e, host)] > k->all;
}

/* @verdict: 0 if there was no answer in time. */
static void judged(struct world *w, struct asked *u, unsigned verdict, int64_t at_ns)
{
	struct leases *k = w->leases;
	struct metrics *m = w->shard[0].m;
	int64_t took_ns = at_ns - u->item.at_ns;
	bool ok = verdict == VERDICT_OK;
	enum lease_metric how = ok ? LEASE_GRANTED : verdict == VERDICT_TAKEN ? LEASE_TAKEN :
				verdict == VERDICT_FULL ? LEASE_FULL : verdict == VERDICT_DENIED ||
				verdict == VERDICT_FENCED ? LEASE_DENIED : LEASE_LOST;

	metrics_add(m, k->metric[LEASE_OPERATIONS], 1);
	switch ((enum ask)u->what) {
	case ASK_LEASE:
		metrics_add(m, k->metric[LEASE_JUDGED], 1);
		metrics_add(m, k->metric[how], 1);
		if (how == LEASE_GRANTED)
			metrics_note(m, k->metric[LEASE_CREATE_TIME], took_ns);
		if (how == LEASE_TAKEN)
			metrics_note(m, k->metric[LEASE_TAKEN_TIME], took_ns);
		if (how == LEASE_TAKEN || how == LEASE_FULL || !u->majority || !on_majority(w, u->item.host, at_ns))
			break;
		metrics_add(m, k->metric[LEASE_MAJORITY], 1);
		if (ok && took_ns <= IN_TIME_NS)
			metrics_add(m, k->metric[LEASE_GRANTED_5S], 1);
		break;
	case ASK_RENEW:
		metrics_add(m, k->metric[ok ? LEASE_RENEWED : LEASE_UNRENEWED], 1);
		if (ok)
			metrics_note(m, k->metric[LEASE_RENEW_TIME], took_ns);
		break;
	case ASK_RELEASE:
		metrics_add(m, k->metric[ok ? LEASE_RELEASED : LEASE_UNRELEASED], 1);
		break;
	default:
		ok = ok || verdict == VERDICT_ABSENT;
		metrics_add(m, k->metric[ok ? LEASE_GOT : LEASE_UNGOT], 1);
		if (ok)
			metrics_note(m, k->metric[LEASE_GET_TIME], took_ns);
	}
	if (how == LEASE_LOST && w->log)
		eventlog_say(w->log, 0, at_ns, u->item.host, "unanswered", "%s number %u",
			     u->what == ASK_LEASE ? "lease" : u->what == ASK_RENEW ? "renew" :
			     u->what == ASK_RELEASE ? "release" : "resolve", u->number);
	pending_done(&k->pending, u);
}

static void answered(struct world *w, const struct note *n)
{
	struct leases *k = w->leases;
	struct asked *u = pending_first(&k->pending, n->host);
	unsigned verdict = n->b & 0xff, answer = n->b >> 8 & 0xff;

	while (u && (u->number != (uint32_t)n->a || u->what != (uint8_t)(n->a >> 32)))
		u = pending_next(&k->pending, u);
	if (!u)					/* too late, or given up */
		return;
	if (answer == ANSWER_OK && !verdict)
		verdict = VERDICT_OK;
	judged(w, u, answer == ANSWER_TIMEOUT || (verdict == VERDICT_OK && answer != ANSWER_OK) ? 0 : verdict, n->at_ns);
}

void leases_time(struct world *w, int64_t now_ns)
{
	struct leases *k = w->leases;
	struct asked *u;

	/* an answer may come in the very nanosecond the time is up */
	while (k && (u = pending_expire(&k->pending, now_ns - k->set->timeout_ns - NS_PER_S)))
		judged(w, u, 0, u->item.at_ns + k->set->timeout_ns);
}

static void asker_gone(struct world *w, uint32_t host)
{
	struct asked *u;

	while ((u = pending_first(&w->leases->pending, host))) {
		metrics_add(w->shard[0].m, w->leases->metric[LEASE_ASKER_DIED], 1);
		pending_done(&w->leases->pending, u);
	}
}

void leases_note(struct world *w, const struct note *n)
{
	struct leases *k = w->leases;
	struct asked *u;

	if (!k)
		return;
	leases_time(w, n->at_ns);
	switch (n->kind) {
	case NOTE_LEASE_ASK:
		u = pending_add(&k->pending, n->host, n->at_ns);
		u->number = (uint32_t)n->a;
		u->what = (uint8_t)(n->a >> 32);
		u->how = (uint8_t)n->b;
		u->majority = on_majority(w, n->host, n->at_ns);
		if (u->what == ASK_LEASE)
			metrics_add(w->shard[0].m, k->metric[LEASE_ASKED], 1);
		if (u->how == HOW_CONTENDED)
			metrics_add(w->shard[0].m, k->metric[LEASE_CONTENDED], 1);
		break;
	case NOTE_LEASE_ANSWER:
		answered(w, n);
		break;
	case NOTE_END:
	case NOTE_STALL:
		asker_gone(w, n->host);
		break;
	}
}
