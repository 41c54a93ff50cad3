#include "core/vnet/dhcp6_reply.h"

void dhcp6_duid(uint8_t duid[DUID_LL], const uint8_t mac[6])
{
	static const uint8_t LL_ETHERNET[4] = { 0, 3, 0, 1 };	/* RFC 8415 11.4 */

	memcpy(duid, LL_ETHERNET, sizeof(LL_ETHERNET));
	memcpy(duid + sizeof(LL_ETHERNET), mac, 6);
}

void dhcp6_init(struct dhcpd *d, struct env *e, const struct dhcp_ports *port, void *ctx, const uint8_t mac[6])
{
	dhcpd_init(d, e, port, ctx);
	d->reply = dhcp6_reply;
	d->family = 6;
	memcpy(d->mac, mac, sizeof(d->mac));
}

static bool wants(const struct dhcp_message *m, uint8_t code)
{
	for (unsigned i = 0; i < m->params; i++)
		if (m->param[i] == code)
			return true;
	return false;
}

/* The domain as a name on the wire (RFC 3646 4); it came out of a record that was checked, but may be no name. */
static void put_domain(const struct dhcpd *d, struct writer *w)
{
	uint8_t name[NETWORK_NAME_MAX + 2];
	size_t from = 0, len = strlen(d->net->domain);

	for (size_t i = 0; i <= len; i++) {
		if (i < len && d->net->domain[i] != '.') {
			name[i + 1] = (uint8_t)d->net->domain[i];
			continue;
		}
		if (i == from)
			return;
		name[from] = (uint8_t)(i - from);
		from = i + 1;
	}
	name[from] = 0;
	dhcp6_put(w, OPTION6_DOMAINS, name, from + 1);
}

/* What every guest may know: who knows names, and the domain. */
static void put_params(const struct dhcpd *d, struct writer *w, const struct dhcp_message *m)
{
	struct ip gateway = network_gateway(d->net, 6);
	uint8_t dns[16 * (1 + NETWORK_DNS)];
	size_t len = 16;

	if (wants(m, OPTION6_DNS)) {
		memcpy(dns, gateway.at, 16);
		for (unsigned i = 0; i < d->net->dnss; i++) {
			if (d->net->dns[i].family != 6)
				continue;
			memcpy(dns + len, d->net->dns[i].at, 16);
			len += 16;
		}
		dhcp6_put(w, OPTION6_DNS, dns, len);
	}
	if (wants(m, OPTION6_DOMAINS))
		put_domain(d, w);
}

/* Why an IA stays empty (RFC 8415 18.3.2 to 18.3.5). */
static uint8_t why_not(const struct dhcpd *d, const struct dhcp_message *m)
{
	if (m->kind != DHCP6_REQUEST)
		return STATUS_NO_BINDING;
	return ip_in(&m->want, &d->net->range6) ? STATUS_NO_ADDRS : STATUS_NOT_ON_LINK;
}

static void finish(struct dhcpd *d, struct env *e, const struct dhcp_message *m, struct writer *w)
{
	struct dhcp_out o = { .to = m->source };

	if (w->bad) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	memcpy(o.mac, m->mac, sizeof(o.mac));
	o.payload = (struct bytes){ w->start, writer_len(w) };
	d->port->send(d->ctx, e, &o);
}

void dhcp6_reply(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t type, const struct ip *ip,
		 uint32_t lease_s)
{
	uint8_t buf[DHCP6_MAX], duid[DUID_LL];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp6_duid(duid, d->mac);
	dhcp6_begin(&w, type == DHCP_OFFER ? DHCP6_ADVERTISE : DHCP6_REPLY, m, duid);
	if (m->kind == DHCP6_SOLICIT && type == DHCP_ACK)
		dhcp6_put(&w, OPTION6_RAPID, NULL, 0);
	if (m->has_lease)
		dhcp6_ia(&w, m, ip, type == DHCP_NAK ? 0 : lease_s, why_not(d, m));
	put_params(d, &w, m);
	finish(d, e, m, &w);
}

/* A message that is over once it is answered: @status for all of it; the IA's if @ia says so. */
static void reply_status(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t status, bool ia)
{
	uint8_t buf[DHCP6_MAX], duid[DUID_LL];
	struct writer w = writer_of(buf, sizeof(buf));

	dhcp6_duid(duid, d->mac);
	dhcp6_begin(&w, DHCP6_REPLY, m, duid);
	dhcp6_status(&w, status);
	if (ia)
		dhcp6_ia(&w, m, NULL, 0, STATUS_NO_BINDING);
	finish(d, e, m, &w);
}

enum drop dhcp6_message(struct dhcpd *d, struct env *e, const uint8_t from[6], const struct ip *source,
			struct bytes payload)
{
	const struct ip none = { .family = 6 };
	uint8_t duid[DUID_LL];
	struct dhcp_message m;
	enum drop why;

	dhcp6_duid(duid, d->mac);
	why = dhcp6_read(payload, duid, &m);
	if (why)
		return env_drop(e, why);
	memcpy(m.mac, from, sizeof(m.mac));
	m.source = *source;
	if (m.elsewhere && (m.kind != DHCP6_REQUEST || !m.has_requested))
		return DROP_NONE;
	switch (m.kind) {
	case DHCP6_INFORM:
		dhcp6_reply(d, e, &m, DHCP_ACK, &none, 0);
		return DROP_NONE;
	case DHCP6_CONFIRM:			/* RFC 8415 18.3.3: only whether it fits here; without an address, silence */
		if (m.has_requested)
			reply_status(d, e, &m, ip_in(&m.want, &d->net->range6) ? STATUS_OK : STATUS_NOT_ON_LINK, false);
		return m.has_requested ? DROP_NONE : env_drop(e, DROP_VALUE);
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		why = dhcpd_heard(d, e, &m);
		reply_status(d, e, &m, STATUS_OK, why);
		return why;
	case DHCP6_RENEW:
	case DHCP6_REBIND:
		if (m.has_requested)
			return dhcpd_heard(d, e, &m);
		dhcp6_reply(d, e, &m, DHCP_NAK, &none, 0);	/* nothing that could be renewed */
		return DROP_NONE;
	case DHCP6_REQUEST:
		if (!m.has_requested) {		/* whatever there is: one step of two */
			m.type = DHCP_DISCOVER;
			m.rapid = true;
		}
		return dhcpd_heard(d, e, &m);
	default:
		return dhcpd_heard(d, e, &m);
	}
}
