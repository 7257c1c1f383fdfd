/*
 * RFB pointer events into input events. What must stay true: at most POINTER_EVENTS_MAX events, the
 * move before the buttons so that a click lands where the pointer is, and positions inside the
 * picture whatever the viewer says.
 */
#include "input/pointer.h"

#include <assert.h>
#include <linux/input-event-codes.h>

enum {
	POSITION_MAX = 65535,
};

/* What each bit of the mask is, from bit 0. A wheel "button" is a notch when it goes down. */
static const struct {
	uint8_t type;
	uint16_t code;
	int8_t notches;
} BUTTONS[] = {
	{ INPUT_BUTTON, BTN_LEFT, 0 },
	{ INPUT_BUTTON, BTN_MIDDLE, 0 },
	{ INPUT_BUTTON, BTN_RIGHT, 0 },
	{ INPUT_WHEEL, REL_WHEEL, 1 },
	{ INPUT_WHEEL, REL_WHEEL, -1 },
	{ INPUT_WHEEL, REL_HWHEEL, -1 },
	{ INPUT_WHEEL, REL_HWHEEL, 1 },
	{ INPUT_BUTTON, BTN_SIDE, 0 },
	{ INPUT_BUTTON, BTN_EXTRA, 0 },
};

static uint16_t scale(uint32_t position, uint32_t length)
{
	if (length <= 1) {
		return 0;
	}
	if (position > length - 1) {
		position = length - 1;
	}
	return (uint16_t)((uint64_t)position * POSITION_MAX / (length - 1));
}

size_t pointer_event(struct pointer *pointer, uint16_t buttons, uint32_t x, uint32_t y,
    uint32_t width, uint32_t height, struct input_event *events)
{
	uint16_t scaled_x = scale(x, width);
	uint16_t scaled_y = scale(y, height);
	uint16_t changed = pointer->buttons ^ buttons;
	size_t count = 0;

	assert(width > 0 && height > 0);
	if (!pointer->positioned || scaled_x != pointer->x || scaled_y != pointer->y) {
		events[count++] = (struct input_event){
			.type = INPUT_POINTER,
			.x = scaled_x,
			.y = scaled_y,
		};
	}
	for (size_t i = 0; i < sizeof(BUTTONS) / sizeof(BUTTONS[0]); i++) {
		bool down = buttons >> i & 1;

		if (!(changed >> i & 1) || (BUTTONS[i].type == INPUT_WHEEL && !down)) {
			continue;
		}
		events[count++] = (struct input_event){
			.type = BUTTONS[i].type,
			.code = BUTTONS[i].code,
			.value = BUTTONS[i].type == INPUT_WHEEL ? BUTTONS[i].notches : down,
		};
	}
	pointer->positioned = true;
	pointer->x = scaled_x;
	pointer->y = scaled_y;
	pointer->buttons = buttons;
	assert(count <= POINTER_EVENTS_MAX);
	return count;
}
