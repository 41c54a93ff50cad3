/*
 * daemon.h - weft-node's loop: what wakes it, and who hears of it
 *
 * One thread, one libev loop. What wakes it: datagrams, core's alarm, changes of
 * addresses, control clients, signals, an hourly tick. Each becomes events for
 * the door (member.h); everything core asks for is done before the loop sleeps.
 *
 *	Time		clock.h; core's alarm is a timerfd on CLOCK_BOOTTIME, because
 *			libev's timers stand still while the machine is suspended and
 *			a timer of the same clock is never early
 *	Memory		one struct daemon
 */
#ifndef NODE_DAEMON_H
#define NODE_DAEMON_H

#include "node/config.h"
#include "node/prog/fail.h"

/** struct daemon_setup - how weft-node was called; kept for SIGHUP */
struct daemon_setup {
	const char *path;		/* of the configuration */
	const char *const *set;		/* "group.key=value", winning over the file */
	unsigned sets;
};

/**
 * daemon_run() - Be a node until told to stop
 * @c: taken over, and freed
 *
 * Return: true when it left as it should; false with messages when it could not start, or not go on
 */
bool daemon_run(const struct daemon_setup *setup, struct node_config *c, struct fail *f);

/** daemon_check() - Read everything a start would read, and change nothing */
bool daemon_check(struct node_config *c, struct fail *f);

#endif /* NODE_DAEMON_H */
