#include "core/seal/identity.h"

#include <string.h>

#include <sodium.h>

enum cert_fault identity_init(struct identity *self, const struct suite *suite,
			      const uint8_t seed[KEY_BYTES], struct bytes chain,
			      const uint8_t anchor[KEY_BYTES], uint64_t utc)
{
	struct identity new = { .chain = chain.at, .chain_len = (uint16_t)chain.len };
	struct cert leaf;
	enum cert_fault f = cert_check(suite, chain, anchor, 0, utc, &leaf);

	if (f)
		return f;
	if (!(leaf.roles & (ROLE_MEMBER | ROLE_INVITATION)))
		return FAULT_ROLE;
	suite->sign_pair(new.sign, seed);
	if (memcmp(leaf.key, identity_key(&new), KEY_BYTES) || !suite->convert(new.dh, leaf.key)) {
		sodium_memzero(&new, sizeof(new));
		return FAULT_KEY;
	}
	new.id = cert_id(leaf.key, leaf.salt);
	*self = new;
	sodium_memzero(&new, sizeof(new));
	return FAULT_NONE;
}

void identity_done(struct identity *self)
{
	sodium_memzero(self, sizeof(*self));
}
