/*
 * The RFB session (display/session.h). What must stay true: nothing is encoded while more than QUEUE_LOW bytes wait to
 * leave, which bounds memory and keeps pictures fresh; the viewer is read only while its provoked replies leave too; and
 * the end of a session is told from the loop, never from inside a call that its owner made.
 */
#include "display/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "display/control.h"
#include "display/frame.h"
#include "display/link.h"
#include "display/screen.h"
#include "display/server.h"
#include "display/stream.h"
#include "input/keyboard.h"
#include "input/pointer.h"

enum {
	QUEUE_LOW = 64 * 1024, /* bytes waiting to leave, above which nothing new is encoded */
	REPLIES_MAX = 64 *
		      1024, /* bytes of replies in the queue, above which the viewer is not read */
	REPAIR_US = 400 * 1000, /* of rest, after which what was sent with loss is sent exactly */
	FIRST_CONTENT_US = 1000 * 1000, /* how long ServerInit waits for the desktop's size */
};

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

static void end(struct session *session, int error, const char *reason)
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
static void pump(struct session *session)
{
	bool sent = true;

	while (sent && !session->ended && session->has_content &&
	       stream_queued(session->stream) <= QUEUE_LOW) {
		int result = server_update(session->server);

		if (result < 0) {
			end(session, result, "the update cannot be sent");
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
static void put_repair_off(struct session *session)
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
		pump(session);
	}
	return 0;
}

/* There is something to show: from now on the viewer is served. */
static void content(struct session *session)
{
	session->has_content = true;
	(void)sd_event_source_set_enabled(session->first_content, SD_EVENT_OFF);
	pump(session);
}

static int on_first_content(sd_event_source *source, uint64_t now, void *context)
{
	(void)source;
	(void)now;
	content(context);
	return 0;
}

/* ---- the screen ---- */

static void on_changed(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct session *session = context;

	server_mark(session->server, x, y, width, height);
	put_repair_off(session);
}

static void on_replaced(void *context, const struct picture *picture)
{
	struct session *session = context;

	server_set_picture(session->server, picture->pixels, picture->width, picture->height);
	put_repair_off(session);
}

static bool can_resize(void *context)
{
	struct session *session = context;

	return !server_is_started(session->server) || server_can_resize(session->server);
}

static void show_desktop(struct session *session, const struct picture_source *source)
{
	int error = screen_show_desktop(session->screen, source);

	session->desktop_width = source->width;
	session->desktop_height = source->height;
	if (error == -EINVAL) {
		error = screen_show_caption(session->screen, DISPLAY_CAPTION_MESSAGE,
		    "This desktop's screen is too large to be shown. Choose a smaller mode in the "
		    "desktop, "
		    "or start it again.",
		    SCREEN_NO_PERCENT, NULL);
	}
	if (error) {
		end(session, error, "no memory for the picture");
	}
}

/* ---- the link ---- */

static void on_picture(void *context, const struct picture_source *source)
{
	struct session *session = context;

	show_desktop(session, source);
	server_show_arrow(session->server, false);
	content(session);
}

static void on_damage(
    void *context, const struct picture_source *source, const struct scanout_damage *damage)
{
	struct session *session = context;

	screen_damage_desktop(session->screen, source, damage);
	pump(session);
}

static void on_leds(void *context, uint8_t leds)
{
	struct session *session = context;

	keyboard_set_caps_lock(session->keyboard, leds & 4u);
	server_set_leds(session->server, leds);
	pump(session);
}

static void drop_link(struct session *session)
{
	static const struct input_event release = { .type = INPUT_RELEASE_ALL };

	if (session->link) {
		link_send_input(session->link, &release, 1);
		link_destroy(session->link);
		session->link = NULL;
	}
	keyboard_forget(session->keyboard);
	session->pointer = (struct pointer){ 0 };
	session->shown_pending = session->shown_queued = false;
}

static void on_link_closed(void *context, int error)
{
	struct session *session = context;

	if (error) {
		log_warning("link: the desktop's end is refused: %s", strerror(-error));
	}
	session_detach(session);
}

/* ---- the viewer's input ---- */

static bool offers_action(uint8_t caption)
{
	return caption == DISPLAY_CAPTION_FAILED || caption == DISPLAY_CAPTION_SAVED ||
	       caption == DISPLAY_CAPTION_OFF;
}

static void press_on_caption(struct session *session)
{
	if (!session->action_told && offers_action(screen_caption(session->screen))) {
		session->action_told = true;
		session->ops->on_action(session->context);
	}
}

static void on_key(void *context, uint32_t keysym, uint32_t scancode, bool down)
{
	struct session *session = context;
	struct input_event events[KEYBOARD_EVENTS_MAX];
	size_t count;

	if (!session->link || screen_caption(session->screen)) {
		if (down) {
			press_on_caption(session);
			return;
		}
		if (!session->link) {
			return;
		}
	}
	count = scancode ? keyboard_scancode(session->keyboard, keysym, scancode, down, events)
			 : keyboard_keysym(session->keyboard, keysym, down, events);
	link_send_input(session->link, events, count);
}

static void on_pointer(void *context, uint16_t buttons, uint32_t x, uint32_t y)
{
	struct session *session = context;
	struct input_event events[POINTER_EVENTS_MAX];
	size_t count;

	if (!session->link || screen_caption(session->screen)) {
		if (buttons & 7u) {
			press_on_caption(session);
		}
		return;
	}
	if (x >= session->desktop_width || y >= session->desktop_height) {
		return; /* beside a desktop that is smaller than the viewer's screen */
	}
	count = pointer_event(&session->pointer, buttons, x, y, session->desktop_width,
	    session->desktop_height, events);
	link_send_input(session->link, events, count);
}

static bool on_resize(void *context, uint32_t width, uint32_t height)
{
	struct session *session = context;

	if (width < SESSION_WIDTH_MIN || height < SESSION_HEIGHT_MIN || width > SESSION_WIDTH_MAX ||
	    height > SESSION_HEIGHT_MAX) {
		return false;
	}
	session->ops->on_resize(session->context, width, height);
	if (session->link) {
		link_resize(session->link, width, height);
	}
	return true;
}

static void on_encodings(void *context)
{
	struct session *session = context;
	const struct picture *picture = screen_picture(session->screen);
	struct picture_source source;

	/* A desktop of another size that came before the viewer said that it can follow. */
	if (session->link && screen_caption(session->screen) == 0 &&
	    link_picture(session->link, &source) &&
	    (source.width != picture->width || source.height != picture->height)) {
		show_desktop(session, &source);
	}
}

static int write_stream(void *context, const void *data, size_t size)
{
	struct session *session = context;

	return stream_write(session->stream, data, size);
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
		end(session, 0, count == 0 ? "the viewer left" : "the connection broke");
		return;
	}
	if (server_input_done(session->server, (size_t)count)) {
		end(session, -EPROTO, server_error(session->server));
		return;
	}
	pump(session);
}

static void on_drained(struct stream *stream, void *context)
{
	(void)stream;
	pump(context);
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
	end(context, 0, error ? "the connection broke" : "the viewer left");
}

/* ---- for the owner ---- */

static must_check int create_parts(struct session *session, const struct session_config *config)
{
	static const struct screen_ops screen_ops = {
		.changed = on_changed,
		.replaced = on_replaced,
		.can_resize = can_resize,
	};
	static const struct server_ops server_ops = {
		.write = write_stream,
		.on_key = on_key,
		.on_pointer = on_pointer,
		.on_resize = on_resize,
		.on_encodings = on_encodings,
	};
	const struct picture *picture;
	int spare = config->spare_socket;
	int error;

	error = screen_create(
	    config->width, config->height, &screen_ops, session, &session->screen);
	if (error) {
		return error;
	}
	error = keyboard_create(config->keymap, &session->keyboard);
	if (error) {
		return error;
	}
	picture = screen_picture(session->screen);
	return server_create_take(spare, config->desktop_name, picture->pixels, picture->width,
	    picture->height, &server_ops, session, &session->server);
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
		drop_link(session);
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

int session_attach_take(struct session *session, int socket)
{
	static const struct link_ops link_ops = {
		.on_picture = on_picture,
		.on_damage = on_damage,
		.on_leds = on_leds,
		.on_closed = on_link_closed,
	};
	int error;

	drop_link(session);
	error = link_create_take(session->event, socket, &link_ops, session, &session->link);
	session->shown_pending = !error;
	return error;
}

void session_detach(struct session *session)
{
	int error;

	drop_link(session);
	error = screen_show_away(session->screen);
	if (error) {
		end(session, error, "no memory for the picture");
	}
	pump(session);
}

bool session_is_attached(const struct session *session)
{
	return session->link != NULL;
}

int session_show(struct session *session, uint8_t kind, const char *text, uint8_t percent,
    const struct frame *frame)
{
	struct picture_source source;
	int error;

	if (frame) {
		source = (struct picture_source){
			.pixels = frame->pixels,
			.width = frame->width,
			.height = frame->height,
			.stride = frame->stride,
		};
	}
	error = screen_show_caption(session->screen, kind, text, percent, frame ? &source : NULL);
	if (error) {
		return error;
	}
	session->action_told = false;
	server_show_arrow(session->server, true);
	content(session);
	return 0;
}
