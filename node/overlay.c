#include "node/overlay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "node/keep.h"
#include "node/text.h"

#define SIGNER_FILE	"signer"
#define OVERLAY_FILE	"overlay"
#define MEMBERS_FILE	"members"
#define INVITES_FILE	"invites"
#define BOOTSTRAP_FILE	"bootstrap"
#define MEMBERS_HEAD	"# serial\tname\tid\tkey\tissued\tends\n"

/* A node whose clock is this much behind the signer's can use its certificate at once. */
enum { EARLIER_S = 3600 };

static bool write_keep(const char *dir, const char *name, mode_t mode, const uint8_t *data, size_t len, struct fail *f)
{
	char *path = keep_path(dir, name);
	bool ok = keep_write(path, mode, name, (struct bytes){ data, len }, f);

	free(path);
	return ok;
}

static bool write_text(const char *dir, const char *name, const char *text, struct fail *f)
{
	char *path = keep_path(dir, name);
	bool ok = keep_text_write(path, 0600, text, f);

	free(path);
	return ok;
}

bool overlay_make(const char *path, const char *bootstrap, struct fail *f)
{
	uint8_t seed[KEY_BYTES], secret[SIGN_BYTES];
	bool ok;

	if (!keep_dir(path, true, f))
		return false;
	randombytes_buf(seed, sizeof(seed));
	suite_sodium.sign_pair(secret, seed);
	ok = write_keep(path, OVERLAY_FILE, 0644, secret + KEY_BYTES, KEY_BYTES, f) &&
	     write_text(path, MEMBERS_FILE, MEMBERS_HEAD, f) && write_text(path, BOOTSTRAP_FILE, bootstrap, f) &&
	     write_keep(path, SIGNER_FILE, 0600, seed, sizeof(seed), f);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
	if (!ok) {				/* half an overlay is none */
		static const char *const ALL[] = { OVERLAY_FILE, MEMBERS_FILE, BOOTSTRAP_FILE, SIGNER_FILE };

		for (unsigned i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++) {
			char *file = keep_path(path, ALL[i]);

			unlink(file);
			free(file);
		}
		rmdir(path);
	}
	return ok;
}

static bool read_signer(struct overlay *o, struct fail *f)
{
	char *path = keep_path(o->path, SIGNER_FILE);
	uint8_t *seed;
	size_t len;
	enum keep how = keep_read(path, SIGNER_FILE, true, &seed, &len, f);
	bool good = false;

	if (how == KEEP_ABSENT) {
		fail_add(f, "%s is no overlay: there is no %s", o->path, path);
		fail_hint(f, "`weftctl net create %s` makes one", o->path);
	} else if (how == KEEP_GOOD) {
		good = len == KEY_BYTES;
		if (good)
			suite_sodium.sign_pair(o->secret, seed);
		else
			fail_add(f, "cannot use %s: not of the right size", path);
		sodium_memzero(seed, len);
		free(seed);
	}
	free(path);
	return good;
}

static char *read_text(struct overlay *o, const char *name, struct fail *f)
{
	char *path = keep_path(o->path, name), *text = NULL;
	size_t len;
	enum keep how = keep_text_read(path, &text, &len, f);

	if (how == KEEP_GOOD && strlen(text) != len) {
		fail_add(f, "cannot use %s: it holds a NUL byte", path);
		free(text);
		text = NULL;
	} else if (how == KEEP_ABSENT) {
		text = strdup("");
	}
	free(path);
	return text;
}

/* The serial of the line at @line, 0 if it has none. */
static uint64_t line_serial(const char *line)
{
	return strtoull(line, NULL, 10);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

static uint64_t last_serial(const char *members)
{
	uint64_t last = 0;

	for (const char *l = members; *l; l = next_line(l))
		if (line_serial(l) > last)
			last = line_serial(l);
	return last;
}

bool overlay_open(struct overlay *o, const char *path, struct fail *f)
{
	char *lock = keep_path(path, "lock");

	*o = (struct overlay){ .path = strdup(path), .lock = -1 };
	if (read_signer(o, f))
		o->lock = keep_lock(lock, f);
	free(lock);
	if (o->lock < 0)
		return false;
	o->members = read_text(o, MEMBERS_FILE, f);
	o->invites = o->members ? read_text(o, INVITES_FILE, f) : NULL;
	o->bootstrap = o->invites ? read_text(o, BOOTSTRAP_FILE, f) : NULL;
	if (!o->bootstrap)
		return false;
	for (char *c = o->bootstrap; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	o->serial = last_serial(o->members) + 1;
	if (o->serial <= last_serial(o->invites))
		o->serial = last_serial(o->invites) + 1;
	return true;
}

void overlay_close(struct overlay *o)
{
	if (o->lock >= 0)
		close(o->lock);
	free(o->path);
	free(o->members);
	free(o->invites);
	free(o->bootstrap);
	sodium_memzero(o, sizeof(*o));
	o->lock = -1;
}

/* The serial of the last certificate made for @name, 0 if there is none. */
static uint64_t taken_by(const char *members, const char *name)
{
	size_t len = strlen(name);
	uint64_t serial = 0;

	for (const char *l = members; *l; l = next_line(l)) {
		const char *tab = strchr(l, '\t');

		if (line_serial(l) && tab && !strncmp(tab + 1, name, len) && tab[1 + len] == '\t')
			serial = line_serial(l);
	}
	return serial;
}

/* One more line @line in @file, whose text is *@text. */
static bool append(struct overlay *o, const char *file, char **text, const char *head, const char *line, struct fail *f)
{
	char *new;

	if (asprintf(&new, "%s%s%s", **text ? "" : head, *text, line) < 0)
		abort();
	if (!write_text(o->path, file, new, f)) {
		free(new);
		return false;
	}
	free(*text);
	*text = new;
	o->serial++;
	return true;
}

static bool note(struct overlay *o, const struct admission *a, const struct admitted *out, uint64_t utc,
		 uint64_t ends, struct fail *f)
{
	char id[ID_TEXT], key[KEY_TEXT], *line;
	bool ok;

	if (asprintf(&line, "%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n", out->serial, a->name, id_text(out->id, id),
		     key_text(a->key, key), utc, ends) < 0)
		abort();
	ok = append(o, MEMBERS_FILE, &o->members, MEMBERS_HEAD, line, f);
	free(line);
	return ok;
}

bool overlay_note_invite(struct overlay *o, const char *line, struct fail *f)
{
	return append(o, INVITES_FILE, &o->invites, "# serial\tname\tid\tuses\tmade\tends\n", line, f);
}

bool overlay_admit(struct overlay *o, const struct admission *a, struct admitted *out, struct fail *f)
{
	uint64_t taken = taken_by(o->members, a->name), utc = (uint64_t)time(NULL);
	uint8_t salt[CERT_SALT], dh[KEY_BYTES];
	struct cert_order order = {
		.roles = ROLE_MEMBER, .any = !a->prefixes, .serial = o->serial, .not_before = utc - EARLIER_S,
		.not_after = a->valid_s ? utc + (uint64_t)a->valid_s : 0, .key = a->key, .salt = salt,
		.name = a->name, .groups = a->groups, .group_count = a->group_count,
		.prefixes = a->prefix, .prefix_count = a->prefixes,
	};
	struct admitted new;
	struct writer w = writer_of(new.chain, sizeof(new.chain));

	if (taken && !a->replace) {
		fail_add(f, "%s has certificate %" PRIu64 " for the name %s already", o->path, taken, a->name);
		fail_hint(f, "choose another name, or --replace if the old one is not used any more");
		return false;
	}
	if (!suite_sodium.convert(dh, a->key)) {
		fail_add(f, "the key of %s is no Ed25519 public key", a->name);
		return false;
	}
	if (a->salt)
		memcpy(salt, a->salt, sizeof(salt));
	else
		randombytes_buf(salt, sizeof(salt));
	if (!cert_issue(&suite_sodium, o->secret, &order, &w)) {
		fail_add(f, "the certificate for %s does not fit: fewer groups or addresses", a->name);
		return false;
	}
	new.chain_len = writer_len(&w);
	new.serial = o->serial;
	new.id = cert_id(a->key, salt);
	if (!note(o, a, &new, utc, order.not_after, f))
		return false;
	*out = new;
	return true;
}

bool prefix_read(const char *text, struct prefix *p, char why[WHY_LEN])
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	struct prefix new = { .family = strchr(text, ':') ? 6 : 4 };
	unsigned most = new.family == 6 ? 128 : 32;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char *end = NULL;
	unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : most;

	if (len >= sizeof(addr) || (slash && (*end || end == slash + 1 || bits > most || slash[1] < '0' || slash[1] > '9'))) {
		snprintf(why, WHY_LEN, "no address with a prefix length up to %u", most);
		return false;
	}
	memcpy(addr, text, len);
	addr[len] = 0;
	if (inet_pton(new.family == 6 ? AF_INET6 : AF_INET, addr, new.addr) != 1) {
		snprintf(why, WHY_LEN, "no IPv4 or IPv6 address");
		return false;
	}
	new.bits = (uint8_t)bits;
	*p = new;
	return true;
}

const char *name_wrong(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	if (!*name)
		return "it is empty";
	if (name[len])
		return "accepted: letters, digits and . - _";
	return len > CERT_NAME_MAX ? "accepted: up to 63 characters" : NULL;
}
