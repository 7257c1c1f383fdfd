/* See parts.h. What must stay true: a slice never reaches beyond the parts it was cut from. */
#include "vmm/disk/parts.h"

#include <string.h>

int parts_slice(
    const struct iovec *parts, int count, uint64_t skip, uint64_t size, struct iovec *slice)
{
	int used = 0;

	for (int i = 0; i < count && size > 0; i++) {
		size_t length = parts[i].iov_len;

		if (skip >= length) {
			skip -= length;
			continue;
		}
		length -= (size_t)skip;
		length = length < size ? length : (size_t)size;
		slice[used].iov_base = (uint8_t *)parts[i].iov_base + skip;
		slice[used++].iov_len = length;
		size -= length;
		skip = 0;
	}
	return used;
}

void parts_gather(const struct iovec *parts, int count, void *bytes, size_t size)
{
	uint8_t *to = bytes;

	for (int i = 0; i < count && size > 0; i++) {
		size_t length = parts[i].iov_len < size ? parts[i].iov_len : size;

		memcpy(to, parts[i].iov_base, length);
		to += length;
		size -= length;
	}
}

void parts_clear(const struct iovec *parts, int count)
{
	for (int i = 0; i < count; i++) {
		memset(parts[i].iov_base, 0, parts[i].iov_len);
	}
}
