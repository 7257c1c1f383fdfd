/* Our Huffman codes and our deflate, held against Kraft's sum and zlib's inflate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "display/huffman.h"
#include "display/unit_deflate.h"
#include "tight_decoder.h"

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint32_t reversed(uint32_t code, unsigned length)
{
	uint32_t result = 0;

	for (; length > 0; length--, code >>= 1) {
		result = result << 1 | (code & 1);
	}
	return result;
}

/* Complete (Kraft's sum is exactly one), bounded, a code for whatever occurs, codes as RFC 1951 3.2.2 assigns them. */
static void check_code(const uint32_t *frequencies, size_t count, unsigned limit)
{
	struct huffman_code code;
	uint32_t expected = 0;
	uint64_t sum = 0;

	memset(&code, 0xee, sizeof(code));
	huffman_build(&code, frequencies, count, limit);
	for (size_t i = 0; i < count; i++) {
		assert_true(code.lengths[i] <= limit);
		assert_true(code.lengths[i] > 0 || frequencies[i] == 0);
		sum += code.lengths[i] ? 1u << (limit - code.lengths[i]) : 0;
	}
	assert_int_equal(sum, 1u << limit);
	for (unsigned length = 1; length <= limit; length++, expected <<= 1) {
		for (size_t i = 0; i < count; i++) {
			if (code.lengths[i] == length) {
				assert_int_equal(reversed(code.codes[i], length), expected);
				expected++;
			}
		}
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			if (frequencies[i] > frequencies[j] && frequencies[j] > 0) {
				assert_true(code.lengths[i] <= code.lengths[j]);
			}
		}
	}
}

static void check_limits(const uint32_t *frequencies, size_t count)
{
	for (unsigned limit = 1; limit <= HUFFMAN_LENGTH_MAX; limit++) {
		if (count <= 1u << limit) {
			check_code(frequencies, count, limit);
		}
	}
}

static void test_huffman_degenerate(void **state)
{
	static const size_t counts[] = { 2, 3, 19, 30, 256, 286 };
	uint32_t frequencies[HUFFMAN_SYMBOLS_MAX];

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		size_t count = counts[c];

		memset(frequencies, 0, sizeof(frequencies));
		check_limits(frequencies, count); /* nothing occurs */
		for (size_t only = 0; only < count; only += count / 2) {
			memset(frequencies, 0, sizeof(frequencies));
			frequencies[only] = 196608;
			check_limits(frequencies, count);
			frequencies[count - 1] = 1;
			check_limits(frequencies, count);
		}
		for (size_t i = 0; i < count; i++) {
			frequencies[i] = 7; /* all the same */
		}
		check_limits(frequencies, count);
		for (size_t i = 0; i < count; i++) {
			frequencies[i] = 1; /* one rules */
		}
		frequencies[count / 2] = 1u << 24;
		check_limits(frequencies, count);
	}
}

static void test_huffman_deep(void **state)
{
	uint32_t frequencies[HUFFMAN_SYMBOLS_MAX] = { 1, 1 };

	(void)state;
	/* Fibonacci's numbers give the deepest trees there are. */
	for (size_t i = 2; i < 30; i++) {
		frequencies[i] = frequencies[i - 1] + frequencies[i - 2];
	}
	check_limits(frequencies, 30);
	for (size_t i = 30; i < HUFFMAN_LITERALS; i++) {
		frequencies[i] = 1;
	}
	check_limits(frequencies, HUFFMAN_LITERALS);
}

static void test_huffman_random(void **state)
{
	uint32_t frequencies[HUFFMAN_SYMBOLS_MAX];
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		size_t count = 2 + next_random(&seed) % (HUFFMAN_SYMBOLS_MAX - 1);

		for (size_t i = 0; i < count; i++) {
			unsigned shift = next_random(&seed) % 18;

			frequencies[i] = next_random(&seed) % 3
					     ? next_random(&seed) & ((1u << shift) - 1)
					     : 0;
		}
		check_limits(frequencies, count);
	}
}

enum filling {
	FILL_SAME,
	FILL_RANDOM,
	FILL_FEW,
	FILL_PERIODS,
	FILL_FAR, /* repeats at the edge of deflate's window */
	FILLINGS,
};

static void fill(
    uint32_t *units, size_t count, unsigned unit_bytes, enum filling filling, uint32_t seed)
{
	uint32_t mask = unit_bytes == 1 ? 0xff : 0xffffff;
	size_t far = 32768 / unit_bytes - 1 + seed % 3;
	size_t period = 1 + seed % 300;

	for (size_t i = 0; i < count; i++) {
		uint32_t random = next_random(&seed) & mask;

		switch (filling) {
		case FILL_SAME:
			units[i] = 0x5a5a5a & mask;
			break;
		case FILL_FEW:
			units[i] = random % 3;
			break;
		case FILL_PERIODS:
			units[i] = i >= period && random % 50 ? units[i - period] : random;
			break;
		case FILL_FAR:
			units[i] = i >= far ? units[i - far] : random;
			break;
		default:
			units[i] = random;
		}
	}
}

static void check_stream(struct unit_deflate *encoder, size_t count, unsigned unit_bytes,
    enum filling filling, uint32_t seed)
{
	size_t bound = unit_deflate_bound(count, unit_bytes);
	uint32_t *units = malloc(count * sizeof(*units));
	uint8_t *out = malloc(bound);
	uint8_t *back = malloc(count * unit_bytes);
	size_t size;

	assert_non_null(units);
	assert_non_null(out);
	assert_non_null(back);
	fill(units, count, unit_bytes, filling, seed);
	size = unit_deflate_encode(encoder, units, count, unit_bytes, out);
	assert_true(size <= bound);
	assert_true(inflate_exactly(out, size, back, count * unit_bytes));
	for (size_t i = 0; i < count; i++) {
		for (unsigned byte = 0; byte < unit_bytes; byte++) {
			assert_int_equal(
			    back[i * unit_bytes + byte], units[i] >> (8 * byte) & 0xff);
		}
	}
	free(back);
	free(out);
	free(units);
}

static void test_deflate(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 4, 5, 12, 85, 86, 87, 257, 258, 259, 260, 1000,
		10922, 10923, 10924, 32767, 32768, 32769, 40000, 65535, 65536, 65537, 131072 };
	struct unit_deflate *encoder;

	(void)state;
	assert_int_equal(unit_deflate_create(&encoder), 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (enum filling filling = 0; filling < FILLINGS; filling++) {
			check_stream(encoder, counts[i], 1, filling, (uint32_t)i);
			check_stream(encoder, counts[i], 3, filling, (uint32_t)i);
		}
	}
	for (uint32_t seed = 0; seed < 400; seed++) {
		check_stream(encoder, 1 + seed * 7 % 700, seed % 2 ? 1 : 3, seed % FILLINGS, seed);
	}
	unit_deflate_destroy(encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_huffman_degenerate),
		cmocka_unit_test(test_huffman_deep),
		cmocka_unit_test(test_huffman_random),
		cmocka_unit_test(test_deflate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
