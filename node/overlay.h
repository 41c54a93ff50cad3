/*
 * overlay.h - an overlay's signer, offline: who may be a member
 *
 * A directory that only the signer needs and no node ever sees:
 *
 *	signer		the secret that signs: whoever has it decides who is in
 *	overlay		the public key, by which everybody names the overlay
 *	members		one line per certificate: serial name id key issued ends
 *	bootstrap	endpoints that new nodes are told, one a line, edited by hand
 *	charter		the virtual network that it is, if it is one (charter.h)
 *	lock		held while a certificate is made
 *
 * Invitations, delegated signers and revocation are not here yet: a certificate
 * is for ever unless it is made for a time.
 *
 *	Time		wall clock, once per certificate
 *	Chance		libsodium's, for keys and salts
 *	Memory		malloc, until overlay_close()
 */
#ifndef NODE_OVERLAY_H
#define NODE_OVERLAY_H

#include "core/seal/cert.h"
#include "node/charter.h"
#include "node/home.h"
#include "node/prog/units.h"

enum { OVERLAY_GROUPS = 8, OVERLAY_PREFIXES = 8 };

struct overlay {
	char *path;
	int lock;
	uint8_t secret[SIGN_BYTES];
	char *members;			/* the file's text */
	char *bootstrap;		/* endpoints, blanks between */
	uint64_t serial;		/* of the next certificate */
};

/** struct admission - a certificate that is asked for */
struct admission {
	const char *name;
	uint8_t key[KEY_BYTES];
	const uint8_t *salt;		/* CERT_SALT of another overlay's certificate, for the same place; NULL: drawn */
	const char *const *groups;
	unsigned group_count;
	struct prefix prefix[OVERLAY_PREFIXES];
	unsigned prefixes;		/* 0: any address */
	int64_t valid_s;		/* 0: for ever */
	bool replace;			/* the name may be taken */
};

/** struct admitted - what came of it */
struct admitted {
	uint8_t chain[HOME_CHAIN];
	size_t chain_len;
	uint64_t serial;
	struct id id;
};

/** overlay_make() - A new overlay in @path, which must not exist; @bootstrap: endpoints, may be empty */
bool overlay_make(const char *path, const char *bootstrap, struct fail *f);

bool overlay_open(struct overlay *o, const char *path, struct fail *f);
void overlay_close(struct overlay *o);

/** overlay_key() - Its public key */
static inline const uint8_t *overlay_key(const struct overlay *o)
{
	return o->secret + KEY_BYTES;
}

/** overlay_admit() - Make a certificate and note it in members; it is on disk before this returns */
bool overlay_admit(struct overlay *o, const struct admission *a, struct admitted *out, struct fail *f);

/** overlay_found() - The overlay is the network of @c's record, too; without founders in it the first member will be */
bool overlay_found(struct overlay *o, struct charter *c, struct fail *f);

/**
 * overlay_charter() - Its network's charter, if it is one
 * @first: a member that was just made, the founder if there is none; NULL: only look
 */
bool overlay_charter(struct overlay *o, const struct id *first, struct charter *c, bool *has, struct fail *f);

/** prefix_read() - "10.9.0.7", "10.9.0.0/28" or the same in IPv6 */
bool prefix_read(const char *text, struct prefix *p, char why[WHY_LEN]);

/** name_wrong() - NULL, or why @name cannot be a node's or a group's name */
const char *name_wrong(const char *name);

#endif /* NODE_OVERLAY_H */
