/*
 * IGMP and MLD as a switch reads them (RFC 4541): who on our side of the tap wants
 * which group. Formats: RFC 2236 (IGMPv2), 3376 (v3), 2710 (MLDv1), 3810 (v2).
 */
#include "core/vnet/path.h"

enum {
	IGMP_QUERY = 0x11, IGMP_V1_REPORT = 0x12, IGMP_V2_REPORT = 0x16, IGMP_LEAVE = 0x17, IGMP_V3_REPORT = 0x22,
	MLD_QUERY = 130, MLD_REPORT = 131, MLD_DONE = 132, MLD_V2_REPORT = 143,
	IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK,
	RESPONSE	= 100,		/* tenths of a second a host may take to answer (10 s) */
	ROBUSTNESS	= 2,
	QUERY_S		= 125,
};

bool snoop_told(const struct packet *p)
{
	if (p->proto == PROTO_IGMP)
		return true;
	return p->proto == PROTO_ICMP6 && (p->icmp_type == MLD_QUERY || p->icmp_type == MLD_REPORT ||
					   p->icmp_type == MLD_DONE || p->icmp_type == MLD_V2_REPORT);
}

bool snoop_always(const struct ip *group)
{
	if (group->family == 4)
		return group->at[0] < 224 || group->at[0] > 239 ||
		       (group->at[0] == 224 && !group->at[1] && !group->at[2]);
	return group->at[0] != 0xff || (group->at[1] & 15) <= 2;
}

static struct ip read_group(struct reader *r, unsigned family)
{
	struct ip group = { .family = (uint8_t)family };

	read_copy(r, group.at, family == 4 ? 4 : 16);
	return group;
}

static unsigned one(struct reader *r, unsigned family, bool joins, struct snooped *out, unsigned max, enum drop *why)
{
	struct ip group = read_group(r, family);

	if (!reader_ok(r) || !ip_multicast(&group)) {
		*why = DROP_VALUE;
		return 0;
	}
	if (!max)
		return 0;
	out[0] = (struct snooped){ group, joins };
	return 1;
}

/* Group records of IGMPv3 and MLDv2: the same but for the size of an address. */
static unsigned records(struct reader *r, unsigned family, struct snooped *out, unsigned max, enum drop *why)
{
	unsigned count, n = 0;

	read_take(r, 2);
	count = read_u16(r);
	for (unsigned i = 0; i < count; i++) {
		uint8_t type = read_u8(r), aux = read_u8(r);
		uint16_t sources = read_u16(r);
		struct ip group = read_group(r, family);

		read_take(r, (size_t)sources * (family == 4 ? 4 : 16));
		read_take(r, (size_t)aux * 4);
		if (!reader_ok(r) || !ip_multicast(&group)) {
			*why = DROP_VALUE;
			return 0;
		}
		if (n == max || type < IS_INCLUDE || type > BLOCK || type == BLOCK)
			continue;
		if (type == IS_EXCLUDE || type == TO_EXCLUDE || sources)
			out[n++] = (struct snooped){ group, true };
		else if (type == TO_INCLUDE || type == IS_INCLUDE)
			out[n++] = (struct snooped){ group, false };
	}
	return n;
}

unsigned snoop_read(const struct packet *p, struct snooped *out, unsigned max, bool *query, enum drop *why)
{
	struct reader r = reader_of(p->l4.at, p->l4.len);
	uint8_t type = read_u8(&r);

	read_take(&r, 3);			/* code or response time, checksum */
	*query = false;
	*why = reader_ok(&r) ? DROP_NONE : DROP_SHORT;
	if (*why != DROP_NONE || p->more || p->fragment) {
		*why = DROP_SHORT;
		return 0;
	}
	if (p->proto == PROTO_IGMP) {
		switch (type) {
		case IGMP_QUERY:
			*query = true;
			return 0;
		case IGMP_V1_REPORT:
		case IGMP_V2_REPORT:
			return one(&r, 4, true, out, max, why);
		case IGMP_LEAVE:
			return one(&r, 4, false, out, max, why);
		case IGMP_V3_REPORT:
			return records(&r, 4, out, max, why);
		}
	} else {
		if (p->ttl != 1 || !(ip_link_local(&p->src) || ip_unspecified(&p->src))) {
			*why = DROP_RANGE;	/* RFC 3810, 5.1.14 and 5.2.13 */
			return 0;
		}
		switch (type) {
		case MLD_QUERY:
			*query = true;
			return 0;
		case MLD_REPORT:
			read_take(&r, 4);
			return one(&r, 6, true, out, max, why);
		case MLD_DONE:
			read_take(&r, 4);
			return one(&r, 6, false, out, max, why);
		case MLD_V2_REPORT:
			return records(&r, 6, out, max, why);
		}
	}
	*why = DROP_MESSAGE;
	return 0;
}

void snoop_query(struct writer *w, const struct ip *from, const struct ip *group)
{
	struct ip to = *group;
	struct build b;

	if (group->family == 4) {
		if (ip_unspecified(group))
			to = ip_v4(0xe0000001);			/* all systems */
		b = build_ip(w, from, &to, PROTO_IGMP, 1);
		write_u8(w, IGMP_QUERY);
		write_u8(w, RESPONSE);
		write_u16(w, 0);
		write_copy(w, group->at, 4);
		write_u8(w, ROBUSTNESS);
		write_u8(w, QUERY_S);
		write_u16(w, 0);
	} else {
		if (ip_unspecified(group)) {
			to.at[0] = 0xff;			/* all nodes */
			to.at[1] = 2;
			to.at[15] = 1;
		}
		b = build_icmp(w, from, &to, 1, MLD_QUERY, 0, (uint32_t)RESPONSE * 100 << 16);
		write_copy(w, group->at, 16);
		write_u8(w, ROBUSTNESS);
		write_u8(w, QUERY_S);
		write_u16(w, 0);
	}
	build_done(w, &b);
}
