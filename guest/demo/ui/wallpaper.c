/*
 * The wallpaper: a calm evening sky over soft hills, and the greeting. It is computed for the
 * pixels that are asked for instead of being kept as a picture, which would cost as much memory as
 * the screen.
 *
 * What must stay true: smooth colours without noise, because the picture is compressed for every
 * viewer.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/parts.h"

#include <errno.h>

#define HILLS 4

struct hill {
	int height;      /* of its middle, thousandths of the screen's height from the top */
	int swing[2];    /* of its two waves, thousandths of the height */
	int waves[2];    /* hundredths of a wave over the screen's width */
	int phase[2];    /* degrees */
	uint32_t top;    /* colour at its ridge */
	uint32_t bottom; /* colour at the screen's bottom */
};

static const struct hill hills[HILLS] = {
	{ 610, { 60, 14 }, { 110, 370 }, { 20, 100 }, 0x8f7fa9, 0xb9899b },
	{ 680, { 52, 16 }, { 145, 420 }, { 200, 10 }, 0x645f95, 0x7c6a95 },
	{ 770, { 48, 12 }, { 120, 350 }, { 80, 250 }, 0x3f4478, 0x4a4a80 },
	{ 875, { 40, 10 }, { 160, 300 }, { 290, 60 }, 0x252c56, 0x20264a },
};

static const struct {
	int at; /* thousandths of the height */
	uint32_t color;
} sky[] = {
	{ 0, 0x1f2a5c },
	{ 260, 0x3c4a8c },
	{ 470, 0x8a74a8 },
	{ 610, 0xd99a9c },
	{ 720, 0xf3c29b },
	{ 1000, 0xf6cf9f },
};

#define SKY_STOPS (int)(sizeof(sky) / sizeof(sky[0]))

/* Sine of an angle in degrees (any), by Bhaskara's formula: good to 0.2 %. */
static float sine(float degrees)
{
	float a = degrees - 360.0f * (float)(int)(degrees / 360.0f);
	float sign = 1.0f;
	float p;

	if (a < 0.0f) {
		a += 360.0f;
	}
	if (a > 180.0f) {
		a -= 180.0f;
		sign = -1.0f;
	}
	p = a * (180.0f - a);
	return sign * 4.0f * p / (40500.0f - p);
}

/* A bell that falls from 256 to 0 at `reach`. */
static uint16_t bell(int distance, int reach)
{
	int d = (distance < 0 ? -distance : distance) * 256 / (reach > 0 ? reach : 1);
	int f = d >= 256 ? 0 : 256 - d;

	/* Smoothstep twice over has no visible rim. */
	f = f * f * (768 - 2 * f) / 65536;
	return (uint16_t)f;
}

int wallpaper_prepare(struct desktop *desktop)
{
	int width = desktop->visible.width;
	int height = desktop->visible.height;
	size_t columns = (size_t)width;
	int16_t *outline = heap_alloc(desktop->heap, columns * HILLS * sizeof(*outline));
	uint16_t *glow = heap_alloc(desktop->heap, (columns + (size_t)height) * sizeof(*glow));

	if (!outline || !glow) {
		heap_free(desktop->heap, outline);
		heap_free(desktop->heap, glow);
		return -ENOMEM;
	}
	for (int h = 0; h < HILLS; h++) {
		const struct hill *hill = &hills[h];

		for (int x = 0; x < width; x++) {
			float y = (float)hill->height;

			for (int w = 0; w < 2; w++) {
				float turn = 3.6f * (float)(hill->waves[w] * x) / (float)width;

				y -= (float)hill->swing[w] * sine(turn + (float)hill->phase[w]);
			}
			/* In eighths of a pixel, for a smooth ridge. */
			outline[(size_t)h * columns + (size_t)x] = (int16_t)(y * (float)height *
									     8.0f / 1000.0f);
		}
	}
	for (int x = 0; x < width; x++) {
		glow[x] = bell(x - width * 66 / 100, width * 55 / 100);
	}
	for (int y = 0; y < height; y++) {
		glow[width + y] = bell(y - height * 62 / 100, height * 48 / 100);
	}
	heap_free(desktop->heap, desktop->hills);
	heap_free(desktop->heap, desktop->glow);
	desktop->hills = outline;
	desktop->glow = glow;
	return 0;
}

static uint32_t sky_color(int y, int height)
{
	int at = y * 8000 / height; /* in eighths of a thousandth, for smooth steps */
	int i = 1;

	while (i < SKY_STOPS - 1 && at > sky[i].at * 8) {
		i++;
	}
	return canvas_mix(sky[i - 1].color, sky[i].color,
	    (unsigned int)((at - sky[i - 1].at * 8) * 255 / ((sky[i].at - sky[i - 1].at) * 8)));
}

static void draw_row(const struct desktop *desktop, uint32_t *row, int y, int left, int right)
{
	int width = desktop->visible.width;
	int height = desktop->visible.height;
	uint32_t base = sky_color(y, height);
	unsigned int down = desktop->glow[width + y];

	for (int x = left; x < right; x++) {
		row[x] = canvas_mix(base, 0xffd9a8, desktop->glow[x] * down * 190 >> 16);
	}
	for (int h = 0; h < HILLS; h++) {
		const int16_t *ridge = desktop->hills + (size_t)h * (size_t)width;
		int top = hills[h].height * height / 1000;
		uint32_t color = canvas_mix(hills[h].top, hills[h].bottom,
		    (unsigned int)(y > top ? (y - top) * 255 / (height - top) : 0));

		for (int x = left; x < right; x++) {
			int inside = y * 8 + 8 - ridge[x];

			if (inside >= 8) {
				row[x] = color;
			} else if (inside > 0) {
				row[x] = canvas_mix(row[x], color, (unsigned int)(inside * 32 - 1));
			}
		}
	}
}

struct rect wallpaper_greeting_bounds(const struct desktop *desktop)
{
	return (struct rect){ 48, 40, desktop->visible.width - 96, 84 };
}

static void draw_greeting(struct desktop *desktop, const struct canvas *canvas)
{
	int64_t local = desktop->shown_minute * 60;
	struct rect box = wallpaper_greeting_bounds(desktop);
	char line[160];

	if (canvas_hides(canvas, box)) {
		return;
	}
	if (desktop->user[0]) {
		text_format(line, sizeof(line), "%s, %s", calendar_greeting(local), desktop->user);
	} else {
		text_copy(line, sizeof(line), calendar_greeting(local));
	}
	canvas_text(canvas, &font_display, box.x, box.y + 38, 0xffffff, line);
	calendar_format_date(local, line, sizeof(line));
	canvas_text(canvas, &font_title, box.x + 2, box.y + 68, 0xd5dcf5, line);
}

void wallpaper_draw(struct desktop *desktop, const struct canvas *canvas)
{
	struct rect r = canvas->clip;

	for (int y = r.y; y < r.y + r.h; y++) {
		draw_row(desktop,
		    canvas->surface->pixels + (size_t)y * (size_t)canvas->surface->stride, y, r.x,
		    r.x + r.w);
	}
	draw_greeting(desktop, canvas);
}
