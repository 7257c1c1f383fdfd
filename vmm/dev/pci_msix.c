/*
 * MSI-X (PCI Local Bus 3.0, section 6.8): table, pending bits and the messages. What must stay
 * true: a message goes to a local APIC or nowhere, since a guest chooses address and data freely; a
 * vector that is signalled while masked is sent once when it is unmasked.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "vmm/dev/pci_internal.h"

enum {
	ENTRY_ADDRESS = 0,
	ENTRY_ADDRESS_HIGH = 1,
	ENTRY_DATA = 2,
	ENTRY_CONTROL = 3,
};

#define APIC_MESSAGE_BASE 0xfee00000u
#define APIC_MESSAGE_MASK 0xfff00000u

static uint16_t control(const struct pci_device *device)
{
	return pci_config_get_u16(device, device->msix.capability + PCI_MSIX_FLAGS);
}

bool pci_device_msix_enabled(const struct pci_device *device)
{
	return device->msix.vectors > 0 && (control(device) & PCI_MSIX_FLAGS_ENABLE);
}

void pci_msix_deliver(struct pci_device *device)
{
	struct pci_msix *msix = &device->msix;

	if (!pci_device_msix_enabled(device) || (control(device) & PCI_MSIX_FLAGS_MASKALL)) {
		return;
	}
	for (unsigned i = 0; i < msix->vectors; i++) {
		const uint32_t *entry = msix->table[i];

		if (!(msix->pending & 1u << i) ||
		    (entry[ENTRY_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT)) {
			continue;
		}
		msix->pending &= ~(1u << i);
		if ((entry[ENTRY_ADDRESS] & APIC_MESSAGE_MASK) == APIC_MESSAGE_BASE &&
		    entry[ENTRY_ADDRESS_HIGH] == 0) {
			irq_send_msi(device->host->environment->irq, entry[ENTRY_ADDRESS],
			    entry[ENTRY_DATA]);
		}
	}
}

bool pci_device_signal(struct pci_device *device, unsigned vector)
{
	if (!pci_device_msix_enabled(device)) {
		return false;
	}
	if (vector < device->msix.vectors) {
		device->msix.pending |= 1u << vector;
		pci_msix_deliver(device);
	}
	return true;
}

void pci_msix_reset(struct pci_device *device)
{
	memset(device->msix.table, 0, sizeof(device->msix.table));
	for (unsigned i = 0; i < device->msix.vectors; i++) {
		device->msix.table[i][ENTRY_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
	device->msix.pending = 0;
}

static uint32_t read_dword(const struct pci_msix *msix, uint64_t offset)
{
	if (offset == PCI_MSIX_PENDING_OFFSET) {
		return msix->pending;
	}
	if (offset < (uint64_t)msix->vectors * PCI_MSIX_ENTRY) {
		return msix->table[offset / PCI_MSIX_ENTRY][offset % PCI_MSIX_ENTRY / 4];
	}
	return 0;
}

static uint64_t table_read(void *context, uint64_t offset, unsigned size)
{
	const struct pci_device *device = context;
	uint64_t value = 0;

	/* The specification knows aligned 32 and 64 bit accesses only; narrower reads are harmless.
	 */
	for (unsigned i = 0; i < size; i++) {
		uint64_t at = offset + i;

		value |= (uint64_t)(read_dword(&device->msix, at & ~3ull) >> (8 * (at & 3)) & 0xff)
			 << (8 * i);
	}
	return value;
}

static void table_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_device *device = context;
	struct pci_msix *msix = &device->msix;

	if (size < 4 || offset % 4 != 0) {
		return;
	}
	for (unsigned i = 0; i < size / 4; i++) {
		uint64_t at = offset + 4 * i;
		uint32_t dword = (uint32_t)(value >> (32 * i));
		unsigned field = (unsigned)(at % PCI_MSIX_ENTRY / 4);

		if (at >= (uint64_t)msix->vectors * PCI_MSIX_ENTRY) {
			continue;
		}
		if (field == ENTRY_CONTROL) {
			dword &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
		} else if (field == ENTRY_ADDRESS) {
			dword &= ~3u;
		}
		msix->table[at / PCI_MSIX_ENTRY][field] = dword;
	}
	pci_msix_deliver(device);
}

const struct bus_ops pci_msix_bus_ops = { .read = table_read, .write = table_write };

void pci_msix_save(const struct pci_device *device, struct wire *out)
{
	const struct pci_msix *msix = &device->msix;

	if (msix->vectors == 0) {
		return;
	}
	wire_put_u16(out, control(device) & (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL));
	wire_put_u32(out, msix->pending);
	for (unsigned i = 0; i < msix->vectors; i++) {
		for (unsigned j = 0; j < PCI_MSIX_ENTRY / 4; j++) {
			wire_put_u32(out, msix->table[i][j]);
		}
	}
}

int pci_msix_load(struct pci_device *device, struct wire *in)
{
	struct pci_msix loaded = device->msix;
	uint64_t vectors_mask = ((uint64_t)1 << loaded.vectors) - 1;
	uint16_t flags;

	if (loaded.vectors == 0) {
		return 0;
	}
	flags = wire_get_u16(in);
	loaded.pending = wire_get_u32(in);
	for (unsigned i = 0; i < loaded.vectors; i++) {
		for (unsigned j = 0; j < PCI_MSIX_ENTRY / 4; j++) {
			loaded.table[i][j] = wire_get_u32(in);
		}
		if ((loaded.table[i][ENTRY_CONTROL] & ~(uint32_t)PCI_MSIX_ENTRY_CTRL_MASKBIT) !=
			0 ||
		    (loaded.table[i][ENTRY_ADDRESS] & 3) != 0) {
			return -EPROTO;
		}
	}
	if (!wire_ok(in) || (loaded.pending & ~vectors_mask) != 0 ||
	    (flags & ~(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL)) != 0) {
		return -EPROTO;
	}
	device->msix = loaded;
	pci_config_set_u16(device, device->msix.capability + PCI_MSIX_FLAGS,
	    (uint16_t)(flags | (loaded.vectors - 1)));
	return 0;
}
