/* Who hears an event, and that nothing stays pressed where it was pressed. */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_config.h>

#include "cmocka_prelude.h"
#include "fake_driver.h"
#include "input/event.h"

enum {
	SPACE = 0x100000,
	BUFFERS = 0x200000,
	STARTED = 0x0f,
};

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)

struct test {
	struct fake_machine *machine;
	struct fake_driver keyboard, tablet;
};

static int setup(void **state)
{
	static struct test test;

	test.machine = fake_machine_create();
	*state = &test;
	/* Explorer mouse, reporting; mouse port on. */
	fake_out(test.machine, 0x64, 1, 0x60);
	fake_out(test.machine, 0x60, 1, 0x43);
	for (int i = 0; i < 7; i++) {
		static const uint8_t bytes[] = { 0xf3, 200, 0xf3, 200, 0xf3, 80, 0xf4 };

		fake_out(test.machine, 0x64, 1, 0xd4);
		fake_out(test.machine, 0x60, 1, bytes[i]);
	}
	while (fake_in(test.machine, 0x64, 1) & 1) {
		(void)fake_in(test.machine, 0x60, 1);
	}
	return fake_driver_probe(test.machine, SLOT_KEYBOARD, SPACE, &test.keyboard) &&
		       fake_driver_probe(test.machine, SLOT_TABLET, SPACE + 0x10000, &test.tablet)
		   ? 0
		   : -1;
}

static int teardown(void **state)
{
	fake_machine_destroy(((struct test *)*state)->machine);
	return 0;
}

static void start(struct fake_driver *driver)
{
	assert_int_equal(fake_driver_start(driver, VERSION_1, 2, true), STARTED);
	for (uint16_t i = 0; i < 64; i++) {
		fake_give_buffer(driver, 0, i, BUFFERS + driver->slot * 0x1000 + 8u * i, 8, true);
	}
	fake_notify(driver, 0);
}

static void send(
    struct test *test, uint8_t type, uint16_t code, int32_t value, uint16_t x, uint16_t y)
{
	struct input_event event = { .type = type, .code = code, .value = value, .x = x, .y = y };

	input_router_event(test->machine->router, &event, 1000, 500);
}

static void expect_ps2(struct test *test, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_true(fake_in(test->machine, 0x64, 1) & 1);
		assert_int_equal(fake_in(test->machine, 0x60, 1), (uint8_t)bytes[i]);
	}
	assert_false(fake_in(test->machine, 0x64, 1) & 1);
}

#define PS2(test, bytes) expect_ps2(test, bytes, sizeof(bytes) - 1)

static void expect_event(struct fake_driver *driver, uint16_t type, uint16_t code, int32_t value)
{
	uint32_t id, length;
	uint8_t bytes[8];
	struct wire in;

	assert_true(fake_collect(driver, 0, &id, &length));
	assert_int_equal(guestmem_read(&driver->machine->memory,
			     BUFFERS + driver->slot * 0x1000 + 8u * id, bytes, 8),
	    0);
	wire_init_read(&in, bytes, 8);
	assert_int_equal(wire_get_u16(&in), type);
	assert_int_equal(wire_get_u16(&in), code);
	assert_int_equal((int32_t)wire_get_u32(&in), value);
}

static void expect_group(struct fake_driver *driver, uint16_t type, uint16_t code, int32_t value)
{
	expect_event(driver, type, code, value);
	expect_event(driver, EV_SYN, SYN_REPORT, 0);
}

static void expect_none(struct fake_driver *driver)
{
	uint32_t id, length;

	assert_false(fake_collect(driver, 0, &id, &length));
}

static void test_ps2_first(void **state)
{
	struct test *test = *state;

	send(test, INPUT_KEY, KEY_A, 1, 0, 0);
	send(test, INPUT_KEY, KEY_A, 0, 0, 0);
	PS2(test, "\x1e\x9e");
	/* From the middle (500, 250) to (520, 240). */
	send(test, INPUT_POINTER, 0, 0, (uint16_t)(65536 * 520 / 1000 + 1),
	    (uint16_t)(65536 * 240 / 500 + 1));
	PS2(test, "\x08\x14\x0a\x00");
	send(test, INPUT_BUTTON, BTN_RIGHT, 1, 0, 0);
	PS2(test, "\x0a\x00\x00\x00");
	send(test, INPUT_WHEEL, REL_WHEEL, -1, 0, 0);
	PS2(test, "\x0a\x00\x00\x01");
	send(test, INPUT_WHEEL, REL_HWHEEL, 1, 0, 0);
	PS2(test, "");
	send(test, INPUT_RELEASE_ALL, 0, 0, 0, 0);
	PS2(test, "\x08\x00\x00\x00");
	send(test, INPUT_KEY, KEY_POWER, 1, 0, 0);
	PS2(test, "\xe0\x5e");
}

static void test_virtio_when_it_is_there(void **state)
{
	struct test *test = *state;

	start(&test->keyboard);
	start(&test->tablet);
	send(test, INPUT_KEY, KEY_A, 1, 0, 0);
	send(test, INPUT_KEY, KEY_POWER, 1, 0, 0);
	expect_group(&test->keyboard, EV_KEY, KEY_A, 1);
	expect_group(&test->keyboard, EV_KEY, KEY_POWER, 1);
	send(test, INPUT_POINTER, 0, 0, 65535, 32768);
	expect_event(&test->tablet, EV_ABS, ABS_X, 32767);
	expect_event(&test->tablet, EV_ABS, ABS_Y, 16384);
	expect_event(&test->tablet, EV_SYN, SYN_REPORT, 0);
	send(test, INPUT_BUTTON, BTN_LEFT, 1, 0, 0);
	expect_group(&test->tablet, EV_KEY, BTN_LEFT, 1);
	send(test, INPUT_WHEEL, REL_HWHEEL, 2, 0, 0);
	expect_group(&test->tablet, EV_REL, REL_HWHEEL, 2);
	send(test, INPUT_RELEASE_ALL, 0, 0, 0, 0);
	expect_group(&test->keyboard, EV_KEY, KEY_A, 0);
	expect_group(&test->keyboard, EV_KEY, KEY_POWER, 0);
	expect_group(&test->tablet, EV_KEY, BTN_LEFT, 0);
	expect_none(&test->keyboard);
	expect_none(&test->tablet);
	PS2(test, "");
}

/* The driver comes while a key is down: it goes up where it went down. */
static void test_driver_comes(void **state)
{
	struct test *test = *state;

	send(test, INPUT_KEY, KEY_LEFTCTRL, 1, 0, 0);
	send(test, INPUT_BUTTON, BTN_LEFT, 1, 0, 0);
	PS2(test, "\x1d\x09\x00\x00\x00");
	start(&test->keyboard);
	PS2(test, "\x9d");
	start(&test->tablet);
	PS2(test, "\x08\x00\x00\x00");
	send(test, INPUT_KEY, KEY_LEFTCTRL, 0, 0, 0);
	send(test, INPUT_KEY, KEY_B, 1, 0, 0);
	expect_group(&test->keyboard, EV_KEY, KEY_B, 1);
	PS2(test, "");
}

static void test_driver_goes(void **state)
{
	struct test *test = *state;

	start(&test->keyboard);
	start(&test->tablet);
	send(test, INPUT_KEY, KEY_A, 1, 0, 0);
	fake_driver_set_status(&test->keyboard, 0);
	fake_driver_set_status(&test->tablet, 0);
	send(test, INPUT_KEY, KEY_A, 0, 0, 0);
	PS2(test, "");
	send(test, INPUT_KEY, KEY_A, 1, 0, 0);
	PS2(test, "\x1e");
	start(&test->keyboard);
	PS2(test, "\x9e");
	/* A driver that breaks its queue loses the keyboard to PS/2. */
	fake_give(&test->keyboard, 0, 0xffff);
	for (int i = 0; i < 40; i++) {
		send(test, INPUT_KEY, KEY_C, i % 2 == 0, 0, 0);
	}
	assert_false(virtio_input_ready(test->machine->keyboard));
	send(test, INPUT_KEY, KEY_D, 1, 0, 0);
	while (fake_in(test->machine, 0x64, 1) & 1) {
		(void)fake_in(test->machine, 0x60, 1);
	}
	send(test, INPUT_KEY, KEY_D, 0, 0, 0);
	PS2(test, "\xa0");
}

static void test_resumed(void **state)
{
	struct test *test = *state;

	start(&test->tablet);
	send(test, INPUT_KEY, KEY_LEFTALT, 1, 0, 0);
	send(test, INPUT_BUTTON, BTN_LEFT, 1, 0, 0);
	expect_group(&test->tablet, EV_KEY, BTN_LEFT, 1);
	PS2(test, "\x38");
	input_router_resumed(test->machine->router);
	PS2(test, "\xb8");
	expect_group(&test->tablet, EV_KEY, BTN_LEFT, 0);
}

static void test_odd_events(void **state)
{
	struct test *test = *state;
	struct input_event event = { .type = INPUT_POINTER, .x = 65535, .y = 65535 };

	input_router_event(test->machine->router, &event, 0, 0);
	input_router_event(test->machine->router, &event, UINT32_MAX, UINT32_MAX);
	send(test, 99, 1, 1, 1, 1);
	send(test, INPUT_BUTTON, 0xffff, 1, 0, 0);
	send(test, INPUT_KEY, 0xffff, 1, 0, 0);
	send(test, INPUT_WHEEL, REL_WHEEL, 0, 0, 0);
	PS2(test, "");
	assert_int_equal(input_router_create(NULL, NULL, NULL, NULL), -EINVAL);
	input_router_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ps2_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_virtio_when_it_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_driver_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_driver_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_events, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
