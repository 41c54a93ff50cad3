/*
 * memory.c - a world that ran before: nodes that remember their neighbours
 *
 * A large overlay did not come into being in the minute before an experiment.
 * With nodes.remember the nodes that start first are given what they would have
 * saved: true neighbours on either side, found by sorting the ids of all of
 * them, and some nodes at harmonic distances, as peers of long links are. They
 * still join through the door, call each other, and draw their long links
 * themselves; only the mass join through three bootstrap nodes is left out, and
 * the time in which a ring without any long link carries messages for all.
 */
#include <stdlib.h>

#include "core/link/remember.h"
#include "node/prog/real.h"
#include "core/base/saved.h"
#include "sim/world/inside.h"

enum {
	SIDE	= 2,			/* neighbours remembered on each side */
	FAR	= 4,			/* others */
};

struct place { struct id id; uint32_t host; };

struct memory {
	struct place *place;		/* by id */
	uint32_t *at;			/* by host: its place, UINT32_MAX: none */
	uint32_t count;
};

static int by_id(const void *a, const void *b)
{
	return id_cmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

void memory_begin(struct world *w)
{
	struct memory *m = w->memory = g_new0(struct memory, 1);

	m->place = g_new(struct place, w->hosts);
	m->at = g_new(uint32_t, w->hosts);
	for (uint32_t i = 0; i < w->hosts; i++) {
		m->at[i] = UINT32_MAX;
		if (w->host[i].churn_ns <= w->scenario->nodes.join_over_ns)
			m->place[m->count++] = (struct place){ people_id(&w->people, i, 1), i };
	}
	qsort(m->place, m->count, sizeof(*m->place), by_id);
	for (uint32_t k = 0; k < m->count; k++)
		m->at[m->place[k].host] = k;
}

void memory_free(struct world *w)
{
	if (!w->memory)
		return;
	g_free(w->memory->place);
	g_free(w->memory->at);
	g_free(w->memory);
	w->memory = NULL;
}

/* The @k-th far place seen from @at: ranks away with density 1 / rank, either way round. */
static uint32_t far_place(const struct world *w, const struct memory *m, uint32_t host, uint32_t at, uint32_t k)
{
	uint64_t draw = host_chance(w, host, STREAM_MEMORY, k);
	double half = m->count / 2;
	uint32_t rank = (uint32_t)real_exp(real_log(half) * real_unit(draw)) % m->count;

	return (at + (draw & 1 ? rank : m->count - rank)) % m->count;
}

static struct contact card(const struct world *w, const struct place *p)
{
	struct contact c = { .id = p->id, .has_id = true };

	for (int family = ENDPOINT_UDP4; family <= ENDPOINT_UDP6; family += 2) {
		struct endpoint at = net_address(w->net, p->host, (enum endpoint_kind)family);

		if (at.kind == ENDPOINT_NONE)
			continue;
		at.port = WORLD_PORT;
		c.at[c.ats++] = at;
	}
	return c;
}

struct bytes memory_of(struct shard *s, const struct host *h)
{
	const struct world *w = s->world;
	const struct memory *m = w->memory;
	uint32_t at = m->at[host_number(w, h)];
	struct env e = { .config = &w->config, .mem = { &s->mem, 0, UINT32_MAX } };
	struct writer to = writer_of(s->blob, sizeof(s->blob));
	uint8_t *place = write_space(&to, SAVED_HEADER);
	struct writer head = writer_of(place, SAVED_HEADER);
	struct remember r;

	if (at == UINT32_MAX || m->count < 2)
		return (struct bytes){ NULL, 0 };
	remember_init(&r);
	for (uint32_t k = 1; k <= SIDE && k < m->count; k++) {
		struct contact left = card(w, &m->place[(at + m->count - k) % m->count]);
		struct contact right = card(w, &m->place[(at + k) % m->count]);

		remember_add(&r, &e, &left, false);
		remember_add(&r, &e, &right, false);
	}
	for (uint32_t k = 0; k < FAR && m->count > 4 * SIDE; k++) {
		struct contact far = card(w, &m->place[far_place(w, m, host_number(w, h), at, k)]);

		if (!id_eq(far.id, h->id))
			remember_add(&r, &e, &far, false);
	}
	remember_write(&r, &to);
	remember_done(&r, &e);
	write_u8(&head, SAVE_PEERS);
	write_u64(&head, 0);
	write_u32(&head, (uint32_t)(writer_len(&to) - SAVED_HEADER));
	return (struct bytes){ s->blob, writer_len(&to) };
}
