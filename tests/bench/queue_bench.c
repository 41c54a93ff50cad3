/* ON: sim/engine */
/*
 * queue_bench.c - which event queue, on the time stamps this project has
 *
 * Packets lie 1 to 300 ms ahead, alarms 1 to 60 s, and alarms are set anew
 * before they ring. One operation is what the simulator does for one event:
 * take the first, push what follows from it (the next packet, or the alarm
 * again), set another alarm anew where the mix says so.
 *
 *	idle	1 pending entry in 64 a packet; half of the alarms are set anew
 *		before they ring
 *	busy	1 in 8, and the same
 *	chatty	1 in 8, and every packet sets the alarm of where it arrives
 *
 * All but "indexed" set an alarm as the engine does: to a later time without
 * touching the queue. Every contender must pop the same things in the same
 * order, which is checked.
 *
 *	queue_bench [most pending] [operations]
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/engine/fold.h"
#include "sim/engine/queue.h"

#define MS		(1000 * 1000LL)
#define S		(1000 * MS)
enum { SLICES = 15 };

#define ALARM		UINT32_MAX		/* ref of an alarm; those of packets are smaller */

static bool tie(const void *ctx, uint32_t a, uint32_t b)
{
	(void)ctx;
	return a < b;
}

static inline bool less(const struct queue_entry *a, const struct queue_entry *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (a->dst != b->dst)
		return a->dst < b->dst;
	return a->ref < b->ref;
}

static void *grown(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (!p) {
		fputs("queue_bench: no memory for so many pending\n", stderr);
		exit(2);
	}
	return p;
}

/* -- d-ary heaps: root at 0; four children fill one cache line ------------------------------- */

struct heap {
	struct queue_entry *v;		/* v[3] starts a cache line, and so do children of v[0].. */
	void *raw;
	size_t n;
	uint32_t *where;		/* indexed: by object, the place of its alarm + 1, or 0 */
};

static void *heap_new(size_t pending)
{
	struct heap *h = calloc(1, sizeof(*h));

	h->raw = aligned_alloc(64, (pending * 4 + 64) / 4 * 64);
	h->v = (struct queue_entry *)h->raw + 3;
	return h;
}

static void *indexed_new(size_t pending)
{
	struct heap *h = heap_new(pending);

	h->where = calloc(pending, sizeof(*h->where));
	return h;
}

static void heap_free(void *queue)
{
	struct heap *h = queue;

	free(h->where);
	free(h->raw);
	free(h);
}

/* @d and @indexed are constants where these are called: the compiler makes one of each. */
static inline void heap_set(struct heap *h, size_t i, struct queue_entry x, bool indexed)
{
	h->v[i] = x;
	if (indexed && x.ref == ALARM)
		h->where[x.dst] = (uint32_t)i + 1;
}

static inline void heap_up(struct heap *h, size_t i, struct queue_entry x, unsigned d, bool indexed)
{
	for (; i && less(&x, &h->v[(i - 1) / d]); i = (i - 1) / d)
		heap_set(h, i, h->v[(i - 1) / d], indexed);
	heap_set(h, i, x, indexed);
}

static inline void heap_down(struct heap *h, size_t i, struct queue_entry x, unsigned d,
			     bool indexed)
{
	size_t first, end, best;

	for (; (first = d * i + 1) < h->n; i = best) {
		end = first + d < h->n ? first + d : h->n;
		best = first;
		for (size_t k = first + 1; k < end; k++)
			if (less(&h->v[k], &h->v[best]))
				best = k;
		if (!less(&h->v[best], &x))
			break;
		heap_set(h, i, h->v[best], indexed);
	}
	heap_set(h, i, x, indexed);
}

static inline struct queue_entry heap_take(struct heap *h, unsigned d, bool indexed)
{
	struct queue_entry first = h->v[0], last = h->v[--h->n];

	if (indexed && first.ref == ALARM)
		h->where[first.dst] = 0;
	if (h->n)
		heap_down(h, 0, last, d, indexed);
	return first;
}

static void binary_push(void *h, struct queue_entry x)
{
	heap_up(h, ((struct heap *)h)->n++, x, 2, false);
}

static struct queue_entry binary_pop(void *h)
{
	return heap_take(h, 2, false);
}

static void four_push(void *h, struct queue_entry x)
{
	heap_up(h, ((struct heap *)h)->n++, x, 4, false);
}

static struct queue_entry four_pop(void *h)
{
	return heap_take(h, 4, false);
}

static void indexed_push(void *h, struct queue_entry x)
{
	heap_up(h, ((struct heap *)h)->n++, x, 4, true);
}

static struct queue_entry indexed_pop(void *h)
{
	return heap_take(h, 4, true);
}

static void indexed_alarm(void *queue, struct queue_entry x)
{
	struct heap *h = queue;
	uint32_t at = h->where[x.dst];

	if (!at)
		indexed_push(h, x);
	else if (less(&x, &h->v[at - 1]))
		heap_up(h, at - 1, x, 4, true);
	else
		heap_down(h, at - 1, x, 4, true);
}

/* -- radix: a bucket for each highest bit in which a time differs from the last popped ------- */

struct radix {
	struct { struct queue_entry *v; size_t n, cap; } bucket[65];
	int64_t last_ns;
};

static void *radix_new(size_t pending)
{
	(void)pending;
	return calloc(1, sizeof(struct radix));
}

static void radix_free(void *queue)
{
	struct radix *r = queue;

	for (int i = 0; i < 65; i++)
		free(r->bucket[i].v);
	free(r);
}

static void radix_push(void *queue, struct queue_entry x)
{
	struct radix *r = queue;
	uint64_t differ = (uint64_t)(x.at_ns ^ r->last_ns);
	int i = differ ? 64 - __builtin_clzll(differ) : 0;

	if (r->bucket[i].n == r->bucket[i].cap) {
		r->bucket[i].cap = r->bucket[i].cap * 2 + 16;
		r->bucket[i].v = grown(r->bucket[i].v, r->bucket[i].cap * sizeof(x));
	}
	r->bucket[i].v[r->bucket[i].n++] = x;
}

static struct queue_entry radix_pop(void *queue)
{
	struct radix *r = queue;
	struct queue_entry x;
	size_t best = 0;
	int i = 0;

	while (!r->bucket[i].n)
		i++;
	if (i) {
		struct queue_entry *v = r->bucket[i].v;
		size_t n = r->bucket[i].n;

		for (size_t k = 1; k < n; k++)
			if (less(&v[k], &v[best]))
				best = k;
		r->last_ns = v[best].at_ns;
		r->bucket[i].n = 0;
		for (size_t k = 0; k < n; k++)
			radix_push(r, v[k]);		/* into smaller buckets */
	}
	best = 0;
	for (size_t k = 1; k < r->bucket[0].n; k++)
		if (less(&r->bucket[0].v[k], &r->bucket[0].v[best]))
			best = k;
	x = r->bucket[0].v[best];
	r->bucket[0].v[best] = r->bucket[0].v[--r->bucket[0].n];
	return x;
}

/* -- ladder: Tang, Goh, Thng, TOMACS 2005 ---------------------------------------------------- */

enum { RUNGS = 8, THRES = 50 };

struct ladder {
	struct { struct queue_entry x; uint32_t next; } *node;	/* node 0 is none */
	uint32_t nodes, cap, spare;
	uint32_t top;
	size_t tops;
	int64_t top_start, top_min, top_max;
	struct rung {
		uint32_t *head, *count;
		size_t buckets, cap;
		int64_t start, width;
		size_t cur;
	} rung[RUNGS];
	int rungs;
	struct queue_entry *bottom;	/* the first at the end */
	size_t bottoms, bottom_cap;
};

static void *ladder_new(size_t pending)
{
	struct ladder *l = calloc(1, sizeof(*l));

	(void)pending;
	l->nodes = 1;
	l->top_min = INT64_MAX;
	return l;
}

static void ladder_free(void *queue)
{
	struct ladder *l = queue;

	for (int i = 0; i < RUNGS; i++) {
		free(l->rung[i].head);
		free(l->rung[i].count);
	}
	free(l->node);
	free(l->bottom);
	free(l);
}

static void rung_put(struct ladder *l, struct rung *r, uint32_t node)
{
	size_t at = (size_t)((l->node[node].x.at_ns - r->start) / r->width);

	l->node[node].next = r->head[at];
	r->head[at] = node;
	r->count[at]++;
}

static struct rung *rung_new(struct ladder *l, int64_t start, int64_t end, size_t entries)
{
	struct rung *r = &l->rung[l->rungs++];

	r->width = (end - start) / (int64_t)entries + 1;
	r->start = start;
	r->buckets = (size_t)((end - start) / r->width) + 1;
	r->cur = 0;
	if (r->buckets > r->cap) {
		r->cap = r->buckets;
		r->head = grown(r->head, r->cap * sizeof(*r->head));
		r->count = grown(r->count, r->cap * sizeof(*r->count));
	}
	memset(r->head, 0, r->buckets * sizeof(*r->head));
	memset(r->count, 0, r->buckets * sizeof(*r->count));
	return r;
}

static void bottom_put(struct ladder *l, struct queue_entry x)
{
	size_t i = l->bottoms++;

	if (l->bottoms > l->bottom_cap) {
		l->bottom_cap = l->bottom_cap * 2 + 64;
		l->bottom = grown(l->bottom, l->bottom_cap * sizeof(x));
	}
	for (; i && less(&l->bottom[i - 1], &x); i--)
		l->bottom[i] = l->bottom[i - 1];
	l->bottom[i] = x;
}

static void ladder_push(void *queue, struct queue_entry x)
{
	struct ladder *l = queue;
	uint32_t node = l->spare;

	for (int i = 0; x.at_ns < l->top_start; i++) {
		if (i == l->rungs) {
			bottom_put(l, x);
			return;
		}
		if (x.at_ns >= l->rung[i].start + (int64_t)l->rung[i].cur * l->rung[i].width)
			break;
	}
	if (node) {
		l->spare = l->node[node].next;
	} else {
		if (l->nodes >= l->cap) {
			l->cap = l->cap * 2 + 1024;
			l->node = grown(l->node, l->cap * sizeof(*l->node));
		}
		node = l->nodes++;
	}
	l->node[node].x = x;
	if (x.at_ns >= l->top_start) {
		l->node[node].next = l->top;
		l->top = node;
		l->tops++;
		if (x.at_ns < l->top_min)
			l->top_min = x.at_ns;
		if (x.at_ns > l->top_max)
			l->top_max = x.at_ns;
		return;
	}
	for (int i = 0; i < l->rungs; i++) {
		struct rung *r = &l->rung[i];

		if (x.at_ns >= r->start + (int64_t)r->cur * r->width) {
			rung_put(l, r, node);
			return;
		}
	}
}

static struct queue_entry ladder_pop(void *queue)
{
	struct ladder *l = queue;

	while (!l->bottoms) {
		struct rung *r = NULL, *finer;
		uint32_t list, next;
		int64_t from;

		while (l->rungs) {
			r = &l->rung[l->rungs - 1];
			while (r->cur < r->buckets && !r->count[r->cur])
				r->cur++;
			if (r->cur < r->buckets)
				break;
			l->rungs--;
			r = NULL;
		}
		if (!r) {
			r = rung_new(l, l->top_min, l->top_max, l->tops);
			for (list = l->top; list; list = next) {
				next = l->node[list].next;
				rung_put(l, r, list);
			}
			l->top_start = r->start + (int64_t)r->buckets * r->width;
			l->top = 0;
			l->tops = 0;
			l->top_min = INT64_MAX;
			l->top_max = 0;
			continue;
		}
		from = r->start + (int64_t)r->cur * r->width;
		list = r->head[r->cur];
		if (r->count[r->cur] > THRES && l->rungs < RUNGS && r->width > 1) {
			finer = rung_new(l, from, from + r->width - 1, r->count[r->cur]);
			r->cur++;
			for (; list; list = next) {
				next = l->node[list].next;
				rung_put(l, finer, list);
			}
			continue;
		}
		r->cur++;
		for (; list; list = next) {
			next = l->node[list].next;
			bottom_put(l, l->node[list].x);
			l->node[list].next = l->spare;
			l->spare = list;
		}
	}
	return l->bottom[--l->bottoms];
}

/* -- ours ------------------------------------------------------------------------------------ */

static void *wheel_new(size_t pending)
{
	struct queue *q = malloc(sizeof(*q));

	(void)pending;
	queue_init(q, tie, NULL);
	return q;
}

static void wheel_free(void *queue)
{
	queue_fini(queue);
	free(queue);
}

static void wheel_push(void *queue, struct queue_entry x)
{
	queue_push(queue, x);
}

static struct queue_entry wheel_pop(void *queue)
{
	struct queue_entry x = { 0 };
	bool any = queue_pop(queue, INT64_MAX, &x);

	assert(any);
	return x;
}

/* -- the race -------------------------------------------------------------------------------- */

static const struct contender {
	const char *name;
	void *(*new)(size_t pending);
	void (*free)(void *queue);
	void (*push)(void *queue, struct queue_entry x);
	struct queue_entry (*pop)(void *queue);
	void (*alarm)(void *queue, struct queue_entry x);	/* NULL: later is left alone */
} contenders[] = {
	{ "binary heap", heap_new, heap_free, binary_push, binary_pop, NULL },
	{ "4-ary heap", heap_new, heap_free, four_push, four_pop, NULL },
	{ "indexed 4-ary", indexed_new, heap_free, indexed_push, indexed_pop, indexed_alarm },
	{ "radix buckets", radix_new, radix_free, radix_push, radix_pop, NULL },
	{ "ladder", ladder_new, ladder_free, ladder_push, ladder_pop, NULL },
	{ "wheels + run", wheel_new, wheel_free, wheel_push, wheel_pop, NULL },
};

static const struct mix {
	const char *name;
	unsigned packets;		/* one pending entry in so many */
	bool chatty;
} mixes[] = { { "idle", 64, false }, { "busy", 8, false }, { "chatty", 8, true } };

struct race {
	const struct contender *c;
	void *queue;
	int64_t *alarm_ns, *queued_ns;	/* by object */
	uint32_t objects;
	uint64_t chance, order;
	uint64_t popped;
};

static uint64_t draw(struct race *r, uint64_t n)
{
	r->chance += 0x9e3779b97f4a7c15ULL;
	return (uint64_t)((unsigned __int128)fold(r->chance, 0) * n >> 64);
}

static void set_alarm(struct race *r, uint32_t object, int64_t at_ns)
{
	struct queue_entry x = { at_ns, object, ALARM };

	r->alarm_ns[object] = at_ns;
	if (r->c->alarm) {
		r->c->alarm(r->queue, x);
	} else if (at_ns < r->queued_ns[object]) {
		r->queued_ns[object] = at_ns;
		r->c->push(r->queue, x);
	}
}

static int64_t alarm_ahead(struct race *r)
{
	return 1 * S + (int64_t)draw(r, 59 * S);
}

static void operate(struct race *r, const struct mix *m)
{
	struct queue_entry x = r->c->pop(r->queue);

	r->popped++;
	if (x.ref != ALARM) {
		int64_t now_ns = x.at_ns;

		r->order = fold(r->order, (uint64_t)now_ns ^ x.dst);
		if (m->chatty)
			set_alarm(r, x.dst, now_ns + alarm_ahead(r));
		x.at_ns = now_ns + 1 * MS + (int64_t)draw(r, 299 * MS);
		x.dst = (uint32_t)draw(r, r->objects);
		r->c->push(r->queue, x);
		return;
	}
	if (!r->c->alarm) {
		if (r->queued_ns[x.dst] != x.at_ns)
			return;
		r->queued_ns[x.dst] = INT64_MAX;
		if (r->alarm_ns[x.dst] != x.at_ns) {
			set_alarm(r, x.dst, r->alarm_ns[x.dst]);
			return;
		}
	}
	r->order = fold(r->order, (uint64_t)x.at_ns ^ x.dst);
	set_alarm(r, x.dst, x.at_ns + alarm_ahead(r));
	if (!m->chatty)
		set_alarm(r, (uint32_t)draw(r, r->objects), x.at_ns + alarm_ahead(r));
}

/* Of this thread: other work on the machine should not count. */
static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int smaller(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Nanoseconds per pop, the median of SLICES; @order comes out the same for all contenders. */
static double race(const struct contender *c, const struct mix *m, size_t pending, uint64_t pops,
		   uint64_t *order)
{
	struct race r = { .c = c, .chance = pending };
	uint32_t packets = (uint32_t)(pending / m->packets);
	double slice[SLICES];

	r.objects = (uint32_t)(pending - packets);
	r.queue = c->new(2 * pending + 1024);
	r.alarm_ns = malloc(r.objects * sizeof(int64_t));
	r.queued_ns = malloc(r.objects * sizeof(int64_t));
	for (uint32_t i = 0; i < r.objects; i++) {
		r.queued_ns[i] = INT64_MAX;
		set_alarm(&r, i, (int64_t)draw(&r, 60 * S));
	}
	for (uint32_t i = 0; i < packets; i++)
		c->push(r.queue, (struct queue_entry){ (int64_t)draw(&r, 300 * MS),
						       (uint32_t)draw(&r, r.objects), i });
	for (uint64_t i = 0; i < pops / 2; i++)
		operate(&r, m);
	for (int k = 0; k < SLICES; k++) {
		slice[k] = cpu_seconds();
		for (uint64_t i = 0; i < pops / SLICES; i++)
			operate(&r, m);
		slice[k] = cpu_seconds() - slice[k];
	}
	qsort(slice, SLICES, sizeof(*slice), smaller);
	*order = r.order;
	c->free(r.queue);
	free(r.alarm_ns);
	free(r.queued_ns);
	return slice[SLICES / 2] * 1e9 / (double)(pops / SLICES);
}

int main(int argc, char **argv)
{
	enum { CONTENDERS = sizeof(contenders) / sizeof(*contenders) };
	size_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000 * 1000;
	uint64_t pops = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000 * 1000;

	printf("event queues, ns per operation (pop, and push or set what follows)\n\n");
	printf("%-8s%10s", "mix", "pending");
	for (int i = 0; i < CONTENDERS; i++)
		printf("%15s", contenders[i].name);
	putchar('\n');
	for (unsigned m = 0; m < sizeof(mixes) / sizeof(*mixes); m++) {
		for (size_t pending = 10 * 1000; pending <= most; pending *= 10) {
			uint64_t order[CONTENDERS];

			printf("%-8s%10zu", mixes[m].name, pending);
			for (int i = 0; i < CONTENDERS; i++) {
				printf("%15.0f", race(&contenders[i], &mixes[m], pending, pops,
						      &order[i]));
				fflush(stdout);
				/* "indexed" has no stale entries, so it pops other numbers */
				if (!contenders[i].alarm && order[i] != order[0]) {
					fprintf(stderr, "\n%s popped another order\n",
						contenders[i].name);
					return 1;
				}
			}
			putchar('\n');
		}
	}
	return 0;
}
