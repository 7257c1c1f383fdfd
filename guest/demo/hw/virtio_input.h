/*
 * virtio-input over the modern PCI transport (virtio 1.2, 4.1 and 5.8): keyboards, tablets and mice
 * alike, since the events say what they are. One event queue for input, one status queue for
 * lights.
 *
 * What must stay true: the queues' memory is part of the struct, which therefore never moves after
 * probing.
 */
#pragma once

#include "hw/events.h"
#include "hw/pci.h"

#define VIRTIO_QUEUE_SIZE 64

struct virtio_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct virtio_queue {
	struct virtio_descriptor descriptors[VIRTIO_QUEUE_SIZE] __attribute__((aligned(16)));
	struct {
		uint16_t flags;
		uint16_t index;
		uint16_t ring[VIRTIO_QUEUE_SIZE];
		uint16_t used_event;
	} available;
	struct {
		uint16_t flags;
		volatile uint16_t index;
		struct {
			uint32_t id;
			uint32_t length;
		} ring[VIRTIO_QUEUE_SIZE];
		uint16_t available_event;
	} used __attribute__((aligned(4)));
	uint16_t seen; /* used.index that was handled */
	uint16_t size; /* what the device agreed to */
	uintptr_t notify;
};

struct virtio_event {
	uint16_t type;
	uint16_t code;
	uint32_t value;
};

struct virtio_input {
	struct pci_device pci;
	bool tablet; /* it has absolute axes */
	bool msix;
	uintptr_t common;
	uintptr_t config;
	uintptr_t isr;
	struct virtio_queue events;
	struct virtio_queue status;
	struct virtio_event buffers[VIRTIO_QUEUE_SIZE];
	struct virtio_event led;
	int most_x; /* of the absolute axes */
	int most_y;
	int x; /* gathered until the report ends */
	int y;
	bool moved;
	int rel_x;
	int rel_y;
};

/* Takes the device if it is a virtio-input one, and starts it with MSI-X `vector`; false if not. */
bool virtio_input_probe(struct virtio_input *input, const struct pci_device *pci, uint8_t vector);

/* Takes all events that are waiting. Also clears the interrupt of a device without MSI-X. */
void virtio_input_poll(struct virtio_input *input, struct events *events);

/* Sets a light (LED_x); ignored by devices without. */
void virtio_input_set_led(struct virtio_input *input, int led, bool on);
