/*
 * The DHCP server and its guests: who is who, what options each gets, what is
 * bounded, what must not work, and everything at random.
 */
#include "tests/unit/dhcp_lab.h"

/* ---- who is who, and what is told ---- */

static void a_client_is_its_identifier_or_its_hardware(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1, .id = "one");
	grant(l, 0x0afa0501);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0501, .id = "one");
	HEAR(l, DHCP_DISCOVER, 1, .id = "two");		/* two interfaces of one machine */
	grant(l, 0x0afa0502);
	CU_ASSERT(l->last.yiaddr == 0x0afa0502 && l->d.clients == 2);
	HEAR(l, DHCP_DISCOVER, 9, .id = "one");		/* and one identity on new hardware */
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.yiaddr == 0x0afa0501 && l->d.clients == 2);
	lab_free(l);
}

static void the_client_identifier_is_echoed(void)
{
	struct lab *l = lab_new();
	uint8_t id[8];

	HEAR(l, DHCP_DISCOVER, 1, .id = "one");
	grant(l, 0x0afa0501);
	CU_ASSERT(dhcp_option(&l->last.options, OPTION_CLIENT, id, 8) == 3 && !memcmp(id, "one", 3));
	HEAR(l, DHCP_REQUEST, 1, .requested = 0xc0a80101, .id = "one");
	CU_ASSERT(l->last.type == DHCP_NAK && has(l, OPTION_CLIENT));
	HEAR(l, DHCP_INFORM, 2, .ciaddr = 0x0afa0808);
	CU_ASSERT_FALSE(has(l, OPTION_CLIENT));
	lab_free(l);
}

static void answers_go_where_the_client_can_take_them(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	grant(l, 0x0afa0501);
	CU_ASSERT(ip_u32(&l->to) == 0x0afa0501 && l->to_mac[5] == 1 && !l->last.broadcast);
	HEAR(l, DHCP_DISCOVER, 2, .broadcast = true);
	grant(l, 0x0afa0502);
	CU_ASSERT(ip_u32(&l->to) == UINT32_MAX && l->to_mac[5] == 0xff && l->last.broadcast);
	lab_free(l);
}

static void options_come_in_the_order_asked_for(void)
{
	struct lab *l = lab_new();
	uint8_t seen[64], n = 0;

	l->d.router = true;
	HEAR(l, DHCP_DISCOVER, 1, .params = "\x79\x0f\x06\x03\x03\xfe");
	grant(l, 0x0afa0501);
	for (const uint8_t *p = l->last.options.area[0].at; *p != OPTION_END; p += 2 + p[1])
		seen[n++] = *p;
	CU_ASSERT_EQUAL_FATAL(n, 11);
	CU_ASSERT(!memcmp(seen, "\x35\x36\x33\x3a\x3b\x01\x79\x0f\x06\x03\x1a", 11));
	CU_ASSERT(option(l, OPTION_ROUTER) == GATEWAY && !has(l, OPTION_BROADCAST));
	CU_ASSERT(dhcp_option(&l->last.options, OPTION_ROUTES, seen, 8) == 5 && !memcmp(seen, "\0\x0a\xfa\0\1", 5));
	lab_free(l);
}

static void other_resolvers_are_told_after_ours(void)
{
	struct lab *l = lab_new();
	uint8_t dns[16];

	l->net.dns[0] = ip_v4(0x09090909);
	l->net.dnss = 1;
	HEAR(l, DHCP_INFORM, 1, .ciaddr = 0x0afa0808);
	CU_ASSERT(dhcp_option(&l->last.options, OPTION_DNS, dns, 16) == 8 && dns[3] == 1 && dns[4] == 9);
	lab_free(l);
}

static void no_answer_is_larger_than_the_client_takes(void)
{
	struct lab *l = lab_new();
	char big[251];

	memset(big, 'x', 250);
	big[250] = 0;
	memset(l->net.domain, 'd', NETWORK_NAME_MAX);
	HEAR(l, DHCP_DISCOVER, 1, .id = big, .max_size = 100);	/* less than 576 is not to be believed */
	grant(l, 0x0afa0501);
	CU_ASSERT(l->last.type == DHCP_OFFER && l->len <= 548 && has(l, OPTION_LEASE) && has(l, OPTION_MASK));
	lab_free(l);
}

static void certified_addresses_need_no_lease(void)
{
	struct lab *l = lab_new();

	l->fixed = ip_v4(0x0afaf001);
	l->net.reserved[0] = (struct ip_range){ ip_v4(0x0afaf000), 24 };
	l->net.reserveds = 1;
	HEAR(l, DHCP_DISCOVER, 0xf1);
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.yiaddr == 0x0afaf001 && !l->wants);
	HEAR(l, DHCP_REQUEST, 0xf1, .requested = 0x0afaf001, .server = GATEWAY);
	CU_ASSERT(l->last.type == DHCP_ACK && l->leased == 1);
	HEAR(l, DHCP_REQUEST, 2, .requested = 0x0afaf001);	/* not for anybody else */
	CU_ASSERT_EQUAL(l->last.type, DHCP_NAK);
	HEAR(l, DHCP_RELEASE, 0xf1, .ciaddr = 0x0afaf001);
	CU_ASSERT(!l->releases && !l->d.clients && l->gone == 1);
	HEAR(l, DHCP_REQUEST, 0xf1, .requested = 0x0afaf001);	/* INIT-REBOOT */
	CU_ASSERT(l->last.type == DHCP_ACK && !l->wants);
	lab_free(l);
}

static void host_names_follow_the_lease(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	grant(l, 0x0afa0501);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0501, .host = "Alma-2");
	CU_ASSERT(l->names == 1 && !strcmp(l->name, "alma-2"));
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0501, .host = "alma-2");
	CU_ASSERT_EQUAL(l->names, 1);			/* said again, published once */
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0501, .host = "berta");
	CU_ASSERT(l->names == 2 && !strcmp(l->name, "berta"));
	HEAR(l, DHCP_RELEASE, 1, .ciaddr = 0x0afa0501);
	CU_ASSERT_EQUAL(l->unnames, 1);
	settle(l, 2, 0x0afa0502);
	HEAR(l, DHCP_REQUEST, 2, .ciaddr = 0x0afa0502, .host = "no dots.or spaces");
	HEAR(l, DHCP_REQUEST, 2, .ciaddr = 0x0afa0502, .host = "-x");
	CU_ASSERT_EQUAL(l->names, 2);
	lab_free(l);
}

static void a_full_table_of_guests_is_said(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	grant(l, 0x0afa0501);
	l->guests_full = true;
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0501, .server = GATEWAY);
	CU_ASSERT(l->last.type == DHCP_NAK && l->releases == 1 && !l->d.clients);
	lab_free(l);
}

static void a_lease_of_a_former_life_waits_for_its_guest(void)
{
	struct lab *l = lab_new();
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct held_news n = { .word = HELD_GRANTED };

	n.held = (struct held){ .lease = { .ip = ip_v4(0x0afa0505), .client = fake_client(NULL, (struct bytes){ 0 }, mac) },
				.cookie = 1, .until_ns = l->bare.env.now_ns + 1000 * NS_PER_S };
	l->held[l->helds++] = n.held;
	dhcpd_held(&l->d, &l->bare.env, &n);
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT(l->sent == 1 && l->last.type == DHCP_ACK && option(l, OPTION_LEASE) == 1000 && l->keep[0]);
	n.held.lease.ip = ip_v4(0x0afa0506);
	n.held.lease.client = 99;
	l->held[l->helds++] = n.held;
	dhcpd_held(&l->d, &l->bare.env, &n);		/* and this one's never does */
	pass(l, 999);
	CU_ASSERT_EQUAL(l->helds, 2);
	l->held[0].until_ns += S_TERM * NS_PER_S;
	pass(l, 1);
	CU_ASSERT(held_of(l, &n.held.lease.ip) < 0);
	lab_free(l);
}

static void a_guest_gone_from_the_lan_leaves_nothing(void)
{
	struct lab *l = lab_new();
	struct ip a = ip_v4(0x0afa0505);

	settle(l, 1, 0x0afa0505);
	dhcpd_gone(&l->d, &l->bare.env, &a);
	CU_ASSERT(l->releases == 1 && l->gone == 1 && !l->d.clients && l->due_ns == INT64_MAX);
	lab_free(l);
}

static void leaving_gives_back_what_was_only_reserved(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_DISCOVER, 2);
	grant(l, 0x0afa0506);
	dhcpd_leave(&l->d, &l->bare.env);
	CU_ASSERT(l->releases == 1 && ip_u32(&l->released) == 0x0afa0506 && l->d.clients == 1);
	lab_free(l);
}

/* ---- what must not work ---- */

static void what_is_not_a_clients_is_counted_and_forgotten(void)
{
	struct lab *l = lab_new();
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	CU_ASSERT_EQUAL(HEAR(l, DHCP_OFFER, 1, .op = DHCP_BOOTREPLY), DROP_ROGUE);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_ACK, 1), DROP_ROGUE);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_NAK, 1), DROP_ROGUE);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_DISCOVER, 1, .op = DHCP_BOOTREPLY), DROP_ROGUE);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_DISCOVER, 1, .giaddr = 0x0afa0202), DROP_RELAYED);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_DISCOVER, 1, .hops = 17), DROP_HOPS);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_RELEASE, 1, .ciaddr = 0x0afa0505), DROP_SPOOFED);
	CU_ASSERT_EQUAL(dhcpd_message(&l->d, &l->bare.env, mac, (struct bytes){ mac, 6 }), DROP_SHORT);
	CU_ASSERT_EQUAL(drops(l, DROP_ROGUE), 4);
	CU_ASSERT(drops(l, DROP_RELAYED) == 1 && drops(l, DROP_HOPS) == 1 && drops(l, DROP_SHORT) == 1);
	CU_ASSERT(!l->sent && !l->wants && !l->d.clients && !l->d.cap && !l->bare.bytes);
	lab_free(l);
}

static void no_memory_is_no_crash(void)
{
	struct lab *l = lab_new();

	l->bare.env.mem.quota = 0;
	HEAR(l, DHCP_DISCOVER, 1);
	CU_ASSERT_EQUAL(drops(l, DROP_MEMORY), 1);
	l->bare.env.mem.quota = sizeof(struct dhcpd_client) + 10;	/* a client, but no question */
	HEAR(l, DHCP_DISCOVER, 1);
	HEAR(l, DHCP_REQUEST, 2, .requested = 0x0afa0505);
	CU_ASSERT(drops(l, DROP_MEMORY) == 3 && !l->wants && !l->d.clients);
	lab_free(l);
}

/* Random guests, a random DHT, random time: what is told is always covered, and all is given back in the end. */
static void whatever_happens_the_guests_lease_is_inside_ours(void)
{
	struct lab *l = lab_new();
	struct random r;
	uint8_t seed[32] = { 3 };
	unsigned acks = 0, naks = 0;

	random_seed(&r, seed);
	for (unsigned i = 0; i < 20000; i++) {
		static const uint8_t TYPES[] = { DHCP_DISCOVER, DHCP_REQUEST, DHCP_REQUEST, DHCP_RELEASE, DHCP_DECLINE };
		uint32_t a = 0x0afa0010 + random_below(&r, 12);
		struct say s = { .type = TYPES[random_below(&r, 5)], .mac = (uint8_t)(1 + random_below(&r, 9)) };
		unsigned sent = l->sent;

		if (random_below(&r, 2))
			s.requested = a;
		else if (random_below(&r, 2))
			s.ciaddr = a;
		if (random_below(&r, 2))
			s.server = GATEWAY;
		hear(l, s);
		if (l->wants && random_below(&r, 4)) {
			bool touch = l->want[0].touch;
			uint32_t ip = ip_u32(&l->want[0].ip) ? ip_u32(&l->want[0].ip) : a;
			struct ip at = ip_v4(ip);
			int h = held_of(l, &at);

			if (touch && h < 0)
				answer(l, HELD_REFUSED, VERDICT_ABSENT, ip);
			else if (touch)
				answer(l, HELD_RENEWED, VERDICT_OK, ip);
			else if (h < 0)
				grant(l, ip);
			else
				answer(l, HELD_REFUSED, (uint8_t)(VERDICT_TAKEN + random_below(&r, 7)), 0);
		}
		if (l->sent > sent && l->last.type == DHCP_ACK) {
			struct ip at = ip_v4(l->last.yiaddr);
			int h = held_of(l, &at);

			CU_ASSERT_TRUE_FATAL(h >= 0 && l->keep[h]);
			CU_ASSERT_TRUE_FATAL(l->bare.env.now_ns + (int64_t)l->last.lease_s * NS_PER_S <= l->held[h].until_ns);
			acks++;
		}
		naks += l->sent > sent && l->last.type == DHCP_NAK;
		for (unsigned h = 0; h < l->helds; h++) {	/* as the holder does: renew or lose */
			if (l->held[h].until_ns > l->bare.env.now_ns + S_TERM / 2 * NS_PER_S)
				continue;
			if (l->keep[h]) {
				l->held[h].until_ns = l->bare.env.now_ns + S_TERM * NS_PER_S;
			} else if (l->held[h].until_ns <= l->bare.env.now_ns) {
				struct held_news n = { .word = HELD_LOST, .held = l->held[h] };

				l->held[h] = l->held[--l->helds];
				l->keep[h--] = l->keep[l->helds];
				dhcpd_held(&l->d, &l->bare.env, &n);
			}
		}
		pass(l, (int)random_below(&r, random_below(&r, 20) ? 20 : 700));
	}
	while (l->wants)
		answer(l, HELD_REFUSED, VERDICT_TAKEN, 0);
	pass(l, 2 * S_TERM);
	CU_ASSERT(!l->d.clients && !l->helds && !l->d.asks && !l->d.bads && acks > 500 && naks > 500);
	lab_free(l);
}

CU_TestInfo dhcp_guests_tests[] = {
	{ "a client is its identifier or its hardware (RFC 2131 4.2)", a_client_is_its_identifier_or_its_hardware },
	{ "the client identifier is echoed (RFC 6842 3)", the_client_identifier_is_echoed },
	{ "answers go where the client can take them (RFC 2131 4.1)", answers_go_where_the_client_can_take_them },
	{ "options come in the order asked for (RFC 2132 9.8, 3.3; RFC 3442)", options_come_in_the_order_asked_for },
	{ "other resolvers are told after ours", other_resolvers_are_told_after_ours },
	{ "no answer is larger than the client takes (RFC 2132 9.10)", no_answer_is_larger_than_the_client_takes },
	{ "certified addresses need no lease", certified_addresses_need_no_lease },
	{ "host names follow the lease (RFC 2132 3.14)", host_names_follow_the_lease },
	{ "a full table of guests is said", a_full_table_of_guests_is_said },
	{ "a lease of a former life waits for its guest", a_lease_of_a_former_life_waits_for_its_guest },
	{ "a guest gone from the LAN leaves nothing", a_guest_gone_from_the_lan_leaves_nothing },
	{ "leaving gives back what was only reserved", leaving_gives_back_what_was_only_reserved },
	{ "what is not a client's is counted and forgotten", what_is_not_a_clients_is_counted_and_forgotten },
	{ "no memory is no crash", no_memory_is_no_crash },
	{ "whatever happens, the guest's lease lies inside ours", whatever_happens_the_guests_lease_is_inside_ours },
	CU_TEST_INFO_NULL
};
