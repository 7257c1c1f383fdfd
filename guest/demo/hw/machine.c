/* Starting the hardware, and waiting for it; see machine.h. The platform table is in machine_ops.c.
 */
#include "hw/machine.h"

#include "boot/gate.h"
#include "hw/machine_ops.h"
#include "hw/rtc.h"
#include "lib/text.h"

#define MIB (1024u * 1024u)

static void add_device(
    struct machine *machine, const char *name, const struct pci_device *pci, const char *detail)
{
	struct platform_info *info = &machine->info;
	struct platform_device *device = &info->devices[info->device_count];

	if (info->device_count == PLATFORM_MAX_DEVICES) {
		return;
	}
	info->device_count++;
	text_copy(device->name, sizeof(device->name), name);
	if (pci) {
		text_format(device->detail, sizeof(device->detail), "00:%02x.0  %04x:%04x",
		    pci->slot, pci->vendor, pci->device);
	} else {
		text_copy(device->detail, sizeof(device->detail), detail);
	}
}

/* Interrupt lines that are not for us stay masked: a level line that nobody quiets would never end.
 */
static void route_line(const struct pci_device *pci)
{
	if (pci->interrupt_line > 0 && pci->interrupt_line < 16) {
		apic_route(pci->interrupt_line, true);
	}
}

static void take_pci(struct machine *machine, const struct pci_device *pci)
{
	static const struct {
		uint16_t vendor;
		uint16_t device;
		const char *name;
	} names[] = {
		{ 0x8086, 0x1237, "Host bridge" },
		{ 0x1af4, 0x1044, "virtio-rng" },
		{ 0x1af4, 0x1042, "virtio-blk" },
		{ 0x1af4, 0x1041, "virtio-net" },
	};
	struct virtio_input *input = &machine->inputs[machine->input_count];

	if (display_probe(&machine->display, pci)) {
		add_device(machine, "Display", pci, "");
		route_line(pci);
		return;
	}
	if (machine->input_count < MACHINE_INPUTS &&
	    virtio_input_probe(input, pci, (uint8_t)(VECTOR_MSI + machine->input_count))) {
		add_device(machine, input->tablet ? "virtio-input tablet" : "virtio-input keyboard",
		    pci, "");
		if (!input->msix) {
			route_line(pci);
		}
		machine->input_count++;
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].vendor == pci->vendor && names[i].device == pci->device) {
			add_device(machine, names[i].name, pci, "");
			return;
		}
	}
	add_device(machine, "Unknown device", pci, "");
}

static void init_memory(struct machine *machine)
{
	size_t size = machine->boot.free_size;

	machine->info.memory_bytes = machine->boot.memory_bytes;
	/* Three quarters for the desktop, enough for two screens of any size; the rest is for the
	 * memory pattern. */
	size = size / 4 * 3 < 160 * (size_t)MIB ? size / 4 * 3 : 160 * (size_t)MIB;
	size &= ~(size_t)(MIB - 1);
	machine->info.spare_memory = (void *)(machine->boot.free_start + size);
	machine->info.spare_size = machine->boot.free_size - size;
}

void machine_init(struct machine *machine)
{
	struct pci_device pci;

	bootinfo_read(&machine->boot, boot_params_address);
	uart_init(&machine->uart);
	machine_ops_init(machine);
	clock_init(&machine->clock);
	machine->info.system = machine->clock.kvm ? "x86-64 on KVM" : "x86-64";
	init_memory(machine);
	apic_init(&machine->apic, &machine->clock);
	fwcfg_init(&machine->fwcfg);
	for (uint8_t slot = 0; slot < 32; slot++) {
		if (pci_probe(&pci, slot)) {
			take_pci(machine, &pci);
		}
	}
	i8042_init(&machine->i8042);
	if (machine->i8042.present) {
		add_device(machine, "PS/2 keyboard", NULL, "IRQ 1");
		add_device(machine,
		    machine->i8042.packet_size == 4 ? "PS/2 wheel mouse" : "PS/2 mouse", NULL,
		    "IRQ 12");
		apic_route(1, false);
		apic_route(12, false);
	}
	add_device(machine, "Real-time clock", NULL, "port 0x70");
	add_device(machine, "Serial port", NULL, "port 0x3f8");
	machine->wall = rtc_read();
	machine->wall_read_ns = clock_now_ns(&machine->clock);
	display_enable_events(&machine->display);
	machine->info.boot_us = clock_since_ns(&machine->clock, boot_tsc) / 1000 +
				clock_now_ns(&machine->clock) / 1000;
}

bool machine_next_event(struct machine *machine, struct platform_event *event)
{
	return events_pop(&machine->events, event);
}

/*
 * Handles what the interrupts have noted. Drivers first, so that level lines are quiet; then as
 * many ends of interrupt as there were interrupts, which is exact because each vector can be in
 * service once.
 */
static void handle_interrupts(struct machine *machine)
{
	int count = 0;

	pending_any = 0;
	for (int vector = VECTOR_ISA; vector < VECTOR_SPURIOUS; vector++) {
		if (pending[vector]) {
			pending[vector] = 0;
			count++;
		}
	}
	if (count == 0) {
		return;
	}
	for (unsigned int i = 0; i < machine->input_count; i++) {
		virtio_input_poll(&machine->inputs[i], &machine->events);
	}
	i8042_poll(&machine->i8042, &machine->events);
	display_poll(&machine->display, &machine->events);
	while (count-- > 0) {
		apic_end_interrupt();
	}
}

void machine_wait(struct machine *machine, uint64_t deadline_ms)
{
	uint64_t now = clock_now_ns(&machine->clock);

	if (machine->events.head != machine->events.tail || deadline_ms * 1000000 <= now) {
		return;
	}
	apic_set_timer(&machine->apic,
	    deadline_ms == PLATFORM_NO_DEADLINE ? UINT64_MAX : deadline_ms - now / 1000000);
	gate_halt();
	machine->idle_ns += clock_now_ns(&machine->clock) - now;
	handle_interrupts(machine);
}

void machine_flush(struct machine *machine)
{
	uart_flush(&machine->uart);
}
