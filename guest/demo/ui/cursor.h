/*
 * The pointer's picture: a small arrow with its own alpha, drawn once at start. It is never in the
 * back buffer; it is laid over pixels on their way to the visible surface, so that moving it
 * redraws nothing.
 */
#pragma once

#include "gfx/rect.h"

#include <stdint.h>

#define CURSOR_SIZE 28
/* The tip of the arrow, pixels from the picture's corner. */
#define CURSOR_TIP 3

struct cursor {
	uint32_t color[CURSOR_SIZE * CURSOR_SIZE];
	uint8_t alpha[CURSOR_SIZE * CURSOR_SIZE];
	int x; /* where it was last put on the screen: the tip */
	int y;
};

/* Draws the arrow. */
void cursor_init(struct cursor *cursor);

/* The pixels that the arrow covers with its tip at (x, y). */
struct rect cursor_bounds(int x, int y);

/* Lays the cursor, as at cursor->x, y, over `count` pixels of row y that begin at column x. */
void cursor_overlay(const struct cursor *cursor, int x, int y, uint32_t *pixels, int count);
