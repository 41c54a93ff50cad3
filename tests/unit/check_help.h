/* check_help.h - a ring in perfect order, for the oracles' tests to break */
#ifndef CHECK_HELP_H
#define CHECK_HELP_H

#include "sim/check/limits.h"

#define SECOND INT64_C(1000000000)

/* Row i of n stands at i / n of the ring (plus a little, so that no id is zero). */
static inline struct id seat(uint32_t i, uint32_t n)
{
	return (struct id){ UINT64_MAX / n * i + 1000, i };
}

static inline void seat_neighbours(struct census *c, uint32_t i, uint32_t n, unsigned near, unsigned know)
{
	struct census_row *r = &c->row[i];

	r->look.left = seat((i + n - 1) % n, n);
	r->look.right = seat((i + 1) % n, n);
	for (unsigned side = 0; side < 2; side++)
		for (unsigned k = 1; k <= know && k < n; k++) {
			struct id id = seat(side ? (i + k) % n : (i + n - k) % n, n);

			census_add_known(c, i, side, id);
			if (k <= near && (n > 2 || !side)) {
				struct census_link *l = census_add_link(c, i, id);

				l->use = USE_NEAR;
				l->member = true;
				l->pace_ns = 5 * SECOND;
				l->rto_us = 200000;
			}
		}
}

/* n joined members in one part, near links and know known on each side, at one second */
static inline void ring_of(struct census *c, uint32_t n, unsigned near, unsigned know)
{
	census_init(c);
	census_rows(c, n);
	c->now_ns = SECOND;
	for (uint32_t i = 0; i < n; i++) {
		struct census_row *r = &c->row[i];

		r->state = ROW_RUNS;
		r->quota = 64 << 10;
		r->look.id = seat(i, n);
		r->look.started = r->look.joined = true;
		r->look.size = n;
		r->look.links = 2 * near;
		seat_neighbours(c, i, n, near, know);
	}
	census_index(c);
}

static inline struct limits usual_limits(void)
{
	return (struct limits){
		.far_ns = 60 * SECOND, .suspect_ns = 3 * SECOND / 2, .slack_ns = 2 * SECOND,
		.settle_ns = 12 * SECOND, .goodbye_ns = 5 * SECOND, .known_ns = 90 * SECOND,
		.healed_ns = 60 * SECOND, .crowd_ns = 60 * SECOND, .near = 2, .cap = true,
		.links_more = 8, .known = 32, .pending = 48, .pending_rest = 4, .remembered = 24,
	};
}

#endif /* CHECK_HELP_H */
