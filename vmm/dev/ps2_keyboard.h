/*
 * A PS/2 keyboard on its cable: bytes from the controller, bytes to it. Scan code sets 1 and 2 (set 3 is refused), LEDs,
 * identify, scan enable and disable, defaults, resend, reset. It does not repeat keys by itself: whoever presses them
 * does, and each further press is a further make code. IBM PS/2 Hardware Interface Technical Reference, "Keyboards".
 *
 * When the guest does not read, up to PS2_KEYBOARD_BACKLOG events wait; beyond that events are dropped, and what is down
 * by then is made known when there is room again, so no key stays pressed. Embedded by value; machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/dev/ps2_queue.h"

enum {
	PS2_KEYBOARD_KEYS = 256,
	PS2_KEYBOARD_BACKLOG = 256,
};

struct ps2_keyboard {
	struct ps2_queue queue;
	bool scanning;
	uint8_t set; /* 1 or 2 */
	uint8_t leds;
	uint8_t command; /* whose parameter comes next, 0: none */
	uint8_t last;    /* byte sent, for resend */
	bool patient;    /* a driver is known to read: events may wait in the backlog */
	bool behind;     /* events were dropped */
	uint8_t held[PS2_KEYBOARD_KEYS / 8];    /* what is down */
	uint8_t told[PS2_KEYBOARD_KEYS / 8];    /* what the guest believes to be down */
	uint16_t backlog[PS2_KEYBOARD_BACKLOG]; /* key, and PS2_KEYBOARD_DOWN; a ring */
	uint16_t backlog_head, backlog_count;
};

/* Power on. */
void ps2_keyboard_init(struct ps2_keyboard *keyboard);
/* A byte from the controller. Returns true when it changed the LEDs. */
bool ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte);
/* The next byte to the controller; false when there is none. */
bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *byte);
/* False when the keyboard has no such key or is not scanning, or the event had to be dropped. */
bool ps2_keyboard_key(struct ps2_keyboard *keyboard, uint16_t code, bool down);
/* Every key that is down, or that the guest believes to be, goes up. */
void ps2_keyboard_release_all(struct ps2_keyboard *keyboard);
void ps2_keyboard_save(const struct ps2_keyboard *keyboard, struct wire *out);
must_check int ps2_keyboard_load(struct ps2_keyboard *keyboard, struct wire *in);
