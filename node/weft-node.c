/* weft-node - a node of the overlay: the core behind UDP sockets */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <glib.h>
#include <sodium.h>

#include "core/seal/cert.h"
#include "node/confine.h"
#include "node/daemon.h"
#include "node/diary.h"
#include "node/join.h"
#include "node/prog/units.h"
#include "node/ready.h"

/* A system's private directory, when nobody says. */
#define STATE_PATH	"/var/lib/weft"
#define JOIN_WAIT_NS	(30 * INT64_C(1000000000))

struct asked {
	char *conf;
	char **set;
	gboolean check, foreground, daemon, version;
};

static int unable(struct fail *f)
{
	for (unsigned i = 0; diary_in_system() && i < f->count; i++)
		diary(LEVEL_ERROR, "stop", "%s", f->text[i]);
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
	if (a->daemon && a->foreground)
		fail_add(&f, "--daemon and --foreground: accepted: one of them");
	else if (a->daemon)
		ready_detach(&f);
	if (f.count)
		return unable(&f);
	return daemon_run(&setup, c, &f) ? EXIT_HELD : unable(&f);
}

/* ---- weft-node join ------------------------------------------------------------------- */

/* This host's name, as far as a certificate takes it. */
static char *host_name(void)
{
	char *name = g_strdup(g_get_host_name());

	name[strcspn(name, ".")] = 0;
	return g_strcanon(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", '-');
}

struct joining {
	struct asked run;
	char *state, *name, *wait, *tap, *model, *bridge, *own, *listen4, *listen6;
	gboolean once, resolver;
};

/* Where configuration and private directory go: beside each other if one is named, else where a system has them. */
static void places(struct joining *a, struct join *j, char **state)
{
	char *dir;

	if (!a->run.conf)
		a->run.conf = a->state ? g_build_filename(a->state, "weft.conf", NULL) : g_strdup(CONFIG_PATH);
	else if (!a->state)
		j->draft.state = "state";
	dir = g_path_get_dirname(a->run.conf);
	*state = a->state ? g_canonicalize_filename(a->state, NULL) : j->draft.state ?
		 g_build_filename(dir, "state", NULL) : g_strdup(STATE_PATH);
	if (!j->draft.state)
		j->draft.state = *state;
	g_free(dir);
	j->conf = a->run.conf;
	j->state = *state;
}

static int join_as(struct joining *a, const char *token)
{
	struct join j = {
		.token = token, .wait_ns = JOIN_WAIT_NS,
		.draft = { .listen4 = a->listen4, .listen6 = a->listen6, .tap = a->tap, .model = a->model, .bridge = a->bridge,
			   .own = a->own, .resolver = a->resolver },
	};
	char *state = NULL, *host = host_name(), why[WHY_LEN];
	struct fail f = { 0 };
	int code = EXIT_UNABLE;

	places(a, &j, &state);
	j.draft.name = a->name ? a->name : host;
	if (a->wait && (!duration_parse(a->wait, &j.wait_ns, why) || j.wait_ns <= 0))
		fail_add(&f, "--wait %s: accepted: 30s", a->wait);
	else if (strlen(j.draft.name) > CERT_NAME_MAX || strspn(j.draft.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
								 "0123456789.-_") != strlen(j.draft.name) || !*j.draft.name)
		fail_add(&f, "the name '%s': accepted: --name NAME, up to %d letters, digits and . - _", j.draft.name, CERT_NAME_MAX);
	else if (sodium_init() < 0)
		fail_add(&f, "cannot start libsodium");
	else
		code = join_run(&j, &f) ? EXIT_HELD : EXIT_UNABLE;
	if (code != EXIT_HELD)
		unable(&f);
	else if (a->once)
		printf("a member; next: weft-node -c %s\n", j.conf);
	g_free(host);
	g_free(state);
	return code;
}

static int join_command(int argc, char **argv)
{
	struct joining a = { .once = FALSE };
	const GOptionEntry entries[] = {
		{ "conf", 'c', 0, G_OPTION_ARG_FILENAME, &a.run.conf, "The configuration to be written (" CONFIG_PATH ")", "FILE" },
		{ "state", 0, 0, G_OPTION_ARG_FILENAME, &a.state, "The private directory to be made (`state` beside FILE, else " STATE_PATH ")",
		  "DIR" },
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &a.name, "What to be called (this host's name)", "NAME" },
		{ "once", 0, 0, G_OPTION_ARG_NONE, &a.once, "End when the files are there", NULL },
		{ "wait", 0, 0, G_OPTION_ARG_STRING, &a.wait, "How long to ask (30s)", "TIME" },
		{ "listen4", 0, 0, G_OPTION_ARG_STRING, &a.listen4, "IPv4 address and UDP port, or off", "ADDRESS:PORT" },
		{ "listen6", 0, 0, G_OPTION_ARG_STRING, &a.listen6, "The same for IPv6", "[ADDRESS]:PORT" },
		{ "tap", 0, 0, G_OPTION_ARG_STRING, &a.tap, "The tap's name (weft%d)", "NAME" },
		{ "model", 0, 0, G_OPTION_ARG_STRING, &a.model, "Who is behind the tap (interface)", "interface|router|hybrid" },
		{ "bridge", 0, 0, G_OPTION_ARG_STRING, &a.bridge, "The tap's bridge under router and hybrid", "NAME" },
		{ "own-address", 0, 0, G_OPTION_ARG_STRING, &a.own, "The host's own address (auto)", "lease|off|ADDRESS" },
		{ "resolver", 0, 0, G_OPTION_ARG_NONE, &a.resolver, "Have systemd-resolved ask for the network's names", NULL },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &a.run.set, "Wins over the file, for this run", "group.key=value" },
		{ "daemon", 'd', 0, G_OPTION_ARG_NONE, &a.run.daemon, "Go to the background once ready", NULL },
		G_OPTION_ENTRY_NULL
	};
	GOptionContext *o = g_option_context_new("TOKEN|FILE|-");
	GError *error = NULL;
	int code = EXIT_UNABLE;

	g_option_context_set_summary(o, "Makes this machine a member by an invitation (`weftctl net invite`), and goes on as its node.\n"
				     "Called again it goes on where it was: the same key is admitted again.");
	g_option_context_add_main_entries(o, entries, NULL);
	if (!g_option_context_parse(o, &argc, &argv, &error) || argc != 2) {
		fprintf(stderr, "weft-node: %s\n           usage: weft-node join TOKEN|FILE|- [-c FILE] [--state DIR] [--once]\n",
			error ? error->message : argc < 2 ? "which invitation?" : "one invitation is enough");
		g_clear_error(&error);
	} else {
		code = join_as(&a, argv[1]);
		if (code == EXIT_HELD && !a.once)
			code = run(&a.run);
	}
	g_option_context_free(o);
	g_free(a.run.conf);
	g_strfreev(a.run.set);
	g_free(a.state);
	g_free(a.name);
	g_free(a.wait);
	g_free(a.tap);
	g_free(a.model);
	g_free(a.bridge);
	g_free(a.own);
	g_free(a.listen4);
	g_free(a.listen6);
	return code;
}

/*
 * Pieces that were freed are to become whole pages again, which malloc_trim() gives back: 40 of an idle node's 390 kB. glibc
 * keeps the last few of each size aside for speed, which nothing here needs (a packet allocates nothing), and hears
 * otherwise before it starts only. So the program starts once more; where it cannot, it goes on as it is.
 */
static void start_frugal(char **argv)
{
#ifdef __GLIBC__
	static const char NAME[] = "GLIBC_TUNABLES";
	char self[PATH_MAX] = { 0 };		/* by its own name, which is the process's then */

	if (confine_sanitized() || getauxval(AT_SECURE) || getenv(NAME) ||
	    readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    setenv(NAME, "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0", 1))
		return;
	execv(self, argv);
	unsetenv(NAME);
#else
	(void)argv;
#endif
}

int main(int argc, char **argv)
{
	struct asked a = { 0 };
	const GOptionEntry entries[] = {
		{ "conf", 'c', 0, G_OPTION_ARG_FILENAME, &a.conf, "The configuration (" CONFIG_PATH ")", "FILE" },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &a.set, "Wins over the file", "group.key=value" },
		{ "check", 0, 0, G_OPTION_ARG_NONE, &a.check, "Read configuration and state, say if they are good, and end", NULL },
		{ "daemon", 'd', 0, G_OPTION_ARG_NONE, &a.daemon, "Go to the background once ready; lines go to the system's log", NULL },
		{ "foreground", 'f', 0, G_OPTION_ARG_NONE, &a.foreground, "Stay in the foreground (so it is without --daemon)", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &a.version, "The version", NULL },
		G_OPTION_ENTRY_NULL
	};
	GOptionContext *o = g_option_context_new(NULL);
	GError *error = NULL;
	int code = EXIT_HELD;

	start_frugal(argv);
	fail_name("weft-node");
	if (argc > 1 && !strcmp(argv[1], "join"))
		return join_command(argc - 1, argv + 1);
	g_option_context_set_summary(o, "Joins the overlay its state directory was made for and stays until SIGTERM.");
	g_option_context_set_description(o, "Exit code: 0 left as told, 2 could not start or go on. `weftctl` makes overlays and\n"
					 "nodes, and asks running ones.");
	g_option_context_add_main_entries(o, entries, NULL);
	if (!g_option_context_parse(o, &argc, &argv, &error) || argc > 1) {
		fprintf(stderr, "weft-node: %s%s%s\n           usage: weft-node [-c FILE] [-s group.key=value]... [--daemon]\n",
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
