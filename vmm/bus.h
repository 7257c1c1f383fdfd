/*
 * Which device answers at which port or address. Lookups happen in vCPU threads with the machine's lock held, as do
 * changes (a guest may move a BAR while running).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"

enum bus_space {
	BUS_PORTS = 0,
	BUS_MEMORY = 1,
};

/* `size` is 1, 2, 4 or 8 and offset + size is inside the region. A read returns the value in its low bytes. */
struct bus_ops {
	uint64_t (*read)(void *context, uint64_t offset, unsigned size);
	void (*write)(void *context, uint64_t offset, unsigned size, uint64_t value);
};

struct bus;

must_check int bus_create(struct bus **bus);
void bus_destroy(struct bus *bus);
/* -EEXIST when it overlaps another region, -ENOSPC when the table is full, -EINVAL when it wraps. */
must_check int bus_add(struct bus *bus, enum bus_space space, uint64_t base, uint64_t size,
    const struct bus_ops *ops, void *context);
/* Removes the region that starts at `base`; nothing happens when there is none. */
void bus_remove(struct bus *bus, enum bus_space space, uint64_t base);
/* An access nobody answers reads all ones and writes nowhere; the result tells whether someone did. */
bool bus_read(
    struct bus *bus, enum bus_space space, uint64_t address, unsigned size, uint64_t *value);
bool bus_write(
    struct bus *bus, enum bus_space space, uint64_t address, unsigned size, uint64_t value);
