/* ON: core/base core/seal */
/* revoke_fuzz.c - lists of the revoked from strangers, with every signature good */
#include <assert.h>

#include "core/seal/revoke.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	struct bytes b = { data, size };
	struct revocations all = { .count = 1 };
	struct revoked *l = &all.list[0];
	const uint8_t *key;

	b = revoked_order(b, &key);
	assert(key ? key == data + b.len && b.len + KEY_BYTES == size : b.len == size);
	if (revoked_read(&yes, b, l))
		return 0;
	assert(l->count <= REVOKED_MAX && l->serial && l->ids + (size_t)l->count * ID_BYTES + SIGNATURE_BYTES == data + b.len);
	assert(!key || revoked_anchor(b) == l->anchor);
	revoked_opens(l, l->anchor);
	revoked_peer(&all, l->anchor, revoked_at(l, 0), revoked_short((struct id){ 0, l->serial }));
	for (unsigned i = 0; i < l->count; i++)
		assert(revoked_has(l, revoked_at(l, i)) && revoked_by(&all, l->anchor, revoked_at(l, i)));
	revoked_chain(&all, l->anchor, b);
	return 0;
}
