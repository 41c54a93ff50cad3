/* ON: core/base core/vnet/payload.c core/vnet/snoop.c core/vnet/batch.c core/vnet/packet.c core/vnet/build.c core/dht/slot.c */
/*
 * payload_fuzz.c - words about addresses, membership reports and batches, from anybody
 *
 * The first byte chooses: 0 a word (what is read is written and read again, the
 * same), 1 an IP packet about membership, 2 a batch that is cut (the pieces are
 * packets, and together the whole).
 */
#include <assert.h>
#include <string.h>

#include "core/vnet/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void word(struct bytes in)
{
	struct reader r = reader_of(in.at, in.len);
	struct address_word a, b;
	uint8_t buf[PAYLOAD_ADDRESS_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!address_word_read(&r, &a))
		return;
	address_word_write(&w, PAYLOAD_NOT_HERE, &a);
	assert(!w.bad && writer_len(&w) == in.len + 1 && !memcmp(buf + 1, in.at, in.len));
	r = reader_of(buf + 1, writer_len(&w) - 1);
	assert(address_word_read(&r, &b) && ip_eq(&a.ip, &b.ip) && id_eq(a.owner, b.owner));
}

static void report(struct bytes in)
{
	struct snooped s[SNOOPED_MAX];
	struct packet p;
	enum drop why;
	bool query;
	unsigned n;

	if (packet_read_ip(&p, in, NULL) != DROP_NONE || !snoop_told(&p))
		return;
	n = snoop_read(&p, s, SNOOPED_MAX, &query, &why);
	assert(n <= SNOOPED_MAX && (!n || why == DROP_NONE));
	for (unsigned i = 0; i < n; i++)
		assert(ip_multicast(&s[i].group));
}

static void batch(struct bytes in)
{
	static uint8_t buf[2000];
	struct offload each;
	struct packet p, q;
	struct batch b;
	size_t at = 0, len;
	uint16_t segment;

	if (in.len < 2)
		return;
	segment = (uint16_t)(in.at[0] + 1);
	in.at++, in.len--;
	if (packet_read_ip(&p, in, NULL) != DROP_NONE)	/* complete: then its checksum is as if left undone */
		return;
	each = (struct offload){ .partial = 1, .checksum_start = p.header, .checksum_offset = p.proto == PROTO_TCP ? 16 : 6 };
	p.offload = each;
	p.offload.segment = segment;
	if (!batch_begin(&b, &p, 500))
		return;
	while ((len = batch_next(&b, buf))) {
		assert(len <= 500);
		assert(packet_read_ip(&q, (struct bytes){ buf, len }, &each) == DROP_NONE);
		assert(at + q.data.len <= p.data.len && !memcmp(q.data.at, p.data.at + at, q.data.len));
		at += q.data.len;
	}
	assert(at == p.data.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data + 1, size ? size - 1 : 0 };

	if (!size)
		return 0;
	switch (data[0] % 3) {
	case 0:
		word(in);
		break;
	case 1:
		report(in);
		break;
	case 2:
		batch(in);
		break;
	}
	return 0;
}
