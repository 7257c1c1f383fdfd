/*
 * Tight rectangles of every kind, colour count and odd size, through our own decoder and through libvncclient's: valid to
 * the last byte, and the same pixels unless a JPEG was allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "decoding.h"
#include "display/tight.h"
#include "tight_decoder.h"

enum {
	HEADER = 4 + 12, /* of an update with one rectangle */
	STRIDE_MORE = 5,
};

static const struct tight_options lossless = { .jpeg_quality = TIGHT_JPEG_NONE };

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct rectangle {
	size_t width, height, stride;
	uint32_t *pixels;
};

static struct rectangle rectangle_make(size_t width, size_t height)
{
	struct rectangle rectangle = { width, height, width + STRIDE_MORE, NULL };

	rectangle.pixels = malloc(rectangle.stride * height * sizeof(uint32_t));
	assert_non_null(rectangle.pixels);
	return rectangle;
}

/* `colours` different ones (or as many as there are pixels), in the lowest 24 bits; the unused byte is noise. */
static void paint_colours(struct rectangle *rectangle, uint32_t colours, uint32_t seed)
{
	uint32_t number = 0;
	uint32_t first = seed % 7;

	for (size_t y = 0; y < rectangle->height; y++) {
		for (size_t x = 0; x < rectangle->stride; x++) {
			uint32_t index = number < colours ? number : next_random(&seed) % colours;

			number += x < rectangle->width;
			rectangle->pixels[y * rectangle->stride + x] = (index * 0x10307u + first) %
									   0x1000000u |
								       next_random(&seed) << 24;
		}
	}
}

/* Soft shapes with grain, as a camera has. */
static void paint_photo(struct rectangle *rectangle, uint32_t seed)
{
	for (size_t y = 0; y < rectangle->height; y++) {
		for (size_t x = 0; x < rectangle->stride; x++) {
			uint32_t grain = next_random(&seed) % 8;
			uint32_t red = (uint32_t)(x * 180 / rectangle->stride) + grain + 30;
			uint32_t green = (uint32_t)(y * 150 / rectangle->height) + grain + 40;

			rectangle->pixels[y * rectangle->stride + x] = red << 16 | green << 8 |
								       (red + green) / 2;
		}
	}
}

static bool is_same(const struct rectangle *rectangle, const uint32_t *pixels, uint32_t tolerance)
{
	for (size_t y = 0; y < rectangle->height; y++) {
		for (size_t x = 0; x < rectangle->width; x++) {
			uint32_t a = rectangle->pixels[y * rectangle->stride + x];
			uint32_t b = pixels[y * rectangle->width + x];

			for (unsigned shift = 0; shift < 24; shift += 8) {
				int32_t difference = (int32_t)(a >> shift & 0xff) -
						     (int32_t)(b >> shift & 0xff);

				if ((uint32_t)abs(difference) > tolerance) {
					return false;
				}
			}
		}
	}
	return true;
}

static enum tight_kind check(
    struct tight *tight, const struct rectangle *rectangle, const struct tight_options *options)
{
	size_t width = rectangle->width;
	size_t height = rectangle->height;
	size_t bound = tight_bound(width, height);
	uint8_t *message = malloc(HEADER + bound);
	uint32_t *pixels = malloc(width * height * sizeof(*pixels));
	struct decoding *decoding = decoding_create((uint32_t)width, (uint32_t)height);
	enum tight_kind kind, seen;
	uint32_t tolerance;
	struct wire wire;
	size_t size;

	assert_non_null(message);
	assert_non_null(pixels);
	size = tight_encode(tight, rectangle->pixels, rectangle->stride, width, height, options,
	    message + HEADER, &kind);
	assert_true(size <= bound);
	tolerance = kind == TIGHT_JPEG ? 48 : 0;
	assert_true(tight_decode(message + HEADER, size, width, height, pixels, &seen));
	assert_int_equal(seen, kind);
	assert_true(is_same(rectangle, pixels, tolerance));

	wire_init_write(&wire, message, HEADER);
	wire_put_be16(&wire, 0);
	wire_put_be16(&wire, 1);
	wire_put_be32(&wire, 0);
	wire_put_be16(&wire, (uint16_t)width);
	wire_put_be16(&wire, (uint16_t)height);
	wire_put_be32(&wire, 7);
	assert_true(decoding_feed(decoding, message, HEADER + size));
	assert_true(is_same(rectangle, decoding_pixels(decoding), tolerance));
	decoding_destroy(decoding);
	free(pixels);
	free(message);
	return kind;
}

static const size_t sizes[][2] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 1 }, { 3, 3 }, { 4, 3 },
	{ 7, 9 }, { 8, 8 }, { 9, 7 }, { 11, 1 }, { 12, 1 }, { 13, 1 }, { 15, 2 }, { 16, 16 },
	{ 17, 16 }, { 63, 65 }, { 1, 2049 }, { 257, 255 }, { 640, 204 }, { 1280, 102 },
	{ 1920, 68 }, { 2047, 3 }, { 2048, 64 }, { 2048, 1 }, { 1, 65535 }, { 3, 43690 } };
static const uint32_t colour_counts[] = { 1, 2, 3, 4, 16, 17, 255, 256, 257, 1000, 1 << 24 };

static void test_sizes_and_colours(void **state)
{
	struct tight *tight = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rectangle rectangle = rectangle_make(sizes[i][0], sizes[i][1]);

		for (size_t j = 0; j < sizeof(colour_counts) / sizeof(colour_counts[0]); j++) {
			size_t pixels = rectangle.width * rectangle.height;
			uint32_t colours = colour_counts[j];
			enum tight_kind kind;

			paint_colours(&rectangle, colours, (uint32_t)(i * 100 + j));
			kind = check(tight, &rectangle, &lossless);
			colours = colours < pixels ? colours : (uint32_t)pixels;
			if (colours <= 2) {
				assert_int_equal(kind, colours == 1 ? TIGHT_FILL : TIGHT_BITMAP);
			} else {
				assert_int_equal(kind, colours <= 256 && colours * 3 < pixels
							   ? TIGHT_PALETTE
							   : TIGHT_PIXELS);
			}
		}
		free(rectangle.pixels);
	}
}

static void test_widths_around_limits(void **state)
{
	struct tight *tight = *state;

	for (size_t width = 1; width <= 34; width++) {
		for (uint32_t colours = 1; colours <= 3; colours++) {
			struct rectangle rectangle = rectangle_make(width, 1 + width % 5);

			paint_colours(&rectangle, colours, (uint32_t)width);
			check(tight, &rectangle, &lossless);
			free(rectangle.pixels);
		}
	}
	for (size_t width = 2041; width <= TIGHT_WIDTH_MAX; width++) {
		struct rectangle rectangle = rectangle_make(width, 3);

		paint_colours(&rectangle, 2, (uint32_t)width);
		check(tight, &rectangle, &lossless);
		free(rectangle.pixels);
	}
}

/* Text of one colour on another, of which parts are overpainted at random. */
static void test_random_damage(void **state)
{
	struct rectangle rectangle = rectangle_make(301, 211);
	struct tight *tight = *state;
	uint32_t seed = 5;

	memset(rectangle.pixels, 0xff, rectangle.stride * rectangle.height * sizeof(uint32_t));
	for (unsigned round = 0; round < 300; round++) {
		size_t x1 = next_random(&seed) % rectangle.width;
		size_t y1 = next_random(&seed) % rectangle.height;
		uint32_t colours = 1 + next_random(&seed) % 400;
		struct rectangle part = { 1 + next_random(&seed) % (rectangle.width - x1),
			1 + next_random(&seed) % (rectangle.height - y1), rectangle.stride,
			rectangle.pixels + y1 * rectangle.stride + x1 };

		for (size_t y = 0; y < part.height; y++) {
			for (size_t x = 0; x < part.width; x++) {
				part.pixels[y * part.stride + x] = (next_random(&seed) % colours) *
								   77777u;
			}
		}
		check(tight, &part, &lossless);
		if (round % 10 == 0) {
			check(tight, &rectangle, &lossless);
		}
	}
	free(rectangle.pixels);
}

static void test_jpeg_only_when_asked(void **state)
{
	static const struct tight_options half = { .jpeg_quality = 60, .subsample = true };
	static const struct tight_options full = { .jpeg_quality = 95 };
	struct tight *tight = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rectangle rectangle = rectangle_make(sizes[i][0], sizes[i][1]);
		size_t pixels = rectangle.width * rectangle.height;

		paint_photo(&rectangle, (uint32_t)i);
		assert_int_not_equal(check(tight, &rectangle, &lossless), TIGHT_JPEG);
		if (rectangle.width >= 16 && pixels > 4096) {
			assert_int_equal(check(tight, &rectangle, &full), TIGHT_JPEG);
			assert_int_equal(check(tight, &rectangle, &half), TIGHT_JPEG);
		} else {
			check(tight, &rectangle, &half);
		}
		/* What is drawn stays exact, whatever the viewer would put up with. */
		paint_colours(&rectangle, 9, (uint32_t)i);
		assert_int_not_equal(check(tight, &rectangle, &half), TIGHT_JPEG);
		free(rectangle.pixels);
	}
}

static int set_up(void **state)
{
	return tight_create((struct tight **)state);
}

static int tear_down(void **state)
{
	tight_destroy(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_and_colours),
		cmocka_unit_test(test_widths_around_limits),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_jpeg_only_when_asked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
