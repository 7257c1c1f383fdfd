/*
 * The VNC viewer on this side: finding one that opens a Unix socket, and running it. Children end with us, whatever
 * ends us.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/must_check.h"

enum {
	VIEWER_COMMAND_MAX = 4096,
	VIEWER_ARGUMENTS_MAX = 32,
};

/*
 * The viewer to use: `given` if not NULL, else $TANMATSU_VIEWER, else the first of those known that is installed. 0, or
 * -ENOENT when there is none. A command may have arguments of its own; the server's name comes behind them.
 */
must_check int viewer_find(const char *given, char *command, size_t size);
/* What to say when viewer_find() found none. */
extern const char viewer_missing_hint[];

/* Splits a command at blanks and appends `server`; the pointers are into `command`, which is changed. -E2BIG. */
must_check int viewer_split(
    char *command, const char *server, const char *arguments[VIEWER_ARGUMENTS_MAX]);

/*
 * Starts a program found in PATH, argv[0] first, NULL at the end. `err` (or -1) becomes its standard error. It dies
 * with us. The child's pid, and with `pidfd` a descriptor that becomes readable when it ends. 0, -ENOENT when there is
 * no such program, or -errno.
 */
must_check int viewer_spawn(const char *const *argv, int err, pid_t *pid, int *pidfd);
/* Ends the child if it lives still, and reaps it. Its wait status. */
int viewer_end(pid_t pid, int *pidfd);

/* Whether a program of that name is in PATH (or is there, if it has a slash). */
must_check int viewer_program_exists(const char *name);
