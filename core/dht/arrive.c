/*
 * Ops as they arrive: judged here, told on, or kept for a moment.
 *
 * They come from their askers, to the primary or to whoever owns the slot's
 * point, and from members and others who know better where they belong. One
 * that its asker calls urgent found no answer: a member looks whether the primary
 * lives, tells it on all the same, and keeps it for the next view. When a view is
 * sealed nobody can judge, so ops wait until the next one begins; but who asks
 * for any address is told at once to look elsewhere.
 */
#include "core/dht/replica.h"

void op_forward(struct dht *d, struct env *e, const struct view *v, struct bytes data)
{
	uint8_t buf[OP_MAX + 64];
	bool urgent;

	if (data.len > sizeof(buf) || data.len < QUESTION_HEADER)
		return;
	urgent = data.at[0] & QUESTION_URGENT && !data.at[1];	/* once: members who told each other and others were a storm */
	memcpy(buf, data.at, data.len);
	buf[1]++;
	for (unsigned i = 0; i < (urgent && v->members > 1 ? 2u : 1u); i++) {
		unsigned at = i ? 1 + random_below(&e->random, v->members - 1u) : 0;

		if (!id_eq(v->member[at].id, d->self->id))
			mail_hold(d, e, v->member[at].id, ROUTE_EXACT, BODY_OP, (struct bytes){ buf, data.len }, ID_ZERO, 1);
	}
}

static void urgent_op(struct dht *d, struct env *e, struct replica *r)
{
	struct letter l;

	if (r->doubt_ns || !replica_votes(r))
		return;
	r->doubt_ns = e->now_ns;
	letter_now(d, e, letter_open(&l, d, WORD_WANT, &r->slot, r->view.name), r->view.member[0].id);
	replica_wake(d, e, r, e->now_ns + SILENT_NS);
}

/* Is the view about to change, as far as we know? */
bool replica_changing(const struct dht *d, const struct replica *r)
{
	bool primary = !replica_place(d, r);

	return r->promised || (primary && (!r->proven || !r->writer)) || (!primary && r->doubt_ns);
}

/* A member that cannot serve now, nor say who does: ops for one address wait for the next view. */
static void changing_op(struct dht *d, struct env *e, struct replica *r, struct bytes data, const struct question *q)
{
	bool perhaps = !r->promised && replica_place(d, r);	/* the primary may still be there */

	if (perhaps && q->flags & QUESTION_URGENT)
		urgent_op(d, e, r);
	if (perhaps)
		op_forward(d, e, &r->view, data);
	if (q->op.kind != OP_CREATE_ANY)
		seek_wait(d, e, &r->slot, data);
	else if (!perhaps || (r->doubt_ns && e->now_ns >= r->doubt_ns + SILENT_NS / 2))
		op_refuse(d, e, q, VERDICT_WAIT, &r->view);
}

void replicas_op(struct dht *d, struct env *e, const struct ring_mail *m)
{
	uint8_t buf[OP_MAX + 64];
	struct question q;
	enum drop why = question_read(m->data, &q);
	struct bytes data = m->data;
	struct replica *r;
	const struct hint *h;

	if (why != DROP_NONE || data.len > sizeof(buf)) {
		env_drop(e, why != DROP_NONE ? why : DROP_TOO_BIG);
		return;
	}
	if (m->has_via && id_eq(q.via, ID_ZERO)) {
		struct writer w = writer_of(buf + 2, ID_BYTES);

		memcpy(buf, data.at, data.len);
		write_id(&w, m->via);
		data.at = buf;
		q.via = m->via;
	}
	if (!replicas_get(d, e))
		return;
	r = replica_find(d, &q.op.slot);
	h = hint_find(d, &q.op.slot);
	if (q.hops > 8) {
		env_drop(e, DROP_PASSED);
		op_refuse(d, e, &q, VERDICT_WAIT, NULL);
	} else if (r && r->view.members && (r->unborn || generation_stuck(d, e, r))) {
		seek_op(d, e, &q.op.slot, data);
	} else if (r && r->view.members && replica_changing(d, r)) {
		changing_op(d, e, r, data, &q);
	} else if (r && r->view.members && !replica_place(d, r)) {
		primary_op(d, e, r, data, &q);
	} else if (r && r->view.members) {
		if (q.flags & QUESTION_URGENT)
			changing_op(d, e, r, data, &q);
		else
			op_forward(d, e, &r->view, data);
	} else if (h && hint_good(d, e, h)) {
		op_forward(d, e, &h->view, data);
		if (q.flags & QUESTION_URGENT)
			seek_op(d, e, &q.op.slot, (struct bytes){ 0 });
	} else {
		seek_op(d, e, &q.op.slot, data);
	}
	replicas_flush(d, e);
}

