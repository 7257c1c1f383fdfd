/* Delays of failed logins: they grow, they hit who failed, and nobody else. Time is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hostd/throttle.h"

static const uint64_t SECOND = 1000 * 1000;
static const struct source HERE = { .bytes = { 1 } };
static const struct source THERE = { .bytes = { 2 } };

enum {
	ALICE = 11,
	MALLORY = 12,
};

static struct throttle *make(void)
{
	return test_calloc(1, sizeof(struct throttle));
}

static void test_grows_to_thirty_seconds(void **state)
{
	static const uint64_t expected[] = { 1, 1, 2, 4, 8, 16, 30, 30 };
	struct throttle *throttle = make();
	uint64_t now = 100 * SECOND;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(throttle_failed(throttle, &HERE, ALICE, now, now + 5),
		    now + expected[i] * SECOND);
		now += 60 * SECOND;
	}
	test_free(throttle);
}

static void test_never_answers_in_the_past(void **state)
{
	struct throttle *throttle = make();

	(void)state;
	/* PAM itself took four seconds. */
	assert_int_equal(
	    throttle_failed(throttle, &HERE, ALICE, 10 * SECOND, 14 * SECOND), 14 * SECOND);
	test_free(throttle);
}

static void test_unknown_user_takes_the_same_time(void **state)
{
	struct throttle *known = make();
	struct throttle *unknown = make();

	(void)state;
	/* PAM answers faster for a user who is not there: the viewer does not see it. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(throttle_failed(known, &HERE, ALICE, 0, 200 * 1000),
		    throttle_failed(unknown, &HERE, MALLORY, 0, 1000));
	}
	test_free(known);
	test_free(unknown);
}

static void test_a_right_password_waits_for_nobody_else(void **state)
{
	struct throttle *throttle = make();
	uint64_t now = 5 * SECOND;

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)throttle_failed(
		    throttle, &THERE, ALICE, now, now); /* her name, from elsewhere */
		(void)throttle_failed(
		    throttle, &HERE, MALLORY, now, now); /* another name, from her place */
	}
	assert_int_equal(throttle_start_time(throttle, &HERE, ALICE, now), now);
	/* But the guesser waits before the next guess is even looked at, though never longer than the login time allows. */
	assert_int_equal(
	    throttle_start_time(throttle, &THERE, ALICE, now), now + THROTTLE_START_MAX_US);
	test_free(throttle);
}

static void test_own_slip_costs_one_answer(void **state)
{
	struct throttle *throttle = make();
	uint64_t answer = throttle_failed(throttle, &HERE, ALICE, 0, 1);

	(void)state;
	assert_int_equal(answer, SECOND);
	assert_int_equal(throttle_start_time(throttle, &HERE, ALICE, answer + 1), answer + 1);
	/* Without waiting for the answer: held until it is due. */
	assert_int_equal(throttle_start_time(throttle, &HERE, ALICE, 10), answer);
	test_free(throttle);
}

static void test_success_clears_the_pair_only(void **state)
{
	struct throttle *throttle = make();
	uint64_t now = 5 * SECOND;

	(void)state;
	for (int i = 0; i < 6; i++) {
		(void)throttle_failed(throttle, &HERE, ALICE, now, now);
		(void)throttle_failed(throttle, &THERE, ALICE, now, now);
	}
	throttle_succeeded(throttle, &HERE, ALICE);
	assert_int_equal(throttle_start_time(throttle, &HERE, ALICE, now), now);
	assert_true(throttle_start_time(throttle, &THERE, ALICE, now) > now);
	throttle_succeeded(throttle, &HERE, 4711); /* never seen: nothing happens */
	test_free(throttle);
}

static void test_forgets(void **state)
{
	struct throttle *throttle = make();
	uint64_t later = THROTTLE_FORGET_US + 100 * SECOND;

	(void)state;
	for (int i = 0; i < 8; i++) {
		(void)throttle_failed(throttle, &HERE, ALICE, 0, 0);
	}
	assert_int_equal(throttle_start_time(throttle, &HERE, ALICE, later), later);
	assert_int_equal(throttle_failed(throttle, &HERE, ALICE, later, later), later + SECOND);
	test_free(throttle);
}

/* More sources and names than there is room for: the oldest are forgotten, the current attack is not. */
static void test_full_table_keeps_the_newest(void **state)
{
	struct throttle *throttle = make();
	struct source source = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 3 * THROTTLE_ENTRIES; i++) {
		source.bytes[0] = (uint8_t)i;
		source.bytes[1] = (uint8_t)(i >> 8);
		(void)throttle_failed(throttle, &source, 1000 + i, i, i);
	}
	for (int i = 0; i < 5; i++) {
		(void)throttle_failed(throttle, &HERE, ALICE, SECOND, SECOND);
	}
	assert_int_equal(throttle_failed(throttle, &HERE, ALICE, SECOND, SECOND), 17 * SECOND);
	test_free(throttle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_thirty_seconds),
		cmocka_unit_test(test_never_answers_in_the_past),
		cmocka_unit_test(test_unknown_user_takes_the_same_time),
		cmocka_unit_test(test_a_right_password_waits_for_nobody_else),
		cmocka_unit_test(test_own_slip_costs_one_answer),
		cmocka_unit_test(test_success_clears_the_pair_only),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_full_table_keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
