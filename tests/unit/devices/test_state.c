/*
 * Snapshots of every device: what is loaded saves the same again, from random states; and every byte of a saved state,
 * changed in every bit, is refused or leads to a device that works within its bounds.
 */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_driver.h"

enum {
	DEVICES = 10,
	STATES = 60,
	STEPS = 400,
	SPACE = 0x100000,
	BUFFERS = 0x200000,
};

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)

/* xorshift: the same states on every machine. */
static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void poke_ports(struct fake_machine *machine, uint32_t *seed)
{
	static const uint16_t ports[] = { 0x60, 0x60, 0x64, 0x70, 0x71, 0x71, 0x1ce, 0x1cf, 0x3f8,
		0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3ff, 0x510, 0x511, 0x600, 0x602, 0x604, 0xcf8, 0xcf9,
		0xcfc };
	uint16_t port = ports[next(seed) % (sizeof(ports) / sizeof(ports[0]))];
	unsigned size = port == 0xcf8 || port == 0xcfc                    ? 4
			: port == 0x1ce || port == 0x1cf || port == 0x510 ? 2
									  : 1;

	if (next(seed) % 3 == 0) {
		(void)fake_in(machine, port, size);
	} else {
		fake_out(machine, port, size, next(seed));
	}
}

static void poke_display(struct fake_machine *machine, uint32_t *seed)
{
	uint64_t page = fake_bar(machine, SLOT_DISPLAY, 2);

	fake_store(machine, page + 0x500 + next(seed) % 11 * 2, 2, next(seed) % 2000);
	if (next(seed) % 8 == 0) {
		(void)!bochs_display_set_mode(
		    machine->display, next(seed) % 2000, next(seed) % 2000);
	}
	fake_store(machine, page + 0x708, 4, next(seed));
	bochs_display_notify_resumed(machine->display);
}

static void poke_input(struct fake_machine *machine, uint32_t *seed)
{
	struct input_event event = {
		.type = (uint8_t)(1 + next(seed) % 4),
		.code = (uint16_t)(next(seed) % 120),
		.value = (int32_t)(next(seed) % 2),
		.x = (uint16_t)next(seed),
		.y = (uint16_t)next(seed),
	};

	if (event.type == INPUT_BUTTON) {
		event.code = (uint16_t)(BTN_LEFT + event.code % 5);
	} else if (event.type == INPUT_WHEEL) {
		event.code = event.code % 2 ? REL_WHEEL : REL_HWHEEL;
	}
	input_router_event(machine->router, &event, 1280, 800);
	(void)uart16550_receive(machine->uart, "abc", next(seed) % 4);
}

static void start_drivers(struct fake_machine *machine, uint32_t seed)
{
	for (unsigned slot = SLOT_KEYBOARD; slot <= SLOT_RNG; slot++) {
		struct fake_driver driver;
		unsigned queues = slot == SLOT_RNG ? 1 : 2;

		if (!(seed >> slot & 1)) {
			continue;
		}
		assert_true(fake_driver_probe(machine, slot, SPACE + slot * 0x10000, &driver));
		(void)fake_driver_start(
		    &driver, VERSION_1 | (seed & 8 ? 1ull << 29 : 0), queues, seed & 1);
		for (uint16_t i = 0; i < seed % 13; i++) {
			fake_give_buffer(&driver, 0, i, BUFFERS + 8u * i, 8, true);
		}
		fake_notify(&driver, 0);
	}
}

/* A machine that a guest and a person have used at random; the same for the same seed. */
static struct fake_machine *make_machine(uint32_t seed)
{
	struct fake_machine *machine = fake_machine_create();
	uint32_t steps = seed % STEPS;

	seed = seed * 2654435761u + 1;
	start_drivers(machine, seed);
	for (uint32_t i = 0; i < steps; i++) {
		switch (next(&seed) % 4) {
		case 0:
			poke_display(machine, &seed);
			break;
		case 1:
			poke_input(machine, &seed);
			break;
		default:
			poke_ports(machine, &seed);
			break;
		}
		if (next(&seed) % 16 == 0) {
			fake_advance(machine, next(&seed) % 3000000);
		}
	}
	return machine;
}

/* The parts of guest memory that the fake drivers use. */
struct memory_copy {
	uint8_t queues[5 * 0x10000];
	uint8_t buffers[0x1000];
};

static struct memory_copy *memory_save(const struct fake_machine *machine)
{
	struct memory_copy *copy = malloc(sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy->queues, machine->memory.host + SPACE, sizeof(copy->queues));
	memcpy(copy->buffers, machine->memory.host + BUFFERS, sizeof(copy->buffers));
	return copy;
}

static void memory_load(const struct memory_copy *copy, struct fake_machine *machine)
{
	memcpy(machine->memory.host + SPACE, copy->queues, sizeof(copy->queues));
	memcpy(machine->memory.host + BUFFERS, copy->buffers, sizeof(copy->buffers));
}

static int load(struct device *device, const uint8_t *bytes, size_t size)
{
	struct wire in;
	int error;

	wire_init_read(&in, bytes, size);
	error = device->ops->load(device, device->ops->version, &in);
	return error == 0 && !wire_done(&in) ? -EPROTO : error;
}

static void test_load_saves_the_same(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= STATES; seed++) {
		struct fake_machine *machine = make_machine(seed * 7919), *loaded;
		uint8_t *saved[DEVICES], *again;
		bool levels[FAKE_GSIS];
		size_t sizes[DEVICES], size;
		struct memory_copy *memory = memory_save(machine);
		uint64_t now = machine->now_us, realtime = machine->realtime_us;

		assert_int_equal(machine->device_count, DEVICES);
		for (size_t i = 0; i < DEVICES; i++) {
			fake_save(machine->devices[i], &saved[i], &sizes[i]);
		}
		memcpy(levels, machine->level, sizeof(levels));
		fake_machine_destroy(machine);
		loaded = fake_machine_create();
		memory_load(memory, loaded);
		loaded->now_us = now;
		loaded->realtime_us = realtime;
		/* In any order: forwards, backwards. */
		for (size_t i = 0; i < DEVICES; i++) {
			size_t at = seed % 2 ? i : DEVICES - 1 - i;

			if (load(loaded->devices[at], saved[at], sizes[at]) != 0) {
				fail_msg("seed %u: %s does not load what it saved", seed,
				    loaded->devices[at]->ops->name);
			}
		}
		for (size_t i = 0; i < DEVICES; i++) {
			fake_save(loaded->devices[i], &again, &size);
			if (size != sizes[i] || memcmp(again, saved[i], size) != 0) {
				fail_msg("seed %u: %s saves something else", seed,
				    loaded->devices[i]->ops->name);
			}
			free(again);
			free(saved[i]);
		}
		/* Lines stand as they stood. */
		assert_memory_equal(levels, loaded->level, sizeof(levels));
		free(memory);
		fake_machine_destroy(loaded);
	}
}

/* Uses the whole machine, as a guest would that was resumed; what it asserts is that nothing goes out of bounds. */
static void exercise(struct fake_machine *machine)
{
	uint32_t seed = 12345;
	struct scanout scanout;

	if (bochs_display_scanout(machine->display, &scanout)) {
		uint64_t end = scanout.offset + (uint64_t)scanout.stride * (scanout.height - 1) +
			       4ull * scanout.width;

		assert_true(end <= FRAMEBUFFER_SIZE);
		assert_int_not_equal(scanout.id, 0);
	}
	for (unsigned i = 0; i < 60; i++) {
		poke_input(machine, &seed);
		poke_ports(machine, &seed);
		if (i % 16 == 0) {
			fake_advance(machine, 100000);
		}
	}
	for (unsigned slot = SLOT_KEYBOARD; slot <= SLOT_RNG; slot++) {
		struct fake_driver driver;

		if (fake_driver_probe(machine, slot, SPACE + slot * 0x10000, &driver)) {
			fake_store(machine, driver.notify, 2, 0);
			fake_store(machine, driver.notify + 4, 2, 1);
		}
	}
}

static void mutate_device(uint32_t seed, size_t index)
{
	struct fake_machine *machine = make_machine(seed);
	uint8_t *saved, *mutated;
	struct memory_copy *memory = memory_save(machine);
	size_t size;

	fake_save(machine->devices[index], &saved, &size);
	fake_machine_destroy(machine);
	mutated = malloc(size + 1);
	for (size_t at = 0; at < size; at++) {
		static const uint8_t changes[] = { 0xff, 0x01, 0x80, 0x10 };

		for (size_t i = 0; i < sizeof(changes); i++) {
			memcpy(mutated, saved, size);
			mutated[at] ^= changes[i];
			machine = fake_machine_create();
			memory_load(memory, machine);
			if (load(machine->devices[index], mutated, size) == 0) {
				exercise(machine);
			}
			fake_machine_destroy(machine);
		}
	}
	/* Cut and too long. */
	for (size_t length = 0; length < size; length += 1 + length / 16) {
		uint8_t *cut = malloc(length ? length : 1);

		memcpy(cut, saved, length);
		machine = fake_machine_create();
		assert_int_not_equal(load(machine->devices[index], cut, length), 0);
		fake_machine_destroy(machine);
		free(cut);
	}
	memcpy(mutated, saved, size);
	mutated[size] = 0;
	machine = fake_machine_create();
	memory_load(memory, machine);
	assert_int_equal(load(machine->devices[index], mutated, size + 1), -EPROTO);
	fake_machine_destroy(machine);
	free(mutated);
	free(saved);
	free(memory);
}

static void test_mutated_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < DEVICES; i++) {
		mutate_device(311 + 7 * (uint32_t)i, i);
	}
}

static void test_reset_is_the_start(void **state)
{
	struct fake_machine *fresh = fake_machine_create();
	uint8_t *start[DEVICES], *after;
	size_t sizes[DEVICES], size;

	(void)state;
	fake_machine_reset(fresh);
	for (size_t i = 0; i < DEVICES; i++) {
		fake_save(fresh->devices[i], &start[i], &sizes[i]);
	}
	fake_machine_destroy(fresh);
	for (uint32_t seed = 1; seed < 20; seed++) {
		struct fake_machine *machine = make_machine(seed * 104729);

		fake_machine_reset(machine);
		for (size_t i = 0; i < DEVICES; i++) {
			const char *name = machine->devices[i]->ops->name;

			/* The battery keeps the clock's; the scanout's id goes on; the preferred mode is the viewer's. */
			if (strcmp(name, "rtc") == 0 || strcmp(name, "bochs-display") == 0) {
				continue;
			}
			fake_save(machine->devices[i], &after, &size);
			if (size != sizes[i] || memcmp(after, start[i], size) != 0) {
				fail_msg("seed %u: %s is not as at the start", seed, name);
			}
			free(after);
		}
		fake_machine_destroy(machine);
	}
	for (size_t i = 0; i < DEVICES; i++) {
		free(start[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_saves_the_same),
		cmocka_unit_test(test_mutated_state),
		cmocka_unit_test(test_reset_is_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
