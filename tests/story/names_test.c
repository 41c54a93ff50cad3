/*
 * Guests get addresses and names from whole nodes: DHCP, DHCPv6 and DNS from the
 * tap to the DHT and back, before there is a network and after a restart of it.
 */
#include <stdlib.h>

#include "tests/story/tell.h"

#include "core/vnet/dhcp6_wire.h"
#include "core/vnet/dns_wire.h"
#include "core/vnet/packet.h"
#include "tests/unit/suites.h"

enum { NODES = 5, GATEWAY = 0x0a010001, TERM_S = 120 };

/** struct heard - what the guest of one node was told last */
struct heard {
	struct dhcp_message dhcp;	/* copied; options gone */
	unsigned dhcps, dnss, resets, six;
	unsigned strays;		/* answers from somebody else than the gateway */
	uint32_t lease_s, mask;
	uint8_t rcode, six_kind;
	struct dns_record record;	/* the first one */
	struct dns_name points;		/* to, if it is a PTR */
	uint8_t message[512];
	unsigned answers;
	struct ip address6, dns6;
	/* as a name server of its own: the last question it got */
	uint8_t question[512];
	size_t question_len;
	struct ip asker;
	uint16_t asker_port;
};

struct town {
	struct stage *s;
	struct heard at[NODES];
};

static void hear_dns(struct heard *h, struct bytes m)
{
	size_t at = DNS_HEADER, in;
	struct dns_name n;

	CU_ASSERT_TRUE_FATAL(m.len <= sizeof(h->message));
	memcpy(h->message, m.at, m.len);
	m.at = h->message;
	h->dnss++;
	h->rcode = m.at[3] & 15;
	h->answers = m.at[7];
	if (!h->answers || !dns_name_read(m, &at, &n))
		return;
	at += 4;
	CU_ASSERT_TRUE_FATAL(dns_record_read(m, &at, &h->record));
	in = h->record.data_at;
	if (h->record.type == DNS_PTR)
		CU_ASSERT_TRUE_FATAL(dns_name_read(m, &in, &h->points));
}

/* The address and the name server in a DHCPv6 message, wherever they stand. */
static void hear_six(struct heard *h, struct bytes m)
{
	struct reader r = reader_of(m.at + 4, m.len - 4);

	h->six++;
	h->six_kind = m.at[0];
	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);

		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		if (code == OPTION6_IA_NA && len == 40)
			h->address6 = ip_of_bytes(6, at + 16);
		if (code == OPTION6_DNS)
			h->dns6 = ip_of_bytes(6, at);
	}
}

static void tap(struct stage *s, unsigned i, const struct frame *f, void *arg)
{
	struct heard *h = &((struct town *)arg)->at[i];
	struct packet p;

	(void)s;
	CU_ASSERT_EQUAL_FATAL(packet_read(&p, (struct bytes){ f->data, f->len }, &f->offload), DROP_NONE);
	if (p.proto == PROTO_UDP && p.dport == DHCP_CLIENT_PORT && p.family == 4) {
		h->dhcps++;
		CU_ASSERT_EQUAL_FATAL(dhcp_read(p.data, &h->dhcp), DROP_NONE);
		h->lease_s = h->dhcp.lease_s;
		h->mask = 0;
		dhcp_option_u32(&h->dhcp.options, OPTION_MASK, &h->mask);
		CU_ASSERT_EQUAL(ip_u32(&p.src), GATEWAY);
	} else if (p.proto == PROTO_UDP && p.dport == DNS_PORT) {
		CU_ASSERT_TRUE_FATAL(p.data.len <= sizeof(h->question));
		memcpy(h->question, p.data.at, p.data.len);
		h->question_len = p.data.len;
		h->asker = p.src;
		h->asker_port = p.sport;
	} else if (p.proto == PROTO_UDP && p.sport == DNS_PORT && ip_u32(&p.src) != GATEWAY) {
		h->strays++;
	} else if (p.proto == PROTO_UDP && p.sport == DNS_PORT) {
		CU_ASSERT_EQUAL(p.dport, 5353);
		hear_dns(h, p.data);
	} else if (p.proto == PROTO_UDP && p.dport == DHCP6_CLIENT_PORT) {
		hear_six(h, p.data);
	} else if (p.proto == PROTO_TCP && p.sport == DNS_PORT && p.l4.at[13] == 0x14) {
		h->resets++;
	}
}

static struct town *town_new(void)
{
	struct town *t = calloc(1, sizeof(*t));
	struct network_record n;

	t->s = stage_new(NODES, &suite_sodium);
	network_defaults(&n);
	strcpy(n.name, "town");
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 16 };
	n.range6 = (struct ip_range){ { .at = { 0xfd, 7 }, .family = 6 }, 112 };
	n.term_s = TERM_S;
	stage_network(t->s, &n);
	t->s->tap = tap;
	t->s->tap_arg = t;
	return t;
}

static void all_up(struct town *t)
{
	for (unsigned i = 0; i < NODES; i++) {
		stage_up(t->s, i, false);
		stage_run(t->s, (i ? 300 : 2000) * NS_PER_MS);
	}
	stage_run(t->s, 20 * NS_PER_S);
}

static void town_free(struct town *t)
{
	stage_free(t->s);
	free(t);
}

static void guest_mac(uint8_t mac[6], unsigned i)
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(i + 1) }, 6);
}

/* The guest of node @i says @type; addresses 0 = not told. */
static void dhcp(struct town *t, unsigned i, uint8_t type, uint32_t ciaddr, uint32_t requested, const char *host)
{
	struct dhcp_message m = { .op = DHCP_BOOTREQUEST, .type = type, .xid = 7 + i, .ciaddr = ciaddr };
	struct ip src = ip_v4(ciaddr), dst = ip_v4(UINT32_MAX);
	uint8_t buf[600];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	guest_mac(m.mac, i);
	build_eth(&w, mac_broadcast, m.mac, TYPE_IP4);
	b = build_udp(&w, &src, &dst, DHCP_CLIENT_PORT, DHCP_SERVER_PORT);
	{
		uint8_t text[400];
		struct writer d = writer_of(text, sizeof(text));

		dhcp_begin(&d, &m);
		if (requested)
			dhcp_put_u32(&d, OPTION_REQUESTED, requested);
		if (host)
			dhcp_put(&d, OPTION_HOST, host, strlen(host));
		dhcp_end(&d);
		write_copy(&w, text, writer_len(&d));
	}
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

/* The guest of node @i gets an address, and calls itself @host. */
static uint32_t settle(struct town *t, unsigned i, const char *host)
{
	struct heard *h = &t->at[i];

	dhcp(t, i, DHCP_DISCOVER, 0, 0, host);
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT_EQUAL_FATAL(h->dhcp.type, DHCP_OFFER);
	dhcp(t, i, DHCP_REQUEST, 0, h->dhcp.yiaddr, host);
	stage_run(t->s, 5 * NS_PER_S);
	CU_ASSERT_EQUAL_FATAL(h->dhcp.type, DHCP_ACK);
	return h->dhcp.yiaddr;
}

/* The guest of node @i, at @ip, asks for @name. */
static void ask_for(struct town *t, unsigned i, uint32_t ip, const char *name, uint16_t type)
{
	struct ip src = ip_v4(ip), dst = ip_v4(GATEWAY);
	uint8_t buf[400], mac[6];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dns_name n;
	struct build b;

	guest_mac(mac, i);
	CU_ASSERT_TRUE_FATAL(dns_name_text(&n, (struct bytes){ (const uint8_t *)name, strlen(name) }));
	build_eth(&w, mac_broadcast, mac, TYPE_IP4);
	b = build_udp(&w, &src, &dst, 5353, DNS_PORT);
	write_u32(&w, 0x00070100);
	write_u64(&w, 1ULL << 48);
	write_copy(&w, n.at, n.len);
	write_u16(&w, type);
	write_u16(&w, DNS_IN);
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

static struct heard *ask(struct town *t, unsigned i, uint32_t ip, const char *name, uint16_t type)
{
	struct heard *h = &t->at[i];
	unsigned before = h->dnss;

	ask_for(t, i, ip, name, type);
	stage_run(t->s, 6 * NS_PER_S);
	CU_ASSERT_EQUAL(h->dnss, before + 1);
	return h;
}

static uint32_t answer4(const struct heard *h)
{
	const uint8_t *b = h->message + h->record.data_at;

	return h->answers && h->record.type == DNS_A ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | b[2] << 8 | b[3] : 0;
}

static bool points_at(const struct heard *h, const char *label)
{
	struct bytes l = dns_label(&h->points, 0);

	return h->answers == 1 && l.len == strlen(label) && !memcmp(l.at, label, l.len);
}

static void reverse_of(char name[64], uint32_t a)
{
	snprintf(name, 64, "%u.%u.%u.%u.in-addr.arpa", a & 255, a >> 8 & 255, a >> 16 & 255, a >> 24);
}

static void a_guest_gets_an_address_and_others_find_it_by_name(void)
{
	struct town *t = town_new();
	uint32_t alma, berta;
	char name[64];

	all_up(t);
	alma = settle(t, 1, "Alma");
	CU_ASSERT(alma >> 16 == 0x0a01 && t->at[1].mask == 0xffff0000 && t->at[1].lease_s <= TERM_S);
	CU_ASSERT(t->at[1].lease_s > TERM_S / 2);
	berta = settle(t, 3, NULL);
	CU_ASSERT_NOT_EQUAL(alma, berta);
	CU_ASSERT(answer4(ask(t, 3, berta, "alma.town", DNS_A)) == alma && t->at[3].record.ttl_s <= TERM_S);
	reverse_of(name, alma);
	CU_ASSERT_TRUE(points_at(ask(t, 3, berta, name, DNS_PTR), "alma"));
	reverse_of(name, berta);
	snprintf(name + 40, 20, "C%03u%03u%03u", berta >> 16 & 255, berta >> 8 & 255, berta & 255);
	CU_ASSERT_TRUE(points_at(ask(t, 1, alma, name, DNS_PTR), name + 40));
	CU_ASSERT_EQUAL(ask(t, 3, berta, "nobody.town", DNS_A)->rcode, DNS_NXDOMAIN);
	CU_ASSERT_EQUAL(ask(t, 3, berta, "example.org", DNS_A)->rcode, DNS_REFUSED);
	town_free(t);
}

static void a_name_is_the_first_ones_and_ends_with_the_lease(void)
{
	struct town *t = town_new();
	uint32_t a, b, c;

	all_up(t);
	a = settle(t, 1, "alma");
	b = settle(t, 2, "alma");
	c = settle(t, 3, NULL);
	CU_ASSERT_EQUAL(answer4(ask(t, 3, c, "alma.town", DNS_A)), a);
	dhcp(t, 1, DHCP_RELEASE, a, 0, NULL);
	stage_run(t->s, 30 * NS_PER_S);
	CU_ASSERT_NOT_EQUAL(answer4(ask(t, 4, settle(t, 4, NULL), "alma.town", DNS_A)), a);
	for (unsigned i = 0; i < 10; i++) {		/* its claim is tried again at half a term */
		dhcp(t, 2, DHCP_REQUEST, b, 0, "alma");
		stage_run(t->s, 20 * NS_PER_S);
	}
	c = settle(t, 4, NULL);
	CU_ASSERT_EQUAL(answer4(ask(t, 4, c, "alma.town", DNS_A)), b);
	town_free(t);
}

static void a_discover_before_there_is_a_network_is_answered_when_there_is(void)
{
	struct town *t = town_new();

	stage_up(t->s, 1, false);			/* its only way in is down */
	stage_run(t->s, NS_PER_S);
	dhcp(t, 1, DHCP_DISCOVER, 0, 0, NULL);
	stage_run(t->s, 20 * NS_PER_S);
	CU_ASSERT_EQUAL(t->at[1].dhcps, 0);
	stage_up(t->s, 0, false);
	stage_run(t->s, 35 * NS_PER_S);			/* the guest has not said another word */
	CU_ASSERT(t->at[1].dhcps == 1 && t->at[1].dhcp.type == DHCP_OFFER);
	town_free(t);
}

static void after_a_restart_the_guest_keeps_its_address(void)
{
	struct town *t = town_new();
	uint32_t a;

	all_up(t);
	a = settle(t, 1, "alma");
	stage_crash(t->s, 1);
	stage_run(t->s, 5 * NS_PER_S);
	stage_up(t->s, 1, true);
	stage_run(t->s, 15 * NS_PER_S);
	dhcp(t, 1, DHCP_REQUEST, a, 0, "alma");		/* RENEWING */
	stage_run(t->s, 12 * NS_PER_S);
	CU_ASSERT(t->at[1].dhcp.type == DHCP_ACK && t->at[1].dhcp.yiaddr == a && t->at[1].lease_s <= TERM_S);
	CU_ASSERT_EQUAL(answer4(ask(t, 1, a, "alma.town", DNS_A)), a);
	town_free(t);
}

static void what_another_has_is_refused_and_what_is_released_is_free(void)
{
	struct town *t = town_new();
	uint32_t a;

	all_up(t);
	a = settle(t, 1, NULL);
	dhcp(t, 2, DHCP_REQUEST, 0, a, NULL);		/* INIT-REBOOT to somebody else's address */
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT(t->at[2].dhcps == 1 && t->at[2].dhcp.type == DHCP_NAK);
	dhcp(t, 1, DHCP_RELEASE, a, 0, NULL);
	stage_run(t->s, 10 * NS_PER_S);
	dhcp(t, 2, DHCP_REQUEST, 0, a, NULL);
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT(t->at[2].dhcps == 2 && t->at[2].dhcp.type == DHCP_ACK && t->at[2].dhcp.yiaddr == a);
	town_free(t);
}

static void a_guest_that_says_nothing_more_loses_its_address(void)
{
	struct town *t = town_new();
	uint32_t a;

	all_up(t);
	a = settle(t, 1, NULL);
	stage_run(t->s, (TERM_S + 30) * NS_PER_S);
	dhcp(t, 2, DHCP_REQUEST, 0, a, NULL);
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT(t->at[2].dhcp.type == DHCP_ACK && t->at[2].dhcp.yiaddr == a);
	town_free(t);
}

static void six(struct town *t, unsigned i, uint8_t kind, bool ia)
{
	static const uint8_t NEEDS[] = { 0, 1, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1, 0, 6, 0, 2, 0, 23, 0, 14, 0, 0 };
	struct ip dst = { .at = { 0xff, 2, [13] = 1, [15] = 2 }, .family = 6 }, src;
	uint8_t buf[300], mac[6], to[6];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	guest_mac(mac, i);
	src = ip_link(mac);
	mac_of_group(to, &dst);
	build_eth(&w, to, mac, TYPE_IP6);
	b = build_udp(&w, &src, &dst, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT);
	write_u32(&w, (uint32_t)kind << 24 | 5);
	write_copy(&w, NEEDS, sizeof(NEEDS));
	if (ia)
		write_copy(&w, "\0\3\0\x0c" "IAID\0\0\0\0\0\0\0\0", 16);
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

static void ipv6_guests_get_addresses_by_dhcpv6(void)
{
	struct town *t = town_new();

	all_up(t);
	six(t, 1, DHCP6_INFORM, false);
	CU_ASSERT(t->at[1].six == 1 && t->at[1].six_kind == DHCP6_REPLY && t->at[1].dns6.at[15] == 1);
	six(t, 1, DHCP6_SOLICIT, true);			/* with rapid commit */
	six(t, 2, DHCP6_SOLICIT, true);
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT(t->at[1].six_kind == DHCP6_REPLY && t->at[2].six_kind == DHCP6_REPLY);
	CU_ASSERT(t->at[1].address6.family == 6 && t->at[1].address6.at[1] == 7);
	town_free(t);
}

/* The guest of node @i, at @ip, answers the question it got with 9.9.9.9; under another id if @forged. */
static void serve(struct town *t, unsigned i, uint32_t ip, bool forged)
{
	struct heard *h = &t->at[i];
	struct ip src = ip_v4(ip), nine = ip_v4(0x09090909);
	uint8_t buf[700], mac[6], message[512], rcode;
	struct writer w = writer_of(buf, sizeof(buf));
	struct dns_query q;
	struct dns_reply r;
	struct build b;

	guest_mac(mac, i);
	CU_ASSERT_EQUAL_FATAL(dns_query_read((struct bytes){ h->question, h->question_len }, &q, &rcode), DROP_NONE);
	q.id = (uint16_t)(q.id + forged);
	dns_begin(&r, &q, DNS_NOERROR, false, message, sizeof(message));
	dns_answer_ip(&r, 60, &nine);
	build_eth(&w, mac_broadcast, mac, TYPE_IP4);
	b = build_udp(&w, &src, &h->asker, DNS_PORT, h->asker_port);
	write_copy(&w, message, dns_end(&r));
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
	stage_run(t->s, 2 * NS_PER_S);
}

static void other_names_are_asked_of_the_networks_own_server(void)
{
	struct town *t = town_new();
	struct network_record n = t->s->record[0];
	struct heard *h = &t->at[1];
	uint32_t a, server = 0x0a010909;

	n.dns[0] = ip_v4(server);
	n.dnss = 1;
	t->s->networks = 0;
	stage_network(t->s, &n);
	all_up(t);
	a = settle(t, 1, NULL);
	dhcp(t, 3, DHCP_REQUEST, 0, server, NULL);
	stage_run(t->s, 10 * NS_PER_S);
	CU_ASSERT_EQUAL_FATAL(t->at[3].dhcp.type, DHCP_ACK);
	ask_for(t, 1, a, "Example.org", DNS_A);
	stage_run(t->s, 2 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(t->at[3].question_len > DNS_HEADER && ip_u32(&t->at[3].asker) == a);
	CU_ASSERT_EQUAL(h->dnss, 0);
	ask_for(t, 1, a, "Example.org", DNS_A);		/* said again: asked once */
	serve(t, 3, server, true);			/* another id: no answer to us, and nothing is told */
	CU_ASSERT(h->dnss == 0 && h->strays == 1);
	serve(t, 3, server, false);
	CU_ASSERT(h->strays == 1 && h->dnss == 1 && answer4(h) == 0x09090909 && h->message[1] == 7);
	ask_for(t, 3, server, "example.org", DNS_A);	/* the server itself has nobody to ask */
	stage_run(t->s, 2 * NS_PER_S);
	CU_ASSERT(t->at[3].dnss == 1 && t->at[3].rcode == DNS_REFUSED);
	town_free(t);
}

static void tcp_to_the_name_server_is_reset(void)
{
	struct ip src, dst = ip_v4(GATEWAY);
	struct town *t = town_new();
	uint8_t buf[100], mac[6];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	all_up(t);
	src = ip_v4(settle(t, 1, NULL));
	guest_mac(mac, 1);
	build_eth(&w, mac_broadcast, mac, TYPE_IP4);
	b = build_ip(&w, &src, &dst, PROTO_TCP, 64);
	write_u32(&w, 4000 << 16 | DNS_PORT);
	write_u64(&w, 77ULL << 32);
	write_u64(&w, 0x5002ffffULL << 32);		/* SYN */
	build_done(&w, &b);
	stage_frame(t->s, 1, 0, buf, (uint16_t)writer_len(&w));
	CU_ASSERT_EQUAL(t->at[1].resets, 1);		/* its checksum was looked at by packet_read() */
	town_free(t);
}

CU_TestInfo story_names_tests[] = {
	{ "a guest gets an address, and others find it by name", a_guest_gets_an_address_and_others_find_it_by_name },
	{ "a name is the first one's and ends with the lease (IPOP: two had it)",
	  a_name_is_the_first_ones_and_ends_with_the_lease },
	{ "a DISCOVER before there is a network is answered when there is",
	  a_discover_before_there_is_a_network_is_answered_when_there_is },
	{ "after a restart the guest keeps its address", after_a_restart_the_guest_keeps_its_address },
	{ "what another has is refused, what is released is free",
	  what_another_has_is_refused_and_what_is_released_is_free },
	{ "a guest that says nothing more loses its address", a_guest_that_says_nothing_more_loses_its_address },
	{ "IPv6 guests get addresses by DHCPv6", ipv6_guests_get_addresses_by_dhcpv6 },
	{ "other names are asked of the network's own server", other_names_are_asked_of_the_networks_own_server },
	{ "TCP to the name server is reset", tcp_to_the_name_server_is_reset },
	CU_TEST_INFO_NULL
};
