/*
 * One viewer's connection from its first byte to its last, inside the process that exists for it: the handshake, TLS, the
 * login by way of the monitor, then the session. The monitor speaks to it over a listening socket (display/control.h) and
 * may die and come back without the viewer noticing. Loop thread only.
 */
#pragma once

#include <sys/types.h>

#include "base/must_check.h"

struct sandbox_policy;
struct sd_event;
struct viewer;

struct viewer_setup {
	struct sd_event *event;
	int listen_fd;     /* listening SOCK_SEQPACKET socket; borrowed */
	uid_t monitor_uid; /* who may speak as the monitor, besides root */
	/* Entered when CONFIGURE has come and its keyboard layout was compiled, before the first byte of the viewer is
	 * read. NULL: no sandbox (tests in one process). */
	const struct sandbox_policy *policy;
};

must_check int viewer_create(const struct viewer_setup *setup, struct viewer **viewer);
void viewer_destroy(struct viewer *viewer);
/* After the loop has ended: enum display_exit. */
int viewer_exit_status(const struct viewer *viewer);
