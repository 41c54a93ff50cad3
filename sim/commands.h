/* commands.h - what weft-sim can be asked to do, one file each */
#ifndef SIM_COMMANDS_H
#define SIM_COMMANDS_H

#include "node/prog/options.h"
#include "sim/job.h"

int run_command(int argc, char **argv);
int verify_command(int argc, char **argv);
int replay_command(int argc, char **argv);
int sweep_command(int argc, char **argv);
int validate_command(int argc, char **argv);

/** struct past - a finished run, from its manifest */
struct past {
	char *name;
	struct scenario *scenario;
	char *digest;
	uint64_t seed;
	unsigned threads, shards;
	int64_t reached_ns;
	bool partial;
};

/** past_read() - Read @dir/manifest.json; false with messages in @f */
bool past_read(struct past *p, const char *dir, struct fail *f);
void past_done(struct past *p);

/** node_number() - "17" or "n17" as a host's number */
bool node_number(const char *option, const char *text, uint32_t *host, struct fail *f);

/** report() - Call weft-report, which lies beside this program, on @dir; says so if it cannot */
void report(const char *dir);

#endif /* SIM_COMMANDS_H */
