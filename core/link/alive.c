/*
 * Liveness and its price (DESIGN section 5).
 *
 * A link that was silent for its pace is probed; whatever authentic packet
 * comes counts as life for both ends, so one exchange per pace serves a pair.
 * The end that answered the call waits an eighth longer, so that nearly always
 * the same end asks. A probe unanswered after a retransmission time-out makes a
 * suspicion: probes at even steps of config.suspect_ns, one more through a
 * third node, and then the link is dead. However busy a link is, it is probed
 * now and then, for only probes tell the versions of both ends' lists. Round trips are smoothed as in RFC
 * 6298, from probes that were answered at the first try (Karn's rule).
 */
#include <string.h>

#include "core/link/table.h"

enum { TOLD_PACES = 3 };	/* paces until a busy link is probed all the same */
enum { AID_AFTER = 2 };	/* probes in vain until third nodes are asked */
enum { TOGETHER_SHIFT = 4 };	/* links due within a sixteenth of their pace are probed in one alarm */

void alive_sample(struct link *k, uint32_t us)
{
	uint32_t off;

	if (!us)
		us = 1;
	if (!k->srtt_us) {
		k->srtt_us = us;
		k->rttvar_us = us / 2;
		return;
	}
	off = us > k->srtt_us ? us - k->srtt_us : k->srtt_us - us;
	k->rttvar_us = k->rttvar_us - k->rttvar_us / 4 + off / 4;
	k->srtt_us = k->srtt_us - k->srtt_us / 8 + us / 8;
}

static uint32_t rto_ms(const struct links *l, const struct link *k)
{
	return links_rto_us(l, (link_ref){ link_slot(l, k) }) / 1000 + 1;
}

static uint32_t patience_ms(const struct link *k)
{
	return k->called ? k->pace_ms : k->pace_ms + k->pace_ms / 8;
}

/* PROBE by the path in use, or by @via or to @to if given. */
void alive_probe(struct env *e, struct links *l, struct link *k, uint16_t via, const struct endpoint *to)
{
	struct writer w = message_open(e, l, k, via, MESSAGE_PROBE, 3);

	write_u8(&w, ++k->stamp);
	write_u8(&w, l->near_version);
	write_u8(&w, l->table_version);
	k->probe_us = env_us(e);
	message_shut(e, l, k, via, to ? to : &k->at, &w);
}

void alive_probe_in(struct env *e, struct links *l, struct link *k, struct reader *in, bool ack,
		    const struct arrival *a)
{
	uint8_t stamp = read_u8(in), near = read_u8(in), table = read_u8(in);
	struct news n = {
		.kind = NEWS_VERSIONS, .link = { link_slot(l, k) }, .id = k->id, .a = near, .b = table,
	};
	struct writer w;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	k->told_ms = env_ms(e);
	if (ack) {
		if (stamp == k->stamp && k->missed == 1 && a->via == k->via)
			alive_sample(k, env_us(e) - k->probe_us);
	} else {
		w = message_open(e, l, k, a->via, MESSAGE_PROBE_ACK, 3);
		write_u8(&w, stamp);
		write_u8(&w, l->near_version);
		write_u8(&w, l->table_version);
		message_shut(e, l, k, a->via, &a->from, &w);
	}
	if (k->state == LINK_UP)
		news_add(e, l, &n);
	if (ack && !k->suspect)
		k->missed = 0;
}

/* Something authentic came. */
void alive_heard(struct env *e, struct links *l, struct link *k, const struct arrival *a)
{
	struct news n = { .kind = NEWS_ALIVE, .link = { link_slot(l, k) }, .id = k->id };

	k->heard_ms = env_ms(e);
	if (k->suspect && a->via != k->via && a->via != NO_SLOT) {
		k->aid = a->via;		/* alive, but is its path? The next probes tell */
		k->aided = true;
	} else if (k->suspect) {
		k->suspect = k->aided = false;
		k->missed = 0;
		news_add(e, l, &n);
	} else if (k->missed > 1) {
		k->missed = 0;
	}
	path_check(e, l, k, a);
}

void links_doubt(struct env *e, struct links *l, link_ref ref)
{
	struct link *k = link_at(l, ref.slot);
	struct news n = { .kind = NEWS_SUSPECT, .link = ref };

	if (!k || k->state != LINK_UP || k->suspect)
		return;
	n.id = k->id;
	k->suspect = true;
	k->aided = false;
	k->missed = 2;
	news_add(e, l, &n);
	alive_probe(e, l, k, k->via, NULL);
	alive_arm(e, l, k);
}

static uint32_t earliest(uint32_t now, uint32_t a, uint32_t b)
{
	return (int32_t)(a - now) < (int32_t)(b - now) ? a : b;
}

/* When the next probe, or the verdict, is due. */
static uint32_t probe_due_ms(const struct env *e, const struct links *l, const struct link *k)
{
	uint32_t step = (uint32_t)(e->config->suspect_ns / NS_PER_MS) / e->config->suspect_probes;
	uint32_t ago = (env_us(e) - k->probe_us) / 1000;

	if (!k->missed)
		return earliest(env_ms(e), k->heard_ms + patience_ms(k), k->told_ms + TOLD_PACES * patience_ms(k));
	return env_ms(e) - ago + (k->suspect ? step : rto_ms(l, k));
}

static int64_t session_life_ms(const struct env *e, const struct link *k)
{
	int64_t life = e->config->rekey_ns / NS_PER_MS;

	return k->called ? life : life + life / 8;
}

void alive_arm(struct env *e, struct links *l, struct link *k)
{
	uint32_t now = env_ms(e), next, mtu;
	int32_t left;

	next = attempts_next_ms(e, k);
	if (k->state == LINK_UP) {
		next = earliest(now, next, probe_due_ms(e, l, k));
		if (k->old)
			next = earliest(now, next, k->old_ms);
		if (mtu_due(k, &mtu))
			next = earliest(now, next, mtu);
	}
	left = (int32_t)(next - now);
	heap_set(&e->timers, &e->mem, (uint16_t)(TIMER_LINK + link_slot(l, k)),
		 e->now_ns + (left > 0 ? left : 0) * NS_PER_MS);
}

static void rekey(struct env *e, struct links *l, struct link *k, bool now)
{
	struct contact c = { .id = k->id, .has_id = true, .ats = 1, .at = { k->at } };

	if (!k->attempts && (now || session_age_ms(e, k->session) > session_life_ms(e, k) || session_worn(k->session)))
		call_start(e, l, k, &c, true);
}

/* False: the link is gone. */
static bool probe_timer(struct env *e, struct links *l, struct link *k)
{
	struct news n = { .kind = NEWS_SUSPECT, .link = { link_slot(l, k) }, .id = k->id };

	if (!past(env_ms(e), probe_due_ms(e, l, k)))
		return true;
	if (k->missed > e->config->suspect_probes) {
		if (!k->aided || !link_at(l, k->aid)) {
			link_end(e, l, k, END_DEAD, true);
			return false;
		}
		path_set_via(e, l, k, k->aid);	/* only the third node gets through */
		reach_tell(e, l, k);
		k->suspect = k->aided = false;
		k->missed = 0;
		n.kind = NEWS_ALIVE;
		news_add(e, l, &n);
		return true;
	}
	if (k->missed && !k->suspect) {
		k->suspect = true;
		k->aided = false;
		news_add(e, l, &n);
	}
	if (++k->missed >= AID_AFTER) {		/* again: it may be us whom a NAT has given a new place */
		n.a = 1;
		news_add(e, l, &n);
	}
	alive_probe(e, l, k, k->via, NULL);
	if (k->suspect && k->via != NO_SLOT)
		alive_probe(e, l, k, NO_SLOT, &k->at);
	return true;
}

void alive_timer(struct env *e, struct links *l, struct link *k)
{
	if (k->attempts && !attempts_due(e, l, k))
		return;
	if (k->state == LINK_UP) {
		if (k->old && past(env_ms(e), k->old_ms)) {
			session_free(e, k->old);
			k->old = NULL;
		}
		if (!probe_timer(e, l, k))
			return;
		mtu_timer(e, l, k);
		reach_timer(e, l, k);
		rekey(e, l, k, false);
	}
	alive_arm(e, l, k);
}

void links_timer(struct env *e, struct links *l, uint16_t tag)
{
	struct link *k = link_at(l, (uint16_t)(tag - TIMER_LINK));
	uint32_t now = env_ms(e);

	if (!k)
		return;
	alive_timer(e, l, k);
	/* What is nearly due goes along: one alarm instead of several. */
	for (uint16_t i = 0; i < l->slots; i++) {
		struct link *o = link_at(l, i);

		if (!o || o->state != LINK_UP || o->missed || o->attempts || o->old || i == tag - TIMER_LINK)
			continue;
		if (now - o->heard_ms + (o->pace_ms >> TOGETHER_SHIFT) < patience_ms(o) ||
		    now - o->heard_ms >= patience_ms(o))
			continue;
		o->missed = 1;
		alive_probe(e, l, o, o->via, NULL);
		alive_arm(e, l, o);
	}
}

void links_resumed(struct env *e, struct links *l)
{
	for (uint16_t i = 0; i < l->slots; i++) {
		struct link *k = link_at(l, i);

		if (!k || k->state != LINK_UP)
			continue;
		k->missed = 1;
		alive_probe(e, l, k, k->via, NULL);
		rekey(e, l, k, true);
		alive_arm(e, l, k);
	}
}
