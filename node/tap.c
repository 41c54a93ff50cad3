#include "node/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node/text.h"

#define TUN_DEVICE "/dev/net/tun"

enum { BUFFER = 96 << 10 };		/* of one batch: 32 frames of 1,500 bytes and room for a long one */

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

bool tap_open(struct tap *t, const char *name, uint16_t iface, struct fail *f)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	const char *wrong = iface_wrong(name, true);
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
	if (ioctl(fd, TUNSETIFF, &r)) {
		err = errno;
		close(fd);
		return no_tap(name, err, f);
	}
	memcpy(t->name, r.ifr_name, IFNAMSIZ);
	t->name[IFNAMSIZ - 1] = 0;
	t->persistent = !ioctl(fd, TUNGETIFF, &r) && r.ifr_flags & IFF_PERSIST;
	t->fd = fd;
	return true;
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

unsigned tap_read(struct tap *t, struct event *evs)
{
	static uint8_t buffer[BUFFER];
	unsigned count = 0;
	size_t at = 0;

	/* One byte more than we take tells a frame that was cut off. */
	for (unsigned i = 0; i < TAP_BATCH && at + TAP_FRAME + 1 <= BUFFER; i++) {
		ssize_t n = read(t->fd, buffer + at, TAP_FRAME + 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EBADFD)
			t->gone = true;
		if (n <= 0)
			break;
		if (n > TAP_FRAME) {
			t->oversized++;
			continue;
		}
		t->in++;
		t->in_bytes += (uint64_t)n;
		evs[count++] = (struct event){ .kind = EVENT_FRAME, .iface = t->iface, .data = { buffer + at, (size_t)n } };
		at += ((size_t)n + 7) & ~(size_t)7;
	}
	return count;
}

/* RFC 1071 over @len bytes, the sum so far already at the place it goes to; in network order. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len & 1)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The frame with what was left undone done, in @copy; false if that cannot be. */
static bool complete(const struct frame *f, uint8_t copy[TAP_FRAME])
{
	const struct offload *o = &f->offload;
	size_t at = (size_t)o->checksum_start + o->checksum_offset;
	uint16_t sum;

	if (o->segment || f->len > TAP_FRAME || at + 2 > f->len)
		return false;
	memcpy(copy, f->data, f->len);
	sum = checksum(copy + o->checksum_start, f->len - o->checksum_start);
	sum = sum ? sum : 0xffff;		/* in UDP zero means that there is none */
	copy[at] = (uint8_t)(sum >> 8);
	copy[at + 1] = (uint8_t)sum;
	return true;
}

void tap_write(struct tap *t, const struct frame *f)
{
	const uint8_t *data = f->data;
	uint8_t copy[TAP_FRAME];
	ssize_t n;

	if (f->offload.segment || f->offload.partial) {
		if (!complete(f, copy)) {
			t->refused++;
			return;
		}
		data = copy;
	}
	do
		n = write(t->fd, data, f->len);
	while (n < 0 && errno == EINTR);
	if (n == f->len) {
		t->out++;
		t->out_bytes += f->len;
	} else {
		t->refused++;
		t->gone |= n < 0 && errno == EBADFD;
	}
}
