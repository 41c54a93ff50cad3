/*
 * Payloads in pieces: taken in until all are there, or three seconds are over.
 *
 * A piece says how many there are and how long the whole is, so its place and
 * length follow, and a piece that does not fit them is refused. All were sealed
 * by the same peer: what is bounded here is what a member may cost us.
 */
#include <string.h>

#include "core/link/ends.h"

#define GATHER_MS	3000u

static void gather_free(struct env *e, struct tunnels *ts, struct gather **at)
{
	struct gather *g = *at;

	*at = g->next;
	ts->gather_bytes -= g->total;
	ends_put(e, ts, g, sizeof(*g) + g->total);
}

static struct gather **find(struct tunnel *t, uint16_t number)
{
	struct gather **at = &t->gather;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

/* The newest comes last. */
static struct gather *add(struct env *e, struct tunnels *ts, struct tunnel *t, uint16_t total)
{
	struct gather **at, *g;
	unsigned count = 0;

	for (g = t->gather; g; g = g->next)
		count++;
	for (; t->gather && (count >= GATHERS || ts->gather_bytes + total > GATHER_BYTES); count--) {
		env_drop(e, DROP_FRAGMENT);
		gather_free(e, ts, &t->gather);
	}
	if (ts->gather_bytes + total > GATHER_BYTES) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	g = ends_get(e, ts, sizeof(*g) + total);
	if (!g)
		return NULL;
	ts->gather_bytes += total;
	for (at = &t->gather; *at; at = &(*at)->next)
		;
	*at = g;
	return g;
}

bool piece_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes plain, uint8_t *flags,
	      struct bytes *whole)
{
	struct reader r = reader_of(plain.at, plain.len);
	uint16_t number = read_u16(&r), size;
	uint8_t piece = read_u8(&r), pieces = read_u8(&r), *copy;
	uint16_t total = read_u16(&r);
	struct gather **at, *g;

	if (!reader_ok(&r) || pieces < 2 || pieces > TUNNEL_PIECES || piece >= pieces ||
	    total > TUNNEL_PAYLOAD_MAX + OFFLOAD_WORD || total < pieces) {
		env_drop(e, DROP_FRAGMENT);
		return false;
	}
	size = (uint16_t)((total + pieces - 1) / pieces);
	if (piece * size >= total || reader_left(&r) != (piece + 1u < pieces ? size : total - (unsigned)(piece * size))) {
		env_drop(e, DROP_FRAGMENT);
		return false;
	}
	at = find(t, number);
	g = *at;
	if (g && (g->total != total || g->pieces != pieces || g->flags != *flags)) {
		env_drop(e, DROP_FRAGMENT);
		return false;
	}
	if (!g) {
		g = add(e, ts, t, total);
		if (!g)
			return false;
		g->number = number;
		g->total = total;
		g->size = size;
		g->pieces = pieces;
		g->flags = *flags;
		g->due_ms = env_ms(e) + GATHER_MS;
		tunnel_arm(e, ts, GATHER_MS);
	}
	memcpy(g->data + piece * size, r.at, reader_left(&r));
	g->mask |= (uint16_t)(1u << piece);
	if (g->mask != (uint16_t)((1u << pieces) - 1))
		return false;
	copy = env_scratch(e, total);
	if (copy) {
		memcpy(copy, g->data, total);
		*whole = (struct bytes){ copy, total };
	}
	*flags &= (uint8_t)~FLAG_FRAGMENT;
	gather_free(e, ts, find(t, number));
	return copy;
}

void piece_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next)
{
	uint32_t now = env_ms(e);

	while (t->gather && past_ms(now, t->gather->due_ms)) {
		env_drop(e, DROP_FRAGMENT);
		gather_free(e, ts, &t->gather);
	}
	if (t->gather && t->gather->due_ms - now < *next)
		*next = t->gather->due_ms - now;
}

void piece_done(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	while (t->gather)
		gather_free(e, ts, &t->gather);
}
