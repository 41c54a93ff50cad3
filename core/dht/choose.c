/*
 * Who should be in the next view: the members there are, as long as they live
 * and stand near; in the place of others the nearest nodes we know.
 *
 * A dead member with nobody to replace it stays a member: it may come back, and
 * a view of one survives less than a majority of three. One that leaves does not.
 */
#include "core/dht/replica.h"

enum { AROUND = 4 * VIEW_MAX };

static bool among(const struct id *list, unsigned n, struct id id)
{
	while (n--)
		if (id_eq(list[n], id))
			return true;
	return false;
}

/** struct sight - what we see from here of those around the point */
struct sight {
	struct id around[AROUND];	/* live, nearest first */
	unsigned count, want;
	bool joined;
};

static void look(const struct dht *d, const struct env *e, const struct replica *r, struct sight *s)
{
	const struct network_record *n = replica_network(d, r);
	struct id all[AROUND];
	unsigned count = dht_around(d, r->point, all, AROUND);

	s->want = n ? n->replicas : r->view.members;
	s->joined = dht_joined(d);
	s->count = 0;
	for (unsigned i = 0; i < count; i++)
		if (!dht_dead(d, e, all[i]) && !(id_eq(all[i], d->self->id) && d->replicas->leaving))
			s->around[s->count++] = all[i];
}

enum standing { STAYS, FAR, DEAD, LEAVES };

static enum standing standing(const struct dht *d, const struct env *e, const struct replica *r, const struct sight *s,
			      const struct change *c, unsigned at)
{
	struct id id = r->view.member[at].id;
	unsigned place = 0;

	if (id_eq(id, d->self->id)) {
		if (r->leaving)
			return LEAVES;
	} else {
		if (r->duty && r->duty->leaving >> at & 1)
			return LEAVES;
		if (dht_dead(d, e, id) || (c && among(c->avoid, c->avoids, id)))
			return DEAD;
		if (r->duty && r->duty->silent_ns[at] && e->now_ns >= r->duty->silent_ns[at] + GONE_SILENT_NS)
			return DEAD;
	}
	if (!s->joined)
		return STAYS;
	if (id_eq(id, d->self->id) && !dht_watches(d, r->point))	/* all neighbours on that side stand nearer */
		return FAR;
	while (place < s->count && !id_eq(s->around[place], id))
		place++;
	if (place > 2 * s->want || (place == s->count && s->count >= 2 * s->want))
		return FAR;
	return STAYS;
}

static void add(struct view *v, struct id id, struct incarnation life)
{
	v->member[v->members++] = (struct view_member){ id, life };
}

bool choose_next(struct dht *d, struct env *e, const struct replica *r, const struct change *c, struct view *next)
{
	enum standing st[VIEW_MAX];
	struct sight s;
	struct view v = { 0 };
	unsigned size, here = 0, fill = 0, live;
	int me = replica_place(d, r);

	look(d, e, r, &s);
	for (unsigned i = 0; i < r->view.members; i++) {
		st[i] = standing(d, e, r, &s, c, i);
		here += st[i] == STAYS;
		fill += st[i] == DEAD;
	}
	live = here;
	for (unsigned i = 0; i < s.count; i++)
		if ((view_place(&r->view, s.around[i]) < 0 || st[view_place(&r->view, s.around[i])] == FAR) &&
		    !(c && among(c->avoid, c->avoids, s.around[i])))
			live++;
	if (!live && me >= 0 && st[me] == FAR) {	/* nobody we know is nearer */
		st[me] = STAYS;
		live = here = 1;
	}
	size = s.want < r->view.members + 2u ? s.want : r->view.members + 2u;
	while (size > live) {
		/* dead ones may fill up what there already is, as long as the others are a majority */
		if (size <= r->view.members && size <= live + fill && live >= size / 2 + 1)
			break;
		if (size <= 1)
			return false;
		size -= 2;
	}
	if (me >= 0 && st[me] == STAYS)
		add(&v, d->self->id, r->view.member[me].life);
	for (unsigned i = 0; i < r->view.members && v.members < size; i++)
		if (st[i] == STAYS && (int)i != me)
			add(&v, r->view.member[i].id, r->view.member[i].life);
	for (unsigned i = 0; i < s.count && v.members < size; i++)
		if (view_place(&v, s.around[i]) < 0 && !(c && among(c->avoid, c->avoids, s.around[i])) &&
		    (view_place(&r->view, s.around[i]) < 0 || st[view_place(&r->view, s.around[i])] == FAR))
			add(&v, s.around[i], (struct incarnation){ 0 });
	for (unsigned i = 0; i < r->view.members && v.members < size; i++)
		if (st[i] == DEAD && view_place(&v, r->view.member[i].id) < 0)
			add(&v, r->view.member[i].id, r->view.member[i].life);
	if (v.members != size)
		return false;
	*next = v;
	return true;
}

bool choose_watched(const struct dht *d, const struct env *e, const struct replica *r)
{
	unsigned watched = replica_place(d, r) ? 1 : r->view.members;	/* others watch over the primary alone */
	struct sight s;

	look(d, e, r, &s);
	for (unsigned i = 0; i < watched; i++) {
		struct id id = r->view.member[i].id;

		if (id_eq(id, d->self->id))
			continue;
		if (!among(s.around, s.count, id) ? !dht_watches(d, id) : r->duty && r->duty->heard[i] < r->duty->round)
			return false;
	}
	return s.joined;
}

bool choose_wanted(struct dht *d, struct env *e, const struct replica *r, bool *urgent)
{
	struct view next;
	struct sight s;

	look(d, e, r, &s);
	if (r->duty && r->duty->lost) {
		*urgent = true;
		return true;
	}
	if (!choose_next(d, e, r, NULL, &next))
		return false;
	for (unsigned i = 0; i < r->view.members; i++) {
		enum standing st = standing(d, e, r, &s, NULL, i);

		*urgent |= st >= DEAD && view_place(&next, r->view.member[i].id) < 0;
	}
	if (next.members != r->view.members || !id_eq(next.member[0].id, r->view.member[0].id))
		return true;
	for (unsigned i = 0; i < next.members; i++)
		if (view_place(&r->view, next.member[i].id) < 0)
			return true;
	return false;
}
