#include "node/sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/prog/units.h"

enum {
	MAGIC_NS	= 0xa1b23c4d,		/* time stamps in nanoseconds, in the byte order of this machine */
	LINK_ETHERNET	= 1, LINK_IP = 101,
	SNAP		= 65535,
	HEADERS_MAX	= 48,			/* IPv6 and UDP */
};

struct file_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap, link;
};

struct packet_head {
	uint32_t s, ns, kept, len;
};

/* ---- the pipe ------------------------------------------------------------------------- */

bool sniff_flush(struct sniff *c)
{
	while (c->len && !c->ended) {
		ssize_t n = write(c->fd, c->buf, c->len);

		if (n > 0) {
			c->len -= (size_t)n;
			memmove(c->buf, c->buf + n, c->len);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			c->ended = true;
		}
	}
	return c->len && !c->ended;
}

static void add(struct sniff *c, const void *data, size_t len)
{
	memcpy(c->buf + c->len, data, len);
	c->len += len;
}

bool sniff_start(struct sniff *c, int fd, bool overlay, uint16_t iface)
{
	struct file_head h = { MAGIC_NS, 2, 4, 0, 0, SNAP, overlay ? LINK_IP : LINK_ETHERNET };
	int flags = fcntl(fd, F_GETFL);

	*c = (struct sniff){ .fd = -1 };
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return false;
	c->buf = malloc(SNIFF_ROOM);
	if (!c->buf)
		return false;
	c->fd = fd;
	c->overlay = overlay;
	c->iface = iface;
	add(c, &h, sizeof(h));
	sniff_flush(c);
	return true;
}

void sniff_stop(struct sniff *c)
{
	if (!sniff_runs(c))
		return;
	sniff_flush(c);
	close(c->fd);
	free(c->buf);
	c->buf = NULL;
	c->fd = -1;
}

/* ---- packets -------------------------------------------------------------------------- */

/* One packet of two parts, whole or not at all. */
static void packet(struct sniff *c, const uint8_t *head, size_t head_len, const uint8_t *data, size_t len, int64_t utc_ns)
{
	size_t all = head_len + len;
	struct packet_head h = { (uint32_t)(utc_ns / NS_PER_S), (uint32_t)(utc_ns % NS_PER_S), (uint32_t)all, (uint32_t)all };

	if (c->ended)
		return;
	if (c->len + sizeof(h) + all > SNIFF_ROOM)
		sniff_flush(c);
	if (all > SNAP || c->len + sizeof(h) + all > SNIFF_ROOM) {
		c->left_out++;
		return;
	}
	add(c, &h, sizeof(h));
	if (head_len)
		add(c, head, head_len);
	add(c, data, len);
	c->packets++;
}

void sniff_frame(struct sniff *c, uint16_t iface, const uint8_t *frame, size_t len, int64_t utc_ns)
{
	if (sniff_runs(c) && !c->overlay && c->iface == iface)
		packet(c, NULL, 0, frame, len, utc_ns);
}

/* ---- headers around a datagram -------------------------------------------------------- */

static uint32_t sum(uint32_t s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		s += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void udp(uint8_t *u, const struct endpoint *from, const struct endpoint *to, size_t address, const uint8_t *data,
		size_t len)
{
	uint32_t s = 17 + (uint32_t)len + 8;

	put16(u, from->port);
	put16(u + 2, to->port);
	put16(u + 4, (uint32_t)len + 8);
	put16(u + 6, 0);
	s = sum(s, from->addr, address);
	s = sum(s, to->addr, address);
	s = sum(s, u, 8);
	s = sum(s, data, len) ^ 0xffff;
	put16(u + 6, s ? s : 0xffff);
}

static size_t headers(uint8_t h[HEADERS_MAX], const struct endpoint *from, const struct endpoint *to, const uint8_t *data,
		      size_t len)
{
	memset(h, 0, HEADERS_MAX);
	if (to->kind == ENDPOINT_UDP6) {
		h[0] = 6 << 4;
		put16(h + 4, (uint32_t)len + 8);
		h[6] = 17;
		h[7] = 64;
		memcpy(h + 8, from->addr, 16);
		memcpy(h + 24, to->addr, 16);
		udp(h + 40, from, to, 16, data, len);
		return 48;
	}
	h[0] = 4 << 4 | 5;
	put16(h + 2, (uint32_t)len + 28);
	h[6] = 0x40;				/* DF, as it was sent */
	h[8] = 64;
	h[9] = 17;
	memcpy(h + 12, from->addr, 4);
	memcpy(h + 16, to->addr, 4);
	put16(h + 10, sum(0, h, 20) ^ 0xffff);
	udp(h + 20, from, to, 4, data, len);
	return 28;
}

void sniff_datagram(struct sniff *c, const struct endpoint *from, const struct endpoint *to, const uint8_t *data,
		      size_t len, int64_t utc_ns)
{
	uint8_t h[HEADERS_MAX];

	if (sniff_runs(c) && c->overlay)
		packet(c, h, headers(h, from, to, data, len), data, len, utc_ns);
}
