/* net_lab.h - a small network for the net suites: n interfaces, one packet at a time */
#ifndef NET_LAB_H
#define NET_LAB_H

#include <stdlib.h>
#include <string.h>

#include "sim/net/fault.h"
#include "sim/net/net.h"
#include "tests/unit/suites.h"

#define MS	INT64_C(1000000)
#define SECOND	INT64_C(1000000000)
#define PERCENT	10000000u			/* in ppb */

static inline struct net *lab(const struct net_config *c, uint32_t ifaces)
{
	struct net_error why = { "" };
	struct net *net = net_new(c, &why);

	if (!net) {
		CU_FAIL(net_new);
		printf("%s\n", why.text);
		abort();
	}
	while (ifaces--)
		net_iface_add(net, &(struct net_iface_config){ 0 });
	return net;
}

static inline struct packet lab_packet(const struct net *net, uint32_t from, uint32_t to,
				       uint32_t len)
{
	static const uint8_t payload[IP_BYTES_MAX];
	enum endpoint_kind kind = net_address(net, from, ENDPOINT_UDP4).kind ? ENDPOINT_UDP4 :
									       ENDPOINT_UDP6;

	return packet_udp(net_address(net, from, kind), net_address(net, to, kind), payload, len);
}

/* @len bytes of UDP from @from to @to; lane 0 */
static inline struct net_verdict lab_send(struct net *net, uint32_t from, uint32_t to,
					  uint32_t len, int64_t now_ns)
{
	struct packet p = lab_packet(net, from, to, len);
	struct net_verdict v;

	net_depart(net, 0, from, &p, now_ns, &v);
	return v;
}

/* Is @got within @sigmas deviations of @n trials that hit with @ppb? */
static inline bool lab_binomial(uint64_t got, uint64_t n, uint32_t ppb, double sigmas)
{
	double p = ppb / 1e9, mean = (double)n * p, off = (double)got - mean;

	return off * off <= sigmas * sigmas * mean * (1 - p);
}

#endif /* NET_LAB_H */
