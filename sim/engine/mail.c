/*
 * mail.c - free lists of buffers, threaded through their heads
 *
 * A payload longer than the largest class stands in an allocation of its own,
 * and its mail, of the smallest class, keeps the address. Which of the two a
 * payload is shows in its address: behind its head it lies 32 bytes past a
 * multiple of 64, elsewhere it lies on one.
 */
#include "sim/engine/mail.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/asan.h"

/* Sizes with head, in units of 64 bytes: two steps to a doubling. */
static const uint8_t class_units[MAIL_CLASSES] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64 };

struct elsewhere {
	struct mail *mail;
	char pad[MAIL_UNIT - sizeof(struct mail *)];
	char payload[];
};

static void *or_abort(void *p)
{
	if (!p) {
		fputs("sim/engine: the machine has no more memory for payloads\n", stderr);
		abort();
	}
	return p;
}

void post_init(struct post *p)
{
	p->chunk = or_abort(calloc(MAIL_CHUNKS, sizeof(*p->chunk)));
	atomic_init(&p->chunks, 0);
}

void post_fini(struct post *p)
{
	uint32_t chunks = atomic_load(&p->chunks);

	for (uint32_t i = 0; i < chunks; i++) {
		asan_open(p->chunk[i], (size_t)MAIL_UNIT << MAIL_CHUNK_BITS);
		free(p->chunk[i]);
	}
	free(p->chunk);
}

void mail_open(struct mail_office *o, struct post *p, uint16_t number)
{
	*o = (struct mail_office){ .post = p, .number = number };
	for (int i = 0; i < MAIL_CLASSES; i++)
		o->free[i] = MAIL_NONE;
	for (int i = 0; i < MAIL_OFFICES; i++)
		o->returns[i] = MAIL_NONE;
}

static struct mail *cut(struct mail_office *o, unsigned size)
{
	uint32_t units = class_units[size], ref;
	struct mail *m;

	if (o->end - o->cut < units) {
		size_t bytes = (size_t)MAIL_UNIT << MAIL_CHUNK_BITS;
		uint32_t c = atomic_fetch_add(&o->post->chunks, 1);

		/* what is left of the old chunk, under 4 KiB of 1 MiB, is given up */
		assert(c < MAIL_CHUNKS && "128 GiB of payloads on their way");
		o->post->chunk[c] = or_abort(aligned_alloc(MAIL_UNIT, bytes));
		asan_close(o->post->chunk[c], bytes);
		o->cut = c << MAIL_CHUNK_BITS;
		o->end = o->cut + (1u << MAIL_CHUNK_BITS);
		o->bytes += bytes;
	}
	ref = o->cut;
	o->cut += units;
	m = mail_at(o->post, ref);
	asan_open(m, sizeof(*m));
	m->ref = ref;
	m->home = o->number;
	m->size = (uint8_t)size;
	return m;
}

struct mail *mail_new(struct mail_office *o, uint32_t len)
{
	size_t bytes = sizeof(struct mail) + len;
	unsigned size = 0;
	struct elsewhere *e = NULL;
	struct mail *m;

	if (bytes > MAIL_UNIT * (size_t)class_units[MAIL_CLASSES - 1]) {
		size_t all = (sizeof(*e) + len + MAIL_UNIT - 1) / MAIL_UNIT * MAIL_UNIT;

		e = or_abort(aligned_alloc(MAIL_UNIT, all));
	} else {
		while (bytes > MAIL_UNIT * (size_t)class_units[size])
			size++;
	}
	if (o->free[size] != MAIL_NONE) {
		m = mail_at(o->post, o->free[size]);
		o->free[size] = m->next;
	} else {
		m = cut(o, size);
	}
	asan_open(m, MAIL_UNIT * (size_t)class_units[size]);
	m->len = len;
	m->state = MAIL_HELD;
	m->elsewhere = e != NULL;
	if (e) {
		e->mail = m;
		memcpy(m->payload, &e, sizeof(e));
	}
	return m;
}

void *mail_payload(struct mail *m)
{
	struct elsewhere *e;

	if (!m->elsewhere)
		return m->len ? m->payload : NULL;
	memcpy(&e, m->payload, sizeof(e));
	return e->payload;
}

struct mail *mail_of(void *payload)
{
	if ((uintptr_t)payload % MAIL_UNIT)
		return (struct mail *)((char *)payload - offsetof(struct mail, payload));
	return ((struct elsewhere *)((char *)payload - offsetof(struct elsewhere, payload)))->mail;
}

static void keep(struct mail_office *o, struct mail *m)
{
	m->next = o->free[m->size];
	o->free[m->size] = m->ref;
}

void mail_free(struct mail_office *o, struct mail *m)
{
	assert(m->state != MAIL_FREE && "freed once");
	if (m->elsewhere) {
		struct elsewhere *e;

		memcpy(&e, m->payload, sizeof(e));
		free(e);
	}
	m->state = MAIL_FREE;
	if (m->home == o->number) {
		keep(o, m);
	} else {
		m->next = o->returns[m->home];
		o->returns[m->home] = m->ref;
	}
	asan_close(m->payload, MAIL_UNIT * (size_t)class_units[m->size] - sizeof(*m));
}

void mail_go_home(struct mail_office *o, struct mail_office *from)
{
	uint32_t ref = from->returns[o->number];

	from->returns[o->number] = MAIL_NONE;
	while (ref != MAIL_NONE) {
		struct mail *m = mail_at(o->post, ref);

		ref = m->next;
		keep(o, m);
	}
}
