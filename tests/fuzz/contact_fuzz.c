/* ON: core/base core/link/contact.c */
/*
 * contact_fuzz.c - cards of nodes as strangers write them
 *
 * Input: cards, one after the other. What was read can be called or is nothing,
 * and written again it is read the same.
 */
#include <assert.h>

#include "core/link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CARD_MAX = 1 + 16 + 32 + 1 + CONTACT_ENDPOINTS * 19 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);

	while (reader_ok(&r) && reader_left(&r)) {
		struct contact c = contact_read(&r), back;
		uint8_t buf[CARD_MAX];
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader again;

		assert(c.ats <= CONTACT_ENDPOINTS);
		if (!reader_ok(&r))
			assert(!c.ats && !c.has_id && !c.has_key);
		for (unsigned i = 0; i < c.ats; i++)
			assert(endpoint_valid(&c.at[i]) && !c.at[i].iface);
		contact_write(&w, &c);
		assert(!w.bad);
		again = reader_of(buf, writer_len(&w));
		back = contact_read(&again);
		assert(reader_done(&again));
		assert(back.ats == c.ats && back.has_id == c.has_id && back.has_key == c.has_key);
		assert(id_eq(back.id, c.id) && !memcmp(back.key, c.key, sizeof(c.key)));
		for (unsigned i = 0; i < c.ats; i++)
			assert(endpoint_eq(&back.at[i], &c.at[i]));
	}
	return 0;
}
