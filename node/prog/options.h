/*
 * options.h - subcommands and options, the same way in every program
 *
 *	weft-sim run FILE [-s group.key=value]... [-o DIR]
 *
 * A program lists its commands; options_main() finds the one that is meant,
 * names the nearest when it is unknown, and prints help. Each command parses
 * its own options with GLib through options_parse(), which knows --help and
 * turns misuse into one message and exit code 2.
 */
#ifndef PROG_OPTIONS_H
#define PROG_OPTIONS_H

#include <stdbool.h>

#include <glib.h>

#include "node/prog/fail.h"

/** struct command - one subcommand; @run returns the exit code */
struct command {
	const char *name;		/* NULL ends the list */
	const char *usage;		/* its arguments, options apart: "FILE"; NULL: none */
	const char *text;		/* one line for the list; NULL: hidden */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/** options_main() - All of main(): dispatch, --help, --version, help COMMAND */
int options_main(int argc, char **argv, const char *prog, const char *summary,
		 const struct command *commands);

/**
 * options_parse() - Parse @argv with @entries; what is left stays in @argc, @argv
 * @min, @max: how many arguments may be left beside argv[0]; max -1: any number
 * @notes: text under the options in --help; may be NULL
 *
 * Return: true to go on; false: *@code is the exit code (0 after --help, 2 after misuse)
 */
bool options_parse(int *argc, char ***argv, const char *prog, const struct command *command,
		   const GOptionEntry *entries, int min, int max, const char *notes, int *code);

/** options_count() - For --seed N and the like: @text as a number in [@min, @max], or a message */
bool options_count(const char *option, const char *text, int64_t min, int64_t max,
		   int64_t *value, struct fail *f);

/** options_time() - The same for a duration */
bool options_time(const char *option, const char *text, int64_t *ns, struct fail *f);

#endif /* PROG_OPTIONS_H */
