/*
 * diary.h - what the daemon says to its operator, on standard error or in the system's log
 *
 *	2026-11-21T03:04:05.678Z info  joined     successor 5f0c..., 812 ms after start
 *
 * or, where standard error is the journal of systemd, "<6>joined successor ...";
 * to syslog(3), as a daemon, "joined successor ..." with the level beside it.
 * One line per event: wall time, level, a word of the fixed vocabulary (core's
 * records keep the simulator's words), a sentence. At most DIARY_BURST lines at
 * once and DIARY_RATE a second; what is left out is counted and told later, so
 * that nobody outside can fill a disk through us.
 *
 *	error	the program stops
 *	warn	look at it before you trust the node
 *	info	what changed
 *	debug	why
 *
 *	Memory		static: a process has one standard error
 */
#ifndef NODE_DIARY_H
#define NODE_DIARY_H

#include <stdbool.h>

#include "core/base/record.h"

enum { DIARY_BURST = 100, DIARY_RATE = 10 };

enum level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

/** diary_open() - Is standard error the journal, as systemd.exec(5) says it in JOURNAL_STREAM? */
void diary_open(void);

/** diary_to_system() - No more to standard error: to syslog(3), until the process ends */
void diary_to_system(void);
bool diary_in_system(void);

void diary_level(enum level most);
enum level diary_level_now(void);

/** diary() - One line, no newline in it; @word is at most ten letters */
void diary(enum level level, const char *word, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** diary_record() - What core said of itself */
void diary_record(const struct record *r);

/** record_sentence() - The arguments of @r as half a sentence: "successor 5f0c..., 812 ms after start" */
const char *record_sentence(const struct record *r, char *buf, unsigned size);

/** diary_left_out() - Lines left out so far */
unsigned long diary_left_out(void);

#endif /* NODE_DIARY_H */
