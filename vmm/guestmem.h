/*
 * The guest's RAM. Everything of ours that touches it goes through these functions: the guest can change any byte at any
 * time, so what is read is copied once and the copy is checked.
 *
 * RAM is one private mapping in our address space, laid out from guest-physical 0 up to 3 GiB and on from 4 GiB. Where a
 * snapshot is resumed, parts of it are private mappings of the layer files. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

#define GUESTMEM_LOW_END   0xC0000000ull  /* RAM below the PCI window ends here */
#define GUESTMEM_HIGH_BASE 0x100000000ull /* what did not fit goes on here */

struct guestmem {
	uint8_t *host;     /* all RAM, contiguous here */
	uint64_t size;     /* bytes, a multiple of the page size */
	uint64_t low_size; /* the part at guest-physical 0 */
};

/* Reserves `size` bytes of zero pages. Returns 0, -EINVAL for a size that is 0 or no multiple of 4 KiB, or -ENOMEM. */
must_check int guestmem_create(struct guestmem *memory, uint64_t size);
void guestmem_fini(struct guestmem *memory);
/* Says again how the kernel is to treat RAM (no core dumps, small pages), after something was mapped over all of it. */
void guestmem_advise(struct guestmem *memory);

/* 0, or -EFAULT when any byte of [address, address + size) is not RAM. Nothing is copied then. */
must_check int guestmem_read(
    const struct guestmem *memory, uint64_t address, void *bytes, size_t size);
must_check int guestmem_write(
    struct guestmem *memory, uint64_t address, const void *bytes, size_t size);
must_check int guestmem_fill(struct guestmem *memory, uint64_t address, uint8_t byte, size_t size);
/*
 * A pointer for bulk transfers (disk, network): valid for exactly `size` bytes, which the guest can change at any time,
 * so nothing may be decided on what it holds. NULL when the range is not RAM or crosses the gap.
 */
void *guestmem_view(struct guestmem *memory, uint64_t address, size_t size);
bool guestmem_contains(const struct guestmem *memory, uint64_t address, uint64_t size);
/* Single values that the driver and we share: one access of that width, with the barrier that virtio needs. */
must_check int guestmem_load_u16(const struct guestmem *memory, uint64_t address, uint16_t *value);
must_check int guestmem_store_u16(struct guestmem *memory, uint64_t address, uint16_t value);
