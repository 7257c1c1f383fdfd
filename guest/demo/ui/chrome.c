/*
 * Window frames: shadow, title bar, buttons, round corners. The corners are cut by keeping what was
 * below them and putting it back, so that programs can draw plain rectangles. What must stay true:
 * pixels do not depend on the clip.
 */
#include "gfx/theme.h"
#include "ui/parts.h"

#define BUTTON_SIZE 24
#define RADIUS      THEME_WINDOW_RADIUS

struct rect chrome_button(const struct window *window, enum hit_part part)
{
	int from_right = part == HIT_CLOSE ? 0 : part == HIT_MAXIMISE ? 1 : 2;

	return (struct rect){ window->frame.x + window->frame.w - 8 - BUTTON_SIZE -
				  from_right * (BUTTON_SIZE + 4),
		window->frame.y + (THEME_TITLE_HEIGHT - BUTTON_SIZE) / 2, BUTTON_SIZE,
		BUTTON_SIZE };
}

static void draw_button(const struct desktop *desktop, const struct window *window,
    const struct canvas *canvas, enum hit_part part)
{
	struct rect r = chrome_button(window, part);
	bool over = desktop->hover.window == window && desktop->hover.part == part;
	bool down = over && desktop->pressed.window == window && desktop->pressed.part == part;
	bool focused = desktop->focus == window;
	uint32_t ink = over && part == HIT_CLOSE ? 0xffffff : focused ? 0x4a5060 : 0xa4aab6;
	float x = (float)r.x + 12.0f;
	float y = (float)r.y + 12.0f;

	if (over) {
		uint32_t color = part == HIT_CLOSE ? THEME_RED : 0x000000;
		unsigned int alpha = part == HIT_CLOSE ? 255 : down ? 50 : 24;

		canvas_disc(canvas, x, y, 11.5f, color, alpha);
	}
	if (part == HIT_CLOSE) {
		canvas_line(canvas, x - 3.5f, y - 3.5f, x + 3.5f, y + 3.5f, 1.5f, ink, 255);
		canvas_line(canvas, x - 3.5f, y + 3.5f, x + 3.5f, y - 3.5f, 1.5f, ink, 255);
	} else if (part == HIT_MINIMISE) {
		canvas_line(canvas, x - 4.0f, y + 3.5f, x + 4.0f, y + 3.5f, 1.5f, ink, 255);
	} else if (window->maximised) {
		canvas_round_line(
		    canvas, (struct rect){ r.x + 8, r.y + 10, 7, 7 }, 1, 1.4f, ink, 255);
		canvas_line(canvas, x - 1.0f, y - 4.0f, x + 4.0f, y - 4.0f, 1.4f, ink, 255);
		canvas_line(canvas, x + 4.0f, y - 4.0f, x + 4.0f, y + 1.0f, 1.4f, ink, 255);
	} else {
		canvas_round_line(
		    canvas, (struct rect){ r.x + 8, r.y + 8, 9, 9 }, 2, 1.5f, ink, 255);
	}
}

static void draw_title_bar(
    const struct desktop *desktop, const struct window *window, const struct canvas *canvas)
{
	struct rect bar = window->frame;
	bool focused = desktop->focus == window;
	int room = bar.w - 2 * (3 * (BUTTON_SIZE + 4) + 14);
	int width = font_measure(&font_bold, window->title);
	int x = width < room ? bar.x + (bar.w - width) / 2 : bar.x + 42;
	uint32_t ink = focused ? THEME_TEXT : THEME_TEXT_DIM;

	bar.h = THEME_TITLE_HEIGHT;
	if (canvas_hides(canvas, bar)) {
		return;
	}
	if (focused) {
		canvas_gradient(canvas, bar, 0xf4f5f7, 0xe9ebef);
	} else {
		canvas_fill(canvas, bar, THEME_TITLE_IDLE);
	}
	canvas_fill(canvas, (struct rect){ bar.x, bar.y + bar.h - 1, bar.w, 1 },
	    focused ? 0xd6d9e0 : 0xe6e8ec);
	icon_draw(canvas, window->class->icon, bar.x + 12, bar.y + 9, 18);
	canvas_text_cut(
	    canvas, &font_bold, x, bar.y + 23, bar.x + bar.w - 100 - x, ink, window->title);
	draw_button(desktop, window, canvas, HIT_CLOSE);
	draw_button(desktop, window, canvas, HIT_MAXIMISE);
	draw_button(desktop, window, canvas, HIT_MINIMISE);
}

/* The four corner squares of a frame, and which way each is folded. */
static struct rect corner_rect(struct rect frame, int corner)
{
	return (struct rect){ corner & 1 ? frame.x + frame.w - RADIUS : frame.x,
		corner & 2 ? frame.y + frame.h - RADIUS : frame.y, RADIUS, RADIUS };
}

static void each_corner_pixel(const struct canvas *canvas, struct rect frame,
    uint32_t kept[4][RADIUS * RADIUS], bool put_back)
{
	for (int corner = 0; corner < 4; corner++) {
		struct rect square = corner_rect(frame, corner);
		struct rect r = rect_intersect(canvas->clip, square);

		for (int y = r.y; y < r.y + r.h; y++) {
			uint32_t *row = canvas->surface->pixels +
					(size_t)y * (size_t)canvas->surface->stride;
			int in_y = corner & 2 ? RADIUS - 1 - (y - square.y) : y - square.y;

			for (int x = r.x; x < r.x + r.w; x++) {
				int in_x = corner & 1 ? RADIUS - 1 - (x - square.x) : x - square.x;
				uint32_t *under = &kept[corner][in_y * RADIUS + in_x];

				if (put_back) {
					row[x] = canvas_mix(
					    *under, row[x], canvas_corner(RADIUS, in_x, in_y));
				} else {
					*under = row[x];
				}
			}
		}
	}
}

void chrome_draw_window(struct desktop *desktop, struct window *window, const struct canvas *canvas)
{
	bool focused = desktop->focus == window;
	struct rect frame = window->frame;
	struct rect inner = rect_inset(frame, RADIUS);
	uint32_t kept[4][RADIUS * RADIUS];
	struct canvas content;

	/* Shadow is only seen outside of the frame; inside it would be work for nothing. */
	if (!window->maximised &&
	    !rect_covers((struct rect){ frame.x, inner.y, frame.w, inner.h }, canvas->clip)) {
		canvas_shadow(
		    canvas, rect_move(frame, 0, SHADOW_DROP), SHADOW_SIGMA, focused ? 120 : 70);
		canvas_round(canvas, rect_inset(frame, -1), RADIUS + 1, 0x000000, 40);
	}
	if (canvas_hides(canvas, frame)) {
		return;
	}
	if (!window->maximised) {
		each_corner_pixel(canvas, frame, kept, false);
	}
	draw_title_bar(desktop, window, canvas);
	content = canvas_sub(canvas, wm_content(window));
	if (!rect_empty(content.clip)) {
		window->class->draw(window, &content);
	}
	if (!window->maximised) {
		each_corner_pixel(canvas, frame, kept, true);
	}
}
