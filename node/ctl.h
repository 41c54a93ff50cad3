/*
 * ctl.h - what weftctl's commands share: finding a node, asking it, printing
 *
 * ctl_net.c, ctl_create.c and ctl_config.c work on files and need no daemon; ctl_show*.c
 * and ctl_trace.c ask one over its control socket (order.h), one line there and one
 * or more back.
 */
#ifndef NODE_CTL_H
#define NODE_CTL_H

#include "core/base/endpoint.h"
#include <signal.h>
#include <stdint.h>

#include "node/prog/json.h"
#include "node/prog/options.h"

/* The commands, as options.h wants them. */
int status_command(int argc, char **argv);
int peers_command(int argc, char **argv);
int networks_command(int argc, char **argv);
int leases_command(int argc, char **argv);
int names_command(int argc, char **argv);
int resolve_command(int argc, char **argv);
int trace_command(int argc, char **argv);
int ping_command(int argc, char **argv);
int dht_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int metrics_command(int argc, char **argv);
int pcap_command(int argc, char **argv);
int lookup_command(int argc, char **argv);
int resolver_command(int argc, char **argv);
int stop_command(int argc, char **argv);
int version_command(int argc, char **argv);
int net_command(int argc, char **argv);
int key_command(int argc, char **argv);
int config_command(int argc, char **argv);

/** struct ctl_where - which node: options that every asking command has */
struct ctl_where {
	char *socket, *conf;
	gboolean json;
};

#define JSON_OPTION(flag)									\
	{ "json", 0, 0, G_OPTION_ARG_NONE, &(flag), "Print JSON, a line an answer", NULL }

#define CTL_WHERE(w)										\
	{ "socket", 's', 0, G_OPTION_ARG_FILENAME, &(w).socket, "The node's control socket", "SOCKET" },	\
	{ "conf", 'c', 0, G_OPTION_ARG_FILENAME, &(w).conf, "The node's configuration", "FILE" },	\
	JSON_OPTION((w).json)

void ctl_where_done(struct ctl_where *w);

/** struct ctl - a conversation with a node */
struct ctl {
	int fd;
	char *buf;			/* read and not taken yet */
	size_t len, room;
};

/** ctl_open() - Connect; false with a message that says what to do when nobody is there */
bool ctl_open(struct ctl *c, const struct ctl_where *w, struct fail *f);
void ctl_close(struct ctl *c);

/** ctl_process() - A pidfd of the process that listens at the other end, -1 with a message; close() it */
int ctl_process(const struct ctl *c, struct fail *f);

/** ctl_ask() - Send one line */
bool ctl_ask(struct ctl *c, const char *line, struct fail *f);

/** ctl_ask_with() - The same with the descriptor @fd beside it */
bool ctl_ask_with(struct ctl *c, const char *line, int fd, struct fail *f);

/**
 * ctl_take() - The next answer line, waiting up to @timeout_ms
 * @line: g_free() it
 *
 * Return: its JSON, to be json_node_unref()ed; NULL with a message
 */
JsonNode *ctl_take(struct ctl *c, int timeout_ms, char **line, struct fail *f);

/** ctl_once() - Ask @line and take its one answer; NULL with a message also when it is a refusal. json_node_unref() it */
JsonNode *ctl_once(struct ctl *c, const char *line, int timeout_ms, struct fail *f);

/** ctl_interrupted - Set by a handler that a command installed: what waits for the node gives up */
extern volatile sig_atomic_t ctl_interrupted;

/** ctl_order() - An order as one line of JSON: name, text, ..., NULL; members whose text is NULL are left out. g_free() it */
char *ctl_order(const char *ask, int64_t timeout_ms, ...) G_GNUC_NULL_TERMINATED;

/** ctl_each() - The @i-th object of @a, NULL past the end */
static inline JsonObject *ctl_each(JsonArray *a, guint i)
{
	return a && i < json_array_get_length(a) && JSON_NODE_HOLDS_OBJECT(json_array_get_element(a, i)) ?
	       json_array_get_object_element(a, i) : NULL;
}

static inline gboolean ctl_yes(JsonObject *o, const char *member)
{
	return o && json_object_get_boolean_member_with_default(o, member, FALSE);
}

/** struct ctl_host - a host of a virtual network, found */
struct ctl_host {
	char address[48], network[32], holder[40];
};

/**
 * ctl_find() - Who holds the address or name @what
 * @network: its name, or NULL: any that fits
 *
 * False with a message if nobody does.
 */
bool ctl_find(struct ctl *c, const char *what, const char *network, int timeout_ms, struct ctl_host *out, struct fail *f);

/** ctl_wrong() - The error in an answer as a message; false if there is none */
bool ctl_wrong(JsonObject *answer, struct fail *f);

/** ctl_print() - Ask @line and print the answer: as it came, or with @show; the exit code */
int ctl_print(const struct ctl_where *w, const char *line, int timeout_ms, void (*show)(JsonObject *answer));

/** ctl_simple() - The whole of a command that takes no arguments of its own */
int ctl_simple(int argc, char **argv, const char *name, const char *text, const char *line, int timeout_ms,
	       void (*show)(JsonObject *answer));

/** ctl_fail() - Print @f, free it and return the exit code for it */
int ctl_fail(struct fail *f);

/** ctl_end() - The exit code: @code, unless @f says otherwise or standard output took not all, which is then printed */
int ctl_end(struct fail *f, int code);

/** ctl_result() - Print @o with "ok":@ok as one line, as a node would answer; takes it */
void ctl_result(JsonObject *o, bool ok);

/** ctl_look_up() - The endpoints of @named (NAME:PORT), IPv6 and IPv4, at most @max; waits for DNS. How many, 0: none is known */
unsigned ctl_look_up(const char *named, struct endpoint *at, unsigned max);

#endif /* NODE_CTL_H */
