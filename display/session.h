/*
 * The RFB session of a viewer that has logged in: it brings together the viewer's stream, libvncserver, the screen and the
 * link to the desktop, and decides the flow. News is asked of the VMM only while the viewer waits for some and what was
 * sent before has left; a viewer that does not read thus costs one update of memory. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"

struct frame;
struct keymap;
struct sd_event;
struct session;
struct stream;

enum {
	SESSION_WIDTH_MIN = 320, /* a viewer may ask for sizes from here... */
	SESSION_HEIGHT_MIN = 200,
	SESSION_WIDTH_MAX = 3840, /* ...to here */
	SESSION_HEIGHT_MAX = 2160,
};

struct session_ops {
	/* The session is over: 0 when the viewer left or its connection broke, -EPROTO when it broke the protocol, else -errno. Called once, from the loop; may destroy the session. */
	void (*on_closed)(void *context, int error, const char *reason);
	/* A key or button was pressed on a caption that offers something. */
	void (*on_action)(void *context);
	/* The viewer would like this size, within the bounds above. */
	void (*on_resize)(void *context, uint32_t width, uint32_t height);
	/* The first frame of the desktop attached last has left. */
	void (*on_shown)(void *context);
};

struct session_config {
	const char *desktop_name;
	uint32_t width, height;      /* until a desktop or frame has a size */
	const struct keymap *keymap; /* outlives the session */
	int spare_socket;            /* for libvncserver to hold; taken */
};

/* Takes the stream (even on failure), which is past the handshake: its next byte is ClientInit. 0 or -errno. */
must_check int session_create_take(struct sd_event *event, struct stream *stream,
    const struct session_config *config, const struct session_ops *ops, void *context,
    struct session **session);
/* Releases held keys, closes link and viewer. */
void session_destroy(struct session *session);

/* A desktop's link (display/scanout.h); taken. Replaces an earlier one. Returns 0 or -errno. */
must_check int session_attach_take(struct session *session, int socket);
/* The desktop is away: its last frame stays, greyed. */
void session_detach(struct session *session);
bool session_is_attached(const struct session *session);
/* Words over the last frame, or over `frame` (copied) if not NULL. `percent` above 100: none. 0 or -errno. */
must_check int session_show(struct session *session, uint8_t kind, const char *text,
    uint8_t percent, const struct frame *frame);
