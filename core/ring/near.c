/*
 * The lists hold at most `want` entries each; in a ring smaller than that a
 * node stands in both. Insertion keeps order, so the immediate neighbours are
 * always known[side][0].
 */
#include "core/ring/near.h"

#include <string.h>

#include "core/base/fixed.h"

static struct id away(const struct near *n, enum side s, struct id id)
{
	return s == RIGHT ? id_clockwise(n->self, id) : id_clockwise(id, n->self);
}

void near_init(struct near *n, struct id self)
{
	*n = (struct near){ .self = self, .want = NEAR_KNOW_MIN, .reach = 2 };
}

void near_done(struct near *n, struct env *e)
{
	for (int s = 0; s < SIDES; s++)
		mem_put(&e->mem, n->known[s], n->cap[s] * sizeof(struct known));
}

void near_want(struct near *n, struct env *e, uint16_t log2_size)
{
	unsigned want = (log2_size + 255u) / 256u;

	if (want < NEAR_KNOW_MIN)
		want = NEAR_KNOW_MIN;
	if (want > NEAR_KNOW_MAX)
		want = NEAR_KNOW_MAX;
	n->want = (uint8_t)want;
	n->reach = e->config->near;
	for (int s = 0; s < SIDES; s++) {
		if (n->count[s] > want) {
			n->count[s] = (uint16_t)want;
			n->sized = false;
		}
		if (n->cap[s] > want + 2)
			mem_grow(&e->mem, &n->known[s], &n->cap[s], (uint16_t)want, sizeof(struct known));
	}
}

static bool is_gone(struct near *n, const struct env *e, struct id id)
{
	uint32_t now = env_ms(e);

	for (unsigned i = 0; i < NEAR_GONE; i++)
		if (n->gone[i].until_ms > now && id_eq(n->gone[i].id, id)) {
			n->gone[i].heard = n->gone[i].until_ms - n->gone[i].since_ms > NEAR_GONE_TOLD_MS;
			return true;
		}
	return false;
}

void near_back(struct near *n, struct id id)
{
	for (unsigned i = 0; i < NEAR_GONE; i++)
		if (id_eq(n->gone[i].id, id))
			n->gone[i].until_ms = 0;
}

struct known *near_find(const struct near *n, enum side side, struct id id)
{
	for (unsigned i = 0; i < n->count[side]; i++)
		if (id_eq(n->known[side][i].id, id))
			return &n->known[side][i];
	return NULL;
}

static bool better(const struct known *k, uint8_t hops, uint16_t told_by)
{
	return k->told_by == told_by || near_hearsay(k) || hops < k->hops;
}

static bool add_side(struct near *n, struct env *e, enum side s, const struct known *new)
{
	struct id d = away(n, s, new->id);
	struct known *list = n->known[s];
	unsigned at = 0;

	while (at < n->count[s] && id_less(away(n, s, list[at].id), d))
		at++;
	if (at < n->count[s] && id_eq(list[at].id, new->id)) {
		struct known *k = &list[at];
		bool found = !endpoint_valid(&k->at) && endpoint_valid(&new->at);

		if (found)
			k->at = new->at;	/* whoever knows where it is: it has to prove itself there */
		if (new->hops == HEARSAY)
			return false;
		if (better(k, new->hops, new->told_by)) {
			bool said = k->hops != new->hops && (k->hops <= near_depth(n)) !=
							    (new->hops <= near_depth(n));

			k->hops = new->hops;
			k->told_by = new->told_by;
			if (endpoint_valid(&new->at))
				k->at = new->at;
			return said || found;
		}
		return found;
	}
	if (at >= n->want)
		return false;
	n->sized = false;
	if (n->count[s] == n->want) {
		n->count[s]--;			/* the farthest makes room */
	} else if (n->count[s] == n->cap[s] &&
		   !mem_grow(&e->mem, &n->known[s], &n->cap[s], n->want, sizeof(struct known))) {
		if (at == n->count[s])
			return false;
		n->count[s]--;
	}
	list = n->known[s];
	memmove(list + at + 1, list + at, (n->count[s] - at) * sizeof(*list));
	list[at] = *new;
	n->count[s]++;
	return true;
}

bool near_add(struct near *n, struct env *e, struct id id, const struct endpoint *at, uint8_t hops, uint16_t told_by)
{
	struct known k = { .id = id, .hops = hops, .told_by = told_by };
	bool changed = false;

	if (id_eq(id, n->self))
		return false;
	if (hops == 1)
		near_back(n, id);
	else if (is_gone(n, e, id))
		return false;
	if (hops != HEARSAY && hops > near_depth(n))
		return false;
	if (at)
		k.at = *at;
	k.at.iface = 0;
	for (int s = 0; s < SIDES; s++)
		changed |= add_side(n, e, s, &k);
	return changed;
}

static void remove_at(struct near *n, enum side s, unsigned i)
{
	n->sized = false;
	n->count[s]--;
	memmove(n->known[s] + i, n->known[s] + i + 1, (n->count[s] - i) * sizeof(struct known));
}

static void mark_gone(struct near *n, const struct env *e, struct id id, uint32_t for_ms)
{
	near_back(n, id);
	n->gone[n->gone_next].id = id;
	n->gone[n->gone_next].since_ms = env_ms(e);
	n->gone[n->gone_next].until_ms = env_ms(e) + for_ms;
	n->gone[n->gone_next].heard = false;
	n->gone_next = (uint8_t)((n->gone_next + 1) % NEAR_GONE);
}

bool near_told_gone(struct near *n, struct env *e, struct id id)
{
	bool known = false;

	if (is_gone(n, e, id))
		return false;
	for (int s = 0; s < SIDES; s++) {
		const struct known *k = near_find(n, (enum side)s, id);

		if (k && k->hops == 1)
			return false;
		known |= k != NULL;
	}
	return known && near_del(n, e, id, NEAR_GONE_TOLD_MS);
}

bool near_forgiven(struct near *n, const struct env *e)
{
	bool any = false;

	for (unsigned i = 0; i < NEAR_GONE; i++)
		if (n->gone[i].heard && n->gone[i].until_ms && n->gone[i].until_ms <= env_ms(e)) {
			n->gone[i].heard = false;
			any = true;
		}
	return any;
}

unsigned near_gone(const struct near *n, const struct env *e, struct id *out, unsigned max)
{
	uint32_t now = env_ms(e);
	unsigned count = 0;

	for (unsigned i = 0; i < NEAR_GONE && count < max; i++) {
		unsigned at = (n->gone_next + NEAR_GONE - 1 - i) % NEAR_GONE;

		if (n->gone[at].until_ms > now && now - n->gone[at].since_ms < NEAR_GONE_TOLD_MS)
			out[count++] = n->gone[at].id;
	}
	return count;
}

bool near_del(struct near *n, struct env *e, struct id id, uint32_t for_ms)
{
	bool was = false;

	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < n->count[s]; i++)
			if (id_eq(n->known[s][i].id, id)) {
				remove_at(n, s, i);
				was = true;
				break;
			}
	if (for_ms)
		mark_gone(n, e, id, for_ms);
	return was;
}

void near_orphan(struct near *n, uint16_t told_by, bool gone)
{
	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < n->count[s]; i++)
			if (n->known[s][i].told_by == told_by && (gone || n->known[s][i].hops > 1)) {
				n->known[s][i].told_by = UINT16_MAX;
				n->known[s][i].hops = HEARSAY_ORPHAN;
			}
}

bool near_age(struct near *n)
{
	bool changed = false;

	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < n->count[s];) {
			struct known *k = &n->known[s][i];

			if (near_hearsay(k) && --k->hops < HEARSAY_OLD) {
				remove_at(n, s, i);
				changed = true;
			} else {
				i++;
			}
		}
	return changed;
}

bool near_retract(struct near *n, uint16_t told_by, bool (*kept)(const void *list, struct id id), const void *list)
{
	bool changed = false;

	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < n->count[s];) {
			struct known *k = &n->known[s][i];

			if (k->told_by != told_by || k->hops == 1 || kept(list, k->id)) {
				i++;
				continue;
			}
			remove_at(n, s, i);
			changed = true;
		}
	return changed;
}

/*
 * m neighbours on an arc of length s give the density m / s; the mean of the
 * logarithm of that is too high by about 1 / (2 m ln 2), hence m - 1/2. Only
 * the nearest few count: further out a list may have gaps, or, while it is not
 * full, hold a far peer we merely have a link to.
 */
static uint16_t by_density(const struct near *n)
{
	unsigned left = n->count[LEFT] < NEAR_DENSE ? n->count[LEFT] : NEAR_DENSE;
	unsigned right = n->count[RIGHT] < NEAR_DENSE ? n->count[RIGHT] : NEAR_DENSE;
	struct id a = away(n, LEFT, n->known[LEFT][left - 1].id);
	struct id b = away(n, RIGHT, n->known[RIGHT][right - 1].id);
	struct id span = id_add(a, b);
	int64_t log2;

	if (id_less(span, a))
		return 0;			/* once around */
	log2 = log2_q32(2 * (left + right) - 1) - ((int64_t)1 << 32) + ((int64_t)128 << 32) - id_log2_q32(span);
	if (log2 < 0)
		return 0;
	return (uint16_t)(log2 >> 24 < NEAR_LOG2_MAX ? log2 >> 24 : NEAR_LOG2_MAX);
}

/*
 * When both lists meet the whole ring is known and counted - unless the density
 * says that it is many times larger, so that what stands in both is a far peer.
 */
static uint16_t log2_size(const struct near *n)
{
	unsigned left = n->count[LEFT], right = n->count[RIGHT], both = 0;
	uint16_t density, counted;

	if (!left || !right)
		return 0;
	density = by_density(n);
	for (unsigned i = 0; i < left; i++)
		both += near_find(n, RIGHT, n->known[LEFT][i].id) != NULL;
	if (!both && density)
		return density;
	counted = (uint16_t)(log2_q32(left + right - both + 1) >> 24);
	return density > counted + NEAR_DOUBT ? density : counted;
}

uint16_t near_log2_size(struct near *n)
{
	if (!n->sized)
		n->log2_size = log2_size(n);
	n->sized = true;
	return n->log2_size;
}
