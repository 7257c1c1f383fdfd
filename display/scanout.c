/*
 * The messages of the link between a VMM and a display process (display/scanout.h), as bytes. Both
 * ends link this file, so that there is one reading of the format. What must stay true: whatever
 * passes the decoders lies inside the memory that the message claims, with room for no overflow in
 * 32-bit arithmetic on byte offsets (stride * height <= 1 GiB).
 */
#include "display/scanout.h"

#include <errno.h>

#include "base/checked.h"

enum {
	PIXEL_SIZE = 4,
	STRIDE_MAX = SCANOUT_SIZE_MAX * PIXEL_SIZE,
};

void scanout_encode(const struct scanout *scanout, struct wire *wire)
{
	wire_put_u32(wire, scanout->id);
	wire_put_u32(wire, scanout->format);
	wire_put_u32(wire, scanout->width);
	wire_put_u32(wire, scanout->height);
	wire_put_u32(wire, scanout->stride);
	wire_put_u64(wire, scanout->offset);
	wire_put_u64(wire, scanout->memory_size);
}

int scanout_decode(struct wire *wire, struct scanout *scanout)
{
	struct scanout read = {
		.id = wire_get_u32(wire),
	};

	read.format = wire_get_u32(wire);
	read.width = wire_get_u32(wire);
	read.height = wire_get_u32(wire);
	read.stride = wire_get_u32(wire);
	read.offset = wire_get_u64(wire);
	read.memory_size = wire_get_u64(wire);
	if (!wire_ok(wire) || read.id == 0 || read.format != SCANOUT_FORMAT_XRGB8888) {
		return -EPROTO;
	}
	if (read.width == 0 || read.width > SCANOUT_SIZE_MAX || read.height == 0 ||
	    read.height > SCANOUT_SIZE_MAX) {
		return -EPROTO;
	}
	if (read.stride < read.width * PIXEL_SIZE || read.stride > STRIDE_MAX ||
	    read.stride % PIXEL_SIZE != 0 || read.offset % PIXEL_SIZE != 0) {
		return -EPROTO;
	}
	if (!checked_range(read.offset, (uint64_t)read.stride * read.height, read.memory_size)) {
		return -EPROTO;
	}
	*scanout = read;
	return 0;
}

void scanout_damage_encode(const struct scanout_damage *damage, struct wire *wire)
{
	wire_put_u32(wire, damage->scanout_id);
	wire_put_u64(wire, damage->found_us);
	if (damage->span_count > SCANOUT_SPANS_MAX) {
		wire_fail(wire);
		return;
	}
	wire_put_u16(wire, (uint16_t)damage->span_count);
	for (size_t i = 0; i < damage->span_count; i++) {
		wire_put_u32(wire, damage->spans[i].offset);
		wire_put_u32(wire, damage->spans[i].length);
	}
}

int scanout_damage_decode(
    struct wire *wire, const struct scanout *scanout, struct scanout_damage *damage)
{
	uint64_t size = (uint64_t)scanout->stride * scanout->height;
	size_t count;

	damage->span_count = 0;
	damage->scanout_id = wire_get_u32(wire);
	damage->found_us = wire_get_u64(wire);
	count = wire_get_u16(wire);
	if (!wire_ok(wire) || count > SCANOUT_SPANS_MAX) {
		return -EPROTO;
	}
	if (damage->scanout_id != scanout->id) {
		return -ESTALE;
	}
	for (size_t i = 0; i < count; i++) {
		struct scanout_span *span = &damage->spans[i];

		span->offset = wire_get_u32(wire);
		span->length = wire_get_u32(wire);
		if (!checked_range(span->offset, span->length, size)) {
			return -EPROTO;
		}
	}
	if (!wire_ok(wire)) {
		return -EPROTO;
	}
	damage->span_count = count;
	return 0;
}
