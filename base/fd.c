/*
 * Reads and writes that finish. What must stay true: a short transfer is continued, EINTR is
 * retried, and a transfer that makes no progress ends with an error instead of a loop.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	READ_FIRST =
	    4096, /* bytes of the first allocation for a file that does not tell its size */
};

void fd_close(int *fd)
{
	if (*fd >= 0) {
		/* Linux releases the number even on EINTR; a second close() could hit somebody
		 * else's. */
		close(*fd);
		*fd = -1;
	}
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t count = write(fd, bytes, size);

		if (count < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		if (count == 0) {
			return -EIO;
		}
		bytes += count;
		size -= (size_t)count;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *bytes = data;

	if (offset > INT64_MAX || size > INT64_MAX - offset) {
		return -EFBIG;
	}
	while (size > 0) {
		ssize_t count = pwrite(fd, bytes, size, (off_t)offset);

		if (count < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		if (count == 0) {
			return -EIO;
		}
		bytes += count;
		size -= (size_t)count;
		offset += (size_t)count;
	}
	return 0;
}

int fd_pread_all(int fd, void *data, size_t size, uint64_t offset)
{
	char *bytes = data;

	if (offset > INT64_MAX || size > INT64_MAX - offset) {
		return -ENODATA;
	}
	while (size > 0) {
		ssize_t count = pread(fd, bytes, size, (off_t)offset);

		if (count < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		if (count == 0) {
			return -ENODATA;
		}
		bytes += count;
		size -= (size_t)count;
		offset += (size_t)count;
	}
	return 0;
}

/* How much to allocate first: what the file says it is, so that the usual file is read in one
 * piece. */
static size_t first_capacity(int fd, size_t limit)
{
	struct stat status;
	size_t capacity = READ_FIRST;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
		capacity = (size_t)status.st_size + 1;
	}
	return capacity > limit + 1 ? limit + 1 : capacity;
}

int fd_read_file(int fd, size_t limit, char **data, size_t *size)
{
	size_t capacity;
	size_t used = 0;
	char *buffer;
	int error;

	if (limit > SSIZE_MAX - 2) {
		limit = SSIZE_MAX - 2;
	}
	/* One byte more than the limit is read for, to tell "exactly the limit" from "more". */
	capacity = first_capacity(fd, limit);
	buffer = malloc(capacity + 1);
	if (!buffer) {
		return -ENOMEM;
	}
	for (;;) {
		ssize_t count = read(fd, buffer + used, capacity - used);

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			error = -errno;
			goto fail;
		}
		if (count == 0) {
			break;
		}
		used += (size_t)count;
		if (used > limit) {
			error = -EFBIG;
			goto fail;
		}
		if (used == capacity) {
			char *larger;

			capacity = capacity > (limit + 1) / 2 ? limit + 1 : capacity * 2;
			larger = realloc(buffer, capacity + 1);
			if (!larger) {
				error = -ENOMEM;
				goto fail;
			}
			buffer = larger;
		}
	}
	buffer[used] = '\0';
	*data = buffer;
	*size = used;
	return 0;

fail:
	free(buffer);
	return error;
}

int fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		return -errno;
	}
	return 0;
}
