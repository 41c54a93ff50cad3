/*
 * eventlog.c - buffers per shard, one order at the barrier, lines out
 *
 * A node lives in one shard, so its own lines are in order already; sorting all
 * shards by (time, node, order of writing) is therefore the same for any number
 * of shards. The world itself writes in shard 0 only, and comes first in an instant.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "core/link/link.h"
#include "sim/record/eventlog.h"
#include "sim/record/manifest.h"

struct entry {
	int64_t now_ns;
	uint32_t node;
	uint32_t place;			/* order of writing within the shard */
	struct record rec;
	char *word, *text;		/* said by the world; NULL: @rec counts */
};

struct eventlog {
	struct eventlog_setup setup;
	const char *name;		/* of the file, in a run directory */
	FILE *file;
	GArray **shard;			/* struct entry */
	GArray *all;			/* struct entry, at flush */
};

struct eventlog *eventlog_new(const struct eventlog_setup *s, struct fail *f)
{
	struct eventlog *l = g_new0(struct eventlog, 1);

	assert(s->shards && (s->dir || s->to));
	l->setup = *s;
	l->name = s->form == EVENTLOG_JSON ? "events.jsonl" : "events.txt";
	l->file = s->dir ? rundir_open(s->dir, l->name, f) : s->to;
	if (!l->file) {
		g_free(l);
		return NULL;
	}
	l->shard = g_new(GArray *, s->shards);
	for (unsigned i = 0; i < s->shards; i++)
		l->shard[i] = g_array_new(FALSE, FALSE, sizeof(struct entry));
	l->all = g_array_new(FALSE, FALSE, sizeof(struct entry));
	return l;
}

static bool watched(const struct eventlog *l, uint32_t node)
{
	return l->setup.watch == EVENTLOG_WORLD || node == EVENTLOG_WORLD ||
	       node == l->setup.watch;
}

static void append(struct eventlog *l, unsigned shard, struct entry e)
{
	assert(shard < l->setup.shards);
	assert(e.node != EVENTLOG_WORLD || shard == 0);
	e.place = l->shard[shard]->len;
	g_array_append_val(l->shard[shard], e);
}

void eventlog_put(struct eventlog *l, unsigned shard, int64_t now_ns, uint32_t node,
		  const struct record *rec)
{
	if (watched(l, node))
		append(l, shard, (struct entry){ .now_ns = now_ns, .node = node, .rec = *rec });
}

void eventlog_say(struct eventlog *l, unsigned shard, int64_t now_ns, uint32_t node,
		  const char *word, const char *format, ...)
{
	struct entry e = { .now_ns = now_ns, .node = node };
	va_list args;

	if (!watched(l, node))
		return;
	va_start(args, format);
	e.text = g_strdup_vprintf(format, args);
	va_end(args);
	e.word = g_strdup(word);
	append(l, shard, e);
}

/* "n4", or the id where the host cannot say whose it is */
static const char *peer_name(const struct eventlog *l, struct id id, char buf[40])
{
	uint32_t n = l->setup.namer ? l->setup.namer(l->setup.world, id) : EVENTLOG_WORLD;

	if (n == EVENTLOG_WORLD)
		g_snprintf(buf, 40, "%016" PRIx64 "%016" PRIx64, id.hi, id.lo);
	else
		g_snprintf(buf, 40, "n%" PRIu32, n);
	return buf;
}

/* An address as records name it: IPv6, or IPv4 mapped into it */
static const char *address_text(struct id a, char buf[INET6_ADDRSTRLEN])
{
	uint8_t b[16];

	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(a.hi >> (56 - 8 * i));
		b[8 + i] = (uint8_t)(a.lo >> (56 - 8 * i));
	}
	return !a.hi && a.lo >> 32 == 0xffff ? inet_ntop(AF_INET, b + 12, buf, INET6_ADDRSTRLEN) :
					       inet_ntop(AF_INET6, b, buf, INET6_ADDRSTRLEN);
}

/* What a node said, as the rest of a line; vocabulary and arguments of core/base/record.h. */
static void sentence(const struct eventlog *l, const struct record *r, GString *to)
{
	char address[INET6_ADDRSTRLEN];
	char peer[40];

	peer_name(l, r->peer, peer);
	switch ((enum record_kind)r->kind) {
	case RECORD_START:
		g_string_append_printf(to, "remembers %" PRIu64 " peers", r->a);
		break;
	case RECORD_JOINED:
		g_string_append_printf(to, "successor %s, %" PRIu64 " ms after start", peer, r->a);
		break;
	case RECORD_APART:
		g_string_append_printf(to, "reason %" PRIu64, r->a);
		break;
	case RECORD_LEAVE:
		g_string_append_printf(to, "hands over to %s", peer);
		break;
	case RECORD_LEFT:
		g_string_append_printf(to, "%s %s", r->a ? "handed over to" : "not handed over to",
				       peer);
		break;
	case RECORD_LINK_UP:
		g_string_append_printf(to, "%s, %s, took %" PRIu64 " ms", peer,
				       r->b ? "relayed" : "direct", r->a);
		break;
	case RECORD_LINK_DOWN:
		g_string_append_printf(to, "%s, %s, lived %" PRIu64 " s", peer,
				       link_end_text((enum link_end)r->a), r->b);
		break;
	case RECORD_LINK_FAILED:
		g_string_append_printf(to, "%s, %s",
				       id_eq(r->peer, ID_ZERO) ? "an endpoint" : peer,
				       link_end_text((enum link_end)r->a));
		break;
	case RECORD_LINK_PATH:
		g_string_append_printf(to, "%s, now %s", peer, r->a ? "relayed" : "direct");
		break;
	case RECORD_SUSPECT:
		g_string_append_printf(to, "%s, silent for %" PRIu64 " ms", peer, r->a);
		break;
	case RECORD_DEAD:
		g_string_append_printf(to, "%s, silent for %" PRIu64 " ms%s", peer, r->a,
				       r->b ? ", a ring neighbour" : "");
		break;
	case RECORD_NEIGHBOUR:
		g_string_append_printf(to, "%s on the %s", peer, r->a ? "right" : "left");
		break;
	case RECORD_DRAWN:
		g_string_append_printf(to, "a long link to %016" PRIx64, r->peer.hi);
		break;
	case RECORD_LONG:
	case RECORD_REFUSED:
	case RECORD_MERGE:
		g_string_append(to, peer);
		break;
	case RECORD_LOOKUP:
		g_string_append_printf(to, "answered by %s, %" PRIu64 " hops, %" PRIu64 " tries",
				       peer, r->a, r->b);
		break;
	case RECORD_BROADCAST:
		g_string_append_printf(to, "from %s, number %" PRIu64 ", %" PRIu64 " hops", peer,
				       r->a, r->b);
		break;
	case RECORD_LEASED:
		g_string_append_printf(to, "%s after %" PRIu64 " ms", address_text(r->peer, address), r->a);
		break;
	case RECORD_LEASE_LOST:
		g_string_append_printf(to, "%s, verdict %" PRIu64, address_text(r->peer, address), r->a);
		break;
	case RECORD_LEASE_REFUSED:
		g_string_append_printf(to, "%s, verdict %" PRIu64, address_text(r->peer, address), r->a);
		break;
	case RECORD_RESOLVED:
		g_string_append_printf(to, "%s, %s, %" PRIu64 " ms", address_text(r->peer, address), r->b ? "found" : "nobody", r->a);
		break;
	case RECORD_EPOCH:
		g_string_append_printf(to, "%" PRIu64 " of %s, its group key after %" PRIu64 " ms", r->a, peer, r->b);
		break;
	case RECORD_LAN:
		g_string_append_printf(to, "%s %s our LAN, %s", peer, r->a ? "came to" : "left",
				       r->b ? "served by us" : "served by another");
		break;
	case RECORD_KINDS:
	default:
		g_string_append_printf(to, "%s %" PRIu64 " %" PRIu64, peer, r->a, r->b);
		break;
	}
}

static void line_text(const struct eventlog *l, const struct entry *e, GString *to)
{
	char node[16] = "--";

	if (e->node != EVENTLOG_WORLD)
		g_snprintf(node, sizeof(node), "n%" PRIu32, e->node);
	g_string_append_printf(to, "%5" PRId64 ".%06" PRId64 " s  %-7s %-10s ",
			       e->now_ns / 1000000000, e->now_ns % 1000000000 / 1000, node,
			       e->word ? e->word : record_text(e->rec.kind));
	if (e->text)
		g_string_append(to, e->text);
	else
		sentence(l, &e->rec, to);
	while (to->len && to->str[to->len - 1] == ' ')
		g_string_truncate(to, to->len - 1);
}

static void line_json(const struct eventlog *l, const struct entry *e, GString *to)
{
	g_string_append_printf(to, "{\"t_s\":%" PRId64 ".%09" PRId64 ",\"node\":",
			       e->now_ns / 1000000000, e->now_ns % 1000000000);
	if (e->node == EVENTLOG_WORLD)
		g_string_append(to, "null");
	else
		g_string_append_printf(to, "%" PRIu32, e->node);
	g_string_append(to, ",\"event\":");
	json_quote(to, e->word ? e->word : record_text(e->rec.kind));
	if (e->text) {
		g_string_append(to, ",\"text\":");
		json_quote(to, e->text);
	} else {
		char peer[40];

		g_string_append_printf(to, ",\"peer\":\"%s\",\"a\":%" PRIu64 ",\"b\":%" PRIu64,
				       peer_name(l, e->rec.peer, peer), e->rec.a, e->rec.b);
	}
	g_string_append_c(to, '}');
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->now_ns != y->now_ns)
		return x->now_ns < y->now_ns ? -1 : 1;
	if (x->node != y->node) {
		/* the world first: its number is the greatest, so it wraps to 0 */
		return x->node + 1 < y->node + 1 ? -1 : 1;
	}
	return (x->place > y->place) - (x->place < y->place);
}

bool eventlog_flush(struct eventlog *l, struct fail *f)
{
	GString *line = g_string_new(NULL);

	for (unsigned i = 0; i < l->setup.shards; i++) {
		g_array_append_vals(l->all, l->shard[i]->data, l->shard[i]->len);
		g_array_set_size(l->shard[i], 0);
	}
	if (l->all->len)
		qsort(l->all->data, l->all->len, sizeof(struct entry), by_order);
	for (unsigned i = 0; i < l->all->len; i++) {
		struct entry *e = &g_array_index(l->all, struct entry, i);

		g_string_truncate(line, 0);
		(l->setup.form == EVENTLOG_JSON ? line_json : line_text)(l, e, line);
		g_string_append_c(line, '\n');
		fwrite(line->str, 1, line->len, l->file);
		g_free(e->word);
		g_free(e->text);
	}
	g_array_set_size(l->all, 0);
	g_string_free(line, TRUE);
	if (l->setup.dir)
		return rundir_check(l->setup.dir, l->file, l->name, f);
	if (fflush(l->file)) {
		fail_errno(f, "write", "the event log", errno);
		return false;
	}
	return true;
}

bool eventlog_close(struct eventlog *l, struct fail *f)
{
	bool ok;

	if (!l)
		return true;
	ok = eventlog_flush(l, f);
	if (l->setup.dir)
		ok = rundir_close(l->setup.dir, l->file, l->name, ok ? f : NULL) && ok;
	for (unsigned i = 0; i < l->setup.shards; i++)
		g_array_free(l->shard[i], TRUE);
	g_free(l->shard);
	g_array_free(l->all, TRUE);
	g_free(l);
	return ok;
}
