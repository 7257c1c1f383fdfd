/*
 * The desktop: one object that owns the screen, the windows, the keyboard and the files. Events go
 * in, pixels come out; everything runs on the caller's one thread.
 *
 * What must stay true: after desktop_render() the visible surface equals what a full redraw would
 * give (tests check it pixel by pixel), and pixels that did not change were not written, since the
 * host finds changes by written pages.
 */
#pragma once

#include "gfx/canvas.h"
#include "gfx/damage.h"
#include "lib/fs.h"
#include "lib/heap.h"
#include "platform.h"
#include "ui/app.h"
#include "ui/cursor.h"
#include "ui/keyboard.h"

#define DESKTOP_MAX_WINDOWS 16
#define DESKTOP_TOAST_SIZE  96
#define DESKTOP_MIN_WIDTH   640
#define DESKTOP_MIN_HEIGHT  480

/* What is under the pointer. */
enum hit_part {
	HIT_NOTHING, /* the wallpaper */
	HIT_PANEL,
	HIT_MENU,
	HIT_CONTENT,
	HIT_TITLE,
	HIT_CLOSE,
	HIT_MAXIMISE,
	HIT_MINIMISE,
	HIT_EDGE,
};

#define EDGE_LEFT   1u
#define EDGE_RIGHT  2u
#define EDGE_TOP    4u
#define EDGE_BOTTOM 8u

struct hit {
	enum hit_part part;
	struct window *window; /* for CONTENT to EDGE */
	unsigned int edges;    /* EDGE_x, for EDGE */
	int item;              /* for PANEL and MENU: which, or -1 */
};

/* Panel items, by number: launchers, then windows, then the two at the right. */
#define PANEL_LAUNCHER 0
#define PANEL_WINDOW   100
#define PANEL_LAYOUT   200
#define PANEL_POWER    201

enum desktop_state { DESKTOP_RUNNING, DESKTOP_POWERING_OFF, DESKTOP_REBOOTING };

struct desktop {
	const struct platform *platform;
	struct heap *heap;
	struct fs fs;
	struct keyboard keyboard;

	struct surface visible; /* the platform's framebuffer */
	struct surface back;    /* the same picture without the pointer */
	struct damage damage;   /* to be drawn */
	struct damage moved;    /* to be copied only, because the pointer moved */
	int16_t *hills;         /* the wallpaper's outlines, see wallpaper.c */
	uint16_t *glow;

	struct window *windows[DESKTOP_MAX_WINDOWS]; /* bottom to top */
	int window_count;
	struct window
	    *opened[DESKTOP_MAX_WINDOWS]; /* the same, in the order of opening, for the panel */
	struct window *focus;
	int cascade;

	int pointer_x;
	int pointer_y;
	unsigned int buttons;
	struct cursor cursor;
	struct hit hover;
	struct hit pressed; /* what the left button went down on */
	int drag_x;         /* pointer minus frame corner, while moving */
	int drag_y;
	struct rect drag_start;
	uint64_t click_ms; /* of the last press, for double clicks */
	int click_x;
	int click_y;

	bool switching; /* Alt+Tab is shown */
	int switch_index;
	bool menu_open;
	char toast[DESKTOP_TOAST_SIZE];
	uint64_t toast_until_ms;
	char *clipboard; /* heap memory, or NULL */
	size_t clipboard_size;
	enum desktop_state state;
	bool state_shown;

	char user[48];
	char host[48];
	int timezone_minutes;
	int resumes;
	int64_t shown_minute; /* local time in minutes; all drawing shows this one */
	uint64_t minute_deadline_ms;
	bool echo;       /* demo.echo=1 */
	int pattern_mib; /* demo.pattern= */
	uint32_t pattern_seed;
	size_t pattern_size; /* bytes written, 0 = none */
};

/*
 * Builds the desktop at the given mode, with the programs that the command line asks for. `memory`
 * lasts as long as the desktop. Returns 0, or -ENOMEM, or -EINVAL if the mode cannot be set.
 */
int desktop_create(const struct platform *platform, struct heap *heap, int width, int height,
    struct desktop **out) __attribute__((warn_unused_result));

/* Says on the serial port that the desktop is shown, and writes the pattern that the command line
 * asks for. */
void desktop_announce(struct desktop *desktop);

/* Closes all windows and gives back all memory. NULL is fine. */
void desktop_destroy(struct desktop *desktop);

/* Takes one event. Nothing is drawn before desktop_render(). */
void desktop_handle_event(struct desktop *desktop, const struct platform_event *event);

/* Does what has become due: clock, key repeat, programs' deadlines. */
void desktop_run_timers(struct desktop *desktop);

/* When desktop_run_timers() has work again, in platform time, or PLATFORM_NO_DEADLINE. */
uint64_t desktop_next_deadline(const struct desktop *desktop);

/* Draws what is damaged and copies it to the visible surface. */
void desktop_render(struct desktop *desktop);

/* Damage in screen coordinates, and of everything. */
void desktop_damage(struct desktop *desktop, struct rect rect);
void desktop_damage_all(struct desktop *desktop);

/* Milliseconds, and local time in seconds since 1970. */
uint64_t desktop_now(const struct desktop *desktop);
int64_t desktop_local_time(const struct desktop *desktop);

/* Writes a line to the serial port; the line end is added. */
void desktop_log(const struct desktop *desktop, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Shows a message above the panel for some seconds. */
void desktop_show_toast(struct desktop *desktop, const char *text);

/* Changes the display mode and lays out again. Returns 0, or -EINVAL or -ENOMEM with the old mode
 * kept. */
int desktop_set_mode(struct desktop *desktop, int width, int height);

/* Begins the end: shows it, and calls the platform after the next desktop_render(). */
void desktop_shut_down(struct desktop *desktop, enum desktop_state how);

/* Memory pattern: fills N MiB with a seeded pattern, and verifies it; both report on the serial
 * port and in `report`. */
bool desktop_write_pattern(struct desktop *desktop, int mib, char *report, size_t size);
bool desktop_check_pattern(struct desktop *desktop, char *report, size_t size);
