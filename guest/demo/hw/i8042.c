/* PS/2 keyboard and mouse; see i8042.h. Every wait is bounded: a machine without the device must
 * still start. */
#include "hw/i8042.h"

#include "hw/io.h"

#include <linux/input-event-codes.h>

#define DATA     0x60
#define STATUS   0x64
#define OUT_FULL 0x01
#define IN_FULL  0x02
#define FROM_AUX 0x20
#define PATIENCE 200

#define ACK      0xfa

static bool wait_writable(void)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (!(io_read8(STATUS) & IN_FULL)) {
			return true;
		}
	}
	return false;
}

static void command(uint8_t value)
{
	if (wait_writable()) {
		io_write8(STATUS, value);
	}
}

static void write_data(uint8_t value)
{
	if (wait_writable()) {
		io_write8(DATA, value);
	}
}

/* One byte from the controller, or -1 if none comes. */
static int read_data(void)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (io_read8(STATUS) & OUT_FULL) {
			return io_read8(DATA);
		}
	}
	return -1;
}

static void drain(void)
{
	for (int i = 0; i < 32 && (io_read8(STATUS) & OUT_FULL); i++) {
		(void)io_read8(DATA);
	}
}

/* Sends a byte to the mouse and takes the acknowledgement. */
static bool send_mouse(uint8_t value)
{
	command(0xd4);
	write_data(value);
	return read_data() == ACK;
}

/* The magic sample rates of an IntelliMouse; its identity is 3 if it has a wheel then. */
static void init_mouse(struct i8042 *i8042)
{
	static const uint8_t rates[] = { 200, 100, 80 };

	i8042->packet_size = 3;
	for (int i = 0; i < 3; i++) {
		if (!send_mouse(0xf3) || !send_mouse(rates[i])) {
			return;
		}
	}
	if (send_mouse(0xf2) && read_data() == 3) {
		i8042->packet_size = 4;
	}
	(void)send_mouse(0xf4);
}

void i8042_init(struct i8042 *i8042)
{
	int config;

	*i8042 = (struct i8042){ .packet_size = 3 };
	if (io_read8(STATUS) == 0xff) {
		return;
	}
	command(0xad);
	command(0xa7);
	drain();
	command(0x20);
	config = read_data();
	if (config < 0) {
		return;
	}
	i8042->present = true;
	/* Both interrupts and translation on, both clocks running. */
	command(0x60);
	write_data((uint8_t)((config | 0x43) & ~0x30));
	command(0xae);
	command(0xa8);
	write_data(0xf4);
	(void)read_data();
	init_mouse(i8042);
	drain();
}

void i8042_set_leds(struct i8042 *i8042, unsigned int leds)
{
	if (i8042->present) {
		/* The keyboard's order is scroll, num, caps. The two answers come as interrupts. */
		i8042->expect_ack += 2;
		write_data(0xed);
		write_data((uint8_t)((leds & 4) >> 2 | (leds & 1) << 1 | (leds & 2) << 1));
	}
}

static void take_key(struct i8042 *i8042, struct events *events, uint8_t byte)
{
	int code;

	if (i8042->skip > 0) {
		i8042->skip--;
		return;
	}
	if (byte == ACK && i8042->expect_ack > 0) {
		i8042->expect_ack--;
		return;
	}
	if (byte == 0xe0) {
		i8042->prefix = byte;
		return;
	}
	if (byte == 0xe1) {
		/* Pause: E1 1D 45 E1 9D C5, and it has no release. */
		i8042->skip = 5;
		events_push(
		    events, (struct platform_event){
				.type = PLATFORM_EVENT_KEY, .code = KEY_PAUSE, .value = 1 });
		events_push(events,
		    (struct platform_event){ .type = PLATFORM_EVENT_KEY, .code = KEY_PAUSE });
		return;
	}
	code = i8042_translate(byte & 0x7f, i8042->prefix == 0xe0);
	i8042->prefix = 0;
	if (code) {
		events_push(events,
		    (struct platform_event){
			.type = PLATFORM_EVENT_KEY, .code = code, .value = byte & 0x80 ? 0 : 1 });
	}
}

static void take_mouse(struct i8042 *i8042, struct events *events, uint8_t byte)
{
	static const int codes[3] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE };
	const uint8_t *p = i8042->packet;
	int dx;
	int dy;

	if (i8042->packet_at == 0 && !(byte & 0x08)) {
		return; /* not a first byte: fall into step again */
	}
	i8042->packet[i8042->packet_at++] = byte;
	if (i8042->packet_at < i8042->packet_size) {
		return;
	}
	i8042->packet_at = 0;
	dx = p[1] - ((p[0] & 0x10) ? 256 : 0);
	dy = p[2] - ((p[0] & 0x20) ? 256 : 0);
	if (dx || dy) {
		events_push(events,
		    (struct platform_event){ .type = PLATFORM_EVENT_MOTION, .x = dx, .y = -dy });
	}
	for (int i = 0; i < 3; i++) {
		if ((p[0] ^ i8042->buttons) & 1 << i) {
			events_push(events, (struct platform_event){ .type = PLATFORM_EVENT_BUTTON,
						.code = codes[i],
						.value = p[0] >> i & 1 });
		}
	}
	i8042->buttons = p[0] & 7;
	if (i8042->packet_size == 4 && (p[3] & 0x0f)) {
		int wheel = (p[3] & 0x0f) - ((p[3] & 0x08) ? 16 : 0);

		events_push(events,
		    (struct platform_event){ .type = PLATFORM_EVENT_WHEEL, .value = -wheel });
	}
}

void i8042_poll(struct i8042 *i8042, struct events *events)
{
	for (int i = 0; i8042->present && i < 64; i++) {
		uint8_t status = io_read8(STATUS);

		if (!(status & OUT_FULL)) {
			break;
		}
		if (status & FROM_AUX) {
			take_mouse(i8042, events, io_read8(DATA));
		} else {
			take_key(i8042, events, io_read8(DATA));
		}
	}
}
