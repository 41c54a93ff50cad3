/*
 * ctl_net.h - what the files behind `weftctl net` share
 *
 * ctl_net.c makes members, ctl_create.c overlays and their networks.
 */
#ifndef NODE_CTL_NET_H
#define NODE_CTL_NET_H

#include "node/ctl.h"
#include "node/overlay.h"

int net_create_command(int argc, char **argv);
int net_show_command(int argc, char **argv);

/** ctl_endpoints() - Endpoints as options, blanks between; NULL with a message. g_free() it */
char *ctl_endpoints(const char *option, char **given, struct fail *f);

#endif /* NODE_CTL_NET_H */
