/*
 * config.h - weft-node's configuration file as typed, checked structs
 *
 * A GLib key file read through node/prog/schema.h; config_table.c is the table
 * and weft.conf(5) is made from it. Every key has a default, so an empty file is
 * a good one; `-s group.key=value` wins over the file.
 *
 *	Memory		GLib's, until config_free()
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "core/base/config.h"
#include "core/base/ip.h"
#include "core/vnet/network.h"
#include "node/prog/schema.h"

/** Where the configuration lies when nobody says. */
#define CONFIG_PATH	"/etc/weft/weft.conf"

enum { CONFIG_BOOTSTRAPS = 64 };

/** enum config_address - does the host itself have an address in the network? */
enum config_address {
	ADDRESS_OFF,			/* no, or it gets one by DHCP or by hand */
	ADDRESS_LEASE,			/* any that is free */
	ADDRESS_THIS,			/* one it names */
};

struct config_node {
	struct schema_head head;
	char *state;			/* the private directory */
	char *control;			/* the control socket; NULL: in the private directory */
	char *group;			/* whose members may use the control socket, too; NULL: nobody's */
	char *metrics;			/* where to answer a scraper, or off */
	bool confine;			/* give up what is not needed (confine.h) */
	int32_t log;			/* enum level */
	int64_t quota_bytes;		/* memory core may take */
};

struct config_underlay {
	struct schema_head head;
	char *listen4, *listen6;
	int64_t mtu_bytes;		/* IP packet */
};

struct config_overlay {
	struct schema_head head;
	char *bootstrap;
};

struct config_ring {
	struct schema_head head;
	int64_t near, links;		/* links: key "long"; 0 = auto */
	int32_t draw, direction;
	bool lookahead, cap;
};

struct config_link {
	struct schema_head head;
	int64_t probe_ns, probe_second_ns, probe_far_ns, suspect_ns, suspect_probes;
};

/** enum config_resolver - who on this host is told of the network's name server */
enum config_resolver { RESOLVER_NONE, RESOLVER_RESOLVED };

/** struct config_network - [network.N] */
struct config_network {
	struct schema_head head;
	char *record;			/* NULL: `network` in the private directory */
	char *card;			/* NULL: that of the overlay */
	char *tap, *bridge, *device, *address, *name, *firewall;
	int32_t model;			/* enum vnet_model */
	int32_t resolver;		/* enum config_resolver */
	/* what the texts say */
	enum config_address how;
	struct ip ip;			/* ADDRESS_THIS */
	char *file;			/* the record's path */
	struct guard_rule rule[GUARD_RULES];
	unsigned rules;
};

struct node_config {
	struct config_node node;
	struct config_underlay underlay;
	struct config_overlay overlay;
	struct config_ring ring;
	struct config_link link;
	struct schema_many network;	/* of struct config_network */
	struct schema_log *log;		/* every value as text */
	/* what the texts above say */
	struct endpoint listen4, listen6, metrics;	/* kind NONE: off */
	bool must4, must6;		/* the user asked for it: not having it is an error */
	struct endpoint bootstrap[CONFIG_BOOTSTRAPS];
	unsigned bootstraps;
	char *named[CONFIG_BOOTSTRAPS + 1];	/* NAME:PORT of [overlay] bootstrap, NULL after the last one; words of it */
	char **words;			/* what they point into */
	char *control;			/* the socket's path */
};

extern const struct schema config_schema;

/** config_network() - The @i-th [network.N] */
static inline struct config_network *config_network(const struct node_config *c, unsigned i)
{
	return (struct config_network *)c->network.item + i;
}

/** config_networks() - What [network.N] says beside the table; config_parse() calls it */
bool config_networks(struct node_config *c, struct fail *f);

/** config_load() - Read @path with "group.key=value" each of @set on top; NULL with messages */
struct node_config *config_load(const char *path, const char *const *set, unsigned sets, struct fail *f);

/** config_parse() - The same from memory; @dir is what paths are relative to, NULL: as they are */
struct node_config *config_parse(const char *name, const char *text, size_t len, const char *dir,
				 const char *const *set, unsigned sets, struct fail *f);
void config_free(struct node_config *c);

/** config_core() - What core is born with; the overlay's key and the bootstrap list stay the caller's */
void config_core(const struct node_config *c, struct config *core);

/** config_network_differs() - The first key by which @a and @b are not the same, but for firewall and where files lie; NULL */
const char *config_network_differs(const struct config_network *a, const struct config_network *b);

/** config_differs() - The first "[group] key" that @a and @b disagree on and that only a restart
 *  can change: no network's; g_free() it. NULL: none */
char *config_differs(const struct node_config *a, const struct node_config *b);

#endif /* NODE_CONFIG_H */
