/*
 * synth.c - built-in places
 *
 * A place belongs to one of six clusters by weight, lies around its centre with
 * the sum of four uniform draws (Irwin-Hall, close to a normal distribution and
 * bounded) in either direction, and has an access delay drawn from quantiles by
 * straight lines between them. The numbers were found by simulated annealing
 * against 19 quantiles of the PlanetLab matrix named in README.md.
 */
#include "sim/net/synth.h"

#include "sim/net/inside.h"

enum { CLUSTERS = 6, QUANTILES = 6, US = 1000, PPM = 1000 * 1000 };

struct cluster {
	uint32_t weight_ppm;
	int32_t  x_us, y_us;
	int32_t  deviation_us;
};

static const struct cluster cluster[CLUSTERS] = {
	{ 283000, 4800, 14400, 10027 },
	{ 195000, 24400, -36100, 843 },
	{ 188000, -4400, 10300, 9235 },
	{ 167000, -75100, 66600, 9243 },
	{ 122000, 27700, -60600, 8901 },
	{ 45000, 85500, -60200, 14559 },
};

/* Access delay, each way: at these shares of hosts (per mille), these microseconds. */
static const uint32_t share_pm[QUANTILES] = { 0, 250, 500, 750, 950, 1000 };
static const uint32_t access_us[QUANTILES] = { 160, 336, 604, 5039, 6855, 42524 };

static const struct cluster *cluster_of(uint64_t draw)
{
	uint64_t at = net_below(draw, PPM);
	unsigned i;

	for (i = 0; i < CLUSTERS - 1 && at >= cluster[i].weight_ppm; i++)
		at -= cluster[i].weight_ppm;
	return &cluster[i];
}

/* Four 16-bit uniforms: their sum has mean 2 x 65535 and deviation 65536 / sqrt(3). */
static int32_t around(int32_t centre_us, int32_t deviation_us, uint64_t draw)
{
	int64_t sum = (int64_t)(draw & 0xffff) + (int64_t)(draw >> 16 & 0xffff) +
		      (int64_t)(draw >> 32 & 0xffff) + (int64_t)(draw >> 48) - 2 * 65535;

	return (int32_t)((int64_t)centre_us * US +
			 sum * deviation_us * US / 65536 * 1732 / 1000);
}

static uint32_t access_delay(uint64_t draw)
{
	uint64_t at = net_below(draw, PPM);
	unsigned i = 0;

	while (i < QUANTILES - 2 && at >= share_pm[i + 1] * 1000)
		i++;
	return (uint32_t)(access_us[i] * US + (uint64_t)(access_us[i + 1] - access_us[i]) *
			  (at - share_pm[i] * 1000) / (share_pm[i + 1] - share_pm[i]));
}

struct synth_place synth_place(uint64_t seed, uint32_t place)
{
	const struct cluster *c = cluster_of(chance_draw(seed, place, STREAM_CLUSTER, 0));

	return (struct synth_place){
		.x_ns = around(c->x_us, c->deviation_us, chance_draw(seed, place, STREAM_X, 0)),
		.y_ns = around(c->y_us, c->deviation_us, chance_draw(seed, place, STREAM_Y, 0)),
		.access_ns = access_delay(chance_draw(seed, place, STREAM_ACCESS, 0)),
	};
}
