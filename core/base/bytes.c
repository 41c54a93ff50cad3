#include "core/base/bytes.h"

struct endpoint read_endpoint(struct reader *r)
{
	struct endpoint e = { .kind = read_u8(r) };

	switch (e.kind) {
	case ENDPOINT_NONE:
		return e;
	case ENDPOINT_UDP4:
		read_copy(r, e.addr, 4);
		break;
	case ENDPOINT_UDP6:
		read_copy(r, e.addr, 16);
		break;
	default:
		r->bad = true;
	}
	e.port = read_u16(r);
	if (r->bad)
		return (struct endpoint){ .kind = ENDPOINT_NONE };
	return e;
}

void write_endpoint(struct writer *w, const struct endpoint *e)
{
	write_u8(w, e->kind);
	if (e->kind == ENDPOINT_NONE)
		return;
	write_copy(w, e->addr, e->kind == ENDPOINT_UDP6 ? 16 : 4);
	write_u16(w, e->port);
}
