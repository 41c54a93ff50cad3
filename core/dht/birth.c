/*
 * The root slot of a network: which slots were born, and as what.
 *
 * One record for each slot. It is pending, with the first view, until a majority of
 * that view has saved that it begins and said so (LIVES); then it only says that the
 * slot lives, and only when that stands does the view serve. So a pending birth can
 * be given to others under a higher view number, if those it was given to are
 * never heard of again: nothing was decided in it. Of a slot that lives the root
 * never hands out a first view again, except of a next generation (generation.c). Nothing
 * is born of a read: that there is no such slot is an answer of the root's, by majority.
 *
 * The root's own view 0 is the founders of the signed record. Nobody can tell a
 * founder that starts for the first time from one that lost its disk, so all
 * founders have to meet: view 0 begins as a view comes back of which all members
 * stopped (rejoin.c), with nothing to take over.
 */
#include "core/dht/replica.h"

#include <sodium.h>

enum { ENTRY_BYTES = 1 + 9 + VIEW_MAX * 32 };
enum { TYPE_PENDING = 1, TYPE_LIVES };

#define PENDING_NS	(5 * NS_PER_S)
#define FOUNDER_NS	(3 * NS_PER_S)
#define FOR_EVER_S	(40u * 86400)

static uint64_t key_of(const struct slot_name *s)
{
	uint8_t buf[32], out[16] = { 0 };
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r = reader_of(out, sizeof(out));

	write_u8(&w, s->kind);
	write_u64(&w, s->number);
	crypto_generichash_blake2b(out, sizeof(out), buf, writer_len(&w), NULL, 0);
	return read_u64(&r);
}

static struct kept *entry_find(const struct replica *root, const struct slot_name *s, struct view *first)
{
	struct kept *k = store_find(&root->store, key_of(s));
	struct reader in;

	if (!k)
		return NULL;
	*first = (struct view){ .name = { k->generation, k->delegation } };
	if (k->type == TYPE_LIVES)
		return k;
	in = reader_of(k->bytes + 1, k->len ? k->len - 1u : 0);
	return view_read(&in, first) ? k : NULL;
}

static struct kept *entry_put(struct dht *d, struct env *e, struct replica *root, const struct slot_name *s,
			      const struct view *first, uint8_t type)
{
	uint8_t bytes[ENTRY_BYTES] = { 0 };
	struct writer w = writer_of(bytes + 1, sizeof(bytes) - 1);
	struct kept k = {
		.key = key_of(s), .owner = first->member[0].id, .type = type, .term_s = FOR_EVER_S,
		.until_ns = e->now_ns + FOR_EVER_S * NS_PER_S,
		.generation = first->name.generation, .delegation = first->name.number,
	};

	if (type == TYPE_PENDING) {
		view_write(&w, first);
		k.bytes = bytes;
		k.len = sizeof(bytes);
	}
	return primary_write(d, e, root, &k, root->store.grants);
}

/* The root's primary, or the way there: NULL, and the word was sent on. */
static struct replica *root_of(struct dht *d, struct env *e, const struct heard *h, struct bytes data, unsigned hops_at)
{
	struct slot_name name = slot_root(h->slot.network);
	struct replica *r = replica_find(d, &name);
	const struct hint *n = hint_find(d, &name);
	const struct view *v = r && r->view.members ? &r->view : n ? &n->view : NULL;
	uint8_t buf[LETTER_MAX];

	if (r && primary_serves(d, e, r))
		return r;
	if (!v) {
		seek_op(d, e, &name, (struct bytes){ 0 });
		return NULL;
	}
	if (data.len > sizeof(buf) || data.at[hops_at] > 4 || id_eq(v->member[0].id, d->self->id))
		return NULL;
	memcpy(buf, data.at, data.len);
	buf[hops_at]++;
	mail_hold(d, e, v->member[0].id, ROUTE_EXACT, BODY_SLOT, (struct bytes){ buf, data.len }, ID_ZERO, 1);
	return NULL;
}

enum { HEAD = 1 + 25 + 8 + 16 };	/* of a word: its own body starts there */

/* Is a slot of that name possible at all? */
static bool possible(const struct slot_name *s, const struct network_record *n)
{
	const struct ip_range *g = s->kind == SLOT_V4 ? &n->range4 : &n->range6;
	struct ip a = g->ip;

	if (s->kind == SLOT_NAMES)
		return s->number < NAME_BUCKETS;
	if (s->kind == SLOT_ROOT || !g->ip.family || s->number >> (64 - SLOT_BITS))
		return false;
	if (s->kind == SLOT_V4) {
		struct ip last;

		if (s->number >> (32 - SLOT_BITS))
			return false;
		a = ip_v4((uint32_t)(s->number << SLOT_BITS));
		last = ip_v4((uint32_t)(s->number << SLOT_BITS | (SLOT_ADDRESSES - 1)));
		return ip_in(&a, g) || ip_in(&last, g) || (ip_u32(&g->ip) >> SLOT_BITS) == s->number;
	}
	return true;
}

/* For how long a slot of that first view grants nothing. */
static uint32_t wait_ms(const struct dht *d, const struct env *e, const struct replica *root, const struct view *first)
{
	const struct network_record *n = replica_network(d, root);
	int64_t wait_ns = generation_serves(root) - e->now_ns;

	if (n && first->name.generation > root->view.name.generation)
		wait_ns = generation_term(n);
	return wait_ns > 0 ? (uint32_t)(wait_ns / NS_PER_MS) + 1 : 0;
}

static void answer(struct dht *d, struct env *e, struct replica *root, const struct slot_name *s, struct id to,
		   uint64_t asking, enum born born, const struct view *first)
{
	struct letter l;

	letter_open(&l, d, WORD_BORN, s, (struct view_name){ 0 });
	write_u8(&l.w, born);
	write_u64(&l.w, asking);
	if (born == BORN_PENDING) {
		write_u32(&l.w, wait_ms(d, e, root, first));
		view_write(&l.w, first);
	}
	primary_wait(d, e, root, 0, true, to, ID_ZERO, BODY_SLOT, (struct bytes){ l.buf, writer_len(&l.w) });
}

void birth_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in, struct bytes data)
{
	struct view asked, first;
	struct replica *root;
	const struct kept *k;
	const struct network_record *n;
	struct id to;
	uint64_t asking;
	uint8_t flags;

	read_u8(in);
	flags = read_u8(in);
	asking = read_u64(in);
	if (!view_read(in, &asked) || !reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	root = root_of(d, e, h, data, HEAD);
	if (!root)
		return;
	n = replica_network(d, root);
	if (!n || !possible(&h->slot, n)) {
		env_drop(e, DROP_RANGE);
		return;
	}
	to = asked.member[0].id;
	k = entry_find(root, &h->slot, &first);
	if (!k && flags & BIRTH_READ && root->view.name.generation == n->generation && generation_serves(root) <= e->now_ns) {
		answer(d, e, root, &h->slot, to, asking, BORN_NOT, NULL);
		return;
	}
	if (k && k->type == TYPE_LIVES && !(flags & BIRTH_RECLAIM && n->policy == POLICY_RECLAIM)) {
		answer(d, e, root, &h->slot, to, asking, BORN_LIVES, NULL);
		return;
	}
	if (k && k->type == TYPE_PENDING) {
		if (id_eq(k->owner, to) && life_eq(first.member[0].life, asked.member[0].life)) {
			answer(d, e, root, &h->slot, to, asking, BORN_PENDING, &first);
			return;
		}
		if (e->now_ns < k->until_ns - FOR_EVER_S * NS_PER_S + PENDING_NS)
			return;			/* somebody else is at it: asked again, it lives */
	}
	asked.name = (struct view_name){ n->generation, 1 };
	if (k && k->type == TYPE_PENDING)
		asked.name = (struct view_name){ first.name.generation, first.name.number + 1 };
	else if (k)
		asked.name.generation = first.name.generation + 1;
	if (entry_put(d, e, root, &h->slot, &asked, TYPE_PENDING))
		answer(d, e, root, &h->slot, to, asking, BORN_PENDING, &asked);
}

void begin_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in)
{
	struct replica *r = replica_find(d, &h->slot);
	const struct hint *n = hint_find(d, &h->slot);
	int64_t wait_ns = read_u32(in) * NS_PER_MS;
	struct view v;
	struct letter l;
	int me;

	if (!view_read(in, &v) || !reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	me = view_place(&v, d->self->id);
	if (me < 0 || !life_eq(v.member[me].life, d->replicas->life) || (n && view_cmp(n->view.name, v.name) >= 0))
		return;
	if (r && r->view.members && r->view.name.generation < v.name.generation) {
		replica_del(d, e, r);		/* it lost its majority; the root gave up on it */
		r = NULL;
	}
	if (r && r->view.members && (view_cmp(r->view.name, v.name) > 0 || !r->unborn))
		return;
	if (r && r->view.members && !view_cmp(r->view.name, v.name)) {
		letter_send(d, e, letter_open(&l, d, WORD_BEGUN, &r->slot, v.name), h->from, r->head_token);
		return;
	}
	if (!r && !(r = replica_add(d, e, &h->slot)))
		return;
	if (!replica_network(d, r))
		charter_want(d, e, h->slot.network, h->from);
	stage_end(d, e, r);
	primary_end(d, e, r);
	store_done(&r->store, &e->mem);
	r->view = v;
	r->follows = (struct view_name){ 0 };
	r->base = r->promised = r->accepted = 0;
	r->proven = r->complete = r->unborn = true;
	r->writer = !me;
	r->changed_ns = r->heard_ns = e->now_ns;
	generation_wait(d, e, r, wait_ns);
	replica_save(d, e, r);
	if (!me) {
		primary_begin(d, e, r);
		r->duty->hint_ns = e->now_ns + NS_PER_S;
	}
	replica_wake(d, e, r, e->now_ns + 3 * NS_PER_S);
	letter_send(d, e, letter_open(&l, d, WORD_BEGUN, &r->slot, v.name), h->from, r->head_token);
}

void lives_tell(struct dht *d, struct env *e, struct replica *r)
{
	struct slot_name root = slot_root(r->slot.network);
	const struct replica *own = replica_find(d, &root);
	const struct hint *h = hint_find(d, &root);
	struct letter l;

	letter_open(&l, d, WORD_LIVES, &r->slot, r->view.name);
	write_u8(&l.w, 0);
	write_id(&l.w, d->self->id);
	if (own && own->view.members)
		letter_now(d, e, &l, own->view.member[0].id);
	else if (h)
		letter_now(d, e, &l, h->view.member[0].id);
	else
		letter_route(d, e, &l, slot_point(&root));
}

void lives_in(struct dht *d, struct env *e, const struct heard *h, struct bytes data)
{
	struct reader in = reader_of(data.at + HEAD, data.len - HEAD);
	struct replica *root;
	struct view first;
	struct kept *k;
	struct letter l;
	struct id who;

	read_u8(&in);
	who = read_id(&in);
	if (!reader_done(&in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	root = root_of(d, e, h, data, HEAD);
	if (!root)
		return;
	k = entry_find(root, &h->slot, &first);
	if (!k || view_cmp(first.name, h->view))
		return;
	if (k->type == TYPE_PENDING) {			/* only its primary knows that a majority began */
		if (!id_eq(who, first.member[0].id) || !entry_put(d, e, root, &h->slot, &first, TYPE_LIVES))
			return;
	}
	letter_open(&l, d, WORD_LIVES_ACK, &h->slot, h->view);
	primary_wait(d, e, root, 0, true, who, ID_ZERO, BODY_SLOT, (struct bytes){ l.buf, writer_len(&l.w) });
}

void lives_ack_in(struct dht *d, struct env *e, const struct heard *h)
{
	struct replica *r = replica_find(d, &h->slot);

	if (!r || !r->unborn || view_cmp(r->view.name, h->view))
		return;
	r->unborn = false;
	if (r->duty) {
		d->account.births++;
		r->duty->hint_ns = e->now_ns;
	}
	replica_save(d, e, r);
	replica_wake(d, e, r, e->now_ns);
	seek_found(d, e, &h->slot);
}

/* ---- view 0 ---- */

void founder_start(struct dht *d, struct env *e, const struct charter *c)
{
	const struct network_record *n = &c->record;
	struct slot_name root = slot_root(n->id);
	struct replica *r = replica_find(d, &root);
	const struct hint *h = hint_find(d, &root);
	bool founder = false;

	for (unsigned i = 0; i < n->founders; i++)
		founder |= id_eq(n->founder[i], d->self->id);
	if (!founder || r || (h && h->view.name.generation >= n->generation) || !(r = replica_add(d, e, &root)))
		return;
	r->view.name = (struct view_name){ n->generation, 0 };
	r->view.members = n->founders;
	for (unsigned i = 0; i < n->founders; i++)
		r->view.member[i].id = n->founder[i];
	r->complete = true;
	r->changed_ns = e->now_ns;
	if (n->generation)
		generation_wait(d, e, r, generation_term(n));
	rejoin_begin(d, e, r);
}

/*
 * A lone founder without a disk asks around first: if anybody knows a later
 * view, it is somebody who lost its own. If nobody does it begins; were the
 * whole network away while its only founder lost the disk, two roots would
 * follow each other, and with them two owners. Three founders are safe from that.
 */
int64_t founder_due(struct dht *d, struct env *e, struct replica *r)
{
	struct rejoin *j = r->rejoin;

	if (!dht_joined(d)) {
		j->again_ns = 0;
		return e->now_ns + NS_PER_S;
	}
	if (!j->again_ns) {
		j->again_ns = e->now_ns + FOUNDER_NS;
		seek_op(d, e, &r->slot, (struct bytes){ 0 });
	}
	if (e->now_ns < j->again_ns)
		return j->again_ns;
	r->proven = true;
	r->view.member[0].life = d->replicas->life;
	rejoin_end(d, e, r);
	replica_save(d, e, r);
	replica_wake(d, e, r, e->now_ns);
	return e->now_ns;
}
