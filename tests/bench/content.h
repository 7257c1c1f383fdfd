/* What the display benchmark shows: the same changes for every server, made from numbers alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct canvas {
	uint32_t *pixels; /* XRGB, width * height */
	uint32_t width, height;
};

struct change {
	uint32_t x, y, width, height;
};

/* True if there is content of that name: typing, scroll, drag, page, slides, window-video, video, idle. */
bool content_is_known(const char *name);
/* Draws change number `number` (0: the first picture, all of it) and returns where. The canvas is what the last drew. */
struct change content_draw(const char *name, struct canvas canvas, uint32_t number);
