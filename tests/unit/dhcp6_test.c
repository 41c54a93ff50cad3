/*
 * DHCPv6 over the states of the DHCP server: what RFC 8415 wants in a message,
 * and one address for each client by a lease. The DHT is dhcp_lab.h's.
 */
#include "core/vnet/dhcp6_reply.h"
#include "tests/unit/dhcp_lab.h"

static const uint8_t MAC[6] = { 0xfe, 0xfd, 1, 2, 3, 4 };

/** struct lab6 - a lab whose server speaks DHCPv6; what was sent last, in pieces */
struct lab6 {
	struct lab *l;
	uint8_t kind, status;		/* of the message; 255 = not told */
	uint8_t ia_status;
	bool ia, rapid, server;
	struct ip ip, dns;
	uint32_t valid, t1, t2;
	size_t domains;
	uint8_t client[DUID_MAX], client_len;
};

static struct lab6 *now;			/* the lab whose answer comes */

static void take(struct bytes b, uint8_t *status)
{
	struct reader r = reader_of(b.at, b.len);

	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);

		CU_ASSERT_TRUE_FATAL(reader_ok(&r));
		if (code == OPTION6_STATUS)
			*status = at[1];
		else if (code == OPTION6_RAPID)
			now->rapid = true;
		else if (code == OPTION6_CLIENT)
			memcpy(now->client, at, now->client_len = (uint8_t)len);
		else if (code == OPTION6_SERVER)
			now->server = len == DUID_LL && !memcmp(at + 4, MAC, 6);
		else if (code == OPTION6_DNS)
			memcpy(now->dns.at, at, 16);
		else if (code == OPTION6_DOMAINS)
			now->domains = len;
		if (code == OPTION6_ADDRESS) {
			memcpy(now->ip.at, at, 16);
			now->valid = (uint32_t)at[20] << 24 | (uint32_t)at[21] << 16 | (uint32_t)at[22] << 8 | at[23];
		}
		if (code == OPTION6_IA_NA) {
			now->ia = true;
			CU_ASSERT(!memcmp(at, "IAID", 4));
			now->t1 = (uint32_t)at[6] << 8 | at[7];
			now->t2 = (uint32_t)at[10] << 8 | at[11];
			take((struct bytes){ at + 12, len - 12u }, &now->ia_status);
		}
	}
}

static void send6(void *ctx, struct env *e, const struct dhcp_out *o)
{
	struct lab *l = ctx;

	(void)e;
	l->sent++;
	l->to = o->to;
	memcpy(l->to_mac, o->mac, 6);
	*now = (struct lab6){ .l = l, .kind = o->payload.at[0], .status = 255, .ia_status = 255, .ip.family = 6,
			      .dns.family = 6 };
	CU_ASSERT(!memcmp(o->payload.at + 1, "xid", 3));
	take((struct bytes){ o->payload.at + 4, o->payload.len - 4 }, &now->status);
	CU_ASSERT_TRUE(now->server);		/* in every message of ours */
}

static struct lab6 *lab6_new(void)
{
	static struct dhcp_ports ports;
	struct lab6 *s = calloc(1, sizeof(*s));

	ports = FAKES;
	ports.send = send6;
	s->l = lab_new();
	s->l->net.range6 = (struct ip_range){ { .at = { 0xfd, 7 }, .family = 6 }, 64 };
	dhcp6_init(&s->l->d, &s->l->bare.env, &ports, s->l, MAC);
	s->l->d.net = &s->l->net;
	now = s;
	return s;
}

static void lab6_free(struct lab6 *s)
{
	lab_free(s->l);
	free(s);
}

static struct ip addr(uint8_t last)
{
	return (struct ip){ .at = { 0xfd, 7, [15] = last }, .family = 6 };
}

enum { NO_CLIENT = 1, NO_SERVER = 2, OTHER_SERVER = 4, NO_IA = 8, RAPID = 16, ORO = 32 };

static size_t compose6(uint8_t *buf, size_t room, uint8_t kind, const struct ip *a, unsigned how)
{
	struct writer w = writer_of(buf, room);
	bool server = kind == DHCP6_REQUEST || kind == DHCP6_RENEW || kind == DHCP6_RELEASE || kind == DHCP6_DECLINE;
	uint8_t duid[DUID_LL];

	dhcp6_duid(duid, MAC);
	duid[9] ^= !!(how & OTHER_SERVER);
	write_u8(&w, kind);
	write_copy(&w, "xid", 3);
	if (!(how & NO_CLIENT))
		dhcp6_put(&w, OPTION6_CLIENT, "\0\3\0\1duid", 8);
	if ((server && !(how & NO_SERVER)) || how & OTHER_SERVER)
		dhcp6_put(&w, OPTION6_SERVER, duid, DUID_LL);
	if (how & RAPID)
		dhcp6_put(&w, OPTION6_RAPID, NULL, 0);
	if (how & ORO)
		dhcp6_put(&w, OPTION6_ORO, "\0\x17\0\x18", 4);
	if (!(how & NO_IA)) {
		write_u16(&w, OPTION6_IA_NA);
		write_u16(&w, a ? 40 : 12);
		write_copy(&w, "IAID\0\0\0\0\0\0\0\0", 12);
	}
	if (!(how & NO_IA) && a) {
		write_u16(&w, OPTION6_ADDRESS);
		write_u16(&w, 24);
		write_copy(&w, a->at, 16);
		write_u64(&w, 0);
	}
	return writer_len(&w);
}

static enum drop hear6(struct lab6 *s, uint8_t kind, const struct ip *a, unsigned how)
{
	struct ip source = { .at = { 0xfe, 0x80, [15] = 9 }, .family = 6 };
	uint8_t buf[200], mac[6] = { 2, 0, 0, 0, 0, 1 };

	return dhcp6_message(&s->l->d, &s->l->bare.env, mac, &source,
			     (struct bytes){ buf, compose6(buf, sizeof(buf), kind, a, how) });
}

/* The oldest question to the DHT is answered; @a: what was granted. */
static struct want answer6(struct lab6 *s, uint8_t word, uint8_t verdict, struct ip a)
{
	struct lab *l = s->l;
	struct want w = l->want[0];
	struct held_news n = { .word = word, .verdict = verdict };

	CU_ASSERT_TRUE_FATAL(l->wants > 0);
	memmove(l->want, l->want + 1, --l->wants * sizeof(*l->want));
	n.held = (struct held){ .lease = { .ip = a, .client = w.client }, .cookie = w.cookie,
				.until_ns = l->bare.env.now_ns + S_TERM * NS_PER_S };
	if (word == HELD_GRANTED)
		l->held[l->helds++] = n.held;
	dhcpd_held(&l->d, &l->bare.env, &n);
	return w;
}

static void solicit_advertise_request_reply(void)
{
	struct lab6 *s = lab6_new();
	struct ip a = addr(5);
	struct want w;

	CU_ASSERT_EQUAL(hear6(s, DHCP6_SOLICIT, NULL, ORO), DROP_NONE);
	w = answer6(s, HELD_GRANTED, VERDICT_OK, a);
	CU_ASSERT(w.ip.family == 6 && !w.ip.at[0]);
	CU_ASSERT(s->kind == DHCP6_ADVERTISE && s->ia && ip_eq(&s->ip, &a) && s->valid == S_TERM && s->status == 255);
	CU_ASSERT(s->t1 == S_TERM / 2 && s->t2 == S_TERM * 4 / 5 && s->client_len == 8 && s->ia_status == 255);
	CU_ASSERT(s->dns.at[15] == 1 && s->dns.at[1] == 7 && s->domains == 5);
	CU_ASSERT(s->l->to.at[0] == 0xfe && s->l->to_mac[5] == 1 && !s->l->keep[0]);
	hear6(s, DHCP6_REQUEST, &a, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && ip_eq(&s->ip, &a) && !s->rapid && s->l->keep[0] && s->l->leased == 1);
	hear6(s, DHCP6_RENEW, &a, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && ip_eq(&s->ip, &a) && s->l->leased == 2);
	hear6(s, DHCP6_REBIND, &a, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && ip_eq(&s->ip, &a));
	hear6(s, DHCP6_RELEASE, &a, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && s->status == STATUS_OK && !s->ia && s->l->releases == 1 && !s->l->d.clients);
	lab6_free(s);
}

static void rapid_commit_needs_two_messages(void)
{
	struct lab6 *s = lab6_new();

	hear6(s, DHCP6_SOLICIT, NULL, RAPID);
	answer6(s, HELD_GRANTED, VERDICT_OK, addr(5));
	CU_ASSERT(s->kind == DHCP6_REPLY && s->rapid && s->ia && s->l->keep[0]);
	lab6_free(s);
}

static void the_address_hinted_at_is_tried_first(void)
{
	struct lab6 *s = lab6_new();
	struct ip a = addr(7);
	struct want w;

	hear6(s, DHCP6_SOLICIT, &a, 0);
	w = answer6(s, HELD_REFUSED, VERDICT_TAKEN, (struct ip){ 0 });
	CU_ASSERT_TRUE(ip_eq(&w.ip, &a));
	answer6(s, HELD_GRANTED, VERDICT_OK, addr(8));
	CU_ASSERT(s->kind == DHCP6_ADVERTISE && s->ip.at[15] == 8);
	lab6_free(s);
}

static void what_is_not_bound_is_said(void)
{
	struct lab6 *s = lab6_new();
	struct ip a = addr(7), foreign = { .at = { 0x20, 1 }, .family = 6 };

	hear6(s, DHCP6_RENEW, &foreign, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && s->ia && s->ia_status == STATUS_NO_BINDING && !s->valid);
	hear6(s, DHCP6_RENEW, NULL, 0);
	CU_ASSERT_EQUAL(s->ia_status, STATUS_NO_BINDING);
	hear6(s, DHCP6_REQUEST, &foreign, 0);
	CU_ASSERT_EQUAL(s->ia_status, STATUS_NOT_ON_LINK);
	hear6(s, DHCP6_REBIND, &a, 0);			/* the DHT may know */
	answer6(s, HELD_REFUSED, VERDICT_TAKEN, (struct ip){ 0 });
	CU_ASSERT_EQUAL(s->ia_status, STATUS_NO_BINDING);
	hear6(s, DHCP6_REQUEST, &a, 0);
	answer6(s, HELD_REFUSED, VERDICT_TAKEN, (struct ip){ 0 });
	CU_ASSERT_EQUAL(s->ia_status, STATUS_NO_ADDRS);
	CU_ASSERT_EQUAL(hear6(s, DHCP6_RELEASE, &a, 0), DROP_SPOOFED);
	CU_ASSERT(s->status == STATUS_OK && s->ia_status == STATUS_NO_BINDING);
	CU_ASSERT_EQUAL(s->l->d.clients, 0);
	lab6_free(s);
}

static void a_declined_address_is_kept_out(void)
{
	struct lab6 *s = lab6_new();
	struct ip a = addr(7);

	hear6(s, DHCP6_SOLICIT, NULL, RAPID);
	answer6(s, HELD_GRANTED, VERDICT_OK, a);
	hear6(s, DHCP6_DECLINE, &a, 0);
	CU_ASSERT(s->status == STATUS_OK && s->l->d.bads == 1 && s->l->gone == 1 && !s->l->releases);
	hear6(s, DHCP6_SOLICIT, &a, 0);
	CU_ASSERT_FALSE(ip_eq(&s->l->want[0].ip, &a));
	answer6(s, HELD_GRANTED, VERDICT_OK, addr(8));
	lab6_free(s);
}

static void confirm_is_about_the_link_only(void)
{
	struct lab6 *s = lab6_new();
	struct ip a = addr(7), foreign = { .at = { 0x20, 1 }, .family = 6 };

	hear6(s, DHCP6_CONFIRM, &a, 0);
	CU_ASSERT(s->kind == DHCP6_REPLY && s->status == STATUS_OK);
	hear6(s, DHCP6_CONFIRM, &foreign, 0);
	CU_ASSERT_EQUAL(s->status, STATUS_NOT_ON_LINK);
	CU_ASSERT_EQUAL(hear6(s, DHCP6_CONFIRM, NULL, 0), DROP_VALUE);
	CU_ASSERT(s->l->sent == 2 && !s->l->wants && !s->l->d.clients);
	lab6_free(s);
}

static void information_needs_no_lease(void)
{
	struct lab6 *s = lab6_new();

	hear6(s, DHCP6_INFORM, NULL, NO_IA | ORO);
	CU_ASSERT(s->kind == DHCP6_REPLY && !s->ia && s->dns.at[15] == 1 && s->domains == 5 && s->client_len == 8);
	hear6(s, DHCP6_INFORM, NULL, NO_IA | NO_CLIENT);
	CU_ASSERT(s->kind == DHCP6_REPLY && !s->client_len && !s->domains && !s->dns.at[0]);
	CU_ASSERT(!s->l->wants && !s->l->d.clients);
	lab6_free(s);
}

static void messages_have_what_they_must_and_nothing_they_must_not(void)
{
	static const struct { uint8_t kind; unsigned how; enum drop why; } IS[] = {
		{ DHCP6_SOLICIT, NO_CLIENT, DROP_VALUE }, { DHCP6_SOLICIT, OTHER_SERVER, DROP_VALUE },
		{ DHCP6_SOLICIT, NO_IA, DROP_VALUE }, { DHCP6_REQUEST, NO_SERVER, DROP_VALUE },
		{ DHCP6_REQUEST, NO_CLIENT, DROP_VALUE }, { DHCP6_REQUEST, OTHER_SERVER, DROP_NONE },
		{ DHCP6_RENEW, NO_SERVER, DROP_VALUE }, { DHCP6_RENEW, OTHER_SERVER, DROP_NONE },
		{ DHCP6_REBIND, OTHER_SERVER, DROP_VALUE }, { DHCP6_CONFIRM, OTHER_SERVER, DROP_VALUE },
		{ DHCP6_RELEASE, OTHER_SERVER, DROP_NONE }, { DHCP6_DECLINE, NO_SERVER, DROP_VALUE },
		{ DHCP6_INFORM, 0, DROP_VALUE }, { DHCP6_INFORM, NO_IA | OTHER_SERVER, DROP_NONE },
		{ DHCP6_ADVERTISE, 0, DROP_ROGUE }, { DHCP6_REPLY, 0, DROP_ROGUE }, { DHCP6_RECONFIGURE, 0, DROP_ROGUE },
		{ DHCP6_RELAY_FORW, 0, DROP_RELAYED }, { DHCP6_RELAY_REPL, 0, DROP_ROGUE }, { 0, 0, DROP_MESSAGE },
		{ 14, 0, DROP_MESSAGE }, { 255, 0, DROP_MESSAGE },
	};
	struct lab6 *s = lab6_new();
	struct ip a = addr(7);

	for (unsigned i = 0; i < sizeof(IS) / sizeof(*IS); i++)
		CU_ASSERT_EQUAL(hear6(s, IS[i].kind, &a, IS[i].how), IS[i].why);
	CU_ASSERT(!s->l->sent && !s->l->wants && !s->l->d.clients && !s->l->bare.bytes);
	lab6_free(s);
}

static void options_are_whole_or_the_message_is_none(void)
{
	struct lab6 *s = lab6_new();
	uint8_t buf[200], duid[DUID_LL];
	struct ip a = addr(7);
	size_t whole = compose6(buf, sizeof(buf), DHCP6_REQUEST, &a, RAPID | ORO);
	struct dhcp_message m;

	dhcp6_duid(duid, MAC);
	for (size_t len = 0; len <= whole; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		enum drop why;

		memcpy(copy, buf, len);
		why = dhcp6_read((struct bytes){ copy, len }, duid, &m);
		free(copy);
		CU_ASSERT_EQUAL(why == DROP_NONE, len == whole);
		CU_ASSERT(len >= 4 || why == DROP_SHORT);
	}
	CU_ASSERT(m.xid == 0x786964 && m.id_len == 12 && !memcmp(m.id + 8, "IAID", 4) && ip_eq(&m.want, &a));
	memcpy(buf + whole, buf + 4, 12);		/* a second client identifier */
	CU_ASSERT_EQUAL(dhcp6_read((struct bytes){ buf, whole + 12 }, duid, &m), DROP_OPTION);

	lab6_free(s);
}

CU_TestInfo dhcp6_tests[] = {
	{ "SOLICIT, ADVERTISE, REQUEST, REPLY (RFC 8415 18.3)", solicit_advertise_request_reply },
	{ "rapid commit needs two messages (RFC 8415 18.3.1)", rapid_commit_needs_two_messages },
	{ "the address hinted at is tried first", the_address_hinted_at_is_tried_first },
	{ "what is not bound is said (RFC 8415 18.3.2, .4, .5, .7)", what_is_not_bound_is_said },
	{ "a declined address is kept out (RFC 8415 18.3.8)", a_declined_address_is_kept_out },
	{ "CONFIRM is about the link only (RFC 8415 18.3.3)", confirm_is_about_the_link_only },
	{ "information needs no lease (RFC 8415 18.3.6)", information_needs_no_lease },
	{ "messages have what they must, nothing they must not (RFC 8415 16)",
	  messages_have_what_they_must_and_nothing_they_must_not },
	{ "options are whole, or the message is none", options_are_whole_or_the_message_is_none },
	CU_TEST_INFO_NULL
};
