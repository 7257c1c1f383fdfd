/*
 * The keys that one viewer holds down. It turns the viewer's key events, by keysym or by QEMU's
 * extended scancode, into events for the guest, so that the guest's view is always consistent: a
 * release matches the press even when the keysym changed in between (Shift released first), and
 * everything held is released when the viewer leaves. Pure; one thread.
 */
#pragma once

#include "input/event.h"
#include "input/keymap.h"

struct keyboard;

enum {
	KEYBOARD_EVENTS_MAX = 16,
};

/* Borrows `keymap`, which must outlive the keyboard. */
must_check int keyboard_create(const struct keymap *keymap, struct keyboard **keyboard);
void keyboard_destroy(struct keyboard *keyboard);

/* RFB KeyEvent. Returns the number of events written (0 when the symbol is unknown or the release
 * matches no press). */
size_t keyboard_keysym(
    struct keyboard *keyboard, uint32_t keysym, bool down, struct input_event *events);
/*
 * QEMU extended key event: `scancode` is an XT set 1 code, with 0x80 in the low byte for an E0
 * prefix as QEMU has it (rfbproto, "QEMU Extended Key Event Message"). A code of 0 falls back to
 * the keysym.
 */
size_t keyboard_scancode(struct keyboard *keyboard, uint32_t keysym, uint32_t scancode, bool down,
    struct input_event *events);
/* Forgets what is held, after the caller sent INPUT_RELEASE_ALL. */
void keyboard_forget(struct keyboard *keyboard);

/* Tells whether the guest's Caps Lock is on, if that is known (from its LEDs); otherwise it is
 * followed from the presses of its key, beginning with off. */
void keyboard_set_caps_lock(struct keyboard *keyboard, bool on);

/* The evdev key of an XT set 1 scancode in QEMU's form, or 0. */
uint16_t keyboard_code_from_scancode(uint32_t scancode);
