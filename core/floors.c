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

#include "core/dht/admit.h"
#include "core/ring/label.h"
#include "core/ring/message.h"

#define LEAVE_PATIENCE	(3 * NS_PER_S)		/* for handing over what the DHT keeps here */
#define LEAVE_STEP	(50 * NS_PER_MS)

void floors_free(struct node *n)
{
	if (n->newcomer)
		newcomer_free(&n->env, n->newcomer);
	gazette_free(&n->env, n->gazette);
	nets_free(n);
	if (n->tunnels)
		tunnels_free(&n->env, n->tunnels);
	if (n->dht)
		dht_free(n->dht, &n->env);
}

/* Lists of the revoked are for all the anchors we trust. Made with the first word of one: most nodes never hear any. */
static struct gazette *gazette_of(struct node *n)
{
	if (n->gazette)
		return n->gazette;
	n->gazette = gazette_new(&n->env, n->links);
	for (unsigned i = 0; n->gazette && i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			gazette_network(n->gazette, dht_record(n->dht, vnet_id(n->vnet[i]))->key);
	return n->gazette;
}

static bool we_are_revoked(const struct node *n)
{
	return revoked_chain(n->env.revoked, n->env.config->overlay,
			     (struct bytes){ n->identity->chain, n->identity->chain_len });
}

/* Of a list that we kept and are in we only say so: whether we are in the newest, the first link tells. */
static void revoked_before(struct node *n)
{
	if (n->gazette && gazette_changed(n->gazette) && we_are_revoked(n))
		env_record(&n->env, RECORD_REVOKED, n->identity->id, 0, 1);
}

static void load_group(struct node *n, const struct saved *item)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i] && vnet_id(n->vnet[i]).hi == item->part)
			vnet_load(n->vnet[i], &n->env, item->data);
}

void floors_start(struct node *n, struct bytes saved, enum run_end last)
{
	struct reader in = reader_of(saved.at, saved.len);
	struct bytes peers = { NULL, 0 };
	struct saved item;
	bool dht = false;

	if (n->newcomer) {
		newcomer_start(&n->env, n->newcomer);
		return;
	}
	while (saved_next(&in, &item)) {
		if (item.kind == SAVE_PEERS)
			peers = item.data;
		if (item.kind == SAVE_REVOKED && gazette_of(n))
			gazette_load(&n->env, n->gazette, item.kind, item.data);
		if (item.kind == SAVE_GROUP)
			load_group(n, &item);
		dht |= item.kind == SAVE_SLOT || item.kind == SAVE_LEASE || item.kind == SAVE_SELF;
	}
	if (!reader_ok(&in))
		env_drop(&n->env, DROP_VALUE);
	revoked_before(n);
	ring_start(&n->ring, &n->env, peers);
	if (dht && !n->dht)
		n->dht = dht_new(&n->env, &n->ring, n->identity);
	if (n->dht)
		dht_start(n->dht, &n->env, saved, last);
	nets_start(n);
}

/* ---- news ---- */

/* Who came by an invitation is heard by the usher and by nobody else. */
static bool of_guest(struct node *n, const struct news *news)
{
	struct env *e = &n->env;
	bool guest = (n->dht && usher_knows(n->dht, news->link)) || links_invited(n->links, news->link);

	if (!guest)
		return false;
	if (!n->dht)
		n->dht = dht_new(e, &n->ring, n->identity);
	if (!n->dht)
		links_close(e, n->links, news->link, END_FULL);
	else if (news->kind == NEWS_UP || news->kind == NEWS_DOWN)
		usher_link(n->dht, e, news->link, news->kind == NEWS_UP);
	else if (news->kind == NEWS_MESSAGE && news->message == MESSAGE_PLEA)
		usher_plea(n->dht, e, news->link, news->body);
	else if (news->kind == NEWS_MESSAGE)
		env_drop(e, DROP_STRANGER);
	return true;
}

/* What is between neighbours and not the ring's. */
static bool of_gazette(struct node *n, const struct news *news)
{
	bool notice = news->kind == NEWS_MESSAGE && news->message == MESSAGE_NOTICE;

	if ((notice || n->gazette) && gazette_of(n)) {
		if (notice)
			gazette_message(&n->env, n->gazette, news->link, news->body);
		else if (news->kind == NEWS_UP || news->kind == NEWS_DOWN)
			gazette_link(&n->env, n->gazette, news->link, news->kind == NEWS_UP);
	}
	return notice;
}

static bool carry_links(struct node *n)
{
	struct news news;
	bool any = false;

	while (links_next(n->links, &news)) {
		any = true;
		if (n->newcomer) {
			newcomer_news(&n->env, n->newcomer, &news);
			continue;
		}
		if (of_guest(n, &news) || of_gazette(n, &news))
			continue;
		if (news.kind == NEWS_DATA && n->tunnels && tunnels_data(&n->env, n->tunnels, &news))
			continue;
		ring_news(&n->ring, &n->env, &news);
		if (n->tunnels && (news.kind == NEWS_UP || news.kind == NEWS_DOWN))
			tunnels_link(&n->env, n->tunnels, news.id, news.kind == NEWS_UP);
	}
	return any;
}

/* Mail of one network names it. */
static bool deliver_vnet(struct node *n, const struct ring_mail *m)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i] && vnet_mail(n->vnet[i], &n->env, m))
			return true;
	return false;
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
	} else if (m->body < BODY_VNET || !deliver_vnet(n, m)) {
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
		for (unsigned i = 0; i < NETWORKS_MAX; i++)
			if (n->vnet[i])
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

	return user >= DHT_USER_VNET && i < NETWORKS_MAX ? n->vnet[i] : NULL;
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
		else if (done.user == DHT_USER_ADMIT)
			admit_done(n->dht, &n->env, &done);
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
		if (n->vnet[news.network])
			vnet_tunnel(n->vnet[news.network], &n->env, &news);
	}
	while (tunnels_next_mail(n->tunnels, &mail)) {
		any = true;
		send_mail(n, &mail);
	}
	return carry_chains(n) || any;
}

/* The network of ours whose key is @anchor */
static struct vnet *vnet_of(const struct node *n, const uint8_t anchor[KEY_BYTES])
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i] && !memcmp(dht_record(n->dht, vnet_id(n->vnet[i]))->key, anchor, KEY_BYTES))
			return n->vnet[i];
	return NULL;
}

/* A list of the revoked changed: whatever they have with us ends, and if we are in it, we go. */
static bool carry_revoked(struct node *n)
{
	struct env *e = &n->env;

	if (!n->gazette || !gazette_changed(n->gazette))
		return false;
	for (uint16_t i = 0; i < links_slots(n->links); i++)
		if (links_revoked(e, n->links, (link_ref){ i })) {
			env_drop(e, DROP_REVOKED);
			gazette_farewell(e, n->gazette, (link_ref){ i });
			links_close(e, n->links, (link_ref){ i }, END_REFUSED);
		}
	if (n->tunnels)
		tunnels_revoked(e, n->tunnels);
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			vnet_revoked(n->vnet[i], e);
	if (we_are_revoked(n)) {
		env_record(e, RECORD_REVOKED, n->identity->id, 0, 0);
		floors_stop(n);
	}
	return true;
}

/* Whoever takes a list that begins an epoch must have use for its key: the others have to get it from somewhere. */
enum drop floors_revoke(struct node *n, struct bytes order)
{
	const uint8_t *key;
	struct bytes list = revoked_order(order, &key);
	struct vnet *v = key ? vnet_of(n, revoked_anchor(list)) : NULL;
	enum drop why;

	if (n->newcomer)
		return DROP_STATE;
	if (key && !v)
		return memcmp(revoked_anchor(list), n->env.config->overlay, KEY_BYTES) ? DROP_OVERLAY : DROP_STRANGER;
	why = gazette_of(n) ? gazette_take(&n->env, n->gazette, list) : DROP_MEMORY;
	return v && (why == DROP_NONE || why == DROP_STALE) && vnet_key(v, &n->env, key) ? DROP_NONE : why;
}

void floors_carry(struct node *n)
{
	while ((int)carry_revoked(n) | (int)carry_links(n) | (int)carry_ring(n) | (int)carry_dht(n) | (int)carry_tunnels(n))
		;
}

/* ---- events ---- */

void floors_frame(struct node *n, const struct event *ev)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i] && n->networks[i].iface == ev->iface) {
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
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
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
	if (n->newcomer) {
		env_record(&n->env, RECORD_LEFT, ID_ZERO, 0, 0);
		return;
	}
	if (n->leave_ns)
		return;
	n->leave_ns = n->env.now_ns + LEAVE_PATIENCE;
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			vnet_leave(n->vnet[i], &n->env);
	try_leaving(n);
}

void floors_timer(struct node *n, uint16_t tag)
{
	struct env *e = &n->env;

	if (tag == TIMER_LEAVE)
		try_leaving(n);
	else if (tag == TIMER_QUIT)
		nets_timer(n);
	else if (tag == TIMER_NEWCOMER && n->newcomer)
		newcomer_timer(e, n->newcomer);
	else if (tag == TIMER_GAZETTE && n->gazette)
		gazette_timer(e, n->gazette);
	else if (tag == TIMER_ADMIT && n->dht)
		admit_timer(n->dht, e);
	else if (tag < TIMER_TUNNEL && n->dht)
		dht_timer(n->dht, e, tag);
	else if (tag == TIMER_TUNNEL && n->tunnels)
		tunnels_timer(e, n->tunnels, tag);
	else if (tag >= TIMER_VNET && tag < TIMER_LINK && n->vnet[tag - TIMER_VNET])
		vnet_timer(n->vnet[tag - TIMER_VNET], e);
}
