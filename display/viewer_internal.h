/*
 * What the files of the viewer's life share: viewer.c (phases, handshake, end), viewer_control.c (the monitor's messages)
 * and viewer_session.c (after the login). Not for others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/ipc.h"
#include "display/control.h"
#include "display/handshake.h"
#include "display/viewer.h"

enum viewer_wait {
	VIEWER_WAIT_NOTHING,
	VIEWER_WAIT_CHANNEL, /* for the socket to tanmatsu-auth */
	VIEWER_WAIT_VERDICT, /* for GRANTED or DENIED */
};

struct viewer {
	struct viewer_setup setup;
	sd_event_source *listener;
	sd_event_source *timer; /* grace time, later the end of a goodbye */
	struct ipc_channel *monitor;
	struct display_config config;
	struct keymap *keymap;
	struct stream *stream; /* until the session takes it */
	struct session *session;
	struct handshake handshake;
	uint8_t phase; /* enum display_phase */
	uint8_t wait;  /* enum viewer_wait */
	bool ending;   /* a goodbye is being sent; nothing else happens any more */
	bool exited;
	int exit_status;
	char exit_text[128];  /* what is said when the goodbye is over */
	int certificate, key; /* PEM descriptors, -1 */
	int spares[2];        /* a connected pair: libvncserver holds one end */
	char user[64];
	uint64_t granted_us;
};

/* viewer.c */
/* Ends the process with this reason, at once. */
void viewer_exit(struct viewer *viewer, int status, const char *text);
/* Sends what is queued, waits a moment for the viewer to take it, then ends. */
void viewer_say_goodbye(struct viewer *viewer, int status, const char *text);
must_check int viewer_set_timer(struct viewer *viewer, uint64_t delay_us);
/* The viewer's socket is here: starts the handshake. Takes the socket on success. */
must_check int viewer_start_take(struct viewer *viewer, int socket);
/* Refuses whoever waits for the verdict, or closes. */
void viewer_refuse(struct viewer *viewer, const char *reason);

/* viewer_control.c */
must_check int viewer_control_init(struct viewer *viewer);
void viewer_control_fini(struct viewer *viewer);
/* Tells the monitor, if there is one now. */
void viewer_tell(struct viewer *viewer, uint16_t event, const struct wire *body);

/* viewer_session.c */
must_check int viewer_on_granted(struct viewer *viewer, const char *user);
must_check int viewer_on_show(struct viewer *viewer, struct ipc_message *message);
must_check int viewer_on_attach(struct viewer *viewer, struct ipc_message *message);
must_check int viewer_on_close_request(struct viewer *viewer, struct ipc_message *message);
