/* ON: core/base node/virtio.c node/train.c core/vnet/packet.c core/vnet/batch.c core/vnet/build.c */
/*
 * virtio_fuzz.c - frames with what a kernel says was left undone in them
 *
 * Input: as a tap hands it over, a virtio-net header and a frame. What core takes
 * is cut where it is a batch; each packet reads well once its sum is filled in,
 * they are as many bytes as the frame had, and put together they are frames the
 * kernel could have sent: inside one buffer, their parts as long as they say.
 */
#include <assert.h>
#include <string.h>

#include "core/vnet/path.h"
#include "node/train.h"
#include "node/virtio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct train *t, size_t *bytes)
{
	uint8_t head[TRAIN_HEAD], header[VIRTIO_HEADER];
	struct iovec iov[TRAIN_IOV];
	struct offload o, back;
	unsigned parts = train_frame(t, head, &o, iov);
	size_t len = 0;

	assert(parts && parts <= TRAIN_IOV);
	for (unsigned i = 0; i < parts; i++)
		len += iov[i].iov_len;
	assert(len <= UINT16_MAX + ETH_HEADER);
	virtio_write(header, &o, t->headers, t->family, t->proto);
	assert(virtio_read(header, len, &back));
	assert(back.segment == o.segment && back.partial == o.partial);
	assert(!o.partial || (back.checksum_start == o.checksum_start && back.checksum_offset == o.checksum_offset));
	for (unsigned i = 0; i < t->cars; i++)
		*bytes -= t->car[i]->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[BATCH_SEGMENTS][2048];
	static struct frame frame[BATCH_SEGMENTS];
	static uint8_t settled[UINT16_MAX];
	struct yard y = { .tcp = true, .udp = true };
	struct offload o;
	struct packet p, q;
	struct batch b;
	struct train t;
	size_t len, n = 0, out = 0, payload = 0;

	if (size < VIRTIO_HEADER || size > VIRTIO_HEADER + UINT16_MAX ||
	    !virtio_read(data, size - VIRTIO_HEADER, &o))
		return 0;
	memcpy(settled, data + VIRTIO_HEADER, size - VIRTIO_HEADER);
	virtio_settle(settled, size - VIRTIO_HEADER, &o);
	if (packet_read(&p, (struct bytes){ settled, size - VIRTIO_HEADER }, &o) != DROP_NONE ||
	    !batch_begin(&b, &p, sizeof(bytes[0]) - ETH_HEADER))
		return 0;
	o = p.offload;
	o.segment = 0;
	for (; (len = batch_next(&b, bytes[n] + ETH_HEADER)); n++) {
		assert(n < BATCH_SEGMENTS && len <= sizeof(bytes[0]) - ETH_HEADER);
		assert(packet_read_ip(&q, (struct bytes){ bytes[n] + ETH_HEADER, len }, &o) == DROP_NONE);
		payload += q.data.len;
		memcpy(bytes[n], p.frame.at, ETH_HEADER);
		frame[n] = (struct frame){ .data = bytes[n], .len = (uint16_t)(ETH_HEADER + len) };
		if (n & 1) {
			frame[n].offload = o;
			frame[n].offload.checksum_start = (uint16_t)(o.checksum_start + ETH_HEADER);
		} else {
			sum_fill(bytes[n] + ETH_HEADER, len, &o);
			assert(packet_read_ip(&q, (struct bytes){ bytes[n] + ETH_HEADER, len }, NULL) == DROP_NONE);
		}
		out += frame[n].len;
		if (yard_put(&y, &frame[n], &t))
			check(&t, &out);
	}
	assert(payload == p.data.len);
	while (yard_rest(&y, &t))
		check(&t, &out);
	assert(!out);
	return 0;
}
