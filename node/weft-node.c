/* weft-node - a node of the overlay: the core behind UDP sockets */
#include <stdio.h>
#include <string.h>

#include <glib.h>
#include <sodium.h>

#include "node/daemon.h"

struct asked {
	char *conf;
	char **set;
	gboolean check, foreground, version;
};

static int unable(struct fail *f)
{
	fail_print(f);
	fail_done(f);
	return EXIT_UNABLE;
}

static int run(const struct asked *a)
{
	struct fail f = { 0 };
	struct daemon_setup setup = {
		.path = a->conf ? a->conf : CONFIG_PATH, .set = (const char *const *)a->set,
		.sets = a->set ? g_strv_length(a->set) : 0,
	};
	struct node_config *c = config_load(setup.path, setup.set, setup.sets, &f);

	if (!c)
		return unable(&f);
	if (sodium_init() < 0) {
		fail_add(&f, "cannot start libsodium");
		return unable(&f);
	}
	if (a->check) {
		if (!daemon_check(c, &f))
			return unable(&f);
		printf("%s: good\n", setup.path);
		return EXIT_HELD;
	}
	return daemon_run(&setup, c, &f) ? EXIT_HELD : unable(&f);
}

int main(int argc, char **argv)
{
	struct asked a = { 0 };
	const GOptionEntry entries[] = {
		{ "conf", 'c', 0, G_OPTION_ARG_FILENAME, &a.conf, "The configuration (" CONFIG_PATH ")", "FILE" },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &a.set, "Wins over the file", "group.key=value" },
		{ "check", 0, 0, G_OPTION_ARG_NONE, &a.check, "Read configuration and state, say if they are good, and end", NULL },
		{ "foreground", 'f', 0, G_OPTION_ARG_NONE, &a.foreground, "Stay in the foreground (always so)", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &a.version, "The version", NULL },
		G_OPTION_ENTRY_NULL
	};
	GOptionContext *o = g_option_context_new(NULL);
	GError *error = NULL;
	int code = EXIT_HELD;

	fail_name("weft-node");
	g_option_context_set_summary(o, "Joins the overlay its state directory was made for and stays until SIGTERM.");
	g_option_context_set_description(o, "Exit code: 0 left as told, 2 could not start or go on. `weftctl` makes overlays and\n"
					 "nodes, and asks running ones.");
	g_option_context_add_main_entries(o, entries, NULL);
	if (!g_option_context_parse(o, &argc, &argv, &error) || argc > 1) {
		fprintf(stderr, "weft-node: %s%s%s\n           usage: weft-node [-c FILE] [-s group.key=value]...\n",
			error ? error->message : "what is '", error ? "" : argv[1], error ? "" : "' for?");
		g_clear_error(&error);
		code = EXIT_UNABLE;
	}
	g_option_context_free(o);
	if (code == EXIT_HELD && a.version)
		printf("weft-node %s\n", WEFT_VERSION);
	else if (code == EXIT_HELD)
		code = run(&a);
	g_free(a.conf);
	g_strfreev(a.set);
	return code;
}
