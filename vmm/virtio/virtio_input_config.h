/*
 * What a virtio-input device says about itself: its configuration space (virtio 1.2, section 5.8.4) as tables. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/virtio/virtio_input.h"

enum {
	VIRTIO_INPUT_PAYLOAD_MAX = 128,
};

/* Fills `payload` for a selection and returns its size; 0 when there is nothing of that kind. */
uint8_t virtio_input_config(enum virtio_input_kind kind, uint8_t select, uint8_t subselect,
    uint8_t payload[VIRTIO_INPUT_PAYLOAD_MAX]);
/* Whether the device announces this event to its guest. */
bool virtio_input_has(enum virtio_input_kind kind, uint16_t type, uint16_t code);
