/*
 * The last frame file (display/frame.h). What must stay true: a mapping that frame_map() returns
 * covers every row that its numbers promise at the time of the call; whoever shares the file with a
 * process that could cut it copies the rows out at once.
 */
#include "display/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/wire.h"
#include "display/scanout.h"

enum {
	PIXEL_SIZE = 4,
	HEADER_USED = 24, /* magic and four numbers; the rest of the header is zero */
};

static const char frame_magic[8] = { 'T', 'M', 'F', 'R', 'A', 'M', 'E', '1' };

int frame_write(int fd, uint32_t width, uint32_t height, uint32_t stride, const void *pixels)
{
	uint8_t header[FRAME_HEADER_SIZE] = { 0 };
	struct wire wire;
	uint64_t row = (uint64_t)width * PIXEL_SIZE;
	int error;

	if (width == 0 || width > SCANOUT_SIZE_MAX || height == 0 || height > SCANOUT_SIZE_MAX ||
	    stride < row) {
		return -EINVAL;
	}
	wire_init_write(&wire, header, sizeof(header));
	wire_put_bytes(&wire, frame_magic, sizeof(frame_magic));
	wire_put_u32(&wire, width);
	wire_put_u32(&wire, height);
	wire_put_u32(&wire, (uint32_t)row);
	wire_put_u32(&wire, SCANOUT_FORMAT_XRGB8888);
	error = fd_pwrite_all(fd, header, sizeof(header), 0);
	if (!error && stride == row) {
		return fd_pwrite_all(fd, pixels, row * height, FRAME_HEADER_SIZE);
	}
	for (uint32_t y = 0; !error && y < height; y++) {
		error = fd_pwrite_all(fd, (const uint8_t *)pixels + (size_t)y * stride, row,
		    FRAME_HEADER_SIZE + y * row);
	}
	return error;
}

int frame_map(int fd, struct frame *frame)
{
	uint8_t header[HEADER_USED];
	struct stat status;
	struct wire wire;
	uint8_t magic[sizeof(frame_magic)];
	struct frame read = { 0 };
	int error;

	memset(frame, 0, sizeof(*frame));
	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (!S_ISREG(status.st_mode)) {
		return -EPROTO;
	}
	error = fd_pread_all(fd, header, sizeof(header), 0);
	if (error) {
		return error == -ENODATA ? -EPROTO : error;
	}
	wire_init_read(&wire, header, sizeof(header));
	wire_get_bytes(&wire, magic, sizeof(magic));
	read.width = wire_get_u32(&wire);
	read.height = wire_get_u32(&wire);
	read.stride = wire_get_u32(&wire);
	read.format = wire_get_u32(&wire);
	if (!wire_done(&wire) || memcmp(magic, frame_magic, sizeof(magic)) != 0 ||
	    read.width == 0 || read.width > SCANOUT_SIZE_MAX || read.height == 0 ||
	    read.height > SCANOUT_SIZE_MAX || read.stride != read.width * PIXEL_SIZE ||
	    read.format != SCANOUT_FORMAT_XRGB8888) {
		return -EPROTO;
	}
	read.mapping_size = FRAME_HEADER_SIZE + (uint64_t)read.stride * read.height;
	if (status.st_size < 0 || (uint64_t)status.st_size < read.mapping_size) {
		return -EPROTO;
	}
	read.mapping = mmap(NULL, read.mapping_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (read.mapping == MAP_FAILED) {
		return -errno;
	}
	read.pixels = (const uint8_t *)read.mapping + FRAME_HEADER_SIZE;
	*frame = read;
	return 0;
}

void frame_unmap(struct frame *frame)
{
	if (frame->mapping) {
		munmap(frame->mapping, frame->mapping_size);
	}
	memset(frame, 0, sizeof(*frame));
}
