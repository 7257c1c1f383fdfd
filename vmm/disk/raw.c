/*
 * A disk that is a plain file. What must stay true: the file keeps its size, and once a sync has failed no later one is
 * believed, since the kernel may have dropped what it could not write.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "vmm/disk/disk.h"
#include "vmm/disk/zeros.h"

struct raw {
	struct disk disk;
	struct disk_io *io;
	atomic_int failed; /* of the first sync that did */
};

static int raw_read(
    struct disk *disk, uint64_t offset, const struct iovec *parts, int count, uint64_t size)
{
	struct disk_io *io = ((struct raw *)disk)->io;

	(void)size;
	return io->ops->read(io, offset, parts, count);
}

static int raw_write(
    struct disk *disk, uint64_t offset, const struct iovec *parts, int count, uint64_t size)
{
	struct disk_io *io = ((struct raw *)disk)->io;

	(void)size;
	return io->ops->write(io, offset, parts, count);
}

static int raw_flush(struct disk *disk)
{
	struct raw *raw = (struct raw *)disk;
	int error = atomic_load(&raw->failed);

	if (!error) {
		error = raw->io->ops->sync(raw->io);
		if (error) {
			atomic_store(&raw->failed, error);
		}
	}
	return error;
}

static int raw_zero(struct disk *disk, uint64_t offset, uint64_t size, bool discard)
{
	(void)discard;
	return zeros_put(((struct raw *)disk)->io, offset, size);
}

static void raw_destroy(struct disk *disk)
{
	struct raw *raw = (struct raw *)disk;

	raw->io->ops->destroy(raw->io);
	free(raw);
}

static const struct disk_ops raw_ops = {
	.read = raw_read,
	.write = raw_write,
	.flush = raw_flush,
	.zero = raw_zero,
	.destroy = raw_destroy,
};

int disk_raw_create_take(struct disk_io *io, bool read_only, struct disk **disk)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	int error = !raw ? -ENOMEM : io->size == 0 || io->size % DISK_SECTOR ? -EINVAL : 0;

	if (error) {
		io->ops->destroy(io);
		free(raw);
		return error;
	}
	raw->disk = (struct disk){ .ops = &raw_ops, .size = io->size, .read_only = read_only };
	raw->io = io;
	*disk = &raw->disk;
	return 0;
}
