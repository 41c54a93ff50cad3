/*
 * Three things about Linux shape this file. With IP_RECVERR an ICMP error becomes
 * the pending error of the whole socket: the next send fails with it although
 * nothing is wrong with that datagram, so a failed send is tried once more. Epoll
 * says EPOLLERR for as long as the error queue holds anything, so it is emptied
 * whenever there is nothing to receive. And of a datagram that does not fit the
 * interface the queue knows the MTU but not the port it was for, which only the
 * failed send knows: flush() puts the two together.
 */
#include "node/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/burst.h"

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t address_of(union address *a, const struct endpoint *e)
{
	memset(a, 0, sizeof(*a));
	if (e->kind == ENDPOINT_UDP4) {
		a->four.sin_family = AF_INET;
		a->four.sin_port = htons(e->port);
		memcpy(&a->four.sin_addr, e->addr, 4);
		return sizeof(a->four);
	}
	a->six.sin6_family = AF_INET6;
	a->six.sin6_port = htons(e->port);
	memcpy(&a->six.sin6_addr, e->addr, 16);
	return sizeof(a->six);
}

static struct endpoint endpoint_of(const union address *a)
{
	struct endpoint e = { .kind = ENDPOINT_NONE };

	if (a->any.sa_family == AF_INET) {
		e.kind = ENDPOINT_UDP4;
		e.port = ntohs(a->four.sin_port);
		memcpy(e.addr, &a->four.sin_addr, 4);
	} else if (a->any.sa_family == AF_INET6) {
		e.kind = ENDPOINT_UDP6;
		e.port = ntohs(a->six.sin6_port);
		memcpy(e.addr, &a->six.sin6_addr, 16);
	}
	return e;
}

void udp_init(struct udp *u)
{
	memset(u, 0, sizeof(*u));
	u->four.fd = u->six.fd = -1;
}

void udp_close(struct udp *u)
{
	if (u->four.fd >= 0)
		close(u->four.fd);
	if (u->six.fd >= 0)
		close(u->six.fd);
	u->four.fd = u->six.fd = -1;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

/* A burst of a guest's waits here while the loop does something else; beyond the machine's limit only with CAP_NET_ADMIN. */
static void make_room(int fd)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_ROOM))
		set(fd, SOL_SOCKET, SO_RCVBUF, UDP_ROOM);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_ROOM))
		set(fd, SOL_SOCKET, SO_SNDBUF, UDP_ROOM);
}

/* PROBE: DF on every packet, and the cached path MTU, which anybody can forge, is not believed. */
static int prepare(int fd, bool six)
{
	int err;

	if (!six) {
		err = set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		return err ? err : set(fd, IPPROTO_IP, IP_RECVERR, 1);
	}
	err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	err = err ? err : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	err = err ? err : set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	return err ? err : set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static int bind_to(int fd, const struct endpoint *at, uint16_t port)
{
	struct endpoint e = *at;
	union address a;
	socklen_t len;

	e.port = port;
	len = address_of(&a, &e);
	return bind(fd, &a.any, len) ? -errno : 0;
}

int udp_bind(struct udp *u, const struct endpoint *at, uint16_t again)
{
	bool six = at->kind == ENDPOINT_UDP6;
	struct udp_socket *s = six ? &u->six : &u->four;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP), err;
	union address a;
	socklen_t len = sizeof(a);

	if (fd < 0)
		return -errno;
	make_room(fd);
	u->segments = !set(fd, IPPROTO_UDP, UDP_SEGMENT, 0) && !set(fd, IPPROTO_UDP, UDP_GRO, 1);
	err = prepare(fd, six);
	if (!err && (at->port || !again || bind_to(fd, at, again)))
		err = bind_to(fd, at, at->port);
	if (!err && getsockname(fd, &a.any, &len))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	s->fd = fd;
	s->at = endpoint_of(&a);
	return 0;
}

/* ---- errors --------------------------------------------------------------------------- */

static void error_add(struct udp *u, const struct udp_error *e)
{
	for (unsigned i = 0; i < u->errors; i++)
		if (endpoint_eq(&u->error[i].to, &e->to) && u->error[i].unreachable == e->unreachable &&
		    u->error[i].mtu == e->mtu)
			return;
	if (u->errors < UDP_ERRORS)
		u->error[u->errors++] = *e;
}

static uint16_t mtu_of(const struct sock_extended_err *x)
{
	return x->ee_info < UINT16_MAX ? (uint16_t)x->ee_info : UINT16_MAX;
}

static void error_read(struct udp *u, const union address *to, const struct sock_extended_err *x)
{
	struct udp_error e = { .to = endpoint_of(to) };

	if (!endpoint_valid(&e.to))
		return;
	if (x->ee_errno == EMSGSIZE)
		e.mtu = mtu_of(x);
	else
		e.unreachable = true;
	if (e.mtu || e.unreachable)
		error_add(u, &e);
}

/* What routers and hosts said. Returns the MTU of our own interface if a datagram did not fit it, else 0. */
static uint16_t errors_collect(struct udp *u, const struct udp_socket *s)
{
	uint16_t own_mtu = 0;

	for (unsigned i = 0; i < 2 * UDP_ERRORS; i++) {
		union { char room[256]; struct cmsghdr align; } control;
		union address to = { .any.sa_family = AF_UNSPEC };
		char payload[8];
		struct iovec iov = { payload, sizeof(payload) };
		struct msghdr m = {
			.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};

		if (recvmsg(s->fd, &m, MSG_ERRQUEUE) < 0)
			break;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			struct sock_extended_err x;

			if (!((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			      (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) ||
			    c->cmsg_len < CMSG_LEN(sizeof(x)))
				continue;
			memcpy(&x, CMSG_DATA(c), sizeof(x));
			if (x.ee_origin == SO_EE_ORIGIN_LOCAL && x.ee_errno == EMSGSIZE)
				own_mtu = mtu_of(&x);
			else
				error_read(u, &to, &x);
		}
	}
	return own_mtu;
}

bool udp_error_take(struct udp *u, struct event *ev)
{
	if (!u->errors)
		return false;
	*ev = (struct event){ .kind = EVENT_PATH_ERROR, .from = u->error[0].to };
	ev->path.mtu = u->error[0].mtu;
	ev->path.unreachable = u->error[0].unreachable;
	memmove(u->error, u->error + 1, --u->errors * sizeof(u->error[0]));
	return true;
}

/* ---- receiving ------------------------------------------------------------------------ */

enum { SLOT = BURST_BYTES / UDP_BATCH };	/* what the kernel joined is a UDP packet, no longer than any */
_Static_assert(SLOT > UINT16_MAX, "one message");

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* Of how long datagrams the message @h of @len bytes is. */
static size_t step_of(struct msghdr *h, size_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			return size > 0 && (size_t)size < len ? (size_t)size : len;
		}
	return len;
}

unsigned udp_receive(struct udp *u, struct udp_socket *s, struct event **evs)
{
	struct burst *b = burst_area();
	union address from[UDP_BATCH];
	union control control[UDP_BATCH];
	struct mmsghdr m[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	unsigned count = 0;
	int got;

	*evs = b->event;
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		iov[i] = (struct iovec){ b->bytes + i * SLOT, SLOT };
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = &control[i], .msg_controllen = sizeof(control[i]),
		};
	}
	got = recvmmsg(s->fd, m, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (got <= 0)
		errors_collect(u, s);
	for (int i = 0; i < got; i++) {
		size_t len = m[i].msg_len, step = step_of(&m[i].msg_hdr, len), at = 0;

		u->oversized += step > UDP_BUFFER;
		if (step > UDP_BUFFER)
			continue;
		do {
			size_t one = len - at < step ? len - at : step;

			u->in++;
			u->in_bytes += one;
			b->event[count++] = (struct event){
				.kind = EVENT_DATAGRAM, .from = endpoint_of(&from[i]),
				.data = { b->bytes + (size_t)i * SLOT + at, one },
			};
			at += one;
		} while (at < len && count < BURST_EVENTS);
	}
	return count;
}

/* ---- sending -------------------------------------------------------------------------- */

/* struct outgoing - datagrams of one family on their way into the kernel */
struct outgoing {
	const struct datagram *d[UDP_BATCH];
	union control control[UDP_BATCH];
	struct mmsghdr m[UDP_BATCH];
	union address to[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	unsigned count;
};

/* What a failed send says of the path to @to. */
static void refused(struct udp *u, const struct udp_socket *s, const union address *to, int err, unsigned count)
{
	struct udp_error e = { .to = endpoint_of(to), .unreachable = true };

	u->refused += count;
	switch (err) {
	case EMSGSIZE:
		e.mtu = errors_collect(u, s);
		e.unreachable = false;
		if (e.mtu)
			error_add(u, &e);
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
	case EINVAL:
		error_add(u, &e);
		break;
	default:
		break;
	}
}

static void put(struct udp *u, struct udp_socket *s, struct outgoing *o, const struct datagram *d, const uint8_t *at,
		size_t len, uint16_t segment);
static void flush(struct udp *u, struct udp_socket *s, struct outgoing *o);

/* @d in as many messages as it is datagrams. */
static void put_each(struct udp *u, struct udp_socket *s, struct outgoing *o, const struct datagram *d)
{
	size_t step = d->segment ? d->segment : d->len;

	for (size_t at = 0; at < d->len; at += step)
		put(u, s, o, d, d->data + at, d->len - at < step ? d->len - at : step, 0);
}

/*
 * The kernel did not take a whole batch: a segment may be too long for its interface, or that cannot sum (EIO). One by
 * one each gets its own answer.
 */
static void one_by_one(struct udp *u, struct udp_socket *s, const struct datagram *d)
{
	struct outgoing o;

	o.count = 0;
	put_each(u, s, &o, d);
	if (o.count)
		flush(u, s, &o);
}

static unsigned datagrams(const struct outgoing *o, unsigned i)
{
	return o->m[i].msg_hdr.msg_controllen ? datagrams_of(o->d[i]) : 1;
}

static void flush(struct udp *u, struct udp_socket *s, struct outgoing *o)
{
	unsigned done = 0;
	bool again = false, trouble = false;

	while (done < o->count) {
		int n = sendmmsg(s->fd, o->m + done, o->count - done, MSG_DONTWAIT);

		if (n > 0) {
			for (unsigned end = done + (unsigned)n; done < end; done++) {
				u->out_bytes += o->m[done].msg_len;
				u->out += datagrams(o, done);
			}
			again = false;
		} else if (errno == EINTR) {
			continue;
		} else if (!again && errno != EAGAIN && errno != EMSGSIZE) {
			again = trouble = true;	/* may have been the socket's error, not this datagram's */
		} else {
			if (o->m[done].msg_hdr.msg_controllen && errno != EAGAIN)
				one_by_one(u, s, o->d[done]);
			else
				refused(u, s, &o->to[done], errno, datagrams(o, done));
			done++;
			again = false;
			trouble = true;
		}
	}
	if (trouble)
		errors_collect(u, s);
	o->count = 0;
}

static void put(struct udp *u, struct udp_socket *s, struct outgoing *o, const struct datagram *d, const uint8_t *at,
		size_t len, uint16_t segment)
{
	unsigned i = o->count++;
	socklen_t name = address_of(&o->to[i], &d->to);
	struct msghdr *h = &o->m[i].msg_hdr;

	o->d[i] = d;
	o->iov[i] = (struct iovec){ (void *)at, len };
	*h = (struct msghdr){ .msg_name = &o->to[i], .msg_namelen = name, .msg_iov = &o->iov[i], .msg_iovlen = 1 };
	if (segment) {
		struct cmsghdr *c = &o->control[i].align;

		h->msg_control = c;
		h->msg_controllen = CMSG_SPACE(sizeof(segment));
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(segment)) };
		memcpy(CMSG_DATA(c), &segment, sizeof(segment));
	}
	if (o->count == UDP_BATCH)
		flush(u, s, o);
}

void udp_send(struct udp *u, const struct datagram *d, unsigned count)
{
	struct outgoing four, six;

	four.count = six.count = 0;
	for (const struct datagram *end = d + count; d < end; d++) {
		bool is_six = d->to.kind == ENDPOINT_UDP6;
		struct udp_socket *s = is_six ? &u->six : &u->four;
		struct outgoing *o = is_six ? &six : &four;

		if (s->fd < 0 || !endpoint_valid(&d->to))
			u->refused++;
		else if (d->segment && u->segments)
			put(u, s, o, d, d->data, d->len, d->segment);
		else
			put_each(u, s, o, d);
	}
	if (four.count)
		flush(u, &u->four, &four);
	if (six.count)
		flush(u, &u->six, &six);
}
