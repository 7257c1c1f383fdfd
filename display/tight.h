/*
 * The Tight encoding (rfbproto 7.7.6) for viewers with 32-bit true colour: one rectangle at a time becomes a solid colour,
 * a bitmap, palette indices, lossless pixels or a JPEG, whichever its content asks for. Every compressed rectangle
 * begins its zlib stream afresh, so that rectangles can be encoded by several threads and in any order.
 *
 * One `struct tight` serves one thread at a time; nothing is kept from one rectangle to the next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

enum {
	TIGHT_WIDTH_MAX = 2048,        /* as rfbproto has it */
	TIGHT_PIXELS_MAX = 128 * 1024, /* of one rectangle */
	TIGHT_JPEG_NONE = -1,
};

struct tight;

struct tight_options {
	int jpeg_quality; /* 1 to 100, or TIGHT_JPEG_NONE: everything stays lossless */
	bool subsample;   /* JPEG with 4:2:0 instead of 4:4:4 */
};

enum tight_kind {
	TIGHT_FILL,
	TIGHT_BITMAP,
	TIGHT_PALETTE,
	TIGHT_PIXELS,
	TIGHT_JPEG, /* the only one that loses anything */
};

must_check int tight_create(struct tight **tight);
void tight_destroy(struct tight *tight);

/* Bytes that a rectangle can become at most. */
size_t tight_bound(size_t width, size_t height);

/*
 * Encodes `width` x `height` pixels (blue in the lowest byte, the highest ignored; rows `stride` pixels apart; at most
 * TIGHT_WIDTH_MAX wide and TIGHT_PIXELS_MAX in all) behind the rectangle's header: into `out`, which has room for
 * tight_bound(). Returns the bytes and tells in `kind` what they are.
 */
size_t tight_encode(struct tight *tight, const uint32_t *pixels, size_t stride, size_t width,
    size_t height, const struct tight_options *options, uint8_t *out, enum tight_kind *kind);
