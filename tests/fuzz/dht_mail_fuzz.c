/* ON: core core/base core/seal core/link core/ring core/dht core/vnet */
/*
 * dht_mail_fuzz.c - a client and holder of leases told anything, in any order
 *
 * The input is a play: questions asked, answers whose head fits a question under
 * way and whose rest is anything, delegations, pieces of mail, time, gaps.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/dht/holder.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum act { ACT_WANT, ACT_TAKE, ACT_TOUCH, ACT_RELEASE, ACT_GIVE, ACT_ASK, ACT_NAME, ACT_TIME, ACT_GAP, ACT_SAVED,
	   ACT_ANSWER, ACT_LEASE, ACT_DELEGATE, ACT_DELEGATED, ACT_PARCEL, ACT_LOAD, ACTS };

struct play {
	struct env e;
	struct effects fx;
	struct dht d;
	struct ring ring;		/* of nobody: its size is asked for */
	struct charter charter;
	struct identity self;
	struct op last;			/* of the last question that left */
	uint64_t delegate_nonce;
	uint8_t chain[400];
	struct save save[64];
	uint8_t bytes[1 << 16];
};

static void *get(void *ctx, size_t bytes)
{
	(void)ctx;
	return malloc(bytes);
}

static void put(void *ctx, void *p, size_t bytes)
{
	(void)ctx, (void)bytes;
	free(p);
}

static enum drop wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head, struct bytes data,
		      const struct id *via)
{
	struct play *p = arg;
	struct question q;
	struct reader r;

	(void)e, (void)to, (void)mode, (void)via;
	if (body == BODY_OP && !head.len) {
		assert(question_read(data, &q) == DROP_NONE);	/* what we say ourselves is well formed */
		p->last = q.op;
	} else if (body == BODY_DELEGATE) {
		r = reader_of(data.at + data.len - 8 - 8 - ID_BYTES, 8);
		p->delegate_nonce = read_u64(&r);
	}
	return DROP_NONE;
}

static void sign_nothing(uint8_t signature[SIGNATURE_BYTES], const uint8_t secret[SIGN_BYTES], struct bytes text)
{
	(void)secret, (void)text;
	memset(signature, 0, SIGNATURE_BYTES);
}

static void begin(struct play *p, const struct suite *suite, const struct mem_host *host)
{
	const struct cert_order o = { .roles = ROLE_MEMBER, .key = p->self.sign + KEY_BYTES, .salt = p->self.sign };
	struct writer w = writer_of(p->chain, sizeof(p->chain));

	cert_issue(suite, p->self.sign, &o, &w);
	p->self.chain = p->chain;
	p->self.chain_len = (uint16_t)writer_len(&w);
	p->self.id = cert_id(o.key, o.salt);
	p->e = (struct env){ .now_ns = NS_PER_S, .suite = suite, .fx = &p->fx, .mem = { host, 0, 1 << 20 } };
	heap_init(&p->e.timers, 0);
	p->charter.record = (struct network_record){
		.id = { 1, 2 }, .range4 = { ip_v4(0x0a000000), 24 }, .range6 = { { .at = { 0xfd }, .family = 6 }, 64 },
		.term_s = 60, .drift_ppm = 500,
	};
	p->d = (struct dht){ .ring = &p->ring, .self = &p->self, .charter = &p->charter, .charters = 1, .wire = wire, .wire_arg = p };
}

static void flush(struct play *p)
{
	p->fx = (struct effects){ .save = p->save, .max_saves = 64, .bytes = p->bytes, .max_bytes = sizeof(p->bytes) };
}

static void timers(struct play *p)
{
	uint16_t tag;

	while (heap_pop(&p->e.timers, p->e.now_ns, &tag)) {
		if (tag == TIMER_DHT_CLIENT)
			client_timer(&p->d, &p->e);
		else if (tag == TIMER_DHT_HELD)
			held_timer(&p->d, &p->e);
		else if (tag == TIMER_DHT_PUBLISH)
			publish_timer(&p->d, &p->e);
		else if (tag == TIMER_DHT_PARCEL)
			parcel_timer(&p->d, &p->e);
	}
}

static void mail(struct play *p, uint8_t body, struct id from, struct bytes data)
{
	struct ring_mail m = { .from = from, .body = body, .data = data }, whole;

	if (body == BODY_PARCEL) {
		if (!parcel_mail(&p->d, &p->e, &m, &whole))
			return;
		assert(whole.body != BODY_PARCEL && whole.data.len <= 4 * RING_MAIL_MAX);
		m = whole;
	}
	if (m.body == BODY_ANSWER)
		client_mail(&p->d, &p->e, &m);
	else if (m.body == BODY_DELEGATE || m.body == BODY_DELEGATED)
		held_mail(&p->d, &p->e, &m);
}

/* an answer to the last question, with @tail or a lease that fits */
static void answer(struct play *p, uint8_t a, struct bytes tail, bool lease)
{
	uint8_t buf[400], own[100];
	struct writer w = writer_of(buf, sizeof(buf)), l = writer_of(own, sizeof(own));
	struct told t = { .nonce = p->last.nonce, .kind = p->last.kind, .verdict = a % VERDICTS, .slot = p->last.slot,
			  .primary = { a & 16, 1 } };
	struct lease fits = { .ip = p->last.ip, .holder = a & 32 ? p->self.id : (struct id){ 9, 9 }, .client = p->last.client,
			      .fence = { 0, 0, a }, .term_s = 60, .lends = p->last.lends };

	if (!fits.ip.family)
		fits.ip = ip_v4((uint32_t)(p->last.slot.number << 6 | (a & 63)));
	lease_write(&l, &fits);
	t.tail = lease ? (struct bytes){ own, writer_len(&l) } : tail;
	told_write(&w, &t);
	if (!w.bad && p->last.kind)
		mail(p, BODY_ANSWER, (struct id){ 1, 1 }, (struct bytes){ buf, writer_len(&w) });
}

static void delegated(struct play *p, uint8_t a, const struct ip *ip)
{
	uint8_t buf[400], proof[PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf)), s = writer_of(proof, sizeof(proof));
	struct delegation g = { p->charter.record.id, { 3, 3 }, p->self.id, *ip, p->delegate_nonce - (a & 1), { 0, 0, 3 },
				(uint32_t)a << 8, a & 2, a & 4 };

	delegation_write(&s, &g, p->e.suite, &p->self);
	write_id(&w, g.network);
	write_ip(&w, ip);
	write_u64(&w, g.nonce);
	write_u8(&w, VERDICT_OK);
	write_u16(&w, (uint16_t)writer_len(&s));
	write_copy(&w, proof, writer_len(&s));
	mail(p, BODY_DELEGATED, (struct id){ 3, 3 }, (struct bytes){ buf, writer_len(&w) });
}

static void drain(struct play *p)
{
	struct held_news n;
	struct dht_done d;
	struct held h;

	while (held_next(&p->d, &n))
		assert(n.word <= HELD_WANTED);
	while (dht_next(&p->d, &d))
		assert(d.verdict && d.values <= VALUES_PER_KEY);
	for (unsigned i = 0; held_at(&p->d, i, &h); i++)
		assert((h.state == HELD_OURS) == (h.until_ns != 0));
	assert(client_asking(&p->d) <= 64);
}

static void act(struct play *p, uint8_t what, uint8_t a, struct bytes rest)
{
	const struct id net = p->charter.record.id;
	struct ip ip = ip_v4(0x0a000002 + (a & 3));
	struct op op = { .kind = OP_GET, .slot.network = net, .ip = ip };
	struct saved s = { 1, rest, SAVE_LEASE };

	switch (what % ACTS) {
	case ACT_WANT:
		held_want(&p->d, &p->e, DHT_USER_VNET, a, net, a & 4 ? &ip : &(struct ip){ .family = 4 }, a & 3, a, a & 8);
		break;
	case ACT_TAKE:
		held_lends(&p->d, &p->e, net, a & 16);
		held_take(&p->d, &p->e, DHT_USER_VNET, a, net, &ip, a,
			  &(struct served){ .owner = { 3, 3 }, .fence = { 0, 0, 3 } });
		break;
	case ACT_TOUCH:
		held_touch(&p->d, &p->e, net, &ip, a);
		break;
	case ACT_RELEASE:
		held_release(&p->d, &p->e, net, &ip, 0);
		break;
	case ACT_GIVE:
		held_delegate(&p->d, &p->e, net, &ip, (struct id){ 4, a & 1 }, a);
		break;
	case ACT_ASK:
		op.kind = a & 16 ? OP_CREATE_ANY : OP_GET;
		dht_ask(&p->d, &p->e, DHT_USER_CONTROL, a, &op, NS_PER_S * a);
		break;
	case ACT_NAME:
		name_publish(&p->d, &p->e, DHT_USER_VNET, net, (struct bytes){ &a, 1 }, VALUE_PLAIN, rest, a, a & 1);
		if (a & 2)
			name_withdraw(&p->d, &p->e, DHT_USER_VNET, net, (struct bytes){ &a, 1 }, VALUE_PLAIN);
		break;
	case ACT_TIME:
		p->e.now_ns += (int64_t)a * a * NS_PER_MS * 10;
		break;
	case ACT_GAP:
		client_resumed(&p->d, &p->e);
		held_resumed(&p->d, &p->e, a & 1);
		publish_resumed(&p->d, &p->e);
		break;
	case ACT_SAVED:
		held_saved(&p->d, &p->e, p->e.save_token);
		break;
	case ACT_ANSWER:
		answer(p, a, rest, false);
		break;
	case ACT_LEASE:
		answer(p, a, rest, true);
		break;
	case ACT_DELEGATE:
		mail(p, BODY_DELEGATE, (struct id){ 4, a & 1 }, rest);
		break;
	case ACT_DELEGATED:
		if (a & 4)
			delegated(p, a, &ip);
		else
			mail(p, BODY_DELEGATED, (struct id){ 3, 3 }, rest);
		break;
	case ACT_PARCEL:
		mail(p, BODY_PARCEL, (struct id){ 4, a & 7 }, rest);
		break;
	case ACT_LOAD:
		held_load(&p->d, &p->e, &s, a & 1);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mem_host host = { get, put, NULL };
	static struct play play;
	struct reader r = reader_of(data, size);
	struct suite yes = yes_suite();

	yes.sign = sign_nothing;
	memset(&play, 0, sizeof(play));
	flush(&play);
	begin(&play, &yes, &host);
	while (!reader_done(&r) && reader_ok(&r)) {
		uint8_t what = read_u8(&r), a = read_u8(&r), len = what % ACTS >= ACT_ANSWER ? read_u8(&r) : 0;
		struct bytes rest = { r.at, len < reader_left(&r) ? len : reader_left(&r) };

		read_take(&r, rest.len);
		flush(&play);
		act(&play, what, a, rest);
		timers(&play);
		drain(&play);
	}
	publish_free(&play.d, &play.e);
	held_free(&play.d, &play.e);
	client_free(&play.d, &play.e);
	parcel_free(&play.d, &play.e);
	heap_done(&play.e.timers, &play.e.mem);
	assert(!play.e.mem.used);
	return 0;
}
