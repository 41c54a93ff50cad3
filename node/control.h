/*
 * control.h - the control socket: clients, lines, answers
 *
 * A Unix stream socket of mode 0600, or 0660 with a group; whoever connects is
 * asked for his ids by the kernel, too: root, the node's own user and that group
 * are let in, wherever the socket lies. Each line is one order (order.h), each
 * answer one line of JSON. A client that sends lines too long, or does not read
 * its answers, is closed; when all places are taken the client that has been
 * silent longest goes, so that nobody can shut the others out by sitting there.
 *
 *	Memory		ORDER_LINE bytes per client and its unread answers, up to
 *			CONTROL_OUT; nothing while there are no clients
 *	Time		the loop's
 */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include <sys/types.h>

#include <ev.h>
#include <jansson.h>

#include "node/order.h"
#include "node/prog/fail.h"

enum { CONTROL_CLIENTS = 16, CONTROL_OUT = 1 << 20 };

/** struct client_ref - a client that may be gone by the time its answer is ready */
struct client_ref {
	uint8_t slot;
	uint32_t number;
};

struct client;
struct control;

/** control_order - Called for each good order; answer now or later with control_answer() */
typedef void control_order(void *ctx, struct client_ref who, const struct order *o);

struct control {
	ev_io listen;			/* first: the watcher is the object */
	struct ev_loop *loop;
	char *path;
	control_order *order;
	void *ctx;
	struct client *client[CONTROL_CLIENTS];
	uint32_t next_number;
	gid_t group;			/* who may, beside root and our user; (gid_t)-1: nobody */
};

/** control_open() - Listen on @path, for @group as well unless NULL; a socket left there by a dead daemon is replaced */
bool control_open(struct control *c, struct ev_loop *loop, const char *path, const char *group, control_order *order,
		  void *ctx, struct fail *f);

/** control_close() - Close all clients after what can be written at once, and remove the socket; fine if not open */
void control_close(struct control *c);

/**
 * control_answer() - One line to @who
 * @body: its members, stolen; "ok" and the id of @o are added
 * @wrong: NULL, or the reason why not; @body may then be NULL
 * @more: another answer to the same order follows
 */
void control_answer(struct control *c, struct client_ref who, const struct order *o, json_t *body,
		    const char *wrong, bool more);

/** control_pipe() - The descriptor that came with the order of @who, now the caller's; -1: none */
int control_pipe(struct control *c, struct client_ref who);

/** control_there() - Is the client still there? */
bool control_there(const struct control *c, struct client_ref who);

#endif /* NODE_CONTROL_H */
