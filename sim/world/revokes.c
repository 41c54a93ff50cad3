/*
 * revokes.c - lists of the revoked, as the signers of networks make them
 *
 * revoke.heard_ms and revoke.keyed_ms count nodes that ran all the time since the
 * list was handed to the first; whoever starts later hears of it with its first link.
 */
#include "sim/world/revokes.h"

#include "core/seal/revoke.h"
#include "core/vnet/vnet.h"
#include "sim/world/networks.h"

#define SETTLED_NS	(30 * NS_PER_S)		/* a member for so long should know */

struct list {
	int64_t at_ns;
	unsigned network;
	uint8_t order[REVOKED_ORDER];
	size_t len;
};

struct named { struct id id; unsigned network; uint64_t since; };

struct revokes {
	struct list *list;		/* by serial - 1 */
	unsigned lists;
	GArray *named;			/* struct named */
	int m_lists, m_heard, m_keyed, m_behind;
};

struct revokes *revokes_new(struct world *w)
{
	struct revokes *v;
	unsigned faults = 0;

	for (unsigned i = 0; i < faults_count(w); i++)
		faults += scenario_fault(w->scenario, i)->kind == FAULT_REVOKE;
	if (!faults)
		return NULL;
	v = g_new0(struct revokes, 1);
	v->list = g_new0(struct list, faults);
	v->named = g_array_new(FALSE, FALSE, sizeof(struct named));
	return v;
}

void revokes_free(struct world *w)
{
	if (!w->revokes)
		return;
	g_array_free(w->revokes->named, TRUE);
	g_free(w->revokes->list);
	g_free(w->revokes);
	w->revokes = NULL;
}

static uint64_t since(const struct revokes *v, unsigned network, struct id id)
{
	for (guint i = 0; v && i < v->named->len; i++) {
		const struct named *n = &g_array_index(v->named, struct named, i);

		if (n->network == network && id_eq(n->id, id))
			return n->since;
	}
	return 0;
}

static unsigned named_of(const struct revokes *v, unsigned network, struct id ids[REVOKED_MAX])
{
	unsigned count = 0;

	for (guint i = 0; i < v->named->len; i++)
		if (g_array_index(v->named, struct named, i).network == network)
			ids[count++] = g_array_index(v->named, struct named, i).id;
	return count;
}

uint64_t revokes_since(const struct world *w, unsigned network, uint32_t host)
{
	return since(w->revokes, network, w->host[host].id);
}

/* A member in good standing, the first from a drawn place on. */
static bool draw_teller(const struct world *w, struct chance *c, unsigned network, uint32_t *out)
{
	uint32_t from = (uint32_t)chance_below(c, w->hosts);

	for (uint32_t k = 0; k < w->hosts; k++) {
		uint32_t i = (from + k) % w->hosts;

		if (w->host[i].state != HOST_UP || !(w->host[i].flags & HOST_JOINED) || revokes_since(w, network, i))
			continue;
		*out = i;
		return true;
	}
	return false;
}

void revokes_begin(struct world *w, struct fault_run *r)
{
	struct revokes *v = w->revokes;
	struct list *l = &v->list[v->lists++];
	struct chance c = chance_of(w->seed, UINT32_MAX - 1 - r->number, STREAM_REVOKE);
	struct writer to = writer_of(l->order, sizeof(l->order));
	uint8_t key[KEY_BYTES];
	struct id ids[REVOKED_MAX];
	unsigned count;

	l->network = (unsigned)r->fault->network - 1;
	l->at_ns = engine_now(w->engine);
	count = named_of(v, l->network, ids);
	for (uint32_t k = 0; k < r->victims && count < REVOKED_MAX; k++) {
		struct named n = { w->host[r->victim[k]].id, l->network, v->lists };

		if (since(v, n.network, n.id))
			continue;
		g_array_append_val(v->named, n);
		ids[count++] = n.id;
	}
	chance_bytes(&c, key, sizeof(key));
	if (!revoked_sign(w->people.suite, networks_anchor(w, l->network), v->lists, (uint64_t)(l->at_ns / NS_PER_S), key, ids,
			  count, &to))
		g_assert_not_reached();
	write_copy(&to, key, sizeof(key));
	l->len = writer_len(&to);
	r->list = v->lists;
	r->victim = g_renew(uint32_t, r->victim, 1);
	r->victims = draw_teller(w, &c, l->network, r->victim);
}

bool revokes_hand(struct shard *s, struct lane *lane, struct host *h, const struct fault_run *r)
{
	const struct list *l = &s->world->revokes->list[r->list - 1];
	struct event ev = { .kind = EVENT_CONTROL, .data = { l->order, l->len } };

	if (h->state != HOST_UP)
		return false;
	ev.request.ask = ASK_REVOKE;
	ev.request.token = UINT64_C(3) << 62;
	host_step(s, lane, h, &ev, 1);
	return true;
}

/* ---- what is measured ---------------------------------------------------------------------------- */

void revokes_record(struct shard *s, int64_t now_ns, const struct host *h, const struct record *r)
{
	const struct revokes *v = s->world->revokes;
	const struct list *l = v && r->a && r->a <= v->lists ? &v->list[r->a - 1] : NULL;

	if (!l || !s->m || h->started_ns > l->at_ns || (r->kind == RECORD_REVOKED && !id_eq(r->peer, (struct id){ 0 })))
		return;
	metrics_note(s->m, r->kind == RECORD_REVOKED ? v->m_heard : v->m_keyed, now_ns - l->at_ns);
}

void revokes_catalog(struct world *w)
{
	struct revokes *v = w->revokes;

	if (!v)
		return;
	v->m_lists = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "revoke.lists", "lists of the revoked made so far");
	v->m_heard = catalog_add(w->catalog, METRIC_HISTOGRAM, UNIT_MS, M_NONE, "revoke.heard_ms",
				 "from a list's making until a node that ran then has it");
	v->m_keyed = catalog_add(w->catalog, METRIC_HISTOGRAM, UNIT_MS, M_NONE, "revoke.keyed_ms",
				 "from a list's making until a node that ran then has the epoch's group key");
	v->m_behind = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "revoke.behind",
				  "members for half a minute that lack the newest list or its key");
}

void revokes_row(struct world *w)
{
	const struct revokes *v = w->revokes;
	int64_t now_ns = engine_now(w->engine);
	uint64_t newest[REVOKED_LISTS] = { 0 }, behind = 0;

	if (!v)
		return;
	for (unsigned i = 0; i < v->lists; i++)
		newest[v->list[i].network] = i + 1;
	for (uint32_t i = 0; i < w->hosts; i++)
		for (unsigned k = 0; k < networks_count(w); k++) {
			const struct host *h = &w->host[i];
			struct look_epoch x;

			if (h->state != HOST_UP || !(h->flags & HOST_JOINED) || now_ns - h->joined_ns < SETTLED_NS ||
			    !newest[k] || now_ns - v->list[newest[k] - 1].at_ns < SETTLED_NS || revokes_since(w, k, i))
				continue;
			behind += !node_epoch(h->node, k, &x) || x.epoch != newest[k] || !x.has;
		}
	metrics_set(w->shard[0].m, v->m_lists, v->lists);
	metrics_set(w->shard[0].m, v->m_behind, (int64_t)behind);
}
