/*
 * From RFB PointerEvents (button mask and position in the picture) to input events: only what
 * changed, positions scaled to 0..65535, wheel buttons 4-7 turned into notches, 8 and 9 into side
 * buttons (rfbproto, "Extended Mouse Buttons"). Pure; one thread.
 */
#pragma once

#include "input/event.h"

enum {
	POINTER_EVENTS_MAX = 16,
};

struct pointer {
	uint16_t buttons; /* RFB mask of the last event */
	uint16_t x, y;
	bool positioned;
};

/* `width` and `height` of the picture in pixels, > 0. Returns the number of events written. */
size_t pointer_event(struct pointer *pointer, uint16_t buttons, uint32_t x, uint32_t y,
    uint32_t width, uint32_t height, struct input_event *events);
