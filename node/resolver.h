/*
 * resolver.h - `weftctl resolver` beside a node that root started by hand
 *
 * It tells systemd-resolved of networks with `resolver = resolved`, and takes it
 * back when this process is gone; why it is a program of its own is said there.
 * A node that is not root leaves it to its service manager.
 */
#ifndef NODE_RESOLVER_H
#define NODE_RESOLVER_H

#include "node/config.h"

/** resolver_start() - If a network of @c wants it; the last thing before system calls are limited. What goes wrong is said, and no reason to end */
void resolver_start(const struct node_config *c);

#endif /* NODE_RESOLVER_H */
