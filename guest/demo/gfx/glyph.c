/*
 * Text from the build-time glyph tables (base/font.h). What must stay true: a glyph touches only
 * pixels inside the clip, whatever its bearings are.
 */
#include "gfx/canvas.h"

#include <stddef.h>

int canvas_glyph(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, uint32_t code)
{
	const struct font_glyph *glyph = font_find_glyph(face, code);
	struct rect box = { canvas->x + x + glyph->left, canvas->y + y - glyph->top, glyph->width,
		glyph->height };
	struct rect r = rect_intersect(canvas->clip, box);

	for (int row = r.y; row < r.y + r.h; row++) {
		const uint8_t *ink = face->coverage + glyph->offset +
				     (size_t)(row - box.y) * glyph->width + (r.x - box.x);
		uint32_t *pixels = canvas->surface->pixels +
				   (size_t)row * (size_t)canvas->surface->stride + r.x;

		for (int i = 0; i < r.w; i++) {
			if (ink[i]) {
				pixels[i] = canvas_mix(pixels[i], color, ink[i]);
			}
		}
	}
	return glyph->advance;
}

int canvas_text(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, const char *text)
{
	for (uint32_t code = font_next_code(&text); code; code = font_next_code(&text)) {
		x += canvas_glyph(canvas, face, x, y, color, code);
	}
	return x;
}

void canvas_text_centered(const struct canvas *canvas, const struct font_face *face, int x, int y,
    uint32_t color, const char *text)
{
	canvas_text(canvas, face, x - font_measure(face, text) / 2, y, color, text);
}

void canvas_text_cut(const struct canvas *canvas, const struct font_face *face, int x, int y,
    int width, uint32_t color, const char *text)
{
	const uint32_t ellipsis = 0x2026;
	int end = x + width;

	if (font_measure(face, text) <= width) {
		canvas_text(canvas, face, x, y, color, text);
		return;
	}
	end -= font_find_glyph(face, ellipsis)->advance;
	for (uint32_t code = font_next_code(&text); code; code = font_next_code(&text)) {
		if (x + font_find_glyph(face, code)->advance > end) {
			break;
		}
		x += canvas_glyph(canvas, face, x, y, color, code);
	}
	canvas_glyph(canvas, face, x, y, color, ellipsis);
}
