/*
 * Shapes and text (display/draw.h). What must stay true: no pixel outside the canvas is touched, whatever the numbers.
 */
#include "display/draw.h"

#include <math.h>

#include "base/font.h"

enum {
	SAMPLES = 4, /* in each direction, for the edges of shapes */
};

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

uint32_t draw_mix(uint32_t below, uint32_t above, unsigned int opacity)
{
	uint32_t mixed = 0;

	for (unsigned int shift = 0; shift < 24; shift += 8) {
		uint32_t from = below >> shift & 0xff;
		uint32_t to = above >> shift & 0xff;

		mixed |= (from * (255 - opacity) + to * opacity + 127) / 255 << shift;
	}
	return mixed;
}

/* How far a pixel's centre lies outside of a box with round corners; negative inside. */
static double distance(struct draw_box box, int radius, int x, int y)
{
	double half_width = box.width / 2.0;
	double half_height = box.height / 2.0;
	double dx = fabs(x + 0.5 - (box.x + half_width)) - (half_width - radius);
	double dy = fabs(y + 0.5 - (box.y + half_height)) - (half_height - radius);
	double outside = sqrt(fmax(dx, 0) * fmax(dx, 0) + fmax(dy, 0) * fmax(dy, 0));

	return outside + fmin(fmax(dx, dy), 0) - radius;
}

static double clamp(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* The part of a box, grown by `margin`, that lies on the canvas: x and y to, not with, x2 and y2. */
static struct draw_box clip(
    const struct draw_canvas *canvas, struct draw_box box, int margin, int *x2, int *y2)
{
	struct draw_box clipped = {
		.x = max_int(box.x - margin, 0),
		.y = max_int(box.y - margin, 0),
	};

	*x2 = min_int(box.x + box.width + margin, canvas->width);
	*y2 = min_int(box.y + box.height + margin, canvas->height);
	return clipped;
}

static void blend(const struct draw_canvas *canvas, int x, int y, uint32_t colour, double opacity)
{
	uint32_t *pixel = canvas->pixels + (size_t)y * (size_t)canvas->width + (size_t)x;

	if (opacity > 0) {
		*pixel = draw_mix(*pixel, colour, (unsigned int)(opacity + 0.5));
	}
}

void draw_round_box(const struct draw_canvas *canvas, struct draw_box box, int radius,
    uint32_t colour, unsigned int opacity)
{
	int x2, y2;
	struct draw_box part = clip(canvas, box, 0, &x2, &y2);

	for (int y = part.y; y < y2; y++) {
		for (int x = part.x; x < x2; x++) {
			blend(canvas, x, y, colour,
			    clamp(0.5 - distance(box, radius, x, y)) * opacity);
		}
	}
}

void draw_round_outline(const struct draw_canvas *canvas, struct draw_box box, int radius,
    uint32_t colour, unsigned int opacity)
{
	int x2, y2;
	struct draw_box part = clip(canvas, box, 0, &x2, &y2);

	for (int y = part.y; y < y2; y++) {
		for (int x = part.x; x < x2; x++) {
			double away = fabs(distance(box, radius, x, y) + 0.5);

			blend(canvas, x, y, colour, clamp(1 - away) * opacity);
		}
	}
}

void draw_shadow(const struct draw_canvas *canvas, struct draw_box box, int radius, int blur,
    unsigned int opacity)
{
	int x2, y2;
	struct draw_box part = clip(canvas, box, blur, &x2, &y2);

	for (int y = part.y; y < y2; y++) {
		for (int x = part.x; x < x2; x++) {
			double strength = clamp(1 - distance(box, radius, x, y) / blur);

			blend(canvas, x, y, 0, strength * strength * opacity);
		}
	}
}

static void draw_glyph(const struct draw_canvas *canvas, const struct font_face *face,
    const struct font_glyph *glyph, int x, int y, uint32_t colour)
{
	const uint8_t *coverage = face->coverage + glyph->offset;

	for (int row = 0; row < glyph->height; row++) {
		for (int column = 0; column < glyph->width; column++) {
			int to_x = x + column;
			int to_y = y + row;

			if (to_x >= 0 && to_x < canvas->width && to_y >= 0 &&
			    to_y < canvas->height) {
				blend(canvas, to_x, to_y, colour,
				    coverage[row * glyph->width + column]);
			}
		}
	}
}

void draw_text(const struct draw_canvas *canvas, const struct font_face *face, int x, int y,
    const char *text, size_t size, uint32_t colour)
{
	const char *end = text + size;

	while (text < end) {
		uint32_t code = font_next_code(&text);
		const struct font_glyph *glyph;

		if (code == 0) {
			return;
		}
		glyph = font_find_glyph(face, code);
		draw_glyph(canvas, face, glyph, x + glyph->left, y - glyph->top, colour);
		x += glyph->advance;
	}
}

int draw_text_width(const struct font_face *face, const char *text, size_t size)
{
	const char *end = text + size;
	int width = 0;

	while (text < end) {
		uint32_t code = font_next_code(&text);

		if (code == 0) {
			break;
		}
		width += font_find_glyph(face, code)->advance;
	}
	return width;
}

void draw_shape(const struct draw_canvas *canvas, struct draw_box box,
    int (*inside)(double x, double y), uint32_t colour)
{
	int x2, y2;
	struct draw_box part = clip(canvas, box, 0, &x2, &y2);

	for (int y = part.y; y < y2; y++) {
		for (int x = part.x; x < x2; x++) {
			int hits = 0;

			for (int sample = 0; sample < SAMPLES * SAMPLES; sample++) {
				int column = sample % SAMPLES;
				int row = sample / SAMPLES;
				double at_x = x - box.x + (column + 0.5) / SAMPLES;
				double at_y = y - box.y + (row + 0.5) / SAMPLES;

				hits += inside(at_x / box.width * 2 - 1, at_y / box.height * 2 - 1);
			}
			blend(canvas, x, y, colour, hits * 255.0 / (SAMPLES * SAMPLES));
		}
	}
}
