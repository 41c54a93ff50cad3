/*
 * chatter.c - the books of machines: who had which address when, and what is judged by it
 *
 * Read in the order of the journal. A name is right if the machine it is about
 * had the answered address at some instant between asking and answer; "does not
 * exist" is right if it had none at one. A broadcast is due to every machine of
 * the network with an address, in the sender's part, that keeps it until it is
 * judged; who watches is told how often it came: not at all between two that were
 * undisturbed, once, again. A ping is lost in steadiness if both ends had their addresses and their
 * nodes were joined, undisturbed, from a minute before it was ordered until it
 * was given up, in one part.
 */
#include "sim/world/guests.h"
#include "sim/world/revokes.h"

#include <string.h>

#define WAIT_NS		(30 * NS_PER_S)
#define STEADY_NS	(60 * NS_PER_S)

struct having { struct ip now, was; int64_t since_ns, until_ns; };	/* until: when was ended */

struct book { struct having four, six; };

struct shout {
	int64_t at_ns;
	uint32_t from, token;
	uint64_t list;			/* of the revoked, that the sender's node knew: nobody in it may hear this */
	uint64_t *due, *heard;
};

struct chatter {
	struct book *book;		/* by machine */
	int64_t *steady_ns;		/* by host: joined and undisturbed since; NEVER_NS: not */
	GPtrArray *shouts;		/* open ones, oldest first */
	size_t words;
	int64_t part_ns;		/* the present epoch of parts began */
};

struct id id_of_ip(const struct ip *a)
{
	struct reader r = reader_of(a->at, sizeof(a->at));

	return read_id(&r);
}

struct ip ip_of_id(struct id id, unsigned family)
{
	struct ip a = { .family = (uint8_t)family };
	struct writer w = writer_of(a.at, sizeof(a.at));

	write_id(&w, id);
	return a;
}

struct chatter *chatter_new(struct world *w)
{
	struct chatter *c = g_new0(struct chatter, 1);

	c->book = g_new0(struct book, w->guests->count);
	c->steady_ns = g_new(int64_t, w->hosts);
	for (uint32_t i = 0; i < w->hosts; i++)
		c->steady_ns[i] = NEVER_NS;
	c->shouts = g_ptr_array_new();
	c->words = w->guests->count / 64 + 1;
	return c;
}

static void shout_free(struct shout *x)
{
	g_free(x->due);
	g_free(x->heard);
	g_free(x);
}

void chatter_free(struct chatter *c)
{
	if (!c)
		return;
	for (guint i = 0; i < c->shouts->len; i++)
		shout_free(g_ptr_array_index(c->shouts, i));
	g_ptr_array_free(c->shouts, TRUE);
	g_free(c->book);
	g_free(c->steady_ns);
	g_free(c);
}

/* ---- addresses ------------------------------------------------------------------------------------ */

static struct having *having(struct chatter *c, uint32_t machine, unsigned family)
{
	return family == 6 ? &c->book[machine].six : &c->book[machine].four;
}

static void excuse(struct chatter *c, uint32_t machine)
{
	for (guint i = 0; i < c->shouts->len; i++) {
		struct shout *x = g_ptr_array_index(c->shouts, i);

		x->due[machine >> 6] &= ~(UINT64_C(1) << (machine & 63));
	}
}

static void has(struct world *w, const struct note *n, bool gone)
{
	struct guests *g = w->guests;
	uint32_t machine = (uint32_t)n->a;
	struct having *h = having(g->chatter, machine, (unsigned)(n->a >> 32));

	g->stale = true;
	if (gone) {
		h->was = h->now;
		h->until_ns = n->at_ns;
		h->now = (struct ip){ 0 };
		excuse(g->chatter, machine);
		return;
	}
	h->now = ip_of_id(n->id, (unsigned)(n->a >> 32));
	h->since_ns = n->at_ns;
}

static void named(struct world *w, const struct note *n)
{
	struct metrics *m = w->shard[0].m;
	unsigned family = n->a >> 32 & 0xff;
	int64_t asked_ns = (int64_t)n->b;
	const struct having *h = having(w->guests->chatter, (uint32_t)n->a, 4);
	struct ip answer = ip_of_id(n->id, family);
	enum measure verdict = MEASURE_DNS_WRONG;

	metrics_add(m, measure(w, MEASURE_DNS_JUDGED), 1);
	if (!family)				/* not there: right if it was not, at some time in between */
		verdict = !h->now.family || h->since_ns > asked_ns ? MEASURE_DNS_RIGHT : MEASURE_DNS_ABSENT;
	else if (ip_eq(&answer, &h->now) || (ip_eq(&answer, &h->was) && h->until_ns >= asked_ns))
		verdict = MEASURE_DNS_RIGHT;
	metrics_add(m, measure(w, verdict), 1);
	if (verdict != MEASURE_DNS_RIGHT && w->log)
		eventlog_say(w->log, 0, n->at_ns, n->host, "misnamed", "about g%u: question %u, answer of family %u",
			     (uint32_t)n->a, (unsigned)(n->a >> 40), family);
}

static bool steady(const struct world *w, uint32_t machine, unsigned family, int64_t since_ns)
{
	struct chatter *c = w->guests->chatter;
	const struct having *h = having(c, machine, family);
	int64_t node_ns = c->steady_ns[w->guests->machine[machine].host];

	return h->now.family && h->since_ns <= since_ns && node_ns <= since_ns - STEADY_NS;
}

static void unpinged(struct world *w, const struct note *n)
{
	struct chatter *c = w->guests->chatter;
	uint32_t from = (uint32_t)n->a, to = (uint32_t)(n->a >> 32);
	int64_t ordered_ns = (int64_t)n->b;
	const struct guests *g = w->guests;
	struct ip ip4 = ip_of_id(n->id, 4), ip6 = ip_of_id(n->id, 6);
	unsigned family = ip_eq(&ip4, &c->book[to].four.now) ? 4 : ip_eq(&ip6, &c->book[to].six.now) ? 6 : 0;

	if (!family || !steady(w, from, family, ordered_ns) || !steady(w, to, family, ordered_ns) ||
	    parts_now(w->parts, g->machine[from].host) != parts_now(w->parts, g->machine[to].host) ||
	    parts_epoch(w->parts, ordered_ns) != parts_epoch(w->parts, n->at_ns))
		return;
	metrics_add(w->shard[0].m, measure(w, MEASURE_PING_LOST_STEADY), 1);
	if (w->log)
		eventlog_say(w->log, 0, n->at_ns, n->host, "unpinged", "g%u had no answer of g%u at node %u", from, to,
			     g->machine[to].host);
}

/* ---- broadcasts -------------------------------------------------------------------------------------- */

static void shouted(struct world *w, const struct note *n)
{
	struct guests *g = w->guests;
	struct chatter *c = g->chatter;
	struct shout *x = g_new0(struct shout, 1);
	const struct machine *from = &g->machine[(uint32_t)n->a];
	bool member = !revokes_since(w, from->network, from->host);

	metrics_add(w->shard[0].m, measure(w, MEASURE_SHOUT_SENT), 1);
	*x = (struct shout){ .at_ns = n->at_ns, .list = n->b, .from = (uint32_t)n->a, .token = (uint32_t)(n->a >> 32),
			     .due = g_new0(uint64_t, c->words), .heard = g_new0(uint64_t, c->words) };
	for (uint32_t i = 0; member && i < g->count; i++)
		if (&g->machine[i] != from && g->machine[i].network == from->network && c->book[i].four.now.family &&
		    c->steady_ns[g->machine[i].host] != NEVER_NS && !revokes_since(w, from->network, g->machine[i].host) &&
		    parts_now(w->parts, g->machine[i].host) == parts_now(w->parts, from->host))
			x->due[i >> 6] |= UINT64_C(1) << (i & 63);
	g_ptr_array_add(c->shouts, x);
}

static void tell(struct world *w, int64_t at_ns, const struct shout *x, uint32_t to, unsigned times)
{
	const struct machine *m = &w->guests->machine[to];
	uint64_t since = revokes_since(w, m->network, m->host);
	struct shout_view v = { .host = m->host, .from = x->from, .to = to, .token = x->token, .times = times,
				.leaked = times && since && since <= x->list };

	if (v.leaked)
		metrics_add(w->shard[0].m, measure(w, MEASURE_SHOUT_LEAKED), 1);
	for (unsigned i = 0; i < w->watches; i++)
		if (w->watch[i].shout)
			w->watch[i].shout(w->watch[i].ctx, at_ns, &v);
}

static void heard(struct world *w, const struct note *n)
{
	struct chatter *c = w->guests->chatter;
	uint32_t who = (uint32_t)n->b;
	unsigned again;

	for (guint i = 0; i < c->shouts->len; i++) {
		struct shout *x = g_ptr_array_index(c->shouts, i);

		if (x->from != (uint32_t)n->a || x->token != (uint32_t)(n->a >> 32))
			continue;
		again = x->heard[who >> 6] >> (who & 63) & 1;
		metrics_add(w->shard[0].m, measure(w, MEASURE_SHOUT_TWICE), again);
		tell(w, n->at_ns, x, who, 1 + again);
		x->heard[who >> 6] |= UINT64_C(1) << (who & 63);
		return;
	}
}

static void excuse_host(struct world *w, uint32_t host)
{
	const struct guests *g = w->guests;

	g->chatter->steady_ns[host] = NEVER_NS;
	for (uint32_t i = 0; g->chatter->shouts->len && i < g->per_host; i++)
		excuse(g->chatter, host * g->per_host + i);
}

/* Who should have heard @x for certain: nothing happened to either machine or its node. */
static void missed(struct world *w, const struct shout *x, int64_t now_ns)
{
	const struct guests *g = w->guests;

	if (!steady(w, x->from, 4, x->at_ns) || parts_epoch(w->parts, x->at_ns) != parts_epoch(w->parts, now_ns))
		return;
	for (uint32_t i = 0; i < g->count; i++)
		if ((x->due[i >> 6] & ~x->heard[i >> 6]) >> (i & 63) & 1 && steady(w, i, 4, x->at_ns))
			tell(w, now_ns, x, i, 0);
}

void chatter_time(struct world *w, int64_t now_ns)
{
	struct chatter *c = w->guests->chatter;

	while (c && c->shouts->len) {
		struct shout *x = g_ptr_array_index(c->shouts, 0);

		if (x->at_ns + WAIT_NS > now_ns)
			return;
		missed(w, x, now_ns);
		for (size_t i = 0; i < c->words; i++) {
			metrics_add(w->shard[0].m, measure(w, MEASURE_SHOUT_DUE), __builtin_popcountll(x->due[i]));
			metrics_add(w->shard[0].m, measure(w, MEASURE_SHOUT_MISSED),
				    __builtin_popcountll(x->due[i] & ~x->heard[i]));
		}
		shout_free(x);
		g_ptr_array_remove_index(c->shouts, 0);
	}
}

void chatter_note(struct world *w, const struct note *n)
{
	if (!w->guests->chatter)
		return;
	chatter_time(w, n->at_ns);
	switch (n->kind) {
	case NOTE_JOINED:
		w->guests->chatter->steady_ns[n->host] = n->at_ns;
		break;
	case NOTE_END:
	case NOTE_LEFT:
	case NOTE_APART:
	case NOTE_STALL:
		excuse_host(w, n->host);
		break;
	case NOTE_GUEST_HAS:
	case NOTE_GUEST_GONE:
		has(w, n, n->kind == NOTE_GUEST_GONE);
		break;
	case NOTE_NAMED:
		named(w, n);
		break;
	case NOTE_UNPINGED:
		unpinged(w, n);
		break;
	case NOTE_SHOUT:
		shouted(w, n);
		break;
	case NOTE_SHOUTED:
		heard(w, n);
		break;
	}
}

/* ---- the directory ------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b, void *arg)
{
	const struct guests *g = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = memcmp(g->entry[x].ip4.at, g->entry[y].ip4.at, 4);

	return c ? c : x < y ? -1 : x > y;
}

/* Who is listed twice: the same address of one network, in use by two machines. */
static void count_double(struct world *w, unsigned network)
{
	struct guests *g = w->guests;
	uint32_t n = g->listed_count[network], *sorted = g_memdup2(g->listed[network], n * sizeof(*sorted));

	g_qsort_with_data(sorted, (gint)n, sizeof(*sorted), by_address, g);
	for (uint32_t i = 1; i < n; i++)
		if (ip_eq(&g->entry[sorted[i]].ip4, &g->entry[sorted[i - 1]].ip4))
			metrics_add(w->shard[0].m, measure(w, MEASURE_DOUBLE), 1);
	g_free(sorted);
}

void chatter_publish(struct world *w)
{
	struct guests *g = w->guests;

	if (!g->chatter || !g->stale)
		return;
	g->stale = false;
	for (unsigned n = 0; n < g->networks; n++)
		g->listed_count[n] = 0;
	for (uint32_t i = 0; i < g->count; i++) {
		const struct book *b = &g->chatter->book[i];
		unsigned n = g->machine[i].network;

		g->entry[i] = (struct entry_of){ b->four.now, b->six.now };
		if (b->four.now.family)
			g->listed[n][g->listed_count[n]++] = i;
	}
	for (unsigned n = 0; n < g->networks; n++)
		if (g->listed_count[n])
			count_double(w, n);
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

static int whole(const struct guests *g, int measure_of)
{
	return measure_of == MEASURE_NONE ? M_NONE : g->metric[measure_of];
}

void chatter_catalog(struct world *w)
{
	struct guests *g = w->guests;
	if (!g->count)
		return;
#define X(id, kind, unit, of, name, text) \
	g->metric[MEASURE_##id] = catalog_add(w->catalog, METRIC_##kind, UNIT_##unit, whole(g, MEASURE_##of), name, text);
	MEASURE_LIST(X)
#undef X
	g->m_count = catalog_count(w->catalog);
#define X(id, name, text) catalog_add(w->catalog, METRIC_COUNTER, UNIT_NUMBER, M_NONE, "guest." name, text);
	GUEST_COUNT_LIST(X)
#undef X
}

void chatter_row(struct world *w)
{
	struct guests *g = w->guests;
	struct metrics *m = w->shard[0].m;
	uint64_t on = 0, addressed = 0, loops = 0, storms = 0;

	if (!g->count)
		return;
	for (uint32_t i = 0; i < g->count; i++) {
		on += g->machine[i].on;
		addressed += g->machine[i].ip4.family != 0;
	}
	for (uint32_t i = 0; i < (w->hosts / g->per_lan + 1) * g->networks; i++) {
		loops += g->lan[i] ? g->lan[i]->loops : 0;
		storms += g->lan[i] ? g->lan[i]->storms : 0;
	}
	metrics_set(m, measure(w, MEASURE_ON), (int64_t)on);
	metrics_set(m, measure(w, MEASURE_ADDRESSED), (int64_t)addressed);
	metrics_add(m, measure(w, MEASURE_LAN_LOOPS), (int64_t)(loops - g->loops_told));
	metrics_add(m, measure(w, MEASURE_LAN_STORMS), (int64_t)(storms - g->storms_told));
	g->loops_told = loops;
	g->storms_told = storms;
	for (unsigned k = 0; k < GUEST_COUNTS; k++) {
		uint64_t sum = 0;

		for (unsigned i = 0; i < w->shards; i++)
			sum += w->shard[i].guest_fx->count[k];
		metrics_add(m, g->m_count + (int)k, (int64_t)(sum - g->told[k]));
		g->told[k] = sum;
	}
}
