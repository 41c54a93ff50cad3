/*
 * A view was decided: it is told until everybody concerned knows, its members
 * begin it, all others forget.
 */
#include "core/dht/replica.h"

void start_tell(struct dht *d, struct env *e, const struct replica *r, struct id to)
{
	struct letter l;

	if (replica_going(r)) {
		letter_open(&l, d, WORD_START, &r->slot, r->view.name);
		next_write(&l.w, r->next, r->next_base);
	} else {
		letter_open(&l, d, WORD_START, &r->slot, r->follows);
		next_write(&l.w, &r->view, r->base);
	}
	letter_now(d, e, &l, to);
}

void start_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in)
{
	struct view v;
	uint64_t base;
	struct replica *r;
	struct letter l;

	if (!next_read(in, &v, &base) || !reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	view_decided(d, e, &h->slot, &v, h->view, base);
	r = replica_find(d, &h->slot);
	if (r && r->view.members && view_cmp(r->view.name, v.name) > 0)
		start_tell(d, e, r, h->from);
	letter_send(d, e, letter_open(&l, d, WORD_STARTED, &h->slot, v.name), h->from, r && r->head_token ? r->head_token : 1);
}

void started_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h)
{
	struct spread *s = r->spread;

	if (!s)
		return;
	for (unsigned i = 0; i < s->count; i++)
		if (id_eq(s->to[i], h->from))
			s->to[i--] = s->to[--s->count];
	replica_wake(d, e, r, e->now_ns);
}

static void leave_view(struct dht *d, struct env *e, struct replica *r, const struct view *v, struct view_name follows,
		       uint64_t base)
{
	struct slot_name slot = r->slot;
	bool left = r->view.members;

	if (r->stage && view_cmp(r->stage->follows, v->name) >= 0)	/* we may be in the one after it */
		replica_only_staged(d, e, r);
	else
		replica_del(d, e, r);
	hint_put(d, e, &slot, v, follows, base, left);
	if (slot.kind == SLOT_ROOT && !replica_find(d, &slot))
		replica_save_left(e, &slot, v, follows, base);
}

/* The staged records become the view's; one save of the head turns the page. */
static void turn_page(struct dht *d, struct env *e, struct replica *r)
{
	struct store old = r->store;
	struct stage *s = r->stage;

	if (s->same) {
		replica_save(d, e, r);
		return;
	}
	r->store = s->store;
	s->store = (struct store){ 0 };
	r->set ^= 1;
	replica_save(d, e, r);
	replica_forget(d, e, r, r->set ^ 1, &old);
	store_done(&old, &e->mem);
}

void view_decided(struct dht *d, struct env *e, const struct slot_name *slot, const struct view *v,
		  struct view_name follows, uint64_t base)
{
	struct replica *r = replica_find(d, slot);
	const struct hint *n = hint_find(d, slot);
	int me = view_place(v, d->self->id);
	struct letter l;
	bool same_life;

	if ((r && r->view.members && view_cmp(v->name, r->view.name) <= 0) || (n && view_cmp(v->name, n->view.name) < 0))
		return;
	if (me < 0) {
		if (r)
			leave_view(d, e, r, v, follows, base);
		else
			hint_put(d, e, slot, v, follows, base, false);
		seek_found(d, e, slot);
		return;
	}
	if (n && n->left && view_cmp(v->name, n->view.name) <= 0)
		return;
	same_life = life_eq(v->member[me].life, d->replicas->life);
	if (!r && !same_life) {
		letter_now(d, e, letter_open(&l, d, WORD_LOST, slot, v->name), v->member[0].id);
		hint_put(d, e, slot, v, follows, base, false);
		return;
	}
	if (!r && !(r = replica_add(d, e, slot)))
		return;
	r->complete = r->stage && r->stage->done && r->stage->ballot == base && !view_cmp(r->stage->follows, follows) &&
		      life_eq(r->stage->life, v->member[me].life) &&
		      (!r->stage->same || !view_cmp(r->view.name, follows));
	pull_end(d, e, r);
	change_end(d, e, r);
	rejoin_end(d, e, r);
	primary_end(d, e, r);
	mem_put(&e->mem, r->next, sizeof(*r->next));
	mem_put(&e->mem, r->spread, sizeof(*r->spread));
	r->next = NULL;
	r->spread = NULL;
	r->view = *v;
	r->follows = follows;
	r->base = base;
	r->promised = r->accepted = r->next_base = 0;
	r->unborn = false;
	r->lost_told = false;
	r->changed_ns = r->heard_ns = e->now_ns;
	r->doubt_ns = r->sealed_ns = r->stuck_ns = 0;
	r->proven = same_life;
	r->writer = same_life && !me;
	if (r->complete)
		turn_page(d, e, r);
	else
		replica_save(d, e, r);
	stage_end(d, e, r);
	if (!r->proven)
		rejoin_begin(d, e, r);
	else if (!r->complete)
		pull_begin(d, e, r, PULL_CATCH_UP, v->member[me ? 0 : v->members > 1].id, v->name, 0);
	if (!me)
		primary_begin(d, e, r);
	if (!me)
		d->account.views_installed++;
	replica_wake(d, e, r, e->now_ns);
	seek_found(d, e, slot);
}

void spread_begin(struct dht *d, struct env *e, struct replica *r, const struct view *old, const struct view *v, bool going)
{
	struct spread *s;

	if (!r->spread)
		r->spread = mem_get(&e->mem, sizeof(*r->spread));
	s = r->spread;
	if (!s)
		return;
	*s = (struct spread){ .again_ns = e->now_ns, .going = going };
	for (unsigned i = 0; i < v->members; i++)
		if (!id_eq(v->member[i].id, d->self->id))
			s->to[s->count++] = v->member[i].id;
	for (unsigned i = 0; i < old->members; i++)
		if (!id_eq(old->member[i].id, d->self->id) && view_place(v, old->member[i].id) < 0)
			s->to[s->count++] = old->member[i].id;
	replica_wake(d, e, r, e->now_ns);
}

int64_t spread_due(struct dht *d, struct env *e, struct replica *r)
{
	struct spread *s = r->spread;
	bool going = s->going, known = true;

	for (unsigned i = 0; going && i < s->count; i++)
		known &= !id_eq(s->to[i], r->next->member[0].id);
	if (!s->count || s->tries >= 12 || (going && known)) {
		mem_put(&e->mem, s, sizeof(*s));
		r->spread = NULL;
		if (going) {
			struct view v = *r->next;

			leave_view(d, e, r, &v, r->view.name, r->next_base);
			return INT64_MAX;
		}
		return e->now_ns;
	}
	if (s->again_ns <= e->now_ns) {
		for (unsigned i = 0; i < s->count; i++)
			start_tell(d, e, r, s->to[i]);
		s->again_ns = e->now_ns + random_around(&e->random, RESEND_NS << (s->tries < 4 ? s->tries : 4));
		s->tries++;
	}
	return s->again_ns;
}

