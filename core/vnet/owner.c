/*
 * Addresses that certificates own. They have no lease and no slot; their owner
 * publishes under a name that the address gives that it is there, with the serial
 * of its certificate, and proves it by the certificate itself, which every tunnel
 * shows. Of several who say so the highest serial is tried first; who has shown a
 * certificate without that address is passed over, and before one has shown any,
 * packets for it wait.
 */
#include <string.h>

#include "core/vnet/path.h"

enum { NAME_BYTES = 1 + 32 };

/* "=" and the address in hexadecimal: no host name looks like this */
static struct bytes name_of(const struct ip *ip, uint8_t out[NAME_BYTES])
{
	static const char DIGITS[] = "0123456789abcdef";
	unsigned len = ip->family == 4 ? 4 : 16;

	out[0] = '=';
	for (unsigned i = 0; i < len; i++) {
		out[1 + 2 * i] = (uint8_t)DIGITS[ip->at[i] >> 4];
		out[2 + 2 * i] = (uint8_t)DIGITS[ip->at[i] & 15];
	}
	return (struct bytes){ out, 1 + 2 * len };
}

static struct voucher *voucher_of(const struct vnet *v, struct id peer)
{
	const struct vnet_path *p = v->path;

	for (unsigned i = 0; p && i < p->vouchers; i++)
		if (id_eq(p->voucher[i].peer, peer))
			return &p->voucher[i];
	return NULL;
}

static bool gives(const struct voucher *w, const struct ip *ip)
{
	for (unsigned i = 0; i < w->prefixes; i++)
		if (ip_in(ip, &w->prefix[i]))
			return true;
	return false;
}

bool owner_may(const struct vnet *v, struct id peer, const struct ip *ip)
{
	const struct voucher *w = voucher_of(v, peer);

	if (!w || !gives(w, ip))
		return false;
	for (unsigned i = 0; i < v->path->vouchers; i++)	/* of two certificates the higher serial wins */
		if (v->path->voucher[i].serial > w->serial && gives(&v->path->voucher[i], ip))
			return false;
	return true;
}

static struct voucher *voucher_add(struct vnet *v, struct env *e, struct id peer)
{
	struct vnet_path *p = v->path;
	struct voucher *w = voucher_of(v, peer), *old = NULL;
	uint32_t now = env_ms(e);

	if (w)
		return w;
	if (p->vouchers < p->voucher_cap ||
	    (p->vouchers < VOUCHERS &&
	     mem_grow(&e->mem, &p->voucher, &p->voucher_cap, (uint16_t)(p->voucher_cap + 8), sizeof(*w))))
		return &p->voucher[p->vouchers++];
	for (unsigned i = 0; i < p->vouchers; i++)
		if (!old || now - p->voucher[i].used_ms > now - old->used_ms)
			old = &p->voucher[i];
	return old;
}

/* ---- asking ---- */

bool owner_ask(struct vnet *v, struct env *e, struct remote *m, uint64_t rest, int64_t timeout_ns)
{
	uint8_t text[NAME_BYTES];
	struct bytes name = name_of(&m->ip, text);
	struct op op = { .kind = OP_GET, .type = VALUE_TOKEN, .slot = slot_of_text(v->id, name), .name = name };

	if (dht_ask(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_PATH, rest), &op, timeout_ns))
		return true;
	m->asking = 0;
	return false;
}

/* The one among @d's writers to believe, or to look at the certificate of. */
static const struct value *candidate(const struct vnet *v, const struct dht_done *d, const struct ip *ip)
{
	const struct value *best = NULL;
	uint64_t most = 0;

	for (unsigned i = 0; i < d->values; i++) {
		const struct value *x = &d->value[i];
		struct reader r = reader_of(x->data.at, x->data.len);
		uint64_t serial = read_u64(&r);
		const struct voucher *w = voucher_of(v, x->writer);

		if (x->type != VALUE_TOKEN || !reader_ok(&r) || id_eq(x->writer, v->self) || (w && !gives(w, ip)))
			continue;
		if (!best || serial > most) {
			best = x;
			most = serial;
		}
	}
	return best;
}

void owner_done(struct vnet *v, struct env *e, const struct dht_done *d)
{
	static const uint8_t HELLO[] = { PAYLOAD_PATH };
	struct resolver *s = &v->path->resolver;
	uint64_t rest = COOKIE_REST(d->cookie);
	unsigned place = rest & 0xffff;
	const struct value *x;
	struct remote *m;

	if (place >= s->count)
		return;
	m = &s->remote[place];
	x = d->verdict == VERDICT_OK ? candidate(v, d, &m->ip) : NULL;
	if (x && !voucher_of(v, x->writer) && m->asking && m->question == rest >> 16) {
		/* who is it? its certificate comes with the tunnel, and the question is asked again then */
		if (tunnels_send(e, v->ports.tunnels, v->index, x->writer, (struct bytes){ HELLO, 1 }, NULL) == DROP_NONE)
			return;
		x = NULL;
	}
	path_answered(v, e, m, resolver_owner(s, e, rest, x ? &x->writer : NULL,
					      d->asked_ns + (x ? (int64_t)x->left_ms * NS_PER_MS : 0), &m), true);
}

void owner_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct reader r = reader_of(n->cert.at, n->cert.len);
	struct resolver *s = &v->path->resolver;
	struct voucher *w;
	struct prefix at;
	struct cert c;
	size_t i = 0;

	if (!v->record->reserveds || (n->word != TUNNEL_UP && n->word != TUNNEL_FAILED))
		return;
	if (n->word == TUNNEL_UP && cert_decode(&r, &c) == FAULT_NONE) {
		w = voucher_add(v, e, n->peer);
		if (!w) {
			env_drop(e, DROP_MEMORY);
			return;
		}
		*w = (struct voucher){ .peer = n->peer, .serial = c.serial, .used_ms = env_ms(e) };
		while (w->prefixes < VOUCHER_PREFIXES && cert_prefix(&c, &i, &at))
			w->prefix[w->prefixes++] = (struct ip_range){ ip_of_bytes(at.family, at.addr), at.bits };
	}
	for (unsigned k = 0; k < s->count; k++) {	/* what waited for somebody's certificate */
		struct remote *m = &s->remote[k];

		if (m->asking && network_reserved(v->record, &m->ip)) {
			uint64_t rest = resolver_asked(s, m, e, OP_GET);

			if (n->word == TUNNEL_FAILED || !owner_ask(v, e, m, rest, 3 * NS_PER_S))
				path_answered(v, e, m, resolver_owner(s, e, rest, NULL, 0, &m), true);
		}
	}
}

/* ---- our own ---- */

void owner_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	struct reader r = reader_of(v->net->identity->chain, v->net->identity->chain_len);
	uint8_t text[NAME_BYTES], serial[8];
	struct bytes name = name_of(ip, text);
	struct writer w = writer_of(serial, sizeof(serial));
	struct cert c;

	if (!guest_fixed(v, ip) || cert_decode(&r, &c) != FAULT_NONE)
		return;
	write_u64(&w, c.serial);
	if (!ours)
		name_withdraw(v->ports.dht, e, vnet_user(v), v->id, name, VALUE_TOKEN);
	else if (!name_publish(v->ports.dht, e, vnet_user(v), v->id, name, VALUE_TOKEN,
			       (struct bytes){ serial, 8 }, 0, false))
		env_drop(e, DROP_FULL);
}

void owner_leave(struct vnet *v, struct env *e)
{
	struct ip ip;

	for (unsigned i = 0; guest_fixed_at(v, i, &ip); i++)
		owner_owned(v, e, &ip, false);
}
