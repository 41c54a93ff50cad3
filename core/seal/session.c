/*
 * session.c - theory of operation
 *
 * A lane is 24 bytes of counters and two keys of the suite's size. The keys are
 * hashed forward every SESSION_EPOCH packets. The sender replaces its key as
 * soon as the epoch is over. The receiver keeps one key only, that of the
 * *oldest* counter its window still accepts, and derives the few newer ones a
 * packet needs: at most 64 packets after a boundary cost a hash or two more, no
 * bit of state says which key is held (the highest counter does), and an
 * epoch's key is gone as soon as none of its packets could be accepted.
 *
 * A forged counter far ahead costs SESSION_AHEAD hashes at most; packets
 * further ahead are refused unread, which asks for 16 million in a row lost.
 *
 * The window is the one of RFC 4303, appendix A2, in one word: bit i of seen
 * stands for counter top - i. Before the first packet top and seen are zero.
 */
#include "core/seal/session.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

struct lane {
	uint64_t sent;			/* counter of the next packet */
	uint64_t top;			/* highest counter opened */
	uint64_t seen;			/* bit i: top - i was opened */
	uint8_t  keys[];		/* send, receive */
};

enum { AD_BYTES = 10 };			/* version and type, flags, lane, counter */

static const char RATCHET[] = "weft ratchet";

static size_t stride(unsigned key_bytes)
{
	return sizeof(struct lane) + 2u * key_bytes;
}

static struct lane *lane_at(const struct session *s, unsigned lane)
{
	assert(lane < s->lanes);
	return (struct lane *)((uint8_t *)s->body + lane * stride(s->key_bytes));
}

static void ratchet(const struct suite *suite, uint8_t *key)
{
	suite->derive(key, (struct bytes){ key, suite->key_bytes },
		      (struct bytes){ (const uint8_t *)RATCHET, sizeof(RATCHET) - 1 });
}

/* the epoch of the oldest counter that a window with this top accepts */
static uint64_t base_epoch(uint64_t top)
{
	return (top < SESSION_WINDOW ? 0 : top - SESSION_WINDOW + 1) / SESSION_EPOCH;
}

static void header_ad(uint8_t ad[AD_BYTES], const uint8_t *packet)
{
	memcpy(ad, packet, 2);
	memcpy(ad + 2, packet + WIRE_SHORT, 8);
}

/* Lane and counter in one word: as they stand in the header, and as the nonce. Plain shifts, which
   compilers turn into one load or store: this is the hottest code of core. */
static uint64_t header_nonce(const uint8_t *packet)
{
	const uint8_t *p = packet + WIRE_SHORT;

	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
	       (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	       (uint64_t)p[6] << 8 | p[7];
}

static void header_write(uint8_t *p, uint8_t first, uint8_t flags, uint32_t receiver, uint64_t n)
{
	p[0] = first;
	p[1] = flags;
	p[2] = p[3] = 0;		/* hops */
	p[4] = (uint8_t)(receiver >> 24);
	p[5] = (uint8_t)(receiver >> 16);
	p[6] = (uint8_t)(receiver >> 8);
	p[7] = (uint8_t)receiver;
	p[8] = (uint8_t)(n >> 56);
	p[9] = (uint8_t)(n >> 48);
	p[10] = (uint8_t)(n >> 40);
	p[11] = (uint8_t)(n >> 32);
	p[12] = (uint8_t)(n >> 24);
	p[13] = (uint8_t)(n >> 16);
	p[14] = (uint8_t)(n >> 8);
	p[15] = (uint8_t)n;
}

size_t session_bytes(const struct suite *suite, unsigned lanes)
{
	return sizeof(struct session) + lanes * stride(suite->key_bytes);
}

struct session *session_new(struct env *e, const struct session_keys *k, unsigned lanes)
{
	const struct suite *suite = e->suite;
	struct session *s;
	uint8_t label[32];
	struct writer w;

	assert(lanes > 0 && lanes <= WIRE_LANES && k->cipher < CIPHERS);
	s = mem_get(&e->mem, session_bytes(suite, lanes));
	if (!s)
		return NULL;
	s->index = k->index;
	s->peer_index = k->peer_index;
	s->birth_ms = env_ms(e);
	s->lanes = (uint8_t)lanes;
	s->key_bytes = suite->key_bytes;
	s->cipher = k->cipher;
	s->confirmed = k->confirmed;
	for (unsigned i = 0; i < lanes; i++) {
		struct lane *l = lane_at(s, i);

		w = writer_of(label, sizeof(label));
		write_copy(&w, "weft lane", 9);
		write_u8(&w, (uint8_t)i);
		write_u8(&w, k->cipher);
		write_u32(&w, k->initiator ? k->index : k->peer_index);
		write_u32(&w, k->initiator ? k->peer_index : k->index);
		suite->derive(l->keys, (struct bytes){ k->send, KEY_BYTES },
			      (struct bytes){ label, writer_len(&w) });
		suite->derive(l->keys + suite->key_bytes, (struct bytes){ k->receive, KEY_BYTES },
			      (struct bytes){ label, writer_len(&w) });
	}
	return s;
}

void session_free(struct env *e, struct session *s)
{
	size_t bytes;

	if (!s)
		return;
	bytes = sizeof(*s) + s->lanes * stride(s->key_bytes);
	sodium_memzero(s, bytes);
	mem_put(&e->mem, s, bytes);
}

size_t session_seal(const struct suite *suite, struct session *s, unsigned lane,
		    enum packet_type type, uint8_t flags, uint8_t *packet, size_t len)
{
	struct lane *l = lane_at(s, lane);
	uint64_t n = (uint64_t)lane << 56 | l->sent;
	uint8_t ad[AD_BYTES];

	if (l->sent >= SESSION_LIMIT)
		return 0;
	header_write(packet, (uint8_t)(WIRE_VERSION << 4 | type), flags, s->peer_index, n);
	header_ad(ad, packet);
	suite->aead[s->cipher].seal(packet + WIRE_HEADER, l->keys, n, (struct bytes){ ad, AD_BYTES },
				    packet + WIRE_HEADER, len);
	if (++l->sent % SESSION_EPOCH == 0)
		ratchet(suite, l->keys);
	return len + SESSION_OVERHEAD;
}

static bool window_fresh(const struct lane *l, uint64_t counter)
{
	uint64_t age;

	if (counter > l->top)
		return true;
	age = l->top - counter;
	return age < SESSION_WINDOW && !(l->seen >> age & 1);
}

static void window_take(struct lane *l, uint64_t counter)
{
	uint64_t ahead;

	if (counter > l->top) {
		ahead = counter - l->top;
		l->seen = ahead < SESSION_WINDOW ? l->seen << ahead : 0;
		l->top = counter;
	}
	l->seen |= 1ULL << (l->top - counter);
}

enum drop session_open(const struct suite *suite, struct session *s,
		       const uint8_t *packet, size_t len, uint8_t *out, struct opened *o)
{
	uint8_t key[KEY_BYTES], ad[AD_BYTES];
	const uint8_t *use;
	uint64_t n, counter, epoch, base;
	unsigned type, lane;
	struct lane *l;
	bool good;

	if (len < SESSION_OVERHEAD)	/* this once: the header is read without a cursor */
		return DROP_SHORT;
	if (packet[0] >> 4 != WIRE_VERSION)
		return DROP_VERSION;
	type = packet[0] & 15;
	n = header_nonce(packet);
	if (type != PACKET_LINK && type != PACKET_DATA)
		return DROP_TYPE;
	lane = (unsigned)(n >> 56);
	counter = n & ((1ULL << 56) - 1);
	if (lane >= s->lanes || counter >= SESSION_LIMIT)
		return DROP_RANGE;
	l = lane_at(s, lane);
	if (!window_fresh(l, counter))
		return DROP_REPLAY;	/* forged or not: a replay costs no more than this look */
	epoch = counter / SESSION_EPOCH;
	base = base_epoch(l->top);
	if (epoch > base + SESSION_AHEAD)
		return DROP_RANGE;
	use = l->keys + s->key_bytes;
	if (epoch > base) {
		memcpy(key, use, s->key_bytes);
		for (uint64_t i = base; i < epoch; i++)
			ratchet(suite, key);
		use = key;
	}
	header_ad(ad, packet);
	good = suite->aead[s->cipher].open(out, use, n, (struct bytes){ ad, AD_BYTES },
					   packet + WIRE_HEADER, len - WIRE_HEADER);
	if (use == key)
		sodium_memzero(key, sizeof(key));
	if (!good)
		return DROP_SEAL;
	window_take(l, counter);
	for (uint64_t now = base_epoch(l->top); base < now; base++)
		ratchet(suite, l->keys + s->key_bytes);
	s->confirmed = true;
	*o = (struct opened){ len - SESSION_OVERHEAD, counter, (uint8_t)type, packet[1], (uint8_t)lane };
	return DROP_NONE;
}

uint64_t session_sent(const struct session *s, unsigned lane)
{
	return lane_at(s, lane)->sent;
}

uint64_t session_heard(const struct session *s, unsigned lane)
{
	const struct lane *l = lane_at(s, lane);

	return l->seen ? l->top + 1 : 0;
}

bool session_worn(const struct session *s)
{
	for (unsigned i = 0; i < s->lanes; i++) {
		const struct lane *l = lane_at(s, i);

		if (l->sent >= SESSION_LIMIT / 2 || l->top >= SESSION_LIMIT / 2)
			return true;
	}
	return false;
}
