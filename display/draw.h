/*
 * A few shapes with smooth edges and text, for captions: drawn into XRGB memory with everything clipped to it. Colours are
 * 0xRRGGBB, opacities 0 to 255. Pure; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct font_face;

struct draw_canvas {
	uint32_t *pixels; /* rows without gaps */
	int width, height;
};

struct draw_box {
	int x, y, width, height;
};

uint32_t draw_mix(uint32_t below, uint32_t above, unsigned int opacity);
/* A rectangle with round corners. */
void draw_round_box(const struct draw_canvas *canvas, struct draw_box box, int radius,
    uint32_t colour, unsigned int opacity);
/* Its outline, one pixel inside. */
void draw_round_outline(const struct draw_canvas *canvas, struct draw_box box, int radius,
    uint32_t colour, unsigned int opacity);
/* A soft shadow around it, `blur` pixels wide. */
void draw_shadow(const struct draw_canvas *canvas, struct draw_box box, int radius, int blur,
    unsigned int opacity);
/* The first `size` bytes of UTF-8 `text`, its pen at x, its baseline at y. */
void draw_text(const struct draw_canvas *canvas, const struct font_face *face, int x, int y,
    const char *text, size_t size, uint32_t colour);
/* Their width in pixels. */
int draw_text_width(const struct font_face *face, const char *text, size_t size);
/* A shape given by a function that tells whether a point of [-1, 1] x [-1, 1] is inside, drawn into the box. */
void draw_shape(const struct draw_canvas *canvas, struct draw_box box,
    int (*inside)(double x, double y), uint32_t colour);
