#include "node/signer.h"

#include <stdlib.h>
#include <string.h>

#include "node/keep.h"

size_t signer_read(const struct home *h, const struct identity *self, uint64_t utc, uint8_t out[CERT_MAX], struct fail *f)
{
	char *path = keep_path(h->path, "signer");
	enum cert_fault wrong = FAULT_MALFORMED;
	size_t len, made = 0;
	uint8_t *data;
	struct cert leaf;

	if (keep_read(path, "card", false, &data, &len, f) == KEEP_GOOD) {
		if (len > KEY_BYTES && len <= KEY_BYTES + CERT_MAX)
			wrong = memcmp(data, h->overlay, KEY_BYTES) ? FAULT_ISSUER :
				cert_check(&suite_sodium, (struct bytes){ data + KEY_BYTES, len - KEY_BYTES }, h->overlay,
					   ROLE_SIGNER, utc, &leaf);
		if (!wrong && memcmp(leaf.key, identity_key(self), KEY_BYTES))
			wrong = FAULT_KEY;
		if (wrong)
			fail_add(f, "cannot use %s: %s", path, cert_fault_text(wrong));
		else
			memcpy(out, data + KEY_BYTES, made = len - KEY_BYTES);
		free(data);
	}
	free(path);
	return made;
}
