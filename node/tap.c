#include "node/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node/burst.h"
#include "node/text.h"
#include "node/train.h"
#include "node/virtio.h"

#define TUN_DEVICE "/dev/net/tun"

/* Newer than some headers: Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static bool no_device(struct fail *f)
{
	int err = errno;

	fail_add(f, "cannot open %s: %s", TUN_DEVICE, strerror(err));
	if (err == EACCES || err == EPERM)
		fail_hint(f, "run as root, or let this user read and write it");
	else if (err == ENOENT || err == ENXIO || err == ENODEV)
		fail_hint(f, "this kernel or container has no TUN/TAP driver: modprobe tun, or hand the device into the container");
	return false;
}

static bool no_tap(const char *name, int err, struct fail *f)
{
	switch (err) {
	case EBUSY:
		fail_add(f, "the tap %s is in use by another program", name);
		fail_hint(f, "accepted: another name, or weft%%d for the first that is free");
		break;
	case EPERM:
		if (if_nametoindex(name)) {
			fail_add(f, "the tap %s is not this user's", name);
			fail_hint(f, "accepted: one made with `ip tuntap add %s mode tap user NAME`, or CAP_NET_ADMIN", name);
		} else {
			fail_add(f, "cannot make the tap %s: %s", name, strerror(err));
			fail_hint(f, "accepted: CAP_NET_ADMIN, or a tap made before with `ip tuntap add %s mode tap user NAME`", name);
		}
		break;
	case EINVAL:
		if (if_nametoindex(name)) {
			fail_add(f, "%s is an interface already, and no tap with one queue", name);
			fail_hint(f, "accepted: another name, or weft%%d for the first that is free");
			break;
		}
		/* fallthrough */
	default:
		fail_add(f, "cannot open the tap %s: %s", name, strerror(err));
		break;
	}
	return false;
}

/* The most that this kernel hands over undone. What it takes from us needs no such word, but for UDP it is as new. */
static void negotiate(struct tap *t)
{
	const unsigned sum = TUN_F_CSUM, tcp = sum | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	t->udp = !ioctl(t->fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6);
	t->tcp = t->udp || !ioctl(t->fd, TUNSETOFFLOAD, tcp);
	if (!t->tcp)
		ioctl(t->fd, TUNSETOFFLOAD, sum);
}

bool tap_open(struct tap *t, const char *name, uint16_t iface, struct fail *f)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	const char *wrong = iface_wrong(name, true);
	unsigned features;
	int fd, err;

	*t = (struct tap){ .fd = -1, .iface = iface };
	if (wrong) {
		fail_add(f, "the tap's name '%s': %s", name, wrong);
		return false;
	}
	fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return no_device(f);
	memcpy(r.ifr_name, name, strlen(name));
	t->virtio = !ioctl(fd, TUNGETFEATURES, &features) && features & IFF_VNET_HDR;
	if (!t->virtio)
		r.ifr_flags &= ~IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &r)) {
		err = errno;
		close(fd);
		return no_tap(name, err, f);
	}
	memcpy(t->name, r.ifr_name, IFNAMSIZ);
	t->name[IFNAMSIZ - 1] = 0;
	t->persistent = !ioctl(fd, TUNGETIFF, &r) && r.ifr_flags & IFF_PERSIST;
	t->fd = fd;
	if (t->virtio)
		negotiate(t);
	return true;
}

const char *tap_takes(const struct tap *t)
{
	return t->udp ? "batches of TCP and UDP segments" : t->tcp ? "batches of TCP segments" :
	       t->virtio ? "single packets, sums partial" : "single packets";
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0 && t->persistent)
		ioctl(t->fd, TUNSETOFFLOAD, 0);		/* whoever opens it next may want single packets */
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

unsigned tap_read(struct tap *t, struct event **evs)
{
	enum { ROOM = UINT16_MAX + 1, AHEAD = 16 };
	struct burst *b = burst_area();
	size_t front = t->virtio ? VIRTIO_HEADER : 0, at = AHEAD;
	unsigned count = 0;

	*evs = b->event;
	for (unsigned i = 0; i < TAP_BATCH && at < TAP_BYTES; i++) {
		uint8_t *frame = b->bytes + at;
		ssize_t n = read(t->fd, frame - front, front + ROOM), len = n - (ssize_t)front;
		struct offload o = { 0 };

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EBADFD)
			t->gone = true;
		if (len <= 0)
			break;
		if ((front && !virtio_read(frame - front, (size_t)len, &o)) || len > (o.segment ? UINT16_MAX : TAP_FRAME)) {
			t->oversized++;
			continue;
		}
		virtio_settle(frame, (size_t)len, &o);
		t->in++;
		t->in_bytes += (uint64_t)len;
		b->event[count] = (struct event){ .kind = EVENT_FRAME, .iface = t->iface, .data = { frame, (size_t)len } };
		b->event[count++].offload = o;
		at += ((size_t)len + AHEAD + 15) & ~(size_t)15;
	}
	return count;
}
_Static_assert(TAP_BYTES + UINT16_MAX + 32 < BURST_BYTES, "a tap fits the area");
_Static_assert((int)TAP_BATCH <= (int)BURST_EVENTS, "likewise");

static void write_train(struct tap *t, const struct train *r)
{
	uint8_t header[VIRTIO_HEADER], head[TRAIN_HEAD];
	struct iovec iov[1 + TRAIN_IOV];
	struct offload o;
	unsigned parts = train_frame(r, head, &o, iov + 1), from = !t->virtio;	/* core makes nothing partial for such a tap */
	size_t len = 0;
	ssize_t n;

	virtio_write(header, &o, r->headers, r->family, r->proto);
	iov[0] = (struct iovec){ header, sizeof(header) };
	for (unsigned i = from; i <= parts; i++)
		len += iov[i].iov_len;
	do
		n = writev(t->fd, iov + from, (int)(parts + 1 - from));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len) {
		t->out++;
		t->out_bytes += len - (t->virtio ? VIRTIO_HEADER : 0);
	} else {
		t->refused += r->cars;
		t->gone |= n < 0 && errno == EBADFD;
	}
}

void tap_write(struct tap *t, const struct frame *f, unsigned count)
{
	struct yard y;
	struct train r;

	y.trains = y.next = 0;
	y.tcp = t->virtio;
	y.udp = t->udp;
	for (const struct frame *end = f + count; f < end; f++)
		if (f->iface == t->iface && yard_put(&y, f, &r))
			write_train(t, &r);
	while (yard_rest(&y, &r))
		write_train(t, &r);
}
