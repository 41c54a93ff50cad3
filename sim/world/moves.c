/*
 * moves.c - machines that move from LAN to LAN while they run
 *
 * At random times a machine is paused, loses its port, and gets one on the LAN
 * of another node that has joined, `move-pause` later; its host announces it
 * there, as hypervisors do, and it goes on as if nothing had been. Before it
 * goes, another machine begins to send it a datagram every 10 ms; from its
 * arrival on it sends to that one likewise. What is measured counts from the
 * arrival: until it is heard from again (in), and until it is heard (out). The
 * bounds are DESIGN's, section 13: a round trip is that between the two nodes
 * whose machines talk, undisturbed.
 *
 * A machine may turn up anywhere, so where machines move all of the world lies
 * in one shard (guests_site()).
 */
#include "sim/world/guests.h"

enum { PICKS = 8, BEAT_BYTES = 4 };

#define BEAT_NS		(10 * NS_PER_MS)
#define BEATS_NS	(10 * NS_PER_S)		/* nobody heard by then: lost */
#define AGAIN_NS	NS_PER_S		/* a move that follows another comes within this */

static uint32_t machine_number(const struct world *w, const struct machine *m)
{
	return (uint32_t)(m - w->guests->machine);
}

static struct segment *lan_at(const struct guests *g, uint32_t host, unsigned network)
{
	return g->lan[host / g->per_lan * g->networks + network];
}

static uint64_t draw(const struct world *w, struct machine *m)
{
	return host_chance(w, guest_object(w, machine_number(w, m)), STREAM_WORK,
			   (uint64_t)m->draws[WORK_MOVE]++ << 8 | WORK_MOVE);
}

/* A node that has joined, not of this LAN; UINT32_MAX: none found. */
static uint32_t somewhere(const struct world *w, struct machine *m)
{
	for (unsigned i = 0; i < PICKS; i++) {
		uint32_t to = (uint32_t)((unsigned __int128)draw(w, m) * w->hosts >> 64);
		const struct host *h = &w->host[to];

		if (to / w->guests->per_lan != m->host / w->guests->per_lan && h->state == HOST_UP && h->joined_ns != NEVER_NS)
			return to;
	}
	return UINT32_MAX;
}

/* A port of @lan that nobody has, -1 if it is full. */
static int free_port(struct segment *lan, uint32_t object)
{
	for (unsigned i = 0; i < lan->ports; i++) {
		struct port *p = &lan->port[i];

		if (p->object != MOVE_NOBODY)
			continue;
		p->object = object;
		return (int)i;
	}
	return lan->ports < lan->max_ports ? (int)segment_plug(lan, object, 0) : -1;
}

static void beat(struct shard *s, struct lane *l, struct machine *m, const struct ip *to, uint32_t token)
{
	struct guest_order o = { .kind = ORDER_BEAT, .ip = *to, .token = token, .pace_ns = BEAT_NS,
				 .bytes = (uint32_t)(BEATS_NS / BEAT_NS) * BEAT_BYTES };

	guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_ORDERED, .order = &o });
}

static void later(struct lane *l, const struct world *w, const struct machine *m, unsigned what, uint64_t number, int64_t in_ns)
{
	uint32_t object = guest_object(w, machine_number(w, m));
	struct order *o = engine_payload(l, sizeof(*o));

	*o = (struct order){ .incarnation = m->powers, .what = (uint8_t)what, .number = number };
	engine_post(l, object, object, CLASS_WORK, lane_now(l) + in_ns, o);
}

void moves_depart(struct shard *s, struct lane *l, struct machine *m)
{
	struct world *w = s->world;
	struct guests *g = w->guests;
	struct machine *other = talks_pick(w, m, WORK_MOVE);
	uint32_t to = other ? somewhere(w, m) : UINT32_MAX;

	if (to == UINT32_MAX || other->away || other->host / g->per_lan == to / g->per_lan || m->moving)
		return;
	m->moving = true;
	m->partner = machine_number(w, other);
	beat(s, l, other, &g->entry[machine_number(w, m)].ip4, machine_number(w, other));
	later(l, w, m, WORK_UNPLUG, to, 5 * BEAT_NS);	/* when it is heard */
}

/* Off its LAN. */
static void unplug(struct shard *s, struct lane *l, struct machine *m, uint32_t to)
{
	struct world *w = s->world;
	struct segment *lan = lan_at(w->guests, m->host, m->network);

	segment_set(lan, m->port, false);
	lan->port[m->port].object = MOVE_NOBODY;
	m->away = true;
	guests_absent(s, lane_now(l), m);
	later(l, w, m, WORK_LAND, to, w->scenario->guests.move_pause_ns);
}

static void land(struct shard *s, struct lane *l, struct machine *m, uint32_t to)
{
	struct world *w = s->world;
	struct guests *g = w->guests;
	int port = free_port(lan_at(g, to, m->network), guest_object(w, machine_number(w, m)));
	const struct scenario_guests *sc = &w->scenario->guests;

	if (port < 0) {				/* full: back to where it came from, where it left a place */
		to = m->host;
		port = free_port(lan_at(g, to, m->network), guest_object(w, machine_number(w, m)));
		g_assert(port >= 0);
	}
	m->host = to;
	m->port = (uint16_t)port;
	m->away = false;
	m->landed_ns = lane_now(l);
	segment_set(lan_at(g, to, m->network), m->port, true);
	metrics_add(s->m, measure(w, MEASURE_MOVES), 1);
	guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_ARRIVE });
	beat(s, l, m, &g->entry[m->partner].ip4, machine_number(w, m));
	later(l, w, m, WORK_LANDED, m->moves++, BEATS_NS);
	if (sc->move_again_ppb && draw(w, m) % PPB_ONE < sc->move_again_ppb) {
		m->moving = false;
		m->landed_ns = NEVER_NS;	/* it does not stay: not judged */
		later(l, w, m, WORK_AGAIN, 0, 1 + (int64_t)(draw(w, m) % (uint64_t)AGAIN_NS));
	}
}

static int64_t round_trip(const struct world *w, uint32_t a, uint32_t b)
{
	return net_latency(w->net, a, b) + net_latency(w->net, b, a);
}

void moves_back(struct shard *s, struct machine *m, int64_t took_ns)
{
	struct world *w = s->world;
	int64_t rtt_ns = round_trip(w, m->host, w->guests->machine[m->partner].host);

	if (m->landed_ns == NEVER_NS)
		return;
	m->landed_ns = NEVER_NS;
	m->moving = false;
	metrics_note(s->m, measure(w, MEASURE_MOVE_IN), took_ns);
	metrics_note(s->m, measure(w, MEASURE_MOVE_ROUNDS), rtt_ns ? took_ns * 1000 / rtt_ns : 0);
	metrics_add(s->m, measure(w, MEASURE_MOVE_JUDGED), 1);
	if (took_ns * 2 > 5 * rtt_ns + 100 * NS_PER_MS)
		metrics_add(s->m, measure(w, MEASURE_MOVE_OVER_MEDIAN), 1);
	if (took_ns > 6 * rtt_ns + 200 * NS_PER_MS)
		metrics_add(s->m, measure(w, MEASURE_MOVE_OVER_TAIL), 1);
}

void moves_work(struct shard *s, struct lane *l, struct machine *m, const struct order *o)
{
	struct world *w = s->world;

	switch (o->what) {
	case WORK_UNPLUG:
		unplug(s, l, m, (uint32_t)o->number);
		break;
	case WORK_LAND:
		land(s, l, m, (uint32_t)o->number);
		break;
	case WORK_AGAIN:
		moves_depart(s, l, m);
		break;
	case WORK_LANDED:
		if (o->number + 1 != m->moves || m->landed_ns == NEVER_NS)
			break;
		m->landed_ns = NEVER_NS;
		m->moving = false;
		metrics_add(s->m, measure(w, MEASURE_MOVE_JUDGED), 1);
		metrics_add(s->m, measure(w, MEASURE_MOVE_LOST), 1);
		metrics_add(s->m, measure(w, MEASURE_MOVE_OVER_MEDIAN), 1);
		metrics_add(s->m, measure(w, MEASURE_MOVE_OVER_TAIL), 1);
		if (w->log)
			eventlog_say(w->log, s->number, lane_now(l), m->host, "lost", "g%u moved here and heard nothing of g%u",
				     machine_number(w, m), m->partner);
		break;
	}
}
