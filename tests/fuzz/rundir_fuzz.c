/* ON: analysis/run.c analysis/csv.c node/prog */
/* manifest.json and summary.json of a run directory, one behind the other with a NUL between. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *half = memchr(data, 0, size);
	size_t first = half ? (size_t)(half - data) : size;
	struct run *r = g_new0(struct run, 1);
	struct fail f = { 0 };

	r->dir = g_strdup("fuzz");
	r->manifest_node = run_json("manifest.json", (const char *)data, first, &f);
	r->summary_node = half ? run_json("summary.json", (const char *)half + 1, size - first - 1, &f) :
				 NULL;
	if (r->manifest_node && r->summary_node) {
		r->manifest = json_node_get_object(r->manifest_node);
		r->summary = json_node_get_object(r->summary_node);
		if (run_unpack(r, &f) == failed(&f))
			abort();
		for (unsigned i = 0; i < r->metrics; i++) {
			run_metric(r, r->metric[i].name);
			if (!run_about(r, r->metric[i].name, "unit"))
				abort();
		}
		run_label(&r, 1);
	} else if (half && !failed(&f)) {
		abort();
	}
	run_free(r);
	fail_done(&f);
	return 0;
}
