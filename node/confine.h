/*
 * confine.h - rights that a running daemon gives up, so that whoever takes it over gets little
 *
 * Three moments, in this order:
 *
 *	confine_secrets()	before the first key is read: no core dump, no debugger,
 *				nothing it makes can be read by others, and memory that
 *				is never swapped, as far as RLIMIT_MEMLOCK allows
 *	confine_rights()	when taps and sockets stand and before there is a second
 *				thread: no new privileges, no capability but CAP_NET_ADMIN
 *				if there are virtual networks to look after
 *	confine_calls()		when everything is open: the system calls that what follows
 *				needs, and no other (seccomp, all threads). One that is
 *				refused fails with EPERM, and the node lives on: never down
 *				is worth more than dead at once, and what is refused is the
 *				same
 *
 * [node] confine = no leaves all of that out, for debuggers. Under AddressSanitizer
 * the calls and the dumps stay as they are: it maps, forks and traces.
 */
#ifndef NODE_CONFINE_H
#define NODE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "node/prog/fail.h"

/** enum confine_need - rights that the configuration in use cannot do without */
enum confine_need {
	NEED_NETWORK	= 1 << 0,	/* interfaces of ours are to be changed */
	NEED_FILES	= 1 << 1,	/* the private directory is somebody else's, and we are root */
};

/** confine_sanitized() - Was this built with AddressSanitizer? */
static inline bool confine_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return true;
#endif
#endif
	return false;
}

/** confine_secrets() - What memory could tell; what cannot be had is said in the diary and done without */
void confine_secrets(void);

/** confine_lock() - The keys in these bytes stay out of the swap where there is a limit, too; confine_secrets() said no more */
void confine_lock(const void *at, size_t len);

/** confine_rights() - @needs: enum confine_need bits. Fails only if the kernel refuses to take rights away */
bool confine_rights(unsigned needs, struct fail *f);

/** confine_calls() - False if the kernel has seccomp and does not take the filter; without seccomp it is said */
bool confine_calls(struct fail *f);

#endif /* NODE_CONFINE_H */
