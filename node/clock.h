/*
 * clock.h - the one clock of the loop
 *
 * Time is CLOCK_BOOTTIME, which counts suspended time and never goes back. It is
 * read once per wake-up: clock_stale() before the loop sleeps, clock_now_ns()
 * reads when somebody asks first. How far it has moved against CLOCK_MONOTONIC,
 * which stands still in a suspended machine, tells that we were asleep.
 */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct boot_clock {
	int64_t now_ns;
	int64_t ahead_ns;		/* of CLOCK_MONOTONIC, when last read */
	int64_t slept_ns;		/* suspended since clock_slept_ns() was asked last */
	bool fresh;
};

/** A gap shorter than this between the two clocks is reading them one after the other. */
#define CLOCK_SLEPT_NS	INT64_C(500000000)

void clock_start(struct boot_clock *c);
void clock_stale(struct boot_clock *c);
int64_t clock_now_ns(struct boot_clock *c);

/** clock_slept_ns() - How long the machine was suspended since the last call; 0 mostly */
int64_t clock_slept_ns(struct boot_clock *c);

/** clock_utc_ns() - Wall time; @error_ns: how wrong it may be, as the kernel believes */
int64_t clock_utc_ns(int64_t *error_ns);

#endif /* NODE_CLOCK_H */
