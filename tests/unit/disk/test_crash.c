/*
 * The power fails at every write, punch and sync that an overlay makes: afterwards each sector holds what it held at the
 * last flush, or something that was written to it since; what was never written is the base's.
 */
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
	CLUSTERS = 4,
	SIZE = CLUSTERS * OVERLAY_CLUSTER,
	SECTORS = SIZE / DISK_SECTOR,
	CAPACITY = SIZE + OVERLAY_CLUSTER,
	STEPS = 60,
	VERSIONS = STEPS + 2,
};

static const uint8_t base_name[DISK_ID_SIZE] = { 7 };

/* Each write has a number, and a sector holds nothing but copies of it: 0 is zeros, 1 the base's. */
struct history {
	uint8_t possible[SECTORS][VERSIONS];
	uint8_t current[SECTORS];
};

static void wrote(struct history *history, uint64_t first, uint64_t count, uint8_t version)
{
	for (uint64_t i = first; i < first + count; i++) {
		history->possible[i][version] = 1;
		history->current[i] = version;
	}
}

static void flushed(struct history *history)
{
	memset(history->possible, 0, sizeof(history->possible));
	for (unsigned i = 0; i < SECTORS; i++) {
		history->possible[i][history->current[i]] = 1;
	}
}

static struct disk *open_disk(struct memory_file *file, struct memory_file *base)
{
	struct disk *disk;

	assert_int_equal(disk_overlay_create_take(
			     memory_file_io(file), memory_file_io(base), base_name, false, &disk),
	    0);
	return disk;
}

/* Random work until the power fails or it is done. */
static void work(struct disk *disk, struct history *history, uint64_t *random, uint8_t *buffer)
{
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t first = memory_random(random) % SECTORS;
		uint64_t count = memory_random(random) % (memory_random(random) % 3 ? 6 : 300) + 1;
		uint64_t what = memory_random(random) % 8;
		uint8_t version = (uint8_t)(step + 2);
		int error;

		count = count < SECTORS - first ? count : SECTORS - first;
		if (what < 5) {
			const struct iovec part = { buffer, count * DISK_SECTOR };

			memset(buffer, version, count * DISK_SECTOR);
			/* What fails may still have happened, in part. */
			wrote(history, first, count, version);
			error = disk_write(disk, first * DISK_SECTOR, &part, 1);
		} else if (what < 6) {
			wrote(history, first, count, 0);
			error = disk_zero(disk, first * DISK_SECTOR, count * DISK_SECTOR, true);
		} else {
			error = disk_flush(disk);
			if (!error) {
				flushed(history);
			}
		}
		if (error) {
			return;
		}
	}
}

static void check(struct disk *disk, const struct history *history, uint8_t *buffer, unsigned when)
{
	const struct iovec part = { buffer, SIZE };

	assert_int_equal(disk_read(disk, 0, &part, 1), 0);
	for (unsigned i = 0; i < SECTORS; i++) {
		const uint8_t *sector = buffer + (size_t)i * DISK_SECTOR;

		for (unsigned k = 1; k < DISK_SECTOR; k++) {
			assert_int_equal(sector[k], sector[0]);
		}
		if (sector[0] >= VERSIONS || !history->possible[i][sector[0]]) {
			fail_msg("call %u: sector %u holds %u", when, i, sector[0]);
		}
	}
}

/* Returns whether the power failed. */
static bool crash_at(unsigned call, uint64_t seed, uint8_t *buffer)
{
	struct history *history = calloc(1, sizeof(*history));
	struct memory_file file, base;
	uint64_t random = seed;
	struct disk_io *io;
	struct disk *disk;
	bool failed;

	assert_non_null(history);
	memory_file_init(&file, CAPACITY);
	memory_file_init(&base, SIZE);
	memset(base.now, 1, SIZE);
	base.size = SIZE;
	wrote(history, 0, SECTORS, 1);
	io = memory_file_io(&file);
	assert_int_equal(overlay_format(io, SIZE, SIZE, base_name), 0);
	io->ops->destroy(io);
	file.random += call * 77777 + seed;
	file.calls = 0;
	file.fail_at = call;
	disk = open_disk(&file, &base);
	work(disk, history, &random, buffer);
	failed = file.off;
	disk_destroy(disk);
	memory_file_recover(&file);
	disk = open_disk(&file, &base);
	check(disk, history, buffer, call);
	/* It goes on being a disk. */
	flushed(history);
	for (unsigned i = 0; i < SECTORS; i++) {
		memset(history->possible[i], 0, VERSIONS);
		history->current[i] = buffer[(size_t)i * DISK_SECTOR];
		history->possible[i][history->current[i]] = 1;
	}
	work(disk, history, &random, buffer);
	check(disk, history, buffer, call);
	disk_destroy(disk);
	memory_file_fini(&file);
	memory_file_fini(&base);
	free(history);
	return failed;
}

static void test_power_fails_at_every_call(void **state)
{
	uint8_t *buffer = malloc(SIZE);

	(void)state;
	assert_non_null(buffer);
	for (uint64_t seed = 1; seed <= 12; seed++) {
		unsigned call = 1;

		while (crash_at(call, seed * 0x9e3779b97f4a7c15ull, buffer)) {
			call++;
		}
		assert_true(call > 20);
	}
	free(buffer);
}

/* A host that is full fails one write; what was there before is not touched, and it goes on when there is room. */
static void test_no_space(void **state)
{
	struct memory_file file, base;
	uint8_t *buffer = malloc(SIZE);
	const struct iovec all = { buffer, SIZE };
	const struct iovec one = { buffer, DISK_SECTOR };
	struct disk_io *io;
	struct disk *disk;

	(void)state;
	assert_non_null(buffer);
	memory_file_init(&file, CAPACITY);
	memory_file_init(&base, SIZE);
	memset(base.now, 1, SIZE);
	base.size = SIZE;
	io = memory_file_io(&file);
	assert_int_equal(overlay_format(io, SIZE, SIZE, base_name), 0);
	io->ops->destroy(io);
	disk = open_disk(&file, &base);
	memset(buffer, 5, SIZE);
	file.fail_at = file.calls + 1;
	file.fail_with = -ENOSPC;
	assert_int_equal(disk_write(disk, 3 * DISK_SECTOR, &one, 1), -ENOSPC);
	assert_int_equal(disk_read(disk, 0, &all, 1), 0);
	for (size_t i = 0; i < SIZE; i++) {
		assert_int_equal(buffer[i], 1);
	}
	memset(buffer, 5, SIZE);
	assert_int_equal(disk_write(disk, 3 * DISK_SECTOR, &one, 1), 0);
	assert_int_equal(disk_flush(disk), 0);
	/* A sync that failed is not forgotten. */
	file.fail_at = file.calls + 1;
	file.fail_with = -EIO;
	assert_int_equal(disk_flush(disk), -EIO);
	assert_int_equal(disk_flush(disk), -EIO);
	disk_destroy(disk);
	memory_file_fini(&file);
	memory_file_fini(&base);
	free(buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_fails_at_every_call),
		cmocka_unit_test(test_no_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
