/* Disks on real files: the raw kind, what is refused, and that a disk has one user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory_io.h"
#include "vmm/disk/overlay.h"

enum {
	SIZE = 1 << 20,
};

static int make_file(char path[64], off_t size)
{
	int fd;

	strcpy(path, "/tmp/tanmatsu-test-disk.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void test_raw(void **state)
{
	uint8_t bytes[3 * DISK_SECTOR], back[3 * DISK_SECTOR];
	const struct iovec out[2] = { { bytes, 100 }, { bytes + 100, sizeof(bytes) - 100 } };
	const struct iovec in[2] = { { back, 1000 }, { back + 1000, sizeof(back) - 1000 } };
	struct disk_io *io;
	struct disk *disk;
	struct stat before, after;
	char path[64];
	int fd = make_file(path, SIZE);

	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	assert_int_equal(disk_io_file_create_take(fd, false, &io), 0);
	assert_int_equal(disk_raw_create_take(io, false, &disk), 0);
	assert_int_equal(disk->size, SIZE);
	assert_int_equal(disk_write(disk, SIZE - sizeof(bytes), out, 2), 0);
	assert_int_equal(disk_read(disk, SIZE - sizeof(bytes), in, 2), 0);
	assert_memory_equal(bytes, back, sizeof(bytes));
	assert_int_equal(disk_write(disk, SIZE - sizeof(bytes) + 1, out, 2), -EINVAL);
	assert_int_equal(disk_flush(disk), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(disk_zero(disk, SIZE - 65536, 65536, true), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_blocks < before.st_blocks);
	assert_int_equal(after.st_size, SIZE);
	assert_int_equal(disk_read(disk, SIZE - sizeof(bytes), in, 2), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_memory_equal(bytes, back, sizeof(bytes));
	disk_destroy(disk);
	unlink(path);
}

static void test_read_only(void **state)
{
	uint8_t bytes[DISK_SECTOR] = { 0 };
	const struct iovec part = { bytes, sizeof(bytes) };
	struct disk_io *io;
	struct disk *disk;
	char path[64];
	int fd = make_file(path, SIZE);

	(void)state;
	assert_int_equal(disk_io_file_create_take(fd, true, &io), 0);
	assert_int_equal(disk_raw_create_take(io, true, &disk), 0);
	assert_int_equal(disk_read(disk, 0, &part, 1), 0);
	assert_int_equal(disk_write(disk, 0, &part, 1), -EROFS);
	assert_int_equal(disk_zero(disk, 0, DISK_SECTOR, true), -EROFS);
	assert_int_equal(disk_flush(disk), 0);
	disk_destroy(disk);
	unlink(path);
}

static void test_one_user(void **state)
{
	struct disk_io *first, *second;
	char path[64];
	int fd = make_file(path, SIZE);

	(void)state;
	assert_int_equal(disk_io_file_create_take(fd, false, &first), 0);
	assert_int_equal(
	    disk_io_file_create_take(open(path, O_RDWR | O_CLOEXEC), false, &second), -EBUSY);
	assert_int_equal(
	    disk_io_file_create_take(open(path, O_RDONLY | O_CLOEXEC), true, &second), -EBUSY);
	first->ops->destroy(first);
	/* A base has many. */
	assert_int_equal(
	    disk_io_file_create_take(open(path, O_RDONLY | O_CLOEXEC), true, &first), 0);
	assert_int_equal(
	    disk_io_file_create_take(open(path, O_RDONLY | O_CLOEXEC), true, &second), 0);
	first->ops->destroy(first);
	second->ops->destroy(second);
	unlink(path);
}

static void test_what_is_no_disk(void **state)
{
	struct disk_io *io;
	struct disk *disk;
	char path[64];

	(void)state;
	assert_int_equal(
	    disk_io_file_create_take(open("/dev/null", O_RDWR | O_CLOEXEC), false, &io), -EINVAL);
	assert_int_equal(
	    disk_io_file_create_take(open("/", O_RDONLY | O_CLOEXEC), true, &io), -EINVAL);
	assert_int_equal(disk_io_file_create_take(make_file(path, 0), false, &io), 0);
	assert_int_equal(disk_raw_create_take(io, false, &disk), -EINVAL);
	unlink(path);
	assert_int_equal(disk_io_file_create_take(make_file(path, 1000), false, &io), 0);
	assert_int_equal(disk_raw_create_take(io, false, &disk), -EINVAL);
	unlink(path);
}

/* Sparse on a real file system: a written cluster takes space, a discarded one gives it back. */
static void test_overlay_is_sparse(void **state)
{
	static const uint8_t nobody[DISK_ID_SIZE];
	uint8_t *bytes = malloc(OVERLAY_CLUSTER);
	const struct iovec part = { bytes, OVERLAY_CLUSTER };
	struct disk_io *io;
	struct disk *disk;
	struct stat status;
	char path[64];
	int fd = make_file(path, 0);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 1, OVERLAY_CLUSTER);
	assert_int_equal(disk_io_file_create_take(fd, false, &io), 0);
	assert_int_equal(overlay_format(io, 16ull << 30, 0, nobody), 0);
	io->ops->destroy(io);
	assert_int_equal(disk_io_file_create_take(open(path, O_RDWR | O_CLOEXEC), false, &io), 0);
	assert_int_equal(disk_overlay_create_take(io, NULL, nobody, false, &disk), 0);
	assert_int_equal(disk->size, 16ull << 30);
	for (uint64_t i = 0; i < 16; i++) {
		assert_int_equal(disk_write(disk, i << 30, &part, 1), 0);
	}
	assert_int_equal(disk_flush(disk), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_in_range(status.st_blocks * 512, 16 * OVERLAY_CLUSTER, 20 * OVERLAY_CLUSTER);
	assert_int_equal(disk_zero(disk, 0, 16ull << 30, true), 0);
	assert_int_equal(disk_flush(disk), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_in_range(status.st_blocks * 512, 0, 2 * OVERLAY_CLUSTER);
	disk_destroy(disk);
	unlink(path);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_one_user),
		cmocka_unit_test(test_what_is_no_disk),
		cmocka_unit_test(test_overlay_is_sparse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
