/*
 * Starting: the private directory, whose lock makes us the only one; sockets;
 * taps; the run's incarnation on disk; core; the control socket. Nothing is
 * sent before all of it stands. A SIGTERM tells core to leave and waits LEAVE_S
 * for it to have handed over; a second one does not wait.
 */
#include "node/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ev.h>
#include <glib.h>

#include "node/addresses.h"
#include "node/answer.h"
#include "node/clock.h"
#include "node/control.h"
#include "node/diary.h"
#include "node/member.h"
#include "node/text.h"

enum { TRACES = 32, HOUR_S = 3600, WARN_DAYS = 14, BURSTS = 4, MAPPED = 32 << 10 };
#define LEAVE_S		6.0

/* struct trace - an order that core answers later */
struct trace {
	uint64_t token;			/* 0: free */
	struct client_ref who;
	struct order order;
	int64_t since_ns;
};

struct daemon {
	struct ev_loop *loop;
	const struct daemon_setup *setup;
	struct node_config *config;
	struct boot_clock clock;
	struct home home;
	struct udp udp;
	struct nics nics;
	struct addresses addresses;
	struct member *member;
	struct control control;
	ev_io four, six, alarm, routes, tap[NETWORKS_MAX];
	ev_prepare sleep;
	ev_signal hup, term, quit;
	ev_timer hour, leave;
	int64_t armed_ns;
	struct trace trace[TRACES];
	uint64_t next_token;
	struct client_ref stopper;	/* who asked us to stop */
	struct order stop_order;
	bool has_stopper, leaving, over;
};

/* ---- steps ---------------------------------------------------------------------------- */

static void arm(struct daemon *d)
{
	int64_t at = d->member->alarm_ns, own = nics_due(&d->nics);
	struct itimerspec t = { .it_value = { 0, 0 } };

	at = own < at && !d->leaving ? own : at;
	if (at == d->armed_ns)
		return;
	d->armed_ns = at;
	if (at != INT64_MAX) {
		at = at > 0 ? at : 1;		/* zero would disarm it */
		t.it_value.tv_sec = at / NS_PER_S;
		t.it_value.tv_nsec = at % NS_PER_S;
	}
	timerfd_settime(d->alarm.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void finish(struct daemon *d)
{
	json_t *o;

	if (d->has_stopper) {
		o = json_object();
		json_object_set_new(o, "handed_over", json_boolean(d->member->handed_over));
		o = json_pack("{s:o}", "stop", o);
		control_answer(&d->control, d->stopper, &d->stop_order, o, NULL, false);
		d->has_stopper = false;
	}
	d->over = true;
	ev_break(d->loop, EVBREAK_ALL);
}

/* What follows for the host's own addresses; each round of it asks or announces one. */
static void follow(struct daemon *d)
{
	int64_t now_ns = clock_now_ns(&d->clock);
	uint8_t frame[NICS_FRAME];
	struct event ev;

	for (unsigned i = 0; i < 2 * NETWORKS_MAX && !d->leaving; i++) {
		nics_look(&d->nics, d->member->node, now_ns);
		if (!nics_next(&d->nics, now_ns, frame, &ev))
			break;
		member_step(d->member, now_ns, &ev, 1);
	}
}

static void step(struct daemon *d, const struct event *evs, unsigned count)
{
	member_step(d->member, clock_now_ns(&d->clock), evs, count);
	if (d->nics.count)
		follow(d);
	arm(d);
	if (d->leaving && d->member->left && !d->over)
		finish(d);
}

/* Something woke us: if the machine was suspended meanwhile, core hears of it before anything else. */
static void awake(struct daemon *d)
{
	struct event ev = { .kind = EVENT_RESUMED };

	ev.resumed.gap_ns = clock_slept_ns(&d->clock);
	if (!ev.resumed.gap_ns)
		return;
	diary(LEVEL_INFO, "resumed", "the machine was suspended for %lld s",
	      (long long)(ev.resumed.gap_ns / NS_PER_S));
	step(d, &ev, 1);
	member_stir(d->member, clock_now_ns(&d->clock));
	arm(d);
}

/* ---- what wakes us -------------------------------------------------------------------- */

static void on_sleep(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	clock_stale(&d->clock);
}

static void receive(struct daemon *d, struct udp_socket *s)
{
	struct event evs[UDP_BATCH];

	awake(d);
	for (unsigned i = 0; i < BURSTS && !d->over; i++) {
		unsigned n = udp_receive(&d->udp, s, evs);

		if (n || d->udp.errors)
			step(d, evs, n);
		if (n < UDP_BATCH)
			break;
	}
}

static void on_four(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	receive(d, &d->udp.four);
}

static void on_six(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	receive(d, &d->udp.six);
}

static void on_tap(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;
	struct tap *t = &d->nics.nic[w - d->tap].plug.tap;
	struct event evs[TAP_BATCH];

	(void)revents;
	awake(d);
	for (unsigned i = 0; i < BURSTS && !d->over; i++) {
		unsigned n = tap_read(t, evs);

		if (!n)
			break;
		step(d, evs, n);
	}
	if (!t->gone)
		return;
	diary(LEVEL_ERROR, "network", "somebody deleted the tap %s; the network %s is cut off until a restart", t->name,
	      d->nics.nic[w - d->tap].charter.record.name);
	ev_io_stop(loop, w);
}

static void on_alarm(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;
	uint64_t times;

	(void)loop;
	(void)revents;
	if (read(w->fd, &times, sizeof(times)) < 0)
		return;				/* re-armed meanwhile */
	d->armed_ns = INT64_MIN;
	awake(d);
	step(d, NULL, 0);
}

static void on_routes(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;
	struct event evs[ADDRESSES_EVENTS];
	char buf[ENDPOINT_TEXT];
	unsigned n;

	(void)loop;
	(void)revents;
	if (!addresses_changed(&d->addresses))
		return;
	awake(d);
	n = addresses_read(&d->addresses, &d->udp, evs);
	for (unsigned i = 0; i < n; i++)
		diary(LEVEL_INFO, "address", "%s %s", endpoint_text(&evs[i].from, buf), evs[i].up ? "came" : "went");
	if (n)
		step(d, evs, n);
}

static void judge_certificate(struct daemon *d)
{
	int64_t error_ns, left_s = (int64_t)d->member->not_after - clock_utc_ns(&error_ns) / NS_PER_S;

	if (!d->member->not_after)
		return;
	if (left_s <= 0)
		diary(LEVEL_WARN, "card", "our certificate has ended: nobody will link with us; the overlay's signer makes a new one");
	else if (left_s < WARN_DAYS * 86400)
		diary(LEVEL_WARN, "card", "our certificate ends in %lld days", (long long)(left_s / 86400));
}

static void on_hour(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	awake(d);
	member_stir(d->member, clock_now_ns(&d->clock));
	arm(d);
	judge_certificate(d);
}

/* ---- leaving -------------------------------------------------------------------------- */

static void leave(struct daemon *d, const char *why)
{
	struct event stop = { .kind = EVENT_STOP };

	if (d->leaving) {
		finish(d);
		return;
	}
	diary(LEVEL_INFO, "stop", "%s: leaving", why);
	d->leaving = true;
	ev_timer_start(d->loop, &d->leave);
	awake(d);
	step(d, &stop, 1);
}

static void on_leave(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	diary(LEVEL_WARN, "stop", "nobody took over in %g s", LEAVE_S);
	finish(d);
}

static void on_stop_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	leave(w->data, w->signum == SIGINT ? "SIGINT" : "SIGTERM");
}

/* ---- SIGHUP --------------------------------------------------------------------------- */

static void on_hup(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct daemon *d = w->data;
	const struct daemon_setup *s = d->setup;
	struct fail f = { 0 };
	struct node_config *new = config_load(s->path, s->set, s->sets, &f);
	char *differs;

	(void)loop;
	(void)revents;
	if (!new) {
		for (unsigned i = 0; i < f.count; i++)
			diary(LEVEL_WARN, "reload", "%s", f.text[i]);
		diary(LEVEL_WARN, "reload", "the configuration in use stays as it was");
		fail_done(&f);
		return;
	}
	differs = config_differs(d->config, new);
	if (differs)
		diary(LEVEL_WARN, "reload", "%s is not as it was; that needs a restart", differs);
	g_free(differs);
	diary_level((enum level)new->node.log);
	awake(d);
	member_bootstrap(d->member, clock_now_ns(&d->clock), new->bootstrap, new->bootstraps);
	arm(d);
	diary(LEVEL_INFO, "reload", "%s: %u endpoints to bootstrap from", s->path, new->bootstraps);
	config_free(new);
}

/* ---- orders --------------------------------------------------------------------------- */

/* The network an order means: by name, else by where the address lies. -1: none. */
static int network_of(const struct daemon *d, const struct order *o)
{
	for (unsigned i = 0; i < d->nics.count; i++) {
		const struct network_record *r = &d->nics.nic[i].charter.record;

		if (*o->network ? !strcmp(o->network, r->name) : ip_in(&o->ip, &r->range4) || ip_in(&o->ip, &r->range6))
			return (int)i;
	}
	return -1;
}

/* An order that core answers later: a trace, or who holds an address. */
static void trace_start(struct daemon *d, struct client_ref who, const struct order *o)
{
	struct event ev = { .kind = EVENT_CONTROL };
	struct trace *t = d->trace;
	int network = o->kind == ORDER_RESOLVE ? network_of(d, o) : 0;

	if (network < 0) {
		control_answer(&d->control, who, o, NULL, *o->network ? "this node is in no such network" :
			       "this node is in no network with that address", false);
		return;
	}

	while (t < d->trace + TRACES && t->token)
		t++;
	if (t == d->trace + TRACES) {
		control_answer(&d->control, who, o, NULL, "too many requests under way", false);
		return;
	}
	awake(d);
	*t = (struct trace){ ++d->next_token, who, *o, clock_now_ns(&d->clock) };
	ev.request = (struct request){
		.token = t->token, .key = o->key, .ip = o->ip, .network = (uint8_t)network, .timeout_ns = o->timeout_ns,
		.ask = o->kind == ORDER_RESOLVE ? ASK_RESOLVE : ASK_TRACE,
	};
	step(d, &ev, 1);
}

static void on_reply(void *ctx, const struct reply *r)
{
	struct daemon *d = ctx;
	struct trace *t = d->trace;
	const char *wrong;
	int64_t since_ns;
	json_t *o;

	if (nics_reply(&d->nics, clock_now_ns(&d->clock), r))
		return;
	while (t < d->trace + TRACES && (!t->token || t->token != r->token))
		t++;
	if (t == d->trace + TRACES)
		return;
	since_ns = clock_now_ns(&d->clock) - t->since_ns;
	if (r->answer == ANSWER_HOP) {
		control_answer(&d->control, t->who, &t->order, answer_hop(r, since_ns), NULL, true);
		return;
	}
	o = t->order.kind == ORDER_RESOLVE ? answer_resolve(r, &t->order.ip, since_ns, &wrong) :
	    answer_trace(r, t->order.key, since_ns, &wrong);
	t->token = 0;
	control_answer(&d->control, t->who, &t->order, o, wrong, false);
}

static void on_order(void *ctx, struct client_ref who, const struct order *o)
{
	struct daemon *d = ctx;

	switch (o->kind) {
	case ORDER_STATUS:
		control_answer(&d->control, who, o, answer_status(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_PEERS:
		control_answer(&d->control, who, o, answer_peers(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_LEASES:
		control_answer(&d->control, who, o, answer_leases(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_NETWORKS:
		control_answer(&d->control, who, o, answer_networks(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_NAMES:
		control_answer(&d->control, who, o, answer_names(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_RESOLVE:
	case ORDER_TRACE:
		trace_start(d, who, o);
		break;
	case ORDER_STOP:
		if (d->has_stopper) {
			control_answer(&d->control, who, o, NULL, "it is leaving already", false);
			break;
		}
		d->has_stopper = true;
		d->stopper = who;
		d->stop_order = *o;
		if (!d->leaving)
			leave(d, "weftctl stop");
		break;
	case ORDER_VERSION:
		control_answer(&d->control, who, o, json_pack("{s:s}", "version", WEFT_VERSION), NULL, false);
		break;
	case ORDERS:
		break;
	}
}

/* ---- start and end -------------------------------------------------------------------- */

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
	if (!err)
		return true;
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

static void watch(struct daemon *d, ev_io *w, void (*cb)(struct ev_loop *, ev_io *, int), int fd)
{
	ev_io_init(w, cb, fd, EV_READ);
	w->data = d;
	if (fd >= 0)
		ev_io_start(d->loop, w);
}

static void watch_signal(struct daemon *d, ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int), int number)
{
	ev_signal_init(w, cb, number);
	w->data = d;
	ev_signal_start(d->loop, w);
}

static bool watch_all(struct daemon *d, struct fail *f)
{
	int alarm = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (alarm < 0) {
		fail_errno(f, "make", "a timer", errno);
		return false;
	}
	watch(d, &d->alarm, on_alarm, alarm);
	watch(d, &d->four, on_four, d->udp.four.fd);
	watch(d, &d->six, on_six, d->udp.six.fd);
	watch(d, &d->routes, on_routes, d->addresses.fd);
	for (unsigned i = 0; i < d->nics.count; i++)
		watch(d, &d->tap[i], on_tap, d->nics.nic[i].plug.tap.fd);
	watch_signal(d, &d->hup, on_hup, SIGHUP);
	watch_signal(d, &d->term, on_stop_signal, SIGTERM);
	watch_signal(d, &d->quit, on_stop_signal, SIGINT);
	ev_prepare_init(&d->sleep, on_sleep);
	d->sleep.data = d;
	ev_prepare_start(d->loop, &d->sleep);
	ev_timer_init(&d->hour, on_hour, HOUR_S, HOUR_S);
	d->hour.data = d;
	ev_timer_start(d->loop, &d->hour);
	ev_timer_init(&d->leave, on_leave, LEAVE_S, 0.);
	d->leave.data = d;
	return true;
}

static uint64_t utc_s(void)
{
	int64_t error_ns;

	return (uint64_t)(clock_utc_ns(&error_ns) / NS_PER_S);
}

/* Everything that can fail; whatever was opened is closed by close_all(). */
static bool open_all(struct daemon *d, struct fail *f)
{
	struct fail warn = { 0 };
	bool good = home_open(&d->home, d->config->node.state, f, &warn);

	for (unsigned i = 0; i < warn.count; i++)
		diary(LEVEL_WARN, "state", "%s; going on without it", warn.text[i]);
	fail_done(&warn);
	if (!good || !nics_read(&d->nics, d->config, &d->home, utc_s(), f) || !open_underlay(d, f) ||
	    !nics_plug(&d->nics, f) || !home_begin(&d->home, d->udp.four.at.port, d->udp.six.at.port, utc_s(), f))
		return false;
	d->member = member_new(d->config, &d->home, &d->udp, &d->nics, clock_now_ns(&d->clock), utc_s(), f);
	if (!d->member)
		return false;
	d->member->reply = on_reply;
	d->member->ctx = d;
	addresses_open(&d->addresses);
	for (unsigned i = 0; i < d->nics.count; i++) {
		addresses_except(&d->addresses, &d->nics.nic[i].charter.record.range4);
		addresses_except(&d->addresses, &d->nics.nic[i].charter.record.range6);
	}
	return watch_all(d, f) && control_open(&d->control, d->loop, d->config->control, on_order, d, f);
}

static void close_all(struct daemon *d)
{
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
	config_free(d->config);
	free(d);
}

static struct daemon *daemon_new(const struct daemon_setup *setup, struct node_config *c)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->setup = setup;
	d->config = c;
	d->home.lock = d->addresses.fd = d->alarm.fd = -1;
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
	judge_certificate(d);
	member_start(d->member, clock_now_ns(&d->clock), evs, n);
	step(d, NULL, 0);
	malloc_trim(0);			/* what reading files took */
}

bool daemon_run(const struct daemon_setup *setup, struct node_config *c, struct fail *f)
{
	struct daemon *d = daemon_new(setup, c);
	bool good;

	diary_level((enum level)c->node.log);
	d->loop = ev_loop_new(EVFLAG_AUTO);
	if (!d->loop) {
		fail_add(f, "cannot make an event loop: %s", strerror(errno));
		close_all(d);
		return false;
	}
	mallopt(M_MMAP_THRESHOLD, MAPPED);	/* large blocks go back to the kernel when freed */
	mallopt(M_TRIM_THRESHOLD, MAPPED);
	signal(SIGPIPE, SIG_IGN);
	good = open_all(d, f);
	if (good) {
		begin(d);
		ev_run(d->loop, 0);
		good = home_end(&d->home, f);
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
