/* ctl_create.c - `weftctl net create`: an overlay, and what is said of the network that it is */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "node/ctl_net.h"
#include "node/text.h"

/** struct wish - what the options say of the network */
struct wish {
	char **bootstrap, **reserved, **dns, **founders;
	char *range, *range6, *name, *domain, *term, *mtu, *policy;
	int replicas;
	gboolean json;
};

static void wish_done(struct wish *w)
{
	g_strfreev(w->bootstrap);
	g_strfreev(w->reserved);
	g_strfreev(w->dns);
	g_strfreev(w->founders);
	g_free(w->range);
	g_free(w->range6);
	g_free(w->name);
	g_free(w->domain);
	g_free(w->term);
	g_free(w->mtu);
	g_free(w->policy);
}

static bool range_option(const char *option, const char *text, unsigned family, unsigned least, unsigned most,
			 struct ip_range *r, struct fail *f)
{
	char why[WHY_LEN];

	if (!text)
		return true;
	if (!range_read(text, true, r, why)) {
		fail_add(f, "%s %s: %s; accepted: %s", option, text, why, family == 4 ? "10.9.0.0/16" : "fd00:9::/64");
		return false;
	}
	if (r->ip.family != family || r->bits < least || r->bits > most) {
		fail_add(f, "%s %s: accepted: IPv%u, /%u to /%u", option, text, family, least, most);
		return false;
	}
	return true;
}

/* Labels of letters, digits and '-', as the record takes them. */
static bool name_good(const char *s, bool dots)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return *s && !s[len] && len <= NETWORK_NAME_MAX && (dots || !strchr(s, '.')) && *s != '-' && *s != '.' &&
	       s[len - 1] != '-' && s[len - 1] != '.' && !strstr(s, "..") && !strstr(s, ".-") && !strstr(s, "-.");
}

static bool names(const struct wish *w, const char *path, struct network_record *r, struct fail *f)
{
	char *base = g_path_get_basename(path);
	const char *name = w->name ? w->name : base;
	bool good = name_good(name, false);

	if (good)
		strcpy(r->name, name);
	else
		fail_add(f, "the network's name '%s': accepted: --name NAME, up to %d letters, digits and '-'", name,
			 NETWORK_NAME_MAX);
	if (good && w->domain && !name_good(w->domain, true)) {
		fail_add(f, "--domain %s: accepted: up to %d letters, digits, '-' and '.'", w->domain, NETWORK_NAME_MAX);
		good = false;
	}
	if (good && w->domain)
		strcpy(r->domain, w->domain);
	g_free(base);
	return good;
}

static bool numbers(const struct wish *w, struct network_record *r, struct fail *f)
{
	int64_t ns = TERM_DEFAULT * NS_PER_S, mtu = MTU_DEFAULT;
	char why[WHY_LEN];

	if (w->term && (!options_time("--term", w->term, &ns, f)))
		return false;
	if (ns < TERM_MIN * NS_PER_S || ns > TERM_MAX * NS_PER_S || ns % NS_PER_S) {
		fail_add(f, "--term %s: accepted: whole seconds, 10s to 7d", w->term);
		return false;
	}
	if (w->mtu && !bytes_parse(w->mtu, &mtu, why) && !count_parse(w->mtu, &mtu, why)) {
		fail_add(f, "--mtu %s: %s; accepted: 1400", w->mtu, why);
		return false;
	}
	if (mtu < (r->range6.ip.family ? 1280 : 576) || mtu > 9000) {
		fail_add(f, "--mtu %s: accepted: %d to 9000", w->mtu, r->range6.ip.family ? 1280 : 576);
		return false;
	}
	if (w->replicas != 1 && w->replicas != 3 && w->replicas != 5) {
		fail_add(f, "--replicas %d: accepted: 1, 3, 5", w->replicas);
		return false;
	}
	if (w->policy && strcmp(w->policy, "strict") && strcmp(w->policy, "reclaim")) {
		fail_add(f, "--policy %s: accepted: strict, reclaim", w->policy);
		return false;
	}
	r->term_s = (uint32_t)(ns / NS_PER_S);
	r->mtu = (uint16_t)mtu;
	r->replicas = (uint8_t)w->replicas;
	r->policy = w->policy && !strcmp(w->policy, "reclaim") ? POLICY_RECLAIM : POLICY_STRICT;
	return true;
}

static bool lists(const struct wish *w, struct network_record *r, struct fail *f)
{
	char why[WHY_LEN];

	for (char **t = w->reserved; t && *t; t++) {
		struct ip_range *g = &r->reserved[r->reserveds];
		const struct ip_range *in;

		if (r->reserveds == NETWORK_RESERVED) {
			fail_add(f, "--reserve %s: too many; accepted: up to %d", *t, NETWORK_RESERVED);
			return false;
		}
		if (!range_read(*t, false, g, why)) {
			fail_add(f, "--reserve %s: %s; accepted: 10.9.0.0/28", *t, why);
			return false;
		}
		in = g->ip.family == 4 ? &r->range4 : &r->range6;
		if (!ip_in(&g->ip, in) || g->bits < in->bits) {
			fail_add(f, "--reserve %s: no part of the network's range", *t);
			return false;
		}
		r->reserveds++;
	}
	for (char **t = w->dns; t && *t; t++) {
		if (r->dnss == NETWORK_DNS || !ip_read(*t, &r->dns[r->dnss])) {
			fail_add(f, "--dns %s: accepted: up to %d addresses", *t, NETWORK_DNS);
			return false;
		}
		r->dnss++;
	}
	for (char **t = w->founders; t && *t; t++) {
		if (r->founders == VIEW_MAX || !id_read(*t, &r->founder[r->founders])) {
			fail_add(f, "--founder %s: accepted: 1, 3 or 5 ids of 32 hexadecimal digits, as `weftctl net list` shows", *t);
			return false;
		}
		r->founders++;
	}
	if (r->founders && r->founders % 2 == 0) {
		fail_add(f, "%u founders have no better majority than one less; accepted: 1, 3, 5", r->founders);
		return false;
	}
	return true;
}

static bool wish_read(const struct wish *w, const char *path, struct network_record *r, struct fail *f)
{
	network_defaults(r);
	return range_option("--range", w->range, 4, 8, 30, &r->range4, f) &&
	       range_option("--range6", w->range6, 6, 64, 120, &r->range6, f) && names(w, path, r, f) &&
	       numbers(w, r, f) && lists(w, r, f);
}

static bool is_network(const struct wish *w)
{
	return w->range || w->range6;
}

static bool inert(const struct wish *w, struct fail *f)
{
	if (is_network(w) || !(w->reserved || w->dns || w->founders || w->name || w->domain || w->term || w->mtu || w->policy))
		return true;
	fail_add(f, "there is no network to say this of; accepted with --range or --range6");
	return false;
}

static bool show(struct overlay *o, const struct network_record *r, bool json, struct fail *f)
{
	JsonObject *all;
	char key[KEY_TEXT], range[RANGE_TEXT];

	key_text(overlay_key(o), key);
	if (json) {
		all = r ? ctl_network(o, f) : json_object_new();
		if (!all)
			return false;
		json_object_set_string_member(all, "overlay", key);
		json_object_set_string_member(all, "dir", o->path);
		ctl_result(all, true);
		return true;
	}
	printf("overlay %s\n", key);
	if (r)
		printf("network %s %s\n", r->name, range_text(r->range4.ip.family ? &r->range4 : &r->range6, range));
	return true;
}

static int create(const char *path, const struct wish *w)
{
	struct charter c = { .len = 0 };
	struct overlay o = { .lock = -1 };
	struct fail f = { 0 };
	char *points = ctl_endpoints("--bootstrap", w->bootstrap, &f);
	bool good = points && inert(w, &f) && (!is_network(w) || wish_read(w, path, &c.record, &f)) &&
		    overlay_make(path, points, &f) && overlay_open(&o, path, &f);

	g_free(points);
	if (good && is_network(w)) {
		randombytes_buf(c.secret, sizeof(c.secret));
		good = overlay_found(&o, &c, &f);
	}
	good = good && show(&o, is_network(w) ? &c.record : NULL, w->json, &f);
	if (good)
		fprintf(ctl_aside(w->json), "%s holds the secret that decides who is a member: keep it safe, nodes never need it.\n"
			"Next: weftctl net add %s NAME --dir DIR\n", path, path);
	overlay_close(&o);
	charter_done(&c);
	return good ? ctl_end(&f, EXIT_HELD) : ctl_fail(&f);
}

int net_create_command(int argc, char **argv)
{
	struct wish w = { .replicas = 5 };
	const struct command self = { "create", "DIR", "Makes an overlay, which with --range is a virtual network, too: a key that decides who is a member.",
				      net_create_command };
	const GOptionEntry entries[] = {
		{ "bootstrap", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &w.bootstrap,
		  "An endpoint that new nodes will be told; may be repeated", "ADDRESS:PORT" },
		{ "range", 'r', 0, G_OPTION_ARG_STRING, &w.range, "IPv4 addresses of the network", "ADDRESS/LENGTH" },
		{ "range6", '6', 0, G_OPTION_ARG_STRING, &w.range6, "IPv6 addresses of the network", "ADDRESS/LENGTH" },
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &w.name, "The network's name (DIR)", "NAME" },
		{ "domain", 0, 0, G_OPTION_ARG_STRING, &w.domain, "Hosts are HOST.DOMAIN (the network's name)", "DOMAIN" },
		{ "reserve", 0, 0, G_OPTION_ARG_STRING_ARRAY, &w.reserved,
		  "Addresses for certificates (--address), never leased; may be repeated", "ADDRESS[/LENGTH]" },
		{ "dns", 0, 0, G_OPTION_ARG_STRING_ARRAY, &w.dns, "Who is asked for other names (nobody); may be repeated", "ADDRESS" },
		{ "term", 0, 0, G_OPTION_ARG_STRING, &w.term, "Longest term of a lease (1h)", "TIME" },
		{ "mtu", 0, 0, G_OPTION_ARG_STRING, &w.mtu, "MTU of the machines in it (1400)", "BYTES" },
		{ "policy", 0, 0, G_OPTION_ARG_STRING, &w.policy,
		  "What if a majority that knows of an address is gone for good: wait, or begin anew (strict)", "strict|reclaim" },
		{ "replicas", 0, 0, G_OPTION_ARG_INT, &w.replicas, "Members that know of an address (5)", "1|3|5" },
		{ "founder", 0, 0, G_OPTION_ARG_STRING_ARRAY, &w.founders,
		  "First members to decide, of another overlay (the first one added); may be repeated", "ID" },
		JSON_OPTION(w.json),
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 1, NULL, &code))
		code = create(argv[1], &w);
	wish_done(&w);
	return code;
}
