/*
 * Who gets which word. Words about votes count only between members of one and
 * the same view, in the incarnations it names; whoever speaks of an older view
 * is told the newer, and whoever hears of a newer one asks for it.
 */
#include "core/dht/replica.h"

/* Words that only members of one and the same view say to each other. */
static void member_word(struct dht *d, struct env *e, struct replica *r, struct heard *h, struct reader *in)
{
	int c = view_cmp(h->view, r->view.name);

	if (!r->view.members || c > 0) {
		struct letter l;

		letter_now(d, e, letter_open(&l, d, WORD_WANT, &h->slot, h->view), h->from);
		return;
	}
	if (c < 0) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (h->place < 0) {
		env_drop(e, DROP_STALE);
		return;
	}
	if (!h->place) {
		r->heard_ns = e->now_ns;
		if (r->doubt_ns) {
			r->doubt_ns = 0;
			seek_found(d, e, &r->slot);
		}
	}
	switch (h->word) {
	case WORD_WRITE:
		write_in(d, e, r, h, in);
		break;
	case WORD_SAVED:
		saved_in(d, e, r, h, in);
		break;
	case WORD_PING:
		ping_in(d, e, r, h, in);
		break;
	case WORD_PONG:
		pong_in(d, e, r, h, in);
		break;
	case WORD_PREPARE:
		prepare_in(d, e, r, h, in);
		break;
	case WORD_PROMISE:
		promise_in(d, e, r, h, in);
		break;
	case WORD_REFUSE:
		refuse_in(d, e, r, h, in);
		break;
	case WORD_ACCEPT:
		accept_in(d, e, r, h, in);
		break;
	case WORD_ACCEPTED:
		accepted_in(d, e, r, h, in);
		break;
	}
}

/* Nobody here: say who is, or that we should be and are not. */
static void stranger_word(struct dht *d, struct env *e, const struct heard *h)
{
	const struct hint *n = hint_find(d, &h->slot);
	struct letter l;

	if (n && view_cmp(n->view.name, h->view) > 0) {
		letter_open(&l, d, WORD_START, &h->slot, n->follows);
		write_u64(&l.w, n->base);
		view_write(&l.w, &n->view);
		letter_now(d, e, &l, h->from);
	} else if (h->word == WORD_WRITE || h->word == WORD_PING || h->word == WORD_PREPARE) {
		letter_now(d, e, letter_open(&l, d, WORD_WANT, &h->slot, h->view), h->from);
	}
}

static void want_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h)
{
	struct letter l;

	if (!r->view.members)
		return;
	if (view_cmp(r->view.name, h->view) >= 0 || h->place >= 0)
		start_tell(d, e, r, h->from);
	if (h->place >= 0 && replica_votes(r)) {
		letter_open(&l, d, WORD_PONG, &r->slot, r->view.name);
		write_u64(&l.w, 0);
		write_u8(&l.w, r->complete);
		letter_now(d, e, &l, h->from);
	}
}

void word_in(struct dht *d, struct env *e, struct id from, struct bytes data)
{
	struct reader in = reader_of(data.at, data.len);
	struct heard h = { .from = from, .place = -1 };
	struct replica *r;

	h.word = read_u8(&in);
	h.slot = slot_read(&in);
	h.view = name_read(&in);
	life_read(&in, &h.life);
	if (!reader_ok(&in) || !h.word || h.word >= WORDS) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!replicas_get(d, e))
		return;
	r = replica_find(d, &h.slot);
	if (r && r->view.members && !view_cmp(h.view, r->view.name)) {
		h.place = view_place(&r->view, from);
		if (h.place >= 0 && !life_eq(r->view.member[h.place].life, h.life))
			h.place = -1;
	}
	switch (h.word) {
	case WORD_START:
		start_in(d, e, &h, &in);
		return;
	case WORD_WHERE:
		where_in(d, e, &h);
		return;
	case WORD_HERE:
		here_in(d, e, &h, &in);
		return;
	case WORD_BIRTH:
		birth_in(d, e, &h, &in, data);
		return;
	case WORD_BORN:
		born_in(d, e, &h, &in);
		return;
	case WORD_BEGIN:
		begin_in(d, e, &h, &in);
		return;
	case WORD_BEGUN:
		begun_in(d, e, &h);
		return;
	case WORD_LIVES:
		lives_in(d, e, &h, data);
		return;
	case WORD_LIVES_ACK:
		lives_ack_in(d, e, &h);
		return;
	case WORD_OFFER:
		offer_in(d, e, r, &h, &in);
		return;
	}
	if (!r) {
		stranger_word(d, e, &h);
		return;
	}
	switch (h.word) {
	case WORD_WANT:
		want_in(d, e, r, &h);
		break;
	case WORD_STAGED:
		staged_in(d, e, r, &h, &in);
		break;
	case WORD_FREE:
		free_in(d, e, r, &h, &in);
		break;
	case WORD_STARTED:
		started_in(d, e, r, &h);
		break;
	case WORD_PULL:
		pull_in(d, e, r, &h, &in);
		break;
	case WORD_CHUNK:
		chunk_in(d, e, r, &h, &in);
		break;
	case WORD_LEAVE:
	case WORD_LOST:
		lost_in(d, e, r, &h);
		break;
	case WORD_REJOIN:
		rejoin_in(d, e, r, &h, &in);
		break;
	case WORD_REJOINED:
		rejoined_in(d, e, r, &h, &in);
		break;
	default:
		member_word(d, e, r, &h, &in);
		break;
	}
}

void replicas_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	word_in(d, e, m->from, m->data);
	replicas_flush(d, e);
}

