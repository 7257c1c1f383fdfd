/* Input events on the wire, and pointer events on their way to them. */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "input/event.h"
#include "input/pointer.h"

static int pass_through(const struct input_event *event, struct input_event *result)
{
	uint8_t bytes[INPUT_EVENT_WIRE_SIZE];
	struct wire wire;
	int error;

	wire_init_write(&wire, bytes, sizeof(bytes));
	input_event_encode(event, &wire);
	assert_true(wire_ok(&wire));
	assert_int_equal(wire.position, INPUT_EVENT_WIRE_SIZE);
	wire_init_read(&wire, bytes, sizeof(bytes));
	error = input_event_decode(&wire, result);
	assert_true(error || wire_done(&wire));
	return error;
}

static void test_valid_events(void **state)
{
	static const struct input_event events[] = {
		{ INPUT_KEY, KEY_ESC, 1, 0, 0 },
		{ INPUT_KEY, INPUT_KEY_MAX, 0, 0, 0 },
		{ INPUT_POINTER, 0, 0, 0, 65535 },
		{ INPUT_BUTTON, BTN_LEFT, 1, 0, 0 },
		{ INPUT_BUTTON, BTN_EXTRA, 0, 0, 0 },
		{ INPUT_WHEEL, REL_WHEEL, -1, 0, 0 },
		{ INPUT_WHEEL, REL_HWHEEL, INPUT_WHEEL_MAX, 0, 0 },
		{ INPUT_RELEASE_ALL, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct input_event result;

		assert_int_equal(pass_through(&events[i], &result), 0);
		assert_int_equal(result.type, events[i].type);
		assert_int_equal(result.code, events[i].code);
		assert_int_equal(result.value, events[i].value);
		assert_int_equal(result.x, events[i].x);
		assert_int_equal(result.y, events[i].y);
	}
}

static void test_invalid_events(void **state)
{
	static const struct input_event events[] = {
		{ 0, 0, 0, 0, 0 },
		{ 6, 0, 0, 0, 0 },
		{ 255, KEY_A, 1, 0, 0 },
		{ INPUT_KEY, 0, 1, 0, 0 },
		{ INPUT_KEY, INPUT_KEY_MAX + 1, 1, 0, 0 },
		{ INPUT_KEY, 0xffff, 1, 0, 0 },
		{ INPUT_KEY, KEY_A, 2, 0, 0 },
		{ INPUT_KEY, KEY_A, -1, 0, 0 },
		{ INPUT_BUTTON, BTN_TASK, 1, 0, 0 },
		{ INPUT_BUTTON, KEY_A, 1, 0, 0 },
		{ INPUT_BUTTON, BTN_LEFT, INT32_MIN, 0, 0 },
		{ INPUT_WHEEL, REL_X, 1, 0, 0 },
		{ INPUT_WHEEL, REL_WHEEL, 0, 0, 0 },
		{ INPUT_WHEEL, REL_WHEEL, INT32_MIN, 0, 0 },
		{ INPUT_WHEEL, REL_WHEEL, INPUT_WHEEL_MAX + 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct input_event result;

		assert_int_equal(pass_through(&events[i], &result), -EPROTO);
		assert_int_equal(result.type, 0);
	}
}

static void test_cut_and_padded_events(void **state)
{
	uint8_t bytes[INPUT_EVENT_WIRE_SIZE] = { INPUT_KEY, 0, KEY_A, 0, 1 };
	struct input_event result;
	struct wire wire;

	(void)state;
	for (size_t size = 0; size < sizeof(bytes); size++) {
		wire_init_read(&wire, bytes, size);
		assert_int_equal(input_event_decode(&wire, &result), -EPROTO);
	}
	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(input_event_decode(&wire, &result), 0);
	bytes[1] = 1;
	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(input_event_decode(&wire, &result), -EPROTO);
}

/* What a type does not use is zero after decoding, whatever the writer put there. */
static void test_unused_numbers_are_cleared(void **state)
{
	const struct input_event event = { INPUT_KEY, KEY_A, 1, 77, 88 };
	struct input_event result;

	(void)state;
	assert_int_equal(pass_through(&event, &result), 0);
	assert_int_equal(result.x, 0);
	assert_int_equal(result.y, 0);
}

static void test_pointer_moves(void **state)
{
	struct pointer pointer = { 0 };
	struct input_event events[POINTER_EVENTS_MAX];

	(void)state;
	assert_int_equal(pointer_event(&pointer, 0, 0, 0, 800, 600, events), 1);
	assert_int_equal(events[0].type, INPUT_POINTER);
	assert_int_equal(events[0].x, 0);
	assert_int_equal(pointer_event(&pointer, 0, 0, 0, 800, 600, events), 0);
	assert_int_equal(pointer_event(&pointer, 0, 799, 599, 800, 600, events), 1);
	assert_int_equal(events[0].x, 65535);
	assert_int_equal(events[0].y, 65535);
	/* Outside is the edge; the largest numbers do not overflow. */
	assert_int_equal(pointer_event(&pointer, 0, 65535, UINT32_MAX, 800, 600, events), 0);
	assert_int_equal(pointer_event(&pointer, 0, UINT32_MAX / 2, 0, UINT32_MAX, 1, events), 1);
	assert_in_range(events[0].x, 32766, 32768);
	assert_int_equal(events[0].y, 0);
}

static void test_pointer_buttons(void **state)
{
	struct pointer pointer = { 0 };
	struct input_event events[POINTER_EVENTS_MAX];

	(void)state;
	assert_int_equal(pointer_event(&pointer, 0x1, 5, 5, 10, 10, events), 2);
	assert_int_equal(events[0].type, INPUT_POINTER);
	assert_int_equal(events[1].type, INPUT_BUTTON);
	assert_int_equal(events[1].code, BTN_LEFT);
	assert_int_equal(events[1].value, 1);
	assert_int_equal(pointer_event(&pointer, 0x4, 5, 5, 10, 10, events), 2);
	assert_int_equal(events[0].code, BTN_LEFT);
	assert_int_equal(events[0].value, 0);
	assert_int_equal(events[1].code, BTN_RIGHT);
	assert_int_equal(pointer_event(&pointer, 0, 5, 5, 10, 10, events), 1);
	assert_int_equal(pointer_event(&pointer, 0x182, 5, 5, 10, 10, events), 3);
	assert_int_equal(events[0].code, BTN_MIDDLE);
	assert_int_equal(events[1].code, BTN_SIDE);
	assert_int_equal(events[2].code, BTN_EXTRA);
}

static void test_pointer_wheel(void **state)
{
	static const struct {
		uint16_t mask;
		uint16_t code;
		int32_t value;
	} wheels[] = {
		{ 0x08, REL_WHEEL, 1 },
		{ 0x10, REL_WHEEL, -1 },
		{ 0x20, REL_HWHEEL, -1 },
		{ 0x40, REL_HWHEEL, 1 },
	};
	struct pointer pointer = { 0 };
	struct input_event events[POINTER_EVENTS_MAX];

	(void)state;
	assert_int_equal(pointer_event(&pointer, 0, 1, 1, 10, 10, events), 1);
	for (size_t i = 0; i < sizeof(wheels) / sizeof(wheels[0]); i++) {
		assert_int_equal(pointer_event(&pointer, wheels[i].mask, 1, 1, 10, 10, events), 1);
		assert_int_equal(events[0].type, INPUT_WHEEL);
		assert_int_equal(events[0].code, wheels[i].code);
		assert_int_equal(events[0].value, wheels[i].value);
		assert_int_equal(pointer_event(&pointer, 0, 1, 1, 10, 10, events), 0);
	}
	/* Every bit at once, as only an attacker has it: still within the bound, all valid. */
	pointer = (struct pointer){ 0 };
	assert_int_equal(pointer_event(&pointer, 0xffff, 9, 9, 10, 10, events), 10);
	for (size_t i = 0; i < 10; i++) {
		struct input_event result;

		assert_int_equal(pass_through(&events[i], &result), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_events),
		cmocka_unit_test(test_invalid_events),
		cmocka_unit_test(test_cut_and_padded_events),
		cmocka_unit_test(test_unused_numbers_are_cleared),
		cmocka_unit_test(test_pointer_moves),
		cmocka_unit_test(test_pointer_buttons),
		cmocka_unit_test(test_pointer_wheel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
