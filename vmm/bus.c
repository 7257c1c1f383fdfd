/*
 * A sorted table for each of the two address spaces. A guest that moves its BARs changes the table
 * while it runs, but always with the machine's lock held, and regions never overlap: so a lookup is
 * one binary search and its answer is unique.
 */
#include "vmm/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum {
	BUS_SPACES = 2,
	BUS_REGIONS_MAX = 64,
};

struct bus_region {
	uint64_t base;
	uint64_t size;
	const struct bus_ops *ops;
	void *context;
};

struct bus_table {
	size_t count;
	struct bus_region regions[BUS_REGIONS_MAX];
};

struct bus {
	struct bus_table tables[BUS_SPACES];
};

int bus_create(struct bus **bus)
{
	struct bus *created = calloc(1, sizeof(*created));

	if (!created) {
		return -ENOMEM;
	}
	*bus = created;
	return 0;
}

void bus_destroy(struct bus *bus)
{
	free(bus);
}

/* The first region whose base is above `address`. */
static size_t find_above(const struct bus_table *table, uint64_t address)
{
	size_t low = 0;
	size_t high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->regions[middle].base <= address) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

int bus_add(struct bus *bus, enum bus_space space, uint64_t base, uint64_t size,
    const struct bus_ops *ops, void *context)
{
	struct bus_table *table = &bus->tables[space];
	uint64_t last;
	size_t index;

	/* The last byte's address must exist; a region may end exactly at the top. */
	if (size == 0 || !checked_add_u64(base, size - 1, &last) ||
	    (space == BUS_PORTS && last > UINT16_MAX)) {
		return -EINVAL;
	}
	if (table->count == BUS_REGIONS_MAX) {
		return -ENOSPC;
	}
	index = find_above(table, base);
	if (index > 0 && base - table->regions[index - 1].base < table->regions[index - 1].size) {
		return -EEXIST;
	}
	if (index < table->count && last >= table->regions[index].base) {
		return -EEXIST;
	}
	memmove(&table->regions[index + 1], &table->regions[index],
	    (table->count - index) * sizeof(table->regions[0]));
	table->regions[index] = (struct bus_region){
		.base = base, .size = size, .ops = ops, .context = context
	};
	table->count++;
	return 0;
}

void bus_remove(struct bus *bus, enum bus_space space, uint64_t base)
{
	struct bus_table *table = &bus->tables[space];
	size_t above = find_above(table, base);

	if (above == 0 || table->regions[above - 1].base != base) {
		return;
	}
	memmove(&table->regions[above - 1], &table->regions[above],
	    (table->count - above) * sizeof(table->regions[0]));
	table->count--;
}

/* The region that holds all of [address, address + size), or NULL: an access that leaves its region
 * is nobody's. */
static const struct bus_region *find_region(
    const struct bus *bus, enum bus_space space, uint64_t address, unsigned size)
{
	const struct bus_table *table = &bus->tables[space];
	size_t above = find_above(table, address);
	const struct bus_region *region;

	if (above == 0 || (size != 1 && size != 2 && size != 4 && size != 8)) {
		return NULL;
	}
	region = &table->regions[above - 1];
	return checked_range(address - region->base, size, region->size) ? region : NULL;
}

bool bus_read(
    struct bus *bus, enum bus_space space, uint64_t address, unsigned size, uint64_t *value)
{
	const struct bus_region *region = find_region(bus, space, address, size);
	uint64_t mask = size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;

	if (!region || !region->ops->read) {
		*value = mask;
		return false;
	}
	/* A copy, since the device may move its own region within the access. */
	struct bus_region found = *region;

	*value = found.ops->read(found.context, address - found.base, size) & mask;
	return true;
}

bool bus_write(
    struct bus *bus, enum bus_space space, uint64_t address, unsigned size, uint64_t value)
{
	const struct bus_region *region = find_region(bus, space, address, size);
	uint64_t mask = size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;

	if (!region || !region->ops->write) {
		return false;
	}
	struct bus_region found = *region;

	found.ops->write(found.context, address - found.base, size, value & mask);
	return true;
}
