#include "core/link/newcomer.h"

#include <sodium.h>

#define CALL_NS		(2 * NS_PER_S)		/* from a call that failed to the next round of calls */
#define PLEAD_NS	(1 * NS_PER_S)		/* first repetition, then doubling ... */
#define PLEAD_MOST_NS	(2 * NS_PER_S)		/* ... up to this */
#define LATER_NS	(2 * NS_PER_S)		/* after a verdict that is not the last one */

enum { PLEAS = 3 };				/* so many without an answer: new links */

struct newcomer {
	struct links *links;
	const struct newcomer_birth *birth;
	uint8_t nonce[INVITE_NONCE];
	uint8_t answer[ANSWER_MAX];
	uint16_t total, got;			/* of the answer, in order */
	link_ref from;				/* who sends it */
	uint8_t tries;				/* pleas with this nonce */
	bool over;
	int64_t call_ns, plead_ns;		/* INT64_MAX: not now */
};

bool verdict_write(struct writer *w, struct bytes answer, size_t offset)
{
	size_t len = answer.len - offset < VERDICT_PIECE ? answer.len - offset : VERDICT_PIECE;

	if (offset >= answer.len)
		return false;
	write_copy(w, answer_nonce(answer), INVITE_NONCE);
	write_u16(w, (uint16_t)answer.len);
	write_u16(w, (uint16_t)offset);
	write_copy(w, answer.at + offset, len);
	return true;
}

struct newcomer *newcomer_new(struct env *e, struct links *l, const struct newcomer_birth *b)
{
	struct newcomer *n = mem_get(&e->mem, sizeof(*n));

	if (!n)
		return NULL;
	n->links = l;
	n->birth = b;
	n->from = LINK_NONE;
	n->call_ns = n->plead_ns = INT64_MAX;
	return n;
}

void newcomer_free(struct env *e, struct newcomer *n)
{
	mem_put(&e->mem, n, sizeof(*n));
}

static void arm(struct env *e, struct newcomer *n)
{
	int64_t due = n->call_ns < n->plead_ns ? n->call_ns : n->plead_ns;

	if (due < INT64_MAX && !n->over)
		heap_set(&e->timers, &e->mem, TIMER_NEWCOMER, due);
	else
		heap_del(&e->timers, TIMER_NEWCOMER);
}

static void reply(struct env *e, const struct newcomer *n, enum answer how, enum admit verdict, struct bytes value)
{
	uint8_t *copy = value.len ? env_scratch(e, value.len) : NULL;
	struct reply r = { .token = n->birth->reply, .ask = ASK_REDEEM, .answer = (uint8_t)how, .verdict = (uint8_t)verdict };

	if (copy) {
		memcpy(copy, value.at, value.len);
		r.value = (struct bytes){ copy, value.len };
	}
	env_reply(e, &r);
}

static void call_all(struct env *e, struct newcomer *n)
{
	n->call_ns = INT64_MAX;
	for (unsigned i = 0; i < n->birth->token->ats; i++) {
		struct contact c = { .ats = 1, .at = { n->birth->token->at[i] } };

		links_call(e, n->links, &c);
	}
}

static void again(struct env *e, struct newcomer *n)
{
	random_bytes(&e->random, n->nonce, sizeof(n->nonce));
	n->tries = 0;
	n->total = n->got = 0;
	n->from = LINK_NONE;
}

static void close_all(struct env *e, struct newcomer *n)
{
	for (uint16_t i = 0; i < links_slots(n->links); i++)
		if (links_up(n->links, (link_ref){ i }))
			links_close(e, n->links, (link_ref){ i }, END_LEAVE);
}

/* Nothing comes back by the links there are: others with the same invitation may have taken our place there. */
static void afresh(struct env *e, struct newcomer *n)
{
	reply(e, n, ANSWER_HOP, ADMIT_NONE, (struct bytes){ 0 });
	again(e, n);
	close_all(e, n);
	n->plead_ns = INT64_MAX;
	n->call_ns = e->now_ns + random_around(&e->random, CALL_NS);
}

static void plead(struct env *e, struct newcomer *n)
{
	const struct newcomer_birth *b = n->birth;
	int64_t wait = PLEAD_NS << (n->tries < 2 ? n->tries : 2);
	uint8_t once[SIGN_BYTES];
	bool sent = false;

	e->suite->sign_pair(once, b->token->seed);
	for (uint16_t i = 0; i < links_slots(n->links); i++) {
		struct writer w = links_message(e, n->links, (link_ref){ i }, MESSAGE_PLEA, PLEA_MAX);

		if (w.bad)
			continue;
		plea_write(&w, e->suite, once, b->own, n->nonce, b->name, (struct bytes){ b->token->chain, b->token->chain_len });
		links_sent(e, n->links, (link_ref){ i }, &w);
		sent = true;
	}
	sodium_memzero(once, sizeof(once));
	if (n->tries < UINT8_MAX)
		n->tries++;
	n->plead_ns = sent ? e->now_ns + (wait < PLEAD_MOST_NS ? wait : PLEAD_MOST_NS) : INT64_MAX;
}

void newcomer_start(struct env *e, struct newcomer *n)
{
	again(e, n);
	call_all(e, n);
	arm(e, n);
}

/* The answer is whole. */
static void judge(struct env *e, struct newcomer *n)
{
	uint8_t room[GRANT_MAX], buf[GRANT_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bytes b = { n->answer, n->total };
	struct grant g;
	enum admit verdict = answer_open(b, e->suite, n->birth->own, n->nonce, n->birth->token->overlay, cert_utc(e),
					     room, &g);

	if (verdict == ADMIT_OK) {
		grant_write(&w, &g);
		reply(e, n, ANSWER_OK, verdict, (struct bytes){ buf, writer_len(&w) });
	} else {
		if (verdict == ADMIT_NONE)
			env_drop(e, DROP_SEAL);
		reply(e, n, admit_final(verdict) ? ANSWER_REFUSED : ANSWER_HOP, verdict, (struct bytes){ 0 });
	}
	sodium_memzero(room, sizeof(room));
	sodium_memzero(buf, sizeof(buf));
	n->over = admit_final(verdict);
	if (n->over) {
		close_all(e, n);
		return;
	}
	again(e, n);
	n->plead_ns = e->now_ns + LATER_NS;
}

static void piece_in(struct env *e, struct newcomer *n, link_ref ref, struct bytes body)
{
	struct reader in = reader_of(body.at, body.len);
	const uint8_t *nonce = read_take(&in, INVITE_NONCE);
	uint16_t total = read_u16(&in), offset = read_u16(&in);
	size_t len = reader_left(&in);

	if (!reader_ok(&in) || !len != !total || total > ANSWER_MAX || offset + len > total) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (memcmp(nonce, n->nonce, INVITE_NONCE) || n->over) {
		env_drop(e, DROP_STALE);
		return;
	}
	n->tries = 1;				/* somebody is there */
	if (!total)
		return;
	if (!offset && !(link_ok(n->from) && links_up(n->links, n->from) && n->got)) {
		n->from = ref;
		n->total = total;
		n->got = 0;
	}
	if (!link_same(n->from, ref) || total != n->total || offset != n->got)
		return;				/* of another answer, or again: what lacks comes again with the next plea */
	memcpy(n->answer + offset, in.at, len);
	n->got = (uint16_t)(offset + len);
	if (n->got == n->total)
		judge(e, n);
}

void newcomer_news(struct env *e, struct newcomer *n, const struct news *news)
{
	switch (news->kind) {
	case NEWS_UP:
		if (links_invited(n->links, news->link)) {
			links_close(e, n->links, news->link, END_UNWANTED);
			break;
		}
		n->plead_ns = e->now_ns;
		break;
	case NEWS_DOWN:
	case NEWS_FAILED:
		if (n->over)
			break;
		if (news->kind == NEWS_FAILED)
			reply(e, n, ANSWER_HOP, ADMIT_NONE, (struct bytes){ 0 });
		if (link_same(n->from, news->link))
			again(e, n);
		n->call_ns = e->now_ns + random_around(&e->random, CALL_NS);
		break;
	case NEWS_MESSAGE:
		if (news->message == MESSAGE_VERDICT)
			piece_in(e, n, news->link, news->body);
		break;
	default:
		break;
	}
	arm(e, n);
}

void newcomer_timer(struct env *e, struct newcomer *n)
{
	if (n->call_ns <= e->now_ns)
		call_all(e, n);
	if (n->plead_ns <= e->now_ns && n->tries >= PLEAS)
		afresh(e, n);
	else if (n->plead_ns <= e->now_ns)
		plead(e, n);
	arm(e, n);
}
