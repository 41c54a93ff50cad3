#include "node/clock.h"

#include <sys/timex.h>
#include <time.h>

#include "node/prog/units.h"

static int64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void take(struct boot_clock *c)
{
	int64_t now = read_ns(CLOCK_BOOTTIME), ahead = now - read_ns(CLOCK_MONOTONIC);

	if (ahead - c->ahead_ns > CLOCK_SLEPT_NS)
		c->slept_ns += ahead - c->ahead_ns;
	c->ahead_ns = ahead;
	c->now_ns = now > c->now_ns ? now : c->now_ns;
	c->fresh = true;
}

void clock_start(struct boot_clock *c)
{
	*c = (struct boot_clock){ 0 };
	take(c);
	c->slept_ns = 0;
}

void clock_stale(struct boot_clock *c)
{
	c->fresh = false;
}

int64_t clock_now_ns(struct boot_clock *c)
{
	if (!c->fresh)
		take(c);
	return c->now_ns;
}

int64_t clock_slept_ns(struct boot_clock *c)
{
	int64_t slept;

	clock_now_ns(c);
	slept = c->slept_ns;
	c->slept_ns = 0;
	return slept;
}

int64_t clock_utc_ns(int64_t *error_ns)
{
	struct timex t = { .modes = 0 };
	int64_t now = read_ns(CLOCK_REALTIME);

	if (adjtimex(&t) < 0)
		t.maxerror = 16000000;		/* the kernel's own ceiling */
	*error_ns = t.maxerror * NS_PER_US;
	return now;
}
