/*
 * order.h - what a control client may ask: one line of JSON
 *
 *	{"ask":"status"}
 *	{"ask":"trace","key":"5f0c...","timeout_ms":10000,"id":7}
 *	{"ask":"resolve","address":"10.9.0.7","network":"home"}
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

#include "core/base/id.h"
#include "core/base/ip.h"
#include "node/prog/units.h"

enum { ORDER_LINE = 4096, ORDER_ID = 64, ORDER_NETWORK = 32, ORDER_TIMEOUT_MAX_MS = 60000 };

#define ORDER_LIST(X)							\
	X(STATUS,	"status")	/* who and where this node is */	\
	X(PEERS,	"peers")	/* its links */				\
	X(TRACE,	"trace")	/* the way to the owner of a key */	\
	X(RESOLVE,	"resolve")	/* who holds an address, by majority */	\
	X(LEASES,	"leases")	/* addresses this node holds */		\
	X(NETWORKS,	"networks")	/* its cards, their taps and counters */ \
	X(NAMES,	"names")	/* names it publishes */		\
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
	struct id key;			/* TRACE */
	struct ip ip;			/* RESOLVE */
	char network[ORDER_NETWORK];	/* RESOLVE: its name; empty: the one whose range the address is in */
	int64_t timeout_ns;		/* TRACE, RESOLVE */
	char id[2 + 6 * ORDER_ID + 1];	/* JSON of the client's id; empty if none */
};

/**
 * order_read() - Parse one line (no newline in it)
 * @why: half a sentence on failure; of @o only the id is then good
 */
bool order_read(const char *line, size_t len, struct order *o, char why[WHY_LEN]);

const char *order_text(enum order_kind kind);

#endif /* NODE_ORDER_H */
