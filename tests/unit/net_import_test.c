/* Files of latencies are read exactly, or refused with what is wrong and where. */
#include "tests/unit/net_lab.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#define EDGES	"node_a,node_b,latency_ms,jitter_ms\n"
#define SPREAD	"cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,stddev_ms\n"
#define POINTS	"index,is_root,x_ms,y_ms\n"

static struct net_table *parse(const char *text, enum table_format f, struct net_error *why)
{
	why->text[0] = 0;
	return net_table_parse("f", text, strlen(text), f, TABLE_ONE_WAY, why);
}

static void good_files_are_read_whatever_their_line_ends(void)
{
	static const char *const same[] = {
		"0\t1.5\n2\t0\n", "0 1.5\r\n2 0\r\n", "  0\t\t1.50000 \n2e0 0.0\n\n\n", "0 15E-1\n+2. 0",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct net_error why;
		struct net_table *t = parse(same[i], TABLE_AUTO, &why);

		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		CU_ASSERT_EQUAL(net_table_rows(t), 2);
		CU_ASSERT_EQUAL(net_table_ns(t, 0, 1), 1500000);
		CU_ASSERT_EQUAL(net_table_ns(t, 1, 0), 2000000);
		net_table_free(t);
	}
}

static void edges_come_in_any_order_and_spreads_with_gaps(void)
{
	struct net_error why;
	struct net_table *t = parse(EDGES "1,1,3,0\n1,0,2.25,0.5\n0,0,1,0\n", TABLE_AUTO, &why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(net_table_ns(t, 0, 1), 2250000);
	CU_ASSERT_EQUAL(net_table_ns(t, 1, 1), 3000000);
	net_table_free(t);
	t = parse(SPREAD "DEDE,USCA,1,2,3,3,4,5,1\nUSCA,FRFR,2,3,7,7,8,9,2\n", TABLE_AUTO, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(net_table_rows(t), 3);
	CU_ASSERT_EQUAL(net_table_ns(t, 0, 1), 3 * MS);
	CU_ASSERT_EQUAL(net_table_ns(t, 1, 2), 7 * MS);
	CU_ASSERT(net_table_ns(t, 0, 2) == 3 * MS || net_table_ns(t, 0, 2) == 7 * MS);
	CU_ASSERT_EQUAL(net_table_ns(t, 0, 2), net_table_ns(t, 2, 0));
	net_table_free(t);
	t = parse(POINTS "0,1,-1.5,0\n1,0,0,-2\n", TABLE_AUTO, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_TRUE(net_table_is_points(t));
	CU_ASSERT_EQUAL(net_table_ns(t, 0, 1), 2500000);
	net_table_free(t);
}

static void bad_files_are_refused_with_line_field_value_and_what_is_wanted(void)
{
	static const struct { enum table_format format; const char *text, *says; } bad[] = {
		{ TABLE_AUTO, "", "f: the file is empty" },
		{ TABLE_SQUARE, "", "f: the file is empty" },
		{ TABLE_AUTO, "hello\n", "f:1: the format cannot be told" },
		{ TABLE_SQUARE, "0 1\n1 0\n2 2\n", "f:3: more than 2 lines" },
		{ TABLE_SQUARE, "0 1 2\n1 0 2\n", "the file ends after 2 lines; wanted: 3" },
		{ TABLE_SQUARE, "0 1\n1\n", "f:2: fewer than 2 numbers; wanted: a square" },
		{ TABLE_SQUARE, "0 1\n1 0 5\n", "f:2: more than 2 numbers" },
		{ TABLE_SQUARE, "0 nan\n1 0\n", "f:1: latency (field 2) is 'nan'; wanted: milliseconds "
						"from 0 to 4000" },
		{ TABLE_SQUARE, "0 inf\n1 0\n", "'inf'" },
		{ TABLE_SQUARE, "0 0x10\n1 0\n", "'0x10'" },
		{ TABLE_SQUARE, "0 -1\n1 0\n", "'-1'" },
		{ TABLE_SQUARE, "0 4000.1\n1 0\n", "'4000.1'" },
		{ TABLE_SQUARE, "0 1e99\n1 0\n", "'1e99'" },
		{ TABLE_SQUARE, "0 99999999999999999999999\n1 0\n", "wanted: milliseconds" },
		{ TABLE_SQUARE, "0 1.2.3\n1 0\n", "'1.2.3'" },
		{ TABLE_SQUARE, "0 1e\n1 0\n", "'1e'" },
		{ TABLE_SQUARE, "0 1,5\n1 0\n", "'1,5'" },
		{ TABLE_SQUARE, "0 \x01\xff\n1 0\n", "'\?\?'" },
		{ TABLE_SQUARE, "5 1\n1 0\n", "f:1: latency (field 1) is '5'; wanted: 0, this is the "
					      "diagonal" },
		{ TABLE_SQUARE, "0\n", "f:1: 1 numbers in the first line; wanted: 2" },
		{ TABLE_EDGES, "0 1\n1 0\n", "f:1: not a list of edges; wanted in the first line: "
					     "node_a" },
		{ TABLE_EDGES, EDGES, "no edges" },
		{ TABLE_EDGES, EDGES "0,0,1\n", "f:2: 3 fields between commas; wanted: 4" },
		{ TABLE_EDGES, EDGES "0,0,1,0,0\n", "f:2: 5 fields" },
		{ TABLE_EDGES, EDGES "0,x,1,0\n", "f:2: node_b (field 2) is 'x'; wanted: a whole number" },
		{ TABLE_EDGES, EDGES "0,20000,1,0\n", "node_b (field 2) is '20000'; wanted: a whole number "
						      "from 0 to 19999" },
		{ TABLE_EDGES, EDGES "0,0,1,0\n0,2,1,0\n", "the pair 0,1 is missing" },
		{ TABLE_EDGES, EDGES "19999,19999,1,0\n", "the pair 0,0 is missing" },
		{ TABLE_EDGES, EDGES "0,0,1,0\n0,0,1,0\n", "f:3: the pair 0,0 a second time" },
		{ TABLE_EDGES, EDGES "0,0,1,0\n0,1,1,0\n1,0,2,0\n1,1,1,0\n",
		  "f:4: the pair 0,1 a second time (first in line 3)" },
		{ TABLE_EDGES, EDGES "0,0,1,-1\n", "jitter_ms (field 4) is '-1'" },
		{ TABLE_EDGES, EDGES "0,0,,0\n", "latency_ms (field 3) is ''" },
		{ TABLE_POINTS, POINTS, "no points" },
		{ TABLE_POINTS, POINTS "0,1,0,0\n2,0,1,1\n", "f:3: index (field 1) is '2'; wanted: 1" },
		{ TABLE_POINTS, POINTS "0,7,0,0\n", "is_root (field 2) is '7'" },
		{ TABLE_POINTS, POINTS "0,1,0,2001\n", "y_ms (field 4) is '2001'; wanted: milliseconds "
						       "from -2000 to 2000" },
		{ TABLE_SPREAD, SPREAD "A,B,1,2,3,3,4,5\n", "8 fields" },
		{ TABLE_SPREAD, SPREAD ",B,1,2,3,3,4,5,1\n", "cluster (field 1) is a name of 0 bytes" },
		{ TABLE_SPREAD, SPREAD "A,B,1,2,3,3,2.9,5,1\n",
		  "f:2: q3_ms (field 7) is '2.9', less than median_ms; wanted: min <= q1" },
		{ TABLE_SPREAD, SPREAD, "no lines" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct net_error why;
		struct net_table *t = parse(bad[i].text, bad[i].format, &why);

		CU_ASSERT_PTR_NULL(t);
		CU_ASSERT_PTR_NOT_NULL(strstr(why.text, bad[i].says));
		if (t || !strstr(why.text, bad[i].says))
			printf("case %zu: '%s' does not say '%s'\n", i, why.text, bad[i].says);
	}
}

static void a_nul_byte_and_an_endless_line_are_refused(void)
{
	static const char nul[] = "0 1\0 2\n1 0\n";
	struct net_error why = { "" };
	char *line = malloc(3 << 20);

	CU_ASSERT_PTR_NULL(net_table_parse("f", nul, sizeof(nul) - 1, TABLE_SQUARE, TABLE_RTT, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "f:1: a NUL byte"));
	memset(line, '1', 3 << 20);
	CU_ASSERT_PTR_NULL(net_table_parse("f", line, 3 << 20, TABLE_SQUARE, TABLE_RTT, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "f:1: the line is longer than"));
	free(line);
}

/* gzip of @len bytes; the caller frees *out */
static size_t squeeze(const void *data, size_t len, uint8_t **out)
{
	z_stream z = { 0 };
	size_t room = len + 1000;

	*out = malloc(room);
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = *out;
	z.avail_out = (uInt)room;
	CU_ASSERT_EQUAL(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

/* A square of @n rows, entry (i, j) = i + j milliseconds but 0 on the diagonal; free() it */
static char *square(unsigned n)
{
	char *text = malloc((size_t)n * n * 12 + 1), *at = text;

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			at += sprintf(at, "%u.%03u%c", i == j ? 0 : i + j, i == j ? 0 : (i * j) % 1000,
				      j == n - 1 ? '\n' : '\t');
	return text;
}

static void gzipped_files_are_read_in_any_number_of_members(void)
{
	char *text = square(200);		/* some windows of the decompressor long */
	size_t len = strlen(text), half = len / 2, a, b;
	uint8_t *first, *second;
	struct net_error why = { "" };
	struct net_table *t;

	a = squeeze(text, half, &first);
	b = squeeze(text + half, len - half, &second);
	first = realloc(first, a + b);
	memcpy(first + a, second, b);
	t = net_table_parse("f.gz", first, a + b, TABLE_AUTO, TABLE_ONE_WAY, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(net_table_rows(t), 200);
	CU_ASSERT_EQUAL(net_table_ns(t, 199, 7), 206 * MS + 393000);
	net_table_free(t);
	free(first);
	free(second);
	free(text);
}

static void gzip_truncated_anywhere_or_damaged_is_refused(void)
{
	char *text = square(30);
	uint8_t *data;
	size_t len = squeeze(text, strlen(text), &data);
	unsigned accepted = 0, told = 0;

	for (size_t cut = 2; cut < len; cut++) {
		struct net_error why = { "" };
		struct net_table *t = net_table_parse("f.gz", data, cut, TABLE_SQUARE, TABLE_RTT, &why);

		accepted += t != NULL;
		told += strstr(why.text, "truncated") != NULL;
		net_table_free(t);
	}
	CU_ASSERT_EQUAL(accepted, 0);
	CU_ASSERT_EQUAL(told, len - 2);
	for (size_t i = len - 8; i < len - 4; i++) {		/* the checksum: RFC 1952 */
		struct net_error why = { "" };

		data[i] ^= 0x40;
		CU_ASSERT_PTR_NULL(net_table_parse("f.gz", data, len, TABLE_SQUARE, TABLE_RTT, &why));
		CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "damaged"));
		data[i] ^= 0x40;
	}
	free(data);
	free(text);
}

static void a_bomb_of_zeros_costs_one_line(void)
{
	size_t big = 64 << 20;
	uint8_t *zeros = calloc(1, big), *data;
	size_t len;
	struct net_error why = { "" };

	memset(zeros, '0', big);
	len = squeeze(zeros, big, &data);
	free(zeros);
	CU_ASSERT_PTR_NULL(net_table_parse("f.gz", data, len, TABLE_AUTO, TABLE_RTT, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "longer than"));
	free(data);
}

static void files_are_opened_or_the_reason_told(void)
{
	char name[] = "/tmp/weft-net-XXXXXX";
	int fd = mkstemp(name);
	struct net_error why = { "" };
	struct net_table *t;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "0 8\n8 0\n", 8), 8);
	close(fd);
	t = net_table_load(name, TABLE_AUTO, TABLE_RTT, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(net_table_ns(t, 0, 1), 4 * MS);
	net_table_free(t);
	unlink(name);
	CU_ASSERT_PTR_NULL(net_table_load(name, TABLE_AUTO, TABLE_RTT, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.text, name));
	CU_ASSERT_PTR_NULL(net_table_load("/", TABLE_AUTO, TABLE_RTT, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "'/'") ? why.text : strstr(why.text, "/"));
}

CU_TestInfo net_import_tests[] = {
	{ "good files are read whatever their line ends", good_files_are_read_whatever_their_line_ends },
	{ "edges come in any order and spreads with gaps",
	  edges_come_in_any_order_and_spreads_with_gaps },
	{ "bad files are refused with line, field, value and what is wanted",
	  bad_files_are_refused_with_line_field_value_and_what_is_wanted },
	{ "a NUL byte and an endless line are refused", a_nul_byte_and_an_endless_line_are_refused },
	{ "gzipped files are read in any number of members",
	  gzipped_files_are_read_in_any_number_of_members },
	{ "gzip truncated anywhere or damaged is refused",
	  gzip_truncated_anywhere_or_damaged_is_refused },
	{ "a bomb of zeros costs one line", a_bomb_of_zeros_costs_one_line },
	{ "files are opened or the reason told", files_are_opened_or_the_reason_told },
	CU_TEST_INFO_NULL
};
