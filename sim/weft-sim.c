/* weft-sim - churn experiments on the real core under a virtual clock */
#include "node/prog/scenario_command.h"
#include "sim/commands.h"

static const struct command commands[] = {
	{ "run", "FILE", "run a scenario and leave results, figures and a report", run_command },
	{ "verify", "DIR", "run again from a manifest and compare digests", verify_command },
	{ "replay", "DIR", "run again and look: stop, watch a node, write its traffic", replay_command },
	{ "sweep", "FILE", "run a scenario for many values and seeds on all cores", sweep_command },
	{ "validate", NULL, "measure published routing figures on rings of real cores", validate_command },
	{ "scenario", "explain | show | presets | man", "what a scenario file can hold", scenario_command },
	{ NULL, NULL, NULL, NULL },
};

int main(int argc, char **argv)
{
	return options_main(argc, argv, "weft-sim",
			    "Runs the real overlay core under a virtual clock: a scenario in, results out.",
			    commands);
}
