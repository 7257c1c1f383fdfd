/* The byte cursor: layout, every way to run over an end, and that a failure stays one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/wire.h"

static void test_numbers_have_fixed_layout(void **state)
{
	static const uint8_t expected[] = {
		0x01, /* u8 */
		0x03,
		0x02, /* u16 */
		0x07,
		0x06,
		0x05,
		0x04, /* u32 */
		0x0f,
		0x0e,
		0x0d,
		0x0c,
		0x0b,
		0x0a,
		0x09,
		0x08, /* u64 */
		0x12,
		0x34, /* be16 */
		0x12,
		0x34,
		0x56,
		0x78, /* be32 */
		0x01,
		0x00, /* bool */
		0x02,
		0x00,
		'h',
		'i', /* string */
		0x00,
		0x00, /* NULL */
		0xaa,
		0xbb,
	};
	uint8_t bytes[sizeof(expected)];
	char string[3] = "xx";
	uint8_t tail[2];
	struct wire wire;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, 1);
	wire_put_u16(&wire, 0x0203);
	wire_put_u32(&wire, 0x04050607);
	wire_put_u64(&wire, 0x08090a0b0c0d0e0f);
	wire_put_be16(&wire, 0x1234);
	wire_put_be32(&wire, 0x12345678);
	wire_put_bool(&wire, true);
	wire_put_bool(&wire, false);
	wire_put_string(&wire, "hi");
	wire_put_string(&wire, NULL);
	wire_put_bytes(&wire, "\xaa\xbb", 2);
	assert_true(wire_done(&wire));
	assert_memory_equal(bytes, expected, sizeof(expected));

	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(wire_remaining(&wire), sizeof(bytes));
	assert_int_equal(wire_get_u8(&wire), 1);
	assert_int_equal(wire_get_u16(&wire), 0x0203);
	assert_int_equal(wire_get_u32(&wire), 0x04050607);
	assert_true(wire_get_u64(&wire) == 0x08090a0b0c0d0e0f);
	assert_int_equal(wire_get_be16(&wire), 0x1234);
	assert_int_equal(wire_get_be32(&wire), 0x12345678);
	assert_true(wire_get_bool(&wire));
	assert_false(wire_get_bool(&wire));
	wire_get_string(&wire, string, sizeof(string));
	assert_string_equal(string, "hi");
	wire_get_string(&wire, string, sizeof(string));
	assert_string_equal(string, "");
	assert_false(wire_done(&wire));
	wire_get_bytes(&wire, tail, sizeof(tail));
	assert_int_equal(tail[1], 0xbb);
	assert_true(wire_done(&wire));
}

static void test_read_past_the_end(void **state)
{
	const uint8_t bytes[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t out[16];
	struct wire wire;

	(void)state;
	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(wire_get_u64(&wire), 0);
	assert_false(wire_ok(&wire));
	assert_int_equal(wire_remaining(&wire), 0);
	/* Bytes that are there are not given any more. */
	assert_int_equal(wire_get_u8(&wire), 0);
	assert_int_equal(wire.position, 0);

	wire_init_read(&wire, bytes, sizeof(bytes));
	memset(out, 0x55, sizeof(out));
	wire_get_bytes(&wire, out, sizeof(out));
	assert_false(wire_ok(&wire));
	for (size_t i = 0; i < sizeof(out); i++) {
		assert_int_equal(out[i], 0);
	}

	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(wire_get_u32(&wire), 0xffffffff);
	assert_null(wire_get_view(&wire, SIZE_MAX));
	assert_false(wire_ok(&wire));
	assert_null(wire_get_view(&wire, 1));

	wire_init_read(&wire, NULL, 0);
	assert_true(wire_done(&wire));
	assert_non_null(wire_get_view(&wire, 0));
	assert_int_equal(wire_get_be16(&wire), 0);
	assert_false(wire_done(&wire));
}

static void test_write_past_the_end(void **state)
{
	uint8_t bytes[8];
	struct wire wire;

	(void)state;
	memset(bytes, 0x55, sizeof(bytes));
	wire_init_write(&wire, bytes, 6);
	wire_put_u32(&wire, 0);
	wire_put_u32(&wire, 0);
	assert_false(wire_ok(&wire));
	wire_put_u8(&wire, 0); /* would fit, but the wire has failed */
	assert_int_equal(bytes[4], 0x55);
	assert_int_equal(wire.position, 4);

	wire_init_write(&wire, bytes, 6);
	wire_put_string(&wire, "12345");
	assert_false(wire_ok(&wire));
	assert_int_equal(wire.position, 0);
	assert_int_equal(bytes[0], 0);
}

static void test_wrong_direction(void **state)
{
	uint8_t bytes[4] = { 0 };
	struct wire wire;

	(void)state;
	wire_init_read(&wire, bytes, sizeof(bytes));
	wire_put_u8(&wire, 1);
	assert_false(wire_ok(&wire));
	assert_int_equal(bytes[0], 0);
	wire_init_write(&wire, bytes, sizeof(bytes));
	assert_int_equal(wire_get_u8(&wire), 0);
	assert_false(wire_ok(&wire));
}

static void test_bad_values(void **state)
{
	const uint8_t two[] = { 2 };
	const uint8_t with_nul[] = { 3, 0, 'a', 0, 'b' };
	const uint8_t cut[] = { 5, 0, 'a', 'b' };
	char string[4] = "old";
	struct wire wire;

	(void)state;
	wire_init_read(&wire, two, sizeof(two));
	assert_false(wire_get_bool(&wire));
	assert_false(wire_ok(&wire));
	wire_init_read(&wire, with_nul, sizeof(with_nul));
	wire_get_string(&wire, string, sizeof(string));
	assert_false(wire_ok(&wire));
	assert_string_equal(string, "");
	wire_init_read(&wire, cut, sizeof(cut));
	memcpy(string, "old", 4);
	wire_get_string(&wire, string, sizeof(string));
	assert_false(wire_ok(&wire));
	assert_string_equal(string, "");
	/* Three characters and the NUL fit into four, four do not. */
	wire_init_read(&wire, "\3\0abc", 5);
	wire_get_string(&wire, string, sizeof(string));
	assert_true(wire_done(&wire));
	assert_string_equal(string, "abc");
	wire_init_read(&wire, "\4\0abcd", 6);
	wire_get_string(&wire, string, sizeof(string));
	assert_false(wire_ok(&wire));
	wire_init_read(&wire, "\0\0", 2);
	wire_get_string(&wire, string, 0);
	assert_false(wire_ok(&wire));
	wire_init_read(&wire, "\1", 1);
	wire_fail(&wire);
	assert_int_equal(wire_get_u8(&wire), 0);
}

static void test_growing(void **state)
{
	char *long_string = malloc(UINT16_MAX + 2);
	struct wire wire;

	(void)state;
	assert_non_null(long_string);
	memset(long_string, 'x', UINT16_MAX + 1);
	long_string[UINT16_MAX + 1] = '\0';

	wire_init_growing(&wire, 1000);
	for (uint32_t i = 0; i < 250; i++) {
		wire_put_u32(&wire, i);
	}
	assert_true(wire_ok(&wire));
	assert_int_equal(wire.position, 1000);
	assert_int_equal(wire.data[996], 249);
	wire_put_u8(&wire, 0);
	assert_false(wire_ok(&wire));
	wire_fini(&wire);
	assert_false(wire_ok(&wire));
	wire_fini(&wire);

	wire_init_growing(&wire, 200000);
	wire_put_string(&wire, long_string);
	assert_false(wire_ok(&wire));
	wire_fini(&wire);
	long_string[UINT16_MAX] = '\0';
	wire_init_growing(&wire, 200000);
	wire_put_string(&wire, long_string);
	assert_true(wire_ok(&wire));
	assert_int_equal(wire.position, UINT16_MAX + 2);
	wire_fini(&wire);

	/* Nothing written, nothing owned. */
	wire_init_growing(&wire, 10);
	wire_put_bytes(&wire, NULL, 0);
	assert_true(wire_ok(&wire));
	wire_fini(&wire);
	free(long_string);
}

static void test_checked(void **state)
{
	uint64_t number = 7;
	size_t size = 7;

	(void)state;
	assert_false(checked_add_u64(UINT64_MAX, 1, &number));
	assert_true(checked_add_u64(UINT64_MAX - 1, 1, &number));
	assert_true(number == UINT64_MAX);
	assert_false(checked_mul_u64(1ull << 32, 1ull << 32, &number));
	assert_false(checked_add_size(SIZE_MAX, 1, &size));
	assert_true(checked_mul_size(SIZE_MAX, 1, &size));
	assert_true(checked_range(0, 0, 0));
	assert_true(checked_range(10, 0, 10));
	assert_true(checked_range(4, 6, 10));
	assert_false(checked_range(4, 7, 10));
	assert_false(checked_range(11, 0, 10));
	assert_false(checked_range(4, UINT64_MAX, 10));
	assert_false(checked_range(UINT64_MAX, 1, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_have_fixed_layout),
		cmocka_unit_test(test_read_past_the_end),
		cmocka_unit_test(test_write_past_the_end),
		cmocka_unit_test(test_wrong_direction),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
