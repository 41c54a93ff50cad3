/*
 * A decision is a walk over the invitation's uses: is this one claimed? By the
 * same key: that is its answer. By another one: the next use. By nobody: claim
 * it, and when that is granted, sign. Nothing is signed on less than the slot's
 * word, so a signer that dies at any point has either let nobody in, or left in
 * the DHT what the next one says again.
 *
 * One invitation has one job here at a time. So two claims of ours for one name
 * never cross, and of those that come to other signers the slot lets one stand.
 */
#include "core/dht/usher.h"

#define DECIDE_NS	(8 * NS_PER_S)		/* one question to the DHT */

enum { TRIES = 4, GROUPS = 16, PREFIXES = 8, EARLIER_S = 3600, LATER_S = 86400 };

static const struct admitting *net_of(const struct dht *d, struct id network)
{
	for (unsigned i = 0; d->usher && i < d->usher->nets; i++)
		if (id_eq(d->usher->net[i].network, network))
			return &d->usher->net[i];
	return NULL;
}

bool admit_has(const struct dht *d, struct id network)
{
	return net_of(d, network);
}

void dht_admits(struct dht *d, struct env *e, struct id network, struct bytes signer, const uint8_t *secret)
{
	struct usher *u = usher_of(d, e);

	if (!u || u->nets == NETWORKS_MAX)
		return;
	u->net[u->nets++] = (struct admitting){ network, signer, secret };
	name_publish(d, e, DHT_USER_ADMIT, network, (struct bytes){ (const uint8_t *)SIGNERS_NAME, sizeof(SIGNERS_NAME) - 1 },
		     VALUE_MEMBER, (struct bytes){ (const uint8_t *)"1", 1 }, 0, false);
}

void admit_quit(struct dht *d, struct id network)
{
	for (unsigned i = 0; d->usher && i < d->usher->nets; i++)
		if (id_eq(d->usher->net[i].network, network))
			d->usher->net[i--] = d->usher->net[--d->usher->nets];
}

void admit_end(struct env *e, struct job *j)
{
	mem_put(&e->mem, j->plea, j->plea_len);
	*j = (struct job){ .cookie = 0 };
}

/* ---- answers ---- */

static void post(struct dht *d, struct env *e, const struct id *to, const struct id *via, struct bytes answer)
{
	dht_post(d, e, *to, ROUTE_EXACT, BODY_ADMITTED, answer, via);
}

static void refuse(struct dht *d, struct env *e, const struct id *to, const struct id *via, const uint8_t *nonce,
		   enum admit why)
{
	uint8_t buf[ANSWER_HEADER];
	struct writer w = writer_of(buf, sizeof(buf));

	answer_refuse(&w, nonce, why);
	post(d, e, to, via, (struct bytes){ buf, sizeof(buf) });
}

static const struct id *via_of(const struct job *j)
{
	return j->has_via ? &j->via : NULL;
}

static void job_refuse(struct dht *d, struct env *e, struct job *j, enum admit why)
{
	struct plea q;

	plea_read((struct bytes){ j->plea, j->plea_len }, &q);
	refuse(d, e, &j->usher, via_of(j), q.nonce, why);
	admit_end(e, j);
}

/* The certificate that the invitation @leaf promises, for the key and with the salt of @value. */
static bool certify(struct dht *d, struct env *e, const struct cert *leaf, struct bytes name, const uint8_t *value,
		    struct writer *w)
{
	char text[GROUPS + 1][CERT_NAME_MAX + 1] = { { 0 } };
	const char *group[GROUPS];
	struct prefix prefix[PREFIXES];
	struct reader r = reader_of(value + KEY_BYTES + CERT_SALT, 8);
	uint64_t issued = read_u64(&r);
	struct cert_order o = {
		.roles = ROLE_MEMBER, .any = leaf->any, .serial = leaf->serial, .not_before = issued - EARLIER_S,
		.not_after = leaf->valid_s ? issued + leaf->valid_s : 0, .key = value, .salt = value + KEY_BYTES,
		.groups = group, .prefixes = prefix,
	};
	struct bytes b;

	if (leaf->name.len)
		name = leaf->name;
	if (name.len) {
		memcpy(text[GROUPS], name.at, name.len);
		o.name = text[GROUPS];
	}
	for (size_t at = 0; o.group_count < GROUPS && cert_group(leaf, &at, &b); o.group_count++) {
		memcpy(text[o.group_count], b.at, b.len);
		group[o.group_count] = text[o.group_count];
	}
	for (size_t at = 0; o.prefix_count < PREFIXES && cert_prefix(leaf, &at, &prefix[o.prefix_count]);)
		o.prefix_count++;
	return cert_issue(e->suite, d->self->sign, &o, w);
}

/* The slot's word is there: j->value has the use. */
static void sign(struct dht *d, struct env *e, struct job *j, const struct admitting *a, const struct charter *c)
{
	uint8_t chain[CERT_CHAIN_MAX], buf[ANSWER_MAX];
	struct writer w = writer_of(chain, sizeof(chain)), out = writer_of(buf, sizeof(buf));
	struct grant g = { .record = { c->blob, c->len }, .secret = a->secret };
	enum cert_fault wrong;
	struct cert leaf, made;
	struct plea q;

	plea_read((struct bytes){ j->plea, j->plea_len }, &q);
	wrong = plea_check(&q, e->suite, c->record.key, cert_utc(e), &leaf);
	if (wrong) {
		job_refuse(d, e, j, wrong == FAULT_EXPIRED ? ADMIT_ENDED : ADMIT_DENIED);
		return;
	}
	if (!certify(d, e, &leaf, q.name, j->value, &w)) {
		job_refuse(d, e, j, ADMIT_DENIED);
		return;
	}
	write_copy(&w, a->signer.at, a->signer.len);
	g.chain = (struct bytes){ chain, writer_len(&w) };
	wrong = w.bad ? FAULT_LONG : cert_check(e->suite, g.chain, c->record.key, ROLE_MEMBER, cert_utc(e), &made);
	if (wrong || !answer_write(&out, e->suite, &q, d->self->sign, &g)) {
		job_refuse(d, e, j, ADMIT_GRANT);
		return;
	}
	post(d, e, &j->usher, via_of(j), (struct bytes){ buf, writer_len(&out) });
	env_record(e, RECORD_ADMITTED, cert_id(made.key, made.salt), leaf.serial, j->use);
	admit_end(e, j);
}

/* ---- questions ---- */

static void ask(struct dht *d, struct env *e, struct job *j, const struct cert *leaf, struct id network)
{
	char name[TOKEN_NAME];
	uint64_t utc = cert_utc(e);
	struct op op = { .kind = j->claims ? OP_CLAIM : OP_GET, .type = VALUE_TOKEN, .slot.network = network };

	token_name(leaf->key, j->use, name);
	op.name = (struct bytes){ (const uint8_t *)name, strlen(name) };
	if (j->claims) {
		op.value = (struct bytes){ j->value, sizeof(j->value) };
		op.term_s = leaf->not_after && leaf->not_after < utc + INVITE_MOST_S ?
			    (uint32_t)(leaf->not_after - utc + LATER_S) : TERM_MAX;
	}
	j->cookie = usher_cookie(d);
	if (!dht_ask(d, e, DHT_USER_ADMIT, j->cookie, &op, DECIDE_NS))
		job_refuse(d, e, j, ADMIT_LATER);
}

/* The network that the plea is to; @wrong: what is wrong with it. */
static const struct admitting *meant(struct dht *d, struct env *e, const struct plea *q, struct cert *leaf,
				     enum admit *wrong)
{
	uint64_t utc = cert_utc(e);

	*wrong = ADMIT_SIGNER;
	for (unsigned i = 0; d->usher && i < d->usher->nets; i++) {
		const struct charter *c = charter_find(d, d->usher->net[i].network);
		enum cert_fault f;

		if (!c)
			continue;
		f = plea_check(q, e->suite, c->record.key, utc, leaf);
		*wrong = f == FAULT_EXPIRED ? ADMIT_ENDED : f ? ADMIT_DENIED : !utc ? ADMIT_LATER :
			 revoked_chain(e->revoked, c->record.key, q->chain) ? ADMIT_REVOKED : ADMIT_OK;
		if (f != FAULT_ISSUER)
			return &d->usher->net[i];
	}
	return NULL;
}

static struct job *job_for(struct dht *d, const struct plea *q)
{
	struct job *free = NULL;

	for (unsigned i = 0; i < ADMIT_JOBS; i++) {
		struct job *j = &d->usher->job[i];
		struct plea other;

		if (!j->cookie)
			free = free ? free : j;
		else if (plea_read((struct bytes){ j->plea, j->plea_len }, &other) && other.chain.len == q->chain.len &&
			 !memcmp(other.chain.at, q->chain.at, q->chain.len))
			return NULL;		/* one at a time; who asked is told, who asks now asks again */
	}
	return free;
}

void admit_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	const struct admitting *a;
	enum admit wrong;
	struct cert leaf;
	struct job *j;
	struct plea q;

	if (!plea_read(m->data, &q)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	a = meant(d, e, &q, &leaf, &wrong);
	j = wrong == ADMIT_OK ? job_for(d, &q) : NULL;
	if (j)
		j->plea = mem_get(&e->mem, m->data.len);
	if (!j || !j->plea) {
		env_drop(e, wrong == ADMIT_OK ? DROP_FULL : DROP_STRANGER);
		refuse(d, e, &m->from, m->has_via ? &m->via : NULL, q.nonce, wrong == ADMIT_OK ? ADMIT_FULL : wrong);
		return;
	}
	memcpy(j->plea, m->data.at, m->data.len);
	j->plea_len = (uint16_t)m->data.len;
	j->usher = m->from;
	j->via = m->via;
	j->has_via = m->has_via;
	ask(d, e, j, &leaf, a->network);
}

/* The use is nobody's: it shall be this newcomer's, with a place nobody chose. */
static void claim(struct dht *d, struct env *e, struct job *j, const struct plea *q, const struct cert *leaf, struct id network)
{
	struct writer w = writer_of(j->value, sizeof(j->value));
	uint8_t *salt;

	write_copy(&w, q->key, KEY_BYTES);
	salt = write_space(&w, CERT_SALT);
	random_bytes(&e->random, salt, CERT_SALT);
	write_u64(&w, cert_utc(e));
	j->claims = true;
	ask(d, e, j, leaf, network);
}

static void taken(struct dht *d, struct env *e, struct job *j, const struct dht_done *done, const struct plea *q,
		  const struct cert *leaf, const struct admitting *a, const struct charter *c)
{
	for (unsigned i = 0; i < done->values; i++)
		if (done->value[i].data.len == sizeof(j->value) && !memcmp(done->value[i].data.at, q->key, KEY_BYTES)) {
			memcpy(j->value, done->value[i].data.at, sizeof(j->value));
			sign(d, e, j, a, c);
			return;
		}
	j->claims = false;
	if (++j->use < leaf->uses && j->use < INVITE_USES)
		ask(d, e, j, leaf, a->network);
	else
		job_refuse(d, e, j, ADMIT_USED);
}

void admit_done(struct dht *d, struct env *e, const struct dht_done *done)
{
	const struct admitting *a;
	const struct charter *c;
	struct job *j = NULL;
	enum admit wrong;
	struct cert leaf;
	struct plea q;

	if (!d->usher || usher_done(d, e, done))
		return;
	for (unsigned i = 0; i < ADMIT_JOBS; i++)
		if (d->usher->job[i].cookie == done->cookie)
			j = &d->usher->job[i];
	if (!j)
		return;
	plea_read((struct bytes){ j->plea, j->plea_len }, &q);
	a = meant(d, e, &q, &leaf, &wrong);
	c = a ? charter_find(d, a->network) : NULL;
	if (wrong != ADMIT_OK || !c) {
		job_refuse(d, e, j, wrong == ADMIT_OK ? ADMIT_LATER : wrong);
	} else if (j->claims && done->verdict == VERDICT_OK) {
		sign(d, e, j, a, c);
	} else if (j->claims && done->verdict == VERDICT_TAKEN && j->tries++ < TRIES) {
		j->claims = false;		/* by whom? */
		ask(d, e, j, &leaf, a->network);
	} else if (!j->claims && done->verdict == VERDICT_ABSENT) {
		claim(d, e, j, &q, &leaf, a->network);
	} else if (!j->claims && done->verdict == VERDICT_OK && done->values) {
		taken(d, e, j, done, &q, &leaf, a, c);
	} else {
		job_refuse(d, e, j, ADMIT_LATER);
	}
}
