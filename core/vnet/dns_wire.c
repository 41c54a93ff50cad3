#include "core/vnet/dns_wire.h"

enum { FLAG_QR = 0x8000, FLAG_AA = 0x0400, FLAG_TC = 0x0200, FLAG_RD = 0x0100, FLAG_CD = 0x0010, OWNER = 0xc00c };

/* ---- names ---- */

/* One more label; false if the name gets too long. */
static bool label_add(struct dns_name *n, const uint8_t *at, uint8_t len)
{
	if (n->len + 1u + len + 1u > DNS_NAME_MAX)	/* room for the root stays */
		return false;
	n->at[n->len++] = len;
	if (len)
		memcpy(n->at + n->len, at, len);
	n->len = (uint8_t)(n->len + len);
	n->labels++;
	return true;
}

static void root_add(struct dns_name *n)
{
	n->at[n->len++] = 0;
}

bool dns_name_read(struct bytes message, size_t *at, struct dns_name *n)
{
	size_t p = *at, began = p, behind = 0;

	*n = (struct dns_name){ 0 };
	while (p < message.len) {
		uint8_t b = message.at[p++];

		if (!b) {
			root_add(n);
			*at = behind ? behind : p;
			return true;
		}
		if (b >= 0xc0) {
			size_t to;

			if (p == message.len)
				return false;
			to = (size_t)(b & 0x3f) << 8 | message.at[p++];
			if (to < DNS_HEADER || to >= began)
				return false;
			behind = behind ? behind : p;
			p = began = to;
		} else if (b > DNS_LABEL_MAX || message.len - p < b || !label_add(n, message.at + p, b)) {
			return false;
		} else {
			p += b;
		}
	}
	return false;
}

bool dns_name_text(struct dns_name *n, struct bytes text)
{
	size_t from = 0;

	*n = (struct dns_name){ 0 };
	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.at[i] != '.')
			continue;
		if (i == from || i - from > DNS_LABEL_MAX || !label_add(n, text.at + from, (uint8_t)(i - from)))
			return false;
		from = i + 1;
	}
	root_add(n);
	return true;
}

bool dns_name_add(struct dns_name *n, struct bytes label, const struct dns_name *tail)
{
	*n = (struct dns_name){ 0 };
	if (!label.len || label.len > DNS_LABEL_MAX || label.len + 1 + tail->len > DNS_NAME_MAX)
		return false;
	label_add(n, label.at, (uint8_t)label.len);
	memcpy(n->at + n->len, tail->at, tail->len);
	n->len = (uint8_t)(n->len + tail->len);
	n->labels = (uint8_t)(n->labels + tail->labels);
	return true;
}

struct bytes dns_label(const struct dns_name *n, unsigned i)
{
	size_t p = 0;

	if (i >= n->labels)
		return (struct bytes){ NULL, 0 };
	while (i--)
		p += 1u + n->at[p];
	return (struct bytes){ n->at + p + 1, n->at[p] };
}

bool dns_name_in(const struct dns_name *n, const struct dns_name *zone, unsigned *below)
{
	unsigned more = (unsigned)n->labels - zone->labels;
	size_t skip = (size_t)n->len - zone->len;

	if (n->labels < zone->labels || n->len < zone->len)
		return false;
	for (unsigned i = 0, p = 0; i <= more; p += 1u + n->at[p], i++)
		if (i == more && p != skip)
			return false;
	for (size_t i = 0; i < zone->len; i++)		/* lengths are below 'A' */
		if (dns_lower(n->at[skip + i]) != dns_lower(zone->at[i]))
			return false;
	*below = more;
	return true;
}

/* ---- reading ---- */

bool dns_record_read(struct bytes message, size_t *at, struct dns_record *r)
{
	size_t p = *at;
	struct reader rd;

	if (!dns_name_read(message, &p, &r->name))
		return false;
	rd = reader_of(message.at + p, message.len - p);
	r->type = read_u16(&rd);
	r->class = read_u16(&rd);
	r->ttl_s = read_u32(&rd);
	r->data.len = read_u16(&rd);
	r->data.at = read_take(&rd, r->data.len);
	if (!reader_ok(&rd))
		return false;
	*at = (size_t)(rd.at - message.at);
	r->data_at = *at - r->data.len;
	return true;
}

/* The records behind the question: at most one is an OPT, of the root, and nothing follows the last. */
static bool rest_read(struct bytes message, size_t at, unsigned records, struct dns_query *q)
{
	struct dns_record r;

	while (records--) {
		if (!dns_record_read(message, &at, &r))
			return false;
		if (r.type != DNS_OPT)
			continue;
		if (q->edns || r.name.labels)
			return false;
		q->edns = true;
		q->size = r.class < DNS_PLAIN_MAX ? DNS_PLAIN_MAX : r.class;	/* RFC 6891 6.2.3 */
		q->version = (uint8_t)(r.ttl_s >> 16);
		q->dnssec_ok = r.ttl_s >> 15 & 1;
	}
	return at == message.len;
}

enum drop dns_query_read(struct bytes message, struct dns_query *q, uint8_t *rcode)
{
	struct reader r = reader_of(message.at, message.len);
	uint16_t flags, questions, answers, authorities, additional;
	size_t at = DNS_HEADER;

	*q = (struct dns_query){ .id = read_u16(&r), .size = DNS_PLAIN_MAX };
	flags = read_u16(&r);
	questions = read_u16(&r);
	answers = read_u16(&r);
	authorities = read_u16(&r);
	additional = read_u16(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (flags & FLAG_QR)
		return DROP_ROGUE;
	q->opcode = flags >> 11 & 15;
	q->rd = flags & FLAG_RD;
	q->cd = flags & FLAG_CD;
	*rcode = DNS_FORMERR;
	if (q->opcode) {
		*rcode = DNS_NOTIMP;
		return DROP_NONE;
	}
	if (questions != 1 || answers || authorities || !dns_name_read(message, &at, &q->name)) {
		q->name.len = 0;
		return DROP_NONE;
	}
	r = reader_of(message.at + at, message.len - at);
	q->type = read_u16(&r);
	q->class = read_u16(&r);
	if (!reader_ok(&r)) {
		q->name.len = 0;
		return DROP_NONE;
	}
	if (!rest_read(message, at + 4, additional, q) || q->type == DNS_OPT)
		return DROP_NONE;
	*rcode = q->version ? DNS_BADVERS : DNS_NOERROR;
	return DROP_NONE;
}

/* ---- writing ---- */

static void opt_write(struct writer *w, uint32_t ttl)
{
	write_u8(w, 0);
	write_u16(w, DNS_OPT);
	write_u16(w, DNS_EDNS_SIZE);
	write_u32(w, ttl);
	write_u16(w, 0);
}

void dns_query_write(struct writer *w, const struct dns_query *q, uint16_t id)
{
	write_u16(w, id);
	write_u16(w, (uint16_t)((q->rd ? FLAG_RD : 0) | (q->cd ? FLAG_CD : 0)));
	write_u16(w, 1);
	write_u32(w, 0);
	write_u16(w, q->edns ? 1 : 0);
	write_copy(w, q->name.at, q->name.len);
	write_u16(w, q->type);
	write_u16(w, q->class);
	if (q->edns)
		opt_write(w, q->dnssec_ok ? 0x8000 : 0);
}

void dns_begin(struct dns_reply *r, const struct dns_query *q, uint8_t rcode, bool aa, uint8_t *buf, size_t room)
{
	*r = (struct dns_reply){ .q = q, .rcode = rcode, .aa = aa };
	r->w = writer_of(buf, (room < q->size ? room : q->size) - (q->edns ? DNS_OPT_LEN : 0));
	memset(write_space(&r->w, DNS_HEADER), 0, DNS_HEADER);
	if (q->name.len) {
		write_copy(&r->w, q->name.at, q->name.len);
		write_u16(&r->w, q->type);
		write_u16(&r->w, q->class);
	}
}

/* A record is whole or not there; once one did not fit none follows. */
static bool record(struct dns_reply *r, uint16_t type, uint32_t ttl_s, const struct dns_name *owner, size_t len)
{
	size_t owner_len = owner ? owner->len : 2;

	if (r->full || writer_left(&r->w) < owner_len + 10 + len) {
		r->full = true;
		return false;
	}
	if (owner)
		write_copy(&r->w, owner->at, owner->len);
	else
		write_u16(&r->w, OWNER);
	write_u16(&r->w, type);
	write_u16(&r->w, DNS_IN);
	write_u32(&r->w, ttl_s);
	write_u16(&r->w, (uint16_t)len);
	return true;
}

void dns_answer_ip(struct dns_reply *r, uint32_t ttl_s, const struct ip *a)
{
	size_t len = a->family == 4 ? 4 : 16;

	if (!record(r, a->family == 4 ? DNS_A : DNS_AAAA, ttl_s, NULL, len))
		return;
	write_copy(&r->w, a->at, len);
	r->answers++;
}

void dns_answer_name(struct dns_reply *r, uint16_t type, uint32_t ttl_s, const struct dns_name *n)
{
	if (!record(r, type, ttl_s, NULL, n->len))
		return;
	write_copy(&r->w, n->at, n->len);
	r->answers++;
}

void dns_soa(struct dns_reply *r, bool answer, const struct dns_name *zone, const struct dns_name *server,
	     uint32_t serial, uint32_t ttl_s)
{
	static const uint8_t MAIL[] = "\012hostmaster";		/* RFC 2142, before the zone */

	if (!record(r, DNS_SOA, ttl_s, answer ? NULL : zone, server->len + 11u + zone->len + 20u)) {
		r->full = answer;		/* a no without its time is a no (RFC 2308 6) */
		return;
	}
	write_copy(&r->w, server->at, server->len);
	write_copy(&r->w, MAIL, 11);
	write_copy(&r->w, zone->at, zone->len);
	write_u32(&r->w, serial);
	write_u32(&r->w, 3600);			/* nobody copies this zone: refresh, retry, expire say nothing */
	write_u32(&r->w, 600);
	write_u32(&r->w, 86400);
	write_u32(&r->w, ttl_s);
	if (answer)
		r->answers++;
	else
		r->authorities++;
}

size_t dns_end(struct dns_reply *r)
{
	const struct dns_query *q = r->q;
	struct writer h = writer_of(r->w.start, DNS_HEADER);
	uint16_t flags = (uint16_t)(FLAG_QR | q->opcode << 11 | (r->aa ? FLAG_AA : 0) | (r->full ? FLAG_TC : 0) |
				    (q->rd ? FLAG_RD : 0) | (q->cd ? FLAG_CD : 0) | (r->rcode & 15));

	if (q->edns) {
		r->w.end += DNS_OPT_LEN;
		opt_write(&r->w, (uint32_t)(r->rcode >> 4) << 24 | (q->dnssec_ok ? 0x8000 : 0));
	}
	write_u16(&h, q->id);
	write_u16(&h, flags);
	write_u16(&h, q->name.len ? 1 : 0);
	write_u16(&h, r->answers);
	write_u16(&h, r->authorities);
	write_u16(&h, q->edns ? 1 : 0);
	return writer_len(&r->w);
}
