/* scenario_command.c - the command `scenario` of weft-sim and weft-emu */
#include "node/prog/scenario_command.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/prog/explain.h"
#include "node/prog/options.h"
#include "node/prog/scenario.h"

static int done(char *text, struct fail *f)
{
	if (!text) {
		fail_print(f);
		fail_done(f);
		return EXIT_UNABLE;
	}
	fputs(text, stdout);
	g_free(text);
	return EXIT_HELD;
}

static int show(const char *path, char **set)
{
	struct fail f = { 0 };
	struct scenario *s = scenario_load(path, (const char *const *)set,
					   set ? g_strv_length(set) : 0, &f);
	char *text = s ? scenario_write(s) : NULL;

	scenario_free(s);
	return done(text, &f);
}

static int presets(void)
{
	for (unsigned i = 1; i < CHURN_PRESETS; i++) {
		const struct churn_preset *p = &churn_presets[i];

		printf("%s\n  session  %s\n  off      %s\n  state    %s\n  source   %s\n\n", p->name,
		       p->session, p->off, p->state, p->source);
	}
	return EXIT_HELD;
}

int scenario_command(int argc, char **argv)
{
	static const struct command self = {
		"scenario", "explain [GROUP[.KEY]] | show FILE | presets | man",
		"Says what a scenario file can hold, and what one does hold.", scenario_command
	};
	static const char *const words[] = { "explain", "show", "presets", "man" };
	char **set = NULL;
	const GOptionEntry entries[] = {
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &set, "Wins over the file (show)",
		  "group.key=value" },
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	const char *near_one;
	int code;

	if (!options_parse(&argc, &argv, fail_prog(), &self, entries,
			   1, 2, NULL, &code)) {
		g_strfreev(set);
		return code;
	}
	if (!strcmp(argv[1], "show") && argc == 3)
		code = show(argv[2], set);
	else if (!strcmp(argv[1], "explain"))
		code = done(explain(&scenario_schema, argc > 2 ? argv[2] : NULL, &f), &f);
	else if (!strcmp(argv[1], "presets") && argc == 2)
		code = presets();
	else if (!strcmp(argv[1], "man") && argc == 2)
		code = done(explain_man(&scenario_schema, "weft-scenario(5)"), &f);
	else {
		near_one = nearest(argv[1], words, G_N_ELEMENTS(words));
		fail_add(&f, "scenario %s: %s%s; accepted: %s", argv[1],
			 near_one && strcmp(near_one, argv[1]) ? "the nearest is " : "wrong arguments",
			 near_one && strcmp(near_one, argv[1]) ? near_one : "", self.usage);
		code = done(NULL, &f);
	}
	g_strfreev(set);
	return code;
}
