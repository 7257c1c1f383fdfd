/*
 * One PCI function's configuration space: a byte array with a mask of what the guest may change,
 * and the effects that a change has. PCI Local Bus 3.0, section 6.1-6.2 and 6.7. What must stay
 * true: reserved and read-only bits keep the values they were created with, whatever a guest or a
 * snapshot says.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/dev/pci_internal.h"

enum {
	COMMAND_WRITABLE = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
			   PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE,
	BAR_SIZE_MIN = 4096,
};

uint16_t pci_config_get_u16(const struct pci_device *device, unsigned offset)
{
	return (uint16_t)(device->config[offset] | device->config[offset + 1] << 8);
}

uint32_t pci_config_get_u32(const struct pci_device *device, unsigned offset)
{
	return (uint32_t)pci_config_get_u16(device, offset) |
	       (uint32_t)pci_config_get_u16(device, offset + 2) << 16;
}

void pci_config_set_u16(struct pci_device *device, unsigned offset, uint16_t value)
{
	device->config[offset] = (uint8_t)value;
	device->config[offset + 1] = (uint8_t)(value >> 8);
}

void pci_config_set_u32(struct pci_device *device, unsigned offset, uint32_t value)
{
	pci_config_set_u16(device, offset, (uint16_t)value);
	pci_config_set_u16(device, offset + 2, (uint16_t)(value >> 16));
}

static void set_writable(struct pci_device *device, unsigned offset, unsigned size, uint32_t mask)
{
	for (unsigned i = 0; i < size; i++) {
		device->writable[offset + i] = (uint8_t)(mask >> (8 * i));
	}
}

static const struct pci_claim *find_claim(
    const struct pci_device *device, unsigned offset, unsigned size)
{
	for (unsigned i = 0; i < PCI_CLAIMS; i++) {
		const struct pci_claim *claim = &device->claims[i];

		if (claim->size != 0 && offset >= claim->offset &&
		    offset + size <= claim->offset + claim->size) {
			return claim;
		}
	}
	return NULL;
}

uint32_t pci_config_read(struct pci_device *device, unsigned offset, unsigned size)
{
	const struct pci_claim *claim = find_claim(device, offset, size);
	uint32_t value = 0;

	if (claim) {
		return (uint32_t)claim->ops->read(device->context, offset - claim->offset, size);
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = device->config[offset + i];

		if (offset + i == PCI_STATUS && device->level) {
			byte |= PCI_STATUS_INTERRUPT;
		}
		value |= (uint32_t)byte << (8 * i);
	}
	return value;
}

static bool touches(unsigned offset, unsigned size, unsigned start, unsigned length)
{
	return offset < start + length && start < offset + size;
}

void pci_config_write(struct pci_device *device, unsigned offset, unsigned size, uint32_t value)
{
	const struct pci_claim *claim = find_claim(device, offset, size);

	if (claim) {
		claim->ops->write(device->context, offset - claim->offset, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = device->writable[offset + i];
		uint8_t *byte = &device->config[offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (value >> (8 * i) & mask));
	}
	if (touches(offset, size, PCI_COMMAND, 2) ||
	    touches(offset, size, PCI_BASE_ADDRESS_0, 4 * PCI_BARS)) {
		pci_host_remap(device->host);
	}
	if (touches(offset, size, PCI_COMMAND, 2)) {
		pci_host_update_line(device->host, device->slot);
	}
	if (device->msix.vectors > 0 &&
	    touches(offset, size, device->msix.capability + PCI_MSIX_FLAGS, 2)) {
		pci_msix_deliver(device);
	}
}

int pci_device_create(struct pci_host *host, unsigned slot, const struct pci_identity *identity,
    void *context, struct pci_device **device)
{
	struct pci_device *created;

	if (slot >= PCI_SLOTS) {
		return -EINVAL;
	}
	if (host->slots[slot]) {
		return -EEXIST;
	}
	created = calloc(1, sizeof(*created));
	if (!created) {
		return -ENOMEM;
	}
	created->host = host;
	created->slot = slot;
	created->context = context;
	created->has_interrupt = identity->interrupt;
	created->capabilities_end = PCI_CAPABILITIES_START;
	pci_config_set_u16(created, PCI_VENDOR_ID, identity->vendor);
	pci_config_set_u16(created, PCI_DEVICE_ID, identity->device);
	pci_config_set_u32(
	    created, PCI_CLASS_REVISION, identity->class_code << 8 | identity->revision);
	pci_config_set_u16(created, PCI_SUBSYSTEM_VENDOR_ID, identity->subsystem_vendor);
	pci_config_set_u16(created, PCI_SUBSYSTEM_ID, identity->subsystem);
	created->config[PCI_INTERRUPT_PIN] = identity->interrupt ? 1 : 0;
	set_writable(created, PCI_COMMAND, 2, COMMAND_WRITABLE);
	set_writable(created, PCI_CACHE_LINE_SIZE, 2, 0xffff);
	set_writable(created, PCI_INTERRUPT_LINE, 1, 0xff);
	host->slots[slot] = created;
	*device = created;
	return 0;
}

void pci_device_destroy(struct pci_device *device)
{
	if (!device) {
		return;
	}
	/* Takes its BARs off the bus. */
	device->config[PCI_COMMAND] = 0;
	pci_host_remap(device->host);
	device->host->slots[device->slot] = NULL;
	free(device);
}

int pci_device_add_bar(struct pci_device *device, unsigned bar, uint32_t size, bool prefetchable,
    const struct pci_bar_ops *ops)
{
	if (bar >= PCI_BARS || size < BAR_SIZE_MIN || (size & (size - 1)) != 0) {
		return -EINVAL;
	}
	if (device->bars[bar].size != 0) {
		return -EEXIST;
	}
	device->bars[bar] = (struct pci_bar){
		.size = size, .ops = *ops, .context = device->context
	};
	device->config[PCI_BASE_ADDRESS_0 + 4 * bar] = prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH
								    : 0;
	set_writable(device, PCI_BASE_ADDRESS_0 + 4 * bar, 4, ~(size - 1));
	return 0;
}

int pci_device_add_capability(struct pci_device *device, uint8_t id, const void *body, uint8_t size)
{
	unsigned offset = device->capabilities_end;

	if (size > PCI_CONFIG_SIZE - 2 || offset + 2 + size > PCI_CONFIG_SIZE) {
		return -ENOSPC;
	}
	device->config[offset] = id;
	memcpy(&device->config[offset + 2], body, size);
	if (device->last_capability != 0) {
		device->config[device->last_capability + PCI_CAP_LIST_NEXT] = (uint8_t)offset;
	} else {
		device->config[PCI_CAPABILITY_LIST] = (uint8_t)offset;
		device->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	}
	device->last_capability = offset;
	device->capabilities_end = (offset + 2 + size + 3) & ~3u;
	return (int)offset;
}

int pci_device_claim_config(
    struct pci_device *device, unsigned offset, unsigned size, const struct bus_ops *ops)
{
	if (size == 0 || offset > PCI_CONFIG_SIZE || size > PCI_CONFIG_SIZE - offset) {
		return -EINVAL;
	}
	for (unsigned i = 0; i < PCI_CLAIMS; i++) {
		if (device->claims[i].size == 0) {
			device->claims[i] = (struct pci_claim){
				.offset = offset, .size = size, .ops = ops
			};
			return 0;
		}
	}
	return -ENOSPC;
}

int pci_device_add_msix(struct pci_device *device, unsigned bar, unsigned vectors)
{
	static const struct pci_bar_ops table = { .bus = { .read = NULL } };
	struct pci_bar_ops ops = table;
	uint8_t body[10] = { 0 };
	int offset, error;

	if (vectors == 0 || vectors > PCI_MSIX_VECTORS_MAX || device->msix.vectors != 0) {
		return -EINVAL;
	}
	body[0] = (uint8_t)(vectors - 1);
	body[2] = (uint8_t)bar;
	body[6] = (uint8_t)bar;
	body[7] = PCI_MSIX_PENDING_OFFSET >> 8;
	ops.bus = pci_msix_bus_ops;
	error = pci_device_add_bar(device, bar, BAR_SIZE_MIN, false, &ops);
	if (error < 0) {
		return error;
	}
	/* The table is the function's own, not its device's. */
	device->bars[bar].context = device;
	offset = pci_device_add_capability(device, PCI_CAP_ID_MSIX, body, sizeof(body));
	if (offset < 0) {
		return offset;
	}
	device->msix.vectors = vectors;
	device->msix.capability = (unsigned)offset;
	set_writable(device, (unsigned)offset + PCI_MSIX_FLAGS, 2,
	    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_msix_reset(device);
	return 0;
}

uint64_t pci_device_bar_address(const struct pci_device *device, unsigned bar)
{
	return bar < PCI_BARS ? device->bars[bar].mapped : 0;
}

bool pci_device_bus_master(const struct pci_device *device)
{
	return pci_config_get_u16(device, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

void pci_device_set_interrupt(struct pci_device *device, bool level)
{
	if (device->level != level) {
		device->level = level;
		pci_host_update_line(device->host, device->slot);
	}
}

void pci_device_reset(struct pci_device *device)
{
	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
		device->config[i] &= (uint8_t)~device->writable[i];
	}
	pci_msix_reset(device);
	device->level = false;
	pci_host_remap(device->host);
	pci_host_update_line(device->host, device->slot);
}

int pci_device_save(const struct pci_device *device, struct wire *out)
{
	wire_put_u16(out, pci_config_get_u16(device, PCI_COMMAND));
	wire_put_u8(out, device->config[PCI_CACHE_LINE_SIZE]);
	wire_put_u8(out, device->config[PCI_LATENCY_TIMER]);
	wire_put_u8(out, device->config[PCI_INTERRUPT_LINE]);
	wire_put_bool(out, device->level);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (device->bars[i].size != 0) {
			wire_put_u32(out, pci_config_get_u32(device, PCI_BASE_ADDRESS_0 + 4 * i));
		}
	}
	pci_msix_save(device, out);
	return 0;
}

int pci_device_load(struct pci_device *device, struct wire *in)
{
	uint16_t command = wire_get_u16(in);
	uint8_t cache_line = wire_get_u8(in);
	uint8_t latency = wire_get_u8(in);
	uint8_t line = wire_get_u8(in);
	bool level = wire_get_bool(in);
	uint32_t bars[PCI_BARS] = { 0 };
	int error;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint32_t size = device->bars[i].size;

		if (size != 0) {
			uint32_t now = pci_config_get_u32(device, PCI_BASE_ADDRESS_0 + 4 * i);

			bars[i] = wire_get_u32(in);
			if (((bars[i] ^ now) & (size - 1)) != 0) {
				return -EPROTO;
			}
		}
	}
	if (!wire_ok(in) || (command & ~COMMAND_WRITABLE) != 0 ||
	    (level && !device->has_interrupt)) {
		return -EPROTO;
	}
	error = pci_msix_load(device, in);
	if (error < 0) {
		return error;
	}
	pci_config_set_u16(device, PCI_COMMAND, command);
	device->config[PCI_CACHE_LINE_SIZE] = cache_line;
	device->config[PCI_LATENCY_TIMER] = latency;
	device->config[PCI_INTERRUPT_LINE] = line;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (device->bars[i].size != 0) {
			pci_config_set_u32(device, PCI_BASE_ADDRESS_0 + 4 * i, bars[i]);
		}
	}
	device->level = level;
	pci_host_remap(device->host);
	pci_host_update_line(device->host, device->slot);
	return 0;
}
