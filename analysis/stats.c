#include <math.h>

#include <gsl/gsl_cdf.h>

#include "analysis/stats.h"

struct interval interval_of(const double *value, unsigned count)
{
	struct interval r = { 0, NAN, NAN };
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < count; i++)
		if (isfinite(value[i])) {
			sum += value[i];
			r.count++;
		}
	if (!r.count)
		return r;
	r.mean = sum / r.count;
	for (unsigned i = 0; i < count; i++)
		if (isfinite(value[i]))
			squares += (value[i] - r.mean) * (value[i] - r.mean);
	if (r.count > 1)
		r.half = gsl_cdf_tdist_Pinv(0.975, r.count - 1) *
			 sqrt(squares / (r.count - 1) / r.count);
	return r;
}
