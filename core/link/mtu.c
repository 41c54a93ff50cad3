/*
 * What a direct path carries: path MTU discovery in the way of RFC 8899. Probes
 * are padded, and only answers are believed.
 *
 * A search asks for the largest size first and then halves a list of those that
 * are common. It begins when a payload goes over the link, so that few of them
 * travel in pieces; a link that lasts without any is measured once, by its caller.
 *
 * A size that payloads make use of is asked about again every CONFIRM_MS: a path may
 * come to carry less and say nothing. If three probes are lost the least that every
 * path carries holds until a new search has ended. Every RAISE times the search
 * looks whether the path carries more by now.
 *
 * ICMP and the kernel's own refusals are hints: one makes us ask whether the size
 * in use still crosses, and where to look next if it does not. Whoever forges one
 * costs a probe.
 */
#include <string.h>

#include "core/link/table.h"

#define CONFIRM_MS	5000u

enum { TRIES = 3, RAISE = 60, HEADERS4 = 20 + 8, HEADERS6 = 40 + 8 };

/* IP packets below the largest that is configured: PPPoE, tunnels and tunnels in them, what any IPv6 path carries */
static const uint16_t SIZE[] = {
	1492, 1480, 1472, 1460, 1450, 1440, 1430, 1420, 1410, 1400, 1380, 1360, 1340, 1320, 1300, 1280,
};

enum { SIZES = 1 + sizeof(SIZE) / sizeof(SIZE[0]) };
_Static_assert(SIZES < 32 && RAISE < 64 && TRIES < 4, "struct link has so many bits for them");

/* The @i-th size as payload of UDP */
static uint16_t size_at(const struct env *e, const struct link *k, unsigned i)
{
	uint16_t most = (uint16_t)(e->config->mtu + HEADERS4), ip = i && SIZE[i - 1] < most ? SIZE[i - 1] : most;
	uint16_t size = (uint16_t)(ip - (k->at.kind == ENDPOINT_UDP6 ? HEADERS6 : HEADERS4));

	return size > WIRE_MTU_MIN ? size : WIRE_MTU_MIN;
}

/* The first one that is no larger than @size */
static uint8_t place_of(const struct env *e, const struct link *k, uint16_t size)
{
	uint8_t i = 0;

	while (i < SIZES && size_at(e, k, i) > size)
		i++;
	return i;
}

void mtu_reset(struct link *k)
{
	k->mtu = WIRE_MTU_MIN;
	k->mtu_try = 0;
	k->mtu_lo = 0;
	k->mtu_hi = SIZES;
	k->mtu_done = k->mtu_used = false;
}

static void probe(struct env *e, struct links *l, struct link *k)
{
	size_t body = k->mtu_try - SESSION_OVERHEAD - 1u;
	struct writer w = message_open(e, l, k, NO_SLOT, MESSAGE_MTU_PROBE, body);
	uint8_t *pad;

	k->mtu_tries++;
	k->mtu_ms = env_ms(e) + links_rto_us(l, (link_ref){ link_slot(l, k) }) / 1000 + 1;
	write_u16(&w, k->mtu_try);
	pad = write_space(&w, body - 2);
	if (pad)
		memset(pad, 0, body - 2);
	message_shut(e, l, k, NO_SLOT, &k->at, &w);
}

/* The next size to be asked for: @first, or the middle of what is left; or the end of the search. */
static void search(struct env *e, struct links *l, struct link *k, bool first)
{
	k->mtu_try = 0;
	while (k->mtu_lo < k->mtu_hi) {
		k->mtu_at = (first ? k->mtu_lo : (unsigned)(k->mtu_lo + k->mtu_hi) / 2) & 31;
		if (size_at(e, k, k->mtu_at) <= k->mtu) {	/* it is known to cross */
			k->mtu_hi = k->mtu_at;
			first = false;
			continue;
		}
		k->mtu_try = size_at(e, k, k->mtu_at);
		k->mtu_tries = 0;
		probe(e, l, k);
		return;
	}
	k->mtu_done = true;
	k->mtu_rounds = 0;
	k->mtu_ms = env_ms(e) + CONFIRM_MS;
}

static void confirm(struct env *e, struct links *l, struct link *k)
{
	k->mtu_used = false;
	k->mtu_ms = env_ms(e) + CONFIRM_MS;
	if (++k->mtu_rounds >= RAISE) {
		k->mtu_lo = 0;
		k->mtu_hi = place_of(e, k, k->mtu);
		search(e, l, k, true);
	} else if (k->mtu > WIRE_MTU_MIN) {
		k->mtu_try = k->mtu;
		k->mtu_tries = 0;
		k->mtu_lo = 0;
		probe(e, l, k);
	}
}

/* The probe that is out does not come back. */
static void lost(struct env *e, struct links *l, struct link *k)
{
	bool shrunk = k->mtu_try == k->mtu;
	unsigned below = (shrunk ? place_of(e, k, k->mtu) : k->mtu_at) + 1u;

	if (shrunk) {
		k->mtu = WIRE_MTU_MIN;
		k->mtu_hi = SIZES;
		k->mtu_done = false;
	}
	if (k->mtu_lo < below)
		k->mtu_lo = below & 31;
	search(e, l, k, shrunk);
}

void mtu_timer(struct env *e, struct links *l, struct link *k)
{
	uint32_t now = env_ms(e);

	if (k->via != NO_SLOT)
		return;
	if (!k->mtu_try && !k->mtu_done) {
		if (k->called && now - k->up_ms >= MTU_AFTER_MS)
			search(e, l, k, true);
		return;
	}
	if (!past(now, k->mtu_ms))
		return;
	if (!k->mtu_try && k->mtu_used)
		confirm(e, l, k);
	else if (k->mtu_try && k->mtu_tries < TRIES)
		probe(e, l, k);
	else if (k->mtu_try)
		lost(e, l, k);
}

bool mtu_due(const struct link *k, uint32_t *ms)
{
	*ms = k->mtu_ms;
	return k->via == NO_SLOT && (k->mtu_try || (k->mtu_done && k->mtu_used));
}

void links_laden(struct env *e, struct links *l, link_ref ref, size_t len)
{
	struct link *k = ref.slot < l->slots ? &l->link[ref.slot] : NULL;
	bool begins = k && !k->mtu_done && !k->mtu_try, uses = k && len > WIRE_MTU_MIN && !k->mtu_used;

	if (!k || k->state != LINK_UP || k->via != NO_SLOT || (!begins && !uses))
		return;
	k->mtu_used |= uses;
	if (begins)
		search(e, l, k, true);
	alive_arm(e, l, k);
}

uint16_t links_measured(const struct links *l, link_ref ref)
{
	const struct link *k = ref.slot < l->slots ? &l->link[ref.slot] : NULL;

	return k && k->state == LINK_UP && k->via == NO_SLOT && k->mtu_done ? k->mtu : 0;
}

static void crossed(struct env *e, struct links *l, struct link *k, uint16_t size)
{
	if (size != k->mtu_try) {
		env_drop(e, DROP_STALE);
		return;
	}
	k->mtu_try = 0;
	if (size <= k->mtu && k->mtu_done) {
		k->mtu_ms = env_ms(e) + CONFIRM_MS;
		return;
	}
	if (size > k->mtu)
		k->mtu = size;
	k->mtu_hi = place_of(e, k, k->mtu);
	search(e, l, k, false);
}

void mtu_in(struct env *e, struct links *l, struct link *k, struct reader *in, bool ack, const struct arrival *a)
{
	uint16_t size = read_u16(in);
	struct writer w;

	if (!reader_ok(in) || size > WIRE_MTU_MAX || (!ack && reader_left(in) + SESSION_OVERHEAD + 3 < size)) {
		env_drop(e, DROP_RANGE);
		return;
	}
	if (ack) {
		crossed(e, l, k, size);
		return;
	}
	if (a->via == NO_SLOT && size > k->mtu)		/* what comes one way goes the other, mostly */
		k->mtu = size;
	w = message_open(e, l, k, a->via, MESSAGE_MTU_ACK, 2);
	write_u16(&w, size);
	message_shut(e, l, k, a->via, &a->from, &w);
}

/* Somebody says that a datagram of more than @size does not cross. */
static void hint(struct env *e, struct links *l, struct link *k, uint16_t size)
{
	uint8_t place = place_of(e, k, size);

	if (k->mtu > size && k->mtu > WIRE_MTU_MIN && k->mtu_try != k->mtu) {
		k->mtu_try = k->mtu;		/* once: is that so? */
		k->mtu_tries = TRIES - 1;
		k->mtu_lo = place;
		probe(e, l, k);
	} else if (k->mtu <= size && k->mtu_try > size) {
		if (k->mtu_lo < place)
			k->mtu_lo = place;
		search(e, l, k, true);
	}
	alive_arm(e, l, k);
}

void links_path_error(struct env *e, struct links *l, const struct endpoint *to, uint16_t mtu, bool unreachable)
{
	uint16_t headers = to->kind == ENDPOINT_UDP6 ? HEADERS6 : HEADERS4;

	for (uint16_t i = 0; i < l->slots; i++) {
		struct link *k = link_at(l, i);

		if (!k || k->state != LINK_UP || !endpoint_eq(&k->at, to))
			continue;
		if (unreachable)
			links_doubt(e, l, (link_ref){ i });
		else if (k->via == NO_SLOT)
			hint(e, l, k, mtu > headers ? (uint16_t)(mtu - headers) : 0);
	}
}
