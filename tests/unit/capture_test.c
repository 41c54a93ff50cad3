/* Captures hold what was sent, when, under headers that check out. */
#include <errno.h>
#include <string.h>

#include <CUnit/CUnit.h>
#include <glib.h>
#include <pcap/pcap.h>

#include "sim/record/capture.h"
#include "tests/unit/made_run.h"
#include "tests/unit/suites.h"

static struct endpoint v6(uint8_t last, uint16_t port)
{
	return (struct endpoint){ .addr = { 0xfd, 0, 1, [15] = last }, .port = port,
				  .kind = ENDPOINT_UDP6 };
}

/* RFC 1071 over everything, checksum included: must be all ones. Dull on purpose. */
static unsigned ones(const uint8_t *at, size_t len, unsigned sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? at[i] : (unsigned)at[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static char *captured(char **place, size_t odd)
{
	static uint8_t data[1201];
	struct endpoint a = endpoint_v4(0x0a000001, 4242), b = endpoint_v4(0xc0a80102, 7);
	struct packet p = packet_udp(a, b, data, (uint32_t)(1200 + odd));
	struct capture *c;
	struct fail f = { 0 };
	char *path;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	*place = made_place();
	path = g_build_filename(*place, "n17.pcap", NULL);
	c = capture_open_path(path, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	p.ttl = 61;
	p.ecn = 2;
	p.df = 1;
	capture_datagram(c, 12040000123, &p);
	p = packet_udp(v6(1, 4242), v6(2, 65535), data, (uint32_t)(33 + odd));
	p.ecn = 1;
	capture_datagram(c, 3600000000001, &p);
	p = packet_udp(b, a, data, 0);
	capture_datagram(c, 3600000000002, &p);
	CU_ASSERT(capture_close(c, &f));
	return path;
}

static void packets_come_back_with_stamps_and_right_checksums(void)
{
	for (size_t odd = 0; odd < 2; odd++) {
		char *place, *path = captured(&place, odd), why[PCAP_ERRBUF_SIZE];
		pcap_t *p = pcap_open_offline_with_tstamp_precision(
			path, PCAP_TSTAMP_PRECISION_NANO, why);
		struct pcap_pkthdr *h;
		const uint8_t *at;
		uint8_t pseudo[40] = { 0 };

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(pcap_datalink(p), DLT_RAW);
		CU_ASSERT_EQUAL_FATAL(pcap_next_ex(p, &h, &at), 1);
		CU_ASSERT(h->ts.tv_sec == 12 && h->ts.tv_usec == 40000123);
		CU_ASSERT_EQUAL_FATAL(h->len, 1228 + odd);
		CU_ASSERT(at[0] == 0x45 && at[1] == 2 && at[8] == 61 && at[9] == 17);
		CU_ASSERT_EQUAL(get16(at + 2), h->len);
		CU_ASSERT_EQUAL(get16(at + 6), 0x4000);
		CU_ASSERT_EQUAL(ones(at, 20, 0), 0xffff);
		CU_ASSERT(get16(at + 20) == 4242 && get16(at + 22) == 7);
		CU_ASSERT_EQUAL(get16(at + 24), 1208 + odd);
		CU_ASSERT_EQUAL(ones(at + 12, h->len - 12, 17 + (unsigned)(1208 + odd)), 0xffff);
		CU_ASSERT_EQUAL(at[28 + 10], (uint8_t)(10 * 31));
		CU_ASSERT_EQUAL_FATAL(pcap_next_ex(p, &h, &at), 1);
		CU_ASSERT(h->ts.tv_sec == 3600 && h->ts.tv_usec == 1);
		CU_ASSERT_EQUAL_FATAL(h->len, 81 + odd);
		CU_ASSERT(at[0] == 0x60 && at[1] == 0x10 && at[6] == 17 && at[7] == 64);
		CU_ASSERT_EQUAL(get16(at + 4), 41 + odd);
		memcpy(pseudo, at + 8, 32);
		pseudo[35] = (uint8_t)(41 + odd);
		pseudo[39] = 17;
		CU_ASSERT_EQUAL(ones(at + 40, h->len - 40, ones(pseudo, 40, 0)), 0xffff);
		CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &at), 1);
		CU_ASSERT_EQUAL(h->len, 28);
		CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &at), PCAP_ERROR_BREAK);
		pcap_close(p);
		made_remove(place);
		g_free(path);
		g_free(place);
	}
}

static void frames_are_written_as_ethernet(void)
{
	char *place = made_place(), *path, why[PCAP_ERRBUF_SIZE];
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6 };
	char *run = g_build_filename(place, "run", NULL);
	struct rundir *d = rundir_create(run, RUNDIR_NEW, NULL);
	struct capture *c;
	struct pcap_pkthdr *h;
	const u_char *at;
	pcap_t *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	c = capture_open_frames(d, "g0.pcap", NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	capture_frame(c, INT64_C(7000000001), frame, sizeof(frame));
	CU_ASSERT(capture_close(c, NULL));
	path = rundir_file(d, "g0.pcap");
	p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(pcap_datalink(p), DLT_EN10MB);
	CU_ASSERT_EQUAL_FATAL(pcap_next_ex(p, &h, &at), 1);
	CU_ASSERT(h->ts.tv_sec == 7 && h->ts.tv_usec == 1 && h->len == 60 && !memcmp(at, frame, 60));
	pcap_close(p);
	rundir_abandon(d);
	made_remove(place);
	g_free(path);
	g_free(run);
	g_free(place);
}

static void a_checksum_of_zero_is_sent_as_all_ones(void)
{
	/* pseudo header, UDP header and this payload sum to 0xffff */
	struct endpoint a = { .kind = ENDPOINT_UDP4 }, b = { .kind = ENDPOINT_UDP4 };
	uint16_t fill = (uint16_t)(0xffff - 17 - 10 - 10);
	uint8_t data[2] = { (uint8_t)(fill >> 8), (uint8_t)fill };
	struct packet p = packet_udp(a, b, data, 2);
	char *place = made_place(), *path = g_build_filename(place, "z.pcap", NULL);
	struct capture *c = capture_open_path(path, NULL);
	char *bytes = NULL;
	size_t len;

	capture_datagram(c, 0, &p);
	CU_ASSERT(capture_close(c, NULL));
	CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
	CU_ASSERT_EQUAL_FATAL(len, 24 + 16 + 30);
	CU_ASSERT_EQUAL(get16((uint8_t *)bytes + 40 + 26), 0xffff);
	g_free(bytes);
	made_remove(place);
	g_free(path);
	g_free(place);
}

static void tshark_finds_nothing_to_complain_about(void)
{
	char *tshark = g_find_program_in_path("tshark"), *place, *path, *out = NULL;
	char *argv[] = { tshark, (char *)"-n", (char *)"-o", (char *)"udp.check_checksum:TRUE",
			 (char *)"-o", (char *)"ip.check_checksum:TRUE", (char *)"-T",
			 (char *)"fields", (char *)"-e", (char *)"frame.time_epoch", (char *)"-e",
			 (char *)"udp.checksum.status", (char *)"-e", (char *)"ip.checksum.status",
			 (char *)"-e", (char *)"_ws.malformed", (char *)"-r", NULL, NULL };
	int status;

	if (!tshark)
		return;		/* the test above checks the same fields by hand */
	path = captured(&place, 1);
	argv[G_N_ELEMENTS(argv) - 2] = path;
	CU_ASSERT(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
			       NULL, &status, NULL));
	CU_ASSERT_EQUAL(status, 0);
	/* 1: good; the IPv6 line has no IP checksum */
	CU_ASSERT_STRING_EQUAL(out, "12.040000123\t1\t1\t\n"
				    "3600.000000001\t1\t\t\n"
				    "3600.000000002\t1\t1\t\n");
	g_free(out);
	made_remove(place);
	g_free(path);
	g_free(place);
	g_free(tshark);
}

static void write_errors_come_out_at_the_end(void)
{
	uint8_t data[1000] = { 0 };
	struct packet p = packet_udp(endpoint_v4(1, 1), endpoint_v4(2, 2), data, sizeof(data));
	struct capture *c;
	struct fail f = { 0 };

	c = capture_open_path("/dev/full", &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	for (int i = 0; i < 100; i++)
		capture_datagram(c, i, &p);
	CU_ASSERT_FALSE(capture_close(c, &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "/dev/full") &&
		  strstr(f.text[0], g_strerror(ENOSPC)));
	fail_done(&f);
	CU_ASSERT_PTR_NULL(capture_open_path("/nowhere/n.pcap", &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "/nowhere/n.pcap"));
	fail_done(&f);
}

CU_TestInfo capture_tests[] = {
	{ "packets come back with stamps and right checksums",
	  packets_come_back_with_stamps_and_right_checksums },
	{ "frames are written as Ethernet", frames_are_written_as_ethernet },
	{ "a checksum of zero is sent as all ones", a_checksum_of_zero_is_sent_as_all_ones },
	{ "tshark finds nothing to complain about", tshark_finds_nothing_to_complain_about },
	{ "write errors come out at the end", write_errors_come_out_at_the_end },
	CU_TEST_INFO_NULL
};
