/* When the picture is looked at: never for nobody, at once when asked, and less and less while nothing happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm/scan_pace.h"

static const uint64_t START = 1000000;

static void test_never_without_a_viewer(void **state)
{
	struct scan_pace pace = { 0 };

	(void)state;
	assert_int_equal(scan_pace_next(&pace, START, false), UINT64_MAX);
	scan_pace_on_input(&pace, START);
	scan_pace_on_scan(&pace, START, true);
	assert_int_equal(scan_pace_next(&pace, START + 1, false), UINT64_MAX);
}

static void test_at_once_when_asked(void **state)
{
	struct scan_pace pace = { 0 };

	(void)state;
	scan_pace_on_want(&pace, START);
	assert_int_equal(scan_pace_next(&pace, START, true), START);
	scan_pace_on_scan(&pace, START, false);
	scan_pace_on_want(&pace, START + 500000);
	assert_int_equal(scan_pace_next(&pace, START + 500000, true), START + 500000);
}

/* A viewer that asks and asks does not get more than a scan each millisecond. */
static void test_bounded(void **state)
{
	struct scan_pace pace = { 0 };

	(void)state;
	scan_pace_on_want(&pace, START);
	scan_pace_on_scan(&pace, START, true);
	scan_pace_on_want(&pace, START + 1);
	assert_int_equal(scan_pace_next(&pace, START + 1, true), START + SCAN_PACE_MIN_US);
}

static void test_often_after_input(void **state)
{
	struct scan_pace pace = { 0 };
	uint64_t now = START + 10000000;

	(void)state;
	scan_pace_on_scan(&pace, START, false);
	scan_pace_on_scan(&pace, now, false);
	scan_pace_on_input(&pace, now);
	assert_int_equal(scan_pace_next(&pace, now, true), now + SCAN_PACE_INPUT_US);
	now += SCAN_PACE_INPUT_WINDOW_US;
	scan_pace_on_scan(&pace, now, false);
	assert_int_equal(scan_pace_next(&pace, now, true), now + SCAN_PACE_QUIET_US);
}

static void test_backs_off(void **state)
{
	struct scan_pace pace = { 0 };
	uint64_t now = START;
	uint64_t last = 0;
	unsigned scans = 0;

	(void)state;
	scan_pace_on_scan(&pace, now, true);
	assert_int_equal(scan_pace_next(&pace, now, true) - now, SCAN_PACE_BUSY_US);
	while (now < START + 5000000) {
		uint64_t next = scan_pace_next(&pace, now, true);

		assert_true(next - now >= last); /* never sooner than before */
		last = next - now;
		now = next;
		scan_pace_on_scan(&pace, now, false);
		scans++;
	}
	assert_int_equal(last, SCAN_PACE_QUIET_US);
	assert_true(scans < 250);
	/* And back again with the first change. */
	scan_pace_on_scan(&pace, now, true);
	assert_int_equal(scan_pace_next(&pace, now, true) - now, SCAN_PACE_BUSY_US);
}

/* A scan that comes late is due now, not in the past. */
static void test_late(void **state)
{
	struct scan_pace pace = { 0 };

	(void)state;
	scan_pace_on_scan(&pace, START, true);
	assert_int_equal(scan_pace_next(&pace, START + 50000, true), START + 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_without_a_viewer),
		cmocka_unit_test(test_at_once_when_asked),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_often_after_input),
		cmocka_unit_test(test_backs_off),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
