/*
 * The calls by which a disk reaches its file: a table, so that tests can put a file of their own behind it that fails, or
 * forgets what was not synced. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/must_check.h"

enum {
	DISK_IO_PARTS_MAX = 256, /* of one call */
};

struct disk_io;

struct disk_io_ops {
	/* Everything or an error; what lies behind the end reads as zeros. 0 or -errno. */
	int (*read)(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count);
	int (*write)(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count);
	int (*sync)(struct disk_io *io);
	/* The range reads as zeros and takes no space; the file's size stays. -EOPNOTSUPP where the file system cannot. */
	int (*punch)(struct disk_io *io, uint64_t offset, uint64_t size);
	void (*destroy)(struct disk_io *io);
};

/* First member of every kind. */
struct disk_io {
	const struct disk_io_ops *ops;
	uint64_t size; /* of the file at the start */
};

/* A file. Owns `fd` from now on, on an error, too. -EBUSY when another process has it as its disk and not `shared`. */
must_check int disk_io_file_create_take(int fd, bool shared, struct disk_io **io);
