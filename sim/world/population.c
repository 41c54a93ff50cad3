/*
 * How many hosts a run has, and who begins how. Numbers go to the bootstrap
 * nodes first, then to those that churn, then to those a flash crowd brings.
 *
 * `count` is the mean number alive. With sessions of mean S and off times of
 * mean O each churning host runs for S / (S + O) of the time, so there are
 * (count - bootstrap) (S + O) / S of them. In equilibrium each is found running
 * with that chance, with what is left of its session (dist_residual_ns(): longer
 * sessions are found more often), or off with what is left of that.
 */
#include <string.h>

#include "sim/world/inside.h"

enum { RESIDUAL = UINT32_MAX };

static int64_t mean_off(const struct scenario_churn *c)
{
	return dist_given(&c->off) ? dist_mean_ns(&c->off) : 0;
}

static bool churners(const struct world *w, uint64_t *count, struct fail *f)
{
	const struct scenario *sc = w->scenario;
	int64_t on_ns, off_ns;
	uint64_t alive = (uint64_t)(sc->nodes.count - sc->nodes.bootstrap);

	*count = alive;
	if (!dist_given(&sc->churn.session))
		return true;
	on_ns = dist_mean_ns(&sc->churn.session);
	off_ns = mean_off(&sc->churn);
	if (on_ns == INT64_MAX || off_ns == INT64_MAX || on_ns <= 0) {
		schema_complain(sc->log, f, "churn", on_ns == INT64_MAX || on_ns <= 0 ? "session" : "off",
				"has no finite mean above 0, so no mean number alive; accepted: "
				"a distribution with one, or a cut (... max 30d)");
		return false;
	}
	*count = (uint64_t)(((__int128)alive * ((__int128)on_ns + off_ns) + on_ns / 2) / on_ns);
	return true;
}

bool population_plan(struct world *w, struct fail *f)
{
	const struct scenario *sc = w->scenario;
	uint64_t count;

	w->first_churner = (uint32_t)sc->nodes.bootstrap;
	if (sc->churn.trace) {
		struct trace_window window = {
			.start_ns = sc->churn.trace_start_ns, .length_ns = sc->churn.trace_length_ns,
			.speed = sc->churn.trace_speed, .scale_ppb = sc->churn.trace_scale_ppb,
			.spread_ns = sc->churn.trace_spread_ns, .join_over_ns = sc->nodes.join_over_ns,
			.seed = w->seed, .first_host = w->first_churner,
		};

		w->trace = trace_load(sc->churn.trace, &window, f);
		if (!w->trace)
			return false;
		count = trace_hosts(w->trace);
	} else if (!churners(w, &count, f)) {
		return false;
	}
	w->first_spare = w->first_churner + (uint32_t)count;
	count += w->first_churner + faults_spares(w);
	if (count > NET_PLAN - 1) {
		fail_add(f, "the scenario needs %" G_GUINT64_FORMAT " hosts (those off included); "
			 "accepted: up to %d", count, NET_PLAN - 1);
		return false;
	}
	w->hosts = (uint32_t)count;
	return true;
}

static int64_t spread(const struct world *w, uint32_t i)
{
	struct chance c = chance_of(w->seed, i, STREAM_STAGGER);

	return w->scenario->nodes.join_over_ns ? chance_between(&c, 0, w->scenario->nodes.join_over_ns) : 0;
}

/* When churner @i starts first, NEVER_NS for not at all. */
static int64_t first_start(const struct world *w, struct host *h, uint32_t i)
{
	const struct scenario *sc = w->scenario;
	const struct scenario_churn *c = &sc->churn;
	bool churns = dist_given(&c->session);
	uint32_t order = i - w->first_churner;
	int64_t on_ns, off_ns, left_ns;
	bool on;

	if (w->trace)
		return trace_first_ns(w->trace, order);
	if (!churns)
		return sc->nodes.start == START_EMPTY ? NEVER_NS : spread(w, i);
	on_ns = dist_mean_ns(&c->session);
	off_ns = mean_off(c);
	if (sc->nodes.start == START_ALL)
		on = order < (uint64_t)(sc->nodes.count - sc->nodes.bootstrap);
	else
		on = (unsigned __int128)host_chance(w, i, STREAM_START, 0) * ((uint64_t)on_ns + (uint64_t)off_ns) <
		     (unsigned __int128)on_ns << 64;
	if (sc->nodes.start == START_EQUILIBRIUM && on)
		h->drawn = RESIDUAL;
	if (on && sc->nodes.start != START_EMPTY)
		return spread(w, i);
	left_ns = off_ns ? dist_residual_ns(&c->off, host_chance(w, i, STREAM_OFF, 0)) : 0;
	return on ? left_ns + spread(w, i) : left_ns;
}

void population_begin(struct world *w)
{
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct host *h = &w->host[i];
		int64_t at_ns = 0;

		if (i < w->first_churner)
			h->flags |= HOST_BOOTSTRAP;
		else if (i < w->first_spare)
			at_ns = first_start(w, h, i);
		else {
			h->flags |= HOST_SPARE;
			at_ns = NEVER_NS;
		}
		h->churn_ns = at_ns;
		if (at_ns != NEVER_NS)
			engine_post(engine_lane(w->engine, i), i, i, CLASS_CHURN, at_ns, NULL);
	}
}
