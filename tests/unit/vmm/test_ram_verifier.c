/*
 * Large layers are mapped first and verified on a thread of their own: what is good is found good, a page that was
 * changed on disk is found, and giving up half-way ends the thread. On real files and the real pagemap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/ram_verifier.h"

enum {
	RAM_SIZE = RAM_VERIFY_FIRST + (8 << 20),
	MIDDLE = RAM_SIZE / 2,
	WAIT_MS = 30000,
};

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

struct layer {
	int fd;
	struct ram_layer_id id;
};

static int setup(void **state)
{
	char path[] = "/tmp/tanmatsu-test-verifier.XXXXXX";
	struct layer *layer = calloc(1, sizeof(*layer));
	struct ram_save_report report;
	struct world world;

	layer->fd = mkstemp(path);
	assert_true(layer->fd >= 0);
	unlink(path);
	world_create(&world);
	for (size_t i = 0; i < RAM_SIZE; i += sizeof(uint64_t)) {
		memcpy(world.memory.host + i, &(uint64_t){ i | 1 }, sizeof(uint64_t));
	}
	assert_int_equal(ram_save(&world.ram, layer->fd, 1, &report), 0);
	layer->id = report.id;
	world_destroy(&world);
	*state = layer;
	return 0;
}

static int teardown(void **state)
{
	struct layer *layer = *state;

	close(layer->fd);
	free(layer);
	return 0;
}

static void load(struct world *world, const struct layer *layer)
{
	char reason[RAM_REASON_MAX] = "";

	world_create(world);
	assert_int_equal(ram_load(&world->ram, &layer->fd, &layer->id, 1, reason), 0);
	assert_int_equal(world->ram.unverified_count, 1);
	assert_int_equal(*(uint64_t *)(void *)(world->memory.host + MIDDLE), MIDDLE | 1);
}

static void on_done(void *context)
{
	assert_int_equal(eventfd_write(*(int *)context, 1), 0);
}

static void await(int event)
{
	assert_int_equal(poll(&(struct pollfd){ .fd = event, .events = POLLIN }, 1, WAIT_MS), 1);
}

static void test_good(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct ram_verifier verifier = { 0 };
	struct world world;

	load(&world, *state);
	assert_int_equal(ram_verifier_start(&verifier, &world.ram, on_done, &event), 0);
	await(event);
	assert_int_equal(ram_verifier_finish(&verifier), 0);
	assert_int_equal(ram_verifier_finish(&verifier), 0);
	world_destroy(&world);
	close(event);
}

static void test_damaged(void **state)
{
	const struct layer *layer = *state;
	off_t offset = lseek(layer->fd, 0, SEEK_END) / 2;
	int event = eventfd(0, EFD_CLOEXEC);
	struct ram_verifier verifier = { 0 };
	struct world world;
	uint8_t byte;

	load(&world, layer);
	assert_int_equal(pread(layer->fd, &byte, 1, offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(layer->fd, &byte, 1, offset), 1);
	assert_int_equal(ram_verifier_start(&verifier, &world.ram, on_done, &event), 0);
	await(event);
	assert_int_equal(ram_verifier_finish(&verifier), -EPROTO);
	assert_non_null(strstr(verifier.reason, "memory layer 0: checksum mismatch"));
	assert_int_equal(ram_verifier_finish(&verifier), -EPROTO);
	world_destroy(&world);
	close(event);
}

static void test_given_up(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct ram_verifier verifier = { 0 };
	struct world world;

	load(&world, *state);
	atomic_store(&verifier.cancel, true);
	assert_int_equal(ram_verifier_start(&verifier, &world.ram, on_done, &event), 0);
	await(event);
	ram_verifier_cancel(&verifier);
	assert_int_equal(ram_verifier_finish(&verifier), -ECANCELED);
	world_destroy(&world);
	close(event);
}

/* Nothing to do, no thread. */
static void test_nothing(void **state)
{
	struct ram_verifier verifier = { 0 };
	struct world world;

	(void)state;
	world_create(&world);
	assert_int_equal(ram_verifier_start(&verifier, &world.ram, NULL, NULL), 0);
	assert_false(verifier.started);
	assert_int_equal(ram_verifier_finish(&verifier), 0);
	ram_verifier_cancel(&verifier);
	world_destroy(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
