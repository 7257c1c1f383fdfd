/*
 * Input events as a compromised writer sends them. What decodes is in range, and encodes to bytes
 * that decode to the same.
 */
#include <linux/input-event-codes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void check_event(const struct input_event *event)
{
	uint8_t bytes[INPUT_EVENT_WIRE_SIZE];
	struct input_event again;
	struct wire wire;

	expect(event->type >= INPUT_KEY && event->type <= INPUT_RELEASE_ALL);
	expect(event->code <= INPUT_KEY_MAX);
	expect(event->value >= -INPUT_WHEEL_MAX && event->value <= INPUT_WHEEL_MAX);
	wire_init_write(&wire, bytes, sizeof(bytes));
	input_event_encode(event, &wire);
	expect(wire_done(&wire));
	wire_init_read(&wire, bytes, sizeof(bytes));
	expect(input_event_decode(&wire, &again) == 0);
	expect(wire_done(&wire));
	expect(
	    again.type == event->type && again.code == event->code && again.value == event->value);
	expect(again.x == event->x && again.y == event->y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire wire;

	wire_init_read(&wire, data, size);
	while (wire_remaining(&wire) > 0) {
		struct input_event event;

		if (input_event_decode(&wire, &event) == 0) {
			check_event(&event);
		} else {
			expect(!wire_ok(&wire) && event.type == 0 && event.code == 0);
		}
	}
	return 0;
}
