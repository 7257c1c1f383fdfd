/*
 * virtio-input (virtio 1.2, section 5.8): a keyboard or an absolute tablet. An input event goes out whole or not at all:
 * a group up to its SYN_REPORT needs a buffer for each of its events. While the guest gives no buffers a bounded number
 * of groups waits; when even that is full, groups are dropped and the keys' and the pointer's state is made up for
 * later, so nothing stays pressed. All calls with the machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/dev/pci.h"
#include "vmm/device.h"

enum virtio_input_kind {
	VIRTIO_INPUT_KEYBOARD, /* keys 1 to 248, LEDs; no EV_REP: repetition is the guest's, or a press of what is down */
	VIRTIO_INPUT_TABLET, /* ABS_X, ABS_Y 0..32767, five buttons, both wheels */
};

enum {
	VIRTIO_INPUT_ABS_MAX = 32767,
};

struct virtio_input;

must_check int virtio_input_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, enum virtio_input_kind kind, struct virtio_input **input);
struct device *virtio_input_device(struct virtio_input *input);
/* A driver has set DRIVER_OK and the device is not broken. */
bool virtio_input_ready(const struct virtio_input *input);

/*
 * A key or button; ignored when this device does not have it or no driver is ready. Pressing what is down sends value 2,
 * a repetition in evdev's terms.
 */
void virtio_input_key(struct virtio_input *input, uint16_t code, bool down);
/* Position, 0..VIRTIO_INPUT_ABS_MAX. */
void virtio_input_position(struct virtio_input *input, uint32_t x, uint32_t y);
/* REL_WHEEL or REL_HWHEEL. */
void virtio_input_wheel(struct virtio_input *input, uint16_t code, int32_t notches);
/* Everything that is down goes up. */
void virtio_input_release_all(struct virtio_input *input);
/* Bit 0 scroll lock, 1 num lock, 2 caps lock (RFB's order). */
uint8_t virtio_input_leds(const struct virtio_input *input);
/* Called when the guest sets the LEDs; one listener, NULL removes it. */
void virtio_input_set_on_leds(
    struct virtio_input *input, void (*on_leds)(void *context, uint8_t leds), void *context);
/* Called when the driver comes or goes (virtio_input_ready() changed); one listener, NULL removes it. */
void virtio_input_set_on_ready(
    struct virtio_input *input, void (*on_ready)(void *context), void *context);
