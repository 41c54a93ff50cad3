/* Who is told what: the journals, the hooks, the event log; violations and the breaks they cause. */
#include <stdarg.h>
#include <string.h>

#include <glib.h>

#include "sim/world/inside.h"
#include "sim/world/revokes.h"

enum { SHOWN = 10 };				/* violations printed as they are found */

void watch_note(struct shard *s, int64_t now_ns, struct host *h, enum note_kind kind, struct id id,
		uint64_t a, uint64_t b)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	struct note n = { .at_ns = now_ns, .host = i, .kind = (uint8_t)kind, .id = id, .a = a, .b = b };

	journal_put(&s->journal, &n);
	if (!w->log)
		return;
	if (kind == NOTE_END)
		eventlog_say(w->log, s->number, now_ns, i, "end", "%s",
			     a ? "after a goodbye" : "without goodbye");
	else if (kind == NOTE_STALL)
		eventlog_say(w->log, s->number, now_ns, i, "stall", "gets no steps");
}

/* What a record means for the books. */
static void book(struct shard *s, int64_t now_ns, struct host *h, const struct record *r)
{
	switch (r->kind) {
	case RECORD_JOINED:
		if (h->flags & HOST_JOINED)
			break;
		h->flags |= HOST_JOINED;
		h->joined_ns = now_ns;
		s->joined++;
		watch_note(s, now_ns, h, NOTE_JOINED, h->id, 0, 0);
		break;
	case RECORD_APART:
	case RECORD_LEFT:
		if (h->flags & HOST_JOINED) {
			h->flags &= (uint8_t)~HOST_JOINED;
			s->joined--;
			watch_note(s, now_ns, h, r->kind == RECORD_LEFT ? NOTE_LEFT : NOTE_APART,
				   h->id, 0, 0);
		}
		if (r->kind == RECORD_LEFT && h->state == HOST_LEAVING)
			h->flags |= HOST_ENDING;
		break;
	case RECORD_DEAD:
		watch_note(s, now_ns, h, NOTE_DEAD, r->peer, 0, 0);
		break;
	case RECORD_REVOKED:
	case RECORD_EPOCH:
		revokes_record(s, now_ns, h, r);
		break;
	case RECORD_BROADCAST:
		watch_note(s, now_ns, h, NOTE_HEARD, r->peer, r->a, r->b);
		break;
	}
}

void watch_record(struct shard *s, int64_t now_ns, struct host *h, const struct record *r)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);

	book(s, now_ns, h, r);
	for (unsigned k = 0; k < w->watches; k++)
		if (w->watch[k].record)
			w->watch[k].record(w->watch[k].ctx, s->number, now_ns, i, r);
	if (w->log)
		eventlog_put(w->log, s->number, now_ns, i, r);
	if (w->breaks && r->kind == w->break_kind &&
	    (w->break_host == WORLD_NOBODY || w->break_host == i)) {
		w->end = WORLD_BROKEN;
		engine_break(engine_lane(w->engine, i));
	}
}

/* Tell @hook of every watch that has it. */
#define EACH_WATCH(hook, what)									\
	for (unsigned k = 0; k < s->world->watches; k++)					\
		if (s->world->watch[k].hook)							\
			s->world->watch[k].hook(s->world->watch[k].ctx, s->number, now_ns,	\
						host_number(s->world, h), what)

void watch_asked(struct shard *s, int64_t now_ns, struct host *h, const struct request *r)
{
	EACH_WATCH(asked, r);
}

void watch_reply(struct shard *s, int64_t now_ns, struct host *h, const struct reply *r)
{
	EACH_WATCH(replied, r);
}

void watch_deed(struct shard *s, int64_t now_ns, struct host *h, const struct deed *d)
{
	EACH_WATCH(deed, d);
}

void watch_frame(struct shard *s, int64_t now_ns, struct host *h, const struct frame *f)
{
	EACH_WATCH(frame, f);
}

void world_violation(struct world *w, unsigned shard, int64_t now_ns, uint32_t host,
		     const char *check, const char *format, ...)
{
	struct violation *v = g_new0(struct violation, 1);
	struct note n = { .at_ns = now_ns, .host = host, .kind = NOTE_VIOLATION };
	va_list args;

	va_start(args, format);
	v->text = g_strdup_vprintf(format, args);
	va_end(args);
	v->at_ns = now_ns;
	v->host = host;
	v->check = g_strdup(check);
	n.a = (uint64_t)(uintptr_t)v;
	journal_put(&w->shard[shard].journal, &n);
	if (w->scenario->check.stop) {
		w->end = WORLD_VIOLATED;
		engine_stop(w->engine);
	}
}

/* A message that repeats the run up to just past the moment shown. */
static void show(const struct world *w, const struct violation *v)
{
	char at[UNIT_TEXT_LEN], until[UNIT_TEXT_LEN], node[32] = "the network";

	if (v->host != WORLD_NOBODY)
		g_snprintf(node, sizeof(node), "node %u", v->host);
	say("%s: %s: %s, seed %" G_GUINT64_FORMAT ": %s", v->check, duration_text(v->at_ns, at), node,
	    w->seed, v->text);
	say("  shown again by: %s --until %s%s", w->again,
	    duration_text(v->at_ns + NS_PER_S, until), w->log ? "" : " --events");
}

void watch_violation(struct world *w, const struct note *n)
{
	struct violation *v = (struct violation *)(uintptr_t)n->a;

	if (w->recorder)
		metrics_add(w->shard[0].m, M_ORACLE_VIOLATIONS, 1);
	if (w->violations++ < SHOWN)
		show(w, v);
	else if (w->violations == SHOWN + 1)
		say("more violations follow; they are counted only");
	if (w->log)
		eventlog_say(w->log, 0, v->at_ns, v->host == WORLD_NOBODY ? EVENTLOG_WORLD : v->host,
			     "violation", "%s: %s", v->check, v->text);
	g_free((char *)v->check);
	g_free((char *)v->text);
	g_free(v);
}

uint64_t world_violations(const struct world *w)
{
	return w->violations;
}

void world_watch(struct world *w, const struct watch *watch)
{
	g_assert(w->watches < WORLD_WATCHES);
	for (unsigned i = 0; watch->deed && i < w->shards; i++)
		effects_deeds(&w->shard[i].fx);
	w->watch[w->watches++] = *watch;
}

bool world_capture(struct world *w, uint32_t host, world_traffic_fn *fn, void *ctx)
{
	if (host >= w->hosts || w->captures == WORLD_CAPTURES)
		return false;
	w->capture[w->captures++] = (struct capture_of){ host, fn, ctx };
	w->host[host].flags |= HOST_CAPTURED;
	return true;
}

void world_break_on(struct world *w, enum record_kind kind, uint32_t host)
{
	w->breaks = true;
	w->break_kind = kind;
	w->break_host = host;
}

void world_log(struct world *w, struct eventlog *l)
{
	w->log = l;
}

void world_tick(struct world *w, world_tick_fn *fn, void *ctx)
{
	w->tick = fn;
	w->tick_ctx = ctx;
}
