/*
 * vnet_faked.h - the functions that core/vnet's edge calls, over the script of vnet_fakes.h
 *
 * For one .c file of a program that does not link the real ones.
 */
#ifndef VNET_FAKED_H
#define VNET_FAKED_H

#include "core/vnet/epoch.h"
#include "tests/unit/vnet_fakes.h"

static struct fakes fake;

static inline bool fake_has(const struct ip *list, unsigned n, const struct ip *ip)
{
	for (unsigned i = 0; i < n; i++)
		if (ip_eq(&list[i], ip))
			return true;
	return false;
}

bool dht_network(struct dht *d, struct env *e, struct bytes blob, struct bytes chain)
{
	(void)d, (void)chain;
	return network_read(e->suite, blob, &fake.record) == DROP_NONE;
}

const struct network_record *dht_record(const struct dht *d, struct id network)
{
	(void)d;
	return id_eq(fake.record.id, network) ? &fake.record : NULL;
}

bool held_want(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, uint32_t term_s, bool keep)
{
	(void)d, (void)e, (void)user, (void)network, (void)term_s, (void)keep;
	if (fake.no_room)
		return false;
	fake.want[fake.wants % FAKES_MAX].ip = *ip;
	fake.want[fake.wants % FAKES_MAX].cookie = cookie;
	fake.want[fake.wants++ % FAKES_MAX].client = client;
	return true;
}

void held_keep(struct dht *d, struct env *e, struct id network, const struct ip *ip, bool keep)
{
	(void)d, (void)e, (void)network, (void)ip;
	if (keep)
		fake.keeps++;
	else
		fake.unkeeps++;
}

void held_release(struct dht *d, struct env *e, struct id network, const struct ip *ip, uint64_t cookie)
{
	(void)d, (void)e, (void)network, (void)cookie;
	fake.releases++;
	fake.released = *ip;
	for (unsigned i = 0; i < fake.believes; i++)
		if (ip_eq(&fake.believed[i], ip))
			fake.believed[i] = fake.believed[--fake.believes];
}

bool held_believes(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct fence *fence)
{
	(void)d, (void)e, (void)network;
	if (fence)
		*fence = (struct fence){ .grant = 1 };
	return fake_has(fake.believed, fake.believes, ip);
}

void tunnels_network(struct env *e, struct tunnels *t, unsigned n, struct id network, const uint8_t key[KEY_BYTES],
		     const struct identity *self)
{
	(void)e, (void)t, (void)n, (void)network, (void)key, (void)self;
}

bool held_take(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, const struct served *by)
{
	unsigned i = fake.takes++ % FAKES_MAX;

	(void)d, (void)e, (void)user, (void)network;
	fake.take[i].ip = *ip;
	fake.take[i].cookie = cookie;
	fake.take[i].client = client;
	fake.take[i].owner = by->owner;
	return true;
}

bool held_delegate(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce)
{
	(void)d, (void)e, (void)network, (void)nonce;
	fake.given++;
	fake.given_to = to;
	for (unsigned i = 0; i < fake.believes; i++)
		if (ip_eq(&fake.believed[i], ip))
			fake.believed[i] = fake.believed[--fake.believes];
	return true;
}

void held_deny(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce)
{
	(void)d, (void)e, (void)network, (void)ip, (void)to, (void)nonce;
	fake.denied++;
}

bool held_proof(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct writer *w)
{
	(void)d, (void)e, (void)network, (void)ip;
	if (fake.proof)
		write_copy(w, "proof", 5);
	return fake.proof;
}

void held_lends(struct dht *d, struct env *e, struct id network, bool lends)
{
	(void)d, (void)e, (void)network;
	fake.lends = lends;
}

bool held_at(const struct dht *d, unsigned i, struct held *out)
{
	(void)d, (void)i, (void)out;
	return false;
}

enum drop tunnels_send(struct env *e, struct tunnels *t, unsigned n, struct id to, struct bytes payload,
		       const struct offload *o)
{
	unsigned i = fake.words++ % FAKES_MAX;

	(void)e, (void)t, (void)n, (void)o;
	fake.word[i].to = to;
	fake.word[i].len = payload.len < sizeof(fake.word[i].data) ? payload.len : sizeof(fake.word[i].data);
	memcpy(fake.word[i].data, payload.at, fake.word[i].len);
	return DROP_NONE;
}

bool path_owner(const struct vnet *v, const struct env *e, const struct ip *ip, struct served *by)
{
	(void)v, (void)e;
	*by = (struct served){ .owner = fake.owner, .fence.grant = 1 };
	return fake_has(fake.served, fake.serves, ip);
}

bool path_moved(struct vnet *v, struct env *e, const struct delegation *g, bool now)
{
	(void)v, (void)e, (void)g;
	fake.moved += now;
	return true;
}

bool path_talker_at(const struct vnet *v, unsigned i, const struct ip *ip, struct id *peer)
{
	(void)v, (void)ip;
	if (i >= fake.talkers)
		return false;
	*peer = fake.talker[i];
	return true;
}

enum found path_claim(struct vnet *v, struct env *e, const struct ip *ip, uint64_t client)
{
	(void)v, (void)e, (void)client;
	fake.finds++;
	if (fake.slow)
		return FOUND_ASKED;
	return fake_has(fake.served, fake.serves, ip) ? FOUND_YES : FOUND_NO;
}

enum found path_find(struct vnet *v, struct env *e, const struct ip *ip)
{
	return path_claim(v, e, ip, 0);
}

uint16_t path_fits(struct vnet *v, const struct ip *ip)
{
	(void)ip;
	return fake.fits ? fake.fits : v->record->mtu;
}

void path_send(struct vnet *v, struct env *e, const struct packet *p)
{
	unsigned i = fake.sent++ % FAKES_MAX;

	(void)v, (void)e;
	fake.len[i] = p->l3.len < sizeof(fake.packet[i]) ? p->l3.len : sizeof(fake.packet[i]);
	memcpy(fake.packet[i], p->l3.at, fake.len[i]);
}

void path_group(struct vnet *v, struct env *e, const struct packet *p)
{
	(void)v, (void)e, (void)p;
	fake.groups++;
}

enum found path_source(struct vnet *v, struct env *e, struct id peer, const struct ip *src, struct bytes payload,
		       const struct offload *o)
{
	(void)v, (void)e, (void)peer, (void)src, (void)payload, (void)o;
	return fake.source;
}

void path_not_here(struct vnet *v, struct env *e, struct id peer, const struct ip *ip, struct bytes back)
{
	(void)v, (void)e, (void)peer, (void)back;
	fake.not_here++;
	fake.last_not_here = *ip;
}

void path_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	(void)v, (void)e, (void)n;
	fake.payloads++;
}

void path_expect(struct vnet *v, struct env *e, struct reader *r)
{
	(void)v, (void)e, (void)r;
}

void path_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	(void)v, (void)e, (void)n;
	fake.tunnels++;
}

void path_cast(struct vnet *v, struct env *e, struct id origin, uint32_t seq, struct bytes data)
{
	(void)v, (void)e, (void)origin, (void)seq, (void)data;
	fake.casts++;
}

void path_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	(void)v, (void)e;
	fake.owned[fake.owneds % FAKES_MAX].ip = *ip;
	fake.owned[fake.owneds++ % FAKES_MAX].ours = ours;
}

void dns_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	(void)v, (void)e, (void)ip, (void)ours;
	fake.dns_owned++;
}

void dhcp_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	(void)v, (void)e, (void)p;
	fake.dhcp++;
}

void dhcp6_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	(void)v, (void)e, (void)p;
	fake.dhcp6++;
}


bool dns_takes(struct vnet *v, struct env *e, const struct packet *p)
{
	(void)v, (void)e, (void)p;
	return false;
}

void dns_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	(void)v, (void)e, (void)p;
	fake.dns++;
}

/* What the edge merely passes on, without anything to see. */
#define FAKE_CALL(name) void name(struct vnet *v, struct env *e) { (void)v, (void)e; }
#define FAKE_NEWS(name, type) void name(struct vnet *v, struct env *e, const struct type *n) { (void)v, (void)e, (void)n; }
FAKE_CALL(path_start) FAKE_CALL(path_timer) FAKE_CALL(path_group_timer) FAKE_CALL(path_resumed) FAKE_CALL(path_leave)
FAKE_CALL(path_free) FAKE_CALL(dns_start) FAKE_CALL(dns_timer) FAKE_CALL(dns_leave) FAKE_CALL(dns_free)
FAKE_CALL(dhcp_timer) FAKE_CALL(dhcp_resumed) FAKE_CALL(dhcp_leave) FAKE_CALL(dhcp_free)
FAKE_NEWS(path_done, dht_done) FAKE_NEWS(dns_done, dht_done) FAKE_NEWS(dhcp_done, dht_done) FAKE_NEWS(dhcp_held, held_news)

bool path_remote_at(const struct vnet *v, unsigned i, struct look_remote *out)
{
	(void)v, (void)i, (void)out;
	return false;
}

uint32_t path_remote_changes(const struct vnet *v)
{
	return v ? 0 : 1;
}

FAKE_CALL(epoch_start) FAKE_CALL(epoch_changed) FAKE_CALL(epoch_free)

void epoch_load(struct vnet *v, struct env *e, struct bytes key)
{
	(void)v, (void)e, (void)key;
}

bool epoch_key(struct vnet *v, struct env *e, const uint8_t key[KEY_BYTES])
{
	(void)v, (void)e, (void)key;
	return false;
}

uint32_t epoch_bytes(const struct vnet *v)
{
	(void)v;
	return 0;
}

uint32_t path_bytes(const struct vnet *v)
{
	return v ? 0 : 1;
}

uint32_t dns_bytes(const struct vnet *v)
{
	return v ? 0 : 1;
}

uint32_t dhcp_bytes(const struct vnet *v)
{
	return v ? 0 : 1;
}

#endif /* VNET_FAKED_H */
