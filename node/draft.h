/*
 * draft.h - the configuration that a new node begins with
 *
 *	Memory		GLib's
 */
#ifndef NODE_DRAFT_H
#define NODE_DRAFT_H

#include <stdbool.h>

#include "node/prog/fail.h"

/** struct draft - what was said of the node; NULL where nothing was: the key stands there as a remark, with an example */
struct draft {
	const char *name;
	const char *state;		/* its private directory, as the file names it; NULL: state */
	const char *listen4, *listen6, *bootstrap;
	bool network;			/* with [network.1] */
	const char *tap, *model, *bridge, *own;
	bool resolver;			/* systemd-resolved is to be told */
};

/** draft_text() - The file's text, which is one that the node takes; NULL with messages. g_free() it */
char *draft_text(const struct draft *d, struct fail *f);

#endif /* NODE_DRAFT_H */
