/* Overlays against a model, and against files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory_io.h"
#include "vmm/disk/overlay.h"

enum {
	SIZE = 20 * OVERLAY_CLUSTER + 3 * DISK_SECTOR,
	BASE_SIZE = 13 * OVERLAY_CLUSTER + 5 * DISK_SECTOR,
	CAPACITY = SIZE + 2 * OVERLAY_CLUSTER,
	OPERATIONS = 10000,
	REQUEST_MAX = 3 * OVERLAY_CLUSTER,
};

static const uint8_t base_name[DISK_ID_SIZE] = { 1, 2, 3 };

struct world {
	struct memory_file file, base;
	struct disk *disk;
	uint8_t *model, *buffer;
	uint64_t random;
	bool with_base;
};

static void open_disk(struct world *world)
{
	assert_int_equal(disk_overlay_create_take(memory_file_io(&world->file),
			     world->with_base ? memory_file_io(&world->base) : NULL, base_name,
			     false, &world->disk),
	    0);
}

static void world_create(struct world *world, bool with_base)
{
	static const uint8_t nobody[DISK_ID_SIZE];
	struct disk_io *io;

	*world = (struct world){ .with_base = with_base, .random = 42 };
	memory_file_init(&world->file, CAPACITY);
	memory_file_init(&world->base, BASE_SIZE);
	world->model = calloc(1, SIZE);
	world->buffer = malloc(REQUEST_MAX);
	assert_non_null(world->model);
	assert_non_null(world->buffer);
	if (with_base) {
		for (size_t i = 0; i < BASE_SIZE; i++) {
			world->base.now[i] = (uint8_t)memory_random(&world->random);
		}
		world->base.size = BASE_SIZE;
		memcpy(world->model, world->base.now, BASE_SIZE);
	}
	io = memory_file_io(&world->file);
	assert_int_equal(
	    overlay_format(io, SIZE, world->base.size, with_base ? base_name : nobody), 0);
	io->ops->destroy(io);
	open_disk(world);
}

static void world_destroy(struct world *world)
{
	disk_destroy(world->disk);
	memory_file_fini(&world->file);
	memory_file_fini(&world->base);
	free(world->model);
	free(world->buffer);
}

/* The buffer in up to four unequal pieces. */
static int cut(struct world *world, size_t size, struct iovec parts[4])
{
	size_t at = 0;
	int count = 0;

	while (at < size) {
		size_t length = count == 3 ? size - at
					   : memory_random(&world->random) % (size - at) + 1;

		parts[count++] = (struct iovec){ world->buffer + at, length };
		at += length;
	}
	return count;
}

static void operate(struct world *world)
{
	uint64_t what = memory_random(&world->random) % 16;
	uint64_t offset = memory_random(&world->random) % (SIZE / DISK_SECTOR) * DISK_SECTOR;
	uint64_t size = memory_random(&world->random) %
			(memory_random(&world->random) % 2 ? REQUEST_MAX : 8 * DISK_SECTOR);
	struct iovec parts[4];

	size = size / DISK_SECTOR * DISK_SECTOR;
	size = size < SIZE - offset ? size : SIZE - offset;
	if (what < 6) {
		for (size_t i = 0; i < size; i++) {
			world->buffer[i] = (uint8_t)memory_random(&world->random);
		}
		assert_int_equal(
		    disk_write(world->disk, offset, parts, cut(world, size, parts)), 0);
		memcpy(world->model + offset, world->buffer, size);
	} else if (what < 13) {
		assert_int_equal(disk_read(world->disk, offset, parts, cut(world, size, parts)), 0);
		assert_memory_equal(world->model + offset, world->buffer, size);
	} else if (what < 15) {
		assert_int_equal(disk_zero(world->disk, offset, size, what == 13), 0);
		memset(world->model + offset, 0, size);
	} else {
		assert_int_equal(disk_flush(world->disk), 0);
	}
}

static void check_all(struct world *world)
{
	for (uint64_t offset = 0; offset < SIZE; offset += DISK_SECTOR) {
		const struct iovec part = { world->buffer, DISK_SECTOR };

		assert_int_equal(disk_read(world->disk, offset, &part, 1), 0);
		assert_memory_equal(world->buffer, world->model + offset, DISK_SECTOR);
	}
}

static void run_model(bool with_base, bool no_holes)
{
	struct world world;

	world_create(&world, with_base);
	world.file.no_holes = no_holes;
	for (unsigned i = 0; i < OPERATIONS; i++) {
		operate(&world);
		if (i % 1000 == 999) {
			assert_int_equal(disk_flush(world.disk), 0);
			disk_destroy(world.disk);
			open_disk(&world);
		}
	}
	check_all(&world);
	world_destroy(&world);
}

static void test_model_with_base(void **state)
{
	(void)state;
	run_model(true, false);
}

static void test_model_without_base(void **state)
{
	(void)state;
	run_model(false, false);
}

static void test_model_without_holes(void **state)
{
	(void)state;
	run_model(true, true);
}

static void test_outside_is_refused(void **state)
{
	struct world world;
	struct iovec part;

	(void)state;
	world_create(&world, true);
	part = (struct iovec){ world.buffer, 2 * DISK_SECTOR };
	assert_int_equal(disk_read(world.disk, SIZE - DISK_SECTOR, &part, 1), -EINVAL);
	assert_int_equal(disk_write(world.disk, SIZE - DISK_SECTOR, &part, 1), -EINVAL);
	assert_int_equal(disk_write(world.disk, UINT64_MAX, &part, 1), -EINVAL);
	assert_int_equal(disk_zero(world.disk, SIZE, DISK_SECTOR, true), -EINVAL);
	assert_int_equal(disk_zero(world.disk, DISK_SECTOR, UINT64_MAX, true), -EINVAL);
	assert_int_equal(disk_write(world.disk, SIZE - 2 * DISK_SECTOR, &part, 1), 0);
	world_destroy(&world);
}

static int open_with(struct world *world, const uint8_t id[DISK_ID_SIZE], bool base)
{
	struct disk *disk;
	int error = disk_overlay_create_take(memory_file_io(&world->file),
	    base ? memory_file_io(&world->base) : NULL, id, false, &disk);

	if (!error) {
		disk_destroy(disk);
	}
	return error;
}

static void test_other_bases_are_refused(void **state)
{
	static const uint8_t other[DISK_ID_SIZE] = { 9 };
	struct world world;

	(void)state;
	world_create(&world, true);
	assert_int_equal(open_with(&world, base_name, true), 0);
	assert_int_equal(open_with(&world, other, true), -ESTALE);
	assert_int_equal(open_with(&world, base_name, false), -ESTALE);
	world.base.size -= DISK_SECTOR;
	assert_int_equal(open_with(&world, base_name, true), -ESTALE);
	world_destroy(&world);
}

/* Every byte of the header matters, and a file that is cut is refused. */
static void test_damaged_headers_are_refused(void **state)
{
	struct world world;
	size_t size;

	(void)state;
	world_create(&world, true);
	for (size_t i = 0; i < 88; i++) {
		world.file.now[i] ^= 0x40;
		assert_int_equal(open_with(&world, base_name, true), -EPROTO);
		world.file.now[i] ^= 0x40;
	}
	size = world.file.size;
	world.file.size = OVERLAY_CLUSTER - 1;
	assert_int_equal(open_with(&world, base_name, true), -EPROTO);
	world.file.size = 0;
	assert_int_equal(open_with(&world, base_name, true), -EPROTO);
	world.file.size = size;
	assert_int_equal(open_with(&world, base_name, true), 0);
	world_destroy(&world);
}

static void test_sizes_that_make_no_disk(void **state)
{
	static const struct {
		uint64_t size, base;
	} sizes[] = {
		{ 0, 0 },
		{ 100, 0 },
		{ DISK_SECTOR, 2 * DISK_SECTOR },
		{ OVERLAY_SIZE_MAX + DISK_SECTOR, 0 },
	};
	struct memory_file file;
	struct disk_io *io;

	(void)state;
	memory_file_init(&file, OVERLAY_CLUSTER);
	io = memory_file_io(&file);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(
		    overlay_format(io, sizes[i].size, sizes[i].base, base_name), -EINVAL);
	}
	io->ops->destroy(io);
	memory_file_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_with_base),
		cmocka_unit_test(test_model_without_base),
		cmocka_unit_test(test_model_without_holes),
		cmocka_unit_test(test_outside_is_refused),
		cmocka_unit_test(test_other_bases_are_refused),
		cmocka_unit_test(test_damaged_headers_are_refused),
		cmocka_unit_test(test_sizes_that_make_no_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
