/* ON: core/base core/seal */
/* cert_fuzz.c - certificate chains from strangers: decoded, walked, checked, with every signature good */
#include <assert.h>

#include "core/seal/cert.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct cert *c, const uint8_t *data, size_t size)
{
	struct bytes g;
	struct prefix p;
	unsigned n = 0;

	assert(c->all.at >= data && c->all.at + c->all.len <= data + size);
	assert(c->fields.at + c->fields.len + SIGNATURE_BYTES == c->all.at + c->all.len);
	for (size_t at = 0; cert_group(c, &at, &g); n++)
		assert(g.len && g.len <= CERT_NAME_MAX && at <= c->fields.len);
	for (size_t at = 0; cert_prefix(c, &at, &p); n++)
		assert(p.bits <= 128 && at <= c->fields.len);
	assert(n <= CERT_MAX / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	struct reader r = reader_of(data, size);
	uint8_t anchor[KEY_BYTES] = { 0 };
	struct cert c;

	while (!reader_done(&r) && !cert_decode(&r, &c)) {
		walk(&c, data, size);
		memcpy(anchor, c.issuer, 8);
	}
	if (!cert_check(&yes, (struct bytes){ data, size }, anchor, 0, 1700000000, &c))
		walk(&c, data, size);
	assert(cert_check(&suite_sodium, (struct bytes){ data, size }, anchor, 0, 0, &c) != FAULT_NONE);
	return 0;
}
