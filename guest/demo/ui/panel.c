/*
 * The panel at the bottom: launchers, open windows, keyboard layout, power, clock. Its layout is
 * computed from the desktop's state each time, by panel_item(), which drawing and hit tests both
 * use.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/parts.h"

#define LAUNCHER_SIZE 32
#define LAUNCHER_STEP 42
#define CLOCK_WIDTH   96
#define BUTTON_MAX    190

const struct app_class *const desktop_apps[DESKTOP_APP_COUNT] = {
	&app_terminal,
	&app_editor,
	&app_paint,
	&app_monitor,
	&app_inputtest,
};

struct rect panel_bounds(const struct desktop *desktop)
{
	return (struct rect){ 0, desktop->visible.height - THEME_PANEL_HEIGHT,
		desktop->visible.width, THEME_PANEL_HEIGHT };
}

struct rect panel_item(const struct desktop *desktop, int item)
{
	struct rect bar = panel_bounds(desktop);
	int buttons_x = 14 + DESKTOP_APP_COUNT * LAUNCHER_STEP + 14;
	int room = bar.w - CLOCK_WIDTH - 92 - buttons_x;
	int step = desktop->window_count > 0 ? room / desktop->window_count : BUTTON_MAX;

	if (item >= PANEL_LAUNCHER && item < PANEL_LAUNCHER + DESKTOP_APP_COUNT) {
		return (struct rect){ 14 + item * LAUNCHER_STEP, bar.y + 8, LAUNCHER_SIZE,
			LAUNCHER_SIZE };
	}
	if (item >= PANEL_WINDOW && item < PANEL_WINDOW + desktop->window_count) {
		step = step > BUTTON_MAX ? BUTTON_MAX : step;
		return (struct rect){ buttons_x + (item - PANEL_WINDOW) * step, bar.y + 7, step - 6,
			34 };
	}
	if (item == PANEL_LAYOUT) {
		return (struct rect){ bar.w - CLOCK_WIDTH - 84, bar.y + 11, 34, 26 };
	}
	if (item == PANEL_POWER) {
		return (struct rect){ bar.w - CLOCK_WIDTH - 44, bar.y + 8, 32, 32 };
	}
	return (struct rect){ 0, 0, 0, 0 };
}

int panel_hit(const struct desktop *desktop, int x, int y)
{
	for (int i = PANEL_LAUNCHER; i < PANEL_LAUNCHER + DESKTOP_APP_COUNT; i++) {
		/* The gap between launchers and the screen's edge below belong to them too. */
		struct rect r = panel_item(desktop, i);

		if (rect_contains(
			(struct rect){ r.x - 5, r.y - 8, LAUNCHER_STEP, THEME_PANEL_HEIGHT }, x,
			y)) {
			return i;
		}
	}
	for (int i = PANEL_WINDOW; i < PANEL_WINDOW + desktop->window_count; i++) {
		struct rect r = panel_item(desktop, i);

		if (rect_contains((struct rect){ r.x, r.y - 7, r.w, THEME_PANEL_HEIGHT }, x, y)) {
			return i;
		}
	}
	for (int i = PANEL_LAYOUT; i <= PANEL_POWER; i++) {
		if (rect_contains(panel_item(desktop, i), x, y)) {
			return i;
		}
	}
	return -1;
}

static void next_layout(struct desktop *desktop)
{
	static const char *const order[] = { "us", "de", "fr", "jp" };
	const char *now = keyboard_layout_name(&desktop->keyboard);

	for (int i = 0; i < 4; i++) {
		if (text_equal(order[i], now)) {
			(void)keyboard_set_layout(&desktop->keyboard, order[(i + 1) % 4]);
			break;
		}
	}
	desktop_damage(desktop, panel_bounds(desktop));
}

void panel_click(struct desktop *desktop, int item)
{
	if (item >= PANEL_LAUNCHER && item < PANEL_LAUNCHER + DESKTOP_APP_COUNT) {
		(void)wm_open(desktop, desktop_apps[item - PANEL_LAUNCHER], NULL);
	} else if (item >= PANEL_WINDOW && item < PANEL_WINDOW + desktop->window_count) {
		struct window *window = desktop->opened[item - PANEL_WINDOW];

		if (desktop->focus == window && !window->minimised) {
			wm_minimise(desktop, window);
		} else {
			wm_focus(desktop, window);
		}
	} else if (item == PANEL_LAYOUT) {
		next_layout(desktop);
	} else if (item == PANEL_POWER) {
		overlay_set_menu(desktop, !desktop->menu_open);
	}
}

static void draw_launchers(const struct desktop *desktop, const struct canvas *canvas)
{
	for (int i = 0; i < DESKTOP_APP_COUNT; i++) {
		struct rect r = panel_item(desktop, PANEL_LAUNCHER + i);
		bool over = desktop->hover.part == HIT_PANEL &&
			    desktop->hover.item == PANEL_LAUNCHER + i;
		bool running = false;

		if (over) {
			canvas_round(canvas, rect_inset(r, -4), 10, 0xffffff, 34);
		}
		icon_draw(canvas, desktop_apps[i]->icon, r.x, r.y, r.w);
		for (int w = 0; w < desktop->window_count; w++) {
			running = running || desktop->windows[w]->class == desktop_apps[i];
		}
		if (running) {
			canvas_disc(canvas, (float)(r.x + r.w / 2), (float)(r.y + r.h) + 3.5f, 1.6f,
			    0xffffff, 200);
		}
	}
}

static void draw_windows(const struct desktop *desktop, const struct canvas *canvas)
{
	for (int i = 0; i < desktop->window_count; i++) {
		struct window *window = desktop->opened[i];
		struct rect r = panel_item(desktop, PANEL_WINDOW + i);
		bool focused = desktop->focus == window;
		bool over = desktop->hover.part == HIT_PANEL &&
			    desktop->hover.item == PANEL_WINDOW + i;
		unsigned int alpha = (focused ? 38u : 14u) + (over ? 16u : 0u);

		if (r.w < 34) {
			continue;
		}
		canvas_round(canvas, r, 8, 0xffffff, window->minimised && !over ? 6 : alpha);
		icon_draw(canvas, window->class->icon, r.x + 9, r.y + 8, 18);
		canvas_text_cut(canvas, &font_ui, r.x + 35, r.y + 22, r.w - 44,
		    window->minimised ? THEME_DARK_DIM : THEME_DARK_TEXT, window->title);
		if (focused) {
			canvas_round(canvas,
			    (struct rect){ r.x + r.w / 2 - 10, r.y + r.h - 3, 20, 3 }, 1, 0x7fa5ff,
			    255);
		}
	}
}

static void draw_status(const struct desktop *desktop, const struct canvas *canvas)
{
	struct rect bar = panel_bounds(desktop);
	struct rect layout = panel_item(desktop, PANEL_LAYOUT);
	struct rect power = panel_item(desktop, PANEL_POWER);
	int64_t local = desktop->shown_minute * 60;
	int hover = desktop->hover.part == HIT_PANEL ? desktop->hover.item : -1;
	int right = bar.w - 16;
	char text[32];

	canvas_round(canvas, layout, 6, 0xffffff, hover == PANEL_LAYOUT ? 44 : 20);
	if (desktop->keyboard.caps_lock) {
		canvas_round(canvas, layout, 6, THEME_ACCENT, 255);
	}
	canvas_text_centered(canvas, &font_small, layout.x + layout.w / 2, layout.y + 17,
	    THEME_DARK_TEXT, keyboard_layout_name(&desktop->keyboard));
	if (hover == PANEL_POWER || desktop->menu_open) {
		canvas_round(canvas, power, 8, 0xffffff, 34);
	}
	icon_draw_power(canvas, (float)power.x + 16.0f, (float)power.y + 16.0f, THEME_DARK_TEXT);
	calendar_format_clock(local, text, sizeof(text));
	canvas_text(
	    canvas, &font_bold, right - font_measure(&font_bold, text), bar.y + 22, 0xffffff, text);
	calendar_format_date(local, text, sizeof(text));
	canvas_text(canvas, &font_small, right - font_measure(&font_small, text), bar.y + 37,
	    THEME_DARK_DIM, text);
}

void panel_draw(struct desktop *desktop, const struct canvas *canvas)
{
	struct rect bar = panel_bounds(desktop);

	if (canvas_hides(canvas, bar)) {
		return;
	}
	canvas_blend(canvas, bar, THEME_DARK, 232);
	canvas_blend(canvas, (struct rect){ bar.x, bar.y, bar.w, 1 }, 0xffffff, 30);
	draw_launchers(desktop, canvas);
	canvas_blend(canvas,
	    (struct rect){ 14 + DESKTOP_APP_COUNT * LAUNCHER_STEP, bar.y + 12, 1, 24 }, 0xffffff,
	    36);
	draw_windows(desktop, canvas);
	draw_status(desktop, canvas);
}

struct rect panel_tip_bounds(const struct desktop *desktop, int item)
{
	struct rect r = panel_item(desktop, item);
	int width;

	if (item < PANEL_LAUNCHER || item >= PANEL_LAUNCHER + DESKTOP_APP_COUNT) {
		return (struct rect){ 0, 0, 0, 0 };
	}
	width = font_measure(&font_ui, desktop_apps[item]->title) + 24;
	r.x += r.w / 2 - width / 2;
	return (struct rect){ r.x < 6 ? 6 : r.x, panel_bounds(desktop).y - 36, width, 28 };
}

void panel_draw_tip(struct desktop *desktop, const struct canvas *canvas)
{
	int item = desktop->hover.part == HIT_PANEL ? desktop->hover.item : -1;
	struct rect tip = panel_tip_bounds(desktop, item);

	if (!rect_empty(tip) && !canvas_hides(canvas, tip)) {
		canvas_round(canvas, tip, 8, THEME_DARK_ALT, 248);
		canvas_round_line(canvas, tip, 8, 1.0f, 0xffffff, 48);
		canvas_text(canvas, &font_ui, tip.x + 12, tip.y + 18, THEME_DARK_TEXT,
		    desktop_apps[item]->title);
	}
}
