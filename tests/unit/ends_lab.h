/*
 * ends_lab.h - a few ends of tunnels, with links, mail and a ring that is its links
 *
 * Whole core/link, core/ring's labels, and a wire of constant delay. Mail reaches
 * whom it is for by itself (in a node the ring carries it); everything else goes
 * over links, each of which a test sets up. What comes out is counted.
 */
#ifndef ENDS_LAB_H
#define ENDS_LAB_H

#include <CUnit/CUnit.h>
#include <sodium.h>
#include <string.h>

#include "core/link/tunnel.h"
#include "core/ring/label.h"
#include "core/ring/parts.h"
#include "tests/unit/party.h"

static const char WATCHWORD[] = "nobody but the two ends may read this";

enum { WATCH = 0x77777777 };

enum { ENDS = 8, OVERLAY = 100, NETWORK = 200, MAILS = 256, DELAY_MS = 20, ROOM = 1 << 21 };

struct flight {
	int64_t at_ms;
	unsigned from, to, order;
	bool mail;
	uint16_t len;
	uint8_t data[1500];
};

struct end {
	struct party p, member;		/* of the overlay; of the network, with the same key and salt */
	struct links *links;
	struct tunnels *tunnels;
	struct ring ring;		/* its peers are its links; nothing is gossiped */
	uint64_t seen_plain;		/* packets in which the lab's watchword stood */
	struct effects fx;
	struct endpoint at;
	unsigned starts;
	/* what came out */
	unsigned got, up, down, failed, chains, directs;
	struct id cert_of;
	uint32_t first[512];		/* the first word of each payload */
	uint16_t len[512];
	struct offload offload;
	struct bytes last;
	uint8_t last_bytes[TUNNEL_PAYLOAD_MAX];
	struct tunnel_want want;
	uint64_t mails, datas;
};

struct lab {
	struct end end[ENDS];
	struct flight *flight;
	unsigned flights, order, ends;
	int64_t now_ms;
	bool (*lose)(struct lab *s, const struct flight *f);
	unsigned lost, lose_at;
	uint8_t network[SIGN_BYTES];
};

/* A name for the network of a key; what names it is not the tunnels' business */
static inline struct id network_of(const uint8_t secret[SIGN_BYTES])
{
	struct reader r = reader_of(secret + KEY_BYTES, ID_BYTES);

	return read_id(&r);
}

static inline void peer_changed(struct end *n, const struct news *news)
{
	struct ring *r = &n->ring;
	struct env *e = &n->p.env;
	bool up = news->kind == NEWS_UP;

	if (up && news->link.slot >= r->peers)
		CU_ASSERT_TRUE_FATAL(mem_grow(&e->mem, &r->peer, &r->peers, (uint16_t)(news->link.slot + 1),
					      sizeof(*r->peer)));
	r->peer[news->link.slot] = (struct ring_peer){ .id = news->id, .up = up, .member = up };
	if (!up)
		label_link_gone(r, e, news->link);
	tunnels_link(e, n->tunnels, news->id, up);
}

static inline void collect(struct lab *s, unsigned i)
{
	struct end *n = &s->end[i];
	struct tunnel_news t;
	struct tunnel_mail m;
	struct tunnel_want want;
	struct label_news label;
	struct news news;
	bool more = true;

	while (more) {
		more = false;
		while (links_next(n->links, &news)) {
			more = true;
			if (news.kind == NEWS_DATA && !tunnels_data(&n->p.env, n->tunnels, &news))
				label_data(&n->ring, &n->p.env, &news);
			if (news.kind == NEWS_MESSAGE && news.message >= MESSAGE_LABEL &&
			    news.message <= MESSAGE_LABEL_GONE)
				label_message(&n->ring, &n->p.env, &news);
			if (news.kind == NEWS_UP || news.kind == NEWS_DOWN)
				peer_changed(n, &news);
			if (news.kind == NEWS_SUSPECT) {
				n->ring.peer[news.link.slot].doubted = 1;
				label_link_silent(&n->ring, &n->p.env, news.link);
			}
			if (news.kind == NEWS_ALIVE)
				n->ring.peer[news.link.slot].doubted = 0;
		}
		while (tunnels_next(n->tunnels, &t)) {
			more = true;
			n->up += t.word == TUNNEL_UP;
			n->down += t.word == TUNNEL_DOWN;
			n->failed += t.word == TUNNEL_FAILED;
			if (t.word == TUNNEL_UP) {
				struct reader r = reader_of(t.cert.at, t.cert.len);
				struct cert c;

				CU_ASSERT_EQUAL(cert_decode(&r, &c), FAULT_NONE);
				n->cert_of = cert_id(c.key, c.salt);
				CU_ASSERT_TRUE(id_eq(n->cert_of, t.peer));
			}
			if (t.word == TUNNEL_PAYLOAD && n->got < 512) {
				struct reader r = reader_of(t.payload.at, t.payload.len);

				n->first[n->got] = read_u32(&r);
				n->len[n->got++] = (uint16_t)t.payload.len;
				n->offload = t.offload;
				memcpy(n->last_bytes, t.payload.at, t.payload.len);
				n->last = (struct bytes){ n->last_bytes, t.payload.len };
			}
		}
	}
	while (tunnels_next_want(n->tunnels, &want)) {
		n->want = want;
		n->chains += !want.direct;
		n->directs += want.direct;
		if (!want.direct && n->ring.peers)
			label_want(&n->ring, &n->p.env, want.who.id, want.index, want.anew);
		while (label_next(&n->ring, &label))
			tunnels_chain(&n->p.env, n->tunnels, label.peer, label.index, label.first, label.label, label.mtu);
	}
	while (label_next(&n->ring, &label))
		tunnels_chain(&n->p.env, n->tunnels, label.peer, label.index, label.first, label.label, label.mtu);
	while (tunnels_next_mail(n->tunnels, &m)) {
		struct flight f = { s->now_ms + DELAY_MS, i, ENDS, s->order++, true, (uint16_t)m.data.len, { 0 } };

		CU_ASSERT_TRUE_FATAL(m.data.len <= TUNNEL_MAIL_MAX && s->flights < MAILS);
		memcpy(f.data, m.data.at, m.data.len);
		for (unsigned k = 0; k < s->ends; k++)
			if (id_eq(s->end[k].p.self.id, m.to))
				f.to = k;
		n->mails++;
		if (f.to < ENDS && !(s->lose && s->lose(s, &f)))
			s->flight[s->flights++] = f;
	}
	for (unsigned k = 0; k < n->fx.sends; k++) {
		const struct datagram *d = &n->fx.send[k];
		struct flight f = { s->now_ms + DELAY_MS, i, ENDS, s->order++, false, d->len, { 0 } };

		CU_ASSERT_TRUE_FATAL(d->len <= sizeof(f.data) && s->flights < MAILS);
		memcpy(f.data, d->data, d->len);
		n->seen_plain += memmem(d->data, d->len, WATCHWORD, sizeof(WATCHWORD) - 1) != NULL;
		n->datas += d->kind == MESSAGE_DATA;
		for (unsigned j = 0; j < s->ends; j++)
			if (endpoint_eq(&s->end[j].at, &d->to))
				f.to = j;
		if (f.to < ENDS && !(s->lose && s->lose(s, &f)))
			s->flight[s->flights++] = f;
	}
	n->fx.sends = n->fx.records = 0;
	n->fx.used = 0;
}

static inline struct env *begin(struct lab *s, unsigned i)
{
	s->end[i].p.env.now_ns = s->now_ms * NS_PER_MS;
	return &s->end[i].p.env;
}

static inline void start(struct lab *s, unsigned i)
{
	struct end *n = &s->end[i];
	struct env *e = begin(s, i);

	e->birth_ns = e->now_ns;
	e->incarnation = ++n->starts;
	heap_init(&e->timers, e->birth_ns);
	n->links = links_new(e, &n->p.self);
	n->tunnels = tunnels_new(e, n->links, &n->p.self);
	ring_init(&n->ring, n->links, n->p.self.id);
	links_address(e, n->links, &n->at, true);
	tunnels_network(e, n->tunnels, 0, network_of(s->network), s->network + KEY_BYTES, &n->member.self);
}

static inline void stop(struct lab *s, unsigned i)
{
	struct end *n = &s->end[i];
	struct env *e = begin(s, i);

	tunnels_free(e, n->tunnels);
	ring_done(&n->ring, e);
	links_free(e, n->links);
	heap_done(&e->timers, &e->mem);
	CU_ASSERT_EQUAL(e->mem.used, 0);
	n->fx.sends = n->fx.records = 0;
	n->fx.used = 0;
}

/** lab_new() - @ends of them, all in one quarter of the ring, the last one on the other side of it if @far */
static inline struct lab *lab_new(unsigned ends, bool far)
{
	struct lab *s = calloc(1, sizeof(*s));
	unsigned name = 0;

	s->flight = calloc(MAILS, sizeof(*s->flight));
	s->now_ms = 1000;
	s->ends = ends;
	party_key(&suite_sodium, NETWORK, s->network);
	for (unsigned i = 0; i < s->ends; i++) {
		struct end *n = &s->end[i];

		do {
			CU_ASSERT_EQUAL_FATAL(party_init(&n->p, &suite_sodium, ++name, OVERLAY), FAULT_NONE);
		} while (n->p.self.id.hi >> 62 != (far && i + 1 == s->ends ? 2 : 0));
		CU_ASSERT_EQUAL_FATAL(party_init(&n->member, &suite_sodium, name, NETWORK), FAULT_NONE);
		CU_ASSERT_TRUE(id_eq(n->p.self.id, n->member.self.id));
		memcpy(n->member.config.overlay, n->p.config.overlay, KEY_BYTES);
		config_default(&n->p.config);
		memcpy(n->p.config.overlay, n->member.config.overlay, KEY_BYTES);
		n->p.env.config = &n->p.config;
		n->fx = (struct effects){
			.send = calloc(1024, sizeof(struct datagram)), .max_sends = 1024,
			.record = calloc(256, sizeof(struct record)), .max_records = 256,
			.bytes = malloc(ROOM), .max_bytes = ROOM,
		};
		n->p.env.fx = &n->fx;
		n->at = endpoint_v4(0x0a000001u + i, 4000);
		start(s, i);
	}
	return s;
}

static inline void lab_free(struct lab *s)
{
	for (unsigned i = 0; i < s->ends; i++) {
		stop(s, i);
		free(s->end[i].fx.send);
		free(s->end[i].fx.record);
		free(s->end[i].fx.bytes);
	}
	free(s->flight);
	free(s);
}

static inline void arrive(struct lab *s, const struct flight *f)
{
	struct end *n = &s->end[f->to];
	struct env *e = begin(s, f->to);

	if (f->mail)
		tunnels_mail(e, n->tunnels, s->end[f->from].p.self.id, NULL, (struct bytes){ f->data, f->len });
	else
		links_datagram(e, n->links, &(struct event){ .kind = EVENT_DATAGRAM, .from = s->end[f->from].at,
							     .data = { f->data, f->len } });
	collect(s, f->to);
}

static inline void run(struct lab *s, int64_t for_ms)
{
	int64_t until = s->now_ms + for_ms;

	while (s->now_ms <= until) {
		unsigned best = MAILS;
		int64_t at = until + 1;

		for (unsigned i = 0; i < s->flights; i++)
			if (s->flight[i].at_ms < at ||
			    (best < MAILS && s->flight[i].at_ms == at && s->flight[i].order < s->flight[best].order)) {
				best = i;
				at = s->flight[i].at_ms;
			}
		for (unsigned i = 0; i < s->ends; i++) {
			int64_t due = heap_next(&s->end[i].p.env.timers);

			if (due != INT64_MAX && (due + NS_PER_MS - 1) / NS_PER_MS < at) {
				at = (due + NS_PER_MS - 1) / NS_PER_MS;
				best = MAILS + i;
			}
		}
		if (at > until)
			break;
		if (at > s->now_ms)
			s->now_ms = at;
		if (best >= MAILS) {
			struct end *n = &s->end[best - MAILS];
			struct env *e = begin(s, best - MAILS);
			uint16_t tag;

			while (heap_pop(&e->timers, e->now_ns, &tag)) {
				if (tag >= TIMER_LINK)
					links_timer(e, n->links, tag);
				else if (tag == TIMER_TUNNEL)
					tunnels_timer(e, n->tunnels, tag);
				else if (tag == RING_LABEL)
					label_timer(&n->ring, e);
				collect(s, best - MAILS);
			}
		} else {
			struct flight f = s->flight[best];

			s->flight[best] = s->flight[--s->flights];
			arrive(s, &f);
		}
	}
	s->now_ms = until;
}

static inline enum drop send(struct lab *s, unsigned from, unsigned to, uint32_t word, size_t len, const struct offload *o)
{
	static uint8_t buf[TUNNEL_PAYLOAD_MAX + 1];
	struct writer w = writer_of(buf, 4);
	enum drop why;

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(i * 7 + word);
	if (word == WATCH)
		for (size_t i = 4; i + sizeof(WATCHWORD) < len; i += sizeof(WATCHWORD) - 1)
			memcpy(buf + i, WATCHWORD, sizeof(WATCHWORD) - 1);
	write_u32(&w, word);
	why = tunnels_send(begin(s, from), s->end[from].tunnels, 0, s->end[to].p.self.id, (struct bytes){ buf, len }, o);
	collect(s, from);
	return why;
}

static inline void link_up(struct lab *s, unsigned a, unsigned b)
{
	struct contact c = { .ats = 1, .at = { s->end[b].at } };

	links_call(begin(s, a), s->end[a].links, &c);
	collect(s, a);
	run(s, 500);
	CU_ASSERT_TRUE(links_up(s->end[a].links, links_find(s->end[a].links, s->end[b].p.self.id)));
}

static inline bool view(struct lab *s, unsigned i, struct tunnel_view *v)
{
	for (unsigned k = 0; k < TUNNELS_MAX; k++)
		if (tunnel_at(s->end[i].tunnels, k, v))
			return true;
	return false;
}

#endif /* ENDS_LAB_H */
