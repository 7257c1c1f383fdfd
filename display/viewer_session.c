/*
 * The viewer's life after the login: the session begins, the monitor's wishes are passed to it, and what it tells goes to
 * the monitor. What must stay true: there is a session only after GRANTED.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "display/frame.h"
#include "display/session.h"
#include "display/stream.h"
#include "display/viewer_internal.h"

enum {
	LAST_WORDS_US = 3 * 1000 * 1000, /* the last caption can be read this long */
	TEXT_MAX = 512,
};

static void on_session_closed(void *context, int error, const char *reason)
{
	struct viewer *viewer = context;

	if (viewer->ending) {
		viewer_exit(viewer, viewer->exit_status, viewer->exit_text);
	} else if (error == -EPROTO) {
		viewer_exit(viewer, DISPLAY_EXIT_HANDSHAKE, reason);
	} else {
		viewer_exit(viewer, error ? DISPLAY_EXIT_ERROR : DISPLAY_EXIT_VIEWER_LEFT, reason);
	}
}

static void on_action(void *context)
{
	viewer_tell(context, DISPLAY_EVENT_ACTION, NULL);
}

static void on_resize(void *context, uint32_t width, uint32_t height)
{
	uint8_t bytes[8];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u32(&wire, width);
	wire_put_u32(&wire, height);
	viewer_tell(context, DISPLAY_EVENT_RESIZE, &wire);
}

static void on_shown(void *context)
{
	struct viewer *viewer = context;
	uint8_t bytes[8];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u64(&wire, clock_monotonic_us() - viewer->granted_us);
	viewer_tell(viewer, DISPLAY_EVENT_SHOWN, &wire);
}

/* "%u" in the desktop's name is the user, who is known only now. */
static void expand_name(const struct viewer *viewer, char *name, size_t size)
{
	const char *template = viewer->config.desktop_name;
	const char *place = strstr(template, "%u");

	if (place) {
		(void)snprintf(name, size, "%.*s%s%s", (int)(place - template), template,
		    viewer->user, place + 2);
	} else {
		(void)snprintf(name, size, "%s", template);
	}
}

static must_check int start_session(struct viewer *viewer)
{
	char name[sizeof(viewer->config.desktop_name) + sizeof(viewer->user)];
	static const struct session_ops ops = {
		.on_closed = on_session_closed,
		.on_action = on_action,
		.on_resize = on_resize,
		.on_shown = on_shown,
	};
	struct session_config config = {
		.desktop_name = name,
		.width = viewer->config.width,
		.height = viewer->config.height,
		.keymap = viewer->keymap,
		.spare_socket = viewer->spares[0],
	};
	struct stream *stream = viewer->stream;

	expand_name(viewer, name, sizeof(name));
	viewer->stream = NULL;
	viewer->spares[0] = -1;
	return session_create_take(
	    viewer->setup.event, stream, &config, &ops, viewer, &viewer->session);
}

int viewer_on_granted(struct viewer *viewer, const char *user)
{
	size_t size;
	const uint8_t *output;
	int error = 0;

	if (viewer->wait != VIEWER_WAIT_VERDICT || viewer->ending) {
		return 0;
	}
	viewer->wait = VIEWER_WAIT_NOTHING;
	(void)snprintf(viewer->user, sizeof(viewer->user), "%s", user);
	if (handshake_is_asking(&viewer->handshake)) {
		(void)handshake_answer(&viewer->handshake, true, "");
		output = handshake_output(&viewer->handshake, &size);
		error = stream_write(viewer->stream, output, size);
		stream_flush(viewer->stream);
	}
	handshake_fini(&viewer->handshake);
	viewer->timer = sd_event_source_disable_unref(viewer->timer);
	viewer->granted_us = clock_monotonic_us();
	fd_close(&viewer->certificate);
	fd_close(&viewer->key);
	if (!error) {
		error = start_session(viewer);
	}
	if (error) {
		log_error(
		    "viewer: cannot start the session of user=%s: %s", user, strerror(-error));
		viewer_exit(viewer, DISPLAY_EXIT_ERROR, "the session cannot be started");
		return 0;
	}
	viewer->phase = DISPLAY_PHASE_SESSION;
	return 0;
}

int viewer_on_show(struct viewer *viewer, struct ipc_message *message)
{
	uint8_t kind = wire_get_u8(&message->body);
	char text[TEXT_MAX];
	struct frame frame = { 0 };
	uint8_t percent;
	int fd, error;

	wire_get_string(&message->body, text, sizeof(text));
	percent = wire_get_u8(&message->body);
	if (!wire_done(&message->body) || kind == 0) {
		return -EPROTO;
	}
	if (!viewer->session || viewer->ending) {
		return 0;
	}
	fd = ipc_message_take_fd(message, 0);
	if (fd >= 0) {
		error = frame_map(fd, &frame);
		fd_close(&fd);
		if (error) {
			log_warning("viewer: the last frame of user=%s cannot be shown: %s",
			    viewer->user, strerror(-error));
		}
	}
	error = session_show(viewer->session, kind, text, percent, frame.pixels ? &frame : NULL);
	if (error && frame.pixels) {
		error = session_show(
		    viewer->session, kind, text, percent, NULL); /* too large to be shown */
	}
	frame_unmap(&frame);
	if (error) {
		log_error("viewer: cannot show a caption: %s", strerror(-error));
	}
	return 0;
}

int viewer_on_attach(struct viewer *viewer, struct ipc_message *message)
{
	int fd = ipc_message_take_fd(message, 0);
	int error;

	if (fd < 0 || !wire_done(&message->body)) {
		fd_close(&fd);
		return -EPROTO;
	}
	if (!viewer->session || viewer->ending) {
		fd_close(&fd);
		return 0;
	}
	error = session_attach_take(viewer->session, fd);
	if (error) {
		fd_close(&fd);
		log_error("viewer: cannot attach to the desktop: %s", strerror(-error));
	}
	return 0;
}

int viewer_on_close_request(struct viewer *viewer, struct ipc_message *message)
{
	uint8_t kind = wire_get_u8(&message->body);
	char text[TEXT_MAX];

	wire_get_string(&message->body, text, sizeof(text));
	if (!wire_done(&message->body)) {
		return -EPROTO;
	}
	if (viewer->ending) {
		return 0;
	}
	if (!viewer->session) {
		viewer_refuse(viewer, text);
		return 0;
	}
	session_detach(viewer->session);
	if (session_show(viewer->session, kind, text, 255, NULL) != 0 ||
	    viewer_set_timer(viewer, LAST_WORDS_US) != 0) {
		viewer_exit(viewer, DISPLAY_EXIT_CLOSED, "closed");
		return 0;
	}
	viewer->ending = true;
	viewer->exit_status = DISPLAY_EXIT_CLOSED;
	(void)snprintf(viewer->exit_text, sizeof(viewer->exit_text), "closed by the host");
	return 0;
}
