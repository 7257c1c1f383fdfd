/* PCI configuration; see pci.h. Capability lists are walked with a bound, in case one is a ring. */
#include "hw/pci.h"

#include "hw/io.h"

#define ADDRESS_PORT   0xcf8
#define DATA_PORT      0xcfc

#define PCI_COMMAND    0x04
#define PCI_BAR0       0x10
#define PCI_CAPS       0x34
#define PCI_INTERRUPT  0x3c
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u

static void select(const struct pci_device *device, unsigned int offset)
{
	io_write32(ADDRESS_PORT, 0x80000000u | (uint32_t)device->slot << 11 | (offset & 0xfcu));
}

uint32_t pci_read(const struct pci_device *device, unsigned int offset)
{
	select(device, offset);
	return io_read32(DATA_PORT);
}

void pci_write(const struct pci_device *device, unsigned int offset, uint32_t value)
{
	select(device, offset);
	io_write32(DATA_PORT, value);
}

uint8_t pci_read8(const struct pci_device *device, unsigned int offset)
{
	return (uint8_t)(pci_read(device, offset) >> (offset & 3) * 8);
}

unsigned int pci_find_capability(const struct pci_device *device, uint8_t kind, unsigned int after)
{
	unsigned int offset = after ? pci_read8(device, after + 1) : pci_read8(device, PCI_CAPS);

	for (int i = 0; i < 48 && offset >= 0x40; i++) {
		uint32_t head = pci_read(device, offset);

		if ((head & 0xff) == kind) {
			return offset;
		}
		offset = head >> 8 & 0xfc;
	}
	return 0;
}

bool pci_probe(struct pci_device *device, uint8_t slot)
{
	uint32_t ids;
	uint32_t command;

	*device = (struct pci_device){ .slot = slot };
	ids = pci_read(device, 0);
	if ((ids & 0xffff) == 0xffff || ids == 0) {
		return false;
	}
	device->vendor = (uint16_t)ids;
	device->device = (uint16_t)(ids >> 16);
	device->interrupt_line = pci_read8(device, PCI_INTERRUPT);
	command = pci_read(device, PCI_COMMAND);
	pci_write(device, PCI_COMMAND, (command & 0xffff) | COMMAND_MEMORY | COMMAND_MASTER);
	/* The status half of that register, bit 4: there is a capability list. */
	if (command & 0x100000) {
		device->msix = (uint8_t)pci_find_capability(device, PCI_CAP_MSIX, 0);
	}
	return true;
}

uintptr_t pci_bar(const struct pci_device *device, unsigned int bar)
{
	uint32_t low = pci_read(device, PCI_BAR0 + 4 * bar);

	if ((low & 1) || (low & ~0xfu) == 0) {
		return 0;
	}
	if ((low & 6) == 4 && pci_read(device, PCI_BAR0 + 4 * bar + 4) != 0) {
		return 0;
	}
	return low & ~0xfu;
}

bool pci_enable_msix(const struct pci_device *device, uint8_t vector)
{
	uint32_t table;
	uintptr_t entry;

	if (!device->msix) {
		return false;
	}
	table = pci_read(device, device->msix + 4u);
	entry = pci_bar(device, table & 7);
	if (!entry) {
		return false;
	}
	entry += table & ~7u;
	mmio_write32(entry, 0xfee00000u);
	mmio_write32(entry + 4, 0);
	mmio_write32(entry + 8, vector);
	mmio_write32(entry + 12, 0);
	/* Enable, and no function mask. */
	pci_write(
	    device, device->msix, (pci_read(device, device->msix) & ~0x40000000u) | 0x80000000u);
	return true;
}
