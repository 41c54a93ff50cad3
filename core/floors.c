/*
 * The floors of a node and the stairs between them. Each folder of core sees
 * only what stands below it and leaves news for those above in a queue; after
 * every event floors_carry() empties the queues, link before ring before dht
 * before vnet, until all are empty. Nothing calls upwards.
 *
 * A node without a network has no DHT before somebody else's slot asks for one:
 * all members of an overlay carry and vote for each other's networks.
 */
#include "core/inside.h"

#include "core/ring/label.h"
#include "core/ring/message.h"

#define LEAVE_PATIENCE	(3 * NS_PER_S)		/* for handing over what the DHT keeps here */
#define LEAVE_STEP	(50 * NS_PER_MS)

bool floors_new(struct node *n)
{
	struct env *e = &n->env;
	struct vnet_ports ports;

	if (!n->network_count)
		return true;
	if (n->network_count > NETWORKS_MAX)
		return false;
	n->dht = dht_new(e, &n->ring, n->identity);
	n->tunnels = tunnels_new(e, n->links, n->identity);
	if (!n->dht || !n->tunnels)
		return false;
	ports = (struct vnet_ports){ n->dht, n->tunnels, &n->ring };
	for (unsigned i = 0; i < n->network_count; i++) {
		const struct network *net = &n->networks[i];
		struct network_record record;

		if (network_read(e->suite, net->record, &record) != DROP_NONE ||
		    !dht_network(n->dht, e, net->record,
				 (struct bytes){ net->identity->chain, net->identity->chain_len }))
			return false;
		tunnels_network(e, n->tunnels, i, record.id, record.key, net->identity);
		n->vnet[i] = vnet_new(e, &ports, net, (uint8_t)i);
		if (!n->vnet[i])
			return false;
	}
	return true;
}

void floors_free(struct node *n)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			vnet_free(n->vnet[i], &n->env);
	if (n->tunnels)
		tunnels_free(&n->env, n->tunnels);
	if (n->dht)
		dht_free(n->dht, &n->env);
}

void floors_start(struct node *n, struct bytes saved, enum run_end last)
{
	struct reader in = reader_of(saved.at, saved.len);
	struct bytes peers = { NULL, 0 };
	struct saved item;
	bool dht = false;

	while (saved_next(&in, &item)) {
		if (item.kind == SAVE_PEERS)
			peers = item.data;
		dht |= item.kind == SAVE_SLOT || item.kind == SAVE_LEASE || item.kind == SAVE_SELF;
	}
	if (!reader_ok(&in))
		env_drop(&n->env, DROP_VALUE);
	ring_start(&n->ring, &n->env, peers);
	if (dht && !n->dht)
		n->dht = dht_new(&n->env, &n->ring, n->identity);
	if (n->dht)
		dht_start(n->dht, &n->env, saved, last);
	for (unsigned i = 0; i < n->network_count; i++)
		vnet_start(n->vnet[i], &n->env);
}

/* ---- news ---- */

static bool carry_links(struct node *n)
{
	struct news news;
	bool any = false;

	while (links_next(n->links, &news)) {
		any = true;
		if (news.kind == NEWS_DATA && n->tunnels && tunnels_data(&n->env, n->tunnels, &news))
			continue;
		ring_news(&n->ring, &n->env, &news);
		if (n->tunnels && (news.kind == NEWS_UP || news.kind == NEWS_DOWN))
			tunnels_link(&n->env, n->tunnels, news.id, news.kind == NEWS_UP);
	}
	return any;
}

static void deliver(struct node *n, const struct ring_mail *m)
{
	struct env *e = &n->env;

	if (m->body >= BODY_DHT && m->body < BODY_TUNNEL) {
		if (!n->dht)
			n->dht = dht_new(e, &n->ring, n->identity);
		if (n->dht)
			dht_mail(n->dht, e, m);
	} else if (m->body >= BODY_TUNNEL && m->body < BODY_VNET && n->tunnels) {
		tunnels_mail(e, n->tunnels, m->from, m->has_via ? &m->via : NULL, m->data);
	} else {
		env_drop(e, DROP_MESSAGE);
	}
}

static bool carry_ring(struct node *n)
{
	const struct ring_mail *mail;
	const struct ring_cast *cast;
	bool any = false;

	while ((mail = ring_next_mail(&n->ring))) {
		any = true;
		deliver(n, mail);
	}
	while ((cast = ring_next_cast(&n->ring))) {
		any = true;
		for (unsigned i = 0; i < n->network_count; i++)
			vnet_cast(n->vnet[i], &n->env, cast->origin, cast->seq, cast->data);
	}
	if (n->dht && ring_changes(&n->ring) != n->ring_seen) {
		n->ring_seen = ring_changes(&n->ring);
		dht_ring(n->dht, &n->env);
		any = true;
	}
	return any;
}

static struct vnet *user_vnet(const struct node *n, uint8_t user)
{
	unsigned i = user - (unsigned)DHT_USER_VNET;

	return user >= DHT_USER_VNET && i < n->network_count ? n->vnet[i] : NULL;
}

static bool carry_dht(struct node *n)
{
	struct held_news news;
	struct dht_done done;
	bool any = false;

	if (!n->dht)
		return false;
	while (dht_next(n->dht, &done)) {
		struct vnet *v = user_vnet(n, done.user);

		any = true;
		if (v)
			vnet_done(v, &n->env, &done);
		else if (done.user == DHT_USER_CONTROL)
			control_done(n, &done);
	}
	while (held_next(n->dht, &news)) {
		struct vnet *v = user_vnet(n, news.held.user);

		any = true;
		if (v)
			vnet_held(v, &n->env, &news);
		else if (news.held.user == DHT_USER_CONTROL)
			control_held(n, &news);
	}
	return any;
}

static void send_mail(struct node *n, const struct tunnel_mail *m)
{
	uint8_t buf[RING_MAIL_MAX + 64];
	struct writer w = ring_open(buf, sizeof(buf), m->to, ROUTE_EXACT, BODY_TUNNEL);

	write_copy(&w, m->data.at, m->data.len);
	ring_send(&n->ring, &n->env, &w, m->has_via ? &m->via : NULL);
}

/* How tunnels would like to be carried, and what chains there are. */
static bool carry_chains(struct node *n)
{
	struct env *e = &n->env;
	struct tunnel_want want;
	struct label_news news;
	bool any = false;

	while (tunnels_next_want(n->tunnels, &want)) {
		any = true;
		if (want.direct)
			ring_demand(&n->ring, e, &want.who);
		else
			label_want(&n->ring, e, want.who.id, want.index, want.anew);
	}
	while (label_next(&n->ring, &news)) {
		any = true;
		tunnels_chain(e, n->tunnels, news.peer, news.index, news.first, news.label, news.mtu);
	}
	return any;
}

static bool carry_tunnels(struct node *n)
{
	struct tunnel_mail mail;
	struct tunnel_news news;
	bool any = false;

	if (!n->tunnels)
		return false;
	while (tunnels_next(n->tunnels, &news)) {
		any = true;
		if (news.network < n->network_count)
			vnet_tunnel(n->vnet[news.network], &n->env, &news);
	}
	while (tunnels_next_mail(n->tunnels, &mail)) {
		any = true;
		send_mail(n, &mail);
	}
	return carry_chains(n) || any;
}

void floors_carry(struct node *n)
{
	while ((int)carry_links(n) | (int)carry_ring(n) | (int)carry_dht(n) | (int)carry_tunnels(n))
		;
}

/* ---- events ---- */

void floors_frame(struct node *n, const struct event *ev)
{
	for (unsigned i = 0; i < n->network_count; i++)
		if (n->networks[i].iface == ev->iface) {
			vnet_frame(n->vnet[i], &n->env, ev->data, &ev->offload);
			return;
		}
	env_drop(&n->env, DROP_STATE);		/* no network has this tap */
}

void floors_saved(struct node *n, uint64_t token)
{
	if (n->dht)
		dht_saved(n->dht, &n->env, token);
}

void floors_resumed(struct node *n, bool clone)
{
	if (n->dht)
		dht_resumed(n->dht, &n->env, clone);
	if (n->tunnels)
		tunnels_resumed(&n->env, n->tunnels);
	for (unsigned i = 0; i < n->network_count; i++)
		vnet_resumed(n->vnet[i], &n->env);
}

/* Until when to wait for what the DHT keeps here to be taken over; with nobody there, only for our own last words. */
static int64_t patience(const struct node *n)
{
	bool alone = !link_ok(ring_side(&n->ring, LEFT)) && !link_ok(ring_side(&n->ring, RIGHT));

	return alone ? n->leave_ns - LEAVE_PATIENCE + 2 * LEAVE_STEP : n->leave_ns;
}

static void try_leaving(struct node *n)
{
	struct env *e = &n->env;

	if (n->dht && !dht_leave(n->dht, e) && e->now_ns < patience(n)) {
		heap_set(&e->timers, &e->mem, TIMER_LEAVE, e->now_ns + LEAVE_STEP);
		return;
	}
	heap_del(&e->timers, TIMER_LEAVE);
	ring_stop(&n->ring, e);
}

void floors_stop(struct node *n)
{
	if (n->leave_ns)
		return;
	n->leave_ns = n->env.now_ns + LEAVE_PATIENCE;
	for (unsigned i = 0; i < n->network_count; i++)
		vnet_leave(n->vnet[i], &n->env);
	try_leaving(n);
}

void floors_timer(struct node *n, uint16_t tag)
{
	struct env *e = &n->env;

	if (tag == TIMER_LEAVE)
		try_leaving(n);
	else if (tag < TIMER_TUNNEL && n->dht)
		dht_timer(n->dht, e, tag);
	else if (tag >= TIMER_TUNNEL && tag < TIMER_VNET && n->tunnels)
		tunnels_timer(e, n->tunnels, tag);
	else if (tag >= TIMER_VNET && tag < TIMER_VNET + n->network_count)
		vnet_timer(n->vnet[tag - TIMER_VNET], e);
}
