/*
 * What a viewer says in SetEncodings, split in two: what our own code answers (fences, continuous updates, QEMU's keys and
 * LEDs, the desktop's name) and what libvncserver may hear of. libvncserver offers features of its own accord (extended
 * clipboard, xvp, server identity, scaling) that this server does not have, so it hears only what is listed. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum encoding {
	ENCODING_RAW = 0,
	ENCODING_COPY_RECT = 1,
	ENCODING_HEXTILE = 5,
	ENCODING_ZLIB = 6,
	ENCODING_TIGHT = 7,
	ENCODING_ZRLE = 16,
	ENCODING_QUALITY_LOW = -32, /* to -23 */
	ENCODING_QUALITY_HIGH = -23,
	ENCODING_DESKTOP_SIZE = -223,
	ENCODING_LAST_RECT = -224,
	ENCODING_CURSOR = -239,
	ENCODING_X_CURSOR = -240,
	ENCODING_COMPRESS_LOW = -256, /* to -247 */
	ENCODING_COMPRESS_HIGH = -247,
	ENCODING_QEMU_EXTENDED_KEY = -258,
	ENCODING_QEMU_LED_STATE = -261,
	ENCODING_DESKTOP_NAME = -307,
	ENCODING_EXTENDED_DESKTOP_SIZE = -308,
	ENCODING_FENCE = -312,
	ENCODING_CONTINUOUS_UPDATES = -313,
	ENCODING_FINE_QUALITY_LOW = -512, /* to -412 */
	ENCODING_FINE_QUALITY_HIGH = -412,
	ENCODING_SUBSAMPLING_LOW = -768, /* to -763 */
	ENCODING_SUBSAMPLING_HIGH = -763,
};

struct encodings {
	bool known; /* the viewer has sent a SetEncodings */
	bool desktop_size;
	bool extended_desktop_size;
	bool desktop_name;
	bool fence;
	bool continuous_updates;
	bool qemu_extended_key;
	bool qemu_led_state;
};

/*
 * Reads a complete SetEncodings message and leaves in it only what libvncserver may hear. Returns the message's new size.
 */
size_t encodings_filter(uint8_t *message, size_t size, struct encodings *encodings);
