/* Reads and writes that finish, at their bounds, on files and on pipes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static int open_memory(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_close(void **state)
{
	int fd = open_memory();
	int number = fd;

	(void)state;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(number, F_GETFD), -1);
	fd_close(&fd);
	assert_int_equal(fd, -1);
}

static void test_positions(void **state)
{
	char bytes[6];
	int fd = open_memory();

	(void)state;
	assert_int_equal(fd_pwrite_all(fd, "hello", 5, 3), 0);
	assert_int_equal(fd_pread_all(fd, bytes, 5, 3), 0);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(fd_pread_all(fd, bytes, 3, 0), 0);
	assert_memory_equal(bytes, "\0\0\0", 3);
	assert_int_equal(fd_pread_all(fd, bytes, 6, 3), -ENODATA);
	assert_int_equal(fd_pread_all(fd, bytes, 0, 100), 0);
	assert_int_equal(fd_pread_all(fd, bytes, 1, UINT64_MAX), -ENODATA);
	assert_int_equal(fd_pwrite_all(fd, "x", 1, UINT64_MAX), -EFBIG);
	assert_int_equal(fd_pwrite_all(fd, "x", 1, INT64_MAX), -EFBIG);
	assert_int_equal(fd_pread_all(-1, bytes, 1, 0), -EBADF);
	fd_close(&fd);
}

static void test_whole_file(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	char *content = malloc(100000);
	char *data;
	size_t size;

	(void)state;
	assert_non_null(content);
	memset(content, 'c', 100000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = open_memory();

		assert_int_equal(fd_write_all(fd, content, sizes[i]), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fd_read_file(fd, sizes[i], &data, &size), 0);
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(data, content, size);
		assert_int_equal(data[size], '\0');
		free(data);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		if (sizes[i] > 0) {
			assert_int_equal(fd_read_file(fd, sizes[i] - 1, &data, &size), -EFBIG);
		}
		fd_close(&fd);
	}
	assert_int_equal(fd_read_file(-1, 10, &data, &size), -EBADF);
	free(content);
}

/* A pipe does not tell its size and gives what there is. */
static void test_pipe(void **state)
{
	int ends[2];
	char *data;
	size_t size;
	char *content = malloc(30000);

	(void)state;
	assert_non_null(content);
	memset(content, 'p', 30000);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(ends[1], content, 30000), 0);
	fd_close(&ends[1]);
	assert_int_equal(fd_read_file(ends[0], SIZE_MAX, &data, &size), 0);
	assert_int_equal(size, 30000);
	assert_memory_equal(data, content, size);
	free(data);
	free(content);
	fd_close(&ends[0]);

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_set_nonblocking(ends[0]), 0);
	assert_true(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_read_file(ends[0], 10, &data, &size), -EAGAIN);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_int_equal(fd_set_nonblocking(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
