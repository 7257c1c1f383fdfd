/*
 * A folder of our own for a socket that only we may reach: permissions of a folder hold on every system, those of a
 * socket do not. Gone at the end.
 */
#pragma once

#include "base/must_check.h"

enum {
	PRIVATE_PATH_MAX = 104, /* a Unix socket's path is at most 108 bytes with its NUL */
};

struct private_folder {
	char folder[PRIVATE_PATH_MAX];
	char socket
	    [PRIVATE_PATH_MAX]; /* the path of the socket in it, which need not be there yet */
};

/* Makes the folder, 0700, in $XDG_RUNTIME_DIR or /tmp; the socket shall be called `name`. 0 or -errno. */
must_check int private_folder_create(struct private_folder *folder, const char *name);
/* Removes socket and folder. */
void private_folder_remove(const struct private_folder *folder);
/* Listens on folder->socket. A descriptor or -errno. */
must_check int private_folder_listen(const struct private_folder *folder);
/* Connects to folder->socket. A descriptor or -errno. */
must_check int private_folder_connect(const struct private_folder *folder);
/* A signalfd for SIGINT, SIGTERM and SIGHUP, which are blocked from now on: so that the folder is removed. Or -errno. */
must_check int private_folder_signals(void);
