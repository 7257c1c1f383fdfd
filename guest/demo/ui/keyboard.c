/* Keyboard layouts, modifiers and repeat; see keyboard.h. */
#include "ui/keyboard.h"

#include "lib/text.h"
#include "platform.h"

#include <linux/input-event-codes.h>
#include <string.h>

/*
 * A viewer forwards its own repeats, so that ours is only for devices that do not: a repeat that
 * arrives pushes ours back by the whole delay.
 */
#define REPEAT_DELAY_MS    600
#define REPEAT_INTERVAL_MS 33

struct layout_key {
	uint8_t code;
	uint16_t plain;
	uint16_t shift;
	uint16_t altgr;
};

struct keyboard_layout {
	const char *name;
	const struct layout_key *keys; /* what differs from the US layout; ends with code 0 */
};

static const struct layout_key keys_us[] = {
	{ KEY_1, '1', '!', 0 },
	{ KEY_2, '2', '@', 0 },
	{ KEY_3, '3', '#', 0 },
	{ KEY_4, '4', '$', 0 },
	{ KEY_5, '5', '%', 0x20ac },
	{ KEY_6, '6', '^', 0 },
	{ KEY_7, '7', '&', 0 },
	{ KEY_8, '8', '*', 0 },
	{ KEY_9, '9', '(', 0 },
	{ KEY_0, '0', ')', 0 },
	{ KEY_MINUS, '-', '_', 0 },
	{ KEY_EQUAL, '=', '+', 0 },
	{ KEY_Q, 'q', 'Q', 0xe4 },
	{ KEY_W, 'w', 'W', 0xe5 },
	{ KEY_E, 'e', 'E', 0xe9 },
	{ KEY_R, 'r', 'R', 0xae },
	{ KEY_T, 't', 'T', 0xfe },
	{ KEY_Y, 'y', 'Y', 0xfc },
	{ KEY_U, 'u', 'U', 0xfa },
	{ KEY_I, 'i', 'I', 0xed },
	{ KEY_O, 'o', 'O', 0xf3 },
	{ KEY_P, 'p', 'P', 0xf6 },
	{ KEY_LEFTBRACE, '[', '{', 0 },
	{ KEY_RIGHTBRACE, ']', '}', 0 },
	{ KEY_A, 'a', 'A', 0xe1 },
	{ KEY_S, 's', 'S', 0xdf },
	{ KEY_D, 'd', 'D', 0xf0 },
	{ KEY_F, 'f', 'F', 0 },
	{ KEY_G, 'g', 'G', 0 },
	{ KEY_H, 'h', 'H', 0 },
	{ KEY_J, 'j', 'J', 0 },
	{ KEY_K, 'k', 'K', 0 },
	{ KEY_L, 'l', 'L', 0xf8 },
	{ KEY_SEMICOLON, ';', ':', 0 },
	{ KEY_APOSTROPHE, '\'', '"', 0 },
	{ KEY_GRAVE, '`', '~', 0 },
	{ KEY_BACKSLASH, '\\', '|', 0 },
	{ KEY_Z, 'z', 'Z', 0xe6 },
	{ KEY_X, 'x', 'X', 0 },
	{ KEY_C, 'c', 'C', 0xa9 },
	{ KEY_V, 'v', 'V', 0 },
	{ KEY_B, 'b', 'B', 0 },
	{ KEY_N, 'n', 'N', 0xf1 },
	{ KEY_M, 'm', 'M', 0xb5 },
	{ KEY_COMMA, ',', '<', 0xe7 },
	{ KEY_DOT, '.', '>', 0 },
	{ KEY_SLASH, '/', '?', 0 },
	{ KEY_SPACE, ' ', ' ', 0xa0 },
	{ KEY_102ND, '<', '>', '|' },
	{ KEY_KP0, '0', '0', 0 },
	{ KEY_KP1, '1', '1', 0 },
	{ KEY_KP2, '2', '2', 0 },
	{ KEY_KP3, '3', '3', 0 },
	{ KEY_KP4, '4', '4', 0 },
	{ KEY_KP5, '5', '5', 0 },
	{ KEY_KP6, '6', '6', 0 },
	{ KEY_KP7, '7', '7', 0 },
	{ KEY_KP8, '8', '8', 0 },
	{ KEY_KP9, '9', '9', 0 },
	{ KEY_KPDOT, '.', '.', 0 },
	{ KEY_KPASTERISK, '*', '*', 0 },
	{ KEY_KPPLUS, '+', '+', 0 },
	{ KEY_KPMINUS, '-', '-', 0 },
	{ KEY_KPSLASH, '/', '/', 0 },
	{ 0, 0, 0, 0 },
};

static const struct layout_key keys_de[] = {
	{ KEY_2, '2', '"', 0xb2 },
	{ KEY_3, '3', 0xa7, 0xb3 },
	{ KEY_6, '6', '&', 0 },
	{ KEY_7, '7', '/', '{' },
	{ KEY_8, '8', '(', '[' },
	{ KEY_9, '9', ')', ']' },
	{ KEY_0, '0', '=', '}' },
	{ KEY_MINUS, 0xdf, '?', '\\' },
	{ KEY_EQUAL, 0xb4, '`', 0 },
	{ KEY_Q, 'q', 'Q', '@' },
	{ KEY_E, 'e', 'E', 0x20ac },
	{ KEY_Y, 'z', 'Z', 0 },
	{ KEY_Z, 'y', 'Y', 0 },
	{ KEY_LEFTBRACE, 0xfc, 0xdc, 0 },
	{ KEY_RIGHTBRACE, '+', '*', '~' },
	{ KEY_SEMICOLON, 0xf6, 0xd6, 0 },
	{ KEY_APOSTROPHE, 0xe4, 0xc4, 0 },
	{ KEY_GRAVE, '^', 0xb0, 0 },
	{ KEY_BACKSLASH, '#', '\'', 0 },
	{ KEY_M, 'm', 'M', 0xb5 },
	{ KEY_COMMA, ',', ';', 0 },
	{ KEY_DOT, '.', ':', 0 },
	{ KEY_SLASH, '-', '_', 0 },
	{ KEY_KPDOT, ',', ',', 0 },
	{ 0, 0, 0, 0 },
};

static const struct layout_key keys_fr[] = {
	{ KEY_1, '&', '1', 0 },
	{ KEY_2, 0xe9, '2', '~' },
	{ KEY_3, '"', '3', '#' },
	{ KEY_4, '\'', '4', '{' },
	{ KEY_5, '(', '5', '[' },
	{ KEY_6, '-', '6', '|' },
	{ KEY_7, 0xe8, '7', '`' },
	{ KEY_8, '_', '8', '\\' },
	{ KEY_9, 0xe7, '9', '^' },
	{ KEY_0, 0xe0, '0', '@' },
	{ KEY_MINUS, ')', 0xb0, ']' },
	{ KEY_EQUAL, '=', '+', '}' },
	{ KEY_Q, 'a', 'A', 0 },
	{ KEY_A, 'q', 'Q', 0 },
	{ KEY_W, 'z', 'Z', 0 },
	{ KEY_Z, 'w', 'W', 0 },
	{ KEY_E, 'e', 'E', 0x20ac },
	{ KEY_LEFTBRACE, '^', 0xa8, 0 },
	{ KEY_RIGHTBRACE, '$', 0xa3, 0xa4 },
	{ KEY_SEMICOLON, 'm', 'M', 0 },
	{ KEY_M, ',', '?', 0 },
	{ KEY_COMMA, ';', '.', 0 },
	{ KEY_DOT, ':', '/', 0 },
	{ KEY_SLASH, '!', 0xa7, 0 },
	{ KEY_APOSTROPHE, 0xf9, '%', 0 },
	{ KEY_GRAVE, 0xb2, 0, 0 },
	{ KEY_BACKSLASH, '*', 0xb5, 0 },
	{ 0, 0, 0, 0 },
};

static const struct layout_key keys_jp[] = {
	{ KEY_2, '2', '"', 0 },
	{ KEY_6, '6', '&', 0 },
	{ KEY_7, '7', '\'', 0 },
	{ KEY_8, '8', '(', 0 },
	{ KEY_9, '9', ')', 0 },
	{ KEY_0, '0', 0, 0 },
	{ KEY_MINUS, '-', '=', 0 },
	{ KEY_EQUAL, '^', '~', 0 },
	{ KEY_YEN, 0xa5, '|', 0 },
	{ KEY_LEFTBRACE, '@', '`', 0 },
	{ KEY_RIGHTBRACE, '[', '{', 0 },
	{ KEY_SEMICOLON, ';', '+', 0 },
	{ KEY_APOSTROPHE, ':', '*', 0 },
	{ KEY_BACKSLASH, ']', '}', 0 },
	{ KEY_RO, '\\', '_', 0 },
	{ 0, 0, 0, 0 },
};

static const struct keyboard_layout layouts[] = {
	{ "us", keys_us },
	{ "de", keys_de },
	{ "fr", keys_fr },
	{ "jp", keys_jp },
};

void keyboard_init(struct keyboard *keyboard)
{
	*keyboard = (struct keyboard){ .layout = &layouts[0] };
}

bool keyboard_set_layout(struct keyboard *keyboard, const char *name)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (text_equal(layouts[i].name, name)) {
			keyboard->layout = &layouts[i];
			return true;
		}
	}
	return false;
}

const char *keyboard_layout_name(const struct keyboard *keyboard)
{
	return keyboard->layout->name;
}

unsigned int keyboard_mods(const struct keyboard *keyboard)
{
	const bool *down = keyboard->down;
	unsigned int mods = 0;

	mods |= down[KEY_LEFTSHIFT] || down[KEY_RIGHTSHIFT] ? MOD_SHIFT : 0;
	mods |= down[KEY_LEFTCTRL] || down[KEY_RIGHTCTRL] ? MOD_CTRL : 0;
	mods |= down[KEY_LEFTALT] ? MOD_ALT : 0;
	mods |= down[KEY_RIGHTALT] ? MOD_ALTGR : 0;
	mods |= down[KEY_LEFTMETA] || down[KEY_RIGHTMETA] ? MOD_META : 0;
	return mods;
}

static const struct layout_key *find_key(const struct layout_key *keys, int code)
{
	for (; keys->code; keys++) {
		if (keys->code == code) {
			return keys;
		}
	}
	return NULL;
}

static bool is_letter(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= 0xe0 && code <= 0xfe && code != 0xf7);
}

static uint32_t translate(const struct keyboard *keyboard, int code, unsigned int mods)
{
	const struct layout_key *key = find_key(keyboard->layout->keys, code);
	bool shift = mods & MOD_SHIFT;

	if (!key) {
		key = find_key(keys_us, code);
	}
	if (!key || (mods & (MOD_CTRL | MOD_ALT | MOD_META))) {
		return 0;
	}
	if (mods & MOD_ALTGR) {
		return key->altgr;
	}
	/* Caps lock turns letters only, and a letter is what has a matching capital beside it. */
	if (keyboard->caps_lock && is_letter(key->plain) && key->shift == key->plain - 32) {
		shift = !shift;
	}
	return shift ? key->shift : key->plain;
}

static bool is_modifier(int code)
{
	return code == KEY_LEFTSHIFT || code == KEY_RIGHTSHIFT || code == KEY_LEFTCTRL ||
	       code == KEY_RIGHTCTRL || code == KEY_LEFTALT || code == KEY_RIGHTALT ||
	       code == KEY_LEFTMETA || code == KEY_RIGHTMETA || code == KEY_CAPSLOCK ||
	       code == KEY_NUMLOCK || code == KEY_SCROLLLOCK;
}

bool keyboard_feed(
    struct keyboard *keyboard, int code, int value, uint64_t now_ms, struct key_press *press)
{
	if (code <= 0 || code >= KEYBOARD_KEYS || (value == 0 && !keyboard->down[code])) {
		return false;
	}
	*press = (struct key_press){
		.code = code, .down = value != 0, .repeat = value != 0 && keyboard->down[code]
	};
	keyboard->down[code] = value != 0;
	if (code == KEY_CAPSLOCK && press->down && !press->repeat) {
		keyboard->caps_lock = !keyboard->caps_lock;
	}
	press->mods = keyboard_mods(keyboard);
	if (press->down) {
		press->text = translate(keyboard, code, press->mods);
	}
	if (press->down && !is_modifier(code)) {
		keyboard->repeat_code = code;
		keyboard->repeat_ms = now_ms + REPEAT_DELAY_MS;
	} else if (code == keyboard->repeat_code) {
		keyboard->repeat_code = 0;
	}
	return true;
}

bool keyboard_repeat(struct keyboard *keyboard, uint64_t now_ms, struct key_press *press)
{
	if (!keyboard->repeat_code || now_ms < keyboard->repeat_ms) {
		return false;
	}
	keyboard->repeat_ms = now_ms + REPEAT_INTERVAL_MS;
	*press = (struct key_press){ .code = keyboard->repeat_code,
		.down = true,
		.repeat = true,
		.mods = keyboard_mods(keyboard) };
	press->text = translate(keyboard, press->code, press->mods);
	return true;
}

void keyboard_release_all(struct keyboard *keyboard)
{
	memset(keyboard->down, 0, sizeof(keyboard->down));
	keyboard->repeat_code = 0;
}
