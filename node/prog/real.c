/*
 * real.c - exp, log and friends that give the same bits on every machine
 *
 * log splits x into m * 2^e with m within [sqrt(1/2), sqrt(2)) and sums the
 * series of 2 atanh(s), s = (m - 1) / (m + 1), which |s| < 0.172 makes short.
 * exp takes out the nearest multiple of ln 2, in two pieces so that nothing is
 * lost, and sums Taylor's series on |r| < 0.347. gamma is Lanczos' formula
 * (g = 7, nine terms), the normal quantile Wichura's algorithm AS 241 (Applied
 * Statistics 37, 1988), function PPND16.
 */
#include "node/prog/real.h"

#include <assert.h>
#include <float.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles are rounded after each operation");
_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "IEEE 754 doubles");

/* ln 2 = LN2_HI + LN2_LO; LN2_HI has 21 zero bits at its end, so e * LN2_HI is exact. */
#define LN2_HI		0x1.62e42fee00000p-1
#define LN2_LO		0x1.a39ef35793c76p-33
#define LN2		0x1.62e42fefa39efp-1
#define SQRT2		0x1.6a09e667f3bcdp+0

enum { EXPONENT_BIAS = 1023, MANTISSA_BITS = 52 };

static uint64_t bits_of(double x)
{
	uint64_t b;

	memcpy(&b, &x, sizeof(b));
	return b;
}

static double double_of(uint64_t b)
{
	double x;

	memcpy(&x, &b, sizeof(x));
	return x;
}

/* log((1 + s) / (1 - s)) for |s| < 0.172 */
static double log_series(double s)
{
	double z = s * s, sum = 0;

	for (int n = 23; n >= 3; n -= 2)
		sum = (sum + 1.0 / n) * z;
	return 2 * s + 2 * s * sum;
}

double real_log(double x)
{
	uint64_t b = bits_of(x);
	int e = (int)(b >> MANTISSA_BITS) - EXPONENT_BIAS;
	double m = double_of((b & ((UINT64_C(1) << MANTISSA_BITS) - 1)) |
			     (uint64_t)EXPONENT_BIAS << MANTISSA_BITS);

	assert(x >= DBL_MIN && x <= DBL_MAX);
	if (m >= SQRT2) {
		m *= 0.5;
		e++;
	}
	return e * LN2_HI + (log_series((m - 1) / (m + 1)) + e * LN2_LO);
}

double real_log1p(double x)
{
	if (x > -0.25 && x < 0.25)
		return log_series(x / (2 + x));
	return real_log(1 + x);
}

double real_exp(double x)
{
	double k, r, sum = 1;
	int n;

	if (x < -700)
		return 0;
	if (x > 700)
		return DBL_MAX;
	n = (int)(x / LN2 + (x < 0 ? -0.5 : 0.5));
	k = n;
	r = (x - k * LN2_HI) - k * LN2_LO;
	for (int i = 15; i >= 1; i--)
		sum = 1 + sum * r / i;
	return sum * double_of((uint64_t)(n + EXPONENT_BIAS) << MANTISSA_BITS);
}

double real_pow(double x, double y)
{
	if (y == 0)
		return 1;
	if (x < DBL_MIN)
		return y > 0 ? 0 : DBL_MAX;
	return real_exp(y * real_log(x));
}

double real_sqrt(double x)
{
	return __builtin_sqrt(x);
}

double real_gamma(double x)
{
	static const double c[9] = {
		0.99999999999980993, 676.5203681218851, -1259.1392167224028,
		771.32342877765313, -176.61502916214059, 12.507343278686905,
		-0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
	};
	double sum = c[0], t, half;

	assert(x > 0 && x <= 170);
	if (x < 1)
		return real_gamma(x + 1) / x;
	x -= 1;
	for (int i = 1; i < 9; i++)
		sum += c[i] / (x + i);
	t = x + 7.5;
	half = real_pow(t, (x + 0.5) * 0.5);	/* squared below: the whole would overflow */
	return 2.5066282746310005 * half * real_exp(-t) * half * sum;
}

static double ratio(const double p[8], const double q[8], double x)
{
	double a = p[7], b = q[7];

	for (int i = 6; i >= 0; i--) {
		a = a * x + p[i];
		b = b * x + q[i];
	}
	return a / b;
}

double real_normal(double p)
{
	static const double a[8] = {
		3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
		1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
		3.3430575583588128105e+4, 2.5090809287301226727e+3,
	}, b[8] = {
		1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
		5.2264952788528545610e+3,
	}, c[8] = {
		1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
		3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
		2.27238449892691845833e-2, 7.74545014278341407640e-4,
	}, d[8] = {
		1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
		1.05075007164441684324e-9,
	}, e[8] = {
		6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
		2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
		2.71155556874348757815e-5, 2.01033439929228813265e-7,
	}, f[8] = {
		1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
		2.04426310338993978564e-15,
	};
	double q = p - 0.5, r;

	assert(p > 0 && p < 1);
	if (q >= -0.425 && q <= 0.425)
		return q * ratio(a, b, 0.180625 - q * q);
	r = real_sqrt(-real_log(q < 0 ? p : 1 - p));
	r = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
	return q < 0 ? -r : r;
}

double real_unit(uint64_t draw)
{
	/* 52 bits and a half: exact, and never 0 or 1 */
	return ((double)(draw >> 12) + 0.5) * 0x1p-52;
}

int64_t real_ns(double x)
{
	if (!(x > 0))
		return 0;
	if (x >= 0x1p63)
		return INT64_MAX;
	if (x >= 0x1p52)
		return (int64_t)x;
	return (int64_t)(x + 0.5);
}
