/*
 * Requests of virtio-blk. The input is the guest's memory, in whose first bytes stands how the chain is cut; each request
 * ends with a status, and nothing outside of the memory or the disk is touched.
 */
#include <assert.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/disk/memory_io.h"
#include "vmm/virtio/virtio_blk_request.h"

enum {
	MEMORY = 64 * 1024,
	SECTORS = 16,
	CUTS = 16, /* segments at most; 4 bytes each: page, length, offset */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Segments as the queue gives them: inside RAM, those to read first. */
static void cut(struct virtqueue_chain *chain, const uint8_t *bytes)
{
	unsigned out = bytes[0] % (CUTS / 2 + 1);
	unsigned in = bytes[1] % (CUTS / 2 + 1);

	memset(chain, 0, sizeof(*chain));
	chain->out_count = out;
	chain->in_count = in;
	for (unsigned i = 0; i < out + in; i++) {
		const uint8_t *at = bytes + 2 + 4 * i;
		struct virtqueue_segment *segment = &chain->segments[i];

		segment->address = (uint64_t)(at[0] % 15) * 4096 + at[1];
		segment->length = (uint32_t)(at[2] | (at[3] & 3) << 8) + 1;
		*(i < out ? &chain->out_length : &chain->in_length) += segment->length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct virtio_blk_request request;
	static struct virtqueue queue;
	uint8_t bytes[2 + 4 * CUTS] = { 0 };
	struct guestmem memory;
	struct memory_file file;
	struct disk *disk;

	memset(&request, 0, sizeof(request));
	if (guestmem_create(&memory, MEMORY) < 0) {
		abort();
	}
	size = size < MEMORY ? size : MEMORY;
	memcpy(memory.host, data, size);
	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	memory_file_init(&file, SECTORS * DISK_SECTOR);
	file.size = SECTORS * DISK_SECTOR;
	if (disk_raw_create_take(memory_file_io(&file), false, &disk) < 0) {
		abort();
	}
	virtqueue_init(&queue, &memory, 16);
	cut(&request.chain, bytes);
	if (virtio_blk_request_parse(&request, &queue, disk) == 0) {
		if (request.status == BLK_STATUS_OPEN) {
			virtio_blk_request_work(&request, disk);
		}
		assert(request.status == VIRTIO_BLK_S_OK || request.status == VIRTIO_BLK_S_IOERR ||
		       request.status == VIRTIO_BLK_S_UNSUPP);
		assert(request.part_count <= CUTS && request.range_count <= BLK_RANGES_MAX);
	}
	disk_destroy(disk);
	memory_file_fini(&file);
	guestmem_fini(&memory);
	return 0;
}
