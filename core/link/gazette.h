/*
 * gazette.h - keeping the newest lists of the revoked, and telling them to everybody
 *
 * Each anchor (the overlay's key, and those of our networks that are not the
 * overlay) has one list (core/seal/revoke.h). A node says over each link which
 * serial it has: when the link comes up, and when its own list changes, with
 * growing pauses until the peer says that it has the same. Who hears of a newer
 * one fetches it from there, a piece at a time, and says so over its own links.
 * So a list goes through the overlay as fast as links carry it, and every node
 * that was away meets it with its first link. Without a list nothing is said.
 *
 *	NOTICE	what 1 | anchor 8 (its first bytes) | serial 8 | mark 8 (core/seal/revoke.h), then
 *		TELL	-			I have that one; which do you have?
 *		HERE	-			I have that one, too
 *		ASK	offset 2		send me that one from there on
 *		PIECE	total 2 | offset 2 | bytes
 *
 *	Memory		nothing before the first list; then the lists and two bytes
 *			a link, from env.mem
 *	Saves		SAVE_REVOKED, part: first bytes of the anchor
 *	Time, chance	env's; TIMER_GAZETTE
 */
#ifndef LINK_GAZETTE_H
#define LINK_GAZETTE_H

#include "core/link/link.h"
#include "core/seal/revoke.h"

struct gazette;

/** gazette_new() - for the overlay of @e's config; env.revoked is its from now on. Made when it is needed: links may be up already */
struct gazette *gazette_new(struct env *e, struct links *l);
void gazette_free(struct env *e, struct gazette *g);

/** gazette_network() - Lists of @anchor are of interest, too */
void gazette_network(struct gazette *g, const uint8_t anchor[KEY_BYTES]);

/** gazette_join() - The same while links are up, over which it may have been told before: the peers are asked */
void gazette_join(struct env *e, struct gazette *g, const uint8_t anchor[KEY_BYTES]);

/** gazette_quit() - They are not any more: forgotten, on the disk too. The overlay's own are kept */
void gazette_quit(struct env *e, struct gazette *g, const uint8_t anchor[KEY_BYTES]);

/** gazette_load() - One saved item, at start; false: not ours */
bool gazette_load(struct env *e, struct gazette *g, uint8_t kind, struct bytes data);

/**
 * gazette_take() - Here is a list, from an operator
 * Return: DROP_NONE; STALE: we have that one or a newer one; OVERLAY: of an anchor that is none of ours; as revoked_read()
 */
enum drop gazette_take(struct env *e, struct gazette *g, struct bytes blob);

/** gazette_changed() - Has any list changed since this was asked last? Then links, tunnels and the rest are to be judged again */
bool gazette_changed(struct gazette *g);

/** gazette_farewell() - The peer of @ref is in a list and its link about to be closed: it is told the list, so that it knows why */
void gazette_farewell(struct env *e, struct gazette *g, link_ref ref);

void gazette_link(struct env *e, struct gazette *g, link_ref ref, bool up);
void gazette_message(struct env *e, struct gazette *g, link_ref ref, struct bytes body);
void gazette_timer(struct env *e, struct gazette *g);
uint32_t gazette_bytes(const struct gazette *g);

#endif /* LINK_GAZETTE_H */
