/*
 * The PCI host bridge: configuration mechanism 1, the wiring of INTA# and the map of all BARs. What
 * must stay true: which BARs are mapped follows from the configuration spaces alone, not from the
 * order in which they were written, so that a loaded machine is mapped as the saved one was; and no
 * BAR ever covers anything outside of the PCI window.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "vmm/dev/pci_internal.h"

enum {
	PORT_CONFIG_ADDRESS = 0xcf8,
	PORT_COUNT = 8,
	OFFSET_RESET_CONTROL = 1,
	OFFSET_DATA = 4,
	RESET_CONTROL_SYSTEM = 1 << 1,
	RESET_CONTROL_CPU = 1 << 2,
	BRIDGE_VENDOR = 0x8086,
	BRIDGE_DEVICE = 0x1237,
	BRIDGE_CLASS = 0x060000,
};

#define CONFIG_ADDRESS_ENABLE   0x80000000u
#define CONFIG_ADDRESS_WRITABLE 0x80fffffcu

/* IRQ 9 is the SCI's. */
static const uint8_t line_gsi[] = { 10, 11, 5 };

struct pci_range {
	uint64_t base, size;
};

unsigned pci_host_line(unsigned slot)
{
	return line_gsi[slot % (sizeof(line_gsi) / sizeof(line_gsi[0]))];
}

void pci_host_update_line(struct pci_host *host, unsigned slot)
{
	unsigned gsi = pci_host_line(slot);
	bool level = false;

	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		const struct pci_device *device = host->slots[i];

		if (device && pci_host_line(i) == gsi && device->level &&
		    !(pci_config_get_u16(device, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE)) {
			level = true;
		}
	}
	irq_set_line(host->environment->irq, gsi, level);
}

static void unmap_bar(struct pci_host *host, struct pci_bar *bar)
{
	if (bar->ops.place) {
		bar->ops.place(bar->context, 0);
	} else {
		bus_remove(host->environment->bus, BUS_MEMORY, bar->mapped);
	}
	bar->mapped = 0;
}

static void map_bar(struct pci_host *host, struct pci_bar *bar, uint64_t address)
{
	if (bar->ops.place) {
		bar->ops.place(bar->context, address);
	} else if (bus_add(host->environment->bus, BUS_MEMORY, address, bar->size, &bar->ops.bus,
		       bar->context) < 0) {
		return;
	}
	bar->mapped = address;
}

/* Where a BAR is to be decoded, 0 for nowhere. `taken` are the ranges that come before it in slot
 * order. */
static uint64_t wanted_address(const struct pci_device *device, unsigned index,
    const struct pci_range *taken, size_t taken_count)
{
	const struct pci_bar *bar = &device->bars[index];
	uint64_t address = pci_config_get_u32(device, PCI_BASE_ADDRESS_0 + 4 * index) &
			   (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;

	if (!(pci_config_get_u16(device, PCI_COMMAND) & PCI_COMMAND_MEMORY) ||
	    address < PCI_WINDOW_BASE || address + bar->size > PCI_WINDOW_END) {
		return 0;
	}
	for (size_t i = 0; i < taken_count; i++) {
		if (address < taken[i].base + taken[i].size &&
		    taken[i].base < address + bar->size) {
			return 0;
		}
	}
	return address;
}

void pci_host_remap(struct pci_host *host)
{
	uint64_t wanted[PCI_SLOTS][PCI_BARS] = { 0 };
	struct pci_range taken[PCI_SLOTS * PCI_BARS];
	size_t count = 0;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = host->slots[slot];

		for (unsigned i = 0; device && i < PCI_BARS; i++) {
			struct pci_bar *bar = &device->bars[i];

			if (bar->size == 0) {
				continue;
			}
			wanted[slot][i] = wanted_address(device, i, taken, count);
			if (wanted[slot][i] != 0) {
				taken[count++] = (struct pci_range){ wanted[slot][i], bar->size };
			}
			if (bar->mapped != 0 && bar->mapped != wanted[slot][i]) {
				unmap_bar(host, bar);
			}
		}
	}
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned i = 0; host->slots[slot] && i < PCI_BARS; i++) {
			struct pci_bar *bar = &host->slots[slot]->bars[i];

			if (wanted[slot][i] != 0 && bar->mapped == 0) {
				map_bar(host, bar, wanted[slot][i]);
			}
		}
	}
}

void pci_host_assign(struct pci_host *host)
{
	uint64_t next = PCI_WINDOW_BASE;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = host->slots[slot];

		for (unsigned i = 0; device && i < PCI_BARS; i++) {
			struct pci_bar *bar = &device->bars[i];
			uint64_t address;

			if (bar->size == 0) {
				continue;
			}
			address = (next + bar->size - 1) & ~((uint64_t)bar->size - 1);
			if (address + bar->size > PCI_WINDOW_END) {
				continue;
			}
			pci_config_write(device, PCI_BASE_ADDRESS_0 + 4 * i, 4, (uint32_t)address);
			next = address + bar->size;
		}
		if (device) {
			if (device->has_interrupt) {
				pci_config_write(
				    device, PCI_INTERRUPT_LINE, 1, pci_host_line(slot));
			}
			pci_config_write(
			    device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		}
	}
}

/* The device that the address register selects, or NULL. There is one bus, and functions 1-7 do not
 * exist. */
static struct pci_device *selected(const struct pci_host *host)
{
	if (!(host->address & CONFIG_ADDRESS_ENABLE) || ((host->address >> 16) & 0xff) != 0 ||
	    ((host->address >> 8) & 7) != 0) {
		return NULL;
	}
	return host->slots[(host->address >> 11) & (PCI_SLOTS - 1)];
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	struct pci_host *host = context;
	struct pci_device *device;

	if (offset == 0 && size == 4) {
		return host->address;
	}
	if (offset == OFFSET_RESET_CONTROL && size == 1) {
		return host->reset_control;
	}
	device = selected(host);
	if (offset < OFFSET_DATA || size > 4 || !device) {
		return UINT64_MAX;
	}
	return pci_config_read(
	    device, (host->address & 0xfc) + (unsigned)(offset - OFFSET_DATA), size);
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_host *host = context;
	struct pci_device *device;

	if (offset == 0 && size == 4) {
		host->address = (uint32_t)value & CONFIG_ADDRESS_WRITABLE;
		return;
	}
	if (offset == OFFSET_RESET_CONTROL && size == 1) {
		if (value & RESET_CONTROL_CPU) {
			host->environment->request_reset(host->environment);
		}
		host->reset_control = value & RESET_CONTROL_SYSTEM;
		return;
	}
	device = selected(host);
	if (offset >= OFFSET_DATA && size <= 4 && device) {
		pci_config_write(device, (host->address & 0xfc) + (unsigned)(offset - OFFSET_DATA),
		    size, (uint32_t)value);
	}
}

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };

static void host_reset(struct device *device)
{
	struct pci_host *host = (struct pci_host *)device;

	host->address = 0;
	host->reset_control = 0;
	pci_device_reset(host->bridge);
}

static int host_save(const struct device *device, struct wire *out)
{
	const struct pci_host *host = (const struct pci_host *)device;

	wire_put_u32(out, host->address);
	wire_put_u8(out, host->reset_control);
	return pci_device_save(host->bridge, out);
}

static int host_load(struct device *device, uint32_t version, struct wire *in)
{
	struct pci_host *host = (struct pci_host *)device;
	uint32_t address = wire_get_u32(in);
	uint8_t reset_control = wire_get_u8(in);

	(void)version;
	if (!wire_ok(in) || (address & ~CONFIG_ADDRESS_WRITABLE) != 0 ||
	    (reset_control & ~RESET_CONTROL_SYSTEM) != 0) {
		return -EPROTO;
	}
	host->address = address;
	host->reset_control = reset_control;
	return pci_device_load(host->bridge, in);
}

static void host_destroy(struct device *device)
{
	struct pci_host *host = (struct pci_host *)device;

	pci_device_destroy(host->bridge);
	bus_remove(host->environment->bus, BUS_PORTS, PORT_CONFIG_ADDRESS);
	free(host);
}

static const struct device_ops host_ops = {
	.name = "pci-host",
	.version = 1,
	.reset = host_reset,
	.save = host_save,
	.load = host_load,
	.destroy = host_destroy,
};

int pci_host_create(struct device_environment *environment, struct pci_host **host)
{
	static const struct pci_identity bridge = {
		.vendor = BRIDGE_VENDOR,
		.device = BRIDGE_DEVICE,
		.class_code = BRIDGE_CLASS,
		.revision = 2,
	};
	struct pci_host *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &host_ops;
	created->environment = environment;
	error = pci_device_create(created, 0, &bridge, created, &created->bridge);
	if (error < 0) {
		goto fail_device;
	}
	error = bus_add(
	    environment->bus, BUS_PORTS, PORT_CONFIG_ADDRESS, PORT_COUNT, &port_ops, created);
	if (error < 0) {
		goto fail_bus;
	}
	*host = created;
	return 0;

fail_bus:
	pci_device_destroy(created->bridge);
fail_device:
	free(created);
	return error;
}

struct device *pci_host_device(struct pci_host *host)
{
	return &host->device;
}
