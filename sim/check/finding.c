#include "sim/check/finding.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

static const char *const names[ORACLES] = {
#define X(id, name, promise) name,
	ORACLE_LIST(X)
#undef X
};

static const char *const promises[ORACLES] = {
#define X(id, name, promise) promise,
	ORACLE_LIST(X)
#undef X
};

const char *oracle_name(enum oracle o)
{
	return names[o];
}

const char *oracle_promise(enum oracle o)
{
	return promises[o];
}

void findings_init(struct findings *f, finding_fn *tell, void *ctx)
{
	memset(f, 0, sizeof(*f));
	f->tell = tell;
	f->ctx = ctx;
}

void findings_done(struct findings *f)
{
	for (unsigned o = 0; o < ORACLES; o++) {
		g_free(f->last[o]);
		g_free(f->undecided[o]);
	}
	memset(f, 0, sizeof(*f));
}

void findings_add(struct findings *f, enum oracle o, int64_t at_ns, uint32_t node,
		  const char *format, ...)
{
	va_list args;

	f->violations[o]++;
	g_free(f->last[o]);
	va_start(args, format);
	f->last[o] = g_strdup_vprintf(format, args);
	va_end(args);
	if (f->tell)
		f->tell(f->ctx, o, at_ns, node, f->last[o]);
}

void findings_undecided(struct findings *f, enum oracle o, const char *format, ...)
{
	va_list args;

	g_free(f->undecided[o]);
	va_start(args, format);
	f->undecided[o] = g_strdup_vprintf(format, args);
	va_end(args);
}

uint64_t findings_violations(const struct findings *f)
{
	uint64_t sum = 0;

	for (unsigned o = 0; o < ORACLES; o++)
		sum += f->violations[o];
	return sum;
}
