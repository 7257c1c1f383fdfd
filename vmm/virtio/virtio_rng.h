/*
 * virtio-rng (virtio 1.2, section 5.4): fills the guest's buffers from getrandom(2), at a bounded rate. All calls with
 * the machine's lock held.
 */
#pragma once

#include "vmm/dev/pci.h"
#include "vmm/device.h"

struct virtio_rng;

must_check int virtio_rng_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, struct virtio_rng **rng);
struct device *virtio_rng_device(struct virtio_rng *rng);
