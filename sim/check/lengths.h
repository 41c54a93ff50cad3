/*
 * lengths.h - oracle: long links follow their law
 *
 * Two tests of Kolmogorov and Smirnov, both allowed LENGTHS_KS: the points that
 * were drawn against p(x), and the links that are held against the computed law
 * of the distance to the owner of a drawn point. See lengths.c.
 *
 *	Memory		8 bytes per draw, at most LENGTHS_DRAWS; while judging 8 bytes
 *			per link and per sample of the law
 *	Chance		a struct chance of its own: looking changes nothing
 *	Arithmetic	floating point, with logarithms that are the same everywhere
 *			(node/prog/real.h), so that the printed distance is, too
 */
#ifndef SIM_CHECK_LENGTHS_H
#define SIM_CHECK_LENGTHS_H

#include "sim/check/limits.h"
#include "sim/engine/chance.h"

#define LENGTHS_KS	0.03		/* how far apart two distributions may be */
#define LENGTHS_SURE	1.95		/* over sqrt(m): exceeded by chance once in 1,000 samples */

enum {
	LENGTHS_DRAWS	= 1 << 20,	/* draws kept; later ones are left out */
	LENGTHS_LAW	= 200000,	/* samples of the law at least */
};

/** struct sample - numbers in order */
struct sample {
	double *x;
	uint32_t count, cap;
};

void sample_add(struct sample *s, double x);
void sample_sort(struct sample *s);
void sample_done(struct sample *s);

/** ks_uniform() - Greatest distance of the sorted sample's distribution to the uniform one on [0, 1] */
double ks_uniform(const struct sample *s);

/** ks_between() - The same between two sorted samples */
double ks_between(const struct sample *a, const struct sample *b);

/** lengths_decides() - Are @count values enough to tell a distance of LENGTHS_KS from chance? */
bool lengths_decides(uint32_t count);

struct lengths_view {
	double drawn_ks, held_ks;	/* < 0: nothing to look at */
	uint32_t drawn, held;		/* how many */
};

/** struct check_lengths - all zeroes, then .chance set, is a good beginning */
struct check_lengths {
	struct chance chance;
	struct sample drawn;		/* each mapped to where it lies in its law: uniform if all is well */
	bool told_drawn, told_held;
};

void check_lengths_done(struct check_lengths *l);

/** lengths_drawn() - @self, which believes in a ring of @size, drew @point */
void lengths_drawn(struct check_lengths *l, const struct limits *lim, struct id self, struct id point,
		   uint32_t size);

/**
 * lengths_law() - Draw long links for all members of the largest part, as configured
 * @rounds: how often, each time from nothing
 * @law: gets the clockwise distances, as log2 of the share of the ring; not sorted
 */
void lengths_law(struct check_lengths *l, const struct census *c, const struct limits *lim, unsigned rounds,
		 struct sample *law);

/** lengths_held() - The long links that members of the largest part drew and hold, likewise */
void lengths_held(const struct census *c, struct sample *held);

/** check_lengths() - Both tests; what cannot be decided is said, not judged */
void check_lengths(struct check_lengths *l, const struct census *c, const struct judge *j,
		   struct lengths_view *out);

#endif /* SIM_CHECK_LENGTHS_H */
