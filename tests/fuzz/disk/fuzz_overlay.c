/*
 * Overlay files. The first input byte chooses whether there is a base and whether the checksum is put right, which no
 * fuzzer finds by itself; the rest is the beginning of the file. What opens can be read, written and flushed anywhere.
 */
#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "tests/unit/disk/memory_io.h"
#include "vmm/disk/overlay.h"

enum {
	FILE_SIZE = 4 * OVERLAY_CLUSTER,
	CHECKED = 80,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct disk *disk)
{
	uint8_t bytes[3 * DISK_SECTOR];
	const struct iovec part = { bytes, sizeof(bytes) };
	const uint64_t offsets[] = { 0, OVERLAY_CLUSTER - DISK_SECTOR, disk->size - sizeof(bytes) };

	assert(disk->size > 0 && disk->size % DISK_SECTOR == 0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		memset(bytes, 7, sizeof(bytes));
		(void)!disk_read(disk, offsets[i], &part, 1);
		/* A file that would grow beyond the test's memory is no use here. */
		if (disk->size <= 2 * OVERLAY_CLUSTER) {
			(void)!disk_write(disk, offsets[i], &part, 1);
			(void)!disk_zero(disk, offsets[i], sizeof(bytes), true);
		}
	}
	(void)!disk_flush(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[DISK_ID_SIZE] = { 1 };
	struct memory_file file, base;
	struct disk *disk;
	uint8_t flags = size > 0 ? data[0] : 0;

	size = size > 0 ? size - 1 : 0;
	size = size < FILE_SIZE ? size : FILE_SIZE;
	memory_file_init(&file, FILE_SIZE);
	memory_file_init(&base, OVERLAY_CLUSTER);
	memcpy(file.now, data + 1, size);
	file.size = FILE_SIZE;
	base.size = OVERLAY_CLUSTER;
	if (flags & 1) {
		XXH64_hash_t checksum = XXH64(file.now, CHECKED, 0);

		for (unsigned i = 0; i < 8; i++) {
			file.now[CHECKED + i] = (uint8_t)(checksum >> (8 * i));
		}
	}
	if (disk_overlay_create_take(memory_file_io(&file),
		flags & 2 ? memory_file_io(&base) : NULL, id, false, &disk) == 0) {
		use(disk);
		disk_destroy(disk);
	}
	memory_file_fini(&file);
	memory_file_fini(&base);
	return 0;
}
