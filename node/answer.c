#include "node/answer.h"

#include <unistd.h>

#include "node/clock.h"
#include "node/diary.h"
#include "node/put.h"

static json_t *endpoint(const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT];

	return json_string(endpoint_text(e, buf));
}

static const char *state_text(const struct member *m, const struct look *l)
{
	return m->left ? "left" : l->leaving ? "leaving" : l->joined ? "joined" : "joining";
}

static const char *end_text(enum run_end e)
{
	return e == RUN_CLEAN ? "clean" : e == RUN_SAME_BOOT ? "killed" : "unknown";
}

/* ---- status --------------------------------------------------------------------------- */

static json_t *listening(const struct udp *u)
{
	json_t *a = json_array();

	if (u->four.fd >= 0)
		json_array_append_new(a, endpoint(&u->four.at));
	if (u->six.fd >= 0)
		json_array_append_new(a, endpoint(&u->six.at));
	return a;
}

static json_t *traffic(const struct member *m)
{
	json_t *o = json_object(), *kinds = json_object();

	put_int(o, "in_packets", (int64_t)m->udp->in);
	put_int(o, "in_bytes", (int64_t)m->udp->in_bytes);
	put_int(o, "out_packets", (int64_t)m->udp->out);
	put_int(o, "out_bytes", (int64_t)m->udp->out_bytes);
	put_int(o, "refused", (int64_t)m->udp->refused);
	for (unsigned k = 0; k < MESSAGE_KINDS; k++)
		if (m->sends[k] && message_text(k))
			put_int(kinds, message_text(k), (int64_t)m->sends[k]);
	put(o, "sent", kinds);
	return o;
}

static json_t *drops(const struct member *m)
{
	json_t *o = json_object();

	for (int d = DROP_NONE + 1; d < DROP_COUNT; d++)
		if (m->fx.drops[d])
			put_int(o, drop_text((enum drop)d), (int64_t)m->fx.drops[d]);
	if (m->udp->oversized)
		put_int(o, "longer than any packet of ours", (int64_t)m->udp->oversized);
	return o;
}

json_t *answer_status(const struct member *m, int64_t now_ns)
{
	json_t *o = json_object();
	char key[KEY_TEXT];
	struct look l;
	int64_t error_ns;
	unsigned revoked;

	node_look(m->node, &l);
	put_text(o, "name", m->name);
	put_id(o, "id", l.id);
	put_text(o, "overlay", key_text(m->core.overlay, key));
	put_text(o, "version", WEFT_VERSION);
	put_int(o, "pid", getpid());
	put_text(o, "state", state_text(m, &l));
	put_int(o, "up_s", (now_ns - m->birth_ns) / NS_PER_S);
	if (l.joined)
		put_int(o, "joined_after_ms", (l.joined_ns - m->birth_ns) / NS_PER_MS);
	put_int(o, "size", l.size);
	put_id(o, "left", l.left);
	put_id(o, "right", l.right);
	put_int(o, "links", l.links);
	put_int(o, "longs_out", l.longs_out);
	put_int(o, "longs_in", l.longs_in);
	put_int(o, "known_left", l.known_left);
	put_int(o, "known_right", l.known_right);
	put_int(o, "remembered", l.remembered);
	put_int(o, "memory_bytes", node_bytes(m->node));
	put(o, "listen", listening(m->udp));
	put_int(o, "incarnation", (int64_t)m->home->incarnation);
	put_text(o, "last_run", end_text(m->home->last));
	put_int(o, "utc_s", clock_utc_ns(&error_ns) / NS_PER_S);
	put_int(o, "revocation_list", (int64_t)node_revoked(m->node, m->core.overlay, &revoked));
	put_int(o, "revoked", revoked);
	if (m->not_after)
		put_int(o, "certificate_ends_utc_s", (int64_t)m->not_after);
	put_int(o, "saves", (int64_t)m->saves);
	put_int(o, "saves_failed", (int64_t)m->home->saves.failures);
	put_int(o, "log_lines_left_out", (int64_t)diary_left_out());
	put(o, "traffic", traffic(m));
	put(o, "drops", drops(m));
	return inside("status", o);
}

/* ---- peers ---------------------------------------------------------------------------- */

static json_t *uses(const struct look_link *k)
{
	static const struct { uint8_t bit; const char *text; } USE[] = {
		{ USE_NEAR, "near" }, { USE_LONG_OUT, "long" }, { USE_LONG_IN, "long-in" },
		{ USE_LEAF, "leaf" }, { USE_PEER, "peer" },
	};
	json_t *a = json_array();

	for (unsigned i = 0; i < sizeof(USE) / sizeof(USE[0]); i++)
		if (k->use & USE[i].bit)
			json_array_append_new(a, json_string(USE[i].text));
	return a;
}

static json_t *peer(const struct member *m, const struct look_link *k, int64_t now_ns)
{
	static const char *const STATE[LINK_STATES] = {
		[LINK_CALLING] = "calling", [LINK_ANSWERED] = "answering", [LINK_UP] = "up",
	};
	static const char *const LET[] = { [LET_CALLED] = "called", [LET_ADDRESS] = "address", [LET_ANY] = "any" };
	const struct link_view *v = &k->link;
	uint32_t now_ms = (uint32_t)((now_ns - m->birth_ns) / NS_PER_MS);
	json_t *o = json_object();

	put_id(o, "id", v->id);
	put_text(o, "state", STATE[v->state]);
	put(o, "at", endpoint(&v->at));
	put(o, "relayed", json_boolean(v->relayed));
	if (v->relayed)
		put_id(o, "via", v->via);
	if (v->state != LINK_UP)
		return o;
	put_text(o, "let_in", LET[v->let]);
	if (v->relayed) {
		put_int(o, "tries", v->meets);
		put(o, "their_nat_varies", json_boolean(v->varies));
	}
	put(o, "suspect", json_boolean(v->suspect));
	put(o, "called_by_us", json_boolean(v->called_by_us));
	put(o, "member", json_boolean(k->member));
	put(o, "use", uses(k));
	put_int(o, "rtt_us", v->srtt_us);
	put_int(o, "mtu_bytes", v->mtu);
	put(o, "mtu_known", json_boolean(v->mtu_known));
	put_int(o, "up_ms", (uint32_t)(now_ms - v->up_ms));
	put_int(o, "heard_ms", (uint32_t)(now_ms - v->heard_ms));
	return o;
}

json_t *answer_peers(const struct member *m, int64_t now_ns)
{
	json_t *a = json_array();
	struct look_link k;

	for (unsigned i = 0; i < node_look_links(m->node); i++)
		if (node_look_link(m->node, i, &k))
			json_array_append_new(a, peer(m, &k, now_ns));
	return inside("peers", a);
}

/* ---- traces --------------------------------------------------------------------------- */

json_t *answer_hop(const struct reply *r, int64_t since_ns)
{
	json_t *o = json_object();

	put_int(o, "number", r->hops);
	put_id(o, "id", r->who);
	put_int(o, "rtt_us", since_ns / NS_PER_US);
	put_int(o, "try", r->tries);
	return inside("hop", o);
}

json_t *answer_trace(const struct reply *r, struct id key, int64_t since_ns, const char **wrong)
{
	json_t *o = json_object();

	put_id(o, "key", key);
	put_int(o, "rtt_us", since_ns / NS_PER_US);
	put_int(o, "tries", r->tries);
	switch ((enum answer)r->answer) {
	case ANSWER_OK:
		put_id(o, "owner", r->who);
		put_int(o, "hops", r->hops);
		*wrong = NULL;
		break;
	case ANSWER_TIMEOUT:
		*wrong = "no answer in time";
		break;
	case ANSWER_NOT_JOINED:
		*wrong = "this node has not joined yet";
		break;
	case ANSWER_FULL:
		*wrong = "too many requests under way";
		break;
	case ANSWER_FAILED:
	case ANSWER_REFUSED:
	case ANSWER_HOP:
		*wrong = "it cannot be done";
		break;
	}
	return inside("trace", o);
}
