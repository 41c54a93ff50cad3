/* The edge once more, under other names, beside scripted neighbours (vnet_rename.h says why). */
#include "tests/unit/vnet_rename.h"

#include "core/vnet/parts.h"

#include "tests/unit/vnet_faked.h"
#include "tests/unit/vnet_lab.h"

#include "core/vnet/vnet.c"
#include "core/vnet/edge.c"
#include "core/vnet/guest.c"
#include "core/vnet/wait.c"
#include "core/vnet/arp.c"
#include "core/vnet/nd.c"
#include "core/vnet/icmp.c"
#include "core/vnet/mss.c"
#include "core/vnet/lan.c"
#include "core/vnet/guard.c"
#include "core/vnet/migrate.c"

#include <CUnit/CUnit.h>

#include "tests/unit/party.h"

enum { NETWORK = 200 };

const uint8_t lab_host[MAC_BYTES] = { 0x52, 0x54, 0, 0, 0, 1 };
const uint8_t lab_other[MAC_BYTES] = { 0x52, 0x54, 0, 0, 0, 2 };
const uint8_t lab_beacon[MAC_BYTES] = { 0x03, 'w', 'e', 'f', 't', 0 };

struct ip lab_ip(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return ip_v4(a << 24 | b << 16 | c << 8 | d);
}

struct ip lab_ip6(unsigned last)
{
	return (struct ip){ .at = { 0xfd, 0x77, [14] = (uint8_t)(last >> 8), [15] = (uint8_t)last }, .family = 6 };
}

static struct bytes sign_record(struct lab *l)
{
	struct writer w = writer_of(l->blob, sizeof(l->blob));
	struct network_record n;
	uint8_t key[SIGN_BYTES];

	party_key(&suite_sodium, NETWORK, key);
	network_defaults(&n);
	memcpy(n.key, key + KEY_BYTES, KEY_BYTES);
	memcpy(n.name, "home", 5);
	memcpy(n.domain, "home", 5);
	n.range4 = (struct ip_range){ lab_ip(10, 250, 0, 0), 16 };
	n.range6 = (struct ip_range){ lab_ip6(0), 64 };
	n.reserved[0] = (struct ip_range){ lab_ip(10, 250, 1, 0), 24 };
	n.reserveds = 1;
	n.founders = 1;
	n.founder[0] = (struct id){ 1, 1 };
	CU_ASSERT_TRUE_FATAL(network_sign(&suite_sodium, key, &n, &w));
	return (struct bytes){ l->blob, writer_len(&w) };
}

static void certify(struct lab *l)
{
	static const uint8_t SALT[CERT_SALT] = { 1 };
	static const struct prefix FIXED = { .addr = { 10, 250, 1, 7 }, .family = 4, .bits = 32 };
	struct writer w = writer_of(l->chain, sizeof(l->chain));
	uint8_t signer[SIGN_BYTES], key[SIGN_BYTES];
	struct cert_order o = { .roles = ROLE_MEMBER, .serial = 1, .key = key + KEY_BYTES, .salt = SALT,
				.prefixes = &FIXED, .prefix_count = 1 };

	party_key(&suite_sodium, NETWORK, signer);
	party_key(&suite_sodium, 3, key);
	CU_ASSERT_TRUE_FATAL(cert_issue(&suite_sodium, signer, &o, &w));
	l->identity.chain = l->chain;
	l->identity.chain_len = (uint16_t)writer_len(&w);
}

void lab_open(struct lab *l, enum vnet_model model, uint64_t id)
{
	struct vnet_ports ports = { .ring = &l->ring };

	memset(l, 0, sizeof(*l));
	memset(&fake, 0, sizeof(fake));
	bare_init(&l->bare, (unsigned)id);
	l->env = &l->bare.env;
	l->env->suite = &suite_sodium;
	l->env->now_ns = l->env->birth_ns = 100 * LAB_S;
	heap_init(&l->env->timers, l->env->birth_ns);
	l->bytes = malloc(EFFECTS_BYTES);
	l->bare.fx.frame = l->frames;
	l->bare.fx.record = l->records;
	l->bare.fx.max_frames = l->bare.fx.max_records = EFFECTS_ROOM;
	l->bare.fx.bytes = l->bytes;
	l->bare.fx.max_bytes = EFFECTS_BYTES;
	l->fake = &fake;
	l->ring.self = (struct id){ id, 0 };
	certify(l);
	l->net = (struct network){ .record = sign_record(l), .identity = &l->identity, .secret = { 5 },
				   .model = (uint8_t)model, .iface = 3 };
	memcpy(l->net.mac, lab_host, MAC_BYTES);
	l->vnet = vnet_new(l->env, &ports, &l->net, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l->vnet);
	vnet_start(l->vnet, l->env);
	lab_wait(l, LAB_S);
	lab_forget(l);
	memcpy(l->mac, l->vnet->mac, MAC_BYTES);
}

void lab_shut(struct lab *l)
{
	vnet_free(l->vnet, l->env);
	heap_done(&l->env->timers, &l->env->mem);
	CU_ASSERT_TRUE(bare_done(&l->bare));
	free(l->bytes);
}

void lab_forget(struct lab *l)
{
	l->bare.fx.frames = l->bare.fx.records = 0;
	l->bare.fx.used = 0;
}

void lab_frame(struct lab *l, const void *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);		/* so that a byte too far is seen */

	memcpy(exact, data, len);
	vnet_frame(l->vnet, l->env, (struct bytes){ exact, len }, NULL);
	free(exact);
}

void lab_frame_of(struct lab *l, const struct writer *w, const struct offload *o)
{
	CU_ASSERT_FALSE(w->bad);
	vnet_frame(l->vnet, l->env, (struct bytes){ w->start, writer_len(w) }, o);
}

void lab_wait(struct lab *l, int64_t ns)
{
	int64_t end_ns = l->env->now_ns + ns;
	uint16_t tag;

	while (heap_next(&l->env->timers) <= end_ns) {
		if (heap_next(&l->env->timers) > l->env->now_ns)
			l->env->now_ns = heap_next(&l->env->timers);
		CU_ASSERT_TRUE_FATAL(heap_pop(&l->env->timers, l->env->now_ns, &tag));
		vnet_timer(l->vnet, l->env);
	}
	l->env->now_ns = end_ns;
}

void lab_news(struct lab *l, enum held_word word, enum verdict verdict, struct ip ip)
{
	struct held_news n = { .word = (uint8_t)word, .verdict = (uint8_t)verdict,
			       .held = { .network = l->vnet->id, .lease = { .ip = ip },
					 .cookie = COOKIE(ASKER_STATIC, l->vnet->claims) } };

	if (word == HELD_GRANTED)
		fake.believed[fake.believes++] = ip;
	if (word == HELD_LOST)
		lab_silenced(l, ip);
	vnet_held(l->vnet, l->env, &n);
}

void lab_silenced(struct lab *l, struct ip ip)
{
	(void)l;
	for (unsigned i = 0; i < fake.believes; i++)
		if (ip_eq(&fake.believed[i], &ip))
			fake.believed[i] = fake.believed[--fake.believes];
}

void lab_resolved(struct lab *l, struct ip ip, bool found)
{
	edge_resolved(l->vnet, l->env, &ip, found);
}

void lab_payload(struct lab *l, uint64_t peer, const struct writer *w)
{
	uint8_t buf[FRAME_MAX + 1] = { PAYLOAD_IP };
	struct tunnel_news n = { .word = TUNNEL_PAYLOAD, .peer = { peer, 0 }, .payload = { buf, writer_len(w) + 1 } };

	CU_ASSERT_FALSE(w->bad);
	memcpy(buf + 1, w->start, writer_len(w));
	vnet_tunnel(l->vnet, l->env, &n);
}

void lab_rules(struct lab *l, const char *text)
{
	struct guard_wrong wrong;
	int rules = guard_read((struct bytes){ (const uint8_t *)text, strlen(text) }, l->rule, &wrong);

	CU_ASSERT_TRUE_FATAL(rules > 0);
	l->net.rule = l->rule;
	l->net.rules = (uint8_t)rules;
}

void lab_tunnel(struct lab *l, uint64_t peer, enum tunnel_word word, const char *const *groups, unsigned count)
{
	static const uint8_t SALT[CERT_SALT] = { 1 };
	uint8_t chain[CERT_CHAIN_MAX], signer[SIGN_BYTES], key[SIGN_BYTES];
	struct writer w = writer_of(chain, sizeof(chain));
	struct tunnel_news n = { .word = word, .peer = { peer, 0 } };
	struct cert_order o = { .roles = ROLE_MEMBER, .serial = 1, .key = key + KEY_BYTES, .salt = SALT, .any = true,
				.groups = groups, .group_count = count };

	party_key(&suite_sodium, NETWORK, signer);
	party_key(&suite_sodium, (unsigned)peer, key);
	CU_ASSERT_TRUE_FATAL(cert_issue(&suite_sodium, signer, &o, &w));
	n.cert = (struct bytes){ chain, writer_len(&w) };
	vnet_tunnel(l->vnet, l->env, &n);
}

bool lab_guard(const struct lab *l, struct look_guard *out)
{
	return vnet_guard_look(l->vnet, l->env, out);
}

enum drop lab_flood(struct lab *l, uint64_t origin, const struct writer *w)
{
	return edge_flood(l->vnet, l->env, (struct id){ origin, 0 }, (struct bytes){ w->start, writer_len(w) }, NULL);
}

void lab_leased(struct lab *l, const uint8_t mac[MAC_BYTES], struct ip ip)
{
	fake.believed[fake.believes++] = ip;
	CU_ASSERT_TRUE(guest_leased(l->vnet, l->env, mac, &ip));
}

void lab_static(struct lab *l, const uint8_t mac[MAC_BYTES], struct ip ip)
{
	if (ip.family == 4)
		lab_arp(l, mac, 1, ip, ip);
	else
		lab_nd(l, mac, 136, ip, (struct ip){ .at = { 0xff, 2, [15] = 1 }, .family = 6 }, ip, 2);
	lab_news(l, HELD_GRANTED, VERDICT_OK, ip);
	lab_forget(l);
}

bool lab_serving(const struct lab *l)
{
	return lan_serves(l->vnet, l->env);
}

bool lab_knows(const struct lab *l, struct ip ip)
{
	return guest_find(l->vnet, &ip);
}

struct packet lab_out(const struct lab *l, unsigned i)
{
	struct packet p = { .family = 0 };

	CU_ASSERT_TRUE_FATAL(i < l->bare.fx.frames);
	CU_ASSERT_EQUAL(l->frames[i].iface, 3);
	CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ l->frames[i].data, l->frames[i].len }, &l->frames[i].offload),
			DROP_NONE);
	return p;
}

bool lab_guest(const struct lab *l, unsigned i, struct look_guest *out)
{
	return vnet_guest_at(l->vnet, i, out);
}

uint32_t lab_bytes(const struct lab *l)
{
	return vnet_bytes(l->vnet);
}

void lab_tell(struct lab *l, const struct held_news *n)
{
	struct held_news own = *n;

	own.held.network = l->vnet->id;
	vnet_held(l->vnet, l->env, &own);
}

void lab_word(struct lab *l, uint64_t peer, struct bytes payload)
{
	struct tunnel_news n = { .word = TUNNEL_PAYLOAD, .peer = { peer, 0 }, .payload = payload };

	vnet_tunnel(l->vnet, l->env, &n);
}

uint64_t lab_client(const uint8_t mac[MAC_BYTES], struct ip ip)
{
	return guest_client(mac) + ip_low(&ip);
}

void lab_resume(struct lab *l)
{
	vnet_resumed(l->vnet, l->env);
}

void lab_leave(struct lab *l)
{
	vnet_leave(l->vnet, l->env);
}

bool lab_deliver(struct lab *l, uint64_t peer, const struct writer *w, const struct offload *o)
{
	return edge_deliver(l->vnet, l->env, (struct id){ peer, 0 }, (struct bytes){ w->start, writer_len(w) }, o) ==
	       DELIVER_DONE;
}

void lab_nobody(struct lab *l, const struct writer *w)
{
	edge_nobody(l->vnet, l->env, (struct bytes){ w->start, writer_len(w) });
}

size_t lab_make_beacon(struct lab *l, uint8_t *at, uint64_t id, uint64_t count, uint8_t flags)
{
	struct writer w = writer_of(at, ETH_HEADER + BEACON_BODY + BEACON_TAG);

	build_eth(&w, lab_beacon, lab_other, TYPE_BEACON);
	write_copy(&w, "weft", 4);
	write_u8(&w, BEACON_VERSION);
	write_u8(&w, flags);
	write_id(&w, l->vnet->id);
	write_u64(&w, id);
	write_u64(&w, 0);
	write_u64(&w, count);
	tag_of(l->vnet, write_space(&w, BEACON_TAG), at + ETH_HEADER);
	return writer_len(&w);
}

void lab_hear_beacon(struct lab *l, uint64_t id, uint64_t count, uint8_t flags)
{
	uint8_t at[200];
	size_t len = lab_make_beacon(l, at, id, count, flags);

	lab_frame(l, at, len);
}

bool lab_recorded(const struct lab *l, enum record_kind kind)
{
	for (unsigned i = 0; i < l->bare.fx.records; i++)
		if (l->records[i].kind == kind)
			return true;
	return false;
}

void lab_arp(struct lab *l, const uint8_t *from, uint16_t op, struct ip spa, struct ip tpa)
{
	static const uint8_t NONE[MAC_BYTES];
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	build_arp(&w, op == 1 ? mac_broadcast : l->mac, op, from, &spa, NONE, &tpa);
	lab_frame(l, buf, writer_len(&w));
}

struct writer *lab_udp(struct lab_buf *b, const uint8_t *to, const uint8_t *from, struct ip src, struct ip dst,
		       uint16_t sport, uint16_t dport, size_t len)
{
	struct build u;
	uint8_t *body;

	b->w = writer_of(b->at, sizeof(b->at));
	if (to)
		build_eth(&b->w, to, from, src.family == 4 ? TYPE_IP4 : TYPE_IP6);
	u = build_udp(&b->w, &src, &dst, sport, dport);
	body = write_space(&b->w, len);
	for (size_t i = 0; body && i < len; i++)
		body[i] = (uint8_t)(i * 7);
	build_done(&b->w, &u);
	return &b->w;
}

void lab_nd(struct lab *l, const uint8_t *from, uint8_t type, struct ip src, struct ip dst, struct ip target, uint8_t option)
{
	uint8_t buf[256], to[MAC_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	mac_of_group(to, &dst);
	build_eth(&w, ip_multicast(&dst) ? to : l->mac, from, TYPE_IP6);
	b = build_icmp(&w, &src, &dst, 255, type, 0, 0);
	if (target.family)
		write_copy(&w, target.at, 16);
	if (option) {
		write_u8(&w, option);
		write_u8(&w, 1);
		write_copy(&w, from, MAC_BYTES);
	}
	build_done(&w, &b);
	lab_frame(l, buf, writer_len(&w));
}
