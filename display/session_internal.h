/*
 * What the files of a session share: session.c (life and flow) and session_desktop.c (what is shown, and the viewer's
 * input). Not for others.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "display/screen.h"
#include "display/server.h"
#include "display/session.h"
#include "input/pointer.h"

struct session {
	struct sd_event *event;
	struct stream *stream;
	struct server *server;
	struct screen *screen;
	struct link *link;
	struct keyboard *keyboard;
	struct pointer pointer;
	const struct session_ops *ops;
	void *context;
	sd_event_source *later;         /* tells the end */
	sd_event_source *first_content; /* timer */
	sd_event_source *repair;        /* timer */
	bool has_content;
	bool ended;
	int error;
	const char *reason;
	bool action_told;
	bool shown_pending, shown_queued; /* of the desktop attached last */
	uint64_t replies_left;            /* replies when the queue was last empty */
	uint32_t desktop_width, desktop_height;
};

/* session.c: the session is over, which its owner is told from the loop. */
void session_end(struct session *session, int error, const char *reason);
/* Moves everything as far as it goes now. To be called after anything has changed. */
void session_pump(struct session *session);
/* There is something to show: from now on the viewer is served. */
void session_has_content(struct session *session);
/* Something has changed on the screen. */
void session_changed(struct session *session);

/* session_desktop.c */
extern const struct screen_ops session_screen_ops;
extern const struct server_ops session_server_ops;
/* Releases what the viewer holds and lets the link go. */
void session_drop_link(struct session *session);
