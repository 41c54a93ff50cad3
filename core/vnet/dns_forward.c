#include "core/vnet/dns_forward.h"

/* Who can be asked in @from's stead: of its family, in the network, and not behind this tap. */
static const struct ip *server_for(struct vnet *v, struct env *e, const struct dns_asker *from)
{
	if (!edge_serves(v, e, &from->ip, NULL))
		return NULL;
	for (unsigned i = 0; i < v->record->dnss; i++) {
		const struct ip *s = &v->record->dns[i];

		if (s->family == from->ip.family && vnet_in(v, s) && !vnet_gateway(v, s) && !guest_find(v, s))
			return s;
	}
	return NULL;
}

static struct dns_asked *room(struct dns_forwards *f, struct env *e)
{
	uint16_t more = f->cap ? (uint16_t)(f->cap * 2) : 2;

	if (f->count == FORWARDS_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (f->count == f->cap && !mem_grow(&e->mem, &f->asked, &f->cap, more, sizeof(*f->asked))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	return &f->asked[f->count];
}

static bool under_way(const struct dns_forwards *f, const struct dns_asker *from, const struct dns_query *q)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->asked[i].q.id == q->id && f->asked[i].from.port == from->port &&
		    ip_eq(&f->asked[i].from.ip, &from->ip))
			return true;
	return false;
}

bool forward_ask(struct dns_forwards *f, struct vnet *v, struct env *e, const struct dns_asker *from,
		 const struct dns_query *q)
{
	const struct ip *server = server_for(v, e, from);
	uint8_t buf[IP6_HEADER + UDP_HEADER + DNS_PLAIN_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dns_asked *a;
	struct packet p;
	struct build b;

	if (!server)
		return false;
	if (under_way(f, from, q))
		return true;			/* said again: the answer is on its way, or the next one asks anew */
	a = room(f, e);
	if (!a)
		return false;
	*a = (struct dns_asked){ .until_ns = e->now_ns + FORWARD_S * NS_PER_S, .server = *server, .from = *from, .q = *q };
	a->id = (uint16_t)random_below(&e->random, 65536);
	a->port = (uint16_t)(49152 + random_below(&e->random, 16384));
	f->count++;
	vnet_due(v, e, PART_DNS, a->until_ns);
	b = build_udp(&w, &from->ip, server, a->port, DNS_PORT);
	dns_query_write(&w, q, a->id);
	build_done(&w, &b);
	if (!w.bad && packet_read_ip(&p, (struct bytes){ buf, writer_len(&w) }, NULL) == DROP_NONE)
		path_send(v, e, &p);
	return true;
}

/* The same question, whatever its case (RFC 5452 9.1). */
static bool same_question(struct bytes m, const struct dns_query *q)
{
	struct dns_name n;
	struct reader r;
	size_t at = DNS_HEADER;
	unsigned below;

	if (m.len < DNS_HEADER || !(m.at[2] & 0x80) || !dns_name_read(m, &at, &n))
		return false;
	r = reader_of(m.at + at, m.len - at);
	return dns_name_in(&n, &q->name, &below) && !below && read_u16(&r) == q->type && read_u16(&r) == q->class &&
	       reader_ok(&r);
}

static void forget(struct dns_forwards *f, unsigned i)
{
	f->count--;
	memmove(&f->asked[i], &f->asked[i + 1], (f->count - i) * sizeof(*f->asked));
}

bool forward_answer(struct dns_forwards *f, const struct packet *p, struct dns_asker *to, uint8_t out[FORWARD_BYTES],
		    struct bytes *message)
{
	if (p->proto != PROTO_UDP || p->sport != DNS_PORT || !p->l4.len || p->more || p->data.len > FORWARD_BYTES)
		return false;
	for (unsigned i = 0; i < f->count; i++) {
		const struct dns_asked *a = &f->asked[i];

		if (a->port != p->dport || !ip_eq(&a->server, &p->src) || !ip_eq(&a->from.ip, &p->dst) ||
		    !same_question(p->data, &a->q) || a->id != (p->data.at[0] << 8 | p->data.at[1]))
			continue;
		memcpy(out, p->data.at, p->data.len);
		out[0] = (uint8_t)(a->q.id >> 8);
		out[1] = (uint8_t)a->q.id;
		*to = a->from;
		*message = (struct bytes){ out, p->data.len };
		forget(f, i);
		return true;
	}
	return false;
}

int64_t forward_timer(struct dns_forwards *f, struct env *e)
{
	while (f->count && f->asked[0].until_ns <= e->now_ns) {		/* the oldest stands first */
		env_drop(e, DROP_SILENT);
		forget(f, 0);
	}
	if (!f->count)
		forward_free(f, e);
	return f->count ? f->asked[0].until_ns : INT64_MAX;
}

void forward_free(struct dns_forwards *f, struct env *e)
{
	mem_grow(&e->mem, &f->asked, &f->cap, 0, sizeof(*f->asked));
	f->count = 0;
}
