#include "core/vnet/dhcp6_wire.h"

enum { IAID = 4, ADDRESS_LEN = 24 };

/* The address of an IA_NA's options; false: malformed. The first one counts. */
static bool ia_read(struct bytes ia, struct dhcp_message *m)
{
	struct reader r = reader_of(ia.at, ia.len);

	read_take(&r, IAID + 8);		/* IAID, T1, T2: the latter are ours to choose */
	while (reader_ok(&r) && reader_left(&r)) {
		uint16_t code = read_u16(&r), len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);

		if (!at || (code == OPTION6_ADDRESS && len < ADDRESS_LEN))
			return false;
		if (code == OPTION6_ADDRESS && !m->has_requested) {
			m->has_requested = true;
			memcpy(m->want.at, at, 16);
		}
	}
	return reader_ok(&r);
}

/** struct seen - the options of one message */
struct seen {
	struct bytes client, server, ia, oro;
	bool rapid, status;
};

/* One option of those that come once. */
static bool once(struct bytes *where, const uint8_t *at, size_t len)
{
	if (where->at)
		return false;
	*where = (struct bytes){ at, len };
	return true;
}

static bool options_read(struct reader *r, struct seen *s)
{
	while (reader_ok(r) && reader_left(r)) {
		uint16_t code = read_u16(r), len = read_u16(r);
		const uint8_t *at = read_take(r, len);
		bool good = at;

		if (good && code == OPTION6_CLIENT)
			good = len > 2 && len <= DUID_MAX && once(&s->client, at, len);
		else if (good && code == OPTION6_SERVER)
			good = once(&s->server, at, len);
		else if (good && code == OPTION6_ORO)
			good = len % 2 == 0 && once(&s->oro, at, len);
		else if (good && code == OPTION6_IA_NA && !s->ia.at)
			good = len >= IAID + 8 && once(&s->ia, at, len);
		else if (good && code == OPTION6_RAPID)
			good = !len, s->rapid = true;
		if (!good)
			return false;
	}
	return reader_ok(r);
}

/* What RFC 8415 section 16 asks of a message, by kind. */
static bool proper(const struct seen *s, uint8_t kind)
{
	bool client = s->client.at, server = s->server.at;

	switch (kind) {
	case DHCP6_SOLICIT:
	case DHCP6_REBIND:
		return client && !server && s->ia.at;
	case DHCP6_CONFIRM:
		return client && !server;
	case DHCP6_INFORM:
		return !s->ia.at;
	default:
		return client && server && s->ia.at;
	}
}

static uint8_t type_of(uint8_t kind)
{
	switch (kind) {
	case DHCP6_SOLICIT:
		return DHCP_DISCOVER;
	case DHCP6_RELEASE:
		return DHCP_RELEASE;
	case DHCP6_DECLINE:
		return DHCP_DECLINE;
	case DHCP6_INFORM:
	case DHCP6_CONFIRM:
		return DHCP_INFORM;
	default:
		return DHCP_REQUEST;
	}
}

enum drop dhcp6_read(struct bytes payload, const uint8_t duid[DUID_LL], struct dhcp_message *m)
{
	struct reader r = reader_of(payload.at, payload.len);
	struct seen s = { 0 };

	memset(m, 0, sizeof(*m));
	m->want.family = 6;
	m->kind = read_u8(&r);
	m->xid = (uint32_t)read_u8(&r) << 16;
	m->xid |= read_u16(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (m->kind == DHCP6_RELAY_FORW)
		return DROP_RELAYED;
	if (m->kind == DHCP6_ADVERTISE || m->kind == DHCP6_REPLY || m->kind == DHCP6_RECONFIGURE ||
	    m->kind == DHCP6_RELAY_REPL)
		return DROP_ROGUE;
	if (!m->kind || m->kind > DHCP6_INFORM)
		return DROP_MESSAGE;
	if (!options_read(&r, &s))
		return DROP_OPTION;
	if (!proper(&s, m->kind))
		return DROP_VALUE;
	if (s.ia.at && !ia_read(s.ia, m))
		return DROP_OPTION;
	m->type = type_of(m->kind);
	m->rapid = s.rapid && m->kind == DHCP6_SOLICIT;
	m->has_server = s.server.at;
	m->has_lease = s.ia.at;
	m->elsewhere = s.server.at && (s.server.len != DUID_LL || memcmp(s.server.at, duid, DUID_LL));
	if (s.client.at)
		memcpy(m->id, s.client.at, s.client.len);
	m->id_len = (uint8_t)s.client.len;
	if (s.ia.at)
		memcpy(m->id + m->id_len, s.ia.at, IAID);
	m->id_len = (uint8_t)(m->id_len + (s.ia.at ? IAID : 0));
	m->has_params = s.oro.at;
	for (size_t i = 0; i + 1 < s.oro.len && m->params < DHCP_PARAMS_MAX; i += 2)
		if (!s.oro.at[i])
			m->param[m->params++] = s.oro.at[i + 1];
	return DROP_NONE;
}

/* ---- writing ---- */

void dhcp6_put(struct writer *w, uint16_t code, const void *data, size_t len)
{
	write_u16(w, code);
	write_u16(w, (uint16_t)len);
	write_copy(w, data, len);
}

void dhcp6_begin(struct writer *w, uint8_t kind, const struct dhcp_message *m, const uint8_t duid[DUID_LL])
{
	size_t len = m->id_len - (m->has_lease ? IAID : 0u);

	write_u8(w, kind);
	write_u8(w, (uint8_t)(m->xid >> 16));
	write_u16(w, (uint16_t)m->xid);
	if (len)
		dhcp6_put(w, OPTION6_CLIENT, m->id, len);
	dhcp6_put(w, OPTION6_SERVER, duid, DUID_LL);
}

void dhcp6_status(struct writer *w, uint8_t status)
{
	uint8_t code[2] = { 0, status };

	dhcp6_put(w, OPTION6_STATUS, code, sizeof(code));
}

void dhcp6_ia(struct writer *w, const struct dhcp_message *m, const struct ip *a, uint32_t s, uint8_t status)
{
	write_u16(w, OPTION6_IA_NA);
	write_u16(w, IAID + 8 + (s ? 4 + ADDRESS_LEN : 4 + 2));
	write_copy(w, m->id + m->id_len - IAID, IAID);
	write_u32(w, s / 2);
	write_u32(w, (uint32_t)((uint64_t)s * 4 / 5));		/* RFC 8415 21.4 */
	if (!s) {
		dhcp6_status(w, status);
		return;
	}
	write_u16(w, OPTION6_ADDRESS);
	write_u16(w, ADDRESS_LEN);
	write_copy(w, a->at, 16);
	write_u32(w, s);
	write_u32(w, s);
}
