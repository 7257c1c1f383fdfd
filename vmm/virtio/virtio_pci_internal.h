/*
 * What virtio_pci.c (registers and negotiation) and virtio_pci_capabilities.c share. Nobody else includes it.
 */
#pragma once

#include "base/log.h"
#include "vmm/virtio/virtio_pci.h"

enum {
	VIRTIO_BAR_MSIX = 2,
	VIRTIO_BAR_STRUCTURES = 4,
	VIRTIO_BAR_SIZE = 16384,
	VIRTIO_PART_SIZE = 4096, /* one for each structure */
	VIRTIO_PART_COMMON = 0,
	VIRTIO_PART_ISR = 1,
	VIRTIO_PART_DEVICE = 2,
	VIRTIO_PART_NOTIFY = 3,
	VIRTIO_NOTIFY_MULTIPLIER = 4,
};

struct virtio_pci {
	struct device_environment *environment;
	const struct virtio_device_ops *ops;
	void *context;
	struct pci_device *pci;
	struct log_limiter limiter;

	uint8_t status, isr;
	uint32_t device_feature_select, driver_feature_select;
	uint64_t driver_features;
	uint16_t config_vector;
	uint16_t queue_select;
	uint16_t queue_vectors[VIRTIO_PCI_QUEUES_MAX];
	struct virtqueue queues[VIRTIO_PCI_QUEUES_MAX];
	/* The access capability: the window that its data register shows. */
	uint8_t access_bar;
	uint32_t access_offset, access_length;
};

/* The structures' BAR, also reached through configuration space. */
uint64_t virtio_pci_bar_read(void *context, uint64_t offset, unsigned size);
void virtio_pci_bar_write(void *context, uint64_t offset, unsigned size, uint64_t value);
/* Adds the vendor capabilities (section 4.1.4) to the function. */
must_check int virtio_pci_add_capabilities(struct virtio_pci *virtio);
