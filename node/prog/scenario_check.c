/*
 * scenario_check.c - whether the values of a scenario make sense together
 *
 * Two kinds of rule. A contradiction (a fault after the end) is refused. A key
 * that cannot matter (the file of a constant network) is refused when it was
 * written, for its author believes it does something; but when an override
 * switched off what it belongs to, the file is not to blame and the key is
 * forgotten. So `-s churn.trace=...` over a file with sessions is an error, and
 * `-s lookups.rate=off` over a file with a timeout is not.
 */
#include "node/prog/scenario_check.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include <glib.h>

void checking_wrong(struct checking *c, const char *group, const char *key, const char *format, ...)
{
	va_list args;
	char *why;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	schema_complain(c->s->log, c->f, group, key, "%s", why);
	g_free(why);
	c->bad = true;
}

bool checking_given(const struct checking *c, const char *group, const char *key)
{
	bool is;

	schema_place(c->s->log, group, key, &is);
	return is;
}

void checking_inert(struct checking *c, const char *group, const char *key, const char *because, const char *why)
{
	bool written, decided;
	struct schema_place here = schema_place(c->s->log, group, key, &written);
	struct schema_place there = schema_place(c->s->log, group, because, &decided);

	if (written && (here.override || !there.override))
		checking_wrong(c, group, key, "%s", why);
	else
		schema_forget(&scenario_schema, c->s->log, c->s, group, key);
}

static void check_run(struct checking *c)
{
	const struct scenario_run *r = &c->s->run;
	char d[UNIT_TEXT_LEN];

	if (r->warmup_ns >= r->duration_ns)
		checking_wrong(c, "run", "warmup", "not shorter than duration = %s",
		      duration_text(r->duration_ns, d));
	if (r->interval_ns > r->duration_ns) {
		if (checking_given(c, "run", "interval"))
			checking_wrong(c, "run", "interval", "longer than duration = %s",
			      duration_text(r->duration_ns, d));
		else
			schema_assume(&scenario_schema, c->s->log, c->s, "run", "interval",
				      duration_text(r->duration_ns, d));
	}
	if (r->duration_ns / r->interval_ns > 10000000)
		checking_wrong(c, "run", "interval", "more than ten million rows");
}

static void check_nodes(struct checking *c)
{
	const struct scenario_nodes *n = &c->s->nodes;
	const struct scenario_churn *ch = &c->s->churn;
	char buf[UNIT_TEXT_LEN];

	if (ch->trace) {
		static const char *const why = "the trace decides who is alive ([churn] trace)";

		for (unsigned i = 0; i < 2; i++) {
			const char *key = i ? "start" : "count";

			if (checking_given(c, "nodes", key))
				checking_wrong(c, "nodes", key, "%s", why);
			else
				schema_forget(&scenario_schema, c->s->log, c->s, "nodes", key);
		}
		return;
	}
	if (n->bootstrap > n->count && !checking_given(c, "nodes", "bootstrap")) {
		g_snprintf(buf, sizeof(buf), "%d", (int)n->count);
		schema_assume(&scenario_schema, c->s->log, c->s, "nodes", "bootstrap", buf);
	}
	if (n->bootstrap > n->count)
		checking_wrong(c, "nodes", "bootstrap", "more than count = %d nodes", (int)n->count);
	if (n->start == START_EMPTY && !dist_given(&ch->session))
		checking_wrong(c, "nodes", "start", "nobody would ever come; accepted with [churn] session");
	if (n->join_over_ns > c->s->run.duration_ns) {
		if (checking_given(c, "nodes", "join-over"))
			checking_wrong(c, "nodes", "join-over", "longer than the run");
		else
			schema_assume(&scenario_schema, c->s->log, c->s, "nodes", "join-over",
				      duration_text(c->s->run.duration_ns / 10, buf));
	}
	if (n->start != START_EQUILIBRIUM)
		return;
	for (unsigned i = 0; i < 2; i++) {
		const struct dist *d = i ? &ch->off : &ch->session;

		if (dist_given(d) && dist_mean_ns(d) >= DIST_LONGEST_NS)
			checking_wrong(c, "churn", i ? "off" : "session",
			      "has no finite mean, so there is no equilibrium to start from; "
			      "accepted with [nodes] start = all or empty");
	}
}

static void check_net(struct checking *c)
{
	const struct scenario_net *n = &c->s->net;

	if (n->model != MODEL_CONSTANT)
		checking_inert(c, "net", "latency", "model", "used by model = constant only");
	if (n->model == MODEL_CONSTANT) {
		if (n->latency_ns < n->floor_ns)
			checking_wrong(c, "net", "latency", "less than floor, which no delay between sites is");
		checking_inert(c, "net", "file", "model", "model = constant uses no file; accepted with matrix "
						  "or coordinates");
	}
	if (n->model == MODEL_MATRIX && !n->file)
		checking_wrong(c, "net", "model", "a matrix needs file = and meaning = rtt or one-way");
	if (!n->file) {
		const char *because = n->model == MODEL_CONSTANT ? "model" : "file";

		checking_inert(c, "net", "format", because, "there is no file whose format it could be");
		checking_inert(c, "net", "meaning", because, "there is no file whose meaning it could be");
	} else if (n->meaning == MEANING_UNSAID) {
		checking_wrong(c, "net", "file", "what are its numbers? accepted: meaning = rtt, meaning = one-way");
	}
	if (!n->loss_ppb)
		checking_inert(c, "net", "loss-burst", "loss", "without loss nothing is lost in a row");
	else if (n->loss_ppb > PPB_ONE * (uint64_t)n->loss_burst / ((uint64_t)n->loss_burst + 1) &&
		 n->loss_burst > 1)
		checking_wrong(c, "net", "loss", "too much to come in bursts of %d; longer bursts can lose more",
		      (int)n->loss_burst);
	if (!n->reorder_ppb)
		checking_inert(c, "net", "reorder-by", "reorder", "no packet is held back without reorder");
	if (!n->up_bit_s && !n->down_bit_s)
		checking_inert(c, "net", "queue", checking_given(c, "net", "up") ? "up" : "down",
		      "an access link without a rate (up, down) has no queue");
	if (n->family != FAMILY_IPV4 && n->mtu_bytes < 1280)
		checking_wrong(c, "net", "mtu", "less than 1280B, which IPv6 demands (RFC 8200)");
	if (dist_given(&n->access) && dist_mean_ns(&n->access) >= DIST_LONGEST_NS)
		checking_wrong(c, "net", "access", "has no finite mean");
}

static void check_trace(struct checking *c)
{
	static const char *const traced[] = { "trace-start", "trace-length", "trace-speed",
					      "trace-scale", "trace-spread" };
	static const char *const drawn[] = { "session", "off", "preset", "repeat" };
	const struct scenario_churn *ch = &c->s->churn;

	for (unsigned i = 0; !ch->trace && i < G_N_ELEMENTS(traced); i++)
		checking_inert(c, "churn", traced[i], "trace", "there is no trace it could apply to");
	for (unsigned i = 0; ch->trace && i < G_N_ELEMENTS(drawn); i++)
		checking_inert(c, "churn", drawn[i], "trace", "the trace decides who comes and goes");
}

static void check_churn(struct checking *c)
{
	static const char *const leaving[] = { "off", "graceful", "state", "repeat" };
	const struct scenario_churn *ch = &c->s->churn;
	const struct churn_preset *p = &churn_presets[ch->preset];
	const struct { const char *key, *text; } from[] = {
		{ "session", p->session }, { "off", p->off }, { "state", p->state }
	};

	check_trace(c);
	if (ch->trace)
		return;
	for (unsigned i = 0; ch->preset && i < G_N_ELEMENTS(from); i++)
		if (!checking_given(c, "churn", from[i].key))
			schema_assume(&scenario_schema, c->s->log, c->s, "churn", from[i].key,
				      from[i].text);
	for (unsigned i = 0; !dist_given(&ch->session) && i < G_N_ELEMENTS(leaving); i++)
		checking_inert(c, "churn", leaving[i], checking_given(c, "churn", "session") ? "session" : "preset",
		      "nobody leaves; accepted with session, preset or trace");
	if (dist_given(&ch->session) && dist_median_ns(&ch->session) < NS_PER_MS)
		checking_wrong(c, "churn", "session", "half of all sessions would end within 1 ms");
}

/* Kinds that hit single nodes: exactly one of share, count and nodes says which. */
static void check_victims(struct checking *c, const struct fault *t, const char *group)
{
	unsigned ways = (t->share_ppb != 0) + (t->count != 0) + (t->nodes.count != 0);
	const struct scenario *s = c->s;

	if (t->kind == FAULT_PARTITION || t->kind == FAULT_CUT || t->kind == FAULT_JOIN)
		return;
	if (ways != 1)
		checking_wrong(c, group, NULL, "%s; accepted: one of share, count, nodes",
		      ways ? "who is hit is said more than once" : "nobody is hit");
	if (!s->churn.trace && t->count > s->nodes.count)
		checking_wrong(c, group, "count", "more than the %d nodes there are", (int)s->nodes.count);
	for (unsigned i = 0; !s->churn.trace && !dist_given(&s->churn.session) && i < t->nodes.count; i++)
		if (t->nodes.value[i] >= s->nodes.count)
			checking_wrong(c, group, "nodes", "there is no node %d; accepted: 0 to %d",
			      (int)t->nodes.value[i], (int)s->nodes.count - 1);
}

static void check_fault(struct checking *c, const struct fault *t)
{
	char group[32], d[UNIT_TEXT_LEN];
	int64_t end = c->s->run.duration_ns, left = end - t->at_ns, sum = 0;

	g_snprintf(group, sizeof(group), "fault.%u", t->head.number);
	duration_text(end, d);
	if (t->at_ns >= end) {
		checking_wrong(c, group, "at", "not before the end of the run (duration = %s)", d);
	} else if (t->for_ns > left) {
		checking_wrong(c, group, "for", "lasts beyond the end of the run (duration = %s); "
		      "leave it away for a fault that does not end", d);
	} else if (t->over_ns > left) {
		checking_wrong(c, group, "over", "goes on beyond the end of the run (duration = %s)", d);
	} else if (t->kind == FAULT_RESTART && t->down_ns > left - t->over_ns) {
		checking_wrong(c, group, "down", "the nodes would start after the end of the run (duration = %s)", d);
	}
	check_victims(c, t, group);
	for (unsigned i = 0; i < t->groups.count; i++)
		sum += t->groups.value[i];
	if (t->groups.count == 1)
		checking_wrong(c, group, "groups", "one group is no partition; accepted: two or more, like 30%%:70%%");
	else if (t->groups.count && sum != PPB_ONE)
		checking_wrong(c, group, "groups", "the groups add up to %g%%, not to 100%%",
		      (double)sum / (PPB_ONE / 100));
	if (t->kind == FAULT_CUT && !c->s->net.regions)
		checking_wrong(c, group, "region", "there are no regions; accepted with [net] regions");
	else if (t->kind == FAULT_CUT && t->region >= c->s->net.regions)
		checking_wrong(c, group, "region", "there is no such region; accepted: 0 to %d",
		      (int)c->s->net.regions - 1);
	if (t->kind == FAULT_REVOKE && t->network > c->s->network.count)
		checking_wrong(c, group, "network", "there is no [network.%d]", (int)t->network);
	if (t->kind == FAULT_DRIFT && !t->drift_ppb)
		checking_wrong(c, group, "drift", "a drift of nothing; accepted: 50ppm, -20ppm, 0.1%%");
}

static void check_work(struct checking *c)
{
	const struct scenario *s = c->s;
	char d[UNIT_TEXT_LEN];

	if (!s->lookups.every_ns) {
		checking_inert(c, "lookups", "timeout", "rate", "nothing is looked up without a rate");
		checking_inert(c, "lookups", "retry", "rate", "nothing is looked up without a rate");
	} else if (s->lookups.retry_ns > s->lookups.timeout_ns && checking_given(c, "lookups", "retry")) {
		checking_wrong(c, "lookups", "retry", "longer than timeout = %s",
		      duration_text(s->lookups.timeout_ns, d));
	} else if (s->lookups.retry_ns > s->lookups.timeout_ns) {
		schema_assume(&scenario_schema, c->s->log, c->s, "lookups", "retry",
			      duration_text(s->lookups.timeout_ns, d));
	}
	if (!s->broadcasts.every_ns)
		checking_inert(c, "broadcasts", "size", "rate", "nothing is broadcast without a rate");
	if (!s->broadcasts.every_ns && !s->guests.shout_every_ns)
		checking_inert(c, "check", "broadcasts", "broadcasts",
			       "nothing is broadcast: neither [broadcasts] nor [guests] has a rate of them");
	if (s->link.suspect_ns >= s->link.probe_far_ns)
		checking_wrong(c, "link", "suspect", "not shorter than probe-far");
}

bool scenario_check(struct scenario *s, struct fail *f)
{
	struct checking c = { s, f, false };

	check_run(&c);
	check_churn(&c);
	check_nodes(&c);
	check_net(&c);
	for (unsigned i = 0; i < s->fault.count; i++)
		check_fault(&c, scenario_fault(s, i));
	check_work(&c);
	checking_vnet(&c);
	return !c.bad;
}
