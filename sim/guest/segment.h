/*
 * segment.h - a LAN: a learning switch and its ports
 *
 * Pure: a frame comes in at a port, the ports it leaves by come out; whoever
 * owns the segment delivers it there after segment.delay_ns. A segment of two
 * ports is a cable and learns nothing. MACs are forgotten after ageing_ns.
 *
 * A loop (two bridges that both forward between the same two segments) shows as
 * a MAC that keeps moving between ports, and as more frames than a LAN carries:
 * moves are counted, and a segment passes at most `burst` frames in a
 * millisecond; the rest is dropped and counted, so that virtual time goes on.
 *
 *	Memory		segment_bytes(ports): 24 bytes a port and 16 for each of four
 *			MACs a port, the caller's
 */
#ifndef GUEST_SEGMENT_H
#define GUEST_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_PORTS = 1024, SEGMENT_BURST = 4096, SEGMENT_MACS = 4 };

#define SEGMENT_DELAY_NS	INT64_C(10000)			/* store and forward on a LAN of 1 Gbit/s */
#define SEGMENT_AGEING_NS	INT64_C(300000000000)		/* IEEE 802.1D's default */
#define SEGMENT_MOVE_NS		INT64_C(1000000000)		/* a MAC that moves again within this is suspect */

/** struct port - who is plugged in; the owner's numbers */
struct port {
	uint32_t object;
	uint32_t what;
	bool up;
	uint64_t in, out;		/* frames */
};

struct segment_mac {
	int64_t heard_ns;
	uint8_t mac[6];
	uint16_t port;			/* UINT16_MAX: free */
};

struct segment {
	uint16_t ports, max_ports;
	uint16_t slots;			/* of the MAC table, a power of two; 0: a cable */
	int64_t delay_ns, ageing_ns;
	uint32_t burst;
	uint64_t flooded, unicast, filtered, moved, loops, storms, full, bad;
	int64_t tick_ns;		/* the millisecond being counted */
	uint32_t in_tick;
	struct port *port;
	struct segment_mac *mac;
};

size_t segment_bytes(unsigned ports);

/** segment_init() - A switch for at most @ports ports at @memory (segment_bytes(), aligned to 8) */
struct segment *segment_init(void *memory, unsigned ports);

/** segment_plug() - One more port. Return: its number */
unsigned segment_plug(struct segment *s, uint32_t object, uint32_t what);

/** segment_set() - Carrier of @port; MACs behind a port that goes down are forgotten */
void segment_set(struct segment *s, unsigned port, bool up);

/**
 * segment_frame() - @frame came in at @port
 * @out: room for all ports: where it leaves, in ascending order
 *
 * Return: how many; 0 if it is dropped (counted) or nobody else is there
 */
unsigned segment_frame(struct segment *s, int64_t now_ns, unsigned port, const uint8_t *frame, size_t len,
		       uint16_t *out);

#endif /* GUEST_SEGMENT_H */
