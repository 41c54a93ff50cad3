/*
 * held_help.h - one user of leases on some nodes of the lab: it wants, and hears what became of it
 */
#ifndef TESTS_HELD_HELP_H
#define TESTS_HELD_HELP_H

#include "tests/unit/dht_lab.h"

#define S	NS_PER_S

static const struct ip ANY = { .family = 4 };

static inline bool want(struct lab *l, unsigned i, struct ip ip, uint64_t client, uint32_t term_s, bool keep)
{
	return held_want(lab_of(l, i), lab_at(l, i), DHT_USER_VNET, 100 + client, l->record.id, &ip, client, term_s, keep);
}

/* the next piece of news of node @i, which must be there */
static inline struct held_news heard(struct lab *l, unsigned i)
{
	struct held_news n = { .word = 255 };

	CU_ASSERT_TRUE_FATAL(held_next(lab_of(l, i), &n));
	return n;
}

static inline bool quiet(struct lab *l, unsigned i)
{
	struct held_news n;

	return !held_next(lab_of(l, i), &n);
}

static inline struct kept *record_of(struct lab *l, struct ip ip)
{
	struct slot_name s = slot_of_ip(l->record.id, &ip);

	return store_find(&lab_slot(l, &s)->store, ip_low(&ip) & 63);
}

static inline struct ip granted(struct lab *l, unsigned i, uint64_t client, uint32_t term_s, bool keep)
{
	struct held_news n;

	CU_ASSERT_TRUE_FATAL(want(l, i, ANY, client, term_s, keep));
	lab_run(l, 0);
	n = heard(l, i);
	CU_ASSERT_EQUAL_FATAL(n.word, HELD_GRANTED);
	CU_ASSERT_EQUAL(n.held.cookie, 100 + client);
	return n.held.lease.ip;
}

#endif /* TESTS_HELD_HELP_H */
