/*
 * PCI: the host bridge with configuration mechanism 1 (ports 0xCF8, 0xCFC), one bus, and the
 * configuration space that every PCI device of ours shares: header, BARs, INTx, capabilities,
 * MSI-X. PCI Local Bus 3.0, chapter 6. The reset control register (port 0xCF9, bytes only) lies
 * inside mechanism 1's ports and is part of the host, too. INTx lines are GSI 5, 10 and 11 (level,
 * shared among PCI devices only; 9 is left to the SCI of dev/pm.h). All calls with the machine's
 * lock held, except creation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/device.h"

enum {
	PCI_SLOTS = 32,
	PCI_BARS = 6,
	PCI_WINDOW_BASE = 0xC0000000u,
	PCI_WINDOW_END = 0xFEC00000u,
};

struct pci_host;
struct pci_device;

struct pci_bar_ops {
	struct bus_ops bus; /* accesses through a memory BAR; NULL read/write when `place` is set */
	/* A BAR backed by real memory: called with its guest-physical address when the guest
	 * enables it, 0 when not. */
	void (*place)(void *context, uint64_t address);
};

struct pci_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits: class, subclass, interface */
	uint8_t revision;
	bool interrupt; /* has INTA# */
};

must_check int pci_host_create(struct device_environment *environment, struct pci_host **host);
struct device *pci_host_device(struct pci_host *host);
/* Gives every BAR an address and every pin an interrupt line, as firmware would; before a kernel
 * starts without one. */
void pci_host_assign(struct pci_host *host);

/* Adds a function at `slot`. `context` is given to the BARs' operations. */
must_check int pci_device_create(struct pci_host *host, unsigned slot,
    const struct pci_identity *identity, void *context, struct pci_device **device);
void pci_device_destroy(struct pci_device *device);
/* `size` is a power of two, at least 4 KiB. 32-bit memory BAR. */
must_check int pci_device_add_bar(struct pci_device *device, unsigned bar, uint32_t size,
    bool prefetchable, const struct pci_bar_ops *ops);
/* Appends a capability and returns its offset in configuration space, or -ENOSPC. `body` follows id
 * and next pointer. */
must_check int pci_device_add_capability(
    struct pci_device *device, uint8_t id, const void *body, uint8_t size);
/* MSI-X with `vectors` entries: table at offset 0 of `bar`, pending bits at 2048; the BAR is added
 * by this call. */
must_check int pci_device_add_msix(struct pci_device *device, unsigned bar, unsigned vectors);
/*
 * Accesses that lie inside [offset, offset + size) of configuration space go to `ops` (with the
 * device's context) instead of memory: for a capability that acts. Their offsets are relative to
 * `offset`; the device saves what it keeps there.
 */
must_check int pci_device_claim_config(
    struct pci_device *device, unsigned offset, unsigned size, const struct bus_ops *ops);
/* Where a BAR is decoded now, 0 when it is not (disabled, outside of the window, or in the way of a
 * lower slot's). */
uint64_t pci_device_bar_address(const struct pci_device *device, unsigned bar);
/* Bus mastering: without it the device may not touch guest memory. pci_host_assign() turns it on.
 */
bool pci_device_bus_master(const struct pci_device *device);
/* Signals a vector: by message when MSI-X is enabled (kept pending while masked); returns false
 * when it is not. */
bool pci_device_signal(struct pci_device *device, unsigned vector);
bool pci_device_msix_enabled(const struct pci_device *device);
/* Drives INTA#, level triggered and shared. */
void pci_device_set_interrupt(struct pci_device *device, bool level);
void pci_device_reset(struct pci_device *device);
/* The device's part of a snapshot: configuration space, BARs, MSI-X. Called from the owning
 * device's save and load. */
int pci_device_save(const struct pci_device *device, struct wire *out);
must_check int pci_device_load(struct pci_device *device, struct wire *in);
