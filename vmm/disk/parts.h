/* Pieces of scattered memory. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The `size` bytes from `skip` on, as parts of their own in `slice` (room for `count`); returns how many they are. */
int parts_slice(
    const struct iovec *parts, int count, uint64_t skip, uint64_t size, struct iovec *slice);
/* Copies the first `size` bytes out of parts that hold as many. */
void parts_gather(const struct iovec *parts, int count, void *bytes, size_t size);
/* Sets all bytes to 0. */
void parts_clear(const struct iovec *parts, int count);
