/*
 * The device's side of a split virtqueue (virtio 1.2, sections 2.6 and 2.7), with indirect descriptors and EVENT_IDX. The
 * driver is hostile: every index and address is checked, a descriptor is read once and only its copy is used, a chain has
 * a bounded number of segments and bytes. The first violation breaks the queue: nothing more is taken from it until it is
 * reset. What a device sees (a chain of segments, an id to give back) holds for packed queues, too.
 * Embedded by value in the transport; machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/guestmem.h"

enum {
	VIRTQUEUE_SIZE_MAX = 256,
	VIRTQUEUE_SEGMENTS_MAX = 256, /* of a chain, those of an indirect table included */
};

struct virtqueue {
	struct guestmem *memory;
	uint16_t size_max; /* fixed by the device */

	/* Set by the driver through the transport, while the queue is not enabled. */
	uint16_t size;
	uint64_t descriptors, driver_area, device_area; /* guest-physical */
	bool enabled;

	/* Features that the driver took. */
	bool indirect, event_index;

	bool broken;
	uint16_t next_available; /* what we take next */
	uint16_t next_used;      /* what we give back next */
	uint16_t signalled;      /* next_used when the driver was last interrupted */
	bool signalled_valid;    /* false until then */
};

struct virtqueue_segment {
	uint64_t address; /* guest-physical, inside RAM */
	uint32_t length;
};

/* Segments for the device to read come first, then those for it to write. */
struct virtqueue_chain {
	uint16_t id;
	unsigned out_count, in_count;
	uint32_t out_length, in_length; /* bytes to read, bytes that may be written */
	struct virtqueue_segment segments[VIRTQUEUE_SEGMENTS_MAX];
};

void virtqueue_init(struct virtqueue *queue, struct guestmem *memory, uint16_t size_max);
/* As after a reset of the device. */
void virtqueue_reset(struct virtqueue *queue);
/* -EINVAL, and broken, when the size is no power of two or an area is not aligned or not RAM. */
must_check int virtqueue_enable(struct virtqueue *queue);

/* Chains that wait, or -EPROTO when the queue is or was just broken. 0 when it is not enabled. */
must_check int virtqueue_available(struct virtqueue *queue);
/* Takes the next chain: 1, 0 when there is none (then the driver was asked to notify), or -EPROTO. */
must_check int virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain);
/*
 * Asks for a notification once `count` chains wait, when there are fewer now. Returns 1 when they came in the meantime,
 * 0 when they have not, or -EPROTO.
 */
must_check int virtqueue_request_notification(struct virtqueue *queue, uint16_t count);
/* Asks for a notification of the next chain that is added, whatever waits already. 0 or -EPROTO. */
must_check int virtqueue_request_next(struct virtqueue *queue);
/* Copies bytes from `offset` of the readable part; returns how many there were. */
size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain,
    uint32_t offset, void *bytes, size_t size);
/* Copies bytes to `offset` of the writable part; returns how many fitted. */
size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain,
    uint32_t offset, const void *bytes, size_t size);
/* Gives a chain back, `written` bytes of its writable part having been filled. */
void virtqueue_push(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written);
/* After pushes: whether the driver wants an interrupt for them. */
bool virtqueue_wants_interrupt(struct virtqueue *queue);

void virtqueue_save(const struct virtqueue *queue, struct wire *out);
/* -EPROTO when the state could not have come from a driver. */
must_check int virtqueue_load(struct virtqueue *queue, struct wire *in);
