/*
 * Mail larger than one routed message travels in up to four pieces
 *
 *	piece = ticket 2 | body 1 | number in the upper half, how many in the lower 1 | bytes
 *
 * All pieces but the last are full. What is incomplete after five seconds is
 * forgotten, and so is the oldest when more senders begin than there are
 * places. Nothing is asked for again: whoever wants an answer asks anew.
 */
#include "core/dht/parts.h"

#include <assert.h>

enum {
	PARCELS		= 4,		/* pieces of one mail */
	PIECE_HEADER	= 4,
	PIECE		= RING_MAIL_MAX - PIECE_HEADER,
	OPEN_MAX	= 8,		/* incomplete at once, two of each sender */
	OPEN_EACH	= 2,
	MESSAGE_MAX	= 1200,		/* RING_MAIL_MAX and the ring's envelope */
};

#define PARCEL_NS	(5 * NS_PER_S)

_Static_assert(PARCELS * PIECE >= OP_MAX + QUESTION_HEADER && PARCELS * PIECE >= TAIL_MAX + 100, "ops and answers fit");

struct open {
	struct id from;
	int64_t until_ns;
	uint16_t ticket;
	uint8_t body, pieces, have;	/* have: a bit for each */
	uint16_t last;			/* bytes of the last piece */
	uint8_t *bytes;			/* pieces * PIECE; NULL: this place is free */
};

struct parcels {
	struct open open[OPEN_MAX];
};

/* ---- out ---- */

static enum drop send_one(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
			  struct bytes data, const struct id *via)
{
	uint8_t buf[MESSAGE_MAX];
	struct writer w;

	if (d->wire)
		return d->wire(d->wire_arg, e, to, mode, body, head, data, via);
	w = ring_open(buf, sizeof(buf), to, mode, body);
	write_copy(&w, head.at, head.len);
	write_copy(&w, data.at, data.len);
	return ring_send(d->ring, e, &w, via);
}

enum drop dht_post(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes data,
		   const struct id *via)
{
	unsigned pieces = (unsigned)((data.len + PIECE - 1) / PIECE);
	uint16_t ticket;

	if (data.len <= RING_MAIL_MAX)
		return send_one(d, e, to, mode, body, (struct bytes){ 0 }, data, via);
	assert(pieces <= PARCELS);
	ticket = (uint16_t)random_u64(&e->random);
	for (unsigned i = 0; i < pieces; i++) {
		size_t at = i * (size_t)PIECE, len = data.len - at < PIECE ? data.len - at : PIECE;
		const uint8_t head[PIECE_HEADER] = {
			(uint8_t)(ticket >> 8), (uint8_t)ticket, body, (uint8_t)(i << 4 | pieces),
		};
		enum drop why = send_one(d, e, to, mode, BODY_PARCEL, (struct bytes){ head, sizeof(head) },
					 (struct bytes){ data.at + at, len }, via);

		if (why != DROP_NONE)
			return why;
	}
	return DROP_NONE;
}

/* ---- in ---- */

static void shut(struct env *e, struct open *o)
{
	mem_put(&e->mem, o->bytes, o->pieces * (size_t)PIECE);
	*o = (struct open){ 0 };
}

static void arm(struct dht *d, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (d->parcels->open[i].bytes && d->parcels->open[i].until_ns < due)
			due = d->parcels->open[i].until_ns;
	if (due < INT64_MAX) {
		heap_set(&e->timers, &e->mem, TIMER_DHT_PARCEL, due);
		return;
	}
	heap_del(&e->timers, TIMER_DHT_PARCEL);
	mem_put(&e->mem, d->parcels, sizeof(*d->parcels));
	d->parcels = NULL;
}

static struct open *find(struct parcels *p, struct id from, uint16_t ticket)
{
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (p->open[i].bytes && id_eq(p->open[i].from, from) && p->open[i].ticket == ticket)
			return &p->open[i];
	return NULL;
}

/* A place for a new one of @from: free, or the oldest of a sender that has two, or the oldest of all. */
static struct open *place(struct parcels *p, struct env *e, struct id from)
{
	struct open *free = NULL, *oldest = NULL, *own = NULL;
	unsigned owned = 0;

	for (unsigned i = 0; i < OPEN_MAX; i++) {
		struct open *o = &p->open[i];

		if (!o->bytes) {
			free = free ? free : o;
			continue;
		}
		if (!oldest || o->until_ns < oldest->until_ns)
			oldest = o;
		if (!id_eq(o->from, from))
			continue;
		owned++;
		if (!own || o->until_ns < own->until_ns)
			own = o;
	}
	if (owned >= OPEN_EACH)
		free = own;
	else if (!free)
		free = oldest;
	if (free->bytes) {
		env_drop(e, DROP_FULL);
		shut(e, free);
	}
	return free;
}

static struct open *begin(struct dht *d, struct env *e, struct id from, uint16_t ticket, uint8_t body, unsigned pieces)
{
	struct open *o;

	if (!d->parcels)
		d->parcels = mem_get(&e->mem, sizeof(*d->parcels));
	if (!d->parcels)
		return NULL;
	o = place(d->parcels, e, from);
	o->bytes = mem_get(&e->mem, pieces * (size_t)PIECE);
	if (!o->bytes)
		return NULL;
	o->from = from;
	o->until_ns = e->now_ns + PARCEL_NS;
	o->ticket = ticket;
	o->body = body;
	o->pieces = (uint8_t)pieces;
	return o;
}

/* All pieces are there: one run of bytes that lasts as long as the step */
static bool join(struct env *e, const struct open *o, const struct ring_mail *m, struct ring_mail *whole)
{
	size_t len = (o->pieces - 1u) * (size_t)PIECE + o->last;
	uint8_t *copy = env_scratch(e, len);

	if (!copy)
		return false;
	memcpy(copy, o->bytes, len);
	*whole = *m;
	whole->next = NULL;
	whole->body = o->body;
	whole->data = (struct bytes){ copy, len };
	return true;
}

bool parcel_mail(struct dht *d, struct env *e, const struct ring_mail *m, struct ring_mail *whole)
{
	struct reader r = reader_of(m->data.at, m->data.len);
	uint16_t ticket = read_u16(&r);
	uint8_t body = read_u8(&r), count = read_u8(&r), number = count >> 4, pieces = count & 15;
	size_t len = reader_left(&r);
	bool last = number + 1 == pieces, done = false;
	struct open *o;

	if (!reader_ok(&r) || body < BODY_DHT || body >= BODY_PARCEL || pieces < 2 || pieces > PARCELS ||
	    number >= pieces || !len || (last ? len > PIECE : len != PIECE)) {
		env_drop(e, DROP_VALUE);
		return false;
	}
	o = d->parcels ? find(d->parcels, m->from, ticket) : NULL;
	if (o && (o->body != body || o->pieces != pieces)) {
		env_drop(e, DROP_VALUE);
		return false;
	}
	if (!o)
		o = begin(d, e, m->from, ticket, body, pieces);
	if (!o) {
		env_drop(e, DROP_MEMORY);
	} else if (o->have & 1 << number) {
		env_drop(e, DROP_DUPLICATE);
	} else {
		memcpy(o->bytes + number * (size_t)PIECE, r.at, len);
		o->have |= (uint8_t)(1 << number);
		if (last)
			o->last = (uint16_t)len;
		if (o->have == (1 << pieces) - 1) {
			done = join(e, o, m, whole);
			shut(e, o);
		}
	}
	if (d->parcels)
		arm(d, e);
	return done;
}

void parcel_timer(struct dht *d, struct env *e)
{
	if (!d->parcels)
		return;
	for (unsigned i = 0; i < OPEN_MAX; i++) {
		struct open *o = &d->parcels->open[i];

		if (o->bytes && o->until_ns <= e->now_ns) {
			env_drop(e, DROP_SILENT);
			shut(e, o);
		}
	}
	arm(d, e);
}

void parcel_free(struct dht *d, struct env *e)
{
	if (!d->parcels)
		return;
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (d->parcels->open[i].bytes)
			shut(e, &d->parcels->open[i]);
	arm(d, e);
}

uint32_t parcel_bytes(const struct dht *d)
{
	uint32_t bytes = d->parcels ? sizeof(*d->parcels) : 0;

	for (unsigned i = 0; d->parcels && i < OPEN_MAX; i++)
		bytes += d->parcels->open[i].bytes ? d->parcels->open[i].pieces * (uint32_t)PIECE : 0;
	return bytes;
}
