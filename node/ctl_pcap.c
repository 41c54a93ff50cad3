/*
 * ctl_pcap.c - what crosses a node's tap or sockets, into a file
 *
 * The node writes into a pipe that goes with the order and never waits for it;
 * what comes out is written here, whole packets only, so that the file is good
 * at any moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/ctl.h"
#include "node/prog/units.h"

enum { FILE_HEAD = 24, PACKET_HEAD = 16, PACKET_MAX = 65535, BUFFER = 1 << 20, ANSWER_MS = 5000 };

struct copy {
	int from;
	FILE *to;
	size_t len;
	bool headed;			/* the file's head has passed */
	uint8_t buf[BUFFER];
};

static void on_signal(int number)
{
	(void)number;
	ctl_interrupted = 1;
}

/* Bytes of whole packets at the start of the buffer. */
static size_t whole(struct copy *k)
{
	size_t at = 0;

	if (!k->headed) {
		if (k->len < FILE_HEAD)
			return 0;
		k->headed = true;
		at = FILE_HEAD;
	}
	for (;;) {
		uint32_t kept;

		if (k->len - at < PACKET_HEAD)
			return at;
		memcpy(&kept, k->buf + at + 8, sizeof(kept));
		if (kept > PACKET_MAX || k->len - at - PACKET_HEAD < kept)
			return at;
		at += PACKET_HEAD + kept;
	}
}

/* What came, until there is no more; a moment of silence puts it on the disk. */
static bool copy(struct copy *k, const char *path, struct fail *f)
{
	while (!ctl_interrupted) {
		struct pollfd p = { .fd = k->from, .events = POLLIN };
		ssize_t n;
		size_t good;

		if (!poll(&p, 1, 200) && fflush(k->to))
			break;
		if (!p.revents)
			continue;
		n = read(k->from, k->buf + k->len, BUFFER - k->len);
		if (n <= 0)
			return true;
		k->len += (size_t)n;
		good = whole(k);
		if (fwrite(k->buf, 1, good, k->to) != good)
			break;
		k->len -= good;
		memmove(k->buf, k->buf + good, k->len);
	}
	if (ctl_interrupted)
		return true;
	fail_errno(f, "write", path, errno);
	return false;
}

static void tell(JsonObject *answer, const char *path)
{
	JsonObject *o = json_obj(answer, "pcap");

	fprintf(stderr, "%s: %" PRId64 " packets", path, json_int(o, "packets", 0));
	if (json_int(o, "left_out", 0))
		fprintf(stderr, ", %" PRId64 " left out", json_int(o, "left_out", 0));
	fputc('\n', stderr);
}

static void capture(struct ctl *c, const char *line, struct copy *k, const char *path, bool json, struct fail *f)
{
	struct sigaction stop = { .sa_handler = on_signal };
	int ends[2];
	char *text = NULL;
	JsonNode *root = NULL;

	if (pipe2(ends, O_CLOEXEC)) {
		fail_errno(f, "make", "a pipe", errno);
		return;
	}
	fcntl(ends[1], F_SETPIPE_SZ, BUFFER);
	k->from = ends[0];
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (ctl_ask_with(c, line, ends[1], f)) {
		close(ends[1]);
		copy(k, path, f);
		ctl_interrupted = 0;
	}
	close(ends[0]);
	if (!failed(f))
		root = ctl_take(c, ANSWER_MS, &text, f);
	if (root && json)
		puts(text);
	if (root && !ctl_wrong(json_node_get_object(root), f) && !json)
		tell(json_node_get_object(root), path);
	if (root)
		json_node_unref(root);
	g_free(text);
}

static int run(const struct ctl_where *w, const char *what, const char *path, const char *network, int64_t ms)
{
	bool out = !strcmp(path, "-");
	struct copy *k = g_new0(struct copy, 1);
	struct fail f = { 0 };
	struct ctl c;
	char *line = ctl_order("pcap", ms, "what", what, "network", network, NULL);

	if (ctl_open(&c, w, &f)) {
		k->to = out ? stdout : fopen(path, "we");
		if (!k->to)
			fail_errno(&f, "write", path, errno);
		else
			capture(&c, line, k, path, w->json && !out, &f);
		if (k->to && (out ? fflush(k->to) : fclose(k->to)) && !failed(&f))
			fail_errno(&f, "write", path, errno);
		ctl_close(&c);
	}
	g_free(line);
	g_free(k);
	return ctl_end(&f, EXIT_HELD);
}

int pcap_command(int argc, char **argv)
{
	const struct command self = { "pcap", "tap|overlay FILE", "Writes what crosses a node's tap, or its sockets, into a file.",
				      pcap_command };
	struct ctl_where w = { 0 };
	char *span = NULL, *network = NULL;
	int64_t ns = NS_PER_MIN;
	struct fail f = { 0 };
	const GOptionEntry entries[] = {
		CTL_WHERE(w),
		{ "for", 'f', 0, G_OPTION_ARG_STRING, &span, "How long (1min, at most 1h)", "TIME" },
		{ "network", 'n', 0, G_OPTION_ARG_STRING, &network, "Which network's tap (the first)", "NAME" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 2, 2,
			  "tap: Ethernet frames. overlay: the datagrams between nodes, sealed as they are, headers made up.\n"
			  "FILE - is standard output: weftctl pcap tap - | tcpdump -r -. Ctrl-C ends it.", &code)) {
		if (span && !options_time("--for", span, &ns, &f))
			code = ctl_fail(&f);
		else if (ns < NS_PER_MS || ns > NS_PER_H) {
			fail_add(&f, "--for %s: accepted: 1ms to 1h", span);
			code = ctl_fail(&f);
		} else {
			code = run(&w, argv[1], argv[2], network, ns / NS_PER_MS);
		}
	}
	ctl_where_done(&w);
	g_free(span);
	g_free(network);
	return code;
}
