/* Zeros as a hole. What must stay true: where holes are not to be had, the bytes are written, and nothing else changes. */
#include "vmm/disk/zeros.h"

#include <errno.h>

enum {
	ZEROS = 64 * 1024,
};

int zeros_put(struct disk_io *io, uint64_t offset, uint64_t size)
{
	static const uint8_t zeros[ZEROS];
	int error = io->ops->punch(io, offset, size);

	if (error != -EOPNOTSUPP) {
		return error;
	}
	error = 0;
	while (size > 0 && !error) {
		/* A writer reads its parts only. */
		const struct iovec part = { (void *)(uintptr_t)zeros, size < ZEROS ? size : ZEROS };

		error = io->ops->write(io, offset, &part, 1);
		offset += part.iov_len;
		size -= part.iov_len;
	}
	return error;
}
