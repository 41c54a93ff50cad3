/*
 * scenario_command.h - the command `scenario` of weft-sim and weft-emu
 *
 *	scenario explain [GROUP | GROUP.KEY]	what can be written
 *	scenario show FILE [-s group.key=value]	every value in effect, as a file
 *	scenario presets			published churn
 *	scenario man				weft-scenario(5) in scdoc's language
 */
#ifndef PROG_SCENARIO_COMMAND_H
#define PROG_SCENARIO_COMMAND_H

/** scenario_command() - argv[0] is "scenario"; returns the exit code */
int scenario_command(int argc, char **argv);

#endif /* PROG_SCENARIO_COMMAND_H */
