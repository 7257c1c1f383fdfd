/*
 * Rectangles and copies; curves are in shape.c, text in glyph.c. See canvas.h for what must stay
 * true: pixels do not depend on the clip.
 */
#include "gfx/canvas.h"

#include <string.h>

struct canvas canvas_init(struct surface *surface, struct rect clip)
{
	struct rect all = { 0, 0, surface->width, surface->height };

	return (struct canvas){ surface, rect_intersect(all, clip), 0, 0 };
}

struct canvas canvas_sub(const struct canvas *canvas, struct rect area)
{
	struct canvas sub = *canvas;

	sub.x += area.x;
	sub.y += area.y;
	sub.clip = rect_intersect(canvas->clip, (struct rect){ sub.x, sub.y, area.w, area.h });
	return sub;
}

bool canvas_hides(const struct canvas *canvas, struct rect rect)
{
	return rect_empty(rect_intersect(canvas->clip, rect_move(rect, canvas->x, canvas->y)));
}

static uint32_t *row_of(const struct canvas *canvas, int x, int y)
{
	return canvas->surface->pixels + (size_t)y * (size_t)canvas->surface->stride + x;
}

void canvas_fill(const struct canvas *canvas, struct rect rect, uint32_t color)
{
	struct rect r = rect_intersect(canvas->clip, rect_move(rect, canvas->x, canvas->y));

	for (int y = r.y; y < r.y + r.h; y++) {
		uint32_t *row = row_of(canvas, r.x, y);

		for (int x = 0; x < r.w; x++) {
			row[x] = color;
		}
	}
}

void canvas_blend(const struct canvas *canvas, struct rect rect, uint32_t color, unsigned int alpha)
{
	struct rect r = rect_intersect(canvas->clip, rect_move(rect, canvas->x, canvas->y));

	for (int y = r.y; y < r.y + r.h; y++) {
		uint32_t *row = row_of(canvas, r.x, y);

		for (int x = 0; x < r.w; x++) {
			row[x] = canvas_mix(row[x], color, alpha);
		}
	}
}

void canvas_gradient(const struct canvas *canvas, struct rect rect, uint32_t top, uint32_t bottom)
{
	for (int y = 0; y < rect.h; y++) {
		unsigned int alpha = (unsigned int)(y * 255 / (rect.h > 1 ? rect.h - 1 : 1));

		canvas_fill(canvas, (struct rect){ rect.x, rect.y + y, rect.w, 1 },
		    canvas_mix(top, bottom, alpha));
	}
}

void canvas_copy(const struct canvas *canvas, int x, int y, const struct surface *from)
{
	int left = x + canvas->x;
	int top = y + canvas->y;
	struct rect r = rect_intersect(
	    canvas->clip, (struct rect){ left, top, from->width, from->height });

	for (int line = r.y; line < r.y + r.h; line++) {
		memcpy(row_of(canvas, r.x, line),
		    from->pixels + (size_t)(line - top) * (size_t)from->stride + (r.x - left),
		    (size_t)(r.w > 0 ? r.w : 0) * sizeof(uint32_t));
	}
}
