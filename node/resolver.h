/*
 * resolver.h - programs beside a node: what it may not do itself, or has no time for
 *
 * `weftctl lookup` looks up the names that [overlay] bootstrap has, which takes
 * as long as DNS likes, and has the node call what it finds.
 *
 * `weftctl resolver`, if root started the node by hand, tells systemd-resolved of networks with `resolver = resolved`, and takes it
 * back when this process is gone; why it is a program of its own is said there.
 * A node that is not root leaves it to its service manager.
 */
#ifndef NODE_RESOLVER_H
#define NODE_RESOLVER_H

#include "node/config.h"

/** resolver_start() - If a network of @c wants it; the last thing before system calls are limited. What goes wrong is said, and no reason to end */
void resolver_start(const struct node_config *c);

/** lookup_start() - The same for the names of [overlay] bootstrap */
void lookup_start(const struct node_config *c);

#endif /* NODE_RESOLVER_H */
