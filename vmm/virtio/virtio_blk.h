/*
 * virtio-blk (virtio 1.2, section 5.2) on a disk of vmm/disk: reads, writes, flushes, discards, write-zeroes, serial. One
 * queue; its requests are carried out by workers straight from and into the guest's memory, and completed on the loop
 * thread. Machine's lock.
 */
#pragma once

#include "vmm/dev/pci.h"
#include "vmm/device.h"
#include "vmm/disk/disk.h"

enum {
	VIRTIO_BLK_SERIAL_SIZE = 20, /* bytes; a shorter one is padded with zeros */
};

struct virtio_blk;

/*
 * Owns `disk` from now on, on an error, too. `serial` is copied, at most VIRTIO_BLK_SERIAL_SIZE bytes of it. `instance`
 * tells one disk from another in a snapshot. Loop thread.
 */
must_check int virtio_blk_create_take(struct device_environment *environment, struct pci_host *host,
    unsigned slot, unsigned instance, struct disk *disk, const char *serial,
    struct virtio_blk **blk);
struct device *virtio_blk_device(struct virtio_blk *blk);
