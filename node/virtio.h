/*
 * virtio.h - what stands before each frame of a tap with IFF_VNET_HDR
 *
 * The legacy header of virtio 1.2, 5.1.6, in the machine's byte order: what was
 * left undone in the frame behind it. Ten bytes.
 */
#ifndef NODE_VIRTIO_H
#define NODE_VIRTIO_H

#include "core/base/door.h"

enum { VIRTIO_HEADER = 10 };

/** virtio_read() - @at: VIRTIO_HEADER bytes before a frame of @len; false: it means nothing that core knows */
bool virtio_read(const uint8_t *at, size_t len, struct offload *o);

/**
 * virtio_settle() - Fill in the checksum of the frame of @len bytes if @o, which virtio_read() took, means one further in
 *
 * Core carries on what is undone in the packet itself. Of a packet in a tunnel (VXLAN, GRE) the kernel, for which
 * we are a card that sums anything, leaves the inner one.
 */
void virtio_settle(uint8_t *frame, size_t len, struct offload *o);

/**
 * virtio_write() - The header for a frame with @o, which is core's or a train's (train.h)
 * @headers: bytes of it before the data; @family, @proto: of what o->segment cuts; all three count with segments only
 */
void virtio_write(uint8_t at[VIRTIO_HEADER], const struct offload *o, size_t headers, uint8_t family, uint8_t proto);

#endif /* NODE_VIRTIO_H */
