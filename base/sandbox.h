/*
 * What every process does at the end of its start-up: gives up what it does not need. The order is
 * fixed: the bounding set, root directory, groups and uid, capabilities, no_new_privs and limits,
 * Landlock, seccomp. Without root the steps that need it are left out and the result says so; the
 * seccomp list and Landlock work for everybody.
 *
 * What must stay true: a permission is a system call, optionally narrowed by one argument, with the
 * reason it is needed, which `--print-sandbox` prints and a lint test requires. A call that is not
 * listed kills the process (SIGSYS).
 *
 * The caller has opened what it needs, and closed what it does not, before. Main thread, before any
 * other thread is started: capabilities and Landlock hold for the calling thread and those it
 * starts (seccomp for all).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "base/must_check.h"

struct sandbox_permission {
	int syscall;        /* __NR_x */
	const char *reason; /* why this process needs it */
	int argument;   /* -1: any arguments; else the index of the argument that must equal... */
	uint64_t value; /* ...this, after masking with `mask` (0: all bits) */
	uint64_t mask;
};

/*
 * Where clone is permitted and clone3 is not, clone3 answers ENOSYS instead of killing: the C library
 * then starts its threads with clone, whose flags an argument rule can see.
 */
/* clang-format off */
/* The call with any arguments. */
#define SANDBOX_PERMIT(call, why) \
	{ .syscall = __NR_##call, .reason = (why), .argument = -1 }
/* The call if argument `index` (from 0) is `number`. Several of them for one call: any of them may hold. */
#define SANDBOX_PERMIT_ARG(call, index, number, why) \
	{ .syscall = __NR_##call, .reason = (why), .argument = (index), .value = (number) }
/* The call if none of `bits` is set in argument `index`. */
#define SANDBOX_PERMIT_WITHOUT(call, index, bits, why) \
	{ .syscall = __NR_##call, .reason = (why), .argument = (index), .value = 0, .mask = (bits) }
/* clang-format on */

struct sandbox_policy {
	const char *process;
	/* Added to the calls every process needs (sandbox_common.c). */
	const struct sandbox_permission *permissions;
	size_t permission_count;
	uid_t uid; /* only with root; 0: keep. Not 0 demands a gid that is not 0. */
	gid_t gid;
	bool keep_files; /* leaves the file system reachable (the auth helper, the monitor) */
	bool keep_capabilities;      /* for a root process whose children need them (the monitor) */
	int address_space_limit_mib; /* 0: none */
};

struct sandbox_result {
	bool uid_dropped;
	bool root_emptied;
	bool capabilities_dropped; /* none left, nor in the bounding set */
	bool landlocked;
	bool seccomp;
};

/*
 * Enters the sandbox; there is no way back. Returns 0 or -errno, after which the process must exit:
 * half of it may be done. What an ordinary user or an old kernel cannot do is no error, only false
 * in `result`; seccomp always is.
 */
must_check int sandbox_enter(const struct sandbox_policy *policy, struct sandbox_result *result);

/* Prints the whole list, the common calls included, a line each: call, argument rule, reason.
 * Before sandbox_enter(). */
void sandbox_print(const struct sandbox_policy *policy, int fd);
