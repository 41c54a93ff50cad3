/*
 * scrape.h - an answer to GET /metrics over HTTP, where one is configured
 *
 * As little of HTTP/1.0 as a scraper needs: a request head of up to SCRAPE_HEAD
 * bytes within SCRAPE_S seconds, one answer, and the connection ends. Who may
 * connect is said by the address it listens on: loopback, most often.
 *
 *	Memory		SCRAPE_CLIENTS clients at most, each with its head and then its
 *			answer; nothing while there are none or it is off
 */
#ifndef NODE_SCRAPE_H
#define NODE_SCRAPE_H

#include <ev.h>

#include "core/base/endpoint.h"
#include "node/prog/fail.h"

enum { SCRAPE_CLIENTS = 4, SCRAPE_HEAD = 2048 };
#define SCRAPE_S	5.0

struct scraper;

struct scrape {
	ev_io listen;			/* first: the watcher is the object */
	struct ev_loop *loop;		/* NULL: off */
	char *(*text)(void *ctx);	/* what is answered; freed after it */
	void *ctx;
	struct scraper *client[SCRAPE_CLIENTS];
};

/** scrape_open() - Answer on @at, TCP */
bool scrape_open(struct scrape *s, struct ev_loop *loop, const struct endpoint *at, char *(*text)(void *ctx), void *ctx,
		 struct fail *f);
void scrape_close(struct scrape *s);	/* fine if not open */

#endif /* NODE_SCRAPE_H */
