/*
 * libvncserver, tamed: the RFB session of one viewer after the login, from ClientInit on. Bytes from the viewer go in,
 * messages to it come out through a function; there is no socket and no thread in between (display/rfb_io.h). An update is
 * made when server_update() is called, and only of what was marked. Extensions that libvncserver does not have are added
 * here: Fence, ContinuousUpdates, QEMU's extended keys and LED state, DesktopName. Loop thread only; one per process,
 * since libvncserver keeps process-wide tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

struct scroll_move;
struct server;

struct server_ops {
	/* Bytes for the viewer: 0, or -errno, after which the session is over. */
	int (*write)(void *context, const void *data, size_t size);
	/* `scancode` is 0 in an ordinary KeyEvent. */
	void (*on_key)(void *context, uint32_t keysym, uint32_t scancode, bool down);
	void (*on_pointer)(void *context, uint16_t buttons, uint32_t x, uint32_t y);
	/* The viewer would like this size. Returns false when it is out of bounds. */
	bool (*on_resize)(void *context, uint32_t width, uint32_t height);
	/* The viewer has said (again) what it understands: server_can_resize() is known from now on. */
	void (*on_encodings)(void *context);
};

/*
 * `name` is at most 127 bytes of UTF-8, copied. `socket` is any connected socket, taken even on failure, never read or written:
 * libvncserver wants to hold one. `pixels` are width * height * 4 bytes and stay the caller's.
 */
must_check int server_create_take(int socket, const char *name, void *pixels, uint32_t width,
    uint32_t height, const struct server_ops *ops, void *context, struct server **server);
void server_destroy(struct server *server);

/* Where the viewer's next bytes are to be read to, and how many fit (never 0). */
void *server_input(struct server *server, size_t *size);
/* `size` bytes were read there: handles every message that is now complete. Returns 0, or -EPROTO when the viewer broke
 * the protocol or asked for what is not offered: server_error() says what, and the session is over. */
must_check int server_input_done(struct server *server, size_t size);
const char *server_error(const struct server *server);

/* True once the viewer has sent ClientInit. */
bool server_is_started(const struct server *server);
/* True while the viewer waits for news: a request is open or updates are continuous. */
bool server_is_asked(const struct server *server);
/* True if there is something that server_update() would send now. */
bool server_has_news(const struct server *server);
/* True if the viewer follows when the picture's size changes; false until it has sent its encodings. */
bool server_can_resize(const struct server *server);
bool server_encodings_known(const struct server *server);

/* This rectangle of the picture has changed. */
void server_mark(struct server *server, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
/* True if the viewer can move parts of its picture by itself. */
bool server_can_copy(const struct server *server);
/* These rectangles have moved all at once (display/scroll.h), before anything that is marked from now on. */
void server_move(struct server *server, const struct scroll_move *moves, size_t count);
/* New memory for the picture, all of it marked; the size may differ only if server_can_resize(). */
void server_set_picture(struct server *server, void *pixels, uint32_t width, uint32_t height);
/* Encodes one FramebufferUpdate if the viewer is waiting and there is news. Returns 1 if one was written, 0 if not, or
 * -errno when the session is over. At most SERVER_UPDATE_PIXELS pixels; the rest is sent by the next call. */
must_check int server_update(struct server *server);
/* True if the viewer has something only in the quality of a JPEG: once nothing changes any more, server_repair() marks that to
 * be sent again without loss. */
bool server_is_lossy(const struct server *server);
void server_repair(struct server *server);
/* Lock keys as RFB's QEMU LED state has them: bit 0 scroll, 1 num, 2 caps. */
void server_set_leds(struct server *server, uint8_t leds);
/* Shows an arrow where the viewer's pointer is (while a caption is on the screen), or nothing (the guest draws its own). */
void server_show_arrow(struct server *server, bool shown);
/* Bytes written that were not part of an update: a viewer that provokes many of them without reading is to be held back. */
uint64_t server_replies(const struct server *server);

enum {
	SERVER_UPDATE_PIXELS = 2 * 1024 * 1024,
};
