/*
 * The file that keeps the last frame of a suspended desktop, so that it is on the viewer's screen before the desktop
 * itself is back. Written by the VMM, read by the display process and by `tanmatsu screenshot`, all of which treat it
 * as hostile. Layout, little-endian: magic "TMFRAME1", u32 width, u32 height, u32 stride (width * 4), u32 format
 * (SCANOUT_FORMAT_*), then from byte 4096 on the rows. Mapped, not read.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"

enum {
	FRAME_HEADER_SIZE = 4096,
};

struct frame {
	uint32_t width, height, stride; /* pixels, pixels, bytes */
	uint32_t format;
	const uint8_t *pixels;
	void *mapping;
	uint64_t mapping_size;
};

/* Writes header and rows (each `stride` bytes apart in `pixels`) to an empty file; not fsynced. 0 or -errno. */
must_check int frame_write(
    int fd, uint32_t width, uint32_t height, uint32_t stride, const void *pixels);
/* Maps the frame privately and read-only. 0, -EPROTO when it is not a frame or is cut, or -errno. */
must_check int frame_map(int fd, struct frame *frame);
void frame_unmap(struct frame *frame);
