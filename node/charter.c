#include "node/charter.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/keep.h"

#define CHARTER_KIND "charter"

static const char *record_wrong(enum drop why)
{
	switch (why) {
	case DROP_SHORT:
	case DROP_VALUE:
		return "the record in it is of a form this program does not know";
	case DROP_RANGE:
		return "a field of the record in it is out of range";
	default:
		return "the signature does not fit";
	}
}

bool charter_read(const char *path, struct charter *c, const char *hint, struct fail *f)
{
	enum keep how;
	enum drop why;
	uint8_t *data;
	size_t len;

	memset(c, 0, sizeof(*c));
	how = keep_read(path, CHARTER_KIND, true, &data, &len, f);
	if (how == KEEP_ABSENT) {
		fail_add(f, "there is no %s", path);
		fail_hint(f, "%s", hint);
	}
	if (how != KEEP_GOOD)
		return false;
	if (len > CHARTER_SECRET && len <= CHARTER_SECRET + NETWORK_RECORD_MAX) {
		memcpy(c->secret, data, CHARTER_SECRET);
		c->len = (uint16_t)(len - CHARTER_SECRET);
		memcpy(c->blob, data + CHARTER_SECRET, c->len);
		why = network_read(&suite_sodium, (struct bytes){ c->blob, c->len }, &c->record);
	} else {
		why = DROP_VALUE;
	}
	sodium_memzero(data, len);
	free(data);
	if (why)
		fail_add(f, "cannot use the network's file %s: %s", path, record_wrong(why));
	return !why;
}

bool charter_write(const char *path, const struct charter *c, struct fail *f)
{
	uint8_t buf[CHARTER_SECRET + NETWORK_RECORD_MAX];
	bool good;

	memcpy(buf, c->secret, CHARTER_SECRET);
	memcpy(buf + CHARTER_SECRET, c->blob, c->len);
	good = keep_write(path, 0600, CHARTER_KIND, (struct bytes){ buf, (size_t)CHARTER_SECRET + c->len }, f);
	sodium_memzero(buf, sizeof(buf));
	return good;
}

void charter_done(struct charter *c)
{
	sodium_memzero(c, sizeof(*c));
}
