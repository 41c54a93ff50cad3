#include "node/addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/text.h"

void addresses_open(struct addresses *a)
{
	struct sockaddr_nl nl = {
		.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK,
	};

	*a = (struct addresses){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE) };
	if (a->fd >= 0 && bind(a->fd, (struct sockaddr *)&nl, sizeof(nl))) {
		close(a->fd);
		a->fd = -1;
	}
}

void addresses_close(struct addresses *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

void addresses_except(struct addresses *a, const struct ip_range *r)
{
	if (r->ip.family && a->nots < ADDRESSES_NOT)
		a->not[a->nots++] = *r;
}

/* A full queue (ENOBUFS) is a change too: what was lost does not matter, the list is read anew. */
bool addresses_changed(struct addresses *a)
{
	bool any = false;
	char buf[4096];

	for (;;) {
		ssize_t n = recv(a->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return any;
		if (n <= 0 && errno != ENOBUFS)
			return any;
		any = true;
	}
}

static bool held(const struct endpoint *at, unsigned count, const struct endpoint *e)
{
	for (unsigned i = 0; i < count; i++)
		if (endpoint_eq(&at[i], e))
			return true;
	return false;
}

static struct endpoint from_sockaddr(const struct sockaddr *sa, const struct udp *u)
{
	struct endpoint e = { .kind = ENDPOINT_NONE };

	if (sa && sa->sa_family == AF_INET && u->four.fd >= 0) {
		e.kind = ENDPOINT_UDP4;
		e.port = u->four.at.port;
		memcpy(e.addr, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa && sa->sa_family == AF_INET6 && u->six.fd >= 0) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		if (IN6_IS_ADDR_LINKLOCAL(six))
			return e;
		e.kind = ENDPOINT_UDP6;
		e.port = u->six.at.port;
		memcpy(e.addr, six, 16);
	}
	return e;
}

/* Does the socket of @e's family receive what is sent to @e? */
static bool ours(const struct udp *u, const struct endpoint *e)
{
	const struct udp_socket *s = e->kind == ENDPOINT_UDP6 ? &u->six : &u->four;

	return endpoint_wild(&s->at) ? !endpoint_loopback(e) : endpoint_eq(&s->at, e);
}

static bool excepted(const struct addresses *a, const struct endpoint *e)
{
	struct ip ip = { .family = e->kind == ENDPOINT_UDP6 ? 6 : 4 };

	memcpy(ip.at, e->addr, ip.family == 6 ? 16 : 4);
	for (unsigned i = 0; i < a->nots; i++)
		if (ip_in(&ip, &a->not[i]))
			return true;
	return false;
}

static unsigned list(const struct addresses *a, const struct udp *u, struct endpoint at[ADDRESSES_MAX])
{
	struct ifaddrs *all = NULL;
	unsigned count = 0;

	if (getifaddrs(&all))
		return 0;
	for (const struct ifaddrs *i = all; i && count < ADDRESSES_MAX; i = i->ifa_next) {
		struct endpoint e = from_sockaddr(i->ifa_addr, u);

		if (e.kind == ENDPOINT_NONE || !(i->ifa_flags & IFF_UP) || !ours(u, &e) || excepted(a, &e) ||
		    held(at, count, &e))
			continue;
		at[count++] = e;
	}
	freeifaddrs(all);
	return count;
}

unsigned addresses_read(struct addresses *a, const struct udp *u, struct event evs[ADDRESSES_EVENTS])
{
	struct endpoint now[ADDRESSES_MAX];
	unsigned count = list(a, u, now), events = 0;

	for (unsigned i = 0; i < a->count; i++)
		if (!held(now, count, &a->at[i]))
			evs[events++] = (struct event){ .kind = EVENT_ADDRESS, .from = a->at[i], .up = false };
	for (unsigned i = 0; i < count; i++)
		if (!held(a->at, a->count, &now[i]))
			evs[events++] = (struct event){ .kind = EVENT_ADDRESS, .from = now[i], .up = true };
	memcpy(a->at, now, count * sizeof(now[0]));
	a->count = count;
	return events;
}
