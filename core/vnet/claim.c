/*
 * What nodes tell each other of addresses, and what they make of it. All of it
 * is hints (payload.h): the most that a word does is that the slot is asked.
 *
 * OWN goes ahead of the first packet to each peer, and NOT_HERE back to whom we
 * do not serve what it sends for, with the packet if it is small (RETURNED). EXPECT goes by mail, with the first INIT of a
 * tunnel, so that the peer's question about our guest's address runs beside the
 * handshake and not after it.
 */
#include <string.h>

#include "core/ring/message.h"
#include "core/vnet/path.h"

#define TELL_NS		(60 * NS_PER_S)		/* OWN is told again after this */

enum { NOT_HERE_PER_S = 20, EXPECTS_PER_S = 20 };

static void expect(struct vnet *v, struct env *e, const struct ip *src, struct id peer)
{
	uint8_t buf[RING_MAIL_MAX];
	struct writer w = ring_open(buf, sizeof(buf), peer, ROUTE_EXACT, BODY_EXPECT);

	write_id(&w, v->id);
	write_ip(&w, src);
	ring_send(v->ports.ring, e, &w, NULL);
}

void claim_tell(struct vnet *v, struct env *e, const struct ip *src, struct id peer)
{
	struct told *t = &v->path->told[(src->at[3] ^ src->at[15] ^ peer.lo) % TOLD];
	struct address_word a = { .ip = *src };
	uint8_t buf[PAYLOAD_ADDRESS_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!edge_serves(v, e, src, &a.fence))
		return;
	if (id_eq(t->peer, peer) && ip_eq(&t->ip, src) && !fence_cmp(t->fence, a.fence) &&
	    e->now_ns - t->at_ns < TELL_NS)
		return;
	*t = (struct told){ .peer = peer, .ip = *src, .fence = a.fence, .at_ns = e->now_ns };
	if (!tunnels_know(v->ports.tunnels, v->index, peer) && !network_reserved(v->record, src))
		expect(v, e, src, peer);
	if (migrate_tell(v, e, peer, src))
		return;
	address_word_write(&w, PAYLOAD_OWN, &a);
	tunnels_send(e, v->ports.tunnels, v->index, peer, (struct bytes){ buf, writer_len(&w) }, NULL);
}

/* The packet itself says what it is about. */
static void send_back(struct vnet *v, struct env *e, struct id peer, struct bytes ip)
{
	uint8_t buf[1 + RETURN_MAX];

	buf[0] = PAYLOAD_RETURNED;
	memcpy(buf + 1, ip.at, ip.len);
	tunnels_send(e, v->ports.tunnels, v->index, peer, (struct bytes){ buf, 1 + ip.len }, NULL);
}

void path_not_here(struct vnet *v, struct env *e, struct id peer, const struct ip *ip, struct bytes back)
{
	struct vnet_path *p = path_state(v, e);
	struct remote *m = p ? resolver_find(&p->resolver, ip) : NULL;
	struct address_word a = { .ip = *ip };
	uint8_t buf[PAYLOAD_ADDRESS_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!p)
		return;
	if (!bucket_take(&p->not_here, e, NOT_HERE_PER_S, NOT_HERE_PER_S)) {
		env_drop(e, DROP_RATE);
		return;
	}
	if (back.len && back.len <= RETURN_MAX) {
		send_back(v, e, peer, back);
		return;
	}
	if (m) {
		a.fence = m->seen;
		a.has_owner = m->state == REMOTE_FOUND;
		a.owner = m->owner;
	}
	address_word_write(&w, PAYLOAD_NOT_HERE, &a);
	tunnels_send(e, v->ports.tunnels, v->index, peer, (struct bytes){ buf, writer_len(&w) }, NULL);
}

void claim_in(struct vnet *v, struct env *e, struct id peer, uint8_t kind, struct reader *r)
{
	struct vnet_path *p = path_state(v, e);
	struct address_word a;
	struct remote *m;

	if (!address_word_read(r, &a) || !vnet_in(v, &a.ip)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	m = p ? resolver_find(&p->resolver, &a.ip) : NULL;
	if (!m || m->state != REMOTE_FOUND)
		return;				/* nothing that could be wrong */
	if (kind == PAYLOAD_NOT_HERE) {
		if (id_eq(m->owner, peer) && path_doubt(v, e, m) && !m->asking)
			path_ask(v, e, m, OP_GET);
	} else if (!id_eq(m->owner, peer)) {
		if (fence_cmp(a.fence, m->seen) <= 0)
			env_drop(e, DROP_STALE);	/* it was once, and is told so by whoever asks the slot */
		else if (path_doubt(v, e, m) && !m->asking)
			path_ask(v, e, m, OP_GET);
	}
}

void path_expect(struct vnet *v, struct env *e, struct reader *r)
{
	struct vnet_path *p = path_state(v, e);
	struct ip ip = read_ip(r);
	struct remote *m;

	if (!reader_done(r) || !vnet_in(v, &ip))
		env_drop(e, DROP_VALUE);
	else if (p && !bucket_take(&p->expects, e, EXPECTS_PER_S, EXPECTS_PER_S))
		env_drop(e, DROP_RATE);
	else if (p && !network_reserved(v->record, &ip))
		path_consult(v, e, &ip, &m);
}
