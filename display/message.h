/*
 * Where one client-to-server message of an RFB session ends (rfbproto 7.5), and which messages this server takes at all.
 * Every byte of a viewer passes here before libvncserver sees it: libvncserver only ever gets a whole message with sane
 * lengths, so that it never waits for a viewer, and never one of the messages for file transfer, text chat or scaling.
 * Pure; one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum message_type {
	MESSAGE_SET_PIXEL_FORMAT = 0,
	MESSAGE_SET_ENCODINGS = 2,
	MESSAGE_UPDATE_REQUEST = 3,
	MESSAGE_KEY = 4,
	MESSAGE_POINTER = 5,
	MESSAGE_CUT_TEXT = 6,
	MESSAGE_CONTINUOUS_UPDATES = 150,
	MESSAGE_FENCE = 248,
	MESSAGE_SET_DESKTOP_SIZE = 251,
	MESSAGE_QEMU = 255,
};

enum {
	MESSAGE_ENCODINGS_MAX =
	    1024,               /* more in one SetEncodings is refused; real viewers send 30 */
	MESSAGE_FENCE_MAX = 64, /* payload, rfbproto 7.5.9 */
	MESSAGE_CUT_TEXT_SKIPPED = 16 * 1024 *
				   1024, /* a longer text is refused; up to it is passed over */
	MESSAGE_SIZE_MAX = 8 * 1024,     /* every message that is taken is smaller */
};

enum message_verdict {
	MESSAGE_INCOMPLETE, /* more bytes are needed */
	MESSAGE_COMPLETE,
	MESSAGE_REFUSED, /* the connection is to be closed; `error` says why */
};

struct message {
	uint8_t type;
	size_t size;       /* bytes of the message, its type included, that lie before `skipped` */
	size_t skipped;    /* bytes that follow and are to be thrown away unseen */
	const char *error; /* static */
};

/* Looks at the message that begins at `data`. */
enum message_verdict message_next(const uint8_t *data, size_t size, struct message *message);
