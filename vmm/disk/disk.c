/* What is common to all disks: nothing outside of the disk ever reaches a file. */
#include "vmm/disk/disk.h"

#include <errno.h>

static int check(
    const struct disk *disk, uint64_t offset, const struct iovec *parts, int count, uint64_t *size)
{
	*size = 0;
	if (count < 0 || count > DISK_IO_PARTS_MAX) {
		return -EINVAL;
	}
	for (int i = 0; i < count; i++) {
		if (__builtin_add_overflow(*size, parts[i].iov_len, size)) {
			return -EINVAL;
		}
	}
	return offset > disk->size || *size > disk->size - offset ? -EINVAL : 0;
}

int disk_read(struct disk *disk, uint64_t offset, const struct iovec *parts, int count)
{
	uint64_t size;
	int error = check(disk, offset, parts, count, &size);

	return error || size == 0 ? error : disk->ops->read(disk, offset, parts, count, size);
}

int disk_write(struct disk *disk, uint64_t offset, const struct iovec *parts, int count)
{
	uint64_t size;
	int error = disk->read_only ? -EROFS : check(disk, offset, parts, count, &size);

	return error || size == 0 ? error : disk->ops->write(disk, offset, parts, count, size);
}

int disk_flush(struct disk *disk)
{
	return disk->read_only ? 0 : disk->ops->flush(disk);
}

int disk_zero(struct disk *disk, uint64_t offset, uint64_t size, bool discard)
{
	if (disk->read_only) {
		return -EROFS;
	}
	if (offset > disk->size || size > disk->size - offset) {
		return -EINVAL;
	}
	return size == 0 ? 0 : disk->ops->zero(disk, offset, size, discard);
}

void disk_destroy(struct disk *disk)
{
	if (disk) {
		disk->ops->destroy(disk);
	}
}
