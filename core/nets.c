/*
 * The networks of a node: those it is born with, and those that come and go
 * while it runs. The node stays on the ring all the while, and what belongs to
 * other networks is not touched.
 *
 * A network is left in two steps. At once: its LAN hears goodbye, its tunnels
 * end with a word to their peers, and the struct vnet is gone with all it holds.
 * Then leases and names are given back by their slots, which takes a few round
 * trips; what is not answered within QUIT_PATIENCE is forgotten, and its slots
 * forget it with its term. Until then what the host gave us is still borrowed.
 *
 * Slots are not left: they are the overlay's, and who is on the ring serves
 * those of networks it is no member of.
 */
#include "core/inside.h"

#include "core/dht/admit.h"

#define QUIT_PATIENCE	(3 * NS_PER_S)
#define QUIT_STEP	(50 * NS_PER_MS)

/** struct quitting - a network we are on the way out of */
struct quitting {
	struct quitting *next;
	struct id id;
	uint64_t token;
	int64_t until_ns;
	uint8_t place;
};

static bool floors_ready(struct node *n)
{
	if (!n->dht)
		n->dht = dht_new(&n->env, &n->ring, n->identity);
	if (!n->tunnels)
		n->tunnels = tunnels_new(&n->env, n->links, n->identity);
	return n->dht && n->tunnels;
}

static bool make(struct node *n, unsigned place)
{
	const struct vnet_ports ports = { n->dht, n->tunnels, &n->ring };

	n->vnet[place] = vnet_new(&n->env, &ports, &n->networks[place], (uint8_t)place);
	return n->vnet[place];
}

static void start(struct node *n, unsigned place)
{
	const struct network *net = &n->networks[place];

	vnet_start(n->vnet[place], &n->env);
	if (net->signer.len)
		dht_admits(n->dht, &n->env, vnet_id(n->vnet[place]), net->signer, net->secret);
}

bool nets_new(struct node *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!floors_ready(n) || !make(n, i))
			return false;
	return true;
}

void nets_free(struct node *n)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			vnet_free(n->vnet[i], &n->env);
	for (struct quitting *q = n->quitting, *next; q; q = next) {
		next = q->next;
		mem_put(&n->env.mem, q, sizeof(*q));
	}
}

void nets_start(struct node *n)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i])
			start(n, i);
}

/* ---- while we run ---- */

/* Are we in @network, on the way out of it, or is @place still in use? */
static bool taken(const struct node *n, unsigned place, struct id network)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->vnet[i] && (i == place || id_eq(vnet_id(n->vnet[i]), network)))
			return true;
	for (const struct quitting *q = n->quitting; q; q = q->next)
		if (q->place == place || id_eq(q->id, network))
			return true;
	return false;
}

enum answer nets_join(struct node *n, unsigned place)
{
	struct env *e = &n->env;
	struct network_record record;

	if (!n->networks || place >= NETWORKS_MAX || n->leave_ns)
		return ANSWER_FAILED;
	if (network_read(e->suite, n->networks[place].record, &record) != DROP_NONE || taken(n, place, record.id))
		return ANSWER_REFUSED;
	if (!floors_ready(n))
		return ANSWER_FULL;
	if (!make(n, place)) {
		dht_quit(n->dht, e, record.id, true);
		return ANSWER_FULL;
	}
	if (n->gazette)
		gazette_join(e, n->gazette, record.key);
	start(n, place);
	return ANSWER_OK;
}

static void done(struct node *n, const struct quitting *q, enum answer how)
{
	struct reply r = { .token = q->token, .who = n->ring.self, .tries = 1, .answer = (uint8_t)how, .ask = ASK_QUIT };

	env_reply(&n->env, &r);
}

void nets_timer(struct node *n)
{
	struct env *e = &n->env;

	for (struct quitting **at = &n->quitting; *at;) {
		struct quitting *q = *at;
		bool given = dht_quit(n->dht, e, q->id, false);

		if (!given && e->now_ns < q->until_ns) {
			at = &q->next;
			continue;
		}
		if (!given)
			dht_quit(n->dht, e, q->id, true);
		done(n, q, given ? ANSWER_OK : ANSWER_TIMEOUT);
		*at = q->next;
		mem_put(&e->mem, q, sizeof(*q));
	}
	if (n->quitting)
		heap_set(&e->timers, &e->mem, TIMER_QUIT, e->now_ns + QUIT_STEP);
}

bool nets_quit(struct node *n, unsigned place, uint64_t token)
{
	struct env *e = &n->env;
	struct vnet *v = n->vnet[place];
	struct quitting *q = mem_get(&e->mem, sizeof(*q));

	if (!q) {
		env_drop(e, DROP_MEMORY);
		return false;
	}
	*q = (struct quitting){ n->quitting, vnet_id(v), token, e->now_ns + QUIT_PATIENCE, (uint8_t)place };
	n->quitting = q;
	if (n->gazette)
		gazette_quit(e, n->gazette, dht_record(n->dht, q->id)->key);
	if (vnet_epoch(v).epoch)
		env_save(e, SAVE_GROUP, q->id.hi, NULL, 0);
	vnet_leave(v, e);
	vnet_free(v, e);
	n->vnet[place] = NULL;
	tunnels_quit(e, n->tunnels, place);
	nets_timer(n);
	return true;
}
