/*
 * address.c - who has which address
 *
 * Planned addresses are arithmetic on the interface's number. Others, and the
 * fresh ones of interfaces that roam, are in a hash that is looked up, never
 * walked; a second one lists them by interface in the order they were added.
 * Fresh addresses come from the far end of the plan, which interfaces reach last.
 */
#include <assert.h>
#include <string.h>

#include "sim/net/inside.h"

enum { PLAN_V4 = 10u << 24, LAST_OCTETS = 254 };

static const uint8_t plan_v6[8] = { 0xfd, 0x77, 0x65, 0x66, 0x74, 0, 0, 0 };

static struct endpoint planned(uint32_t index, enum endpoint_kind family)
{
	struct endpoint e = { .kind = (uint8_t)family };
	uint64_t host = (uint64_t)index + 1;

	if (family == ENDPOINT_UDP4)
		return (struct endpoint)endpoint_v4(PLAN_V4 + (index / LAST_OCTETS << 8) + 1 +
						    index % LAST_OCTETS, 0);
	memcpy(e.addr, plan_v6, sizeof(plan_v6));
	for (int i = 0; i < 8; i++)
		e.addr[15 - i] = (uint8_t)(host >> 8 * i);
	e.kind = ENDPOINT_UDP6;
	return e;
}

/* The number an address has in the plan, or NET_NOBODY. */
static uint32_t plan_index(const struct endpoint *e)
{
	if (e->kind == ENDPOINT_UDP4) {
		uint32_t host = (uint32_t)e->addr[1] << 8 | e->addr[2], last = e->addr[3];

		if (e->addr[0] != PLAN_V4 >> 24 || !last || last > LAST_OCTETS)
			return NET_NOBODY;
		return host * LAST_OCTETS + last - 1;
	}
	if (e->kind == ENDPOINT_UDP6) {
		uint64_t host = 0;

		if (memcmp(e->addr, plan_v6, sizeof(plan_v6)))
			return NET_NOBODY;
		for (int i = 8; i < 16; i++)
			host = host << 8 | e->addr[i];
		return host && host <= NET_PLAN ? (uint32_t)(host - 1) : NET_NOBODY;
	}
	return NET_NOBODY;
}

static guint other_hash(gconstpointer p)
{
	const struct endpoint *e = p;
	uint64_t a, b;

	memcpy(&a, e->addr, 8);
	memcpy(&b, e->addr + 8, 8);
	a = (a ^ (b * 0x9e3779b97f4a7c15u)) * 0xd2b74407b1ce6e93u;
	return (guint)(a >> 32) ^ e->kind;
}

static gboolean other_equal(gconstpointer x, gconstpointer y)
{
	const struct endpoint *a = x, *b = y;

	return a->kind == b->kind && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static void list_free(gpointer list)
{
	g_array_free(list, TRUE);
}

void net_addresses_init(struct net *net)
{
	net->others = g_hash_table_new_full(other_hash, other_equal, g_free, NULL);
	net->listed = g_hash_table_new_full(NULL, NULL, NULL, list_free);
}

void net_addresses_done(struct net *net)
{
	g_hash_table_destroy(net->others);
	g_hash_table_destroy(net->listed);
}

static uint8_t plan_flag(enum endpoint_kind family)
{
	return family == ENDPOINT_UDP6 ? PLACE_PLAN6 : PLACE_PLAN4;
}

static uint8_t other_flag(enum endpoint_kind family)
{
	return family == ENDPOINT_UDP6 ? PLACE_OTHER6 : PLACE_OTHER4;
}

static gpointer list_key(uint32_t iface, enum endpoint_kind family)
{
	return GSIZE_TO_POINTER((gsize)iface << 1 | (family == ENDPOINT_UDP6));
}

static GArray *list_of(const struct net *net, uint32_t iface, enum endpoint_kind family)
{
	return net->place[iface].flags & other_flag(family) ?
	       g_hash_table_lookup(net->listed, list_key(iface, family)) : NULL;
}

uint32_t net_address_owner(const struct net *net, const struct endpoint *e)
{
	uint32_t i = plan_index(e);

	if (i < net->ifaces && net->place[i].flags & plan_flag(e->kind))
		return i;
	/* An interface less one is the null pointer of an absent address. */
	return g_hash_table_size(net->others) ?
	       GPOINTER_TO_UINT(g_hash_table_lookup(net->others, e)) - 1 : NET_NOBODY;
}

bool net_address_owned(const struct net *net, uint32_t iface, const struct endpoint *e)
{
	if (plan_index(e) == iface)
		return net->place[iface].flags & plan_flag(e->kind);
	return net_address_owner(net, e) == iface;
}

struct endpoint net_address(const struct net *net, uint32_t iface, enum endpoint_kind family)
{
	GArray *list;

	assert(iface < net->ifaces);
	list = list_of(net, iface, family);
	if (list)
		return g_array_index(list, struct endpoint, list->len - 1);
	if (net->place[iface].flags & plan_flag(family))
		return planned(iface, family);
	return (struct endpoint){ 0 };
}

bool net_address_add(struct net *net, uint32_t iface, const struct endpoint *e)
{
	struct endpoint plain = { .kind = e->kind };
	GArray *list;

	assert(iface < net->ifaces);
	assert(e->kind == ENDPOINT_UDP4 || e->kind == ENDPOINT_UDP6);
	if (net_address_owner(net, e) != NET_NOBODY)
		return false;
	if (plan_index(e) == iface) {
		net->place[iface].flags |= plan_flag(e->kind);
		return true;
	}
	memcpy(plain.addr, e->addr, sizeof(plain.addr));
	list = list_of(net, iface, e->kind);
	if (!list) {
		list = g_array_new(FALSE, FALSE, sizeof(struct endpoint));
		g_hash_table_insert(net->listed, list_key(iface, e->kind), list);
		net->place[iface].flags |= other_flag(e->kind);
	}
	g_array_append_val(list, plain);
	g_hash_table_insert(net->others, g_memdup2(&plain, sizeof(plain)),
			    GUINT_TO_POINTER(iface + 1));
	return true;
}

bool net_address_del(struct net *net, uint32_t iface, const struct endpoint *e)
{
	GArray *list;

	assert(iface < net->ifaces);
	if (!net_address_owned(net, iface, e))
		return false;
	if (plan_index(e) == iface) {
		net->place[iface].flags &= (uint8_t)~plan_flag(e->kind);
		return true;
	}
	list = list_of(net, iface, e->kind);
	for (guint i = 0; i < list->len; i++)
		if (other_equal(&g_array_index(list, struct endpoint, i), e)) {
			g_array_remove_index(list, i);
			break;
		}
	g_hash_table_remove(net->others, e);
	if (!list->len) {
		g_hash_table_remove(net->listed, list_key(iface, e->kind));
		net->place[iface].flags &= (uint8_t)~other_flag(e->kind);
	}
	return true;
}

struct endpoint net_roam(struct net *net, uint32_t iface, enum endpoint_kind family)
{
	struct endpoint old, fresh;

	while ((old = net_address(net, iface, family)).kind != ENDPOINT_NONE)
		net_address_del(net, iface, &old);
	do {
		assert(net->ifaces + net->roamed < NET_PLAN);
		fresh = planned(NET_PLAN - ++net->roamed, family);
	} while (!net_address_add(net, iface, &fresh));
	return fresh;
}
