/*
 * Keeping the books: every second, and whenever somebody asks, the journals of
 * all shards are merged and read once, in order. Those who need to know how
 * things were before a note see it before truth and roll do.
 */
#include "sim/world/guests.h"

static void enter(struct world *w, const struct note *n)
{
	if (n->kind == NOTE_VIOLATION) {
		watch_violation(w, n);
		return;
	}
	deaths_note(w->deaths, n);
	casts_note(w->casts, n);
	lookups_note(w->lookups, n);
	chatter_note(w, n);
	leases_note(w, n);
	joins_note(w, n);
	switch (n->kind) {
	case NOTE_START:
		roll_start(w->roll, n->id, n->host, (uint32_t)n->a, n->at_ns);
		break;
	case NOTE_JOINED:
		truth_add(w->truth, n->id, n->host, n->at_ns);
		break;
	case NOTE_APART:
	case NOTE_LEFT:
		truth_del(w->truth, n->id, n->at_ns);
		break;
	case NOTE_END:
		truth_del(w->truth, n->id, n->at_ns);
		roll_end(w->roll, n->id, n->at_ns, n->a);
		break;
	}
}

void world_settle(struct world *w)
{
	int64_t now_ns = engine_now(w->engine);
	struct journal *from[ENGINE_SHARDS];

	if (w->settling)			/* an entry asked; it is being done */
		return;
	w->settling = true;
	for (unsigned i = 0; i < w->shards; i++)
		from[i] = &w->shard[i].journal;
	journal_merge(&w->merged, from, w->shards);
	for (uint32_t i = 0; i < w->merged.count; i++)
		enter(w, &w->merged.note[i]);
	if (w->merged.count)			/* with one shard hooks settle, too: time is that of the last note */
		now_ns = MAX(now_ns, w->merged.note[w->merged.count - 1].at_ns);
	lookups_time(w->lookups, now_ns);
	deaths_time(w->deaths, now_ns);
	casts_time(w->casts, now_ns);
	chatter_time(w, now_ns);
	leases_time(w, now_ns);
	w->settling = false;
}

bool world_was(const struct world *w, struct id id, struct was *out)
{
	const struct was *was = roll_find(w->roll, id);

	if (was)
		*out = *was;
	return was;
}

const struct truth *world_truth(const struct world *w)
{
	return w->truth;
}

const struct parts *world_parts(const struct world *w)
{
	return w->parts;
}

uint32_t world_part(const struct world *w, uint32_t host)
{
	return parts_now(w->parts, host);
}

bool world_direct(const struct world *w, uint32_t a, uint32_t b)
{
	return net_can_talk(w->net, a, b) && net_can_talk(w->net, b, a) &&
	       net_fault_passes(w->net, a, b) && net_fault_passes(w->net, b, a);
}

int64_t world_when(const struct world *w, uint32_t host, int64_t reading_ns)
{
	return clock_due(&w->host[host].clock, reading_ns);
}

struct clock world_clock(const struct world *w, uint32_t host)
{
	return w->host[host].clock;
}

void world_host(const struct world *w, uint32_t host, struct host_view *out)
{
	const struct host *h = &w->host[host];

	*out = (struct host_view){
		.node = h->node, .id = h->id, .host = host, .incarnation = h->incarnation,
		.state = (enum host_state)h->state, .joined = h->flags & HOST_JOINED,
		.bootstrap = h->flags & HOST_BOOTSTRAP,
		.harmed = h->odd && (h->odd->drift || h->odd->slow_ns || h->odd->disk_ns || h->odd->lying ||
				     h->state == HOST_PAUSED || h->state == HOST_ASLEEP),
		.started_ns = h->incarnation ? h->started_ns : WORLD_NEVER,
		.joined_ns = h->incarnation ? h->joined_ns : WORLD_NEVER,
		.ended_ns = h->incarnation ? h->ended_ns : WORLD_NEVER,
	};
}
