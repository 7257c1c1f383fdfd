/* Guest memory: no address, length or sum of both reaches outside of RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "vmm/guestmem.h"

static const uint64_t MIB = 1 << 20;

static void test_create_refuses_sizes(void **state)
{
	struct guestmem memory;

	(void)state;
	assert_int_equal(guestmem_create(&memory, 0), -EINVAL);
	assert_int_equal(guestmem_create(&memory, 4095), -EINVAL);
	assert_int_equal(guestmem_create(&memory, 1ull << 62), -ENOMEM);
	guestmem_fini(&memory);
}

static void test_read_write(void **state)
{
	struct guestmem memory;
	uint8_t bytes[8] = { 0 };

	(void)state;
	assert_int_equal(guestmem_create(&memory, 16 * MIB), 0);
	assert_int_equal(memory.low_size, 16 * MIB);
	assert_int_equal(guestmem_write(&memory, 16 * MIB - 8, "12345678", 8), 0);
	assert_int_equal(guestmem_read(&memory, 16 * MIB - 8, bytes, 8), 0);
	assert_memory_equal(bytes, "12345678", 8);
	assert_int_equal(guestmem_fill(&memory, 16 * MIB - 8, 0xaa, 4), 0);
	assert_int_equal(guestmem_read(&memory, 16 * MIB - 8, bytes, 8), 0);
	assert_memory_equal(bytes,
	    "\xaa\xaa\xaa\xaa"
	    "5678",
	    8);
	guestmem_fini(&memory);
}

static void test_bounds(void **state)
{
	struct guestmem memory;
	uint8_t bytes[16];
	const struct {
		uint64_t address;
		size_t size;
		bool inside;
	} cases[] = {
		{ 0, 0, true },
		{ 0, 1, true },
		{ 16 * MIB, 0, true },
		{ 16 * MIB, 1, false },
		{ 16 * MIB - 1, 1, true },
		{ 16 * MIB - 1, 2, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX - 7, 8, false },
		{ UINT64_MAX - 7, 16, false },
		{ GUESTMEM_HIGH_BASE, 1, false },
		{ GUESTMEM_LOW_END, 1, false },
	};

	(void)state;
	assert_int_equal(guestmem_create(&memory, 16 * MIB), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int expected = cases[i].inside ? 0 : -EFAULT;

		assert_int_equal(
		    guestmem_read(&memory, cases[i].address, bytes, cases[i].size), expected);
		assert_int_equal(
		    guestmem_write(&memory, cases[i].address, bytes, cases[i].size), expected);
		assert_int_equal(
		    guestmem_fill(&memory, cases[i].address, 0, cases[i].size), expected);
		assert_int_equal(
		    guestmem_contains(&memory, cases[i].address, cases[i].size), cases[i].inside);
		assert_int_equal(guestmem_view(&memory, cases[i].address, cases[i].size) != NULL,
		    cases[i].inside);
	}
	assert_false(guestmem_contains(&memory, 0, UINT64_MAX));
	assert_false(guestmem_contains(&memory, 4096, UINT64_MAX));
	guestmem_fini(&memory);
}

/* 3 GiB and a bit: what does not fit below the gap goes on above, and nothing crosses. */
static void test_gap(void **state)
{
	struct guestmem memory;
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(guestmem_create(&memory, GUESTMEM_LOW_END + 2 * MIB), 0);
	assert_int_equal(memory.low_size, GUESTMEM_LOW_END);
	assert_int_equal(guestmem_write(&memory, GUESTMEM_HIGH_BASE, "h", 1), 0);
	assert_int_equal(memory.host[GUESTMEM_LOW_END], 'h');
	assert_int_equal(guestmem_write(&memory, GUESTMEM_LOW_END - 1, "l", 1), 0);
	assert_int_equal(guestmem_read(&memory, GUESTMEM_HIGH_BASE + 2 * MIB - 1, &byte, 1), 0);
	assert_int_equal(guestmem_read(&memory, GUESTMEM_HIGH_BASE + 2 * MIB, &byte, 1), -EFAULT);
	assert_int_equal(guestmem_read(&memory, GUESTMEM_LOW_END, &byte, 1), -EFAULT);
	assert_null(guestmem_view(&memory, GUESTMEM_LOW_END - 1, 2));
	assert_null(guestmem_view(&memory, GUESTMEM_HIGH_BASE - 1, 2));
	guestmem_fini(&memory);
}

static void test_single_values(void **state)
{
	struct guestmem memory;
	uint16_t value = 0;

	(void)state;
	assert_int_equal(guestmem_create(&memory, MIB), 0);
	assert_int_equal(guestmem_store_u16(&memory, 2, 0xbeef), 0);
	assert_int_equal(guestmem_load_u16(&memory, 2, &value), 0);
	assert_int_equal(value, 0xbeef);
	assert_int_equal(guestmem_load_u16(&memory, 3, &value), -EFAULT); /* not one access */
	assert_int_equal(guestmem_store_u16(&memory, MIB - 1, 0), -EFAULT);
	assert_int_equal(guestmem_store_u16(&memory, MIB, 0), -EFAULT);
	guestmem_fini(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_refuses_sizes),
		cmocka_unit_test(test_read_write),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_single_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
