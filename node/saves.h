/*
 * saves.h - everything core asked to keep, and the journal it is kept in
 *
 *	weft saved 2 LF | salt 16 | batch...
 *	batch = sum 8 | sequence 8 | length 4 | item...		(core/base/saved.h)
 *
 * Saves that come while the disk is busy form one batch: one write, one
 * fdatasync, whatever their number. A batch is written when the one before it is
 * durable; the first is everything there was when the file was made. The file is
 * made anew when it has grown to several times what is worth keeping.
 *
 * Reading takes batches up to the first that is not whole. That is the one that
 * was being written when the machine stopped, of which nobody was told - unless
 * a later one is whole: then the file is damaged, what it promised is not
 * known, and nothing of it is believed. The sum is BLAKE2b keyed with the salt,
 * which nobody else knows: no value from outside can look like a batch.
 *
 *	Memory		malloc: what is kept, once; what is not yet written, once more
 *	Time		none; the disk's is the scribe's (scribe.h)
 */
#ifndef NODE_SAVES_H
#define NODE_SAVES_H

#include "core/base/door.h"
#include "node/prog/fail.h"
#include "node/scribe.h"

enum { SAVES_SALT = 16, SAVES_BATCH = 8 + 8 + 4 };

/** struct saves_item - one thing core asked to keep */
struct saves_item {
	uint64_t part;
	uint8_t *data;
	uint32_t len;
	uint8_t kind;			/* enum save_kind */
};

/** struct saves_text - items on their way to the disk, room for a batch's head before them */
struct saves_text {
	uint8_t *data;
	size_t len, room;
};

struct saves {
	struct saves_item *item;	/* by kind and part */
	size_t items, room;
	size_t live;			/* bytes they take in a file */
	struct saves_text fresh;	/* not yet given to the scribe */
	struct saves_text given;	/* the scribe's */
	uint8_t *whole;			/* the scribe's, when it makes the file anew */
	uint64_t last, under_way, durable;	/* tokens: of fresh, of given, of what is on the disk */
	uint64_t told;			/* by saves_durable() */
	uint64_t sequence;		/* of the last batch in the file */
	uint8_t salt[SAVES_SALT], next_salt[SAVES_SALT];	/* of the file; of the one being made */
	uint64_t compact_at;		/* size of the file at which it is made anew */
	bool renew;			/* it must be */
	uint64_t failures;		/* batches that the disk did not take, each time */
	int err;			/* why, last time; 0: it took it */
	struct scribe scribe;
};

/** saves_open() - Read what @path has; @warn gets why nothing of it can be used. Changes nothing */
void saves_open(struct saves *s, const char *path, struct fail *warn);

/** saves_start() - From now on a thread writes; 0 or negative errno */
int saves_start(struct saves *s);

/** saves_close() - Everything is let go; what is not durable may be lost */
void saves_close(struct saves *s);	/* fine if all zeroes */

/** saves_put() - Keep what @save says in place of the last of its kind and part */
void saves_put(struct saves *s, const struct save *save);

/**
 * saves_durable() - Write on; is more durable than was said last time?
 * @token: of the last save that is: it and all before it are
 *
 * Call it after a step's saves, and whenever scribe.done is readable.
 */
bool saves_durable(struct saves *s, uint64_t *token);

/** saves_finish() - Wait until everything is durable; errno if the disk does not take it */
int saves_finish(struct saves *s);

/** saves_all() - All that is kept, as EVENT_START wants it; free() it */
struct bytes saves_all(const struct saves *s);

#endif /* NODE_SAVES_H */
