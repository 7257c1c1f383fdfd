/* Who may wait at the door: sshd's curve, the limit per source, and that a flood drops itself and not the guest behind it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hostd/admission.h"

static const struct admission_limits LIMITS = {
	.begin = 10, .rate = 30, .full = 100, .per_source = 25
};

static struct admission *make(void)
{
	struct admission *admission = test_calloc(1, sizeof(*admission));

	admission->limits = LIMITS;
	return admission;
}

static struct source numbered(uint32_t number)
{
	struct source source = { 0 };

	memcpy(source.bytes, &number, sizeof(number));
	source.bytes[15] = 1;
	return source;
}

static struct admission_decision enter(
    struct admission *admission, uint64_t id, uint32_t from, uint32_t random)
{
	struct source source = numbered(from);

	return admission_enter(admission, id, &source, random);
}

static void test_below_begin_all_come_in(void **state)
{
	struct admission *admission = make();

	(void)state;
	for (uint32_t i = 0; i < LIMITS.begin; i++) {
		struct admission_decision decision = enter(admission, i + 1, i, 0);

		assert_true(decision.accept);
		assert_false(decision.drop);
	}
	test_free(admission);
}

/* From 10 on 30 percent, at 55 half way to 100, i.e. 65 percent: one of the waiting is dropped for the new one. */
static void test_the_curve_is_sshds(void **state)
{
	static const struct {
		uint32_t count, percent;
	} points[] = { { 10, 30 }, { 55, 65 }, { 99, 99 } };

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		uint32_t edge = (uint32_t)(((uint64_t)points[i].percent << 32) / 100);

		for (int side = 0; side < 2; side++) {
			struct admission *admission = make();
			struct admission_decision decision;

			/* The highest random number drops nobody while there is room. */
			for (uint32_t j = 0; j < points[i].count; j++) {
				assert_true(enter(admission, j + 1, j / 2, UINT32_MAX).accept);
			}
			decision = enter(
			    admission, 9999, 9999, side == 0 ? edge - 100 : edge + 100);
			assert_true(decision.accept);
			assert_int_equal(decision.drop, side == 0);
			test_free(admission);
		}
	}
}

/* A single connection of an address is not dropped early, whatever the dice say. */
static void test_single_ones_are_left_alone(void **state)
{
	struct admission *admission = make();

	(void)state;
	for (uint32_t i = 0; i < LIMITS.full; i++) {
		struct admission_decision decision = enter(admission, i + 1, i, 0);

		assert_true(decision.accept);
		assert_false(decision.drop);
	}
	assert_int_equal(enter(admission, 9999, 9999, 0).drop_id, 1);
	test_free(admission);
}

static void test_never_more_than_full(void **state)
{
	struct admission *admission = make();

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(enter(admission, i + 1, i, UINT32_MAX).accept);
		assert_true(admission_count(admission) <= LIMITS.full);
	}
	assert_int_equal(admission_count(admission), LIMITS.full);
	test_free(admission);
}

/* 100 silent connections of each of 10 addresses; then somebody else, who is neither refused nor dropped. */
static void test_a_flood_drops_itself(void **state)
{
	struct admission *admission = make();
	struct admission_decision decision;
	uint64_t id = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		(void)enter(admission, ++id, i % 10, 0);
	}
	decision = enter(admission, 77777, 500, UINT32_MAX / 2);
	assert_true(decision.accept);
	for (uint32_t i = 0; i < 1000; i++) {
		decision = enter(admission, ++id, i % 10, 0);
		assert_true(!decision.drop || decision.drop_id != 77777);
	}
	assert_int_equal(admission_state_of(admission, 77777), ADMISSION_WAITING);
	test_free(admission);
}

static void test_one_source_drops_its_own_oldest(void **state)
{
	struct admission *admission = make();
	struct admission_decision decision;

	(void)state;
	for (uint32_t i = 1; i <= LIMITS.per_source; i++) {
		assert_true(enter(admission, i, 7, UINT32_MAX).accept);
	}
	decision = enter(admission, 1000, 7, UINT32_MAX);
	assert_true(decision.accept && decision.drop);
	assert_int_equal(decision.drop_id, 1);
	test_free(admission);
}

/* Guesses keep their place until their answer is due, also when the guesser hangs up. */
static void test_penalties_fill_the_sources_places(void **state)
{
	struct admission *admission = make();

	(void)state;
	for (uint32_t i = 1; i <= LIMITS.per_source; i++) {
		assert_true(enter(admission, i, 7, UINT32_MAX).accept);
		admission_mark(admission, i, ADMISSION_PENALTY);
	}
	assert_false(enter(admission, 1000, 7, UINT32_MAX).accept);
	assert_true(enter(admission, 1001, 8, UINT32_MAX).accept);
	admission_leave(admission, 3);
	assert_true(enter(admission, 1002, 7, UINT32_MAX).accept);
	test_free(admission);
}

static void test_who_is_being_checked_is_not_dropped(void **state)
{
	struct admission *admission = make();

	(void)state;
	assert_true(enter(admission, 1, 7, UINT32_MAX).accept);
	admission_mark(admission, 1, ADMISSION_BUSY);
	for (uint32_t i = 2; i < 500; i++) {
		struct admission_decision decision = enter(admission, i, 7, 0);

		assert_true(!decision.drop || decision.drop_id != 1);
	}
	admission_leave(admission, 1);
	admission_leave(admission, 1); /* twice: nothing */
	admission_mark(admission, 1, ADMISSION_BUSY);
	assert_int_equal(admission_state_of(admission, 1), ADMISSION_FREE);
	test_free(admission);
}

static struct source of(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		return source_from_address((const struct sockaddr *)&in);
	}
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return source_from_address((const struct sockaddr *)&in6);
}

static bool same(const char *a, const char *b)
{
	struct source first = of(a);
	struct source second = of(b);

	return source_equal(&first, &second);
}

static void test_sources(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char text[64];

	(void)state;
	assert_true(same("192.0.2.7", "::ffff:192.0.2.7"));
	assert_false(same("192.0.2.7", "192.0.2.8"));
	assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(same("::ffff:192.0.2.7", "::ffff:192.0.2.8"));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr), 1);
	source_describe((const struct sockaddr *)&in6, text, sizeof(text));
	assert_string_equal(text, "192.0.2.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below_begin_all_come_in),
		cmocka_unit_test(test_the_curve_is_sshds),
		cmocka_unit_test(test_single_ones_are_left_alone),
		cmocka_unit_test(test_never_more_than_full),
		cmocka_unit_test(test_a_flood_drops_itself),
		cmocka_unit_test(test_one_source_drops_its_own_oldest),
		cmocka_unit_test(test_penalties_fill_the_sources_places),
		cmocka_unit_test(test_who_is_being_checked_is_not_dropped),
		cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
