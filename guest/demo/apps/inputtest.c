/*
 * The keyboard and pointer test: a picture of a keyboard that lights up what is held, names the
 * last key, and shows the pointer's place, buttons and wheel.
 */
#include "gfx/theme.h"
#include "lib/text.h"
#include "ui/desktop.h"

#include <linux/input-event-codes.h>

#define UNIT  36 /* a key's width, pixels, for 4 quarters */
#define LEFT  20
#define TOP   20
#define ROW_H 32
#define INFO  (TOP + 6 * ROW_H + 18)

struct key_shape {
	uint8_t code;
	uint8_t row;
	uint8_t x; /* quarters of a key */
	uint8_t width;
	const char *label;
};

static const struct key_shape keys[] = {
	{ KEY_ESC, 0, 0, 4, "Esc" },
	{ KEY_F1, 0, 8, 4, "F1" },
	{ KEY_F2, 0, 12, 4, "F2" },
	{ KEY_F3, 0, 16, 4, "F3" },
	{ KEY_F4, 0, 20, 4, "F4" },
	{ KEY_F5, 0, 26, 4, "F5" },
	{ KEY_F6, 0, 30, 4, "F6" },
	{ KEY_F7, 0, 34, 4, "F7" },
	{ KEY_F8, 0, 38, 4, "F8" },
	{ KEY_F9, 0, 44, 4, "F9" },
	{ KEY_F10, 0, 48, 4, "F10" },
	{ KEY_F11, 0, 52, 4, "F11" },
	{ KEY_F12, 0, 56, 4, "F12" },
	{ KEY_GRAVE, 1, 0, 4, "`" },
	{ KEY_1, 1, 4, 4, "1" },
	{ KEY_2, 1, 8, 4, "2" },
	{ KEY_3, 1, 12, 4, "3" },
	{ KEY_4, 1, 16, 4, "4" },
	{ KEY_5, 1, 20, 4, "5" },
	{ KEY_6, 1, 24, 4, "6" },
	{ KEY_7, 1, 28, 4, "7" },
	{ KEY_8, 1, 32, 4, "8" },
	{ KEY_9, 1, 36, 4, "9" },
	{ KEY_0, 1, 40, 4, "0" },
	{ KEY_MINUS, 1, 44, 4, "-" },
	{ KEY_EQUAL, 1, 48, 4, "=" },
	{ KEY_BACKSPACE, 1, 52, 8, "Back" },
	{ KEY_TAB, 2, 0, 6, "Tab" },
	{ KEY_Q, 2, 6, 4, "Q" },
	{ KEY_W, 2, 10, 4, "W" },
	{ KEY_E, 2, 14, 4, "E" },
	{ KEY_R, 2, 18, 4, "R" },
	{ KEY_T, 2, 22, 4, "T" },
	{ KEY_Y, 2, 26, 4, "Y" },
	{ KEY_U, 2, 30, 4, "U" },
	{ KEY_I, 2, 34, 4, "I" },
	{ KEY_O, 2, 38, 4, "O" },
	{ KEY_P, 2, 42, 4, "P" },
	{ KEY_LEFTBRACE, 2, 46, 4, "[" },
	{ KEY_RIGHTBRACE, 2, 50, 4, "]" },
	{ KEY_BACKSLASH, 2, 54, 6, "\\" },
	{ KEY_CAPSLOCK, 3, 0, 7, "Caps" },
	{ KEY_A, 3, 7, 4, "A" },
	{ KEY_S, 3, 11, 4, "S" },
	{ KEY_D, 3, 15, 4, "D" },
	{ KEY_F, 3, 19, 4, "F" },
	{ KEY_G, 3, 23, 4, "G" },
	{ KEY_H, 3, 27, 4, "H" },
	{ KEY_J, 3, 31, 4, "J" },
	{ KEY_K, 3, 35, 4, "K" },
	{ KEY_L, 3, 39, 4, "L" },
	{ KEY_SEMICOLON, 3, 43, 4, ";" },
	{ KEY_APOSTROPHE, 3, 47, 4, "'" },
	{ KEY_ENTER, 3, 51, 9, "Enter" },
	{ KEY_LEFTSHIFT, 4, 0, 9, "Shift" },
	{ KEY_Z, 4, 9, 4, "Z" },
	{ KEY_X, 4, 13, 4, "X" },
	{ KEY_C, 4, 17, 4, "C" },
	{ KEY_V, 4, 21, 4, "V" },
	{ KEY_B, 4, 25, 4, "B" },
	{ KEY_N, 4, 29, 4, "N" },
	{ KEY_M, 4, 33, 4, "M" },
	{ KEY_COMMA, 4, 37, 4, "," },
	{ KEY_DOT, 4, 41, 4, "." },
	{ KEY_SLASH, 4, 45, 4, "/" },
	{ KEY_RIGHTSHIFT, 4, 49, 11, "Shift" },
	{ KEY_LEFTCTRL, 5, 0, 6, "Ctrl" },
	{ KEY_LEFTMETA, 5, 6, 5, "Super" },
	{ KEY_LEFTALT, 5, 11, 5, "Alt" },
	{ KEY_SPACE, 5, 16, 24, "" },
	{ KEY_RIGHTALT, 5, 40, 5, "AltGr" },
	{ KEY_RIGHTMETA, 5, 45, 5, "Super" },
	{ KEY_COMPOSE, 5, 50, 4, "Menu" },
	{ KEY_RIGHTCTRL, 5, 54, 6, "Ctrl" },
	{ KEY_SYSRQ, 0, 62, 4, "Prt" },
	{ KEY_SCROLLLOCK, 0, 66, 4, "Scr" },
	{ KEY_PAUSE, 0, 70, 4, "Pau" },
	{ KEY_INSERT, 1, 62, 4, "Ins" },
	{ KEY_HOME, 1, 66, 4, "Home" },
	{ KEY_PAGEUP, 1, 70, 4, "PgUp" },
	{ KEY_DELETE, 2, 62, 4, "Del" },
	{ KEY_END, 2, 66, 4, "End" },
	{ KEY_PAGEDOWN, 2, 70, 4, "PgDn" },
	{ KEY_UP, 4, 66, 4, "\xe2\x86\x91" },
	{ KEY_LEFT, 5, 62, 4, "\xe2\x86\x90" },
	{ KEY_DOWN, 5, 66, 4, "\xe2\x86\x93" },
	{ KEY_RIGHT, 5, 70, 4, "\xe2\x86\x92" },
};

#define KEY_SHAPES (int)(sizeof(keys) / sizeof(keys[0]))

struct inputtest {
	bool seen[KEYBOARD_KEYS];
	bool down[KEYBOARD_KEYS];
	struct key_press last;
	unsigned int pressed; /* keys that went down, in all */
	struct pointer_event pointer;
	int wheel;
};

static struct rect key_rect(const struct key_shape *key)
{
	return (struct rect){ LEFT + key->x * UNIT / 4,
		TOP + key->row * ROW_H + (key->row > 0 ? 8 : 0), key->width * UNIT / 4 - 4,
		ROW_H - 4 };
}

static bool inputtest_open(struct window *window, const char *argument)
{
	(void)window;
	(void)argument;
	return true;
}

static void damage_info(struct window *window)
{
	window_damage(window, (struct rect){ 0, INFO, window->width, window->height - INFO });
}

static void inputtest_key(struct window *window, const struct key_press *key)
{
	struct inputtest *test = window->state;

	test->last = *key;
	test->down[key->code] = key->down;
	test->seen[key->code] = true;
	test->pressed += key->down && !key->repeat;
	for (int i = 0; i < KEY_SHAPES; i++) {
		if (keys[i].code == key->code) {
			window_damage(window, key_rect(&keys[i]));
		}
	}
	damage_info(window);
}

static void inputtest_pointer(struct window *window, const struct pointer_event *event)
{
	struct inputtest *test = window->state;

	test->pointer = *event;
	test->wheel += event->type == POINTER_WHEEL ? event->wheel : 0;
	damage_info(window);
}

static void inputtest_focus(struct window *window, bool focused)
{
	struct inputtest *test = window->state;

	/* Releases go to another window from now on. */
	for (int i = 0; !focused && i < KEYBOARD_KEYS; i++) {
		test->down[i] = false;
	}
	window_damage_all(window);
}

static void draw_key(
    const struct inputtest *test, const struct canvas *canvas, const struct key_shape *key)
{
	struct rect r = key_rect(key);
	bool down = test->down[key->code];
	uint32_t color = down ? THEME_ACCENT : test->seen[key->code] ? THEME_SELECT : THEME_PAPER;
	struct canvas inside;

	if (canvas_hides(canvas, r)) {
		return;
	}
	canvas_round(canvas, r, 6, color, 255);
	canvas_round_line(canvas, r, 6, 1.0f, 0x000000, down ? 60 : 36);
	inside = canvas_sub(canvas, r);
	canvas_text_centered(
	    &inside, &font_small, r.w / 2, 18, down ? 0xffffff : THEME_TEXT, key->label);
}

static void draw_buttons(const struct inputtest *test, const struct canvas *canvas, int x, int y)
{
	static const struct {
		unsigned int bit;
		const char *label;
	} buttons[] = { { POINTER_LEFT, "Left" }, { POINTER_MIDDLE, "Middle" },
		{ POINTER_RIGHT, "Right" } };

	for (int i = 0; i < 3; i++) {
		struct rect r = { x + i * 66, y, 60, 26 };
		bool down = test->pointer.buttons & buttons[i].bit;

		canvas_round(canvas, r, 8, down ? THEME_ACCENT : THEME_PAPER, 255);
		canvas_round_line(canvas, r, 8, 1.0f, 0x000000, 36);
		canvas_text_centered(canvas, &font_small, r.x + 30, r.y + 17,
		    down ? 0xffffff : THEME_TEXT_DIM, buttons[i].label);
	}
}

static void draw_info(struct window *window, const struct canvas *canvas)
{
	struct inputtest *test = window->state;
	const char *name = keyboard_key_name(test->last.code);
	char typed[8] = "";
	char text[96];

	canvas_text(canvas, &font_bold, LEFT, INFO + 20, THEME_TEXT, "Last key");
	if (test->last.code) {
		typed[text_encode(typed, test->last.text)] = '\0';
		text_format(text, sizeof(text), "%s   code %d (0x%02x) %s%s%s",
		    name[0] ? name : "unnamed", test->last.code, (unsigned int)test->last.code,
		    test->last.down ? test->last.repeat ? "repeats" : "down" : "up",
		    test->last.text > ' ' ? "   types " : "", test->last.text > ' ' ? typed : "");
	} else {
		text_copy(text, sizeof(text), "press any key");
	}
	canvas_text(canvas, &font_mono, LEFT + 90, INFO + 20, THEME_TEXT, text);
	canvas_text(canvas, &font_bold, LEFT, INFO + 50, THEME_TEXT, "Pointer");
	text_format(text, sizeof(text), "%4d, %4d   wheel %d", test->pointer.x, test->pointer.y,
	    test->wheel);
	canvas_text(canvas, &font_mono, LEFT + 90, INFO + 50, THEME_TEXT, text);
	draw_buttons(test, canvas, LEFT + 420, INFO + 33);
}

static void inputtest_draw(struct window *window, const struct canvas *canvas)
{
	canvas_fill(canvas, (struct rect){ 0, 0, window->width, window->height }, THEME_SURFACE);
	for (int i = 0; i < KEY_SHAPES; i++) {
		draw_key(window->state, canvas, &keys[i]);
	}
	if (!canvas_hides(canvas, (struct rect){ 0, INFO, window->width, window->height - INFO })) {
		draw_info(window, canvas);
	}
}

const struct app_class app_inputtest = {
	.id = "inputtest",
	.title = "Input Test",
	.icon = ICON_INPUT,
	.width = 704,
	.height = INFO + 76,
	.min_width = 704,
	.min_height = INFO + 76,
	.state_size = sizeof(struct inputtest),
	.single = true,
	.open = inputtest_open,
	.draw = inputtest_draw,
	.key = inputtest_key,
	.pointer = inputtest_pointer,
	.focus = inputtest_focus,
};
