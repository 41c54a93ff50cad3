#include "sim/world/parts.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

struct parts {
	struct epoch *epoch;		/* in order; the last is now */
	unsigned count, cap;
	uint32_t hosts;
};

static unsigned parts_in(const uint32_t *part, uint32_t hosts)
{
	unsigned n = 0;
	bool *seen;

	if (!part || !hosts)
		return 1;
	seen = g_new0(bool, hosts);
	for (uint32_t i = 0; i < hosts; i++) {
		assert(part[i] < hosts);
		n += !seen[part[i]];
		seen[part[i]] = true;
	}
	g_free(seen);
	return n;
}

void parts_refine(uint32_t *part, uint32_t hosts, const uint8_t *side)
{
	GHashTable *lowest = g_hash_table_new(g_int64_hash, g_int64_equal);	/* of a part and a side */
	uint64_t *key = g_new(uint64_t, hosts);

	for (uint32_t i = 0; i < hosts; i++) {
		void *first;

		key[i] = (uint64_t)part[i] << 8 | side[i];
		if (!g_hash_table_lookup_extended(lowest, &key[i], NULL, &first)) {
			first = GUINT_TO_POINTER(i);
			g_hash_table_insert(lowest, &key[i], first);
		}
		part[i] = GPOINTER_TO_UINT(first);
	}
	g_hash_table_destroy(lowest);
	g_free(key);
}

struct parts *parts_new(uint32_t hosts)
{
	struct parts *p = g_new0(struct parts, 1);

	p->hosts = hosts;
	p->cap = 4;
	p->epoch = g_new0(struct epoch, p->cap);
	p->epoch[0] = (struct epoch){ INT64_MIN, INT64_MAX, NULL, 1 };
	p->count = 1;
	return p;
}

void parts_free(struct parts *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->count; i++)
		g_free(p->epoch[i].part);
	g_free(p->epoch);
	g_free(p);
}

void parts_begin(struct parts *p, int64_t now_ns, const uint32_t *part)
{
	struct epoch *e = &p->epoch[p->count - 1];

	assert(e->from_ns <= now_ns);
	if (e->from_ns == now_ns) {
		g_free(e->part);
	} else {
		if (p->count == p->cap) {
			p->cap *= 2;
			p->epoch = g_renew(struct epoch, p->epoch, p->cap);
			e = &p->epoch[p->count - 1];
		}
		e->until_ns = now_ns;
		e = &p->epoch[p->count++];
	}
	*e = (struct epoch){
		.from_ns = now_ns, .until_ns = INT64_MAX,
		.part = part ? g_memdup2(part, p->hosts * sizeof(*part)) : NULL,
		.parts = parts_in(part, p->hosts),
	};
}

void parts_forget(struct parts *p, int64_t before_ns)
{
	unsigned gone = 0;

	while (p->epoch[gone].until_ns < before_ns)
		g_free(p->epoch[gone++].part);
	p->count -= gone;
	memmove(p->epoch, p->epoch + gone, p->count * sizeof(*p->epoch));
}

uint32_t parts_now(const struct parts *p, uint32_t host)
{
	return epoch_part(&p->epoch[p->count - 1], host);
}

unsigned parts_count(const struct parts *p)
{
	return p->epoch[p->count - 1].parts;
}

const struct epoch *parts_epoch(const struct parts *p, int64_t at_ns)
{
	unsigned i = p->count - 1;

	while (i && p->epoch[i].from_ns > at_ns)
		i--;
	return &p->epoch[i];
}

const struct epoch *parts_following(const struct parts *p, const struct epoch *e)
{
	return e + 1 < p->epoch + p->count ? e + 1 : NULL;
}
