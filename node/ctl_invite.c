/* ctl_invite.c - `weftctl net invite` and what else others act on: signers, lists of the revoked */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/ctl_net.h"
#include "node/keep.h"
#include "node/text.h"

enum { ASK_MS = 10000, NAMED_MAX = 16 };
#define EXPIRES_DEFAULT	(24 * 3600 * NS_PER_S)

/* ---- net invite ----------------------------------------------------------------------- */

struct inviting {
	struct terms terms;
	char *name, *expires, **bootstrap, *out;
	int uses;
	gboolean json;
};

static bool numbers(const struct inviting *a, struct invitation *v, struct fail *f)
{
	int64_t ns = EXPIRES_DEFAULT;

	if (a->expires && !options_time("--expires", a->expires, &ns, f))
		return false;
	if (ns < NS_PER_S || ns > INVITE_MOST_S * NS_PER_S) {
		fail_add(f, "--expires %s: accepted: 1s to %dd", a->expires, INVITE_MOST_S / 86400);
		return false;
	}
	if (a->uses < 1 || a->uses > INVITE_USES) {
		fail_add(f, "--uses %d: accepted: 1 to %d", a->uses, INVITE_USES);
		return false;
	}
	if (a->uses > 1 && (a->name || v->as.prefixes)) {
		fail_add(f, "--uses %d: one %s is for one newcomer", a->uses, a->name ? "name" : "address");
		return false;
	}
	if (v->as.valid_s > UINT32_MAX) {
		fail_add(f, "--valid %s: accepted: up to 136 years", a->terms.valid);
		return false;
	}
	v->uses = (unsigned)a->uses;
	v->expires_s = ns / NS_PER_S;
	return true;
}

/* The first few of the endpoints in @text. */
static bool endpoints(const char *text, const char *home, struct endpoint at[TOKEN_ENDPOINTS], unsigned *ats, struct fail *f)
{
	char **word = g_strsplit_set(text, " \t,", -1), why[WHY_LEN], host[HOST_TEXT];
	bool good = true;
	uint16_t port;

	*ats = 0;
	for (char **w = word; *w && good && *ats < TOKEN_ENDPOINTS; w++) {
		if (!**w)
			continue;
		if (endpoint_read(*w, &at[*ats], why)) {
			++*ats;
		} else if (named_read(*w, host, &port)) {	/* an invitation has addresses: who is invited may have no DNS yet */
			*ats += ctl_look_up(*w, at + *ats, TOKEN_ENDPOINTS - *ats);
		} else {
			good = false;
			fail_add(f, "%s/bootstrap: '%s': %s", home, *w, why);
		}
	}
	g_strfreev(word);
	if (good && !*ats) {
		fail_add(f, "nobody to call is known; accepted: --bootstrap ADDRESS:PORT, where a member listens");
		fail_hint(f, "lines in %s/bootstrap do it for all that follow", home);
	}
	return good && *ats;
}

static bool is_network(struct overlay *o, const char *home, struct fail *f)
{
	struct charter c = { .len = 0 };
	bool has = false, good = overlay_charter(o, NULL, &c, &has, f);

	if (good && !has) {
		fail_add(f, "%s is an overlay without a network, and invitations need one to be decided in", home);
		fail_hint(f, "`weftctl net create --range` makes one with; `weftctl net add` and `admit` work without");
	}
	if (good && has && !c.record.serial) {
		fail_add(f, "%s has no members yet, and so nobody who could answer", home);
		fail_hint(f, "`weftctl net add %s NAME` makes the first", home);
		has = false;
	}
	charter_done(&c);
	return good && has;
}

static void show_invitation(const struct inviting *a, const char *token, uint64_t serial, int64_t ends)
{
	JsonObject *o = json_object_new();

	json_object_set_int_member(o, "number", (gint64)serial);
	json_object_set_int_member(o, "uses", a->uses);
	json_object_set_int_member(o, "ends", ends);
	json_object_set_string_member(o, a->out ? "file" : "token", a->out ? a->out : token);
	ctl_result(o, true);
}

static bool invite(const struct inviting *a, const char *home, struct fail *f)
{
	struct endpoint at[TOKEN_ENDPOINTS];
	struct invitation v = { .at = at };
	struct overlay o = { .lock = -1 };
	char *given = ctl_endpoints("--bootstrap", a->bootstrap, f), line[TOKEN_TEXT + 1], until[MOMENT_TEXT];
	struct token t;
	uint64_t serial;
	int64_t ends;
	bool good = given && terms_read(&a->terms, a->name, &v.as, f) && numbers(a, &v, f) && overlay_open(&o, home, f) &&
		    is_network(&o, home, f) && endpoints(a->bootstrap ? given : o.bootstrap, home, at, &v.ats, f) &&
		    overlay_invite(&o, &v, &t, &serial, f);

	ends = (int64_t)time(NULL) + v.expires_s;
	good = good && token_write(&t, line) && (!a->out || keep_text_write(a->out, 0600, strcat(line, "\n"), f));
	if (good && a->json)
		show_invitation(a, line, serial, ends);
	else if (good && !a->out)
		puts(line);
	fflush(stdout);
	if (good)
		fprintf(stderr, "Invitation %" PRIu64 " lets in %u until %s. Whoever has it can use it: send it as you would a "
			"password.\nThere: weft-node join %s\n", serial, v.uses, moment_text(ends, until),
			a->out ? a->out : "weft:...");
	overlay_close(&o);
	g_free(given);
	return good;
}

int net_invite_command(int argc, char **argv)
{
	struct inviting a = { .uses = 1 };
	const struct command self = { "invite", "OVERLAY", "Makes an invitation: a line with which `weft-node join` makes a machine a member.",
				      net_invite_command };
	const GOptionEntry entries[] = {
		{ "uses", 'u', 0, G_OPTION_ARG_INT, &a.uses, "How many it lets in (1)", "N" },
		{ "expires", 'e', 0, G_OPTION_ARG_STRING, &a.expires, "How long it can be used (24h)", "TIME" },
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &a.name, "The newcomer's name (its own choice)", "NAME" },
		{ "bootstrap", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &a.bootstrap,
		  "Where a member listens (the overlay's list); may be repeated", "ADDRESS:PORT" },
		{ "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Where it goes (standard output)", "FILE" },
		TERMS_OPTIONS(a.terms),
		JSON_OPTION(a.json),
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 1, NULL, &code))
		code = invite(&a, argv[1], &f) ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
	terms_done(&a.terms);
	g_free(a.name);
	g_free(a.expires);
	g_free(a.out);
	g_strfreev(a.bootstrap);
	return code;
}

/* ---- net revoke, net uninvite --------------------------------------------------------- */

struct revoking {
	struct ctl_where where;
	gboolean undo;
};

/* The running node gets the file itself beside the order. */
static bool hand_over(const struct ctl_where *w, const char *home, struct fail *f)
{
	char *path = keep_path(home, "revoked"), *line = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ctl c = { .fd = -1 };
	JsonNode *root = NULL;
	bool good = false;		/* the file holds the group key besides the list: it goes to the node and nowhere else */

	if (fd < 0)
		fail_errno(f, "read", path, errno);
	else if (ctl_open(&c, w, f) && ctl_ask_with(&c, "{\"ask\":\"revoke\"}", fd, f))
		root = ctl_take(&c, ASK_MS, &line, f);
	if (root)
		good = !ctl_wrong(json_node_get_object(root), f);
	if (root)
		json_node_unref(root);
	g_free(line);
	ctl_close(&c);
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

static void show_list(const struct revoked *l, bool told, bool json)
{
	JsonObject *o;

	if (!json) {
		printf("list %" PRIu64 ": %u revoked%s\n", l->serial, l->count, l->digest ? ", a group key of its own" : "");
		return;
	}
	o = json_object_new();
	json_object_set_int_member(o, "list", (gint64)l->serial);
	json_object_set_int_member(o, "revoked", l->count);
	json_object_set_boolean_member(o, "group_key", l->digest != NULL);
	json_object_set_boolean_member(o, "told", told);
	ctl_result(o, true);
}

static bool ban(const struct revoking *a, const char *home, char **who, bool invitation, struct fail *f)
{
	struct overlay o = { .lock = -1 };
	struct id ids[NAMED_MAX * NAMED_MAX];
	bool told = a->where.conf || a->where.socket, good = overlay_open(&o, home, f);
	unsigned n = 0;
	struct ban b;

	for (char **w = who; good && *w; w++) {
		unsigned more = n + NAMED_MAX <= G_N_ELEMENTS(ids) ? overlay_find(&o, *w, invitation, ids + n, NAMED_MAX, f) : 0;

		good = more > 0;
		n += more;
	}
	if (good)
		good = *who ? overlay_ban(&o, ids, n, a->undo, &b, f) : overlay_banned(&o, &b, f);
	if (good && !b.list.serial) {
		fail_add(f, "%s has revoked nobody; accepted: names or ids of members", home);
		good = false;
	}
	overlay_close(&o);
	if (!good)
		return false;
	good = !told || hand_over(&a->where, home, f);
	if (good || !a->where.json)
		show_list(&b.list, told, a->where.json);
	if (!good)
		fail_hint(f, "the list is made; `weftctl net revoke %s -c FILE` tells a node later", home);
	else if (told)
		fprintf(ctl_aside(a->where.json), "The node tells all the others.\n");
	else
		fprintf(ctl_aside(a->where.json), "Next: weftctl net revoke %s -c FILE, where any node runs: it tells all the others\n", home);
	return good;
}

static int revoke_command(int argc, char **argv, const struct command *self, int least, int most, bool invitation)
{
	struct revoking a = { .undo = FALSE };
	const GOptionEntry entries[] = {
		{ "undo", 0, 0, G_OPTION_ARG_NONE, &a.undo, "They are members again", NULL },
		CTL_WHERE(a.where),
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), self, entries, least, most, NULL, &code))
		code = ban(&a, argv[1], argv + 2, invitation, &f) ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
	ctl_where_done(&a.where);
	return code;
}

int net_revoke_command(int argc, char **argv)
{
	const struct command self = { "revoke", "OVERLAY [NAME|ID]...", "Shuts members out, and whoever they let in; a running node tells the "
				      "others. With nobody named it is told the newest list again.", net_revoke_command };

	return revoke_command(argc, argv, &self, 1, 1 + NAMED_MAX, false);
}

int net_uninvite_command(int argc, char **argv)
{
	const struct command self = { "uninvite", "OVERLAY NUMBER", "Takes an invitation back; who came by it stays.", net_uninvite_command };

	return revoke_command(argc, argv, &self, 2, 2, true);
}

/* ---- net signer ----------------------------------------------------------------------- */

static bool signer(const char *home, const char *card, const char *out, bool json, struct fail *f)
{
	struct overlay o = { .lock = -1 };
	uint8_t *room, cert[CERT_MAX];
	size_t len, made = 0;
	struct cert leaf;
	enum keep how = keep_read(card, "card", false, &room, &len, f);
	bool good;

	if (how == KEEP_ABSENT)
		fail_add(f, "there is no card %s; it is in the member's state directory", card);
	if (how != KEEP_GOOD)
		return false;
	good = overlay_open(&o, home, f);
	if (good && (len <= KEY_BYTES || cert_check(&suite_sodium, (struct bytes){ room + KEY_BYTES, len - KEY_BYTES },
						    overlay_key(&o), ROLE_MEMBER, (uint64_t)time(NULL), &leaf))) {
		fail_add(f, "%s is not the card of a member of %s", card, home);
		good = false;
	}
	good = good && is_network(&o, home, f) && overlay_signer(&o, &leaf, cert, &made, f) &&
	       card_write(out, overlay_key(&o), (struct bytes){ cert, made }, f);
	if (good && json) {
		JsonObject *all = json_object_new();
		char id[ID_TEXT];

		json_object_set_string_member(all, "id", id_text(cert_id(leaf.key, leaf.salt), id));
		json_object_set_string_member(all, "file", out);
		ctl_result(all, true);
	}
	if (good)
		fprintf(ctl_aside(json), "Next: put %s as `signer` beside the member's `key`, and start it again\n", out);
	overlay_close(&o);
	free(room);
	return good;
}

int net_signer_command(int argc, char **argv)
{
	gboolean json = FALSE;
	char *out = NULL;
	const struct command self = { "signer", "OVERLAY CARD", "Lets a member answer invitations, so that this folder can be locked away.",
				      net_signer_command };
	const GOptionEntry entries[] = {
		{ "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Where it goes (signer)", "FILE" },
		JSON_OPTION(json),
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 2, 2, NULL, &code))
		code = signer(argv[1], argv[2], out ? out : "signer", json, &f) ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
	g_free(out);
	return code;
}
