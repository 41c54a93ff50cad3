/*
 * job.h - one run from a scenario to a finished directory
 *
 * What `run`, `verify` and `replay` have in common: the world, its oracles, the
 * recorder, event log and captures, the progress bar and Ctrl-C, the summary,
 * the manifest and the exit code.
 *
 *	Memory		the job's; job_close() frees everything, also after a failure
 *	Signals		SIGINT and SIGTERM end the run cleanly while job_run() is
 *			inside; a second one ends the program as usual
 */
#ifndef SIM_JOB_H
#define SIM_JOB_H

#include "node/prog/scenario.h"
#include "sim/record/rundir.h"
#include "sim/world/world.h"

enum {
	JOB_INTERRUPTED = 130,		/* exit code after Ctrl-C: results are there, marked partial */
	JOB_CAPTURES = 16,
};

/** struct job_setup - zeroes are good defaults but for scenario, name and until_ns */
struct job_setup {
	struct scenario *scenario;	/* the job's from here on */
	const char *name;		/* "churn-1k" */
	const char *again;		/* command that repeats it */
	uint64_t seed;
	unsigned threads, shards;
	const char *dir;		/* run directory, or NULL: leave nothing behind */
	enum rundir_mode mode;
	int64_t until_ns;		/* INT64_MAX: to the scenario's end */
	bool progress;
	bool log;			/* events.txt in the directory, or ... */
	bool log_json;			/* ... events.jsonl, or ... */
	FILE *log_to;			/* ... lines here */
	uint32_t watch;			/* only this host's lines; WORLD_NOBODY: all */
	uint32_t capture[JOB_CAPTURES];	/* hosts whose traffic is written */
	unsigned captures;
	const char *capture_dir;	/* where to, if there is no run directory */
	bool breaks;			/* stop at a record of break_kind at break_host */
	enum record_kind break_kind;
	uint32_t break_host;
	int argc;			/* for the manifest */
	char **argv;
};

struct job;

/** job_open() - Everything is ready to run; NULL with messages in @f */
struct job *job_open(const struct job_setup *s, struct fail *f);

/** job_run() - Let it run to its end or a stop. Return: false if the machine gave up, with messages */
bool job_run(struct job *j, struct fail *f);

/** job_results() - Write and name the run directory, judge the promises; false with messages in @f */
bool job_results(struct job *j, struct fail *f);

/** job_print() - The table, the oracles and the verdicts */
void job_print(struct job *j, FILE *to);

/** job_code() - The exit code the run deserves, saying why on standard error when it is not 0 */
int job_code(const struct job *j);

void job_close(struct job *j);

const char *job_digest(const struct job *j);	/* 16 hexadecimal digits, after job_run() */
int64_t job_reached(const struct job *j);
char *job_json(const struct job *j);		/* contents of summary.json; g_free() it */
enum world_end job_end(const struct job *j);
const char *job_dir(const struct job *j);

/** job_name() - What a scenario file's runs are called: its name without folders and ".ini"; g_free() it */
char *job_name(const char *path);

#endif /* SIM_JOB_H */
