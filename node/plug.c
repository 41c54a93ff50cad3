#include "node/plug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REMARK "made by weft-node"

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
		p->bridge_ours = true;
		p->device = *l;
		rtnl_alias(&p->rtnl, l->index, REMARK);
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
	p->bridge_ours = !strcmp(l->alias, REMARK);	/* of a run that was killed */
	return true;
}

/* On a LAN the tap takes what the LAN's machines send: the node itself tells them what is too big. */
static bool into_bridge(struct plug *p, const struct plug_setup *s, struct rtnl_link *tap, struct fail *f)
{
	char command[96];
	struct rtnl_link bridge;
	int err;

	if (!find_bridge(p, s, &bridge, f) ||
	    !set_mtu(p, tap, bridge.mtu > s->mtu ? bridge.mtu : s->mtu, f))
		return false;
	if (tap->master != bridge.index) {
		rtnl_quiet(&p->rtnl, tap->index);	/* a port has no address of its own; harmless if it has */
		err = rtnl_master(&p->rtnl, tap->index, bridge.index);
		snprintf(command, sizeof(command), "ip link set %s master %s", tap->name, s->bridge);
		if (err)
			return not_so(f, err, "put into its bridge the tap", tap->name, command);
	}
	if (!set_up(p, &bridge, f))
		return false;
	p->device = bridge;
	return true;
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
		if (!into_bridge(p, s, &tap, f))
			return false;
	} else if (tap.master) {
		fail_add(f, "the tap %s is a port of a bridge", tap.name);
		fail_hint(f, "accepted: model = router or hybrid with that bridge, or another tap");
		return false;
	} else if (!set_mtu(p, &tap, s->mtu, f)) {
		return false;
	}
	if (!set_up(p, &tap, f))
		return false;
	return find(p, p->device.index ? s->bridge : tap.name, &p->device, f);
}

bool plug_in(struct plug *p, const struct plug_setup *s, struct fail *f)
{
	*p = (struct plug){ .tap.fd = -1 };
	if (plug(p, s, f))
		return true;
	plug_out(p);
	return false;
}

void plug_out(struct plug *p)
{
	struct rtnl_link bridge;

	if (p->rtnl.socket && p->tap.persistent && p->tap.fd >= 0 && p->device.index != p->tap_index)
		rtnl_master(&p->rtnl, p->tap_index, p->master_before);
	tap_close(&p->tap);
	if (p->rtnl.socket && p->bridge_ours && !rtnl_find(&p->rtnl, p->device.name, &bridge) &&
	    bridge.index == p->device.index)
		rtnl_delete(&p->rtnl, bridge.index);
	rtnl_close(&p->rtnl);
	p->bridge_ours = false;
}

int plug_address(struct plug *p, const struct ip *ip, uint8_t bits, bool add)
{
	return rtnl_address(&p->rtnl, p->device.index, ip, bits, add);
}
