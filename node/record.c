/* Captures that clients ask for: one at a time, into a pipe that came with the order, until its time or its reader ends. */
#include "node/inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/diary.h"
#include "node/put.h"

static int64_t utc_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void record_end(struct daemon *d)
{
	struct trace *t = d->sniffer;
	json_t *o;

	if (!sniff_runs(&d->sniff))
		return;
	d->member->watch = NULL;
	ev_timer_stop(d->loop, &d->sniffed);
	ev_io_stop(d->loop, &d->pipe);
	sniff_stop(&d->sniff);
	o = json_object();
	put_int(o, "packets", (int64_t)d->sniff.packets);
	put_int(o, "left_out", (int64_t)d->sniff.left_out);
	control_answer(&d->control, t->who, &t->order, inside("pcap", o), NULL, false);
	free(t);
	d->sniffer = NULL;
	diary(LEVEL_INFO, "capture", "ended: %llu packets, %llu left out", (unsigned long long)d->sniff.packets,
	      (unsigned long long)d->sniff.left_out);
}

/* What waits goes on when the pipe has room; an error there means that its reader is gone. */
static void flush(struct daemon *d)
{
	bool waits = sniff_flush(&d->sniff);
	int want = waits ? EV_READ | EV_WRITE : EV_READ;

	if (d->sniff.ended) {
		record_end(d);
		return;
	}
	if ((d->pipe.events & (EV_READ | EV_WRITE)) == want)
		return;
	ev_io_stop(d->loop, &d->pipe);
	ev_io_set(&d->pipe, d->sniff.fd, want);
	ev_io_start(d->loop, &d->pipe);
}

static void on_pipe(struct ev_loop *loop, ev_io *w, int revents)
{
	struct daemon *d = w->data;

	(void)loop;
	if (revents & EV_READ)			/* a pipe's writing end is never readable: its reader is gone */
		record_end(d);
	else
		flush(d);
}

static void on_captured(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	record_end(w->data);
}

void record_in(struct daemon *d, const struct udp_socket *s, const struct event *evs, unsigned count)
{
	int64_t now = utc_ns();

	for (unsigned i = 0; i < count; i++)
		if (evs[i].kind == EVENT_FRAME)
			sniff_frame(&d->sniff, evs[i].iface, evs[i].data.at, evs[i].data.len, now);
		else if (evs[i].kind == EVENT_DATAGRAM)
			sniff_datagram(&d->sniff, &evs[i].from, &s->at, evs[i].data.at, evs[i].data.len, now);
	flush(d);
}

static void watch(void *ctx, const struct effects *fx)
{
	struct daemon *d = ctx;
	int64_t now = utc_ns();

	for (unsigned i = 0; i < fx->sends; i++) {
		const struct datagram *g = &fx->send[i];

		for (size_t at = 0, step = g->segment ? g->segment : g->len; at < g->len; at += step)
			sniff_datagram(&d->sniff, g->to.kind == ENDPOINT_UDP6 ? &d->udp.six.at : &d->udp.four.at, &g->to,
				       g->data + at, g->len - at < step ? g->len - at : step, now);
	}
	for (unsigned i = 0; i < fx->frames; i++)
		sniff_frame(&d->sniff, fx->frame[i].iface, fx->frame[i].data, fx->frame[i].len, now);
	if (d->sniff.len)
		ev_feed_event(d->loop, &d->pipe, EV_WRITE);	/* after this step: ending it inside would pull the rug away */
}

void record_start(struct daemon *d, struct client_ref who, const struct order *o)
{
	int fd = control_pipe(&d->control, who);
	const char *wrong = NULL;
	int network = -1;

	for (int i = NETWORKS_MAX - 1; i >= 0; i--)
		if (d->nics.nic[i] && d->nics.nic[i]->config && (!*o->network || !strcmp(o->network, nics_name(&d->nics, (unsigned)i))))
			network = i;
	if (fd < 0)
		wrong = "no pipe came with the order";
	else if (sniff_runs(&d->sniff))
		wrong = "a capture runs already";
	else if (!o->overlay && network < 0)
		wrong = *o->network ? "this node is in no such network" : "this node has no tap";
	else if (!sniff_start(&d->sniff, fd, o->overlay, o->overlay ? 0 : d->nics.nic[network]->plug.tap.iface))
		wrong = "no memory for a capture";
	if (wrong) {
		if (fd >= 0)
			close(fd);
		control_answer(&d->control, who, o, NULL, wrong, false);
		return;
	}
	diary(LEVEL_INFO, "capture", "of %s began", o->overlay ? "the overlay's datagrams" : d->nics.nic[network]->plug.tap.name);
	d->sniffer = calloc(1, sizeof(*d->sniffer));
	if (!d->sniffer)
		abort();
	d->sniffer->who = who;
	d->sniffer->order = *o;
	d->member->watch = watch;
	ev_timer_init(&d->sniffed, on_captured, (double)o->timeout_ns / NS_PER_S, 0.);
	d->sniffed.data = d;
	ev_timer_start(d->loop, &d->sniffed);
	ev_io_init(&d->pipe, on_pipe, d->sniff.fd, EV_READ);
	d->pipe.data = d;
	ev_io_start(d->loop, &d->pipe);
}
