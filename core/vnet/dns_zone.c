#include "core/vnet/dns_zone.h"

static const char GATEWAY[] = "gateway", IN_ADDR[] = "in-addr.arpa", IP6[] = "ip6.arpa";

static bool label_is(struct bytes l, const char *text)
{
	if (l.len != strlen(text))
		return false;
	for (size_t i = 0; i < l.len; i++)
		if (dns_lower(l.at[i]) != (uint8_t)text[i])
			return false;
	return true;
}

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

bool dns_domain(const struct network_record *net, struct dns_name *out)
{
	return dns_name_text(out, bytes_of(net->domain));
}

/* C and nine digits? */
static bool computed_form(struct bytes l)
{
	if (l.len != 10 || dns_lower(l.at[0]) != 'c')
		return false;
	for (unsigned i = 1; i < 10; i++)
		if (l.at[i] < '0' || l.at[i] > '9')
			return false;
	return true;
}

bool dns_computed(const struct network_record *net, const struct ip *a, uint8_t out[10])
{
	if (a->family != 4 || a->at[0] != net->range4.ip.at[0])
		return false;
	out[0] = 'C';
	for (unsigned i = 0; i < 3; i++) {
		out[1 + 3 * i] = (uint8_t)('0' + a->at[1 + i] / 100);
		out[2 + 3 * i] = (uint8_t)('0' + a->at[1 + i] / 10 % 10);
		out[3 + 3 * i] = (uint8_t)('0' + a->at[1 + i] % 10);
	}
	return true;
}

/* Can a machine have @a? Not the network's own and not the broadcast address. */
static bool is_host(const struct network_record *net, const struct ip *a)
{
	uint32_t hosts = net->range4.bits ? UINT32_MAX >> net->range4.bits : UINT32_MAX;

	if (a->family == 6)
		return ip_in(a, &net->range6);
	return ip_in(a, &net->range4) && net->range4.bits < 32 && (ip_u32(a) & hosts) && (ip_u32(a) & hosts) != hosts;
}

/* The address a computed label stands for; false: of no machine here. */
static bool compute(const struct network_record *net, struct bytes l, struct ip *out)
{
	*out = (struct ip){ .at = { net->range4.ip.at[0] }, .family = net->range4.ip.family };
	for (unsigned i = 0; i < 3; i++) {
		unsigned octet = (l.at[1 + 3 * i] - '0') * 100u + (l.at[2 + 3 * i] - '0') * 10u + l.at[3 + 3 * i] - '0';

		if (octet > 255)
			return false;
		out->at[1 + i] = (uint8_t)octet;
	}
	return out->family == 4 && is_host(net, out);
}

bool dns_host_label(struct bytes in, uint8_t out[DNS_LABEL_MAX])
{
	if (!in.len || in.len > DNS_LABEL_MAX || in.at[0] == '-' || in.at[in.len - 1] == '-' || computed_form(in) ||
	    label_is(in, GATEWAY))
		return false;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t b = dns_lower(in.at[i]);

		if (!((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-'))
			return false;
		out[i] = b;
	}
	return true;
}

/* ---- reverse names ---- */

static uint8_t put_octet(uint8_t *out, uint8_t v)
{
	uint8_t n = 0;

	if (v >= 100)
		out[n++] = (uint8_t)('0' + v / 100);
	if (v >= 10)
		out[n++] = (uint8_t)('0' + v / 10 % 10);
	out[n++] = (uint8_t)('0' + v % 10);
	out[n++] = '.';
	return n;
}

/* The first @units octets (IPv4) or nibbles (IPv6) of @a, turned round, and the suffix. */
static uint8_t reverse(const struct ip *a, unsigned units, uint8_t *out)
{
	static const char HEX[] = "0123456789abcdef";
	const char *suffix = a->family == 4 ? IN_ADDR : IP6;
	uint8_t n = 0;

	while (units--) {
		if (a->family == 4) {
			n = (uint8_t)(n + put_octet(out + n, a->at[units]));
			continue;
		}
		out[n++] = (uint8_t)HEX[units % 2 ? a->at[units / 2] & 15 : a->at[units / 2] >> 4];
		out[n++] = '.';
	}
	memcpy(out + n, suffix, strlen(suffix));
	return (uint8_t)(n + strlen(suffix));
}

uint8_t dns_reverse(const struct ip *a, uint8_t out[DNS_KEY_MAX])
{
	return reverse(a, a->family == 4 ? 4 : 32, out);
}

/* A label that is one octet in decimal, as it is written: no signs, no zeros in front. */
static bool octet_of(struct bytes l, uint8_t *out)
{
	unsigned v = 0;

	if (!l.len || l.len > 3 || (l.len > 1 && l.at[0] == '0'))
		return false;
	for (size_t i = 0; i < l.len; i++) {
		if (l.at[i] < '0' || l.at[i] > '9')
			return false;
		v = v * 10 + l.at[i] - '0';
	}
	*out = (uint8_t)v;
	return v <= 255;
}

static bool nibble_of(struct bytes l, uint8_t *out)
{
	uint8_t b = l.len == 1 ? dns_lower(l.at[0]) : 0;

	if (!((b >= '0' && b <= '9') || (b >= 'a' && b <= 'f')))
		return false;
	*out = (uint8_t)(b <= '9' ? b - '0' : b - 'a' + 10);
	return true;
}

/* @n has @units labels before the suffix; what the network's range @range knows of it. */
static void place_reverse(const struct network_record *net, const struct ip_range *range, const struct dns_name *n,
			  unsigned units, struct dns_means *out)
{
	unsigned bits = range->ip.family == 4 ? 8 : 4, most = range->ip.family == 4 ? 4 : 32;
	unsigned ours = range->bits / bits;
	struct ip_range part = { range->ip, (uint8_t)(ours * bits) };
	struct ip a = { .family = range->ip.family };
	uint8_t text[DNS_KEY_MAX], v = 0;
	bool odd = false;			/* no address has this name */

	if (units < ours)
		return;				/* above our part: somebody else's */
	for (unsigned i = 0; i < units && i < most && !odd; i++) {
		struct bytes l = dns_label(n, units - 1 - i);

		odd = !(bits == 8 ? octet_of(l, &v) : nibble_of(l, &v));
		if (odd && i < ours)
			return;
		if (!odd)
			a.at[i * bits / 8] |= (uint8_t)(bits == 4 && i % 2 == 0 ? v << 4 : v);
	}
	odd = odd || units > most;
	if (!ip_in(&a, &part) || (units == most && !odd && !ip_in(&a, range)))
		return;				/* beside it */
	dns_name_text(&out->zone, (struct bytes){ text, reverse(&range->ip, ours, text) });
	if (odd || (units == most && !is_host(net, &a))) {
		out->place = PLACE_NOTHING;
	} else if (units < most) {
		out->place = units == ours ? PLACE_APEX : PLACE_ABOVE;
	} else {
		out->place = PLACE_ADDRESS;
		out->ip = a;
		out->key_len = dns_reverse(&a, out->key);
	}
}

/* ---- all together ---- */

static void place_below(const struct network_record *net, const struct dns_name *n, unsigned below, struct dns_means *out)
{
	struct bytes l = dns_label(n, 0);

	if (!below)
		out->place = PLACE_APEX;
	else if (below > 1)
		out->place = PLACE_NOTHING;
	else if (computed_form(l))
		out->place = compute(net, l, &out->ip) ? PLACE_COMPUTED : PLACE_NOTHING;
	else if (label_is(l, GATEWAY))
		out->place = PLACE_GATEWAY;
	else if (dns_host_label(l, out->key))
		out->place = PLACE_HOST, out->key_len = (uint8_t)l.len;
	else
		out->place = PLACE_NOTHING;
}

void dns_place(const struct network_record *net, const struct dns_name *n, struct dns_means *out)
{
	struct dns_name zone;
	unsigned below;

	memset(out, 0, sizeof(*out));
	if (dns_domain(net, &zone) && dns_name_in(n, &zone, &below)) {
		out->zone = zone;
		place_below(net, n, below, out);
		return;
	}
	/* The paper's names come without a domain as well: from programs that know no other kind. */
	if (n->labels == 1 && computed_form(dns_label(n, 0)) && compute(net, dns_label(n, 0), &out->ip)) {
		out->place = PLACE_COMPUTED;
		return;
	}
	if (net->range4.ip.family && dns_name_text(&zone, bytes_of(IN_ADDR)) && dns_name_in(n, &zone, &below))
		place_reverse(net, &net->range4, n, below, out);
	else if (net->range6.ip.family && dns_name_text(&zone, bytes_of(IP6)) && dns_name_in(n, &zone, &below))
		place_reverse(net, &net->range6, n, below, out);
}
