/*
 * manifest.h - what was run, as the text of manifest.json
 *
 * Everything a run can be repeated from (scenario as resolved, seed, version, hashes
 * of data files) and everything that may explain a difference (machine, compiler,
 * threads). rundir_finish() is the only caller outside the tests.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <glib.h>

#include "sim/record/metrics.h"
#include "sim/record/rundir.h"

/** manifest_text() - manifest.json; g_free() it. NULL if a data file cannot be read */
char *manifest_text(const struct manifest *m, const struct metrics *cost, struct fail *f);

/** json_quote() - Append @text to @to as a JSON string; NULL becomes null */
void json_quote(GString *to, const char *text);

#endif /* MANIFEST_H */
