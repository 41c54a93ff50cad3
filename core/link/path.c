/*
 * Paths: how a link's packets travel, and how that changes.
 *
 * A peer seen at a new place is challenged there before anything is sent to it
 * (RFC 9000, section 9): the session moves, nothing above it notices. A link
 * that only a common neighbour can carry is relayed, and made direct as reach.c
 * says. Relays keep no state: RELAY names the target, RELAYED the
 * source, both by id, and only direct links are relayed over.
 */
#include <string.h>

#include "core/link/table.h"

#define PUNCH_MS	300u			/* challenges go out at 0, 0.3, 0.9 and 2.1 s, and wait until 4.5 */
#define STAY_MS		3000u			/* a link whose path moved stays with it for so long */

void path_set_via(struct env *e, struct links *l, struct link *k, uint16_t via)
{
	(void)l;
	if (k->via == via)
		return;
	k->via = via;
	mtu_reset(k);
	k->meets = 0;
	if (via != NO_SLOT)
		k->told = 0;
	if (k->state == LINK_UP)
		env_record(e, RECORD_LINK_PATH, k->id, via != NO_SLOT, 0);
}

/* One nonce for each place: the answer says which of them is reached. */
void path_challenge_again(struct env *e, struct links *l, struct link *k, struct attempt *t)
{
	t->due_ms = env_ms(e) + (PUNCH_MS << t->tries);
	t->tries++;
	for (unsigned i = 0; i < t->ats; i++) {
		struct writer w = message_open(e, l, k, NO_SLOT, MESSAGE_CHALLENGE, 8);

		write_u64(&w, t->nonce + i);
		message_shut(e, l, k, NO_SLOT, &t->at[i], &w);
		reach_sent(e, l, &t->at[i]);
	}
}

/* Is the peer at one of the @count places @at? Nothing new is asked while the last of them is being asked. */
void path_challenge(struct env *e, struct links *l, struct link *k, const struct endpoint *at, unsigned count)
{
	struct attempt *t;

	for (t = k->attempts; t; t = t->next)
		for (unsigned i = 0; t->kind == ATTEMPT_MOVE && i < t->ats; i++)
			if (endpoint_eq(&t->at[i], &at[count - 1]))
				return;
	t = attempt_add(e, l, k, ATTEMPT_MOVE);
	if (!t)
		return;
	memcpy(t->at, at, count * sizeof(*at));
	t->ats = (uint8_t)count;
	t->nonce = random_u64(&e->random);
	path_challenge_again(e, l, k, t);
}

/*
 * Did this packet come from where we send to? If not, the peer moved, or two
 * ways work and it took the other one: then the faster one is for both ends.
 * Where each new way opens another port of a NAT, that ends only by not
 * following for a while.
 */
void path_check(struct env *e, struct links *l, struct link *k, const struct arrival *a)
{
	struct endpoint at[] = { k->at, a->from };

	if (a->via == NO_SLOT && k->state == LINK_UP && k->via == NO_SLOT && !endpoint_eq(&a->from, &k->at) &&
	    (!k->moved_ms || env_ms(e) - k->moved_ms >= STAY_MS))
		path_challenge(e, l, k, at, 2);
}

void path_challenge_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a)
{
	uint64_t nonce = read_u64(in);
	struct writer w;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	w = message_open(e, l, k, a->via, MESSAGE_RESPONSE, 8);
	write_u64(&w, nonce);
	message_shut(e, l, k, a->via, &a->from, &w);
	if (a->via == NO_SLOT && k->via != NO_SLOT) {
		if (reach_let(l, a) > k->let)
			k->let = (uint8_t)reach_let(l, a);
		path_challenge(e, l, k, &a->from, 1);	/* the direct way works towards us; and back? */
	}
}

void path_response_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a)
{
	uint64_t nonce = read_u64(in);
	struct endpoint at;
	bool moved;

	for (struct attempt *t = k->attempts; reader_ok(in) && t; t = t->next) {
		if (t->kind != ATTEMPT_MOVE || nonce - t->nonce >= t->ats || a->via != NO_SLOT)
			continue;
		at = t->at[nonce - t->nonce];
		moved = k->via != NO_SLOT || !endpoint_eq(&k->at, &at);
		k->at = at;
		k->moved_ms = env_ms(e);
		if (moved)
			mtu_reset(k);
		path_set_via(e, l, k, NO_SLOT);
		attempt_free(e, l, k, t);
		if (moved)
			reach_tell(e, l, k);
		return;
	}
	env_drop(e, DROP_STATE);
}

/* ---- relays ---- */

/* @k's peer asks us to carry a packet to one of our neighbours. */
void path_relay_in(struct env *e, struct links *l, struct link *k, struct reader *in)
{
	struct id to = read_id(in);
	link_ref ref = reader_ok(in) ? links_find(l, to) : LINK_NONE;
	struct link *target = link_ok(ref) ? link_at(l, ref.slot) : NULL;
	struct writer w;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (!target || target == k || target->state != LINK_UP || target->via != NO_SLOT || k->via != NO_SLOT ||
	    k->invited || target->invited) {
		env_drop(e, DROP_ROUTE);
		return;
	}
	w = message_open(e, l, target, NO_SLOT, MESSAGE_RELAYED, ID_BYTES + reader_left(in));
	write_id(&w, k->id);
	write_copy(&w, in->at, reader_left(in));
	message_shut(e, l, target, NO_SLOT, &target->at, &w);
}

void path_relayed_in(struct env *e, struct links *l, struct link *k, struct reader *in)
{
	struct arrival a = { .via = link_slot(l, k), .peer = read_id(in) };

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (k->via != NO_SLOT) {
		env_drop(e, DROP_ROUTE);
		return;
	}
	packet_input(e, l, in->at, reader_left(in), &a);
}

