/*
 * A step asked for things; here they are done, in the order of the door: saves,
 * datagrams, frames, records, replies. Each is folded into the host's digest chain by
 * its size, kind, destination - never by its sealed bytes, which differ between
 * real cryptography and its model.
 */
#include <assert.h>

#include <glib.h>

#include "sim/world/guests.h"

enum { ROOM = 4 * EFFECTS_ROOM, BYTES = 2 * EFFECTS_BYTES };

void effects_init(struct effects *fx)
{
	*fx = (struct effects){
		.max_sends = ROOM, .max_frames = EFFECTS_ROOM, .max_saves = EFFECTS_SAVES,
		.max_replies = EFFECTS_ROOM, .max_records = ROOM, .max_bytes = BYTES,
	};
	fx->send = g_new0(struct datagram, fx->max_sends);
	fx->frame = g_new0(struct frame, fx->max_frames);
	fx->save = g_new0(struct save, fx->max_saves);
	fx->reply = g_new0(struct reply, fx->max_replies);
	fx->record = g_new0(struct record, fx->max_records);
	fx->bytes = g_malloc(fx->max_bytes);
}

void effects_deeds(struct effects *fx)
{
	if (fx->max_deeds)
		return;
	fx->max_deeds = ROOM;
	fx->deed = g_new0(struct deed, fx->max_deeds);
}

void effects_done(struct effects *fx)
{
	g_free(fx->send);
	g_free(fx->frame);
	g_free(fx->save);
	g_free(fx->reply);
	g_free(fx->record);
	g_free(fx->deed);
	g_free(fx->bytes);
}

static uint64_t fold_endpoint(const struct endpoint *e)
{
	uint64_t a = 0, b = 0;

	for (unsigned i = 0; i < 8; i++) {
		a = a << 8 | e->addr[i];
		b = b << 8 | e->addr[i + 8];
	}
	return a ^ (b << 17 | b >> 47) ^ e->port;
}

static void replied(struct shard *s, struct lane *l, struct host *h, const struct reply *r)
{
	if (r->ask == ASK_LOOKUP)
		lookups_reply(s, l, h, r);
	else if (r->ask >= ASK_LEASE && r->ask <= ASK_RESOLVE)
		leases_reply(s, l, h, r);
}

void effects_carry(struct shard *s, struct lane *l, struct host *h)
{
	const struct effects *fx = &s->fx;
	uint32_t i = host_number(s->world, h);
	int64_t now_ns = lane_now(l);

	for (unsigned k = 0; k < fx->deeds; k++)
		watch_deed(s, now_ns, h, &fx->deed[k]);
	for (unsigned k = 0; k < fx->saves; k++) {
		engine_note(l, i, (uint64_t)fx->save[k].len << 8 | fx->save[k].kind);
		engine_note(l, i, fx->save[k].part);
		disk_write(s, l, h, &fx->save[k]);
	}
	for (unsigned k = 0; k < fx->sends; k++) {
		const struct datagram *d = &fx->send[k];

		engine_note(l, i, fold_endpoint(&d->to) + ((uint64_t)d->kind << 56 |
						       (uint64_t)d->len << 32));
		transit_send(s, l, h, d);
	}
	for (unsigned k = 0; k < fx->frames; k++) {
		watch_frame(s, now_ns, h, &fx->frame[k]);
		guests_frame(s, l, h, &fx->frame[k]);
	}
	for (unsigned k = 0; k < fx->records; k++) {
		const struct record *r = &fx->record[k];

		engine_note(l, i, r->peer.hi ^ r->a ^ r->b << 20 ^ (uint64_t)r->kind << 56);
		watch_record(s, now_ns, h, r);
	}
	for (unsigned k = 0; k < fx->replies; k++) {
		const struct reply *r = &fx->reply[k];

		engine_note(l, i, r->who.hi ^ r->token << 8 ^ r->answer ^ (uint64_t)r->hops << 48);
		watch_reply(s, now_ns, h, r);
		replied(s, l, h, r);
	}
}
