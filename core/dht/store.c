#include "core/dht/store.h"

#include <sodium.h>
#include <string.h>

/* The first place whose key is not before @key. */
static unsigned place(const struct store *s, uint64_t key)
{
	unsigned lo = 0, hi = s->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (s->kept[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct kept *store_find(const struct store *s, uint64_t key)
{
	unsigned i = place(s, key);

	return i < s->count && s->kept[i].key == key ? &s->kept[i] : NULL;
}

static void clear(struct store *s, struct mem *m, struct kept *k)
{
	mem_put(m, k->bytes, k->len);
	s->bytes -= k->len;
	k->bytes = NULL;
	k->len = 0;
}

struct kept *store_put(struct store *s, struct mem *m, const struct kept *k)
{
	unsigned i = place(s, k->key);
	bool there = i < s->count && s->kept[i].key == k->key;
	uint8_t *bytes = NULL;
	uint32_t others = s->bytes - (there ? s->kept[i].len : 0);

	if (others + k->len > STORE_BYTES)
		return NULL;
	if (!there && s->count == s->cap) {
		unsigned want = s->cap ? s->cap + s->cap / 2 + 1 : 2;

		if (s->count >= STORE_MOST || !mem_grow(m, &s->kept, &s->cap, (uint16_t)want, sizeof(*s->kept)))
			return NULL;
	}
	if (k->len) {
		bytes = mem_get(m, k->len);
		if (!bytes)
			return NULL;
		memcpy(bytes, k->bytes, k->len);
	}
	if (there) {
		clear(s, m, &s->kept[i]);
	} else {
		memmove(&s->kept[i + 1], &s->kept[i], (s->count - i) * sizeof(*s->kept));
		s->count++;
	}
	s->kept[i] = *k;
	s->kept[i].bytes = bytes;
	s->bytes += k->len;
	if (s->grants < k->grant)
		s->grants = k->grant;
	return &s->kept[i];
}

void store_del(struct store *s, struct mem *m, unsigned i)
{
	clear(s, m, &s->kept[i]);
	s->count--;
	memmove(&s->kept[i], &s->kept[i + 1], (s->count - i) * sizeof(*s->kept));
}

void store_done(struct store *s, struct mem *m)
{
	for (unsigned i = 0; i < s->count; i++)
		clear(s, m, &s->kept[i]);
	mem_put(m, s->kept, s->cap * sizeof(*s->kept));
	*s = (struct store){ 0 };
}

uint64_t kept_key(struct bytes name, uint8_t type, struct id writer)
{
	crypto_generichash_blake2b_state h;
	uint8_t head[1 + ID_BYTES], out[16] = { 0 };
	struct writer w = writer_of(head, sizeof(head));
	struct reader r = reader_of(out, sizeof(out));

	write_u8(&w, type);
	write_id(&w, writer);
	crypto_generichash_blake2b_init(&h, NULL, 0, sizeof(out));
	crypto_generichash_blake2b_update(&h, head, sizeof(head));
	crypto_generichash_blake2b_update(&h, name.at, name.len);
	crypto_generichash_blake2b_final(&h, out, sizeof(out));
	return read_u64(&r);
}

void kept_write(struct writer *w, const struct kept *k, int64_t now_ns)
{
	int64_t left_ms = k->until_ns > now_ns ? (k->until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;

	write_u64(w, k->key);
	write_id(w, k->owner);
	write_u64(w, k->client);
	write_u64(w, k->nonce);
	write_u32(w, k->stamp.view.generation);
	write_u32(w, k->stamp.view.number);
	write_u64(w, k->stamp.seq);
	write_u32(w, left_ms < UINT32_MAX ? (uint32_t)left_ms : UINT32_MAX);
	write_u64(w, k->grant);
	write_u32(w, k->generation);
	write_u32(w, k->delegation);
	write_u32(w, k->term_s);
	write_u8(w, k->type);
	write_u8(w, (uint8_t)(k->gone | k->lends << 1));
	write_u16(w, k->len);
	write_copy(w, k->bytes, k->len);
}

bool kept_read(struct reader *r, struct kept *k, int64_t now_ns)
{
	uint8_t flags;

	*k = (struct kept){ 0 };
	k->key = read_u64(r);
	k->owner = read_id(r);
	k->client = read_u64(r);
	k->nonce = read_u64(r);
	k->stamp.view.generation = read_u32(r);
	k->stamp.view.number = read_u32(r);
	k->stamp.seq = read_u64(r);
	k->until_ns = now_ns + read_u32(r) * NS_PER_MS;
	k->grant = read_u64(r);
	k->generation = read_u32(r);
	k->delegation = read_u32(r);
	k->term_s = read_u32(r);
	k->type = read_u8(r);
	flags = read_u8(r);
	k->gone = flags & 1;
	k->lends = flags >> 1 & 1;
	k->len = read_u16(r);
	k->bytes = (uint8_t *)read_take(r, k->len);
	if (!k->len)
		k->bytes = NULL;
	if (!r->bad && !kept_form(k->bytes, k->len))
		r->bad = true;
	return reader_ok(r);
}

/* Finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t store_digest(const struct store *s)
{
	uint64_t d = mix(s->grants + 1);

	for (unsigned i = 0; i < s->count; i++) {
		const struct kept *k = &s->kept[i];

		d += mix(mix(mix(k->key) ^ k->stamp.seq) ^ ((uint64_t)k->stamp.view.generation << 32 | k->stamp.view.number));
	}
	return d;
}
