/* Starts, joins and node seconds, in the order of the journal. */
#include "sim/world/inside.h"

static void count_time(struct world *w, int64_t now_ns)
{
	metrics_add(w->shard[0].m, M_NODES_TIME, (now_ns - w->counted_ns) * (int64_t)w->alive);
	w->counted_ns = now_ns;
}

void joins_note(struct world *w, const struct note *n)
{
	struct metrics *m = w->shard[0].m;
	struct newcomer *c = &w->newcomer[n->host];

	switch (n->kind) {
	case NOTE_START:
		count_time(w, n->at_ns);
		w->alive++;
		*c = (struct newcomer){ .started_ns = n->at_ns };
		metrics_add(m, M_JOIN_STARTED, 1);
		break;
	case NOTE_JOINED:
		if (c->joined)			/* apart and back: not a join from the start */
			break;
		c->joined = true;
		metrics_note(m, M_JOIN_TIME, n->at_ns - c->started_ns);
		break;
	case NOTE_END:
		count_time(w, n->at_ns);
		w->alive--;
		if (!c->joined && n->at_ns - c->started_ns >= JOIN_NS)
			metrics_add(m, M_JOIN_FAILED, 1);
		break;
	}
}

/* Up to a row of the series. */
void joins_time(struct world *w, int64_t now_ns)
{
	count_time(w, now_ns);
}

void joins_finish(struct world *w)
{
	int64_t now_ns = engine_now(w->engine);

	for (uint32_t i = 0; i < w->hosts; i++) {
		const struct newcomer *c = &w->newcomer[i];

		if (w->host[i].state != HOST_OFF && !c->joined && now_ns - c->started_ns >= JOIN_NS)
			metrics_add(w->shard[0].m, M_JOIN_FAILED, 1);
	}
}
