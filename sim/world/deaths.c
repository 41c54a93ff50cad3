/*
 * deaths.c - how long a dead node's ring neighbours take to notice
 *
 * When an owner crashes, its immediate neighbours by truth, in its part, are
 * watched until each says RECORD_DEAD of it. A watcher that ends itself, and a
 * dead node that comes back first, are not counted; nor is who became a neighbour
 * in the same instant, because others between them crashed, too.
 */
#include "sim/world/inside.h"

struct death {
	struct pending_item item;	/* host: the watcher */
	struct id dead;
	uint32_t incarnation;		/* of the dead */
};

struct deaths {
	struct world *world;
	struct pending pending;
};

struct deaths *deaths_new(struct world *w)
{
	struct deaths *d = g_new0(struct deaths, 1);

	d->world = w;
	pending_init(&d->pending, w->hosts, sizeof(struct death));
	return d;
}

void deaths_free(struct deaths *d)
{
	if (!d)
		return;
	pending_fini(&d->pending);
	g_free(d);
}

static void watch(struct deaths *d, const struct owner *watcher, struct id dead, uint32_t incarnation,
		  int64_t now_ns)
{
	struct death *x = pending_add(&d->pending, watcher->host, now_ns);

	x->dead = dead;
	x->incarnation = incarnation;
}

static void died(struct deaths *d, const struct note *n)
{
	const struct truth *t = d->world->truth;
	const struct owner *o = truth_find(t, n->id), *left, *right;
	const struct was *was = roll_find(d->world->roll, n->id);

	if (!o || n->a)				/* not a member, or it said goodbye */
		return;
	left = truth_prev(t, o);
	right = truth_next(t, o);
	if (left != o && !truth_changed(t, left, n->at_ns - 1))
		watch(d, left, n->id, was->incarnation, n->at_ns);
	if (right != o && right != left && !truth_changed(t, o, n->at_ns - 1))
		watch(d, right, n->id, was->incarnation, n->at_ns);
}

static void drop_all(struct deaths *d, uint32_t watcher)
{
	struct death *x;

	while ((x = pending_first(&d->pending, watcher)))
		pending_done(&d->pending, x);
}

static bool came_back(const struct deaths *d, const struct death *x)
{
	const struct was *was = roll_find(d->world->roll, x->dead);

	return was && was->incarnation != x->incarnation;
}

static void noticed(struct deaths *d, const struct note *n)
{
	struct death *x = pending_first(&d->pending, n->host), *next;

	for (; x; x = next) {
		next = pending_next(&d->pending, x);
		if (!id_eq(x->dead, n->id))
			continue;
		if (!came_back(d, x))
			metrics_note(d->world->shard[0].m, M_DEATH_NOTICED, n->at_ns - x->item.at_ns);
		pending_done(&d->pending, x);
	}
}

void deaths_time(struct deaths *d, int64_t now_ns)
{
	struct death *x;

	while ((x = pending_expire(&d->pending, now_ns - NOTICE_NS))) {
		if (!came_back(d, x))
			metrics_add(d->world->shard[0].m, d->world->m_unnoticed, 1);
		pending_done(&d->pending, x);
	}
}

/* Before truth and roll hear of @n: who the neighbours were is asked of them. */
void deaths_note(struct deaths *d, const struct note *n)
{
	deaths_time(d, n->at_ns);
	if (n->kind == NOTE_END) {
		drop_all(d, n->host);
		died(d, n);
	} else if (n->kind == NOTE_DEAD) {
		noticed(d, n);
	} else if (n->kind == NOTE_STALL || n->kind == NOTE_APART) {
		drop_all(d, n->host);
	}
}
