/*
 * Sessions and off times. A host's draws are numbered: session n of host i is
 * the same in every run of the seed, whatever faults do meanwhile. Churn events
 * cannot be taken back; one that no longer agrees with host.churn_ns is stale.
 */
#include "sim/world/inside.h"

enum { RESIDUAL = UINT32_MAX };			/* host.drawn: found running, so what is left of a session */

int64_t churn_session(const struct world *w, uint32_t host, uint32_t draw)
{
	const struct dist *d = &w->scenario->churn.session;
	uint64_t u = host_chance(w, host, STREAM_SESSION, draw);

	return draw == RESIDUAL ? dist_residual_ns(d, u) : dist_sample_ns(d, u);
}

int64_t churn_off(const struct world *w, uint32_t host, uint32_t draw)
{
	const struct dist *d = &w->scenario->churn.off;

	return dist_given(d) ? dist_sample_ns(d, host_chance(w, host, STREAM_OFF, draw)) : 0;
}

struct dist exponential(int64_t mean_ns)
{
	struct dist d = { 0 };
	char text[64], why[WHY_LEN];
	bool good;

	if (!mean_ns)
		return d;
	g_snprintf(text, sizeof(text), "exponential mean %" G_GINT64_FORMAT "ns", mean_ns);
	good = dist_parse(text, &d, why);
	g_assert(good);
	return d;
}

static void set(struct world *w, struct lane *l, struct host *h, int64_t at_ns)
{
	uint32_t i = host_number(w, h);

	h->churn_ns = at_ns;
	if (at_ns != NEVER_NS)
		engine_post(l, i, i, CLASS_CHURN, MAX(at_ns, lane_now(l)), NULL);
}

static int64_t later(int64_t now_ns, int64_t span_ns)
{
	return span_ns > NEVER_NS - 1 - now_ns ? NEVER_NS : now_ns + MAX(span_ns, 1);
}

void churn_start(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	const struct scenario_churn *c = &w->scenario->churn;
	uint32_t i = host_number(w, h);

	h->churn_ns = NEVER_NS;
	if (h->flags & HOST_BOOTSTRAP)
		return;
	if (w->trace) {
		set(w, l, h, trace_end_ns(w->trace, i - w->first_churner, lane_now(l)));
		return;
	}
	if (!dist_given(&c->session))
		return;
	if (h->drawn != RESIDUAL || h->sessions) {
		bool again = h->sessions && h->drawn != RESIDUAL &&
			     host_chance(w, i, STREAM_REPEAT, h->incarnation) % PPB_ONE < c->repeat_ppb;

		h->sessions++;
		if (!again)
			h->drawn = h->sessions;
	} else {
		h->sessions++;
	}
	set(w, l, h, later(lane_now(l), churn_session(w, i, h->drawn)));
}

void churn_ended(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);

	h->churn_ns = NEVER_NS;
	if (h->flags & HOST_BOOTSTRAP)
		return;
	if (w->trace)
		set(w, l, h, trace_start_ns(w->trace, i - w->first_churner, lane_now(l)));
	else if (dist_given(&w->scenario->churn.session))
		set(w, l, h, later(lane_now(l), churn_off(w, i, h->sessions)));
}

void churn_event(struct shard *s, struct lane *l, struct host *h, int64_t at_ns)
{
	struct world *w = s->world;
	const struct scenario_churn *c = &w->scenario->churn;
	uint32_t i = host_number(w, h);

	if (h->churn_ns != at_ns)
		return;
	h->churn_ns = NEVER_NS;
	if (h->state == HOST_OFF) {
		host_start(s, l, h, c->state == STATE_NONE, c->state == STATE_ALL);
		churn_start(s, l, h);
	} else if (host_chance(w, i, STREAM_GRACEFUL, h->incarnation) % PPB_ONE < c->graceful_ppb) {
		host_stop(s, l, h);
	} else {
		host_end(s, l, h, false);
	}
}
