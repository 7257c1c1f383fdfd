/*
 * The devices' sections of a snapshot whose checksums are right: an input is a list of u8 device, u16 length and that
 * many bytes. What a device takes it must be able to save and to take again, and to be reset and used afterwards.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "vmm/machine_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SECTION_MAX = 1 << 20,
};

static struct device_timer *no_timer(
    struct device_environment *environment, void (*function)(void *context), void *context)
{
	(void)environment;
	(void)function;
	(void)context;
	return calloc(1, 1);
}

static void no_timer_set(struct device_timer *timer, uint64_t when_us)
{
	(void)timer;
	(void)when_us;
}

static void no_timer_destroy(struct device_timer *timer)
{
	free(timer);
}

static void no_request(struct device_environment *environment)
{
	(void)environment;
}

static void no_line(void *context, unsigned gsi, bool level)
{
	(void)context;
	(void)gsi;
	(void)level;
}

static void no_msi(void *context, uint64_t address, uint32_t data)
{
	(void)context;
	(void)address;
	(void)data;
}

static void no_mode(void *context, const struct scanout *scanout)
{
	(void)context;
	(void)scanout;
}

static void no_leds(void *context, uint8_t leds)
{
	(void)context;
	(void)leds;
}

static const struct irq_ops no_irq = { no_line, no_msi };
static const struct machine_ops no_machine = { .on_mode = no_mode, .on_leds = no_leds };

static void make(struct machine *machine)
{
	int error;

	machine->surroundings.ops = &no_machine;
	machine->config.width = 1024;
	machine->config.height = 768;
	machine->irq = (struct irq){ .ops = &no_irq };
	error = guestmem_create(&machine->memory, 4 << 20);
	error = error ? error : bus_create(&machine->bus);
	error = error ? error : framebuffer_create(-1, 0, &machine->surroundings.framebuffer);
	error = error ? error : pthread_mutex_init(&machine->lock, NULL);
	error = error ? error : sd_event_new(&machine->surroundings.event);
	error = error
		    ? error
		    : timers_create(machine->surroundings.event, &machine->lock, &machine->timers);
	if (error) {
		abort();
	}
	machine->environment = (struct device_environment){
		.memory = &machine->memory,
		.bus = machine->bus,
		.irq = &machine->irq,
		.timer_create = no_timer,
		.timer_set = no_timer_set,
		.timer_destroy = no_timer_destroy,
		.now_us = clock_monotonic_us,
		.realtime_us = clock_realtime_us,
		.request_power_off = no_request,
		.request_reset = no_request,
		.machine = machine,
	};
	if (machine_create_devices(machine)) {
		abort();
	}
}

static void destroy(struct machine *machine)
{
	machine_destroy_devices(machine);
	timers_destroy(machine->timers);
	sd_event_unref(machine->surroundings.event);
	pthread_mutex_destroy(&machine->lock);
	framebuffer_destroy(machine->surroundings.framebuffer);
	bus_destroy(machine->bus);
	guestmem_fini(&machine->memory);
	free(machine);
}

/* What was taken is saved, and that is taken by a fresh device. */
static void check_taken(struct machine *machine, size_t index)
{
	struct machine *other = calloc(1, sizeof(*other));
	struct device *device = machine->devices[index];
	struct scanout scanout;
	struct wire out, in;
	int error;

	if (!other) {
		return;
	}
	make(other);
	wire_init_growing(&out, SECTION_MAX);
	error = device->ops->save(device, &out);
	assert(!error && wire_ok(&out));
	wire_init_read(&in, out.data, out.position);
	error = other->devices[index]->ops->load(other->devices[index], device->ops->version, &in);
	assert(!error && wire_done(&in));
	if (bochs_display_scanout(machine->display, &scanout)) {
		assert(
		    scanout.offset + (uint64_t)scanout.stride * scanout.height <= FRAMEBUFFER_SIZE);
	}
	wire_fini(&out);
	destroy(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	const struct input_event key = { .type = INPUT_KEY, .code = 30, .value = 1 };
	struct wire in;
	uint64_t value;

	if (!machine) {
		return 0;
	}
	make(machine);
	wire_init_read(&in, data, size);
	for (unsigned sections = 0; sections < 16 && wire_remaining(&in) >= 3; sections++) {
		size_t index = wire_get_u8(&in) % machine->device_count;
		size_t length = wire_get_u16(&in);
		struct device *device = machine->devices[index];
		struct wire body;

		length = length < wire_remaining(&in) ? length : wire_remaining(&in);
		wire_init_read(&body, wire_get_view(&in, length), length);
		/* A device that refuses is thrown away with its machine. */
		if (device->ops->load(device, device->ops->version, &body) || !wire_done(&body)) {
			break;
		}
		check_taken(machine, index);
	}
	input_router_event(machine->router, &key, 1024, 768);
	for (unsigned port = 0x60; port <= 0x71; port++) {
		bus_read(machine->bus, BUS_PORTS, port, 1, &value);
		bus_write(machine->bus, BUS_PORTS, port, 1, 0);
	}
	for (uint64_t address = PCI_WINDOW_BASE; address < PCI_WINDOW_BASE + (64 << 20);
	     address += 0x4000) {
		bus_read(machine->bus, BUS_MEMORY, address, 4, &value);
		bus_write(machine->bus, BUS_MEMORY, address, 4, 1);
	}
	machine_reset_devices(machine);
	destroy(machine);
	return 0;
}
