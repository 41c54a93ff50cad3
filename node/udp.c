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
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

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

static uint8_t buffer[UDP_BATCH][UDP_BUFFER] __attribute__((aligned(4096)));	/* whole pages: udp_tidy() */

void udp_tidy(void)
{
	madvise(buffer, sizeof(buffer), MADV_DONTNEED);
}

unsigned udp_receive(struct udp *u, struct udp_socket *s, struct event *evs)
{
	union address from[UDP_BATCH];
	struct mmsghdr m[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	unsigned count = 0;
	int got;

	for (unsigned i = 0; i < UDP_BATCH; i++) {
		iov[i] = (struct iovec){ buffer[i], UDP_BUFFER };
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &iov[i], .msg_iovlen = 1,
		};
	}
	got = recvmmsg(s->fd, m, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (got <= 0)
		errors_collect(u, s);
	for (int i = 0; i < got; i++) {
		if (m[i].msg_hdr.msg_flags & MSG_TRUNC) {
			u->oversized++;
			continue;
		}
		u->in++;
		u->in_bytes += m[i].msg_len;
		evs[count++] = (struct event){
			.kind = EVENT_DATAGRAM, .from = endpoint_of(&from[i]), .data = { buffer[i], m[i].msg_len },
		};
	}
	return count;
}

/* ---- sending -------------------------------------------------------------------------- */

/* struct outgoing - datagrams of one family on their way into the kernel */
struct outgoing {
	struct mmsghdr m[UDP_BATCH];
	union address to[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	unsigned count;
};

/* What a failed send says of the path to @to. */
static void refused(struct udp *u, const struct udp_socket *s, const union address *to, int err)
{
	struct udp_error e = { .to = endpoint_of(to), .unreachable = true };

	u->refused++;
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

static void flush(struct udp *u, struct udp_socket *s, struct outgoing *o)
{
	unsigned done = 0;
	bool again = false, trouble = false;

	while (done < o->count) {
		int n = sendmmsg(s->fd, o->m + done, o->count - done, MSG_DONTWAIT);

		if (n > 0) {
			for (int i = 0; i < n; i++)
				u->out_bytes += o->m[done + (unsigned)i].msg_len;
			u->out += (unsigned)n;
			done += (unsigned)n;
			again = false;
		} else if (errno == EINTR) {
			continue;
		} else if (!again && errno != EAGAIN && errno != EMSGSIZE) {
			again = trouble = true;	/* may have been the socket's error, not this datagram's */
		} else {
			refused(u, s, &o->to[done++], errno);
			again = false;
			trouble = true;
		}
	}
	if (trouble)
		errors_collect(u, s);
	o->count = 0;
}

static void put(struct udp *u, struct udp_socket *s, struct outgoing *o, const struct datagram *d, const uint8_t *at,
		size_t len)
{
	unsigned i = o->count++;
	socklen_t name = address_of(&o->to[i], &d->to);

	o->iov[i] = (struct iovec){ (void *)at, len };
	o->m[i].msg_hdr = (struct msghdr){
		.msg_name = &o->to[i], .msg_namelen = name, .msg_iov = &o->iov[i], .msg_iovlen = 1,
	};
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
		size_t step = d->segment ? d->segment : d->len;

		if (s->fd < 0 || !endpoint_valid(&d->to)) {
			u->refused++;
			continue;
		}
		for (size_t at = 0; at < d->len; at += step)
			put(u, s, is_six ? &six : &four, d, d->data + at, d->len - at < step ? d->len - at : step);
	}
	if (four.count)
		flush(u, &u->four, &four);
	if (six.count)
		flush(u, &u->six, &six);
}
