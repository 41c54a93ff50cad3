#include "node/burst.h"

#include <sys/mman.h>

static struct burst area __attribute__((aligned(4096)));

struct burst *burst_area(void)
{
	return &area;
}

void burst_tidy(void)
{
	madvise(&area, sizeof(area), MADV_DONTNEED);
}
