/*
 * What a person did, on its way from a viewer to the emulated devices: fixed-size events in evdev's
 * numbers (linux/input-event-codes.h). Written by display/ and the command line, read by the VMM,
 * which trusts none of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

enum input_event_type {
	/* code: KEY_*; value: 1 pressed, 0 released */
	INPUT_KEY = 1,
	/* x, y: 0..65535 across the picture; code unused */
	INPUT_POINTER = 2,
	/* code: BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA; value: 1 or 0 */
	INPUT_BUTTON = 3,
	/* code: REL_WHEEL (value > 0: up) or REL_HWHEEL (value > 0: right); value: notches */
	INPUT_WHEEL = 4,
	/* every key and button that is down is released: a viewer went away */
	INPUT_RELEASE_ALL = 5,
};

struct input_event {
	uint8_t type;
	uint16_t code;
	int32_t value;
	uint16_t x;
	uint16_t y;
};

enum {
	INPUT_EVENT_WIRE_SIZE = 12, /* type, a zero byte, code, value, x, y */
	INPUT_KEY_MAX = 0x2ff,      /* KEY_MAX */
	INPUT_WHEEL_MAX = 127,      /* notches in one event, in either direction */
};

void input_event_encode(const struct input_event *event, struct wire *wire);
/* Returns 0, or -EPROTO when the event is cut, of an unknown type, or its numbers are bad. */
must_check int input_event_decode(struct wire *wire, struct input_event *event);
