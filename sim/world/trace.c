#include "sim/world/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <zlib.h>

#include "node/prog/units.h"
#include "sim/engine/chance.h"

enum {
	BYTES_MAX	= 1 << 30,	/* of an unpacked file */
	SHOWN_MAX	= 60,		/* bytes of a bad line in a message */
	STREAM_OF_TRACE	= 1001,		/* chance of its own */
};
#define SECONDS_MAX	INT64_C(4000000000)	/* the year 2096 */

struct session { int64_t start_ns, end_ns; };

struct trace {
	struct session *session;	/* by identity, in order of time */
	uint32_t *first;		/* identity i has sessions first[i] to first[i + 1] - 1 */
	uint32_t hosts;
};

/* A line as it stands in the file. */
struct row {
	int64_t node, start_s, last_s, end_s;	/* end -1: it did not end */
	bool censored;			/* it had begun before the file did */
	uint32_t line, identity;
};

struct parser {
	const char *name;
	const char *at, *end;
	unsigned line;
	bool census;
	struct fail *f;
	GArray *rows;
};

static const char CENSUS[] = "node,first_seen,last_seen,first_absent,left_censored,right_censored";
static const char EXACT[] = "node,start,end";

static bool refuse(struct parser *p, const char *line, size_t len, const char *what, const char *accepted)
{
	char *raw = g_strndup(line, MIN(len, SHOWN_MAX)), *shown = g_strescape(raw, NULL);

	fail_add(p->f, "%s:%u: %s: \"%s\"; accepted: %s", p->name, p->line, what, shown, accepted);
	g_free(shown);
	g_free(raw);
	return false;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct parser *p, const char **line, size_t *len)
{
	const char *nl;

	if (p->at == p->end)
		return false;
	nl = memchr(p->at, '\n', (size_t)(p->end - p->at));
	*line = p->at;
	*len = (size_t)((nl ? nl : p->end) - p->at);
	p->at = nl ? nl + 1 : p->end;
	if (*len && (*line)[*len - 1] == '\r')
		(*len)--;
	p->line++;
	return true;
}

/* One decimal number of the line; it ends at a comma or the line's end. */
static bool number(const char **at, const char *end, int64_t *out)
{
	const char *p = *at;
	bool minus = p < end && *p == '-';
	int64_t v = 0;

	p += minus;
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (v > INT64_MAX / 100)
			return false;
		v = v * 10 + (*p - '0');
	}
	if (p < end && *p != ',')
		return false;
	*at = p < end ? p + 1 : p;
	*out = minus ? -v : v;
	return true;
}

static bool row(struct parser *p, const char *line, size_t len)
{
	const char *at = line, *end = line + len;
	unsigned want = p->census ? 6 : 3;
	int64_t v[6] = { 0 };
	struct row r;

	for (unsigned i = 0; i < want; i++) {
		bool last = i + 1 == want;

		if (!number(&at, end, &v[i]) || last != (at == end) || (last && end[-1] == ','))
			return refuse(p, line, len, "not a session", p->census ? CENSUS : EXACT);
	}
	r = (struct row){ .node = v[0], .start_s = v[1], .last_s = p->census ? v[2] : v[1],
			  .end_s = p->census ? v[3] : v[2], .censored = p->census && v[4] == 1,
			  .line = p->line };
	if (r.node < 0 || r.start_s < 0 || r.last_s > SECONDS_MAX || r.end_s > SECONDS_MAX || r.end_s < -1)
		return refuse(p, line, len, "a number out of range",
			      "a node from 0 up, times from 0 to 4000000000, -1 for no end");
	if (r.last_s < r.start_s || (r.end_s != -1 && r.end_s < MAX(r.last_s, r.start_s + 1)))
		return refuse(p, line, len, "a session that ends before it began", "times in order");
	if (p->census && (v[4] < 0 || v[4] > 1 || v[5] < 0 || v[5] > 1))
		return refuse(p, line, len, "a flag that is none", "0 or 1 in the last two columns");
	g_array_append_val(p->rows, r);
	return true;
}

static bool read_rows(struct parser *p)
{
	const char *line;
	size_t len;

	if (!next_line(p, &line, &len)) {
		p->line = 1;
		return refuse(p, "", 0, "an empty file", CENSUS);
	}
	p->census = len == strlen(CENSUS) && !memcmp(line, CENSUS, len);
	if (!p->census && !(len == strlen(EXACT) && !memcmp(line, EXACT, len))) {
		refuse(p, line, len, "not the first line of a churn trace", CENSUS);
		fail_hint(p->f, "or \"%s\" with exact times in seconds", EXACT);
		return false;
	}
	while (next_line(p, &line, &len)) {
		if (p->rows->len == INT_MAX / 2)
			return refuse(p, line, len, "too many sessions", "up to a billion");
		if (!row(p, line, len))
			return false;
	}
	if (!p->rows->len)
		return refuse(p, "", 0, "no session follows", "one line per session");
	return true;
}

static int by_identity(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->identity != y->identity)
		return x->identity < y->identity ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Give identities their numbers in order of appearance, and bring their sessions together. */
static uint32_t number_identities(GArray *rows)
{
	GHashTable *known = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, NULL);
	uint32_t count = 0;

	for (guint i = 0; i < rows->len; i++) {
		struct row *r = &g_array_index(rows, struct row, i);
		gpointer found = g_hash_table_lookup(known, &r->node);

		if (!found) {
			found = GUINT_TO_POINTER(++count);
			g_hash_table_insert(known, &r->node, found);
		}
		r->identity = GPOINTER_TO_UINT(found) - 1;
	}
	g_hash_table_destroy(known);
	qsort(rows->data, rows->len, sizeof(struct row), by_identity);
	return count;
}

static bool in_order(struct parser *p)
{
	for (guint i = 1; i < p->rows->len; i++) {
		const struct row *a = &g_array_index(p->rows, struct row, i - 1);
		const struct row *b = &g_array_index(p->rows, struct row, i);

		if (a->identity != b->identity || (a->end_s != -1 && b->start_s >= a->end_s))
			continue;
		fail_add(p->f, "%s:%u: node %" PRId64 " starts before its session of line %u ended; "
			 "accepted: sessions of a node in order of time", p->name, b->line, b->node, a->line);
		return false;
	}
	return true;
}

/* -- from rows to the run's time ---------------------------------------------------------------- */

struct frame {
	const struct trace_window *w;
	int64_t zero_ns, end_ns;	/* the window, in trace time */
	bool census;
};

static int64_t virtual(const struct frame *fr, int64_t trace_ns)
{
	return (trace_ns - fr->zero_ns) / fr->w->speed;
}

/* One row as a session of the run; false if it lies outside the window. */
static bool cut(const struct frame *fr, const struct row *r, uint32_t host, uint32_t n,
		int64_t after_ns, struct session *s)
{
	const struct trace_window *w = fr->w;
	struct chance c = chance_of(w->seed, host, STREAM_OF_TRACE);
	int64_t start_ns = r->start_s * NS_PER_S, end_ns = r->end_s * NS_PER_S, spread_ns;

	c.counter = 4 * (uint64_t)n;
	if (fr->census && w->spread_ns) {
		start_ns -= chance_between(&c, 0, w->spread_ns - 1);
		c.counter = 4 * (uint64_t)n + 2;
		spread_ns = MIN(w->spread_ns, end_ns - r->last_s * NS_PER_S);
		if (r->end_s != -1 && spread_ns > 0)
			end_ns -= chance_between(&c, 0, spread_ns - 1);
	}
	if (r->end_s == -1)
		end_ns = INT64_MAX;
	if (r->censored)
		start_ns = INT64_MIN;
	if (start_ns >= fr->end_ns || end_ns <= fr->zero_ns)
		return false;
	s->end_ns = end_ns >= fr->end_ns ? INT64_MAX : virtual(fr, end_ns);
	if (start_ns <= fr->zero_ns) {
		c = chance_of(w->seed, host, STREAM_OF_TRACE + 1);
		s->start_ns = w->join_over_ns ? chance_between(&c, 0, w->join_over_ns) : 0;
	} else {
		s->start_ns = virtual(fr, start_ns);
	}
	s->start_ns = MAX(s->start_ns, after_ns);
	return s->end_ns > s->start_ns;
}

static struct trace *place(struct parser *p, const struct trace_window *w, uint32_t identities)
{
	struct trace *t = g_new0(struct trace, 1);
	struct frame fr = { .w = w, .zero_ns = INT64_MAX, .end_ns = INT64_MAX, .census = p->census };
	GArray *sessions = g_array_new(FALSE, FALSE, sizeof(struct session));
	struct row *r = (struct row *)p->rows->data, *end = r + p->rows->len;

	for (struct row *i = r; i < end; i++)
		fr.zero_ns = MIN(fr.zero_ns, i->start_s * NS_PER_S);
	fr.zero_ns += w->start_ns;
	if (w->length_ns)
		fr.end_ns = fr.zero_ns + w->length_ns;
	t->first = g_new(uint32_t, identities + 1);
	while (r < end) {
		uint32_t identity = r->identity, begin = sessions->len, n = 0;
		uint32_t host = w->first_host + t->hosts;
		bool takes_part = chance_draw(w->seed, identity, STREAM_OF_TRACE + 2, 0) % PPB_ONE < w->scale_ppb;
		int64_t after_ns = 0;

		for (; r < end && r->identity == identity; r++, n++) {
			struct session s;

			if (!takes_part || !cut(&fr, r, host, n, after_ns, &s))
				continue;
			g_array_append_val(sessions, s);
			after_ns = s.end_ns == INT64_MAX ? INT64_MAX : s.end_ns + 1;
		}
		if (sessions->len > begin)
			t->first[t->hosts++] = begin;
	}
	t->first[t->hosts] = sessions->len;
	t->session = (struct session *)g_array_free(sessions, FALSE);
	return t;
}

struct trace *trace_parse(const char *name, const char *text, size_t len,
			  const struct trace_window *w, struct fail *f)
{
	struct parser p = { .name = name, .at = text, .end = text + len, .f = f };
	struct trace *t = NULL;

	p.rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	if (read_rows(&p)) {
		uint32_t identities = number_identities(p.rows);

		if (in_order(&p))
			t = place(&p, w, identities);
	}
	g_array_free(p.rows, TRUE);
	if (t && !t->hosts) {
		fail_add(f, "%s: nobody is there in the part of the trace that was asked for; "
			 "accepted: a trace-start inside it, and a larger trace-scale", name);
		trace_free(t);
		t = NULL;
	}
	return t;
}

/* The file's contents, unpacked; gzread() passes plain files through. */
static GByteArray *unpack(const char *path, struct fail *f)
{
	GByteArray *all;
	gzFile file;
	char buf[1 << 16];
	int n, why;

	errno = 0;
	file = gzopen(path, "rb");
	if (!file) {
		fail_errno(f, "open", path, errno ? errno : ENOMEM);
		return NULL;
	}
	all = g_byte_array_new();
	while ((n = gzread(file, buf, sizeof(buf))) > 0 && all->len < BYTES_MAX)
		g_byte_array_append(all, (guint8 *)buf, (guint)n);
	if (n < 0) {
		const char *text = gzerror(file, &why);

		if (why == Z_ERRNO)
			fail_errno(f, "read", path, errno);
		else
			fail_add(f, "%s: cannot be unpacked: %s; accepted: text, or gzip of text", path, text);
	} else if (n > 0) {
		fail_add(f, "%s: larger than 1 GiB unpacked; accepted: a smaller trace", path);
	}
	if (gzclose(file) != Z_OK && n == 0) {
		fail_add(f, "%s: is cut off; accepted: a whole gzip file", path);
		n = -1;
	}
	if (n) {
		g_byte_array_free(all, TRUE);
		return NULL;
	}
	return all;
}

struct trace *trace_load(const char *path, const struct trace_window *w, struct fail *f)
{
	GByteArray *all = unpack(path, f);
	struct trace *t;

	if (!all)
		return NULL;
	t = trace_parse(path, (const char *)all->data, all->len, w, f);
	g_byte_array_free(all, TRUE);
	return t;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	g_free(t->session);
	g_free(t->first);
	g_free(t);
}

uint32_t trace_hosts(const struct trace *t)
{
	return t->hosts;
}

int64_t trace_first_ns(const struct trace *t, uint32_t i)
{
	return t->session[t->first[i]].start_ns;
}

int64_t trace_start_ns(const struct trace *t, uint32_t i, int64_t now_ns)
{
	for (uint32_t k = t->first[i]; k < t->first[i + 1]; k++)
		if (t->session[k].start_ns > now_ns)
			return t->session[k].start_ns;
	return INT64_MAX;
}

int64_t trace_end_ns(const struct trace *t, uint32_t i, int64_t now_ns)
{
	for (uint32_t k = t->first[i]; k < t->first[i + 1]; k++)
		if (t->session[k].end_ns > now_ns)
			return t->session[k].end_ns;
	return INT64_MAX;
}

uint32_t trace_alive(const struct trace *t, int64_t now_ns)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < t->first[t->hosts]; k++)
		n += t->session[k].start_ns <= now_ns && now_ns < t->session[k].end_ns;
	return n;
}
