/*
 * What lies over the windows: the window switcher, the power menu, a passing message, and the
 * picture shown while the machine switches off. Each has a bounds function, so that showing and
 * hiding damages exactly what it covers.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/parts.h"

#define TILE      96
#define MENU_ROW  38
#define MENU_ROWS 2

static struct rect with_shadow(struct rect r)
{
	return rect_inset(r, -24);
}

struct rect overlay_switcher_bounds(const struct desktop *desktop)
{
	int width = desktop->window_count * TILE + 24;
	int most = desktop->visible.width - 40;
	struct rect r;

	width = width > most ? most : width;
	r = (struct rect){ (desktop->visible.width - width) / 2,
		(desktop->visible.height - THEME_PANEL_HEIGHT) / 2 - 75, width, 150 };
	return with_shadow(r);
}

struct rect overlay_menu_bounds(const struct desktop *desktop)
{
	struct rect power = panel_item(desktop, PANEL_POWER);

	return (struct rect){ power.x + power.w - 168, power.y - 28 - MENU_ROWS * MENU_ROW, 180,
		MENU_ROWS * MENU_ROW + 12 };
}

struct rect overlay_toast_bounds(const struct desktop *desktop)
{
	int width = font_measure(&font_ui, desktop->toast) + 64;

	return with_shadow((struct rect){ (desktop->visible.width - width) / 2,
	    desktop->visible.height - THEME_PANEL_HEIGHT - 62, width, 44 });
}

int overlay_menu_hit(const struct desktop *desktop, int x, int y)
{
	struct rect menu = overlay_menu_bounds(desktop);
	int row = (y - menu.y - 6) / MENU_ROW;

	(void)x;
	return y >= menu.y + 6 && row < MENU_ROWS ? row : -1;
}

void overlay_set_menu(struct desktop *desktop, bool open)
{
	if (desktop->menu_open != open) {
		desktop->menu_open = open;
		desktop_damage(desktop, with_shadow(overlay_menu_bounds(desktop)));
		desktop_damage(desktop, panel_item(desktop, PANEL_POWER));
	}
}

void overlay_menu_click(struct desktop *desktop, int item)
{
	overlay_set_menu(desktop, false);
	if (item == 0) {
		desktop_shut_down(desktop, DESKTOP_REBOOTING);
	} else if (item == 1) {
		desktop_shut_down(desktop, DESKTOP_POWERING_OFF);
	}
}

static void draw_plate(const struct canvas *canvas, struct rect r, int radius)
{
	canvas_shadow(canvas, rect_move(r, 0, 4), 8, 110);
	canvas_round(canvas, r, radius, THEME_DARK, 240);
	canvas_round_line(canvas, r, radius, 1.0f, 0xffffff, 28);
}

static void draw_menu(const struct desktop *desktop, const struct canvas *canvas)
{
	static const char *const labels[MENU_ROWS] = { "Restart", "Power off" };
	struct rect menu = overlay_menu_bounds(desktop);

	if (!desktop->menu_open || canvas_hides(canvas, with_shadow(menu))) {
		return;
	}
	draw_plate(canvas, menu, 12);
	for (int i = 0; i < MENU_ROWS; i++) {
		struct rect row = { menu.x + 6, menu.y + 6 + i * MENU_ROW, menu.w - 12, MENU_ROW };
		float y = (float)row.y + (float)MENU_ROW * 0.5f;

		if (desktop->hover.part == HIT_MENU && desktop->hover.item == i) {
			canvas_round(canvas, row, 8, 0xffffff, 30);
		}
		if (i == 1) {
			icon_draw_power(canvas, (float)row.x + 20.0f, y, 0xff9d92);
		} else {
			canvas_ring(
			    canvas, (float)row.x + 20.0f, y, 6.5f, 1.8f, THEME_DARK_TEXT, 255);
			canvas_disc(
			    canvas, (float)row.x + 25.5f, y - 3.5f, 2.6f, THEME_DARK_TEXT, 255);
		}
		canvas_text(canvas, &font_ui, row.x + 40, row.y + 24, THEME_DARK_TEXT, labels[i]);
	}
}

static void draw_switcher(const struct desktop *desktop, const struct canvas *canvas)
{
	struct rect box = rect_inset(overlay_switcher_bounds(desktop), 24);
	int shown = (box.w - 24) / TILE;
	struct window *chosen;

	if (!desktop->switching || desktop->window_count == 0 ||
	    canvas_hides(canvas, with_shadow(box))) {
		return;
	}
	chosen = desktop->windows[desktop->window_count - 1 - desktop->switch_index];
	draw_plate(canvas, box, 16);
	for (int i = 0; i < desktop->window_count && i < shown; i++) {
		struct window *window = desktop->windows[desktop->window_count - 1 - i];
		struct rect tile = { box.x + 12 + i * TILE + 4, box.y + 14, TILE - 8, TILE - 8 };

		if (i == desktop->switch_index) {
			canvas_round(canvas, tile, 12, 0xffffff, 40);
			canvas_round_line(canvas, tile, 12, 2.0f, 0x7fa5ff, 255);
		}
		icon_draw(canvas, window->class->icon, tile.x + 20, tile.y + 20, 48);
	}
	canvas_text_centered(canvas, &font_bold, box.x + box.w / 2, box.y + box.h - 18,
	    THEME_DARK_TEXT, chosen->title);
}

static void draw_toast(const struct desktop *desktop, const struct canvas *canvas)
{
	struct rect box = rect_inset(overlay_toast_bounds(desktop), 24);

	if (!desktop->toast[0] || canvas_hides(canvas, with_shadow(box))) {
		return;
	}
	draw_plate(canvas, box, 14);
	canvas_disc(canvas, (float)box.x + 22.0f, (float)box.y + 22.0f, 5.0f, 0x7ee0a8, 255);
	canvas_text(canvas, &font_ui, box.x + 40, box.y + 27, THEME_DARK_TEXT, desktop->toast);
}

static void draw_farewell(const struct desktop *desktop, const struct canvas *canvas)
{
	int x = desktop->visible.width / 2;
	int y = desktop->visible.height / 2;

	canvas_blend(canvas, (struct rect){ 0, 0, desktop->visible.width, desktop->visible.height },
	    0x0b0e18, 240);
	icon_draw_power(canvas, (float)x, (float)y - 44.0f, 0xffffff);
	canvas_text_centered(canvas, &font_title, x, y, 0xffffff,
	    desktop->state == DESKTOP_REBOOTING ? "Restarting" : "Shutting down");
	canvas_text_centered(canvas, &font_ui, x, y + 26, THEME_DARK_DIM, "See you soon");
}

void overlay_draw(struct desktop *desktop, const struct canvas *canvas)
{
	draw_menu(desktop, canvas);
	draw_toast(desktop, canvas);
	draw_switcher(desktop, canvas);
	if (desktop->state != DESKTOP_RUNNING) {
		draw_farewell(desktop, canvas);
	}
}
