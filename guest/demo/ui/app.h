/*
 * The contract between the desktop and the programs on it: one `app_class` table per program, one
 * `window` per running instance. Programs draw themselves when asked, damage what changed, and
 * never draw on their own accord.
 *
 * What must stay true: draw() gives the same pixels for the same state, whatever the clip; a
 * program touches only its own window; the desktop owns windows, frees `state` after close(), and
 * calls everything on its one thread.
 */
#pragma once

#include "gfx/canvas.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desktop;
struct window;

enum icon {
	ICON_TERMINAL,
	ICON_EDITOR,
	ICON_PAINT,
	ICON_MONITOR,
	ICON_INPUT,
	ICON_COUNT,
};

/* Modifier bits of a key press. */
#define MOD_SHIFT 1u
#define MOD_CTRL  2u
#define MOD_ALT   4u
#define MOD_ALTGR 8u
#define MOD_META  16u

struct key_press {
	int code;          /* KEY_x of linux/input-event-codes.h */
	bool down;         /* false: released */
	bool repeat;       /* held down */
	unsigned int mods; /* MOD_x */
	uint32_t text;     /* the character it types in the current layout, or 0 */
};

enum pointer_type { POINTER_MOVE, POINTER_DOWN, POINTER_UP, POINTER_WHEEL };

/* Buttons held, as bits of pointer_event.buttons. */
#define POINTER_LEFT   1u
#define POINTER_RIGHT  2u
#define POINTER_MIDDLE 4u

struct pointer_event {
	enum pointer_type type;
	int x; /* in the window's content, pixels; may lie outside while a button is held */
	int y;
	unsigned int button;  /* the one that changed, for DOWN and UP */
	unsigned int buttons; /* all that are held now */
	int wheel;            /* clicks, positive is up, for WHEEL */
	int clicks;           /* 1 single, 2 double, for DOWN */
};

struct app_class {
	const char *id;    /* for demo.app= and the shell's `open` */
	const char *title; /* in the panel */
	enum icon icon;
	int width; /* of the content at start, pixels */
	int height;
	int min_width;
	int min_height;
	size_t state_size; /* zeroed memory for window->state */
	bool single;       /* a second start only raises the first */

	/* Fills in window->state; false closes the window again. `argument` may be NULL. */
	bool (*open)(struct window *window, const char *argument);
	void (*draw)(struct window *window, const struct canvas *canvas);
	/* The rest may be NULL. resize: window->width/height changed; all of it will be drawn. */
	void (*resize)(struct window *window);
	void (*key)(struct window *window, const struct key_press *key);
	void (*pointer)(struct window *window, const struct pointer_event *event);
	void (*focus)(struct window *window, bool focused);
	/* window->deadline_ms has passed; it was set to PLATFORM_NO_DEADLINE before the call. */
	void (*tick)(struct window *window, uint64_t now_ms);
	void (*close)(struct window *window);
};

#define WINDOW_TITLE_SIZE 72

struct window {
	struct desktop *desktop;
	const struct app_class *class;
	void *state;
	char title[WINDOW_TITLE_SIZE];
	struct rect frame;   /* on the screen, title bar included, shadow not */
	struct rect restore; /* frame to return to from maximised */
	int width;           /* of the content */
	int height;
	bool minimised;
	bool maximised;
	uint64_t deadline_ms; /* when tick() is due */
};

extern const struct app_class app_terminal;
extern const struct app_class app_editor;
extern const struct app_class app_paint;
extern const struct app_class app_monitor;
extern const struct app_class app_inputtest;

/* Asks for a part of the content (content coordinates), or all of it, to be drawn again. */
void window_damage(struct window *window, struct rect rect);
void window_damage_all(struct window *window);

/* Changes the title; title bar and panel are drawn again. */
void window_set_title(struct window *window, const char *title);

/* True if this window receives the keyboard. */
bool window_has_focus(const struct window *window);
