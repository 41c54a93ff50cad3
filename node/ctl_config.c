/* ctl_config.c - what weft-node's configuration can hold, and what one does hold */
#include <stdio.h>
#include <string.h>

#include "node/config.h"
#include "node/ctl.h"
#include "node/prog/explain.h"

static int done(char *text, struct fail *f)
{
	if (!text)
		return ctl_fail(f);
	fputs(text, stdout);
	g_free(text);
	return EXIT_HELD;
}

static int show(const char *path, char **set)
{
	struct fail f = { 0 };
	struct node_config *c = config_load(path, (const char *const *)set, set ? g_strv_length(set) : 0, &f);
	char *text = c ? schema_write(c->log) : NULL;

	config_free(c);
	return done(text, &f);
}

int config_command(int argc, char **argv)
{
	static const struct command self = {
		"config", "explain [GROUP[.KEY]] | show FILE | man", "Says what a configuration can hold, and what one does hold.",
		config_command
	};
	static const char *const words[] = { "explain", "show", "man" };
	char **set = NULL;
	const GOptionEntry entries[] = {
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &set, "Wins over the file (show)", "group.key=value" },
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	const char *near_one;
	int code;

	if (!options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 2, NULL, &code)) {
		g_strfreev(set);
		return code;
	}
	if (!strcmp(argv[1], "show") && argc == 3) {
		code = show(argv[2], set);
	} else if (!strcmp(argv[1], "explain")) {
		code = done(explain(&config_schema, argc > 2 ? argv[2] : NULL, &f), &f);
	} else if (!strcmp(argv[1], "man") && argc == 2) {
		code = done(explain_man(&config_schema, "weft.conf(5)"), &f);
	} else {
		near_one = nearest(argv[1], words, G_N_ELEMENTS(words));
		fail_add(&f, "config %s: %s%s; accepted: %s", argv[1],
			 near_one && strcmp(near_one, argv[1]) ? "the nearest is " : "wrong arguments",
			 near_one && strcmp(near_one, argv[1]) ? near_one : "", self.usage);
		code = ctl_fail(&f);
	}
	g_strfreev(set);
	return code;
}
