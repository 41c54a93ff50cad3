#include "core/vnet/dhcp_wire.h"

enum { SNAME_AT = 44, SNAME_LEN = 64, FILE_AT = 108, FILE_LEN = 128, COOKIE_AT = 236 };

static const uint8_t MAGIC[4] = { 99, 130, 83, 99 };

/** struct walk - options of one area, one after the other */
struct walk {
	struct reader r;
	struct bytes value;
	uint8_t code;
	bool ended;
};

/* The next option of @w; false at the end of the area. A piece that passes the end leaves a bad reader. */
static bool walk_next(struct walk *w)
{
	while (!w->ended && reader_ok(&w->r) && reader_left(&w->r)) {
		w->code = read_u8(&w->r);
		if (w->code == OPTION_PAD)
			continue;
		if (w->code == OPTION_END) {
			w->ended = true;
			break;
		}
		w->value.len = read_u8(&w->r);
		w->value.at = read_take(&w->r, w->value.len);
		if (reader_ok(&w->r))
			return true;
	}
	return false;
}

int dhcp_option(const struct dhcp_options *o, uint8_t code, uint8_t *out, size_t max)
{
	int len = -1;

	for (unsigned i = 0; i < o->areas; i++) {
		struct walk w = { .r = reader_of(o->area[i].at, o->area[i].len) };

		while (walk_next(&w)) {
			size_t had = len < 0 ? 0 : (size_t)len;

			if (w.code != code)
				continue;
			if (had < max && w.value.len)
				memcpy(out + had, w.value.at, w.value.len < max - had ? w.value.len : max - had);
			len = (int)(had + w.value.len);
		}
	}
	return len;
}

bool dhcp_option_u32(const struct dhcp_options *o, uint8_t code, uint32_t *out)
{
	uint8_t b[4];

	if (dhcp_option(o, code, b, sizeof(b)) != sizeof(b))
		return false;
	*out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

/* Every option of the area is whole, and (but for the first area) says nothing of overloading. */
static bool area_ok(struct bytes area, bool first)
{
	struct walk w = { .r = reader_of(area.at, area.len) };

	while (walk_next(&w))
		if (w.code == OPTION_OVERLOAD && (!first || w.value.len != 1 || !w.value.at[0] || w.value.at[0] > 3))
			return false;
	return reader_ok(&w.r);
}

/* Where options stand: the options field, then file, then sname, as option 52 says (RFC 3396, section 5). */
static bool areas_of(struct dhcp_options *o, struct bytes b)
{
	uint8_t overload = 0;
	int len;

	*o = (struct dhcp_options){ .area = { { b.at + DHCP_FIXED, b.len - DHCP_FIXED } }, .areas = 1 };
	if (!area_ok(o->area[0], true))
		return false;
	len = dhcp_option(o, OPTION_OVERLOAD, &overload, 1);
	if (len > 1)
		return false;
	if (overload & 1)
		o->area[o->areas++] = (struct bytes){ b.at + FILE_AT, FILE_LEN };
	if (overload & 2)
		o->area[o->areas++] = (struct bytes){ b.at + SNAME_AT, SNAME_LEN };
	for (unsigned i = 1; i < o->areas; i++)
		if (!area_ok(o->area[i], false))
			return false;
	return true;
}

/* An option of exactly @len bytes: @has says whether it is there; false if it has another length. */
static bool exact(const struct dhcp_options *o, uint8_t code, uint8_t *out, int len, bool *has)
{
	int n = dhcp_option(o, code, out, (size_t)len);

	*has = n >= 0;
	return n < 0 || n == len;
}

static bool exact_u32(const struct dhcp_options *o, uint8_t code, uint32_t *out, bool *has)
{
	uint8_t b[4];

	if (!exact(o, code, b, 4, has))
		return false;
	if (*has)
		*out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

static enum drop options_read(struct dhcp_message *m)
{
	const struct dhcp_options *o = &m->options;
	uint8_t size[2];
	bool has;
	int n;

	if (!exact(o, OPTION_TYPE, &m->type, 1, &has))
		return DROP_OPTION;
	if (!has)
		return DROP_VALUE;
	if (!m->type || m->type >= DHCP_TYPES)
		return DROP_MESSAGE;
	if (!exact_u32(o, OPTION_REQUESTED, &m->requested, &m->has_requested) ||
	    !exact_u32(o, OPTION_SERVER, &m->server, &m->has_server) ||
	    !exact_u32(o, OPTION_LEASE, &m->lease_s, &m->has_lease) ||
	    !exact(o, OPTION_RAPID, NULL, 0, &m->rapid) ||
	    !exact(o, OPTION_MAX_SIZE, size, 2, &has))
		return DROP_OPTION;
	if (has)
		m->max_size = (uint16_t)(size[0] << 8 | size[1]);
	n = dhcp_option(o, OPTION_CLIENT, m->id, sizeof(m->id));
	if (n > (int)sizeof(m->id) || n == 0 || n == 1)		/* RFC 2132 9.14: two bytes at least */
		return DROP_OPTION;
	m->id_len = n < 0 ? 0 : (uint8_t)n;
	n = dhcp_option(o, OPTION_PARAMS, m->param, sizeof(m->param));
	m->has_params = n >= 0;
	m->params = n < 0 ? 0 : n > DHCP_PARAMS_MAX ? DHCP_PARAMS_MAX : (uint8_t)n;
	n = dhcp_option(o, OPTION_HOST, m->host, sizeof(m->host));
	m->host_len = n < 0 || n > DHCP_HOST_MAX ? 0 : (uint8_t)n;	/* too long to be one label: as if not told */
	return DROP_NONE;
}

enum drop dhcp_read(struct bytes payload, struct dhcp_message *m)
{
	struct reader r = reader_of(payload.at, payload.len);
	uint8_t htype, hlen;

	memset(m, 0, sizeof(*m));
	if (payload.len < DHCP_FIXED)
		return DROP_SHORT;
	m->op = read_u8(&r);
	htype = read_u8(&r);
	hlen = read_u8(&r);
	m->hops = read_u8(&r);
	m->xid = read_u32(&r);
	m->secs = read_u16(&r);
	m->broadcast = read_u16(&r) >> 15;
	m->ciaddr = read_u32(&r);
	m->yiaddr = read_u32(&r);
	m->siaddr = read_u32(&r);
	m->giaddr = read_u32(&r);
	read_copy(&r, m->mac, sizeof(m->mac));
	if ((m->op != DHCP_BOOTREQUEST && m->op != DHCP_BOOTREPLY) || htype != 1 || hlen != sizeof(m->mac) ||
	    m->mac[0] & 1 || memcmp(payload.at + COOKIE_AT, MAGIC, sizeof(MAGIC)))
		return DROP_VALUE;
	if (!areas_of(&m->options, payload))
		return DROP_OPTION;
	return options_read(m);
}

/* ---- writing ---- */

void dhcp_begin(struct writer *w, const struct dhcp_message *m)
{
	uint8_t *rest;

	write_u8(w, m->op);
	write_u8(w, 1);
	write_u8(w, sizeof(m->mac));
	write_u8(w, m->hops);
	write_u32(w, m->xid);
	write_u16(w, m->secs);
	write_u16(w, m->broadcast ? 0x8000 : 0);
	write_u32(w, m->ciaddr);
	write_u32(w, m->yiaddr);
	write_u32(w, m->siaddr);
	write_u32(w, m->giaddr);
	write_copy(w, m->mac, sizeof(m->mac));
	rest = write_space(w, COOKIE_AT - 28 - sizeof(m->mac));
	if (rest)
		memset(rest, 0, COOKIE_AT - 28 - sizeof(m->mac));
	write_copy(w, MAGIC, sizeof(MAGIC));
	dhcp_put(w, OPTION_TYPE, &m->type, 1);
}

bool dhcp_put(struct writer *w, uint8_t code, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t pieces = len ? (len + 254) / 255 : 1;

	if (w->bad || writer_left(w) < len + 2 * pieces + 1)
		return false;
	do {
		size_t n = len < 255 ? len : 255;

		write_u8(w, code);
		write_u8(w, (uint8_t)n);
		write_copy(w, p, n);
		p = n ? p + n : p;
		len -= n;
	} while (len);
	return true;
}

bool dhcp_put_u32(struct writer *w, uint8_t code, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	return dhcp_put(w, code, b, sizeof(b));
}

bool dhcp_put_u16(struct writer *w, uint8_t code, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	return dhcp_put(w, code, b, sizeof(b));
}

void dhcp_end(struct writer *w)
{
	write_u8(w, OPTION_END);
	while (!w->bad && writer_len(w) < DHCP_MIN)
		write_u8(w, OPTION_PAD);
}
