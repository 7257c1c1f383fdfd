/* The monitor's messages: round trips, every cut, every integer changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/control.h"

static const struct vmm_config good = {
	.session = "alice",
	.user = "alice",
	.host = "host",
	.timezone_minutes = -330,
	.memory_mib = 64,
	.vcpus = 2,
	.width = 1024,
	.height = 768,
	.command_line = "quiet",
	.resumes = 3,
	.generation_id = { 1, 2, 3 },
	.snapshot_generation = 7,
	.descriptors = VMM_FD_KVM | VMM_FD_CONSOLE | VMM_FD_STATE,
	.layer_count = 2,
	.console_limit = 1 << 20,
	.disk_count = 2,
	.disks = { { .format = VMM_DISK_OVERLAY,
		       .has_base = true,
		       .base_id = { 5, 6, 7 },
		       .serial = "12345678901234567890" },
	    { .format = VMM_DISK_RAW, .read_only = true, .serial = "home" } },
};

static size_t encode(const struct vmm_config *config, uint8_t *bytes, size_t size)
{
	struct wire wire;

	wire_init_write(&wire, bytes, size);
	vmm_config_encode(config, &wire);
	assert_true(wire_ok(&wire));
	return wire.position;
}

static int decode(const uint8_t *bytes, size_t size, struct vmm_config *config)
{
	struct wire wire;
	uint8_t *copy = malloc(size ? size : 1);
	int error;

	memcpy(copy, bytes, size);
	wire_init_read(&wire, copy, size);
	error = vmm_config_decode(&wire, config);
	free(copy);
	return error;
}

static void test_config_round_trip(void **state)
{
	uint8_t bytes[4096];
	struct vmm_config config;
	size_t size = encode(&good, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(decode(bytes, size, &config), 0);
	assert_string_equal(config.session, good.session);
	assert_string_equal(config.command_line, good.command_line);
	assert_int_equal(config.timezone_minutes, -330);
	assert_int_equal(config.memory_mib, 64);
	assert_int_equal(config.descriptors, good.descriptors);
	assert_memory_equal(config.generation_id, good.generation_id, sizeof(good.generation_id));
	assert_int_equal(config.console_limit, good.console_limit);
	assert_int_equal(config.disk_count, 2);
	assert_int_equal(config.disks[0].format, VMM_DISK_OVERLAY);
	assert_true(config.disks[0].has_base && !config.disks[0].read_only);
	assert_memory_equal(
	    config.disks[0].base_id, good.disks[0].base_id, sizeof(good.disks[0].base_id));
	assert_string_equal(config.disks[0].serial, good.disks[0].serial);
	assert_int_equal(config.disks[1].format, VMM_DISK_RAW);
	assert_true(config.disks[1].read_only && !config.disks[1].has_base);
	assert_string_equal(config.disks[1].serial, "home");
}

static void test_config_ranges(void **state)
{
	uint8_t bytes[4096];
	struct vmm_config config;

	(void)state;
#define REFUSED(change)                                                                   \
	do {                                                                              \
		struct vmm_config bad = good;                                             \
		change;                                                                   \
		assert_int_equal(                                                         \
		    decode(bytes, encode(&bad, bytes, sizeof(bytes)), &config), -EPROTO); \
	} while (0)
	REFUSED(bad.session[0] = '\0');
	REFUSED(bad.memory_mib = 0);
	REFUSED(bad.memory_mib = 15);
	REFUSED(bad.memory_mib = UINT32_MAX);
	REFUSED(bad.vcpus = 0);
	REFUSED(bad.vcpus = 17);
	REFUSED(bad.width = 0);
	REFUSED(bad.height = 16385);
	REFUSED(bad.timezone_minutes = 1441);
	REFUSED(bad.timezone_minutes = -1441);
	REFUSED(bad.descriptors = VMM_FD_STATE);   /* no KVM */
	REFUSED(bad.descriptors |= VMM_FD_INITRD); /* without a kernel */
	REFUSED(bad.descriptors |= 1u << 30);
	REFUSED(bad.layer_count = 0); /* state without memory */
	REFUSED(bad.layer_count = VMM_LAYERS_MAX + 1);
	REFUSED(bad.snapshot_generation = 0); /* layers without a snapshot */
	REFUSED(bad.disks[0].format = 0);     /* never guessed */
	REFUSED(bad.disks[0].format = 3);
	REFUSED(bad.disks[1].has_base = true); /* of a raw one */
	REFUSED(bad.disks[1].serial[0] = '\0');
#undef REFUSED
}

static void test_config_cut_and_changed(void **state)
{
	static const uint32_t values[] = { 0, 1, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };
	uint8_t bytes[4096];
	struct vmm_config config;
	size_t size = encode(&good, bytes, sizeof(bytes));

	(void)state;
	for (size_t length = 0; length < size; length++) {
		assert_int_equal(decode(bytes, length, &config), -EPROTO);
	}
	bytes[size] = 0;
	assert_int_equal(decode(bytes, size + 1, &config), -EPROTO);
	for (size_t offset = 0; offset + 4 <= size; offset++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			uint8_t changed[4096];
			uint8_t again[4096];

			memcpy(changed, bytes, size);
			memcpy(changed + offset, &values[i], 4);
			if (decode(changed, size, &config) == 0) {
				/* What is taken means the same when it is said again. */
				assert_int_equal(encode(&config, again, sizeof(again)), size);
				assert_memory_equal(again, changed, size);
			}
		}
	}
}

static void test_report(void **state)
{
	const struct vmm_suspend_report report = { 1, 2, 3, 4, 5, true };
	struct vmm_suspend_report decoded;
	uint8_t bytes[128];
	struct wire wire;
	size_t size;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	vmm_suspend_report_encode(&report, &wire);
	size = wire.position;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(vmm_suspend_report_decode(&wire, &decoded), 0);
	assert_int_equal(decoded.generation, 1);
	assert_int_equal(decoded.ram_bytes, 2);
	assert_int_equal(decoded.state_bytes, 3);
	assert_int_equal(decoded.frame_bytes, 4);
	assert_int_equal(decoded.stopped_us, 5);
	assert_true(decoded.complete);
	for (size_t length = 0; length < size; length++) {
		wire_init_read(&wire, bytes, length);
		assert_int_equal(vmm_suspend_report_decode(&wire, &decoded), -EPROTO);
	}
	bytes[size - 1] = 2; /* not a boolean */
	wire_init_read(&wire, bytes, size);
	assert_int_equal(vmm_suspend_report_decode(&wire, &decoded), -EPROTO);
}

static void test_statistics(void **state)
{
	const struct vmm_statistics statistics = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct vmm_statistics decoded;
	uint8_t bytes[128];
	struct wire wire;
	size_t size;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	vmm_statistics_encode(&statistics, &wire);
	size = wire.position;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(vmm_statistics_decode(&wire, &decoded), 0);
	assert_int_equal(decoded.uptime_us, 1);
	assert_int_equal(decoded.input_events, 6);
	assert_int_equal(decoded.height, 9);
	for (size_t length = 0; length < size; length++) {
		wire_init_read(&wire, bytes, length);
		assert_int_equal(vmm_statistics_decode(&wire, &decoded), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_round_trip),
		cmocka_unit_test(test_config_ranges),
		cmocka_unit_test(test_config_cut_and_changed),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
