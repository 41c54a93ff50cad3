/*
 * overlay_charter.c - the network that an overlay is, too
 *
 * Its record names founders by their places on the ring, and nobody has one
 * before the first certificate is made. So a new network's charter waits, with
 * serial 0 and founder 0, for the first member, which becomes its founder.
 */
#include "node/overlay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/keep.h"

#define CHARTER_FILE "charter"

static bool sign(const struct overlay *o, struct charter *c)
{
	struct writer w = writer_of(c->blob, sizeof(c->blob));

	memcpy(c->record.key, overlay_key(o), KEY_BYTES);
	if (!network_sign(&suite_sodium, o->secret, &c->record, &w))
		return false;
	c->len = (uint16_t)writer_len(&w);
	return true;
}

bool overlay_found(struct overlay *o, struct charter *c, struct fail *f)
{
	char *path = keep_path(o->path, CHARTER_FILE);
	bool good;

	c->record.serial = c->record.founders ? 1 : 0;
	if (!c->record.founders)
		c->record.founders = 1;
	good = sign(o, c);
	if (!good)
		fail_add(f, "the network's record does not fit, or a field of it is out of range");
	good = good && charter_write(path, c, f);
	free(path);
	return good;
}

bool overlay_charter(struct overlay *o, const struct id *first, struct charter *c, bool *has, struct fail *f)
{
	char *path = keep_path(o->path, CHARTER_FILE);
	bool good = true;

	memset(c, 0, sizeof(*c));
	*has = !access(path, F_OK);
	if (*has) {
		good = charter_read(path, c, "", f);
		if (good && memcmp(c->record.key, overlay_key(o), KEY_BYTES)) {
			fail_add(f, "%s is of another network than %s/signer", path, o->path);
			good = false;
		}
		if (good && !c->record.serial && first) {
			c->record.founder[0] = *first;
			c->record.serial = 1;
			good = sign(o, c) && charter_write(path, c, f);
		}
	}
	free(path);
	return good;
}
