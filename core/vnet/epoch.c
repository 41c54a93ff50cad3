/*
 * One key a network and epoch, drawn by who signs the list, passed on from member to member. README.md argues
 * why, and what happens when nodes part, restart, come late or lie.
 *
 *	epoch 0		the charter's key
 *	HAS		the newest list's epoch; its key seals and opens. For a moment the key of
 *			the epoch before opens, too: not everybody has heard of the list yet
 *	WAITS		the newest list's epoch, and no key: nothing is sealed, members are asked
 *
 * The state of an epoch follows from the list that env.revoked holds, and from whether we have
 * a key with its digest; nothing a peer says moves it.
 */
#include "core/vnet/epoch.h"

#include <sodium.h>

#include "core/seal/revoke.h"
#include "core/vnet/path.h"

enum {
	ASKERS	= 16,			/* who waits for the key as we do, and asked us */
	KEPT	= 16, KEPT_BYTES = 32 << 10,
	AT_ONCE	= 2,			/* members asked at a time */
	PAUSES	= 7,			/* doublings of the pause between two times */
	PLACES	= 64,			/* candidates to draw from */
};

#define PAUSE_NS	(250 * NS_PER_MS)
#define KEEP_NS		(5 * NS_PER_S)
#define BEFORE_NS	(10 * NS_PER_S)	/* the key of the epoch before still opens: lists take seconds to reach everybody */

/** struct kept - what came under a key we wait for, or a guest's packet that waits to be sealed (origin: we) */
struct kept {
	struct kept *next;
	int64_t until_ns;
	struct id origin;
	uint64_t epoch;
	struct offload offload;
	uint32_t len;
	uint8_t data[];
};

struct vnet_epoch {
	uint64_t epoch, mark;		/* of the newest list that begins one; 0: none */
	uint64_t before;
	int64_t before_ns;		/* until when that one's key opens; 0: not at all */
	uint8_t key[KEY_BYTES], key_before[KEY_BYTES];
	bool has;			/* key is the epoch's */
	uint8_t asked;			/* times, since we wait */
	uint8_t askers, kept;
	uint32_t kept_bytes;
	int64_t ask_ns, since_ns;
	struct id asker[ASKERS];
	struct kept *first, **last;
};

static const struct revoked *list_of(const struct vnet *v, const struct env *e)
{
	const struct revoked *l = revoked_list(e->revoked, v->record->key);

	return l && l->digest ? l : NULL;
}

static struct vnet_epoch *state(struct vnet *v, struct env *e)
{
	struct vnet_epoch *x = v->epoch;

	if (x)
		return x;
	x = v->epoch = mem_get(&e->mem, sizeof(*x));
	if (!x) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	memcpy(x->key, v->net->secret, KEY_BYTES);
	x->has = true;
	x->last = &x->first;
	return x;
}

/* ---- what waits ---- */

static void kept_free(struct env *e, struct vnet_epoch *x, struct kept *k)
{
	x->kept--;
	x->kept_bytes -= k->len;
	mem_put(&e->mem, k, sizeof(*k) + k->len);
}

/* Everything that is kept goes its way, or, if it can open no more, away. */
static void release(struct vnet *v, struct env *e)
{
	struct vnet_epoch *x = v->epoch;
	struct kept *k = x->first, *next;

	x->first = NULL;
	x->last = &x->first;
	for (; k; k = next) {
		struct bytes data = { k->data, k->len };

		next = k->next;
		k->next = NULL;
		if (k->until_ns > e->now_ns && !id_eq(k->origin, v->self) && k->epoch > x->epoch) {
			*x->last = k;			/* of an epoch still to come */
			x->last = &k->next;
			continue;
		}
		if (k->until_ns <= e->now_ns)
			env_drop(e, DROP_EPOCH);
		else if (id_eq(k->origin, v->self))
			cast_out(v, e, data, &k->offload);
		else
			path_cast(v, e, k->origin, 0, data);
		kept_free(e, x, k);
	}
}

void epoch_keep(struct vnet *v, struct env *e, struct id origin, uint64_t epoch, struct bytes data, const struct offload *o)
{
	struct vnet_epoch *x = state(v, e);
	struct kept *k;

	if (!x)
		return;
	k = x->kept < KEPT && x->kept_bytes + data.len <= KEPT_BYTES ? mem_get(&e->mem, sizeof(*k) + data.len) : NULL;
	if (!k) {
		env_drop(e, DROP_FULL);
		return;
	}
	*k = (struct kept){ .until_ns = e->now_ns + KEEP_NS, .origin = origin, .epoch = epoch, .len = (uint32_t)data.len };
	if (o)
		k->offload = *o;
	memcpy(k->data, data.at, data.len);
	*x->last = k;
	x->last = &k->next;
	x->kept++;
	x->kept_bytes += k->len;
	vnet_due(v, e, PART_GROUP, k->until_ns);
	if (epoch == x->epoch)
		epoch_met(v, e, origin);
}

/* ---- asking, telling ---- */

static void say(struct vnet *v, struct env *e, struct id to, const uint8_t *key)
{
	uint8_t buf[1 + 8 + KEY_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));

	write_u8(&w, key ? PAYLOAD_KEY : PAYLOAD_KEY_ASK);
	write_u64(&w, v->epoch->epoch);
	if (key)
		write_copy(&w, key, KEY_BYTES);
	tunnels_send(e, v->ports.tunnels, v->index, to, (struct bytes){ buf, writer_len(&w) }, NULL);
	sodium_memzero(buf, sizeof(buf));
}

void epoch_met(struct vnet *v, struct env *e, struct id peer)
{
	if (v->epoch && !v->epoch->has && !id_eq(peer, v->self))
		say(v, e, peer, NULL);
}

static void add(const struct vnet *v, struct id *at, unsigned *n, struct id who)
{
	bool there = id_eq(who, v->self);

	for (unsigned i = 0; i < *n; i++)
		there |= id_eq(at[i], who);
	if (!there && *n < PLACES)
		at[(*n)++] = who;
}

/* Who may have it: members we talk to, the founders, and whoever we are linked to. */
static unsigned candidates(const struct vnet *v, struct id at[PLACES])
{
	struct links *l = v->ports.ring->links;
	struct tunnel_view t;
	unsigned n = 0;

	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		if (tunnel_at(v->ports.tunnels, i, &t) && t.network == v->index && t.up)
			add(v, at, &n, t.peer);
	for (unsigned i = 0; i < v->record->founders; i++)
		add(v, at, &n, v->record->founder[i]);
	for (uint16_t i = 0; i < links_slots(l); i++)
		if (links_up(l, (link_ref){ i }))
			add(v, at, &n, links_id(l, (link_ref){ i }));
	return n;
}

static void ask(struct vnet *v, struct env *e)
{
	struct vnet_epoch *x = v->epoch;
	struct id at[PLACES];
	unsigned n = candidates(v, at);

	for (unsigned i = 0; i < AT_ONCE && n; i++) {
		unsigned k = (unsigned)(random_u64(&e->random) % n);

		say(v, e, at[k], NULL);
		at[k] = at[--n];
	}
	x->ask_ns = e->now_ns + (PAUSE_NS << (x->asked < PAUSES ? x->asked : PAUSES));
	x->asked += x->asked < PAUSES;
	vnet_due(v, e, PART_GROUP, x->ask_ns);
}

/* ---- epochs ---- */

static void has_it(struct vnet *v, struct env *e, const uint8_t *key)
{
	struct vnet_epoch *x = v->epoch;

	memcpy(x->key, key, KEY_BYTES);
	x->has = true;
	env_record(e, RECORD_EPOCH, v->id, x->epoch, (uint64_t)((e->now_ns - x->since_ns) / NS_PER_MS));
	for (unsigned i = 0; i < x->askers; i++)
		say(v, e, x->asker[i], x->key);
	x->askers = 0;
	release(v, e);
}

/* We are in the epoch of the newest list; false: as before. */
static bool follow(struct vnet *v, struct env *e)
{
	const struct revoked *l = list_of(v, e);
	struct vnet_epoch *x = l ? state(v, e) : v->epoch;
	uint64_t epoch = l ? l->serial : 0, mark = l ? l->mark : 0;

	if (!x || (x->epoch == epoch && x->mark == mark))
		return false;
	if (x->has) {
		memcpy(x->key_before, x->key, KEY_BYTES);
		x->before = x->epoch;
		x->before_ns = e->now_ns + BEFORE_NS;
		vnet_due(v, e, PART_GROUP, x->before_ns);
	}
	x->epoch = epoch;
	x->mark = mark;
	x->has = false;
	x->since_ns = e->now_ns;
	x->askers = x->asked = 0;
	return true;
}

void epoch_changed(struct vnet *v, struct env *e)
{
	if (!follow(v, e))
		return;
	if (v->epoch->epoch)
		ask(v, e);
	else
		has_it(v, e, v->net->secret);
}

bool epoch_key(struct vnet *v, struct env *e, const uint8_t key[KEY_BYTES])
{
	const struct revoked *l = list_of(v, e);

	if (!l || !revoked_opens(l, key))
		return false;
	follow(v, e);
	if (!v->epoch || v->epoch->has)
		return false;
	env_save(e, SAVE_GROUP, v->id.hi, key, KEY_BYTES);
	has_it(v, e, key);
	return true;
}

void epoch_load(struct vnet *v, struct env *e, struct bytes key)
{
	const struct revoked *l = list_of(v, e);
	struct vnet_epoch *x = l && key.len == KEY_BYTES && revoked_opens(l, key.at) ? state(v, e) : NULL;

	if (!x)
		return;				/* of an epoch that is over */
	memcpy(x->key, key.at, KEY_BYTES);
	x->epoch = l->serial;
	x->mark = l->mark;
}

void epoch_start(struct vnet *v, struct env *e)
{
	epoch_changed(v, e);
	if (v->epoch)
		v->epoch->before_ns = 0;	/* nothing is owed to an epoch that was over before we began */
}

const uint8_t *epoch_seals(struct vnet *v, uint64_t *epoch)
{
	const struct vnet_epoch *x = v->epoch;

	*epoch = x ? x->epoch : 0;
	return !x ? v->net->secret : x->has ? x->key : NULL;
}

const uint8_t *epoch_opens(struct vnet *v, const struct env *e, struct id origin, uint64_t epoch, enum drop *why)
{
	const struct vnet_epoch *x = v->epoch;
	uint64_t ours;
	const uint8_t *key = epoch_seals(v, &ours);

	*why = revoked_by(e->revoked, v->record->key, origin) ? DROP_REVOKED : epoch < ours ? DROP_EPOCH : DROP_NONE;
	if (*why == DROP_NONE && epoch == ours)
		return key;
	return *why == DROP_EPOCH && epoch == x->before && e->now_ns < x->before_ns ? x->key_before : NULL;
}

void epoch_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct reader r = reader_of(n->payload.at, n->payload.len);
	struct vnet_epoch *x = v->epoch;
	uint8_t kind = read_u8(&r);
	uint64_t epoch = read_u64(&r);
	const uint8_t *key = kind == PAYLOAD_KEY ? read_take(&r, KEY_BYTES) : NULL;

	if (!reader_ok(&r)) {
		env_drop(e, DROP_SHORT);
	} else if (!x || epoch != x->epoch || (key && !epoch_key(v, e, key))) {
		env_drop(e, DROP_STALE);		/* it asks again when it has our list, or we theirs; or it was told twice */
	} else if (!key && x->has) {
		say(v, e, n->peer, x->key);
	} else if (!key && x->askers < ASKERS) {
		unsigned askers = x->askers;

		add(v, x->asker, &askers, n->peer);
		x->askers = (uint8_t)askers;
	}
}

void epoch_timer(struct vnet *v, struct env *e)
{
	struct vnet_epoch *x = v->epoch;

	if (!x)
		return;
	if (x->before_ns && x->before_ns <= e->now_ns) {
		sodium_memzero(x->key_before, KEY_BYTES);
		x->before_ns = 0;
	} else if (x->before_ns) {
		vnet_due(v, e, PART_GROUP, x->before_ns);
	}
	while (x->first && x->first->until_ns <= e->now_ns) {	/* in the order of time */
		struct kept *k = x->first;

		x->first = k->next;
		if (!x->first)
			x->last = &x->first;
		env_drop(e, DROP_EPOCH);
		kept_free(e, x, k);
	}
	if (x->first)
		vnet_due(v, e, PART_GROUP, x->first->until_ns);
	if (!x->has && x->ask_ns <= e->now_ns)
		ask(v, e);
	else if (!x->has)
		vnet_due(v, e, PART_GROUP, x->ask_ns);
}

struct look_epoch vnet_epoch(const struct vnet *v)
{
	const struct vnet_epoch *x = v->epoch;

	return (struct look_epoch){ .epoch = x ? x->epoch : 0, .has = !x || x->has };
}

void epoch_free(struct vnet *v, struct env *e)
{
	struct vnet_epoch *x = v->epoch;

	if (!x)
		return;
	for (struct kept *k = x->first, *next; k; k = next) {
		next = k->next;
		kept_free(e, x, k);
	}
	sodium_memzero(x, sizeof(*x));
	mem_put(&e->mem, x, sizeof(*x));
	v->epoch = NULL;
}

uint32_t epoch_bytes(const struct vnet *v)
{
	const struct vnet_epoch *x = v->epoch;

	return x ? (uint32_t)(sizeof(*x) + x->kept * sizeof(struct kept) + x->kept_bytes) : 0;
}
