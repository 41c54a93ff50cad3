/* metrics.c - cells that add up, and numbers as exact fractions */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "sim/record/metrics.h"

struct metrics *metrics_new(const struct catalog *c)
{
	struct metrics *m = g_new0(struct metrics, 1);

	m->catalog = c;
	m->count = catalog_count(c);
	m->cell = g_new0(int64_t, m->count);
	m->known = g_new0(bool, m->count);
	m->histogram = g_new0(struct histogram, m->count);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (int i = 0; i < m->count; i++)
		histogram_done(&m->histogram[i]);
	g_free(m->histogram);
	g_free(m->known);
	g_free(m->cell);
	g_free(m);
}

void metrics_set(struct metrics *m, int id, int64_t value)
{
	enum metric_kind kind = catalog_at(m->catalog, id)->kind;

	assert(kind == METRIC_GAUGE || kind == METRIC_FACT || kind == METRIC_COST);
	if (kind == METRIC_GAUGE || !m->known[id] || value > m->cell[id])
		m->cell[id] = value;
	m->known[id] = true;
}

void metrics_merge(struct metrics *m, const struct metrics *from)
{
	assert(m->count == from->count);
	for (int i = 0; i < m->count; i++) {
		switch (catalog_at(m->catalog, i)->kind) {
		case METRIC_COUNTER:
		case METRIC_RATIO:
			m->cell[i] += from->cell[i];
			break;
		case METRIC_GAUGE:
			m->cell[i] += from->cell[i];
			m->known[i] |= from->known[i];
			break;
		case METRIC_FACT:
		case METRIC_COST:
			if (from->known[i])
				metrics_set(m, i, from->cell[i]);
			break;
		case METRIC_HISTOGRAM:
			histogram_merge(&m->histogram[i], &from->histogram[i]);
			break;
		}
	}
}

void metrics_clear(struct metrics *m)
{
	for (int i = 0; i < m->count; i++) {
		enum metric_kind kind = catalog_at(m->catalog, i)->kind;

		if (kind == METRIC_COUNTER || kind == METRIC_RATIO)
			m->cell[i] = 0;
		histogram_clear(&m->histogram[i]);
	}
}

void metrics_zero(struct metrics *m)
{
	metrics_clear(m);
	memset(m->cell, 0, sizeof(*m->cell) * (size_t)m->count);
	memset(m->known, 0, sizeof(*m->known) * (size_t)m->count);
}

struct number number_of(__int128 stored, __int128 over, enum metric_unit unit)
{
	static const struct {
		int64_t mul, div;
	} scale[] = {
#define X(name, m, d, text) { m, d },
		METRIC_UNIT_LIST(X)
#undef X
	};

	if (!over)
		return (struct number){ 0, 0 };
	return (struct number){ stored * scale[unit].mul, over * scale[unit].div };
}

int number_compare(struct number a, struct number b)
{
	/* by whole parts first, so that the cross product stays far from overflow */
	__int128 whole_a = a.num / a.den, whole_b = b.num / b.den, left, right;

	assert(number_known(a) && number_known(b));
	if (whole_a != whole_b)
		return whole_a < whole_b ? -1 : 1;
	left = a.num % a.den;
	right = b.num % b.den;
	/* remainders are below their denominators: halve both until products fit */
	while (a.den > INT64_MAX) {
		a.den /= 2;
		left /= 2;
	}
	while (b.den > INT64_MAX) {
		b.den /= 2;
		right /= 2;
	}
	left *= b.den;
	right *= a.den;
	return (left > right) - (left < right);
}

const char *number_text(struct number n, char buf[64])
{
	enum { DIGITS = 9 };
	const __int128 unit = 1000000000;
	bool minus = n.num < 0;
	__int128 num = minus ? -n.num : n.num, whole, rest;
	char *end;

	if (!number_known(n)) {
		*buf = '\0';
		return buf;
	}
	whole = num / n.den;
	rest = num % n.den;
	while (n.den > ((__int128)1 << 90)) {		/* room for the product below */
		n.den >>= 1;
		rest >>= 1;
	}
	rest = (rest * unit + n.den / 2) / n.den;	/* nearest, halves up */
	if (rest >= unit) {
		rest -= unit;
		whole++;
	}
	assert(whole <= INT64_MAX);
	g_snprintf(buf, 64, "%s%lld.%0*lld", minus && (whole || rest) ? "-" : "",
		   (long long)whole, DIGITS, (long long)rest);
	for (end = buf + strlen(buf); end[-1] == '0'; end--)
		;
	if (end[-1] == '.')
		end--;
	*end = '\0';
	return buf;
}

double number_double(struct number n)
{
	return number_known(n) ? (double)n.num / (double)n.den : 0;
}
