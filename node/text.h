/*
 * text.h - ids, keys and endpoints as people write them
 *
 *	id		32 hexadecimal digits, most significant first
 *	key		64 hexadecimal digits
 *	endpoint	192.0.2.1:9338 or [2001:db8::1]:9338
 *	address		10.9.0.7 or fd00::7, of a virtual network
 *	range		10.9.0.0/16 or fd00::/64
 *	moment		2026-11-21 03:04 UTC
 *
 * Addresses are numbers: a look-up can take seconds, and the loop has none to
 * give. Where names may stand, ctl_lookup.c looks them up.
 *
 *	Memory		none; results go into the caller's buffers
 */
#ifndef NODE_TEXT_H
#define NODE_TEXT_H

#include "core/base/endpoint.h"
#include "core/base/id.h"
#include "core/base/ip.h"
#include "node/prog/units.h"

enum { ID_TEXT = 33, KEY_TEXT = 65, ENDPOINT_TEXT = 56, IP_TEXT = 46, RANGE_TEXT = 50, HOST_TEXT = 254, MOMENT_TEXT = 40 };

const char *id_text(struct id id, char buf[ID_TEXT]);
bool id_read(const char *text, struct id *id);

/** id_of_name() - The place on the ring that a name stands for: BLAKE2b-128 of its bytes */
struct id id_of_name(const char *name);

const char *key_text(const uint8_t key[32], char buf[KEY_TEXT]);
bool key_read(const char *text, uint8_t key[32]);

const char *endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT]);

/**
 * endpoint_read() - Parse an endpoint; port 0 is taken
 * @why: half a sentence on failure; @e is then as it was
 */
bool endpoint_read(const char *text, struct endpoint *e, char why[WHY_LEN]);

/** named_read() - Is @text NAME:PORT, with a name that DNS could know? @host: room for all of it; endpoint_read() comes first */
bool named_read(const char *text, char host[HOST_TEXT], uint16_t *port);

/** endpoint_wild() - is the address all zeroes, that is any address of this machine? */
bool endpoint_wild(const struct endpoint *e);

/** endpoint_loopback() - 127.0.0.0/8 or ::1 */
bool endpoint_loopback(const struct endpoint *e);

const char *ip_text(const struct ip *a, char buf[IP_TEXT]);
bool ip_read(const char *text, struct ip *a);

/** moment_text() - @seconds of Unix time in UTC, "2026-11-21 03:04 UTC", the date alone in its first ten; "-" if there are none */
const char *moment_text(int64_t seconds, char buf[MOMENT_TEXT]);

const char *range_text(const struct ip_range *r, char buf[RANGE_TEXT]);

/** range_read() - Parse a range, or with @whole false an address, too; host bits must be 0. @why as in endpoint_read() */
bool range_read(const char *text, bool whole, struct ip_range *r, char why[WHY_LEN]);

/** iface_wrong() - NULL, or why @name cannot be an interface's name; @pattern: "%d" may stand in it once */
const char *iface_wrong(const char *name, bool pattern);

#endif /* NODE_TEXT_H */
