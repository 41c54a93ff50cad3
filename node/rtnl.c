#include "node/rtnl.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

enum { ROOM = 8192, REQUEST = 512 };

int rtnl_open(struct rtnl *r)
{
	int err;

	*r = (struct rtnl){ .socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), .sequence = (uint32_t)time(NULL) };
	if (!r->socket)
		return -errno;
	if (!mnl_socket_bind(r->socket, 0, MNL_SOCKET_AUTOPID))
		return 0;
	err = -errno;
	rtnl_close(r);
	return err;
}

void rtnl_close(struct rtnl *r)
{
	if (r->socket)
		mnl_socket_close(r->socket);
	r->socket = NULL;
}

/* Send @h and hand each message of the answer to @cb, up to the acknowledgement. */
static int ask(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
	unsigned port = mnl_socket_get_portid(r->socket);
	uint8_t buf[ROOM];

	h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++r->sequence;
	if (mnl_socket_sendto(r->socket, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t len = mnl_socket_recvfrom(r->socket, buf, sizeof(buf));
		int more;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		more = mnl_cb_run(buf, (size_t)len, r->sequence, port, cb, arg);
		if (more < 0)
			return -errno;
		if (more == MNL_CB_STOP)
			return 0;
	}
}

static struct nlmsghdr *link_request(void *buf, uint16_t type, int index, struct ifinfomsg **info)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *i;

	h->nlmsg_type = type;
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	if (info)
		*info = i;
	return h;
}

/* ---- finding -------------------------------------------------------------------------- */

static int on_kind(const struct nlattr *a, void *arg)
{
	struct rtnl_link *l = arg;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND && mnl_attr_validate(a, MNL_TYPE_STRING) >= 0)
		strncpy(l->kind, mnl_attr_get_str(a), sizeof(l->kind) - 1);
	return MNL_CB_OK;
}

static int on_attribute(const struct nlattr *a, void *arg)
{
	struct rtnl_link *l = arg;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(a, MNL_TYPE_STRING) >= 0)
			strncpy(l->name, mnl_attr_get_str(a), sizeof(l->name) - 1);
		break;
	case IFLA_IFALIAS:
		if (mnl_attr_validate(a, MNL_TYPE_STRING) >= 0)
			strncpy(l->alias, mnl_attr_get_str(a), sizeof(l->alias) - 1);
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			l->mtu = mnl_attr_get_u32(a);
		break;
	case IFLA_MASTER:
		if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			l->master = (int)mnl_attr_get_u32(a);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof(l->mac))
			memcpy(l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(a, on_kind, l);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct rtnl_link *l = arg;

	if (h->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	l->index = i->ifi_index;
	l->up = i->ifi_flags & IFF_UP;
	return mnl_attr_parse(h, sizeof(*i), on_attribute, l);
}

int rtnl_find(struct rtnl *r, const char *name, struct rtnl_link *out)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_GETLINK, 0, NULL);
	struct rtnl_link found = { 0 };
	int err;

	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	err = ask(r, h, on_link, &found);
	if (!err && !found.index)
		err = -ENODEV;
	if (!err)
		*out = found;
	return err;
}

/* struct remarked - a walk over all interfaces, for the next with a remark */
struct remarked {
	const char *alias;
	int after;
	struct rtnl_link found;
};

static int on_remarked(const struct nlmsghdr *h, void *arg)
{
	struct remarked *want = arg;
	struct rtnl_link l = { 0 };

	if (on_link(h, &l) >= 0 && !strcmp(l.alias, want->alias) && l.index > want->after &&
	    (!want->found.index || l.index < want->found.index))
		want->found = l;
	return MNL_CB_OK;
}

int rtnl_remarked(struct rtnl *r, const char *alias, int after, struct rtnl_link *out)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_GETLINK, 0, NULL);
	struct remarked want = { .alias = alias, .after = after };
	int err;

	h->nlmsg_flags |= NLM_F_DUMP;
	err = ask(r, h, on_remarked, &want);
	if (!err && !want.found.index)
		err = -ENODEV;
	if (!err)
		*out = want.found;
	return err;
}

/* ---- changing ------------------------------------------------------------------------- */

int rtnl_up(struct rtnl *r, int index, bool up)
{
	uint8_t buf[REQUEST];
	struct ifinfomsg *i;
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, &i);

	i->ifi_change = IFF_UP;
	i->ifi_flags = up ? IFF_UP : 0;
	return ask(r, h, NULL, NULL);
}

static int set_u32(struct rtnl *r, int index, uint16_t type, uint32_t value)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, NULL);

	mnl_attr_put_u32(h, type, value);
	return ask(r, h, NULL, NULL);
}

int rtnl_mtu(struct rtnl *r, int index, uint32_t mtu)
{
	return set_u32(r, index, IFLA_MTU, mtu);
}

int rtnl_master(struct rtnl *r, int index, int master)
{
	return set_u32(r, index, IFLA_MASTER, (uint32_t)master);
}

int rtnl_mac(struct rtnl *r, int index, const uint8_t mac[6])
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, NULL);

	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	return ask(r, h, NULL, NULL);
}

int rtnl_alias(struct rtnl *r, int index, const char *alias)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, NULL);

	mnl_attr_put_str(h, IFLA_IFALIAS, alias);
	return ask(r, h, NULL, NULL);
}

int rtnl_quiet(struct rtnl *r, int index)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, NULL);
	struct nlattr *families = mnl_attr_nest_start(h, IFLA_AF_SPEC), *six = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, six);
	mnl_attr_nest_end(h, families);
	return ask(r, h, NULL, NULL);
}

int rtnl_promote(struct rtnl *r, int index)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, index, NULL);
	struct nlattr *families = mnl_attr_nest_start(h, IFLA_AF_SPEC), *four = mnl_attr_nest_start(h, AF_INET),
		      *conf = mnl_attr_nest_start(h, IFLA_INET_CONF);

	mnl_attr_put_u32(h, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
	mnl_attr_nest_end(h, conf);
	mnl_attr_nest_end(h, four);
	mnl_attr_nest_end(h, families);
	return ask(r, h, NULL, NULL);
}

int rtnl_bridge(struct rtnl *r, const char *name, const uint8_t mac[6])
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, 0, NULL);
	struct nlattr *nest;

	h->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	nest = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(h, nest);
	return ask(r, h, NULL, NULL);
}

int rtnl_veth(struct rtnl *r, const char *name, const char *peer, const uint8_t mac[6])
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = link_request(buf, RTM_NEWLINK, 0, NULL);
	struct nlattr *info, *data, *other;

	h->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memset(mnl_nlmsg_get_payload_tail(h), 0, sizeof(struct ifinfomsg));
	h->nlmsg_len += NLMSG_ALIGN(sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, peer);
	mnl_attr_nest_end(h, other);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return ask(r, h, NULL, NULL);
}

int rtnl_delete(struct rtnl *r, int index)
{
	uint8_t buf[REQUEST];

	return ask(r, link_request(buf, RTM_DELLINK, index, NULL), NULL, NULL);
}

/* ---- addresses ------------------------------------------------------------------------ */

static struct nlmsghdr *address_request(void *buf, uint16_t type, int index, const struct ip *ip, uint8_t bits)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	size_t len = ip->family == 4 ? 4 : 16;
	struct ifaddrmsg *a;

	h->nlmsg_type = type;
	a = mnl_nlmsg_put_extra_header(h, sizeof(*a));
	a->ifa_family = ip->family == 4 ? AF_INET : AF_INET6;
	a->ifa_prefixlen = bits;
	a->ifa_index = (unsigned)index;
	a->ifa_scope = RT_SCOPE_UNIVERSE;
	a->ifa_flags = ip->family == 6 ? IFA_F_NODAD : 0;
	mnl_attr_put(h, IFA_LOCAL, len, ip->at);
	mnl_attr_put(h, IFA_ADDRESS, len, ip->at);
	return h;
}

int rtnl_give(struct rtnl *r, int index, const struct ip *ip, uint8_t bits, uint32_t valid_s)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = address_request(buf, RTM_NEWADDR, index, ip, bits);

	h->nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	mnl_attr_put_u8(h, IFA_PROTO, RTNL_OURS);
	if (ip->family == 4 && bits < 31) {
		struct ip all = ip_v4(ip_u32(ip) | UINT32_MAX >> bits);

		mnl_attr_put(h, IFA_BROADCAST, 4, all.at);
	}
	if (valid_s) {
		struct ifa_cacheinfo life = { .ifa_prefered = valid_s, .ifa_valid = valid_s };

		mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
	}
	return ask(r, h, NULL, NULL);
}

int rtnl_take(struct rtnl *r, int index, const struct ip *ip, uint8_t bits)
{
	uint8_t buf[REQUEST];

	return ask(r, address_request(buf, RTM_DELADDR, index, ip, bits), NULL, NULL);
}

/* struct given - a walk over all addresses, for one of ours */
struct given {
	const struct ip_range *range;
	int index;
	bool found;
	struct ip ip;
	uint8_t bits;
};

/* struct one_address - what a message says of it */
struct one_address {
	struct ip ip;
	uint8_t proto;
};

static int on_address_attribute(const struct nlattr *a, void *arg)
{
	struct one_address *one = arg;
	uint16_t type = mnl_attr_get_type(a), len = mnl_attr_get_payload_len(a);

	if (type == IFA_PROTO && mnl_attr_validate(a, MNL_TYPE_U8) >= 0)
		one->proto = mnl_attr_get_u8(a);
	/* Across a point-to-point wire IFA_ADDRESS is the other end; IFA_LOCAL is ours always, but IPv6 leaves it out. */
	if ((type == IFA_LOCAL || (type == IFA_ADDRESS && one->ip.family == 6)) && len == (one->ip.family == 4 ? 4 : 16))
		memcpy(one->ip.at, mnl_attr_get_payload(a), len);
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(h);
	struct given *want = arg;
	struct one_address one = { .ip.family = a->ifa_family == AF_INET ? 4 : 6 };

	if (h->nlmsg_type != RTM_NEWADDR || (int)a->ifa_index != want->index || want->found)
		return MNL_CB_OK;
	if (mnl_attr_parse(h, sizeof(*a), on_address_attribute, &one) < 0)
		return MNL_CB_ERROR;
	if (one.proto == RTNL_OURS && ip_in(&one.ip, want->range)) {
		want->found = true;
		want->ip = one.ip;
		want->bits = a->ifa_prefixlen;
	}
	return MNL_CB_OK;
}

int rtnl_given(struct rtnl *r, int index, const struct ip_range *range, struct ip *ip, uint8_t *bits)
{
	uint8_t buf[REQUEST];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct given want = { .range = range, .index = index };
	struct ifaddrmsg *a;
	int err;

	h->nlmsg_type = RTM_GETADDR;
	h->nlmsg_flags = NLM_F_DUMP;
	a = mnl_nlmsg_put_extra_header(h, sizeof(*a));
	a->ifa_family = range->ip.family == 4 ? AF_INET : AF_INET6;
	err = ask(r, h, on_address, &want);
	if (!err && !want.found)
		err = -ENOENT;
	if (!err) {
		*ip = want.ip;
		*bits = want.bits;
	}
	return err;
}
