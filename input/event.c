/*
 * The wire form of an input event. The writer may be compromised: what decodes successfully is of a
 * known type, with numbers in the ranges that the header gives and zeros in what its type does not
 * use.
 */
#include "input/event.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

void input_event_encode(const struct input_event *event, struct wire *wire)
{
	wire_put_u8(wire, event->type);
	wire_put_u8(wire, 0);
	wire_put_u16(wire, event->code);
	wire_put_u32(wire, (uint32_t)event->value);
	wire_put_u16(wire, event->x);
	wire_put_u16(wire, event->y);
}

static bool is_button(uint16_t code)
{
	return code == BTN_LEFT || code == BTN_RIGHT || code == BTN_MIDDLE || code == BTN_SIDE ||
	       code == BTN_EXTRA;
}

/* Copies what the type uses from `raw` to `event`. Returns false when a number of it is out of
 * range. */
static bool accept_event(const struct input_event *raw, struct input_event *event)
{
	event->type = raw->type;
	switch ((enum input_event_type)raw->type) {
	case INPUT_KEY:
		event->code = raw->code;
		event->value = raw->value;
		return raw->code > 0 && raw->code <= INPUT_KEY_MAX &&
		       (raw->value == 0 || raw->value == 1);
	case INPUT_POINTER:
		event->x = raw->x;
		event->y = raw->y;
		return true;
	case INPUT_BUTTON:
		event->code = raw->code;
		event->value = raw->value;
		return is_button(raw->code) && (raw->value == 0 || raw->value == 1);
	case INPUT_WHEEL:
		event->code = raw->code;
		event->value = raw->value;
		return (raw->code == REL_WHEEL || raw->code == REL_HWHEEL) && raw->value != 0 &&
		       raw->value >= -INPUT_WHEEL_MAX && raw->value <= INPUT_WHEEL_MAX;
	case INPUT_RELEASE_ALL:
		return true;
	}
	return false;
}

int input_event_decode(struct wire *wire, struct input_event *event)
{
	struct input_event raw;

	memset(event, 0, sizeof(*event));
	raw.type = wire_get_u8(wire);
	if (wire_get_u8(wire) != 0) {
		wire_fail(wire);
	}
	raw.code = wire_get_u16(wire);
	raw.value = (int32_t)wire_get_u32(wire);
	raw.x = wire_get_u16(wire);
	raw.y = wire_get_u16(wire);
	if (!wire_ok(wire) || !accept_event(&raw, event)) {
		wire_fail(wire);
		memset(event, 0, sizeof(*event));
		return -EPROTO;
	}
	return 0;
}
