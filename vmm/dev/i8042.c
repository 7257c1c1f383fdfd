/*
 * The keyboard controller. What must stay true: the output buffer holds one byte whose origin the status register tells;
 * IRQ 1 and 12 are high exactly while it holds one for them and the command byte enables them, so both follow from the
 * saved state.
 */
#include "vmm/dev/i8042.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>

#include "vmm/dev/ps2_keyboard.h"
#include "vmm/dev/ps2_mouse.h"
#include "vmm/dev/ps2_scancodes.h"

enum {
	PORT_DATA = 0x60,
	PORT_COMMAND = 0x64,
	GSI_KEYBOARD = 1,
	GSI_MOUSE = 12,
	RAM_SIZE = 32,

	STATUS_OUTPUT_FULL = 1 << 0,
	STATUS_SYSTEM = 1 << 2,
	STATUS_COMMAND = 1 << 3, /* the last write was to the command port */
	STATUS_UNLOCKED = 1 << 4,
	STATUS_MOUSE = 1 << 5,

	MODE_KEYBOARD_INTERRUPT = 1 << 0,
	MODE_MOUSE_INTERRUPT = 1 << 1,
	MODE_SYSTEM = 1 << 2,
	MODE_KEYBOARD_DISABLED = 1 << 4,
	MODE_MOUSE_DISABLED = 1 << 5,
	MODE_TRANSLATE = 1 << 6,
	/* As firmware leaves it. */
	MODE_INITIAL = MODE_KEYBOARD_INTERRUPT | MODE_SYSTEM | MODE_MOUSE_DISABLED | MODE_TRANSLATE,

	COMMAND_READ_RAM = 0x20,
	COMMAND_WRITE_RAM = 0x60,
	COMMAND_DISABLE_MOUSE = 0xa7,
	COMMAND_ENABLE_MOUSE = 0xa8,
	COMMAND_TEST_MOUSE = 0xa9,
	COMMAND_SELF_TEST = 0xaa,
	COMMAND_TEST_KEYBOARD = 0xab,
	COMMAND_DISABLE_KEYBOARD = 0xad,
	COMMAND_ENABLE_KEYBOARD = 0xae,
	COMMAND_READ_INPUT = 0xc0,
	COMMAND_READ_OUTPUT = 0xd0,
	COMMAND_WRITE_OUTPUT = 0xd1,
	COMMAND_WRITE_KEYBOARD_BUFFER = 0xd2,
	COMMAND_WRITE_MOUSE_BUFFER = 0xd3,
	COMMAND_WRITE_MOUSE = 0xd4,
	COMMAND_PULSE = 0xf0, /* the low nibble's zero bits are pulsed */

	SELF_TEST_PASSED = 0x55,
	INPUT_PORT = 0x80, /* not locked */
	OUTPUT_NO_RESET = 1 << 0,
	OUTPUT_A20 = 1 << 1,
	TRANSLATE_BREAK = 0xf0,
};

struct i8042 {
	struct device device;
	struct device_environment *environment;
	uint8_t ram[RAM_SIZE]; /* byte 0 is the command byte: the mode */
	bool full;             /* the output buffer */
	bool from_mouse;
	uint8_t data;
	uint8_t output_port;
	uint8_t
	    command; /* whose data byte is expected at port 0x60, 0: none (the byte is the keyboard's) */
	bool last_was_command;
	bool break_code; /* translation: a 0xF0 was swallowed */
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	void (*on_leds)(void *context, uint8_t leds);
	void *on_leds_context;
};

static uint8_t mode(const struct i8042 *i8042)
{
	return i8042->ram[0];
}

static void update_interrupts(const struct i8042 *i8042)
{
	const struct irq *irq = i8042->environment->irq;

	irq_set_line(irq, GSI_KEYBOARD,
	    i8042->full && !i8042->from_mouse && (mode(i8042) & MODE_KEYBOARD_INTERRUPT));
	irq_set_line(irq, GSI_MOUSE,
	    i8042->full && i8042->from_mouse && (mode(i8042) & MODE_MOUSE_INTERRUPT));
}

static void put(struct i8042 *i8042, uint8_t byte, bool from_mouse)
{
	i8042->full = true;
	i8042->from_mouse = from_mouse;
	i8042->data = byte;
}

/* Takes the next byte of a device into the output buffer when that is empty. */
static void fill(struct i8042 *i8042)
{
	uint8_t byte;

	while (!i8042->full && !(mode(i8042) & MODE_KEYBOARD_DISABLED) &&
	       ps2_keyboard_read(&i8042->keyboard, &byte)) {
		if (!(mode(i8042) & MODE_TRANSLATE)) {
			put(i8042, byte, false);
		} else if (byte == TRANSLATE_BREAK) {
			i8042->break_code = true;
		} else {
			put(i8042, (uint8_t)(ps2_translate(byte) | (i8042->break_code ? 0x80 : 0)),
			    false);
			i8042->break_code = false;
		}
	}
	if (!i8042->full && !(mode(i8042) & MODE_MOUSE_DISABLED) &&
	    ps2_mouse_read(&i8042->mouse, &byte)) {
		put(i8042, byte, true);
	}
	update_interrupts(i8042);
}

static void set_mode(struct i8042 *i8042, uint8_t value)
{
	i8042->ram[0] = value;
	/* Only a driver that has set the controller up and is interrupted is known to read all there is. */
	i8042->keyboard.patient = value & MODE_KEYBOARD_INTERRUPT;
}

static void write_output_port(struct i8042 *i8042, uint8_t value)
{
	i8042->output_port = value;
	if (!(value & OUTPUT_NO_RESET)) {
		i8042->environment->request_reset(i8042->environment);
	}
}

static uint8_t read_status(const struct i8042 *i8042)
{
	return (uint8_t)((i8042->full ? STATUS_OUTPUT_FULL : 0) |
			 (mode(i8042) & MODE_SYSTEM ? STATUS_SYSTEM : 0) |
			 (i8042->last_was_command ? STATUS_COMMAND : 0) | STATUS_UNLOCKED |
			 (i8042->full && i8042->from_mouse ? STATUS_MOUSE : 0));
}

static void write_command(struct i8042 *i8042, uint8_t command)
{
	i8042->last_was_command = true;
	i8042->command = 0;
	if (command >= COMMAND_READ_RAM && command < COMMAND_READ_RAM + RAM_SIZE) {
		put(i8042, i8042->ram[command - COMMAND_READ_RAM], false);
		return;
	}
	if (command >= COMMAND_WRITE_RAM && command < COMMAND_WRITE_RAM + RAM_SIZE) {
		i8042->command = command;
		return;
	}
	if (command >= COMMAND_PULSE) {
		if (!(command & OUTPUT_NO_RESET)) {
			i8042->environment->request_reset(i8042->environment);
		}
		return;
	}
	switch (command) {
	case COMMAND_DISABLE_MOUSE:
		i8042->ram[0] |= MODE_MOUSE_DISABLED;
		break;
	case COMMAND_ENABLE_MOUSE:
		i8042->ram[0] &= (uint8_t)~MODE_MOUSE_DISABLED;
		break;
	case COMMAND_DISABLE_KEYBOARD:
		i8042->ram[0] |= MODE_KEYBOARD_DISABLED;
		break;
	case COMMAND_ENABLE_KEYBOARD:
		i8042->ram[0] &= (uint8_t)~MODE_KEYBOARD_DISABLED;
		break;
	case COMMAND_TEST_MOUSE:
	case COMMAND_TEST_KEYBOARD:
		put(i8042, 0x00, false);
		break;
	case COMMAND_SELF_TEST:
		i8042->ram[0] |= MODE_SYSTEM;
		put(i8042, SELF_TEST_PASSED, false);
		break;
	case COMMAND_READ_INPUT:
		put(i8042, INPUT_PORT, false);
		break;
	case COMMAND_READ_OUTPUT:
		put(i8042,
		    (uint8_t)(i8042->output_port | (i8042->full && !i8042->from_mouse ? 0x10 : 0) |
			      (i8042->full && i8042->from_mouse ? 0x20 : 0)),
		    false);
		break;
	case COMMAND_WRITE_OUTPUT:
	case COMMAND_WRITE_KEYBOARD_BUFFER:
	case COMMAND_WRITE_MOUSE_BUFFER:
	case COMMAND_WRITE_MOUSE:
		i8042->command = command;
		break;
	default:
		break;
	}
}

static void write_data(struct i8042 *i8042, uint8_t value)
{
	uint8_t command = i8042->command;

	i8042->last_was_command = false;
	i8042->command = 0;
	switch (command) {
	case 0:
		/* A byte for the keyboard enables its clock. */
		i8042->ram[0] &= (uint8_t)~MODE_KEYBOARD_DISABLED;
		if (ps2_keyboard_write(&i8042->keyboard, value) && i8042->on_leds) {
			i8042->on_leds(i8042->on_leds_context, i8042->keyboard.leds);
		}
		break;
	case COMMAND_WRITE_OUTPUT:
		write_output_port(i8042, value);
		break;
	case COMMAND_WRITE_KEYBOARD_BUFFER:
		put(i8042, value, false);
		break;
	case COMMAND_WRITE_MOUSE_BUFFER:
		put(i8042, value, true);
		break;
	case COMMAND_WRITE_MOUSE:
		i8042->ram[0] &= (uint8_t)~MODE_MOUSE_DISABLED;
		ps2_mouse_write(&i8042->mouse, value);
		break;
	case COMMAND_WRITE_RAM:
		set_mode(i8042, value);
		break;
	default:
		i8042->ram[command - COMMAND_WRITE_RAM] = value;
		break;
	}
}

static uint64_t data_read(void *context, uint64_t offset, unsigned size)
{
	struct i8042 *i8042 = context;
	uint8_t byte = i8042->data;

	(void)offset;
	if (size != 1) {
		return UINT64_MAX;
	}
	/* Both lines fall before the next byte raises one: each byte is an edge of its own. */
	i8042->full = false;
	update_interrupts(i8042);
	fill(i8042);
	return byte;
}

static void data_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	if (size == 1) {
		write_data(context, (uint8_t)value);
		fill(context);
	}
}

static uint64_t command_read(void *context, uint64_t offset, unsigned size)
{
	(void)offset;
	return size == 1 ? read_status(context) : UINT64_MAX;
}

static void command_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset;
	if (size == 1) {
		write_command(context, (uint8_t)value);
		fill(context);
	}
}

static const struct bus_ops data_ops = { .read = data_read, .write = data_write };
static const struct bus_ops command_ops = { .read = command_read, .write = command_write };

bool i8042_key(struct i8042 *i8042, uint16_t code, bool down)
{
	bool sent = ps2_keyboard_key(&i8042->keyboard, code, down);

	fill(i8042);
	return sent;
}

void i8042_motion(struct i8042 *i8042, int32_t dx, int32_t dy, int32_t wheel)
{
	ps2_mouse_motion(&i8042->mouse, dx, dy, wheel);
	fill(i8042);
}

void i8042_button(struct i8042 *i8042, uint16_t code, bool down)
{
	static const uint8_t bits[] = {
		[BTN_LEFT - BTN_LEFT] = PS2_MOUSE_LEFT,
		[BTN_RIGHT - BTN_LEFT] = PS2_MOUSE_RIGHT,
		[BTN_MIDDLE - BTN_LEFT] = PS2_MOUSE_MIDDLE,
		[BTN_SIDE - BTN_LEFT] = PS2_MOUSE_SIDE,
		[BTN_EXTRA - BTN_LEFT] = PS2_MOUSE_EXTRA,
	};
	uint8_t bit;

	if (code < BTN_LEFT || code > BTN_EXTRA) {
		return;
	}
	bit = bits[code - BTN_LEFT];
	ps2_mouse_buttons(&i8042->mouse,
	    (uint8_t)(down ? i8042->mouse.buttons | bit : i8042->mouse.buttons & ~bit));
	fill(i8042);
}

void i8042_release_keys(struct i8042 *i8042)
{
	ps2_keyboard_release_all(&i8042->keyboard);
	fill(i8042);
}

void i8042_release_buttons(struct i8042 *i8042)
{
	ps2_mouse_buttons(&i8042->mouse, 0);
	fill(i8042);
}

uint8_t i8042_leds(const struct i8042 *i8042)
{
	return i8042->keyboard.leds;
}

void i8042_set_on_leds(
    struct i8042 *i8042, void (*on_leds)(void *context, uint8_t leds), void *context)
{
	i8042->on_leds = on_leds;
	i8042->on_leds_context = context;
}

static void i8042_reset(struct device *device)
{
	struct i8042 *i8042 = (struct i8042 *)device;
	uint8_t leds = i8042->keyboard.leds;

	memset(i8042->ram, 0, sizeof(i8042->ram));
	i8042->ram[0] = MODE_INITIAL;
	i8042->full = false;
	i8042->from_mouse = false;
	i8042->data = 0;
	i8042->output_port = OUTPUT_NO_RESET | OUTPUT_A20;
	i8042->command = 0;
	i8042->last_was_command = false;
	i8042->break_code = false;
	ps2_keyboard_init(&i8042->keyboard);
	ps2_mouse_init(&i8042->mouse);
	update_interrupts(i8042);
	if (leds != 0 && i8042->on_leds) {
		i8042->on_leds(i8042->on_leds_context, 0);
	}
}

static int i8042_save(const struct device *device, struct wire *out)
{
	const struct i8042 *i8042 = (const struct i8042 *)device;

	wire_put_bytes(out, i8042->ram, sizeof(i8042->ram));
	wire_put_bool(out, i8042->full);
	wire_put_bool(out, i8042->from_mouse);
	wire_put_u8(out, i8042->data);
	wire_put_u8(out, i8042->output_port);
	wire_put_u8(out, i8042->command);
	wire_put_bool(out, i8042->last_was_command);
	wire_put_bool(out, i8042->break_code);
	ps2_keyboard_save(&i8042->keyboard, out);
	ps2_mouse_save(&i8042->mouse, out);
	return wire_ok(out) ? 0 : -EMSGSIZE;
}

static bool takes_data(uint8_t command)
{
	return command == 0 ||
	       (command >= COMMAND_WRITE_RAM && command < COMMAND_WRITE_RAM + RAM_SIZE) ||
	       (command >= COMMAND_WRITE_OUTPUT && command <= COMMAND_WRITE_MOUSE);
}

static int i8042_load(struct device *device, uint32_t version, struct wire *in)
{
	struct i8042 *i8042 = (struct i8042 *)device;
	uint8_t ram[RAM_SIZE];
	bool full, from_mouse, last_was_command, break_code;
	uint8_t data, output_port, command;
	int error;

	(void)version;
	wire_get_bytes(in, ram, sizeof(ram));
	full = wire_get_bool(in);
	from_mouse = wire_get_bool(in);
	data = wire_get_u8(in);
	output_port = wire_get_u8(in);
	command = wire_get_u8(in);
	last_was_command = wire_get_bool(in);
	break_code = wire_get_bool(in);
	if (!wire_ok(in) || !takes_data(command)) {
		return -EPROTO;
	}
	error = ps2_keyboard_load(&i8042->keyboard, in);
	if (error < 0) {
		return error;
	}
	error = ps2_mouse_load(&i8042->mouse, in);
	if (error < 0) {
		return error;
	}
	memcpy(i8042->ram, ram, sizeof(ram));
	i8042->full = full;
	i8042->from_mouse = from_mouse;
	i8042->data = data;
	i8042->output_port = output_port;
	i8042->command = command;
	i8042->last_was_command = last_was_command;
	i8042->break_code = break_code;
	update_interrupts(i8042);
	return 0;
}

static void i8042_destroy(struct device *device)
{
	struct i8042 *i8042 = (struct i8042 *)device;

	bus_remove(i8042->environment->bus, BUS_PORTS, PORT_DATA);
	bus_remove(i8042->environment->bus, BUS_PORTS, PORT_COMMAND);
	free(i8042);
}

static const struct device_ops i8042_ops = {
	.name = "i8042",
	.version = 1,
	.reset = i8042_reset,
	.save = i8042_save,
	.load = i8042_load,
	.destroy = i8042_destroy,
};

int i8042_create(struct device_environment *environment, struct i8042 **i8042)
{
	struct i8042 *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &i8042_ops;
	created->environment = environment;
	error = bus_add(environment->bus, BUS_PORTS, PORT_DATA, 1, &data_ops, created);
	if (error < 0) {
		goto fail_data;
	}
	error = bus_add(environment->bus, BUS_PORTS, PORT_COMMAND, 1, &command_ops, created);
	if (error < 0) {
		goto fail_command;
	}
	i8042_reset(&created->device);
	*i8042 = created;
	return 0;

fail_command:
	bus_remove(environment->bus, BUS_PORTS, PORT_DATA);
fail_data:
	free(created);
	return error;
}

struct device *i8042_device(struct i8042 *i8042)
{
	return &i8042->device;
}
