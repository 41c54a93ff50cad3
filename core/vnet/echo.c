/*
 * An operator's ping. It goes as a guest's packet goes: it begins the tunnel if
 * there is none, waits with the others, asks for a chain, earns a link. The
 * token comes back from outside and is believed no further than that: who
 * asked compares it, and the peer, with what was asked.
 */
#include <string.h>

#include "core/vnet/parts.h"

enum { ECHO_HEAD = 1 + 8 };

enum drop vnet_echo(struct vnet *v, struct env *e, struct id to, uint64_t token, uint16_t size)
{
	uint16_t len = size > ECHO_HEAD ? size : ECHO_HEAD;
	uint8_t *buf = env_scratch(e, len);
	struct writer w;

	if (!buf)
		return DROP_MEMORY;
	memset(buf, 0, len);
	w = writer_of(buf, len);
	write_u8(&w, PAYLOAD_ECHO);
	write_u64(&w, token);
	return tunnels_send(e, v->ports.tunnels, v->index, to, (struct bytes){ buf, len }, NULL);
}

void echo_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct reader r = reader_of(n->payload.at, n->payload.len);
	uint8_t kind = read_u8(&r), *copy;
	uint64_t token = read_u64(&r);

	if (!reader_ok(&r)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (kind == PAYLOAD_ECHOED) {
		env_reply(e, &(struct reply){ .token = token, .who = n->peer, .tries = 1, .ask = ASK_ECHO, .answer = ANSWER_OK });
		return;
	}
	copy = env_scratch(e, n->payload.len);
	if (!copy)
		return;
	memcpy(copy, n->payload.at, n->payload.len);
	copy[0] = PAYLOAD_ECHOED;
	tunnels_send(e, v->ports.tunnels, v->index, n->peer, (struct bytes){ copy, n->payload.len }, NULL);
}
