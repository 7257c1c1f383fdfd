/* Keys that the desktop keeps for itself: Alt+Tab, Alt+F4, Ctrl+Alt+T, Super+arrows, Escape in a
 * menu. */
#include "ui/parts.h"

#include <linux/input-event-codes.h>

static void damage_switcher(struct desktop *desktop)
{
	desktop_damage(desktop, overlay_switcher_bounds(desktop));
}

static void switch_windows(struct desktop *desktop, bool backwards)
{
	int count = desktop->window_count;

	if (count == 0) {
		return;
	}
	if (!desktop->switching) {
		desktop->switching = true;
		desktop->switch_index = 0;
	}
	desktop->switch_index = (desktop->switch_index + (backwards ? count - 1 : 1)) % count;
	damage_switcher(desktop);
}

static void finish_switching(struct desktop *desktop, bool keep)
{
	damage_switcher(desktop);
	desktop->switching = false;
	if (keep && desktop->switch_index < desktop->window_count) {
		wm_focus(
		    desktop, desktop->windows[desktop->window_count - 1 - desktop->switch_index]);
	}
}

static bool take_super(struct desktop *desktop, int code)
{
	struct window *window = desktop->focus;

	if (!window) {
		return false;
	}
	switch (code) {
	case KEY_UP:
		if (!window->maximised) {
			wm_toggle_maximised(desktop, window);
		}
		return true;
	case KEY_DOWN:
		if (window->maximised) {
			wm_toggle_maximised(desktop, window);
		} else {
			wm_minimise(desktop, window);
		}
		return true;
	default:
		return false;
	}
}

bool shortcuts_take(struct desktop *desktop, const struct key_press *press)
{
	if (desktop->switching && !press->down &&
	    (press->code == KEY_LEFTALT || press->code == KEY_RIGHTALT)) {
		finish_switching(desktop, true);
		return true;
	}
	if (!press->down) {
		return false;
	}
	if (press->code == KEY_ESC && (desktop->switching || desktop->menu_open)) {
		if (desktop->switching) {
			finish_switching(desktop, false);
		}
		overlay_set_menu(desktop, false);
		return true;
	}
	if (press->code == KEY_TAB && (press->mods & MOD_ALT)) {
		switch_windows(desktop, press->mods & MOD_SHIFT);
		return true;
	}
	if (press->code == KEY_F4 && (press->mods & MOD_ALT)) {
		if (desktop->focus) {
			wm_close(desktop, desktop->focus);
		}
		return true;
	}
	if (press->code == KEY_T && (press->mods & MOD_CTRL) && (press->mods & MOD_ALT)) {
		(void)wm_open(desktop, &app_terminal, NULL);
		return true;
	}
	return (press->mods & MOD_META) && take_super(desktop, press->code);
}
