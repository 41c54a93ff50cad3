/*
 * DHCP as bytes: what is whole is read the way it was written, whatever its
 * fields and pieces; what is not is refused with a reason.
 */
#include <stdlib.h>

#include "core/vnet/dhcp_wire.h"
#include "tests/unit/suites.h"

/** struct made - a message under construction: header, cookie, then options by hand */
struct made {
	uint8_t at[1500];
	size_t len;
};

static void begin(struct made *m, uint8_t type)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->at, (uint8_t[]){ 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 7, 0x80, 0 }, 12);
	memcpy(m->at + 28, (uint8_t[]){ 2, 0, 0, 0, 0, 9 }, 6);
	memcpy(m->at + 236, (uint8_t[]){ 99, 130, 83, 99, 53, 1, type }, 7);
	m->len = 243;
}

static void add(struct made *m, const void *bytes, size_t len)
{
	memcpy(m->at + m->len, bytes, len);
	m->len += len;
}
#define ADD(m, ...) add(m, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static enum drop get(const struct made *m, struct dhcp_message *out)
{
	/* A copy of exactly that size, so that a sanitizer sees who looks past the end. */
	uint8_t *copy = malloc(m->len ? m->len : 1);
	enum drop why;

	memcpy(copy, m->at, m->len);
	why = dhcp_read((struct bytes){ copy, m->len }, out);
	out->options.areas = 0;
	free(copy);
	return why;
}

static void a_discover_is_read(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	ADD(&a, 0, 0, 61, 7, 1, 2, 0, 0, 0, 0, 9, 50, 4, 10, 250, 5, 5, 12, 4, 'a', 'l', 'm', 'a');
	ADD(&a, 55, 3, 1, 3, 26, 57, 2, 5, 0xdc, 80, 0, 255, 0, 0);
	CU_ASSERT_EQUAL_FATAL(get(&a, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.xid, 0xdeadbeef);
	CU_ASSERT_EQUAL(m.type, DHCP_DISCOVER);
	CU_ASSERT_EQUAL(m.secs, 7);
	CU_ASSERT(m.broadcast && m.rapid && m.has_requested && !m.has_server && m.has_params);
	CU_ASSERT_EQUAL(m.requested, 0x0afa0505);
	CU_ASSERT_EQUAL(m.max_size, 1500);
	CU_ASSERT(m.id_len == 7 && m.id[6] == 9);
	CU_ASSERT(m.host_len == 4 && !memcmp(m.host, "alma", 4));
	CU_ASSERT(m.params == 3 && m.param[2] == 26);
}

static void options_end_at_the_end_option_or_with_the_field(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_NONE);	/* no end option at all */
	ADD(&a, 255, 50, 4, 1);				/* what follows it is not looked at */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_NONE);
	CU_ASSERT_FALSE(m.has_requested);
}

static void an_option_that_passes_its_end_is_refused(void)
{
	struct dhcp_message m;
	struct made a;

	for (uint8_t len = 1; len; len = len == 255 ? 0 : (uint8_t)(len < 200 ? len + 50 : 255)) {
		begin(&a, DHCP_DISCOVER);
		ADD(&a, 12, len);
		CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	}
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 12);					/* a code without a length */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
}

static void every_shorter_message_is_refused_or_read_never_passed(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_REQUEST);
	ADD(&a, 61, 7, 1, 2, 0, 0, 0, 0, 9, 50, 4, 10, 250, 5, 5, 54, 4, 10, 250, 0, 1);
	for (size_t whole = a.len; a.len; a.len--) {
		enum drop why = get(&a, &m);

		if (a.len < DHCP_FIXED)
			CU_ASSERT_EQUAL(why, DROP_SHORT);
		CU_ASSERT_EQUAL(why == DROP_NONE, a.len == whole || a.len == 243 || a.len == 252 || a.len == 258);
	}
}

static void pieces_are_joined_across_fields_in_order(void)
{
	struct dhcp_message m;
	struct made a;

	/* RFC 3396 section 5: options, then file, then sname. */
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 3, 12, 2, 'o', 'n', 12, 1, 'e', 255);
	memcpy(a.at + 108, (uint8_t[]){ 12, 1, '-', 12, 2, 't', 'w', 255 }, 8);
	memcpy(a.at + 44, (uint8_t[]){ 0, 12, 1, 'o', 255 }, 5);
	CU_ASSERT_EQUAL_FATAL(get(&a, &m), DROP_NONE);
	CU_ASSERT(m.host_len == 7 && !memcmp(m.host, "one-two", 7));
}

static void fields_that_are_not_overloaded_hold_no_options(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 1, 255);
	memcpy(a.at + 44, (uint8_t[]){ 12, 3, 'b', 'a', 'd', 255 }, 6);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.host_len, 0);
}

static void overloading_is_said_once_in_the_options_field(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 4, 255);				/* only 1, 2 and 3 exist */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 1, 52, 1, 2, 255);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 1, 255);
	memcpy(a.at + 108, (uint8_t[]){ 52, 1, 2, 255 }, 4);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
}

static void an_overloaded_field_is_as_strict_as_the_first(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	ADD(&a, 52, 1, 2, 255);
	a.at[44 + 62] = 12;				/* 62 bytes of padding, then a length past the field */
	a.at[44 + 63] = 1;
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
}

static void fixed_lengths_hold_once_joined(void)
{
	struct dhcp_message m;
	struct made a;

	begin(&a, DHCP_DISCOVER);
	ADD(&a, 50, 2, 10, 250, 50, 2, 5, 5, 255);	/* four bytes in two pieces are four bytes */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.requested, 0x0afa0505);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 50, 4, 10, 250, 5, 5, 50, 4, 10, 250, 5, 6, 255);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 53, 1, DHCP_REQUEST, 255);		/* two message types */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 54, 3, 10, 250, 0, 255);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 80, 1, 0, 255);				/* RFC 4039 section 4: length 0 */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 61, 1, 0, 255);				/* RFC 2132 9.14: two bytes at least */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
}

static void what_is_not_dhcp_over_ethernet_is_refused(void)
{
	static const struct { uint16_t at; uint8_t is; } WRONG[] = {
		{ 0, 0 }, { 0, 3 }, { 1, 6 }, { 2, 16 }, { 28, 1 }, { 28, 0xff }, { 236, 0 }, { 239, 98 },
	};
	struct dhcp_message m;
	struct made a;

	for (unsigned i = 0; i < sizeof(WRONG) / sizeof(*WRONG); i++) {
		begin(&a, DHCP_DISCOVER);
		a.at[WRONG[i].at] = WRONG[i].is;
		CU_ASSERT_EQUAL(get(&a, &m), DROP_VALUE);
	}
	begin(&a, DHCP_DISCOVER);
	a.at[240] = 255;				/* BOOTP: no message type */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_VALUE);
	begin(&a, 0);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_MESSAGE);
	begin(&a, 9);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_MESSAGE);
}

static void a_long_client_identifier_comes_in_pieces(void)
{
	struct dhcp_message m;
	uint8_t big[255];
	struct made a;

	memset(big, 7, sizeof(big));
	begin(&a, DHCP_DISCOVER);
	ADD(&a, 61, 255);
	add(&a, big, 255);
	CU_ASSERT_EQUAL(get(&a, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.id_len, 255);
	ADD(&a, 61, 1, 7);				/* 256 in all: more than any server could echo in one */
	CU_ASSERT_EQUAL(get(&a, &m), DROP_OPTION);
}

static void what_is_written_is_read_again(void)
{
	struct dhcp_message m = { .op = DHCP_BOOTREPLY, .type = DHCP_ACK, .xid = 5, .ciaddr = 1, .yiaddr = 2,
				  .siaddr = 3, .broadcast = true, .mac = { 2, 1, 1, 1, 1, 1 } };
	uint8_t buf[600], big[300], back[300];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dhcp_message r;
	uint32_t v;

	for (unsigned i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)i;
	dhcp_begin(&w, &m);
	CU_ASSERT_TRUE(dhcp_put_u32(&w, OPTION_SERVER, 0x0afa0001));
	CU_ASSERT_TRUE(dhcp_put(&w, 224, big, sizeof(big)));
	CU_ASSERT_FALSE(dhcp_put(&w, 225, big, sizeof(big)));	/* no room: nothing of it is written */
	CU_ASSERT_TRUE(dhcp_put(&w, OPTION_RAPID, NULL, 0));
	CU_ASSERT_TRUE(dhcp_put_u16(&w, OPTION_MTU, 1400));
	dhcp_end(&w);
	CU_ASSERT_FALSE_FATAL(w.bad);
	CU_ASSERT_EQUAL_FATAL(dhcp_read((struct bytes){ buf, writer_len(&w) }, &r), DROP_NONE);
	CU_ASSERT(r.op == DHCP_BOOTREPLY && r.type == DHCP_ACK && r.xid == 5 && r.ciaddr == 1 && r.yiaddr == 2);
	CU_ASSERT(r.siaddr == 3 && r.broadcast && r.mac[1] == 1 && r.server == 0x0afa0001 && r.rapid);
	CU_ASSERT_EQUAL(dhcp_option(&r.options, 224, back, sizeof(back)), 300);
	CU_ASSERT(!memcmp(back, big, sizeof(big)));
	CU_ASSERT_EQUAL(dhcp_option(&r.options, 225, back, sizeof(back)), -1);
	CU_ASSERT_FALSE(dhcp_option_u32(&r.options, OPTION_MTU, &v));	/* not four bytes */
}

static void a_written_message_is_never_shorter_than_bootp(void)
{
	struct dhcp_message m = { .op = DHCP_BOOTREPLY, .type = DHCP_NAK };
	uint8_t buf[600];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp_begin(&w, &m);
	dhcp_end(&w);
	CU_ASSERT_EQUAL(writer_len(&w), DHCP_MIN);
}

CU_TestInfo dhcp_wire_tests[] = {
	{ "a DISCOVER is read", a_discover_is_read },
	{ "options end at the end option or with the field (RFC 2131 4.1)", options_end_at_the_end_option_or_with_the_field },
	{ "an option that passes its end is refused", an_option_that_passes_its_end_is_refused },
	{ "every shorter message is refused or read, never passed", every_shorter_message_is_refused_or_read_never_passed },
	{ "pieces are joined across fields in order (RFC 3396 5)", pieces_are_joined_across_fields_in_order },
	{ "fields that are not overloaded hold no options", fields_that_are_not_overloaded_hold_no_options },
	{ "overloading is said once, in the options field (RFC 2132 9.3)", overloading_is_said_once_in_the_options_field },
	{ "an overloaded field is as strict as the first", an_overloaded_field_is_as_strict_as_the_first },
	{ "fixed lengths hold once joined", fixed_lengths_hold_once_joined },
	{ "what is not DHCP over Ethernet is refused", what_is_not_dhcp_over_ethernet_is_refused },
	{ "a long client identifier comes whole or not at all", a_long_client_identifier_comes_in_pieces },
	{ "what is written is read again", what_is_written_is_read_again },
	{ "a written message is never shorter than BOOTP's", a_written_message_is_never_shorter_than_bootp },
	CU_TEST_INFO_NULL
};
