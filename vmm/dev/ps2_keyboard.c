/*
 * The keyboard's protocol; its codes are in ps2_scancodes.c. What must stay true: codes enter the queue whole (a key's
 * sequence is never cut), and `told` is exactly what the codes in the queue and before it have said.
 */
#include "vmm/dev/ps2_keyboard.h"

#include <errno.h>

#include "vmm/dev/key_bits.h"
#include "vmm/dev/ps2_scancodes.h"

enum {
	COMMAND_LEDS = 0xed,
	COMMAND_ECHO = 0xee,
	COMMAND_SET = 0xf0,
	COMMAND_IDENTIFY = 0xf2,
	COMMAND_TYPEMATIC = 0xf3,
	COMMAND_ENABLE = 0xf4,
	COMMAND_DISABLE = 0xf5,
	COMMAND_DEFAULTS = 0xf6,
	COMMAND_RESEND = 0xfe,
	COMMAND_RESET = 0xff,
	REPLY_ACK = 0xfa,
	REPLY_NAK = 0xfe,
	REPLY_SELF_TEST_PASSED = 0xaa,
	IDENTITY_FIRST = 0xab,
	IDENTITY_SECOND = 0x83,
	LEDS_ALL = 7,
	BACKLOG_DOWN = 0x8000,
	/* Answers must find room behind the codes of keys. */
	REPLY_RESERVE = 4,
};

/* Forgets what was not read yet: the guest starts over. */
static void clear_events(struct ps2_keyboard *keyboard)
{
	keyboard->queue.count = 0;
	keyboard->backlog_head = 0;
	keyboard->backlog_count = 0;
	keyboard->behind = false;
	memset(keyboard->held, 0, sizeof(keyboard->held));
	memset(keyboard->told, 0, sizeof(keyboard->told));
}

static void set_defaults(struct ps2_keyboard *keyboard)
{
	clear_events(keyboard);
	keyboard->set = 2;
	keyboard->command = 0;
}

void ps2_keyboard_init(struct ps2_keyboard *keyboard)
{
	*keyboard = (struct ps2_keyboard){ .scanning = true, .set = 2 };
}

/* Queues a key's codes and remembers that. False when there is no room for all of them. */
static bool tell(struct ps2_keyboard *keyboard, unsigned key, bool down)
{
	uint8_t codes[PS2_SCANCODE_MAX];
	bool alt = key_bits_get(keyboard->told, PS2_KEY_LEFTALT) ||
		   key_bits_get(keyboard->told, PS2_KEY_RIGHTALT);
	unsigned count;

	/* A release of what the guest does not know to be down says nothing. */
	if (!down && !key_bits_get(keyboard->told, key)) {
		return true;
	}
	count = ps2_scancode(keyboard->set, (uint16_t)key, down, alt, codes);
	if (!ps2_queue_has_room(&keyboard->queue, count + REPLY_RESERVE)) {
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		ps2_queue_put(&keyboard->queue, codes[i]);
	}
	key_bits_set(keyboard->told, key, down);
	return true;
}

/* Queues what waits, as far as there is room. */
static void refill(struct ps2_keyboard *keyboard)
{
	while (keyboard->backlog_count > 0) {
		uint16_t event = keyboard->backlog[keyboard->backlog_head];

		if (!tell(keyboard, event & (BACKLOG_DOWN - 1), event & BACKLOG_DOWN)) {
			return;
		}
		keyboard->backlog_head = (uint16_t)((keyboard->backlog_head + 1) %
						    PS2_KEYBOARD_BACKLOG);
		keyboard->backlog_count--;
	}
	if (!keyboard->behind) {
		return;
	}
	for (unsigned key = 0; key < PS2_KEYBOARD_KEYS; key++) {
		bool down = key_bits_get(keyboard->held, key);

		if (down != key_bits_get(keyboard->told, key) && !tell(keyboard, key, down)) {
			return;
		}
	}
	keyboard->behind = false;
}

bool ps2_keyboard_key(struct ps2_keyboard *keyboard, uint16_t code, bool down)
{
	if (code >= PS2_KEYBOARD_KEYS || !ps2_scancode_exists(code) || !keyboard->scanning) {
		return false;
	}
	key_bits_set(keyboard->held, code, down);
	if (keyboard->behind) {
		refill(keyboard);
		return true; /* a part of what is made up for, now or later */
	}
	if (keyboard->backlog_count == 0 && tell(keyboard, code, down)) {
		return true;
	}
	if (keyboard->patient && keyboard->backlog_count < PS2_KEYBOARD_BACKLOG) {
		unsigned at = (keyboard->backlog_head + keyboard->backlog_count) %
			      PS2_KEYBOARD_BACKLOG;

		keyboard->backlog[at] = (uint16_t)(code | (down ? BACKLOG_DOWN : 0));
		keyboard->backlog_count++;
		return true;
	}
	keyboard->behind = true;
	return false;
}

void ps2_keyboard_release_all(struct ps2_keyboard *keyboard)
{
	for (uint16_t key = 0; key < PS2_KEYBOARD_KEYS; key++) {
		if (key_bits_get(keyboard->held, key) || key_bits_get(keyboard->told, key)) {
			(void)ps2_keyboard_key(keyboard, key, false);
		}
	}
}

bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *byte)
{
	if (!ps2_queue_get(&keyboard->queue, byte)) {
		return false;
	}
	keyboard->last = *byte;
	refill(keyboard);
	return true;
}

static bool write_parameter(struct ps2_keyboard *keyboard, uint8_t byte)
{
	uint8_t command = keyboard->command;
	bool changed = false;

	keyboard->command = 0;
	switch (command) {
	case COMMAND_LEDS:
		changed = keyboard->leds != (byte & LEDS_ALL);
		keyboard->leds = byte & LEDS_ALL;
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		break;
	case COMMAND_SET:
		if (byte == 0) {
			ps2_queue_put(&keyboard->queue, REPLY_ACK);
			ps2_queue_put(&keyboard->queue, keyboard->set);
		} else if (byte <= 2) {
			keyboard->set = byte;
			ps2_queue_put(&keyboard->queue, REPLY_ACK);
		} else {
			ps2_queue_put(&keyboard->queue, REPLY_NAK);
		}
		break;
	default: /* typematic rate: we do not repeat */
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		break;
	}
	return changed;
}

bool ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte)
{
	bool changed = false;

	/* A parameter is below 0x80; anything else is a new command instead. */
	if (keyboard->command != 0 && byte < 0x80) {
		return write_parameter(keyboard, byte);
	}
	keyboard->command = 0;
	switch (byte) {
	case COMMAND_LEDS:
	case COMMAND_SET:
	case COMMAND_TYPEMATIC:
		keyboard->command = byte;
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		break;
	case COMMAND_ECHO:
		ps2_queue_put(&keyboard->queue, COMMAND_ECHO);
		break;
	case COMMAND_IDENTIFY:
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		ps2_queue_put(&keyboard->queue, IDENTITY_FIRST);
		ps2_queue_put(&keyboard->queue, IDENTITY_SECOND);
		break;
	case COMMAND_ENABLE:
		clear_events(keyboard);
		keyboard->scanning = true;
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		break;
	case COMMAND_DISABLE:
	case COMMAND_DEFAULTS:
		set_defaults(keyboard);
		keyboard->scanning = byte == COMMAND_DEFAULTS;
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		break;
	case COMMAND_RESEND:
		ps2_queue_put(&keyboard->queue, keyboard->last);
		break;
	case COMMAND_RESET:
		changed = keyboard->leds != 0;
		set_defaults(keyboard);
		keyboard->leds = 0;
		keyboard->scanning = true;
		ps2_queue_put(&keyboard->queue, REPLY_ACK);
		ps2_queue_put(&keyboard->queue, REPLY_SELF_TEST_PASSED);
		break;
	default: /* the modes of set 3 (0xf7-0xfd) among them */
		ps2_queue_put(&keyboard->queue, REPLY_NAK);
		break;
	}
	return changed;
}

void ps2_keyboard_save(const struct ps2_keyboard *keyboard, struct wire *out)
{
	ps2_queue_save(&keyboard->queue, out);
	wire_put_bool(out, keyboard->scanning);
	wire_put_u8(out, keyboard->set);
	wire_put_u8(out, keyboard->leds);
	wire_put_u8(out, keyboard->command);
	wire_put_u8(out, keyboard->last);
	wire_put_bool(out, keyboard->patient);
	wire_put_bool(out, keyboard->behind);
	wire_put_bytes(out, keyboard->held, sizeof(keyboard->held));
	wire_put_bytes(out, keyboard->told, sizeof(keyboard->told));
	wire_put_u16(out, keyboard->backlog_count);
	for (unsigned i = 0; i < keyboard->backlog_count; i++) {
		wire_put_u16(
		    out, keyboard->backlog[(keyboard->backlog_head + i) % PS2_KEYBOARD_BACKLOG]);
	}
}

static bool keys_exist(const uint8_t *bits)
{
	for (unsigned key = 0; key < PS2_KEYBOARD_KEYS; key++) {
		if (key_bits_get(bits, key) && !ps2_scancode_exists((uint16_t)key)) {
			return false;
		}
	}
	return true;
}

int ps2_keyboard_load(struct ps2_keyboard *keyboard, struct wire *in)
{
	struct ps2_keyboard loaded = { 0 };

	if (!ps2_queue_load(&loaded.queue, in)) {
		return -EPROTO;
	}
	loaded.scanning = wire_get_bool(in);
	loaded.set = wire_get_u8(in);
	loaded.leds = wire_get_u8(in);
	loaded.command = wire_get_u8(in);
	loaded.last = wire_get_u8(in);
	loaded.patient = wire_get_bool(in);
	loaded.behind = wire_get_bool(in);
	wire_get_bytes(in, loaded.held, sizeof(loaded.held));
	wire_get_bytes(in, loaded.told, sizeof(loaded.told));
	loaded.backlog_count = wire_get_u16(in);
	if (!wire_ok(in) || loaded.set < 1 || loaded.set > 2 || (loaded.leds & ~LEDS_ALL) != 0 ||
	    loaded.backlog_count > PS2_KEYBOARD_BACKLOG || !keys_exist(loaded.held) ||
	    !keys_exist(loaded.told) ||
	    (loaded.command != 0 && loaded.command != COMMAND_LEDS &&
		loaded.command != COMMAND_SET && loaded.command != COMMAND_TYPEMATIC)) {
		return -EPROTO;
	}
	for (unsigned i = 0; i < loaded.backlog_count; i++) {
		loaded.backlog[i] = wire_get_u16(in);
		if (!ps2_scancode_exists(loaded.backlog[i] & (BACKLOG_DOWN - 1))) {
			return -EPROTO;
		}
	}
	if (!wire_ok(in)) {
		return -EPROTO;
	}
	*keyboard = loaded;
	return 0;
}
