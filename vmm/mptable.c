/* See mptable.h. What must stay true: APIC ids are the vCPUs' numbers (cpuid.c) and the IOAPIC's id is none of them. */
#include "vmm/mptable.h"

#include <errno.h>

#include "base/wire.h"

enum {
	MP_ADDRESS = 0xf0000,
	MP_SIZE_MAX = 4096,
	MP_POINTER_SIZE = 16,
	MP_HEADER_SIZE = 44,

	ENTRY_PROCESSOR = 0,
	ENTRY_BUS = 1,
	ENTRY_IOAPIC = 2,
	ENTRY_INTERRUPT = 3,
	ENTRY_LOCAL_INTERRUPT = 4,

	PROCESSOR_ENABLED = 1,
	PROCESSOR_BOOT = 2,
	BUS_ID_PCI = 0,
	BUS_ID_ISA = 1,
	INTERRUPT_INT = 0,
	INTERRUPT_NMI = 1,
	INTERRUPT_EXTINT = 3,
	FLAGS_CONFORMS = 0,
	FLAGS_LEVEL_HIGH = 0xd, /* active high, level triggered */

	LOCAL_APIC_ADDRESS = 0xfee00000,
	IOAPIC_ADDRESS = 0xfec00000,
	APIC_VERSION = 0x14,
	IOAPIC_VERSION = 0x11,
	ALL_LOCAL_APICS = 0xff,

	ISA_LINES = 16,
	ISA_TIMER_PIN = 2, /* KVM's default routing has GSI 0 there */
	PCI_DEVICES = 32,
	PCI_CONFIG_ADDRESS = 0xcf8,
	PCI_CONFIG_DATA = 0xcfc,
	PCI_INTERRUPT_REGISTER = 0x3c,
};

struct table {
	struct wire wire;
	uint16_t entries;
};

static void put_processor(struct table *table, uint8_t id, uint32_t signature, uint32_t features)
{
	wire_put_u8(&table->wire, ENTRY_PROCESSOR);
	wire_put_u8(&table->wire, id);
	wire_put_u8(&table->wire, APIC_VERSION);
	wire_put_u8(&table->wire, id == 0 ? PROCESSOR_ENABLED | PROCESSOR_BOOT : PROCESSOR_ENABLED);
	wire_put_u32(&table->wire, signature);
	wire_put_u32(&table->wire, features);
	wire_put_u64(&table->wire, 0);
	table->entries++;
}

static void put_bus(struct table *table, uint8_t id, const char name[6])
{
	wire_put_u8(&table->wire, ENTRY_BUS);
	wire_put_u8(&table->wire, id);
	wire_put_bytes(&table->wire, name, 6);
	table->entries++;
}

static void put_interrupt(struct table *table, uint8_t entry, uint8_t type, uint16_t flags,
    uint8_t bus, uint8_t line, uint8_t apic, uint8_t pin)
{
	const uint8_t end[] = { bus, line, apic, pin };

	wire_put_u8(&table->wire, entry);
	wire_put_u8(&table->wire, type);
	wire_put_u16(&table->wire, flags);
	wire_put_bytes(&table->wire, end, sizeof(end));
	table->entries++;
}

/* Interrupt line and pin of a device's function 0; the pin is 0 when it has none or is not there. */
static void read_pci_line(struct bus *bus, unsigned slot, uint8_t *line, uint8_t *pin)
{
	uint64_t value;

	bus_write(bus, BUS_PORTS, PCI_CONFIG_ADDRESS, 4, 0x80000000u | slot << 11);
	bus_read(bus, BUS_PORTS, PCI_CONFIG_DATA, 4, &value);
	if (value == 0xffffffff) {
		*pin = 0;
		return;
	}
	bus_write(bus, BUS_PORTS, PCI_CONFIG_ADDRESS, 4,
	    0x80000000u | slot << 11 | PCI_INTERRUPT_REGISTER);
	bus_read(bus, BUS_PORTS, PCI_CONFIG_DATA, 4, &value);
	*line = (uint8_t)value;
	*pin = (uint8_t)(value >> 8);
}

static void put_interrupts(struct table *table, struct bus *bus, uint8_t ioapic)
{
	uint8_t line, pin;
	bool pci[ISA_LINES] = { false };

	for (unsigned slot = 0; slot < PCI_DEVICES; slot++) {
		read_pci_line(bus, slot, &line, &pin);
		if (pin >= 1 && pin <= 4 && line < ISA_LINES) {
			put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_INT, FLAGS_LEVEL_HIGH,
			    BUS_ID_PCI, (uint8_t)(slot << 2 | (pin - 1u)), ioapic, line);
			pci[line] = true;
		}
	}
	for (uint8_t isa = 0; isa < ISA_LINES; isa++) {
		/* Line 2 is the second PIC's; one that PCI uses is level triggered and named above. */
		if (isa != 2 && !pci[isa]) {
			put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_INT, FLAGS_CONFORMS,
			    BUS_ID_ISA, isa, ioapic, isa == 0 ? ISA_TIMER_PIN : isa);
		}
	}
	put_interrupt(
	    table, ENTRY_LOCAL_INTERRUPT, INTERRUPT_EXTINT, FLAGS_CONFORMS, BUS_ID_ISA, 0, 0, 0);
	put_interrupt(table, ENTRY_LOCAL_INTERRUPT, INTERRUPT_NMI, FLAGS_CONFORMS, BUS_ID_ISA, 0,
	    ALL_LOCAL_APICS, 1);
}

/* The byte at `offset` makes the sum of `size` bytes 0. */
static void set_sum(uint8_t *bytes, size_t size, size_t offset)
{
	uint8_t sum = 0;

	bytes[offset] = 0;
	for (size_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	bytes[offset] = (uint8_t)-sum;
}

static void put_pointer(struct wire *wire)
{
	wire_put_bytes(wire, "_MP_", 4);
	wire_put_u32(wire, MP_ADDRESS + MP_POINTER_SIZE);
	wire_put_u8(wire, MP_POINTER_SIZE / 16);
	wire_put_u8(wire, 4);  /* specification 1.4 */
	wire_put_u8(wire, 0);  /* sum */
	wire_put_u8(wire, 0);  /* a configuration table follows */
	wire_put_u32(wire, 0); /* no IMCR */
}

static void put_header(struct wire *wire, uint16_t length, uint16_t entries)
{
	wire_put_bytes(wire, "PCMP", 4);
	wire_put_u16(wire, length);
	wire_put_u8(wire, 4);
	wire_put_u8(wire, 0); /* sum */
	wire_put_bytes(wire, "TANMATSU", 8);
	wire_put_bytes(wire, "MACHINE 1   ", 12);
	wire_put_u32(wire, 0); /* no OEM table */
	wire_put_u16(wire, 0);
	wire_put_u16(wire, entries);
	wire_put_u32(wire, LOCAL_APIC_ADDRESS);
	wire_put_u32(wire, 0); /* no extension */
}

int mptable_write(
    struct guestmem *memory, struct bus *bus, uint32_t vcpus, uint32_t signature, uint32_t features)
{
	uint8_t bytes[MP_SIZE_MAX] = { 0 };
	struct table table = { .entries = 0 };
	uint8_t ioapic = (uint8_t)vcpus;
	size_t size;

	wire_init_write(&table.wire, bytes, sizeof(bytes));
	table.wire.position = MP_POINTER_SIZE + MP_HEADER_SIZE;
	for (uint32_t i = 0; i < vcpus; i++) {
		put_processor(&table, (uint8_t)i, signature, features);
	}
	put_bus(&table, BUS_ID_PCI, "PCI   ");
	put_bus(&table, BUS_ID_ISA, "ISA   ");
	wire_put_u8(&table.wire, ENTRY_IOAPIC);
	wire_put_u8(&table.wire, ioapic);
	wire_put_u8(&table.wire, IOAPIC_VERSION);
	wire_put_u8(&table.wire, 1); /* usable */
	wire_put_u32(&table.wire, IOAPIC_ADDRESS);
	table.entries++;
	put_interrupts(&table, bus, ioapic);
	size = table.wire.position;
	table.wire.position = 0;
	put_pointer(&table.wire);
	put_header(&table.wire, (uint16_t)(size - MP_POINTER_SIZE), table.entries);
	if (!wire_ok(&table.wire)) {
		return -E2BIG;
	}
	set_sum(bytes, MP_POINTER_SIZE, 10);
	set_sum(bytes + MP_POINTER_SIZE, size - MP_POINTER_SIZE, 7);
	return guestmem_write(memory, MP_ADDRESS, bytes, size);
}
