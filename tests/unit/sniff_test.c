/*
 * A capture is a good file at any moment, whole packets only, and a reader that is slow or gone costs packets,
 * never time.
 */
#include "node/sniff.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "tests/unit/suites.h"

/* All that is in the pipe, into a file that libpcap reads. */
static pcap_t *read_all(int fd, char path[32])
{
	char buf[65536], error[PCAP_ERRBUF_SIZE];
	ssize_t n;
	int to;

	strcpy(path, "/tmp/weft-sniff-XXXXXX");
	to = mkstemp(path);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		CU_ASSERT_EQUAL(write(to, buf, (size_t)n), n);
	close(to);
	return pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
}

static void frames_come_out_as_they_went_in(void)
{
	uint8_t frame[60] = { 1, 2, 3 };
	struct pcap_pkthdr *h;
	const uint8_t *data;
	struct sniff c;
	char path[32];
	int ends[2];
	pcap_t *p;

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	CU_ASSERT_TRUE_FATAL(sniff_start(&c, ends[1], false, 2));
	sniff_frame(&c, 2, frame, sizeof(frame), 1700000000123456789LL);
	sniff_frame(&c, 3, frame, sizeof(frame), 5);		/* of another tap */
	sniff_stop(&c);
	CU_ASSERT_EQUAL(c.packets, 1);
	p = read_all(ends[0], path);
	CU_ASSERT_TRUE_FATAL(p && pcap_datalink(p) == DLT_EN10MB);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), 1);
	CU_ASSERT_TRUE(h->caplen == 60 && h->ts.tv_sec == 1700000000 && h->ts.tv_usec == 123456789);
	CU_ASSERT_EQUAL(memcmp(data, frame, 60), 0);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(p);
	unlink(path);
	close(ends[0]);
}

static void datagrams_get_headers_with_good_sums(void)
{
	struct endpoint a = endpoint_v4(0xc0000201, 9338), b = endpoint_v4(0xc0000202, 7), six = { .kind = ENDPOINT_UDP6, .port = 9 };
	struct pcap_pkthdr *h;
	const uint8_t *d;
	struct sniff c;
	uint32_t sum = 0;
	char path[32];
	int ends[2];
	pcap_t *p;

	six.addr[15] = 1;
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	CU_ASSERT_TRUE_FATAL(sniff_start(&c, ends[1], true, 0));
	sniff_datagram(&c, &a, &b, (const uint8_t *)"odd", 3, 1);
	sniff_datagram(&c, &six, &six, (const uint8_t *)"even", 4, 2);
	sniff_stop(&c);
	p = read_all(ends[0], path);
	CU_ASSERT_TRUE_FATAL(p && pcap_datalink(p) == DLT_RAW);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &d), 1);
	CU_ASSERT_TRUE(h->caplen == 31 && d[0] == 0x45 && d[9] == 17 && !memcmp(d + 28, "odd", 3));
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)(d[i] << 8 | d[i + 1]);
	CU_ASSERT_EQUAL((sum & 0xffff) + (sum >> 16), 0xffff);
	CU_ASSERT_EQUAL(pcap_next_ex(p, &h, &d), 1);
	CU_ASSERT_TRUE(h->caplen == 52 && d[0] == 0x60 && d[6] == 17 && !memcmp(d + 48, "even", 4));
	pcap_close(p);
	unlink(path);
	close(ends[0]);
}

static void a_slow_reader_costs_packets_and_never_time(void)
{
	static uint8_t frame[1400];
	struct pcap_pkthdr *h;
	const uint8_t *d;
	struct sniff c;
	unsigned read = 0;
	char path[32];
	int ends[2];
	pcap_t *p;

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	CU_ASSERT_TRUE_FATAL(sniff_start(&c, ends[1], false, 0));
	for (unsigned i = 0; i < 2000; i++)
		sniff_frame(&c, 0, frame, sizeof(frame), i);
	CU_ASSERT_TRUE(c.left_out > 1000 && c.packets + c.left_out == 2000);
	CU_ASSERT_TRUE(sniff_flush(&c));			/* something waits */
	p = read_all(ends[0], path);				/* what the pipe held: it may end inside a packet */
	while (p && pcap_next_ex(p, &h, &d) == 1)
		read++;
	CU_ASSERT_TRUE(read && read < c.packets);
	pcap_close(p);
	unlink(path);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	sniff_flush(&c);
	CU_ASSERT_TRUE(c.ended);				/* the reader is gone */
	sniff_frame(&c, 0, frame, sizeof(frame), 1);
	sniff_stop(&c);
	sniff_stop(&c);
}

static void what_can_not_be_a_pipe_is_refused(void)
{
	struct sniff c;

	CU_ASSERT_FALSE(sniff_start(&c, 12345, false, 0));
	CU_ASSERT_FALSE(sniff_runs(&c));
	sniff_stop(&c);
}

CU_TestInfo sniff_tests[] = {
	{ "frames come out as they went in", frames_come_out_as_they_went_in },
	{ "datagrams get headers with good sums", datagrams_get_headers_with_good_sums },
	{ "a slow reader costs packets and never time", a_slow_reader_costs_packets_and_never_time },
	{ "what cannot be a pipe is refused", what_can_not_be_a_pipe_is_refused },
	CU_TEST_INFO_NULL
};
