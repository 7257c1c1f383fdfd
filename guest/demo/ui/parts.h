/*
 * The desktop's own parts, as its files see each other: window management (wm.c), window frames
 * (chrome.c), panel (panel.c), overlays (overlay.c), wallpaper (wallpaper.c), composition
 * (compose.c). Programs do not include this.
 */
#pragma once

#include "ui/desktop.h"

/* Shadow of a window: blur and drop, pixels. */
#define SHADOW_SIGMA 13
#define SHADOW_DROP  7

/* wm.c: the windows' order, focus and places. */

/* Starts a program (or raises it, if it is single and runs); NULL if there is no room. */
struct window *wm_open(
    struct desktop *desktop, const struct app_class *class, const char *argument);
void wm_close(struct desktop *desktop, struct window *window);
/* Raises and focuses; restores it if it was minimised. NULL takes the focus from all. */
void wm_focus(struct desktop *desktop, struct window *window);
void wm_minimise(struct desktop *desktop, struct window *window);
void wm_toggle_maximised(struct desktop *desktop, struct window *window);
/* Gives a window a new frame; it is kept reachable and no smaller than its least size. */
void wm_set_frame(struct desktop *desktop, struct window *window, struct rect frame);
/* Moves all windows back into a screen whose size changed. */
void wm_fit_all(struct desktop *desktop);
/* What lies under a pixel of the screen. */
struct hit wm_hit(const struct desktop *desktop, int x, int y);
/* The screen without the panel. */
struct rect wm_work_area(const struct desktop *desktop);
/* The content of a window, and all that it paints with its shadow, on the screen. */
struct rect wm_content(const struct window *window);
struct rect wm_extent(const struct window *window);
/* Damages the title bar. */
void wm_damage_title(struct window *window);

/* pointer.c: what presses, drags and the wheel do. */
void pointer_moved(struct desktop *desktop, int x, int y);
void pointer_button(struct desktop *desktop, int code, bool down);
void pointer_wheel(struct desktop *desktop, int clicks);

/* shortcuts.c: keys that the desktop keeps for itself; true if it took this one. */
bool shortcuts_take(struct desktop *desktop, const struct key_press *press);

/* chrome.c */
void chrome_draw_window(
    struct desktop *desktop, struct window *window, const struct canvas *canvas);
/* The button of a title bar (HIT_CLOSE, HIT_MAXIMISE, HIT_MINIMISE), on the screen. */
struct rect chrome_button(const struct window *window, enum hit_part part);

/* panel.c */
struct rect panel_bounds(const struct desktop *desktop);
void panel_draw(struct desktop *desktop, const struct canvas *canvas);
int panel_hit(const struct desktop *desktop, int x, int y);
void panel_click(struct desktop *desktop, int item);
/* Where an item is on the screen; empty if it is not shown. */
struct rect panel_item(const struct desktop *desktop, int item);
/* The tip above a launcher that the pointer rests on; empty if there is none. */
struct rect panel_tip_bounds(const struct desktop *desktop, int item);
void panel_draw_tip(struct desktop *desktop, const struct canvas *canvas);

/* overlay.c: window switcher, power menu, message, and the last picture. */
void overlay_draw(struct desktop *desktop, const struct canvas *canvas);
struct rect overlay_switcher_bounds(const struct desktop *desktop);
struct rect overlay_menu_bounds(const struct desktop *desktop);
struct rect overlay_toast_bounds(const struct desktop *desktop);
int overlay_menu_hit(const struct desktop *desktop, int x, int y);
void overlay_menu_click(struct desktop *desktop, int item);
void overlay_set_menu(struct desktop *desktop, bool open);

/* wallpaper.c */
/* Computes what depends on the screen's size; 0 or -ENOMEM. */
int wallpaper_prepare(struct desktop *desktop);
void wallpaper_draw(struct desktop *desktop, const struct canvas *canvas);
/* The greeting's pixels, which change with the hour. */
struct rect wallpaper_greeting_bounds(const struct desktop *desktop);

/* icons.c: a program's icon in a size * size square. */
void icon_draw(const struct canvas *canvas, enum icon icon, int x, int y, int size);
void icon_draw_power(const struct canvas *canvas, float x, float y, uint32_t color);

/* calendar.c: time as text. `local` is seconds since 1970 in local time. */
void calendar_format_clock(int64_t local, char *buffer, size_t size); /* 14:05 */
void calendar_format_date(int64_t local, char *buffer, size_t size);  /* Mon 23 Nov */
void calendar_format_full(int64_t local, char *buffer, size_t size);  /* Mon 23 Nov 2026 14:05:09 */
/* "Good morning", "Good afternoon", "Good evening". */
const char *calendar_greeting(int64_t local);

/* All programs, in the panel's order. */
extern const struct app_class *const desktop_apps[];
#define DESKTOP_APP_COUNT 5
