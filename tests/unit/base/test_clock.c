/* The clocks: their units, their agreement with the system's, and that one of them never goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static uint64_t system_ns(clockid_t clock)
{
	struct timespec now;

	assert_int_equal(clock_gettime(clock, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void test_units(void **state)
{
	uint64_t before = system_ns(CLOCK_MONOTONIC);
	uint64_t ns = clock_monotonic_ns();
	uint64_t us = clock_monotonic_us();
	uint64_t after = system_ns(CLOCK_MONOTONIC);

	(void)state;
	assert_in_range(ns, before, after);
	assert_in_range(us, before / 1000, after / 1000);
	before = system_ns(CLOCK_REALTIME);
	us = clock_realtime_us();
	after = system_ns(CLOCK_REALTIME);
	assert_in_range(us, before / 1000, after / 1000);
}

static void test_monotonic_does_not_go_back(void **state)
{
	uint64_t last = clock_monotonic_ns();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_monotonic_ns();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_monotonic_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
