/*
 * A machine with one virtio-blk on a file in memory, and a driver for it. Workers can be held back at the gate, before they
 * write. One at a time.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <systemd/sd-event.h>

#include "memory_io.h"
#include "tests/unit/devices/fake_driver.h"
#include "vmm/virtio/virtio_blk.h"

enum {
	SLOT_DISK = 5,
	SECTORS = 64,
	SIZE = SECTORS * DISK_SECTOR,
	SPACE = 0x100000,
	HEADER = 0x200000,
	STATUS = 0x201000,
	DATA = 0x210000,
	WAIT_US = 10 * 1000 * 1000,
	PLAIN = 0xee, /* a status byte that nobody wrote */
};

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)
#define BASIC     (VERSION_1 | 1ull << VIRTIO_BLK_F_FLUSH)

struct test {
	struct fake_machine *machine;
	struct fake_driver driver;
	struct memory_file file;
	struct virtio_blk *blk;
	sd_event *event;
	unsigned locked;
};

/* cmocka's set-up and tear-down; *state is a struct test. */
int blk_setup(void **state);
int blk_teardown(void **state);
/* The machine and the device, on the file as it is. */
void create(struct test *test, bool read_only);
void destroy(struct test *test);

/* Closed: workers wait before they write. */
void gate_set(bool closed);
/* Until as many wait. */
void gate_await(unsigned waiting);

void put_header(struct test *test, uint64_t address, uint32_t type, uint64_t sector);
/* A request as descriptors `head` to `head` + 2, its data `size` bytes at DATA. */
void give(struct test *test, uint16_t head, uint32_t type, uint64_t sector, uint32_t size);
uint8_t status_of(const struct test *test, uint16_t head);
/* Runs the loop until a request is given back; its written length. */
uint32_t collect(struct test *test, uint16_t head);
/* A whole request; its status. */
uint8_t request(struct test *test, uint32_t type, uint64_t sector, uint32_t size);
