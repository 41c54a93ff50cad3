/*
 * The face: who is told of what. Frames go to edge.c, news of the DHT and of
 * held leases to the part whose cookie they carry, tunnels to path.c except for
 * guests' packets, which edge.c judges too. All parts share one timer; each
 * says when it wants to be called.
 */
#include "core/vnet/vnet.h"

#include <assert.h>

#include "core/vnet/epoch.h"
#include "core/vnet/parts.h"
#include "core/vnet/payload.h"

enum { GUEST_BYTES = sizeof(struct guest) };
_Static_assert(GUEST_BYTES <= 64, "up to 256 of them in a network of a node");

/* The record lies in dht, which may have replaced it between two steps. */
static void refresh(struct vnet *v)
{
	v->record = dht_record(v->ports.dht, v->id);
	assert(v->record);
	v->gateway4 = v->record->range4.ip.family ? network_gateway(v->record, 4) : (struct ip){ 0 };
	v->gateway6 = v->record->range6.ip.family ? network_gateway(v->record, 6) : (struct ip){ 0 };
}

/* Locally administered and the same at every node of the network, so that ARP caches survive a migration. */
static void network_mac(uint8_t mac[MAC_BYTES], struct id network)
{
	for (int i = 0; i < MAC_BYTES; i++)
		mac[i] = (uint8_t)(network.hi >> (56 - 8 * i));
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

struct vnet *vnet_new(struct env *e, const struct vnet_ports *p, const struct network *b, uint8_t index)
{
	struct network_record rec;
	struct vnet *v;

	assert(index < NETWORKS_MAX);
	if (network_read(e->suite, b->record, &rec) != DROP_NONE ||
	    !dht_network(p->dht, e, b->record, (struct bytes){ b->identity->chain, b->identity->chain_len }))
		return NULL;
	v = mem_get(&e->mem, sizeof(*v));
	if (!v)
		return NULL;
	v->ports = *p;
	v->net = b;
	v->id = rec.id;
	v->self = p->ring->self;
	v->index = index;
	for (int i = 0; i < PARTS; i++)
		v->due_ns[i] = INT64_MAX;
	v->advert_ns = INT64_MAX;
	refresh(v);
	network_mac(v->mac, v->id);
	tunnels_network(e, p->tunnels, index, v->id, v->record->key, b->identity);
	return v;
}

void vnet_free(struct vnet *v, struct env *e)
{
	if (!v)
		return;
	heap_del(&e->timers, (uint16_t)(TIMER_VNET + v->index));
	migrate_free(v, e);
	path_free(v, e);
	epoch_free(v, e);
	dns_free(v, e);
	dhcp_free(v, e);
	lan_done(v, e);
	guest_done(v, e);
	guard_done(v, e);
	mem_put(&e->mem, v, sizeof(*v));
}

void vnet_due(struct vnet *v, struct env *e, enum vnet_part part, int64_t at_ns)
{
	uint16_t tag = (uint16_t)(TIMER_VNET + v->index);

	if (at_ns >= v->due_ns[part])
		return;
	v->due_ns[part] = at_ns;
	if (at_ns < heap_due(&e->timers, tag))
		heap_set(&e->timers, &e->mem, tag, at_ns);
}

bool bucket_take(struct bucket *b, const struct env *e, unsigned per_s, unsigned burst)
{
	int64_t each_ns = NS_PER_S / per_s;

	if (b->full_ns < e->now_ns)
		b->full_ns = e->now_ns;
	if (b->full_ns + each_ns > e->now_ns + each_ns * burst)
		return false;
	b->full_ns += each_ns;
	return true;
}

void vnet_timer(struct vnet *v, struct env *e)
{
	static void (*const part[PARTS])(struct vnet *, struct env *) = {
		[PART_EDGE] = guest_timer, [PART_WAIT] = wait_timer, [PART_LAN] = lan_timer, [PART_DHCP] = dhcp_timer,
		[PART_DNS] = dns_timer, [PART_PATH] = path_timer, [PART_GROUP] = path_group_timer, [PART_MIGRATE] = migrate_timer,
	};
	int64_t next_ns = INT64_MAX;

	refresh(v);
	for (int i = 0; i < PARTS; i++) {
		if (v->due_ns[i] > e->now_ns)
			continue;
		v->due_ns[i] = INT64_MAX;
		part[i](v, e);
	}
	for (int i = 0; i < PARTS; i++)
		if (v->due_ns[i] < next_ns)
			next_ns = v->due_ns[i];
	if (next_ns != INT64_MAX)
		heap_set(&e->timers, &e->mem, (uint16_t)(TIMER_VNET + v->index), next_ns);
}

void vnet_start(struct vnet *v, struct env *e)
{
	refresh(v);
	v->own_mac[0] = 0xfe;
	v->own_mac[1] = 0xfd;
	random_bytes(&e->random, v->own_mac + 2, 4);
	if (v->net->model == MODEL_HYBRID)
		memcpy(v->mac, v->own_mac, MAC_BYTES);	/* several of us may sit on one LAN */
	epoch_start(v, e);
	path_start(v, e);
	dns_start(v, e);
	held_lends(v->ports.dht, e, v->id, v->net->model == MODEL_ROUTER);	/* its machines move */
	lan_start(v, e);
	nd_start(v, e);
}

void vnet_frame(struct vnet *v, struct env *e, struct bytes frame, const struct offload *o)
{
	refresh(v);
	if (v->down)
		env_drop(e, DROP_STATE);
	else
		edge_frame(v, e, frame, o);
}

void vnet_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	refresh(v);
	if (n->word != TUNNEL_PAYLOAD) {
		guard_tunnel(v, e, n);
		path_tunnel(v, e, n);
	} else if (!n->payload.len) {
		env_drop(e, DROP_SHORT);
	} else if (n->offload.segment) {
		env_drop(e, DROP_VALUE);		/* segments cross one by one */
	} else if (n->payload.at[0] == PAYLOAD_ECHO || n->payload.at[0] == PAYLOAD_ECHOED) {
		echo_payload(v, e, n);
	} else if (n->payload.at[0] == PAYLOAD_MOVED || n->payload.at[0] == PAYLOAD_FORWARD) {
		migrate_payload(v, e, n);
	} else if (n->payload.at[0] != PAYLOAD_IP) {
		path_payload(v, e, n);
	} else {
		edge_payload(v, e, n);
	}
}

bool vnet_mail(struct vnet *v, struct env *e, const struct ring_mail *m)
{
	struct reader r = reader_of(m->data.at, m->data.len);

	if (m->body != BODY_EXPECT || !id_eq(read_id(&r), v->id))
		return false;
	refresh(v);
	path_expect(v, e, &r);
	return true;
}

void vnet_cast(struct vnet *v, struct env *e, struct id origin, uint32_t seq, struct bytes data)
{
	refresh(v);
	path_cast(v, e, origin, seq, data);
}

void vnet_done(struct vnet *v, struct env *e, const struct dht_done *d)
{
	refresh(v);
	switch (COOKIE_ASKER(d->cookie)) {
	case ASKER_DHCP:
		dhcp_done(v, e, d);
		break;
	case ASKER_DNS:
		dns_done(v, e, d);
		break;
	case ASKER_PATH:
		path_done(v, e, d);
		break;
	case ASKER_STATIC:
	default:
		env_drop(e, DROP_STALE);
		break;
	}
}

void vnet_held(struct vnet *v, struct env *e, const struct held_news *n)
{
	refresh(v);
	if (n->word == HELD_WANTED) {
		migrate_wanted(v, e, n);
		return;
	}
	if (n->word == HELD_GRANTED && !id_eq(n->by, ID_ZERO))
		migrate_came(v, e, n);
	switch (COOKIE_ASKER(n->held.cookie)) {
	case ASKER_STATIC:
		guest_held(v, e, n);
		break;
	case ASKER_DHCP:
		dhcp_held(v, e, n);
		break;
	case ASKER_DNS:
	case ASKER_PATH:
	default:
		env_drop(e, DROP_STALE);
		break;
	}
	if (n->word == HELD_GONE && n->held.state == HELD_LENT)
		migrate_gone(v, e, n);
}

void vnet_resumed(struct vnet *v, struct env *e)
{
	refresh(v);
	path_resumed(v, e);
	dhcp_resumed(v, e);
	lan_resumed(v, e);
	migrate_resumed(v, e);
	guest_resumed(v, e);
}

void vnet_revoked(struct vnet *v, struct env *e)
{
	refresh(v);
	epoch_changed(v, e);
}

void vnet_load(struct vnet *v, struct env *e, struct bytes key)
{
	refresh(v);
	epoch_load(v, e, key);
}

bool vnet_key(struct vnet *v, struct env *e, const uint8_t key[KEY_BYTES])
{
	refresh(v);
	return epoch_key(v, e, key);
}

void vnet_leave(struct vnet *v, struct env *e)
{
	if (v->down)
		return;
	refresh(v);
	path_leave(v, e);
	dns_leave(v, e);
	dhcp_leave(v, e);
	guest_leave(v, e);
	lan_leave(v, e);
	v->down = true;
}

bool vnet_guest_at(const struct vnet *v, unsigned i, struct look_guest *out)
{
	const struct guest *g;

	if (i >= v->guests)
		return false;
	g = &v->guest[i];
	*out = (struct look_guest){ .ip = g->ip, .heard_ns = g->heard_ns, .leased = g->how == GUEST_LEASED };
	memcpy(out->mac, g->mac, MAC_BYTES);
	return true;
}

bool vnet_remote_at(const struct vnet *v, unsigned i, struct look_remote *out)
{
	return path_remote_at(v, i, out);
}

uint32_t vnet_remote_changes(const struct vnet *v)
{
	return path_remote_changes(v);
}

struct id vnet_id(const struct vnet *v)
{
	return v->id;
}

uint32_t vnet_bytes(const struct vnet *v)
{
	return (uint32_t)(sizeof(*v) + v->guest_cap * sizeof(*v->guest) + v->waiting_cap * sizeof(*v->waiting)) +
	       lan_bytes(v) + migrate_bytes(v) + dhcp_bytes(v) + dns_bytes(v) + path_bytes(v) + guard_bytes(v) + epoch_bytes(v);
}
