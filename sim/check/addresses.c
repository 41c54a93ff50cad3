/*
 * addresses.c - what shards note of addresses, put in order and given to the oracles
 *
 * A step can change what its own node holds, keeps and resolves, and nothing
 * else can; so the hook after each step compares counts of changes, and only
 * when one has moved walks the node's tables and notes the differences. A
 * deadline by the node's clock becomes one of true time (world_when()); when the
 * clock begins to drift it is computed anew. Barriers walk all tables once more,
 * whatever the counts say: a count that forgets to grow hides nothing for long.
 *
 * Belief is what the node itself says (node_believes()). It ends by the deadline
 * the node goes by; where it says that it believes beyond that, there is no end
 * until it says otherwise.
 */
#include "sim/check/addresses.h"

#include <inttypes.h>
#include <string.h>

#include "core/look.h"
#include "core/vnet/vnet.h"
#include "node/prog/scenario.h"
#include "sim/check/answers.h"
#include "sim/check/belief.h"
#include "sim/check/history.h"
#include "sim/check/kept.h"
#include "sim/check/trips.h"
#include "sim/check/views.h"
#include "sim/record/metrics.h"
#include "sim/world/networks.h"

#define STALE_MORE	(15 * NS_PER_S)		/* an answer may be older than a term: under way, and drift */

/** struct holding - a lease of one node, as last seen */
struct holding {
	struct id network;
	struct ip ip;
	struct fence fence;
	int64_t until_node_ns, until_ns; /* by its clock, and true */
	int64_t asked_ns;		/* renewal asked first since the last success; INT64_MAX */
	bool believed, keeps, there;
};

/** struct keeping - a slot of one node, as last seen */
struct keeping { uint64_t slot, state; };

/** struct resolving - a remote address of one node, as last seen */
struct resolving { struct ip ip; struct fence fence; uint32_t network; };

/** struct seen - what was last seen of one host's node */
struct seen {
	struct id id;
	struct clock clock;
	GArray *holding, *keeping, *resolving;	/* NULL until there is one */
	int64_t started_ns;
	int64_t next_end_ns;		/* of what it believes in */
	uint32_t life, held_changes, slot_changes, remote_changes;
};

enum noted_kind { NOTED_BELIEVES, NOTED_LETS_GO, NOTED_LAPSED, NOTED_SLOT, NOTED_DEED, NOTED_STARTED, NOTED_ENDED,
		  NOTED_ANSWER, NOTED_BACK };

struct noted {
	int64_t at_ns;
	uint32_t host;
	uint8_t kind;			/* enum noted_kind */
	bool graceful;			/* ended so */
	struct id id;			/* of the node */
	union {
		struct holding holding;
		struct { struct look_slot look; uint32_t life; int64_t started_ns; } slot;
		struct deed deed;
		struct { struct answer_case answer; uint32_t network; } told;
		struct { struct ip ip; struct fence before, now; } back;
	};
};

enum count { ASKED, GRANTED, REFUSED, LOST, CONTENDED, BEGUN, LAPSED, CONFLICTS, INSTALLED, CHANGES, SEALS, GONE, CUT, COUNTS };

struct addresses {
	struct world *world;
	const struct judge *judge;
	const struct census *census;
	struct seen *seen;		/* by host */
	uint32_t hosts;
	GArray **noted;			/* by shard */
	GArray *sorted, *answers;	/* answers: struct noted, not judged yet, by time */
	unsigned shards;
	struct beliefs beliefs;
	struct views views;
	struct histories histories;
	struct trips trips;
	struct check_kept kept;
	int metric[COUNTS], m_gone_now, m_replaced;
	uint64_t told[COUNTS];
};

/* ---- noting: hooks ---- */

static void note(struct addresses *l, unsigned shard, const struct noted *n)
{
	g_array_append_vals(l->noted[shard], n, 1);
}

static void note_holding(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, enum noted_kind kind,
			 const struct holding *h)
{
	struct noted n = { .at_ns = now_ns, .host = host, .kind = (uint8_t)kind, .id = l->seen[host].id };

	n.holding = *h;
	note(l, shard, &n);
}

static GArray *array(GArray **a, size_t size)
{
	if (!*a)
		*a = g_array_new(FALSE, TRUE, (guint)size);
	return *a;
}

/* The holding of that address; @at: where it was the last time, most likely */
static struct holding *holding_of(const struct seen *s, struct id network, const struct ip *ip, unsigned at)
{
	unsigned count = s->holding ? s->holding->len : 0;

	for (unsigned i = 0; i < count; i++) {
		struct holding *h = &g_array_index(s->holding, struct holding, (at + i) % count);

		if (ip_eq(&h->ip, ip) && id_eq(h->network, network))
			return h;
	}
	return NULL;
}

/* When a belief ends that a node says it has. In a barrier it spoke as of its last step, which may be long ago. */
static int64_t when(const struct addresses *l, uint32_t host, int64_t now_ns, const struct holding *was,
		    int64_t until_node_ns, bool barrier)
{
	int64_t at_ns = world_when(l->world, host, until_node_ns);

	if (was->believed && was->until_ns == INT64_MAX && was->until_node_ns == until_node_ns)
		return INT64_MAX;
	return at_ns > now_ns || barrier ? at_ns : INT64_MAX;	/* it believes although it is past */
}

static void see_held(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct held *held,
		     bool believed, struct fence fence, unsigned at, bool barrier)
{
	struct seen *s = &l->seen[host];
	struct holding *h = holding_of(s, held->network, &held->lease.ip, at);
	struct holding was;

	if (!h) {
		struct holding fresh = { .network = held->network, .ip = held->lease.ip, .asked_ns = INT64_MAX };

		g_array_append_val(array(&s->holding, sizeof(fresh)), fresh);
		h = &g_array_index(s->holding, struct holding, s->holding->len - 1);
	}
	was = *h;
	h->there = true;
	h->keeps = held->keep;
	h->believed = believed;
	if (!believed) {
		if (was.believed && was.until_ns <= now_ns)
			note_holding(l, shard, now_ns, host, NOTED_LAPSED, &was);
		else if (was.believed)
			note_holding(l, shard, now_ns, host, NOTED_LETS_GO, &was);
		return;
	}
	h->fence = fence;
	h->until_ns = when(l, host, now_ns, &was, held->until_ns, barrier);
	h->until_node_ns = held->until_ns;
	if (was.believed && was.until_ns == h->until_ns && !fence_cmp(was.fence, fence))
		return;
	if (was.believed && was.until_ns <= now_ns && !barrier)
		note_holding(l, shard, now_ns, host, NOTED_LAPSED, &was);
	if (h->until_ns > was.until_ns)
		h->asked_ns = INT64_MAX;
	note_holding(l, shard, now_ns, host, NOTED_BELIEVES, h);
}

static void see_holdings(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n,
			 bool barrier)
{
	struct seen *s = &l->seen[host];
	struct fence fence;
	struct held held;

	for (unsigned i = 0; s->holding && i < s->holding->len; i++)
		g_array_index(s->holding, struct holding, i).there = false;
	for (unsigned i = 0; node_held(n, i, &held); i++) {
		fence = held.lease.fence;
		see_held(l, shard, now_ns, host, &held, node_believes(n, held.network, &held.lease.ip, &fence), fence, i,
			 barrier);
	}
	s->next_end_ns = INT64_MAX;
	for (unsigned i = 0; s->holding && i < s->holding->len;) {
		struct holding *h = &g_array_index(s->holding, struct holding, i);

		if (h->there) {
			if (h->believed)
				s->next_end_ns = MIN(s->next_end_ns, h->until_ns);
			i++;
			continue;
		}
		if (h->believed)
			note_holding(l, shard, now_ns, host,
				     h->until_ns <= now_ns ? NOTED_LAPSED : NOTED_LETS_GO, h);
		g_array_remove_index(s->holding, i);
	}
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static struct keeping keeping_of(const struct look_slot *k)
{
	struct keeping out = { mix(mix(k->slot.network.hi, k->slot.number), k->slot.kind), 1 };

	out.state = mix(out.state, (uint64_t)k->view.name.generation << 32 | k->view.name.number);
	out.state = mix(out.state, k->votes | k->sealed << 1 | k->complete << 2 | k->primary << 3);
	for (unsigned i = 0; i < k->view.members; i++)
		out.state = mix(out.state, k->view.member[i].id.hi);
	return out;
}

static bool was_so(const struct seen *s, struct keeping k, unsigned at)
{
	for (unsigned i = 0; i < s->keeping->len; i++) {
		struct keeping *old = &g_array_index(s->keeping, struct keeping, (at + i) % s->keeping->len);

		if (old->slot == k.slot)
			return old->state == k.state;
	}
	return false;
}

static void see_slots(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n)
{
	struct seen *s = &l->seen[host];
	GArray *fresh = g_array_new(FALSE, FALSE, sizeof(struct keeping));
	struct noted out = { .at_ns = now_ns, .host = host, .kind = NOTED_SLOT, .id = s->id };

	array(&s->keeping, sizeof(struct keeping));
	for (unsigned i = 0; node_slot(n, i, &out.slot.look); i++) {
		struct keeping k = keeping_of(&out.slot.look);

		g_array_append_val(fresh, k);
		if (was_so(s, k, i))
			continue;
		out.slot.life = s->life;
		out.slot.started_ns = s->started_ns;
		note(l, shard, &out);
	}
	g_array_free(s->keeping, TRUE);
	s->keeping = fresh;
}

static uint32_t remote_changes(const struct addresses *l, const struct node *n)
{
	uint32_t sum = 0;

	for (unsigned k = 0; k < networks_count(l->world); k++)
		sum += node_remote_changes(n, k);
	return sum;
}

static void see_remotes(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n)
{
	struct seen *s = &l->seen[host];
	GArray *fresh = g_array_new(FALSE, FALSE, sizeof(struct resolving)), *old;
	struct look_remote r;

	old = array(&s->resolving, sizeof(struct resolving));
	for (unsigned k = 0; k < networks_count(l->world); k++)
		for (unsigned i = 0; node_remote(n, k, i, &r); i++) {
			struct resolving now = { r.ip, r.fence, k };

			for (unsigned o = 0; o < old->len; o++) {
				struct resolving *was = &g_array_index(old, struct resolving, (fresh->len + o) % old->len);
				struct noted out = { .at_ns = now_ns, .host = host, .kind = NOTED_BACK, .id = s->id };

				if (was->network != k || !ip_eq(&was->ip, &r.ip))
					continue;
				out.back.ip = r.ip;
				out.back.before = was->fence;
				out.back.now = r.fence;
				if (fence_cmp(was->fence, r.fence))
					note(l, shard, &out);
				break;
			}
			g_array_append_val(fresh, now);
		}
	g_array_free(old, TRUE);
	s->resolving = fresh;
}

static void forget(struct seen *s)
{
	GArray **all[] = { &s->holding, &s->keeping, &s->resolving };

	for (unsigned i = 0; i < 3; i++) {
		if (*all[i])
			g_array_free(*all[i], TRUE);
		*all[i] = NULL;
	}
	s->held_changes = s->slot_changes = s->remote_changes = 0;
}

static void see_node(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct node *n, bool barrier)
{
	struct seen *s = &l->seen[host];
	struct clock clock = world_clock(l->world, host);
	uint32_t held = node_held_changes(n), slots = node_slot_changes(n), remotes = remote_changes(l, n);

	bool other_clock = clock.since_ns != s->clock.since_ns || clock.drift_ppb != s->clock.drift_ppb;

	if (barrier || held != s->held_changes || other_clock || now_ns >= s->next_end_ns)
		see_holdings(l, shard, now_ns, host, n, barrier);
	if (barrier || slots != s->slot_changes)
		see_slots(l, shard, now_ns, host, n);
	if (remotes != s->remote_changes)
		see_remotes(l, shard, now_ns, host, n);
	s->clock = clock;
	s->held_changes = held;
	s->slot_changes = slots;
	s->remote_changes = remotes;
}

void addresses_started(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct seen *s = &l->seen[host];
	struct noted n = { .at_ns = now_ns, .host = host, .kind = NOTED_STARTED };
	struct host_view v;

	world_host(l->world, host, &v);
	forget(s);
	s->id = n.id = v.id;
	note(l, shard, &n);
	s->life++;
	s->started_ns = now_ns;
	s->next_end_ns = INT64_MAX;
}

void addresses_ended(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, bool graceful)
{
	struct seen *s = &l->seen[host];
	struct noted n = { .at_ns = now_ns, .host = host, .kind = NOTED_ENDED, .graceful = graceful, .id = s->id };

	for (unsigned i = 0; s->holding && i < s->holding->len; i++)
		if (g_array_index(s->holding, struct holding, i).believed)
			note_holding(l, shard, now_ns, host, NOTED_LETS_GO,
				     &g_array_index(s->holding, struct holding, i));
	note(l, shard, &n);
	forget(s);
}

void addresses_stepped(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host)
{
	struct host_view v;

	world_host(l->world, host, &v);
	if (v.node)
		see_node(l, shard, now_ns, host, v.node, false);
}

void addresses_deed(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct deed *d)
{
	struct noted n = { .at_ns = now_ns, .host = host, .kind = NOTED_DEED, .id = l->seen[host].id };
	struct holding *h;

	n.deed = *d;
	note(l, shard, &n);
	if (d->kind != OP_RENEW || d->verdict)
		return;
	h = holding_of(&l->seen[host], d->network, &d->ip, 0);
	if (h && h->asked_ns == INT64_MAX)
		h->asked_ns = now_ns;
}

static void note_answer(struct addresses *l, unsigned shard, struct noted *n, const struct node *node)
{
	struct answer_case *a = &n->told.answer;
	const struct network_record *r = networks_record(l->world, n->told.network);
	struct look_remote remote;
	struct fence fence;

	a->own = node_believes(node, r->id, &a->answer.ip, &fence);
	for (unsigned i = 0; !a->resolved && node_remote(node, n->told.network, i, &remote); i++)
		if (ip_eq(&remote.ip, &a->answer.ip)) {
			a->resolved = true;
			a->owner = remote.owner;
		}
	note(l, shard, n);
}

void addresses_frame(struct addresses *l, unsigned shard, int64_t now_ns, uint32_t host, const struct frame *f)
{
	struct guest_answer answer[ANSWERS_MAX];
	unsigned count = answers_read((struct bytes){ f->data, f->len }, answer);
	unsigned network = f->iface - 1u;		/* sim/world/networks.c */
	struct host_view v;

	if (!count || network >= networks_count(l->world))
		return;
	world_host(l->world, host, &v);
	for (unsigned i = 0; i < count && v.node; i++) {
		struct noted n = { .at_ns = now_ns, .host = host, .kind = NOTED_ANSWER, .id = l->seen[host].id };

		n.told.network = network;
		n.told.answer = (struct answer_case){ .answer = answer[i], .host = host, .at_ns = now_ns };
		note_answer(l, shard, &n, v.node);
	}
}

/* ---- judging: barriers ---- */

static bool lives(const void *ctx, struct id id, uint32_t host, int64_t since_ns)
{
	const struct addresses *l = ctx;
	uint32_t i = census_find(l->census, id);
	const struct census_row *r = i == CENSUS_NONE ? NULL : &l->census->row[i];

	return r && r->state == ROW_RUNS && r->born_ns <= since_ns &&
		(host == FINDING_WORLD || (r->part == l->census->row[host].part && r->moved_ns <= since_ns));
}

static void judge_lapse(struct addresses *l, const struct noted *n)
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

static void judge_back(struct addresses *l, const struct noted *n)
{
	struct fence a = n->back.before, b = n->back.now;

	findings_checked(l->judge->found, ORACLE_FENCES, 1);
	if (fence_cmp(b, a) < 0)
		findings_add(l->judge->found, ORACLE_FENCES, n->at_ns, n->host,
			     "it sent to %u.%u.%u.%u under fence %u.%" PRIu64 ".%u and now does under %u.%" PRIu64
			     ".%u, expected none that is older", n->back.ip.at[0], n->back.ip.at[1], n->back.ip.at[2],
			     n->back.ip.at[3], a.generation, a.grant, a.delegation, b.generation, b.grant, b.delegation);
}

static void judge_note(struct addresses *l, const struct noted *n)
{
	const struct holding *h = &n->holding;
	struct views_node node = { .id = n->id, .host = n->host };

	switch ((enum noted_kind)n->kind) {
	case NOTED_BELIEVES:
		beliefs_set(&l->beliefs, l->judge, n->at_ns, n->host, n->id, h->network, &h->ip, h->fence, h->until_ns);
		break;
	case NOTED_LETS_GO:
		beliefs_end(&l->beliefs, n->at_ns, n->host, h->network, &h->ip);
		break;
	case NOTED_LAPSED:
		judge_lapse(l, n);
		break;
	case NOTED_SLOT:
		node.life = n->slot.life;
		node.started_ns = n->slot.started_ns;
		views_seen(&l->views, l->judge, n->at_ns, &node, &n->slot.look);
		break;
	case NOTED_DEED:
		histories_deed(&l->histories, n->at_ns, n->host, n->id, &n->deed);
		trips_deed(&l->trips, &l->views, n->at_ns, n->host, &n->deed);
		if (n->deed.verdict == VERDICT_OK && id_eq(n->deed.holder, n->id))
			beliefs_granted(&l->beliefs, n->at_ns, n->host, n->id, n->deed.network, &n->deed.ip);
		break;
	case NOTED_STARTED:
		views_came(&l->views, n->id);
		break;
	case NOTED_ENDED:
		if (!n->graceful)
			views_died(&l->views, n->at_ns, n->id);
		histories_ended(&l->histories, n->at_ns, n->host);
		break;
	case NOTED_ANSWER:
		g_array_append_vals(l->answers, n, 1);
		break;
	case NOTED_BACK:
		judge_back(l, n);
		break;
	}
}

static int by_time(const void *va, const void *vb)
{
	const struct noted *a = va, *b = vb;

	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return (a->host > b->host) - (a->host < b->host);
}

/* Notes of one host are all in one shard, and g_array_sort() is stable, so the order is the same for any shards. */
static void judge_notes(struct addresses *l)
{
	g_array_set_size(l->sorted, 0);
	for (unsigned i = 0; i < l->shards; i++) {
		g_array_append_vals(l->sorted, l->noted[i]->data, l->noted[i]->len);
		g_array_set_size(l->noted[i], 0);
	}
	g_array_sort(l->sorted, by_time);
	for (unsigned i = 0; i < l->sorted->len; i++)
		judge_note(l, &g_array_index(l->sorted, struct noted, i));
}

/* What is old enough; at the end the rest is left. */
static void judge_answers(struct addresses *l, int64_t now_ns)
{
	unsigned done = 0;

	for (; done < l->answers->len; done++) {
		struct noted *n = &g_array_index(l->answers, struct noted, done);
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
	struct host_view v;

	for (uint32_t i = 0; i < l->hosts; i++) {
		world_host(l->world, i, &v);
		if (v.node)
			see_node(l, 0, now_ns, i, v.node, true);
	}
	judge_notes(l);
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
	l->hosts = world_hosts(w);
	l->shards = world_shards(w);
	l->seen = g_new0(struct seen, l->hosts);
	l->noted = g_new(GArray *, l->shards);
	for (unsigned i = 0; i < l->shards; i++)
		l->noted[i] = g_array_new(FALSE, FALSE, sizeof(struct noted));
	l->sorted = g_array_new(FALSE, FALSE, sizeof(struct noted));
	l->answers = g_array_new(FALSE, FALSE, sizeof(struct noted));
	beliefs_init(&l->beliefs);
	views_init(&l->views, lives, l);
	trips_init(&l->trips, w);
	for (unsigned i = 0; i < networks; i++) {
		const struct network_record *r = networks_record(w, i);

		term_s = MAX(term_s, r->term_s);
		if (r->policy == POLICY_RECLAIM)
			beliefs_reclaim(&l->beliefs, r->id);
	}
	histories_init(&l->histories, l->hosts, term_s);
	return l;
}

void addresses_free(struct addresses *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->hosts; i++)
		forget(&l->seen[i]);
	for (unsigned i = 0; i < l->shards; i++)
		g_array_free(l->noted[i], TRUE);
	g_array_free(l->sorted, TRUE);
	g_array_free(l->answers, TRUE);
	g_free(l->noted);
	g_free(l->seen);
	beliefs_done(&l->beliefs);
	views_done(&l->views);
	trips_done(&l->trips);
	histories_done(&l->histories);
	g_free(l);
}
