/* ON: core/base core/seal core/dht/network.c core/vnet/dns_wire.c core/vnet/dns_zone.c core/vnet/dns_server.c */
/*
 * dns_fuzz.c - questions and published values as strangers write them
 *
 * Input: actions. 0..127: a question, length 2 | payload. 128..191: the oldest
 * look-up is answered, type 1 | length 1 | value, for (low bits) seconds. 192..223:
 * it fails, low bits the verdict. 224..255: so many seconds pass.
 *
 * Every answer is a message that reads back whole, fits what its asker takes, and
 * repeats its question; answers never get answers; in the end all memory comes back.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/vnet/dns_server.h"
#include "tests/unit/bare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOOKS = 512 };

struct fuzzed {
	struct bare bare;
	struct dnsd d;
	struct network_record net;
	uint64_t look[LOOKS];
	unsigned looks;
	int64_t due_ns;
};

static bool fz_look(void *ctx, struct env *e, uint64_t cookie, struct bytes name, uint8_t type)
{
	struct fuzzed *f = ctx;

	(void)e;
	assert(name.len && name.len <= DNS_KEY_MAX && (type == VALUE_ADDRESS || type == VALUE_POINTER));
	if (f->looks == LOOKS)
		return false;
	f->look[f->looks++] = cookie;
	return true;
}

static void fz_send(void *ctx, struct env *e, const struct dns_asker *to, struct bytes m)
{
	size_t at = DNS_HEADER;
	struct dns_record rec;
	struct dns_query q;
	struct dns_name n;
	uint8_t rcode;

	(void)ctx, (void)e, (void)to;
	assert(m.len >= DNS_HEADER && m.len <= DNSD_MESSAGE);
	assert(dns_query_read(m, &q, &rcode) == DROP_ROGUE);
	assert(m.at[5] <= 1);
	if (m.at[5]) {
		assert(dns_name_read(m, &at, &n));
		at += 4;
	}
	for (unsigned i = m.at[7] + m.at[9] + m.at[11]; i > 0; i--)
		assert(dns_record_read(m, &at, &rec));
	assert(at == m.len);
}

static bool fz_forward(void *ctx, struct env *e, const struct dns_asker *from, const struct dns_query *q)
{
	uint8_t buf[DNS_PLAIN_MAX], rcode;
	struct writer w = writer_of(buf, sizeof(buf));
	struct dns_query back;

	(void)ctx, (void)e, (void)from;
	dns_query_write(&w, q, 7);		/* what would go out is a question, and the same one */
	assert(!w.bad && !dns_query_read((struct bytes){ buf, writer_len(&w) }, &back, &rcode) && !rcode);
	assert(back.type == q->type && back.name.len == q->name.len && back.edns == q->edns && back.id == 7);
	return q->id & 1;
}

static void fz_due(void *ctx, struct env *e, int64_t at_ns)
{
	(void)e;
	((struct fuzzed *)ctx)->due_ns = at_ns;
}

static const struct dns_ports PORTS = { fz_look, fz_forward, fz_send, fz_due };

static void answer(struct fuzzed *f, uint8_t verdict, const struct value *v)
{
	uint64_t cookie = f->look[0];

	if (!f->looks)
		return;
	memmove(f->look, f->look + 1, --f->looks * sizeof(*f->look));
	dnsd_answer(&f->d, &f->bare.env, cookie, verdict, v, v ? 1 : 0);
}

static void act(struct fuzzed *f, struct reader *r)
{
	struct dns_asker from = { .ip = ip_v4(0x0afa0102), .at = ip_v4(0x0afa0001), .port = 4000 };
	uint8_t what = read_u8(r);
	struct value v = { 0 };
	uint16_t len;

	if (what < 128) {
		len = read_u16(r);
		len = len < reader_left(r) ? len : (uint16_t)reader_left(r);
		dnsd_message(&f->d, &f->bare.env, &from, (struct bytes){ read_take(r, len), len });
	} else if (what < 192) {
		v.left_ms = (what & 63) * 1000u;
		v.type = read_u8(r);
		v.data.len = read_u8(r);
		v.data.at = read_take(r, v.data.len);
		if (reader_ok(r))
			answer(f, VERDICT_OK, &v);
	} else if (what < 224) {
		answer(f, (uint8_t)(VERDICT_TAKEN + what % 7), NULL);
	} else {
		f->bare.env.now_ns += (what - 223) * NS_PER_S;
		if (f->due_ns <= f->bare.env.now_ns)
			dnsd_timer(&f->d, &f->bare.env);
		assert(f->due_ns > f->bare.env.now_ns);
	}
	assert(f->d.entries <= DNSD_ENTRIES && f->d.waitings <= DNSD_WAITING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzzed *f = calloc(1, sizeof(*f));
	struct reader r = reader_of(data, size);

	bare_init(&f->bare, 1);
	f->bare.env.now_ns = 1000 * NS_PER_S;
	f->due_ns = INT64_MAX;
	f->net = (struct network_record){
		.range4 = { ip_v4(0x0afa0000), 16 }, .range6 = { { .at = { 0xfd }, .family = 6 }, 64 }, .domain = "lab",
	};
	dnsd_init(&f->d, &f->bare.env, &PORTS, f);
	f->d.net = &f->net;
	while (reader_ok(&r) && reader_left(&r))
		act(f, &r);
	while (f->looks)
		answer(f, VERDICT_TIMEOUT, NULL);
	f->bare.env.now_ns += 7200 * NS_PER_S;
	dnsd_timer(&f->d, &f->bare.env);
	assert(!f->d.entries && !f->d.waitings && !f->bare.bytes);
	dnsd_done(&f->d, &f->bare.env);
	free(f);
	return 0;
}
