/*
 * crew.c - one meeting point, used over and over
 *
 * The last to arrive opens the next round. The others watch the round's number,
 * first awake, since a window is often done within microseconds, then asleep
 * on a futex, since the machine may have fewer cores than we have threads.
 */
#include "sim/engine/crew.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 2000 };

struct member {
	struct crew *crew;
	pthread_t thread;
	uint32_t n;
};

struct crew {
	_Atomic uint32_t round, arrived, asleep;
	bool over;			/* written by the leader before a round opens */
	uint32_t threads;
	crew_work_fn *work;
	void *ctx;
	struct member member[];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

void crew_meet(struct crew *c)
{
	uint32_t round = atomic_load(&c->round);

	if (atomic_fetch_add(&c->arrived, 1) + 1 == c->threads) {
		atomic_store(&c->arrived, 0);
		atomic_store(&c->round, round + 1);
		if (atomic_load(&c->asleep))
			syscall(SYS_futex, &c->round, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
		return;
	}
	for (int i = 0; i < SPINS; i++, relax())
		if (atomic_load(&c->round) != round)
			return;
	atomic_fetch_add(&c->asleep, 1);
	while (atomic_load(&c->round) == round)
		syscall(SYS_futex, &c->round, FUTEX_WAIT_PRIVATE, round, NULL, NULL, 0);
	atomic_fetch_sub(&c->asleep, 1);
}

static void *member_main(void *arg)
{
	struct member *m = arg;

	for (;;) {
		crew_meet(m->crew);
		if (m->crew->over)
			return NULL;
		m->crew->work(m->crew->ctx, m->n);
		crew_meet(m->crew);
	}
}

void crew_run(struct crew *c)
{
	crew_meet(c);
	c->work(c->ctx, 0);
	crew_meet(c);
}

struct crew *crew_new(uint32_t threads, crew_work_fn *work, void *ctx)
{
	struct crew *c = calloc(1, sizeof(*c) + threads * sizeof(*c->member));

	assert(threads);
	if (!c)
		return NULL;
	c->threads = threads;
	c->work = work;
	c->ctx = ctx;
	for (uint32_t n = 1; n < threads; n++) {
		c->member[n] = (struct member){ .crew = c, .n = n };
		if (pthread_create(&c->member[n].thread, NULL, member_main, &c->member[n])) {
			c->threads = n;		/* those there are; none is at work yet */
			crew_free(c);
			return NULL;
		}
	}
	return c;
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	c->over = true;
	if (c->threads > 1)
		crew_meet(c);
	for (uint32_t n = 1; n < c->threads; n++)
		pthread_join(c->member[n].thread, NULL);
	free(c);
}
