#include "node/diary.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/link/link.h"
#include "node/text.h"

static struct {
	enum level most;
	int64_t paid_ns;		/* up to here every line is paid for */
	unsigned long left_out, told;
	enum { TO_STDERR, TO_JOURNAL, TO_SYSTEM } to;	/* journal: standard error is that of systemd */
} own = { .most = LEVEL_INFO };

void diary_level(enum level most)
{
	own.most = most;
}

enum level diary_level_now(void)
{
	return own.most;
}

unsigned long diary_left_out(void)
{
	return own.left_out;
}

/* A bucket as a moment: each line moves it on by 1/DIARY_RATE s, and it may run DIARY_BURST lines ahead. */
static bool affordable(void)
{
	const int64_t line_ns = NS_PER_S / DIARY_RATE;
	struct timespec t;
	int64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now_ns = t.tv_sec * NS_PER_S + t.tv_nsec;
	if (own.paid_ns < now_ns)
		own.paid_ns = now_ns;
	if (own.paid_ns - now_ns > (DIARY_BURST - 1) * line_ns)
		return false;
	own.paid_ns += line_ns;
	return true;
}

void diary_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	own.to = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
		 st.st_dev == device && st.st_ino == inode ? TO_JOURNAL : TO_STDERR;
}

void diary_to_system(void)
{
	openlog("weft-node", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	own.to = TO_SYSTEM;
}

bool diary_in_system(void)
{
	return own.to == TO_SYSTEM;
}

static const int PRIORITY[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* What stands before the sentence: time, level and word; the system has a time of its own, and wants the level as a number. */
static size_t head(char *buf, size_t room, enum level level, const char *word)
{
	static const char *const NAME[] = { "error", "warn", "info", "debug" };
	struct timespec t;
	struct tm utc;
	size_t len;

	if (own.to == TO_SYSTEM)
		return (size_t)snprintf(buf, room, "%s ", word);
	if (own.to == TO_JOURNAL)
		return (size_t)snprintf(buf, room, "<%d>%s ", PRIORITY[level], word);
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &utc);
	len = strftime(buf, room, "%Y-%m-%dT%H:%M:%S", &utc);
	return len + (size_t)snprintf(buf + len, room - len, ".%03ldZ %-5s %-10s ", t.tv_nsec / 1000000, NAME[level], word);
}

static void line(enum level level, const char *word, const char *format, va_list args)
{
	char buf[512];
	size_t len = head(buf, sizeof(buf), level, word);
	int n;

	n = vsnprintf(buf + len, sizeof(buf) - len - 1, format, args);
	if (n > 0)
		len += (size_t)n < sizeof(buf) - len - 1 ? (size_t)n : sizeof(buf) - len - 2;
	while (len && buf[len - 1] == ' ')
		len--;
	if (own.to == TO_SYSTEM) {
		syslog(PRIORITY[level], "%.*s", (int)len, buf);
		return;
	}
	buf[len++] = '\n';
	if (write(STDERR_FILENO, buf, len) < 0)
		own.left_out++;		/* nobody reads us; there is no better place to say so */
}

static void line_of(enum level level, const char *word, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(level, word, format, args);
	va_end(args);
}

void diary(enum level level, const char *word, const char *format, ...)
{
	va_list args;

	if (level > own.most)
		return;
	if (level != LEVEL_ERROR && !affordable()) {
		own.left_out++;
		return;
	}
	if (own.left_out != own.told) {
		line_of(LEVEL_WARN, "left-out", "%lu lines: more than %d a second", own.left_out - own.told, DIARY_RATE);
		own.told = own.left_out;
	}
	va_start(args, format);
	line(level, word, format, args);
	va_end(args);
}

/* An address as records name it: IPv6, or IPv4 mapped into it */
static const char *address_text(struct id a, char buf[INET6_ADDRSTRLEN])
{
	uint8_t b[16];

	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(a.hi >> (56 - 8 * i));
		b[8 + i] = (uint8_t)(a.lo >> (56 - 8 * i));
	}
	return !a.hi && a.lo >> 32 == 0xffff ? inet_ntop(AF_INET, b + 12, buf, INET6_ADDRSTRLEN) :
					       inet_ntop(AF_INET6, b, buf, INET6_ADDRSTRLEN);
}

const char *record_sentence(const struct record *r, char *buf, unsigned size)
{
	char address[INET6_ADDRSTRLEN];
	char peer[ID_TEXT];

	id_text(r->peer, peer);
	*buf = 0;
	switch ((enum record_kind)r->kind) {
	case RECORD_START:
		snprintf(buf, size, "remembers %" PRIu64 " peers", r->a);
		break;
	case RECORD_JOINED:
		snprintf(buf, size, "successor %s, %" PRIu64 " ms after start", peer, r->a);
		break;
	case RECORD_APART:
		snprintf(buf, size, "reason %" PRIu64, r->a);
		break;
	case RECORD_LEAVE:
		snprintf(buf, size, "hands over to %s", peer);
		break;
	case RECORD_LEFT:
		snprintf(buf, size, "%s %s", r->a ? "handed over to" : "not handed over to", peer);
		break;
	case RECORD_LINK_UP:
		snprintf(buf, size, "%s, %s, took %" PRIu64 " ms", peer, r->b ? "relayed" : "direct", r->a);
		break;
	case RECORD_LINK_DOWN:
		snprintf(buf, size, "%s, %s, lived %" PRIu64 " s", peer, link_end_text((enum link_end)r->a), r->b);
		break;
	case RECORD_LINK_FAILED:
		snprintf(buf, size, "%s, %s", id_eq(r->peer, ID_ZERO) ? "an endpoint" : peer,
			 link_end_text((enum link_end)r->a));
		break;
	case RECORD_LINK_PATH:
		snprintf(buf, size, "%s, now %s", peer, r->a ? "relayed" : "direct");
		break;
	case RECORD_SUSPECT:
		snprintf(buf, size, "%s, silent for %" PRIu64 " ms", peer, r->a);
		break;
	case RECORD_DEAD:
		snprintf(buf, size, "%s, silent for %" PRIu64 " ms%s", peer, r->a, r->b ? ", a ring neighbour" : "");
		break;
	case RECORD_NEIGHBOUR:
		snprintf(buf, size, "%s on the %s", peer, r->a ? "right" : "left");
		break;
	case RECORD_DRAWN:
		snprintf(buf, size, "a long link to %s", peer);
		break;
	case RECORD_LONG:
	case RECORD_REFUSED:
	case RECORD_MERGE:
		snprintf(buf, size, "%s", peer);
		break;
	case RECORD_LOOKUP:
		snprintf(buf, size, "answered by %s, %" PRIu64 " hops, %" PRIu64 " tries", peer, r->a, r->b);
		break;
	case RECORD_BROADCAST:
		snprintf(buf, size, "from %s, number %" PRIu64 ", %" PRIu64 " hops", peer, r->a, r->b);
		break;
	case RECORD_LEASED:
		snprintf(buf, size, "%s after %" PRIu64 " ms", address_text(r->peer, address), r->a);
		break;
	case RECORD_LEASE_LOST:
		snprintf(buf, size, "%s, verdict %" PRIu64, address_text(r->peer, address), r->a);
		break;
	case RECORD_LEASE_REFUSED:
		snprintf(buf, size, "%s, verdict %" PRIu64, address_text(r->peer, address), r->a);
		break;
	case RECORD_RESOLVED:
		snprintf(buf, size, "%s, %s, %" PRIu64 " ms", address_text(r->peer, address), r->b ? "found" : "nobody", r->a);
		break;
	case RECORD_MOVED:
		snprintf(buf, size, "%s %s node %016" PRIx64, address_text(r->peer, address), r->b ? "came from" : "went to", r->a);
		break;
	case RECORD_EPOCH:
		snprintf(buf, size, "%" PRIu64 " of network %s, its group key after %" PRIu64 " ms", r->a, peer, r->b);
		break;
	case RECORD_LAN:
		snprintf(buf, size, "%s %s our LAN, %s", peer, r->a ? "came to" : "left", r->b ? "served by us" : "served by another");
		break;
	case RECORD_ADMITTED:
		snprintf(buf, size, "%s by invitation %" PRIu64 ", use %" PRIu64, peer, r->a, r->b + 1);
		break;
	case RECORD_REVOKED:
		if (id_eq(r->peer, ID_ZERO))
			snprintf(buf, size, "%" PRIu64 " by list %" PRIu64, r->b, r->a);
		else
			snprintf(buf, size, r->b ? "we are no member any more, by the last list we heard; waiting for one without us" :
				 "we are no member any more");
		break;
	case RECORD_KINDS:
		break;
	}
	return buf;
}

static enum level level_of(enum record_kind kind)
{
	switch (kind) {
	case RECORD_START:
	case RECORD_JOINED:
	case RECORD_APART:
	case RECORD_LEAVE:
	case RECORD_LEFT:
	case RECORD_MERGE:
	case RECORD_ADMITTED:
	case RECORD_REVOKED:
	case RECORD_EPOCH:
		return LEVEL_INFO;
	default:
		return LEVEL_DEBUG;
	}
}

void diary_record(const struct record *r)
{
	enum level level = level_of((enum record_kind)r->kind);
	char buf[200];

	if (level <= own.most)
		diary(level, record_text((enum record_kind)r->kind), "%s", record_sentence(r, buf, sizeof(buf)));
}
