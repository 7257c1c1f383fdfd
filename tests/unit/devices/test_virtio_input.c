/* virtio-input as Linux's driver sets it up; groups, backlog, what is made up for after a flood. */
#include <limits.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_config.h>
#include <linux/virtio_input.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_driver.h"

enum {
	SPACE = 0x100000,
	BUFFERS = 0x200000,
	EVENTS = 0,
	STATUS = 1,
	QUEUE_SIZE = 64,
	STARTED = 0x0f,
};

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)

struct event {
	uint16_t type, code;
	int32_t value;
};

struct test {
	struct fake_machine *machine;
	struct fake_driver keyboard, tablet;
};

static int setup(void **state)
{
	static struct test test;

	test.machine = fake_machine_create();
	*state = &test;
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

/* virtinput_cfg_select() and a copy of the payload. */
static unsigned config(
    struct fake_driver *driver, uint8_t select, uint8_t subselect, uint8_t payload[128])
{
	unsigned size;

	fake_store(driver->machine, driver->config, 1, select);
	fake_store(driver->machine, driver->config + 1, 1, subselect);
	size = (unsigned)fake_load(driver->machine, driver->config + 2, 1);
	for (unsigned i = 0; i < 128; i++) {
		payload[i] = (uint8_t)fake_load(driver->machine, driver->config + 8 + i, 1);
		assert_true(i < size || payload[i] == 0);
	}
	return size;
}

static bool has_bit(const uint8_t *payload, unsigned bit)
{
	return payload[bit / 8] >> (bit % 8) & 1;
}

static void test_keyboard_config(void **state)
{
	struct test *test = *state;
	uint8_t payload[128];

	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_UNSET, 0, payload), 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_ID_NAME, 0, payload), 17);
	assert_memory_equal(payload, "Tanmatsu Keyboard", 17);
	assert_true(config(&test->keyboard, VIRTIO_INPUT_CFG_ID_SERIAL, 0, payload) > 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_ID_DEVIDS, 0, payload), 8);
	assert_int_equal(payload[0], 0x06); /* BUS_VIRTUAL */
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_PROP_BITS, 0, payload), 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_EV_BITS, EV_KEY, payload), 32);
	assert_true(has_bit(payload, KEY_A));
	assert_true(has_bit(payload, KEY_POWER));
	assert_true(has_bit(payload, KEY_MICMUTE));
	assert_false(has_bit(payload, KEY_RESERVED));
	assert_false(has_bit(payload, BTN_LEFT));
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_EV_BITS, EV_LED, payload), 1);
	assert_int_equal(payload[0], 1 << LED_NUML | 1 << LED_CAPSL | 1 << LED_SCROLLL);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_EV_BITS, EV_REP, payload), 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_EV_BITS, EV_ABS, payload), 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_EV_BITS, 0xff, payload), 0);
	assert_int_equal(config(&test->keyboard, VIRTIO_INPUT_CFG_ABS_INFO, ABS_X, payload), 0);
	assert_int_equal(config(&test->keyboard, 0xff, 0xff, payload), 0);
}

static void test_tablet_config(void **state)
{
	struct test *test = *state;
	uint8_t payload[128];

	assert_int_equal(config(&test->tablet, VIRTIO_INPUT_CFG_ID_NAME, 0, payload), 15);
	assert_int_equal(
	    config(&test->tablet, VIRTIO_INPUT_CFG_EV_BITS, EV_KEY, payload), BTN_EXTRA / 8 + 1);
	for (unsigned button = BTN_LEFT; button <= BTN_EXTRA; button++) {
		assert_true(has_bit(payload, button));
	}
	assert_false(has_bit(payload, KEY_A));
	assert_int_equal(config(&test->tablet, VIRTIO_INPUT_CFG_EV_BITS, EV_REL, payload), 2);
	assert_true(has_bit(payload, REL_WHEEL) && has_bit(payload, REL_HWHEEL));
	assert_int_equal(config(&test->tablet, VIRTIO_INPUT_CFG_EV_BITS, EV_ABS, payload), 1);
	assert_int_equal(payload[0], 3);
	for (uint8_t axis = ABS_X; axis <= ABS_Y; axis++) {
		assert_int_equal(
		    config(&test->tablet, VIRTIO_INPUT_CFG_ABS_INFO, axis, payload), 20);
		assert_memory_equal(
		    payload, "\x00\x00\x00\x00\xff\x7f\x00\x00\x00\x00\x00\x00", 12);
	}
	assert_int_equal(config(&test->tablet, VIRTIO_INPUT_CFG_ABS_INFO, ABS_Z, payload), 0);
	/* Only the two selectors can be written. */
	fake_store(test->machine, test->tablet.config + 2, 1, 0xff);
	fake_store(test->machine, test->tablet.config + 8, 8, UINT64_MAX);
	assert_int_equal(fake_load(test->machine, test->tablet.config + 2, 1), 0);
	assert_int_equal(fake_load(test->machine, test->tablet.config + 136, 1), 0);
}

static void start(struct fake_driver *driver, unsigned buffers)
{
	assert_int_equal(fake_driver_start(driver, VERSION_1, 2, true), STARTED);
	for (uint16_t i = 0; i < buffers; i++) {
		fake_give_buffer(
		    driver, EVENTS, i, BUFFERS + driver->slot * 0x1000 + 8u * i, 8, true);
	}
	fake_notify(driver, EVENTS);
	driver->machine->message_count = 0;
}

static bool take(struct fake_driver *driver, struct event *event, bool give_back)
{
	uint32_t id, length;
	uint8_t bytes[8];
	struct wire in;
	uint64_t address;

	if (!fake_collect(driver, EVENTS, &id, &length)) {
		return false;
	}
	assert_int_equal(length, 8);
	assert_true(id < QUEUE_SIZE);
	address = BUFFERS + driver->slot * 0x1000 + 8u * id;
	assert_int_equal(guestmem_read(&driver->machine->memory, address, bytes, 8), 0);
	wire_init_read(&in, bytes, 8);
	event->type = wire_get_u16(&in);
	event->code = wire_get_u16(&in);
	event->value = (int32_t)wire_get_u32(&in);
	if (give_back) {
		fake_give(driver, EVENTS, (uint16_t)id);
	}
	return true;
}

static void expect(struct fake_driver *driver, uint16_t type, uint16_t code, int32_t value)
{
	struct event event;

	assert_true(take(driver, &event, true));
	assert_int_equal(event.type, type);
	assert_int_equal(event.code, code);
	assert_int_equal(event.value, value);
}

static void expect_nothing(struct fake_driver *driver)
{
	struct event event;

	assert_false(take(driver, &event, false));
}

static void expect_key(struct fake_driver *driver, uint16_t code, int32_t value)
{
	expect(driver, EV_KEY, code, value);
	expect(driver, EV_SYN, SYN_REPORT, 0);
}

static void test_events(void **state)
{
	struct test *test = *state;
	struct virtio_input *keyboard = test->machine->keyboard, *tablet = test->machine->tablet;

	virtio_input_key(keyboard, KEY_A, true); /* nobody listens yet */
	assert_false(virtio_input_ready(keyboard));
	start(&test->keyboard, QUEUE_SIZE);
	assert_true(virtio_input_ready(keyboard));
	expect_nothing(&test->keyboard);
	virtio_input_key(keyboard, KEY_A, true);
	assert_int_equal(test->machine->message_count, 1); /* one interrupt a group */
	expect_key(&test->keyboard, KEY_A, 1);
	virtio_input_key(keyboard, KEY_A, true);
	expect_key(&test->keyboard, KEY_A, 2);
	virtio_input_key(keyboard, KEY_A, false);
	expect_key(&test->keyboard, KEY_A, 0);
	virtio_input_key(keyboard, KEY_A, false);
	virtio_input_key(keyboard, BTN_LEFT, true);
	virtio_input_key(keyboard, 0, true);
	virtio_input_key(keyboard, 0xffff, true);
	virtio_input_wheel(keyboard, REL_WHEEL, 1);
	virtio_input_position(keyboard, 1, 1);
	expect_nothing(&test->keyboard);

	start(&test->tablet, QUEUE_SIZE);
	virtio_input_position(tablet, 32767, 5);
	expect(&test->tablet, EV_ABS, ABS_X, 32767);
	expect(&test->tablet, EV_ABS, ABS_Y, 5);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
	virtio_input_position(tablet, 32768, 5);
	virtio_input_key(tablet, BTN_SIDE, true);
	expect_key(&test->tablet, BTN_SIDE, 1);
	virtio_input_wheel(tablet, REL_WHEEL, -3);
	expect(&test->tablet, EV_REL, REL_WHEEL, -3);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
	virtio_input_wheel(tablet, REL_HWHEEL, 1);
	expect(&test->tablet, EV_REL, REL_HWHEEL, 1);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
	virtio_input_wheel(tablet, REL_X, 1);
	virtio_input_wheel(tablet, REL_WHEEL, 0);
	virtio_input_release_all(tablet);
	expect_key(&test->tablet, BTN_SIDE, 0);
	expect_nothing(&test->tablet);
}

/* Two buffers are not enough for three events: none goes out until the third is there. */
static void test_groups_are_whole(void **state)
{
	struct test *test = *state;

	start(&test->tablet, 2);
	virtio_input_position(test->machine->tablet, 1, 2);
	expect_nothing(&test->tablet);
	assert_int_equal(test->machine->message_count, 0);
	fake_give_buffer(&test->tablet, EVENTS, 2, BUFFERS + SLOT_TABLET * 0x1000 + 16, 8, true);
	fake_notify(&test->tablet, EVENTS);
	assert_int_equal(test->machine->message_count, 1);
	expect(&test->tablet, EV_ABS, ABS_X, 1);
	expect(&test->tablet, EV_ABS, ABS_Y, 2);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
}

/* Positions that nobody took are overtaken; presses between them keep their place. */
static void test_positions_are_overtaken(void **state)
{
	struct test *test = *state;
	struct virtio_input *tablet = test->machine->tablet;

	start(&test->tablet, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		virtio_input_position(tablet, i, i);
	}
	virtio_input_key(tablet, BTN_LEFT, true);
	for (uint32_t i = 0; i < 1000; i++) {
		virtio_input_position(tablet, 2000 + i, i);
	}
	virtio_input_key(tablet, BTN_LEFT, false);
	for (uint16_t i = 0; i < QUEUE_SIZE; i++) {
		fake_give_buffer(
		    &test->tablet, EVENTS, i, BUFFERS + SLOT_TABLET * 0x1000 + 8u * i, 8, true);
	}
	fake_notify(&test->tablet, EVENTS);
	expect(&test->tablet, EV_ABS, ABS_X, 999);
	expect(&test->tablet, EV_ABS, ABS_Y, 999);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
	expect_key(&test->tablet, BTN_LEFT, 1);
	expect(&test->tablet, EV_ABS, ABS_X, 2999);
	expect(&test->tablet, EV_ABS, ABS_Y, 999);
	expect(&test->tablet, EV_SYN, SYN_REPORT, 0);
	expect_key(&test->tablet, BTN_LEFT, 0);
	expect_nothing(&test->tablet);
}

/* A flood without buffers: bounded, whole groups, and at the end the guest knows what is down. */
static void test_flood(void **state)
{
	struct test *test = *state;
	struct virtio_input *keyboard = test->machine->keyboard;
	bool down[256] = { false };
	struct event event;
	unsigned count = 0, in_group = 0;

	start(&test->keyboard, 0);
	virtio_input_key(keyboard, KEY_LEFTSHIFT, true);
	for (unsigned i = 0; i < 3000; i++) {
		virtio_input_key(keyboard, (uint16_t)(KEY_1 + i % 50), i / 50 % 2 == 0);
	}
	virtio_input_key(keyboard, KEY_LEFTSHIFT, false);
	virtio_input_key(keyboard, KEY_F12, true);
	for (uint16_t i = 0; i < 8; i++) {
		fake_give_buffer(
		    &test->keyboard, EVENTS, i, BUFFERS + SLOT_KEYBOARD * 0x1000 + 8u * i, 8, true);
	}
	for (unsigned before = UINT_MAX; before != count;) {
		before = count;
		in_group = 0;
		fake_notify(&test->keyboard, EVENTS);
		while (take(&test->keyboard, &event, true)) {
			assert_true(count++ < 2000);
			in_group++;
			if (event.type == EV_SYN) {
				in_group = 0;
			} else {
				assert_int_equal(event.type, EV_KEY);
				down[event.code] = event.value != 0;
			}
		}
		assert_int_equal(in_group, 0);
	}
	for (unsigned key = 0; key < 256; key++) {
		assert_int_equal(down[key], key == KEY_F12);
	}
}

static void test_small_buffer_breaks(void **state)
{
	struct test *test = *state;

	start(&test->keyboard, 0);
	fake_give_buffer(&test->keyboard, EVENTS, 0, BUFFERS, 7, true);
	fake_give_buffer(&test->keyboard, EVENTS, 1, BUFFERS, 8, true);
	virtio_input_key(test->machine->keyboard, KEY_A, true);
	assert_int_equal(
	    fake_driver_status(&test->keyboard), STARTED | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(virtio_input_ready(test->machine->keyboard));
	virtio_input_key(test->machine->keyboard, KEY_A, false);
	start(&test->keyboard, 4);
	expect_nothing(&test->keyboard);
	virtio_input_key(test->machine->keyboard, KEY_B, true);
	expect_key(&test->keyboard, KEY_B, 1);
}

/* The second buffer of a group is the bad one: what is left of the group is forgotten, and the state can be saved. */
static void test_breaks_within_a_group(void **state)
{
	struct test *test = *state;
	struct device *device = virtio_input_device(test->machine->keyboard);
	struct wire in;
	uint8_t *saved;
	size_t size;

	start(&test->keyboard, 1);
	fake_give_buffer(&test->keyboard, EVENTS, 1, BUFFERS, 7, true);
	virtio_input_key(test->machine->keyboard, KEY_A, true);
	assert_int_equal(
	    fake_driver_status(&test->keyboard), STARTED | VIRTIO_CONFIG_S_NEEDS_RESET);
	fake_save(device, &saved, &size);
	wire_init_read(&in, saved, size);
	assert_int_equal(device->ops->load(device, device->ops->version, &in), 0);
	assert_true(wire_done(&in));
	free(saved);
}

static void write_status(struct test *test, uint16_t type, uint16_t code, uint32_t value)
{
	uint8_t bytes[8];
	struct wire out;

	wire_init_write(&out, bytes, sizeof(bytes));
	wire_put_u16(&out, type);
	wire_put_u16(&out, code);
	wire_put_u32(&out, value);
	assert_int_equal(guestmem_write(&test->machine->memory, BUFFERS, bytes, 8), 0);
}

static void send_status(struct test *test, uint16_t type, uint16_t code, uint32_t value)
{
	uint32_t id, length;

	write_status(test, type, code, value);
	fake_give_buffer(&test->keyboard, STATUS, 5, BUFFERS, 8, false);
	fake_notify(&test->keyboard, STATUS);
	assert_true(fake_collect(&test->keyboard, STATUS, &id, &length));
	assert_int_equal(id, 5);
	assert_int_equal(length, 0);
}

static void on_leds(void *context, uint8_t leds)
{
	*(uint8_t *)context = leds;
}

static void test_leds(void **state)
{
	struct test *test = *state;
	uint8_t leds = 0;

	virtio_input_set_on_leds(test->machine->keyboard, on_leds, &leds);
	start(&test->keyboard, 8);
	send_status(test, EV_LED, LED_CAPSL, 1);
	assert_int_equal(leds, 4);
	send_status(test, EV_LED, LED_NUML, 1);
	send_status(test, EV_LED, LED_SCROLLL, 7);
	assert_int_equal(leds, 7);
	send_status(test, EV_LED, LED_CAPSL, 0);
	assert_int_equal(leds, 3);
	send_status(test, EV_LED, LED_MISC, 1);
	send_status(test, EV_REP, LED_NUML, 0);
	assert_int_equal(virtio_input_leds(test->machine->keyboard), 3);
	/* Many at once, with EVENT_IDX: the last one counts, and the next is heard of. */
	assert_int_equal(fake_driver_start(
			     &test->keyboard, VERSION_1 | 1ull << VIRTIO_RING_F_EVENT_IDX, 2, true),
	    STARTED);
	for (int i = 0; i < QUEUE_SIZE; i++) {
		fake_give_buffer(&test->keyboard, STATUS, (uint16_t)i, BUFFERS, 8, false);
	}
	write_status(test, EV_LED, LED_NUML, 1);
	fake_notify(&test->keyboard, STATUS);
	assert_int_equal(leds, 2);
	assert_int_equal(fake_available_event(&test->keyboard, STATUS), QUEUE_SIZE);
	/* A status that is too short says nothing. */
	fake_give_buffer(&test->keyboard, STATUS, 1, BUFFERS, 4, false);
	fake_notify(&test->keyboard, STATUS);
	assert_int_equal(leds, 2);
	fake_driver_set_status(&test->keyboard, 0);
	assert_int_equal(leds, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keyboard_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tablet_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups_are_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_positions_are_overtaken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_buffer_breaks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_breaks_within_a_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
