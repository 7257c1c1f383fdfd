/*
 * The programs' icons, drawn from round rectangles, discs and lines on a grid of 32 units, so that
 * they are sharp at any size and need no files.
 */
#include "gfx/theme.h"
#include "ui/parts.h"

struct brush {
	const struct canvas *canvas;
	float x;
	float y;
	float scale; /* pixels for one unit */
};

static void line(
    const struct brush *b, float x0, float y0, float x1, float y1, float width, uint32_t color)
{
	canvas_line(b->canvas, b->x + x0 * b->scale, b->y + y0 * b->scale, b->x + x1 * b->scale,
	    b->y + y1 * b->scale, width * b->scale, color, 255);
}

static void disc(const struct brush *b, float x, float y, float radius, uint32_t color)
{
	canvas_disc(
	    b->canvas, b->x + x * b->scale, b->y + y * b->scale, radius * b->scale, color, 255);
}

static void box(
    const struct brush *b, float x, float y, float w, float h, float radius, uint32_t color)
{
	struct rect r = { (int)(b->x + x * b->scale + 0.5f), (int)(b->y + y * b->scale + 0.5f),
		(int)(w * b->scale + 0.5f), (int)(h * b->scale + 0.5f) };

	canvas_round(b->canvas, r, (int)(radius * b->scale + 0.5f), color, 255);
}

static void draw_terminal(const struct brush *b)
{
	line(b, 8.5f, 11.0f, 14.0f, 16.0f, 2.4f, 0x7ee0a8);
	line(b, 14.0f, 16.0f, 8.5f, 21.0f, 2.4f, 0x7ee0a8);
	line(b, 16.5f, 21.5f, 23.5f, 21.5f, 2.4f, 0xe6e9f0);
}

static void draw_editor(const struct brush *b)
{
	box(b, 8.0f, 5.5f, 16.0f, 21.0f, 2.0f, 0xffffff);
	line(b, 11.5f, 11.0f, 20.5f, 11.0f, 1.8f, 0x9fb4e8);
	line(b, 11.5f, 15.0f, 20.5f, 15.0f, 1.8f, 0x9fb4e8);
	line(b, 11.5f, 19.0f, 16.5f, 19.0f, 1.8f, 0x9fb4e8);
	line(b, 17.8f, 22.8f, 25.0f, 15.6f, 3.4f, 0xf2b33d);
	line(b, 17.2f, 23.4f, 17.6f, 23.0f, 2.0f, 0x3a3f50);
}

static void draw_paint(const struct brush *b)
{
	disc(b, 16.0f, 16.0f, 10.0f, 0xffffff);
	disc(b, 21.0f, 20.5f, 2.8f, 0xcf6f4e);
	disc(b, 11.0f, 14.5f, 2.2f, 0xe0574f);
	disc(b, 15.2f, 10.3f, 2.2f, 0xf2b33d);
	disc(b, 20.8f, 12.6f, 2.2f, 0x3fa66a);
	disc(b, 12.4f, 20.0f, 2.2f, 0x3d6fe0);
}

static void draw_monitor(const struct brush *b)
{
	line(b, 6.5f, 17.5f, 10.5f, 17.5f, 2.2f, 0xffffff);
	line(b, 10.5f, 17.5f, 13.5f, 9.5f, 2.2f, 0xffffff);
	line(b, 13.5f, 9.5f, 18.0f, 23.0f, 2.2f, 0xffffff);
	line(b, 18.0f, 23.0f, 20.8f, 15.0f, 2.2f, 0xffffff);
	line(b, 20.8f, 15.0f, 25.5f, 15.0f, 2.2f, 0xffffff);
}

static void draw_input(const struct brush *b)
{
	box(b, 5.5f, 9.5f, 21.0f, 13.5f, 2.5f, 0xffffff);
	for (int row = 0; row < 2; row++) {
		for (int key = 0; key < 5; key++) {
			disc(
			    b, 9.2f + 3.4f * (float)key, 13.0f + 3.2f * (float)row, 1.1f, 0x8a63d2);
		}
	}
	line(b, 11.5f, 19.7f, 20.5f, 19.7f, 1.6f, 0x8a63d2);
}

static const struct {
	uint32_t top;
	uint32_t bottom;
	void (*draw)(const struct brush *brush);
} icons[ICON_COUNT] = {
	[ICON_TERMINAL] = { 0x3a4257, 0x232838, draw_terminal },
	[ICON_EDITOR] = { 0x6f9bf0, 0x3d6fe0, draw_editor },
	[ICON_PAINT] = { 0xf3a66b, 0xe0735a, draw_paint },
	[ICON_MONITOR] = { 0x57c2a0, 0x2a9d7a, draw_monitor },
	[ICON_INPUT] = { 0xab8be6, 0x8159cc, draw_input },
};

void icon_draw(const struct canvas *canvas, enum icon icon, int x, int y, int size)
{
	struct brush brush = { canvas, (float)x, (float)y, (float)size / 32.0f };
	int radius = size / 4;

	if (canvas_hides(canvas, (struct rect){ x, y, size, size })) {
		return;
	}
	/* One line of the gradient at a time, with the round square's coverage at its ends. */
	for (int line_y = 0; line_y < size; line_y++) {
		uint32_t color = canvas_mix(
		    icons[icon].top, icons[icon].bottom, (unsigned int)(line_y * 255 / (size - 1)));
		struct canvas row = canvas_sub(canvas, (struct rect){ x, y + line_y, size, 1 });

		canvas_round(&row, (struct rect){ 0, -line_y, size, size }, radius, color, 255);
	}
	icons[icon].draw(&brush);
}

void icon_draw_power(const struct canvas *canvas, float x, float y, uint32_t color)
{
	struct canvas part = canvas_sub(canvas, (struct rect){ (int)x - 10, (int)y - 10, 20, 20 });
	float middle_x = x - (float)((int)x - 10);
	float middle_y = y - (float)((int)y - 10);
	struct canvas half = part;

	/* A ring with a gap at the top for the stroke: draw it left, right and below of the gap. */
	half = canvas_sub(&part, (struct rect){ 0, 0, 7, 20 });
	canvas_ring(&half, middle_x, middle_y + 0.5f, 6.5f, 1.8f, color, 255);
	half = canvas_sub(&part, (struct rect){ 13, 0, 7, 20 });
	canvas_ring(&half, middle_x - 13.0f, middle_y + 0.5f, 6.5f, 1.8f, color, 255);
	half = canvas_sub(&part, (struct rect){ 7, 10, 6, 10 });
	canvas_ring(&half, middle_x - 7.0f, middle_y - 9.5f, 6.5f, 1.8f, color, 255);
	canvas_line(&part, middle_x, middle_y - 7.0f, middle_x, middle_y - 1.0f, 1.8f, color, 255);
}
