/*
 * Faults of single hosts, carried out on their shards. An order says which
 * fault and whether it begins here or is over. One of a kind acts at a time: a
 * later fault takes the place of an earlier one, whose end then does nothing.
 */
#include "sim/world/faults.h"
#include "sim/world/revokes.h"

static void post(struct shard *s, struct lane *l, struct host *h, unsigned class, int64_t at_ns,
		 uint32_t number)
{
	uint32_t i = host_number(s->world, h);
	struct order *o = engine_payload(l, sizeof(*o));

	*o = (struct order){ .incarnation = h->incarnation, .what = number, .number = FAULT_RETURNS };
	engine_post(l, i, i, class, at_ns, o);
}

static void stall(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r,
		  enum host_state state)
{
	struct odd *odd;
	int64_t now_ns = lane_now(l);
	int64_t until_ns = r->fault->for_ns ? now_ns + r->fault->for_ns : NEVER_NS;

	if (h->state == HOST_OFF)
		return;
	odd = host_odd(l, h);
	if (h->state == HOST_PAUSED || h->state == HOST_ASLEEP)
		until_ns = MAX(until_ns, odd->until_ns);
	else
		odd->since_ns = now_ns;
	if (h->state != HOST_ASLEEP)
		h->state = (uint8_t)state;
	odd->until_ns = until_ns;
	odd->stall = (uint16_t)r->number;
	if (state == HOST_ASLEEP) {
		net_iface_up(s->world->net, host_number(s->world, h), false);
		s->touched[r->number]++;
	}
	watch_note(s, now_ns, h, NOTE_STALL, h->id, 0, 0);
	if (until_ns != NEVER_NS)
		post(s, l, h, CLASS_WAKE, until_ns, r->number);
}

static void restart(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r)
{
	const struct fault *f = r->fault;
	int64_t now_ns = lane_now(l);

	if (h->state == HOST_OFF)
		return;
	s->touched[r->number]++;
	h->flags |= HOST_RETURNS;
	if (host_chance(s->world, host_number(s->world, h), STREAM_GRACEFUL,
			UINT64_C(1) << 40 | h->incarnation) % PPB_ONE < f->graceful_ppb)
		host_stop(s, l, h);		/* may take up to GRACE_NS of its time off */
	else
		host_end(s, l, h, false);
	h->churn_ns = NEVER_NS;
	post(s, l, h, CLASS_FAULT, now_ns + f->down_ns, r->number);
}

static void come_back(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r)
{
	if (h->state != HOST_OFF)		/* not done saying goodbye: it is cut short */
		host_end(s, l, h, false);
	host_start(s, l, h, r->fault->state == STATE_NONE, r->fault->state == STATE_ALL);
	churn_start(s, l, h);
}

static void begins(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r)
{
	const struct fault *f = r->fault;
	struct odd *odd;

	switch ((enum fault_kind)f->kind) {
	case FAULT_CRASH:
	case FAULT_LEAVE:
		if (h->state == HOST_OFF)
			return;
		s->touched[r->number]++;
		if (f->kind == FAULT_CRASH)
			host_end(s, l, h, false);
		else
			host_stop(s, l, h);
		return;
	case FAULT_RESTART:
		restart(s, l, h, r);
		return;
	case FAULT_JOIN:
		if (h->state != HOST_OFF)
			return;
		s->touched[r->number]++;
		host_start(s, l, h, true, false);
		churn_start(s, l, h);
		return;
	case FAULT_PAUSE:
		stall(s, l, h, r, HOST_PAUSED);
		return;
	case FAULT_SUSPEND:
		stall(s, l, h, r, HOST_ASLEEP);
		return;
	case FAULT_REVOKE:
		s->touched[r->number] += revokes_hand(s, l, h, r);
		return;
	case FAULT_DRIFT:
		odd = host_odd(l, h);
		odd->drift = (uint16_t)r->number;
		clock_drift(&h->clock, lane_now(l), f->drift_ppb);
		break;
	case FAULT_SLOW_NODE:
		odd = host_odd(l, h);
		odd->slow = (uint16_t)r->number;
		odd->slow_ns = f->delay_ns;
		break;
	case FAULT_SLOW_DISK:
		odd = host_odd(l, h);
		odd->disk = (uint16_t)r->number;
		odd->disk_ns = f->delay_ns;
		break;
	case FAULT_LYING_DISK:
		odd = host_odd(l, h);
		odd->lie = (uint16_t)r->number;
		odd->lying = (uint8_t)(1 + f->lie);
		break;
	default:
		g_assert_not_reached();
	}
	if (f->for_ns)
		post(s, l, h, CLASS_FAULT, lane_now(l) + f->for_ns, r->number);
	if (f->kind == FAULT_DRIFT && host_is_running(h))	/* its alarm was set by the old clock */
		host_step(s, l, h, NULL, 0);
}

static void is_over(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r)
{
	struct odd *odd = h->odd;

	switch ((enum fault_kind)r->fault->kind) {
	case FAULT_RESTART:
		come_back(s, l, h, r);
		return;
	case FAULT_DRIFT:
		if (odd->drift != r->number)
			return;
		odd->drift = 0;
		clock_drift(&h->clock, lane_now(l), 0);
		if (host_is_running(h))
			host_step(s, l, h, NULL, 0);
		return;
	case FAULT_SLOW_NODE:
		if (odd->slow == r->number)
			odd->slow = 0, odd->slow_ns = 0;
		return;
	case FAULT_SLOW_DISK:
		if (odd->disk == r->number)
			odd->disk = 0, odd->disk_ns = 0;
		return;
	case FAULT_LYING_DISK:
		if (odd->lie != r->number)
			return;
		odd->lie = 0;
		odd->lying = 0;
		disk_truth(l, h);
		return;
	default:
		g_assert_not_reached();
	}
}

void faults_order(struct shard *s, struct lane *l, struct host *h, const struct order *o)
{
	const struct fault_run *r = &s->world->faults->run[o->what];

	if (o->number == FAULT_BEGINS)
		begins(s, l, h, r);
	else
		is_over(s, l, h, r);
}
