/*
 * Files behind disks. What must stay true: a short read or write goes on where it stopped, and the caller's parts are
 * never changed.
 */
#include "vmm/disk/disk_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/disk/parts.h"

struct file_io {
	struct disk_io io;
	int fd;
};

static int transfer(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count,
    ssize_t (*call)(int fd, const struct iovec *parts, int count, off_t offset), size_t *done)
{
	struct file_io *file = (struct file_io *)io;
	struct iovec left[DISK_IO_PARTS_MAX];

	*done = 0;
	if (count > DISK_IO_PARTS_MAX || offset > INT64_MAX) {
		return -EINVAL;
	}
	for (;;) {
		int used = parts_slice(parts, count, *done, UINT64_MAX, left);
		ssize_t size;

		if (used == 0) {
			return 0;
		}
		size = call(file->fd, left, used, (off_t)(offset + *done));
		if (size < 0 && errno == EINTR) {
			continue;
		}
		if (size < 0) {
			return -errno;
		}
		if (size == 0) {
			return -ENODATA;
		}
		*done += (size_t)size;
	}
}

static int file_read(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count)
{
	struct iovec left[DISK_IO_PARTS_MAX];
	size_t done;
	int error = transfer(io, offset, parts, count, preadv, &done);

	if (error != -ENODATA) {
		return error;
	}
	parts_clear(left, parts_slice(parts, count, done, UINT64_MAX, left));
	return 0;
}

static int file_write(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count)
{
	size_t done;
	int error = transfer(io, offset, parts, count, pwritev, &done);

	return error == -ENODATA ? -EIO : error;
}

static int file_sync(struct disk_io *io)
{
	return fdatasync(((struct file_io *)io)->fd) < 0 ? -errno : 0;
}

static int file_punch(struct disk_io *io, uint64_t offset, uint64_t size)
{
	if (fallocate(((struct file_io *)io)->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)offset, (off_t)size) < 0) {
		return -errno;
	}
	return 0;
}

static void file_destroy(struct disk_io *io)
{
	struct file_io *file = (struct file_io *)io;

	fd_close(&file->fd);
	free(file);
}

static const struct disk_io_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.sync = file_sync,
	.punch = file_punch,
	.destroy = file_destroy,
};

int disk_io_file_create_take(int fd, bool shared, struct disk_io **io)
{
	struct file_io *file = calloc(1, sizeof(*file));
	struct stat status;
	int error = 0;

	if (!file) {
		error = -ENOMEM;
	} else if (fstat(fd, &status) < 0) {
		error = -errno;
	} else if (!S_ISREG(status.st_mode)) {
		error = -EINVAL;
	} else if (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	if (error) {
		fd_close(&fd);
		free(file);
		return error;
	}
	file->io.ops = &file_ops;
	file->io.size = (uint64_t)status.st_size;
	file->fd = fd;
	*io = &file->io;
	return 0;
}
