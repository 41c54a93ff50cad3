/*
 * order.h - what a control client may ask: one line of JSON
 *
 *	{"ask":"status"}
 *	{"ask":"trace","key":"5f0c...","timeout_ms":10000,"id":7}
 *	{"ask":"resolve","address":"10.9.0.7","network":"home"}
 *	{"ask":"put","name":"printer","value":"lpd"}
 *
 * `id`, a number or a text, comes back in every answer. Members that are not
 * known are refused: a misspelt option that is ignored is worse than an error.
 *
 *	Memory		none kept; jansson's while parsing
 *	Bad input	lines up to ORDER_LINE bytes, nothing in them is trusted
 */
#ifndef NODE_ORDER_H
#define NODE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/endpoint.h"
#include "core/base/id.h"
#include "core/base/ip.h"
#include "node/prog/units.h"

enum {
	ORDER_LINE = 4096, ORDER_ID = 64, ORDER_NETWORK = 32, ORDER_TIMEOUT_MAX_MS = 60000,
	ORDER_NAME = 256, ORDER_VALUE = 1024, ORDER_SIZE_MAX = 9000, ORDER_SPAN_MAX_MS = 3600000,
};

#define ORDER_LIST(X)							\
	X(STATUS,	"status")	/* who and where this node is */	\
	X(PEERS,	"peers")	/* its links */				\
	X(TRACE,	"trace")	/* the way to the owner of a key */	\
	X(RESOLVE,	"resolve")	/* who holds an address, by majority */	\
	X(LEASES,	"leases")	/* addresses this node holds */		\
	X(NETWORKS,	"networks")	/* its cards, their taps and counters */ \
	X(NAMES,	"names")	/* names it publishes */		\
	X(TUNNELS,	"tunnels")	/* whom its guests talk to, and by what way */ \
	X(SLOTS,	"slots")	/* what it keeps for the DHT */		\
	X(SEEN,		"seen")		/* where peers see it */		\
	X(CALL,		"call")		/* have a link with whoever is at an endpoint */ \
	X(PING,		"ping")		/* an echo: of a node, through the ring or a tunnel */ \
	X(GET,		"get")		/* the values under a name */		\
	X(PUT,		"put")		/* a value of ours under a name */	\
	X(DELETE,	"delete")	/* not any more */			\
	X(METRICS,	"metrics")	/* counters, as Prometheus reads them */ \
	X(PCAP,		"pcap")		/* frames or datagrams into a pipe that comes with the order */ \
	X(REVOKE,	"revoke")	/* a list of the revoked, in a file that comes with the order */ \
	X(STOP,		"stop")		/* leave the overlay and end */		\
	X(VERSION,	"version")

enum order_kind {
#define X(name, text) ORDER_##name,
	ORDER_LIST(X)
#undef X
	ORDERS
};

struct order {
	enum order_kind kind;
	struct id key;			/* TRACE; PING: of whom */
	struct ip ip;			/* RESOLVE */
	struct endpoint at;		/* CALL */
	char network[ORDER_NETWORK];	/* a network's name; empty: RESOLVE: the one whose range the address is in; PING: through
					 * the ring, not a tunnel; else the first */
	int64_t timeout_ns;		/* of what core answers later; PCAP: how long */
	uint16_t size;			/* PING: bytes of it */
	uint8_t type;			/* GET: enum value_type, 0 = plain */
	bool overlay;			/* PCAP: datagrams, not frames */
	char name[ORDER_NAME];		/* GET, PUT, DELETE */
	char value[ORDER_VALUE + 1];	/* PUT: a text */
	char id[2 + 6 * ORDER_ID + 1];	/* JSON of the client's id; empty if none */
};

/**
 * order_read() - Parse one line (no newline in it)
 * @why: half a sentence on failure; of @o only the id is then good
 */
bool order_read(const char *line, size_t len, struct order *o, char why[WHY_LEN]);

const char *order_text(enum order_kind kind);

#endif /* NODE_ORDER_H */
