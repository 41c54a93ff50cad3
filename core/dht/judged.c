/*
 * What was judged once stays so.
 *
 * Copies of an op travel apart, and some come late: after the answer, out of a
 * node that stood still, to the next primary. A copy of a create that was
 * refused must not win when the address has become free, nor one that won, when
 * the address was given back and went to others, win another, nor one that was
 * taken back before it came: nobody would hold that. Nor may who was granted an
 * address, and never heard so, hear that it was refused. Records tell, but only
 * until somebody else's are written in their place. So the primary remembers
 * ops that could give something, and each word of it carries to each member
 * those it has not answered for yet. An answer that leaves after a majority's
 * has them there, and a promise takes them to the driver of the next view.
 *
 * It is memory of copies that may still be under way, no promise: not saved,
 * bounded, and gone with GONE_NS.
 */
#include "core/dht/replica.h"

enum { LEAST = 8, TOLD = 32, PROMISED = 64 };
_Static_assert(PROMISED * 8 + 400 < LETTER_MAX, "a promise holds them beside a view");

/* The lowest bit says which way. */
static uint64_t hash(struct id asker, uint64_t nonce)
{
	return mixed_u64(asker.hi ^ mixed_u64(asker.lo ^ nonce)) & ~UINT64_C(1);
}

static const struct judged *known(const struct replica *r, uint64_t what)
{
	for (unsigned i = 0; i < r->judgeds; i++)
		if ((r->judged[i].what | 1) == (what | 1))
			return &r->judged[i];
	return NULL;
}

enum judged_how judged_before(const struct replica *r, struct id asker, uint64_t nonce)
{
	const struct judged *k = known(r, hash(asker, nonce));

	return !k ? JUDGED_NOT : k->what & 1 ? JUDGED_GRANTED : JUDGED_REFUSED;
}

/* The oldest go when there are enough, or no room for more. */
static void put(struct env *e, struct replica *r, uint64_t what, uint64_t round)
{
	unsigned want = r->judged_cap ? r->judged_cap * 2u : LEAST, old = r->judgeds / 4 + 1u;

	r->judged_ns = e->now_ns;
	if (r->judgeds == r->judged_cap && (want > JUDGED_KEPT ||
	    !mem_grow(&e->mem, &r->judged, &r->judged_cap, (uint16_t)want, sizeof(*r->judged)))) {
		if (!r->judgeds) {
			env_drop(e, DROP_MEMORY);
			return;
		}
		r->judgeds = (uint16_t)(r->judgeds - old);
		memmove(r->judged, r->judged + old, r->judgeds * sizeof(*r->judged));
	}
	r->judged[r->judgeds++] = (struct judged){ what, round };
}

void judged_put(struct env *e, struct replica *r, struct id asker, uint64_t nonce, bool granted)
{
	uint64_t what = hash(asker, nonce) | granted;

	if (!known(r, what))
		put(e, r, what, ++r->duty->round);
}

/* Those of the primary before us count as of the first round: new members do not know them. */
void judged_begin(struct replica *r)
{
	for (unsigned i = 0; i < r->judgeds; i++)
		r->judged[i].round = i + TOLD >= r->judgeds;
}

static void list(struct writer *w, const struct replica *r, unsigned first)
{
	write_u8(w, (uint8_t)(r->judgeds - first));
	for (; first < r->judgeds; first++)
		write_u64(w, r->judged[first].what);
}

void judged_tell(struct writer *w, const struct replica *r, unsigned at)
{
	unsigned first = r->judgeds;

	while (first && r->judgeds - first < TOLD && r->judged[first - 1].round > r->duty->heard[at])
		first--;
	list(w, r, first);
}

void judged_promise(struct writer *w, const struct replica *r)
{
	list(w, r, r->judgeds > PROMISED ? (unsigned)r->judgeds - PROMISED : 0);
}

bool judged_read(struct reader *in, struct bytes *list)
{
	list->len = 8 * (size_t)read_u8(in);
	list->at = read_take(in, list->len);
	return reader_ok(in);
}

void judged_take(struct env *e, struct replica *r, struct bytes list)
{
	struct reader in = reader_of(list.at, list.len);

	while (reader_left(&in)) {
		uint64_t what = read_u64(&in);

		if (!known(r, what))
			put(e, r, what, 0);
	}
}

void judged_sweep(struct env *e, struct replica *r, bool all)
{
	if (!all && e->now_ns < r->judged_ns + GONE_NS)
		return;
	mem_put(&e->mem, r->judged, r->judged_cap * sizeof(*r->judged));
	r->judged = NULL;
	r->judgeds = r->judged_cap = 0;
}
