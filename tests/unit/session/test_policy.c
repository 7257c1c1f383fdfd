/* Settings of host, image and user laid over each other. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/policy.h"

static void test_layers(void **state)
{
	struct policy_layer host = { .set = POLICY_SET_MEMORY | POLICY_SET_ON_DISCONNECT,
		.values = { .memory_mib = 1024, .on_disconnect = POLICY_DISCONNECT_KEEP } };
	struct policy_layer image = { .set = POLICY_SET_MEMORY | POLICY_SET_SIZE,
		.values = { .memory_mib = 2048, .width = 1920, .height = 1080, .vcpus = 9 } };
	struct policy_layer user = { .set = POLICY_SET_ON_DISCONNECT | POLICY_SET_DISCONNECT_GRACE,
		.values = { .on_disconnect = POLICY_DISCONNECT_PAUSE, .disconnect_grace_us = 0 } };
	const struct policy_layer *all[] = { &host, &image, &user };
	const struct policy_layer *some[] = { &host, NULL, NULL };
	struct policy policy, standard;

	(void)state;
	memset(&policy, 0, sizeof(policy)); /* padding too, for the comparison */
	memset(&standard, 0, sizeof(standard));
	policy_default(&standard);
	policy_resolve(all, 3, &policy);
	assert_int_equal(policy.memory_mib, 2048);
	assert_int_equal(policy.on_disconnect, POLICY_DISCONNECT_PAUSE);
	assert_int_equal(policy.disconnect_grace_us, 0);
	assert_int_equal(policy.width, 1920);
	assert_int_equal(policy.height, 1080);
	assert_int_equal(policy.vcpus, standard.vcpus); /* its bit is not set */
	policy_resolve(some, 3, &policy);
	assert_int_equal(policy.memory_mib, 1024);
	assert_int_equal(policy.on_disconnect, POLICY_DISCONNECT_KEEP);
	policy_resolve(NULL, 0, &policy);
	assert_memory_equal(&policy, &standard, sizeof(policy));
}

static void test_every_setting_is_applied(void **state)
{
	struct policy_layer layer = { .set = ~0u };
	const struct policy_layer *layers[] = { &layer };
	struct policy policy;

	(void)state;
	layer.values = (struct policy){ .on_disconnect = POLICY_DISCONNECT_SHUTDOWN,
		.disconnect_grace_us = 1234567,
		.honour_hold = false,
		.busy_permille = 17,
		.stop_timeout_us = 7654321,
		.keep_generations = 5,
		.memory_mib = 333,
		.vcpus = 3,
		.width = 640,
		.height = 480 };
	policy_resolve(layers, 1, &policy);
	assert_int_equal(policy.on_disconnect, POLICY_DISCONNECT_SHUTDOWN);
	assert_int_equal(policy.disconnect_grace_us, 1234567);
	assert_false(policy.honour_hold);
	assert_int_equal(policy.busy_permille, 17);
	assert_int_equal(policy.stop_timeout_us, 7654321);
	assert_int_equal(policy.keep_generations, 5);
	assert_int_equal(policy.memory_mib, 333);
	assert_int_equal(policy.vcpus, 3);
	assert_int_equal(policy.width, 640);
	assert_int_equal(policy.height, 480);
}

static void test_bounds(void **state)
{
	struct policy_layer layer = { .set = ~0u };
	const struct policy_layer *layers[] = { &layer };
	struct policy policy;

	(void)state;
	memset(&layer.values, 0xff, sizeof(layer.values));
	layer.values.honour_hold = true;
	policy_resolve(layers, 1, &policy);
	assert_int_equal(policy.on_disconnect, POLICY_DISCONNECT_SUSPEND);
	assert_int_equal(policy.memory_mib, POLICY_MEMORY_MAX_MIB);
	assert_int_equal(policy.vcpus, POLICY_VCPUS_MAX);
	assert_int_equal(policy.width, POLICY_SIZE_MAX);
	assert_int_equal(policy.disconnect_grace_us, UINT64_C(1000000) * POLICY_GRACE_MAX_S);
	assert_int_equal(policy.keep_generations, POLICY_KEEP_GENERATIONS_MAX);
	memset(&layer.values, 0, sizeof(layer.values));
	policy_resolve(layers, 1, &policy);
	assert_int_equal(policy.memory_mib, POLICY_MEMORY_MIN_MIB);
	assert_int_equal(policy.vcpus, 1);
	assert_int_equal(policy.height, POLICY_SIZE_MIN);
	assert_int_equal(policy.keep_generations, 1);
	assert_int_equal(policy.stop_timeout_us, 1000000);
}

static void test_names(void **state)
{
	(void)state;
	for (enum policy_disconnect i = 0; i <= POLICY_DISCONNECT_SHUTDOWN; i++) {
		enum policy_disconnect back = 99;

		assert_int_equal(policy_disconnect_parse(policy_disconnect_name(i), &back), 0);
		assert_int_equal(back, i);
	}
	enum policy_disconnect unused;

	assert_int_equal(policy_disconnect_parse("Suspend", &unused), -EINVAL);
	assert_int_equal(policy_disconnect_parse("", &unused), -EINVAL);
	assert_string_equal(policy_disconnect_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_every_setting_is_applied),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
