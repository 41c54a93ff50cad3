/*
 * overlay_invite.c - what the signer hands out that others act on: invitations, signers, lists of the revoked
 *
 * An invitation's serial is that of the certificate it will become, so that
 * numbers stay one sequence. The serial of a list is the wall time, or one more
 * than the last: a folder that comes back from a backup is not behind what
 * its members know.
 */
#include "node/overlay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "node/keep.h"
#include "node/text.h"

enum { EARLIER_S = 3600, FIELDS = 6 };

/* ---- lines of members and invites ------------------------------------------------------ */

/* struct line - serial, name, id, and the last of them: when it ends */
struct line {
	char text[512];
	char *field[FIELDS];
};

/* The next line at *@at with all its fields; false at the end. */
static bool next_line(const char **at, struct line *l)
{
	while (**at) {
		size_t len = strcspn(*at, "\n");
		const char *start = *at;
		unsigned n = 0;

		*at += len + (start[len] == '\n');
		if (*start == '#' || len >= sizeof(l->text))
			continue;
		memcpy(l->text, start, len);
		l->text[len] = 0;
		for (char *c = l->text; n < FIELDS; n++) {
			l->field[n] = c;
			c += strcspn(c, "\t");
			if (*c)
				*c++ = 0;
			else if (n + 1 < FIELDS)
				break;
		}
		if (n == FIELDS)
			return true;
	}
	return false;
}

unsigned overlay_find(const struct overlay *o, const char *who, bool invite, struct id *out, unsigned max, struct fail *f)
{
	const char *at = invite ? o->invites : o->members;
	struct line l;
	unsigned n = 0;

	if (!invite && id_read(who, out))
		return 1;
	while (n < max && next_line(&at, &l))
		if (!strcmp(l.field[invite ? 0 : 1], who) && id_read(l.field[2], &out[n]))
			n++;
	if (!n && invite)
		fail_add(f, "%s made no invitation %s; `weftctl net invites` lists them", o->path, who);
	else if (!n)
		fail_add(f, "%s made no certificate for %s; accepted: a name or id of `weftctl net list`, or any node's id", o->path, who);
	return n;
}

/* Has everything that was ever made for @id ended? */
static bool ended(const struct overlay *o, struct id id, uint64_t utc)
{
	bool any = false;

	for (int file = 0; file < 2; file++) {
		const char *at = file ? o->invites : o->members;
		struct id of;
		struct line l;

		while (next_line(&at, &l)) {
			uint64_t ends = strtoull(l.field[FIELDS - 1], NULL, 10);

			if (!id_read(l.field[2], &of) || !id_eq(of, id))
				continue;
			any = true;
			if (!ends || ends >= utc)
				return false;
		}
	}
	return any;
}

/* ---- signers --------------------------------------------------------------------------- */

bool overlay_signer(struct overlay *o, const struct cert *leaf, uint8_t out[CERT_MAX], size_t *len, struct fail *f)
{
	char name[CERT_NAME_MAX + 1] = { 0 };
	struct writer w = writer_of(out, CERT_MAX);
	const struct cert_order order = {
		.roles = ROLE_SIGNER, .any = true, .serial = leaf->serial, .not_before = leaf->not_before,
		.not_after = leaf->not_after, .key = leaf->key, .salt = leaf->salt, .name = leaf->name.len ? name : NULL,
	};

	if (leaf->name.len)
		memcpy(name, leaf->name.at, leaf->name.len);
	if (!cert_issue(&suite_sodium, o->secret, &order, &w)) {
		fail_add(f, "the signer's certificate does not fit");
		return false;
	}
	*len = writer_len(&w);
	return true;
}

/* ---- invitations ----------------------------------------------------------------------- */

bool overlay_invite(struct overlay *o, const struct invitation *v, struct token *out, uint64_t *serial, struct fail *f)
{
	const struct admission *a = &v->as;
	uint64_t utc = (uint64_t)time(NULL), ends = utc + (uint64_t)v->expires_s;
	uint8_t salt[CERT_SALT], once[SIGN_BYTES];
	struct cert_order order = {
		.roles = ROLE_INVITATION, .any = !a->prefixes, .serial = o->serial, .not_before = utc - EARLIER_S,
		.not_after = ends, .salt = salt, .name = a->name, .groups = a->groups, .group_count = a->group_count,
		.prefixes = a->prefix, .prefix_count = a->prefixes, .uses = (uint16_t)v->uses, .valid_s = (uint32_t)a->valid_s,
	};
	struct token t = { .ats = (uint8_t)v->ats };
	struct writer w = writer_of(t.chain, sizeof(t.chain));
	char id[ID_TEXT], *line;
	bool good;

	randombytes_buf(t.seed, sizeof(t.seed));
	randombytes_buf(salt, sizeof(salt));
	suite_sodium.sign_pair(once, t.seed);
	order.key = once + KEY_BYTES;
	memcpy(t.overlay, overlay_key(o), KEY_BYTES);
	memcpy(t.at, v->at, v->ats * sizeof(*v->at));
	good = cert_issue(&suite_sodium, o->secret, &order, &w);
	if (!good)
		fail_add(f, "the invitation does not fit: fewer groups or addresses");
	t.chain_len = (uint16_t)writer_len(&w);
	*serial = o->serial;
	if (good) {
		if (asprintf(&line, "%" PRIu64 "\t%s\t%s\t%u\t%" PRIu64 "\t%" PRIu64 "\n", o->serial, a->name ? a->name : "-",
			     id_text(cert_id(order.key, salt), id), v->uses, utc, ends) < 0)
			abort();
		good = overlay_note_invite(o, line, f);
		free(line);
	}
	if (good)
		*out = t;
	sodium_memzero(&t, sizeof(t));
	sodium_memzero(once, sizeof(once));
	return good;
}

/* ---- the revoked ----------------------------------------------------------------------- */

bool overlay_banned(const struct overlay *o, struct ban *b, struct fail *f)
{
	char *path = keep_path(o->path, "revoked");
	const uint8_t *key;
	uint8_t *data;
	size_t len;
	enum keep how = keep_read(path, "revoked", false, &data, &len, f);
	bool good = how == KEEP_ABSENT;

	memset(b, 0, sizeof(*b));
	if (how == KEEP_GOOD) {
		good = len <= sizeof(b->blob);
		if (good)
			memcpy(b->blob, data, b->len = len);
		good = good && !revoked_read(&suite_sodium, revoked_order((struct bytes){ b->blob, b->len }, &key), &b->list) &&
		       !memcmp(b->list.anchor, overlay_key(o), KEY_BYTES);
		if (!good)
			fail_add(f, "cannot use %s: it is no list of this overlay's", path);
		sodium_memzero(data, len);
		free(data);
	}
	free(path);
	return good;
}

static bool among(const struct id *ids, unsigned count, struct id one)
{
	for (unsigned i = 0; i < count; i++)
		if (id_eq(ids[i], one))
			return true;
	return false;
}

bool overlay_ban(struct overlay *o, const struct id *ids, unsigned count, bool undo, struct ban *b, struct fail *f)
{
	uint64_t utc = (uint64_t)time(NULL), serial;
	struct id *all = calloc(REVOKED_MAX + count + 1, sizeof(*all));
	uint8_t key[KEY_BYTES];
	struct ban new = { .len = 0 };
	struct writer w = writer_of(new.blob, sizeof(new.blob));
	struct charter c;
	unsigned n = 0;
	char *path;
	bool has, good;

	if (!all)
		abort();
	if (!overlay_banned(o, b, f)) {
		free(all);
		return false;
	}
	serial = b->list.serial >= utc ? b->list.serial + 1 : utc;
	for (unsigned i = 0; i < b->list.count; i++) {
		struct id one = revoked_at(&b->list, i);

		if (!ended(o, one, utc) && !(undo && among(ids, count, one)))
			all[n++] = one;
	}
	for (unsigned i = 0; !undo && i < count; i++)
		all[n++] = ids[i];
	if (!overlay_charter(o, NULL, &c, &has, f)) {
		free(all);
		return false;
	}
	charter_done(&c);
	randombytes_buf(key, sizeof(key));
	good = revoked_sign(&suite_sodium, o->secret, serial, utc, has ? key : NULL, all, n, &w);
	if (has)
		write_copy(&w, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	free(all);
	if (!good) {
		fail_add(f, "the list is full: %d can be revoked whose certificates have not ended", REVOKED_MAX);
		fail_hint(f, "certificates for a time (--valid) leave it when they end");
		return false;
	}
	new.len = writer_len(&w);
	path = keep_path(o->path, "revoked");
	good = keep_write(path, 0600, "revoked", (struct bytes){ new.blob, new.len }, f);
	free(path);
	sodium_memzero(&new, sizeof(new));
	return good && overlay_banned(o, b, f);
}
