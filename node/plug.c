#include "node/plug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Something could not be changed: what an administrator could do instead. */
static bool not_so(struct fail *f, int err, const char *what, const char *name, const char *command)
{
	fail_add(f, "cannot %s %s: %s", what, name, strerror(-err));
	if (err == -EPERM)
		fail_hint(f, "accepted: CAP_NET_ADMIN, or `%s` done before", command);
	return false;
}

static bool set_mtu(struct plug *p, const struct rtnl_link *l, uint32_t mtu, struct fail *f)
{
	char command[96];
	int err;

	if (l->mtu == mtu)
		return true;
	err = rtnl_mtu(&p->rtnl, l->index, mtu);
	snprintf(command, sizeof(command), "ip link set %s mtu %u", l->name, mtu);
	return !err || not_so(f, err, "set the MTU of", l->name, command);
}

static bool set_up(struct plug *p, const struct rtnl_link *l, struct fail *f)
{
	char command[96];
	int err;

	if (l->up)
		return true;
	err = rtnl_up(&p->rtnl, l->index, true);
	snprintf(command, sizeof(command), "ip link set %s up", l->name);
	return !err || not_so(f, err, "bring up", l->name, command);
}

static bool find(struct plug *p, const char *name, struct rtnl_link *l, struct fail *f)
{
	int err = rtnl_find(&p->rtnl, name, l);

	if (err)
		fail_errno(f, "look at the interface", name, err);
	return !err;
}

/* The bridge @s wants, in @l; made if it is not there. */
static bool find_bridge(struct plug *p, const struct plug_setup *s, struct rtnl_link *l, struct fail *f)
{
	char command[96];
	int err = rtnl_find(&p->rtnl, s->bridge, l);

	if (err == -ENODEV) {
		err = rtnl_bridge(&p->rtnl, s->bridge, s->bridge_mac);
		snprintf(command, sizeof(command), "ip link add %s type bridge", s->bridge);
		if (err)
			return not_so(f, err, "make the bridge", s->bridge, command);
		if (!find(p, s->bridge, l, f))
			return false;
		memcpy(p->bridge, l->name, IFNAMSIZ);
		rtnl_alias(&p->rtnl, l->index, s->remark);
		return set_mtu(p, l, s->mtu, f) && find(p, s->bridge, l, f);
	}
	if (err) {
		fail_errno(f, "look at the interface", s->bridge, err);
		return false;
	}
	if (strcmp(l->kind, "bridge")) {
		fail_add(f, "%s is an interface already, and no bridge", s->bridge);
		fail_hint(f, "accepted: a bridge, or a name that no interface has yet");
		return false;
	}
	if (!strcmp(l->alias, s->remark))
		memcpy(p->bridge, l->name, IFNAMSIZ);	/* of a run that was killed */
	return true;
}

/* Make @l a port of @bridge. It takes what the LAN's machines send: the node itself tells them what is too big. */
static bool into_bridge(struct plug *p, const struct plug_setup *s, struct rtnl_link *l, const struct rtnl_link *bridge,
			struct fail *f)
{
	char command[96];
	int err;

	if (!set_mtu(p, l, bridge->mtu > s->mtu ? bridge->mtu : s->mtu, f))
		return false;
	if (l->master == bridge->index)
		return true;
	rtnl_quiet(&p->rtnl, l->index);		/* a port has no address of its own; harmless if it has */
	err = rtnl_master(&p->rtnl, l->index, bridge->index);
	snprintf(command, sizeof(command), "ip link set %s master %s", l->name, s->bridge);
	return !err || not_so(f, err, "put into its bridge", l->name, command);
}

/* A veth called @name with its other end in @bridge. */
static bool make_veth(struct plug *p, const struct plug_setup *s, const char *name, const struct rtnl_link *bridge,
		      struct fail *f)
{
	struct rtnl_link near, far;
	char peer[IFNAMSIZ], command[96];
	int err;

	snprintf(peer, sizeof(peer), "%.14sp", p->tap.name);
	err = rtnl_veth(&p->rtnl, name, peer, s->bridge_mac);
	snprintf(command, sizeof(command), "ip link add %s type veth peer name %s", name, peer);
	if (err)
		return not_so(f, err, "make the device", name, command);
	memcpy(p->veth, name, IFNAMSIZ);
	if (!find(p, name, &near, f) || !find(p, peer, &far, f))
		return false;
	rtnl_alias(&p->rtnl, near.index, s->remark);
	return set_mtu(p, &near, s->mtu, f) && into_bridge(p, s, &far, bridge, f) && set_up(p, &far, f);
}

/* This host's own card under hybrid, made if it is not there. */
static bool own_device(struct plug *p, const struct plug_setup *s, const struct rtnl_link *bridge, struct fail *f)
{
	char name[IFNAMSIZ];
	struct rtnl_link l;
	int err;

	snprintf(name, sizeof(name), "%.14sh", p->tap.name);
	if (s->device)
		snprintf(name, sizeof(name), "%s", s->device);
	err = rtnl_find(&p->rtnl, name, &l);
	if (!err && !strcmp(l.alias, s->remark)) {	/* of a run that was killed */
		rtnl_delete(&p->rtnl, l.index);
		err = -ENODEV;
	}
	if (err == -ENODEV && !make_veth(p, s, name, bridge, f))
		return false;
	return find(p, name, &l, f) && set_up(p, &l, f) && find(p, name, &p->device, f);
}

static bool on_lan(struct plug *p, const struct plug_setup *s, struct rtnl_link *tap, struct fail *f)
{
	struct rtnl_link bridge;

	if (!find_bridge(p, s, &bridge, f) || !into_bridge(p, s, tap, &bridge, f) || !set_up(p, &bridge, f))
		return false;
	p->port = true;
	if (s->model == MODEL_HYBRID)
		return own_device(p, s, &bridge, f);
	return find(p, s->bridge, &p->device, f);
}

static bool plug(struct plug *p, const struct plug_setup *s, struct fail *f)
{
	struct rtnl_link tap;
	int err = rtnl_open(&p->rtnl);

	if (err) {
		fail_errno(f, "open", "rtnetlink", err);
		return false;
	}
	if (!tap_open(&p->tap, s->tap, s->iface, f) || !find(p, p->tap.name, &tap, f))
		return false;
	p->tap_index = tap.index;
	p->master_before = tap.master;
	if (!p->tap.persistent) {
		err = rtnl_mac(&p->rtnl, tap.index, s->mac);
		if (err)
			return not_so(f, err, "set the MAC address of", tap.name, "ip tuntap add");
	}
	if (s->model != MODEL_INTERFACE) {
		if (!on_lan(p, s, &tap, f))
			return false;
	} else if (tap.master) {
		fail_add(f, "the tap %s is a port of a bridge", tap.name);
		fail_hint(f, "accepted: model = router or hybrid with that bridge, or another tap");
		return false;
	} else if (!set_mtu(p, &tap, s->mtu, f)) {
		return false;
	}
	if (!set_up(p, &tap, f) || (!p->device.index && !find(p, tap.name, &p->device, f)))
		return false;
	rtnl_promote(&p->rtnl, p->device.index);
	return true;
}

bool plug_in(struct plug *p, const struct plug_setup *s, struct fail *f)
{
	*p = (struct plug){ .tap.fd = -1 };
	if (plug(p, s, f))
		return true;
	plug_out(p);
	return false;
}

/* Gone, if it is what we think it is. */
static void unmake(struct plug *p, char name[IFNAMSIZ])
{
	struct rtnl_link l;

	if (*name && !rtnl_find(&p->rtnl, name, &l))
		rtnl_delete(&p->rtnl, l.index);
	*name = 0;
}

void plug_out(struct plug *p)
{
	if (p->rtnl.socket && p->tap.persistent && p->tap.fd >= 0 && p->port)
		rtnl_master(&p->rtnl, p->tap_index, p->master_before);
	tap_close(&p->tap);
	if (p->rtnl.socket) {
		unmake(p, p->veth);
		unmake(p, p->bridge);
	}
	rtnl_close(&p->rtnl);
}

void plug_sweep(const char *remark, const char *const *keep, unsigned keeps)
{
	struct rtnl_link l = { 0 };
	struct rtnl r;

	if (rtnl_open(&r))
		return;
	while (!rtnl_remarked(&r, remark, l.index, &l)) {
		unsigned i = 0;

		while (i < keeps && strcmp(keep[i], l.name))
			i++;
		if (i == keeps)
			rtnl_delete(&r, l.index);
	}
	rtnl_close(&r);
}

int plug_give(struct plug *p, const struct ip *ip, uint8_t bits, uint32_t valid_s)
{
	return rtnl_give(&p->rtnl, p->device.index, ip, bits, valid_s);
}

int plug_take(struct plug *p, const struct ip *ip, uint8_t bits)
{
	return rtnl_take(&p->rtnl, p->device.index, ip, bits);
}

unsigned plug_flush(struct plug *p, const struct ip_range *range)
{
	unsigned count = 0;
	struct ip ip;
	uint8_t bits;

	while (range->ip.family && !rtnl_given(&p->rtnl, p->device.index, range, &ip, &bits) &&
	       !rtnl_take(&p->rtnl, p->device.index, &ip, bits))
		count++;
	return count;
}
