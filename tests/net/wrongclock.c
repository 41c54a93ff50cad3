/*
 * wrongclock.c - LD_PRELOAD: the wall clock is off by as many seconds as the file $WRONGCLOCK says
 *
 * The file is read at every question, so that a test can set the clock of a
 * running program. The other clocks are right.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef int ask(clockid_t, struct timespec *);

static long off(void)
{
	const char *name = getenv("WRONGCLOCK");
	FILE *f = name ? fopen(name, "re") : NULL;
	long s = 0;

	if (f) {
		if (fscanf(f, "%ld", &s) != 1)
			s = 0;
		fclose(f);
	}
	return s;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	static ask *real;
	int err;

	if (!real)
		real = (ask *)dlsym(RTLD_NEXT, "clock_gettime");
	err = real(id, t);
	if (!err && id == CLOCK_REALTIME)
		t->tv_sec += off();
	return err;
}
