/*
 * The signed record, byte by byte:
 *
 *	version 1 | key 32 | serial 8 | name | domain | layer 1 | policy 1
 *	| replicas 1 | generation 4 | term 4 | mtu 2 | drift 2
 *	| range4 | range6 | reserved: count 1, ranges | dns: count 1, addresses
 *	| founders: count 1, ids 16 each | length 2 of what later versions add
 *	| signature 64 over all before it
 *
 *	name, domain = length 1 | bytes		address = family 1 | 0, 4 or 16 bytes
 *	range = address | bits 1 (none after family 0)
 *
 * One record has one form: host bits are zero, nothing stands twice, so that
 * whoever holds two of one serial can compare bytes.
 */
#include "core/dht/network.h"

#include <assert.h>
#include <sodium.h>

enum {
	RECORD_VERSION	= 1,
	V4_BITS_MIN	= 8,
	V4_BITS_MAX	= 30,
	V6_BITS_MIN	= 64,		/* slots number the last 64 bits */
	V6_BITS_MAX	= 120,
	MTU_MIN		= 576,
	MTU_MIN_V6	= 1280,		/* RFC 8200, section 5 */
	MTU_MAX		= 9000,
	DRIFT_DEFAULT	= 500,		/* ppm: NTP's own bound of a sane clock (RFC 5905, appendix A) */
	DRIFT_MAX	= 50000,
	REPLICAS	= 5,
};

void network_defaults(struct network_record *n)
{
	memset(n, 0, sizeof(*n));
	n->serial = 1;
	n->term_s = TERM_DEFAULT;
	n->mtu = MTU_DEFAULT;
	n->drift_ppm = DRIFT_DEFAULT;
	n->policy = POLICY_STRICT;
	n->replicas = REPLICAS;
	n->layer = 3;
}

struct id network_id(const uint8_t key[KEY_BYTES])
{
	uint8_t out[ID_BYTES];
	struct reader r = reader_of(out, sizeof(out));

	crypto_generichash_blake2b(out, sizeof(out), key, KEY_BYTES, NULL, 0);
	return read_id(&r);
}

/* ---- the form ---- */

static unsigned address_len(const struct ip *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

static void write_range(struct writer *w, const struct ip_range *r)
{
	write_ip(w, &r->ip);
	if (r->ip.family)
		write_u8(w, r->bits);
}

static struct ip_range read_range(struct reader *r)
{
	struct ip_range g = { .ip = read_ip(r) };

	if (g.ip.family)
		g.bits = read_u8(r);
	return g;
}

static void write_text(struct writer *w, const char *s)
{
	write_u8(w, (uint8_t)strlen(s));
	write_copy(w, s, strlen(s));
}

static void read_text(struct reader *r, char out[NETWORK_NAME_MAX + 1])
{
	size_t len = read_u8(r);

	memset(out, 0, NETWORK_NAME_MAX + 1);
	if (len > NETWORK_NAME_MAX)
		r->bad = true;
	else
		read_copy(r, out, len);
}

/* ---- the fields ---- */

/* Labels of letters, digits and hyphens; a domain may have several. Names stand on terminals and in DNS. */
static bool text_good(const char *s, bool dots)
{
	char before = '.';

	for (; *s; before = *s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
		    (*s != '-' || before == '.') && (*s != '.' || !dots || before == '.'))
			return false;
	return before != '.' && before != '-';
}

static bool host_bits_zero(const struct ip_range *r)
{
	unsigned len = address_len(&r->ip);

	for (unsigned bit = r->bits; bit < len * 8; bit++)
		if (r->ip.at[bit / 8] & (0x80 >> bit % 8))
			return false;
	for (unsigned i = len; i < sizeof(r->ip.at); i++)
		if (r->ip.at[i])
			return false;
	return true;
}

static bool range_good(const struct ip_range *r, uint8_t family, unsigned least, unsigned most)
{
	if (!r->ip.family)
		return !r->bits && host_bits_zero(r);
	return r->ip.family == family && r->bits >= least && r->bits <= most && host_bits_zero(r);
}

static bool reserved_good(const struct network_record *n, unsigned i)
{
	const struct ip_range *r = &n->reserved[i], *in = r->ip.family == 4 ? &n->range4 : &n->range6;

	return r->ip.family && ip_in(&r->ip, in) && r->bits >= in->bits && host_bits_zero(r) &&
	       r->bits <= address_len(&r->ip) * 8;
}

static bool count_good(unsigned n)
{
	return n == 1 || n == 3 || n == 5;
}

static bool fields_good(const struct network_record *n)
{
	if (!text_good(n->name, false) || (*n->domain && !text_good(n->domain, true)))
		return false;
	if (!range_good(&n->range4, 4, V4_BITS_MIN, V4_BITS_MAX) || !range_good(&n->range6, 6, V6_BITS_MIN, V6_BITS_MAX))
		return false;
	if (n->layer != 2 && (n->layer != 3 || (!n->range4.ip.family && !n->range6.ip.family)))
		return false;
	if (n->reserveds > NETWORK_RESERVED || n->dnss > NETWORK_DNS)
		return false;
	for (unsigned i = 0; i < n->reserveds; i++)
		if (!reserved_good(n, i))
			return false;
	for (unsigned i = 0; i < n->dnss; i++)
		if (!n->dns[i].family)
			return false;
	if (n->term_s < TERM_MIN || n->term_s > TERM_MAX || n->drift_ppm > DRIFT_MAX || n->policy > POLICY_RECLAIM)
		return false;
	if (n->mtu < (n->range6.ip.family ? MTU_MIN_V6 : MTU_MIN) || n->mtu > MTU_MAX)
		return false;
	if (!count_good(n->replicas) || !count_good(n->founders))
		return false;
	for (unsigned i = 0; i < n->founders; i++)
		for (unsigned k = 0; k < i; k++)
			if (id_eq(n->founder[i], n->founder[k]))
				return false;
	return true;
}

/* ---- as a whole ---- */

bool network_sign(const struct suite *suite, const uint8_t secret[SIGN_BYTES], const struct network_record *n,
		  struct writer *w)
{
	uint8_t buf[NETWORK_RECORD_MAX], *signature;
	struct writer b = writer_of(buf, sizeof(buf));
	size_t len;

	if (!fields_good(n) || memcmp(n->key, secret + KEY_BYTES, KEY_BYTES))
		return false;
	write_u8(&b, RECORD_VERSION);
	write_copy(&b, n->key, KEY_BYTES);
	write_u64(&b, n->serial);
	write_text(&b, n->name);
	write_text(&b, n->domain);
	write_u8(&b, n->layer);
	write_u8(&b, n->policy);
	write_u8(&b, n->replicas);
	write_u32(&b, n->generation);
	write_u32(&b, n->term_s);
	write_u16(&b, n->mtu);
	write_u16(&b, n->drift_ppm);
	write_range(&b, &n->range4);
	write_range(&b, &n->range6);
	write_u8(&b, n->reserveds);
	for (unsigned i = 0; i < n->reserveds; i++)
		write_range(&b, &n->reserved[i]);
	write_u8(&b, n->dnss);
	for (unsigned i = 0; i < n->dnss; i++)
		write_ip(&b, &n->dns[i]);
	write_u8(&b, n->founders);
	for (unsigned i = 0; i < n->founders; i++)
		write_id(&b, n->founder[i]);
	write_u16(&b, 0);
	len = writer_len(&b);
	signature = write_space(&b, SIGNATURE_BYTES);
	if (!signature || writer_left(w) < writer_len(&b))
		return false;
	suite->sign(signature, secret, (struct bytes){ buf, len });
	write_copy(w, buf, writer_len(&b));
	return !w->bad;
}

static void read_lists(struct reader *r, struct network_record *n)
{
	n->reserveds = read_u8(r);
	r->bad |= n->reserveds > NETWORK_RESERVED;
	for (unsigned i = 0; !r->bad && i < n->reserveds; i++)
		n->reserved[i] = read_range(r);
	n->dnss = read_u8(r);
	r->bad |= n->dnss > NETWORK_DNS;
	for (unsigned i = 0; !r->bad && i < n->dnss; i++)
		n->dns[i] = read_ip(r);
	n->founders = read_u8(r);
	r->bad |= n->founders > VIEW_MAX;
	for (unsigned i = 0; !r->bad && i < n->founders; i++)
		n->founder[i] = read_id(r);
}

enum drop network_read(const struct suite *suite, struct bytes blob, struct network_record *out)
{
	struct reader r = reader_of(blob.at, blob.len);
	struct network_record n;
	const uint8_t *signature;

	memset(&n, 0, sizeof(n));
	if (blob.len < 1 + KEY_BYTES + SIGNATURE_BYTES)
		return DROP_SHORT;
	if (blob.len > NETWORK_RECORD_MAX || read_u8(&r) != RECORD_VERSION)
		return DROP_VALUE;
	read_copy(&r, n.key, KEY_BYTES);
	n.serial = read_u64(&r);
	read_text(&r, n.name);
	read_text(&r, n.domain);
	n.layer = read_u8(&r);
	n.policy = read_u8(&r);
	n.replicas = read_u8(&r);
	n.generation = read_u32(&r);
	n.term_s = read_u32(&r);
	n.mtu = read_u16(&r);
	n.drift_ppm = read_u16(&r);
	n.range4 = read_range(&r);
	n.range6 = read_range(&r);
	read_lists(&r, &n);
	read_take(&r, read_u16(&r));
	signature = read_take(&r, SIGNATURE_BYTES);
	if (!reader_done(&r))
		return DROP_VALUE;
	if (!fields_good(&n))
		return DROP_RANGE;
	if (!suite->verify(signature, n.key, (struct bytes){ blob.at, blob.len - SIGNATURE_BYTES }))
		return DROP_SEAL;
	if (!*n.domain)
		memcpy(n.domain, n.name, sizeof(n.domain));
	n.id = network_id(n.key);
	*out = n;
	return DROP_NONE;
}

/* ---- addresses ---- */

static const struct ip_range *range_of(const struct network_record *n, unsigned family)
{
	return family == 4 ? &n->range4 : &n->range6;
}

struct ip network_gateway(const struct network_record *n, unsigned family)
{
	struct ip a = range_of(n, family)->ip;

	assert(family == 4 || family == 6);
	if (a.family)
		a.at[address_len(&a) - 1] |= 1;
	return a;
}

bool network_reserved(const struct network_record *n, const struct ip *a)
{
	for (unsigned i = 0; i < n->reserveds; i++)
		if (ip_in(a, &n->reserved[i]))
			return true;
	return false;
}

/* Is @a the last address of @r, where IPv4 broadcasts? */
static bool is_last(const struct ip *a, const struct ip_range *r)
{
	uint32_t hosts = UINT32_MAX >> r->bits;

	return (ip_u32(a) & hosts) == hosts;
}

bool network_leasable(const struct network_record *n, const struct ip *a)
{
	const struct ip_range *r = range_of(n, a->family);
	struct ip gateway;

	if (!ip_in(a, r) || network_reserved(n, a))
		return false;
	gateway = network_gateway(n, a->family);
	return !ip_eq(a, &r->ip) && !ip_eq(a, &gateway) && !(a->family == 4 && is_last(a, r));
}
