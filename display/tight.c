/*
 * See tight.h. What must stay true: whatever the pixels are, the bytes are a rectangle that every decoder of Tight
 * accepts, and unless the kind is TIGHT_JPEG it decodes to exactly these pixels.
 */
#include "display/tight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "display/palette.h"
#include "display/unit_deflate.h"

/* Compression control, rfbproto 7.7.6: the lowest four bits reset streams, the highest say what follows. */
enum {
	CONTROL_RESET = 0x01,  /* stream 0, the only one that is used */
	CONTROL_FILTER = 0x40, /* basic compression, with a filter id */
	CONTROL_FILL = 0x80,
	CONTROL_JPEG = 0x90,
	FILTER_COPY = 0,
	FILTER_PALETTE = 1,
	UNCOMPRESSED_BELOW = 12, /* bytes: shorter data is sent as it is */
	LENGTH_MAX = 3,          /* bytes of a compact length */
	HEADER_MAX = 3 + PALETTE_MAX * 3 + LENGTH_MAX,
	REPEATS_OF_A_PHOTO = 40, /* per cent of pixels that are as their left neighbour, at most */
};

struct tight {
	struct unit_deflate *deflate;
	tjhandle jpeg;
	struct palette palette;
	uint32_t units[TIGHT_PIXELS_MAX];
};

int tight_create(struct tight **tight)
{
	struct tight *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	error = unit_deflate_create(&created->deflate);
	if (error) {
		free(created);
		return error;
	}
	created->jpeg = tjInitCompress();
	if (!created->jpeg) {
		tight_destroy(created);
		return -ENOMEM;
	}
	*tight = created;
	return 0;
}

void tight_destroy(struct tight *tight)
{
	if (!tight) {
		return;
	}
	if (tight->jpeg) {
		tjDestroy(tight->jpeg);
	}
	unit_deflate_destroy(tight->deflate);
	free(tight);
}

size_t tight_bound(size_t width, size_t height)
{
	size_t lossless = unit_deflate_bound(width * height, 3);
	size_t jpeg = tjBufSize((int)width, (int)height, TJSAMP_444);

	return HEADER_MAX + (lossless > jpeg ? lossless : jpeg);
}

static void put_colour(uint8_t **out, uint32_t colour)
{
	*(*out)++ = (uint8_t)(colour >> 16);
	*(*out)++ = (uint8_t)(colour >> 8);
	*(*out)++ = (uint8_t)colour;
}

/* Seven bits a byte, the highest says that more follow; eight in the third. */
static void put_length(uint8_t **out, size_t length)
{
	*(*out)++ = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
	if (length > 0x7f) {
		*(*out)++ = (uint8_t)((length >> 7 & 0x7f) | (length > 0x3fff ? 0x80 : 0));
	}
	if (length > 0x3fff) {
		*(*out)++ = (uint8_t)(length >> 14);
	}
}

/* The units, compressed with their length before them, or as they are when they are few. Returns the end. */
static uint8_t *put_units(struct tight *tight, size_t count, unsigned unit_bytes, uint8_t *out)
{
	uint8_t *data = out + LENGTH_MAX;
	size_t length;

	if (count * unit_bytes < UNCOMPRESSED_BELOW) {
		for (size_t i = 0; i < count; i++) {
			for (unsigned byte = 0; byte < unit_bytes; byte++) {
				*out++ = (uint8_t)(tight->units[i] >> (8 * byte));
			}
		}
		return out;
	}
	length = unit_deflate_encode(tight->deflate, tight->units, count, unit_bytes, data);
	put_length(&out, length);
	memmove(out, data, length);
	return out + length;
}

static uint8_t *put_bitmap(struct tight *tight, const uint32_t *pixels, size_t stride, size_t width,
    size_t height, uint8_t *out)
{
	uint32_t one = tight->palette.colours[1];
	uint32_t *unit = tight->units;

	for (size_t y = 0; y < height; y++, pixels += stride) {
		for (size_t x = 0; x < width; x += 8) {
			uint32_t bits = 0;

			for (size_t i = 0; i < 8 && x + i < width; i++) {
				bits |= ((pixels[x + i] & 0xffffff) == one ? 0x80u : 0) >> i;
			}
			*unit++ = bits;
		}
	}
	return put_units(tight, (size_t)(unit - tight->units), 1, out);
}

static uint8_t *put_indices(struct tight *tight, const uint32_t *pixels, size_t stride,
    size_t width, size_t height, uint8_t *out)
{
	uint32_t *unit = tight->units;
	uint32_t last = tight->palette.colours[0];
	uint8_t index = 0;

	for (size_t y = 0; y < height; y++, pixels += stride) {
		for (size_t x = 0; x < width; x++) {
			uint32_t colour = pixels[x] & 0xffffff;

			if (colour != last) {
				index = palette_index(&tight->palette, colour);
				last = colour;
			}
			*unit++ = index;
		}
	}
	return put_units(tight, width * height, 1, out);
}

static uint8_t *put_pixels(struct tight *tight, const uint32_t *pixels, size_t stride, size_t width,
    size_t height, uint8_t *out)
{
	uint32_t *unit = tight->units;

	for (size_t y = 0; y < height; y++, pixels += stride) {
		for (size_t x = 0; x < width; x++) {
			*unit++ = __builtin_bswap32(pixels[x]) >> 8;
		}
	}
	return put_units(tight, width * height, 3, out);
}

/* Returns NULL when libjpeg-turbo would not: then it is sent lossless. */
static uint8_t *put_jpeg(struct tight *tight, const uint32_t *pixels, size_t stride, size_t width,
    size_t height, const struct tight_options *options, uint8_t *out)
{
	int subsampling = options->subsample ? TJSAMP_420 : TJSAMP_444;
	unsigned long length = tjBufSize((int)width, (int)height, subsampling);
	unsigned char *data = out + LENGTH_MAX;

	if (tjCompress2(tight->jpeg, (const unsigned char *)pixels, (int)width, (int)(stride * 4),
		(int)height, TJPF_BGRX, &data, &length, subsampling, options->jpeg_quality,
		TJFLAG_NOREALLOC) < 0) {
		return NULL;
	}
	put_length(&out, length);
	memmove(out, data, length);
	return out + length;
}

/* Photographs have hardly two equal pixels beside each other; drawn pictures, gradients included, have many. */
static bool is_photographic(const uint32_t *pixels, size_t stride, size_t width, size_t height)
{
	size_t equal = 0;
	size_t seen = 0;

	for (size_t y = 0; y < height; y += 3, pixels += 3 * stride) {
		for (size_t x = 1; x < width; x++) {
			equal += !((pixels[x] ^ pixels[x - 1]) & 0xffffff);
		}
		seen += width - 1;
	}
	return seen > 64 && equal * 100 < seen * REPEATS_OF_A_PHOTO;
}

static size_t encode_few_colours(struct tight *tight, const uint32_t *pixels, size_t stride,
    size_t width, size_t height, uint8_t *out, enum tight_kind *kind)
{
	const struct palette *palette = &tight->palette;
	uint8_t *end = out;

	if (palette->count == 1) {
		*kind = TIGHT_FILL;
		*end++ = CONTROL_FILL;
		put_colour(&end, palette->colours[0]);
		return (size_t)(end - out);
	}
	*end++ = CONTROL_FILTER | CONTROL_RESET;
	*end++ = FILTER_PALETTE;
	*end++ = (uint8_t)(palette->count - 1);
	for (size_t i = 0; i < palette->count; i++) {
		put_colour(&end, palette->colours[i]);
	}
	*kind = palette->count == 2 ? TIGHT_BITMAP : TIGHT_PALETTE;
	end = palette->count == 2 ? put_bitmap(tight, pixels, stride, width, height, end)
				  : put_indices(tight, pixels, stride, width, height, end);
	return (size_t)(end - out);
}

size_t tight_encode(struct tight *tight, const uint32_t *pixels, size_t stride, size_t width,
    size_t height, const struct tight_options *options, uint8_t *out, enum tight_kind *kind)
{
	uint8_t *end;

	/* A palette that is larger than a third of the pixels saves nothing. */
	if (palette_collect(&tight->palette, pixels, stride, width, height) &&
	    (tight->palette.count <= 2 || tight->palette.count * 3 < width * height)) {
		return encode_few_colours(tight, pixels, stride, width, height, out, kind);
	}
	if (options->jpeg_quality != TIGHT_JPEG_NONE &&
	    is_photographic(pixels, stride, width, height)) {
		end = put_jpeg(tight, pixels, stride, width, height, options, out + 1);
		if (end) {
			*out = CONTROL_JPEG;
			*kind = TIGHT_JPEG;
			return (size_t)(end - out);
		}
	}
	*kind = TIGHT_PIXELS;
	out[0] = CONTROL_FILTER | CONTROL_RESET;
	out[1] = FILTER_COPY;
	end = put_pixels(tight, pixels, stride, width, height, out + 2);
	return (size_t)(end - out);
}
