/* ON: core/base core/seal */
/*
 * handshake_fuzz.c - INIT, REPLY and FINISH from strangers, in every state that waits for one
 *
 * The first byte chooses: bits 0 and 1 the state (nothing yet; a caller by key;
 * a caller of an endpoint; an answerer of one), bit 2 whether seals hold or
 * everything opens. The rest is the packet.
 */
#include <assert.h>

#include "tests/fuzz/yes_suite.h"
#include "tests/unit/party.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OVERLAY = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct suite yes;
	static struct party a[2], b[2];
	const struct bytes none = { NULL, 0 };
	struct handshake ha, hb, before;
	uint8_t buf[HANDSHAKE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct party *p, *q;
	struct greeting g;
	enum drop d;
	bool open;

	if (!yes.name) {
		yes = yes_suite();
		for (unsigned i = 0; i < 2; i++) {
			party_init(&a[i], i ? &yes : &suite_sodium, 1, OVERLAY);
			party_init(&b[i], i ? &yes : &suite_sodium, 2, OVERLAY);
		}
	}
	if (!size)
		return 0;
	open = data[0] & 4;
	p = &a[open], q = &b[open];
	memset(&ha, 0, sizeof(ha));
	memset(&hb, 0, sizeof(hb));
	if (data[0] & 3) {
		handshake_call(&p->env, &ha, &p->self, (data[0] & 3) == 1 ? identity_key(&q->self) : NULL, 0xa1);
		handshake_write(&p->env, &ha, &p->self, none, &w);
	}
	if ((data[0] & 3) == 3) {
		d = handshake_read(&q->env, &hb, &q->self, (struct bytes){ buf, writer_len(&w) }, &g);
		assert(!d);
		handshake_answer(&hb, 0xa1);
		w = writer_of(buf, sizeof(buf));
		handshake_write(&q->env, &hb, &q->self, none, &w);
		ha = hb;
		p = q;
	}
	before = ha;
	d = handshake_read(&p->env, &ha, &p->self, (struct bytes){ data + 1, size - 1 }, &g);
	assert(d < DROP_COUNT);
	if (d) {
		assert(!g.known && !memcmp(&before, &ha, sizeof(ha)));
		return 0;
	}
	assert(g.hello.len <= size && (g.known || ha.noise.pattern == PATTERN_XX));
	if (!handshake_done(&ha)) {	/* go on as link would */
		w = writer_of(buf, sizeof(buf));
		if (!handshake_caller(&ha))
			handshake_answer(&ha, 0xb2);
		d = handshake_write(&p->env, &ha, &p->self, none, &w);
		assert(d || (!w.bad && writer_len(&w) <= HANDSHAKE_MAX));
		if (!d && !handshake_caller(&ha))
			assert(writer_len(&w) <= size - 1);
	}
	if (handshake_done(&ha))
		session_free(&p->env, handshake_session(&p->env, &ha, 1));
	return 0;
}
