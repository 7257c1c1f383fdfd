/* What host.c (processes, the monitor) and host_desktop.c (the picture and the link) share. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/ipc.h"
#include "display/scanout.h"
#include "host.h"

enum {
	EVENT_KINDS = 8,
};

struct host {
	struct host_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t seen;
	bool stop;
	int wake;
	pid_t pid;
	char path[64];
	int monitor, link, auth; /* -1 */
	struct scanout scanout;
	int memory_fd;
	uint8_t *memory;
	bool want, scanout_due, damage_due;
	uint32_t damage_first, damage_end;
	uint8_t leds;
	bool leds_due;
	struct input_event input[HOST_EVENTS_MAX];
	size_t input_count;
	size_t events[EVENT_KINDS];
	size_t wants, resizes;
	uint32_t resize_width, resize_height;
	uint64_t shown_us;
	struct display_state state;
	char gone[256];
	bool show_after_grant;
	uint8_t show_kind, show_percent;
	const char *show_text;
	int show_fd;
};

/* host.c: wakes the thread. */
void host_kick(struct host *host);

/* host_desktop.c, under the lock: a picture of this size; what the viewer is owed; a message from it. */
void host_make_memory(struct host *host, uint32_t width, uint32_t height);
void host_serve_link(struct host *host);
void host_on_link_message(struct host *host, struct ipc_message *message);
