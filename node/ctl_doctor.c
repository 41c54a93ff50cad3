/*
 * ctl_doctor.c - what is wrong with a node, and what helps
 *
 * Asks the node for everything it tells, looks at the machine it shares with us
 * (clock, disk, the name server of its networks), and says what
 * that means (ctl_judge.h).
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "node/config.h"
#include "node/ctl.h"
#include "node/ctl_judge.h"
#include "node/text.h"

enum { ANSWER_MS = 5000, DNS_MS = 1500, DNS_PORT = 53, QUESTIONS = 6 };

/* ---- the machine ------------------------------------------------------------------------- */

static int64_t free_bytes(const char *path)
{
	struct statvfs v;

	return path && !statvfs(path, &v) ? (int64_t)v.f_bavail * (int64_t)v.f_frsize : -1;
}

/* Does the name server @gateway say an address for @name? */
static bool dns_knows(const struct ip *gateway, const char *name)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	bool is_six = gateway->family == 6;
	uint8_t q[512], answer[1500];
	int len = res_mkquery(ns_o_query, name, ns_c_in, is_six ? ns_t_aaaa : ns_t_a, NULL, 0, NULL, q, sizeof(q));
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;

	memcpy(&four.sin_addr, gateway->at, 4);
	memcpy(&six.sin6_addr, gateway->at, 16);
	if (len > 0 && fd >= 0 &&
	    !connect(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four, is_six ? sizeof(six) : sizeof(four)) &&
	    send(fd, q, (size_t)len, 0) == len && poll(&p, 1, DNS_MS) == 1)
		n = recv(fd, answer, sizeof(answer), 0);
	if (fd >= 0)
		close(fd);
	return n >= NS_HFIXEDSZ && !memcmp(answer, q, 2) && !(answer[3] & 15) && (answer[6] << 8 | answer[7]) > 0;
}

/* The lowest address of @range, its network's own apart. */
static bool gateway_of(const char *range, struct ip *out)
{
	struct ip_range r;
	char why[WHY_LEN];

	if (!range || !range_read(range, true, &r, why))
		return false;
	*out = r.ip;
	out->at[r.ip.family == 4 ? 3 : 15] |= 1;
	return true;
}

/* Networks whose tap is on this machine, whose host has an address and a name, and whose name server does not know it. */
static void ask_dns(JsonArray *networks, GPtrArray *out)
{
	JsonObject *n;

	for (guint i = 0; (n = ctl_each(networks, i)); i++) {
		const char *tap = json_str(n, "tap", ""), *host = json_str(n, "host", NULL);
		char *name;
		struct ip gateway;

		if (!if_nametoindex(tap) || !host || !json_object_has_member(n, "address") ||
		    strcmp(json_str(n, "model", ""), "interface") ||
		    !gateway_of(json_str(n, strchr(json_str(n, "address", ""), ':') ? "range6" : "range", NULL), &gateway))
			continue;
		name = g_strdup_printf("%s.%s", host, json_str(n, "domain", ""));
		if (!dns_knows(&gateway, name))
			g_ptr_array_add(out, (gpointer)json_str(n, "name", "-"));
		g_free(name);
	}
	g_ptr_array_add(out, NULL);
}

/* ---- telling ------------------------------------------------------------------------------ */

static void print_text(const GPtrArray *a)
{
	for (guint i = 0; i < a->len; i++) {
		const struct finding *f = g_ptr_array_index(a, i);

		printf("%-6s %-6s %s\n", f->level == FINDING_WRONG ? "WRONG" : finding_level_text(f->level), f->topic, f->text);
		if (f->remedy)
			printf("%14s-> %s\n", "", f->remedy);
	}
}

static void print_json(const GPtrArray *a, bool good)
{
	JsonArray *list = json_array_new();
	JsonObject *o = json_object_new();

	for (guint i = 0; i < a->len; i++) {
		const struct finding *f = g_ptr_array_index(a, i);
		JsonObject *one = json_object_new();

		json_object_set_string_member(one, "level", finding_level_text(f->level));
		json_object_set_string_member(one, "topic", f->topic);
		json_object_set_string_member(one, "text", f->text);
		if (f->remedy)
			json_object_set_string_member(one, "remedy", f->remedy);
		json_array_add_object_element(list, one);
	}
	json_object_set_array_member(o, "findings", list);
	ctl_result(o, good);
}

static bool tell(const struct doctor_facts *d, bool json)
{
	GPtrArray *a = doctor_judge(d);
	bool good = true;

	for (guint i = 0; i < a->len; i++)
		good &= ((const struct finding *)g_ptr_array_index(a, i))->level != FINDING_WRONG;
	if (json)
		print_json(a, good);
	else
		print_text(a);
	g_ptr_array_unref(a);
	return good;
}

/* ---- asking ------------------------------------------------------------------------------- */

static int doctor(const struct ctl_where *w)
{
	static const char *const ASK[QUESTIONS] = { "status", "peers", "networks", "leases", "names", "seen" };
	JsonNode *root[QUESTIONS] = { NULL };
	JsonObject *answer[QUESTIONS] = { NULL };
	struct fail f = { 0 }, none = { 0 };
	struct node_config *config = w->socket ? NULL : config_load(w->conf ? w->conf : CONFIG_PATH, NULL, 0, &none);
	struct timex clock = { 0 };
	GPtrArray *dns = g_ptr_array_new();
	struct doctor_facts d = { .utc_s = time(NULL), .disk_free = free_bytes(config ? config->node.state : NULL),
				  .bootstraps = config ? config->bootstraps : UINT_MAX, .clock_set = adjtimex(&clock) != TIME_ERROR };
	struct ctl c;
	bool good = ctl_open(&c, w, &f);

	for (unsigned i = 0; good && i < QUESTIONS; i++) {
		char *line = ctl_order(ASK[i], 0, NULL);

		root[i] = ctl_once(&c, line, ANSWER_MS, &f);
		answer[i] = root[i] ? json_node_get_object(root[i]) : NULL;
		good = root[i];
		g_free(line);
	}
	ctl_close(&c);
	for (unsigned i = 0; config && config->named[i]; i++)
		d.bootstraps++;
	if (good) {
		d.status = json_obj(answer[0], "status");
		d.peers = answer[1];
		d.networks = answer[2];
		d.leases = answer[3];
		d.names = answer[4];
		d.seen = answer[5];
		ask_dns(json_arr(answer[2], "networks"), dns);
		d.dns = (const char *const *)dns->pdata;
		good = tell(&d, w->json);
	}
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (root[i])
			json_node_unref(root[i]);
	g_ptr_array_unref(dns);
	config_free(config);
	fail_done(&none);
	return ctl_end(&f, good ? EXIT_HELD : EXIT_BROKE);
}

int doctor_command(int argc, char **argv)
{
	const struct command self = { "doctor", NULL, "Says what is wrong with a node, and what helps.", doctor_command };
	struct ctl_where w = { 0 };
	const GOptionEntry entries[] = { CTL_WHERE(w), G_OPTION_ENTRY_NULL };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 0, 0,
			  "Run it on the node's machine, as its user or root. Exit code 1: something is wrong.", &code))
		code = doctor(&w);
	ctl_where_done(&w);
	return code;
}
