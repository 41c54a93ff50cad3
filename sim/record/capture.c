/*
 * capture.c - pcap by libpcap, headers by hand
 *
 * IPv4 headers are RFC 791 without options, IPv6 headers RFC 8200 without
 * extensions, UDP RFC 768; checksums RFC 1071. The network model has no headers of
 * its own, so identification is a running number and everything else is zero.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <pcap/pcap.h>

#include "sim/record/capture.h"

enum { SNAP = 262144, HEADERS_MAX = IP_V6_BYTES + IP_UDP_BYTES };

struct capture {
	char *path;			/* for messages */
	pcap_t *pcap;
	pcap_dumper_t *dump;
	int err;			/* first write error, errno */
	uint16_t number;		/* IPv4 identification of the next packet */
	bool frames;			/* Ethernet */
};

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* One's complement sum of @len bytes onto @sum, not folded yet (RFC 1071). */
static uint32_t sum16(uint32_t sum, const uint8_t *at, size_t len)
{
	for (; len > 1; at += 2, len -= 2)
		sum += (uint32_t)at[0] << 8 | at[1];
	if (len)
		sum += (uint32_t)at[0] << 8;
	return sum;
}

static unsigned folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static size_t header_v4(struct capture *c, uint8_t *at, const struct packet *p, size_t udp_len)
{
	at[0] = 0x45;
	at[1] = p->ecn & 3;
	put16(at + 2, (unsigned)(IP_V4_BYTES + udp_len));
	put16(at + 4, c->number++);
	at[6] = p->df ? 0x40 : 0;
	at[8] = p->ttl;
	at[9] = IP_UDP;
	memcpy(at + 12, p->source.addr, 4);
	memcpy(at + 16, p->destination.addr, 4);
	put16(at + 10, folded(sum16(0, at, IP_V4_BYTES)));
	return IP_V4_BYTES;
}

static size_t header_v6(uint8_t *at, const struct packet *p, size_t udp_len)
{
	at[0] = 0x60;
	at[1] = (uint8_t)((p->ecn & 3) << 4);
	put16(at + 4, (unsigned)udp_len);
	at[6] = IP_UDP;
	at[7] = p->ttl;
	memcpy(at + 8, p->source.addr, 16);
	memcpy(at + 24, p->destination.addr, 16);
	return IP_V6_BYTES;
}

/* The checksum over the pseudo header, the UDP header at @at and the payload; never 0. */
static unsigned udp_checksum(const uint8_t *at, const struct packet *p, size_t udp_len)
{
	size_t addr = p->source.kind == ENDPOINT_UDP6 ? 16 : 4;
	uint32_t sum = IP_UDP + (uint32_t)udp_len;
	unsigned folded_sum;

	sum = sum16(sum, p->source.addr, addr);
	sum = sum16(sum, p->destination.addr, addr);
	sum = sum16(sum, at, IP_UDP_BYTES);
	sum = sum16(sum, p->payload, p->len);
	folded_sum = folded(sum);
	return folded_sum ? folded_sum : 0xffff;
}

static void put(struct capture *c, int64_t now_ns, const uint8_t *packet, size_t len)
{
	struct pcap_pkthdr h = {
		/* with nanosecond precision tv_usec holds nanoseconds */
		.ts = { .tv_sec = now_ns / 1000000000, .tv_usec = now_ns % 1000000000 },
		.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len,
	};

	if (c->err)
		return;
	errno = 0;
	pcap_dump((u_char *)c->dump, &h, packet);
	if (ferror(pcap_dump_file(c->dump)))
		c->err = errno ? errno : EIO;
}

void capture_datagram(struct capture *c, int64_t now_ns, const struct packet *p)
{
	uint8_t packet[HEADERS_MAX + IP_BYTES_MAX] = { 0 };
	size_t udp_len = IP_UDP_BYTES + p->len, at;

	assert(p->source.kind == p->destination.kind);
	assert(p->source.kind == ENDPOINT_UDP4 || p->source.kind == ENDPOINT_UDP6);
	assert(!c->frames && p->protocol == IP_UDP && p->len <= IP_BYTES_MAX - IP_V4_BYTES - IP_UDP_BYTES);
	at = p->source.kind == ENDPOINT_UDP6 ? header_v6(packet, p, udp_len) :
					       header_v4(c, packet, p, udp_len);
	put16(packet + at, p->source.port);
	put16(packet + at + 2, p->destination.port);
	put16(packet + at + 4, (unsigned)udp_len);
	put16(packet + at + 6, udp_checksum(packet + at, p, udp_len));
	if (p->len)
		memcpy(packet + at + IP_UDP_BYTES, p->payload, p->len);
	put(c, now_ns, packet, at + udp_len);
}

void capture_frame(struct capture *c, int64_t now_ns, const void *frame, size_t len)
{
	assert(len <= SNAP && c->frames);
	put(c, now_ns, frame, len);
}

static void capture_free(struct capture *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	g_free(c->path);
	g_free(c);
}

/* Takes over @file and @path. */
static struct capture *start(FILE *file, char *path, bool frames, struct fail *f)
{
	struct capture *c = g_new0(struct capture, 1);

	c->path = path;
	c->frames = frames;
	c->pcap = pcap_open_dead_with_tstamp_precision(frames ? DLT_EN10MB : DLT_RAW, SNAP,
						       PCAP_TSTAMP_PRECISION_NANO);
	errno = 0;
	c->dump = c->pcap ? pcap_dump_fopen(c->pcap, file) : NULL;
	if (!c->dump) {
		fail_errno(f, "write", path, errno ? errno : ENOMEM);
		fclose(file);
		capture_free(c);
		return NULL;
	}
	return c;
}

struct capture *capture_open(struct rundir *d, const char *name, struct fail *f)
{
	FILE *file = rundir_open(d, name, f);

	return file ? start(file, rundir_file(d, name), false, f) : NULL;
}

struct capture *capture_open_frames(struct rundir *d, const char *name, struct fail *f)
{
	FILE *file = rundir_open(d, name, f);

	return file ? start(file, rundir_file(d, name), true, f) : NULL;
}

struct capture *capture_open_path(const char *path, struct fail *f)
{
	FILE *file = fopen(path, "we");

	if (!file) {
		fail_errno(f, "create", path, errno);
		return NULL;
	}
	return start(file, g_strdup(path), false, f);
}

bool capture_close(struct capture *c, struct fail *f)
{
	bool ok = true;

	if (!c)
		return true;
	errno = 0;
	if (pcap_dump_flush(c->dump) && !c->err)
		c->err = errno ? errno : EIO;
	if (c->err) {
		fail_errno(f, "write", c->path, c->err);
		ok = false;
	}
	pcap_dump_close(c->dump);
	capture_free(c);
	return ok;
}
