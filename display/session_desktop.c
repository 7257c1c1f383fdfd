/*
 * What a session shows, and what its viewer does (display/session.h): between screen, link and libvncserver. What must
 * stay true: input goes to the desktop only while its picture is on the screen, and everything held is released when the
 * link goes.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "display/control.h"
#include "display/frame.h"
#include "display/link.h"
#include "display/session_internal.h"
#include "display/stream.h"
#include "input/keyboard.h"

/* ---- the screen ---- */

static void on_changed(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct session *session = context;

	server_mark(session->server, x, y, width, height);
	session_changed(session);
}

static void on_moved(void *context, const struct scroll_move *moves, size_t count)
{
	struct session *session = context;

	server_move(session->server, moves, count);
	session_changed(session);
}

static bool can_move(void *context)
{
	struct session *session = context;

	return server_can_copy(session->server);
}

static void on_replaced(void *context, const struct picture *picture)
{
	struct session *session = context;

	server_set_picture(session->server, picture->pixels, picture->width, picture->height);
	session_changed(session);
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
		session_end(session, error, "no memory for the picture");
	}
}

/* ---- the link ---- */

static void on_picture(void *context, const struct picture_source *source)
{
	struct session *session = context;

	show_desktop(session, source);
	server_show_arrow(session->server, false);
	session_has_content(session);
}

static void on_damage(
    void *context, const struct picture_source *source, const struct scanout_damage *damage)
{
	struct session *session = context;

	screen_damage_desktop(session->screen, source, damage);
	session_pump(session);
}

static void on_leds(void *context, uint8_t leds)
{
	struct session *session = context;

	keyboard_set_caps_lock(session->keyboard, leds & 4u);
	server_set_leds(session->server, leds);
	session_pump(session);
}

void session_drop_link(struct session *session)
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

const struct screen_ops session_screen_ops = {
	.changed = on_changed,
	.replaced = on_replaced,
	.moved = on_moved,
	.can_move = can_move,
	.can_resize = can_resize,
};

const struct server_ops session_server_ops = {
	.write = write_stream,
	.on_key = on_key,
	.on_pointer = on_pointer,
	.on_resize = on_resize,
	.on_encodings = on_encodings,
};

int session_attach_take(struct session *session, int socket)
{
	static const struct link_ops link_ops = {
		.on_picture = on_picture,
		.on_damage = on_damage,
		.on_leds = on_leds,
		.on_closed = on_link_closed,
	};
	int error;

	session_drop_link(session);
	error = link_create_take(session->event, socket, &link_ops, session, &session->link);
	session->shown_pending = !error;
	return error;
}

void session_detach(struct session *session)
{
	int error;

	session_drop_link(session);
	error = screen_show_away(session->screen);
	if (error) {
		session_end(session, error, "no memory for the picture");
	}
	session_pump(session);
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
	session_has_content(session);
	return 0;
}
