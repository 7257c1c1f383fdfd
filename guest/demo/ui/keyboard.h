/*
 * From key codes to characters: keyboard layouts, modifiers, caps lock and soft repeat. Pure logic,
 * no I/O; time is passed in. What must stay true: a key that went down is up after
 * keyboard_release_all(), whatever was lost.
 */
#pragma once

#include "ui/app.h"

#define KEYBOARD_KEYS 256

struct keyboard_layout;

struct keyboard {
	const struct keyboard_layout *layout;
	bool down[KEYBOARD_KEYS];
	bool caps_lock;
	int repeat_code;    /* key that is held, or 0 */
	uint64_t repeat_ms; /* when it repeats next */
};

/* Starts with the US layout and no key down. */
void keyboard_init(struct keyboard *keyboard);

/* Picks a layout ("us", "de", "fr", "jp"); false if there is no such. */
bool keyboard_set_layout(struct keyboard *keyboard, const char *name);
const char *keyboard_layout_name(const struct keyboard *keyboard);

/* Takes one event (value 0 up, 1 down, 2 repeat) and says what was pressed. False if it means
 * nothing. */
bool keyboard_feed(
    struct keyboard *keyboard, int code, int value, uint64_t now_ms, struct key_press *press);

/* If the held key is due, fills in the repeated press. */
bool keyboard_repeat(struct keyboard *keyboard, uint64_t now_ms, struct key_press *press);

/* Forgets all held keys: after a resume their releases may never come. */
void keyboard_release_all(struct keyboard *keyboard);

/* Held modifiers, as MOD_x. */
unsigned int keyboard_mods(const struct keyboard *keyboard);

/* The name of a key ("A", "Left Shift"), or "" if it has none here. */
const char *keyboard_key_name(int code);
