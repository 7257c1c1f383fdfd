/* Which host a snapshot may go on on, and that its table is read without belief. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cpuid.h"
#include "vmm/tsc.h"

static const struct cpuid host = {
	.count = 6,
	.entries = {
		{ 0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69 },
		{ 1, 0, 0, 0x000606a6, 0x00010800, 0xfffa3203, 0x0f8bfbff },
		{ 7, 0, 1, 1, 0x219c07ab, 0x1840073e, 0xac004410 },
		{ 0xd, 0, 1, 0x2e7, 0xa88, 0xa88, 0 },
		{ 0xd, 2, 1, 0x100, 0x240, 0, 0 },
		{ 0x80000001, 0, 0, 0, 0, 0x121, 0x2c100800 },
	},
};

static void test_same(void **state)
{
	(void)state;
	assert_null(cpuid_obstacle(&host, &host));
}

static void test_more_is_fine(void **state)
{
	struct cpuid saved = host;

	(void)state;
	saved.entries[2].ebx &= ~(1u << 5);
	saved.entries[1].eax += 1; /* stepping */
	assert_null(cpuid_obstacle(&saved, &host));
	saved.entries[1].ecx ^= 1u << 27; /* OSXSAVE is the guest's own */
	assert_null(cpuid_obstacle(&saved, &host));
}

static void test_obstacles(void **state)
{
	struct cpuid saved;

	(void)state;
	saved = host;
	saved.entries[0].ecx ^= 1;
	assert_non_null(strstr(cpuid_obstacle(&saved, &host), "another maker"));
	saved = host;
	saved.entries[1].eax ^= 1 << 16;
	assert_non_null(strstr(cpuid_obstacle(&saved, &host), "another model"));
	saved = host;
	saved.entries[2].ebx |= 1u << 2;
	assert_non_null(strstr(cpuid_obstacle(&saved, &host), "feature"));
	saved = host;
	saved.entries[3].eax |= 1u << 17;
	assert_non_null(strstr(cpuid_obstacle(&saved, &host), "feature"));
	saved = host;
	saved.entries[4].ebx = 0x340;
	assert_non_null(strstr(cpuid_obstacle(&saved, &host), "extended state"));
	saved = host;
	saved.count = 0;
	assert_non_null(cpuid_obstacle(&saved, &host));
}

static void test_codec(void **state)
{
	uint8_t bytes[4 + 6 * 28];
	struct cpuid decoded;
	struct wire wire;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	cpuid_encode(&host, &wire);
	assert_int_equal(wire.position, sizeof(bytes));
	wire_init_read(&wire, bytes, sizeof(bytes));
	assert_int_equal(cpuid_decode(&wire, &decoded), 0);
	assert_memory_equal(decoded.entries, host.entries, sizeof(host.entries));
	for (size_t length = 0; length < sizeof(bytes); length++) {
		uint8_t *copy = malloc(length ? length : 1);

		memcpy(copy, bytes, length);
		wire_init_read(&wire, copy, length);
		assert_int_equal(cpuid_decode(&wire, &decoded), -EPROTO);
		free(copy);
	}
	for (uint32_t count = 0; count < 300; count++) {
		memcpy(bytes, &count, sizeof(count));
		wire_init_read(&wire, bytes, sizeof(bytes));
		assert_int_equal(cpuid_decode(&wire, &decoded), count == 6 ? 0 : -EPROTO);
	}
}

static void test_frequency(void **state)
{
	(void)state;
	assert_true(tsc_frequency_near(2000000, 2000000));
	assert_true(tsc_frequency_near(2000500, 2000000));
	assert_true(tsc_frequency_near(1999500, 2000000));
	assert_false(tsc_frequency_near(2000501, 2000000));
	assert_false(tsc_frequency_near(1, UINT32_MAX));
	assert_false(tsc_frequency_near(UINT32_MAX, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_more_is_fine),
		cmocka_unit_test(test_obstacles),
		cmocka_unit_test(test_codec),
		cmocka_unit_test(test_frequency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
