/*
 * capture.h - a node's traffic as a pcap file with virtual time stamps
 *
 * Raw IP (DLT_RAW), nanosecond stamps; IP and UDP headers with right checksums
 * are put around the overlay's datagrams. What taps and guests see is Ethernet
 * (DLT_EN10MB), frame by frame. Opens in tshark and Wireshark. Virtual time 0 is
 * 1970-01-01 00:00:00.
 *
 *	Memory		libpcap's and stdio's; nothing per packet
 *	Threads		one writer per capture (a node lives in one shard)
 *	Errors		as in rundir.h
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/net/packet.h"
#include "sim/record/rundir.h"

struct capture;

/** capture_open() - Create file @name ("n17.pcap") in the run directory */
struct capture *capture_open(struct rundir *d, const char *name, struct fail *f);

/** capture_open_frames() - The same for Ethernet frames (capture_frame()) */
struct capture *capture_open_frames(struct rundir *d, const char *name, struct fail *f);

/** capture_open_path() - capture_open() at a path of its own, without a run directory */
struct capture *capture_open_path(const char *path, struct fail *f);

/**
 * capture_datagram() - One UDP packet, headers made from @p
 *
 * Endpoints of two families or a payload that fits no UDP length are our bug.
 * Write errors are kept and told by capture_close().
 */
void capture_datagram(struct capture *c, int64_t now_ns, const struct packet *p);

/** capture_frame() - A whole Ethernet frame, into a capture of capture_open_frames() */
void capture_frame(struct capture *c, int64_t now_ns, const void *frame, size_t len);

/** capture_close() - Close and free; the first error of the capture comes out here. NULL is fine */
bool capture_close(struct capture *c, struct fail *f);

#endif /* CAPTURE_H */
