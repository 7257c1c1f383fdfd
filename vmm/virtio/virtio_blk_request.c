/*
 * Requests of virtio-blk (virtio 1.2, section 5.2.6). What must stay true: everything that is decided on is read from the
 * guest once, here; what a worker is given are pieces of RAM and numbers inside the disk, or numbers that the disk
 * refuses.
 */
#include "vmm/virtio/virtio_blk_request.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <string.h>

#include "base/checked.h"
#include "base/wire.h"
#include "vmm/disk/parts.h"

/* The chain's segments for one direction as memory, without the first `skip` bytes, `size` of them. */
static int view(struct virtio_blk_request *request, const struct virtqueue *queue, bool in,
    uint32_t skip, uint32_t size)
{
	const struct virtqueue_segment *segments = request->chain.segments +
						   (in ? request->chain.out_count : 0);
	unsigned count = in ? request->chain.in_count : request->chain.out_count;

	for (unsigned i = 0; i < count && size > 0; i++) {
		uint32_t length = segments[i].length;
		uint32_t from = skip < length ? skip : length;
		void *memory;

		skip -= from;
		length -= from;
		length = length < size ? length : size;
		if (length == 0) {
			continue;
		}
		memory = guestmem_view(queue->memory, segments[i].address + from, length);
		if (!memory) {
			return -EFAULT;
		}
		request->parts[request->part_count++] = (struct iovec){ memory, length };
		size -= length;
	}
	return 0;
}

static void refuse(struct virtio_blk_request *request, uint8_t status)
{
	request->status = status;
}

static void parse_transfer(
    struct virtio_blk_request *request, const struct virtqueue *queue, uint64_t sector, bool in)
{
	uint32_t skip = in ? 0 : BLK_HEADER;
	uint32_t size = in ? request->chain.in_length - 1 : request->chain.out_length - BLK_HEADER;

	if (size % DISK_SECTOR != 0 ||
	    __builtin_mul_overflow(sector, (uint64_t)DISK_SECTOR, &request->offset) ||
	    view(request, queue, in, skip, size) < 0) {
		refuse(request, VIRTIO_BLK_S_IOERR);
	}
}

/* Section 5.2.6.2: flags that are not known, and unmap for a discard, are not supported. */
static void parse_ranges(
    struct virtio_blk_request *request, const struct virtqueue *queue, const struct disk *disk)
{
	uint32_t size = request->chain.out_length - BLK_HEADER;
	uint8_t bytes[BLK_RANGES_MAX * BLK_RANGE];
	struct wire wire;

	if (size == 0 || size % BLK_RANGE != 0 || size > sizeof(bytes) ||
	    virtqueue_read(queue, &request->chain, BLK_HEADER, bytes, size) != size) {
		refuse(request, VIRTIO_BLK_S_IOERR);
		return;
	}
	wire_init_read(&wire, bytes, size);
	for (; size > 0; size -= BLK_RANGE) {
		uint64_t sector = wire_get_u64(&wire);
		uint64_t count = wire_get_u32(&wire);
		uint32_t flags = wire_get_u32(&wire);
		bool discard = request->type == VIRTIO_BLK_T_DISCARD;

		if (flags & (discard ? ~0u : ~(uint32_t)VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)) {
			refuse(request, VIRTIO_BLK_S_UNSUPP);
			return;
		}
		if (sector > disk->size / DISK_SECTOR ||
		    count > disk->size / DISK_SECTOR - sector) {
			refuse(request, VIRTIO_BLK_S_IOERR);
			return;
		}
		request->ranges[request->range_count].offset = sector * DISK_SECTOR;
		request->ranges[request->range_count].size = count * DISK_SECTOR;
		request->ranges[request->range_count++].discard = discard || flags;
	}
}

int virtio_blk_request_parse(
    struct virtio_blk_request *request, struct virtqueue *queue, const struct disk *disk)
{
	uint8_t bytes[BLK_HEADER];
	uint64_t sector;
	struct wire wire;

	request->status = BLK_STATUS_OPEN;
	request->part_count = 0;
	request->range_count = 0;
	request->error = 0;
	if (request->chain.out_length < BLK_HEADER || request->chain.in_length < 1 ||
	    virtqueue_read(queue, &request->chain, 0, bytes, sizeof(bytes)) != sizeof(bytes)) {
		return -EPROTO;
	}
	wire_init_read(&wire, bytes, sizeof(bytes));
	request->type = wire_get_u32(&wire);
	(void)wire_get_u32(&wire); /* reserved */
	sector = wire_get_u64(&wire);
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		parse_transfer(request, queue, sector, true);
		break;
	case VIRTIO_BLK_T_OUT:
		parse_transfer(request, queue, sector, false);
		break;
	case VIRTIO_BLK_T_FLUSH:
		break;
	case VIRTIO_BLK_T_GET_ID:
		if (request->chain.in_length - 1 < BLK_SERIAL) {
			refuse(request, VIRTIO_BLK_S_IOERR);
		} else if (view(request, queue, true, 0, BLK_SERIAL) < 0) {
			refuse(request, VIRTIO_BLK_S_IOERR);
		}
		break;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		parse_ranges(request, queue, disk);
		break;
	default:
		refuse(request, VIRTIO_BLK_S_UNSUPP);
		break;
	}
	return 0;
}

static void put_serial(struct virtio_blk_request *request)
{
	size_t at = 0;

	for (int i = 0; i < request->part_count; i++) {
		memcpy(request->parts[i].iov_base, request->serial + at, request->parts[i].iov_len);
		at += request->parts[i].iov_len;
	}
}

void virtio_blk_request_work(struct virtio_blk_request *request, struct disk *disk)
{
	int error = 0;

	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		error = disk_read(disk, request->offset, request->parts, request->part_count);
		break;
	case VIRTIO_BLK_T_OUT:
		error = disk_write(disk, request->offset, request->parts, request->part_count);
		break;
	case VIRTIO_BLK_T_FLUSH:
		error = disk_flush(disk);
		break;
	case VIRTIO_BLK_T_GET_ID:
		put_serial(request);
		break;
	default:
		for (unsigned i = 0; i < request->range_count && !error; i++) {
			error = disk_zero(disk, request->ranges[i].offset, request->ranges[i].size,
			    request->ranges[i].discard);
		}
		break;
	}
	if (!error && request->flush_after) {
		error = disk_flush(disk);
	}
	request->error = error;
	request->status = error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}
