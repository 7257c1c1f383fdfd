/*
 * From state to pixels: draws the damaged parts bottom to top into the back buffer, then copies
 * what differs to the visible surface, with the pointer laid over it on the way.
 *
 * What must stay true: pixels that did not change are not written to the visible surface, because
 * the host finds changes by written pages; the back buffer never holds the pointer.
 */
#include "gfx/theme.h"
#include "ui/parts.h"

#include <string.h>

#define LINE_CHUNK 256

/* True if the window hides everything in `rect`. Corners are round, so they hide nothing. */
static bool hides(const struct window *window, struct rect rect)
{
	struct rect f = window->frame;
	int r = window->maximised ? 0 : THEME_WINDOW_RADIUS;

	return !window->minimised &&
	       (rect_covers((struct rect){ f.x, f.y + r, f.w, f.h - 2 * r }, rect) ||
		   rect_covers((struct rect){ f.x + r, f.y, f.w - 2 * r, f.h }, rect));
}

static void draw(struct desktop *desktop, struct rect rect)
{
	struct canvas canvas = canvas_init(&desktop->back, rect);
	int bottom = desktop->window_count - 1;

	while (bottom >= 0 && !hides(desktop->windows[bottom], rect)) {
		bottom--;
	}
	if (bottom < 0) {
		wallpaper_draw(desktop, &canvas);
		bottom = 0;
	}
	for (int i = bottom; i < desktop->window_count; i++) {
		struct window *window = desktop->windows[i];

		if (!window->minimised && !canvas_hides(&canvas, wm_extent(window))) {
			chrome_draw_window(desktop, window, &canvas);
		}
	}
	panel_draw(desktop, &canvas);
	panel_draw_tip(desktop, &canvas);
	overlay_draw(desktop, &canvas);
}

static void copy_changed(uint32_t *to, const uint32_t *from, int count)
{
	int i = 0;

	for (; i + 8 <= count; i += 8) {
		if (memcmp(to + i, from + i, 32) != 0) {
			memcpy(to + i, from + i, 32);
		}
	}
	for (; i < count; i++) {
		if (to[i] != from[i]) {
			to[i] = from[i];
		}
	}
}

static void present(struct desktop *desktop, struct rect rect)
{
	struct rect cursor = cursor_bounds(desktop->cursor.x, desktop->cursor.y);
	struct rect all = { 0, 0, desktop->visible.width, desktop->visible.height };
	struct rect r = rect_intersect(rect, all);
	uint32_t line[LINE_CHUNK];

	for (int y = r.y; y < r.y + r.h; y++) {
		const uint32_t *from = desktop->back.pixels +
				       (size_t)y * (size_t)desktop->back.stride;
		uint32_t *to = desktop->visible.pixels +
			       (size_t)y * (size_t)desktop->visible.stride;
		bool pointed = y >= cursor.y && y < cursor.y + cursor.h;

		for (int x = r.x; x < r.x + r.w; x += LINE_CHUNK) {
			int count = r.x + r.w - x < LINE_CHUNK ? r.x + r.w - x : LINE_CHUNK;

			if (pointed && x < cursor.x + cursor.w && x + count > cursor.x) {
				memcpy(line, from + x, (size_t)count * sizeof(line[0]));
				cursor_overlay(&desktop->cursor, x, y, line, count);
				copy_changed(to + x, line, count);
			} else {
				copy_changed(to + x, from + x, count);
			}
		}
	}
}

/* The pointer's old and new place must be copied again when it moved. */
static void move_cursor(struct desktop *desktop)
{
	if (desktop->cursor.x != desktop->pointer_x || desktop->cursor.y != desktop->pointer_y) {
		damage_add(&desktop->moved, cursor_bounds(desktop->cursor.x, desktop->cursor.y));
		desktop->cursor.x = desktop->pointer_x;
		desktop->cursor.y = desktop->pointer_y;
		damage_add(&desktop->moved, cursor_bounds(desktop->cursor.x, desktop->cursor.y));
	}
}

void desktop_render(struct desktop *desktop)
{
	struct rect all = { 0, 0, desktop->visible.width, desktop->visible.height };
	struct damage damage = desktop->damage;
	struct damage moved;

	desktop->damage.count = 0;
	move_cursor(desktop);
	moved = desktop->moved;
	desktop->moved.count = 0;
	for (int i = 0; i < damage.count; i++) {
		draw(desktop, rect_intersect(damage.rects[i], all));
	}
	for (int i = 0; i < damage.count; i++) {
		present(desktop, damage.rects[i]);
	}
	for (int i = 0; i < moved.count; i++) {
		present(desktop, moved.rects[i]);
	}
	if (desktop->state != DESKTOP_RUNNING && !desktop->state_shown) {
		desktop->state_shown = true;
		if (desktop->state == DESKTOP_REBOOTING) {
			desktop->platform->ops->reboot(desktop->platform->context);
		} else {
			desktop->platform->ops->power_off(desktop->platform->context);
		}
	}
}
