/* A last frame file with any contents: refused, or every row that it promises can be read. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { HEADER = 24 };
	int fd = memfd_create("frame", MFD_CLOEXEC);
	struct frame frame;

	if (fd < 0) {
		return 0;
	}
	/* The header as given; the rows, if any, begin after its page. */
	if (size >= HEADER && write(fd, data, HEADER) == HEADER &&
	    pwrite(fd, data + HEADER, size - HEADER, FRAME_HEADER_SIZE) ==
		(ssize_t)(size - HEADER) &&
	    frame_map(fd, &frame) == 0) {
		volatile uint8_t sum = 0;

		for (uint32_t y = 0; y < frame.height; y++) {
			sum = (uint8_t)(sum + frame.pixels[(size_t)y * frame.stride]);
			sum = (uint8_t)(sum + frame.pixels[(size_t)(y + 1) * frame.stride - 1]);
		}
		frame_unmap(&frame);
	}
	close(fd);
	return 0;
}
