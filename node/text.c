#include "node/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

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
		return fail(why, six ? "no IPv6 address in the brackets" : "no IPv4 address before the port (names are not looked up)");
	if (six && new.addr[0] == 0xfe && (new.addr[1] & 0xc0) == 0x80)
		return fail(why, "a link-local address means nothing to other machines");
	*e = new;
	return true;
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
