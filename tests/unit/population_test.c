/* As many nodes are alive as the scenario says, from the first moment on. */
#include "sim/world/inside.h"

#include "tests/unit/suites.h"

static struct world *world(const char *const *set, unsigned sets, struct scenario **sc)
{
	struct fail f = { 0 };
	struct world_setup s = { .seed = 7 };
	struct world *w;

	*sc = scenario_new(set, sets, &f);
	s.scenario = *sc;
	w = *sc ? world_new(&s, &f) : NULL;
	if (!w)
		fail_print(&f);
	fail_done(&f);
	CU_ASSERT_FATAL(w != NULL);
	return w;
}

/* Walk the sessions and off times that churn.c will draw, without running a node. */
struct alive { double mean; unsigned first; };

static struct alive walk(struct world *w, int64_t span_ns)
{
	struct alive a = { 0 };
	double sum = 0;

	population_begin(w);
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct host *h = &w->host[i];
		int64_t at = h->churn_ns;
		uint32_t draw = 0;

		if (i < w->first_churner) {
			sum += (double)span_ns;
			a.first++;
			continue;
		}
		a.first += at == 0;
		while (at < span_ns) {
			int64_t on, off;

			draw++;
			on = churn_session(w, i, draw == 1 && h->drawn == UINT32_MAX ? UINT32_MAX : draw);
			sum += (double)MIN(on, span_ns - at);
			off = churn_off(w, i, draw);
			at += MIN(on, span_ns - at) + MIN(off, span_ns);
		}
	}
	a.mean = sum / (double)span_ns;
	return a;
}

static void check(const char *session, const char *off, unsigned count)
{
	char a[128], b[128], c[64];
	const char *set[] = { a, b, c, "run.crypto=model", "run.ids=drawn", "nodes.join-over=0s" };
	struct scenario *sc;
	struct world *w;
	struct alive v;

	g_snprintf(a, sizeof(a), "churn.session=%s", session);
	g_snprintf(b, sizeof(b), "churn.off=%s", off);
	g_snprintf(c, sizeof(c), "nodes.count=%u", count);
	w = world(set, G_N_ELEMENTS(set), &sc);
	v = walk(w, 4 * NS_PER_H);
	CU_ASSERT(v.mean > 0.97 * count && v.mean < 1.03 * count);
	CU_ASSERT(v.first > 0.95 * count && v.first < 1.05 * count);
	world_free(w);
	scenario_free(sc);
}

static void the_mean_number_alive_is_the_count(void)
{
	check("exponential mean 30m", "exponential mean 30m", 4000);
	check("weibull shape 0.6 median 60m", "exponential mean 30m", 4000);
	check("lognormal median 20m sigma 1.2", "weibull shape 0.5 mean 40m", 4000);
	check("pareto shape 3 scale 10m", "constant 10m", 4000);
	check("exponential mean 10m", "constant 0s", 2000);
}

static void without_churn_there_are_exactly_as_many_hosts(void)
{
	const char *set[] = { "nodes.count=321", "run.crypto=model", "nodes.join-over=0s" };
	struct scenario *sc;
	struct world *w = world(set, G_N_ELEMENTS(set), &sc);

	CU_ASSERT_EQUAL(world_hosts(w), 321);
	world_free(w);
	scenario_free(sc);
}

/* All start at once, and only so many; nobody but the bootstrap nodes does in an empty world. */
static void starts_are_what_the_scenario_calls_them(void)
{
	const char *all[] = { "nodes.count=500", "nodes.start=all", "run.crypto=model", "nodes.join-over=0s",
			      "churn.session=exponential mean 1h", "churn.off=exponential mean 1h" };
	const char *empty[] = { "nodes.count=500", "nodes.start=empty", "run.crypto=model", "nodes.join-over=0s",
				"churn.session=exponential mean 1h", "churn.off=exponential mean 1h" };
	struct scenario *sc;
	struct world *w = world(all, G_N_ELEMENTS(all), &sc);

	CU_ASSERT_EQUAL(walk(w, NS_PER_S).first, 500);
	world_free(w);
	scenario_free(sc);
	w = world(empty, G_N_ELEMENTS(empty), &sc);
	CU_ASSERT_EQUAL(walk(w, NS_PER_S).first, w->first_churner);
	world_free(w);
	scenario_free(sc);
}

static void a_repeated_session_is_the_draw_of_the_last(void)
{
	const char *set[] = { "nodes.count=100", "run.crypto=model", "nodes.join-over=0s", "churn.session=exponential mean 1h" };
	struct scenario *sc;
	struct world *w = world(set, G_N_ELEMENTS(set), &sc);

	CU_ASSERT_EQUAL(churn_session(w, 5, 3), churn_session(w, 5, 3));
	CU_ASSERT_NOT_EQUAL(churn_session(w, 5, 3), churn_session(w, 5, 4));
	CU_ASSERT_NOT_EQUAL(churn_session(w, 5, 3), churn_session(w, 6, 3));
	world_free(w);
	scenario_free(sc);
}

CU_TestInfo population_tests[] = {
	{ "the mean number alive is the count", the_mean_number_alive_is_the_count },
	{ "without churn there are exactly as many hosts", without_churn_there_are_exactly_as_many_hosts },
	{ "starts are what the scenario calls them", starts_are_what_the_scenario_calls_them },
	{ "a repeated session is the draw of the last", a_repeated_session_is_the_draw_of_the_last },
	CU_TEST_INFO_NULL
};
