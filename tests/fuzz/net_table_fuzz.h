/*
 * net_table_fuzz.h - what holds for any bytes given to an importer of sim/net
 *
 * A table or a sentence, never both or neither; and a table can be used: every
 * latency is in range, and a network made of it delivers.
 */
#ifndef NET_TABLE_FUZZ_H
#define NET_TABLE_FUZZ_H

#include <assert.h>
#include <string.h>

#include "sim/net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_net(const struct net_table *t)
{
	struct net_error why;
	struct net *net = net_new(&(struct net_config){ .path = NET_PATH_TABLE, .table = t,
		.floor_ns = 1000, .jitter_ppb = NET_PPB / 10, .regions = 3 }, &why);
	uint32_t n = net_table_rows(t) + 2;

	assert(net);
	n = n < 40 ? n : 40;
	for (uint32_t i = 0; i < n; i++)
		net_iface_add(net, &(struct net_iface_config){ 0 });
	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = (i * 7 + 1) % n;
		struct packet p = packet_udp(net_address(net, i, ENDPOINT_UDP4),
					     net_address(net, to, ENDPOINT_UDP4), NULL, 0);
		struct net_verdict v;

		assert(net_region(net, i) < 3);
		net_depart(net, 0, i, &p, i * 77777777ll, &v);
		assert(v.drop == NET_DROP_NONE && v.to == to && v.copies == 1);
		assert(v.copy[0].arrive_ns >= i * 77777777ll + 1000);
	}
	net_free(net);
}

static int fuzz_table(const uint8_t *data, size_t size, enum table_format format)
{
	enum table_meaning meaning = size && data[size - 1] == '\n' ? TABLE_RTT : TABLE_ONE_WAY;
	struct net_error why = { "" };
	struct net_table *t = net_table_parse("fuzz", data, size, format, meaning, &why);
	uint32_t rows;

	if (!t) {
		assert(!strncmp(why.text, "fuzz:", 5) && strlen(why.text) > 10);
		return 0;
	}
	assert(!why.text[0]);
	rows = net_table_rows(t);
	assert(rows);
	for (uint32_t i = 0; i < rows && i < 50; i++)
		for (uint32_t j = 0; j < rows && j < 50; j++) {
			int64_t ns = net_table_ns(t, i, j);

			assert(ns >= 0 && ns <= 2 * NET_LATENCY_MAX_NS);
		}
	fuzz_net(t);
	net_table_free(t);
	return 0;
}

#endif /* NET_TABLE_FUZZ_H */
