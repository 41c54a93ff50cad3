#include "core/link/hello.h"

#include "core/seal/handshake.h"

enum hello_type {
	HELLO_FEATURES = HELLO_FIRST, HELLO_INCARNATION, HELLO_OBSERVED, HELLO_ADDRESSES, HELLO_CONTINUES,
};

/* A TLV begins; its length is filled in by shut(). */
static uint8_t *open_tlv(struct writer *w, enum hello_type type)
{
	write_u8(w, (uint8_t)type);
	return write_space(w, 2);
}

static void shut(struct writer *w, uint8_t *len)
{
	size_t n = len ? (size_t)(w->at - len) - 2 : 0;

	if (!w->bad) {
		len[0] = (uint8_t)(n >> 8);
		len[1] = (uint8_t)n;
	}
}

void hello_write(struct writer *w, const struct hello *h)
{
	uint8_t *len = open_tlv(w, HELLO_FEATURES);

	write_u32(w, h->features);
	shut(w, len);
	len = open_tlv(w, HELLO_INCARNATION);
	write_u64(w, h->incarnation);
	shut(w, len);
	if (endpoint_valid(&h->observed)) {
		len = open_tlv(w, HELLO_OBSERVED);
		write_endpoint(w, &h->observed);
		shut(w, len);
	}
	if (h->ats) {
		len = open_tlv(w, HELLO_ADDRESSES);
		write_u8(w, h->ats);
		for (unsigned i = 0; i < h->ats; i++)
			write_endpoint(w, &h->at[i]);
		shut(w, len);
	}
	if (h->continues) {
		len = open_tlv(w, HELLO_CONTINUES);
		shut(w, len);
	}
}

static void read_addresses(struct reader *v, struct hello *h)
{
	uint8_t count = read_u8(v);

	for (unsigned i = 0; i < count && reader_ok(v); i++) {
		struct endpoint at = read_endpoint(v);

		if (endpoint_valid(&at) && h->ats < CONTACT_ENDPOINTS)
			h->at[h->ats++] = at;
	}
}

enum drop hello_read(struct bytes tlvs, struct hello *h)
{
	struct reader r = reader_of(tlvs.at, tlvs.len);

	*h = (struct hello){ .features = 0 };
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t type = read_u8(&r);
		uint16_t len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);
		struct reader v = reader_of(at, at ? len : 0);

		if (!at)
			return DROP_VALUE;
		switch (type) {
		case HELLO_FEATURES:
			h->features = read_u32(&v);
			break;
		case HELLO_INCARNATION:
			h->incarnation = read_u64(&v);
			break;
		case HELLO_OBSERVED:
			h->observed = read_endpoint(&v);
			break;
		case HELLO_ADDRESSES:
			read_addresses(&v, h);
			break;
		case HELLO_CONTINUES:
			h->continues = true;
			break;
		default:
			break;
		}
		if (!reader_ok(&v))
			return DROP_VALUE;
	}
	return reader_ok(&r) ? DROP_NONE : DROP_VALUE;
}
