/*
 * The parts of the screen that must be drawn again: a short list of rectangles. Adding merges
 * rectangles where that wastes little, so that the list never overflows and never forgets a pixel.
 * They may overlap; drawing twice is harmless.
 */
#pragma once

#include "gfx/rect.h"

#define DAMAGE_MAX_RECTS 16

struct damage {
	struct rect rects[DAMAGE_MAX_RECTS];
	int count;
};

/* Adds a rectangle; an empty one is ignored. */
void damage_add(struct damage *damage, struct rect rect);
