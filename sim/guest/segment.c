/* segment.c - learn the source, look the destination up, flood what is unknown (IEEE 802.1D, 7.7 and 7.8) */
#include "sim/guest/segment.h"

#include <assert.h>
#include <string.h>

enum { PROBE = 8 };				/* places a MAC may lie at */

static unsigned slots_for(unsigned ports)
{
	unsigned n = 16;

	if (ports <= 2)
		return 0;
	while (n < ports * SEGMENT_MACS)
		n *= 2;
	return n;
}

size_t segment_bytes(unsigned ports)
{
	return sizeof(struct segment) + ports * sizeof(struct port) + slots_for(ports) * sizeof(struct segment_mac);
}

struct segment *segment_init(void *memory, unsigned ports)
{
	struct segment *s = memory;

	assert(ports >= 2 && ports <= SEGMENT_PORTS);
	memset(s, 0, segment_bytes(ports));
	s->max_ports = (uint16_t)ports;
	s->slots = (uint16_t)slots_for(ports);
	s->delay_ns = SEGMENT_DELAY_NS;
	s->ageing_ns = SEGMENT_AGEING_NS;
	s->burst = SEGMENT_BURST;
	s->tick_ns = INT64_MIN;
	s->port = (struct port *)(s + 1);
	s->mac = (struct segment_mac *)(s->port + ports);
	for (unsigned i = 0; i < s->slots; i++)
		s->mac[i].port = UINT16_MAX;
	return s;
}

unsigned segment_plug(struct segment *s, uint32_t object, uint32_t what)
{
	assert(s->ports < s->max_ports);
	s->port[s->ports] = (struct port){ .object = object, .what = what };
	return s->ports++;
}

void segment_set(struct segment *s, unsigned port, bool up)
{
	s->port[port].up = up;
	for (unsigned i = 0; !up && i < s->slots; i++)
		if (s->mac[i].port == port)
			s->mac[i].port = UINT16_MAX;
}

static unsigned hash(const uint8_t mac[6])
{
	uint32_t h = 2166136261u;		/* FNV-1a */

	for (unsigned i = 0; i < 6; i++)
		h = (h ^ mac[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The place of @mac, or the one it would take: free, aged, or heard longest ago of those it may lie at. */
static struct segment_mac *place(struct segment *s, int64_t now_ns, const uint8_t *mac)
{
	struct segment_mac *best = NULL;
	unsigned at = hash(mac);

	for (unsigned i = 0; i < PROBE; i++) {
		struct segment_mac *m = &s->mac[(at + i) & (s->slots - 1u)];

		if (m->port != UINT16_MAX && now_ns - m->heard_ns > s->ageing_ns)
			m->port = UINT16_MAX;
		if (m->port != UINT16_MAX && !memcmp(m->mac, mac, 6))
			return m;
		if (!best || (best->port != UINT16_MAX && (m->port == UINT16_MAX || m->heard_ns < best->heard_ns)))
			best = m;
	}
	return best;
}

static void learn(struct segment *s, int64_t now_ns, unsigned port, const uint8_t *mac)
{
	struct segment_mac *m = place(s, now_ns, mac);
	bool known = m->port != UINT16_MAX && !memcmp(m->mac, mac, 6);

	if (known && m->port != port) {
		s->moved++;
		if (now_ns - m->heard_ns < SEGMENT_MOVE_NS)
			s->loops++;
	} else if (!known && m->port != UINT16_MAX) {
		s->full++;
	}
	memcpy(m->mac, mac, 6);
	m->port = (uint16_t)port;
	m->heard_ns = now_ns;
}

static bool storm(struct segment *s, int64_t now_ns)
{
	int64_t tick_ns = now_ns - now_ns % 1000000;

	if (tick_ns != s->tick_ns) {
		s->tick_ns = tick_ns;
		s->in_tick = 0;
	}
	if (s->in_tick++ < s->burst)
		return false;
	s->storms++;
	return true;
}

unsigned segment_frame(struct segment *s, int64_t now_ns, unsigned port, const uint8_t *frame, size_t len,
		       uint16_t *out)
{
	const struct segment_mac *m = NULL;
	unsigned n = 0;

	assert(port < s->ports);
	if (!s->port[port].up)
		return 0;
	if (len < 14 || frame[6] & 1) {
		s->bad++;
		return 0;
	}
	if (storm(s, now_ns))
		return 0;
	s->port[port].in++;
	if (s->slots) {
		learn(s, now_ns, port, frame + 6);
		if (!(frame[0] & 1)) {
			m = place(s, now_ns, frame);
			if (m->port == UINT16_MAX || memcmp(m->mac, frame, 6))
				m = NULL;
		}
	}
	if (m && m->port == port) {
		s->filtered++;
		return 0;
	}
	for (unsigned i = 0; i < s->ports; i++)
		if (i != port && s->port[i].up && (!m || m->port == i)) {
			s->port[i].out++;
			out[n++] = (uint16_t)i;
		}
	if (m)
		s->unicast++;
	else
		s->flooded++;
	return n;
}
