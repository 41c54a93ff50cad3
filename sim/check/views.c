/*
 * views.c - what members of slots say of their views, held against each other
 *
 * Demanded, whatever happens in the network:
 *
 *	one name, one view	two views of a slot with the same generation and number
 *				have the same members in the same order
 *	majorities		when somebody first votes in view n + 1, a majority of
 *				view n has sealed it: seen as sealed there, or as having
 *				passed on to a later view. One who passes in the very
 *				step in which the new view first votes counts, too
 *	a seal holds		who sealed a view does not vote in it again in the same life
 *	no vote from the disk	nobody votes in a view of three or more at the instant it
 *				starts: it cannot have asked the others yet
 *
 * Measured: how long a member that crashed stays in the latest view that votes. Where a majority
 * of each view it stood in ran and was in reach from the crash on, that is the time of noticing
 * and of one change.
 *
 * The first view of a generation has none before it. A view that never voted
 * decided nothing: the one before it counts in its place.
 */
#include "sim/check/views.h"

#include <inttypes.h>
#include <string.h>

enum { KEPT = 8 };

struct view_seen {
	struct view view;
	uint32_t sealed;		/* by place */
	uint32_t sealed_life[VIEW_MAX];	/* in which life, by place */
	bool voted;
};

struct slot_seen {
	struct slot_name name;
	struct view_seen view[KEPT];	/* by name */
	unsigned views;
	struct { struct id id; int64_t at_ns; bool cut; } dead[VIEW_MAX];	/* members that crashed */
	unsigned deads;
	bool lost;			/* at the last count */
};

static guint hash(const void *key)
{
	const struct slot_name *s = key;
	uint64_t h = (s->network.hi ^ s->number ^ (uint64_t)s->kind << 56) * UINT64_C(0x9e3779b97f4a7c15);

	return (guint)(h ^ h >> 32);
}

static gboolean equal(const void *a, const void *b)
{
	return slot_eq(a, b);
}

void views_init(struct views *v, lives_fn *lives, const void *ctx)
{
	*v = (struct views){ .by_name = g_hash_table_new(hash, equal), .slots = g_ptr_array_new(), .lives = lives,
			     .lives_ctx = ctx, .replaced = g_array_new(FALSE, FALSE, sizeof(int64_t)) };
}

void views_done(struct views *v)
{
	if (!v->slots)
		return;
	for (unsigned i = 0; i < v->slots->len; i++)
		g_free(g_ptr_array_index(v->slots, i));
	g_ptr_array_free(v->slots, TRUE);
	g_hash_table_destroy(v->by_name);
	g_array_free(v->replaced, TRUE);
	memset(v, 0, sizeof(*v));
}

static struct slot_seen *slot_at(struct views *v, const struct slot_name *name)
{
	struct slot_seen *s = g_hash_table_lookup(v->by_name, name);

	if (s)
		return s;
	s = g_new0(struct slot_seen, 1);
	s->name = *name;
	g_ptr_array_add(v->slots, s);
	g_hash_table_insert(v->by_name, &s->name, s);
	return s;
}

/* The view of that name, made if it is new; NULL if it is older than all that are kept. */
static struct view_seen *view_at(struct slot_seen *s, const struct view *view)
{
	unsigned i = s->views;

	while (i && view_cmp(s->view[i - 1].view.name, view->name) > 0)
		i--;
	if (i && !view_cmp(s->view[i - 1].view.name, view->name))
		return &s->view[i - 1];
	if (s->views == KEPT) {
		if (!i)
			return NULL;
		memmove(&s->view[0], &s->view[1], (KEPT - 1) * sizeof(s->view[0]));
		s->views--;
		i--;
	}
	memmove(&s->view[i + 1], &s->view[i], (s->views - i) * sizeof(s->view[0]));
	s->views++;
	s->view[i] = (struct view_seen){ .view = *view };
	return &s->view[i];
}

static const char *slot_text(const struct slot_name *s, char text[64])
{
	static const char *const kinds[] = { "?", "root", "v4", "v6", "names" };

	g_snprintf(text, 64, "%s:%" PRIx64 " of %08" PRIx64, kinds[s->kind <= SLOT_NAMES ? s->kind : 0],
		   s->number, s->network.hi >> 32);
	return text;
}

static bool same_members(const struct view *a, const struct view *b)
{
	if (a->members != b->members)
		return false;
	for (unsigned i = 0; i < a->members; i++)
		if (!id_eq(a->member[i].id, b->member[i].id))
			return false;
	return true;
}

static void seal(struct views *v, struct view_seen *w, const struct views_node *n)
{
	int place = view_place(&w->view, n->id);

	if (place < 0)
		return;
	v->seals += !(w->sealed >> place & 1);
	w->sealed |= 1u << place;
	w->sealed_life[place] = n->life;
}

/* The latest view that voted, or NULL */
static const struct view *latest(const struct slot_seen *s)
{
	for (unsigned i = s->views; i-- > 0;)
		if (s->view[i].voted)
			return &s->view[i].view;
	return NULL;
}

static bool majority(const struct views *v, const struct view *w, uint32_t host, int64_t since_ns)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->members; i++)
		count += v->lives(v->lives_ctx, w->member[i].id, host, since_ns);
	return count >= view_majority(w);
}

/* @w is voted in, in the place of @before: who is not in it and crashed was replaced. */
static void replace(struct views *v, int64_t at_ns, struct slot_seen *s, const struct view *before, const struct view *w,
		    uint32_t host)
{
	for (unsigned i = 0; i < s->deads;) {
		int64_t took_ns = at_ns - s->dead[i].at_ns;

		s->dead[i].cut |= !majority(v, before, host, s->dead[i].at_ns);
		if (view_place(w, s->dead[i].id) >= 0) {
			i++;
			continue;
		}
		if (s->dead[i].cut)
			v->replaced_cut++;
		else
			g_array_append_val(v->replaced, took_ns);
		s->dead[i] = s->dead[--s->deads];
	}
}

void views_died(struct views *v, int64_t at_ns, struct id id)
{
	for (unsigned i = 0; i < v->slots->len; i++) {
		struct slot_seen *s = g_ptr_array_index(v->slots, i);
		const struct view *w = latest(s);

		if (!w || view_place(w, id) < 0 || s->deads == VIEW_MAX)
			continue;
		s->dead[s->deads].id = id;
		s->dead[s->deads].cut = false;
		s->dead[s->deads++].at_ns = at_ns;
	}
}

void views_came(struct views *v, struct id id)
{
	for (unsigned i = 0; i < v->slots->len; i++) {
		struct slot_seen *s = g_ptr_array_index(v->slots, i);

		for (unsigned k = 0; k < s->deads;)
			if (id_eq(s->dead[k].id, id))
				s->dead[k] = s->dead[--s->deads];
			else
				k++;
	}
}

static void check_majority(struct views *v, const struct judge *j, int64_t at_ns, struct slot_seen *s,
			   const struct view_seen *w, const struct views_node *n)
{
	const struct view_seen *before = w;
	unsigned sealed;
	char text[64];

	while (before > s->view && !(--before)->voted)
		;			/* a view that never voted decided nothing */

	v->installed++;
	findings_checked(j->found, ORACLE_VIEWS, 1);
	if (before == w || !before->voted)
		return;
	v->changes++;
	replace(v, at_ns, s, &before->view, &w->view, n->host);
	if (before->view.name.generation != w->view.name.generation) {
		v->born_again++;
		return;
	}
	sealed = (unsigned)__builtin_popcount(before->sealed);
	if (sealed < view_majority(&before->view))
		findings_add(j->found, ORACLE_VIEWS, at_ns, n->host,
			     "it votes in view %u.%u of slot %s, the first to do so, but only %u of %u members have "
			     "sealed view %u.%u before it, expected a majority", w->view.name.generation,
			     w->view.name.number, slot_text(&s->name, text), sealed, before->view.members,
			     before->view.name.generation, before->view.name.number);
}

static void check_vote(const struct judge *j, int64_t at_ns, const struct slot_seen *s, const struct view_seen *w,
		       const struct views_node *n)
{
	int place = view_place(&w->view, n->id);
	char text[64];

	findings_checked(j->found, ORACLE_VIEWS, 1);
	if (place < 0)
		findings_add(j->found, ORACLE_VIEWS, at_ns, n->host,
			     "it votes in view %u.%u of slot %s and is none of its members", w->view.name.generation,
			     w->view.name.number, slot_text(&s->name, text));
	else if ((w->sealed >> place & 1) && w->sealed_life[place] == n->life)
		findings_add(j->found, ORACLE_VIEWS, at_ns, n->host,
			     "it votes in view %u.%u of slot %s, which it sealed earlier, expected no vote",
			     w->view.name.generation, w->view.name.number, slot_text(&s->name, text));
	if (w->view.members > 1 && at_ns == n->started_ns)
		findings_add(j->found, ORACLE_VIEWS, at_ns, n->host,
			     "it votes in view %u.%u of slot %s at the instant it started, expected it to ask the "
			     "others first", w->view.name.generation, w->view.name.number, slot_text(&s->name, text));
}

void views_seen(struct views *v, const struct judge *j, int64_t at_ns, const struct views_node *n,
		const struct look_slot *look)
{
	struct slot_seen *s = slot_at(v, &look->slot);
	struct view_seen *w;
	char text[64];

	if (!look->view.members)
		return;
	w = view_at(s, &look->view);
	if (!w)
		return;
	findings_checked(j->found, ORACLE_VIEWS, 1);
	if (!same_members(&w->view, &look->view)) {
		findings_add(j->found, ORACLE_VIEWS, at_ns, n->host,
			     "it knows view %u.%u of slot %s with other members than others do, expected one view of "
			     "that name", w->view.name.generation, w->view.name.number, slot_text(&s->name, text));
		return;
	}
	for (struct view_seen *old = s->view; old < w; old++)
		if (!w->voted)		/* who comes later was not needed */
			seal(v, old, n);
	if (look->votes && !look->sealed) {
		check_vote(j, at_ns, s, w, n);
		if (!w->voted)
			check_majority(v, j, at_ns, s, w, n);
		w->voted = true;
	}
	if (look->sealed)
		seal(v, w, n);
}

const struct view *views_latest(const struct views *v, const struct slot_name *slot)
{
	const struct slot_seen *s = g_hash_table_lookup(v->by_name, slot);

	return s ? latest(s) : NULL;
}

bool views_lives(const struct views *v, const struct slot_name *slot, uint32_t host, int64_t since_ns)
{
	const struct view *w = views_latest(v, slot);

	return w && majority(v, w, host, since_ns);
}

void views_count(struct views *v)
{
	v->lost_now = 0;
	for (unsigned i = 0; i < v->slots->len; i++) {
		struct slot_seen *s = g_ptr_array_index(v->slots, i);
		const struct view *w = latest(s);
		bool lost = w && !majority(v, w, FINDING_WORLD, INT64_MAX);

		v->lost_ever += lost && !s->lost;
		s->lost = lost;
		v->lost_now += lost;
	}
	v->lost_most = MAX(v->lost_most, v->lost_now);
}
