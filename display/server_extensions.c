/*
 * The extensions of RFB that libvncserver lacks (rfbproto: Fence 7.5.9 and 7.6.8, ContinuousUpdates 7.5.8 and 7.6.7, QEMU
 * Extended Key Event, QEMU LED State, DesktopName), and the arrow for screens without a guest. What must stay true: a
 * pseudo-rectangle goes only to a viewer that asked for its encoding, and a reply never holds bytes that were not set.
 */
#include <errno.h>
#include <string.h>

#include "base/wire.h"
#include "display/server_internal.h"

enum {
	REPLY_END_OF_CONTINUOUS_UPDATES = 150,
	REPLY_FENCE = 248,
	FENCE_REQUEST = 1u << 31,
	FENCE_KNOWN =
	    7, /* BlockBefore, BlockAfter, SyncNext: all true of a server that does one thing after another */
};

static must_check int send_wire(struct server *server, const struct wire *wire)
{
	if (!wire_ok(wire)) {
		return -EOVERFLOW;
	}
	return server->ops->write(server->context, wire->data, wire->position);
}

static must_check int reply_fence(
    struct server *server, uint32_t flags, const uint8_t *payload, uint8_t size)
{
	uint8_t bytes[9 + MESSAGE_FENCE_MAX] = { 0 };
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, REPLY_FENCE);
	wire_put_u8(&wire, 0);
	wire_put_be16(&wire, 0);
	wire_put_be32(&wire, flags);
	wire_put_u8(&wire, size);
	wire_put_bytes(&wire, payload, size);
	server->replies += wire.position;
	return send_wire(server, &wire);
}

static must_check int reply_end_of_continuous_updates(struct server *server)
{
	static const uint8_t type = REPLY_END_OF_CONTINUOUS_UPDATES;

	server->replies += 1;
	return server->ops->write(server->context, &type, 1);
}

int server_on_encodings(struct server *server, uint8_t *data, size_t size)
{
	int error;

	size = encodings_filter(data, size, &server->encodings);
	error = server_feed_library(server, data, size);
	if (error) {
		return error;
	}
	/* The answer to these two pseudo-encodings is a message: that is how the viewer knows that the server has them. */
	if (server->encodings.fence && !server->fence_told) {
		server->fence_told = true;
		error = reply_fence(server, FENCE_REQUEST, NULL, 0);
	}
	if (!error && server->encodings.continuous_updates && !server->continuous_told) {
		server->continuous_told = true;
		error = reply_end_of_continuous_updates(server);
	}
	if (!error) {
		server->ops->on_encodings(server->context);
	}
	return error;
}

/* An empty area would become an empty rectangle in libvncserver's regions, by whose width its encoders divide. */
int server_on_update_request(struct server *server, const uint8_t *data, size_t size)
{
	uint16_t area[4];
	struct wire wire;

	wire_init_read(&wire, data + 2, 8);
	for (int i = 0; i < 4; i++) {
		area[i] = wire_get_be16(&wire);
	}
	return server_clip(server, area) ? server_feed_library(server, data, size) : 0;
}

int server_on_continuous_updates(struct server *server, const uint8_t *data)
{
	struct wire wire;
	bool was = server->continuous;

	wire_init_read(&wire, data + 1, 9);
	server->continuous = wire_get_u8(&wire) != 0;
	for (int i = 0; i < 4; i++) {
		server->area[i] = wire_get_be16(&wire);
	}
	return was && !server->continuous ? reply_end_of_continuous_updates(server) : 0;
}

int server_on_fence(struct server *server, const uint8_t *data)
{
	struct wire wire;
	uint32_t flags;
	uint8_t size;

	wire_init_read(&wire, data + 4, 5);
	flags = wire_get_be32(&wire);
	size = wire_get_u8(&wire);
	if (!(flags & FENCE_REQUEST)) {
		return 0; /* the answer to ours */
	}
	return reply_fence(server, flags & FENCE_KNOWN, data + 9, size);
}

int server_on_qemu_key(struct server *server, const uint8_t *data)
{
	struct wire wire;
	bool down;
	uint32_t keysym, scancode;

	wire_init_read(&wire, data + 2, 10);
	down = wire_get_be16(&wire) != 0;
	keysym = wire_get_be32(&wire);
	scancode = wire_get_be32(&wire);
	server->ops->on_key(server->context, keysym, scancode, down);
	return 0;
}

/*
 * Not passed to libvncserver, which forgets memory with each. The answer to a size that is taken is the new picture; one
 * that is not taken, or is there already, is answered with the next update.
 */
void server_on_set_desktop_size(struct server *server, const uint8_t *data)
{
	rfbClientPtr client = server->client;
	struct wire wire;
	uint16_t width, height;
	uint8_t screens;
	bool taken;

	wire_init_read(&wire, data + 2, 5);
	width = wire_get_be16(&wire);
	height = wire_get_be16(&wire);
	screens = wire_get_u8(&wire);
	taken = screens > 0 && server->ops->on_resize(server->context, width, height);
	if (taken && (width != server->screen->width || height != server->screen->height)) {
		server->size_asked = true;
	} else if (client->useExtDesktopSize) {
		client->requestedDesktopSizeChange = rfbExtDesktopSize_ClientRequestedChange;
		client->lastDesktopSizeChangeError = taken ? rfbExtDesktopSize_Success
							   : rfbExtDesktopSize_InvalidScreenLayout;
		client->newFBSizePending = TRUE;
	}
}

static void put_rectangle(struct wire *wire, int32_t encoding)
{
	for (int i = 0; i < 4; i++) {
		wire_put_be16(wire, 0);
	}
	wire_put_be32(wire, (uint32_t)encoding);
}

static bool tells_key(const struct server *server)
{
	return server->encodings.qemu_extended_key && !server->key_told;
}

static bool tells_leds(const struct server *server)
{
	return server->encodings.qemu_led_state && server->leds != server->leds_told;
}

static bool tells_name(const struct server *server)
{
	return server->encodings.desktop_name && !server->name_told;
}

bool server_has_features_to_tell(const struct server *server)
{
	return tells_key(server) || tells_leds(server) || tells_name(server);
}

int server_tell_features(struct server *server)
{
	uint8_t bytes[256];
	struct wire wire;
	size_t length = strlen(server->name);

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, 0); /* FramebufferUpdate */
	wire_put_u8(&wire, 0);
	wire_put_be16(
	    &wire, (uint16_t)(tells_key(server) + tells_leds(server) + tells_name(server)));
	if (tells_key(server)) {
		put_rectangle(&wire, ENCODING_QEMU_EXTENDED_KEY);
		server->key_told = true;
	}
	if (tells_leds(server)) {
		put_rectangle(&wire, ENCODING_QEMU_LED_STATE);
		wire_put_u8(&wire, server->leds);
		server->leds_told = server->leds;
	}
	if (tells_name(server)) {
		put_rectangle(&wire, ENCODING_DESKTOP_NAME);
		wire_put_be32(&wire, (uint32_t)length);
		wire_put_bytes(&wire, server->name, length);
		server->name_told = true;
	}
	return send_wire(server, &wire);
}

void server_set_leds(struct server *server, uint8_t leds)
{
	server->leds = leds & 7u;
}

int server_make_arrow(struct server *server)
{
	static const char picture[] = "            "
				      " x          "
				      " xx         "
				      " xxx        "
				      " xxxx       "
				      " xxxxx      "
				      " xxxxxx     "
				      " xxxxxxx    "
				      " xxxxxxxx   "
				      " xxxxxxxxx  "
				      " xxxxxx     "
				      " xx xxx     "
				      " x   xxx    "
				      "     xxx    "
				      "      xx    "
				      "            ";

	server->arrow = rfbMakeXCursor(12, 16, (char *)picture, NULL);
	if (!server->arrow) {
		return -ENOMEM;
	}
	server->arrow->xhot = 1;
	server->arrow->yhot = 1;
	return 0;
}

void server_show_arrow(struct server *server, bool shown)
{
	if (server->arrow_shown != shown) {
		server->arrow_shown = shown;
		server->client->cursorWasChanged = TRUE;
	}
}
