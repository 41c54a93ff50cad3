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
 *	invites		one line per invitation: serial name id uses made ends
 *	revoked		the newest list of who is no member any more, and the group key that began with it
 *			(core/seal/revoke.h)
 *	lock		held while a certificate is made
 *
 * A certificate is for ever unless it is made for a time, or revoked. Members
 * that were made signers answer invitations, so the folder can be locked away.
 *
 *	Time		wall clock, once per certificate
 *	Chance		libsodium's, for keys and salts
 *	Memory		malloc, until overlay_close()
 */
#ifndef NODE_OVERLAY_H
#define NODE_OVERLAY_H

#include "core/seal/invite.h"
#include "core/seal/revoke.h"
#include "node/charter.h"
#include "node/home.h"
#include "node/prog/units.h"

enum { OVERLAY_GROUPS = 8, OVERLAY_PREFIXES = 8 };

struct overlay {
	char *path;
	int lock;
	uint8_t secret[SIGN_BYTES];
	char *members, *invites;	/* the files' texts */
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

/** overlay_note_invite() - One more line in invites; for overlay_invite.c */
bool overlay_note_invite(struct overlay *o, const char *line, struct fail *f);

/** overlay_signer() - A certificate that lets the node with the certificate @leaf admit newcomers, for as long as that holds */
bool overlay_signer(struct overlay *o, const struct cert *leaf, uint8_t out[CERT_MAX], size_t *len, struct fail *f);

/** struct invitation - what an invitation is to say */
struct invitation {
	struct admission as;		/* what the newcomer will be; its name may be NULL: as it likes. Key and salt are ignored */
	unsigned uses;
	int64_t expires_s;
	const struct endpoint *at;	/* members it may call */
	unsigned ats;
};

/** overlay_invite() - Make one and note it in invites; it is on disk before this returns */
bool overlay_invite(struct overlay *o, const struct invitation *v, struct token *out, uint64_t *serial, struct fail *f);

/** overlay_find() - The ids of @who: an id, a member's name, or with @invite the number of an invitation. 0: none, with a message */
unsigned overlay_find(const struct overlay *o, const char *who, bool invite, struct id *out, unsigned max, struct fail *f);

/** struct ban - a list of the revoked in memory; with the group key of its epoch, if the overlay has a network */
struct ban {
	uint8_t blob[REVOKED_ORDER];
	size_t len;
	struct revoked list;		/* list.serial 0: there is none yet */
};

/** overlay_banned() - Read the list */
bool overlay_banned(const struct overlay *o, struct ban *b, struct fail *f);

/**
 * overlay_ban() - Make the next list: with @ids, or without them again (@undo)
 *
 * Whose certificate has ended is left out: it shuts itself out. With each list the overlay's network, if it has one,
 * gets a new group key, which lies behind the list.
 */
bool overlay_ban(struct overlay *o, const struct id *ids, unsigned count, bool undo, struct ban *b, struct fail *f);

/** prefix_read() - "10.9.0.7", "10.9.0.0/28" or the same in IPv6 */
bool prefix_read(const char *text, struct prefix *p, char why[WHY_LEN]);

/** name_wrong() - NULL, or why @name cannot be a node's or a group's name */
const char *name_wrong(const char *name);

#endif /* NODE_OVERLAY_H */
