/*
 * The modern virtio transport. What must stay true: features are a subset of those offered once FEATURES_OK is set; a
 * queue's place is fixed while it is enabled; DRIVER_OK implies FEATURES_OK.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vmm/virtio/virtio_pci_internal.h"

enum {
	VENDOR = 0x1af4,
	DEVICE_BASE = 0x1040,
	SUBSYSTEM = 0x1100,

	COMMON_SIZE = sizeof(struct virtio_pci_common_cfg),

	ISR_QUEUE = 1 << 0,
	ISR_CONFIG = 1 << 1,
	STATUS_ALL = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		     VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK |
		     VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED,
	STATUS_DRIVERS = STATUS_ALL & ~VIRTIO_CONFIG_S_NEEDS_RESET,
};

#define TRANSPORT_FEATURES                                                  \
	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_INDIRECT_DESC | \
	    1ull << VIRTIO_RING_F_EVENT_IDX)

static uint64_t offered(const struct virtio_pci *virtio)
{
	return virtio->ops->features | TRANSPORT_FEATURES;
}

static unsigned vectors(const struct virtio_pci *virtio)
{
	return virtio->ops->queue_count + 1;
}

struct virtqueue *virtio_pci_queue(struct virtio_pci *virtio, unsigned index)
{
	return &virtio->queues[index];
}

bool virtio_pci_ready(const struct virtio_pci *virtio)
{
	return (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(virtio->status & (VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED)) &&
	       pci_device_bus_master(virtio->pci);
}

bool virtio_pci_has_feature(const struct virtio_pci *virtio, unsigned feature)
{
	return virtio->driver_features >> feature & 1;
}

/* Section 4.1.5.3 and 4.1.5.4. */
static void interrupt(struct virtio_pci *virtio, uint16_t vector, uint8_t isr)
{
	if (pci_device_msix_enabled(virtio->pci)) {
		if (vector != VIRTIO_MSI_NO_VECTOR) {
			(void)pci_device_signal(virtio->pci, vector);
		}
		return;
	}
	virtio->isr |= isr;
	pci_device_set_interrupt(virtio->pci, true);
}

void virtio_pci_signal(struct virtio_pci *virtio, unsigned index)
{
	if (virtqueue_wants_interrupt(&virtio->queues[index])) {
		interrupt(virtio, virtio->queue_vectors[index], ISR_QUEUE);
	}
}

void virtio_pci_break(struct virtio_pci *virtio)
{
	if (virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET) {
		return;
	}
	virtio->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (log_limiter_permits(&virtio->limiter)) {
		log_warning("virtio: device %u: its driver broke a queue", virtio->ops->id);
	}
	/* Section 2.1.2. */
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		interrupt(virtio, virtio->config_vector, ISR_CONFIG);
	}
}

/* The device as its driver finds it; the PCI function stays as it is. */
static void reset_device(struct virtio_pci *virtio)
{
	virtio->status = 0;
	virtio->isr = 0;
	virtio->device_feature_select = 0;
	virtio->driver_feature_select = 0;
	virtio->driver_features = 0;
	virtio->config_vector = VIRTIO_MSI_NO_VECTOR;
	virtio->queue_select = 0;
	for (unsigned i = 0; i < virtio->ops->queue_count; i++) {
		virtio->queue_vectors[i] = VIRTIO_MSI_NO_VECTOR;
		virtqueue_reset(&virtio->queues[i]);
	}
	pci_device_set_interrupt(virtio->pci, false);
	virtio->ops->reset(virtio->context);
}

/* Section 3.1.1: the driver sets bits one after the other and clears them by a reset only. */
static void write_status(struct virtio_pci *virtio, uint8_t value)
{
	uint8_t added = value & STATUS_DRIVERS & (uint8_t)~virtio->status;

	if (value == 0) {
		reset_device(virtio);
		return;
	}
	if (added & VIRTIO_CONFIG_S_FEATURES_OK) {
		if ((virtio->driver_features & ~offered(virtio)) != 0 ||
		    !virtio_pci_has_feature(virtio, VIRTIO_F_VERSION_1)) {
			added &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
		}
	}
	if (!((virtio->status | added) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		added &= (uint8_t)~VIRTIO_CONFIG_S_DRIVER_OK;
	}
	virtio->status |= added;
	if (added & VIRTIO_CONFIG_S_FEATURES_OK) {
		for (unsigned i = 0; i < virtio->ops->queue_count; i++) {
			virtio->queues[i].indirect = virtio_pci_has_feature(
			    virtio, VIRTIO_RING_F_INDIRECT_DESC);
			virtio->queues[i].event_index = virtio_pci_has_feature(
			    virtio, VIRTIO_RING_F_EVENT_IDX);
		}
	}
	if ((added & VIRTIO_CONFIG_S_DRIVER_OK) && virtio->ops->start) {
		virtio->ops->start(virtio->context);
	}
}

static struct virtqueue *selected(struct virtio_pci *virtio)
{
	return virtio->queue_select < virtio->ops->queue_count
		   ? &virtio->queues[virtio->queue_select]
		   : NULL;
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

/* The common structure as it reads now: reading it changes nothing, so any width may be cut out of it. */
static void put_common(struct virtio_pci *virtio, uint8_t bytes[COMMON_SIZE])
{
	const struct virtqueue *queue = selected(virtio);
	struct wire out;

	wire_init_write(&out, bytes, COMMON_SIZE);
	wire_put_u32(&out, virtio->device_feature_select);
	wire_put_u32(&out, feature_word(offered(virtio), virtio->device_feature_select));
	wire_put_u32(&out, virtio->driver_feature_select);
	wire_put_u32(&out, feature_word(virtio->driver_features, virtio->driver_feature_select));
	wire_put_u16(&out, virtio->config_vector);
	wire_put_u16(&out, (uint16_t)virtio->ops->queue_count);
	wire_put_u8(&out, virtio->status);
	wire_put_u8(&out, 0); /* no configuration changes behind the driver's back */
	wire_put_u16(&out, virtio->queue_select);
	wire_put_u16(&out, queue ? queue->size : 0);
	wire_put_u16(
	    &out, queue ? virtio->queue_vectors[virtio->queue_select] : VIRTIO_MSI_NO_VECTOR);
	wire_put_u16(&out, queue ? queue->enabled : 0);
	wire_put_u16(&out, queue ? virtio->queue_select : 0);
	wire_put_u64(&out, queue ? queue->descriptors : 0);
	wire_put_u64(&out, queue ? queue->driver_area : 0);
	wire_put_u64(&out, queue ? queue->device_area : 0);
}

static uint16_t checked_vector(const struct virtio_pci *virtio, uint64_t value)
{
	return value < vectors(virtio) ? (uint16_t)value : VIRTIO_MSI_NO_VECTOR;
}

/* One half of a 64-bit address, or all of it. */
static void write_address(uint64_t *address, unsigned within, unsigned size, uint64_t value)
{
	if (size == 8) {
		*address = value;
	} else if (within == 0) {
		*address = (*address & ~0xffffffffull) | value;
	} else {
		*address = (*address & 0xffffffffull) | value << 32;
	}
}

/* Fields of the selected queue, from queue_size on. */
static void write_queue(struct virtio_pci *virtio, unsigned offset, unsigned size, uint64_t value)
{
	struct virtqueue *queue = selected(virtio);

	if (!queue) {
		return;
	}
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX && size == 2) {
		virtio->queue_vectors[virtio->queue_select] = checked_vector(virtio, value);
	}
	if (queue->enabled || queue->broken) {
		return;
	}
	if (offset == VIRTIO_PCI_COMMON_Q_SIZE && size == 2) {
		if (value > 0 && value <= queue->size_max && (value & (value - 1)) == 0) {
			queue->size = (uint16_t)value;
		}
	} else if (offset == VIRTIO_PCI_COMMON_Q_ENABLE && size == 2) {
		if (value == 1 && (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
		    virtqueue_enable(queue) < 0) {
			virtio_pci_break(virtio);
		}
	} else if (size >= 4 && offset >= VIRTIO_PCI_COMMON_Q_DESCLO && offset % size == 0) {
		uint64_t *const addresses[] = { &queue->descriptors, &queue->driver_area,
			&queue->device_area };

		write_address(
		    addresses[(offset - VIRTIO_PCI_COMMON_Q_DESCLO) / 8], offset & 4, size, value);
	}
}

/* Section 4.1.4.3; other widths than a field's own are not allowed and do nothing. */
static void write_common(struct virtio_pci *virtio, unsigned offset, unsigned size, uint64_t value)
{
	if (offset == VIRTIO_PCI_COMMON_DFSELECT && size == 4) {
		virtio->device_feature_select = (uint32_t)value;
	} else if (offset == VIRTIO_PCI_COMMON_GFSELECT && size == 4) {
		virtio->driver_feature_select = (uint32_t)value;
	} else if (offset == VIRTIO_PCI_COMMON_GF && size == 4) {
		unsigned shift = 32 * virtio->driver_feature_select;

		if (virtio->driver_feature_select < 2 &&
		    !(virtio->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
			virtio->driver_features = (virtio->driver_features &
						      ~(0xffffffffull << shift)) |
						  value << shift;
		}
	} else if (offset == VIRTIO_PCI_COMMON_MSIX && size == 2) {
		virtio->config_vector = checked_vector(virtio, value);
	} else if (offset == VIRTIO_PCI_COMMON_STATUS && size == 1) {
		write_status(virtio, (uint8_t)value);
	} else if (offset == VIRTIO_PCI_COMMON_Q_SELECT && size == 2) {
		virtio->queue_select = (uint16_t)value;
	} else if (offset >= VIRTIO_PCI_COMMON_Q_SIZE) {
		write_queue(virtio, offset, size, value);
	}
}

static uint8_t read_isr(struct virtio_pci *virtio)
{
	uint8_t isr = virtio->isr;

	virtio->isr = 0;
	pci_device_set_interrupt(virtio->pci, false);
	return isr;
}

uint64_t virtio_pci_bar_read(void *context, uint64_t offset, unsigned size)
{
	struct virtio_pci *virtio = context;
	unsigned at = (unsigned)(offset % VIRTIO_PART_SIZE);
	uint8_t bytes[COMMON_SIZE];
	uint64_t value = 0;

	switch (offset / VIRTIO_PART_SIZE) {
	case VIRTIO_PART_COMMON:
		if (at < COMMON_SIZE && size <= COMMON_SIZE - at) {
			put_common(virtio, bytes);
			for (unsigned i = 0; i < size; i++) {
				value |= (uint64_t)bytes[at + i] << (8 * i);
			}
		}
		return value;
	case VIRTIO_PART_ISR:
		return at == 0 ? read_isr(virtio) : 0;
	case VIRTIO_PART_DEVICE:
		for (unsigned i = 0; i < size && at + i < virtio->ops->config_size; i++) {
			value |= (uint64_t)virtio->ops->config_read(virtio->context, at + i)
				 << (8 * i);
		}
		return value;
	default:
		return 0;
	}
}

void virtio_pci_bar_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_pci *virtio = context;
	unsigned at = (unsigned)(offset % VIRTIO_PART_SIZE);

	switch (offset / VIRTIO_PART_SIZE) {
	case VIRTIO_PART_COMMON:
		if (at < COMMON_SIZE && size <= COMMON_SIZE - at) {
			write_common(virtio, at, size, value);
		}
		break;
	case VIRTIO_PART_DEVICE:
		for (unsigned i = 0; i < size && at + i < virtio->ops->config_size; i++) {
			virtio->ops->config_write(
			    virtio->context, at + i, (uint8_t)(value >> (8 * i)));
		}
		break;
	case VIRTIO_PART_NOTIFY:
		if (at % VIRTIO_NOTIFY_MULTIPLIER == 0 &&
		    at / VIRTIO_NOTIFY_MULTIPLIER < virtio->ops->queue_count &&
		    virtio_pci_ready(virtio)) {
			virtio->ops->notify(virtio->context, at / VIRTIO_NOTIFY_MULTIPLIER);
		}
		break;
	default:
		break;
	}
}

int virtio_pci_create(struct device_environment *environment, struct pci_host *host, unsigned slot,
    const struct virtio_device_ops *ops, void *context, struct virtio_pci **virtio)
{
	static const struct pci_bar_ops structures = { .bus = { .read = virtio_pci_bar_read,
							   .write = virtio_pci_bar_write } };
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = (uint16_t)(DEVICE_BASE + ops->id),
		.subsystem_vendor = VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = ops->class_code,
		.revision = 1,
		.interrupt = true,
	};
	struct virtio_pci *created;
	int error;

	if (ops->queue_count > VIRTIO_PCI_QUEUES_MAX || ops->config_size > VIRTIO_PART_SIZE) {
		return -EINVAL;
	}
	created = calloc(1, sizeof(*created));
	if (!created) {
		return -ENOMEM;
	}
	created->environment = environment;
	created->ops = ops;
	created->context = context;
	created->limiter = (struct log_limiter){ .burst = 5, .interval_ms = 10000 };
	created->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned i = 0; i < ops->queue_count; i++) {
		created->queue_vectors[i] = VIRTIO_MSI_NO_VECTOR;
		virtqueue_init(&created->queues[i], environment->memory, ops->queue_size);
	}
	error = pci_device_create(host, slot, &identity, created, &created->pci);
	if (error < 0) {
		goto fail_pci;
	}
	error = pci_device_add_bar(
	    created->pci, VIRTIO_BAR_STRUCTURES, VIRTIO_BAR_SIZE, false, &structures);
	if (error < 0) {
		goto fail_parts;
	}
	error = pci_device_add_msix(created->pci, VIRTIO_BAR_MSIX, vectors(created));
	if (error < 0) {
		goto fail_parts;
	}
	error = virtio_pci_add_capabilities(created);
	if (error < 0) {
		goto fail_parts;
	}
	*virtio = created;
	return 0;

fail_parts:
	pci_device_destroy(created->pci);
fail_pci:
	free(created);
	return error;
}

void virtio_pci_destroy(struct virtio_pci *virtio)
{
	if (!virtio) {
		return;
	}
	pci_device_destroy(virtio->pci);
	free(virtio);
}

void virtio_pci_reset(struct virtio_pci *virtio)
{
	reset_device(virtio);
	virtio->access_bar = 0;
	virtio->access_offset = 0;
	virtio->access_length = 0;
	pci_device_reset(virtio->pci);
}

int virtio_pci_save(const struct virtio_pci *virtio, struct wire *out)
{
	wire_put_u8(out, virtio->status);
	wire_put_u8(out, virtio->isr);
	wire_put_u32(out, virtio->device_feature_select);
	wire_put_u32(out, virtio->driver_feature_select);
	wire_put_u64(out, virtio->driver_features);
	wire_put_u16(out, virtio->config_vector);
	wire_put_u16(out, virtio->queue_select);
	wire_put_u8(out, virtio->access_bar);
	wire_put_u32(out, virtio->access_offset);
	wire_put_u32(out, virtio->access_length);
	for (unsigned i = 0; i < virtio->ops->queue_count; i++) {
		wire_put_u16(out, virtio->queue_vectors[i]);
		virtqueue_save(&virtio->queues[i], out);
	}
	return pci_device_save(virtio->pci, out);
}

static bool is_vector(const struct virtio_pci *virtio, uint16_t vector)
{
	return vector == VIRTIO_MSI_NO_VECTOR || vector < vectors(virtio);
}

/* What negotiation can have left. */
static bool status_consistent(const struct virtio_pci *virtio)
{
	bool features_ok = virtio->status & VIRTIO_CONFIG_S_FEATURES_OK;

	if ((virtio->status & ~STATUS_ALL) != 0 || (virtio->isr & ~(ISR_QUEUE | ISR_CONFIG)) != 0 ||
	    ((virtio->status & VIRTIO_CONFIG_S_DRIVER_OK) && !features_ok)) {
		return false;
	}
	if (features_ok && ((virtio->driver_features & ~offered(virtio)) != 0 ||
			       !virtio_pci_has_feature(virtio, VIRTIO_F_VERSION_1))) {
		return false;
	}
	for (unsigned i = 0; i < virtio->ops->queue_count; i++) {
		const struct virtqueue *queue = &virtio->queues[i];

		if ((queue->enabled && !features_ok) ||
		    queue->indirect != (features_ok && virtio_pci_has_feature(
							   virtio, VIRTIO_RING_F_INDIRECT_DESC)) ||
		    queue->event_index !=
			(features_ok && virtio_pci_has_feature(virtio, VIRTIO_RING_F_EVENT_IDX))) {
			return false;
		}
	}
	return true;
}

int virtio_pci_load(struct virtio_pci *virtio, struct wire *in)
{
	int error;

	virtio->status = wire_get_u8(in);
	virtio->isr = wire_get_u8(in);
	virtio->device_feature_select = wire_get_u32(in);
	virtio->driver_feature_select = wire_get_u32(in);
	virtio->driver_features = wire_get_u64(in);
	virtio->config_vector = wire_get_u16(in);
	virtio->queue_select = wire_get_u16(in);
	virtio->access_bar = wire_get_u8(in);
	virtio->access_offset = wire_get_u32(in);
	virtio->access_length = wire_get_u32(in);
	for (unsigned i = 0; i < virtio->ops->queue_count; i++) {
		virtio->queue_vectors[i] = wire_get_u16(in);
		error = virtqueue_load(&virtio->queues[i], in);
		if (error < 0) {
			return error;
		}
		if (!is_vector(virtio, virtio->queue_vectors[i])) {
			return -EPROTO;
		}
	}
	if (!wire_ok(in) || !is_vector(virtio, virtio->config_vector) ||
	    !status_consistent(virtio)) {
		return -EPROTO;
	}
	return pci_device_load(virtio->pci, in);
}
