/* dns.c - one question, one answer (RFC 1035; AAAA: RFC 3596); compression followed a bounded number of times */
#include "sim/guest/inside.h"

#include <string.h>

enum { HEADER = 12, TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, CLASS_IN = 1, JUMPS = 16 };

static unsigned type_of(unsigned family)
{
	return family == 4 ? TYPE_A : family == 6 ? TYPE_AAAA : TYPE_PTR;
}

size_t guest_dns_ask(uint8_t *at, size_t room, uint16_t id, const char *name, unsigned family)
{
	size_t len = strlen(name), n = HEADER;

	if (HEADER + len + 6 > room || len > 253)
		return 0;
	memset(at, 0, HEADER);
	put16(at, id);
	at[2] = 1;				/* recursion desired */
	put16(at + 4, 1);
	while (*name) {
		const char *dot = strchr(name, '.');
		size_t label = dot ? (size_t)(dot - name) : strlen(name);

		if (!label || label > 63)
			return 0;
		at[n++] = (uint8_t)label;
		memcpy(at + n, name, label);
		n += label;
		name += label + (dot != NULL);
	}
	at[n++] = 0;
	put16(at + n, type_of(family));
	put16(at + n + 2, CLASS_IN);
	return n + 4;
}

/* The name at @i, into @text if that is not NULL. Return: where it ends in the message, 0 if it is none */
static size_t read_name(const uint8_t *at, size_t len, size_t i, char *text, size_t room)
{
	size_t end = 0, n = 0;

	for (unsigned jumps = 0; ; ) {
		unsigned label;

		if (i >= len)
			return 0;
		label = at[i];
		if ((label & 0xc0) == 0xc0) {
			if (i + 2 > len || ++jumps > JUMPS)
				return 0;
			if (!end)
				end = i + 2;
			i = (label & 0x3f) << 8 | at[i + 1];
			continue;
		}
		if (label > 63 || i + 1 + label > len)
			return 0;
		if (!label) {
			if (text)
				text[n < room ? n : room - 1] = '\0';
			return end ? end : i + 1;
		}
		if (text && n + label + 1 < room) {
			if (n)
				text[n++] = '.';
			memcpy(text + n, at + i + 1, label);
			n += label;
		}
		i += 1 + label;
	}
}

bool guest_dns_read(const uint8_t *at, size_t len, uint16_t id, unsigned family, struct dns_answer *out)
{
	unsigned type = type_of(family), answers, questions;
	size_t i = HEADER;

	*out = (struct dns_answer){ 0 };
	if (len < HEADER || get16(at) != id || !(at[2] & 0x80))
		return false;
	out->code = at[3] & 15;
	questions = get16(at + 4);
	answers = get16(at + 6);
	for (unsigned q = 0; q < questions; q++) {
		i = read_name(at, len, i, NULL, 0);
		if (!i || i + 4 > len)
			return false;
		i += 4;
	}
	for (unsigned a = 0; a < answers; a++) {
		unsigned data;

		i = read_name(at, len, i, NULL, 0);
		if (!i || i + 10 > len)
			return false;
		data = get16(at + i + 8);
		if (i + 10 + data > len)
			return false;
		if (get16(at + i) == type && get16(at + i + 2) == CLASS_IN && !out->ip.family && !out->name[0]) {
			if (type == TYPE_PTR) {
				if (!read_name(at, len, i + 10, out->name, sizeof(out->name)))
					return false;
			} else if (data == (type == TYPE_A ? 4u : 16u)) {
				out->ip.family = (uint8_t)family;
				memcpy(out->ip.at, at + i + 10, data);
			}
		}
		i += 10 + data;
	}
	return true;
}

void guest_dns_reverse(const struct ip *ip, char *name, size_t room)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (int i = ip->family == 4 ? 3 : 15; i >= 0 && n + 8 < room; i--) {
		unsigned v = ip->at[i];

		if (ip->family == 6) {
			name[n++] = hex[v & 15];
			name[n++] = '.';
			name[n++] = hex[v >> 4];
		} else {
			if (v >= 100)
				name[n++] = (char)('0' + v / 100);
			if (v >= 10)
				name[n++] = (char)('0' + v / 10 % 10);
			name[n++] = (char)('0' + v % 10);
		}
		name[n++] = '.';
	}
	memcpy(name + n, ip->family == 4 ? "in-addr.arpa" : "ip6.arpa", ip->family == 4 ? 13 : 9);
}
