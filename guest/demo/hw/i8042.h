/*
 * The PS/2 controller with a keyboard (scan code set 1, translated) and an IntelliMouse. Scan codes
 * become evdev key codes, mouse packets become motion, buttons and wheel.
 */
#pragma once

#include "hw/events.h"

struct i8042 {
	bool present;
	int prefix; /* 0xe0 after E0; bytes left of a Pause sequence are in `skip` */
	int skip;
	uint8_t packet[4];
	int packet_size; /* 3, or 4 with a wheel */
	int packet_at;
	uint8_t buttons;
	int expect_ack; /* of keyboard commands that were sent */
};

/* Initialises controller, keyboard and mouse; present stays false without a controller. */
void i8042_init(struct i8042 *i8042);

/* Takes all bytes that are waiting. */
void i8042_poll(struct i8042 *i8042, struct events *events);

/* Sets the keyboard's lights: bit 0 num lock, bit 1 caps lock, bit 2 scroll lock. */
void i8042_set_leds(struct i8042 *i8042, unsigned int leds);

/* The evdev code of a set 1 scan code (7 bits), plain or after E0; 0 if there is none. */
int i8042_translate(uint8_t scan, bool extended);
