/*
 * What every process does at the end of its start-up: gives up what it does not need. The order is
 * fixed: descriptors, root directory, groups and uid, capabilities, no_new_privs, Landlock,
 * seccomp. Without root the steps that need it are left out and the result says so; the seccomp
 * list and Landlock work for everybody.
 *
 * A permission is a system call, optionally narrowed by one argument, and the reason it is needed,
 * which is printed by
 * `--print-sandbox` and required by a lint test. A call that is not listed kills the process
 * (SIGSYS).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

struct sandbox_permission {
	int syscall;        /* __NR_x */
	const char *reason; /* why this process needs it */
	int argument;   /* -1: any arguments; else the index of the argument that must equal... */
	uint64_t value; /* ...this, after masking with `mask` (0: all bits) */
	uint64_t mask;
};

#define SANDBOX_PERMIT(call, why)                                       \
	{                                                               \
		.syscall = __NR_##call, .reason = (why), .argument = -1 \
	}
#define SANDBOX_PERMIT_ARG(call, index, number, why)                                            \
	{                                                                                       \
		.syscall = __NR_##call, .reason = (why), .argument = (index), .value = (number) \
	}

struct sandbox_policy {
	const char *process;
	const struct sandbox_permission
	    *permissions; /* added to the calls every process needs (see sandbox.c) */
	size_t permission_count;
	uid_t uid; /* only with root; 0: keep */
	gid_t gid;
	bool keep_files; /* true leaves the file system reachable (the auth helper, the monitor) */
	int address_space_limit_mib; /* 0: none */
};

struct sandbox_result {
	bool uid_dropped;
	bool root_emptied;
	bool landlocked;
	bool seccomp;
};

/* Enters the sandbox; there is no way back. Returns 0 or -errno (after which the process must
 * exit). */
must_check int sandbox_enter(const struct sandbox_policy *policy, struct sandbox_result *result);
/* Prints the whole list, the common calls included, a line each: call, argument rule, reason. */
void sandbox_print(const struct sandbox_policy *policy, int fd);
