/*
 * A monitor and a desktop for tests of the viewer's process: starts tanmatsu-display as the real monitor does, decides
 * about logins, and owns a picture in a sealed memfd that tests draw into. Its own thread speaks to the process, so that a
 * test can be an ordinary viewer. Functions may be called from the test's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/control.h"
#include "input/event.h"

struct host;

enum {
	HOST_EVENTS_MAX = 4096,
};

struct host_options {
	const char *program; /* tanmatsu-display */
	uint32_t security[DISPLAY_SECURITY_MAX];
	size_t security_count;
	const char *peer;       /* "127.0.0.1" */
	const char *peer_user;  /* "" */
	uint32_t width, height; /* of the desktop */
	uint32_t grace_s;
	bool no_attach;     /* GRANTED only; the test says what is shown */
	bool follow_resize; /* the desktop takes the size that the viewer asks for */
	bool echo;          /* each pressed key changes a square of 8 x 16 pixels, at once */
	const char *certificate, *key; /* PEM files */
};

struct host *host_create(const struct host_options *options);
/* Ends the process (which must have ended or end now) and frees everything. */
void host_destroy(struct host *host);

/* Starts a process for the connected socket, taken. The previous one must have ended, or is ended. */
void host_serve_take(struct host *host, int socket);
/* The process' number. */
pid_t host_pid(const struct host *host);
/* Waits until the process has ended and returns its exit status, or -1 - signal; -1000 after `timeout_ms`. */
int host_wait_exit(struct host *host, int timeout_ms);

/* The desktop's picture; draw only between lock and unlock, which tells the viewer about these rows. */
uint32_t *host_lock_picture(struct host *host, uint32_t *width, uint32_t *height);
void host_unlock_picture(struct host *host, uint32_t first_row, uint32_t row_count);
/* Changes the mode; the picture is black after it. */
void host_set_mode(struct host *host, uint32_t width, uint32_t height);
void host_set_leds(struct host *host, uint8_t leds);

/* The monitor's messages. */
void host_attach(struct host *host);
void host_detach(struct host *host);
void host_show(struct host *host, uint8_t kind, const char *text, uint8_t percent, int frame_fd);
/* The same, said by itself right after GRANTED; `frame_fd` is duplicated. */
void host_show_after_grant(
    struct host *host, uint8_t kind, const char *text, uint8_t percent, int frame_fd);
void host_close_viewer(struct host *host, uint8_t kind, const char *text);
/* The monitor dies (its socket is closed), and a new one comes. */
void host_drop_monitor(struct host *host);
void host_return_monitor(struct host *host);
/* Sends a message of any kind, for hostile tests of the desktop's side. */
void host_send_link(struct host *host, uint16_t type, const void *body, size_t size, int fd);
void host_drop_link(struct host *host);

/* What has been seen so far. Each waits until the count is reached or the time is over, and returns the count. */
size_t host_wait_input(struct host *host, size_t count, int timeout_ms);
struct input_event host_input(struct host *host, size_t index);
size_t host_wait_event(struct host *host, uint16_t display_event, size_t count, int timeout_ms);
size_t host_wait_resize(struct host *host, size_t count, int timeout_ms);
void host_last_resize(struct host *host, uint32_t *width, uint32_t *height);
size_t host_wants(struct host *host);
uint64_t host_shown_us(struct host *host);
struct display_state host_state(struct host *host);
const char *host_gone_text(struct host *host);
