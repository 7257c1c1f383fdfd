/*
 * A request of virtio-blk on its way: taken apart and checked when it is popped, carried out by a worker, told to the
 * driver when it is done. No state of the device's is in it, so that a worker needs no lock.
 */
#pragma once

#include <sys/uio.h>

#include "base/pool.h"
#include "vmm/disk/disk.h"
#include "vmm/virtio/virtqueue.h"

enum {
	BLK_HEADER = 16,     /* struct virtio_blk_outhdr */
	BLK_RANGES_MAX = 16, /* of one discard or write-zeroes */
	BLK_RANGE = 16,      /* struct virtio_blk_discard_write_zeroes */
	BLK_SERIAL = 20,
};

struct virtio_blk_request {
	struct pool_job job; /* first */
	void *device;
	unsigned generation; /* of the device's resets */
	struct virtqueue_chain chain;
	uint32_t type;
	bool
	    flush_after; /* the driver knows no flushes: what is written is safe when it is told so */
	uint64_t offset; /* bytes */
	struct iovec parts[VIRTQUEUE_SEGMENTS_MAX];
	int part_count;
	struct {
		uint64_t offset, size;
		bool discard;
	} ranges[BLK_RANGES_MAX];
	unsigned range_count;
	char serial[BLK_SERIAL];
	/* Filled in by the worker, or when it is popped and refused. */
	uint8_t status; /* VIRTIO_BLK_S_*, BLK_STATUS_OPEN until then */
	int error;      /* of the disk's, for the log */
	bool skipped;   /* the device was reset before a worker came to it */
};

#define BLK_STATUS_OPEN 0xff

/*
 * Takes the popped chain apart. -EPROTO when there is no place for header or status, which breaks the queue. A request
 * that is wrong in another way gets its status here. Machine's lock.
 */
must_check int virtio_blk_request_parse(
    struct virtio_blk_request *request, struct virtqueue *queue, const struct disk *disk);
/* Carries it out. Worker thread. */
void virtio_blk_request_work(struct virtio_blk_request *request, struct disk *disk);
