/*
 * Lossless compression into a zlib stream (RFC 1950, RFC 1951) that any decoder of Tight or ZRLE inflates. What is
 * compressed are units of three bytes (pixels) or of one (palette indices, bitmaps): a match finder that knows the width
 * of a pixel looks only where a match can begin, which makes it several times as fast as a general one on the same bytes,
 * and smaller than its fastest level on text.
 *
 * One encoder serves one thread at a time; nothing is kept from one call to the next.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

struct unit_deflate;

must_check int unit_deflate_create(struct unit_deflate **encoder);
void unit_deflate_destroy(struct unit_deflate *encoder);

/* Bytes that `units` units can become at most. */
size_t unit_deflate_bound(size_t units, unsigned unit_bytes);

/*
 * Compresses `count` units of `unit_bytes` (1 or 3) bytes, the first byte of each in its lowest bits and the rest zero,
 * into `out`, which has room for unit_deflate_bound(). The stream is complete for a decoder that was reset before and
 * ends at a byte, with a sync flush and without a trailer, as Tight and ZRLE want it. Returns the bytes written.
 */
size_t unit_deflate_encode(struct unit_deflate *encoder, const uint32_t *units, size_t count,
    unsigned unit_bytes, uint8_t *out);
