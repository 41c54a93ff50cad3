#include "sim/check/trips.h"

#include "sim/record/metrics.h"
#include "sim/net/net.h"

struct trip_open {
	uint64_t nonce;
	uint32_t host;
	int64_t at_ns;
};

static guint hash(const void *key)
{
	const struct trip_open *o = key;

	return (guint)((o->nonce ^ o->host) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static gboolean equal(const void *a, const void *b)
{
	const struct trip_open *x = a, *y = b;

	return x->nonce == y->nonce && x->host == y->host;
}

void trips_init(struct trips *t, struct world *w)
{
	*t = (struct trips){ .world = w, .open = g_hash_table_new_full(hash, equal, g_free, NULL) };
	for (unsigned i = 0; i < TRIPS; i++)
		t->took[i] = g_array_new(FALSE, FALSE, sizeof(int64_t[2]));
}

void trips_done(struct trips *t)
{
	g_hash_table_destroy(t->open);
	for (unsigned i = 0; i < TRIPS; i++)
		g_array_free(t->took[i], TRUE);
}

void trips_catalog(struct trips *t)
{
	static const char *const text[TRIPS][4] = {
		[TRIP_CREATE] = { "trips.create_ms", "from asking a slot for an address to its yes or no",
				  "trips.create_least_ms", "of it, what the round trips alone take (sim/check/trips.h)" },
		[TRIP_RENEW] = { "trips.renew_ms", "from asking to renew to the slot's yes or no",
				 "trips.renew_least_ms", "of it, what the round trips alone take" },
		[TRIP_GET] = { "trips.get_ms", "from asking who has an address to the majority's answer",
			       "trips.get_least_ms", "of it, what the round trips alone take" },
		[TRIP_LOOK] = { "trips.look_ms", "from asking who has an address to the primary's answer",
				"trips.look_least_ms", "of it, what the round trip alone takes" },
	};
	struct catalog *k = world_catalog(t->world);

	for (unsigned i = 0; i < TRIPS; i++)
		for (unsigned at = 0; at < 2; at++)
			t->metric[i][at] = catalog_add(k, METRIC_HISTOGRAM, UNIT_MS, M_NONE, text[i][2 * at],
						       text[i][2 * at + 1]);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool round_trip(const struct trips *t, uint32_t from, struct id to, int64_t *out)
{
	const struct net *net = world_net(t->world);
	struct was was;

	if (!world_was(t->world, to, &was) || !was.alive)
		return false;
	*out = was.host == from ? 0 : net_latency(net, from, was.host) + net_latency(net, was.host, from);
	return true;
}

/* -1: members are gone. */
static int64_t least(const struct trips *t, const struct view *v, uint32_t asker, bool alone)
{
	int64_t there, other[VIEW_MAX];
	unsigned others = 0, need = view_majority(v) - 1;
	struct was primary;

	if (!world_was(t->world, v->member[0].id, &primary) || !round_trip(t, asker, v->member[0].id, &there))
		return -1;
	if (alone || !need)
		return there;
	for (unsigned i = 1; i < v->members; i++)
		others += round_trip(t, primary.host, v->member[i].id, &other[others]);
	if (others < need)
		return -1;
	qsort(other, others, sizeof(*other), by_size);
	return there + other[need - 1];
}

static enum trip trip_of(uint8_t kind)
{
	switch (kind) {
	case OP_CREATE:
	case OP_CREATE_ANY:
		return TRIP_CREATE;
	case OP_RENEW:
		return TRIP_RENEW;
	case OP_GET:
		return TRIP_GET;
	case OP_LOOK:
		return TRIP_LOOK;
	default:
		return TRIPS;
	}
}

void trips_deed(struct trips *t, const struct views *v, int64_t at_ns, uint32_t host, const struct deed *d)
{
	struct trip_open key = { .nonce = d->nonce, .host = host }, *o;
	struct slot_name slot = slot_of_ip(d->network, &d->ip);
	enum trip trip = trip_of(d->kind);
	const struct view *w;
	int64_t took[2];

	if (trip == TRIPS)
		return;
	if (!d->verdict) {
		key.at_ns = at_ns;
		g_hash_table_add(t->open, g_memdup2(&key, sizeof(key)));
		return;
	}
	o = g_hash_table_lookup(t->open, &key);
	if (!o)
		return;
	took[0] = at_ns - o->at_ns;
	g_hash_table_remove(t->open, &key);
	w = views_latest(v, &slot);
	took[1] = w ? least(t, w, host, trip == TRIP_LOOK) : -1;
	if (d->verdict != VERDICT_WAIT && d->verdict != VERDICT_TIMEOUT && d->verdict != VERDICT_DENIED && took[1] >= 0)
		g_array_append_val(t->took[trip], took);
}

void trips_metrics(struct trips *t, struct metrics *m)
{
	for (unsigned i = 0; i < TRIPS; i++) {
		for (unsigned k = 0; k < t->took[i]->len; k++)
			for (unsigned at = 0; at < 2; at++)
				metrics_note(m, t->metric[i][at], g_array_index(t->took[i], int64_t, 2 * k + at));
		g_array_set_size(t->took[i], 0);
	}
}
