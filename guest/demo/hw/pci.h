/* PCI configuration space by mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2), bus 0 only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

struct pci_device {
	uint8_t slot;
	uint16_t vendor;
	uint16_t device;
	uint8_t interrupt_line;
	uint8_t msix; /* offset of the MSI-X capability, or 0 */
};

/* 32-bit registers; `offset` is cut to a multiple of 4. */
uint32_t pci_read(const struct pci_device *device, unsigned int offset);
void pci_write(const struct pci_device *device, unsigned int offset, uint32_t value);

/* One byte of configuration space. */
uint8_t pci_read8(const struct pci_device *device, unsigned int offset);

/* Looks into a slot; false if it is empty. Turns memory decoding and bus mastering on. */
bool pci_probe(struct pci_device *device, uint8_t slot);

/* The next capability of a kind after offset `after` (0 = from the start); its offset, or 0. */
unsigned int pci_find_capability(const struct pci_device *device, uint8_t kind, unsigned int after);

/* The address of a memory BAR, or 0 if it lies beyond 4 GiB or does not exist. */
uintptr_t pci_bar(const struct pci_device *device, unsigned int bar);

/* Points MSI-X entry 0 at a vector of this CPU and turns MSI-X on; false if the device has none. */
bool pci_enable_msix(const struct pci_device *device, uint8_t vector);
