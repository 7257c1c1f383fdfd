/* See memory_io.h. */
#include "memory_io.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct memory_io {
	struct disk_io io;
	struct memory_file *file;
};

uint64_t memory_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Counts a call: 0 when it is to be carried out. */
static int count_call(struct memory_file *file)
{
	if (file->off) {
		return -EIO;
	}
	file->calls++;
	if (file->calls != file->fail_at) {
		return 0;
	}
	file->off = file->fail_with == 0;
	return file->off ? -EIO : file->fail_with;
}

static int memory_read(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count)
{
	const struct memory_file *file = ((struct memory_io *)io)->file;

	for (int i = 0; i < count; i++) {
		for (size_t k = 0; k < parts[i].iov_len; k++, offset++) {
			((uint8_t *)parts[i].iov_base)[k] = offset < file->size ? file->now[offset]
										: 0;
		}
	}
	return 0;
}

static int memory_write(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count)
{
	struct memory_file *file = ((struct memory_io *)io)->file;
	int error = count_call(file);

	/* What fails may have been done by half. */
	if (error && count > 0) {
		count = 1;
	}
	for (int i = 0; i < count; i++) {
		assert(offset + parts[i].iov_len <= file->capacity);
		memcpy(file->now + offset, parts[i].iov_base, parts[i].iov_len);
		offset += parts[i].iov_len;
		file->size = offset > file->size ? offset : file->size;
	}
	return error;
}

static int memory_sync(struct disk_io *io)
{
	struct memory_file *file = ((struct memory_io *)io)->file;
	int error = count_call(file);

	if (!error) {
		memcpy(file->durable, file->now, file->capacity);
	}
	return error;
}

static int memory_punch(struct disk_io *io, uint64_t offset, uint64_t size)
{
	struct memory_file *file = ((struct memory_io *)io)->file;
	int error = file->no_holes ? -EOPNOTSUPP : count_call(file);

	if (!error && offset < file->size) {
		size = size < file->size - offset ? size : file->size - offset;
		memset(file->now + offset, 0, size);
	}
	return error;
}

static void memory_destroy(struct disk_io *io)
{
	free(io);
}

static const struct disk_io_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.sync = memory_sync,
	.punch = memory_punch,
	.destroy = memory_destroy,
};

void memory_file_init(struct memory_file *file, size_t capacity)
{
	*file = (struct memory_file){ .capacity = capacity, .random = 88172645463325252ull };
	file->now = calloc(1, capacity);
	file->durable = calloc(1, capacity);
	assert(file->now && file->durable);
}

void memory_file_fini(struct memory_file *file)
{
	free(file->now);
	free(file->durable);
}

void memory_file_recover(struct memory_file *file)
{
	for (size_t at = 0; at < file->capacity; at += DISK_SECTOR) {
		if (memory_random(&file->random) & 1) {
			memcpy(file->durable + at, file->now + at, DISK_SECTOR);
		}
	}
	memcpy(file->now, file->durable, file->capacity);
	file->off = false;
	file->fail_at = 0;
}

struct disk_io *memory_file_io(struct memory_file *file)
{
	struct memory_io *io = calloc(1, sizeof(*io));

	assert(io);
	io->io.ops = &memory_ops;
	io->io.size = file->size;
	io->file = file;
	return &io->io;
}
