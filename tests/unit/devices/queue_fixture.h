/*
 * A queue of eight descriptors in a small memory of its own, for the tests of virtqueues. Areas and buffers lie at fixed
 * places; descriptors and heads are written as a driver would.
 */
#pragma once

#include <linux/virtio_ring.h>

#include "vmm/guestmem.h"
#include "vmm/virtio/virtqueue.h"

enum {
	MEMORY = 1 << 20,
	SIZE = 8,
	TABLE = 0x1000,
	DRIVER = 0x2000,
	DEVICE = 0x3000,
	INDIRECT = 0x4000,
	BUFFERS = 0x10000,
	NEXT = VRING_DESC_F_NEXT,
	WRITE = VRING_DESC_F_WRITE,
	IN_TABLE = VRING_DESC_F_INDIRECT,
};

struct test {
	struct guestmem memory;
	struct virtqueue queue;
	struct virtqueue_chain chain;
	uint16_t available;
};

/* cmocka's setup and teardown; the state is a struct test. */
int queue_setup(void **state);
int queue_teardown(void **state);
/* Writes descriptor `index` of `table`. */
void put(struct test *test, uint64_t table, unsigned index, uint64_t address, uint32_t length,
    unsigned flags, unsigned next);
/* Makes a chain available. */
void give(struct test *test, uint16_t head);
int pop(struct test *test);
uint16_t load_u16(struct test *test, uint64_t address);
/* The next pop breaks the queue, which stays broken and says nothing more to the driver. */
void assert_broken(struct test *test);
