/*
 * A guest that does anything at all: accesses of every width to every port and register, its own memory, drivers that
 * are started and then misbehave, while a person types and time passes. All devices together, as in docs/MACHINE.md.
 * Asserts what the rest of the VMM relies on: the scanout lies in the framebuffer, whatever is saved can be loaded.
 */
#include <assert.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_driver.h"
#include "fuzz_input.h"

enum {
	STEPS_MAX = 1500,
	SPACE = 0x100000,
	SPACE_SIZE = 0x10000,
	BUFFERS = 0x200000,
	MODES_MAX = 4, /* clearing a large mode takes long */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct guest {
	struct fake_machine *machine;
	struct fuzz_input input;
	struct fake_driver drivers[SLOT_RNG + 1];
	bool started[SLOT_RNG + 1];
};

static unsigned width(struct guest *guest)
{
	return 1u << fuzz_take(&guest->input, 1) % 4;
}

static void port(struct guest *guest, bool write)
{
	static const uint16_t interesting[] = { 0x60, 0x64, 0x70, 0x71, 0x1ce, 0x1cf, 0x3f8, 0x3f9,
		0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x510, 0x511, 0x600, 0x602, 0x604, 0xcf8,
		0xcf9, 0xcfc, 0xcfd, 0xcfe, 0xcff, 0x1cd };
	uint8_t selector = (uint8_t)fuzz_take(&guest->input, 1);
	uint16_t number = selector < sizeof(interesting) / sizeof(interesting[0])
			      ? interesting[selector]
			      : (uint16_t)fuzz_take(&guest->input, 2);
	unsigned bytes = width(guest);

	if (write) {
		fake_out(guest->machine, number, bytes, fuzz_take(&guest->input, bytes));
	} else {
		(void)fake_in(guest->machine, number, bytes);
	}
}

static void config(struct guest *guest)
{
	unsigned slot = (unsigned)(fuzz_take(&guest->input, 1) % 6),
		 offset = (unsigned)fuzz_take(&guest->input, 1);
	unsigned bytes = 1u << fuzz_take(&guest->input, 1) % 3;

	if (fuzz_take(&guest->input, 1) & 1) {
		fake_config_write(
		    guest->machine, slot, offset, bytes, (uint32_t)fuzz_take(&guest->input, bytes));
	} else {
		(void)fake_config_read(guest->machine, slot, offset, bytes);
	}
}

static void registers(struct guest *guest)
{
	static const unsigned bars[] = { 2, 4 };
	unsigned slot = SLOT_DISPLAY + (unsigned)(fuzz_take(&guest->input, 1) % 4);
	unsigned bar = bars[fuzz_take(&guest->input, 1) % 2];
	uint64_t address = fake_bar(guest->machine, slot, bar) +
			   fuzz_take(&guest->input, 2) % 0x4000;
	unsigned bytes = width(guest);

	if (fuzz_take(&guest->input, 1) & 1) {
		fake_store(guest->machine, address, bytes, fuzz_take(&guest->input, bytes));
	} else {
		(void)fake_load(guest->machine, address, bytes);
	}
}

static void person(struct guest *guest)
{
	struct input_event event = {
		.type = (uint8_t)(fuzz_take(&guest->input, 1) % 8),
		.code = (uint16_t)fuzz_take(&guest->input, 2),
		.value = (int32_t)fuzz_take(&guest->input, 1) - 128,
		.x = (uint16_t)fuzz_take(&guest->input, 2),
		.y = (uint16_t)fuzz_take(&guest->input, 2),
	};

	if (event.type == INPUT_BUTTON) {
		event.code = (uint16_t)(BTN_LEFT + event.code % 8);
	}
	input_router_event(guest->machine->router, &event, 1280, 800);
}

static void driver(struct guest *guest)
{
	unsigned slot = SLOT_KEYBOARD + (unsigned)(fuzz_take(&guest->input, 1) % 3);
	unsigned options = (unsigned)fuzz_take(&guest->input, 1);
	struct fake_driver *started = &guest->drivers[slot];

	if (!fake_driver_probe(guest->machine, slot, SPACE + slot * SPACE_SIZE, started)) {
		return;
	}
	guest->started[slot] = fake_driver_start(started,
				   1ull << VIRTIO_F_VERSION_1 | (options & 2 ? 1ull << 28 : 0) |
				       (options & 4 ? 1ull << 29 : 0),
				   slot == SLOT_RNG ? 1 : 2, false) &
			       VIRTIO_CONFIG_S_DRIVER_OK;
}

static void give(struct guest *guest)
{
	unsigned slot = SLOT_KEYBOARD + (unsigned)(fuzz_take(&guest->input, 1) % 3);
	unsigned queue = (unsigned)fuzz_take(&guest->input, 1) % 2;
	uint16_t index = (uint16_t)(fuzz_take(&guest->input, 1) % 64);
	uint64_t address = BUFFERS + fuzz_take(&guest->input, 2);
	uint32_t length = (uint32_t)fuzz_take(&guest->input, 1);
	unsigned flags = (unsigned)fuzz_take(&guest->input, 1);
	uint32_t id, written;

	if (!guest->started[slot] || guest->drivers[slot].queues[queue].size == 0) {
		return;
	}
	fake_descriptor(guest->machine, guest->drivers[slot].queues[queue].descriptors, index,
	    address, length, (uint16_t)(flags & 7), (uint16_t)(flags >> 3));
	fake_give(&guest->drivers[slot], queue, index);
	fake_notify(&guest->drivers[slot], queue);
	(void)fake_collect(&guest->drivers[slot], queue, &id, &written);
}

static void scribble(struct guest *guest)
{
	uint64_t address = SPACE + fuzz_take(&guest->input, 3) % (5 * SPACE_SIZE);
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)fuzz_take(&guest->input, 1);
	}
	assert(guestmem_write(&guest->machine->memory, address, bytes, sizeof(bytes)) == 0);
}

/* Saves a device and loads it again into itself. */
static void suspend(struct guest *guest)
{
	for (size_t i = 0; i < guest->machine->device_count; i++) {
		struct device *device = guest->machine->devices[i];
		struct wire in;
		uint8_t *bytes;
		size_t size;

		fake_save(device, &bytes, &size);
		wire_init_read(&in, bytes, size);
		if (device->ops->load(device, device->ops->version, &in) != 0 || !wire_done(&in)) {
			fprintf(stderr, "%s does not load what it saved\n", device->ops->name);
			abort();
		}
		free(bytes);
	}
}

static void host(struct guest *guest)
{
	struct fake_machine *machine = guest->machine;

	switch (fuzz_take(&guest->input, 1) % 8) {
	case 0:
		bochs_display_set_preferred(machine->display, (uint32_t)fuzz_take(&guest->input, 2),
		    (uint32_t)fuzz_take(&guest->input, 2));
		break;
	case 1:
		bochs_display_notify_resumed(machine->display);
		break;
	case 2:
		pm_press_power_button(machine->pm);
		break;
	case 3:
		(void)uart16550_receive(machine->uart, "hello", 5);
		break;
	case 4:
		fake_machine_reset(machine);
		memset(guest->started, 0, sizeof(guest->started));
		break;
	case 5:
		suspend(guest);
		break;
	case 6:
		input_router_resumed(machine->router);
		break;
	default:
		pci_host_assign(machine->pci);
		break;
	}
}

static void check(const struct fake_machine *machine)
{
	struct scanout scanout;

	if (bochs_display_scanout(machine->display, &scanout)) {
		uint64_t end = scanout.offset + (uint64_t)scanout.stride * (scanout.height - 1) +
			       4ull * scanout.width;

		assert(scanout.id != 0 && scanout.width > 0 && scanout.height > 0);
		assert(scanout.stride >= 4 * scanout.width && end <= FRAMEBUFFER_SIZE);
	}
}

static void step(struct guest *guest)
{
	switch (fuzz_take(&guest->input, 1) % 10) {
	case 0:
		port(guest, false);
		break;
	case 1:
	case 2:
		port(guest, true);
		break;
	case 3:
		config(guest);
		break;
	case 4:
		registers(guest);
		break;
	case 5:
		person(guest);
		break;
	case 6:
		driver(guest);
		break;
	case 7:
		give(guest);
		break;
	case 8:
		scribble(guest);
		break;
	default:
		if (fuzz_take(&guest->input, 1) & 1) {
			fake_advance(guest->machine, fuzz_take(&guest->input, 3));
		} else {
			host(guest);
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest guest = { .machine = fake_machine_create(), .input = { data, size } };

	for (unsigned i = 0;
	     i < STEPS_MAX && !fuzz_done(&guest.input) && guest.machine->modes < MODES_MAX; i++) {
		step(&guest);
		check(guest.machine);
	}
	suspend(&guest);
	fake_machine_destroy(guest.machine);
	return 0;
}
