/*
 * Finds what has only moved: an area of the new picture that is an exact vertical shift of what the viewer has, as after a
 * scroll, inside a window as well. It is moved in the viewer's picture first, as the viewer will do it by itself; what
 * then still differs from the desktop is found by the ordinary comparison. So a wrong guess costs time, never a pixel.
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/picture.h"

struct scroll;

/* This rectangle has become what was `down` rows above it (below it, if negative). In pixels, not empty. */
struct scroll_move {
	uint32_t x, y, width, height;
	int32_t down;
};

/*
 * Called for all rectangles that moved at once: they do not overlap, `down` is the same for all, and what they became is
 * what was there before the first of them moved.
 */
typedef void (*scroll_moved)(void *context, const struct scroll_move *moves, size_t count);

must_check int scroll_create(struct scroll **scroll);
void scroll_destroy(struct scroll *scroll);

/*
 * Looks for moves within `spans` (as for picture_copy_spans(), which is to be called next), and makes them in the picture.
 * Small changes are not looked at.
 */
void scroll_apply(struct scroll *scroll, struct picture *picture,
    const struct picture_source *source, const struct scanout_span *spans, size_t span_count,
    scroll_moved moved, void *context);
