/*
 * parts.h - who can reach whom: components of the underlay over time
 *
 * Partitions and cuts divide the hosts; between them lies an epoch in which
 * nothing changes. Two hosts of one part can exchange packets both ways, maybe
 * through others (pairs that cannot talk directly do not make a part). A one-way
 * partition divides as a two-way one does: no answer comes back.
 *
 *	Memory		four bytes a host for each epoch that is remembered and has
 *			more than one part
 *	Time		the caller's; epochs begin in order
 */
#ifndef SIM_WORLD_PARTS_H
#define SIM_WORLD_PARTS_H

#include <stdbool.h>
#include <stdint.h>

struct parts;

/** parts_new() - All @hosts in one part, from the beginning of time */
struct parts *parts_new(uint32_t hosts);
void parts_free(struct parts *p);

/**
 * parts_begin() - From @now_ns on host i lies in part @part[i]; NULL: all in one
 *
 * @part is copied. Numbers are below the number of hosts and compared, nothing
 * else. A second call for the same time replaces the first.
 */
void parts_begin(struct parts *p, int64_t now_ns, const uint32_t *part);

/**
 * parts_refine() - Hosts on different sides of one more thing that divides lie in different parts
 *
 * A part takes the number of its lowest host, so what others do does not change
 * the number of a part that stays as it is. All zeroes, one part, is a beginning.
 * @side: one for each of the @hosts, any numbers
 */
void parts_refine(uint32_t *part, uint32_t hosts, const uint8_t *side);

/** parts_forget() - Drop epochs that ended before @before_ns */
void parts_forget(struct parts *p, int64_t before_ns);

/** parts_now() - The part of @host in the present epoch */
uint32_t parts_now(const struct parts *p, uint32_t host);

/** parts_count() - How many parts the present epoch has */
unsigned parts_count(const struct parts *p);

/** struct epoch - a time in which nothing changed; the last has until_ns INT64_MAX */
struct epoch {
	int64_t from_ns, until_ns;	/* [from, until) */
	uint32_t *part;			/* NULL: all in one */
	unsigned parts;
};

/** parts_epoch() - The epoch @at_ns lies in, or the oldest remembered; parts_following(): the next or NULL */
const struct epoch *parts_epoch(const struct parts *p, int64_t at_ns);
const struct epoch *parts_following(const struct parts *p, const struct epoch *e);

static inline uint32_t epoch_part(const struct epoch *e, uint32_t host)
{
	return e->part ? e->part[host] : 0;
}

#endif /* SIM_WORLD_PARTS_H */
