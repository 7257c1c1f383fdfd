/*
 * virtio-rng. What must stay true: no guest makes the host compute more than RATE random bytes a second for it; a buffer
 * that has to wait is served by a timer, without another notification.
 */
#include "vmm/virtio/virtio_rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/random.h>

#include "vmm/virtio/virtio_pci.h"

enum {
	QUEUE_REQUESTS = 0,
	QUEUE_SIZE = 16,
	CHUNK = 4096,       /* bytes for a buffer at once; the guest asks again */
	BURST = 64 * 1024,  /* bytes */
	RATE = 1024 * 1024, /* bytes a second */
	PRICE_MIN = 64,     /* bytes that a request counts for at least */
	WAIT_US = 10 * 1000,
	SECOND_US = 1000000,
	CLASS_OTHER = 0x00ff00,
};

struct virtio_rng {
	struct device device;
	struct device_environment *environment;
	struct virtio_pci *virtio;
	struct device_timer *timer;
	uint32_t budget; /* bytes that may be given out now */
	uint64_t refilled_us;
	bool waiting; /* the timer will go on with the queue */
	struct virtqueue_chain chain;
};

static void refill(struct virtio_rng *rng)
{
	uint64_t now = rng->environment->now_us();
	uint64_t passed = now - rng->refilled_us;
	uint64_t bytes = passed >= SECOND_US ? BURST : passed * RATE / SECOND_US;

	if (bytes > 0) {
		rng->budget = rng->budget + bytes > BURST ? BURST : rng->budget + (uint32_t)bytes;
		rng->refilled_us = now;
	}
}

/* Serves one request: 1, 0 when there is none, or -EPROTO. */
static must_check int serve(struct virtio_rng *rng, struct virtqueue *queue)
{
	uint8_t bytes[CHUNK];
	int result = virtqueue_pop(queue, &rng->chain);
	size_t size;
	ssize_t filled;
	uint32_t price;

	if (result <= 0) {
		return result;
	}
	size = rng->chain.in_length < CHUNK ? rng->chain.in_length : CHUNK;
	size = size < rng->budget ? size : rng->budget;
	/* Section 5.4.6.2: one byte at least. */
	if (rng->chain.in_length == 0) {
		return -EPROTO;
	}
	filled = getrandom(bytes, size, 0);
	if (filled < 0) {
		filled = 0;
	}
	filled = (ssize_t)virtqueue_write(queue, &rng->chain, 0, bytes, (size_t)filled);
	virtqueue_push(queue, &rng->chain, (uint32_t)filled);
	/* A request has a price of its own, so that many small ones are bounded, too. */
	price = filled > PRICE_MIN ? (uint32_t)filled : PRICE_MIN;
	rng->budget -= price < rng->budget ? price : rng->budget;
	return 1;
}

static void run(struct virtio_rng *rng)
{
	struct virtqueue *queue = virtio_pci_queue(rng->virtio, QUEUE_REQUESTS);
	bool served = false;
	int result = 1;

	refill(rng);
	while (rng->budget > 0 && (result = serve(rng, queue)) > 0) {
		served = true;
	}
	if (served) {
		virtio_pci_signal(rng->virtio, QUEUE_REQUESTS);
	}
	if (result < 0) {
		virtio_pci_break(rng->virtio);
		return;
	}
	rng->waiting = rng->budget == 0;
	if (rng->waiting) {
		rng->environment->timer_set(rng->timer, rng->environment->now_us() + WAIT_US);
	}
}

static void on_timer(void *context)
{
	struct virtio_rng *rng = context;

	rng->waiting = false;
	if (virtio_pci_ready(rng->virtio)) {
		run(rng);
	}
}

static void on_notify(void *context, unsigned queue)
{
	struct virtio_rng *rng = context;

	(void)queue;
	if (!rng->waiting) {
		run(rng);
	}
}

static void on_reset(void *context)
{
	struct virtio_rng *rng = context;

	rng->waiting = false;
	rng->environment->timer_set(rng->timer, UINT64_MAX);
}

static const struct virtio_device_ops virtio_ops = {
	.id = VIRTIO_ID_RNG,
	.class_code = CLASS_OTHER,
	.queue_count = 1,
	.queue_size = QUEUE_SIZE,
	.reset = on_reset,
	.notify = on_notify,
};

static void rng_reset(struct device *device)
{
	virtio_pci_reset(((struct virtio_rng *)device)->virtio);
}

static int rng_save(const struct device *device, struct wire *out)
{
	const struct virtio_rng *rng = (const struct virtio_rng *)device;

	wire_put_bool(out, rng->waiting);
	return virtio_pci_save(rng->virtio, out);
}

static int rng_load(struct device *device, uint32_t version, struct wire *in)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;
	int error;

	(void)version;
	rng->waiting = wire_get_bool(in);
	if (!wire_ok(in)) {
		return -EPROTO;
	}
	error = virtio_pci_load(rng->virtio, in);
	if (error < 0) {
		return error;
	}
	if (rng->waiting) {
		rng->environment->timer_set(rng->timer, rng->environment->now_us() + WAIT_US);
	}
	return 0;
}

static void rng_destroy(struct device *device)
{
	struct virtio_rng *rng = (struct virtio_rng *)device;

	virtio_pci_destroy(rng->virtio);
	rng->environment->timer_destroy(rng->timer);
	free(rng);
}

static const struct device_ops rng_ops = {
	.name = "virtio-rng",
	.version = 1,
	.reset = rng_reset,
	.save = rng_save,
	.load = rng_load,
	.destroy = rng_destroy,
};

int virtio_rng_create(struct device_environment *environment, struct pci_host *host, unsigned slot,
    struct virtio_rng **rng)
{
	struct virtio_rng *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &rng_ops;
	created->environment = environment;
	created->budget = BURST;
	created->refilled_us = environment->now_us();
	created->timer = environment->timer_create(environment, on_timer, created);
	if (!created->timer) {
		error = -ENOMEM;
		goto fail_timer;
	}
	error = virtio_pci_create(environment, host, slot, &virtio_ops, created, &created->virtio);
	if (error < 0) {
		goto fail_virtio;
	}
	*rng = created;
	return 0;

fail_virtio:
	environment->timer_destroy(created->timer);
fail_timer:
	free(created);
	return error;
}

struct device *virtio_rng_device(struct virtio_rng *rng)
{
	return &rng->device;
}
