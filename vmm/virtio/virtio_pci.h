/*
 * The modern PCI transport (virtio 1.2, section 4.1): what all virtio devices share. Capabilities for the common, notify,
 * ISR and device-specific structures in BAR 4 and for access through configuration space, MSI-X in BAR 2 (one vector for
 * each queue and one for the configuration), INTx without it, features, status, reset. Machine's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/dev/pci.h"
#include "vmm/device.h"
#include "vmm/virtio/virtqueue.h"

enum {
	VIRTIO_PCI_QUEUES_MAX = 8,
};

/* What a device is, and what it does. */
struct virtio_device_ops {
	uint16_t id;         /* section 5 */
	uint32_t class_code; /* PCI */
	uint64_t features;   /* of its own; those of rings and transport are added */
	unsigned queue_count;
	uint16_t queue_size;  /* largest, a power of two */
	uint32_t config_size; /* bytes of device-specific configuration */
	/* The driver resets the device, or the machine does; the queues are already reset. */
	void (*reset)(void *context);
	/* The driver has set DRIVER_OK. May be NULL. */
	void (*start)(void *context);
	/* The driver notified a queue; only while virtio_pci_ready(). */
	void (*notify)(void *context, unsigned queue);
	/* offset < config_size */
	uint8_t (*config_read)(void *context, uint32_t offset);
	void (*config_write)(void *context, uint32_t offset, uint8_t value);
};

struct virtio_pci;

/* Borrows `ops` and `environment`; `context` is the device. */
must_check int virtio_pci_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, const struct virtio_device_ops *ops, void *context, struct virtio_pci **virtio);
void virtio_pci_destroy(struct virtio_pci *virtio);
/* The machine's reset. */
void virtio_pci_reset(struct virtio_pci *virtio);

struct virtqueue *virtio_pci_queue(struct virtio_pci *virtio, unsigned index);
/* DRIVER_OK is set, nothing is broken, and the function may be bus master: queues may be used. */
bool virtio_pci_ready(const struct virtio_pci *virtio);
bool virtio_pci_has_feature(const struct virtio_pci *virtio, unsigned feature);
/* After pushes to a queue: interrupts if the driver wants it. */
void virtio_pci_signal(struct virtio_pci *virtio, unsigned index);
/* The driver broke the rules: sets DEVICE_NEEDS_RESET and tells it. Nothing goes on before its reset. */
void virtio_pci_break(struct virtio_pci *virtio);

/* The transport's part of a device's section, PCI function and queues included. */
int virtio_pci_save(const struct virtio_pci *virtio, struct wire *out);
must_check int virtio_pci_load(struct virtio_pci *virtio, struct wire *in);
