/*
 * dns_forward.h - other names: asked of the server the network record names, if that one is in the network
 *
 * The gateway's address is every node's: what a server inside the network sends
 * there ends at its own node. So the question goes out under the guest's own
 * address, from a port and with an id that are drawn, and the answer is caught
 * before the guest sees it and told in the gateway's name. Servers outside the
 * network, or behind this very tap, are not asked: DHCP names them to guests.
 *
 *	Memory		FORWARDS_MAX questions under way, from env.mem
 *	Time		FORWARD_S each; then the guest asks again
 *	Chance		port and id of each question
 */
#ifndef VNET_DNS_FORWARD_H
#define VNET_DNS_FORWARD_H

#include "core/vnet/dns_server.h"
#include "core/vnet/parts.h"

enum { FORWARDS_MAX = 32, FORWARD_S = 5, FORWARD_BYTES = 1400 };

/** struct dns_asked - one question under way */
struct dns_asked {
	int64_t until_ns;
	struct ip server;
	uint16_t id, port;		/* as sent */
	struct dns_asker from;
	struct dns_query q;
};

struct dns_forwards {
	struct dns_asked *asked;
	uint16_t count, cap;
};

/** forward_ask() - Ask for @q; false: there is nobody to ask, or no room (counted) */
bool forward_ask(struct dns_forwards *f, struct vnet *v, struct env *e, const struct dns_asker *from,
		 const struct dns_query *q);

/** forward_answer() - Is @p, for a guest of ours, the answer to a question of ours? Then @to and @message (@out, up to
 * FORWARD_BYTES) are what the guest is told, and the question is over */
bool forward_answer(struct dns_forwards *f, const struct packet *p, struct dns_asker *to, uint8_t out[FORWARD_BYTES],
		    struct bytes *message);

/** forward_timer() - What got no answer is forgotten; when to come back, INT64_MAX = never */
int64_t forward_timer(struct dns_forwards *f, struct env *e);
void forward_free(struct dns_forwards *f, struct env *e);

#endif /* VNET_DNS_FORWARD_H */
