/* suites.h - every unit suite, once; main.c expands the list into CUnit's table */
#ifndef SUITES_H
#define SUITES_H

#include <CUnit/CUnit.h>

#define SUITE_LIST(X)		\
	X(apply)	\
	X(arp)	\
	X(bytes)	\
	X(capture)	\
	X(cert)	\
	X(chance)	\
	X(check_answers)	\
	X(check_belief)	\
	X(check_casts)	\
	X(check_census)	\
	X(check_history)	\
	X(check_lengths)	\
	X(check_linear)	\
	X(check_rings)	\
	X(check_routes)	\
	X(check_tables)	\
	X(check_views)	\
	X(client)	\
	X(clock)	\
	X(dhcp)	\
	X(dhcp6)	\
	X(dhcp_guests)	\
	X(dhcp_wire)	\
	X(diary)	\
	X(dist)	\
	X(dns)	\
	X(dns_names)	\
	X(dns_wire)	\
	X(engine)	\
	X(eventlog)	\
	X(expect)	\
	X(fixed)	\
	X(guest)	\
	X(handshake)	\
	X(heap)	\
	X(held)	\
	X(home)	\
	X(icmp)	\
	X(id)	\
	X(invite)	\
	X(journal)	\
	X(keep)	\
	X(label)	\
	X(mem)	\
	X(metrics)	\
	X(multicast)	\
	X(nd)	\
	X(near)	\
	X(net)	\
	X(net_fault)	\
	X(net_import)	\
	X(net_latency)	\
	X(network)	\
	X(next)	\
	X(node_config)	\
	X(node_text)	\
	X(noise)	\
	X(op)	\
	X(order)	\
	X(overlay)	\
	X(packet)	\
	X(plug)	\
	X(population)	\
	X(prog)	\
	X(queue)	\
	X(random)	\
	X(remember)	\
	X(replica)	\
	X(report)	\
	X(resolve)	\
	X(revoke)	\
	X(rundir)	\
	X(saves)	\
	X(scenario)	\
	X(scenarios)	\
	X(segment)	\
	X(session)	\
	X(shards)	\
	X(slab)	\
	X(story_dht)	\
	X(story_cast)	\
	X(story_link)	\
	X(story_names)	\
	X(story_path)	\
	X(story_ring)	\
	X(suite)	\
	X(sweep)	\
	X(trace)	\
	X(truth)	\
	X(tunnel)	\
	X(udp)	\
	X(units)	\
	X(vnet_edge)	\
	X(vnet_guest)	\
	X(world)

#define X(name) extern CU_TestInfo name##_tests[];
SUITE_LIST(X)
#undef X

#endif /* SUITES_H */
