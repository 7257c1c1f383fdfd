/*
 * Split virtqueues. What must stay true: areas of an enabled queue lie inside RAM as a whole, so that later accesses
 * cannot fail; a segment given to a device lies inside RAM; a walk over descriptors ends after as many steps as the table
 * has entries.
 */
#include "vmm/virtio/virtqueue.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

enum {
	DESCRIPTOR_SIZE = 16,
	RING_HEADER = 4, /* flags and index, before both rings */
	RING_INDEX = 2,
	AVAILABLE_ENTRY = 2,
	USED_ENTRY = 8,
	EVENT_SIZE = 2, /* used_event and avail_event, behind the rings */
	ALIGN_DESCRIPTORS = 16,
	ALIGN_DRIVER = 2,
	ALIGN_DEVICE = 4,
};

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

void virtqueue_init(struct virtqueue *queue, struct guestmem *memory, uint16_t size_max)
{
	assert(size_max > 0 && size_max <= VIRTQUEUE_SIZE_MAX && (size_max & (size_max - 1)) == 0);
	*queue = (struct virtqueue){ .memory = memory, .size_max = size_max, .size = size_max };
}

void virtqueue_reset(struct virtqueue *queue)
{
	virtqueue_init(queue, queue->memory, queue->size_max);
}

static int broken(struct virtqueue *queue)
{
	queue->broken = true;
	return -EPROTO;
}

static bool is_size(const struct virtqueue *queue, uint16_t size)
{
	return size > 0 && size <= queue->size_max && (size & (size - 1)) == 0;
}

/* Section 2.7: sizes and alignment of the three areas; both event fields count, whether used or not. */
static bool areas_fit(const struct virtqueue *queue)
{
	uint64_t size = queue->size;

	return queue->descriptors % ALIGN_DESCRIPTORS == 0 &&
	       queue->driver_area % ALIGN_DRIVER == 0 && queue->device_area % ALIGN_DEVICE == 0 &&
	       guestmem_contains(queue->memory, queue->descriptors, size * DESCRIPTOR_SIZE) &&
	       guestmem_contains(queue->memory, queue->driver_area,
		   RING_HEADER + size * AVAILABLE_ENTRY + EVENT_SIZE) &&
	       guestmem_contains(
		   queue->memory, queue->device_area, RING_HEADER + size * USED_ENTRY + EVENT_SIZE);
}

int virtqueue_enable(struct virtqueue *queue)
{
	if (!is_size(queue, queue->size) || !areas_fit(queue)) {
		queue->broken = true;
		return -EINVAL;
	}
	queue->enabled = true;
	return 0;
}

/* Where the driver says from which used index on it wants an interrupt, and where we say the like. */
static uint64_t used_event(const struct virtqueue *queue)
{
	return queue->driver_area + RING_HEADER + (uint64_t)queue->size * AVAILABLE_ENTRY;
}

static uint64_t available_event(const struct virtqueue *queue)
{
	return queue->device_area + RING_HEADER + (uint64_t)queue->size * USED_ENTRY;
}

int virtqueue_available(struct virtqueue *queue)
{
	uint16_t index, waiting;

	if (queue->broken) {
		return -EPROTO;
	}
	if (!queue->enabled) {
		return 0;
	}
	if (guestmem_load_u16(queue->memory, queue->driver_area + RING_INDEX, &index) < 0) {
		return broken(queue);
	}
	waiting = (uint16_t)(index - queue->next_available);
	return waiting > queue->size ? broken(queue) : waiting;
}

static uint16_t get_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_u32(const uint8_t *bytes)
{
	return (uint32_t)get_u16(bytes) | (uint32_t)get_u16(bytes + 2) << 16;
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(value >> (8 * i));
	}
}

/* One copy; the driver may change the original afterwards. */
static must_check int read_descriptor(
    const struct virtqueue *queue, uint64_t table, uint32_t index, struct descriptor *descriptor)
{
	uint8_t bytes[DESCRIPTOR_SIZE];
	int error = guestmem_read(
	    queue->memory, table + (uint64_t)index * DESCRIPTOR_SIZE, bytes, sizeof(bytes));

	if (error < 0) {
		return error;
	}
	descriptor->address = get_u32(bytes) | (uint64_t)get_u32(bytes + 4) << 32;
	descriptor->length = get_u32(bytes + 8);
	descriptor->flags = get_u16(bytes + 12);
	descriptor->next = get_u16(bytes + 14);
	return 0;
}

static must_check int add_segment(const struct virtqueue *queue, struct virtqueue_chain *chain,
    const struct descriptor *descriptor)
{
	unsigned count = chain->out_count + chain->in_count;
	bool in = descriptor->flags & VRING_DESC_F_WRITE;
	uint32_t *sum = in ? &chain->in_length : &chain->out_length;

	if (count == VIRTQUEUE_SEGMENTS_MAX || descriptor->length == 0 ||
	    (!in && chain->in_count > 0) ||
	    !guestmem_contains(queue->memory, descriptor->address, descriptor->length)) {
		return -EPROTO;
	}
	/* Section 2.7.5: at most 2^32 bytes; both parts together here. */
	if (descriptor->length > UINT32_MAX - chain->out_length - chain->in_length) {
		return -EPROTO;
	}
	chain->segments[count] = (struct virtqueue_segment){ .address = descriptor->address,
		.length = descriptor->length };
	*sum += descriptor->length;
	if (in) {
		chain->in_count++;
	} else {
		chain->out_count++;
	}
	return 0;
}

/*
 * Follows descriptors of a table with `entries` entries from `index` on. `indirect` gets the descriptor of an indirect
 * table when the chain ends with one, else its length is 0; NULL where there must be none.
 */
static must_check int walk(const struct virtqueue *queue, uint64_t table, uint32_t entries,
    uint32_t index, struct virtqueue_chain *chain, struct descriptor *indirect)
{
	struct descriptor descriptor;
	int error;

	for (uint32_t steps = 0; steps < entries; steps++) {
		if (index >= entries || read_descriptor(queue, table, index, &descriptor) < 0) {
			return -EPROTO;
		}
		if (descriptor.flags & VRING_DESC_F_INDIRECT) {
			if (!indirect || !queue->indirect ||
			    (descriptor.flags & VRING_DESC_F_NEXT)) {
				return -EPROTO;
			}
			*indirect = descriptor;
			return descriptor.length == 0 ? -EPROTO : 0;
		}
		error = add_segment(queue, chain, &descriptor);
		if (error < 0) {
			return error;
		}
		if (!(descriptor.flags & VRING_DESC_F_NEXT)) {
			return 0;
		}
		index = descriptor.next;
	}
	return -EPROTO; /* a loop */
}

static must_check int read_chain(
    const struct virtqueue *queue, uint16_t head, struct virtqueue_chain *chain)
{
	struct descriptor indirect = { .length = 0 };
	int error;

	chain->id = head;
	chain->out_count = chain->in_count = 0;
	chain->out_length = chain->in_length = 0;
	error = walk(queue, queue->descriptors, queue->size, head, chain, &indirect);
	if (error < 0 || indirect.length == 0) {
		return error;
	}
	/* Section 2.7.5.3.1. */
	if (indirect.length % DESCRIPTOR_SIZE != 0 ||
	    !guestmem_contains(queue->memory, indirect.address, indirect.length)) {
		return -EPROTO;
	}
	return walk(queue, indirect.address, indirect.length / DESCRIPTOR_SIZE, 0, chain, NULL);
}

int virtqueue_request_notification(struct virtqueue *queue, uint16_t count)
{
	int waiting;

	if (queue->broken) {
		return -EPROTO;
	}
	if (!queue->enabled) {
		return 0;
	}
	/* Without EVENT_IDX the driver notifies always: we never set VRING_USED_F_NO_NOTIFY. */
	if (queue->event_index) {
		uint16_t event = (uint16_t)(queue->next_available + count - 1);

		if (guestmem_store_u16(queue->memory, available_event(queue), event) < 0) {
			return broken(queue);
		}
	}
	/* They may have come before the driver could see what we asked for. */
	waiting = virtqueue_available(queue);
	return waiting < 0 ? waiting : waiting >= count;
}

int virtqueue_request_next(struct virtqueue *queue)
{
	int waiting = virtqueue_available(queue);

	if (waiting >= 0) {
		waiting = virtqueue_request_notification(queue, (uint16_t)(waiting + 1));
	}
	return waiting < 0 ? waiting : 0;
}

int virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	int waiting = virtqueue_available(queue);
	uint8_t entry[AVAILABLE_ENTRY];
	uint64_t at;

	if (waiting == 0) {
		waiting = virtqueue_request_notification(queue, 1);
	}
	if (waiting <= 0) {
		return waiting;
	}
	at = queue->driver_area + RING_HEADER +
	     (uint64_t)(queue->next_available % queue->size) * AVAILABLE_ENTRY;
	if (guestmem_read(queue->memory, at, entry, sizeof(entry)) < 0 ||
	    read_chain(queue, get_u16(entry), chain) < 0) {
		return broken(queue);
	}
	queue->next_available++;
	return 1;
}

/* Copies between `bytes` and segments [first, first + count) from `offset` on; `write` is towards the guest. */
static size_t copy(const struct virtqueue *queue, const struct virtqueue_segment *segments,
    unsigned count, uint32_t offset, uint8_t *to, const uint8_t *from, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < size; i++) {
		uint64_t address = segments[i].address + offset;
		size_t part;
		int error;

		if (offset >= segments[i].length) {
			offset -= segments[i].length;
			continue;
		}
		part = segments[i].length - offset;
		part = part < size - done ? part : size - done;
		error = to ? guestmem_read(queue->memory, address, to + done, part)
			   : guestmem_write(queue->memory, address, from + done, part);
		if (error < 0) {
			break; /* not for segments that a pop returned */
		}
		done += part;
		offset = 0;
	}
	return done;
}

size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain,
    uint32_t offset, void *bytes, size_t size)
{
	return copy(queue, chain->segments, chain->out_count, offset, bytes, NULL, size);
}

size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain,
    uint32_t offset, const void *bytes, size_t size)
{
	return copy(
	    queue, chain->segments + chain->out_count, chain->in_count, offset, NULL, bytes, size);
}

void virtqueue_push(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written)
{
	uint8_t entry[USED_ENTRY];
	uint64_t at = queue->device_area + RING_HEADER +
		      (uint64_t)(queue->next_used % queue->size) * USED_ENTRY;

	assert(written <= chain->in_length);
	put_u32(entry, chain->id);
	put_u32(entry + 4, written);
	queue->next_used++;
	if (guestmem_write(queue->memory, at, entry, sizeof(entry)) < 0 ||
	    guestmem_store_u16(queue->memory, queue->device_area + RING_INDEX, queue->next_used) <
		0) {
		queue->broken = true;
	}
}

/* Sections 2.7.7 and 2.7.10. */
bool virtqueue_wants_interrupt(struct virtqueue *queue)
{
	uint16_t value, last = queue->signalled;
	bool valid = queue->signalled_valid;

	if (queue->broken || !queue->enabled) {
		return false;
	}
	if (!queue->event_index) {
		return guestmem_load_u16(queue->memory, queue->driver_area, &value) == 0 &&
		       !(value & VRING_AVAIL_F_NO_INTERRUPT);
	}
	if (guestmem_load_u16(queue->memory, used_event(queue), &value) < 0) {
		return false;
	}
	queue->signalled = queue->next_used;
	queue->signalled_valid = true;
	return !valid || vring_need_event(value, queue->next_used, last);
}

void virtqueue_save(const struct virtqueue *queue, struct wire *out)
{
	wire_put_u16(out, queue->size);
	wire_put_u64(out, queue->descriptors);
	wire_put_u64(out, queue->driver_area);
	wire_put_u64(out, queue->device_area);
	wire_put_bool(out, queue->enabled);
	wire_put_bool(out, queue->indirect);
	wire_put_bool(out, queue->event_index);
	wire_put_bool(out, queue->broken);
	wire_put_u16(out, queue->next_available);
	wire_put_u16(out, queue->next_used);
	wire_put_u16(out, queue->signalled);
	wire_put_bool(out, queue->signalled_valid);
}

int virtqueue_load(struct virtqueue *queue, struct wire *in)
{
	struct virtqueue loaded = { .memory = queue->memory, .size_max = queue->size_max };

	loaded.size = wire_get_u16(in);
	loaded.descriptors = wire_get_u64(in);
	loaded.driver_area = wire_get_u64(in);
	loaded.device_area = wire_get_u64(in);
	loaded.enabled = wire_get_bool(in);
	loaded.indirect = wire_get_bool(in);
	loaded.event_index = wire_get_bool(in);
	loaded.broken = wire_get_bool(in);
	loaded.next_available = wire_get_u16(in);
	loaded.next_used = wire_get_u16(in);
	loaded.signalled = wire_get_u16(in);
	loaded.signalled_valid = wire_get_bool(in);
	if (!wire_ok(in) || !is_size(&loaded, loaded.size) ||
	    (loaded.enabled && !areas_fit(&loaded))) {
		return -EPROTO;
	}
	*queue = loaded;
	return 0;
}
