/* Pieces of a slab do not overlap, come back, and are counted. */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "sim/engine/slab.h"
#include "tests/unit/suites.h"

static void pieces_keep_what_is_written_to_them(void)
{
	enum { PIECES = 3000, ROUNDS = 100 * 1000 };
	static struct { unsigned char *p; size_t bytes; unsigned char mark; } piece[PIECES];
	struct chance c = chance_of(1, 0, 0);
	struct slab *s = slab_new();
	struct slab_stats stats;
	uint64_t used = 0, pieces = 0;

	memset(piece, 0, sizeof(piece));
	for (int i = 0; i < ROUNDS; i++) {
		size_t k = chance_below(&c, PIECES);

		if (piece[k].p) {
			for (size_t b = 0; b < piece[k].bytes; b++)
				CU_ASSERT_FATAL(piece[k].p[b] == piece[k].mark);
			slab_put(s, piece[k].p, piece[k].bytes);
			used -= piece[k].bytes;
			pieces--;
			piece[k].p = NULL;
			continue;
		}
		piece[k].bytes = 1 + chance_below(&c, chance_below(&c, 20) ? 600 : 9000);
		piece[k].p = slab_get(s, piece[k].bytes);
		piece[k].mark = (unsigned char)i;
		CU_ASSERT_FATAL(piece[k].p && (uintptr_t)piece[k].p % 16 == 0);
		memset(piece[k].p, piece[k].mark, piece[k].bytes);
		used += piece[k].bytes;
		pieces++;
	}
	slab_stats(s, &stats);
	CU_ASSERT(stats.used_bytes == used && stats.pieces == pieces);
	CU_ASSERT(stats.held_bytes >= used && stats.max_used_bytes >= used);
	for (size_t k = 0; k < PIECES; k++)
		slab_put(s, piece[k].p, piece[k].bytes);
	slab_stats(s, &stats);
	CU_ASSERT(stats.used_bytes == 0 && stats.pieces == 0);
	slab_free(s);
}

static void a_piece_given_back_is_the_next_of_its_size(void)
{
	struct slab *s = slab_new();
	void *a = slab_get(s, 100), *b = slab_get(s, 112), *c;

	CU_ASSERT(a != b);
	slab_put_cb(s, a, 100);
	CU_ASSERT(slab_get(s, 96) != a);	/* another size */
	CU_ASSERT(slab_get_cb(s, 97) == a);	/* the same, rounded up */
	c = slab_get(s, 97);
	CU_ASSERT(c != a && c != b);
	slab_put(s, NULL, 50);
	slab_free(s);
}

static void little_is_held_beyond_what_is_used(void)
{
	struct slab *s = slab_new();
	struct slab_stats stats;

	for (int i = 0; i < 100 * 1000; i++)
		slab_get(s, 16 * (1 + i % 100));
	slab_stats(s, &stats);
	CU_ASSERT(stats.held_bytes < stats.used_bytes + stats.used_bytes / 100 + (2 << 20));
	slab_free(s);

	s = slab_new();
	slab_get(s, 1);
	slab_stats(s, &stats);
	CU_ASSERT(stats.held_bytes <= 64 << 10);
	slab_free(s);
}

static void many_rounds_of_the_same_sizes_take_no_more(void)
{
	struct slab *s = slab_new();
	struct slab_stats before, after;
	void *p[200];

	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 200; i++)
			p[i] = slab_get(s, 20 * (size_t)i + 1);
		for (int i = 0; i < 200; i++)
			slab_put(s, p[i], 20 * (size_t)i + 1);
		slab_stats(s, round ? &after : &before);
	}
	CU_ASSERT(before.held_bytes == after.held_bytes);
	slab_free(s);
}

CU_TestInfo slab_tests[] = {
	{ "pieces keep what is written to them", pieces_keep_what_is_written_to_them },
	{ "a piece given back is the next of its size",
	  a_piece_given_back_is_the_next_of_its_size },
	{ "little is held beyond what is used", little_is_held_beyond_what_is_used },
	{ "many rounds of the same sizes take no more",
	  many_rounds_of_the_same_sizes_take_no_more },
	CU_TEST_INFO_NULL
};
