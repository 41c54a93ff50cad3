/*
 * One machine drives one core. Whatever happens to it comes as an engine event
 * of its site (handle.c), becomes an event of core's door, and goes through
 * host_step(): the step, its effects, the alarm. A node ends in one place,
 * host_end(); a graceful one is told to stop first and ends when it has said
 * that it left, or after GRACE_NS.
 */
#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "sim/world/guests.h"

#define WALL_ERROR_NS	(100 * NS_PER_MS)
#define UTC_NS		INT64_C(1767225600000000000)	/* virtual 0 is 2026-01-01 */

int64_t host_now(const struct host *h, int64_t now_ns)
{
	return clock_read(&h->clock, now_ns);
}

struct odd *host_odd(struct lane *l, struct host *h)
{
	if (!h->odd) {
		h->odd = slab_get(lane_slab(l), sizeof(*h->odd));
		*h->odd = (struct odd){ .until_ns = NEVER_NS };
	}
	return h->odd;
}

void host_step(struct shard *s, struct lane *l, struct host *h, const struct event *evs, unsigned n)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	int64_t now_ns = lane_now(l), due_ns;

	assert(host_is_running(h));
	if (h->odd && h->odd->drift)
		s->touched[h->odd->drift]++;
	for (unsigned k = 0; k < n; k++)
		if (evs[k].kind == EVENT_CONTROL)
			watch_asked(s, now_ns, h, &evs[k].request);
	due_ns = node_step(h->node, host_now(h, now_ns), evs, n, &s->fx);
	effects_carry(s, l, h);
	while (s->fx.more) {
		due_ns = node_step(h->node, host_now(h, now_ns), NULL, 0, &s->fx);
		effects_carry(s, l, h);
	}
	due_ns = clock_due(&h->clock, due_ns);
	if (h->odd && h->odd->slow_ns && due_ns < h->odd->busy_ns)
		due_ns = h->odd->busy_ns;
	engine_alarm(l, i, due_ns);
	for (unsigned k = 0; k < w->watches; k++)
		if (w->watch[k].stepped)
			w->watch[k].stepped(w->watch[k].ctx, s->number, now_ns, i);
	if (h->flags & HOST_ENDING)
		host_end(s, l, h, true);
}

static unsigned addresses(const struct world *w, uint32_t i, struct event *evs)
{
	unsigned n = 0;

	for (int family = ENDPOINT_UDP4; family <= ENDPOINT_UDP6; family += 2) {
		struct endpoint at = net_address(w->net, i, (enum endpoint_kind)family);

		if (at.kind == ENDPOINT_NONE)
			continue;
		at.port = WORLD_PORT;
		evs[n++] = (struct event){ .kind = EVENT_ADDRESS, .from = at, .up = true };
	}
	return n;
}

static void identify(struct shard *s, struct lane *l, struct host *h, bool fresh)
{
	uint32_t i = host_number(s->world, h);

	if (fresh || !h->people)
		h->people++;
	h->self = people_make(&s->world->people, lane_slab(l), i, h->people);
	h->id = h->self->identity.id;
}

void host_start(struct shard *s, struct lane *l, struct host *h, bool fresh, bool blobs)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	int64_t now_ns = lane_now(l);
	struct chance entropy = chance_of(w->seed, i, STREAM_ENTROPY);
	uint8_t seed[32];
	struct event evs[3];
	struct birth birth = {
		.config = &w->config, .suite = w->people.suite, .host = &s->mem,
		.quota = (uint32_t)MIN(w->scenario->nodes.quota_bytes, UINT32_MAX),
	};
	struct order *hourly;

	assert(h->state == HOST_OFF);
	if (!blobs)
		disk_wipe(l, h);
	identify(s, l, h, fresh);
	h->incarnation++;
	birth.identity = &h->self->identity;
	birth.incarnation = h->incarnation;
	networks_born(w, l, i, &birth, h->people);
	if (!h->clock.offset_ns) {		/* up to 30 days since boot */
		struct chance boot = chance_of(w->seed, i, STREAM_CLOCK);

		h->clock.offset_ns = chance_between(&boot, 1, 30 * NS_PER_DAY);
	}
	h->node = node_new(&birth, host_now(h, now_ns));
	assert(h->node);			/* population_plan() saw that the quota holds one */
	h->state = HOST_UP;
	h->flags &= (uint8_t)~(HOST_JOINED | HOST_GRACEFUL | HOST_ENDING | HOST_SPARE | HOST_RETURNS);
	h->started_ns = now_ns;
	h->joined_ns = h->ended_ns = WORLD_NEVER;
	h->saved_ns = now_ns;
	net_iface_up(w->net, i, true);
	s->alive++;
	watch_note(s, now_ns, h, NOTE_START, h->id, h->incarnation, 0);
	for (unsigned k = 0; k < w->watches; k++)
		if (w->watch[k].started)
			w->watch[k].started(w->watch[k].ctx, s->number, now_ns, i);

	entropy.counter = (uint64_t)h->incarnation * sizeof(seed);
	chance_bytes(&entropy, seed, sizeof(seed));
	evs[0] = (struct event){ .kind = EVENT_START, .data = disk_read(h, s->disk) };
	if (w->memory && h->incarnation == 1 && !evs[0].data.len)
		evs[0].data = memory_of(s, h);
	evs[0].start.seed = seed;
	evs[0].start.ciphers = 1 << CIPHER_CHACHA;	/* whatever this machine has: another one gives the same bytes */
	evs[0].start.last = RUN_UNKNOWN;
	lookups_schedule(s, l, h);
	hourly = engine_payload(l, sizeof(*hourly));
	*hourly = (struct order){ .incarnation = h->incarnation };
	engine_post(l, i, i, CLASS_HOURLY, now_ns + NS_PER_S +
		    (int64_t)(host_chance(w, i, STREAM_WALL, h->incarnation) % (4 * NS_PER_S)), hourly);
	host_step(s, l, h, evs, 1 + addresses(w, i, evs + 1));
	if (h->state == HOST_UP) {
		guests_started(s, l, h);
		leases_started(s, l, h);
	}
}

/* What a daemon does now and then: tell the time of day, stir in fresh entropy. */
void host_hourly(struct shard *s, struct lane *l, struct host *h, struct order *o)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	struct chance stir = chance_of(w->seed, i, STREAM_STIR);
	struct chance error = chance_of(w->seed, i, STREAM_WALL);
	uint64_t count = (uint64_t)o->incarnation << 32 | o->number;
	uint8_t bytes[32];
	struct event evs[2];

	if (!host_is_running(h) || o->incarnation != h->incarnation)
		return;
	stir.counter = count * sizeof(bytes);
	chance_bytes(&stir, bytes, sizeof(bytes));
	error.counter = count;
	evs[0] = (struct event){ .kind = EVENT_ENTROPY, .data = { bytes, sizeof(bytes) } };
	evs[1] = (struct event){ .kind = EVENT_WALL_CLOCK };
	evs[1].wall.utc_ns = UTC_NS + lane_now(l) + chance_between(&error, -WALL_ERROR_NS, WALL_ERROR_NS);
	evs[1].wall.error_ns = WALL_ERROR_NS;
	o->number++;
	engine_post(l, i, i, CLASS_HOURLY, lane_now(l) + NS_PER_H, o);
	host_step(s, l, h, evs, 2);
}

void host_stop(struct shard *s, struct lane *l, struct host *h)
{
	uint32_t i = host_number(s->world, h);
	struct event stop = { .kind = EVENT_STOP };
	struct order *grace;

	if (h->state != HOST_UP) {		/* it cannot say goodbye */
		if (h->state != HOST_LEAVING)
			host_end(s, l, h, false);
		return;
	}
	guests_stopping(s, l, h);
	h->state = HOST_LEAVING;
	h->flags |= HOST_GRACEFUL;
	h->told_ns = lane_now(l);
	grace = engine_payload(l, sizeof(*grace));
	*grace = (struct order){ .incarnation = h->incarnation };
	engine_post(l, i, i, CLASS_GRACE, lane_now(l) + GRACE_NS, grace);
	host_step(s, l, h, &stop, 1);
}

void host_end(struct shard *s, struct lane *l, struct host *h, bool graceful)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	int64_t now_ns = lane_now(l);

	assert(h->state != HOST_OFF);
	watch_note(s, now_ns, h, NOTE_END, h->id, graceful, graceful ? (uint64_t)h->told_ns : 0);
	for (unsigned k = 0; k < w->watches; k++)
		if (w->watch[k].ended)
			w->watch[k].ended(w->watch[k].ctx, s->number, now_ns, i, graceful);
	engine_alarm(l, i, ENGINE_NEVER);
	engine_note(l, i, graceful ? 2 : 1);
	dhts_ended(s, h);
	node_free(h->node);
	identity_done(&h->self->identity);
	networks_drop(w, l, i);
	people_drop(lane_slab(l), h->self);
	h->node = NULL;
	h->self = NULL;
	s->alive--;
	s->joined -= !!(h->flags & HOST_JOINED);
	h->state = HOST_OFF;
	h->flags &= (uint8_t)~(HOST_JOINED | HOST_ENDING);
	if (graceful)
		h->flags |= HOST_GRACEFUL;
	else
		h->flags &= (uint8_t)~HOST_GRACEFUL;
	h->ended_ns = now_ns;
	h->ask_ns = NEVER_NS;
	net_iface_up(w->net, i, false);
	disk_crash(s, l, h);
	if (h->odd) {				/* a pause ends with its victim */
		h->odd->until_ns = NEVER_NS;
		h->odd->busy_ns = 0;
	}
	guests_ended(s, l, h);
	leases_ended(s, h);
	churn_ended(s, l, h);
}

void host_grace(struct shard *s, struct lane *l, struct host *h, const struct order *o)
{
	if (h->state != HOST_OFF && h->incarnation == o->incarnation)
		host_end(s, l, h, true);
}

/* The pause or sleep of @h is over. */
void host_wake(struct shard *s, struct lane *l, struct host *h)
{
	struct event resumed = { .kind = EVENT_RESUMED };
	bool asleep = h->state == HOST_ASLEEP;
	int64_t now_ns = lane_now(l);

	if (h->state != HOST_PAUSED && !asleep)
		return;
	if (h->odd->until_ns > now_ns)		/* it was prolonged by another fault */
		return;
	h->state = HOST_UP;
	h->odd->until_ns = NEVER_NS;
	if (asleep) {
		net_iface_up(s->world->net, host_number(s->world, h), true);
		resumed.resumed.gap_ns = now_ns - h->odd->since_ns;
	}
	host_step(s, l, h, &resumed, asleep);
}
