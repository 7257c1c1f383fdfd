/*
 * RAM in layers, on real files and the real pagemap: what is written comes back, only what changed is written, and a
 * fault at any call is reported and leaves memory as it was. pwrite, fsync and fallocate are wrapped by the linker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "vmm/ram.h"

enum {
	RAM_SIZE = 4 << 20,
	PAGES = RAM_SIZE / RAM_PAGE,
	FILES_MAX = VMM_LAYERS_MAX,
};

/* Which call from now on fails, and how; 0: none. */
static struct {
	unsigned calls, fail_at;
	int error;
} fault;

static bool fails_now(void)
{
	fault.calls++;
	if (fault.fail_at && fault.calls == fault.fail_at) {
		errno = fault.error;
		return true;
	}
	return false;
}

ssize_t __real_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fallocate64(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	return fails_now() ? -1 : __real_pwrite64(fd, bytes, size, offset);
}

int __wrap_fsync(int fd)
{
	return fails_now() ? -1 : __real_fsync(fd);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size)
{
	return fails_now() ? -1 : __real_fallocate64(fd, mode, offset, size);
}

struct world {
	struct guestmem memory;
	struct framebuffer *framebuffer;
	struct ram ram;
	int pagemap;
};

static void world_create(struct world *world)
{
	world->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	assert_true(world->pagemap >= 0);
	assert_int_equal(guestmem_create(&world->memory, RAM_SIZE), 0);
	assert_int_equal(framebuffer_create(-1, 0, &world->framebuffer), 0);
	assert_int_equal(
	    ram_init(&world->ram, &world->memory, world->framebuffer, world->pagemap), 0);
}

static void world_destroy(struct world *world)
{
	ram_fini(&world->ram);
	framebuffer_destroy(world->framebuffer);
	guestmem_fini(&world->memory);
	close(world->pagemap);
}

/* The layers made so far, as files without a name. */
struct layers {
	int fds[FILES_MAX];
	struct ram_layer_id ids[FILES_MAX];
	uint32_t count;
};

static int new_file(void)
{
	char path[] = "/tmp/tanmatsu-test-ram.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static struct ram_save_report save(struct world *world, struct layers *layers)
{
	struct ram_save_report report;
	int fd = new_file();

	assert_int_equal(ram_save(&world->ram, fd, 1, &report), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), report.bytes);
	if (report.complete) {
		while (layers->count > 0) {
			close(layers->fds[--layers->count]);
		}
	}
	layers->fds[layers->count] = fd;
	layers->ids[layers->count++] = report.id;
	return report;
}

static int load(struct world *world, const struct layers *layers)
{
	char reason[RAM_REASON_MAX] = "";
	int error = ram_load(&world->ram, layers->fds, layers->ids, layers->count, reason);

	assert_int_equal(error != 0, reason[0] != '\0');
	return error;
}

static void layers_close(struct layers *layers)
{
	while (layers->count > 0) {
		close(layers->fds[--layers->count]);
	}
}

static void fill_page(struct world *world, uint64_t page, uint8_t byte)
{
	memset(world->memory.host + page * RAM_PAGE, byte, RAM_PAGE);
}

static void test_only_what_changed(void **state)
{
	struct world first, second, third;
	struct layers layers = { 0 };
	struct ram_save_report report;

	(void)state;
	world_create(&first);
	fill_page(&first, 3, 0x33);
	fill_page(&first, 4, 0x44);
	fill_page(&first, 5, 0); /* written, but with what it held */
	fill_page(&first, PAGES - 1, 0xff);
	memset(framebuffer_memory(first.framebuffer) + RAM_PAGE, 0x77, RAM_PAGE);
	framebuffer_mark_dirty(first.framebuffer, RAM_PAGE, 1);
	report = save(&first, &layers);
	assert_true(report.complete);
	assert_int_equal(report.bytes, (2 + 4) * RAM_PAGE); /* header, index, four pages */

	world_create(&second);
	assert_int_equal(load(&second, &layers), 0);
	assert_memory_equal(second.memory.host, first.memory.host, RAM_SIZE);
	assert_memory_equal(framebuffer_memory(second.framebuffer),
	    framebuffer_memory(first.framebuffer), 4 * RAM_PAGE);
	/* Reading made nothing private. */
	report = save(&second, &layers);
	assert_false(report.complete);
	assert_int_equal(report.bytes, 1 * RAM_PAGE);
	fill_page(&second, 3, 0); /* zeros over a layer's bytes */
	fill_page(&second, 100, 1);
	second.memory.host[4 * RAM_PAGE] = 9;
	report = save(&second, &layers);
	assert_int_equal(report.bytes, (2 + 2) * RAM_PAGE);

	world_create(&third);
	assert_int_equal(load(&third, &layers), 0);
	assert_memory_equal(third.memory.host, second.memory.host, RAM_SIZE);
	assert_int_equal(third.memory.host[3 * RAM_PAGE], 0);
	world_destroy(&third);
	world_destroy(&second);
	world_destroy(&first);
	layers_close(&layers);
}

/* Many generations, each resumed and changed at random; now and then a complete layer. */
static void test_generations(void **state)
{
	static uint8_t expected[RAM_SIZE];
	struct layers layers = { 0 };
	uint32_t random = 7;
	bool completed = false;

	(void)state;
	memset(expected, 0, sizeof(expected));
	for (int generation = 0; generation < 30; generation++) {
		struct ram_save_report report;
		struct world world;

		world_create(&world);
		if (layers.count > 0) {
			assert_int_equal(load(&world, &layers), 0);
		}
		assert_memory_equal(world.memory.host, expected, RAM_SIZE);
		for (int change = 0; change < 60; change++) {
			uint64_t page;

			random = random * 1664525 + 1013904223;
			page = (random >> 8) % PAGES;
			memset(expected + page * RAM_PAGE, random >> 30 ? (int)(random >> 24) : 0,
			    RAM_PAGE);
			fill_page(&world, page, expected[page * RAM_PAGE]);
		}
		report = save(&world, &layers);
		completed = completed || (generation > 0 && report.complete);
		assert_true(layers.count <= RAM_COMPLETE_AFTER + 1);
		world_destroy(&world);
	}
	assert_true(completed);
	layers_close(&layers);
}

/* A chain in which most is out of date is replaced sooner than a long one that is not. */
static void test_rewritten_pages(void **state)
{
	struct layers layers = { 0 };

	(void)state;
	for (int generation = 0; generation <= RAM_COMPLETE_SOONER; generation++) {
		struct ram_save_report report;
		struct world world;

		world_create(&world);
		if (layers.count > 0) {
			assert_int_equal(load(&world, &layers), 0);
		}
		for (uint64_t page = 0; page < 10; page++) {
			fill_page(&world, page, (uint8_t)(generation + 1));
		}
		report = save(&world, &layers);
		assert_int_equal(
		    report.complete, generation == 0 || generation == RAM_COMPLETE_SOONER);
		world_destroy(&world);
	}
	assert_int_equal(layers.count, 1);
	layers_close(&layers);
}

static void test_reset(void **state)
{
	struct world first, second, third;
	struct layers layers = { 0 };
	struct ram_save_report report;

	(void)state;
	world_create(&first);
	fill_page(&first, 1, 1);
	fill_page(&first, 2, 2);
	(void)save(&first, &layers);
	world_create(&second);
	assert_int_equal(load(&second, &layers), 0);
	assert_int_equal(ram_reset(&second.ram), 0);
	assert_int_equal(second.memory.host[RAM_PAGE], 0);
	fill_page(&second, 2, 9);
	report = save(&second, &layers);
	assert_true(report.complete);
	world_create(&third);
	assert_int_equal(load(&third, &layers), 0);
	assert_memory_equal(third.memory.host, second.memory.host, RAM_SIZE);
	world_destroy(&third);
	world_destroy(&second);
	world_destroy(&first);
	layers_close(&layers);
}

static void test_every_page_of_a_layer_is_verified(void **state)
{
	struct layers layers = { 0 };
	struct world world;
	off_t size;

	(void)state;
	world_create(&world);
	fill_page(&world, 1, 1);
	fill_page(&world, 7, 7);
	memset(framebuffer_memory(world.framebuffer), 0x77, RAM_PAGE);
	framebuffer_mark_dirty(world.framebuffer, 0, 1);
	(void)save(&world, &layers);
	world_destroy(&world);
	size = lseek(layers.fds[0], 0, SEEK_END);
	for (off_t at = 5; at < size; at += 211) {
		uint8_t byte;

		assert_int_equal(pread(layers.fds[0], &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(__real_pwrite64(layers.fds[0], &byte, 1, at), 1);
		world_create(&world);
		assert_int_equal(load(&world, &layers), -EPROTO);
		world_destroy(&world);
		byte ^= 0x10;
		assert_int_equal(__real_pwrite64(layers.fds[0], &byte, 1, at), 1);
	}
	/* Cut, longer, another's. */
	assert_int_equal(ftruncate(layers.fds[0], size - 1), 0);
	world_create(&world);
	assert_int_equal(load(&world, &layers), -EPROTO);
	assert_int_equal(ftruncate(layers.fds[0], size + RAM_PAGE), 0);
	assert_int_equal(load(&world, &layers), -EPROTO);
	assert_int_equal(ftruncate(layers.fds[0], 0), 0);
	assert_int_equal(load(&world, &layers), -EPROTO);
	world_destroy(&world);
	layers_close(&layers);
}

static void test_foreign_layer(void **state)
{
	struct layers layers = { 0 };
	struct world world;

	(void)state;
	world_create(&world);
	fill_page(&world, 1, 1);
	(void)save(&world, &layers);
	layers.ids[0].bytes[3] ^= 1;
	assert_int_equal(load(&world, &layers), -EPROTO);
	layers.ids[0].bytes[3] ^= 1;
	/* A complete layer on top of another makes no sense. */
	layers.fds[1] = dup(layers.fds[0]);
	layers.ids[1] = layers.ids[0];
	layers.count = 2;
	assert_int_equal(load(&world, &layers), -EPROTO);
	world_destroy(&world);
	layers_close(&layers);
}

static void test_fault_at_every_call(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EDQUOT };
	struct world world;
	unsigned calls;

	(void)state;
	world_create(&world);
	for (uint64_t page = 0; page < 50; page += 2) {
		fill_page(&world, page, (uint8_t)(page + 1));
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct ram_save_report report;

		calls = 0;
		for (fault.fail_at = 1;; fault.fail_at++) {
			int fd = new_file();
			int error;

			fault.calls = 0;
			fault.error = errors[i];
			error = ram_save(&world.ram, fd, 1, &report);
			close(fd);
			if (error == 0) {
				calls = fault.calls;
				break;
			}
			assert_int_equal(error, -errors[i]);
		}
		assert_int_equal(fault.fail_at, calls + 1);
		assert_true(calls >= 25 + 3); /* the runs, the index, the reservation, fsync */
	}
	fault.fail_at = 0;
	/* And nothing was lost by the attempts. */
	for (uint64_t page = 0; page < 50; page += 2) {
		assert_int_equal(world.memory.host[page * RAM_PAGE + 77], page + 1);
	}
	world_destroy(&world);
}

/* Not every file system can reserve; then the writes tell. */
static void test_without_fallocate(void **state)
{
	struct ram_save_report report;
	struct world world;
	int fd = new_file();

	(void)state;
	world_create(&world);
	fill_page(&world, 1, 1);
	fault.calls = 0;
	fault.fail_at = 1;
	fault.error = EOPNOTSUPP;
	assert_int_equal(ram_save(&world.ram, fd, 1, &report), 0);
	fault.fail_at = 0;
	close(fd);
	world_destroy(&world);
}

static void on_progress(void *context, uint32_t percent)
{
	uint32_t *last = context;

	assert_true(percent >= *last && percent <= 100);
	*last = percent;
}

static void test_progress(void **state)
{
	struct layers layers = { 0 };
	struct world world;
	uint32_t last = 0;

	(void)state;
	world_create(&world);
	world.ram.progress = on_progress;
	world.ram.progress_context = &last;
	for (uint64_t page = 0; page < 100; page += 2) {
		fill_page(&world, page, 1);
	}
	(void)save(&world, &layers);
	assert_true(last >= 90);
	last = 0;
	assert_int_equal(load(&world, &layers), 0);
	assert_int_equal(last, 100);
	world_destroy(&world);
	layers_close(&layers);
}

static void test_private_bytes(void **state)
{
	struct world world;
	volatile uint8_t sum = 0;

	(void)state;
	world_create(&world);
	assert_int_equal(ram_private_bytes(&world.ram), 0);
	for (uint64_t page = 0; page < PAGES; page++) {
		sum = (uint8_t)(sum + world.memory.host[page * RAM_PAGE]); /* maps the zero page */
	}
	assert_int_equal(ram_private_bytes(&world.ram), 0);
	fill_page(&world, 10, 1);
	fill_page(&world, 20, 0);
	assert_int_equal(ram_private_bytes(&world.ram), 2 * RAM_PAGE);
	world_destroy(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_changed),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_rewritten_pages),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_every_page_of_a_layer_is_verified),
		cmocka_unit_test(test_foreign_layer),
		cmocka_unit_test(test_fault_at_every_call),
		cmocka_unit_test(test_without_fallocate),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_private_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
