/*
 * rtnl.h - network interfaces, as the kernel lists and changes them
 *
 * A request to rtnetlink and its answer, one at a time, through libmnl: find an
 * interface, set it up, give it a MTU, a MAC address, a bridge, an address; make
 * and delete bridges and veth pairs. Nothing is run, nothing is remembered here:
 * who changes something knows how to undo it (plug.h).
 *
 *	Memory		one socket; answers on the stack
 *	Errors		0 or negative errno, as the kernel gave it
 *	Time		waits for the kernel's answer, which comes at once
 */
#ifndef NODE_RTNL_H
#define NODE_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/ip.h"

struct mnl_socket;

/* On every address that we give, so that another run of ours knows it (IFA_PROTO, Linux 5.18) */
enum { RTNL_OURS = 119 };

struct rtnl {
	struct mnl_socket *socket;	/* NULL: not open */
	uint32_t sequence;
};

/** struct rtnl_link - an interface as it is now */
struct rtnl_link {
	int index;
	int master;			/* index of its bridge, 0 = none */
	uint32_t mtu;
	bool up;
	uint8_t mac[6];
	char name[IFNAMSIZ];
	char kind[16];			/* "tun", "bridge", "veth"; empty for hardware */
	char alias[32];			/* a remark, by whoever made it */
};

int rtnl_open(struct rtnl *r);
void rtnl_close(struct rtnl *r);	/* fine if not open */

/** rtnl_find() - The interface called @name; -ENODEV if there is none */
int rtnl_find(struct rtnl *r, const char *name, struct rtnl_link *out);

/** rtnl_remarked() - The interface with the remark @alias and the next index after @after; -ENODEV if there is none */
int rtnl_remarked(struct rtnl *r, const char *alias, int after, struct rtnl_link *out);

int rtnl_up(struct rtnl *r, int index, bool up);
int rtnl_mtu(struct rtnl *r, int index, uint32_t mtu);
int rtnl_mac(struct rtnl *r, int index, const uint8_t mac[6]);

/** rtnl_master() - Put it into the bridge @master; 0 takes it out */
int rtnl_master(struct rtnl *r, int index, int master);

/** rtnl_quiet() - No IPv6 address of the kernel's own making on it */
int rtnl_quiet(struct rtnl *r, int index);

/** rtnl_promote() - With an address the others of its subnet do not go, but one of them takes its place */
int rtnl_promote(struct rtnl *r, int index);

/** rtnl_alias() - Leave a remark on it */
int rtnl_alias(struct rtnl *r, int index, const char *alias);

/** rtnl_bridge() - Make a bridge with @mac; -EEXIST if the name is taken */
int rtnl_bridge(struct rtnl *r, const char *name, const uint8_t mac[6]);

/** rtnl_veth() - Make two interfaces that are one wire, @name with @mac; -EEXIST if a name is taken */
int rtnl_veth(struct rtnl *r, const char *name, const char *peer, const uint8_t mac[6]);

int rtnl_delete(struct rtnl *r, int index);

/**
 * rtnl_give() - Give it @ip, of a subnet of @bits; it may be there already
 * @valid_s: the kernel itself takes it away after so long; 0: never
 *
 * No duplicate address detection: whoever gives it knows that it is ours.
 */
int rtnl_give(struct rtnl *r, int index, const struct ip *ip, uint8_t bits, uint32_t valid_s);
int rtnl_take(struct rtnl *r, int index, const struct ip *ip, uint8_t bits);

/** rtnl_given() - An address of @range that we gave it; -ENOENT if there is none */
int rtnl_given(struct rtnl *r, int index, const struct ip_range *range, struct ip *ip, uint8_t *bits);

#endif /* NODE_RTNL_H */
