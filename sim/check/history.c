/*
 * history.c - from what nodes ask to records that are judged one by one
 *
 * A question names its address, with two exceptions. Create-any takes whatever
 * is free. Its answer tells which address it was; until then, and for ever if
 * none comes, it may have granted any. So it is kept with its asker ("wide"),
 * and told to a record when an answer about that record first names the asker
 * as the holder: before that nothing there can depend on it. If the answer then
 * tells of another address, the question counts as lost at the first one. The
 * asker tells of each slot it tries as a question of its own, so only records of
 * that slot can be meant. And a release may undo what a create made that nobody
 * heard of: it is told wherever that create was, and whatever it is answered, it
 * may have had its effect or not.
 *
 * An asker that walks from slot to slot through a long partition leaves dozens of
 * questions open, each of which may have granted something. WIDE_KEPT of them are
 * kept; an answer that names an asker of whom more were forgotten is not called bad.
 */
#include "sim/check/history.h"

#include <inttypes.h>
#include <string.h>

#include "sim/check/linear.h"

enum { WIDE_KEPT = 256 };		/* of one asker, that nobody answered */

struct record_history {
	struct id network;
	struct ip ip;
	struct linear *linear;
	bool touched;
};

/** struct place - where a wide question was told */
struct place {
	struct record_history *record;
	uint32_t number;
};

struct question {
	uint64_t nonce;
	uint32_t host;
	uint32_t number;		/* in its record */
	struct record_history *record;	/* NULL: wide, or a create kept with the wide ones as nobody heard of it */
	struct id network;
	struct slot_name slot;		/* wide: where it asked */
	struct linear_op op;
	int64_t begin_ns;
	GArray *place;			/* wide: struct place */
	bool lost;			/* wide */
};

static guint hash_record(const void *key)
{
	const struct record_history *r = key;
	uint64_t h = (r->network.hi ^ ip_low(&r->ip)) * UINT64_C(0x9e3779b97f4a7c15);

	return (guint)(h ^ h >> 32);
}

static gboolean equal_record(const void *va, const void *vb)
{
	const struct record_history *a = va, *b = vb;

	return ip_eq(&a->ip, &b->ip) && id_eq(a->network, b->network);
}

static guint hash_question(const void *key)
{
	const struct question *q = key;
	uint64_t h = (q->nonce + q->host) * UINT64_C(0x9e3779b97f4a7c15);

	return (guint)(h ^ h >> 32);
}

static gboolean equal_question(const void *va, const void *vb)
{
	const struct question *a = va, *b = vb;

	return a->nonce == b->nonce && a->host == b->host;
}

static void free_question(struct question *q)
{
	if (q->place)
		g_array_free(q->place, TRUE);
	g_free(q);
}

static void free_wide(void *list)
{
	GPtrArray *a = list;

	for (unsigned i = 0; i < a->len; i++) {
		struct question *q = g_ptr_array_index(a, i);

		if (q->lost)		/* the others belong to the open ones */
			free_question(q);
	}
	g_ptr_array_free(a, TRUE);
}

static void free_open(void *q)
{
	free_question(q);
}

void histories_init(struct histories *h, uint32_t hosts, uint32_t term_s)
{
	*h = (struct histories){
		.by_address = g_hash_table_new(hash_record, equal_record), .records = g_ptr_array_new(),
		.open = g_hash_table_new(hash_question, equal_question),
		.wide = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_wide),
		.forgotten = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
		.touched = g_ptr_array_new(), .of_host = g_new0(GArray *, hosts), .hosts = hosts, .term_s = term_s,
	};
}

void histories_done(struct histories *h)
{
	if (!h->records)
		return;
	g_hash_table_destroy(h->wide);
	g_hash_table_destroy(h->forgotten);
	for (uint32_t i = 0; i < h->hosts; i++) {
		for (unsigned k = 0; h->of_host[i] && k < h->of_host[i]->len; k++) {
			struct question key = { .nonce = g_array_index(h->of_host[i], uint64_t, k), .host = i };

			free_open(g_hash_table_lookup(h->open, &key));
		}
		if (h->of_host[i])
			g_array_free(h->of_host[i], TRUE);
	}
	g_free(h->of_host);
	g_hash_table_destroy(h->open);
	g_hash_table_destroy(h->by_address);
	for (unsigned i = 0; i < h->records->len; i++) {
		struct record_history *r = g_ptr_array_index(h->records, i);

		linear_free(r->linear);
		g_free(r);
	}
	g_ptr_array_free(h->records, TRUE);
	g_ptr_array_free(h->touched, TRUE);
	memset(h, 0, sizeof(*h));
}

static struct record_history *record_at(struct histories *h, struct id network, const struct ip *ip)
{
	struct record_history key = { .network = network, .ip = *ip };
	struct record_history *r = g_hash_table_lookup(h->by_address, &key);

	if (!r) {
		r = g_memdup2(&key, sizeof(key));
		r->linear = linear_new();
		g_ptr_array_add(h->records, r);
		g_hash_table_add(h->by_address, r);
	}
	if (!r->touched) {
		r->touched = true;
		g_ptr_array_add(h->touched, r);
	}
	return r;
}

static struct question *open_at(const struct histories *h, uint32_t host, uint64_t nonce)
{
	struct question key = { .nonce = nonce, .host = host };

	return g_hash_table_lookup(h->open, &key);
}

static void close_question(struct histories *h, struct question *q)
{
	GArray *mine = h->of_host[q->host];

	g_hash_table_remove(h->open, q);
	for (unsigned i = 0; i < mine->len; i++)
		if (g_array_index(mine, uint64_t, i) == q->nonce) {
			g_array_remove_index_fast(mine, i);
			break;
		}
}

/* ---- questions for any address ---- */

static GPtrArray *wide_of(struct histories *h, uint64_t who, bool make)
{
	GPtrArray *a = g_hash_table_lookup(h->wide, &who);

	if (!a && make) {
		a = g_ptr_array_new();
		g_hash_table_insert(h->wide, g_memdup2(&who, sizeof(who)), a);
	}
	return a;
}

static struct place *place_in(const struct question *q, const struct record_history *r)
{
	for (unsigned i = 0; i < q->place->len; i++)
		if (g_array_index(q->place, struct place, i).record == r)
			return &g_array_index(q->place, struct place, i);
	return NULL;
}

static struct place *tell(struct question *q, struct record_history *r)
{
	struct place p = { r, linear_begin(r->linear, q->begin_ns, &q->op) };

	g_array_append_val(q->place, p);
	return &g_array_index(q->place, struct place, q->place->len - 1);
}

/* An answer about @r names @holder: what that one asked for at large may be why. */
static void mentioned(struct histories *h, int64_t at_ns, struct record_history *r, uint64_t holder)
{
	GPtrArray *a = wide_of(h, holder, false);
	struct slot_name slot = slot_of_ip(r->network, &r->ip);

	for (unsigned i = 0; a && i < a->len; i++) {
		struct question *q = g_ptr_array_index(a, i);

		if (q->op.kind == OP_CREATE || !slot_eq(&q->slot, &slot) || place_in(q, r))
			continue;
		tell(q, r);
		if (q->lost)
			linear_lost(r->linear, at_ns, place_in(q, r)->number);
	}
}

/* Of what @who asked and nobody answered only the latest are kept. */
static void trim(struct histories *h, uint64_t who, GPtrArray *list)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < list->len; i++)
		lost += ((struct question *)g_ptr_array_index(list, i))->lost;
	for (unsigned i = 0; i < list->len && lost > WIDE_KEPT; i++) {
		struct question *old = g_ptr_array_index(list, i);

		if (!old->lost)
			continue;
		if (!g_hash_table_contains(h->forgotten, &who))
			g_hash_table_add(h->forgotten, g_memdup2(&who, sizeof(who)));
		g_ptr_array_remove_index(list, i--);
		free_question(old);
		lost--;
	}
}

/* @a tells where it took effect (@r), or that it did not; NULL: nobody will know. */
static void settle_wide(struct histories *h, int64_t at_ns, struct question *q, struct record_history *r,
			const struct linear_answer *a)
{
	GPtrArray *list = wide_of(h, q->op.who, true);

	if (q->op.kind == OP_RELEASE)
		a = NULL;
	if (r && !place_in(q, r))
		tell(q, r);
	for (unsigned i = 0; i < q->place->len; i++) {
		struct place *p = &g_array_index(q->place, struct place, i);

		record_at(h, p->record->network, &p->record->ip);	/* to be judged */
		if (p->record == r || (a && !r))
			linear_end(p->record->linear, at_ns, p->number, a);
		else
			linear_lost(p->record->linear, at_ns, p->number);
	}
	if (a) {
		g_ptr_array_remove(list, q);
		free_question(q);
		return;
	}
	q->lost = true;
	trim(h, q->op.who, list);
}

/* Nobody heard how the create @q of one address ended: it is lost there, and may be undone. */
static void keep_create(struct histories *h, struct question *q)
{
	GPtrArray *list = wide_of(h, q->op.who, true);
	struct place p = { q->record, q->number };

	q->place = g_array_new(FALSE, FALSE, sizeof(struct place));
	g_array_append_val(q->place, p);
	q->record = NULL;
	q->lost = true;
	g_ptr_array_add(list, q);
	trim(h, q->op.who, list);
}

/* A release of whatever an unheard create made: it is told where that may have been. */
static void undoes(struct histories *h, struct question *q)
{
	GPtrArray *a = wide_of(h, q->op.who, true);

	for (unsigned i = 0; i < a->len; i++) {
		const struct question *made = g_ptr_array_index(a, i);

		if (made->op.kind == OP_RELEASE || !slot_eq(&made->slot, &q->slot))
			continue;
		for (unsigned k = 0; k < made->place->len; k++) {
			struct record_history *r = g_array_index(made->place, struct place, k).record;

			if (!place_in(q, r))
				tell(q, r);
		}
	}
}

/* ---- deeds ---- */

static void begins(struct histories *h, int64_t at_ns, uint32_t host, struct id node, const struct deed *d)
{
	struct question *q;
	GArray **mine = &h->of_host[host];

	if (open_at(h, host, d->nonce))
		return;			/* told again */
	q = g_new0(struct question, 1);
	*q = (struct question){ .nonce = d->nonce, .host = host, .network = d->network,
				.slot = slot_of_ip(d->network, &d->ip), .begin_ns = at_ns };
	q->op = (struct linear_op){
		.who = node.hi, .client = d->client, .kind = d->kind,
		.term_ns = (int64_t)(d->term_s ? d->term_s : h->term_s) * 1000000000,
		.fence = { (uint32_t)(d->fence[0] >> 32), (uint32_t)d->fence[0], d->fence[1] },
	};
	h->asked++;
	if (d->wide) {
		q->place = g_array_new(FALSE, FALSE, sizeof(struct place));
		if (d->kind == OP_RELEASE)
			undoes(h, q);
		g_ptr_array_add(wide_of(h, node.hi, true), q);
	} else {
		q->record = record_at(h, d->network, &d->ip);
		q->number = linear_begin(q->record->linear, at_ns, &q->op);
	}
	g_hash_table_add(h->open, q);
	if (!*mine)
		*mine = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	g_array_append_val(*mine, q->nonce);
}

static void count(struct histories *h, const struct question *q, const struct deed *d)
{
	bool create = q->op.kind == OP_CREATE || q->op.kind == OP_CREATE_ANY;

	if (d->verdict == VERDICT_WAIT || d->verdict == VERDICT_TIMEOUT)
		h->lost++;
	else if (d->verdict != VERDICT_OK)
		h->refused++;
	else
		h->granted += create || q->op.kind == OP_TAKE;
	h->contended += create && d->verdict == VERDICT_TAKEN;
}

static void ends(struct histories *h, int64_t at_ns, struct question *q, const struct deed *d)
{
	struct linear_answer a = {
		.holder = d->holder.hi, .client = d->client, .verdict = d->verdict,
		.fence = { (uint32_t)(d->fence[0] >> 32), (uint32_t)d->fence[0], d->fence[1] },
	};

	count(h, q, d);
	close_question(h, q);
	if (!q->record) {
		bool sure = d->verdict != VERDICT_WAIT && d->verdict != VERDICT_TIMEOUT;

		bool here = d->verdict == VERDICT_OK && d->kind == OP_CREATE_ANY;

		settle_wide(h, at_ns, q, here ? record_at(h, d->network, &d->ip) : NULL, sure ? &a : NULL);
		return;
	}
	record_at(h, q->network, &q->record->ip);
	linear_end(q->record->linear, at_ns, q->number, &a);
	if (q->op.kind == OP_CREATE && (d->verdict == VERDICT_WAIT || d->verdict == VERDICT_TIMEOUT)) {
		keep_create(h, q);
		return;
	}
	if (a.holder && a.holder != q->op.who)
		mentioned(h, at_ns, q->record, a.holder);
	free_question(q);
}

void histories_deed(struct histories *h, int64_t at_ns, uint32_t host, struct id node, const struct deed *d)
{
	struct question *q;

	switch (d->kind) {
	case OP_CREATE:
	case OP_CREATE_ANY:
	case OP_GET:
	case OP_RENEW:
	case OP_RELEASE:
	case OP_TAKE:
		break;
	default:
		return;
	}
	if (!d->verdict) {
		begins(h, at_ns, host, node, d);
		return;
	}
	q = open_at(h, host, d->nonce);
	if (q)
		ends(h, at_ns, q, d);
}

static void lose(struct histories *h, int64_t at_ns, struct question *q)
{
	h->lost++;
	close_question(h, q);
	if (!q->record) {
		settle_wide(h, at_ns, q, NULL, NULL);
		return;
	}
	record_at(h, q->network, &q->record->ip);
	linear_lost(q->record->linear, at_ns, q->number);
	free_question(q);
}

void histories_ended(struct histories *h, int64_t at_ns, uint32_t host)
{
	GArray *mine = h->of_host[host];

	while (mine && mine->len)
		lose(h, at_ns, open_at(h, host, g_array_index(mine, uint64_t, mine->len - 1)));
}

/* ---- judging ---- */

static const char *const kinds[OP_KINDS] = {
	[OP_CREATE] = "create", [OP_CREATE_ANY] = "create-any", [OP_GET] = "get", [OP_RENEW] = "renew",
	[OP_RELEASE] = "release", [OP_TAKE] = "take",
};

static void complain(const struct judge *j, const struct record_history *r, const struct linear_verdict *v)
{
	findings_add(j->found, ORACLE_HISTORY, v->end_ns, FINDING_WORLD,
		     "%s of %u.%u.%u.%u by %08" PRIx64 "... from %.6f s to %.6f s was answered \"%s\" (holder %08" PRIx64
		     ", fence %u.%" PRIu64 ".%u), and no order of all answers explains it: the record is %s%08" PRIx64
		     "'s, fence %u.%" PRIu64 ".%u, until %.6f s at least", kinds[v->op.kind],
		     r->ip.at[0], r->ip.at[1], r->ip.at[2], r->ip.at[3], v->op.who >> 32, (double)v->begin_ns / 1e9,
		     (double)v->end_ns / 1e9, verdict_text((enum verdict)v->answer.verdict), v->answer.holder >> 32,
		     v->answer.fence.generation, v->answer.fence.grant, v->answer.fence.delegation,
		     v->states > 1 ? "perhaps " : "", v->state.holder >> 32, v->state.fence.generation,
		     v->state.fence.grant, v->state.fence.delegation, (double)v->state.ends_ns / 1e9);
}

static void judge_record(struct histories *h, const struct judge *j, struct record_history *r)
{
	uint64_t before = linear_judged(r->linear);
	struct linear_verdict v;

	while (linear_judge(r->linear, &v)) {
		if (v.word == LINEAR_BAD && !g_hash_table_contains(h->forgotten, &v.answer.holder))
			complain(j, r, &v);
		else
			h->undecided++;
	}
	findings_checked(j->found, ORACLE_HISTORY, linear_judged(r->linear) - before);
}

void histories_judge(struct histories *h, const struct judge *j, int64_t now_ns, bool all)
{
	unsigned kept = 0;

	for (uint32_t i = 0; all && i < h->hosts; i++)
		histories_ended(h, now_ns, i);
	for (unsigned i = 0; i < h->touched->len; i++) {
		struct record_history *r = g_ptr_array_index(h->touched, i);

		judge_record(h, j, r);
		r->touched = !linear_idle(r->linear);	/* something stands before an open question */
		if (r->touched)
			h->touched->pdata[kept++] = r;
	}
	g_ptr_array_set_size(h->touched, (int)kept);
	if (all && h->undecided)
		findings_undecided(j->found, ORACLE_HISTORY, "%" PRIu64 " answers depend on too many questions that "
				   "were lost", h->undecided);
}
