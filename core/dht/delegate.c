/*
 * An address moves to another node with its guest (DESIGN section 7, migration)
 *
 *	DELEGATE	network 16 | ip | nonce 8 | client 8 | asker 16: may it have it, for this guest?
 *	DELEGATED	network 16 | ip | nonce 8 | verdict 1 | proof: length 2, bytes (op.h: delegation)
 *
 * A verdict other than OK: ABSENT, it is not mine; FENCED, it was and I gave it to another, whose id is in the
 * proof's place; TAKEN, the guest is here.
 *
 * The owner, asked and willing (HELD_WANTED, held_delegate()), stops believing,
 * saves that, signs when the save is durable, and never signs for another under
 * that fence; what it signed is told again to the same asker. Ed25519 makes the
 * same bytes of the same words, so nothing signed is kept. It does not create
 * the address itself before the delegation is over (LEND_NS), but may have it
 * back by another one: whoever delegates has it from the slot, under a later fence.
 *
 * The new owner counts the rest of the term, LEND_NS at most, from sending its request, less
 * drift. A lending lease it may believe in at once, under the old fence's
 * number with one more delegation; it writes to the slot with the proof, gets a
 * fence of its own, and only then may delegate further. Other leases it
 * believes in when the slot has said so.
 */
#include "core/dht/holder.h"

#include "core/ring/message.h"

enum { LETTER_MAX = 80 + PROOF_MAX, REQUESTS = 6 };

#define REQUEST_NS	(100 * NS_PER_MS)	/* then twice as long each time */

/* ---- the owner ---- */

static void answer(struct dht *d, struct env *e, struct id to, struct id network, const struct ip *ip, uint64_t nonce,
		   uint8_t verdict, struct bytes proof, const struct id *via)
{
	uint8_t buf[LETTER_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	write_id(&w, network);
	write_ip(&w, ip);
	write_u64(&w, nonce);
	write_u8(&w, verdict);
	write_u16(&w, (uint16_t)proof.len);
	write_copy(&w, proof.at, proof.len);
	dht_post(d, e, to, ROUTE_EXACT, BODY_DELEGATED, (struct bytes){ buf, writer_len(&w) }, via);
}

static void delegation_of(const struct dht *d, const struct env *e, const struct hold *h, struct writer *w)
{
	const struct lease *l = &h->held.lease;
	const struct delegation g = {
		.network = h->held.network, .from = d->self->id, .to = h->other, .ip = l->ip, .nonce = h->nonce,
		.fence = l->fence, .client = l->client, .left_ms = h->lent_ms, .at_once = l->lends,
	};

	delegation_write(w, &g, e->suite, d->self);
}

static void sign_for(struct dht *d, struct env *e, struct hold *h, const struct id *via)
{
	uint8_t buf[PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	delegation_of(d, e, h, &w);
	if (!w.bad)
		answer(d, e, h->other, h->held.network, &h->held.lease.ip, h->nonce, VERDICT_OK,
		       (struct bytes){ buf, writer_len(&w) }, via);
}

void delegate_sign(struct dht *d, struct env *e, struct hold *h)
{
	sign_for(d, e, h, NULL);
}

bool held_delegate(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce)
{
	struct hold *h = hold_find(d, network, ip), before;

	if (!h || !held_believes(d, e, network, ip, NULL) || h->ask || h->unwritten || h->let_go ||
	    id_eq(to, d->self->id))
		return false;
	before = *h;
	h->lent_ms = (uint32_t)((h->held.until_ns - e->now_ns < LEND_NS ? h->held.until_ns - e->now_ns : LEND_NS) / NS_PER_MS);
	h->over_ns = hold_lent_until(d, e, h);
	h->other = to;
	h->nonce = nonce;
	h->due_ns = INT64_MAX;
	h->held.state = HELD_LENT;
	h->held.until_ns = 0;
	h->token = hold_save(e, h);
	if (!h->token) {			/* nothing was saved, nothing is signed */
		*h = before;
		return false;
	}
	holder_arm(d, e);
	return true;
}

void held_deny(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce)
{
	answer(d, e, to, network, ip, nonce, VERDICT_TAKEN, (struct bytes){ 0 }, NULL);
}

bool held_proof(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct writer *w)
{
	const struct hold *h = hold_find(d, network, ip);

	if (h && h->unwritten && h->proof && held_believes(d, e, network, ip, NULL))
		write_copy(w, h->proof, h->proof_len);
	else if (h && h->held.state == HELD_LENT && !h->token && h->held.lease.lends)
		delegation_of(d, e, h, w);
	else
		return false;
	return !w->bad;
}

/* What was signed for @to, if the address has not come back since */
static struct hold *lent_to(const struct dht *d, struct id network, const struct ip *ip, struct id to)
{
	struct hold *h = hold_find(d, network, ip), *best = NULL;

	if (!h || h->held.state == HELD_OURS)
		return NULL;
	for (unsigned i = 0; i < d->holder->count; i++) {
		h = &d->holder->hold[i];
		if (h->held.state == HELD_LENT && id_eq(h->other, to) && ip_eq(&h->held.lease.ip, ip) &&
		    id_eq(h->held.network, network) && (!best || fence_cmp(h->held.lease.fence, best->held.lease.fence) > 0))
			best = h;
	}
	return best;
}

static void asked(struct dht *d, struct env *e, const struct ring_mail *m)
{
	struct reader r = reader_of(m->data.at, m->data.len);
	struct id network = read_id(&r);
	struct ip ip = read_ip(&r);
	uint64_t nonce = read_u64(&r), client = read_u64(&r);
	struct id asker = read_id(&r);
	const struct id *via = m->has_via && id_eq(asker, m->from) ? &m->via : NULL;
	struct hold *h, *lent, wanted;
	uint8_t name[ID_BYTES];
	struct writer w = writer_of(name, sizeof(name));

	if (!reader_done(&r) || !ip.family || id_eq(asker, d->self->id)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	h = hold_find(d, network, &ip);
	lent = lent_to(d, network, &ip, asker);
	if (!h) {
		answer(d, e, asker, network, &ip, nonce, VERDICT_ABSENT, (struct bytes){ 0 }, via);
	} else if (lent) {
		if (!lent->token)
			sign_for(d, e, lent, via);
	} else if (h->held.state == HELD_LENT) {
		write_id(&w, h->other);
		answer(d, e, asker, network, &ip, nonce, VERDICT_FENCED, (struct bytes){ name, sizeof(name) }, via);
	} else if (held_believes(d, e, network, &ip, NULL)) {
		wanted = *h;
		wanted.other = asker;
		wanted.nonce = nonce;
		wanted.held.lease.client = client;
		hold_news(d, e, &wanted, HELD_WANTED, VERDICT_OK);
	}
}

/* ---- the slot's primary, and the new owner ---- */

static enum drop request(struct dht *d, struct env *e, struct id owner, struct id network, const struct ip *ip,
			 uint64_t nonce, uint64_t client, struct id asker)
{
	uint8_t buf[LETTER_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	write_id(&w, network);
	write_ip(&w, ip);
	write_u64(&w, nonce);
	write_u64(&w, client);
	write_id(&w, asker);
	return dht_post(d, e, owner, ROUTE_EXACT, BODY_DELEGATE, (struct bytes){ buf, writer_len(&w) }, NULL);
}

void delegate_pass(struct dht *d, struct env *e, const struct op *o, struct id owner)
{
	request(d, e, owner, o->slot.network, &o->ip, o->nonce, o->client, o->asker);
}

void delegate_ask(struct dht *d, struct env *e, struct hold *h)
{
	if (h->tries >= REQUESTS) {		/* no word from the owner: perhaps its term is over */
		h->taking = false;
		tend_ask(d, e, h, OP_TAKE);
		return;
	}
	if (request(d, e, h->other, h->held.network, &h->held.lease.ip, h->nonce, h->held.lease.client, d->self->id) ==
		    DROP_NONE && !h->requested_ns)
		h->requested_ns = e->now_ns;
	h->due_ns = e->now_ns + (REQUEST_NS << h->tries++);
}

void delegate_begin(struct dht *d, struct env *e, struct hold *h, const struct served *by)
{
	hold_cancel(d, e, h);
	h->taking = true;
	h->asking = OP_TAKE;
	h->other = by->owner;
	h->held.lease.fence = by->fence;
	h->nonce = by->nonce ? by->nonce : random_u64(&e->random);
	h->requested_ns = by->nonce ? by->asked_ns : 0;
	h->tries = by->nonce != 0;
	h->due_ns = e->now_ns + REQUEST_NS;
	h->owners++;
	if (!by->nonce)
		delegate_ask(d, e, h);
}

bool held_take(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, const struct served *by)
{
	const struct network_record *n = dht_record(d, network);
	struct hold *h = hold_find(d, network, ip);

	if (!n || !ip->family || (h && h->held.state != HELD_LENT) || id_eq(by->owner, d->self->id))
		return n && ip->family && held_want(d, e, user, cookie, network, ip, client, 0, true);
	h = hold_new(d, e);
	if (!h)
		return false;
	h->held = (struct held){
		.network = network, .cookie = cookie, .user = user, .keep = true, .state = HELD_ASKED,
		.lease = { .ip = *ip, .holder = d->self->id, .client = client, .term_s = n->term_s,
			   .lends = hold_lends(d, network) },
	};
	delegate_begin(d, e, h, by);
	holder_arm(d, e);
	return true;
}

/* Is @g what we asked this owner for? */
static bool fits(const struct dht *d, const struct hold *h, const struct delegation *g)
{
	return id_eq(g->network, h->held.network) && id_eq(g->from, h->other) && id_eq(g->to, d->self->id) &&
	       ip_eq(&g->ip, &h->held.lease.ip);
}

static void given(struct dht *d, struct env *e, struct hold *h, struct bytes proof, const struct delegation *g)
{
	int64_t rest = (int64_t)g->left_ms * NS_PER_MS;

	h->taking = false;
	h->held.lease.fence = g->fence;
	h->held.lease.client = g->client;
	hold_proof(e, h, proof);
	if (!h->proof) {
		env_drop(e, DROP_MEMORY);
		h->taking = true;		/* the owner tells it again */
		return;
	}
	rest -= rest / 1000000 * hold_drift(d, h) + rest % 1000000 * hold_drift(d, h) / 1000000;
	if (g->at_once && g->nonce == h->nonce && h->requested_ns && h->requested_ns + rest > e->now_ns && !h->let_go) {
		h->held.lease.fence.delegation++;
		h->held.until_ns = h->requested_ns + rest;
		h->held.state = HELD_OURS;
		h->unwritten = true;
		hold_save(e, h);
		hold_news(d, e, h, HELD_GRANTED, VERDICT_OK);
	}
	tend_ask(d, e, h, OP_TAKE);
}

/* It does not give it: somebody else may, or the slot say more. */
static void refused(struct dht *d, struct env *e, struct hold *h, uint8_t verdict, struct bytes named)
{
	struct reader r = reader_of(named.at, named.len);
	struct id next = read_id(&r);

	if (verdict == VERDICT_FENCED && reader_done(&r) && h->owners < OWNERS_MAX && !id_eq(next, d->self->id)) {
		delegate_begin(d, e, h, &(struct served){ .owner = next, .fence = h->held.lease.fence });
		return;
	}
	h->taking = false;
	if (verdict == VERDICT_TAKEN) {
		h->held.state = HELD_FREE;
		hold_news(d, e, h, HELD_REFUSED, verdict);
		hold_drop(d, e, h);
	} else {
		tend_ask(d, e, h, OP_TAKE);
	}
}

static void answered(struct dht *d, struct env *e, const struct ring_mail *m)
{
	struct reader r = reader_of(m->data.at, m->data.len);
	struct id network = read_id(&r);
	struct ip ip = read_ip(&r);
	uint64_t nonce = read_u64(&r);
	uint8_t verdict = read_u8(&r);
	struct bytes proof = { .len = read_u16(&r) };
	struct delegation g;
	struct hold *h;

	proof.at = read_take(&r, proof.len);
	if (!reader_done(&r)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	h = hold_find(d, network, &ip);
	if (!h || !h->taking) {
		env_drop(e, DROP_STATE);
	} else if (verdict != VERDICT_OK) {
		if (nonce != h->nonce || !id_eq(m->from, h->other)) {
			env_drop(e, DROP_STRANGER);
			return;
		}
		refused(d, e, h, verdict, proof);
	} else if (!delegation_read(proof, &g) || !fits(d, h, &g)) {
		env_drop(e, DROP_VALUE);
	} else if (!delegation_check(proof, e->suite)) {
		env_drop(e, DROP_SEAL);
	} else {
		given(d, e, h, proof, &g);
	}
	holder_arm(d, e);
}

void held_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	if (m->body == BODY_DELEGATE)
		asked(d, e, m);
	else if (d->holder)
		answered(d, e, m);
	else
		env_drop(e, DROP_STATE);
}
