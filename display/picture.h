/*
 * What the viewer sees, in memory of this process: copied from the desktop's shared picture where that has changed. The
 * desktop names pages that may have changed; what counts is found by comparing, in tiles, so that a page rewritten with
 * what it held costs the viewer nothing and a typed letter is a rectangle of a letter's size. Pure but for memory;
 * one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

struct scanout_span;

enum {
	PICTURE_TILE_WIDTH = 64, /* pixels */
	PICTURE_TILE_HEIGHT = 16,
	PICTURE_PIXELS_MAX = 4096 *
			     2304, /* a larger desktop is not shown: 36 MiB for each viewer */
};

struct picture {
	uint32_t width, height; /* pixels */
	uint32_t *pixels;       /* XRGB, width * height */
	uint32_t columns, rows; /* in tiles */
	uint8_t *suspects;      /* columns * rows: tiles to be compared */
	void *scratch;          /* rectangles of two rows of tiles */
};

/* Pixels of the same format elsewhere; rows are `stride` bytes apart. Memory that may change while it is read. */
struct picture_source {
	const uint8_t *pixels;
	uint32_t width, height, stride;
};

/* Called for each rectangle that has changed, in pixels, inside the picture, not empty. */
typedef void (*picture_changed)(
    void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height);

/* Black. Returns 0, -EINVAL for a size of 0 or above PICTURE_PIXELS_MAX, or -ENOMEM. */
must_check int picture_init(struct picture *picture, uint32_t width, uint32_t height);
void picture_fini(struct picture *picture);

/* Marks the tiles within `spans` as suspects, which the next copy compares. Returns how many are suspects now. */
size_t picture_suspect_spans(struct picture *picture, const struct picture_source *source,
    const struct scanout_span *spans, size_t span_count);
/*
 * Copies what differs within `spans` (bytes of the source, inside stride * height). What of the source lies outside the
 * picture is ignored; a picture larger than its source keeps the rest as it is.
 */
void picture_copy_spans(struct picture *picture, const struct picture_source *source,
    const struct scanout_span *spans, size_t span_count, picture_changed changed, void *context);
/* The same for all of it; what the source does not cover becomes black. */
void picture_copy(struct picture *picture, const struct picture_source *source,
    picture_changed changed, void *context);
