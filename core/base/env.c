#include "core/base/env.h"

#include <string.h>

struct writer env_send(struct env *e, size_t max)
{
	struct effects *fx = e->fx;

	if (fx->sends == fx->max_sends || fx->max_bytes - fx->used < max) {
		env_drop(e, DROP_EFFECTS);
		return (struct writer){ .bad = true };
	}
	return writer_of(fx->bytes + fx->used, max);
}

/* May @len bytes at @at be one more segment of @d? */
static bool goes_on(const struct datagram *d, const uint8_t *at, size_t len, const struct endpoint *to, uint8_t kind)
{
	size_t size = d->segment ? d->segment : d->len;

	return d->data + d->len == at && d->kind == kind && len <= size && d->len % size == 0 &&
	       d->len / size < SEGMENTS_MAX && d->len + len <= SEGMENTS_BYTES && endpoint_eq(&d->to, to) &&
	       d->to.iface == to->iface;
}

void env_sent(struct env *e, const struct writer *w, const struct endpoint *to, uint8_t kind)
{
	struct effects *fx = e->fx;
	struct datagram *last = fx->sends ? &fx->send[fx->sends - 1] : NULL;
	size_t len = writer_len(w);

	if (w->bad)
		return;
	fx->used += len;
	if (e->offloads & CAN_SEGMENT && last && goes_on(last, w->start, len, to, kind)) {
		last->segment = last->segment ? last->segment : last->len;
		last->len = (uint16_t)(last->len + len);
		return;
	}
	fx->send[fx->sends++] = (struct datagram){
		.to = *to, .data = w->start, .len = (uint16_t)len, .df = 1, .kind = kind,
	};
}

void *env_scratch(struct env *e, size_t bytes)
{
	struct effects *fx = e->fx;
	size_t at = (fx->used + 7) & ~(size_t)7;

	if (fx->max_bytes < at || fx->max_bytes - at < bytes) {
		env_drop(e, DROP_EFFECTS);
		return NULL;
	}
	fx->used = at + bytes;
	return fx->bytes + at;
}

void env_record(struct env *e, enum record_kind kind, struct id peer, uint64_t a, uint64_t b)
{
	struct effects *fx = e->fx;

	if (fx->records < fx->max_records)
		fx->record[fx->records++] = (struct record){ peer, a, b, (uint8_t)kind };
	else
		env_drop(e, DROP_EFFECTS);
}

void env_reply(struct env *e, const struct reply *r)
{
	struct effects *fx = e->fx;

	if (fx->replies < fx->max_replies)
		fx->reply[fx->replies++] = *r;
	else
		env_drop(e, DROP_EFFECTS);
}

void env_deed(struct env *e, const struct deed *d)
{
	struct effects *fx = e->fx;

	if (fx->deeds < fx->max_deeds)
		fx->deed[fx->deeds++] = *d;
}

void env_reflex(struct env *e, struct id peer, const struct endpoint *at)
{
	struct effects *fx = e->fx;

	if (fx->reflexes < fx->max_reflexes)
		fx->reflex[fx->reflexes++] = (struct reflex){ peer, *at };
}

uint64_t env_save(struct env *e, enum save_kind kind, uint64_t part, const void *data, uint32_t len)
{
	struct effects *fx = e->fx;
	uint8_t *copy = fx->bytes + fx->used;

	if (fx->saves == fx->max_saves || fx->max_bytes - fx->used < len) {
		env_drop(e, DROP_EFFECTS);
		return 0;
	}
	if (len)
		memcpy(copy, data, len);
	fx->used += len;
	fx->save[fx->saves++] = (struct save){ part, copy, len, (uint8_t)kind, ++e->save_token };
	return e->save_token;
}

void env_frame(struct env *e, uint16_t iface, const void *data, uint16_t len, const struct offload *o)
{
	struct effects *fx = e->fx;
	uint8_t *copy = fx->bytes + fx->used;

	if (fx->frames == fx->max_frames || fx->max_bytes - fx->used < len) {
		env_drop(e, DROP_EFFECTS);
		return;
	}
	memcpy(copy, data, len);
	fx->used += len;
	fx->frame[fx->frames++] = (struct frame){ copy, len, iface, o ? *o : (struct offload){ 0 } };
}

enum drop env_drop(struct env *e, enum drop why)
{
	if (why != DROP_NONE)
		e->fx->drops[why]++;
	return why;
}
