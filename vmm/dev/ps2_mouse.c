/*
 * The mouse's protocol. What must stay true: packets enter the queue whole; what did not fit is neither lost (motion adds
 * up, buttons are told as they are) nor without bound.
 */
#include "vmm/dev/ps2_mouse.h"

#include <errno.h>

enum {
	COMMAND_SCALING_1_1 = 0xe6,
	COMMAND_SCALING_2_1 = 0xe7,
	COMMAND_RESOLUTION = 0xe8,
	COMMAND_STATUS = 0xe9,
	COMMAND_STREAM = 0xea,
	COMMAND_READ = 0xeb,
	COMMAND_UNWRAP = 0xec,
	COMMAND_WRAP = 0xee,
	COMMAND_REMOTE = 0xf0,
	COMMAND_IDENTIFY = 0xf2,
	COMMAND_RATE = 0xf3,
	COMMAND_ENABLE = 0xf4,
	COMMAND_DISABLE = 0xf5,
	COMMAND_DEFAULTS = 0xf6,
	COMMAND_RESEND = 0xfe,
	COMMAND_RESET = 0xff,
	REPLY_ACK = 0xfa,
	REPLY_NAK = 0xfe,
	REPLY_SELF_TEST_PASSED = 0xaa,

	ID_STANDARD = 0,
	ID_INTELLIMOUSE = 3,
	ID_EXPLORER = 4,

	PACKET_ALWAYS = 1 << 3,
	PACKET_X_NEGATIVE = 1 << 4,
	PACKET_Y_NEGATIVE = 1 << 5,
	DELTA_MAX = 255,
	PACKET_MAX = 4,
	BASIC_BUTTONS = PS2_MOUSE_LEFT | PS2_MOUSE_RIGHT | PS2_MOUSE_MIDDLE,
};

/* The knock: rates 200, 100, 80 make an IntelliMouse; 200, 200, 80 an Explorer. */
enum knock {
	KNOCK_NONE,
	KNOCK_200,
	KNOCK_200_100,
	KNOCK_200_200,
};

static void set_defaults(struct ps2_mouse *mouse)
{
	mouse->remote = false;
	mouse->wrap = false;
	mouse->reporting = false;
	mouse->scaling = false;
	mouse->resolution = 2;
	mouse->rate = 100;
	mouse->command = 0;
	mouse->knock = KNOCK_NONE;
	mouse->queue.count = 0;
	mouse->dx = mouse->dy = mouse->dz = 0;
	mouse->told = mouse->buttons;
}

void ps2_mouse_init(struct ps2_mouse *mouse)
{
	*mouse = (struct ps2_mouse){ .id = ID_STANDARD };
	set_defaults(mouse);
}

static int32_t take(int32_t *sum, int32_t limit)
{
	int32_t part = *sum > limit ? limit : *sum < -limit ? -limit : *sum;

	*sum -= part;
	return part;
}

/* Scaling 2:1 of stream mode. */
static int32_t scale(int32_t delta)
{
	static const int32_t small[] = { 0, 1, 1, 3, 6, 9 };
	int32_t size = delta < 0 ? -delta : delta;

	size = size < 6 ? small[size] : 2 * size;
	size = size > DELTA_MAX ? DELTA_MAX : size;
	return delta < 0 ? -size : size;
}

static bool has_news(const struct ps2_mouse *mouse)
{
	uint8_t seen = mouse->id == ID_EXPLORER ? PS2_MOUSE_BUTTONS : BASIC_BUTTONS;

	return mouse->dx != 0 || mouse->dy != 0 || (mouse->id != ID_STANDARD && mouse->dz != 0) ||
	       ((mouse->buttons ^ mouse->told) & seen) != 0;
}

/* One packet with as much of the motion as goes into it. */
static void put_packet(struct ps2_mouse *mouse)
{
	int32_t dx = take(&mouse->dx, DELTA_MAX), dy = -take(&mouse->dy, DELTA_MAX), dz;
	/* A button that was pressed after a long motion is pressed at its end. */
	uint8_t buttons = mouse->dx != 0 || mouse->dy != 0 ? mouse->told : mouse->buttons;

	if (mouse->scaling && !mouse->remote) {
		dx = scale(dx);
		dy = scale(dy);
	}
	ps2_queue_put(&mouse->queue,
	    (uint8_t)(PACKET_ALWAYS | (buttons & BASIC_BUTTONS) | (dx < 0 ? PACKET_X_NEGATIVE : 0) |
		      (dy < 0 ? PACKET_Y_NEGATIVE : 0)));
	ps2_queue_put(&mouse->queue, (uint8_t)dx);
	ps2_queue_put(&mouse->queue, (uint8_t)dy);
	if (mouse->id == ID_INTELLIMOUSE) {
		dz = take(&mouse->dz, 127);
		ps2_queue_put(&mouse->queue, (uint8_t)-dz);
	} else if (mouse->id == ID_EXPLORER) {
		/* One notch a packet: Linux takes two of them for a second wheel. */
		dz = take(&mouse->dz, 1);
		ps2_queue_put(&mouse->queue,
		    (uint8_t)((-dz & 0x0f) | (buttons & (PS2_MOUSE_SIDE | PS2_MOUSE_EXTRA)) << 1));
	} else {
		mouse->dz = 0;
	}
	mouse->told = buttons;
}

static void refill(struct ps2_mouse *mouse)
{
	if (mouse->remote || mouse->wrap || !mouse->reporting) {
		return;
	}
	/* Room for an answer stays behind the packets. */
	while (has_news(mouse) && ps2_queue_has_room(&mouse->queue, 2 * PACKET_MAX)) {
		put_packet(mouse);
	}
}

static int32_t add(int32_t sum, int32_t delta)
{
	int64_t result = (int64_t)sum + delta;

	return result > PS2_MOUSE_MOTION_MAX    ? PS2_MOUSE_MOTION_MAX
	       : result < -PS2_MOUSE_MOTION_MAX ? -PS2_MOUSE_MOTION_MAX
						: (int32_t)result;
}

void ps2_mouse_motion(struct ps2_mouse *mouse, int32_t dx, int32_t dy, int32_t dz)
{
	if (!mouse->reporting && !mouse->remote) {
		return;
	}
	mouse->dx = add(mouse->dx, dx);
	mouse->dy = add(mouse->dy, dy);
	mouse->dz = add(mouse->dz, dz);
	refill(mouse);
}

void ps2_mouse_buttons(struct ps2_mouse *mouse, uint8_t buttons)
{
	mouse->buttons = buttons & PS2_MOUSE_BUTTONS;
	refill(mouse);
}

bool ps2_mouse_read(struct ps2_mouse *mouse, uint8_t *byte)
{
	if (!ps2_queue_get(&mouse->queue, byte)) {
		return false;
	}
	mouse->last = *byte;
	refill(mouse);
	return true;
}

static void reply(struct ps2_mouse *mouse, uint8_t byte)
{
	ps2_queue_put(&mouse->queue, byte);
}

static void reply_status(struct ps2_mouse *mouse)
{
	uint8_t buttons = (uint8_t)((mouse->buttons & PS2_MOUSE_LEFT ? 4 : 0) |
				    (mouse->buttons & PS2_MOUSE_MIDDLE ? 2 : 0) |
				    (mouse->buttons & PS2_MOUSE_RIGHT ? 1 : 0));

	reply(mouse, (uint8_t)((mouse->remote ? 0x40 : 0) | (mouse->reporting ? 0x20 : 0) |
			       (mouse->scaling ? 0x10 : 0) | buttons));
	reply(mouse, mouse->resolution);
	reply(mouse, mouse->rate);
}

static void set_rate(struct ps2_mouse *mouse, uint8_t rate)
{
	mouse->rate = rate;
	if (rate == 200) {
		mouse->knock = mouse->knock == KNOCK_200 || mouse->knock == KNOCK_200_200
				   ? KNOCK_200_200
				   : KNOCK_200;
	} else if (rate == 100 && mouse->knock == KNOCK_200) {
		mouse->knock = KNOCK_200_100;
	} else {
		if (rate == 80 && mouse->knock == KNOCK_200_100) {
			mouse->id = ID_INTELLIMOUSE;
		} else if (rate == 80 && mouse->knock == KNOCK_200_200) {
			mouse->id = ID_EXPLORER;
		}
		mouse->knock = KNOCK_NONE;
	}
}

static void write_parameter(struct ps2_mouse *mouse, uint8_t byte)
{
	if (mouse->command == COMMAND_RATE) {
		set_rate(mouse, byte);
	} else {
		mouse->resolution = byte & 3;
	}
	mouse->command = 0;
	reply(mouse, REPLY_ACK);
}

static void write_command(struct ps2_mouse *mouse, uint8_t byte)
{
	/* The first answer to a command throws away what the guest has not read (Chapweske, "Commands"). */
	mouse->queue.count = 0;
	reply(mouse, REPLY_ACK);
	switch (byte) {
	case COMMAND_SCALING_1_1:
	case COMMAND_SCALING_2_1:
		mouse->scaling = byte == COMMAND_SCALING_2_1;
		break;
	case COMMAND_RATE:
	case COMMAND_RESOLUTION:
		mouse->command = byte;
		break;
	case COMMAND_STATUS:
		reply_status(mouse);
		break;
	case COMMAND_STREAM:
	case COMMAND_REMOTE:
		mouse->remote = byte == COMMAND_REMOTE;
		break;
	case COMMAND_READ:
		put_packet(mouse);
		break;
	case COMMAND_UNWRAP:
		break;
	case COMMAND_WRAP:
		mouse->wrap = true;
		break;
	case COMMAND_IDENTIFY:
		reply(mouse, mouse->id);
		break;
	case COMMAND_ENABLE:
		mouse->reporting = true;
		mouse->told = mouse->buttons;
		mouse->dx = mouse->dy = mouse->dz = 0;
		break;
	case COMMAND_DISABLE:
		mouse->reporting = false;
		break;
	case COMMAND_DEFAULTS:
		set_defaults(mouse);
		reply(mouse, REPLY_ACK);
		break;
	case COMMAND_RESET:
		mouse->id = ID_STANDARD;
		set_defaults(mouse);
		reply(mouse, REPLY_ACK);
		reply(mouse, REPLY_SELF_TEST_PASSED);
		reply(mouse, mouse->id);
		break;
	default:
		mouse->queue.count = 0;
		reply(mouse, REPLY_NAK);
		break;
	}
}

void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte)
{
	if (mouse->wrap && byte != COMMAND_RESET && byte != COMMAND_UNWRAP) {
		reply(mouse, byte);
		return;
	}
	mouse->wrap = false;
	if (byte == COMMAND_RESEND) {
		reply(mouse, mouse->last);
	} else if (mouse->command != 0 && byte < COMMAND_SCALING_1_1) {
		write_parameter(mouse, byte);
	} else {
		mouse->command = 0;
		write_command(mouse, byte);
	}
	refill(mouse);
}

void ps2_mouse_save(const struct ps2_mouse *mouse, struct wire *out)
{
	ps2_queue_save(&mouse->queue, out);
	wire_put_u8(out, mouse->id);
	wire_put_bool(out, mouse->remote);
	wire_put_bool(out, mouse->wrap);
	wire_put_bool(out, mouse->reporting);
	wire_put_bool(out, mouse->scaling);
	wire_put_u8(out, mouse->resolution);
	wire_put_u8(out, mouse->rate);
	wire_put_u8(out, mouse->command);
	wire_put_u8(out, mouse->knock);
	wire_put_u8(out, mouse->last);
	wire_put_u8(out, mouse->buttons);
	wire_put_u8(out, mouse->told);
	wire_put_u32(out, (uint32_t)mouse->dx);
	wire_put_u32(out, (uint32_t)mouse->dy);
	wire_put_u32(out, (uint32_t)mouse->dz);
}

static bool motion_in_range(int32_t delta)
{
	return delta >= -PS2_MOUSE_MOTION_MAX && delta <= PS2_MOUSE_MOTION_MAX;
}

int ps2_mouse_load(struct ps2_mouse *mouse, struct wire *in)
{
	struct ps2_mouse loaded = { 0 };

	if (!ps2_queue_load(&loaded.queue, in)) {
		return -EPROTO;
	}
	loaded.id = wire_get_u8(in);
	loaded.remote = wire_get_bool(in);
	loaded.wrap = wire_get_bool(in);
	loaded.reporting = wire_get_bool(in);
	loaded.scaling = wire_get_bool(in);
	loaded.resolution = wire_get_u8(in);
	loaded.rate = wire_get_u8(in);
	loaded.command = wire_get_u8(in);
	loaded.knock = wire_get_u8(in);
	loaded.last = wire_get_u8(in);
	loaded.buttons = wire_get_u8(in);
	loaded.told = wire_get_u8(in);
	loaded.dx = (int32_t)wire_get_u32(in);
	loaded.dy = (int32_t)wire_get_u32(in);
	loaded.dz = (int32_t)wire_get_u32(in);
	if (!wire_ok(in) ||
	    (loaded.id != ID_STANDARD && loaded.id != ID_INTELLIMOUSE &&
		loaded.id != ID_EXPLORER) ||
	    loaded.resolution > 3 || loaded.knock > KNOCK_200_200 ||
	    loaded.buttons > PS2_MOUSE_BUTTONS || loaded.told > PS2_MOUSE_BUTTONS ||
	    !motion_in_range(loaded.dx) || !motion_in_range(loaded.dy) ||
	    !motion_in_range(loaded.dz) ||
	    (loaded.command != 0 && loaded.command != COMMAND_RATE &&
		loaded.command != COMMAND_RESOLUTION)) {
		return -EPROTO;
	}
	*mouse = loaded;
	return 0;
}
