/* figures.c - all figures, in the order a report shows them */
#include "analysis/figures.h"

const struct figure figures[] = {
	{ "lookups", "Lookups over time", 460, draw_lookups },
	{ "hops", "Hops of lookups", 340, draw_hops },
	{ "latency", "Latency of lookups", 340, draw_latency },
	{ "nodes", "Live nodes and ring health", 560, draw_nodes },
	{ "maintenance", "Maintenance traffic over time", 380, draw_maintenance },
	{ "traffic", "Traffic by message kind", 400, draw_traffic },
	{ "join", "Time to join", 340, draw_join },
	{ "death", "Time to notice a death", 340, draw_death },
};
const unsigned figure_count = G_N_ELEMENTS(figures);
