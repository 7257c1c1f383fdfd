/*
 * Suspending and resuming a real guest: its memory, its time, its timers and its serial port survive; damage is found
 * and said; a failed attempt costs nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "vmm/state_file.h"
#include "world.h"

enum {
	CYCLES = 50,
};

/*
 * The guest checks a 16 MiB pattern and both clocks each turn, sleeps by TSC deadline between turns and writes by
 * interrupts; so a page, a tick or a transmitter lost in any of the cycles ends up in the log, or ends it.
 */
static void test_fifty_cycles(void **state)
{
	struct vmm_suspend_report report;
	uint64_t suspend_us = 0;
	uint64_t resume_us = 0;
	uint64_t bytes = 0;
	struct world world;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await(&world, "ready\n", 1);
	for (unsigned cycle = 1; cycle <= CYCLES; cycle++) {
		uint64_t start;

		world_await_lines(&world, 2);
		/* Now and then everything is dirty; the key is heard in the turn after. */
		if (cycle % 10 == 3) {
			assert_int_equal(vmm_harness_type(&world.vmm, "d"), 0);
			world_await(&world, " k32\n", 1);
		}
		start = clock_monotonic_us();
		assert_int_equal(vmm_harness_suspend(&world.vmm, world.folder, &report), 0);
		suspend_us += clock_monotonic_us() - start;
		bytes += report.ram_bytes;
		assert_int_equal(report.generation, cycle);
		/* The first holds everything; later ones what changed, until there are enough of them. */
		assert_int_equal(report.complete, world.vmm.layer_count == 1);
		assert_int_equal(vmm_harness_quit(&world.vmm), 0);
		vmm_harness_fini(&world.vmm);
		start = clock_monotonic_us();
		world_resume(&world);
		resume_us += clock_monotonic_us() - start;
	}
	world_await_lines(&world, 3);
	world_check_log(&world);
	print_message("%u cycles: suspend %llu us, resume (process start to running) %llu us, %llu "
		      "KiB of memory each\n",
	    CYCLES, (unsigned long long)suspend_us / CYCLES, (unsigned long long)resume_us / CYCLES,
	    (unsigned long long)bytes / 1024 / CYCLES);
	world_destroy(&world);
}

static void test_two_processors(void **state)
{
	struct vmm_suspend_report report;
	struct world world;

	(void)state;
	world_create(&world);
	world.options.vcpus = 2;
	/* One that waits to be started... */
	world_boot(&world);
	world_await_lines(&world, 2);
	world_suspend(&world, &report);
	world_resume(&world);
	world_await_lines(&world, 2);
	world_check_log(&world);
	vmm_harness_fini(&world.vmm);
	world_destroy(&world);
	/* ...and one that runs: the guest looks whether it goes on counting. */
	world_create(&world);
	world.options.vcpus = 2;
	world.options.command_line = "smp";
	world_boot(&world);
	world_await(&world, "second processor\n", 1);
	for (int cycle = 0; cycle < 5; cycle++) {
		world_await_lines(&world, 3);
		world_suspend(&world, &report);
		world_resume(&world);
	}
	world_await_lines(&world, 3);
	/* A reset leaves it waiting again, and it can be started again. */
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RESET), 0);
	world_await(&world, "second processor\n", 2);
	world_await(&world, "second processor\nready\nL1 k0\nL2 ", 2);
	assert_int_equal(world_count(&world, "BAD"), 0);
	assert_int_equal(world_count(&world, "exception"), 0);
	world_destroy(&world);
}

static void test_runs_on_in_spite(void **state)
{
	struct vmm_suspend_report report;
	struct world world;
	unsigned line;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 2);
	assert_int_equal(vmm_harness_suspend(&world.vmm, world.folder, &report), 0);
	line = world_last_line(&world);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RUN), 0);
	world_await_lines(&world, 3);
	/* A second snapshot of the same process is on the layers it was started with: none. */
	world_suspend(&world, &report);
	assert_true(report.complete);
	world_resume(&world);
	world_await_lines(&world, 2);
	assert_true(world_last_line(&world) > line + 3);
	world_check_log(&world);
	world_destroy(&world);
}

static void test_failed_attempt(void **state)
{
	struct vmm_suspend_report report;
	struct world world;
	uint8_t buffer[8];
	struct wire wire;
	int fds[3];

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 2);
	wire_init_write(&wire, buffer, sizeof(buffer));
	wire_put_u64(&wire, 1);
	for (int broken = 0; broken < 3; broken++) {
		char path[3][128];

		for (int i = 0; i < 3; i++) {
			snprintf(path[i], sizeof(path[i]), "%s/attempt.%d", world.folder, i);
			fds[i] = open(
			    path[i], O_CREAT | O_CLOEXEC | (i == broken ? O_RDONLY : O_RDWR), 0600);
			assert_true(fds[i] >= 0);
		}
		assert_int_equal(
		    vmm_harness_request(&world.vmm, VMM_SUSPEND, &wire, fds, 3), -EBADF);
		for (int i = 0; i < 3; i++) {
			close(fds[i]);
			unlink(path[i]);
		}
		/* It runs on by itself. */
		world_await_lines(&world, 2);
	}
	world_suspend(&world, &report);
	world_resume(&world);
	world_await_lines(&world, 2);
	world_check_log(&world);
	world_destroy(&world);
}

static uint8_t *read_bytes(const struct world *world, const char *name, size_t *size)
{
	char path[128];
	char *bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_read_file(fd, 64 << 20, &bytes, size), 0);
	close(fd);
	return (uint8_t *)bytes;
}

static void flip(const struct world *world, const char *name, size_t offset)
{
	char path[128];
	uint8_t byte;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

static void expect_refused(struct world *world, const char *reason)
{
	assert_int_equal(vmm_harness_start(&world->vmm, &world->options), 0);
	assert_int_not_equal(vmm_harness_resume(&world->vmm, &world->options, world->folder), 0);
	world_expect_exit(world, VMM_EXIT_SNAPSHOT);
	if (!strstr(world->vmm.exit_text, reason)) {
		print_error("\"%s\" does not say \"%s\"\n", world->vmm.exit_text, reason);
		fail();
	}
	vmm_harness_fini(&world->vmm);
}

static void test_damage_in_every_section(void **state)
{
	struct state_file *file = calloc(1, sizeof(*file));
	struct vmm_suspend_report report;
	char reason[STATE_REASON_MAX];
	struct world world;
	uint8_t *bytes;
	size_t size;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 2);
	world_suspend(&world, &report);
	bytes = read_bytes(&world, "state.1", &size);
	assert_int_equal(state_file_decode(bytes, size, file, reason), 0);
	assert_true(file->section_count > 15);
	for (uint32_t i = 0; i < file->section_count; i++) {
		const struct state_section *section = &file->sections[i];

		if (section->size > 0) {
			size_t offset = (size_t)(section->bytes - bytes) + section->size / 2;

			flip(&world, "state.1", offset);
			expect_refused(&world, section->name);
			flip(&world, "state.1", offset);
		}
	}
	flip(&world, "state.1", 20);
	expect_refused(&world, "header");
	flip(&world, "state.1", 20);
	for (size_t offset = 30; offset < report.ram_bytes; offset += report.ram_bytes / 7) {
		flip(&world, "ram.1", offset);
		expect_refused(&world, "memory layer 0");
		flip(&world, "ram.1", offset);
	}
	/* And after all that, as it was: */
	world_resume(&world);
	world_await_lines(&world, 2);
	world_check_log(&world);
	world_destroy(&world);
	free(bytes);
	free(file);
}

static void test_foreign(void **state)
{
	struct vmm_suspend_report report;
	struct world world;
	char path[128];
	char other[128];

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 1);
	world_suspend(&world, &report);
	world_resume(&world);
	world_await_lines(&world, 1);
	world_suspend(&world, &report);
	world.options.memory_mib = 128;
	expect_refused(&world, "64 MiB of memory, not 128");
	world.options.memory_mib = 0;
	world.options.vcpus = 2;
	expect_refused(&world, "1 processors, not 2");
	world.options.vcpus = 0;
	/* The newest layer where the oldest belongs. */
	snprintf(path, sizeof(path), "%s/ram.1", world.folder);
	snprintf(other, sizeof(other), "%s/ram.1.away", world.folder);
	assert_int_equal(rename(path, other), 0);
	snprintf(other, sizeof(other), "%s/ram.2", world.folder);
	assert_int_equal(link(other, path), 0);
	expect_refused(&world, "not the one that the snapshot names");
	/* An older state. */
	snprintf(path, sizeof(path), "%s/state.2", world.folder);
	snprintf(other, sizeof(other), "%s/state.1", world.folder);
	assert_int_equal(rename(other, path), 0);
	expect_refused(&world, "generation 1, not 2");
	assert_int_equal(truncate(path, 0), 0);
	expect_refused(&world, "not a device state file");
	world_destroy(&world);
}

/* The screen too: what was drawn before is there before anything is drawn anew. */
static void test_picture_survives(void **state)
{
	struct vmm_suspend_report report;
	struct world world;
	uint8_t *before, *after;
	uint32_t width, height;
	size_t size, frame_size;
	uint8_t *frame;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 3);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
	assert_int_equal(vmm_harness_picture(&world.vmm, &before, &width, &height), 0);
	size = (size_t)width * height * 4;
	world_suspend(&world, &report);
	frame = read_bytes(&world, "frame.1", &frame_size);
	assert_int_equal(frame_size, report.frame_bytes);
	assert_int_equal(frame_size, 4096 + size);
	assert_memory_equal(frame + 4096, before, size);
	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	assert_int_equal(vmm_harness_resume(&world.vmm, &world.options, world.folder), 0);
	assert_int_equal(vmm_harness_picture(&world.vmm, &after, &width, &height), 0);
	assert_memory_equal(after, before, size);
	free(frame);
	free(after);
	free(before);
	world_destroy(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifty_cycles),
		cmocka_unit_test(test_two_processors),
		cmocka_unit_test(test_runs_on_in_spite),
		cmocka_unit_test(test_failed_attempt),
		cmocka_unit_test(test_damage_in_every_section),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_picture_survives),
	};

	return world_must_skip() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
