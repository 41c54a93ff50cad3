/*
 * Cookies.
 *
 * The rate is kept as one moment: the time at which everything served so far is
 * paid for, each INIT costing GATE_COST_MS. The cookie itself travels sealed,
 * under a key made of the INIT it answers, so that nobody who has not seen that
 * INIT can make a caller believe in another one.
 */
#include "core/link/cookie.h"

#include <string.h>

#include <sodium.h>

#define SECRET_MS	120000u

static const char LABEL[] = "weft cookie";

struct porter {
	uint8_t secret[KEY_BYTES];
	uint32_t born_ms;		/* of the secret */
	uint32_t second_ms;		/* begin of the second that served[] counts */
	uint8_t served[GATE_HOSTS];
};

struct caller caller_endpoint(const struct endpoint *at)
{
	struct caller c = { .host = at->kind == ENDPOINT_UDP4 ? 1 + 4 : 1 + 8 };
	struct writer w = writer_of(c.at, sizeof(c.at));

	write_u8(&w, at->kind);
	write_copy(&w, at->addr, sizeof(at->addr));
	write_u16(&w, at->port);
	c.len = (uint8_t)writer_len(&w);
	return c;
}

struct caller caller_id(struct id id)
{
	struct caller c = { .len = 1 + ID_BYTES, .host = 1 + ID_BYTES };
	struct writer w = writer_of(c.at, sizeof(c.at));

	write_u8(&w, 0);
	write_id(&w, id);
	return c;
}

/* What @key makes of @text, as a key itself. */
static void derive(struct env *e, uint8_t out[KEY_BYTES], const uint8_t key[KEY_BYTES], const void *text, size_t len)
{
	memset(out, 0, KEY_BYTES);
	e->suite->derive(out, (struct bytes){ key, KEY_BYTES }, (struct bytes){ text, len });
}

/* The key under which the answer to @init, whose proof of the overlay stands in it, travels. */
static void travel_key(struct env *e, uint8_t out[KEY_BYTES], const uint8_t *anchor, const uint8_t *init, size_t len)
{
	uint8_t text[sizeof(LABEL) + PROOF_BYTES];

	memcpy(text, LABEL, sizeof(LABEL));
	memcpy(text + sizeof(LABEL), init + len - 2 * PROOF_BYTES, PROOF_BYTES);
	derive(e, out, anchor, text, sizeof(text));
}

static uint32_t debt_ms(const struct env *e, const struct gate *g)
{
	uint32_t debt = g->paid_ms - env_ms(e);

	return debt > GATE_SPAN_MS ? 0 : debt;		/* paid long ago, or ages ago */
}

static struct porter *porter_of(struct env *e, struct gate *g)
{
	uint32_t now = env_ms(e);

	if (!g->porter) {
		g->porter = mem_get(&e->mem, sizeof(*g->porter));
		if (!g->porter)
			return NULL;
		g->porter->born_ms = now - SECRET_MS;
	}
	if (now - g->porter->born_ms >= SECRET_MS) {
		random_bytes(&e->random, g->porter->secret, KEY_BYTES);
		g->porter->born_ms = now;
	}
	if (now - g->porter->second_ms >= 1000) {
		g->porter->second_ms = now;
		memset(g->porter->served, 0, sizeof(g->porter->served));
	}
	return g->porter;
}

static void write_cookie(struct env *e, const uint8_t *anchor, const uint8_t *cookie, struct bytes init, uint8_t *out)
{
	struct writer w = writer_of(out, COOKIE_PACKET);
	uint8_t key[KEY_BYTES];
	uint64_t nonce = random_u64(&e->random);

	write_u8(&w, WIRE_VERSION << 4 | PACKET_COOKIE);
	write_u8(&w, 0);
	write_u16(&w, 0);
	write_copy(&w, init.at + WIRE_SHORT + 2, 4);		/* the caller's index (wire.h, picture 2) */
	write_u64(&w, nonce);
	travel_key(e, key, anchor, init.at, init.len);
	e->suite->aead[CIPHER_CHACHA].seal(w.at, key, nonce, (struct bytes){ out, 0 }, cookie, COOKIE_BYTES);
	sodium_memzero(key, sizeof(key));
}

enum gate_word gate_knock(struct env *e, struct gate *g, const uint8_t *anchor, struct bytes packet,
			  const struct caller *who, bool crowded, uint8_t out[COOKIE_PACKET])
{
	enum drop why = handshake_knows(e, anchor, packet);
	uint8_t cookie[KEY_BYTES], account[KEY_BYTES];
	struct porter *p;

	if (why) {
		env_drop(e, why);
		return GATE_SHUT;
	}
	if (!crowded && debt_ms(e, g) + GATE_COST_MS <= GATE_SPAN_MS) {
		g->paid_ms = env_ms(e) + debt_ms(e, g) + GATE_COST_MS;
		return GATE_OPEN;
	}
	p = porter_of(e, g);
	if (!p) {
		env_drop(e, DROP_MEMORY);
		return GATE_SHUT;
	}
	derive(e, cookie, p->secret, who->at, who->len);
	memset(cookie + COOKIE_BYTES, 0, KEY_BYTES - COOKIE_BYTES);
	if (!handshake_vouched(e, cookie, packet)) {
		write_cookie(e, anchor, cookie, packet, out);
		env_drop(e, DROP_COOKIE);
		return GATE_COOKIE;
	}
	derive(e, account, p->secret, who->at, who->host);
	if (p->served[account[0] % GATE_HOSTS] >= GATE_HOST_INITS) {
		env_drop(e, DROP_RATE);
		return GATE_SHUT;
	}
	p->served[account[0] % GATE_HOSTS]++;
	return GATE_OPEN;
}

void gate_done(struct env *e, struct gate *g)
{
	if (g->porter)
		sodium_memzero(g->porter, sizeof(*g->porter));
	mem_put(&e->mem, g->porter, sizeof(*g->porter));
	g->porter = NULL;
}

enum drop cookie_take(struct env *e, const uint8_t *anchor, struct bytes packet, uint8_t *init, size_t len)
{
	struct reader r = reader_of(packet.at, packet.len);
	uint8_t key[KEY_BYTES], cookie[KEY_BYTES] = { 0 };
	uint64_t nonce;
	bool good;

	if (packet.len < COOKIE_PACKET)
		return DROP_SHORT;
	if (packet.len > COOKIE_PACKET)
		return DROP_TRAILING;
	read_take(&r, WIRE_SHORT);
	nonce = read_u64(&r);
	travel_key(e, key, anchor, init, len);
	good = e->suite->aead[CIPHER_CHACHA].open(cookie, key, nonce, (struct bytes){ packet.at, 0 }, r.at,
						  COOKIE_BYTES + WIRE_TAG);
	if (good)
		handshake_vouch(e, cookie, init, len);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(cookie, sizeof(cookie));
	return good ? DROP_NONE : DROP_SEAL;
}
