/*
 * Starting, watching and finding processes: see process.h. A pipe that closes on exec tells the parent whether exec worked,
 * so that a missing program is an error of the call and not a mysterious exit.
 */
#include "hostd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	FDS_MAX = 8,
	FIRST_FD = 3,
	SAFE_FD = 64, /* descriptors are moved above this before they are put in their places */
};

struct process {
	pid_t pid;
	int pidfd;
	bool child;
	sd_event_source *source;
	process_on_exit on_exit;
	void *context;
};

static int on_pidfd(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct process *process = context;
	siginfo_t info = { 0 };
	int status = -1;

	(void)source;
	(void)fd;
	(void)events;
	if (process->child) {
		if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG) < 0 ||
		    info.si_pid == 0) {
			return 0;
		}
		status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
						    : info.si_status & 0x7f;
	}
	process->source = sd_event_source_disable_unref(process->source);
	process->on_exit(process, status, process->context);
	return 0;
}

static must_check int watch(struct sd_event *event, pid_t pid, int pidfd, bool child,
    process_on_exit on_exit, void *context, struct process **result)
{
	struct process *process = calloc(1, sizeof(*process));
	int error;

	if (process == NULL) {
		return -ENOMEM;
	}
	process->pid = pid;
	process->child = child;
	process->on_exit = on_exit;
	process->context = context;
	error = sd_event_add_io(event, &process->source, pidfd, EPOLLIN, on_pidfd, process);
	if (error < 0) {
		free(process);
		return error;
	}
	process->pidfd = pidfd;
	*result = process;
	return 0;
}

/* In the child, between fork and exec: only calls that are safe there. Returns -errno on failure. */
static int run_child(const struct process_spec *spec, int report)
{
	int moved[FDS_MAX];
	sigset_t none;

	(void)setsid();
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
		return -errno;
	}
	(void)signal(SIGPIPE, SIG_DFL);
	report = fcntl(report, F_DUPFD_CLOEXEC, SAFE_FD);
	if (report < 0) {
		return -errno;
	}
	if (spec->log_fd >= 0 &&
	    (dup2(spec->log_fd, STDERR_FILENO) < 0 || dup2(spec->log_fd, STDOUT_FILENO) < 0)) {
		return -errno;
	}
	for (size_t i = 0; i < spec->fd_count; i++) {
		moved[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, SAFE_FD);
		if (moved[i] < 0) {
			return -errno;
		}
	}
	for (size_t i = 0; i < spec->fd_count; i++) {
		if (dup2(moved[i], FIRST_FD + (int)i) < 0) {
			return -errno;
		}
	}
	/* Everything else of ours is close-on-exec already; this holds even if something was forgotten. */
	if (syscall(SYS_close_range, FIRST_FD + (unsigned int)spec->fd_count, ~0u,
		1u << 2 /* CLOSE_RANGE_CLOEXEC */) < 0 &&
	    errno != ENOSYS) {
		return -errno;
	}
	execv(spec->path, (char *const *)(uintptr_t)spec->arguments);
	{
		int error = -errno;

		if (write(report, &error, sizeof(error)) < 0) {
			_exit(126);
		}
	}
	_exit(127);
}

int process_spawn(struct sd_event *event, const struct process_spec *spec, process_on_exit on_exit,
    void *context, struct process **process)
{
	int report[2] = { -1, -1 };
	int child_error = 0;
	int pidfd = -1;
	int error;
	ssize_t got;
	pid_t pid;

	if (spec->fd_count > FDS_MAX) {
		return -EINVAL;
	}
	if (pipe2(report, O_CLOEXEC) < 0) {
		return -errno;
	}
	pid = fork();
	if (pid < 0) {
		error = -errno;
		goto out;
	}
	if (pid == 0) {
		child_error = run_child(spec, report[1]);
		if (write(report[1], &child_error, sizeof(child_error)) < 0) {
			_exit(126);
		}
		_exit(127);
	}
	fd_close(&report[1]);
	do {
		got = read(report[0], &child_error, sizeof(child_error));
	} while (got < 0 && errno == EINTR);
	if (got == (ssize_t)sizeof(child_error)) {
		(void)waitpid(pid, NULL, 0);
		error = child_error < 0 ? child_error : -EIO;
		goto out;
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		error = -errno;
	} else {
		error = watch(event, pid, pidfd, true, on_exit, context, process);
	}
	if (error) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		fd_close(&pidfd);
	}
out:
	fd_close(&report[0]);
	fd_close(&report[1]);
	return error;
}

uint64_t process_start_time(pid_t pid)
{
	char path[64];
	char text[1024];
	char *position;
	unsigned long long start = 0;
	ssize_t size;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	size = read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	if (size <= 0) {
		return 0;
	}
	text[size] = '\0';
	/* The second field is the name in parentheses and may hold anything; fields are counted from behind it. */
	position = strrchr(text, ')');
	for (int field = 2; position != NULL && field < 22; field++) {
		position = strchr(position + 1, ' ');
	}
	if (position == NULL || sscanf(position, " %llu", &start) != 1) {
		return 0;
	}
	return start;
}

int process_adopt(struct sd_event *event, pid_t pid, uint64_t start_time, process_on_exit on_exit,
    void *context, struct process **process)
{
	int pidfd;
	int error;

	if (pid <= 1 || start_time == 0) {
		return -ESRCH;
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		return -errno;
	}
	if (process_start_time(pid) != start_time) {
		fd_close(&pidfd);
		return -ESRCH;
	}
	error = watch(event, pid, pidfd, false, on_exit, context, process);
	if (error) {
		fd_close(&pidfd);
	}
	return error;
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

int process_signal(struct process *process, int signal)
{
	if (syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0) < 0) {
		return -errno;
	}
	return 0;
}

void process_destroy(struct process *process)
{
	if (process == NULL) {
		return;
	}
	process->source = sd_event_source_disable_unref(process->source);
	fd_close(&process->pidfd);
	free(process);
}

void process_describe(int status, char *text, size_t size)
{
	if (status < 0) {
		(void)snprintf(text, size, "ended");
	} else if (WIFSIGNALED(status)) {
		(void)snprintf(text, size, "killed by signal %d (%s)", WTERMSIG(status),
		    sigdescr_np(WTERMSIG(status)) ? sigdescr_np(WTERMSIG(status)) : "unknown");
	} else {
		(void)snprintf(text, size, "exit code %d", WEXITSTATUS(status));
	}
}
