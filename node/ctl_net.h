/*
 * ctl_net.h - what the files behind `weftctl net` share
 *
 * ctl_net.c makes members, ctl_create.c overlays and their networks, ctl_invite.c
 * what others act on: invitations, signers, lists of the revoked; ctl_list.c tells
 * what there is.
 */
#ifndef NODE_CTL_NET_H
#define NODE_CTL_NET_H

#include <stdio.h>

#include "node/ctl.h"
#include "node/overlay.h"

int net_create_command(int argc, char **argv);
int net_list_command(int argc, char **argv);
int net_show_command(int argc, char **argv);
int net_invite_command(int argc, char **argv);
int net_invites_command(int argc, char **argv);
int net_uninvite_command(int argc, char **argv);
int net_revoke_command(int argc, char **argv);
int net_signer_command(int argc, char **argv);

/** struct terms - options of everything that makes a certificate */
struct terms {
	char **groups, **addresses, *valid;
	gboolean replace;
};

#define TERMS_OPTIONS(g)									\
	{ "group", 'g', 0, G_OPTION_ARG_STRING_ARRAY, &(g).groups, "A group it belongs to; may be repeated", "NAME" }, \
	{ "address", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &(g).addresses,				\
	  "A fixed address or range of it (any); may be repeated", "ADDRESS[/BITS]" },		\
	{ "valid", 0, 0, G_OPTION_ARG_STRING, &(g).valid, "How long the certificate holds (for ever)", "TIME" }

#define REPLACE_OPTION(g)									\
	{ "replace", 0, 0, G_OPTION_ARG_NONE, &(g).replace, "The name may be taken: the old certificate is not used any more", NULL }

/** ctl_aside() - Where hints go: with --json not between what a program reads */
static inline FILE *ctl_aside(gboolean json)
{
	return json ? stderr : stdout;
}

/** ctl_network() - {"network":...}: what the record of the network that @o is holds; NULL with a message if it is none */
JsonObject *ctl_network(struct overlay *o, struct fail *f);

void terms_done(struct terms *g);

/** terms_read() - The admission that the options describe; it borrows from them. @name: NULL leaves it open */
bool terms_read(const struct terms *g, const char *name, struct admission *a, struct fail *f);

/** ctl_endpoints() - Endpoints as options, blanks between; NULL with a message. g_free() it */
char *ctl_endpoints(const char *option, char **given, struct fail *f);

#endif /* NODE_CTL_NET_H */
