/*
 * A disk as a device sees it: a row of bytes of a fixed size, whatever file lies behind. Any thread may call the
 * operations, several at once; overlapping requests at the same time give either's bytes, as on any disk. All block;
 * they are called by workers, never by a vCPU's or the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/must_check.h"
#include "vmm/disk/disk_io.h"

enum {
	DISK_SECTOR = 512,
	DISK_ID_SIZE = 32, /* bytes of a golden image's name, its content hash */
};

struct disk;

struct disk_ops {
	/* Ranges lie inside the disk (checked by the functions below); offset and size in bytes. 0 or -errno. */
	int (*read)(struct disk *disk, uint64_t offset, const struct iovec *parts, int count,
	    uint64_t size);
	int (*write)(struct disk *disk, uint64_t offset, const struct iovec *parts, int count,
	    uint64_t size);
	/* What was written before the call is on the disk after it. */
	int (*flush)(struct disk *disk);
	/* The range reads as zeros afterwards; its space may be given back when `discard`. */
	int (*zero)(struct disk *disk, uint64_t offset, uint64_t size, bool discard);
	void (*destroy)(struct disk *disk);
};

/* First member of every kind. */
struct disk {
	const struct disk_ops *ops;
	uint64_t size; /* bytes, a multiple of DISK_SECTOR */
	bool read_only;
};

/* `size` is the sum of the parts. -EINVAL outside of the disk, -EROFS, -ENOSPC when the host is full, -EIO. */
must_check int disk_read(struct disk *disk, uint64_t offset, const struct iovec *parts, int count);
must_check int disk_write(struct disk *disk, uint64_t offset, const struct iovec *parts, int count);
must_check int disk_flush(struct disk *disk);
must_check int disk_zero(struct disk *disk, uint64_t offset, uint64_t size, bool discard);
/* NULL is fine. Does not flush. */
void disk_destroy(struct disk *disk);

/*
 * A plain file, sector after sector. Owns `io` from now on, on an error, too. -EINVAL when the file is empty or its
 * size no multiple of DISK_SECTOR.
 */
must_check int disk_raw_create_take(struct disk_io *io, bool read_only, struct disk **disk);
/*
 * An overlay (vmm/disk/overlay.h) with its base, NULL when it has none; both are owned from now on, on an error, too.
 * -EPROTO when the file is no overlay or damaged, -ESTALE when it was made for another base.
 */
must_check int disk_overlay_create_take(struct disk_io *io, struct disk_io *base,
    const uint8_t base_id[DISK_ID_SIZE], bool read_only, struct disk **disk);
