/*
 * Control requests about leases and names: the same questions guests ask, from
 * an operator or an experiment. Requests about the ring go to the ring.
 */
#include "core/inside.h"

#define TIMEOUT_DEFAULT	(10 * NS_PER_S)

static void answer(struct node *n, const struct request *q, enum answer how, uint8_t verdict)
{
	struct reply r = { .token = q->token, .who = n->ring.self, .tries = 1, .answer = (uint8_t)how,
			   .ask = q->ask, .verdict = verdict, .ip = q->ip };

	env_reply(&n->env, &r);
}

/* What a verdict means to whoever asked. */
static enum answer answer_of(uint8_t verdict)
{
	return verdict == VERDICT_OK ? ANSWER_OK : verdict == VERDICT_TIMEOUT || verdict == VERDICT_WAIT ?
	       ANSWER_TIMEOUT : ANSWER_REFUSED;
}

static void lease_fields(struct reply *r, const struct lease *l)
{
	r->ip = l->ip;
	r->who = l->holder;
	r->fence[0] = (uint64_t)l->fence.generation << 32 | l->fence.delegation;
	r->fence[1] = l->fence.grant;
}

/* Is there a machine behind our tap at the address we were asked to have? The host itself, mostly. */
static bool used_here(const struct node *n, const struct held *h)
{
	struct look_guest g;

	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		for (unsigned j = 0; n->vnet[i] && id_eq(vnet_id(n->vnet[i]), h->network) && vnet_guest_at(n->vnet[i], j, &g); j++)
			if (ip_eq(&g.ip, &h->lease.ip))
				return true;
	return false;
}

void control_held(struct node *n, const struct held_news *news)
{
	static const uint8_t ASK[] = { [HELD_GRANTED] = ASK_LEASE, [HELD_REFUSED] = ASK_LEASE,
				       [HELD_RENEWED] = ASK_RENEW, [HELD_GONE] = ASK_RELEASE };
	struct reply r = { .token = news->held.cookie, .tries = 1, .verdict = news->verdict,
			   .until_ns = news->held.until_ns };

	if (news->word == HELD_WANTED && used_here(n, &news->held))	/* it moves with no machine, and who asks is told */
		held_deny(n->dht, &n->env, news->held.network, &news->held.lease.ip, news->by, news->nonce);
	if (news->word == HELD_LOST || news->word == HELD_WANTED || !news->held.cookie)
		return;			/* nobody waits for it */
	r.ask = ASK[news->word];
	r.answer = (uint8_t)(news->word == HELD_REFUSED ? answer_of(news->verdict) : ANSWER_OK);
	lease_fields(&r, &news->held.lease);
	env_reply(&n->env, &r);
}

void control_done(struct node *n, const struct dht_done *done)
{
	static const uint8_t ASK[OP_KINDS] = { [OP_GET] = ASK_RESOLVE, [OP_LOOK] = ASK_GET, [OP_PUT] = ASK_PUT,
					       [OP_DELETE] = ASK_DELETE };
	struct reply r = { .token = done->cookie, .who = n->ring.self, .tries = done->tries,
			   .verdict = done->verdict, .answer = (uint8_t)answer_of(done->verdict) };

	r.ask = done->kind == OP_GET && done->slot.kind == SLOT_NAMES ? ASK_GET : ASK[done->kind];
	if (done->lease.ip.family)
		lease_fields(&r, &done->lease);
	for (unsigned i = 0; i < done->values; i++) {
		struct reply one = r;

		one.answer = ANSWER_HOP;		/* one of several; the last reply says that it is all */
		one.who = done->value[i].writer;
		one.value = done->value[i].data;
		env_reply(&n->env, &one);
	}
	env_reply(&n->env, &r);
}

static bool ask_name(struct node *n, const struct event *ev, struct id network, int64_t timeout_ns)
{
	const struct request *q = &ev->request;
	struct op op = { .type = q->type ? q->type : VALUE_PLAIN, .term_s = q->term_s };

	if (!q->name || q->name > ev->data.len || q->name > NAME_MAX_BYTES || ev->data.len - q->name > VALUE_MAX)
		return false;
	op.kind = q->ask == ASK_PUT ? OP_PUT : q->ask == ASK_DELETE ? OP_DELETE : OP_GET;
	op.name = (struct bytes){ ev->data.at, q->name };
	op.value = (struct bytes){ ev->data.at + q->name, ev->data.len - q->name };
	op.slot = slot_of_text(network, op.name);
	return dht_ask(n->dht, &n->env, DHT_USER_CONTROL, q->token, &op, timeout_ns);
}

static bool ask_lease(struct node *n, const struct request *q, struct id network, int64_t timeout_ns)
{
	struct env *e = &n->env;
	struct op op = { .kind = OP_GET, .ip = q->ip };

	switch (q->ask) {
	case ASK_LEASE:
		return held_want(n->dht, e, DHT_USER_CONTROL, q->token, network, &q->ip, q->client, q->term_s, false);
	case ASK_RENEW:
		return held_touch(n->dht, e, network, &q->ip, q->token);
	case ASK_RELEASE:
		held_release(n->dht, e, network, &q->ip, q->token);
		return true;
	default:
		op.slot = slot_of_ip(network, &q->ip);
		return dht_ask(n->dht, e, DHT_USER_CONTROL, q->token, &op, timeout_ns);
	}
}

static void ask_echo(struct node *n, const struct request *q)
{
	struct env *e = &n->env;

	if (id_eq(q->key, n->ring.self))
		answer(n, q, ANSWER_OK, 0);
	else if (vnet_echo(n->vnet[q->network], e, q->key, q->token, q->size) != DROP_NONE)
		answer(n, q, ANSWER_FAILED, 0);
}

/* A list that is not newer than ours is refused, with the reason as the verdict. */
static void answer_revoke(struct node *n, const struct request *q, enum drop why)
{
	answer(n, q, why == DROP_NONE ? ANSWER_OK : ANSWER_REFUSED, (uint8_t)env_drop(&n->env, why));
}

void control_request(struct node *n, const struct event *ev)
{
	const struct request *q = &ev->request;
	int64_t timeout_ns = q->timeout_ns ? q->timeout_ns : TIMEOUT_DEFAULT;
	struct id network;
	bool asked;

	if (q->ask == ASK_REVOKE) {
		answer_revoke(n, q, floors_revoke(n, ev->data));
		return;
	}
	if (n->newcomer) {
		answer(n, q, ANSWER_NOT_JOINED, 0);
		return;
	}
	if (q->ask < ASK_LEASE || q->ask >= ASK_KINDS) {
		ring_request(&n->ring, &n->env, ev);
		return;
	}
	if (q->ask == ASK_JOIN) {
		answer(n, q, nets_join(n, q->network), 0);
		return;
	}
	if (q->network >= NETWORKS_MAX || !n->vnet[q->network]) {
		answer(n, q, ANSWER_FAILED, 0);
		return;
	}
	if (q->ask == ASK_QUIT) {
		if (!nets_quit(n, q->network, q->token))
			answer(n, q, ANSWER_FULL, 0);
		return;
	}
	if (q->ask == ASK_RULES) {
		vnet_rules(n->vnet[q->network], &n->env);
		tunnels_resumed(&n->env, n->tunnels);
		answer(n, q, ANSWER_OK, 0);
		return;
	}
	if (q->ask == ASK_ECHO) {
		ask_echo(n, q);
		return;
	}
	network = vnet_id(n->vnet[q->network]);
	if (q->ask <= ASK_RESOLVE)
		asked = (q->ip.family == 4 || q->ip.family == 6) && ask_lease(n, q, network, timeout_ns);
	else
		asked = ask_name(n, ev, network, timeout_ns);
	if (!asked)
		answer(n, q, ANSWER_FULL, 0);
}
