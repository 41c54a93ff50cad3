/*
 * crew.h - threads that do the same thing at the same time
 *
 *	Threads		crew_run() is for the one that made the crew, which works too
 *	Time		waiting spins for some microseconds, then sleeps
 */
#ifndef SIM_ENGINE_CREW_H
#define SIM_ENGINE_CREW_H

#include <stdint.h>

struct crew;

/** crew_work_fn() - The work of member @n, from 0 (the caller of crew_run()) up */
typedef void crew_work_fn(void *ctx, uint32_t n);

/** crew_new() - @threads members, the caller among them; NULL if the machine has no more */
struct crew *crew_new(uint32_t threads, crew_work_fn *work, void *ctx);
void crew_free(struct crew *c);

/** crew_run() - Have every member do the work once; what they wrote is seen when it returns */
void crew_run(struct crew *c);

/** crew_meet() - In the work: go on when all have come here; what they wrote before is seen */
void crew_meet(struct crew *c);

#endif /* SIM_ENGINE_CREW_H */
