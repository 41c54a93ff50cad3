/*
 * The system calls of a running node, and a filter that knows no other.
 *
 * The list is what the daemon, libev, GLib, jansson and the C library use once
 * everything is open: a loop over sockets and taps, files saved whole, the
 * configuration read again, interfaces put back at the end. It has no call that
 * starts a program, traces, mounts, loads, or makes memory executable, and of
 * socket() only the families we speak. What this machine does not have is left out.
 *
 * The filter (seccomp(2), classic BPF) is put together here: libseccomp would do
 * it as well, and its tables stay in memory as 72 kB of pages of our own, a fifth
 * of what an idle node may have.
 */
#include "node/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "node/diary.h"

#if defined(__x86_64__)
enum { MACHINE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = (int)AUDIT_ARCH_AARCH64 };
#elif defined(__i386__)
enum { MACHINE = (int)AUDIT_ARCH_I386 };
#elif defined(__arm__)
enum { MACHINE = (int)AUDIT_ARCH_ARM };
#else
enum { MACHINE = 0 };				/* not one we know the list of */
#endif
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half of an argument comes first");

#define N(name) __NR_##name

static const int CALLS[] = {
	/* the loop */
	N(recvmmsg), N(sendmmsg), N(read), N(write), N(clock_gettime), N(epoll_pwait), N(epoll_ctl), N(timerfd_settime),
	N(epoll_create1), N(ppoll), N(pselect6), N(readv), N(writev), N(close), N(fcntl), N(ioctl), N(dup), N(dup3),
	N(timerfd_create), N(timerfd_gettime), N(eventfd2), N(pipe2), N(restart_syscall), N(rt_sigaction), N(rt_sigprocmask),
	N(rt_sigreturn), N(sigaltstack),
	/* sockets; socket() itself: below */
	N(recvmsg), N(sendmsg), N(recvfrom), N(sendto), N(accept4), N(bind), N(listen), N(connect), N(shutdown),
	N(getsockname), N(getpeername), N(getsockopt), N(setsockopt),
	/* files */
	N(openat), N(fstat), N(statx), N(fstatfs), N(statfs), N(lseek), N(pread64), N(pwrite64), N(pwritev), N(ftruncate),
	N(fsync), N(fdatasync), N(fallocate), N(renameat2), N(unlinkat), N(fchmod), N(fchmodat), N(flock), N(faccessat),
	N(readlinkat), N(getdents64), N(umask),
	/* memory and threads; mmap() and mprotect(): below */
	N(brk), N(munmap), N(mremap), N(madvise), N(mlock), N(mlock2), N(munlock), N(futex), N(set_robust_list), N(sched_yield),
	N(sched_getaffinity), N(membarrier),
	/* time, chance, ourselves */
	N(clock_getres), N(clock_nanosleep), N(nanosleep), N(gettimeofday), N(clock_adjtime), N(adjtimex), N(getrandom),
	N(getpid), N(gettid), N(getppid), N(getuid), N(geteuid), N(getgid), N(getegid), N(getrusage), N(uname), N(sysinfo),
	N(prctl), N(setsid), N(tgkill), N(exit), N(exit_group),
	/* under the names of older machines */
#ifdef __NR_open
	N(open), N(stat), N(lstat), N(access), N(rename), N(unlink), N(readlink), N(poll), N(epoll_wait),
#endif
#ifdef __NR_select
	N(select),
#endif
#ifdef __NR_accept
	N(accept),
#endif
#ifdef __NR_renameat
	N(renameat),
#endif
#ifdef __NR_newfstatat
	N(newfstatat), N(getrlimit),
#endif
#ifdef __NR_time
	N(time),
#endif
#ifdef __NR__llseek
	N(_llseek), N(fstat64), N(stat64), N(lstat64), N(fstatat64), N(ftruncate64), N(fcntl64), N(fstatfs64), N(statfs64),
	N(getuid32), N(geteuid32), N(getgid32), N(getegid32), N(sigreturn), N(ugetrlimit), N(_newselect),
#endif
	/* and of newer ones */
#ifdef __NR_clock_gettime64
	N(clock_gettime64), N(clock_getres_time64), N(clock_nanosleep_time64), N(clock_adjtime64), N(timerfd_settime64),
	N(timerfd_gettime64), N(ppoll_time64), N(pselect6_time64), N(recvmmsg_time64), N(futex_time64),
#endif
#ifdef __NR_rseq
	N(rseq),
#endif
#ifdef __NR_openat2
	N(openat2), N(faccessat2),
#endif
#ifdef __NR_epoll_pwait2
	N(epoll_pwait2),
#endif
};

/* Calls that ask for memory, whose third argument says what for. */
static const int MAPS[] = {
#ifdef __NR_mmap
	N(mmap),
#endif
#ifdef __NR_mmap2
	N(mmap2),
#endif
	N(mprotect),
};

static const int FAMILY[] = { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX };

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(at)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, at))
#define UNLESS(k, skip)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), 0, skip)	/* the next @skip are for @k only */

struct filter {
	struct sock_filter op[512];
	unsigned short len;
};

static void add(struct filter *f, const struct sock_filter op)
{
	f->op[f->len++] = op;
}

static void fill(struct filter *f)
{
	add(f, (struct sock_filter)LOAD(arch));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)MACHINE, 1, 0));
	add(f, (struct sock_filter)REFUSE);
	add(f, (struct sock_filter)LOAD(nr));
	for (unsigned i = 0; i < COUNT(CALLS); i++) {
		add(f, (struct sock_filter)UNLESS(CALLS[i], 1));
		add(f, (struct sock_filter)ALLOW);
	}
	for (unsigned i = 0; i < COUNT(MAPS); i++) {
		add(f, (struct sock_filter)UNLESS(MAPS[i], 4));
		add(f, (struct sock_filter)LOAD(args[2]));
		add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
		add(f, (struct sock_filter)ALLOW);
		add(f, (struct sock_filter)REFUSE);
	}
	add(f, (struct sock_filter)UNLESS(__NR_socket, 1 + 2 * COUNT(FAMILY)));
	add(f, (struct sock_filter)LOAD(args[0]));
	for (unsigned i = 0; i < COUNT(FAMILY); i++) {
		add(f, (struct sock_filter)UNLESS(FAMILY[i], 1));
		add(f, (struct sock_filter)ALLOW);
	}
	add(f, (struct sock_filter)REFUSE);
}

_Static_assert(COUNT(CALLS) * 2 + COUNT(MAPS) * 5 + COUNT(FAMILY) * 2 + 8 <= 512, "the filter has room");

bool confine_calls(struct fail *f)
{
	struct filter filter = { .len = 0 };
	struct sock_fprog program = { .filter = filter.op };
	long err;

	if (confine_sanitized()) {
		diary(LEVEL_DEBUG, "confine", "system calls are not limited: built with AddressSanitizer, which needs its own");
		return true;
	}
	if (!MACHINE) {
		diary(LEVEL_WARN, "confine", "system calls are not limited: nobody listed them for this kind of machine");
		return true;
	}
	fill(&filter);
	program.len = filter.len;
	err = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (!err)
		return true;
	if (err < 0 && (errno == EINVAL || errno == ENOSYS)) {
		diary(LEVEL_WARN, "confine", "this kernel cannot limit system calls (seccomp); going on without it");
		return true;
	}
	fail_errno(f, "limit", "system calls", err < 0 ? errno : EBUSY);
	return false;
}
