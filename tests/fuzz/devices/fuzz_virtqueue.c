/*
 * A queue whose memory is the input: whatever the driver's areas hold, a chain that is popped lies inside RAM, is
 * bounded, and the walk ends.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "fuzz_input.h"
#include "vmm/guestmem.h"
#include "vmm/virtio/virtqueue.h"

enum {
	MEMORY = 64 * 1024,
	POPS_MAX = 600,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_chain(struct guestmem *memory, const struct virtqueue_chain *chain)
{
	uint64_t out = 0, in = 0;

	assert(chain->out_count + chain->in_count > 0);
	assert(chain->out_count + chain->in_count <= VIRTQUEUE_SEGMENTS_MAX);
	for (unsigned i = 0; i < chain->out_count + chain->in_count; i++) {
		assert(chain->segments[i].length > 0);
		assert(guestmem_contains(
		    memory, chain->segments[i].address, chain->segments[i].length));
		*(i < chain->out_count ? &out : &in) += chain->segments[i].length;
	}
	assert(out == chain->out_length && in == chain->in_length);
}

static void use(struct virtqueue *queue)
{
	static struct virtqueue_chain chain;
	static uint8_t bytes[4096];
	int result;

	for (unsigned i = 0; i < POPS_MAX; i++) {
		size_t written;

		result = virtqueue_pop(queue, &chain);
		if (result <= 0) {
			assert((result == -EPROTO) == queue->broken);
			break;
		}
		check_chain(queue->memory, &chain);
		(void)virtqueue_read(queue, &chain, (uint32_t)(i % 7), bytes, sizeof(bytes));
		written = virtqueue_write(queue, &chain, 0, bytes, sizeof(bytes));
		assert(written <= chain.in_length);
		virtqueue_push(queue, &chain, (uint32_t)written);
		(void)virtqueue_wants_interrupt(queue);
		(void)!virtqueue_request_notification(queue, 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct guestmem memory;
	struct virtqueue queue;
	uint8_t flags;

	if (guestmem_create(&memory, MEMORY) < 0) {
		return 0;
	}
	virtqueue_init(&queue, &memory, 64);
	flags = (uint8_t)fuzz_take(&input, 1);
	queue.indirect = flags & 1;
	queue.event_index = flags & 2;
	queue.size = flags & 4 ? (uint16_t)fuzz_take(&input, 2) : 8;
	/* The areas lie where the input begins, so that small inputs fill them; or anywhere. */
	queue.descriptors = flags & 8 ? fuzz_take(&input, 8) : 0;
	queue.driver_area = flags & 16 ? fuzz_take(&input, 8) : 0x80;
	queue.device_area = flags & 32 ? fuzz_take(&input, 8) : 0x1000;
	memcpy(memory.host, input.data, input.size < MEMORY ? input.size : MEMORY);
	if (virtqueue_enable(&queue) == 0) {
		use(&queue);
	}
	guestmem_fini(&memory);
	return 0;
}
