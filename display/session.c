/*
 * The RFB session (display/session.h). What must stay true: nothing is encoded while more than QUEUE_LOW bytes wait to
 * leave, which bounds memory and keeps pictures fresh; the viewer is read only while its provoked replies leave too; and
 * the end of a session is told from the loop, never from inside a call that its owner made.
 */
#include "display/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "display/link.h"
#include "display/session_internal.h"
#include "display/stream.h"
#include "input/keyboard.h"

enum {
	QUEUE_LOW = 64 * 1024, /* bytes waiting to leave, above which nothing new is encoded */
	REPLIES_MAX = 64 *
		      1024, /* bytes of replies in the queue, above which the viewer is not read */
	REPAIR_US = 400 * 1000, /* of rest, after which what was sent with loss is sent exactly */
	FIRST_CONTENT_US = 1000 * 1000, /* how long ServerInit waits for the desktop's size */
};

void session_end(struct session *session, int error, const char *reason)
{
	if (!session->ended) {
		session->ended = true;
		session->error = error;
		session->reason = reason;
		stream_set_reading(session->stream, false);
		(void)sd_event_source_set_enabled(session->later, SD_EVENT_ONESHOT);
	}
}

static int on_later(sd_event_source *source, void *context)
{
	struct session *session = context;

	(void)source;
	session->ops->on_closed(session->context, session->error, session->reason);
	return 0;
}

/* Moves everything as far as it goes now. To be called after anything has changed. */
void session_pump(struct session *session)
{
	bool sent = true;

	while (sent && !session->ended && session->has_content &&
	       stream_queued(session->stream) <= QUEUE_LOW) {
		int result = server_update(session->server);

		if (result < 0) {
			session_end(session, result, "the update cannot be sent");
			return;
		}
		sent = result > 0;
		session->shown_queued = session->shown_queued || (sent && session->shown_pending);
		stream_flush(session->stream);
	}
	if (session->ended) {
		return;
	}
	stream_flush(session->stream);
	if (stream_queued(session->stream) == 0) {
		session->replies_left = server_replies(session->server);
		if (session->shown_queued) {
			session->shown_pending = session->shown_queued = false;
			session->ops->on_shown(session->context);
		}
	}
	stream_set_reading(session->stream,
	    session->has_content &&
		server_replies(session->server) - session->replies_left <= REPLIES_MAX);
	if (session->link && server_is_asked(session->server) &&
	    stream_queued(session->stream) <= QUEUE_LOW) {
		link_want(session->link);
	}
}

/* Every change puts the repair of what was sent with loss off, so that it happens at rest only. */
void session_changed(struct session *session)
{
	(void)sd_event_source_set_time_relative(session->repair, REPAIR_US);
	(void)sd_event_source_set_enabled(session->repair, SD_EVENT_ONESHOT);
}

static int on_repair(sd_event_source *source, uint64_t now, void *context)
{
	struct session *session = context;

	(void)source;
	(void)now;
	if (!session->ended && server_is_lossy(session->server)) {
		server_repair(session->server);
		session_pump(session);
	}
	return 0;
}

/* There is something to show: from now on the viewer is served. */
void session_has_content(struct session *session)
{
	session->has_content = true;
	(void)sd_event_source_set_enabled(session->first_content, SD_EVENT_OFF);
	session_pump(session);
}

static int on_first_content(sd_event_source *source, uint64_t now, void *context)
{
	(void)source;
	(void)now;
	session_has_content(context);
	return 0;
}

/* ---- the stream ---- */

static void on_readable(struct stream *stream, void *context)
{
	struct session *session = context;
	size_t room;
	void *buffer = server_input(session->server, &room);
	ssize_t count = stream_read(stream, buffer, room);

	if (count == -EAGAIN) {
		return;
	}
	if (count <= 0) {
		session_end(session, 0, count == 0 ? "the viewer left" : "the connection broke");
		return;
	}
	if (server_input_done(session->server, (size_t)count)) {
		session_end(session, -EPROTO, server_error(session->server));
		return;
	}
	session_pump(session);
}

static void on_drained(struct stream *stream, void *context)
{
	(void)stream;
	session_pump(context);
}

static void on_secured(struct stream *stream, int error, void *context)
{
	(void)stream;
	(void)error;
	(void)context;
	assert(false); /* TLS is established before the session */
}

static void on_stream_closed(struct stream *stream, int error, void *context)
{
	(void)stream;
	session_end(context, 0, error ? "the connection broke" : "the viewer left");
}

/* ---- for the owner ---- */

static must_check int create_parts(struct session *session, const struct session_config *config)
{
	const struct picture *picture;
	int spare = config->spare_socket;
	int error;

	error = screen_create(
	    config->width, config->height, &session_screen_ops, session, &session->screen);
	if (error) {
		return error;
	}
	error = keyboard_create(config->keymap, &session->keyboard);
	if (error) {
		return error;
	}
	picture = screen_picture(session->screen);
	return server_create_take(spare, config->desktop_name, picture->pixels, picture->width,
	    picture->height, &session_server_ops, session, &session->server);
}

int session_create_take(struct sd_event *event, struct stream *stream,
    const struct session_config *config, const struct session_ops *ops, void *context,
    struct session **result)
{
	static const struct stream_ops stream_ops = {
		.on_readable = on_readable,
		.on_drained = on_drained,
		.on_secured = on_secured,
		.on_closed = on_stream_closed,
	};
	struct session *session = calloc(1, sizeof(*session));
	int error;

	if (!session) {
		stream_destroy(stream);
		return -ENOMEM;
	}
	session->event = event;
	session->stream = stream;
	session->ops = ops;
	session->context = context;
	session->reason = "";
	error = create_parts(session, config);
	if (error) {
		goto fail;
	}
	error = sd_event_add_defer(event, &session->later, on_later, session);
	if (error < 0) {
		goto fail;
	}
	(void)sd_event_source_set_enabled(session->later, SD_EVENT_OFF);
	error = sd_event_add_time_relative(event, &session->first_content, CLOCK_MONOTONIC,
	    FIRST_CONTENT_US, 0, on_first_content, session);
	if (error < 0) {
		goto fail;
	}
	error = sd_event_add_time_relative(
	    event, &session->repair, CLOCK_MONOTONIC, REPAIR_US, 0, on_repair, session);
	if (error < 0) {
		goto fail;
	}
	stream_set_owner(stream, &stream_ops, session);
	stream_set_reading(
	    stream, false); /* until there is content, so that ServerInit has the right size */
	*result = session;
	return 0;

fail:
	session_destroy(session);
	return error;
}

void session_destroy(struct session *session)
{
	if (!session) {
		return;
	}
	if (session->keyboard) {
		session_drop_link(session);
	}
	sd_event_source_disable_unref(session->later);
	sd_event_source_disable_unref(session->first_content);
	sd_event_source_disable_unref(session->repair);
	server_destroy(session->server);
	stream_destroy(session->stream);
	keyboard_destroy(session->keyboard);
	screen_destroy(session->screen);
	free(session);
}
