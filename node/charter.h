/*
 * charter.h - the file that makes a virtual network: its signed record and its group key
 *
 *	weft charter 1: group key 32 | record (core/dht/network.h)
 *
 * Every member has the same one, in its private directory. The record is no
 * secret; the group key, which seals broadcasts, is, so others must not be able
 * to read the file.
 */
#ifndef NODE_CHARTER_H
#define NODE_CHARTER_H

#include "core/dht/network.h"
#include "node/prog/fail.h"

enum { CHARTER_SECRET = 32 };

struct charter {
	uint8_t secret[CHARTER_SECRET];
	uint8_t blob[NETWORK_RECORD_MAX];
	uint16_t len;			/* of the blob */
	struct network_record record;	/* what it says */
};

/** charter_read() - Read @path and check the signature; false with a message. @hint: what to do if it is absent */
bool charter_read(const char *path, struct charter *c, const char *hint, struct fail *f);

bool charter_write(const char *path, const struct charter *c, struct fail *f);

void charter_done(struct charter *c);	/* wipes the secret */

#endif /* NODE_CHARTER_H */
