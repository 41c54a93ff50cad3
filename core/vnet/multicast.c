/*
 * Broadcast and multicast: once over the ring, never to each member by itself.
 *
 * A guest's frame for many goes out as one ring_broadcast() of sealed pieces,
 * whatever the size of the network: the ring delivers to every member of the
 * overlay once, and who is no member of the network cannot open it:
 *
 *	 0               1
 *	+---------------+------------------------------------------------+
 *	| 2             | network 8: the first bytes of its id           |
 *	+---------------+------------------------------------------------+
 *	| epoch 8: which group key                                       |
 *	+------------------------------------+---------------------------+
 *	| life 8: the origin's incarnation   | salt 4: drawn at its start |
 *	+------------------------------------+----------------------------+
 *	| counter 4                          | piece 4 bits | last piece 4 |
 *	+------------------------------------+----------------------------+
 *	| sealed: [offload 8, in the first piece] the IP packet  | tag 16  |
 *	+-----------------------------------------------------------------+
 *
 * The key is derived from the group key of the epoch (epoch.h), the network's id, the origin's id, life and
 * salt: no two nodes, and no two lives of one, use a key twice, and the counter is
 * the nonce. What stands before the seal is authenticated with it. Any member
 * could pass for another one here: the group has one secret. What a member says
 * in public is worth as much as on an Ethernet, and no forwarding decision is
 * made by it. A window for each origin keeps what is said again from being heard
 * again; an earlier life of an origin is not listened to once a later one spoke.
 *
 * To the tap goes what is for everybody or of link-local scope, and what
 * somebody there asked for (snoop.c). While somebody did we are the querier,
 * unless one with a lower address is heard.
 *
 * Storm guard: a token bucket for each guest and one for the network, both
 * counted as DROP_RATE; the ring has one of its own for each node (cast.c).
 */
#include <string.h>

#include "core/vnet/epoch.h"
#include "core/vnet/path.h"

enum {
	CAST_VERSION	= 2,
	CAST_HEADER	= 1 + 8 + 8 + 8 + 4 + 4 + 1,
	CAST_MAX	= 1000,			/* bytes ring_broadcast() carries */
	CAST_ROOM	= CAST_MAX - CAST_HEADER - TAG_BYTES,
	CAST_PIECES	= 16,
	CAST_WORD	= 8,			/* the offload word */
	CAST_WHOLE	= 9216 + CAST_WORD,
	ORIGINS		= 64,
	GATHERS		= 4,
	GROUPS		= 64,
	STORM_GUESTS	= 16,
	GUEST_PER_S	= 10, GUEST_BURST = 20,
	NETWORK_PER_S	= 16, NETWORK_BURST = 32,
};

#define GATHER_NS	(3 * NS_PER_S)
#define MEMBER_NS	(260 * NS_PER_S)	/* RFC 3376 8.4: robustness x interval + response */
#define QUERY_NS	(125 * NS_PER_S)
#define LEFT_NS		(5 * NS_PER_S / 2)	/* after a leave somebody else may still want it */
#define OTHER_NS	(255 * NS_PER_S)	/* another querier is heard */

struct origin {
	struct id id;
	uint64_t life, seen;
	uint32_t salt, top;
	uint32_t used_ms;
};

struct cast_gather {
	struct id origin;
	int64_t until_ns;		/* 0 = free */
	uint32_t base, salt;		/* counter of its first piece */
	uint16_t got, len[CAST_PIECES];
	uint8_t last;
	uint8_t *data;			/* CAST_PIECES x CAST_ROOM */
};

struct subscribed {
	struct ip group;
	int64_t until_ns;
};

struct vnet_group {
	struct subscribed want[GROUPS];
	struct cast_gather gather[GATHERS];
	struct origin *origin;
	uint16_t origins, origin_cap;
	uint16_t wants;
	uint32_t salt, counter;
	int64_t query_ns, other_ns;
	struct bucket storm[STORM_GUESTS], network;
	uint64_t sent;
};

static struct vnet_group *state(struct vnet *v, struct env *e)
{
	if (v->group)
		return v->group;
	v->group = mem_get(&e->mem, sizeof(*v->group));
	if (!v->group) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	v->group->salt = (uint32_t)random_u64(&e->random);
	v->group->query_ns = INT64_MAX;
	return v->group;
}

/* ---- sealing ---- */

static void cast_key(const struct vnet *v, const struct env *e, const uint8_t *group, struct id origin, uint64_t life,
		     uint32_t salt, uint8_t key[KEY_BYTES])
{
	uint8_t label[64];
	struct writer w = writer_of(label, sizeof(label));

	write_copy(&w, "weft cast", 9);
	write_id(&w, v->id);
	write_id(&w, origin);
	write_u64(&w, life);
	write_u32(&w, salt);
	memset(key, 0, KEY_BYTES);
	e->suite->derive(key, (struct bytes){ group, KEY_BYTES }, (struct bytes){ label, writer_len(&w) });
}

static void cast_header(struct writer *w, const struct vnet *v, uint64_t epoch, uint64_t life, uint32_t salt,
			uint32_t counter, unsigned piece, unsigned last)
{
	write_u8(w, CAST_VERSION);
	write_u64(w, v->id.hi);
	write_u64(w, epoch);
	write_u64(w, life);
	write_u32(w, salt);
	write_u32(w, counter);
	write_u8(w, (uint8_t)(piece << 4 | last));
}

void cast_out(struct vnet *v, struct env *e, struct bytes ip, const struct offload *o)
{
	struct vnet_group *g = v->group;
	uint64_t epoch;
	const uint8_t *group = epoch_seals(v, &epoch);
	size_t total = CAST_WORD + ip.len;
	unsigned pieces = (unsigned)((total + CAST_ROOM - 1) / CAST_ROOM);
	uint8_t key[KEY_BYTES], buf[CAST_MAX], *all;
	struct writer w;
	enum drop why;

	if (pieces > CAST_PIECES || total > CAST_WHOLE) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	if (!group) {
		epoch_keep(v, e, v->self, epoch, ip, o);
		return;
	}
	all = env_scratch(e, total);
	if (!all)
		return;
	w = writer_of(all, total);
	write_u16(&w, 0);			/* a batch of segments is for one receiver */
	write_u16(&w, o->checksum_start);
	write_u16(&w, o->checksum_offset);
	write_u8(&w, o->partial);
	write_u8(&w, 0);
	write_copy(&w, ip.at, ip.len);
	cast_key(v, e, group, v->self, e->incarnation, g->salt, key);
	for (unsigned i = 0; i < pieces; i++) {
		size_t at = (size_t)i * CAST_ROOM, len = total - at < CAST_ROOM ? total - at : CAST_ROOM;

		w = writer_of(buf, sizeof(buf));
		cast_header(&w, v, epoch, e->incarnation, g->salt, g->counter, i, pieces - 1);
		e->suite->aead[CIPHER_CHACHA].seal(w.at, key, g->counter, (struct bytes){ buf, CAST_HEADER },
						   all + at, len);
		g->counter++;
		why = ring_broadcast(v->ports.ring, e, (struct bytes){ buf, CAST_HEADER + len + TAG_BYTES });
		if (env_drop(e, why) != DROP_NONE)
			break;			/* without one piece the others are nothing */
		g->sent++;
	}
	memset(key, 0, sizeof(key));
}

/* ---- what came ---- */

static struct origin *origin_of(struct vnet_group *g, struct env *e, struct id id)
{
	struct origin *old = NULL;
	uint32_t now = env_ms(e);

	for (unsigned i = 0; i < g->origins; i++) {
		struct origin *o = &g->origin[i];

		if (id_eq(o->id, id))
			return o;
		if (!old || now - o->used_ms > now - old->used_ms)
			old = o;
	}
	if (g->origins < g->origin_cap ||
	    (g->origins < ORIGINS &&
	     mem_grow(&e->mem, &g->origin, &g->origin_cap, (uint16_t)(g->origin_cap + 8), sizeof(*old))))
		old = &g->origin[g->origins++];
	if (old)
		*old = (struct origin){ .id = id };
	return old;
}

/* Was (life, salt, counter) heard, or is it too old to tell? Remembers it if not. */
static bool heard(struct origin *o, const struct env *e, uint64_t life, uint32_t salt, uint32_t counter)
{
	o->used_ms = env_ms(e);
	if (life < o->life)
		return true;
	if (life > o->life || !o->seen || salt != o->salt) {
		if (o->seen && life == o->life && salt != o->salt && e->incarnation)
			return true;		/* one life has one salt, where lives are counted */
		*o = (struct origin){
			.id = o->id, .life = life, .salt = salt, .top = counter, .seen = 1, .used_ms = o->used_ms,
		};
		return false;
	}
	if (counter > o->top) {
		uint32_t ahead = counter - o->top;

		o->seen = ahead < 64 ? o->seen << ahead : 0;
		o->top = counter;
	}
	if (o->top - counter >= 64 || o->seen >> (o->top - counter) & 1)
		return true;
	o->seen |= 1ULL << (o->top - counter);
	return false;
}

static bool wanted(const struct vnet_group *g, const struct env *e, const struct ip *group)
{
	if (snoop_always(group))
		return true;
	for (unsigned i = 0; i < g->wants; i++)
		if (ip_eq(&g->want[i].group, group) && g->want[i].until_ns > e->now_ns)
			return true;
	return false;
}

static void deliver(struct vnet *v, struct env *e, struct id origin, struct bytes whole)
{
	struct reader r = reader_of(whole.at, whole.len);
	struct offload o = { .segment = read_u16(&r) };
	struct packet p;
	enum drop why;

	o.checksum_start = read_u16(&r);
	o.checksum_offset = read_u16(&r);
	o.partial = read_u8(&r);
	read_u8(&r);
	if (!reader_ok(&r) || o.segment || o.partial > 1) {
		env_drop(e, DROP_VALUE);
		return;
	}
	why = packet_read_ip(&p, (struct bytes){ r.at, reader_left(&r) }, &o);
	if (why != DROP_NONE)
		env_drop(e, why);
	else if (snoop_told(&p))
		env_drop(e, DROP_VALUE);	/* membership is told on the LAN, no node sends it */
	else if (wanted(v->group, e, &p.dst))
		edge_flood(v, e, origin, p.l3, &o);
}

static void gather_free(struct env *e, struct cast_gather *c)
{
	mem_put(&e->mem, c->data, (c->last + 1u) * CAST_ROOM);
	*c = (struct cast_gather){ .until_ns = 0 };
}

static struct cast_gather *gather_of(struct vnet *v, struct env *e, struct id origin, uint32_t salt, uint32_t base,
				     unsigned last)
{
	struct cast_gather *old = NULL;

	for (unsigned i = 0; i < GATHERS; i++) {
		struct cast_gather *c = &v->group->gather[i];

		if (c->until_ns && id_eq(c->origin, origin) && c->base == base && c->salt == salt)
			return c->last == last ? c : NULL;
		if (!old || c->until_ns < old->until_ns)
			old = c;
	}
	if (old->until_ns) {
		env_drop(e, DROP_FRAGMENT);
		gather_free(e, old);
	}
	old->data = mem_get(&e->mem, (last + 1) * CAST_ROOM);
	if (!old->data) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	old->origin = origin;
	old->salt = salt;
	old->base = base;
	old->last = (uint8_t)last;
	old->until_ns = e->now_ns + GATHER_NS;
	vnet_due(v, e, PART_GROUP, old->until_ns);
	return old;
}

static void piece_in(struct vnet *v, struct env *e, struct id origin, uint32_t salt, uint32_t counter, unsigned piece,
		     unsigned last, struct bytes plain)
{
	struct cast_gather *c;
	uint8_t *all;

	if (piece > last || (piece < last && plain.len != CAST_ROOM) || piece > counter) {
		env_drop(e, DROP_FRAGMENT);
		return;
	}
	if (!last) {
		deliver(v, e, origin, plain);
		return;
	}
	c = gather_of(v, e, origin, salt, counter - piece, last);
	if (!c)
		return;
	memcpy(c->data + piece * CAST_ROOM, plain.at, plain.len);
	c->got |= (uint16_t)(1u << piece);
	c->len[piece] = (uint16_t)plain.len;
	if (c->got != (uint16_t)((2u << last) - 1))
		return;
	all = env_scratch(e, last * CAST_ROOM + c->len[last]);
	if (all) {
		size_t len = last * CAST_ROOM + c->len[last];

		memcpy(all, c->data, len);
		gather_free(e, c);
		deliver(v, e, origin, (struct bytes){ all, len });
	} else {
		gather_free(e, c);
	}
}

void path_cast(struct vnet *v, struct env *e, struct id origin, uint32_t seq, struct bytes data)
{
	struct reader r = reader_of(data.at, data.len);
	uint8_t version = read_u8(&r), piece, key[KEY_BYTES], plain[CAST_MAX];
	uint64_t network = read_u64(&r), epoch = read_u64(&r), life = read_u64(&r);
	uint32_t salt = read_u32(&r), counter = read_u32(&r);
	const uint8_t *group;
	struct origin *o;
	enum drop why;
	size_t len;

	(void)seq;				/* the ring's; ours is under the seal */
	piece = read_u8(&r);
	if (version != CAST_VERSION || network != v->id.hi || !reader_ok(&r))
		return;				/* another network's, or an application's: no business of ours */
	len = reader_left(&r);
	if (len < TAG_BYTES || len > CAST_ROOM + TAG_BYTES) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (id_eq(origin, v->self)) {
		env_drop(e, DROP_SELF);
		return;
	}
	if (!state(v, e))
		return;
	group = epoch_opens(v, e, origin, epoch, &why);
	if (!group && why == DROP_NONE)
		epoch_keep(v, e, origin, epoch, data, NULL);
	if (!group) {
		env_drop(e, why);
		return;
	}
	cast_key(v, e, group, origin, life, salt, key);
	if (!e->suite->aead[CIPHER_CHACHA].open(plain, key, counter, (struct bytes){ data.at, CAST_HEADER }, r.at, len)) {
		env_drop(e, DROP_SEAL);
		return;
	}
	o = origin_of(v->group, e, origin);
	if (!o || heard(o, e, life, salt, counter)) {
		env_drop(e, o ? DROP_DUPLICATE : DROP_MEMORY);
		return;
	}
	piece_in(v, e, origin, salt, counter, piece >> 4, piece & 15, (struct bytes){ plain, len - TAG_BYTES });
}

/* ---- who wants what ---- */

static void ask_who_wants(struct vnet *v, struct env *e, const struct ip *group)
{
	struct ip from = group->family == 4 ? v->gateway4 : ip_link(v->mac);
	uint8_t buf[128], mac[MAC_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct packet p;

	if (!from.family)
		return;
	snoop_query(&w, &from, group);
	if (w.bad || packet_read_ip(&p, (struct bytes){ buf, writer_len(&w) }, NULL) != DROP_NONE)
		return;
	edge_group_mac(v, mac, &p.dst);
	edge_ip(v, e, mac, (struct bytes){ buf, writer_len(&w) }, NULL);
}

static void ask_all(struct vnet *v, struct env *e)
{
	struct vnet_group *g = v->group;

	if (g->other_ns <= e->now_ns) {
		ask_who_wants(v, e, &(struct ip){ .family = 4 });
		ask_who_wants(v, e, &(struct ip){ .family = 6 });
	}
	g->query_ns = e->now_ns + QUERY_NS;
	vnet_due(v, e, PART_GROUP, g->query_ns);
}

static void subscribe(struct vnet *v, struct env *e, const struct snooped *s)
{
	struct vnet_group *g = v->group;
	struct subscribed *place = NULL;

	for (unsigned i = 0; i < g->wants; i++) {
		struct subscribed *w = &g->want[i];

		if (ip_eq(&w->group, &s->group)) {
			place = w;
			break;
		}
		if (w->until_ns <= e->now_ns && !place)
			place = w;
	}
	if (!s->joins) {
		if (!place || !ip_eq(&place->group, &s->group) || place->until_ns <= e->now_ns + LEFT_NS)
			return;
		place->until_ns = e->now_ns + LEFT_NS;
		if (g->other_ns <= e->now_ns)
			ask_who_wants(v, e, &s->group);
		return;
	}
	if (snoop_always(&s->group))
		return;
	if (!place && g->wants < GROUPS)
		place = &g->want[g->wants++];
	if (!place) {
		env_drop(e, DROP_FULL);
		return;
	}
	*place = (struct subscribed){ s->group, e->now_ns + MEMBER_NS };
	if (g->query_ns == INT64_MAX)
		ask_all(v, e);
}

static void told(struct vnet *v, struct env *e, const struct packet *p)
{
	struct snooped s[SNOOPED_MAX];
	struct vnet_group *g = v->group;
	const struct ip *own = p->family == 4 ? &v->gateway4 : NULL;
	bool query;
	enum drop why;
	unsigned n = snoop_read(p, s, SNOOPED_MAX, &query, &why);

	env_drop(e, why);
	for (unsigned i = 0; i < n; i++)
		subscribe(v, e, &s[i]);
	if (query && !ip_unspecified(&p->src) && (!own || memcmp(p->src.at, own->at, 4) < 0))
		g->other_ns = e->now_ns + OTHER_NS;	/* RFC 3376 6.6.2: the lowest address asks */
}

static bool calm(struct vnet_group *g, struct env *e, const uint8_t *mac)
{
	struct bucket *b = &g->storm[(mac[3] ^ mac[4] ^ mac[5]) % STORM_GUESTS];

	return bucket_take(b, e, GUEST_PER_S, GUEST_BURST) && bucket_take(&g->network, e, NETWORK_PER_S, NETWORK_BURST);
}

void path_group(struct vnet *v, struct env *e, const struct packet *p)
{
	struct offload o = p->offload;

	if (!state(v, e))
		return;
	if (snoop_told(p)) {
		told(v, e, p);
		return;
	}
	if (o.segment) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	if (!calm(v->group, e, p->mac_from ? p->mac_from : v->mac)) {
		env_drop(e, DROP_RATE);
		return;
	}
	lan_speak(v, e);
	cast_out(v, e, p->l3, &o);
}

void path_group_timer(struct vnet *v, struct env *e)
{
	struct vnet_group *g = v->group;
	bool any = false;

	epoch_timer(v, e);
	if (!g)
		return;
	for (unsigned i = 0; i < GATHERS; i++) {
		struct cast_gather *c = &g->gather[i];

		if (c->until_ns && c->until_ns <= e->now_ns) {
			env_drop(e, DROP_FRAGMENT);
			gather_free(e, c);
		} else if (c->until_ns) {
			vnet_due(v, e, PART_GROUP, c->until_ns);
		}
	}
	for (unsigned i = 0; i < g->wants;) {
		if (g->want[i].until_ns <= e->now_ns) {
			g->want[i] = g->want[--g->wants];
			continue;
		}
		any = true;
		i++;
	}
	if (!any)
		g->query_ns = INT64_MAX;
	else if (g->query_ns <= e->now_ns)
		ask_all(v, e);
	else
		vnet_due(v, e, PART_GROUP, g->query_ns);
}

void group_free(struct vnet *v, struct env *e)
{
	struct vnet_group *g = v->group;

	if (!g)
		return;
	for (unsigned i = 0; i < GATHERS; i++)
		if (g->gather[i].until_ns)
			gather_free(e, &g->gather[i]);
	mem_put(&e->mem, g->origin, g->origin_cap * sizeof(*g->origin));
	mem_put(&e->mem, g, sizeof(*g));
	v->group = NULL;
}

uint32_t group_bytes(const struct vnet *v)
{
	const struct vnet_group *g = v->group;
	uint32_t bytes = 0;

	if (!g)
		return 0;
	for (unsigned i = 0; i < GATHERS; i++)
		bytes += g->gather[i].until_ns ? (g->gather[i].last + 1u) * CAST_ROOM : 0;
	return bytes + (uint32_t)(sizeof(*g) + g->origin_cap * sizeof(*g->origin));
}
