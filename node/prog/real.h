/*
 * real.h - exp, log and friends that give the same bits on every machine
 *
 * libm's differ between versions and CPUs, and a last bit that differs moves an
 * event. These use only +, -, *, / and sqrt of IEEE 754 doubles, which are
 * correctly rounded everywhere (with -ffp-contract=off, and no x87).
 *
 *	Accuracy	relative 2e-15 for log and exp, 1e-13 for pow with results
 *			in 1e-30..1e30, 1e-12 for gamma, 1e-13 for the normal quantile
 *			(tests/unit/real_test.c compares with libm)
 */
#ifndef PROG_REAL_H
#define PROG_REAL_H

#include <stdint.h>

/** real_log() - Natural logarithm of a normal number @x > 0 */
double real_log(double x);

/** real_log1p() - log(1 + @x) for -1 < @x, exact also near 0 */
double real_log1p(double x);

/** real_exp() - e^@x; 0 below -700, and the largest double above 700 */
double real_exp(double x);

/** real_pow() - @x^@y for @x >= 0; 0^y is 0 for y > 0 */
double real_pow(double x, double y);

/** real_sqrt() - Square root, correctly rounded */
double real_sqrt(double x);

/** real_gamma() - The gamma function for 0 < @x <= 170 */
double real_gamma(double x);

/** real_normal() - The quantile of the standard normal distribution, 0 < @p < 1 */
double real_normal(double p);

/** real_unit() - A draw as a number strictly between 0 and 1 */
double real_unit(uint64_t draw);

/** real_ns() - @x rounded to the nearest integer within 0..INT64_MAX */
int64_t real_ns(double x);

#endif /* PROG_REAL_H */
