/*
 * The VMM process's side of vmm/control.h: answers the monitor, owns the machine and its viewers, and says why the
 * process ends. When the monitor goes away the machine runs on and the next one is waited for. Loop thread.
 */
#pragma once

#include <sys/types.h>

#include "base/must_check.h"
#include "vmm/framebuffer.h"

struct sd_event;
struct control_server;

struct control_server_setup {
	struct sd_event *event;
	int listen_fd;                   /* of the monitor's making */
	struct framebuffer *framebuffer; /* without a VM yet */
	int pagemap_fd;                  /* /proc/self/pagemap */
	uid_t monitor_uid;               /* who may connect, besides root */
};

/* Borrows what is in `setup`. The loop ends (sd_event_exit) with the process's exit status. 0 or -errno. */
must_check int control_server_create(
    const struct control_server_setup *setup, struct control_server **server);
/* Ends the machine with it. */
void control_server_destroy(struct control_server *server);
