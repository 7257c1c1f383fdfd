/*
 * What pci.c (the host), pci_config.c (a function's configuration space) and pci_msix.c share.
 * Nobody else includes it.
 */
#pragma once

#include "vmm/dev/pci.h"

enum {
	PCI_CONFIG_SIZE = 256,
	PCI_CLAIMS = 2,
	PCI_MSIX_VECTORS_MAX = 32,
	PCI_MSIX_ENTRY = 16,
	PCI_MSIX_PENDING_OFFSET = 2048,
	PCI_CAPABILITIES_START = 0x40,
};

struct pci_bar {
	uint32_t size; /* 0: there is none */
	struct pci_bar_ops ops;
	void *context;
	uint64_t mapped; /* where the bus or the owner was told it is, 0: nowhere */
};

struct pci_claim {
	unsigned offset, size; /* size 0: free */
	const struct bus_ops *ops;
};

struct pci_msix {
	unsigned vectors;    /* 0: no MSI-X */
	unsigned capability; /* offset in configuration space */
	uint32_t table[PCI_MSIX_VECTORS_MAX][PCI_MSIX_ENTRY / 4];
	uint32_t pending; /* a bit for each vector */
};

struct pci_device {
	struct pci_host *host;
	unsigned slot;
	void *context;
	bool has_interrupt;
	bool level; /* what the device wants of INTA# */
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* bits the guest may change */
	struct pci_bar bars[PCI_BARS];
	struct pci_claim claims[PCI_CLAIMS];
	unsigned last_capability; /* 0: none yet */
	unsigned capabilities_end;
	struct pci_msix msix;
};

struct pci_host {
	struct device device;
	struct device_environment *environment;
	uint32_t address; /* port 0xCF8 */
	uint8_t reset_control;
	struct pci_device *bridge;
	struct pci_device *slots[PCI_SLOTS];
};

/* The guest's accesses to configuration space: offset + size <= 256, size 1, 2 or 4. */
uint32_t pci_config_read(struct pci_device *device, unsigned offset, unsigned size);
void pci_config_write(struct pci_device *device, unsigned offset, unsigned size, uint32_t value);
uint16_t pci_config_get_u16(const struct pci_device *device, unsigned offset);
uint32_t pci_config_get_u32(const struct pci_device *device, unsigned offset);
void pci_config_set_u16(struct pci_device *device, unsigned offset, uint16_t value);
void pci_config_set_u32(struct pci_device *device, unsigned offset, uint32_t value);

/* The GSI that INTA# of a slot is wired to. */
unsigned pci_host_line(unsigned slot);
/* Maps and unmaps BARs as all configuration spaces together want it. */
void pci_host_remap(struct pci_host *host);
/* Drives the line of `slot` as the devices that share it want it. */
void pci_host_update_line(struct pci_host *host, unsigned slot);

extern const struct bus_ops pci_msix_bus_ops;
void pci_msix_reset(struct pci_device *device);
/* Sends what is pending and no longer masked. */
void pci_msix_deliver(struct pci_device *device);
void pci_msix_save(const struct pci_device *device, struct wire *out);
must_check int pci_msix_load(struct pci_device *device, struct wire *in);
