/* Small helpers on file descriptors. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must_check.h"

/* Closes *fd if it is open (>= 0) and sets it to -1. */
void fd_close(int *fd);
/* Writes all of it or fails: 0 or -errno. EINTR is retried. */
must_check int fd_write_all(int fd, const void *data, size_t size);
must_check int fd_pwrite_all(int fd, const void *data, size_t size, uint64_t offset);
/* Reads exactly `size` bytes at `offset`: 0, -ENODATA when the file ends before, or -errno. */
must_check int fd_pread_all(int fd, void *data, size_t size, uint64_t offset);
/* Reads the whole file, at most `limit` bytes (-EFBIG above), into malloc'ed memory with a NUL
 * after it. */
must_check int fd_read_file(int fd, size_t limit, char **data, size_t *size);
must_check int fd_set_nonblocking(int fd);
