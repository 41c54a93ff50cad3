/*
 * Who is known to the server, the questions it keeps for them, and the addresses
 * that were declined. Nothing here decides anything but what is forgotten first.
 */
#include <assert.h>

#include "core/vnet/dhcp_server.h"

struct dhcpd_client *dhcpd_find(struct dhcpd *d, uint64_t client)
{
	for (unsigned i = 0; i < d->clients; i++)
		if (d->client[i].client == client)
			return &d->client[i];
	return NULL;
}

struct dhcpd_client *dhcpd_of_cookie(struct dhcpd *d, uint64_t cookie)
{
	for (unsigned i = 0; i < d->clients; i++)
		if (d->client[i].cookie == cookie && d->client[i].state != CLIENT_IDLE)
			return &d->client[i];
	return NULL;
}

struct dhcpd_client *dhcpd_of_ip(struct dhcpd *d, const struct ip *ip)
{
	for (unsigned i = 0; i < d->clients; i++)
		if (dhcpd_has_address(&d->client[i]) && ip_eq(&d->client[i].ip, ip))
			return &d->client[i];
	return NULL;
}

void dhcpd_ask_drop(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	if (!c->ask)
		return;
	mem_put(&e->mem, c->ask, sizeof(*c->ask));
	c->ask = NULL;
	d->asks--;
}

bool dhcpd_ask_keep(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m, int hold_s)
{
	if (!c->ask) {
		if (d->asks >= DHCPD_ASKS) {
			env_drop(e, DROP_FULL);
			return false;
		}
		c->ask = mem_get(&e->mem, sizeof(*c->ask));
		if (!c->ask) {
			env_drop(e, DROP_MEMORY);
			return false;
		}
		d->asks++;
	}
	*c->ask = *m;
	c->ask->options.areas = 0;
	c->give_up_ns = e->now_ns + hold_s * NS_PER_S;
	return true;
}

void dhcpd_del(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	assert(c->state != CLIENT_SEEKING);
	dhcpd_ask_drop(d, e, c);
	*c = d->client[--d->clients];
	memset(&d->client[d->clients], 0, sizeof(*c));
}

void dhcpd_rest(struct dhcpd *d, struct env *e, struct dhcpd_client *c)
{
	dhcpd_ask_drop(d, e, c);
	c->state = CLIENT_IDLE;
	c->fixed = false;
	c->since_ns = e->now_ns;
	c->until_ns = e->now_ns + BAD_S * NS_PER_S;
	if (!c->declines)
		dhcpd_del(d, e, c);
}

struct dhcpd_client *dhcpd_new(struct dhcpd *d, struct env *e, uint64_t client)
{
	unsigned reserved = 0;

	for (unsigned i = 0; i < d->clients; i++)
		reserved += d->client[i].state != CLIENT_BOUND;
	for (unsigned i = 0; i < d->clients && (d->clients == DHCPD_CLIENTS || reserved >= DHCPD_RESERVED); i++) {
		if (d->client[i].state == CLIENT_IDLE) {
			dhcpd_del(d, e, &d->client[i]);
			reserved--;
		}
	}
	if (d->clients == DHCPD_CLIENTS || reserved >= DHCPD_RESERVED) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (d->clients == d->cap &&
	    !mem_grow(&e->mem, &d->client, &d->cap, d->cap ? (uint16_t)(d->cap * 2) : 1, sizeof(*d->client))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	d->client[d->clients] = (struct dhcpd_client){ .client = client, .since_ns = e->now_ns };
	return &d->client[d->clients++];
}

/* ---- declined addresses ---- */

bool dhcpd_is_bad(const struct dhcpd *d, const struct ip *ip)
{
	for (unsigned i = 0; i < d->bads; i++)
		if (ip_eq(&d->bad[i].ip, ip))
			return true;
	return false;
}

static void bad_del(struct dhcpd *d, unsigned i)
{
	for (d->bads--; i < d->bads; i++)	/* the oldest stays first */
		d->bad[i] = d->bad[i + 1];
}

void dhcpd_bad_end(struct dhcpd *d, struct env *e, unsigned i)
{
	d->port->release(d->ctx, e, &d->bad[i].ip);
	bad_del(d, i);
}

void dhcpd_bad_lost(struct dhcpd *d, const struct ip *ip)
{
	for (unsigned i = 0; i < d->bads; i++)
		if (ip_eq(&d->bad[i].ip, ip)) {
			bad_del(d, i);
			return;
		}
}

void dhcpd_bad_add(struct dhcpd *d, struct env *e, const struct ip *ip)
{
	if (d->bads == DHCPD_BAD)
		dhcpd_bad_end(d, e, 0);
	if (d->bads == d->bad_cap &&
	    !mem_grow(&e->mem, &d->bad, &d->bad_cap, (uint16_t)(d->bad_cap + 4), sizeof(*d->bad))) {
		env_drop(e, DROP_MEMORY);
		d->port->release(d->ctx, e, ip);
		return;
	}
	d->bad[d->bads++] = (struct dhcpd_bad){ *ip, e->now_ns + BAD_S * NS_PER_S };
	d->port->keep(d->ctx, e, ip, true);
}
