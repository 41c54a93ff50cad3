#include "core/link/link.h"

enum { HAS_ID = 1 << 0, HAS_KEY = 1 << 1 };

struct contact contact_read(struct reader *r)
{
	struct contact c = { .ats = 0 };
	uint8_t flags = read_u8(r), count;

	if (flags & HAS_ID) {
		c.id = read_id(r);
		c.has_id = true;
	}
	if (flags & HAS_KEY) {
		read_copy(r, c.key, sizeof(c.key));
		c.has_key = true;
	}
	count = read_u8(r);
	for (unsigned i = 0; i < count && reader_ok(r); i++) {
		struct endpoint at = read_endpoint(r);

		if (endpoint_valid(&at) && c.ats < CONTACT_ENDPOINTS)
			c.at[c.ats++] = at;
	}
	if (!reader_ok(r))
		return (struct contact){ .ats = 0 };
	return c;
}

void contact_write(struct writer *w, const struct contact *c)
{
	write_u8(w, (uint8_t)((c->has_id ? HAS_ID : 0) | (c->has_key ? HAS_KEY : 0)));
	if (c->has_id)
		write_id(w, c->id);
	if (c->has_key)
		write_copy(w, c->key, sizeof(c->key));
	write_u8(w, c->ats);
	for (unsigned i = 0; i < c->ats; i++)
		write_endpoint(w, &c->at[i]);
}

const char *link_end_text(enum link_end why)
{
	static const char *const TEXT[LINK_ENDS] = {
		[END_NONE] = "none", [END_LEAVE] = "the peer leaves", [END_UNWANTED] = "not needed",
		[END_DEAD] = "the peer stopped answering", [END_UNREACHED] = "no answer on any path",
		[END_REFUSED] = "refused", [END_DUPLICATE] = "another link stands", [END_RESTARTED] = "the peer restarted",
		[END_FULL] = "no room", [END_LOCAL] = "ours to end",
	};

	return why < LINK_ENDS ? TEXT[why] : "unknown";
}
