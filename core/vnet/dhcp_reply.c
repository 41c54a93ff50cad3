/*
 * What a guest is told. RFC 2131 table 3 says which fields and options stand in
 * which message. Options the client asked for come in its order (RFC 2132
 * 9.8), after those every client needs: the mask, which has to come before
 * routers (RFC 2132 3.3), and after them the MTU, asked for or not, because
 * what is larger is refused or cut at the edge.
 */
#include "core/vnet/dhcp_server.h"

static uint32_t mask_of(const struct dhcpd *d)
{
	unsigned bits = d->net->range4.bits;

	return bits ? UINT32_MAX << (32 - bits) : 0;
}

static uint32_t gateway_of(const struct dhcpd *d)
{
	struct ip g = network_gateway(d->net, 4);

	return ip_u32(&g);
}

/* The gateway first; then the servers that know other names, so that resolvers have whom to ask what we refuse. */
static void put_dns(const struct dhcpd *d, struct writer *w)
{
	struct ip g = network_gateway(d->net, 4);
	uint8_t list[4 * (1 + NETWORK_DNS)];
	size_t len = 4;

	memcpy(list, g.at, 4);
	for (unsigned i = 0; i < d->net->dnss; i++) {
		if (d->net->dns[i].family != 4)
			continue;
		memcpy(list + len, d->net->dns[i].at, 4);
		len += 4;
	}
	dhcp_put(w, OPTION_DNS, list, len);
}

static void put_param(const struct dhcpd *d, struct writer *w, uint8_t code)
{
	uint32_t gateway = gateway_of(d);
	uint8_t route[5] = { 0, (uint8_t)(gateway >> 24), (uint8_t)(gateway >> 16), (uint8_t)(gateway >> 8),
			     (uint8_t)gateway };

	switch (code) {
	case OPTION_ROUTER:
		if (d->router)
			dhcp_put_u32(w, code, gateway);
		break;
	case OPTION_ROUTES:		/* RFC 3442: 0/0 through the gateway; who sees it ignores option 3 */
		if (d->router)
			dhcp_put(w, code, route, sizeof(route));
		break;
	case OPTION_DNS:
		put_dns(d, w);
		break;
	case OPTION_DOMAIN:
		if (d->net->domain[0])
			dhcp_put(w, code, d->net->domain, strlen(d->net->domain));
		break;
	case OPTION_BROADCAST:
		dhcp_put_u32(w, code, gateway | ~mask_of(d));
		break;
	default:
		break;
	}
}

static void put_params(const struct dhcpd *d, struct writer *w, const struct dhcp_message *m)
{
	static const uint8_t USUAL[] = { OPTION_ROUTER, OPTION_DNS, OPTION_DOMAIN, OPTION_BROADCAST };
	const uint8_t *list = m->has_params ? m->param : USUAL;
	unsigned n = m->has_params ? m->params : sizeof(USUAL);

	dhcp_put_u32(w, OPTION_MASK, mask_of(d));
	for (unsigned i = 0; i < n; i++) {
		unsigned before = 0;

		while (before < i && list[before] != list[i])
			before++;
		if (before == i)		/* asked for twice, told once */
			put_param(d, w, list[i]);
	}
	dhcp_put_u16(w, OPTION_MTU, d->net->mtu);
}

/* RFC 2131 4.1: to the address it has; else broadcast if it cannot take unicast yet; else to what it is given. */
static void whither(struct dhcp_out *o, const struct dhcp_message *m, uint8_t type, const struct ip *ip)
{
	memcpy(o->mac, m->mac, sizeof(o->mac));
	if (type != DHCP_NAK && m->ciaddr) {
		o->to = ip_v4(m->ciaddr);
	} else if (type == DHCP_NAK || m->broadcast || !ip->family) {
		memset(o->mac, 0xff, sizeof(o->mac));
		o->to = ip_v4(UINT32_MAX);
	} else {
		o->to = *ip;
	}
}

void dhcpd_reply(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t type, const struct ip *ip,
		 uint32_t lease_s)
{
	static const char *const WHY = "not yours in this network";
	size_t room = (m->max_size > DHCP_IP_MIN ? m->max_size : DHCP_IP_MIN) - 28u;
	size_t fits = d->net->mtu - 28u;
	struct dhcp_message r = { .op = DHCP_BOOTREPLY, .type = type, .xid = m->xid, .broadcast = m->broadcast };
	uint8_t buf[DHCP_MAX];
	struct dhcp_out o;
	struct writer w;

	room = room < fits ? room : fits;
	w = writer_of(buf, room < sizeof(buf) ? room : sizeof(buf));
	memcpy(r.mac, m->mac, sizeof(r.mac));
	if (type == DHCP_ACK)
		r.ciaddr = m->ciaddr;
	if (type != DHCP_NAK && lease_s)
		r.yiaddr = ip_u32(ip);
	dhcp_begin(&w, &r);
	dhcp_put_u32(&w, OPTION_SERVER, gateway_of(d));
	if (m->id_len)			/* RFC 6842, section 3 */
		dhcp_put(&w, OPTION_CLIENT, m->id, m->id_len);
	if (lease_s) {
		dhcp_put_u32(&w, OPTION_LEASE, lease_s);
		dhcp_put_u32(&w, OPTION_T1, lease_s / 2);
		dhcp_put_u32(&w, OPTION_T2, (uint32_t)((uint64_t)lease_s * 7 / 8));
	}
	if (type == DHCP_ACK && m->type == DHCP_DISCOVER)
		dhcp_put(&w, OPTION_RAPID, NULL, 0);
	if (type == DHCP_NAK)
		dhcp_put(&w, OPTION_MESSAGE, WHY, strlen(WHY));
	else
		put_params(d, &w, m);
	dhcp_end(&w);
	if (w.bad) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	whither(&o, m, type, ip);
	o.payload = (struct bytes){ buf, writer_len(&w) };
	d->port->send(d->ctx, e, &o);
}
