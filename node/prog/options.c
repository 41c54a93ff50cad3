/* options.c - subcommands and options, the same way in every program */
#include "node/prog/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/prog/schema.h"
#include "node/prog/units.h"

enum { COMMANDS_MAX = 32 };

static void usage(FILE *out, const char *prog, const char *summary,
		  const struct command *commands)
{
	fprintf(out, "%s - %s\n\nUsage:\n  %s COMMAND [ARGUMENT...]\n\nCommands:\n", prog, summary,
		prog);
	for (const struct command *c = commands; c->name; c++)
		if (c->text)
			fprintf(out, "  %-10s %s\n", c->name, c->text);
	fprintf(out, "\n'%s COMMAND --help' says more about one.\n", prog);
}

static const struct command *command_find(const struct command *commands, const char *name)
{
	for (; commands->name; commands++)
		if (!strcmp(commands->name, name))
			return commands;
	return NULL;
}

static int unknown(const char *name, const char *prog, const struct command *commands)
{
	const char *names[COMMANDS_MAX] = { 0 }, *near_one;
	unsigned count = 0;

	for (const struct command *c = commands; c->name && count < COMMANDS_MAX; c++)
		if (c->text)
			names[count++] = c->name;
	near_one = nearest(name, names, count);
	fprintf(stderr, "%s: no command '%s'", prog, name);
	if (near_one)
		fprintf(stderr, "; did you mean '%s'?", near_one);
	fprintf(stderr, "\n%*s  accepted:", (int)strlen(prog), "");
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, "%s %s", i ? "," : "", names[i]);
	fputc('\n', stderr);
	return EXIT_UNABLE;
}

int options_main(int argc, char **argv, const char *prog, const char *summary,
		 const struct command *commands)
{
	const struct command *c;
	bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
				 !strcmp(argv[1], "help"));
	char *ask[] = { NULL, (char *)"--help", NULL };

	fail_name(prog);
	if (argc < 2) {
		usage(stderr, prog, summary, commands);
		return EXIT_UNABLE;
	}
	if (help && argc == 2) {
		usage(stdout, prog, summary, commands);
		return EXIT_HELD;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", prog, WEFT_VERSION);
		return EXIT_HELD;
	}
	c = command_find(commands, argv[help ? 2 : 1]);
	if (!c)
		return unknown(argv[help ? 2 : 1], prog, commands);
	if (!help)
		return c->run(argc - 1, argv + 1);
	ask[0] = argv[2];
	return c->run(2, ask);
}

/* GLib's help text speaks of the program by its global name; a command has two words. */
static void print_help(GOptionContext *o, const char *name)
{
	char *before = g_strdup(g_get_prgname()), *text;

	g_set_prgname(name);
	text = g_option_context_get_help(o, TRUE, NULL);
	fputs(text, stdout);
	g_free(text);
	g_set_prgname(before);
	g_free(before);
}

/* What is wrong with the command line, or NULL; g_free() it. */
static char *parse(GOptionContext *o, int *argc, char ***argv, const gboolean *help, int min,
		   int max)
{
	GError *error = NULL;
	char *wrong = NULL;

	if (!g_option_context_parse(o, argc, argv, &error)) {
		wrong = g_strdup(error->message);
		g_error_free(error);
		return wrong;
	}
	if (*help)
		return NULL;
	/* GLib leaves a "--" in place when what follows looks like an option. */
	if (*argc > 1 && !strcmp((*argv)[1], "--")) {
		memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof(**argv));
		--*argc;
	}
	if (*argc - 1 < min)
		return g_strdup("an argument is missing");
	if (max >= 0 && *argc - 1 > max)
		return g_strdup_printf("what is '%s' for?", (*argv)[max + 1]);
	return NULL;
}

bool options_parse(int *argc, char ***argv, const char *prog, const struct command *command,
		   const GOptionEntry *entries, int min, int max, const char *notes, int *code)
{
	GOptionContext *o = g_option_context_new(command->usage);
	gboolean help = FALSE;
	const GOptionEntry help_entry[] = {
		{ "help", 'h', 0, G_OPTION_ARG_NONE, &help, "This text", NULL },
		G_OPTION_ENTRY_NULL
	};
	char *name = g_strdup_printf("%s %s", prog, command->name), *wrong;

	g_option_context_set_help_enabled(o, FALSE);
	if (entries)
		g_option_context_add_main_entries(o, entries, NULL);
	g_option_context_add_main_entries(o, help_entry, NULL);
	g_option_context_set_summary(o, command->text);
	g_option_context_set_description(o, notes);
	wrong = parse(o, argc, argv, &help, min, max);
	*code = wrong ? EXIT_UNABLE : EXIT_HELD;
	if (wrong)
		fprintf(stderr, "%s: %s\n%*s  usage: %s [OPTION...] %s\n", prog, wrong,
			(int)strlen(prog), "", name, command->usage ? command->usage : "");
	else if (help)
		print_help(o, name);
	help = help || wrong;
	g_free(wrong);
	g_free(name);
	g_option_context_free(o);
	return !help;
}

bool options_count(const char *option, const char *text, int64_t min, int64_t max,
		   int64_t *value, struct fail *f)
{
	char why[WHY_LEN] = "out of range";
	int64_t v;

	if (count_parse(text, &v, why) && v >= min && v <= max) {
		*value = v;
		return true;
	}
	fail_add(f, "%s %s: %s; accepted: a number from %" PRId64 " to %" PRId64, option, text, why, min,
		 max);
	return false;
}

bool options_time(const char *option, const char *text, int64_t *ns, struct fail *f)
{
	char why[WHY_LEN];

	if (duration_parse(text, ns, why))
		return true;
	fail_add(f, "%s %s: %s; accepted: %s", option, text, why, schema_type_text(TYPE_TIME));
	return false;
}
