/*
 * The firewall.
 *
 * Flows are kept in sets of four places; the set is a hash of the flow. Only
 * what our own guests send makes one, so that nobody outside can fill the table
 * or choose the hash. In a full set the one that would be forgotten first gives
 * way. Later fragments carry no ports and pass: without their head, which is
 * judged, they are nothing.
 */
#include <string.h>

#include "core/vnet/parts.h"

enum { WAYS = 4, SETS = GUARD_FLOWS / WAYS };

#define TCP_S	7440
#define END_S	240
#define UDP_S	120
#define ICMP_S	60
#define OTHER_S	120

/** struct flow - addresses and ports as our guest sees them */
struct flow {
	struct ip ours, theirs;
	uint16_t our_port, their_port;	/* ICMP: the query's identifier, 0 */
	uint8_t proto;			/* 0: this place is free */
	bool ends;			/* FIN or RST was seen */
	uint32_t until_s;		/* since birth */
};

struct guard_peer {
	struct id peer;
	uint32_t groups;		/* bits of guard.group[] */
};

struct vnet_guard {
	struct bytes group[GUARD_GROUPS];	/* all that rules name */
	uint8_t bit[GUARD_RULES];		/* each rule's, GUARD_GROUPS = none */
	uint64_t hits[GUARD_RULES], others, answers;
	struct guard_peer *peer;
	uint16_t peers, peer_cap, groups;
	struct flow *flow;			/* GUARD_FLOWS of them, NULL until there is one */
};

/* ---- rules as text ---- */

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word before a semicolon; len 0: there is none. */
static struct bytes word_next(struct reader *r)
{
	struct bytes w;

	while (r->at < r->end && blank(*r->at))
		r->at++;
	w = (struct bytes){ r->at, 0 };
	while (r->at < r->end && !blank(*r->at) && *r->at != ';')
		r->at++;
	w.len = (size_t)(r->at - w.at);
	return w;
}

static bool is(struct bytes w, const char *text)
{
	return w.len == strlen(text) && !memcmp(w.at, text, w.len);
}

/* "22", or the first half of "22-25"; *@at: behind it. */
static bool number(struct bytes w, size_t *at, uint16_t *out)
{
	uint32_t v = 0;
	size_t from = *at;

	for (; *at < w.len && w.at[*at] >= '0' && w.at[*at] <= '9'; (*at)++) {
		v = v * 10 + (uint32_t)(w.at[*at] - '0');
		if (v > UINT16_MAX)
			return false;
	}
	*out = (uint16_t)v;
	return *at > from;
}

static bool ports(struct bytes w, struct guard_rule *g)
{
	size_t at = 0;

	if (!number(w, &at, &g->low))
		return false;
	g->high = g->low;
	if (at < w.len && w.at[at] == '-') {
		at++;
		if (!number(w, &at, &g->high))
			return false;
	}
	return at == w.len && g->low <= g->high && g->low;
}

static const char *rule(struct reader *r, struct bytes *w, struct guard_rule *g)
{
	*g = (struct guard_rule){ .high = UINT16_MAX, .allow = is(*w, "allow") };
	if (!g->allow && !is(*w, "deny"))
		return "a rule begins with allow or deny";
	*w = word_next(r);
	if (is(*w, "icmp"))
		g->proto = PROTO_ICMP;
	else if (is(*w, "tcp"))
		g->proto = PROTO_TCP;
	else if (is(*w, "udp"))
		g->proto = PROTO_UDP;
	else if (!is(*w, "any"))
		return "no protocol; accepted: any, icmp, tcp, udp";
	*w = word_next(r);
	if (w->len && !is(*w, "from")) {
		if (g->proto != PROTO_TCP && g->proto != PROTO_UDP)
			return "only tcp and udp have ports; accepted here: from, ';'";
		if (!ports(*w, g))
			return "no port; accepted: 22, 5000-5999, from";
		*w = word_next(r);
	}
	if (is(*w, "from")) {
		*w = word_next(r);
		g->group = *w;
		if (!w->len)
			return "from whom? accepted: the name of a group";
		if (w->len > 63)
			return "too long for the name of a group; accepted: up to 63 bytes";
		*w = word_next(r);
	}
	return w->len ? "too many words; accepted: ';' and the next rule" : NULL;
}

int guard_read(struct bytes text, struct guard_rule *out, struct guard_wrong *wrong)
{
	struct reader r = reader_of(text.at, text.len);
	int rules = 0;

	while (r.at < r.end) {
		struct bytes w = word_next(&r);

		if (w.len) {
			struct guard_rule g;
			const char *what = rules == GUARD_RULES ? "one rule too many; accepted: up to 64" : rule(&r, &w, &g);

			if (what) {
				*wrong = (struct guard_wrong){ w, what };
				return -1;
			}
			out[rules++] = g;
		}
		if (r.at < r.end)
			r.at++;				/* the semicolon */
	}
	return rules;
}

static void write_text(struct writer *w, const char *text)
{
	write_copy(w, text, strlen(text));
}

static void write_number(struct writer *w, unsigned n)
{
	if (n >= 10)
		write_number(w, n / 10);
	write_u8(w, (uint8_t)('0' + n % 10));
}

void guard_write(const struct guard_rule *g, struct writer *w)
{
	write_text(w, g->allow ? "allow " : "deny ");
	write_text(w, g->proto == PROTO_ICMP ? "icmp" : g->proto == PROTO_TCP ? "tcp" : g->proto == PROTO_UDP ? "udp" : "any");
	if (g->low) {
		write_u8(w, ' ');
		write_number(w, g->low);
		if (g->high != g->low) {
			write_u8(w, '-');
			write_number(w, g->high);
		}
	}
	if (g->group.len) {
		write_text(w, " from ");
		write_copy(w, g->group.at, g->group.len);
	}
}

/* ---- whose groups ---- */

static uint8_t bit_of(struct vnet_guard *g, struct bytes name)
{
	uint8_t i = 0;

	if (!name.len)
		return GUARD_GROUPS;
	while (i < g->groups && (g->group[i].len != name.len || memcmp(g->group[i].at, name.at, name.len)))
		i++;
	if (i == g->groups && i < GUARD_GROUPS)
		g->group[g->groups++] = name;
	return i;
}

/* Names that found no bit fit nobody: see fits(). */
static struct vnet_guard *guard_of(struct vnet *v, struct env *e)
{
	struct vnet_guard *g = v->guard;

	if (g || !v->net->rules)
		return g;
	g = v->guard = mem_get(&e->mem, sizeof(*g));
	if (!g)
		return NULL;
	for (unsigned i = 0; i < v->net->rules; i++)
		g->bit[i] = bit_of(g, v->net->rule[i].group);
	return g;
}

static struct guard_peer *peer_find(struct vnet_guard *g, struct id peer)
{
	for (unsigned i = 0; i < g->peers; i++)
		if (id_eq(g->peer[i].peer, peer))
			return &g->peer[i];
	return NULL;
}

static uint32_t groups_of(const struct vnet_guard *g, struct bytes chain)
{
	struct reader r = reader_of(chain.at, chain.len);
	uint32_t groups = 0;
	struct bytes name;
	struct cert c;
	size_t at = 0;

	if (cert_decode(&r, &c) != FAULT_NONE)
		return 0;
	while (cert_group(&c, &at, &name))
		for (unsigned i = 0; i < g->groups; i++)
			if (g->group[i].len == name.len && !memcmp(g->group[i].at, name.at, name.len))
				groups |= 1u << i;
	return groups;
}

void guard_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct vnet_guard *g = guard_of(v, e);
	struct guard_peer *p = g ? peer_find(g, n->peer) : NULL;
	uint32_t groups = 0;

	if (!g || !g->groups)
		return;
	if (n->word == TUNNEL_UP)
		groups = groups_of(g, n->cert);
	if (groups && !p) {
		if (g->peers == g->peer_cap &&
		    !mem_grow(&e->mem, &g->peer, &g->peer_cap, (uint16_t)(g->peers + 4 + g->peers / 4), sizeof(*g->peer))) {
			env_drop(e, DROP_MEMORY);	/* it is in no group, then */
			return;
		}
		p = &g->peer[g->peers++];
		p->peer = n->peer;
	}
	if (p && groups)
		p->groups = groups;
	else if (p)
		*p = g->peer[--g->peers];
}

/* ---- flows of our guests ---- */

static uint32_t now_s(const struct env *e)
{
	return (uint32_t)((e->now_ns - e->birth_ns) / NS_PER_S);
}

/* RFC 792, 4443: requests and answers with an identifier. */
static bool is_query(const struct packet *p)
{
	return p->family == 4 ? p->icmp_type == 0 || p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 14 :
	       p->icmp_type == 128 || p->icmp_type == 129;
}

/* False: nothing that could be answered. */
static bool flow_of(const struct packet *p, bool out, struct flow *f)
{
	uint16_t from = p->sport, to = p->dport;

	*f = (struct flow){
		.ours = out ? p->src : p->dst, .theirs = out ? p->dst : p->src, .proto = p->proto ? p->proto : UINT8_MAX,
	};
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) {
		if (!p->l4.len || !is_query(p))
			return false;
		f->our_port = (uint16_t)(p->l4.at[4] << 8 | p->l4.at[5]);
	} else if (p->proto == PROTO_TCP || p->proto == PROTO_UDP) {
		f->our_port = out ? from : to;
		f->their_port = out ? to : from;
	}
	return true;
}

static struct flow *set_of(const struct vnet_guard *g, const struct flow *f)
{
	uint32_t h = f->proto;

	for (unsigned i = 0; i < 16; i++)
		h = (h ^ f->ours.at[i] ^ (uint32_t)f->theirs.at[i] << 8) * 0x01000193u;
	h = (h ^ f->our_port ^ (uint32_t)f->their_port << 16) * 0x9e3779b1u;
	return &g->flow[(h >> 16) % SETS * WAYS];
}

static struct flow *flow_find(const struct vnet_guard *g, const struct env *e, const struct flow *f)
{
	struct flow *set = set_of(g, f);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].proto == f->proto && set[i].our_port == f->our_port && set[i].their_port == f->their_port &&
		    ip_eq(&set[i].ours, &f->ours) && ip_eq(&set[i].theirs, &f->theirs) && set[i].until_s > now_s(e))
			return &set[i];
	return NULL;
}

static void flow_seen(struct flow *f, const struct env *e, const struct packet *p)
{
	uint32_t left = f->proto == PROTO_TCP ? TCP_S : f->proto == PROTO_UDP ? UDP_S :
			f->proto == PROTO_ICMP || f->proto == PROTO_ICMP6 ? ICMP_S : OTHER_S;

	if (f->proto == PROTO_TCP && p->l4.len > 13 && p->l4.at[13] & 5)	/* FIN, RST */
		f->ends = true;
	else if (f->proto == PROTO_TCP && p->l4.len > 13 && p->l4.at[13] & 2)	/* SYN: the same ports anew */
		f->ends = false;
	f->until_s = now_s(e) + (f->ends ? END_S : left);
}

void guard_out(struct vnet *v, struct env *e, const struct packet *p)
{
	struct vnet_guard *g = guard_of(v, e);
	struct flow want, *f, *set;
	unsigned gone = 0;

	if (!g || p->fragment || !flow_of(p, true, &want))
		return;
	if (!g->flow)
		g->flow = mem_get(&e->mem, GUARD_FLOWS * sizeof(*g->flow));
	if (!g->flow) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	f = flow_find(g, e, &want);
	if (!f) {				/* newer ones stand in front */
		set = f = set_of(g, &want);
		for (unsigned i = 1; i < WAYS; i++)
			if (set[i].until_s <= set[gone].until_s)
				gone = i;
		memmove(set + 1, set, gone * sizeof(*set));
		*f = want;
	}
	flow_seen(f, e, p);
}

/* The flow that the ICMP error @p is about: it quotes a header and 8 bytes of a packet that was ours. */
static bool flow_quoted(const struct packet *p, struct flow *f)
{
	const bool four = p->family == 4;
	struct reader r = reader_of(p->data.at, p->data.len);
	const uint8_t *ip = read_take(&r, four ? IP4_HEADER : IP6_HEADER);
	struct packet q = { .family = p->family };

	if (!ip || ip[0] >> 4 != p->family || (four && (ip[0] & 15) < IP4_HEADER / 4))
		return false;
	if (four ? p->icmp_type != 3 && p->icmp_type != 11 && p->icmp_type != 12 : p->icmp_type < 1 || p->icmp_type > 4)
		return false;
	read_take(&r, four ? (size_t)(ip[0] & 15) * 4 - IP4_HEADER : 0);
	q.proto = four ? ip[9] : ip[6];
	q.src = ip_of_bytes(p->family, ip + (four ? 12 : 8));
	q.dst = ip_of_bytes(p->family, ip + (four ? 16 : 24));
	q.l4 = (struct bytes){ read_take(&r, 8), 8 };
	if (!reader_ok(&r) || !ip_eq(&q.src, &p->dst))
		return false;
	q.icmp_type = q.l4.at[0];
	q.sport = (uint16_t)(q.l4.at[0] << 8 | q.l4.at[1]);
	q.dport = (uint16_t)(q.l4.at[2] << 8 | q.l4.at[3]);
	return flow_of(&q, true, f);
}

static bool is_answer(struct vnet_guard *g, const struct env *e, const struct packet *p)
{
	struct flow want, *f;

	if (!g->flow)
		return false;
	if (flow_of(p, false, &want)) {
		f = flow_find(g, e, &want);
		if (f)
			flow_seen(f, e, p);
		return f;
	}
	return p->l4.len && flow_quoted(p, &want) && flow_find(g, e, &want);
}

/* ---- what comes in ---- */

static bool fits(const struct vnet_guard *g, unsigned i, const struct guard_rule *r, const struct packet *p,
		 uint32_t groups)
{
	if (r->group.len && (g->bit[i] >= GUARD_GROUPS || !(groups & 1u << g->bit[i])))
		return false;
	if (r->proto == PROTO_ICMP ? p->proto != PROTO_ICMP && p->proto != PROTO_ICMP6 : r->proto && r->proto != p->proto)
		return false;
	return !r->low || (p->dport >= r->low && p->dport <= r->high);
}

static bool refuse(struct env *e, enum drop why)
{
	env_drop(e, why);
	return false;
}

bool guard_in(struct vnet *v, struct env *e, struct id peer, bool proved, const struct packet *p)
{
	struct vnet_guard *g = guard_of(v, e);
	struct guard_peer *w;
	uint32_t groups;

	if (!g)
		return !v->net->rules || refuse(e, DROP_MEMORY);
	if (p->fragment)
		return true;
	if (is_answer(g, e, p)) {
		g->answers++;
		return true;
	}
	w = proved ? peer_find(g, peer) : NULL;
	groups = w ? w->groups : 0;
	for (unsigned i = 0; i < v->net->rules; i++) {
		const struct guard_rule *r = &v->net->rule[i];

		if (!fits(g, i, r, p, groups))
			continue;
		g->hits[i]++;
		return r->allow || refuse(e, DROP_GUARD);
	}
	g->others++;
	return true;
}

/* ---- the rest of a life ---- */

void guard_done(struct vnet *v, struct env *e)
{
	struct vnet_guard *g = v->guard;

	if (!g)
		return;
	mem_put(&e->mem, g->peer, g->peer_cap * sizeof(*g->peer));
	mem_put(&e->mem, g->flow, g->flow ? GUARD_FLOWS * sizeof(*g->flow) : 0);
	mem_put(&e->mem, g, sizeof(*g));
	v->guard = NULL;
}

void vnet_rules(struct vnet *v, struct env *e)
{
	struct flow *flow = v->guard ? v->guard->flow : NULL;

	if (v->guard)
		v->guard->flow = NULL;
	guard_done(v, e);
	if (guard_of(v, e))
		v->guard->flow = flow;
	else
		mem_put(&e->mem, flow, flow ? GUARD_FLOWS * sizeof(*flow) : 0);
}

uint32_t guard_bytes(const struct vnet *v)
{
	const struct vnet_guard *g = v->guard;

	return g ? (uint32_t)(sizeof(*g) + g->peer_cap * sizeof(*g->peer) +
			      (g->flow ? GUARD_FLOWS * sizeof(*g->flow) : 0)) : 0;
}

bool vnet_guard_look(const struct vnet *v, const struct env *e, struct look_guard *out)
{
	const struct vnet_guard *g = v->guard;

	if (!v->net->rules)
		return false;
	*out = (struct look_guard){ .rule = v->net->rule, .rules = v->net->rules };
	if (!g)
		return true;
	memcpy(out->hits, g->hits, sizeof(out->hits));
	out->others = g->others;
	out->answers = g->answers;
	for (unsigned i = 0; g->flow && i < GUARD_FLOWS; i++)
		out->flows += g->flow[i].until_s > now_s(e);
	return true;
}
