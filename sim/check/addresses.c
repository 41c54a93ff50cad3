/*
 * addresses.c - what was seen of addresses, given to the oracles
 *
 * Answers of ARP and DNS wait until their owner must know of its grant; all else is judged in the barrier after it.
 */
#include "sim/check/addresses.h"

#include <inttypes.h>
#include <string.h>

#include "sim/check/answers.h"
#include "sim/check/belief.h"
#include "sim/check/history.h"
#include "sim/check/kept.h"
#include "sim/check/sights.h"
#include "sim/check/trips.h"
#include "sim/check/views.h"
#include "sim/record/metrics.h"
#include "sim/world/networks.h"

#define STALE_MORE	(15 * NS_PER_S)		/* an answer may be older than a term: under way, and drift */

enum count { ASKED, GRANTED, REFUSED, LOST, CONTENDED, BEGUN, LAPSED, CONFLICTS, INSTALLED, CHANGES, SEALS, GONE, CUT, COUNTS };

struct addresses {
	struct world *world;
	const struct judge *judge;
	const struct census *census;
	struct sights *sights;
	GArray *answers;		/* struct sight, not judged yet, by time */
	struct beliefs beliefs;
	struct views views;
	struct histories histories;
	struct trips trips;
	struct check_kept kept;
	int metric[COUNTS], m_gone_now, m_replaced;
	uint64_t told[COUNTS];
};

/* ---- judging: barriers ---- */

static bool lives(const void *ctx, struct id id, uint32_t host, int64_t since_ns)
{
	const struct addresses *l = ctx;
	uint32_t i = census_find(l->census, id);
	const struct census_row *r = i == CENSUS_NONE ? NULL : &l->census->row[i];

	return r && r->state == ROW_RUNS && r->born_ns <= since_ns &&
		(host == FINDING_WORLD || (r->part == l->census->row[host].part && r->moved_ns <= since_ns));
}

static void judge_lapse(struct addresses *l, const struct sight *n)
{
	const struct holding *h = &n->holding;
	const struct census *c = l->census;
	int64_t since_ns = MIN(h->asked_ns, h->until_ns) - 5 * NS_PER_S;
	struct slot_name slot = slot_of_ip(h->network, &h->ip);
	struct kept_case k = { .host = n->host, .ip = h->ip, .asked_ns = h->asked_ns, .until_ns = h->until_ns,
			       .keeps = h->keeps };
	struct host_view v;

	world_host(l->world, n->host, &v);
	k.ran = lives(l, n->id, n->host, since_ns) && v.joined && !v.harmed && v.joined_ns <= since_ns;
	k.majority = views_lives(&l->views, &slot, n->host, since_ns);
	k.quiet = census_quiet(c, c->now_ns - since_ns);
	check_kept(&l->kept, l->judge, n->at_ns, &k);
}

static void judge_sight(struct addresses *l, const struct sight *n)
{
	const struct holding *h = &n->holding;
	struct views_node node = { .id = n->id, .host = n->host };

	switch ((enum sight_kind)n->kind) {
	case SIGHT_BELIEVES:
		beliefs_set(&l->beliefs, l->judge, n->at_ns, n->host, n->id, h->network, &h->ip, h->fence, h->until_ns);
		break;
	case SIGHT_LETS_GO:
		beliefs_end(&l->beliefs, n->at_ns, n->host, h->network, &h->ip);
		break;
	case SIGHT_LAPSED:
		judge_lapse(l, n);
		break;
	case SIGHT_SLOT:
		node.life = n->slot.life;
		node.started_ns = n->slot.started_ns;
		views_seen(&l->views, l->judge, n->at_ns, &node, &n->slot.look);
		break;
	case SIGHT_DEED:
		histories_deed(&l->histories, n->at_ns, n->host, n->id, &n->deed);
		trips_deed(&l->trips, &l->views, n->at_ns, n->host, &n->deed);
		if (n->deed.verdict == VERDICT_OK && id_eq(n->deed.holder, n->id))
			beliefs_granted(&l->beliefs, n->at_ns, n->host, n->id, n->deed.network, &n->deed.ip);
		break;
	case SIGHT_STARTED:
		views_came(&l->views, n->id);
		break;
	case SIGHT_ENDED:
		if (!n->graceful)
			views_died(&l->views, n->at_ns, n->id);
		histories_ended(&l->histories, n->at_ns, n->host);
		break;
	case SIGHT_ANSWER:
		g_array_append_vals(l->answers, n, 1);
		break;
	case SIGHT_SENT:
		check_sent(l->judge, n->at_ns, n->host, &n->sent.ip, n->sent.newest, n->sent.now);
		break;
	}
}

/* What is old enough; at the end the rest is left. */
static void judge_answers(struct addresses *l, int64_t now_ns)
{
	unsigned done = 0;

	for (; done < l->answers->len; done++) {
		struct sight *n = &g_array_index(l->answers, struct sight, done);
		const struct network_record *r = networks_record(l->world, n->told.network);
		struct answer_case *a = &n->told.answer;

		if (n->at_ns + ANSWERS_WAIT_NS > now_ns)
			break;
		a->excused = a->resolved && !lives(l, a->owner, FINDING_WORLD, n->at_ns) &&
			     !beliefs_owner(&l->beliefs, r->id, &a->answer.ip, a->owner, INT64_MIN, INT64_MAX);
		check_answer(l->judge, &l->beliefs, r, a, r->term_s * NS_PER_S + STALE_MORE);
	}
	if (done)
		g_array_remove_range(l->answers, 0, done);
}

void addresses_judge(struct addresses *l, int64_t now_ns, bool last)
{
	const GArray *all = sights_read(l->sights, now_ns);

	for (unsigned i = 0; i < all->len; i++)
		judge_sight(l, &g_array_index(all, struct sight, i));
	judge_answers(l, now_ns);
	histories_judge(&l->histories, l->judge, now_ns, last);
	views_count(&l->views);
}

/* ---- counts ---- */

static void counts(const struct addresses *l, uint64_t out[COUNTS])
{
	const uint64_t now[COUNTS] = {
		[ASKED] = l->histories.asked, [GRANTED] = l->histories.granted, [REFUSED] = l->histories.refused,
		[LOST] = l->histories.lost, [CONTENDED] = l->histories.contended, [BEGUN] = l->beliefs.begun,
		[LAPSED] = l->kept.ended, [CONFLICTS] = l->beliefs.conflicts, [INSTALLED] = l->views.installed,
		[CHANGES] = l->views.changes, [SEALS] = l->views.seals, [GONE] = l->views.lost_ever, [CUT] = l->views.replaced_cut,
	};

	memcpy(out, now, sizeof(now));
}

void addresses_catalog(struct addresses *l)
{
	static const char *const text[COUNTS][2] = {
		[ASKED] = { "addresses.asked", "questions about leased addresses that went out" },
		[GRANTED] = { "addresses.granted", "of them, creates and takes that got the address" },
		[REFUSED] = { "addresses.refused", "of them, answered with anything but yes" },
		[LOST] = { "addresses.lost", "of them, nobody knows how they ended" },
		[CONTENDED] = { "addresses.taken", "creates that found somebody else's lease" },
		[BEGUN] = { "beliefs.begun", "a node began to believe in an address" },
		[LAPSED] = { "beliefs.lapsed", "a belief ended by its deadline" },
		[CONFLICTS] = { "beliefs.conflicts", "two owners of different generations under policy reclaim" },
		[INSTALLED] = { "views.installed", "views of slots that began to vote" },
		[CHANGES] = { "views.changes", "of them, in the place of an earlier one" },
		[SEALS] = { "views.seals", "members seen to have sealed a view" },
		[GONE] = { "views.majorities_lost", "a slot was seen without a majority of its view running" },
		[CUT] = { "views.replaced_cut", "crashed members replaced where no majority was in reach meanwhile" },
	};
	struct catalog *k = world_catalog(l->world);

	for (unsigned i = 0; i < COUNTS; i++)
		l->metric[i] = catalog_add(k, METRIC_COUNTER, UNIT_NUMBER, M_NONE, text[i][0], text[i][1]);
	l->m_replaced = catalog_add(k, METRIC_HISTOGRAM, UNIT_S, M_NONE, "views.replaced_s",
				    "from a member's crash to a view without it, where a majority was in reach");
	l->m_gone_now = catalog_add(k, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "views.without_majority",
				    "slots without a majority of their view running");
	trips_catalog(&l->trips);
}

void addresses_metrics(struct addresses *l)
{
	struct metrics *m = world_metrics(l->world, 0);
	uint64_t now[COUNTS];

	counts(l, now);
	for (unsigned i = 0; m && i < COUNTS; i++) {
		metrics_add(m, l->metric[i], (int64_t)(now[i] - l->told[i]));
		l->told[i] = now[i];
	}
	if (!m)
		return;
	metrics_set(m, l->m_gone_now, l->views.lost_now);
	for (unsigned i = 0; i < l->views.replaced->len; i++)
		metrics_note(m, l->m_replaced, g_array_index(l->views.replaced, int64_t, i));
	g_array_set_size(l->views.replaced, 0);
	trips_metrics(&l->trips, m);
}

void addresses_print(const struct addresses *l, FILE *to)
{
	fprintf(to, "  addresses: %" PRIu64 " questions, %" PRIu64 " grants, %" PRIu64 " refusals (%" PRIu64
		" taken), %" PRIu64 " with unknown end; %u records, %" PRIu64 " beliefs, %" PRIu64 " ended by deadline",
		l->histories.asked, l->histories.granted, l->histories.refused, l->histories.contended,
		l->histories.lost, l->histories.records->len, l->beliefs.begun, l->kept.ended);
	if (l->beliefs.conflicts)
		fprintf(to, ", %" PRIu64 " conflicts of generations", l->beliefs.conflicts);
	fprintf(to, "\n  views: %u slots, %" PRIu64 " installed, %" PRIu64 " of them in the place of another, %" PRIu64
		" of a new generation; %" PRIu64 " seals; without a majority: %u now, %u at most, %" PRIu64 " times\n",
		l->views.slots->len, l->views.installed, l->views.changes, l->views.born_again, l->views.seals,
		l->views.lost_now, l->views.lost_most, l->views.lost_ever);
}

/* ---- beginning and end ---- */

struct sights *addresses_sights(const struct addresses *l)
{
	return l ? l->sights : NULL;
}

struct addresses *addresses_new(struct world *w, const struct judge *j, const struct census *c)
{
	unsigned networks = networks_count(w);
	struct addresses *l;
	uint32_t term_s = 0;

	if (!networks)
		return NULL;
	l = g_new0(struct addresses, 1);
	l->world = w;
	l->judge = j;
	l->census = c;
	l->sights = sights_new(w);
	l->answers = g_array_new(FALSE, FALSE, sizeof(struct sight));
	beliefs_init(&l->beliefs);
	views_init(&l->views, lives, l);
	trips_init(&l->trips, w);
	for (unsigned i = 0; i < networks; i++) {
		const struct network_record *r = networks_record(w, i);

		term_s = MAX(term_s, r->term_s);
		if (r->policy == POLICY_RECLAIM)
			beliefs_reclaim(&l->beliefs, r->id);
	}
	histories_init(&l->histories, world_hosts(w), term_s);
	return l;
}

void addresses_free(struct addresses *l)
{
	if (!l)
		return;
	sights_free(l->sights);
	g_array_free(l->answers, TRUE);
	beliefs_done(&l->beliefs);
	views_done(&l->views);
	trips_done(&l->trips);
	histories_done(&l->histories);
	g_free(l);
}
