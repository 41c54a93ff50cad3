/* serve_revoke.c - a list of the revoked and its group key, from an operator: a file that `weftctl net revoke` made comes
 * beside the order */
#include "node/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/seal/revoke.h"
#include "node/keep.h"
#include "node/put.h"

enum { TEXT_MAX = 4 * REVOKED_ORDER };

/* NULL, or why the file @fd is no list; @list: free() it. Whatever is no plain file could keep us waiting. */
static const char *read_list(int fd, uint8_t **list, size_t *len)
{
	char text[TEXT_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return "what came with the order is no file";
	n = pread(fd, text, sizeof(text), 0);
	if (n <= 0 || n == sizeof(text))
		return "the file that came with the order is empty, too long, or cannot be read";
	return keep_decode("revoked", text, (size_t)n, list, len);
}

static const char *words(const struct reply *r)
{
	if (r->answer == ANSWER_OK)
		return NULL;
	switch (r->verdict) {
	case DROP_STALE:
		return "this list, or a newer one, is known already";
	case DROP_OVERLAY:
		return "the list is of another overlay";
	case DROP_STRANGER:
		return "this node is no member of the list's network, and nobody would get the group key from it: tell one that is";
	case DROP_SEAL:
		return "the list's signature does not fit";
	default:
		return "that is no list of the revoked";
	}
}

void serve_revoke(struct daemon *d, struct client_ref who, const struct order *o)
{
	int fd = control_pipe(&d->control, who);
	struct event ev = { .kind = EVENT_CONTROL, .request = { .ask = ASK_REVOKE } };
	uint8_t *list = NULL;
	size_t len = 0;
	const char *wrong = fd < 0 ? "no file came with the order" : read_list(fd, &list, &len);

	if (fd >= 0)
		close(fd);
	if (!wrong) {
		ev.data = (struct bytes){ list, len };
		wake_up(d);
		wake_step(d, &ev, 1);
		wrong = words(&d->revoked);
	}
	if (list)
		sodium_memzero(list, len);
	free(list);
	control_answer(&d->control, who, o, json_object(), wrong, false);
}
