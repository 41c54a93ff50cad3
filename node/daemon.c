/*
 * Starting: the private directory, whose lock makes us the only one; sockets;
 * taps; the run's incarnation on disk; core; the control socket. Nothing is
 * sent before all of it stands.
 */
#include "node/inside.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/confine.h"
#include "node/diary.h"
#include "node/ready.h"
#include "node/resolver.h"
#include "node/text.h"

enum { MAPPED = 32 << 10 };

static bool bind_one(struct daemon *d, const char *key, const struct endpoint *at, uint16_t again, bool must,
		     struct fail *f)
{
	char buf[ENDPOINT_TEXT];
	int err;

	if (at->kind == ENDPOINT_NONE)
		return true;
	err = udp_bind(&d->udp, at, again);
	if (err == -EAFNOSUPPORT && !must) {
		diary(LEVEL_INFO, "listen", "this kernel has no IPv%d", at->kind == ENDPOINT_UDP6 ? 6 : 4);
		return true;
	}
	if (!err) {
		diary(LEVEL_DEBUG, "listen", "datagrams of one size for one place go to the kernel %s",
		      d->udp.segments ? "together" : "one by one");
		return true;
	}
	fail_add(f, "cannot listen on UDP %s: %s", endpoint_text(at, buf), strerror(-err));
	if (err == -EADDRINUSE)
		fail_hint(f, "[underlay] %s = ADDRESS:0 takes any free port", key);
	else if (err == -EADDRNOTAVAIL)
		fail_hint(f, "[underlay] %s names an address that this machine does not have", key);
	else if (err == -EACCES)
		fail_hint(f, "ports below 1024 need privileges");
	return false;
}

static bool open_underlay(struct daemon *d, struct fail *f)
{
	const struct node_config *c = d->config;

	if (!bind_one(d, "listen4", &c->listen4, d->home.port4, c->must4, f) ||
	    !bind_one(d, "listen6", &c->listen6, d->home.port6, c->must6, f))
		return false;
	if (d->udp.four.fd >= 0 || d->udp.six.fd >= 0)
		return true;
	fail_add(f, "there is nothing to listen on: neither IPv4 nor IPv6");
	return false;
}

static void say_listening(const struct udp_socket *s)
{
	char buf[ENDPOINT_TEXT];

	if (s->fd >= 0)
		diary(LEVEL_INFO, "listen", "UDP %s", endpoint_text(&s->at, buf));
}

static uint64_t utc_s(void)
{
	int64_t error_ns;

	return (uint64_t)(clock_utc_ns(&error_ns) / NS_PER_S);
}

/* What core saves is written beside the loop, not in it. */
static bool writes_apart(struct daemon *d, struct fail *f)
{
	int err = saves_start(&d->home.saves);

	if (err)
		fail_errno(f, "start", "the thread that writes what is saved", err);
	return !err;
}

/* Taps and sockets stand; from now on a network's interfaces and the private directory are all there is to do. */
static bool confined(struct daemon *d, struct fail *f)
{
	unsigned needs = nics_count(&d->nics) ? NEED_NETWORK : 0;
	struct stat st;

	if (!d->config->node.confine)
		return true;
	if (!geteuid() && !stat(d->config->node.state, &st) && st.st_uid)
		needs |= NEED_FILES;
	return confine_rights(needs, f);
}

/* Everything that can fail; whatever was opened is closed by close_all(). */
static bool open_all(struct daemon *d, struct fail *f)
{
	struct fail warn = { 0 };
	bool good = home_open(&d->home, d->config->node.state, f, &warn);
	uint64_t utc = utc_s() < d->home.not_before ? 0 : utc_s(), least = utc;

	for (unsigned i = 0; i < warn.count; i++)
		diary(LEVEL_WARN, "state", "%s; going on without it", warn.text[i]);
	fail_done(&warn);
	if (good && !utc) {
		diary(LEVEL_WARN, "clock", "this machine's clock is before the node's certificate: nothing is judged by it until it "
		      "is right");
		least = d->home.not_before;
	}
	if (!good || !nics_read(&d->nics, d->config, &d->home, utc, f) || !open_underlay(d, f) ||
	    !nics_plug(&d->nics, f) || !home_begin(&d->home, d->udp.four.at.port, d->udp.six.at.port, least, f))
		return false;
	d->member = member_new(d->config, &d->home, &d->udp, &d->nics, clock_now_ns(&d->clock), utc, f);
	if (!d->member)
		return false;
	d->member->reply = serve_reply;
	d->member->ctx = d;
	addresses_open(&d->addresses);
	reload_addresses(d);
	if (!control_open(&d->control, d->loop, d->config->control, d->config->node.group, serve_order, d, f) ||
	    !confined(d, f) || !writes_apart(d, f) || !wake_watch(d, f) ||
	    (d->config->metrics.kind != ENDPOINT_NONE &&
	     !scrape_open(&d->scrape, d->loop, &d->config->metrics, serve_metrics, d, f)))
		return false;
	resolver_start(d->config);
	lookup_start(d->config);
	return !d->config->node.confine || confine_calls(f);
}

static void close_all(struct daemon *d)
{
	record_end(d);
	reload_end(d);
	scrape_close(&d->scrape);
	control_close(&d->control);
	if (d->alarm.fd >= 0)
		close(d->alarm.fd);
	addresses_close(&d->addresses);
	member_free(d->member);
	nics_close(&d->nics);
	udp_close(&d->udp);
	home_close(&d->home);
	if (d->loop)
		ev_loop_destroy(d->loop);
	for (unsigned i = 0; i < TRACES; i++)
		free(d->trace[i]);
	config_free(d->config);
	free(d);
}

static struct daemon *daemon_new(const struct daemon_setup *setup, struct node_config *c)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	confine_lock(d, sizeof(*d));
	d->setup = setup;
	d->config = c;
	d->home.lock = d->addresses.fd = d->alarm.fd = d->sniff.fd = -1;
	d->armed_ns = INT64_MIN;
	udp_init(&d->udp);
	clock_start(&d->clock);
	return d;
}

static void begin(struct daemon *d)
{
	struct event evs[ADDRESSES_EVENTS];
	unsigned n = addresses_read(&d->addresses, &d->udp, evs);
	char id[ID_TEXT];

	say_listening(&d->udp.four);
	say_listening(&d->udp.six);
	diary(LEVEL_INFO, "node", "%s %s, weft %s, start %llu", *d->member->name ? d->member->name : "-",
	      id_text(d->member->identity.id, id), WEFT_VERSION, (unsigned long long)d->home.incarnation);
	wake_judge(d);
	member_start(d->member, clock_now_ns(&d->clock), evs, n);
	wake_step(d, NULL, 0);
	malloc_trim(0);			/* what reading files took */
	ready_tell("READY=1");
}

bool daemon_run(const struct daemon_setup *setup, struct node_config *c, struct fail *f)
{
	struct daemon *d = daemon_new(setup, c);
	bool good;

	diary_open();
	diary_level((enum level)c->node.log);
	if (c->node.confine)
		confine_secrets();
	d->loop = ev_loop_new(EVFLAG_AUTO);
	if (!d->loop) {
		fail_add(f, "cannot make an event loop: %s", strerror(errno));
		close_all(d);
		return false;
	}
	mallopt(M_MMAP_THRESHOLD, MAPPED);	/* large blocks go back to the kernel when freed */
	mallopt(M_TRIM_THRESHOLD, MAPPED);
	mallopt(M_ARENA_MAX, 1);		/* the thread that writes hardly needs one of its own */
	signal(SIGPIPE, SIG_IGN);
	good = open_all(d, f);
	if (good) {
		begin(d);
		if (!d->over)
			ev_run(d->loop, 0);
		good = home_end(&d->home, f);
		if (d->member->revoked) {
			fail_add(f, "this node was revoked: it is no member of the overlay any more");
			good = false;
		}
		diary(LEVEL_INFO, "stop", "gone");
	}
	close_all(d);
	return good;
}

bool daemon_check(struct node_config *c, struct fail *f)
{
	struct daemon *d = daemon_new(NULL, c);
	struct fail warn = { 0 };
	bool good = home_open(&d->home, c->node.state, f, &warn);

	good = good && nics_read(&d->nics, c, &d->home, utc_s(), f);
	if (good) {
		d->member = member_new(c, &d->home, &d->udp, &d->nics, clock_now_ns(&d->clock), utc_s(), f);
		good = d->member != NULL;
	}
	for (unsigned i = 0; i < warn.count; i++)
		diary(LEVEL_WARN, "state", "%s", warn.text[i]);
	fail_done(&warn);
	close_all(d);
	return good;
}
