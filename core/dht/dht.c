#include "core/dht/dht.h"

#include "core/dht/replica.h"
#include "core/dht/usher.h"

struct dht *dht_new(struct env *e, struct ring *ring, const struct identity *self)
{
	struct dht *d = mem_get(&e->mem, sizeof(*d));

	if (!d)
		return NULL;
	d->ring = ring;
	d->self = self;
	return d;
}

void dht_free(struct dht *d, struct env *e)
{
	if (!d)
		return;
	usher_free(d, e);
	publish_free(d, e);
	held_free(d, e);
	client_free(d, e);
	parcel_free(d, e);
	replicas_free(d, e);
	charters_free(d, e);
	mem_put(&e->mem, d, sizeof(*d));
}

unsigned dht_around(const struct dht *d, struct id point, struct id *out, unsigned max)
{
	return d->eyes ? d->eyes->around(d->wire_arg, point, out, max) : ring_around(d->ring, point, out, max);
}

bool dht_dead(const struct dht *d, const struct env *e, struct id id)
{
	return d->eyes ? d->eyes->dead(d->wire_arg, id) : ring_dead(d->ring, e, id);
}

bool dht_owns(const struct dht *d, struct id point)
{
	return d->eyes ? d->eyes->owns(d->wire_arg, point) : ring_owns(d->ring, point);
}

bool dht_joined(const struct dht *d)
{
	return d->eyes ? d->eyes->joined(d->wire_arg) : d->ring->state == RING_JOINED || d->ring->state == RING_LEAVING;
}

bool dht_watches(const struct dht *d, struct id id)
{
	return d->eyes ? d->eyes->watches(d->wire_arg, id) : ring_watches(d->ring, id);
}

void dht_start(struct dht *d, struct env *e, struct bytes saved, enum run_end last)
{
	struct reader in = reader_of(saved.at, saved.len);
	struct saved s;

	while (saved_next(&in, &s))		/* what everything else is read by */
		charter_load(d, e, &s);
	in = reader_of(saved.at, saved.len);
	while (saved_next(&in, &s)) {
		if (s.kind == SAVE_LEASE)
			held_load(d, e, &s, last == RUN_SAME_BOOT);
		else if (s.kind == SAVE_SELF || (s.kind == SAVE_SLOT && s.data.len))
			replicas_load(d, e, &s);
	}
	if (in.bad)
		env_drop(e, DROP_VALUE);
	d->started = true;
	replicas_start(d, e);
}

void dht_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	struct ring_mail whole;

	if (m->body == BODY_PARCEL) {
		if (!parcel_mail(d, e, m, &whole) || whole.body == BODY_PARCEL)
			return;
		m = &whole;
	}
	switch (m->body) {
	case BODY_OP:
		replicas_op(d, e, m);
		break;
	case BODY_ANSWER:
		client_mail(d, e, m);
		break;
	case BODY_DELEGATE:
	case BODY_DELEGATED:
		held_mail(d, e, m);
		break;
	case BODY_RECORD_ASK:
	case BODY_RECORD:
		charter_mail(d, e, m);
		break;
	case BODY_ADMIT:
		admit_mail(d, e, m);
		break;
	case BODY_ADMITTED:
		usher_mail(d, e, m);
		break;
	case BODY_SLOT:
		replicas_mail(d, e, m);
		break;
	default:
		env_drop(e, DROP_MESSAGE);
		break;
	}
}

void dht_ring(struct dht *d, struct env *e)
{
	replicas_ring(d, e);
	client_ring(d, e);
}

void dht_timer(struct dht *d, struct env *e, uint16_t tag)
{
	switch (tag) {
	case TIMER_DHT_SLOTS:
	case TIMER_DHT_SEEK:
		replicas_timer(d, e, tag);
		break;
	case TIMER_DHT_CLIENT:
		client_timer(d, e);
		break;
	case TIMER_DHT_HELD:
		held_timer(d, e);
		break;
	case TIMER_DHT_PARCEL:
		parcel_timer(d, e);
		break;
	case TIMER_DHT_PUBLISH:
		publish_timer(d, e);
		break;
	}
}

void dht_saved(struct dht *d, struct env *e, uint64_t token)
{
	replicas_saved(d, e, token);
	held_saved(d, e, token);
}

void dht_resumed(struct dht *d, struct env *e, bool clone)
{
	replicas_resumed(d, e, clone);
	client_resumed(d, e);
	held_resumed(d, e, clone);
	publish_resumed(d, e);
}

bool dht_quit(struct dht *d, struct env *e, struct id network, bool now)
{
	bool done = client_quit(d, e, network, false);

	admit_quit(d, network);
	publish_quit(d, e, network);
	done = held_quit(d, e, network, now) && done;
	done = client_quit(d, e, network, now);		/* what those two have begun */
	if (!done)
		return false;
	held_lends(d, e, network, false);
	charter_quit(d, e, network);
	return true;
}

bool dht_leave(struct dht *d, struct env *e)
{
	return replicas_leave(d, e);
}

bool dht_slot_at(const struct dht *d, unsigned i, struct look_slot *out)
{
	const struct replicas *rs = d->replicas;
	unsigned seen = 0;

	for (unsigned k = 0; rs && k < rs->count; k++) {
		const struct replica *r = rs->at[k];

		if (!r->view.members || seen++ != i)
			continue;
		*out = (struct look_slot){
			.slot = r->slot, .view = r->view, .votes = replica_votes(r) && !r->unborn, .sealed = r->promised != 0,
			.complete = r->complete, .records = r->store.count, .serves_ns = generation_serves(r),
			.primary = !replica_place(d, r) && r->writer,
		};
		return true;
	}
	return false;
}

uint32_t dht_slot_changes(const struct dht *d)
{
	return d->replicas ? d->replicas->told : 0;
}

void dht_account(const struct dht *d, struct dht_account *out)
{
	const struct replicas *rs = d->replicas;

	*out = d->account;
	out->bytes = sizeof(*d) + d->charter_cap * (uint32_t)sizeof(*d->charter) + replicas_bytes(d) + client_bytes(d) +
		     held_bytes(d) + parcel_bytes(d) + publish_bytes(d) + usher_bytes(d);
	for (unsigned i = 0; rs && i < rs->count; i++) {
		out->slots += rs->at[i]->view.members != 0;
		out->records += rs->at[i]->store.count;
	}
	out->held = held_count(d);
	out->asking = client_asking(d);
}
