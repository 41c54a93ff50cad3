#include "sim/check/kept.h"

#include <inttypes.h>

void check_kept(struct check_kept *k, const struct judge *j, int64_t now_ns, const struct kept_case *c)
{
	bool asked = c->asked_ns != INT64_MAX;

	k->ended++;
	if ((!asked && !c->keeps) || !c->ran || !c->majority || !c->quiet ||
	    (asked && c->until_ns - c->asked_ns < KEPT_TIME_NS)) {
		k->excused++;
		return;
	}
	findings_checked(j->found, ORACLE_KEPT, 1);
	if (asked)
		findings_add(j->found, ORACLE_KEPT, now_ns, c->host,
			     "its lease of %u.%u.%u.%u ended at %.6f s though it asked to renew it from %.6f s on and a "
			     "majority of the slot's view lives, expected it to be kept", c->ip.at[0], c->ip.at[1],
			     c->ip.at[2], c->ip.at[3], (double)c->until_ns / 1e9, (double)c->asked_ns / 1e9);
	else
		findings_add(j->found, ORACLE_KEPT, now_ns, c->host,
			     "its lease of %u.%u.%u.%u ended at %.6f s and it never asked to renew it, as it was told to",
			     c->ip.at[0], c->ip.at[1], c->ip.at[2], c->ip.at[3], (double)c->until_ns / 1e9);
}
