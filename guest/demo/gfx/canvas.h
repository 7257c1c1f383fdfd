/*
 * Drawing on 32-bit surfaces (x8r8g8b8) with clipping and anti-aliasing. Colours are 0xRRGGBB;
 * alpha runs from 0 (clear) to 255 (opaque).
 *
 * What must stay true: a pixel's value depends on what is drawn and never on the clip rectangle, so
 * that drawing a part gives exactly the pixels that drawing the whole gives. Damage tracking relies
 * on it.
 */
#pragma once

#include "base/font.h"
#include "gfx/rect.h"

#include <stdint.h>

struct surface {
	uint32_t *pixels;
	int width;  /* pixels */
	int height; /* pixels */
	int stride; /* pixels from one row to the next */
};

/* Where to draw: the origin is added to every coordinate; the clip is in surface coordinates and
 * inside it. */
struct canvas {
	struct surface *surface;
	struct rect clip;
	int x;
	int y;
};

/* A canvas over the whole surface, clipped to `clip`. */
struct canvas canvas_init(struct surface *surface, struct rect clip);

/* The same canvas moved by (x, y) and clipped to w * h pixels from there. */
struct canvas canvas_sub(const struct canvas *canvas, struct rect area);

/* True if nothing of `rect` (canvas coordinates) can be seen: an early out for whoever draws. */
bool canvas_hides(const struct canvas *canvas, struct rect rect);

/* Mixes `color` over `under` with alpha 0..255; exact at both ends. */
static inline uint32_t canvas_mix(uint32_t under, uint32_t color, unsigned int alpha)
{
	uint32_t a = alpha + (alpha >> 7);
	uint32_t rb = ((under & 0xff00ffu) * (256 - a) + (color & 0xff00ffu) * a) >> 8 & 0xff00ffu;
	uint32_t g = ((under & 0xff00u) * (256 - a) + (color & 0xff00u) * a) >> 8 & 0xff00u;

	return rb | g;
}

/* Fills a rectangle, solid, mixed, or with a vertical gradient. */
void canvas_fill(const struct canvas *canvas, struct rect rect, uint32_t color);
void canvas_blend(
    const struct canvas *canvas, struct rect rect, uint32_t color, unsigned int alpha);
void canvas_gradient(const struct canvas *canvas, struct rect rect, uint32_t top, uint32_t bottom);

/* A rectangle with round corners, filled, or as a line of `width` pixels along its inner edge. */
void canvas_round(
    const struct canvas *canvas, struct rect rect, int radius, uint32_t color, unsigned int alpha);
void canvas_round_line(const struct canvas *canvas, struct rect rect, int radius, float width,
    uint32_t color, unsigned int alpha);

/* A disc, a ring, and a line with round ends; lengths in pixels, where pixel (0, 0) spans 0.0
 * to 1.0. */
void canvas_disc(const struct canvas *canvas, float x, float y, float radius, uint32_t color,
    unsigned int alpha);
void canvas_ring(const struct canvas *canvas, float x, float y, float radius, float width,
    uint32_t color, unsigned int alpha);
void canvas_line(const struct canvas *canvas, float x0, float y0, float x1, float y1, float width,
    uint32_t color, unsigned int alpha);

/* The coverage (0..255) of a round corner of `radius` at pixel (x, y) of its radius * radius
 * square, top left corner. */
unsigned int canvas_corner(int radius, int x, int y);

/* A soft shadow of `rect`, blurred by a Gaussian of `sigma` pixels (at most 32); alpha is that of
 * its middle. */
void canvas_shadow(const struct canvas *canvas, struct rect rect, int sigma, unsigned int alpha);

/* How far a shadow reaches beyond its rectangle. */
#define CANVAS_SHADOW_REACH(sigma) (3 * (sigma))

/* Copies a surface's pixels to (x, y). */
void canvas_copy(const struct canvas *canvas, int x, int y, const struct surface *from);

/* Text with its baseline at y; returns the x after it. canvas_glyph draws one code point and
 * returns its advance. */
int canvas_text(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, const char *text);
int canvas_glyph(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, uint32_t code);

/* Text with its middle at x, and text cut with an ellipsis to `width` pixels. */
void canvas_text_centered(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, const char *text);
void canvas_text_cut(const struct canvas *canvas, const struct font_face *face, int x, int y,
    int width, uint32_t color, const char *text);
