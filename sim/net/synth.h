/*
 * synth.h - a world to run in without any data file
 *
 * Places in a plane whose distance is the latency one way, and an access delay
 * for each: clusters of hosts, as far apart as continents, and a share of slow
 * access links. Fitted to the quantiles of a published matrix; README.md says
 * how close it comes.
 *
 *	Chance		(seed, place): a place is the same whatever else exists
 *	Arithmetic	integers
 */
#ifndef SIM_NET_SYNTH_H
#define SIM_NET_SYNTH_H

#include <stdint.h>

struct synth_place {
	int32_t  x_ns, y_ns;
	uint32_t access_ns;
};

struct synth_place synth_place(uint64_t seed, uint32_t place);

#endif /* SIM_NET_SYNTH_H */
