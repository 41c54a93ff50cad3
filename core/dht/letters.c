/*
 * Letters to other members, and to ourselves: the primary is a member like the
 * others and is told so. One that says "I saved" or "I promise" is held until
 * the save it speaks of is durable, and all until our incarnation is.
 */
#include "core/dht/replica.h"

#include <assert.h>

struct letter *letter_open(struct letter *l, struct dht *d, enum word word, const struct slot_name *slot, struct view_name v)
{
	l->w = writer_of(l->buf, sizeof(l->buf));
	write_u8(&l->w, word);
	slot_write(&l->w, slot);
	name_write(&l->w, v);
	life_write(&l->w, d->replicas->life);
	return l;
}

void mail_hold(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes data, struct id via,
	       uint64_t token)
{
	struct replicas *rs = d->replicas;
	struct parked *h;

	if (!token || data.len > UINT16_MAX)
		return;
	if (rs->holds == rs->hold_cap) {
		if (rs->holds >= HOLDS_MAX) {
			env_drop(e, DROP_FULL);
			return;
		}
		if (!mem_grow(&e->mem, &rs->hold, &rs->hold_cap, rs->hold_cap + rs->hold_cap / 2 + 8, sizeof(*rs->hold))) {
			env_drop(e, DROP_MEMORY);
			return;
		}
	}
	h = &rs->hold[rs->holds];
	*h = (struct parked){ .token = token, .to = to, .len = (uint16_t)data.len, .mode = mode, .body = body, .via = via };
	h->bytes = mem_get(&e->mem, data.len);
	if (!h->bytes) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	memcpy(h->bytes, data.at, data.len);
	rs->holds++;
}

void letter_send(struct dht *d, struct env *e, struct letter *l, struct id to, uint64_t token)
{
	struct replicas *rs = d->replicas;

	assert(!l->w.bad);
	if (!rs->life_token)
		life_save(rs, e);
	if (token && token < rs->life_token)
		token = rs->life_token;
	if (rs->life_token)
		mail_hold(d, e, to, ROUTE_EXACT, BODY_SLOT, (struct bytes){ l->buf, writer_len(&l->w) }, ID_ZERO, token);
}

void letter_now(struct dht *d, struct env *e, struct letter *l, struct id to)
{
	letter_send(d, e, l, to, 1);
}

void letter_route(struct dht *d, struct env *e, struct letter *l, struct id point)
{
	mail_hold(d, e, point, ROUTE_OWNER, BODY_SLOT, (struct bytes){ l->buf, writer_len(&l->w) }, ID_ZERO, 1);
}

/*
 * What may go, goes; in the order it was written. Words to ourselves come in
 * here, and may write new letters.
 */
void replicas_flush(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;
	unsigned i = 0;

	if (!rs || rs->flushing)
		return;
	rs->flushing = true;
	while (i < rs->holds) {
		struct parked h = rs->hold[i];
		struct bytes data = { h.bytes, h.len };

		if (h.token > rs->durable && h.token > 1) {
			i++;
			continue;
		}
		rs->holds--;
		memmove(&rs->hold[i], &rs->hold[i + 1], (rs->holds - i) * sizeof(*rs->hold));
		if (h.body == BODY_SLOT && h.mode == ROUTE_EXACT && id_eq(h.to, d->self->id))
			word_in(d, e, h.to, data);
		else
			dht_post(d, e, h.to, h.mode, h.body, data, id_eq(h.via, ID_ZERO) ? NULL : &h.via);
		mem_put(&e->mem, h.bytes, h.len);
		i = 0;
	}
	rs->flushing = false;
}

void replicas_saved(struct dht *d, struct env *e, uint64_t token)
{
	if (d->replicas && token > d->replicas->durable) {
		d->replicas->durable = token;
		replicas_flush(d, e);
	}
}

