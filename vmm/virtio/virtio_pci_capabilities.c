/*
 * The vendor capabilities of the modern transport, and the one that reaches the structures through configuration space.
 * What must stay true: through it nothing but the structures' BAR is reached, at aligned offsets inside of it.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "vmm/virtio/virtio_pci_internal.h"

enum {
	/* The access capability's fields, counted from behind its type. */
	ACCESS_BAR = 0,
	ACCESS_OFFSET = 4,
	ACCESS_LENGTH = 8,
	ACCESS_DATA = 12,
	ACCESS_SIZE = 16,
};

/* Section 4.1.4.9: whether the access capability's window is one that may be used. */
static bool access_valid(const struct virtio_pci *virtio)
{
	uint32_t length = virtio->access_length;

	return virtio->access_bar == VIRTIO_BAR_STRUCTURES &&
	       (length == 1 || length == 2 || length == 4) && virtio->access_offset % length == 0 &&
	       virtio->access_offset < VIRTIO_BAR_SIZE;
}

static uint64_t access_read(void *context, uint64_t offset, unsigned size)
{
	struct virtio_pci *virtio = context;
	uint32_t registers[ACCESS_SIZE / 4] = { virtio->access_bar, virtio->access_offset,
		virtio->access_length };
	uint64_t value = 0;

	if (offset >= ACCESS_DATA && access_valid(virtio)) {
		registers[ACCESS_DATA / 4] = (uint32_t)virtio_pci_bar_read(
		    virtio, virtio->access_offset, virtio->access_length);
	}
	for (unsigned i = 0; i < size; i++) {
		uint64_t at = offset + i;

		value |= (uint64_t)(registers[at / 4] >> (8 * (at % 4)) & 0xff) << (8 * i);
	}
	return value;
}

static void access_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_pci *virtio = context;

	if (offset == ACCESS_BAR) {
		virtio->access_bar = (uint8_t)value;
	} else if (offset == ACCESS_OFFSET && size == 4) {
		virtio->access_offset = (uint32_t)value;
	} else if (offset == ACCESS_LENGTH && size == 4) {
		virtio->access_length = (uint32_t)value;
	} else if (offset == ACCESS_DATA && access_valid(virtio) && size >= virtio->access_length) {
		uint64_t mask = (1ull << (8 * virtio->access_length)) - 1;

		virtio_pci_bar_write(
		    virtio, virtio->access_offset, virtio->access_length, value & mask);
	}
}

static const struct bus_ops access_ops = { .read = access_read, .write = access_write };

/* Section 4.1.4: the vendor capabilities. */
int virtio_pci_add_capabilities(struct virtio_pci *virtio)
{
	static const struct {
		uint8_t type, part;
		uint32_t extra; /* the multiplier; 0: the capability has no more */
	} parts[] = {
		{ VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PART_COMMON, 0 },
		{ VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PART_NOTIFY, VIRTIO_NOTIFY_MULTIPLIER },
		{ VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PART_ISR, 0 },
		{ VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PART_DEVICE, 0 },
	};
	uint8_t body[sizeof(struct virtio_pci_cfg_cap)];
	struct wire out;
	int offset;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint8_t size = parts[i].extra ? sizeof(struct virtio_pci_notify_cap)
					      : sizeof(struct virtio_pci_cap);

		if (parts[i].type == VIRTIO_PCI_CAP_DEVICE_CFG && virtio->ops->config_size == 0) {
			continue;
		}
		wire_init_write(&out, body, sizeof(body));
		wire_put_u8(&out, size);
		wire_put_u8(&out, parts[i].type);
		wire_put_u32(&out, VIRTIO_BAR_STRUCTURES);
		wire_put_u32(&out, parts[i].part * VIRTIO_PART_SIZE);
		wire_put_u32(&out, VIRTIO_PART_SIZE);
		wire_put_u32(&out, parts[i].extra);
		/* Id and next pointer come before the body. */
		offset = pci_device_add_capability(
		    virtio->pci, PCI_CAP_ID_VNDR, body, (uint8_t)(size - 2));
		if (offset < 0) {
			return offset;
		}
	}
	memset(body, 0, sizeof(body));
	body[0] = sizeof(struct virtio_pci_cfg_cap);
	body[1] = VIRTIO_PCI_CAP_PCI_CFG;
	offset = pci_device_add_capability(virtio->pci, PCI_CAP_ID_VNDR, body, sizeof(body) - 2);
	if (offset < 0) {
		return offset;
	}
	return pci_device_claim_config(virtio->pci, (unsigned)offset + 4, ACCESS_SIZE, &access_ops);
}
