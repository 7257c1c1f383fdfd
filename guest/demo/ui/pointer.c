/*
 * What the pointer does: hovering, pressing, dragging and resizing windows, and passing the rest on
 * to programs. While a button is held, everything goes to what it went down on.
 */
#include "gfx/theme.h"
#include "ui/parts.h"

#include <linux/input-event-codes.h>

#define DOUBLE_CLICK_MS 400

static bool same_hit(const struct hit *a, const struct hit *b)
{
	return a->part == b->part && a->window == b->window && a->item == b->item;
}

/* Damages what looks different when the pointer is over it. */
static void damage_hover(struct desktop *desktop, const struct hit *hit)
{
	switch (hit->part) {
	case HIT_CLOSE:
	case HIT_MAXIMISE:
	case HIT_MINIMISE:
		desktop_damage(desktop, chrome_button(hit->window, hit->part));
		break;
	case HIT_PANEL:
		desktop_damage(desktop, rect_inset(panel_item(desktop, hit->item), -5));
		desktop_damage(desktop, panel_tip_bounds(desktop, hit->item));
		break;
	case HIT_MENU:
		desktop_damage(desktop, overlay_menu_bounds(desktop));
		break;
	default:
		break;
	}
}

static void update_hover(struct desktop *desktop)
{
	struct hit hit = wm_hit(desktop, desktop->pointer_x, desktop->pointer_y);

	if (!same_hit(&hit, &desktop->hover)) {
		damage_hover(desktop, &desktop->hover);
		desktop->hover = hit;
		damage_hover(desktop, &desktop->hover);
	}
}

static void send(struct desktop *desktop, struct window *window, struct pointer_event event)
{
	struct rect content = wm_content(window);

	if (window->class->pointer) {
		event.x = desktop->pointer_x - content.x;
		event.y = desktop->pointer_y - content.y;
		event.buttons = desktop->buttons;
		window->class->pointer(window, &event);
	}
}

static void drag_title(struct desktop *desktop, struct window *window)
{
	struct rect frame = window->frame;

	if (window->maximised) {
		/* Pulling a maximised window loosens it under the pointer. */
		if (desktop->pointer_y < desktop->drag_start.y + 12 + desktop->drag_y) {
			return;
		}
		wm_toggle_maximised(desktop, window);
		frame = window->frame;
		desktop->drag_x = frame.w / 2;
		desktop->drag_y = THEME_TITLE_HEIGHT / 2;
	}
	frame.x = desktop->pointer_x - desktop->drag_x;
	frame.y = desktop->pointer_y - desktop->drag_y;
	wm_set_frame(desktop, window, frame);
}

static void drag_edge(struct desktop *desktop, struct window *window, unsigned int edges)
{
	struct rect start = desktop->drag_start;
	struct rect frame = start;
	int dx = desktop->pointer_x - desktop->drag_x;
	int dy = desktop->pointer_y - desktop->drag_y;
	int least_w = window->class->min_width;
	int least_h = window->class->min_height + THEME_TITLE_HEIGHT;

	frame.w += edges & EDGE_RIGHT ? dx : edges & EDGE_LEFT ? -dx : 0;
	frame.h += edges & EDGE_BOTTOM ? dy : edges & EDGE_TOP ? -dy : 0;
	frame.w = frame.w < least_w ? least_w : frame.w;
	frame.h = frame.h < least_h ? least_h : frame.h;
	frame.x += edges & EDGE_LEFT ? start.w - frame.w : 0;
	frame.y += edges & EDGE_TOP ? start.h - frame.h : 0;
	wm_set_frame(desktop, window, frame);
}

void pointer_moved(struct desktop *desktop, int x, int y)
{
	struct window *window = desktop->pressed.window;

	x = x < 0 ? 0 : x >= desktop->visible.width ? desktop->visible.width - 1 : x;
	y = y < 0 ? 0 : y >= desktop->visible.height ? desktop->visible.height - 1 : y;
	if (x == desktop->pointer_x && y == desktop->pointer_y) {
		return;
	}
	desktop->pointer_x = x;
	desktop->pointer_y = y;
	switch (window ? desktop->pressed.part : HIT_NOTHING) {
	case HIT_TITLE:
		drag_title(desktop, window);
		return;
	case HIT_EDGE:
		drag_edge(desktop, window, desktop->pressed.edges);
		return;
	case HIT_CONTENT:
		send(desktop, window, (struct pointer_event){ .type = POINTER_MOVE });
		return;
	default:
		break;
	}
	update_hover(desktop);
	if (desktop->hover.part == HIT_CONTENT && desktop->hover.window) {
		send(
		    desktop, desktop->hover.window, (struct pointer_event){ .type = POINTER_MOVE });
	}
}

static unsigned int button_bit(int code)
{
	switch (code) {
	case BTN_LEFT:
		return POINTER_LEFT;
	case BTN_RIGHT:
		return POINTER_RIGHT;
	case BTN_MIDDLE:
		return POINTER_MIDDLE;
	default:
		return 0;
	}
}

static int count_clicks(struct desktop *desktop)
{
	uint64_t now = desktop_now(desktop);
	int dx = desktop->pointer_x - desktop->click_x;
	int dy = desktop->pointer_y - desktop->click_y;
	bool twice = now - desktop->click_ms < DOUBLE_CLICK_MS && dx * dx + dy * dy < 25;

	desktop->click_ms = twice ? 0 : now;
	desktop->click_x = desktop->pointer_x;
	desktop->click_y = desktop->pointer_y;
	return twice ? 2 : 1;
}

static void press(struct desktop *desktop, unsigned int button)
{
	struct hit hit = wm_hit(desktop, desktop->pointer_x, desktop->pointer_y);
	int clicks = button == POINTER_LEFT ? count_clicks(desktop) : 1;

	if (desktop->menu_open && hit.part != HIT_MENU &&
	    !(hit.part == HIT_PANEL && hit.item == PANEL_POWER)) {
		overlay_set_menu(desktop, false);
	}
	if (hit.window) {
		wm_focus(desktop, hit.window);
	} else if (hit.part == HIT_NOTHING) {
		wm_focus(desktop, NULL);
	}
	if (!desktop->pressed.window && desktop->pressed.part == HIT_NOTHING) {
		desktop->pressed = hit;
		damage_hover(desktop, &desktop->pressed);
	}
	if (hit.part == HIT_CONTENT) {
		send(desktop, hit.window,
		    (struct pointer_event){
			.type = POINTER_DOWN, .button = button, .clicks = clicks });
		return;
	}
	if (button != POINTER_LEFT) {
		return;
	}
	desktop->drag_start = hit.window ? hit.window->frame : (struct rect){ 0, 0, 0, 0 };
	desktop->drag_x = desktop->pointer_x;
	desktop->drag_y = desktop->pointer_y;
	if (hit.part == HIT_TITLE) {
		desktop->drag_x -= hit.window->frame.x;
		desktop->drag_y -= hit.window->frame.y;
		if (clicks == 2) {
			wm_toggle_maximised(desktop, hit.window);
			desktop->pressed = (struct hit){ .part = HIT_NOTHING, .item = -1 };
		}
	}
}

static void release(struct desktop *desktop, unsigned int button)
{
	struct hit was = desktop->pressed;
	struct hit hit = wm_hit(desktop, desktop->pointer_x, desktop->pointer_y);

	if (was.part == HIT_CONTENT && was.window) {
		send(desktop, was.window,
		    (struct pointer_event){ .type = POINTER_UP, .button = button });
	}
	if (desktop->buttons) {
		return;
	}
	damage_hover(desktop, &was);
	desktop->pressed = (struct hit){ .part = HIT_NOTHING, .item = -1 };
	/* A button works if it is let go where it went down. */
	if (button == POINTER_LEFT && same_hit(&was, &hit)) {
		switch (was.part) {
		case HIT_CLOSE:
			wm_close(desktop, was.window);
			break;
		case HIT_MAXIMISE:
			wm_toggle_maximised(desktop, was.window);
			break;
		case HIT_MINIMISE:
			wm_minimise(desktop, was.window);
			break;
		case HIT_PANEL:
			panel_click(desktop, was.item);
			break;
		case HIT_MENU:
			overlay_menu_click(desktop, was.item);
			break;
		default:
			break;
		}
	}
	update_hover(desktop);
}

void pointer_button(struct desktop *desktop, int code, bool down)
{
	unsigned int bit = button_bit(code);

	if (!bit || ((desktop->buttons & bit) != 0) == down) {
		return;
	}
	desktop->buttons ^= bit;
	if (down) {
		press(desktop, bit);
	} else {
		release(desktop, bit);
	}
}

void pointer_wheel(struct desktop *desktop, int clicks)
{
	struct hit hit = wm_hit(desktop, desktop->pointer_x, desktop->pointer_y);

	if (hit.part == HIT_CONTENT) {
		send(desktop, hit.window,
		    (struct pointer_event){ .type = POINTER_WHEEL, .wheel = clicks });
	}
}
