/* ctl_net.c - making members and their keys: files only, no daemon */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "node/ctl_net.h"
#include "node/draft.h"
#include "node/keep.h"
#include "node/text.h"

void terms_done(struct terms *g)
{
	g_strfreev(g->groups);
	g_strfreev(g->addresses);
	g_free(g->valid);
}

bool terms_read(const struct terms *g, const char *name, struct admission *a, struct fail *f)
{
	const char *wrong = name ? name_wrong(name) : NULL;
	char why[WHY_LEN];
	int64_t ns;

	*a = (struct admission){ .name = name, .replace = g->replace, .groups = (const char *const *)g->groups,
				 .group_count = g->groups ? g_strv_length(g->groups) : 0 };
	if (wrong) {
		fail_add(f, "the name '%s': %s", name, wrong);
		return false;
	}
	for (unsigned i = 0; i < a->group_count; i++)
		if ((wrong = name_wrong(a->groups[i]))) {
			fail_add(f, "--group %s: %s", a->groups[i], wrong);
			return false;
		}
	for (char **t = g->addresses; t && *t; t++) {
		if (a->prefixes == OVERLAY_PREFIXES) {
			fail_add(f, "--address %s: too many; accepted: up to %d", *t, OVERLAY_PREFIXES);
			return false;
		}
		if (!prefix_read(*t, &a->prefix[a->prefixes++], why)) {
			fail_add(f, "--address %s: %s; accepted: 10.9.0.7, 10.9.0.0/28, fd00::/64", *t, why);
			return false;
		}
	}
	if (g->valid) {
		if (!options_time("--valid", g->valid, &ns, f))
			return false;
		a->valid_s = ns / NS_PER_S;
		if (!a->valid_s) {
			fail_add(f, "--valid %s: accepted: 1s and more", g->valid);
			return false;
		}
	}
	return true;
}

char *ctl_endpoints(const char *option, char **given, struct fail *f)
{
	GString *out = g_string_new(NULL);

	for (char **t = given; t && *t; t++) {
		struct endpoint e;
		char why[WHY_LEN] = "port 0 is no port to send to", host[HOST_TEXT];
		uint16_t port;

		if ((!endpoint_read(*t, &e, why) || !e.port) && !named_read(*t, host, &port)) {
			fail_add(f, "%s %s: %s; accepted: 192.0.2.1:9338, [2001:db8::1]:9338, vpn.example.org:9338", option, *t, why);
			g_string_free(out, TRUE);
			return NULL;
		}
		g_string_append_printf(out, "%s%s", out->len ? " " : "", *t);
	}
	return g_string_free(out, FALSE);
}

/* ---- net add -------------------------------------------------------------------------- */

struct adding {
	struct terms terms;
	char *dir, *listen4, *listen6, **bootstrap;
	char *tap, *model, *bridge, *own;	/* [network.1] */
	gboolean signer, no_signer, resolver, json;
};

/* What was made: a certificate, for the key and name of @ask. */
static JsonObject *member(const struct admission *ask, const struct admitted *got)
{
	JsonObject *o = json_object_new();
	char id[ID_TEXT], key[KEY_TEXT];

	json_object_set_int_member(o, "serial", (gint64)got->serial);
	json_object_set_string_member(o, "name", ask->name);
	json_object_set_string_member(o, "id", id_text(got->id, id));
	json_object_set_string_member(o, "key", key_text(ask->key, key));
	return o;
}

static void show_member(const struct admission *ask, const struct admitted *got, const char *more)
{
	char id[ID_TEXT];

	printf("%s  %s  certificate %" PRIu64 "%s\n", ask->name, id_text(got->id, id), got->serial, more);
}

static void remove_node(const char *dir)
{
	static const char *const FILES[] = { "state/key", "state/card", "state/network", "state/signer", "weft.conf", NULL };

	for (const char *const *n = FILES; *n; n++) {
		char *path = keep_path(dir, *n);

		unlink(path);
		free(path);
	}
	for (int i = 0; i < 2; i++) {
		char *path = i ? g_strdup(dir) : keep_path(dir, "state");

		rmdir(path);
		free(path);
	}
}

/* All files of the node @adm in @dir; nothing is left of it on failure. */
static bool write_node(const char *dir, const char *conf, const uint8_t seed[KEY_BYTES], const uint8_t *overlay,
		       const struct admitted *adm, struct bytes signer, const struct charter *network, struct fail *f)
{
	char *state = keep_path(dir, "state"), *card = keep_path(state, "card"), *file = keep_path(dir, "weft.conf");
	char *charter = keep_path(state, "network"), *admits = keep_path(state, "signer");
	bool good = home_make(state, seed, f) &&
		    card_write(card, overlay, (struct bytes){ adm->chain, adm->chain_len }, f) &&
		    (!network || charter_write(charter, network, f)) &&
		    (!signer.len || card_write(admits, overlay, signer, f)) && keep_text_write(file, 0644, conf, f);

	if (!good)
		remove_node(dir);
	free(charter);
	free(admits);
	free(state);
	free(card);
	free(file);
	return good;
}

/* A new key, its certificate, and the node's files. */
static bool make(const struct adding *a, bool signs, struct overlay *o, struct admission *ask, const char *conf,
		 struct admitted *got, struct fail *f)
{
	uint8_t seed[KEY_BYTES], secret[SIGN_BYTES], signer[CERT_MAX];
	size_t signer_len = 0;
	struct reader r;
	struct cert leaf;
	struct charter c;
	bool has, good;

	randombytes_buf(seed, sizeof(seed));
	suite_sodium.sign_pair(secret, seed);
	memcpy(ask->key, secret + KEY_BYTES, KEY_BYTES);
	good = overlay_admit(o, ask, got, f) && overlay_charter(o, &got->id, &c, &has, f);
	r = reader_of(got->chain, got->chain_len);
	good = good && (!signs || (!cert_decode(&r, &leaf) && overlay_signer(o, &leaf, signer, &signer_len, f)));
	if (!good)
		rmdir(a->dir);
	good = good && write_node(a->dir, conf, seed, overlay_key(o), got, (struct bytes){ signer, signer_len },
				  has ? &c : NULL, f);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	charter_done(&c);
	return good;
}

static bool no_network(const struct adding *a, const char *home, struct fail *f)
{
	if (!a->tap && !a->model && !a->bridge && !a->own && !a->signer && !a->resolver)
		return true;
	fail_add(f, "%s is an overlay without a network: no --tap, --model, --bridge, --own-address, --resolver or --signer", home);
	fail_hint(f, "`weftctl net create --range` makes one with");
	return false;
}

static bool add(const struct adding *a, const char *home, const char *name, struct fail *f)
{
	struct overlay o = { .lock = -1 };
	struct admission ask;
	struct admitted got;
	struct charter c;
	bool has = false, signs = a->signer;
	char *given = ctl_endpoints("--bootstrap", a->bootstrap, f), *conf = NULL;
	bool good = given && terms_read(&a->terms, name, &ask, f) && overlay_open(&o, home, f) &&
		    overlay_charter(&o, NULL, &c, &has, f);

	if (good) {
		const struct draft d = {
			.name = name, .listen4 = a->listen4, .listen6 = a->listen6, .network = has,
			.bootstrap = a->bootstrap ? given : o.bootstrap,
			.tap = a->tap, .model = a->model, .bridge = a->bridge, .own = a->own, .resolver = a->resolver,
		};

		signs |= has && !c.record.serial && !a->no_signer;	/* the first one, or nobody could answer an invitation */
		charter_done(&c);
		good = (has || no_network(a, home, f)) && (conf = draft_text(&d, f)) && keep_dir(a->dir, true, f);
	}
	good = good && make(a, signs, &o, &ask, conf, &got, f);
	if (good && a->json) {
		JsonObject *made = member(&ask, &got);

		json_object_set_string_member(made, "dir", a->dir);
		json_object_set_boolean_member(made, "signer", signs);
		ctl_result(made, true);
	} else if (good) {
		show_member(&ask, &got, signs ? ", answers invitations" : "");
	}
	if (good)
		fprintf(ctl_aside(a->json), "Next: weft-node -c %s/weft.conf\n", a->dir);
	overlay_close(&o);
	g_free(given);
	g_free(conf);
	return good;
}

static int add_command(int argc, char **argv)
{
	struct adding a = { 0 };
	const struct command self = { "add", "OVERLAY NAME", "Makes a node: a folder with its configuration, key and certificate.",
				      add_command };
	const GOptionEntry entries[] = {
		{ "dir", 'd', 0, G_OPTION_ARG_FILENAME, &a.dir, "The node's folder; must not exist (NAME)", "DIR" },
		{ "bootstrap", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &a.bootstrap,
		  "Endpoint of a member (the overlay's list); may be repeated", "ADDRESS:PORT" },
		{ "listen4", 0, 0, G_OPTION_ARG_STRING, &a.listen4, "IPv4 address and UDP port, or off", "ADDRESS:PORT" },
		{ "listen6", 0, 0, G_OPTION_ARG_STRING, &a.listen6, "The same for IPv6", "[ADDRESS]:PORT" },
		{ "tap", 0, 0, G_OPTION_ARG_STRING, &a.tap, "The tap's name (weft%d)", "NAME" },
		{ "model", 0, 0, G_OPTION_ARG_STRING, &a.model, "Who is behind the tap (interface)", "interface|router|hybrid" },
		{ "bridge", 0, 0, G_OPTION_ARG_STRING, &a.bridge, "The tap's bridge under router and hybrid", "NAME" },
		{ "signer", 0, 0, G_OPTION_ARG_NONE, &a.signer, "It answers invitations (the first one does)", NULL },
		{ "no-signer", 0, 0, G_OPTION_ARG_NONE, &a.no_signer, "It does not, although it is the first", NULL },
		{ "own-address", 0, 0, G_OPTION_ARG_STRING, &a.own, "The host's own address (auto)", "lease|off|ADDRESS" },
		{ "resolver", 0, 0, G_OPTION_ARG_NONE, &a.resolver, "Have systemd-resolved ask for the network's names", NULL },
		TERMS_OPTIONS(a.terms),
		REPLACE_OPTION(a.terms),
		JSON_OPTION(a.json),
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 2, 2, NULL, &code)) {
		if (!a.dir)
			a.dir = g_strdup(argv[2]);
		code = add(&a, argv[1], argv[2], &f) ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
	}
	terms_done(&a.terms);
	g_free(a.dir);
	g_free(a.listen4);
	g_free(a.listen6);
	g_free(a.tap);
	g_free(a.model);
	g_free(a.bridge);
	g_free(a.own);
	g_strfreev(a.bootstrap);
	return code;
}

/* ---- net admit ------------------------------------------------------------------------ */

/* The key that @text is, or the key and salt of the card in the file @text; *@room holds what it borrows. */
static bool key_of(const char *text, struct admission *ask, uint8_t **room, struct fail *f)
{
	struct reader r;
	struct cert leaf;
	size_t len;

	*room = NULL;
	if (key_read(text, ask->key))
		return true;
	if (access(text, F_OK)) {
		fail_add(f, "the key '%.80s' is not 64 hexadecimal digits; `weftctl key DIR` prints a node's", text);
		fail_hint(f, "a node's card is accepted, too: then it has the same place in both overlays");
		return false;
	}
	if (keep_read(text, "card", false, room, &len, f) != KEEP_GOOD)
		return false;
	r = reader_of(*room, len);
	read_take(&r, KEY_BYTES);
	if (cert_decode(&r, &leaf)) {
		fail_add(f, "there is no certificate in %s", text);
		return false;
	}
	memcpy(ask->key, leaf.key, KEY_BYTES);
	ask->salt = leaf.salt;
	return true;
}

static bool admit(const struct terms *g, const char *home, const char *name, const char *key, const char *out,
		  bool json, struct fail *f)
{
	struct overlay o = { .lock = -1 };
	struct admission ask;
	struct admitted got;
	struct charter c = { .len = 0 };
	uint8_t *room = NULL;
	bool has = false, good = terms_read(g, name, &ask, f) && key_of(key, &ask, &room, f);

	if (good && !access(out, F_OK)) {
		fail_add(f, "%s is there already", out);
		good = false;
	}
	good = good && overlay_open(&o, home, f) && overlay_admit(&o, &ask, &got, f) &&
	       card_write(out, overlay_key(&o), (struct bytes){ got.chain, got.chain_len }, f) &&
	       overlay_charter(&o, &got.id, &c, &has, f);
	if (good && json) {
		JsonObject *made = member(&ask, &got);

		json_object_set_string_member(made, "card", out);
		ctl_result(made, true);
	} else if (good) {
		show_member(&ask, &got, "");
	}
	if (good)
		fprintf(ctl_aside(json), "Next: put %s as `card` beside the node's `key`\n", out);
	if (good && has)
		fprintf(ctl_aside(json), "      and %s/charter as `network`, by a way that keeps it secret: every member has it\n",
			home);
	overlay_close(&o);
	charter_done(&c);
	free(room);
	return good;
}

static int admit_command(int argc, char **argv)
{
	struct terms g = { 0 };
	gboolean json = FALSE;
	char *out = NULL;
	const struct command self = { "admit", "OVERLAY NAME KEY|CARD", "Makes a certificate for a key that was made elsewhere.",
				      admit_command };
	const GOptionEntry entries[] = {
		{ "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Where it goes (NAME.card)", "FILE" },
		TERMS_OPTIONS(g),
		REPLACE_OPTION(g),
		JSON_OPTION(json),
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 3, 3, NULL, &code)) {
		if (!out)
			out = g_strdup_printf("%s.card", argv[2]);
		code = admit(&g, argv[1], argv[2], argv[3], out, json, &f) ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
	}
	terms_done(&g);
	g_free(out);
	return code;
}

/* ---- net ------------------------------------------------------------------------------ */

int net_command(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "create", "DIR", "make an overlay, and with --range a network", net_create_command },
		{ "add", "OVERLAY NAME", "make a node: configuration, key and certificate", add_command },
		{ "admit", "OVERLAY NAME KEY|CARD", "make a certificate for a key that was made elsewhere", admit_command },
		{ "list", "OVERLAY", "list the certificates that were made", net_list_command },
		{ "invite", "OVERLAY", "make an invitation, for `weft-node join`", net_invite_command },
		{ "invites", "OVERLAY", "list the invitations that were made", net_invites_command },
		{ "uninvite", "OVERLAY NUMBER", "take an invitation back", net_uninvite_command },
		{ "revoke", "OVERLAY [NAME|ID]...", "shut members out, and tell a node", net_revoke_command },
		{ "signer", "OVERLAY CARD", "let a member answer invitations", net_signer_command },
		{ "show", "OVERLAY", "what the network's record holds", net_show_command },
		{ NULL, NULL, NULL, NULL },
	};

	return options_main(argc, argv, "weftctl net", "Decides who is a member of an overlay.", commands);
}

/* ---- key ------------------------------------------------------------------------------ */

int key_command(int argc, char **argv)
{
	const struct command self = { "key", "DIR", "Prints the public key of the node in a state directory; makes one if there is none.",
				      key_command };
	uint8_t seed[KEY_BYTES], secret[SIGN_BYTES];
	char text[KEY_TEXT], *path;
	struct fail f = { 0 };
	bool good = true;
	int code;

	if (!options_parse(&argc, &argv, fail_prog(), &self, NULL, 1, 1, NULL, &code))
		return code;
	path = keep_path(argv[1], "key");
	if (access(path, F_OK)) {
		randombytes_buf(seed, sizeof(seed));
		good = home_make(argv[1], seed, &f);
	}
	free(path);
	good = good && home_seed(argv[1], seed, &f);
	if (good) {
		suite_sodium.sign_pair(secret, seed);
		puts(key_text(secret + KEY_BYTES, text));
	}
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	return good ? EXIT_HELD : ctl_fail(&f);
}
