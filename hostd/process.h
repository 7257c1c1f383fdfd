/*
 * A process that the monitor started, or found running: a pidfd on the event loop, so that what is signalled and awaited is
 * that process and never a later one with the same number. Loop thread.
 *
 * What must stay true: processes outlive the daemon (a session of their own, no death signal); a found process is ours
 * only if its start time is the recorded one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

struct sd_event;
struct process;

/* The process has ended: `status` as of waitpid(), or -1 when it was not our child. Called once, from the loop; may
 * call process_destroy(). */
typedef void (*process_on_exit)(struct process *process, int status, void *context);

struct process_spec {
	const char *path;
	const char *const *arguments; /* argv, NULL at the end */
	const int *fds;               /* become 3, 4, ... in the child, in this order */
	size_t fd_count;              /* at most 8 */
	int log_fd;                   /* becomes stderr and stdout; -1: ours */
};

/*
 * Starts a program. Everything but the descriptors named is closed, signals are as at the start of the world. 0; -errno of
 * fork or exec (the child is gone then).
 */
must_check int process_spawn(struct sd_event *event, const struct process_spec *spec,
    process_on_exit on_exit, void *context, struct process **process);
/* Takes hold of a running process that had that number and start time (process_start_time). 0; -ESRCH when it is gone. */
must_check int process_adopt(struct sd_event *event, pid_t pid, uint64_t start_time,
    process_on_exit on_exit, void *context, struct process **process);
pid_t process_pid(const struct process *process);
/* Field 22 of /proc/PID/stat: 0 when it cannot be read. */
uint64_t process_start_time(pid_t pid);
/* 0, or -errno; -ESRCH when it has ended. */
int process_signal(struct process *process, int signal);
/* Lets go of it without ending it. NULL is fine. */
void process_destroy(struct process *process);
/* What a status of waitpid() says, in words ("exit code 3", "killed by signal 9 (Killed)"). Always terminated. */
void process_describe(int status, char *text, size_t size);
