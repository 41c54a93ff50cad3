/* ON: node/prog */
/*
 * units_fuzz.c - any bytes as a value with a unit, or as a distribution
 *
 * Input: one byte picks the reader, the rest is the text. What is refused leaves
 * the output untouched and says why; what is taken lies in its range, and what
 * has a text form reads back equal. Samples of any distribution lie in their
 * range and grow with the draw.
 */
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "node/prog/dist.h"
#include "node/prog/units.h"

enum { KINDS = 11 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool it_holds)
{
	if (!it_holds)
		__builtin_trap();
}

static void distribution(const char *text, char why[WHY_LEN])
{
	static const uint64_t draws[] = { 0, 1, UINT64_C(1) << 32, UINT64_C(1) << 63,
					  UINT64_MAX - 5000, UINT64_MAX };
	struct dist d = { 0 };
	int64_t last = 0;

	if (!dist_parse(text, &d, why)) {
		must(!dist_given(&d) && *why);
		return;
	}
	for (unsigned i = 0; i < 6; i++) {
		int64_t v = dist_sample_ns(&d, draws[i]);

		must(v >= 0 && v <= DIST_LONGEST_NS && (v >= last || d.parts > 1));
		last = v;
		if (dist_mean_ns(&d) < DIST_LONGEST_NS)
			must(dist_residual_ns(&d, draws[i]) >= 0);
	}
	must(dist_mean_ns(&d) >= 0 && dist_median_ns(&d) >= 0);
}

static void lists(const char *text, bool shares, char why[WHY_LEN])
{
	struct numbers n = { 0 };

	if (!(shares ? shares_parse : counts_parse)(text, &n, why)) {
		must(!n.value && *why);
		return;
	}
	must(n.count >= 1 && n.count <= LIST_MAX);
	for (unsigned i = 0; i < n.count; i++)
		must(n.value[i] >= 0 && (!shares || n.value[i] <= PPB_ONE));
	numbers_done(&n);
}

static void narrow(const char *text, unsigned kind, char why[WHY_LEN])
{
	char buf[UNIT_TEXT_LEN];
	uint32_t share = 7, again;
	int32_t drift = 7;
	bool flag;

	if (kind == 0 && share_parse(text, &share, why))
		must(share <= PPB_ONE && share_parse(share_text(share, buf), &again, why) && again == share);
	else if (kind == 0)
		must(share == 7 && *why);
	if (kind == 1 && !drift_parse(text, &drift, why))
		must(drift == 7 && *why);
	if (kind == 2 && !flag_parse(text, &flag, why))
		must(*why);
}

static void wide(const char *text, unsigned kind, char why[WHY_LEN])
{
	static bool (*const read[])(const char *, int64_t *, char *) = {
		duration_parse, bytes_parse, bitrate_parse, count_parse, rate_parse
	};
	static const char *(*const write[])(int64_t, char *) = {
		duration_text, bytes_text, bitrate_text, NULL, duration_text
	};
	int64_t v = -7, again;
	char buf[UNIT_TEXT_LEN];

	if (!read[kind](text, &v, why)) {
		must(v == -7 && *why);
		return;
	}
	must(v >= 0);
	if (write[kind] && kind != 4)
		must(read[kind](write[kind](v, buf), &again, why) && again == v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[WHY_LEN] = "", *text;
	unsigned kind;

	if (!size)
		return 0;
	kind = (data[0] >= '0' ? data[0] - '0' : data[0]) % KINDS;
	text = g_strndup((const char *)data + 1, size - 1);
	if (kind == 0)
		distribution(text, why);
	else if (kind <= 2)
		lists(text, kind == 2, why);
	else if (kind <= 5)
		wide(text, kind - 3, why);
	else if (kind <= 7)
		narrow(text, kind - 6, why);
	else if (kind <= 9)
		wide(text, kind - 5, why);
	else
		narrow(text, 2, why);
	g_free(text);
	return 0;
}
