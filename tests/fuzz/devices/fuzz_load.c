/*
 * A snapshot that an attacker wrote: the first byte names a device, the rest is its section. What is refused is refused;
 * what is taken can be used, saves a state that loads, and saves the same again.
 */
#include <assert.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

#include "fake_driver.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool load(struct device *device, const uint8_t *bytes, size_t size)
{
	struct wire in;

	wire_init_read(&in, bytes, size);
	return device->ops->load(device, device->ops->version, &in) == 0 && wire_done(&in);
}

static void use(struct fake_machine *machine)
{
	static const uint16_t ports[] = { 0x60, 0x64, 0x71, 0x1cf, 0x3f8, 0x3fa, 0x3fd, 0x3fe,
		0x511, 0x600, 0xcfc };
	struct scanout scanout;

	if (bochs_display_scanout(machine->display, &scanout)) {
		uint64_t end = scanout.offset + (uint64_t)scanout.stride * (scanout.height - 1) +
			       4ull * scanout.width;

		assert(scanout.id != 0 && end <= FRAMEBUFFER_SIZE);
	}
	for (unsigned i = 0; i < 64; i++) {
		struct input_event key = {
			.type = INPUT_KEY, .code = (uint16_t)(KEY_A + i % 20), .value = i % 2
		};
		struct input_event pointer = {
			.type = INPUT_POINTER, .x = (uint16_t)(i * 997), .y = (uint16_t)(i * 31)
		};
		uint16_t port = ports[i % (sizeof(ports) / sizeof(ports[0]))];

		input_router_event(machine->router, &key, 1280, 800);
		input_router_event(machine->router, &pointer, 1280, 800);
		(void)fake_in(machine, port, port == 0x1cf ? 2 : port == 0xcfc ? 4 : 1);
		fake_out(machine, port, 1, i);
	}
	for (unsigned slot = SLOT_KEYBOARD; slot <= SLOT_RNG; slot++) {
		uint64_t notify = fake_bar(machine, slot, 4) + 0x3000;

		fake_store(machine, notify, 2, 0);
		fake_store(machine, notify + 4, 2, 1);
	}
	fake_advance(machine, 3000000);
	input_router_resumed(machine->router);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_machine *machine, *other;
	uint8_t *first, *second;
	size_t first_size, second_size, index;

	if (size == 0) {
		return 0;
	}
	machine = fake_machine_create();
	index = data[0] % machine->device_count;
	if (!load(machine->devices[index], data + 1, size - 1)) {
		fake_machine_destroy(machine);
		return 0;
	}
	fake_save(machine->devices[index], &first, &first_size);
	use(machine);
	fake_machine_destroy(machine);

	other = fake_machine_create();
	assert(load(other->devices[index], first, first_size));
	fake_save(other->devices[index], &second, &second_size);
	assert(first_size == second_size && memcmp(first, second, first_size) == 0);
	fake_machine_destroy(other);
	free(first);
	free(second);
	return 0;
}
