#include "core/vnet/payload.h"

#include <string.h>

void address_word_write(struct writer *w, uint8_t kind, const struct address_word *a)
{
	write_u8(w, kind);
	write_u8(w, a->ip.family);
	write_copy(w, a->ip.at, a->ip.family == 4 ? 4 : 16);
	fence_write(w, a->fence);
	if (a->has_owner)
		write_id(w, a->owner);
}

bool address_word_read(struct reader *r, struct address_word *a)
{
	memset(a, 0, sizeof(*a));
	a->ip.family = read_u8(r);
	if (a->ip.family != 4 && a->ip.family != 6)
		return false;
	read_copy(r, a->ip.at, a->ip.family == 4 ? 4 : 16);
	a->fence = fence_read(r);
	if (reader_ok(r) && reader_left(r) == ID_BYTES) {
		a->owner = read_id(r);
		a->has_owner = true;
	}
	return reader_done(r);
}
