/*
 * The states of a client and what moves it between them.
 *
 *	         DISCOVER,                     HELD_GRANTED             REQUEST
 *	(none) ------------> SEEKING <-------> (DISCOVER) ---> OFFERED ---------> BOUND
 *	         unknown       |  ^ refused:                      |                 |
 *	         REQUEST       v  | any address,                  | RESERVE_S       | its lease ends, RELEASE,
 *	                     WAITING  or later                    v                 v HELD_LOST
 *	                                                     released, (none) <-----'
 *
 * A kept question (ask) is the latest of its client; a retransmission replaces
 * it and asks the DHT nothing. A client in SEEKING cannot be forgotten, because
 * news of what was asked will come and must be given back if nobody wants it.
 *
 * Why a guest is never told more than we believe: at each ACK the lease time is
 * what is left of our own belief, rounded down, and from then on the lease is
 * renewed (held_keep) until that time is over. So our belief ends after the
 * guest's lease does, or HELD_LOST tells us at once.
 *
 * A declined address stays ours for BAD_S, so that nobody else in the network is
 * offered it either. The lease of "this client" would be that one for ever:
 * therefore each decline makes the client another one to the DHT.
 */
#include "core/vnet/dhcp_server.h"

enum {
	AGAIN_MS	= 250,		/* first pause before asking again; doubles ... */
	AGAIN_DOUBLES	= 5,		/* ... so often: up to 8 s */
	DECLINES_MAX	= 16		/* in one try for an address */
};

static uint32_t seconds(int64_t ns)
{
	return ns <= 0 ? 0 : ns / NS_PER_S > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / NS_PER_S);
}

/* ---- addresses come and go ---- */

/* May a lease of @a be asked for? */
static bool leasable(const struct dhcpd *d, const struct ip *a)
{
	return network_leasable(d->net, a) && !dhcpd_is_bad(d, a);
}

/* What we believe of @c's address from now on, in seconds; 0: nothing. */
static uint32_t belief_s(const struct dhcpd *d, struct env *e, const struct dhcpd_client *c)
{
	int64_t until_ns;

	if (c->fixed)
		return d->net->term_s;
	if (!d->port->believes(d->ctx, e, &c->ip, &until_ns))
		return 0;
	return seconds(until_ns - e->now_ns);
}

/* The guest stops having its address; what becomes of the lease is the caller's business. */
static void unbind(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	if (c->state != CLIENT_BOUND)
		return;
	if (c->named)
		d->port->named(d->ctx, e, &c->ip, (struct bytes){ NULL, 0 });
	c->named = false;
	d->port->gone(d->ctx, e, &c->ip);
}

/* @c gives its address back. */
static void let_go(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	unbind(d, e, c);
	if (dhcpd_has_address(c) && !c->fixed)
		d->port->release(d->ctx, e, &c->ip);
	dhcpd_rest(d, e, c);
}

/* A host name is one label of letters, digits and inner hyphens (RFC 952, RFC 1123 2.1); others are not published. */
static bool host_take(struct dhcpd_client *c, const struct dhcp_message *m)
{
	uint8_t host[DHCP_HOST_MAX], len = m->host_len;
	bool same;

	while (len && !m->host[len - 1])	/* RFC 2132 2: some end strings with NUL */
		len--;
	for (unsigned i = 0; i < len; i++) {
		uint8_t b = m->host[i];

		if (b >= 'A' && b <= 'Z')
			b = (uint8_t)(b + 'a' - 'A');
		if (!((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || (b == '-' && i && i + 1 < len)))
			return false;
		host[i] = b;
	}
	same = len == c->host_len && !memcmp(host, c->host, len);
	if (len && !same) {
		memcpy(c->host, host, len);
		c->host_len = len;
	}
	return len && !same;
}

/* ACK @m: @c has its address from now on, for @s seconds. */
static void bind(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m, uint32_t s)
{
	bool rename = host_take(c, m);

	memcpy(c->mac, m->mac, sizeof(c->mac));
	if (!d->port->leased(d->ctx, e, c->mac, &c->ip, c->since_ns)) {
		d->reply(d, e, m, DHCP_NAK, &(struct ip){ 0 }, 0);
		let_go(d, e, c);
		return;
	}
	c->state = CLIENT_BOUND;
	c->until_ns = e->now_ns + s * NS_PER_S;
	if (!c->fixed)
		d->port->keep(d->ctx, e, &c->ip, true);
	if (c->host_len && (rename || !c->named)) {
		d->port->named(d->ctx, e, &c->ip, (struct bytes){ c->host, c->host_len });
		c->named = true;
	}
	d->reply(d, e, m, DHCP_ACK, &c->ip, s);
	dhcpd_ask_drop(d, e, c);
}

static void offer(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m, uint32_t s)
{
	if (m->rapid) {				/* RFC 4039, section 3.1 */
		bind(d, e, c, m, s);
		return;
	}
	if (c->state != CLIENT_BOUND) {
		c->state = CLIENT_OFFERED;
		c->until_ns = e->now_ns + RESERVE_S * NS_PER_S;
	}
	d->reply(d, e, m, DHCP_OFFER, &c->ip, s);
	dhcpd_ask_drop(d, e, c);
}

static void nak(struct dhcpd *d, struct env *e, const struct dhcp_message *m)
{
	d->reply(d, e, m, DHCP_NAK, &(struct ip){ 0 }, 0);
}

/* ---- asking the DHT ---- */

static void later(struct dhcpd_client *c, struct env *e)
{
	unsigned shift = c->tries < AGAIN_DOUBLES ? c->tries : AGAIN_DOUBLES;

	c->tries += c->tries < UINT8_MAX;
	c->state = CLIENT_WAITING;
	c->again_ns = e->now_ns + (AGAIN_MS * NS_PER_MS << shift);
}

/* Ask for @c->ip if @exact, else for any address. */
static void seek(struct dhcpd *d, struct env *e, struct dhcpd_client *c, bool exact)
{
	const struct ip any = { .family = d->family };

	c->exact = exact;
	c->cookie = ++d->cookies & 0x7fffffffffffffULL;
	c->state = CLIENT_SEEKING;
	if (!d->port->want(d->ctx, e, c->cookie, exact ? &c->ip : &any, c->client + c->declines))
		later(c, e);
}

/* Begin to answer the kept question of @c, which has nothing. */
static void seek_for(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	c->ip = c->ask->want;
	seek(d, e, c, leasable(d, &c->ip));
}

static void granted(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct ip *ip)
{
	const struct dhcp_message *m = c->ask;
	uint32_t s;

	c->state = CLIENT_WAITING;
	if (dhcpd_is_bad(d, ip)) {
		d->port->keep(d->ctx, e, ip, true);	/* still kept out */
		if (m && c->declines < DECLINES_MAX) {
			c->declines++;
			seek(d, e, c, false);
		} else {
			env_drop(e, m ? DROP_RATE : DROP_NONE);
			dhcpd_rest(d, e, c);
		}
		return;
	}
	c->ip = *ip;
	c->state = CLIENT_OFFERED;
	if (m && m->type == DHCP_REQUEST && !ip_eq(&m->want, ip)) {
		nak(d, e, m);			/* asked for while another address was under way */
		let_go(d, e, c);
		return;
	}
	s = belief_s(d, e, c);
	if (!m || !s) {				/* nobody wants it any more, or it came too late */
		let_go(d, e, c);
		return;
	}
	c->tries = 0;
	if (m->type == DHCP_DISCOVER)
		offer(d, e, c, m, s);
	else
		bind(d, e, c, m, s);
}

/* Did nobody say anything? */
static bool silent(uint8_t verdict)
{
	return verdict == VERDICT_WAIT || verdict == VERDICT_TIMEOUT;
}

/* A quorum said no, or nobody said anything. */
static void refused(struct dhcpd *d, struct env *e, struct dhcpd_client *c, uint8_t verdict)
{
	const struct dhcp_message *m = c->ask;
	c->state = CLIENT_WAITING;
	if (!m) {
		dhcpd_rest(d, e, c);
	} else if (m->type == DHCP_DISCOVER && c->exact) {
		seek(d, e, c, false);		/* RFC 2131 4.3.1: the address asked for, else another */
	} else if (silent(verdict) || (m->type == DHCP_DISCOVER && verdict != VERDICT_DENIED)) {
		later(c, e);
	} else if (m->type == DHCP_DISCOVER) {
		env_drop(e, DROP_STRANGER);
		dhcpd_rest(d, e, c);
	} else {
		nak(d, e, m);
		dhcpd_rest(d, e, c);
	}
}

/* ---- what guests say ---- */

static enum drop discover(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m,
			  uint64_t client)
{
	struct ip fixed;
	uint32_t s;

	if (!c)
		c = dhcpd_new(d, e, client);
	if (!c)
		return DROP_NONE;
	memcpy(c->mac, m->mac, sizeof(c->mac));
	if (!dhcpd_has_address(c) && c->state != CLIENT_SEEKING && d->port->fixed(d->ctx, e, m->mac, &m->want, &fixed)) {
		c->ip = fixed;
		c->fixed = true;
		c->state = CLIENT_OFFERED;
	}
	if (dhcpd_has_address(c)) {
		s = belief_s(d, e, c);
		if (s && s >= d->net->term_s / 4) {
			offer(d, e, c, m, s);
			return DROP_NONE;
		}
		if (dhcpd_ask_keep(d, e, c, m, DISCOVER_HOLD_S))	/* too little left to offer: renew it first */
			d->port->touch(d->ctx, e, c->cookie, &c->ip);
		return DROP_NONE;
	}
	if (!dhcpd_ask_keep(d, e, c, m, DISCOVER_HOLD_S)) {
		if (c->state != CLIENT_SEEKING)
			dhcpd_rest(d, e, c);
		return DROP_NONE;
	}
	if (c->state == CLIENT_IDLE)
		seek_for(d, e, c);
	return DROP_NONE;
}

/* A REQUEST for what is @c's, or should be. */
static void confirm(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m)
{
	uint32_t s = belief_s(d, e, c);

	if (s && s >= d->net->term_s / 4) {
		bind(d, e, c, m, s);
	} else if (!c->ask) {
		if (dhcpd_ask_keep(d, e, c, m, REQUEST_HOLD_S) && !d->port->touch(d->ctx, e, c->cookie, &c->ip))
			dhcpd_ask_drop(d, e, c);
	} else {
		dhcpd_ask_keep(d, e, c, m, REQUEST_HOLD_S);
	}
}

static enum drop request(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m,
			 uint64_t client)
{
	const struct ip *a = &m->want, none = { .family = d->family };
	struct ip fixed;

	if (m->elsewhere) {
		if (c && c->state == CLIENT_OFFERED)	/* RFC 2131 4.3.2: it chose another server */
			let_go(d, e, c);
		return DROP_NONE;
	}
	if (ip_eq(a, &none))
		return env_drop(e, DROP_VALUE);
	if (c && dhcpd_has_address(c) && ip_eq(&c->ip, a)) {
		confirm(d, e, c, m);
		return DROP_NONE;
	}
	if (d->port->fixed(d->ctx, e, m->mac, a, &fixed) && ip_eq(&fixed, a)) {
		if (c && c->state == CLIENT_SEEKING)
			return DROP_NONE;		/* the next retransmission finds it settled */
		if (c)
			let_go(d, e, c);
		c = dhcpd_find(d, client);
		c = c ? c : dhcpd_new(d, e, client);
		if (!c)
			return DROP_NONE;
		c->ip = fixed;
		c->fixed = true;
		c->state = CLIENT_OFFERED;
		confirm(d, e, c, m);
		return DROP_NONE;
	}
	if (!leasable(d, a) || (c && dhcpd_has_address(c))) {
		nak(d, e, m);
		return DROP_NONE;
	}
	if (!c)
		c = dhcpd_new(d, e, client);
	if (!c)
		return DROP_NONE;
	if (!dhcpd_ask_keep(d, e, c, m, REQUEST_HOLD_S)) {
		if (c->state != CLIENT_SEEKING)
			dhcpd_rest(d, e, c);
		return DROP_NONE;
	}
	if (c->state != CLIENT_SEEKING) {
		c->tries = 0;
		seek_for(d, e, c);
	}
	return DROP_NONE;
}

/* DECLINE and RELEASE are believed only of the machine that has the address. */
static enum drop give_back(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m)
{
	if (m->elsewhere)
		return DROP_NONE;
	if (!c || !dhcpd_has_address(c) || !ip_eq(&c->ip, &m->want) || memcmp(c->mac, m->mac, sizeof(c->mac)))
		return env_drop(e, DROP_SPOOFED);
	if (m->type == DHCP_RELEASE || c->fixed) {
		let_go(d, e, c);
		return DROP_NONE;
	}
	unbind(d, e, c);
	dhcpd_bad_add(d, e, &c->ip);
	c->declines++;
	dhcpd_rest(d, e, c);
	return DROP_NONE;
}

/* RFC 2131 4.3.5: options, no lease, and nothing is remembered. */
static enum drop inform(struct dhcpd *d, struct env *e, const struct dhcp_message *m)
{
	struct ip a = ip_v4(m->ciaddr), gateway = network_gateway(d->net, 4);

	if (!ip_in(&a, &d->net->range4) || ip_eq(&a, &gateway))
		return env_drop(e, DROP_ABROAD);
	d->reply(d, e, m, DHCP_ACK, &a, 0);
	return DROP_NONE;
}

/* When something of ours is due next. */
static void due(struct dhcpd *d, struct env *e)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < d->clients; i++) {
		const struct dhcpd_client *c = &d->client[i];

		if (c->state != CLIENT_SEEKING && c->state != CLIENT_WAITING && c->until_ns < at)
			at = c->until_ns;
		if (c->state == CLIENT_WAITING && c->again_ns < at)
			at = c->again_ns;
		if (c->ask && c->give_up_ns < at)
			at = c->give_up_ns;
	}
	for (unsigned i = 0; i < d->bads; i++)
		at = d->bad[i].until_ns < at ? d->bad[i].until_ns : at;
	d->port->due(d->ctx, e, at);
}

enum drop dhcpd_heard(struct dhcpd *d, struct env *e, const struct dhcp_message *m)
{
	uint64_t client = d->port->client(d->ctx, (struct bytes){ m->id, m->id_len }, m->mac);
	struct dhcpd_client *c = dhcpd_find(d, client);
	enum drop why;

	if (m->type == DHCP_DISCOVER)
		why = discover(d, e, c, m, client);
	else if (m->type == DHCP_REQUEST)
		why = request(d, e, c, m, client);
	else
		why = give_back(d, e, c, m);
	due(d, e);
	return why;
}

enum drop dhcpd_message(struct dhcpd *d, struct env *e, const uint8_t from[6], struct bytes payload)
{
	struct ip gateway = network_gateway(d->net, 4);
	struct dhcp_message m;
	enum drop why = dhcp_read(payload, &m);

	if (why)
		return env_drop(e, why);
	if (m.op != DHCP_BOOTREQUEST || m.type == DHCP_OFFER || m.type == DHCP_ACK || m.type == DHCP_NAK)
		return env_drop(e, DROP_ROGUE);
	if (m.hops > DHCP_HOPS_MAX)
		return env_drop(e, DROP_HOPS);
	if (m.giaddr)
		return env_drop(e, DROP_RELAYED);
	if (memcmp(m.mac, from, sizeof(m.mac)))
		return env_drop(e, DROP_SPOOFED);
	if (m.type == DHCP_INFORM)
		return inform(d, e, &m);
	if (m.type == DHCP_RELEASE || !m.requested)
		m.want = ip_v4(m.ciaddr);
	else
		m.want = ip_v4(m.requested);
	m.elsewhere = m.has_server && m.server != ip_u32(&gateway);
	return dhcpd_heard(d, e, &m);
}

/* ---- news, time ---- */

/* A lease that a former life of this node was granted: its guest may come back for it until our belief ends. */
static void adopt(struct dhcpd *d, struct env *e, const struct held *h)
{
	struct dhcpd_client *c;

	if (dhcpd_find(d, h->lease.client) || dhcpd_of_ip(d, &h->lease.ip) || dhcpd_is_bad(d, &h->lease.ip))
		return;
	c = dhcpd_new(d, e, h->lease.client);
	if (!c) {
		d->port->release(d->ctx, e, &h->lease.ip);
		return;
	}
	c->ip = h->lease.ip;
	c->cookie = h->cookie;
	c->state = CLIENT_OFFERED;
	c->until_ns = h->until_ns;
	d->port->keep(d->ctx, e, &c->ip, false);
}

static void lost(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	struct dhcp_message *m = c->ask;

	if (m && m->type == DHCP_DISCOVER) {
		unbind(d, e, c);
		seek(d, e, c, false);
		return;
	}
	if (m)
		nak(d, e, m);
	unbind(d, e, c);
	dhcpd_rest(d, e, c);
}

/* What was held for a question about an address that is @c's can be told now. */
static void renewed(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	uint32_t s = belief_s(d, e, c);

	if (!c->ask || !s)
		return;
	if (c->ask->type == DHCP_DISCOVER)
		offer(d, e, c, c->ask, s);
	else
		bind(d, e, c, c->ask, s);
}

void dhcpd_held(struct dhcpd *d, struct env *e, const struct held_news *n)
{
	struct dhcpd_client *c = dhcpd_of_cookie(d, n->held.cookie);
	const struct ip *ip = &n->held.lease.ip;

	if (c && c->state == CLIENT_SEEKING) {
		if (n->word == HELD_GRANTED)
			granted(d, e, c, ip);
		else if (n->word == HELD_REFUSED || n->word == HELD_LOST)
			refused(d, e, c, n->verdict);
		due(d, e);
		return;
	}
	c = dhcpd_of_ip(d, ip);
	if (n->word == HELD_GRANTED && !c) {
		adopt(d, e, &n->held);
	} else if (c && !c->fixed) {
		if (n->word == HELD_LOST || n->word == HELD_GONE || (n->word == HELD_REFUSED && !silent(n->verdict)))
			lost(d, e, c);
		else if (n->word == HELD_RENEWED || n->word == HELD_GRANTED)
			renewed(d, e, c);
	} else if (!c && (n->word == HELD_LOST || n->word == HELD_GONE)) {
		dhcpd_bad_lost(d, ip);
	}
	due(d, e);
}

void dhcpd_gone(struct dhcpd *d, struct env *e, const struct ip *ip)
{
	struct dhcpd_client *c = dhcpd_of_ip(d, ip);

	if (c) {
		let_go(d, e, c);
		due(d, e);
	}
}

/* The time of @c's question is over: the client will have asked somebody else, or asks again. */
static void give_up(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	uint32_t s = dhcpd_has_address(c) ? belief_s(d, e, c) : 0;

	env_drop(e, s ? DROP_NONE : DROP_SILENT);
	if (s)
		renewed(d, e, c);		/* short, but true */
	else
		dhcpd_ask_drop(d, e, c);
}

/* One due thing of client number @i; false: it was forgotten, another stands in its place now. */
static bool client_timer(struct dhcpd *d, struct env *e, unsigned i)
{
	struct dhcpd_client *c = &d->client[i];
	unsigned clients = d->clients;

	if (c->ask && c->give_up_ns <= e->now_ns)
		give_up(d, e, c);
	if (d->clients != clients)
		return false;
	if (c->state == CLIENT_WAITING && (!c->ask || c->again_ns <= e->now_ns)) {
		if (c->ask)
			seek_for(d, e, c);
		else
			dhcpd_rest(d, e, c);
	} else if (c->state == CLIENT_IDLE && c->until_ns <= e->now_ns) {
		dhcpd_del(d, e, c);
	} else if (dhcpd_has_address(c) && c->until_ns <= e->now_ns) {
		let_go(d, e, c);
	}
	return d->clients == clients;
}

void dhcpd_timer(struct dhcpd *d, struct env *e)
{
	for (unsigned i = 0; i < d->clients;)
		i += client_timer(d, e, i);
	while (d->bads && d->bad[0].until_ns <= e->now_ns)
		dhcpd_bad_end(d, e, 0);
	due(d, e);
}

void dhcpd_leave(struct dhcpd *d, struct env *e)
{
	for (unsigned i = d->clients; i-- > 0;)
		if (d->client[i].state == CLIENT_OFFERED)
			let_go(d, e, &d->client[i]);
	while (d->bads)
		dhcpd_bad_end(d, e, 0);
}

void dhcpd_init(struct dhcpd *d, struct env *e, const struct dhcp_ports *port, void *ctx)
{
	*d = (struct dhcpd){ .port = port, .ctx = ctx, .cookies = random_u64(&e->random), .reply = dhcpd_reply, .family = 4 };
}

void dhcpd_done(struct dhcpd *d, struct env *e)
{
	for (unsigned i = 0; i < d->clients; i++)
		dhcpd_ask_drop(d, e, &d->client[i]);
	mem_grow(&e->mem, &d->client, &d->cap, 0, sizeof(*d->client));
	mem_grow(&e->mem, &d->bad, &d->bad_cap, 0, sizeof(*d->bad));
	d->clients = d->bads = 0;
}

uint32_t dhcpd_bytes(const struct dhcpd *d)
{
	return (uint32_t)(d->cap * sizeof(*d->client) + d->bad_cap * sizeof(*d->bad) +
			  d->asks * sizeof(struct dhcp_message));
}
