/*
 * home.h - a node's private directory: who it is, what it saved, how it ended
 *
 *	key	its Ed25519 seed				made once
 *	card	the overlay's public key and its own
 *		certificate chain				from the overlay's signer
 *	run	incarnation, how the run goes, boot, ports	at each start and clean end
 *	saved	everything core asked to keep (saves.h)		when core says so
 *	lock	held while a node runs on it
 *	control	the control socket
 *
 * The directory and all in it belong to one user and to nobody else. A damaged
 * key or card stops the node with a message; damaged saves or run only cost
 * what they would have saved, and are said.
 *
 *	Incarnation	one more than the last run's; the wall time in seconds when the
 *			last one is not known, which is larger than any count
 *	Memory		malloc, until home_close()
 */
#ifndef NODE_HOME_H
#define NODE_HOME_H

#include "core/base/door.h"
#include "core/seal/cert.h"
#include "node/saves.h"

enum { HOME_BOOT = 37, HOME_CHAIN = CERT_CHAIN_MAX };

struct home {
	char *path;
	int lock;
	uint8_t seed[KEY_BYTES];
	uint8_t overlay[KEY_BYTES];	/* the overlay's public key */
	uint8_t chain[HOME_CHAIN];
	uint16_t chain_len;
	uint64_t not_before;		/* of the card: it is later by now, whatever the clock says */
	struct saves saves;		/* what core asked to keep; its user writes it */
	uint64_t incarnation;		/* of this run, after home_begin() */
	enum run_end last;		/* how the last run ended */
	uint16_t port4, port6;		/* its ports, 0 = none */
	char boot[HOME_BOOT];		/* this boot's id, empty if the kernel does not tell */
};

/** home_open() - Lock @path and read it; @warn gets what is wrong but does not matter */
bool home_open(struct home *h, const char *path, struct fail *f, struct fail *warn);

/** home_begin() - A run begins: its incarnation is on disk before anybody hears of it */
bool home_begin(struct home *h, uint16_t port4, uint16_t port6, uint64_t utc, struct fail *f);

/** home_end() - The run ends as it should: what was saved is durable, then that is said */
bool home_end(struct home *h, struct fail *f);

/** home_close() - Let go of the lock and wipe the secrets; fine after a failed home_open() */
void home_close(struct home *h);

/* ---- for weftctl: making one ---- */

/** home_make() - @path with a new key of @seed; false if it has one already */
bool home_make(const char *path, const uint8_t seed[KEY_BYTES], struct fail *f);

/** home_seed() - The seed of the key in @path */
bool home_seed(const char *path, uint8_t seed[KEY_BYTES], struct fail *f);

/** card_encode() - The card's contents: the overlay's key, then the chain */
struct bytes card_encode(uint8_t buf[KEY_BYTES + HOME_CHAIN], const uint8_t overlay[KEY_BYTES], struct bytes chain);

/** card_write() - Write the card to the file @file */
bool card_write(const char *file, const uint8_t overlay[KEY_BYTES], struct bytes chain, struct fail *f);

#endif /* NODE_HOME_H */
