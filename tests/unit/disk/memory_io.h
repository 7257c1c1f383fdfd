/*
 * A file in memory for the tests of disks: it can fail at a chosen call, and it can lose its power, after which it holds
 * what was synced and any of the sectors written since.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/disk/disk.h"

struct memory_file {
	uint8_t *now, *durable; /* what a read sees; what a sync has made safe */
	size_t size, capacity;
	/* The call after which the power is off, counting writes, punches and syncs from 1; 0: never. */
	unsigned fail_at, calls;
	int fail_with; /* of that call; the power stays on. 0: off, -EIO for all that follows */
	bool off, no_holes;
	uint64_t random; /* decides which sectors survive */
};

/* Room for `capacity` bytes, empty. */
void memory_file_init(struct memory_file *file, size_t capacity);
void memory_file_fini(struct memory_file *file);
/* The power is back: synced sectors are there, each of the others is old or new. */
void memory_file_recover(struct memory_file *file);
/* Opens it; destroying the io leaves the file. */
struct disk_io *memory_file_io(struct memory_file *file);

/* xorshift64* */
uint64_t memory_random(uint64_t *state);
