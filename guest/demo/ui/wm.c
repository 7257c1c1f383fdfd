/*
 * Windows: their order, focus, places, and what lies under the pointer. What must stay true:
 * windows[] is bottom to top without holes, `focus` is NULL or in it and not minimised, and every
 * title bar can be reached with the pointer.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/parts.h"

struct rect wm_work_area(const struct desktop *desktop)
{
	return (struct rect){ 0, 0, desktop->visible.width,
		desktop->visible.height - THEME_PANEL_HEIGHT };
}

struct rect wm_content(const struct window *window)
{
	return (struct rect){ window->frame.x, window->frame.y + THEME_TITLE_HEIGHT, window->width,
		window->height };
}

struct rect wm_extent(const struct window *window)
{
	int reach = CANVAS_SHADOW_REACH(SHADOW_SIGMA);

	return rect_move(rect_inset(window->frame, -reach), 0, SHADOW_DROP);
}

void wm_damage_title(struct window *window)
{
	struct rect bar = window->frame;

	bar.h = THEME_TITLE_HEIGHT;
	if (!window->minimised) {
		desktop_damage(window->desktop, bar);
	}
}

static int find_window(const struct desktop *desktop, const struct window *window)
{
	for (int i = 0; i < desktop->window_count; i++) {
		if (desktop->windows[i] == window) {
			return i;
		}
	}
	return -1;
}

static void remove_from(struct window **list, int count, const struct window *window)
{
	int at = 0;

	while (at < count && list[at] != window) {
		at++;
	}
	for (; at + 1 < count; at++) {
		list[at] = list[at + 1];
	}
}

/* The topmost window that is not minimised, or NULL. */
static struct window *topmost(const struct desktop *desktop)
{
	for (int i = desktop->window_count - 1; i >= 0; i--) {
		if (!desktop->windows[i]->minimised) {
			return desktop->windows[i];
		}
	}
	return NULL;
}

static void set_focus(struct desktop *desktop, struct window *window)
{
	struct window *before = desktop->focus;

	if (before == window) {
		return;
	}
	desktop->focus = window;
	if (before) {
		desktop_damage(desktop, wm_extent(before));
		if (before->class->focus) {
			before->class->focus(before, false);
		}
	}
	if (window) {
		desktop_damage(desktop, wm_extent(window));
		if (window->class->focus) {
			window->class->focus(window, true);
		}
	}
	desktop_damage(desktop, panel_bounds(desktop));
}

void wm_focus(struct desktop *desktop, struct window *window)
{
	if (window) {
		if (window->minimised) {
			window->minimised = false;
			desktop_damage(desktop, wm_extent(window));
		}
		if (desktop->windows[desktop->window_count - 1] != window) {
			remove_from(desktop->windows, desktop->window_count, window);
			desktop->windows[desktop->window_count - 1] = window;
			desktop_damage(desktop, wm_extent(window));
		}
	}
	set_focus(desktop, window);
}

void wm_minimise(struct desktop *desktop, struct window *window)
{
	desktop_damage(desktop, wm_extent(window));
	window->minimised = true;
	desktop_damage(desktop, panel_bounds(desktop));
	if (desktop->focus == window) {
		set_focus(desktop, topmost(desktop));
	}
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

void wm_set_frame(struct desktop *desktop, struct window *window, struct rect frame)
{
	struct rect area = wm_work_area(desktop);
	int least_w = window->class->min_width;
	int least_h = window->class->min_height + THEME_TITLE_HEIGHT;

	frame.w = frame.w < least_w ? least_w : frame.w;
	frame.h = frame.h < least_h ? least_h : frame.h;
	/* Keep enough of the title bar on the screen to take hold of it. */
	frame.x = clamp(frame.x, 120 - frame.w, area.w - 80);
	frame.y = clamp(frame.y, 0, area.h - THEME_TITLE_HEIGHT);
	if (frame.x == window->frame.x && frame.y == window->frame.y &&
	    frame.w == window->frame.w && frame.h == window->frame.h) {
		return;
	}
	desktop_damage(desktop, wm_extent(window));
	window->frame = frame;
	desktop_damage(desktop, wm_extent(window));
	if (window->width != frame.w || window->height != frame.h - THEME_TITLE_HEIGHT) {
		window->width = frame.w;
		window->height = frame.h - THEME_TITLE_HEIGHT;
		if (window->class->resize) {
			window->class->resize(window);
		}
	}
}

void wm_toggle_maximised(struct desktop *desktop, struct window *window)
{
	if (window->maximised) {
		window->maximised = false;
		wm_set_frame(desktop, window, window->restore);
	} else {
		window->restore = window->frame;
		window->maximised = true;
		wm_set_frame(desktop, window, wm_work_area(desktop));
	}
	desktop_damage(desktop, wm_extent(window));
}

void wm_fit_all(struct desktop *desktop)
{
	struct rect area = wm_work_area(desktop);

	for (int i = 0; i < desktop->window_count; i++) {
		struct window *window = desktop->windows[i];
		struct rect frame = window->frame;

		if (window->maximised) {
			wm_set_frame(desktop, window, area);
			continue;
		}
		frame.w = frame.w > area.w ? area.w : frame.w;
		frame.h = frame.h > area.h ? area.h : frame.h;
		frame.x = clamp(frame.x, 0, area.w - frame.w);
		frame.y = clamp(frame.y, 0, area.h - frame.h);
		wm_set_frame(desktop, window, frame);
	}
}

/* A place for a new window: each a step further down and right, back to the start when it would not
 * fit. */
static struct rect place(struct desktop *desktop, const struct app_class *class)
{
	struct rect area = wm_work_area(desktop);
	int w = class->width > area.w - 32 ? area.w - 32 : class->width;
	int h = class->height + THEME_TITLE_HEIGHT;
	int x;
	int y;

	h = h > area.h - 16 ? area.h - 16 : h;
	x = area.w / 9 + 44 * desktop->cascade;
	y = (area.h > 700 ? 132 : 40) + 36 * desktop->cascade;
	desktop->cascade++;
	if (x + w > area.w - 8 || y + h > area.h - 8) {
		x = clamp(x, 8, area.w - w - 8);
		y = clamp(y, 8, area.h - h - 8);
		desktop->cascade = 0;
	}
	return (struct rect){ x, y, w, h };
}

struct window *wm_open(struct desktop *desktop, const struct app_class *class, const char *argument)
{
	struct window *window;

	for (int i = 0; class->single && i < desktop->window_count; i++) {
		if (desktop->windows[i]->class == class) {
			wm_focus(desktop, desktop->windows[i]);
			return desktop->focus;
		}
	}
	if (desktop->window_count == DESKTOP_MAX_WINDOWS) {
		desktop_show_toast(desktop, "Too many windows are open");
		return NULL;
	}
	window = heap_alloc(desktop->heap, sizeof(*window));
	if (!window) {
		return NULL;
	}
	window->desktop = desktop;
	window->class = class;
	window->deadline_ms = PLATFORM_NO_DEADLINE;
	window->frame = place(desktop, class);
	window->width = window->frame.w;
	window->height = window->frame.h - THEME_TITLE_HEIGHT;
	text_copy(window->title, sizeof(window->title), class->title);
	window->state = heap_alloc(desktop->heap, class->state_size);
	/* It joins the list first, so that open() may use every window_ function. */
	desktop->opened[desktop->window_count] = window;
	desktop->windows[desktop->window_count++] = window;
	if (!window->state || !class->open(window, argument)) {
		heap_free(desktop->heap, window->state);
		remove_from(desktop->windows, desktop->window_count, window);
		remove_from(desktop->opened, desktop->window_count, window);
		desktop->window_count--;
		heap_free(desktop->heap, window);
		desktop_show_toast(desktop, "Not enough memory to start this program");
		return NULL;
	}
	desktop_damage(desktop, wm_extent(window));
	wm_focus(desktop, window);
	return window;
}

void wm_close(struct desktop *desktop, struct window *window)
{
	if (find_window(desktop, window) < 0) {
		return;
	}
	desktop_damage(desktop, wm_extent(window));
	desktop_damage(desktop, panel_bounds(desktop));
	if (window->class->close) {
		window->class->close(window);
	}
	remove_from(desktop->windows, desktop->window_count, window);
	remove_from(desktop->opened, desktop->window_count, window);
	desktop->window_count--;
	if (desktop->focus == window) {
		desktop->focus = NULL;
		set_focus(desktop, topmost(desktop));
	}
	if (desktop->hover.window == window) {
		desktop->hover = (struct hit){ .part = HIT_NOTHING, .item = -1 };
	}
	if (desktop->pressed.window == window) {
		desktop->pressed = (struct hit){ .part = HIT_NOTHING, .item = -1 };
	}
	heap_free(desktop->heap, window->state);
	heap_free(desktop->heap, window);
}

static struct hit hit_window(struct window *window, int x, int y)
{
	static const enum hit_part buttons[] = { HIT_CLOSE, HIT_MAXIMISE, HIT_MINIMISE };
	struct rect frame = window->frame;
	struct hit hit = { .part = HIT_NOTHING, .item = -1 };

	if (window->minimised ||
	    !rect_contains(rect_inset(frame, window->maximised ? 0 : -THEME_RESIZE_EDGE), x, y)) {
		return hit;
	}
	hit.window = window;
	for (int i = 0; i < 3; i++) {
		if (rect_contains(chrome_button(window, buttons[i]), x, y)) {
			hit.part = buttons[i];
			return hit;
		}
	}
	if (!window->maximised) {
		hit.edges |= x < frame.x + 1 ? EDGE_LEFT : 0;
		hit.edges |= x >= frame.x + frame.w - 1 ? EDGE_RIGHT : 0;
		hit.edges |= y < frame.y + 2 ? EDGE_TOP : 0;
		hit.edges |= y >= frame.y + frame.h - 1 ? EDGE_BOTTOM : 0;
	}
	if (hit.edges) {
		/* Near a corner, one edge means both. */
		hit.edges |= x < frame.x + 14 ? EDGE_LEFT : 0;
		hit.edges |= x >= frame.x + frame.w - 14 ? EDGE_RIGHT : 0;
		hit.edges |= y >= frame.y + frame.h - 14 ? EDGE_BOTTOM : 0;
		hit.part = HIT_EDGE;
	} else {
		hit.part = y < frame.y + THEME_TITLE_HEIGHT ? HIT_TITLE : HIT_CONTENT;
	}
	return hit;
}

struct hit wm_hit(const struct desktop *desktop, int x, int y)
{
	struct hit hit = { .part = HIT_NOTHING, .item = -1 };

	if (desktop->menu_open && rect_contains(overlay_menu_bounds(desktop), x, y)) {
		hit.part = HIT_MENU;
		hit.item = overlay_menu_hit(desktop, x, y);
		return hit;
	}
	if (rect_contains(panel_bounds(desktop), x, y)) {
		hit.part = HIT_PANEL;
		hit.item = panel_hit(desktop, x, y);
		return hit;
	}
	for (int i = desktop->window_count - 1; i >= 0; i--) {
		hit = hit_window(desktop->windows[i], x, y);
		if (hit.part != HIT_NOTHING) {
			return hit;
		}
	}
	return hit;
}

void window_damage(struct window *window, struct rect rect)
{
	struct rect content = wm_content(window);

	if (!window->minimised) {
		desktop_damage(window->desktop,
		    rect_intersect(content, rect_move(rect, content.x, content.y)));
	}
}

void window_damage_all(struct window *window)
{
	window_damage(window, (struct rect){ 0, 0, window->width, window->height });
}

void window_set_title(struct window *window, const char *title)
{
	if (!text_equal(window->title, title)) {
		text_copy(window->title, sizeof(window->title), title);
		wm_damage_title(window);
		desktop_damage(window->desktop, panel_bounds(window->desktop));
	}
}

bool window_has_focus(const struct window *window)
{
	return window->desktop->focus == window;
}
