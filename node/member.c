/*
 * The daemon's side of the door. A step may lead to the next: the kernel says at
 * once that a datagram cannot be sent, and core wants to know. Such errors are
 * handed in before we return, a bounded number of times, so that a dead network
 * cannot keep us here.
 */
#include "node/member.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <sodium.h>

#include "node/clock.h"
#include "node/confine.h"
#include "node/diary.h"
#include "node/signer.h"

#define UNSAVED_NS	(60 * NS_PER_S)		/* a disk that does not take what is saved is spoken of so often */

enum {
	ROOM		= 2 * EFFECTS_ROOM,
	ROUNDS		= 4,			/* of path errors after one step */
	FOLLOWING	= EFFECTS_ROOM,		/* events that may follow from one step */
	SEED		= 32,
	REFLEXES	= 16,			/* of one step; more are not worth hearing */
};

static void *take(void *ctx, size_t bytes)
{
	(void)ctx;
	return malloc(bytes);
}

static void give(void *ctx, void *p, size_t bytes)
{
	(void)ctx;
	sodium_memzero(p, bytes);		/* keys, guests' packets: nothing of it stays in the heap */
	free(p);
}

static const struct mem_host HEAP = { take, give, NULL };

/* The next @count elements of @size in the mapping at *@at; with @base NULL only their place is counted. */
static void *lay(uint8_t *base, size_t *at, size_t count, size_t size)
{
	void *p = base ? base + *at : NULL;

	*at += (count * size + 63) & ~(size_t)63;
	return p;
}

/*
 * All arrays of @m's effects lie in one mapping. Steps fill them from the
 * front, so the kernel only ever gives the few pages that are used.
 */
static size_t effects_lay(struct member *m, uint8_t *base)
{
	struct effects *fx = &m->fx;
	size_t at = 0;

	*fx = (struct effects){
		.max_sends = ROOM, .max_frames = EFFECTS_ROOM, .max_saves = EFFECTS_SAVES,
		.max_replies = EFFECTS_ROOM, .max_records = ROOM, .max_bytes = EFFECTS_BYTES,
		.max_reflexes = REFLEXES,
	};
	fx->send = lay(base, &at, fx->max_sends, sizeof(*fx->send));
	fx->frame = lay(base, &at, fx->max_frames, sizeof(*fx->frame));
	fx->save = lay(base, &at, fx->max_saves, sizeof(*fx->save));
	fx->reply = lay(base, &at, fx->max_replies, sizeof(*fx->reply));
	fx->record = lay(base, &at, fx->max_records, sizeof(*fx->record));
	fx->reflex = lay(base, &at, fx->max_reflexes, sizeof(*fx->reflex));
	fx->bytes = lay(base, &at, fx->max_bytes, 1);
	m->next = lay(base, &at, 2 * FOLLOWING, sizeof(*m->next));
	return at;
}

static void effects_make(struct member *m)
{
	m->mapped = effects_lay(m, NULL);
	m->mapping = mmap(NULL, m->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->mapping == MAP_FAILED)
		abort();
	effects_lay(m, m->mapping);
}

static void entropy(uint8_t seed[SEED])
{
	size_t got = 0;

	while (got < SEED) {
		ssize_t n = getrandom(seed + got, SEED - got, 0);

		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			abort();		/* a kernel without getrandom(2): nothing can be kept secret */
	}
}

static bool identify(struct member *m, uint64_t utc, struct fail *f)
{
	struct home *h = m->home;
	struct bytes chain = { h->chain, h->chain_len };
	enum cert_fault wrong = identity_init(&m->identity, &suite_sodium, h->seed, chain, h->overlay, utc);
	struct cert leaf;

	if (wrong) {
		fail_add(f, "cannot use the certificate in %s/card: %s", h->path, cert_fault_text(wrong));
		if (wrong == FAULT_EARLY)
			fail_hint(f, "is this machine's clock right?");
		else if (wrong == FAULT_KEY)
			fail_hint(f, "it was made for another key than %s/key; the overlay's signer makes one for this: "
				  "`weftctl net admit`", h->path);
		else
			fail_hint(f, "the overlay's signer makes a new one: `weftctl net admit`");
		return false;
	}
	wrong = cert_check(&suite_sodium, chain, h->overlay, 0, utc, &leaf);
	m->not_after = leaf.not_after;
	if (leaf.name.len)
		memcpy(m->name, leaf.name.at, leaf.name.len);
	return !wrong;
}

static void set_bootstrap(struct member *m, const struct endpoint *at, unsigned count)
{
	memcpy(m->bootstrap, at, count * sizeof(*at));
	m->core.bootstrap = m->bootstrap;
	m->core.bootstraps = (uint16_t)count;
}

/* We may have been made one who answers invitations to the overlay. */
static void read_signer(struct member *m, uint64_t utc)
{
	struct fail f = { 0 };

	m->signer_len = signer_read(m->home, &m->identity, utc, m->signer, &f);
	for (unsigned i = 0; i < f.count; i++)
		diary(LEVEL_WARN, "signer", "%s; this node answers no invitations", f.text[i]);
	fail_done(&f);
}

/* Where the network in @place is the overlay, too. */
static void admits(struct member *m, unsigned place)
{
	if (m->signer_len && !memcmp(m->nics->nic[place]->charter.record.key, m->home->overlay, KEY_BYTES))
		m->nics->birth[place].signer = (struct bytes){ m->signer, m->signer_len };
}

struct member *member_new(const struct node_config *c, struct home *home, struct udp *udp, struct nics *nics,
			  int64_t now_ns, uint64_t utc, struct fail *f)
{
	struct member *m = calloc(1, sizeof(*m));
	struct birth birth = {
		.config = &m->core, .suite = &suite_sodium, .host = &HEAP,
		.quota = (uint32_t)c->node.quota_bytes, .identity = &m->identity,
		.incarnation = home->incarnation, .networks = nics->birth, .network_count = nics_count(nics),
	};

	if (!m)
		abort();
	confine_lock(m, sizeof(*m));
	m->home = home;
	m->udp = udp;
	m->nics = nics;
	m->birth_ns = now_ns;
	m->alarm_ns = INT64_MAX;
	effects_make(m);
	config_core(c, &m->core);
	memcpy(m->core.overlay, home->overlay, sizeof(m->core.overlay));
	set_bootstrap(m, c->bootstrap, c->bootstraps);
	if (!identify(m, utc, f)) {
		member_free(m);
		return NULL;
	}
	read_signer(m, utc);
	for (unsigned i = 0; i < nics_count(nics); i++)
		admits(m, i);
	m->node = node_new(&birth, now_ns);
	if (!m->node) {
		fail_add(f, "[node] quota = %lld bytes does not hold a node", (long long)c->node.quota_bytes);
		member_free(m);
		return NULL;
	}
	return m;
}

void member_free(struct member *m)
{
	if (!m)
		return;
	node_free(m->node);
	identity_done(&m->identity);
	munmap(m->mapping, m->mapped);
	free(m);
}

void member_tidy(struct member *m)
{
	madvise(m->mapping, m->mapped, MADV_DONTNEED);
}

/* ---- effects -------------------------------------------------------------------------- */

/* What core asked to keep; what is durable by now is told it in @next. */
static void keep(struct member *m, int64_t now_ns, const struct effects *fx, struct event next[FOLLOWING], unsigned *more)
{
	struct saves *s = &m->home->saves;
	uint64_t failures = s->failures, token;

	for (unsigned i = 0; i < fx->saves; i++)
		saves_put(s, &fx->save[i]);
	m->saves += fx->saves;
	if (saves_durable(s, &token))
		next[(*more)++] = (struct event){ .kind = EVENT_SAVED, .token = token };
	if (s->failures != failures && now_ns >= m->unsaid_ns) {
		diary(LEVEL_WARN, "save", "cannot write %s: %s; trying on, and promising nothing until then", s->scribe.path,
		      strerror(s->err));
		m->unsaid_ns = now_ns + UNSAVED_NS;
		m->unsaved = true;
	} else if (m->unsaved && !s->err) {
		diary(LEVEL_INFO, "save", "%s is written again", s->scribe.path);
		m->unsaved = false;
		m->unsaid_ns = 0;
	}
}

/* What core asked for; what is then to be told it is added to @next. */
static void carry_out(struct member *m, int64_t now_ns, struct event next[FOLLOWING], unsigned *more)
{
	const struct effects *fx = &m->fx;

	assert(*more < FOLLOWING);
	keep(m, now_ns, fx, next, more);
	if (m->watch)
		m->watch(m->ctx, fx);
	for (unsigned i = 0; i < fx->reflexes; i++)
		seen_put(&m->seen, &fx->reflex[i], now_ns);
	for (unsigned i = 0; i < fx->sends; i++)
		m->sends[fx->send[i].kind] += datagrams_of(&fx->send[i]);
	udp_send(m->udp, fx->send, fx->sends);
	nics_write(m->nics, fx->frame, fx->frames);
	for (unsigned i = 0; i < fx->records; i++) {
		const struct record *r = &fx->record[i];

		if (r->kind == RECORD_LEFT) {
			m->left = true;
			m->handed_over = r->a;
		}
		m->revoked |= r->kind == RECORD_REVOKED && !r->b && id_eq(r->peer, m->identity.id);
		diary_record(r);
	}
	for (unsigned i = 0; i < fx->replies; i++)
		if (m->reply)
			m->reply(m->ctx, &fx->reply[i]);
}

void member_step(struct member *m, int64_t now_ns, const struct event *evs, unsigned count)
{
	for (unsigned round = 0; ; round++) {
		struct event *next = m->next + round % 2 * FOLLOWING;	/* the other half is being handed in */
		unsigned more = 0;

		m->alarm_ns = node_step(m->node, now_ns, evs, count, &m->fx);
		carry_out(m, now_ns, next, &more);
		while (m->fx.more) {
			m->alarm_ns = node_step(m->node, now_ns, NULL, 0, &m->fx);
			carry_out(m, now_ns, next, &more);
		}
		while (round < ROUNDS && more < FOLLOWING && udp_error_take(m->udp, &next[more]))
			more++;
		if (!more)
			return;
		evs = next;
		count = more;
	}
}

/* A clock that is before our own certificate is wrong, and core judges nobody's by it: 0, not known. */
static struct event wall_clock(const struct member *m)
{
	struct event ev = { .kind = EVENT_WALL_CLOCK };

	ev.wall.utc_ns = clock_utc_ns(&ev.wall.error_ns);
	if (ev.wall.utc_ns / NS_PER_S < (int64_t)m->home->not_before)
		ev.wall.utc_ns = 0;
	return ev;
}

void member_start(struct member *m, int64_t now_ns, const struct event *more, unsigned count)
{
	uint8_t seed[SEED];
	struct event wall = wall_clock(m);
	struct event start = { .kind = EVENT_START, .data = saves_all(&m->home->saves) };

	entropy(seed);
	start.start.seed = seed;
	start.start.ciphers = 1 << CIPHER_CHACHA | (crypto_aead_aes256gcm_is_available() ? 1 << CIPHER_AES : 0);
	start.start.offloads = (m->udp->segments ? CAN_SEGMENT : 0) | (nics_can_sum(m->nics) ? CAN_SUM : 0);
	start.start.last = m->home->last;
	member_step(m, now_ns, &wall, 1);	/* first, so that certificates are judged from the first call on */
	member_step(m, now_ns, more, count);
	member_step(m, now_ns, &start, 1);
	sodium_memzero(seed, sizeof(seed));
	free((void *)start.data.at);
}

void member_stir(struct member *m, int64_t now_ns)
{
	uint8_t seed[SEED];
	struct event evs[2] = { { .kind = EVENT_ENTROPY, .data = { seed, sizeof(seed) } }, wall_clock(m) };

	entropy(seed);
	member_step(m, now_ns, evs, 2);
	sodium_memzero(seed, sizeof(seed));
}

void member_bootstrap(struct member *m, int64_t now_ns, const struct endpoint *at, unsigned count)
{
	struct event ev = { .kind = EVENT_CONTROL, .request = { .ask = ASK_CONNECT } };
	struct endpoint before[CONFIG_BOOTSTRAPS];
	unsigned old = m->core.bootstraps;

	memcpy(before, m->bootstrap, old * sizeof(*before));
	set_bootstrap(m, at, count);
	for (unsigned i = 0; i < count; i++) {
		unsigned j = 0;

		while (j < old && !endpoint_eq(&before[j], &at[i]))
			j++;
		ev.from = at[i];
		if (j == old)
			member_step(m, now_ns, &ev, 1);
	}
}

void member_network(struct member *m, int64_t now_ns, unsigned place, bool join)
{
	struct event ev = {
		.kind = EVENT_CONTROL,
		.request = { .token = NIC_FIRST_TOKEN + place, .network = (uint8_t)place, .ask = join ? ASK_JOIN : ASK_QUIT },
	};

	if (join)
		admits(m, place);
	member_step(m, now_ns, &ev, 1);
}
