/*
 * From a guest's packet to its peer: resolve, hold meanwhile, send; and the same
 * question backwards: may this peer speak from that address?
 *
 * Packets of both directions wait in one list, in the order they came, for the
 * answer about one address: eight for one address, 64 altogether, three seconds.
 * What waited in vain is counted, and its sender told. See payload.h for what is
 * believed, resolve.h for when is asked, owner.c for addresses that certificates
 * own.
 *
 * A packet from a peer that we believe does not hold its source is not delivered
 * and makes us ask the majority: the address may have moved. How often is bounded
 * for each address and for the network, so that a member who forges sources costs
 * a count, not a flood of questions.
 */
#include "core/vnet/epoch.h"
#include "core/vnet/path.h"

#include <string.h>

#define HOLD_NS		(3 * NS_PER_S)		/* packets wait no longer */
#define ASK_NS		(3 * NS_PER_S)		/* nor does the question, with its retries */

enum {
	HELD_FOR_ONE	= 8,
	HELD_MAX	= 64,
	HELD_BYTES	= 128 << 10,		/* of all that is held */
	DOUBTS_PER_S	= 20,
	ASKS_PER_S	= 50,
	ASKS_BURST	= 100,
	IN_USE_MS	= 10000,		/* a tunnel that ends while an address behind it was asked for within this was not idle */
};

/** path_state() - v->path, made at its first use; NULL at the quota, counted */
struct vnet_path *path_state(struct vnet *v, struct env *e)
{
	if (v->path)
		return v->path;
	v->path = mem_get(&e->mem, sizeof(*v->path));
	if (!v->path) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	resolver_init(&v->path->resolver);
	return v->path;
}

/* ---- packets that wait ---- */

static void held_free(struct vnet_path *p, struct env *e, struct held_packet *h)
{
	p->held--;
	p->held_bytes -= h->len;
	mem_put(&e->mem, h, sizeof(*h) + h->len);
}

static void hold(struct vnet *v, struct env *e, struct remote *m, const struct id *from, struct bytes data,
		 const struct offload *o)
{
	struct vnet_path *p = v->path;
	struct held_packet *h;

	if (m->held >= HELD_FOR_ONE || p->held >= HELD_MAX || p->held_bytes + data.len > HELD_BYTES) {
		env_drop(e, DROP_FULL);
		return;
	}
	h = mem_get(&e->mem, sizeof(*h) + data.len);
	if (!h) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	h->ip = m->ip;
	h->until_ns = e->now_ns + HOLD_NS;
	h->in = from;
	h->peer = from ? *from : ID_ZERO;
	h->offload = *o;
	h->len = (uint32_t)data.len;
	memcpy(h->data, data.at, data.len);
	if (p->first)
		p->last->next = h;
	else
		p->first = h;
	p->last = h;
	p->held++;
	p->held_bytes += h->len;
	m->held++;
	vnet_due(v, e, PART_PATH, h->until_ns);
}

/* All packets that wait for @ip, taken out of the list, in order. */
static struct held_packet *take_held(struct vnet_path *p, struct remote *m)
{
	struct held_packet *mine = NULL, **end = &mine, **at = &p->first;

	p->last = NULL;
	while (*at) {
		struct held_packet *h = *at;

		if (ip_eq(&h->ip, &m->ip)) {
			*at = h->next;
			h->next = NULL;
			*end = h;
			end = &h->next;
		} else {
			p->last = h;
			at = &h->next;
		}
	}
	m->held = 0;
	return mine;
}

/* ---- asking ---- */

/* @client: a guest of ours that came with the address, 0 = none */
static bool ask(struct vnet *v, struct env *e, struct remote *m, uint8_t kind, uint64_t client)
{
	struct op op = { .kind = kind, .ip = m->ip, .client = client };
	uint64_t rest;

	m->claimed = client != 0;
	rest = resolver_asked(&v->path->resolver, m, e, kind);

	if (network_reserved(v->record, &m->ip))
		return owner_ask(v, e, m, rest, ASK_NS);
	op.slot = slot_of_ip(v->id, &m->ip);
	if (dht_ask(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_PATH, rest), &op, ASK_NS))
		return true;
	m->asking = 0;
	return false;
}

bool path_ask(struct vnet *v, struct env *e, struct remote *m, uint8_t kind)
{
	return ask(v, e, m, kind, 0);
}

static enum found consult(struct vnet *v, struct env *e, const struct ip *ip, uint64_t client, struct remote **out)
{
	struct vnet_path *p = path_state(v, e);
	struct remote *m = p ? resolver_add(&p->resolver, e, ip) : NULL;

	*out = m;
	if (!m)
		return FOUND_NO;
	switch (resolver_advice(m, e)) {
	case ADVICE_USE_LOOK:
		path_ask(v, e, m, OP_LOOK);
		return FOUND_YES;
	case ADVICE_USE:
		return FOUND_YES;
	case ADVICE_NOBODY:
		return FOUND_NO;
	case ADVICE_LOOK:
		if (!bucket_take(&p->asks, e, ASKS_PER_S, ASKS_BURST)) {
			env_drop(e, DROP_RATE);	/* somebody scans the network */
			return FOUND_NO;
		}
		return ask(v, e, m, OP_LOOK, client) ? FOUND_ASKED : FOUND_NO;
	case ADVICE_GET:
		return path_ask(v, e, m, OP_GET) ? FOUND_ASKED : FOUND_NO;
	case ADVICE_WAIT:
		break;
	}
	return FOUND_ASKED;
}

uint16_t path_fits(struct vnet *v, const struct ip *ip)
{
	const struct remote *m = v->path ? resolver_find(&v->path->resolver, ip) : NULL;
	uint16_t fits = m && m->state == REMOTE_FOUND ? tunnels_fits(v->ports.tunnels, v->index, m->owner) : 0;

	return fits && fits - 1 < v->record->mtu ? (uint16_t)(fits - 1) : v->record->mtu;	/* 1: the kind of payload */
}

enum found path_consult(struct vnet *v, struct env *e, const struct ip *ip, struct remote **out)
{
	return consult(v, e, ip, 0, out);
}

enum found path_claim(struct vnet *v, struct env *e, const struct ip *ip, uint64_t client)
{
	struct remote *m;
	enum found f = consult(v, e, ip, client, &m);

	if (f == FOUND_ASKED)
		m->told = true;
	return f;
}

enum found path_find(struct vnet *v, struct env *e, const struct ip *ip)
{
	return path_claim(v, e, ip, 0);
}

bool path_doubt(struct vnet *v, struct env *e, struct remote *m)
{
	if (m->asking == OP_GET)
		return true;
	if (!bucket_take(&v->path->doubts, e, DOUBTS_PER_S, DOUBTS_PER_S)) {
		env_drop(e, DROP_RATE);
		return false;
	}
	v->path->resolver.changes++;
	return resolver_doubt(m, e);
}

/* ---- out ---- */

/* @p for @owner. Of a batch each segment goes alone: a datagram that is lost costs one. */
static void forward(struct vnet *v, struct env *e, struct id owner, const struct packet *p)
{
	uint8_t buf[TUNNEL_PAYLOAD_MAX];
	struct offload o = p->offload;
	enum drop why = DROP_NONE;
	struct batch b;
	size_t len;

	buf[0] = PAYLOAD_IP;
	if (o.segment) {
		if (!batch_begin(&b, p, sizeof(buf) - 1))
			env_drop(e, DROP_TOO_BIG);
		else
			for (o.segment = 0; why == DROP_NONE && (len = batch_next(&b, buf + 1));)
				why = tunnels_send(e, v->ports.tunnels, v->index, owner, (struct bytes){ buf, 1 + len }, &o);
	} else if (p->l3.len < sizeof(buf)) {
		memcpy(buf + 1, p->l3.at, p->l3.len);
		why = tunnels_send(e, v->ports.tunnels, v->index, owner, (struct bytes){ buf, 1 + p->l3.len }, &o);
	} else {
		env_drop(e, DROP_TOO_BIG);
	}
	if (why == DROP_SILENT)
		edge_nobody(v, e, p->l3);
}

void path_send(struct vnet *v, struct env *e, const struct packet *p)
{
	struct remote *m;
	struct id owner;

	switch (path_consult(v, e, &p->dst, &m)) {
	case FOUND_YES:
		owner = m->owner;
		claim_tell(v, e, &p->src, owner);
		forward(v, e, owner, p);
		break;
	case FOUND_ASKED:
		hold(v, e, m, NULL, p->l3, &p->offload);
		break;
	case FOUND_NO:
		env_drop(e, DROP_NOBODY);
		edge_nobody(v, e, p->l3);
		break;
	}
}

/* ---- in ---- */

enum found path_source(struct vnet *v, struct env *e, struct id peer, const struct ip *src, struct bytes payload,
		       const struct offload *o)
{
	struct remote *m;
	enum found f;

	if (network_reserved(v->record, src))
		return owner_may(v, peer, src) ? FOUND_YES : FOUND_NO;
	f = path_consult(v, e, src, &m);
	if (!m || (f == FOUND_YES && id_eq(m->owner, peer)))
		return f;
	if (f != FOUND_ASKED) {			/* not the peer's, as we know it: has it moved? */
		if (!path_doubt(v, e, m))
			return FOUND_NO;
		f = path_consult(v, e, src, &m);
		if (f != FOUND_ASKED || !m)
			return m && f == FOUND_YES && id_eq(m->owner, peer) ? FOUND_YES : FOUND_NO;
	}
	hold(v, e, m, &peer, (struct bytes){ payload.at + 1, payload.len - 1 }, o);
	return FOUND_ASKED;
}

/* A packet of our guest came back from @peer: once the slot has said who serves its destination now it goes there. */
static void returned(struct vnet *v, struct env *e, struct id peer, struct bytes ip)
{
	static const struct offload none;
	struct vnet_path *p = path_state(v, e);
	struct remote *m;
	struct packet q;

	if (ip.len > RETURN_MAX || packet_read_ip(&q, ip, NULL) != DROP_NONE || !vnet_in(v, &q.dst)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	m = p ? resolver_find(&p->resolver, &q.dst) : NULL;
	if (!m || m->state != REMOTE_FOUND || !edge_serves(v, e, &q.src, NULL)) {
		env_drop(e, DROP_STALE);
		return;
	}
	if (!id_eq(m->owner, peer))		/* we know better by now */
		forward(v, e, m->owner, &q);
	else if (path_doubt(v, e, m) && (m->asking || path_ask(v, e, m, OP_GET)))
		hold(v, e, m, NULL, ip, &none);
}

void path_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct reader r = reader_of(n->payload.at, n->payload.len);
	uint8_t kind = read_u8(&r);

	switch (kind) {
	case PAYLOAD_OWN:
	case PAYLOAD_NOT_HERE:
		claim_in(v, e, n->peer, kind, &r);
		break;
	case PAYLOAD_RETURNED:
		returned(v, e, n->peer, (struct bytes){ r.at, reader_left(&r) });
		break;
	case PAYLOAD_KEY_ASK:
	case PAYLOAD_KEY:
		epoch_payload(v, e, n);
		break;
	case PAYLOAD_PATH:
		break;
	default:
		env_drop(e, DROP_MESSAGE);
	}
}

void path_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct vnet_path *p = path_state(v, e);

	if (!p)
		return;
	for (unsigned i = 0; i < TOLD; i++)
		if (id_eq(p->told[i].peer, n->peer))
			p->told[i] = (struct told){ .at_ns = INT64_MIN / 2 };
	owner_tunnel(v, e, n);
	if (n->word == TUNNEL_UP)
		epoch_met(v, e, n->peer);
	if (n->word != TUNNEL_FAILED && n->word != TUNNEL_DOWN)
		return;
	for (unsigned i = 0; i < p->resolver.count; i++) {	/* what it served may be served by another one by now */
		struct remote *m = &p->resolver.remote[i];
		bool idle = n->word == TUNNEL_DOWN && env_ms(e) - m->used_ms > IN_USE_MS;	/* then it ended for that */

		if (m->state == REMOTE_FOUND && id_eq(m->owner, n->peer) && !idle)
			resolver_doubt(m, e);
	}
	p->resolver.changes++;
}

/* ---- answers ---- */

/* An answer about @m is here: everything that waited for it goes its way. */
static void release(struct vnet *v, struct env *e, struct remote *m, bool found)
{
	struct vnet_path *p = v->path;
	struct held_packet *h = take_held(p, m), *next;
	bool told = m->told;
	struct id owner = m->owner;
	struct ip ip = m->ip;

	m->told = false;
	env_record(e, RECORD_RESOLVED, vnet_address(&ip), (uint64_t)((e->now_ns - m->asked_ns) / NS_PER_MS), found);
	for (; h; h = next) {
		struct bytes packet = { h->data, h->len };
		struct packet q;

		next = h->next;
		if (h->in && found && id_eq(owner, h->peer)) {
			edge_deliver(v, e, h->peer, packet, &h->offload);
		} else if (h->in) {
			env_drop(e, DROP_SPOOFED);
		} else if (!found) {
			env_drop(e, DROP_NOBODY);
			edge_nobody(v, e, packet);
		} else if (packet_read_ip(&q, packet, &h->offload) == DROP_NONE && edge_serves(v, e, &q.src, NULL)) {
			claim_tell(v, e, &q.src, owner);
			m = resolver_find(&p->resolver, &ip);
			if (m)
				forward(v, e, m->owner, &q);
		} else {
			env_drop(e, DROP_UNBELIEVED);	/* its source was ours when it began to wait */
		}
		held_free(p, e, h);
	}
	if (told)
		edge_resolved(v, e, &ip, found);
}

/* Does a packet wait that came from somebody else than the primary alone says? */
static bool contradicted(const struct vnet_path *p, const struct remote *m)
{
	for (const struct held_packet *h = p->first; h; h = h->next)
		if (h->in && ip_eq(&h->ip, &m->ip) && (m->state != REMOTE_FOUND || !id_eq(h->peer, m->owner)))
			return true;
	return false;
}

void path_answered(struct vnet *v, struct env *e, struct remote *m, enum answered how, bool majority)
{
	if (how == ANSWERED_OTHER)
		return;
	if ((how == ANSWERED_FOUND || how == ANSWERED_NOBODY) && !majority && contradicted(v->path, m))
		how = ANSWERED_AGAIN;
	if (how == ANSWERED_AGAIN) {
		if (path_ask(v, e, m, OP_GET))
			return;
		how = ANSWERED_NOBODY;
	}
	release(v, e, m, how != ANSWERED_NOBODY);
}

void path_done(struct vnet *v, struct env *e, const struct dht_done *d)
{
	struct remote *m = NULL;
	enum answered how;

	if (!v->path)
		return;
	if (d->slot.kind == SLOT_NAMES) {
		owner_done(v, e, d);
		return;
	}
	how = resolver_answer(&v->path->resolver, e, COOKIE_REST(d->cookie), d, v->self, &m);
	v->path->wished = m && m->claimed ? d : NULL;
	path_answered(v, e, m, how, d->kind == OP_GET);
	v->path->wished = NULL;
}

/* ---- what moves ---- */

bool path_owner(const struct vnet *v, const struct env *e, const struct ip *ip, struct served *by)
{
	const struct remote *m = v->path ? resolver_find(&v->path->resolver, ip) : NULL;

	if (!m || m->state != REMOTE_FOUND || e->now_ns >= m->until_ns)
		return false;
	*by = (struct served){ .owner = m->owner, .fence = m->fence };
	if (v->path->wished && ip_eq(&v->path->wished->lease.ip, ip)) {
		by->nonce = v->path->wished->nonce;
		by->asked_ns = v->path->wished->asked_ns;
	}
	return true;
}

bool path_moved(struct vnet *v, struct env *e, const struct delegation *g, bool now)
{
	struct vnet_path *p = path_state(v, e);
	struct remote *m;

	if (!p)
		return false;
	if (id_eq(g->from, v->self) && now) {	/* ours, given away */
		m = resolver_add(&p->resolver, e, &g->ip);
		return m && resolver_lent(&p->resolver, e, m, g);
	}
	m = resolver_find(&p->resolver, &g->ip);
	if (!m || m->state != REMOTE_FOUND || !id_eq(m->owner, g->from) || fence_cmp(m->fence, g->fence) || !g->at_once)
		return false;
	return !now || resolver_lent(&p->resolver, e, m, g);
}

bool path_talker_at(const struct vnet *v, unsigned i, const struct ip *ip, struct id *peer)
{
	for (unsigned k = 0; v->path && k < TOLD; k++) {
		const struct told *t = &v->path->told[k];

		if (id_eq(t->peer, ID_ZERO) || !ip_eq(&t->ip, ip) || i--)
			continue;
		*peer = t->peer;
		return true;
	}
	return false;
}

/* ---- the rest of a life ---- */

void path_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	struct remote *m = v->path ? resolver_find(&v->path->resolver, ip) : NULL;

	if (ours)
		owner_owned(v, e, ip, true);
	if (m && m->state == REMOTE_FOUND && ours) {
		resolver_doubt(m, e);		/* it was somebody else's */
		v->path->resolver.changes++;
	}
}

void path_start(struct vnet *v, struct env *e)
{
	for (unsigned i = 0;; i++) {
		struct ip ip;

		if (!guest_fixed_at(v, i, &ip))
			break;
		owner_owned(v, e, &ip, true);
	}
}

void path_timer(struct vnet *v, struct env *e)
{
	struct vnet_path *p = v->path;
	struct held_packet *late = NULL, **end = &late, **at = p ? &p->first : NULL;

	if (!p)
		return;
	p->last = NULL;
	while (*at) {
		struct held_packet *h = *at;

		if (h->until_ns <= e->now_ns) {
			struct remote *m = resolver_find(&p->resolver, &h->ip);

			if (m && m->held)
				m->held--;
			*at = h->next;
			h->next = NULL;
			*end = h;
			end = &h->next;
		} else {
			p->last = h;
			at = &h->next;
		}
	}
	if (p->first)
		vnet_due(v, e, PART_PATH, p->first->until_ns);
	while (late) {
		struct held_packet *next = late->next;

		env_drop(e, late->in ? DROP_SPOOFED : DROP_NOBODY);
		if (!late->in)
			edge_nobody(v, e, (struct bytes){ late->data + 1, late->len - 1 });
		held_free(p, e, late);
		late = next;
	}
}

void path_resumed(struct vnet *v, struct env *e)
{
	(void)e;
	if (v->path)
		resolver_stale(&v->path->resolver);
}

void path_leave(struct vnet *v, struct env *e)
{
	owner_leave(v, e);
}

void path_free(struct vnet *v, struct env *e)
{
	struct vnet_path *p = v->path;

	group_free(v, e);
	if (!p)
		return;
	while (p->first) {
		struct held_packet *h = p->first;

		p->first = h->next;
		held_free(p, e, h);
	}
	resolver_done(&p->resolver, e);
	mem_put(&e->mem, p->voucher, p->voucher_cap * sizeof(*p->voucher));
	mem_put(&e->mem, p, sizeof(*p));
	v->path = NULL;
}

uint32_t path_remote_changes(const struct vnet *v)
{
	return v->path ? v->path->resolver.changes : 0;
}

bool path_remote_at(const struct vnet *v, unsigned i, struct look_remote *out)
{
	const struct resolver *s = v->path ? &v->path->resolver : NULL;

	for (unsigned k = 0; s && k < s->count; k++) {
		const struct remote *m = &s->remote[k];

		if (m->state != REMOTE_FOUND || i--)
			continue;
		*out = (struct look_remote){
			.ip = m->ip, .owner = m->owner, .fence = m->fence, .until_ns = m->doubted ? 0 : m->until_ns,
		};
		return true;
	}
	return false;
}

uint32_t path_bytes(const struct vnet *v)
{
	const struct vnet_path *p = v->path;
	uint32_t bytes = group_bytes(v);

	if (p)
		bytes += (uint32_t)(sizeof(*p) + p->held * sizeof(struct held_packet) + p->held_bytes +
				    p->resolver.cap * sizeof(struct remote) + p->voucher_cap * sizeof(*p->voucher));
	return bytes;
}
