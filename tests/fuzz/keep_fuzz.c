/* ON: node/keep.c node/prog/fail.c */
/*
 * keep_fuzz.c - any bytes as a file of a node's directory
 *
 * The input is taken as a file, and as contents: a file that is taken holds what
 * is encoded back to it byte for byte, if its lines are as we write them; any
 * contents come back, and one changed byte of their file is seen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool it_holds)
{
	if (!it_holds)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out, *other;
	size_t len, other_len;
	char *text;

	if (!keep_decode("card", (const char *)data, size, &out, &len)) {
		must(len <= size);
		text = keep_encode("card", (struct bytes){ out, len });
		must(!keep_decode("card", text, strlen(text), &other, &other_len));
		must(other_len == len && !memcmp(out, other, len));
		free(text);
		free(other);
		free(out);
	}
	text = keep_encode("peers", (struct bytes){ data, size });
	must(!keep_decode("peers", text, strlen(text), &out, &len) && len == size && (!size || !memcmp(out, data, size)));
	free(out);
	text[size % strlen(text)] ^= 4;
	must(keep_decode("peers", text, strlen(text), &out, &len) != NULL);
	free(text);
	return 0;
}
