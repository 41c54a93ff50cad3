#include <math.h>
#include <string.h>

#include "analysis/values.h"
#include "node/prog/units.h"

const struct key_value key_values[] = {
	{ "lookup.judged", "Lookups judged" },
	{ "lookup.right", "Right" },
	{ "lookup.first_try", "Right on the first try" },
	{ "lookup.wrong", "Wrong" },
	{ "lookup.lost", "Lost" },
	{ "lookup.hops.mean", "Hops, mean" },
	{ "lookup.hops.p95", "Hops, 95th percentile" },
	{ "lookup.latency_ms.p50", "Lookup latency, median" },
	{ "lookup.latency_ms.p95", "Lookup latency, 95th percentile" },
	{ "lookup.latency_ms.p99", "Lookup latency, 99th percentile" },
	{ "nodes.alive.mean", "Nodes alive, mean" },
	{ "join.started", "Nodes started" },
	{ "join.failed", "Nodes that never joined" },
	{ "join.time_s.p50", "Time to join, median" },
	{ "join.time_s.p99", "Time to join, 99th percentile" },
	{ "ring.successor_right", "Successors right, over time" },
	{ "ring.healed_s", "Healed after the last fault" },
	{ "death.noticed_s.p50", "Death noticed, median" },
	{ "death.noticed_s.p99", "Death noticed, 99th percentile" },
	{ "maintenance.bytes_per_node_s.mean", "Maintenance per node, mean" },
	{ "maintenance.bytes_per_node_s.p95", "Maintenance per node, 95th percentile" },
	{ "steps.per_node_s", "Steps per node and second" },
	{ "link.length_ks", "Link lengths against their law (K-S)" },
	{ "oracle.violations", "Oracle violations" },
};
const unsigned key_value_count = G_N_ELEMENTS(key_values);

/* @digits significant digits, no exponent, no needless zeros, thousands set apart. */
static const char *digits_of(double v, int digits, char buf[VALUE_LEN])
{
	double size = fabs(v);
	int before = size >= 1 ? (int)floor(log10(size)) + 1 : size >= 0.1 || !size ? 0 :
		     (int)floor(log10(size)) + 1;
	char *dot;

	if (size >= 1e18 || (size && size < 1e-9)) {
		g_snprintf(buf, VALUE_LEN, "%.*g", digits, v);
		return buf;
	}
	g_snprintf(buf, VALUE_LEN, "%.*f", MAX(0, digits - before), v);
	dot = strchr(buf, '.');
	if (dot) {
		char *end = buf + strlen(buf);

		while (end[-1] == '0')
			end--;
		end[-(end[-1] == '.')] = '\0';
		dot = strchr(buf, '.');
	}
	for (char *at = (dot ? dot : buf + strlen(buf)) - 3; at > buf + (*buf == '-'); at -= 3) {
		memmove(at + 1, at, strlen(at) + 1);
		*at = ',';
	}
	return buf;
}

const char *short_number(double v, char buf[VALUE_LEN])
{
	return isfinite(v) ? digits_of(v, 3, buf) : strcpy(buf, "-");
}

/* Percent, cut to four digits after the point, so that 100 % means all. */
static void percent(double v, char buf[VALUE_LEN])
{
	double cut = trunc(v * 1e6 + (v < 0 ? -1e-6 : 1e-6)) / 1e4;
	char *end;

	if (v > 0 && cut <= 0) {
		g_strlcpy(buf, "<0.0001 %", VALUE_LEN);
		return;
	}
	g_snprintf(buf, VALUE_LEN, "%.4f", cut);
	for (end = buf + strlen(buf); end[-1] == '0'; end--)
		;
	end -= end[-1] == '.';
	g_strlcpy(end, " %", (gsize)(VALUE_LEN - (end - buf)));
}

const char *value_text(double v, const char *unit, char buf[VALUE_LEN])
{
	if (!isfinite(v)) {
		g_strlcpy(buf, "-", VALUE_LEN);
	} else if (!strcmp(unit, "share")) {
		percent(v, buf);
	} else {
		digits_of(v, 4, buf);
		if (*unit) {
			g_strlcat(buf, " ", VALUE_LEN);
			g_strlcat(buf, unit, VALUE_LEN);
		}
	}
	return buf;
}

const char *value_difference(double a, double b, const char *unit, char buf[VALUE_LEN])
{
	char number[VALUE_LEN];

	if (!isfinite(a) || !isfinite(b)) {
		g_strlcpy(buf, "", VALUE_LEN);
	} else if (a == b) {
		g_strlcpy(buf, "same", VALUE_LEN);
	} else if (!strcmp(unit, "share")) {
		g_snprintf(buf, VALUE_LEN, "%+.4f points", 100 * (b - a));
	} else if (!a) {
		g_snprintf(buf, VALUE_LEN, "%s%s", b > 0 ? "+" : "", short_number(b - a, number));
	} else if (fabs(b - a) < 0.0005 * fabs(a)) {
		g_strlcpy(buf, "under 0.1 %", VALUE_LEN);
	} else {
		g_snprintf(buf, VALUE_LEN, "%+.1f %%", 100 * (b - a) / fabs(a));
	}
	return buf;
}

const char *clock_s(double seconds, char buf[VALUE_LEN])
{
	/* far beyond any run, but a file may say anything */
	if (!(fabs(seconds) < 9e9))
		return strcpy(buf, "?");
	return clock_text((int64_t)llround(seconds * 1e9), buf);
}
