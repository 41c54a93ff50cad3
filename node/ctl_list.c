/*
 * `weftctl net list`, `net invites`, `net show`: what an overlay's folder holds
 *
 * Each makes one JSON object of it, which --json prints as one line, as a node's answer would be, and which is
 * printed for people otherwise.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "node/ctl_net.h"
#include "node/text.h"

/* Lines of fields with tabs between, those of @number as numbers; remarks and what is cut short are left out. */
static JsonArray *table(const char *text, const char *const *column, unsigned columns, const char *number)
{
	char **lines = g_strsplit(text, "\n", -1);
	JsonArray *rows = json_array_new();

	for (char **l = lines; *l; l++) {
		char **field = g_strsplit(*l, "\t", (gint)columns);
		JsonObject *o;

		if (**l != '#' && g_strv_length(field) == columns) {
			o = json_object_new();
			for (unsigned i = 0; i < columns; i++) {
				if (strchr(number, (int)('0' + i)))
					json_object_set_int_member(o, column[i], g_ascii_strtoll(field[i], NULL, 10));
				else
					json_object_set_string_member(o, column[i], field[i]);
			}
			json_array_add_object_element(rows, o);
		}
		g_strfreev(field);
	}
	g_strfreev(lines);
	return rows;
}

/* ---- net list ------------------------------------------------------------------------- */

static JsonObject *members(struct overlay *o, struct fail *f)
{
	static const char *const COLUMN[] = { "serial", "name", "id", "key", "issued", "ends" };
	JsonObject *out = json_object_new();
	char key[KEY_TEXT];

	(void)f;
	json_object_set_string_member(out, "overlay", key_text(overlay_key(o), key));
	json_object_set_array_member(out, "members", table(o->members, COLUMN, G_N_ELEMENTS(COLUMN), "045"));
	return out;
}

static void show_members(JsonObject *all)
{
	JsonArray *a = json_arr(all, "members");
	char issued[MOMENT_TEXT], ends[MOMENT_TEXT];
	JsonObject *m;

	printf("overlay %s\n%6s  %-24s %-32s  %-10s  %s\n", json_str(all, "overlay", "-"), "SERIAL", "NAME", "ID", "ISSUED", "ENDS");
	for (guint i = 0; (m = ctl_each(a, i)); i++)
		printf("%6" PRId64 "  %-24s %-32s  %-10.10s  %.10s\n", json_int(m, "serial", 0), json_str(m, "name", "-"),
		       json_str(m, "id", "-"), moment_text(json_int(m, "issued", 0), issued),
		       moment_text(json_int(m, "ends", 0), ends));
}

/* ---- net invites ---------------------------------------------------------------------- */

static JsonObject *invites(struct overlay *o, struct fail *f)
{
	static const char *const COLUMN[] = { "number", "name", "id", "uses", "made", "ends" };
	JsonArray *all = table(o->invites, COLUMN, G_N_ELEMENTS(COLUMN), "0345"), *open = json_array_new();
	JsonObject *out = NULL, *v;
	struct ban b;
	struct id id;

	if (overlay_banned(o, &b, f)) {
		for (guint i = 0; (v = ctl_each(all, i)); i++) {
			if (json_int(v, "ends", 0) < (int64_t)time(NULL))
				continue;
			json_object_set_boolean_member(v, "taken_back", b.list.serial && id_read(json_str(v, "id", ""), &id) &&
								      revoked_has(&b.list, id));
			json_array_add_object_element(open, json_object_ref(v));
		}
		out = json_object_new();
		json_object_set_array_member(out, "invitations", json_array_ref(open));
	}
	json_array_unref(open);
	json_array_unref(all);
	return out;
}

static void show_invites(JsonObject *all)
{
	JsonArray *a = json_arr(all, "invitations");
	char made[MOMENT_TEXT], ends[MOMENT_TEXT];
	JsonObject *v;

	printf("%6s  %-24s %4s  %-20s  %s\n", "NUMBER", "NAME", "USES", "MADE", "ENDS");
	for (guint i = 0; (v = ctl_each(a, i)); i++)
		printf("%6" PRId64 "  %-24s %4" PRId64 "  %s  %s%s\n", json_int(v, "number", 0), json_str(v, "name", "-"),
		       json_int(v, "uses", 0), moment_text(json_int(v, "made", 0), made),
		       moment_text(json_int(v, "ends", 0), ends), ctl_yes(v, "taken_back") ? "  taken back" : "");
}

/* ---- net show ------------------------------------------------------------------------- */

static void put_range(JsonObject *o, const char *member, const struct ip_range *r)
{
	char buf[RANGE_TEXT];

	if (r->ip.family)
		json_object_set_string_member(o, member, range_text(r, buf));
}

static JsonObject *record_object(const struct network_record *r)
{
	JsonArray *reserved = json_array_new(), *dns = json_array_new(), *founders = json_array_new();
	JsonObject *o = json_object_new();
	char buf[96];

	json_object_set_string_member(o, "name", r->name);
	json_object_set_string_member(o, "id", id_text(r->id, buf));
	put_range(o, "range", &r->range4);
	put_range(o, "range6", &r->range6);
	for (unsigned i = 0; i < r->reserveds; i++)
		json_array_add_string_element(reserved, range_text(&r->reserved[i], buf));
	for (unsigned i = 0; i < r->dnss; i++)
		json_array_add_string_element(dns, ip_text(&r->dns[i], buf));
	for (unsigned i = 0; r->serial && i < r->founders; i++)
		json_array_add_string_element(founders, id_text(r->founder[i], buf));
	json_object_set_array_member(o, "reserved", reserved);
	json_object_set_array_member(o, "dns", dns);
	json_object_set_string_member(o, "domain", r->domain);
	json_object_set_int_member(o, "term_s", r->term_s);
	json_object_set_int_member(o, "mtu", r->mtu);
	json_object_set_int_member(o, "replicas", r->replicas);
	json_object_set_string_member(o, "policy", r->policy == POLICY_STRICT ? "strict" : "reclaim");
	json_object_set_int_member(o, "serial", (gint64)r->serial);
	json_object_set_array_member(o, "founders", founders);
	return o;
}

JsonObject *ctl_network(struct overlay *o, struct fail *f)
{
	JsonObject *out = NULL;
	struct charter c;
	bool has = false;

	if (!overlay_charter(o, NULL, &c, &has, f))
		return NULL;
	if (has) {
		out = json_object_new();
		json_object_set_object_member(out, "network", record_object(&c.record));
	} else {
		fail_add(f, "%s is an overlay without a network; `net create --range` makes one with", o->path);
	}
	charter_done(&c);
	return out;
}

static void line(const char *label, const char *text)
{
	printf("%-10s%s\n", label, text);
}

static void lines(const char *label, JsonArray *a)
{
	for (guint i = 0; a && i < json_array_get_length(a); i++)
		line(label, json_array_get_string_element(a, i));
}

static void show_network(JsonObject *all)
{
	JsonObject *n = json_obj(all, "network");
	char term[UNIT_TEXT_LEN];

	line("network", json_str(n, "name", "-"));
	line("id", json_str(n, "id", "-"));
	if (json_object_has_member(n, "range"))
		line("range", json_str(n, "range", "-"));
	if (json_object_has_member(n, "range6"))
		line("range6", json_str(n, "range6", "-"));
	lines("reserved", json_arr(n, "reserved"));
	lines("dns", json_arr(n, "dns"));
	line("domain", json_str(n, "domain", "-"));
	printf("%-10s%s, MTU %" PRId64 ", %" PRId64 " replicas, %s, serial %" PRId64 "\n", "terms",
	       duration_text(json_int(n, "term_s", 0) * NS_PER_S, term), json_int(n, "mtu", 0), json_int(n, "replicas", 0),
	       json_str(n, "policy", "-"), json_int(n, "serial", 0));
	lines("founder", json_arr(n, "founders"));
	if (!json_int(n, "serial", 0))
		line("founder", "the first member, when there is one");
}

/* ---- the commands --------------------------------------------------------------------- */

static int tell(int argc, char **argv, const struct command *self, JsonObject *(*what)(struct overlay *o, struct fail *f),
		void (*show)(JsonObject *all))
{
	struct overlay o = { .lock = -1 };
	JsonObject *all = NULL;
	gboolean json = FALSE;
	const GOptionEntry entries[] = { JSON_OPTION(json), G_OPTION_ENTRY_NULL };
	struct fail f = { 0 };
	int code;

	if (!options_parse(&argc, &argv, fail_prog(), self, entries, 1, 1, NULL, &code))
		return code;
	if (overlay_open(&o, argv[1], &f))
		all = what(&o, &f);
	overlay_close(&o);
	if (!all)
		return ctl_fail(&f);
	if (json) {
		ctl_result(all, true);
	} else {
		show(all);
		json_object_unref(all);
	}
	return ctl_end(&f, EXIT_HELD);
}

int net_list_command(int argc, char **argv)
{
	const struct command self = { "list", "OVERLAY", "Lists the certificates that were made.", net_list_command };

	return tell(argc, argv, &self, members, show_members);
}

int net_invites_command(int argc, char **argv)
{
	const struct command self = { "invites", "OVERLAY", "Lists the invitations that were made and have not ended.", net_invites_command };

	return tell(argc, argv, &self, invites, show_invites);
}

int net_show_command(int argc, char **argv)
{
	const struct command self = { "show", "OVERLAY", "Says what the network's record holds.", net_show_command };

	return tell(argc, argv, &self, ctl_network, show_network);
}
