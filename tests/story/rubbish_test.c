/*
 * Rubbish through the door of a whole node: every frame that is none has its one
 * reason, nothing comes of it, and the node is as large afterwards as it was.
 */
#include <pcap/pcap.h>

#include "core/vnet/dhcp_wire.h"
#include "core/vnet/dns_wire.h"
#include "tests/story/town.h"

enum { HOST = 1, OTHER = 2, BIG = 9300 };	/* whose guests are 10.1.0.10 and 10.1.0.20 */

struct rubbish {
	struct town *t;
	uint8_t buf[BIG];
	size_t len;
	unsigned out;			/* frames for the guest of HOST */
};

static void count_out(struct stage *s, unsigned i, const struct frame *f, void *arg)
{
	struct rubbish *r = arg;

	r->out += i == HOST;
	tap(s, i, f, NULL);
}

static struct node *node_of(const struct rubbish *r)
{
	return r->t->s->actor[HOST].node;
}

static struct rubbish *rubbish_new(void)
{
	struct rubbish *r = calloc(1, sizeof(*r));

	r->t = town_new(3);
	settle(r->t, HOST, 10);
	settle(r->t, OTHER, 20);
	arp_for(r->t, HOST, 20);
	run(r->t, 3000);
	CU_ASSERT_TRUE_FATAL(r->t->g[0][HOST].answered);
	r->t->s->tap = count_out;
	r->t->s->tap_arg = r;
	return r;
}

/* What it keeps, but for the cache of remote addresses, which is bounded and has its own tests */
static uint32_t kept(const struct rubbish *r)
{
	return node_bytes(node_of(r)) - path_bytes(node_of(r)->vnet[0]);
}

/* The guest sends one that is good: answers come. */
static void still_works(struct rubbish *r, uint16_t id)
{
	struct guest_host *g = &r->t->g[0][HOST];
	unsigned before = g->replies;

	ping(r->t, HOST, 20, id, 40);
	run(r->t, 3000);
	CU_ASSERT_EQUAL(g->replies, before + 1);
}

static void rubbish_free(struct rubbish *r)
{
	town_free(r->t);
	free(r);
}

/* The frame that stands in @r comes in. Why it went no further, DROP_NONE if it did; one reason at the most. */
static enum drop comes(struct rubbish *r)
{
	uint64_t before[DROP_COUNT], n = 0;
	enum drop why = DROP_NONE;

	memcpy(before, r->t->s->fx.drops, sizeof(before));
	stage_frame(r->t->s, HOST, 0, r->buf, (uint16_t)r->len);
	for (unsigned i = 1; i < DROP_COUNT; i++) {
		if (r->t->s->fx.drops[i] == before[i])
			continue;
		why = (enum drop)i;
		n += r->t->s->fx.drops[i] - before[i];
	}
	CU_ASSERT_TRUE(n <= 1);
	return why;
}

/* ---- frames that are good until something is done to them ---- */

static struct writer frame(struct rubbish *r)
{
	return writer_of(r->buf, sizeof(r->buf));
}

static void udp_of(struct rubbish *r, const uint8_t *to, const uint8_t *from, struct ip src, struct ip dst, uint16_t port,
		   const void *data, size_t len)
{
	struct writer w = frame(r);
	struct build b;

	build_eth(&w, to, from, TYPE_IP4);
	b = build_udp(&w, &src, &dst, port == DHCP_SERVER_PORT ? DHCP_CLIENT_PORT : 5353, port);
	write_copy(&w, data, len);
	build_done(&w, &b);
	r->len = writer_len(&w);
}

static void udp(struct rubbish *r)
{
	const struct guest_host *g = &r->t->g[0][HOST];

	udp_of(r, g->gateway, g->mac, g->ip, r->t->g[0][OTHER].ip, 9, SECRET, sizeof(SECRET));
}

static void udp_from(struct rubbish *r, uint32_t src)
{
	const struct guest_host *g = &r->t->g[0][HOST];

	udp_of(r, g->gateway, g->mac, ip_v4(src), r->t->g[0][OTHER].ip, 9, SECRET, sizeof(SECRET));
}

static void udp_to(struct rubbish *r, uint32_t dst)
{
	const struct guest_host *g = &r->t->g[0][HOST];

	udp_of(r, g->gateway, g->mac, g->ip, ip_v4(dst), 9, SECRET, sizeof(SECRET));
}

static void arp(struct rubbish *r, uint16_t op, uint32_t spa, uint32_t tpa)
{
	struct ip src = ip_v4(spa), dst = ip_v4(tpa);
	struct writer w = frame(r);

	build_arp(&w, mac_broadcast, op, r->t->g[0][HOST].mac, &src, (uint8_t[6]){ 0 }, &dst);
	r->len = writer_len(&w);
}

static void dhcp(struct rubbish *r, uint8_t op, uint8_t type, uint8_t hops, uint32_t giaddr)
{
	struct dhcp_message m = { .op = op, .type = type, .xid = 7, .hops = hops, .giaddr = giaddr };
	uint8_t buf[600];
	struct writer w = writer_of(buf, sizeof(buf));

	memcpy(m.mac, r->t->g[0][HOST].mac, 6);
	dhcp_begin(&w, &m);
	dhcp_end(&w);
	udp_of(r, mac_broadcast, m.mac, (struct ip){ .family = 4 }, ip_v4(0xffffffff), DHCP_SERVER_PORT, buf, writer_len(&w));
}

/* What stands behind the UDP header from @at on is replaced, and the checksum left out. */
static void put(struct rubbish *r, size_t at, const void *data, size_t len)
{
	memcpy(r->buf + 14 + 20 + 8 + at, data, len);
	memset(r->buf + 14 + 20 + 6, 0, 2);
}

static void dns(struct rubbish *r, const void *data, size_t len)
{
	const struct guest_host *g = &r->t->g[0][HOST];

	udp_of(r, g->gateway, g->mac, g->ip, ip_v4(0x0a010001), DNS_PORT, data, len);
}

static void mend_ip(struct rubbish *r)
{
	uint16_t sum;

	memset(r->buf + 14 + 10, 0, 2);
	sum = sum_done(sum_add(0, r->buf + 14, 4 * (r->buf[14] & 15)));
	r->buf[14 + 10] = (uint8_t)(sum >> 8);
	r->buf[14 + 11] = (uint8_t)sum;
}

static void poke(struct rubbish *r, size_t at, uint8_t value, bool mend)
{
	r->buf[at] = value;
	if (mend)
		mend_ip(r);
}

static void refused(struct rubbish *r, enum drop why, unsigned answers, const char *what)
{
	unsigned out = r->out;
	enum drop seen = comes(r);

	if (seen != why || r->out != out + answers)
		printf("\n    %s: \"%s\", %u frames out: ", what, drop_text(seen), r->out - out);
	CU_ASSERT_EQUAL(seen, why);
	CU_ASSERT_EQUAL(r->out, out + answers);
}

/* It is dropped for that reason, and the guest hears nothing. */
static void dropped(struct rubbish *r, enum drop why, const char *what)
{
	refused(r, why, 0, what);
}

/* The same, and the guest is told: by an ARP conflict, ICMP, or a code of DNS. */
static void told(struct rubbish *r, enum drop why, const char *what)
{
	refused(r, why, 1, what);
}

static void frames_cut_short(struct rubbish *r)
{
	static const uint8_t QUESTION[] = { 0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1 };

	for (unsigned kind = 0; kind < 4; kind++) {
		size_t whole = 1000;

		for (size_t len = 0; len < whole; len++) {
			if (kind == 0)
				udp(r);
			else if (kind == 1)
				arp(r, 1, 0x0a01000a, 0x0a010014);
			else if (kind == 2)
				dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0);
			else
				dns(r, QUESTION, sizeof(QUESTION));
			whole = r->len;
			r->len = len;
			dropped(r, DROP_SHORT, "cut");
		}
	}
}

static void lying_lengths_and_sums(struct rubbish *r)
{
	udp(r), poke(r, 14, 0x44, true), dropped(r, DROP_LENGTH, "a header of 16 bytes");
	udp(r), poke(r, 14, 0x4f, false), dropped(r, DROP_CHECKSUM, "a header of 60 bytes");
	udp(r), poke(r, 14, 0x65, true), dropped(r, DROP_VALUE, "version 6 in IPv4");
	udp(r), poke(r, 17, r->buf[17] + 1, true), dropped(r, DROP_SHORT, "a total length beyond the end");
	udp(r), poke(r, 17, 19, true), dropped(r, DROP_LENGTH, "a total length inside the header");
	udp(r), poke(r, 39, r->buf[39] + 1, false), dropped(r, DROP_LENGTH, "a UDP length beyond the end");
	udp(r), poke(r, 39, 7, false), dropped(r, DROP_LENGTH, "a UDP length inside the header");
	udp(r), poke(r, 24, r->buf[24] ^ 1, false), dropped(r, DROP_CHECKSUM, "a wrong header checksum");
	udp(r), poke(r, 40, r->buf[40] ^ 1, false), dropped(r, DROP_CHECKSUM, "a wrong UDP checksum");
	udp(r), poke(r, 50, r->buf[50] ^ 1, false), dropped(r, DROP_CHECKSUM, "a wrong byte");
	udp(r), poke(r, 20, 0x20, true), poke(r, 21, 1, true), dropped(r, DROP_FRAGMENT, "more to come, not of eights");
	udp(r), poke(r, 20, 0x1f, true), poke(r, 21, 0xff, true), dropped(r, DROP_FRAGMENT, "a fragment beyond 65,535");
}

static void tags_and_types(struct rubbish *r)
{
	udp(r), poke(r, 12, 0x81, false), dropped(r, DROP_VLAN, "a VLAN tag");
	udp(r), poke(r, 12, 0x88, false), poke(r, 13, 0xa8, false), dropped(r, DROP_VLAN, "two VLAN tags");
	udp(r), poke(r, 12, 0x88, false), poke(r, 13, 0xcc, false), dropped(r, DROP_ETHERTYPE, "LLDP");
	udp(r), poke(r, 12, 0, false), poke(r, 13, 38, false), dropped(r, DROP_LENGTH, "802.3 with LLC");
	arp(r, 1, 0x0a01000a, 0x0a010014), poke(r, 14, 9, false), dropped(r, DROP_VALUE, "ARP of other hardware");
	arp(r, 1, 0x0a01000a, 0x0a010014), poke(r, 18, 8, false), dropped(r, DROP_VALUE, "ARP with long addresses");
}

/* Frames of 9,000 bytes are cut or told of; none is larger than FRAME_MAX. */
static void large_frames(struct rubbish *r)
{
	static uint8_t fill[9200];
	const struct guest_host *g = &r->t->g[0][HOST];
	unsigned unreachable = g->unreachable;

	udp_of(r, g->gateway, g->mac, g->ip, r->t->g[0][OTHER].ip, 9, fill, 8972);
	poke(r, 20, 0, true);				/* may be fragmented: cut */
	refused(r, DROP_NONE, 0, "9,000 bytes");
	udp_of(r, g->gateway, g->mac, g->ip, r->t->g[0][OTHER].ip, 9, fill, 8972);
	told(r, DROP_TOO_BIG, "9,000 bytes in one piece");
	CU_ASSERT_EQUAL(g->unreachable, unreachable + 1);
	r->len = FRAME_MAX + 1;
	dropped(r, DROP_TOO_BIG, "more than a frame");
}

static void sources_that_are_somebody_elses(struct rubbish *r)
{
	udp_from(r, 0x0a010001), dropped(r, DROP_SPOOFED, "from the gateway");
	udp_from(r, 0x08080808), dropped(r, DROP_ABROAD, "from another network");
	udp_from(r, 0x7f000001), dropped(r, DROP_VALUE, "from loopback");
	udp_from(r, 0xe0000001), dropped(r, DROP_VALUE, "from a group");
	udp_from(r, 0xffffffff), dropped(r, DROP_VALUE, "from everybody");
	udp_from(r, 0x0a01ffff), dropped(r, DROP_ABROAD, "from the network's broadcast");
	udp_from(r, 0x0a010101), told(r, DROP_CLAIMED, "from an address only certificates own");
	arp(r, 2, 0x0a010001, 0x0a01000a), told(r, DROP_SPOOFED, "ARP: I am the gateway");
	udp(r), poke(r, 6, 3, false), dropped(r, DROP_VALUE, "from a group's MAC");
	udp(r), memcpy(r->buf + 6, r->buf, 6), dropped(r, DROP_SELF, "from our own MAC");
	udp_to(r, 0x08080808), told(r, DROP_ABROAD, "to another network");
}

static void dhcp_that_is_none(struct rubbish *r)
{
	static const uint8_t LOOP[] = { 52, 1, 3 }, TWICE[] = { 52, 1, 1, 52, 1, 1 }, LONG[] = { 12, 255 }, ODD[] = { 50, 3, 1, 2, 3 };

	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 17, 0), dropped(r, DROP_HOPS, "17 hops");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 1, 0x0a010014), dropped(r, DROP_RELAYED, "through a relay agent");
	dhcp(r, DHCP_BOOTREPLY, DHCP_OFFER, 0, 0), dropped(r, DROP_ROGUE, "a server's OFFER");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_NAK, 0, 0), dropped(r, DROP_ROGUE, "a NAK");
	dhcp(r, DHCP_BOOTREQUEST, 99, 0, 0), dropped(r, DROP_MESSAGE, "type 99");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 236, "abcd", 4), dropped(r, DROP_VALUE, "another cookie");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 243, LONG, sizeof(LONG));
	dropped(r, DROP_OPTION, "an option that passes the end");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 243, ODD, sizeof(ODD));
	dropped(r, DROP_OPTION, "an address of three bytes");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 243, TWICE, sizeof(TWICE));
	dropped(r, DROP_OPTION, "overloaded twice");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 243, LOOP, sizeof(LOOP)), put(r, 108, LOOP, sizeof(LOOP));
	dropped(r, DROP_OPTION, "an overloaded field that overloads");
	dhcp(r, DHCP_BOOTREQUEST, DHCP_DISCOVER, 0, 0), put(r, 33, "\77", 1);
	dropped(r, DROP_SPOOFED, "for another machine than it comes from");
}

static void dns_that_is_none(struct rubbish *r)
{
	static const uint8_t HEADER[12] = { 0, 9, 1, 0, 0, 1 }, ANSWER[12] = { 0, 9, 0x81, 0, 0, 1 };
	uint8_t m[40];

	memcpy(m, HEADER, 12);
	memcpy(m + 12, "\300\014\0\1\0\1", 6), dns(r, m, 18), told(r, DROP_VALUE, "a name that points to itself");
	memcpy(m + 12, "\1a\300\014\0\1\0\1", 8), dns(r, m, 20), told(r, DROP_VALUE, "a circle of two");
	memcpy(m + 12, "\300\040\0\1\0\1", 6), dns(r, m, 18), told(r, DROP_VALUE, "a name that points forward");
	memcpy(m + 12, "\077aaa", 4), dns(r, m, 16), told(r, DROP_VALUE, "a label that passes the end");
	memcpy(m, ANSWER, 12), memcpy(m + 12, "\1a\0\0\1\0\1", 7), dns(r, m, 19), dropped(r, DROP_ROGUE, "an answer");
	dns(r, HEADER, 11), dropped(r, DROP_SHORT, "eleven bytes");
}

static void every_malformed_frame_has_its_one_reason(void)
{
	struct rubbish *r = rubbish_new();
	uint32_t before = 0;

	still_works(r, 1);
	for (unsigned round = 0; round < 5; round++) {
		frames_cut_short(r);
		lying_lengths_and_sums(r);
		tags_and_types(r);
		sources_that_are_somebody_elses(r);
		dhcp_that_is_none(r);
		dns_that_is_none(r);
		run(r->t, 40000);			/* a refused guest is told again after half a minute */
		if (!round)			/* what serves DHCP and DNS is made when the first message comes */
			before = node_bytes(node_of(r));
		CU_ASSERT_TRUE(node_bytes(node_of(r)) <= before);	/* a question under way may have ended */
	}
	large_frames(r);
	still_works(r, 2);
	run(r->t, 120000);
	CU_ASSERT_TRUE(node_bytes(node_of(r)) <= before);	/* a question under way may have ended */
	rubbish_free(r);
}

/* ---- frames by the thousand ---- */

static uint64_t dice(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void good_one(struct rubbish *r, uint64_t what)
{
	static const uint8_t QUESTION[] = { 0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1 };
	uint32_t low = (uint32_t)(what >> 8) & 0xff;

	switch (what % 6) {
	case 0:
		arp(r, 1 + (what >> 16 & 1), 0x0a01000a, 0x0a010000 + low);
		break;
	case 1:
		dhcp(r, DHCP_BOOTREQUEST, DHCP_INFORM, 0, 0);
		break;
	case 2:
		dns(r, QUESTION, sizeof(QUESTION));
		break;
	case 3:
		udp_to(r, 0xe0000000 + low);
		break;
	default:
		udp(r);
	}
}

/*
 * Cut, made longer, or with bits of it changed; as often as not with a header checksum
 * that is right. Whose it is and for whom stays: a good frame from a new address is a
 * claim, and one for a new address a question that is rightly asked.
 */
static void spoil(struct rubbish *r, uint64_t *seed)
{
	uint64_t how = dice(seed);
	unsigned times = 1 + how % 4;
	uint8_t from[6], ends[16];
	size_t keep;

	good_one(r, dice(seed));
	keep = r->buf[13] == 6 ? 16 : 8;
	memcpy(from, r->buf + 6, 6);
	memcpy(ends, r->buf + 26, keep);
	while (times--)
		r->buf[dice(seed) % r->len] ^= (uint8_t)(1 << dice(seed) % 8);
	memcpy(r->buf + 6, from, 6);
	memcpy(r->buf + 26, ends, keep);
	if (how >> 8 & 1)
		mend_ip(r);
	if (how >> 9 & 1)
		memset(r->buf + 14 + 20 + 6, 0, 2);
	if (!(how >> 16 & 3))
		r->len = dice(seed) % r->len;
	else if (!(how >> 18 & 7))
		r->len += dice(seed) % 300;
}

static void whatever_comes_it_goes_on(void)
{
	struct rubbish *r = rubbish_new();
	uint64_t seed = 88172645463325252u;
	uint32_t before, most = 0;
	struct dht_account was, after;

	for (unsigned i = 0; i < 3 * 256; i++) {	/* all that good ones lead to is there already */
		good_one(r, (uint64_t)i << 8 | (i < 256 ? 0 : i < 512 ? 3 : i % 6));
		stage_frame(r->t->s, HOST, 0, r->buf, (uint16_t)r->len);
		run(r->t, 100);
	}
	for (unsigned i = 0; i < 3 * 256; i++) {	/* and as fast as what follows: arrays have the room they need */
		good_one(r, (uint64_t)i << 8 | i % 6);
		stage_frame(r->t->s, HOST, 0, r->buf, (uint16_t)r->len);
		if (i % 20 == 0)
			run(r->t, 5);
	}
	run(r->t, 900000);
	dht_account(node_of(r)->dht, &was);
	before = kept(r);
	for (unsigned i = 0; i < 30000; i++) {
		spoil(r, &seed);
		stage_frame(r->t->s, HOST, 0, r->buf, (uint16_t)r->len);
		if (i % 20 == 0) {
			run(r->t, 5);
			most = kept(r) > most ? kept(r) : most;
		}
	}
	run(r->t, 900000);
	dht_account(node_of(r)->dht, &after);
	printf("%u bytes before, %u at most, %u after: ", before, most, kept(r));
	CU_ASSERT_TRUE(most < before + (16 << 10));
	CU_ASSERT_TRUE(kept(r) <= before + 1024);
	CU_ASSERT_TRUE(after.records <= was.records);
	CU_ASSERT_EQUAL(after.held, was.held);
	CU_ASSERT_EQUAL(after.asking, 0);
	settle(r->t, HOST, 10);
	settle(r->t, OTHER, 20);
	arp_for(r->t, HOST, 20);
	run(r->t, 3000);
	still_works(r, 3);
	rubbish_free(r);
}

/* ---- captures ---- */

/* Frames of the world: WEFT_PCAPS names files, blanks between. Skipped without. */
static void captures_do_no_harm(void)
{
	char *files = getenv("WEFT_PCAPS") ? strdup(getenv("WEFT_PCAPS")) : NULL, why[PCAP_ERRBUF_SIZE], *state = NULL;
	unsigned captures = 0, frames = 0, others = 0;
	struct rubbish *r;
	uint32_t before, most = 0;
	uint64_t drops[DROP_COUNT];

	if (!files) {
		printf("skipped, WEFT_PCAPS names no captures: ");
		return;
	}
	r = rubbish_new();
	run(r->t, 900000);
	before = node_bytes(node_of(r));
	memcpy(drops, r->t->s->fx.drops, sizeof(drops));
	for (char *f = strtok_r(files, " \n", &state); f; f = strtok_r(NULL, " \n", &state)) {
		pcap_t *p = pcap_open_offline(f, why);
		struct pcap_pkthdr *h;
		const u_char *data;

		if (!p || pcap_datalink(p) != DLT_EN10MB) {
			others++;
		} else {
			captures++;
			while (pcap_next_ex(p, &h, &data) == 1) {
				if (h->caplen > UINT16_MAX)
					continue;
				stage_frame(r->t->s, HOST, 0, data, (uint16_t)h->caplen);
				if (frames++ % 10 == 0)
					run(r->t, 20);
				most = node_bytes(node_of(r)) > most ? node_bytes(node_of(r)) : most;
			}
		}
		if (p)
			pcap_close(p);
	}
	run(r->t, 900000);
	printf("\n    %u frames of %u captures (%u are not Ethernet); %u bytes before, %u at most, %u after;", frames,
	       captures, others, before, most, node_bytes(node_of(r)));
	for (unsigned i = 0; i < DROP_COUNT; i++)
		if (r->t->s->fx.drops[i] != drops[i])
			printf("\n    %8llu %s", (unsigned long long)(r->t->s->fx.drops[i] - drops[i]), drop_text((enum drop)i));
	printf(": ");
	CU_ASSERT_TRUE(captures > 0);
	CU_ASSERT_TRUE(most < 1 << 20);
	settle(r->t, HOST, 10);
	settle(r->t, OTHER, 20);
	arp_for(r->t, HOST, 20);
	run(r->t, 3000);
	still_works(r, 4);
	rubbish_free(r);
	free(files);
}

CU_TestInfo story_rubbish_tests[] = {
	{ "every malformed frame has its one reason and leaves nothing", every_malformed_frame_has_its_one_reason },
	{ "whatever comes, it goes on", whatever_comes_it_goes_on },
	{ "captures of the world do no harm (WEFT_PCAPS)", captures_do_no_harm },
	CU_TEST_INFO_NULL
};
