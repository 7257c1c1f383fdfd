/*
 * A viewer that sends any key events, by symbol and by scancode, and any pointer events. The guest
 * must see what a keyboard can do: no key released that is up, all events decodable, never more
 * than the bound, and after releasing what is held nothing is down.
 *
 * Input: the layout (one byte), then per event an operation, a keysym and a scancode.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input/keyboard.h"
#include "input/pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Static_assert((int)KEYBOARD_EVENTS_MAX >= (int)POINTER_EVENTS_MAX, "one buffer for both");

static const char *const LAYOUTS[] = { "us", "jp", "de", "fr" };

static void expect(bool condition)
{
	if (!condition) {
		abort();
	}
}

/* Compiled once: it is by far the slowest part. */
static const struct keymap *get_keymap(size_t index)
{
	static struct keymap *keymaps[sizeof(LAYOUTS) / sizeof(LAYOUTS[0])];

	if (!keymaps[index]) {
		expect(keymap_create(LAYOUTS[index], &keymaps[index]) == 0);
	}
	return keymaps[index];
}

/* The guest's view of its keys. */
static void take_events(const struct input_event *events, size_t count, bool *down)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[INPUT_EVENT_WIRE_SIZE];
		struct input_event event;
		struct wire wire;

		wire_init_write(&wire, bytes, sizeof(bytes));
		input_event_encode(&events[i], &wire);
		wire_init_read(&wire, bytes, sizeof(bytes));
		expect(input_event_decode(&wire, &event) == 0);
		if (event.type == INPUT_KEY) {
			expect(event.value || down[event.code]);
			down[event.code] = event.value;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_event events[KEYBOARD_EVENTS_MAX];
	bool down[INPUT_KEY_MAX + 1] = { false };
	struct pointer pointer = { 0 };
	struct keyboard *keyboard;
	struct wire wire;
	size_t count;

	wire_init_read(&wire, data, size);
	expect(keyboard_create(get_keymap(wire_get_u8(&wire) % 4), &keyboard) == 0);
	while (wire_remaining(&wire) >= 7) {
		uint8_t operation = wire_get_u8(&wire);
		uint32_t keysym = wire_get_u32(&wire);
		uint16_t scancode = wire_get_u16(&wire);

		switch (operation % 8) {
		case 6:
			count = pointer_event(&pointer, scancode, keysym & 0xffff, keysym >> 16,
			    operation / 8 + 1u, 600, events);
			expect(count <= POINTER_EVENTS_MAX);
			break;
		case 7:
			keyboard_set_caps_lock(keyboard, operation & 8);
			continue;
		case 4:
		case 5:
			count = keyboard_scancode(
			    keyboard, keysym, scancode, operation & 1, events);
			expect(count <= KEYBOARD_EVENTS_MAX);
			break;
		default:
			count = keyboard_keysym(keyboard, keysym, operation & 1, events);
			expect(count <= KEYBOARD_EVENTS_MAX);
			break;
		}
		take_events(events, count, down);
	}
	/* Every key that is down can be released by its scancode or is released with its symbol. */
	for (uint32_t scancode = 1; scancode < 256; scancode++) {
		count = keyboard_scancode(keyboard, 0, scancode, false, events);
		take_events(events, count, down);
	}
	for (uint16_t code = 1; code < 256; code++) {
		for (uint32_t scancode = 1; scancode < 256; scancode++) {
			expect(keyboard_code_from_scancode(scancode) != code || !down[code]);
		}
	}
	keyboard_destroy(keyboard);
	return 0;
}
