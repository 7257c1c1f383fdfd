/*
 * A virtio driver for the tests: finds the structures through the capabilities, negotiates, lays out queues in guest
 * memory, gives buffers and collects them. It can also be made to break the rules, by writing to its areas directly.
 */
#pragma once

#include "fake_machine.h"

enum {
	FAKE_QUEUES = 2,
	FAKE_QUEUE_SPACE = 0x4000, /* guest memory of each queue's areas */
	FAKE_VECTOR_DATA = 0x40,   /* data of vector 0's message; the others follow */
};

struct fake_queue {
	uint16_t size;
	uint64_t descriptors, driver_area, device_area;
	uint16_t next_available, next_used;
};

struct fake_driver {
	struct fake_machine *machine;
	unsigned slot;
	uint64_t common, notify, isr, config;
	uint32_t notify_multiplier;
	uint64_t features; /* that were negotiated */
	uint64_t space;    /* guest memory for the queues */
	struct fake_queue queues[FAKE_QUEUES];
};

/* Finds the structures; false when a capability is missing. */
bool fake_driver_probe(
    struct fake_machine *machine, unsigned slot, uint64_t space, struct fake_driver *driver);
/* Everything to DRIVER_OK with `features` and the first `queues` queues; with MSI-X when `msix`. Returns the status. */
uint8_t fake_driver_start(
    struct fake_driver *driver, uint64_t features, unsigned queues, bool msix);
uint8_t fake_driver_status(struct fake_driver *driver);
void fake_driver_set_status(struct fake_driver *driver, uint8_t status);

/* Writes one descriptor of a table in guest memory. */
void fake_descriptor(struct fake_machine *machine, uint64_t table, unsigned index, uint64_t address,
    uint32_t length, uint16_t flags, uint16_t next);
/* Makes descriptor `head` available. */
void fake_give(struct fake_driver *driver, unsigned queue, uint16_t head);
/* One buffer as descriptor `index`, made available. */
void fake_give_buffer(struct fake_driver *driver, unsigned queue, uint16_t index, uint64_t address,
    uint32_t length, bool writable);
void fake_notify(struct fake_driver *driver, unsigned queue);
/* The next used element; false when there is none. */
bool fake_collect(struct fake_driver *driver, unsigned queue, uint32_t *id, uint32_t *length);
/* With EVENT_IDX: the available index from which on the device wants to be notified. */
uint16_t fake_available_event(struct fake_driver *driver, unsigned queue);
