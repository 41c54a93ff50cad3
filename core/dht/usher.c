/*
 * Newcomers at our door. An usher decides nothing and is not trusted: it could
 * lose pleas and answers, and no more. One plea of each guest is under way at a
 * time; said again it is not asked again, and its answer is kept for as long
 * as the link lives, for the pieces that get lost.
 */
#include "core/dht/usher.h"

#define ASK_NS		(4 * NS_PER_S)		/* a signer has so long before the next one is asked ... */
#define LAST_NS		(16 * NS_PER_S)		/* ... and the last of them as long as it may have to ask itself */
#define LOOK_NS		(8 * NS_PER_S)

static struct guest *guest_of(const struct dht *d, link_ref ref)
{
	for (unsigned i = 0; d->usher && i < GUESTS; i++)
		if (d->usher->guest[i].used && link_same(d->usher->guest[i].link, ref))
			return &d->usher->guest[i];
	return NULL;
}

bool usher_knows(const struct dht *d, link_ref ref)
{
	return guest_of(d, ref);
}

struct usher *usher_of(struct dht *d, struct env *e)
{
	if (!d->usher)
		d->usher = mem_get(&e->mem, sizeof(*d->usher));
	if (!d->usher)
		env_drop(e, DROP_MEMORY);
	return d->usher;
}

static void forget_plea(struct env *e, struct guest *g)
{
	mem_put(&e->mem, g->plea, g->plea_len);
	mem_put(&e->mem, g->answer, g->answer_len);
	g->plea = g->answer = NULL;
	g->plea_len = g->answer_len = 0;
	g->signers = g->asked = 0;
	g->due_ns = INT64_MAX;
	g->cookie = 0;
}

static void guest_free(struct env *e, struct guest *g)
{
	forget_plea(e, g);
	*g = (struct guest){ .used = false };
}

void usher_free(struct dht *d, struct env *e)
{
	if (!d->usher)
		return;
	for (unsigned i = 0; i < GUESTS; i++)
		guest_free(e, &d->usher->guest[i]);
	for (unsigned i = 0; i < ADMIT_JOBS; i++)
		admit_end(e, &d->usher->job[i]);
	mem_put(&e->mem, d->usher, sizeof(*d->usher));
	d->usher = NULL;
}

uint32_t usher_bytes(const struct dht *d)
{
	size_t bytes = d->usher ? sizeof(*d->usher) : 0;

	for (unsigned i = 0; d->usher && i < GUESTS; i++)
		bytes += d->usher->guest[i].plea_len + d->usher->guest[i].answer_len;
	for (unsigned i = 0; d->usher && i < ADMIT_JOBS; i++)
		bytes += d->usher->job[i].plea_len;
	return (uint32_t)bytes;
}

void usher_arm(struct dht *d, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; d->usher && i < GUESTS; i++) {
		const struct guest *g = &d->usher->guest[i];

		if (g->used && g->until_ns < due)
			due = g->until_ns;
		if (g->used && g->due_ns < due)
			due = g->due_ns;
	}
	if (due < INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_ADMIT, due);
	else
		heap_del(&e->timers, TIMER_ADMIT);
}

void usher_link(struct dht *d, struct env *e, link_ref ref, bool up)
{
	struct usher *u = d->usher;
	struct guest *g = guest_of(d, ref);

	if (!up) {
		if (g)
			guest_free(e, g);
		usher_arm(d, e);
		return;
	}
	u = usher_of(d, e);
	for (unsigned i = 0; !g && u && i < GUESTS; i++)
		if (!u->guest[i].used)
			g = &u->guest[i];
	if (!g) {
		env_drop(e, DROP_FULL);
		links_close(e, d->ring->links, ref, END_FULL);
		return;
	}
	*g = (struct guest){ .used = true, .link = ref, .until_ns = e->now_ns + GUEST_S * NS_PER_S, .due_ns = INT64_MAX };
	usher_arm(d, e);
}

/* ---- the answer ---- */

static void tell(struct dht *d, struct env *e, const struct guest *g)
{
	if (!g->answer) {
		struct writer w = links_message(e, d->ring->links, g->link, MESSAGE_VERDICT, VERDICT_HEADER);

		write_copy(&w, g->nonce, INVITE_NONCE);
		write_u32(&w, 0);
		links_sent(e, d->ring->links, g->link, &w);
	}
	for (size_t at = 0; at < g->answer_len; at += VERDICT_PIECE) {
		struct writer w = links_message(e, d->ring->links, g->link, MESSAGE_VERDICT, VERDICT_HEADER + VERDICT_PIECE);

		verdict_write(&w, (struct bytes){ g->answer, g->answer_len }, at);
		links_sent(e, d->ring->links, g->link, &w);
	}
}

static void answered(struct dht *d, struct env *e, struct guest *g, struct bytes answer)
{
	g->due_ns = INT64_MAX;
	g->cookie = 0;
	g->answer = mem_get(&e->mem, answer.len);
	if (!g->answer)
		return;
	memcpy(g->answer, answer.at, answer.len);
	g->answer_len = (uint16_t)answer.len;
	tell(d, e, g);
}

static void refuse(struct dht *d, struct env *e, struct guest *g, enum admit why)
{
	uint8_t buf[ANSWER_HEADER];
	struct writer w = writer_of(buf, sizeof(buf));

	answer_refuse(&w, g->nonce, why);
	answered(d, e, g, (struct bytes){ buf, sizeof(buf) });
}

/* ---- the plea ---- */

/* To the next signer that may live. */
static void ask_next(struct dht *d, struct env *e, struct guest *g)
{
	while (g->asked < g->signers) {
		struct id to = g->signer[(g->asked++ + g->first) % g->signers];

		if (dht_dead(d, e, to) || revoked_by(e->revoked, e->config->overlay, to))
			continue;
		if (dht_post(d, e, to, ROUTE_EXACT, BODY_ADMIT, (struct bytes){ g->plea, g->plea_len }, NULL) == DROP_NONE) {
			g->due_ns = e->now_ns + (g->asked < g->signers ? ASK_NS : LAST_NS);
			return;
		}
	}
	refuse(d, e, g, ADMIT_SIGNER);
}

void usher_plea(struct dht *d, struct env *e, link_ref ref, struct bytes body)
{
	struct id network = network_id(e->config->overlay);
	struct op op = { .kind = OP_GET, .type = VALUE_MEMBER, .slot.network = network,
			 .name = { (const uint8_t *)SIGNERS_NAME, sizeof(SIGNERS_NAME) - 1 } };
	struct guest *g = guest_of(d, ref);
	struct plea q;

	if (!g || !plea_read(body, &q)) {
		env_drop(e, g ? DROP_VALUE : DROP_STATE);
		return;
	}
	if (g->plea && !memcmp(g->nonce, q.nonce, INVITE_NONCE)) {
		tell(d, e, g);
		return;
	}
	if (g->plea && !g->answer) {
		env_drop(e, DROP_RATE);
		return;
	}
	forget_plea(e, g);
	g->plea = mem_get(&e->mem, body.len);
	if (!g->plea) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	memcpy(g->plea, body.at, body.len);
	g->plea_len = (uint16_t)body.len;
	memcpy(g->nonce, q.nonce, INVITE_NONCE);
	if (admit_has(d, network)) {
		g->signer[0] = d->self->id;
		g->signers = 1;
		ask_next(d, e, g);
	} else {
		g->cookie = usher_cookie(d);
		if (!dht_ask(d, e, DHT_USER_ADMIT, g->cookie, &op, LOOK_NS))
			refuse(d, e, g, ADMIT_LATER);
	}
	usher_arm(d, e);
}

bool usher_done(struct dht *d, struct env *e, const struct dht_done *done)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		struct guest *g = &d->usher->guest[i];

		if (!g->used || g->cookie != done->cookie)
			continue;
		g->cookie = 0;
		for (unsigned k = 0; k < done->values && g->signers < GUEST_SIGNERS; k++)
			g->signer[g->signers++] = done->value[k].writer;
		g->first = g->signers ? (uint8_t)random_below(&e->random, g->signers) : 0;
		if (g->signers || done->verdict == VERDICT_ABSENT || done->verdict == VERDICT_OK)
			ask_next(d, e, g);
		else
			refuse(d, e, g, ADMIT_LATER);
		usher_arm(d, e);
		return true;
	}
	return false;
}

void usher_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	const uint8_t *nonce = answer_nonce(m->data);

	for (unsigned i = 0; nonce && d->usher && i < GUESTS; i++) {
		struct guest *g = &d->usher->guest[i];

		if (g->used && g->plea && !g->answer && !memcmp(g->nonce, nonce, INVITE_NONCE)) {
			answered(d, e, g, m->data);
			usher_arm(d, e);
			return;
		}
	}
	env_drop(e, nonce ? DROP_STALE : DROP_VALUE);
}

void admit_timer(struct dht *d, struct env *e)
{
	for (unsigned i = 0; d->usher && i < GUESTS; i++) {
		struct guest *g = &d->usher->guest[i];

		if (g->used && g->until_ns <= e->now_ns) {
			link_ref ref = g->link;

			guest_free(e, g);
			links_close(e, d->ring->links, ref, END_UNWANTED);
		} else if (g->used && g->due_ns <= e->now_ns) {
			ask_next(d, e, g);
		}
	}
	usher_arm(d, e);
}
