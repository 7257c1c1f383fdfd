/* The arrow, from the signed distance to a polygon; see cursor.h. */
#include "ui/cursor.h"

#include "gfx/canvas.h"

struct point {
	float x;
	float y;
};

static const struct point arrow[] = {
	{ 0.0f, 0.0f },
	{ 0.0f, 16.2f },
	{ 3.7f, 12.8f },
	{ 6.2f, 18.6f },
	{ 8.8f, 17.5f },
	{ 6.3f, 11.8f },
	{ 11.4f, 11.5f },
};

#define ARROW_POINTS (sizeof(arrow) / sizeof(arrow[0]))

/* Distance to the arrow's outline, negative inside. */
static float arrow_distance(float x, float y)
{
	float best = 1e9f;
	bool inside = false;

	for (unsigned int i = 0, j = ARROW_POINTS - 1; i < ARROW_POINTS; j = i++) {
		float ex = arrow[j].x - arrow[i].x;
		float ey = arrow[j].y - arrow[i].y;
		float wx = x - arrow[i].x;
		float wy = y - arrow[i].y;
		float t = (wx * ex + wy * ey) / (ex * ex + ey * ey);
		float dx;
		float dy;

		t = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
		dx = wx - ex * t;
		dy = wy - ey * t;
		if (dx * dx + dy * dy < best) {
			best = dx * dx + dy * dy;
		}
		if ((arrow[i].y > y) != (arrow[j].y > y) && wx < ex * wy / ey) {
			inside = !inside;
		}
	}
	best = __builtin_sqrtf(best);
	return inside ? -best : best;
}

static float cover(float distance)
{
	float c = 0.5f - distance;

	return c < 0.0f ? 0.0f : c > 1.0f ? 1.0f : c;
}

void cursor_init(struct cursor *cursor)
{
	for (int y = 0; y < CURSOR_SIZE; y++) {
		for (int x = 0; x < CURSOR_SIZE; x++) {
			float px = (float)(x - CURSOR_TIP) + 0.5f;
			float py = (float)(y - CURSOR_TIP) + 0.5f;
			float distance = arrow_distance(px, py);
			float ink = cover(distance);
			float outline = cover(distance - 1.3f);
			float far = arrow_distance(px - 0.6f, py - 1.6f);
			float shadow = 0.34f * cover((far - 2.4f) / 5.0f);
			float alpha = outline + shadow * (1.0f - outline);
			float white = outline * (1.0f - ink) / (alpha > 0.0f ? alpha : 1.0f);
			float dark = outline * ink / (alpha > 0.0f ? alpha : 1.0f);
			unsigned int level = (unsigned int)(white * 255.0f + dark * 28.0f);

			cursor->alpha[y * CURSOR_SIZE + x] = (uint8_t)(alpha * 255.0f + 0.5f);
			cursor->color[y * CURSOR_SIZE + x] = level * 0x010101u;
		}
	}
}

struct rect cursor_bounds(int x, int y)
{
	return (struct rect){ x - CURSOR_TIP, y - CURSOR_TIP, CURSOR_SIZE, CURSOR_SIZE };
}

void cursor_overlay(const struct cursor *cursor, int x, int y, uint32_t *pixels, int count)
{
	struct rect box = cursor_bounds(cursor->x, cursor->y);
	struct rect r = rect_intersect(box, (struct rect){ x, y, count, 1 });

	for (int i = r.x; i < r.x + r.w; i++) {
		int at = (y - box.y) * CURSOR_SIZE + (i - box.x);

		if (cursor->alpha[at]) {
			pixels[i - x] = canvas_mix(
			    pixels[i - x], cursor->color[at], cursor->alpha[at]);
		}
	}
}
