/*
 * clock.h - what a host's own clock says, and back
 *
 * A machine's monotonic clock began long before the run, at another moment on
 * each host, and may run fast or slow. It never goes back, not even when its
 * drift changes.
 *
 *	node = virtual + offset + (virtual - since) * drift
 *
 *	Arithmetic	integers, rounded down; clock_due() is the least virtual
 *			time at which clock_read() reaches a reading
 */
#ifndef SIM_WORLD_CLOCK_H
#define SIM_WORLD_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t offset_ns;
	int64_t since_ns;		/* virtual; when the present drift began */
	int32_t drift_ppb;		/* greater than -1e9 */
};

enum { CLOCK_ONE = 1000000000 };

static inline int64_t clock_read(const struct clock *c, int64_t now_ns)
{
	__int128 span = now_ns - c->since_ns;
	__int128 gain;

	if (!c->drift_ppb)
		return now_ns + c->offset_ns;
	gain = span * c->drift_ppb;
	return now_ns + c->offset_ns +
	       (int64_t)(gain >= 0 ? gain / CLOCK_ONE : -((-gain + CLOCK_ONE - 1) / CLOCK_ONE));
}

/** clock_drift() - From @now_ns on it gains @ppb (loses if negative); the reading does not jump */
static inline void clock_drift(struct clock *c, int64_t now_ns, int32_t ppb)
{
	c->offset_ns = clock_read(c, now_ns) - now_ns;
	c->since_ns = now_ns;
	c->drift_ppb = ppb;
}

/** clock_due() - When it will read @reading_ns or more; INT64_MAX stays */
static inline int64_t clock_due(const struct clock *c, int64_t reading_ns)
{
	__int128 span, at;

	if (reading_ns == INT64_MAX)
		return INT64_MAX;
	if (!c->drift_ppb)
		return reading_ns - c->offset_ns;
	span = (__int128)reading_ns - c->offset_ns - c->since_ns;
	at = c->since_ns + span * CLOCK_ONE / (CLOCK_ONE + c->drift_ppb) - 2;
	while (clock_read(c, (int64_t)at) < reading_ns)
		at++;
	while (clock_read(c, (int64_t)(at - 1)) >= reading_ns)
		at--;
	return (int64_t)at;
}

#endif /* SIM_WORLD_CLOCK_H */
