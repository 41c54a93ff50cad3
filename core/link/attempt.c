/*
 * What is under way for a link: calls, answers, words that are repeated until
 * they are heard. Each attempt has a due time; the link's timer is the earliest.
 * A link that is not up lives as long as something is tried for it.
 */
#include <assert.h>
#include <string.h>

#include "core/link/table.h"

enum { INDEX_BASE_BITS = 24 };

/* Does a session hear under @index already? It may be one of another slot: answers move, and keep theirs. */
static bool index_taken(const struct links *l, uint32_t index)
{
	struct attempt *answer;

	for (uint16_t i = 0; i < l->slots; i++)
		if (session_of(&l->link[i], index, &answer))
			return true;
	return false;
}

/* A slot that was trimmed away and is back counts its generations anew. */
uint32_t index_new(const struct env *e, const struct links *l, struct link *k)
{
	uint32_t index;

	do {
		k->gen++;
		index = (e->index_base & ~((1u << INDEX_BASE_BITS) - 1)) |
			(uint32_t)(k->gen & 0x3fff) << SLOT_BITS | link_slot(l, k);
	} while (index_taken(l, index));
	return index;
}

struct attempt *attempt_add(struct env *e, struct links *l, struct link *k, enum attempt_kind kind)
{
	struct attempt *t;

	if (kind == ATTEMPT_ANSWER && l->answers >= ANSWERS_MAX) {
		env_drop(e, DROP_RATE);
		return NULL;
	}
	t = mem_get(&e->mem, sizeof(*t));
	if (!t) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	t->kind = (uint8_t)kind;
	t->via = NO_SLOT;
	t->born_ms = env_ms(e);
	t->next = k->attempts;
	k->attempts = t;
	l->answers += kind == ATTEMPT_ANSWER;
	return t;
}

void attempt_free(struct env *e, struct links *l, struct link *k, struct attempt *t)
{
	struct attempt **at = &k->attempts;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	l->answers -= t->kind == ATTEMPT_ANSWER;
	if (t->kind == ATTEMPT_CALL || t->kind == ATTEMPT_ANSWER)
		handshake_wipe(&t->hs);
	session_free(e, t->session);
	mem_put(&e->mem, t->packet, t->packet_len);
	mem_put(&e->mem, t, sizeof(*t));
}

void attempts_drop(struct env *e, struct links *l, struct link *k, enum attempt_kind kind)
{
	for (struct attempt *t = k->attempts, *next; t; t = next) {
		next = t->next;
		if (t->kind == kind)
			attempt_free(e, l, k, t);
	}
}

bool attempt_keep(struct env *e, struct attempt *t, const struct writer *w)
{
	assert(!t->packet);
	t->packet = mem_get(&e->mem, writer_len(w));
	if (!t->packet)
		return false;
	t->packet_len = (uint16_t)writer_len(w);
	memcpy(t->packet, w->start, t->packet_len);
	return true;
}

/* ---- time ---- */

uint32_t attempts_next_ms(const struct env *e, const struct link *k)
{
	uint32_t now = env_ms(e), next = now + 1000000;

	for (const struct attempt *t = k->attempts; t; t = t->next)
		if ((int32_t)(t->due_ms - next) < 0)
			next = t->due_ms;
	return next;
}

bool attempts_due(struct env *e, struct links *l, struct link *k)
{
	uint32_t now = env_ms(e);

	for (struct attempt *t = k->attempts, *next; t; t = next) {
		next = t->next;
		if (!past(now, t->due_ms))
			continue;
		if (t->kind == ATTEMPT_CALL) {
			if (!call_due(e, l, k, t))
				return false;
		} else if (t->kind == ATTEMPT_FINISH && t->tries++ < FINISH_TRIES) {
			packet_send(e, l, t->id, t->via, &t->at[0], t->packet, t->packet_len, MESSAGE_FINISH);
			t->due_ms = now + FINISH_MS;
		} else if (t->kind == ATTEMPT_MOVE && t->tries < MOVE_TRIES) {
			path_challenge_again(e, l, k, t);
		} else {
			attempt_free(e, l, k, t);
		}
	}
	if (k->state != LINK_UP && !k->attempts) {
		struct news n = {
			.kind = NEWS_FAILED, .link = { link_slot(l, k) }, .id = k->id, .why = END_UNREACHED,
		};

		if (k->called)
			news_add(e, l, &n);
		link_drop(e, l, k);
		return false;
	}
	return true;
}
