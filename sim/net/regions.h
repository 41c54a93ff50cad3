/*
 * regions.h - the world in parts of equal size, for what happens to one part
 *
 * Points are divided like a k-d tree does: across the longer side, at the
 * point that leaves either half its share; so are the rows of a matrix, by how
 * much nearer they are to one of two far rows than to the other. Deterministic;
 * sizes differ by at most a rounding.
 *
 *	Memory		heap; 16 bytes a cut, and a byte a row
 */
#ifndef SIM_NET_REGIONS_H
#define SIM_NET_REGIONS_H

#include <stdint.h>

#include "sim/net/table.h"

struct regions;

/** regions_of_points() - Divide the plane in @k (1 to 256) by these @n points (at least 1) */
struct regions *regions_of_points(const int32_t *x, const int32_t *y, uint32_t n, unsigned k);
void regions_free(struct regions *r);

/** regions_find() - The region a point is in */
unsigned regions_find(const struct regions *r, int32_t x, int32_t y);

/** regions_of_rows() - The region of each row of matrix @t, as bytes to be g_free()d */
uint8_t *regions_of_rows(const struct net_table *t, unsigned k);

#endif /* SIM_NET_REGIONS_H */
