/*
 * Anti-aliased curves and shadows, from signed distances: a pixel whose centre lies d pixels
 * outside of a shape is covered by 0.5 - d, cut to 0..1. See canvas.h.
 */
#include "gfx/canvas.h"

static unsigned int coverage(float distance, unsigned int alpha)
{
	float c = 0.5f - distance;

	if (c <= 0.0f) {
		return 0;
	}
	return c >= 1.0f ? alpha : (unsigned int)(c * (float)alpha + 0.5f);
}

static float minimum(float a, float b)
{
	return a < b ? a : b;
}

static float maximum(float a, float b)
{
	return a > b ? a : b;
}

static float absolute(float a)
{
	return a < 0.0f ? -a : a;
}

/* Distance of (x, y) from a round rectangle around the origin, with half sizes w and h. */
static float round_distance(float x, float y, float w, float h, float radius)
{
	float qx = absolute(x) - w + radius;
	float qy = absolute(y) - h + radius;
	float ox = maximum(qx, 0.0f);
	float oy = maximum(qy, 0.0f);

	return minimum(maximum(qx, qy), 0.0f) + __builtin_sqrtf(ox * ox + oy * oy) - radius;
}

unsigned int canvas_corner(int radius, int x, int y)
{
	float dx = (float)radius - (float)x - 0.5f;
	float dy = (float)radius - (float)y - 0.5f;

	return coverage(__builtin_sqrtf(dx * dx + dy * dy) - (float)radius, 255);
}

static void put(const struct canvas *canvas, int x, int y, uint32_t color, unsigned int alpha)
{
	uint32_t *pixel = canvas->surface->pixels + (size_t)y * (size_t)canvas->surface->stride + x;

	if (alpha) {
		*pixel = canvas_mix(*pixel, color, alpha);
	}
}

void canvas_round(
    const struct canvas *canvas, struct rect rect, int radius, uint32_t color, unsigned int alpha)
{
	struct rect all = rect_move(rect, canvas->x, canvas->y);
	struct rect r = rect_intersect(canvas->clip, all);

	for (int y = r.y; y < r.y + r.h; y++) {
		int fold_y = y - all.y < all.y + all.h - 1 - y ? y - all.y : all.y + all.h - 1 - y;

		for (int x = r.x; x < r.x + r.w; x++) {
			int fold_x = x - all.x < all.x + all.w - 1 - x ? x - all.x
								       : all.x + all.w - 1 - x;
			unsigned int c = alpha;

			if (fold_x < radius && fold_y < radius) {
				c = canvas_corner(radius, fold_x, fold_y) * alpha / 255;
			}
			put(canvas, x, y, color, c);
		}
	}
}

void canvas_round_line(const struct canvas *canvas, struct rect rect, int radius, float width,
    uint32_t color, unsigned int alpha)
{
	struct rect all = rect_move(rect, canvas->x, canvas->y);
	struct rect r = rect_intersect(canvas->clip, all);
	float w = (float)all.w * 0.5f;
	float h = (float)all.h * 0.5f;

	for (int y = r.y; y < r.y + r.h; y++) {
		for (int x = r.x; x < r.x + r.w; x++) {
			float d = round_distance((float)(x - all.x) + 0.5f - w,
			    (float)(y - all.y) + 0.5f - h, w, h, (float)radius);

			put(canvas, x, y, color,
			    coverage(absolute(d + width * 0.5f) - width * 0.5f, alpha));
			/* The inside of a frame is empty: skip to the other side at once. */
			if (d < -width - 1.0f && x < all.x + all.w - radius - 2 &&
			    y - all.y > radius + 2 && all.y + all.h - y > radius + 2) {
				int jump = all.x + all.w - radius - 2;

				x = jump > x ? jump : x;
			}
		}
	}
}

/* The pixels that a shape reaching from (x0, y0) to (x1, y1), in canvas coordinates, can touch. */
static struct rect bounds(const struct canvas *canvas, float x0, float y0, float x1, float y1)
{
	int left = (int)x0 - 2;
	int top = (int)y0 - 2;
	struct rect r = { left + canvas->x, top + canvas->y, (int)x1 + 3 - left,
		(int)y1 + 3 - top };

	return rect_intersect(canvas->clip, r);
}

void canvas_disc(
    const struct canvas *canvas, float x, float y, float radius, uint32_t color, unsigned int alpha)
{
	struct rect r = bounds(canvas, x - radius, y - radius, x + radius, y + radius);

	for (int py = r.y; py < r.y + r.h; py++) {
		for (int px = r.x; px < r.x + r.w; px++) {
			float dx = (float)(px - canvas->x) + 0.5f - x;
			float dy = (float)(py - canvas->y) + 0.5f - y;
			float d = __builtin_sqrtf(dx * dx + dy * dy);

			put(canvas, px, py, color, coverage(d - radius, alpha));
		}
	}
}

void canvas_ring(const struct canvas *canvas, float x, float y, float radius, float width,
    uint32_t color, unsigned int alpha)
{
	struct rect r = bounds(canvas, x - radius, y - radius, x + radius, y + radius);

	for (int py = r.y; py < r.y + r.h; py++) {
		for (int px = r.x; px < r.x + r.w; px++) {
			float dx = (float)(px - canvas->x) + 0.5f - x;
			float dy = (float)(py - canvas->y) + 0.5f - y;
			float d = __builtin_sqrtf(dx * dx + dy * dy) - radius + width * 0.5f;

			put(canvas, px, py, color, coverage(absolute(d) - width * 0.5f, alpha));
		}
	}
}

void canvas_line(const struct canvas *canvas, float x0, float y0, float x1, float y1, float width,
    uint32_t color, unsigned int alpha)
{
	float half = width * 0.5f;
	struct rect r = bounds(canvas, minimum(x0, x1) - half, minimum(y0, y1) - half,
	    maximum(x0, x1) + half, maximum(y0, y1) + half);
	float vx = x1 - x0;
	float vy = y1 - y0;
	float length2 = vx * vx + vy * vy;

	for (int py = r.y; py < r.y + r.h; py++) {
		for (int px = r.x; px < r.x + r.w; px++) {
			float dx = (float)(px - canvas->x) + 0.5f - x0;
			float dy = (float)(py - canvas->y) + 0.5f - y0;
			float t = length2 > 0.0f ? (dx * vx + dy * vy) / length2 : 0.0f;

			t = minimum(maximum(t, 0.0f), 1.0f);
			dx -= t * vx;
			dy -= t * vy;
			put(canvas, px, py, color,
			    coverage(__builtin_sqrtf(dx * dx + dy * dy) - half, alpha));
		}
	}
}

/* The Gaussian's integral at -3 to 3 sigma in 24 steps, times 256. */
static const uint16_t gauss_integral[25] = { 0, 1, 2, 3, 6, 10, 17, 27, 41, 58, 79, 103, 128, 153,
	177, 198, 215, 229, 239, 246, 250, 253, 254, 255, 256 };

/* How much of a blurred edge at 0 is seen at `distance` pixels inside it, 0..256. */
static unsigned int edge(int distance, int sigma)
{
	int position = (distance + 3 * sigma) * 1024 /
		       sigma; /* in 1/256 of the table's 1/4 sigma steps */
	int step = position >> 8;

	if (position <= 0) {
		return 0;
	}
	if (step >= 24) {
		return 256;
	}
	return (
	    unsigned int)(gauss_integral[step] + (gauss_integral[step + 1] - gauss_integral[step]) *
						     (position & 255) / 256);
}

/* A box blurred along one axis is the difference of two blurred edges; 0..256. */
static unsigned int blurred_box(int at, int size, int sigma)
{
	unsigned int near = edge(at, sigma);
	unsigned int far = edge(at - size, sigma);

	return near > far ? near - far : 0;
}

void canvas_shadow(const struct canvas *canvas, struct rect rect, int sigma, unsigned int alpha)
{
	struct rect all = rect_move(rect, canvas->x, canvas->y);
	struct rect r = rect_intersect(canvas->clip, rect_inset(all, -CANVAS_SHADOW_REACH(sigma)));

	for (int y = r.y; y < r.y + r.h; y++) {
		unsigned int down = blurred_box(y - all.y, all.h, sigma) * alpha >> 8;

		if (!down) {
			continue;
		}
		for (int x = r.x; x < r.x + r.w; x++) {
			put(canvas, x, y, 0x000000,
			    blurred_box(x - all.x, all.w, sigma) * down >> 8);
		}
	}
}
