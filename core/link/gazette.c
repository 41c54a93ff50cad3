/*
 * What is said is never believed: a serial only makes us ask, and a list is
 * judged by its signature when it is whole. Of a peer that tells serials and
 * sends nothing we ask five times, of one that sends what does not hold never
 * again for that link.
 */
#include "core/link/gazette.h"

#include <assert.h>

#define AGAIN_NS	(1 * NS_PER_S)		/* first repetition of TELL, then doubling; between two ASKs */

enum {
	TELLS		= 6,			/* 1, 2, 4, ... 32 s: who then has not answered asks when it links again */
	ASKS		= 5,
	PIECE		= 1000,
	HEADER		= 1 + 8 + 8 + 8,
};

enum what { TELL = 1, HERE, ASK, PIECE_OF };

/** struct subscriber - one link: how often it was told of our newest, and whether it is to be believed */
struct subscriber {
	int64_t due_ns;
	uint16_t has;				/* a bit for each list that it has as we have it */
	uint8_t tells;				/* 0: has all, or was told often enough */
	bool liar;
};

struct fetch {
	uint8_t *bytes;				/* REVOKED_BYTES; NULL: nothing is fetched */
	unsigned list;
	uint64_t serial, mark;
	uint16_t got, total;			/* total 0: not known yet */
	uint8_t asks;
	link_ref from;
	int64_t due_ns;
};

struct gazette {
	struct links *links;
	struct revocations all;			/* list[i].all empty: none of that anchor yet */
	uint8_t anchor[REVOKED_LISTS][KEY_BYTES];
	struct subscriber *to;			/* by link slot */
	uint16_t slots;
	struct fetch fetch;
	bool changed;
};

/* Which is the list of @anchor, of which the first @len bytes are told? all.count: a network we are not in */
static unsigned list_of(const struct gazette *g, const uint8_t *anchor, size_t len)
{
	unsigned i = 0;

	while (i < g->all.count && memcmp(g->anchor[i], anchor, len))
		i++;
	return i;
}

void gazette_network(struct gazette *g, const uint8_t anchor[KEY_BYTES])
{
	if (list_of(g, anchor, KEY_BYTES) < g->all.count)
		return;
	assert(g->all.count < REVOKED_LISTS);
	memcpy(g->anchor[g->all.count], anchor, KEY_BYTES);
	g->all.list[g->all.count].anchor = g->anchor[g->all.count];
	g->all.count++;
}

static uint64_t part_of(const uint8_t anchor[KEY_BYTES])
{
	struct reader r = reader_of(anchor, KEY_BYTES);

	return read_u64(&r);
}

/* A bit for each list there is. */
static uint16_t ours_all(const struct gazette *g)
{
	uint16_t all = 0;

	for (unsigned i = 0; i < g->all.count; i++)
		all |= (uint16_t)(!!g->all.list[i].serial << i);
	return all;
}

static void fetch_end(struct env *e, struct gazette *g)
{
	mem_put(&e->mem, g->fetch.bytes, REVOKED_BYTES);
	g->fetch = (struct fetch){ .from = LINK_NONE };
}

/* The last one moves to the place of the one that goes. */
void gazette_quit(struct env *e, struct gazette *g, const uint8_t anchor[KEY_BYTES])
{
	unsigned i = list_of(g, anchor, KEY_BYTES), last = g->all.count - 1u;

	if (!i || i > last)
		return;
	if (g->fetch.bytes && g->fetch.list == i)
		fetch_end(e, g);
	if (g->all.list[i].serial)
		env_save(e, SAVE_REVOKED, part_of(anchor), NULL, 0);
	mem_put(&e->mem, (void *)g->all.list[i].all.at, g->all.list[i].all.len);
	g->all.list[i] = g->all.list[last];
	memmove(g->anchor[i], g->anchor[last], KEY_BYTES);
	g->all.list[i].anchor = g->anchor[i];
	g->all.list[last] = (struct revoked){ .anchor = NULL };
	g->all.count--;
	if (g->fetch.list == last)
		g->fetch.list = i;
	for (unsigned k = 0; k < g->slots; k++) {
		unsigned has = g->to[k].has & ~(1u << i), moved = has & 1u << last;

		g->to[k].has = (uint16_t)((has ^ moved) | (moved ? 1u << i : 0));
	}
}

void gazette_free(struct env *e, struct gazette *g)
{
	if (!g)
		return;
	fetch_end(e, g);
	for (unsigned i = 0; i < g->all.count; i++)
		mem_put(&e->mem, (void *)g->all.list[i].all.at, g->all.list[i].all.len);
	mem_put(&e->mem, g->to, g->slots * sizeof(*g->to));
	mem_put(&e->mem, g, sizeof(*g));
	e->revoked = NULL;
}

uint32_t gazette_bytes(const struct gazette *g)
{
	size_t bytes = g ? sizeof(*g) + g->slots * sizeof(*g->to) + (g->fetch.bytes ? REVOKED_BYTES : 0) : 0;

	for (unsigned i = 0; g && i < g->all.count; i++)
		bytes += g->all.list[i].all.len;
	return (uint32_t)bytes;
}

bool gazette_changed(struct gazette *g)
{
	bool changed = g->changed;

	g->changed = false;
	return changed;
}

/* ---- out ---- */

static struct writer open(struct env *e, struct gazette *g, link_ref ref, enum what what, unsigned list, uint64_t serial,
			  uint64_t mark, size_t more)
{
	struct writer w = links_message(e, g->links, ref, MESSAGE_NOTICE, HEADER + more);

	write_u8(&w, (uint8_t)what);
	write_copy(&w, g->anchor[list], 8);
	write_u64(&w, serial);
	write_u64(&w, mark);
	return w;
}

static void say(struct env *e, struct gazette *g, link_ref ref, enum what what, unsigned list)
{
	const struct revoked *l = &g->all.list[list];
	struct writer w = open(e, g, ref, what, list, l->serial, l->mark, 0);

	links_sent(e, g->links, ref, &w);
}

static void ask(struct env *e, struct gazette *g)
{
	struct fetch *f = &g->fetch;
	struct writer w = open(e, g, f->from, ASK, f->list, f->serial, f->mark, 2);

	write_u16(&w, f->got);
	links_sent(e, g->links, f->from, &w);
	f->asks++;
	f->due_ns = e->now_ns + AGAIN_NS;
}

static void arm(struct env *e, struct gazette *g)
{
	int64_t due = g->fetch.bytes ? g->fetch.due_ns : INT64_MAX;

	for (unsigned i = 0; i < g->slots; i++)
		if (g->to[i].tells && g->to[i].due_ns < due)
			due = g->to[i].due_ns;
	if (due < INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_GAZETTE, due);
	else
		heap_del(&e->timers, TIMER_GAZETTE);
}

void gazette_join(struct env *e, struct gazette *g, const uint8_t anchor[KEY_BYTES])
{
	unsigned list;

	gazette_network(g, anchor);
	list = list_of(g, anchor, KEY_BYTES);
	for (uint16_t i = 0; i < g->slots; i++)
		if (links_up(g->links, (link_ref){ i }))
			say(e, g, (link_ref){ i }, TELL, list);	/* serial 0: which do you have? */
}

/* All our lists to the peer of @slot. */
static void tell(struct env *e, struct gazette *g, uint16_t slot)
{
	struct subscriber *s = &g->to[slot];

	for (unsigned i = 0; i < g->all.count; i++)
		if (g->all.list[i].serial)
			say(e, g, (link_ref){ slot }, TELL, i);
	s->due_ns = e->now_ns + (AGAIN_NS << s->tells);
	s->tells++;
}

static void tell_all(struct env *e, struct gazette *g, link_ref but)
{
	for (uint16_t i = 0; i < g->slots; i++)
		if (i != but.slot && links_up(g->links, (link_ref){ i })) {
			g->to[i].tells = 0;
			g->to[i].has = 0;
			tell(e, g, i);
		}
	arm(e, g);
}

/* ---- lists ---- */

/* @blob is a list that holds: it replaces ours if it is newer. */
static enum drop take(struct env *e, struct gazette *g, struct bytes blob, bool save)
{
	struct revoked new;
	unsigned i;
	uint8_t *copy;
	enum drop why = revoked_read(e->suite, blob, &new);

	if (why != DROP_NONE)
		return why;
	i = list_of(g, new.anchor, KEY_BYTES);
	if (i == g->all.count)
		return DROP_OVERLAY;
	if (!revoked_newer(new.serial, new.mark, &g->all.list[i]))
		return DROP_STALE;
	copy = mem_get(&e->mem, blob.len);
	if (!copy)
		return DROP_MEMORY;
	memcpy(copy, blob.at, blob.len);
	mem_put(&e->mem, (void *)g->all.list[i].all.at, g->all.list[i].all.len);
	new.all.at = copy;
	new.ids = copy + (new.ids - blob.at);
	new.digest = new.digest ? copy + (new.digest - blob.at) : NULL;
	new.anchor = g->anchor[i];
	g->all.list[i] = new;
	g->changed = true;
	if (save) {
		env_save(e, SAVE_REVOKED, part_of(new.anchor), copy, (uint32_t)blob.len);
		env_record(e, RECORD_REVOKED, ID_ZERO, new.serial, new.count);
	}
	return DROP_NONE;
}

bool gazette_load(struct env *e, struct gazette *g, uint8_t kind, struct bytes data)
{
	if (kind != SAVE_REVOKED)
		return false;
	if (data.len)
		env_drop(e, take(e, g, data, false));
	return true;
}

enum drop gazette_take(struct env *e, struct gazette *g, struct bytes blob)
{
	enum drop why = take(e, g, blob, true);

	if (why == DROP_NONE)
		tell_all(e, g, LINK_NONE);
	return why;
}

/* ---- in ---- */

void gazette_link(struct env *e, struct gazette *g, link_ref ref, bool up)
{
	if (!up) {
		if (ref.slot < g->slots)
			g->to[ref.slot] = (struct subscriber){ .tells = 0 };
		if (g->fetch.bytes && link_same(g->fetch.from, ref))
			fetch_end(e, g);
	} else if (ref.slot < g->slots || mem_grow(&e->mem, &g->to, &g->slots, (uint16_t)(ref.slot + 8), sizeof(*g->to))) {
		g->to[ref.slot] = (struct subscriber){ .tells = 0 };
		if (ours_all(g))
			tell(e, g, ref.slot);
	}
	arm(e, g);
}

struct gazette *gazette_new(struct env *e, struct links *l)
{
	struct gazette *g = mem_get(&e->mem, sizeof(*g));

	if (!g)
		return NULL;
	g->links = l;
	gazette_network(g, e->config->overlay);
	e->revoked = &g->all;
	for (uint16_t i = 0; i < links_slots(l); i++)
		if (links_up(l, (link_ref){ i }))
			gazette_link(e, g, (link_ref){ i }, true);
	return g;
}

static void fetch_begin(struct env *e, struct gazette *g, link_ref ref, unsigned list, uint64_t serial, uint64_t mark)
{
	struct fetch *f = &g->fetch;

	if (f->bytes || ref.slot >= g->slots || g->to[ref.slot].liar)
		return;
	f->bytes = mem_get(&e->mem, REVOKED_BYTES);
	if (!f->bytes)
		return;
	f->list = list;
	f->serial = serial;
	f->mark = mark;
	f->from = ref;
	ask(e, g);
}

static void told(struct env *e, struct gazette *g, link_ref ref, unsigned list, uint64_t serial, uint64_t mark, enum what what)
{
	const struct revoked *ours = &g->all.list[list];
	bool newer = revoked_newer(serial, mark, ours), same = serial == ours->serial && mark == ours->mark;

	if (newer)
		fetch_begin(e, g, ref, list, serial, mark);
	else if (!same)
		say(e, g, ref, TELL, list);
	else if (what == TELL)
		say(e, g, ref, HERE, list);
	if ((newer || same) && ref.slot < g->slots) {
		struct subscriber *s = &g->to[ref.slot];

		s->has |= (uint16_t)(1 << list);
		if (!(ours_all(g) & ~s->has))
			s->tells = 0;
	}
}

static void send_piece(struct env *e, struct gazette *g, link_ref ref, unsigned list, uint16_t offset)
{
	const struct revoked *l = &g->all.list[list];
	size_t len = l->all.len - offset < PIECE ? l->all.len - offset : PIECE;
	struct writer w = open(e, g, ref, PIECE_OF, list, l->serial, l->mark, 2 + 2 + len);

	write_u16(&w, (uint16_t)l->all.len);
	write_u16(&w, offset);
	write_copy(&w, l->all.at + offset, len);
	links_sent(e, g->links, ref, &w);
}

void gazette_farewell(struct env *e, struct gazette *g, link_ref ref)
{
	say(e, g, ref, TELL, 0);
	for (size_t at = 0; at < g->all.list[0].all.len; at += PIECE)
		send_piece(e, g, ref, 0, (uint16_t)at);
}

static void piece(struct env *e, struct gazette *g, link_ref ref, unsigned list, uint64_t serial, uint64_t mark,
		  struct reader *in)
{
	struct fetch *f = &g->fetch;
	uint16_t total = read_u16(in), offset = read_u16(in);
	size_t len = reader_left(in);
	enum drop why;

	if (!f->bytes || !link_same(f->from, ref) || f->list != list || f->serial != serial || f->mark != mark ||
	    offset != f->got) {
		env_drop(e, DROP_STATE);
		return;
	}
	if (!reader_ok(in) || !len || total > REVOKED_BYTES || (f->total && total != f->total) || offset + len > total) {
		env_drop(e, DROP_VALUE);
		return;
	}
	memcpy(f->bytes + offset, in->at, len);
	f->total = total;
	f->got = (uint16_t)(offset + len);
	f->asks = 0;
	if (f->got < f->total) {
		ask(e, g);
		return;
	}
	why = take(e, g, (struct bytes){ f->bytes, f->total }, true);
	g->to[ref.slot].liar = why != DROP_NONE && why != DROP_STALE && why != DROP_MEMORY;
	env_drop(e, why);
	fetch_end(e, g);
	if (why == DROP_NONE) {
		say(e, g, ref, HERE, list);
		tell_all(e, g, ref);
	}
}

void gazette_message(struct env *e, struct gazette *g, link_ref ref, struct bytes body)
{
	struct reader in = reader_of(body.at, body.len);
	uint8_t what = read_u8(&in);
	const uint8_t *anchor = read_take(&in, 8);
	uint64_t serial = read_u64(&in), mark = read_u64(&in);
	const struct revoked *ours;
	unsigned list;
	uint16_t offset;

	if (!reader_ok(&in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	list = list_of(g, anchor, 8);
	if (list == g->all.count)
		return;
	ours = &g->all.list[list];
	switch (what) {
	case TELL:
	case HERE:
		told(e, g, ref, list, serial, mark, (enum what)what);
		break;
	case ASK:
		offset = read_u16(&in);
		if (serial == ours->serial && mark == ours->mark && offset < ours->all.len)
			send_piece(e, g, ref, list, offset);
		else
			env_drop(e, DROP_STALE);
		break;
	case PIECE_OF:
		piece(e, g, ref, list, serial, mark, &in);
		break;
	default:
		env_drop(e, DROP_VALUE);
	}
	arm(e, g);
}

void gazette_timer(struct env *e, struct gazette *g)
{
	struct fetch *f = &g->fetch;

	if (f->bytes && f->due_ns <= e->now_ns) {
		if (f->asks < ASKS)
			ask(e, g);
		else
			fetch_end(e, g);
	}
	for (uint16_t i = 0; i < g->slots; i++) {
		struct subscriber *s = &g->to[i];

		if (!s->tells || s->due_ns > e->now_ns)
			continue;
		if (s->tells < TELLS && links_up(g->links, (link_ref){ i }))
			tell(e, g, i);
		else
			s->tells = 0;
	}
	arm(e, g);
}
