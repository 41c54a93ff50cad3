/*
 * talks.c - what machines do, and what came of it, on their shard
 *
 * Each kind of work has its own exponential clock in each machine. Others are
 * picked uniformly from the directory: who had an address a second ago, of the
 * same network and part, not on the same LAN.
 */
#include "sim/world/guests.h"

#include <string.h>

enum { PICKS = 4 };

static uint32_t machine_number(const struct world *w, const struct machine *m)
{
	return (uint32_t)(m - w->guests->machine);
}

static uint64_t draw(const struct world *w, struct machine *m, enum work work)
{
	return host_chance(w, guest_object(w, machine_number(w, m)), STREAM_WORK, (uint64_t)m->draws[work]++ << 8 | work);
}

static void schedule(struct shard *s, struct lane *l, struct machine *m, enum work work)
{
	struct world *w = s->world;
	uint32_t object = guest_object(w, machine_number(w, m));
	const struct dist *every = &w->guests->every[work];
	struct order *o;

	if (!dist_given(every))
		return;
	o = engine_payload(l, sizeof(*o));
	*o = (struct order){ .incarnation = m->powers, .what = work };
	engine_post(l, object, object, CLASS_WORK, lane_now(l) + MAX(1, dist_sample_ns(every, draw(w, m, work))), o);
}

void talks_begin(struct shard *s, struct lane *l, struct machine *m)
{
	m->question = QUESTION_NONE;
	for (unsigned i = 0; i < WORKS; i++)
		schedule(s, l, m, (enum work)i);
}

struct machine *talks_pick(struct world *w, struct machine *m, enum work work)
{
	const struct guests *g = w->guests;
	uint32_t count = g->listed_count[m->network];

	for (unsigned i = 0; count && i < PICKS; i++) {
		uint64_t at = (uint64_t)((unsigned __int128)draw(w, m, work) * count >> 64);
		struct machine *other = &g->machine[g->listed[m->network][at]];

		if (other != m && other->host / g->per_lan != m->host / g->per_lan &&
		    parts_now(w->parts, other->host) == parts_now(w->parts, m->host))
			return other;
	}
	return NULL;
}

static bool form_of(const struct world *w, const struct machine *m, const struct ip *ip, char name[32])
{
	const struct network_record *r = networks_record(w, m->network);

	if (r->range4.bits < 8)
		return false;
	g_snprintf(name, 32, "C%03u%03u%03u.%s", ip->at[1], ip->at[2], ip->at[3], r->domain);
	return strlen(name) < GUEST_NAME;
}

static void ask_name(struct shard *s, struct lane *l, struct machine *m, struct machine *other)
{
	struct world *w = s->world;
	const struct entry_of *e = &w->guests->entry[machine_number(w, other)];
	uint64_t kind = draw(w, m, WORK_RESOLVE) >> 62;
	struct guest_order o = { .kind = ORDER_RESOLVE, .ip = { .family = 4 } };
	char name[64];

	if (m->question)
		return;
	m->question = QUESTION_NAME;
	if (kind == 3) {
		m->question = QUESTION_POINTER;
		o.ip = e->ip4;
	} else if ((kind == 2 || (other->fixed && w->scenario->guests.model == GUESTS_ROUTER)) &&
		   form_of(w, m, &e->ip4, name)) {	/* behind a router, DHCP tells the names */
		m->question = QUESTION_FORM;
		o.name = name;
	} else {
		char host[24];

		if (w->scenario->guests.model == GUESTS_ROUTER)
			g_snprintf(host, sizeof(host), "g%u", machine_number(w, other));
		else
			guests_name(w, other->host, host, sizeof(host));
		g_snprintf(name, sizeof(name), "%s.%s", host, networks_record(w, m->network)->domain);
		o.name = name;
	}
	m->about = machine_number(w, other);
	m->expected = e->ip4;
	m->asked_ns = lane_now(l);
	guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_ORDERED, .order = &o });
}

/* The newest list of the revoked that the machine's node knows. */
static uint64_t list_of(const struct world *w, const struct machine *m)
{
	const struct node *n = w->host[m->host].node;
	unsigned count;

	return n ? node_revoked(n, networks_record(w, m->network)->key, &count) : 0;
}

static void order(struct shard *s, struct lane *l, struct machine *m, enum work work)
{
	struct world *w = s->world;
	const struct scenario_guests *sc = &w->scenario->guests;
	struct guest_order o = { .token = 0 };
	struct machine *other;

	if (work == WORK_SHOUT) {
		o.kind = ORDER_SHOUT;
		o.token = ++m->shouts;
		o.size = (uint16_t)sc->shout_bytes;
		watch_note(s, lane_now(l), &w->host[m->host], NOTE_SHOUT, (struct id){ 0 },
			   machine_number(w, m) | (uint64_t)o.token << 32, list_of(w, m));
		guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_ORDERED, .order = &o });
		return;
	}
	if (work == WORK_MOVE) {
		moves_depart(s, l, m);
		return;
	}
	other = talks_pick(w, m, work);
	if (!other)
		return;
	if (work == WORK_RESOLVE) {
		ask_name(s, l, m, other);
		return;
	}
	o.token = machine_number(w, other);
	o.ip = w->guests->entry[o.token].ip4;
	if (sc->ipv6 && w->guests->entry[o.token].ip6.family && m->ip6.family && draw(w, m, work) >> 63)
		o.ip = w->guests->entry[o.token].ip6;
	o.kind = work == WORK_PING ? ORDER_PING : work == WORK_UDP ? ORDER_UDP : ORDER_TCP;
	o.bytes = (uint32_t)(work == WORK_UDP ? sc->udp_bytes : sc->tcp_bytes);
	o.size = (uint16_t)sc->udp_size_bytes;
	guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_ORDERED, .order = &o });
}

void talks_work(struct shard *s, struct lane *l, struct machine *m, const struct order *o)
{
	if (!m->on || o->incarnation != m->powers)
		return;
	if (o->what >= WORKS) {
		moves_work(s, l, m, o);
		return;
	}
	schedule(s, l, m, (enum work)o->what);
	if (m->ip4.family && !m->away)
		order(s, l, m, (enum work)o->what);
}

/* ---- news ---------------------------------------------------------------------------------------- */

/* "g17.lab" or "C128000005.lab": which machine, the name of its node, or that it is the address itself. */
static bool pointer_right(const struct world *w, const struct machine *m, const char *name)
{
	char want[32];
	const struct machine *about = &w->guests->machine[m->about];

	if (form_of(w, m, &m->expected, want) && !g_ascii_strcasecmp(name, want))
		return true;
	g_snprintf(want, sizeof(want), "g%u.", m->about);
	if (g_str_has_prefix(name, want))
		return true;
	guests_name(w, about->host, want, sizeof(want) - 1);
	g_strlcat(want, ".", sizeof(want));
	return g_str_has_prefix(name, want);
}

static void named(struct shard *s, int64_t now_ns, struct machine *m, const struct guest_news *n)
{
	struct world *w = s->world;
	struct ip answer = n->ip;
	uint64_t a = m->about | (uint64_t)m->question << 40;

	if (n->word == NEWS_NAME_LOST) {
		metrics_add(s->m, measure(w, MEASURE_DNS_JUDGED), 1);
		metrics_add(s->m, measure(w, MEASURE_DNS_LOST), 1);
		m->question = QUESTION_NONE;
		return;
	}
	metrics_note(s->m, measure(w, MEASURE_DNS_TIME), n->took_ns);
	if (m->question == QUESTION_POINTER) {
		answer = (struct ip){ 0 };
		if (n->name[0])			/* as good as its address, or an address nobody has */
			answer = pointer_right(w, m, n->name) ? m->expected : ip_v4(1);
	} else if (m->question == QUESTION_FORM) {	/* the name is the address */
		metrics_add(s->m, measure(w, MEASURE_DNS_JUDGED), 1);
		metrics_add(s->m, measure(w, ip_eq(&answer, &m->expected) ? MEASURE_DNS_RIGHT :
					   answer.family ? MEASURE_DNS_WRONG : MEASURE_DNS_ABSENT), 1);
		m->question = QUESTION_NONE;
		return;
	}
	watch_note(s, now_ns, &w->host[m->host], NOTE_NAMED, id_of_ip(&answer), a | (uint64_t)answer.family << 32,
		   (uint64_t)m->asked_ns);
	m->question = QUESTION_NONE;
}

void talks_news(struct shard *s, struct lane *l, struct machine *m, const struct guest_news *n)
{
	struct world *w = s->world;
	int64_t now_ns = lane_now(l);
	struct metrics *to = s->m;

	switch ((enum guest_word)n->word) {
	case NEWS_BOUND:
		if (n->again)
			metrics_add(to, measure(w, MEASURE_DHCP_RENEWED), 1);
		else
			metrics_note(to, measure(w, MEASURE_DHCP_TIME), n->took_ns);
		break;
	case NEWS_UNBOUND:
		metrics_add(to, measure(w, MEASURE_DHCP_ENDED), 1);
		break;
	case NEWS_PONG:
		metrics_add(to, measure(w, MEASURE_PING_DONE), 1);
		metrics_note(to, measure(w, MEASURE_PING_RTT), n->rtt_ns);
		metrics_note(to, measure(w, MEASURE_PING_FIRST), n->took_ns);
		break;
	case NEWS_PING_LOST:
		metrics_add(to, measure(w, MEASURE_PING_DONE), 1);
		metrics_add(to, measure(w, MEASURE_PING_LOST), 1);
		watch_note(s, now_ns, &w->host[m->host], NOTE_UNPINGED, id_of_ip(&n->ip),
			   machine_number(w, m) | (uint64_t)n->token << 32, (uint64_t)(now_ns - n->took_ns));
		break;
	case NEWS_NAME:
	case NEWS_NAME_LOST:
		named(s, now_ns, m, n);
		break;
	case NEWS_FIRST:
		metrics_note(to, measure(w, MEASURE_FLOW_FIRST), n->took_ns);
		break;
	case NEWS_OPENED:
		metrics_note(to, measure(w, MEASURE_FLOW_OPEN), n->took_ns);
		break;
	case NEWS_BACK:
		moves_back(s, m, n->took_ns);
		break;
	case NEWS_BEAT:
		if (w->guests->machine[n->token].moves)
			metrics_note(to, measure(w, MEASURE_MOVE_OUT), n->took_ns);
		break;
	case NEWS_FLOW:
		if (n->order == ORDER_BEAT)
			break;
		metrics_add(to, measure(w, MEASURE_FLOW_DONE), 1);
		if (n->order == ORDER_TCP)
			metrics_note(to, measure(w, MEASURE_FLOW_TIME), n->took_ns);
		break;
	case NEWS_FLOW_LOST:
		if (n->order == ORDER_BEAT)
			break;
		metrics_add(to, measure(w, MEASURE_FLOW_DONE), 1);
		metrics_add(to, measure(w, MEASURE_FLOW_FAILED), 1);
		break;
	case NEWS_HEARD:
		metrics_note(to, measure(w, MEASURE_SHOUT_TIME), n->took_ns);
		watch_note(s, now_ns, &w->host[m->host], NOTE_SHOUTED, (struct id){ 0 },
			   n->from | (uint64_t)n->token << 32, machine_number(w, m));
		break;
	case NEWS_ADDRESS:
		break;
	}
}
