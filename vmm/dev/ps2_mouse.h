/*
 * A PS/2 mouse on its cable: standard, IntelliMouse (wheel) and IntelliMouse Explorer (five buttons), switched by the
 * sample rate knock; stream, remote and wrap mode, scaling, resolution. Microsoft, "PS/2 Mouse"; Chapweske, "The PS/2
 * Mouse Interface". Motion that the guest has not read yet adds up. Embedded by value; machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/dev/ps2_queue.h"

enum {
	PS2_MOUSE_LEFT = 1 << 0,
	PS2_MOUSE_RIGHT = 1 << 1,
	PS2_MOUSE_MIDDLE = 1 << 2,
	PS2_MOUSE_SIDE = 1 << 3,  /* button 4 */
	PS2_MOUSE_EXTRA = 1 << 4, /* button 5 */
	PS2_MOUSE_BUTTONS = 0x1f,
	PS2_MOUSE_MOTION_MAX = 1 << 20, /* pixels or notches that add up, each way */
};

struct ps2_mouse {
	struct ps2_queue queue;
	uint8_t id; /* 0 standard, 3 IntelliMouse, 4 Explorer */
	bool remote, wrap, reporting, scaling;
	uint8_t resolution, rate;
	uint8_t command;    /* whose parameter comes next, 0: none */
	uint8_t knock;      /* how far the sample rate sequence has come */
	uint8_t last;       /* byte sent, for resend */
	uint8_t buttons;    /* now */
	uint8_t told;       /* as the guest was told */
	int32_t dx, dy, dz; /* since the last packet; y grows downwards, z upwards */
};

/* Power on. */
void ps2_mouse_init(struct ps2_mouse *mouse);
void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte);
bool ps2_mouse_read(struct ps2_mouse *mouse, uint8_t *byte);
void ps2_mouse_motion(struct ps2_mouse *mouse, int32_t dx, int32_t dy, int32_t dz);
/* `buttons` of PS2_MOUSE_*, all of them. */
void ps2_mouse_buttons(struct ps2_mouse *mouse, uint8_t buttons);
void ps2_mouse_save(const struct ps2_mouse *mouse, struct wire *out);
must_check int ps2_mouse_load(struct ps2_mouse *mouse, struct wire *in);
