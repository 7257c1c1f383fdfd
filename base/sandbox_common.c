/*
 * The calls that every process needs: memory, time, waiting, and the descriptors it has. What must
 * stay true: nothing here opens, names, starts or reaches anything that the process did not hold
 * when it entered the sandbox.
 */
#include "base/sandbox_common.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static const struct sandbox_permission COMMON[] = {
	/* Descriptors it has */
	SANDBOX_PERMIT(read, "reads from descriptors it has: eventfd, timerfd, signalfd, sockets"),
	SANDBOX_PERMIT(write, "log lines, and writing to descriptors it has"),
	SANDBOX_PERMIT(readv, "as read, in parts"),
	SANDBOX_PERMIT(writev, "as write, in parts; the C library's own messages"),
	SANDBOX_PERMIT(close, "gives descriptors up"),
	SANDBOX_PERMIT(recvmsg, "messages with descriptors from our other processes"),
	SANDBOX_PERMIT(sendmsg, "messages with descriptors to our other processes"),
	SANDBOX_PERMIT(recvfrom, "recv() on a socket it has"),
	SANDBOX_PERMIT(sendto, "send() on a socket it has: the journal's, a viewer's"),
	SANDBOX_PERMIT(shutdown, "ends one direction of a socket it has"),
	SANDBOX_PERMIT_ARG(fcntl, 1, F_GETFL, "fd_set_nonblocking()"),
	SANDBOX_PERMIT_ARG(fcntl, 1, F_SETFL, "fd_set_nonblocking()"),
	SANDBOX_PERMIT_ARG(fcntl, 1, F_GETFD, "libraries check their descriptors"),
	SANDBOX_PERMIT_ARG(fcntl, 1, F_SETFD, "libraries mark descriptors close-on-exec"),
	SANDBOX_PERMIT_ARG(fcntl, 1, F_DUPFD_CLOEXEC, "queued messages keep copies of descriptors"),

	/* Waiting */
	SANDBOX_PERMIT(epoll_wait, "the event loop waits"),
	SANDBOX_PERMIT(epoll_pwait, "as epoll_wait; some C libraries have only this"),
	SANDBOX_PERMIT(epoll_pwait2, "sd-event waits with nanoseconds"),
	SANDBOX_PERMIT(epoll_ctl, "the event loop's sources come and go"),
	SANDBOX_PERMIT(poll, "waits for one descriptor"),
	SANDBOX_PERMIT(ppoll, "as poll; glibc's poll() on some architectures"),
	SANDBOX_PERMIT(timerfd_create, "sd-event makes one when a clock's first timer is set"),
	SANDBOX_PERMIT(timerfd_settime, "sd-event's timers"),
	SANDBOX_PERMIT(eventfd2, "wakes the loop from worker threads"),
	SANDBOX_PERMIT(signalfd4, "sd-event changes the set of signals it reads"),
	SANDBOX_PERMIT(restart_syscall, "a wait that was stopped and continued"),
	SANDBOX_PERMIT(futex, "locks and condition variables"),
	SANDBOX_PERMIT(sched_yield, "locks that spin for a moment"),

	/* Memory; no page can become executable */
	SANDBOX_PERMIT_WITHOUT(mmap, 2, PROT_EXEC, "malloc(), and shared memory it was given"),
	SANDBOX_PERMIT_WITHOUT(mprotect, 2, PROT_EXEC, "malloc() grows its arenas"),
	SANDBOX_PERMIT(munmap, "free()"),
	SANDBOX_PERMIT(mremap, "realloc() of large blocks"),
	SANDBOX_PERMIT(madvise, "gives unused memory back"),
	SANDBOX_PERMIT(brk, "malloc()"),
	SANDBOX_PERMIT(sysinfo, "qsort() asks how much memory there is"),
	SANDBOX_PERMIT(sched_getaffinity, "malloc() asks how many arenas to make"),

	/* Time and randomness */
	SANDBOX_PERMIT(clock_gettime, "the time, where the vDSO cannot tell it"),
	SANDBOX_PERMIT(gettimeofday, "the same, for libraries"),
	SANDBOX_PERMIT(getrandom, "hash seeds and keys"),

	/* Itself */
	SANDBOX_PERMIT(getpid, "log lines; sd-event checks that it was not forked"),
	SANDBOX_PERMIT(gettid, "abort(); sd-event"),
	SANDBOX_PERMIT(rt_sigreturn, "returns from a signal handler"),
	SANDBOX_PERMIT(rt_sigprocmask, "threads are started with signals blocked; abort()"),
	SANDBOX_PERMIT(rt_sigaction, "abort() restores the default action"),
	SANDBOX_PERMIT(exit, "a thread ends"),
	SANDBOX_PERMIT(exit_group, "the process ends"),
};

#ifdef TANMATSU_SANITIZED
static const struct sandbox_permission SANITIZERS[] = {
	SANDBOX_PERMIT(rseq, "sanitizers: a thread of theirs still starts"),
	SANDBOX_PERMIT(set_robust_list, "sanitizers: a thread of theirs still starts"),
	SANDBOX_PERMIT(sigaltstack, "sanitizers: a thread ends"),
	SANDBOX_PERMIT(mmap, "sanitizers: shadow memory"),
	SANDBOX_PERMIT(mprotect, "sanitizers: shadow memory"),
	SANDBOX_PERMIT(prlimit64, "sanitizers: a thread's stack size"),
	SANDBOX_PERMIT(getrlimit, "sanitizers: a thread's stack size"),
	SANDBOX_PERMIT(nanosleep, "sanitizers: locks that spin; ThreadSanitizer's own thread"),
	SANDBOX_PERMIT(clock_nanosleep, "sanitizers: ThreadSanitizer's own thread"),
	SANDBOX_PERMIT_ARG(prctl, 0, PR_SET_NAME, "sanitizers: name their threads"),
};
#endif

const struct sandbox_permission *sandbox_common_permissions(size_t *count)
{
	*count = sizeof(COMMON) / sizeof(COMMON[0]);
	return COMMON;
}

const struct sandbox_permission *sandbox_sanitizer_permissions(size_t *count)
{
#ifdef TANMATSU_SANITIZED
	*count = sizeof(SANITIZERS) / sizeof(SANITIZERS[0]);
	return SANITIZERS;
#else
	*count = 0;
	return NULL;
#endif
}
