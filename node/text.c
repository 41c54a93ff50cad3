#include "node/text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "core/base/bytes.h"

enum { KEY_LEN = 32 };

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char DIGITS[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = DIGITS[bytes[i] >> 4];
		*out++ = DIGITS[bytes[i] & 15];
	}
	*out = 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Exactly @len bytes of hexadecimal and nothing else. */
static bool unhex(const char *text, uint8_t *bytes, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++)
		if (digit(text[i]) < 0)
			return false;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

const char *id_text(struct id id, char buf[ID_TEXT])
{
	uint8_t bytes[ID_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));

	write_id(&w, id);
	hex(buf, bytes, sizeof(bytes));
	return buf;
}

bool id_read(const char *text, struct id *id)
{
	uint8_t bytes[ID_BYTES];
	struct reader r = reader_of(bytes, sizeof(bytes));

	if (!unhex(text, bytes, sizeof(bytes)))
		return false;
	*id = read_id(&r);
	return true;
}

struct id id_of_name(const char *name)
{
	uint8_t bytes[ID_BYTES];
	struct reader r = reader_of(bytes, sizeof(bytes));

	crypto_generichash_blake2b(bytes, sizeof(bytes), (const uint8_t *)name, strlen(name), NULL, 0);
	return read_id(&r);
}

const char *key_text(const uint8_t key[32], char buf[KEY_TEXT])
{
	hex(buf, key, KEY_LEN);
	return buf;
}

bool key_read(const char *text, uint8_t key[32])
{
	return unhex(text, key, KEY_LEN);
}

const char *endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT])
{
	char addr[INET6_ADDRSTRLEN] = "";

	switch (e->kind) {
	case ENDPOINT_UDP4:
		inet_ntop(AF_INET, e->addr, addr, sizeof(addr));
		snprintf(buf, ENDPOINT_TEXT, "%s:%u", addr, e->port);
		break;
	case ENDPOINT_UDP6:
		inet_ntop(AF_INET6, e->addr, addr, sizeof(addr));
		snprintf(buf, ENDPOINT_TEXT, "[%s]:%u", addr, e->port);
		break;
	default:
		snprintf(buf, ENDPOINT_TEXT, "-");
	}
	return buf;
}

static bool fail(char why[WHY_LEN], const char *reason)
{
	snprintf(why, WHY_LEN, "%s", reason);
	return false;
}

static bool port_read(const char *text, uint16_t *port)
{
	unsigned v = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
	}
	*port = (uint16_t)v;
	return v <= UINT16_MAX;
}

bool endpoint_read(const char *text, struct endpoint *e, char why[WHY_LEN])
{
	bool six = *text == '[';
	const char *end = six ? strstr(text, "]:") : strrchr(text, ':');
	char addr[INET6_ADDRSTRLEN];
	struct endpoint new = { .kind = six ? ENDPOINT_UDP6 : ENDPOINT_UDP4 };
	size_t len;

	if (!end)
		return fail(why, six ? "no ']:PORT' at its end" : "no ':PORT' at its end");
	if (!port_read(end + (six ? 2 : 1), &new.port))
		return fail(why, "its port is not a number from 0 to 65535");
	text += six;
	len = (size_t)(end - text);
	if (!six && memchr(text, ':', len))
		return fail(why, "an IPv6 address stands in brackets");
	if (len >= sizeof(addr))
		return fail(why, "too long for an address");
	memcpy(addr, text, len);
	addr[len] = 0;
	if (inet_pton(six ? AF_INET6 : AF_INET, addr, new.addr) != 1)
		return fail(why, six ? "no IPv6 address in the brackets" : "no IPv4 address before the port");
	if (six && new.addr[0] == 0xfe && (new.addr[1] & 0xc0) == 0x80)
		return fail(why, "a link-local address means nothing to other machines");
	*e = new;
	return true;
}

/* RFC 1123, section 2.1, and the underscores that people use; a last label of digits alone is a misspelt address. */
bool named_read(const char *text, char host[HOST_TEXT], uint16_t *port)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", DIGITS[] = "0123456789";
	const char *end = strrchr(text, ':'), *last;
	size_t len = end ? (size_t)(end - text) : 0;

	if (!len || len >= HOST_TEXT || !port_read(end + 1, port) || !*port || *text == '-' || *text == '.' || strstr(text, ".."))
		return false;
	memcpy(host, text, len);
	host[len] = 0;
	last = strrchr(host, '.') ? strrchr(host, '.') + 1 : host;
	for (const char *c = host; *c; c++)
		if (!strchr(LETTERS, *c) && !strchr(DIGITS, *c) && !strchr("-_.", *c))
			return false;
	return last[strspn(last, DIGITS)] || !*last;
}

bool endpoint_wild(const struct endpoint *e)
{
	static const uint8_t ZERO[16];

	return !memcmp(e->addr, ZERO, sizeof(ZERO));
}

bool endpoint_loopback(const struct endpoint *e)
{
	static const uint8_t ONE[16] = { [15] = 1 };

	return e->kind == ENDPOINT_UDP4 ? e->addr[0] == 127 : !memcmp(e->addr, ONE, sizeof(ONE));
}

const char *ip_text(const struct ip *a, char buf[IP_TEXT])
{
	if (!a->family || !inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, a->at, buf, IP_TEXT))
		snprintf(buf, IP_TEXT, "-");
	return buf;
}

bool ip_read(const char *text, struct ip *a)
{
	struct ip new = { .family = strchr(text, ':') ? 6 : 4 };

	if (inet_pton(new.family == 6 ? AF_INET6 : AF_INET, text, new.at) != 1)
		return false;
	*a = new;
	return true;
}

const char *range_text(const struct ip_range *r, char buf[RANGE_TEXT])
{
	char addr[IP_TEXT];

	snprintf(buf, RANGE_TEXT, "%s/%u", ip_text(&r->ip, addr), r->bits);
	return buf;
}

const char *moment_text(int64_t seconds, char buf[MOMENT_TEXT])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!t || !gmtime_r(&t, &tm))
		return "-";
	strftime(buf, MOMENT_TEXT, "%Y-%m-%d %H:%M UTC", &tm);
	return buf;
}

/* "0" to "128", and nothing else. */
static bool bits_read(const char *text, unsigned most, uint8_t *bits)
{
	uint16_t v;

	if (strlen(text) > 3 || !port_read(text, &v) || v > most)
		return false;
	*bits = (uint8_t)v;
	return true;
}

bool range_read(const char *text, bool whole, struct ip_range *r, char why[WHY_LEN])
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct ip_range new = { .bits = 0 };
	char addr[IP_TEXT];
	unsigned most;

	if (!slash && whole)
		return fail(why, "no '/LENGTH' at its end");
	if (len >= sizeof(addr))
		return fail(why, "too long for an address");
	memcpy(addr, text, len);
	addr[len] = 0;
	if (!ip_read(addr, &new.ip))
		return fail(why, "no IPv4 or IPv6 address");
	most = new.ip.family == 6 ? 128 : 32;
	new.bits = (uint8_t)most;
	if (slash && !bits_read(slash + 1, most, &new.bits))
		return fail(why, most == 32 ? "its length is not a number from 0 to 32" : "its length is not a number from 0 to 128");
	for (unsigned i = new.bits; i < most; i++)
		if (new.ip.at[i / 8] >> (7 - i % 8) & 1)
			return fail(why, "address bits behind its length are not 0");
	*r = new;
	return true;
}

const char *iface_wrong(const char *name, bool pattern)
{
	const char *percent = strchr(name, '%');

	if (!*name)
		return "it is empty";
	if (strlen(name) >= IFNAMSIZ)
		return "it is longer than 15 characters";
	if (!strcmp(name, ".") || !strcmp(name, "..") || strpbrk(name, "/: \t\r\n\v\f"))
		return "blanks, '/' and ':' cannot stand in an interface's name";
	if (percent && (!pattern || strncmp(percent, "%d", 2) || strchr(percent + 1, '%')))
		return pattern ? "'%' stands in it only as %d, once" : "'%' cannot stand in it";
	return NULL;
}
