/* The PS/2 devices by themselves: scan codes, protocol, bounds. */
#include <linux/input-event-codes.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "vmm/dev/ps2_keyboard.h"
#include "vmm/dev/ps2_mouse.h"
#include "vmm/dev/ps2_scancodes.h"

static void expect_codes(
    unsigned set, uint16_t key, bool down, bool alt, const char *bytes, unsigned count)
{
	uint8_t codes[PS2_SCANCODE_MAX];

	assert_int_equal(ps2_scancode(set, key, down, alt, codes), count);
	assert_memory_equal(codes, bytes, count);
}

#define CODES(set, key, down, alt, bytes) \
	expect_codes(set, key, down, alt, bytes, sizeof(bytes) - 1)

/* From Microsoft's table, a row of each kind. */
static void test_scan_codes(void **state)
{
	(void)state;
	CODES(1, KEY_A, true, false, "\x1e");
	CODES(1, KEY_A, false, false, "\x9e");
	CODES(2, KEY_A, true, false, "\x1c");
	CODES(2, KEY_A, false, false, "\xf0\x1c");
	CODES(2, KEY_ESC, true, false, "\x76");
	CODES(2, KEY_F7, true, false, "\x83");
	CODES(2, KEY_F12, true, false, "\x07");
	CODES(2, KEY_RIGHTCTRL, true, false, "\xe0\x14");
	CODES(2, KEY_RIGHTCTRL, false, false, "\xe0\xf0\x14");
	CODES(1, KEY_RIGHTCTRL, false, false, "\xe0\x9d");
	CODES(2, KEY_LEFTMETA, true, false, "\xe0\x1f");
	CODES(2, KEY_KPENTER, true, false, "\xe0\x5a");
	CODES(2, KEY_DELETE, true, false, "\xe0\x71");
	CODES(2, KEY_102ND, true, false, "\x61");
	CODES(2, KEY_YEN, true, false, "\x6a");
	CODES(2, KEY_RO, true, false, "\x51");
	CODES(2, KEY_HENKAN, true, false, "\x64");
	CODES(2, KEY_MUHENKAN, true, false, "\x67");
	CODES(2, KEY_ZENKAKUHANKAKU, true, false, "\x5f");
	CODES(2, KEY_KATAKANAHIRAGANA, true, false, "\x13");
	CODES(2, KEY_POWER, true, false, "\xe0\x37");
	CODES(1, KEY_POWER, true, false, "\xe0\x5e");
	CODES(2, KEY_VOLUMEUP, true, false, "\xe0\x32");
	CODES(1, KEY_PAUSE, true, false, "\xe1\x1d\x45\xe1\x9d\xc5");
	CODES(2, KEY_PAUSE, true, false, "\xe1\x14\x77\xe1\xf0\x14\xf0\x77");
	CODES(2, KEY_PAUSE, false, false, "");
	CODES(1, KEY_SYSRQ, true, false, "\xe0\x2a\xe0\x37");
	CODES(1, KEY_SYSRQ, false, false, "\xe0\xb7\xe0\xaa");
	CODES(2, KEY_SYSRQ, false, false, "\xe0\xf0\x7c\xe0\xf0\x12");
	CODES(1, KEY_SYSRQ, true, true, "\x54");
	CODES(2, KEY_SYSRQ, true, true, "\x84");
	CODES(2, KEY_SYSRQ, false, true, "\xf0\x84");
	CODES(2, KEY_HANGEUL, true, false, "\xf2");
	CODES(2, KEY_HANJA, true, false, "\xf1");
	CODES(2, KEY_HANJA, false, false, "");
	CODES(2, KEY_MICMUTE, true, false, "");
	CODES(2, 0, true, false, "");
	CODES(2, 0xffff, true, false, "");
}

/* Set 2 through the controller is set 1, for every key. */
static void test_translation_is_the_inverse(void **state)
{
	unsigned keys = 0;

	(void)state;
	for (uint16_t key = 0; key < 300; key++) {
		for (int down = 0; down < 2; down++) {
			uint8_t first[PS2_SCANCODE_MAX], second[PS2_SCANCODE_MAX],
			    translated[PS2_SCANCODE_MAX];
			unsigned count1 = ps2_scancode(1, key, down, false, first);
			unsigned count2 = ps2_scancode(2, key, down, false, second), count = 0;
			uint8_t released = 0;

			if (!ps2_scancode_exists(key)) {
				assert_int_equal(count1 + count2, 0);
				continue;
			}
			keys += (unsigned)down;
			for (unsigned i = 0; i < count2; i++) {
				if (second[i] == 0xf0) {
					released = 0x80;
				} else {
					translated[count++] = ps2_translate(second[i]) | released;
					released = 0;
				}
			}
			assert_int_equal(count, count1);
			assert_memory_equal(translated, first, count);
		}
	}
	assert_true(keys > 120);
}

static void type(struct ps2_keyboard *keyboard, uint8_t byte, const char *reply, size_t count)
{
	uint8_t got;

	(void)ps2_keyboard_write(keyboard, byte);
	for (size_t i = 0; i < count; i++) {
		assert_true(ps2_keyboard_read(keyboard, &got));
		assert_int_equal(got, (uint8_t)reply[i]);
	}
	assert_false(ps2_keyboard_read(keyboard, &got));
}

#define SEND(keyboard, byte, reply) type(keyboard, byte, reply, sizeof(reply) - 1)

static void test_keyboard_commands(void **state)
{
	struct ps2_keyboard keyboard;

	(void)state;
	ps2_keyboard_init(&keyboard);
	SEND(&keyboard, 0xff, "\xfa\xaa");
	SEND(&keyboard, 0xfe, "\xaa");
	SEND(&keyboard, 0xee, "\xee");
	SEND(&keyboard, 0xf2, "\xfa\xab\x83");
	SEND(&keyboard, 0xf0, "\xfa");
	SEND(&keyboard, 0x00, "\xfa\x02");
	SEND(&keyboard, 0xf0, "\xfa");
	SEND(&keyboard, 0x01, "\xfa");
	SEND(&keyboard, 0xf0, "\xfa");
	SEND(&keyboard, 0x00, "\xfa\x01");
	SEND(&keyboard, 0xf0, "\xfa");
	SEND(&keyboard, 0x03, "\xfe");
	SEND(&keyboard, 0xed, "\xfa");
	SEND(&keyboard, 0xf4, "\xfa"); /* a command instead of the parameter */
	assert_int_equal(keyboard.leds, 0);
	SEND(&keyboard, 0xed, "\xfa");
	SEND(&keyboard, 0x07, "\xfa");
	assert_int_equal(keyboard.leds, 7);
	SEND(&keyboard, 0xf3, "\xfa");
	SEND(&keyboard, 0x7f, "\xfa");
	SEND(&keyboard, 0xf8, "\xfe"); /* set 3's */
	SEND(&keyboard, 0x00, "\xfe");
	SEND(&keyboard, 0xf5, "\xfa");
	assert_false(ps2_keyboard_key(&keyboard, KEY_A, true));
	SEND(&keyboard, 0xf4, "\xfa");
	assert_int_equal(keyboard.set, 2);
	assert_true(ps2_keyboard_key(&keyboard, KEY_A, true));
}

/* A flood: sequences stay whole, and at the end the guest believes what is true. */
static void test_keyboard_flood(void **state)
{
	static const uint16_t keys[] = { KEY_LEFTSHIFT, KEY_UP, KEY_A, KEY_F1, KEY_PAUSE, KEY_SYSRQ,
		KEY_RIGHTALT };
	struct ps2_keyboard keyboard;
	bool down[256] = { false };
	bool extended = false, released = false;
	uint8_t byte;
	unsigned bytes = 0;

	(void)state;
	ps2_keyboard_init(&keyboard);
	for (unsigned i = 0; i < 5000; i++) {
		(void)ps2_keyboard_key(&keyboard, keys[i % 4], (i / 4) % 2 == 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		(void)ps2_keyboard_key(&keyboard, keys[i], false);
	}
	(void)ps2_keyboard_key(&keyboard, KEY_F1, true);
	while (ps2_keyboard_read(&keyboard, &byte)) {
		assert_true(bytes++ < 200);
		if (byte == 0xe0) {
			extended = true;
		} else if (byte == 0xf0) {
			released = true;
		} else {
			down[byte | (extended ? 0x80 : 0)] = !released;
			extended = released = false;
		}
	}
	assert_false(extended || released);
	assert_false(down[0x12]);        /* shift */
	assert_false(down[0x75 | 0x80]); /* up */
	assert_false(down[0x1c]);        /* a */
	assert_true(down[0x05]);         /* F1 */
	assert_false(keyboard.behind);
}

static void test_keyboard_repeats(void **state)
{
	struct ps2_keyboard keyboard;
	uint8_t byte;

	(void)state;
	ps2_keyboard_init(&keyboard);
	for (int i = 0; i < 3; i++) {
		assert_true(ps2_keyboard_key(&keyboard, KEY_A, true));
		assert_true(ps2_keyboard_read(&keyboard, &byte));
		assert_int_equal(byte, 0x1c);
	}
	assert_true(ps2_keyboard_key(&keyboard, KEY_B, false)); /* was not down: nothing to say */
	assert_false(ps2_keyboard_read(&keyboard, &byte));
}

static void mouse_command(struct ps2_mouse *mouse, uint8_t byte, const char *reply, size_t count)
{
	uint8_t got;

	ps2_mouse_write(mouse, byte);
	for (size_t i = 0; i < count; i++) {
		assert_true(ps2_mouse_read(mouse, &got));
		assert_int_equal(got, (uint8_t)reply[i]);
	}
	assert_false(ps2_mouse_read(mouse, &got));
}

#define MOUSE(mouse, byte, reply) mouse_command(mouse, byte, reply, sizeof(reply) - 1)

static void expect_packet(struct ps2_mouse *mouse, const char *bytes, size_t count)
{
	uint8_t got;

	for (size_t i = 0; i < count; i++) {
		assert_true(ps2_mouse_read(mouse, &got));
		assert_int_equal(got, (uint8_t)bytes[i]);
	}
	assert_false(ps2_mouse_read(mouse, &got));
}

#define PACKET(mouse, bytes) expect_packet(mouse, bytes, sizeof(bytes) - 1)

static void knock(struct ps2_mouse *mouse, uint8_t a, uint8_t b, uint8_t c)
{
	const uint8_t rates[] = { a, b, c };

	for (int i = 0; i < 3; i++) {
		MOUSE(mouse, 0xf3, "\xfa");
		mouse_command(mouse, rates[i], "\xfa", 1);
	}
}

static void test_mouse_standard(void **state)
{
	struct ps2_mouse mouse;

	(void)state;
	ps2_mouse_init(&mouse);
	ps2_mouse_motion(&mouse, 10, 10, 0);
	PACKET(&mouse, ""); /* not reporting yet */
	MOUSE(&mouse, 0xf4, "\xfa");
	ps2_mouse_motion(&mouse, -1, -2, 5);
	PACKET(&mouse, "\x18\xff\x02");
	ps2_mouse_buttons(&mouse, PS2_MOUSE_RIGHT | PS2_MOUSE_SIDE);
	PACKET(&mouse, "\x0a\x00\x00");
	ps2_mouse_buttons(&mouse, PS2_MOUSE_RIGHT); /* the fourth button is none of this mouse's */
	PACKET(&mouse, "");
	ps2_mouse_motion(&mouse, 300, -600, 0);
	PACKET(&mouse, "\x0a\xff\xff\x0a\x2d\xff\x0a\x00\x5a");
	MOUSE(&mouse, 0xe9, "\xfa\x21\x02\x64");
	MOUSE(&mouse, 0xf5, "\xfa");
	ps2_mouse_motion(&mouse, 1, 1, 0);
	PACKET(&mouse, "");
}

static void test_mouse_modes(void **state)
{
	struct ps2_mouse mouse;

	(void)state;
	ps2_mouse_init(&mouse);
	knock(&mouse, 200, 100, 80);
	MOUSE(&mouse, 0xf2, "\xfa\x03");
	MOUSE(&mouse, 0xf0, "\xfa"); /* remote */
	ps2_mouse_motion(&mouse, 3, 0, -2);
	PACKET(&mouse, "");
	MOUSE(&mouse, 0xeb, "\xfa\x08\x03\x00\x02");
	MOUSE(&mouse, 0xeb, "\xfa\x08\x00\x00\x00");
	MOUSE(&mouse, 0xe9, "\xfa\x40\x02\x50");
	MOUSE(&mouse, 0xea, "\xfa"); /* stream */
	MOUSE(&mouse, 0xee, "\xfa"); /* wrap */
	MOUSE(&mouse, 0xf3, "\xf3");
	MOUSE(&mouse, 0x42, "\x42");
	MOUSE(&mouse, 0xec, "\xfa");
	MOUSE(&mouse, 0xe7, "\xfa");
	MOUSE(&mouse, 0xf4, "\xfa");
	ps2_mouse_motion(&mouse, 5, -20, 0);
	PACKET(&mouse, "\x08\x09\x28\x00"); /* 2:1 */
	MOUSE(&mouse, 0xe8, "\xfa");
	MOUSE(&mouse, 0x03, "\xfa");
	MOUSE(&mouse, 0xe9, "\xfa\x30\x03\x50");
	MOUSE(&mouse, 0xfe, "\x50");
	MOUSE(&mouse, 0x17, "\xfe");
	MOUSE(&mouse, 0xff, "\xfa\xaa\x00");
	MOUSE(&mouse, 0xf2, "\xfa\x00");
	knock(&mouse, 200, 200, 80);
	MOUSE(&mouse, 0xf2, "\xfa\x04");
	knock(&mouse, 100, 100, 80);
	MOUSE(&mouse, 0xf6, "\xfa");
	MOUSE(&mouse, 0xf2, "\xfa\x04"); /* defaults are no reset */
}

/* What the guest does not read adds up, without bound neither in memory nor in numbers. */
static void test_mouse_flood(void **state)
{
	struct ps2_mouse mouse;
	int64_t x = 0, y = 0;
	uint8_t packet[3];
	unsigned packets = 0;

	(void)state;
	ps2_mouse_init(&mouse);
	MOUSE(&mouse, 0xf4, "\xfa");
	for (int i = 0; i < 1000; i++) {
		ps2_mouse_motion(&mouse, 7, -3, 0);
		ps2_mouse_buttons(&mouse, (uint8_t)(i & 1));
	}
	while (ps2_mouse_read(&mouse, &packet[0])) {
		assert_true(ps2_mouse_read(&mouse, &packet[1]));
		assert_true(ps2_mouse_read(&mouse, &packet[2]));
		x += packet[1] - (packet[0] & 0x10 ? 256 : 0);
		y += packet[2] - (packet[0] & 0x20 ? 256 : 0);
		assert_true(packets++ < 1000);
	}
	assert_int_equal(x, 7000);
	assert_int_equal(y, 3000);
	assert_int_equal(packet[0] & 1, 1);
	for (int i = 0; i < 100; i++) {
		ps2_mouse_motion(&mouse, INT32_MAX, INT32_MIN, INT32_MIN);
	}
	assert_int_equal(mouse.dx, PS2_MOUSE_MOTION_MAX);
	assert_int_equal(mouse.dy, -PS2_MOUSE_MOTION_MAX);
}

/* A press is told at the place where it happened. */
static void test_press_after_long_motion(void **state)
{
	struct ps2_mouse mouse;

	(void)state;
	ps2_mouse_init(&mouse);
	mouse.reporting = true;
	mouse.queue.count = 9; /* no room for a packet now */
	memset(mouse.queue.bytes, 0, 9);
	ps2_mouse_motion(&mouse, 600, 0, 0);
	ps2_mouse_buttons(&mouse, PS2_MOUSE_LEFT);
	mouse.queue.count = 0;
	ps2_mouse_motion(&mouse, 0, 0, 0);
	PACKET(&mouse, "\x08\xff\x00\x08\xff\x00\x09\x5a\x00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan_codes),
		cmocka_unit_test(test_translation_is_the_inverse),
		cmocka_unit_test(test_keyboard_commands),
		cmocka_unit_test(test_keyboard_flood),
		cmocka_unit_test(test_keyboard_repeats),
		cmocka_unit_test(test_mouse_standard),
		cmocka_unit_test(test_mouse_modes),
		cmocka_unit_test(test_mouse_flood),
		cmocka_unit_test(test_press_after_long_motion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
