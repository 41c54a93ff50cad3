/*
 * Each thing that wakes the loop becomes events for the door. Everything core
 * asks for is done before the loop sleeps again.
 */
#include "node/inside.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "node/burst.h"
#include "node/diary.h"
#include "node/ready.h"
#include "node/text.h"

enum { HOUR_S = 3600, CLOCK_S = 10, TIDY_S = 60, WARN_DAYS = 14, BURSTS = 4 /* of a tap */, BURST = 64 /* datagrams of a socket */ };
#define LEAVE_S		6.0

/* ---- steps ---------------------------------------------------------------------------- */

void wake_arm(struct daemon *d)
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

void wake_step(struct daemon *d, const struct event *evs, unsigned count)
{
	member_step(d->member, clock_now_ns(&d->clock), evs, count);
	if (nics_count(&d->nics))
		follow(d);
	wake_arm(d);
	reload_go_on(d);
	if (d->member->revoked && !d->leaving)
		wake_leave(d, "this node was revoked");
	if (d->leaving && d->member->left && !d->over)
		finish(d);
}

/* Something woke us: if the machine was suspended meanwhile, core hears of it before anything else. */
void wake_up(struct daemon *d)
{
	struct event ev = { .kind = EVENT_RESUMED };

	ev.resumed.gap_ns = clock_slept_ns(&d->clock);
	if (!ev.resumed.gap_ns)
		return;
	diary(LEVEL_INFO, "resumed", "the machine was suspended for %lld s",
	      (long long)(ev.resumed.gap_ns / NS_PER_S));
	wake_step(d, &ev, 1);
	member_stir(d->member, clock_now_ns(&d->clock));
	wake_arm(d);
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
	struct event *evs;

	wake_up(d);
	for (unsigned got = 0, n = UDP_BATCH; n >= UDP_BATCH && got < BURST && !d->over; got += n) {
		n = udp_receive(&d->udp, s, &evs);

		if (n && sniff_runs(&d->sniff))
			record_in(d, s, evs, n);
		if (n || d->udp.errors)
			wake_step(d, evs, n);
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
	unsigned place = (unsigned)(w - d->tap);
	struct tap *t = &d->nics.nic[place]->plug.tap;
	struct event *evs;

	(void)revents;
	wake_up(d);
	for (unsigned i = 0; i < BURSTS && !d->over; i++) {
		unsigned n = tap_read(t, &evs);

		if (!n)
			break;
		if (sniff_runs(&d->sniff))
			record_in(d, NULL, evs, n);
		wake_step(d, evs, n);
	}
	if (!t->gone)
		return;
	diary(LEVEL_ERROR, "network", "somebody deleted the tap %s; the network %s is cut off until SIGHUP or a restart",
	      t->name, nics_name(&d->nics, place));
	ev_io_stop(loop, w);
}

/* The disk has taken what was saved, or not: the next step tells core. */
static void on_saved(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;
	uint64_t count;

	(void)loop;
	(void)revents;
	(void)!read(w->fd, &count, sizeof(count));
	wake_up(d);
	wake_step(d, NULL, 0);
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
	wake_up(d);
	wake_step(d, NULL, 0);
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
	wake_up(d);
	n = addresses_read(&d->addresses, &d->udp, evs);
	for (unsigned i = 0; i < n; i++)
		diary(LEVEL_INFO, "address", "%s %s", endpoint_text(&evs[i].from, buf), evs[i].up ? "came" : "went");
	if (n)
		wake_step(d, evs, n);
}

void wake_judge(struct daemon *d)
{
	int64_t error_ns, left_s = (int64_t)d->member->not_after - clock_utc_ns(&error_ns) / NS_PER_S;

	if (!d->member->not_after)
		return;
	if (left_s <= 0)
		diary(LEVEL_WARN, "card", "our certificate has ended: nobody will link with us; the overlay's signer makes a new one");
	else if (left_s < WARN_DAYS * 86400)
		diary(LEVEL_WARN, "card", "our certificate ends in %lld days", (long long)(left_s / 86400));
}

/* Soon if the clock is still to be set. */
static double until_stir(const struct daemon *d)
{
	int64_t error_ns;

	return clock_utc_ns(&error_ns) / NS_PER_S < (int64_t)d->home.not_before ? CLOCK_S : HOUR_S;
}

static void on_hour(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	wake_up(d);
	member_stir(d->member, clock_now_ns(&d->clock));
	wake_arm(d);
	wake_judge(d);
	w->repeat = until_stir(d);
	ev_timer_again(d->loop, w);
}

/* What joining, a burst or an answer took goes back to the kernel, whole pages of it. */
static void on_tidy(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	(void)revents;
	member_tidy(d->member);
	burst_tidy();
	malloc_trim(0);
}

/* ---- leaving -------------------------------------------------------------------------- */

void wake_leave(struct daemon *d, const char *why)
{
	struct event stop = { .kind = EVENT_STOP };

	if (d->leaving) {
		finish(d);
		return;
	}
	diary(LEVEL_INFO, "stop", "%s: leaving", why);
	ready_tell("STOPPING=1");
	d->leaving = true;
	ev_timer_start(d->loop, &d->leave);
	wake_up(d);
	wake_step(d, &stop, 1);
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
	wake_leave(w->data, w->signum == SIGINT ? "SIGINT" : "SIGTERM");
}

static void on_hup(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	reload(w->data);
}

/* ---- watching ------------------------------------------------------------------------- */

static void watch(struct daemon *d, ev_io *w, void (*cb)(struct ev_loop *, ev_io *, int), int fd)
{
	ev_io_init(w, cb, fd, EV_READ);
	w->data = d;
	if (fd >= 0)
		ev_io_start(d->loop, w);
}

void wake_tap(struct daemon *d, unsigned place)
{
	watch(d, &d->tap[place], on_tap, d->nics.nic[place]->plug.tap.fd);
}

static void watch_signal(struct daemon *d, ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int), int number)
{
	ev_signal_init(w, cb, number);
	w->data = d;
	ev_signal_start(d->loop, w);
}

bool wake_watch(struct daemon *d, struct fail *f)
{
	int alarm = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (alarm < 0) {
		fail_errno(f, "make", "a timer", errno);
		return false;
	}
	watch(d, &d->alarm, on_alarm, alarm);
	watch(d, &d->four, on_four, d->udp.four.fd);
	watch(d, &d->six, on_six, d->udp.six.fd);
	watch(d, &d->saved, on_saved, d->home.saves.scribe.done);
	watch(d, &d->routes, on_routes, d->addresses.fd);
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (d->nics.nic[i])
			wake_tap(d, i);
	watch_signal(d, &d->hup, on_hup, SIGHUP);
	watch_signal(d, &d->term, on_stop_signal, SIGTERM);
	watch_signal(d, &d->quit, on_stop_signal, SIGINT);
	ev_prepare_init(&d->sleep, on_sleep);
	d->sleep.data = d;
	ev_prepare_start(d->loop, &d->sleep);
	ev_timer_init(&d->hour, on_hour, until_stir(d), HOUR_S);
	d->hour.data = d;
	ev_timer_start(d->loop, &d->hour);
	ev_timer_init(&d->tidy, on_tidy, TIDY_S, TIDY_S);
	d->tidy.data = d;
	ev_timer_start(d->loop, &d->tidy);
	ev_timer_init(&d->leave, on_leave, LEAVE_S, 0.);
	d->leave.data = d;
	return true;
}
