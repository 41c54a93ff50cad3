/*
 * The host's own address in a network: asked of the DHT as any guest is, or fixed
 * by the certificate; set on the device, announced, and taken off with the lease.
 */
#include "node/nic.h"

#include <string.h>

#include "core/dht/dht.h"
#include "core/look.h"
#include "core/vnet/packet.h"
#include "node/diary.h"
#include "node/text.h"

#define ASK_TIMEOUT	(10 * NS_PER_S)
#define AGAIN_FIRST	(500 * NS_PER_MS)
#define AGAIN_MOST	(30 * NS_PER_S)
#define ANNOUNCE_AGAIN	(2 * NS_PER_S)

enum { ANNOUNCES = 2 };			/* RFC 5227, 2.3; a node that has only begun to listen on its LAN hears the second */

static uint8_t bits_of(const struct nic *n)
{
	const struct network_record *r = &n->charter.record;

	return n->ip.family == 6 ? r->range6.bits : r->range4.bits;
}

/* What we set goes; on a tap of ours it would go anyway, on a bridge it would not. */
static void unset(struct nic *n)
{
	if (n->own == OWN_SET && !n->plug.tap.gone)
		plug_take(&n->plug, &n->ip, bits_of(n));
}

void own_take(struct nic *n)
{
	unset(n);
	n->own = OWN_OFF;
}

/* A gratuitous ARP request (RFC 5227, 2.3) or an unsolicited neighbour advertisement (RFC 4861, 7.2.6) of the host. */
static size_t announcement(const struct nic *n, uint8_t buf[NICS_FRAME])
{
	static const struct ip ALL = { .at = { 0xff, 2, [15] = 1 }, .family = 6 };
	static const uint8_t NOBODY[MAC_BYTES];
	const uint8_t *mac = n->plug.device.mac;
	struct writer w = writer_of(buf, NICS_FRAME);
	uint8_t to[MAC_BYTES];
	struct build b;

	if (n->ip.family == 4) {
		build_arp(&w, mac_broadcast, 1, mac, &n->ip, NOBODY, &n->ip);
		return writer_len(&w);
	}
	mac_of_group(to, &ALL);
	build_eth(&w, to, mac, TYPE_IP6);
	b = build_icmp(&w, &n->ip, &ALL, 255, 136, 0, 1u << 29 /* override */);
	write_copy(&w, n->ip.at, 16);
	write_u16(&w, 2 << 8 | 1);		/* the target's link-layer address */
	write_copy(&w, mac, MAC_BYTES);
	build_done(&w, &b);
	return writer_len(&w);
}

static void later(struct nic *n, int64_t now_ns)
{
	int64_t wait = n->tries < 6 ? AGAIN_FIRST << n->tries : AGAIN_MOST;

	n->tries++;
	n->own = OWN_WAITING;
	n->ask_ns = now_ns + (wait < AGAIN_MOST ? wait : AGAIN_MOST);
}

/* The address in n->ip is ours until @until_ns: onto the device with it, and off it by then whatever becomes of us. */
static int give(struct nic *n, int64_t now_ns, int64_t until_ns)
{
	int64_t left_s = until_ns == INT64_MAX ? 0 : (until_ns - now_ns) / NS_PER_S;

	n->until_ns = until_ns;
	if (until_ns != INT64_MAX && left_s < 1)
		left_s = 1;
	return plug_give(&n->plug, &n->ip, bits_of(n), left_s < UINT32_MAX ? (uint32_t)left_s : 0);
}

static bool set(struct nic *n, int64_t now_ns, int64_t until_ns)
{
	int err = give(n, now_ns, until_ns);
	char a[IP_TEXT];

	if (err) {
		diary(LEVEL_WARN, "address", "cannot give %s the address %s: %s", n->plug.device.name, ip_text(&n->ip, a),
		      strerror(-err));
		return false;
	}
	diary(LEVEL_INFO, "address", "%s has %s/%u in %s", n->plug.device.name, ip_text(&n->ip, a), bits_of(n),
	      n->charter.record.name);
	n->own = OWN_SET;
	n->announces = ANNOUNCES;
	n->announce_ns = now_ns;
	n->tries = 0;
	return true;
}

int64_t nics_due(const struct nics *n)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		const struct nic *k = n->nic[i];
		int64_t due = !k ? INT64_MAX : k->own == OWN_WAITING ? k->ask_ns :
			      k->own == OWN_SET && k->announces ? k->announce_ns : INT64_MAX;

		at = due < at ? due : at;
	}
	return at;
}

uint64_t own_client(const struct nic *n)
{
	uint8_t mac[6];
	uint64_t client = 0;

	nic_mac(mac, n, "host");
	for (unsigned i = 0; i < sizeof(mac); i++)
		client = client << 8 | mac[i];
	return client;
}

bool nics_next(struct nics *n, int64_t now_ns, uint8_t frame[NICS_FRAME], struct event *ev)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		struct nic *k = n->nic[i];

		if (!k)
			continue;
		if (k->own == OWN_WAITING && k->fixed && k->ask_ns <= now_ns && !set(k, now_ns, INT64_MAX))
			later(k, now_ns);
		if (k->own == OWN_SET && k->announces && k->announce_ns <= now_ns) {
			k->announces--;
			k->announce_ns = now_ns + ANNOUNCE_AGAIN;
			*ev = (struct event){ .kind = EVENT_FRAME, .iface = k->plug.tap.iface,
					      .data = { frame, announcement(k, frame) } };
			return true;
		}
		if (k->own != OWN_WAITING || k->fixed || k->ask_ns > now_ns)
			continue;
		*ev = (struct event){ .kind = EVENT_CONTROL };
		ev->request = (struct request){
			.token = NIC_FIRST_TOKEN + i, .ip = k->ip, .client = own_client(k), .network = (uint8_t)i,
			.timeout_ns = ASK_TIMEOUT, .ask = ASK_LEASE,
		};
		k->own = OWN_ASKED;
		return true;
	}
	return false;
}

/* Core has nothing of it any more. */
static void left(struct nics *n, unsigned place, const struct reply *r)
{
	diary(LEVEL_INFO, "network", "%s is left%s", nics_name(n, place), r->answer == ANSWER_OK ? "" :
	      "; not all leases and names could be given back, they end with their terms");
	nics_drop(n, place);
}

bool nics_reply(struct nics *n, int64_t now_ns, const struct reply *r)
{
	unsigned i = (unsigned)(r->token - NIC_FIRST_TOKEN);
	struct nic *k;
	char a[IP_TEXT];

	if (r->token < NIC_FIRST_TOKEN)
		return false;
	k = i < NETWORKS_MAX ? n->nic[i] : NULL;
	if (k && r->ask == ASK_JOIN)
		k->joined = r->answer == ANSWER_OK;
	if (k && r->ask == ASK_QUIT)
		left(n, i, r);
	if (!k || r->ask == ASK_QUIT || k->own != OWN_ASKED || r->ask != ASK_LEASE)
		return true;			/* its lease was renewed */
	diary(LEVEL_DEBUG, "address", "asked for in %s: answer %u, verdict %u", k->charter.record.name, r->answer, r->verdict);
	if (r->answer == ANSWER_OK && r->ip.family) {
		k->ip = r->ip;
		if (!set(k, now_ns, r->until_ns))
			later(k, now_ns);
		return true;
	}
	if (r->answer == ANSWER_REFUSED && !k->taken_said) {
		diary(LEVEL_WARN, "address", "%s in %s is not to be had now; trying on",
		      k->config->how == ADDRESS_THIS ? ip_text(&k->ip, a) : "an address", k->charter.record.name);
		k->taken_said = true;
	}
	later(k, now_ns);
	return true;
}

/* Is its lease still ours, and until when? */
static bool held(const struct node *node, const struct nic *n, int64_t *until_ns)
{
	struct held h;

	for (unsigned i = 0; node_held(node, i, &h); i++)
		if (id_eq(h.network, n->charter.record.id) && ip_eq(&h.lease.ip, &n->ip) &&
		    (h.state == HELD_OURS || h.state == HELD_DOUBTED)) {
			*until_ns = h.until_ns;
			return true;
		}
	return false;
}

void nics_look(struct nics *n, const struct node *node, int64_t now_ns)
{
	uint32_t changes = node_held_changes(node);
	int64_t until_ns;
	char a[IP_TEXT];

	if (changes == n->held_seen)
		return;
	n->held_seen = changes;
	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		struct nic *k = n->nic[i];

		if (!k || k->own != OWN_SET || k->fixed)
			continue;
		if (held(node, k, &until_ns)) {
			if (until_ns != k->until_ns)
				give(k, now_ns, until_ns);
			continue;
		}
		diary(LEVEL_WARN, "address", "%s in %s is not ours any more", ip_text(&k->ip, a), k->charter.record.name);
		unset(k);
		if (k->config->how == ADDRESS_LEASE)
			k->ip = (struct ip){ .family = k->ip.family };
		later(k, now_ns);
	}
}
