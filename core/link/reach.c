/*
 * Where we are, what stands in between, and how two behind NATs meet.
 *
 * Peers tell where they see us (OBSERVED). The ends of a relayed link tell each
 * other, over the relay, all places where they may be (ADDRESSES), and whoever
 * hears that challenges them all at once, and again a few times: the first
 * challenges make our own NAT let the peer in, the later ones get through
 * (B. Ford, P. Srisuresh, D. Kegel, "Peer-to-Peer Communication Across Network
 * Address Translators", USENIX 2005, section 3). The first answer is the way.
 * That is done when a link comes up relayed or becomes so, after a minute, two,
 * four, and every quarter of an hour: NATs and firewalls change.
 *
 * What our NAT or firewall lets in is learned from what comes: a caller whom we
 * sent nothing to in five minutes says that it lets in anybody; a peer that
 * comes from another port than those that we sent to, that it looks at
 * addresses only (RFC 4787, section 5).
 */
#include <string.h>

#include "core/link/table.h"

enum { BACKOFF_MAX = 4, VARIES = 1 << 0 };
#define DIRECT_MS	60000u		/* a relayed link tries to become direct */
#define MEET_MS		5000u		/* ADDRESSES are answered if ours left no later than this */
#define OPEN_MS		300000u		/* NATs remember where we sent to for so long, or less */

static uint32_t hash(const struct endpoint *at)
{
	uint32_t h = 2166136261u ^ at->port ^ (uint32_t)at->kind << 16;	/* FNV-1a */

	for (unsigned i = 0; i < sizeof(at->addr); i++)
		h = (h ^ at->addr[i]) * 16777619u;
	return h ^ h >> 15;
}

/* ---- where we are ---- */

static bool among(const struct endpoint *list, unsigned count, const struct endpoint *at)
{
	for (unsigned i = 0; i < count; i++)
		if (endpoint_eq(&list[i], at))
			return true;
	return false;
}

static void own_add(struct links *l, const struct endpoint *at, bool first)
{
	if (among(l->at, l->ats, at))
		return;
	if (l->ats == CONTACT_ENDPOINTS)
		l->ats--;
	if (first)
		memmove(l->at + 1, l->at, l->ats * sizeof(l->at[0]));
	l->at[first ? 0 : l->ats] = *at;
	l->ats++;
}

static void own_del(struct links *l, const struct endpoint *at)
{
	for (unsigned i = 0; i < l->ats; i++)
		if (endpoint_eq(&l->at[i], at)) {
			l->ats--;
			memmove(l->at + i, l->at + i + 1, (l->ats - i) * sizeof(l->at[0]));
			return;
		}
}

void links_address(struct env *e, struct links *l, const struct endpoint *at, bool up)
{
	if (!endpoint_valid(at)) {
		env_drop(e, DROP_RANGE);
		return;
	}
	if (up)
		own_add(l, at, false);
	else
		own_del(l, at);
	memset(l->seen, 0, sizeof(l->seen));
	links_resumed(e, l);		/* peers see us at a new place: let them find out now */
}

void links_mapping(struct env *e, struct links *l, const struct endpoint *at, bool up)
{
	if (!endpoint_valid(at)) {
		env_drop(e, DROP_RANGE);
		return;
	}
	if (up)
		own_add(l, at, true);
	else
		own_del(l, at);
}

/* What peers see comes first: it is where those are that cannot see our own addresses. */
void links_self(const struct links *l, struct contact *out)
{
	*out = (struct contact){ .id = l->self->id, .has_id = true, .has_key = true };
	memcpy(out->key, identity_key(l->self), sizeof(out->key));
	for (unsigned i = 0; i < SEEN_PLACES; i++)
		if (endpoint_valid(&l->seen[i]))
			out->at[out->ats++] = l->seen[i];
	for (unsigned i = 0; i < l->ats && out->ats < CONTACT_ENDPOINTS; i++)
		if (!among(out->at, out->ats, &l->at[i]))
			out->at[out->ats++] = l->at[i];
}

/* Do two peers see us at different places, none of them ours? Both over IPv4, or both over IPv6. */
static bool mapped_differently(const struct links *l)
{
	uint16_t one[2] = { 0, 0 };

	for (uint16_t i = 0; i < l->slots; i++) {
		uint16_t told = l->link[i].state == LINK_UP ? l->link[i].told : 0;

		if (told && one[told & 1] && one[told & 1] != told)
			return true;
		if (told)
			one[told & 1] = told;
	}
	return false;
}

/* ---- what is let in ---- */

/* A place stands in a filter by two bits; an address by itself is the place with port 0. */
static uint32_t mark(const struct endpoint *at, bool any_port)
{
	struct endpoint one = *at;

	if (any_port)
		one.port = 0;
	return hash(&one);
}

static void filter_add(uint64_t filter[SENT_WORDS], uint32_t mark)
{
	filter[mark / 64 % SENT_WORDS] |= 1ULL << mark % 64;
	mark >>= 16;
	filter[mark / 64 % SENT_WORDS] |= 1ULL << mark % 64;
}

static bool filter_has(const uint64_t filter[SENT_WORDS], uint32_t mark)
{
	uint32_t second = mark >> 16;

	return filter[mark / 64 % SENT_WORDS] >> mark % 64 & filter[second / 64 % SENT_WORDS] >> second % 64 & 1;
}

void reach_sent(struct env *e, struct links *l, const struct endpoint *at)
{
	uint32_t age = env_ms(e) - l->sent_ms;

	if (age >= OPEN_MS) {
		memcpy(l->sent[1], l->sent[0], sizeof(l->sent[1]));
		memset(l->sent, 0, age >= 2 * OPEN_MS ? sizeof(l->sent) : sizeof(l->sent[0]));
		l->sent_ms = env_ms(e);
	}
	filter_add(l->sent[0], mark(at, false));
	filter_add(l->sent[0], mark(at, true));
}

static bool sent_to(const struct links *l, uint32_t mark)
{
	return filter_has(l->sent[0], mark) || filter_has(l->sent[1], mark);
}

enum link_let reach_let(const struct links *l, const struct arrival *a)
{
	if (a->via != NO_SLOT || sent_to(l, mark(&a->from, false)))
		return LET_CALLED;
	return sent_to(l, mark(&a->from, true)) ? LET_ADDRESS : LET_ANY;
}

/* ---- meeting ---- */

static void tell_addresses(struct env *e, struct links *l, struct link *k, uint16_t via)
{
	struct writer w = message_open(e, l, k, via, MESSAGE_ADDRESSES, 2 + CONTACT_ENDPOINTS * 19);
	struct contact self;

	links_self(l, &self);
	write_u8(&w, self.ats);
	for (unsigned i = 0; i < self.ats; i++)
		write_endpoint(&w, &self.at[i]);
	write_u8(&w, mapped_differently(l) ? VARIES : 0);
	message_shut(e, l, k, via, &k->at, &w);
	k->met_ms = env_ms(e);
	k->meets += k->meets < UINT8_MAX;
}

void reach_tell(struct env *e, struct links *l, struct link *k)
{
	struct writer w;

	if (k->via != NO_SLOT) {
		tell_addresses(e, l, k, k->via);
		return;
	}
	w = message_open(e, l, k, NO_SLOT, MESSAGE_OBSERVED, 19);
	write_endpoint(&w, &k->at);
	message_shut(e, l, k, NO_SLOT, &k->at, &w);
}

void reach_addresses_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a)
{
	struct endpoint at[CONTACT_ENDPOINTS];
	unsigned count = read_u8(in), n = 0;
	uint8_t flags;

	for (unsigned i = 0; i < count && reader_ok(in); i++) {
		struct endpoint one = read_endpoint(in);

		if (n < CONTACT_ENDPOINTS && endpoint_valid(&one) && !among(l->at, l->ats, &one))
			at[n++] = one;
	}
	flags = read_u8(in);
	if (!reader_ok(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	k->varies = flags & VARIES;
	if (!k->meets || env_ms(e) - k->met_ms >= MEET_MS)
		tell_addresses(e, l, k, a->via);
	if (n && (k->via != NO_SLOT || a->via != NO_SLOT))	/* relayed for one of us: the way we know does not lead both ways */
		path_challenge(e, l, k, at, n);
}

void reach_seen(struct env *e, struct links *l, struct link *k, const struct endpoint *at)
{
	if (!endpoint_valid(at))
		return;
	env_reflex(e, k->id, at);
	k->told = among(l->at, l->ats, at) ? 0 : (uint16_t)(hash(at) << 1 | (at->kind == ENDPOINT_UDP6) | 2);
	if (endpoint_eq(at, &l->seen[0]))
		return;
	memmove(l->seen + 1, l->seen, sizeof(l->seen) - sizeof(l->seen[0]));
	l->seen[0] = *at;
	l->seen[0].iface = 0;
	for (uint16_t i = 0; k->told && i < l->slots && !mapped_differently(l); i++) {	/* who seeks us has to know */
		struct link *o = &l->link[i];

		if (o->state == LINK_UP && o->via != NO_SLOT)
			tell_addresses(e, l, o, o->via);
	}
}

void reach_observed_in(struct env *e, struct links *l, struct link *k, struct reader *in)
{
	struct endpoint at = read_endpoint(in);

	if (reader_ok(in))
		reach_seen(e, l, k, &at);
	else
		env_drop(e, DROP_VALUE);
}

void reach_timer(struct env *e, struct links *l, struct link *k)
{
	unsigned times = k->meets < 1 ? 0 : k->meets - 1u < BACKOFF_MAX ? k->meets - 1u : BACKOFF_MAX;

	if (k->via != NO_SLOT && past(env_ms(e), k->met_ms + (DIRECT_MS << times)))
		tell_addresses(e, l, k, k->via);
}
