/* The keyboard controller as Linux's i8042, atkbd and psmouse drivers probe and use it, byte by byte. */
#include <linux/input-event-codes.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"

enum {
	DATA = 0x60,
	STATUS = 0x64,
	COMMAND = 0x64,
	FULL = 0x01,
	FROM_MOUSE = 0x20,
	IRQ_KEYBOARD = 1,
	IRQ_MOUSE = 12,
	/* i8042.h */
	CTR_KBDINT = 0x01,
	CTR_AUXINT = 0x02,
	CTR_KBDDIS = 0x10,
	CTR_AUXDIS = 0x20,
	CTR_XLATE = 0x40,
};

static int setup(void **state)
{
	*state = fake_machine_create();
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(*state);
	return 0;
}

static uint8_t status(struct fake_machine *machine)
{
	return (uint8_t)fake_in(machine, STATUS, 1);
}

static uint8_t read_byte(struct fake_machine *machine)
{
	assert_true(status(machine) & FULL);
	return (uint8_t)fake_in(machine, DATA, 1);
}

static void command(struct fake_machine *machine, uint8_t byte)
{
	fake_out(machine, COMMAND, 1, byte);
}

static void data(struct fake_machine *machine, uint8_t byte)
{
	fake_out(machine, DATA, 1, byte);
}

static void expect(struct fake_machine *machine, const char *bytes, size_t count, bool from_mouse)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(!!(status(machine) & FROM_MOUSE), from_mouse);
		assert_int_equal(read_byte(machine), (uint8_t)bytes[i]);
	}
	assert_false(status(machine) & FULL);
}

#define EXPECT(machine, string)       expect(machine, string, sizeof(string) - 1, false)
#define EXPECT_MOUSE(machine, string) expect(machine, string, sizeof(string) - 1, true)

static void mouse(struct fake_machine *machine, uint8_t byte)
{
	command(machine, 0xd4);
	data(machine, byte);
}

/* i8042_controller_check(), _selftest(), _init() and i8042_check_aux() of drivers/input/serio/i8042.c. */
static uint8_t probe_controller(struct fake_machine *machine)
{
	uint8_t ctr, back;

	/* Flush: at most 16 bytes may be there. */
	for (int i = 0; status(machine) & FULL; i++) {
		assert_in_range(i, 0, 16);
		(void)fake_in(machine, DATA, 1);
	}
	command(machine, 0xaa);
	assert_int_equal(read_byte(machine), 0x55);
	/* The control register must read the same twice. */
	command(machine, 0x20);
	ctr = read_byte(machine);
	command(machine, 0x20);
	assert_int_equal(read_byte(machine), ctr);
	assert_true(ctr & CTR_XLATE);
	ctr |= CTR_KBDDIS;
	ctr &= (uint8_t)~CTR_KBDINT;
	command(machine, 0x60);
	data(machine, ctr);

	/* The loop through the mouse port tells that there is one, without a multiplexer. */
	command(machine, 0xd3);
	data(machine, 0x5a);
	assert_true(status(machine) & FROM_MOUSE);
	assert_int_equal(read_byte(machine), 0x5a);
	command(machine, 0xa7);
	command(machine, 0x20);
	assert_true((back = read_byte(machine)) & CTR_AUXDIS);
	command(machine, 0xa9);
	assert_int_equal(read_byte(machine), 0x00);
	command(machine, 0xa8);
	command(machine, 0x20);
	assert_false((back = read_byte(machine)) & CTR_AUXDIS);
	for (int i = 0; i < 3; i++) {
		static const uint8_t loop[] = { 0xf0, 0x56, 0xa4 };

		command(machine, 0xd3);
		data(machine, loop[i]);
		assert_int_equal(
		    read_byte(machine), loop[i]); /* a multiplexer would answer otherwise */
	}
	(void)back;

	/* Does the mouse port interrupt? */
	ctr &= (uint8_t)~CTR_AUXDIS;
	ctr |= CTR_AUXINT;
	command(machine, 0x60);
	data(machine, ctr);
	machine->edges[IRQ_MOUSE] = 0;
	command(machine, 0xd3);
	data(machine, 0xa5);
	assert_int_equal(machine->edges[IRQ_MOUSE], 1);
	assert_true(machine->level[IRQ_MOUSE]);
	assert_true(status(machine) & FROM_MOUSE);
	assert_int_equal(read_byte(machine), 0xa5);
	assert_false(machine->level[IRQ_MOUSE]);

	ctr &= (uint8_t)~CTR_KBDDIS;
	ctr |= CTR_KBDINT;
	command(machine, 0x60);
	data(machine, ctr);
	return ctr;
}

/* atkbd_probe(), atkbd_activate() and the LED and repeat settings that follow. */
static void probe_keyboard(struct fake_machine *machine)
{
	data(machine, 0xf2);
	EXPECT(machine, "\xfa\xab\x41"); /* 0x83 as the controller translates it */
	data(machine, 0xf5);
	EXPECT(machine, "\xfa");
	data(machine, 0xed);
	EXPECT(machine, "\xfa");
	data(machine, 0x00);
	EXPECT(machine, "\xfa");
	data(machine, 0xf3);
	EXPECT(machine, "\xfa");
	data(machine, 0x00);
	EXPECT(machine, "\xfa");
	data(machine, 0xf4);
	EXPECT(machine, "\xfa");
}

/* psmouse_probe(), psmouse_extensions() down to the Explorer, psmouse_initialize() and psmouse_activate(). */
static void probe_mouse(struct fake_machine *machine)
{
	static const uint8_t intellimouse[] = { 200, 100, 80 }, explorer[] = { 200, 200, 80 };
	static const uint8_t settings[] = { 0xf3, 100, 0xe8, 3, 0xe6 };

	mouse(machine, 0xf2);
	EXPECT_MOUSE(machine, "\xfa\x00");
	mouse(machine, 0xf6);
	EXPECT_MOUSE(machine, "\xfa");
	mouse(machine, 0xff);
	EXPECT_MOUSE(machine, "\xfa\xaa\x00");
	for (int i = 0; i < 3; i++) {
		mouse(machine, 0xf3);
		EXPECT_MOUSE(machine, "\xfa");
		mouse(machine, intellimouse[i]);
		EXPECT_MOUSE(machine, "\xfa");
	}
	mouse(machine, 0xf2);
	EXPECT_MOUSE(machine, "\xfa\x03");
	for (int i = 0; i < 3; i++) {
		mouse(machine, 0xf3);
		EXPECT_MOUSE(machine, "\xfa");
		mouse(machine, explorer[i]);
		EXPECT_MOUSE(machine, "\xfa");
	}
	mouse(machine, 0xf2);
	EXPECT_MOUSE(machine, "\xfa\x04");
	for (size_t i = 0; i < sizeof(settings); i++) {
		mouse(machine, settings[i]);
		EXPECT_MOUSE(machine, "\xfa");
	}
	mouse(machine, 0xf4);
	EXPECT_MOUSE(machine, "\xfa");
}

static void test_linux_probe(void **state)
{
	struct fake_machine *machine = *state;

	probe_controller(machine);
	probe_keyboard(machine);
	probe_mouse(machine);
}

/* Somebody types before the driver is there: what it flushes is bounded, and nothing is pressed afterwards. */
static void test_typing_while_probing(void **state)
{
	struct fake_machine *machine = *state;

	for (int i = 0; i < 100; i++) {
		(void)i8042_key(machine->i8042, KEY_A, true);
		(void)i8042_key(machine->i8042, KEY_A, false);
	}
	(void)i8042_key(machine->i8042, KEY_B, true);
	probe_controller(machine);
	(void)i8042_key(machine->i8042, KEY_B, false);
	while (status(machine) & FULL) {
		(void)read_byte(machine);
	}
	probe_keyboard(machine);
	(void)i8042_key(machine->i8042, KEY_C, true);
	EXPECT(machine, "\x2e");
}

static void test_keys_interrupt(void **state)
{
	struct fake_machine *machine = *state;

	probe_controller(machine);
	probe_keyboard(machine);
	machine->edges[IRQ_KEYBOARD] = 0;
	assert_true(i8042_key(machine->i8042, KEY_UP, true));
	assert_true(machine->level[IRQ_KEYBOARD]);
	assert_int_equal(machine->edges[IRQ_KEYBOARD], 1);
	/* Each byte is an edge of its own. */
	assert_int_equal(read_byte(machine), 0xe0);
	assert_int_equal(machine->edges[IRQ_KEYBOARD], 2);
	assert_int_equal(read_byte(machine), 0x48);
	assert_false(machine->level[IRQ_KEYBOARD]);
	assert_int_equal(machine->edges[IRQ_KEYBOARD], 2);
	assert_true(i8042_key(machine->i8042, KEY_UP, false));
	EXPECT(machine, "\xe0\xc8");
	assert_int_equal(machine->edges[IRQ_MOUSE], 1); /* of the probe */
	assert_false(i8042_key(machine->i8042, KEY_MICMUTE, true));
	assert_false(i8042_key(machine->i8042, 0x2ff, true));
}

static void test_no_interrupt_when_masked(void **state)
{
	struct fake_machine *machine = *state;

	command(machine, 0x60);
	data(machine, CTR_XLATE);
	(void)i8042_key(machine->i8042, KEY_A, true);
	assert_false(machine->level[IRQ_KEYBOARD]);
	assert_true(status(machine) & FULL);
	command(machine, 0x60);
	data(machine, CTR_XLATE | CTR_KBDINT);
	assert_true(machine->level[IRQ_KEYBOARD]);
	EXPECT(machine, "\x1e");
}

static void test_disabled_keyboard_keeps_its_bytes(void **state)
{
	struct fake_machine *machine = *state;

	command(machine, 0xad);
	(void)i8042_key(machine->i8042, KEY_A, true);
	assert_false(status(machine) & FULL);
	command(machine, 0xae);
	EXPECT(machine, "\x1e");
}

static void test_untranslated(void **state)
{
	struct fake_machine *machine = *state;

	command(machine, 0x60);
	data(machine, CTR_KBDINT);
	(void)i8042_key(machine->i8042, KEY_F7, true);
	(void)i8042_key(machine->i8042, KEY_F7, false);
	EXPECT(machine, "\x83\xf0\x83");
	data(machine, 0xf0);
	data(machine, 0x01);
	EXPECT(machine, "\xfa\xfa");
	(void)i8042_key(machine->i8042, KEY_F7, true);
	(void)i8042_key(machine->i8042, KEY_F7, false);
	EXPECT(machine, "\x41\xc1");
}

static void test_mouse_packets(void **state)
{
	struct fake_machine *machine = *state;

	probe_controller(machine);
	probe_mouse(machine);
	machine->edges[IRQ_MOUSE] = 0;
	i8042_motion(machine->i8042, 5, 3, 0);
	assert_int_equal(machine->edges[IRQ_MOUSE], 1);
	EXPECT_MOUSE(machine, "\x28\x05\xfd\x00");
	assert_int_equal(machine->edges[IRQ_MOUSE], 4);
	i8042_button(machine->i8042, BTN_LEFT, true);
	EXPECT_MOUSE(machine, "\x09\x00\x00\x00");
	i8042_button(machine->i8042, BTN_EXTRA, true);
	EXPECT_MOUSE(machine, "\x09\x00\x00\x20");
	i8042_motion(machine->i8042, 0, 0, 1);
	EXPECT_MOUSE(machine, "\x09\x00\x00\x2f");
	i8042_button(machine->i8042, BTN_LEFT, false);
	i8042_button(machine->i8042, BTN_EXTRA, false);
	EXPECT_MOUSE(machine, "\x08\x00\x00\x20\x08\x00\x00\x00");
	i8042_button(machine->i8042, BTN_TOUCH, true);
	i8042_button(machine->i8042, BTN_0, true);
	assert_false(status(machine) & FULL);
}

static void test_release(void **state)
{
	struct fake_machine *machine = *state;

	probe_controller(machine);
	probe_keyboard(machine);
	(void)i8042_key(machine->i8042, KEY_LEFTSHIFT, true);
	(void)i8042_key(machine->i8042, KEY_A, true);
	EXPECT(machine, "\x2a\x1e");
	i8042_release_keys(machine->i8042);
	EXPECT(machine, "\x9e\xaa");
	i8042_release_keys(machine->i8042);
	EXPECT(machine, "");
}

static unsigned led_calls;

static void on_leds(void *context, uint8_t leds)
{
	*(uint8_t *)context = leds;
	led_calls++;
}

static void test_leds(void **state)
{
	struct fake_machine *machine = *state;
	uint8_t leds = 0;

	led_calls = 0;
	i8042_set_on_leds(machine->i8042, on_leds, &leds);
	data(machine, 0xed);
	data(machine, 0x04);
	assert_int_equal(leds, 4);
	assert_int_equal(i8042_leds(machine->i8042), 4);
	data(machine, 0xed);
	data(machine, 0x04);
	assert_int_equal(led_calls, 1);
	data(machine, 0xff);
	assert_int_equal(leds, 0);
	assert_int_equal(led_calls, 2);
}

static void test_resets(void **state)
{
	struct fake_machine *machine = *state;

	command(machine, 0xfe);
	assert_int_equal(machine->resets, 1);
	command(machine, 0xff); /* pulses nothing */
	assert_int_equal(machine->resets, 1);
	command(machine, 0xd1);
	data(machine, 0x03);
	assert_int_equal(machine->resets, 1);
	command(machine, 0xd0);
	assert_int_equal(read_byte(machine) & 3, 3);
	command(machine, 0xd1);
	data(machine, 0x02);
	assert_int_equal(machine->resets, 2);
}

static void test_ram_and_widths(void **state)
{
	struct fake_machine *machine = *state;

	command(machine, 0x7f);
	data(machine, 0x77);
	command(machine, 0x3f);
	assert_int_equal(read_byte(machine), 0x77);
	assert_int_equal(fake_in(machine, DATA, 2), 0xffff);
	command(machine, 0xd2);
	data(machine, 0x42);
	assert_false(status(machine) & FROM_MOUSE);
	assert_int_equal(read_byte(machine), 0x42);
	command(machine, 0xc0);
	(void)read_byte(machine);
	command(machine, 0xb7); /* unknown */
	assert_false(status(machine) & FULL);
}

/* Words typed faster than the guest reads arrive, since a driver is known to be there. */
static void test_backlog(void **state)
{
	struct fake_machine *machine = *state;

	probe_controller(machine);
	probe_keyboard(machine);
	for (int i = 0; i < 100; i++) {
		assert_true(i8042_key(machine->i8042, KEY_A, true));
		assert_true(i8042_key(machine->i8042, KEY_A, false));
	}
	for (int i = 0; i < 100; i++) {
		assert_int_equal(read_byte(machine), 0x1e);
		assert_int_equal(read_byte(machine), 0x9e);
	}
	assert_false(status(machine) & FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_linux_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_typing_while_probing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_interrupt_when_masked, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_disabled_keyboard_keeps_its_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_untranslated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mouse_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ram_and_widths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backlog, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
