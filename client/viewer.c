/* Finding and running the viewer, and ssh: children that end with us, whatever ends us. See viewer.h. */
#include "client/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

const char viewer_missing_hint[] = "Install one: apt install tigervnc-viewer; or name one: "
				   "--viewer CMD or TANMATSU_VIEWER. It must\n"
				   "  open a Unix socket given in place of a server's name.";

enum {
	END_WAIT_MS = 2000, /* between asking a child to end and ending it */
};

int viewer_program_exists(const char *name)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *folder;
	int found = -ENOENT;

	if (strchr(name, '/')) {
		return access(name, X_OK) == 0 ? 0 : -ENOENT;
	}
	copy = strdup(path ? path : "/usr/bin:/bin");
	if (!copy) {
		return -ENOMEM;
	}
	for (folder = strtok_r(copy, ":", &rest); folder && found;
	     folder = strtok_r(NULL, ":", &rest)) {
		char program[4096];

		if (snprintf(program, sizeof(program), "%s/%s", folder, name) <
			(int)sizeof(program) &&
		    access(program, X_OK) == 0) {
			found = 0;
		}
	}
	free(copy);
	return found;
}

int viewer_find(const char *given, char *command, size_t size)
{
	/* gvncviewer and others take no Unix sockets. */
	static const char *const known[] = { "xtigervncviewer", "vncviewer", "xvncviewer",
		"xvnc4viewer" };
	const char *environment = getenv("TANMATSU_VIEWER");

	if (!given && environment && environment[0]) {
		given = environment;
	}
	for (size_t i = 0; !given && i < sizeof(known) / sizeof(known[0]); i++) {
		if (viewer_program_exists(known[i]) == 0) {
			given = known[i];
		}
	}
	if (!given || !given[0]) {
		return -ENOENT;
	}
	return (size_t)snprintf(command, size, "%s", given) < size ? 0 : -E2BIG;
}

int viewer_split(char *command, const char *server, const char *arguments[VIEWER_ARGUMENTS_MAX])
{
	size_t count = 0;
	char *rest;

	for (char *word = strtok_r(command, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (count + 2 >= VIEWER_ARGUMENTS_MAX) {
			return -E2BIG;
		}
		arguments[count++] = word;
	}
	if (count == 0) {
		return -ENOENT;
	}
	arguments[count++] = server;
	arguments[count] = NULL;
	return 0;
}

/* In the child: becomes the program, or tells the parent why not. */
static _Noreturn void become(const char *const *argv, int err, pid_t parent, int report)
{
	sigset_t none;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent) {
		_exit(127); /* it ended before we asked to be told */
	}
	if (err >= 0 && dup2(err, STDERR_FILENO) < 0) {
		_exit(127);
	}
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0) {
		_exit(126);
	}
	_exit(127);
}

int viewer_spawn(const char *const *argv, int err, pid_t *pid, int *pidfd)
{
	pid_t parent = getpid();
	int report[2];
	int error = 0;
	pid_t child;

	if (pipe2(report, O_CLOEXEC) < 0) {
		return -errno;
	}
	child = fork();
	if (child == 0) {
		become(argv, err, parent, report[1]);
	}
	fd_close(&report[1]);
	if (child < 0) {
		error = -errno;
		fd_close(&report[0]);
		return error;
	}
	/* Nothing comes when the program was started: the pipe is closed by exec. */
	if (read(report[0], &error, sizeof(error)) == (ssize_t)sizeof(error)) {
		fd_close(&report[0]);
		waitpid(child, NULL, 0);
		return -error;
	}
	fd_close(&report[0]);
	*pid = child;
	*pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	if (*pidfd < 0) {
		error = -errno;
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
		return error;
	}
	return 0;
}

int viewer_end(pid_t pid, int *pidfd)
{
	struct pollfd ended = { .fd = *pidfd, .events = POLLIN };
	int status = 0;

	if (poll(&ended, 1, 0) == 0) {
		kill(pid, SIGTERM);
		if (poll(&ended, 1, END_WAIT_MS) == 0) {
			kill(pid, SIGKILL);
		}
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	fd_close(pidfd);
	return status;
}
