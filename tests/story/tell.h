/*
 * tell.h - comparing a timeline with the one a story expects
 */
#ifndef STORY_TELL_H
#define STORY_TELL_H

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "core/base/env.h"
#include "tests/story/stage.h"

/** story() - The timeline since the last story() is @expected, to the letter; prints both if not */
static inline void story(struct stage *s, const char *expected)
{
	bool same = !strcmp(s->line, expected);

	if (!same)
		fprintf(stderr, "expected:\n%sseen:\n%s", expected, s->line);
	CU_ASSERT_TRUE(same);
	s->line_len = 0;
	s->line[0] = 0;
}

/* The few events most stories are about. */
static inline bool main_events(const struct record *r)
{
	return r->kind == RECORD_JOINED || r->kind == RECORD_DEAD || r->kind == RECORD_LEFT ||
	       r->kind == RECORD_APART || r->kind == RECORD_LINK_PATH;
}

#endif /* STORY_TELL_H */
