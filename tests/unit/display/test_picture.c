/* The viewer's picture against a model: what differs is copied and told, nothing else is copied, and little more is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "display/picture.h"
#include "display/scanout.h"

struct marks {
	struct picture *picture;
	uint8_t *told; /* width * height */
	size_t rectangles;
	uint64_t pixels;
};

static void mark(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct marks *marks = context;

	assert_true(width > 0 && height > 0);
	assert_true(x + width <= marks->picture->width && y + height <= marks->picture->height);
	for (uint32_t row = y; row < y + height; row++) {
		memset(marks->told + (size_t)row * marks->picture->width + x, 1, width);
	}
	marks->rectangles++;
	marks->pixels += (uint64_t)width * height;
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 11) % limit;
}

/* Paints a random rectangle of the source and adds the spans of its rows, a page at a time. */
static size_t paint(
    uint8_t *pixels, const struct picture_source *source, struct scanout_span *spans, size_t count)
{
	uint32_t x = random_below(source->width);
	uint32_t y = random_below(source->height);
	uint32_t width = 1 + random_below(source->width - x);
	uint32_t height = 1 + random_below(source->height - y);
	uint32_t first = y * source->stride + x * 4;
	uint32_t end = (y + height - 1) * source->stride + (x + width) * 4;
	uint32_t size = source->stride * source->height;

	for (uint32_t row = y; row < y + height; row++) {
		for (uint32_t column = x; column < x + width; column++) {
			uint32_t value = random_below(8) ? random_below(3) : 0;

			memcpy(pixels + (size_t)row * source->stride + column * 4, &value, 4);
		}
	}
	first &= ~511u;
	end = (end + 511) & ~511u;
	spans[count] = (struct scanout_span){ first, (end < size ? end : size) - first };
	return count + 1;
}

static void check_round(
    struct picture *picture, const struct picture_source *source, uint8_t *source_pixels)
{
	size_t pixel_count = (size_t)picture->width * picture->height;
	struct marks marks = { .picture = picture, .told = calloc(pixel_count, 1) };
	uint32_t *before = malloc(pixel_count * 4);
	struct scanout_span spans[4];
	size_t count = 0;

	for (uint32_t i = 0; i <= random_below(3); i++) {
		count = paint(source_pixels, source, spans, count);
	}
	memcpy(before, picture->pixels, pixel_count * 4);
	picture_copy_spans(picture, source, spans, count, mark, &marks);
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			size_t at = (size_t)y * picture->width + x;
			uint32_t wanted = before[at];

			if (x < source->width && y < source->height) {
				memcpy(&wanted, source->pixels + (size_t)y * source->stride + x * 4,
				    4);
			}
			assert_int_equal(picture->pixels[at], wanted);
			if (before[at] != wanted) {
				assert_true(marks.told[at]);
			}
		}
	}
	free(before);
	free(marks.told);
}

static void test_against_model(void **state)
{
	(void)state;
	for (int sequence = 0; sequence < 1000; sequence++) {
		uint32_t width = 1 + random_below(150);
		uint32_t height = 1 + random_below(60);
		uint32_t source_width = random_below(4) ? width : 1 + random_below(150);
		uint32_t source_height = random_below(4) ? height : 1 + random_below(60);
		struct picture_source source = {
			.width = source_width,
			.height = source_height,
			.stride = source_width * 4 + random_below(3) * 4,
		};
		uint8_t *pixels = calloc(source.stride, source.height);
		struct picture picture;

		source.pixels = pixels;
		assert_int_equal(picture_init(&picture, width, height), 0);
		for (int round = 0; round < 10; round++) {
			check_round(&picture, &source, pixels);
		}
		picture_fini(&picture);
		free(pixels);
	}
}

static void test_unchanged_tells_nothing(void **state)
{
	struct picture picture;
	uint8_t *pixels = calloc(640 * 4, 480);
	struct picture_source source = { pixels, 640, 480, 640 * 4 };
	struct scanout_span all = { 0, 640 * 4 * 480 };
	struct marks marks = { .picture = &picture, .told = calloc(640, 480) };

	(void)state;
	assert_int_equal(picture_init(&picture, 640, 480), 0);
	picture_copy_spans(&picture, &source, &all, 1, mark, &marks);
	assert_int_equal(marks.rectangles, 0);
	/* A letter of 7 x 11 pixels is one rectangle of that size, over the edge of a tile as well. */
	for (size_t y = 25; y < 36; y++) {
		memset(pixels + y * 640 * 4 + 61 * 4, 0xff, 7 * 4);
	}
	picture_copy_spans(&picture, &source, &all, 1, mark, &marks);
	assert_int_equal(marks.rectangles, 1);
	assert_int_equal(marks.pixels, 7 * 11);
	/* All of it is one rectangle. */
	memset(pixels, 0x55, 640 * 4 * 480);
	marks.rectangles = 0;
	marks.pixels = 0;
	picture_copy_spans(&picture, &source, &all, 1, mark, &marks);
	assert_int_equal(marks.rectangles, 1);
	assert_int_equal(marks.pixels, 640 * 480);
	picture_fini(&picture);
	free(pixels);
	free(marks.told);
}

static void test_sizes(void **state)
{
	struct picture picture;

	(void)state;
	assert_int_equal(picture_init(&picture, 0, 1), -EINVAL);
	assert_int_equal(picture_init(&picture, 1, 0), -EINVAL);
	assert_int_equal(picture_init(&picture, 65536, 1), -EINVAL);
	assert_int_equal(picture_init(&picture, 16384, 16384), -EINVAL);
	assert_int_equal(picture_init(&picture, 0xffffffff, 0xffffffff), -EINVAL);
	assert_int_equal(picture_init(&picture, 3840, 2160), 0);
	picture_fini(&picture);
	assert_int_equal(picture_init(&picture, 1, 1), 0);
	picture_fini(&picture);
}

/* A smaller desktop than before leaves black around it. */
static void test_whole_copy_blackens(void **state)
{
	struct picture picture;
	uint8_t pixels[20 * 10 * 4];
	struct picture_source source = { pixels, 20, 10, 20 * 4 };
	struct marks marks = { .picture = &picture, .told = calloc(40, 30) };

	(void)state;
	memset(pixels, 0x11, sizeof(pixels));
	assert_int_equal(picture_init(&picture, 40, 30), 0);
	memset(picture.pixels, 0xff, 40 * 30 * 4);
	picture_copy(&picture, &source, mark, &marks);
	for (uint32_t y = 0; y < 30; y++) {
		for (uint32_t x = 0; x < 40; x++) {
			assert_int_equal(
			    picture.pixels[y * 40 + x], x < 20 && y < 10 ? 0x11111111 : 0);
			assert_true(marks.told[y * 40 + x]);
		}
	}
	picture_fini(&picture);
	free(marks.told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_unchanged_tells_nothing),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_whole_copy_blackens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
