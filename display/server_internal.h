/*
 * What the files of the RFB session share: server.c (life, input), server_update.c (what is sent when) and
 * server_extensions.c (the messages that libvncserver does not know). Not for others.
 */
#pragma once

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "display/encodings.h"
#include "display/message.h"
#include "display/rfb_io.h"
#include "display/server.h"

enum {
	SERVER_LEDS_NEVER = 0xff,
};

struct tight;

struct server {
	struct rfb_io io; /* screenData points here */
	rfbScreenInfoPtr screen;
	rfbClientPtr client;
	rfbCursorPtr arrow;
	const struct server_ops *ops;
	void *context;
	char name[128];
	const char *error;
	bool handshaking; /* what the library writes is thrown away */
	bool updating;    /* what it writes is part of an update */
	bool arrow_shown;
	struct encodings encodings;
	bool fence_told, continuous_told, key_told, name_told;
	uint8_t leds, leds_told;
	bool continuous;
	bool size_asked;  /* by the viewer, and the picture has not followed yet */
	bool resized;     /* the size has changed since the last update */
	uint16_t area[4]; /* of continuous updates: x, y, width, height */
	uint64_t replies;
	struct tight *tight;
	uint8_t *tight_buffer; /* one rectangle, encoded */
	sraRegionPtr lossy;    /* what the viewer has as JPEG only */
	bool repairing;        /* nothing new has been marked since server_repair() */
	size_t skipped;        /* bytes of a cut text still to be thrown away */
	size_t input_size;
	uint8_t input[MESSAGE_SIZE_MAX];
};

/* server.c: gives libvncserver one whole message. */
must_check int server_feed_library(struct server *server, const void *data, size_t size);

/* server_update.c: true if the rectangle, which is cut to it, has a part on the picture. */
bool server_clip(const struct server *server, uint16_t rectangle[4]);

/* server_extensions.c: messages, complete and at `data`; 0 or -errno. */
must_check int server_on_encodings(struct server *server, uint8_t *data, size_t size);
must_check int server_on_update_request(struct server *server, const uint8_t *data, size_t size);
must_check int server_on_continuous_updates(struct server *server, const uint8_t *data);
must_check int server_on_fence(struct server *server, const uint8_t *data);
void server_on_set_desktop_size(struct server *server, const uint8_t *data);
must_check int server_on_qemu_key(struct server *server, const uint8_t *data);
/* True if server_tell_features() has something to say. */
bool server_has_features_to_tell(const struct server *server);
/* One FramebufferUpdate of pseudo-rectangles: what the server understands, LEDs, the name. 0 or -errno. */
must_check int server_tell_features(struct server *server);
must_check int server_make_arrow(struct server *server);

/* server_copy.c: how many rectangles of what the viewer asked for server_copy_send() will write; those rectangles (only the
 * rectangles, not an update's header): 0 or -errno; all that waits to be copied becomes marked instead. */
size_t server_copy_prepare(struct server *server);
must_check int server_copy_send(struct server *server);
void server_copy_give_up(struct server *server);

/* server_tight.c: whether the viewer gets our own encoder's Tight; an update of `region`, not empty: 0 or -errno. */
bool server_tight_is_wanted(const struct server *server);
must_check int server_tight_send(struct server *server, sraRegionPtr region);
must_check int server_tight_create(struct server *server);
void server_tight_destroy(struct server *server);
