/*
 * report.h - from run directories to figures/ and report.html
 *
 * One directory gives a report about it, put into it; several are compared; a
 * sweep's directory gives means and confidence intervals over seeds.
 */
#ifndef REPORT_H
#define REPORT_H

#include "analysis/run.h"
#include "analysis/grid.h"

/** report_runs() - One run, or several compared, into directory @out. False with a message */
bool report_runs(const struct run *const *runs, unsigned count, const char *out, struct fail *f);

/** report_grid() - A sweep into directory @out */
bool report_grid(const struct grid *s, const char *out, struct fail *f);

/** report_runs_json(), report_grid_json() - The same numbers for programs; json_node_unref() it */
JsonNode *report_runs_json(const struct run *const *runs, unsigned count);
JsonNode *report_grid_json(const struct grid *s);

/** report_command() - All of the program weft-report; returns its exit code */
int report_command(int argc, char **argv);

#endif /* REPORT_H */
