/*
 * Addresses that move with their machines, from one node to another
 * (DESIGN section 7; papers/002, section 5: notice, ask, delegate, tell).
 *
 *	notice	guest.c: a machine uses, or probes for, an address. The slot is asked
 *		who serves it (path_claim()), and asks that node for it in our name
 *		at once: half a round trip less than held_take() asking itself,
 *		which it does where the owner is known, or the answer stays away
 *	ask	here: is the machine still with us? It is probed; what it says
 *		since the question came is a no (held_deny(): the conflict is
 *		defended there), silence a yes. A no stays one for all repetitions
 *		of the question: who asked it has given up. Same machine, same address: one
 *		probe and a repetition; another machine: three, half a second apart
 *	delegate core/dht/delegate.c: we stop believing, save, sign
 *	tell	who talked to the machine gets the signed delegation (MOVED) and
 *		needs to ask nobody; packets still on their way to us go on (FORWARD)
 *		for a while; machines on our LAN hear by ARP or ND that it is remote
 *
 *	PAYLOAD_MOVED	4 | proof (core/dht/op.h, struct delegation)
 *	PAYLOAD_FORWARD	6 | sender 16 | IP packet: came from that node for an address that I gave you
 *
 * A delegation is believed because of whose signature it bears: the owner's, as
 * the slot told it, under the very fence. A forwarded packet is taken from the
 * node that delegated its destination to us, for as long as it may have such
 * packets: that node was trusted with all of that machine's packets a moment ago.
 * It goes no further: what is forwarded is never forwarded again.
 */
#include <string.h>

#include "core/vnet/parts.h"
#include "core/vnet/payload.h"

enum {
	WANTED_MAX	= 32,
	MOVED_MAX	= 64,
	PROBES_SAME	= 2,
	PROBES_OTHER	= 3,
	MOVED_PER_S	= 100,		/* delegations told, and checked */
};

#define SAME_NS		(20 * NS_PER_MS)	/* a LAN answers in a few */
#define OTHER_NS	(NS_PER_S / 2)
#define WRITE_NS	(5 * NS_PER_S)		/* what is under way for an address when it is asked for is over by then */
#define REPEATS_NS	(10 * NS_PER_S)		/* a question that was denied may still come again (core/dht/delegate.c) */
#define FORWARD_NS	(30 * NS_PER_S)		/* caches that were not told are wrong no longer */

/** struct wanted - somebody asks for an address of ours */
struct wanted {
	struct ip ip;
	struct id by;
	uint64_t nonce;
	int64_t asked_ns, next_ns, each_ns;
	uint8_t probes;			/* left to send */
	bool denied;			/* settled, and kept for repetitions until next_ns */
};

/** struct moved - an address that went, or came */
struct moved {
	struct ip ip;
	struct id other;		/* to whom, or from whom */
	int64_t until_ns;		/* 0 = free */
	bool came;
};

struct vnet_migrate {
	struct wanted wanted[WANTED_MAX];
	unsigned wanteds;
	struct moved moved[MOVED_MAX];
	unsigned moves;			/* so far; the next takes the oldest one's place */
	struct bucket told;
};

static struct vnet_migrate *migrate_state(struct vnet *v, struct env *e)
{
	if (!v->migrate)
		v->migrate = mem_get(&e->mem, sizeof(*v->migrate));
	if (!v->migrate)
		env_drop(e, DROP_MEMORY);
	return v->migrate;
}

static struct moved *moved_find(const struct vnet *v, const struct env *e, const struct ip *ip, bool came)
{
	for (unsigned i = 0; v->migrate && i < MOVED_MAX; i++) {
		struct moved *m = &v->migrate->moved[i];

		if (m->until_ns > e->now_ns && m->came == came && ip_eq(&m->ip, ip))
			return m;
	}
	return NULL;
}

static void moved_note(struct vnet *v, struct env *e, const struct ip *ip, struct id other, bool came)
{
	struct moved *m;

	if (!migrate_state(v, e))
		return;
	for (unsigned i = 0; i < MOVED_MAX; i++)	/* what it did before is over */
		if (ip_eq(&v->migrate->moved[i].ip, ip))
			v->migrate->moved[i].until_ns = 0;
	m = &v->migrate->moved[v->migrate->moves++ % MOVED_MAX];
	*m = (struct moved){ .ip = *ip, .other = other, .until_ns = e->now_ns + FORWARD_NS, .came = came };
}

void migrate_meet(struct vnet *v, struct env *e, struct id node)
{
	static const uint8_t HELLO[] = { PAYLOAD_PATH };

	tunnels_send(e, v->ports.tunnels, v->index, node, (struct bytes){ HELLO, 1 }, NULL);
}

/* ---- ask: the old owner ---- */

static void ask_machine(struct vnet *v, struct env *e, struct wanted *w)
{
	const struct guest *g = guest_find(v, &w->ip);

	if (!w->probes)
		;				/* it has been asked */
	else if (w->ip.family == 4)
		arp_probe(v, e, &w->ip, g ? g->mac : NULL);
	else
		nd_probe(v, e, &w->ip, g ? g->mac : NULL);
	w->probes -= w->probes > 0;
	w->next_ns = e->now_ns + w->each_ns;
	vnet_due(v, e, PART_MIGRATE, w->next_ns);
}

/* What it waited for is due. False: it is over */
static bool goes_on(struct vnet *v, struct env *e, struct wanted *w)
{
	const struct guest *g = guest_find(v, &w->ip);

	if (w->denied)
		return false;
	if (g && g->heard_ns > w->asked_ns) {
		held_deny(v->ports.dht, e, v->id, &w->ip, w->by, w->nonce);
		w->denied = true;
		w->next_ns = e->now_ns + REPEATS_NS;
		vnet_due(v, e, PART_MIGRATE, w->next_ns);
		return true;
	}
	/* not given: a question about it is under way, or it came here a moment ago and is not written yet */
	if (!w->probes && (held_delegate(v->ports.dht, e, v->id, &w->ip, w->by, w->nonce) ||
			   e->now_ns - w->asked_ns > WRITE_NS))
		return false;
	ask_machine(v, e, w);
	return true;
}

/* Is it the machine behind @g that is said to be elsewhere? @client: as that node names it */
static bool same_machine(struct vnet *v, const struct guest *g, uint64_t client)
{
	struct held h;

	if (g && (client == guest_client(g->mac) || client == guest_client(g->mac) + ip_low(&g->ip)))
		return true;
	for (unsigned i = 0; g && held_at(v->ports.dht, i, &h); i++)
		if (id_eq(h.network, v->id) && ip_eq(&h.lease.ip, &g->ip) && h.lease.client == client)
			return true;
	return !g;				/* nobody is here */
}

/* Is it a question that needs an answer? One at a time for an address: whoever else asks will ask again */
static bool fresh(struct vnet *v, struct env *e, const struct held_news *n)
{
	for (unsigned i = 0; i < v->migrate->wanteds; i++) {
		const struct wanted *w = &v->migrate->wanted[i];
		bool same = w->nonce == n->nonce && id_eq(w->by, n->by);

		if (!ip_eq(&w->ip, &n->held.lease.ip) || (w->denied && !same))
			continue;
		if (w->denied)
			held_deny(v->ports.dht, e, v->id, &w->ip, w->by, w->nonce);
		return false;
	}
	return true;
}

/* A place; what is settled makes room. NULL: none */
static struct wanted *wanted_new(struct vnet_migrate *m)
{
	if (m->wanteds < WANTED_MAX)
		return &m->wanted[m->wanteds++];
	for (unsigned i = 0; i < WANTED_MAX; i++)
		if (m->wanted[i].denied)
			return &m->wanted[i];
	return NULL;
}

void migrate_wanted(struct vnet *v, struct env *e, const struct held_news *n)
{
	const struct ip *ip = &n->held.lease.ip;
	struct vnet_migrate *m = migrate_state(v, e);
	struct wanted *w;
	bool same;

	if (!m || v->down || !network_leasable(v->record, ip))
		return;
	if (!fresh(v, e, n))
		return;
	if (lan_server(v, n->by) && !lan_serves(v, e)) {	/* the machine stays, its node changes */
		held_delegate(v->ports.dht, e, v->id, ip, n->by, n->nonce);
		return;
	}
	w = wanted_new(m);
	if (!w) {
		env_drop(e, DROP_FULL);
		return;
	}
	same = same_machine(v, guest_find(v, ip), n->held.lease.client);
	*w = (struct wanted){
		.ip = *ip, .by = n->by, .nonce = n->nonce, .asked_ns = e->now_ns, .each_ns = same ? SAME_NS : OTHER_NS,
		.probes = same ? PROBES_SAME : PROBES_OTHER,
	};
	ask_machine(v, e, w);
}

void migrate_timer(struct vnet *v, struct env *e)
{
	struct vnet_migrate *m = v->migrate;

	for (unsigned i = 0; m && i < m->wanteds;) {
		struct wanted *w = &m->wanted[i];

		if (w->next_ns > e->now_ns) {
			vnet_due(v, e, PART_MIGRATE, w->next_ns);
			i++;
		} else if (goes_on(v, e, w)) {
			i++;
		} else {
			*w = m->wanted[--m->wanteds];
		}
	}
}

/* ---- tell ---- */

static bool proof_tell(struct vnet *v, struct env *e, struct id peer, const struct ip *ip)
{
	uint8_t buf[1 + PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	write_u8(&w, PAYLOAD_MOVED);
	if (!held_proof(v->ports.dht, e, v->id, ip, &w))
		return false;
	if (!migrate_state(v, e) || !bucket_take(&v->migrate->told, e, MOVED_PER_S, MOVED_PER_S)) {
		env_drop(e, DROP_RATE);
		return false;
	}
	tunnels_send(e, v->ports.tunnels, v->index, peer, (struct bytes){ buf, writer_len(&w) }, NULL);
	return true;
}

bool migrate_tell(struct vnet *v, struct env *e, struct id peer, const struct ip *ip)
{
	return moved_find(v, e, ip, true) && proof_tell(v, e, peer, ip);
}

void migrate_gone(struct vnet *v, struct env *e, const struct held_news *n)
{
	const struct ip ip = n->held.lease.ip;
	bool lan = lan_neighbour(v, n->by);
	uint8_t buf[PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct delegation g;
	struct id peer;

	guest_gone(v, e, &ip);
	env_record(e, RECORD_MOVED, vnet_address(&ip), n->by.hi, false);
	if (held_proof(v->ports.dht, e, v->id, &ip, &w) && delegation_read((struct bytes){ buf, writer_len(&w) }, &g))
		path_moved(v, e, &g, true);
	for (unsigned i = 0; path_talker_at(v, i, &ip, &peer); i++)
		proof_tell(v, e, peer, &ip);
	moved_note(v, e, &ip, n->by, false);
	if (lan || !lan_serves(v, e) || !network_leasable(v->record, &ip))
		return;
	if (ip.family == 4)			/* machines that talked to it here find it behind us now */
		arp_conflict(v, e, &ip, mac_broadcast);
	else
		nd_conflict(v, e, &ip);
}

void migrate_came(struct vnet *v, struct env *e, const struct held_news *n)
{
	moved_note(v, e, &n->held.lease.ip, n->by, true);
	env_record(e, RECORD_MOVED, vnet_address(&n->held.lease.ip), n->by.hi, true);
}

bool migrate_straggler(struct vnet *v, struct env *e, struct id peer, const struct ip *dst, struct bytes ip,
		       const struct offload *o)
{
	const struct moved *m = moved_find(v, e, dst, false);
	struct writer w;
	uint8_t *buf;

	if (!m || id_eq(m->other, peer) || ip.len + 1 + ID_BYTES > TUNNEL_PAYLOAD_MAX)
		return false;
	proof_tell(v, e, peer, dst);
	buf = env_scratch(e, 1 + ID_BYTES + ip.len);
	if (!buf)
		return true;
	w = writer_of(buf, 1 + ID_BYTES + ip.len);
	write_u8(&w, PAYLOAD_FORWARD);
	write_id(&w, peer);
	write_copy(&w, ip.at, ip.len);
	env_drop(e, tunnels_send(e, v->ports.tunnels, v->index, m->other, (struct bytes){ buf, writer_len(&w) }, o));
	return true;
}

/* ---- what comes ---- */

static void moved_in(struct vnet *v, struct env *e, struct bytes proof)
{
	struct delegation g;

	if (!delegation_read(proof, &g) || !id_eq(g.network, v->id) || !vnet_in(v, &g.ip)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!path_moved(v, e, &g, false))
		return;				/* we think nothing of it that would change */
	if (!migrate_state(v, e) || !bucket_take(&v->migrate->told, e, MOVED_PER_S, MOVED_PER_S))
		env_drop(e, DROP_RATE);
	else if (!delegation_check(proof, e->suite))
		env_drop(e, DROP_SEAL);
	else if (path_moved(v, e, &g, true))
		migrate_meet(v, e, g.to);	/* our next packet goes there */
}

static void forward_in(struct vnet *v, struct env *e, const struct tunnel_news *n, struct reader *r)
{
	struct id peer = read_id(r);
	struct bytes ip = { .len = reader_left(r) };
	const struct moved *m;
	struct packet p;
	enum drop why;

	ip.at = read_take(r, ip.len);
	why = reader_ok(r) ? packet_read_ip(&p, ip, &n->offload) : DROP_SHORT;
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	m = moved_find(v, e, &p.dst, true);
	if (!m || !id_eq(m->other, n->peer) || !vnet_in(v, &p.src)) {
		env_drop(e, DROP_STRANGER);
		return;
	}
	edge_forwarded(v, e, &p);
	path_find(v, e, &p.src);		/* the answer will need it */
	migrate_meet(v, e, peer);
}

void migrate_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct reader r = reader_of(n->payload.at, n->payload.len);

	if (read_u8(&r) == PAYLOAD_MOVED)
		moved_in(v, e, (struct bytes){ r.at, reader_left(&r) });
	else
		forward_in(v, e, n, &r);
}

/* ---- the machine's own memory ---- */

/*
 * A machine that moved while it ran knows others of its old LAN by their own
 * MACs, and now speaks to them past us. If they are behind another node, it is
 * told where they are, and what it said is carried on.
 */
bool migrate_astray(struct vnet *v, struct env *e, const struct packet *p)
{
	if (!p->family || !v->migrate || !lan_serves(v, e) || !moved_find(v, e, &p->src, true) || !vnet_in(v, &p->dst) ||
	    guest_find(v, &p->dst) || path_find(v, e, &p->dst) != FOUND_YES ||
	    !bucket_take(&v->migrate->told, e, MOVED_PER_S, MOVED_PER_S))
		return false;
	if (p->family == 4)
		arp_conflict(v, e, &p->dst, p->mac_from);
	else
		nd_conflict(v, e, &p->dst);
	return true;
}

void migrate_resumed(struct vnet *v, struct env *e)
{
	(void)e;
	if (v->migrate)
		v->migrate->wanteds = 0;	/* who asked has given up, or asks again */
}

void migrate_free(struct vnet *v, struct env *e)
{
	mem_put(&e->mem, v->migrate, sizeof(*v->migrate));
	v->migrate = NULL;
}

uint32_t migrate_bytes(const struct vnet *v)
{
	return v->migrate ? sizeof(*v->migrate) : 0;
}
