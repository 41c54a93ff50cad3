/* ON: analysis/csv.c analysis/grid.c analysis/stats.c node/prog */
/* Tables that runs and sweeps leave: no input may crash the reader or be half accepted. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "analysis/grid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail f = { 0 };
	struct csv *c = csv_parse("fuzz.csv", (const char *)data, size, &f);
	struct grid *g;

	if (!c != failed(&f))
		abort();
	if (!c)
		goto out;
	for (unsigned row = 0; row < c->rows; row++)
		for (unsigned i = 0; i < c->columns; i++)
			if (isinf(csv_number(c, row, i)))
				abort();
	if (c->columns && csv_column(c, c->head[0]) < 0)
		abort();
	g = grid_of("fuzz", c, &f);
	if (!g != failed(&f))
		abort();
	for (unsigned i = 0; g && i < g->points; i++) {
		double x[1] = { 0 };
		const char *unit = "";

		for (unsigned k = g->parameters + 1; k < g->table->columns; k++)
			if (grid_interval(g, i, k).count > g->point[i].rows)
				abort();
		if (g->points == 1 && g->parameters)
			grid_numbers(g, 0, x, &unit);
	}
	grid_free(g);
out:
	fail_done(&f);
	return 0;
}
