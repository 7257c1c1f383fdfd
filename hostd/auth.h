/*
 * tanmatsu-auth: one PAM conversation. Started by the monitor for one login attempt, with a socket to the viewer's display
 * process (name and password come from there) and one to the monitor (the verdict goes there).
 *
 * What must stay true: the password is wiped on every path, and is in no message, log or core; whatever goes wrong is a
 * refusal; the process serves one attempt and ends, also when the other side says nothing.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"
#include "hostd/auth_protocol.h"
#include "hostd/users.h"

enum {
	AUTH_NAME_MAX = 1024, /* DISPLAY_NAME_MAX and the NUL */
	AUTH_WAIT_MS = 120 *
		       1000, /* for each message; the display process's own grace time is shorter */
};

struct auth_setup {
	char service[64];
	char confdir[1024];
	char peer[64];
	uint8_t key[AUTH_KEY_SIZE];
};

/* Serves the attempt on AUTH_DISPLAY_FD and AUTH_MONITOR_FD. Returns the exit code. */
int auth_run(void);
void auth_print_sandbox(int fd);

/*
 * Asks PAM whether `name` may log in with `password`. 0 and the account's name in `user`, or -EACCES; why is in the log.
 * auth_pam.c.
 */
must_check int auth_ask_pam(const struct auth_setup *setup, const char *name, const char *password,
    char user[USERS_NAME_MAX]);
