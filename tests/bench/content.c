/* Content of the display benchmark (content.h). Text is of glyphs of two colours and their edges, as antialiased text. */
#include "content.h"

#include <stddef.h>
#include <string.h>

enum {
	CELL_WIDTH = 8,
	CELL_HEIGHT = 16,
	WINDOW_WIDTH = 640,
	WINDOW_HEIGHT = 400,
};

static uint32_t mix(uint32_t value)
{
	value = (value ^ value >> 16) * 0x7feb352du;
	value = (value ^ value >> 15) * 0x846ca68bu;
	return value ^ value >> 16;
}

static void draw_cell(struct canvas canvas, uint32_t x, uint32_t y, uint32_t letter)
{
	static const uint32_t shades[4] = { 0xfdfdf8, 0xfdfdf8, 0x9a9a98, 0x202428 };

	for (uint32_t row = 0; row < CELL_HEIGHT; row++) {
		for (uint32_t column = 0; column < CELL_WIDTH; column++) {
			bool ink = letter && row >= 3 && row < 13 && column > 0;
			uint32_t shade = ink ? mix(letter * 4096 + row * 64 + column) % 4 : 0;

			canvas.pixels[(size_t)(y + row) * canvas.width + x + column] =
			    shades[shade];
		}
	}
}

/* Lines of words of 60 letters' shapes. */
static void draw_text(struct canvas canvas, struct change area, uint32_t first_line)
{
	for (uint32_t y = 0; y + CELL_HEIGHT <= area.height; y += CELL_HEIGHT) {
		uint32_t line = first_line + y / CELL_HEIGHT;
		uint32_t end = mix(line) % (area.width / CELL_WIDTH);

		for (uint32_t x = 0; x + CELL_WIDTH <= area.width; x += CELL_WIDTH) {
			uint32_t place = mix(line * 1000 + x / CELL_WIDTH);
			bool letter = x / CELL_WIDTH < end && place % 6 > 0;

			draw_cell(canvas, area.x + x, area.y + y, letter ? 1 + place / 7 % 60 : 0);
		}
	}
}

static uint32_t wave(uint32_t value)
{
	value &= 511;
	return value < 256 ? value : 511 - value;
}

/* Soft shapes with grain, as a camera has; each number is another picture, but for `step` of 1 it moves. */
static void draw_photo(struct canvas canvas, struct change area, uint32_t number, uint32_t step)
{
	uint32_t phase = number * step;

	for (uint32_t y = 0; y < area.height; y++) {
		uint32_t *row = canvas.pixels + (size_t)(area.y + y) * canvas.width + area.x;

		for (uint32_t x = 0; x < area.width; x++) {
			uint32_t grain = mix(x * 7919 + y * 104729 + number) % 13;
			uint32_t a = wave(x * 2 + phase * 37) + wave(y * 3 - phase * 23);
			uint32_t b = wave((x + y) + phase * 51) + wave(x * y / 128 + phase * 11);

			row[x] = (a * 7 / 16 + grain) << 16 | ((a + b) * 7 / 32 + grain) << 8 |
				 (b * 7 / 16 + grain);
		}
	}
}

/* A desktop's background: a gradient without grain. */
static void draw_background(struct canvas canvas, struct change area)
{
	for (uint32_t y = area.y; y < area.y + area.height; y++) {
		for (uint32_t x = area.x; x < area.x + area.width; x++) {
			canvas.pixels[(size_t)y * canvas.width + x] = (x * 64 / canvas.width + 30)
									  << 16 |
								      (y * 64 / canvas.height + 60)
									  << 8 |
								      0x80;
		}
	}
}

static struct change draw_drag(struct canvas canvas, uint32_t number)
{
	uint32_t room_x = canvas.width - WINDOW_WIDTH;
	uint32_t room_y = canvas.height - WINDOW_HEIGHT;
	struct change all = { 0, 0, canvas.width, canvas.height };
	struct change window = { number * 9 % room_x, number * 5 % room_y, WINDOW_WIDTH,
		WINDOW_HEIGHT };

	draw_background(canvas, all);
	draw_text(canvas, window, 7);
	return all;
}

static struct change draw_scroll(struct canvas canvas, uint32_t number)
{
	struct change all = { 0, 0, canvas.width, canvas.height };
	struct change last = { 0, canvas.height / CELL_HEIGHT * CELL_HEIGHT - CELL_HEIGHT,
		canvas.width, CELL_HEIGHT };

	memmove(canvas.pixels, canvas.pixels + (size_t)CELL_HEIGHT * canvas.width,
	    (size_t)(last.y) * canvas.width * sizeof(uint32_t));
	draw_text(canvas, last, 100 + number);
	return all;
}

bool content_is_known(const char *name)
{
	static const char *const names[] = { "typing", "scroll", "drag", "page", "slides",
		"window-video", "video", "idle" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

struct change content_draw(const char *name, struct canvas canvas, uint32_t number)
{
	struct change all = { 0, 0, canvas.width, canvas.height };
	struct change part;

	if (strcmp(name, "drag") == 0) {
		return draw_drag(canvas, number);
	}
	if (strcmp(name, "slides") == 0 || strcmp(name, "video") == 0) {
		draw_photo(canvas, all, number, name[0] == 's' ? 5 : 1);
		return all;
	}
	if (number == 0) {
		draw_text(canvas, all, 0);
		return all;
	}
	if (strcmp(name, "scroll") == 0) {
		return draw_scroll(canvas, number);
	}
	if (strcmp(name, "page") == 0) {
		draw_text(canvas, all, number * 200);
		return all;
	}
	if (strcmp(name, "window-video") == 0) {
		part = (struct change){ 160, 120, 480, 360 };
		draw_photo(canvas, part, number, 1);
		return part;
	}
	part = (struct change){ number % 100 * CELL_WIDTH, number / 100 % 40 * CELL_HEIGHT,
		CELL_WIDTH, CELL_HEIGHT };
	draw_cell(canvas, part.x, part.y, 1 + number % 59 + number * 61 % 997 * 60);
	return part;
}
