/*
 * The PC's keyboard controller (ports 0x60 and 0x64, IRQ 1 and 12) with a PS/2 keyboard and an IntelliMouse Explorer
 * behind it. Sections of the IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller",
 * and of Adam Chapweske's PS/2 pages. Command 0xFE resets the machine. All calls with the machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/device.h"

struct i8042;

must_check int i8042_create(struct device_environment *environment, struct i8042 **i8042);
struct device *i8042_device(struct i8042 *i8042);

/* A key (KEY_*) went down or up. False when the keyboard has no such key or its queue is full (the key is not sent). */
bool i8042_key(struct i8042 *i8042, uint16_t code, bool down);
/* Relative motion in pixels, y growing downwards; wheel notches, up positive. Adds up until the guest reads it. */
void i8042_motion(struct i8042 *i8042, int32_t dx, int32_t dy, int32_t wheel);
/* A mouse button: BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA; others are ignored. */
void i8042_button(struct i8042 *i8042, uint16_t code, bool down);
/* Every key that is down, or that the guest believes to be, goes up; the same for buttons. */
void i8042_release_keys(struct i8042 *i8042);
void i8042_release_buttons(struct i8042 *i8042);
/* Bit 0 scroll lock, 1 num lock, 2 caps lock. */
uint8_t i8042_leds(const struct i8042 *i8042);
/* Called when the guest sets the LEDs; one listener, NULL removes it. */
void i8042_set_on_leds(
    struct i8042 *i8042, void (*on_leds)(void *context, uint8_t leds), void *context);
