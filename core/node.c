/*
 * The door. Events are handled in order, each followed by the timers that are
 * due and by the news the floors have for each other (floors.c), so that a batch of n is the same as
 * n batches of one. When the host's effects could overflow, the rest of the
 * batch is held back and the host is asked to call again.
 */
#include "core/node.h"

#include <assert.h>
#include <string.h>

#include "core/inside.h"

#define STALLED_NS	(3 * NS_PER_S)

struct node *node_new(const struct birth *b, int64_t now_ns)
{
	struct mem mem = { b->host, 0, b->quota };
	struct node *n = mem_get(&mem, sizeof(*n));

	if (!n)
		return NULL;
	n->env = (struct env){
		.now_ns = now_ns, .birth_ns = now_ns, .config = b->config, .suite = b->suite, .mem = mem,
		.index_base = b->index_base, .incarnation = b->incarnation,
	};
	n->identity = b->identity;
	n->alarm_ns = INT64_MAX;
	heap_init(&n->env.timers, now_ns);
	n->links = links_new(&n->env, b->identity);
	if (!n->links) {
		node_free(n);
		return NULL;
	}
	ring_init(&n->ring, n->links, b->identity->id);
	if (b->newcomer) {
		n->newcomer = newcomer_new(&n->env, n->links, b->newcomer);
		if (!n->newcomer) {
			node_free(n);
			return NULL;
		}
	}
	n->networks = b->networks;
	if (b->network_count > (b->newcomer ? 0 : NETWORKS_MAX) || !nets_new(n, b->network_count)) {
		node_free(n);
		return NULL;
	}
	return n;
}

void node_free(struct node *n)
{
	struct mem mem;

	if (!n)
		return;
	floors_free(n);
	if (n->links) {
		ring_done(&n->ring, &n->env);
		links_free(&n->env, n->links);
	}
	heap_done(&n->env.timers, &n->env.mem);
	mem = n->env.mem;
	mem_put(&mem, n, sizeof(*n));
}

static bool room(const struct effects *fx)
{
	return fx->max_sends - fx->sends >= EFFECTS_ROOM / 2 && fx->max_records - fx->records >= EFFECTS_ROOM / 2 &&
	       fx->max_replies - fx->replies >= EFFECTS_ROOM / 2 && fx->max_saves - fx->saves >= EFFECTS_SAVES / 2 &&
	       fx->max_frames - fx->frames >= EFFECTS_ROOM / 2 &&
	       fx->max_bytes - fx->used >= EFFECTS_BYTES / 2;
}

static void start(struct node *n, const struct event *ev)
{
	if (n->started) {
		env_drop(&n->env, DROP_STATE);
		return;
	}
	assert(ev->start.seed);
	random_seed(&n->env.random, ev->start.seed);
	n->env.offloads = ev->start.offloads;
	n->env.ciphers = ev->start.ciphers;
	n->started = true;
	floors_start(n, ev->data, ev->start.last);
}

static void resumed(struct node *n, bool clone)
{
	ring_stalled(&n->ring, &n->env);
	links_resumed(&n->env, n->links);
	floors_resumed(n, clone);
}

static void handle(struct node *n, const struct event *ev)
{
	struct env *e = &n->env;

	if (!n->started && ev->kind != EVENT_START && ev->kind != EVENT_ADDRESS && ev->kind != EVENT_WALL_CLOCK) {
		env_drop(e, DROP_STATE);
		return;
	}
	switch (ev->kind) {
	case EVENT_START:
		start(n, ev);
		break;
	case EVENT_ENTROPY:
		random_stir(&e->random, ev->data.at, ev->data.len);
		break;
	case EVENT_DATAGRAM:
		e->fx->steps++;
		links_datagram(e, n->links, ev);
		break;
	case EVENT_FRAME:
		e->fx->steps++;
		floors_frame(n, ev);
		break;
	case EVENT_ADDRESS:
		links_address(e, n->links, &ev->from, ev->up);
		if (ev->up && !n->newcomer)
			ring_address(&n->ring, e);
		break;
	case EVENT_MAPPING:
		links_mapping(e, n->links, &ev->from, ev->up);
		break;
	case EVENT_PATH_ERROR:
		links_path_error(e, n->links, &ev->from, ev->path.mtu, ev->path.unreachable);
		break;
	case EVENT_WALL_CLOCK:
		e->utc_ns = ev->wall.utc_ns;
		e->utc_at_ns = e->now_ns;
		break;
	case EVENT_RESUMED:
		resumed(n, ev->resumed.clone);
		break;
	case EVENT_CONTROL:
		control_request(n, ev);
		break;
	case EVENT_STOP:
		floors_stop(n);
		break;
	case EVENT_SAVED:
		floors_saved(n, ev->token);
		break;
	case EVENT_TIMER:
	case EVENT_ENTRY:
	case EVENT_KINDS:
		break;
	}
}

/* False: no room for the effects of one more. */
static bool run_timers(struct node *n)
{
	struct env *e = &n->env;
	uint16_t tag;

	while (heap_next(&e->timers) <= e->now_ns) {
		if (!room(e->fx))
			return false;
		heap_pop(&e->timers, e->now_ns, &tag);
		e->fx->steps++;
		if (tag >= TIMER_LINK)
			links_timer(e, n->links, tag);
		else if (tag >= TIMER_DHT)
			floors_timer(n, tag);
		else
			ring_timer(&n->ring, e, tag);
		floors_carry(n);
	}
	return true;
}

static bool run(struct node *n)
{
	if (!run_timers(n))
		return false;
	for (; n->held_count; n->held++, n->held_count--) {
		if (!room(n->env.fx))
			return false;
		handle(n, n->held);
		floors_carry(n);
		if (!run_timers(n)) {
			n->held++;
			n->held_count--;
			return false;
		}
	}
	return true;
}

int64_t node_step(struct node *n, int64_t now_ns, const struct event *evs, unsigned count, struct effects *fx)
{
	assert(now_ns >= n->env.now_ns);
	assert(!count || !n->held_count);
	assert(fx->max_sends >= EFFECTS_ROOM && fx->max_saves >= EFFECTS_SAVES && fx->max_bytes >= EFFECTS_BYTES);
	fx->sends = fx->frames = fx->saves = fx->replies = fx->records = fx->deeds = fx->reflexes = 0;
	fx->used = 0;
	n->env.fx = fx;
	n->env.now_ns = now_ns;
	if (n->alarm_ns < now_ns - STALLED_NS && n->started)
		resumed(n, false);		/* the host was late: time passed that we did not see */
	if (count) {
		n->held = evs;
		n->held_count = count;
	}
	fx->more = !run(n);
	n->env.fx = NULL;
	n->alarm_ns = fx->more ? now_ns : heap_next(&n->env.timers);
	return n->alarm_ns;
}
