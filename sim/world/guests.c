/*
 * guests.c - LANs, power and frames
 *
 * A frame that leaves a port is switched at once and arrives at the others one
 * segment delay later, as an event of their own. The node's tap has carrier while
 * its node runs. A machine is switched on with its node's first start, stays on
 * when the node restarts (fault `restart`), and goes when its node's session
 * ends: orderly, with a DHCPRELEASE, if the node says goodbye. Under `interface`
 * and `hybrid` the machine is the node's own: it sees the tap's carrier, and
 * sleeps when the host does.
 */
#include "sim/world/guests.h"

#include <string.h>

#include <pcap/pcap.h>

enum { REPLAY_MAX = 100000 };

/* ---- making --------------------------------------------------------------------------------- */

static bool any(const struct world *w)
{
	return w->guests && w->guests->count;
}

static struct machine *machine_at(const struct world *w, uint32_t host, unsigned network, uint32_t k)
{
	const struct guests *g = w->guests;

	return &g->machine[host * g->per_host + network * g->per_node + k];
}

static uint32_t machine_number(const struct world *w, const struct machine *m)
{
	return (uint32_t)(m - w->guests->machine);
}

static struct segment *lan_of(const struct guests *g, uint32_t host, unsigned network)
{
	return g->lan[host / g->per_lan * g->networks + network];
}

/* Ports of a LAN: for each of its hosts the tap, then the machines. */
static unsigned tap_port(const struct guests *g, uint32_t host)
{
	return host % g->per_lan * (1 + g->per_node);
}

void guests_name(const struct world *w, uint32_t host, char *name, size_t room)
{
	const struct guests *g = w->guests;

	if (any(w) && w->scenario->guests.model != GUESTS_ROUTER)
		g_snprintf(name, room, "g%u", host * g->per_host);
	else
		g_snprintf(name, room, "n%u", host);
}

static void mac_of(uint32_t number, uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x67;				/* g */
	for (unsigned i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(number >> (24 - 8 * i));
}

void guests_mac(const struct world *w, uint32_t host, unsigned network, uint8_t mac[6])
{
	memset(mac, 0, 6);
	if (any(w))
		mac_of(machine_number(w, machine_at(w, host, network, 0)), mac);
}

uint32_t guests_site(const struct world *w, uint32_t host)
{
	const struct scenario_guests *sc = &w->scenario->guests;

	if (sc->move_every_ns)
		return 0;			/* machines turn up anywhere */
	return sc->model == GUESTS_NONE ? host : host - host % (uint32_t)sc->nodes_per_lan;
}

static void machine_init(struct world *w, struct machine *m)
{
	struct guests *g = w->guests;
	const struct network_record *r = networks_record(w, m->network);
	uint32_t i = machine_number(w, m);
	struct guest_birth b = {
		.config = &g->config, .number = i,
		.seed = chance_draw(w->seed, guest_object(w, i), STREAM_WORK, UINT64_MAX - m->powers),
		.addressing = GUEST_DHCP, .bits = r->range4.bits,
	};

	mac_of(i, b.mac);
	if (r->range4.ip.family &&
	    host_chance(w, guest_object(w, i), STREAM_WORK, UINT64_MAX / 2) % PPB_ONE < w->scenario->guests.static_ppb) {
		b.addressing = GUEST_STATIC;
		b.ip = networks_address(r, 4, networks_leasable(r) - 1 - i % networks_leasable(r));
		b.gateway = network_gateway(r, 4);
	}
	m->fixed = b.addressing == GUEST_STATIC;
	guest_init(m->guest, &b);
}

static bool load_replay(struct world *w, struct fail *f)
{
	const char *path = w->scenario->guests.pcap;
	char why[PCAP_ERRBUF_SIZE];
	struct guests *g = w->guests;
	struct pcap_pkthdr *h;
	const u_char *data;
	int64_t first_ns = 0;
	pcap_t *p;
	int got;

	if (!path)
		return true;
	p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!p || pcap_datalink(p) != DLT_EN10MB) {
		fail_add(f, "[guests] pcap: %s; accepted: a capture of Ethernet frames",
			 p ? "it holds no Ethernet frames" : why);
		if (p)
			pcap_close(p);
		return false;
	}
	g->replay = g_new0(struct replay, REPLAY_MAX);
	while (g->replays < REPLAY_MAX && (got = pcap_next_ex(p, &h, &data)) == 1) {
		struct replay *r = &g->replay[g->replays];
		int64_t at_ns = (int64_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;

		if (!g->replays++)
			first_ns = at_ns;
		r->at_ns = MAX(at_ns - first_ns, 0);
		if (g->replays > 1)
			r->at_ns = MAX(r->at_ns, r[-1].at_ns);
		r->len = (uint16_t)MIN(h->caplen, 65535);
		r->data = g_memdup2(data, r->len);
	}
	pcap_close(p);
	if (!g->replays)
		fail_add(f, "[guests] pcap: %s holds no frame", path);
	return g->replays;
}

bool guests_new(struct world *w, struct fail *f)
{
	const struct scenario_guests *sc = &w->scenario->guests;
	struct guests *g = g_new0(struct guests, 1);
	const int64_t every_ns[WORKS] = { sc->ping_every_ns, sc->resolve_every_ns, sc->udp_every_ns,
					  sc->tcp_every_ns, sc->shout_every_ns, sc->move_every_ns };

	w->guests = g;
	if (sc->model == GUESTS_NONE || !networks_count(w))
		return true;
	g->networks = networks_count(w);
	g->per_node = (uint32_t)sc->per_node;
	g->per_lan = (uint32_t)sc->nodes_per_lan;
	g->per_host = g->per_node * g->networks;
	g->count = g->per_host * w->hosts;
	g->config = (struct guest_config){ .ipv6 = sc->ipv6, .probe = sc->probe, .desync_ns = sc->desync_ns,
					   .ping_ns = sc->ping_wait_ns };
	for (unsigned i = 0; i < WORKS; i++)
		g->every[i] = exponential(every_ns[i]);
	g->machine = g_new0(struct machine, g->count);
	g->bytes = g_malloc0((gsize)g->count * guest_bytes());
	g->entry = g_new0(struct entry_of, g->count);
	for (unsigned n = 0; n < g->networks; n++)
		g->listed[n] = g_new0(uint32_t, g->count / g->networks);
	g->lan = g_new0(struct segment *, (w->hosts / g->per_lan + 1) * g->networks);
	for (uint32_t i = 0; i < w->hosts; i++) {
		for (unsigned n = 0; n < g->networks; n++) {
			struct segment **lan = &g->lan[i / g->per_lan * g->networks + n];
			unsigned ports = g->per_lan * (1 + g->per_node) * (sc->move_every_ns ? 3 : 1), got;

			ports = MIN(ports, SEGMENT_PORTS);
			if (!*lan)
				*lan = segment_init(g_malloc0(segment_bytes(ports)), ports);
			got = segment_plug(*lan, i, n + 1);
			g_assert(got == tap_port(g, i));
			for (uint32_t k = 0; k < g->per_node; k++) {
				struct machine *m = machine_at(w, i, n, k);

				m->host = i;
				m->landed_ns = NEVER_NS;
				m->network = (uint16_t)n;
				m->guest = (struct guest *)(void *)(g->bytes + machine_number(w, m) * guest_bytes());
				m->port = (uint16_t)segment_plug(*lan, guest_object(w, machine_number(w, m)), 0);
			}
		}
	}
	for (uint32_t i = 0; i < g->count; i++) {
		uint32_t object = engine_object(w->engine, guests_site(w, g->machine[i].host));

		g_assert(object == guest_object(w, i));
		machine_init(w, &g->machine[i]);
	}
	for (unsigned i = 0; i < w->shards; i++)
		w->shard[i].guest_fx = g_new0(struct guest_fx, 1);
	g->chatter = chatter_new(w);
	return load_replay(w, f);
}

void guests_free(struct world *w)
{
	struct guests *g = w->guests;

	if (!g)
		return;
	for (uint32_t i = 0; g->lan && i < (w->hosts / g->per_lan + 1) * g->networks; i++)
		g_free(g->lan[i]);
	for (unsigned i = 0; i < g->replays; i++)
		g_free(g->replay[i].data);
	for (unsigned n = 0; n < 4; n++)
		g_free(g->listed[n]);
	for (unsigned i = 0; w->shard && i < w->shards; i++)
		g_free(w->shard[i].guest_fx);
	chatter_free(g->chatter);
	g_free(g->replay);
	g_free(g->lan);
	g_free(g->entry);
	g_free(g->bytes);
	g_free(g->machine);
	g_free(g);
	w->guests = NULL;
}

/* ---- frames ------------------------------------------------------------------------------------ */

static void seen(struct world *w, int64_t now_ns, bool tap, uint32_t number, unsigned network, bool sent,
		 const uint8_t *at, uint16_t len)
{
	const struct guests *g = w->guests;

	for (unsigned i = 0; i < g->captures; i++) {
		const struct frame_capture *c = &g->capture[i];

		if (c->tap == tap && c->number == number && c->network == network)
			c->fn(c->ctx, now_ns, number, sent, at, len);
	}
}

static void switched(struct shard *s, struct lane *l, uint32_t from, struct segment *lan, unsigned port,
		     const uint8_t *at, uint16_t len)
{
	uint16_t out[SEGMENT_PORTS];
	unsigned n = segment_frame(lan, lane_now(l), port, at, len, out);

	engine_note(l, from, (uint64_t)len << 16 | n);
	for (unsigned i = 0; i < n; i++) {
		const struct port *p = &lan->port[out[i]];
		struct wire *wire = engine_payload(l, (uint32_t)sizeof(*wire) + len);

		*wire = (struct wire){ .iface = (uint16_t)p->what, .len = len };
		memcpy(wire->data, at, len);
		engine_post(l, from, p->object, CLASS_FRAME, lane_now(l) + lan->delay_ns, wire);
	}
	(void)s;
}

void guests_frame(struct shard *s, struct lane *l, struct host *h, const struct frame *f)
{
	struct world *w = s->world;
	const struct guests *g = w->guests;
	uint32_t i = host_number(w, h);

	engine_note(l, i, (uint64_t)f->len << 32 | f->iface);
	if (!any(w) || !f->iface || f->iface > g->networks) {
		s->lone_frames++;
		return;
	}
	g_assert(!f->offload.partial && !f->offload.segment);	/* this machine said it can do neither */
	if (g->captures)
		seen(w, lane_now(l), true, i, f->iface - 1u, false, f->data, f->len);
	switched(s, l, i, lan_of(g, i, f->iface - 1u), tap_port(g, i), f->data, f->len);
}

void guests_tap(struct shard *s, struct lane *l, struct host *h, const struct wire *wire)
{
	struct world *w = s->world;
	struct event ev = { .kind = EVENT_FRAME, .iface = wire->iface, .data = { wire->data, wire->len } };

	if (!host_is_running(h))
		return;
	if (w->guests->captures)
		seen(w, lane_now(l), true, host_number(w, h), wire->iface - 1u, true, wire->data, wire->len);
	host_step(s, l, h, &ev, 1);
}

/* ---- a machine's step ----------------------------------------------------------------------------- */

static void address_changed(struct shard *s, int64_t now_ns, struct machine *m, struct ip *had, const struct ip *has)
{
	struct world *w = s->world;
	uint64_t a = machine_number(w, m) | (uint64_t)(had->family ? had->family : has->family) << 32;

	if (ip_eq(had, has))
		return;
	if (had->family)
		watch_note(s, now_ns, &w->host[m->host], NOTE_GUEST_GONE, id_of_ip(had), a, 0);
	if (has->family)
		watch_note(s, now_ns, &w->host[m->host], NOTE_GUEST_HAS, id_of_ip(has), a, 0);
	*had = *has;
}

void guests_absent(struct shard *s, int64_t now_ns, struct machine *m)
{
	static const struct ip none;

	address_changed(s, now_ns, m, &m->ip4, &none);
	address_changed(s, now_ns, m, &m->ip6, &none);
}

void guests_step(struct shard *s, struct lane *l, struct machine *m, const struct guest_event *ev)
{
	struct world *w = s->world;
	struct guests *g = w->guests;
	uint32_t object = guest_object(w, machine_number(w, m));
	struct guest_fx *fx = s->guest_fx;
	int64_t now_ns = lane_now(l), due_ns;
	struct guest_look look;

	if (ev->kind == GUEST_FRAME && g->captures)
		seen(w, now_ns, false, machine_number(w, m), m->network, false, ev->frame, ev->len);
	due_ns = guest_step(m->guest, now_ns, ev, fx);
	engine_alarm(l, object, due_ns);
	guest_look(m->guest, &look);
	address_changed(s, now_ns, m, &m->ip4, &look.ip4);
	address_changed(s, now_ns, m, &m->ip6, &look.ip6);
	for (unsigned i = 0; i < fx->frames; i++) {
		if (g->captures)
			seen(w, now_ns, false, machine_number(w, m), m->network, true, fx->frame[i].at, fx->frame[i].len);
		switched(s, l, object, lan_of(g, m->host, m->network), m->port, fx->frame[i].at, fx->frame[i].len);
	}
	for (unsigned i = 0; i < fx->newses; i++) {
		engine_note(l, object, (uint64_t)fx->news[i].word << 56 ^ fx->news[i].token ^
			    (uint64_t)fx->news[i].took_ns << 8);
		talks_news(s, l, m, &fx->news[i]);
	}
}

/* ---- power ------------------------------------------------------------------------------------------ */

static bool own(const struct world *w)
{
	return w->scenario->guests.model != GUESTS_ROUTER;
}

static void plug(struct shard *s, struct lane *l, struct machine *m, enum guest_event_kind kind)
{
	segment_set(lan_of(s->world->guests, m->host, m->network), m->port, kind == GUEST_PLUG);
	guests_step(s, l, m, &(struct guest_event){ .kind = (uint8_t)kind });
}

static void power(struct shard *s, struct lane *l, struct machine *m, const struct order *o)
{
	const struct host *h = &s->world->host[m->host];

	if (m->on || o->incarnation != h->incarnation || h->state == HOST_OFF)
		return;
	m->on = true;
	m->powers++;
	plug(s, l, m, GUEST_PLUG);
	talks_begin(s, l, m);
}

static void switch_on(struct shard *s, struct lane *l, struct host *h, struct machine *m)
{
	struct world *w = s->world;
	const struct scenario_guests *sc = &w->scenario->guests;
	uint32_t object = guest_object(w, machine_number(w, m));
	struct order *o = engine_payload(l, sizeof(*o));
	int64_t at_ns = lane_now(l) + sc->wait_ns;

	if (sc->spread_ns)
		at_ns += (int64_t)(host_chance(w, object, STREAM_POWER, h->incarnation) % (uint64_t)sc->spread_ns);
	*o = (struct order){ .incarnation = h->incarnation };
	engine_post(l, host_number(w, h), object, CLASS_POWER, at_ns, o);
}

static void replay_from(struct shard *s, struct lane *l, struct host *h, uint64_t n)
{
	const struct guests *g = s->world->guests;
	uint32_t i = host_number(s->world, h);
	struct order *o;

	if (n >= g->replays)
		return;
	o = engine_payload(l, sizeof(*o));
	*o = (struct order){ .incarnation = h->incarnation, .number = n };
	engine_post(l, i, i, CLASS_REPLAY, MAX(lane_now(l), h->started_ns + g->replay[n].at_ns), o);
}

void guests_replay(struct shard *s, struct lane *l, struct host *h, const struct order *o)
{
	const struct replay *r = &s->world->guests->replay[o->number];
	struct event ev = { .kind = EVENT_FRAME, .iface = 1, .data = { r->data, r->len } };

	if (!host_is_running(h) || o->incarnation != h->incarnation)
		return;
	replay_from(s, l, h, o->number + 1);
	if (s->world->guests->captures)
		seen(s->world, lane_now(l), true, host_number(s->world, h), 0, true, r->data, r->len);
	host_step(s, l, h, &ev, 1);
}

void guests_started(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	const struct guests *g = w->guests;
	const struct numbers *nodes = &w->scenario->guests.pcap_nodes;
	uint32_t i = host_number(w, h);

	if (!any(w))
		return;
	for (unsigned n = 0; n < g->networks; n++) {
		segment_set(lan_of(g, i, n), tap_port(g, i), true);
		for (uint32_t k = 0; k < g->per_node; k++) {
			struct machine *m = machine_at(w, i, n, k);

			if (!m->on)
				switch_on(s, l, h, m);
			else if (own(w))
				plug(s, l, m, GUEST_PLUG);
		}
	}
	for (unsigned k = 0; g->replays && k < nodes->count; k++)
		if ((uint32_t)nodes->value[k] == i)
			replay_from(s, l, h, 0);
}

void guests_stopping(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);

	if (!any(w) || h->flags & HOST_RETURNS)
		return;
	for (uint32_t k = 0; k < w->guests->per_host; k++) {
		struct machine *m = &w->guests->machine[i * w->guests->per_host + k];

		if (!m->on || m->away || m->host != i)
			continue;
		guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_SHUT });
		m->on = false;
	}
}

void guests_ended(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	const struct guests *g = w->guests;
	uint32_t i = host_number(w, h);

	if (!any(w))
		return;
	for (unsigned n = 0; n < g->networks; n++) {
		segment_set(lan_of(g, i, n), tap_port(g, i), false);
		for (uint32_t k = 0; k < g->per_node; k++) {
			struct machine *m = machine_at(w, i, n, k);

			if (m->away || m->host != i)	/* it was elsewhere */
				continue;
			if (m->on && (own(w) || !(h->flags & HOST_RETURNS)))
				plug(s, l, m, GUEST_UNPLUG);
			if (!(h->flags & HOST_RETURNS)) {	/* crashed with its node; what it had it remembers */
				m->on = false;
				segment_set(lan_of(g, i, n), m->port, false);
				if (w->scenario->churn.state == STATE_NONE)
					machine_init(w, m);
			}
		}
	}
}

/* ---- events --------------------------------------------------------------------------------------------- */

/* The machine is the host's own, and the host sleeps: what comes is lost, what was to be done waits. */
static bool sleeps(struct shard *s, struct lane *l, const struct machine *m, const struct engine_event *ev)
{
	const struct host *h = &s->world->host[m->host];

	if (h->state != HOST_ASLEEP || !own(s->world))
		return false;
	if (ev->class == CLASS_FRAME || h->odd->until_ns == NEVER_NS)
		return true;
	if (ev->class == ENGINE_ALARM)
		engine_alarm(l, ev->dst, h->odd->until_ns);
	else
		engine_post(l, ev->dst, ev->dst, ev->class, h->odd->until_ns, ev->payload);
	return true;
}

void guests_event(struct shard *s, struct lane *l, const struct engine_event *ev)
{
	struct world *w = s->world;
	struct machine *m = &w->guests->machine[ev->dst - w->hosts];
	const struct wire *wire = ev->payload;

	if (sleeps(s, l, m, ev) || (m->away && ev->class != CLASS_WORK))
		return;				/* asleep, or between two LANs: what is due is done on arrival */
	switch (ev->class) {
	case CLASS_FRAME:
		if (m->on)
			guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_FRAME, .frame = wire->data,
								    .len = wire->len });
		break;
	case ENGINE_ALARM:
		if (m->on)
			guests_step(s, l, m, &(struct guest_event){ .kind = GUEST_TIMER });
		break;
	case CLASS_POWER:
		power(s, l, m, ev->payload);
		break;
	case CLASS_WORK:
		talks_work(s, l, m, ev->payload);
		break;
	}
}

/* ---- from outside ------------------------------------------------------------------------------------- */

uint32_t world_guests(const struct world *w)
{
	return any(w) ? w->guests->count : 0;
}

static bool capture(struct world *w, struct frame_capture c)
{
	if (!any(w) || w->guests->captures == WORLD_CAPTURES)
		return false;
	w->guests->capture[w->guests->captures++] = c;
	return true;
}

bool world_capture_guest(struct world *w, uint32_t number, world_frame_fn *fn, void *ctx)
{
	return number < world_guests(w) &&
	       capture(w, (struct frame_capture){ false, number, w->guests->machine[number].network, fn, ctx });
}

bool world_capture_tap(struct world *w, uint32_t host, unsigned network, world_frame_fn *fn, void *ctx)
{
	return host < w->hosts && any(w) && network < w->guests->networks &&
	       capture(w, (struct frame_capture){ true, host, network, fn, ctx });
}
