/* Cursors cannot pass the end, and what one writes the other reads. */
#include "core/base/bytes.h"
#include "core/base/wire.h"
#include "tests/unit/suites.h"

static void what_was_written_is_read_back_in_network_order(void)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r;
	struct id id = { 0x0102030405060708, 0x090a0b0c0d0e0f10 }, back;

	write_u8(&w, 0xab);
	write_u16(&w, 0x0102);
	write_u32(&w, 0x03040506);
	write_u64(&w, 0x0708090a0b0c0d0e);
	write_id(&w, id);
	write_copy(&w, "weft", 4);
	CU_ASSERT_FALSE_FATAL(w.bad);
	CU_ASSERT_EQUAL(writer_len(&w), 1 + 2 + 4 + 8 + 16 + 4);
	for (unsigned i = 1; i <= 14; i++)
		CU_ASSERT_EQUAL(buf[i], i);

	r = reader_of(buf, writer_len(&w));
	CU_ASSERT_EQUAL(read_u8(&r), 0xab);
	CU_ASSERT_EQUAL(read_u16(&r), 0x0102);
	CU_ASSERT_EQUAL(read_u32(&r), 0x03040506);
	CU_ASSERT_EQUAL(read_u64(&r), 0x0708090a0b0c0d0e);
	back = read_id(&r);
	CU_ASSERT_TRUE(id_eq(back, id));
	CU_ASSERT_EQUAL(memcmp(read_take(&r, 4), "weft", 4), 0);
	CU_ASSERT_TRUE(reader_done(&r));
}

static void a_failed_read_gives_zeros_and_stays_failed(void)
{
	uint8_t buf[3] = { 1, 2, 3 }, out[4] = { 9, 9, 9, 9 };
	struct reader r = reader_of(buf, sizeof(buf));

	CU_ASSERT_EQUAL(read_u32(&r) & 0xffff, 0);
	CU_ASSERT_FALSE(reader_ok(&r));
	CU_ASSERT_EQUAL(read_u8(&r), 0);
	CU_ASSERT_PTR_NULL(read_take(&r, 0));
	read_copy(&r, out, sizeof(out));
	CU_ASSERT_EQUAL(out[0] | out[1] | out[2] | out[3], 0);
	CU_ASSERT_FALSE(reader_done(&r));
}

static void reading_never_passes_the_end_whatever_the_length(void)
{
	uint8_t buf[40];

	memset(buf, 0xff, sizeof(buf));
	for (size_t len = 0; len <= sizeof(buf); len++) {
		struct reader r = reader_of(buf, len);
		size_t reads = 0;

		while (reader_ok(&r)) {
			read_u16(&r);
			reads++;
			CU_ASSERT_TRUE(r.at <= r.end);
		}
		CU_ASSERT_EQUAL(reads, len / 2 + 1);
	}
}

static void a_huge_length_is_refused_without_wrapping(void)
{
	uint8_t buf[8] = { 0 };
	struct reader r = reader_of(buf, sizeof(buf));
	struct writer w = writer_of(buf, sizeof(buf));

	CU_ASSERT_PTR_NULL(read_take(&r, SIZE_MAX));
	CU_ASSERT_PTR_NULL(write_space(&w, SIZE_MAX));
	CU_ASSERT_TRUE(r.bad && w.bad);
}

static void a_full_writer_goes_bad_and_keeps_what_fitted(void)
{
	uint8_t buf[5] = { 0, 0, 0, 0, 0x77 };
	struct writer w = writer_of(buf, 4);

	write_u16(&w, 0x1122);
	CU_ASSERT_EQUAL(writer_left(&w), 2);
	write_copy(&w, "abc", 3);
	CU_ASSERT_TRUE(w.bad);
	write_u8(&w, 1);
	CU_ASSERT_EQUAL(writer_len(&w), 2);
	CU_ASSERT_EQUAL(buf[2], 0);
	CU_ASSERT_EQUAL(buf[4], 0x77);
}

static void nothing_can_be_read_from_or_written_to_nowhere(void)
{
	struct reader r = reader_of(NULL, 0);
	struct writer w = writer_of(NULL, 0);

	CU_ASSERT_TRUE(reader_done(&r));
	CU_ASSERT_EQUAL(read_u8(&r), 0);
	CU_ASSERT_TRUE(r.bad);
	write_copy(&w, NULL, 0);
	write_u8(&w, 0);
	CU_ASSERT_TRUE(w.bad);
}

static void endpoints_of_both_families_come_back(void)
{
	struct endpoint v4 = endpoint_v4(0x0a010203, 4000), none = { 0 }, got;
	struct endpoint v6 = { .addr = { 0xfe, 0x80, [15] = 1 }, .port = 65535, .kind = ENDPOINT_UDP6 };
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r;

	v4.iface = 3;
	write_endpoint(&w, &v4);
	CU_ASSERT_EQUAL(writer_len(&w), 7);
	write_endpoint(&w, &v6);
	CU_ASSERT_EQUAL(writer_len(&w), 7 + 19);
	write_endpoint(&w, &none);
	r = reader_of(buf, writer_len(&w));
	got = read_endpoint(&r);
	CU_ASSERT_TRUE(endpoint_eq(&got, &v4));
	CU_ASSERT_EQUAL(got.iface, 0);
	got = read_endpoint(&r);
	CU_ASSERT_TRUE(endpoint_eq(&got, &v6));
	got = read_endpoint(&r);
	CU_ASSERT_EQUAL(got.kind, ENDPOINT_NONE);
	CU_ASSERT_TRUE(reader_done(&r));
}

static void endpoints_cut_short_or_of_unknown_kind_are_refused(void)
{
	static const uint8_t SHORT4[] = { 4, 10, 1, 2, 3, 0x0f }, STREAM[] = { 7, 1, 2, 3, 4, 5, 6, 7 };
	struct reader r = reader_of(SHORT4, sizeof(SHORT4));
	struct endpoint e = read_endpoint(&r);

	CU_ASSERT_TRUE(r.bad);
	CU_ASSERT_FALSE(endpoint_valid(&e));
	r = reader_of(STREAM, sizeof(STREAM));
	e = read_endpoint(&r);
	CU_ASSERT_TRUE(r.bad);
	CU_ASSERT_FALSE(endpoint_valid(&e));
}

static void every_message_kind_has_a_name_and_no_other_number_has(void)
{
	unsigned named = 0;

	for (unsigned k = 0; k < 300; k++)
		named += message_text(k) != NULL;
#define X(name, number, text) - 1
	CU_ASSERT_EQUAL(named MESSAGE_LIST(X), 0);
#undef X
	CU_ASSERT_STRING_EQUAL(message_text(MESSAGE_PROBE), "probe");
}

CU_TestInfo bytes_tests[] = {
	{ "what was written is read back, in network order",
	  what_was_written_is_read_back_in_network_order },
	{ "a failed read gives zeros and stays failed", a_failed_read_gives_zeros_and_stays_failed },
	{ "reading never passes the end, whatever the length",
	  reading_never_passes_the_end_whatever_the_length },
	{ "a huge length is refused without wrapping", a_huge_length_is_refused_without_wrapping },
	{ "a full writer goes bad and keeps what fitted", a_full_writer_goes_bad_and_keeps_what_fitted },
	{ "nothing can be read from or written to nowhere",
	  nothing_can_be_read_from_or_written_to_nowhere },
	{ "endpoints of both families come back", endpoints_of_both_families_come_back },
	{ "endpoints cut short or of unknown kind are refused",
	  endpoints_cut_short_or_of_unknown_kind_are_refused },
	{ "every message kind has a name, and no other number has",
	  every_message_kind_has_a_name_and_no_other_number_has },
	CU_TEST_INFO_NULL
};
