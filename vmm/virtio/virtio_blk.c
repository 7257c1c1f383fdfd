/*
 * virtio-blk. A notification arms a timer, so that requests are taken on the loop thread, which alone may give jobs to the
 * pool. `state` guards what workers and resets share: the generation, and how many workers are at work.
 *
 * What must stay true: after a reset no worker touches the guest's memory for a request from before it (a reset waits for
 * those at work, and later ones skip); nothing is in flight when the device is saved; a driver that makes the same
 * descriptors available again and again has at most IN_FLIGHT_MAX requests here.
 */
#include "vmm/virtio/virtio_blk.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/wire.h"
#include "vmm/virtio/virtio_blk_request.h"
#include "vmm/virtio/virtio_pci.h"

enum {
	QUEUE_REQUESTS = 0,
	QUEUE_SIZE = 256,
	IN_FLIGHT_MAX = QUEUE_SIZE,
	WORKERS = 2,
	CONFIG_SIZE = 60, /* struct virtio_blk_config up to the discards and zeroes */
	CLASS_STORAGE = 0x010000,
	BLOCK_SIZE = 512,
	PHYSICAL_EXPONENT = 3, /* 4 KiB */
	OPTIMAL_BLOCKS = 128,  /* a cluster of an overlay */
};

#define FEATURES                                                         \
	(1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |  \
	    1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_FLUSH | \
	    1ull << VIRTIO_BLK_F_DISCARD | 1ull << VIRTIO_BLK_F_WRITE_ZEROES)
#define FEATURES_READ_ONLY                                              \
	(1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE | \
	    1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_RO)

struct virtio_blk {
	struct device device;
	struct device_environment *environment;
	struct virtio_pci *virtio;
	struct device_timer *timer;
	struct disk *disk;
	struct pool *pool;
	char serial[VIRTIO_BLK_SERIAL_SIZE];
	uint8_t config[CONFIG_SIZE];
	struct log_limiter limiter;
	unsigned in_flight; /* given to the pool and not completed */
	bool locked;        /* a request completes while the loop thread holds the machine's lock */
	bool quiescing;     /* no further ones are taken */

	pthread_mutex_t state;
	pthread_cond_t idle; /* at_work became 0 */
	unsigned generation; /* state */
	unsigned at_work;    /* state */
};

static void take_requests(struct virtio_blk *blk);

/* Worker. */
static void work(struct pool_job *job)
{
	struct virtio_blk_request *request = (struct virtio_blk_request *)job;
	struct virtio_blk *blk = request->device;

	pthread_mutex_lock(&blk->state);
	request->skipped = request->generation != blk->generation;
	blk->at_work += !request->skipped;
	pthread_mutex_unlock(&blk->state);
	if (request->skipped) {
		return;
	}
	virtio_blk_request_work(request, blk->disk);
	pthread_mutex_lock(&blk->state);
	if (--blk->at_work == 0) {
		pthread_cond_broadcast(&blk->idle);
	}
	pthread_mutex_unlock(&blk->state);
}

static void complete(struct virtio_blk *blk, const struct virtio_blk_request *request)
{
	struct virtqueue *queue = virtio_pci_queue(blk->virtio, QUEUE_REQUESTS);
	uint32_t written = 1;

	if (request->error && log_limiter_permits(&blk->limiter)) {
		log_warning("disk: %.*s: request type %u at %llu: %s", VIRTIO_BLK_SERIAL_SIZE,
		    blk->serial, request->type, (unsigned long long)request->offset,
		    strerrordesc_np(-request->error));
	}
	if (request->type == VIRTIO_BLK_T_IN || request->type == VIRTIO_BLK_T_GET_ID) {
		written = request->chain.in_length;
	}
	(void)virtqueue_write(
	    queue, &request->chain, request->chain.in_length - 1, &request->status, 1);
	virtqueue_push(queue, &request->chain, written);
	virtio_pci_signal(blk->virtio, QUEUE_REQUESTS);
}

/* Loop thread. */
static void done(struct pool_job *job)
{
	struct virtio_blk_request *request = (struct virtio_blk_request *)job;
	struct virtio_blk *blk = request->device;
	bool locked = blk->locked;

	if (!locked) {
		blk->environment->lock(blk->environment);
	}
	blk->in_flight--;
	/* `generation` is written under the machine's lock, too. */
	if (request->generation == blk->generation && virtio_pci_ready(blk->virtio)) {
		complete(blk, request);
		take_requests(blk);
	}
	if (!locked) {
		blk->environment->unlock(blk->environment);
	}
	free(request);
}

/* One request: 1, 0 when there is none, or an error that breaks the device. */
static int take_request(struct virtio_blk *blk, struct virtqueue *queue)
{
	struct virtio_blk_request *request = malloc(sizeof(*request));
	int result = request ? virtqueue_pop(queue, &request->chain) : -ENOMEM;

	if (result > 0) {
		int error = virtio_blk_request_parse(request, queue, blk->disk);

		result = error ? error : result;
	}
	if (result <= 0) {
		free(request);
		return result;
	}
	if (request->status != BLK_STATUS_OPEN) {
		complete(blk, request);
		free(request);
		return 1;
	}
	request->job = (struct pool_job){ .work = work, .done = done };
	request->device = blk;
	request->generation = blk->generation;
	request->flush_after = request->type != VIRTIO_BLK_T_IN &&
			       request->type != VIRTIO_BLK_T_GET_ID &&
			       !virtio_pci_has_feature(blk->virtio, VIRTIO_BLK_F_FLUSH);
	memcpy(request->serial, blk->serial, sizeof(request->serial));
	blk->in_flight++;
	pool_submit(blk->pool, &request->job);
	return 1;
}

/* Loop thread. */
static void take_requests(struct virtio_blk *blk)
{
	struct virtqueue *queue = virtio_pci_queue(blk->virtio, QUEUE_REQUESTS);
	int result = 1;

	while (result > 0 && blk->in_flight < IN_FLIGHT_MAX && !blk->quiescing) {
		result = take_request(blk, queue);
	}
	if (result < 0) {
		virtio_pci_break(blk->virtio);
	}
}

static void on_timer(void *context)
{
	struct virtio_blk *blk = context;

	if (virtio_pci_ready(blk->virtio)) {
		take_requests(blk);
	}
}

static void on_notify(void *context, unsigned queue)
{
	struct virtio_blk *blk = context;

	(void)queue;
	blk->environment->timer_set(blk->timer, blk->environment->now_us());
}

static void on_reset(void *context)
{
	struct virtio_blk *blk = context;

	blk->environment->timer_set(blk->timer, UINT64_MAX);
	pthread_mutex_lock(&blk->state);
	blk->generation++;
	while (blk->at_work > 0) {
		pthread_cond_wait(&blk->idle, &blk->state);
	}
	pthread_mutex_unlock(&blk->state);
}

static uint8_t on_config_read(void *context, uint32_t offset)
{
	return ((const struct virtio_blk *)context)->config[offset];
}

static void on_config_write(void *context, uint32_t offset, uint8_t value)
{
	/* Nothing of it is the driver's to change: there is no VIRTIO_BLK_F_CONFIG_WCE. */
	(void)context;
	(void)offset;
	(void)value;
}

#define VIRTIO_OPS(feature_bits)                                                                \
	{                                                                                       \
		.id = VIRTIO_ID_BLOCK, .class_code = CLASS_STORAGE, .features = (feature_bits), \
		.queue_count = 1, .queue_size = QUEUE_SIZE, .config_size = CONFIG_SIZE,         \
		.reset = on_reset, .notify = on_notify, .config_read = on_config_read,          \
		.config_write = on_config_write,                                                \
	}

static const struct virtio_device_ops virtio_ops = VIRTIO_OPS(FEATURES);
static const struct virtio_device_ops virtio_ops_read_only = VIRTIO_OPS(FEATURES_READ_ONLY);

/* Section 5.2.4. */
static void fill_config(struct virtio_blk *blk)
{
	uint64_t sectors = blk->disk->size / DISK_SECTOR;
	uint32_t range_max = sectors < UINT32_MAX / 2 ? (uint32_t)sectors : UINT32_MAX / 2;
	struct wire wire;

	wire_init_write(&wire, blk->config, sizeof(blk->config));
	wire_put_u64(&wire, sectors);
	wire_put_u32(&wire, 0);              /* size_max: not offered */
	wire_put_u32(&wire, QUEUE_SIZE - 2); /* seg_max: header and status have one each */
	wire_put_u32(&wire, 0);              /* geometry: not offered */
	wire_put_u32(&wire, BLOCK_SIZE);
	wire_put_u8(&wire, PHYSICAL_EXPONENT);
	wire_put_u8(&wire, 0); /* alignment_offset */
	wire_put_u16(&wire, 1 << PHYSICAL_EXPONENT);
	wire_put_u32(&wire, OPTIMAL_BLOCKS);
	wire_put_u8(&wire, 0); /* writeback: not offered */
	wire_put_u8(&wire, 0);
	wire_put_u16(&wire, 1); /* num_queues: not offered */
	wire_put_u32(&wire, range_max);
	wire_put_u32(&wire, BLK_RANGES_MAX);
	wire_put_u32(&wire, OPTIMAL_BLOCKS); /* discard_sector_alignment */
	wire_put_u32(&wire, range_max);
	wire_put_u32(&wire, BLK_RANGES_MAX);
	wire_put_u8(&wire, 1); /* write_zeroes_may_unmap */
}

static void blk_reset(struct device *device)
{
	virtio_pci_reset(((struct virtio_blk *)device)->virtio);
}

static void blk_quiesce(struct device *device)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;

	blk->locked = true;
	blk->quiescing = true;
	pool_drain(blk->pool);
	blk->quiescing = false;
	blk->locked = false;
	/* What still waits is taken when the machine runs on. */
	blk->environment->timer_set(blk->timer, blk->environment->now_us());
}

static int blk_save(const struct device *device, struct wire *out)
{
	const struct virtio_blk *blk = (const struct virtio_blk *)device;

	if (blk->in_flight > 0) {
		return -EBUSY;
	}
	wire_put_u64(out, blk->disk->size);
	return virtio_pci_save(blk->virtio, out);
}

static int blk_load(struct device *device, uint32_t version, struct wire *in)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;
	int error;

	(void)version;
	/* A driver does not look at the size again. */
	if (wire_get_u64(in) != blk->disk->size) {
		return -EPROTO;
	}
	error = virtio_pci_load(blk->virtio, in);
	if (!error) {
		blk->environment->timer_set(blk->timer, blk->environment->now_us());
	}
	return error;
}

static void blk_destroy(struct device *device)
{
	struct virtio_blk *blk = (struct virtio_blk *)device;

	blk->locked = true;
	blk->quiescing = true;
	pool_destroy(blk->pool);
	virtio_pci_destroy(blk->virtio);
	blk->environment->timer_destroy(blk->timer);
	/* The host may go on without this process: what the guest believes to be written is at least as safe as that. */
	if (disk_flush(blk->disk) < 0) {
		log_warning(
		    "disk: %.*s: the last flush failed", VIRTIO_BLK_SERIAL_SIZE, blk->serial);
	}
	disk_destroy(blk->disk);
	pthread_cond_destroy(&blk->idle);
	pthread_mutex_destroy(&blk->state);
	free(blk);
}

static const struct device_ops blk_ops = {
	.name = "virtio-blk",
	.version = 1,
	.reset = blk_reset,
	.quiesce = blk_quiesce,
	.save = blk_save,
	.load = blk_load,
	.destroy = blk_destroy,
};

int virtio_blk_create_take(struct device_environment *environment, struct pci_host *host,
    unsigned slot, unsigned instance, struct disk *disk, const char *serial,
    struct virtio_blk **blk)
{
	struct virtio_blk *created = calloc(1, sizeof(*created));
	int error = -ENOMEM;

	if (!created) {
		goto fail;
	}
	created->device.ops = &blk_ops;
	created->device.instance = instance;
	created->environment = environment;
	created->disk = disk;
	created->limiter = (struct log_limiter){ .burst = 5, .interval_ms = 10000 };
	memcpy(created->serial, serial, strnlen(serial, sizeof(created->serial)));
	fill_config(created);
	pthread_mutex_init(&created->state, NULL);
	pthread_cond_init(&created->idle, NULL);
	created->timer = environment->timer_create(environment, on_timer, created);
	if (!created->timer) {
		goto fail_timer;
	}
	error = pool_create(environment->event, WORKERS, &created->pool);
	if (error) {
		goto fail_pool;
	}
	error = virtio_pci_create(environment, host, slot,
	    disk->read_only ? &virtio_ops_read_only : &virtio_ops, created, &created->virtio);
	if (error) {
		goto fail_virtio;
	}
	*blk = created;
	return 0;

fail_virtio:
	pool_destroy(created->pool);
fail_pool:
	environment->timer_destroy(created->timer);
fail_timer:
	pthread_cond_destroy(&created->idle);
	pthread_mutex_destroy(&created->state);
	free(created);
fail:
	disk_destroy(disk);
	return error;
}

struct device *virtio_blk_device(struct virtio_blk *blk)
{
	return &blk->device;
}
