/*
 * fixed.h - logarithms and powers of two in integers
 *
 * Core has no floating point: exp and log differ between CPUs and compilers,
 * and the same seed must give the same bytes everywhere. Values are Q32: the
 * upper bits are the whole part, the lower 32 the fraction.
 *
 * Method: log2 by repeated squaring of the mantissa (Knuth, TAOCP 1, exercise
 * 1.2.2-25); exp2 by multiplying the 2^(2^-i) of the set fraction bits.
 */
#ifndef BASE_FIXED_H
#define BASE_FIXED_H

#include <stdint.h>

#include "core/base/id.h"

/** log2_q32() - log2(@v) in Q32 for @v >= 1, within 2^-30; log2_q32(0) is 0 */
int64_t log2_q32(uint64_t v);

/** id_log2_q32() - log2 of a distance as a Q32 in [0, 128); 0 for distances 0 and 1 */
int64_t id_log2_q32(struct id d);

/** id_exp2_q32() - 2^@e as a distance, @e a Q32 in [0, 128); relative error below 2^-48 */
struct id id_exp2_q32(int64_t e);

/** exp2_u64() - 2^@e rounded down, for a Q32 @e in [0, 63]; larger gives UINT64_MAX, negative 0 */
uint64_t exp2_u64(int64_t e);

#endif /* BASE_FIXED_H */
