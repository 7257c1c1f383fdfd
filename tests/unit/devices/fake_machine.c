/* The fake machine. What must stay true: nothing in it depends on the time or the host. */
#include "fake_machine.h"

#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	START_MONOTONIC_US = 1000000000,
	SAVE_LIMIT = 1 << 20,
};

#define START_REALTIME_US 1709210096000000ull /* 2024-02-29 12:34:56 UTC, a Thursday */

static struct fake_machine *current;

static void check(int error, const char *what)
{
	if (error < 0) {
		fprintf(stderr, "fake machine: %s: %s\n", what, strerror(-error));
		abort();
	}
}

static void set_line(void *context, unsigned gsi, bool level)
{
	struct fake_machine *machine = context;

	if (gsi >= FAKE_GSIS) {
		abort();
	}
	machine->edges[gsi] += level && !machine->level[gsi];
	machine->level[gsi] = level;
}

static void send_msi(void *context, uint64_t address, uint32_t data)
{
	struct fake_machine *machine = context;

	if (machine->message_count < FAKE_MESSAGES) {
		machine->messages[machine->message_count].address = address;
		machine->messages[machine->message_count].data = data;
	}
	machine->message_count++;
}

static struct device_timer *timer_create_fake(
    struct device_environment *environment, void (*function)(void *context), void *context)
{
	struct fake_machine *machine = environment->machine;

	for (size_t i = 0; i < FAKE_TIMERS; i++) {
		if (!machine->timers[i].used) {
			machine->timers[i] = (struct device_timer){ true, function, context,
				UINT64_MAX };
			return &machine->timers[i];
		}
	}
	return NULL;
}

static void timer_set_fake(struct device_timer *timer, uint64_t when_us)
{
	timer->when_us = when_us;
}

static void timer_destroy_fake(struct device_timer *timer)
{
	timer->used = false;
}

static uint64_t now(void)
{
	return current->now_us;
}

static uint64_t realtime(void)
{
	return current->realtime_us;
}

static void request_power_off(struct device_environment *environment)
{
	((struct fake_machine *)environment->machine)->power_offs++;
}

static void request_reset(struct device_environment *environment)
{
	((struct fake_machine *)environment->machine)->resets++;
}

static void on_mode(void *context, const struct scanout *scanout)
{
	struct fake_machine *machine = context;

	machine->modes++;
	machine->mode = *scanout;
}

static void transmit(void *context, uint8_t byte)
{
	struct fake_machine *machine = context;

	if (machine->output_count < FAKE_OUTPUT) {
		machine->output[machine->output_count++] = byte;
	}
}

static size_t get_resumes(void *context, void *bytes, size_t size)
{
	const struct fake_machine *machine = context;

	return (size_t)snprintf(bytes, size, "%llu", (unsigned long long)machine->resumes);
}

static void add(struct fake_machine *machine, struct device *device)
{
	machine->devices[machine->device_count++] = device;
}

static void create_devices(struct fake_machine *machine)
{
	struct device_environment *environment = &machine->environment;

	check(pci_host_create(environment, &machine->pci), "pci");
	add(machine, pci_host_device(machine->pci));
	check(bochs_display_create(environment, machine->pci, SLOT_DISPLAY, machine->framebuffer,
		  on_mode, machine, &machine->display),
	    "display");
	add(machine, bochs_display_device(machine->display));
	check(virtio_input_create(environment, machine->pci, SLOT_KEYBOARD, VIRTIO_INPUT_KEYBOARD,
		  &machine->keyboard),
	    "keyboard");
	add(machine, virtio_input_device(machine->keyboard));
	check(virtio_input_create(
		  environment, machine->pci, SLOT_TABLET, VIRTIO_INPUT_TABLET, &machine->tablet),
	    "tablet");
	add(machine, virtio_input_device(machine->tablet));
	check(virtio_rng_create(environment, machine->pci, SLOT_RNG, &machine->rng), "rng");
	add(machine, virtio_rng_device(machine->rng));
	check(i8042_create(environment, &machine->i8042), "i8042");
	add(machine, i8042_device(machine->i8042));
	check(uart16550_create(environment, 0x3f8, 4, transmit, machine, &machine->uart), "uart");
	add(machine, uart16550_device(machine->uart));
	check(rtc_create(environment, &machine->rtc), "rtc");
	add(machine, rtc_device(machine->rtc));
	check(fw_cfg_create(environment, &machine->fw_cfg), "fw_cfg");
	add(machine, fw_cfg_device(machine->fw_cfg));
	check(fw_cfg_add(machine->fw_cfg, "opt/tanmatsu/resumes", get_resumes, machine),
	    "fw_cfg file");
	check(pm_create(environment, &machine->pm), "pm");
	add(machine, pm_device(machine->pm));
	check(input_router_create(
		  machine->i8042, machine->keyboard, machine->tablet, &machine->router),
	    "router");
}

struct fake_machine *fake_machine_create(void)
{
	static const struct irq_ops irq_ops = { .set_line = set_line, .send_msi = send_msi };
	struct fake_machine *machine = calloc(1, sizeof(*machine));

	check(machine ? 0 : -1, "memory");
	current = machine;
	machine->now_us = START_MONOTONIC_US;
	machine->realtime_us = START_REALTIME_US;
	machine->irq = (struct irq){ .ops = &irq_ops, .context = machine };
	check(guestmem_create(&machine->memory, FAKE_MEMORY), "guest memory");
	check(bus_create(&machine->bus), "bus");
	check(framebuffer_create(-1, 0, &machine->framebuffer), "framebuffer");
	machine->environment = (struct device_environment){
		.memory = &machine->memory,
		.bus = machine->bus,
		.irq = &machine->irq,
		.timer_create = timer_create_fake,
		.timer_set = timer_set_fake,
		.timer_destroy = timer_destroy_fake,
		.now_us = now,
		.realtime_us = realtime,
		.request_power_off = request_power_off,
		.request_reset = request_reset,
		.machine = machine,
	};
	create_devices(machine);
	pci_host_assign(machine->pci);
	return machine;
}

void fake_machine_destroy(struct fake_machine *machine)
{
	if (!machine) {
		return;
	}
	input_router_destroy(machine->router);
	while (machine->device_count > 0) {
		struct device *device = machine->devices[--machine->device_count];

		device->ops->destroy(device);
	}
	framebuffer_destroy(machine->framebuffer);
	bus_destroy(machine->bus);
	guestmem_fini(&machine->memory);
	free(machine);
}

void fake_machine_reset(struct fake_machine *machine)
{
	for (size_t i = 0; i < machine->device_count; i++) {
		machine->devices[i]->ops->reset(machine->devices[i]);
	}
	pci_host_assign(machine->pci);
}

void fake_advance(struct fake_machine *machine, uint64_t us)
{
	uint64_t end = machine->now_us + us;

	for (;;) {
		struct device_timer *next = NULL;
		uint64_t step;

		for (size_t i = 0; i < FAKE_TIMERS; i++) {
			struct device_timer *timer = &machine->timers[i];

			if (timer->used && timer->when_us <= end &&
			    (!next || timer->when_us < next->when_us)) {
				next = timer;
			}
		}
		if (!next) {
			break;
		}
		step = next->when_us > machine->now_us ? next->when_us - machine->now_us : 0;
		machine->now_us += step;
		machine->realtime_us += step;
		next->when_us = UINT64_MAX;
		next->function(next->context);
	}
	machine->realtime_us += end - machine->now_us;
	machine->now_us = end;
}

uint64_t fake_in(struct fake_machine *machine, uint16_t port, unsigned size)
{
	uint64_t value;

	(void)bus_read(machine->bus, BUS_PORTS, port, size, &value);
	return value;
}

void fake_out(struct fake_machine *machine, uint16_t port, unsigned size, uint64_t value)
{
	(void)bus_write(machine->bus, BUS_PORTS, port, size, value);
}

uint64_t fake_load(struct fake_machine *machine, uint64_t address, unsigned size)
{
	uint64_t value;

	(void)bus_read(machine->bus, BUS_MEMORY, address, size, &value);
	return value;
}

void fake_store(struct fake_machine *machine, uint64_t address, unsigned size, uint64_t value)
{
	(void)bus_write(machine->bus, BUS_MEMORY, address, size, value);
}

static void select_config(struct fake_machine *machine, unsigned slot, unsigned offset)
{
	fake_out(machine, 0xcf8, 4, 0x80000000u | slot << 11 | (offset & 0xfc));
}

uint32_t fake_config_read(
    struct fake_machine *machine, unsigned slot, unsigned offset, unsigned size)
{
	select_config(machine, slot, offset);
	return (uint32_t)fake_in(machine, (uint16_t)(0xcfc + (offset & 3)), size);
}

void fake_config_write(
    struct fake_machine *machine, unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
	select_config(machine, slot, offset);
	fake_out(machine, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

uint64_t fake_bar(struct fake_machine *machine, unsigned slot, unsigned bar)
{
	return fake_config_read(machine, slot, PCI_BASE_ADDRESS_0 + 4 * bar, 4) &
	       (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
}

void fake_save(const struct device *device, uint8_t **bytes, size_t *size)
{
	struct wire out;

	wire_init_growing(&out, SAVE_LIMIT);
	check(device->ops->save(device, &out), device->ops->name);
	check(wire_ok(&out) ? 0 : -1, "save");
	*size = out.position;
	*bytes = malloc(*size ? *size : 1);
	check(*bytes ? 0 : -1, "memory");
	memcpy(*bytes, out.data, *size);
	wire_fini(&out);
}
