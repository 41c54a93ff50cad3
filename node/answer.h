/*
 * answer.h - a node's state as JSON, for the control socket
 *
 * Ids are 32 hexadecimal digits, endpoints as in text.h, times carry their unit
 * in the name. Reads through core/look.h only: being asked changes nothing.
 *
 *	Memory		jansson's; the caller owns the result
 */
#ifndef NODE_ANSWER_H
#define NODE_ANSWER_H

#include <jansson.h>

#include "node/addresses.h"
#include "node/member.h"

/** answer_status() - {"status":{...}}: who, where, how large, how much */
json_t *answer_status(const struct member *m, int64_t now_ns);

/** answer_peers() - {"peers":[...]}: every link, those that are being made included */
json_t *answer_peers(const struct member *m, int64_t now_ns);

/** answer_hop() - {"hop":{...}} of a trace; @since_ns: from asking to this answer */
json_t *answer_hop(const struct reply *r, int64_t since_ns);

/** answer_trace() - {"trace":{...}}, the end of one; @wrong: set to the reason if there is no owner */
json_t *answer_trace(const struct reply *r, struct id key, int64_t since_ns, const char **wrong);

/* ---- answer_net.c ---- */

/** answer_networks() - {"networks":[...]}: cards, taps, counters, machines behind them */
json_t *answer_networks(const struct member *m, int64_t now_ns);

/** answer_leases() - {"leases":[...]}: addresses this node holds, believed or not */
json_t *answer_leases(const struct member *m, int64_t now_ns);

/** answer_names() - {"names":[...]}: names this node publishes */
json_t *answer_names(const struct member *m, int64_t now_ns);

/** answer_resolve() - {"resolve":{...}}: who holds @asked; without "holder" nobody does. @wrong as above */
json_t *answer_resolve(const struct reply *r, const struct ip *asked, int64_t since_ns, const char **wrong);

/** answer_network() - "network" into @o: its name; of one we are no member of, but vote for, its id */
void answer_network(json_t *o, const struct member *m, struct id id);

/* ---- answer_dht.c ---- */

/** answer_tunnels() - {"tunnels":[...]}: with whom our guests talk, and by what way */
json_t *answer_tunnels(const struct member *m);

/** answer_slots() - {"slots":[...],"dht":{...}}: what this node keeps for the DHT */
json_t *answer_slots(const struct member *m, int64_t now_ns);

/** answer_seen() - {"seen":[...],"own":[...]}: where peers see us, and what addresses this machine has */
json_t *answer_seen(const struct member *m, const struct addresses *own, int64_t now_ns);

/** answer_value() - {"value":{...}}, one of those under a name; @type: enum value_type */
json_t *answer_value(const struct reply *r, uint8_t type);

/** answer_addresses() - the addresses in a VALUE_ADDRESS, as far as it is well formed */
json_t *answer_addresses(struct bytes b);

/** answer_named() - {@what:{...}}: get, put, delete came to an end. @wrong as above; nothing there is no failure */
json_t *answer_named(const struct reply *r, const char *what, const char *name, int64_t since_ns, const char **wrong);

/** answer_ping() - {"ping":{...}}: @whom answered; @network: index, of ASK_ECHO */
json_t *answer_ping(const struct member *m, const struct reply *r, struct id whom, unsigned network, int64_t since_ns);

#endif /* NODE_ANSWER_H */
