/*
 * Frames that say in words what happens to the desktop: a card with a sign, a sentence and perhaps a progress bar, over
 * the last frame, darkened, or over a calm background. Pure drawing into memory; fits any size from 64x48 up.
 */
#pragma once

#include <stdint.h>

struct caption_canvas {
	uint32_t *pixels; /* XRGB, rows without gaps */
	uint32_t width, height;
};

/* Where the card lies, in pixels, for tests: inside the canvas always. */
struct caption_box {
	int x, y, width, height;
};

/* The whole canvas: `frame` (of the canvas' size) darkened, or a background of ours when NULL. */
void caption_draw_background(const struct caption_canvas *canvas, const uint32_t *frame);
/* `kind` is enum display_caption, `text` UTF-8, `percent` 0 to 100, or more for no bar. The first sentence is the title. */
struct caption_box caption_draw_card(
    const struct caption_canvas *canvas, uint8_t kind, const char *text, uint8_t percent);
