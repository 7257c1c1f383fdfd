/* Zeros into a file: as a hole, or written where the file system has none. */
#pragma once

#include "base/must_check.h"
#include "vmm/disk/disk_io.h"

/* [offset, offset + size) reads as zeros afterwards. 0 or -errno. Any thread. */
must_check int zeros_put(struct disk_io *io, uint64_t offset, uint64_t size);
