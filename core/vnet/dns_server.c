/*
 * A question is read, placed (dns_zone.c), and then answered at once - computed
 * names, the gateway, what certainly is not there - or from what is kept, or it
 * waits for the DHT. NXDOMAIN says that a name does not exist at all, NODATA
 * (no error, no answer) that it has nothing of this type (RFC 2308 2); both
 * carry the zone's SOA. What the DHT could not tell is SERVFAIL, never a no.
 */
#include "core/vnet/dns_server.h"

static void due(struct dnsd *d, struct env *e)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < d->entries; i++)
		if (!d->entry[i].asked && d->entry[i].until_ns < at)
			at = d->entry[i].until_ns;
	for (unsigned i = 0; i < d->waitings; i++)
		at = d->waiting[i].until_ns < at ? d->waiting[i].until_ns : at;
	d->port->due(d->ctx, e, at);
}

/* ---- what is kept ---- */

static struct dns_entry *entry_find(struct dnsd *d, struct bytes key, uint8_t type)
{
	for (unsigned i = 0; i < d->entries; i++) {
		struct dns_entry *n = &d->entry[i];

		if (n->type == type && n->key_len == key.len && !memcmp(n->key, key.at, key.len))
			return n;
	}
	return NULL;
}

static struct dns_entry *entry_of_cookie(struct dnsd *d, uint64_t cookie)
{
	for (unsigned i = 0; i < d->entries; i++)
		if (d->entry[i].asked && d->entry[i].cookie == cookie)
			return &d->entry[i];
	return NULL;
}

static void entry_del(struct dnsd *d, struct dns_entry *n)
{
	*n = d->entry[--d->entries];
}

/* The one that ends first gives way; who is asked about stays. */
static bool make_room(struct dnsd *d)
{
	struct dns_entry *first = NULL;

	for (unsigned i = 0; i < d->entries; i++) {
		struct dns_entry *n = &d->entry[i];

		if (!n->asked && (!first || n->until_ns < first->until_ns))
			first = n;
	}
	if (first)
		entry_del(d, first);
	return first;
}

static struct dns_entry *entry_new(struct dnsd *d, struct env *e, struct bytes key, uint8_t type)
{
	struct dns_entry *n;

	if (d->entries == DNSD_ENTRIES && !make_room(d)) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (d->entries == d->cap &&
	    !mem_grow(&e->mem, &d->entry, &d->cap, d->cap ? (uint16_t)(d->cap * 2) : 4, sizeof(*d->entry))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	n = &d->entry[d->entries++];
	*n = (struct dns_entry){ .type = type, .key_len = (uint8_t)key.len };
	memcpy(n->key, key.at, key.len);
	return n;
}

/* Addresses of this network only: a member may publish what it likes, guests are told what lies here. */
static void take_addresses(struct dnsd *d, struct dns_entry *n, struct bytes data)
{
	struct reader r = reader_of(data.at, data.len);

	while (reader_left(&r) && reader_ok(&r) && n->ips < DNSD_ADDRESSES) {
		struct ip a = { .family = read_u8(&r) };

		if (a.family != 4 && a.family != 6)
			return;
		read_copy(&r, a.at, a.family == 4 ? 4 : 16);
		if (reader_ok(&r) && (ip_in(&a, &d->net->range4) || ip_in(&a, &d->net->range6)))
			n->ip[n->ips++] = a;
	}
}

static void entry_fill(struct dnsd *d, struct env *e, struct dns_entry *n, const struct value *value, unsigned values)
{
	uint32_t left_ms = UINT32_MAX;

	n->asked = false;
	for (unsigned i = 0; i < values; i++) {
		if (value[i].type != n->type)
			continue;
		if (n->type == VALUE_ADDRESS)
			take_addresses(d, n, value[i].data);
		else if (!n->host_len && dns_host_label(value[i].data, n->host))
			n->host_len = (uint8_t)value[i].data.len;
		if (value[i].left_ms < left_ms)
			left_ms = value[i].left_ms;
	}
	if (!n->ips && !n->host_len)
		left_ms = DNSD_NO_S * 1000;
	else if (left_ms > DNSD_TTL_MAX_S * 1000)
		left_ms = DNSD_TTL_MAX_S * 1000;
	n->until_ns = e->now_ns + (int64_t)left_ms * NS_PER_MS;
}

/* ---- answers ---- */

/** struct outgoing - an answer on its way */
struct outgoing {
	struct dnsd *d;
	struct env *e;
	const struct dns_asker *to;
	const struct dns_query *q;
	struct dns_reply r;
	uint8_t buf[DNSD_MESSAGE];
};

static void begin(struct outgoing *a, struct dnsd *d, struct env *e, const struct dns_asker *to, const struct dns_query *q,
		  uint8_t rcode, bool aa)
{
	a->d = d;
	a->e = e;
	a->to = to;
	a->q = q;
	dns_begin(&a->r, q, rcode, aa, a->buf, sizeof(a->buf));
}

static void finish(struct outgoing *a)
{
	size_t len = dns_end(&a->r);

	a->d->port->send(a->d->ctx, a->e, a->to, (struct bytes){ a->buf, len });
}

static void only(struct dnsd *d, struct env *e, const struct dns_asker *to, const struct dns_query *q, uint8_t rcode)
{
	struct outgoing a;

	begin(&a, d, e, to, q, rcode, false);
	finish(&a);
}

static bool asks(const struct dns_query *q, uint16_t type)
{
	return q->type == type || q->type == DNS_ANY;
}

/* gateway.domain; the domain of a network always is a name unless its record is odd, then the zone has to do. */
static void server_name(const struct dnsd *d, const struct dns_name *zone, struct dns_name *out)
{
	static const uint8_t GATEWAY[] = "gateway";
	struct dns_name domain;

	if (!dns_domain(d->net, &domain) || !dns_name_add(out, (struct bytes){ GATEWAY, 7 }, &domain))
		*out = *zone;
}

/* Nothing was answered: say where the no comes from, and for how long. */
static void authority(struct outgoing *a, const struct dns_name *zone)
{
	struct dns_name server;

	if (a->r.answers || a->r.full || !zone->len)
		return;
	server_name(a->d, zone, &server);
	dns_soa(&a->r, false, zone, &server, (uint32_t)a->d->net->serial, DNSD_NO_S);
}

static void apex(struct outgoing *a, const struct dns_name *zone)
{
	struct dns_name server;

	server_name(a->d, zone, &server);
	if (asks(a->q, DNS_SOA))
		dns_soa(&a->r, true, zone, &server, (uint32_t)a->d->net->serial, DNSD_NO_S);
	if (asks(a->q, DNS_NS))
		dns_answer_name(&a->r, DNS_NS, DNSD_TTL_MAX_S, &server);
}

static void address(struct outgoing *a, uint32_t ttl_s, const struct ip *ip)
{
	if (ip->family && asks(a->q, ip->family == 4 ? DNS_A : DNS_AAAA))
		dns_answer_ip(&a->r, ttl_s, ip);
}

/* A label of ours, as a whole name. */
static void pointer(struct outgoing *a, uint32_t ttl_s, const uint8_t *label, size_t len)
{
	struct dns_name domain, name;

	if (asks(a->q, DNS_PTR) && dns_domain(a->d->net, &domain) && dns_name_add(&name, (struct bytes){ label, len }, &domain))
		dns_answer_name(&a->r, DNS_PTR, ttl_s, &name);
}

static uint32_t left_s(const struct env *e, const struct dns_entry *n)
{
	return n->until_ns <= e->now_ns ? 0 : (uint32_t)((n->until_ns - e->now_ns) / NS_PER_S);
}

/* What is kept answers @q. */
static void from_entry(struct dnsd *d, struct env *e, const struct dns_asker *to, const struct dns_query *q,
		       const struct dns_means *m, const struct dns_entry *n)
{
	uint8_t label[10];
	bool known = n->ips || n->host_len, computed = m->place == PLACE_ADDRESS && dns_computed(d->net, &m->ip, label);
	struct outgoing a;

	begin(&a, d, e, to, q, known || computed ? DNS_NOERROR : DNS_NXDOMAIN, true);
	for (unsigned i = 0; i < n->ips; i++)
		address(&a, left_s(e, n), &n->ip[i]);
	if (n->host_len)
		pointer(&a, left_s(e, n), n->host, n->host_len);
	else if (computed)
		pointer(&a, DNSD_COMPUTED_S, label, sizeof(label));
	authority(&a, &m->zone);
	finish(&a);
}

/* ---- questions ---- */

static struct bytes key_of(const struct dns_means *m)
{
	return (struct bytes){ m->key, m->key_len };
}

static bool waits_already(const struct dnsd *d, const struct dns_asker *from, const struct dns_query *q)
{
	for (unsigned i = 0; i < d->waitings; i++) {
		const struct dns_waiting *w = &d->waiting[i];

		if (w->q.id == q->id && w->from.port == from->port && ip_eq(&w->from.ip, &from->ip) &&
		    w->q.type == q->type && w->q.name.len == q->name.len &&
		    !memcmp(w->q.name.at, q->name.at, q->name.len))
			return true;
	}
	return false;
}

static bool wait(struct dnsd *d, struct env *e, const struct dns_asker *from, const struct dns_query *q, uint64_t cookie)
{
	uint16_t more = d->waiting_cap ? (uint16_t)(d->waiting_cap * 2) : 2;

	if (d->waitings == DNSD_WAITING) {
		env_drop(e, DROP_FULL);
		return false;
	}
	if (d->waitings == d->waiting_cap &&
	    !mem_grow(&e->mem, &d->waiting, &d->waiting_cap, more, sizeof(*d->waiting))) {
		env_drop(e, DROP_MEMORY);
		return false;
	}
	d->waiting[d->waitings++] = (struct dns_waiting){ .cookie = cookie, .from = *from, .q = *q,
		.until_ns = e->now_ns + 2 * DNSD_ASK_MS * NS_PER_MS };
	return true;
}

static void lookup(struct dnsd *d, struct env *e, const struct dns_asker *from, const struct dns_query *q,
		   const struct dns_means *m)
{
	uint8_t type = m->place == PLACE_HOST ? VALUE_ADDRESS : VALUE_POINTER;
	struct dns_entry *n = entry_find(d, key_of(m), type);

	if (n && !n->asked && n->until_ns > e->now_ns) {
		from_entry(d, e, from, q, m, n);
		return;
	}
	if (waits_already(d, from, q))
		return;
	if (n && !n->asked) {
		entry_del(d, n);
		n = NULL;
	}
	if (!n) {
		n = entry_new(d, e, key_of(m), type);
		if (n) {
			n->cookie = ++d->cookies & 0xffffffffffffffULL;
			n->asked = true;
			if (!d->port->look(d->ctx, e, n->cookie, key_of(m), type)) {
				entry_del(d, n);
				n = NULL;
			}
		}
	}
	if (!n || !wait(d, e, from, q, n->cookie))
		only(d, e, from, q, DNS_SERVFAIL);
}

static void answer_at_once(struct dnsd *d, struct env *e, const struct dns_asker *from, const struct dns_query *q,
			   const struct dns_means *m)
{
	struct ip g4 = d->net->range4.ip.family ? network_gateway(d->net, 4) : (struct ip){ 0 };
	struct ip g6 = d->net->range6.ip.family ? network_gateway(d->net, 6) : (struct ip){ 0 };
	static const uint8_t GATEWAY[] = "gateway";
	struct outgoing a;

	begin(&a, d, e, from, q, m->place == PLACE_NOTHING ? DNS_NXDOMAIN : DNS_NOERROR, true);
	if (m->place == PLACE_APEX) {
		apex(&a, &m->zone);
	} else if (m->place == PLACE_COMPUTED) {
		address(&a, DNSD_TTL_MAX_S, &m->ip);
	} else if (m->place == PLACE_GATEWAY) {
		address(&a, DNSD_TTL_MAX_S, &g4);
		address(&a, DNSD_TTL_MAX_S, &g6);
	} else if (m->place == PLACE_ADDRESS) {
		pointer(&a, DNSD_TTL_MAX_S, GATEWAY, 7);
	}
	authority(&a, &m->zone);
	finish(&a);
}

static bool is_gateway(const struct dnsd *d, const struct ip *a)
{
	struct ip g = network_gateway(d->net, a->family);

	return ip_eq(a, &g);
}

enum drop dnsd_message(struct dnsd *d, struct env *e, const struct dns_asker *from, struct bytes payload)
{
	struct dns_query q;
	struct dns_means m;
	uint8_t rcode;
	enum drop why = dns_query_read(payload, &q, &rcode);

	if (why)
		return env_drop(e, why);
	if (rcode) {
		only(d, e, from, &q, rcode);
		return env_drop(e, DROP_VALUE);
	}
	dns_place(d->net, &q.name, &m);
	if (m.place == PLACE_FOREIGN && q.class == DNS_IN && q.type != DNS_AXFR && q.type != DNS_IXFR &&
	    d->port->forward(d->ctx, e, from, &q))
		return DROP_NONE;
	if (m.place == PLACE_FOREIGN || (q.class != DNS_IN && q.class != DNS_CLASS_ANY) || q.type == DNS_AXFR ||
	    q.type == DNS_IXFR)
		only(d, e, from, &q, DNS_REFUSED);
	else if (m.place == PLACE_HOST || (m.place == PLACE_ADDRESS && !is_gateway(d, &m.ip)))
		lookup(d, e, from, &q, &m);
	else
		answer_at_once(d, e, from, &q, &m);
	due(d, e);
	return DROP_NONE;
}

void dnsd_answer(struct dnsd *d, struct env *e, uint64_t cookie, uint8_t verdict, const struct value *value,
		 unsigned values)
{
	struct dns_entry *n = entry_of_cookie(d, cookie);
	bool told = verdict == VERDICT_OK || verdict == VERDICT_ABSENT;
	struct dns_means m;

	if (!n) {
		env_drop(e, DROP_STALE);
		return;
	}
	if (told)
		entry_fill(d, e, n, value, verdict == VERDICT_OK ? values : 0);
	for (unsigned i = 0; i < d->waitings;) {
		struct dns_waiting w = d->waiting[i];

		if (w.cookie != cookie) {
			i++;
			continue;
		}
		d->waitings--;
		memmove(&d->waiting[i], &d->waiting[i + 1], (d->waitings - i) * sizeof(w));
		dns_place(d->net, &w.q.name, &m);
		if (told && (m.place == PLACE_HOST || m.place == PLACE_ADDRESS))
			from_entry(d, e, &w.from, &w.q, &m, n);
		else
			only(d, e, &w.from, &w.q, DNS_SERVFAIL);
	}
	if (!told)
		entry_del(d, n);
	due(d, e);
}

void dnsd_forget(struct dnsd *d, struct env *e, struct bytes name, uint8_t type)
{
	struct dns_entry *n = name.len <= DNS_KEY_MAX ? entry_find(d, name, type) : NULL;

	(void)e;
	if (n && !n->asked)
		entry_del(d, n);
}

void dnsd_timer(struct dnsd *d, struct env *e)
{
	for (unsigned i = 0; i < d->entries;) {
		if (!d->entry[i].asked && d->entry[i].until_ns <= e->now_ns)
			entry_del(d, &d->entry[i]);
		else
			i++;
	}
	for (unsigned i = 0; i < d->waitings;) {
		struct dns_waiting w = d->waiting[i];

		if (w.until_ns > e->now_ns) {
			i++;
			continue;
		}
		/* The DHT owes an answer and never gave it: the next question asks again. */
		d->waiting[i] = d->waiting[--d->waitings];
		env_drop(e, DROP_SILENT);
		if (entry_of_cookie(d, w.cookie))
			entry_del(d, entry_of_cookie(d, w.cookie));
	}
	if (!d->entries)
		mem_grow(&e->mem, &d->entry, &d->cap, 0, sizeof(*d->entry));
	if (!d->waitings)
		mem_grow(&e->mem, &d->waiting, &d->waiting_cap, 0, sizeof(*d->waiting));
	due(d, e);
}

void dnsd_init(struct dnsd *d, struct env *e, const struct dns_ports *port, void *ctx)
{
	*d = (struct dnsd){ .port = port, .ctx = ctx, .cookies = random_u64(&e->random) };
}

void dnsd_done(struct dnsd *d, struct env *e)
{
	mem_grow(&e->mem, &d->entry, &d->cap, 0, sizeof(*d->entry));
	mem_grow(&e->mem, &d->waiting, &d->waiting_cap, 0, sizeof(*d->waiting));
	d->entries = d->waitings = 0;
}

uint32_t dnsd_bytes(const struct dnsd *d)
{
	return (uint32_t)(d->cap * sizeof(*d->entry) + d->waiting_cap * sizeof(*d->waiting));
}
