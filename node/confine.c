/*
 * What memory could tell, and capabilities. The list of system calls is in calls.c.
 */
#include "node/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/diary.h"

static void no_dump(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (!confine_sanitized())
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* All of it where there is no limit, page by page as they are touched; with one, mlockall() would fail later and hurt. */
static void no_swap(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit r;
	bool may = !setrlimit(RLIMIT_MEMLOCK, &all) ||		/* root; with CAP_IPC_LOCK alone it would end with it */
		   (!getrlimit(RLIMIT_MEMLOCK, &r) && r.rlim_cur == RLIM_INFINITY);

	if (confine_sanitized() || (may && !mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return;
	diary(LEVEL_DEBUG, "confine", "memory may be swapped, but for the node's own keys: RLIMIT_MEMLOCK is not unlimited");
}

void confine_secrets(void)
{
	umask(077);
	no_dump();
	no_swap();
}

void confine_lock(const void *at, size_t len)
{
	if (!confine_sanitized())
		(void)mlock2(at, len, MLOCK_ONFAULT);
}

bool confine_rights(unsigned needs, struct fail *f)
{
	capng_select_t what = CAPNG_SELECT_CAPS;
	bool admin, files;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		fail_errno(f, "give up", "new privileges", errno);
		return false;
	}
	capng_get_caps_process();
	admin = needs & NEED_NETWORK && capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN);
	files = needs & NEED_FILES && capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		what = CAPNG_SELECT_BOTH;	/* the bounding set, too */
	capng_clear(CAPNG_SELECT_BOTH);
	if (admin)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN, -1);
	if (files)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE, CAP_FOWNER, -1);
	if (capng_apply(what) < 0) {
		fail_errno(f, "give up", "capabilities", errno);
		return false;
	}
	return true;
}
