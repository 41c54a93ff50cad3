/*
 * What may follow what is said by how Linux and network cards cut large frames
 * (virtio 1.2, 5.1.6.2.1): all headers are the same but for IPv4's identification
 * (one more each time; of no meaning where DF is set, RFC 6864), TCP's sequence
 * number (RFC 9293, 3.4), lengths, sums, and PSH, which only the last one has.
 * Pure acknowledgements, SYN, FIN, RST, URG and ECN's flags travel alone. Core
 * vouches for lengths and sums of what it wants written, so neither is looked at
 * again; the sum of the whole is left to whoever cuts it or needs it.
 */
#include "node/train.h"

#include <stddef.h>
#include <string.h>

#include "core/vnet/packet.h"

enum { TCP_PSH = 8, TCP_ACK = 16, TCP_SUM = 16, UDP_SUM = 6, IP_DF = 0x40 };

static int get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint32_t seq_of(const uint8_t *tcp)
{
	return (uint32_t)get16(tcp + 4) << 16 | (uint32_t)get16(tcp + 6);
}

/* @f alone: is it one that others may join? Then its headers are told. */
static void train_of(struct train *t, const struct frame *f, const struct yard *y)
{
	const uint8_t *ip = f->data + ETH_HEADER, *l4;
	uint8_t family, proto;
	size_t len;

	t->car[0] = f;
	t->cars = 1;
	t->seq = 0;
	t->data = 0;
	t->segment = t->l4 = t->headers = 0;
	t->family = t->proto = 0;
	t->whole = false;
	if (f->len < ETH_HEADER + IP4_HEADER + UDP_HEADER || f->offload.segment)
		return;
	if (get16(f->data + 12) == TYPE_IP4 && ip[0] == 0x45 && !(get16(ip + 6) & 0x3fff) &&
	    get16(ip + 2) == f->len - ETH_HEADER) {
		family = 4;
		t->l4 = ETH_HEADER + IP4_HEADER;
		proto = ip[9];
	} else if (get16(f->data + 12) == TYPE_IP6 && f->len >= ETH_HEADER + IP6_HEADER + UDP_HEADER &&
		   get16(ip + 4) == f->len - ETH_HEADER - IP6_HEADER) {
		family = 6;
		t->l4 = ETH_HEADER + IP6_HEADER;
		proto = ip[6];
	} else {
		return;
	}
	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return;
	t->family = family;
	t->proto = proto;
	l4 = f->data + t->l4;
	if (t->proto == PROTO_TCP && y->tcp && f->len >= t->l4 + TCP_HEADER) {
		len = t->l4 + (size_t)(l4[12] >> 4) * 4;
		if (len < (size_t)t->l4 + TCP_HEADER || (l4[13] & ~TCP_PSH) != TCP_ACK)
			return;
	} else if (t->proto == PROTO_UDP && y->udp && get16(l4 + 4) == f->len - t->l4 &&
		   (f->offload.partial || get16(l4 + UDP_SUM))) {
		len = (size_t)t->l4 + UDP_HEADER;
	} else {
		return;
	}
	if (len >= f->len)
		return;
	t->headers = (uint16_t)len;
	t->data = t->segment = (uint16_t)(f->len - len);
	t->whole = t->proto == PROTO_TCP && l4[13] & TCP_PSH;
	t->seq = t->proto == PROTO_TCP ? seq_of(l4) + t->segment : 0;
}

/* Addresses and ports are where they are in the other's. What is neither TCP nor UDP, or in fragments, is one flow: its order counts. */
static bool same_flow(const struct train *a, const struct train *b)
{
	const uint8_t *p = a->car[0]->data, *q = b->car[0]->data;
	size_t from = a->family == 4 ? ETH_HEADER + 12 : ETH_HEADER + 8;

	return a->family == b->family && a->proto == b->proto && (!a->family || !memcmp(p + from, q + from, a->l4 + 4 - from));
}

/* @b is one frame of the flow of @a. */
static bool joins(const struct train *a, const struct train *b)
{
	const uint8_t *p = a->car[0]->data, *q = b->car[0]->data;
	const uint8_t *ip = p + ETH_HEADER, *iq = q + ETH_HEADER;

	if (!a->headers || a->headers != b->headers || a->whole || a->cars == TRAIN_CARS || b->data > a->segment ||
	    a->headers - ETH_HEADER + a->data + b->data > TRAIN_BYTES || memcmp(p, q, ETH_HEADER))
		return false;
	if (a->family == 4) {
		if (get16(ip) != get16(iq) || get16(ip + 6) != get16(iq + 6) || ip[8] != iq[8] ||
		    (!(ip[6] & IP_DF) && (uint16_t)(get16(ip + 4) + (int)a->cars) != get16(iq + 4)))
			return false;
	} else if (memcmp(ip, iq, 4) || ip[7] != iq[7]) {
		return false;
	}
	if (a->proto == PROTO_UDP)
		return true;
	p += a->l4;
	q += a->l4;
	return a->seq == seq_of(q) && !memcmp(p + 8, q + 8, 5) && !memcmp(p + 14, q + 14, 2) &&
	       !memcmp(p + 18, q + 18, (size_t)(a->headers - a->l4) - 18);
}

static void join(struct train *a, const struct train *b)
{
	a->car[a->cars++] = b->car[0];
	a->data += b->data;
	a->seq += (uint32_t)b->data;
	a->whole = b->whole || b->data < a->segment;
}

static void copy(struct train *to, const struct train *from)
{
	memcpy(to, from, offsetof(struct train, car) + from->cars * sizeof(*from->car));
}

bool yard_put(struct yard *y, const struct frame *f, struct train *out)
{
	struct train t, *a = y->train, *end = y->train + y->trains;

	train_of(&t, f, y);
	while (a < end && !same_flow(a, &t))
		a++;
	if (a < end && joins(a, &t)) {
		join(a, &t);
		return false;
	}
	if (a == end && y->trains < TRAINS) {
		y->trains++;
		copy(a, &t);
		return false;
	}
	if (a == end)
		a = &y->train[y->next++ % TRAINS];
	copy(out, a);
	copy(a, &t);
	return true;
}

bool yard_rest(struct yard *y, struct train *out)
{
	if (!y->trains)
		return false;
	copy(out, &y->train[--y->trains]);
	return true;
}

unsigned train_frame(const struct train *t, uint8_t head[TRAIN_HEAD], struct offload *o, struct iovec iov[TRAIN_IOV])
{
	const struct frame *first = t->car[0], *last = t->car[t->cars - 1];
	uint8_t *ip = head + ETH_HEADER, *l4 = head + t->l4;
	size_t whole = t->headers + t->data, field = t->proto == PROTO_TCP ? TCP_SUM : UDP_SUM;
	unsigned a = t->family == 4 ? 4 : 16;
	struct ip src, dst;

	if (t->cars == 1) {
		iov[0] = (struct iovec){ (void *)first->data, first->len };
		*o = first->offload;
		return 1;
	}
	memcpy(head, first->data, t->headers);
	if (t->family == 4) {
		put16(ip + 2, whole - ETH_HEADER);
		put16(ip + 10, 0);
		put16(ip + 10, sum_done(sum_add(0, ip, IP4_HEADER)));
	} else {
		put16(ip + 4, whole - ETH_HEADER - IP6_HEADER);
	}
	if (t->proto == PROTO_TCP)
		l4[13] |= last->data[t->l4 + 13] & TCP_PSH;
	else
		put16(l4 + 4, whole - t->l4);
	src = ip_of_bytes(t->family, head + t->l4 - 2 * a);
	dst = ip_of_bytes(t->family, head + t->l4 - a);
	put16(l4 + field, (uint16_t)~sum_done(sum_pseudo(&src, &dst, t->proto, whole - t->l4)));
	*o = (struct offload){ t->segment, t->l4, (uint16_t)field, 1 };
	iov[0] = (struct iovec){ head, t->headers };
	for (unsigned i = 0; i < t->cars; i++)
		iov[1 + i] = (struct iovec){ (void *)(t->car[i]->data + t->headers), t->car[i]->len - (size_t)t->headers };
	return 1 + t->cars;
}
