/*
 * The built-in desktop in a machine of 64 MiB: it comes up, answers keys on the screen, is suspended quickly and comes
 * back with the same pixels; an idle one costs nearly nothing. Prints what it measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "world.h"

enum {
	KEYS = 30,
	CYCLES = 10,
};

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

static uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void press_over_link(struct world *world, uint16_t code)
{
	const struct input_event events[] = {
		{ .type = INPUT_KEY, .code = code, .value = 1 },
		{ .type = INPUT_KEY, .code = code, .value = 0 },
	};
	uint8_t buffer[2 * INPUT_EVENT_WIRE_SIZE];
	struct wire wire;

	wire_init_write(&wire, buffer, sizeof(buffer));
	input_event_encode(&events[0], &wire);
	input_event_encode(&events[1], &wire);
	assert_int_equal(ipc_send(world->vmm.link, LINK_INPUT, &wire, NULL, 0), 0);
}

/* Until nothing changes for 50 ms; then a question is open. */
static void settle(struct world *world, uint32_t id)
{
	int error;

	do {
		assert_int_equal(vmm_harness_want(&world->vmm, id), 0);
		error = vmm_harness_damage(&world->vmm, 50);
		id = world->vmm.scanout.id;
	} while (error == 0);
	assert_int_equal(error, -ETIMEDOUT);
}

static void boot_demo(struct world *world)
{
	world_create(world);
	world->options.kernel = NULL;
	world->options.command_line = "";
	world_boot(world);
	world_await(world, "ready", 1);
}

static void test_key_to_damage(void **state)
{
	uint64_t times[KEYS];
	struct world world;

	(void)state;
	boot_demo(&world);
	assert_int_equal(vmm_harness_attach(&world.vmm, 1), 0);
	settle(&world, 0);
	for (int i = 0; i < KEYS; i++) {
		uint64_t start = clock_monotonic_us();

		press_over_link(&world, i % 2 ? KEY_BACKSPACE : KEY_A);
		assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
		times[i] = clock_monotonic_us() - start;
		settle(&world, world.vmm.scanout.id);
	}
	qsort(times, KEYS, sizeof(times[0]), compare);
	print_message("key to damage: median %llu us, worst %llu us\n",
	    (unsigned long long)times[KEYS / 2], (unsigned long long)times[KEYS - 1]);
	world_destroy(&world);
}

static void test_idle(void **state)
{
	struct vmm_statistics before, after;
	struct world world;
	uint64_t start;

	(void)state;
	boot_demo(&world);
	assert_int_equal(vmm_harness_attach(&world.vmm, 1), 0);
	settle(&world, 0);
	assert_int_equal(vmm_harness_statistics(&world.vmm, &before), 0);
	start = clock_monotonic_us();
	while (clock_monotonic_us() - start < 1000000) {
		(void)!vmm_harness_damage(&world.vmm, 100);
	}
	assert_int_equal(vmm_harness_statistics(&world.vmm, &after), 0);
	print_message("idle, watched: %llu us of CPU, %llu exits, %llu scans in a second\n",
	    (unsigned long long)(after.vcpu_us - before.vcpu_us),
	    (unsigned long long)(after.exits - before.exits),
	    (unsigned long long)(after.damage_scans - before.damage_scans));
	assert_true(after.vcpu_us - before.vcpu_us < 300000);
	assert_true(after.damage_scans - before.damage_scans < 500);
	world_destroy(&world);
}

static void test_suspend_and_resume(void **state)
{
	uint64_t suspend_us[CYCLES], resume_us[CYCLES];
	uint64_t bytes = 0;
	struct world world;

	(void)state;
	boot_demo(&world);
	for (int cycle = 0; cycle < CYCLES; cycle++) {
		struct vmm_suspend_report report;
		uint64_t start;

		assert_int_equal(vmm_harness_type(&world.vmm, "echo hello\n"), 0);
		start = clock_monotonic_us();
		assert_int_equal(vmm_harness_suspend(&world.vmm, world.folder, &report), 0);
		suspend_us[cycle] = clock_monotonic_us() - start;
		bytes += cycle ? report.ram_bytes : 0;
		assert_int_equal(vmm_harness_quit(&world.vmm), 0);
		vmm_harness_fini(&world.vmm);

		assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
		start = clock_monotonic_us();
		assert_int_equal(vmm_harness_resume(&world.vmm, &world.options, world.folder), 0);
		assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RUN), 0);
		resume_us[cycle] = clock_monotonic_us() - start;
		/* The desktop says so itself. */
		world_await(&world, "resumed ", (unsigned)cycle + 1);
	}
	print_message("suspend: median %llu us; from VMM_CONFIGURE to running again: median %llu "
		      "us; %llu KiB each\n",
	    (unsigned long long)median(suspend_us, CYCLES),
	    (unsigned long long)median(resume_us, CYCLES),
	    (unsigned long long)bytes / 1024 / (CYCLES - 1));
	world_destroy(&world);
}

static void test_same_pixels(void **state)
{
	struct vmm_suspend_report report;
	uint8_t *before, *after;
	uint32_t width, height;
	struct world world;

	(void)state;
	boot_demo(&world);
	assert_int_equal(vmm_harness_type(&world.vmm, "half a sen"), 0);
	assert_int_equal(vmm_harness_attach(&world.vmm, 1), 0);
	settle(&world, 0);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
	assert_int_equal(vmm_harness_picture(&world.vmm, &before, &width, &height), 0);
	world_suspend(&world, &report);
	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	assert_int_equal(vmm_harness_resume(&world.vmm, &world.options, world.folder), 0);
	assert_int_equal(vmm_harness_picture(&world.vmm, &after, &width, &height), 0);
	assert_memory_equal(after, before, (size_t)width * height * 4);
	free(after);
	free(before);
	world_destroy(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_to_damage),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_suspend_and_resume),
		cmocka_unit_test(test_same_pixels),
	};

	return world_must_skip() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
