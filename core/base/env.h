/*
 * env.h - what every module of one node is handed: time, chance, memory, a way out
 *
 * One struct env stands inside each struct node and goes down every call as the
 * first argument. It is not a global in disguise: nothing in it belongs to
 * another node except the shared constants behind const pointers.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "core/base/door.h"
#include "core/base/heap.h"
#include "core/base/mem.h"
#include "core/base/random.h"

struct config;
struct suite;
struct revocations;

#define NS_PER_US	1000LL
#define NS_PER_MS	1000000LL
#define NS_PER_S	1000000000LL

struct env {
	int64_t now_ns;
	int64_t birth_ns;
	const struct config *config;	/* core/base/config.h */
	const struct suite *suite;	/* the primitives, core/seal/suite.h */
	struct effects *fx;		/* only inside a step */
	struct mem mem;
	struct random random;
	struct heap timers;
	uint32_t offloads;		/* enum can */
	uint32_t ciphers;		/* of the suite's those that this machine computes fast, CHACHA aside */
	int64_t utc_ns;			/* wall time at utc_at_ns; 0 = never told */
	int64_t utc_at_ns;
	uint32_t index_base;		/* high bits of our receiver indexes, the host's choice */
	uint64_t incarnation;		/* told in handshakes: grows with every start */
	uint64_t save_token;		/* of the last save asked for */
	const struct revocations *revoked;	/* core/seal/revoke.h; NULL: nobody is */
};

/* Timer tags: the owner in the upper bits, a slot in the lower. */
enum timer_owner {
	TIMER_RING	= 0,
	TIMER_DHT	= 12,
	TIMER_LEAVE	= 18,			/* a stopping node looks whether all is handed over */
	TIMER_TUNNEL	= 19,
	TIMER_QUIT	= 20,			/* a network is being left */
	TIMER_ADMIT	= 21,			/* core/dht/admit.h */
	TIMER_GAZETTE	= 22,
	TIMER_NEWCOMER	= 23,
	TIMER_VNET	= 24,			/* one for each network */
	NETWORKS_MAX	= 8,
	TIMER_LINK	= TIMER_VNET + NETWORKS_MAX,
	TIMER_TAGS	= TIMER_LINK + 1024
};

/** env_send() - Room for one datagram of up to @max bytes, to be shut by env_sent(); bad writer at the limit */
struct writer env_send(struct env *e, size_t max);

/**
 * env_sent() - The datagram in @w is complete: it goes to @to, accounted as @kind
 * One effect with the last if that went to the same place, has its size and stands before it, and the host can do that
 */
void env_sent(struct env *e, const struct writer *w, const struct endpoint *to, uint8_t kind);

/** env_scratch() - @bytes that are good until the step ends, 8-byte aligned; NULL if there is no room */
void *env_scratch(struct env *e, size_t bytes);

/** env_record() - Say that something happened */
void env_record(struct env *e, enum record_kind kind, struct id peer, uint64_t a, uint64_t b);

/** env_reply() - Answer a control request */
void env_reply(struct env *e, const struct reply *r);

/**
 * env_save() - Ask the host to keep @len bytes (copied) under @kind and @part; 0 bytes: to forget them
 * Return: the token that comes back when it is durable; 0 if there was no room (DROP_EFFECTS counted)
 */
uint64_t env_save(struct env *e, enum save_kind kind, uint64_t part, const void *data, uint32_t len);

/** env_deed() - A question about an address begins or ends; told if the host wants to know, else nothing */
void env_deed(struct env *e, const struct deed *d);

/** env_reflex() - @peer sees us at @at; likewise */
void env_reflex(struct env *e, struct id peer, const struct endpoint *at);

/** env_frame() - A frame of @len bytes (copied) for the tap @iface; @o may be NULL */
void env_frame(struct env *e, uint16_t iface, const void *data, uint16_t len, const struct offload *o);

/** env_drop() - Count a drop; DROP_NONE counts nothing. Returns @why, so that it can end a function */
enum drop env_drop(struct env *e, enum drop why);

/** env_ms() - milliseconds since birth, for compact stamps; wraps after 49 days */
static inline uint32_t env_ms(const struct env *e)
{
	return (uint32_t)((e->now_ns - e->birth_ns) / NS_PER_MS);
}

#endif /* BASE_ENV_H */
