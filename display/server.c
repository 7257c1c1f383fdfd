/*
 * The RFB session on libvncserver (display/server.h). What must stay true: libvncserver only sees whole messages that
 * message.c let pass, plays its own handshake with us and never with a viewer, and never decides when an update is sent;
 * its event loop, timers, sockets and threads are not used.
 */
#include "display/server.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/rfb_io.h"
#include "display/server_internal.h"

/* libvncserver says at length what a viewer does; only for who asks. */
static void log_library(const char *format, ...)
{
	char text[256];
	va_list arguments;

	if (!log_level_enabled(LOG_LEVEL_DEBUG)) {
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libvncserver: %s", text);
}

static struct server *server_of(rfbClientPtr client)
{
	return client->screen->screenData == NULL
		   ? NULL
		   : (struct server *)((char *)client->screen->screenData -
				       offsetof(struct server, io));
}

static int write_library(void *context, const void *data, size_t size)
{
	struct server *server = context;

	if (server->handshaking) {
		return 0; /* libvncserver's own handshake: nobody listens */
	}
	if (!server->updating) {
		server->replies += size;
	}
	return server->ops->write(server->context, data, size);
}

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
	struct server *server = server_of(client);

	server->ops->on_key(server->context, keysym, 0, down);
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	struct server *server = server_of(client);

	server->ops->on_pointer(
	    server->context, (uint16_t)(buttons & 0xff), (uint32_t)x, (uint32_t)y);
}

static rfbCursorPtr get_cursor(rfbClientPtr client)
{
	struct server *server = server_of(client);

	return server->arrow_shown ? server->arrow : NULL;
}

static must_check int make_screen(
    struct server *server, void *pixels, uint32_t width, uint32_t height)
{
	rfbScreenInfoPtr screen;
	int argc = 1;
	char program[] = "tanmatsu-display";
	char *argv[] = { program, NULL };

	rfbLog = log_library;
	rfbErr = log_library;
	screen = rfbGetScreen(&argc, argv, (int)width, (int)height, 8, 3, 4);
	if (!screen) {
		return -ENOMEM;
	}
	screen->screenData = &server->io;
	screen->frameBuffer = pixels;
	screen->desktopName = server->name;
	screen->serverFormat.depth = 24;
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	screen->port = -1;
	screen->ipv6port = -1;
	screen->alwaysShared = TRUE;
	screen->deferUpdateTime = 0;
	screen->permitFileTransfer = FALSE;
	screen->cursor = NULL;
	screen->getCursorPtr = get_cursor;
	screen->kbdAddEvent = on_key;
	screen->ptrAddEvent = on_pointer;
	server->screen = screen;
	return 0;
}

/* Gives libvncserver one whole message. Returns 0, or -EPROTO when it closed the client. */
static must_check int feed_library(struct server *server, const void *data, size_t size)
{
	server->io.input = data;
	server->io.input_size = size;
	rfbProcessClientMessage(server->client);
	if (server->client->sock == RFB_INVALID_SOCKET) {
		if (!server->error[0]) {
			server->error = "message that libvncserver does not take";
		}
		return -EPROTO;
	}
	return 0;
}

/* The version and security handshake, played against libvncserver: the real one is over, its next state is ClientInit. */
static must_check int play_handshake(struct server *server)
{
	static const char version[] = "RFB 003.008\n";
	static const uint8_t type = rfbSecTypeNone;
	int error;

	error = feed_library(server, version, strlen(version));
	if (!error) {
		error = feed_library(server, &type, 1);
	}
	if (!error && server->client->state != RFB_INITIALISATION) {
		error = -EPROTO;
	}
	server->handshaking = false;
	return error;
}

int server_create_take(int socket, const char *name, void *pixels, uint32_t width, uint32_t height,
    const struct server_ops *ops, void *context, struct server **result)
{
	struct server *server;
	int error;

	if (!rfb_io_is_effective()) {
		log_error("server: libvncserver's functions could not be replaced");
		fd_close(&socket);
		return -ENOTSUP;
	}
	server = calloc(1, sizeof(*server));
	if (!server) {
		fd_close(&socket);
		return -ENOMEM;
	}
	(void)snprintf(server->name, sizeof(server->name), "%s", name);
	server->ops = ops;
	server->context = context;
	server->error = "";
	server->io.write = write_library;
	server->io.context = server;
	server->handshaking = true;
	server->leds_told = SERVER_LEDS_NEVER;
	error = make_screen(server, pixels, width, height);
	if (error) {
		goto fail;
	}
	error = server_make_arrow(server);
	if (error) {
		goto fail;
	}
	error = server_tight_create(server);
	if (error) {
		goto fail;
	}
	server->client = rfbNewClient(server->screen, socket);
	if (!server->client) {
		log_error("server: libvncserver does not take a client");
		socket = -1; /* closed by the library */
		error = -ENOMEM;
		goto fail;
	}
	socket = -1;
	error = play_handshake(server);
	if (error) {
		log_error("server: libvncserver's handshake is not as expected");
		goto fail;
	}
	*result = server;
	return 0;

fail:
	fd_close(&socket);
	server_destroy(server);
	return error;
}

void server_destroy(struct server *server)
{
	if (!server) {
		return;
	}
	if (server->screen) {
		server->handshaking = true;       /* nothing is written any more */
		rfbScreenCleanup(server->screen); /* the client too */
	}
	if (server->arrow) {
		rfbFreeCursor(server->arrow);
	}
	server_tight_destroy(server);
	free(server);
}

void *server_input(struct server *server, size_t *size)
{
	*size = sizeof(server->input) - server->input_size;
	assert(*size > 0);
	return server->input + server->input_size;
}

/* Handles the message at `data`. Returns 0 or -EPROTO. */
static must_check int handle(struct server *server, uint8_t *data, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_SET_ENCODINGS:
		return server_on_encodings(server, data, message->size);
	case MESSAGE_CUT_TEXT:
		server->skipped = message->skipped;
		return 0;
	case MESSAGE_CONTINUOUS_UPDATES:
		return server_on_continuous_updates(server, data);
	case MESSAGE_FENCE:
		return server_on_fence(server, data);
	case MESSAGE_UPDATE_REQUEST:
		return server_on_update_request(server, data, message->size);
	case MESSAGE_SET_DESKTOP_SIZE:
		server_on_set_desktop_size(server, data);
		return 0;
	case MESSAGE_QEMU:
		return server_on_qemu_key(server, data);
	default:
		return feed_library(server, data, message->size);
	}
}

int server_feed_library(struct server *server, const void *data, size_t size)
{
	return feed_library(server, data, size);
}

/* Takes what lies at `data`. Returns the bytes used (0: more are needed), or -EPROTO. */
static must_check ssize_t take_one(struct server *server, uint8_t *data, size_t size)
{
	struct message message;
	int error;

	if (server->skipped > 0) {
		size_t used = size < server->skipped ? size : server->skipped;

		server->skipped -= used;
		return (ssize_t)used;
	}
	if (!server_is_started(server)) {
		error = feed_library(server, data, 1); /* ClientInit */
		return error ? error : 1;
	}
	switch (message_next(data, size, &message)) {
	case MESSAGE_INCOMPLETE:
		return 0;
	case MESSAGE_COMPLETE:
		error = handle(server, data, &message);
		return error ? error : (ssize_t)message.size;
	case MESSAGE_REFUSED:
	default:
		server->error = message.error;
		return -EPROTO;
	}
}

int server_input_done(struct server *server, size_t size)
{
	size_t used = 0;

	server->input_size += size;
	assert(server->input_size <= sizeof(server->input));
	while (used < server->input_size) {
		ssize_t count = take_one(server, server->input + used, server->input_size - used);

		if (count < 0) {
			return (int)count;
		}
		if (count == 0) {
			break;
		}
		used += (size_t)count;
	}
	server->input_size -= used;
	memmove(server->input, server->input + used, server->input_size);
	return 0;
}

const char *server_error(const struct server *server)
{
	return server->error;
}

bool server_is_started(const struct server *server)
{
	return server->client->state == RFB_NORMAL;
}

bool server_can_resize(const struct server *server)
{
	return server->encodings.desktop_size || server->encodings.extended_desktop_size;
}

bool server_encodings_known(const struct server *server)
{
	return server->encodings.known;
}

uint64_t server_replies(const struct server *server)
{
	return server->replies;
}
