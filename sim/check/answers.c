/*
 * answers.c - what guests are told, read from the frames they get
 *
 * Frames come from the core under test, so they are read with the same
 * suspicion as any input: what is cut short or odd is no answer.
 *
 * A cached mapping may live as long as the lease it rests on, so an answer may
 * be as old as the longest term; the owner it names must have believed in the
 * address at some instant of that time. A name in turn stands for a term after
 * its writer last said so, and is kept by resolvers: twice the time for DNS.
 */
#include "sim/check/answers.h"

#include <inttypes.h>
#include <string.h>

enum { ETHER_IP = 0x0800, ETHER_ARP = 0x0806, ARP_REPLY = 2, PROTO_UDP = 17, PORT_DNS = 53, DNS_A = 1,
       DNS_POINTERS = 0xc0 };

static unsigned read_arp(struct reader *r, struct guest_answer *out)
{
	uint8_t sender[4];

	if (read_u16(r) != 1 || read_u16(r) != ETHER_IP || read_u8(r) != 6 || read_u8(r) != 4 ||
	    read_u16(r) != ARP_REPLY)
		return 0;
	read_take(r, 6);
	for (unsigned i = 0; i < 4; i++)
		sender[i] = read_u8(r);
	if (!reader_ok(r))
		return 0;
	*out = (struct guest_answer){ .ip = { .family = 4 }, .kind = ANSWER_ARP };
	memcpy(out->ip.at, sender, 4);
	return 1;
}

static void skip_name(struct reader *r)
{
	for (unsigned i = 0; i < 128 && reader_ok(r); i++) {
		uint8_t len = read_u8(r);

		if ((len & DNS_POINTERS) == DNS_POINTERS) {
			read_u8(r);
			return;
		}
		if (!len)
			return;
		read_take(r, len);
	}
}

/* "c250005005.": such a name says nothing but itself (papers/002, 4.3), and nobody needs to have the address. */
static bool computed(struct reader r)
{
	const uint8_t *at = read_u8(&r) == 10 ? read_take(&r, 10) : NULL;

	for (unsigned i = 1; at && i < 10; i++)
		if (at[i] < '0' || at[i] > '9')
			return false;
	return at && (at[0] | 32) == 'c';
}

static unsigned read_dns(struct reader *r, struct guest_answer out[ANSWERS_MAX])
{
	unsigned flags, questions, answers, n = 0;

	read_u16(r);
	flags = read_u16(r);
	questions = read_u16(r);
	answers = read_u16(r);
	read_u32(r);
	if (!(flags & 0x8000) || questions > 4 || computed(*r))
		return 0;
	for (unsigned i = 0; i < questions; i++) {
		skip_name(r);
		read_u32(r);
	}
	for (unsigned i = 0; i < answers && n < ANSWERS_MAX && reader_ok(r); i++) {
		unsigned type, len;
		const uint8_t *data;

		skip_name(r);
		type = read_u16(r);
		read_u16(r);
		read_u32(r);
		len = read_u16(r);
		data = read_take(r, len);
		if (!data || type != DNS_A || len != 4)
			continue;
		out[n] = (struct guest_answer){ .ip = { .family = 4 }, .kind = ANSWER_DNS };
		memcpy(out[n++].ip.at, data, 4);
	}
	return n;
}

static unsigned read_packet(struct reader *r, struct guest_answer out[ANSWERS_MAX])
{
	unsigned head = read_u8(r), from;

	if (head >> 4 != 4 || (head & 15) < 5)
		return 0;
	read_take(r, 5);
	if (read_u16(r) & 0x1fff)		/* a later fragment */
		return 0;
	read_u8(r);
	if (read_u8(r) != PROTO_UDP)
		return 0;
	read_take(r, (head & 15) * 4u - 10);
	from = read_u16(r);
	read_take(r, 6);
	return reader_ok(r) && from == PORT_DNS ? read_dns(r, out) : 0;
}

unsigned answers_read(struct bytes frame, struct guest_answer out[ANSWERS_MAX])
{
	struct reader r = reader_of(frame.at, frame.len);

	read_take(&r, 12);
	switch (read_u16(&r)) {
	case ETHER_ARP:
		return read_arp(&r, out);
	case ETHER_IP:
		return read_packet(&r, out);
	default:
		return 0;
	}
}

void check_answer(const struct judge *j, const struct beliefs *b, const struct network_record *n,
		  const struct answer_case *a, int64_t stale_ns)
{
	static const char *const words[] = { [ANSWER_ARP] = "answers ARP", [ANSWER_DNS] = "answers DNS with" };
	const struct ip *ip = &a->answer.ip;
	int64_t from_ns, to_ns = a->at_ns + ANSWERS_WAIT_NS;

	if (!ip_in(ip, &n->range4) || !network_leasable(n, ip))
		return;
	findings_checked(j->found, ORACLE_ANSWERS, 1);
	stale_ns *= a->answer.kind == ANSWER_DNS ? 2 : 1;
	from_ns = a->at_ns - stale_ns;
	if (a->own || a->excused)
		return;
	if (a->resolved && a->answer.kind == ANSWER_ARP && !beliefs_owner(b, n->id, ip, a->owner, from_ns, to_ns))
		findings_add(j->found, ORACLE_ANSWERS, a->at_ns, a->host,
			     "it %s for %u.%u.%u.%u as %08" PRIx64 "...'s, who did not believe in it within %.0f s, "
			     "expected its owner", words[a->answer.kind], ip->at[0], ip->at[1], ip->at[2], ip->at[3],
			     a->owner.hi >> 32, (double)stale_ns / 1e9);
	else if (!beliefs_any(b, n->id, ip, from_ns, to_ns))
		findings_add(j->found, ORACLE_ANSWERS, a->at_ns, a->host,
			     "it %s for %u.%u.%u.%u, which nobody believed in within %.0f s, expected silence",
			     words[a->answer.kind], ip->at[0], ip->at[1], ip->at[2], ip->at[3],
			     (double)stale_ns / 1e9);
}
